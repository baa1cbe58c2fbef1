package random

import (
	"fmt"
	"slices"
	"strings"
)

// generator makes one statement.
type generator struct {
	*choices
	world *world
	next  int
	ctes  []source
}

// source is an item of FROM.
type source struct {
	alias string
	cols  []column
	// key says that id is unique in it.
	key bool
}

// scope is what names an expression may use; the outer query's come after its own.
type scope struct {
	sources []source
	outer   *scope
}

func (g *generator) name(prefix string) string {
	g.next++
	return fmt.Sprintf("%s%d", prefix, g.next)
}

// column is a column of the family, empty when there is none; now and then one of an outer query.
func (g *generator) column(f family, s *scope) string {
	var names []string
	for _, src := range s.sources {
		for _, c := range src.cols {
			if c.family == f || f == text && c.family == varchar || f == numeric && c.family == money2 {
				names = append(names, src.alias+"."+c.name)
			}
		}
	}
	if s.outer != nil && (len(names) == 0 || g.oneIn(4)) {
		if outer := g.column(f, s.outer); outer != "" {
			return outer
		}
	}
	if len(names) == 0 {
		return ""
	}
	return pick(g.choices, names)
}

func (g *generator) anyColumn(s *scope) (string, family) {
	src := pick(g.choices, s.sources)
	c := pick(g.choices, src.cols)
	return src.alias + "." + c.name, c.family
}

func (g *generator) literal(f family) string {
	return pick(g.choices, values[f]) + "::" + string(f)
}

// expr is an expression of a family.
func (g *generator) expr(f family, s *scope, depth int) string {
	kind := g.n(10)
	switch {
	case depth > 0 && kind >= 6 && kind <= 8:
		of := slices.DeleteFunc(slices.Clone(forms), func(x form) bool { return x.ret != f })
		if len(of) > 0 {
			x := pick(g.choices, of)
			args := make([]any, len(x.args))
			for i, a := range x.args {
				args[i] = g.expr(a, s, depth-1)
			}
			return fmt.Sprintf(x.text, args...)
		}
	case depth > 0 && kind == 9:
		switch g.n(6) {
		case 4:
			return "(" + g.scalarQuery(f, s, depth-1) + ")"
		case 5:
			return "NULL::" + string(f)
		default:
			text := pick(g.choices, generic)
			a, b := g.expr(f, s, depth-1), g.expr(f, s, depth-1)
			if strings.Contains(text, "%[3]s") {
				return fmt.Sprintf(text, a, b, g.condition(s, depth-1))
			}
			return fmt.Sprintf(text, a, b)
		}
	case kind == 5:
		return g.literal(f)
	}
	if c := g.column(f, s); c != "" {
		return c
	}
	return g.literal(f)
}

var comparisons = []string{"=", "<", ">", "<>", "<=", ">="}

// condition is a boolean expression, most often a comparison of a column.
func (g *generator) condition(s *scope, depth int) string {
	kind := g.n(16)
	if depth <= 0 {
		kind %= 7
	}
	col, f := g.anyColumn(s)
	bare := func() string { return pick(g.choices, values[f]) }
	switch kind {
	case 0, 1:
		return fmt.Sprintf("(%s %s %s)", col, pick(g.choices, comparisons), bare())
	case 2:
		return fmt.Sprintf("(%s %s %s)", col, pick(g.choices, comparisons), g.expr(f, s, 0))
	case 3:
		return fmt.Sprintf("(%s IS %s)", col, pick(g.choices, []string{"NULL", "NOT NULL"}))
	case 4:
		list := []string{bare(), bare()}
		if g.oneIn(5) {
			list = append(list, "NULL")
		}
		return fmt.Sprintf("(%s %s (%s))", col, pick(g.choices, []string{"IN", "NOT IN"}), strings.Join(list, ", "))
	case 5:
		return fmt.Sprintf("(%s %sBETWEEN %s AND %s)", col, pick(g.choices, []string{"", "NOT "}), bare(), bare())
	case 6:
		return fmt.Sprintf("(%s IS %sDISTINCT FROM %s)", col, pick(g.choices, []string{"", "NOT "}), bare())
	case 7, 8:
		return fmt.Sprintf("(%s AND %s)", g.condition(s, depth-1), g.condition(s, depth-1))
	case 9:
		return fmt.Sprintf("(%s OR %s)", g.condition(s, depth-1), g.condition(s, depth-1))
	case 10:
		return fmt.Sprintf("(NOT %s)", g.condition(s, depth-1))
	case 11:
		return fmt.Sprintf("%sEXISTS (%s)", pick(g.choices, []string{"", "NOT "}), g.query([]family{int4}, s, depth-1))
	case 12:
		return fmt.Sprintf("(%s %s (%s))", col, pick(g.choices, []string{"IN", "NOT IN"}), g.query([]family{f}, s, depth-1))
	case 13:
		return fmt.Sprintf("(%s %s %s (%s))", col, pick(g.choices, comparisons), pick(g.choices, []string{"ANY", "ALL"}), g.query([]family{f}, s, depth-1))
	case 14:
		return fmt.Sprintf("(%s %s (%s))", col, pick(g.choices, comparisons), g.scalarQuery(f, s, depth-1))
	}
	return g.expr(boolean, s, depth)
}

// scalarQuery is a query of one row: an aggregate, or a row by its key.
func (g *generator) scalarQuery(f family, outer *scope, depth int) string {
	t := pick(g.choices, g.world.tables)
	src := source{g.name("s"), t.cols, true}
	s := &scope{[]source{src}, outer}
	from := fmt.Sprintf("FROM %s AS %s WHERE ", t.name, src.alias)
	switch {
	case slices.Contains(ordered, f) && g.oneIn(2):
		return fmt.Sprintf("SELECT %s(%s) %s%s", pick(g.choices, []string{"min", "max"}), g.expr(f, s, depth), from, g.condition(s, depth))
	case f == int8 && g.oneIn(2):
		return "SELECT count(*) " + from + g.condition(s, depth)
	}
	key := g.column(int4, outer)
	if key == "" {
		key = "1"
	}
	return fmt.Sprintf("SELECT %s %s%s.id = %s", g.expr(f, s, depth), from, src.alias, key)
}

// ordered are the families with min and max.
var ordered = []family{int4, text, numeric, int8, date, timestamptz, timestamp, float8, int2, clock, interval, enum, money2, inet, ints, texts}
