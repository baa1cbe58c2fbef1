package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

func (p *queryPrinter) expr(e expr.Expr, showImplicit bool) {
	o := p.o.DeparseOptions
	o.Indent, o.ShowImplicit = p.indent, showImplicit
	p.put(expr.Deparse(e, o))
}

// sortExpr prints an expression of ORDER BY, GROUP BY or a window: a constant with its type, so that it is no position, and
// calls in parentheses.
func (p *queryPrinter) sortExpr(e expr.Expr) {
	paren := p.o.Pretty
	switch x := e.(type) {
	case *expr.Const:
		p.expr(e, true)
		if x.T == types.Int4T || x.T == types.BoolT || x.T == types.NumericT {
			p.put("::", p.o.TypeName(x.T, -1))
		}
		return
	case *expr.ColRef:
		if p.stands(x) == nil {
			p.expr(e, true)
			return
		}
		paren = true
	case *expr.Call:
		paren = paren || x.Op == ""
	}
	if paren {
		p.put("(")
	}
	p.expr(e, true)
	if paren {
		p.put(")")
	}
}

// stands returns the aggregate, window or GROUPING call that a column stands for; nil for a column of a FROM item.
func (p *queryPrinter) stands(r *expr.ColRef) any {
	for i := len(p.levels) - 1; i >= 0; i-- {
		lv := p.levels[i]
		for j := range lv.scope.aggs {
			if lv.scope.aggs[j].Col.ID == r.ID {
				return lv.scope.aggs[j].Agg
			}
		}
		for j := range lv.windows {
			for _, f := range lv.windows[j].funcs {
				if f.Col.ID == r.ID {
					return windowUse{f.Call, &lv.windows[j]}
				}
			}
		}
		for j := range lv.scope.grouping {
			if lv.scope.grouping[j].col.ID == r.ID {
				return &lv.scope.grouping[j]
			}
		}
	}
	return nil
}

// windowUse is a call with the window that it runs over.
type windowUse struct {
	call *expr.WindowCall
	over *windowDef
}

// special prints what the printer of expressions leaves to it.
func (p *queryPrinter) special(e expr.Expr, indent int) (string, bool) {
	var f func()
	switch x := e.(type) {
	case *expr.ColRef:
		switch c := p.stands(x).(type) {
		case nil:
			return "", false
		case *expr.Agg:
			f = func() { p.aggregate(c) }
		case windowUse:
			f = func() { p.windowCall(c) }
		case *groupingCall:
			f = func() {
				p.put("GROUPING(")
				p.list(c.args)
				p.put(")")
			}
		}
	case *expr.Coalesce:
		name := p.mergedName(x)
		return name, name != ""
	case *expr.Subquery:
		f = func() { p.subquery(x) }
	default:
		return "", false
	}
	old := p.indent
	p.indent = indent
	text := p.apart(f)
	p.indent = old
	return text, true
}

func (p *queryPrinter) list(es []expr.Expr) {
	for i, e := range es {
		p.comma(i)
		p.expr(e, true)
	}
}

func (p *queryPrinter) sortKeys(keys []expr.SortKey) {
	for i, k := range keys {
		p.comma(i)
		p.sortExpr(k.X)
		p.direction(k.Desc, k.NullsFirst)
	}
}

func (p *queryPrinter) aggregate(a *expr.Agg) {
	p.put(p.o.FuncName(a.Fn), "(")
	if a.Distinct {
		p.put("DISTINCT ")
	}
	if _, within := orderedSets()[a.Fn.Name]; within && a.Fn.User == nil {
		p.list(a.Args[:a.Direct])
		p.put(") WITHIN GROUP (ORDER BY ")
		p.sortKeys(a.OrderBy)
	} else {
		if a.Star {
			p.put("*")
		}
		for i, x := range a.Args {
			p.comma(i)
			if a.Variadic && i == len(a.Args)-1 {
				p.put("VARIADIC ")
			}
			p.expr(x, true)
		}
		if len(a.OrderBy) > 0 {
			p.put(" ORDER BY ")
			p.sortKeys(a.OrderBy)
		}
	}
	p.filter(a.Filter)
	p.put(")")
}

func (p *queryPrinter) filter(e expr.Expr) {
	if e != nil {
		p.put(") FILTER (WHERE ")
		p.expr(e, false)
	}
}

func (p *queryPrinter) windowCall(w windowUse) {
	p.put(p.o.FuncName(w.call.Fn), "(")
	if w.call.Star {
		p.put("*")
	}
	p.list(w.call.Args)
	p.filter(w.call.Filter)
	p.put(") OVER ")
	if w.over.name != "" {
		p.put(types.QuoteIdent(w.over.name))
		return
	}
	p.window(w.over)
}

// window prints a window's definition: what it inherits from another one is not repeated.
func (p *queryPrinter) window(w *windowDef) {
	d := w.src
	sep := ""
	word := func(s string) {
		p.put(sep, s)
		sep = " "
	}
	p.put("(")
	if d.Refname != "" {
		word(types.QuoteIdent(d.Refname))
	}
	if len(d.PartitionClause) > 0 {
		word("PARTITION BY ")
		for i, x := range w.partition {
			p.comma(i)
			p.sortExpr(x)
		}
	}
	if len(d.OrderClause) > 0 {
		word("ORDER BY ")
		p.sortKeys(w.order)
	}
	if d.FrameOptions&frameNonDefault != 0 {
		word("")
		p.frame(w)
	}
	p.put(")")
}

const frameBetween = 0x10

func (p *queryPrinter) frame(w *windowDef) {
	opt := w.src.FrameOptions
	switch {
	case opt&frameRows != 0:
		p.put("ROWS ")
	case opt&frameGroups != 0:
		p.put("GROUPS ")
	default:
		p.put("RANGE ")
	}
	bound := func(b Bound) {
		switch b.Kind {
		case 'p':
			p.put("UNBOUNDED PRECEDING")
		case 'f':
			p.put("UNBOUNDED FOLLOWING")
		case 'c':
			p.put("CURRENT ROW")
		default:
			p.expr(b.Offset, false)
			p.put(map[byte]string{'-': " PRECEDING", '+': " FOLLOWING"}[b.Kind])
		}
	}
	if opt&frameBetween != 0 {
		p.put("BETWEEN ")
	}
	bound(w.frame.Start)
	if opt&frameBetween != 0 {
		p.put(" AND ")
		bound(w.frame.End)
	}
	p.put(map[byte]string{'c': " EXCLUDE CURRENT ROW", 'g': " EXCLUDE GROUP", 't': " EXCLUDE TIES"}[w.frame.Exclude])
}

// subquery prints a subquery of an expression with what it is compared to.
func (p *queryPrinter) subquery(s *expr.Subquery) {
	sp, ok := s.Plan.(*Subplan)
	if !ok || sp.written == nil {
		p.fail("this subquery")
		return
	}
	l := sp.written
	end := ")"
	switch s.Kind {
	case expr.SubArray:
		p.put("ARRAY(")
	case expr.SubScalar:
		p.put("(")
	case expr.SubExists:
		p.put("(EXISTS (")
		end = "))"
	default:
		p.put("(")
		op := p.compared(s.Test, l.Testexpr)
		switch {
		case s.Kind == expr.SubAll:
			p.put(" ", op, " ALL (")
		case op == "=":
			p.put(" IN (")
		default:
			p.put(" ", op, " ANY (")
		}
		end = "))"
	}
	p.query(l.Subselect.GetSelectStmt(), nil, false)
	p.put(end)
}

// compared prints the left side of a comparison with a subquery's columns and returns the operator.
func (p *queryPrinter) compared(test expr.Expr, written *pg_query.Node) string {
	list := []expr.Expr{test}
	op := ""
	switch t := test.(type) {
	case *expr.And:
		list = t.Args
	case *expr.Or:
		list = t.Args
	case *expr.RowCompare:
		p.put("(")
		p.list(t.Left)
		p.put(")")
		return t.Op
	}
	if written.GetRowExpr() != nil {
		p.put("(")
		defer p.put(")")
	}
	for i, x := range list {
		c, ok := x.(*expr.Call)
		if !ok || c.Op == "" || len(c.Args) != 2 {
			p.fail("this comparison with a subquery")
			return ""
		}
		if op == "" {
			op = c.Op
		}
		p.comma(i)
		p.expr(c.Args[0], true)
	}
	return op
}

// column prints a column of a FROM item, qualified.
func (p *queryPrinter) column(r *expr.ColRef) string {
	item, name, ok := p.find(r)
	if !ok {
		p.fail("column " + r.Name)
		return ""
	}
	if name == "" {
		return types.QuoteIdent(item) + ".*"
	}
	return types.QuoteIdent(item) + "." + types.QuoteIdent(name)
}

// outputColumn is the name that an expression of the target list has without AS; ok is false for all but columns.
func (p *queryPrinter) outputColumn(e expr.Expr) (string, bool) {
	switch x := e.(type) {
	case *expr.ColRef:
		if p.stands(x) != nil {
			return "", false
		}
		_, name, ok := p.find(x)
		return name, ok && name != ""
	case *expr.Coalesce:
		for i := len(p.levels) - 1; i >= 0; i-- {
			if c := p.levels[i].merged(x); c != "" {
				return c, true
			}
		}
	}
	return "", false
}

// find looks for the FROM item that shows a column; the name is "" for its whole row.
func (p *queryPrinter) find(r *expr.ColRef) (item, name string, ok bool) {
	for i := len(p.levels) - 1; i >= 0; i-- {
		lv := p.levels[i]
		for j := len(lv.scope.rtable) - 1; j >= 0; j-- {
			it := lv.scope.rtable[j]
			if lv.inside[it] {
				continue
			}
			for _, c := range it.cols {
				if x, is := c.x.(*expr.ColRef); is && x.ID == r.ID {
					return lv.names[it], c.name, true
				}
			}
			if it.scan == nil {
				continue
			}
			for k, c := range it.scan.Out {
				if c.ID == r.ID {
					if it.scan.Attnums[k] == 0 {
						return lv.names[it], "", true
					}
					return lv.names[it], c.Name, true
				}
			}
		}
	}
	return "", "", false
}

// mergedName prints the column that FULL JOIN USING makes of two; "" for another COALESCE.
func (p *queryPrinter) mergedName(x *expr.Coalesce) string {
	for i := len(p.levels) - 1; i >= 0; i-- {
		if c := p.levels[i].merged(x); c != "" {
			return types.QuoteIdent(c)
		}
	}
	return ""
}

func (lv *printLevel) merged(x *expr.Coalesce) string {
	for _, it := range lv.scope.ns {
		if it.alias != "" {
			continue
		}
		for _, c := range it.cols {
			if c.x == expr.Expr(x) {
				return c.name
			}
		}
	}
	return ""
}
