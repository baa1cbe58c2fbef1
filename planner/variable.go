package planner

import (
	"context"
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Variables are what names in a routine's body may mean besides columns. Each is an expression over parameters, whose
// values the routine gives when it runs the plan.
type Variables interface {
	// Name returns what a (qualified) name means, nil when it is no variable.
	Name(names []string) (expr.Expr, error)
	// Param returns $n.
	Param(n int) (expr.Expr, error)
	// Prefer says what a name means that is both a column and a variable.
	Prefer() Preference
}

// Preference is what wins where a name is both a column and a variable.
type Preference uint8

// The preferences.
const (
	PreferNeither  Preference = iota // 42702
	PreferColumn                     // as in LANGUAGE sql
	PreferVariable                   // #variable_conflict use_variable
)

// columnOrVariable binds a name in a routine's body.
func (s *scope) columnOrVariable(names []string, loc int32) (expr.Expr, error) {
	v := s.b.c.Variables
	prefer := v.Prefer()
	if prefer == PreferVariable {
		if x, err := v.Name(names); x != nil || err != nil {
			return x, pgerr.At(err, loc)
		}
		return s.columnNamed(names, loc)
	}
	col, err := s.columnNamed(names, loc)
	if err == nil && prefer == PreferColumn || err != nil && !notFound(err) {
		return col, err
	}
	x, verr := v.Name(names)
	switch {
	case x != nil && err == nil:
		return nil, pgerr.New(pgerr.AmbiguousColumn, "column reference \"%s\" is ambiguous", join(names)).
			WithDetail("It could refer to either a PL/pgSQL variable or a table column.").At(loc)
	case err == nil:
		return col, nil
	case x == nil && verr == nil:
		return nil, err
	}
	if pgerr.Is(verr, pgerr.ObjectNotInPrerequisiteState) {
		return nil, verr // a matter of the variable's value, not of the text
	}
	return x, pgerr.At(verr, loc)
}

func join(names []string) string {
	out := names[0]
	for _, n := range names[1:] {
		out += "." + n
	}
	return out
}

func notFound(err error) bool {
	return pgerr.Is(err, pgerr.UndefinedColumn) || pgerr.Is(err, pgerr.UndefinedTable)
}

// variableStar expands variable.* to the fields of a row; failed is the error that no table of the name gave.
func (s *scope) variableStar(names []string, loc int32, failed error) ([]target, error) {
	v := s.b.c.Variables
	if v == nil || s.b.noParams || !notFound(failed) {
		return nil, failed
	}
	x, err := v.Name(names)
	if err != nil || x == nil {
		return nil, firstOf(pgerr.At(err, loc), failed)
	}
	fields := s.b.shapeOf(x)
	if fields == nil {
		return nil, failed
	}
	var out []target
	for i, f := range fields {
		out = append(out, target{name: f.Name, x: &expr.Field{X: x, Index: i, Name: f.Name, T: f.Type, Mod: f.Typmod}, loc: loc})
	}
	return out, nil
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// OutFields are the OUT, INOUT and TABLE arguments of a function, polymorphic ones as the call's arguments make them.
func OutFields(snap *catalog.Snapshot, call *expr.Call) []types.Field { return outFields(snap, call) }

// BindConversion binds the conversion of a value of type from, which it sees as CaseArg, to another type by assignment, or
// through text where no cast leads there.
func BindConversion(c *Context, from, to *types.T, typmod int32) (expr.Expr, error) {
	b := newBinder(context.Background(), c)
	var x expr.Expr = &expr.CaseArg{T: from}
	out, err := b.r.Coerce(x, to, typmod, expr.Assignment, -1)
	if err == nil || from.Kind == 'p' && from != types.UnknownT {
		return out, err
	}
	x = &expr.IOCast{X: x, T: types.TextT, Mod: -1, Loc: -1}
	x = &expr.IOCast{X: x, T: to.BaseType(), Mod: typmod, Loc: -1}
	return b.r.Coerce(x, to, typmod, expr.Assignment, -1)
}

// SetElement returns an array or jsonb value in which the element at the subscripts is another one.
func SetElement(t *types.T, whole, value types.Datum, subs []types.Datum) (types.Datum, error) {
	return setElement(t, whole, value, subs)
}

// SetSlice returns an array in which a slice is replaced by the first elements of values. bounds are a lower and an upper one
// for each dimension; one that was not given is the array's own.
func SetSlice(t *types.T, array, values types.Datum, bounds []types.Datum, given []bool) (types.Datum, error) {
	return setSlice(t, array, values, bounds, given)
}

// SetJSON returns a jsonb value in which what is at the path is another value; firstInt says that the first key is a
// number, which makes an array of a NULL.
func SetJSON(doc, value types.Datum, path []string, firstInt bool) (types.Datum, error) {
	return setJSON(doc, value, path, firstInt)
}

// BindVariables binds a stand-alone expression over the context's variables, as a value of type want.
func BindVariables(c *Context, text string, want *types.T) (expr.Expr, error) {
	b := newBinder(context.Background(), c)
	n, err := b.parseText(text)
	if err != nil {
		return nil, err
	}
	s := b.newScope(nil)
	s.kind = inWhere
	x, err := s.expr(n)
	if err != nil {
		return nil, err
	}
	return b.r.Coerce(x, want, -1, expr.Assignment, nodeLocation(n))
}

// withoutStars writes the fields of a routine's row variable in the place of variable.*, as in INSERT ... VALUES (NEW.*).
func (s *scope) withoutStars(nodes []*pg_query.Node) ([]*pg_query.Node, error) {
	if s.b.c.Variables == nil {
		return nodes, nil
	}
	out := make([]*pg_query.Node, 0, len(nodes))
	for _, n := range nodes {
		c := n.GetColumnRef()
		if c == nil || len(c.Fields) < 2 || c.Fields[len(c.Fields)-1].GetAStar() == nil {
			out = append(out, n)
			continue
		}
		fields, _, err := s.star(n)
		if err != nil {
			return nil, err
		}
		for _, f := range fields {
			path := append(slices.Clone(c.Fields[:len(c.Fields)-1]), &pg_query.Node{Node: &pg_query.Node_String_{String_: &pg_query.String{Sval: f.name}}})
			out = append(out, &pg_query.Node{Node: &pg_query.Node_ColumnRef{ColumnRef: &pg_query.ColumnRef{Fields: path, Location: c.Location}}})
		}
	}
	return out, nil
}
