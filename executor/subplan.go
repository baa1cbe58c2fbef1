package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// bindSubqueries gives every subquery of an expression a node of its own and prepares it for rows of the layout: the same
// subquery may be evaluated by several operators, over different rows.
func (b *builder) bindSubqueries(e expr.Expr, l expr.Layout) (expr.Expr, error) {
	found := false
	expr.Walk(e, func(e expr.Expr) bool {
		if _, ok := e.(*expr.Subquery); ok {
			found = true
		}
		return !found
	})
	if !found {
		return e, nil
	}
	var err error
	bound := expr.Rewrite(e, func(e expr.Expr) expr.Expr {
		s, ok := e.(*expr.Subquery)
		if !ok || err != nil {
			return e
		}
		own := *s
		err = b.prepareSubquery(&own, l)
		return &own
	})
	return bound, err
}

// outerCol is a column of the enclosing row that a subquery reads.
type outerCol struct {
	id  expr.ColID
	pos int
}

// subState is one subquery in one place: how it sees the enclosing row.
type subState struct {
	sub   *expr.Subquery
	outer []outerCol
	run   *subRun
	// test compares, for Any and All, over the enclosing row followed by the subquery's.
	test scalar
	buf  []types.Datum
	hash *hashedAny
}

// subRun is the plan of a subquery with, when it is uncorrelated, what it gave.
type subRun struct {
	b          *builder
	op         Operator
	width      int
	types      []*types.T
	correlated bool
	// reads are the CTEs it depends on, and gens their generations when the result was kept: a CTE of an enclosing
	// correlated query gives other rows each time, and so does a subquery that reads it.
	reads []*cteStore
	gens  []uint64

	valueKept, existsKept bool
	value                 types.Datum
	exists                bool
	rows                  *pagedRows
	epoch                 uint64
}

func (b *builder) prepareSubquery(s *expr.Subquery, l expr.Layout) error {
	plan, ok := s.Plan.(*planner.Subplan)
	if !ok {
		return pgerr.Internal("a subquery has no plan")
	}
	run, err := b.subRun(plan)
	if err != nil {
		return err
	}
	st := &subState{sub: s, run: run}
	for _, id := range plan.Outer {
		if pos, ok := l[id]; ok {
			st.outer = append(st.outer, outerCol{id, pos})
		}
	}
	if s.Kind == expr.SubAny || s.Kind == expr.SubAll {
		if err := b.prepareTest(st, plan, l); err != nil {
			return err
		}
	}
	b.subs[s] = st
	return nil
}

func (b *builder) subRun(plan *planner.Subplan) (*subRun, error) {
	if run := b.runs[plan]; run != nil {
		b.read = append(b.read, run.reads...)
		return run, nil
	}
	from := len(b.read)
	op, err := b.build(plan.Root)
	if err != nil {
		return nil, err
	}
	run := &subRun{b: b, op: op, correlated: len(plan.Outer) > 0, reads: append([]*cteStore(nil), b.read[from:]...)}
	cols := plan.Root.Cols()
	run.width = len(cols)
	for _, c := range cols {
		run.types = append(run.types, c.Type)
	}
	run.gens = make([]uint64, len(run.reads))
	if !run.correlated {
		b.runs[plan] = run
	}
	return run, nil
}

// prepareTest compiles the comparison of ANY and ALL over the enclosing row with the subquery's columns behind it.
func (b *builder) prepareTest(st *subState, plan *planner.Subplan, l expr.Layout) error {
	base := 0
	for _, pos := range l {
		base = max(base, pos+1)
	}
	both := make(expr.Layout, len(l)+st.run.width)
	for id, pos := range l {
		both[id] = pos
	}
	inner := layoutOf(plan.Root.Cols())
	for id, pos := range inner {
		both[id] = base + pos
	}
	var err error
	if st.test, err = b.compile(st.sub.Test, both); err != nil {
		return err
	}
	st.buf = make([]types.Datum, base+st.run.width)
	if st.sub.Kind == expr.SubAny && !st.run.correlated {
		st.hash, err = b.hashedTest(st.sub.Test, l, inner)
	}
	return err
}

// eval computes the subquery for a row of the place it is in.
func (st *subState) eval(env *expr.Env, row []types.Datum) (types.Datum, error) {
	for _, o := range st.outer {
		env.Outer[o.id] = row[o.pos]
	}
	caseArg := env.CaseArg
	v, err := st.compute(env.Ctx, env, row)
	env.CaseArg = caseArg
	return v, err
}

func (st *subState) compute(ctx context.Context, env *expr.Env, row []types.Datum) (types.Datum, error) {
	run := st.run
	if err := run.forgetStale(); err != nil {
		return types.Null, err
	}
	switch st.sub.Kind {
	case expr.SubExists:
		found, err := run.anyRow(ctx)
		return types.Bool(found != st.sub.Not), err
	case expr.SubAny, expr.SubAll:
		v, err := st.quantified(ctx, env, row)
		if err == nil && st.sub.Not && !v.IsNull() {
			v = types.Bool(!v.Bool())
		}
		return v, err
	case expr.SubArray:
		return run.array(ctx, st.sub.T)
	}
	return run.scalar(ctx)
}

// forgetStale drops what was kept if a CTE it was computed from has been computed again since.
func (r *subRun) forgetStale() error {
	for i, c := range r.reads {
		if r.gens[i] != c.gen {
			r.gens[i] = c.gen
			r.valueKept, r.existsKept = false, false
			if r.rows != nil {
				if err := r.rows.release(); err != nil {
					return err
				}
				r.rows = nil
			}
			r.epoch++
		}
	}
	return nil
}

// scalar returns the one value of the subquery, NULL if it has no row.
func (r *subRun) scalar(ctx context.Context) (types.Datum, error) {
	if r.valueKept {
		return r.value, nil
	}
	value, n := types.Null, 0
	err := drain(ctx, r.op, func(row []types.Datum) error {
		if n++; n > 1 {
			return pgerr.New(pgerr.CardinalityViolation, "more than one row returned by a subquery used as an expression")
		}
		value = row[0]
		return nil
	})
	if err == nil && !r.correlated {
		r.value, r.valueKept = value, true
	}
	return value, err
}

// anyRow reports whether the subquery has a row.
func (r *subRun) anyRow(ctx context.Context) (bool, error) {
	if r.existsKept {
		return r.exists, nil
	}
	if err := r.op.Open(ctx); err != nil {
		return false, closeAfter(ctx, r.op, err)
	}
	var b Batch
	err := r.op.Next(ctx, &b)
	found := err == nil
	if err == io.EOF {
		err = nil
	}
	if err = closeAfter(ctx, r.op, err); err != nil {
		return false, err
	}
	if !r.correlated {
		r.exists, r.existsKept = found, true
	}
	return found, nil
}

// array collects the values of ARRAY(SELECT ...).
func (r *subRun) array(ctx context.Context, t *types.T) (types.Datum, error) {
	if r.valueKept {
		return r.value, nil
	}
	var vals []types.Datum
	err := drain(ctx, r.op, func(row []types.Datum) error {
		vals = append(vals, row[0])
		return nil
	})
	if err != nil {
		return types.Null, err
	}
	var value types.Datum
	if r.types[0].IsArray() {
		if value, err = stackArrays(r.types[0], vals); err != nil {
			return types.Null, err
		}
	} else {
		value = types.NewArray(t.BaseType().Elem, vals)
	}
	if !r.correlated {
		r.value, r.valueKept = value, true
	}
	return value, nil
}

// kept returns the rows of an uncorrelated subquery, read once.
func (r *subRun) kept(ctx context.Context) (*pagedRows, error) {
	if r.rows != nil {
		return r.rows, nil
	}
	rows := newPagedRows(r.width, r.b.rt.Budget)
	if err := drain(ctx, r.op, rows.add); err != nil {
		return nil, firstError(err, rows.release())
	}
	r.rows = rows
	return rows, nil
}

// quantified computes ANY and ALL with SQL's NULLs: one true comparison decides ANY, one false one ALL; if none does, an
// unknown one makes the result unknown.
func (st *subState) quantified(ctx context.Context, env *expr.Env, row []types.Datum) (types.Datum, error) {
	if st.hash != nil {
		if v, ok, err := st.hash.lookup(ctx, st, env, row); ok || err != nil {
			return v, err
		}
	}
	decisive := st.sub.Kind == expr.SubAny
	unknown := false
	base := len(st.buf) - st.run.width
	buf := st.buf
	copy(buf, row)
	test := func(sub []types.Datum) error {
		copy(buf[base:], sub)
		v, err := st.test.value(env, buf)
		switch {
		case err != nil:
			return err
		case v.IsNull():
			unknown = true
		case v.Bool() == decisive:
			return errDecided
		}
		return nil
	}
	err := st.eachRow(ctx, test)
	switch {
	case err == errDecided:
		return types.Bool(decisive), nil
	case err != nil:
		return types.Null, err
	case unknown:
		return types.Null, nil
	}
	return types.Bool(!decisive), nil
}

func (st *subState) eachRow(ctx context.Context, f func(row []types.Datum) error) error {
	if st.run.correlated {
		return drain(ctx, st.run.op, f)
	}
	rows, err := st.run.kept(ctx)
	for i := 0; err == nil && i < rows.n; i++ {
		var row []types.Datum
		if row, err = rows.row(i); err == nil {
			err = f(row)
		}
	}
	return err
}
