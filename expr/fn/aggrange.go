package fn

import (
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// rangeAggImpls are the aggregates over ranges and multiranges.
func rangeAggImpls() []expr.Impl {
	mk := func(f func(sub *types.T) expr.Aggregator) func(c *expr.Agg) (func() expr.Aggregator, error) {
		return func(c *expr.Agg) (func() expr.Aggregator, error) {
			sub := c.Args[0].Type().BaseType().Subtype
			return func() expr.Aggregator { return f(sub) }, nil
		}
	}
	union := mk(func(sub *types.T) expr.Aggregator { return &rangeUnion{sub: sub} })
	return []expr.Impl{
		{OID: 4301, Name: "range_agg", MakeAgg: union, AggStrict: true},
		{OID: 6227, Name: "range_agg", MakeAgg: union, AggStrict: true},
		{OID: 4450, Name: "range_intersect_agg", MakeAgg: mk(func(sub *types.T) expr.Aggregator {
			return &rangeIntersection{sub: sub, single: true}
		}), AggStrict: true},
		{OID: 4389, Name: "range_intersect_agg", MakeAgg: mk(func(sub *types.T) expr.Aggregator {
			return &rangeIntersection{sub: sub}
		}), AggStrict: true},
	}
}

// rangesOf returns the ranges of a range or a multirange.
func rangesOf(d datum) []*types.Range {
	if m, ok := d.Ref().(*types.Multirange); ok {
		return m.Ranges
	}
	return []*types.Range{d.Range()}
}

// rangeUnion is range_agg.
type rangeUnion struct {
	sub    *types.T
	ranges []*types.Range
	any    bool
}

func (a *rangeUnion) Add(_ *expr.Env, args []datum) error {
	a.any = true
	a.ranges = append(a.ranges, rangesOf(args[0])...)
	return nil
}

func (a *rangeUnion) Result(*expr.Env) (datum, error) {
	if !a.any {
		return types.Null, nil
	}
	return types.Ref(types.NewMultirange(a.sub, a.ranges)), nil
}

// rangeIntersection is range_intersect_agg, of ranges (single) or multiranges.
type rangeIntersection struct {
	sub    *types.T
	single bool
	ranges []*types.Range
	any    bool
}

func (a *rangeIntersection) Add(_ *expr.Env, args []datum) error {
	other := rangesOf(args[0])
	if !a.any {
		a.any, a.ranges = true, other
		return nil
	}
	var both []*types.Range
	for _, r := range a.ranges {
		for _, s := range other {
			if i := intersectRanges(a.sub, r, s); !i.Empty {
				both = append(both, i)
			}
		}
	}
	a.ranges = both
	return nil
}

func (a *rangeIntersection) Result(*expr.Env) (datum, error) {
	switch {
	case !a.any:
		return types.Null, nil
	case !a.single:
		return types.Ref(types.NewMultirange(a.sub, a.ranges)), nil
	case len(a.ranges) == 0:
		return types.Ref(&types.Range{Empty: true}), nil
	}
	return types.Ref(a.ranges[0]), nil
}

// intersectRanges returns what two canonical ranges have in common, which is canonical too.
func intersectRanges(sub *types.T, a, b *types.Range) *types.Range {
	if a.Empty || b.Empty {
		return &types.Range{Empty: true}
	}
	lower, upper := a.Bounds()
	lo, up := b.Bounds()
	if types.CompareBounds(sub, lo, lower) > 0 {
		lower = lo
	}
	if types.CompareBounds(sub, up, upper) < 0 {
		upper = up
	}
	if types.CompareBounds(sub, lower, upper) > 0 {
		return &types.Range{Empty: true}
	}
	return &types.Range{Lower: lower.Val, Upper: upper.Val, LowerInc: lower.Inc, UpperInc: upper.Inc}
}

func xmlAggImpls() []expr.Impl {
	return []expr.Impl{strictAgg(2901, "xmlagg", func() expr.Aggregator { return &xmlAgg{standalone: true} })}
}

// xmlAgg concatenates XML values without their declarations; one is put in front if all said that they stand alone.
type xmlAgg struct {
	b          strings.Builder
	any        bool
	standalone bool
}

func (a *xmlAgg) Add(_ *expr.Env, args []datum) error {
	text := args[0].Str()
	a.any = true
	decl := ""
	if strings.HasPrefix(text, "<?xml ") {
		if end := strings.Index(text, "?>"); end >= 0 {
			decl, text = text[:end], text[end+2:]
		}
	}
	a.standalone = a.standalone && (strings.Contains(decl, `standalone="yes"`) || strings.Contains(decl, "standalone='yes'"))
	a.b.WriteString(text)
	return nil
}

func (a *xmlAgg) Result(*expr.Env) (datum, error) {
	switch {
	case !a.any:
		return types.Null, nil
	case a.standalone:
		return types.Str(`<?xml version="1.0" standalone="yes"?>` + a.b.String()), nil
	}
	return types.Str(a.b.String()), nil
}

// Collects marks the aggregate as one whose state grows with every row.
func (a *rangeUnion) Collects() {}

// Collects marks the aggregate as one whose state grows with every row.
func (a *xmlAgg) Collects() {}
