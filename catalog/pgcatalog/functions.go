package pgcatalog

import (
	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

type (
	datum = types.Datum
	env   = *expr.Env
)

// Functions returns the implementations of the functions that read the catalogues and the session, for expr.NewProcs.
func Functions() [][]expr.Impl {
	return [][]expr.Impl{
		nameFunctions(), definitionFunctions(), routineFunctions(), commentFunctions(), privilegeFunctions(), aclFunctions(), sizeFunctions(),
		indexFunctions(), objectFunctions(), listFunctions(), statFunctions(), schemaFunctions(), sessionFunctions(), serverFunctions(), searchFunctions(),
	}
}

// builder collects implementations by name: PostgreSQL's pg_proc knows the OIDs.
type builder struct{ out []expr.Impl }

// add implements every overload of a name that has as many arguments as one of the counts; with no counts, all of them.
func (b *builder) add(name string, eval expr.EvalFunc, counts ...int) {
	b.each(name, counts, func(p *procFact) expr.Impl { return expr.Impl{OID: p.oid, Name: name, Eval: eval} })
}

// set implements a set-returning function.
func (b *builder) set(name string, f expr.SetFunc, counts ...int) {
	b.each(name, counts, func(p *procFact) expr.Impl { return expr.Impl{OID: p.oid, Name: name, Set: f} })
}

// each makes an implementation for every overload of a name.
func (b *builder) each(name string, counts []int, make func(p *procFact) expr.Impl) {
	list := procFacts().byName[name]
	n := 0
	for _, p := range list {
		if len(counts) > 0 && !has(counts, len(p.args)) {
			continue
		}
		impl := make(p)
		impl.Why = "it reads the catalogue or the session"
		b.out = append(b.out, impl)
		n++
	}
	if n == 0 {
		panic("pgcatalog: no function " + name)
	}
}

func has(list []int, n int) bool {
	for _, x := range list {
		if x == n {
			return true
		}
	}
	return false
}

// constant implements functions that always give the same value.
func (b *builder) constant(d datum, names ...string) {
	for _, n := range names {
		b.add(n, func(env, []datum) (datum, error) { return d, nil })
	}
}

// scoped adapts a function over the statement's names.
func scoped(f func(c scope, a []datum) (datum, error)) expr.EvalFunc {
	return func(e env, a []datum) (datum, error) {
		v, err := viewOf(e)
		if err != nil {
			return types.Null, err
		}
		return f(scope{v.Snapshot, v.SearchPath}, a)
	}
}

// viewed adapts a function over the catalogue and the live state.
func viewed(f func(e env, v *catalog.View, a []datum) (datum, error)) expr.EvalFunc {
	return func(e env, a []datum) (datum, error) {
		v, err := viewOf(e)
		if err != nil {
			return types.Null, err
		}
		return f(e, v, a)
	}
}

func viewOf(e env) (*catalog.View, error) {
	if e == nil || e.View == nil || e.View.Snapshot == nil {
		return nil, pgerr.Unsupported("reading the catalogue here")
	}
	return e.View, nil
}

func scopeOf(v *catalog.View) scope { return scope{v.Snapshot, v.SearchPath} }

func oidOf(d datum) uint32 { return uint32(d.Int()) }

// record makes a composite value of a function with OUT arguments.
func record(ts []*types.T, vals []datum) datum {
	return types.Ref(&types.Record{Types: ts, Vals: vals})
}

// nameFunctions turn OIDs into names and back, and tell which names the search path finds.
func nameFunctions() []expr.Impl {
	b := &builder{}
	b.add("format_type", scoped(func(c scope, a []datum) (datum, error) {
		if a[0].IsNull() {
			return types.Null, nil
		}
		o := oidOf(a[0])
		if o == 0 {
			return text("-"), nil
		}
		t := c.s.TypeByOID(o)
		if t == nil {
			return text("???"), nil
		}
		if a[1].IsNull() {
			return text(c.typeName(t, -1)), nil
		}
		return text(c.typeNameWith(t, int32(a[1].Int()))), nil
	}))
	for _, kind := range []string{"regclass", "regcollation", "regnamespace", "regoper", "regoperator", "regproc", "regprocedure", "regrole", "regtype"} {
		t := types.ByName(kind)
		b.add("to_"+kind, scoped(func(c scope, a []datum) (datum, error) {
			if s := a[0].Str(); s != "" && s[0] >= '0' && s[0] <= '9' {
				return types.Null, nil
			}
			o, err := (&Names{c.s, c.path}).RegIn(t, a[0].Str())
			if err != nil {
				switch pgerr.From(err).Code {
				case pgerr.SyntaxError, pgerr.InvalidName, pgerr.InvalidTextRepresentation, pgerr.AmbiguousFunction:
					if kind == "regproc" || kind == "regoper" {
						return types.Null, nil
					}
					return types.Null, err
				}
				return types.Null, nil
			}
			return oid(o), nil
		}))
	}
	visibility(b)
	b.add("pg_get_userbyid", viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
		o := oidOf(a[0])
		for _, r := range roles(v) {
			if r.OID == o {
				return text(r.Name), nil
			}
		}
		return text("unknown (OID=" + number(o) + ")"), nil
	}))
	return b.out
}

func visibility(b *builder) {
	add := func(name string, f func(c scope, o uint32) (visible, exists bool)) {
		b.add(name, scoped(func(c scope, a []datum) (datum, error) {
			yes, ok := f(c, oidOf(a[0]))
			if !ok {
				return types.Null, nil
			}
			return types.Bool(yes), nil
		}))
	}
	add("pg_table_is_visible", func(c scope, o uint32) (bool, bool) {
		_, name, ok := c.relation(o)
		return ok && c.relationVisible(o, name), ok
	})
	add("pg_type_is_visible", func(c scope, o uint32) (bool, bool) {
		t := c.s.TypeByOID(o)
		return t != nil && c.typeVisible(t), t != nil
	})
	add("pg_function_is_visible", func(c scope, o uint32) (bool, bool) {
		p := c.proc(o)
		return p != nil && c.procVisible(p), p != nil
	})
	add("pg_operator_is_visible", func(_ scope, o uint32) (bool, bool) {
		_, ok := operatorFacts().byOID[o]
		return ok, ok
	})
	add("pg_opclass_is_visible", func(_ scope, o uint32) (bool, bool) {
		_, ok := opclassFacts().byOID[o]
		return ok, ok
	})
	add("pg_collation_is_visible", func(c scope, o uint32) (bool, bool) {
		x := c.s.CollationByOID(o)
		return x != nil && c.s.Collation(c.path, "", x.Name) == x, x != nil
	})
	for name, list := range map[string]func() *namedObjects{
		"pg_ts_config_is_visible": tsConfigs, "pg_ts_dict_is_visible": tsDicts,
		"pg_ts_parser_is_visible": loadNamed("pg_ts_parser", "prsname"), "pg_ts_template_is_visible": loadNamed("pg_ts_template", "tmplname"),
		"pg_conversion_is_visible": loadNamed("pg_conversion", "conname"), "pg_opfamily_is_visible": loadNamed("pg_opfamily", "opfname"),
	} {
		add(name, func(_ scope, o uint32) (bool, bool) {
			_, ok := list().byOID[o]
			return ok, ok
		})
	}
	add("pg_statistics_obj_is_visible", func(scope, uint32) (bool, bool) { return false, false })
}
