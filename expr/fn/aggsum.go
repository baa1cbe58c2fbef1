package fn

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func sumImpls() []expr.Impl {
	smallSum := func() expr.Aggregator { return &intSum{} }
	return []expr.Impl{
		strictAgg(2107, "sum", func() expr.Aggregator { return &intSum{out: sumNumeric} }),
		strictAgg(2108, "sum", smallSum), strictAgg(2109, "sum", smallSum),
		strictAgg(2110, "sum", func() expr.Aggregator { return &floatSum{bits: 32} }),
		strictAgg(2111, "sum", func() expr.Aggregator { return &floatSum{bits: 64} }),
		strictAgg(2112, "sum", func() expr.Aggregator { return &intSum{out: sumMoney} }),
		strictAgg(2113, "sum", func() expr.Aggregator { return &intervalSum{} }),
		strictAgg(2114, "sum", func() expr.Aggregator { return &numericSum{out: (*numericSum).sum} }),
		strictAgg(2100, "avg", func() expr.Aggregator { return &intSum{out: sumAverage} }),
		strictAgg(2101, "avg", func() expr.Aggregator { return &intSum{out: sumAverage} }),
		strictAgg(2102, "avg", func() expr.Aggregator { return &intSum{out: sumAverage} }),
		strictAgg(2103, "avg", func() expr.Aggregator { return &numericSum{out: (*numericSum).average} }),
		strictAgg(2104, "avg", func() expr.Aggregator { return &floatStats{out: floatAverage} }),
		strictAgg(2105, "avg", func() expr.Aggregator { return &floatStats{out: floatAverage} }),
		strictAgg(2106, "avg", func() expr.Aggregator { return &intervalSum{average: true} }),
	}
}

// int128 is a sum of products of int64s.
type int128 struct {
	hi int64
	lo uint64
}

func (s *int128) add(n int64) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, uint64(n), 0)
	s.hi += n>>63 + int64(carry)
}

func (s *int128) decimal() *apd.Decimal {
	d := &apd.Decimal{}
	if s.hi == int64(s.lo)>>63 {
		d.SetInt64(int64(s.lo))
		return d
	}
	b := new(big.Int).Lsh(big.NewInt(s.hi), 64)
	b.Add(b, new(big.Int).SetUint64(s.lo))
	if b.Sign() < 0 {
		d.Negative = true
		b.Neg(b)
	}
	d.Coeff.SetMathBigInt(b)
	return d
}

// sumOut says what an integer sum gives.
type sumOut uint8

const (
	sumInt8 sumOut = iota
	sumNumeric
	sumMoney
	sumAverage
)

// intSum is sum and avg over integers and money.
type intSum struct {
	s   int128
	n   int64
	out sumOut
}

func (a *intSum) Add(_ *expr.Env, args []datum) error {
	a.s.add(args[0].Int())
	a.n++
	return nil
}

func (a *intSum) Remove(_ *expr.Env, args []datum) error {
	n := args[0].Int()
	a.n--
	if n == math.MinInt64 {
		a.s.add(math.MaxInt64)
		n = -1
	}
	a.s.add(-n)
	return nil
}

func (a *intSum) Result(*expr.Env) (datum, error) {
	if a.n == 0 {
		return types.Null, nil
	}
	switch a.out {
	case sumNumeric:
		return types.Num(a.s.decimal()), nil
	case sumAverage:
		d, err := NumericDiv(a.s.decimal(), apd.New(a.n, 0))
		if err != nil {
			return types.Null, err
		}
		return tidy(d)
	}
	return types.Int(int64(a.s.lo)), nil
}

// numericSum is sum and avg over numerics, and with squares the variances. It remembers how many values had each scale:
// when rows leave a window frame, the sum's scale is that of the rest.
type numericSum struct {
	n              int64
	nans           int64
	posInf, negInf int64
	x, xx          apd.Decimal
	squares        bool
	scales         []int64
	out            func(*numericSum) (*apd.Decimal, error)
}

func (a *numericSum) Add(_ *expr.Env, args []datum) error { return a.accumulate(args[0].Num(), 1) }

func (a *numericSum) Remove(_ *expr.Env, args []datum) error {
	return a.accumulate(args[0].Num(), -1)
}

func (a *numericSum) accumulate(d *apd.Decimal, by int64) error {
	a.n += by
	switch {
	case types.IsNaN(d):
		a.nans += by
		return nil
	case d.Form == apd.Infinite && d.Negative:
		a.negInf += by
		return nil
	case d.Form == apd.Infinite:
		a.posInf += by
		return nil
	}
	scale := int(types.NumericScale(d))
	for scale >= len(a.scales) {
		a.scales = append(a.scales, 0)
	}
	a.scales[scale] += by
	op := exactContext().Add
	if by < 0 {
		op = exactContext().Sub
	}
	if _, err := op(&a.x, &a.x, d); err != nil {
		return numericOverflow()
	}
	if !a.squares {
		return nil
	}
	sq, err := numMul(d, d)
	if err == nil {
		if _, err = op(&a.xx, &a.xx, sq); err != nil {
			return numericOverflow()
		}
	}
	return err
}

// special returns the result when not all values are finite, nil otherwise.
func (a *numericSum) special() *apd.Decimal {
	switch {
	case a.nans > 0, a.posInf > 0 && a.negInf > 0:
		return nan()
	case a.posInf > 0:
		return infinity(false)
	case a.negInf > 0:
		return infinity(true)
	}
	return nil
}

// sum returns the sum with the largest scale of the values.
func (a *numericSum) sum() (*apd.Decimal, error) {
	if s := a.special(); s != nil {
		return s, nil
	}
	scale := len(a.scales) - 1
	for scale > 0 && a.scales[scale] == 0 {
		scale--
	}
	return types.RoundNumeric(&a.x, int32(max(scale, 0))), nil
}

func (a *numericSum) average() (*apd.Decimal, error) {
	s, err := a.sum()
	if err != nil || s.Form != apd.Finite {
		return s, err
	}
	return NumericDiv(s, apd.New(a.n, 0))
}

func (a *numericSum) Result(*expr.Env) (datum, error) {
	if a.n == 0 {
		return types.Null, nil
	}
	d, err := a.out(a)
	if err != nil || d == nil {
		return types.Null, err
	}
	if d == &a.x {
		d = new(apd.Decimal).Set(d)
	}
	return tidy(d)
}

// floatSum is sum over floats, in the precision of their type.
type floatSum struct {
	s    float64
	any  bool
	bits int
}

func (a *floatSum) Add(_ *expr.Env, args []datum) error {
	x := args[0].Float()
	if !a.any {
		a.s, a.any = x, true
		return nil
	}
	s := a.s + x
	if a.bits == 32 {
		s = float64(float32(a.s) + float32(x))
	}
	if math.IsInf(s, 0) && !math.IsInf(a.s, 0) && !math.IsInf(x, 0) {
		return aggOverflow()
	}
	a.s = s
	return nil
}

func (a *floatSum) Result(*expr.Env) (datum, error) {
	if !a.any {
		return types.Null, nil
	}
	return types.Float(a.s), nil
}

func aggOverflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value out of range: overflow")
}

// intervalSum is sum and avg over intervals.
type intervalSum struct {
	s       types.Interval
	n       int64
	average bool
}

func (a *intervalSum) Add(_ *expr.Env, args []datum) error {
	a.n++
	s, err := addIntervals(&a.s, args[0].Interval())
	a.s = s
	return err
}

func (a *intervalSum) Remove(_ *expr.Env, args []datum) error {
	a.n--
	v := args[0].Interval()
	s, err := addIntervals(&a.s, &types.Interval{Micros: -v.Micros, Days: -v.Days, Months: -v.Months})
	a.s = s
	return err
}

func (a *intervalSum) Result(*expr.Env) (datum, error) {
	if a.n == 0 {
		return types.Null, nil
	}
	v := a.s
	if a.average {
		v = divideInterval(&a.s, float64(a.n))
	}
	return types.Ref(&v), nil
}

func addIntervals(a, b *types.Interval) (types.Interval, error) {
	months, days := int64(a.Months)+int64(b.Months), int64(a.Days)+int64(b.Days)
	micros := a.Micros + b.Micros
	overflow := (a.Micros < 0) == (b.Micros < 0) && (micros < 0) != (a.Micros < 0)
	if overflow || months != int64(int32(months)) || days != int64(int32(days)) {
		return *a, pgerr.New(pgerr.DatetimeFieldOverflow, "interval out of range")
	}
	return types.Interval{Micros: micros, Days: int32(days), Months: int32(months)}, nil
}

// divideInterval divides as PostgreSQL does: what is left of months becomes days of 30 a month, and what is left of days
// becomes time, rounded to microseconds in between.
func divideInterval(v *types.Interval, by float64) types.Interval { return scaleInterval(v, 1/by, by) }

// multiplyInterval is divideInterval for a factor.
func multiplyInterval(v *types.Interval, by float64) types.Interval { return scaleInterval(v, by, 0) }

// scaleInterval multiplies by a factor, or divides by a divisor that is not 0.
func scaleInterval(v *types.Interval, factor, divisor float64) types.Interval {
	scale := func(x float64) float64 {
		if divisor != 0 {
			return x / divisor
		}
		return x * factor
	}
	months, days := scale(float64(v.Months)), scale(float64(v.Days))
	r := types.Interval{Months: int32(months), Days: int32(days)}
	monthDays := roundMicro((months - float64(r.Months)) * 30)
	seconds := roundMicro((days - float64(r.Days) + monthDays - math.Trunc(monthDays)) * 86400)
	if math.Abs(seconds) >= 86400 {
		r.Days += int32(seconds / 86400)
		seconds -= math.Trunc(seconds/86400) * 86400
	}
	r.Days += int32(monthDays)
	r.Micros = int64(math.RoundToEven(scale(float64(v.Micros)) + seconds*1e6))
	return r
}

func roundMicro(x float64) float64 { return math.RoundToEven(x*1e6) / 1e6 }
