package pgcatalog

import (
	"fmt"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// asked adapts a function over the session.
func asked(f func(e env, s expr.Session, a []datum) (datum, error)) expr.EvalFunc {
	return func(e env, a []datum) (datum, error) {
		if e == nil || e.Session == nil {
			return types.Null, pgerr.Unsupported("asking for the session here")
		}
		return f(e, e.Session, a)
	}
}

// tempSchema is the session's temporary schema if the effective search path has one.
func tempSchema(v *catalog.View) string {
	for _, p := range v.SearchPath {
		if catalog.IsTemp(p) {
			return p
		}
	}
	return ""
}

// sessionFunctions tell the session's state as catalogue queries ask for it.
func sessionFunctions() []expr.Impl {
	b := &builder{}
	for _, name := range []string{"txid_current_snapshot", "pg_current_snapshot"} {
		b.add(name, asked(func(_ env, s expr.Session, _ []datum) (datum, error) {
			n := max(s.TransactionID(false), 3)
			return text(fmt.Sprintf("%d:%d:", n, n)), nil
		}))
	}
	b.add("pg_trigger_depth", asked(func(_ env, s expr.Session, _ []datum) (datum, error) { return num(s.TriggerDepth()), nil }))
	b.add("pg_my_temp_schema", viewed(func(_ env, v *catalog.View, _ []datum) (datum, error) {
		if s := v.Snapshot.SchemaByName(tempSchema(v)); s != nil {
			return oid(s.OID), nil
		}
		return num(0), nil
	}))
	b.add("pg_is_other_temp_schema", viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
		s := v.Snapshot.SchemaByOID(oidOf(a[0]))
		return types.Bool(s != nil && catalog.IsTemp(s.Name) && s.Name != tempSchema(v)), nil
	}))
	return b.out
}
