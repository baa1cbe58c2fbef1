package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// pushFilters moves conditions as near to the tables as their meaning allows.
func pushFilters(p *pass, root Node) Node { return pushDown(root, nil) }

// pushDown returns n under the conditions, which hold for its output rows, pushed as deep as they go.
func pushDown(n Node, conds []expr.Expr) Node {
	switch n := n.(type) {
	case *Filter:
		// A volatile condition stays where it was written, over the rows that its neighbours leave, and nothing from above
		// goes past it: nextval('s') > 0 in a subquery runs for each row of that subquery.
		var own, volatile []expr.Expr
		for _, c := range split(n.Conds) {
			if isVolatile(c) {
				volatile = append(volatile, c)
			} else {
				own = append(own, c)
			}
		}
		if len(volatile) > 0 {
			return filter(&Filter{Input: pushDown(n.Input, own), Conds: volatile}, conds)
		}
		return pushDown(n.Input, append(slices.Clone(conds), own...))
	case *Project:
		down, stay := through(conds, n.Exprs, n.Out)
		return filter(&Project{Input: pushDown(n.Input, down), Exprs: n.Exprs, Out: n.Out}, stay)
	case *ProjectSet:
		down, stay := through(conds, n.Exprs, n.Out)
		return filter(&ProjectSet{Input: pushDown(n.Input, down), Exprs: n.Exprs, Out: n.Out}, stay)
	case *Join:
		return pushJoin(n, conds)
	case *Aggregate:
		return pushAggregate(n, conds)
	case *Window:
		return pushWindow(n, conds)
	case *Sort:
		return &Sort{Input: pushDown(n.Input, conds), Keys: n.Keys, Presorted: n.Presorted}
	case *Distinct:
		return pushDistinct(n, conds)
	case *SetOp:
		return pushSetOp(n, conds)
	case *Append:
		out, stay := n.push(conds)
		return filter(out, stay)
	case *With:
		in := n.Inputs()
		for i := range in {
			var c []expr.Expr
			if i == len(in)-1 {
				c = conds
			}
			in[i] = pushDown(in[i], c)
		}
		return n.WithInputs(in)
	}
	// Not past a limit: WHERE above LIMIT 5 sees five rows, below it it would choose other ones. Leaves end the way.
	return filter(simplified(mapInputs(n, func(in Node) Node { return pushDown(in, nil) }), conds))
}

// simplified drops conditions that are always true, and the whole input under one that never is.
func simplified(n Node, conds []expr.Expr) (Node, []expr.Expr) {
	var out []expr.Expr
	for _, c := range conds {
		if k, ok := c.(*expr.Const); ok && k.T == types.BoolT {
			if !k.D.IsNull() && k.D.Bool() {
				continue
			}
			if !planVolatile(n) {
				return &Values{Out: n.Cols()}, nil
			}
		}
		out = append(out, c)
	}
	return n, out
}

func split(conds []expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, c := range conds {
		out = append(out, conjuncts(c)...)
	}
	return out
}

// through rewrites conditions over a projection's output as conditions over its input. Not when a column they use is
// volatile, for it would be computed twice, or returns a set: SELECT generate_series(1, a) AS g ... WHERE g > 2.
func through(conds, exprs []expr.Expr, out []Col) (down, stay []expr.Expr) {
	if len(conds) == 0 {
		return nil, nil
	}
	defs := make(map[expr.ColID]expr.Expr, len(out))
	for i, c := range out {
		defs[c.ID] = exprs[i]
	}
	for _, cond := range conds {
		used := colsOf(cond)
		subst := map[expr.ColID]expr.Expr{}
		ok := !isVolatile(cond)
		for _, id := range used.ids() {
			def := defs[id]
			if def == nil {
				continue
			}
			if r, same := def.(*expr.ColRef); same && r.ID == id {
				continue
			}
			if isVolatile(def) || returnsSet(def) || hasSubquery(def) {
				ok = false
				break
			}
			subst[id] = def
		}
		if !ok {
			stay = append(stay, cond)
			continue
		}
		down = append(down, substitute(cond, subst))
	}
	return down, stay
}

// pushAggregate lets conditions on grouping keys go below the grouping: HAVING a > 1 with GROUP BY a. Without keys nothing
// goes: SELECT count(*) ... HAVING false is no row, but the count of no rows is one. With grouping sets only keys that all
// of the sets have.
func pushAggregate(n *Aggregate, conds []expr.Expr) Node {
	keys := map[expr.ColID]expr.Expr{}
	var keySet colSet
	for i, c := range n.KeyCols {
		if slices.ContainsFunc(n.Sets, func(s []int) bool { return !slices.Contains(s, i) }) || isVolatile(n.Keys[i]) {
			continue
		}
		keys[c.ID] = n.Keys[i]
		keySet.add(c.ID)
	}
	var made colSet
	made.addCols(n.Cols())
	var down, stay []expr.Expr
	for _, cond := range conds {
		used := colsOf(cond)
		own := used.clone()
		for _, id := range used.ids() {
			if !made.has(id) {
				own.minus(&colSet{bits: bit(id)})
			}
		}
		if own.empty() || !own.subsetOf(&keySet) || isVolatile(cond) {
			stay = append(stay, cond)
			continue
		}
		down = append(down, substitute(cond, keys))
	}
	c := *n
	c.Input = pushDown(n.Input, down)
	return filter(&c, stay)
}

func bit(id expr.ColID) []uint64 {
	var s colSet
	s.add(id)
	return s.bits
}

// pushWindow lets conditions on partitioning columns go below: they remove whole partitions. Others would change what the
// functions see: WHERE rn > 1 over row_number().
func pushWindow(n *Window, conds []expr.Expr) Node {
	var keys colSet
	for _, k := range n.Partition {
		if r, ok := k.(*expr.ColRef); ok {
			keys.add(r.ID)
		}
	}
	down, stay := within(conds, &keys)
	c := *n
	c.Input = pushDown(n.Input, down)
	return filter(&c, stay)
}

// within splits conditions into those over the given columns alone and the others.
func within(conds []expr.Expr, cols *colSet) (in, out []expr.Expr) {
	for _, c := range conds {
		used := colsOf(c)
		if !used.empty() && used.subsetOf(cols) && !isVolatile(c) {
			in = append(in, c)
		} else {
			out = append(out, c)
		}
	}
	return in, out
}

// pushDistinct lets conditions go below DISTINCT; below DISTINCT ON only those on its keys, for others would let another
// row be the first of its group.
func pushDistinct(n *Distinct, conds []expr.Expr) Node {
	if n.On == nil {
		return &Distinct{Input: pushDown(n.Input, conds)}
	}
	var keys colSet
	for _, k := range n.On {
		if r, ok := k.(*expr.ColRef); ok {
			keys.add(r.ID)
		}
	}
	down, stay := within(conds, &keys)
	return filter(&Distinct{Input: pushDown(n.Input, down), On: n.On}, stay)
}

// pushSetOp filters both sides: a row is in the result if its copies are in the sides, whatever the operation.
func pushSetOp(n *SetOp, conds []expr.Expr) Node {
	var down, stay []expr.Expr
	for _, c := range conds {
		if isVolatile(c) || hasSubquery(c) {
			stay = append(stay, c)
		} else {
			down = append(down, c)
		}
	}
	side := func(in Node) Node {
		m := make(map[expr.ColID]expr.Expr, len(n.Out))
		for i, c := range in.Cols() {
			m[n.Out[i].ID] = ref(c)
		}
		list := make([]expr.Expr, len(down))
		for i, c := range down {
			list[i] = substitute(c, m)
		}
		return positional(pushDown(in, list), in.Cols())
	}
	c := *n
	c.Left, c.Right = side(n.Left), side(n.Right)
	return filter(&c, stay)
}

// positional makes sure that a node read by position gives exactly these columns in this order.
func positional(n Node, cols []Col) Node {
	have := n.Cols()
	if slices.EqualFunc(have, cols, func(a, b Col) bool { return a.ID == b.ID }) {
		return n
	}
	return narrow(n, cols)
}

// pushJoin distributes conditions over a join.
func pushJoin(n *Join, conds []expr.Expr) Node {
	j := simplifyOuter(n, conds)
	var left, right colSet
	left.addCols(j.Left.Cols())
	right.addCols(j.Right.Cols())
	var toLeft, toRight, on, stay []expr.Expr
	if j.Kind == InnerJoin {
		conds = append(slices.Clone(conds), impliedConstants(append(slices.Clone(conds), split(j.On)...))...)
	}
	for _, c := range conds {
		used := colsOf(c)
		l, r := used.intersects(&left), used.intersects(&right)
		switch {
		case isVolatile(c):
			stay = append(stay, c)
		case j.Kind == InnerJoin && l && r:
			on = append(on, c)
		case l && !r && j.Kind != RightJoin && j.Kind != FullJoin:
			toLeft = append(toLeft, c)
		case r && !l && (j.Kind == InnerJoin || j.Kind == RightJoin):
			toRight = append(toRight, c)
		default:
			stay = append(stay, c)
		}
	}
	for _, c := range split(j.On) {
		used := colsOf(c)
		l, r := used.intersects(&left), used.intersects(&right)
		switch {
		case isVolatile(c):
			on = append(on, c)
		case l && !r && (j.Kind == InnerJoin || j.Kind == RightJoin || j.Kind == SemiJoin):
			toLeft = append(toLeft, c)
		case r && !l && j.Kind != RightJoin && j.Kind != FullJoin && j.Kind != AntiNullJoin:
			// The right side of a left, semi or anti join: a row that fails the condition matches nothing.
			toRight = append(toRight, c)
		default:
			on = append(on, c)
		}
	}
	c := *j
	c.Left, c.Right, c.On = pushDown(j.Left, toLeft), pushDown(j.Right, toRight), on
	return filter(&c, stay)
}

// impliedConstants gives what equalities say together: a = 5 AND a = b is b = 5, too, by which the other side of a join can
// be found. Both equalities must be the same operator over one type: int8 = int8 and float8 = float8 do not mix.
func impliedConstants(conds []expr.Expr) []expr.Expr {
	var out []expr.Expr
	for _, c := range conds {
		fixed, col := fixedColumn(c)
		if fixed == nil {
			continue
		}
		for _, d := range conds {
			eq, ok := d.(*expr.Call)
			if !ok || eq.Op != "=" || len(eq.Args) != 2 || eq.Fn != fixed.Fn {
				continue
			}
			for i, a := range eq.Args {
				x, ok1 := a.(*expr.ColRef)
				other, ok2 := eq.Args[1-i].(*expr.ColRef)
				if !ok1 || !ok2 || x.ID != col.ID || x.T != col.T || other.T != col.T {
					continue
				}
				implied := *fixed
				implied.Args = []expr.Expr{other, fixed.Args[1]}
				if !slices.ContainsFunc(append(conds, out...), func(e expr.Expr) bool { return equalExpr(e, &implied) }) {
					out = append(out, &implied)
				}
			}
		}
	}
	return out
}

// fixedColumn returns an equality of a column with a value, the column first, and the column; nil for other conditions.
func fixedColumn(c expr.Expr) (*expr.Call, *expr.ColRef) {
	eq, ok := c.(*expr.Call)
	if !ok || eq.Op != "=" || len(eq.Args) != 2 {
		return nil, nil
	}
	for i, a := range eq.Args {
		col, ok := a.(*expr.ColRef)
		if !ok {
			continue
		}
		switch v := eq.Args[1-i].(type) {
		case *expr.Const, *expr.Param:
			if v.Type() != col.T {
				return nil, nil
			}
			fixed := *eq
			fixed.Args = []expr.Expr{col, v}
			return &fixed, col
		}
	}
	return nil, nil
}

// simplifyOuter turns an outer join into a narrower one when a condition above it rejects the rows that it fills with
// NULLs: a LEFT JOIN b ... WHERE b.x = 1. Not b.x IS NULL, which wants just those.
func simplifyOuter(n *Join, conds []expr.Expr) *Join {
	if n.Kind != LeftJoin && n.Kind != RightJoin && n.Kind != FullJoin {
		return n
	}
	var rejected, left, right colSet
	for _, c := range conds {
		r := rejects(c)
		rejected.union(&r)
	}
	left.addCols(n.Left.Cols())
	right.addCols(n.Right.Cols())
	noNullLeft, noNullRight := rejected.intersects(&left), rejected.intersects(&right)
	c := *n
	switch {
	case n.Kind == LeftJoin && noNullRight, n.Kind == RightJoin && noNullLeft, n.Kind == FullJoin && noNullLeft && noNullRight:
		c.Kind = InnerJoin
	case n.Kind == FullJoin && noNullLeft:
		c.Kind = LeftJoin
	case n.Kind == FullJoin && noNullRight:
		c.Kind = RightJoin
	}
	return &c
}

// rejects gives columns for which a NULL makes the condition false or unknown.
func rejects(e expr.Expr) colSet {
	var out colSet
	switch e := e.(type) {
	case *expr.And:
		for _, a := range e.Args {
			r := rejects(a)
			out.union(&r)
		}
	case *expr.Or:
		for i, a := range e.Args {
			r := rejects(a)
			if i == 0 {
				out = r
				continue
			}
			both := out.clone()
			both.minus(&r)
			out.minus(&both)
		}
	case *expr.Not:
		return nulls(e.X)
	case *expr.IsNull:
		if e.Not && e.X.Type().BaseType().Kind != 'c' && e.X.Type() != types.RecordT {
			return nulls(e.X)
		}
	case *expr.BoolTest:
		if !e.Not && e.Want != 'u' {
			return nulls(e.X)
		}
	case *expr.ScalarArray:
		if !e.All && e.Op.Strict {
			return nulls(e.Left)
		}
	default:
		return nulls(e)
	}
	return out
}

// nulls gives columns for which a NULL makes the value NULL.
func nulls(e expr.Expr) colSet {
	var out colSet
	switch e := e.(type) {
	case *expr.ColRef:
		out.add(e.ID)
	case *expr.Call:
		if e.Fn.Strict && !e.Fn.RetSet && !e.Variadic {
			for _, a := range e.Args {
				n := nulls(a)
				out.union(&n)
			}
		}
	case *expr.Relabel:
		return nulls(e.X)
	case *expr.IOCast:
		return nulls(e.X)
	case *expr.Collate:
		return nulls(e.X)
	case *expr.Not:
		return nulls(e.X)
	}
	return out
}
