// Package operations tests the built binary as those who run it see it: starting, stopping, encryption, health, cancelling.
package operations

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/pgmongo/pgmongo/mongo/mongod"
	"github.com/pgmongo/pgmongo/tests/testenv"
)

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// command runs a program and returns its output and exit code.
func command(t *testing.T, env []string, name string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.CommandContext(within(t, time.Minute), name, args...)
	cmd.Env = append(cmd.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func psql(t *testing.T, dsn string, env []string, sql string) (string, int) {
	t.Helper()
	return command(t, env, "psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", dsn, "-c", sql)
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(within(t, 20*time.Second), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func run(t *testing.T, c *pgx.Conn, sql string) {
	t.Helper()
	if _, err := c.Exec(within(t, 30*time.Second), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func wantCode(t *testing.T, what string, err error, code string) *pgconn.PgError {
	t.Helper()
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Code != code {
		t.Fatalf("%s: %v, want SQLSTATE %s", what, err, code)
	}
	return pe
}

// private starts a mongod of the test's own.
func private(t *testing.T, o mongod.Options) *mongod.Server {
	t.Helper()
	o.DataDir = t.TempDir()
	m, err := mongod.Start(within(t, time.Minute), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Kill(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func driver(t *testing.T, uri string) *mongo.Client {
	t.Helper()
	c, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Disconnect(context.Background()) })
	return c
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	bin := testenv.Binary(t)
	m := private(t, mongod.Options{Standalone: true, Args: []string{"--auth"}})
	err := driver(t, m.URI()).Database("admin").RunCommand(within(t, 20*time.Second), bson.D{
		{Key: "createUser", Value: "joe"}, {Key: "pwd", Value: "right"}, {Key: "roles", Value: bson.A{"root"}},
	}).Err()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	nobody, err := mongod.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	as := func(user string) string { return strings.Replace(m.URI(), "mongodb://", "mongodb://"+user+"@", 1) }
	closed := net.JoinHostPort("127.0.0.1", strconv.Itoa(nobody))
	for _, c := range []struct {
		name string
		args []string
		env  []string
		code int
		says string
	}{
		{"unreachable", []string{"--mongodb-uri", "mongodb://" + closed + "/?serverSelectionTimeoutMS=500"}, nil, 3, "could not reach MongoDB at " + closed},
		{"wrong password", []string{"--mongodb-uri", as("joe:wrong")}, nil, 4, "refused the credentials"},
		{"wrong password, by environment", nil, []string{"PGMONGO_MONGODB_URI=" + as("joe:wrong")}, 4, "refused the credentials"},
		{"no password", []string{"--mongodb-uri", m.URI()}, nil, 4, "asks for credentials"},
		{"no such SRV record", []string{"--mongodb-uri", "mongodb+srv://nosuch.pgmongo.invalid/"}, nil, 3, "nosuch.pgmongo.invalid"},
		{"port in use", []string{"--listen", ln.Addr().String()}, nil, 5, ln.Addr().String()},
		{"metrics port in use", []string{"--mongodb-uri", as("joe:right"), "--metrics-listen", ln.Addr().String()}, nil, 5, ln.Addr().String()},
		{"unknown option", []string{"--nosuch"}, nil, 2, "--nosuch"},
		{"missing configuration file", []string{"--config", "/nosuch/pgmongo.yaml"}, nil, 2, "/nosuch/pgmongo.yaml"},
		{"bad value in the environment", nil, []string{"PGMONGO_MAX_CONNECTIONS=many"}, 2, "max-connections"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"serve"}
			if c.name != "port in use" {
				args = append(args, "--listen", "127.0.0.1:0")
			}
			if c.name != "metrics port in use" {
				args = append(args, "--metrics-listen", "")
			}
			began := time.Now()
			out, code := command(t, c.env, bin, append(args, c.args...)...)
			if code != c.code || !strings.Contains(out, c.says) {
				t.Errorf("exit code %d, want %d and %q:\n%s", code, c.code, c.says, out)
			}
			if strings.Contains(out, "wrong@") || strings.Contains(out, ":right") {
				t.Errorf("the password is in the message:\n%s", out)
			}
			if d := time.Since(began); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
	s := testenv.ServerFor(t, as("joe:right"))
	run(t, connect(t, s.URL("postgres")), "select 1")
}

func TestStandaloneReadsAndRefusesTransactions(t *testing.T) {
	m := private(t, mongod.Options{Standalone: true})
	if _, err := driver(t, m.URI()).Database("shop").Collection("items").InsertOne(within(t, 20*time.Second), bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "nut"}}); err != nil {
		t.Fatal(err)
	}
	s := testenv.ServerFor(t, m.URI())
	c := connect(t, s.URL("shop"))
	var name string
	if err := c.QueryRow(within(t, 20*time.Second), "select name from items where _id = 1").Scan(&name); err != nil || name != "nut" {
		t.Fatalf("%q %v", name, err)
	}
	run(t, c, "begin")
	_, err := c.Exec(within(t, 20*time.Second), "update items set name = 'bolt'")
	if err == nil {
		_, err = c.Exec(within(t, 20*time.Second), "commit")
	}
	if pe := wantCode(t, "write in a transaction", err, "0A000"); !strings.Contains(pe.Hint, "--replSet") {
		t.Errorf("hint %q does not say how to mend it", pe.Hint)
	}
	run(t, c, "rollback")
	if err := c.QueryRow(within(t, 20*time.Second), "select name from items").Scan(&name); err != nil || name != "nut" {
		t.Errorf("after the refusal: %q %v", name, err)
	}
}

func TestStopDrains(t *testing.T) {
	s := testenv.Server(t, "--drain-timeout", "20s")
	s.CreateDatabase(t, "ops_drain")
	busy, idle := connect(t, s.URL("ops_drain")), connect(t, s.URL("ops_drain"))
	run(t, busy, "create table t (id int primary key); begin; insert into t values (1)")
	run(t, idle, "select 1")
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, err := idle.PgConn().ReceiveMessage(within(t, 10*time.Second))
	wantCode(t, "idle session", err, "57P01")
	if body, code := get(t, s, "/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz while draining: %d %s", code, body)
	}
	if c, err := pgx.Connect(within(t, 10*time.Second), s.URL("ops_drain")); err == nil {
		_ = c.Close(context.Background())
		t.Error("a new client was let in")
	}
	run(t, busy, "insert into t values (2)")
	run(t, busy, "commit")
	select {
	case <-s.Process.Done():
		if err := s.Process.Err(); err != nil {
			t.Errorf("exit: %v", err)
		}
	case <-time.After(15 * time.Second):
		t.Fatal("the server did not end after the last transaction")
	}
	again := testenv.Server(t, "--drain-timeout", "1s")
	c := connect(t, again.URL("ops_drain"))
	var n int
	if err := c.QueryRow(within(t, 20*time.Second), "select count(*) from t").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows (%v), want what the transaction wrote", n, err)
	}
	run(t, c, "begin; insert into t values (3)")
	began := time.Now()
	if err := again.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-again.Process.Done():
		if err := again.Process.Err(); err != nil || time.Since(began) < 900*time.Millisecond {
			t.Errorf("exit after %v: %v", time.Since(began), err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the server waited longer than the drain timeout")
	}
}

func get(t *testing.T, s *testenv.PgMongo, path string) (string, int) {
	t.Helper()
	req, err := http.NewRequestWithContext(within(t, 10*time.Second), http.MethodGet, "http://"+s.Metrics+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), res.StatusCode
}

func TestHealthAndMetrics(t *testing.T) {
	m := private(t, mongod.Options{})
	s := testenv.ServerFor(t, m.URI())
	c := connect(t, s.URL("postgres"))
	run(t, c, "create table ops_m (id int primary key); insert into ops_m values (1), (2); select * from ops_m")
	if _, err := c.Exec(within(t, 10*time.Second), "select 1/0"); err == nil {
		t.Error("1/0 gave no error")
	}
	body, code := get(t, s, "/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics: %d", code)
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	for _, want := range []string{
		"pgmongo_connections 1", `pgmongo_errors_total{sqlstate="22012"} 1`, `pgmongo_statements_total{kind="select"}`, "pgmongo_rows_written_total 2",
		`pgmongo_mongodb_command_duration_seconds_count{command="insert",outcome="ok"}`, "pgmongo_build_info{version=", "go_goroutines",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	healthy := func(want int, exit int) {
		t.Helper()
		if body, code := get(t, s, "/healthz"); code != http.StatusOK {
			t.Errorf("/healthz: %d %s", code, body)
		}
		if body, code := get(t, s, "/readyz"); code != want {
			t.Errorf("/readyz: %d %s, want %d", code, body, want)
		}
		if out, code := command(t, nil, testenv.Binary(t), "healthcheck", "--metrics-listen", s.Metrics); code != exit {
			t.Errorf("healthcheck: exit code %d, want %d: %s", code, exit, out)
		}
	}
	healthy(http.StatusOK, 0)
	if err := m.Pause(); err != nil {
		t.Fatal(err)
	}
	healthy(http.StatusServiceUnavailable, 1)
	if err := m.Resume(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for _, code := get(t, s, "/readyz"); code != http.StatusOK; _, code = get(t, s, "/readyz") {
		if time.Now().After(deadline) {
			t.Fatal("/readyz does not recover")
		}
		time.Sleep(200 * time.Millisecond)
	}
	if err := m.Kill(); err != nil {
		t.Fatal(err)
	}
	healthy(http.StatusServiceUnavailable, 1)
}
