package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// windowOp sorts its input by partition and order, and computes window functions a partition at a time.
type windowOp struct {
	env    *expr.Env
	in     Operator
	width  int
	sorter *sorter
	part   []scalar
	typs   []keyType
	order  *ordering
	frame  windowFrame
	funcs  []*windowCall
	budget *Budget
	tick   ticker

	rows *pagedRows // the partition in progress
	// keys are the order keys of its rows; peers their groups.
	keys       *pagedRows
	peers      peerGroups
	at         int
	ahead      []types.Datum // the first row of the next partition
	key        []types.Datum
	vals       []types.Datum
	ended      bool
	frameStart int
	frameEnd   int
}

// peerGroups numbers the groups of rows that are equal under the order.
type peerGroups struct {
	of    []int32 // per row
	start []int32 // per group, and the end of the last
}

func (g *peerGroups) bounds(row int) (start, end int) {
	n := g.of[row]
	return int(g.start[n]), int(g.start[n+1])
}

func (b *builder) buildWindow(n *planner.Window) (Operator, error) {
	in, err := b.build(n.Input)
	if err != nil {
		return nil, err
	}
	cols := n.Input.Cols()
	l := layoutOf(cols)
	op := &windowOp{env: b.rt.Env, in: in, width: len(cols), budget: b.rt.Budget}
	var keys []expr.SortKey
	for _, p := range n.Partition {
		keys = append(keys, expr.SortKey{X: p})
		op.typs = append(op.typs, keyTypeOf(p.Type()))
	}
	full, err := b.ordering(append(keys, n.Order...), l)
	if err != nil {
		return nil, err
	}
	op.sorter = newSorter(op.env, full, op.width, op.budget)
	if op.part, err = b.compileAll(n.Partition, l); err != nil {
		return nil, err
	}
	if op.order, err = b.ordering(n.Order, l); err != nil {
		return nil, err
	}
	if err := op.frame.compile(b, n, op.order); err != nil {
		return nil, err
	}
	for _, f := range n.Funcs {
		c, err := b.windowCall(f, l)
		if err != nil {
			return nil, err
		}
		op.funcs = append(op.funcs, c)
	}
	op.rows, op.keys = newPagedRows(op.width, op.budget), newPagedRows(len(n.Order), op.budget)
	op.key, op.vals = make([]types.Datum, len(op.part)), make([]types.Datum, max(len(op.part), len(n.Order)))
	return op, nil
}

func (w *windowOp) Open(ctx context.Context) error {
	if err := w.reset(); err != nil {
		return err
	}
	if err := drain(ctx, w.in, w.sorter.add); err != nil {
		return err
	}
	if err := w.sorter.finish(); err != nil {
		return err
	}
	return w.frame.open(w.env)
}

func (w *windowOp) reset() error {
	w.at, w.ahead, w.ended = 0, nil, false
	err := firstError(w.rows.release(), w.keys.release(), w.sorter.close())
	for _, f := range w.funcs {
		err = firstError(err, f.agg.release())
	}
	return err
}

func (w *windowOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(w.width + len(w.funcs))
	for b.N < BatchRows {
		if err := w.tick.check(ctx); err != nil {
			return err
		}
		if w.at >= w.rows.n {
			if w.ended {
				break
			}
			if err := w.loadPartition(ctx); err != nil {
				return err
			}
			continue
		}
		if err := w.compute(b.grow()); err != nil {
			return err
		}
		w.at++
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

// loadPartition reads the rows of the next partition; ended is set with the last.
func (w *windowOp) loadPartition(ctx context.Context) error {
	if err := firstError(w.rows.release(), w.keys.release()); err != nil {
		return err
	}
	w.at = 0
	row := w.ahead
	w.ahead = nil
	for {
		if row == nil {
			var err error
			if row, err = w.sorter.nextRow(ctx); err != nil {
				return err
			}
			if row == nil {
				w.ended = true
				break
			}
		}
		if err := evalAll(w.env, w.part, row, w.vals[:len(w.part)]); err != nil {
			return err
		}
		if w.rows.n == 0 {
			copy(w.key, w.vals)
		} else if !sameKeys(w.typs, w.key, w.vals) {
			w.ahead = append([]types.Datum{}, row...)
			break
		}
		if err := w.keep(row); err != nil {
			return err
		}
		row = nil
	}
	if w.rows.n == 0 {
		return nil
	}
	return w.startPartition()
}

func (w *windowOp) keep(row []types.Datum) error {
	if err := w.rows.add(row); err != nil {
		return err
	}
	n := len(w.order.keys)
	if err := w.order.eval(w.env, row, w.vals[:n]); err != nil {
		return err
	}
	return w.keys.add(w.vals[:n])
}

// startPartition finds the peers and makes the functions' states.
func (w *windowOp) startPartition() error {
	n := w.rows.n
	w.peers.of, w.peers.start = make([]int32, n), w.peers.start[:0]
	var prev []types.Datum
	for i := 0; i < n; i++ {
		key, err := w.keys.row(i)
		if err != nil {
			return err
		}
		same := i > 0
		if same {
			c, err := w.order.compare(w.env, prev, key)
			if err != nil {
				return err
			}
			same = c == 0
		}
		prev = key
		if !same {
			w.peers.start = append(w.peers.start, int32(i))
		}
		w.peers.of[i] = int32(len(w.peers.start) - 1)
	}
	w.peers.start = append(w.peers.start, int32(n))
	for _, f := range w.funcs {
		if err := f.start(w); err != nil {
			return err
		}
	}
	return nil
}

// compute fills in a row of the result: the input's columns and the functions' values.
func (w *windowOp) compute(out []types.Datum) error {
	row, err := w.rows.row(w.at)
	if err != nil {
		return err
	}
	copy(out, row)
	start, end, err := w.frame.bounds(w, w.at)
	if err != nil {
		return err
	}
	w.frameStart, w.frameEnd = start, max(start, end)
	for i, f := range w.funcs {
		v, err := f.value(w)
		if err != nil {
			return err
		}
		out[w.width+i] = v
	}
	return nil
}

func (w *windowOp) Close(ctx context.Context) error {
	return firstError(w.reset(), w.in.Close(ctx))
}

// windowCall is one compiled window function or aggregate.
type windowCall struct {
	args   []scalar
	filter *scalar
	strict bool
	make   func() expr.WindowFunc
	mk     func() expr.Aggregator

	fn   expr.WindowFunc
	part expr.Partition
	agg  windowAgg
}

func (b *builder) windowCall(f planner.WindowItem, l expr.Layout) (*windowCall, error) {
	c := &windowCall{}
	args, filter := []expr.Expr(nil), expr.Expr(nil)
	var err error
	if f.Agg != nil {
		if f.Agg.Distinct || len(f.Agg.OrderBy) > 0 {
			return nil, pgerr.Unsupported("DISTINCT or ORDER BY in a window aggregate")
		}
		if c.mk, err = constructor(f.Agg); err != nil {
			return nil, err
		}
		args, filter, c.strict = f.Agg.Args, f.Agg.Filter, f.Agg.Fn.Impl.AggStrict
	} else {
		fn := f.Call.Fn
		if fn.Impl == nil || fn.Impl.Window == nil {
			return nil, pgerr.Unsupported("window function " + fn.Name)
		}
		args, c.make = f.Call.Args, fn.Impl.Window
	}
	if c.args, err = b.compileAll(args, l); err != nil {
		return nil, err
	}
	if filter != nil {
		s, err := b.compile(filter, l)
		if err != nil {
			return nil, err
		}
		c.filter = &s
	}
	return c, nil
}

// start begins a partition.
func (c *windowCall) start(w *windowOp) error {
	if c.mk != nil {
		return c.agg.start(c, w)
	}
	c.fn = c.make()
	c.part = expr.Partition{
		Rows: w.rows.n,
		Arg: func(row, i int) (types.Datum, error) {
			r, err := w.rows.row(row)
			if err != nil {
				return types.Null, err
			}
			return c.args[i].value(w.env, r)
		},
		InFrame: func(row int) bool { return w.inFrame(row) },
	}
	return nil
}

func (c *windowCall) value(w *windowOp) (types.Datum, error) {
	if c.mk != nil {
		return c.agg.value(c, w)
	}
	p := &c.part
	p.Current, p.FrameStart, p.FrameEnd = w.at, w.frameStart, w.frameEnd
	p.PeerStart, p.PeerEnd = w.peers.bounds(w.at)
	return c.fn.Next(w.env, p)
}

// inFrame reports whether a row is in the frame of the current one.
func (w *windowOp) inFrame(row int) bool {
	if row < w.frameStart || row >= w.frameEnd {
		return false
	}
	switch w.frame.exclude {
	case 'c':
		return row != w.at
	case 'g':
		return w.peers.of[row] != w.peers.of[w.at]
	case 't':
		return row == w.at || w.peers.of[row] != w.peers.of[w.at]
	}
	return true
}
