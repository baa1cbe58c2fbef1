package pgcatalog

import (
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
)

// listFunctions are the set-returning functions behind the system's views, and small tables.
func listFunctions() []expr.Impl {
	b := &builder{}
	rows := func(name string, f dynamicFunc, columns ...int) {
		b.set(name, func(e env, _ []datum, yield func(...datum) error) error {
			v, err := viewOf(e)
			if err != nil {
				return err
			}
			return f(e.Ctx, v, nil, func(row []datum) error {
				if columns == nil {
					return yield(row...)
				}
				out := make([]datum, len(columns))
				for i, c := range columns {
					out[i] = row[c]
				}
				return yield(out...)
			})
		})
	}
	rows("pg_show_all_settings", settingRows)
	rows("pg_timezone_names", timezoneRows)
	rows("pg_lock_status", lockRows)
	rows("pg_prepared_statement", preparedRows)
	rows("pg_cursor", cursorRows)
	rows("pg_available_extensions", availableRows, 0, 1, 3)
	rows("pg_available_extension_versions", availableVersionRows, 0, 1, 3, 4, 5, 6, 7, 8)
	for _, name := range []string{
		"pg_show_all_file_settings", "pg_hba_file_rules", "pg_prepared_xact", "pg_get_publication_tables", "pg_get_replication_slots",
		"pg_stat_get_wal_senders", "pg_stat_get_subscription", "pg_config",
	} {
		rows(name, noRows)
	}
	b.set("pg_get_keywords", func(_ env, _ []datum, yield func(...datum) error) error {
		for _, r := range facts.Load("pg_keywords").Rows {
			if err := yield(text(r[0]), text(r[1]), types.Bool(r[2] == "t"), text(r[3]), text(r[4])); err != nil {
				return err
			}
		}
		return nil
	})
	b.set("pg_timezone_abbrevs", func(_ env, _ []datum, yield func(...datum) error) error {
		for _, r := range facts.Load("pg_timezone_abbrevs").Rows {
			if err := yield(text(r[0]), parseOffset(r[1]), types.Bool(r[2] == "t")); err != nil {
				return err
			}
		}
		return nil
	})
	b.set("pg_options_to_table", func(_ env, a []datum, yield func(...datum) error) error {
		for _, o := range a[0].Array().Vals {
			name, value, ok := strings.Cut(o.Str(), "=")
			val := types.Null
			if ok {
				val = text(value)
			}
			if err := yield(text(name), val); err != nil {
				return err
			}
		}
		return nil
	})
	b.add("pg_sequence_parameters", scoped(func(c scope, a []datum) (datum, error) {
		r := c.s.RelationByOID(oidOf(a[0]))
		if r == nil || r.Sequence == nil {
			return types.Null, nil
		}
		q := r.Sequence
		return record([]*types.T{types.Int8T, types.Int8T, types.Int8T, types.Int8T, types.BoolT, types.Int8T, types.OidT},
			[]datum{types.Int(q.Start), types.Int(q.Min), types.Int(q.Max), types.Int(q.Increment), types.Bool(q.Cycle), types.Int(q.Cache), oid(sequenceType(q).OID)}), nil
	}))
	b.add("pg_sequence_last_value", viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
		r := v.Snapshot.RelationByOID(oidOf(a[0]))
		if r == nil || r.Sequence == nil || v.Live == nil {
			return types.Null, nil
		}
		last, called, err := v.Live.SequenceState(e.Ctx, r)
		if err != nil || !called {
			return types.Null, err
		}
		return types.Int(last), nil
	}))
	return append(b.out, partitionFunctions()...)
}

// statFunctions are the counters behind the statistics views. MongoDB counts documents; the others are zero.
func statFunctions() []expr.Impl {
	b := &builder{}
	b.add("pg_stat_get_live_tuples", viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
		r := v.Snapshot.RelationByOID(oidOf(a[0]))
		if r == nil || isSystem(r) || v.Live == nil || r.Kind != catalog.KindTable && r.Kind != catalog.KindMatView {
			return types.Int(0), nil
		}
		n, _, _, err := v.Live.CollectionStats(e.Ctx, r)
		return types.Int(n), err
	}))
	done := map[string]bool{"pg_stat_get_live_tuples": true}
	for name, list := range procFacts().byName {
		if !strings.HasPrefix(name, "pg_stat_get_") || done[name] {
			continue
		}
		p := list[0]
		if len(list) != 1 || p.modes != nil || p.retSet || len(p.args) > 1 || strings.HasPrefix(name, "pg_stat_get_backend_") {
			continue
		}
		switch p.ret {
		case types.Int8T, types.Int4T:
			b.constant(types.Int(0), name)
		case types.Float8T:
			b.constant(types.Float(0), name)
		case types.TimestampTZT:
			b.constant(types.Null, name)
		}
	}
	b.constant(text(""), "pg_stat_clear_snapshot")
	return b.out
}
