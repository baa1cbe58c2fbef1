package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/types"
)

// spilledRows holds rows for which a set of rows had no room, divided by hash into parts that are gone through one after
// the other, each with a set of its own.
type spilledRows struct {
	spilling bool // rows that are not in the set go to the files
	reading  bool
	depth    int
	width    int
	files    []*spillFile
	todo     []rowPart
	cur      rowPart
	rows     *spillCursor
}

type rowPart struct {
	file  *spillFile
	depth int
}

func (s *spilledRows) start() {
	s.spilling = true
	s.files = make([]*spillFile, partitions)
	for i := range s.files {
		s.files[i] = newSpillFile()
	}
}

func (s *spilledRows) add(row []types.Datum, h uint64) error {
	s.width = len(row)
	return s.files[partitionOf(h, s.depth)].add(row)
}

// advance goes to the next part, with the set emptied; false if there is none.
func (s *spilledRows) advance(seen *rowSet) (bool, error) {
	var depth []rowPart
	for _, f := range s.files {
		if f.rows > 0 {
			depth = append(depth, rowPart{f, s.depth + 1})
		}
	}
	s.todo = append(depth, s.todo...)
	s.files, s.spilling = nil, false
	if err := s.cur.file.close(); err != nil {
		return false, err
	}
	s.cur = rowPart{}
	if len(s.todo) == 0 {
		return false, nil
	}
	seen.release()
	s.cur, s.todo = s.todo[0], s.todo[1:]
	s.depth, s.reading = s.cur.depth, true
	var err error
	s.rows, err = s.cur.file.all()
	return true, err
}

// next fills a batch from the part in progress.
func (s *spilledRows) next(ctx context.Context, b *Batch) error {
	if s.rows == nil {
		return io.EOF
	}
	if err := cancelled(ctx); err != nil {
		return err
	}
	b.Reset(s.width)
	for b.N < BatchRows {
		err := s.rows.next(b.grow())
		if err == io.EOF {
			b.shrink()
			break
		}
		if err != nil {
			return err
		}
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

func (s *spilledRows) close() error {
	if s == nil {
		return nil
	}
	err := s.cur.file.close()
	for _, f := range s.files {
		err = firstError(err, f.close())
	}
	for _, p := range s.todo {
		err = firstError(err, p.file.close())
	}
	return err
}
