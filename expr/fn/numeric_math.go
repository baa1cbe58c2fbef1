package fn

import (
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func context(digits int) *apd.Context {
	return &apd.Context{Precision: uint32(max(digits, 20)), MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent, Rounding: apd.RoundHalfUp}
}

// intDigits is how many digits a value has before the decimal point (negative for leading zeros after it).
func intDigits(d *apd.Decimal) int { return int(d.NumDigits()) + int(d.Exponent) }

func badLog(format string) error {
	return pgerr.New(pgerr.InvalidArgumentForLogarithm, "%s", format)
}

func badPower(format string) error {
	return pgerr.New(pgerr.InvalidArgumentForPowerFunction, "%s", format)
}

func numSqrt(_ *expr.Env, a datum) (datum, error) {
	d := a.Num()
	switch {
	case types.IsNaN(d):
		return a, nil
	case numSign(d) < 0:
		return types.Null, badPower("cannot take square root of a negative number")
	case d.Form == apd.Infinite:
		return a, nil
	}
	w, _ := leading(d)
	var sweight int
	if w >= 0 {
		sweight = w*4/2 + 1
	} else {
		sweight = 1 - (-w*4)/2
	}
	scale := clampScale(minSigDigits-sweight, d)
	r := new(apd.Decimal)
	if _, err := context(intDigits(d)/2+int(scale)+8).Sqrt(r, d); err != nil {
		return types.Null, numericOverflow()
	}
	return tidy(types.RoundNumeric(r, scale))
}

// log10e is the decimal logarithm of e.
const log10e = 0.434294481903252

func numExp(_ *expr.Env, a datum) (datum, error) {
	d := a.Num()
	switch {
	case types.IsNaN(d):
		return a, nil
	case d.Form == apd.Infinite && d.Negative:
		return types.Num(apd.New(0, 0)), nil
	case d.Form == apd.Infinite:
		return a, nil
	}
	val := min(max(numToFloat(d)*log10e, -2000), 2000)
	scale := clampScale(minSigDigits-int(val), d)
	r, err := expTo(d, scale)
	if err != nil {
		return types.Null, err
	}
	return tidy(r)
}

// expTo computes e^d to a scale.
func expTo(d *apd.Decimal, scale int32) (*apd.Decimal, error) {
	f := numToFloat(d)
	if f >= 6000*3 {
		return nil, numericOverflow()
	}
	if f*log10e < -float64(scale)-2 {
		return types.RoundNumeric(apd.New(0, 0), scale), nil
	}
	r := new(apd.Decimal)
	if _, err := context(int(f*log10e)+int(scale)+12).Exp(r, d); err != nil {
		return nil, numericOverflow()
	}
	return types.RoundNumeric(r, scale), nil
}

// lnWeight estimates the decimal weight of ln(d).
func lnWeight(d *apd.Decimal) int {
	if numSign(d) <= 0 {
		return 0
	}
	nineTenths, elevenTenths := apd.New(9, -1), apd.New(11, -1)
	if d.Cmp(nineTenths) >= 0 && d.Cmp(elevenTenths) <= 0 {
		x, err := numSub(d, apd.New(1, 0))
		if err != nil || x.IsZero() {
			return 0
		}
		w, digit := leading(x)
		return w*4 + int(math.Log10(float64(digit)))
	}
	w, digits := leading(d)
	// Two base-10000 digits make the estimate.
	all := d.Coeff.Append(nil, 10)
	first := len(all) + int(d.Exponent) - 4*w
	dweight := w * 4
	if len(all) > first {
		for i := first; i < first+4; i++ {
			digits *= 10
			if i < len(all) {
				digits += int64(all[i] - '0')
			}
		}
		dweight -= 4
	}
	return int(math.Log10(math.Abs(math.Log(float64(digits)) + float64(dweight)*math.Ln10)))
}

func lnTo(d *apd.Decimal, digits int) (*apd.Decimal, error) {
	r := new(apd.Decimal)
	if _, err := context(digits).Ln(r, d); err != nil {
		return nil, numericOverflow()
	}
	return r, nil
}

// checkLog refuses what has no logarithm.
func checkLog(d *apd.Decimal) error {
	switch s := numSign(d); {
	case s == 0:
		return badLog("cannot take logarithm of zero")
	case s < 0:
		return badLog("cannot take logarithm of a negative number")
	}
	return nil
}

func numLn(_ *expr.Env, a datum) (datum, error) {
	d := a.Num()
	if types.IsNaN(d) {
		return a, nil
	}
	if err := checkLog(d); err != nil {
		return types.Null, err
	}
	if d.Form == apd.Infinite {
		return a, nil
	}
	w := lnWeight(d)
	scale := clampScale(minSigDigits-w, d)
	r, err := lnTo(d, w+int(scale)+12)
	if err != nil {
		return types.Null, err
	}
	return tidy(types.RoundNumeric(r, scale))
}

func numLog10(env *expr.Env, a datum) (datum, error) {
	return numLog(env, types.Num(apd.New(10, 0)), a)
}

func numLog(_ *expr.Env, base, num datum) (datum, error) {
	b, x := base.Num(), num.Num()
	if anyNaN(b, x) {
		return types.Num(nan()), nil
	}
	for _, d := range []*apd.Decimal{b, x} {
		if err := checkLog(d); err != nil {
			return types.Null, err
		}
	}
	if !finite(b, x) {
		switch {
		case b.Form == apd.Infinite && x.Form == apd.Infinite:
			return types.Num(nan()), nil
		case b.Form == apd.Infinite:
			return types.Num(apd.New(0, 0)), nil
		}
		return num, nil
	}
	scale := clampScale(minSigDigits-(lnWeight(x)-lnWeight(b)), b, x)
	digits := int(scale) + 40
	lb, err := lnTo(b, digits)
	if err != nil {
		return types.Null, err
	}
	if lb.IsZero() {
		return types.Null, divisionByZero()
	}
	lx, err := lnTo(x, digits)
	if err != nil {
		return types.Null, err
	}
	return tidy(quotient(lx, lb, scale, true))
}

func numPower(_ *expr.Env, base, exponent datum) (datum, error) {
	b, e := base.Num(), exponent.Num()
	if r, done, err := powerSpecial(b, e); done || err != nil {
		return types.Num(r), err
	}
	if n, err := e.Int64(); err == nil && n >= math.MinInt32 && n <= math.MaxInt32 {
		r, err := powerInt(b, n)
		if err != nil {
			return types.Null, err
		}
		return tidy(r)
	}
	if b.IsZero() {
		return types.Num(types.RoundNumeric(apd.New(0, 0), minSigDigits)), nil
	}
	negative := false
	if b.Negative { // an integral exponent beyond int
		negative = quotient(e, apd.New(1, 0), 0, false).Coeff.Bit(0) == 1
		b = negated(b)
	}
	r, err := powerReal(b, e)
	if err != nil {
		return types.Null, err
	}
	r.Negative = negative && !r.IsZero()
	return tidy(r)
}

// powerSpecial answers for NaN, infinities, and what is undefined.
func powerSpecial(b, e *apd.Decimal) (r *apd.Decimal, done bool, err error) {
	one := apd.New(1, 0)
	switch {
	case anyNaN(b, e):
		if e.Form == apd.Finite && e.IsZero() || b.Form == apd.Finite && b.Cmp(one) == 0 {
			return one, true, nil
		}
		return nan(), true, nil
	case finite(b, e):
		if b.IsZero() && numSign(e) < 0 {
			return nil, false, badPower("zero raised to a negative power is undefined")
		}
		if numSign(b) < 0 && !integral(e) {
			return nil, false, badPower("a negative number raised to a non-integer power yields a complex result")
		}
		return nil, false, nil
	case b.Form == apd.Finite && b.IsZero() && numSign(e) < 0:
		return nil, false, badPower("zero raised to a negative power is undefined")
	case b.Form == apd.Finite && b.Cmp(one) == 0, e.Form == apd.Finite && e.IsZero():
		return one, true, nil
	case e.Form == apd.Infinite:
		abs := new(apd.Decimal).Abs(b)
		grows := b.Form == apd.Infinite || abs.Cmp(one) > 0
		if b.Form == apd.Finite && abs.Cmp(one) == 0 {
			return one, true, nil
		}
		if grows == (numSign(e) > 0) {
			return infinity(false), true, nil
		}
		return apd.New(0, 0), true, nil
	}
	if numSign(b) < 0 && !integral(e) {
		return nil, false, badPower("a negative number raised to a non-integer power yields a complex result")
	}
	if numSign(e) < 0 {
		return apd.New(0, 0), true, nil
	}
	odd := quotient(e, one, 0, false).Coeff.Bit(0) == 1
	return infinity(b.Negative && odd), true, nil
}

func integral(d *apd.Decimal) bool { return trimmed(d) == 0 }

// powerInt raises to an integral power.
func powerInt(b *apd.Decimal, n int64) (*apd.Decimal, error) {
	f := 0.0
	if !b.IsZero() {
		digits := b.Coeff.Append(nil, 10)
		top := 0.0
		k := min(len(digits), 16)
		for _, c := range digits[:k] {
			top = top*10 + float64(c-'0')
		}
		f = float64(n) * (math.Log10(top) + float64(len(digits)-k) + float64(b.Exponent))
	}
	if f > 32768*4 {
		return nil, numericOverflow()
	}
	// An integral power shows 16 decimals or as many as the base, whatever its size.
	scale := clampScale(minSigDigits, b)
	if f+1 < -float64(scale) {
		return types.RoundNumeric(apd.New(0, 0), scale), nil
	}
	if n == 0 {
		return types.RoundNumeric(apd.New(1, 0), scale), nil
	}
	m := n
	if m < 0 {
		m = -m
	}
	var r *apd.Decimal
	if b.NumDigits()*m <= 20000 {
		r = &apd.Decimal{Exponent: b.Exponent * int32(m)}
		r.Coeff.Exp(&b.Coeff, apd.NewBigInt(m), nil)
	} else {
		abs := new(apd.Decimal).Abs(b)
		p, err := powerDigits(abs, apd.New(m, 0), int(math.Abs(f))+int(scale)+20)
		if err != nil {
			return nil, err
		}
		r = p
	}
	r.Negative = b.Negative && n%2 != 0
	if n < 0 {
		return quotient(apd.New(1, 0), r, scale, true), nil
	}
	return types.RoundNumeric(r, scale), nil
}

// powerDigits computes b^e to a number of significant digits.
func powerDigits(b, e *apd.Decimal, digits int) (*apd.Decimal, error) {
	l, err := lnTo(b, digits+intDigits(e)+10)
	if err != nil {
		return nil, err
	}
	p, err := numMul(l, e)
	if err != nil {
		return nil, err
	}
	r := new(apd.Decimal)
	if _, err := context(digits).Exp(r, p); err != nil {
		return nil, numericOverflow()
	}
	return r, nil
}

// powerReal raises a positive number to any power.
func powerReal(b, e *apd.Decimal) (*apd.Decimal, error) {
	l, err := lnTo(b, 40)
	if err != nil {
		return nil, err
	}
	p, err := numMul(l, e)
	if err != nil {
		return nil, err
	}
	val := numToFloat(p)
	if math.Abs(val) > 2000*3.01 {
		if val > 0 {
			return nil, numericOverflow()
		}
		return types.RoundNumeric(apd.New(0, 0), maxDisplayScale), nil
	}
	val *= log10e
	scale := clampScale(minSigDigits-int(val), b, e)
	r, err := powerDigits(b, e, max(int(val), 0)+int(scale)+12)
	if err != nil {
		return nil, err
	}
	return types.RoundNumeric(r, scale), nil
}
