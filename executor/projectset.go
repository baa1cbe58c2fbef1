package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// projectSetOp is a projection in which calls return sets: for each input row they advance together, those that end first
// filled up with NULLs. Its rows are the input's followed by the sets' values.
type projectSetOp struct {
	Operator
	inW  int
	sets []*setCall

	in   reader
	cur  []types.Datum
	rows []*setRows
}

func (b *builder) buildProjectSet(n *planner.ProjectSet) (Operator, error) {
	op, err := b.build(n.Input)
	if err != nil {
		return nil, err
	}
	l := layoutOf(n.Input.Cols())
	width := len(n.Input.Cols())
	exprs := n.Exprs
	// A set whose arguments hold sets needs those computed first: each round replaces the innermost calls by columns.
	for {
		r := setReplacer{next: expr.ColID(-1 - width), at: width, layout: l}
		exprs = r.replace(exprs)
		if len(r.calls) == 0 {
			break
		}
		set := &projectSetOp{Operator: op, inW: width}
		for _, c := range r.calls {
			s, err := b.setCall(c, l, 1, true)
			if err != nil {
				return nil, err
			}
			s.wrap = len(s.outTypes()) > 1 || len(c.T.Fields) > 0
			set.sets = append(set.sets, s)
		}
		set.rows = make([]*setRows, len(set.sets))
		op, l, width = set, r.extended(), width+len(r.calls)
	}
	compiled, err := b.compileAll(exprs, l)
	if err != nil {
		return nil, err
	}
	p := &projectOp{Operator: op, env: b.rt.Env, exprs: compiled}
	p.bound = 1<<63 - 1
	return p, nil
}

// setReplacer replaces innermost set-returning calls by columns that no plan has: IDs below zero.
type setReplacer struct {
	next   expr.ColID
	at     int
	layout expr.Layout
	calls  []*expr.Call
	ids    []expr.ColID
}

func (r *setReplacer) replace(exprs []expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(exprs))
	for i, e := range exprs {
		out[i] = expr.Rewrite(e, func(e expr.Expr) expr.Expr {
			c, ok := isSetCall(e)
			if !ok || r.holdsReplaced(c) {
				return e
			}
			id := r.next
			r.next--
			r.calls, r.ids = append(r.calls, c), append(r.ids, id)
			return &expr.ColRef{ID: id, T: c.T, Mod: c.Mod, Name: c.Fn.Name}
		})
	}
	return out
}

// holdsReplaced reports that an argument is a set of this round: the call has to wait for the next one.
func (r *setReplacer) holdsReplaced(c *expr.Call) bool {
	found := false
	for _, a := range c.Args {
		expr.Walk(a, func(e expr.Expr) bool {
			ref, ok := e.(*expr.ColRef)
			for _, id := range r.ids {
				found = found || ok && ref.ID == id
			}
			if _, isSet := isSetCall(e); isSet {
				found = true
			}
			return !found
		})
	}
	return found
}

func (r *setReplacer) extended() expr.Layout {
	l := make(expr.Layout, len(r.layout)+len(r.ids))
	for id, pos := range r.layout {
		l[id] = pos
	}
	for i, id := range r.ids {
		l[id] = r.at + i
	}
	return l
}

func (p *projectSetOp) Open(ctx context.Context) error {
	p.stop()
	p.in = reader{op: p.Operator, b: p.in.b}
	p.in.reset()
	return p.Operator.Open(ctx)
}

func (p *projectSetOp) stop() {
	for i, r := range p.rows {
		r.close()
		p.rows[i] = nil
	}
	p.cur = nil
}

func (p *projectSetOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(p.inW + len(p.sets))
	for b.N < BatchRows {
		if p.cur == nil {
			// What is there goes out before the input is asked for a row, which may be long in coming.
			if b.N > 0 && p.in.i >= p.in.b.N {
				return nil
			}
			if err := p.start(ctx); err == io.EOF {
				break
			} else if err != nil {
				return err
			}
		}
		row := b.grow()
		any := false
		for i, r := range p.rows {
			v, err := r.next()
			if err != nil {
				return err
			}
			copyOrNull(row[p.inW+i:p.inW+i+1], v)
			any = any || v != nil
		}
		if !any {
			b.shrink()
			p.cur = nil
			continue
		}
		copy(row, p.cur)
	}
	if b.N == 0 {
		return io.EOF
	}
	return cancelled(ctx)
}

// start takes the next input row and starts the sets over it.
func (p *projectSetOp) start(ctx context.Context) error {
	row, err := p.in.next(ctx)
	if err != nil {
		return err
	}
	p.cur = rowOrEmpty(row)
	for i, s := range p.sets {
		if p.rows[i], err = s.start(row); err != nil {
			return err
		}
	}
	return nil
}

func (p *projectSetOp) Close(ctx context.Context) error {
	p.stop()
	return p.Operator.Close(ctx)
}
