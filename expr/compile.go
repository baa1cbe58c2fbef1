package expr

import (
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Eval computes a compiled expression over one row. One compiled expression is used by one goroutine at a time: it keeps
// scratch memory for the arguments of calls.
type Eval func(env *Env, row []types.Datum) (types.Datum, error)

// Layout gives the position of each column in a row; a column that is not in it is read from Env.Outer.
type Layout map[ColID]int

// Compile turns an expression into a closure over rows of the layout. Set-returning calls, aggregates and window calls
// must have been replaced before. What pgmongo cannot evaluate is a 0A000 error that names it.
func Compile(e Expr, l Layout) (Eval, error) {
	c := &compiler{layout: l}
	return c.expr(e)
}

// CompileAll compiles several expressions over one layout.
func CompileAll(list []Expr, l Layout) ([]Eval, error) {
	c := &compiler{layout: l}
	return c.list(list)
}

type compiler struct{ layout Layout }

func (c *compiler) list(list []Expr) ([]Eval, error) {
	out := make([]Eval, len(list))
	for i, e := range list {
		f, err := c.expr(e)
		if err != nil {
			return nil, err
		}
		out[i] = f
	}
	return out, nil
}

func (c *compiler) two(a, b Expr) (Eval, Eval, error) {
	fa, err := c.expr(a)
	if err != nil {
		return nil, nil, err
	}
	fb, err := c.expr(b)
	return fa, fb, err
}

func (c *compiler) expr(e Expr) (Eval, error) {
	switch e := e.(type) {
	case *Const:
		return constant(e.D), nil
	case *Param:
		return c.param(e), nil
	case *ColRef:
		return c.column(e), nil
	case *CaseArg:
		return func(env *Env, _ []types.Datum) (types.Datum, error) { return env.CaseArg, nil }, nil
	case *Call:
		return c.call(e)
	case *And:
		return c.and(e.Args)
	case *Or:
		return c.or(e.Args)
	case *Not:
		return c.not(e.X)
	case *IsNull:
		return c.isNull(e)
	case *BoolTest:
		return c.boolTest(e)
	case *Distinct:
		return c.distinct(e)
	case *Case:
		return c.caseExpr(e)
	case *Coalesce:
		return c.coalesce(e)
	case *NullIf:
		return c.nullIf(e)
	case *MinMax:
		return c.minMax(e)
	case *ScalarArray:
		return c.scalarArray(e)
	case *RowCompare:
		return c.rowCompare(e)
	}
	return c.exprMore(e)
}

// exprMore compiles what builds, takes apart and converts values.
func (c *compiler) exprMore(e Expr) (Eval, error) {
	switch e := e.(type) {
	case *Array:
		return c.array(e)
	case *Row:
		return c.row(e)
	case *Field:
		return c.field(e)
	case *Subscript:
		return c.subscript(e)
	case *Relabel:
		return c.relabel(e)
	case *IOCast:
		return c.ioCast(e)
	case *ArrayCast:
		return c.arrayCast(e)
	case *ToDomain:
		return c.toDomain(e)
	case *Collate:
		return c.collate(e)
	case *Subquery:
		return func(env *Env, row []types.Datum) (types.Datum, error) {
			if env.Subplan == nil {
				return types.Null, pgerr.Unsupported("a subquery in this context")
			}
			return env.Subplan(env, e, row)
		}, nil
	case *Agg:
		return nil, pgerr.Internal("aggregate %s was not collected", e.Fn.Name)
	case *WindowCall:
		return nil, pgerr.Internal("window function %s was not collected", e.Fn.Name)
	}
	return nil, pgerr.Internal("expression node %T cannot be compiled", e)
}

func constant(d types.Datum) Eval {
	return func(*Env, []types.Datum) (types.Datum, error) { return d, nil }
}

func (c *compiler) param(e *Param) Eval {
	i := e.N - 1
	return func(env *Env, _ []types.Datum) (types.Datum, error) {
		if i >= len(env.Params) {
			return types.Null, pgerr.New(pgerr.UndefinedObject, "no value found for parameter %d", i+1)
		}
		return env.Params[i], nil
	}
}

func (c *compiler) column(e *ColRef) Eval {
	if i, ok := c.layout[e.ID]; ok {
		return func(_ *Env, row []types.Datum) (types.Datum, error) { return row[i], nil }
	}
	id := int(e.ID)
	return func(env *Env, _ []types.Datum) (types.Datum, error) {
		if id >= len(env.Outer) {
			return types.Null, pgerr.Internal("column %s (%d) is not available here", e.Name, id)
		}
		return env.Outer[id], nil
	}
}

func (c *compiler) and(args []Expr) (Eval, error) {
	fs, err := c.list(args)
	if err != nil {
		return nil, err
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		null := false
		for _, f := range fs {
			d, err := f(env, row)
			if err != nil {
				return types.Null, err
			}
			if d.IsNull() {
				null = true
			} else if !d.Bool() {
				return types.False, nil
			}
		}
		if null {
			return types.Null, nil
		}
		return types.True, nil
	}, nil
}

func (c *compiler) or(args []Expr) (Eval, error) {
	fs, err := c.list(args)
	if err != nil {
		return nil, err
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		null := false
		for _, f := range fs {
			d, err := f(env, row)
			if err != nil {
				return types.Null, err
			}
			if d.IsNull() {
				null = true
			} else if d.Bool() {
				return types.True, nil
			}
		}
		if null {
			return types.Null, nil
		}
		return types.False, nil
	}, nil
}

func (c *compiler) not(x Expr) (Eval, error) {
	f, err := c.expr(x)
	if err != nil {
		return nil, err
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := f(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		return types.Bool(!d.Bool()), nil
	}, nil
}

func (c *compiler) isNull(e *IsNull) (Eval, error) {
	f, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	not := e.Not
	if t := e.X.Type(); t == types.RecordT || t.Kind == 'c' {
		return func(env *Env, row []types.Datum) (types.Datum, error) {
			d, err := f(env, row)
			if err != nil {
				return types.Null, err
			}
			return types.Bool(rowIsNull(d, not)), nil
		}, nil
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := f(env, row)
		if err != nil {
			return types.Null, err
		}
		return types.Bool(d.IsNull() != not), nil
	}, nil
}

// rowIsNull is IS NULL (or with not, IS NOT NULL) of a row value: both look at every field, so that ROW(1, NULL) is neither.
func rowIsNull(d types.Datum, not bool) bool {
	if d.IsNull() {
		return !not
	}
	rec, ok := d.Ref().(*types.Record)
	if !ok {
		return not
	}
	for _, v := range rec.Vals {
		if v.IsNull() == not {
			return false
		}
	}
	return true
}

func (c *compiler) boolTest(e *BoolTest) (Eval, error) {
	f, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	want, not := e.Want, e.Not
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := f(env, row)
		if err != nil {
			return types.Null, err
		}
		var is bool
		switch want {
		case 't':
			is = !d.IsNull() && d.Bool()
		case 'f':
			is = !d.IsNull() && !d.Bool()
		default:
			is = d.IsNull()
		}
		return types.Bool(is != not), nil
	}, nil
}

func (c *compiler) distinct(e *Distinct) (Eval, error) {
	fa, fb, err := c.two(e.A, e.B)
	if err != nil {
		return nil, err
	}
	eq, err := binary(e.Eq, e.A.Type(), e.B.Type())
	if err != nil {
		return nil, err
	}
	not := e.Not
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		a, err := fa(env, row)
		if err != nil {
			return types.Null, err
		}
		b, err := fb(env, row)
		if err != nil {
			return types.Null, err
		}
		if a.IsNull() || b.IsNull() {
			return types.Bool((a.IsNull() != b.IsNull()) != not), nil
		}
		d, err := eq(env, a, b)
		if err != nil {
			return types.Null, err
		}
		return types.Bool(d.Bool() == not), nil
	}, nil
}

func (c *compiler) caseExpr(e *Case) (Eval, error) {
	conds, thens := make([]Eval, len(e.Whens)), make([]Eval, len(e.Whens))
	var err error
	for i, w := range e.Whens {
		if conds[i], thens[i], err = c.two(w.Cond, w.Then); err != nil {
			return nil, err
		}
	}
	otherwise := constant(types.Null)
	if e.Else != nil {
		if otherwise, err = c.expr(e.Else); err != nil {
			return nil, err
		}
	}
	pick := func(env *Env, row []types.Datum) (Eval, error) {
		for i, f := range conds {
			d, err := f(env, row)
			if err != nil {
				return nil, err
			}
			if !d.IsNull() && d.Bool() {
				return thens[i], nil
			}
		}
		return otherwise, nil
	}
	if e.Arg == nil {
		return func(env *Env, row []types.Datum) (types.Datum, error) {
			f, err := pick(env, row)
			if err != nil {
				return types.Null, err
			}
			return f(env, row)
		}, nil
	}
	arg, err := c.expr(e.Arg)
	if err != nil {
		return nil, err
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := arg(env, row)
		if err != nil {
			return types.Null, err
		}
		outer := env.CaseArg
		env.CaseArg = d
		f, err := pick(env, row)
		env.CaseArg = outer
		if err != nil {
			return types.Null, err
		}
		return f(env, row)
	}, nil
}

func (c *compiler) coalesce(e *Coalesce) (Eval, error) {
	fs, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		for _, f := range fs {
			if d, err := f(env, row); err != nil || !d.IsNull() {
				return d, err
			}
		}
		return types.Null, nil
	}, nil
}

func (c *compiler) nullIf(e *NullIf) (Eval, error) {
	fa, fb, err := c.two(e.A, e.B)
	if err != nil {
		return nil, err
	}
	eq, err := binary(e.Eq, e.A.Type(), e.B.Type())
	if err != nil {
		return nil, err
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		a, err := fa(env, row)
		if err != nil {
			return types.Null, err
		}
		b, err := fb(env, row)
		if err != nil || a.IsNull() || b.IsNull() {
			return a, err
		}
		same, err := eq(env, a, b)
		if err != nil || !same.IsNull() && same.Bool() {
			return types.Null, err
		}
		return a, nil
	}, nil
}

func (c *compiler) minMax(e *MinMax) (Eval, error) {
	fs, err := c.list(e.Args)
	if err != nil {
		return nil, err
	}
	t, greatest := e.T, e.Greatest
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		best := types.Null
		for _, f := range fs {
			d, err := f(env, row)
			if err != nil {
				return types.Null, err
			}
			if d.IsNull() {
				continue
			}
			if best.IsNull() || (types.Compare(t, d, best) > 0) == greatest && types.Compare(t, d, best) != 0 {
				best = d
			}
		}
		return best, nil
	}, nil
}

func (c *compiler) rowCompare(e *RowCompare) (Eval, error) {
	n := len(e.Left)
	ls, err := c.list(e.Left)
	if err != nil {
		return nil, err
	}
	rs, err := c.list(e.Right)
	if err != nil {
		return nil, err
	}
	type cmp = func(*Env, types.Datum, types.Datum) (types.Datum, error)
	less, equal := make([]cmp, n), make([]cmp, n)
	for i := range ls {
		lt, rt := e.Left[i].Type(), e.Right[i].Type()
		if less[i], err = binary(e.Less[i], lt, rt); err != nil {
			return nil, err
		}
		if equal[i], err = binary(e.Equal[i], lt, rt); err != nil {
			return nil, err
		}
	}
	wantLess, orEqual := e.Op[0] == '<', len(e.Op) == 2
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		for i := range ls {
			a, err := ls[i](env, row)
			if err != nil {
				return types.Null, err
			}
			b, err := rs[i](env, row)
			if err != nil || a.IsNull() || b.IsNull() {
				return types.Null, err
			}
			same, err := equal[i](env, a, b)
			if err != nil {
				return types.Null, err
			}
			if same.Bool() {
				continue
			}
			lt, err := less[i](env, a, b)
			return types.Bool(lt.Bool() == wantLess), err
		}
		return types.Bool(orEqual), nil
	}, nil
}
