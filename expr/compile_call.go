package expr

import (
	"strings"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// refused is the 0A000 error of a function that has no implementation.
func refused(fn *Proc) *pgerr.Error {
	args := make([]string, len(fn.Args))
	for i, t := range fn.Args {
		args[i] = types.FormatType(t, -1)
	}
	return pgerr.Unsupported("function " + fn.Name + "(" + strings.Join(args, ", ") + ")")
}

// Supported returns nil if fn can be run, else the 0A000 error that names it.
func Supported(fn *Proc) error {
	if fn.Impl == nil && fn.User == nil {
		return refused(fn)
	}
	return nil
}

// binary returns a strict two-argument function, such as the equality behind IS DISTINCT FROM; it is called with non-NULL
// values only.
func binary(fn *Proc, a, b *types.T) (func(*Env, types.Datum, types.Datum) (types.Datum, error), error) {
	if fn == nil {
		return nil, pgerr.Internal("an operator was not resolved")
	}
	call := &Call{Fn: fn, Args: []Expr{&CaseArg{T: a}, &CaseArg{T: b}}, T: fn.Ret, Mod: -1, Loc: -1}
	if fn.User != nil {
		run := routine(call)
		return func(env *Env, a, b types.Datum) (types.Datum, error) { return run(env, []types.Datum{a, b}) }, nil
	}
	if fn.Impl == nil {
		return nil, refused(fn)
	}
	if fn.Impl.F2 != nil {
		return fn.Impl.F2, nil
	}
	f, err := fn.Impl.Func(call)
	if err != nil {
		return nil, err
	}
	args := make([]types.Datum, 2)
	return func(env *Env, a, b types.Datum) (types.Datum, error) {
		args[0], args[1] = a, b
		return f(env, args)
	}, nil
}

// routine is the evaluation of a call of a user-defined function.
func routine(c *Call) EvalFunc {
	return func(env *Env, args []types.Datum) (types.Datum, error) {
		if env.Routines == nil {
			return types.Null, refused(c.Fn)
		}
		return env.Routines.Call(env, c, args)
	}
}

// SetOf returns the row source of a call of a set-returning function, built-in or user-defined.
func SetOf(c *Call) (SetFunc, error) {
	fn := c.Fn
	if fn.User != nil {
		return func(env *Env, args []types.Datum, yield func(row ...types.Datum) error) error {
			if env.Routines == nil {
				return refused(fn)
			}
			return env.Routines.CallSet(env, c, args, yield)
		}, nil
	}
	if fn.Impl == nil {
		return nil, pgerr.Unsupported("function " + fn.Name)
	}
	set, err := fn.Impl.SetOf(c)
	if err == nil && set == nil {
		return nil, pgerr.Unsupported("function " + fn.Name + " as a set")
	}
	return set, err
}

func (c *compiler) call(e *Call) (Eval, error) {
	fn := e.Fn
	if fn.RetSet {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "set-valued function called in context that cannot accept a set").At(e.Loc)
	}
	if fn.User != nil {
		return c.general(e, routine(e))
	}
	if fn.Impl == nil {
		return nil, refused(fn).At(e.Loc)
	}
	if fn.Strict {
		switch {
		case fn.Impl.F1 != nil && len(e.Args) == 1:
			return c.call1(e.Args[0], fn.Impl.F1)
		case fn.Impl.F2 != nil && len(e.Args) == 2:
			return c.call2(e, fn.Impl.F2)
		}
	}
	f, err := fn.Impl.Func(e)
	if err != nil {
		return nil, pgerr.At(err, e.Loc)
	}
	if f == nil {
		return nil, pgerr.Internal("function %s is not a plain function", fn.Name)
	}
	return c.general(e, f)
}

// general evaluates the arguments into scratch memory, all of them before a NULL among them decides, so that an error in
// one is raised beside a NULL in another.
func (c *compiler) general(e *Call, f EvalFunc) (Eval, error) {
	fs, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	args := make([]types.Datum, len(fs))
	if !e.Fn.Strict {
		return func(env *Env, row []types.Datum) (types.Datum, error) {
			for i, a := range fs {
				d, err := a(env, row)
				if err != nil {
					return types.Null, err
				}
				args[i] = d
			}
			return f(env, args)
		}, nil
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		null := false
		for i, a := range fs {
			d, err := a(env, row)
			if err != nil {
				return types.Null, err
			}
			null = null || d.IsNull()
			args[i] = d
		}
		if null {
			return types.Null, nil
		}
		return f(env, args)
	}, nil
}

func (c *compiler) call1(x Expr, f func(*Env, types.Datum) (types.Datum, error)) (Eval, error) {
	a, err := c.expr(x)
	if err != nil {
		return nil, err
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := a(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		return f(env, d)
	}, nil
}

func (c *compiler) call2(e *Call, f func(*Env, types.Datum, types.Datum) (types.Datum, error)) (Eval, error) {
	if fast := c.intCompare(e); fast != nil {
		return fast, nil
	}
	a, b, err := c.two(e.Args[0], e.Args[1])
	if err != nil {
		return nil, err
	}
	if k, ok := e.Args[1].(*Const); ok && !k.D.IsNull() {
		y := k.D
		if col, ok := e.Args[0].(*ColRef); ok {
			if i, ok := c.layout[col.ID]; ok {
				return func(env *Env, row []types.Datum) (types.Datum, error) {
					x := row[i]
					if x.IsNull() {
						return types.Null, nil
					}
					return f(env, x, y)
				}, nil
			}
		}
		return func(env *Env, row []types.Datum) (types.Datum, error) {
			x, err := a(env, row)
			if err != nil || x.IsNull() {
				return types.Null, err
			}
			return f(env, x, y)
		}, nil
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		x, err := a(env, row)
		if err != nil {
			return types.Null, err
		}
		y, err := b(env, row)
		if err != nil || x.IsNull() || y.IsNull() {
			return types.Null, err
		}
		return f(env, x, y)
	}, nil
}

// comparison names the comparison that a built-in procedure over plain signed integers makes, 0 if it makes none.
func comparison(fn *Proc) byte {
	if fn.Ret != types.BoolT || len(fn.Args) != 2 {
		return 0
	}
	for _, t := range fn.Args {
		switch t.Name {
		case "int2", "int4", "int8":
		case "oid", "date", "timestamp", "timestamptz", "time", "money":
			// Mixed ones (date with timestamp) count in different units.
			if fn.Args[0] != fn.Args[1] {
				return 0
			}
		default:
			return 0
		}
	}
	switch name := fn.Name; {
	case strings.HasSuffix(name, "eq"):
		return '='
	case strings.HasSuffix(name, "ne"):
		return '!'
	case strings.HasSuffix(name, "lt"):
		return '<'
	case strings.HasSuffix(name, "le"):
		return 'l'
	case strings.HasSuffix(name, "gt"):
		return '>'
	case strings.HasSuffix(name, "ge"):
		return 'g'
	}
	return 0
}

// intCompare is the fast path of the commonest filter: an integer column compared with a constant; nil where it is
// something else.
func (c *compiler) intCompare(e *Call) Eval {
	op := comparison(e.Fn)
	col, ok1 := e.Args[0].(*ColRef)
	k, ok2 := e.Args[1].(*Const)
	if op == 0 || !ok1 || !ok2 || k.D.IsNull() {
		return nil
	}
	i, ok := c.layout[col.ID]
	if !ok {
		return nil
	}
	y := k.D.Int()
	type datum = types.Datum
	switch op {
	case '=':
		return func(_ *Env, row []datum) (datum, error) {
			if row[i].IsNull() {
				return types.Null, nil
			}
			return types.Bool(row[i].Int() == y), nil
		}
	case '!':
		return func(_ *Env, row []datum) (datum, error) {
			if row[i].IsNull() {
				return types.Null, nil
			}
			return types.Bool(row[i].Int() != y), nil
		}
	case '<':
		return func(_ *Env, row []datum) (datum, error) {
			if row[i].IsNull() {
				return types.Null, nil
			}
			return types.Bool(row[i].Int() < y), nil
		}
	case 'l':
		return func(_ *Env, row []datum) (datum, error) {
			if row[i].IsNull() {
				return types.Null, nil
			}
			return types.Bool(row[i].Int() <= y), nil
		}
	case '>':
		return func(_ *Env, row []datum) (datum, error) {
			if row[i].IsNull() {
				return types.Null, nil
			}
			return types.Bool(row[i].Int() > y), nil
		}
	}
	return func(_ *Env, row []datum) (datum, error) {
		if row[i].IsNull() {
			return types.Null, nil
		}
		return types.Bool(row[i].Int() >= y), nil
	}
}
