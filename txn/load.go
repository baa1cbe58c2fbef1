package txn

import (
	"context"

	"github.com/pgmongo/pgmongo/mongo"
)

// loadBatch is how many rows at once make a bulk load: the executor sends them in batches of this size.
const loadBatch = 1000

// loads reports whether rows are better written outside the MongoDB transaction, which holds what it writes in the server's
// cache and fails with a part of it: CREATE TABLE t AS SELECT ... and a dump restored in one transaction may be of any size.
// It takes a collection that the SQL transaction has created, since nobody else sees that, and a rollback drops it. With a
// savepoint it is not done: ROLLBACK TO would have to find the rows again.
func (t *Stmt) loads(database, collection string, writes []mongo.Write) bool {
	s := t.s
	switch s.defs.made[place(database, collection)] {
	case notMade, changed:
		return false
	case madeEmpty:
		if len(writes) < loadBatch {
			return false
		}
	}
	if len(s.saves) > 0 || !s.opts.Isolation.committed() {
		return false
	}
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
	ns := place(database, collection)
	t.loaded = true
	t.s.defs.made[ns] = loaded
	mark(&t.s.defs.newer, ns)
	return t.classify(t.s.m.client.InsertMany(ctx, database, collection, writes))
}
