package txn_test

import (
	"math"
	"sync"
	"testing"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func seq(oid uint32) txn.Sequence {
	return txn.Sequence{OID: oid, Name: "s", Start: 1, Increment: 1, Min: 1, Max: math.MaxInt64, Cache: 1}
}

func TestSequenceValues(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	with := func(oid uint32, change func(*txn.Sequence)) txn.Sequence {
		q := seq(oid)
		change(&q)
		return q
	}
	for _, tc := range []struct {
		name string
		seq  txn.Sequence
		want []int64 // 0 ends with 2200H
	}{
		{"plain", seq(1), []int64{1, 2, 3}},
		{"start and step", with(2, func(q *txn.Sequence) { q.Start, q.Increment = 10, 5 }), []int64{10, 15, 20}},
		{"limit", with(3, func(q *txn.Sequence) { q.Max = 2 }), []int64{1, 2, 0, 0}},
		{"limit between steps", with(4, func(q *txn.Sequence) { q.Max, q.Increment = 5, 3 }), []int64{1, 4, 0}},
		{"cycle", with(5, func(q *txn.Sequence) { q.Min, q.Start, q.Max, q.Cycle = 1, 2, 3, true }), []int64{2, 3, 1, 2}},
		{"down", with(6, func(q *txn.Sequence) { q.Min, q.Max, q.Start, q.Increment = -3, -1, -1, -1 }), []int64{-1, -2, -3, 0}},
		{"down and round", with(7, func(q *txn.Sequence) {
			q.Min, q.Max, q.Start, q.Increment, q.Cycle = -3, -1, -2, -1, true
		}), []int64{-2, -3, -1}},
		{"at the end of int8", with(8, func(q *txn.Sequence) { q.Start, q.Increment = math.MaxInt64-1, 7 }), []int64{math.MaxInt64 - 1, 0}},
		{"cached", with(9, func(q *txn.Sequence) { q.Cache, q.Max = 3, 5 }), []int64{1, 2, 3, 4, 5, 0}},
		{"cached and cycling", with(10, func(q *txn.Sequence) { q.Cache, q.Max, q.Cycle = 3, 4, true }), []int64{1, 2, 3, 4, 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := f.session()
			_, err := s.CurrVal(tc.seq)
			wantCode(t, err, pgerr.ObjectNotInPrerequisiteState)
			_, err = s.LastVal()
			wantCode(t, err, pgerr.ObjectNotInPrerequisiteState)
			for i, want := range tc.want {
				v, err := s.NextVal(f.ctx, tc.seq)
				if want == 0 {
					wantCode(t, err, pgerr.SequenceGeneratorLimitExceeded)
					continue
				}
				if err != nil || v != want {
					t.Fatalf("value %d: %d, %v; want %d", i, v, err, want)
				}
				if cur, err := s.CurrVal(tc.seq); cur != want || err != nil {
					t.Errorf("currval %d, %v", cur, err)
				}
				if last, err := s.LastVal(); last != want || err != nil {
					t.Errorf("lastval %d, %v", last, err)
				}
			}
		})
	}
}

func TestSequenceIsNotTransactional(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s, q := f.session(), seq(1)
	f.must(s.Begin(txn.Options{}))
	if v, err := s.NextVal(f.ctx, q); v != 1 || err != nil {
		t.Fatal(v, err)
	}
	f.must(s.Rollback(f.ctx))
	if v, err := s.NextVal(f.ctx, q); v != 2 || err != nil {
		t.Fatal(v, err)
	}
	f.must(s.Begin(txn.Options{ReadOnly: true}))
	_, err := s.NextVal(f.ctx, q)
	wantCode(t, err, pgerr.ReadOnlySQLTransaction)
	f.must(s.Rollback(f.ctx))
}

func TestSetVal(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s, q := f.session(), seq(1)
	q.Max = 100
	f.must(s.SetVal(f.ctx, q, 50, true))
	if v, err := s.CurrVal(q); v != 50 || err != nil {
		t.Error(v, err)
	}
	if v, err := s.NextVal(f.ctx, q); v != 51 || err != nil {
		t.Error(v, err)
	}
	f.must(s.SetVal(f.ctx, q, 7, false))
	if v, err := s.CurrVal(q); v != 51 || err != nil {
		t.Error("setval with is_called false leaves currval:", v, err)
	}
	if last, called, err := s.SequenceState(f.ctx, q); last != 7 || called || err != nil {
		t.Error(last, called, err)
	}
	if v, err := s.NextVal(f.ctx, q); v != 7 || err != nil {
		t.Error(v, err)
	}
	wantCode(t, s.SetVal(f.ctx, q, 101, true), pgerr.NumericValueOutOfRange)
	f.must(s.DropSequence(f.ctx, q.OID))
	if v, err := f.session().NextVal(f.ctx, q); v != 1 || err != nil {
		t.Error(v, err)
	}
}

func TestSequenceValuesAreDistinct(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	for i, cache := range []int64{1, 4} {
		q := seq(uint32(100 + i))
		q.Cache = cache
		var mu sync.Mutex
		seen := map[int64]bool{}
		var wg sync.WaitGroup
		for range 8 {
			s := f.session()
			wg.Go(func() {
				for range 25 {
					v, err := s.NextVal(f.ctx, q)
					mu.Lock()
					if err != nil || seen[v] {
						t.Errorf("value %d twice, or %v", v, err)
					}
					seen[v] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
	}
}

// inStatement asks for n values within one statement and ends it with err.
func inStatement(t *testing.T, f *fixture, s *txn.Session, q txn.Sequence, n int, err error) []int64 {
	t.Helper()
	st, startErr := s.Start(f.ctx, txn.StatementOptions{Write: true})
	f.must(startErr)
	out := make([]int64, 0, n)
	for range n {
		v, err := s.NextVal(f.ctx, q)
		f.must(err)
		out = append(out, v)
	}
	if got := st.Finish(f.ctx, err); (got == nil) != (err == nil) {
		t.Fatalf("finish: %v", got)
	}
	return out
}

func TestSequenceHasNoGapsWithoutConcurrency(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s, other := f.session(), f.session()
	for name, q := range map[string]txn.Sequence{
		"up":   seq(1),
		"down": {OID: 2, Name: "s", Start: -1, Increment: -3, Min: math.MinInt64, Max: -1, Cache: 1},
		"wide": {OID: 3, Name: "s", Start: math.MinInt64, Increment: math.MaxInt64 / 5000, Min: math.MinInt64, Max: math.MaxInt64, Cache: 1},
	} {
		t.Run(name, func(t *testing.T) {
			want := q.Start
			for i, n := range []int{1, 2, 9, 10, 73, 3000, 1} {
				var end error
				if i%2 == 1 {
					end = pgerr.New(pgerr.DivisionByZero, "division by zero")
				}
				for _, v := range inStatement(t, f, s, q, n, end) {
					if v != want {
						t.Fatalf("value %d in a statement of %d, want %d", v, n, want)
					}
					want += q.Increment
				}
				if last, called, err := other.SequenceState(f.ctx, q); last != want-q.Increment || !called || err != nil {
					t.Fatalf("state after %d: %d %v %v, want %d", n, last, called, err, want-q.Increment)
				}
				if v, err := other.NextVal(f.ctx, q); v != want || err != nil {
					t.Fatalf("another session's next value: %d, %v; want %d", v, err, want)
				}
				want += q.Increment
			}
		})
	}
}

func TestSequenceLimitWithinStatement(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s, q := f.session(), seq(1)
	q.Max = 20
	st, err := s.Start(f.ctx, txn.StatementOptions{})
	f.must(err)
	for want := int64(1); want <= 20; want++ {
		if v, err := s.NextVal(f.ctx, q); v != want || err != nil {
			t.Fatal(v, err)
		}
	}
	_, err = s.NextVal(f.ctx, q)
	wantCode(t, err, pgerr.SequenceGeneratorLimitExceeded)
	_ = st.Finish(f.ctx, err)
	q.OID, q.Cycle = 2, true
	for i, v := range inStatement(t, f, s, q, 45, nil) {
		if want := int64(i%20 + 1); v != want {
			t.Fatalf("cycle: value %d is %d, want %d", i, v, want)
		}
	}
	if v, err := s.NextVal(f.ctx, q); v != 6 || err != nil {
		t.Error(v, err)
	}
}

func TestSequenceStateWithinStatement(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s, q := f.session(), seq(1)
	st, err := s.Start(f.ctx, txn.StatementOptions{})
	f.must(err)
	for range 4 {
		_, err := s.NextVal(f.ctx, q)
		f.must(err)
	}
	if last, called, err := s.SequenceState(f.ctx, q); last != 4 || !called || err != nil {
		t.Error(last, called, err)
	}
	if v, err := s.NextVal(f.ctx, q); v != 5 || err != nil {
		t.Error(v, err)
	}
	f.must(s.SetVal(f.ctx, q, 100, true))
	if v, err := s.NextVal(f.ctx, q); v != 101 || err != nil {
		t.Error(v, err)
	}
	f.must(st.Finish(f.ctx, nil))
}

// A statement must not give back over a setval that has brought the state to where the statement had left it.
func TestSequenceGiveBackMinds(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s, other, q := f.session(), f.session(), seq(1)
	st, err := s.Start(f.ctx, txn.StatementOptions{})
	f.must(err)
	for range 2 {
		_, err := s.NextVal(f.ctx, q)
		f.must(err)
	}
	f.must(other.SetVal(f.ctx, q, 1, false))
	for want := int64(1); want <= 9; want++ {
		if v, err := other.NextVal(f.ctx, q); v != want || err != nil {
			t.Fatal(v, err)
		}
	}
	f.must(st.Finish(f.ctx, nil))
	if v, err := other.NextVal(f.ctx, q); v != 10 || err != nil {
		t.Error(v, err)
	}
}

// A statement that is run again for a conflict is given the same values.
func TestSequenceRewindsForAnotherRun(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	s, q := f.session(), seq(1)
	var values []int64
	for run := range 2 {
		values = values[:0]
		st, err := s.Start(f.ctx, txn.StatementOptions{Write: true})
		f.must(err)
		for range 12 {
			v, err := s.NextVal(f.ctx, q)
			f.must(err)
			values = append(values, v)
		}
		if run == 0 {
			err = st.Finish(f.ctx, &mongo.ServerError{Code: 112, Name: "WriteConflict"})
			if !s.Retryable(err) {
				t.Fatal(err)
			}
			continue
		}
		f.must(st.Finish(f.ctx, nil))
	}
	if values[0] != 1 || values[11] != 12 {
		t.Error(values)
	}
	if v, err := s.NextVal(f.ctx, q); v != 13 || err != nil {
		t.Error(v, err)
	}
}

func TestSequenceValuesAreDistinctAmongStatements(t *testing.T) {
	f := newFixture(t, txn.ManagerOptions{})
	q := seq(1)
	var mu sync.Mutex
	seen := map[int64]bool{}
	var wg sync.WaitGroup
	for i := range 8 {
		s := f.session()
		wg.Go(func() {
			for round := range 12 {
				values := inStatement(t, f, s, q, 1+(i*31+round*17)%90, nil)
				mu.Lock()
				for _, v := range values {
					if seen[v] {
						t.Errorf("value %d twice", v)
					}
					seen[v] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}
