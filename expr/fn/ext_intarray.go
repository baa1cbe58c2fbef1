package fn

import (
	"math"
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// intsOf returns the elements of an integer array, which must not hold NULLs.
func intsOf(d datum) ([]int64, error) {
	vals := d.Array().Vals
	out := make([]int64, len(vals))
	for i, v := range vals {
		if v.IsNull() {
			return nil, pgerr.New(pgerr.NullValueNotAllowed, "array must not contain nulls")
		}
		out[i] = v.Int()
	}
	return out, nil
}

func ints(list []int64) datum {
	vals := make([]datum, len(list))
	for i, n := range list {
		vals[i] = types.Int(n)
	}
	return types.NewArray(types.Int4T, vals)
}

func intSet(list []int64) []int64 {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// twoInts is a function of two integer arrays.
func twoInts(f func(a, b []int64) datum) f2 {
	return func(_ *expr.Env, x, y datum) (datum, error) {
		a, err := intsOf(x)
		if err != nil {
			return types.Null, err
		}
		b, err := intsOf(y)
		if err != nil {
			return types.Null, err
		}
		return f(a, b), nil
	}
}

// intsAnd is a function of an integer array and an integer.
func intsAnd(f func(a []int64, n int64) datum) f2 {
	return func(_ *expr.Env, x, y datum) (datum, error) {
		a, err := intsOf(x)
		if err != nil {
			return types.Null, err
		}
		return f(a, y.Int()), nil
	}
}

func without(a, b []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(a), func(n int64) bool { return slices.Contains(b, n) })
}

func sortedInts(a datum, desc bool) (datum, error) {
	list, err := intsOf(a)
	if err != nil {
		return types.Null, err
	}
	slices.Sort(list)
	if desc {
		slices.Reverse(list)
	}
	return ints(list), nil
}

// subarray returns elements from start, counted from 1 or, when negative, from the end; a negative length leaves some off
// the end.
func subarray(_ *expr.Env, args []datum) (datum, error) {
	list, err := intsOf(args[0])
	if err != nil {
		return types.Null, err
	}
	start := int(args[1].Int())
	if start > 0 {
		start--
	}
	if start < 0 {
		start += len(list)
	}
	end := len(list)
	if len(args) == 3 {
		switch n := int(args[2].Int()); {
		case n < 0:
			end += n
		case n > 0:
			end = start + n
		default:
			end = start
		}
	}
	start, end = max(0, start), min(end, len(list))
	if start >= end {
		return ints(nil), nil
	}
	return ints(list[start:end]), nil
}

// intarrayImpls are the functions of extension intarray; those of its type query_int are not among them.
func intarrayImpls() []expr.Impl {
	contains := func(outer, inner []int64) bool {
		return !slices.ContainsFunc(inner, func(n int64) bool { return !slices.Contains(outer, n) })
	}
	sortOne := func(desc bool) f1 {
		return func(_ *expr.Env, a datum) (datum, error) { return sortedInts(a, desc) }
	}
	equal := func(a, b []int64) bool { return slices.Equal(intSet(a), intSet(b)) }
	return []expr.Impl{
		{OID: 2000006003, Name: "_int_contained", F2: twoInts(func(a, b []int64) datum { return types.Bool(contains(b, a)) })},
		{OID: 2000006006, Name: "_int_contains", F2: twoInts(func(a, b []int64) datum { return types.Bool(contains(a, b)) })},
		{OID: 2000006009, Name: "_int_different", F2: twoInts(func(a, b []int64) datum { return types.Bool(!equal(a, b)) })},
		{OID: 2000006015, Name: "_int_same", F2: twoInts(func(a, b []int64) datum { return types.Bool(equal(a, b)) })},
		{OID: 2000006010, Name: "_int_inter", F2: twoInts(func(a, b []int64) datum {
			return ints(slices.DeleteFunc(intSet(a), func(n int64) bool { return !slices.Contains(b, n) }))
		})},
		{OID: 2000006012, Name: "_int_overlap", F2: twoInts(func(a, b []int64) datum {
			return types.Bool(slices.ContainsFunc(a, func(n int64) bool { return slices.Contains(b, n) }))
		})},
		{OID: 2000006016, Name: "_int_union", F2: twoInts(func(a, b []int64) datum { return ints(intSet(append(slices.Clone(a), b...))) })},
		{OID: 2000006040, Name: "icount", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Int(int64(len(a.Array().Vals))), nil }},
		{OID: 2000006041, Name: "idx", F2: intsAnd(func(a []int64, n int64) datum { return types.Int(int64(slices.Index(a, n) + 1)) })},
		{OID: 2000006042, Name: "intarray_del_elem", F2: intsAnd(func(a []int64, n int64) datum { return ints(without(a, []int64{n})) })},
		{OID: 2000006043, Name: "intarray_push_array", F2: twoInts(func(a, b []int64) datum { return ints(append(slices.Clone(a), b...)) })},
		{OID: 2000006044, Name: "intarray_push_elem", F2: intsAnd(func(a []int64, n int64) datum { return ints(append(slices.Clone(a), n)) })},
		{OID: 2000006045, Name: "intset", F1: func(_ *expr.Env, a datum) (datum, error) { return ints([]int64{a.Int()}), nil }},
		{OID: 2000006046, Name: "intset_subtract", F2: twoInts(func(a, b []int64) datum { return ints(without(intSet(a), b)) })},
		{OID: 2000006047, Name: "intset_union_elem", F2: intsAnd(func(a []int64, n int64) datum { return ints(intSet(append(slices.Clone(a), n))) })},
		{OID: 2000006050, Name: "sort", F1: sortOne(false)},
		{OID: 2000006052, Name: "sort_asc", F1: sortOne(false)},
		{OID: 2000006053, Name: "sort_desc", F1: sortOne(true)},
		{OID: 2000006051, Name: "sort", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			switch strings.ToLower(b.Str()) {
			case "asc":
				return sortedInts(a, false)
			case "desc":
				return sortedInts(a, true)
			}
			return types.Null, pgerr.New(pgerr.InvalidParameterValue, "second parameter must be \"ASC\" or \"DESC\"")
		}},
		{OID: 2000006054, Name: "subarray", Eval: subarray},
		{OID: 2000006055, Name: "subarray", Eval: subarray},
		{OID: 2000006056, Name: "uniq", F1: func(_ *expr.Env, a datum) (datum, error) {
			list, err := intsOf(a)
			return ints(slices.Compact(list)), err
		}},
	}
}

// gistImpls are the distances of extension btree_gist.
func gistImpls() []expr.Impl {
	whole := func(oid uint32, name string, bits uint) expr.Impl {
		return expr.Impl{OID: oid, Name: name, F2: func(_ *expr.Env, a, b datum) (datum, error) {
			d := a.Int() - b.Int()
			if d < 0 {
				d = -d
			}
			if d < 0 || bits < 64 && d >= 1<<(bits-1) {
				return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "%s out of range", map[uint]string{16: "smallint", 32: "integer", 64: "bigint"}[bits])
			}
			return types.Int(d), nil
		}}
	}
	float := func(_ *expr.Env, a, b datum) (datum, error) { return types.Float(math.Abs(a.Float() - b.Float())), nil }
	return []expr.Impl{
		whole(2000001187, "int2_dist", 16), whole(2000001188, "int4_dist", 32), whole(2000001189, "int8_dist", 64), whole(2000001008, "date_dist", 32),
		whole(2000001007, "cash_dist", 64),
		{OID: 2000001009, Name: "float4_dist", F2: float},
		{OID: 2000001010, Name: "float8_dist", F2: float},
	}
}
