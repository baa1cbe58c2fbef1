package fn

import (
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// PostgreSQL's limits of computed numerics.
const (
	minSigDigits    = 16
	maxDisplayScale = 1000
	maxScale        = 16383
	maxIntDigits    = 131072
)

func numericOverflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value overflows numeric format")
}

func nan() *apd.Decimal { return &apd.Decimal{Form: apd.NaN} }

func infinity(negative bool) *apd.Decimal {
	return &apd.Decimal{Form: apd.Infinite, Negative: negative}
}

func finite(ds ...*apd.Decimal) bool {
	for _, d := range ds {
		if d.Form != apd.Finite {
			return false
		}
	}
	return true
}

func anyNaN(ds ...*apd.Decimal) bool {
	for _, d := range ds {
		if types.IsNaN(d) {
			return true
		}
	}
	return false
}

// numSign is -1, 0 or 1; infinities have their sign.
func numSign(d *apd.Decimal) int {
	if d.Form == apd.Infinite {
		if d.Negative {
			return -1
		}
		return 1
	}
	return d.Sign()
}

// tidy checks the limits of a result and brings it to the invariant form: exponent at most 0, no negative zero.
func tidy(d *apd.Decimal) (datum, error) {
	if d.Form == apd.Finite {
		if d.Exponent > 0 || d.Coeff.Sign() == 0 && d.Negative {
			d = types.RoundNumeric(d, max(0, -d.Exponent))
		}
		if -d.Exponent > maxScale {
			d = types.RoundNumeric(d, maxScale)
		}
		if d.NumDigits()+int64(d.Exponent) > maxIntDigits {
			return types.Null, numericOverflow()
		}
	}
	return types.Num(d), nil
}

// numOp is a numeric operator on finite operands, with what it gives on special ones.
func numOp(f func(a, b *apd.Decimal) (*apd.Decimal, error), special func(a, b *apd.Decimal) (*apd.Decimal, error)) f2 {
	return func(_ *expr.Env, x, y datum) (datum, error) {
		a, b := x.Num(), y.Num()
		var r *apd.Decimal
		var err error
		switch {
		case anyNaN(a, b):
			return types.Num(nan()), nil
		case finite(a, b):
			r, err = f(a, b)
		default:
			r, err = special(a, b)
		}
		if err != nil {
			return types.Null, err
		}
		return tidy(r)
	}
}

func exact(f func(r, a, b *apd.Decimal) (apd.Condition, error)) func(a, b *apd.Decimal) (*apd.Decimal, error) {
	return func(a, b *apd.Decimal) (*apd.Decimal, error) {
		r := new(apd.Decimal)
		if _, err := f(r, a, b); err != nil {
			return nil, numericOverflow()
		}
		return r, nil
	}
}

func exactContext() *apd.Context {
	return &apd.Context{MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent}
}

// numAdd adds finite numerics exactly.
func numAdd(a, b *apd.Decimal) (*apd.Decimal, error) { return exact(exactContext().Add)(a, b) }

// numSub subtracts finite numerics exactly.
func numSub(a, b *apd.Decimal) (*apd.Decimal, error) { return exact(exactContext().Sub)(a, b) }

// numMul multiplies finite numerics exactly.
func numMul(a, b *apd.Decimal) (*apd.Decimal, error) { return exact(exactContext().Mul)(a, b) }

func infSum(a, b *apd.Decimal) (*apd.Decimal, error) {
	switch {
	case a.Form == apd.Infinite && b.Form == apd.Infinite && a.Negative != b.Negative:
		return nan(), nil
	case a.Form == apd.Infinite:
		return a, nil
	}
	return b, nil
}

func negated(d *apd.Decimal) *apd.Decimal {
	r := new(apd.Decimal).Set(d)
	if !types.IsNaN(r) && !r.IsZero() {
		r.Negative = !r.Negative
	}
	return r
}

func infProduct(a, b *apd.Decimal) (*apd.Decimal, error) {
	if s := numSign(a) * numSign(b); s != 0 {
		return infinity(s < 0), nil
	}
	return nan(), nil
}

// leading gives the weight of a value's first base-10000 digit and that digit; 0, 0 for zero. PostgreSQL's result scales
// are defined by them.
func leading(d *apd.Decimal) (weight int, digit int64) {
	if d.Coeff.Sign() == 0 {
		return 0, 0
	}
	digits := d.Coeff.Append(nil, 10)
	p := len(digits) + int(d.Exponent) - 1
	weight = p / 4
	if p < 0 && p%4 != 0 {
		weight--
	}
	for i := range p - 4*weight + 1 {
		digit *= 10
		if i < len(digits) {
			digit += int64(digits[i] - '0')
		}
	}
	return weight, digit
}

func clampScale(s int, ds ...*apd.Decimal) int32 {
	for _, d := range ds {
		s = max(s, int(types.NumericScale(d)))
	}
	return int32(min(max(s, 0), maxDisplayScale))
}

// divScale is the scale of a quotient: at least 16 significant digits, and no fewer than either operand shows.
func divScale(a, b *apd.Decimal) int32 {
	wa, da := leading(a)
	wb, db := leading(b)
	q := wa - wb
	if da <= db {
		q--
	}
	return clampScale(minSigDigits-4*q, a, b)
}

func bigPow10(n int32) *apd.BigInt {
	return new(apd.BigInt).Exp(apd.NewBigInt(10), apd.NewBigInt(int64(n)), nil)
}

// quotient divides finite numerics to a scale, rounding half away from zero or cutting off.
func quotient(a, b *apd.Decimal, scale int32, round bool) *apd.Decimal {
	num, den := new(apd.BigInt).Set(&a.Coeff), new(apd.BigInt).Set(&b.Coeff)
	if shift := scale + a.Exponent - b.Exponent; shift >= 0 {
		num.Mul(num, bigPow10(shift))
	} else {
		den.Mul(den, bigPow10(-shift))
	}
	var rem apd.BigInt
	r := &apd.Decimal{Exponent: -scale, Negative: a.Negative != b.Negative}
	r.Coeff.QuoRem(num, den, &rem)
	if round {
		rem.Add(&rem, &rem)
		if rem.Cmp(den) >= 0 {
			r.Coeff.Add(&r.Coeff, apd.NewBigInt(1))
		}
	}
	if r.Coeff.Sign() == 0 {
		r.Negative = false
	}
	return r
}

// NumericDiv divides numerics as the / operator does, with its result scale.
func NumericDiv(a, b *apd.Decimal) (*apd.Decimal, error) {
	if b.IsZero() {
		return nil, divisionByZero()
	}
	return quotient(a, b, divScale(a, b), true), nil
}

func infQuotient(a, b *apd.Decimal) (*apd.Decimal, error) {
	switch {
	case b.Form == apd.Infinite && a.Form == apd.Infinite:
		return nan(), nil
	case b.Form == apd.Infinite:
		return apd.New(0, 0), nil
	case b.IsZero():
		return nil, divisionByZero()
	}
	return infinity(numSign(a)*numSign(b) < 0), nil
}

func divTrunc(a, b *apd.Decimal) (*apd.Decimal, error) {
	if b.IsZero() {
		return nil, divisionByZero()
	}
	return quotient(a, b, 0, false), nil
}

// aligned brings two coefficients to one scale.
func aligned(a, b *apd.Decimal) (x, y *apd.BigInt, exponent int32) {
	x, y = new(apd.BigInt).Set(&a.Coeff), new(apd.BigInt).Set(&b.Coeff)
	exponent = min(a.Exponent, b.Exponent)
	if a.Exponent > exponent {
		x.Mul(x, bigPow10(a.Exponent-exponent))
	}
	if b.Exponent > exponent {
		y.Mul(y, bigPow10(b.Exponent-exponent))
	}
	return x, y, exponent
}

// numMod is the remainder with the sign of the dividend.
func numMod(a, b *apd.Decimal) (*apd.Decimal, error) {
	if b.IsZero() {
		return nil, divisionByZero()
	}
	x, y, e := aligned(a, b)
	r := &apd.Decimal{Exponent: e, Negative: a.Negative}
	r.Coeff.Rem(x, y)
	return r, nil
}

func infMod(a, b *apd.Decimal) (*apd.Decimal, error) {
	if a.Form == apd.Infinite {
		if b.Form == apd.Finite && b.IsZero() {
			return nil, divisionByZero()
		}
		return nan(), nil
	}
	return a, nil
}

func numGCD(a, b *apd.Decimal) (*apd.Decimal, error) {
	x, y, e := aligned(a, b)
	r := &apd.Decimal{Exponent: e}
	r.Coeff.GCD(nil, nil, x, y)
	return r, nil
}

func numLCM(a, b *apd.Decimal) (*apd.Decimal, error) {
	x, y, e := aligned(a, b)
	r := &apd.Decimal{Exponent: e}
	if x.Sign() == 0 || y.Sign() == 0 {
		return r, nil
	}
	g := new(apd.BigInt).GCD(nil, nil, x, y)
	r.Coeff.Mul(x.Quo(x, g), y)
	return r, nil
}

func nanResult(_, _ *apd.Decimal) (*apd.Decimal, error) { return nan(), nil }

// numFn is a function of one numeric; special values pass unchanged.
func numFn(f func(d *apd.Decimal) *apd.Decimal) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		if a.Num().Form != apd.Finite {
			return a, nil
		}
		return tidy(f(a.Num()))
	}
}

// towards rounds to an integer towards positive or negative infinity.
func towards(up bool) func(*apd.Decimal) *apd.Decimal {
	return func(d *apd.Decimal) *apd.Decimal {
		one := apd.New(1, 0)
		r := quotient(d, one, 0, false)
		if d.Negative != up && r.Cmp(d) != 0 {
			r.Negative = d.Negative
			r.Coeff.Add(&r.Coeff, apd.NewBigInt(1))
		}
		return r
	}
}

func truncScale(d *apd.Decimal, scale int32) *apd.Decimal {
	r := quotient(d, apd.New(1, 0), scale, false)
	return types.RoundNumeric(r, max(scale, 0))
}

func clampDigits(n int64) int32 { return int32(min(max(n, -maxIntDigits-1), maxScale)) }

func numAbs(_ *expr.Env, a datum) (datum, error) {
	if !a.Num().Negative {
		return a, nil
	}
	return types.Num(negated(a.Num())), nil
}

func numNeg(_ *expr.Env, a datum) (datum, error) { return types.Num(negated(a.Num())), nil }

func numSignFn(_ *expr.Env, a datum) (datum, error) {
	if types.IsNaN(a.Num()) {
		return a, nil
	}
	return types.Num(apd.New(int64(numSign(a.Num())), 0)), nil
}

// trimmed is the smallest scale that shows a value in full.
func trimmed(d *apd.Decimal) int32 {
	scale := types.NumericScale(d)
	if d.IsZero() {
		return 0
	}
	digits := d.Coeff.Append(nil, 10)
	for i := len(digits) - 1; scale > 0 && digits[i] == '0'; i-- {
		scale--
	}
	return scale
}

func scaleFn(f func(*apd.Decimal) int32) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		d := args[0].Num()
		if d.Form != apd.Finite {
			return types.Null, nil
		}
		return types.Int(int64(f(d))), nil
	}
}

func factorial(_ *expr.Env, a datum) (datum, error) {
	n := a.Int()
	if n < 0 {
		return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "factorial of a negative number is undefined")
	}
	if n > 32177 {
		return types.Null, numericOverflow()
	}
	r := apd.NewBigInt(1)
	for i := int64(2); i <= n; i++ {
		r.Mul(r, apd.NewBigInt(i))
	}
	return types.Num(apd.NewWithBigInt(r, 0)), nil
}

func widthBucketNumeric(_ *expr.Env, args []datum) (datum, error) {
	x, lo, hi, n := args[0].Num(), args[1].Num(), args[2].Num(), args[3].Int()
	bad := func(msg string) (datum, error) {
		return types.Null, pgerr.New(pgerr.InvalidArgumentForWidthBucketFunction, "%s", msg)
	}
	switch {
	case n <= 0:
		return bad("count must be greater than zero")
	case anyNaN(x, lo, hi):
		return bad("operand, lower bound, and upper bound cannot be NaN")
	case lo.Form == apd.Infinite || hi.Form == apd.Infinite:
		return bad("lower and upper bounds must be finite")
	}
	c := lo.Cmp(hi)
	if c == 0 {
		return bad("lower bound cannot equal upper bound")
	}
	if c > 0 { // descending bounds: mirror everything
		x, lo, hi = negated(x), negated(lo), negated(hi)
	}
	switch {
	case x.Cmp(lo) < 0:
		return types.Int(0), nil
	case x.Cmp(hi) >= 0:
		return int4w().fit(n+1, true)
	}
	span, err := numSub(hi, lo)
	if err != nil {
		return types.Null, err
	}
	off, err := numSub(x, lo)
	if err != nil {
		return types.Null, err
	}
	if off, err = numMul(off, apd.New(n, 0)); err != nil {
		return types.Null, err
	}
	q, err := quotient(off, span, 0, false).Int64()
	return types.Int(q + 1), err
}

// numericImpls are the arithmetic operators and plain functions of numeric.
func numericImpls() []expr.Impl {
	add, sub, mul := numOp(numAdd, infSum), numOp(numSub, func(a, b *apd.Decimal) (*apd.Decimal, error) { return infSum(a, negated(b)) }), numOp(numMul, infProduct)
	div, mod, trunc := numOp(NumericDiv, infQuotient), numOp(numMod, infMod), numOp(divTrunc, infQuotient)
	one := apd.New(1, 0)
	return []expr.Impl{
		{OID: 1724, Name: "numeric_add", F2: add},
		{OID: 1725, Name: "numeric_sub", F2: sub},
		{OID: 1726, Name: "numeric_mul", F2: mul},
		{OID: 1727, Name: "numeric_div", F2: div},
		{OID: 1728, Name: "mod", F2: mod},
		{OID: 1729, Name: "numeric_mod", F2: mod},
		{OID: 1973, Name: "div", F2: trunc},
		{OID: 1980, Name: "numeric_div_trunc", F2: trunc},
		{OID: 1771, Name: "numeric_uminus", F1: numNeg},
		{OID: 1915, Name: "numeric_uplus", F1: identity},
		{OID: 1704, Name: "numeric_abs", F1: numAbs},
		{OID: 1705, Name: "abs", F1: numAbs},
		{OID: 1706, Name: "sign", F1: numSignFn},
		{OID: 1764, Name: "numeric_inc", F1: func(env *expr.Env, a datum) (datum, error) { return add(env, a, types.Num(one)) }},
		{OID: 1711, Name: "ceil", F1: numFn(towards(true))},
		{OID: 2167, Name: "ceiling", F1: numFn(towards(true))},
		{OID: 1712, Name: "floor", F1: numFn(towards(false))},
		{OID: 1707, Name: "round", F2: func(_ *expr.Env, a, n datum) (datum, error) {
			return tidy(types.RoundNumeric(a.Num(), clampDigits(n.Int())))
		}},
		{OID: 1708, Name: "round", F1: numFn(func(d *apd.Decimal) *apd.Decimal { return types.RoundNumeric(d, 0) })},
		{OID: 1709, Name: "trunc", F2: func(_ *expr.Env, a, n datum) (datum, error) {
			if a.Num().Form != apd.Finite {
				return a, nil
			}
			return tidy(truncScale(a.Num(), clampDigits(n.Int())))
		}},
		{OID: 1710, Name: "trunc", F1: numFn(func(d *apd.Decimal) *apd.Decimal { return truncScale(d, 0) })},
		{OID: 5048, Name: "gcd", F2: numOp(numGCD, nanResult)},
		{OID: 5049, Name: "lcm", F2: numOp(numLCM, nanResult)},
		{OID: 3281, Name: "scale", Eval: scaleFn(types.NumericScale)},
		{OID: 5042, Name: "min_scale", Eval: scaleFn(trimmed)},
		{OID: 5043, Name: "trim_scale", F1: numFn(func(d *apd.Decimal) *apd.Decimal { return types.RoundNumeric(d, trimmed(d)) })},
		{OID: 1376, Name: "factorial", F1: factorial},
		{OID: 2170, Name: "width_bucket", Eval: widthBucketNumeric},
		{OID: 1730, Name: "sqrt", F1: numSqrt},
		{OID: 1731, Name: "numeric_sqrt", F1: numSqrt},
		{OID: 1732, Name: "exp", F1: numExp},
		{OID: 1733, Name: "numeric_exp", F1: numExp},
		{OID: 1734, Name: "ln", F1: numLn},
		{OID: 1735, Name: "numeric_ln", F1: numLn},
		{OID: 1736, Name: "log", F2: numLog},
		{OID: 1737, Name: "numeric_log", F2: numLog},
		{OID: 1741, Name: "log", F1: numLog10},
		{OID: 1481, Name: "log10", F1: numLog10},
		{OID: 1738, Name: "pow", F2: numPower},
		{OID: 1739, Name: "numeric_power", F2: numPower},
		{OID: 2169, Name: "power", F2: numPower},
	}
}

// numToFloat converts a numeric to the nearest float, NaN and infinities included.
func numToFloat(d *apd.Decimal) float64 {
	switch {
	case types.IsNaN(d):
		return math.NaN()
	case d.Form == apd.Infinite:
		return math.Inf(numSign(d))
	}
	f, _ := types.ParseFloat(string(types.AppendNumeric(nil, d)), 64)
	return f
}
