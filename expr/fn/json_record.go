package fn

import (
	"fmt"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// jsonNode is a node of a json text or of a jsonb value; the zero node is a member that is not there.
type jsonNode struct {
	raw *types.RawJSON
	bin *types.JSON
}

func parseNode(d datum, jsonb bool) (jsonNode, error) {
	if jsonb {
		return jsonNode{bin: d.JSON()}, nil
	}
	r, err := types.ParseRawJSON(d.Str())
	return jsonNode{raw: r}, err
}

func (n jsonNode) missing() bool { return n.raw == nil && n.bin == nil }

func (n jsonNode) kind() types.JSONKind {
	if n.bin != nil {
		return n.bin.Kind
	}
	return n.raw.Kind
}

func (n jsonNode) null() bool { return n.missing() || n.kind() == types.JSONNull }

func (n jsonNode) field(key string) jsonNode {
	if n.bin != nil {
		return jsonNode{bin: n.bin.Get(key)}
	}
	return jsonNode{raw: rawField(n.raw, key)}
}

func (n jsonNode) elems() []jsonNode {
	var out []jsonNode
	if n.bin != nil {
		for _, e := range n.bin.Elems {
			out = append(out, jsonNode{bin: e})
		}
		return out
	}
	for _, e := range n.raw.Elems {
		out = append(out, jsonNode{raw: e})
	}
	return out
}

// text is what the input function of a type gets: a string's content, JSON text of all else.
func (n jsonNode) text() string {
	if n.bin != nil {
		s, _ := n.bin.Text()
		return s
	}
	if n.raw.Kind == types.JSONString {
		return n.raw.Str
	}
	return n.raw.Raw
}

func (n jsonNode) json() string {
	if n.bin != nil {
		return string(types.AppendJSON(nil, n.bin))
	}
	return n.raw.Raw
}

// populate fills in rows of known columns from JSON.
type populate struct {
	env *expr.Env
	// place is the key and the array subscripts that lead to the present value, for error hints.
	key  string
	subs []int
}

// record makes a row from an object; where a member is missing it takes the value of base.
func (p *populate) record(fields []types.Field, base *types.Record, n jsonNode) (*types.Record, error) {
	switch k := n.kind(); {
	case k == types.JSONArray:
		return nil, jsonError("cannot call populate_composite on an array")
	case k != types.JSONObject:
		return nil, jsonError("cannot call populate_composite on a scalar")
	}
	rec := &types.Record{}
	for _, f := range fields {
		if f.Dropped {
			continue
		}
		i := len(rec.Vals)
		rec.Types, rec.Names = append(rec.Types, f.Type), append(rec.Names, f.Name)
		member := n.field(f.Name)
		if member.missing() && base != nil && i < len(base.Vals) {
			rec.Vals = append(rec.Vals, base.Vals[i])
			continue
		}
		v, err := (&populate{env: p.env, key: f.Name}).value(f.Type, f.Typmod, member)
		if err != nil {
			return nil, err
		}
		rec.Vals = append(rec.Vals, v)
	}
	return rec, nil
}

func (p *populate) value(t *types.T, typmod int32, n jsonNode) (datum, error) {
	if t.Kind == 'd' {
		for d := t; d.Kind == 'd'; d = d.Base {
			if d.NotNull || len(d.Checks) > 0 {
				return types.Null, pgerr.Unsupported("a domain with constraints as a field of a row made from JSON")
			}
		}
		if t.BaseTypmod >= 0 {
			typmod = t.BaseTypmod
		}
		t = t.BaseType()
	}
	switch {
	case n.null():
		return types.Null, nil
	case t.IsArray() && n.kind() != types.JSONString:
		return p.array(t, typmod, n)
	case t.Kind == 'c' && n.kind() != types.JSONString:
		rec, err := p.record(fieldsOf(p.env, t), nil, n)
		if err != nil {
			return types.Null, err
		}
		return types.Ref(rec), nil
	case t == types.JSONT:
		return types.Str(n.json()), nil
	case t == types.JSONBT && n.bin != nil:
		return types.Ref(n.bin), nil
	case t == types.JSONBT:
		j, err := types.ParseJSON(n.raw.Raw)
		if err != nil {
			return types.Null, err
		}
		return types.Ref(j), nil
	}
	return types.Input(p.env.IO, t, typmod, n.text())
}

// array reads nested JSON arrays as one array; the first element that is no array says how many dimensions there are.
func (p *populate) array(t *types.T, typmod int32, n jsonNode) (datum, error) {
	if n.kind() != types.JSONArray {
		return types.Null, p.expectedArray()
	}
	out := &types.Array{Elem: t.Elem}
	if err := p.dimension(out, typmod, n, 0, false); err != nil {
		return types.Null, err
	}
	if len(out.Vals) == 0 {
		out.Dims = nil
	}
	return types.Ref(out), nil
}

func (p *populate) dimension(out *types.Array, typmod int32, n jsonNode, dim int, fixed bool) error {
	elems := n.elems()
	if dim == len(out.Dims) {
		if dim >= maxArrayDims {
			return pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", dim+1, maxArrayDims)
		}
		out.Dims = append(out.Dims, int32(len(elems)))
	} else if out.Dims[dim] != int32(len(elems)) {
		return pgerr.New(pgerr.InvalidTextRepresentation, "malformed JSON array").
			WithDetail("Multidimensional arrays must have sub-arrays with matching dimensions.")
	}
	for i, e := range elems {
		// A deeper dimension exists, or may still be opened by the first elements.
		deeper := dim+1 < len(out.Dims)
		isArray := e.kind() == types.JSONArray
		p.subs = append(p.subs, i)
		switch {
		case deeper && !isArray:
			return p.expectedArray()
		case deeper || isArray && !fixed && len(out.Vals) == 0 && i == 0:
			if err := p.dimension(out, typmod, e, dim+1, fixed); err != nil {
				return err
			}
		default:
			fixed = true
			v, err := p.value(out.Elem, typmod, e)
			if err != nil {
				return err
			}
			out.Vals = append(out.Vals, v)
		}
		p.subs = p.subs[:len(p.subs)-1]
	}
	return nil
}

func (p *populate) expectedArray() error {
	err := pgerr.New(pgerr.InvalidTextRepresentation, "expected JSON array")
	if len(p.subs) == 0 {
		return err.WithHint("See the value of key \"%s\".", p.key)
	}
	subs := ""
	for _, s := range p.subs {
		subs += fmt.Sprintf("[%d]", s)
	}
	return err.WithHint("See the array element %s of key \"%s\".", subs, p.key)
}

// fieldsOf are the live fields of a composite type; those of a table's row type are the table's columns.
func fieldsOf(env *expr.Env, t *types.T) []types.Field {
	var fields []types.Field
	for _, f := range t.Fields {
		if !f.Dropped {
			fields = append(fields, f)
		}
	}
	if len(fields) > 0 || t.RelOID == 0 || env.View == nil || env.View.Snapshot == nil {
		return fields
	}
	if rel := env.View.Snapshot.RelationByOID(t.RelOID); rel != nil {
		for _, c := range rel.Live() {
			fields = append(fields, types.Field{Name: c.Name, Type: c.Type, Typmod: c.Typmod})
		}
	}
	return fields
}

// rowShape gives the fields of the rows that a call makes, at each evaluation: those of the composite type, of the
// record that is given as base, or of the column definition list.
func rowShape(c *expr.Call) (func(env *expr.Env, base datum) ([]types.Field, error), error) {
	undetermined := pgerr.New(pgerr.FeatureNotSupported, "could not determine row type for result of %s", c.Fn.Name)
	t := c.T.BaseType()
	switch {
	case t.Kind == 'c':
		return func(env *expr.Env, _ datum) ([]types.Field, error) { return fieldsOf(env, t), nil }, nil
	case t != types.RecordT:
		return nil, pgerr.New(pgerr.DatatypeMismatch, "first argument of %s must be a row type", c.Fn.Name)
	case len(c.Args) == 1 && len(c.Cols) > 0:
		return func(*expr.Env, datum) ([]types.Field, error) { return c.Cols, nil }, nil
	case len(c.Args) == 1:
		return nil, undetermined.WithHint("Call the function in the FROM clause using a column definition list.")
	}
	return func(_ *expr.Env, base datum) ([]types.Field, error) {
		switch {
		case base.IsNull() && len(c.Cols) > 0:
			return c.Cols, nil
		case base.IsNull():
			return nil, undetermined.WithHint("Provide a non-null record argument, or call the function in the FROM clause using a column definition list.")
		}
		r := base.Record()
		fields := make([]types.Field, len(r.Vals))
		for i := range fields {
			fields[i] = types.Field{Name: fieldName(t, r, i), Type: r.Types[i], Typmod: -1}
		}
		return fields, nil
	}, nil
}

// baseAndJSON splits the arguments: json_to_record has no base.
func baseAndJSON(args []datum, hasBase bool) (base, json datum) {
	if hasBase {
		return args[0], args[1]
	}
	return types.Null, args[0]
}

// toRecord is json_to_record and json_populate_record and their jsonb forms.
func toRecord(hasBase, jsonb bool) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		shape, err := rowShape(c)
		if err != nil {
			return nil, err
		}
		return func(env *expr.Env, args []datum) (datum, error) {
			base, json := baseAndJSON(args, hasBase)
			if json.IsNull() {
				return base, nil
			}
			fields, err := shape(env, base)
			if err != nil {
				return types.Null, err
			}
			n, err := parseNode(json, jsonb)
			if err != nil {
				return types.Null, err
			}
			rec, err := (&populate{env: env}).record(fields, baseRecord(base), n)
			if err != nil {
				return types.Null, err
			}
			return types.Ref(rec), nil
		}, nil
	}
}

func baseRecord(d datum) *types.Record {
	if d.IsNull() {
		return nil
	}
	return d.Record()
}

// toRecordSet is json_to_recordset and json_populate_recordset and their jsonb forms.
func toRecordSet(hasBase, jsonb bool) func(*expr.Call) (expr.SetFunc, error) {
	return func(c *expr.Call) (expr.SetFunc, error) {
		shape, err := rowShape(c)
		if err != nil {
			return nil, err
		}
		return func(env *expr.Env, args []datum, yield func(...datum) error) error {
			base, json := baseAndJSON(args, hasBase)
			if json.IsNull() {
				return nil
			}
			fields, err := shape(env, base)
			if err != nil {
				return err
			}
			n, err := parseNode(json, jsonb)
			switch {
			case err != nil:
				return err
			case n.kind() == types.JSONArray:
			case jsonb:
				return jsonError("cannot call %s on a non-array", c.Fn.Name)
			case n.kind() == types.JSONObject:
				return jsonError("cannot call %s on an object", c.Fn.Name)
			default:
				return jsonError("cannot call %s on a scalar", c.Fn.Name)
			}
			for _, e := range n.elems() {
				if e.kind() != types.JSONObject {
					return jsonError("argument of %s must be an array of objects", c.Fn.Name)
				}
				rec, err := (&populate{env: env}).record(fields, baseRecord(base), e)
				if err != nil {
					return err
				}
				if err := yield(types.Ref(rec)); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
}

// jsonRecordImpls are the functions that make rows of JSON objects.
func jsonRecordImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 3960, Name: "json_populate_record", Make: toRecord(true, false)},
		{OID: 3209, Name: "jsonb_populate_record", Make: toRecord(true, true)},
		{OID: 3961, Name: "json_populate_recordset", MakeSet: toRecordSet(true, false)},
		{OID: 3475, Name: "jsonb_populate_recordset", MakeSet: toRecordSet(true, true)},
		{OID: 3204, Name: "json_to_record", Make: toRecord(false, false)},
		{OID: 3490, Name: "jsonb_to_record", Make: toRecord(false, true)},
		{OID: 3205, Name: "json_to_recordset", MakeSet: toRecordSet(false, false)},
		{OID: 3491, Name: "jsonb_to_recordset", MakeSet: toRecordSet(false, true)},
	}
}
