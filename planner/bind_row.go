package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// arrayExpr binds ARRAY[...]; want is the array type that a cast around it asks for, nil for none.
func (s *scope) arrayExpr(a *pg_query.A_ArrayExpr, want *types.T) (expr.Expr, error) {
	out := &expr.Array{}
	for _, n := range a.Elements {
		var x expr.Expr
		var err error
		if sub := n.GetAArrayExpr(); sub != nil {
			x, err = s.arrayExpr(sub, want)
			out.Multi = true
		} else {
			x, err = s.expr(n)
			if err == nil && x.Type().IsArray() {
				out.Multi = true
			}
		}
		if err != nil {
			return nil, err
		}
		out.Elems = append(out.Elems, x)
	}
	if want != nil {
		return s.castArray(out, want, a.Location)
	}
	if len(out.Elems) == 0 {
		return nil, pgerr.New(pgerr.IndeterminateDatatype, "cannot determine type of empty array").
			WithHint("Explicitly cast to the desired type, for example ARRAY[]::integer[].").At(a.Location)
	}
	t, err := s.common(out.Elems, "ARRAY", a.Location)
	if err != nil {
		return nil, err
	}
	if out.Multi {
		if !t.IsArray() {
			return nil, pgerr.New(pgerr.UndefinedObject, "could not find element type for data type %s", types.FormatType(t, -1)).At(a.Location)
		}
		out.T = t
		return out, nil
	}
	if out.T = s.b.r.ArrayOf(t); out.T == nil {
		return nil, pgerr.New(pgerr.UndefinedObject, "could not find array type for data type %s", types.FormatType(t, -1)).At(a.Location)
	}
	return out, nil
}

// castArray converts the elements to the type that the cast asks for, as PostgreSQL pushes such a cast down.
func (s *scope) castArray(out *expr.Array, want *types.T, loc int32) (expr.Expr, error) {
	out.T = want
	elem := want.Elem
	if out.Multi {
		elem = want
	}
	for i, x := range out.Elems {
		c, err := s.b.r.Coerce(x, elem, -1, expr.Explicit, expr.Loc(x))
		if err != nil {
			return nil, err
		}
		out.Elems[i] = c
	}
	return out, nil
}

// rowElems binds the elements of a row; t.* stands for the table's columns.
func (s *scope) rowElems(nodes []*pg_query.Node) ([]expr.Expr, error) {
	out := make([]expr.Expr, 0, len(nodes))
	for _, n := range nodes {
		expanded, ok, err := s.star(n)
		if err != nil {
			return nil, err
		}
		if ok {
			for _, t := range expanded {
				out = append(out, t.x)
			}
			continue
		}
		x, err := s.expr(n)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// rowExpr binds ROW(...); t.* inside it stands for the table's columns.
func (s *scope) rowExpr(r *pg_query.RowExpr) (expr.Expr, error) {
	elems, err := s.rowElems(r.Args)
	if err != nil {
		return nil, err
	}
	row := &expr.Row{T: types.RecordT, Elems: elems}
	if len(row.Elems) > 1664 {
		return nil, pgerr.New(pgerr.TooManyColumns, "ROW expressions can have at most 1664 entries").At(r.Location)
	}
	return row, nil
}

// indirection binds x[i], x[i:j] and x.field chains.
func (s *scope) indirection(arg *pg_query.Node, list []*pg_query.Node) (expr.Expr, error) {
	x, rest, err := s.indirectionBase(arg, list)
	if err != nil {
		return nil, err
	}
	loc := nodeLocation(arg)
	var subs []*pg_query.A_Indices
	flush := func() error {
		if len(subs) == 0 {
			return nil
		}
		n, err := s.subscript(x, subs, loc)
		x, subs = n, nil
		return err
	}
	for _, n := range rest {
		if ix := n.GetAIndices(); ix != nil {
			subs = append(subs, ix)
			continue
		}
		if err := flush(); err != nil {
			return nil, err
		}
		if n.GetAStar() != nil {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "row expansion via \"*\" is not supported here").At(loc)
		}
		if x, err = s.field(x, n.GetString_().GetSval(), loc); err != nil {
			return nil, err
		}
	}
	return x, flush()
}

// indirectionBase binds what is in front of a chain; (t).col is the column itself, without making the row first.
func (s *scope) indirectionBase(arg *pg_query.Node, list []*pg_query.Node) (expr.Expr, []*pg_query.Node, error) {
	c := arg.GetColumnRef()
	if c != nil && len(c.Fields) == 1 && len(list) > 0 && list[0].GetString_() != nil && c.Fields[0].GetString_() != nil {
		name := c.Fields[0].GetString_().Sval
		x, err := s.column(name, c.Location)
		if err != nil {
			return nil, nil, err
		}
		if x == nil {
			it, err := s.table("", name, c.Location)
			if err != nil {
				return nil, nil, err
			}
			if it != nil {
				col := list[0].GetString_().Sval
				x, err := it.column(col, c.Location)
				if err == nil && x == nil {
					x, err = s.columnAsFunction(it, col, c.Location)
				}
				if err == nil && x == nil {
					err = s.missingColumn(name, col, c.Location)
				}
				s.b.markRead(x)
				return x, list[1:], err
			}
		}
	}
	x, err := s.expr(arg)
	return x, list, err
}

// field selects a field of a composite value, or calls a function of that name on it.
func (s *scope) field(x expr.Expr, name string, loc int32) (expr.Expr, error) {
	fields := s.b.shapeOf(x)
	for i, f := range fields {
		if f.Name == name {
			return &expr.Field{X: x, Index: i, Name: name, T: f.Type, Mod: f.Typmod}, nil
		}
	}
	t := x.Type().BaseType()
	if s.functionExists(name) {
		if c, err := s.fieldAsFunction(x, name, loc); c != nil || err != nil {
			return c, err
		}
	}
	switch {
	case t == types.RecordT:
		return nil, pgerr.New(pgerr.UndefinedColumn, "could not identify column \"%s\" in record data type", name).At(loc)
	case t.Kind == 'c':
		return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" not found in data type %s", name, types.FormatType(t, -1)).At(loc)
	}
	return nil, pgerr.New(pgerr.WrongObjectType, "column notation .%s applied to type %s, which is not a composite type", name, types.FormatType(x.Type(), -1)).At(loc)
}

// subscript binds the subscripts of an array or jsonb value.
func (s *scope) subscript(x expr.Expr, subs []*pg_query.A_Indices, loc int32) (expr.Expr, error) {
	t := x.Type().BaseType()
	slice := false
	for _, ix := range subs {
		slice = slice || ix.IsSlice
	}
	out := &expr.Subscript{X: x, Mod: -1}
	switch {
	case t == types.JSONBT:
		for _, ix := range subs {
			if ix.IsSlice {
				return nil, pgerr.New(pgerr.DatatypeMismatch, "jsonb subscript does not support slices").At(leftmost(nodeLocation(ix.Lidx), nodeLocation(ix.Uidx)))
			}
		}
		out.T = types.JSONBT
	case t.Elem != nil && slice:
		out.T, out.Mod = t, x.Typmod()
	case t.Elem != nil:
		out.T, out.Mod = t.Elem, x.Typmod()
	default:
		return nil, pgerr.New(pgerr.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", types.FormatType(x.Type(), -1)).At(loc)
	}
	if len(subs) > 6 && t != types.JSONBT {
		return nil, pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", len(subs), 6)
	}
	for _, ix := range subs {
		i, err := s.index(ix, t, slice)
		if err != nil {
			return nil, err
		}
		out.Indexes = append(out.Indexes, i)
	}
	return out, nil
}

func (s *scope) index(ix *pg_query.A_Indices, t *types.T, slice bool) (expr.Index, error) {
	out := expr.Index{Slice: slice}
	bind := func(n *pg_query.Node) (expr.Expr, error) {
		if n == nil {
			return nil, nil
		}
		x, err := s.expr(n)
		if err != nil {
			return nil, err
		}
		return s.indexValue(x, t, nodeLocation(n))
	}
	var err error
	if out.Upper, err = bind(ix.Uidx); err != nil {
		return out, err
	}
	if ix.IsSlice {
		out.Lower, err = bind(ix.Lidx)
	} else if slice {
		// One slice makes slices of all: x[1:2][3] is x[1:2][1:3].
		out.Lower = &expr.Const{D: types.Int(1), T: types.Int4T, Mod: -1, Loc: -1}
	}
	return out, err
}

func (s *scope) indexValue(x expr.Expr, t *types.T, loc int32) (expr.Expr, error) {
	if t == types.JSONBT {
		want := types.TextT
		if x.Type() == types.Int4T || x.Type() == types.Int2T {
			want = types.Int4T
		}
		if x.Type() != types.UnknownT && !s.b.r.CanCoerce(x.Type(), want, expr.Implicit) {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "subscript type %s is not supported", types.FormatType(x.Type(), -1)).
				WithHint("jsonb subscript must be coercible to either integer or text.").At(loc)
		}
		return s.b.r.Coerce(x, want, -1, expr.Implicit, loc)
	}
	c, err := s.b.r.Coerce(x, types.Int4T, -1, expr.Assignment, loc)
	if pgerr.Is(err, pgerr.DatatypeMismatch) || pgerr.Is(err, pgerr.CannotCoerce) {
		return nil, pgerr.New(pgerr.DatatypeMismatch, "array subscript must have type integer").At(loc)
	}
	return c, err
}
