package fn

import (
	"strconv"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// variadicAny gives the values of a call with VARIADIC "any" and their types: the arguments, or the elements of an array
// given as VARIADIC. ok is false when that array is NULL.
func variadicAny(c *expr.Call) func(args []datum) (vals []datum, typ func(i int) *types.T, ok bool) {
	ts := make([]*types.T, len(c.Args))
	for i, a := range c.Args {
		ts[i] = a.Type()
	}
	return func(args []datum) ([]datum, func(int) *types.T, bool) {
		if !c.Variadic {
			return args, func(i int) *types.T { return ts[i] }, true
		}
		if args[0].IsNull() {
			return nil, nil, false
		}
		elem := ts[0].BaseType().Elem
		return args[0].Array().Vals, func(int) *types.T { return elem }, true
	}
}

// buildKey is the text of a key of json_build_object and jsonb_build_object.
func buildKey(io *types.IO, t *types.T, d datum, arg int, jsonb bool) (string, error) {
	switch {
	case d.IsNull() && jsonb:
		return "", jsonError("argument %d: key must not be null", arg+1)
	case d.IsNull():
		return "", jsonError("argument %d cannot be null", arg+1).WithHint("Object keys should be text.")
	}
	return jsonKey(io, t, d)
}

// buildArray is json_build_array and jsonb_build_array.
func buildArray(jsonb bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		values := variadicAny(c)
		return func(env *expr.Env, args []datum) (datum, error) {
			vals, typ, ok := values(args)
			if !ok {
				return types.Null, nil
			}
			if jsonb {
				elems := make([]*types.JSON, len(vals))
				for i, v := range vals {
					var err error
					if elems[i], err = valueJSONB(env.IO, typ(i), v); err != nil {
						return types.Null, err
					}
				}
				return types.Ref(types.NewJSONArray(elems)), nil
			}
			dst := []byte{'['}
			for i, v := range vals {
				if i > 0 {
					dst = append(dst, ", "...)
				}
				var err error
				if dst, err = appendValueJSON(env.IO, dst, typ(i), v); err != nil {
					return types.Null, err
				}
			}
			return types.Bytes(append(dst, ']')), nil
		}, nil
	}
}

// buildObject is json_build_object and jsonb_build_object.
func buildObject(jsonb bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		values := variadicAny(c)
		return func(env *expr.Env, args []datum) (datum, error) {
			vals, typ, ok := values(args)
			if !ok {
				return types.Null, nil
			}
			if len(vals)%2 != 0 {
				return types.Null, jsonError("argument list must have even number of elements").
					WithHint("The arguments of %s() must consist of alternating keys and values.", c.Fn.Name)
			}
			var fields []types.JSONField
			dst := []byte{'{'}
			for i := 0; i < len(vals); i += 2 {
				key, err := buildKey(env.IO, typ(i), vals[i], i, jsonb)
				if err != nil {
					return types.Null, err
				}
				if jsonb {
					v, err := valueJSONB(env.IO, typ(i+1), vals[i+1])
					if err != nil {
						return types.Null, err
					}
					fields = append(fields, types.JSONField{Key: key, Value: v})
					continue
				}
				if i > 0 {
					dst = append(dst, ", "...)
				}
				dst = append(types.AppendJSONString(dst, key), " : "...)
				if dst, err = appendValueJSON(env.IO, dst, typ(i+1), vals[i+1]); err != nil {
					return types.Null, err
				}
			}
			if jsonb {
				return types.Ref(types.NewJSONObject(fields)), nil
			}
			return types.Bytes(append(dst, '}')), nil
		}, nil
	}
}

// toJSON is to_json, to_jsonb, row_to_json and array_to_json; the optional second argument asks for line feeds.
func toJSON(jsonb bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		t := c.Args[0].Type()
		return func(env *expr.Env, args []datum) (datum, error) {
			if jsonb {
				j, err := valueJSONB(env.IO, t, args[0])
				if err != nil {
					return types.Null, err
				}
				return types.Ref(j), nil
			}
			var b []byte
			var err error
			if len(args) == 2 && args[1].Bool() {
				b, err = appendPrettyJSON(env.IO, t.BaseType(), args[0])
			} else {
				b, err = appendValueJSON(env.IO, nil, t, args[0])
			}
			return types.Bytes(b), err
		}, nil
	}
}

// appendPrettyJSON writes an array or row with a line feed between its members, but not inside them.
func appendPrettyJSON(io *types.IO, t *types.T, d datum) ([]byte, error) {
	if !t.IsArray() {
		r := d.Record()
		dst := []byte{'{'}
		for i, v := range r.Vals {
			if i > 0 {
				dst = append(dst, ",\n "...)
			}
			dst = append(types.AppendJSONString(dst, fieldName(t, r, i)), ':')
			var err error
			if dst, err = appendValueJSON(io, dst, r.Types[i], v); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	a := d.Array()
	if len(a.Dims) == 0 {
		return []byte("[]"), nil
	}
	dst := []byte{'['}
	n := len(a.Vals) / int(a.Dims[0])
	for i := range int(a.Dims[0]) {
		if i > 0 {
			dst = append(dst, ",\n "...)
		}
		var err error
		if len(a.Dims) == 1 {
			dst, err = appendValueJSON(io, dst, t.Elem, a.Vals[i])
		} else {
			part := &types.Array{Elem: a.Elem, Dims: a.Dims[1:], Vals: a.Vals[i*n : (i+1)*n]}
			dst, _, err = appendArrayJSON(io, dst, t.Elem, part, 0, 0)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// objectPairs gives the keys and values of json_object's arrays: pairs in one list, rows of two, or two lists.
func objectPairs(args []datum) (keys, vals []datum, err error) {
	wrong := func(format string) ([]datum, []datum, error) {
		return nil, nil, pgerr.New(pgerr.ArraySubscriptError, "%s", format)
	}
	a := args[0].Array()
	if len(args) == 2 {
		b := args[1].Array()
		if len(a.Dims) > 1 || len(a.Dims) != len(b.Dims) {
			return wrong("wrong number of array subscripts")
		}
		if len(a.Vals) != len(b.Vals) {
			return wrong("mismatched array dimensions")
		}
		return a.Vals, b.Vals, nil
	}
	switch len(a.Dims) {
	case 0:
	case 1:
		if len(a.Vals)%2 != 0 {
			return wrong("array must have even number of elements")
		}
	case 2:
		if a.Dims[1] != 2 {
			return wrong("array must have two columns")
		}
	default:
		return wrong("wrong number of array subscripts")
	}
	for i := 0; i < len(a.Vals); i += 2 {
		keys, vals = append(keys, a.Vals[i]), append(vals, a.Vals[i+1])
	}
	return keys, vals, nil
}

// objectOf is json_object and jsonb_object.
func objectOf(jsonb bool) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		keys, vals, err := objectPairs(args)
		if err != nil {
			return types.Null, err
		}
		var fields []types.JSONField
		dst := []byte{'{'}
		for i, k := range keys {
			if k.IsNull() {
				return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "null value not allowed for object key")
			}
			v := types.NewJSONNull()
			if !vals[i].IsNull() {
				v = types.NewJSONString(vals[i].Str())
			}
			fields = append(fields, types.JSONField{Key: k.Str(), Value: v})
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = types.AppendJSON(append(types.AppendJSONString(dst, k.Str()), " : "...), v)
		}
		if jsonb {
			return types.Ref(types.NewJSONObject(fields)), nil
		}
		return types.Bytes(append(dst, '}')), nil
	}
}

// jsonBuildImpls are the functions that make JSON of other values.
func jsonBuildImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 3176, Name: "to_json", Make: toJSON(false)},
		{OID: 3787, Name: "to_jsonb", Make: toJSON(true)},
		{OID: 3155, Name: "row_to_json", Make: toJSON(false)},
		{OID: 3156, Name: "row_to_json", Make: toJSON(false)},
		{OID: 3153, Name: "array_to_json", Make: toJSON(false)},
		{OID: 3154, Name: "array_to_json", Make: toJSON(false)},
		{OID: 3198, Name: "json_build_array", Make: buildArray(false)},
		{OID: 3199, Name: "json_build_array", Make: buildArray(false)},
		{OID: 3200, Name: "json_build_object", Make: buildObject(false)},
		{OID: 3201, Name: "json_build_object", Make: buildObject(false)},
		{OID: 3271, Name: "jsonb_build_array", Make: buildArray(true)},
		{OID: 3272, Name: "jsonb_build_array", Make: buildArray(true)},
		{OID: 3273, Name: "jsonb_build_object", Make: buildObject(true)},
		{OID: 3274, Name: "jsonb_build_object", Make: buildObject(true)},
		{OID: 3202, Name: "json_object", Eval: objectOf(false)},
		{OID: 3203, Name: "json_object", Eval: objectOf(false)},
		{OID: 3263, Name: "jsonb_object", Eval: objectOf(true)},
		{OID: 3264, Name: "jsonb_object", Eval: objectOf(true)},
	}
}

// stepText names a step of a path in an error, counted from 1.
func stepText(i int) string { return strconv.Itoa(i + 1) }
