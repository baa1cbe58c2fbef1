package random

import (
	"fmt"
	"regexp"
	"strings"
)

// families of some columns.
func (g *generator) families() []family {
	out := []family{pick(g.choices, families)}
	for len(out) < 4 && g.n(3) > 0 {
		out = append(out, pick(g.choices, families))
	}
	return out
}

// Query is a whole SELECT: with CTEs, an order over all columns, and a limit.
func (g *generator) Query() string {
	var with []string
	for len(with) < 2 && g.oneIn(5) {
		fs := g.families()
		name := g.name("w")
		text := g.query(fs, nil, 2)
		with = append(with, fmt.Sprintf("%s AS %s(%s)", name, pick(g.choices, []string{"", "MATERIALIZED ", "NOT MATERIALIZED "}), text))
		g.ctes = append(g.ctes, source{name, outputs(fs), false})
	}
	fs := g.families()
	text := g.query(fs, nil, 3)
	if len(with) > 0 {
		text = "WITH " + strings.Join(with, ", ") + " " + text
	}
	return text + g.order(len(fs))
}

// order is ORDER BY all columns, so that the rows' order and what LIMIT takes follow from the statement.
func (g *generator) order(n int) string {
	if g.n(2) == 0 {
		return ""
	}
	var by []string
	for i := range n {
		by = append(by, fmt.Sprint(i+1)+pick(g.choices, []string{"", " DESC", " NULLS FIRST", " DESC NULLS LAST"}))
	}
	out := " ORDER BY " + strings.Join(by, ", ")
	if g.oneIn(2) {
		out += fmt.Sprintf(" LIMIT %d", g.n(12))
	}
	if g.oneIn(4) {
		out += fmt.Sprintf(" OFFSET %d", g.n(6))
	}
	return out
}

// outputs names the columns of a query as every query here names them.
func outputs(fs []family) []column {
	var out []column
	for i, f := range fs {
		out = append(out, column{fmt.Sprintf("o%d", i+1), f})
	}
	return out
}

// query is a SELECT without order whose columns are of these families.
func (g *generator) query(fs []family, outer *scope, depth int) string {
	kind := g.n(12)
	if depth <= 0 {
		kind %= 4
	}
	switch kind {
	case 4, 5, 6:
		return g.grouped(fs, outer, depth)
	case 7:
		return g.windowed(fs, outer, depth)
	case 8:
		op := pick(g.choices, []string{"UNION ALL", "UNION", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"})
		return fmt.Sprintf("(%s) %s (%s)", g.query(fs, outer, depth-1), op, g.query(fs, outer, depth-1))
	case 9:
		from, s := g.from(outer, depth)
		return "SELECT DISTINCT " + g.targets(fs, s, depth) + " FROM " + from + g.where(s, depth)
	}
	from, s := g.from(outer, depth)
	return "SELECT " + g.targets(fs, s, depth) + " FROM " + from + g.where(s, depth)
}

func (g *generator) targets(fs []family, s *scope, depth int) string {
	var out []string
	for i, f := range fs {
		out = append(out, fmt.Sprintf("%s AS o%d", g.expr(f, s, min(depth, 2)), i+1))
	}
	return strings.Join(out, ", ")
}

func (g *generator) where(s *scope, depth int) string {
	if g.n(4) == 0 {
		return ""
	}
	return " WHERE " + g.condition(s, depth)
}

// from is a FROM list of one to four items and what it brings into scope.
func (g *generator) from(outer *scope, depth int) (string, *scope) {
	s := &scope{outer: outer}
	text, src := g.item(outer, depth)
	s.sources = append(s.sources, src)
	for len(s.sources) < 4 && depth > 0 && g.oneIn(3) {
		kind := g.n(7)
		if kind == 6 { // LATERAL sees what is left of it
			fs := g.families()
			alias := g.name("l")
			inner := g.query(fs, s, depth-1)
			text = fmt.Sprintf("%s %s JOIN LATERAL (%s) AS %s ON %s", text, pick(g.choices, []string{"INNER", "LEFT"}), inner, alias, pick(g.choices, []string{"true", "1 = 1"}))
			s.sources = append(s.sources, source{alias, outputs(fs), false})
			continue
		}
		right, src := g.item(outer, depth)
		if kind == 5 {
			text += " CROSS JOIN " + right
			s.sources = append(s.sources, src)
			continue
		}
		on, equal := g.on(s, src)
		join := pick(g.choices, []string{"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "JOIN"})
		s.sources = append(s.sources, src)
		switch {
		case join == "FULL JOIN" && !equal: // which takes only what can be merged or hashed
			join = "LEFT JOIN"
		case join != "FULL JOIN" && g.oneIn(4):
			inner := &scope{sources: s.sources, outer: outer}
			on += " AND " + g.condition(inner, 0)
		}
		text = fmt.Sprintf("%s %s %s ON %s", text, join, right, on)
	}
	return text, s
}

// on is an equality between a column of the new item and one of those before, where they have one of the same family.
func (g *generator) on(s *scope, src source) (condition string, equal bool) {
	c := pick(g.choices, src.cols)
	if left := g.column(c.family, &scope{sources: s.sources}); left != "" {
		return fmt.Sprintf("%s = %s.%s", left, src.alias, c.name), true
	}
	return fmt.Sprintf("%s.%s IS NOT NULL", src.alias, c.name), false
}

// item is a table, a CTE, a subquery or VALUES.
func (g *generator) item(outer *scope, depth int) (string, source) {
	kind := g.n(8)
	switch {
	case kind == 6 && len(g.ctes) > 0:
		cte := pick(g.choices, g.ctes)
		alias := g.name("a")
		return cte.alias + " AS " + alias, source{alias, cte.cols, false}
	case kind == 7 && depth > 0:
		fs, alias := g.families(), g.name("q")
		// A subquery in FROM does not see its neighbours, only what is outside of the whole.
		return fmt.Sprintf("(%s) AS %s", g.query(fs, outer, depth-1), alias), source{alias, outputs(fs), false}
	case kind == 5 && depth > 0:
		alias := g.name("g")
		return fmt.Sprintf("generate_series(%d, %d) AS %s (o1)", g.n(3), g.n(8), alias), source{alias, []column{{"o1", int4}}, false}
	}
	t := pick(g.choices, g.world.tables)
	alias := g.name("a")
	return t.name + " AS " + alias, source{alias, t.cols, true}
}

// aggregate is an aggregate call that gives the family; its argument comes from the scope.
func (g *generator) aggregate(f family, s *scope, depth int) string {
	arg := func(f family) string { return g.expr(f, s, min(depth, 1)) }
	filter := func(call string) string {
		if g.oneIn(5) {
			return call + " FILTER (WHERE " + g.condition(s, 0) + ")"
		}
		return call
	}
	distinct := pick(g.choices, []string{"", "", "DISTINCT "})
	switch f {
	case int8:
		switch g.n(4) {
		case 0:
			return filter("count(*)")
		case 1:
			_, any := g.anyColumn(s)
			return filter(fmt.Sprintf("count(%s%s)", distinct, arg(any)))
		case 2:
			return filter(fmt.Sprintf("sum(%s%s %% 100000)", distinct, arg(int4)))
		}
		return filter(fmt.Sprintf("bit_or(%s)", arg(int8)))
	case numeric:
		return filter(fmt.Sprintf("%s(%s%s)", pick(g.choices, []string{"sum", "avg", "stddev", "var_pop"}), distinct, arg(pick(g.choices, arithmetic))))
	case boolean:
		return filter(fmt.Sprintf("%s(%s)", pick(g.choices, []string{"bool_and", "bool_or"}), arg(boolean)))
	case text:
		if g.oneIn(2) {
			a := arg(text)
			return filter(fmt.Sprintf("string_agg(%[1]s, ',' ORDER BY %[1]s%[2]s)", a, pick(g.choices, []string{"", " DESC"})))
		}
	case ints:
		a := arg(int4)
		return filter(fmt.Sprintf("array_agg(%[2]s%[1]s ORDER BY %[1]s)", a, distinct))
	case jsonb:
		a := arg(pick(g.choices, []family{int4, text, boolean, date}))
		return filter(fmt.Sprintf("jsonb_agg(%[1]s ORDER BY %[1]s)", a))
	case float8:
		if g.oneIn(2) {
			return fmt.Sprintf("percentile_cont(0.5) WITHIN GROUP (ORDER BY (%s)::integer %% 1000)", arg(int4))
		}
		return filter("sum(" + arg(float8) + ")")
	case int4:
		if g.oneIn(4) {
			return fmt.Sprintf("percentile_disc(0.3) WITHIN GROUP (ORDER BY %s)", arg(int4))
		}
	}
	for _, o := range ordered {
		if o == f {
			return filter(fmt.Sprintf("%s(%s)", pick(g.choices, []string{"max", "min"}), arg(f)))
		}
	}
	return fmt.Sprintf("(array_agg(%[1]s ORDER BY %[1]s))[1]", arg(f))
}

// reference matches a column of a FROM item.
var reference = regexp.MustCompile(`\b[a-z]\d+\.[a-z]`)

// grouped is a query with aggregates: over all rows, or by one to three keys, or by sets of them.
func (g *generator) grouped(fs []family, outer *scope, depth int) string {
	from, s := g.from(outer, depth)
	where := g.where(s, depth)
	var keys, targets []string
	for i, f := range fs {
		if len(keys) < 3 && g.oneIn(2) {
			key := g.expr(f, s, min(depth, 1))
			keys = append(keys, key)
			targets = append(targets, fmt.Sprintf("%s AS o%d", key, i+1))
			continue
		}
		targets = append(targets, fmt.Sprintf("%s AS o%d", g.aggregate(f, s, depth), i+1))
	}
	text := "SELECT " + strings.Join(targets, ", ") + " FROM " + from + where
	if len(keys) > 0 {
		list := strings.Join(keys, ", ")
		kind := g.n(8)
		for _, key := range keys {
			if !reference.MatchString(key) { // PostgreSQL 15 takes a constant key for itself in every grouping set
				kind = 0
			}
		}
		switch kind {
		case 5:
			list = "ROLLUP (" + list + ")"
		case 6:
			list = "CUBE (" + list + ")"
		case 7:
			list = "GROUPING SETS ((" + list + "), (" + keys[0] + "), ())"
		}
		text += " GROUP BY " + list
	}
	if g.oneIn(4) {
		text += " HAVING " + g.aggregate(int8, s, 0) + pick(g.choices, []string{" > 1", " <= 3", " <> 2", " IS NOT NULL"})
	}
	return text
}

// windowed is a query over one table with window functions. Those that depend on the order of peers are ordered by the key.
func (g *generator) windowed(fs []family, outer *scope, depth int) string {
	t := pick(g.choices, g.world.tables)
	src := source{g.name("a"), t.cols, true}
	s := &scope{[]source{src}, outer}
	var targets []string
	for i, f := range fs {
		call := g.expr(f, s, 1)
		if !g.oneIn(3) {
			call = g.window(f, src, s, depth)
		}
		targets = append(targets, fmt.Sprintf("%s AS o%d", call, i+1))
	}
	return fmt.Sprintf("SELECT %s FROM %s AS %s%s", strings.Join(targets, ", "), t.name, src.alias, g.where(s, depth))
}

func (g *generator) window(f family, src source, s *scope, depth int) string {
	var partition string
	if g.oneIn(2) {
		c, _ := g.anyColumn(s)
		partition = "PARTITION BY " + c + " "
	}
	direction := pick(g.choices, []string{"", " DESC"})
	column, _ := g.anyColumn(s)
	byKey := fmt.Sprintf("ORDER BY %s%s, %s.id", column, direction, src.alias)
	frame := ""
	if g.oneIn(2) {
		frame = fmt.Sprintf(" %s BETWEEN %s AND %s%s", pick(g.choices, []string{"ROWS", "GROUPS"}),
			pick(g.choices, []string{"UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW"}), pick(g.choices, []string{"CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING"}),
			pick(g.choices, []string{"", " EXCLUDE CURRENT ROW", " EXCLUDE TIES", " EXCLUDE GROUP"}))
	}
	over := fmt.Sprintf(" OVER (%s%s%s)", partition, byKey, frame)
	peers := fmt.Sprintf(" OVER (%sORDER BY %s%s)", partition, column, direction)
	arg := func() string { return g.expr(f, s, min(depth, 1)) }
	switch f {
	case int8:
		switch g.n(5) {
		case 0:
			return "row_number()" + over
		case 1:
			return pick(g.choices, []string{"rank()", "dense_rank()", "count(*)"}) + peers
		case 2:
			return "count(*)" + over
		case 3:
			return fmt.Sprintf("sum(%s %% 1000)%s", g.expr(int4, s, 0), over)
		}
	case int4:
		if g.oneIn(2) {
			return "ntile(3)" + over
		}
	case numeric:
		return fmt.Sprintf("%s(%s)%s", pick(g.choices, []string{"sum", "avg"}), g.expr(pick(g.choices, arithmetic), s, 0), pick(g.choices, []string{over, peers}))
	case float8:
		return pick(g.choices, []string{"percent_rank()", "cume_dist()"}) + peers
	}
	return fmt.Sprintf(pick(g.choices, []string{"lag(%s)", "lead(%s, 2)", "first_value(%s)", "last_value(%s)", "nth_value(%s, 2)"}), arg()) + over
}
