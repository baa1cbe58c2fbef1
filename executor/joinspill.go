package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/types"
)

const (
	// partitions is into how many files a side that does not fit is divided.
	partitions = 16
	// maxSplits is how often a part that still does not fit is divided again: equal keys cannot be divided.
	maxSplits = 5
)

// partitionOf spreads hashes over partitions, differently at each depth.
func partitionOf(hash uint64, depth int) int {
	return int(mix(hash+uint64(depth+1)*0x9e3779b97f4a7c15) % partitions)
}

// joinPair is a part of both sides: rows with the same key are in the same pair.
type joinPair struct {
	left, right *spillFile
	depth       int
}

func (p *joinPair) close() error { return firstError(p.left.close(), p.right.close()) }

// joinParts joins sides that do not fit part by part. Rows with a NULL key, which match nothing, are in the first part.
type joinParts struct {
	j          *hashJoin
	pairs      []*joinPair // to do; the first loaded one is cur
	cur        *joinPair
	rows       *spillCursor
	row        []types.Datum
	divided    bool // the left side is in the parts
	rightRows  int
	rightNulls bool
}

// overflow moves the right side to files, with the row that did not fit.
func (j *hashJoin) overflow(row []types.Datum, full error) error {
	if j.table.rows.n == 0 {
		return full
	}
	p := &joinParts{j: j, row: make([]types.Datum, j.lw), pairs: newPairs(0)}
	j.parts = p
	p.rightNulls = j.table.nulls
	key := append([]types.Datum(nil), j.vals...)
	for i := 0; i < j.table.rows.n; i++ {
		r := j.table.rows.row(i)
		if err := evalAll(j.env, j.rkeys, r, j.vals); err != nil {
			return err
		}
		if err := p.addRight(r, j.vals); err != nil {
			return err
		}
	}
	j.table.release()
	return p.addRight(row, key)
}

func newPairs(depth int) []*joinPair {
	pairs := make([]*joinPair, partitions)
	for i := range pairs {
		pairs[i] = &joinPair{left: newSpillFile(), right: newSpillFile(), depth: depth}
	}
	return pairs
}

func (p *joinParts) addRight(row, key []types.Datum) error {
	if hasNull(key) {
		p.rightNulls = true
		if !p.j.keepsRight() {
			return nil
		}
	}
	p.rightRows++
	return pairFor(p.pairs, p.j.typs, key, 0).right.add(row)
}

func pairFor(pairs []*joinPair, typs []keyType, key []types.Datum, depth int) *joinPair {
	if hasNull(key) {
		return pairs[0]
	}
	return pairs[partitionOf(hashKeys(typs, key), depth)]
}

// nextLeft returns the next left row of the part in progress; io.EOF at its end.
func (p *joinParts) nextLeft(ctx context.Context, j *hashJoin) ([]types.Datum, error) {
	if !p.divided {
		if err := p.divideLeft(ctx, j); err != nil {
			return nil, err
		}
		more, err := p.advance(ctx, j)
		if err != nil {
			return nil, err
		}
		if !more {
			return nil, io.EOF
		}
	}
	if p.cur == nil {
		return nil, io.EOF
	}
	err := p.rows.next(p.row)
	return p.row, err
}

func (p *joinParts) divideLeft(ctx context.Context, j *hashJoin) error {
	p.divided = true
	for {
		row, err := j.in.next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := evalAll(j.env, j.lkeys, row, j.vals); err != nil {
			return err
		}
		if err := pairFor(p.pairs, j.typs, j.vals, 0).left.add(row); err != nil {
			return err
		}
	}
}

// advance loads the next part; false if there is none.
func (p *joinParts) advance(ctx context.Context, j *hashJoin) (bool, error) {
	for {
		if err := cancelled(ctx); err != nil {
			return false, err
		}
		if p.cur != nil {
			if err := p.cur.close(); err != nil {
				return false, err
			}
			p.cur = nil
		}
		j.table.release()
		j.tail = 0
		if len(p.pairs) == 0 {
			return false, nil
		}
		p.cur, p.pairs = p.pairs[0], p.pairs[1:]
		err := p.loadRight(j)
		if isFull(err) && p.cur.depth < maxSplits {
			if err = p.split(j); err != nil {
				return false, err
			}
			continue
		}
		if err != nil {
			return false, err
		}
		p.rows, err = p.cur.left.all()
		return true, err
	}
}

func (p *joinParts) loadRight(j *hashJoin) error {
	err := eachSpilled(p.cur.right, j.rw, func(row []types.Datum) error {
		if err := evalAll(j.env, j.rkeys, row, j.vals); err != nil {
			return err
		}
		return j.table.add(row, j.vals, j.keepsRight())
	})
	if err == nil && j.keepsRight() {
		j.table.seen = make([]bool, j.table.rows.n)
	}
	return err
}

// split divides the current part, which does not fit, into new ones.
func (p *joinParts) split(j *hashJoin) error {
	j.table.release()
	depth := p.cur.depth + 1
	pairs := newPairs(depth)
	p.pairs = append(p.pairs, pairs...)
	err := eachSpilled(p.cur.right, j.rw, func(row []types.Datum) error {
		if err := evalAll(j.env, j.rkeys, row, j.vals); err != nil {
			return err
		}
		return pairFor(pairs, j.typs, j.vals, depth).right.add(row)
	})
	if err != nil {
		return err
	}
	return eachSpilled(p.cur.left, j.lw, func(row []types.Datum) error {
		if err := evalAll(j.env, j.lkeys, row, j.vals); err != nil {
			return err
		}
		return pairFor(pairs, j.typs, j.vals, depth).left.add(row)
	})
}

// eachSpilled calls f with every row of a file; a row is valid during the call.
func eachSpilled(s *spillFile, width int, f func(row []types.Datum) error) error {
	cur, err := s.all()
	if err != nil {
		return err
	}
	row := make([]types.Datum, width)
	for {
		err := cur.next(row)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = f(row)
		}
		if err != nil {
			return err
		}
	}
}

func (p *joinParts) close() error {
	if p == nil {
		return nil
	}
	return closePairs(p.pairs, p.cur)
}

// closePairs closes the pairs that are to be done and the one in progress, which may be nil.
func closePairs(pairs []*joinPair, cur *joinPair) error {
	var err error
	for _, pair := range pairs {
		err = firstError(err, pair.close())
	}
	if cur != nil {
		err = firstError(err, cur.close())
	}
	return err
}
