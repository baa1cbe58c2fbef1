package ddl

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// createRange is CREATE TYPE ... AS RANGE: the range, its multirange, the arrays of both, and the functions that make them.
func (r *run) createRange(n *pg_query.CreateRangeStmt) error {
	sc, name, err := r.newType(n.TypeName)
	if err != nil {
		return err
	}
	o, err := r.rangeOptions(n.Params)
	if err != nil {
		return err
	}
	multi, err := r.multirangeName(sc, name, o.multirange)
	if err != nil {
		return err
	}
	align := byte('i')
	if o.subtype.Align == 'd' {
		align = 'd'
	}
	t := &types.T{
		OID: r.newOID(sc.Name), ArrayOID: r.newOID(sc.Name), Name: name, Schema: sc.Name, Len: -1, Kind: 'r', Category: 'R',
		Rep: types.RepRef, Align: align, Storage: 'x', BaseTypmod: -1, Subtype: o.subtype,
	}
	m := *t
	m.OID, m.ArrayOID, m.Name, m.Kind, m.RangeOf = r.newOID(sc.Name), r.newOID(sc.Name), multi, 'm', t
	info := catalog.TypeInfo{SchemaID: sc.OID, Owner: r.owner(), ACL: r.newACL(catalog.OnType, r.owner(), sc)}
	r.ch.PutType(&m, info)
	info.Range = &o.info
	r.ch.PutType(t, info)
	r.rangeConstructors(sc, t, &m)
	return nil
}

type rangeOptions struct {
	subtype    *types.T
	multirange []*pg_query.Node
	info       catalog.RangeInfo
}

// rangeOptions reads the list of attributes and resolves what they name.
func (r *run) rangeOptions(params []*pg_query.Node) (*rangeOptions, error) {
	o, seen := &rangeOptions{}, map[string]*pg_query.DefElem{}
	for _, p := range params {
		d := p.GetDefElem()
		switch d.Defname {
		case "subtype", "subtype_opclass", "collation", "canonical", "subtype_diff", "multirange_type_name":
		default:
			return nil, pgerr.New(pgerr.SyntaxError, "type attribute \"%s\" not recognized", d.Defname)
		}
		if seen[d.Defname] != nil {
			return nil, pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").At(d.Location)
		}
		seen[d.Defname] = d
	}
	list := func(name string) []*pg_query.Node { return seen[name].GetArg().GetTypeName().GetNames() }
	if seen["subtype"] == nil {
		return nil, pgerr.New(pgerr.SyntaxError, "type attribute \"subtype\" is required")
	}
	var err error
	if o.subtype, _, err = r.resolver().TypeName(seen["subtype"].Arg.GetTypeName()); err != nil {
		return nil, unplaced(err)
	}
	if o.subtype.Kind == 'p' {
		return nil, pgerr.New(pgerr.DatatypeMismatch, "range subtype cannot be %s", types.FormatType(o.subtype, -1))
	}
	if seen["canonical"] != nil {
		return nil, pgerr.New(pgerr.InvalidObjectDefinition, "cannot specify a canonical function without a pre-created shell type").
			WithHint("Create the type as a shell type, then create its canonicalization function, then do a full CREATE TYPE.")
	}
	if err := r.rangeOrder(o, list("subtype_opclass"), list("collation")); err != nil {
		return nil, err
	}
	o.multirange = list("multirange_type_name")
	if seen["subtype_diff"] != nil {
		return o, r.rangeDifference(o, list("subtype_diff"))
	}
	return o, nil
}

// rangeOrder resolves what orders the bounds. Only the subtype's own order can, which the classes for patterns share in
// this server's collation.
func (r *run) rangeOrder(o *rangeOptions, class, coll []*pg_query.Node) error {
	o.info.Collation = o.subtype.Collation
	if len(coll) > 0 {
		if o.subtype.Collation == 0 {
			return pgerr.New(pgerr.WrongObjectType, "range collation specified but subtype does not support collation")
		}
		var err error
		if o.info.Collation, err = r.collation(coll, -1); err != nil {
			return err
		}
		if name := names(coll); strings.Contains(name[len(name)-1], "-x-icu") {
			return pgerr.Unsupported("a range under an ICU collation")
		}
	}
	key, err := r.indexKey(o.subtype, "btree", class, 0)
	if err != nil {
		if len(class) == 0 {
			return pgerr.New(pgerr.UndefinedObject, "data type %s has no default operator class for access method \"btree\"", types.FormatType(o.subtype, -1)).
				WithHint("You must specify an operator class for the range type or define a default operator class for the subtype.")
		}
		return err
	}
	usual, err := r.indexKey(o.subtype, "btree", nil, 0)
	if name := names(class); len(name) > 0 && (err != nil || usual.OpClass != key.OpClass) && !strings.HasSuffix(name[len(name)-1], "_pattern_ops") {
		return pgerr.Unsupported("a range with another order than that of its subtype")
	}
	o.info.OpClass = key.OpClass
	return nil
}

// rangeDifference resolves subtype_diff, a function of two bounds that indexes of PostgreSQL use and nothing here.
func (r *run) rangeDifference(o *rangeOptions, list []*pg_query.Node) error {
	schema, name, err := qualified(names(list))
	if err != nil {
		return err
	}
	arg := &expr.CaseArg{T: o.subtype}
	x, err := r.resolver().Func(expr.FuncCall{Schema: schema, Name: name, Args: []expr.Expr{arg, arg}, Loc: -1})
	if err != nil {
		if pgerr.Is(err, pgerr.UndefinedFunction) {
			text := types.FormatType(o.subtype, -1)
			return pgerr.New(pgerr.UndefinedFunction, "function %s(%s, %s) does not exist", strings.Join(names(list), "."), text, text)
		}
		return err
	}
	c, ok := x.(*expr.Call)
	if !ok || c.Fn.Ret != types.Float8T {
		return pgerr.New(pgerr.InvalidFunctionDefinition, "range subtype diff function %s must return type double precision", strings.Join(names(list), "."))
	}
	if c.Fn.Volatility != 'i' {
		return pgerr.New(pgerr.InvalidFunctionDefinition, "range subtype diff function %s must be immutable", strings.Join(names(list), "."))
	}
	o.info.Difference = c.Fn.OID
	return nil
}

// multirangeName is the name that is given, or the range's with "multirange" in place of "range".
func (r *run) multirangeName(sc *catalog.Schema, name string, given []*pg_query.Node) (string, error) {
	if len(given) > 0 {
		_, multi, err := r.newType(given)
		return multi, err
	}
	multi := name + "_multirange"
	if strings.Contains(name, "range") {
		multi = strings.Replace(name, "range", "multirange", 1)
	}
	multi = catalog.CutName(multi)
	if t := r.snap().TypeInSchema(sc.OID, multi); t != nil && !t.IsArray() || multi == name {
		return "", pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", multi).
			WithDetail("Failed while creating a multirange type for type \"%s\".", name).
			WithHint("You can manually specify a multirange type name using the \"multirange_type_name\" attribute.")
	}
	return multi, nil
}

// rangeConstructors adds the functions that make ranges and multiranges, which have the names of the types.
func (r *run) rangeConstructors(sc *catalog.Schema, t, m *types.T) {
	put := func(ret *types.T, source string, mode byte, args ...*types.T) {
		f := &catalog.Function{
			OID: r.newOID(sc.Name), SchemaID: sc.OID, Schema: sc.Name, Name: ret.Name, Kind: 'f', Ret: ret, Strict: ret == m,
			Volatile: 'i', Parallel: 's', Language: catalog.Internal, Source: source, Cost: 1, Owner: r.owner(),
		}
		for _, a := range args {
			f.Args = append(f.Args, catalog.FunctionArg{Type: a, Mode: mode})
		}
		r.ch.PutFunction(f)
	}
	put(t, "range_constructor2", 'i', t.Subtype, t.Subtype)
	put(t, "range_constructor3", 'i', t.Subtype, t.Subtype, types.TextT)
	put(m, "multirange_constructor0", 'i')
	put(m, "multirange_constructor1", 'i', t)
	put(m, "multirange_constructor2", 'v', r.snap().TypeByOID(t.ArrayOID))
}

// rangeOwner returns the range that a multirange or a constructor belongs to and is dropped with, nil for all others.
func (r *run) rangeOwner(o object) *types.T {
	switch o.kind {
	case objType:
		if t := r.snap().TypeByOID(o.oid); t != nil {
			return t.RangeOf
		}
	case objFunction:
		if f := r.snap().FunctionByOID(o.oid); f != nil && f.Language == catalog.Internal {
			if f.Ret.RangeOf != nil {
				return f.Ret.RangeOf
			}
			return f.Ret
		}
	}
	return nil
}

// requiredByRange refuses to drop what goes with its range only.
func (r *run) requiredByRange(o object) error {
	t := r.rangeOwner(o)
	if t == nil {
		return nil
	}
	return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because type %s requires it", r.describe(o), r.typeText(t)).
		WithHint("You can drop type %s instead.", r.typeText(t))
}
