package executor

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// joinBase is what every join has.
type joinBase struct {
	env         *expr.Env
	kind        planner.JoinKind
	left, right Operator
	lw, rw      int
	// conds are the conditions that the join itself checks, over a left row followed by a right row.
	conds []scalar
	buf   []types.Datum
}

func (b *builder) buildJoin(n *planner.Join) (Operator, error) {
	left, err := b.build(n.Left)
	if err != nil {
		return nil, err
	}
	right, err := b.build(n.Right)
	if err != nil {
		return nil, err
	}
	return b.join(n, left, right)
}

// join combines the operators of a join's sides.
func (b *builder) join(n *planner.Join, left, right Operator) (Operator, error) {
	lcols, rcols := n.Left.Cols(), n.Right.Cols()
	base := joinBase{
		env: b.rt.Env, kind: n.Kind, left: left, right: right, lw: len(lcols), rw: len(rcols),
		buf: make([]types.Datum, len(lcols)+len(rcols)),
	}
	both := layoutOf(append(append([]planner.Col{}, lcols...), rcols...))
	keys, rest := splitEqui(n)
	var err error
	if n.Lateral || len(keys) == 0 || n.Kind == planner.AntiNullJoin && (len(n.Equi) != 1 || len(n.On) > 0) {
		conds := append([]expr.Expr{}, n.On...)
		for _, k := range n.Equi {
			conds = append(conds, equality(k))
		}
		if base.conds, err = b.compileAll(conds, both); err != nil {
			return nil, err
		}
		op := &nestedJoin{joinBase: base, lateral: n.Lateral, rows: newPagedRows(base.rw, b.rt.Budget)}
		for i, c := range lcols {
			op.outer = append(op.outer, outerCol{c.ID, i})
		}
		return op, nil
	}
	if base.conds, err = b.compileAll(rest, both); err != nil {
		return nil, err
	}
	op := &hashJoin{joinBase: base, budget: b.rt.Budget}
	ll, rl := layoutOf(lcols), layoutOf(rcols)
	for _, k := range keys {
		l, err := b.compile(k.Left, ll)
		if err != nil {
			return nil, err
		}
		r, err := b.compile(k.Right, rl)
		if err != nil {
			return nil, err
		}
		t, _ := hashableKey(k.Left.Type(), k.Right.Type())
		op.lkeys, op.rkeys, op.typs = append(op.lkeys, l), append(op.rkeys, r), append(op.typs, t)
	}
	op.vals = make([]types.Datum, len(keys))
	if n.Lookup != nil {
		return b.lookupJoin(n, op)
	}
	return op, nil
}

// splitEqui returns the equalities that a hash table can serve, and the conditions that are left. The others compare
// types whose values are equal in more ways than their representation says (date = timestamp).
func splitEqui(n *planner.Join) (keys []planner.EquiKey, rest []expr.Expr) {
	rest = append(rest, n.On...)
	for _, k := range n.Equi {
		if _, ok := hashableKey(k.Left.Type(), k.Right.Type()); ok {
			keys = append(keys, k)
		} else {
			rest = append(rest, equality(k))
		}
	}
	return keys, rest
}

func equality(k planner.EquiKey) expr.Expr {
	return &expr.Call{Fn: k.Eq, Args: []expr.Expr{k.Left, k.Right}, T: types.BoolT, Mod: -1, Op: "=", Loc: -1}
}

// keepsLeft reports that left rows without a match are given, with NULLs for the right side.
func (j *joinBase) keepsLeft() bool { return j.kind == planner.LeftJoin || j.kind == planner.FullJoin }

// keepsRight is keepsLeft for the right side.
func (j *joinBase) keepsRight() bool {
	return j.kind == planner.RightJoin || j.kind == planner.FullJoin
}

// leftOnly reports that only left columns are given.
func (j *joinBase) leftOnly() bool {
	return j.kind == planner.SemiJoin || j.kind == planner.AntiJoin || j.kind == planner.AntiNullJoin
}

func (j *joinBase) width() int {
	if j.leftOnly() {
		return j.lw
	}
	return j.lw + j.rw
}

// matches checks the join's own conditions. The left row must already be in buf.
func (j *joinBase) matches(right []types.Datum) (bool, error) {
	if len(j.conds) == 0 {
		return true, nil
	}
	copy(j.buf[j.lw:], right)
	return allTrue(j.env, j.conds, j.buf)
}

// emit adds a joined row; a nil side is NULLs.
func (j *joinBase) emit(b *Batch, left, right []types.Datum) {
	row := b.grow()
	copyOrNull(row[:j.lw], left)
	if !j.leftOnly() {
		copyOrNull(row[j.lw:], right)
	}
}

func copyOrNull(dst, src []types.Datum) {
	if src == nil {
		clear(dst)
		return
	}
	copy(dst, src)
}
