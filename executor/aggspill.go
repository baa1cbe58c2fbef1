package executor

import (
	"context"

	"github.com/pgmongo/pgmongo/types"
)

// aggSpill keeps the rows of groups that were not in the table when it was full, divided by the hash of their keys. Groups
// that are in the table go on being counted, so each row is written at most once a round.
type aggSpill struct {
	a     *aggregateOp
	depth int
	files []*spillFile
	todo  []aggPart
	row   []types.Datum
}

// aggPart is a file of rows to aggregate, each followed by the number of its grouping set.
type aggPart struct {
	file  *spillFile
	depth int
}

// overflow starts a spill, with the row whose group did not fit.
func (a *aggregateOp) overflow(row []types.Datum, set int, h uint64, full error) error {
	if a.groups.keys.len() == 0 {
		return full
	}
	a.spill = &aggSpill{a: a, depth: a.depth, row: make([]types.Datum, a.inW+1)}
	a.spill.open()
	return a.spill.add(row, set, h)
}

func (s *aggSpill) open() {
	s.files = make([]*spillFile, partitions)
	for i := range s.files {
		s.files[i] = newSpillFile()
	}
}

func (s *aggSpill) add(row []types.Datum, set int, h uint64) error {
	copy(s.row, row)
	s.row[s.a.inW] = types.Int(int64(set))
	return s.files[partitionOf(h, s.depth)].add(s.row)
}

// nextPart aggregates the next part of what was spilled; false if there is none.
func (a *aggregateOp) nextPart(ctx context.Context) (bool, error) {
	s := a.spill
	if s == nil {
		return false, nil
	}
	s.flush()
	if len(s.todo) == 0 {
		return false, nil
	}
	part := s.todo[0]
	s.todo = s.todo[1:]
	a.groups.keys.release()
	if err := a.releaseStates(); err != nil {
		return false, firstError(err, part.file.close())
	}
	a.at = 0
	a.depth = part.depth
	a.spill = nil
	err := eachSpilled(part.file, a.inW+1, func(row []types.Datum) error {
		if err := cancelled(ctx); err != nil {
			return err
		}
		if err := evalAll(a.env, a.keys, row[:a.inW], a.vals); err != nil {
			return err
		}
		return a.addTo(int(row[a.inW].Int()), row[:a.inW])
	})
	if a.spill != nil {
		// The part did not fit either: what is left of it goes to parts of its own, one level down.
		a.spill.flush()
		s.todo = append(a.spill.todo, s.todo...)
	}
	a.spill = s
	return true, firstError(err, part.file.close())
}

// flush makes parts of the files in use.
func (s *aggSpill) flush() {
	for _, f := range s.files {
		if f.rows > 0 {
			s.todo = append(s.todo, aggPart{f, s.depth + 1})
		}
	}
	s.files = nil
}

func (s *aggSpill) close() error {
	if s == nil {
		return nil
	}
	s.flush()
	var err error
	for _, p := range s.todo {
		err = firstError(err, p.file.close())
	}
	return err
}
