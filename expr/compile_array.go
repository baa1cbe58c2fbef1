package expr

import (
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// hashFrom is the length of a list from which x = ANY (list) is answered by a hash set.
const hashFrom = 9

// scalarArray compiles x op ANY|ALL (array). An empty array decides before a NULL x does: NULL = ANY ('{}') is false.
func (c *compiler) scalarArray(e *ScalarArray) (Eval, error) {
	left, array, err := c.two(e.Left, e.Array)
	if err != nil {
		return nil, err
	}
	elem := types.TextT
	if t := e.Array.Type().BaseType(); t.Elem != nil {
		elem = t.Elem
	}
	op, err := binary(e.Op, e.Left.Type(), elem)
	if err != nil {
		return nil, err
	}
	if a, ok := constArray(e.Array); ok {
		array = constant(a)
	}
	all := e.All
	set := newMembers(e, elem)
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		x, err := left(env, row)
		if err != nil {
			return types.Null, err
		}
		d, err := array(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		a := d.Array()
		if len(a.Vals) == 0 {
			return types.Bool(all), nil
		}
		if x.IsNull() {
			return types.Null, nil
		}
		if set != nil && len(a.Vals) >= hashFrom {
			return set.test(a, x), nil
		}
		null := false
		for _, v := range a.Vals {
			if v.IsNull() {
				null = true
				continue
			}
			r, err := op(env, x, v)
			if err != nil {
				return types.Null, err
			}
			if r.IsNull() {
				null = true
			} else if r.Bool() != all {
				return types.Bool(!all), nil
			}
		}
		if null {
			return types.Null, nil
		}
		return types.Bool(all), nil
	}, nil
}

// constArray returns the value of an array of literals.
func constArray(e Expr) (types.Datum, bool) {
	a, ok := e.(*Array)
	if !ok || a.Multi {
		return types.Null, false
	}
	vals := make([]types.Datum, len(a.Elems))
	for i, x := range a.Elems {
		k, ok := x.(*Const)
		if !ok {
			return types.Null, false
		}
		vals[i] = k.D
	}
	return types.NewArray(a.T.Elem, vals), true
}

// members answers x = ANY and x <> ALL by lookup. It is rebuilt when it meets another array, as a parameter's.
type members struct {
	array *types.Array
	null  bool
	ints  map[int64]struct{}
	strs  map[string]struct{}
	// found is what a match means: true for = ANY, false for <> ALL.
	found bool
}

// newMembers returns a set if equality of the element type is equality of its representation, else nil: bpchar ignores
// trailing blanks and float has -0.
func newMembers(e *ScalarArray, elem *types.T) *members {
	eq := e.Name == "=" && !e.All
	if !eq && (e.Name != "<>" || !e.All) || e.Op.User != nil || len(e.Op.Args) != 2 {
		return nil
	}
	m := &members{found: eq}
	a, b := e.Left.Type().BaseType(), elem.BaseType()
	switch {
	case intFamily(a) && intFamily(b), a == b && a.Rep == types.RepInt:
		m.ints = map[int64]struct{}{}
	case isPlainText(a) && isPlainText(b), a == b && (a == types.UUIDT || a == types.ByteaT || a.Kind == 'e'):
		m.strs = map[string]struct{}{}
	default:
		return nil
	}
	return m
}

func intFamily(t *types.T) bool { return t == types.Int2T || t == types.Int4T || t == types.Int8T }

func isPlainText(t *types.T) bool {
	return t == types.TextT || t == types.VarcharT || t == types.NameT || t == types.UnknownT
}

func (m *members) test(a *types.Array, x types.Datum) types.Datum {
	if m.array != a {
		m.load(a)
	}
	var ok bool
	if m.ints != nil {
		_, ok = m.ints[x.Int()]
	} else {
		_, ok = m.strs[x.Str()]
	}
	switch {
	case ok:
		return types.Bool(m.found)
	case m.null:
		return types.Null
	}
	return types.Bool(!m.found)
}

func (m *members) load(a *types.Array) {
	m.array, m.null = a, false
	clear(m.ints)
	clear(m.strs)
	for _, v := range a.Vals {
		switch {
		case v.IsNull():
			m.null = true
		case m.ints != nil:
			m.ints[v.Int()] = struct{}{}
		default:
			m.strs[v.Str()] = struct{}{}
		}
	}
}

func (c *compiler) array(e *Array) (Eval, error) {
	fs, err := c.list(e.Elems)
	if err != nil {
		return nil, err
	}
	elem, multi := e.T.BaseType().Elem, e.Multi
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		vals := make([]types.Datum, len(fs))
		for i, f := range fs {
			d, err := f(env, row)
			if err != nil {
				return types.Null, err
			}
			vals[i] = d
		}
		if !multi {
			return types.NewArray(elem, vals), nil
		}
		return Stack(elem, vals)
	}, nil
}

// Stack makes an array of one dimension more from arrays of equal dimensions. NULL and empty parts count as empty, and
// must then all be.
func Stack(elem *types.T, parts []types.Datum) (types.Datum, error) {
	out := &types.Array{Elem: elem}
	var first *types.Array
	empty := 0
	for _, p := range parts {
		if p.IsNull() || len(p.Array().Dims) == 0 {
			empty++
			continue
		}
		a := p.Array()
		if first == nil {
			first = a
			if len(a.Dims) >= maxDims {
				return types.Null, pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", len(a.Dims)+1, maxDims)
			}
		} else if !sameDims(first, a) {
			return types.Null, unevenArrays()
		}
		out.Vals = append(out.Vals, a.Vals...)
	}
	if first == nil {
		return types.Ref(out), nil
	}
	if empty > 0 {
		return types.Null, unevenArrays()
	}
	out.Dims = append([]int32{int32(len(parts))}, first.Dims...)
	if first.Lower != nil {
		out.Lower = append([]int32{1}, first.Lower...)
	}
	return types.Ref(out), nil
}

// maxDims is the number of dimensions that an array may have.
const maxDims = 6

func unevenArrays() error {
	return pgerr.New(pgerr.ArraySubscriptError, "multidimensional arrays must have array expressions with matching dimensions")
}

func sameDims(a, b *types.Array) bool {
	if len(a.Dims) != len(b.Dims) {
		return false
	}
	for i := range a.Dims {
		if a.Dims[i] != b.Dims[i] || a.LowerBound(i) != b.LowerBound(i) {
			return false
		}
	}
	return true
}

// bounds are one evaluated subscript.
type bounds struct {
	lower, upper       int64
	hasLower, hasUpper bool
}

func (c *compiler) subscript(e *Subscript) (Eval, error) {
	base := e.X.Type().BaseType()
	if base == types.JSONBT {
		return c.jsonSubscript(e)
	}
	if base == types.NameT {
		return c.nameSubscript(e)
	}
	if base.Rep != types.RepRef {
		return nil, pgerr.Unsupported("subscripts of type " + base.Name)
	}
	x, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	n := len(e.Indexes)
	lower, upper := make([]Eval, n), make([]Eval, n)
	slice := false
	for i, ix := range e.Indexes {
		slice = slice || ix.Slice
		if ix.Lower != nil {
			if lower[i], err = c.expr(ix.Lower); err != nil {
				return nil, err
			}
		}
		if ix.Upper != nil {
			if upper[i], err = c.expr(ix.Upper); err != nil {
				return nil, err
			}
		}
	}
	at := make([]bounds, n)
	indexes := e.Indexes
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := x(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		for i := range at {
			at[i] = bounds{lower: 1}
			if lower[i] != nil {
				v, err := lower[i](env, row)
				if err != nil || v.IsNull() {
					return types.Null, err
				}
				at[i].lower, at[i].hasLower = v.Int(), true
			}
			if upper[i] != nil {
				v, err := upper[i](env, row)
				if err != nil || v.IsNull() {
					return types.Null, err
				}
				at[i].upper, at[i].hasUpper = v.Int(), true
			}
			// In a[2][1:2] the plain subscript counts as 1:2.
			if slice && !indexes[i].Slice {
				at[i].hasLower = true
			}
		}
		if slice {
			return sliceOf(d.Array(), at), nil
		}
		return elementOf(d.Array(), at), nil
	}, nil
}

// elementOf returns an element, NULL outside of the bounds or with another number of subscripts than dimensions.
func elementOf(a *types.Array, at []bounds) types.Datum {
	if len(at) != len(a.Dims) {
		return types.Null
	}
	pos := 0
	for i, b := range at {
		k := b.upper - int64(a.LowerBound(i))
		if k < 0 || k >= int64(a.Dims[i]) {
			return types.Null
		}
		pos = pos*int(a.Dims[i]) + int(k)
	}
	return a.Vals[pos]
}

// sliceOf returns the part of an array within the bounds, with lower bounds 1; dimensions without a subscript are whole.
func sliceOf(a *types.Array, at []bounds) types.Datum {
	n := len(a.Dims)
	empty := types.Ref(&types.Array{Elem: a.Elem})
	if n == 0 || len(at) > n {
		return empty
	}
	from, dims := make([]int, n), make([]int32, n)
	for i := range dims {
		lo, hi := int64(a.LowerBound(i)), int64(a.LowerBound(i))+int64(a.Dims[i])-1
		first, last := lo, hi
		if i < len(at) {
			if at[i].hasLower && at[i].lower > first {
				first = at[i].lower
			}
			if at[i].hasUpper && at[i].upper < last {
				last = at[i].upper
			}
		}
		if first > last {
			return empty
		}
		from[i], dims[i] = int(first-lo), int32(last-first+1)
	}
	out := &types.Array{Elem: a.Elem, Dims: dims}
	var walk func(dim, pos int)
	walk = func(dim, pos int) {
		for k := range int(dims[dim]) {
			p := pos*int(a.Dims[dim]) + from[dim] + k
			if dim == n-1 {
				out.Vals = append(out.Vals, a.Vals[p])
			} else {
				walk(dim+1, p)
			}
		}
	}
	walk(0, 0)
	return types.Ref(out)
}

// nameSubscript compiles n[i]: a name is an array of 64 characters, counted from 0, and holds zeros after its end.
func (c *compiler) nameSubscript(e *Subscript) (Eval, error) {
	if len(e.Indexes) != 1 || e.Indexes[0].Slice {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "slices of fixed-length arrays not implemented")
	}
	x, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	at, err := c.expr(e.Indexes[0].Upper)
	if err != nil {
		return nil, err
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := x(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		i, err := at(env, row)
		if err != nil || i.IsNull() || i.Int() < 0 || i.Int() > 63 {
			return types.Null, err
		}
		name := d.Str()
		if i.Int() >= int64(len(name)) {
			return types.Str(""), nil
		}
		return types.Str(name[i.Int() : i.Int()+1]), nil
	}, nil
}

// jsonSubscript compiles j['a'][1]: a text key or an integer position, counted from the end when negative.
func (c *compiler) jsonSubscript(e *Subscript) (Eval, error) {
	x, err := c.expr(e.X)
	if err != nil {
		return nil, err
	}
	keys := make([]Eval, len(e.Indexes))
	isInt := make([]bool, len(e.Indexes))
	for i, ix := range e.Indexes {
		if ix.Slice {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "jsonb subscript does not support slices")
		}
		if keys[i], err = c.expr(ix.Upper); err != nil {
			return nil, err
		}
		isInt[i] = ix.Upper.Type().BaseType().Rep == types.RepInt
	}
	return func(env *Env, row []types.Datum) (types.Datum, error) {
		d, err := x(env, row)
		if err != nil || d.IsNull() {
			return types.Null, err
		}
		j := d.JSON()
		for i, f := range keys {
			k, err := f(env, row)
			if err != nil || k.IsNull() {
				return types.Null, err
			}
			if j = jsonStep(j, k, isInt[i]); j == nil {
				return types.Null, nil
			}
		}
		return types.Ref(j), nil
	}, nil
}

func jsonStep(j *types.JSON, k types.Datum, isInt bool) *types.JSON {
	switch j.Kind {
	case types.JSONObject:
		key := k.Str()
		if isInt {
			key = itoa(k.Int())
		}
		for i := range j.Fields {
			if j.Fields[i].Key == key {
				return j.Fields[i].Value
			}
		}
	case types.JSONArray:
		n, ok := k.Int(), true
		if !isInt {
			n, ok = atoi(k.Str())
		}
		if n < 0 {
			n += int64(len(j.Elems))
		}
		if ok && n >= 0 && n < int64(len(j.Elems)) {
			return j.Elems[n]
		}
	}
	return nil
}
