package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// presortedOp sorts an input that comes in the order of the first keys, group by group of rows that are equal in these: it
// gives rows before it has read all. The last of the first keys is a timestamp that the input orders to the millisecond.
type presortedOp struct {
	in   reader
	s    *sorter
	lead []orderKey
	// group are the lead keys of the rows in s, next those of the row at hand.
	group, next []types.Datum
	held        bool // the row at hand begins the next group
	ended       bool
	// first is the group's first row, which is alone: most groups have one row, and need no sort.
	first []types.Datum
	alone bool
}

func (b *builder) presorted(in Operator, n *planner.Sort) (Operator, error) {
	order, err := b.ordering(n.Keys, layoutOf(n.Input.Cols()))
	if err != nil {
		return nil, err
	}
	return &presortedOp{
		in: reader{op: in}, s: newSorter(b.rt.Env, order, len(n.Input.Cols()), b.rt.Budget), lead: order.keys[:n.Presorted],
		group: make([]types.Datum, n.Presorted), next: make([]types.Datum, n.Presorted), first: make([]types.Datum, len(n.Input.Cols())),
	}, nil
}

func (p *presortedOp) Open(ctx context.Context) error {
	p.in.reset()
	p.held, p.ended, p.alone = false, false, false
	if err := p.s.close(); err != nil {
		return err
	}
	return p.in.op.Open(ctx)
}

// Next gives whole groups until the input has no more rows at hand.
func (p *presortedOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(p.s.width)
	if err := cancelled(ctx); err != nil {
		return err
	}
	for b.N < BatchRows {
		if p.alone {
			p.alone = false
			b.Append(p.first)
			continue
		}
		row, err := p.s.nextRow(ctx)
		if err != nil {
			return err
		}
		if row != nil {
			b.Append(row)
			continue
		}
		if p.ended || b.N > 0 && !p.in.ready() {
			break
		}
		if err := p.fill(ctx); err != nil {
			return err
		}
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

// fill reads the next group and sorts it.
func (p *presortedOp) fill(ctx context.Context) error {
	if err := p.s.close(); err != nil {
		return err
	}
	row, err := p.begin(ctx)
	if err == io.EOF {
		p.ended = true
		return nil
	}
	if err != nil {
		return err
	}
	copy(p.first, row)
	copy(p.group, p.next)
	p.alone = true
	for {
		row, err := p.in.next(ctx)
		if err == io.EOF {
			p.ended = true
			return p.s.finish()
		}
		if err == nil {
			err = p.keys(row)
		}
		if err == nil {
			p.held, err = p.differs()
		}
		if err != nil {
			return err
		}
		if p.held {
			return p.s.finish()
		}
		if p.alone {
			p.alone = false
			err = p.s.add(p.first)
		}
		if err == nil {
			err = p.s.add(row)
		}
		if err != nil {
			return err
		}
	}
}

// begin returns the first row of the next group, whose keys are in next.
func (p *presortedOp) begin(ctx context.Context) ([]types.Datum, error) {
	if p.held {
		p.held = false
		return p.in.row(), nil
	}
	row, err := p.in.next(ctx)
	if err != nil {
		return nil, err
	}
	return row, p.keys(row)
}

// keys computes the lead keys of a row.
func (p *presortedOp) keys(row []types.Datum) error {
	for i := range p.lead {
		v, err := p.lead[i].value(p.s.env, row)
		if err != nil {
			return err
		}
		p.next[i] = v
	}
	last := len(p.next) - 1
	if v := p.next[last]; !v.IsNull() {
		millis, _ := types.SplitMicros(v.Int())
		p.next[last] = types.Int(millis)
	}
	return nil
}

// differs reports whether the keys in next begin another group.
func (p *presortedOp) differs() (bool, error) {
	for i := range p.lead {
		if c, err := p.lead[i].compare(p.s.env, p.group[i], p.next[i]); c != 0 || err != nil {
			return true, err
		}
	}
	return false, nil
}

func (p *presortedOp) Close(ctx context.Context) error {
	return firstError(p.s.close(), p.in.op.Close(ctx))
}
