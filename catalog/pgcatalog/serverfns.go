package pgcatalog

import (
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// encodings are PostgreSQL's character sets by number.
var encodings = strings.Fields(`SQL_ASCII EUC_JP EUC_CN EUC_KR EUC_TW EUC_JIS_2004 UTF8 MULE_INTERNAL LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7
	LATIN8 LATIN9 LATIN10 WIN1256 WIN1258 WIN866 WIN874 KOI8R WIN1251 WIN1252 ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8 WIN1250 WIN1253 WIN1254 WIN1255
	WIN1257 KOI8U SJIS BIG5 GBK UHC GB18030 JOHAB SHIFT_JIS_2004`)

// serverFunctions tell about the server as a whole.
func serverFunctions() []expr.Impl {
	b := &builder{}
	b.add("pg_encoding_to_char", func(_ env, a []datum) (datum, error) {
		if n := a[0].Int(); n >= 0 && n < int64(len(encodings)) {
			return text(encodings[n]), nil
		}
		return text(""), nil
	})
	b.add("pg_char_to_encoding", func(_ env, a []datum) (datum, error) {
		plain := strings.NewReplacer("-", "", "_", "")
		name := plain.Replace(strings.ToUpper(a[0].Str()))
		if name == "UNICODE" {
			name = "UTF8"
		}
		for i, e := range encodings {
			if plain.Replace(e) == name {
				return num(i), nil
			}
		}
		return num(-1), nil
	})
	b.add("pg_encoding_max_length", func(_ env, a []datum) (datum, error) {
		switch a[0].Int() {
		case 6:
			return num(4), nil
		case 0:
			return num(1), nil
		}
		return types.Null, nil
	})
	b.add("pg_tablespace_location", func(_ env, _ []datum) (datum, error) { return text(""), nil })
	b.constant(types.False, "pg_is_wal_replay_paused", "pg_jit_available", "pg_relation_is_publishable")
	b.add("pg_relation_is_updatable", scoped(func(c scope, a []datum) (datum, error) {
		if r := c.s.RelationByOID(oidOf(a[0])); r != nil {
			return num(c.s.Updatable(r, 0)), nil
		}
		return num(0), nil
	}))
	b.add("pg_column_is_updatable", scoped(func(c scope, a []datum) (datum, error) {
		r := c.s.RelationByOID(oidOf(a[0]))
		attnum := int16(a[1].Int())
		return types.Bool(r != nil && r.ByAttnum(attnum) != nil && c.s.Updatable(r, attnum)&20 == 20), nil
	}))
	b.add("pg_relation_filenode", scoped(func(c scope, a []datum) (datum, error) {
		o := oidOf(a[0])
		if r := c.s.RelationByOID(o); r != nil && (r.Kind == catalog.KindTable || r.Kind == catalog.KindSequence || r.Kind == catalog.KindMatView) {
			return oid(o), nil
		}
		if _, ok := c.s.IndexByOID(o); ok {
			return oid(o), nil
		}
		return types.Null, nil
	}))
	b.constant(types.Null, "pg_relation_filepath", "pg_current_logfile", "pg_last_xact_replay_timestamp", "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn",
		"pg_collation_actual_version", "pg_database_collation_actual_version")
	b.constant(types.Int(0), "pg_current_wal_lsn", "pg_current_wal_insert_lsn", "pg_current_wal_flush_lsn")
	b.constant(types.Float(0), "pg_notification_queue_usage")
	b.add("pg_safe_snapshot_blocking_pids", func(env, []datum) (datum, error) { return types.NewArray(types.Int4T, nil), nil })
	b.add("pg_blocking_pids", viewed(func(_ env, v *catalog.View, args []datum) (datum, error) {
		var pids []datum
		if v.Live != nil {
			for _, pid := range v.Live.BlockingPIDs(int32(args[0].Int())) {
				pids = append(pids, num(int(pid)))
			}
		}
		return types.NewArray(types.Int4T, pids), nil
	}))
	b.constant(types.True, "pg_reload_conf")
	// The oldest session is as old as the server is known to be.
	for _, name := range []string{"pg_postmaster_start_time", "pg_conf_load_time"} {
		b.add(name, viewed(func(_ env, v *catalog.View, _ []datum) (datum, error) {
			var first int64
			for _, a := range activities(v) {
				if a.BackendStart != 0 && (first == 0 || a.BackendStart < first) {
					first = a.BackendStart
				}
			}
			return timeOrNull(first), nil
		}))
	}
	return b.out
}
