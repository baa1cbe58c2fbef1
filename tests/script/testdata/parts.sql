CREATE TYPE pc AS (x int, y int[], z text);
CREATE TABLE pt (id int PRIMARY KEY, a int[], m int[], c pc, cs pc[], j jsonb DEFAULT '{}');
INSERT INTO pt VALUES (1, '{1,2,3,4}', '{{1,2,3},{4,5,6}}', ROW(1, '{1,2}', 'z'), ARRAY[ROW(1, '{1}', 'q')::pc]), (2, NULL, NULL, NULL, NULL);
UPDATE pt SET a[2:3] = '{20,30}' RETURNING id, a;
UPDATE pt SET a[:2] = '{7,8}' WHERE id = 1 RETURNING a;
UPDATE pt SET a[:2] = '{7,8}', id = 3 WHERE a IS NULL RETURNING a;
UPDATE pt SET a = NULL WHERE id = 2;
UPDATE pt SET a[:2] = '{7,8}' WHERE id = 2;
UPDATE pt SET a[3:] = '{9,10,11}' WHERE id = 1 RETURNING a;
UPDATE pt SET a[0:1] = '{-1,-2}' WHERE id = 1 RETURNING a;
UPDATE pt SET a[8:9] = '{80,90}' WHERE id = 1 RETURNING a;
UPDATE pt SET a[2:1] = '{1}' WHERE id = 1;
UPDATE pt SET a[1:3] = '{1}' WHERE id = 1;
UPDATE pt SET a[1:3] = NULL WHERE id = 1 RETURNING a;
UPDATE pt SET a[NULL:3] = '{1,2,3}' WHERE id = 1;
UPDATE pt SET m[1:2][2:2] = '{{9},{8}}' WHERE id = 1 RETURNING m;
UPDATE pt SET m[1:2] = '{{9,9},{8,8},{7,7}}' WHERE id = 1 RETURNING m;
UPDATE pt SET m[1:3][1:1] = '{1,2,3}' WHERE id = 1;
UPDATE pt SET m[2:2][1:2] = '{{1,2}}' WHERE id = 2 RETURNING m;
UPDATE pt SET a[1:2] = 5;
UPDATE pt SET j[1:2] = '1';
UPDATE pt SET cs[1].x = 5 WHERE id = 1 RETURNING cs;
UPDATE pt SET cs[1].y[2] = 6, cs[2].z = 'new' WHERE id = 1 RETURNING cs;
UPDATE pt SET cs[1].nope = 6;
UPDATE pt SET c.y[2:3] = '{5,6}', c.x = 9 WHERE id = 1 RETURNING c;
UPDATE pt SET a[1].x = 1;
INSERT INTO pt (id, a[1], a[2], c.x, c.z) VALUES (10, 1, 2, 3, 'four') RETURNING *;
INSERT INTO pt (id, a[1], a[3], cs[2].x, cs[2].y[1]) VALUES (11, 1, 2, 3, 4), (12, 5, 6, 7, 8) RETURNING id, a, cs;
INSERT INTO pt (id, c.x, c.y[2], j['k']) SELECT g, g + 1, g + 2, to_jsonb(g) FROM generate_series(20, 21) g RETURNING id, c, j;
INSERT INTO pt (id, c, c.x) VALUES (30, NULL, 1);
INSERT INTO pt (id, a[1]) VALUES (31, DEFAULT);
INSERT INTO pt (id, c.x) VALUES (31, DEFAULT);
INSERT INTO pt (id, c.nope) VALUES (31, 1);
INSERT INTO pt (id, c.x) VALUES (31, 'abc');
INSERT INTO pt (id, a[1:2]) VALUES (32, '{4,5}') RETURNING a;
UPDATE pt SET a[1] = DEFAULT;
COPY pt (id, a) FROM STDIN WHERE id > 100 AND j IS NOT NULL;
50	{1}
101	{2,3}
102	\N
\.
SELECT id, a, j FROM pt WHERE id >= 50 ORDER BY id;
COPY pt (id) FROM STDIN WHERE id > (SELECT 1);
\.
COPY pt (id) FROM STDIN WHERE count(*) > 1;
\.
COPY pt (id) FROM STDIN WHERE nope > 1;
\.
COPY pt (id) FROM STDIN WHERE id;
\.
WITH RECURSIVE t(n) AS (WITH t1(x) AS (SELECT 1), t2 AS (SELECT x FROM t1) SELECT x FROM t2 UNION ALL SELECT n + (SELECT x FROM t1) FROM t WHERE n < 5) SELECT * FROM t;
