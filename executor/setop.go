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
	set := newRowSet(n.Out, b.rt.Budget)
	switch {
	case n.Kind == planner.Union && n.All:
		return &appendOp{in: []Operator{left, right}}, nil
	case n.Kind == planner.Union:
		return &distinctOp{Operator: &appendOp{in: []Operator{left, right}}, seen: set}, nil
	}
	op := &exceptOp{left: left, right: right, intersect: n.Kind == planner.Intersect, all: n.All, set: set, width: len(n.Out)}
	if n.Kind == planner.Except && !n.All {
		return &distinctOp{Operator: op, seen: newRowSet(n.Out, b.rt.Budget)}, nil
	}
	return op, nil
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

// exceptOp is INTERSECT, INTERSECT ALL and EXCEPT ALL, and the left rows of EXCEPT with their duplicates: it counts the
// right side's rows, then lets the left side's through as long as the counts say.
type exceptOp struct {
	left, right    Operator
	intersect, all bool
	width          int
	set            *rowSet
	count          []int64
	in             Batch
	loaded         bool
	parts          *setParts // once the right side did not fit
}

func (e *exceptOp) Open(ctx context.Context) error { return e.reset() }

func (e *exceptOp) reset() error {
	e.set.release()
	e.count, e.loaded = e.count[:0], false
	err := e.parts.close()
	e.parts = nil
	return err
}

func (e *exceptOp) load(ctx context.Context) error {
	e.loaded = true
	err := drain(ctx, e.right, func(row []types.Datum) error {
		if e.parts != nil {
			return e.parts.addRight(row, e.set.hash(row))
		}
		err := e.countRow(row)
		if isFull(err) {
			return e.overflow(row)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := e.left.Open(ctx); err != nil {
		return err
	}
	if e.parts != nil {
		return e.divideLeft(ctx)
	}
	return nil
}

// countRow counts a row of the right side.
func (e *exceptOp) countRow(row []types.Datum) error {
	h := e.set.hash(row)
	i := e.set.find(row, h)
	if i < 0 {
		var err error
		if i, err = e.set.insert(row, h); err != nil {
			return err
		}
		e.count = append(e.count, 0)
	}
	e.count[i]++
	return nil
}

func (e *exceptOp) Next(ctx context.Context, b *Batch) error {
	if !e.loaded {
		if err := e.load(ctx); err != nil {
			return err
		}
	}
	for {
		if err := e.nextLeft(ctx); err != nil {
			return err
		}
		b.Reset(e.in.Width)
		for i := 0; i < e.in.N; i++ {
			if row := e.in.Row(i); e.passes(row) {
				b.Append(row)
			}
		}
		if b.N > 0 {
			return nil
		}
	}
}

func (e *exceptOp) nextLeft(ctx context.Context) error {
	if e.parts == nil {
		return e.left.Next(ctx, &e.in)
	}
	return e.nextSpilled(ctx)
}

// given marks a row of INTERSECT that was given already.
const given = -1

func (e *exceptOp) passes(row []types.Datum) bool {
	i := e.set.find(row, e.set.hash(row))
	switch {
	case i < 0:
		return !e.intersect
	case e.intersect && !e.all:
		ok := e.count[i] > 0
		e.count[i] = given
		return ok
	case !e.all:
		return false
	case e.count[i] > 0:
		e.count[i]--
		return e.intersect
	}
	return !e.intersect
}

func (e *exceptOp) Close(ctx context.Context) error {
	return firstError(e.reset(), e.left.Close(ctx), e.right.Close(ctx))
}
