#!/usr/bin/env bash
# Dumps the objects of PostgreSQL 15's extensions (facts: names, signatures, operators, casts, classes) into ext_*.tsv.
# usage: extensions.sh 'host=127.0.0.1 port=5632 user=postgres dbname=EMPTY'    (EMPTY: a database made for this, which is changed)
# An object's OID here is 2000000000 + 1000 * the place of its extension in the list + its own place: the list may only grow at its end,
# since stored schemas hold these OIDs.
set -euo pipefail
cd "$(dirname "$0")"
conn="$1"
list='btree_gin btree_gist citext cube fuzzystrmatch hstore intarray ltree pg_trgm pgcrypto unaccent uuid-ossp bloom'
sql() { psql "$conn" -XqAt -v ON_ERROR_STOP=1 -c "$1"; }
for e in $list; do sql "CREATE EXTENSION IF NOT EXISTS \"$e\""; done
sql "DROP TABLE IF EXISTS public.moved; CREATE TABLE public.moved AS
  SELECT e.extname, d.classid, d.objid AS old,
    (2000000000 + 1000 * (array_position(string_to_array('$list', ' '), e.extname::text) - 1)
     + row_number() OVER (PARTITION BY e.extname ORDER BY d.classid, pg_describe_object(d.classid, d.objid, 0)))::bigint::oid AS new
  FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
  WHERE d.deptype = 'e' AND e.extname = ANY (string_to_array('$list', ' '));
INSERT INTO public.moved SELECT m.extname, m.classid, t.typarray, (m.new::bigint + 500)::oid FROM public.moved m JOIN pg_type t ON t.oid = m.old
  WHERE m.classid = 'pg_type'::regclass AND t.typarray <> 0;
CREATE OR REPLACE FUNCTION public.mv(c regclass, o oid) RETURNS oid LANGUAGE sql STABLE AS 'SELECT coalesce((SELECT new FROM public.moved WHERE classid = c AND old = o), o)';
CREATE OR REPLACE FUNCTION public.mvs(o oid[]) RETURNS text LANGUAGE sql STABLE AS 'SELECT array_agg(public.mv(''pg_type'', x) ORDER BY i)::text FROM unnest(o) WITH ORDINALITY u(x, i)'"
dump() { # FILE QUERY
  psql "$conn" -Xqc "COPY ($2) TO STDOUT WITH (FORMAT text, HEADER true)" > "ext_$1.tsv"
}
dump extension "SELECT x.extname AS name, x.extversion AS version, v.comment, v.relocatable, v.requires FROM pg_extension x JOIN pg_available_extension_versions v ON (v.name, v.version) = (x.extname, x.extversion) WHERE x.extname = ANY (string_to_array('$list', ' ')) ORDER BY 1"
dump type "SELECT m.extname AS extension, m.new AS oid, typname, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, mv('pg_type', typelem) AS typelem, mv('pg_type', typarray) AS typarray, mv('pg_proc', typinput) AS typinput, mv('pg_proc', typoutput) AS typoutput, mv('pg_proc', typreceive) AS typreceive, mv('pg_proc', typsend) AS typsend, mv('pg_proc', typmodin) AS typmodin, mv('pg_proc', typmodout) AS typmodout, typalign, typstorage, typcollation FROM pg_type t JOIN moved m ON m.old = t.oid AND m.classid = 'pg_type'::regclass WHERE typelem = 0 ORDER BY 2"
dump proc "SELECT m.extname AS extension, m.new AS oid, proname, procost, prorows, mv('pg_type', provariadic) AS provariadic, prokind, proisstrict, proretset, provolatile, proparallel, mv('pg_type', prorettype) AS prorettype, mvs(proargtypes::oid[]) AS proargtypes, mvs(proallargtypes) AS proallargtypes, proargmodes, proargnames, pg_get_expr(proargdefaults, 0) AS proargdefaults FROM pg_proc p JOIN moved m ON m.old = p.oid AND m.classid = 'pg_proc'::regclass ORDER BY 2"
dump operator "SELECT m.extname AS extension, m.new AS oid, oprname, oprkind, oprcanmerge, oprcanhash, mv('pg_type', oprleft) AS oprleft, mv('pg_type', oprright) AS oprright, mv('pg_type', oprresult) AS oprresult, mv('pg_operator', oprcom) AS oprcom, mv('pg_operator', oprnegate) AS oprnegate, mv('pg_proc', oprcode) AS oprcode FROM pg_operator o JOIN moved m ON m.old = o.oid AND m.classid = 'pg_operator'::regclass ORDER BY 2"
dump cast "SELECT m.extname AS extension, m.new AS oid, mv('pg_type', castsource) AS castsource, mv('pg_type', casttarget) AS casttarget, mv('pg_proc', castfunc) AS castfunc, castcontext, castmethod FROM pg_cast c JOIN moved m ON m.old = c.oid AND m.classid = 'pg_cast'::regclass ORDER BY 2"
dump opclass "SELECT m.extname AS extension, m.new AS oid, a.amname AS method, mv('pg_am', opcmethod) AS opcmethod, opcname, mv('pg_opfamily', opcfamily) AS opcfamily, mv('pg_type', opcintype) AS opcintype, opcdefault, mv('pg_type', opckeytype) AS opckeytype FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod JOIN moved m ON m.old = c.oid AND m.classid = 'pg_opclass'::regclass ORDER BY 2"
dump opfamily "SELECT m.extname AS extension, m.new AS oid, mv('pg_am', opfmethod) AS opfmethod, opfname FROM pg_opfamily c JOIN moved m ON m.old = c.oid AND m.classid = 'pg_opfamily'::regclass ORDER BY 2"
dump am "SELECT m.extname AS extension, m.new AS oid, amname, amtype FROM pg_am a JOIN moved m ON m.old = a.oid AND m.classid = 'pg_am'::regclass ORDER BY 2"
dump unaccent "SELECT * FROM (SELECT n, unaccent(chr(n)) AS plain FROM generate_series(1, 1114111) n WHERE n NOT BETWEEN 55296 AND 57343) x WHERE plain <> chr(n) ORDER BY n"
dump amop "SELECT m.extname AS extension, m.new AS amopfamily, mv('pg_type', amoplefttype) AS amoplefttype, mv('pg_type', amoprighttype) AS amoprighttype, amopstrategy, amoppurpose, mv('pg_operator', amopopr) AS amopopr, mv('pg_am', amopmethod) AS amopmethod FROM pg_amop o JOIN moved m ON m.old = o.amopfamily AND m.classid = 'pg_opfamily'::regclass ORDER BY 2, 3, 4, 5"
