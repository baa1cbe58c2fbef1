package planner

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func joinKind(t pg_query.JoinType) JoinKind {
	switch t {
	case pg_query.JoinType_JOIN_LEFT:
		return LeftJoin
	case pg_query.JoinType_JOIN_RIGHT:
		return RightJoin
	case pg_query.JoinType_JOIN_FULL:
		return FullJoin
	}
	return InnerJoin
}

// joinExpr binds JOIN with ON, USING or NATURAL. The join itself becomes a FROM item that shows both sides' columns; the
// sides stay visible by their names unless the join has an alias.
func (s *scope) joinExpr(j *pg_query.JoinExpr) (Node, []*nsItem, error) {
	left, lns, err := s.fromItem(j.Larg)
	if err != nil {
		return nil, nil, err
	}
	kind := joinKind(j.Jointype)
	right, rns, lateral, err := s.rightSide(j.Rarg, lns, kind)
	if err != nil {
		return nil, nil, err
	}
	if err := s.checkNames(lns, rns); err != nil {
		return nil, nil, err
	}
	node := &Join{Kind: kind, Left: left, Right: right, Lateral: lateral}
	ns := append(append([]*nsItem{}, lns...), rns...)
	lcols, rcols := visibleCols(lns), visibleCols(rns)
	using := strs(j.UsingClause)
	if j.IsNatural {
		using = common(lcols, rcols)
	}
	item := &nsItem{join: true, colsVisible: true}
	if s.b.rec != nil {
		s.b.rec.item(j, item)
		s.b.rec.using[j] = using
	}
	merged, err := s.using(node, using, &lcols, &rcols)
	if err != nil {
		return nil, nil, err
	}
	if j.Quals != nil {
		if err := s.joinOn(node, j, ns); err != nil {
			return nil, nil, err
		}
	}
	s.nullExtend(kind, lns, rns, lcols, rcols)
	item.cols = append(append(merged, lcols...), rcols...)
	if j.Alias != nil {
		item.alias, item.relVisible = j.Alias.Aliasname, true
		if err := s.aliasColumns(item, j.Alias); err != nil {
			return nil, nil, err
		}
		item.extra = item.joinRow(s)
		s.rtable = append(s.rtable, item)
		return node, []*nsItem{item}, nil
	}
	for _, it := range ns {
		it.colsVisible = false
	}
	if j.JoinUsingAlias != nil {
		using := &nsItem{alias: j.JoinUsingAlias.Aliasname, join: true, relVisible: true, cols: merged}
		if err := s.checkNames(ns, []*nsItem{using}); err != nil {
			return nil, nil, err
		}
		ns = append(ns, using)
		s.rtable = append(s.rtable, using)
	}
	return node, append(ns, item), nil
}

// rightSide binds the right side, to which the left one is visible when it is LATERAL.
func (s *scope) rightSide(n *pg_query.Node, lns []*nsItem, kind JoinKind) (Node, []*nsItem, bool, error) {
	for _, it := range lns {
		it.lateralOnly, it.lateralOK = true, kind == InnerJoin || kind == LeftJoin
	}
	outer, hits := s.ns, len(s.hits)
	s.ns = append(slices.Clone(outer), lns...)
	right, rns, err := s.fromItem(n)
	s.ns = outer
	for _, it := range lns {
		it.lateralOnly, it.lateralOK = false, true
	}
	return right, rns, err == nil && hitAny(s.hits[hits:], lns), err
}

func (s *scope) joinOn(node *Join, j *pg_query.JoinExpr, ns []*nsItem) error {
	outer := s.ns
	s.ns = ns
	defer func() { s.ns = outer }()
	return s.with(inJoinOn, func() error {
		on, err := s.boolean(j.Quals, "JOIN/ON")
		if err == nil {
			if s.b.rec != nil {
				s.b.rec.quals[j] = on
			}
			node.On = append(node.On, conjuncts(on)...)
		}
		return err
	})
}

// visibleCols are the columns that the items show without qualification.
func visibleCols(ns []*nsItem) []nsCol {
	var out []nsCol
	for _, it := range ns {
		if it.colsVisible {
			out = append(out, it.cols...)
		}
	}
	return out
}

// common lists the column names that both sides have, in the left side's order.
func common(l, r []nsCol) []string {
	have := make(map[string]bool, len(r))
	for _, c := range r {
		have[c.name] = true
	}
	var out []string
	for _, c := range l {
		if have[c.name] && !slices.Contains(out, c.name) {
			out = append(out, c.name)
		}
	}
	return out
}

// using adds the equalities of USING and gives the merged columns, which it takes out of both sides' lists.
func (s *scope) using(node *Join, names []string, lcols, rcols *[]nsCol) ([]nsCol, error) {
	var merged []nsCol
	var usedL, usedR []int
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, pgerr.New(pgerr.DuplicateColumn, "column name \"%s\" appears more than once in USING clause", name)
		}
		l, err := usingColumn(*lcols, name, "left")
		if err != nil {
			return nil, err
		}
		r, err := usingColumn(*rcols, name, "right")
		if err != nil {
			return nil, err
		}
		usedL, usedR = append(usedL, l), append(usedR, r)
		lx, rx := (*lcols)[l].x, (*rcols)[r].x
		for _, x := range []expr.Expr{lx, rx} {
			s.b.markRead(x)
			if r, ok := x.(*expr.ColRef); ok && s.b.describing {
				s.noteUse(r, name, -1)
			}
		}
		if err := s.equalByBytes("USING", lx, rx); err != nil {
			return nil, err
		}
		eq, err := s.b.r.Operator("", "=", lx, rx, -1)
		if err != nil {
			return nil, err
		}
		node.On = append(node.On, eq)
		x, err := s.mergedColumn(node.Kind, lx, rx)
		if err != nil {
			return nil, err
		}
		merged = append(merged, nsCol{name: name, x: x})
	}
	*lcols, *rcols = without(*lcols, usedL), without(*rcols, usedR)
	return merged, nil
}

func usingColumn(cols []nsCol, name, side string) (int, error) {
	found := -1
	for i, c := range cols {
		if c.name != name {
			continue
		}
		if found >= 0 {
			return 0, pgerr.New(pgerr.AmbiguousColumn, "common column name \"%s\" appears more than once in %s table", name, side)
		}
		found = i
	}
	if found < 0 {
		return 0, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" specified in USING clause does not exist in %s table", name, side)
	}
	return found, nil
}

func without(cols []nsCol, used []int) []nsCol {
	out := make([]nsCol, 0, len(cols))
	for i, c := range cols {
		if !slices.Contains(used, i) {
			out = append(out, c)
		}
	}
	return out
}

// mergedColumn is the one column that USING makes of two: the side that is never left out, or in a full join whichever is
// there.
func (s *scope) mergedColumn(kind JoinKind, l, r expr.Expr) (expr.Expr, error) {
	t, err := s.b.r.CommonType([]expr.Expr{l, r}, "JOIN/USING", -1)
	if err != nil {
		return nil, err
	}
	mod := int32(-1)
	if l.Type() == r.Type() && l.Typmod() == r.Typmod() {
		mod = l.Typmod()
	}
	cl, err := s.b.r.Coerce(l, t, mod, expr.Implicit, -1)
	if err != nil {
		return nil, err
	}
	cr, err := s.b.r.Coerce(r, t, mod, expr.Implicit, -1)
	if err != nil {
		return nil, err
	}
	switch {
	case kind == FullJoin:
		return &expr.Coalesce{Args: []expr.Expr{nullable(cl), nullable(cr)}, T: t}, nil
	case kind == RightJoin:
		return cr, nil
	case kind == InnerJoin && cl != l && cr == r:
		return cr, nil
	}
	return cl, nil
}

// nullable drops the promise that columns in e are not NULL.
func nullable(e expr.Expr) expr.Expr {
	return expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		if r, ok := e.(*expr.ColRef); ok && r.NotNull {
			n := *r
			n.NotNull = false
			return &n
		}
		return e
	})
}

// nullExtend marks the columns of a side that an outer join may leave out as possibly NULL.
func (s *scope) nullExtend(kind JoinKind, lns, rns []*nsItem, lcols, rcols []nsCol) {
	clear := func(ns []*nsItem, cols []nsCol) {
		for _, it := range ns {
			it.clearNotNull()
		}
		for i := range cols {
			cols[i].x = nullable(cols[i].x)
		}
	}
	if kind == LeftJoin || kind == FullJoin {
		clear(rns, rcols)
	}
	if kind == RightJoin || kind == FullJoin {
		clear(lns, lcols)
	}
}

// joinRow is the whole row of an aliased join.
func (it *nsItem) joinRow(s *scope) func(int16) (expr.Expr, error) {
	return func(n int16) (expr.Expr, error) {
		if n != 0 {
			return nil, nil
		}
		return rowOf(it), nil
	}
}
