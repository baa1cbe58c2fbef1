package store

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// worker does the work of one DDL statement.
type worker struct {
	*physical
	env   *expr.Env
	after *catalog.Snapshot
	// fresh are the collections that this statement made: nobody else sees them.
	fresh map[string]bool
	// rewritten are the tables whose documents this statement has changed in the transaction, where an index that is built
	// outside of it does not see the changes.
	rewritten map[string]bool
	// orders are documents of jobs that the commit writes.
	orders map[string]bson.Raw
}

func (w *worker) do(ctx context.Context, item ddl.Work) error {
	switch x := item.(type) {
	case ddl.CreateCollection:
		return w.createCollection(ctx, x.Table)
	case ddl.DropCollection:
		return w.dropCollection(x.Table)
	case ddl.CreateIndex:
		return w.createIndex(ctx, x.Table, x.Index)
	case ddl.BuildKeys:
		return w.buildKeys(ctx, x)
	case ddl.DropKeys:
		w.dropKeys(x.Table, x.Index)
		return nil
	case ddl.DropIndex:
		return w.dropIndex(x.Table, x.Index)
	case ddl.Truncate:
		return w.truncate(ctx, x.Table)
	case ddl.CreateSequence:
		return w.session.DropSequence(ctx, x.Sequence.OID) // a crash may have left the state of one with this OID
	case ddl.DropSequence:
		return w.dropSequence(x.Sequence)
	case ddl.ResetSequence:
		return w.resetSequence(ctx, x.Sequence, x.Value)
	case ddl.ClearField:
		return w.clear(ctx, x)
	case ddl.UnsetNulls:
		return w.unsetNulls(ctx, x.Table, x.Column)
	case ddl.FillMissing:
		return w.fillMissing(ctx, x.Table, x.Column)
	case ddl.Rewrite:
		return w.rewrite(ctx, x)
	case ddl.CheckRows:
		return w.checkRows(ctx, x)
	case ddl.CheckForeignKey:
		return w.checkForeignKey(ctx, x)
	}
	return pgerr.Internal("unknown work %T", item)
}

// detached is a context for what must be done although the statement's own was cancelled.
func detached(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
}

// createCollection makes a table's collection with its indexes, outside the transaction; a rollback removes it.
func (w *worker) createCollection(ctx context.Context, rel *catalog.Relation) error {
	rel = w.latest(rel)
	temp := rel.Persistence == 't'
	err := w.session.OutsideOf(ctx, w.database, rel.Collection, func(ctx context.Context) error {
		job := ""
		if !temp {
			var err error
			if job, err = w.store.announce(ctx, w.database, rel.Collection); err != nil {
				return err
			}
			// The transaction may be older than the job, so it cannot remove it; done twice, the job does nothing to a table.
			w.session.OnTransactionEnd(func(ctx context.Context) {
				ctx, cancel := detached(ctx)
				defer cancel()
				_ = w.store.removeJob(ctx, w.database, job)
			}, nil)
		}
		w.undo(func(ctx context.Context) error {
			err := w.store.client.DropCollection(ctx, w.database, rel.Collection)
			if err == nil && job != "" {
				err = w.store.removeJob(ctx, w.database, job)
			}
			return err // the job is done at a later start
		})
		if err := w.store.client.CreateCollection(ctx, w.database, rel.Collection, nil); err != nil {
			return err
		}
		w.fresh[rel.Collection] = true
		w.session.Made(w.database, rel.Collection)
		for _, idx := range rel.Indexes {
			if idx.Hidden != "" {
				if err := w.store.buildKeyIndex(ctx, w.database, rel, idx); err != nil {
					return err
				}
			}
			if idx.MongoName == "" || idx.MongoName == "_id_" || sharedBefore(rel, idx) {
				continue
			}
			if err := w.store.buildIndex(ctx, w.database, rel, idx, false); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// undo makes a rollback, also one to a savepoint, run f outside the transaction: what f touches may be locked by it. An
// error of f has nobody to go to: what stays behind is in nobody's way.
func (w *worker) undo(f func(context.Context) error) {
	w.session.OnTransactionEnd(nil, func(ctx context.Context) {
		ctx, cancel := detached(ctx)
		defer cancel()
		done := false
		err := w.session.Outside(ctx, func(ctx context.Context) error {
			done = true
			return f(ctx)
		})
		if err != nil && !done {
			_ = f(ctx)
		}
	})
}

// latest is the relation as the statement leaves it: what comes later in a statement may still have changed it.
func (w *worker) latest(rel *catalog.Relation) *catalog.Relation {
	if r := w.after.RelationByOID(rel.OID); r != nil {
		return r
	}
	return rel
}

// sharedBefore reports whether an earlier index of the table is the same one in MongoDB.
func sharedBefore(rel *catalog.Relation, idx *catalog.Index) bool {
	for _, o := range rel.Indexes {
		if o == idx {
			return false
		}
		if o.MongoName == idx.MongoName {
			return true
		}
	}
	return false
}

// order makes the commit write a job, and runs it after the commit.
func (w *worker) order(j jobDoc, run func(ctx context.Context) error) error {
	j.At = time.Now()
	doc, err := bson.Marshal(j)
	if err != nil {
		return pgerr.Internal("job document: %w", err)
	}
	if w.orders == nil {
		w.orders = map[string]bson.Raw{}
	}
	w.orders[j.ID] = doc
	w.session.OnTransactionEnd(func(ctx context.Context) {
		ctx, cancel := detached(ctx)
		defer cancel()
		if err := run(ctx); err == nil {
			_ = w.store.removeJob(ctx, w.database, j.ID) // it is done again, without effect, at a later start
		}
	}, nil)
	return nil
}

func (w *worker) dropCollection(rel *catalog.Relation) error {
	drop := func(ctx context.Context) error { return w.store.client.DropCollection(ctx, w.database, rel.Collection) }
	if rel.Collection == "" || len(rel.Unwind) > 0 {
		return nil
	}
	if rel.Persistence == 't' {
		w.session.OnTransactionEnd(func(ctx context.Context) {
			ctx, cancel := detached(ctx)
			defer cancel()
			_ = drop(ctx) // the session drops what is left of its temporary tables at its end
		}, nil)
		return nil
	}
	return w.order(jobDoc{ID: jobID("drop", rel.Collection) + ":" + bson.NewObjectID().Hex(), Collection: rel.Collection}, drop)
}

// each calls f for every document of a collection that the transaction sees. The batch is read before f is called, since f
// may write.
func (p *physical) each(ctx context.Context, q mongo.Query, f func(bson.Raw) error) error {
	cursor, err := p.stmt.Read(ctx, q)
	if err != nil {
		return err
	}
	for {
		doc, err := cursor.Next(ctx)
		if errors.Is(err, io.EOF) {
			return cursor.Close(ctx)
		}
		if err == nil {
			err = f(doc)
		}
		if err != nil {
			return errors.Join(err, cursor.Close(ctx))
		}
	}
}

// writeBatch is how many changes are sent at once.
const writeBatch = 1000

// rewriteDocs reads all documents of a collection and writes what change makes of them; nil changes nothing. The reading is
// finished before the first write: a document that a write moves would be met twice.
func (p *physical) rewriteDocs(ctx context.Context, collection string, change func(bson.Raw) ([]mongo.Write, error)) error {
	var writes []mongo.Write
	err := p.each(ctx, mongo.Query{Database: p.database, Collection: collection, Filter: bson.D{}}, func(doc bson.Raw) error {
		ws, err := change(slices.Clone(doc))
		writes = append(writes, ws...)
		return err
	})
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(writes, writeBatch) {
		if err := p.stmt.Write(ctx, p.database, collection, batch); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) truncate(ctx context.Context, rel *catalog.Relation) error {
	return w.rewriteDocs(ctx, rel.Collection, func(doc bson.Raw) ([]mongo.Write, error) {
		return []mongo.Write{{Kind: mongo.WriteDelete, ID: doc.Lookup("_id"), Before: doc}}, nil
	})
}

func (w *worker) dropSequence(seq *catalog.Relation) error {
	w.session.OnTransactionEnd(func(ctx context.Context) {
		ctx, cancel := detached(ctx)
		defer cancel()
		_ = w.session.DropSequence(ctx, seq.OID) // the state of a dropped sequence is in nobody's way
	}, nil)
	return nil
}

func sequence(rel *catalog.Relation) txn.Sequence {
	q := rel.Sequence
	return txn.Sequence{OID: rel.OID, Name: rel.Name, Start: q.Start, Increment: q.Increment, Min: q.Min, Max: q.Max, Cache: q.Cache, Cycle: q.Cycle}
}

// resetSequence sets a sequence at once, since nextval works outside transactions, and sets it back on rollback.
func (w *worker) resetSequence(ctx context.Context, rel *catalog.Relation, value int64) error {
	q := sequence(rel)
	last, called, err := w.session.SequenceState(ctx, q)
	if err != nil {
		return err
	}
	w.session.OnTransactionEnd(nil, func(ctx context.Context) {
		ctx, cancel := detached(ctx)
		defer cancel()
		_ = w.session.SetVal(ctx, q, last, called) // as with nextval, a rollback may leave a gap
	})
	return w.session.SetVal(ctx, q, value, false)
}

func (w *worker) clear(ctx context.Context, x ddl.ClearField) error {
	if len(x.Path) == 0 || x.Path[0] == "_id" && len(x.Path) == 1 {
		return nil
	}
	if !x.Now {
		j := jobDoc{ID: jobID("clear", x.Table.Collection) + ":" + bson.NewObjectID().Hex(), Collection: x.Table.Collection, Field: x.Path}
		return w.order(j, func(ctx context.Context) error {
			declared, err := w.store.Snapshot(ctx, w.database)
			if err != nil {
				return err
			}
			return w.store.clearField(ctx, w.database, x.Table.Collection, x.Path, declared)
		})
	}
	return w.rewriteDocs(ctx, x.Table.Collection, func(doc bson.Raw) ([]mongo.Write, error) {
		if _, err := doc.LookupErr(x.Path...); err != nil {
			return nil, nil
		}
		return []mongo.Write{{Kind: mongo.WriteReplace, ID: doc.Lookup("_id"), Before: doc, Doc: withoutField(doc, x.Path[0])}}, nil
	})
}

// withoutField copies a document without one of its top-level fields.
func withoutField(doc bson.Raw, key string) bson.Raw {
	out := []byte{0, 0, 0, 0}
	elems, err := doc.Elements()
	if err != nil {
		return doc
	}
	for _, e := range elems {
		if e.Key() != key {
			out = append(out, e...)
		}
	}
	out = append(out, 0)
	n := len(out)
	out[0], out[1], out[2], out[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
	return out
}

// unsetNulls and fillMissing change how values are stored and not what they are, so that they need no transaction: the
// index that they prepare for is built outside of one, too.
func (w *worker) unsetNulls(ctx context.Context, rel *catalog.Relation, col *catalog.Column) error {
	if w.fresh[rel.Collection] {
		return nil
	}
	path := pathOf(col)
	return w.session.Outside(ctx, func(ctx context.Context) error {
		_, err := w.store.client.Run(ctx, w.database, bson.D{
			{Key: "update", Value: rel.Collection},
			{Key: "updates", Value: bson.A{bson.D{
				{Key: "q", Value: bson.D{{Key: path, Value: bson.D{{Key: "$type", Value: "null"}}}}},
				{Key: "u", Value: bson.D{{Key: "$unset", Value: bson.D{{Key: path, Value: ""}}}}},
				{Key: "multi", Value: true},
			}}},
		})
		return err
	})
}

func (w *worker) fillMissing(ctx context.Context, rel *catalog.Relation, col *catalog.Column) error {
	set, err := storedFields(col, col.Missing)
	if err != nil {
		return err
	}
	return w.session.Outside(ctx, func(ctx context.Context) error {
		return w.store.updateAll(ctx, w.database, rel.Collection, bson.D{{Key: "$set", Value: set}}, col.Path, false)
	})
}
