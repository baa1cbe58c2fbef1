#!/usr/bin/env bash
# Dumps the static system catalogues of a fresh PostgreSQL 15 database (facts: names, OIDs, signatures) into this folder.
# usage: dump.sh 'host=127.0.0.1 port=5632 user=postgres dbname=postgres'
# One file a catalogue, in COPY text format; its first line holds the column names.
set -euo pipefail
cd "$(dirname "$0")"
conn="$1"
dump() { # FILE QUERY
  psql "$conn" -Xqc "COPY ($2) TO STDOUT WITH (FORMAT text, HEADER true)" > "$1.tsv"
}
for t in pg_aggregate pg_am pg_amop pg_amproc pg_cast pg_collation pg_conversion pg_language pg_namespace pg_opclass pg_operator \
         pg_opfamily pg_range pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_tablespace; do
  case $t in
    pg_aggregate|pg_ts_config_map|pg_range) order=1 ;;
    *) order=oid ;;
  esac
  case $t in
    pg_collation) dump $t "SELECT * FROM pg_catalog.$t WHERE oid < 1000 OR collname = 'ucs_basic' OR collprovider = 'i' ORDER BY $order" ;;
    pg_namespace) dump $t "SELECT * FROM pg_catalog.$t WHERE nspname !~ '^pg_(temp|toast_temp)' ORDER BY $order" ;;
    *) dump $t "SELECT * FROM pg_catalog.$t ORDER BY $order" ;;
  esac
done
dump pg_proc "SELECT oid, proname, pronamespace, prolang, procost, prorows, provariadic, prosupport, prokind, prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel, pronargs, pronargdefaults, prorettype, proargtypes, proallargtypes, proargmodes, proargnames, pg_catalog.pg_get_expr(proargdefaults, 0) AS proargdefaults, protrftypes, prosrc, probin FROM pg_catalog.pg_proc WHERE oid < 16384 ORDER BY oid"
dump pg_type "SELECT oid, typname, typnamespace, typowner, typlen, typbyval, typtype, typcategory, typispreferred, typisdefined, typdelim, typrelid, typsubscript, typelem, typarray, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign, typstorage, typnotnull, typbasetype, typtypmod, typndims, typcollation, typdefault FROM pg_catalog.pg_type WHERE oid < 16384 ORDER BY oid"
dump pg_class "SELECT oid, relname, relnamespace, reltype, reloftype, relowner, relam, relisshared, relhasindex, relpersistence, relkind, relnatts, relchecks, relhasrules, relhastriggers, relreplident FROM pg_catalog.pg_class WHERE oid < 16384 AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema')) ORDER BY oid"
dump pg_attribute "SELECT attrelid, attname, atttypid, attlen, attnum, attndims, atttypmod, attbyval, attalign, attstorage, attnotnull, attcollation FROM pg_catalog.pg_attribute WHERE attrelid < 16384 AND attnum > 0 AND attrelid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'v', 'i') AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema'))) ORDER BY attrelid, attnum"
dump pg_index "SELECT indexrelid, indrelid, indnatts, indnkeyatts, indisunique, indisprimary, indkey, indcollation, indclass, indoption FROM pg_catalog.pg_index WHERE indexrelid < 16384 AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 11 AND relkind = 'r') ORDER BY indexrelid"
dump pg_constraint "SELECT oid, conname, connamespace, contype, conrelid, contypid, conindid, conkey FROM pg_catalog.pg_constraint WHERE oid < 16384 ORDER BY oid"
dump pg_description "SELECT objoid, classoid::regclass AS class, objsubid, description FROM pg_catalog.pg_description WHERE objoid < 16384 ORDER BY classoid, objoid, objsubid"
dump pg_settings "SELECT name, setting, unit, category, short_desc, extra_desc, context, vartype, source, min_val, max_val, enumvals, boot_val, reset_val FROM pg_catalog.pg_settings ORDER BY name"
dump pg_timezone_abbrevs "SELECT abbrev, utc_offset, is_dst FROM pg_catalog.pg_timezone_abbrevs ORDER BY abbrev"
dump pg_keywords "SELECT * FROM pg_catalog.pg_get_keywords() ORDER BY word"
dump sql_features "SELECT * FROM information_schema.sql_features ORDER BY feature_id, sub_feature_id"
dump sql_implementation_info "SELECT * FROM information_schema.sql_implementation_info ORDER BY implementation_info_id"
dump sql_parts "SELECT * FROM information_schema.sql_parts ORDER BY feature_id"
dump sql_sizing "SELECT * FROM information_schema.sql_sizing ORDER BY sizing_id"
(printf 'condition\tcode\n'; awk '!/^#/ && !/^Section/ && NF >= 4 && $2 != "S" {print $4 "\t" $1}' "$(pg_config --sharedir)/errcodes.txt") > plpgsql_conditions.tsv
