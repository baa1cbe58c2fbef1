package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// nestedJoin compares every left row with every right row. The right side is read once, as far as it is needed, and kept,
// or, when it is lateral, run again for each left row.
type nestedJoin struct {
	joinBase
	lateral bool
	outer   []outerCol
	rows    *pagedRows
	tick    ticker

	in      reader
	loaded  bool   // the right side was opened
	source  reader // the right side, while reading
	reading bool
	cur     []types.Datum // the left row in progress, nil for none
	at      int           // next right row
	matched bool
	seen    []bool // right rows with a match
	tail    int    // next right row to give without a match
	ended   bool
	side    reader // a lateral right side
	sideOn  bool
}

func (j *nestedJoin) Open(ctx context.Context) error {
	if err := j.rows.release(); err != nil {
		return err
	}
	j.in = reader{op: j.left, b: j.in.b}
	j.in.reset()
	j.side = reader{op: j.right, b: j.side.b}
	j.loaded, j.reading, j.cur, j.seen, j.tail, j.ended, j.sideOn = false, false, nil, nil, 0, false, false
	return j.left.Open(ctx)
}

func (j *nestedJoin) load(ctx context.Context) error {
	j.loaded = true
	if j.lateral {
		return nil
	}
	j.source = reader{op: j.right, b: j.source.b}
	j.source.reset()
	j.reading = true
	return j.right.Open(ctx)
}

// more keeps another row of the right side, or all that follow once they go to a file; io.EOF says that there is none.
func (j *nestedJoin) more(ctx context.Context) error {
	for had := j.rows.n; j.reading; {
		row, err := j.source.next(ctx)
		if err == io.EOF {
			j.reading = false
			if err := j.right.Close(ctx); err != nil || j.rows.n > had {
				return err
			}
			break
		}
		if err != nil {
			return err
		}
		if err := j.rows.add(row); err != nil {
			return err
		}
		if j.keepsRight() {
			j.seen = append(j.seen, false)
		}
		if j.rows.file == nil {
			return nil
		}
	}
	return io.EOF
}

func (j *nestedJoin) Next(ctx context.Context, b *Batch) error {
	b.Reset(j.width())
	for b.N < BatchRows && !j.ended {
		if j.cur == nil {
			if err := j.nextLeft(ctx); err == io.EOF {
				j.ended = true
				break
			} else if err != nil {
				return err
			}
		}
		if err := j.scanRight(ctx, b); err != nil {
			return err
		}
	}
	if j.ended && j.keepsRight() {
		if !j.loaded {
			if err := j.load(ctx); err != nil {
				return err
			}
		}
		for ; b.N < BatchRows; j.tail++ {
			if j.tail >= j.rows.n {
				if err := j.more(ctx); err == io.EOF {
					break
				} else if err != nil {
					return err
				}
			}
			if j.seen[j.tail] {
				continue
			}
			row, err := j.rows.row(j.tail)
			if err != nil {
				return err
			}
			j.emit(b, nil, rowOrEmpty(row))
		}
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

// rowOrEmpty keeps a row of no columns from reading as no row.
func rowOrEmpty(row []types.Datum) []types.Datum {
	if row == nil {
		return emptyRow
	}
	return row
}

// nextLeft takes the next left row; the right side is read only when there is one.
func (j *nestedJoin) nextLeft(ctx context.Context) error {
	row, err := j.in.next(ctx)
	if err != nil {
		return err
	}
	if !j.loaded {
		if err := j.load(ctx); err != nil {
			return err
		}
	}
	j.cur, j.at, j.matched = rowOrEmpty(row), 0, false
	copy(j.buf, row)
	if !j.lateral {
		return nil
	}
	j.setOuter()
	j.side.reset()
	j.sideOn = true
	return j.right.Open(ctx)
}

// setOuter shows the left row to the right side. It is done before each reading: an expression evaluated in between may
// have shown a later row's values to a subquery of its own.
func (j *nestedJoin) setOuter() {
	for _, o := range j.outer {
		j.env.Outer[o.id] = j.cur[o.pos]
	}
}

// nextRight returns the next right row for the current left row, io.EOF after the last.
func (j *nestedJoin) nextRight(ctx context.Context) ([]types.Datum, error) {
	if j.lateral {
		if j.side.i >= j.side.b.N {
			j.setOuter()
		}
		row, err := j.side.next(ctx)
		return rowOrEmpty(row), err
	}
	if j.at >= j.rows.n {
		if err := j.more(ctx); err != nil {
			return nil, err
		}
	}
	j.at++
	row, err := j.rows.row(j.at - 1)
	return rowOrEmpty(row), err
}

// scanRight goes on with the current left row until the batch is full or the right side has ended.
func (j *nestedJoin) scanRight(ctx context.Context, b *Batch) error {
	for b.N < BatchRows {
		if err := j.tick.check(ctx); err != nil {
			return err
		}
		right, err := j.nextRight(ctx)
		if err == io.EOF {
			return j.endLeft(ctx, b)
		}
		if err != nil {
			return err
		}
		decided, err := j.pair(b, right)
		if err != nil {
			return err
		}
		if decided {
			return j.endLeft(ctx, b)
		}
	}
	return nil
}

// pair looks at one pair of rows; decided says that the left row needs no others.
func (j *nestedJoin) pair(b *Batch, right []types.Datum) (decided bool, err error) {
	if j.kind == planner.AntiNullJoin {
		no, err := j.isFalse(right)
		j.matched = !no
		return !no, err
	}
	ok, err := j.matches(right)
	if err != nil || !ok {
		return false, err
	}
	j.matched = true
	switch j.kind {
	case planner.SemiJoin, planner.AntiJoin:
		return true, nil
	}
	if j.seen != nil {
		j.seen[j.at-1] = true
	}
	j.emit(b, j.cur, right)
	return false, nil
}

// isFalse reports that the conditions together are false, not unknown: NOT IN lets a row through only then.
func (j *nestedJoin) isFalse(right []types.Datum) (bool, error) {
	copy(j.buf[j.lw:], right)
	for i := range j.conds {
		v, err := j.conds[i].value(j.env, j.buf)
		if err != nil {
			return false, err
		}
		if !v.IsNull() && !v.Bool() {
			return true, nil
		}
	}
	return false, nil
}

func (j *nestedJoin) endLeft(ctx context.Context, b *Batch) error {
	switch {
	case j.kind == planner.SemiJoin && j.matched, j.leftOnly() && j.kind != planner.SemiJoin && !j.matched, j.keepsLeft() && !j.matched:
		j.emit(b, j.cur, nil)
	}
	j.cur = nil
	if j.lateral {
		j.sideOn = false
		return j.right.Close(ctx)
	}
	return nil
}

func (j *nestedJoin) Close(ctx context.Context) error {
	j.seen = nil
	return firstError(j.rows.release(), j.left.Close(ctx), j.right.Close(ctx))
}
