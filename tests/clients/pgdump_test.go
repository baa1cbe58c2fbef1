package clients

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// TestPgDump dumps the same schema and data from both servers, which must give the same text; ours, restored into PostgreSQL
// and into an empty database of our own, must dump as that text again.
func TestPgDump(t *testing.T) {
	server := testenv.Server(t)
	admin := testenv.Postgres(t)
	ours := func(name string) string {
		server.CreateDatabase(t, name)
		return server.URL(name)
	}
	postgres := func(name string) string {
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, admin)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		for _, sql := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		u, err := url.Parse(admin)
		if err != nil {
			t.Fatal(err)
		}
		u.Path = "/" + name
		return u.String()
	}
	schema, err := os.ReadFile(filepath.Join("pgdump", "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	from, reference := ours("dump_from"), postgres("dump_from")
	load(t, from, string(schema))
	load(t, reference, string(schema))
	want := dump(t, reference)
	got := dump(t, from)
	compareDumps(t, "pgmongo's dump", got, want)
	for name, dsn := range map[string]string{"restored into PostgreSQL": postgres("dump_to"), "restored into pgmongo": ours("dump_to")} {
		load(t, dsn, got)
		compareDumps(t, name, dump(t, dsn), want)
	}
	compareDumps(t, "pgmongo's --schema-only", dump(t, from, "--schema-only"), dump(t, reference, "--schema-only"))
}

func load(t *testing.T, dsn, script string) {
	t.Helper()
	cmd := psql(dsn, "-q", "-v", "ON_ERROR_STOP=1")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
}

// unequalLines are what differs between any two dumps.
var unequalLines = regexp.MustCompile(`(?m)^(\\(un)?restrict .*|-- Dumped from database version .*)\n`)

func dump(t *testing.T, dsn string, args ...string) string {
	t.Helper()
	cmd := exec.Command("pg_dump", append(args, dsn)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PGTZ=UTC")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("pg_dump: %v\n%s", err, stderr.String())
	}
	return unequalLines.ReplaceAllString(string(out), "")
}

func compareDumps(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < len(g) && i < len(w) && g[i] == w[i] {
		i++
	}
	t.Errorf("%s differs in line %d:\n%s\nPostgreSQL:\n%s", what, i+1, strings.Join(g[i:min(i+8, len(g))], "\n"), strings.Join(w[i:min(i+8, len(w))], "\n"))
}
