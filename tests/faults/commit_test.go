package faults

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// tapped is a server whose way to MongoDB leads through a tap.
func tapped(t *testing.T) (*tap, *testenv.PgMongo) {
	t.Helper()
	u, err := url.Parse(testenv.Mongo(t))
	if err != nil {
		t.Fatal(err)
	}
	p := newTap(t, u.Host)
	return p, testenv.ServerFor(t, p.uri())
}

// TestCommitsAreDefinite loses, delays and falsifies what is said about commits and single writes. What is acknowledged was
// done, once.
func TestCommitsAreDefinite(t *testing.T) {
	p, s := tapped(t)
	s.CreateDatabase(t, "definite")
	c := connect(t, s, "definite")
	exec(t, c, "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)")
	exec(t, c, "CREATE TABLE log (id int)")
	exec(t, c, "INSERT INTO t SELECT i, 0 FROM generate_series(1, 100) i")
	block := []string{"BEGIN", "UPDATE t SET n = n + 1 WHERE id = $1", "INSERT INTO log VALUES ($1)", "COMMIT"}
	unknown := []string{"RetryableWriteError", "UnknownTransactionCommitResult"}
	id := 0
	for _, x := range []struct {
		name, command string
		do            fault
		answer        bson.D
		statements    []string
	}{
		{"the commit's request is lost", "commitTransaction", dropRequest, nil, block},
		{"the commit's answer is lost", "commitTransaction", dropReply, nil, block},
		{"the commit does not reach MongoDB", "commitTransaction", answerInstead, failure(6, "HostUnreachable", unknown...), block},
		{"nobody knows of the commit", "commitTransaction", answerAfter, failure(89, "NetworkTimeout", unknown...), block},
		{"the transaction is gone at the commit", "commitTransaction", answerAbort, failure(251, "NoSuchTransaction", "TransientTransactionError"), block},
		{"the commit meets a conflict", "commitTransaction", answerAbort, failure(112, "WriteConflict", "TransientTransactionError"), block},
		{"a statement's request is lost", "insert", dropRequest, nil, block},
		{"a statement's answer is lost", "insert", dropReply, nil, block},
		{"a statement meets a conflict", "insert", answerInstead, failure(112, "WriteConflict", "TransientTransactionError"), block},
		{"the first statement's answer is lost", "findAndModify", dropReply, nil, block},
		{"a single update's request is lost", "update", dropRequest, nil, block[1:2]},
		{"a single update's answer is lost", "update", dropReply, nil, block[1:2]},
		{"a single insert's answer is lost", "insert", dropReply, nil, block[2:3]},
		{"a single insert's request is lost", "insert", dropRequest, nil, block[2:3]},
		{"many rows' commit is lost", "commitTransaction", dropReply, nil, []string{"UPDATE t SET n = n + 1 WHERE id IN ($1, $1 + 50)"}},
		{"many rows meet a conflict", "commitTransaction", answerAbort, failure(251, "NoSuchTransaction", "TransientTransactionError"), []string{"UPDATE t SET n = n + 1 WHERE id IN ($1, $1 + 50)"}},
	} {
		id++
		pl := p.next(x.command, x.do, x.answer)
		want := 1
		for _, sql := range x.statements {
			var args []any
			if len(sql) > 6 {
				args = append(args, id)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			if _, err := c.Exec(ctx, sql, args...); err != nil {
				if st := state(err); st != "40001" && st != "25P02" {
					t.Errorf("%s: %s: %v", x.name, sql, err)
				}
				t.Logf("%s: %s: %v", x.name, sql, err)
				want = 0
			}
			cancel()
		}
		select {
		case <-pl.met:
		default:
			t.Errorf("%s: no %s came", x.name, x.command)
		}
		updates := number(t, c, fmt.Sprintf("SELECT sum(n) FROM t WHERE id IN (%d, %d)", id, id+50))
		inserts := number(t, c, fmt.Sprintf("SELECT count(*) FROM log WHERE id = %d", id))
		wantUpdates, wantInserts := want, want
		switch {
		case len(x.statements) > 1:
		case x.command == "insert":
			wantUpdates = 0
		default:
			wantInserts = 0
			if x.command == "commitTransaction" {
				wantUpdates *= 2
			}
		}
		if int(updates) != wantUpdates || int(inserts) != wantInserts {
			t.Errorf("%s: %d updates and %d inserts, acknowledged: %d", x.name, updates, inserts, want)
		}
	}
}

// TestKilledInsideCommit kills the server while its commit is on the way to MongoDB, and after MongoDB made it.
func TestKilledInsideCommit(t *testing.T) {
	for _, x := range []struct {
		name string
		do   fault
		want int
	}{{"before", holdRequest, 0}, {"after", holdReply, 1}} {
		p, s := tapped(t)
		db := "killed_" + x.name
		s.CreateDatabase(t, db)
		c := connect(t, s, db)
		exec(t, c, "CREATE TABLE t (id int PRIMARY KEY)")
		exec(t, c, "BEGIN")
		exec(t, c, "INSERT INTO t VALUES (1)")
		pl := p.next("commitTransaction", x.do, nil)
		go func() { _, _ = c.Exec(context.Background(), "COMMIT") }()
		<-pl.met
		if x.do == holdReply {
			time.Sleep(500 * time.Millisecond) // MongoDB makes it
		}
		if err := s.Process.Signal(os.Kill); err != nil {
			t.Fatal(err)
		}
		<-s.Process.Done()
		c = connect(t, testenv.ServerFor(t, testenv.Mongo(t)), db)
		if n := number(t, c, "SELECT count(*) FROM t"); int(n) != x.want {
			t.Errorf("killed %s the commit: %d rows", x.name, n)
		}
		exec(t, c, "INSERT INTO t VALUES (2)")
		close(pl.goOn)
	}
}

// TestLostConnectionIsNoEnd loses the connection in the middle of a table: an error, or all rows.
func TestLostConnectionIsNoEnd(t *testing.T) {
	p, s := tapped(t)
	s.CreateDatabase(t, "lost")
	c := connect(t, s, "lost")
	exec(t, c, "CREATE TABLE t (id int PRIMARY KEY)")
	exec(t, c, "INSERT INTO t SELECT generate_series(1, 30000)")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, sql := range []string{"SELECT * FROM t", "SELECT id FROM t WHERE id % 1 = 0 ORDER BY -id", "SELECT a.id FROM t a JOIN t b ON a.id = b.id"} {
		for _, do := range []fault{dropRequest, dropReply} {
			pl := p.next("getMore", do, nil)
			rows, err := c.Query(ctx, sql)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for rows.Next() {
				n++
			}
			if err := rows.Err(); (err == nil) != (n == 30000) || err != nil && state(err) != "08006" {
				t.Errorf("%s: %d rows and %v", sql, n, err)
			}
			select {
			case <-pl.met:
			default:
				t.Errorf("%s: no getMore came", sql)
			}
		}
	}
}

// TestNoAnswer has MongoDB not answer single commands: a statement ends in time, its session lives on.
func TestNoAnswer(t *testing.T) {
	p, s := tapped(t)
	c := connect(t, s, "postgres")
	exec(t, c, "CREATE TABLE no_answer (id int PRIMARY KEY, n int)")
	exec(t, c, "INSERT INTO no_answer VALUES (1, 0)")
	exec(t, c, "SET statement_timeout = '500ms'")
	for _, x := range []struct{ command, sql string }{
		{"find", "SELECT * FROM no_answer WHERE id = 1"},
		{"aggregate", "SELECT count(*) FROM no_answer WHERE n = 0"},
		{"update", "UPDATE no_answer SET n = n + 1 WHERE id IN (1, 2)"},
	} {
		pl := p.next(x.command, holdRequest, nil)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		began := time.Now()
		_, err := c.Exec(ctx, x.sql)
		if d := time.Since(began); state(err) != "57014" || d > 8*time.Second {
			t.Errorf("%s: %v after %v", x.sql, err, d)
		}
		cancel()
		select {
		case <-pl.met:
		default:
			t.Errorf("%s: no %s came", x.sql, x.command)
		}
		close(pl.goOn)
	}
	exec(t, c, "SET statement_timeout = 0")
	exec(t, c, "UPDATE no_answer SET n = n + 1 WHERE id = 1")
	if n := number(t, c, "SELECT n FROM no_answer"); n != 1 {
		t.Errorf("n is %d", n)
	}
}
