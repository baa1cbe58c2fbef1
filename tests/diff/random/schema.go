package random

import (
	"fmt"
	"strings"
)

type column struct {
	name   string
	family family
}

// table is a table of a world: id is its primary key, r refers to the first table's.
type table struct {
	name string
	cols []column
}

// world is a schema with its data.
type world struct {
	tables []table
	// setup are the statements that make it.
	setup []string
}

const rowsOfTable = 40

// newWorld makes four tables: with every family among them, NULLs, repeated values, indexes and constraints.
func newWorld(seed uint64) *world {
	c := fresh(seed)
	w := &world{setup: []string{"CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')"}}
	left := append([]family{}, families...)
	for i := range 4 {
		t := table{name: fmt.Sprintf("t%d", i+1), cols: []column{{"id", int4}, {"r", int4}}}
		defs := []string{"id integer PRIMARY KEY", "r integer"}
		if i > 0 && c.oneIn(2) {
			defs[1] += " REFERENCES t1 (id)"
		}
		notNull := map[int]bool{}
		for n := range 7 {
			f := pick(c, families)
			if len(left) > 0 {
				f, left = left[0], left[1:]
			}
			def := fmt.Sprintf("c%d %s", n, f)
			if c.oneIn(4) {
				notNull[n] = true
				def += " NOT NULL"
			}
			if c.oneIn(5) {
				def += " DEFAULT " + pick(c, values[f])
			}
			t.cols = append(t.cols, column{fmt.Sprintf("c%d", n), f})
			defs = append(defs, def)
		}
		w.setup = append(w.setup, fmt.Sprintf("CREATE TABLE %s (%s)", t.name, strings.Join(defs, ", ")))
		for n := range t.cols[1:] {
			if c.oneIn(3) {
				w.setup = append(w.setup, fmt.Sprintf("CREATE INDEX ON %s (%s%s)", t.name, t.cols[n+1].name, pick(c, []string{"", ", id", " DESC", " NULLS FIRST"})))
			}
		}
		w.tables = append(w.tables, t)
		var rows []string
		for id := range rowsOfTable - i*8 {
			row := []string{fmt.Sprint(id + 1), fmt.Sprint(1 + c.n(20))}
			if c.oneIn(6) {
				row[1] = "NULL"
			}
			for n, col := range t.cols[2:] {
				v := pick(c, values[col.family])
				if !notNull[n] && c.oneIn(6) {
					v = "NULL"
				}
				row = append(row, v)
			}
			rows = append(rows, "("+strings.Join(row, ", ")+")")
		}
		w.setup = append(w.setup, fmt.Sprintf("INSERT INTO %s VALUES %s", t.name, strings.Join(rows, ", ")))
	}
	return w
}
