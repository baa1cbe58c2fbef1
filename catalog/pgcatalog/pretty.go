package pgcatalog

import (
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
)

// prettyExpr prints a stored expression without the parentheses that precedence makes needless, as the functions do when
// their argument pretty is true. Stored text has every pair of them, so that its tree is exact; what has a form that the
// printer does not know stays as it is.
func prettyExpr(text string) string {
	n, err := sql.ParseExpr(text)
	if err != nil {
		return text
	}
	p := &pretty{}
	p.expr(n)
	if p.failed {
		return text
	}
	return p.b.String()
}

type pretty struct {
	b      strings.Builder
	indent int
	failed bool
}

func (p *pretty) put(s ...string) {
	for _, x := range s {
		p.b.WriteString(x)
	}
}

func (p *pretty) paren(n, parent *pg_query.Node) {
	if simple(n, parent) {
		p.expr(n)
		return
	}
	p.put("(")
	p.expr(n)
	p.put(")")
}

func (p *pretty) list(ns []*pg_query.Node) {
	for i, n := range ns {
		if i > 0 {
			p.put(", ")
		}
		p.expr(n)
	}
}

func (p *pretty) expr(n *pg_query.Node) {
	switch x := n.Node.(type) {
	case *pg_query.Node_AConst:
		p.put(constText(x.AConst))
	case *pg_query.Node_ColumnRef:
		for i, f := range x.ColumnRef.Fields {
			if i > 0 {
				p.put(".")
			}
			if f.GetString_() == nil {
				p.failed = true
				return
			}
			name := f.GetString_().Sval
			if name == "value" && len(x.ColumnRef.Fields) == 1 {
				p.put("VALUE") // a domain's value, which stored text writes so
				continue
			}
			p.put(quote(name))
		}
	case *pg_query.Node_TypeCast:
		p.paren(x.TypeCast.Arg, n)
		p.put("::", typeText(x.TypeCast.TypeName))
	case *pg_query.Node_AExpr:
		p.operator(n, x.AExpr)
	case *pg_query.Node_BoolExpr:
		p.boolean(n, x.BoolExpr)
	case *pg_query.Node_FuncCall:
		p.call(x.FuncCall)
	case *pg_query.Node_NullTest:
		p.paren(x.NullTest.Arg, n)
		if x.NullTest.Nulltesttype == pg_query.NullTestType_IS_NULL {
			p.put(" IS NULL")
		} else {
			p.put(" IS NOT NULL")
		}
	case *pg_query.Node_BooleanTest:
		p.paren(x.BooleanTest.Arg, n)
		p.put(" ", strings.ReplaceAll(strings.TrimPrefix(x.BooleanTest.Booltesttype.String(), "IS_"), "_", " "))
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
	case *pg_query.Node_CaseExpr:
		p.caseExpr(x.CaseExpr)
	case *pg_query.Node_CollateClause:
		p.paren(x.CollateClause.Arg, n)
		names := x.CollateClause.Collname
		p.put(" COLLATE ", quote(names[len(names)-1].GetString_().GetSval()))
	default:
		p.failed = true
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
		return expr.QuoteLiteral(c.GetSval().Sval)
	}
	return "0" // the parser leaves a zero's value out
}

// typeText prints a type name as it was stored: the parser turned the SQL names into pg_catalog's own.
func typeText(t *pg_query.TypeName) string {
	cast := &pg_query.ParseResult{Stmts: []*pg_query.RawStmt{{Stmt: &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: &pg_query.SelectStmt{
		TargetList: []*pg_query.Node{{Node: &pg_query.Node_ResTarget{ResTarget: &pg_query.ResTarget{Val: &pg_query.Node{Node: &pg_query.Node_TypeCast{
			TypeCast: &pg_query.TypeCast{Arg: &pg_query.Node{Node: &pg_query.Node_ColumnRef{ColumnRef: &pg_query.ColumnRef{
				Fields: []*pg_query.Node{{Node: &pg_query.Node_String_{String_: &pg_query.String{Sval: "x"}}}},
			}}}, TypeName: t},
		}}}}}},
		LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE,
	}}}}}}
	s, err := pg_query.Deparse(cast)
	if err != nil {
		return ""
	}
	name := strings.TrimPrefix(s, "SELECT x::")
	for short, long := range map[string]string{
		"varchar": "character varying", "timestamptz": "timestamp with time zone", "timetz": "time with time zone", "timestamp": "timestamp without time zone",
		"time": "time without time zone", "int": "integer", "char": "character", "bool": "boolean", "float": "double precision",
	} {
		rest, ok := strings.CutPrefix(name, short)
		if ok && (rest == "" || rest[0] == '(' || rest[0] == '[') {
			if before, zone, found := strings.Cut(long, " with"); found && strings.HasPrefix(rest, "(") {
				mod, tail, _ := strings.Cut(rest, ")")
				return before + mod + ") with" + zone + tail
			}
			return long + rest
		}
	}
	return name
}

func (p *pretty) operator(n *pg_query.Node, a *pg_query.A_Expr) {
	op := a.Name[len(a.Name)-1].GetString_().GetSval()
	switch a.Kind {
	case pg_query.A_Expr_Kind_AEXPR_OP:
		if a.Lexpr != nil {
			p.paren(a.Lexpr, n)
			p.put(" ")
		}
		p.put(op, " ")
		p.paren(a.Rexpr, n)
	case pg_query.A_Expr_Kind_AEXPR_OP_ANY, pg_query.A_Expr_Kind_AEXPR_OP_ALL:
		p.paren(a.Lexpr, n)
		p.put(" ", op, map[bool]string{true: " ANY (", false: " ALL ("}[a.Kind == pg_query.A_Expr_Kind_AEXPR_OP_ANY])
		p.paren(a.Rexpr, n)
		p.put(")")
	case pg_query.A_Expr_Kind_AEXPR_DISTINCT:
		p.paren(a.Lexpr, n)
		p.put(" IS DISTINCT FROM ")
		p.paren(a.Rexpr, n)
	case pg_query.A_Expr_Kind_AEXPR_NULLIF:
		p.put("NULLIF(")
		p.list([]*pg_query.Node{a.Lexpr, a.Rexpr})
		p.put(")")
	default:
		p.failed = true
	}
}

func (p *pretty) boolean(n *pg_query.Node, b *pg_query.BoolExpr) {
	switch b.Boolop {
	case pg_query.BoolExprType_NOT_EXPR:
		p.put("NOT ")
		p.paren(b.Args[0], n)
		return
	case pg_query.BoolExprType_AND_EXPR:
		p.join(n, b.Args, " AND ")
	default:
		p.join(n, b.Args, " OR ")
	}
}

func (p *pretty) join(parent *pg_query.Node, args []*pg_query.Node, sep string) {
	for i, a := range args {
		if i > 0 {
			p.put(sep)
		}
		p.paren(a, parent)
	}
}

func (p *pretty) call(f *pg_query.FuncCall) {
	if f.Funcformat == pg_query.CoercionForm_COERCE_SQL_SYNTAX || f.AggOrder != nil || f.Over != nil || f.AggStar {
		p.failed = true
		return
	}
	for i, n := range f.Funcname {
		if i > 0 {
			p.put(".")
		}
		p.put(quote(n.GetString_().GetSval()))
	}
	p.put("(")
	p.list(f.Args)
	p.put(")")
}

func (p *pretty) line(s string) {
	text := strings.TrimRight(p.b.String(), " ")
	p.b.Reset()
	p.put(text, "\n", strings.Repeat(" ", p.indent), s)
}

func (p *pretty) caseExpr(c *pg_query.CaseExpr) {
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

// simple reports whether an operand needs no parentheses under its parent.
func simple(n, parent *pg_query.Node) bool {
	switch x := n.Node.(type) {
	case *pg_query.Node_TypeCast:
		return simple(x.TypeCast.Arg, n)
	case *pg_query.Node_CollateClause:
		return false
	case *pg_query.Node_AExpr:
		if x.AExpr.Kind == pg_query.A_Expr_Kind_AEXPR_NULLIF {
			return true
		}
		if x.AExpr.Kind == pg_query.A_Expr_Kind_AEXPR_OP_ANY || x.AExpr.Kind == pg_query.A_Expr_Kind_AEXPR_OP_ALL {
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
	return own > outer || parent.Lexpr == n
}
