package fn

import (
	"strconv"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// jsonAggImpls are the aggregates that build JSON.
func jsonAggImpls() []expr.Impl {
	mk := func(f func(ts []*types.T) expr.Aggregator) func(c *expr.Agg) (func() expr.Aggregator, error) {
		return func(c *expr.Agg) (func() expr.Aggregator, error) {
			ts := make([]*types.T, len(c.Args))
			for i, a := range c.Args {
				ts[i] = a.Type()
			}
			return func() expr.Aggregator { return f(ts) }, nil
		}
	}
	return []expr.Impl{
		{OID: 3175, Name: "json_agg", MakeAgg: mk(func(ts []*types.T) expr.Aggregator { return &jsonAgg{typ: ts[0]} })},
		{OID: 3197, Name: "json_object_agg", MakeAgg: mk(func(ts []*types.T) expr.Aggregator { return &jsonObjectAgg{typs: ts} })},
		{OID: 3267, Name: "jsonb_agg", MakeAgg: mk(func(ts []*types.T) expr.Aggregator { return &jsonbAgg{typ: ts[0]} })},
		{OID: 3270, Name: "jsonb_object_agg", MakeAgg: mk(func(ts []*types.T) expr.Aggregator { return &jsonbObjectAgg{typs: ts} })},
	}
}

// jsonAgg is json_agg. Its text is PostgreSQL's: arrays and composites each begin a line.
type jsonAgg struct {
	typ *types.T
	b   []byte
}

func (a *jsonAgg) Add(env *expr.Env, args []datum) error {
	if a.b == nil {
		a.b = append(a.b, '[')
	} else {
		a.b = append(a.b, ", "...)
		if t := a.typ.BaseType(); !args[0].IsNull() && (t.IsArray() || isRow(t)) {
			a.b = append(a.b, "\n "...)
		}
	}
	var err error
	a.b, err = appendValueJSON(env.IO, a.b, a.typ, args[0])
	return err
}

func (a *jsonAgg) Result(*expr.Env) (datum, error) {
	if a.b == nil {
		return types.Null, nil
	}
	return types.Str(string(a.b) + "]"), nil
}

// jsonObjectAgg is json_object_agg; equal keys are all kept.
type jsonObjectAgg struct {
	typs []*types.T
	b    []byte
}

func (a *jsonObjectAgg) Add(env *expr.Env, args []datum) error {
	key, err := jsonKey(env.IO, a.typs[0], args[0])
	if err != nil {
		return err
	}
	if a.b == nil {
		a.b = append(a.b, "{ "...)
	} else {
		a.b = append(a.b, ", "...)
	}
	a.b = append(types.AppendJSONString(a.b, key), " : "...)
	a.b, err = appendValueJSON(env.IO, a.b, a.typs[1], args[1])
	return err
}

func (a *jsonObjectAgg) Result(*expr.Env) (datum, error) {
	if a.b == nil {
		return types.Null, nil
	}
	return types.Str(string(a.b) + " }"), nil
}

// jsonbAgg is jsonb_agg.
type jsonbAgg struct {
	typ   *types.T
	elems []*types.JSON
}

func (a *jsonbAgg) Add(env *expr.Env, args []datum) error {
	j, err := valueJSONB(env.IO, a.typ, args[0])
	a.elems = append(a.elems, j)
	return err
}

func (a *jsonbAgg) Result(*expr.Env) (datum, error) {
	if a.elems == nil {
		return types.Null, nil
	}
	return types.Ref(types.NewJSONArray(append([]*types.JSON(nil), a.elems...))), nil
}

// jsonbObjectAgg is jsonb_object_agg; of equal keys the last one wins.
type jsonbObjectAgg struct {
	typs   []*types.T
	fields []types.JSONField
}

func (a *jsonbObjectAgg) Add(env *expr.Env, args []datum) error {
	key, err := jsonKey(env.IO, a.typs[0], args[0])
	if err != nil {
		return err
	}
	j, err := valueJSONB(env.IO, a.typs[1], args[1])
	a.fields = append(a.fields, types.JSONField{Key: key, Value: j})
	return err
}

func (a *jsonbObjectAgg) Result(*expr.Env) (datum, error) {
	if a.fields == nil {
		return types.Null, nil
	}
	return types.Ref(types.NewJSONObject(append([]types.JSONField(nil), a.fields...))), nil
}

func isRow(t *types.T) bool { return t.Kind == 'c' || t.OID == types.RecordT.OID }

// jsonKey returns the text of a value as the name of an object's field.
func jsonKey(io *types.IO, t *types.T, d datum) (string, error) {
	if d.IsNull() {
		return "", pgerr.New(pgerr.InvalidParameterValue, "field name must not be null")
	}
	t = t.BaseType()
	if t.IsArray() || isRow(t) || t.OID == types.JSONT.OID || t.OID == types.JSONBT.OID {
		return "", pgerr.New(pgerr.InvalidParameterValue, "key value must be scalar, not array, composite, or json")
	}
	return string(jsonText(io, t, d)), nil
}

// jsonText is a scalar's text as JSON has it: booleans as words, dates and times in ISO 8601 whatever the session's style.
func jsonText(io *types.IO, t *types.T, d datum) []byte {
	switch t.OID {
	case types.BoolT.OID:
		return strconv.AppendBool(nil, d.Bool())
	case types.DateT.OID, types.TimestampT.OID, types.TimestampTZT.OID:
		iso := *io
		iso.DateStyle = "ISO"
		return iso8601(types.Output(&iso, t, nil, d))
	}
	return types.Output(io, t, nil, d)
}

// iso8601 turns 2020-01-01 10:00:00+01 into 2020-01-01T10:00:00+01:00; infinities and dates stay.
func iso8601(b []byte) []byte {
	at := -1
	for i, c := range b {
		if c == ' ' && i+1 < len(b) && b[i+1] >= '0' && b[i+1] <= '9' {
			b[i], at = 'T', i
			break
		}
	}
	if at < 0 {
		return b
	}
	for i := at; i < len(b); i++ {
		if b[i] == '+' || b[i] == '-' {
			if i+3 == len(b) || b[i+3] != ':' {
				rest := string(b[i+3:])
				b = append(append(b[:i+3], ":00"...), rest...)
			}
			break
		}
	}
	return b
}

// isNumberType reports the types whose values JSON writes without quotes, unless they are not finite.
func isNumberType(t *types.T) bool {
	switch t.OID {
	case types.Int2T.OID, types.Int4T.OID, types.Int8T.OID, types.Float4T.OID, types.Float8T.OID, types.NumericT.OID:
		return true
	}
	return false
}

func finiteNumber(b []byte) bool {
	c := b[len(b)-1]
	return c >= '0' && c <= '9'
}

// appendValueJSON appends a value of any type as JSON text, the way to_json does.
func appendValueJSON(io *types.IO, dst []byte, t *types.T, d datum) ([]byte, error) {
	if d.IsNull() {
		return append(dst, "null"...), nil
	}
	t = t.BaseType()
	switch {
	case t.OID == types.BoolT.OID:
		return strconv.AppendBool(dst, d.Bool()), nil
	case isNumberType(t):
		text := types.Output(io, t, nil, d)
		if finiteNumber(text) {
			return append(dst, text...), nil
		}
		return types.AppendJSONString(dst, string(text)), nil
	case t.OID == types.JSONT.OID:
		return append(dst, d.Str()...), nil
	case t.OID == types.JSONBT.OID:
		return types.AppendJSON(dst, d.JSON()), nil
	case t.IsArray():
		a := d.Array()
		if len(a.Dims) == 0 {
			return append(dst, "[]"...), nil
		}
		dst, _, err := appendArrayJSON(io, dst, t.Elem, a, 0, 0)
		return dst, err
	case isRow(t):
		return appendRowJSON(io, dst, t, d.Record())
	}
	return types.AppendJSONString(dst, string(jsonText(io, t, d))), nil
}

// appendArrayJSON appends a dimension of an array, whose first element is at; it returns where the next one begins.
func appendArrayJSON(io *types.IO, dst []byte, elem *types.T, a *types.Array, dim, at int) ([]byte, int, error) {
	dst = append(dst, '[')
	var err error
	for i := int32(0); i < a.Dims[dim] && err == nil; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dim+1 < len(a.Dims) {
			dst, at, err = appendArrayJSON(io, dst, elem, a, dim+1, at)
			continue
		}
		dst, err = appendValueJSON(io, dst, elem, a.Vals[at])
		at++
	}
	return append(dst, ']'), at, err
}

func appendRowJSON(io *types.IO, dst []byte, t *types.T, r *types.Record) ([]byte, error) {
	dst = append(dst, '{')
	var err error
	for i, v := range r.Vals {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(types.AppendJSONString(dst, fieldName(t, r, i)), ':')
		if dst, err = appendValueJSON(io, dst, r.Types[i], v); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// fieldName is the name of a field of a composite value: the value's own, its type's, or f1, f2 ... of a plain ROW.
func fieldName(t *types.T, r *types.Record, i int) string {
	if i < len(r.Names) && r.Names[i] != "" {
		return r.Names[i]
	}
	live := -1
	for _, f := range t.Fields {
		if f.Dropped {
			continue
		}
		if live++; live == i {
			return f.Name
		}
	}
	return "f" + strconv.Itoa(i+1)
}

// valueJSONB is a value of any type as jsonb, the way to_jsonb makes it.
func valueJSONB(io *types.IO, t *types.T, d datum) (*types.JSON, error) {
	if d.IsNull() {
		return types.NewJSONNull(), nil
	}
	t = t.BaseType()
	switch {
	case t.OID == types.BoolT.OID:
		return types.NewJSONBool(d.Bool()), nil
	case t.OID == types.JSONBT.OID:
		return d.JSON(), nil
	case t.OID == types.JSONT.OID:
		return types.ParseJSON(d.Str())
	case isNumberType(t):
		text := types.Output(io, t, nil, d)
		if !finiteNumber(text) {
			return types.NewJSONString(string(text)), nil
		}
		n, err := types.ParseNumeric(string(text))
		if err != nil {
			return nil, err
		}
		return types.NewJSONNumber(n), nil
	case t.IsArray():
		a := d.Array()
		if len(a.Dims) == 0 {
			return types.NewJSONArray(nil), nil
		}
		j, _, err := arrayJSONB(io, t.Elem, a, 0, 0)
		return j, err
	case isRow(t):
		r := d.Record()
		fields := make([]types.JSONField, len(r.Vals))
		for i, v := range r.Vals {
			j, err := valueJSONB(io, r.Types[i], v)
			if err != nil {
				return nil, err
			}
			fields[i] = types.JSONField{Key: fieldName(t, r, i), Value: j}
		}
		return types.NewJSONObject(fields), nil
	}
	return types.NewJSONString(string(jsonText(io, t, d))), nil
}

func arrayJSONB(io *types.IO, elem *types.T, a *types.Array, dim, at int) (*types.JSON, int, error) {
	var elems []*types.JSON
	for range a.Dims[dim] {
		var j *types.JSON
		var err error
		if dim+1 < len(a.Dims) {
			j, at, err = arrayJSONB(io, elem, a, dim+1, at)
		} else {
			j, err = valueJSONB(io, elem, a.Vals[at])
			at++
		}
		if err != nil {
			return nil, at, err
		}
		elems = append(elems, j)
	}
	return types.NewJSONArray(elems), at, nil
}

// Collects marks the aggregate as one whose state grows with every row.
func (a *jsonAgg) Collects() {}

// Collects marks the aggregate as one whose state grows with every row.
func (a *jsonObjectAgg) Collects() {}

// Collects marks the aggregate as one whose state grows with every row.
func (a *jsonbAgg) Collects() {}

// Collects marks the aggregate as one whose state grows with every row.
func (a *jsonbObjectAgg) Collects() {}
