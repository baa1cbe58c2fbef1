package fn

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// extensionImpls are the functions of the extensions that CREATE EXTENSION installs. Their OIDs are those of
// types/facts/ext_proc.tsv.
func extensionImpls() []expr.Impl {
	var out []expr.Impl
	for _, family := range [][]expr.Impl{
		citextImpls(), hstoreImpls(), uuidImpls(), cryptoImpls(), trigramImpls(), unaccentImpls(), fuzzyImpls(), ltreeImpls(), cubeImpls(), intarrayImpls(),
		gistImpls(),
	} {
		out = append(out, family...)
	}
	return out
}

// orderBy makes a comparison function by the default btree class of its arguments' type.
func orderBy(oid uint32, name string, result func(c int) datum) expr.Impl {
	return expr.Impl{OID: oid, Name: name, Make: func(c *expr.Call) (expr.EvalFunc, error) {
		t := c.Args[0].Type()
		return func(_ *expr.Env, args []datum) (datum, error) { return result(types.Compare(t, args[0], args[1])), nil }, nil
	}}
}

// orderings are the comparison functions of a type: their OIDs in the order cmp, eq, ge, gt, le, lt, ne, and their names' prefix.
func orderings(prefix string, oids [7]uint32) []expr.Impl {
	return []expr.Impl{
		orderBy(oids[0], prefix+"cmp", func(c int) datum { return types.Int(int64(c)) }),
		orderBy(oids[1], prefix+"eq", func(c int) datum { return types.Bool(c == 0) }),
		orderBy(oids[2], prefix+"ge", func(c int) datum { return types.Bool(c >= 0) }),
		orderBy(oids[3], prefix+"gt", func(c int) datum { return types.Bool(c > 0) }),
		orderBy(oids[4], prefix+"le", func(c int) datum { return types.Bool(c <= 0) }),
		orderBy(oids[5], prefix+"lt", func(c int) datum { return types.Bool(c < 0) }),
		orderBy(oids[6], prefix+"ne", func(c int) datum { return types.Bool(c != 0) }),
	}
}

// implOf finds an implementation in a family.
func implOf(family []expr.Impl, oid uint32) expr.Impl {
	for _, i := range family {
		if i.OID == oid {
			return i
		}
	}
	panic("fn: no such function")
}

// texts returns the elements of a text array that are not NULL.
func texts(d datum) []string {
	var out []string
	for _, v := range d.Array().Vals {
		if !v.IsNull() {
			out = append(out, v.Str())
		}
	}
	return out
}

// strs makes a text array.
func strs(list []string) datum {
	vals := make([]datum, len(list))
	for i, s := range list {
		vals[i] = types.Str(s)
	}
	return types.NewArray(types.TextT, vals)
}
