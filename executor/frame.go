package executor

import (
	"math"
	"sort"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// windowFrame finds the frame of each row of a partition.
type windowFrame struct {
	mode       byte
	exclude    byte
	start, end frameBound
	key        *orderKey // RANGE with an offset: the one key
	plus       expr.EvalFunc
	minus      expr.EvalFunc
}

// frameBound is one end of a frame; its offset is evaluated once.
type frameBound struct {
	kind   byte
	offset *scalar
	value  types.Datum
	typ    *types.T
}

func (f *windowFrame) compile(b *builder, n *planner.Window, order *ordering) error {
	f.mode, f.exclude = n.Frame.Mode, n.Frame.Exclude
	offset := false
	for _, x := range []struct {
		from planner.Bound
		to   *frameBound
	}{{n.Frame.Start, &f.start}, {n.Frame.End, &f.end}} {
		x.to.kind = x.from.Kind
		if x.from.Offset == nil {
			continue
		}
		offset = true
		s, err := b.compile(x.from.Offset, nil)
		if err != nil {
			return err
		}
		x.to.offset, x.to.typ = &s, x.from.Offset.Type().BaseType()
	}
	if f.mode == 0 {
		f.mode, f.start.kind, f.end.kind = 'v', 'p', 'c'
	}
	if !offset || f.mode != 'v' {
		return nil
	}
	if len(order.keys) != 1 {
		return pgerr.Internal("RANGE with an offset needs one ORDER BY column")
	}
	f.key = &order.keys[0]
	var err error
	if f.plus, err = operatorFunc(n.Frame.Plus); err != nil {
		return err
	}
	f.minus, err = operatorFunc(n.Frame.Minus)
	return err
}

func operatorFunc(p *expr.Proc) (expr.EvalFunc, error) {
	if p == nil || p.Impl == nil {
		return nil, nil // move says so if it needs one
	}
	return p.Impl.Func(&expr.Call{Fn: p, T: p.Ret, Mod: -1, Loc: -1})
}

// open evaluates the offsets.
func (f *windowFrame) open(env *expr.Env) error {
	if err := f.start.open(env, f.mode, "starting"); err != nil {
		return err
	}
	return f.end.open(env, f.mode, "ending")
}

func (b *frameBound) open(env *expr.Env, mode byte, which string) error {
	if b.offset == nil {
		return nil
	}
	var err error
	if b.value, err = b.offset.value(env, nil); err != nil {
		return err
	}
	if b.value.IsNull() {
		return pgerr.New(pgerr.NullValueNotAllowed, "frame %s offset must not be null", which)
	}
	if mode != 'v' {
		if b.value.Int() < 0 {
			return pgerr.New(pgerr.InvalidPrecedingOrFollowingSize, "frame %s offset must not be negative", which)
		}
		return nil
	}
	return nil
}

// checkRange raises the error of a negative RANGE offset, which PostgreSQL finds when it first compares with it.
func (b *frameBound) checkRange(key *types.T) error {
	negative := false
	switch {
	case b.typ.Rep == types.RepInt:
		negative = b.value.Int() < 0
	case b.typ.Rep == types.RepFloat:
		negative = !(b.value.Float() >= 0)
	case b.typ.OID == types.NumericT.OID:
		d := b.value.Num()
		negative = d.Form != 0 && d.Negative || d.Form > 1 || d.Negative && !d.IsZero()
	case b.typ.OID == types.IntervalT.OID && (key.OID == types.TimeT.OID || key.OID == types.TimeTZT.OID):
		// Only the time part of the interval counts.
		negative = b.value.Interval().Micros < 0
	case b.typ.OID == types.IntervalT.OID:
		negative = types.Compare(b.typ, b.value, types.Ref(&types.Interval{})) < 0
	}
	if negative {
		return pgerr.New(pgerr.InvalidPrecedingOrFollowingSize, "invalid preceding or following size in window function")
	}
	return nil
}

// bounds returns the frame [start, end) of row i, EXCLUDE left aside. An end before the start is an empty frame.
func (f *windowFrame) bounds(w *windowOp, i int) (start, end int, err error) {
	if start, err = f.bound(w, i, &f.start, false); err != nil {
		return 0, 0, err
	}
	end, err = f.bound(w, i, &f.end, true)
	return start, end, err
}

// bound returns where one end of a frame is; an end is the row after the last.
func (f *windowFrame) bound(w *windowOp, i int, b *frameBound, isEnd bool) (int, error) {
	n := w.rows.n
	switch b.kind {
	case 'p':
		return 0, nil
	case 'f':
		return n, nil
	}
	switch f.mode {
	case 'r':
		at := int64(i)
		if isEnd {
			at++
		}
		return clamp(shift(at, b), n), nil
	case 'g':
		g := int64(w.peers.of[i])
		if isEnd {
			g++
		}
		return int(w.peers.start[clamp(shift(g, b), len(w.peers.start)-1)]), nil
	}
	start, end := w.peers.bounds(i)
	if b.kind != 'c' {
		cur, err := w.keys.row(i)
		if err != nil {
			return 0, err
		}
		if !cur[0].IsNull() {
			return f.rangeBound(w, cur[0], b, isEnd)
		}
	}
	if isEnd {
		return end, nil
	}
	return start, nil
}

// shift moves a position by a bound's offset without overflow.
func shift(at int64, b *frameBound) int64 {
	switch b.kind {
	case '-':
		return at - min(b.value.Int(), math.MaxInt64/2)
	case '+':
		return at + min(b.value.Int(), math.MaxInt64/2)
	}
	return at
}

func clamp(at int64, n int) int { return int(max(0, min(at, int64(n)))) }

// rangeBound finds the first row whose key is not before the current one's moved by the offset, or for an end, the first
// one beyond it. Against a descending order "preceding" is more, not less.
func (f *windowFrame) rangeBound(w *windowOp, cur types.Datum, b *frameBound, isEnd bool) (int, error) {
	if err := b.checkRange(f.key.typ); err != nil {
		return 0, err
	}
	v, beyond, err := f.move(w.env, cur, b, (b.kind == '-') != f.key.desc)
	if err != nil {
		return 0, err
	}
	var failed error
	at := sort.Search(w.rows.n, func(i int) bool {
		key, err := w.keys.row(i)
		if err != nil {
			failed = err
			return true
		}
		if beyond && !key[0].IsNull() {
			return b.kind == '-'
		}
		c, err := f.key.compare(w.env, key[0], v)
		if err != nil {
			failed = err
		}
		return c > 0 || c == 0 && !isEnd
	})
	return at, failed
}

// move adds or subtracts the offset. Integers and times of day that leave what a datum holds are beyond every value
// instead of failing: they are compared only.
func (f *windowFrame) move(env *expr.Env, cur types.Datum, b *frameBound, down bool) (v types.Datum, beyond bool, err error) {
	t := f.key.typ
	switch {
	case t.Rep == types.RepInt && b.typ.Rep == types.RepInt:
		n, over := addInts(cur.Int(), b.value.Int(), down)
		return types.Int(n), over, nil
	case t.OID == types.TimeT.OID:
		n, over := addInts(cur.Int(), b.value.Interval().Micros, down)
		return types.Int(n), over, nil
	case t.OID == types.TimeTZT.OID:
		c := cur.Ref().(*types.TimeTZ)
		n, over := addInts(c.Micros, b.value.Interval().Micros, down)
		return types.Ref(&types.TimeTZ{Micros: n, Zone: c.Zone}), over, nil
	case t.Rep == types.RepFloat:
		return types.Float(addFloat(cur.Float(), b.value.Float(), down)), false, nil
	}
	op := f.plus
	if down {
		op = f.minus
	}
	if op == nil {
		return types.Null, false, pgerr.Unsupported("RANGE with an offset for column type " + t.Name)
	}
	args := [2]types.Datum{cur, b.value}
	v, err = op(env, args[:])
	return v, false, err
}

// addInts adds or subtracts b, which is not negative, and reports overflow.
func addInts(a, b int64, down bool) (n int64, over bool) {
	if down {
		return a - b, a < math.MinInt64+b
	}
	return a + b, a > math.MaxInt64-b
}

// addFloat takes infinity less infinity as the end that lets every row in, as PostgreSQL does.
func addFloat(a, b float64, down bool) float64 {
	if math.IsInf(a, 0) && math.IsInf(b, 1) {
		if down {
			return math.Inf(-1)
		}
		return math.Inf(1)
	}
	if down {
		return a - b
	}
	return a + b
}
