package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
)

// NodeExprs returns the expressions of one node, without its inputs', in a fixed order; nil entries do not occur.
func NodeExprs(n Node) []expr.Expr {
	var out []expr.Expr
	MapNodeExprs(n, func(e expr.Expr) expr.Expr {
		out = append(out, e)
		return e
	})
	return out
}

// MapNodeExprs returns n with every expression of its own (not its inputs') replaced by f of it; n itself when f changes
// nothing.
func MapNodeExprs(n Node, f func(expr.Expr) expr.Expr) Node {
	m := exprMapper{f: f}
	switch n := n.(type) {
	case *Scan:
		args, rep, within := m.list(n.SampleArgs), m.one(n.Repeatable), m.list(n.Within)
		if m.changed {
			c := *n
			c.SampleArgs, c.Repeatable, c.Within = args, rep, within
			return &c
		}
	case *VirtualScan:
		if key := m.one(n.KeyValue); m.changed {
			c := *n
			c.KeyValue = key
			return &c
		}
	case *Values:
		rows := make([][]expr.Expr, len(n.Rows))
		for i, r := range n.Rows {
			rows[i] = m.list(r)
		}
		if m.changed {
			c := *n
			c.Rows = rows
			return &c
		}
	case *FuncScan:
		funcs := slices.Clone(n.Funcs)
		for i := range funcs {
			funcs[i].Call = m.one(funcs[i].Call)
		}
		if m.changed {
			c := *n
			c.Funcs = funcs
			return &c
		}
	case *Filter:
		if conds := m.list(n.Conds); m.changed {
			return &Filter{Input: n.Input, Conds: conds}
		}
	case *Project:
		if exprs := m.list(n.Exprs); m.changed {
			return &Project{Input: n.Input, Exprs: exprs, Out: n.Out}
		}
	case *ProjectSet:
		if exprs := m.list(n.Exprs); m.changed {
			return &ProjectSet{Input: n.Input, Exprs: exprs, Out: n.Out}
		}
	case *Join:
		on, equi := m.list(n.On), slices.Clone(n.Equi)
		for i := range equi {
			equi[i].Left, equi[i].Right = m.one(equi[i].Left), m.one(equi[i].Right)
		}
		if m.changed {
			c := *n
			c.On, c.Equi = on, equi
			return &c
		}
	case *Pushed:
		return m.pushed(n)
	case *Aggregate:
		keys, aggs := m.list(n.Keys), m.aggs(n.Aggs)
		if m.changed {
			c := *n
			c.Keys, c.Aggs = keys, aggs
			return &c
		}
	case *Window:
		return m.window(n)
	case *Sort:
		if keys := m.sortKeys(n.Keys); m.changed {
			return &Sort{Input: n.Input, Keys: keys, Presorted: n.Presorted}
		}
	case *Limit:
		limit, offset, keys := m.one(n.Limit), m.one(n.Offset), m.sortKeys(n.Keys)
		if m.changed {
			c := *n
			c.Limit, c.Offset, c.Keys = limit, offset, keys
			return &c
		}
	case *Distinct:
		if on := m.list(n.On); m.changed {
			return &Distinct{Input: n.Input, On: on}
		}
	case *Insert:
		return m.insert(n)
	case *Update:
		set, gen, checks, ret := m.assigns(n.Set), m.assigns(n.Generated), m.checks(n.Checks), m.list(n.Returning)
		if m.changed {
			c := *n
			c.Set, c.Generated, c.Checks, c.Returning = set, gen, checks, ret
			return &c
		}
	case *Merge:
		return m.merge(n)
	case *Delete:
		if ret := m.list(n.Returning); m.changed {
			c := *n
			c.Returning = ret
			return &c
		}
	}
	return n
}

type exprMapper struct {
	f       func(expr.Expr) expr.Expr
	changed bool
}

func (m *exprMapper) one(e expr.Expr) expr.Expr {
	if e == nil {
		return nil
	}
	n := m.f(e)
	m.changed = m.changed || n != e
	return n
}

// list copies only once an element changes, so that a walk that changes nothing allocates nothing.
func (m *exprMapper) list(in []expr.Expr) []expr.Expr {
	var out []expr.Expr
	for i, e := range in {
		n := m.one(e)
		if n != e && out == nil {
			out = slices.Clone(in)
		}
		if out != nil {
			out[i] = n
		}
	}
	if out == nil {
		return in
	}
	return out
}

func (m *exprMapper) sortKeys(in []expr.SortKey) []expr.SortKey {
	if len(in) == 0 {
		return in
	}
	out := slices.Clone(in)
	for i := range out {
		out[i].X = m.one(out[i].X)
	}
	return out
}

func (m *exprMapper) aggs(in []AggItem) []AggItem {
	out := slices.Clone(in)
	for i := range out {
		// An aggregate is not an expression to be replaced as a whole: only what is inside it is.
		children := out[i].Agg.Children()
		mapped := m.list(children)
		for j := range mapped {
			if mapped[j] != children[j] {
				out[i].Agg = out[i].Agg.WithChildren(mapped).(*expr.Agg)
				break
			}
		}
	}
	return out
}

func (m *exprMapper) assigns(in []Assign) []Assign {
	out := slices.Clone(in)
	for i := range out {
		out[i].Value = m.one(out[i].Value)
	}
	return out
}

func (m *exprMapper) rows(in []RowSource) []RowSource {
	out := slices.Clone(in)
	for i := range out {
		out[i].X = m.one(out[i].X)
	}
	return out
}

func (m *exprMapper) checks(in []Check) []Check {
	out := slices.Clone(in)
	for i := range out {
		out[i].Cond = m.one(out[i].Cond)
	}
	return out
}

func (m *exprMapper) pushed(n *Pushed) Node {
	c := *n
	c.Filter, c.Recheck, c.Sort = m.list(n.Filter), m.list(n.Recheck), m.sortKeys(n.Sort)
	c.Limit, c.Offset = m.one(n.Limit), m.one(n.Offset)
	if n.Group != nil {
		g := *n.Group
		g.Keys, g.Aggs, g.Having = m.list(g.Keys), m.aggs(g.Aggs), m.list(g.Having)
		c.Group = &g
	}
	if !m.changed {
		return n
	}
	return &c
}

func (m *exprMapper) window(n *Window) Node {
	c := *n
	c.Partition, c.Order = m.list(n.Partition), m.sortKeys(n.Order)
	c.Frame.Start.Offset, c.Frame.End.Offset = m.one(n.Frame.Start.Offset), m.one(n.Frame.End.Offset)
	c.Funcs = slices.Clone(n.Funcs)
	for i := range c.Funcs {
		f := &c.Funcs[i]
		args := m.list(f.Call.Args)
		filter := m.one(f.Call.Filter)
		if !m.changed {
			continue
		}
		call := *f.Call
		call.Args, call.Filter = args, filter
		f.Call = &call
		if f.Agg != nil {
			agg := *f.Agg
			agg.Args, agg.Filter = args, filter
			f.Agg = &agg
		}
	}
	if !m.changed {
		return n
	}
	return &c
}

func (m *exprMapper) insert(n *Insert) Node {
	c := *n
	c.Generated, c.Checks, c.Returning = m.assigns(n.Generated), m.checks(n.Checks), m.list(n.Returning)
	if n.Conflict != nil {
		f := *n.Conflict
		f.Rows = m.rows(f.Rows)
		f.Update, f.Where = m.assigns(f.Update), m.one(f.Where)
		f.Generated, f.Checks = m.assigns(f.Generated), m.checks(f.Checks)
		c.Conflict = &f
	}
	if !m.changed {
		return n
	}
	return &c
}

func (m *exprMapper) merge(n *Merge) Node {
	c := *n
	c.Generated, c.Checks, c.Actions = m.assigns(n.Generated), m.checks(n.Checks), slices.Clone(n.Actions)
	for i := range c.Actions {
		a := &c.Actions[i]
		a.When, a.Rows, a.Set = m.list(a.When), m.rows(a.Rows), m.assigns(a.Set)
	}
	if !m.changed {
		return n
	}
	return &c
}

// mapPlanExprs rewrites every expression of a plan, inputs first, subplans included when f goes into them.
func mapPlanExprs(n Node, f func(expr.Expr) expr.Expr) Node {
	return MapNodeExprs(mapInputs(n, func(in Node) Node { return mapPlanExprs(in, f) }), f)
}

// mapInputs returns n with f applied to each of its inputs, and n itself when f changes none.
func mapInputs(n Node, f func(Node) Node) Node {
	in := n.Inputs()
	var out []Node
	for i, c := range in {
		m := f(c)
		if m != c && out == nil {
			out = slices.Clone(in)
		}
		if out != nil {
			out[i] = m
		}
	}
	if out == nil {
		return n
	}
	return n.WithInputs(out)
}

// rewriteDeep is expr.Rewrite that also goes into the plans of subqueries.
func rewriteDeep(e expr.Expr, f func(expr.Expr) expr.Expr) expr.Expr {
	return expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		s, ok := e.(*expr.Subquery)
		if !ok {
			return f(e)
		}
		sp, ok := s.Plan.(*Subplan)
		if !ok {
			return f(e)
		}
		root := mapPlanExprs(sp.Root, func(e expr.Expr) expr.Expr { return rewriteDeep(e, f) })
		if root != sp.Root {
			c, p := *s, *sp
			p.Root = root
			c.Plan = &p
			return f(&c)
		}
		return f(e)
	})
}

// substitute replaces column references, also inside subqueries, by the expressions of m.
func substitute(e expr.Expr, m map[expr.ColID]expr.Expr) expr.Expr {
	if len(m) == 0 {
		return e
	}
	return rewriteDeep(e, func(e expr.Expr) expr.Expr {
		if c, ok := e.(*expr.ColRef); ok {
			if r := m[c.ID]; r != nil {
				return r
			}
		}
		return e
	})
}

// colSet is a set of column IDs as a bitmap: plans of wide tables have thousands of columns.
type colSet struct{ bits []uint64 }

func (s *colSet) add(id expr.ColID) {
	w := int(id >> 6)
	for len(s.bits) <= w {
		s.bits = append(s.bits, 0)
	}
	s.bits[w] |= 1 << (uint(id) & 63)
}

func (s *colSet) has(id expr.ColID) bool {
	w := int(id >> 6)
	return w < len(s.bits) && s.bits[w]&(1<<(uint(id)&63)) != 0
}

func (s *colSet) addCols(cols []Col) {
	for _, c := range cols {
		s.add(c.ID)
	}
}

// union adds o's columns.
func (s *colSet) union(o *colSet) {
	for len(s.bits) < len(o.bits) {
		s.bits = append(s.bits, 0)
	}
	for i, w := range o.bits {
		s.bits[i] |= w
	}
}

func (s *colSet) clone() colSet { return colSet{slices.Clone(s.bits)} }

func (s *colSet) empty() bool {
	for _, w := range s.bits {
		if w != 0 {
			return false
		}
	}
	return true
}

// subsetOf reports whether every column of s is in o.
func (s *colSet) subsetOf(o *colSet) bool {
	for i, w := range s.bits {
		var ow uint64
		if i < len(o.bits) {
			ow = o.bits[i]
		}
		if w&^ow != 0 {
			return false
		}
	}
	return true
}

// intersects reports whether s and o share a column.
func (s *colSet) intersects(o *colSet) bool {
	for i := range min(len(s.bits), len(o.bits)) {
		if s.bits[i]&o.bits[i] != 0 {
			return true
		}
	}
	return false
}

// ids lists the columns in order.
func (s *colSet) ids() []expr.ColID {
	var out []expr.ColID
	for i, w := range s.bits {
		for b := 0; w != 0; b++ {
			if w&1 != 0 {
				out = append(out, expr.ColID(i*64+b))
			}
			w >>= 1
		}
	}
	return out
}

// minus removes o's columns.
func (s *colSet) minus(o *colSet) {
	for i := range min(len(s.bits), len(o.bits)) {
		s.bits[i] &^= o.bits[i]
	}
}

// exprCols adds the columns that e reads to s: for a subquery those that it reads from outside.
func exprCols(e expr.Expr, s *colSet) {
	expr.Walk(e, func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.ColRef:
			s.add(e.ID)
		case *expr.Subquery:
			if sp, ok := e.Plan.(*Subplan); ok {
				free := freeCols(sp.Root)
				if e.Test != nil {
					var test, own colSet
					exprCols(e.Test, &test)
					own.addCols(sp.Root.Cols())
					test.minus(&own)
					s.union(&test)
				}
				s.union(&free)
			}
			return false
		}
		return true
	})
}

func colsOf(e expr.Expr) colSet {
	var s colSet
	exprCols(e, &s)
	return s
}

// freeCols returns the columns that a plan reads and no node of it makes: those of enclosing queries.
func freeCols(n Node) colSet {
	var used, made colSet
	var walk func(Node)
	walk = func(n Node) {
		for _, e := range NodeExprs(n) {
			exprCols(e, &used)
		}
		addMade(n, &made)
		for _, in := range n.Inputs() {
			walk(in)
		}
	}
	walk(n)
	used.minus(&made)
	return used
}

// addMade adds the columns that a node itself makes, and those that a modifying node shows only inside it.
func addMade(n Node, made *colSet) {
	switch n := n.(type) {
	case *Insert:
		made.addCols(n.RowCols)
		if n.Conflict != nil {
			made.addCols(n.Conflict.OldCols)
			addRows(n.Conflict.Rows, made)
		}
		made.addCols(n.Out)
	case *Update:
		made.addCols(n.OldCols)
		made.addCols(n.NewCols)
		made.addCols(n.Out)
	case *Merge:
		made.addCols(n.OldCols)
		made.addCols(n.NewCols)
		for _, a := range n.Actions {
			addRows(a.Rows, made)
		}
	case *Join, *Filter, *Sort, *Limit, *LockRows, *Distinct, *With:
	case *Window:
		for _, f := range n.Funcs {
			made.add(f.Col.ID)
		}
	default:
		made.addCols(n.Cols())
	}
}

func addRows(rows []RowSource, made *colSet) {
	for _, r := range rows {
		made.add(r.Col.ID)
	}
}
