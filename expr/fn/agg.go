package fn

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// aggregateImpls are the aggregates of pg_proc.
func aggregateImpls() []expr.Impl {
	var all []expr.Impl
	for _, part := range [][]expr.Impl{
		countImpls(), sumImpls(), extremeImpls(), logicAggImpls(), statImpls(), regressionImpls(), stringAggImpls(),
		arrayAggImpls(), orderedSetImpls(), hypotheticalImpls(), jsonAggImpls(), rangeAggImpls(), xmlAggImpls(),
	} {
		all = append(all, part...)
	}
	for i := range all {
		all[i].Why = "the aggregate is computed by the server"
	}
	return all
}

// strictAgg is an aggregate whose transition function is strict.
func strictAgg(oid uint32, name string, mk func() expr.Aggregator) expr.Impl {
	return expr.Impl{OID: oid, Name: name, Agg: mk, AggStrict: true}
}

func countImpls() []expr.Impl {
	count := func() expr.Aggregator { return &countAgg{} }
	return []expr.Impl{
		strictAgg(2147, "count", count),
		{OID: 2803, Name: "count", Agg: count},
		strictAgg(2818, "regr_count", count),
	}
}

// countAgg counts rows.
type countAgg struct{ n int64 }

func (a *countAgg) Add(*expr.Env, []datum) error    { a.n++; return nil }
func (a *countAgg) Remove(*expr.Env, []datum) error { a.n--; return nil }
func (a *countAgg) Result(*expr.Env) (datum, error) { return types.Int(a.n), nil }
func arrayAggImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 2335, Name: "array_agg", MakeAgg: func(c *expr.Agg) (func() expr.Aggregator, error) {
			elem := c.Args[0].Type()
			return func() expr.Aggregator { return &arrayAgg{elem: elem} }, nil
		}},
		{OID: 4053, Name: "array_agg", MakeAgg: func(c *expr.Agg) (func() expr.Aggregator, error) {
			typ := c.Args[0].Type()
			return func() expr.Aggregator { return &arrayArrayAgg{typ: typ} }, nil
		}},
	}
}
