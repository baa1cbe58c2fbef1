package executor

import (
	"io"

	"github.com/pgmongo/pgmongo/types"
)

// mergeWidth is how many runs are merged at once.
const mergeWidth = 64

// sortRuns are sorted runs in one temporary file, and the merge of them.
type sortRuns struct {
	file  *spillFile
	spans []span
	heads []runHead
	out   []types.Datum
	given int64
}

type span struct{ from, to int64 }

// runHead is the next row of a run; no is the run's number, which decides between equal rows.
type runHead struct {
	row []types.Datum
	cur *spillCursor
	no  int
}

// overflow writes the rows held so far as a run, when err is that of the memory budget; other errors pass.
func (s *sorter) overflow(err error) error {
	if !isFull(err) || len(s.items) == 0 || s.pinned {
		return err
	}
	if s.runs == nil {
		s.runs = &sortRuns{file: newSpillFile()}
	}
	if err := s.writeRun(); err != nil {
		return err
	}
	if len(s.runs.spans) < mergeWidth {
		return nil
	}
	return s.mergeAll()
}

func (s *sorter) writeRun() error {
	if err := s.sortItems(); err != nil {
		return err
	}
	r := s.runs
	from := r.file.size
	for _, it := range s.items {
		if err := r.file.add(s.rows.row(int(it.row))); err != nil {
			return err
		}
	}
	r.spans = append(r.spans, span{from, r.file.size})
	s.items = s.items[:0]
	s.bar = nil
	s.rows.release()
	return nil
}

// mergeAll makes one run of all of them, in a new file.
func (s *sorter) mergeAll() error {
	if err := s.openHeads(); err != nil {
		return err
	}
	file := newSpillFile()
	// Array and composite types are numbered per file, so the row is encoded anew.
	for {
		row, err := s.popHead()
		if err == nil && row != nil {
			err = file.add(row)
		}
		if err != nil {
			return firstError(err, file.close())
		}
		if row == nil {
			break
		}
	}
	old := s.runs
	s.runs = &sortRuns{file: file, spans: []span{{0, file.size}}}
	return old.close()
}

// startMerge writes the last run and opens all of them.
func (s *sorter) startMerge() error {
	if len(s.items) > 0 {
		if err := s.writeRun(); err != nil {
			return err
		}
	}
	s.runs.given = 0
	return s.openHeads()
}

func (s *sorter) openHeads() error {
	r := s.runs
	r.heads = r.heads[:0]
	r.out = make([]types.Datum, s.stored)
	for i, sp := range r.spans {
		cur, err := r.file.read(sp.from, sp.to)
		if err != nil {
			return err
		}
		h := runHead{row: make([]types.Datum, s.stored), cur: cur, no: i}
		switch err := cur.next(h.row); err {
		case nil:
			r.heads = append(r.heads, h)
		case io.EOF:
		default:
			return err
		}
	}
	for i := len(r.heads)/2 - 1; i >= 0; i-- {
		s.sink(i)
	}
	return s.err
}

// sink restores the heap of runs from position i down.
func (s *sorter) sink(i int) {
	h := s.runs.heads
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && s.headLess(&h[c+1], &h[c]) {
			c++
		}
		if !s.headLess(&h[c], &h[i]) {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}

func (s *sorter) headLess(a, b *runHead) bool {
	c, err := s.compareRows(a.row, b.row)
	if err != nil {
		s.err = err
	}
	return c < 0 || c == 0 && a.no < b.no
}

// popHead returns the least row of the runs, valid until the next call; nil at the end.
func (s *sorter) popHead() ([]types.Datum, error) {
	r := s.runs
	if len(r.heads) == 0 || s.err != nil {
		return nil, s.err
	}
	copy(r.out, r.heads[0].row)
	switch err := r.heads[0].cur.next(r.heads[0].row); err {
	case nil:
	case io.EOF:
		last := len(r.heads) - 1
		r.heads[0] = r.heads[last]
		r.heads = r.heads[:last]
	default:
		return nil, err
	}
	s.sink(0)
	return r.out, s.err
}

// mergeNext is nextRow over runs.
func (s *sorter) mergeNext() ([]types.Datum, error) {
	if s.runs.given >= s.bound {
		return nil, nil
	}
	row, err := s.popHead()
	if row == nil || err != nil {
		return nil, err
	}
	s.runs.given++
	return row[:s.width:s.width], nil
}

func (r *sortRuns) close() error { return r.file.close() }
