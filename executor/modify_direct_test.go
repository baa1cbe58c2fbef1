package executor_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

const directTables = `
	CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE);
	CREATE TABLE t (id int PRIMARY KEY, n int, s smallint NOT NULL, b bigint, name varchar(5), u int UNIQUE, p int REFERENCES p,
		at timestamp, CONSTRAINT named CHECK (name <> 'bad'));
	CREATE TABLE w (id text PRIMARY KEY, x numeric, y int)`

// What one operation of MongoDB does is what PostgreSQL does, also where there is no such row and where it fails.
func TestDirectWrites(t *testing.T) {
	compare(t, directTables, `
		INSERT INTO p VALUES (1, 'a'), (2, 'b')
		INSERT INTO t VALUES (1, 1, 1, 1, 'one', 1, 1, '2020-01-01 00:00:00.123456'), (2, NULL, 2, 2, 'two', 2, NULL, NULL), (3, 2147483647, 32767, 9223372036854775807, 'three', NULL, 2, NULL)
		INSERT INTO w VALUES ('$id', 1.0, 1), ('x', 2, 2)
		UPDATE t SET n = n + 1 WHERE id = 1
		UPDATE t SET n = n + 1 WHERE id = 2
		UPDATE t SET n = n + 1 WHERE id = 3
		UPDATE t SET n = n - 1 WHERE id = 3
		UPDATE t SET n = 1 + n WHERE id = 3
		UPDATE t SET n = n - (-1) WHERE id = 3
		UPDATE t SET b = b + 1 WHERE id = 3
		UPDATE t SET b = b - 1, n = 5 WHERE id = 3
		UPDATE t SET s = s + 1 WHERE id = 3
		UPDATE t SET s = s + 1::smallint WHERE id = 3
		UPDATE t SET s = s - 1::smallint WHERE id = 3
		UPDATE t SET n = n + 1 WHERE id = 99
		UPDATE t SET n = n + NULL WHERE id = 1
		SELECT * FROM t ORDER BY id
		UPDATE t SET name = 'bad' WHERE id = 1
		UPDATE t SET name = 'bad' WHERE id = 99
		UPDATE t SET name = 'too long' WHERE id = 1
		UPDATE t SET name = NULL, n = 1 WHERE id = 1
		UPDATE t SET s = NULL WHERE id = 1
		UPDATE t SET s = NULL WHERE id = 99
		UPDATE t SET n = 1 / (SELECT 0) WHERE id = 99
		UPDATE t SET u = 1, n = 7 WHERE id = 1
		UPDATE t SET u = 2 WHERE id = 1
		UPDATE t SET u = 8 WHERE id = 1
		UPDATE t SET u = NULL WHERE id = 1
		UPDATE t SET u = NULL, n = 8 WHERE id = 1
		UPDATE t SET p = 1, n = 9 WHERE id = 1
		UPDATE t SET p = 2, n = 10 WHERE id = 1
		UPDATE t SET p = 3, n = 11 WHERE id = 1
		UPDATE t SET p = NULL WHERE id = 1
		UPDATE t SET at = '2021-01-01 00:00:00.5' WHERE id = 1
		UPDATE t SET at = '2021-01-01 00:00:00.000001' WHERE id = 2
		UPDATE t SET at = NULL WHERE id = 2
		SELECT * FROM t ORDER BY id
		UPDATE p SET code = 'a' WHERE id = 1
		UPDATE p SET code = 'b' WHERE id = 1
		UPDATE p SET code = 'c' WHERE id = 1
		UPDATE p SET id = 1, code = 'd' WHERE id = 1
		UPDATE p SET id = 5 WHERE id = 2
		DELETE FROM p WHERE id = 2
		DELETE FROM p WHERE id = 1
		DELETE FROM p WHERE id = 1
		UPDATE w SET x = 1.00 WHERE id = '$id' AND y = 1
		UPDATE w SET x = 3 WHERE id = '$id' AND y = 2
		UPDATE w SET y = y + 1, x = 2.50 WHERE id = '$id' AND x = 1
		UPDATE w SET y = 3 WHERE id = '$id' AND id = 'x'
		UPDATE w SET y = 3 WHERE id = NULL
		DELETE FROM w WHERE id = 'x' AND y = 3
		DELETE FROM w WHERE id = 'x'
		DELETE FROM t WHERE id = 1
		SELECT * FROM w
		SELECT * FROM p ORDER BY id
		BEGIN
		UPDATE t SET n = n + 1 WHERE id = 2
		SAVEPOINT a
		UPDATE t SET n = 77, name = 'sp' WHERE id = 2
		DELETE FROM t WHERE id = 3
		SELECT * FROM t ORDER BY id
		ROLLBACK TO a
		SELECT * FROM t ORDER BY id
		UPDATE t SET s = s + 32767::smallint WHERE id = 2
		ROLLBACK TO a
		UPDATE t SET n = 3 WHERE id = 2
		COMMIT
		SELECT * FROM t ORDER BY id
		BEGIN
		UPDATE t SET n = n + 1 WHERE id = 2
		UPDATE t SET n = 1 WHERE id = 2
		UPDATE t SET n = n + 1 WHERE id = 2
		DELETE FROM t WHERE id = 3
		ROLLBACK
		SELECT * FROM t ORDER BY id
	`)
}

// commands records what is sent to MongoDB.
type commands struct {
	mu   sync.Mutex
	list []string
}

func (c *commands) CommandDone(name string, _ time.Duration, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, name)
}

func (c *commands) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.list
	c.list = nil
	return l
}

func TestDirectWritesAreOneCommand(t *testing.T) {
	e := newModifyEnv(t, directTables)
	s := e.session(1)
	s.exec("INSERT INTO t VALUES (1, 1, 1, 1, 'one', 1, NULL, NULL)")
	for _, c := range []struct{ query, sent string }{
		{"UPDATE t SET n = n + 1 WHERE id = 1", "update"},
		{"UPDATE t SET n = 2, name = 'x', at = now() WHERE id = 1", "update"},
		{"UPDATE t SET n = 3, u = 1, p = NULL WHERE id = 1 AND n = 2", "update"},
		{"INSERT INTO w VALUES ('a', 1, 1)", "insert"},
		{"DELETE FROM t WHERE id = 1", "delete"},
		{"DELETE FROM t WHERE id = 1", "delete"},
		{"BEGIN", ""},
		{"UPDATE w SET x = 2, y = y + 1 WHERE id = 'a'", "findAndModify"},
		{"DELETE FROM w WHERE id = 'b'", "findAndModify"},
		{"COMMIT", "commitTransaction"},
		// What depends on the row's values is read first.
		{"UPDATE w SET x = y + 1 WHERE id = 'a'", "find update commitTransaction"},
	} {
		e.sent.take()
		got := s.exec(c.query)
		if sent := strings.Join(e.sent.take(), " "); sent != c.sent {
			t.Errorf("%s: %s, sent %q, want %q", c.query, got, sent, c.sent)
		}
	}
}

// A statement that is cancelled while MongoDB waits for another transaction has changed nothing.
func TestDirectWriteCancelled(t *testing.T) {
	e := newModifyEnv(t, directTables)
	a, b := e.session(1), e.session(2)
	b.e = &modifyEnv{}
	*b.e = *e
	other := txn.NewManager(e.c, txn.ManagerOptions{}) // as another proxy would be: its row locks are not seen here
	b.s = other.NewSession(e.snap.Database, 0, 2)
	a.exec("INSERT INTO t VALUES (1, 1, 1, 1, 'one', 1, NULL, NULL)")
	a.exec("BEGIN")
	a.exec("UPDATE t SET n = 5 WHERE id = 1")
	ctx, cancel := context.WithTimeout(e.ctx, 300*time.Millisecond)
	defer cancel()
	b.e.ctx = ctx
	if got := b.exec("UPDATE t SET n = 6 WHERE id = 1"); !strings.HasPrefix(got, string(pgerr.QueryCanceled)) {
		t.Error(got)
	}
	if got := a.exec("COMMIT"); got != "COMMIT" {
		t.Error(got)
	}
	if got := a.exec("SELECT n FROM t"); !slices.Contains(strings.Fields(got), "5") {
		t.Error(got)
	}
}
