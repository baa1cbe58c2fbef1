package planner_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/catalogtest"
	"github.com/pgmongo/pgmongo/catalog/pgcatalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// sizes are the estimates that the fixture's tables give the planner.
type sizes map[string]int64

func (s sizes) Rows(_ context.Context, rel *catalog.Relation) int64 {
	if n, ok := s[rel.Name]; ok {
		return n
	}
	return 1000
}

func newContext(snap *catalog.Snapshot, procs *expr.Procs, stats sizes) *planner.Context {
	io := types.DefaultIO()
	io.Registry = snap
	path := snap.SearchPath([]string{"$user", "public"}, "postgres", "")
	io.Names = &pgcatalog.Names{Snapshot: snap, Path: path}
	return &planner.Context{
		Snapshot: snap, Path: path, Procs: procs, Stats: stats, Views: &planner.ParseCache{},
		Env:      &expr.Env{Ctx: context.Background(), IO: io},
		Settings: planner.Settings{PushdownOff: true},
	}
}

// TestPlans runs testdata/*.txt: "ddl" adds to the fixture, "plan" prints the plan of a statement, its columns' names and
// types with "cols", or the error.
func TestPlans(t *testing.T) {
	procs, sys := expr.NewProcs(fn.All()...), pgcatalog.System()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files", err)
	}
	for _, path := range files {
		if strings.HasPrefix(filepath.Base(path), "push") {
			continue
		}
		var ddl strings.Builder
		stats := sizes{}
		var snap *catalog.Snapshot
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "ddl":
				ddl.WriteString(d.Input + ";\n")
				snap = catalogtest.ParseWith(sys, ddl.String())
				return ""
			case "stats":
				for _, a := range d.CmdArgs {
					var n int64
					fmt.Sscan(a.Vals[0], &n)
					stats[a.Key] = n
				}
				return ""
			case "plan", "cols", "error":
				return runPlan(newContext(snap, procs, stats), d)
			}
			t.Fatalf("unknown command %s", d.Cmd)
			return ""
		})
	}
}

func runPlan(c *planner.Context, d *datadriven.TestData) string {
	stmts, err := sql.Parse(d.Input)
	if err != nil {
		return err.Error() + "\n"
	}
	p, err := planner.PlanStatement(context.Background(), c, stmts[0].Node)
	if err != nil {
		return errorText(err)
	}
	if d.Cmd == "plan" {
		return planner.Format(p)
	}
	var b strings.Builder
	for i, t := range p.Params {
		fmt.Fprintf(&b, "$%d %s\n", i+1, types.FormatType(t, -1))
	}
	for _, col := range p.Cols {
		fmt.Fprintf(&b, "%s %s %d/%d\n", col.Name, types.FormatType(col.Type, col.Mod), col.Table, col.Attnum)
	}
	return b.String()
}

// errorText prints an error with its fields and byte offset as psql does in verbose mode.
func errorText(err error) string {
	var e *pgerr.Error
	if !errors.As(err, &e) {
		return "not a pgerr.Error: " + err.Error() + "\n"
	}
	s := fmt.Sprintf("%s: %s\n", e.Code, e.Message)
	if e.Detail != "" {
		s += "DETAIL: " + e.Detail + "\n"
	}
	if e.Hint != "" {
		s += "HINT: " + e.Hint + "\n"
	}
	if e.Offset > 0 {
		s += fmt.Sprintf("at %d\n", e.Offset)
	}
	return s
}
