package fn

import (
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// rawDatum is a node of a json text as -> gives it: its spelling; NULL for what was not found.
func rawDatum(r *types.RawJSON) datum {
	if r == nil {
		return types.Null
	}
	return types.Str(r.Raw)
}

// rawText is a node of a json text as ->> gives it.
func rawText(r *types.RawJSON) datum {
	switch {
	case r == nil || r.Kind == types.JSONNull:
		return types.Null
	case r.Kind == types.JSONString:
		return types.Str(r.Str)
	}
	return types.Str(r.Raw)
}

// rawField is the member with that key; of several the last one.
func rawField(r *types.RawJSON, key string) *types.RawJSON {
	if r.Kind != types.JSONObject {
		return nil
	}
	for i := len(r.Keys) - 1; i >= 0; i-- {
		if r.Keys[i] == key {
			return r.Elems[i]
		}
	}
	return nil
}

func rawElement(r *types.RawJSON, i int) *types.RawJSON {
	if r.Kind != types.JSONArray {
		return nil
	}
	if i < 0 {
		i += len(r.Elems)
	}
	if i < 0 || i >= len(r.Elems) {
		return nil
	}
	return r.Elems[i]
}

func rawPath(r *types.RawJSON, d datum) *types.RawJSON {
	path, ok := jsonPathTexts(d)
	if !ok {
		return nil
	}
	for _, p := range path {
		if r == nil {
			return nil
		}
		switch r.Kind {
		case types.JSONObject:
			r = rawField(r, p)
		case types.JSONArray:
			i, ok := jsonIndex(p)
			if !ok {
				return nil
			}
			r = rawElement(r, i)
		default:
			return nil
		}
	}
	return r
}

// rawGet makes an accessor of json from how it finds a value and how it gives it.
func rawGet(find func(r *types.RawJSON, key datum) *types.RawJSON, give func(*types.RawJSON) datum) f2 {
	return func(_ *expr.Env, a, key datum) (datum, error) {
		r, err := types.ParseRawJSON(a.Str())
		if err != nil {
			return types.Null, err
		}
		return give(find(r, key)), nil
	}
}

func jsonTypeof(_ *expr.Env, a datum) (datum, error) {
	r, err := types.ParseRawJSON(a.Str())
	if err != nil {
		return types.Null, err
	}
	return types.Str(jsonKindName(r.Kind)), nil
}

func jsonArrayLength(_ *expr.Env, a datum) (datum, error) {
	r, err := types.ParseRawJSON(a.Str())
	switch {
	case err != nil:
		return types.Null, err
	case r.Kind == types.JSONArray:
		return types.Int(int64(len(r.Elems))), nil
	case r.Kind == types.JSONObject:
		return types.Null, jsonError("cannot get array length of a non-array")
	}
	return types.Null, jsonError("cannot get array length of a scalar")
}

func jsonStripNulls(_ *expr.Env, a datum) (datum, error) {
	r, err := types.ParseRawJSON(a.Str())
	if err != nil {
		return types.Null, err
	}
	return types.Bytes(appendStripped(nil, r)), nil
}

func appendStripped(dst []byte, r *types.RawJSON) []byte {
	switch r.Kind {
	case types.JSONArray:
		dst = append(dst, '[')
		for i, e := range r.Elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendStripped(dst, e)
		}
		return append(dst, ']')
	case types.JSONObject:
		dst = append(dst, '{')
		first := true
		for i, e := range r.Elems {
			if e.Kind == types.JSONNull {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = appendStripped(append(types.AppendJSONString(dst, r.Keys[i]), ':'), e)
		}
		return append(dst, '}')
	case types.JSONString:
		return types.AppendJSONString(dst, r.Str)
	}
	return append(dst, r.Raw...)
}

// jsonImpls are the operators and functions of json that are no sets and build nothing.
func jsonImpls() []expr.Impl {
	field := func(r *types.RawJSON, key datum) *types.RawJSON { return rawField(r, key.Str()) }
	element := func(r *types.RawJSON, i datum) *types.RawJSON { return rawElement(r, int(i.Int())) }
	return []expr.Impl{
		{OID: 3947, Name: "json_object_field", F2: rawGet(field, rawDatum)},
		{OID: 3948, Name: "json_object_field_text", F2: rawGet(field, rawText)},
		{OID: 3949, Name: "json_array_element", F2: rawGet(element, rawDatum)},
		{OID: 3950, Name: "json_array_element_text", F2: rawGet(element, rawText)},
		{OID: 3951, Name: "json_extract_path", F2: rawGet(rawPath, rawDatum)},
		{OID: 3953, Name: "json_extract_path_text", F2: rawGet(rawPath, rawText)},
		{OID: 3956, Name: "json_array_length", F1: jsonArrayLength},
		{OID: 3968, Name: "json_typeof", F1: jsonTypeof},
		{OID: 3261, Name: "json_strip_nulls", F1: jsonStripNulls},
	}
}

// jsonBoth are the two forms of a function over json and jsonb that cannot share more than this: its rows.
type jsonBoth struct{ text, binary expr.SetFunc }

func notAnObject(k types.JSONKind, name string, jsonb bool) error {
	switch {
	case k == types.JSONObject:
		return nil
	case jsonb:
		return jsonError("cannot call %s on a non-object", name)
	case strings.HasPrefix(name, "json_each") && k == types.JSONArray:
		return jsonError("cannot deconstruct an array as an object")
	case strings.HasPrefix(name, "json_each"):
		return jsonError("cannot deconstruct a scalar")
	case k == types.JSONArray:
		return jsonError("cannot call %s on an array", name)
	}
	return jsonError("cannot call %s on a scalar", name)
}

// jsonEach is json_each and its kin: the members of an object, as text or not.
func jsonEach(name string, text bool) jsonBoth {
	return jsonBoth{
		text: func(_ *expr.Env, args []datum, yield func(...datum) error) error {
			r, err := types.ParseRawJSON(args[0].Str())
			if err == nil {
				err = notAnObject(r.Kind, "json_"+name, false)
			}
			if err != nil {
				return err
			}
			for i, e := range r.Elems {
				v := rawDatum(e)
				if text {
					v = rawText(e)
				}
				if err := yield(types.Str(r.Keys[i]), v); err != nil {
					return err
				}
			}
			return nil
		},
		binary: func(_ *expr.Env, args []datum, yield func(...datum) error) error {
			j := args[0].JSON()
			if err := notAnObject(j.Kind, "jsonb_"+name, true); err != nil {
				return err
			}
			for _, f := range j.Fields {
				v := jsonbDatum(f.Value)
				if text {
					v = jsonbText(f.Value)
				}
				if err := yield(types.Str(f.Key), v); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func jsonKeys() jsonBoth {
	return jsonBoth{
		text: func(_ *expr.Env, args []datum, yield func(...datum) error) error {
			r, err := types.ParseRawJSON(args[0].Str())
			if err == nil {
				err = notAnObject(r.Kind, "json_object_keys", false)
			}
			if err != nil {
				return err
			}
			for _, k := range r.Keys {
				if err := yield(types.Str(k)); err != nil {
					return err
				}
			}
			return nil
		},
		binary: func(_ *expr.Env, args []datum, yield func(...datum) error) error {
			j := args[0].JSON()
			if j.Kind != types.JSONObject {
				return notAnObject(j.Kind, "jsonb_object_keys", false)
			}
			for _, f := range j.Fields {
				if err := yield(types.Str(f.Key)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// jsonElements is json_array_elements and its kin.
func jsonElements(name string, text bool) jsonBoth {
	return jsonBoth{
		text: func(_ *expr.Env, args []datum, yield func(...datum) error) error {
			r, err := types.ParseRawJSON(args[0].Str())
			switch {
			case err != nil:
				return err
			case r.Kind == types.JSONObject:
				return jsonError("cannot call %s on a non-array", name)
			case r.Kind != types.JSONArray:
				return jsonError("cannot call %s on a scalar", name)
			}
			for _, e := range r.Elems {
				v := rawDatum(e)
				if text {
					v = rawText(e)
				}
				if err := yield(v); err != nil {
					return err
				}
			}
			return nil
		},
		binary: func(_ *expr.Env, args []datum, yield func(...datum) error) error {
			j := args[0].JSON()
			switch {
			case j.Kind == types.JSONObject:
				return jsonError("cannot extract elements from an object")
			case j.Kind != types.JSONArray:
				return jsonError("cannot extract elements from a scalar")
			}
			for _, e := range j.Elems {
				v := jsonbDatum(e)
				if text {
					v = jsonbText(e)
				}
				if err := yield(v); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// jsonSetImpls are the functions that take JSON apart into rows.
func jsonSetImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 3958, Name: "json_each", Set: jsonEach("each", false).text},
		{OID: 3208, Name: "jsonb_each", Set: jsonEach("each", false).binary},
		{OID: 3959, Name: "json_each_text", Set: jsonEach("each_text", true).text},
		{OID: 3932, Name: "jsonb_each_text", Set: jsonEach("each_text", true).binary},
		{OID: 3957, Name: "json_object_keys", Set: jsonKeys().text},
		{OID: 3931, Name: "jsonb_object_keys", Set: jsonKeys().binary},
		{OID: 3955, Name: "json_array_elements", Set: jsonElements("json_array_elements", false).text},
		{OID: 3219, Name: "jsonb_array_elements", Set: jsonElements("", false).binary},
		{OID: 3969, Name: "json_array_elements_text", Set: jsonElements("json_array_elements_text", true).text},
		{OID: 3465, Name: "jsonb_array_elements_text", Set: jsonElements("", true).binary},
	}
}
