// Package script runs scripts of SQL statements on PostgreSQL and on pgmongo, which must answer the same.
package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// TestScripts runs each testdata/*.sql statement by statement: rows, command tags, notices, and errors with SQLSTATE, message,
// detail and hint must be PostgreSQL's, with push-down on and off. A statement ends with a semicolon at the end of a line; the data of
// COPY FROM STDIN follow it up to a line of \.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".sql")
		t.Run(name, func(t *testing.T) {
			stmts := statements(t, f)
			want := run(t, postgres(t, name), stmts, "")
			server := testenv.Server(t)
			for _, pushdown := range []string{"on", "off"} {
				database := testenv.Database(t)
				server.CreateDatabase(t, database)
				got := run(t, server.URL(database), stmts, "SET pgmongo.pushdown = "+pushdown)
				for i, s := range stmts {
					if got[i] != want[i] {
						t.Errorf("push-down %s: %s\n%s\n\tPostgreSQL:\n%s", pushdown, s.sql, got[i], want[i])
					}
				}
			}
		})
	}
}

// postgres makes a database of PostgreSQL and returns its connection string.
func postgres(t *testing.T, name string) string {
	t.Helper()
	ctx := context.Background()
	dsn := testenv.Postgres(t)
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{"script_" + name}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(dsn, "/postgres?", "/script_"+name+"?", 1)
}

type statement struct {
	sql string
	// data are what COPY FROM STDIN reads.
	data *strings.Builder
}

func statements(t *testing.T, file string) []statement {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []statement
	var stmt strings.Builder
	var data *strings.Builder
	for _, line := range strings.Split(string(text), "\n") {
		if data != nil {
			if line == `\.` {
				data = nil
			} else {
				data.WriteString(line + "\n")
			}
			continue
		}
		if stmt.Len() == 0 && (strings.HasPrefix(line, "--") || strings.TrimSpace(line) == "") {
			continue
		}
		stmt.WriteString(line + "\n")
		// A semicolon between $$ is the body's.
		if strings.HasSuffix(line, ";") && strings.Count(stmt.String(), "$$")%2 == 0 {
			sql := strings.TrimSpace(stmt.String())
			if strings.HasPrefix(sql, "COPY ") && strings.Contains(sql, " FROM STDIN") {
				data = &strings.Builder{}
			}
			out = append(out, statement{sql, data})
			stmt.Reset()
		}
	}
	if stmt.Len() > 0 {
		t.Fatalf("%s ends inside a statement: %s", file, stmt.String())
	}
	return out
}

// run gives what each statement answers on a new connection.
func run(t *testing.T, dsn string, stmts []statement, first string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	config, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	var notices strings.Builder
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notices.WriteString(message((*pgconn.PgError)(n))) }
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if first != "" {
		if _, err := conn.Exec(ctx, first).ReadAll(); err != nil {
			t.Fatal(err)
		}
	}
	out := make([]string, len(stmts))
	for i, s := range stmts {
		var results []*pgconn.Result
		var err error
		if s.data != nil {
			var tag pgconn.CommandTag
			tag, err = conn.CopyFrom(ctx, strings.NewReader(s.data.String()), s.sql)
			results = []*pgconn.Result{{CommandTag: tag, Err: err}}
		} else {
			results, err = conn.Exec(ctx, s.sql).ReadAll()
		}
		var b strings.Builder
		b.WriteString(notices.String())
		notices.Reset()
		for _, r := range results {
			format(&b, r)
		}
		var pg *pgconn.PgError
		switch {
		case errors.As(err, &pg):
			b.WriteString(message(pg))
		case err != nil:
			t.Fatalf("%s: %v", s.sql, err)
		}
		out[i] = b.String()
	}
	return out
}

func message(e *pgconn.PgError) string {
	s := fmt.Sprintf("\t%s %s: %s\n", e.Severity, e.Code, e.Message)
	if e.Detail != "" {
		s += "\tDETAIL: " + e.Detail + "\n"
	}
	if e.Hint != "" {
		s += "\tHINT: " + e.Hint + "\n"
	}
	if strings.Contains(e.Where, "function") {
		s += "\tCONTEXT: " + e.Where + "\n"
	}
	if e.InternalQuery != "" {
		s += fmt.Sprintf("\tQUERY: %s at %d\n", e.InternalQuery, e.InternalPosition)
	}
	return s
}

func format(b *strings.Builder, r *pgconn.Result) {
	if r.Err != nil {
		return
	}
	if len(r.FieldDescriptions) > 0 {
		names := make([]string, len(r.FieldDescriptions))
		for i, f := range r.FieldDescriptions {
			names[i] = f.Name
		}
		b.WriteString("\t" + strings.Join(names, "|") + "\n")
	}
	for _, row := range r.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = string(v)
			if v == nil {
				cells[i] = "NULL"
			}
		}
		b.WriteString("\t" + strings.Join(cells, "|") + "\n")
	}
	b.WriteString("\t" + r.CommandTag.String() + "\n")
}
