package fn

import (
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// extremeImpls are min and max: of the type of the argument, by its default ordering.
func extremeImpls() []expr.Impl {
	maxOIDs := []uint32{2050, 2115, 2116, 2117, 2118, 2119, 2120, 2122, 2123, 2124, 2125, 2126, 2127, 2128, 2129, 2130, 2244, 2797, 3526, 3564, 4189, 5099}
	minOIDs := []uint32{2051, 2131, 2132, 2133, 2134, 2135, 2136, 2138, 2139, 2140, 2141, 2142, 2143, 2144, 2145, 2146, 2245, 2798, 3527, 3565, 4190, 5100}
	var impls []expr.Impl
	for _, x := range []struct {
		name string
		oids []uint32
		sign int
	}{{"max", maxOIDs, 1}, {"min", minOIDs, -1}} {
		for _, oid := range x.oids {
			sign := x.sign
			impls = append(impls, expr.Impl{OID: oid, Name: x.name, AggStrict: true, MakeAgg: func(c *expr.Agg) (func() expr.Aggregator, error) {
				t := c.Args[0].Type().BaseType()
				if t.Rep == types.RepInt && t.Name != "xid8" && t.Name != "pg_lsn" {
					return func() expr.Aggregator { return &extremeInt{sign: sign} }, nil
				}
				return func() expr.Aggregator { return &extreme{typ: t, sign: sign} }, nil
			}})
		}
	}
	return impls
}

// extreme is min (sign -1) or max (sign 1). Of equal values that differ (1.0 and 1.00) the last one is kept, but for
// bpchar the first.
type extreme struct {
	typ  *types.T
	sign int
	v    datum
}

func (a *extreme) Add(_ *expr.Env, args []datum) error {
	if !a.v.IsNull() {
		c := types.Compare(a.typ, args[0], a.v) * a.sign
		if c < 0 || c == 0 && a.typ.OID == types.BpcharT.OID {
			return nil
		}
	}
	a.v = args[0]
	return nil
}

func (a *extreme) Result(*expr.Env) (datum, error) { return a.v, nil }

// extremeInt is extreme over values that are ordered as integers.
type extremeInt struct {
	sign int
	any  bool
	v    int64
}

func (a *extremeInt) Add(_ *expr.Env, args []datum) error {
	x := args[0].Int()
	if !a.any || (x > a.v) == (a.sign > 0) && x != a.v {
		a.v, a.any = x, true
	}
	return nil
}

func (a *extremeInt) Result(*expr.Env) (datum, error) {
	if !a.any {
		return types.Null, nil
	}
	return types.Int(a.v), nil
}

func logicAggImpls() []expr.Impl {
	and := func() expr.Aggregator { return &boolAgg{and: true} }
	impls := []expr.Impl{
		strictAgg(2517, "bool_and", and), strictAgg(2519, "every", and),
		strictAgg(2518, "bool_or", func() expr.Aggregator { return &boolAgg{} }),
	}
	for _, x := range []struct {
		name string
		oids [3]uint32
		bits uint32
		op   byte
	}{
		{"bit_and", [3]uint32{2236, 2238, 2240}, 2242, '&'},
		{"bit_or", [3]uint32{2237, 2239, 2241}, 2243, '|'},
		{"bit_xor", [3]uint32{6164, 6165, 6166}, 6167, '#'},
	} {
		op := x.op
		for _, oid := range x.oids {
			impls = append(impls, strictAgg(oid, x.name, func() expr.Aggregator { return &bitAgg{op: op} }))
		}
		impls = append(impls, strictAgg(x.bits, x.name, func() expr.Aggregator { return &bitStringAgg{op: op} }))
	}
	return impls
}

// boolAgg is bool_and and bool_or.
type boolAgg struct {
	n, trues int64
	and      bool
}

func (a *boolAgg) count(d datum, by int64) {
	a.n += by
	if d.Bool() {
		a.trues += by
	}
}

func (a *boolAgg) Add(_ *expr.Env, args []datum) error    { a.count(args[0], 1); return nil }
func (a *boolAgg) Remove(_ *expr.Env, args []datum) error { a.count(args[0], -1); return nil }

func (a *boolAgg) Result(*expr.Env) (datum, error) {
	switch {
	case a.n == 0:
		return types.Null, nil
	case a.and:
		return types.Bool(a.trues == a.n), nil
	}
	return types.Bool(a.trues > 0), nil
}

// bitAgg is bit_and, bit_or and bit_xor over integers.
type bitAgg struct {
	op  byte
	any bool
	v   int64
}

func (a *bitAgg) Add(_ *expr.Env, args []datum) error {
	x := args[0].Int()
	switch {
	case !a.any:
		a.v, a.any = x, true
	case a.op == '&':
		a.v &= x
	case a.op == '|':
		a.v |= x
	default:
		a.v ^= x
	}
	return nil
}

func (a *bitAgg) Result(*expr.Env) (datum, error) {
	if !a.any {
		return types.Null, nil
	}
	return types.Int(a.v), nil
}

// bitStringAgg is bitAgg over bit strings.
type bitStringAgg struct {
	op byte
	v  []byte
}

func (a *bitStringAgg) Add(_ *expr.Env, args []datum) error {
	x := args[0].Str()
	if a.v == nil {
		a.v = append(make([]byte, 0, len(x)+1), x...)
		return nil
	}
	if len(x) != len(a.v) {
		name := map[byte]string{'&': "AND", '|': "OR", '#': "XOR"}[a.op]
		return pgerr.New(pgerr.StringDataLengthMismatch, "cannot %s bit strings of different sizes", name)
	}
	for i := range a.v {
		p, q := a.v[i] == '1', x[i] == '1'
		r := p != q
		switch a.op {
		case '&':
			r = p && q
		case '|':
			r = p || q
		}
		a.v[i] = '0'
		if r {
			a.v[i] = '1'
		}
	}
	return nil
}

func (a *bitStringAgg) Result(*expr.Env) (datum, error) {
	if a.v == nil {
		return types.Null, nil
	}
	return types.Str(string(a.v)), nil
}

func stringAggImpls() []expr.Impl {
	mk := func() expr.Aggregator { return &stringAgg{} }
	return []expr.Impl{{OID: 3538, Name: "string_agg", Agg: mk}, {OID: 3545, Name: "string_agg", Agg: mk}}
}

// stringAgg is string_agg of text and of bytea. Each value but the first comes after its own row's delimiter.
type stringAgg struct {
	b   strings.Builder
	any bool
}

func (a *stringAgg) Add(_ *expr.Env, args []datum) error {
	if args[0].IsNull() {
		return nil
	}
	if a.any {
		a.b.WriteString(args[1].Str())
	}
	a.any = true
	a.b.WriteString(args[0].Str())
	return nil
}

func (a *stringAgg) Result(*expr.Env) (datum, error) {
	if !a.any {
		return types.Null, nil
	}
	return types.Str(a.b.String()), nil
}

// Collects marks the aggregate as one whose state grows with every row.
func (a *stringAgg) Collects() {}
