package executor

import (
	"context"
	"io"
	"math"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// bounded is an operator that can do less when only its first rows will be read.
type bounded interface {
	// setBound tells how many rows will be read, before Open; math.MaxInt64 for all.
	setBound(n int64)
}

// limitOp skips and cuts. It closes its input as soon as it has its rows.
type limitOp struct {
	env           *expr.Env
	in            Operator
	below         bounded // nil: none
	limit, offset *scalar
	ties          bool
	order         *ordering

	left, skip int64
	opened     bool
	last       []types.Datum
	inTies     bool
}

func (b *builder) buildLimit(n *planner.Limit) (Operator, error) {
	in, err := b.build(n.Input)
	if err != nil {
		return nil, err
	}
	return b.limit(in, n)
}

// limit puts a limit over an operator that has the columns of the node's input.
func (b *builder) limit(in Operator, n *planner.Limit) (Operator, error) {
	op := &limitOp{env: b.rt.Env, in: in, ties: n.WithTies}
	var err error
	compile := func(e expr.Expr) *scalar {
		if e == nil || err != nil {
			return nil
		}
		s, cerr := b.compile(e, nil)
		err = cerr
		return &s
	}
	op.limit, op.offset = compile(n.Limit), compile(n.Offset)
	if err != nil {
		return nil, err
	}
	if n.WithTies {
		if op.order, err = b.ordering(n.Keys, layoutOf(n.Input.Cols())); err != nil {
			return nil, err
		}
	} else {
		op.below, _ = in.(bounded)
	}
	return op, nil
}

func (l *limitOp) Open(ctx context.Context) error {
	l.opened, l.inTies, l.last = false, false, nil
	var err error
	if l.skip, err = l.count(l.offset, 0, pgerr.InvalidRowCountInResultOffsetClause, "OFFSET must not be negative"); err != nil {
		return err
	}
	if l.left, err = l.count(l.limit, math.MaxInt64, pgerr.InvalidRowCountInLimitClause, "LIMIT must not be negative"); err != nil {
		return err
	}
	if l.left == 0 {
		return nil
	}
	if l.below != nil {
		bound := int64(math.MaxInt64)
		if l.left <= math.MaxInt64-l.skip {
			bound = l.left + l.skip
		}
		l.below.setBound(bound)
	}
	l.opened = true
	return l.in.Open(ctx)
}

func (l *limitOp) count(s *scalar, none int64, code pgerr.Code, negative string) (int64, error) {
	if s == nil {
		return none, nil
	}
	v, err := s.value(l.env, nil)
	if err != nil || v.IsNull() {
		return none, err
	}
	if v.Int() < 0 {
		return 0, pgerr.New(code, "%s", negative)
	}
	return v.Int(), nil
}

func (l *limitOp) Next(ctx context.Context, b *Batch) error {
	for l.opened {
		if err := l.in.Next(ctx, b); err != nil {
			return err
		}
		if l.skip > 0 {
			if n := int64(b.N); n <= l.skip {
				l.skip -= n
				continue
			}
			n := int(l.skip)
			l.skip = 0
			b.Data = append(b.Data[:0], b.Data[n*b.Width:]...)
			b.N -= n
		}
		if err := l.cut(ctx, b); err != nil {
			return err
		}
		if b.N > 0 {
			return nil
		}
	}
	return io.EOF
}

// cut shortens the batch to what may still be given.
func (l *limitOp) cut(ctx context.Context, b *Batch) error {
	if l.inTies {
		return l.keepTies(ctx, b, 0)
	}
	if int64(b.N) < l.left {
		l.left -= int64(b.N)
		return nil
	}
	n := int(l.left)
	l.left = 0
	if l.ties {
		if err := l.startTies(b.Row(n - 1)); err != nil {
			return err
		}
		return l.keepTies(ctx, b, n)
	}
	b.N, b.Data = n, b.Data[:n*b.Width]
	return l.Close(ctx)
}

// startTies remembers the sort keys of the last row, whose peers come along.
func (l *limitOp) startTies(row []types.Datum) error {
	l.inTies = true
	l.last = make([]types.Datum, len(l.order.keys))
	return l.order.eval(l.env, row, l.last)
}

func (l *limitOp) keepTies(ctx context.Context, b *Batch, from int) error {
	keys := make([]types.Datum, len(l.order.keys))
	for i := from; i < b.N; i++ {
		if err := l.order.eval(l.env, b.Row(i), keys); err != nil {
			return err
		}
		c, err := l.order.compare(l.env, l.last, keys)
		if err != nil {
			return err
		}
		if c != 0 {
			b.N, b.Data = i, b.Data[:i*b.Width]
			return l.Close(ctx)
		}
	}
	return nil
}

func (l *limitOp) Close(ctx context.Context) error {
	l.opened = false
	return l.in.Close(ctx)
}
