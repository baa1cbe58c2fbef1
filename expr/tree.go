package expr

import (
	"slices"

	"github.com/pgmongo/pgmongo/types"
)

// ColSet is a set of columns.
type ColSet map[ColID]struct{}

// Has reports whether the set holds a column.
func (s ColSet) Has(c ColID) bool { _, ok := s[c]; return ok }

// Columns returns the columns that an expression refers to. Those inside a subquery's plan are the planner's to tell.
func Columns(list ...Expr) ColSet {
	s := ColSet{}
	for _, e := range list {
		Walk(e, func(e Expr) bool {
			if c, ok := e.(*ColRef); ok {
				s[c.ID] = struct{}{}
			}
			return true
		})
	}
	return s
}

// Substitute replaces columns by expressions.
func Substitute(e Expr, by map[ColID]Expr) Expr {
	return Rewrite(e, func(e Expr) Expr {
		if c, ok := e.(*ColRef); ok {
			if x := by[c.ID]; x != nil {
				return x
			}
		}
		return e
	})
}

// Volatility returns the greatest volatility in an expression: 'i' immutable, 's' stable, 'v' volatile. A subquery counts
// as volatile unless the planner knows better, parameters as immutable.
func Volatility(e Expr) byte {
	worst := byte('i')
	note := func(v byte) {
		if v == 'v' || v == 's' && worst == 'i' {
			worst = v
		}
	}
	Walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Call:
			note(e.Fn.Volatility)
		case *ScalarArray:
			note(e.Op.Volatility)
		case *Agg:
			note(e.Fn.Volatility)
		case *WindowCall:
			note(e.Fn.Volatility)
		case *IOCast:
			note(ioVolatility(e.X.Type(), e.T))
		case *ToDomain:
			// A domain's constraints may change under a cached plan.
			note('s')
		case *Subquery:
			note('v')
		}
		return true
	})
	return worst
}

// ioVolatility is that of a conversion through text: output of one type and input of another.
func ioVolatility(from, to *types.T) byte {
	io := typeIOs()
	out, in := io[deepBase(from).OID].out, io[deepBase(to).OID].in
	switch {
	case out == 'v' || in == 'v':
		return 'v'
	case out != 'i' || in != 'i':
		return 's'
	}
	return 'i'
}

// deepBase looks through domains and arrays to the type whose input function decides. Enums, ranges and composites of the
// user have no row in the dump and count as stable, like their input functions.
func deepBase(t *types.T) *types.T {
	t = t.BaseType()
	if t.IsArray() {
		return deepBase(t.Elem)
	}
	return t
}

// Equal reports whether two expressions are the same tree, wherever they were written. Subqueries are the same only if
// they are one node.
func Equal(a, b Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a == b {
		return true
	}
	if a.Type() != b.Type() || !equalNode(a, b) {
		return false
	}
	return slices.EqualFunc(a.Children(), b.Children(), Equal)
}

// equalNode compares two nodes without what is below them.
func equalNode(a, b Expr) bool {
	switch a := a.(type) {
	case *Const:
		b, ok := b.(*Const)
		return ok && a.Mod == b.Mod && sameDatum(a.T, a.D, b.D)
	case *Param:
		b, ok := b.(*Param)
		return ok && a.N == b.N
	case *ColRef:
		b, ok := b.(*ColRef)
		return ok && a.ID == b.ID
	case *CaseArg:
		_, ok := b.(*CaseArg)
		return ok
	case *Call:
		b, ok := b.(*Call)
		return ok && sameProc(a.Fn, b.Fn) && a.Mod == b.Mod && a.Variadic == b.Variadic
	case *And:
		_, ok := b.(*And)
		return ok
	case *Or:
		_, ok := b.(*Or)
		return ok
	case *Not:
		_, ok := b.(*Not)
		return ok
	case *IsNull:
		b, ok := b.(*IsNull)
		return ok && a.Not == b.Not
	case *BoolTest:
		b, ok := b.(*BoolTest)
		return ok && a.Want == b.Want && a.Not == b.Not
	case *Distinct:
		b, ok := b.(*Distinct)
		return ok && a.Not == b.Not && sameProc(a.Eq, b.Eq)
	case *Case:
		b, ok := b.(*Case)
		return ok && len(a.Whens) == len(b.Whens) && (a.Arg == nil) == (b.Arg == nil) && (a.Else == nil) == (b.Else == nil)
	case *Coalesce:
		_, ok := b.(*Coalesce)
		return ok
	case *NullIf:
		b, ok := b.(*NullIf)
		return ok && sameProc(a.Eq, b.Eq)
	case *MinMax:
		b, ok := b.(*MinMax)
		return ok && a.Greatest == b.Greatest
	}
	return equalMore(a, b)
}

func equalMore(a, b Expr) bool {
	switch a := a.(type) {
	case *ScalarArray:
		b, ok := b.(*ScalarArray)
		return ok && sameProc(a.Op, b.Op) && a.All == b.All
	case *RowCompare:
		b, ok := b.(*RowCompare)
		return ok && a.Op == b.Op && len(a.Left) == len(b.Left)
	case *Array:
		b, ok := b.(*Array)
		return ok && a.Multi == b.Multi
	case *Row:
		_, ok := b.(*Row)
		return ok
	case *Field:
		b, ok := b.(*Field)
		return ok && a.Index == b.Index
	case *Subscript:
		b, ok := b.(*Subscript)
		return ok && slices.EqualFunc(a.Indexes, b.Indexes, func(x, y Index) bool {
			return x.Slice == y.Slice && (x.Lower == nil) == (y.Lower == nil) && (x.Upper == nil) == (y.Upper == nil)
		})
	case *Relabel:
		b, ok := b.(*Relabel)
		return ok && a.Mod == b.Mod
	case *IOCast:
		b, ok := b.(*IOCast)
		return ok && a.Mod == b.Mod
	case *ArrayCast:
		b, ok := b.(*ArrayCast)
		return ok && a.Mod == b.Mod && Equal(a.Elem, b.Elem)
	case *ToDomain:
		_, ok := b.(*ToDomain)
		return ok
	case *Collate:
		b, ok := b.(*Collate)
		return ok && a.Name == b.Name && a.Schema == b.Schema && a.Key == b.Key && a.Text == b.Text
	case *Agg:
		b, ok := b.(*Agg)
		return ok && sameProc(a.Fn, b.Fn) && a.Direct == b.Direct && a.Distinct == b.Distinct && a.Star == b.Star &&
			a.Variadic == b.Variadic && len(a.Args) == len(b.Args) && (a.Filter == nil) == (b.Filter == nil) &&
			slices.EqualFunc(a.OrderBy, b.OrderBy, sameOrder)
	case *WindowCall:
		b, ok := b.(*WindowCall)
		return ok && sameProc(a.Fn, b.Fn) && a.Star == b.Star && a.Window == b.Window && (a.Filter == nil) == (b.Filter == nil)
	}
	return false
}

func sameOrder(x, y SortKey) bool {
	return x.Desc == y.Desc && x.NullsFirst == y.NullsFirst && sameProc(x.Less, y.Less)
}

func sameProc(a, b *Proc) bool { return a == b || a != nil && b != nil && a.OID == b.OID }

// sameDatum compares constants as written: 1.0 and 1.00 are different expressions though equal numbers.
func sameDatum(t *types.T, a, b types.Datum) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull()
	}
	io := types.DefaultIO()
	return string(types.Output(io, t, nil, a)) == string(types.Output(io, t, nil, b))
}
