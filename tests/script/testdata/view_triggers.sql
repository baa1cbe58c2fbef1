CREATE TABLE base (id serial PRIMARY KEY, name text, qty int DEFAULT 5);
CREATE TABLE log (n serial, what text);
CREATE VIEW v AS SELECT id, upper(name) AS name, qty FROM base;
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO log (what) VALUES (TG_NAME || ' ' || TG_WHEN || ' ' || TG_LEVEL || ' ' || TG_OP || ' ' || TG_TABLE_NAME || ' ' || coalesce(OLD::text, '-') || ' ' || coalesce(NEW::text, '-'));
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION instead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.name = 'none' THEN RETURN NULL; END IF;
    INSERT INTO base (name, qty) VALUES (lower(NEW.name), NEW.qty) RETURNING id INTO NEW.id;
    RETURN NEW;
  ELSIF TG_OP = 'UPDATE' THEN
    UPDATE base SET name = lower(NEW.name), qty = NEW.qty WHERE id = OLD.id;
    RETURN NEW;
  END IF;
  DELETE FROM base WHERE id = OLD.id;
  RETURN OLD;
END $$;
INSERT INTO v (name) VALUES ('x');
CREATE TRIGGER bad BEFORE INSERT ON v FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER bad INSTEAD OF INSERT ON base FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER bad INSTEAD OF INSERT ON v FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER bad INSTEAD OF INSERT ON v FOR EACH ROW WHEN (NEW.id > 1) EXECUTE FUNCTION note();
CREATE TRIGGER bad INSTEAD OF UPDATE OF name ON v FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER a_note INSTEAD OF INSERT OR UPDATE OR DELETE ON v FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER b_instead INSTEAD OF INSERT OR UPDATE OR DELETE ON v FOR EACH ROW EXECUTE FUNCTION instead();
CREATE TRIGGER c_stmt BEFORE INSERT OR UPDATE ON v EXECUTE FUNCTION note();
CREATE TRIGGER d_stmt AFTER DELETE ON v EXECUTE FUNCTION note();
INSERT INTO v (name, qty) VALUES ('One', 1), ('none', 2), ('Three', 3);
INSERT INTO v (name) VALUES ('Four') RETURNING id, name, qty;
INSERT INTO v SELECT 100, 'x' || i, i FROM generate_series(5, 6) i RETURNING *;
SELECT * FROM base ORDER BY id;
UPDATE v SET qty = qty + 10 WHERE name LIKE 'X%';
UPDATE v SET name = 'Renamed' WHERE id = 1 RETURNING *;
UPDATE v SET qty = o.i FROM (VALUES (1, 71), (3, 73)) o (id, i) WHERE o.id = v.id RETURNING v.*, o.i;
SELECT * FROM base ORDER BY id;
DELETE FROM v WHERE id > 3 RETURNING id, name;
DELETE FROM v WHERE name = 'nosuch';
SELECT * FROM base ORDER BY id;
SELECT what FROM log ORDER BY n;
SELECT tgname, tgtype, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'v'::regclass ORDER BY 1;
ALTER VIEW v ALTER COLUMN qty SET DEFAULT 42;
INSERT INTO v (name) VALUES ('dflt') RETURNING qty;
DROP TRIGGER b_instead ON v;
DROP TRIGGER a_note ON v;
UPDATE v SET name = 'x';

-- TRUNCATE.
TRUNCATE log RESTART IDENTITY;
CREATE TABLE tr (id int PRIMARY KEY);
CREATE TABLE tr_child (id int REFERENCES tr);
CREATE TRIGGER t1 BEFORE TRUNCATE ON tr EXECUTE FUNCTION note();
CREATE TRIGGER t2 AFTER TRUNCATE ON tr FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER t3 AFTER TRUNCATE ON tr_child EXECUTE FUNCTION note();
CREATE TRIGGER bad BEFORE TRUNCATE ON tr FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER bad BEFORE TRUNCATE ON v EXECUTE FUNCTION note();
INSERT INTO tr VALUES (1);
INSERT INTO tr_child VALUES (1);
TRUNCATE tr;
TRUNCATE tr CASCADE;
SELECT what FROM log ORDER BY n;
SELECT (SELECT count(*) FROM tr), (SELECT count(*) FROM tr_child);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER t4 AFTER TRUNCATE ON tr EXECUTE FUNCTION refuse();
INSERT INTO tr VALUES (1);
TRUNCATE tr CASCADE;
SELECT * FROM tr;
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname IN ('t1', 't2') ORDER BY 1;

-- Row triggers of partitioned tables.
TRUNCATE log RESTART IDENTITY;
CREATE TABLE p (k int, b text, c int) PARTITION BY LIST (k);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (c int, b text, k int);
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
CREATE TRIGGER pr BEFORE INSERT OR UPDATE OR DELETE ON p FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER pa AFTER INSERT OR UPDATE OF b OR DELETE ON p FOR EACH ROW EXECUTE FUNCTION note();
CREATE TRIGGER pw AFTER UPDATE ON p FOR EACH ROW WHEN (OLD.c IS DISTINCT FROM NEW.c) EXECUTE FUNCTION note();
CREATE TRIGGER ps AFTER INSERT ON p EXECUTE FUNCTION note();
CREATE TRIGGER own AFTER INSERT ON p2 FOR EACH ROW EXECUTE FUNCTION note();
INSERT INTO p VALUES (1, 'one', 10), (2, 'two', 20);
INSERT INTO p2 VALUES (21, 'direct', 2);
SELECT what FROM log ORDER BY n;
TRUNCATE log RESTART IDENTITY;
UPDATE p SET b = b || '!';
UPDATE p SET c = c + 1;
UPDATE p SET k = 2 WHERE k = 1;
DELETE FROM p WHERE b = 'direct!';
SELECT what FROM log ORDER BY n;
SELECT tableoid::regclass, k, b, c FROM p ORDER BY b;
CREATE FUNCTION mover() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.k := 3 - NEW.k; RETURN NEW; END $$;
CREATE TRIGGER z_mover BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION mover();
INSERT INTO p VALUES (1, 'moves', 1);
DROP TRIGGER z_mover ON p;
CREATE FUNCTION counts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE c text; BEGIN SELECT string_agg(b, ',' ORDER BY b) INTO c FROM nt; RAISE NOTICE 'new: %', c; RETURN NULL; END $$;
CREATE TRIGGER tt AFTER INSERT ON p REFERENCING NEW TABLE AS nt EXECUTE FUNCTION counts();
CREATE TRIGGER tu AFTER UPDATE ON p REFERENCING NEW TABLE AS nt EXECUTE FUNCTION counts();
INSERT INTO p VALUES (1, 'x', 1), (2, 'y', 2);
UPDATE p SET b = b || '?' WHERE b IN ('x', 'y');
CREATE TRIGGER bad AFTER INSERT ON p REFERENCING NEW TABLE AS nt FOR EACH ROW EXECUTE FUNCTION counts();

-- Text search vectors.
CREATE TABLE docs (id int, title text, body varchar, cfg regconfig DEFAULT 'pg_catalog.simple', tsv tsvector, tsv2 tsvector);
CREATE TRIGGER ts1 BEFORE INSERT OR UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(tsv, 'pg_catalog.english', title, body);
CREATE TRIGGER ts2 BEFORE INSERT OR UPDATE ON docs FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger_column(tsv2, cfg, title, body);
INSERT INTO docs VALUES (1, 'The quick foxes', 'are jumping over dogs'), (2, NULL, 'only body'), (3, NULL, NULL);
SELECT id, tsv, tsv2 FROM docs ORDER BY id;
UPDATE docs SET title = 'Changed titles' WHERE id = 2;
SELECT id, tsv, tsv2 FROM docs ORDER BY id;
CREATE TRIGGER ts3 BEFORE INSERT ON docs FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(nosuch, 'pg_catalog.english', title);
INSERT INTO docs VALUES (4, 'x');
DROP TRIGGER ts3 ON docs;
CREATE TRIGGER ts3 BEFORE INSERT ON docs FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(tsv, 'english', title);
INSERT INTO docs VALUES (4, 'x');
CREATE TRIGGER ts4 AFTER INSERT ON docs FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(tsv, 'english', title);

-- session_replication_role.
SET session_replication_role = replica;
TRUNCATE log;
INSERT INTO p VALUES (1, 'quiet', 1);
SELECT count(*) FROM log;
RESET session_replication_role;
