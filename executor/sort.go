package executor

import (
	"context"
	"io"
	"math"
	"slices"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// sorter collects rows and gives them in order. Equal rows keep the order in which they came.
type sorter struct {
	env    *expr.Env
	order  *ordering
	width  int
	budget *Budget
	// keyPos says where in a stored row each key is; keys that are no plain columns are computed behind the row.
	keyPos []int
	stored int

	rows  *rowStore
	items []sortItem
	buf   []types.Datum
	// bound is how many rows will be asked for; beyond bar, the last of the present best, rows need not be kept.
	bound int64
	bar   []types.Datum
	err   error
	runs  *sortRuns
	at    int
	// pinned forbids temporary files.
	pinned bool
}

// sortItem stands for a row; null and abbrev are of its first key and decide most comparisons.
type sortItem struct {
	abbrev uint64
	row    int32
	null   bool
}

func newSorter(env *expr.Env, order *ordering, width int, budget *Budget) *sorter {
	s := &sorter{env: env, order: order, width: width, budget: budget, keyPos: make([]int, len(order.keys)), stored: width, bound: math.MaxInt64}
	for i := range order.keys {
		if order.keys[i].eval == nil {
			s.keyPos[i] = order.keys[i].pos
			continue
		}
		s.keyPos[i] = s.stored
		s.stored++
	}
	s.buf = make([]types.Datum, s.stored)
	s.rows = newRowStore(s.stored, budget)
	return s
}

// add takes a row.
func (s *sorter) add(row []types.Datum) error {
	copy(s.buf, row)
	for i := range s.order.keys {
		if k := &s.order.keys[i]; k.eval != nil {
			v, err := k.eval(s.env, row)
			if err != nil {
				return err
			}
			s.buf[s.keyPos[i]] = v
		}
	}
	if s.bar != nil {
		c, err := s.compareRows(s.buf, s.bar)
		if err != nil {
			return err
		}
		if c >= 0 {
			return nil
		}
	}
	stored, err := s.rows.add(s.buf)
	if err != nil {
		if err = s.overflow(err); err != nil {
			return err
		}
		if stored, err = s.rows.add(s.buf); err != nil {
			return err
		}
	}
	s.items = append(s.items, s.item(stored, s.rows.n-1))
	if s.bound < boundedRows && int64(len(s.items)) >= max(2*s.bound, 512) {
		return s.prune()
	}
	return nil
}

// boundedRows is up to how many rows a bound is kept to; above it a full sort is no worse.
const boundedRows = 1 << 20

func (s *sorter) item(row []types.Datum, i int) sortItem {
	it := sortItem{row: int32(i)}
	if len(s.order.keys) > 0 {
		d := row[s.keyPos[0]]
		if it.null = d.IsNull(); !it.null {
			it.abbrev = s.order.keys[0].abbreviate(d)
		}
	}
	return it
}

func (s *sorter) compareRows(a, b []types.Datum) (int, error) {
	for i, pos := range s.keyPos {
		if c, err := s.order.keys[i].compare(s.env, a[pos], b[pos]); c != 0 || err != nil {
			return c, err
		}
	}
	return 0, nil
}

func (s *sorter) compareItems(a, b sortItem) int {
	first := 0
	if len(s.order.keys) > 0 {
		k := &s.order.keys[0]
		switch {
		case a.null != b.null:
			return k.compareNulls(a.null, b.null)
		case a.abbrev < b.abbrev:
			return -1
		case a.abbrev > b.abbrev:
			return 1
		case a.null || k.decided():
			first = 1
		}
	}
	ra, rb := s.rows.row(int(a.row)), s.rows.row(int(b.row))
	for i := first; i < len(s.keyPos); i++ {
		pos := s.keyPos[i]
		c, err := s.order.keys[i].compare(s.env, ra[pos], rb[pos])
		if err != nil {
			s.err = err
		}
		if c != 0 {
			return c
		}
	}
	return int(a.row) - int(b.row)
}

func (s *sorter) sortItems() error {
	slices.SortFunc(s.items, s.compareItems)
	return s.err
}

// prune keeps the best rows of a bounded sort.
func (s *sorter) prune() error {
	if err := s.sortItems(); err != nil {
		return err
	}
	old := s.rows
	s.rows = newRowStore(s.stored, s.budget)
	n := int(s.bound)
	s.items = s.items[:min(n, len(s.items))]
	for i := range s.items {
		row, err := s.rows.add(old.row(int(s.items[i].row)))
		if err != nil {
			return err
		}
		s.items[i].row = int32(i)
		s.bar = row
	}
	old.release()
	if n == 0 {
		s.items = s.items[:0]
	}
	return nil
}

// finish sorts what was added; next then gives the rows.
func (s *sorter) finish() error {
	s.at = 0
	if s.runs != nil {
		return s.startMerge()
	}
	return s.sortItems()
}

// next fills a batch with rows in order.
func (s *sorter) next(ctx context.Context, b *Batch) error {
	b.Reset(s.width)
	for b.N < BatchRows {
		row, err := s.nextRow(ctx)
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		b.Append(row)
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

// nextRow returns the next row without the computed keys, nil at the end. It is valid until the next call.
func (s *sorter) nextRow(ctx context.Context) ([]types.Datum, error) {
	if s.runs != nil {
		return s.mergeNext()
	}
	if s.at >= len(s.items) || int64(s.at) >= s.bound {
		return nil, nil
	}
	row := s.rows.row(int(s.items[s.at].row))
	s.at++
	if s.width == 0 {
		return emptyRow, nil
	}
	return row[:s.width:s.width], nil
}

var emptyRow = make([]types.Datum, 0)

// close forgets everything; the sorter can then be filled again.
func (s *sorter) close() error {
	s.rows.release()
	s.items, s.bar, s.err, s.at = nil, nil, nil, 0
	if s.runs == nil {
		return nil
	}
	err := s.runs.close()
	s.runs = nil
	return err
}

// sortOp sorts its input.
type sortOp struct {
	in Operator
	s  *sorter
}

func (b *builder) buildSort(n *planner.Sort) (Operator, error) {
	in, err := b.build(n.Input)
	if err != nil {
		return nil, err
	}
	if n.Presorted > 0 {
		return b.presorted(in, n)
	}
	return b.sort(in, n.Keys, n.Input.Cols())
}

// sort puts a sort over an operator that has cols.
func (b *builder) sort(in Operator, keys []expr.SortKey, cols []planner.Col) (Operator, error) {
	order, err := b.ordering(keys, layoutOf(cols))
	if err != nil {
		return nil, err
	}
	return &sortOp{in: in, s: newSorter(b.rt.Env, order, len(cols), b.rt.Budget)}, nil
}

func (o *sortOp) setBound(n int64) { o.s.bound = n }

func (o *sortOp) Open(ctx context.Context) error {
	if err := o.s.close(); err != nil {
		return err
	}
	if err := drain(ctx, o.in, o.s.add); err != nil {
		return firstError(err, o.s.close())
	}
	return o.s.finish()
}

func (o *sortOp) Next(ctx context.Context, b *Batch) error {
	if err := cancelled(ctx); err != nil {
		return err
	}
	return o.s.next(ctx, b)
}

func (o *sortOp) Close(ctx context.Context) error {
	err := o.s.close()
	if cerr := o.in.Close(ctx); err == nil {
		err = cerr
	}
	return err
}
