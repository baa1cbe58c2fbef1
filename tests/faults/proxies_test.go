// Package faults tests what is promised under faults and with several proxies: real processes, killed and stopped, and
// histories of concurrent transactions that a checker looks at afterwards.
package faults

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// length is how long a test puts load on: FAULTS_SECONDS makes it longer than in CI.
func length(t *testing.T) time.Duration {
	t.Helper()
	s := os.Getenv("FAULTS_SECONDS")
	if s == "" {
		return 4 * time.Second
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(n) * time.Second
}

func connect(t testing.TB, s *testenv.PgMongo, database string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func exec(t testing.TB, c *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := c.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func state(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func number(t testing.TB, c *pgx.Conn, sql string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := c.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// two starts two proxies on one MongoDB and makes an empty database.
func two(t *testing.T) (a, b *testenv.PgMongo, database string) {
	t.Helper()
	a = testenv.Server(t)
	b = testenv.Server(t)
	database = "faults_" + t.Name()[4:]
	a.CreateDatabase(t, database)
	return a, b, database
}

func TestRowLocksAcrossProxies(t *testing.T) {
	a, b, db := two(t)
	ca, cb := connect(t, a, db), connect(t, b, db)
	exec(t, ca, "CREATE TABLE t (id int PRIMARY KEY, v int)")
	exec(t, ca, "INSERT INTO t SELECT i, 0 FROM generate_series(1, 9) i")
	time.Sleep(400 * time.Millisecond) // until b looks at the catalogue again
	for _, c := range []struct {
		lock, other, state string
	}{
		{"SELECT * FROM t WHERE id = 1 FOR UPDATE", "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT", "55P03"},
		{"SELECT * FROM t WHERE id = 1 FOR UPDATE", "SELECT * FROM t WHERE id = 2 FOR UPDATE NOWAIT", ""},
		{"SELECT * FROM t WHERE id = 1 FOR NO KEY UPDATE", "SELECT * FROM t WHERE id = 1 FOR NO KEY UPDATE NOWAIT", "55P03"},
		{"SELECT * FROM t WHERE id = 1 FOR SHARE", "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT", "55P03"},
		{"SELECT * FROM t WHERE id = 1 FOR SHARE", "UPDATE t SET v = v + 1 WHERE id = 1", "55P03"},
		{"SELECT * FROM t WHERE id = 1 FOR UPDATE", "UPDATE t SET v = v + 1 WHERE id = 1", "55P03"},
		{"SELECT * FROM t WHERE id = 1 FOR UPDATE", "DELETE FROM t WHERE id = 1", "55P03"},
		{"SELECT * FROM t WHERE id = 1 FOR KEY SHARE", "DELETE FROM t WHERE id = 1", "55P03"},
		{"SELECT * FROM t AS x, t AS y WHERE x.id = 1 AND y.id = 2 FOR UPDATE OF y", "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT", ""},
		{"UPDATE t SET v = v WHERE id = 1", "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT", "55P03"},
		{"UPDATE t SET v = v + 1 WHERE id = 1", "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT", "55P03"},
		{"DELETE FROM t WHERE id = 9", "SELECT * FROM t WHERE id = 9 FOR UPDATE NOWAIT", "55P03"},
	} {
		exec(t, ca, "BEGIN")
		exec(t, ca, c.lock)
		exec(t, cb, "BEGIN")
		exec(t, cb, "SET LOCAL lock_timeout = '300ms'")
		_, err := cb.Exec(context.Background(), c.other)
		if state(err) != c.state {
			t.Errorf("%s, then elsewhere %s: %q, want %q", c.lock, c.other, state(err), c.state)
		}
		exec(t, cb, "ROLLBACK")
		exec(t, ca, "ROLLBACK")
		exec(t, cb, "BEGIN")
		exec(t, cb, c.other)
		exec(t, cb, "ROLLBACK")
	}
	exec(t, ca, "INSERT INTO t SELECT i, 0 FROM generate_series(10, 20) i")
	exec(t, ca, "BEGIN")
	exec(t, ca, "SELECT * FROM t WHERE id IN (10, 12) FOR UPDATE")
	rows, err := cb.Query(context.Background(), "SELECT id FROM t WHERE id BETWEEN 10 AND 14 ORDER BY id FOR UPDATE SKIP LOCKED")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil || !slices.Equal(ids, []int{11, 13, 14}) {
		t.Errorf("skipping locked rows gave %v, %v", ids, err)
	}
	exec(t, ca, "ROLLBACK")
	// A lock makes its waiter see what the holder wrote.
	exec(t, ca, "BEGIN")
	exec(t, ca, "SELECT * FROM t WHERE id = 20 FOR UPDATE")
	var v int64
	got := make(chan error, 1)
	go func() {
		got <- pgx.BeginFunc(context.Background(), cb, func(tx pgx.Tx) error {
			if _, err := tx.Exec(context.Background(), "UPDATE t SET v = 1 WHERE id = 19"); err != nil {
				return err
			}
			return tx.QueryRow(context.Background(), "SELECT v FROM t WHERE id = 20 FOR UPDATE").Scan(&v)
		})
	}()
	time.Sleep(200 * time.Millisecond)
	exec(t, ca, "UPDATE t SET v = 77 WHERE id = 20")
	exec(t, ca, "COMMIT")
	if err := <-got; err != nil || v != 77 {
		t.Errorf("the waiter for a row lock read %d, %v", v, err)
	}
}

func TestForeignKeysAcrossProxies(t *testing.T) {
	a, b, db := two(t)
	ca := connect(t, a, db)
	exec(t, ca, "CREATE TABLE parent (id int PRIMARY KEY)")
	exec(t, ca, "CREATE TABLE child (id serial PRIMARY KEY, p int REFERENCES parent)")
	exec(t, ca, "CREATE TABLE cascaded (id serial PRIMARY KEY, p int REFERENCES parent ON DELETE CASCADE)")
	time.Sleep(400 * time.Millisecond)
	foreignKeyRaces(t, ca, connect(t, b, db))
	const parents = 3
	exec(t, ca, "INSERT INTO parent SELECT generate_series(1, $1)", parents)
	var inserted, deleted, failed atomic.Int64
	end := time.Now().Add(length(t))
	var wg sync.WaitGroup
	worker := func(s *testenv.PgMongo, f func(c *pgx.Conn, i int) error) {
		c := connect(t, s, db)
		wg.Go(func() {
			for i := 0; time.Now().Before(end); i++ {
				switch err := f(c, i); state(err) {
				case "", "23503", "40001", "23505":
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	for w := range 4 {
		s := []*testenv.PgMongo{a, b}[w%2]
		worker(s, func(c *pgx.Conn, i int) error {
			p := i%parents + 1
			_, err := c.Exec(context.Background(), []string{"INSERT INTO child (p) VALUES ($1)", "INSERT INTO cascaded (p) VALUES ($1)"}[w/2], p)
			if err != nil {
				failed.Add(1)
				return err
			}
			inserted.Add(1)
			return nil
		})
	}
	for _, s := range []*testenv.PgMongo{a, b} {
		worker(s, func(c *pgx.Conn, i int) error {
			ctx := context.Background()
			p := i%parents + 1
			if _, err := c.Exec(ctx, "DELETE FROM child WHERE p = $1", p); err != nil {
				return err
			}
			err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
				tag, err := tx.Exec(ctx, "DELETE FROM parent WHERE id = $1", p)
				if err == nil {
					deleted.Add(tag.RowsAffected())
				}
				return err
			})
			if err != nil {
				return err
			}
			_, err = c.Exec(ctx, "INSERT INTO parent VALUES ($1) ON CONFLICT DO NOTHING", p)
			return err
		})
	}
	wg.Wait()
	for _, table := range []string{"child", "cascaded"} {
		if n := number(t, ca, "SELECT count(*) FROM "+table+" WHERE p NOT IN (SELECT id FROM parent)"); n != 0 {
			t.Errorf("%d orphans in %s", n, table)
		}
	}
	if inserted.Load() < 20 || deleted.Load() < 3 {
		t.Errorf("too little happened: %d inserted, %d refused, %d parents deleted", inserted.Load(), failed.Load(), deleted.Load())
	}
	t.Logf("%d children inserted, %d refused, %d parents deleted", inserted.Load(), failed.Load(), deleted.Load())
}

// foreignKeyRaces interleaves a reference through one proxy with the end of what it refers to through the other.
func foreignKeyRaces(t *testing.T, ca, cb *pgx.Conn) {
	t.Helper()
	ctx := context.Background()
	for _, table := range []string{"child", "cascaded"} {
		for _, gone := range []string{"DELETE FROM parent WHERE id = 1", "UPDATE parent SET id = 100 WHERE id = 1"} {
			for _, order := range []string{"child first", "parent first"} {
				exec(t, ca, "DELETE FROM child")
				exec(t, ca, "DELETE FROM cascaded")
				exec(t, ca, "DELETE FROM parent")
				exec(t, ca, "INSERT INTO parent VALUES (1)")
				exec(t, ca, "BEGIN")
				exec(t, cb, "BEGIN")
				steps := []func() error{
					func() error { _, err := ca.Exec(ctx, "INSERT INTO "+table+" (p) VALUES (1)"); return err },
					func() error { _, err := cb.Exec(ctx, gone); return err },
				}
				commits := []func() error{
					func() error { _, err := ca.Exec(ctx, "COMMIT"); return err },
					func() error { _, err := cb.Exec(ctx, "COMMIT"); return err },
				}
				if order == "parent first" {
					slices.Reverse(steps)
					slices.Reverse(commits)
				}
				for _, f := range append(steps, commits...) {
					if err := f(); err != nil && state(err) != "40001" && state(err) != "23503" {
						t.Errorf("%s, %s, %s: %v", table, gone, order, err)
					}
				}
				if n := number(t, ca, "SELECT count(*) FROM "+table+" WHERE p NOT IN (SELECT id FROM parent)"); n != 0 {
					t.Errorf("%s, %s, %s: %d orphans", table, gone, order, n)
				}
			}
		}
	}
	exec(t, ca, "DELETE FROM child")
	exec(t, ca, "DELETE FROM cascaded")
	exec(t, ca, "DELETE FROM parent")
}

func TestJobQueueThroughTwoProxies(t *testing.T) {
	a, b, db := two(t)
	ca := connect(t, a, db)
	exec(t, ca, "CREATE TABLE job (id int PRIMARY KEY, done int NOT NULL DEFAULT 0, worker int)")
	exec(t, ca, "CREATE TABLE ledger (id serial PRIMARY KEY, job int, worker int)")
	const jobs = 300
	exec(t, ca, "INSERT INTO job (id) SELECT generate_series(1, $1)", jobs)
	time.Sleep(400 * time.Millisecond)
	began := time.Now()
	var wg sync.WaitGroup
	var longest atomic.Int64
	for w := range 16 {
		c := connect(t, []*testenv.PgMongo{a, b}[w%2], db)
		wg.Go(func() {
			for {
				started := time.Now()
				done, err := workOnce(c, w)
				switch {
				case state(err) == "40001":
				case err != nil:
					t.Error(err)
					return
				case done:
					return
				}
				longest.Store(max(longest.Load(), int64(time.Since(started))))
			}
		})
	}
	wg.Wait()
	took := time.Since(began)
	if n := number(t, ca, "SELECT count(*) FROM job WHERE done <> 1"); n != 0 {
		t.Errorf("%d jobs were not done exactly once", n)
	}
	if n := number(t, ca, "SELECT count(*) FROM ledger"); n != jobs {
		t.Errorf("%d entries in the ledger for %d jobs", n, jobs)
	}
	if d := time.Duration(longest.Load()); d > 5*time.Second {
		t.Errorf("a worker stalled for %v", d)
	}
	t.Logf("%d jobs in %v (%.0f/s), longest turn %v", jobs, took, jobs/took.Seconds(), time.Duration(longest.Load()))
}

// workOnce takes a job and does it; done says that there was none.
func workOnce(c *pgx.Conn, worker int) (done bool, err error) {
	ctx := context.Background()
	err = pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		var id int
		err := tx.QueryRow(ctx, "SELECT id FROM job WHERE done = 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED").Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			done = true
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE job SET done = done + 1, worker = $2 WHERE id = $1", id, worker); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO ledger (job, worker) VALUES ($1, $2)", id, worker)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("worker %d: %w", worker, err)
	}
	return done, nil
}

func TestTableAndAdvisoryLocksAcrossProxies(t *testing.T) {
	a, b, db := two(t)
	ca, cb := connect(t, a, db), connect(t, b, db)
	exec(t, ca, "CREATE TABLE t (id int PRIMARY KEY, v int)")
	time.Sleep(400 * time.Millisecond)
	exec(t, cb, "SET lock_timeout = '400ms'")
	for _, c := range []struct{ lock, other, state string }{
		{"LOCK TABLE t IN ACCESS EXCLUSIVE MODE", "SELECT count(*) FROM t", "55P03"},
		{"LOCK TABLE t IN SHARE MODE", "SELECT count(*) FROM t", ""},
		{"LOCK TABLE t IN SHARE MODE", "INSERT INTO t VALUES (1, 1)", "55P03"},
		{"LOCK TABLE t IN EXCLUSIVE MODE", "LOCK TABLE t IN SHARE MODE NOWAIT", "55P03"},
		{"INSERT INTO t VALUES (1, 1)", "LOCK TABLE t IN SHARE MODE NOWAIT", "55P03"},
		{"INSERT INTO t VALUES (1, 1)", "CREATE INDEX i ON t (v)", "55P03"},
		{"SELECT count(*) FROM t", "ALTER TABLE t ADD COLUMN w int", "55P03"},
		{"ALTER TABLE t ADD COLUMN w int", "INSERT INTO t VALUES (1, 1)", "55P03"},
		{"SELECT pg_advisory_xact_lock(1)", "SELECT pg_advisory_xact_lock(1)", "55P03"},
		{"SELECT pg_advisory_xact_lock(1)", "SELECT pg_advisory_xact_lock(2)", ""},
		{"SELECT pg_advisory_xact_lock_shared(1)", "SELECT pg_advisory_xact_lock_shared(1)", ""},
		{"SELECT pg_advisory_xact_lock_shared(1)", "SELECT pg_advisory_xact_lock(1)", "55P03"},
		{"SELECT pg_advisory_xact_lock(1)", "SELECT 1 / pg_try_advisory_xact_lock(1)::int", "22012"},
	} {
		exec(t, ca, "BEGIN")
		exec(t, ca, c.lock)
		exec(t, cb, "BEGIN")
		_, err := cb.Exec(context.Background(), c.other)
		if state(err) != c.state {
			t.Errorf("%s, then elsewhere %s: %v, want %q", c.lock, c.other, err, c.state)
		}
		exec(t, cb, "ROLLBACK")
		exec(t, ca, "ROLLBACK")
		exec(t, cb, "BEGIN")
		exec(t, cb, c.other)
		exec(t, cb, "ROLLBACK")
	}
	// Who waited for another proxy's DDL sees it.
	exec(t, cb, "SET lock_timeout = 0")
	exec(t, ca, "BEGIN")
	exec(t, ca, "ALTER TABLE t ADD COLUMN w int DEFAULT 7")
	got := make(chan error, 1)
	go func() {
		_, err := cb.Exec(context.Background(), "INSERT INTO t (id, w) VALUES (1, 8)")
		got <- err
	}()
	time.Sleep(300 * time.Millisecond)
	exec(t, ca, "COMMIT")
	if err := <-got; err != nil {
		t.Errorf("an insert that waited for ALTER TABLE: %v", err)
	}
	// A session's lock is gone with its process.
	exec(t, cb, "SELECT pg_advisory_lock(9)")
	if err := b.Process.Signal(os.Kill); err != nil {
		t.Fatal(err)
	}
	<-b.Process.Done()
	began := time.Now()
	exec(t, ca, "SET lock_timeout = '20s'")
	exec(t, ca, "SELECT pg_advisory_lock(9)")
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("the lock of a process that was killed was held for %v", d)
	}
}

func TestNotifyAcrossProxies(t *testing.T) {
	a, b, db := two(t)
	ca, cb := connect(t, a, db), connect(t, b, db)
	exec(t, cb, "LISTEN news")
	exec(t, ca, "BEGIN")
	exec(t, ca, "NOTIFY news, 'one'")
	exec(t, ca, "ROLLBACK")
	exec(t, ca, "NOTIFY news, 'two'")
	exec(t, ca, "CREATE TABLE t (id int)")
	exec(t, ca, "BEGIN")
	exec(t, ca, "INSERT INTO t VALUES (1)")
	exec(t, ca, "SELECT pg_notify('news', 'three')")
	exec(t, ca, "COMMIT")
	for _, want := range []string{"two", "three"} {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		n, err := cb.WaitForNotification(ctx)
		cancel()
		if err != nil || n.Payload != want {
			t.Fatalf("notification %v, %v; want %q", n, err, want)
		}
	}
}
