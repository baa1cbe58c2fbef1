package txn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/tests/testenv"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// fixture is one database with sessions over one manager.
type fixture struct {
	t   *testing.T
	ctx context.Context
	c   *mongo.Client
	m   *txn.Manager
	db  string
	pid int32
}

func newFixture(t *testing.T, o txn.ManagerOptions) *fixture {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	t.Cleanup(cancel)
	c, err := mongo.Connect(ctx, testenv.Mongo(t), mongo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{t: t, ctx: ctx, c: c, m: txn.NewManager(c, o), db: testenv.Database(t)}
	f.must(c.CreateCollection(ctx, f.db, "c", nil))
	return f
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) session() *txn.Session {
	f.pid++
	s := f.m.NewSession(f.db, 5, f.pid)
	f.t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func raw(t *testing.T, d bson.D) bson.Raw {
	t.Helper()
	b, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func id(n int64) bson.RawValue {
	_, b, err := bson.MarshalValue(n)
	if err != nil {
		panic(err)
	}
	return bson.RawValue{Type: bson.TypeInt64, Value: b}
}

func doc(n int64, v any) bson.D { return bson.D{{Key: "_id", Value: n}, {Key: "v", Value: v}} }

func (f *fixture) insert(n int64, v any) mongo.Write {
	return mongo.Write{Kind: mongo.WriteInsert, ID: id(n), Doc: raw(f.t, doc(n, v))}
}

// write runs a statement that writes.
func (f *fixture) write(s *txn.Session, ws ...mongo.Write) error {
	return s.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		return false, st.Write(ctx, "", "c", ws)
	})
}

// change runs a statement like UPDATE c SET v = f(v) WHERE _id = n: it reads, then writes.
func (f *fixture) change(s *txn.Session, n int64, v func(old any) any) error {
	return s.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		docs, err := query(ctx, st, bson.D{{Key: "_id", Value: n}})
		if err != nil || len(docs) == 0 {
			return false, err
		}
		var old struct{ V any }
		if err := bson.Unmarshal(docs[0], &old); err != nil {
			return false, err
		}
		return false, st.Write(ctx, f.db, "c", []mongo.Write{{
			Kind: mongo.WriteUpdate, ID: docs[0].Lookup("_id"), Before: docs[0],
			Doc: raw(f.t, bson.D{{Key: "$set", Value: bson.D{{Key: "v", Value: v(old.V)}}}}),
		}})
	})
}

func (f *fixture) remove(s *txn.Session, n int64) error {
	return s.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		docs, err := query(ctx, st, bson.D{{Key: "_id", Value: n}})
		if err != nil || len(docs) == 0 {
			return false, err
		}
		return false, st.Write(ctx, f.db, "c", []mongo.Write{{Kind: mongo.WriteDelete, ID: docs[0].Lookup("_id"), Before: docs[0]}})
	})
}

func set(v any) func(any) any { return func(any) any { return v } }

func query(ctx context.Context, st *txn.Stmt, filter bson.D) ([]bson.Raw, error) {
	cur, err := st.Read(ctx, mongo.Query{Collection: "c", Filter: filter, Sort: bson.D{{Key: "_id", Value: 1}}})
	if err != nil {
		return nil, err
	}
	defer cur.Close(ctx)
	var out []bson.Raw
	for {
		d, err := cur.Next(ctx)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
}

// rows shows what a session sees: "1:a 2:b".
func (f *fixture) rows(s *txn.Session) string {
	f.t.Helper()
	var out []string
	err := s.Run(f.ctx, txn.StatementOptions{}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		out = nil
		docs, err := query(ctx, st, bson.D{})
		for _, d := range docs {
			var x struct {
				ID int64 `bson:"_id"`
				V  any
			}
			if err := bson.Unmarshal(d, &x); err != nil {
				return false, err
			}
			out = append(out, fmt.Sprintf("%d:%v", x.ID, x.V))
		}
		return false, err
	})
	f.must(err)
	return strings.Join(out, " ")
}

func (f *fixture) expect(s *txn.Session, want string) {
	f.t.Helper()
	if got := f.rows(s); got != want {
		f.t.Errorf("rows %q, want %q", got, want)
	}
}

func wantCode(t *testing.T, err error, code pgerr.Code) {
	t.Helper()
	if !pgerr.Is(err, code) {
		t.Errorf("error %v, want SQLSTATE %s", err, code)
	}
}

func TestAutocommitIsVisibleAtOnce(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	a, b := f.session(), f.session()
	for n := range int64(50) {
		f.must(f.write(a, f.insert(2*n, "x"), f.insert(2*n+1, "y")))
		var got int
		f.must(b.Run(f.ctx, txn.StatementOptions{}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
			docs, err := query(ctx, st, bson.D{})
			got = len(docs)
			return false, err
		}))
		if got != int(2*n+2) {
			t.Fatalf("%d rows after %d inserts", got, 2*n+2)
		}
	}
}

func TestWriteOnceMapsDuplicates(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	once := func() error {
		return s.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
			return false, st.WriteOnce(ctx, "", "c", f.insert(1, "a"))
		})
	}
	f.must(once())
	err := once()
	wantCode(t, err, pgerr.UniqueViolation)
	if e := mongo.AsServerError(err); e == nil || e.Index != "_id_" || e.KeyValue.Lookup("_id").AsInt64() != 1 {
		t.Errorf("server error %+v", e)
	}
	f.expect(s, "1:a")
}

func TestBlockCommitAndRollback(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s, other := f.session(), f.session()
	f.must(s.Begin(txn.Options{}))
	if s.Status() != 'T' {
		t.Errorf("status %c", s.Status())
	}
	f.must(f.write(s, f.insert(1, "a")))
	f.expect(s, "1:a")
	f.expect(other, "")
	if ok, err := s.Commit(f.ctx); !ok || err != nil {
		t.Fatal(ok, err)
	}
	f.expect(other, "1:a")
	f.must(s.Begin(txn.Options{}))
	f.must(f.change(s, 1, set("b")))
	f.must(f.remove(s, 1))
	f.must(s.Rollback(f.ctx))
	f.expect(other, "1:a")
	wantCode(t, s.Rollback(f.ctx), pgerr.NoActiveSQLTransaction)
	wantCode(t, func() error { _, err := s.Commit(f.ctx); return err }(), pgerr.NoActiveSQLTransaction)
}

func TestFailedBlock(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	f.must(f.write(s, f.insert(1, "a")))
	f.must(s.Begin(txn.Options{}))
	f.must(f.write(s, f.insert(2, "b")))
	wantCode(t, f.write(s, f.insert(1, "dup")), pgerr.UniqueViolation)
	if s.Status() != 'E' {
		t.Errorf("status %c", s.Status())
	}
	wantCode(t, f.write(s, f.insert(3, "c")), pgerr.InFailedSQLTransaction)
	wantCode(t, s.Savepoint(f.ctx, "x"), pgerr.InFailedSQLTransaction)
	if ok, err := s.Commit(f.ctx); ok || err != nil {
		t.Error(ok, err)
	}
	f.expect(s, "1:a")
}

func TestSavepoints(t *testing.T) {
	for _, tc := range []struct {
		name string
		// broken makes the server's transaction die in the failing statement, so that the log is replayed.
		broken bool
	}{{"undone in place", false}, {"replayed", true}} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, txn.ManagerOptions{})
			s := f.session()
			f.must(f.write(s, f.insert(1, "a"), f.insert(2, "b")))
			f.must(s.Begin(txn.Options{}))
			f.must(f.write(s, f.insert(3, "c")))
			f.must(s.Savepoint(f.ctx, "one"))
			f.must(f.change(s, 1, set("A")))
			f.must(s.Savepoint(f.ctx, "two"))
			f.must(f.remove(s, 2))
			f.must(f.write(s, f.insert(4, "d")))
			f.must(f.change(s, 1, set("AA")))
			if tc.broken {
				wantCode(t, f.write(s, f.insert(5, "e"), f.insert(3, "dup")), pgerr.UniqueViolation)
				if s.Status() != 'E' {
					t.Errorf("status %c", s.Status())
				}
			}
			f.must(s.RollbackTo(f.ctx, "two"))
			f.expect(s, "1:A 2:b 3:c")
			f.must(f.write(s, f.insert(4, "D")))
			f.must(s.RollbackTo(f.ctx, "one"))
			f.expect(s, "1:a 2:b 3:c")
			wantCode(t, s.RollbackTo(f.ctx, "two"), pgerr.InvalidSavepointSpecification)
			if s.Status() != 'E' {
				t.Errorf("status %c after an unknown savepoint", s.Status())
			}
			f.must(s.RollbackTo(f.ctx, "one"))
			f.must(f.change(s, 2, set("B")))
			f.must(s.Release(f.ctx, "one"))
			if _, err := s.Commit(f.ctx); err != nil {
				t.Fatal(err)
			}
			f.expect(f.session(), "1:a 2:B 3:c")
		})
	}
}

func TestUndoRestoresDocumentsExactly(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	before := raw(t, bson.D{{Key: "_id", Value: int64(1)}, {Key: "z", Value: nil}, {Key: "v", Value: bson.A{1, nil, "x"}}, {Key: "a", Value: bson.D{{Key: "q", Value: 1.5}}}})
	f.must(f.write(s, mongo.Write{Kind: mongo.WriteInsert, ID: id(1), Doc: before}))
	f.must(s.Begin(txn.Options{}))
	f.must(s.Savepoint(f.ctx, "s"))
	f.must(s.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		return false, st.Write(ctx, f.db, "c", []mongo.Write{{
			Kind: mongo.WriteUpdate, ID: id(1), Before: before,
			Doc: raw(t, bson.D{{Key: "$unset", Value: bson.D{{Key: "z", Value: ""}}}, {Key: "$set", Value: bson.D{{Key: "a.q", Value: 2}, {Key: "n", Value: 1}}}}),
		}})
	}))
	f.must(s.RollbackTo(f.ctx, "s"))
	f.must(func() error { _, err := s.Commit(f.ctx); return err }())
	var docs []bson.Raw
	f.must(s.Run(f.ctx, txn.StatementOptions{}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		var err error
		docs, err = query(ctx, st, bson.D{})
		return false, err
	}))
	if len(docs) != 1 || !slices.Equal(docs[0], before) {
		t.Errorf("documents %v, want %v", docs, before)
	}
}

// A foreign writer, that is one that does not come through the lock table, makes conflicts on the server.
func TestForeignConflictIsReplayed(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	f.must(f.write(s, f.insert(1, int64(1)), f.insert(2, int64(1))))
	f.must(s.Begin(txn.Options{}))
	f.must(f.change(s, 1, set(int64(10))))
	f.must(f.c.Write(f.ctx, f.db, "c", []mongo.Write{{Kind: mongo.WriteUpdate, ID: id(2), Doc: raw(t, bson.D{{Key: "$set", Value: bson.D{{Key: "v", Value: int64(5)}}}})}}))
	f.must(f.change(s, 2, func(v any) any { return v.(int64) + 1 }))
	f.expect(s, "1:10 2:6")
	f.must(func() error { _, err := s.Commit(f.ctx); return err }())
	f.expect(s, "1:10 2:6")
}

func TestReplayRefusesChangedPreImages(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	f.must(f.write(s, f.insert(1, int64(1))))
	f.must(s.Begin(txn.Options{}))
	f.must(f.change(s, 1, set(int64(10))))
	f.must(s.Outside(f.ctx, func(ctx context.Context) error {
		return f.c.Write(ctx, f.db, "c", []mongo.Write{{Kind: mongo.WriteUpdate, ID: id(1), Doc: raw(t, bson.D{{Key: "$set", Value: bson.D{{Key: "v", Value: int64(5)}}}})}})
	}))
	_, err := s.Commit(f.ctx)
	wantCode(t, err, pgerr.SerializationFailure)
	f.expect(s, "1:5")
	if s.Status() != 'I' {
		t.Errorf("status %c", s.Status())
	}
}

func TestOutsideLetsIndexesBeBuilt(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	f.must(s.Begin(txn.Options{}))
	f.must(f.write(s, f.insert(1, "a")))
	var ended []string
	s.OnTransactionEnd(func(context.Context) { ended = append(ended, "commit") }, func(context.Context) { ended = append(ended, "rollback") })
	f.must(s.Outside(f.ctx, func(ctx context.Context) error {
		return f.c.CreateIndex(ctx, f.db, "c", mongo.IndexInfo{Name: "c_v_key", Keys: bson.D{{Key: "v", Value: 1}}, Unique: true})
	}))
	f.must(f.c.CreateCollection(f.ctx, f.db, "fresh", nil))
	f.must(s.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		return false, st.Write(ctx, "", "fresh", []mongo.Write{f.insert(1, "in the new collection")})
	}))
	f.expect(s, "1:a")
	f.must(func() error { _, err := s.Commit(f.ctx); return err }())
	f.expect(s, "1:a")
	if !slices.Equal(ended, []string{"commit"}) {
		t.Errorf("hooks %v", ended)
	}
	err := f.write(s, f.insert(2, "a"))
	wantCode(t, err, pgerr.UniqueViolation)
	if e := mongo.AsServerError(err); e == nil || e.Index != "c_v_key" {
		t.Errorf("server error %+v", e)
	}
}

// TestOutsideOfKeepsTheTransaction makes two collections beside an open MongoDB transaction: it goes on, also in what it
// reads of them before it writes, and starts anew to write them.
func TestOutsideOfKeepsTheTransaction(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	f.must(s.Begin(txn.Options{}))
	f.must(f.write(s, f.insert(1, "a")))
	for _, name := range []string{"one", "two"} {
		f.must(s.OutsideOf(f.ctx, f.db, name, func(ctx context.Context) error {
			s.Made(f.db, name)
			if err := f.c.CreateCollection(ctx, f.db, name, nil); err != nil {
				return err
			}
			return f.c.CreateIndex(ctx, f.db, name, mongo.IndexInfo{Name: "v", Keys: bson.D{{Key: "v", Value: 1}}, Unique: true})
		}))
	}
	rows := func() (n int) {
		f.must(s.Run(f.ctx, txn.StatementOptions{Log: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
			cur, err := st.Read(ctx, mongo.Query{Collection: "two"})
			if err != nil {
				return false, err
			}
			for {
				if _, err := cur.Next(ctx); err == io.EOF {
					return false, cur.Close(ctx)
				} else if err != nil {
					return false, err
				}
				n++
			}
		}))
		return n
	}
	if n := rows(); n != 0 {
		t.Errorf("%d rows in a new collection", n)
	}
	f.must(f.write(s, f.insert(2, "b")))
	f.must(s.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		return false, st.Write(ctx, "", "two", []mongo.Write{f.insert(1, "x")})
	}))
	if n := rows(); n != 1 {
		t.Errorf("%d rows after one was written", n)
	}
	// The collection is in use by now: building an index on it aborts the transaction, and its log comes back.
	f.must(s.OutsideOf(f.ctx, f.db, "two", func(ctx context.Context) error {
		return f.c.CreateIndex(ctx, f.db, "two", mongo.IndexInfo{Name: "w", Keys: bson.D{{Key: "w", Value: 1}}})
	}))
	if n := rows(); n != 1 {
		t.Errorf("%d rows after an index was built", n)
	}
	f.must(func() error { _, err := s.Commit(f.ctx); return err }())
	f.expect(s, "1:a 2:b")
	if n := rows(); n != 1 {
		t.Errorf("%d rows after the commit", n)
	}
}

func TestHooksFollowSavepoints(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	var ran []string
	add := func(name string) {
		s.OnTransactionEnd(func(context.Context) { ran = append(ran, "commit "+name) }, func(context.Context) { ran = append(ran, "rollback "+name) })
	}
	f.must(s.Begin(txn.Options{}))
	add("a")
	f.must(s.Savepoint(f.ctx, "x"))
	add("b")
	add("c")
	f.must(s.RollbackTo(f.ctx, "x"))
	add("d")
	f.must(func() error { _, err := s.Commit(f.ctx); return err }())
	want := []string{"rollback c", "rollback b", "commit a", "commit d"}
	if !slices.Equal(ran, want) {
		t.Errorf("hooks %v, want %v", ran, want)
	}
}

func TestReadCommittedSeesOthersCommits(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s, other := f.session(), f.session()
	f.must(s.Begin(txn.Options{}))
	f.must(f.write(s, f.insert(1, "mine")))
	f.must(f.write(other, f.insert(2, "theirs")))
	f.expect(s, "1:mine 2:theirs")
	f.must(s.Rollback(f.ctx))
	f.expect(s, "2:theirs")
}

func TestRepeatableRead(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		t.Run(fmt.Sprintf("read only %v", readOnly), func(t *testing.T) {
			f := newFixture(t, txn.ManagerOptions{})
			s, other := f.session(), f.session()
			f.must(f.write(other, f.insert(1, "a")))
			f.must(s.Begin(txn.Options{Isolation: txn.RepeatableRead, ReadOnly: readOnly}))
			f.expect(s, "1:a")
			f.must(f.change(other, 1, set("b")))
			f.expect(s, "1:a")
			if readOnly {
				wantCode(t, f.write(s, f.insert(2, "x")), pgerr.ReadOnlySQLTransaction)
			} else {
				wantCode(t, f.change(s, 1, set("c")), pgerr.SerializationFailure)
			}
			f.must(s.Rollback(f.ctx))
			f.expect(s, "1:b")
		})
	}
}

func TestSetTransactionAfterAQuery(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	f.must(s.Begin(txn.Options{}))
	f.must(s.SetOptions(txn.Options{Isolation: txn.RepeatableRead}))
	f.expect(s, "")
	wantCode(t, s.SetOptions(txn.Options{}), pgerr.ActiveSQLTransaction)
}

func TestImplicitBlock(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	f.must(s.BeginImplicit(txn.Options{}))
	f.must(f.write(s, f.insert(1, "a")))
	wantCode(t, s.Savepoint(f.ctx, "x"), pgerr.NoActiveSQLTransaction)
	wantCode(t, f.write(s, f.insert(1, "dup")), pgerr.UniqueViolation)
	if s.Status() != 'I' {
		t.Errorf("status %c", s.Status())
	}
	f.must(s.EndImplicit(f.ctx))
	f.expect(s, "")
	f.must(s.BeginImplicit(txn.Options{}))
	f.must(f.write(s, f.insert(1, "a")))
	f.must(s.EndImplicit(f.ctx))
	f.expect(s, "1:a")
}

func TestCursorKeepsItsRows(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	f.must(f.write(s, f.insert(1, "a"), f.insert(2, "b"), f.insert(3, "c")))
	f.must(s.Begin(txn.Options{}))
	f.must(f.change(s, 3, set("C")))
	st, err := s.Start(f.ctx, txn.StatementOptions{})
	f.must(err)
	cur, err := st.Read(f.ctx, mongo.Query{Collection: "c", Sort: bson.D{{Key: "_id", Value: 1}}, BatchSize: 1})
	f.must(err)
	value := func() string {
		d, err := cur.Next(f.ctx)
		f.must(err)
		return d.Lookup("v").StringValue()
	}
	if v := value(); v != "a" {
		t.Errorf("first row %q", v)
	}
	f.must(f.change(s, 2, set("changed")))
	f.must(s.Outside(f.ctx, func(context.Context) error { return nil }))
	if v := value(); v != "b" {
		t.Errorf("second row %q", v)
	}
	if v := value(); v != "C" {
		t.Errorf("third row %q", v)
	}
	f.must(cur.Close(f.ctx))
	f.must(st.Finish(f.ctx, nil))
}

type countingCheck struct {
	runs int
	err  error
}

func (c *countingCheck) Run(context.Context, txn.Statement) error { c.runs++; return c.err }

func (c *countingCheck) Merge(txn.Check) {}

func TestDeferredChecks(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	check := &countingCheck{}
	pend := func() error {
		return s.Run(f.ctx, txn.StatementOptions{Write: true}, func(_ context.Context, st *txn.Stmt) (bool, error) {
			st.Pending(7, st.Deferred(7, true), func() txn.Check { return check })
			return false, nil
		})
	}
	f.must(pend())
	if check.runs != 1 {
		t.Errorf("%d runs after an autocommit statement", check.runs)
	}
	f.must(s.Begin(txn.Options{}))
	f.must(pend())
	f.must(pend())
	if check.runs != 1 {
		t.Errorf("%d runs before commit", check.runs)
	}
	f.must(s.SetConstraints(f.ctx, nil, false))
	if check.runs != 2 {
		t.Errorf("%d runs after SET CONSTRAINTS ALL IMMEDIATE", check.runs)
	}
	f.must(pend())
	if check.runs != 3 {
		t.Errorf("%d runs after an immediate statement", check.runs)
	}
	f.must(s.SetConstraints(f.ctx, []uint32{7}, true))
	f.must(f.write(s, f.insert(1, "a")))
	f.must(pend())
	check.err = pgerr.New(pgerr.ForeignKeyViolation, "violated")
	_, err := s.Commit(f.ctx)
	wantCode(t, err, pgerr.ForeignKeyViolation)
	f.expect(s, "")
}

func TestCancelledStatementStopsOnTheServer(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s := f.session()
	var ws []mongo.Write
	for n := range int64(300) {
		ws = append(ws, f.insert(n, "x"))
	}
	f.must(f.write(s, ws...))
	ctx, cancel := context.WithTimeout(f.ctx, 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := s.Run(ctx, txn.StatementOptions{}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		cur, err := st.Read(ctx, mongo.Query{Collection: "c", Comment: "to be cancelled", Pipeline: bson.A{
			bson.D{{Key: "$match", Value: bson.D{{Key: "$expr", Value: bson.D{{Key: "$function", Value: bson.D{
				{Key: "body", Value: "function() { sleep(1000); return false }"}, {Key: "args", Value: bson.A{}}, {Key: "lang", Value: "js"},
			}}}}}}},
		}})
		if err != nil {
			return false, err
		}
		_, err = cur.Next(ctx)
		return false, errors.Join(err, cur.Close(ctx))
	})
	wantCode(t, err, pgerr.QueryCanceled)
	if d := time.Since(began); d > 60*time.Second { // uncancelled it takes five minutes
		t.Errorf("cancelled after %v", d)
	}
	for deadline := time.Now().Add(3 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out, err := f.c.Run(f.ctx, "admin", bson.D{{Key: "currentOp", Value: 1}, {Key: "command.comment", Value: "to be cancelled"}})
		f.must(err)
		inprog, err := out.Lookup("inprog").Array().Values()
		f.must(err)
		if len(inprog) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("still running: %v", inprog)
		}
	}
	f.must(f.write(s, f.insert(1000, "the session goes on")))
}

func TestLogLimit(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{LogLimit: 4000})
	s := f.session()
	big := strings.Repeat("x", 1000)
	f.must(s.Begin(txn.Options{}))
	for n := range int64(10) {
		f.must(f.write(s, f.insert(n, big)))
	}
	f.must(func() error { _, err := s.Commit(f.ctx); return err }())
	f.must(s.Begin(txn.Options{}))
	f.must(s.Savepoint(f.ctx, "x"))
	var err error
	for n := int64(100); n < 110 && err == nil; n++ {
		err = f.write(s, f.insert(n, big))
	}
	wantCode(t, err, pgerr.OutOfMemory)
	f.must(s.RollbackTo(f.ctx, "x"))
	f.must(f.write(s, f.insert(200, "small")))
	f.must(func() error { _, err := s.Commit(f.ctx); return err }())
	if got := strings.Count(f.rows(s), ":"); got != 11 {
		t.Errorf("%d rows", got)
	}
}

// TestLoadOfOwnCollection writes many rows into a collection that the transaction has created: outside the MongoDB
// transaction, seen by the transaction's own reads, and gone with the collection after a rollback.
func TestLoadOfOwnCollection(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	inserts := func(from, n int64) []mongo.Write {
		ws := make([]mongo.Write, n)
		for i := range ws {
			ws[i] = f.insert(from+int64(i), "a")
		}
		return ws
	}
	write := func(s *txn.Session, ws []mongo.Write) error {
		return s.Run(f.ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
			return false, st.Write(ctx, "", "own", ws)
		})
	}
	count := func(s *txn.Session) (n int) {
		f.must(s.Run(f.ctx, txn.StatementOptions{}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
			cur, err := st.Read(ctx, mongo.Query{Collection: "own"})
			if err != nil {
				return false, err
			}
			for n = 0; ; n++ {
				if _, err := cur.Next(ctx); err == io.EOF {
					return false, cur.Close(ctx)
				} else if err != nil {
					return false, err
				}
			}
		}))
		return n
	}
	begin := func() *txn.Session {
		s := f.session()
		f.must(s.Begin(txn.Options{}))
		f.must(f.write(s, f.insert(time.Now().UnixNano(), "a")))
		f.must(s.OutsideOf(f.ctx, f.db, "own", func(ctx context.Context) error {
			s.Made(f.db, "own")
			s.OnTransactionEnd(nil, func(ctx context.Context) { f.must(f.c.DropCollection(ctx, f.db, "own")) })
			return f.c.CreateCollection(ctx, f.db, "own", nil)
		}))
		return s
	}

	s := begin()
	if n := count(s); n != 0 {
		t.Errorf("%d rows of a new collection", n)
	}
	f.must(write(s, inserts(0, 1000)))
	f.must(write(s, inserts(1000, 10)))
	other := f.session()
	if n := count(other); n != 1010 {
		t.Errorf("%d rows were loaded outside the transaction, want 1010", n)
	}
	if n := count(s); n != 1010 {
		t.Errorf("%d rows seen by the transaction that loaded them, want 1010", n)
	}
	f.must(s.Savepoint(f.ctx, "a"))
	f.must(write(s, inserts(2000, 1000)))
	if n := count(s); n != 2010 {
		t.Errorf("%d rows, want 2010", n)
	}
	f.must(s.RollbackTo(f.ctx, "a"))
	if n := count(s); n != 1010 {
		t.Errorf("%d rows after ROLLBACK TO, want 1010", n)
	}
	f.must(s.Rollback(f.ctx))
	if n := count(other); n != 0 {
		t.Errorf("%d rows after ROLLBACK", n)
	}

	s = begin()
	f.must(write(s, inserts(0, 1000)))
	if err := write(s, inserts(0, 1000)); !pgerr.Is(err, pgerr.UniqueViolation) {
		t.Errorf("a key that is there twice gave %v", err)
	}
	f.must(s.Rollback(f.ctx))

	s = begin()
	f.must(write(s, inserts(0, 1000)))
	if _, err := s.Commit(f.ctx); err != nil {
		t.Fatal(err)
	}
	if n := count(other); n != 1000 {
		t.Errorf("%d rows after COMMIT, want 1000", n)
	}
}
