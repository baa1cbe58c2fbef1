CREATE ROLE pr_owner;
CREATE ROLE pr_reader;
CREATE ROLE pr_writer;
CREATE ROLE pr_group;
CREATE ROLE pr_member IN ROLE pr_group;
CREATE ROLE pr_noinherit NOINHERIT IN ROLE pr_group;

-- Without CREATE on the schema, nothing is made there.
SET ROLE pr_owner;
CREATE TABLE t (a int);
CREATE SEQUENCE sq;
CREATE TYPE ty AS ENUM ('a');
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
RESET ROLE;
GRANT CREATE ON SCHEMA public TO pr_owner;
SET ROLE pr_owner;
CREATE TABLE t (a int PRIMARY KEY, b text, c text DEFAULT 'x');
CREATE SEQUENCE sq;
CREATE TYPE ty AS ENUM ('a');
CREATE DOMAIN dm AS int CHECK (VALUE > 0);
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT count(*)::int FROM t';
CREATE FUNCTION secdef() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN current_user || ' ' || (SELECT count(*) FROM t); END $$;
CREATE VIEW v AS SELECT a, b FROM t WHERE a < 100;
CREATE VIEW vi WITH (security_invoker = true) AS SELECT a, b FROM t;
INSERT INTO t VALUES (1, 'one'), (2, 'two');
RESET ROLE;

-- Nobody else may read or write.
SET ROLE pr_reader;
SELECT * FROM t;
SELECT count(*) FROM t;
SELECT 1 FROM t WHERE false;
INSERT INTO t VALUES (3);
UPDATE t SET b = 'x';
DELETE FROM t;
TRUNCATE t;
SELECT * FROM v;
SELECT nextval('sq');
SELECT setval('sq', 10);
SELECT last_value FROM sq;
SELECT f();
SELECT secdef();
LOCK TABLE t;
ALTER TABLE t ADD d int;
DROP TABLE t;
CREATE INDEX ON t (b);
ALTER TABLE t RENAME TO t2;
ALTER TABLE t RENAME COLUMN a TO z;
ALTER TABLE t OWNER TO pr_reader;
DROP VIEW v;
CREATE OR REPLACE VIEW v AS SELECT 1 AS a;
DROP SEQUENCE sq;
ALTER SEQUENCE sq RESTART;
DROP TYPE ty;
ALTER TYPE ty ADD VALUE 'b';
DROP DOMAIN dm;
ALTER DOMAIN dm SET NOT NULL;
DROP FUNCTION f();
ALTER FUNCTION f() STRICT;
COMMENT ON TABLE t IS 'x';
COMMENT ON COLUMN t.a IS 'x';
COMMENT ON FUNCTION f() IS 'x';
COMMENT ON SCHEMA public IS 'x';
CREATE TRIGGER tg BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
GRANT SELECT ON t TO pr_writer;
CREATE ROLE pr_x;
DROP ROLE pr_writer;
ALTER ROLE pr_writer CREATEDB;
GRANT pr_group TO pr_reader;
CREATE DATABASE pr_db;
SET session_replication_role = replica;
EXPLAIN SELECT * FROM t;
COPY t TO STDOUT;
RESET ROLE;

-- Foreign keys and triggers need rights on what they use.
CREATE SCHEMA own AUTHORIZATION pr_reader;
SET ROLE pr_reader;
CREATE TABLE own.r (i int REFERENCES t);
RESET ROLE;
GRANT REFERENCES (a) ON t TO pr_reader;
SET ROLE pr_reader;
CREATE TABLE own.r (i int REFERENCES t);
CREATE FUNCTION own.tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
REVOKE EXECUTE ON FUNCTION own.tf() FROM PUBLIC;
RESET ROLE;
GRANT USAGE ON SCHEMA own TO pr_owner;
SET ROLE pr_owner;
CREATE TRIGGER tg BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION own.tf();
RESET ROLE;
DROP SCHEMA own CASCADE;
REVOKE REFERENCES (a) ON t FROM pr_reader;

-- Table and column privileges.
GRANT SELECT ON t TO pr_reader;
GRANT SELECT (a), INSERT (a, b), UPDATE (b) ON t TO pr_writer;
SET ROLE pr_reader;
SELECT a, b FROM t ORDER BY a;
SELECT f();
SELECT * FROM t FOR UPDATE;
UPDATE t SET b = 'x' WHERE a = 1;
RESET ROLE;
SET ROLE pr_writer;
SELECT a FROM t ORDER BY a;
SELECT count(*) FROM t;
SELECT b FROM t;
SELECT * FROM t;
SELECT t FROM t;
SELECT a FROM t WHERE b = 'one';
SELECT x.a FROM t x JOIN t y USING (b);
SELECT a FROM t ORDER BY b;
INSERT INTO t (a, b) VALUES (3, 'three');
INSERT INTO t (a, c) VALUES (4, 'four');
INSERT INTO t VALUES (5, 'five', 'x');
INSERT INTO t (a) VALUES (6) RETURNING a;
INSERT INTO t (a) VALUES (7) RETURNING b;
INSERT INTO t (a, b) VALUES (1, 'uno') ON CONFLICT (a) DO UPDATE SET b = excluded.b;
INSERT INTO t (a, b) VALUES (1, 'uno') ON CONFLICT (a) DO UPDATE SET b = excluded.b || t.b;
INSERT INTO t (a, b) VALUES (1, 'uno') ON CONFLICT DO NOTHING;
UPDATE t SET b = 'dos' WHERE a = 2;
UPDATE t SET b = upper(b);
UPDATE t SET a = 9;
DELETE FROM t WHERE a = 1;
SELECT * FROM (SELECT a FROM t) s ORDER BY 1;
WITH q AS (SELECT a FROM t) SELECT sum(a) FROM q;
SELECT EXISTS (SELECT 1 FROM t WHERE b = 'x');
RESET ROLE;
SELECT * FROM t ORDER BY a;

-- Views run with their owner's rights, or with security_invoker with those of who asks.
GRANT SELECT, UPDATE ON v, vi TO pr_member;
SET ROLE pr_member;
SELECT * FROM v ORDER BY a;
SELECT * FROM vi;
SELECT * FROM t;
UPDATE v SET b = 'member' WHERE a = 1;
UPDATE vi SET b = 'x';
DELETE FROM v;
RESET ROLE;
REVOKE SELECT ON t FROM pr_owner;
SET ROLE pr_member;
SELECT * FROM v ORDER BY a;
RESET ROLE;
SELECT * FROM v ORDER BY a;
GRANT SELECT ON t TO pr_owner;

-- Membership, with and without INHERIT.
GRANT DELETE, SELECT ON t TO pr_group;
SET ROLE pr_member;
DELETE FROM t WHERE a = 6;
SET ROLE pr_noinherit;
RESET ROLE;
SET SESSION AUTHORIZATION pr_noinherit;
DELETE FROM t WHERE a = 3;
SET ROLE pr_group;
SELECT session_user, current_user;
DELETE FROM t WHERE a = 3;
SET ROLE pr_owner;
SET SESSION AUTHORIZATION postgres;
RESET SESSION AUTHORIZATION;
SELECT session_user, current_user;

-- Sequences.
GRANT USAGE ON SEQUENCE sq TO pr_reader;
SET ROLE pr_reader;
SELECT nextval('sq'), currval('sq');
SELECT setval('sq', 10);
SELECT last_value FROM sq;
RESET ROLE;

-- Functions: everybody may call them until that is revoked.
REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION f() TO pr_writer;
SET ROLE pr_reader;
SELECT f();
SELECT secdef();
SELECT current_user;
RESET ROLE;
SET ROLE pr_writer;
SELECT f();
RESET ROLE;

-- Schemas.
CREATE SCHEMA hidden;
CREATE TABLE hidden.h (i int);
CREATE TYPE hidden.hty AS ENUM ('x');
CREATE FUNCTION hidden.hf() RETURNS int LANGUAGE sql AS 'SELECT 1';
GRANT SELECT ON hidden.h TO pr_reader;
SET ROLE pr_reader;
SELECT * FROM hidden.h;
SELECT hidden.hf();
SELECT 'x'::hidden.hty;
SET search_path = hidden, public;
SELECT current_schemas(false);
SELECT * FROM h;
RESET search_path;
RESET ROLE;
GRANT USAGE ON SCHEMA hidden TO pr_reader;
SET ROLE pr_reader;
SELECT * FROM hidden.h;
CREATE TABLE hidden.i (i int);
RESET ROLE;

-- What has_..._privilege says.
SELECT has_table_privilege('pr_reader', 't', 'select'), has_table_privilege('pr_reader', 't', 'insert'), has_table_privilege('pr_owner', 't', 'delete'),
  has_table_privilege('pr_member', 't', 'delete'), has_table_privilege('pr_noinherit', 't', 'delete'), has_table_privilege('t', 'delete'),
  has_table_privilege('public', 't', 'select'), has_table_privilege('pr_reader', 't', 'insert, select'), has_table_privilege('pr_reader', 't', 'select with grant option'),
  has_table_privilege('pr_owner', 't', 'select with grant option');
SELECT has_column_privilege('pr_writer', 't', 'a', 'select'), has_column_privilege('pr_writer', 't', 'b', 'select'), has_column_privilege('pr_writer', 't', 'b', 'update'),
  has_any_column_privilege('pr_writer', 't', 'insert'), has_any_column_privilege('pr_writer', 't', 'references');
SELECT has_schema_privilege('pr_reader', 'public', 'create'), has_schema_privilege('pr_reader', 'public', 'usage'), has_schema_privilege('pr_reader', 'hidden', 'usage'),
  has_schema_privilege('pr_owner', 'public', 'create');
SELECT has_function_privilege('pr_reader', 'f()', 'execute'), has_function_privilege('pr_writer', 'f()', 'execute'), has_function_privilege('pr_writer', 'lower(text)', 'execute'),
  has_function_privilege('pr_writer', 'pg_reload_conf()', 'execute');
SELECT has_sequence_privilege('pr_reader', 'sq', 'usage'), has_sequence_privilege('pr_writer', 'sq', 'usage'), has_type_privilege('pr_writer', 'ty', 'usage'),
  has_database_privilege('pr_writer', current_database(), 'connect'), has_database_privilege('pr_writer', current_database(), 'create');
SELECT pg_has_role('pr_member', 'pr_group', 'usage'), pg_has_role('pr_noinherit', 'pr_group', 'usage'), pg_has_role('pr_noinherit', 'pr_group', 'member'),
  pg_has_role('pr_reader', 'pr_group', 'member'), pg_has_role('postgres', 'pr_group', 'usage');
SELECT has_sequence_privilege('t', 'usage');
SELECT has_table_privilege('nosuch', 't', 'select');

-- Grant options.
GRANT SELECT ON t TO pr_reader WITH GRANT OPTION;
GRANT SELECT ON t TO PUBLIC WITH GRANT OPTION;
SET ROLE pr_reader;
GRANT SELECT ON t TO pr_member;
GRANT SELECT, INSERT ON t TO pr_member;
GRANT ALL ON t TO pr_member;
GRANT INSERT ON t TO pr_member;

GRANT SELECT ON t TO pr_owner WITH GRANT OPTION;
RESET ROLE;
SELECT relacl FROM pg_class WHERE relname = 't';
REVOKE SELECT ON t FROM pr_reader;
REVOKE GRANT OPTION FOR SELECT ON t FROM pr_reader;
REVOKE GRANT OPTION FOR SELECT ON t FROM pr_reader CASCADE;
SELECT relacl FROM pg_class WHERE relname = 't';
SELECT attname, attacl FROM pg_attribute WHERE attrelid = 't'::regclass AND attacl IS NOT NULL ORDER BY 1;
REVOKE SELECT ON t FROM pr_writer;
SELECT attname, attacl FROM pg_attribute WHERE attrelid = 't'::regclass AND attacl IS NOT NULL ORDER BY 1;
GRANT INSERT ON sq TO pr_reader;
GRANT USAGE ON t TO pr_reader;
GRANT SELECT ON SEQUENCE t TO pr_reader;
GRANT DELETE (a) ON t TO pr_reader;
GRANT SELECT (nosuch) ON t TO pr_reader;
GRANT SELECT ON t TO pr_reader GRANTED BY pr_owner;

-- A new owner has and gives what the old one had and gave.
ALTER TABLE t OWNER TO postgres;
SELECT relacl, relowner::regrole FROM pg_class WHERE relname = 't';
SET ROLE pr_owner;
ALTER TABLE t ADD q int;
ALTER VIEW v OWNER TO pr_reader;
RESET ROLE;
ALTER TABLE t OWNER TO pr_owner;

-- Default privileges.
ALTER DEFAULT PRIVILEGES FOR ROLE pr_owner IN SCHEMA public GRANT SELECT ON TABLES TO pr_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE pr_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE pr_owner GRANT USAGE ON SEQUENCES TO pr_reader WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SCHEMAS TO pr_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA nosuch GRANT SELECT ON TABLES TO pr_reader;
SELECT defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, defaclacl FROM pg_default_acl ORDER BY 3;
SET ROLE pr_owner;
CREATE SEQUENCE defs;
CREATE TABLE def (i int);
CREATE FUNCTION deff() RETURNS int LANGUAGE sql AS 'SELECT 1';
RESET ROLE;
SELECT relname, relacl FROM pg_class WHERE relname LIKE 'def%' ORDER BY 1;
SELECT proacl FROM pg_proc WHERE proname = 'deff';
SET ROLE pr_reader;
SELECT i FROM def;
SELECT deff();
ALTER DEFAULT PRIVILEGES FOR ROLE pr_owner GRANT SELECT ON TABLES TO pr_writer;
RESET ROLE;
ALTER DEFAULT PRIVILEGES FOR ROLE pr_owner IN SCHEMA public REVOKE SELECT ON TABLES FROM pr_reader;
SELECT count(*) FROM pg_default_acl;

-- Admin options of memberships.
GRANT pr_group TO pr_writer WITH ADMIN OPTION;
SET ROLE pr_writer;
GRANT pr_group TO pr_reader;
REVOKE pr_group FROM pr_reader;
GRANT pr_owner TO pr_reader;
RESET ROLE;
GRANT pr_writer TO pr_group;
SELECT roleid::regrole, member::regrole, admin_option FROM pg_auth_members WHERE roleid = 'pr_group'::regrole ORDER BY member::regrole::text;

-- Dropping roles.
DROP ROLE pr_owner;
REASSIGN OWNED BY pr_owner TO pr_writer;
SELECT relname, relowner::regrole FROM pg_class WHERE relname IN ('t', 'v', 'sq', 'def') ORDER BY 1;
DROP OWNED BY pr_owner;
DROP ROLE pr_owner;
DROP OWNED BY pr_writer CASCADE;
SELECT relname FROM pg_class WHERE relname IN ('t', 'v', 'sq', 'def') ORDER BY 1;
DROP ROLE pr_reader;
DROP OWNED BY pr_reader, pr_member, pr_group, pr_noinherit;
DROP ROLE pr_reader, pr_writer, pr_group, pr_member, pr_noinherit;
DROP ROLE postgres;
