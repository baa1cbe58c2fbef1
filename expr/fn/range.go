package fn

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// spans are the ranges of a range or multirange that are not empty, in order.
func spans(d datum) []*types.Range {
	if m, ok := d.Ref().(*types.Multirange); ok {
		return m.Ranges
	}
	if r := d.Range(); !r.Empty {
		return []*types.Range{r}
	}
	return nil
}

// subtypeOf is what the first range or multirange among a call's arguments is over.
func subtypeOf(c *expr.Call) *types.T {
	for _, a := range c.Args {
		if t := a.Type().BaseType(); t.Subtype != nil {
			return t.Subtype
		}
	}
	return types.Int4T
}

func lowerOf(s []*types.Range) types.Bound { b, _ := s[0].Bounds(); return b }

func upperOf(s []*types.Range) types.Bound { _, b := s[len(s)-1].Bounds(); return b }

// rangeTest is a relation between two lists of ranges over a subtype.
type rangeTest func(sub *types.T, a, b []*types.Range) bool

// between makes a relation of two ranges or multiranges; swap exchanges them.
func between(test rangeTest, swap bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		sub := subtypeOf(c)
		return func(_ *expr.Env, args []datum) (datum, error) {
			a, b := spans(args[0]), spans(args[1])
			if swap {
				a, b = b, a
			}
			return types.Bool(test(sub, a, b)), nil
		}, nil
	}
}

func overlapSpans(sub *types.T, a, b []*types.Range) bool {
	for _, x := range a {
		for _, y := range b {
			if overlapRanges(sub, x, y) {
				return true
			}
		}
	}
	return false
}

// overlapRanges reports whether two ranges that are not empty share a value.
func overlapRanges(sub *types.T, a, b *types.Range) bool {
	al, au := a.Bounds()
	bl, bu := b.Bounds()
	return types.CompareBounds(sub, al, bu) <= 0 && types.CompareBounds(sub, bl, au) <= 0
}

func containSpans(sub *types.T, a, b []*types.Range) bool {
	for _, y := range b {
		found := false
		for _, x := range a {
			found = found || containsRange(sub, x, y)
		}
		if !found {
			return false
		}
	}
	return true
}

func containsRange(sub *types.T, a, b *types.Range) bool {
	al, au := a.Bounds()
	bl, bu := b.Bounds()
	return types.CompareBounds(sub, al, bl) <= 0 && types.CompareBounds(sub, bu, au) <= 0
}

func beforeSpans(sub *types.T, a, b []*types.Range) bool {
	return len(a) > 0 && len(b) > 0 && types.CompareBounds(sub, upperOf(a), lowerOf(b)) < 0
}

func overleftSpans(sub *types.T, a, b []*types.Range) bool {
	return len(a) > 0 && len(b) > 0 && types.CompareBounds(sub, upperOf(a), upperOf(b)) <= 0
}

func overrightSpans(sub *types.T, a, b []*types.Range) bool {
	return len(a) > 0 && len(b) > 0 && types.CompareBounds(sub, lowerOf(a), lowerOf(b)) >= 0
}

func adjacentSpans(sub *types.T, a, b []*types.Range) bool {
	return len(a) > 0 && len(b) > 0 && (meets(sub, upperOf(a), lowerOf(b)) || meets(sub, upperOf(b), lowerOf(a)))
}

// meets reports whether a lower bound begins just where an upper bound ends. Discrete ranges are canonical, so equal
// values with one of them inclusive say it for them as well.
func meets(sub *types.T, upper, lower types.Bound) bool {
	return !upper.Val.IsNull() && !lower.Val.IsNull() && upper.Inc != lower.Inc && types.Compare(sub, upper.Val, lower.Val) == 0
}

// containsElem makes the test whether a value lies in a range or multirange.
func containsElem(elemFirst bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		sub := subtypeOf(c)
		return func(_ *expr.Env, args []datum) (datum, error) {
			r, v := args[0], args[1]
			if elemFirst {
				r, v = v, r
			}
			lower, upper := types.Bound{Val: v, Inc: true, Lower: true}, types.Bound{Val: v, Inc: true}
			for _, s := range spans(r) {
				l, u := s.Bounds()
				if types.CompareBounds(sub, l, lower) <= 0 && types.CompareBounds(sub, upper, u) <= 0 {
					return types.True, nil
				}
			}
			return types.False, nil
		}, nil
	}
}

// ofRanges makes a function of two ranges or multiranges from one of their spans.
func ofRanges(f func(sub *types.T, a, b []*types.Range) (datum, error)) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		sub := subtypeOf(c)
		return func(_ *expr.Env, args []datum) (datum, error) { return f(sub, spans(args[0]), spans(args[1])) }, nil
	}
}

func oneRange(s []*types.Range) datum {
	if len(s) == 0 {
		return types.Ref(&types.Range{Empty: true})
	}
	return types.Ref(s[0])
}

func bothSpans(a, b []*types.Range) []*types.Range {
	return append(append(make([]*types.Range, 0, len(a)+len(b)), a...), b...)
}

func rangeUnionFn(sub *types.T, a, b []*types.Range) (datum, error) {
	m := types.NewMultirange(sub, bothSpans(a, b))
	if len(m.Ranges) > 1 {
		return types.Null, pgerr.New(pgerr.DataException, "result of range union would not be contiguous")
	}
	return oneRange(m.Ranges), nil
}

// cover is the least range over all of the spans, which are in order by their lower bounds.
func cover(sub *types.T, s []*types.Range) datum {
	if len(s) == 0 {
		return oneRange(nil)
	}
	low, high := lowerOf(s), upperOf(s)
	for _, r := range s {
		l, u := r.Bounds()
		if types.CompareBounds(sub, l, low) < 0 {
			low = l
		}
		if types.CompareBounds(sub, u, high) > 0 {
			high = u
		}
	}
	return types.Ref(&types.Range{Lower: low.Val, LowerInc: low.Inc, Upper: high.Val, UpperInc: high.Inc})
}

// subtract takes the ranges of b away from those of a.
func subtract(sub *types.T, a, b []*types.Range) []*types.Range {
	for _, y := range b {
		var rest []*types.Range
		for _, x := range a {
			rest = append(rest, subtractOne(sub, x, y)...)
		}
		a = rest
	}
	return a
}

func subtractOne(sub *types.T, x, y *types.Range) []*types.Range {
	if !overlapRanges(sub, x, y) {
		return []*types.Range{x}
	}
	xl, xu := x.Bounds()
	yl, yu := y.Bounds()
	var out []*types.Range
	if types.CompareBounds(sub, xl, yl) < 0 {
		out = append(out, &types.Range{Lower: x.Lower, LowerInc: x.LowerInc, Upper: y.Lower, UpperInc: !y.LowerInc})
	}
	if types.CompareBounds(sub, yu, xu) < 0 {
		out = append(out, &types.Range{Lower: y.Upper, LowerInc: !y.UpperInc, Upper: x.Upper, UpperInc: x.UpperInc})
	}
	return out
}

func rangeMinus(sub *types.T, a, b []*types.Range) (datum, error) {
	rest := subtract(sub, a, b)
	if len(rest) > 1 {
		return types.Null, pgerr.New(pgerr.DataException, "result of range difference would not be contiguous")
	}
	return oneRange(rest), nil
}

func intersectSpans(sub *types.T, a, b []*types.Range) []*types.Range {
	var out []*types.Range
	for _, x := range a {
		for _, y := range b {
			if overlapRanges(sub, x, y) {
				out = append(out, intersectRanges(sub, x, y))
			}
		}
	}
	return out
}

// rangeBound is lower() and upper(); NULL when there is no such bound.
func rangeBound(upper bool) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		s := spans(a)
		switch {
		case len(s) == 0:
			return types.Null, nil
		case upper:
			return upperOf(s).Val, nil
		}
		return lowerOf(s).Val, nil
	}
}

// rangeFlag is lower_inc() and its kin, false for an empty range.
func rangeFlag(f func(s []*types.Range) bool) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		s := spans(a)
		return types.Bool(len(s) > 0 && f(s)), nil
	}
}

// makeRange is int4range(lower, upper [, bounds]) and its kin.
func makeRange(c *expr.Call) (expr.EvalFunc, error) {
	t := c.Fn.Ret
	return func(_ *expr.Env, args []datum) (datum, error) {
		flags := "[)"
		if len(args) == 3 {
			if args[2].IsNull() {
				return types.Null, pgerr.New(pgerr.DataException, "range constructor flags argument must not be null")
			}
			flags = args[2].Str()
		}
		switch flags {
		case "[]", "[)", "(]", "()":
		default:
			return types.Null, pgerr.New(pgerr.SyntaxError, "invalid range bound flags").
				WithHint("Valid values are \"[]\", \"[)\", \"(]\", and \"()\".")
		}
		r, err := types.NewRange(t, args[0], args[1], flags[0] == '[', flags[1] == ']', false)
		if err != nil {
			return types.Null, err
		}
		return types.Ref(r), nil
	}, nil
}

// makeMultirange is int4multirange() and its kin: of nothing, a range, or an array of ranges.
func makeMultirange(c *expr.Call) (expr.EvalFunc, error) {
	t := c.Fn.Ret
	return func(_ *expr.Env, args []datum) (datum, error) {
		var ranges []*types.Range
		if len(args) == 1 {
			if a, ok := args[0].Ref().(*types.Array); ok {
				if len(a.Dims) > 1 {
					return types.Null, pgerr.New(pgerr.CardinalityViolation, "multiranges cannot be constructed from multidimensional arrays")
				}
				for _, v := range a.Vals {
					if v.IsNull() {
						return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "multirange values cannot contain null members")
					}
					ranges = append(ranges, v.Range())
				}
			} else {
				ranges = spans(args[0])
			}
		}
		return types.Ref(types.NewMultirange(t.Subtype, ranges)), nil
	}, nil
}
