package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
)

// Rule is a local rewrite of one node: it returns another node with the same meaning, or nil when it does not apply.
type Rule struct {
	Name  string
	Apply func(c *Context, n Node) Node
}

// phase is one step of planning, over a whole plan. Phases run on the plans of subqueries too, from the inside out.
type phase struct {
	name string
	run  func(p *pass, root Node) Node
}

// phases are all that happens to a plan after binding, in order.
//
//	inlineCTEs     WITH queries read once become part of their reader
//	expandInheritance  tables with children become the tables of all their rows
//	fold           constants are computed
//	semijoins      EXISTS and IN in WHERE become joins
//	pushFilters    conditions move towards the tables, outer joins that a condition makes inner ones become so
//	lockSides      FOR UPDATE of what an outer join may leave out is refused
//	orderJoins     inner joins are ordered, equalities split off
//	virtualKeys    equalities on a catalogue's key become lookups
//	prunePartitions  partitions that conditions exclude go
//	prune          unused columns go, trivial projections with them
//	push           MongoDB takes over what it can (pushRules)
//	lookupJoins    joins with few left rows ask their right side by key
//	buildSides     hash joins build their table from the smaller side
var phases = []phase{
	{"inlineCTEs", inlineCTEs},
	{"expandInheritance", expandInheritance},
	{"fold", foldPlan},
	{"semijoins", semijoins},
	{"pushFilters", pushFilters},
	{"lockSides", lockSides},
	{"orderJoins", orderJoins},
	{"virtualKeys", virtualKeys},
	{"prunePartitions", prunePartitions},
	{"prune", prunePlan},
	{"push", applyPush},
	{"lookupJoins", lookupJoins},
	{"buildSides", buildSides},
}

// pass is what phases work with.
type pass struct {
	b *binder
	c *Context
	// err ends planning.
	err error
}

// stopped reports whether the statement was cancelled: rules that would never come to an end, or not soon, end then.
func (p *pass) stopped() bool {
	if p.err == nil {
		p.err = p.b.stopped()
	}
	return p.err != nil
}

// optimize runs the phases and finishes the plan.
func (b *binder) optimize(root Node) (Node, error) {
	p := &pass{b: b, c: b.c}
	for _, ph := range phases {
		root = p.everywhere(root, ph.run)
		if p.err != nil {
			return nil, p.err
		}
	}
	if p.stopped() {
		return nil, p.err
	}
	return p.finish(root), nil
}

// everywhere runs f on the plans of all subqueries inside n, innermost first, and then on n.
func (p *pass) everywhere(n Node, f func(*pass, Node) Node) Node {
	return f(p, p.subplans(n, func(sub Node) Node { return p.everywhere(sub, f) }))
}

// subplans replaces the plans of the subqueries in n's expressions, and in its inputs', by f of them.
func (p *pass) subplans(n Node, f func(Node) Node) Node {
	if p.stopped() {
		return n
	}
	n = mapInputs(n, func(in Node) Node { return p.subplans(in, f) })
	return MapNodeExprs(n, func(e expr.Expr) expr.Expr {
		if !hasSubquery(e) {
			return e
		}
		return expr.Rewrite(e, func(e expr.Expr) expr.Expr {
			s, ok := e.(*expr.Subquery)
			if !ok {
				return e
			}
			sp := s.Plan.(*Subplan)
			root := f(sp.Root)
			if root == sp.Root {
				return e
			}
			c, np := *s, *sp
			np.Root = root
			c.Plan = &np
			return &c
		})
	})
}

// applyPush runs the push-down rules bottom-up, each node until none applies.
func applyPush(p *pass, root Node) Node { return applyRules(p, root, pushRules) }

func applyRules(p *pass, n Node, rules []Rule) Node {
	n = mapInputs(n, func(in Node) Node { return applyRules(p, in, rules) })
	for again := true; again && !p.stopped(); {
		again = false
		for _, r := range rules {
			if m := r.Apply(p.c, n); m != nil {
				n, again = m, true
			}
		}
	}
	return n
}

// foldPlan computes constant expressions, as PostgreSQL does at plan time.
func foldPlan(p *pass, root Node) Node {
	if p.c.Env == nil {
		return root
	}
	return mapPlanExprs(root, func(e expr.Expr) expr.Expr { return expr.Fold(p.c.Env, e, false) })
}

// finish settles what depends on the whole plan: which columns of enclosing queries each subquery reads, which joins are
// lateral, which subqueries can be answered from a hash table.
func (p *pass) finish(root Node) Node {
	root = mapInputs(root, p.finish)
	if j, ok := root.(*Join); ok {
		free, left := freeCols(j.Right), colSet{}
		left.addCols(j.Left.Cols())
		if lateral := free.intersects(&left); lateral != j.Lateral {
			c := *j
			c.Lateral = lateral
			root = &c
		}
	}
	return MapNodeExprs(root, func(e expr.Expr) expr.Expr {
		if !hasSubquery(e) {
			return e
		}
		return expr.Rewrite(e, func(e expr.Expr) expr.Expr {
			if s, ok := e.(*expr.Subquery); ok {
				return p.finishSubquery(s)
			}
			return e
		})
	})
}

func (p *pass) finishSubquery(s *expr.Subquery) expr.Expr {
	c, sp := *s, *s.Plan.(*Subplan)
	sp.Root = p.finish(sp.Root)
	free := freeCols(sp.Root)
	sp.Outer = free.ids()
	sp.Hashed = s.Kind == expr.SubAny && len(sp.Outer) == 0 && p.hashable(s.Test, &sp)
	c.Plan = &sp
	return &c
}

// hashable reports whether a test is equalities between something outside and a column of the subquery.
func (p *pass) hashable(test expr.Expr, sp *Subplan) bool {
	var own colSet
	own.addCols(sp.Root.Cols())
	return !slices.ContainsFunc(conjuncts(test), func(c expr.Expr) bool {
		_, ok := p.equiKey(c, nil, &own)
		return !ok
	})
}
