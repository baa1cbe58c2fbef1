-- functions that give rows, and bodies in SQL's own form
create table ft (a int, b text);
create function rf(out integer, out numeric) as $$ select (1, 2) $$ language sql;
select rf();
select * from rf();
create or replace function rf(out integer, out numeric) as $$ select (1, 2.1, 3) $$ language sql;
select * from rf();
create function r2() returns record language sql as $$ select ('a'::text, 2) $$;
select * from r2() as (a int, b int);
select * from r2() as (a text, b int);
select r2();
create type ct as (x int, y text);
create function r4() returns setof ct language sql as $$ select (1, 'a')::ct union all select null $$;
select * from r4();
select r4();
create function fa() returns boolean begin atomic ;; return false;; end;
create function fb() returns boolean begin atomic ; select 2; return true; ; end;
create procedure pe(x text) begin atomic end;
create procedure pf(x text) begin atomic insert into ft values (1, x); ; end;
call pe('x');
call pf('y');
table ft;
select fa(), fb();
create function fr(n int) returns int return n + 1;
create function fe() returns int begin atomic end;
create function fv() returns void begin atomic end;
select fv(), fr(2);
select pg_get_functiondef(oid) from pg_proc where proname in ('pe', 'fv', 'fa', 'fb') and pronamespace = 'public'::regnamespace order by proname;
select proname, prosrc, pg_get_function_sqlbody(oid) from pg_proc where proname in ('pe', 'fv') and pronamespace = 'public'::regnamespace order by proname;
-- views that the printer of the parser does not print
create view v1 as select * from coalesce(1, 2) as c, cast(1 + 2 as int4) as i4, cast(1 + 2 as int8) as i8, nullif(1, 2) n, greatest(1, 2) g, current_role;
select pg_get_viewdef('v1', true);
select * from v1;
create view v2 as select * from ft order by a fetch first null rows with ties;
select * from ft order by a fetch first null rows with ties;
-- a function with a handler that an index calls
create table pt (a int);
insert into pt values (1), (2);
create table lookup (l int);
insert into lookup values (1);
create function guarded(n int) returns int language plpgsql immutable as $$ declare x int; begin
  select 10 / (n - 1) + count(*) into x from lookup;
  return x;
exception when division_by_zero then
  return 0;
end $$;
create unique index on pt ((guarded(a)));
create function later(n int) returns int language plpgsql immutable as $$ begin
  create table made (a int);
  return n;
exception when others then
  return 0;
end $$;
create unique index on pt ((later(a))) where a = 1;
select count(*) from made;

-- a default sees the rows that its statement has written before
create table counted (a int, b bigint);
create function count_them() returns bigint language sql as 'select count(*) from counted';
alter table counted alter b set default count_them();
insert into counted (a) values (1), (2), (3) returning b;
insert into counted (a) select g from generate_series(1, 1200) g;
insert into counted select g, count_them() from generate_series(1, 3) g returning b;
select count(*), count(distinct b), min(b), max(b) from counted;
