package store_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/server"
	"github.com/pgmongo/pgmongo/server/instance"
	"github.com/pgmongo/pgmongo/tests/testenv"
)

// oracle is the connection string of a real PostgreSQL 15: with it, the expected answers are asked for and written.
var oracle = flag.String("oracle", "", "write testdata from this PostgreSQL server")

// serve starts a server over the tests' MongoDB and returns a connection string without database.
func serve(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	in, err := instance.Start(context.Background(), instance.Options{MongoDB: testenv.Mongo(t), Version: "test", Server: server.Config{Auth: "trust"}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- in.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := in.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		<-done
	})
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres", ln.Addr().(*net.TCPAddr).Port)
}

// runner runs statements on one connection and words their answers.
type runner struct {
	conn    *pgx.Conn
	notices []string
}

func connect(t *testing.T, dsn string) *runner {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{}
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		r.notices = append(r.notices, message(n.Severity, n.Code, n.Message, n.Detail, n.Hint))
	}
	if r.conn, err = pgx.ConnectConfig(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.conn.Close(context.Background()) })
	return r
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

func (r *runner) run(stmt string) string {
	r.notices = nil
	res, err := r.conn.PgConn().Exec(context.Background(), stmt).ReadAll()
	var b strings.Builder
	for _, n := range r.notices {
		b.WriteString(n + "\n")
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return b.String() + message("ERROR", pe.Code, pe.Message, pe.Detail, pe.Hint)
	}
	if err != nil {
		return b.String() + err.Error()
	}
	for _, q := range res {
		for _, row := range q.Rows {
			cells := make([]string, len(row))
			for i, c := range row {
				cells[i] = string(c)
				if c == nil {
					cells[i] = "NULL"
				}
			}
			b.WriteString(strings.Join(cells, "|") + "\n")
		}
		b.WriteString(q.CommandTag.String())
	}
	return b.String()
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
	for sc := bufio.NewScanner(f); sc.Scan(); {
		switch line := sc.Text(); {
		case line == "----":
			stmts = append(stmts, strings.Join(cur, "\n"))
			cur, inAnswer = nil, true
		case line == "" && inAnswer:
			want = append(want, strings.Join(cur, "\n"))
			cur, inAnswer = nil, false
		case line != "":
			cur = append(cur, line)
		}
	}
	if inAnswer {
		want = append(want, strings.Join(cur, "\n"))
	}
	return stmts, want
}

// TestLikePostgreSQL runs data definition over tables with rows, in and out of transactions, and compares the answers with
// PostgreSQL's.
func TestLikePostgreSQL(t *testing.T) {
	const file = "testdata/physical.txt"
	stmts, want := cases(t, file)
	if *oracle != "" {
		r := connect(t, *oracle)
		r.run("DROP SCHEMA IF EXISTS public, sc CASCADE; CREATE SCHEMA public")
		var b strings.Builder
		for _, s := range stmts {
			fmt.Fprintf(&b, "%s\n----\n%s\n\n", s, r.run(s))
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	dsn := serve(t)
	if got := connect(t, dsn+" dbname=postgres").run("CREATE DATABASE physical"); got != "CREATE DATABASE" {
		t.Fatal(got)
	}
	r := connect(t, dsn+" dbname=physical")
	for i, s := range stmts {
		if got := r.run(s); got != want[i] {
			t.Errorf("%s\n got: %s\nwant: %s", s, got, want[i])
		}
	}
}
