package fn

import (
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func hstoreOf(d datum) *types.HStore { return d.Ref().(*types.HStore) }

func hstore(pairs []types.HStorePair) datum { return types.Ref(types.NewHStore(pairs)) }

func pairValue(p types.HStorePair) datum {
	if p.Null {
		return types.Null
	}
	return types.Str(p.Value)
}

func pairOf(key string, value datum) types.HStorePair {
	if value.IsNull() {
		return types.HStorePair{Key: key, Null: true}
	}
	return types.HStorePair{Key: key, Value: value.Str()}
}

// hstorePairs lists keys and values in turn.
func hstorePairs(h *types.HStore) []datum {
	vals := make([]datum, 0, 2*len(h.Pairs))
	for _, p := range h.Pairs {
		vals = append(vals, types.Str(p.Key), pairValue(p))
	}
	return vals
}

// keepPairs returns the pairs for which keep is true.
func keepPairs(h *types.HStore, keep func(types.HStorePair) bool) datum {
	out := make([]types.HStorePair, 0, len(h.Pairs))
	for _, p := range h.Pairs {
		if keep(p) {
			out = append(out, p)
		}
	}
	return types.Ref(&types.HStore{Pairs: out})
}

func nullKey() error {
	return pgerr.New(pgerr.NullValueNotAllowed, "null value not allowed for hstore key")
}

// hstoreOfArray is hstore(text[]): keys and values in turn, or rows of two.
func hstoreOfArray(_ *expr.Env, a datum) (datum, error) {
	arr := a.Array()
	wrong := pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	switch {
	case len(arr.Dims) == 0:
		return hstore(nil), nil
	case len(arr.Dims) == 1 && arr.Dims[0]%2 != 0:
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "array must have even number of elements")
	case len(arr.Dims) == 2 && arr.Dims[1] != 2:
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "array must have two columns")
	case len(arr.Dims) > 2:
		return types.Null, wrong
	}
	pairs := make([]types.HStorePair, 0, len(arr.Vals)/2)
	for i := 0; i < len(arr.Vals); i += 2 {
		if arr.Vals[i].IsNull() {
			return types.Null, nullKey()
		}
		pairs = append(pairs, pairOf(arr.Vals[i].Str(), arr.Vals[i+1]))
	}
	return hstore(pairs), nil
}

// hstoreOfArrays is hstore(text[], text[]); a NULL array of values means that all are NULL.
func hstoreOfArrays(_ *expr.Env, args []datum) (datum, error) {
	if args[0].IsNull() {
		return types.Null, nil
	}
	keys := args[0].Array()
	if len(keys.Dims) > 1 {
		return types.Null, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	}
	var vals []datum
	if !args[1].IsNull() {
		if vals = args[1].Array().Vals; len(vals) != len(keys.Vals) {
			return types.Null, pgerr.New(pgerr.ArraySubscriptError, "arrays must have same bounds")
		}
	}
	pairs := make([]types.HStorePair, len(keys.Vals))
	for i, k := range keys.Vals {
		if k.IsNull() {
			return types.Null, nullKey()
		}
		v := types.Null
		if vals != nil {
			v = vals[i]
		}
		pairs[i] = pairOf(k.Str(), v)
	}
	return hstore(pairs), nil
}

// hstoreOfRecord is hstore(record): a NULL of a row type gives its columns with NULLs.
func hstoreOfRecord(c *expr.Call) (expr.EvalFunc, error) {
	t := c.Args[0].Type()
	return func(env *expr.Env, args []datum) (datum, error) {
		var pairs []types.HStorePair
		if args[0].IsNull() {
			for _, f := range t.BaseType().Fields {
				if !f.Dropped {
					pairs = append(pairs, types.HStorePair{Key: f.Name, Null: true})
				}
			}
			return hstore(pairs), nil
		}
		r := args[0].Record()
		names := recordNames(t, r)
		for i, v := range r.Vals {
			p := types.HStorePair{Key: names[i], Null: v.IsNull()}
			if !p.Null {
				p.Value = string(types.Output(env.IO, r.Types[i], nil, v))
			}
			pairs = append(pairs, p)
		}
		return hstore(pairs), nil
	}, nil
}

// recordNames are the field names of a row of type t, f1, f2 ... where it has none.
func recordNames(t *types.T, r *types.Record) []string {
	var names []string
	for _, f := range t.BaseType().Fields {
		if !f.Dropped {
			names = append(names, f.Name)
		}
	}
	for len(names) < len(r.Vals) {
		names = append(names, "f"+strconv.Itoa(len(names)+1))
	}
	return names
}

// populateHStore is populate_record(anyelement, hstore): columns that the hstore names get its values.
func populateHStore(c *expr.Call) (expr.EvalFunc, error) {
	t := c.Args[0].Type().BaseType()
	return func(env *expr.Env, args []datum) (datum, error) {
		if len(t.Fields) == 0 {
			return types.Null, pgerr.New(pgerr.DatatypeMismatch, "first argument must be a rowtype")
		}
		if args[1].IsNull() {
			return args[0], nil
		}
		h := hstoreOf(args[1])
		r := &types.Record{}
		at := 0
		for _, f := range t.Fields {
			if f.Dropped {
				continue
			}
			v := types.Null
			if !args[0].IsNull() {
				v = args[0].Record().Vals[at]
			}
			at++
			if p, ok := h.Get(f.Name); ok {
				v = types.Null
				if !p.Null {
					var err error
					if v, err = types.Input(env.IO, f.Type, f.Typmod, p.Value); err != nil {
						return types.Null, err
					}
				}
			}
			r.Types, r.Vals = append(r.Types, f.Type), append(r.Vals, v)
		}
		return types.Ref(r), nil
	}, nil
}

// hstoreJSON prints an object; loose leaves numbers and booleans bare.
func hstoreJSON(h *types.HStore, loose bool) string {
	b := []byte{'{'}
	for i, p := range h.Pairs {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(types.AppendJSONString(b, p.Key), ": "...)
		switch {
		case p.Null:
			b = append(b, "null"...)
		case loose && p.Value == "t":
			b = append(b, "true"...)
		case loose && p.Value == "f":
			b = append(b, "false"...)
		case loose && jsonNumber(p.Value):
			b = append(b, p.Value...)
		default:
			b = types.AppendJSONString(b, p.Value)
		}
	}
	return string(append(b, '}'))
}

// jsonNumber reports whether a text is a number as JSON writes it.
func jsonNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	return s != "" && s[0] >= '0' && s[0] <= '9' && types.CheckJSON(s) == nil
}

// hstoreImpls are the functions of extension hstore.
func hstoreImpls() []expr.Impl {
	has := func(f func(h *types.HStore, key string) bool) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(f(hstoreOf(a), b.Str())), nil }
	}
	exists := has(func(h *types.HStore, k string) bool { _, ok := h.Get(k); return ok })
	defined := has(func(h *types.HStore, k string) bool { p, ok := h.Get(k); return ok && !p.Null })
	keysIn := func(all bool) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) {
			for _, k := range texts(b) {
				if _, ok := hstoreOf(a).Get(k); ok != all {
					return types.Bool(!all), nil
				}
			}
			return types.Bool(all), nil
		}
	}
	contains := func(outer, inner *types.HStore) bool {
		for _, p := range inner.Pairs {
			if q, ok := outer.Get(p.Key); !ok || q != p {
				return false
			}
		}
		return true
	}
	list := func(each func(types.HStorePair) datum) f1 {
		return func(_ *expr.Env, a datum) (datum, error) {
			h := hstoreOf(a)
			vals := make([]datum, len(h.Pairs))
			for i, p := range h.Pairs {
				vals[i] = each(p)
			}
			return types.NewArray(types.TextT, vals), nil
		}
	}
	set := func(row func(types.HStorePair) []datum) expr.SetFunc {
		return func(_ *expr.Env, args []datum, yield func(...datum) error) error {
			for _, p := range hstoreOf(args[0]).Pairs {
				if err := yield(row(p)...); err != nil {
					return err
				}
			}
			return nil
		}
	}
	key := func(p types.HStorePair) datum { return types.Str(p.Key) }
	asJSON := func(loose, binary bool) f1 {
		return func(_ *expr.Env, a datum) (datum, error) {
			s := hstoreJSON(hstoreOf(a), loose)
			if !binary {
				return types.Str(s), nil
			}
			j, err := types.ParseJSON(s)
			return types.Ref(j), err
		}
	}
	drop := func(gone func(h *types.HStore, b datum) func(types.HStorePair) bool) f2 {
		return func(_ *expr.Env, a, b datum) (datum, error) {
			f := gone(hstoreOf(a), b)
			return keepPairs(hstoreOf(a), func(p types.HStorePair) bool { return !f(p) }), nil
		}
	}
	pair := func(_ *expr.Env, args []datum) (datum, error) {
		if args[0].IsNull() {
			return types.Null, nil
		}
		return hstore([]types.HStorePair{pairOf(args[0].Str(), args[1])}), nil
	}
	matrix := func(_ *expr.Env, a datum) (datum, error) {
		h := hstoreOf(a)
		if len(h.Pairs) == 0 {
			return types.NewArray(types.TextT, nil), nil
		}
		return types.Ref(&types.Array{Elem: types.TextT, Dims: []int32{int32(len(h.Pairs)), 2}, Vals: hstorePairs(h)}), nil
	}
	return append(orderings("hstore_", [7]uint32{2000005034, 2000005035, 2000005036, 2000005037, 2000005041, 2000005042, 2000005043}),
		expr.Impl{OID: 2000005003, Name: "akeys", F1: list(key)}, expr.Impl{OID: 2000005004, Name: "avals", F1: list(pairValue)},
		expr.Impl{OID: 2000005005, Name: "defined", F2: defined}, expr.Impl{OID: 2000005055, Name: "isdefined", F2: defined},
		expr.Impl{OID: 2000005010, Name: "exist", F2: exists}, expr.Impl{OID: 2000005056, Name: "isexists", F2: exists},
		expr.Impl{OID: 2000005006, Name: "delete", F2: drop(func(_ *types.HStore, b datum) func(types.HStorePair) bool {
			return func(p types.HStorePair) bool { q, ok := hstoreOf(b).Get(p.Key); return ok && p == q }
		})},
		expr.Impl{OID: 2000005007, Name: "delete", F2: drop(func(_ *types.HStore, b datum) func(types.HStorePair) bool {
			return func(p types.HStorePair) bool { return p.Key == b.Str() }
		})},
		expr.Impl{OID: 2000005008, Name: "delete", F2: drop(func(_ *types.HStore, b datum) func(types.HStorePair) bool {
			gone := map[string]bool{}
			for _, k := range texts(b) {
				gone[k] = true
			}
			return func(p types.HStorePair) bool { return gone[p.Key] }
		})},
		expr.Impl{OID: 2000005009, Name: "each", Set: set(func(p types.HStorePair) []datum { return []datum{types.Str(p.Key), pairValue(p)} })},
		expr.Impl{OID: 2000005011, Name: "exists_all", F2: keysIn(true)}, expr.Impl{OID: 2000005012, Name: "exists_any", F2: keysIn(false)},
		expr.Impl{OID: 2000005013, Name: "fetchval", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			p, ok := hstoreOf(a).Get(b.Str())
			if !ok {
				return types.Null, nil
			}
			return pairValue(p), nil
		}},
		expr.Impl{OID: 2000005027, Name: "hs_concat", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			return hstore(append(append([]types.HStorePair{}, hstoreOf(b).Pairs...), hstoreOf(a).Pairs...)), nil
		}},
		expr.Impl{OID: 2000005028, Name: "hs_contained", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			return types.Bool(contains(hstoreOf(b), hstoreOf(a))), nil
		}},
		expr.Impl{OID: 2000005029, Name: "hs_contains", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			return types.Bool(contains(hstoreOf(a), hstoreOf(b))), nil
		}},
		expr.Impl{OID: 2000005030, Name: "hstore", Make: hstoreOfRecord},
		expr.Impl{OID: 2000005031, Name: "hstore", Eval: pair}, expr.Impl{OID: 2000005062, Name: "tconvert", Eval: pair},
		expr.Impl{OID: 2000005032, Name: "hstore", F1: hstoreOfArray}, expr.Impl{OID: 2000005033, Name: "hstore", Eval: hstoreOfArrays},
		expr.Impl{OID: 2000005048, Name: "hstore_to_array", F1: func(_ *expr.Env, a datum) (datum, error) {
			return types.NewArray(types.TextT, hstorePairs(hstoreOf(a))), nil
		}},
		expr.Impl{OID: 2000005053, Name: "hstore_to_matrix", F1: matrix},
		expr.Impl{OID: 2000005049, Name: "hstore_to_json", F1: asJSON(false, false)},
		expr.Impl{OID: 2000005050, Name: "hstore_to_json_loose", F1: asJSON(true, false)},
		expr.Impl{OID: 2000005051, Name: "hstore_to_jsonb", F1: asJSON(false, true)},
		expr.Impl{OID: 2000005052, Name: "hstore_to_jsonb_loose", F1: asJSON(true, true)},
		expr.Impl{OID: 2000005054, Name: "hstore_version_diag", F1: func(*expr.Env, datum) (datum, error) { return types.Int(2), nil }},
		expr.Impl{OID: 2000005057, Name: "populate_record", Make: populateHStore},
		expr.Impl{OID: 2000005058, Name: "skeys", Set: set(func(p types.HStorePair) []datum { return []datum{types.Str(p.Key)} })},
		expr.Impl{OID: 2000005061, Name: "svals", Set: set(func(p types.HStorePair) []datum { return []datum{pairValue(p)} })},
		expr.Impl{OID: 2000005059, Name: "slice", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			var pairs []types.HStorePair
			for _, k := range texts(b) {
				if p, ok := hstoreOf(a).Get(k); ok {
					pairs = append(pairs, p)
				}
			}
			return hstore(pairs), nil
		}},
		expr.Impl{OID: 2000005060, Name: "slice_array", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			keys := b.Array().Vals
			vals := make([]datum, len(keys))
			for i, k := range keys {
				vals[i] = types.Null
				if p, ok := hstoreOf(a).Get(k.Str()); ok && !k.IsNull() {
					vals[i] = pairValue(p)
				}
			}
			return types.NewArray(types.TextT, vals), nil
		}},
	)
}
