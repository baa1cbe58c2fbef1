package planner

import (
	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// pushRules let the leaf Pushed absorb its parents, bottom-up, as far as the meaning stays PostgreSQL's.
var pushRules = []Rule{
	{"PushFilter", pushFilter},
	{"PushElementFilter", pushElementFilter},
	{"PushTopN", pushTopN},
	{"PushEnds", pushEnds},
	{"PushGroup", pushGroup},
	{"PushDistinct", pushDistinctKeys},
	{"WriteDirectly", writeDirectly},
}

// Matcher returns the compiler of match filters over a scan's columns.
func (n *Scan) Matcher() *expr.Matcher {
	cols := make(map[expr.ColID]*catalog.Column, len(n.Attnums))
	for i, att := range n.Attnums {
		if col := n.Rel.ByAttnum(att); col != nil && i < len(n.Out) {
			if n.Rel.Unwind != nil {
				in := *col
				in.Path = relative(col, n.Rel.Unwind)
				col = &in
			}
			cols[n.Out[i].ID] = col
		}
	}
	return &expr.Matcher{Column: func(id expr.ColID) *catalog.Column { return cols[id] }}
}

// asPushed returns the leaf that may absorb: n itself, or a scan of a collection about to become one; nil for others. The
// child tables of arrays read their parent's documents and unwind them here, so a filter of theirs is not one of documents. A view of MongoDB
// refuses to be read by another collation than its own, under which 'a' = 'A' may hold. Where values that do not fit read as NULL, MongoDB's a <> 5 would let them through, and where they are errors, a < 5 would pass over them.
func asPushed(c *Context, n Node) *Pushed {
	if c.Settings.PushdownOff {
		return nil
	}
	switch n := n.(type) {
	case *Pushed:
		return n
	case *Scan:
		if n.Rel.Virtual != nil || n.Rel.Collection == "" || n.Rel.Unwind != nil || n.Sample != "" || n.NullMisfits || c.Settings.StrictErrors && n.Rel.Native || n.Rel.Collated && n.Rel.ReadOnly {
			return nil
		}
		return &Pushed{Scan: n, Out: n.Out}
	}
	return nil
}

// pushFilter moves conditions into MongoDB, conjunct by conjunct. Not after a limit: a filter above LIMIT 5 sees five
// rows, below it it would choose other ones.
func pushFilter(c *Context, n Node) Node {
	f, ok := n.(*Filter)
	if !ok {
		return nil
	}
	p := asPushed(c, f.Input)
	if p == nil || p.Limit != nil || p.Offset != nil || p.Group != nil {
		return nil
	}
	m, out := p.Scan.Matcher(), *p
	var rest []expr.Expr
	for _, cond := range f.Conds {
		match, why := m.Filter(cond)
		if match == nil {
			rest = append(rest, cond)
			out.NotPushed = append(out.NotPushed[:len(out.NotPushed):len(out.NotPushed)], NotPushed{Cond: cond, Why: why})
			continue
		}
		out.Filter = append(out.Filter[:len(out.Filter):len(out.Filter)], cond)
		if match.Recheck {
			out.Recheck = append(out.Recheck[:len(out.Recheck):len(out.Recheck)], cond)
		}
	}
	if len(rest) == 0 {
		return &out
	}
	if f.Input == Node(p) && len(rest) == len(f.Conds) {
		return nil // what this rule left above the leaf stays there
	}
	return &Filter{Input: &out, Conds: rest}
}

// pushTopN moves LIMIT, and a sort right below it, into MongoDB, through projections that compute one row from one row.
// A recheck above would count rows that do not qualify: such a leaf keeps its limit outside.
func pushTopN(c *Context, n Node) Node {
	l, ok := n.(*Limit)
	if !ok || l.WithTies {
		return nil
	}
	below, ok := pushLimitInto(c, l, l.Input)
	if !ok {
		return nil
	}
	return below
}

func pushLimitInto(c *Context, l *Limit, n Node) (Node, bool) {
	switch n := n.(type) {
	case *Project:
		below, ok := pushLimitInto(c, l, n.Input)
		if !ok {
			return nil, false
		}
		return n.WithInputs([]Node{below}), true
	case *Join:
		// Each row of the left side is one row of the join.
		if n.Kind != LeftJoin || n.Lateral || !uniqueRight(n.Right, n.Equi) {
			return nil, false
		}
		below, ok := pushLimitInto(c, l, n.Left)
		if !ok {
			return nil, false
		}
		return n.WithInputs([]Node{below, n.Right}), true
	case *Sort:
		below, keys, ok := sortSource(n.Input, n.Keys)
		if !ok {
			return nil, false
		}
		if n.Presorted > 0 {
			return nil, false
		}
		if j, ok := below.(*Join); ok {
			return pushTopIntoLeft(c, l, n, j, keys)
		}
		if a, ok := below.(*Aggregate); ok {
			return pushTopBelowGroup(c, l, n, a, keys)
		}
		if out := pushOrder(c, l, n, below, keys); out != nil {
			return out, true
		}
		p := limitable(c, l, below)
		if p == nil || len(p.Sort) > 0 || !sortable(p, keys) {
			return nil, false
		}
		out := *p
		out.Sort, out.Limit, out.Offset = keys, l.Limit, l.Offset
		return replaceLeaf(n.Input, &out), true
	}
	if p := limitable(c, l, n); p != nil {
		out := *p
		out.Limit, out.Offset = l.Limit, l.Offset
		return &out, true
	}
	return nil, false
}

// pushTopIntoLeft lets the left side of an outer join choose the first rows. The join may lose their order, so they are
// sorted again.
func pushTopIntoLeft(c *Context, l *Limit, s *Sort, j *Join, keys []expr.SortKey) (Node, bool) {
	var left colSet
	left.addCols(j.Left.Cols())
	for _, k := range keys {
		if used := colsOf(k.X); !used.subsetOf(&left) {
			return nil, false
		}
	}
	if j.Kind != LeftJoin || j.Lateral || !uniqueRight(j.Right, j.Equi) {
		return nil, false
	}
	below, ok := pushLimitInto(c, l, &Sort{Input: j.Left, Keys: keys})
	if !ok {
		return nil, false
	}
	return &Sort{Input: replaceLeaf(s.Input, j.WithInputs([]Node{below, j.Right})), Keys: s.Keys}, true
}

// limitable returns the leaf that can take the limit.
func limitable(c *Context, l *Limit, n Node) *Pushed {
	p := asPushed(c, n)
	if p == nil || p.Limit != nil || p.Offset != nil || p.Group != nil || len(p.Recheck) > 0 {
		return nil
	}
	m := p.Scan.Matcher()
	for _, e := range []expr.Expr{l.Limit, l.Offset} {
		if e != nil && !independent(m, e) {
			return nil
		}
	}
	return p
}

// independent reports whether e can be computed once, before the scan starts.
func independent(m *expr.Matcher, e expr.Expr) bool {
	ok := true
	expr.Walk(e, func(x expr.Expr) bool {
		switch x := x.(type) {
		case *expr.ColRef:
			ok = ok && m.Column(x.ID) == nil
		case *expr.Call:
			ok = ok && x.Fn.Volatility != 'v'
		case *expr.Subquery:
			ok = false
		}
		return ok
	})
	return ok
}

// sortSource looks through projections below a sort and expresses its keys over what is under them.
func sortSource(n Node, keys []expr.SortKey) (Node, []expr.SortKey, bool) {
	for {
		p, ok := n.(*Project)
		if !ok {
			return n, keys, true
		}
		by := map[expr.ColID]expr.Expr{}
		for i, o := range p.Out {
			by[o.ID] = p.Exprs[i]
		}
		out := make([]expr.SortKey, len(keys))
		for i, k := range keys {
			ref, isCol := k.X.(*expr.ColRef)
			if !isCol {
				return nil, nil, false
			}
			k.X = by[ref.ID]
			if k.X == nil {
				return nil, nil, false
			}
			out[i] = k
		}
		n, keys = p.Input, out
	}
}

func replaceLeaf(n Node, leaf Node) Node {
	if p, ok := n.(*Project); ok {
		return p.WithInputs([]Node{replaceLeaf(p.Input, leaf)})
	}
	return leaf
}

// sortable reports whether MongoDB orders the keys as PostgreSQL does. NULL and missing come first there, ascending: a
// nullable column sorts so only with NULLS FIRST (or DESC NULLS LAST), unless it is the first key, whose NULLs are read by
// a query of their own. Floats and numerics have NaN, greatest here and smallest there; enums order by declaration; mixed
// types by BSON's type order.
func sortable(p *Pushed, keys []expr.SortKey) bool {
	m := p.Scan.Matcher()
	for i, k := range keys {
		ref, ok := stripRelabel(k.X).(*expr.ColRef)
		if !ok || k.Less != nil {
			return false
		}
		col := m.Column(ref.ID)
		if col == nil || !ordersAlike(col) || i > 0 && misplacesNulls(p, col, k) {
			return false
		}
	}
	return len(keys) > 0
}

// misplacesNulls reports whether a sort by the column would put NULLs at the other end.
func misplacesNulls(p *Pushed, col *catalog.Column, k expr.SortKey) bool {
	return k.NullsFirst == k.Desc && !col.NotNull && !p.rejectsNull(col)
}

// rejectsNull reports whether a pushed comparison leaves no NULL of the column.
func (n *Pushed) rejectsNull(col *catalog.Column) bool {
	m := n.Scan.Matcher()
	for _, f := range n.Filter {
		if r, ok := f.(*expr.RowCompare); ok {
			if ref, ok := stripRelabel(r.Left[0]).(*expr.ColRef); ok && m.Column(ref.ID) == col {
				return true
			}
		}
		c, ok := f.(*expr.Call)
		if !ok || !c.Fn.Strict || len(c.Args) != 2 || c.Op == "" {
			continue
		}
		for _, a := range c.Args {
			if ref, ok := stripRelabel(a).(*expr.ColRef); ok && m.Column(ref.ID) == col {
				return true
			}
		}
	}
	return false
}

// NullsApart returns the first sort key when its NULLs must be read apart from the other rows, nil otherwise.
func (n *Pushed) NullsApart() *expr.SortKey {
	if len(n.Sort) == 0 {
		return nil
	}
	k := n.Sort[0]
	ref, ok := stripRelabel(k.X).(*expr.ColRef)
	if !ok {
		return nil
	}
	if col := n.Scan.Matcher().Column(ref.ID); col != nil && misplacesNulls(n, col, k) {
		return &k
	}
	return nil
}

func stripRelabel(e expr.Expr) expr.Expr {
	for {
		r, ok := e.(*expr.Relabel)
		if !ok {
			return e
		}
		e = r.X
	}
}

// ordersAlike reports whether MongoDB orders and groups a column's stored values as PostgreSQL does.
func ordersAlike(col *catalog.Column) bool {
	if col.MayArray || !col.Missing.IsNull() || !col.Named() {
		return false
	}
	switch col.Form {
	case catalog.FormObjectID:
		return true
	case catalog.FormNatural:
	default:
		return false
	}
	switch col.Type {
	case types.Int2T, types.Int4T, types.Int8T, types.OidT, types.TextT, types.VarcharT, types.NameT, types.BoolT, types.UUIDT, types.DateT,
		types.TimestampT, types.TimestampTZT:
		return true
	}
	return false
}
