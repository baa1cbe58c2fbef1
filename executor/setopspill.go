package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/types"
)

// setParts are the two sides of a set operation divided by the hash of their rows.
type setParts struct {
	pairs []*joinPair // to do
	cur   *joinPair
	rows  *spillCursor
}

func (p *setParts) addRight(row []types.Datum, h uint64) error {
	return p.pairs[partitionOf(h, 0)].right.add(row)
}

// overflow moves the right side to files, with the row that did not fit.
func (e *exceptOp) overflow(row []types.Datum) error {
	e.parts = &setParts{pairs: newPairs(0)}
	for i := range e.count {
		r := e.set.keys.row(i)
		for range e.count[i] {
			if err := e.parts.addRight(r, e.set.hashes[i]); err != nil {
				return err
			}
		}
	}
	e.set.release()
	e.count = e.count[:0]
	return e.parts.addRight(row, e.set.hash(row))
}

func (e *exceptOp) divideLeft(ctx context.Context) error {
	for {
		err := e.left.Next(ctx, &e.in)
		if err == io.EOF {
			return e.left.Close(ctx)
		}
		if err != nil {
			return err
		}
		for i := range e.in.N {
			row := e.in.Row(i)
			if err := e.parts.pairs[partitionOf(e.set.hash(row), 0)].left.add(row); err != nil {
				return err
			}
		}
	}
}

// nextSpilled fills the batch of left rows from the part in progress, or the next one.
func (e *exceptOp) nextSpilled(ctx context.Context) error {
	for {
		if err := cancelled(ctx); err != nil {
			return err
		}
		if e.parts.rows == nil {
			if err := e.nextPart(); err != nil {
				return err
			}
		}
		e.in.Reset(e.width)
		for e.in.N < BatchRows {
			err := e.parts.rows.next(e.in.grow())
			if err == nil {
				continue
			}
			e.in.shrink()
			if err != io.EOF {
				return err
			}
			e.parts.rows = nil
			break
		}
		if e.in.N > 0 {
			return nil
		}
	}
}

// nextPart counts the right side of the next part; io.EOF if there is none. A part that does not fit is divided again.
func (e *exceptOp) nextPart() error {
	p := e.parts
	for {
		if p.cur != nil {
			if err := p.cur.close(); err != nil {
				return err
			}
			p.cur = nil
		}
		e.set.release()
		e.count = e.count[:0]
		if len(p.pairs) == 0 {
			return io.EOF
		}
		p.cur, p.pairs = p.pairs[0], p.pairs[1:]
		err := eachSpilled(p.cur.right, e.width, e.countRow)
		if err == nil {
			p.rows, err = p.cur.left.all()
			return err
		}
		if !isFull(err) || p.cur.depth >= maxSplits {
			return err
		}
		if err := e.split(); err != nil {
			return err
		}
	}
}

func (e *exceptOp) split() error {
	depth := e.parts.cur.depth + 1
	pairs := newPairs(depth)
	e.parts.pairs = append(e.parts.pairs, pairs...)
	err := eachSpilled(e.parts.cur.right, e.width, func(row []types.Datum) error {
		return pairs[partitionOf(e.set.hash(row), depth)].right.add(row)
	})
	if err != nil {
		return err
	}
	return eachSpilled(e.parts.cur.left, e.width, func(row []types.Datum) error {
		return pairs[partitionOf(e.set.hash(row), depth)].left.add(row)
	})
}

func (p *setParts) close() error {
	if p == nil {
		return nil
	}
	return closePairs(p.pairs, p.cur)
}
