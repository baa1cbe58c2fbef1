package planner

import (
	"math"
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// pushEnds makes min(x) and max(x) without GROUP BY subqueries, SELECT x WHERE x IS NOT NULL ORDER BY x LIMIT 1, when an
// index has the order of x.
func pushEnds(c *Context, n Node) Node {
	a, ok := n.(*Aggregate)
	if !ok || a.Sets != nil || len(a.Keys)+len(a.Grouping) > 0 || len(a.Aggs) == 0 {
		return nil
	}
	in, _, aggs, ok := groupSource(a)
	if !ok {
		return nil
	}
	p := asPushed(c, in)
	if p == nil || p.Limit != nil || p.Offset != nil || p.Group != nil || len(p.Sort) > 0 {
		return nil
	}
	out := &Project{Input: &Result{}}
	for _, g := range aggs {
		root := end(c, p, g)
		if root == nil {
			return nil
		}
		out.Exprs = append(out.Exprs, &expr.Subquery{Kind: expr.SubScalar, Plan: &Subplan{Root: root}, T: g.Col.Type, Mod: -1})
		out.Out = append(out.Out, g.Col)
	}
	return out
}

// end returns the plan of the row that holds a minimum or maximum, nil if no index leads to it.
func end(c *Context, p *Pushed, g AggItem) Node {
	a := g.Agg
	if a.Fn.User != nil || a.Fn.Name != "min" && a.Fn.Name != "max" || a.Filter != nil || len(a.Args) != 1 || len(a.OrderBy) > 0 || a.Args[0].Type() != a.T {
		return nil
	}
	most := a.Fn.Name == "max"
	keys := []expr.SortKey{{X: a.Args[0], Desc: most, NullsFirst: !most}}
	col := sortedColumn(p.Scan.Matcher(), keys[0])
	if col == nil || orderedLeaf(p, keys) == nil {
		return nil
	}
	leaf := *p
	if !col.NotNull {
		leaf.Filter = append(slices.Clone(p.Filter), &expr.IsNull{X: stripRelabel(a.Args[0]), Not: true})
	}
	one := &expr.Const{T: types.Int8T, D: types.Int(1), Mod: -1}
	sorted := &Sort{Input: &leaf, Keys: keys}
	top := pushTopN(c, &Limit{Input: sorted, Limit: one})
	if top == nil {
		return nil
	}
	return &Project{Input: top, Exprs: a.Args, Out: []Col{g.Col}}
}

// pushDistinctKeys lets MongoDB find the values of a column by jumping from one to the next in an index.
func pushDistinctKeys(c *Context, n Node) Node {
	d, ok := n.(*Distinct)
	if !ok || d.On != nil || len(d.Cols()) != 1 {
		return nil
	}
	col := d.Cols()[0]
	a := &Aggregate{Input: d.Input, Keys: []expr.Expr{&expr.ColRef{ID: col.ID, T: col.Type, Mod: col.Mod, Name: col.Name}}, KeyCols: d.Cols()}
	in, keys, _, ok := groupSource(a)
	if !ok {
		return nil
	}
	p := asPushed(c, in)
	if p == nil {
		return nil
	}
	m := p.Scan.Matcher()
	stored := sortColumn(m, keys[0])
	if stored == nil || slices.ContainsFunc(p.Filter, func(f expr.Expr) bool { return readsOther(m, f, stored) }) {
		return nil
	}
	if ix, unique := leadingIndex(p.Scan.Rel, stored); ix == nil || unique {
		return nil
	}
	return pushGroup(c, a)
}

// readsOther reports whether e reads another column of the collection than col.
func readsOther(m *expr.Matcher, e expr.Expr, col *catalog.Column) bool {
	other := false
	expr.Walk(e, func(x expr.Expr) bool {
		if r, ok := x.(*expr.ColRef); ok {
			c := m.Column(r.ID)
			other = other || c != nil && c != col
		}
		return !other
	})
	return other
}

func sortColumn(m *expr.Matcher, e expr.Expr) *catalog.Column {
	return sortedColumn(m, expr.SortKey{X: e})
}

// pushTopBelowGroup lets a limit choose rows before they are grouped: each row of the left side of an outer join is in a
// group of its own when the grouping is by its primary key, and there is at least one row for it. So the first groups are
// those of the first left rows. The sort and the limit stay, for grouping loses the order.
func pushTopBelowGroup(c *Context, l *Limit, s *Sort, a *Aggregate, keys []expr.SortKey) (Node, bool) {
	need := rowsNeeded(l)
	if need == nil || a.Sets != nil || len(a.Grouping) > 0 {
		return nil, false
	}
	inner := make([]expr.SortKey, len(keys))
	for i, k := range keys {
		ref, ok := k.X.(*expr.ColRef)
		if !ok {
			return nil, false
		}
		at := slices.IndexFunc(a.KeyCols, func(col Col) bool { return col.ID == ref.ID })
		if at < 0 {
			return nil, false
		}
		inner[i] = k
		inner[i].X = a.Keys[at]
	}
	in, ok := topOfLeft(c, &Limit{Limit: need}, a.Input, inner, a.Keys, false)
	if !ok {
		return nil, false
	}
	out := *l
	out.Input = replaceBelowProjects(s, a.WithInputs([]Node{in}))
	return &out, true
}

// replaceBelowProjects puts a node under a sort and the projections below it.
func replaceBelowProjects(n, leaf Node) Node {
	switch n := n.(type) {
	case *Sort, *Project:
		return n.WithInputs([]Node{replaceBelowProjects(n.Inputs()[0], leaf)})
	}
	return leaf
}

// rowsNeeded is how many rows a limit reads, nil if that is not known.
func rowsNeeded(l *Limit) expr.Expr {
	if l.Limit == nil || l.Offset == nil {
		return l.Limit
	}
	limit, ok1 := l.Limit.(*expr.Const)
	offset, ok2 := l.Offset.(*expr.Const)
	if !ok1 || !ok2 || limit.D.IsNull() || offset.D.IsNull() || limit.D.Int() < 0 || offset.D.Int() < 0 || limit.D.Int() > math.MaxInt64-offset.D.Int() {
		return nil
	}
	return &expr.Const{T: types.Int8T, D: types.Int(limit.D.Int() + offset.D.Int()), Mod: -1}
}

// topOfLeft puts a sort and a limit over the leaf at the left of outer joins, one of whose unique keys must be among the
// grouping's keys. joined says that there is such a join.
func topOfLeft(c *Context, l *Limit, n Node, keys []expr.SortKey, grouping []expr.Expr, joined bool) (Node, bool) {
	switch n := n.(type) {
	case *Project:
		below, inner, ok := sortSource(n, keys)
		if !ok {
			return nil, false
		}
		through := make([]expr.Expr, 0, len(grouping))
		for _, g := range grouping {
			if e := throughProjects(n, g); e != nil {
				through = append(through, e)
			}
		}
		in, ok := topOfLeft(c, l, below, inner, through, joined)
		if !ok {
			return nil, false
		}
		return replaceBelowProjects(n, in), true
	case *Join:
		if n.Kind != LeftJoin || n.Lateral {
			return nil, false
		}
		in, ok := topOfLeft(c, l, n.Left, keys, grouping, true)
		if !ok {
			return nil, false
		}
		return n.WithInputs([]Node{in, n.Right}), true
	case *Scan, *Pushed:
		p := asPushed(c, n)
		if !joined || p == nil || !groupsByPrimaryKey(p, grouping) {
			return nil, false
		}
		top := *l
		return pushLimitInto(c, &top, &Sort{Input: n, Keys: keys})
	}
	return nil, false
}

func groupsByPrimaryKey(p *Pushed, grouping []expr.Expr) bool {
	m := p.Scan.Matcher()
	by := map[int16]bool{}
	for _, g := range grouping {
		if col := sortColumn(m, g); col != nil {
			by[col.Attnum] = true
		}
	}
	return slices.ContainsFunc(p.Scan.Rel.Indexes, func(ix *catalog.Index) bool {
		return ix.Primary && !ix.Invalid && len(ix.Keys) > 0 && !slices.ContainsFunc(ix.Keys, func(k catalog.IndexKey) bool { return !by[k.Attnum] })
	})
}
