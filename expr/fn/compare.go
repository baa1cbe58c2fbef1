package fn

import (
	"cmp"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

type datum = types.Datum

// order compares two non-NULL values.
type order = func(a, b datum) int

// compareImpls makes the comparison operators and btree support functions of all scalar types, arrays, enums, records and
// ranges: all of them follow from one ordering a type.
func compareImpls() []expr.Impl {
	var out []expr.Impl
	for _, g := range comparisons() {
		left, right := types.ByName(g.left), types.ByName(g.right)
		for _, p := range g.procs {
			impl := expr.Impl{OID: p.oid, Name: p.name}
			if left.Rep == types.RepNone || left == types.RecordT || left.IsPolymorphic() {
				impl.Make = generic(p.op)
			} else {
				impl.F2 = comparer(p.op, ordering(left, right))
			}
			out = append(out, impl)
		}
	}
	return out
}

// generic makes a comparison whose operand type is known only at the call.
func generic(op byte) func(*expr.Call) (expr.EvalFunc, error) {
	return func(c *expr.Call) (expr.EvalFunc, error) {
		t := c.Args[0].Type().BaseType()
		if t == types.UnknownT || t.IsPolymorphic() {
			t = c.Args[1].Type().BaseType()
		}
		f := comparer(op, func(a, b datum) int { return types.Compare(t, a, b) })
		if t.Kind == 'c' || t == types.RecordT {
			return func(env *expr.Env, args []datum) (datum, error) {
				if err := likeRows(args[0].Record(), args[1].Record()); err != nil {
					return types.Null, err
				}
				return f(env, args[0], args[1])
			}, nil
		}
		return func(env *expr.Env, args []datum) (datum, error) { return f(env, args[0], args[1]) }, nil
	}
}

// likeRows refuses to compare rows of other types: ROW(1, 2) = ROW(1, 'x'). As in PostgreSQL, only columns up to the first
// difference are looked at.
func likeRows(a, b *types.Record) error {
	for i := range min(len(a.Vals), len(b.Vals)) {
		t, u := a.Types[i].BaseType(), b.Types[i].BaseType()
		if t != u && t.OID != u.OID {
			return pgerr.New(pgerr.DatatypeMismatch, "cannot compare dissimilar column types %s and %s at record column %d",
				types.FormatType(a.Types[i], -1), types.FormatType(b.Types[i], -1), i+1)
		}
		if a.Vals[i].IsNull() != b.Vals[i].IsNull() || !a.Vals[i].IsNull() && !types.Equal(t, a.Vals[i], b.Vals[i]) {
			return nil
		}
	}
	if len(a.Vals) != len(b.Vals) {
		return pgerr.New(pgerr.DatatypeMismatch, "cannot compare record types with different numbers of columns")
	}
	return nil
}

// ordering picks how to compare: directly where the representation has the order of the type.
func ordering(left, right *types.T) order {
	switch left.Name {
	case "int2", "int4", "int8", "oid", "date", "time", "timestamp", "timestamptz", "money":
		return func(a, b datum) int { return cmp.Compare(a.Int(), b.Int()) }
	case "xid", "cid":
		return func(a, b datum) int { return cmp.Compare(uint32(a.Int()), uint32(b.Int())) }
	case "xid8", "pg_lsn":
		return func(a, b datum) int { return cmp.Compare(uint64(a.Int()), uint64(b.Int())) }
	case "float4", "float8":
		return func(a, b datum) int { return types.CompareFloat(a.Float(), b.Float()) }
	case "text", "name", "bytea", "uuid", "char", "macaddr", "macaddr8":
		return func(a, b datum) int { return cmp.Compare(a.Str(), b.Str()) }
	}
	return func(a, b datum) int { return types.Compare(left, a, b) }
}

// comparer turns an ordering into one comparison function.
func comparer(op byte, o order) func(*expr.Env, datum, datum) (datum, error) {
	switch op {
	case '=':
		return func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(o(a, b) == 0), nil }
	case '!':
		return func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(o(a, b) != 0), nil }
	case '<':
		return func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(o(a, b) < 0), nil }
	case 'l':
		return func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(o(a, b) <= 0), nil }
	case '>':
		return func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(o(a, b) > 0), nil }
	case 'g':
		return func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(o(a, b) >= 0), nil }
	case 'c':
		return func(_ *expr.Env, a, b datum) (datum, error) { return types.Int(int64(o(a, b))), nil }
	case 'L':
		return func(_ *expr.Env, a, b datum) (datum, error) {
			if o(a, b) > 0 {
				return a, nil
			}
			return b, nil
		}
	}
	return func(_ *expr.Env, a, b datum) (datum, error) {
		if o(a, b) < 0 {
			return a, nil
		}
		return b, nil
	}
}
