-- PL/pgSQL: statements, errors with their context, exceptions, cursors, procedures with transactions.
CREATE TABLE t (id int PRIMARY KEY, v text, arr int[]);
DO $$ BEGIN RAISE NOTICE 'hello % %%', 'world'; END $$;
CREATE FUNCTION fact(n bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  IF n <= 1 THEN RETURN 1; END IF;
  RETURN n * fact(n - 1);
END $$;
SELECT fact(5), fact(15);
CREATE FUNCTION fill(n int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  done int := 0;
BEGIN
  FOR i IN 1..n LOOP
    CONTINUE WHEN i % 4 = 0;
    EXIT WHEN i > 9;
    INSERT INTO t VALUES (i, 'v' || i, ARRAY[i, i * 2]);
    done := done + 1;
  END LOOP;
  RETURN done;
END $$;
SELECT fill(20);
SELECT * FROM t ORDER BY id;
DO $$
<<outer_block>>
DECLARE
  r record; row_ t%ROWTYPE; name t.v%TYPE; k CONSTANT int := 3; a int[] := '{1,2,3}'; x int; y text; j jsonb := '{"a": 1}'; b alias FOR x;
BEGIN
  SELECT * INTO r FROM t WHERE id = 2;
  RAISE NOTICE '% % %', r, r.v, FOUND;
  SELECT * INTO row_ FROM t WHERE id = 3;
  row_.v := row_.v || '!';
  RAISE NOTICE '%', row_;
  SELECT id, v INTO x, y FROM t WHERE id = 100;
  RAISE NOTICE '% % %', x, y, FOUND;
  a[2] := 20; a[5] := 50; a[1:2] := '{7,8}'; j['b'] := '[1]';
  RAISE NOTICE '% % %', a, j, k;
  b := 9;
  RAISE NOTICE '% %', outer_block.x, x;
  FOREACH x IN ARRAY a LOOP RAISE NOTICE 'x %', x; END LOOP;
  FOR r IN SELECT id, v FROM t WHERE id < 4 ORDER BY id LOOP RAISE NOTICE 'row % %', r.id, r; END LOOP;
  FOR x, y IN EXECUTE 'SELECT id, v FROM t WHERE id < $1 ORDER BY 1' USING 3 LOOP RAISE NOTICE '% %', x, y; END LOOP;
  FOR i IN REVERSE 5..1 BY 2 LOOP RAISE NOTICE 'i %', i; END LOOP;
  x := 0;
  <<w>> WHILE true LOOP x := x + 1; LOOP EXIT w WHEN x > 3; EXIT; END LOOP; END LOOP w;
  RAISE NOTICE 'x %', x;
  CASE x WHEN 1, 2 THEN RAISE NOTICE 'low'; WHEN 4 THEN RAISE NOTICE 'four'; END CASE;
  CASE WHEN x > 10 THEN NULL; ELSE RAISE NOTICE 'else'; END CASE;
  UPDATE t SET v = upper(v) WHERE id < 4;
  GET DIAGNOSTICS x = ROW_COUNT;
  RAISE NOTICE 'updated % %', x, FOUND;
  PERFORM 1 FROM t WHERE id = -1;
  RAISE NOTICE 'found %', FOUND;
  EXECUTE format('SELECT count(*) FROM %I WHERE id > $1', 't') INTO x USING 5;
  RAISE NOTICE 'count %', x;
  INSERT INTO t VALUES (50, 'new') RETURNING id, v INTO x, y;
  RAISE NOTICE '% %', x, y;
END $$;
-- Sets and rows.
CREATE FUNCTION series(n int) RETURNS SETOF int LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..n LOOP RETURN NEXT i * i; END LOOP; RETURN; END $$;
SELECT * FROM series(3);
SELECT series(2), 'x';
CREATE FUNCTION rows_of(n int) RETURNS TABLE (a int, b text) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT id, v FROM t WHERE id <= n ORDER BY id;
  a := -1; b := 'last'; RETURN NEXT;
  RETURN QUERY EXECUTE 'SELECT $1, $2' USING 0, 'dynamic'::text;
END $$;
SELECT * FROM rows_of(2);
CREATE FUNCTION outs(a int, OUT x int, OUT y text) LANGUAGE plpgsql AS $$ BEGIN x := a; y := 'a' || a; END $$;
SELECT * FROM outs(3);
SELECT outs(3);
CREATE FUNCTION rec(n int) RETURNS record LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN SELECT n, 'x'::text INTO r; RETURN r; END $$;
SELECT rec(1);
SELECT * FROM rec(1) AS (a int, b text);
SELECT * FROM rec(1) AS (a int, b int);
CREATE FUNCTION poly(a anyelement, b anyelement) RETURNS anyelement LANGUAGE plpgsql AS $$ BEGIN IF a > b THEN RETURN a; END IF; RETURN b; END $$;
SELECT poly(1, 2), poly('a'::text, 'b'), poly(1.5, 0.5);
-- Errors and handlers.
DO $$ BEGIN PERFORM 1 / 0; END $$;
DO $$ BEGIN INSERT INTO t VALUES (1, 'dup'); END $$;
DO $$ BEGIN INSERT INTO t VALUES (60, 'kept'); BEGIN INSERT INTO t VALUES (61, 'undone'); INSERT INTO t VALUES (1, 'dup');
  EXCEPTION WHEN unique_violation THEN RAISE NOTICE 'caught % %', SQLSTATE, SQLERRM; END; END $$;
SELECT id, v FROM t WHERE id >= 60;
CREATE FUNCTION inner_fn(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF n = 0 THEN RAISE EXCEPTION 'zero: %', n USING ERRCODE = 'MYERR', DETAIL = 'some detail', HINT = 'some hint', TABLE = 'tt', COLUMN = 'cc'; END IF; RETURN 1 / (n - 1); END $$;
SELECT inner_fn(0);
SELECT inner_fn(1);
SELECT inner_fn(id) FROM t WHERE id = 1;
DO $$
DECLARE s text; m text; d text; h text; c text; tn text;
BEGIN
  PERFORM inner_fn(0);
EXCEPTION WHEN SQLSTATE 'MYERR' THEN
  GET STACKED DIAGNOSTICS s = RETURNED_SQLSTATE, m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT, tn = TABLE_NAME, c = COLUMN_NAME;
  RAISE NOTICE '% % % % % %', s, m, d, h, tn, c;
END $$;
DO $$ BEGIN BEGIN RAISE division_by_zero; EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'first %', SQLERRM; RAISE; END; EXCEPTION WHEN data_exception THEN RAISE NOTICE 'again %', SQLSTATE; END $$;
DO $$ BEGIN RAISE WARNING 'w' USING HINT = 'h'; RAISE INFO 'i'; RAISE EXCEPTION USING MESSAGE = 'm', ERRCODE = '22012'; END $$;
DO $$ DECLARE x int NOT NULL := 1; BEGIN x := NULL; END $$;
DO $$ DECLARE x int; BEGIN SELECT id INTO STRICT x FROM t WHERE id = -5; END $$;
DO $$ DECLARE x int; BEGIN SELECT id INTO STRICT x FROM t; END $$;
DO $$ DECLARE x int; s text := 'ab'; BEGIN x := s || 'c'; END $$;
DO $$ DECLARE x int; BEGIN x := nosuch + 1; END $$;
DO $$ BEGIN SELECT 1; END $$;
DO $$ DECLARE id int; BEGIN PERFORM id FROM t; END $$;
DO $$ DECLARE r record; BEGIN RAISE NOTICE '%', r.x; END $$;
DO $$ BEGIN ASSERT 1 = 1; ASSERT 1 = 2, 'one is not two'; END $$;
DO $$ BEGIN CASE 5 WHEN 1 THEN NULL; END CASE; END $$;
DO $$ BEGIN EXECUTE NULL; END $$;
DO $$ BEGIN EXECUTE 'SELEC 1'; END $$;
DO $$ BEGIN PERFORM nosuch(1); END $$;
CREATE FUNCTION noret() RETURNS int LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
SELECT noret();
CREATE FUNCTION syntax1() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1 END $$;
CREATE FUNCTION syntax2() RETURNS int LANGUAGE plpgsql AS $$ BEGIN x := 1; RETURN 1; END $$;
CREATE FUNCTION syntax3() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXIT; RETURN 1; END $$;
CREATE FUNCTION syntax4() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT 1; END $$;
CREATE FUNCTION deep(n int) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN INSERT INTO t VALUES (n); RETURN 1; END $$;
SELECT deep(99);
-- Cursors.
DO $$
DECLARE c CURSOR (lo int, hi int) FOR SELECT id, v FROM t WHERE id BETWEEN lo AND hi ORDER BY id; u refcursor := 'u'; r record; i int;
BEGIN
  OPEN c(1, 3);
  FETCH c INTO r; RAISE NOTICE '%', r;
  MOVE c; FETCH c INTO r; RAISE NOTICE '% %', r, FOUND;
  FETCH c INTO r; RAISE NOTICE '% %', r, FOUND;
  CLOSE c;
  FOR r IN c(hi := 2, lo := 1) LOOP RAISE NOTICE 'loop %', r; END LOOP;
  OPEN u SCROLL FOR SELECT generate_series(1, 5);
  FETCH LAST FROM u INTO i; FETCH PRIOR FROM u INTO i; FETCH ABSOLUTE 2 FROM u INTO i; RAISE NOTICE '%', i;
  CLOSE u;
  FETCH u INTO i;
END $$;
CREATE FUNCTION curs(refcursor) RETURNS refcursor LANGUAGE plpgsql AS $$ BEGIN OPEN $1 FOR SELECT id FROM t ORDER BY id; RETURN $1; END $$;
BEGIN;
SELECT curs('mine');
FETCH 2 FROM mine;
COMMIT;
-- Procedures, and transactions in them.
CREATE PROCEDURE swap(INOUT a int, INOUT b int) LANGUAGE plpgsql AS $$ DECLARE x int := a; BEGIN a := b; b := x; END $$;
CALL swap(1, 2);
DO $$ DECLARE p int := 1; q int := 2; BEGIN CALL swap(p, q); RAISE NOTICE '% %', p, q; CALL swap(b => p, a => q); RAISE NOTICE '% %', p, q; CALL swap(1, q); END $$;
CREATE TABLE log (n int);
CREATE PROCEDURE steps() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..5 LOOP INSERT INTO log VALUES (i); IF i % 2 = 0 THEN COMMIT; ELSE ROLLBACK; END IF; END LOOP; END $$;
CALL steps();
SELECT * FROM log ORDER BY n;
BEGIN;
CALL steps();
ROLLBACK;
CREATE FUNCTION ddl() RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN CREATE TEMP TABLE tmp AS SELECT generate_series(1, 4) AS x; SELECT sum(x) INTO n FROM tmp; DROP TABLE tmp; RETURN n; END $$;
SELECT ddl();
SELECT ddl();
CREATE FUNCTION with_set() RETURNS text LANGUAGE plpgsql SET work_mem = '8MB' AS $$ BEGIN RETURN current_setting('work_mem'); END $$;
SELECT with_set(), current_setting('work_mem');
SELECT pg_get_functiondef('fill'::regproc);
