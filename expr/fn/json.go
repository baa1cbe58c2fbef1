package fn

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func jsonError(format string, args ...any) *pgerr.Error {
	return pgerr.New(pgerr.InvalidParameterValue, format, args...)
}

// jsonbDatum is a jsonb value, NULL for what was not found.
func jsonbDatum(j *types.JSON) datum {
	if j == nil {
		return types.Null
	}
	return types.Ref(j)
}

// jsonbText is a jsonb value as ->> gives it.
func jsonbText(j *types.JSON) datum {
	if j == nil {
		return types.Null
	}
	if s, ok := j.Text(); ok {
		return types.Str(s)
	}
	return types.Null
}

// jsonbGet makes an accessor of jsonb from how it finds a value and how it gives it.
func jsonbGet(find func(j *types.JSON, key datum) *types.JSON, give func(*types.JSON) datum) f2 {
	return func(_ *expr.Env, a, key datum) (datum, error) { return give(find(a.JSON(), key)), nil }
}

func jsonbField(j *types.JSON, key datum) *types.JSON { return j.Get(key.Str()) }

func jsonbElement(j *types.JSON, i datum) *types.JSON { return j.Index(int(i.Int())) }

// jsonPathTexts are the steps of a path; ok is false when one is NULL, which leads nowhere.
func jsonPathTexts(d datum) (path []string, ok bool) {
	vals := d.Array().Vals
	path = make([]string, len(vals))
	for i, v := range vals {
		if v.IsNull() {
			return nil, false
		}
		path[i] = v.Str()
	}
	return path, true
}

func jsonbPath(j *types.JSON, d datum) *types.JSON {
	path, ok := jsonPathTexts(d)
	if !ok {
		return nil
	}
	return j.Path(path)
}

// jsonbContains is @>. An array contains a scalar at the top, as an exception; inside it does not.
func jsonbContains(a, b *types.JSON) bool {
	if a.Kind == types.JSONArray && b.Kind < types.JSONArray {
		return slices.ContainsFunc(a.Elems, func(e *types.JSON) bool { return scalarEqual(e, b) })
	}
	return containsJSON(a, b)
}

func scalarEqual(a, b *types.JSON) bool { return a.Kind == b.Kind && types.CompareJSON(a, b) == 0 }

func containsJSON(a, b *types.JSON) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case types.JSONObject:
		for _, f := range b.Fields {
			if v := a.Get(f.Key); v == nil || !containsJSON(v, f.Value) {
				return false
			}
		}
		return true
	case types.JSONArray:
		for _, want := range b.Elems {
			if !slices.ContainsFunc(a.Elems, func(e *types.JSON) bool { return containsJSON(e, want) }) {
				return false
			}
		}
		return true
	}
	return types.CompareJSON(a, b) == 0
}

// jsonbExists is ?: a key of an object, a string element of an array, or the string itself.
func jsonbExists(j *types.JSON, key string) bool {
	switch j.Kind {
	case types.JSONObject:
		return j.Get(key) != nil
	case types.JSONArray:
		return slices.ContainsFunc(j.Elems, func(e *types.JSON) bool { return e.Kind == types.JSONString && e.Str == key })
	}
	return j.Kind == types.JSONString && j.Str == key
}

// jsonbExistsSet is ?| and ?&: NULL keys are not looked at.
func jsonbExistsSet(all bool) f2 {
	return func(_ *expr.Env, a, keys datum) (datum, error) {
		j := a.JSON()
		for _, k := range keys.Array().Vals {
			if !k.IsNull() && jsonbExists(j, k.Str()) != all {
				return types.Bool(!all), nil
			}
		}
		return types.Bool(all), nil
	}
}

func jsonKindName(k types.JSONKind) string {
	switch k {
	case types.JSONNull:
		return "null"
	case types.JSONString:
		return "string"
	case types.JSONNumber:
		return "number"
	case types.JSONBool:
		return "boolean"
	case types.JSONArray:
		return "array"
	}
	return "object"
}

func jsonbArrayLength(_ *expr.Env, a datum) (datum, error) {
	switch j := a.JSON(); j.Kind {
	case types.JSONArray:
		return types.Int(int64(len(j.Elems))), nil
	case types.JSONObject:
		return types.Null, jsonError("cannot get array length of a non-array")
	}
	return types.Null, jsonError("cannot get array length of a scalar")
}

func jsonbPretty(_ *expr.Env, a datum) (datum, error) {
	return types.Bytes(appendPretty(nil, a.JSON(), 0)), nil
}

func appendPretty(dst []byte, j *types.JSON, depth int) []byte {
	line := func(d int) { dst = append(append(dst, '\n'), strings.Repeat("    ", d)...) }
	switch j.Kind {
	case types.JSONArray:
		dst = append(dst, '[')
		for i, e := range j.Elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			line(depth + 1)
			dst = appendPretty(dst, e, depth+1)
		}
		line(depth)
		return append(dst, ']')
	case types.JSONObject:
		dst = append(dst, '{')
		for i, f := range j.Fields {
			if i > 0 {
				dst = append(dst, ',')
			}
			line(depth + 1)
			dst = append(types.AppendJSONString(dst, f.Key), ": "...)
			dst = appendPretty(dst, f.Value, depth+1)
		}
		line(depth)
		return append(dst, '}')
	}
	return types.AppendJSON(dst, j)
}

// jsonbCast is a cast of a jsonb scalar to a number type or boolean through the cast from numeric.
func jsonbCast(to *types.T, fromNumber f1) f1 {
	return func(env *expr.Env, a datum) (datum, error) {
		switch j := a.JSON(); {
		case to == types.BoolT && j.Kind == types.JSONBool:
			return types.Bool(j.Bool), nil
		case to != types.BoolT && j.Kind == types.JSONNumber:
			return fromNumber(env, types.Num(j.Num))
		default:
			what := jsonKindName(j.Kind)
			if j.Kind == types.JSONNumber {
				what = "numeric"
			}
			return types.Null, jsonError("cannot cast jsonb %s to type %s", what, types.FormatType(to, -1))
		}
	}
}

// jsonbImpls are the operators and functions of jsonb that are no sets and build nothing.
func jsonbImpls() []expr.Impl {
	i2, i4, i8 := int2w(), int4w(), int8w()
	contains := func(_ *expr.Env, a, b datum) (datum, error) {
		return types.Bool(jsonbContains(a.JSON(), b.JSON())), nil
	}
	contained := func(_ *expr.Env, a, b datum) (datum, error) {
		return types.Bool(jsonbContains(b.JSON(), a.JSON())), nil
	}
	return []expr.Impl{
		{OID: 3478, Name: "jsonb_object_field", F2: jsonbGet(jsonbField, jsonbDatum)},
		{OID: 3214, Name: "jsonb_object_field_text", F2: jsonbGet(jsonbField, jsonbText)},
		{OID: 3215, Name: "jsonb_array_element", F2: jsonbGet(jsonbElement, jsonbDatum)},
		{OID: 3216, Name: "jsonb_array_element_text", F2: jsonbGet(jsonbElement, jsonbText)},
		{OID: 3217, Name: "jsonb_extract_path", F2: jsonbGet(jsonbPath, jsonbDatum)},
		{OID: 3940, Name: "jsonb_extract_path_text", F2: jsonbGet(jsonbPath, jsonbText)},
		{OID: 4046, Name: "jsonb_contains", F2: contains},
		{OID: 4050, Name: "jsonb_contained", F2: contained},
		{OID: 4047, Name: "jsonb_exists", F2: func(_ *expr.Env, a, k datum) (datum, error) {
			return types.Bool(jsonbExists(a.JSON(), k.Str())), nil
		}},
		{OID: 4048, Name: "jsonb_exists_any", F2: jsonbExistsSet(false)},
		{OID: 4049, Name: "jsonb_exists_all", F2: jsonbExistsSet(true)},
		{OID: 3210, Name: "jsonb_typeof", F1: func(_ *expr.Env, a datum) (datum, error) {
			return types.Str(jsonKindName(a.JSON().Kind)), nil
		}},
		{OID: 3207, Name: "jsonb_array_length", F1: jsonbArrayLength},
		{OID: 3306, Name: "jsonb_pretty", F1: jsonbPretty},
		{OID: 3556, Name: "bool", F1: jsonbCast(types.BoolT, nil)},
		{OID: 3449, Name: "numeric", F1: jsonbCast(types.NumericT, identity)},
		{OID: 3450, Name: "int2", F1: jsonbCast(types.Int2T, i2.fromNumeric())},
		{OID: 3451, Name: "int4", F1: jsonbCast(types.Int4T, i4.fromNumeric())},
		{OID: 3452, Name: "int8", F1: jsonbCast(types.Int8T, i8.fromNumeric())},
		{OID: 3453, Name: "float4", F1: jsonbCast(types.Float4T, numericToFloat(32, types.Float4T))},
		{OID: 2580, Name: "float8", F1: jsonbCast(types.Float8T, numericToFloat(64, types.Float8T))},
	}
}

// jsonIndex reads a path step as an array index.
func jsonIndex(s string) (int, bool) {
	t := strings.TrimLeft(s, " \t\n\v\f\r")
	n, err := strconv.ParseInt(t, 10, 32)
	return int(n), err == nil
}
