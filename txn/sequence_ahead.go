package txn

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The first value that a statement asks for is taken alone, later ones in blocks that grow up to mostAhead.
const (
	growAhead = 8
	mostAhead = 1024
)

// giveBackTimeout bounds the wait for what only spares a gap.
const giveBackTimeout = 5 * time.Second

// seqAhead is a run of a sequence's values that the session has taken for the present statement: INSERT of a thousand rows
// asks for a thousand values, one after another. What is left at the statement's end is given back, so that without other
// sessions there are no gaps, as with PostgreSQL's CACHE 1.
type seqAhead struct {
	taken
	// first is where this statement's unbroken run of values begins, before the state there; handed counts its values
	// that were given.
	first  int64
	before seqWas
	handed int64
	// rewound says that the values are to be given a second time, to the statement's next run.
	rewound bool
	asked   int64
}

// taken are values that belong to the session: next and left-1 more behind it.
type taken struct {
	next, step, left int64
	// end is the state's last and mark its mark, as taking has left them.
	end  int64
	mark bson.ObjectID
	was  seqWas
}

// seqWas is the state of a sequence at some time.
type seqWas struct {
	last   int64
	called bool
}

func (t *seqAhead) hand() int64 {
	v := t.next
	t.next += t.step // may wrap around after the last value, and is not used then
	t.left--
	t.handed++
	t.rewound = false
	return v
}

// nextAhead gives the statement's next value, of those it has taken or of new ones.
func (s *Session) nextAhead(ctx context.Context, q Sequence) (int64, error) {
	t := s.seqs.ahead[q.OID]
	if t != nil && t.left > 0 && t.step == q.Increment {
		return t.hand(), nil
	}
	n := int64(1)
	if t != nil {
		n = min(t.asked*growAhead, mostAhead)
	}
	got, err := s.take(ctx, q, n)
	if err != nil {
		return 0, err
	}
	if t == nil {
		t = &seqAhead{}
		if s.seqs.ahead == nil {
			s.seqs.ahead = map[uint32]*seqAhead{}
		}
		s.seqs.ahead[q.OID] = t
	}
	if t.handed == 0 || t.step != got.step || t.next != got.next {
		t.first, t.before, t.handed = got.next, got.was, 0
	}
	t.taken, t.asked = got, n
	return t.hand(), nil
}

func long(n int64) bson.D { return bson.D{{Key: "$literal", Value: n}} }

func op(name string, args ...any) bson.D { return bson.D{{Key: name, Value: bson.A(args)}} }

// take advances the state by n values, or by one where fewer than n are sure to be left, by a findAndModify whose pipeline
// computes what advance computes from the state before.
func (s *Session) take(ctx context.Context, q Sequence, n int64) (taken, error) {
	last, called := op("$ifNull", "$last", long(q.Start)), op("$ifNull", "$called", false)
	past, wrapped := "$gt", q.Min
	if q.Increment < 0 {
		past, wrapped = "$lt", q.Max
	}
	atLimit := any(last) // the state stays
	if q.Cycle {
		atLimit = long(wrapped)
	}
	one := op("$cond", called, op("$cond", op(past, last, long(q.edge(1))), atLimit, op("$add", last, long(q.Increment))), last)
	if n > 1 && !q.fits(n) {
		n = 1
	}
	next := one
	if n > 1 {
		many := op("$add", last, op("$cond", called, long(n*q.Increment), long((n-1)*q.Increment)))
		next = op("$cond", op(past, last, long(q.edge(n))), one, many)
	}
	mark := bson.NewObjectID()
	update := bson.A{bson.D{{Key: "$set", Value: bson.D{
		{Key: "last", Value: next}, {Key: "called", Value: true}, {Key: "taken", Value: mark},
	}}}}
	raw, err := s.m.client.FindAndModify(ctx, s.db, SequenceCollection, int64(q.OID), update, true)
	if err != nil {
		return taken{}, err
	}
	t := taken{step: q.Increment, mark: mark}
	if t.was.last, t.was.called, err = seqState(raw, q); err != nil {
		return taken{}, err
	}
	var ok bool
	if t.next, t.left, ok = q.advance(t.was, n); !ok {
		return taken{}, q.exhausted()
	}
	t.end = t.next + (t.left-1)*q.Increment
	return t, nil
}

// fits reports whether n steps are a number of 64 bits with room to spare.
func (q *Sequence) fits(n int64) bool {
	const most = int64(1) << 62
	return q.Increment < most/n && q.Increment > -most/n
}

// edge is the last state that n more values can follow without passing the limit.
func (q *Sequence) edge(n int64) int64 {
	if q.Increment > 0 {
		return sub(q.Max, n*q.Increment)
	}
	return sub(q.Min, n*q.Increment)
}

// advance returns the first of the values that follow a state and how many of them are taken, of n asked for; ok is false
// at the limit.
func (q *Sequence) advance(w seqWas, n int64) (v, count int64, ok bool) {
	v, ok = q.next(w.last, w.called)
	past := w.last > q.edge(n)
	if q.Increment < 0 {
		past = w.last < q.edge(n)
	}
	if n == 1 || past {
		n = 1
	}
	return v, n, ok
}

// giveBack returns what the statement has taken and was not asked for, unless somebody has changed the state since: not
// even to the same values again, which the mark tells. Where it does not succeed, the sequence has a gap.
func (s *Session) giveBack(ctx context.Context) {
	if len(s.seqs.ahead) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTimeout)
	defer cancel()
	for oid, t := range s.seqs.ahead {
		delete(s.seqs.ahead, oid)
		if t.left == 0 {
			continue
		}
		to := seqWas{t.next - t.step, true}
		if t.handed == 0 {
			to = t.before
		}
		// An error leaves a gap, which sequences may have.
		_, _ = s.m.client.CompareAndSet(ctx, s.db, SequenceCollection,
			bson.D{{Key: "_id", Value: int64(oid)}, {Key: "last", Value: t.end}, {Key: "called", Value: true}, {Key: "taken", Value: t.mark}},
			bson.D{{Key: "last", Value: to.last}, {Key: "called", Value: to.called}, {Key: "taken", Value: bson.NewObjectID()}}, true)
	}
}

// rewind gives the values of a run that is to be repeated to the next one. PostgreSQL would not have failed here, and have
// asked for them once: CREATE TABLE t (id serial); INSERT INTO t DEFAULT VALUES gives 1, also when MongoDB had no snapshot
// of the new collection at first.
func (m *sequences) rewind() {
	for _, t := range m.ahead {
		t.next, t.left, t.handed, t.rewound = t.first, t.left+t.handed, 0, true
	}
}

// used forgets values that were rewound for a run that will not be: the client may have seen them.
func (m *sequences) used() {
	for oid, t := range m.ahead {
		if t.rewound {
			delete(m.ahead, oid)
		}
	}
}
