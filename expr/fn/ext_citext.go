package fn

import (
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// foldRegex makes a citext function of a regular expression function over text: the flags, argument number n, get an i
// unless they say c.
func foldRegex(oid uint32, base expr.Impl, n int) expr.Impl {
	fold := func(args []datum) []datum {
		flags := "i"
		if len(args) > n {
			if flags = args[n].Str(); !strings.Contains(flags, "c") {
				flags += "i"
			}
		}
		return append(args[:n:n], types.Str(flags))
	}
	out := expr.Impl{OID: oid, Name: base.Name}
	if base.MakeSet != nil {
		out.MakeSet = func(c *expr.Call) (expr.SetFunc, error) {
			f, err := base.MakeSet(c)
			return func(env *expr.Env, args []datum, yield func(...datum) error) error { return f(env, fold(args), yield) }, err
		}
		return out
	}
	out.Make = func(c *expr.Call) (expr.EvalFunc, error) {
		f, err := base.Func(c)
		return func(env *expr.Env, args []datum) (datum, error) { return f(env, fold(args)) }, err
	}
	return out
}

// quotePattern makes a regular expression that matches a text as it is.
func quotePattern(s string) string {
	var b strings.Builder
	for _, r := range s {
		if !(r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// citextReplace and citextSplitPart find their text in any case: they go through a regular expression, whose replacement
// text keeps its meaning of backslashes, as in PostgreSQL.
func citextReplace(replace expr.Impl) expr.Impl {
	return expr.Impl{OID: 2000002037, Name: "replace", Make: func(c *expr.Call) (expr.EvalFunc, error) {
		f, err := replace.Func(c)
		return func(env *expr.Env, args []datum) (datum, error) {
			return f(env, []datum{args[0], types.Str(quotePattern(args[1].Str())), args[2], types.Str("gi")})
		}, err
	}}
}

func citextSplitPart(split expr.Impl) expr.Impl {
	return expr.Impl{OID: 2000002038, Name: "split_part", Make: func(c *expr.Call) (expr.EvalFunc, error) {
		f, err := split.Func(c)
		return func(env *expr.Env, args []datum) (datum, error) {
			parts, err := f(env, []datum{args[0], types.Str(quotePattern(args[1].Str())), types.Str("i")})
			if err != nil {
				return types.Null, err
			}
			vals := parts.Array().Vals
			if n := args[2].Int(); n >= 1 && n <= int64(len(vals)) {
				return vals[n-1], nil
			}
			return types.Null, nil
		}, err
	}}
}

// citextBest is max or min over citext.
func citextBest(oid uint32, name string, sign int) expr.Impl {
	return expr.Impl{OID: oid, Name: name, AggStrict: true, MakeAgg: func(a *expr.Agg) (func() expr.Aggregator, error) {
		t := a.Args[0].Type()
		return func() expr.Aggregator { return &bestOf{t: t, sign: sign} }, nil
	}}
}

// bestOf keeps the greatest value (sign 1) or the smallest (sign -1); of equal ones the last.
type bestOf struct {
	t    *types.T
	sign int
	best datum
	any  bool
}

func (b *bestOf) Add(_ *expr.Env, args []datum) error {
	if !b.any || types.Compare(b.t, args[0], b.best)*b.sign >= 0 {
		b.best, b.any = args[0], true
	}
	return nil
}

func (b *bestOf) Result(*expr.Env) (datum, error) {
	if !b.any {
		return types.Null, nil
	}
	return b.best, nil
}

// citextImpls are the functions of extension citext.
func citextImpls() []expr.Impl {
	re := regexImpls()
	cast := func(oid uint32, base expr.Impl) expr.Impl {
		base.OID, base.Name = oid, "citext"
		return base
	}
	boolText := expr.Impl{F1: func(_ *expr.Env, a datum) (datum, error) {
		if a.Bool() {
			return types.Str("true"), nil
		}
		return types.Str("false"), nil
	}}
	out := append(orderings("citext_", [7]uint32{2000002005, 2000002006, 2000002007, 2000002008, 2000002012, 2000002013, 2000002014}),
		cast(2000002002, boolText),
		expr.Impl{OID: 2000002003, Name: "citext", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Str(strings.TrimRight(a.Str(), " ")), nil }},
		expr.Impl{OID: 2000002004, Name: "citext", F1: func(env *expr.Env, a datum) (datum, error) {
			p := a.Ref().(*types.Inet).Prefix
			return types.Str(p.String()), nil
		}},
		pickBy(2000002011, "citext_larger", 1), pickBy(2000002020, "citext_smaller", -1),
		citextBest(2000002025, "max", 1), citextBest(2000002026, "min", -1),
		foldRegex(2000002027, implOf(re, 3397), 2), foldRegex(2000002028, implOf(re, 3397), 2),
		foldRegex(2000002029, implOf(re, 2764), 2), foldRegex(2000002030, implOf(re, 2764), 2),
		foldRegex(2000002031, implOf(re, 2285), 3), foldRegex(2000002032, implOf(re, 2285), 3),
		foldRegex(2000002033, implOf(re, 2768), 2), foldRegex(2000002034, implOf(re, 2768), 2),
		foldRegex(2000002035, implOf(re, 2766), 2), foldRegex(2000002036, implOf(re, 2766), 2),
		citextReplace(implOf(re, 2285)), citextSplitPart(implOf(re, 2768)),
		expr.Impl{OID: 2000002039, Name: "strpos", F2: func(env *expr.Env, a, b datum) (datum, error) {
			return positionText(env, types.Str(lower(a.Str())), types.Str(lower(b.Str())))
		}},
		expr.Impl{OID: 2000002048, Name: "translate", Eval: func(env *expr.Env, args []datum) (datum, error) {
			d, err := translateText(env, []datum{args[0], types.Str(lower(args[1].Str())), args[2]})
			if err != nil {
				return d, err
			}
			return translateText(env, []datum{d, types.Str(upper(args[1].Str())), args[2]})
		}},
	)
	for i, name := range []string{"texticlike", "texticlike", "texticnlike", "texticnlike"} {
		out = append(out, expr.Impl{OID: 2000002040 + uint32(i), Name: name, F2: likeFn(i > 1, true, false)})
	}
	for i, name := range []string{"texticregexeq", "texticregexeq", "texticregexne", "texticregexne"} {
		out = append(out, expr.Impl{OID: 2000002044 + uint32(i), Name: name, Make: regexOp(i > 1, true)})
	}
	return append(out, patternOrderings()...)
}

// pickBy returns the greater (sign 1) or smaller of two values.
func pickBy(oid uint32, name string, sign int) expr.Impl {
	return expr.Impl{OID: oid, Name: name, Make: func(c *expr.Call) (expr.EvalFunc, error) {
		t := c.Args[0].Type()
		return func(_ *expr.Env, args []datum) (datum, error) {
			if types.Compare(t, args[0], args[1])*sign > 0 {
				return args[0], nil
			}
			return args[1], nil
		}, nil
	}}
}

// patternOrderings compare by bytes of the lower case, which is what the default order of this collation is too.
func patternOrderings() []expr.Impl {
	all := orderings("citext_pattern_", [7]uint32{2000002015, 0, 2000002016, 2000002017, 2000002018, 2000002019, 1})
	out := all[:0]
	for _, i := range all {
		if i.OID > 1 {
			out = append(out, i)
		}
	}
	return out
}
