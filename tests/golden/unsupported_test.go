package golden

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// TestUnsupported holds unsupported.txt against the built server: the list of what is refused is true only as long as each
// of its statements is refused in those words. A statement that starts to work fails the test, also under -rewrite: it then
// belongs in a test of what it does, and out of docs/refused.md.
//
// The commands, each with one statement per line:
//
//	setup    every statement must succeed
//	refused  every statement must fail, each for itself; the output has a line for each; code= when it is not 0A000
//	steps    all but the last must succeed and the last must fail; a transaction that is open is rolled back
func TestUnsupported(t *testing.T) {
	server := testenv.Server(t)
	name := testenv.Database(t)
	server.CreateDatabase(t, name)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server.URL(name))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var wrong []string
	datadriven.RunTest(t, "unsupported.txt", func(t *testing.T, d *datadriven.TestData) string {
		refusal := func(sql string) string {
			code, out := refusal(ctx, t, d, conn.PgConn(), sql)
			// Collected, so that one run shows them all: datadriven stops at the first directive that fails.
			if want := wantCode(d); code != want {
				wrong = append(wrong, fmt.Sprintf("%s: %s\n\tshould be refused with %s: %s", d.Pos, sql, want, out))
			}
			return out
		}
		lines := strings.Split(d.Input, "\n")
		switch d.Cmd {
		case "setup":
			mustRun(ctx, t, d, conn.PgConn(), lines)
			return ""
		case "refused":
			var out strings.Builder
			for _, sql := range lines {
				out.WriteString(refusal(sql))
			}
			return out.String()
		case "steps":
			last := len(lines) - 1
			mustRun(ctx, t, d, conn.PgConn(), lines[:last])
			out := refusal(lines[last])
			if conn.PgConn().TxStatus() != 'I' {
				mustRun(ctx, t, d, conn.PgConn(), []string{"ROLLBACK"})
			}
			return out
		}
		t.Fatalf("%s: no command %q", d.Pos, d.Cmd)
		return ""
	})
	for _, w := range wrong {
		t.Error(w)
	}
}

// wantCode is the SQLSTATE that a directive asks for, 0A000 unless it says code=.
func wantCode(d *datadriven.TestData) string {
	for _, a := range d.CmdArgs {
		if a.Key == "code" {
			return a.Vals[0]
		}
	}
	return "0A000"
}

func mustRun(ctx context.Context, t *testing.T, d *datadriven.TestData, conn *pgconn.PgConn, lines []string) {
	t.Helper()
	for _, sql := range lines {
		if err := run(ctx, conn, sql); err != nil {
			t.Fatalf("%s: %s: %v", d.Pos, sql, err)
		}
	}
}

// refusal runs a statement and returns the SQLSTATE of its error, empty when it works, and the error as lines of the list.
func refusal(ctx context.Context, t *testing.T, d *datadriven.TestData, conn *pgconn.PgConn, sql string) (code, out string) {
	t.Helper()
	err := run(ctx, conn, sql)
	if err == nil {
		return "", "works\n"
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		t.Fatalf("%s: %s: %v", d.Pos, sql, err)
	}
	out = fmt.Sprintf("%s %s\n", pg.Code, pg.Message)
	if pg.Hint != "" {
		out += fmt.Sprintf("  HINT: %s\n", pg.Hint)
	}
	return pg.Code, out
}

// run sends one statement; COPY FROM STDIN, which would otherwise wait for data, gets none.
func run(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	if strings.HasPrefix(sql, "COPY ") && strings.Contains(sql, " FROM STDIN") {
		_, err := conn.CopyFrom(ctx, strings.NewReader(""), sql)
		return err
	}
	_, err := conn.Exec(ctx, sql).ReadAll()
	return err
}
