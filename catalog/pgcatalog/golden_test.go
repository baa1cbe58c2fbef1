package pgcatalog_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/catalogtest"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/catalog/pgcatalog"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

var rewrite = flag.String("rewrite", "", "connection string of a PostgreSQL 15 that writes testdata/queries.out anew")

// TestCatalogueAgainstPostgres makes the schema of testdata/fixture.sql and asks the catalogue for it: each answer must be
// the one that PostgreSQL gave, which testdata/queries.out holds (rows sorted).
func TestCatalogueAgainstPostgres(t *testing.T) {
	queries := statements(t, "testdata/queries.sql")
	if *rewrite != "" {
		askPostgres(t, queries)
	}
	want := answers(t)
	if len(want) != len(queries) {
		t.Fatalf("%d answers to %d queries", len(want), len(queries))
	}
	d := newDatabase(t)
	for i, q := range queries {
		got := d.answer(q)
		if got != want[i] {
			t.Errorf("%s\n%s", q, difference(got, want[i]))
		}
	}
}

func statements(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range strings.Split(string(text), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

const separator = "\n====\n"

func answers(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/queries.out")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), separator), separator)
}

// difference shows the rows that only one side has.
func difference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	var b strings.Builder
	for _, l := range w {
		if !slices.Contains(g, l) {
			b.WriteString("  want " + l + "\n")
		}
	}
	for _, l := range g {
		if !slices.Contains(w, l) {
			b.WriteString("  got  " + l + "\n")
		}
	}
	return b.String()
}

func askPostgres(t *testing.T, queries []string) {
	t.Helper()
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, *rewrite)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(ctx)
	for _, s := range []string{"DROP DATABASE IF EXISTS catalogue_golden", "CREATE DATABASE catalogue_golden"} {
		if _, err := admin.Exec(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := pgx.ParseConfig(*rewrite)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Database = "catalogue_golden"
	cfg.RuntimeParams["timezone"] = "UTC"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, s := range statements(t, "testdata/fixture.sql") {
		if _, err := conn.Exec(ctx, s); err != nil {
			t.Fatal(s, err)
		}
	}
	var out strings.Builder
	for _, q := range queries {
		res, err := conn.PgConn().Exec(ctx, q).ReadAll()
		var pe *pgconn.PgError
		switch {
		case errors.As(err, &pe):
			out.WriteString("ERROR " + pe.Code + " " + pe.Message)
		case err != nil:
			t.Fatal(err)
		default:
			var rows []string
			for _, r := range res[0].Rows {
				var cells []string
				for _, c := range r {
					if c == nil {
						cells = append(cells, "NULL")
						continue
					}
					cells = append(cells, oneLine(string(c)))
				}
				rows = append(rows, strings.Join(cells, "\t"))
			}
			out.WriteString(printed(rows))
		}
		out.WriteString(separator)
	}
	if err := os.WriteFile("testdata/queries.out", []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func oneLine(s string) string { return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(s) }

// database plans and runs statements over a snapshot; no server is behind it.
type database struct {
	snap  *catalog.Snapshot
	procs *expr.Procs
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{procs: expr.NewProcs(append(fn.All(), pgcatalog.Functions()...)...)}
	d.snap = catalog.New("catalogue_golden", 16384, pgcatalog.System())
	for _, s := range statements(t, "testdata/fixture.sql") {
		snap, err := catalogtest.Run(d.snap, d, s)
		if err != nil {
			t.Fatal(err)
		}
		d.snap = snap
	}
	return d
}

func (d *database) context(snap *catalog.Snapshot) *planner.Context {
	path := snap.SearchPath([]string{"$user", "public"}, "postgres", "")
	conv := types.DefaultIO()
	conv.Registry, conv.Names = snap, &pgcatalog.Names{Snapshot: snap, Path: path}
	env := &expr.Env{Ctx: context.Background(), IO: conv, View: &catalog.View{Snapshot: snap, SearchPath: path, User: "postgres"}}
	return &planner.Context{Snapshot: snap, Path: path, Procs: d.procs, Env: env}
}

// Bind implements ddl.Expressions.
func (d *database) Bind(snap *catalog.Snapshot, rel *catalog.Relation, text string, want *types.T, typmod int32) (expr.Expr, error) {
	var cols []planner.Col
	if rel != nil {
		for i, c := range rel.Live() {
			cols = append(cols, planner.Col{ID: expr.ColID(i), Name: c.Name, Type: c.Type, Mod: c.Typmod, NotNull: c.NotNull})
		}
	}
	return planner.BindExpr(d.context(snap), rel, cols, text, want, typmod)
}

// Deparse implements ddl.Expressions.
func (d *database) Deparse(snap *catalog.Snapshot, e expr.Expr) string {
	return expr.Deparse(e, pgcatalog.StoredOptions(snap))
}

// Query implements ddl.Expressions.
func (d *database) Query(ctx context.Context, snap *catalog.Snapshot, stmt *pg_query.Node) ([]ddl.QueryCol, error) {
	plan, err := planner.PlanStatement(ctx, d.context(snap), stmt)
	if err != nil {
		return nil, err
	}
	var out []ddl.QueryCol
	for _, c := range plan.Cols {
		out = append(out, ddl.QueryCol{Name: c.Name, Type: c.Type, Typmod: c.Mod})
	}
	return out, nil
}

// ShowQuery implements ddl.Expressions.
func (d *database) ShowQuery(ctx context.Context, snap *catalog.Snapshot, sel *pg_query.SelectStmt) (string, error) {
	return planner.ShowQuery(ctx, d.context(snap), sel, pgcatalog.StoredQueryOptions(snap))
}

// View implements ddl.Expressions.
func (d *database) View(ctx context.Context, snap *catalog.Snapshot, sel *pg_query.SelectStmt) (*planner.ViewDescription, error) {
	return planner.DescribeView(ctx, d.context(snap), sel)
}

// Env implements ddl.Expressions.
func (d *database) Env() *expr.Env { return d.context(d.snap).Env }

// answer runs a query and gives its rows, sorted, or its error.
func (d *database) answer(q string) string {
	rows, err := d.run(q)
	if err != nil {
		e := pgerr.From(err)
		return "ERROR " + string(e.Code) + " " + e.Message
	}
	return printed(rows)
}

// printed gives a result's rows, sorted; of a long one only the number of rows and a digest.
func printed(rows []string) string {
	slices.Sort(rows)
	s := strings.Join(rows, "\n")
	if len(rows) > 150 {
		return fmt.Sprintf("%d rows, SHA-256 %x", len(rows), sha256.Sum256([]byte(s)))
	}
	return s
}

func (d *database) run(q string) ([]string, error) {
	ctx := context.Background()
	stmts, err := sql.Parse(q)
	if err != nil {
		return nil, err
	}
	c := d.context(d.snap)
	plan, err := planner.PlanStatement(ctx, c, stmts[0].Node)
	if err != nil {
		return nil, err
	}
	op, err := executor.Build(&executor.Runtime{Env: c.Env, Budget: &executor.Budget{Limit: 1 << 30}, Procs: d.procs}, plan)
	if err != nil {
		return nil, err
	}
	defer op.Close(ctx)
	if err := op.Open(ctx); err != nil {
		return nil, err
	}
	var rows []string
	for {
		var b executor.Batch
		err := op.Next(ctx, &b)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range b.N {
			var cells []string
			for j, v := range b.Row(i) {
				if v.IsNull() {
					cells = append(cells, "NULL")
					continue
				}
				cells = append(cells, oneLine(string(types.Output(c.Env.IO, plan.Cols[j].Type, nil, v))))
			}
			rows = append(rows, strings.Join(cells, "\t"))
		}
	}
}

// TestStoredTextSurvivesRenaming renames what definitions refer to and asks for them again.
func TestStoredTextSurvivesRenaming(t *testing.T) {
	d := newDatabase(t)
	run := func(s string) {
		t.Helper()
		snap, err := catalogtest.Run(d.snap, d, s)
		if err != nil {
			t.Fatal(s, err)
		}
		d.snap = snap
	}
	run("CREATE SCHEMA s1; CREATE TYPE s1.m AS ENUM ('a', 'b'); CREATE SEQUENCE s1.q; CREATE DOMAIN s1.d AS text CHECK (value <> 'b'::s1.m::text)")
	run("CREATE TABLE s1.t (m s1.m DEFAULT 'a', n int DEFAULT nextval('s1.q'), CHECK (m <> 'b'::s1.m)); CREATE INDEX ON s1.t ((m = 'a'::s1.m)) WHERE m > 'a'::s1.m")
	run("CREATE VIEW s1.v AS SELECT 'a'::s1.m AS x FROM s1.t")
	ask := func(want ...string) {
		t.Helper()
		for i, q := range []string{
			"SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_class c ON c.oid = adrelid WHERE relname = 't'",
			"SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid WHERE relname = 't'",
			"SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indrelid WHERE relname = 't'",
			"SELECT check_clause FROM information_schema.check_constraints WHERE constraint_name = 'd_check'",
			"SELECT pg_get_viewdef(oid) FROM pg_class WHERE relname = 'v'",
		} {
			if got := d.answer(q); got != want[i] {
				t.Errorf("%s\n got %s\nwant %s", q, got, want[i])
			}
		}
	}
	ask("'a'::s1.m\nnextval('s1.q'::regclass)", "CHECK ((m <> 'b'::s1.m))", "CREATE INDEX t_expr_idx ON s1.t USING btree (((m = 'a'::s1.m))) WHERE (m > 'a'::s1.m)",
		"((VALUE <> ('b'::s1.m)::text))", " SELECT 'a'::s1.m AS x FROM s1.t;")
	run("ALTER TYPE s1.m RENAME TO mm; ALTER SEQUENCE s1.q RENAME TO qq; ALTER SCHEMA s1 RENAME TO \"S 2\"")
	ask("'a'::\"S 2\".mm\nnextval('\"S 2\".qq'::regclass)", "CHECK ((m <> 'b'::\"S 2\".mm))",
		"CREATE INDEX t_expr_idx ON \"S 2\".t USING btree (((m = 'a'::\"S 2\".mm))) WHERE (m > 'a'::\"S 2\".mm)",
		"((VALUE <> ('b'::\"S 2\".mm)::text))", " SELECT 'a'::\"S 2\".mm AS x FROM \"S 2\".t;")
	run("ALTER TYPE \"S 2\".mm SET SCHEMA public")
	if got := d.answer("SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid WHERE relname = 't'"); got != "CHECK ((m <> 'b'::mm))" {
		t.Error(got)
	}
}
