package txn

import (
	"bytes"
	"context"
	"io"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// writeLog is what a transaction has written, in order: each change's redo form and pre-image. Positions count from the
// transaction's begin.
type writeLog struct {
	entries []logEntry
	bytes   int64
	// dropped is how many entries before the first one were given up for their size: they can be neither undone nor redone.
	dropped int
}

type logEntry struct {
	database, collection string
	write                mongo.Write
}

func (l *writeLog) total() int { return l.dropped + len(l.entries) }

func (l *writeLog) reset() { *l = writeLog{} }

// changes reports whether something was written that a commit must keep: row locks need not be.
func (l *writeLog) changes() bool {
	if l.dropped > 0 {
		return true
	}
	for i := range l.entries {
		if d := l.entries[i].write.Doc; len(d) == 0 || &d[0] != &touchChange[0] {
			return true
		}
	}
	return false
}

func entrySize(w *mongo.Write) int64 { return int64(len(w.Doc) + len(w.Before) + len(w.ID.Value) + 96) }

// add logs writes. When the limit is exceeded the log is given up, unless an undo may need it (53200).
func (l *writeLog) add(database, collection string, writes []mongo.Write, limit int64, needed bool) error {
	for i := range writes {
		l.bytes += entrySize(&writes[i])
		l.entries = append(l.entries, logEntry{database, collection, writes[i]})
	}
	if l.bytes <= limit {
		return nil
	}
	if needed {
		return pgerr.New(pgerr.OutOfMemory, "out of memory").
			WithDetail("The changes since the first savepoint exceed the limit of the transaction log (%d bytes).", limit)
	}
	l.dropped += len(l.entries)
	l.entries, l.bytes = nil, 0
	return nil
}

// cut forgets the entries from a position on.
func (l *writeLog) cut(mark int) {
	keep := max(mark-l.dropped, 0)
	for i := keep; i < len(l.entries); i++ {
		l.bytes -= entrySize(&l.entries[i].write)
		l.entries[i] = logEntry{}
	}
	l.entries = l.entries[:min(keep, len(l.entries))]
}

// inverse returns the change that takes a change back. Documents are restored whole, so that fields come back in their
// order and with values that the change's own form does not tell.
func inverse(w mongo.Write) mongo.Write {
	switch w.Kind {
	case mongo.WriteInsert:
		return mongo.Write{Kind: mongo.WriteDelete, ID: w.ID}
	case mongo.WriteDelete:
		return mongo.Write{Kind: mongo.WriteInsert, ID: w.ID, Doc: w.Before}
	}
	return mongo.Write{Kind: mongo.WriteReplace, ID: w.ID, Doc: w.Before}
}

// undo takes back what was logged after mark: by inverse changes in the MongoDB transaction while that lives, else by
// leaving the rest of the log to be replayed in a new one.
func (s *Session) undo(ctx context.Context, mark int) {
	if s.log.total() <= mark {
		return
	}
	if s.ms != nil && !s.lost {
		err := s.drainCursors(ctx, "", "")
		if err == nil {
			err = s.undoInPlace(ctx, mark)
		}
		if err == nil {
			s.log.cut(mark)
			return
		}
		// Whatever the reason was, the transaction cannot be trusted any more; the log can.
		s.dropMongo(ctx)
	}
	s.log.cut(mark)
	s.lost = s.log.total() > 0
}

func (s *Session) undoInPlace(ctx context.Context, mark int) error {
	if mark < s.log.dropped {
		return pgerr.Internal("undo beyond the transaction log")
	}
	entries := s.log.entries[mark-s.log.dropped:]
	for end := len(entries); end > 0; {
		start := end - 1
		for start > 0 && entries[start-1].database == entries[end-1].database && entries[start-1].collection == entries[end-1].collection {
			start--
		}
		writes := make([]mongo.Write, 0, end-start)
		for i := end - 1; i >= start; i-- {
			writes = append(writes, inverse(entries[i].write))
		}
		keepOrder(writes)
		if err := s.ms.Write(ctx, entries[start].database, entries[start].collection, writes); err != nil {
			return err
		}
		end = start
	}
	return nil
}

// keepOrder puts rows that were deleted one after the other back in the order that they had: DELETE FROM t; ROLLBACK TO a
// leaves t's rows in their places, which string_agg without ORDER BY shows.
func keepOrder(writes []mongo.Write) {
	for start := 0; start < len(writes); {
		end := start
		for end < len(writes) && writes[end].Kind == mongo.WriteInsert {
			end++
		}
		slices.Reverse(writes[start:end])
		start = end + 1
	}
}

// ensure opens the MongoDB transaction if there is none, and replays the log if a former one was lost. Replaying is right
// only if nobody has changed the documents since: they must still be as they were before the transaction touched them.
func (s *Session) ensure(ctx context.Context) error {
	for attempt := 0; ; attempt++ {
		err := s.tryEnsure(ctx)
		if err == nil || !mongo.IsConflict(err) || isFinal(err) {
			return err
		}
		s.dropMongo(ctx)
		if attempt == 8 {
			return serializationFailure(err)
		}
		if err := sleep(ctx, attempt); err != nil {
			return err
		}
	}
}

func (s *Session) tryEnsure(ctx context.Context) error {
	if s.ms != nil {
		return nil
	}
	if s.lost && s.log.dropped > 0 {
		return serializationFailure(nil)
	}
	if err := s.moved(); err != nil {
		return err
	}
	snap := s.m.locks.openSnapshot()
	ms, err := s.m.client.Session(mongo.Transaction)
	if err != nil {
		s.m.locks.closeSnapshot(snap)
		return err
	}
	s.ms, s.snap = ms, snap
	if !s.lost {
		return nil
	}
	if err := s.verify(ctx); err != nil {
		s.dropMongo(ctx)
		return err
	}
	if err := s.redo(ctx); err != nil {
		s.dropMongo(ctx)
		return err
	}
	s.lost = false
	if s.m.cluster.Shared() {
		return s.checkAgain(ctx)
	}
	return nil
}

// checkAgain repeats the checks that were made in the snapshot of a MongoDB transaction that was lost: another proxy may
// have changed since what they found. Within one process the row locks prevent it.
func (s *Session) checkAgain(ctx context.Context) error {
	st := &Stmt{s: s, write: true, nested: true}
	for _, p := range s.ran {
		err := p.check.Run(ctx, st)
		if pgerr.Is(err, pgerr.ForeignKeyViolation) {
			return serializationFailure(err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// redo applies the log.
func (s *Session) redo(ctx context.Context) error {
	entries := s.log.entries
	for start := 0; start < len(entries); {
		end := start + 1
		for end < len(entries) && entries[end].database == entries[start].database && entries[end].collection == entries[start].collection {
			end++
		}
		writes := make([]mongo.Write, 0, end-start)
		for _, e := range entries[start:end] {
			writes = append(writes, e.write)
		}
		mark(&s.defs.touched, place(entries[start].database, entries[start].collection))
		if err := s.ms.Write(ctx, entries[start].database, entries[start].collection, writes); err != nil {
			// A duplicate key now is another session's row that came in between.
			if pgerr.Is(err, pgerr.UniqueViolation) {
				return serializationFailure(err)
			}
			return err
		}
		start = end
	}
	return nil
}

// verifyBatch bounds the _ids of one query when pre-images are compared.
const verifyBatch = 1000

// verify compares the documents that the log touches with the pre-images of their first change.
func (s *Session) verify(ctx context.Context) error {
	type expected struct {
		id     bson.RawValue
		before bson.Raw
		seen   bool
	}
	type place struct{ database, collection string }
	byPlace := map[place]map[string]*expected{}
	order := []place{}
	for i := range s.log.entries {
		e := &s.log.entries[i]
		p := place{e.database, e.collection}
		docs := byPlace[p]
		if docs == nil {
			docs = map[string]*expected{}
			byPlace[p] = docs
			order = append(order, p)
		}
		key := rowKey("", "", e.write.ID)
		if docs[key] == nil {
			docs[key] = &expected{id: e.write.ID, before: e.write.Before}
		}
	}
	for _, p := range order {
		docs := byPlace[p]
		var ids bson.A
		check := func() error {
			if len(ids) == 0 {
				return nil
			}
			cur, err := s.ms.Read(ctx, mongo.Query{
				Database: p.database, Collection: p.collection,
				Filter: bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}},
			})
			if err != nil {
				return err
			}
			ids = nil
			for {
				doc, err := cur.Next(ctx)
				if err == io.EOF {
					return cur.Close(ctx)
				}
				if err != nil {
					return err
				}
				want := docs[rowKey("", "", doc.Lookup("_id"))]
				if want == nil || !bytes.Equal(want.before, doc) {
					return serializationFailure(nil)
				}
				want.seen = true
			}
		}
		for _, d := range docs {
			ids = append(ids, d.id)
			if len(ids) == verifyBatch {
				if err := check(); err != nil {
					return err
				}
			}
		}
		if err := check(); err != nil {
			return err
		}
		for _, d := range docs {
			if d.before != nil && !d.seen {
				return serializationFailure(nil)
			}
		}
	}
	return nil
}
