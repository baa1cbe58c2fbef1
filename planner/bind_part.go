package planner

import (
	"strconv"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// assignPart binds SET col[i] = x, SET col['key'] = x and SET col.field = x: the column's new value is the present one with
// a part replaced. Several parts of a column may be set by one statement.
func (st *setState) assignPart(c *catalog.Column, r *pg_query.ResTarget, x expr.Expr, loc int32) error {
	base := st.present(c)
	at := -1
	for i, a := range st.set {
		if a.Attnum != c.Attnum {
			continue
		}
		if !st.parts[c.Attnum] {
			return pgerr.New(pgerr.SyntaxError, "multiple assignments to same column \"%s\"", c.Name)
		}
		at, base = i, a.Value
	}
	v, err := st.s.replacePart(base, r.Indirection, x, c.Name, r.Location, loc)
	if err != nil {
		return err
	}
	if at >= 0 {
		st.set[at].Value = v
		return nil
	}
	st.parts[c.Attnum] = true
	st.set = append(st.set, Assign{Attnum: c.Attnum, Value: v})
	return nil
}

// present is the column's value before the update.
func (st *setState) present(c *catalog.Column) expr.Expr { return st.item.cols[st.item.find(c.Name)].x }

// replacePart gives base with the part at the path replaced by x.
func (s *scope) replacePart(base expr.Expr, path []*pg_query.Node, x expr.Expr, name string, at, loc int32) (expr.Expr, error) {
	whole := base.Type()
	if d, ok := base.(*expr.ToDomain); ok {
		base = d.X // what the parts before this one made: the domain sees it with all its parts
	}
	t := whole.BaseType()
	if field := path[0].GetString_(); field != nil {
		row, err := s.replaceField(base, t, field.Sval, path[1:], x, name, at, loc)
		if err != nil || whole == t {
			return row, err
		}
		return s.b.r.Coerce(row, whole, -1, expr.Assignment, loc)
	}
	var subs []*pg_query.A_Indices
	slice := false
	for _, n := range path {
		ix := n.GetAIndices()
		if ix == nil {
			break
		}
		slice = slice || ix.IsSlice
		subs = append(subs, ix)
	}
	if rest := path[len(subs):]; len(rest) > 0 {
		// A field of an element: the element with the field replaced takes its place.
		elem, err := s.subscript(base, subs, at)
		if err != nil {
			return nil, err
		}
		if x, err = s.replacePart(elem, rest, x, name, at, loc); err != nil {
			return nil, err
		}
	}
	want, assign := t.Elem, arrayAssign
	switch {
	case t == types.JSONBT && slice:
		return nil, pgerr.New(pgerr.DatatypeMismatch, "jsonb subscript does not support slices").At(at)
	case t == types.JSONBT:
		want, assign = types.JSONBT, jsonbAssign
	case t.Elem != nil && !t.IsArray():
		return nil, pgerr.Unsupported("assignment to elements of type " + types.FormatType(t, -1))
	case t.Elem == nil:
		return nil, pgerr.New(pgerr.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", types.FormatType(base.Type(), -1)).At(at)
	case slice:
		want = t
	}
	v, err := s.b.r.Coerce(x, want, -1, expr.Assignment, loc)
	if err != nil {
		if pgerr.Is(err, pgerr.DatatypeMismatch) || pgerr.Is(err, pgerr.CannotCoerce) {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "subscripted assignment to \"%s\" requires type %s but expression is of type %s",
				name, types.FormatType(want, -1), types.FormatType(x.Type(), -1)).
				WithHint("You will need to rewrite or cast the expression.").At(loc)
		}
		return nil, err
	}
	args := []expr.Expr{base, v}
	var given []bool
	for _, ix := range subs {
		i, err := s.index(ix, t, slice)
		if err != nil {
			return nil, err
		}
		if !slice {
			args = append(args, i.Upper)
			continue
		}
		for _, bound := range []expr.Expr{i.Lower, i.Upper} {
			given = append(given, bound != nil)
			if bound == nil {
				bound = &expr.Const{T: types.Int4T, Mod: -1, Loc: -1}
			}
			args = append(args, bound)
		}
	}
	if slice {
		assign = sliceAssign(given)
	}
	var out expr.Expr = &expr.Call{Fn: assign(t, args), Args: args, T: t, Mod: base.Typmod(), Loc: at}
	if whole != t {
		return s.b.r.Coerce(out, whole, -1, expr.Assignment, loc)
	}
	return out, nil
}

// replaceField gives a composite value with one field replaced; of a NULL one all other fields are NULL.
func (s *scope) replaceField(base expr.Expr, t *types.T, field string, rest []*pg_query.Node, x expr.Expr, name string, at, loc int32) (expr.Expr, error) {
	if t.Kind != 'c' {
		return nil, pgerr.New(pgerr.DatatypeMismatch, "cannot assign to field \"%s\" of column \"%s\" because its type %s is not a composite type",
			field, name, types.FormatType(base.Type(), -1)).At(at)
	}
	row := &expr.Row{T: t}
	found := false
	for i, f := range s.b.compositeFields(t) {
		var e expr.Expr = &expr.Field{X: base, Index: i, Name: f.Name, T: f.Type, Mod: f.Typmod}
		if f.Name == field {
			found = true
			var err error
			if len(rest) > 0 {
				e, err = s.replacePart(e, rest, x, field, at, loc)
			} else {
				e, err = s.assignField(x, f, at, loc)
			}
			if err != nil {
				return nil, err
			}
		}
		row.Elems = append(row.Elems, e)
	}
	if !found {
		return nil, pgerr.New(pgerr.UndefinedColumn, "cannot assign to field \"%s\" of column \"%s\" because there is no such column in data type %s",
			field, name, types.FormatType(base.Type(), -1)).At(at)
	}
	return row, nil
}

func (s *scope) assignField(x expr.Expr, f types.Field, at, loc int32) (expr.Expr, error) {
	out, err := s.b.r.Coerce(x, f.Type, f.Typmod, expr.Assignment, loc)
	if err == nil || !pgerr.Is(err, pgerr.DatatypeMismatch) && !pgerr.Is(err, pgerr.CannotCoerce) {
		return out, err
	}
	return nil, pgerr.New(pgerr.DatatypeMismatch, "subfield \"%s\" is of type %s but expression is of type %s",
		f.Name, types.FormatType(f.Type, -1), types.FormatType(x.Type(), -1)).
		WithHint("You will need to rewrite or cast the expression.").At(at)
}

// assignProc wraps an evaluation as a function: pg_proc has none for assignments to parts.
func assignProc(name string, t *types.T, args []expr.Expr, eval expr.EvalFunc) *expr.Proc {
	p := &expr.Proc{
		Schema: "pg_catalog", Name: name, Kind: 'f', Ret: t, Volatility: 'i',
		Impl: &expr.Impl{Name: name, Eval: eval, Why: "it replaces a part of a value"},
	}
	for _, a := range args {
		p.Args = append(p.Args, a.Type())
	}
	return p
}

func arrayAssign(t *types.T, args []expr.Expr) *expr.Proc {
	return assignProc("array_assign", t, args, func(_ *expr.Env, a []types.Datum) (types.Datum, error) {
		return setElement(t, a[0], a[1], a[2:])
	})
}

// sliceAssign replaces a slice: after the array and the new values come the lower and upper bounds, of which given says
// which were written.
func sliceAssign(given []bool) func(t *types.T, args []expr.Expr) *expr.Proc {
	return func(t *types.T, args []expr.Expr) *expr.Proc {
		return assignProc("array_assign", t, args, func(_ *expr.Env, a []types.Datum) (types.Datum, error) {
			return setSlice(t, a[0], a[1], a[2:], given)
		})
	}
}

func jsonbAssign(t *types.T, args []expr.Expr) *expr.Proc {
	isInt := make([]bool, len(args)-2)
	for i := range isInt {
		isInt[i] = args[i+2].Type() != types.TextT
	}
	return assignProc("jsonb_assign", t, args, func(_ *expr.Env, a []types.Datum) (types.Datum, error) {
		path := make([]string, len(isInt))
		for i, d := range a[2:] {
			switch {
			case d.IsNull():
				return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "jsonb subscript in assignment must not be null")
			case isInt[i]:
				path[i] = strconv.FormatInt(d.Int(), 10)
			default:
				path[i] = d.Str()
			}
		}
		return setJSON(a[0], a[1], path, isInt[0])
	})
}
