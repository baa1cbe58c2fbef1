package fn

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// jsonbConcat is ||: objects merge, the right one wins; all else makes one array.
func jsonbConcat(_ *expr.Env, x, y datum) (datum, error) {
	a, b := x.JSON(), y.JSON()
	if a.Kind == types.JSONObject && b.Kind == types.JSONObject {
		return types.Ref(types.NewJSONObject(append(slices.Clone(a.Fields), b.Fields...))), nil
	}
	list := func(j *types.JSON) []*types.JSON {
		if j.Kind == types.JSONArray {
			return j.Elems
		}
		return []*types.JSON{j}
	}
	return types.Ref(types.NewJSONArray(append(slices.Clone(list(a)), list(b)...))), nil
}

func deleteFromScalar() error { return jsonError("cannot delete from scalar") }

// withoutKeys drops the members with those keys, and the string elements equal to them.
func withoutKeys(j *types.JSON, drop func(key string) bool) (datum, error) {
	switch j.Kind {
	case types.JSONObject:
		var out []types.JSONField
		for _, f := range j.Fields {
			if !drop(f.Key) {
				out = append(out, f)
			}
		}
		return types.Ref(types.NewJSONObject(out)), nil
	case types.JSONArray:
		var out []*types.JSON
		for _, e := range j.Elems {
			if e.Kind != types.JSONString || !drop(e.Str) {
				out = append(out, e)
			}
		}
		return types.Ref(types.NewJSONArray(out)), nil
	}
	return types.Null, deleteFromScalar()
}

func jsonbDeleteKeys(_ *expr.Env, a, keys datum) (datum, error) {
	return withoutKeys(a.JSON(), func(key string) bool {
		return slices.ContainsFunc(keys.Array().Vals, func(k datum) bool { return !k.IsNull() && k.Str() == key })
	})
}

func jsonbDeleteIndex(_ *expr.Env, a, at datum) (datum, error) {
	j := a.JSON()
	switch {
	case j.Kind == types.JSONObject:
		return types.Null, jsonError("cannot delete from object using integer index")
	case j.Kind != types.JSONArray:
		return types.Null, deleteFromScalar()
	}
	i := int(at.Int())
	if i < 0 {
		i += len(j.Elems)
	}
	if i < 0 || i >= len(j.Elems) {
		return a, nil
	}
	return types.Ref(types.NewJSONArray(slices.Delete(slices.Clone(j.Elems), i, i+1))), nil
}

// The ways in which a path changes a jsonb value.
type pathOp uint8

const (
	pathReplace pathOp = iota // jsonb_set without creating
	pathSet                   // jsonb_set
	pathBefore                // jsonb_insert
	pathAfter                 // jsonb_insert with insert_after
	pathDelete                // #-
	pathFill                  // subscript assignment: as set, but makes what the path needs
)

// pathChange is a change at the end of a path.
type pathChange struct {
	op   pathOp
	path []string
	val  *types.JSON
}

func textPath(d datum) ([]string, error) {
	if len(d.Array().Dims) > 1 {
		return nil, pgerr.New(pgerr.ArraySubscriptError, "wrong number of array subscripts")
	}
	out := make([]string, len(d.Array().Vals))
	for i, v := range d.Array().Vals {
		if v.IsNull() {
			return nil, pgerr.New(pgerr.NullValueNotAllowed, "path element at position %d is null", i+1)
		}
		out[i] = v.Str()
	}
	return out, nil
}

// apply changes j at the path's step level and below.
func (c *pathChange) apply(j *types.JSON, level int) (*types.JSON, error) {
	last := level == len(c.path)-1
	switch j.Kind {
	case types.JSONObject:
		return c.object(j, level, last)
	case types.JSONArray:
		return c.array(j, level, last)
	}
	if c.op == pathFill && j.Kind != types.JSONNull || c.op == pathFill && level == 0 {
		return nil, jsonError("cannot replace existing key").
			WithDetail("The path assumes key is a composite object, but it is a scalar value.")
	}
	return j, nil
}

func (c *pathChange) object(j *types.JSON, level int, last bool) (*types.JSON, error) {
	key := c.path[level]
	at := slices.IndexFunc(j.Fields, func(f types.JSONField) bool { return f.Key == key })
	if at < 0 {
		switch {
		case last && (c.op == pathSet || c.op == pathBefore || c.op == pathAfter || c.op == pathFill):
			return types.NewJSONObject(append(slices.Clone(j.Fields), types.JSONField{Key: key, Value: c.val})), nil
		case c.op == pathFill:
			return types.NewJSONObject(append(slices.Clone(j.Fields), types.JSONField{Key: key, Value: c.missing(level + 1)})), nil
		}
		return j, nil
	}
	fields := slices.Clone(j.Fields)
	switch {
	case !last:
		v, err := c.apply(fields[at].Value, level+1)
		if err != nil {
			return nil, err
		}
		fields[at].Value = v
	case c.op == pathDelete:
		fields = slices.Delete(fields, at, at+1)
	case c.op == pathBefore || c.op == pathAfter:
		return nil, jsonError("cannot replace existing key").WithHint("Try using the function jsonb_set to replace key value.")
	default:
		fields[at].Value = c.val
	}
	return &types.JSON{Kind: types.JSONObject, Fields: fields}, nil
}

// array changes an element. An index before the first or after the last element adds there, if the change creates.
func (c *pathChange) array(j *types.JSON, level int, last bool) (*types.JSON, error) {
	i, ok := jsonIndex(c.path[level])
	if !ok {
		return nil, pgerr.New(pgerr.InvalidTextRepresentation, "path element at position %s is not an integer: \"%s\"", stepText(level), c.path[level])
	}
	n := len(j.Elems)
	below := false
	if i < 0 {
		if c.op == pathFill && -i > n {
			return nil, jsonError("path element at position %s is out of range: %d", stepText(level), i)
		}
		if i += n; i < 0 {
			below, i = true, -1
		}
	}
	elems := slices.Clone(j.Elems)
	inside := !below && i < n
	switch {
	case inside && !last:
		v, err := c.apply(elems[i], level+1)
		if err != nil {
			return nil, err
		}
		elems[i] = v
	case inside:
		switch c.op {
		case pathDelete:
			elems = slices.Delete(elems, i, i+1)
		case pathBefore:
			elems = slices.Insert(elems, i, c.val)
		case pathAfter:
			elems = slices.Insert(elems, i+1, c.val)
		default:
			elems[i] = c.val
		}
	case c.op == pathFill:
		for len(elems) < i {
			elems = append(elems, types.NewJSONNull())
		}
		elems = append(elems, c.missing(level+1))
	case !last || c.op == pathReplace || c.op == pathDelete:
		return j, nil
	case below:
		elems = slices.Insert(elems, 0, c.val)
	default:
		elems = append(elems, c.val)
	}
	return types.NewJSONArray(elems), nil
}

// missing makes what the rest of a path needs around the value.
func (c *pathChange) missing(level int) *types.JSON {
	if level >= len(c.path) {
		return c.val
	}
	v := c.missing(level + 1)
	i, ok := jsonIndex(c.path[level])
	if !ok {
		return types.NewJSONObject([]types.JSONField{{Key: c.path[level], Value: v}})
	}
	var elems []*types.JSON
	for range max(i, 0) {
		elems = append(elems, types.NewJSONNull())
	}
	return types.NewJSONArray(append(elems, v))
}

// AssignJSONB returns j with the value at a path of subscripts replaced or made, as an assignment to a subscripted jsonb
// column does; a nil j is SQL NULL. The error is 22023 when the path leads through a scalar.
func AssignJSONB(j *types.JSON, path []string, val *types.JSON) (*types.JSON, error) {
	c := &pathChange{op: pathFill, path: path, val: val}
	if j == nil {
		return c.missing(0), nil
	}
	return c.apply(j, 0)
}

func changeAt(op pathOp, a, path datum, val *types.JSON) (datum, error) {
	steps, err := textPath(path)
	if err != nil {
		return types.Null, err
	}
	j := a.JSON()
	if j.Kind < types.JSONArray {
		if op == pathDelete {
			return types.Null, jsonError("cannot delete path in scalar")
		}
		return types.Null, jsonError("cannot set path in scalar")
	}
	if len(steps) == 0 || len(j.Elems)+len(j.Fields) == 0 && (op == pathDelete || op == pathReplace) {
		return a, nil
	}
	out, err := (&pathChange{op: op, path: steps, val: val}).apply(j, 0)
	if err != nil {
		return types.Null, err
	}
	return types.Ref(out), nil
}

func jsonbSet(_ *expr.Env, args []datum) (datum, error) {
	op := pathReplace
	if args[3].Bool() {
		op = pathSet
	}
	return changeAt(op, args[0], args[1], args[2].JSON())
}

func jsonbInsert(_ *expr.Env, args []datum) (datum, error) {
	op := pathBefore
	if args[3].Bool() {
		op = pathAfter
	}
	return changeAt(op, args[0], args[1], args[2].JSON())
}

// jsonbSetLax is jsonb_set whose new value may be NULL.
func jsonbSetLax(env *expr.Env, args []datum) (datum, error) {
	if args[0].IsNull() || args[1].IsNull() || args[3].IsNull() {
		return types.Null, nil
	}
	if args[4].IsNull() {
		return types.Null, jsonError("null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"")
	}
	if !args[2].IsNull() {
		return jsonbSet(env, args[:4])
	}
	switch args[4].Str() {
	case "raise_exception":
		return types.Null, pgerr.New(pgerr.NullValueNotAllowed, "JSON value must not be null").
			WithDetail("Exception was raised because null_value_treatment is \"raise_exception\".").
			WithHint("To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.")
	case "use_json_null":
		return jsonbSet(env, []datum{args[0], args[1], types.Ref(types.NewJSONNull()), args[3]})
	case "delete_key":
		return changeAt(pathDelete, args[0], args[1], nil)
	case "return_target":
		return args[0], nil
	}
	return types.Null, jsonError("null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"")
}

// stripNulls drops members that are null, at any depth; elements of arrays stay.
func stripNulls(j *types.JSON) *types.JSON {
	switch j.Kind {
	case types.JSONObject:
		var out []types.JSONField
		for _, f := range j.Fields {
			if f.Value.Kind != types.JSONNull {
				out = append(out, types.JSONField{Key: f.Key, Value: stripNulls(f.Value)})
			}
		}
		return types.NewJSONObject(out)
	case types.JSONArray:
		out := make([]*types.JSON, len(j.Elems))
		for i, e := range j.Elems {
			out[i] = stripNulls(e)
		}
		return types.NewJSONArray(out)
	}
	return j
}

// jsonModifyImpls are the functions that change a jsonb value.
func jsonModifyImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 3301, Name: "jsonb_concat", F2: jsonbConcat},
		{OID: 3302, Name: "jsonb_delete", F2: func(_ *expr.Env, a, key datum) (datum, error) {
			return withoutKeys(a.JSON(), func(k string) bool { return k == key.Str() })
		}},
		{OID: 3303, Name: "jsonb_delete", F2: jsonbDeleteIndex},
		{OID: 3343, Name: "jsonb_delete", F2: jsonbDeleteKeys},
		{OID: 3304, Name: "jsonb_delete_path", F2: func(_ *expr.Env, a, path datum) (datum, error) {
			return changeAt(pathDelete, a, path, nil)
		}},
		{OID: 3305, Name: "jsonb_set", Eval: jsonbSet},
		{OID: 3579, Name: "jsonb_insert", Eval: jsonbInsert},
		{OID: 5054, Name: "jsonb_set_lax", Eval: jsonbSetLax},
		{OID: 3262, Name: "jsonb_strip_nulls", F1: func(_ *expr.Env, a datum) (datum, error) {
			return types.Ref(stripNulls(a.JSON())), nil
		}},
	}
}
