package planner

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The names of both terms of a recursive query inside the queries that add the columns of SEARCH and CYCLE to them.
const (
	searchBase = "*TLOCRN*"
	searchStep = "*TROCRN*"
)

// searching is a recursive WITH query with SEARCH or CYCLE.
type searching struct {
	d      *cteDef
	search *pg_query.CTESearchClause
	cycle  *pg_query.CTECycleClause
	cols   []string
	locs   []int32
}

// hasSearch reports whether a WITH query has columns that SEARCH or CYCLE add.
func hasSearch(c *pg_query.CommonTableExpr) bool {
	return c.SearchClause != nil || c.CycleClause != nil
}

// addedColumns is how many columns SEARCH and CYCLE add to a query.
func addedColumns(c *pg_query.CommonTableExpr) int {
	n := 0
	if c.SearchClause != nil {
		n++
	}
	if c.CycleClause != nil {
		n += 2
	}
	return n
}

// withSearch writes SEARCH and CYCLE out: base UNION step becomes a query with the ordering column, the cycle mark and the
// path as columns of their own, which each round computes from those of the row it came from.
func (d *cteDef) withSearch(sel *pg_query.SelectStmt) (*pg_query.SelectStmt, error) {
	c := d.node
	if !refersTo(sel.ProtoReflect(), c.Ctename) {
		return nil, notRecursive(c)
	}
	for _, arm := range []struct {
		side string
		code pgerr.Code
		sel  *pg_query.SelectStmt
	}{{"left", pgerr.FeatureNotSupported, sel.Larg}, {"right", pgerr.SyntaxError, sel.Rarg}} {
		if isSetOperation(arm.sel) {
			return nil, pgerr.New(arm.code, "with a SEARCH or CYCLE clause, the %s side of the UNION must be a SELECT", arm.side)
		}
	}
	w := &searching{d: d, search: c.SearchClause, cycle: c.CycleClause, cols: strs(c.Aliascolnames)}
	base, err := d.scope.b.newScope(d.scope).setOpArm(sel.Larg)
	if err != nil {
		return nil, err
	}
	if len(w.cols) > len(base.cols) {
		return sel, nil // setCols refuses it
	}
	for i, col := range base.cols {
		if i >= len(w.cols) {
			w.cols = append(w.cols, col.Name)
		}
		w.locs = append(w.locs, base.loc(i))
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	step := proto.Clone(sel.Rarg).(*pg_query.SelectStmt)
	self := selfReference(step.FromClause, c.Ctename)
	if self == "" {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "with a SEARCH or CYCLE clause, the recursive reference to WITH query \"%s\" must be at the top level of its right-hand SELECT", c.Ctename)
	}
	for _, name := range w.added() {
		step.TargetList = append(step.TargetList, targetOf(qualifiedColumn(self, name, -1)))
	}
	out := proto.Clone(sel).(*pg_query.SelectStmt)
	out.Larg = w.around(sel.Larg, searchBase, w.cols, w.first())
	out.Rarg = w.around(step, searchStep, append(slices.Clone(w.cols), w.added()...), w.next())
	if w.cycle != nil {
		out.Rarg.WhereClause = operatorNode("<>", w.column(w.cycle.CycleMarkColumn), w.cycle.CycleMarkValue)
	}
	return out, nil
}

func notRecursive(c *pg_query.CommonTableExpr) error {
	return pgerr.New(pgerr.SyntaxError, "WITH query is not recursive").At(c.Location)
}

// added are the columns that the clauses add.
func (w *searching) added() []string {
	var out []string
	if w.search != nil {
		out = append(out, w.search.SearchSeqColumn)
	}
	if w.cycle != nil {
		out = append(out, w.cycle.CycleMarkColumn, w.cycle.CyclePathColumn)
	}
	return out
}

func (w *searching) check() error {
	fail := func(code pgerr.Code, loc int32, format string, args ...any) error {
		return pgerr.New(code, format, args...).At(loc)
	}
	columns := func(kind string, list []string, loc int32) error {
		for i, name := range list {
			if !slices.Contains(w.cols, name) {
				return fail(pgerr.SyntaxError, loc, "%s column \"%s\" not in WITH query column list", kind, name)
			}
			if slices.Contains(list[:i], name) {
				return fail(pgerr.DuplicateColumn, loc, "%s column \"%s\" specified more than once", kind, name)
			}
		}
		return nil
	}
	if s := w.search; s != nil {
		if err := columns("search", strs(s.SearchColList), s.Location); err != nil {
			return err
		}
		if slices.Contains(w.cols, s.SearchSeqColumn) {
			return fail(pgerr.SyntaxError, s.Location, "search sequence column name \"%s\" already used in WITH query column list", s.SearchSeqColumn)
		}
	}
	c := w.cycle
	if c == nil {
		return nil
	}
	if err := columns("cycle", strs(c.CycleColList), c.Location); err != nil {
		return err
	}
	if err := w.checkMark(); err != nil {
		return err
	}
	switch {
	case slices.Contains(w.cols, c.CycleMarkColumn):
		return fail(pgerr.SyntaxError, c.Location, "cycle mark column name \"%s\" already used in WITH query column list", c.CycleMarkColumn)
	case slices.Contains(w.cols, c.CyclePathColumn):
		return fail(pgerr.SyntaxError, c.Location, "cycle path column name \"%s\" already used in WITH query column list", c.CyclePathColumn)
	case c.CycleMarkColumn == c.CyclePathColumn:
		return fail(pgerr.SyntaxError, c.Location, "cycle mark column name and cycle path column name are the same")
	case w.search != nil && w.search.SearchSeqColumn == c.CycleMarkColumn:
		return fail(pgerr.SyntaxError, w.search.Location, "search sequence column name and cycle mark column name are the same")
	case w.search != nil && w.search.SearchSeqColumn == c.CyclePathColumn:
		return fail(pgerr.SyntaxError, w.search.Location, "search sequence column name and cycle path column name are the same")
	}
	return nil
}

// checkMark checks that the mark's two values have a common type with an equality.
func (w *searching) checkMark() error {
	s := w.d.scope.b.newScope(w.d.scope)
	value, err := s.expr(w.cycle.CycleMarkValue)
	if err != nil {
		return err
	}
	def, err := s.expr(w.cycle.CycleMarkDefault)
	if err != nil {
		return err
	}
	t, err := s.b.r.CommonType([]expr.Expr{value, def}, "CYCLE", nodeLocation(w.cycle.CycleMarkDefault))
	if err != nil {
		return err
	}
	_, err = s.b.r.Equality(t)
	return err
}

// first are the added columns of the rows of the base.
func (w *searching) first() []*pg_query.Node {
	var out []*pg_query.Node
	if s := w.search; s != nil {
		row := w.row(searchBase, s.SearchColList)
		if s.SearchBreadthFirst {
			zero := castNode(integerNode(0), "int8")
			row.GetRowExpr().Args = append([]*pg_query.Node{zero}, row.GetRowExpr().Args...)
			out = append(out, row)
		} else {
			out = append(out, arrayNode(row))
		}
	}
	if c := w.cycle; c != nil {
		mark := caseNode(booleanNode(false), c.CycleMarkValue, c.CycleMarkDefault)
		out = append(out, mark, arrayNode(w.row(searchBase, c.CycleColList)))
	}
	return out
}

// next are the added columns of the rows that a round makes, of those of the rows they come from.
func (w *searching) next() []*pg_query.Node {
	var out []*pg_query.Node
	if s := w.search; s != nil {
		row := w.row(searchStep, s.SearchColList)
		if s.SearchBreadthFirst {
			depth := &pg_query.Node{Node: &pg_query.Node_AIndirection{AIndirection: &pg_query.A_Indirection{
				Arg: w.column(s.SearchSeqColumn), Indirection: []*pg_query.Node{nameNode("f1")},
			}}}
			deeper := operatorNode("+", depth, integerNode(1))
			row.GetRowExpr().Args = append([]*pg_query.Node{deeper}, row.GetRowExpr().Args...)
			out = append(out, row)
		} else {
			out = append(out, operatorNode("||", w.column(s.SearchSeqColumn), arrayNode(row)))
		}
	}
	if c := w.cycle; c != nil {
		path, row := w.column(c.CyclePathColumn), w.row(searchStep, c.CycleColList)
		met := operatorNode("=", row, path)
		met.GetAExpr().Kind = pg_query.A_Expr_Kind_AEXPR_OP_ANY
		out = append(out, caseNode(met, c.CycleMarkValue, c.CycleMarkDefault), operatorNode("||", path, arrayNode(row)))
	}
	return out
}

// around selects the query's own columns and the added ones from a term.
func (w *searching) around(term *pg_query.SelectStmt, alias string, names []string, added []*pg_query.Node) *pg_query.SelectStmt {
	out := &pg_query.SelectStmt{LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE}
	for i, name := range w.cols {
		out.TargetList = append(out.TargetList, targetOf(qualifiedColumn(alias, name, w.locs[i])))
	}
	for i, x := range added {
		t := targetOf(x)
		t.GetResTarget().Name = w.added()[i]
		out.TargetList = append(out.TargetList, t)
	}
	a := &pg_query.Alias{Aliasname: alias}
	for _, name := range names {
		a.Colnames = append(a.Colnames, nameNode(name))
	}
	out.FromClause = []*pg_query.Node{{Node: &pg_query.Node_RangeSubselect{RangeSubselect: &pg_query.RangeSubselect{
		Subquery: &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: term}}, Alias: a,
	}}}}
	return out
}

func (w *searching) row(alias string, list []*pg_query.Node) *pg_query.Node {
	r := &pg_query.RowExpr{RowFormat: pg_query.CoercionForm_COERCE_EXPLICIT_CALL, Location: -1}
	for _, name := range strs(list) {
		r.Args = append(r.Args, qualifiedColumn(alias, name, -1))
	}
	return &pg_query.Node{Node: &pg_query.Node_RowExpr{RowExpr: r}}
}

// column is an added column of the row that a round starts from.
func (w *searching) column(name string) *pg_query.Node { return qualifiedColumn(searchStep, name, -1) }

// selfReference is the name under which FROM has the recursive query itself; "" if it stands in a subquery.
func selfReference(from []*pg_query.Node, name string) string {
	for _, n := range from {
		if v := n.GetRangeVar(); v != nil && v.Schemaname == "" && v.Relname == name {
			if v.Alias != nil {
				return v.Alias.Aliasname
			}
			return name
		}
		if j := n.GetJoinExpr(); j != nil && j.Alias == nil {
			if found := selfReference([]*pg_query.Node{j.Larg, j.Rarg}, name); found != "" {
				return found
			}
		}
	}
	return ""
}

func nameNode(s string) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_String_{String_: &pg_query.String{Sval: s}}}
}

func qualifiedColumn(table, name string, loc int32) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_ColumnRef{ColumnRef: &pg_query.ColumnRef{Fields: []*pg_query.Node{nameNode(table), nameNode(name)}, Location: loc}}}
}

func targetOf(x *pg_query.Node) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_ResTarget{ResTarget: &pg_query.ResTarget{Val: x, Location: -1}}}
}

func integerNode(n int32) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_AConst{AConst: &pg_query.A_Const{Val: &pg_query.A_Const_Ival{Ival: &pg_query.Integer{Ival: n}}, Location: -1}}}
}

func booleanNode(v bool) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_AConst{AConst: &pg_query.A_Const{Val: &pg_query.A_Const_Boolval{Boolval: &pg_query.Boolean{Boolval: v}}, Location: -1}}}
}

func castNode(x *pg_query.Node, to string) *pg_query.Node {
	t := &pg_query.TypeName{Names: []*pg_query.Node{nameNode("pg_catalog"), nameNode(to)}, Typemod: -1, Location: -1}
	return &pg_query.Node{Node: &pg_query.Node_TypeCast{TypeCast: &pg_query.TypeCast{Arg: x, TypeName: t, Location: -1}}}
}

func arrayNode(x *pg_query.Node) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_AArrayExpr{AArrayExpr: &pg_query.A_ArrayExpr{Elements: []*pg_query.Node{x}, Location: -1}}}
}

func operatorNode(op string, l, r *pg_query.Node) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_AExpr{AExpr: &pg_query.A_Expr{
		Kind: pg_query.A_Expr_Kind_AEXPR_OP, Name: []*pg_query.Node{nameNode(op)}, Lexpr: l, Rexpr: r, Location: -1,
	}}}
}

func caseNode(when, then, otherwise *pg_query.Node) *pg_query.Node {
	w := &pg_query.Node{Node: &pg_query.Node_CaseWhen{CaseWhen: &pg_query.CaseWhen{Expr: when, Result: then, Location: -1}}}
	return &pg_query.Node{Node: &pg_query.Node_CaseExpr{CaseExpr: &pg_query.CaseExpr{Args: []*pg_query.Node{w}, Defresult: otherwise, Location: -1}}}
}
