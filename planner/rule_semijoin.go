package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
)

// semijoins turns EXISTS and IN conditions of a filter into semi and anti joins, where each row of the outer query would
// else run the subquery. Only as a whole conjunct of WHERE: there unknown counts as false. A subquery over the system
// catalogues stays: it is asked by key, for few rows.
func semijoins(p *pass, root Node) Node {
	root = mapInputs(root, func(n Node) Node { return semijoins(p, n) })
	f, ok := root.(*Filter)
	if !ok {
		return root
	}
	input := f.Input
	var rest []expr.Expr
	for _, c := range split(f.Conds) {
		if j := p.semijoin(c, input); j != nil {
			input = j
		} else {
			rest = append(rest, c)
		}
	}
	if input == f.Input {
		return root
	}
	return filter(input, rest)
}

// semijoin makes the join of one condition, or nil.
func (p *pass) semijoin(cond expr.Expr, input Node) Node {
	not := false
	if n, ok := cond.(*expr.Not); ok {
		not, cond = true, n.X
	}
	s, ok := cond.(*expr.Subquery)
	if !ok || s.Not || s.Kind != expr.SubExists && s.Kind != expr.SubAny {
		return nil
	}
	sp := s.Plan.(*Subplan)
	if hasVirtual(sp.Root) || planVolatile(sp.Root) {
		return nil
	}
	var left colSet
	left.addCols(input.Cols())
	free := freeCols(sp.Root)
	correlated := free.intersects(&left)
	if s.Kind == expr.SubExists {
		return p.existsJoin(sp, input, &left, correlated, not)
	}
	return p.inJoin(s, sp, input, &left, correlated, not)
}

// existsJoin decorrelates EXISTS (SELECT ... WHERE inner = outer ...). One that is not correlated runs once as it is.
func (p *pass) existsJoin(sp *Subplan, input Node, left *colSet, correlated, not bool) Node {
	if !correlated {
		return nil
	}
	right, on, ok := decorrelate(sp.Root, left, true)
	if !ok || !p.anyEqui(on, left, right) {
		return nil
	}
	kind := SemiJoin
	if not {
		kind = AntiJoin
	}
	return &Join{Kind: kind, Left: input, Right: right, On: on}
}

// inJoin turns x IN (SELECT y ...) into a semi join and x NOT IN (SELECT y ...) into an anti join that knows NULLs: a
// single NULL among the y makes every NOT IN false or unknown.
func (p *pass) inJoin(s *expr.Subquery, sp *Subplan, input Node, left *colSet, correlated, not bool) Node {
	test := conjuncts(s.Test)
	if slices.ContainsFunc(test, hasSubquery) {
		return nil
	}
	right, on := sp.Root, []expr.Expr(nil)
	if correlated {
		var ok bool
		if right, on, ok = decorrelate(sp.Root, left, false); !ok || not {
			return nil
		}
	}
	if not {
		if len(test) != 1 {
			return nil
		}
		var own colSet
		own.addCols(right.Cols())
		key, ok := p.equiKey(test[0], left, &own)
		if !ok {
			return nil
		}
		kind := AntiNullJoin
		if notNull(key.Left) && notNull(key.Right) {
			kind = AntiJoin
		}
		return &Join{Kind: kind, Left: input, Right: right, On: test}
	}
	on = append(on, test...)
	if !p.anyEqui(on, left, right) {
		return nil
	}
	return &Join{Kind: SemiJoin, Left: input, Right: right, On: on}
}

func (p *pass) anyEqui(on []expr.Expr, left *colSet, right Node) bool {
	var own colSet
	own.addCols(right.Cols())
	return slices.ContainsFunc(on, func(c expr.Expr) bool {
		_, ok := p.equiKey(c, left, &own)
		return ok
	})
}

// hasVirtual reports whether a plan reads the system catalogues.
func hasVirtual(n Node) bool {
	if _, ok := n.(*VirtualScan); ok {
		return true
	}
	return slices.ContainsFunc(n.Inputs(), hasVirtual)
}

// decorrelate takes the conditions that use the outer query's columns out of the subquery's top filter. It fails when
// they are used anywhere else: below an aggregate or a limit they decide what it sees. With exists the subquery's own
// columns, their order and a LIMIT of one row or more do not matter.
func decorrelate(n Node, outer *colSet, exists bool) (Node, []expr.Expr, bool) {
	switch n := n.(type) {
	case *Project:
		if slices.ContainsFunc(n.Exprs, func(e expr.Expr) bool { c := colsOf(e); return c.intersects(outer) && !exists }) {
			return nil, nil, false
		}
		in, on, ok := decorrelate(n.Input, outer, exists)
		if !ok {
			return nil, nil, false
		}
		if exists {
			return in, on, true
		}
		return widen(n, in, on), on, true
	case *Filter:
		in, on, ok := decorrelate(n.Input, outer, exists)
		if !ok {
			return nil, nil, false
		}
		var stay []expr.Expr
		for _, c := range split(n.Conds) {
			if used := colsOf(c); !used.intersects(outer) {
				stay = append(stay, c)
			} else if hasSubquery(c) || isVolatile(c) {
				return nil, nil, false
			} else {
				on = append(on, c)
			}
		}
		return filter(in, stay), on, true
	case *Sort:
		return decorrelate(n.Input, outer, exists)
	case *Distinct:
		if exists && n.On == nil {
			return decorrelate(n.Input, outer, exists)
		}
	case *Limit:
		if k, ok := n.Limit.(*expr.Const); exists && n.Offset == nil && (n.Limit == nil || ok && !k.D.IsNull() && k.D.Int() > 0) {
			return decorrelate(n.Input, outer, exists)
		}
	}
	free := freeCols(n)
	return n, nil, !free.intersects(outer)
}

// widen keeps the columns that pulled-up conditions use beside a projection's own.
func widen(n *Project, in Node, on []expr.Expr) Node {
	var have, used, avail colSet
	have.addCols(n.Out)
	for _, c := range on {
		exprCols(c, &used)
	}
	avail.addCols(in.Cols())
	out := &Project{Input: in, Exprs: slices.Clone(n.Exprs), Out: slices.Clone(n.Out)}
	for _, c := range in.Cols() {
		if used.has(c.ID) && !have.has(c.ID) && avail.has(c.ID) {
			out.Exprs, out.Out = append(out.Exprs, ref(c)), append(out.Out, c)
		}
	}
	return out
}
