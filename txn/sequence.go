package txn

import (
	"context"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// SequenceCollection is where the state of sequences is: {_id: oid, last, called, taken}. A sequence without a document is
// as it was created. taken is new each time that values are taken.
const SequenceCollection = "pgmongo.sequences"

// Sequence is what nextval needs to know of a sequence.
type Sequence struct {
	OID                               uint32
	Name                              string
	Start, Increment, Min, Max, Cache int64
	Cycle                             bool
}

// sequences is what a session remembers: values of cached blocks, and what currval and lastval return.
type sequences struct {
	current map[uint32]int64
	blocks  map[uint32]*seqBlock
	// ahead is what the present statement has taken beyond the values it was asked for.
	ahead map[uint32]*seqAhead
	last  uint32
	any   bool
}

type seqBlock struct {
	next, step int64
	left       int64
}

// next computes what follows a state: the value, or ok false at the limit.
func (q *Sequence) next(last int64, called bool) (v int64, ok bool) {
	if !called {
		return last, true
	}
	if q.Increment > 0 {
		if last > sub(q.Max, q.Increment) {
			return q.Min, q.Cycle
		}
	} else if last < sub(q.Min, q.Increment) {
		return q.Max, q.Cycle
	}
	return last + q.Increment, true
}

// sub subtracts without wrapping around.
func sub(a, b int64) int64 {
	d := a - b
	switch {
	case b > 0 && d > a:
		return math.MinInt64
	case b < 0 && d < a:
		return math.MaxInt64
	}
	return d
}

// room is how many more values follow v before the limit, at most n.
func (q *Sequence) room(v, n int64) int64 {
	var span uint64
	step := uint64(q.Increment)
	if q.Increment > 0 {
		span = uint64(q.Max) - uint64(v)
	} else {
		span, step = uint64(v)-uint64(q.Min), -step
	}
	if span/step < uint64(n) {
		return int64(span / step)
	}
	return n
}

func (q *Sequence) exhausted() error {
	if q.Increment > 0 {
		return pgerr.New(pgerr.SequenceGeneratorLimitExceeded, "nextval: reached maximum value of sequence %q (%d)", q.Name, q.Max)
	}
	return pgerr.New(pgerr.SequenceGeneratorLimitExceeded, "nextval: reached minimum value of sequence %q (%d)", q.Name, q.Min)
}

// NextVal takes the sequence's next value, outside any transaction. Errors: 2200H at the limit, 25006 in a read-only
// transaction.
func (s *Session) NextVal(ctx context.Context, q Sequence) (int64, error) {
	if s.opts.ReadOnly {
		return 0, pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute nextval() in a read-only transaction")
	}
	v, err := s.nextValue(ctx, q)
	if err != nil {
		return 0, err
	}
	s.seqs.remember(q.OID, v)
	return v, nil
}

func (s *Session) nextValue(ctx context.Context, q Sequence) (int64, error) {
	switch {
	case q.Cache > 1:
		return s.nextCached(ctx, q)
	case s.running > 0:
		return s.nextAhead(ctx, q)
	}
	t, err := s.take(ctx, q, 1)
	return t.next, err
}

func (m *sequences) remember(oid uint32, v int64) {
	if m.current == nil {
		m.current = map[uint32]int64{}
	}
	m.current[oid] = v
	m.last, m.any = oid, true
}

func seqState(raw bson.Raw, q Sequence) (last int64, called bool, err error) {
	if raw == nil {
		return q.Start, false, nil
	}
	last, ok1 := raw.Lookup("last").AsInt64OK()
	called, ok2 := raw.Lookup("called").BooleanOK()
	if !ok1 || !ok2 {
		return 0, false, pgerr.New(pgerr.DataCorrupted, "the state of sequence %q is damaged: %s", q.Name, raw.String())
	}
	return last, called, nil
}

// nextCached gives the next value of the session's block.
func (s *Session) nextCached(ctx context.Context, q Sequence) (int64, error) {
	b := s.seqs.blocks[q.OID]
	if b == nil || b.left == 0 || b.step != q.Increment {
		return s.nextBlock(ctx, q)
	}
	v := b.next
	b.next += b.step
	b.left--
	return v, nil
}

// nextBlock takes Cache values at once, fewer before the limit; the session hands them out.
func (s *Session) nextBlock(ctx context.Context, q Sequence) (int64, error) {
	for attempt := 0; ; attempt++ {
		raw, err := s.readSequence(ctx, q.OID)
		if err != nil {
			return 0, err
		}
		if raw == nil {
			if err := s.createSequence(ctx, q); err != nil {
				return 0, err
			}
			continue
		}
		last, called, err := seqState(raw, q)
		if err != nil {
			return 0, err
		}
		v, ok := q.next(last, called)
		if !ok {
			return 0, q.exhausted()
		}
		n := q.room(v, q.Cache-1)
		done, err := s.m.client.CompareAndSet(ctx, s.db, SequenceCollection,
			bson.D{{Key: "_id", Value: int64(q.OID)}, {Key: "last", Value: last}, {Key: "called", Value: called}},
			bson.D{{Key: "last", Value: v + n*q.Increment}, {Key: "called", Value: true}, {Key: "taken", Value: bson.NewObjectID()}}, false)
		if err != nil {
			return 0, err
		}
		if done {
			if s.seqs.blocks == nil {
				s.seqs.blocks = map[uint32]*seqBlock{}
			}
			// v + Increment may wrap around when no value is left, and is not used then.
			s.seqs.blocks[q.OID] = &seqBlock{next: v + q.Increment, step: q.Increment, left: n}
			return v, nil
		}
		if err := sleep(ctx, attempt); err != nil {
			return 0, err
		}
	}
}

func (s *Session) readSequence(ctx context.Context, oid uint32) (bson.Raw, error) {
	cur, err := s.m.client.Read(ctx, mongo.Query{Database: s.db, Collection: SequenceCollection, Filter: bson.D{{Key: "_id", Value: int64(oid)}}, Limit: 1})
	if err != nil {
		return nil, err
	}
	defer cur.Close(ctx)
	return first(ctx, cur)
}

// createSequence writes the initial state; another session may have done so first.
func (s *Session) createSequence(ctx context.Context, q Sequence) error {
	_, err := s.m.client.FindAndModify(ctx, s.db, SequenceCollection, int64(q.OID),
		bson.D{{Key: "$setOnInsert", Value: bson.D{{Key: "last", Value: q.Start}, {Key: "called", Value: false}}}}, false)
	return err
}

// SequenceState returns a sequence's last_value and is_called, which count what the session was asked for and not what it
// has taken.
func (s *Session) SequenceState(ctx context.Context, q Sequence) (last int64, called bool, err error) {
	s.giveBack(ctx)
	raw, err := s.readSequence(ctx, q.OID)
	if err != nil {
		return 0, false, err
	}
	return seqState(raw, q)
}

// SetVal sets a sequence's state, outside any transaction. Errors: 22003 out of its bounds, 25006.
func (s *Session) SetVal(ctx context.Context, q Sequence, value int64, called bool) error {
	if s.opts.ReadOnly {
		return pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute setval() in a read-only transaction")
	}
	if value < q.Min || value > q.Max {
		return pgerr.New(pgerr.NumericValueOutOfRange, "setval: value %d is out of bounds for sequence %q (%d..%d)", value, q.Name, q.Min, q.Max)
	}
	_, err := s.m.client.FindAndModify(ctx, s.db, SequenceCollection, int64(q.OID),
		bson.D{{Key: "$set", Value: bson.D{{Key: "last", Value: value}, {Key: "called", Value: called}, {Key: "taken", Value: bson.NewObjectID()}}}}, false)
	if err != nil {
		return err
	}
	delete(s.seqs.blocks, q.OID)
	delete(s.seqs.ahead, q.OID)
	if called {
		if s.seqs.current == nil {
			s.seqs.current = map[uint32]int64{}
		}
		s.seqs.current[q.OID] = value
	}
	return nil
}

// CurrVal returns what nextval last gave in this session for a sequence (55000 if nothing).
func (s *Session) CurrVal(q Sequence) (int64, error) {
	v, ok := s.seqs.current[q.OID]
	if !ok {
		return 0, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "currval of sequence %q is not yet defined in this session", q.Name)
	}
	return v, nil
}

// LastVal returns what nextval last gave in this session for any sequence (55000 if nothing).
func (s *Session) LastVal() (int64, error) {
	if !s.seqs.any {
		return 0, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "lastval is not yet defined in this session")
	}
	return s.seqs.current[s.seqs.last], nil
}

// DiscardSequences is DISCARD SEQUENCES: it forgets cached values, currval and lastval.
func (s *Session) DiscardSequences() { s.seqs = sequences{} }

// DropSequence removes a sequence's state, outside any transaction.
func (s *Session) DropSequence(ctx context.Context, oid uint32) error {
	raw, err := s.readSequence(ctx, oid)
	if err != nil || raw == nil {
		return err
	}
	return s.m.client.Write(ctx, s.db, SequenceCollection, []mongo.Write{{Kind: mongo.WriteDelete, ID: raw.Lookup("_id")}})
}
