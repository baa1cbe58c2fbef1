package operations

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// loadFixture is a table to load and MongoDB's view of its database.
type loadFixture struct {
	t    *testing.T
	ctx  context.Context
	conn *pgx.Conn
	// collections are those of the database by name, with their UUIDs.
	collections func() map[string]string
	// insert is what a program does that writes to MongoDB itself.
	insert func(id int) error
}

func newLoadFixture(t *testing.T) *loadFixture {
	s := testenv.Server(t)
	db := testenv.Database(t)
	s.CreateDatabase(t, db)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.URL(db))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	run(t, conn, "create table t (a int primary key, b text unique, c int default 7); create index on t (c)")
	m := driver(t, testenv.Mongo(t)).Database(db)
	return &loadFixture{
		t: t, ctx: ctx, conn: conn,
		collections: func() map[string]string {
			specs, err := m.ListCollectionSpecifications(ctx, bson.D{})
			if err != nil {
				t.Fatal(err)
			}
			out := map[string]string{}
			for _, c := range specs {
				out[c.Name] = fmt.Sprintf("%x", c.UUID.Data)
			}
			return out
		},
		insert: func(id int) error {
			_, err := m.Collection("t").InsertOne(ctx, bson.D{{Key: "_id", Value: int32(id)}})
			return err
		},
	}
}

func (f *loadFixture) copy(from, n int) error {
	var rows strings.Builder
	for i := range n {
		fmt.Fprintf(&rows, "%d\tx%d\n", from+i, from+i)
	}
	_, err := f.conn.PgConn().CopyFrom(f.ctx, strings.NewReader(rows.String()), "copy t (a, b) from stdin")
	return err
}

func (f *loadFixture) count() (n int) {
	f.t.Helper()
	if err := f.conn.QueryRow(f.ctx, "select count(*) from t where c = 7").Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// clean fails when a load has left a collection behind.
func (f *loadFixture) clean() {
	f.t.Helper()
	for name := range f.collections() {
		if strings.HasPrefix(name, "pgmongo.load.") {
			f.t.Errorf("the collection %s was left behind", name)
		}
	}
}

// TestLoadReplacesAnEmptyTable loads rows into an empty table: by another collection, which has the indexes of the first and
// takes its place at the end.
func TestLoadReplacesAnEmptyTable(t *testing.T) {
	f := newLoadFixture(t)
	before := f.collections()["t"]
	if err := f.copy(0, 5); err != nil {
		t.Fatal(err)
	}
	if f.collections()["t"] != before {
		t.Error("a few rows replaced the collection")
	}
	run(t, f.conn, "delete from t")

	if err := f.copy(0, 3000); err != nil {
		t.Fatal(err)
	}
	if f.collections()["t"] == before {
		t.Error("the rows were written to the table's collection")
	}
	if n := f.count(); n != 3000 {
		t.Errorf("%d rows, want 3000", n)
	}
	_, err := f.conn.Exec(f.ctx, "insert into t values (9999, 'x7')")
	wantCode(t, "a second x7", err, "23505")
	f.clean()
}

// TestFailedLoadLeavesNothing loads a key twice.
func TestFailedLoadLeavesNothing(t *testing.T) {
	f := newLoadFixture(t)
	rows := strings.Repeat("1\tx\n", 2)
	for i := range 3000 {
		rows += fmt.Sprintf("%d\ty%d\n", i+2, i)
	}
	_, err := f.conn.PgConn().CopyFrom(f.ctx, strings.NewReader(rows), "copy t (a, b) from stdin")
	wantCode(t, "a key that is there twice", err, "23505")
	if n := f.count(); n != 0 {
		t.Errorf("%d rows of a load that failed", n)
	}
	f.clean()
	if err := f.copy(0, 3000); err != nil {
		t.Error(err)
	}
}

// TestLoadOfATableInUse loads rows while another transaction has written to the table: both write to it as usual.
func TestLoadOfATableInUse(t *testing.T) {
	f := newLoadFixture(t)
	before := f.collections()["t"]
	other, err := pgx.Connect(f.ctx, f.conn.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(f.ctx)
	run(t, other, "begin; insert into t values (-1, 'other')")
	if err := f.copy(0, 3000); err != nil {
		t.Fatal(err)
	}
	run(t, other, "commit")
	if n := f.count(); n != 3001 {
		t.Errorf("%d rows, want 3001", n)
	}
	if f.collections()["t"] != before {
		t.Error("the collection was replaced")
	}
}

// TestLoadBesideAnotherProgram writes to the collection while it is being loaded: the other program's document stays, and the
// load fails.
func TestLoadBesideAnotherProgram(t *testing.T) {
	f := newLoadFixture(t)
	before := f.collections()["t"]
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := f.conn.PgConn().CopyFrom(f.ctx, r, "copy t (a, b) from stdin")
		done <- err
	}()
	for i := range 60000 {
		fmt.Fprintf(w, "%d\tx%d\n", i, i)
	}
	staged := false
	for name := range f.collections() {
		staged = staged || strings.HasPrefix(name, "pgmongo.load.")
	}
	if !staged {
		t.Fatal("the load has no collection")
	}
	if err := f.insert(-5); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a load beside another program", <-done, "40001")
	if err := f.insert(-6); err != nil {
		t.Errorf("the collection went on refusing documents: %v", err)
	}
	var n int
	if err := f.conn.QueryRow(f.ctx, "select count(*) from t").Scan(&n); err != nil || n != 2 {
		t.Errorf("%d rows, %v; want the other program's two", n, err)
	}
	if f.collections()["t"] != before {
		t.Error("the collection was replaced")
	}
	f.clean()
}
