CREATE function cf(a int, out b int) language sql as 'select 1';
CREATE function cg(inout a int, out b int) language sql as 'select 1, 2';
call cf(1, null);
call cf(1);
call cg(1, 2);
call abs(1);
call nosuch(1);
select cf(1), cg(2);
