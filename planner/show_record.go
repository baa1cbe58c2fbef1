package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
)

// record keeps what binding made of the parts of a query, for printing it: grouping and planning rewrite the bound
// expressions. A nil record keeps nothing.
type record struct {
	selects map[*pg_query.SelectStmt]*selectRecord
	// items are the FROM items by their nodes, funcs the calls of functions in FROM, quals the conditions of ON.
	items map[any]*nsItem
	funcs map[*pg_query.RangeFunction][]FuncItem
	quals map[*pg_query.JoinExpr]expr.Expr
	using map[*pg_query.JoinExpr][]string
}

// selectRecord is a bound SELECT, VALUES or set operation before grouping rewrites it.
type selectRecord struct {
	scope   *scope
	targets []target
	where   expr.Expr
	having  expr.Expr
	order   []sortItem
	// groups are the positions of grouping expressions in targets.
	groups     map[*pg_query.Node]int
	distinctOn []int
	limit      limitClause
	values     [][]expr.Expr
	windows    []windowDef
}

func newRecord() *record {
	return &record{
		map[*pg_query.SelectStmt]*selectRecord{},
		map[any]*nsItem{},
		map[*pg_query.RangeFunction][]FuncItem{},
		map[*pg_query.JoinExpr]expr.Expr{},
		map[*pg_query.JoinExpr][]string{},
	}
}

// item keeps the FROM item of a node: a RangeVar, RangeSubselect, RangeFunction or JoinExpr.
func (r *record) item(n any, it *nsItem) {
	if r != nil {
		r.items[n] = it
	}
}

// group keeps which target a grouping expression is.
func (r *record) group(sel *pg_query.SelectStmt, n *pg_query.Node, target int) {
	if r == nil {
		return
	}
	q := r.of(sel)
	if q.groups == nil {
		q.groups = map[*pg_query.Node]int{}
	}
	q.groups[n] = target
}

func (r *record) of(sel *pg_query.SelectStmt) *selectRecord {
	q := r.selects[sel]
	if q == nil {
		q = &selectRecord{}
		r.selects[sel] = q
	}
	return q
}

// keep records a SELECT whose parts are bound.
func (r *record) keep(s *scope, q *selectState) *selectRecord {
	if r == nil {
		return nil
	}
	out := r.of(q.sel)
	out.scope, out.having, out.order, out.distinctOn, out.limit = s, q.having, q.order, q.distinctOn, q.limit
	out.targets = append([]target{}, q.targets...)
	if len(q.where) > 0 {
		out.where = and(q.where)
	}
	for _, w := range s.windows {
		d := *w
		d.funcs = make([]WindowItem, len(w.funcs))
		for i, f := range w.funcs {
			call := *f.Call
			d.funcs[i] = WindowItem{Col: f.Col, Call: &call}
		}
		out.windows = append(out.windows, d)
	}
	return out
}

// retyped notes that a set operation gives an output a type.
func (r *selectRecord) retyped(i int, x expr.Expr) {
	if r == nil {
		return
	}
	for j := range r.targets {
		if r.targets[j].junk {
			continue
		}
		if i == 0 {
			r.targets[j].x = x
			return
		}
		i--
	}
}
