#!/usr/bin/env bash
# Dumps what types/facts leaves out of the system catalogues: privileges, and the functions whose printed name alone does
# not tell which one is meant. One line a cell: table, row (oid, or attrelid.attnum), column, value.
# usage: dump.sh 'host=127.0.0.1 port=5632 user=postgres dbname=postgres'
set -euo pipefail
cd "$(dirname "$0")"
psql "$1" -Xq <<'SQL' > cells.tsv
CREATE TEMP TABLE ambiguous AS SELECT oid FROM pg_catalog.pg_proc p WHERE oid < 16384 AND EXISTS (SELECT FROM pg_catalog.pg_proc q WHERE q.proname = p.proname AND q.oid <> p.oid);
CREATE TEMP TABLE cells (tab text, key text, col text, val text);
INSERT INTO cells SELECT 'pg_class', oid::text, 'relacl', relacl::text FROM pg_catalog.pg_class WHERE oid < 16384 AND relacl IS NOT NULL AND relnamespace <> 99;
INSERT INTO cells SELECT 'pg_proc', oid::text, 'proacl', proacl::text FROM pg_catalog.pg_proc WHERE oid < 16384 AND proacl IS NOT NULL;
INSERT INTO cells SELECT 'pg_attribute', attrelid || '.' || attnum, 'attacl', attacl::text FROM pg_catalog.pg_attribute WHERE attrelid < 16384 AND attacl IS NOT NULL;
DO $$
DECLARE c record;
BEGIN
  FOR c IN SELECT attrelid::regclass AS tab, relname, attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class r ON r.oid = attrelid
           WHERE r.relnamespace = 11 AND r.relkind = 'r' AND atttypid = 'regproc'::regtype AND attname <> 'aggfnoid' LOOP
    EXECUTE format('INSERT INTO cells SELECT %L, %s, %L, %I::oid::text FROM %s WHERE %I::oid IN (SELECT oid FROM ambiguous)',
      c.relname, CASE c.relname WHEN 'pg_aggregate' THEN 'aggfnoid::oid::text' WHEN 'pg_range' THEN 'rngtypid::text' ELSE 'oid::text' END, c.attname, c.attname, c.tab, c.attname);
  END LOOP;
END $$;
COPY (SELECT * FROM cells ORDER BY tab, key, col) TO STDOUT;
SQL
