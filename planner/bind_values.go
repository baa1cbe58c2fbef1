package planner

import (
	"fmt"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// valuesQuery binds VALUES with its ORDER BY and LIMIT.
func (s *scope) valuesQuery(sel *pg_query.SelectStmt, resolve bool) (*query, error) {
	if len(sel.LockingClause) > 0 {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "%s cannot be applied to VALUES", lockNames[sel.LockingClause[0].GetLockingClause().Strength])
	}
	rows, err := s.valueRows(sel.ValuesLists)
	if err != nil {
		return nil, err
	}
	width := len(rows[0])
	v := &Values{Rows: rows}
	for i := range width {
		column := make([]expr.Expr, len(rows))
		for j, r := range rows {
			column[j] = r[i]
		}
		t, err := s.b.r.CommonType(column, "VALUES", -1)
		if err != nil {
			return nil, err
		}
		if t == types.UnknownT {
			t = types.TextT
		}
		mod, notNullable := column[0].Typmod(), true
		for j, x := range column {
			if x.Typmod() != mod || x.Type() != t {
				mod = -1
			}
			if rows[j][i], err = s.b.r.Coerce(x, t, -1, expr.Implicit, expr.Loc(x)); err != nil {
				return nil, err
			}
			notNullable = notNullable && notNull(rows[j][i])
		}
		coll := s.b.commonCollation(column...)
		if coll.other != "" {
			return nil, pgerr.New(pgerr.CollationMismatch, "collation mismatch between explicit collations \"%s\" and \"%s\"", coll.label, coll.other)
		}
		c := s.b.newCol(Col{Name: fmt.Sprintf("column%d", i+1), Type: t, Mod: mod, NotNull: notNullable, Collation: coll.name}, s)
		v.Out = append(v.Out, c)
	}
	q, err := s.ordered(sel, v)
	if err == nil && s.b.rec != nil {
		s.b.rec.of(sel).values = rows
	}
	return q, err
}

// valueRows binds the rows of VALUES.
func (s *scope) valueRows(lists []*pg_query.Node) ([][]expr.Expr, error) {
	var rows [][]expr.Expr
	err := s.with(inValues, func() error {
		for _, l := range lists {
			items, err := s.withoutStars(l.GetList().GetItems())
			if err != nil {
				return err
			}
			if len(rows) > 0 && len(items) != len(rows[0]) {
				loc := int32(-1)
				if len(items) > 0 {
					loc = nodeLocation(items[0])
				}
				return pgerr.New(pgerr.SyntaxError, "VALUES lists must all be the same length").At(loc)
			}
			row, err := s.exprs(items)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// ordered puts ORDER BY and LIMIT over a node whose columns alone may be used: VALUES and set operations.
func (s *scope) ordered(sel *pg_query.SelectStmt, node Node) (*query, error) {
	cols := node.Cols()
	it := &nsItem{alias: "*VALUES*", colsVisible: true, relVisible: true}
	targets := make([]target, len(cols))
	for i, c := range cols {
		s.b.owner[c.ID] = s
		it.cols = append(it.cols, nsCol{name: c.Name, x: ref(c)})
		targets[i] = target{name: c.Name, x: ref(c), loc: -1}
	}
	s.ns = []*nsItem{it}
	s.rtable = s.ns
	isSetOp := len(sel.ValuesLists) == 0
	items, err := s.orderBy(sel.SortClause, &targets, inOrderBy)
	if err != nil {
		return nil, err
	}
	if isSetOp && len(targets) > len(cols) {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause").
			WithDetail("Only result column names can be used, not expressions or functions.").
			WithHint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.").At(targets[len(cols)].loc)
	}
	limit, err := s.limitOf(sel)
	if err != nil {
		return nil, err
	}
	s.b.rec.keep(s, &selectState{sel: sel, targets: targets, order: items, limit: limit})
	keys := make([]expr.SortKey, len(items))
	for i, o := range items {
		keys[i] = o.key(s.b, targets[o.target].x)
	}
	if len(keys) > 0 {
		node = &Sort{Input: node, Keys: keys}
	}
	return &query{node: limit.node(node, keys), cols: cols}, nil
}
