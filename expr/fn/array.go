package fn

import (
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// elemType is the element type of an array-typed expression.
func elemType(e expr.Expr) *types.T {
	if t := e.Type().BaseType(); t.Elem != nil {
		return t.Elem
	}
	return types.TextT
}

func arrayError(format string, args ...any) *pgerr.Error {
	return pgerr.New(pgerr.ArraySubscriptError, format, args...)
}

// arrayMake makes a function that wants the element type of its call's result or first array.
func arrayMake(arrayArg int, f func(elem *types.T) expr.EvalFunc) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) { return f(elemType(c.Args[arrayArg])), nil }
}

// arrayOf is the array of a datum; NULL counts as empty.
func arrayOf(d datum, elem *types.T) *types.Array {
	if d.IsNull() {
		return &types.Array{Elem: elem}
	}
	return d.Array()
}

func oneDimension(a *types.Array) error {
	if len(a.Dims) > 1 {
		return pgerr.New(pgerr.DataException, "argument must be empty or one-dimensional array")
	}
	return nil
}

// extended adds an element at one end; a prepended one keeps the lower bound.
func extended(a *types.Array, v datum, front bool) (datum, error) {
	if err := oneDimension(a); err != nil {
		return types.Null, err
	}
	vals := make([]datum, 0, len(a.Vals)+1)
	if front {
		vals = append(vals, v)
	}
	vals = append(vals, a.Vals...)
	if !front {
		vals = append(vals, v)
	}
	out := &types.Array{Elem: a.Elem, Vals: vals, Dims: []int32{int32(len(vals))}}
	if len(a.Dims) == 1 {
		out.Lower = a.Lower
	}
	return types.Ref(out), nil
}

// arrayCat joins two arrays of the same number of dimensions, or adds a sub-array to one of a dimension more.
func arrayCat(elem *types.T) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		switch {
		case args[0].IsNull():
			return args[1], nil
		case args[1].IsNull():
			return args[0], nil
		}
		a, b := args[0].Array(), args[1].Array()
		switch {
		case len(a.Dims) == 0:
			return args[1], nil
		case len(b.Dims) == 0:
			return args[0], nil
		}
		return concatArrays(a, b)
	}
}

func concatArrays(a, b *types.Array) (datum, error) {
	incompatible := func(detail string, args ...any) (datum, error) {
		return types.Null, arrayError("cannot concatenate incompatible arrays").WithDetail(detail, args...)
	}
	na, nb := len(a.Dims), len(b.Dims)
	out := &types.Array{Elem: a.Elem, Vals: append(append(make([]datum, 0, len(a.Vals)+len(b.Vals)), a.Vals...), b.Vals...)}
	same := func(x, y *types.Array, i, j int) bool {
		return x.Dims[i] == y.Dims[j] && x.LowerBound(i) == y.LowerBound(j)
	}
	switch {
	case na == nb:
		for i := 1; i < na; i++ {
			if !same(a, b, i, i) {
				return incompatible("Arrays with differing element dimensions are not compatible for concatenation.")
			}
		}
		out.Dims, out.Lower = append([]int32{a.Dims[0] + b.Dims[0]}, a.Dims[1:]...), a.Lower
	case na == nb-1:
		for i := range na {
			if !same(a, b, i, i+1) {
				return incompatible("Arrays with differing dimensions are not compatible for concatenation.")
			}
		}
		out.Dims, out.Lower = append([]int32{b.Dims[0] + 1}, b.Dims[1:]...), b.Lower
	case na-1 == nb:
		for i := range nb {
			if !same(a, b, i+1, i) {
				return incompatible("Arrays with differing dimensions are not compatible for concatenation.")
			}
		}
		out.Dims, out.Lower = append([]int32{a.Dims[0] + 1}, a.Dims[1:]...), a.Lower
	default:
		return incompatible("Arrays of %d and %d dimensions are not compatible for concatenation.", na, nb)
	}
	return types.Ref(out), nil
}

func arrayDims(_ *expr.Env, a datum) (datum, error) {
	arr := a.Array()
	if len(arr.Dims) == 0 {
		return types.Null, nil
	}
	var b strings.Builder
	for i, n := range arr.Dims {
		lo := int64(arr.LowerBound(i))
		b.WriteString("[" + strconv.FormatInt(lo, 10) + ":" + strconv.FormatInt(lo+int64(n)-1, 10) + "]")
	}
	return types.Str(b.String()), nil
}

// dimFn is a function of one dimension of an array; NULL when there is none.
func dimFn(f func(a *types.Array, i int) int64) f2 {
	return func(_ *expr.Env, a, n datum) (datum, error) {
		i := n.Int() - 1
		if i < 0 || i >= int64(len(a.Array().Dims)) {
			return types.Null, nil
		}
		return types.Int(f(a.Array(), int(i))), nil
	}
}

// arrayFill makes an array of the given dimensions with one value in every place.
func arrayFill(c *expr.Call) (expr.EvalFunc, error) {
	elem := c.T.BaseType().Elem
	ints := func(d datum, what string) ([]int32, error) {
		if d.IsNull() {
			return nil, pgerr.New(pgerr.NullValueNotAllowed, "dimension array or low bound array cannot be null")
		}
		if len(d.Array().Dims) > 1 {
			return nil, arrayError("wrong number of array subscripts").WithDetail("%s array must be one dimensional.", what)
		}
		out := make([]int32, len(d.Array().Vals))
		for i, v := range d.Array().Vals {
			if v.IsNull() {
				return nil, pgerr.New(pgerr.NullValueNotAllowed, "dimension values cannot be null")
			}
			out[i] = int32(v.Int())
		}
		return out, nil
	}
	return func(_ *expr.Env, args []datum) (datum, error) {
		dims, err := ints(args[1], "Dimension")
		if err != nil {
			return types.Null, err
		}
		out := &types.Array{Elem: elem, Dims: dims}
		if len(args) == 3 {
			if out.Lower, err = ints(args[2], "Low bound"); err != nil {
				return types.Null, err
			}
			if len(out.Lower) != len(dims) {
				return types.Null, arrayError("wrong number of array subscripts").WithDetail("Low bound array has different size than dimensions array.")
			}
		}
		if len(dims) > 6 {
			return types.Null, pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (6)", len(dims))
		}
		n := 1
		for _, d := range dims {
			if d <= 0 || n > (1<<27)/int(d) {
				n = 0
				if d > 0 {
					return types.Null, pgerr.New(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (134217727)")
				}
				break
			}
			n *= int(d)
		}
		if n == 0 || len(dims) == 0 {
			return types.Ref(&types.Array{Elem: elem}), nil
		}
		out.Vals = make([]datum, n)
		for i := range out.Vals {
			out.Vals[i] = args[0]
		}
		return types.Ref(out), nil
	}, nil
}

// sameValue is IS NOT DISTINCT FROM over elements.
func sameValue(t *types.T, a, b datum) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull()
	}
	return types.Equal(t, a, b)
}

func multiSearch() error {
	return pgerr.New(pgerr.FeatureNotSupported, "searching for elements in multidimensional arrays is not supported")
}

func arrayPosition(elem *types.T) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		if args[0].IsNull() {
			return types.Null, nil
		}
		a := args[0].Array()
		if len(a.Dims) > 1 {
			return types.Null, multiSearch()
		}
		if len(a.Dims) == 0 {
			return types.Null, nil
		}
		from := int64(a.LowerBound(0))
		if len(args) == 3 {
			if args[2].IsNull() {
				return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "initial position must not be null")
			}
			from = args[2].Int()
		}
		for i, v := range a.Vals {
			if at := int64(a.LowerBound(0)) + int64(i); at >= from && sameValue(elem, v, args[1]) {
				return types.Int(at), nil
			}
		}
		return types.Null, nil
	}
}

func arrayPositions(elem *types.T) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		if args[0].IsNull() {
			return types.Null, nil
		}
		a := args[0].Array()
		if len(a.Dims) > 1 {
			return types.Null, multiSearch()
		}
		var at []datum
		for i, v := range a.Vals {
			if sameValue(elem, v, args[1]) {
				at = append(at, types.Int(int64(a.LowerBound(0))+int64(i)))
			}
		}
		return types.NewArray(types.Int4T, at), nil
	}
}

func arrayRemove(elem *types.T) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		if args[0].IsNull() {
			return types.Null, nil
		}
		a := args[0].Array()
		if len(a.Dims) > 1 {
			return types.Null, pgerr.New(pgerr.FeatureNotSupported, "removing elements from multidimensional arrays is not supported")
		}
		var vals []datum
		for _, v := range a.Vals {
			if !sameValue(elem, v, args[1]) {
				vals = append(vals, v)
			}
		}
		if len(vals) == len(a.Vals) {
			return args[0], nil
		}
		out := &types.Array{Elem: a.Elem, Vals: vals}
		if len(vals) > 0 {
			out.Dims, out.Lower = []int32{int32(len(vals))}, a.Lower
		}
		return types.Ref(out), nil
	}
}

func arrayReplace(elem *types.T) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		if args[0].IsNull() {
			return types.Null, nil
		}
		out := *args[0].Array()
		vals := make([]datum, len(out.Vals))
		for i, v := range out.Vals {
			if vals[i] = v; sameValue(elem, v, args[1]) {
				vals[i] = args[2]
			}
		}
		out.Vals = vals
		return types.Ref(&out), nil
	}
}

func trimArray(_ *expr.Env, a, n datum) (datum, error) {
	arr := a.Array()
	length := int64(0)
	if len(arr.Dims) > 0 {
		length = int64(arr.Dims[0])
	}
	k := n.Int()
	if k < 0 || k > length {
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "number of elements to trim must be between 0 and %d", length)
	}
	if k == 0 {
		return a, nil
	}
	out := &types.Array{Elem: arr.Elem}
	if k < length {
		keep := len(arr.Vals) / int(length) * int(length-k)
		out.Vals, out.Dims = arr.Vals[:keep], append([]int32{int32(length - k)}, arr.Dims[1:]...)
	}
	return types.Ref(out), nil
}

// contains reports whether every element of b is in a. NULL is in nothing.
func contains(t *types.T, a, b *types.Array) bool {
	for _, v := range b.Vals {
		found := false
		for _, w := range a.Vals {
			if found = !v.IsNull() && !w.IsNull() && types.Equal(t, v, w); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func overlap(t *types.T, a, b *types.Array) bool {
	for _, v := range b.Vals {
		for _, w := range a.Vals {
			if !v.IsNull() && !w.IsNull() && types.Equal(t, v, w) {
				return true
			}
		}
	}
	return false
}

func arrayTest(f func(t *types.T, a, b *types.Array) bool) func(*expr.Call) (expr.EvalFunc, error) {
	return arrayMake(0, func(elem *types.T) expr.EvalFunc {
		return func(_ *expr.Env, args []datum) (datum, error) {
			return types.Bool(f(elem, args[0].Array(), args[1].Array())), nil
		}
	})
}

// arrayToString joins the elements' texts; NULL elements are left out unless there is a text for them.
func arrayToString(c *expr.Call) (expr.EvalFunc, error) {
	out := outputOf(elemType(c.Args[0]))
	return func(env *expr.Env, args []datum) (datum, error) {
		if args[0].IsNull() || args[1].IsNull() {
			return types.Null, nil
		}
		var b strings.Builder
		first := true
		for _, v := range args[0].Array().Vals {
			var s string
			switch {
			case !v.IsNull():
				s = out(env, v)
			case len(args) == 3 && !args[2].IsNull():
				s = args[2].Str()
			default:
				continue
			}
			if !first {
				b.WriteString(args[1].Str())
			}
			first = false
			b.WriteString(s)
		}
		return types.Str(b.String()), nil
	}, nil
}

// splitText is the parts of string_to_array: characters when the separator is NULL, the whole text when it is empty.
func splitText(args []datum) []datum {
	s := args[0].Str()
	if s == "" {
		return nil
	}
	var parts []string
	switch {
	case args[1].IsNull():
		parts = strings.Split(s, "")
	case args[1].Str() == "":
		parts = []string{s}
	default:
		parts = strings.Split(s, args[1].Str())
	}
	vals := make([]datum, len(parts))
	for i, p := range parts {
		vals[i] = types.Str(p)
		if len(args) == 3 && !args[2].IsNull() && p == args[2].Str() {
			vals[i] = types.Null
		}
	}
	return vals
}

func stringToArray(_ *expr.Env, args []datum) (datum, error) {
	if args[0].IsNull() {
		return types.Null, nil
	}
	return types.NewArray(types.TextT, splitText(args)), nil
}

func stringToTable(_ *expr.Env, args []datum, yield func(...datum) error) error {
	if args[0].IsNull() {
		return nil
	}
	for _, v := range splitText(args) {
		if err := yield(v); err != nil {
			return err
		}
	}
	return nil
}

func unnest(_ *expr.Env, args []datum, yield func(...datum) error) error {
	for _, v := range args[0].Array().Vals {
		if rec, ok := v.Ref().(*types.Record); ok {
			if err := yield(rec.Vals...); err != nil {
				return err
			}
			continue
		}
		if err := yield(v); err != nil {
			return err
		}
	}
	return nil
}

func expandArray(_ *expr.Env, args []datum, yield func(...datum) error) error {
	a := args[0].Array()
	for i, v := range a.Vals {
		if err := yield(v, types.Int(int64(i+1))); err != nil {
			return err
		}
	}
	return nil
}

func generateSubscripts(_ *expr.Env, args []datum, yield func(...datum) error) error {
	a, dim := args[0].Array(), args[1].Int()-1
	if dim < 0 || dim >= int64(len(a.Dims)) {
		return nil
	}
	lo, n := int64(a.LowerBound(int(dim))), int64(a.Dims[dim])
	for i := range n {
		at := lo + i
		if len(args) == 3 && args[2].Bool() {
			at = lo + n - 1 - i
		}
		if err := yield(types.Int(at)); err != nil {
			return err
		}
	}
	return nil
}

// widthBucketArray finds a value's place among sorted thresholds.
func widthBucketArray(c *expr.Call) (expr.EvalFunc, error) {
	t := elemType(c.Args[1])
	return func(_ *expr.Env, args []datum) (datum, error) {
		a := args[1].Array()
		if len(a.Dims) > 1 {
			return types.Null, arrayError("thresholds must be one-dimensional array")
		}
		for _, v := range a.Vals {
			if v.IsNull() {
				return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "thresholds array must not contain NULLs")
			}
		}
		lo, hi := 0, len(a.Vals)
		for lo < hi {
			mid := (lo + hi) / 2
			if types.Compare(t, args[0], a.Vals[mid]) < 0 {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		return types.Int(int64(lo)), nil
	}, nil
}

// arrayImpls are the functions and operators of arrays besides comparisons.
func arrayImpls() []expr.Impl {
	upper := func(a *types.Array, i int) int64 { return int64(a.LowerBound(i)) + int64(a.Dims[i]) - 1 }
	lower := func(a *types.Array, i int) int64 { return int64(a.LowerBound(i)) }
	length := func(a *types.Array, i int) int64 { return int64(a.Dims[i]) }
	return []expr.Impl{
		{OID: 378, Name: "array_append", Make: arrayMake(0, func(elem *types.T) expr.EvalFunc {
			return func(_ *expr.Env, args []datum) (datum, error) {
				return extended(arrayOf(args[0], elem), args[1], false)
			}
		})},
		{OID: 379, Name: "array_prepend", Make: arrayMake(1, func(elem *types.T) expr.EvalFunc {
			return func(_ *expr.Env, args []datum) (datum, error) { return extended(arrayOf(args[1], elem), args[0], true) }
		})},
		{OID: 383, Name: "array_cat", Make: arrayMake(0, arrayCat)},
		{OID: 747, Name: "array_dims", F1: arrayDims},
		{OID: 748, Name: "array_ndims", F1: func(_ *expr.Env, a datum) (datum, error) {
			if len(a.Array().Dims) == 0 {
				return types.Null, nil
			}
			return types.Int(int64(len(a.Array().Dims))), nil
		}},
		{OID: 2091, Name: "array_lower", F2: dimFn(lower)},
		{OID: 2092, Name: "array_upper", F2: dimFn(upper)},
		{OID: 2176, Name: "array_length", F2: dimFn(length)},
		{OID: 3179, Name: "cardinality", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Int(int64(len(a.Array().Vals))), nil }},
		{OID: 1193, Name: "array_fill", Make: arrayFill},
		{OID: 1286, Name: "array_fill", Make: arrayFill},
		{OID: 3277, Name: "array_position", Make: arrayMake(0, arrayPosition)},
		{OID: 3278, Name: "array_position", Make: arrayMake(0, arrayPosition)},
		{OID: 3279, Name: "array_positions", Make: arrayMake(0, arrayPositions)},
		{OID: 3167, Name: "array_remove", Make: arrayMake(0, arrayRemove)},
		{OID: 3168, Name: "array_replace", Make: arrayMake(0, arrayReplace)},
		{OID: 6172, Name: "trim_array", F2: trimArray},
		{OID: 2747, Name: "arrayoverlap", Make: arrayTest(overlap)},
		{OID: 2748, Name: "arraycontains", Make: arrayTest(contains)},
		{OID: 2749, Name: "arraycontained", Make: arrayTest(func(t *types.T, a, b *types.Array) bool { return contains(t, b, a) })},
		{OID: 384, Name: "array_to_string", Make: arrayToString},
		{OID: 395, Name: "array_to_string", Make: arrayToString},
		{OID: 394, Name: "string_to_array", Eval: stringToArray},
		{OID: 376, Name: "string_to_array", Eval: stringToArray},
		{OID: 6160, Name: "string_to_table", Set: stringToTable},
		{OID: 6161, Name: "string_to_table", Set: stringToTable},
		{OID: 2331, Name: "unnest", Set: unnest},
		{OID: 13208, Name: "_pg_expandarray", Set: expandArray},
		{OID: 1191, Name: "generate_subscripts", Set: generateSubscripts},
		{OID: 1192, Name: "generate_subscripts", Set: generateSubscripts},
		{OID: 3218, Name: "width_bucket", Make: widthBucketArray},
	}
}
