package fn

import (
	"math"
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// statImpls are the variances and standard deviations, of one argument.
func statImpls() []expr.Impl {
	var impls []expr.Impl
	for _, s := range []struct {
		name string
		oids [6]uint32 // int8 int4 int2 float4 float8 numeric
		stat spread
	}{
		{"variance", [6]uint32{2148, 2149, 2150, 2151, 2152, 2153}, spread{sample: true}},
		{"var_samp", [6]uint32{2641, 2642, 2643, 2644, 2645, 2646}, spread{sample: true}},
		{"var_pop", [6]uint32{2718, 2719, 2720, 2721, 2722, 2723}, spread{}},
		{"stddev", [6]uint32{2154, 2155, 2156, 2157, 2158, 2159}, spread{sample: true, root: true}},
		{"stddev_samp", [6]uint32{2712, 2713, 2714, 2715, 2716, 2717}, spread{sample: true, root: true}},
		{"stddev_pop", [6]uint32{2724, 2725, 2726, 2727, 2728, 2729}, spread{root: true}},
	} {
		stat := s.stat
		for i, oid := range s.oids {
			mk := func() expr.Aggregator { return &numericSum{squares: true, out: stat.ofNumerics} }
			switch i {
			case 0, 1, 2:
				mk = func() expr.Aggregator {
					return &intStats{numericSum{squares: true, out: stat.ofNumerics}}
				}
			case 3, 4:
				mk = func() expr.Aggregator { return &floatStats{out: stat.ofFloats} }
			}
			impls = append(impls, strictAgg(oid, s.name, mk))
		}
	}
	return impls
}

// spread says which measure of spread is wanted.
type spread struct{ sample, root bool }

// intStats adds integers to a numericSum.
type intStats struct{ numericSum }

func (a *intStats) Add(_ *expr.Env, args []datum) error {
	return a.accumulate(apd.New(args[0].Int(), 0), 1)
}

func (a *intStats) Remove(_ *expr.Env, args []datum) error {
	return a.accumulate(apd.New(args[0].Int(), 0), -1)
}

// ofNumerics computes (n Σx² - (Σx)²) / (n (n-1)), or over n² for a population, exactly up to the division, whose scale is
// that of numeric division; nil is NULL.
func (s spread) ofNumerics(a *numericSum) (*apd.Decimal, error) {
	if s.sample && a.n <= 1 {
		return nil, nil
	}
	if a.nans > 0 || a.posInf > 0 || a.negInf > 0 {
		return nan(), nil
	}
	n := apd.New(a.n, 0)
	nxx, err := numMul(&a.xx, n)
	if err != nil {
		return nil, err
	}
	x2, err := numMul(&a.x, &a.x)
	if err != nil {
		return nil, err
	}
	num, err := numSub(nxx, x2)
	if err != nil {
		return nil, err
	}
	if num.Sign() <= 0 {
		return apd.New(0, 0), nil
	}
	sum, err := a.sum()
	if err != nil {
		return nil, err
	}
	num = types.RoundNumeric(num, 2*types.NumericScale(sum))
	other := n
	if s.sample {
		other = apd.New(a.n-1, 0)
	}
	den, err := numMul(n, other)
	if err != nil {
		return nil, err
	}
	scale := divScale(num, den)
	v := quotient(num, den, scale, true)
	if s.root {
		return sqrtTo(v, scale), nil
	}
	return v, nil
}

// sqrtTo returns the square root of a value that is not negative, rounded to a scale.
func sqrtTo(d *apd.Decimal, scale int32) *apd.Decimal {
	// With one digit more than wanted, the root of the integer tells how to round.
	v := new(big.Int).Set(d.Coeff.MathBigInt())
	shift := 2*(scale+1) + d.Exponent
	ten := big.NewInt(10)
	if shift >= 0 {
		v.Mul(v, new(big.Int).Exp(ten, big.NewInt(int64(shift)), nil))
	} else {
		v.Quo(v, new(big.Int).Exp(ten, big.NewInt(int64(-shift)), nil))
	}
	v.Sqrt(v)
	r := &apd.Decimal{Exponent: -(scale + 1)}
	r.Coeff.SetMathBigInt(v)
	return types.RoundNumeric(r, scale)
}

// floatStats keeps count, sum and sum of squared deviations of floats by the method of Youngs and Cramer.
type floatStats struct {
	n, sx, sxx float64
	out        func(*floatStats) datum
}

func (a *floatStats) Add(_ *expr.Env, args []datum) error {
	x := args[0].Float()
	prevN, prevSx := a.n, a.sx
	a.n++
	a.sx += x
	if prevN == 0 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			a.sxx = math.NaN()
		}
		return nil
	}
	dev := x*a.n - a.sx
	a.sxx += dev * dev / (a.n * prevN)
	if math.IsInf(a.sx, 0) || math.IsInf(a.sxx, 0) {
		if !math.IsInf(prevSx, 0) && !math.IsInf(x, 0) {
			return aggOverflow()
		}
		a.sxx = math.NaN()
	}
	return nil
}

func (a *floatStats) Result(*expr.Env) (datum, error) {
	if a.n == 0 {
		return types.Null, nil
	}
	return a.out(a), nil
}

func floatAverage(a *floatStats) datum { return types.Float(a.sx / a.n) }

func (s spread) ofFloats(a *floatStats) datum {
	n := a.n
	if s.sample {
		n--
	}
	if n <= 0 {
		return types.Null
	}
	v := a.sxx / n
	if s.root {
		v = math.Sqrt(v)
	}
	return types.Float(v)
}

// regressionImpls are the aggregates of two arguments, Y and X.
func regressionImpls() []expr.Impl {
	var impls []expr.Impl
	for _, r := range []struct {
		oid  uint32
		name string
		out  func(a *pairStats) (v float64, ok bool)
	}{
		{2819, "regr_sxx", func(a *pairStats) (float64, bool) { return a.sxx, true }},
		{2820, "regr_syy", func(a *pairStats) (float64, bool) { return a.syy, true }},
		{2821, "regr_sxy", func(a *pairStats) (float64, bool) { return a.sxy, true }},
		{2822, "regr_avgx", func(a *pairStats) (float64, bool) { return a.sx / a.n, true }},
		{2823, "regr_avgy", func(a *pairStats) (float64, bool) { return a.sy / a.n, true }},
		{2824, "regr_r2", (*pairStats).r2},
		{2825, "regr_slope", func(a *pairStats) (float64, bool) { return a.sxy / a.sxx, a.sxx != 0 }},
		{2826, "regr_intercept", func(a *pairStats) (float64, bool) {
			return (a.sy - a.sx*a.sxy/a.sxx) / a.n, a.sxx != 0
		}},
		{2827, "covar_pop", func(a *pairStats) (float64, bool) { return a.sxy / a.n, true }},
		{2828, "covar_samp", func(a *pairStats) (float64, bool) { return a.sxy / (a.n - 1), a.n >= 2 }},
		{2829, "corr", func(a *pairStats) (float64, bool) {
			return a.sxy / math.Sqrt(a.sxx*a.syy), a.sxx != 0 && a.syy != 0
		}},
	} {
		out := r.out
		impls = append(impls, strictAgg(r.oid, r.name, func() expr.Aggregator { return &pairStats{out: out} }))
	}
	return impls
}

// pairStats is floatStats for pairs.
type pairStats struct {
	n, sx, sxx, sy, syy, sxy float64
	out                      func(*pairStats) (float64, bool)
}

func (a *pairStats) r2() (float64, bool) {
	if a.sxx == 0 {
		return 0, false
	}
	if a.syy == 0 {
		return 1, true
	}
	return a.sxy * a.sxy / (a.sxx * a.syy), true
}

func (a *pairStats) Add(_ *expr.Env, args []datum) error {
	y, x := args[0].Float(), args[1].Float()
	prev := *a
	a.n++
	a.sx += x
	a.sy += y
	if prev.n == 0 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			a.sxx, a.sxy = math.NaN(), math.NaN()
		}
		if math.IsNaN(y) || math.IsInf(y, 0) {
			a.syy, a.sxy = math.NaN(), math.NaN()
		}
		return nil
	}
	dx, dy, scale := x*a.n-a.sx, y*a.n-a.sy, 1/(a.n*prev.n)
	a.sxx += dx * dx * scale
	a.syy += dy * dy * scale
	a.sxy += dx * dy * scale
	return a.checkOverflow(&prev, x, y)
}

// checkOverflow raises an error where finite values gave an infinite sum; sums over infinite values become NaN.
func (a *pairStats) checkOverflow(prev *pairStats, x, y float64) error {
	inf := func(f float64) bool { return math.IsInf(f, 0) }
	if !inf(a.sx) && !inf(a.sxx) && !inf(a.sy) && !inf(a.syy) && !inf(a.sxy) {
		return nil
	}
	finiteX, finiteY := !inf(prev.sx) && !inf(x), !inf(prev.sy) && !inf(y)
	if (inf(a.sx) || inf(a.sxx)) && finiteX || (inf(a.sy) || inf(a.syy)) && finiteY || inf(a.sxy) && finiteX && finiteY {
		return aggOverflow()
	}
	for _, s := range []*float64{&a.sxx, &a.syy, &a.sxy} {
		if inf(*s) {
			*s = math.NaN()
		}
	}
	return nil
}

func (a *pairStats) Result(*expr.Env) (datum, error) {
	if a.n == 0 {
		return types.Null, nil
	}
	v, ok := a.out(a)
	if !ok {
		return types.Null, nil
	}
	return types.Float(v), nil
}
