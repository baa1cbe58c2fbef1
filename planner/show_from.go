package planner

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

func (p *queryPrinter) from(items []*pg_query.Node) {
	for i, n := range items {
		if i == 0 {
			p.clause(" FROM ", 2)
			p.fromItem(n)
			continue
		}
		p.put(", ")
		text := p.apart(func() { p.fromItem(n) })
		if p.o.Wrap >= 0 && !strings.HasPrefix(text, "\n") && p.lineLen()+len(text) > p.o.Wrap {
			p.clause("", indentEntry)
		}
		p.put(text)
	}
}

func (p *queryPrinter) level() *printLevel { return p.levels[len(p.levels)-1] }

func (p *queryPrinter) fromItem(n *pg_query.Node) {
	switch n := n.Node.(type) {
	case *pg_query.Node_RangeVar:
		p.table(n.RangeVar)
	case *pg_query.Node_RangeTableSample:
		v := n.RangeTableSample.Relation.GetRangeVar()
		p.table(v)
		if it := p.rec.items[v]; it != nil && it.scan != nil {
			p.put(" TABLESAMPLE ", it.scan.Sample, " (")
			p.expr(it.scan.SampleArgs[0], false)
			p.put(")")
			if it.scan.Repeatable != nil {
				p.put(" REPEATABLE (")
				p.expr(it.scan.Repeatable, false)
				p.put(")")
			}
		}
	case *pg_query.Node_RangeSubselect:
		if n.RangeSubselect.Lateral {
			p.put("LATERAL ")
		}
		p.put("(")
		p.query(n.RangeSubselect.Subquery.GetSelectStmt(), nil, true)
		p.put(")")
		if it := p.rec.items[n.RangeSubselect]; it != nil {
			p.put(" ", types.QuoteIdent(p.level().names[it]))
			p.aliases(it, len(n.RangeSubselect.Alias.GetColnames()) > 0)
		}
	case *pg_query.Node_RangeFunction:
		p.function(n.RangeFunction)
	case *pg_query.Node_JoinExpr:
		p.join(n.JoinExpr)
	default:
		p.fail("this FROM item")
	}
}

// table prints a table, view or WITH query, with an alias where its name is not its own.
func (p *queryPrinter) table(v *pg_query.RangeVar) {
	it := p.rec.items[v]
	if it == nil {
		p.fail("this table")
		return
	}
	own := v.Relname
	if it.rel != nil {
		own = it.rel.Name
		if !v.Inh && it.rel.Virtual == nil {
			p.put("ONLY ")
		}
		p.put(p.o.Relation(it.rel))
	} else {
		p.put(types.QuoteIdent(own))
	}
	renamed := false
	if it.rel != nil {
		for i, c := range it.rel.Live() {
			renamed = renamed || i < len(it.cols) && it.cols[i].name != c.Name
		}
	} else {
		renamed = len(v.Alias.GetColnames()) > 0
	}
	if name := p.level().names[it]; name != own || v.Alias != nil || renamed {
		p.put(" ", types.QuoteIdent(name))
	}
	p.aliases(it, renamed)
}

func (p *queryPrinter) aliases(it *nsItem, show bool) {
	if !show {
		return
	}
	names := make([]string, len(it.cols))
	for i, c := range it.cols {
		names[i] = c.name
	}
	p.put("(", quoteList(names), ")")
}

// function prints functions in FROM, whose columns are always named.
func (p *queryPrinter) function(r *pg_query.RangeFunction) {
	it, calls := p.rec.items[r], p.rec.funcs[r]
	if it == nil || len(calls) == 0 {
		p.fail("this function in FROM")
		return
	}
	if r.Lateral {
		p.put("LATERAL ")
	}
	typed := len(r.Coldeflist) > 0
	unnest := len(calls) > 1
	for _, c := range calls {
		f, ok := c.Call.(*expr.Call)
		unnest = unnest && ok && f.Fn.Name == "unnest" && len(f.Args) == 1
		if ok && len(f.Cols) > 0 && len(calls) > 1 {
			p.fail("column definitions in ROWS FROM")
		}
	}
	switch {
	case len(calls) == 1 && !(typed && r.Ordinality):
		p.functionCall(r, calls[0].Call)
	case unnest:
		p.put("UNNEST(")
		for i, c := range calls {
			p.comma(i)
			p.expr(c.Call.(*expr.Call).Args[0], true)
		}
		p.put(")")
	default:
		p.put("ROWS FROM(")
		for i, c := range calls {
			p.comma(i)
			p.expr(c.Call, true)
		}
		p.put(")")
	}
	if r.Ordinality {
		p.put(" WITH ORDINALITY")
	}
	p.put(" ", types.QuoteIdent(p.level().names[it]))
	if !typed {
		p.aliases(it, true)
		return
	}
	p.put("(")
	for i, f := range calls[0].Call.(*expr.Call).Cols {
		p.comma(i)
		p.put(types.QuoteIdent(it.cols[i].name), " ", p.o.TypeName(f.Type, f.Typmod))
	}
	p.put(")")
}

// functionCall prints what stands in FROM as one function: what has not the looks of a call stands in CAST.
func (p *queryPrinter) functionCall(r *pg_query.RangeFunction, x expr.Expr) {
	items := r.Functions[0].GetList().GetItems()
	if len(items) == 0 || items[0].GetTypeCast() == nil {
		p.expr(x, true)
		return
	}
	p.put("CAST(")
	p.expr(x, true)
	p.put(" AS ", p.o.TypeName(x.Type(), x.Typmod()), ")")
}

func (p *queryPrinter) join(j *pg_query.JoinExpr) {
	it := p.rec.items[j]
	lv := p.level()
	paren := !p.o.Pretty || j.Alias != nil
	if j.Alias != nil {
		lv.inside[it] = true
	}
	if paren {
		p.put("(")
	}
	p.fromItem(j.Larg)
	using, quals := p.rec.using[j], p.rec.quals[j]
	word := map[pg_query.JoinType]string{
		pg_query.JoinType_JOIN_LEFT: " LEFT JOIN ", pg_query.JoinType_JOIN_RIGHT: " RIGHT JOIN ", pg_query.JoinType_JOIN_FULL: " FULL JOIN ",
	}[j.Jointype]
	switch {
	case word != "":
	case quals == nil && len(using) == 0:
		word = " CROSS JOIN "
	default:
		word = " JOIN "
	}
	p.keyword(word, -indentClause, indentClause, indentJoin)
	right := j.Rarg.GetJoinExpr()
	parenRight := p.o.Pretty && right != nil && right.Alias == nil
	if parenRight {
		p.put("(")
	}
	p.fromItem(j.Rarg)
	if parenRight {
		p.put(")")
	}
	p.condition(j, using, quals)
	if paren {
		p.put(")")
	}
	if j.Alias != nil {
		delete(lv.inside, it)
		p.put(" ", types.QuoteIdent(lv.names[it]))
		p.aliases(it, len(j.Alias.Colnames) > 0)
	}
}

func (p *queryPrinter) condition(j *pg_query.JoinExpr, using []string, quals expr.Expr) {
	switch {
	case len(using) > 0:
		p.put(" USING (", quoteList(using), ")")
		if a := j.JoinUsingAlias; a != nil {
			p.put(" AS ", types.QuoteIdent(a.Aliasname))
		}
	case quals != nil && p.o.Pretty:
		p.put(" ON ")
		p.expr(quals, false)
	case quals != nil:
		p.put(" ON (")
		p.expr(quals, false)
		p.put(")")
	case j.Jointype != pg_query.JoinType_JOIN_INNER:
		p.put(" ON TRUE")
	}
}
