create schema if not exists custom;
create table custom.human(id int primary key, name text, kind text);
insert into custom.human(id,name) values(1,'a') on conflict (id) do update set name=excluded.name where custom.human.name is distinct from excluded.name;
insert into custom.human(id,name) values(1,'a') on conflict (id) do update set name=excluded.name where "custom"."human"."name" is distinct from excluded.name returning custom.human.id;
insert into custom.human as h(id,name) values(1,'a') on conflict (id) do update set name=excluded.name where "human"."name" is distinct from excluded.name;
insert into custom.human(id,name) values(1,'a') on conflict (id) do update set name=excluded.name where "human"."name" is distinct from excluded.name;
update custom.human set name='x' where custom.human.id=1;
insert into custom.human(id,name) values(1,'a') on conflict (id) do update set name=excluded.name returning custom.human.id, human.name;
drop schema custom cascade;
