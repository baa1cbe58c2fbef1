package pgcatalog

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// session returns what functions may ask of the session.
func session(e env) (expr.Session, error) {
	if e == nil || e.Session == nil {
		return nil, pgerr.Unsupported("asking for the session here")
	}
	return e.Session, nil
}

// asked adapts a function over the session.
func asked(f func(e env, s expr.Session, a []datum) (datum, error)) expr.EvalFunc {
	return func(e env, a []datum) (datum, error) {
		s, err := session(e)
		if err != nil {
			return types.Null, err
		}
		return f(e, s, a)
	}
}

// sessionFunctions tell and change the state of the session.
func sessionFunctions() []expr.Impl {
	b := &builder{}
	b.add("current_user", asked(func(_ env, s expr.Session, _ []datum) (datum, error) { return text(s.User()), nil }))
	b.add("session_user", asked(func(_ env, s expr.Session, _ []datum) (datum, error) { return text(s.SessionUser()), nil }))
	b.add("current_database", scoped(func(c scope, _ []datum) (datum, error) { return text(c.s.Database), nil }))
	b.add("current_schema", viewed(func(e env, v *catalog.View, _ []datum) (datum, error) {
		names, err := searchPath(e, v)
		if err != nil {
			return types.Null, err
		}
		return textOrNull(v.Snapshot.CreationSchema(names, v.User, tempSchema(v))), nil
	}))
	b.add("current_schemas", viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
		path := v.SearchPath
		if !a[0].Bool() {
			names, err := searchPath(e, v)
			if err != nil {
				return types.Null, err
			}
			path = nil
			for _, n := range names {
				if s := v.Snapshot.CreationSchema([]string{n}, v.User, tempSchema(v)); s != "" {
					path = append(path, s)
				}
			}
		}
		return types.NewArray(types.NameT, texts(path)), nil
	}))
	b.add("current_setting", asked(func(_ env, s expr.Session, a []datum) (datum, error) {
		v, ok, err := s.Setting(a[0].Str(), len(a) == 2 && a[1].Bool())
		if err != nil || !ok {
			return types.Null, err
		}
		return text(v), nil
	}))
	b.add("set_config", asked(func(_ env, s expr.Session, a []datum) (datum, error) {
		if a[0].IsNull() {
			return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "SET requires parameter name")
		}
		if err := s.SetSetting(a[0].Str(), a[1].Str(), !a[2].IsNull() && a[2].Bool()); err != nil {
			return types.Null, err
		}
		v, _, err := s.Setting(a[0].Str(), true)
		return text(v), err
	}))
	sequenceFunctions(b)
	b.add("pg_backend_pid", asked(func(_ env, s expr.Session, _ []datum) (datum, error) { return num(int(s.BackendPID())), nil }))
	b.add("pg_cancel_backend", asked(func(_ env, s expr.Session, a []datum) (datum, error) {
		return types.Bool(s.Cancel(int32(a[0].Int()))), nil
	}))
	b.add("pg_terminate_backend", asked(func(_ env, s expr.Session, a []datum) (datum, error) {
		return types.Bool(s.Terminate(int32(a[0].Int()))), nil
	}))
	b.add("pg_notify", asked(func(_ env, s expr.Session, a []datum) (datum, error) {
		if a[0].IsNull() || a[0].Str() == "" {
			return types.Null, pgerr.New(pgerr.InvalidParameterValue, "channel name cannot be empty")
		}
		return text(""), s.Notify(a[0].Str(), a[1].Str())
	}))
	transactionFunctions(b)
	addressFunctions(b)
	return b.out
}

// searchPath is the setting's list of names, as written.
func searchPath(e env, v *catalog.View) ([]string, error) {
	if e.Session == nil {
		return v.SearchPath, nil
	}
	s, _, err := e.Session.Setting("search_path", false)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, part := range strings.Split(s, ",") {
		part = strings.TrimSpace(part)
		if n, err := splitName(part); err == nil && len(n) == 1 {
			part = n[0]
		}
		if part != "" && part != `""` {
			names = append(names, part)
		}
	}
	return names, nil
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

func sequenceFunctions(b *builder) {
	sequence := func(c scope, o uint32) (*catalog.Relation, error) {
		r := c.s.RelationByOID(o)
		if r == nil {
			return nil, pgerr.Internal("could not open relation with OID %d", o)
		}
		if r.Kind != catalog.KindSequence {
			return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a sequence", r.Name)
		}
		return r, nil
	}
	on := func(name string, f func(e env, s expr.Session, seq *catalog.Relation, a []datum) (datum, error)) {
		b.add(name, viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
			s, err := session(e)
			if err != nil {
				return types.Null, err
			}
			r, err := sequence(scopeOf(v), oidOf(a[0]))
			if err != nil {
				return types.Null, err
			}
			return f(e, s, r, a)
		}))
	}
	on("nextval", func(e env, s expr.Session, seq *catalog.Relation, _ []datum) (datum, error) {
		n, err := s.NextVal(e.Ctx, seq.OID)
		return types.Int(n), err
	})
	on("currval", func(_ env, s expr.Session, seq *catalog.Relation, _ []datum) (datum, error) {
		n, err := s.CurrVal(seq.OID)
		return types.Int(n), err
	})
	on("setval", func(e env, s expr.Session, seq *catalog.Relation, a []datum) (datum, error) {
		n := a[1].Int()
		if q := seq.Sequence; n < q.Min || n > q.Max {
			return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "setval: value %d is out of bounds for sequence \"%s\" (%d..%d)", n, seq.Name, q.Min, q.Max)
		}
		return a[1], s.SetVal(e.Ctx, seq.OID, n, len(a) < 3 || a[2].Bool())
	})
	b.add("lastval", asked(func(_ env, s expr.Session, _ []datum) (datum, error) {
		n, err := s.LastVal()
		return types.Int(n), err
	}))
}

func transactionFunctions(b *builder) {
	for _, name := range []string{"txid_current", "pg_current_xact_id"} {
		b.add(name, asked(func(_ env, s expr.Session, _ []datum) (datum, error) { return types.Int(s.TransactionID(true)), nil }))
	}
	for _, name := range []string{"txid_current_if_assigned", "pg_current_xact_id_if_assigned"} {
		b.add(name, asked(func(_ env, s expr.Session, _ []datum) (datum, error) {
			if n := s.TransactionID(false); n != 0 {
				return types.Int(n), nil
			}
			return types.Null, nil
		}))
	}
	for _, name := range []string{"txid_current_snapshot", "pg_current_snapshot"} {
		b.add(name, asked(func(_ env, s expr.Session, _ []datum) (datum, error) {
			n := max(s.TransactionID(false), 3)
			return text(fmt.Sprintf("%d:%d:", n, n)), nil
		}))
	}
	b.constant(num(0), "pg_trigger_depth", "pg_my_temp_schema")
	b.add("pg_is_other_temp_schema", viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
		s := v.Snapshot.SchemaByOID(oidOf(a[0]))
		return types.Bool(s != nil && catalog.IsTemp(s.Name) && s.Name != tempSchema(v)), nil
	}))
}

func addressFunctions(b *builder) {
	address := func(f func(s expr.Session) (string, int), port bool) expr.EvalFunc {
		return asked(func(_ env, s expr.Session, _ []datum) (datum, error) {
			host, p := f(s)
			a, err := netip.ParseAddr(host)
			if err != nil {
				return types.Null, nil // a Unix socket has no address
			}
			if port {
				return num(p), nil
			}
			return types.Ref(&types.Inet{Prefix: netip.PrefixFrom(a, a.BitLen())}), nil
		})
	}
	b.add("inet_client_addr", address(expr.Session.ClientAddr, false))
	b.add("inet_client_port", address(expr.Session.ClientAddr, true))
	b.add("inet_server_addr", address(expr.Session.ServerAddr, false))
	b.add("inet_server_port", address(expr.Session.ServerAddr, true))
}

// lockFunctions are the advisory locks.
func lockFunctions() []expr.Impl {
	b := &builder{}
	key := func(a []datum, shared, xact bool) expr.AdvisoryKey {
		if len(a) == 2 {
			return expr.AdvisoryKey{Class: uint32(a[0].Int()), Obj: uint32(a[1].Int()), Two: true, Shared: shared, Xact: xact}
		}
		n := uint64(a[0].Int())
		return expr.AdvisoryKey{Class: uint32(n >> 32), Obj: uint32(n), Shared: shared, Xact: xact}
	}
	for _, shared := range []bool{false, true} {
		suffix := ""
		if shared {
			suffix = "_shared"
		}
		for _, xact := range []bool{false, true} {
			scope := ""
			if xact {
				scope = "_xact"
			}
			b.add("pg_advisory"+scope+"_lock"+suffix, asked(func(e env, s expr.Session, a []datum) (datum, error) {
				_, err := s.AdvisoryLock(e.Ctx, key(a, shared, xact), false)
				return text(""), err
			}))
			b.add("pg_try_advisory"+scope+"_lock"+suffix, asked(func(e env, s expr.Session, a []datum) (datum, error) {
				ok, err := s.AdvisoryLock(e.Ctx, key(a, shared, xact), true)
				return types.Bool(ok), err
			}))
		}
		b.add("pg_advisory_unlock"+suffix, asked(func(_ env, s expr.Session, a []datum) (datum, error) {
			return types.Bool(s.AdvisoryUnlock(key(a, shared, false))), nil
		}))
	}
	b.add("pg_advisory_unlock_all", asked(func(_ env, s expr.Session, _ []datum) (datum, error) {
		s.AdvisoryUnlockAll()
		return text(""), nil
	}))
	sleep := func(e env, d time.Duration) (datum, error) {
		t := time.NewTimer(max(d, 0))
		defer t.Stop()
		select {
		case <-t.C:
			return text(""), nil
		case <-e.Ctx.Done():
			return types.Null, pgerr.From(e.Ctx.Err())
		}
	}
	b.add("pg_sleep", func(e env, a []datum) (datum, error) {
		return sleep(e, time.Duration(a[0].Float()*float64(time.Second)))
	})
	b.add("pg_sleep_for", func(e env, a []datum) (datum, error) {
		iv := a[0].Interval()
		days := int64(iv.Days) + 30*int64(iv.Months)
		return sleep(e, time.Duration(iv.Micros+days*86400e6)*time.Microsecond)
	})
	return b.out
}
