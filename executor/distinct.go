package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

func (b *builder) buildDistinct(n *planner.Distinct) (Operator, error) {
	in, err := b.build(n.Input)
	if err != nil {
		return nil, err
	}
	cols := n.Input.Cols()
	if len(n.On) == 0 {
		return &distinctOp{Operator: in, seen: newRowSet(cols, b.rt.Budget)}, nil
	}
	keys, err := b.compileAll(n.On, layoutOf(cols))
	if err != nil {
		return nil, err
	}
	op := &distinctOnOp{Operator: in, env: b.rt.Env, keys: keys}
	for _, x := range n.On {
		op.typs = append(op.typs, keyTypeOf(x.Type()))
	}
	op.last, op.vals = make([]types.Datum, len(keys)), make([]types.Datum, len(keys))
	return op, nil
}

// distinctOp lets the first of equal rows through, as they come.
type distinctOp struct {
	Operator
	seen *rowSet
	in   Batch
	rest *spilledRows
}

func (d *distinctOp) Open(ctx context.Context) error {
	if err := d.reset(); err != nil {
		return err
	}
	return d.Operator.Open(ctx)
}

func (d *distinctOp) reset() error {
	d.seen.release()
	err := d.rest.close()
	d.rest = nil
	return err
}

func (d *distinctOp) Next(ctx context.Context, b *Batch) error {
	for {
		var err error
		if d.rest != nil && d.rest.reading {
			err = d.rest.next(ctx, &d.in)
		} else {
			err = d.Operator.Next(ctx, &d.in)
		}
		if err == io.EOF && d.rest != nil {
			if more, aerr := d.rest.advance(d.seen); aerr != nil {
				return aerr
			} else if more {
				continue
			}
		}
		if err != nil {
			return err
		}
		b.Reset(d.in.Width)
		for i := 0; i < d.in.N; i++ {
			if err := d.take(b, d.in.Row(i)); err != nil {
				return err
			}
		}
		if b.N > 0 {
			return nil
		}
	}
}

// take adds the row to the batch if it is the first of its kind. A row that is not known and finds no room is looked at
// again later, with the others of its part.
func (d *distinctOp) take(b *Batch, row []types.Datum) error {
	h := d.seen.hash(row)
	if d.seen.find(row, h) >= 0 {
		return nil
	}
	if d.rest != nil && d.rest.spilling {
		return d.rest.add(row, h)
	}
	_, err := d.seen.insert(row, h)
	if isFull(err) && d.seen.len() > 0 {
		if d.rest == nil {
			d.rest = &spilledRows{}
		}
		d.rest.start()
		return d.rest.add(row, h)
	}
	if err == nil {
		b.Append(row)
	}
	return err
}

func (d *distinctOp) Close(ctx context.Context) error {
	return firstError(d.reset(), d.Operator.Close(ctx))
}

// rowSet is a set of whole rows.
type rowSet struct{ *keyTable }

func newRowSet(cols []planner.Col, budget *Budget) *rowSet {
	typs := make([]keyType, len(cols))
	for i, c := range cols {
		typs[i] = keyTypeOf(c.Type)
	}
	return &rowSet{newKeyTable(typs, budget)}
}

func (s *rowSet) hash(row []types.Datum) uint64 { return hashKeys(s.typs, row) }

// add puts a row into the set, and reports whether it is new.
func (s *rowSet) add(row []types.Datum) (bool, error) {
	h := s.hash(row)
	if s.find(row, h) >= 0 {
		return false, nil
	}
	_, err := s.insert(row, h)
	return err == nil, err
}

// distinctOnOp lets the first of each run of rows with equal keys through; its input is sorted by them.
type distinctOnOp struct {
	Operator
	env        *expr.Env
	keys       []scalar
	typs       []keyType
	last, vals []types.Datum
	any        bool
}

func (d *distinctOnOp) Open(ctx context.Context) error {
	d.any = false
	return d.Operator.Open(ctx)
}

func (d *distinctOnOp) Next(ctx context.Context, b *Batch) error {
	for {
		if err := d.Operator.Next(ctx, b); err != nil {
			return err
		}
		kept := 0
		for i := 0; i < b.N; i++ {
			row := b.Row(i)
			if err := evalAll(d.env, d.keys, row, d.vals); err != nil {
				return err
			}
			if d.any && sameKeys(d.typs, d.last, d.vals) {
				continue
			}
			d.any = true
			d.last, d.vals = d.vals, d.last
			if kept != i {
				copy(b.Row(kept), row)
			}
			kept++
		}
		b.N, b.Data = kept, b.Data[:kept*b.Width]
		if kept > 0 {
			return nil
		}
	}
}
