package expr

import (
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// DeparseOptions say how Deparse prints; the zero value prints like pg_get_expr with a pg_catalog-only view of names.
type DeparseOptions struct {
	// IO prints constants; nil means a fresh session's settings.
	IO *types.IO
	// Pretty leaves out the parentheses that precedence makes needless, as pg_get_expr(..., true) does.
	Pretty bool
	// ShowImplicit prints the outermost implicit cast too, as inside an operator.
	ShowImplicit bool
	// TypeName prints a type; nil means types.FormatType.
	TypeName func(t *types.T, typmod int32) string
	// FuncName prints the name of a function, qualified where needed; nil qualifies what is not in pg_catalog.
	FuncName func(p *Proc) string
	// Column prints a column; nil means its quoted ColRef.Name.
	Column func(c *ColRef) string
	// Query prints what only a query has: columns that stand for aggregates and window functions, merged columns of joins,
	// subqueries, each at an indentation. ok is false for all else. nil prints a subquery as "(SELECT ...)".
	Query func(e Expr, indent int) (text string, ok bool)
	// Indent is how far lines that CASE breaks are indented.
	Indent int
}

// Deparse prints a bound expression as SQL, in the form in which PostgreSQL shows stored expressions: every operator in
// parentheses, casts as (x)::type, implicit casts shown below the top.
func Deparse(e Expr, o DeparseOptions) string {
	d := &deparser{o: o, indent: o.Indent}
	if d.o.IO == nil {
		d.o.IO = types.DefaultIO()
	}
	d.expr(e, o.ShowImplicit)
	return d.b.String()
}

type deparser struct {
	o      DeparseOptions
	b      strings.Builder
	indent int
	// inCase is the depth of simple CASEs, whose CaseArg is not a domain's VALUE.
	inCase int
}

func (d *deparser) put(s ...string) {
	for _, x := range s {
		d.b.WriteString(x)
	}
}

// keyword starts a new line for a keyword of CASE.
func (d *deparser) keyword(s string, before, after int) {
	d.indent += before
	text := strings.TrimRight(d.b.String(), " ")
	d.b.Reset()
	d.put(text, "\n", strings.Repeat(" ", Indentation(d.indent)), s)
	d.indent += after
}

// Indentation is how many blanks a line of a nesting level gets: deep nesting starts again at the left.
func Indentation(level int) int {
	const limit = 40
	if level < limit {
		return max(level, 0)
	}
	return (limit + (level-limit)/4) % limit
}

func (d *deparser) open() {
	if !d.o.Pretty {
		d.put("(")
	}
}

func (d *deparser) close() {
	if !d.o.Pretty {
		d.put(")")
	}
}

// paren prints an operand of parent, in parentheses where the pretty form needs them.
func (d *deparser) paren(e Expr, showImplicit bool, parent Expr) {
	need := d.o.Pretty && !simpleNode(e, parent)
	if need {
		d.put("(")
	}
	d.expr(e, showImplicit)
	if need {
		d.put(")")
	}
}

func (d *deparser) list(es []Expr, showImplicit bool) {
	for i, e := range es {
		if i > 0 {
			d.put(", ")
		}
		d.expr(e, showImplicit)
	}
}

func (d *deparser) expr(e Expr, showImplicit bool) {
	if d.o.Query != nil {
		if text, ok := d.o.Query(e, d.indent); ok {
			if strings.HasPrefix(text, "\n") {
				before := strings.TrimRight(d.b.String(), " ")
				d.b.Reset()
				d.put(before)
			}
			d.put(text)
			return
		}
	}
	switch e := e.(type) {
	case *Const:
		d.constant(e, 0)
	case *Param:
		d.put("$", itoa(int64(e.N)))
	case *ColRef:
		if d.o.Column != nil {
			d.put(d.o.Column(e))
		} else {
			d.put(types.QuoteIdent(e.Name))
		}
	case *CaseArg:
		if d.inCase > 0 {
			d.put("CASE_TEST_EXPR")
		} else {
			d.put("VALUE")
		}
	case *Call:
		d.call(e, showImplicit)
	case *And:
		d.boolean(e, e.Args, " AND ")
	case *Or:
		d.boolean(e, e.Args, " OR ")
	case *Not:
		d.open()
		d.put("NOT ")
		d.paren(e.X, false, e)
		d.close()
	case *Subquery:
		d.subquery(e)
	default:
		d.special(e, showImplicit)
	}
}

// special prints the constructs with a syntax of their own.
func (d *deparser) special(e Expr, showImplicit bool) {
	switch e := e.(type) {
	case *IsNull:
		d.open()
		d.paren(e.X, true, e)
		d.put(pick(e.Not, " IS NOT NULL", " IS NULL"))
		d.close()
	case *BoolTest:
		d.open()
		d.paren(e.X, false, e)
		d.put(pick(e.Not, " IS NOT ", " IS "), map[byte]string{'t': "TRUE", 'f': "FALSE", 'u': "UNKNOWN"}[e.Want])
		d.close()
	case *Distinct:
		d.distinct(e)
	case *Case:
		d.caseExpr(e)
	case *Coalesce:
		d.put("COALESCE(")
		d.list(e.Args, true)
		d.put(")")
	case *NullIf:
		d.put("NULLIF(")
		d.list([]Expr{e.A, e.B}, true)
		d.put(")")
	case *MinMax:
		d.put(pick(e.Greatest, "GREATEST(", "LEAST("))
		d.list(e.Args, true)
		d.put(")")
	case *ScalarArray:
		d.open()
		d.paren(e.Left, true, e)
		d.put(" ", e.Name, pick(e.All, " ALL (", " ANY ("))
		d.paren(e.Array, true, e)
		d.put(")")
		d.close()
	case *RowCompare:
		d.put("(ROW(")
		d.list(e.Left, true)
		d.put(") ", e.Op, " ROW(")
		d.list(e.Right, true)
		d.put("))")
	case *Array:
		d.put("ARRAY[")
		d.list(e.Elems, true)
		d.put("]")
		if len(e.Elems) == 0 {
			d.put("::", d.typeName(e.T, -1))
		}
	case *Row:
		d.put("ROW(")
		d.list(e.Elems, true)
		d.put(")")
	case *Field:
		_, sub := e.X.(*Subscript)
		_, field := e.X.(*Field)
		need := !sub && !field
		d.put(pick(need, "(", ""))
		d.expr(e.X, true)
		d.put(pick(need, ")", ""), ".", types.QuoteIdent(e.Name))
	case *Subscript:
		d.subscript(e, showImplicit)
	case *Collate:
		if e.Key || e.Text { // as the text was written
			d.expr(e.X, showImplicit)
			return
		}
		d.open()
		d.paren(e.X, showImplicit, e)
		d.put(" COLLATE ")
		if e.Schema != "" {
			d.put(types.QuoteIdent(e.Schema), ".")
		}
		d.put(types.QuoteIdent(e.Name))
		d.close()
	default:
		d.cast(e, showImplicit)
	}
}

// cast prints conversions that are nodes of their own.
func (d *deparser) cast(e Expr, showImplicit bool) {
	switch e := e.(type) {
	case *Relabel:
		d.coercion(e.X, e.T, e.Mod, e.Implicit && !showImplicit, e)
	case *IOCast:
		d.coercion(e.X, e.T, -1, e.Implicit && !showImplicit, e)
	case *ArrayCast:
		d.coercion(e.X, e.T, e.Mod, e.Implicit && !showImplicit, e)
	case *ToDomain:
		d.coercion(e.X, e.T, -1, e.Implicit && !showImplicit, e)
	case *Agg:
		d.put(e.Fn.Name, "(")
		if e.Star {
			d.put("*")
		}
		d.list(e.Args, true)
		d.put(")")
	case *WindowCall:
		d.put(e.Fn.Name, "(")
		d.list(e.Args, true)
		d.put(") OVER (?)")
	}
}

// coercion prints (x)::type, or x alone when the cast is implicit and hidden here.
func (d *deparser) coercion(x Expr, t *types.T, typmod int32, hidden bool, parent Expr) {
	if hidden {
		d.paren(x, false, parent)
		return
	}
	if c, ok := x.(*Const); ok && c.T == t && c.Mod == -1 {
		d.constant(c, -1)
	} else {
		d.open()
		d.paren(x, false, parent)
		d.close()
	}
	d.put("::", d.typeName(t, typmod))
}

func (d *deparser) typeName(t *types.T, typmod int32) string {
	if d.o.TypeName != nil {
		return d.o.TypeName(t, typmod)
	}
	return types.FormatType(t, typmod)
}

func (d *deparser) boolean(e Expr, args []Expr, op string) {
	d.open()
	for i, a := range args {
		if i > 0 {
			d.put(op)
		}
		d.paren(a, false, e)
	}
	d.close()
}

// distinct prints IS NOT DISTINCT FROM as the negation that PostgreSQL keeps it as.
func (d *deparser) distinct(e *Distinct) {
	if e.Not {
		d.open()
		d.put("NOT ")
		if d.o.Pretty {
			d.put("(")
		}
	}
	d.open()
	d.paren(e.A, true, e)
	d.put(" IS DISTINCT FROM ")
	d.paren(e.B, true, e)
	d.close()
	if e.Not {
		if d.o.Pretty {
			d.put(")")
		}
		d.close()
	}
}

func (d *deparser) caseExpr(e *Case) {
	d.keyword("CASE", 0, 4)
	if e.Arg != nil {
		d.put(" ")
		d.expr(e.Arg, true)
	}
	for _, w := range e.Whens {
		d.keyword("WHEN ", 0, 0)
		d.expr(caseCondition(e, w.Cond), false)
		d.put(" THEN ")
		d.expr(w.Then, true)
	}
	d.keyword("ELSE ", 0, 0)
	if e.Else != nil {
		d.expr(e.Else, true)
	} else {
		d.constant(&Const{D: types.Null, T: e.T, Mod: -1}, 0)
	}
	d.keyword("END", -4, 0)
}

// caseCondition strips the comparison with the argument that a simple CASE's condition is bound as.
func caseCondition(e *Case, cond Expr) Expr {
	if e.Arg == nil {
		return cond
	}
	if c, ok := cond.(*Call); ok && len(c.Args) == 2 && readsCaseArg(c.Args[0]) {
		return c.Args[1]
	}
	return cond
}

func readsCaseArg(e Expr) bool {
	if _, ok := e.(*CaseArg); ok {
		return true
	}
	for _, c := range e.Children() {
		if readsCaseArg(c) {
			return true
		}
	}
	return false
}

func (d *deparser) subscript(e *Subscript, showImplicit bool) {
	_, col := e.X.(*ColRef)
	_, field := e.X.(*Field)
	need := !col && !field
	d.put(pick(need, "(", ""))
	d.expr(e.X, showImplicit)
	d.put(pick(need, ")", ""))
	for _, i := range e.Indexes {
		d.put("[")
		if i.Slice {
			if i.Lower != nil {
				d.expr(i.Lower, false)
			}
			d.put(":")
		}
		if i.Upper != nil {
			d.expr(i.Upper, false)
		}
		d.put("]")
	}
}

func (d *deparser) subquery(s *Subquery) {
	d.put(map[SubqueryKind]string{SubExists: "EXISTS ", SubArray: "ARRAY"}[s.Kind], "(SELECT ...)")
}

func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

// QueryOptions say how a query is printed.
type QueryOptions struct {
	DeparseOptions
	// Relation prints the name of a table or view.
	Relation func(r *catalog.Relation) string
	// Wrap is the width at which lists are broken: 0 puts every entry on a line of its own, -1 breaks none.
	Wrap int
	// Columns are the names of the query's columns; nil leaves those that it gives itself.
	Columns []string
}

// QueryPrinter prints the query of a view, given as it is stored, in the layout in which PostgreSQL shows it.
type QueryPrinter interface {
	ShowQuery(env *Env, stored string, o QueryOptions) (string, error)
}
