package fn

import (
	"math"
	"time"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

type evalFn = expr.EvalFunc

// session returns the session of an evaluation, or an error where there is none (constant folding, tools).
func session(env *expr.Env) (expr.Session, error) {
	if env.Session == nil {
		return nil, pgerr.Unsupported("session functions outside of a session")
	}
	return env.Session, nil
}

// ofSession is a function without arguments over the session.
func ofSession(f func(s expr.Session) (datum, error)) evalFn {
	return func(env *expr.Env, _ []datum) (datum, error) {
		s, err := session(env)
		if err != nil {
			return types.Null, err
		}
		return f(s)
	}
}

func userName(s expr.Session) (datum, error) { return types.Str(s.User()), nil }

func address(f func(expr.Session) (string, int), port bool) evalFn {
	return ofSession(func(s expr.Session) (datum, error) {
		a, p := f(s)
		if a == "" {
			return types.Null, nil
		}
		if port {
			return types.Int(int64(p)), nil
		}
		return types.Input(types.DefaultIO(), types.InetT, -1, a)
	})
}

func currentSetting(env *expr.Env, args []datum) (datum, error) {
	s, err := session(env)
	if err != nil {
		return types.Null, err
	}
	v, ok, err := s.Setting(args[0].Str(), len(args) == 2 && args[1].Bool())
	if err != nil || !ok {
		return types.Null, err
	}
	return types.Str(v), nil
}

func setConfig(env *expr.Env, args []datum) (datum, error) {
	if args[0].IsNull() {
		return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "SET requires parameter name")
	}
	s, err := session(env)
	if err != nil {
		return types.Null, err
	}
	name := args[0].Str()
	if args[1].IsNull() {
		err = s.ResetSetting(name, args[2].Bool())
	} else {
		err = s.SetSetting(name, args[1].Str(), args[2].Bool())
	}
	if err != nil {
		return types.Null, err
	}
	v, _, err := s.Setting(name, false)
	return types.Str(v), err
}

// currentSchemas is the search path as it is in effect: schemas that exist.
func currentSchemas(env *expr.Env, args []datum) (datum, error) {
	if env.View == nil {
		return types.Null, pgerr.Unsupported("the search path outside of a session")
	}
	implicit := args[0].Bool()
	var names []datum
	for i, n := range env.View.SearchPath {
		// pg_catalog and the temporary schema come first when the path does not name them.
		if !implicit && (n == "pg_catalog" && i == 0 || n == "pg_temp") || !schemaExists(env, n) {
			continue
		}
		names = append(names, types.Str(n))
	}
	return types.NewArray(types.NameT, names), nil
}

func schemaExists(env *expr.Env, name string) bool {
	return name == "pg_catalog" || name == "information_schema" ||
		env.View.Snapshot != nil && env.View.Snapshot.SchemaByName(name) != nil
}

func currentSchema(env *expr.Env, _ []datum) (datum, error) {
	d, err := currentSchemas(env, []datum{types.False})
	if err != nil || len(d.Array().Vals) == 0 {
		return types.Null, err
	}
	return d.Array().Vals[0], nil
}

func currentDatabase(env *expr.Env, _ []datum) (datum, error) {
	if env.View == nil || env.View.Snapshot == nil {
		return types.Null, pgerr.Unsupported("current_database() outside of a session")
	}
	return types.Str(env.View.Snapshot.Database), nil
}

func sequence(f func(env *expr.Env, s expr.Session, args []datum) (int64, error)) evalFn {
	return func(env *expr.Env, args []datum) (datum, error) {
		s, err := session(env)
		if err != nil {
			return types.Null, err
		}
		n, err := f(env, s, args)
		return types.Int(n), err
	}
}

// advisory makes one of the advisory lock functions.
func advisory(try, shared, xact bool) evalFn {
	return func(env *expr.Env, args []datum) (datum, error) {
		s, err := session(env)
		if err != nil {
			return types.Null, err
		}
		k := advisoryKey(args)
		k.Shared, k.Xact = shared, xact
		ok, err := s.AdvisoryLock(env.Ctx, k, try)
		if err != nil {
			return types.Null, err
		}
		if try {
			return types.Bool(ok), nil
		}
		return types.Str(""), nil
	}
}

func advisoryKey(args []datum) expr.AdvisoryKey {
	if len(args) == 2 {
		return expr.AdvisoryKey{Class: uint32(args[0].Int()), Obj: uint32(args[1].Int()), Two: true}
	}
	n := uint64(args[0].Int())
	return expr.AdvisoryKey{Class: uint32(n >> 32), Obj: uint32(n)}
}

func unlock(shared bool) evalFn {
	return func(env *expr.Env, args []datum) (datum, error) {
		s, err := session(env)
		if err != nil {
			return types.Null, err
		}
		k := advisoryKey(args)
		k.Shared = shared
		return types.Bool(s.AdvisoryUnlock(k)), nil
	}
}

func sleep(env *expr.Env, seconds float64) (datum, error) {
	if seconds <= 0 || math.IsNaN(seconds) {
		return types.Str(""), nil
	}
	timer := time.NewTimer(time.Duration(min(seconds, 1e9) * float64(time.Second)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return types.Str(""), nil
	case <-env.Ctx.Done():
		return types.Null, env.Ctx.Err()
	}
}

// transactionID gives the number of the transaction, or NULL when it has none and need not get one.
func transactionID(assign bool) evalFn {
	return ofSession(func(s expr.Session) (datum, error) {
		id := s.TransactionID(assign)
		if id == 0 {
			return types.Null, nil
		}
		return types.Int(id), nil
	})
}

func setSeed(env *expr.Env, args []datum) (datum, error) {
	f := args[0].Float()
	if math.IsNaN(f) || f < -1 || f > 1 {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "setseed parameter %s is out of allowed range [-1,1]",
			string(types.Output(env.IO, types.Float8T, nil, args[0])))
	}
	s, err := session(env)
	if err != nil {
		return types.Null, err
	}
	s.SetSeed(f)
	return types.Str(""), nil
}

func notify(env *expr.Env, args []datum) (datum, error) {
	s, err := session(env)
	if err != nil {
		return types.Null, err
	}
	return types.Str(""), s.Notify(args[0].Str(), args[1].Str())
}

// signal is pg_cancel_backend or pg_terminate_backend.
func signal(f func(expr.Session, int32) bool) evalFn {
	return func(env *expr.Env, args []datum) (datum, error) {
		s, err := session(env)
		if err != nil {
			return types.Null, err
		}
		pid := int32(args[0].Int())
		if f(s, pid) {
			return types.True, env.Ctx.Err() // it may have been this session
		}
		s.Notice(pgerr.New(pgerr.Warning, "PID %d is not a PostgreSQL server process", pid).WithSeverity("WARNING"))
		return types.False, nil
	}
}

// sessionImpls are what functions ask and change of the session.
func sessionImpls() []expr.Impl {
	setting := func(name string) evalFn {
		return ofSession(func(s expr.Session) (datum, error) {
			v, _, err := s.Setting(name, true)
			return types.Str(v), err
		})
	}
	return []expr.Impl{
		{OID: 89, Name: "version", Eval: ofSession(func(s expr.Session) (datum, error) {
			v, _, err := s.Setting("server_version", true)
			return types.Str("PostgreSQL " + v + " on MongoDB"), err
		})},
		{OID: 745, Name: "current_user", Eval: ofSession(userName)},
		{OID: 710, Name: "getpgusername", Eval: ofSession(userName)},
		{OID: 746, Name: "session_user", Eval: ofSession(func(s expr.Session) (datum, error) { return types.Str(s.SessionUser()), nil })},
		{OID: 861, Name: "current_database", Eval: currentDatabase},
		{OID: 1402, Name: "current_schema", Eval: currentSchema},
		{OID: 1403, Name: "current_schemas", Eval: currentSchemas},
		{OID: 810, Name: "pg_client_encoding", Eval: setting("client_encoding")},
		{OID: 1039, Name: "getdatabaseencoding", Eval: setting("server_encoding")},
		{OID: 2077, Name: "current_setting", Eval: currentSetting},
		{OID: 3294, Name: "current_setting", Eval: currentSetting},
		{OID: 2078, Name: "set_config", Eval: setConfig},
		{OID: 2026, Name: "pg_backend_pid", Eval: ofSession(func(s expr.Session) (datum, error) { return types.Int(int64(s.BackendPID())), nil })},
		{OID: 2196, Name: "inet_client_addr", Eval: address(expr.Session.ClientAddr, false)},
		{OID: 2197, Name: "inet_client_port", Eval: address(expr.Session.ClientAddr, true)},
		{OID: 2198, Name: "inet_server_addr", Eval: address(expr.Session.ServerAddr, false)},
		{OID: 2199, Name: "inet_server_port", Eval: address(expr.Session.ServerAddr, true)},
		{OID: 2171, Name: "pg_cancel_backend", Eval: signal(expr.Session.Cancel)},
		{OID: 2096, Name: "pg_terminate_backend", Eval: signal(expr.Session.Terminate)},
		{OID: 3036, Name: "pg_notify", Eval: notify},
		{OID: 1598, Name: "random", Eval: ofSession(func(s expr.Session) (datum, error) { return types.Float(s.Random()), nil })},
		{OID: 1599, Name: "setseed", Eval: setSeed},
		{OID: 2626, Name: "pg_sleep", Eval: func(env *expr.Env, args []datum) (datum, error) { return sleep(env, args[0].Float()) }},
		{OID: 3935, Name: "pg_sleep_for", Eval: func(env *expr.Env, args []datum) (datum, error) {
			v := args[0].Interval()
			return sleep(env, float64(v.Micros)/1e6+86400*(float64(v.Days)+30*float64(v.Months)))
		}},
		{OID: 3936, Name: "pg_sleep_until", Eval: func(env *expr.Env, args []datum) (datum, error) {
			return sleep(env, float64(args[0].Int()-types.TimestampFromTime(time.Now()))/1e6)
		}},
		{OID: 2943, Name: "txid_current", Eval: transactionID(true)},
		{OID: 3348, Name: "txid_current_if_assigned", Eval: transactionID(false)},
		{OID: 5059, Name: "pg_current_xact_id", Eval: transactionID(true)},
		{OID: 5060, Name: "pg_current_xact_id_if_assigned", Eval: transactionID(false)},
	}
}

// sequenceImpls are nextval and its kin.
func sequenceImpls() []expr.Impl {
	set := func(env *expr.Env, s expr.Session, args []datum) (int64, error) {
		called := len(args) == 2 || args[2].Bool()
		return args[1].Int(), s.SetVal(env.Ctx, uint32(args[0].Int()), args[1].Int(), called)
	}
	return []expr.Impl{
		{OID: 1574, Name: "nextval", Eval: sequence(func(env *expr.Env, s expr.Session, args []datum) (int64, error) {
			return s.NextVal(env.Ctx, uint32(args[0].Int()))
		})},
		{OID: 1575, Name: "currval", Eval: sequence(func(_ *expr.Env, s expr.Session, args []datum) (int64, error) {
			return s.CurrVal(uint32(args[0].Int()))
		})},
		{OID: 2559, Name: "lastval", Eval: sequence(func(_ *expr.Env, s expr.Session, _ []datum) (int64, error) { return s.LastVal() })},
		{OID: 1576, Name: "setval", Eval: sequence(set)},
		{OID: 1765, Name: "setval", Eval: sequence(set)},
	}
}

// advisoryImpls are the advisory lock functions.
func advisoryImpls() []expr.Impl {
	var out []expr.Impl
	for _, f := range []struct {
		one, two          uint32
		name              string
		try, shared, xact bool
	}{
		{2880, 2886, "pg_advisory_lock", false, false, false},
		{2881, 2887, "pg_advisory_lock_shared", false, true, false},
		{2882, 2888, "pg_try_advisory_lock", true, false, false},
		{2883, 2889, "pg_try_advisory_lock_shared", true, true, false},
		{3089, 3093, "pg_advisory_xact_lock", false, false, true},
		{3090, 3094, "pg_advisory_xact_lock_shared", false, true, true},
		{3091, 3095, "pg_try_advisory_xact_lock", true, false, true},
		{3092, 3096, "pg_try_advisory_xact_lock_shared", true, true, true},
	} {
		eval := advisory(f.try, f.shared, f.xact)
		out = append(out, expr.Impl{OID: f.one, Name: f.name, Eval: eval}, expr.Impl{OID: f.two, Name: f.name, Eval: eval})
	}
	return append(out,
		expr.Impl{OID: 2884, Name: "pg_advisory_unlock", Eval: unlock(false)}, expr.Impl{OID: 2890, Name: "pg_advisory_unlock", Eval: unlock(false)},
		expr.Impl{OID: 2885, Name: "pg_advisory_unlock_shared", Eval: unlock(true)}, expr.Impl{OID: 2891, Name: "pg_advisory_unlock_shared", Eval: unlock(true)},
		expr.Impl{OID: 2892, Name: "pg_advisory_unlock_all", Eval: ofSession(func(s expr.Session) (datum, error) {
			s.AdvisoryUnlockAll()
			return types.Str(""), nil
		})},
	)
}
