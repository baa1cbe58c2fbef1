package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
)

// prunePlan drops columns that nothing above uses, down to the scans, and the projections that then do nothing.
func prunePlan(p *pass, root Node) Node {
	var all colSet
	all.addCols(root.Cols())
	out := tidy(prune(p.pruneSubplans(root), &all), true)
	return positional(out, root.Cols())
}

// pruneSubplans lets EXISTS compute no columns at all.
func (p *pass) pruneSubplans(n Node) Node {
	n = mapInputs(n, p.pruneSubplans)
	return MapNodeExprs(n, func(e expr.Expr) expr.Expr {
		if !hasSubquery(e) {
			return e
		}
		return expr.Rewrite(e, func(e expr.Expr) expr.Expr {
			s, ok := e.(*expr.Subquery)
			if !ok || s.Kind != expr.SubExists {
				return e
			}
			c, sp := *s, *s.Plan.(*Subplan)
			sp.Root = tidy(prune(sp.Root, &colSet{}), false)
			c.Plan = &sp
			return &c
		})
	})
}

// needs adds the columns of the node's own expressions to those used above it.
func needs(n Node, used *colSet) colSet {
	out := used.clone()
	for _, e := range NodeExprs(n) {
		exprCols(e, &out)
	}
	return out
}

// prune returns n with only the used columns, where it is free to drop others. What is read by position keeps its columns.
func prune(n Node, used *colSet) Node {
	switch n := n.(type) {
	case *Scan:
		c := *n
		c.Attnums, c.Out = keepCols(n.Attnums, n.Out, used)
		return &c
	case *VirtualScan:
		c := *n
		c.Attnums, c.Out = keepCols(n.Attnums, n.Out, used)
		return &c
	case *Project:
		c := pruneProject(n, used)
		need := needs(c, &colSet{})
		c.Input = prune(n.Input, &need)
		return c
	case *ProjectSet:
		c := &ProjectSet{}
		for i, e := range n.Exprs {
			if returnsSet(e) || used.has(n.Out[i].ID) || isVolatile(e) {
				c.Exprs, c.Out = append(c.Exprs, e), append(c.Out, n.Out[i])
			}
		}
		need := needs(c, &colSet{})
		c.Input = prune(n.Input, &need)
		return c
	case *Join:
		need := needs(n, used)
		free := freeCols(n.Right)
		need.union(&free)
		c := *n
		c.Left, c.Right = prune(n.Left, &need), prune(n.Right, &need)
		return &c
	case *Append:
		return n.prune(used)
	case *Aggregate:
		c := *n
		c.Aggs = slices.DeleteFunc(slices.Clone(n.Aggs), func(a AggItem) bool { return !used.has(a.Col.ID) })
		c.Grouping = slices.DeleteFunc(slices.Clone(n.Grouping), func(g GroupingItem) bool { return !used.has(g.Col.ID) })
		need := needs(&c, &colSet{})
		c.Input = prune(n.Input, &need)
		return &c
	case *Window:
		c := *n
		c.Funcs = slices.DeleteFunc(slices.Clone(n.Funcs), func(f WindowItem) bool { return !used.has(f.Col.ID) })
		if len(c.Funcs) == 0 {
			return prune(n.Input, used)
		}
		need := needs(&c, used)
		c.Input = prune(n.Input, &need)
		return &c
	}
	return pruneOther(n, used)
}

func pruneOther(n Node, used *colSet) Node {
	need := needs(n, used)
	switch n := n.(type) {
	case *Distinct:
		if n.On == nil {
			need.addCols(n.Input.Cols())
		}
	case *LockRows:
		for _, d := range n.Docs {
			need.add(d.Doc)
			if d.Members != nil {
				need.add(d.TableOID)
			}
		}
	case *Update:
		need.addCols(n.OldCols)
		need.add(n.Doc)
		if n.Members != nil {
			need.add(n.TableOID)
		}
	case *Delete:
		need.addCols(n.OldCols)
		need.add(n.Doc)
		if n.Members != nil {
			need.add(n.TableOID)
		}
	case *Merge:
		need.addCols(n.OldCols)
		need.add(n.Doc)
	case *SetOp:
		return mapInputs(n, pruneWhole)
	case *Insert:
		return mapInputs(n, pruneWhole)
	case *With:
		in := n.Inputs()
		for i := range in[:len(in)-1] {
			in[i] = pruneWhole(in[i])
		}
		in[len(in)-1] = prune(n.Body, used)
		return n.WithInputs(in)
	}
	return mapInputs(n, func(in Node) Node { return prune(in, &need) })
}

// pruneWhole prunes below a node whose own columns are all read, by position.
func pruneWhole(n Node) Node {
	var all colSet
	cols := n.Cols()
	all.addCols(cols)
	return positional(prune(n, &all), cols)
}

func keepCols(attnums []int16, cols []Col, used *colSet) ([]int16, []Col) {
	var a []int16
	var c []Col
	for i := range cols {
		if used.has(cols[i].ID) || attnums[i] == DocAttnum {
			a, c = append(a, attnums[i]), append(c, cols[i])
		}
	}
	return a, c
}

func pruneProject(n *Project, used *colSet) *Project {
	c := &Project{Input: n.Input}
	for i, e := range n.Exprs {
		if used.has(n.Out[i].ID) || isVolatile(e) {
			c.Exprs, c.Out = append(c.Exprs, e), append(c.Out, n.Out[i])
		}
	}
	return c
}

// tidy removes projections that only pass columns on and joins projections that stand on each other. Where columns are
// read by position a projection that orders them stays.
func tidy(n Node, byPosition bool) Node {
	switch n := n.(type) {
	case *Project:
		in := tidy(n.Input, false)
		if below, ok := in.(*Project); ok {
			if m := mergeProjects(n, below); m != nil {
				return tidy(m, byPosition)
			}
		}
		if passesOn(n, in, byPosition) {
			return in
		}
		return &Project{Input: in, Exprs: n.Exprs, Out: n.Out}
	case *SetOp, *Insert, *Append:
		return mapInputs(n, func(in Node) Node { return tidy(in, true) })
	case *With:
		in := n.Inputs()
		for i := range in {
			in[i] = tidy(in[i], i < len(in)-1 || byPosition)
		}
		return n.WithInputs(in)
	case *Sort, *Limit, *Filter, *LockRows, *Distinct:
		// These show their input's columns as they are.
		_, distinct := n.(*Distinct)
		return mapInputs(n, func(in Node) Node { return tidy(in, byPosition || distinct) })
	}
	return mapInputs(n, func(in Node) Node { return tidy(in, false) })
}

// passesOn reports whether a projection computes nothing and, where order counts, orders nothing.
func passesOn(n *Project, in Node, byPosition bool) bool {
	for i, e := range n.Exprs {
		if r, ok := e.(*expr.ColRef); !ok || r.ID != n.Out[i].ID {
			return false
		}
	}
	if !byPosition {
		return true
	}
	return slices.EqualFunc(n.Out, in.Cols(), func(a, b Col) bool { return a.ID == b.ID })
}

// mergeProjects computes two projections in one: nil when something computed below is used more than once above, or is
// volatile.
func mergeProjects(top, below *Project) *Project {
	uses := map[expr.ColID]int{}
	for _, e := range top.Exprs {
		if hasSubquery(e) {
			return nil
		}
		expr.Walk(e, func(e expr.Expr) bool {
			if r, ok := e.(*expr.ColRef); ok {
				uses[r.ID]++
			}
			return true
		})
	}
	defs := make(map[expr.ColID]expr.Expr, len(below.Out))
	for i, c := range below.Out {
		e := below.Exprs[i]
		switch e.(type) {
		case *expr.ColRef, *expr.Const, *expr.Param:
		default:
			if uses[c.ID] > 1 || isVolatile(e) {
				return nil
			}
		}
		defs[c.ID] = e
	}
	out := &Project{Input: below.Input, Out: top.Out, Exprs: make([]expr.Expr, len(top.Exprs))}
	for i, e := range top.Exprs {
		out.Exprs[i] = substitute(e, defs)
	}
	return out
}
