package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
)

// What a row costs that MongoDB finds by a key in an index, against one that it reads in a scan.
const (
	uniqueLookupCost = 8
	otherLookupCost  = 30
	// distinctCost is what a key costs that MongoDB jumps to in an index.
	distinctCost = 3
	// lookupRows is the size from which on a table is worth being asked by key.
	lookupRows = 300
	// lookupKeys bounds the keys that a join asks for before it reads the whole table instead.
	lookupKeys = 20000
	// limitedKeys is how many a limited join is taken to ask for.
	limitedKeys = 100
)

// lookupJoins chooses the joins whose right side is asked by key, where few rows come from the left: one of
// a million orders with its customer must not read all customers.
func lookupJoins(p *pass, root Node) Node {
	if p.c.Settings.IndexJoinOff || p.c.Settings.PushdownOff {
		return root
	}
	return p.lookups(root, false, true)
}

// lookups goes through a plan. limited says that few rows are read of n, ordered that somebody reads them by position.
func (p *pass) lookups(n Node, limited, ordered bool) Node {
	switch n := n.(type) {
	case *Limit:
		if top := p.topInOrder(n); top != nil {
			return top
		}
		return p.lookInputs(n, limited || smallLimit(n), ordered)
	case *Project:
		return p.lookInputs(n, limited, false)
	case *Filter:
		return p.lookInputs(n, limited, ordered)
	case *Join:
		c := *n
		c.Left, c.Right = p.lookups(n.Left, limited && n.Kind != RightJoin && n.Kind != FullJoin, ordered), p.lookups(n.Right, false, ordered)
		return p.chooseLookup(&c, limited, ordered)
	case *Sort:
		return p.lookInputs(n, false, ordered)
	case *ProjectSet, *Aggregate, *Update, *Delete, *Merge:
		return p.lookInputs(n, false, false)
	}
	return p.lookInputs(n, false, true)
}

func (p *pass) lookInputs(n Node, limited, ordered bool) Node {
	return mapInputs(n, func(in Node) Node { return p.lookups(in, limited, ordered) })
}

func smallLimit(n *Limit) bool {
	k, ok := n.Limit.(*expr.Const)
	return n.Limit != nil && (!ok || !k.D.IsNull() && k.D.Int() <= 10*limitedKeys)
}

// chooseLookup compares asking by key, from either side of an inner join, with reading both sides.
func (p *pass) chooseLookup(j *Join, limited, ordered bool) Node {
	if j.Lateral || len(j.Equi) == 0 {
		return j
	}
	best := p.scanCost(j.Left) + p.scanCost(j.Right)
	if limited {
		best = min(p.scanCost(j.Left), p.scanCost(j.Right))
	}
	var out Node = j
	try := func(c *Join, result func() Node) {
		l, cost := p.lookup(c, limited)
		if l != nil && (cost < best || p.c.Settings.HashJoinOff) {
			best, c.Lookup = cost, l
			out = result()
		}
	}
	c := *j
	try(&c, func() Node { return &c })
	if d := p.distinctKeys(j); d != nil && !p.c.Settings.HashJoinOff {
		if cost := p.scanCost(j.Left) + p.rows(d.Right)*distinctCost; cost < best {
			best, out = cost, d
		}
	}
	if j.Kind == InnerJoin {
		if s := p.swapped(j); s != nil {
			try(s, func() Node {
				if ordered {
					return narrow(s, j.Cols())
				}
				return s
			})
		}
	}
	return out
}

// distinctKeys lets the right side of a semi or anti join, of which only whether a key is there counts, be the keys of an
// index; nil when that does not apply.
func (p *pass) distinctKeys(j *Join) *Join {
	if j.Kind != SemiJoin && j.Kind != AntiJoin && j.Kind != AntiNullJoin || len(j.Equi) != 1 || len(j.On) > 0 {
		return nil
	}
	key, ok := j.Equi[0].Right.(*expr.ColRef)
	if !ok {
		return nil
	}
	right := j.Right
	at := slices.IndexFunc(right.Cols(), func(c Col) bool { return c.ID == key.ID })
	if at < 0 {
		return nil
	}
	if len(right.Cols()) > 1 {
		right = &Project{Input: right, Exprs: []expr.Expr{key}, Out: right.Cols()[at : at+1]}
	}
	keys := pushDistinctKeys(p.c, &Distinct{Input: right})
	if keys == nil {
		return nil
	}
	c := *j
	c.Right = keys
	return &c
}

// lookup returns how a join asks its right side by key and what that costs, nil if it cannot. It makes the right side's
// scan a leaf that takes a filter.
func (p *pass) lookup(j *Join, limited bool) (*LookupJoin, float64) {
	j.Right = asLeaf(p.c, j.Right)
	switch j.Kind {
	case InnerJoin, LeftJoin, SemiJoin, AntiJoin:
	default:
		return nil, 0 // rows of the right side that have no partner count, too
	}
	leaf := LookupLeaf(j.Right)
	if leaf == nil {
		return nil, 0
	}
	force := p.c.Settings.HashJoinOff
	if p.rows(leaf.Scan) < lookupRows && !force {
		return nil, 0
	}
	m := leaf.Scan.Matcher()
	for i, k := range j.Equi {
		key := throughProjects(j.Right, k.Right)
		if key == nil {
			continue
		}
		col := m.Lookup(key, k.Left.Type())
		if col == nil {
			continue
		}
		ix, unique := leadingIndex(leaf.Scan.Rel, col)
		if ix == nil {
			continue
		}
		each := float64(otherLookupCost)
		if unique {
			each = uniqueLookupCost
		}
		rows := p.rows(j.Left)
		if limited {
			if !unique {
				continue // a few left rows may have very many partners
			}
			rows = min(rows, limitedKeys)
		}
		most := p.scanCost(j.Right) / each
		if force {
			most = lookupKeys
		}
		if rows > most {
			continue
		}
		return &LookupJoin{Key: i, Column: key, Index: ix.Name, Most: int(min(most, lookupKeys)), Limited: limited}, p.scanCost(j.Left) + rows*each
	}
	return nil, 0
}

// asLeaf makes a scan below filters and projections one that can be pushed into.
func asLeaf(c *Context, n Node) Node {
	switch n := n.(type) {
	case *Scan:
		if leaf := asPushed(c, n); leaf != nil {
			return leaf
		}
	case *Filter, *Project:
		in := n.Inputs()[0]
		if leaf := asLeaf(c, in); leaf != in {
			return n.WithInputs([]Node{leaf})
		}
	}
	return n
}

// scanCost is how many rows are read to give what n gives.
func (p *pass) scanCost(n Node) float64 {
	if leaf := LookupLeaf(n); leaf != nil && indexFor(leaf) == "" {
		return p.rows(leaf.Scan)
	}
	return p.rows(n)
}

// LookupLeaf returns the leaf of a join's right side that can be asked by key: one that gives all rows of its filter, below
// filters and projections. It returns nil if there is none.
func LookupLeaf(n Node) *Pushed {
	for {
		switch x := n.(type) {
		case *Filter:
			n = x.Input
		case *Project:
			n = x.Input
		case *Pushed:
			if x.Limit != nil || x.Offset != nil || x.Group != nil || len(x.Sort) > 0 {
				return nil
			}
			return x
		default:
			return nil
		}
	}
}

// throughProjects expresses a column of n by what is below its projections; nil when it is computed.
func throughProjects(n Node, e expr.Expr) expr.Expr {
	for {
		switch x := n.(type) {
		case *Filter:
			n = x.Input
			continue
		case *Project:
			ok := true
			e = expr.Rewrite(e, func(e expr.Expr) expr.Expr {
				r, isCol := e.(*expr.ColRef)
				if !isCol {
					return e
				}
				at := slices.IndexFunc(x.Out, func(c Col) bool { return c.ID == r.ID })
				if at < 0 {
					ok = false
					return e
				}
				return x.Exprs[at]
			})
			if !ok || isVolatile(e) {
				return nil
			}
			n = x.Input
			continue
		}
		return e
	}
}

// leadingIndex returns an index of MongoDB's that begins with a column, best a unique one of that column alone.
func leadingIndex(rel *catalog.Relation, col *catalog.Column) (best *catalog.Index, unique bool) {
	for _, ix := range rel.Indexes {
		if ix.Invalid || ix.MongoName == "" || ix.Where != "" || ix.Hidden != "" || len(ix.Keys) == 0 || ix.Keys[0].Attnum != col.Attnum {
			continue
		}
		if ix.Unique && len(ix.Keys) == 1 {
			return ix, true
		}
		if best == nil {
			best = ix
		}
	}
	return best, false
}

// uniqueRight reports whether a left row of a join has one partner at most, because the keys hold a unique index.
func uniqueRight(right Node, equi []EquiKey) bool {
	var scan *Scan
	for n := right; scan == nil; {
		switch x := n.(type) {
		case *Filter:
			n = x.Input
		case *Project:
			n = x.Input
		case *Pushed:
			if x.Group != nil {
				return false
			}
			scan = x.Scan
		case *Scan:
			scan = x
		default:
			return false
		}
	}
	keys := map[int16]bool{}
	for _, k := range equi {
		if r, ok := throughProjects(right, k.Right).(*expr.ColRef); ok {
			for i, c := range scan.Out {
				if c.ID == r.ID && i < len(scan.Attnums) {
					keys[scan.Attnums[i]] = true
				}
			}
		}
	}
	return scan.Rel.Unwind == nil && uniqueBy(scan.Rel, keys)
}

// uniqueBy reports whether the columns hold all keys of a unique index.
func uniqueBy(rel *catalog.Relation, attnums map[int16]bool) bool {
	return slices.ContainsFunc(rel.Indexes, func(ix *catalog.Index) bool {
		return ix.Unique && !ix.Invalid && ix.Where == "" && len(ix.Keys) > 0 &&
			!slices.ContainsFunc(ix.Keys, func(k catalog.IndexKey) bool { return k.Attnum <= 0 || !attnums[k.Attnum] })
	})
}

// topInOrder lets the first rows in the order of an index be found without reading all, below conditions that are checked
// here and joins: the index gives the left side in order, whose rows are joined by key, part by part, until there are
// enough. Each left row must have one partner at most, so that no part outgrows memory and loses the order.
func (p *pass) topInOrder(l *Limit) Node {
	if l.WithTies || !smallLimit(l) {
		return nil
	}
	below := l.Input
	if pr, ok := below.(*Project); ok {
		below = pr.Input
	}
	sort, ok := below.(*Sort)
	if !ok || sort.Presorted > 0 {
		return nil
	}
	n, keys, ok := sortSource(sort.Input, sort.Keys)
	if !ok {
		return nil
	}
	if !p.fewNeeded(l, n) {
		return nil
	}
	inOrder, leaf := p.inOrder(n, keys)
	if leaf == nil {
		return nil
	}
	out := *l
	out.Input = presorted(sort, replaceLeaf(sort.Input, inOrder), leaf)
	if pr, ok := l.Input.(*Project); ok {
		out.Input = pr.WithInputs([]Node{out.Input})
	}
	return &out
}

// fewNeeded reports whether a limit is met early in a join's left side, or a scan, for what conditions let through.
func (p *pass) fewNeeded(l *Limit, n Node) bool {
	need := 0.0
	for _, e := range []expr.Expr{l.Limit, l.Offset} {
		switch k := e.(type) {
		case nil:
		case *expr.Const:
			if !k.D.IsNull() {
				need += float64(k.D.Int())
			}
		default:
			need += limitedKeys
		}
	}
	above := 0 // what a limit could not be pushed through
	for {
		switch x := n.(type) {
		case *Filter:
			for _, c := range x.Conds {
				need /= p.selectivity(c, x.Input)
			}
			above++
			n = x.Input
			continue
		case *Join:
			above++
			if leaf := LookupLeaf(asLeaf(p.c, x.Right)); leaf != nil && x.Kind == InnerJoin {
				need *= max(p.rows(leaf.Scan), 1) / p.rows(x.Right)
			}
			n = x.Left
			continue
		case *Scan:
			return above > 0 && need <= p.rows(x)/uniqueLookupCost
		case *Pushed:
			return above > 0 && need/max(p.rows(x)/max(p.rows(x.Scan), 1), 1e-9) <= p.rows(x.Scan)/uniqueLookupCost
		}
		return false
	}
}

// inOrder returns n giving its rows in an order that an index has, and the leaf that begins it; nil if that takes a sort.
func (p *pass) inOrder(n Node, keys []expr.SortKey) (Node, *Pushed) {
	switch n := n.(type) {
	case *Filter:
		in, leaf := p.inOrder(n.Input, keys)
		if leaf == nil {
			return nil, nil
		}
		return n.WithInputs([]Node{in}), leaf
	case *Scan:
		if leaf := asPushed(p.c, n); leaf != nil {
			return p.inOrder(leaf, keys)
		}
	case *Pushed:
		if n.Limit != nil || n.Offset != nil || n.Group != nil || len(n.Sort) > 0 {
			return nil, nil
		}
		leaf := orderedLeaf(n, keys)
		return leaf, leaf
	case *Join:
		var cols colSet
		cols.addCols(n.Left.Cols())
		if n.Lateral || n.Kind != InnerJoin && n.Kind != LeftJoin || len(n.Equi) == 0 {
			return nil, nil
		}
		for _, k := range keys {
			if used := colsOf(k.X); !used.subsetOf(&cols) {
				return p.inOrderSwapped(n, keys)
			}
		}
		return p.orderedJoin(n, keys)
	}
	return nil, nil
}

func (p *pass) inOrderSwapped(j *Join, keys []expr.SortKey) (Node, *Pushed) {
	s := p.swapped(j)
	if s == nil || j.Kind != InnerJoin {
		return nil, nil
	}
	var cols colSet
	cols.addCols(s.Left.Cols())
	for _, k := range keys {
		if used := colsOf(k.X); !used.subsetOf(&cols) {
			return nil, nil
		}
	}
	n, leaf := p.orderedJoin(s, keys)
	if leaf == nil {
		return nil, nil
	}
	return narrow(n, j.Cols()), leaf
}

func (p *pass) orderedJoin(j *Join, keys []expr.SortKey) (Node, *Pushed) {
	if !uniqueRight(j.Right, j.Equi) {
		return nil, nil
	}
	c := *j
	l, _ := p.lookup(&c, true)
	if l == nil {
		return nil, nil
	}
	left, leaf := p.inOrder(j.Left, keys)
	if leaf == nil {
		return nil, nil
	}
	l.Ordered = true
	c.Left, c.Lookup = left, l
	return &c, leaf
}
