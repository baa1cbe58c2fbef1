// Package constraints compares what constraints do with real PostgreSQL, and runs transactions against them through several
// servers at one time.
package constraints

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

const database = "constraints_test"

// psql runs a script and returns all that it prints.
func psql(t *testing.T, dsn, script string) []string {
	t.Helper()
	cmd := exec.Command("psql", "-X", "-a", "-P", "pager=off", dsn)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PGTZ=UTC")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	return strings.Split(string(out), "\n")
}

// Every script of testdata prints the same on our server and on PostgreSQL.
func TestScripts(t *testing.T) {
	server := testenv.Server(t)
	admin, err := url.Parse(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range scripts {
		t.Run(filepath.Base(file), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			server.CreateDatabase(t, database)
			psql(t, admin.String(), "DROP DATABASE IF EXISTS "+database+"; CREATE DATABASE "+database)
			theirs := *admin
			theirs.Path = "/" + database
			want, got := psql(t, theirs.String(), string(script)), psql(t, server.URL(database), string(script))
			for i := range min(len(want), len(got)) {
				if want[i] != got[i] {
					from := max(0, i-12)
					t.Fatalf("line %d:\n got %s\nwant %s\nafter\n%s", i+1, got[i], want[i], strings.Join(want[from:i], "\n"))
				}
			}
			if len(want) != len(got) {
				t.Fatalf("%d lines instead of %d", len(got), len(want))
			}
		})
	}
}

// Transactions through two servers on one MongoDB fight for the same keys; what was committed must hold what the constraint
// says, and some of it must have been committed.
func TestNoViolationIsCommitted(t *testing.T) {
	servers := []*testenv.PgMongo{testenv.Server(t), testenv.Server(t)}
	servers[0].CreateDatabase(t, database)
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	for _, tc := range []struct {
		name, table, code string
		// insert makes a statement from a small number; wrong counts the violations.
		insert func(n int) string
		wrong  string
	}{
		{
			"unique expression", "CREATE TABLE %s (id serial, v text); CREATE UNIQUE INDEX ON %[1]s (lower(v))", "23505",
			func(n int) string { return fmt.Sprintf("(v) VALUES ('%s%d')", []string{"a", "A"}[n%2], n/2) },
			"SELECT count(*) FROM %[1]s a JOIN %[1]s b ON lower(a.v) = lower(b.v) AND a.id < b.id",
		},
		{
			"unique under a predicate", "CREATE TABLE %s (id serial, v int, s text); CREATE UNIQUE INDEX ON %[1]s (v) WHERE s LIKE 'x%%'", "23505",
			func(n int) string { return fmt.Sprintf("(v, s) VALUES (%d, '%s')", n/3, []string{"x", "y", "xx"}[n%3]) },
			"SELECT count(*) FROM %[1]s a JOIN %[1]s b ON a.v = b.v AND a.id < b.id WHERE a.s LIKE 'x%%' AND b.s LIKE 'x%%'",
		},
		{
			"deferrable unique", "CREATE TABLE %s (id serial, v int UNIQUE DEFERRABLE INITIALLY DEFERRED)", "23505",
			func(n int) string { return fmt.Sprintf("(v) VALUES (%d)", n) },
			"SELECT count(*) FROM %[1]s a JOIN %[1]s b ON a.v = b.v AND a.id < b.id",
		},
		{
			"exclusion under a key", "CREATE TABLE %s (id serial, k int, r int4range, EXCLUDE USING gist (k WITH =, r WITH &&))", "23P01",
			func(n int) string { return fmt.Sprintf("(k, r) VALUES (%d, '[%d,%d)')", n%3, n, n+4) },
			"SELECT count(*) FROM %[1]s a JOIN %[1]s b ON a.k = b.k AND a.r && b.r AND a.id < b.id",
		},
		{
			"deferred exclusion", "CREATE TABLE %s (id serial, r int4range, EXCLUDE USING gist (r WITH &&) DEFERRABLE INITIALLY DEFERRED)", "23P01",
			func(n int) string { return fmt.Sprintf("(r) VALUES ('[%d,%d)')", n, n+2) },
			"SELECT count(*) FROM %[1]s a JOIN %[1]s b ON a.r && b.r AND a.id < b.id",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			table := strings.ReplaceAll(tc.name, " ", "_")
			first := connect(ctx, t, servers[0])
			run(ctx, t, first, "CREATE EXTENSION IF NOT EXISTS btree_gist")
			run(ctx, t, first, fmt.Sprintf(tc.table, table))
			var wg sync.WaitGroup
			for w := range 6 {
				c := connect(ctx, t, servers[w%2])
				wg.Go(func() {
					for range 12 {
						if err := attempt(ctx, c, table, tc.insert(rand.IntN(24)), w%3); err != nil && !expected(err, tc.code) {
							t.Errorf("worker %d: %v", w, err)
							return
						}
					}
				})
			}
			wg.Wait()
			var wrong, rows int
			if err := first.QueryRow(ctx, fmt.Sprintf(tc.wrong, table)).Scan(&wrong); err != nil {
				t.Fatal(err)
			}
			if err := first.QueryRow(ctx, "SELECT count(*) FROM "+table).Scan(&rows); err != nil {
				t.Fatal(err)
			}
			if wrong != 0 || rows < 5 {
				t.Errorf("%d violations among %d rows", wrong, rows)
			}
		})
	}
}

// attempt inserts a row by a statement alone, in a transaction, or in one with a savepoint.
func attempt(ctx context.Context, c *pgx.Conn, table, values string, how int) error {
	sql := "INSERT INTO " + table + " " + values
	if how == 0 {
		_, err := c.Exec(ctx, sql)
		return err
	}
	return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if how == 2 {
			if _, err := tx.Exec(ctx, "SAVEPOINT s"); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
		time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
		_, err := tx.Exec(ctx, "SELECT 1 FROM "+table+" LIMIT 1") // in a new snapshot
		return err
	})
}

// expected reports whether an error is the violation, or the conflict that a client repeats.
func expected(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == code || pg.Code == "40001")
}

func connect(ctx context.Context, t *testing.T, s *testenv.PgMongo) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func run(ctx context.Context, t *testing.T, c *pgx.Conn, sql string) {
	t.Helper()
	if _, err := c.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
