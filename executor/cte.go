package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// cteStore computes a WITH query at most once, as far as its readers ask for rows, and keeps them.
type cteStore struct {
	cte   *planner.CTE
	op    Operator
	rows  *keptRows
	state cteState
	batch Batch
	// gen counts how often the rows were forgotten or the working table changed; see subRun.reads.
	gen uint64
	// working is the working table of a recursive query.
	working *rowStore
}

type cteState uint8

const (
	cteNotStarted cteState = iota
	cteRunning
	cteDone
)

// more computes more rows; io.EOF when there are no others.
func (c *cteStore) more(ctx context.Context) error {
	switch c.state {
	case cteDone:
		return io.EOF
	case cteNotStarted:
		c.state = cteRunning
		if err := c.op.Open(ctx); err != nil {
			return err
		}
	}
	err := c.op.Next(ctx, &c.batch)
	if err == io.EOF {
		c.state = cteDone
		return firstError(c.op.Close(ctx), io.EOF)
	}
	for i := 0; i < c.batch.N && err == nil; i++ {
		err = c.rows.add(c.batch.Row(i))
	}
	return err
}

// finish computes all of the rows.
func (c *cteStore) finish(ctx context.Context) error {
	for {
		if err := c.more(ctx); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (c *cteStore) reset(ctx context.Context) error {
	c.gen++
	c.state = cteNotStarted
	return firstError(c.rows.release(), c.op.Close(ctx))
}

// withOp runs its body; the WITH queries run when they are read, those that modify data at once.
type withOp struct {
	body   Operator
	stores []*cteStore
	// before are the readers of tables that the WITH queries modify.
	before []*keepOp
}

func (b *builder) buildWith(n *planner.With) (Operator, error) {
	op := &withOp{}
	for _, c := range n.CTEs {
		st := &cteStore{cte: c, rows: newKeptRows(len(c.Out), b.rt.Budget)}
		b.ctes[c] = st
		op.stores = append(op.stores, st)
	}
	if modifies(n) {
		b.keeping++
		defer func() { b.keeping-- }()
	}
	first := len(b.readers)
	var parts []withPart
	for _, st := range op.stores {
		from := len(b.readers)
		if err := b.buildCTE(st); err != nil {
			return nil, err
		}
		parts = append(parts, withPart{from, len(b.readers), modified(st.cte.Base)})
	}
	from := len(b.readers)
	var err error
	if op.body, err = b.build(n.Body); err != nil {
		return nil, err
	}
	parts = append(parts, withPart{from, len(b.readers), modified(n.Body)})
	if modifies(n) {
		for i := first; i < len(b.readers); i++ {
			if writtenElsewhere(parts, i, b.readers[i].rel) {
				op.before = append(op.before, b.readers[i])
			}
		}
	}
	return op, nil
}

func modifies(n *planner.With) bool {
	for _, c := range n.CTEs {
		if c.Modifies {
			return true
		}
	}
	return false
}

// withPart is a query of a WITH: which of the builder's table readers are its own, and the tables it writes.
type withPart struct {
	from, to int
	writes   []*catalog.Relation
}

func modified(n planner.Node) []*catalog.Relation {
	var rels []*catalog.Relation
	switch n := n.(type) {
	case *planner.Insert:
		rels = append(append(rels, n.Rel), n.Members...)
	case *planner.Update:
		rels = append(append(rels, n.Rel), n.Members...)
	case *planner.Merge:
		rels = append(rels, n.Rel)
	case *planner.Delete:
		rels = append(append(rels, n.Rel), n.Members...)
	}
	for _, in := range n.Inputs() {
		rels = append(rels, modified(in)...)
	}
	return rels
}

// writtenElsewhere reports that a query other than the reader's own writes the reader's table. All queries of a WITH see
// the state before the statement: WITH u AS (UPDATE t ... RETURNING *) SELECT * FROM t gives the old rows.
func writtenElsewhere(parts []withPart, reader int, rel *catalog.Relation) bool {
	for _, p := range parts {
		if reader >= p.from && reader < p.to {
			continue
		}
		for _, w := range p.writes {
			if w.OID == rel.OID || w.Collection == rel.Collection {
				return true
			}
		}
	}
	return false
}

func (b *builder) buildCTE(st *cteStore) error {
	base, err := b.build(st.cte.Base)
	if err != nil {
		return err
	}
	if !st.cte.Recursive || st.cte.Step == nil {
		st.op = base
		return nil
	}
	step, err := b.build(st.cte.Step)
	if err != nil {
		return err
	}
	rec := &recursiveOp{store: st, base: base, step: step, budget: b.rt.Budget, width: len(st.cte.Out)}
	if !st.cte.UnionAll {
		rec.seen = newRowSet(st.cte.Out, b.rt.Budget)
	}
	st.op = rec
	return nil
}

func (w *withOp) Open(ctx context.Context) error {
	for _, st := range w.stores {
		if err := st.reset(ctx); err != nil {
			return err
		}
	}
	for _, r := range w.before {
		if err := r.keep(ctx); err != nil {
			return err
		}
	}
	for _, st := range w.stores {
		if st.cte.Modifies {
			if err := st.finish(ctx); err != nil {
				return err
			}
		}
	}
	return w.body.Open(ctx)
}

func (w *withOp) Next(ctx context.Context, b *Batch) error { return w.body.Next(ctx, b) }

func (w *withOp) Close(ctx context.Context) error {
	err := w.body.Close(ctx)
	for _, st := range w.stores {
		err = firstError(err, st.reset(ctx))
	}
	return err
}

// RowsAffected is that of the body, for a WITH over a statement that modifies data.
func (w *withOp) RowsAffected() int64 {
	if a, ok := w.body.(Affected); ok {
		return a.RowsAffected()
	}
	return 0
}

// cteScanOp reads a WITH query's rows, or the working table of a recursive one.
type cteScanOp struct {
	store   *cteStore
	working bool
	at      int
	cur     keptCursor
}

func (b *builder) buildCTEScan(n *planner.CTEScan) (Operator, error) {
	st := b.ctes[n.CTE]
	b.read = append(b.read, st)
	return &cteScanOp{store: st, working: n.Working}, nil
}

func (c *cteScanOp) Open(context.Context) error {
	c.at = 0
	c.cur = keptCursor{}
	return nil
}

func (c *cteScanOp) Next(ctx context.Context, b *Batch) error {
	if c.working {
		return emitStore(b, c.store.working, &c.at)
	}
	for {
		if err := cancelled(ctx); err != nil {
			return err
		}
		err := c.store.rows.read(&c.cur, b)
		if err != io.EOF {
			return err
		}
		if err := c.store.more(ctx); err != nil {
			return err
		}
	}
}

func (c *cteScanOp) Close(context.Context) error { return nil }

// recursiveOp computes a recursive WITH query: the base, then the step over the rows of the round before, until a round
// gives nothing new.
type recursiveOp struct {
	store      *cteStore
	base, step Operator
	budget     *Budget
	width      int
	seen       *rowSet // nil for UNION ALL
	in         Batch
	cur        Operator // what runs now, nil at the end
	fresh      *rowStore
}

func (r *recursiveOp) Open(ctx context.Context) error {
	if r.seen != nil {
		r.seen.release()
	}
	r.fresh = newRowStore(r.width, r.budget)
	r.store.working = newRowStore(r.width, r.budget)
	r.cur = r.base
	return r.base.Open(ctx)
}

func (r *recursiveOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(r.width)
	for b.N == 0 {
		if r.cur == nil {
			return io.EOF
		}
		if err := cancelled(ctx); err != nil {
			return err
		}
		err := r.cur.Next(ctx, &r.in)
		if err == io.EOF {
			if err := r.nextRound(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		for i := 0; i < r.in.N; i++ {
			if err := r.take(b, r.in.Row(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *recursiveOp) take(b *Batch, row []types.Datum) error {
	if r.seen != nil {
		isNew, err := r.seen.add(row)
		if err != nil || !isNew {
			return err
		}
	}
	b.Append(row)
	_, err := r.fresh.add(row)
	return err
}

// nextRound makes the rows of the last round the working table.
func (r *recursiveOp) nextRound(ctx context.Context) error {
	if err := r.cur.Close(ctx); err != nil {
		return err
	}
	r.cur = nil
	if r.fresh.n == 0 {
		return nil
	}
	old := r.store.working
	r.store.working, r.fresh = r.fresh, old
	old.release()
	r.store.gen++
	r.cur = r.step
	return r.step.Open(ctx)
}

func (r *recursiveOp) Close(ctx context.Context) error {
	if r.seen != nil {
		r.seen.release()
	}
	if r.fresh != nil {
		r.fresh.release()
		r.store.working.release()
	}
	return firstError(r.base.Close(ctx), r.step.Close(ctx))
}
