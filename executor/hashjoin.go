package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// hashJoin keeps the right side in a hash table and looks up each left row. NULL keys match nothing.
type hashJoin struct {
	joinBase
	budget       *Budget
	lkeys, rkeys []scalar
	typs         []keyType
	vals         []types.Datum
	tick         ticker
	// ordered says that the left rows' order is to be kept, which spilling would lose.
	ordered bool

	table *joinTable
	in    reader
	parts *joinParts // set once the right side did not fit

	loaded  bool
	cur     []types.Datum
	chain   int32 // next right row with the key of cur, -1 for none
	matched bool
	ended   bool
	tail    int
}

// joinTable is the right side in memory: its rows, and for each key the chain of its rows in the order they came.
type joinTable struct {
	rows  *rowStore
	keys  *keyTable
	first []int32 // per key
	last  []int32
	next  []int32 // per row, -1 at the end
	seen  []bool  // per row: had a match
	nulls bool    // a row has a NULL key
}

func newJoinTable(width int, typs []keyType, budget *Budget) *joinTable {
	return &joinTable{rows: newRowStore(width, budget), keys: newKeyTable(typs, budget)}
}

// add takes a row with its key; keep says that it must be kept even if its NULL key can match nothing.
func (t *joinTable) add(row, key []types.Datum, keep bool) error {
	null := hasNull(key)
	if null {
		t.nulls = true
		if !keep {
			return nil
		}
	}
	if _, err := t.rows.add(row); err != nil {
		return err
	}
	i := int32(t.rows.n - 1)
	t.next = append(t.next, -1)
	if null {
		return nil
	}
	h := hashKeys(t.keys.typs, key)
	e := t.keys.find(key, h)
	if e < 0 {
		if _, err := t.keys.insert(key, h); err != nil {
			t.next = t.next[:i]
			t.rows.drop()
			return err
		}
		t.first, t.last = append(t.first, i), append(t.last, i)
		return nil
	}
	t.next[t.last[e]] = i
	t.last[e] = i
	return nil
}

// lookup returns the first row with a key, -1 for none.
func (t *joinTable) lookup(key []types.Datum) int32 {
	if hasNull(key) {
		return -1
	}
	e := t.keys.find(key, hashKeys(t.keys.typs, key))
	if e < 0 {
		return -1
	}
	return t.first[e]
}

func (t *joinTable) release() {
	t.rows.release()
	t.keys.release()
	t.first, t.last, t.next, t.seen, t.nulls = nil, nil, nil, nil, false
}

func (j *hashJoin) Open(ctx context.Context) error {
	if err := j.reset(); err != nil {
		return err
	}
	return j.left.Open(ctx)
}

func (j *hashJoin) reset() error {
	if j.table == nil {
		j.table = newJoinTable(j.rw, j.typs, j.budget)
	} else {
		j.table.release()
	}
	j.in = reader{op: j.left, b: j.in.b}
	j.in.reset()
	j.loaded, j.cur, j.chain, j.ended, j.tail = false, nil, -1, false, 0
	err := j.parts.close()
	j.parts = nil
	return err
}

// load reads the right side.
func (j *hashJoin) load(ctx context.Context) error {
	j.loaded = true
	err := drain(ctx, j.right, func(row []types.Datum) error {
		if err := evalAll(j.env, j.rkeys, row, j.vals); err != nil {
			return err
		}
		if j.parts != nil {
			return j.parts.addRight(row, j.vals)
		}
		err := j.table.add(row, j.vals, j.keepsRight())
		if isFull(err) && !j.ordered {
			return j.overflow(row, err)
		}
		return err
	})
	if err != nil {
		return err
	}
	if j.keepsRight() {
		j.table.seen = make([]bool, j.table.rows.n)
	}
	if j.noRight() && (j.kind == planner.InnerJoin || j.kind == planner.SemiJoin) {
		j.ended = true
	}
	return nil
}

func (j *hashJoin) Next(ctx context.Context, b *Batch) error {
	b.Reset(j.width())
	for b.N < BatchRows && !j.ended {
		if err := j.tick.check(ctx); err != nil {
			return err
		}
		if j.cur == nil {
			err := j.nextLeft(ctx)
			if err == io.EOF {
				err = j.endLeft(ctx, b)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := j.probe(b); err != nil {
			return err
		}
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

// nextLeft takes the next left row; the right side is read only when there is one, or when its own rows are wanted.
func (j *hashJoin) nextLeft(ctx context.Context) error {
	if !j.loaded && j.keepsRight() {
		if err := j.load(ctx); err != nil {
			return err
		}
	}
	row, err := j.leftRow(ctx)
	if err != nil {
		return err
	}
	if err := evalAll(j.env, j.lkeys, row, j.vals); err != nil {
		return err
	}
	j.cur, j.matched = row, false
	j.chain = j.table.lookup(j.vals)
	if len(j.conds) > 0 {
		copy(j.buf, row)
	}
	return nil
}

func (j *hashJoin) leftRow(ctx context.Context) ([]types.Datum, error) {
	if j.parts != nil {
		return j.parts.nextLeft(ctx, j)
	}
	row, err := j.in.next(ctx)
	if err != nil || j.loaded {
		return row, err
	}
	if err := j.load(ctx); err != nil {
		return nil, err
	}
	if j.ended {
		return nil, io.EOF
	}
	if j.parts != nil {
		j.in.i-- // the row goes to its partition with the others
		return j.parts.nextLeft(ctx, j)
	}
	return row, nil
}

// probe goes on with the current left row until the batch is full or its matches have ended.
func (j *hashJoin) probe(b *Batch) error {
	t := j.table
	for j.chain >= 0 {
		if b.N >= BatchRows {
			return nil
		}
		i := j.chain
		j.chain = t.next[i]
		right := t.rows.row(int(i))
		ok, err := j.matches(right)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		j.matched = true
		if j.leftOnly() {
			break
		}
		if t.seen != nil {
			t.seen[i] = true
		}
		j.emit(b, j.cur, right)
	}
	if b.N >= BatchRows && j.chain >= 0 && !j.leftOnly() {
		return nil
	}
	j.unmatched(b)
	j.cur = nil
	return nil
}

// unmatched gives the current left row if its kind of join gives it alone.
func (j *hashJoin) unmatched(b *Batch) {
	give := false
	switch j.kind {
	case planner.SemiJoin:
		give = j.matched
	case planner.AntiJoin:
		give = !j.matched
	case planner.AntiNullJoin:
		// x NOT IN (...) is unknown for a NULL x or a NULL among the values, unless there are no values at all.
		if j.noRight() {
			give = true
		} else {
			give = !j.matched && !j.anyNullRight() && !hasNull(j.vals)
		}
	default:
		give = j.keepsLeft() && !j.matched
	}
	if give {
		j.emit(b, j.cur, nil)
	}
}

func (j *hashJoin) noRight() bool {
	if j.parts != nil {
		return j.parts.rightRows == 0
	}
	return j.table.rows.n == 0 && !j.table.nulls
}

func (j *hashJoin) anyNullRight() bool {
	if j.parts != nil {
		return j.parts.rightNulls
	}
	return j.table.nulls
}

// endLeft gives the right rows that had no match, then goes to the next partition or ends.
func (j *hashJoin) endLeft(ctx context.Context, b *Batch) error {
	if j.keepsRight() {
		for ; j.tail < j.table.rows.n; j.tail++ {
			if b.N >= BatchRows {
				return nil
			}
			if !j.table.seen[j.tail] {
				j.emit(b, nil, rowOrEmpty(j.table.rows.row(j.tail)))
			}
		}
	}
	if j.parts != nil {
		more, err := j.parts.advance(ctx, j)
		if err != nil {
			return err
		}
		j.ended = !more
		return nil
	}
	j.ended = true
	return nil
}

func (j *hashJoin) Close(ctx context.Context) error {
	return firstError(j.reset(), j.left.Close(ctx), j.right.Close(ctx))
}
