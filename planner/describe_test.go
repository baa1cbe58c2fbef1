package planner_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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

var oracle = flag.String("oracle", "", "connection string of a PostgreSQL 15 that writes testdata/describe.out anew")

const (
	describeFile    = "testdata/describe.sql"
	describeResults = "testdata/describe.out"
)

// TestDescribe compares, for every statement of testdata/describe.sql, the parameters' types and the columns' names, types
// and origins, or the error with its place, with what PostgreSQL 15 said. Lines that begin with "ddl " make the schema.
func TestDescribe(t *testing.T) {
	text, err := os.ReadFile(describeFile)
	if err != nil {
		t.Fatal(err)
	}
	var ddl, stmts []string
	for _, l := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if d, ok := strings.CutPrefix(l, "ddl "); ok {
			ddl = append(ddl, d)
		} else {
			stmts = append(stmts, l)
		}
	}
	if *oracle != "" {
		askPostgres(t, ddl, stmts)
	}
	out, err := os.ReadFile(describeResults)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n\n")
	if len(want) != len(stmts) {
		t.Fatalf("%d statements, %d results: write the results anew", len(stmts), len(want))
	}
	snap, err := catalogtest.Run(catalog.New("describe", 16384, pgcatalog.System()), nil, strings.Join(ddl, ";\n"))
	if err != nil {
		t.Fatal(err)
	}
	procs := expr.NewProcs(fn.All()...)
	for i, s := range stmts {
		if got := describe(snap, procs, s); got != want[i] {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", s, got, want[i])
		}
	}
}

func describe(snap *catalog.Snapshot, procs *expr.Procs, query string) string {
	c := newContext(snap, procs, nil)
	c.Env.IO.Names = &pgcatalog.Names{Snapshot: snap, Path: c.Path}
	p, err := planQuery(c, query)
	if err != nil {
		e := pgerr.From(err)
		return describeError(string(e.Code), e.Message, e.Detail, e.Hint, max(e.Offset, e.Position))
	}
	lines := []string{"ok"}
	for i, t := range p.Params {
		lines = append(lines, fmt.Sprintf("$%d %d", i+1, t.OID))
	}
	for _, col := range p.Cols {
		oid, mod := int64(col.Type.OID), col.Mod
		if col.Type.Kind == 'd' {
			oid, mod = int64(col.Type.BaseType().OID), col.Type.BaseTypmod
		}
		origin := ""
		if r := snap.RelationByOID(col.Table); r != nil {
			origin = r.Name
		}
		lines = append(lines, describeColumn(col.Name, uint32(oid), mod, origin, col.Attnum))
	}
	return strings.Join(lines, "\n")
}

func planQuery(c *planner.Context, query string) (*planner.Plan, error) {
	stmts, err := sql.Parse(query)
	if err != nil {
		return nil, err
	}
	return planner.PlanStatement(context.Background(), c, stmts[0].Node)
}

// describeColumn leaves out the OIDs of the database's own types and tables, which differ.
func describeColumn(name string, oid uint32, mod int32, origin string, attnum int16) string {
	typ := "own type"
	if t := types.ByOID(oid); t != nil {
		typ = t.Name
	}
	return fmt.Sprintf("%s %s %d %s.%d", name, typ, mod, origin, attnum)
}

func describeError(code, message, detail, hint string, position int) string {
	return fmt.Sprintf("%s %s | %s | %s @%d", code, message, detail, hint, position)
}

// askPostgres writes the results file from a real server.
func askPostgres(t *testing.T, ddl, stmts []string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, *oracle)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, s := range append([]string{"drop schema public cascade", "create schema public"}, ddl...) {
		if _, err := conn.Exec(ctx, s); err != nil {
			t.Fatal(s, err)
		}
	}
	names := map[uint32]string{0: ""}
	rows, err := conn.Query(ctx, "select oid, relname from pg_class")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var oid uint32
		var name string
		if err := rows.Scan(&oid, &name); err != nil {
			t.Fatal(err)
		}
		names[oid] = name
	}
	var out []string
	for _, s := range stmts {
		out = append(out, askOne(ctx, conn, names, s))
	}
	if err := os.WriteFile(describeResults, []byte(strings.Join(out, "\n\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func askOne(ctx context.Context, conn *pgx.Conn, names map[uint32]string, s string) string {
	d, err := conn.Prepare(ctx, "", s)
	if err == nil && !strings.Contains(s, "$") {
		_, err = conn.Exec(ctx, "explain "+s) // what PostgreSQL finds while planning
	}
	if err != nil {
		var e *pgconn.PgError
		if !errors.As(err, &e) {
			return err.Error()
		}
		at := int(e.Position)
		if strings.HasPrefix(e.Message, "there is no unique") {
			at = 0
		}
		return describeError(e.Code, e.Message, e.Detail, e.Hint, at)
	}
	lines := []string{"ok"}
	for i, o := range d.ParamOIDs {
		lines = append(lines, fmt.Sprintf("$%d %d", i+1, o))
	}
	for _, f := range d.Fields {
		lines = append(lines, describeColumn(f.Name, f.DataTypeOID, f.TypeModifier, names[f.TableOID], int16(f.TableAttributeNumber)))
	}
	return strings.Join(lines, "\n")
}
