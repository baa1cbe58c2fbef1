package executor_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/catalogtest"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

var rewrite = flag.String("rewrite", "", "connection string of a PostgreSQL 15 that writes testdata/*.out anew")

// TestSQL runs testdata/*.sql: CREATE TABLE makes the schema, every other statement's result must be the one that PostgreSQL
// gave, which testdata/*.out holds. Every statement runs with plenty of memory, and again with so little that operators spill.
func TestSQL(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no test files", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			out := strings.TrimSuffix(f, ".sql") + ".out"
			stmts := readStatements(t, f)
			if *rewrite != "" {
				askPostgres(t, stmts, out)
			}
			runFile(t, stmts, readResults(t, out))
		})
	}
}

func readStatements(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var stmts []string
	for _, s := range strings.Split(string(text), ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			stmts = append(stmts, s)
		}
	}
	return stmts
}

// readResults reads blocks of lines that begin with "# " and the statement's number.
func readResults(t *testing.T, file string) [][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var blocks [][]string
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if strings.HasPrefix(sc.Text(), "# ") {
			blocks = append(blocks, nil)
			continue
		}
		blocks[len(blocks)-1] = append(blocks[len(blocks)-1], sc.Text())
	}
	if sc.Err() != nil {
		t.Fatal(sc.Err())
	}
	return blocks
}

func runFile(t *testing.T, stmts []string, want [][]string) {
	if len(stmts) != len(want) {
		t.Fatalf("%d statements, %d results: rewrite the results", len(stmts), len(want))
	}
	db := newDatabase()
	for i, s := range stmts {
		if isDDL(s) {
			db.ddl(t, s)
			continue
		}
		for _, limit := range []int64{1 << 30, spillLimit} {
			got := db.run(s, limit)
			if g, w := comparable(s, got), comparable(s, want[i]); !slices.Equal(g, w) {
				t.Errorf("statement %d with %d bytes: %s\ngot:\n%s\nwant:\n%s", i, limit, s, strings.Join(g, "\n"), strings.Join(w, "\n"))
			}
			if modifies.MatchString(s) {
				break // statements that change data run once
			}
		}
	}
}

var modifies = regexp.MustCompile(`(?i)\b(insert into|update|delete from)\b`)

// spillLimit is so little memory that whatever can spill does on the larger inputs.
const spillLimit = 100 << 10

func isDDL(s string) bool {
	first := strings.ToLower(strings.Fields(s)[0])
	return first == "create" || first == "drop"
}

// comparable sorts the rows unless the statement says how.
func comparable(stmt string, rows []string) []string {
	if ordered(stmt) {
		return rows
	}
	rows = slices.Clone(rows)
	slices.Sort(rows)
	return rows
}

// ordered reports whether a statement's last ORDER BY is its outermost query's.
func ordered(stmt string) bool {
	s := strings.ToLower(stmt)
	at := strings.LastIndex(s, "order by")
	if at < 0 {
		return false
	}
	depth := 0
	for _, c := range s[at:] {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return true
}

// database is a schema with its documents.
type database struct {
	text  string
	snap  *catalog.Snapshot
	procs *expr.Procs
	docs  map[string][]bson.Raw
}

func newDatabase() *database {
	return &database{procs: expr.NewProcs(fn.All()...), snap: catalogtest.Parse(""), docs: map[string][]bson.Raw{}}
}

func (db *database) ddl(t *testing.T, s string) {
	t.Helper()
	db.text += s + ";\n"
	if err := db.rebuild(); err != nil {
		t.Fatal(err)
	}
}

func (db *database) rebuild() error {
	snap, err := catalogtest.Run(catalogtest.Parse(""), nil, db.text)
	db.snap = snap
	return err
}

// plan plans a statement with everything local.
func (db *database) plan(stmt string) (*planner.Plan, *expr.Env, error) {
	ioSettings := types.DefaultIO()
	ioSettings.Registry = db.snap
	env := &expr.Env{Ctx: context.Background(), IO: ioSettings, View: &catalog.View{Snapshot: db.snap}}
	c := &planner.Context{
		Snapshot: db.snap, Path: db.snap.SearchPath([]string{"$user", "public"}, "postgres", ""), Procs: db.procs, Env: env,
		Views: &planner.ParseCache{}, Stats: noStats{}, Settings: planner.Settings{PushdownOff: true},
	}
	stmts, err := sql.Parse(stmt)
	if err != nil {
		return nil, nil, err
	}
	plan, err := planner.PlanStatement(context.Background(), c, stmts[0].Node)
	return plan, env, err
}

type noStats struct{}

func (noStats) Rows(context.Context, *catalog.Relation) int64 { return 1000 }

// run executes a statement and returns its rows as lines of tab-separated text, or one line with the error.
func (db *database) run(stmt string, limit int64) []string {
	lines, err := db.execute(stmt, limit)
	if err == nil {
		return lines
	}
	var e *pgerr.Error
	if !errors.As(err, &e) {
		return []string{"ERROR: not a pgerr.Error: " + err.Error()}
	}
	return []string{fmt.Sprintf("ERROR: %s %s", e.Code, e.Message)}
}

func (db *database) execute(stmt string, limit int64) (lines []string, err error) {
	plan, env, err := db.plan(stmt)
	if err != nil {
		return nil, err
	}
	ctx := env.Ctx
	rt := &executor.Runtime{Env: env, Txn: &statement{db: db}, Budget: &executor.Budget{Limit: limit}, Procs: db.procs}
	op, err := executor.Build(rt, plan)
	if err != nil {
		return nil, err
	}
	defer func() {
		if cerr := op.Close(ctx); err == nil {
			err = cerr
		}
	}()
	if err := op.Open(ctx); err != nil {
		return nil, err
	}
	var b executor.Batch
	for {
		err := op.Next(ctx, &b)
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		for i := 0; i < b.N; i++ {
			lines = append(lines, line(env.IO, plan.Cols, b.Row(i)))
		}
	}
}

func line(ioSettings *types.IO, cols []planner.Col, row []types.Datum) string {
	cells := make([]string, len(cols))
	for i, c := range cols {
		cells[i] = `\N`
		if !row[i].IsNull() {
			cells[i] = string(types.Output(ioSettings, c.Type, nil, row[i]))
		}
	}
	return escape(cells)
}

func escape(cells []string) string {
	return strings.NewReplacer("\n", `\n`).Replace(strings.Join(cells, "\t"))
}

// statement is a txn.Statement over documents in memory.
type statement struct {
	txn.Statement
	db     *database
	locked []bson.RawValue
}

func (s *statement) Read(_ context.Context, q mongo.Query) (mongo.Cursor, error) {
	if len(q.Filter) > 0 || q.Pipeline != nil {
		return nil, pgerr.Internal("the fake reads whole collections only")
	}
	return &cursor{docs: slices.Clone(s.db.docs[q.Collection])}, nil
}

func (s *statement) Write(_ context.Context, _, collection string, writes []mongo.Write) error {
	for _, w := range writes {
		if err := s.db.write(collection, w); err != nil {
			return err
		}
	}
	return nil
}

func (s *statement) WriteOnce(ctx context.Context, database, collection string, w mongo.Write) error {
	return s.Write(ctx, database, collection, []mongo.Write{w})
}

func (s *statement) Change(context.Context, string, string, mongo.Change, txn.LockMode) (matched, done bool, err error) {
	return false, false, nil
}

func (s *statement) Lock(_ context.Context, _, _ string, ids []bson.RawValue, _ txn.LockMode, wait txn.LockWait) ([]bool, error) {
	s.locked = append(s.locked, ids...)
	return make([]bool, len(ids)), nil
}

func (s *statement) LockRows(ctx context.Context, database, collection string, ids []bson.RawValue, mode txn.LockMode, wait txn.LockWait) ([]bool, error) {
	return s.Lock(ctx, database, collection, ids, mode, wait)
}

func (s *statement) Guard(string, string, []bson.RawValue, bool) {}

func (s *statement) InTransaction() bool { return false }
func (s *statement) PreCheck() bool      { return false }

func (db *database) write(collection string, w mongo.Write) error {
	docs := db.docs[collection]
	at := slices.IndexFunc(docs, func(d bson.Raw) bool { return d.Lookup("_id").Equal(w.ID) })
	switch w.Kind {
	case mongo.WriteInsert:
		db.docs[collection] = append(docs, slices.Clone(w.Doc))
	case mongo.WriteDelete:
		db.docs[collection] = slices.Delete(slices.Clone(docs), at, at+1)
	case mongo.WriteUpdate:
		changed, err := update(docs[at], w.Doc)
		if err != nil {
			return err
		}
		db.docs[collection] = slices.Clone(docs)
		db.docs[collection][at] = changed
	default:
		return pgerr.Internal("the fake cannot do this write")
	}
	return nil
}

// update applies $set of top-level fields.
func update(doc, change bson.Raw) (bson.Raw, error) {
	var d, set bson.D
	if err := bson.Unmarshal(doc, &d); err != nil {
		return nil, err
	}
	if err := bson.Unmarshal(change.Lookup("$set").Document(), &set); err != nil {
		return nil, err
	}
	for _, e := range set {
		at := slices.IndexFunc(d, func(x bson.E) bool { return x.Key == e.Key })
		if at < 0 {
			d = append(d, e)
		} else {
			d[at] = e
		}
	}
	return bson.Marshal(d)
}

type cursor struct{ docs []bson.Raw }

func (c *cursor) Next(context.Context) (bson.Raw, error) {
	if len(c.docs) == 0 {
		return nil, io.EOF
	}
	d := c.docs[0]
	c.docs = c.docs[1:]
	return d, nil
}

func (c *cursor) Buffered() int { return len(c.docs) }

func (c *cursor) Close(context.Context) error { return nil }

// askPostgres runs the statements on a real server, in a schema of their own, and writes what it answers.
func askPostgres(t *testing.T, stmts []string, out string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, *rewrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	setup := `drop schema if exists executor_test cascade; create schema executor_test; set search_path = executor_test;
		set timezone = 'UTC'; set jit = off`
	if _, err := conn.Exec(ctx, setup, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i, s := range stmts {
		fmt.Fprintf(&b, "# %d %s\n", i, strings.Join(strings.Fields(s), " "))
		for _, l := range answer(ctx, conn.PgConn(), s) {
			b.WriteString(l + "\n")
		}
	}
	if err := os.WriteFile(out, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func answer(ctx context.Context, conn *pgconn.PgConn, stmt string) []string {
	results, err := conn.Exec(ctx, stmt).ReadAll()
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return []string{fmt.Sprintf("ERROR: %s %s", e.Code, e.Message)}
	}
	if err != nil {
		return []string{"ERROR: " + err.Error()}
	}
	var lines []string
	for _, r := range results {
		for _, row := range r.Rows {
			cells := make([]string, len(row))
			for i, c := range row {
				cells[i] = `\N`
				if c != nil {
					cells[i] = string(c)
				}
			}
			lines = append(lines, escape(cells))
		}
	}
	return lines
}
