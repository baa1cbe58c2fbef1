package txn_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// lock runs SELECT ... FOR UPDATE of some rows and returns what it sees of those it got.
func (f *fixture) lock(s *txn.Session, wait txn.LockWait, mode txn.LockMode, ids ...int64) (string, error) {
	var got []string
	err := s.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		got = nil
		in := bson.A{}
		for _, n := range ids {
			in = append(in, n)
		}
		docs, err := query(ctx, st, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: in}}}})
		if err != nil {
			return false, err
		}
		keys := make([]bson.RawValue, len(docs))
		for i, d := range docs {
			keys[i] = d.Lookup("_id")
		}
		skipped, err := st.Lock(ctx, f.db, "c", keys, mode, wait)
		if err != nil {
			return false, err
		}
		for i, d := range docs {
			if !skipped[i] {
				got = append(got, d.Lookup("v").StringValue())
			}
		}
		return false, nil
	})
	return strings.Join(got, " "), err
}

func TestRowLockWaitsAndSeesTheNewVersion(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	a, b := f.session(), f.session()
	f.must(f.write(a, f.insert(1, "old"), f.insert(2, "free")))
	f.must(a.Begin(txn.Options{}))
	if got, err := f.lock(a, txn.WaitBlock, txn.LockUpdate, 1); got != "old" || err != nil {
		t.Fatal(got, err)
	}
	f.must(b.Begin(txn.Options{}))
	if got, err := f.lock(b, txn.WaitSkip, txn.LockUpdate, 1, 2); got != "free" || err != nil {
		t.Errorf("SKIP LOCKED gave %q, %v", got, err)
	}
	_, err := f.lock(f.session(), txn.WaitError, txn.LockUpdate, 1)
	wantCode(t, err, pgerr.LockNotAvailable)
	short := f.session()
	short.SetLockTimeouts(50*time.Millisecond, 0)
	_, err = f.lock(short, txn.WaitBlock, txn.LockUpdate, 1)
	wantCode(t, err, pgerr.LockNotAvailable)

	done := make(chan string)
	go func() {
		got, err := f.lock(b, txn.WaitBlock, txn.LockUpdate, 1)
		if err != nil {
			got = err.Error()
		}
		done <- got
	}()
	select {
	case got := <-done:
		t.Fatalf("did not wait: %q", got)
	case <-time.After(100 * time.Millisecond):
	}
	f.must(f.change(a, 1, set("new")))
	if _, err := a.Commit(f.ctx); err != nil {
		t.Fatal(err)
	}
	if got := <-done; got != "new" {
		t.Errorf("after the wait: %q", got)
	}
}

// A worker that reads the queue on a snapshot from before another worker's commit must not take the same job, though its
// lock is free by then.
func TestFreeLockOnAStaleRow(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	a, b := f.session(), f.session()
	f.must(f.write(a, f.insert(1, "waiting")))
	runs := 0
	var got string
	f.must(b.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		runs++
		docs, err := query(ctx, st, bson.D{})
		if err != nil {
			return false, err
		}
		if runs == 1 {
			f.must(f.change(a, 1, set("taken")))
		}
		if _, err := st.Lock(ctx, f.db, "c", []bson.RawValue{docs[0].Lookup("_id")}, txn.LockUpdate, txn.WaitSkip); err != nil {
			return false, err
		}
		got = docs[0].Lookup("v").StringValue()
		return false, nil
	}))
	if runs != 2 || got != "taken" {
		t.Errorf("%d runs, saw %q", runs, got)
	}
}

func TestShareLocks(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	a, b := f.session(), f.session()
	f.must(f.write(a, f.insert(1, "x")))
	f.must(a.Begin(txn.Options{}))
	f.must(b.Begin(txn.Options{}))
	for _, tc := range []struct {
		held, wanted txn.LockMode
		ok           bool
	}{
		{txn.LockKeyShare, txn.LockKeyShare, true},
		{txn.LockKeyShare, txn.LockShare, true},
		{txn.LockKeyShare, txn.LockNoKeyUpdate, true},
		{txn.LockKeyShare, txn.LockUpdate, false},
		{txn.LockShare, txn.LockShare, true},
		{txn.LockShare, txn.LockNoKeyUpdate, false},
		{txn.LockShare, txn.LockUpdate, false},
		{txn.LockNoKeyUpdate, txn.LockKeyShare, true},
		{txn.LockNoKeyUpdate, txn.LockShare, false},
		{txn.LockNoKeyUpdate, txn.LockNoKeyUpdate, false},
		{txn.LockUpdate, txn.LockKeyShare, false},
	} {
		f.must(a.Savepoint(f.ctx, "a"))
		f.must(b.Savepoint(f.ctx, "b"))
		if _, err := f.lock(a, txn.WaitError, tc.held, 1); err != nil {
			t.Fatal(err)
		}
		_, err := f.lock(b, txn.WaitError, tc.wanted, 1)
		if (err == nil) != tc.ok {
			t.Errorf("%d held, %d wanted: %v", tc.held, tc.wanted, err)
		}
		f.must(a.RollbackTo(f.ctx, "a"))
		f.must(b.RollbackTo(f.ctx, "b"))
	}
}

func TestDeadlock(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	a, b := f.session(), f.session()
	f.must(f.write(a, f.insert(1, "x"), f.insert(2, "y")))
	f.must(a.Begin(txn.Options{}))
	f.must(b.Begin(txn.Options{}))
	f.must(f.change(a, 1, set("a1")))
	f.must(f.change(b, 2, set("b2")))
	waits := make(chan error)
	go func() { waits <- f.change(a, 2, set("a2")) }()
	time.Sleep(100 * time.Millisecond)
	err := f.change(b, 1, set("b1"))
	wantCode(t, err, pgerr.DeadlockDetected)
	if e := pgerr.From(err); !strings.Contains(e.Detail, "Process 2 waits for") || !strings.Contains(e.Detail, "blocked by process 1.") {
		t.Errorf("detail %q", e.Detail)
	}
	f.must(<-waits)
	if ok, err := b.Commit(f.ctx); ok || err != nil {
		t.Error(ok, err)
	}
	if ok, err := a.Commit(f.ctx); !ok || err != nil {
		t.Error(ok, err)
	}
	f.expect(f.session(), "1:a1 2:a2")
}

func TestConcurrentIncrementsLoseNothing(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	f.must(f.write(f.session(), f.insert(1, int64(0))))
	const workers, each = 8, 15
	sessions := make([]*txn.Session, workers)
	for i := range sessions {
		sessions[i] = f.session()
	}
	var wg sync.WaitGroup
	errs := make(chan error, workers*each)
	for i, s := range sessions {
		wg.Go(func() {
			for range each {
				block := i%2 == 0
				if block {
					errs <- s.Begin(txn.Options{})
				}
				errs <- f.change(s, 1, func(v any) any { return v.(int64) + 1 })
				if block {
					_, err := s.Commit(f.ctx)
					errs <- err
				}
			}
		})
	}
	go func() { wg.Wait(); close(errs) }()
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	f.expect(f.session(), "1:120")
}

// Writers that bypass the lock table conflict on the server; each increment is one server-side update.
func TestForeignWritersAreWaitedFor(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	f.must(f.write(f.session(), f.insert(1, int64(0))))
	const each = 40
	foreign := make(chan error)
	go func() {
		for range each {
			if err := f.c.Write(f.ctx, f.db, "c", []mongo.Write{{Kind: mongo.WriteUpdate, ID: id(1), Doc: raw(t, bson.D{{Key: "$inc", Value: bson.D{{Key: "v", Value: int64(1)}}}})}}); err != nil {
				foreign <- err
				return
			}
		}
		foreign <- nil
	}()
	s := f.session()
	for range each {
		f.must(f.change(s, 1, func(v any) any { return v.(int64) + 1 }))
	}
	f.must(<-foreign)
	f.expect(s, "1:80")
}

func TestAdvisoryLocks(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	a, b := f.session(), f.session()
	k := txn.AdvisoryKey{Obj: 42}
	take := func(s *txn.Session, shared, xact bool) bool {
		ok, err := s.AdvisoryLock(f.ctx, k, shared, xact, true)
		f.must(err)
		return ok
	}
	for range 2 {
		if !take(a, false, false) {
			t.Error("an exclusive lock is re-entrant")
		}
	}
	if take(b, true, false) {
		t.Error("an exclusive lock excludes others")
	}
	if other, err := b.AdvisoryLock(f.ctx, txn.AdvisoryKey{Obj: 42, Two: true}, false, false, true); !other || err != nil {
		t.Error("keys of the two forms are different")
	}
	if !a.AdvisoryUnlock(k, false) || take(b, true, false) {
		t.Error("the second hold remains")
	}
	if !a.AdvisoryUnlock(k, false) || a.AdvisoryUnlock(k, false) {
		t.Error("two holds, two unlocks")
	}
	f.must(b.Begin(txn.Options{}))
	if !take(b, true, true) || !take(a, true, false) || take(a, false, false) {
		t.Error("shared locks go together and exclude an exclusive one")
	}
	if b.AdvisoryUnlock(k, true) {
		t.Error("a transaction's lock cannot be unlocked")
	}
	f.must(b.Rollback(f.ctx))
	if !take(a, false, false) {
		t.Error("the transaction's lock ends with it")
	}
	a.Close(f.ctx)
	if !take(b, false, false) {
		t.Error("a session's locks end with it")
	}
}
