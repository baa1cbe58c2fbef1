package fn

import (
	"math"
	"slices"
	"strconv"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// orderedSetImpls are percentile_cont, percentile_disc and mode.
func orderedSetImpls() []expr.Impl {
	percentile := func(oid uint32, name string, out func(*percentileAgg, float64) (datum, error), multi bool) expr.Impl {
		return expr.Impl{OID: oid, Name: name, MakeAgg: func(c *expr.Agg) (func() expr.Aggregator, error) {
			elem := c.T
			if multi {
				elem = c.T.BaseType().Elem
			}
			return func() expr.Aggregator { return &percentileAgg{out: out, multi: multi, elem: elem} }, nil
		}}
	}
	disc, cont, contInterval := (*percentileAgg).discrete, (*percentileAgg).continuous, (*percentileAgg).continuousInterval
	return []expr.Impl{
		percentile(3972, "percentile_disc", disc, false), percentile(3978, "percentile_disc", disc, true),
		percentile(3974, "percentile_cont", cont, false), percentile(3980, "percentile_cont", cont, true),
		percentile(3976, "percentile_cont", contInterval, false), percentile(3982, "percentile_cont", contInterval, true),
		{OID: 3984, Name: "mode", MakeAgg: func(c *expr.Agg) (func() expr.Aggregator, error) {
			typ := c.T.BaseType()
			return func() expr.Aggregator { return &modeAgg{typ: typ} }, nil
		}},
	}
}

// percentileAgg keeps the values that are not NULL; they come in order.
type percentileAgg struct {
	vals   []datum
	direct datum
	out    func(*percentileAgg, float64) (datum, error)
	multi  bool
	elem   *types.T
}

func (a *percentileAgg) Add(_ *expr.Env, args []datum) error {
	if !args[0].IsNull() {
		a.vals = append(a.vals, args[0])
	}
	return nil
}

func (a *percentileAgg) SetDirect(_ *expr.Env, direct []datum) error {
	a.direct = direct[0]
	return nil
}

func (a *percentileAgg) Result(*expr.Env) (datum, error) {
	if a.direct.IsNull() || len(a.vals) == 0 {
		return types.Null, nil
	}
	if !a.multi {
		return a.at(a.direct)
	}
	list := a.direct.Array()
	r := &types.Array{Elem: a.elem, Dims: list.Dims, Lower: list.Lower, Vals: make([]datum, len(list.Vals))}
	for i, p := range list.Vals {
		if p.IsNull() {
			continue
		}
		v, err := a.at(p)
		if err != nil {
			return types.Null, err
		}
		r.Vals[i] = v
	}
	return types.Ref(r), nil
}

func (a *percentileAgg) at(p datum) (datum, error) {
	f := p.Float()
	if !(f >= 0 && f <= 1) {
		return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "percentile value %s is not between 0 and 1", shortFloat(f))
	}
	return a.out(a, f)
}

// shortFloat prints a float as C's %g does.
func shortFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}

func (a *percentileAgg) discrete(p float64) (datum, error) {
	return a.vals[max(0, int(math.Ceil(p*float64(len(a.vals))))-1)], nil
}

// between returns the values around a fraction, and how far between them it is.
func (a *percentileAgg) between(p float64) (lo, hi datum, part float64) {
	at := p * float64(len(a.vals)-1)
	first, second := math.Floor(at), math.Ceil(at)
	return a.vals[int(first)], a.vals[int(second)], at - first
}

func (a *percentileAgg) continuous(p float64) (datum, error) {
	lo, hi, part := a.between(p)
	if part == 0 {
		return lo, nil
	}
	return types.Float(lo.Float() + part*(hi.Float()-lo.Float())), nil
}

func (a *percentileAgg) continuousInterval(p float64) (datum, error) {
	lo, hi, part := a.between(p)
	if part == 0 {
		return lo, nil
	}
	from := lo.Interval()
	diff, err := addIntervals(hi.Interval(), &types.Interval{Micros: -from.Micros, Days: -from.Days, Months: -from.Months})
	if err != nil {
		return types.Null, err
	}
	step := multiplyInterval(&diff, part)
	r, err := addIntervals(&step, from)
	return types.Ref(&r), err
}

// modeAgg finds the most frequent value; of several, the first.
type modeAgg struct {
	typ        *types.T
	cur, best  datum
	curN, most int64
}

func (a *modeAgg) Add(_ *expr.Env, args []datum) error {
	v := args[0]
	if v.IsNull() {
		return nil
	}
	if a.curN > 0 && types.Equal(a.typ, a.cur, v) {
		a.curN++
	} else {
		a.cur, a.curN = v, 1
	}
	if a.curN > a.most {
		a.best, a.most = a.cur, a.curN
	}
	return nil
}

func (a *modeAgg) SetDirect(*expr.Env, []datum) error { return nil }
func (a *modeAgg) Result(*expr.Env) (datum, error)    { return a.best, nil }

// hypotheticalImpls are the ranks that a row of the direct arguments would have.
func hypotheticalImpls() []expr.Impl {
	mk := func(out func(*hypothetical) datum) func(c *expr.Agg) (func() expr.Aggregator, error) {
		return func(c *expr.Agg) (func() expr.Aggregator, error) {
			keys := c.OrderBy
			return func() expr.Aggregator { return &hypothetical{keys: keys, out: out} }, nil
		}
	}
	return []expr.Impl{
		{OID: 3986, Name: "rank", MakeAgg: mk(func(h *hypothetical) datum { return types.Int(h.before + 1) })},
		{OID: 3992, Name: "dense_rank", MakeAgg: mk(func(h *hypothetical) datum { return types.Int(h.groups + 1) })},
		{OID: 3988, Name: "percent_rank", MakeAgg: mk(func(h *hypothetical) datum {
			if len(h.rows) == 0 {
				return types.Float(0)
			}
			return types.Float(float64(h.before) / float64(len(h.rows)))
		})},
		{OID: 3990, Name: "cume_dist", MakeAgg: mk(func(h *hypothetical) datum {
			return types.Float(float64(h.before+h.peers+1) / float64(len(h.rows)+1))
		})},
	}
}

// hypothetical counts the rows, and the groups of equal rows, that come before a hypothetical one, and its peers.
type hypothetical struct {
	keys                  []expr.SortKey
	rows                  [][]datum
	out                   func(*hypothetical) datum
	before, groups, peers int64
}

func (h *hypothetical) Add(_ *expr.Env, args []datum) error {
	h.rows = append(h.rows, slices.Clone(args))
	return nil
}

func (h *hypothetical) SetDirect(_ *expr.Env, direct []datum) error {
	h.before, h.groups, h.peers = 0, 0, 0
	for i, row := range h.rows {
		switch c := h.compare(row, direct); {
		case c == 0:
			h.peers++
		case c < 0:
			h.before++
			if i == 0 || h.compare(row, h.rows[i-1]) != 0 {
				h.groups++
			}
		}
	}
	return nil
}

func (h *hypothetical) compare(a, b []datum) int {
	for i, k := range h.keys {
		x, y := a[i], b[i]
		c := 0
		switch {
		case x.IsNull() && y.IsNull():
			continue
		case x.IsNull():
			c = 1
		case y.IsNull():
			c = -1
		default:
			c = types.Compare(k.X.Type().BaseType(), x, y)
			if k.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
			continue
		}
		if k.NullsFirst {
			c = -c
		}
		return c
	}
	return 0
}

func (h *hypothetical) Result(*expr.Env) (datum, error) { return h.out(h), nil }

// Collects marks the aggregate as one whose state grows with every row.
func (a *percentileAgg) Collects() {}

// Collects marks the aggregate as one whose state grows with every row.
func (h *hypothetical) Collects() {}
