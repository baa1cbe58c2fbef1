package faults

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// step is a statement of one of several sessions. A step that does not end within a moment goes on beside the next ones.
type step struct {
	session int
	sql     string
}

// lockScripts are scenes with locks whose outcome must be PostgreSQL's, down to the messages; numbers are left out.
var lockScripts = []struct {
	name  string
	steps []step
}{
	{"table lock against write", []step{
		{0, "BEGIN"},
		{0, "LOCK TABLE t IN SHARE MODE"},
		{1, "SELECT count(*) FROM t"},
		{1, "SET lock_timeout = '150ms'"},
		{1, "INSERT INTO t VALUES (100, 0)"},
		{1, "SELECT * FROM t WHERE id = 1 FOR UPDATE"},
		{0, "COMMIT"},
		{1, "INSERT INTO t VALUES (100, 0)"},
	}},
	{"NOWAIT", []step{
		{0, "BEGIN"},
		{0, "LOCK TABLE t IN ROW EXCLUSIVE MODE"},
		{1, "BEGIN"},
		{1, "LOCK t IN SHARE ROW EXCLUSIVE MODE NOWAIT"},
		{1, "ROLLBACK"},
		{1, "BEGIN"},
		{1, "LOCK t IN ROW EXCLUSIVE MODE NOWAIT"},
		{1, "COMMIT"},
		{0, "COMMIT"},
		{0, "LOCK t"},
		{0, "BEGIN"},
		{0, "LOCK missing"},
		{0, "ROLLBACK"},
	}},
	{"a reader keeps DDL waiting", []step{
		{0, "BEGIN"},
		{0, "SELECT count(*) FROM t"},
		{1, "SET lock_timeout = '150ms'"},
		{1, "ALTER TABLE t ADD COLUMN w int"},
		{1, "DROP TABLE t"},
		{1, "TRUNCATE t"},
		{1, "CREATE INDEX t_v ON t (v)"},
		{0, "COMMIT"},
		{1, "ALTER TABLE t ADD COLUMN w int"},
	}},
	{"a writer keeps CREATE INDEX waiting", []step{
		{0, "BEGIN"}, {0, "UPDATE t SET v = 1 WHERE id = 1"}, {1, "SET lock_timeout = '150ms'"}, {1, "CREATE INDEX t_v ON t (v)"}, {0, "COMMIT"}, {1, "CREATE INDEX t_v ON t (v)"},
	}},
	{"who waited for DDL sees it", []step{
		{0, "BEGIN"},
		{0, "ALTER TABLE t ADD COLUMN w int DEFAULT 7"},
		{1, "INSERT INTO t VALUES (50, 1, 2)"},
		{2, "SELECT sum(w) FROM t WHERE id < 50"},
		{0, "COMMIT"},
		{1, "SELECT id, v, w FROM t WHERE id = 50"},
	}},
	{"who waited for DROP does not find it", []step{
		{0, "BEGIN"}, {0, "DROP TABLE t"}, {1, "SELECT count(*) FROM t"}, {0, "COMMIT"}, {1, "SELECT 1"},
	}},
	{"deadlock of rows", []step{
		{0, "BEGIN"},
		{1, "BEGIN"},
		{0, "UPDATE t SET v = 1 WHERE id = 1"},
		{1, "UPDATE t SET v = 1 WHERE id = 2"},
		{0, "UPDATE t SET v = 1 WHERE id = 2"},
		{1, "UPDATE t SET v = 1 WHERE id = 1"},
		{1, "ROLLBACK"},
		{0, "COMMIT"},
	}},
	{"deadlock of tables", []step{
		{0, "BEGIN"}, {1, "BEGIN"}, {0, "LOCK t"}, {1, "LOCK u"}, {0, "LOCK u"}, {1, "LOCK t IN SHARE MODE"}, {1, "ROLLBACK"}, {0, "COMMIT"},
	}},
	{"deadlock of advisory locks", []step{
		{0, "BEGIN"},
		{1, "BEGIN"},
		{0, "SELECT pg_advisory_xact_lock(1)"},
		{1, "SELECT pg_advisory_xact_lock(2, 3)"},
		{0, "SELECT pg_advisory_xact_lock(2, 3)"},
		{1, "SELECT pg_advisory_xact_lock(1)"},
		{1, "ROLLBACK"},
		{0, "COMMIT"},
	}},
	{"timeouts", []step{
		{0, "BEGIN"},
		{0, "UPDATE t SET v = 1 WHERE id = 1"},
		{1, "SET lock_timeout = '150ms'"},
		{1, "UPDATE t SET v = 2 WHERE id = 1"},
		{1, "SET lock_timeout = 0"},
		{1, "SET statement_timeout = '150ms'"},
		{1, "UPDATE t SET v = 2 WHERE id = 1"},
		{1, "SELECT pg_sleep(5)"},
		{0, "ROLLBACK"},
		{1, "UPDATE t SET v = 2 WHERE id = 1"},
	}},
	{"who waits for whom", []step{
		{0, "BEGIN"},
		{0, "LOCK t"},
		{1, "SELECT count(*) FROM t"},
		{2, "SELECT wait_event_type, wait_event, cardinality(pg_blocking_pids(pid)) FROM pg_stat_activity WHERE query = 'SELECT count(*) FROM t' AND state = 'active'"},
		{2, "SELECT mode, granted FROM pg_locks WHERE relation = 't'::regclass ORDER BY 1"},
		{2, "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"},
		{1, "SELECT 1"},
		{0, "COMMIT"},
	}},
	{"a waiter for a row", []step{
		{0, "BEGIN"},
		{0, "UPDATE t SET v = 1 WHERE id = 1"},
		{1, "UPDATE t SET v = 2 WHERE id = 1"},
		{2, "SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE query LIKE 'UPDATE t SET v = 2%' AND state = 'active'"},
		{2, "SELECT locktype, mode FROM pg_locks WHERE NOT granted"},
		{2, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"},
		{0, "COMMIT"},
		{0, "SELECT v FROM t WHERE id = 1"},
	}},
	{"a savepoint gives its table locks back", []step{
		{0, "BEGIN"}, {0, "SAVEPOINT a"}, {0, "LOCK t"}, {0, "ROLLBACK TO a"}, {1, "SET lock_timeout = '150ms'"}, {1, "SELECT count(*) FROM t"}, {0, "COMMIT"},
	}},
	{"a savepoint gives its advisory locks back", []step{
		{0, "BEGIN"},
		{0, "SELECT pg_advisory_xact_lock(1)"},
		{0, "SAVEPOINT a"},
		{0, "SELECT pg_advisory_xact_lock(1), pg_advisory_xact_lock(2)"},
		{0, "ROLLBACK TO a"},
		{1, "SELECT pg_try_advisory_lock(1), pg_try_advisory_lock(2)"},
		{0, "COMMIT"},
		{1, "SELECT pg_try_advisory_lock(1), pg_advisory_unlock(2)"},
	}},
	{"idle in transaction", []step{
		{0, "SET idle_in_transaction_session_timeout = '150ms'"}, {0, "BEGIN"}, {1, "SELECT pg_sleep(0.5)"}, {0, "SELECT 1"},
	}},
	{"idle session", []step{{0, "SET idle_session_timeout = '150ms'"}, {1, "SELECT pg_sleep(0.5)"}, {0, "SELECT 1"}}},
}

// moment is how long a step may take before the next one is begun beside it.
const moment = 400 * time.Millisecond

var numbers = regexp.MustCompile(`\d+`)

// runScript returns what each step gave.
func runScript(t *testing.T, url string, steps []step) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conns := make([]*pgx.Conn, 3)
	for i := range conns {
		c, err := pgx.Connect(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		conns[i] = c
	}
	for _, sql := range []string{"DROP TABLE IF EXISTS t, u", "CREATE TABLE t (id int PRIMARY KEY, v int)", "CREATE TABLE u (id int)", "INSERT INTO t SELECT i, 0 FROM generate_series(1, 5) i"} {
		exec(t, conns[0], sql)
	}
	out := make([]string, len(steps))
	busy := make([]chan struct{}, len(conns))
	var wg sync.WaitGroup
	for i, st := range steps {
		if b := busy[st.session]; b != nil {
			select {
			case <-b:
			case <-ctx.Done():
				t.Fatalf("step %d: %s still waits", i, st.sql)
			}
		}
		done := make(chan struct{})
		busy[st.session] = done
		var waited bool
		wg.Go(func() {
			defer close(done)
			out[i] = outcome(conns[st.session].PgConn().Exec(ctx, st.sql).ReadAll())
		})
		select {
		case <-done:
		case <-time.After(moment):
			waited = true
		}
		if waited {
			defer func() { out[i] = "after a wait: " + out[i] }()
		}
	}
	wg.Wait()
	return out
}

func outcome(results []*pgconn.Result, err error) string {
	var pe *pgconn.PgError
	switch {
	case errors.As(err, &pe):
		return pe.Severity + " " + pe.Code + " " + pe.Message + " | " + numbers.ReplaceAllString(pe.Detail, "N")
	case err != nil:
		return "connection lost"
	}
	var b strings.Builder
	for _, r := range results {
		for _, row := range r.Rows {
			for _, v := range row {
				b.Write(v)
				b.WriteByte(' ')
			}
		}
		b.WriteString(r.CommandTag.String())
	}
	return b.String()
}

func TestLocksAreThoseOfPostgreSQL(t *testing.T) {
	s := testenv.Server(t)
	s.CreateDatabase(t, "locks")
	for _, sc := range lockScripts {
		t.Run(sc.name, func(t *testing.T) {
			want := make(chan []string, 1)
			go func() { want <- runScript(t, testenv.Postgres(t), sc.steps) }()
			got := runScript(t, s.URL("locks"), sc.steps)
			for i, w := range <-want {
				if got[i] != w {
					t.Errorf("session %d: %s\n got %s\nwant %s", sc.steps[i].session, sc.steps[i].sql, got[i], w)
				}
			}
		})
	}
}
