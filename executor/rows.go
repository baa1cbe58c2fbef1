package executor

import (
	"github.com/pgmongo/pgmongo/types"
)

const (
	datumBytes = 24
	storeChunk = 256 // rows in a chunk of a rowStore
	chargeStep = 32 << 10
)

// rowStore keeps copies of rows of one width in chunks, so that a row is neither an allocation nor moved by growth.
// Its memory counts against the budget in steps.
type rowStore struct {
	width  int
	n      int
	chunks [][]types.Datum
	budget *Budget
	// pending is counted here but not yet in the budget; charged is.
	pending, charged int64
}

func newRowStore(width int, budget *Budget) *rowStore { return &rowStore{width: width, budget: budget} }

// add copies a row in and returns the copy.
func (s *rowStore) add(row []types.Datum) ([]types.Datum, error) {
	out, err := s.alloc(rowBytes(row))
	if err != nil {
		return nil, err
	}
	copy(out, row)
	return out, nil
}

// alloc makes room for a row that holds about size bytes and returns it, to be filled by the caller.
func (s *rowStore) alloc(size int64) ([]types.Datum, error) {
	if s.pending += size; s.pending >= chargeStep {
		err := s.budget.Grow(s.pending)
		switch {
		case err == nil:
		case s.n == 0:
			// One row must fit, or an operator could do nothing beside others that hold all of the memory.
			s.budget.Used += s.pending
		default:
			s.pending -= size
			return nil, err
		}
		s.charged += s.pending
		s.pending = 0
	}
	s.n++
	if s.width == 0 {
		return nil, nil
	}
	c := (s.n - 1) / storeChunk
	if c == len(s.chunks) {
		// The first chunk grows with what is in it: most results are small.
		if c == 0 {
			s.chunks = append(s.chunks, make([]types.Datum, 0, 8*s.width))
		} else {
			s.chunks = append(s.chunks, make([]types.Datum, 0, storeChunk*s.width))
		}
	}
	chunk := s.chunks[c]
	at := len(chunk)
	if at+s.width > cap(chunk) {
		grown := make([]types.Datum, at, min(2*cap(chunk), storeChunk*s.width))
		copy(grown, chunk)
		chunk = grown
	}
	s.chunks[c] = chunk[:at+s.width]
	return s.chunks[c][at : at+s.width : at+s.width], nil
}

// row returns row i, which shares the store's memory. Only rows that are not yet in use elsewhere may be changed: growth
// of the first chunk copies it.
func (s *rowStore) row(i int) []types.Datum {
	if s.width == 0 {
		return nil
	}
	at := i % storeChunk * s.width
	return s.chunks[i/storeChunk][at : at+s.width : at+s.width]
}

// release forgets the rows and gives their memory back to the budget.
func (s *rowStore) release() {
	s.budget.Shrink(s.charged)
	s.n, s.chunks, s.charged, s.pending = 0, nil, 0, 0
}

// rowBytes estimates the memory of a copied row.
func rowBytes(row []types.Datum) int64 {
	n := int64(len(row)) * datumBytes
	for i := range row {
		if !row[i].IsNull() {
			n += int64(types.Size(row[i]))
		}
	}
	return n
}

// grow adds a row to a batch and returns it, to be filled.
func (b *Batch) grow() []types.Datum {
	at := len(b.Data)
	end := at + b.Width
	if end > cap(b.Data) {
		data := make([]types.Datum, at, max(2*end, 16*b.Width))
		copy(data, b.Data)
		b.Data = data
	}
	b.Data = b.Data[:end]
	b.N++
	return b.Data[at:end:end]
}

// shrink drops the last row, which grow added.
func (b *Batch) shrink() {
	b.N--
	b.Data = b.Data[:b.N*b.Width]
}

// firstError returns the first error that is not nil.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// drop takes the last row out again.
func (s *rowStore) drop() {
	s.n--
	if s.width > 0 {
		c := s.n / storeChunk
		s.chunks[c] = s.chunks[c][:len(s.chunks[c])-s.width]
	}
}
