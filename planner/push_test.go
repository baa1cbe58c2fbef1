package planner_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pgmongo/pgmongo/catalog/catalogtest"
	"github.com/pgmongo/pgmongo/catalog/pgcatalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
)

// TestPushEnds plans conditions that MongoDB cannot take, wholly or in part, over a table of which it takes some: the
// rules must come to an end, and what was left above the leaf must still be there.
func TestPushEnds(t *testing.T) {
	snap := catalogtest.ParseWith(pgcatalog.System(), "create table u (id int primary key, name text, age int)")
	procs := expr.NewProcs(fn.All()...)
	for _, q := range []struct{ sql, want string }{
		{"select id from u where upper(name) = 'X'", "Filter (upper(name"},
		{"select id from u where upper(name) = 'X' and age between 1 and 3", "Filter (upper(name"},
		{"select id from u where upper(name) = 'X' order by age, id limit 2", "Filter (upper(name"},
		{"select id from (select * from u where age > 1 limit 5) s where upper(name) = 'X'", "Filter (upper(name"},
	} {
		c := newContext(snap, procs, sizes{})
		c.Settings.PushdownOff = false
		stmts, err := sql.Parse(q.sql)
		if err != nil {
			t.Fatal(err)
		}
		p, err := planner.PlanStatement(context.Background(), c, stmts[0].Node)
		if err != nil {
			t.Errorf("%s: %v", q.sql, err)
			continue
		}
		if got := planner.Format(p); !strings.Contains(got, q.want) {
			t.Errorf("%s: no %q in\n%s", q.sql, q.want, got)
		}
	}
}
