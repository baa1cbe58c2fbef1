package executor

import (
	"context"
	"io"
	"math"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
)

// resultOp is one row without columns, or none.
type resultOp struct{ empty, done bool }

func (r *resultOp) Open(context.Context) error { r.done = r.empty; return nil }

func (r *resultOp) Next(_ context.Context, b *Batch) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	b.Reset(0)
	b.N = 1
	return nil
}

func (r *resultOp) Close(context.Context) error { return nil }

// valuesOp computes a list of rows.
type valuesOp struct {
	env  *expr.Env
	rows [][]scalar
	n    int
	at   int
}

func (b *builder) buildValues(n *planner.Values) (Operator, error) {
	op := &valuesOp{env: b.rt.Env, n: len(n.Out), rows: make([][]scalar, len(n.Rows))}
	var err error
	for i, row := range n.Rows {
		if op.rows[i], err = b.compileAll(row, nil); err != nil {
			return nil, err
		}
	}
	return op, nil
}

func (v *valuesOp) Open(context.Context) error { v.at = 0; return nil }

func (v *valuesOp) Next(ctx context.Context, b *Batch) error {
	if err := cancelled(ctx); err != nil {
		return err
	}
	b.Reset(v.n)
	limit := BatchRows
	if b.Want > 0 {
		limit = min(limit, b.Want)
	}
	for ; b.N < limit && v.at < len(v.rows); v.at++ {
		if err := evalAll(v.env, v.rows[v.at], nil, b.grow()); err != nil {
			return err
		}
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

func (v *valuesOp) Close(context.Context) error { return nil }

// filterOp keeps the rows for which every condition is true. It compacts its input's batch in place.
type filterOp struct {
	Operator
	env   *expr.Env
	conds []scalar
	// failed is an error met after rows that must go out first: under a LIMIT it may never be reached.
	failed error
}

func (b *builder) buildFilter(n *planner.Filter) (Operator, error) {
	in, err := b.build(n.Input)
	if err != nil {
		return nil, err
	}
	return b.filter(in, n.Conds, n.Input.Cols())
}

// filter puts conditions over an operator; none leave it as it is.
func (b *builder) filter(in Operator, conds []expr.Expr, cols []planner.Col) (Operator, error) {
	if len(conds) == 0 {
		return in, nil
	}
	compiled, err := b.compileAll(conds, layoutOf(cols))
	if err != nil {
		return nil, err
	}
	return &filterOp{Operator: in, env: b.rt.Env, conds: compiled}, nil
}

func (f *filterOp) Open(ctx context.Context) error {
	f.failed = nil
	return f.Operator.Open(ctx)
}

func (f *filterOp) Next(ctx context.Context, b *Batch) error {
	for {
		if f.failed != nil {
			return f.failed
		}
		if err := f.Operator.Next(ctx, b); err != nil {
			return err
		}
		kept := 0
		for i := 0; i < b.N; i++ {
			row := b.Row(i)
			ok, err := allTrue(f.env, f.conds, row)
			if err != nil {
				f.failed = err
				break
			}
			if ok {
				if kept != i {
					copy(b.Row(kept), row)
				}
				kept++
			}
		}
		b.N, b.Data = kept, b.Data[:kept*b.Width]
		if kept > 0 {
			return nil
		}
		if f.failed != nil {
			return f.failed
		}
		if err := cancelled(ctx); err != nil {
			return err
		}
	}
}

// projectOp computes columns.
type projectOp struct {
	Operator
	env   *expr.Env
	exprs []scalar
	in    Batch
	next  int // the first row of in that is not computed
	// bound is how many rows may still be computed: volatile functions must not run for rows beyond a LIMIT.
	bound  int64
	failed error
}

func (b *builder) buildProject(n *planner.Project) (Operator, error) {
	in, err := b.build(n.Input)
	if err != nil {
		return nil, err
	}
	exprs, err := b.compileAll(n.Exprs, layoutOf(n.Input.Cols()))
	if err != nil {
		return nil, err
	}
	return &projectOp{Operator: in, env: b.rt.Env, exprs: exprs, bound: math.MaxInt64}, nil
}

func (p *projectOp) setBound(n int64) {
	p.bound = n
	if in, ok := p.Operator.(bounded); ok {
		in.setBound(n)
	}
}

func (p *projectOp) Open(ctx context.Context) error {
	p.failed = nil
	p.in.N, p.next = 0, 0
	return p.Operator.Open(ctx)
}

func (p *projectOp) Next(ctx context.Context, b *Batch) error {
	if p.failed != nil {
		return p.failed
	}
	if p.next == p.in.N {
		if err := p.Operator.Next(ctx, &p.in); err != nil {
			return err
		}
		p.next = 0
	}
	b.Reset(len(p.exprs))
	n := p.in.N - p.next
	if b.Want > 0 {
		n = min(n, b.Want)
	}
	n = int(min(int64(n), p.bound))
	p.bound -= int64(n)
	for range n {
		row := p.in.Row(p.next)
		p.next++
		if err := evalAll(p.env, p.exprs, row, b.grow()); err != nil {
			b.shrink()
			p.failed = err
			break
		}
	}
	if b.N == 0 {
		if p.failed != nil {
			return p.failed
		}
		return io.EOF
	}
	return nil
}

// pickOp rearranges columns by position.
type pickOp struct {
	Operator
	pos []int
	in  Batch
}

// pick returns an operator that has the columns want of one that has cols; the operator itself if they are the same.
func pick(op Operator, cols, want []planner.Col) Operator {
	l := layoutOf(cols)
	pos := make([]int, len(want))
	same := len(cols) == len(want)
	for i, c := range want {
		pos[i] = l[c.ID]
		same = same && pos[i] == i
	}
	if same {
		return op
	}
	return &pickOp{Operator: op, pos: pos}
}

func (p *pickOp) setBound(n int64) {
	if in, ok := p.Operator.(bounded); ok {
		in.setBound(n)
	}
}

func (p *pickOp) Next(ctx context.Context, b *Batch) error {
	p.in.Want = b.Want
	if err := p.Operator.Next(ctx, &p.in); err != nil {
		return err
	}
	b.Reset(len(p.pos))
	for i := 0; i < p.in.N; i++ {
		row, out := p.in.Row(i), b.grow()
		for j, pos := range p.pos {
			out[j] = row[pos]
		}
	}
	return nil
}

func (m *measuredOp) setBound(n int64) {
	if in, ok := m.op.(bounded); ok {
		in.setBound(n)
	}
}
