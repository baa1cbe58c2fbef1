package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
)

// equalExpr reports whether two bound expressions are the same, wherever they were written.
func equalExpr(a, b expr.Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a == b {
		return true
	}
	if a, ok := a.(*expr.Subquery); ok {
		b, ok := b.(*expr.Subquery)
		return ok && sameSubquery(a, b)
	}
	if a.Type() != b.Type() || !sameNode(a, b) {
		return false
	}
	return slices.EqualFunc(a.Children(), b.Children(), equalExpr)
}

// sameSubquery compares two subqueries as they are written: SELECT (SELECT max(x) FROM t WHERE t.k = o.k) ... GROUP BY
// (SELECT max(x) FROM t WHERE t.k = o.k) is what ORMs send. In one scope the same words have the same meaning.
func sameSubquery(a, b *expr.Subquery) bool {
	x, okX := a.Plan.(*Subplan)
	y, okY := b.Plan.(*Subplan)
	return okX && okY && x.written != nil && y.written != nil && x.level == y.level && sql.Equal(x.written, y.written)
}

// sameNode compares two expressions apart from their children.
func sameNode(a, b expr.Expr) bool {
	switch a := a.(type) {
	case *expr.Const:
		b, ok := b.(*expr.Const)
		return ok && a.Mod == b.Mod && equalDatum(a.T, a.D, b.D)
	case *expr.Param:
		b, ok := b.(*expr.Param)
		return ok && a.N == b.N
	case *expr.ColRef:
		b, ok := b.(*expr.ColRef)
		return ok && a.ID == b.ID
	case *expr.Call:
		b, ok := b.(*expr.Call)
		return ok && a.Fn == b.Fn && a.Variadic == b.Variadic && a.Mod == b.Mod && len(a.Args) == len(b.Args)
	case *expr.And:
		_, ok := b.(*expr.And)
		return ok
	case *expr.Or:
		_, ok := b.(*expr.Or)
		return ok
	case *expr.Not:
		_, ok := b.(*expr.Not)
		return ok
	case *expr.IsNull:
		b, ok := b.(*expr.IsNull)
		return ok && a.Not == b.Not
	case *expr.BoolTest:
		b, ok := b.(*expr.BoolTest)
		return ok && a.Not == b.Not && a.Want == b.Want
	case *expr.Distinct:
		b, ok := b.(*expr.Distinct)
		return ok && a.Not == b.Not && a.Eq == b.Eq
	case *expr.Case:
		b, ok := b.(*expr.Case)
		return ok && (a.Arg == nil) == (b.Arg == nil) && (a.Else == nil) == (b.Else == nil) && len(a.Whens) == len(b.Whens)
	case *expr.CaseArg:
		_, ok := b.(*expr.CaseArg)
		return ok
	}
	return sameOther(a, b)
}

func sameOther(a, b expr.Expr) bool {
	switch a := a.(type) {
	case *expr.Coalesce:
		_, ok := b.(*expr.Coalesce)
		return ok
	case *expr.NullIf:
		b, ok := b.(*expr.NullIf)
		return ok && a.Eq == b.Eq
	case *expr.MinMax:
		b, ok := b.(*expr.MinMax)
		return ok && a.Greatest == b.Greatest
	case *expr.ScalarArray:
		b, ok := b.(*expr.ScalarArray)
		return ok && a.Op == b.Op && a.All == b.All
	case *expr.RowCompare:
		b, ok := b.(*expr.RowCompare)
		return ok && a.Op == b.Op && len(a.Left) == len(b.Left)
	case *expr.Array:
		b, ok := b.(*expr.Array)
		return ok && a.Multi == b.Multi
	case *expr.Row:
		_, ok := b.(*expr.Row)
		return ok
	case *expr.Field:
		b, ok := b.(*expr.Field)
		return ok && a.Index == b.Index
	case *expr.Subscript:
		b, ok := b.(*expr.Subscript)
		return ok && slices.EqualFunc(a.Indexes, b.Indexes, func(x, y expr.Index) bool {
			return x.Slice == y.Slice && (x.Lower == nil) == (y.Lower == nil) && (x.Upper == nil) == (y.Upper == nil)
		})
	case *expr.Relabel:
		b, ok := b.(*expr.Relabel)
		return ok && a.Mod == b.Mod
	case *expr.IOCast:
		b, ok := b.(*expr.IOCast)
		return ok && a.Mod == b.Mod
	case *expr.ArrayCast:
		b, ok := b.(*expr.ArrayCast)
		return ok && a.Mod == b.Mod && equalExpr(a.Elem, b.Elem)
	case *expr.ToDomain:
		_, ok := b.(*expr.ToDomain)
		return ok
	case *expr.Collate:
		b, ok := b.(*expr.Collate)
		return ok && a.Name == b.Name && a.Key == b.Key
	}
	return false
}

// equalDatum compares constants by value; of the types held by reference only those with an order are compared.
func equalDatum(t *types.T, a, b types.Datum) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull()
	}
	switch t.Rep {
	case types.RepBool, types.RepInt, types.RepFloat:
		return a.Int() == b.Int()
	case types.RepString:
		return a.Str() == b.Str()
	case types.RepRef:
		if a.Ref() == b.Ref() {
			return true
		}
		// 1.0 and 1.00 are equal but not the same constant; their text tells them apart.
		io := types.DefaultIO()
		return types.Sortable(t) && types.Equal(t, a, b) &&
			string(types.Output(io, t, nil, a)) == string(types.Output(io, t, nil, b))
	}
	return false
}

// equalAgg reports whether two aggregate calls compute the same.
func equalAgg(a, b *expr.Agg) bool {
	if a.Fn != b.Fn || a.Direct != b.Direct || a.Distinct != b.Distinct || a.Star != b.Star || a.Variadic != b.Variadic ||
		len(a.Args) != len(b.Args) || len(a.OrderBy) != len(b.OrderBy) || (a.Filter == nil) != (b.Filter == nil) {
		return false
	}
	for i := range a.OrderBy {
		x, y := a.OrderBy[i], b.OrderBy[i]
		if x.Desc != y.Desc || x.NullsFirst != y.NullsFirst || x.Less != y.Less {
			return false
		}
	}
	if slices.ContainsFunc(a.Children(), isVolatile) {
		return false
	}
	return slices.EqualFunc(a.Children(), b.Children(), equalExpr)
}

// DirectArgs are the direct arguments of one of the node's aggregates for a grouping set: keys that the set leaves out are
// NULL in them.
func (a *Aggregate) DirectArgs(agg *expr.Agg, set int) []expr.Expr {
	args := agg.Args[:agg.Direct]
	if a.Sets == nil {
		return args
	}
	out := make([]expr.Expr, len(args))
	for i, x := range args {
		out[i] = expr.Rewrite(x, func(e expr.Expr) expr.Expr {
			k := slices.IndexFunc(a.Keys, func(k expr.Expr) bool { return equalExpr(k, e) })
			if k < 0 || slices.Contains(a.Sets[set], k) {
				return e
			}
			return &expr.Const{T: e.Type(), Mod: e.Typmod(), Loc: -1}
		})
	}
	return out
}

// equalSortKeys reports whether two orderings are the same.
func equalSortKeys(a, b []expr.SortKey) bool {
	return slices.EqualFunc(a, b, func(x, y expr.SortKey) bool {
		return x.Desc == y.Desc && x.NullsFirst == y.NullsFirst && x.Less == y.Less && equalExpr(x.X, y.X)
	})
}

// isVolatile reports whether evaluating e twice may give two values or has effects.
func isVolatile(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Call:
			found = found || e.Fn.Volatility == 'v'
		case *expr.Subquery:
			found = found || subplanVolatile(e)
		}
		return !found
	})
	return found
}

// CallsRoutine reports whether a plan calls volatile functions of users, which may read what the statement has written.
func CallsRoutine(n Node) bool {
	called := func(e expr.Expr) bool {
		found := false
		expr.Walk(e, func(e expr.Expr) bool {
			switch e := e.(type) {
			case *expr.Call:
				found = found || e.Fn.User != nil && e.Fn.Volatility == 'v'
			case *expr.Subquery:
				sp, ok := e.Plan.(*Subplan)
				found = found || ok && CallsRoutine(sp.Root)
			}
			return !found
		})
		return found
	}
	return slices.ContainsFunc(NodeExprs(n), called) || slices.ContainsFunc(n.Inputs(), CallsRoutine)
}

func subplanVolatile(s *expr.Subquery) bool {
	sp, ok := s.Plan.(*Subplan)
	return ok && planVolatile(sp.Root)
}

func planVolatile(n Node) bool {
	switch n.(type) {
	case *Insert, *Update, *Delete, *LockRows:
		return true
	}
	return slices.ContainsFunc(NodeExprs(n), isVolatile) || slices.ContainsFunc(n.Inputs(), planVolatile)
}

// returnsSet reports whether a set-returning call is anywhere in e.
func returnsSet(e expr.Expr) bool { return setCall(e) != nil }

// setCall finds a set-returning call in e, nil for none.
func setCall(e expr.Expr) *expr.Call {
	var found *expr.Call
	expr.Walk(e, func(e expr.Expr) bool {
		if c, ok := e.(*expr.Call); ok && c.Fn.RetSet {
			found = c
		}
		return found == nil
	})
	return found
}

// hasSubquery reports whether e holds a subquery.
func hasSubquery(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if _, ok := e.(*expr.Subquery); ok {
			found = true
		}
		return !found
	})
	return found
}
