package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// subLink binds a subquery used as an expression.
func (s *scope) subLink(l *pg_query.SubLink) (expr.Expr, error) {
	switch l.SubLinkType {
	case pg_query.SubLinkType_EXISTS_SUBLINK:
		q, err := s.subquery(l)
		if err != nil {
			return nil, err
		}
		return &expr.Subquery{Kind: expr.SubExists, Plan: s.subplan(q, l), T: types.BoolT, Mod: -1}, nil
	case pg_query.SubLinkType_EXPR_SUBLINK, pg_query.SubLinkType_ARRAY_SUBLINK:
		return s.valueSubquery(l)
	case pg_query.SubLinkType_ANY_SUBLINK, pg_query.SubLinkType_ALL_SUBLINK:
		return s.quantified(l)
	}
	return nil, pgerr.Unsupported("this kind of subquery").At(l.Location)
}

// subquery binds a SubLink's SELECT on a level below this one.
func (s *scope) subquery(l *pg_query.SubLink) (*query, error) {
	if cannot := s.info().selectCannot; cannot != "" {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "%s", cannot).At(l.Location)
	}
	sel := l.Subselect.GetSelectStmt()
	if sel == nil {
		return nil, pgerr.Unsupported("this subquery").At(l.Location)
	}
	lateral, noSet := s.lateral, s.noSet
	s.noSet = ""
	// Inside an expression every visible item of this level may be used, LATERAL or not.
	q, err := s.b.newScope(s).query(sel, true)
	s.lateral, s.noSet = lateral, noSet
	return q, err
}

func (s *scope) subplan(q *query, l *pg_query.SubLink) *Subplan {
	return &Subplan{Root: q.node, written: l, level: s}
}

func (s *scope) valueSubquery(l *pg_query.SubLink) (expr.Expr, error) {
	q, err := s.subquery(l)
	if err != nil {
		return nil, err
	}
	if len(q.cols) != 1 {
		return nil, pgerr.New(pgerr.SyntaxError, "subquery must return only one column").At(l.Location)
	}
	c := q.cols[0]
	out := &expr.Subquery{Kind: expr.SubScalar, Plan: s.subplan(q, l), T: c.Type, Mod: c.Mod}
	if l.SubLinkType == pg_query.SubLinkType_ARRAY_SUBLINK {
		out.Kind = expr.SubArray
		// The array of arrays of one type is that type itself, one dimension more.
		if !c.Type.IsArray() {
			out.T = s.b.r.ArrayOf(c.Type)
		}
		if out.T == nil {
			return nil, pgerr.New(pgerr.UndefinedObject, "could not find array type for data type %s", types.FormatType(c.Type, -1)).At(l.Location)
		}
	}
	return out, nil
}

// quantified binds x op ANY (SELECT ...), x op ALL (SELECT ...) and x IN (SELECT ...), also over rows.
func (s *scope) quantified(l *pg_query.SubLink) (expr.Expr, error) {
	schema, name := "", "="
	if len(l.OperName) > 0 {
		schema, name = operatorName(l.OperName)
	}
	left, err := s.testOperands(l.Testexpr)
	if err != nil {
		return nil, err
	}
	q, err := s.subqueryOf(l, len(left))
	if err != nil {
		return nil, err
	}
	test, err := s.rowOp(schema, name, left, colRefs(q.cols), l.Location)
	if err != nil {
		return nil, err
	}
	kind := expr.SubAny
	if l.SubLinkType == pg_query.SubLinkType_ALL_SUBLINK {
		kind = expr.SubAll
	}
	return &expr.Subquery{Kind: kind, Plan: s.subplan(q, l), Test: test, T: types.BoolT, Mod: -1}, nil
}

// subqueryOf binds a subquery that must have n columns.
func (s *scope) subqueryOf(l *pg_query.SubLink, n int) (*query, error) {
	q, err := s.subquery(l)
	switch {
	case err != nil:
		return nil, err
	case n < len(q.cols):
		return nil, pgerr.New(pgerr.SyntaxError, "subquery has too many columns").At(l.Location)
	case n > len(q.cols):
		return nil, pgerr.New(pgerr.SyntaxError, "subquery has too few columns").At(l.Location)
	}
	return q, nil
}

func (s *scope) testOperands(n *pg_query.Node) ([]expr.Expr, error) {
	if row := n.GetRowExpr(); row != nil {
		return s.rowElems(row.Args)
	}
	x, err := s.expr(n)
	return []expr.Expr{x}, err
}

func colRefs(cols []Col) []expr.Expr {
	out := make([]expr.Expr, len(cols))
	for i, c := range cols {
		out[i] = ref(c)
	}
	return out
}

// rowSubquery binds (a, b) op (SELECT c, d): the subquery gives at most one row, as a record whose fields are compared.
func (s *scope) rowSubquery(schema, name string, row *pg_query.RowExpr, l *pg_query.SubLink, loc int32) (expr.Expr, error) {
	left, err := s.rowElems(row.Args)
	if err != nil {
		return nil, err
	}
	q, err := s.subqueryOf(l, len(left))
	if err != nil {
		return nil, err
	}
	return s.rowOp(schema, name, left, s.recordFields(q), loc)
}

// recordFields makes a scalar subquery of a query with many columns and gives its fields.
func (s *scope) recordFields(q *query) []expr.Expr {
	if len(q.cols) == 1 {
		c := q.cols[0]
		return []expr.Expr{&expr.Subquery{Kind: expr.SubScalar, Plan: &Subplan{Root: q.node}, T: c.Type, Mod: c.Mod}}
	}
	sub := s.recordSubquery(q)
	out := make([]expr.Expr, len(q.cols))
	for i, c := range q.cols {
		out[i] = &expr.Field{X: sub, Index: i, Name: c.Name, T: c.Type, Mod: c.Mod}
	}
	return out
}

func (s *scope) recordSubquery(q *query) *expr.Subquery {
	row := &expr.Row{Elems: colRefs(q.cols), T: types.RecordT}
	p := &Project{Input: q.node, Exprs: []expr.Expr{row}}
	p.Out = []Col{s.b.newCol(Col{Name: "row", Type: types.RecordT, Mod: -1}, nil)}
	return &expr.Subquery{Kind: expr.SubScalar, Plan: &Subplan{Root: p}, T: types.RecordT, Mod: -1}
}
