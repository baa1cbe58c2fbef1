package fn

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// arrayAgg is array_agg of values that are no arrays; NULLs are kept.
type arrayAgg struct {
	elem *types.T
	vals []datum
}

func (a *arrayAgg) Add(_ *expr.Env, args []datum) error {
	a.vals = append(a.vals, args[0])
	return nil
}

func (a *arrayAgg) Result(*expr.Env) (datum, error) {
	if a.vals == nil {
		return types.Null, nil
	}
	return types.NewArray(a.elem, slices.Clone(a.vals)), nil
}

// arrayArrayAgg is array_agg of arrays.
type arrayArrayAgg struct {
	typ  *types.T
	vals []datum
}

func (a *arrayArrayAgg) Add(_ *expr.Env, args []datum) error {
	if err := stackable(a.vals, args[0]); err != nil {
		return err
	}
	a.vals = append(a.vals, args[0])
	return nil
}

func (a *arrayArrayAgg) Result(*expr.Env) (datum, error) {
	if a.vals == nil {
		return types.Null, nil
	}
	return stack(a.typ, a.vals), nil
}

// StackArrays makes one array, with a dimension more, of arrays of the same shape; of none, an empty array. It fails with
// 2202E on arrays of different shapes, and with 22004 on a NULL.
func StackArrays(t *types.T, vals []types.Datum) (types.Datum, error) {
	for i, v := range vals {
		if err := stackable(vals[:i], v); err != nil {
			return types.Null, err
		}
	}
	return stack(t, vals), nil
}

// stackable checks an array against the first of those it joins.
func stackable(before []datum, v datum) error {
	if v.IsNull() {
		return pgerr.New(pgerr.NullValueNotAllowed, "cannot accumulate null arrays")
	}
	a := v.Array()
	if len(before) == 0 {
		switch {
		case len(a.Dims) == 0:
			return pgerr.New(pgerr.ArraySubscriptError, "cannot accumulate empty arrays")
		case len(a.Dims)+1 > maxArrayDims:
			return pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)",
				len(a.Dims)+1, maxArrayDims)
		}
		return nil
	}
	first := before[0].Array()
	if !slices.Equal(first.Dims, a.Dims) || !sameBounds(first, a) {
		return pgerr.New(pgerr.ArraySubscriptError, "cannot accumulate arrays of different dimensionality")
	}
	return nil
}

const maxArrayDims = 6

func sameBounds(a, b *types.Array) bool {
	for i := range a.Dims {
		if a.LowerBound(i) != b.LowerBound(i) {
			return false
		}
	}
	return true
}

func stack(t *types.T, vals []datum) datum {
	elem := t.BaseType().Elem
	if len(vals) == 0 {
		return types.NewArray(elem, nil)
	}
	first := vals[0].Array()
	out := &types.Array{Elem: elem, Dims: append([]int32{int32(len(vals))}, first.Dims...)}
	if first.Lower != nil {
		out.Lower = append([]int32{1}, first.Lower...)
	}
	for _, v := range vals {
		out.Vals = append(out.Vals, v.Array().Vals...)
	}
	return types.Ref(out)
}

// Collects marks the aggregate as one whose state grows with every row.
func (a *arrayAgg) Collects() {}

// Collects marks the aggregate as one whose state grows with every row.
func (a *arrayArrayAgg) Collects() {}
