package clients

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// psqlServers is the same empty database, psql_meta, on our server and on PostgreSQL.
type psqlServers struct{ ours, postgres string }

func startPsqlServers(t *testing.T) psqlServers {
	t.Helper()
	server := testenv.Server(t)
	server.CreateDatabase(t, "psql_meta")
	admin := testenv.Postgres(t)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, sql := range []string{"DROP DATABASE IF EXISTS psql_meta", "CREATE DATABASE psql_meta"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/psql_meta"
	return psqlServers{ours: server.URL("psql_meta"), postgres: u.String()}
}

// psql makes a command with nothing of the user's own: no start-up file, no pager, one locale.
func psql(dsn string, args ...string) *exec.Cmd {
	cmd := exec.Command("psql", append([]string{"-X", "-P", "pager=off", dsn}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PGTZ=UTC", "COLUMNS=200")
	return cmd
}

// run gives psql a script and returns what it prints, errors among the rest. Error messages lose the script's line number.
func (s psqlServers) run(t *testing.T, script string, args ...string) (ours, postgres string) {
	t.Helper()
	get := func(dsn string) string {
		cmd := psql(dsn, args...)
		cmd.Stdin = strings.NewReader(script)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("psql: %v\n%s", err, out)
		}
		return string(out)
	}
	return get(s.ours), get(s.postgres)
}

// The \d family, command by command, over psql/schema.sql.
var metaCommands = strings.Split(strings.TrimSpace(`
\d
\dt
\dt app.*
\dt "app".*
\dt *.*book*
\dt a.b.c
\dt psql_meta.public.pub
\dt nosuch
\dt pg_catalog.*
\di
\di app.*
\di pg_catalog.*
\dtvs public.*
\dn
\dn+
\dn *
\dnS+
\ds
\ds app.*
\dv
\dv+
\dv+ app.*
\dv pg_catalog.*
\dv information_schema.*
\dm+
\df
\df+
\df app.*
\df add*
\df pg_catalog.upper
\df pg_catalog.array_*
\df+ pg_catalog.now
\dfa sum
\dfw
\da max
\dT
\dT+
\dT+ app.*
\dT pg_catalog.*
\du
\du+
\dg
\l psql*
\dp
\dp app.*
\z
\dC
\dC+ app.*
\dD
\dD app.*
\dD+ app.*
\dD information_schema.*
\do
\do +
\dc
\dd
\dd app.*
\dL
\dL+
\dx
\dx+
\dy
\dRp
\dRp+
\dRs
\dE
\det
\des
\dew
\dF
\dFd
\dFp
\dFt
\dF+ english
\dFp+ default
\dO
\dO+
\dX
\dX+
\dP
\dP+
\dA
\dA+
\dAc btree integer
\dAf btree
\dAo btree integer_ops
\dAp hash text_ops
\db
\ddp
\drds
\dconfig+ search_path
\d app.author
\d+ app.author
\d app.book
\d+ app.book
\d pub
\d+ pub
\d child
\d+ child
\d app.v
\d+ app.v
\d v2
\d+ v2
\d ul
\d+ ul
\d app.seq1
\d+ seq2
\d app.author_id_seq
\d app.book_id_seq
\d app.author_pkey
\d+ app.book_lower
\d app.book_part
\d app.book_inc
\d app.pair
\d pg_class
\d+ pg_class
\d pg_stat_activity
\d information_schema.columns
\d pg_class_oid_index
\dS+ pg_index
\d nosuch
\sf add
\sf+ add
\sv v2
\sv+ app.v
\ef nosuch
\encoding
\lo_list
`), "\n")

// sizedCommands print sizes, which are MongoDB's: they compare without them and without the width of their column.
var sizedCommands = []string{`\d+`, `\dt+`, `\dt+ app.*`, `\di+`, `\di+ app.*`, `\ds+`, `\l+ psql*`, `\db+`}

// metaDiffers are commands whose text is known to differ. One that starts to agree fails, to be taken out.
var metaDiffers = map[string]string{
	`\dAf btree`: "the order of the types within a family, which the query leaves open",
}

var (
	sizes = regexp.MustCompile(`\d+ (bytes|[kMG]B)`)
	ruled = regexp.MustCompile(`[ \-]+`)
)

func withoutSizes(s string) string {
	return ruled.ReplaceAllString(sizes.ReplaceAllString(s, "SIZE"), " ")
}

func TestPsqlDescribes(t *testing.T) {
	servers := startPsqlServers(t)
	for _, dsn := range []string{servers.ours, servers.postgres} {
		if out, err := psql(dsn, "-q", "-v", "ON_ERROR_STOP=1", "-f", "psql/schema.sql").CombinedOutput(); err != nil {
			t.Fatalf("schema.sql: %v\n%s", err, out)
		}
	}
	ours, postgres := servers.run(t, script(metaCommands))
	got, want := answers(ours), answers(postgres)
	for _, command := range metaCommands {
		reason, known := metaDiffers[command]
		switch same := got[command] == want[command]; {
		case want[command] == "":
			t.Errorf("%s: PostgreSQL answers nothing", command)
		case same && known:
			t.Errorf("%s agrees with PostgreSQL now; it was listed: %s", command, reason)
		case !same && !known:
			t.Errorf("%s\n%s\nPostgreSQL:\n%s", command, got[command], want[command])
		}
	}
	ours, postgres = servers.run(t, script(sizedCommands))
	got, want = answers(withoutSizes(ours)), answers(withoutSizes(postgres))
	for _, command := range sizedCommands {
		if got[command] != want[command] || want[command] == "" {
			t.Errorf("%s\n%s\nPostgreSQL:\n%s", command, got[command], want[command])
		}
	}
}

// answerMark is a line before each command's answer.
const answerMark = "==== "

func script(commands []string) string {
	var b strings.Builder
	for _, c := range commands {
		b.WriteString(`\echo '` + answerMark + strings.ReplaceAll(c, `\`, `\\`) + "'\n" + c + "\n")
	}
	return b.String()
}

func answers(out string) map[string]string {
	m := map[string]string{}
	for _, part := range strings.Split("\n"+out, "\n"+strings.TrimSpace(answerMark))[1:] {
		command, answer, _ := strings.Cut(strings.TrimSpace(part), "\n")
		m[command] = answer + "\n"
	}
	return m
}

// Statements whose messages point into the text: psql draws a caret from the position that the server gives.
var mistakes = []string{
	"SELEC 1;", "SELECT nosuch FROM pg_class;", "SELECT 1 FROM nosuch;", "SELECT nofunc(1, 'x');", "SELECT 'x'::int;", "SELECT 1 + true;",
	"SELECT é,\n  c.oid, nosuch\nFROM (VALUES (1)) v (é), pg_class c;", "SELECT relname, count(*) FROM pg_class;", "SELECT 1 WHERE 'a';",
	"SELECT (SELECT 1, 2);", "SELECT * FROM pg_class c, pg_type c;", "SELECT 1 ORDER BY 2;", "SELECT 1 UNION SELECT 'x';", "SELECT 1 UNION SELECT 1, 2;",
	"INSERT INTO mistakes VALUES (1, 2, 3);", "INSERT INTO mistakes (nosuch) VALUES (1);", "UPDATE mistakes SET nosuch = 1;", "INSERT INTO mistakes VALUES ('x');",
	"CREATE TABLE m2 (a nosuch);", "CREATE TABLE m2 (a int, b int;", "CREATE TABLE m2 (a int CHECK (b > 0));",
	"CREATE TABLE m2 (a int, CHECK ('é' = 'b' AND (a > 0 OR q.b IS NULL)));", "CREATE TABLE m2 (a int DEFAULT 'x' || 1);", "CREATE TABLE m2 (a int DEFAULT 'x');",
	"CREATE INDEX ON mistakes (nosuch(a));", "ALTER TABLE mistakes ADD CHECK (nosuch > 0);", "SELECT sum(count(*)) FROM pg_class;",
	"SELECT x FROM generate_series(1, 3) x WHERE sum(x) > 1;", "SELECT CASE WHEN 1 THEN 2 END;", "SELECT 'abc' LIKE 1;", "SELECT '{1,x}'::int[];", "SELECT 1 IN (1, 'x');",
	"SELECT c.nosuch FROM pg_class c;", "SELECT c.relname FROM pg_class;", "SELECT DISTINCT ON (a) 1 FROM mistakes ORDER BY b;", "SELECT a FROM mistakes GROUP BY b;",
	"SELECT 'unterminated;", "\\set VERBOSITY verbose\nSELECT 1/0;\n\\set VERBOSITY default", "SELECT current_date + 'x'::text;", "DROP TABLE nosuch;", "SELECT 1; SELECT nosuch; SELECT 2;",
}

func TestPsqlPointsAtErrors(t *testing.T) {
	servers := startPsqlServers(t)
	for _, m := range append([]string{"CREATE TABLE mistakes (a int, b int);"}, mistakes...) {
		ours, postgres := servers.run(t, m+"\n", "-q", "-v", "ON_ERROR_STOP=0")
		// The file and line in the server's own source is not ours to say.
		ours, postgres = location.ReplaceAllString(ours, ""), location.ReplaceAllString(postgres, "")
		if ours != postgres {
			t.Errorf("%s\n%s\nPostgreSQL:\n%s", m, ours, postgres)
		}
	}
}

var location = regexp.MustCompile(`(?m)^LOCATION: .*\n`)

func TestPsqlFormatsAndCopies(t *testing.T) {
	servers := startPsqlServers(t)
	dir := t.TempDir()
	in := filepath.Join(dir, "in.csv")
	if err := os.WriteFile(in, []byte("id,name,at\n1,\"a \"\"quoted\"\", b\",2024-02-29\n2,,\n3,\"\",2000-01-01\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var files [2]string
	var outs [2]string
	for i, dsn := range []string{servers.ours, servers.postgres} {
		out := filepath.Join(dir, "out")
		cmd := psql(dsn)
		cmd.Stdin = strings.NewReader(strings.NewReplacer("$IN", in, "$OUT", out).Replace(`
CREATE TABLE copied (id int PRIMARY KEY, name text, at date);
\copy copied from '$IN' with (format csv, header)
\copy copied (id, name) from stdin
4	tab\tand \\N
5	\N
\.
\copy copied from stdin
4	twice	\N
\.
\copy copied from stdin
x	bad	\N
\.
\copy (select * from copied order by id) to '$OUT' csv header null '-'
\copy copied to stdout
SELECT * FROM copied ORDER BY id;
\x
SELECT * FROM copied ORDER BY id LIMIT 2;
\x auto
SELECT * FROM copied ORDER BY id LIMIT 1;
\x off
\pset null '(null)'
\a
SELECT * FROM copied ORDER BY id;
\a
SELECT at, count(*) AS n FROM copied GROUP BY at ORDER BY at \gx
SELECT 1 AS a, 'x' AS b \gdesc
SELECT 'SELECT ' || g AS q FROM generate_series(1, 2) g \gexec
SELECT 42 AS answer \gset
\echo :answer
SELECT id % 2 AS odd, name, count(*) FROM copied GROUP BY 1, 2 ORDER BY 1, 2 \crosstabview odd name count
BEGIN;
\set FETCH_COUNT 2
SELECT id FROM copied ORDER BY id;
\set FETCH_COUNT 0
SAVEPOINT s;
SELECT 1/0;
SELECT 1;
ROLLBACK TO s;
SELECT 2;
COMMIT;
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO copied VALUES (1);
INSERT INTO copied VALUES (6);
COMMIT;
SELECT count(*) FROM copied;
\errverbose
`))
		b, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		outs[i], files[i] = location.ReplaceAllString(string(b), ""), read("out")
	}
	if outs[0] != outs[1] {
		t.Errorf("%s\nPostgreSQL:\n%s", outs[0], outs[1])
	}
	if files[0] != files[1] || !strings.Contains(files[0], `1,"a ""quoted"", b",2024-02-29`) {
		t.Errorf("%q\nPostgreSQL: %q", files[0], files[1])
	}
}

// TestPsqlCancels sends psql the signal of Ctrl-C while the server sleeps.
func TestPsqlCancels(t *testing.T) {
	server := testenv.Server(t)
	server.CreateDatabase(t, "psql_cancel")
	conn := connect(t, server, "psql_cancel")
	cmd := psql(server.URL("psql_cancel"), "-c", "SELECT pg_sleep(60)")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var sleeping int
		err := conn.QueryRow(context.Background(), "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'").Scan(&sleeping)
		if err != nil {
			t.Fatal(err)
		}
		if sleeping == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("pg_stat_activity does not show the sleeping statement")
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		t.Fatal("psql still waits")
	}
	if want := "Cancel request sent\nERROR:  canceling statement due to user request\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
