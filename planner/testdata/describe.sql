ddl create table users(id serial primary key, name text not null, age int, addr jsonb, tags text[], created timestamptz default now())
ddl create table orders(id int primary key, user_id int references users(id), total numeric(10,2), note varchar(20))
ddl create table t2(j json, x xml)
ddl create type pair as (x int, y text)
ddl create table comp(id int, c pair)
ddl create table ident(id int generated always as identity, v int)
ddl create table gen(a int, b int generated always as (a * 2) stored)
select nam from users
select u.nam from users u
select users.id from users u
select * from users a, (select a.id) b
select * from users a, lateral (select a.id) b
select * from users a right join lateral (select a.id) b on true
select public.users.id from users u
select name from users u, lateral (select 1) x join orders o on age=1
select (users).foo from users
select (name).foo from users
select users from users
select u from (select 1 as a, 'x' as b) u
select (u).a from (select 1 as a, 'x' as b) u
select (u).* from users u
select row(u.*), row(1,2) from users u
select * from users, users
select id from users a, users b
select 1 from users order by 5
select sum(sum(age)) from users
select * from users where sum(age)>1
select name, count(*) from users
select count(*), users.* from users group by id
select (select users.name) from users group by age
select (select users.name) from users group by id
select (select max(users.age) from orders) from users
select (select max(users.age + orders.id) from orders) from users
select * from nosuch
select * from nos.such
select 1 where 1
select case 1 when 'a' then 1 end
select case when true then 1 else 'x' end
select case when true then 1 else 'x'::text end
select coalesce(1, 'a')
select coalesce(1, 2.5), greatest(1, 2.5), nullif(1, 2), nullif('a','b')
select array[1,2.5], array['a','b'], array[[1,2],[3,4]], array[]::int[]
select array[]
select array[1,'x']
select 1 union select 'a'
select 1 union select 2.5 union all select null
select 'a' union select 'b'
select null union select 1
select 1, 2 union select 1
select id from users union select name from users
select id from users order by lower(name)
select id from users union select id from orders order by id + 1
select id as x from users union select id from orders order by x
select distinct id from users order by name
select distinct on (name) id from users order by id
select distinct on (name) id, name from users order by name, id
select distinct lower(name) from users order by lower(name)
select id, name from users group by 1
select id, name from users group by 1, 2 order by 2, 1
select id as a, name as a from users order by a
select age + 1 as x, count(*) from users group by x having count(*) > 1
select age + 1, count(*) from users group by age + 1
select age + 2, count(*) from users group by age + 1
select lower(name), count(*) from users group by lower(name) order by lower(name)
select grouping(name), name, count(*) from users group by rollup(name, age)
select grouping(age), name, count(*) from users group by name
select name, age, count(*) from users group by cube(name, age)
select name, age, count(*) from users group by grouping sets ((name), (age), ())
select row_number() over (order by sum(age)) from users group by name
select row_number() over w, rank() over (w order by age) from users window w as (partition by name)
select row_number() over nosuch from users
select row_number() from users
select lower(name) over () from users
select sum(distinct age) over () from users
select sum(age) over (order by id rows between 1 preceding and current row) from users
select sum(age) over (order by id range between 1 preceding and 1 following) from users
select sum(age) over (range between 1 preceding and 1 following) from users
select sum(row_number() over ()) from users
select * from users where row_number() over () > 1
select rank() over (order by rank() over ()) from users
select count(*) filter (where age > 1) from users
select count(*) filter (where sum(age) > 1) from users
select percentile_cont(0.5) within group (order by age) from users
select percentile_cont(0.5) from users
select rank(5) within group (order by age) from users
select string_agg(name, ',' order by id) from users
select string_agg(distinct name, ',' order by id) from users
select string_agg(distinct name, ',' order by name) from users
select array_agg(name), array_agg(id order by name desc nulls last) from users
select generate_series(1, 3)
select generate_series(1, age), id from users
select * from users where generate_series(1,2) = 1
select case when true then generate_series(1,2) end
select coalesce(generate_series(1,2), 1)
select sum(generate_series(1,2))
select * from generate_series(1,3)
select * from generate_series(1,3) g
select * from generate_series(1,3) g(x)
select * from generate_series(1,3) with ordinality
select * from generate_series(1,3) with ordinality as t(a, b)
select * from unnest(array[1,2], array['a','b']) as t(a, b)
select * from unnest(array[1,2], array['a','b'])
select * from json_each('{"a":1}')
select * from json_each('{"a":1}') x
select x from json_each('{"a":1}') x
select (json_each('{"a":1}')).*
select (json_each('{"a":1}')).key
select * from json_array_elements('[1]') x
select * from json_to_recordset('[{"a":1}]') as x(a int, b text)
select * from json_to_recordset('[{"a":1}]')
select * from generate_series(1,2) as x(a int)
select * from rows from (generate_series(1,2), generate_series(1,3)) as t(a,b)
select * from rows from (generate_series(1,2), json_to_record('{}') as (x int)) with ordinality
select * from current_date
select * from users u(a, b)
select * from users u(a, b, c, d, e, f, g, h)
select * from users join orders using (id)
select * from users join orders using (nosuch)
select * from users join orders using (id, id)
select id from users join orders using (id)
select users.id, orders.id from users join orders using (id)
select * from users natural join orders
select * from users full join orders using (id)
select * from users left join orders on users.id = user_id where orders.id is null
select * from (users join orders on users.id = user_id) j
select * from (users u join orders o on u.id = user_id) j(a,b)
select u.id from (users u join orders o on u.id = user_id) j
select j from (users u join orders o on u.id = user_id) j
select * from users u join orders o on u.id = o.user_id join users v on v.id = o.id
select * from users join orders using (id) as x where x.id = 1
select x.name from users join orders using (id) as x
select * from users cross join orders
with a as (select 1 as x), a as (select 2) select * from a
with a as (select 1 as x) select * from a, a b
with a(x, y) as (select 1) select * from a
with a as (select 1 as x) select x from b
with recursive t as (select 1 as n union all select n + 1 from t where n < 3) select * from t
with recursive t as (select 1 as n union all select n + 1.5 from t where n < 3) select * from t
with recursive t as (select n from t) select * from t
with recursive t as (select 1 from t union all select 1) select * from t
with recursive t as (select 1 as n union all select n from t union all select n from t) select * from t
with recursive t as (select 1 as n union all select n from t order by 1) select * from t
with recursive t as (select 'a' as n union all select n || 'b' from t) select * from t
with recursive a as (select * from b), b as (select 1) select * from a
with x as (insert into users(name) values ('a') returning id) select * from x
with x as (insert into users(name) values ('a')) select * from x
select * from (with x as (insert into users(name) values ('a') returning id) select * from x) y
select exists(select 1), array(select 1), (select 1 as z), 1 = any(select 1), 1 in (select 1)
select (select 1, 2)
select 1 in (select 1, 2)
select (1,2) in (select 1, 2), (1,2) = (select 1,2), (1,2) in ((1,2),(3,4))
select (1,2,3) in (select 1, 2)
select (1,2) = (1,2,3)
select (1,2) < (2,3), row(1,'a') = row(1,'b'), row() = row()
select (1,2) ~~ (2,3)
select 1 = any(array[1,2]), 1 = all('{1,2}'), 1 = any('{a}')
select 1 = any(1)
select 1 in (1, 2, 'x')
select 1 in (1, 2, 2.5), 'a' in ('b', 'c'), age in (id, 1, 2) from users
select id between 1 and 'x' from users
select id not between symmetric 3 and 1 from users
select id is distinct from null, id is not distinct from 3 from users
select name like 'a%', name ilike 'b', name similar to 'c', name like 'a' escape 'b', name not like 'x' from users
select not 1
select 1 and true
select id is true from users
select id is null, (id, name) is null from users
select name collate "C" from users
select name collate "nosuch" from users
select id collate "C" from users
select now() at time zone 'UTC', current_date, current_timestamp(3), localtime, current_user, session_user, current_catalog, current_schema, user
select extract(year from now()), overlay('abc' placing 'x' from 2), position('a' in 'abc'), substring('abc' from 2 for 1), trim(both 'x' from 'xax'), trim('a')
select make_interval(days => 1), make_interval(1, days => 2)
select make_interval(days => 1, 2)
select concat(variadic array['a','b']), format('%s', variadic array[1,2])
select nosuch(1)
select lower(1)
select lower()
select 1 + 'a'
select 'a' + 'b'
select 1 || 2
select 'a' || 1
select -'1'::int, - 5, + 3, @ -5, |/ 25.0
select 1 operator(pg_catalog.+) 2
select 1 operator(nos.+) 2
select '1'::nosuch
select '1'::int, cast('2' as numeric(10,2)), 'x'::varchar(3), int '3', '{1}'::int[]
select 'abc'::int
select '2020-01-01'::date + 1, '2020-01-01'::date - '2019-01-01'::date, now() + '1 day', interval '1 day' * 2
select 1.5, 10000000000, 1e10, 99999999999999999999, 0.1, b'101', x'1F', true, null
select $1
select $1::int + $2
select $1 + 1, $2 || 'a'
select id from users where id = $1 and name = $2 limit $3
select id from users where id in ($1, $2)
select id from users where id = any($1)
select $1 = $2
select $1 is null
select $1 is null or id = $1 from users
select $2::int
select case when $1 then $2 else 3 end
select coalesce($1, 5), coalesce($2, $3)
select id from users limit 'a'
select id from users limit id
select id from users limit (select 1) offset 2
select id from users fetch first 2 rows with ties
select id from users order by id fetch first 2 rows with ties
select id from users order by name using >, id using <
select id from users order by name using ~
select addr from users order by addr
select j from t2 order by j
select distinct j from t2
select count(distinct j) from t2
select j from t2 group by j
select j from t2 union select j from t2
select tags[1], tags[1:2], tags[:2], addr['a'], addr['a']['b'], addr[0] from users
select id[1] from users
select tags['x'] from users
select (array[1,2,3])[2], (array[[1,2],[3,4]])[1][2]
select (c).x, (c).y, c from comp
select (c).z from comp
select c.x from comp
select (c).* from comp
select comp.* from comp
select ctid, xmin, tableoid, tableoid::regclass, users.ctid from users
select u.tableoid from users u
select ctid from (select * from users) x
select * from users for update
select * from users u join orders o on true for update of u nowait
select * from users for update of nosuch
select count(*) from users for update
select distinct id from users for share
select id from users union select 1 for update
select * from users tablesample bernoulli (10) repeatable (3)
select * from users tablesample nosuch (10)
select 1 from users group by id having name = 'a'
select 1 from users having count(*) > 1
select name from users having count(*) > 1
select *
select *, 1 from users
select users.* , orders.* from users, orders
select nosuch.* from users
select count(*) from users where name
values (1, 'a'), (2, 'b')
values (1), ('a')
values (1, 2), (3)
values (1),(2) order by 1 limit 1
values (1),(2.5) order by column1 desc
insert into users values (1)
insert into users(id, name) values (1)
insert into users(id) values (1, 2)
insert into users(id, id) values (1, 2)
insert into users(nosuch) values (1)
insert into users(ctid) values (1)
insert into users(name) values (5)
insert into users(age) values ('x')
insert into users(age) values ('x'::text)
insert into users(age) values (true)
insert into users(age, name) values (default, default), (1, 'x')
insert into users(age) values ((select 1)), (default)
insert into users default values
insert into users(name) select note from orders
insert into users(age) select note from orders
insert into users(age) select 'x'
insert into users(name, age) select 'x', 5 returning *
insert into users(name) values ($1) returning id, users.name, upper(name) as u
insert into users(name, age) values ($1, $2)
insert into nosuch values (1)
insert into ident(id) values (1)
insert into ident(id) values (default)
insert into ident(id, v) overriding system value values (1, 2)
insert into ident(id, v) overriding user value values (1, 2)
insert into gen(a, b) values (1, 2)
insert into gen(a, b) values (1, default) returning *
insert into gen select 1, 2
insert into users(id, name) values (1, 'a') on conflict do nothing
insert into users(id, name) values (1, 'a') on conflict (id) do update set name = excluded.name where users.age > excluded.age returning *
insert into users(id, name) values (1, 'a') on conflict (age) do nothing
insert into users(id, name) values (1, 'a') on conflict do update set name = 'x'
insert into users(id, name) values (1, 'a') on conflict on constraint users_pkey do nothing
insert into users(id, name) values (1, 'a') on conflict on constraint nosuch do nothing
insert into users(id, name) values (1, 'a') on conflict (id) do update set name = name
insert into users(id, name) values (1, 'a') on conflict (id) do update set nosuch = 1
insert into users as u (id, name) values (1, 'a') on conflict (id) do update set name = u.name || excluded.name
insert into users(age) values (sum(1))
update users set name = 'x' where id = 1 returning *
update users set nosuch = 1
update users set age = 'x'
update users set age = name
update users set age = default, name = default
update users set age = 1, age = 2
update users set (age, name) = (1, 'a')
update users set (age, name) = (1, 'a', 2)
update users set (age, name) = (select 1, 'b')
update users set (age, name) = row(default, 'b')
update users u set age = o.id from orders o where o.user_id = u.id returning u.id, o.id
update users u set u.age = 1
update users set age = sum(1)
update users set age = users.age + 1 where users.name = $1
update gen set b = 1
update gen set b = default
update ident set id = 1
delete from users where id = $1 returning *
delete from users u using orders o where o.user_id = u.id returning u.*, o.note
delete from users where nosuch = 1
delete from users where id in (select user_id from orders where users.age = orders.id)
select * from mv_missing
select count(*) from pg_class c left join pg_namespace n on n.oid = c.relnamespace
select c.oid::regclass, c.relkind from pg_class c where c.relname = 'users' and c.relkind in ('r', 'v')
select 'users'::regclass, 'int4'::regtype, 'nosuch'::regclass
select name, sum(age) over (partition by name), count(*) over () from users
select u.*, row_number() over (partition by u.name order by u.id desc) rn from users u
select * from (select u.*, row_number() over (partition by u.name order by u.id desc) rn from users u) t where rn = 1
select age as "A b", 1 as select from users
select 1 as a, 2 as b order by a + b
select a from (select 1 as a) x order by a + 1
select sum(age) from users order by sum(id)
select age from users group by age order by count(*)
select id from users order by count(*)
select max(age) + min(age) as z, name || 'x' from users group by name
select u.id, (select count(*) from orders o where o.user_id = u.id) n from users u order by n
select u.id from users u where exists (select from orders o where o.user_id = u.id)
select 1 from (select 1 as a, 2 as a) x where x.a = 1
select a.id from users a left join lateral (select * from orders where user_id = a.id limit 1) o on true
select json_build_object('a', 1), jsonb_build_array(1,'x'), to_json(u) from users u
select row_to_json(t) from (select id, name from users) t
select array_agg(t) from (select id, name from users) t
select unnest(array[1,2]), unnest(array['a'])
select unnest(tags) from users
select upper(unnest(tags)) from users order by 1
select age::text || name, age::numeric(5,2), name::varchar(3) from users
select name::int from users
select true::int, 1::bool, 1::text::bool
select now()::bool
select date '2020-01-01', timestamp '2020-01-01', time '10:00', interval '1' day, interval(3) '1 sec'
select char 'a', "char" 'a', name 'x', bpchar 'x'
select '1' = 1, 1 = 1.0, 'a' < 'b', date '2020-01-01' < '2021-01-01'
select * from users where (id, name) in (select id, name from users)
select id, count(*) from users group by users
select abs(age), round(1.5), round(1.555, 2), power(2, 3), 7 / 2, 7 % 2, 2 ^ 3 from users
select sum(age), avg(age), sum(id::bigint), avg(total), sum(total), min(name), max(created), count(*) from users, orders
select total * 2, total::int, -total, total / 3 from orders
select note || 'x', note, substr(note, 1, 2), lower(note) from orders
select nullif(note, ''), coalesce(note, 'a'), coalesce(note, name), greatest(note, 'b') from users, orders
select case when id = 1 then note end, case id when 1 then 'a' when 2 then note end from orders
select users.id as id, orders.* from users left join orders on orders.user_id = users.id where orders.total > all (select total from orders)
select * from users where addr @> '{"a":1}' and addr ? 'x' and addr->>'a' = 'b' and addr #>> '{a,b}' is not null
select addr->'a'->'b', addr->>'a', addr->0, addr#>'{a}' from users
