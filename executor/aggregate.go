package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// aggregateOp groups its input in a hash table.
type aggregateOp struct {
	env    *expr.Env
	in     Operator
	inW    int
	keys   []scalar
	sets   []groupingSet
	masks  [][]int64 // per GROUPING call and set
	aggs   []*aggCall
	budget *Budget

	groups *groupTable
	at     int
	done   bool
	spill  *aggSpill
	depth  int // of the part of the spill in progress
	vals   []types.Datum
	key    []types.Datum
}

// groupingSet says which keys a set has.
type groupingSet struct {
	has   []bool
	empty bool
}

// groupTable holds the groups: their keys (the set's number last, when there are several) and for each the aggregates'
// states.
type groupTable struct {
	keys   *keyTable
	states []aggState
}

func (b *builder) buildAggregate(n *planner.Aggregate) (Operator, error) {
	in, err := b.build(n.Input)
	if err != nil {
		return nil, err
	}
	return b.aggregate(in, n)
}

// aggregate puts a grouping over an operator that has the columns of the node's input.
func (b *builder) aggregate(in Operator, n *planner.Aggregate) (Operator, error) {
	cols := n.Input.Cols()
	l := layoutOf(cols)
	op := &aggregateOp{env: b.rt.Env, in: in, inW: len(cols), budget: b.rt.Budget}
	var err error
	if op.keys, err = b.compileAll(n.Keys, l); err != nil {
		return nil, err
	}
	op.sets = groupingSets(n)
	for _, g := range n.Grouping {
		op.masks = append(op.masks, groupingMasks(g, op.sets))
	}
	for _, a := range n.Aggs {
		c, err := b.aggCall(n, a.Agg, l)
		if err != nil {
			return nil, err
		}
		op.aggs = append(op.aggs, c)
	}
	typs := make([]keyType, len(n.Keys))
	for i, k := range n.Keys {
		typs[i] = keyTypeOf(k.Type())
	}
	if len(op.sets) > 1 {
		typs = append(typs, keyTypeOf(types.Int4T))
	}
	op.groups = &groupTable{keys: newKeyTable(typs, op.budget)}
	op.vals, op.key = make([]types.Datum, len(n.Keys)), make([]types.Datum, len(typs))
	return op, nil
}

func groupingSets(n *planner.Aggregate) []groupingSet {
	if n.Sets == nil {
		s := groupingSet{has: make([]bool, len(n.Keys)), empty: len(n.Keys) == 0}
		for i := range s.has {
			s.has[i] = true
		}
		return []groupingSet{s}
	}
	sets := make([]groupingSet, len(n.Sets))
	for i, keys := range n.Sets {
		sets[i] = groupingSet{has: make([]bool, len(n.Keys)), empty: len(keys) == 0}
		for _, k := range keys {
			sets[i].has[k] = true
		}
	}
	return sets
}

// groupingMasks computes GROUPING(...) for each set: a bit for each argument, the last one lowest, set if the key is not
// in the set.
func groupingMasks(g planner.GroupingItem, sets []groupingSet) []int64 {
	masks := make([]int64, len(sets))
	for i, s := range sets {
		for _, k := range g.Keys {
			masks[i] <<= 1
			if !s.has[k] {
				masks[i] |= 1
			}
		}
	}
	return masks
}

func (a *aggregateOp) Open(ctx context.Context) error {
	if err := a.reset(); err != nil {
		return err
	}
	var tick ticker
	err := drain(ctx, a.in, func(row []types.Datum) error {
		if err := tick.check(ctx); err != nil {
			return err
		}
		return a.add(row)
	})
	if err != nil {
		return err
	}
	return a.addEmptySets()
}

// add counts a row in its group of every grouping set.
func (a *aggregateOp) add(row []types.Datum) error {
	if err := evalAll(a.env, a.keys, row, a.vals); err != nil {
		return err
	}
	for s := range a.sets {
		if err := a.addTo(s, row); err != nil {
			return err
		}
	}
	return nil
}

func (a *aggregateOp) addTo(set int, row []types.Datum) error {
	key := a.setKey(set)
	h := hashKeys(a.groups.keys.typs, key)
	g := a.groups.keys.find(key, h)
	if g < 0 {
		if a.spill != nil {
			return a.spill.add(row, set, h)
		}
		var err error
		if g, err = a.newGroup(key, h, row, set); isFull(err) {
			return a.overflow(row, set, h, err)
		} else if err != nil {
			return err
		}
	}
	n := len(a.aggs)
	for i, c := range a.aggs {
		if err := c.add(a.env, &a.groups.states[g*n+i], row); err != nil {
			return err
		}
	}
	return nil
}

// setKey is the key of the current row in a grouping set: NULL for the keys it leaves out.
func (a *aggregateOp) setKey(set int) []types.Datum {
	if len(a.sets) == 1 && a.sets[0].complete() {
		return a.vals
	}
	for i, has := range a.sets[set].has {
		a.key[i] = types.Null
		if has {
			a.key[i] = a.vals[i]
		}
	}
	if len(a.sets) > 1 {
		a.key[len(a.vals)] = types.Int(int64(set))
	}
	return a.key
}

func (s *groupingSet) complete() bool {
	for _, has := range s.has {
		if !has {
			return false
		}
	}
	return true
}

// aggStateBytes is a guess at what the state of one aggregate holds.
const aggStateBytes = 64

func (a *aggregateOp) newGroup(key []types.Datum, h uint64, row []types.Datum, set int) (int, error) {
	g, err := a.groups.keys.insert(key, h)
	if err != nil {
		return 0, err
	}
	a.groups.keys.keys.pending += int64(len(a.aggs)) * aggStateBytes
	for _, c := range a.aggs {
		st, err := c.start(a.env, row, set)
		if err != nil {
			return 0, err
		}
		a.groups.states = append(a.groups.states, st)
	}
	return g, nil
}

// addEmptySets makes the groups that exist without rows: that of a set without keys.
func (a *aggregateOp) addEmptySets() error {
	if a.groups.keys.len() > 0 || a.spill != nil {
		return nil
	}
	clear(a.vals)
	row := make([]types.Datum, a.inW)
	for s := range a.sets {
		if !a.sets[s].empty {
			continue
		}
		key := a.setKey(s)
		if _, err := a.newGroup(key, hashKeys(a.groups.keys.typs, key), row, s); err != nil {
			return err
		}
	}
	return nil
}

func (a *aggregateOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(len(a.keys) + len(a.masks) + len(a.aggs))
	for b.N < BatchRows && !a.done {
		if a.at >= a.groups.keys.len() {
			more, err := a.nextPart(ctx)
			if err != nil {
				return err
			}
			a.done = !more
			continue
		}
		if err := a.emit(b, a.at); err != nil {
			return err
		}
		a.at++
	}
	if b.N == 0 {
		return io.EOF
	}
	return cancelled(ctx)
}

func (a *aggregateOp) emit(b *Batch, g int) error {
	row, key := b.grow(), a.groups.keys.keys.row(g)
	copy(row, key[:len(a.keys)])
	set := 0
	if len(a.sets) > 1 {
		set = int(key[len(a.keys)].Int())
	}
	at := len(a.keys)
	for _, m := range a.masks {
		row[at] = types.Int(m[set])
		at++
	}
	for i, c := range a.aggs {
		v, err := c.result(a.env, &a.groups.states[g*len(a.aggs)+i])
		if err != nil {
			return err
		}
		row[at+i] = v
	}
	return nil
}

func (a *aggregateOp) reset() error {
	a.groups.keys.release()
	a.at, a.done, a.depth = 0, false, 0
	err := firstError(a.releaseStates(), a.spill.close())
	a.spill = nil
	return err
}

func (a *aggregateOp) releaseStates() error {
	var err error
	for i := range a.groups.states {
		if s := a.groups.states[i].sorted; s != nil {
			err = firstError(err, s.close())
		}
	}
	a.groups.states = nil
	for _, c := range a.aggs {
		c.release()
	}
	return err
}

func (a *aggregateOp) Close(ctx context.Context) error {
	return firstError(a.reset(), a.in.Close(ctx))
}
