package planner

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// PushedAgg names what MongoDB computes for an aggregate.
type PushedAgg uint8

// The aggregates that MongoDB computes.
const (
	PushedNone PushedAgg = iota
	PushedCountStar
	PushedCount
	PushedSum
	PushedAvg
	PushedMin
	PushedMax
)

// pushGroup moves a plain GROUP BY over a leaf without recheck into MongoDB. The executor makes up what MongoDB says
// otherwise: no row for an empty input without GROUP BY, 0 for the sum of no values.
func pushGroup(c *Context, n Node) Node {
	a, ok := n.(*Aggregate)
	if !ok || a.Sets != nil || len(a.Grouping) > 0 {
		return nil
	}
	leaf, keys, aggs, ok := groupSource(a)
	if !ok {
		return nil
	}
	p := asPushed(c, leaf)
	if p == nil || p.Limit != nil || p.Offset != nil || p.Group != nil || len(p.Recheck) > 0 {
		return nil
	}
	m := p.Scan.Matcher()
	for _, k := range keys {
		if !groupable(m, k) {
			return nil
		}
	}
	for _, g := range aggs {
		if AggForm(m, g.Agg) == PushedNone {
			return nil
		}
	}
	out := *p
	out.Sort = nil
	out.Group = &PushedGroup{Keys: keys, KeyCols: a.KeyCols, Aggs: aggs}
	out.Out = a.Cols()
	return &out
}

// groupSource looks through projections below a grouping and expresses its keys and arguments over what is under them.
func groupSource(a *Aggregate) (Node, []expr.Expr, []AggItem, bool) {
	n, keys, aggs := a.Input, a.Keys, a.Aggs
	for {
		p, ok := n.(*Project)
		if !ok {
			return n, keys, aggs, true
		}
		by := map[expr.ColID]expr.Expr{}
		for i, o := range p.Out {
			if _, plain := stripRelabel(p.Exprs[i]).(*expr.ColRef); !plain {
				return nil, nil, nil, false
			}
			by[o.ID] = p.Exprs[i]
		}
		replace := func(e expr.Expr) expr.Expr {
			return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
				if r, ok := x.(*expr.ColRef); ok && by[r.ID] != nil {
					return by[r.ID]
				}
				return x
			})
		}
		newKeys, newAggs := make([]expr.Expr, len(keys)), make([]AggItem, len(aggs))
		for i, k := range keys {
			newKeys[i] = replace(k)
		}
		for i, g := range aggs {
			newAggs[i] = AggItem{Col: g.Col, Agg: replace(g.Agg).(*expr.Agg)}
		}
		n, keys, aggs = p.Input, newKeys, newAggs
	}
}

// groupable reports whether MongoDB's groups of a column are PostgreSQL's. A timestamp's microseconds are in another field.
func groupable(m *expr.Matcher, e expr.Expr) bool {
	ref, ok := stripRelabel(e).(*expr.ColRef)
	if !ok {
		return false
	}
	col := m.Column(ref.ID)
	return col != nil && !col.Micros && ordersAlike(col)
}

// AggForm says how MongoDB computes an aggregate exactly, PushedNone if it cannot: sums of floats depend on the order of
// addition, and sums of numerics may need more than 34 digits.
func AggForm(m *expr.Matcher, a *expr.Agg) PushedAgg {
	if a.Distinct || a.Filter != nil || len(a.OrderBy) > 0 || a.Direct > 0 || a.Fn.User != nil {
		return PushedNone
	}
	if a.Star {
		return PushedCountStar
	}
	if len(a.Args) != 1 {
		return PushedNone
	}
	ref, ok := stripRelabel(a.Args[0]).(*expr.ColRef)
	if !ok {
		return PushedNone
	}
	col := m.Column(ref.ID)
	if col == nil || col.MayArray || !col.Missing.IsNull() || !col.Named() {
		return PushedNone
	}
	integer := col.Type == types.Int2T || col.Type == types.Int4T || col.Type == types.Int8T
	switch a.Fn.Name {
	case "count":
		return PushedCount
	case "sum":
		if integer {
			return PushedSum
		}
	case "avg":
		if integer {
			return PushedAvg
		}
	case "min", "max":
		if !ordersAlike(col) || col.Micros || col.Type == types.BoolT || col.Type == types.UUIDT || a.Args[0].Type() != a.T {
			return PushedNone
		}
		if a.Fn.Name == "min" {
			return PushedMin
		}
		return PushedMax
	}
	return PushedNone
}
