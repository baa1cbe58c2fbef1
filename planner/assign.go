package planner

import (
	"slices"
	"strconv"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// maxArrayElements bounds what an assignment far outside an array may create.
const maxArrayElements = 1<<27 - 1

// setElement replaces one element of an array. A one-dimensional array grows to reach the subscript, the elements between
// being NULL; a NULL or empty array becomes one of a single element there. Others must have the element already.
func setElement(t *types.T, array, value types.Datum, subs []types.Datum) (types.Datum, error) {
	at := make([]int32, len(subs))
	for i, d := range subs {
		if d.IsNull() {
			return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "array subscript in assignment must not be null")
		}
		at[i] = int32(d.Int())
	}
	if array.IsNull() || len(array.Array().Dims) == 0 {
		return newElement(t, value, at)
	}
	a := array.Array()
	if len(at) != len(a.Dims) {
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	}
	out := &types.Array{Elem: a.Elem, Dims: slices.Clone(a.Dims), Lower: slices.Clone(a.Lower), Vals: slices.Clone(a.Vals)}
	if len(at) == 1 {
		return growTo(out, value, at[0])
	}
	pos := 0
	for d, i := range at {
		i -= a.LowerBound(d)
		if i < 0 || i >= a.Dims[d] {
			return types.Null, pgerr.New(pgerr.ArraySubscriptError, "array subscript out of range")
		}
		pos = pos*int(a.Dims[d]) + int(i)
	}
	out.Vals[pos] = value
	return types.Ref(out), nil
}

// setSlice replaces a slice of an array by the first elements of values. bounds are a lower and an upper one for each
// dimension; one that was not given is the array's own. NULL values change nothing.
func setSlice(t *types.T, array, values types.Datum, bounds []types.Datum, given []bool) (types.Datum, error) {
	dims := len(bounds) / 2
	a := &types.Array{Elem: t.Elem}
	if !array.IsNull() {
		a = array.Array()
	}
	lower, upper := make([]int32, dims), make([]int32, dims)
	for i := range dims {
		for j, to := range []*int32{&lower[i], &upper[i]} {
			d := bounds[2*i+j]
			switch {
			case !given[2*i+j] && len(a.Dims) == 0:
				return types.Null, pgerr.New(pgerr.ArraySubscriptError, "array slice subscript must provide both boundaries").
					WithDetail("When assigning to a slice of an empty array value, slice boundaries must be fully specified.")
			case !given[2*i+j] && i < len(a.Dims):
				*to = a.LowerBound(i) + int32(j)*(a.Dims[i]-1)
			case given[2*i+j] && d.IsNull():
				return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "array subscript in assignment must not be null")
			case given[2*i+j]:
				*to = int32(d.Int())
			}
		}
	}
	if values.IsNull() {
		if array.IsNull() {
			return types.Ref(a), nil
		}
		return array, nil
	}
	from := values.Array()
	if len(a.Dims) == 0 {
		return newSlice(t, from, lower, upper)
	}
	if dims > len(a.Dims) {
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	}
	for i := range dims {
		if lower[i] > upper[i] {
			return types.Null, pgerr.New(pgerr.ArraySubscriptError, "upper bound cannot be less than lower bound")
		}
		if len(a.Dims) > 1 && (lower[i] < a.LowerBound(i) || upper[i] >= a.LowerBound(i)+a.Dims[i]) {
			return types.Null, pgerr.New(pgerr.ArraySubscriptError, "array subscript out of range")
		}
	}
	for i := dims; i < len(a.Dims); i++ { // dimensions that were left out are whole
		lower, upper = append(lower, a.LowerBound(i)), append(upper, a.LowerBound(i)+a.Dims[i]-1)
	}
	count := int64(1)
	for i := range lower {
		count *= int64(upper[i]) - int64(lower[i]) + 1
	}
	if int64(len(from.Vals)) < count {
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "source array too small")
	}
	out := &types.Array{Elem: a.Elem, Dims: slices.Clone(a.Dims), Lower: slices.Clone(a.Lower), Vals: slices.Clone(a.Vals)}
	if len(a.Dims) == 1 {
		for k := int64(0); k < count; k++ {
			if _, err := growTo(out, from.Vals[k], lower[0]+int32(k)); err != nil {
				return types.Null, err
			}
		}
		return types.Ref(out), nil
	}
	for k, at := 0, slices.Clone(lower); int64(k) < count; k++ {
		pos := 0
		for d, i := range at {
			pos = pos*int(a.Dims[d]) + int(i-a.LowerBound(d))
		}
		out.Vals[pos] = from.Vals[k]
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] <= upper[d] {
				break
			}
			at[d] = lower[d]
		}
	}
	return types.Ref(out), nil
}

// newSlice is an array that has only the slice.
func newSlice(t *types.T, from *types.Array, lower, upper []int32) (types.Datum, error) {
	out := &types.Array{Elem: t.Elem, Lower: lower}
	count := int64(1)
	for i := range lower {
		n := int64(upper[i]) - int64(lower[i]) + 1
		if count *= n; n < 0 || count > maxArrayElements {
			return types.Null, pgerr.New(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArrayElements)
		}
		out.Dims = append(out.Dims, int32(n))
	}
	if int64(len(from.Vals)) < count {
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "source array too small")
	}
	if count == 0 {
		return types.Ref(&types.Array{Elem: t.Elem}), nil
	}
	out.Vals = slices.Clone(from.Vals[:count])
	if !slices.ContainsFunc(lower, func(i int32) bool { return i != 1 }) {
		out.Lower = nil
	}
	return types.Ref(out), nil
}

// newElement is an array of one element at the given subscripts.
func newElement(t *types.T, value types.Datum, at []int32) (types.Datum, error) {
	out := &types.Array{Elem: t.Elem, Lower: slices.Clone(at), Vals: []types.Datum{value}}
	for range at {
		out.Dims = append(out.Dims, 1)
	}
	if !slices.ContainsFunc(at, func(i int32) bool { return i != 1 }) {
		out.Lower = nil
	}
	return types.Ref(out), nil
}

// growTo sets the element at a subscript of a one-dimensional array that it may change.
func growTo(a *types.Array, value types.Datum, i int32) (types.Datum, error) {
	lower := a.LowerBound(0)
	n := int64(i) - int64(lower)
	if n+1 > maxArrayElements || -n+int64(len(a.Vals)) > maxArrayElements {
		return types.Null, pgerr.New(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArrayElements)
	}
	if n < 0 {
		a.Vals = append(make([]types.Datum, -n, -n+int64(len(a.Vals))), a.Vals...)
		a.Lower = []int32{i}
		n = 0
	}
	for int64(len(a.Vals)) <= n {
		a.Vals = append(a.Vals, types.Null)
	}
	a.Vals[n] = value
	a.Dims[0] = int32(len(a.Vals))
	return types.Ref(a), nil
}

// setJSON replaces what is at a path of a jsonb value, making the objects and arrays on the way there. A NULL value becomes
// an array or object by the kind of the first subscript; assigning NULL assigns JSON's null.
func setJSON(doc, value types.Datum, path []string, firstInt bool) (types.Datum, error) {
	v := &types.JSON{Kind: types.JSONNull}
	if !value.IsNull() {
		v = value.JSON()
	}
	base := &types.JSON{Kind: types.JSONObject}
	switch {
	case !doc.IsNull():
		base = doc.JSON()
	case firstInt:
		base.Kind = types.JSONArray
	}
	out, err := setPath(base, path, 0, v)
	if err != nil {
		return types.Null, err
	}
	return types.Ref(out), nil
}

func setPath(j *types.JSON, path []string, level int, v *types.JSON) (*types.JSON, error) {
	if level == len(path) {
		return v, nil
	}
	switch j.Kind {
	case types.JSONObject:
		return setKey(j, path, level, v)
	case types.JSONArray:
		return setIndex(j, path, level, v)
	}
	return nil, pgerr.New(pgerr.InvalidParameterValue, "cannot replace existing key").
		WithDetail("The path assumes key is a composite object, but it is a scalar value.")
}

func setKey(j *types.JSON, path []string, level int, v *types.JSON) (*types.JSON, error) {
	key := path[level]
	// jsonb orders keys by length, then by bytes.
	at, found := slices.BinarySearchFunc(j.Fields, key, func(f types.JSONField, k string) int {
		if len(f.Key) != len(k) {
			return len(f.Key) - len(k)
		}
		switch {
		case f.Key < k:
			return -1
		case f.Key > k:
			return 1
		}
		return 0
	})
	out := &types.JSON{Kind: types.JSONObject, Fields: slices.Clone(j.Fields)}
	if !found {
		out.Fields = slices.Insert(out.Fields, at, types.JSONField{Key: key, Value: fresh(path, level+1, v)})
		return out, nil
	}
	member, err := setPath(j.Fields[at].Value, path, level+1, v)
	out.Fields[at].Value = member
	return out, err
}

func setIndex(j *types.JSON, path []string, level int, v *types.JSON) (*types.JSON, error) {
	i, err := strconv.ParseInt(path[level], 10, 32)
	if err != nil {
		return nil, pgerr.New(pgerr.InvalidTextRepresentation, "path element at position %d is not an integer: \"%s\"", level+1, path[level])
	}
	if i < 0 {
		if i += int64(len(j.Elems)); i < 0 {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "path element at position %d is out of range: %d", level+1, i-int64(len(j.Elems)))
		}
	}
	if i > maxArrayElements {
		return nil, pgerr.New(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArrayElements)
	}
	out := &types.JSON{Kind: types.JSONArray, Elems: slices.Clone(j.Elems)}
	if i < int64(len(j.Elems)) {
		out.Elems[i], err = setPath(j.Elems[i], path, level+1, v)
		return out, err
	}
	for int64(len(out.Elems)) < i {
		out.Elems = append(out.Elems, &types.JSON{Kind: types.JSONNull})
	}
	out.Elems = append(out.Elems, fresh(path, level+1, v))
	return out, nil
}

// fresh makes the value that holds v at the rest of a path: arrays for numbers, objects for other keys.
func fresh(path []string, level int, v *types.JSON) *types.JSON {
	for i := len(path) - 1; i >= level; i-- {
		n, err := strconv.ParseInt(path[i], 10, 32)
		if err != nil || n < 0 {
			v = &types.JSON{Kind: types.JSONObject, Fields: []types.JSONField{{Key: path[i], Value: v}}}
			continue
		}
		a := &types.JSON{Kind: types.JSONArray}
		for range min(n, maxArrayElements) {
			a.Elems = append(a.Elems, &types.JSON{Kind: types.JSONNull})
		}
		a.Elems = append(a.Elems, v)
		v = a
	}
	return v
}
