#!/usr/bin/env bash
# Asks a real PostgreSQL 15 for the result of every expression in expressions.sql (one a line, -- starts a comment) and
# writes expressions.tsv: the expression, its output text ("NULL") and its type, or "ERROR code: message".
# usage: dump.sh 'host=127.0.0.1 port=5632 user=postgres dbname=postgres' [name]
# The name is that of the .sql and .tsv files, "expressions" if it is left out.
set -euo pipefail
cd "$(dirname "$0")"
name=${2:-expressions}
{
  cat <<'SQL'
\set QUIET on
SET TimeZone = 'UTC';
SET client_min_messages = error;
CREATE FUNCTION pg_temp.ask(e text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n boolean; r text; t text;
BEGIN
  EXECUTE 'SELECT x IS NULL AND num_nulls(x) = 1, format(''%s'', x), pg_typeof(x) FROM (SELECT ' || e || ' OFFSET 0) q(x)' INTO n, r, t;
  r := replace(replace(replace(r, '\', '\\'), E'\n', '\n'), E'\t', '\t');
  RETURN CASE WHEN n THEN 'NULL' ELSE r END || E'\t' || t;
EXCEPTION WHEN OTHERS THEN
  RETURN 'ERROR ' || SQLSTATE || ': ' || replace(replace(replace(SQLERRM, '\', '\\'), E'\n', '\n'), E'\t', '\t');
END $$;
SQL
  grep -v '^--' "$name.sql" | grep -v '^$' | while IFS= read -r e; do
    # shellcheck disable=SC2016 # dollar quotes of SQL
    printf 'SELECT $q$%s$q$ || E%s || pg_temp.ask($q$%s$q$);\n' "$e" "'\\t'" "$e"
  done
} | psql "$1" -XqAt > "$name.tsv"
