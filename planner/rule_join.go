package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// orderJoins orders inner joins and splits the equalities off their conditions.
func orderJoins(p *pass, root Node) Node {
	j, ok := root.(*Join)
	if !ok {
		return mapInputs(root, func(n Node) Node { return orderJoins(p, n) })
	}
	if j.Kind == InnerJoin {
		t := &joinTree{p: p}
		t.collect(j)
		for i := range t.leaves {
			t.leaves[i].node = orderJoins(p, t.leaves[i].node)
		}
		return t.build()
	}
	c := *j
	c.Left, c.Right = orderJoins(p, j.Left), orderJoins(p, j.Right)
	return p.splitEqui(&c)
}

// joinTree is a run of inner joins: what is joined, and all conditions.
type joinTree struct {
	p      *pass
	leaves []joinLeaf
	conds  []expr.Expr
}

type joinLeaf struct {
	node Node
	cols colSet
	free colSet // columns of other leaves that a lateral one reads
	rows float64
	used bool
}

func (t *joinTree) collect(n Node) {
	if j, ok := n.(*Join); ok && j.Kind == InnerJoin {
		t.collect(j.Left)
		t.collect(j.Right)
		t.conds = append(t.conds, j.On...)
		return
	}
	l := joinLeaf{node: n, free: freeCols(n), rows: t.p.rows(n)}
	l.cols.addCols(n.Cols())
	t.leaves = append(t.leaves, l)
}

// build joins the leaves greedily: first the smallest, then always one that an equality connects with what is there, so
// that no cross product is made while there is another way; the smallest of those, and as written between equals. A
// lateral leaf waits for what it reads.
func (t *joinTree) build() Node {
	var all colSet
	for _, l := range t.leaves {
		all.union(&l.cols)
	}
	for i := range t.leaves {
		l := &t.leaves[i]
		others := all.clone()
		others.minus(&l.free)
		mine := all.clone()
		mine.minus(&others)
		l.free = mine // what it reads of this tree; columns of enclosing queries are always there
	}
	first := t.pick(&colSet{}, nil)
	node, have := t.leaves[first].node, t.leaves[first].cols.clone()
	t.leaves[first].used = true
	conds := t.conds
	for range len(t.leaves) - 1 {
		i := t.pick(&have, conds)
		l := &t.leaves[i]
		l.used = true
		have.union(&l.cols)
		j := &Join{Kind: InnerJoin, Left: node, Right: l.node, Lateral: !l.free.empty()}
		j.On, conds = applicable(conds, &all, &have)
		node = t.p.splitEqui(j)
	}
	return filter(node, conds)
}

// applicable splits conditions into those whose columns of the tree are all there and the rest.
func applicable(conds []expr.Expr, all, have *colSet) (now, later []expr.Expr) {
	for _, c := range conds {
		used := colsOf(c)
		missing := all.clone()
		missing.minus(have)
		if used.intersects(&missing) {
			later = append(later, c)
		} else {
			now = append(now, c)
		}
	}
	return now, later
}

// pick chooses the next leaf.
func (t *joinTree) pick(have *colSet, conds []expr.Expr) int {
	best, bestConnected, bestRows := -1, false, 0.0
	for i := range t.leaves {
		l := &t.leaves[i]
		if l.used || !l.free.subsetOf(have) {
			continue
		}
		connected, keyed := t.connected(l, have, conds)
		connected = connected || !l.free.empty()
		rows := l.rows
		if keyed {
			rows = min(rows, 1)
		}
		if best < 0 || connected && !bestConnected || connected == bestConnected && rows < bestRows {
			best, bestConnected, bestRows = i, connected, rows
		}
	}
	return best
}

// connected reports whether an equality joins a leaf with what is there, and whether it is one on a catalogue's key.
func (t *joinTree) connected(l *joinLeaf, have *colSet, conds []expr.Expr) (connected, keyed bool) {
	for _, c := range conds {
		k, ok := t.p.equiKey(c, have, &l.cols)
		if !ok {
			continue
		}
		connected = true
		if v := virtualLeaf(l.node); v != nil && v.keyOf(k.Right) != "" {
			return true, true
		}
	}
	return connected, false
}

// rows estimates how many rows a node gives; only the order of magnitude matters.
func (p *pass) rows(n Node) float64 {
	switch n := n.(type) {
	case *Scan:
		if p.c.Stats != nil {
			return float64(max(p.c.Stats.Rows(p.b.ctx, n.Rel), 1))
		}
		return 1000
	case *VirtualScan:
		if n.KeyValue != nil {
			return 1
		}
		return 500
	case *Pushed:
		if oneRow(n.Scan, n.Filter) {
			return 1
		}
		rows := p.rows(n.Scan)
		for _, c := range n.Filter {
			rows *= p.selectivity(c, n.Scan)
		}
		if n.Group != nil {
			rows = groups(rows, len(n.Group.Keys))
		}
		return max(limited(rows, n.Limit), 1)
	case *Filter:
		if scan, ok := n.Input.(*Scan); ok && oneRow(scan, n.Conds) {
			return 1
		}
		rows := p.rows(n.Input)
		for _, c := range n.Conds {
			rows *= p.selectivity(c, n.Input)
		}
		return max(rows, 1)
	case *Values:
		return float64(len(n.Rows))
	case *Result:
		return 1
	case *FuncScan:
		return 100
	case *Join:
		l, r := p.rows(n.Left), p.rows(n.Right)
		switch {
		case n.Kind == SemiJoin || n.Kind == AntiJoin || n.Kind == AntiNullJoin, uniqueRight(n.Right, n.Equi):
			return l
		case n.Kind == InnerJoin && p.uniqueLeft(n):
			return r
		}
		if len(n.Equi) > 0 || len(n.On) > 0 || n.Lateral {
			return max(l, r)
		}
		return l * r
	case *Aggregate:
		if len(n.Keys) == 0 {
			return 1
		}
		return max(p.rows(n.Input)/10, 1)
	case *Limit:
		rows := p.rows(n.Input)
		if k, ok := n.Limit.(*expr.Const); ok && !k.D.IsNull() {
			return min(rows, float64(k.D.Int()))
		}
		return rows
	}
	rows := 1.0
	for _, in := range n.Inputs() {
		rows = max(rows, p.rows(in))
	}
	if _, ok := n.(*CTEScan); ok {
		return 100
	}
	return rows
}

func (p *pass) uniqueLeft(j *Join) bool {
	s := p.swapped(j)
	return s != nil && uniqueRight(s.Right, s.Equi)
}

// oneRow reports whether conditions fix all columns of a unique index.
func oneRow(n *Scan, conds []expr.Expr) bool {
	m, fixed := n.Matcher(), map[int16]bool{}
	for _, c := range conds {
		if col, _ := m.Equality(c); col != nil {
			fixed[col.Attnum] = true
		}
	}
	return len(fixed) > 0 && uniqueBy(n.Rel, fixed)
}

// selectivity guesses which part of the rows a condition keeps.
func (p *pass) selectivity(c expr.Expr, input Node) float64 {
	if call, ok := c.(*expr.Call); ok && call.Op == "=" {
		if v := virtualLeaf(input); v != nil && (v.keyOf(call.Args[0]) != "" || v.keyOf(call.Args[1]) != "") {
			return 0.002
		}
		return 0.01
	}
	if _, ok := c.(*expr.ScalarArray); ok {
		return 0.05
	}
	return 0.3
}

// splitEqui moves the hashable equalities of On to Equi. A lateral join runs its right side for each row, so there is
// nothing to hash; there they stay conditions.
func (p *pass) splitEqui(j *Join) Node {
	if j.Lateral {
		return j
	}
	var left, right colSet
	left.addCols(j.Left.Cols())
	right.addCols(j.Right.Cols())
	var on []expr.Expr
	for _, c := range j.On {
		if k, ok := p.equiKey(c, &left, &right); ok {
			j.Equi = append(j.Equi, k)
		} else {
			on = append(on, c)
		}
	}
	j.On = on
	return j
}

// equiKey takes a = b apart when one operand is of the left side and the other of the right, and equal values have equal
// hashes: one type on both sides, or integers of any width. A nil left stands for anything but the right side.
func (p *pass) equiKey(c expr.Expr, left, right *colSet) (EquiKey, bool) {
	call, ok := c.(*expr.Call)
	if !ok || call.Op != "=" || len(call.Args) != 2 || isVolatile(call) || hasSubquery(call) {
		return EquiKey{}, false
	}
	a, b := call.Args[0], call.Args[1]
	if !hashableTypes(a.Type(), b.Type()) {
		return EquiKey{}, false
	}
	ac, bc := colsOf(a), colsOf(b)
	onLeft := func(s *colSet) bool {
		if left == nil {
			return !s.intersects(right)
		}
		return !s.empty() && s.subsetOf(left)
	}
	onRight := func(s *colSet) bool { return !s.empty() && s.subsetOf(right) }
	switch {
	case onLeft(&ac) && onRight(&bc):
		return EquiKey{Left: a, Right: b, Eq: call.Fn}, true
	case onLeft(&bc) && onRight(&ac):
		eq := call.Fn
		if a.Type() != b.Type() {
			if eq = p.b.r.OperatorProc("=", b.Type(), a.Type()); eq == nil {
				return EquiKey{}, false
			}
		}
		return EquiKey{Left: b, Right: a, Eq: eq}, true
	}
	return EquiKey{}, false
}

// buildSides puts the smaller input of a hashed inner join to the right, from which the table is built.
func buildSides(p *pass, root Node) Node { return p.buildSides(root, true) }

// buildSides of a node; ordered says that somebody above takes its columns by position: SELECT * FROM big JOIN small has
// no projection over the join, and its columns must not change places with the sides.
func (p *pass) buildSides(root Node, ordered bool) Node {
	below := true
	switch root.(type) {
	case *Project, *ProjectSet, *Aggregate, *Update, *Delete, *Merge:
		below = false
	case *Filter, *Sort, *Limit, *Join:
		below = ordered
	}
	root = mapInputs(root, func(n Node) Node { return p.buildSides(n, below) })
	j, ok := root.(*Join)
	if !ok || j.Kind != InnerJoin || j.Lateral || j.Lookup != nil || len(j.Equi) == 0 || p.rows(j.Right) <= p.rows(j.Left) {
		return root
	}
	c := p.swapped(j)
	if c == nil {
		return root
	}
	if ordered {
		return narrow(c, j.Cols())
	}
	return c
}

// swapped returns an inner join with its sides exchanged, nil when an equality has no operator that way round.
func (p *pass) swapped(j *Join) *Join {
	c := *j
	c.Left, c.Right = j.Right, j.Left
	c.Equi = make([]EquiKey, len(j.Equi))
	for i, k := range j.Equi {
		eq := k.Eq
		if k.Left.Type() != k.Right.Type() {
			if eq = p.b.r.OperatorProc("=", k.Right.Type(), k.Left.Type()); eq == nil {
				return nil
			}
		}
		c.Equi[i] = EquiKey{Left: k.Right, Right: k.Left, Eq: eq}
	}
	return &c
}

func hashableTypes(a, b *types.T) bool {
	if a == b {
		return types.Hashable(a) && a != types.RecordT && a.Rep != types.RepNone
	}
	ints := []*types.T{types.Int2T, types.Int4T, types.Int8T}
	return slices.Contains(ints, a) && slices.Contains(ints, b)
}
