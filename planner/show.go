package planner

import (
	"context"
	"fmt"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The columns by which the parts of a query are indented.
const (
	indentClause = 8
	indentJoin   = 4
	indentEntry  = 4
)

// ShowQuery binds a query and prints it in the layout of PostgreSQL's pg_get_viewdef: stars expanded, columns qualified,
// implicit casts shown. What it cannot print is an error.
func ShowQuery(ctx context.Context, c *Context, sel *pg_query.SelectStmt, o expr.QueryOptions) (string, error) {
	b := newBinder(ctx, c)
	b.noParams, b.rec = true, newRecord()
	if _, err := b.newScope(nil).query(sel, true); err != nil {
		return "", err
	}
	p := &queryPrinter{rec: b.rec, b: b, o: o, used: map[string]int{"old": 0, "new": 0}}
	p.o.Query = p.special
	p.o.Column = p.column
	p.query(sel, o.Columns, true)
	if p.err != nil {
		return "", p.err
	}
	return string(p.buf), nil
}

// queryPrinter prints one bound query. The levels are those around what is being printed, the innermost last.
type queryPrinter struct {
	b      *binder
	rec    *record
	o      expr.QueryOptions
	buf    []byte
	indent int
	levels []*printLevel
	// used are the names of FROM items of the levels, with the number that was last added to each.
	used map[string]int
	err  error
}

// printLevel is a query level with the names that its FROM items have in the text.
type printLevel struct {
	*selectRecord
	names map[*nsItem]string
	// inside are the aliased joins whose own parts are being printed, which do not see their alias.
	inside map[*nsItem]bool
}

func (p *queryPrinter) fail(what string) {
	if p.err == nil {
		p.err = pgerr.Unsupported("printing " + what)
	}
}

func (p *queryPrinter) put(parts ...string) {
	for _, s := range parts {
		if strings.HasPrefix(s, "\n") {
			p.trim()
		}
		p.buf = append(p.buf, s...)
	}
}

func (p *queryPrinter) trim() { p.buf = []byte(strings.TrimRight(string(p.buf), " ")) }

// keyword begins a line with a word that stands before or after columns of the present indentation, plus some for this line.
func (p *queryPrinter) keyword(word string, before, after, plus int) {
	p.indent += before
	p.put("\n")
	p.put(strings.Repeat(" ", expr.Indentation(p.indent)+plus), word)
	p.indent = max(p.indent+after, 0)
}

func (p *queryPrinter) clause(word string, plus int) {
	p.keyword(word, -indentClause, indentClause, plus)
}

// apart prints into a text of its own.
func (p *queryPrinter) apart(f func()) string {
	buf := p.buf
	p.buf = nil
	f()
	out := string(p.buf)
	p.buf = buf
	return out
}

// query prints a query with an indentation of its own. named says that the names of its columns matter.
func (p *queryPrinter) query(sel *pg_query.SelectStmt, columns []string, named bool) {
	indent, used := p.indent, p.used
	p.used = make(map[string]int, len(used))
	for k := range used {
		p.used[k] = 0
	}
	rec := p.rec.selects[sel]
	if rec == nil {
		rec = &selectRecord{scope: &scope{}} // a set operation inside of another one, or a recursive query
	}
	lv := &printLevel{selectRecord: rec, names: map[*nsItem]string{}, inside: map[*nsItem]bool{}}
	for _, it := range rec.scope.rtable {
		lv.names[it] = p.unique(it.alias)
	}
	p.levels = append(p.levels, lv)
	p.with(sel.WithClause)
	if isSetOperation(sel) {
		p.setOperation(sel, columns, named)
	} else {
		p.simple(sel, lv, columns, named)
	}
	p.tail(sel, lv, isSetOperation(sel))
	p.levels = p.levels[:len(p.levels)-1]
	p.indent, p.used = indent, used
}

// unique numbers a name that this level or one around has.
func (p *queryPrinter) unique(name string) string {
	if _, taken := p.used[name]; !taken {
		p.used[name] = 0
		return name
	}
	for {
		p.used[name]++
		n := fmt.Sprintf("%s_%d", name, p.used[name])
		if _, taken := p.used[n]; !taken {
			p.used[n] = 0
			return n
		}
	}
}

func isSetOperation(sel *pg_query.SelectStmt) bool {
	return sel.Op != pg_query.SetOperation_SETOP_NONE && sel.Op != pg_query.SetOperation_SET_OPERATION_UNDEFINED
}

func (p *queryPrinter) with(w *pg_query.WithClause) {
	if w == nil {
		return
	}
	p.indent += indentClause
	sep := " WITH "
	if w.Recursive {
		sep = " WITH RECURSIVE "
	}
	for _, n := range w.Ctes {
		c := n.GetCommonTableExpr()
		p.put(sep, types.QuoteIdent(c.Ctename))
		if cols := strs(c.Aliascolnames); len(cols) > 0 {
			p.put("(", quoteList(cols), ")")
		}
		p.put(" AS ")
		switch c.Ctematerialized {
		case pg_query.CTEMaterialize_CTEMaterializeAlways:
			p.put("MATERIALIZED ")
		case pg_query.CTEMaterialize_CTEMaterializeNever:
			p.put("NOT MATERIALIZED ")
		}
		if hasSearch(c) {
			p.fail("SEARCH and CYCLE")
		}
		p.put("(")
		p.keyword("", 0, 0, 0)
		if sel := c.Ctequery.GetSelectStmt(); sel != nil {
			p.query(sel, nil, true)
		} else {
			p.fail("a query that changes data")
		}
		p.keyword("", 0, 0, 0)
		p.put(")")
		sep = ", "
	}
	p.keyword("", -indentClause, 0, 0)
}

func quoteList(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = types.QuoteIdent(n)
	}
	return strings.Join(out, ", ")
}

// setOperation prints both sides. One within another has parentheses, but for a chain of the same operation on the left.
func (p *queryPrinter) setOperation(sel *pg_query.SelectStmt, columns []string, named bool) {
	l, r := sel.Larg, sel.Rarg
	indent := p.indent
	if nestedSetOperation(l) && (l.Op != sel.Op || l.All != sel.All) {
		p.put("(")
		p.keyword("", indentClause, 0, 0)
		p.arm(l, columns, named)
		p.keyword(") ", -indentClause, 0, 0)
	} else {
		p.arm(l, columns, named)
		p.keyword("", 0, 0, 0)
	}
	p.put(setOpNames[sel.Op], " ")
	if sel.All {
		p.put("ALL ")
	}
	nested := nestedSetOperation(r)
	plus := 0
	if nested {
		p.put("(")
		plus = indentClause
	}
	p.keyword("", plus, 0, 0)
	p.arm(r, columns, false)
	p.indent = indent
	if nested {
		p.keyword(")", 0, 0, 0)
	}
}

// nestedSetOperation reports whether a side is a set operation of the same level.
func nestedSetOperation(sel *pg_query.SelectStmt) bool { return isSetOperation(sel) && !hasTail(sel) }

func hasTail(sel *pg_query.SelectStmt) bool {
	return sel.WithClause != nil || len(sel.SortClause) > 0 || sel.LimitCount != nil || sel.LimitOffset != nil || len(sel.LockingClause) > 0
}

func (p *queryPrinter) arm(sel *pg_query.SelectStmt, columns []string, named bool) {
	switch {
	case nestedSetOperation(sel):
		p.setOperation(sel, columns, named)
	case hasTail(sel):
		p.put("(")
		p.query(sel, columns, named)
		p.put(")")
	default:
		p.query(sel, columns, named)
	}
}

// simple prints SELECT or VALUES up to WINDOW.
func (p *queryPrinter) simple(sel *pg_query.SelectStmt, lv *printLevel, columns []string, named bool) {
	p.indent += indentClause
	p.put(" ")
	if len(sel.ValuesLists) > 0 {
		p.values(lv, columns)
		return
	}
	p.put("SELECT")
	if sel.DistinctClause != nil {
		p.put(" DISTINCT")
		if lv.distinctOn != nil {
			p.put(" ON (")
			for i, t := range lv.distinctOn {
				p.comma(i)
				p.sortExpr(lv.targets[t].x)
			}
			p.put(")")
		}
	}
	p.targetList(lv, columns, named)
	p.from(sel.FromClause)
	if lv.where != nil {
		p.clause(" WHERE ", 1)
		p.expr(lv.where, false)
	}
	p.groupBy(sel, lv)
	if lv.having != nil {
		p.clause(" HAVING ", 0)
		p.expr(lv.having, false)
	}
	first := true
	for _, n := range sel.WindowClause {
		d := n.GetWindowDef()
		for i := range lv.windows {
			if lv.windows[i].src != d {
				continue
			}
			if first {
				p.clause(" WINDOW ", 1)
			} else {
				p.put(", ")
			}
			first = false
			p.put(types.QuoteIdent(d.Name), " AS ")
			p.window(&lv.windows[i])
		}
	}
}

func (p *queryPrinter) comma(i int) {
	if i > 0 {
		p.put(", ")
	}
}

func (p *queryPrinter) values(lv *printLevel, columns []string) {
	p.put("VALUES ")
	for i, c := range columns {
		if c != fmt.Sprintf("column%d", i+1) {
			p.fail("VALUES under other names")
		}
	}
	for i, row := range lv.values {
		p.comma(i)
		p.put("(")
		for j, x := range row {
			if j > 0 {
				p.put(",")
			}
			p.expr(x, false)
		}
		p.put(")")
	}
}

// targetList prints the output columns, each on a line of its own or as many as the width holds.
func (p *queryPrinter) targetList(lv *printLevel, columns []string, named bool) {
	sep, broken, n := " ", false, 0
	for _, t := range lv.targets {
		if t.junk {
			continue
		}
		n++
		p.put(sep)
		sep = ", "
		text := p.apart(func() { p.target(t, n, columns, named) })
		if p.o.Wrap >= 0 {
			if !strings.HasPrefix(text, "\n") && n > 1 && (p.lineLen()+len(text) > p.o.Wrap || broken) {
				p.clause("", indentEntry)
			}
			broken = strings.Contains(strings.TrimPrefix(text, "\n"), "\n")
		}
		p.put(text)
	}
}

// lineLen is how long the last line is by now.
func (p *queryPrinter) lineLen() int {
	return len(p.buf) - 1 - strings.LastIndexByte(string(p.buf), '\n')
}

func (p *queryPrinter) target(t target, n int, columns []string, named bool) {
	own := ""
	if !named {
		own = "?column?"
	}
	if name, ok := p.outputColumn(t.x); ok {
		own = name
	}
	p.expr(t.x, true)
	if r, ok := t.x.(*expr.ColRef); ok && p.stands(r) == nil {
		if _, column, ok := p.find(r); ok && column == "" {
			p.put("::", p.o.TypeName(r.T, r.Mod)) // t.* alone would be all of its columns
		}
	}
	name := t.name
	if n <= len(columns) {
		name = columns[n-1]
	}
	if name != own {
		p.put(" AS ", types.QuoteIdent(name))
	}
}

func (p *queryPrinter) groupBy(sel *pg_query.SelectStmt, lv *printLevel) {
	if len(sel.GroupClause) == 0 {
		return
	}
	p.clause(" GROUP BY ", 1)
	if sel.GroupDistinct {
		p.put("DISTINCT ")
	}
	sets := false
	for _, n := range sel.GroupClause {
		sets = sets || n.GetGroupingSet() != nil
	}
	for i, n := range sel.GroupClause {
		p.comma(i)
		p.groupItem(lv, n, true, sets)
	}
}

// groupItem prints an entry of GROUP BY; bare says that one column needs no parentheses.
func (p *queryPrinter) groupItem(lv *printLevel, n *pg_query.Node, bare, sets bool) {
	if g := n.GetGroupingSet(); g != nil {
		word := map[pg_query.GroupingSetKind]string{
			pg_query.GroupingSetKind_GROUPING_SET_ROLLUP: "ROLLUP(", pg_query.GroupingSetKind_GROUPING_SET_CUBE: "CUBE(",
			pg_query.GroupingSetKind_GROUPING_SET_SETS: "GROUPING SETS (", pg_query.GroupingSetKind_GROUPING_SET_EMPTY: "(",
		}[g.Kind]
		p.put(word)
		for i, c := range g.Content {
			p.comma(i)
			p.groupItem(lv, c, g.Kind != pg_query.GroupingSetKind_GROUPING_SET_SETS, true)
		}
		p.put(")")
		return
	}
	items := []*pg_query.Node{n}
	if r := n.GetRowExpr(); r != nil && r.RowFormat == pg_query.CoercionForm_COERCE_IMPLICIT_CAST {
		items = r.Args
	}
	paren := sets && (!bare || len(items) > 1)
	if paren {
		p.put("(")
	}
	for i, x := range items {
		p.comma(i)
		t, ok := lv.groups[x]
		if !ok {
			p.fail("this GROUP BY")
			return
		}
		p.sortExpr(lv.targets[t].x)
	}
	if paren {
		p.put(")")
	}
}

// tail prints ORDER BY and what follows; numbered says that it names output columns by number.
func (p *queryPrinter) tail(sel *pg_query.SelectStmt, lv *printLevel, numbered bool) {
	if len(sel.SortClause) > 0 {
		p.clause(" ORDER BY ", 1)
		for i, o := range lv.order[:min(len(lv.order), len(sel.SortClause))] {
			p.comma(i)
			if numbered {
				p.put(fmt.Sprint(o.target + 1))
			} else {
				p.sortExpr(lv.targets[o.target].x)
			}
			p.direction(o.desc, o.nullsFirst)
		}
	}
	if lv.limit.offset != nil {
		p.clause(" OFFSET ", 0)
		p.expr(lv.limit.offset, false)
	}
	switch {
	case sel.LimitCount == nil:
	case lv.limit.ties:
		p.clause(" FETCH FIRST (", 0)
		p.expr(lv.limit.limit, false)
		p.put(") ROWS WITH TIES")
	default:
		p.clause(" LIMIT ", 0)
		if lv.limit.limit == nil {
			p.put("ALL")
		} else {
			p.expr(lv.limit.limit, false)
		}
	}
	for _, n := range sel.LockingClause {
		l := n.GetLockingClause()
		p.clause(" "+lockNames[l.Strength], 0)
		if len(l.LockedRels) == 0 {
			p.fail("a row lock of every table")
		}
		for i, r := range l.LockedRels {
			if i == 0 {
				p.put(" OF ")
			} else {
				p.put(", ")
			}
			p.put(types.QuoteIdent(r.GetRangeVar().GetRelname()))
		}
		switch l.WaitPolicy {
		case pg_query.LockWaitPolicy_LockWaitError:
			p.put(" NOWAIT")
		case pg_query.LockWaitPolicy_LockWaitSkip:
			p.put(" SKIP LOCKED")
		}
	}
}

func (p *queryPrinter) direction(desc, nullsFirst bool) {
	switch {
	case desc && nullsFirst:
		p.put(" DESC")
	case desc:
		p.put(" DESC NULLS LAST")
	case nullsFirst:
		p.put(" NULLS FIRST")
	}
}
