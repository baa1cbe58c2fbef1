package expr

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// Matcher compiles conditions to MongoDB's match language, which uses indexes and brackets types, so that NULL, missing
// fields and values of other types fall out of a comparison as SQL's NULL does. Aggregation expressions ($expr) do not:
// there, null < 2 is true.
type Matcher struct {
	// Column returns the stored column that a ColRef stands for, or nil when it is not one of the collection's.
	Column func(id ColID) *catalog.Column
}

// Match is a compiled condition. Render gives the filter when the values of parameters are known.
type Match struct {
	// Recheck says that the filter lets through more rows than the condition, so that it must be evaluated again.
	Recheck bool
	render  func(value Valuer) (bson.D, error)
}

// Valuer evaluates an expression without columns of the collection: a constant, a parameter, an outer column.
type Valuer func(e Expr) (types.Datum, error)

// Render returns the filter. Errors are those of evaluating values.
func (m *Match) Render(value Valuer) (bson.D, error) { return m.render(value) }

// Element makes a condition on an element of the array at a path one on the document: that some element fulfils it.
func (m *Match) Element(path []string) *Match {
	return &Match{Recheck: true, render: func(value Valuer) (bson.D, error) {
		d, err := m.render(value)
		if err != nil {
			return nil, err
		}
		return bson.D{{Key: strings.Join(path, "."), Value: bson.D{{Key: "$elemMatch", Value: d}}}}, nil
	}}
}

// Filter compiles a condition for a place where only TRUE counts (WHERE). The second result says why there is no match
// form, for EXPLAIN.
func (m *Matcher) Filter(e Expr) (*Match, string) { return m.compile(e, false) }

// nothing matches no document; everything matches all.
func nothing() bson.D    { return bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: bson.A{}}}}} }
func everything() bson.D { return bson.D{} }

// Lookup returns the stored column behind a key that values of another type are looked up in, nil when MongoDB's equality
// is not PostgreSQL's there.
func (m *Matcher) Lookup(key Expr, other *types.T) *catalog.Column {
	col := m.column(key)
	if col == nil || incomparable(col, key.Type(), other, true) != "" {
		return nil
	}
	return col
}

// In returns the filter of the documents whose column equals one of the values, which are of type t and not NULL. It may let
// more through.
func In(col *catalog.Column, t *types.T, vals []types.Datum) (bson.D, error) {
	return field{col}.in(true, t, vals)
}

// Equality returns the stored column that a condition compares with a value, and that value, when the condition is an
// equality that MongoDB's own comparison decides; nil for others.
func (m *Matcher) Equality(e Expr) (*catalog.Column, Expr) {
	c, ok := e.(*Call)
	if !ok || c.Op != "=" || len(c.Args) != 2 {
		return nil, nil
	}
	left, right := c.Args[0], c.Args[1]
	col := m.column(left)
	if col == nil {
		left, right = right, left
		col = m.column(left)
	}
	if col == nil || m.reads(right) || incomparable(col, left.Type(), right.Type(), true) != "" {
		return nil, nil
	}
	return col, right
}

// compile handles e where TRUE counts, or, negated, where FALSE counts: NOT is pushed to the leaves, since $nor and $not
// are two-valued complements: NOT (a > 2) must not let a NULL a through.
func (m *Matcher) compile(e Expr, negated bool) (*Match, string) {
	switch e := e.(type) {
	case *And:
		return m.compileList(e.Args, negated, negated)
	case *Or:
		return m.compileList(e.Args, negated, !negated)
	case *Not:
		return m.compile(e.X, !negated)
	case *IsNull:
		return m.compileIsNull(e, negated)
	case *BoolTest:
		return m.compileBoolTest(e, negated)
	case *ColRef:
		return m.compileBool(e, !negated)
	case *Call:
		return m.compileCall(e, negated)
	case *ScalarArray:
		return m.compileIn(e, negated)
	case *RowCompare:
		return m.compileRow(e, negated)
	case *Const, *Param:
		return m.compileConstant(e, negated), ""
	}
	if !m.reads(e) {
		return m.compileConstant(e, negated), ""
	}
	return nil, "no match form of this expression"
}

// compileList joins conditions by $and or $or. An $and may leave out what it cannot say, as a superset with a recheck;
// an $or may not.
func (m *Matcher) compileList(args []Expr, negated, or bool) (*Match, string) {
	var parts []*Match
	recheck := false
	for _, a := range args {
		part, why := m.compile(a, negated)
		if part == nil {
			if or {
				return nil, why
			}
			recheck = true
			continue
		}
		recheck = recheck || part.Recheck
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nil, "no match form of any part"
	}
	op := "$and"
	if or {
		op = "$or"
	}
	return &Match{Recheck: recheck, render: func(value Valuer) (bson.D, error) {
		list := make(bson.A, 0, len(parts))
		for _, p := range parts {
			d, err := p.render(value)
			if err != nil {
				return nil, err
			}
			list = append(list, d)
		}
		return bson.D{{Key: op, Value: list}}, nil
	}}, ""
}

// compileConstant is a condition without columns of the collection: all rows or none.
func (m *Matcher) compileConstant(e Expr, negated bool) *Match {
	return &Match{render: func(value Valuer) (bson.D, error) {
		d, err := value(e)
		if err != nil || d.IsNull() || d.Bool() == negated {
			return nothing(), err
		}
		return everything(), nil
	}}
}

func (m *Matcher) compileIsNull(e *IsNull, negated bool) (*Match, string) {
	col := m.column(e.X)
	if col == nil {
		return nil, "IS NULL of an expression"
	}
	if col.Type.Kind == 'c' || col.Type == types.RecordT {
		return nil, "IS NULL of a row looks at its fields"
	}
	wantNull := e.Not == negated
	f := field{col}
	return &Match{render: func(Valuer) (bson.D, error) { return f.null(wantNull), nil }}, ""
}

func (m *Matcher) compileBoolTest(e *BoolTest, negated bool) (*Match, string) {
	col := m.column(e.X)
	if col == nil || col.Type != types.BoolT || col.Form != catalog.FormNatural {
		return nil, "IS TRUE of an expression"
	}
	f, is := field{col}, e.Not == negated
	return &Match{render: func(Valuer) (bson.D, error) {
		if e.Want == 'u' {
			return f.null(is), nil
		}
		want := types.Bool(e.Want == 't')
		if is {
			return f.compare("$eq", want, func(d types.Datum) bool { return d.Bool() == want.Bool() })
		}
		// IS NOT TRUE lets NULL through, as $ne does.
		return f.guard("$ne", e.Want == 't', col.Missing.IsNull() || col.Missing.Bool() != want.Bool()), nil
	}}, ""
}

func (m *Matcher) compileBool(e Expr, want bool) (*Match, string) {
	col := m.column(e)
	if col == nil || col.Type != types.BoolT || col.Form != catalog.FormNatural {
		return nil, "not a stored boolean"
	}
	f := field{col}
	return &Match{render: func(Valuer) (bson.D, error) {
		return f.compare("$eq", types.Bool(want), func(d types.Datum) bool { return d.Bool() == want })
	}}, ""
}

// column returns the stored column behind e, through casts that change neither the value nor how it compares.
func (m *Matcher) column(e Expr) *catalog.Column {
	switch e := e.(type) {
	case *ColRef:
		if c := m.Column(e.ID); c != nil && c.Named() {
			return c
		}
	case *Relabel:
		return m.column(e.X)
	case *Collate:
		if e.Key || e.Text {
			return nil // MongoDB orders the column by bytes
		}
		return m.column(e.X)
	case *Call:
		// A widening cast of integers compares in MongoDB as it does here; int8 to float8 does not: 2^53+1 is rounded.
		if e.Cast == 0 || len(e.Args) == 0 || e.Mod != -1 {
			return nil
		}
		from, to := e.Args[0].Type(), e.T
		exact := isInteger(from) && (isInteger(to) && to.Len > from.Len || to == types.NumericT) ||
			isInteger(from) && from != types.Int8T && to == types.Float8T
		if exact {
			return m.column(e.Args[0])
		}
	}
	return nil
}

// reads reports whether e depends on a column of the collection, or must not be computed once for all rows.
func (m *Matcher) reads(e Expr) bool {
	found := false
	Walk(e, func(x Expr) bool {
		switch x := x.(type) {
		case *ColRef:
			found = found || m.Column(x.ID) != nil
		case *Call:
			found = found || x.Fn.Volatility == 'v' || x.Fn.RetSet
		case *Subquery, *Agg, *WindowCall, *CaseArg:
			found = true
		}
		return !found
	})
	return found
}

func isInteger(t *types.T) bool { return t == types.Int2T || t == types.Int4T || t == types.Int8T }
