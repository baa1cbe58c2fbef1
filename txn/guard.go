package txn

import (
	"bytes"
	"context"
	"hash/fnv"
	"io"
	"math/bits"
	"strconv"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn/cluster"
)

// Guards make transactions of different proxies conflict that read what the other one changes: MongoDB itself compares
// writes only. The counter-example: one inserts a row that refers to a parent, the other one deletes the parent; both see
// no harm in their snapshots, and both commit.
//
// A guarded thing is a bucket of keys. Each transaction that relies on it changes one document, its slot; a transaction
// that breaks it changes the slots of all. So those that rely do not conflict among themselves. The bucket's root document
// is changed by those that add a slot and by those that break, so that a slot that is too new to be seen is no loophole.
// What a transaction relied on is noted while it runs and written at its commit: MongoDB's snapshots make that early enough.

const (
	guardBuckets = 128
	guardSlots   = 64
)

// guards are the buckets that a transaction relies on (false) or breaks (true).
type guards map[string]bool

// Guard implements Statement.
func (t *Stmt) Guard(database, collection string, ids []bson.RawValue, breaks bool) {
	for _, id := range ids {
		h := fnv.New32a()
		_, _ = h.Write([]byte(rowKey("", "", id))) // a hash takes everything
		t.s.guard(database+"."+collection+":"+strconv.Itoa(int(h.Sum32()%guardBuckets)), breaks)
	}
}

func (s *Session) guard(name string, breaks bool) {
	if s.guards == nil {
		s.guards = guards{}
	}
	s.guards[name] = s.guards[name] || breaks
}

// slots hands out numbers to transactions, so that those of one process do not conflict with each other.
type slots struct {
	mu   sync.Mutex
	used uint64
}

// slotOffset is where a proxy begins to count, so that proxies seldom meet in a slot.
func slotOffset(c *cluster.Member) int {
	if !c.Shared() {
		return 0
	}
	n := 0
	for _, o := range c.Others() {
		if bytes.Compare(o[:], idBytes(c)) < 0 {
			n++
		}
	}
	return n * guardSlots / 4
}

func idBytes(c *cluster.Member) []byte {
	id := c.ID()
	return id[:]
}

// take returns a number that no other transaction has, if there is one, and whether it must be given back.
func (l *slots) take(seed uint32) (n int, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = bits.TrailingZeros64(^l.used)
	if n >= guardSlots {
		return int(seed % guardSlots), false
	}
	l.used |= 1 << n
	return n, true
}

func (l *slots) give(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used &^= 1 << n
}

// writeGuards changes the guard documents in the MongoDB transaction, right before its commit.
func (s *Session) writeGuards(ctx context.Context) error {
	if len(s.guards) == 0 {
		return nil
	}
	if s.slotName == "" {
		n, taken := s.m.slots.take(uint32(s.owner.pid))
		s.slot, s.slotTaken = n, taken
		s.slotName = "/" + strconv.Itoa((n+slotOffset(s.m.cluster))%guardSlots)
	}
	var wanted bson.A
	var ranges bson.A
	for name, breaks := range s.guards {
		if breaks {
			ranges = append(ranges, bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: name + "/"}, {Key: "$lt", Value: name + "0"}}}})
			continue
		}
		wanted = append(wanted, name+"/", name+s.slotName)
	}
	if wanted != nil {
		ranges = append(ranges, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: wanted}}}})
	}
	there, err := s.guardDocuments(ctx, ranges)
	if err != nil {
		return err
	}
	var writes []mongo.Write
	change := func(name string) {
		id := bson.RawValue{Type: bson.TypeString, Value: stringValue(name)}
		if there[name] {
			writes = append(writes, mongo.Write{Kind: mongo.WriteUpdate, ID: id, Doc: guardChange})
			delete(there, name)
			return
		}
		doc, _ := bson.Marshal(bson.D{{Key: "_id", Value: name}, {Key: "n", Value: int64(1)}}) // two scalars: cannot fail
		writes = append(writes, mongo.Write{Kind: mongo.WriteInsert, ID: id, Doc: doc})
	}
	for name, breaks := range s.guards {
		switch {
		case breaks:
			change(name + "/")
		case there[name+s.slotName]:
			change(name + s.slotName)
			delete(there, name+"/") // relied on, not changed
		default:
			change(name + "/")
			change(name + s.slotName)
		}
	}
	for name := range there { // the other slots of what is broken
		change(name)
	}
	return s.ms.Write(ctx, cluster.Database, cluster.Guards, writes)
}

var guardChange = func() bson.Raw {
	doc, _ := bson.Marshal(bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: int64(1)}}}}) // constant
	return doc
}()

func (s *Session) guardDocuments(ctx context.Context, ranges bson.A) (map[string]bool, error) {
	cur, err := s.ms.Read(ctx, mongo.Query{Database: cluster.Database, Collection: cluster.Guards, Filter: bson.D{{Key: "$or", Value: ranges}}, Projection: bson.D{{Key: "_id", Value: 1}}})
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for {
		doc, err := cur.Next(ctx)
		if err == io.EOF {
			return there, cur.Close(ctx)
		}
		if err != nil {
			return nil, err
		}
		there[doc.Lookup("_id").StringValue()] = true
	}
}

func stringValue(v string) []byte {
	n := len(v) + 1
	return append(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}, v...), 0)
}

// dropGuards forgets what the transaction relied on.
func (s *Session) dropGuards() {
	if s.slotTaken {
		s.m.slots.give(s.slot)
	}
	s.guards, s.slotName, s.slotTaken = nil, "", false
	s.ran, s.untouched = nil, nil
}

// commitMongo commits the MongoDB transaction, with its guards if other proxies are there. A proxy that turns up waits for
// the commits that began before: they have none.
func (s *Session) commitMongo(ctx context.Context) error {
	s.m.committing.RLock()
	defer s.m.committing.RUnlock()
	if s.m.cluster.Shared() {
		if err := s.m.cluster.Valid(ctx); err != nil {
			return err
		}
		if err := s.touchLate(ctx); err != nil {
			return err
		}
	}
	if s.m.cluster.Shared() || s.opts.Isolation == Serializable {
		if err := s.writeGuards(ctx); err != nil {
			return err
		}
	}
	if err := s.writeLate(ctx); err != nil {
		return err
	}
	if s.m.locks.waitedFor(s.owner) && s.ms.CommitHere(ctx) == nil {
		// Who waits for these rows can have them now: its own commit is not lasting before this one is.
		s.m.locks.releaseRows(s.owner, true)
	}
	return s.ms.Commit(ctx)
}
