package txn

import (
	"context"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// MongoDB keeps what a transaction writes in its cache and fails the transaction that takes a part of it, about 15 %: with a
// cache of 1 GB, some hundred thousand rows. CREATE TABLE t AS SELECT ..., COPY and a dump restored in one transaction may be
// of any size, so many rows are written outside of it where nobody can see them before the commit: into a collection that the
// SQL transaction has created, or one that takes the place of an empty table's at the end.

// loadBatch is how many rows at once make a bulk load: the executor sends them in batches of this size.
const loadBatch = 1000

// Loader lets a statement that is its own transaction load an empty table.
type Loader interface {
	// Begin makes a collection to write the table's rows to; "" says that they must be written to the table.
	Begin(ctx context.Context) (collection string, err error)
	// Finish makes it the table's. An error says that it did not.
	Finish(ctx context.Context) error
}

// loading is a statement's bulk load of a table that other sessions see.
type loading struct {
	ns     string
	loader Loader
	begun  bool
	// into is the collection that takes the rows, "" for the table's own.
	into string
}

// Load offers a loader for the table of that collection, for a statement that does nothing but insert into it.
func (t *Stmt) Load(collection string, l Loader) {
	if t.alone() {
		t.loading = &loading{ns: place(t.s.db, collection), loader: l}
	}
}

// loadsInto returns the collection that a statement's inserts are written to outside the MongoDB transaction; "" says that
// they belong into it. With a savepoint all do: ROLLBACK TO would have to find the rows again.
func (t *Stmt) loadsInto(ctx context.Context, database, collection string, writes []mongo.Write) (string, error) {
	s, ns := t.s, place(database, collection)
	offered := t.loading != nil && t.loading.ns == ns
	if offered && t.loading.into != "" {
		return t.loading.into, nil
	}
	made := s.defs.made[ns]
	switch {
	case len(s.saves) > 0 || !s.opts.Isolation.committed() || !allInserts(writes):
		return "", nil
	case made == loaded || made == madeEmpty && len(writes) >= loadBatch:
		s.defs.made[ns] = loaded
		return collection, nil
	case offered && !t.loading.begun && s.log.total() == 0 && len(writes) >= loadBatch:
		t.loading.begun = true
		var err error
		t.loading.into, err = t.loading.loader.Begin(ctx)
		return t.loading.into, err
	}
	return "", nil
}

// keepTogether makes a statement write into the MongoDB transaction because a routine that it calls may write there, too, or
// read what the statement has written: CREATE TABLE t (n int DEFAULT f()), where f() counts the rows of t.
func (t *Stmt) keepTogether() error {
	for ; t != nil; t = t.outer {
		if t.loading != nil && t.loading.into != "" {
			return pgerr.Unsupported("a routine's statement while a table is loaded")
		}
		t.loading = nil
	}
	return nil
}

func allInserts(writes []mongo.Write) bool {
	for i := range writes {
		if writes[i].Kind != mongo.WriteInsert {
			return false
		}
	}
	return true
}

// load writes rows at once. The open MongoDB transaction, if any, is older than they are: the next statement that uses the
// collection opens a new one.
func (t *Stmt) load(ctx context.Context, database, collection string, writes []mongo.Write) error {
	t.loaded = true
	mark(&t.s.defs.newer, place(database, collection))
	return t.classify(t.s.m.client.InsertMany(ctx, database, collection, writes))
}

// finishLoad puts what was loaded in the place of the table, the only change of its statement.
func (t *Stmt) finishLoad(ctx context.Context) error {
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.s.m.opts.CommitTimeout)
	defer cancel()
	if err := t.loading.loader.Finish(cctx); err != nil {
		return err
	}
	t.s.ended(ctx, true)
	return nil
}
