package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Build makes the operators of a plan for one execution. The root's rows have the columns of plan.Root.Cols() in order; a
// Modify node without RETURNING yields no rows, and Affected tells how many rows it touched.
func Build(rt *Runtime, plan *planner.Plan) (Operator, error) {
	b := newBuilder(rt, plan.NumCols)
	return b.build(plan.Root)
}

// Affected is implemented by the root operator of INSERT, UPDATE, DELETE and MERGE.
type Affected interface{ RowsAffected() int64 }

// builder makes the operators of one execution; the operators of subqueries share it.
type builder struct {
	rt   *Runtime
	ctes map[*planner.CTE]*cteStore
	subs map[*expr.Subquery]*subState
	// runs holds what uncorrelated subqueries gave, for all places that use the same plan.
	runs map[*planner.Subplan]*subRun
	// leaves are the operators of pushed scans, for joins that ask them by key.
	leaves map[*planner.Pushed]*pushedOp
	// read lists the CTEs that were referenced so far: what is built between two lengths of it depends on those.
	read []*cteStore
	// keeping counts the enclosing WITH that modify data; readers lists the tables' readers in them, which may have to read
	// before the statement writes.
	keeping int
	readers []*keepOp
}

func newBuilder(rt *Runtime, numCols int) *builder {
	b := &builder{
		rt: rt, ctes: map[*planner.CTE]*cteStore{}, subs: map[*expr.Subquery]*subState{}, runs: map[*planner.Subplan]*subRun{},
		leaves: map[*planner.Pushed]*pushedOp{},
	}
	env := rt.Env
	if len(env.Outer) < numCols {
		outer := make([]types.Datum, numCols)
		copy(outer, env.Outer)
		env.Outer = outer
	}
	prev := env.Subplan
	env.Subplan = func(env *expr.Env, s *expr.Subquery, row []types.Datum) (types.Datum, error) {
		if st := b.subs[s]; st != nil {
			return st.eval(env, row)
		}
		if prev != nil {
			return prev(env, s, row)
		}
		return types.Null, pgerr.Internal("a subquery was not prepared for execution")
	}
	return b
}

// build makes the operator of a node, measured when EXPLAIN ANALYZE asks for it.
func (b *builder) build(node planner.Node) (Operator, error) {
	op, err := b.operator(node)
	if err != nil || b.rt.Instrument == nil {
		return op, err
	}
	return b.rt.Instrument.wrap(node, op), nil
}

func (b *builder) operator(node planner.Node) (Operator, error) {
	switch n := node.(type) {
	case *planner.Scan:
		if err := populated(n.Rel); err != nil {
			return nil, err
		}
		op, err := b.buildScan(n)
		return b.keeper(op, n.Rel, len(n.Out)), err
	case *planner.Pushed:
		if err := populated(n.Scan.Rel); err != nil {
			return nil, err
		}
		if b.keeping > 0 && readsOuter(n) {
			// What has to be read before the statement writes cannot depend on a row that comes later.
			return b.pushedLocal(n)
		}
		op, err := b.buildPushed(n)
		return b.keeper(op, n.Scan.Rel, len(n.Out)), err
	case *planner.VirtualScan:
		return b.buildVirtual(n)
	case *planner.Values:
		return b.buildValues(n)
	case *planner.External:
		return &externalOp{node: n}, nil
	case *planner.Result:
		return &resultOp{empty: n.Empty}, nil
	case *planner.FuncScan:
		return b.buildFuncScan(n)
	case *planner.Filter:
		return b.buildFilter(n)
	case *planner.Project:
		return b.buildProject(n)
	case *planner.ProjectSet:
		return b.buildProjectSet(n)
	case *planner.Join:
		return b.buildJoin(n)
	case *planner.Aggregate:
		return b.buildAggregate(n)
	case *planner.Window:
		return b.buildWindow(n)
	case *planner.Sort:
		return b.buildSort(n)
	case *planner.Limit:
		return b.buildLimit(n)
	case *planner.Distinct:
		return b.buildDistinct(n)
	case *planner.Append:
		op := &appendOp{}
		for _, in := range n.List {
			o, err := b.build(in)
			if err != nil {
				return nil, err
			}
			op.in = append(op.in, o)
		}
		return op, nil
	case *planner.SetOp:
		return b.buildSetOp(n)
	case *planner.With:
		return b.buildWith(n)
	case *planner.CTEScan:
		return b.buildCTEScan(n)
	case *planner.LockRows:
		return b.buildLockRows(n)
	}
	return b.buildModify(node)
}

// layoutOf gives the positions of columns in a row of them.
func layoutOf(cols []planner.Col) expr.Layout {
	l := make(expr.Layout, len(cols))
	for i, c := range cols {
		l[c.ID] = i
	}
	return l
}

// scalar is a compiled expression; a plain column is read without a call.
type scalar struct {
	pos  int
	eval expr.Eval
	typ  *types.T
}

func (s *scalar) value(env *expr.Env, row []types.Datum) (types.Datum, error) {
	if s.eval == nil {
		return row[s.pos], nil
	}
	return s.eval(env, row)
}

// compile prepares the subqueries of an expression for rows of the layout and compiles it.
func (b *builder) compile(e expr.Expr, l expr.Layout) (scalar, error) {
	if c, ok := e.(*expr.ColRef); ok {
		if pos, ok := l[c.ID]; ok {
			return scalar{pos: pos, typ: c.T}, nil
		}
	}
	bound, err := b.bindSubqueries(e, l)
	if err != nil {
		return scalar{}, err
	}
	eval, err := expr.Compile(bound, l)
	if err != nil {
		return scalar{}, err
	}
	return scalar{eval: eval, typ: e.Type()}, nil
}

func (b *builder) compileAll(es []expr.Expr, l expr.Layout) ([]scalar, error) {
	if len(es) == 0 {
		return nil, nil
	}
	out := make([]scalar, len(es))
	for i, e := range es {
		s, err := b.compile(e, l)
		if err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}

// evalAll computes expressions over a row into dst.
func evalAll(env *expr.Env, es []scalar, row, dst []types.Datum) error {
	for i := range es {
		v, err := es[i].value(env, row)
		if err != nil {
			return err
		}
		dst[i] = v
	}
	return nil
}

// allTrue reports whether every condition is true for a row: neither false nor unknown.
func allTrue(env *expr.Env, conds []scalar, row []types.Datum) (bool, error) {
	for i := range conds {
		v, err := conds[i].value(env, row)
		if err != nil || !v.Bool() {
			return false, err
		}
	}
	return true, nil
}

// reader reads an operator row by row.
type reader struct {
	op Operator
	b  Batch
	i  int
}

// next returns the next row, valid until the next call; io.EOF at the end.
func (r *reader) next(ctx context.Context) ([]types.Datum, error) {
	if r.i >= r.b.N {
		r.b.N, r.i = 0, 0
		if err := r.op.Next(ctx, &r.b); err != nil {
			return nil, err
		}
	}
	r.i++
	return r.b.Row(r.i - 1), nil
}

// row returns the row that next returned last.
func (r *reader) row() []types.Datum { return r.b.Row(r.i - 1) }

// ready reports whether next has a row without asking the operator.
func (r *reader) ready() bool { return r.i < r.b.N }

func (r *reader) reset() { r.b.N, r.i = 0, 0 }

// Ordinary consumers of a whole input use drain, which opens the operator, calls f for each row and closes it.
func drain(ctx context.Context, op Operator, f func(row []types.Datum) error) error {
	if err := op.Open(ctx); err != nil {
		return closeAfter(ctx, op, err)
	}
	var b Batch
	for {
		b.N = 0
		err := op.Next(ctx, &b)
		if err == io.EOF {
			return op.Close(ctx)
		}
		for i := 0; i < b.N && err == nil; i++ {
			err = f(b.Row(i))
		}
		if err != nil {
			return closeAfter(ctx, op, err)
		}
	}
}

// closeAfter closes an operator that failed; the first error is the one to report.
func closeAfter(ctx context.Context, op Operator, err error) error {
	if cerr := op.Close(ctx); err == nil {
		return cerr
	}
	return err
}
