package random

import (
	"fmt"
	"strings"
)

// Modify is an INSERT, UPDATE or DELETE, and the table that it changes.
func (g *generator) Modify() (sql, target string) {
	t := pick(g.choices, g.world.tables)
	switch g.n(4) {
	case 0, 1:
		return g.update(t), t.name
	case 2:
		return g.remove(t), t.name
	}
	return g.insert(t), t.name
}

func (g *generator) update(t table) string {
	self := source{"x", t.cols, true}
	s := &scope{sources: []source{self}}
	from, join := "", ""
	if g.oneIn(3) { // by the other's key: one row at most matches
		other := pick(g.choices, g.world.tables)
		s.sources = append(s.sources, source{"y", other.cols, true})
		from, join = fmt.Sprintf(" FROM %s AS y", other.name), "x.r = y.id AND "
	}
	var set []string
	for _, c := range t.cols[1:] {
		if g.oneIn(4) || len(set) == 0 && c == t.cols[len(t.cols)-1] {
			set = append(set, fmt.Sprintf("%s = %s", c.name, g.assigned(c.family, s)))
		}
	}
	return fmt.Sprintf("UPDATE %s AS x SET %s%s WHERE %s%s%s", t.name, strings.Join(set, ", "), from, join, g.condition(s, 2), g.returning(s))
}

// assigned is a value for a column: casts to its type are made by the assignment.
func (g *generator) assigned(f family, s *scope) string {
	if g.oneIn(6) {
		return "DEFAULT"
	}
	return g.expr(f, s, 2)
}

func (g *generator) remove(t table) string {
	s := &scope{sources: []source{{"x", t.cols, true}}}
	using, join := "", ""
	if g.oneIn(3) {
		other := pick(g.choices, g.world.tables)
		s.sources = append(s.sources, source{"y", other.cols, true})
		using, join = fmt.Sprintf(" USING %s AS y", other.name), "x.r = y.id AND "
	}
	return fmt.Sprintf("DELETE FROM %s AS x%s WHERE %s%s%s", t.name, using, join, g.condition(s, 2), g.returning(s))
}

func (g *generator) insert(t table) string {
	var fs []family
	var names []string
	for _, c := range t.cols {
		if c.name == "id" || !g.oneIn(4) {
			fs, names = append(fs, c.family), append(names, c.name)
		}
	}
	var rows []string
	var body string
	if g.oneIn(3) {
		src := pick(g.choices, g.world.tables)
		s := &scope{sources: []source{{"q", src.cols, true}}}
		list := []string{fmt.Sprintf("q.id + %d", g.n(2)*1000)}
		for _, f := range fs[1:] {
			list = append(list, g.expr(f, s, 1))
		}
		body = fmt.Sprintf("SELECT %s FROM %s AS q WHERE %s", strings.Join(list, ", "), src.name, g.condition(s, 1))
	} else {
		for n := range 1 + g.n(3) {
			row := []string{fmt.Sprint(1000*g.n(2) + n + 1)}
			for _, f := range fs[1:] {
				v := pick(g.choices, values[f])
				switch g.n(8) {
				case 6:
					v = "DEFAULT"
				case 7:
					v = "NULL"
				}
				row = append(row, v)
			}
			rows = append(rows, "("+strings.Join(row, ", ")+")")
		}
		body = "VALUES " + strings.Join(rows, ", ")
	}
	conflict := ""
	switch g.n(4) {
	case 1:
		conflict = " ON CONFLICT DO NOTHING"
	case 2:
		conflict = " ON CONFLICT (id) DO NOTHING"
	case 3:
		s := &scope{sources: []source{{"x", t.cols, true}, {"excluded", t.cols, true}}}
		c := pick(g.choices, t.cols[1:])
		conflict = fmt.Sprintf(" ON CONFLICT (id) DO UPDATE SET %s = %s", c.name, g.expr(c.family, s, 1))
		if g.oneIn(3) {
			conflict += " WHERE " + g.condition(s, 1)
		}
	}
	return fmt.Sprintf("INSERT INTO %s AS x (%s) %s%s%s", t.name, strings.Join(names, ", "), body, conflict,
		g.returning(&scope{sources: []source{{"x", t.cols, true}}}))
}

func (g *generator) returning(s *scope) string {
	switch g.n(3) {
	case 1:
		return " RETURNING *"
	case 2:
		return " RETURNING " + g.targets(g.families(), s, 1)
	}
	return ""
}
