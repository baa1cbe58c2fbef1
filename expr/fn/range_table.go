package fn

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// rangeImpls are the functions and operators of ranges and multiranges.
func rangeImpls() []expr.Impl {
	out := append(rangeRelationImpls(), rangePartImpls()...)
	out = append(out, rangeSetImpls()...)
	for _, c := range []struct {
		rangeName, multiName string
		two, three, none     uint32 // the functions of two and three arguments; the multirange of nothing, the others follow it
	}{
		{"int4range", "int4multirange", 3840, 3841, 4280},
		{"numrange", "nummultirange", 3844, 3845, 4283},
		{"tsrange", "tsmultirange", 3933, 3934, 4286},
		{"tstzrange", "tstzmultirange", 3937, 3938, 4289},
		{"daterange", "datemultirange", 3941, 3942, 4292},
		{"int8range", "int8multirange", 3945, 3946, 4295},
	} {
		out = append(out, expr.Impl{OID: c.two, Name: c.rangeName, Make: makeRange}, expr.Impl{OID: c.three, Name: c.rangeName, Make: makeRange})
		for i := range uint32(3) {
			out = append(out, expr.Impl{OID: c.none + i, Name: c.multiName, Make: makeMultirange})
		}
	}
	return out
}

func rangeRelationImpls() []expr.Impl {
	var out []expr.Impl
	for _, g := range []struct {
		test rangeTest
		swap bool
		ids  map[uint32]string
	}{
		{overlapSpans, false, map[uint32]string{3857: "range_overlaps", 4246: "range_overlaps_multirange", 4247: "multirange_overlaps_range", 4248: "multirange_overlaps_multirange"}},
		{containSpans, false, map[uint32]string{3859: "range_contains", 4250: "multirange_contains_range", 4251: "multirange_contains_multirange", 4541: "range_contains_multirange"}},
		{containSpans, true, map[uint32]string{3861: "range_contained_by", 4253: "range_contained_by_multirange", 4254: "multirange_contained_by_multirange", 4542: "multirange_contained_by_range"}},
		{adjacentSpans, false, map[uint32]string{3862: "range_adjacent", 4255: "range_adjacent_multirange", 4256: "multirange_adjacent_multirange", 4257: "multirange_adjacent_range"}},
		{beforeSpans, false, map[uint32]string{3863: "range_before", 4258: "range_before_multirange", 4259: "multirange_before_range", 4260: "multirange_before_multirange"}},
		{beforeSpans, true, map[uint32]string{3864: "range_after", 4261: "range_after_multirange", 4262: "multirange_after_range", 4263: "multirange_after_multirange"}},
		{overleftSpans, false, map[uint32]string{3865: "range_overleft", 4264: "range_overleft_multirange", 4265: "multirange_overleft_range", 4266: "multirange_overleft_multirange"}},
		{overrightSpans, false, map[uint32]string{3866: "range_overright", 4267: "range_overright_multirange", 4268: "multirange_overright_range", 4269: "multirange_overright_multirange"}},
	} {
		for oid, name := range g.ids {
			out = append(out, expr.Impl{OID: oid, Name: name, Make: between(g.test, g.swap)})
		}
	}
	return append(out,
		expr.Impl{OID: 3858, Name: "range_contains_elem", Make: containsElem(false)},
		expr.Impl{OID: 3860, Name: "elem_contained_by_range", Make: containsElem(true)},
		expr.Impl{OID: 4249, Name: "multirange_contains_elem", Make: containsElem(false)},
		expr.Impl{OID: 4252, Name: "elem_contained_by_multirange", Make: containsElem(true)},
	)
}

func rangePartImpls() []expr.Impl {
	empty := func(_ *expr.Env, a datum) (datum, error) { return types.Bool(len(spans(a)) == 0), nil }
	lowerInc := rangeFlag(func(s []*types.Range) bool { return lowerOf(s).Inc })
	upperInc := rangeFlag(func(s []*types.Range) bool { return upperOf(s).Inc })
	lowerInf := rangeFlag(func(s []*types.Range) bool { return lowerOf(s).Val.IsNull() })
	upperInf := rangeFlag(func(s []*types.Range) bool { return upperOf(s).Val.IsNull() })
	return []expr.Impl{
		{OID: 3848, Name: "lower", F1: rangeBound(false)},
		{OID: 3849, Name: "upper", F1: rangeBound(true)},
		{OID: 4235, Name: "lower", F1: rangeBound(false)},
		{OID: 4236, Name: "upper", F1: rangeBound(true)},
		{OID: 3850, Name: "isempty", F1: empty},
		{OID: 4237, Name: "isempty", F1: empty},
		{OID: 3851, Name: "lower_inc", F1: lowerInc},
		{OID: 4238, Name: "lower_inc", F1: lowerInc},
		{OID: 3852, Name: "upper_inc", F1: upperInc},
		{OID: 4239, Name: "upper_inc", F1: upperInc},
		{OID: 3853, Name: "lower_inf", F1: lowerInf},
		{OID: 4240, Name: "lower_inf", F1: lowerInf},
		{OID: 3854, Name: "upper_inf", F1: upperInf},
		{OID: 4241, Name: "upper_inf", F1: upperInf},
		{OID: 3914, Name: "int4range_canonical", F1: identity},
		{OID: 3915, Name: "daterange_canonical", F1: identity},
		{OID: 3928, Name: "int8range_canonical", F1: identity},
	}
}

func rangeSetImpls() []expr.Impl {
	multi := func(f func(sub *types.T, a, b []*types.Range) []*types.Range) func(*expr.Call) (expr.EvalFunc, error) {
		return ofRanges(func(sub *types.T, a, b []*types.Range) (datum, error) {
			return types.Ref(types.NewMultirange(sub, f(sub, a, b))), nil
		})
	}
	return []expr.Impl{
		{OID: 3867, Name: "range_union", Make: ofRanges(rangeUnionFn)},
		{OID: 3869, Name: "range_minus", Make: ofRanges(rangeMinus)},
		{OID: 3868, Name: "range_intersect", Make: ofRanges(func(sub *types.T, a, b []*types.Range) (datum, error) {
			return oneRange(intersectSpans(sub, a, b)), nil
		})},
		{OID: 4057, Name: "range_merge", Make: ofRanges(func(sub *types.T, a, b []*types.Range) (datum, error) {
			return cover(sub, bothSpans(a, b)), nil
		})},
		{OID: 4228, Name: "range_merge", Make: func(c *expr.Call) (expr.EvalFunc, error) {
			sub := subtypeOf(c)
			return func(_ *expr.Env, args []datum) (datum, error) { return cover(sub, spans(args[0])), nil }, nil
		}},
		{OID: 4270, Name: "multirange_union", Make: multi(func(_ *types.T, a, b []*types.Range) []*types.Range { return bothSpans(a, b) })},
		{OID: 4271, Name: "multirange_minus", Make: multi(subtract)},
		{OID: 4272, Name: "multirange_intersect", Make: multi(intersectSpans)},
		{OID: 4298, Name: "multirange", Make: func(c *expr.Call) (expr.EvalFunc, error) {
			sub := subtypeOf(c)
			return func(_ *expr.Env, args []datum) (datum, error) {
				return types.Ref(types.NewMultirange(sub, spans(args[0]))), nil
			}, nil
		}},
		{OID: 1293, Name: "unnest", Set: func(_ *expr.Env, args []datum, yield func(...datum) error) error {
			for _, r := range spans(args[0]) {
				if err := yield(types.Ref(r)); err != nil {
					return err
				}
			}
			return nil
		}},
	}
}
