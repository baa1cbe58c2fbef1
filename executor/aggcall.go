package executor

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// aggCall is one compiled aggregate call.
type aggCall struct {
	mk     func() expr.Aggregator
	args   []scalar
	direct [][]scalar // of each grouping set
	filter *scalar
	strict bool
	// sortBy, when set, orders the arguments before they are added; DISTINCT sorts by all of them, as PostgreSQL does.
	sortBy   *ordering
	stored   *ordering // sortBy over the rows that wait
	groups   int
	last     []types.Datum
	distinct bool
	same     []keyType
	vals     []types.Datum
	width    int
	budget   *Budget
	// collects says that the state grows with every row; held is what was counted, pending what is to be.
	collects      bool
	held, pending int64
}

// aggState is the state of a call in one group: the aggregate, and the rows that wait to be sorted.
type aggState struct {
	agg    expr.Aggregator
	sorted *sorter // of the arguments, each row followed by the sort keys
	direct []types.Datum
}

// maxSortedFiles is for how many groups at most a call that sorts its arguments may use temporary files, one each.
const maxSortedFiles = 64

// constructor returns how the state of an aggregate call is made.
func constructor(a *expr.Agg) (func() expr.Aggregator, error) {
	if a.Fn.Impl == nil {
		return nil, pgerr.Unsupported("aggregate function " + a.Fn.Name)
	}
	mk, err := a.Fn.Impl.AggOf(a)
	if err == nil && mk == nil {
		err = pgerr.Unsupported("aggregate function " + a.Fn.Name)
	}
	return mk, err
}

func (b *builder) aggCall(n *planner.Aggregate, a *expr.Agg, l expr.Layout) (*aggCall, error) {
	mk, err := constructor(a)
	if err != nil {
		return nil, err
	}
	c := &aggCall{mk: mk, strict: a.Fn.Impl.AggStrict, distinct: a.Distinct, budget: b.rt.Budget}
	args, keys := a.Args, a.OrderBy
	sample := mk()
	_, c.collects = sample.(expr.CollectingAggregator)
	if _, ok := sample.(expr.OrderedSetAggregator); ok {
		// The aggregated arguments of WITHIN GROUP are its ORDER BY, whether or not the call lists them as arguments too.
		for set := range max(len(n.Sets), 1) {
			direct, err := b.compileAll(n.DirectArgs(a, set), l)
			if err != nil {
				return nil, err
			}
			c.direct = append(c.direct, direct)
		}
		args = nil
		for _, k := range keys {
			args = append(args, k.X)
		}
	}
	if c.args, err = b.compileAll(args, l); err != nil {
		return nil, err
	}
	if a.Filter != nil {
		f, err := b.compile(a.Filter, l)
		if err != nil {
			return nil, err
		}
		c.filter = &f
	}
	if a.Distinct {
		keys = distinctOrder(args, keys)
		for _, x := range args {
			c.same = append(c.same, keyTypeOf(x.Type()))
		}
	}
	if len(keys) > 0 {
		if c.sortBy, err = b.ordering(keys, l); err != nil {
			return nil, err
		}
	}
	c.width = len(c.args)
	if c.sortBy != nil {
		c.stored = &ordering{}
		for _, k := range c.sortBy.keys {
			k.scalar = scalar{pos: c.width, typ: k.typ}
			c.stored.keys = append(c.stored.keys, k)
			c.width++
		}
		c.last = make([]types.Datum, len(c.args))
	}
	c.vals = make([]types.Datum, c.width)
	return c, nil
}

// distinctOrder is the order that brings equal arguments together: the call's own, then the other arguments.
func distinctOrder(args []expr.Expr, keys []expr.SortKey) []expr.SortKey {
	order := append([]expr.SortKey{}, keys...)
	for _, x := range args {
		order = append(order, expr.SortKey{X: x})
	}
	return order
}

// start makes the state of a group of a grouping set whose first row is row.
func (c *aggCall) start(env *expr.Env, row []types.Datum, set int) (aggState, error) {
	st := aggState{agg: c.mk()}
	if c.sortBy != nil {
		st.sorted = newSorter(env, c.stored, c.width, c.budget)
		c.groups++
	}
	if len(c.direct) > 0 {
		st.direct = make([]types.Datum, len(c.direct[set]))
		return st, evalAll(env, c.direct[set], row, st.direct)
	}
	return st, nil
}

// add counts a row, unless the filter or a strict function's NULL leaves it out.
func (c *aggCall) add(env *expr.Env, st *aggState, row []types.Datum) error {
	if c.filter != nil {
		v, err := c.filter.value(env, row)
		if err != nil || !v.Bool() {
			return err
		}
	}
	n := len(c.args)
	for i := range c.args {
		v, err := c.args[i].value(env, row)
		if err != nil {
			return err
		}
		if c.strict && v.IsNull() {
			return nil
		}
		c.vals[i] = v
	}
	if c.sortBy == nil {
		if c.collects {
			if err := c.charge(rowBytes(c.vals[:n])); err != nil {
				return err
			}
		}
		return st.agg.Add(env, c.vals[:n])
	}
	if err := c.sortBy.eval(env, row, c.vals[n:]); err != nil {
		return err
	}
	st.sorted.pinned = c.groups > maxSortedFiles
	return st.sorted.add(c.vals)
}

// result adds the rows that waited, in order, and returns the aggregate's value.
func (c *aggCall) result(env *expr.Env, st *aggState) (types.Datum, error) {
	if st.sorted != nil {
		if err := c.addSorted(env, st); err != nil {
			return types.Null, err
		}
	}
	if os, ok := st.agg.(expr.OrderedSetAggregator); ok {
		if err := os.SetDirect(env, st.direct); err != nil {
			return types.Null, err
		}
	}
	return st.agg.Result(env)
}

func (c *aggCall) addSorted(env *expr.Env, st *aggState) error {
	if err := st.sorted.finish(); err != nil {
		return err
	}
	n := len(c.args)
	for first := true; ; first = false {
		row, err := st.sorted.nextRow(env.Ctx)
		if err != nil {
			return err
		}
		if row == nil {
			break
		}
		args := row[:n:n]
		if c.distinct {
			if !first && sameKeys(c.same, c.last, args) {
				continue
			}
			copy(c.last, args)
		}
		if err := st.agg.Add(env, args); err != nil {
			return err
		}
	}
	err := st.sorted.close()
	st.sorted = nil
	return err
}

func sameKeys(typs []keyType, a, b []types.Datum) bool {
	for i, k := range typs {
		if !k.same(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (c *aggCall) charge(n int64) error {
	if c.pending += n; c.pending < chargeStep {
		return nil
	}
	if err := c.budget.Grow(c.pending); err != nil {
		return err
	}
	c.held += c.pending
	c.pending = 0
	return nil
}

// release gives back what the states held.
func (c *aggCall) release() {
	c.budget.Shrink(c.held)
	c.held, c.pending, c.groups = 0, 0, 0
}
