package ddl_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/catalogtest"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/catalog/pgcatalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// oracle is the connection string of a real PostgreSQL 15: with it, the expected answers are asked for and written.
var oracle = flag.String("oracle", "", "write testdata from this PostgreSQL server")

// exprs binds with the planner; it implements ddl.Expressions.
type exprs struct {
	procs *expr.Procs
	path  []string
}

func (x *exprs) context(s *catalog.Snapshot) *planner.Context {
	env := x.Env()
	env.IO.Names, env.IO.Registry = &pgcatalog.Names{Snapshot: s, Path: x.path}, s
	return &planner.Context{Snapshot: s, Path: x.path, Procs: x.procs, Env: env}
}

func (x *exprs) Bind(s *catalog.Snapshot, rel *catalog.Relation, text string, want *types.T, typmod int32) (expr.Expr, error) {
	var cols []planner.Col
	if rel != nil {
		for i, c := range rel.Live() {
			cols = append(cols, planner.Col{ID: expr.ColID(i), Name: c.Name, Type: c.Type, Mod: c.Typmod, NotNull: c.NotNull})
		}
	}
	return planner.BindExpr(x.context(s), rel, cols, text, want, typmod)
}

func (x *exprs) Deparse(s *catalog.Snapshot, e expr.Expr) string {
	return expr.Deparse(e, expr.DeparseOptions{IO: x.context(s).Env.IO})
}

func (x *exprs) Query(ctx context.Context, s *catalog.Snapshot, stmt *pg_query.Node) ([]ddl.QueryCol, error) {
	p, err := planner.PlanStatement(ctx, x.context(s), stmt)
	if err != nil {
		return nil, err
	}
	var cols []ddl.QueryCol
	for _, c := range p.Cols {
		cols = append(cols, ddl.QueryCol{Name: c.Name, Type: c.Type, Typmod: c.Mod})
	}
	return cols, nil
}

func (x *exprs) ShowQuery(ctx context.Context, s *catalog.Snapshot, sel *pg_query.SelectStmt) (string, error) {
	return planner.ShowQuery(ctx, x.context(s), sel, pgcatalog.StoredQueryOptions(s))
}

func (x *exprs) View(ctx context.Context, s *catalog.Snapshot, sel *pg_query.SelectStmt) (*planner.ViewDescription, error) {
	return planner.DescribeView(ctx, x.context(s), sel)
}

func (x *exprs) Env() *expr.Env {
	return &expr.Env{Ctx: context.Background(), IO: types.DefaultIO(), XactStart: time.Now(), StmtStart: time.Now()}
}

// answer words what a statement gave: the tag or the error, and the notices before it.
func answer(tag string, notices []string, err error) string {
	var b strings.Builder
	for _, n := range notices {
		b.WriteString(n + "\n")
	}
	var e *pgerr.Error
	var pe *pgconn.PgError
	switch {
	case errors.As(err, &e):
		b.WriteString(message("ERROR", string(e.Code), e.Message, e.Detail, e.Hint))
	case errors.As(err, &pe):
		b.WriteString(message("ERROR", pe.Code, pe.Message, pe.Detail, pe.Hint))
	case err != nil:
		b.WriteString(err.Error())
	default:
		b.WriteString(tag)
	}
	return b.String()
}

func message(severity, code, text, detail, hint string) string {
	s := severity + " " + code + ": " + text
	if detail != "" {
		s += "\n  DETAIL: " + strings.ReplaceAll(detail, "\n", "\n    ")
	}
	if hint != "" {
		s += "\n  HINT: " + hint
	}
	return s
}

// cases splits a test file: a statement ends at a line "----", its answer at an empty line.
func cases(t *testing.T, file string) (stmts, want []string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var cur []string
	inAnswer := false
	flush := func() {
		if len(cur) > 0 || inAnswer {
			want = append(want, strings.Join(cur, "\n"))
		}
		cur, inAnswer = nil, false
	}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		switch line := sc.Text(); {
		case line == "----":
			stmts = append(stmts, strings.Join(cur, "\n"))
			cur, inAnswer = nil, true
		case line == "" && inAnswer:
			flush()
		case line != "" || len(cur) > 0:
			cur = append(cur, line)
		}
	}
	if inAnswer {
		flush()
	}
	return stmts, want
}

// TestLikePostgreSQL runs statements one after the other and compares tags, notices and errors with PostgreSQL's.
func TestLikePostgreSQL(t *testing.T) {
	const file = "testdata/ddl.txt"
	stmts, want := cases(t, file)
	if *oracle != "" {
		write(t, file, stmts)
		return
	}
	procs := expr.NewProcs(append(fn.All(), pgcatalog.Functions()...)...)
	s := catalog.New("test", 16384, pgcatalog.System())
	temp := catalogtest.Context(s, procs).Temp
	for i, text := range stmts {
		c := catalogtest.Context(s, procs)
		c.Temp = temp
		c.Path = s.SearchPath([]string{"$user", "public"}, "postgres", temp.Schema)
		c.Exprs = &exprs{procs, c.Path}
		parsed, err := sql.Parse(text)
		var res ddl.Result
		if err == nil {
			res, err = ddl.Execute(context.Background(), c, parsed[0].Node)
		}
		var notices []string
		for _, n := range res.Notices {
			if n.Severity == "DEBUG" {
				continue // not sent with the default client_min_messages
			}
			notices = append(notices, message(n.Severity, string(n.Code), n.Message, n.Detail, n.Hint))
		}
		if got := answer(res.Tag, notices, err); got != want[i] {
			t.Errorf("%s\n got: %s\nwant: %s", text, got, want[i])
		}
		s = c.Snapshot
	}
}

// write asks PostgreSQL for the answers.
func write(t *testing.T, file string, stmts []string) {
	ctx := context.Background()
	cfg, err := pgx.ParseConfig(*oracle)
	if err != nil {
		t.Fatal(err)
	}
	var notices []string
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		notices = append(notices, message(n.Severity, n.Code, n.Message, n.Detail, n.Hint))
	}
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "DROP SCHEMA IF EXISTS public, s1, s2, s3 CASCADE; DROP ROLE IF EXISTS r1; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, s := range stmts {
		notices = nil
		tag, err := conn.PgConn().Exec(ctx, s).ReadAll()
		text := ""
		if len(tag) > 0 {
			text = tag[len(tag)-1].CommandTag.String()
		}
		fmt.Fprintf(&b, "%s\n----\n%s\n\n", s, answer(text, notices, err))
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
