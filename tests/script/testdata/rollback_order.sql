create table r(id int primary key, v text);
insert into r values (1, 'a'), (2, 'b'), (4, 'd'), (3, 'c');
begin;
savepoint s;
delete from r;
rollback to s;
select string_agg(v, ',') from r;
commit;
select string_agg(v, ',') from r;
