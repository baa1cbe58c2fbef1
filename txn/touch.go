package txn

import (
	"context"
	"io"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// touchChange changes a document in nothing but the lock field: MongoDB takes no lock for a change that changes nothing.
var touchChange = func() bson.Raw {
	doc, _ := bson.Marshal(bson.D{{Key: "$bit", Value: bson.D{{Key: mongo.LockField, Value: bson.D{{Key: "xor", Value: int32(1)}}}}}}) // constant
	return doc
}()

// rows are documents of one collection that are locked in this process alone.
type rows struct {
	database, collection string
	ids                  []bson.RawValue
}

// LockRows implements Statement.
func (t *Stmt) LockRows(ctx context.Context, database, collection string, ids []bson.RawValue, mode LockMode, wait LockWait) ([]bool, error) {
	s := t.s
	skipped := make([]bool, len(ids))
	var left []bson.RawValue
	var at []int
	for i, id := range ids {
		if wait == WaitSkip && s.elsewhere[rowKey(database, collection, id)] {
			skipped[i] = true
			continue
		}
		left, at = append(left, id), append(at, i)
	}
	skip, err := t.Lock(ctx, database, collection, left, mode, wait)
	if err != nil {
		return nil, err
	}
	taken := left[:0:0]
	for i, sk := range skip {
		if skipped[at[i]] = sk; !sk {
			taken = append(taken, left[i])
		}
	}
	if len(taken) == 0 || !s.m.client.Info().Transactions() {
		return skipped, nil
	}
	if !s.m.cluster.Shared() {
		s.untouched = append(s.untouched, rows{database, collection, taken})
		return skipped, nil
	}
	// Row by row when some were held elsewhere before, to find out which.
	step := len(taken)
	if wait != WaitBlock && s.elsewhere != nil {
		step = 1
	}
	for start := 0; start < len(taken); start += step {
		some := taken[start:min(start+step, len(taken))]
		err := s.touch(ctx, database, collection, some)
		if err == nil {
			continue
		}
		if !mongo.IsConflict(err) {
			return nil, t.lose(ctx, err)
		}
		return nil, t.heldElsewhere(ctx, database, collection, some, wait, err)
	}
	return skipped, nil
}

// heldElsewhere deals with a row lock that met a conflict: the row is locked by another proxy's transaction, or was
// changed since the snapshot. The MongoDB transaction is lost; the statement runs again.
func (t *Stmt) heldElsewhere(ctx context.Context, database, collection string, ids []bson.RawValue, wait LockWait, cause error) error {
	lost := t.lose(ctx, cause)
	if wait == WaitBlock {
		return lost
	}
	s := t.s
	if s.elsewhere == nil {
		s.elsewhere = map[string]bool{}
	}
	for _, id := range ids {
		held, err := s.m.probe(ctx, database, collection, id)
		if err != nil {
			return err
		}
		switch {
		case held && wait == WaitError:
			return pgerr.New(pgerr.LockNotAvailable, "could not obtain lock on row in relation %q", collection)
		case held:
			s.elsewhere[rowKey(database, collection, id)] = true
		}
	}
	s.noWait = true
	return lost
}

// probe reports whether a document is locked by another MongoDB transaction.
func (m *Manager) probe(ctx context.Context, database, collection string, id bson.RawValue) (bool, error) {
	ms, err := m.client.Session(mongo.Transaction)
	if err != nil {
		return false, err
	}
	defer ms.End(ctx)
	err = ms.Write(ctx, database, collection, []mongo.Write{{Kind: mongo.WriteUpdate, ID: id, Doc: touchChange}})
	if mongo.IsConflict(err) {
		return true, nil
	}
	return false, err
}

// touch changes documents in the MongoDB transaction, so that nobody else can change or touch them until it ends.
func (s *Session) touch(ctx context.Context, database, collection string, ids []bson.RawValue) error {
	if err := s.ensureFor(ctx, database, collection); err != nil {
		return err
	}
	if err := s.drainCursors(ctx, database, collection); err != nil {
		return err
	}
	cur, err := s.ms.Read(ctx, mongo.Query{
		Database: database, Collection: collection, Filter: bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}},
	})
	if err != nil {
		return err
	}
	var writes []mongo.Write
	for {
		doc, err := cur.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		writes = append(writes, mongo.Write{Kind: mongo.WriteUpdate, ID: doc.Lookup("_id"), Doc: touchChange, Before: doc})
	}
	if err := cur.Close(ctx); err != nil || len(writes) == 0 {
		return err
	}
	if err := s.ms.Write(ctx, database, collection, writes); err != nil {
		return err
	}
	return s.log.add(database, collection, writes, s.m.opts.LogLimit, len(s.saves) > 0)
}

// touchLate touches the rows that were locked while this proxy was alone. The snapshot is the one that they were locked
// in, so that a change of another proxy since is a conflict.
func (s *Session) touchLate(ctx context.Context) error {
	if len(s.untouched) == 0 {
		return nil
	}
	if s.ms == nil || s.lost {
		return serializationFailure(nil)
	}
	list := s.untouched
	s.untouched = nil
	for _, r := range list {
		if err := s.touch(ctx, r.database, r.collection, r.ids); err != nil {
			if mongo.IsConflict(err) {
				return serializationFailure(err)
			}
			return err
		}
	}
	return nil
}

// overdue returns the error of a statement that has met conflicts for too long.
func (s *Session) overdue(since time.Time, cause error) error {
	if s.lockTimeout > 0 && time.Since(since) > s.lockTimeout {
		return pgerr.New(pgerr.LockNotAvailable, "canceling statement due to lock timeout")
	}
	if time.Since(since) > s.m.opts.RetryTimeout {
		return serializationFailure(cause)
	}
	return nil
}
