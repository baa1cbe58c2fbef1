package fn

import (
	"math"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func floatOverflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value out of range: overflow")
}

func floatUnderflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value out of range: underflow")
}

// checkFloat refuses an infinity that finite operands gave, and a zero where the result cannot be zero.
func checkFloat(r float64, infOK, zeroOK bool) (datum, error) {
	switch {
	case math.IsInf(r, 0) && !infOK:
		return types.Null, floatOverflow()
	case r == 0 && !zeroOK:
		return types.Null, floatUnderflow()
	}
	return types.Float(r), nil
}

func isInf(fs ...float64) bool {
	for _, f := range fs {
		if math.IsInf(f, 0) {
			return true
		}
	}
	return false
}

// narrow rounds to float4 if the result type is it.
func narrow(single bool, f float64) float64 {
	if single {
		return float64(float32(f))
	}
	return f
}

func floatArith(op byte, single bool) f2 {
	switch op {
	case '+':
		return func(_ *expr.Env, a, b datum) (datum, error) {
			x, y := a.Float(), b.Float()
			return checkFloat(narrow(single, x+y), isInf(x, y), true)
		}
	case '-':
		return func(_ *expr.Env, a, b datum) (datum, error) {
			x, y := a.Float(), b.Float()
			return checkFloat(narrow(single, x-y), isInf(x, y), true)
		}
	case '*':
		return func(_ *expr.Env, a, b datum) (datum, error) {
			x, y := a.Float(), b.Float()
			return checkFloat(narrow(single, x*y), isInf(x, y), x == 0 || y == 0)
		}
	}
	return func(_ *expr.Env, a, b datum) (datum, error) {
		x, y := a.Float(), b.Float()
		if y == 0 && !math.IsNaN(x) {
			return types.Null, divisionByZero()
		}
		return checkFloat(narrow(single, x/y), isInf(x, y), x == 0 || isInf(y))
	}
}

// floatFn is a function of one float that cannot fail.
func floatFn(f func(float64) float64) f1 {
	return func(_ *expr.Env, a datum) (datum, error) { return types.Float(f(a.Float())), nil }
}

func inputOutOfRange() error { return pgerr.New(pgerr.NumericValueOutOfRange, "input is out of range") }

// trig is a function that has no value at infinity.
func trig(f func(float64) float64) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		x := a.Float()
		if math.IsInf(x, 0) {
			return types.Null, inputOutOfRange()
		}
		r := f(x)
		if math.IsInf(r, 0) {
			return types.Null, floatOverflow()
		}
		return types.Float(r), nil
	}
}

// arc is an inverse trigonometric function, defined on [-1, 1].
func arc(f func(float64) float64) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		x := a.Float()
		if x < -1 || x > 1 {
			return types.Null, inputOutOfRange()
		}
		return types.Float(f(x)), nil
	}
}

func floatLog(f func(float64) float64) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		x := a.Float()
		if x == 0 {
			return types.Null, pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of zero")
		}
		if x < 0 {
			return types.Null, pgerr.New(pgerr.InvalidArgumentForLogarithm, "cannot take logarithm of a negative number")
		}
		return checkFloat(f(x), isInf(x), x == 1)
	}
}

func floatSqrt(_ *expr.Env, a datum) (datum, error) {
	x := a.Float()
	if x < 0 {
		return types.Null, pgerr.New(pgerr.InvalidArgumentForPowerFunction, "cannot take square root of a negative number")
	}
	return types.Float(math.Sqrt(x)), nil
}

func floatExp(_ *expr.Env, a datum) (datum, error) {
	x := a.Float()
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return types.Float(math.Exp(x)), nil
	}
	return checkFloat(math.Exp(x), false, false)
}

func floatPower(_ *expr.Env, a, b datum) (datum, error) {
	x, y := a.Float(), b.Float()
	switch {
	case math.IsNaN(x) && y == 0, math.IsNaN(y) && x == 1:
		return types.Float(1), nil
	case math.IsNaN(x) || math.IsNaN(y):
		return types.Float(math.NaN()), nil
	case x == 0 && y < 0:
		return types.Null, pgerr.New(pgerr.InvalidArgumentForPowerFunction, "zero raised to a negative power is undefined")
	case x < 0 && math.Floor(y) != y:
		return types.Null, pgerr.New(pgerr.InvalidArgumentForPowerFunction,
			"a negative number raised to a non-integer power yields a complex result")
	}
	r := math.Pow(x, y)
	return checkFloat(r, isInf(x, y), x == 0 || isInf(x, y))
}

// The degree forms are exact at the angles where people look.
func sinDegrees(x float64) float64 {
	x = math.Mod(x, 360)
	sign := 1.0
	if x < 0 {
		x, sign = -x, -1
	}
	if x > 180 {
		x, sign = 360-x, -sign
	}
	if x > 90 {
		x = 180 - x
	}
	return sign * quadrant(x)
}

func quadrant(x float64) float64 {
	switch x {
	case 0:
		return 0
	case 30:
		return 0.5
	case 90:
		return 1
	}
	if x > 60 {
		return math.Cos((90 - x) * math.Pi / 180)
	}
	return math.Sin(x * math.Pi / 180)
}

func cosDegrees(x float64) float64 {
	x = math.Abs(math.Mod(x, 360))
	if x > 180 {
		x = 360 - x
	}
	if x > 90 {
		return -quadrant(90 - (180 - x))
	}
	return quadrant(90 - x)
}

func tanDegrees(x float64) float64 {
	x = math.Mod(x, 360)
	sign := 1.0
	if x < 0 {
		x, sign = -x, -1
	}
	if x > 180 {
		x, sign = 360-x, -sign
	}
	if x > 90 {
		x, sign = 180-x, -sign
	}
	switch x {
	case 45:
		return sign
	case 90:
		return sign * math.Inf(1)
	}
	return sign * quadrant(x) / quadrant(90-x)
}

func asinDegrees(x float64) float64 {
	switch x {
	case 0.5:
		return 30
	case -0.5:
		return -30
	}
	return math.Asin(x) * 180 / math.Pi
}

func acosDegrees(x float64) float64 {
	switch x {
	case 0.5:
		return 60
	case -0.5:
		return 120
	}
	return math.Acos(x) * 180 / math.Pi
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

// round8 rounds half to even, as PostgreSQL's rint does.
func round8(x float64) float64 { return math.RoundToEven(x) }

// floatImpls are the arithmetic and mathematical functions of float4 and float8.
func floatImpls() []expr.Impl {
	out := []expr.Impl{
		{OID: 204, Name: "float4pl", F2: floatArith('+', true)},
		{OID: 205, Name: "float4mi", F2: floatArith('-', true)},
		{OID: 202, Name: "float4mul", F2: floatArith('*', true)},
		{OID: 203, Name: "float4div", F2: floatArith('/', true)},
		{OID: 218, Name: "float8pl", F2: floatArith('+', false)},
		{OID: 219, Name: "float8mi", F2: floatArith('-', false)},
		{OID: 216, Name: "float8mul", F2: floatArith('*', false)},
		{OID: 217, Name: "float8div", F2: floatArith('/', false)},
		{OID: 281, Name: "float48pl", F2: floatArith('+', false)},
		{OID: 282, Name: "float48mi", F2: floatArith('-', false)},
		{OID: 279, Name: "float48mul", F2: floatArith('*', false)},
		{OID: 280, Name: "float48div", F2: floatArith('/', false)},
		{OID: 285, Name: "float84pl", F2: floatArith('+', false)},
		{OID: 286, Name: "float84mi", F2: floatArith('-', false)},
		{OID: 283, Name: "float84mul", F2: floatArith('*', false)},
		{OID: 284, Name: "float84div", F2: floatArith('/', false)},
	}
	neg := floatFn(func(x float64) float64 { return -x })
	out = append(out, []expr.Impl{
		{OID: 206, Name: "float4um", F1: neg},
		{OID: 220, Name: "float8um", F1: neg},
		{OID: 1913, Name: "float4up", F1: identity},
		{OID: 1914, Name: "float8up", F1: identity},
		{OID: 207, Name: "float4abs", F1: floatFn(math.Abs)},
		{OID: 221, Name: "float8abs", F1: floatFn(math.Abs)},
		{OID: 1394, Name: "abs", F1: floatFn(math.Abs)},
		{OID: 1395, Name: "abs", F1: floatFn(math.Abs)},
		{OID: 228, Name: "dround", F1: floatFn(round8)},
		{OID: 1342, Name: "round", F1: floatFn(round8)},
		{OID: 229, Name: "dtrunc", F1: floatFn(math.Trunc)},
		{OID: 1343, Name: "trunc", F1: floatFn(math.Trunc)},
		{OID: 2308, Name: "ceil", F1: floatFn(math.Ceil)},
		{OID: 2320, Name: "ceiling", F1: floatFn(math.Ceil)},
		{OID: 2309, Name: "floor", F1: floatFn(math.Floor)},
		{OID: 2310, Name: "sign", F1: floatFn(sign)},
		{OID: 230, Name: "dsqrt", F1: floatSqrt},
		{OID: 1344, Name: "sqrt", F1: floatSqrt},
		{OID: 231, Name: "dcbrt", F1: floatFn(math.Cbrt)},
		{OID: 1345, Name: "cbrt", F1: floatFn(math.Cbrt)},
		{OID: 232, Name: "dpow", F2: floatPower},
		{OID: 1346, Name: "pow", F2: floatPower},
		{OID: 1368, Name: "power", F2: floatPower},
		{OID: 233, Name: "dexp", F1: floatExp},
		{OID: 1347, Name: "exp", F1: floatExp},
		{OID: 234, Name: "dlog1", F1: floatLog(math.Log)},
		{OID: 1341, Name: "ln", F1: floatLog(math.Log)},
		{OID: 1339, Name: "dlog10", F1: floatLog(math.Log10)},
		{OID: 1340, Name: "log", F1: floatLog(math.Log10)},
		{OID: 1194, Name: "log10", F1: floatLog(math.Log10)},
	}...)
	return append(out, trigImpls()...)
}

func trigImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 1600, Name: "asin", F1: arc(math.Asin)},
		{OID: 1601, Name: "acos", F1: arc(math.Acos)},
		{OID: 1602, Name: "atan", F1: floatFn(math.Atan)},
		{OID: 1603, Name: "atan2", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			return types.Float(math.Atan2(a.Float(), b.Float())), nil
		}},
		{OID: 1604, Name: "sin", F1: trig(math.Sin)},
		{OID: 1605, Name: "cos", F1: trig(math.Cos)},
		{OID: 1606, Name: "tan", F1: trig(math.Tan)},
		{OID: 1607, Name: "cot", F1: func(_ *expr.Env, a datum) (datum, error) {
			if math.IsInf(a.Float(), 0) {
				return types.Null, inputOutOfRange()
			}
			return types.Float(1 / math.Tan(a.Float())), nil
		}},
		{OID: 1608, Name: "degrees", F1: func(_ *expr.Env, a datum) (datum, error) {
			return checkFloat(a.Float()/(math.Pi/180), isInf(a.Float()), a.Float() == 0)
		}},
		{OID: 1609, Name: "radians", F1: func(_ *expr.Env, a datum) (datum, error) {
			return checkFloat(a.Float()*(math.Pi/180), isInf(a.Float()), a.Float() == 0)
		}},
		{OID: 1610, Name: "pi", Eval: func(*expr.Env, []datum) (datum, error) { return types.Float(math.Pi), nil }},
		{OID: 2462, Name: "sinh", F1: floatFn(math.Sinh)},
		{OID: 2463, Name: "cosh", F1: floatFn(math.Cosh)},
		{OID: 2464, Name: "tanh", F1: floatFn(math.Tanh)},
		{OID: 2465, Name: "asinh", F1: floatFn(math.Asinh)},
		{OID: 2466, Name: "acosh", F1: func(_ *expr.Env, a datum) (datum, error) {
			if a.Float() < 1 {
				return types.Null, inputOutOfRange()
			}
			return types.Float(math.Acosh(a.Float())), nil
		}},
		{OID: 2467, Name: "atanh", F1: arc(math.Atanh)},
		{OID: 2731, Name: "asind", F1: arc(asinDegrees)},
		{OID: 2732, Name: "acosd", F1: arc(acosDegrees)},
		{OID: 2733, Name: "atand", F1: floatFn(func(x float64) float64 {
			switch x {
			case 1:
				return 45
			case -1:
				return -45
			}
			return math.Atan(x) * 180 / math.Pi
		})},
		{OID: 2734, Name: "atan2d", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			y, x := a.Float(), b.Float()
			if y == x && y > 0 {
				return types.Float(45), nil
			}
			return types.Float(math.Atan2(y, x) * 180 / math.Pi), nil
		}},
		{OID: 2735, Name: "sind", F1: trig(sinDegrees)},
		{OID: 2736, Name: "cosd", F1: trig(cosDegrees)},
		{OID: 2737, Name: "tand", F1: func(_ *expr.Env, a datum) (datum, error) {
			if math.IsInf(a.Float(), 0) {
				return types.Null, inputOutOfRange()
			}
			return types.Float(tanDegrees(a.Float()) + 0), nil // never -0
		}},
		{OID: 2738, Name: "cotd", F1: func(_ *expr.Env, a datum) (datum, error) {
			if math.IsInf(a.Float(), 0) {
				return types.Null, inputOutOfRange()
			}
			return types.Float(1/tanDegrees(a.Float()) + 0), nil
		}},
		{OID: 320, Name: "width_bucket", Eval: widthBucketFloat},
	}
}

func widthBucketFloat(_ *expr.Env, args []datum) (datum, error) {
	x, lo, hi, n := args[0].Float(), args[1].Float(), args[2].Float(), args[3].Int()
	bad := func(format string) (datum, error) {
		return types.Null, pgerr.New(pgerr.InvalidArgumentForWidthBucketFunction, "%s", format)
	}
	switch {
	case n <= 0:
		return bad("count must be greater than zero")
	case math.IsNaN(x) || math.IsNaN(lo) || math.IsNaN(hi):
		return bad("operand, lower bound, and upper bound cannot be NaN")
	case isInf(lo, hi):
		return bad("lower and upper bounds must be finite")
	case lo == hi:
		return bad("lower bound cannot equal upper bound")
	}
	up := func(n int64) (datum, error) { return int4w().fit(n+1, true) }
	if lo < hi {
		switch {
		case x < lo:
			return types.Int(0), nil
		case x >= hi:
			return up(n)
		}
		return types.Int(min(int64(float64(n)*((x-lo)/(hi-lo)))+1, n)), nil
	}
	switch {
	case x > lo:
		return types.Int(0), nil
	case x <= hi:
		return up(n)
	}
	return types.Int(min(int64(float64(n)*((lo-x)/(lo-hi)))+1, n)), nil
}
