package fn

import (
	"math"
	"math/bits"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The bounds of an integer type.
type width struct {
	name     string
	min, max int64
	bits     uint
}

func int2w() width { return width{"smallint", math.MinInt16, math.MaxInt16, 16} }
func int4w() width { return width{"integer", math.MinInt32, math.MaxInt32, 32} }
func int8w() width { return width{"bigint", math.MinInt64, math.MaxInt64, 64} }

func (w width) overflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "%s out of range", w.name)
}

// fit returns v if the type can hold it.
func (w width) fit(v int64, ok bool) (datum, error) {
	if !ok || v < w.min || v > w.max {
		return types.Null, w.overflow()
	}
	return types.Int(v), nil
}

func addInt(a, b int64) (int64, bool) {
	s := a + b
	return s, (s > a) == (b > 0)
}

func subInt(a, b int64) (int64, bool) {
	s := a - b
	return s, (s < a) == (b > 0)
}

func mulInt(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	return p, p/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64)
}

func divisionByZero() error { return pgerr.New(pgerr.DivisionByZero, "division by zero") }

type (
	f2 = func(*expr.Env, datum, datum) (datum, error)
	f1 = func(*expr.Env, datum) (datum, error)
)

func (w width) add() f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) { return w.fit(addInt(a.Int(), b.Int())) }
}

func (w width) sub() f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) { return w.fit(subInt(a.Int(), b.Int())) }
}

func (w width) mul() f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) { return w.fit(mulInt(a.Int(), b.Int())) }
}

func (w width) div() f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		switch b.Int() {
		case 0:
			return types.Null, divisionByZero()
		case -1:
			return w.fit(subInt(0, a.Int()))
		}
		return types.Int(a.Int() / b.Int()), nil
	}
}

func (w width) mod() f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		switch b.Int() {
		case 0:
			return types.Null, divisionByZero()
		case -1:
			return types.Int(0), nil
		}
		return types.Int(a.Int() % b.Int()), nil
	}
}

func (w width) neg() f1 {
	return func(_ *expr.Env, a datum) (datum, error) { return w.fit(subInt(0, a.Int())) }
}

func (w width) abs() f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		if a.Int() < 0 {
			return w.fit(subInt(0, a.Int()))
		}
		return a, nil
	}
}

// shift moves bits as C does on this width: the count is taken modulo the width of the promoted type (32 for smallint).
func (w width) shift(left bool) f2 {
	mask := max(w.bits, 32) - 1
	return func(_ *expr.Env, a, b datum) (datum, error) {
		n := uint(b.Int()) & mask
		if !left {
			return types.Int(a.Int() >> n), nil
		}
		switch w.bits {
		case 16:
			return types.Int(int64(int16(a.Int() << n))), nil
		case 32:
			return types.Int(int64(int32(a.Int() << n))), nil
		}
		return types.Int(a.Int() << n), nil
	}
}

// gcd of the magnitudes; it fails where the result is -min.
func (w width) gcd() f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		g := gcd64(a.Int(), b.Int())
		if g > uint64(w.max) {
			return types.Null, w.overflow()
		}
		return types.Int(int64(g)), nil
	}
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func gcd64(a, b int64) uint64 {
	x, y := magnitude(a), magnitude(b)
	for y != 0 {
		x, y = y, x%y
	}
	return x
}

func (w width) lcm() f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		if a.Int() == 0 || b.Int() == 0 {
			return types.Int(0), nil
		}
		hi, lo := bits.Mul64(magnitude(a.Int())/gcd64(a.Int(), b.Int()), magnitude(b.Int()))
		if hi != 0 || lo > uint64(w.max) {
			return types.Null, w.overflow()
		}
		return types.Int(int64(lo)), nil
	}
}

func and(_ *expr.Env, a, b datum) (datum, error)     { return types.Int(a.Int() & b.Int()), nil }
func or(_ *expr.Env, a, b datum) (datum, error)      { return types.Int(a.Int() | b.Int()), nil }
func xor(_ *expr.Env, a, b datum) (datum, error)     { return types.Int(a.Int() ^ b.Int()), nil }
func complement(_ *expr.Env, a datum) (datum, error) { return types.Int(^a.Int()), nil }
func identity(_ *expr.Env, a datum) (datum, error)   { return a, nil }

// integerImpls are the arithmetic operators and functions of int2, int4 and int8; mixed ones compute in the wider type.
func integerImpls() []expr.Impl {
	i2, i4, i8 := int2w(), int4w(), int8w()
	out := []expr.Impl{
		{OID: 176, Name: "int2pl", F2: i2.add()},
		{OID: 180, Name: "int2mi", F2: i2.sub()},
		{OID: 152, Name: "int2mul", F2: i2.mul()},
		{OID: 153, Name: "int2div", F2: i2.div()},
		{OID: 155, Name: "int2mod", F2: i2.mod()},
		{OID: 940, Name: "mod", F2: i2.mod()},
		{OID: 213, Name: "int2um", F1: i2.neg()},
		{OID: 1911, Name: "int2up", F1: identity},
		{OID: 1253, Name: "int2abs", F1: i2.abs()},
		{OID: 1398, Name: "abs", F1: i2.abs()},
		{OID: 1892, Name: "int2and", F2: and},
		{OID: 1893, Name: "int2or", F2: or},
		{OID: 1894, Name: "int2xor", F2: xor},
		{OID: 1895, Name: "int2not", F1: complement},
		{OID: 1896, Name: "int2shl", F2: i2.shift(true)},
		{OID: 1897, Name: "int2shr", F2: i2.shift(false)},

		{OID: 177, Name: "int4pl", F2: i4.add()},
		{OID: 181, Name: "int4mi", F2: i4.sub()},
		{OID: 141, Name: "int4mul", F2: i4.mul()},
		{OID: 154, Name: "int4div", F2: i4.div()},
		{OID: 156, Name: "int4mod", F2: i4.mod()},
		{OID: 941, Name: "mod", F2: i4.mod()},
		{OID: 212, Name: "int4um", F1: i4.neg()},
		{OID: 1912, Name: "int4up", F1: identity},
		{OID: 1251, Name: "int4abs", F1: i4.abs()},
		{OID: 1397, Name: "abs", F1: i4.abs()},
		{OID: 1898, Name: "int4and", F2: and},
		{OID: 1899, Name: "int4or", F2: or},
		{OID: 1900, Name: "int4xor", F2: xor},
		{OID: 1901, Name: "int4not", F1: complement},
		{OID: 1902, Name: "int4shl", F2: i4.shift(true)},
		{OID: 1903, Name: "int4shr", F2: i4.shift(false)},
		{OID: 766, Name: "int4inc", F1: i4.increment(1)},
		{OID: 5044, Name: "gcd", F2: i4.gcd()},
		{OID: 5046, Name: "lcm", F2: i4.lcm()},

		{OID: 463, Name: "int8pl", F2: i8.add()},
		{OID: 464, Name: "int8mi", F2: i8.sub()},
		{OID: 465, Name: "int8mul", F2: i8.mul()},
		{OID: 466, Name: "int8div", F2: i8.div()},
		{OID: 945, Name: "int8mod", F2: i8.mod()},
		{OID: 947, Name: "mod", F2: i8.mod()},
		{OID: 462, Name: "int8um", F1: i8.neg()},
		{OID: 1910, Name: "int8up", F1: identity},
		{OID: 1230, Name: "int8abs", F1: i8.abs()},
		{OID: 1396, Name: "abs", F1: i8.abs()},
		{OID: 1904, Name: "int8and", F2: and},
		{OID: 1905, Name: "int8or", F2: or},
		{OID: 1906, Name: "int8xor", F2: xor},
		{OID: 1907, Name: "int8not", F1: complement},
		{OID: 1908, Name: "int8shl", F2: i8.shift(true)},
		{OID: 1909, Name: "int8shr", F2: i8.shift(false)},
		{OID: 1219, Name: "int8inc", F1: i8.increment(1)},
		{OID: 3546, Name: "int8dec", F1: i8.increment(-1)},
		{OID: 5045, Name: "gcd", F2: i8.gcd()},
		{OID: 5047, Name: "lcm", F2: i8.lcm()},
	}
	return append(out, mixedImpls()...)
}

func (w width) increment(by int64) f1 {
	return func(_ *expr.Env, a datum) (datum, error) { return w.fit(addInt(a.Int(), by)) }
}

func mixedImpls() []expr.Impl {
	i4, i8 := int4w(), int8w()
	return []expr.Impl{
		{OID: 178, Name: "int24pl", F2: i4.add()},
		{OID: 182, Name: "int24mi", F2: i4.sub()},
		{OID: 170, Name: "int24mul", F2: i4.mul()},
		{OID: 172, Name: "int24div", F2: i4.div()},
		{OID: 179, Name: "int42pl", F2: i4.add()},
		{OID: 183, Name: "int42mi", F2: i4.sub()},
		{OID: 171, Name: "int42mul", F2: i4.mul()},
		{OID: 173, Name: "int42div", F2: i4.div()},
		{OID: 841, Name: "int28pl", F2: i8.add()},
		{OID: 942, Name: "int28mi", F2: i8.sub()},
		{OID: 943, Name: "int28mul", F2: i8.mul()},
		{OID: 948, Name: "int28div", F2: i8.div()},
		{OID: 837, Name: "int82pl", F2: i8.add()},
		{OID: 838, Name: "int82mi", F2: i8.sub()},
		{OID: 839, Name: "int82mul", F2: i8.mul()},
		{OID: 840, Name: "int82div", F2: i8.div()},
		{OID: 1278, Name: "int48pl", F2: i8.add()},
		{OID: 1279, Name: "int48mi", F2: i8.sub()},
		{OID: 1280, Name: "int48mul", F2: i8.mul()},
		{OID: 1281, Name: "int48div", F2: i8.div()},
		{OID: 1274, Name: "int84pl", F2: i8.add()},
		{OID: 1275, Name: "int84mi", F2: i8.sub()},
		{OID: 1276, Name: "int84mul", F2: i8.mul()},
		{OID: 1277, Name: "int84div", F2: i8.div()},
	}
}

// booleanImpls are what booleans have besides comparisons.
func booleanImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 2515, Name: "booland_statefunc", F2: func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(a.Bool() && b.Bool()), nil }},
		{OID: 2516, Name: "boolor_statefunc", F2: func(_ *expr.Env, a, b datum) (datum, error) { return types.Bool(a.Bool() || b.Bool()), nil }},
	}
}
