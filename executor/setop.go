package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

func (b *builder) buildSetOp(n *planner.SetOp) (Operator, error) {
	left, err := b.build(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := b.build(n.Right)
	if err != nil {
		return nil, err
	}
	if n.Kind == planner.Union {
		both := &appendOp{in: []Operator{left, right}}
		if n.All {
			return both, nil
		}
		return &distinctOp{Operator: both, seen: newRowSet(n.Out, b.rt.Budget)}, nil
	}
	return &exceptOp{
		left: left, right: right, intersect: n.Kind == planner.Intersect, all: n.All, set: newRowSet(n.Out, b.rt.Budget),
	}, nil
}

// appendOp gives the rows of its inputs one after the other.
type appendOp struct {
	in []Operator
	at int
}

func (a *appendOp) Open(ctx context.Context) error {
	a.at = 0
	return a.in[0].Open(ctx)
}

func (a *appendOp) Next(ctx context.Context, b *Batch) error {
	for a.at < len(a.in) {
		err := a.in[a.at].Next(ctx, b)
		if err != io.EOF {
			return err
		}
		if err := a.in[a.at].Close(ctx); err != nil {
			return err
		}
		if a.at++; a.at < len(a.in) {
			if err := a.in[a.at].Open(ctx); err != nil {
				return err
			}
		}
	}
	return io.EOF
}

func (a *appendOp) Close(ctx context.Context) error {
	var err error
	for _, in := range a.in {
		err = firstError(err, in.Close(ctx))
	}
	return err
}

// exceptOp is INTERSECT and EXCEPT, with and without ALL: it counts the right side's rows, then lets the left side's
// through as long as counts allow.
type exceptOp struct {
	left, right    Operator
	intersect, all bool
	set            *rowSet
	count          []int64
	in             Batch
	loaded         bool
}

func (e *exceptOp) Open(ctx context.Context) error {
	e.set.release()
	e.count, e.loaded = e.count[:0], false
	return nil
}

func (e *exceptOp) load(ctx context.Context) error {
	e.loaded = true
	err := drain(ctx, e.right, func(row []types.Datum) error {
		i, err := e.entry(row)
		if err == nil {
			e.count[i]++
		}
		return err
	})
	if err != nil {
		return err
	}
	return e.left.Open(ctx)
}

func (e *exceptOp) entry(row []types.Datum) (int, error) {
	h := e.set.hash(row)
	if i := e.set.find(row, h); i >= 0 {
		return i, nil
	}
	i, err := e.set.insert(row, h)
	if err == nil {
		e.count = append(e.count, 0)
	}
	return i, err
}

func (e *exceptOp) Next(ctx context.Context, b *Batch) error {
	if !e.loaded {
		if err := e.load(ctx); err != nil {
			return err
		}
	}
	for {
		if err := e.left.Next(ctx, &e.in); err != nil {
			return err
		}
		b.Reset(e.in.Width)
		for i := 0; i < e.in.N; i++ {
			row := e.in.Row(i)
			ok, err := e.passes(row)
			if err != nil {
				return err
			}
			if ok {
				b.Append(row)
			}
		}
		if b.N > 0 {
			return nil
		}
	}
}

// given marks a row of EXCEPT or INTERSECT without ALL that was given already.
const given = -1

func (e *exceptOp) passes(row []types.Datum) (bool, error) {
	if e.intersect || e.all {
		i := e.set.find(row, e.set.hash(row))
		switch {
		case i < 0:
			return !e.intersect, nil
		case !e.all:
			ok := e.count[i] > 0
			e.count[i] = given
			return ok, nil
		case e.count[i] > 0:
			e.count[i]--
			return e.intersect, nil
		}
		return !e.intersect, nil
	}
	i, err := e.entry(row)
	if err != nil || e.count[i] != 0 {
		return false, err
	}
	e.count[i] = given
	return true, nil
}

func (e *exceptOp) Close(ctx context.Context) error {
	e.set.release()
	return firstError(e.left.Close(ctx), e.right.Close(ctx))
}
