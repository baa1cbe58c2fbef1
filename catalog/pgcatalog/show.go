package pgcatalog

import (
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
)

// StoredOptions are how expressions of definitions are printed to be kept: every name outside of pg_catalog is qualified,
// so that the text means the same under every search path. What clients see is printed anew under theirs.
func StoredOptions(s *catalog.Snapshot) expr.DeparseOptions {
	c := scope{s, storedPath()}
	io := types.DefaultIO()
	io.Registry, io.Names = s, &Names{Snapshot: s, Path: c.path}
	return expr.DeparseOptions{IO: io, TypeName: func(t *types.T, typmod int32) string {
		if now := s.TypeByOID(t.OID); now != nil {
			t = now // by its present name
		}
		return c.typeNameWith(t, typmod)
	}}
}

func storedPath() []string { return []string{"pg_catalog"} }

// showExpr prints a stored expression for a client: names qualified where its search path demands it and, in the pretty
// form, without the parentheses that precedence makes needless. Stored text has every pair of them, so that its tree is
// exact; what has a form that the printer does not know is shown as it is stored.
func (c scope) showExpr(text string, pretty bool) string { return c.showFor(text, pretty, false) }

// showFor is showExpr; in a domain's expression the name "value" is the keyword VALUE.
func (c scope) showFor(text string, pretty, domain bool) string {
	if !pretty && !domain && !strings.Contains(text, ".") {
		return text // nothing is qualified
	}
	n, err := sql.ParseExpr(text)
	if err != nil {
		return text
	}
	p := &printer{c: c, pretty: pretty, domain: domain}
	p.expr(n)
	if p.failed {
		return text
	}
	return p.b.String()
}

type printer struct {
	c      scope
	b      strings.Builder
	pretty bool
	domain bool
	indent int
	failed bool
}

func (p *printer) put(s ...string) {
	for _, x := range s {
		p.b.WriteString(x)
	}
}

// outer writes the parentheses around an operator, which the pretty form leaves to the operand's place.
func (p *printer) outer(s string) {
	if !p.pretty {
		p.put(s)
	}
}

func (p *printer) operand(n, parent *pg_query.Node) {
	if !p.pretty || simple(n, parent) {
		p.expr(n)
		return
	}
	p.put("(")
	p.expr(n)
	p.put(")")
}

func (p *printer) list(ns []*pg_query.Node) {
	for i, n := range ns {
		if i > 0 {
			p.put(", ")
		}
		p.expr(n)
	}
}

func (p *printer) expr(n *pg_query.Node) {
	switch x := n.Node.(type) {
	case *pg_query.Node_AConst:
		p.put(constText(x.AConst))
	case *pg_query.Node_ColumnRef:
		p.column(x.ColumnRef)
	case *pg_query.Node_TypeCast:
		p.cast(n, x.TypeCast)
	case *pg_query.Node_AExpr:
		p.operator(n, x.AExpr)
	case *pg_query.Node_BoolExpr:
		p.boolean(n, x.BoolExpr)
	case *pg_query.Node_FuncCall:
		p.call(n, x.FuncCall)
	case *pg_query.Node_NullTest:
		p.outer("(")
		p.operand(x.NullTest.Arg, n)
		p.put(map[bool]string{true: " IS NULL", false: " IS NOT NULL"}[x.NullTest.Nulltesttype == pg_query.NullTestType_IS_NULL])
		p.outer(")")
	case *pg_query.Node_BooleanTest:
		p.outer("(")
		p.operand(x.BooleanTest.Arg, n)
		p.put(" ", strings.ReplaceAll(x.BooleanTest.Booltesttype.String(), "_", " "))
		p.outer(")")
	case *pg_query.Node_CaseExpr:
		p.caseExpr(x.CaseExpr)
	case *pg_query.Node_CollateClause:
		p.outer("(")
		p.operand(x.CollateClause.Arg, n)
		names := x.CollateClause.Collname
		p.put(" COLLATE ", quote(names[len(names)-1].GetString_().GetSval()))
		p.outer(")")
	case *pg_query.Node_SqlvalueFunction:
		p.sqlValue(x.SqlvalueFunction)
	default:
		p.listed(n)
	}
}

// listed prints the constructs that hold a list of expressions.
func (p *printer) listed(n *pg_query.Node) {
	switch x := n.Node.(type) {
	case *pg_query.Node_AArrayExpr:
		p.put("ARRAY[")
		p.list(x.AArrayExpr.Elements)
		p.put("]")
	case *pg_query.Node_CoalesceExpr:
		p.put("COALESCE(")
		p.list(x.CoalesceExpr.Args)
		p.put(")")
	case *pg_query.Node_MinMaxExpr:
		p.put(strings.TrimPrefix(x.MinMaxExpr.Op.String(), "IS_"), "(")
		p.list(x.MinMaxExpr.Args)
		p.put(")")
	case *pg_query.Node_RowExpr:
		p.put("ROW(")
		p.list(x.RowExpr.Args)
		p.put(")")
	case *pg_query.Node_AIndirection:
		p.indirection(x.AIndirection)
	default:
		p.failed = true
	}
}

// indirection prints x[1], x[1:2] and (x).field.
func (p *printer) indirection(x *pg_query.A_Indirection) {
	plain := x.Arg.GetColumnRef() != nil && x.Indirection[0].GetString_() == nil
	p.put(map[bool]string{true: "", false: "("}[plain])
	p.expr(x.Arg)
	p.put(map[bool]string{true: "", false: ")"}[plain])
	for _, i := range x.Indirection {
		if f := i.GetString_(); f != nil {
			p.put(".", quote(f.Sval))
			continue
		}
		n := i.GetAIndices()
		if n == nil {
			p.failed = true
			return
		}
		p.put("[")
		if n.IsSlice {
			if n.Lidx != nil {
				p.expr(n.Lidx)
			}
			p.put(":")
		}
		if n.Uidx != nil {
			p.expr(n.Uidx)
		}
		p.put("]")
	}
}

func (p *printer) column(c *pg_query.ColumnRef) {
	for i, f := range c.Fields {
		if i > 0 {
			p.put(".")
		}
		if f.GetString_() == nil {
			p.failed = true
			return
		}
		name := f.GetString_().Sval
		if p.domain && name == "value" && len(c.Fields) == 1 {
			p.put("VALUE")
			continue
		}
		p.put(quote(name))
	}
}

func constText(c *pg_query.A_Const) string {
	switch {
	case c.Isnull:
		return "NULL"
	case c.GetIval() != nil:
		return strconv.Itoa(int(c.GetIval().Ival))
	case c.GetFval() != nil:
		return c.GetFval().Fval
	case c.GetBoolval() != nil:
		return strconv.FormatBool(c.GetBoolval().Boolval)
	case c.GetBsval() != nil:
		return "B'" + strings.TrimPrefix(c.GetBsval().Bsval, "b") + "'"
	case c.GetSval() != nil:
		return literal(c.GetSval().Sval)
	}
	return "0" // the parser leaves a zero's value out
}

// literal quotes a string; stored expressions show no escape strings.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// cast prints x::type with the type's name, and a name of an object in a reg* constant, under the client's search path.
func (p *printer) cast(n *pg_query.Node, t *pg_query.TypeCast) {
	r := &expr.Resolver{Snapshot: p.c.s, Path: storedPath(), IO: types.DefaultIO()}
	typ, mod, err := r.TypeName(t.TypeName)
	if err != nil {
		p.failed = true
		return
	}
	constant := t.Arg.GetAConst()
	switch {
	case constant.GetSval() != nil && strings.HasPrefix(typ.Name, "reg"):
		p.put(literal(p.c.regName(typ, constant.GetSval().Sval)))
	case constant != nil && constant.GetIval() == nil && constant.GetFval() == nil && !isZero(constant):
		p.put(constText(constant))
	default:
		p.outer("(")
		p.operand(t.Arg, n)
		p.outer(")")
	}
	p.put("::", p.c.typeNameWith(typ, mod))
}

func isZero(c *pg_query.A_Const) bool {
	return !c.Isnull && c.Val == nil
}

// regName prints the object that a stored, qualified name means.
func (c scope) regName(t *types.T, stored string) string {
	o, err := (&Names{c.s, storedPath()}).RegIn(t, stored)
	if err != nil {
		return stored
	}
	if name, ok := (&Names{c.s, c.path}).RegOut(t, o); ok {
		return name
	}
	return stored
}

func (p *printer) operator(n *pg_query.Node, a *pg_query.A_Expr) {
	op := a.Name[len(a.Name)-1].GetString_().GetSval()
	if a.Kind == pg_query.A_Expr_Kind_AEXPR_NULLIF {
		p.put("NULLIF(")
		p.list([]*pg_query.Node{a.Lexpr, a.Rexpr})
		p.put(")")
		return
	}
	if a.Lexpr.GetRowExpr() != nil && p.pretty { // a comparison of rows always has its parentheses
		p.put("(")
		defer p.put(")")
	}
	p.outer("(")
	switch a.Kind {
	case pg_query.A_Expr_Kind_AEXPR_OP:
		if a.Lexpr != nil {
			p.operand(a.Lexpr, n)
			p.put(" ")
		}
		p.put(op, " ")
		p.operand(a.Rexpr, n)
	case pg_query.A_Expr_Kind_AEXPR_OP_ANY, pg_query.A_Expr_Kind_AEXPR_OP_ALL:
		p.operand(a.Lexpr, n)
		p.put(" ", op, map[bool]string{true: " ANY (", false: " ALL ("}[a.Kind == pg_query.A_Expr_Kind_AEXPR_OP_ANY])
		p.operand(a.Rexpr, n)
		p.put(")")
	case pg_query.A_Expr_Kind_AEXPR_DISTINCT:
		p.operand(a.Lexpr, n)
		p.put(" IS DISTINCT FROM ")
		p.operand(a.Rexpr, n)
	default:
		p.failed = true
	}
	p.outer(")")
}

func (p *printer) boolean(n *pg_query.Node, b *pg_query.BoolExpr) {
	p.outer("(")
	defer p.outer(")")
	if b.Boolop == pg_query.BoolExprType_NOT_EXPR {
		p.put("NOT ")
		p.operand(b.Args[0], n)
		return
	}
	for i, a := range b.Args {
		if i > 0 {
			p.put(map[bool]string{true: " AND ", false: " OR "}[b.Boolop == pg_query.BoolExprType_AND_EXPR])
		}
		p.operand(a, n)
	}
}

func (p *printer) call(n *pg_query.Node, f *pg_query.FuncCall) {
	if f.AggOrder != nil || f.Over != nil || f.AggStar {
		p.failed = true
		return
	}
	if f.Funcformat == pg_query.CoercionForm_COERCE_SQL_SYNTAX {
		p.sqlSyntax(n, f)
		return
	}
	name := f.Funcname[len(f.Funcname)-1].GetString_().GetSval()
	if len(f.Funcname) == 2 {
		if schema := f.Funcname[0].GetString_().GetSval(); !p.c.schemaShows(schema, name) {
			p.put(quote(schema), ".")
		}
	}
	p.put(quote(name), "(")
	for i, a := range f.Args {
		if i > 0 {
			p.put(", ")
		}
		if f.FuncVariadic && i == len(f.Args)-1 {
			p.put("VARIADIC ")
		}
		p.expr(a)
	}
	p.put(")")
}

// schemaShows reports whether a function's name alone finds the ones of a schema.
func (c scope) schemaShows(schema, name string) bool {
	list := c.procsNamed("", name)
	for _, f := range list {
		if f.schema != schema {
			return false
		}
	}
	return len(list) > 0
}

// sqlSyntax prints the calls that have a form of their own in SQL.
func (p *printer) sqlSyntax(n *pg_query.Node, f *pg_query.FuncCall) {
	a := f.Args
	switch name := f.Funcname[len(f.Funcname)-1].GetString_().GetSval(); name {
	case "extract":
		p.put("EXTRACT(", a[0].GetAConst().GetSval().GetSval(), " FROM ")
		p.expr(a[1])
		p.put(")")
	case "timezone":
		p.put("(")
		p.operand(a[1], n)
		p.put(" AT TIME ZONE ")
		p.operand(a[0], n)
		p.put(")")
	case "position":
		p.put("POSITION((")
		p.expr(a[1])
		p.put(") IN (")
		p.expr(a[0])
		p.put("))")
	case "substring", "overlay":
		words := map[string][]string{"substring": {"SUBSTRING(", " FROM ", " FOR "}, "overlay": {"OVERLAY(", " PLACING ", " FROM ", " FOR "}}[name]
		for i, x := range a {
			p.put(words[i])
			p.expr(x)
		}
		p.put(")")
	case "btrim", "ltrim", "rtrim":
		p.put("TRIM(", map[string]string{"btrim": "BOTH", "ltrim": "LEADING", "rtrim": "TRAILING"}[name])
		if len(a) == 2 {
			p.put(" ")
			p.expr(a[1])
		}
		p.put(" FROM ")
		p.expr(a[0])
		p.put(")")
	default:
		p.failed = true
	}
}

func (p *printer) sqlValue(v *pg_query.SQLValueFunction) {
	name := strings.TrimPrefix(v.Op.String(), "SVFOP_")
	if short, ok := strings.CutSuffix(name, "_N"); ok {
		name = short + "(" + strconv.Itoa(int(v.Typmod)) + ")"
	}
	p.put(name)
}

func (p *printer) line(s string) {
	text := strings.TrimRight(p.b.String(), " ")
	p.b.Reset()
	p.put(text, "\n", strings.Repeat(" ", p.indent), s)
}

func (p *printer) caseExpr(c *pg_query.CaseExpr) {
	p.line("CASE")
	p.indent += 4
	if c.Arg != nil {
		p.put(" ")
		p.expr(c.Arg)
	}
	for _, w := range c.Args {
		p.line("WHEN ")
		p.expr(w.GetCaseWhen().Expr)
		p.put(" THEN ")
		p.expr(w.GetCaseWhen().Result)
	}
	if c.Defresult != nil {
		p.line("ELSE ")
		p.expr(c.Defresult)
	}
	p.indent -= 4
	p.line("END")
}

// simple reports whether an operand needs no parentheses under its parent in the pretty form.
func simple(n, parent *pg_query.Node) bool {
	switch x := n.Node.(type) {
	case *pg_query.Node_TypeCast:
		return simple(x.TypeCast.Arg, n)
	case *pg_query.Node_CollateClause:
		return false
	case *pg_query.Node_AExpr:
		switch x.AExpr.Kind {
		case pg_query.A_Expr_Kind_AEXPR_NULLIF:
			return true
		case pg_query.A_Expr_Kind_AEXPR_OP_ANY, pg_query.A_Expr_Kind_AEXPR_OP_ALL:
			return false
		}
		if o := parent.GetAExpr(); o != nil && o.Kind == pg_query.A_Expr_Kind_AEXPR_OP && x.AExpr.Kind == pg_query.A_Expr_Kind_AEXPR_OP {
			return simpleArithmetic(n, x.AExpr, o)
		}
		return parent.GetBoolExpr() != nil
	case *pg_query.Node_BoolExpr:
		outer := parent.GetBoolExpr()
		if outer == nil || outer.Boolop == pg_query.BoolExprType_NOT_EXPR {
			return false
		}
		return x.BoolExpr.Boolop != pg_query.BoolExprType_OR_EXPR || outer.Boolop == pg_query.BoolExprType_OR_EXPR
	case *pg_query.Node_NullTest, *pg_query.Node_BooleanTest:
		return parent.GetBoolExpr() != nil
	}
	return true
}

// simpleArithmetic knows the precedence of + - * / %: other operators get parentheses.
func simpleArithmetic(n *pg_query.Node, e, parent *pg_query.A_Expr) bool {
	level := func(a *pg_query.A_Expr) int {
		switch op := a.Name[len(a.Name)-1].GetString_().GetSval(); {
		case a.Lexpr == nil:
			return 0
		case op == "+" || op == "-":
			return 1
		case op == "*" || op == "/" || op == "%":
			return 2
		}
		return 0
	}
	own, outer := level(e), level(parent)
	if own == 0 || outer == 0 || own < outer {
		return false
	}
	return own > outer || parent.Lexpr == n // (a - b) - c, but not a - (b - c)
}
