CREATE TABLE m (k int, b text, c int DEFAULT 7, PRIMARY KEY (k)) PARTITION BY RANGE (k);
CREATE TABLE m1 PARTITION OF m FOR VALUES FROM (0) TO (10);
CREATE TABLE m2 (c int DEFAULT 7, dropped int, b text, k int NOT NULL);
ALTER TABLE m2 DROP COLUMN dropped;
ALTER TABLE m ATTACH PARTITION m2 FOR VALUES FROM (10) TO (20);
CREATE TABLE m3 PARTITION OF m FOR VALUES FROM (20) TO (40) PARTITION BY RANGE (k);
CREATE TABLE m31 PARTITION OF m3 FOR VALUES FROM (20) TO (30);

INSERT INTO m VALUES (1, 'one'), (11, 'eleven'), (21, 'twentyone') ON CONFLICT DO NOTHING RETURNING *;
INSERT INTO m VALUES (11, 'again'), (2, 'two'), (1, 'again'), (22, 'x') ON CONFLICT (k) DO NOTHING RETURNING *;
INSERT INTO m VALUES (11, 'up', 1), (3, 'three', 2), (1, 'up', 3), (21, 'up', 4) ON CONFLICT (k) DO UPDATE SET b = excluded.b || '/' || m.b, c = m.c + excluded.c RETURNING *;
INSERT INTO m AS t VALUES (1, 'w', 1), (11, 'w', 1) ON CONFLICT (k) DO UPDATE SET b = 'where' WHERE t.k > 5 RETURNING *;
INSERT INTO m VALUES (1, 'a'), (1, 'b') ON CONFLICT (k) DO UPDATE SET b = excluded.b;
INSERT INTO m VALUES (4, 'a'), (4, 'b') ON CONFLICT (k) DO UPDATE SET b = excluded.b;
INSERT INTO m VALUES (4, 'a'), (4, 'b') ON CONFLICT (k) DO NOTHING;
INSERT INTO m VALUES (1, 'a') ON CONFLICT (k) DO UPDATE SET k = 15;
INSERT INTO m VALUES (1, 'a') ON CONFLICT (k) DO UPDATE SET k = 5;
INSERT INTO m VALUES (50, 'a') ON CONFLICT DO NOTHING;
INSERT INTO m VALUES (1, 'a') ON CONFLICT ON CONSTRAINT m_pkey DO UPDATE SET b = excluded.b;
INSERT INTO m VALUES (1, 'a') ON CONFLICT (b) DO NOTHING;
INSERT INTO m SELECT i, 'bulk' FROM generate_series(0, 29) i ON CONFLICT (k) DO UPDATE SET b = m.b || '+' WHERE m.b <> 'two';
SELECT tableoid::regclass, * FROM m ORDER BY k;
INSERT INTO m VALUES (1, 'n') ON CONFLICT (k) DO UPDATE SET (b, c) = (SELECT 'sub', 99) RETURNING *;

SELECT * FROM pg_partition_tree('m');
SELECT relid, isleaf, level FROM pg_partition_tree('m_pkey');
SELECT * FROM pg_partition_ancestors('m31');
SELECT pg_partition_root('m31'), pg_partition_root('m'), pg_partition_root('pg_class');
SELECT count(*) FROM pg_partition_tree('pg_class');
