package sql

import pg_query "github.com/pganalyze/pg_query_go/v6"

// Parameterize puts parameters $1, $2 ... in the places of those constants of a statement that a plan does not depend on,
// in the tree itself, and returns which of the constants they are. Those are the constants that WHERE compares columns
// with, that SET assigns, and the values of a one-row INSERT. Everywhere else a constant may mean something else than a
// value: ORDER BY 1, LIMIT 21, interval '1 day'.
func Parameterize(stmt *pg_query.Node, list []Literal) []int {
	p := &parameterizer{at: make(map[int32]int, len(list)), list: list}
	for i, l := range list {
		p.at[int32(l.At)] = i
	}
	switch n := stmt.GetNode().(type) {
	case *pg_query.Node_SelectStmt:
		p.condition(n.SelectStmt.WhereClause)
	case *pg_query.Node_UpdateStmt:
		for _, t := range n.UpdateStmt.TargetList {
			if r := t.GetResTarget(); len(r.GetIndirection()) == 0 {
				p.constant(r.GetVal())
				p.comparison(r.GetVal())
			}
		}
		p.condition(n.UpdateStmt.WhereClause)
	case *pg_query.Node_DeleteStmt:
		p.condition(n.DeleteStmt.WhereClause)
	case *pg_query.Node_InsertStmt:
		values := n.InsertStmt.GetSelectStmt().GetSelectStmt().GetValuesLists()
		if len(values) == 1 {
			for _, v := range values[0].GetList().GetItems() {
				p.constant(v)
			}
		}
	}
	return p.found
}

type parameterizer struct {
	at    map[int32]int
	list  []Literal
	found []int
}

// condition looks for comparisons under AND, OR and NOT.
func (p *parameterizer) condition(n *pg_query.Node) {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_BoolExpr:
		for _, a := range x.BoolExpr.Args {
			p.condition(a)
		}
	case *pg_query.Node_AExpr:
		switch x.AExpr.Kind {
		case pg_query.A_Expr_Kind_AEXPR_OP:
			p.comparison(n)
		case pg_query.A_Expr_Kind_AEXPR_IN:
			if x.AExpr.Lexpr.GetColumnRef() != nil {
				for _, v := range x.AExpr.Rexpr.GetList().GetItems() {
					p.constant(v)
				}
			}
		}
	}
}

var parameterOperators = map[string]bool{"=": true, "<>": true, "<": true, "<=": true, ">": true, ">=": true, "+": true, "-": true}

// comparison takes a column and a constant with an operator between them.
func (p *parameterizer) comparison(n *pg_query.Node) {
	x := n.GetAExpr()
	if x.GetKind() != pg_query.A_Expr_Kind_AEXPR_OP || len(x.Name) != 1 || !parameterOperators[x.Name[0].GetString_().GetSval()] {
		return
	}
	switch {
	case x.Lexpr.GetColumnRef() != nil:
		p.constant(x.Rexpr)
	case x.Rexpr.GetColumnRef() != nil:
		p.constant(x.Lexpr)
	}
}

// constant puts a parameter in a constant's place. A negative number is a constant that begins with its sign.
func (p *parameterizer) constant(n *pg_query.Node) {
	c := n.GetAConst()
	if c == nil {
		return
	}
	i, ok := p.at[c.Location]
	if !ok {
		return
	}
	switch p.list[i].Kind {
	case 's':
		ok = c.GetSval() != nil
	case 'i':
		ok = c.GetIval() != nil
	default:
		ok = c.GetFval() != nil
	}
	if !ok {
		return
	}
	p.found = append(p.found, i)
	n.Node = &pg_query.Node_ParamRef{ParamRef: &pg_query.ParamRef{Number: int32(len(p.found)), Location: c.Location}}
}
