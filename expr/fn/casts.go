package fn

import (
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// fitInt narrows between integer types.
func (w width) fitInt() f1 {
	return func(_ *expr.Env, a datum) (datum, error) { return w.fit(a.Int(), true) }
}

// fromFloat rounds half to even and checks the range.
func (w width) fromFloat() f1 {
	lo, hi := float64(w.min), float64(w.max)+1 // hi is exact for every width, as a power of two
	if w.bits == 64 {
		hi = 1 << 63
	}
	return func(_ *expr.Env, a datum) (datum, error) {
		f := math.RoundToEven(a.Float())
		if math.IsNaN(f) || f < lo || f >= hi {
			return types.Null, w.overflow()
		}
		return types.Int(int64(f)), nil
	}
}

// fromNumeric rounds half away from zero and checks the range.
func (w width) fromNumeric() f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		d := a.Num()
		if types.IsNaN(d) {
			return types.Null, pgerr.New(pgerr.FeatureNotSupported, "cannot convert NaN to %s", w.name)
		}
		if d.Form == apd.Infinite {
			return types.Null, pgerr.New(pgerr.FeatureNotSupported, "cannot convert infinity to %s", w.name)
		}
		if d.Exponent != 0 {
			d = types.RoundNumeric(d, 0)
		}
		n, err := d.Int64()
		return w.fit(n, err == nil)
	}
}

func intToFloat(single bool) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		if single {
			return types.Float(float64(float32(a.Int()))), nil
		}
		return types.Float(float64(a.Int())), nil
	}
}

func intToNumeric(_ *expr.Env, a datum) (datum, error) { return types.Num(apd.New(a.Int(), 0)), nil }

// floatToNumeric keeps as many digits as the type guarantees: 15 of float8, 6 of float4.
func floatToNumeric(digits int) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		f := a.Float()
		switch {
		case math.IsNaN(f):
			return types.Num(nan()), nil
		case math.IsInf(f, 0):
			return types.Num(infinity(f < 0)), nil
		}
		d, err := types.ParseNumeric(strconv.FormatFloat(f, 'g', digits, 64))
		if err != nil {
			return types.Null, err
		}
		// %g leaves out trailing zeros, so does the numeric.
		return types.Num(types.RoundNumeric(d, trimmed(d))), nil
	}
}

func numericToFloat(bits int, t *types.T) f1 {
	return func(env *expr.Env, a datum) (datum, error) {
		d := a.Num()
		if d.Form != apd.Finite {
			return types.Float(numToFloat(d)), nil
		}
		return types.Input(env.IO, t, -1, string(types.AppendNumeric(nil, d)))
	}
}

// floatNarrow is float8 to float4.
func floatNarrow(_ *expr.Env, a datum) (datum, error) {
	f := a.Float()
	r := float64(float32(f))
	if math.IsInf(r, 0) && !math.IsInf(f, 0) {
		return types.Null, floatOverflow()
	}
	if r == 0 && f != 0 {
		return types.Null, floatUnderflow()
	}
	return types.Float(r), nil
}

// limit is a length coercion function: (value, typmod, explicit) or (value, typmod).
func limit(oid uint32, name string, t *types.T) expr.Impl {
	return expr.Impl{OID: oid, Name: name, Eval: func(_ *expr.Env, args []datum) (datum, error) {
		explicit := len(args) == 3 && args[2].Bool()
		return types.ApplyTypmod(t, int32(args[1].Int()), args[0], explicit)
	}}
}

func trimBlanks(s string) string {
	for len(s) > 0 && s[len(s)-1] == ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// viaInput converts by the input function of a type.
func viaInput(t *types.T) f1 {
	return func(env *expr.Env, a datum) (datum, error) { return types.Input(env.IO, t, -1, a.Str()) }
}

// castImpls are the cast functions among numbers, booleans and texts, and the length coercions.
func castImpls() []expr.Impl {
	i2, i4, i8 := int2w(), int4w(), int8w()
	out := []expr.Impl{
		{OID: 313, Name: "int4", F1: identity},
		{OID: 754, Name: "int8", F1: identity},
		{OID: 481, Name: "int8", F1: identity},
		{OID: 314, Name: "int2", F1: i2.fitInt()},
		{OID: 714, Name: "int2", F1: i2.fitInt()},
		{OID: 480, Name: "int4", F1: i4.fitInt()},
		{OID: 235, Name: "float8", F1: intToFloat(false)},
		{OID: 316, Name: "float8", F1: intToFloat(false)},
		{OID: 482, Name: "float8", F1: intToFloat(false)},
		{OID: 236, Name: "float4", F1: intToFloat(true)},
		{OID: 318, Name: "float4", F1: intToFloat(true)},
		{OID: 652, Name: "float4", F1: intToFloat(true)},
		{OID: 237, Name: "int2", F1: i2.fromFloat()},
		{OID: 238, Name: "int2", F1: i2.fromFloat()},
		{OID: 317, Name: "int4", F1: i4.fromFloat()},
		{OID: 319, Name: "int4", F1: i4.fromFloat()},
		{OID: 483, Name: "int8", F1: i8.fromFloat()},
		{OID: 653, Name: "int8", F1: i8.fromFloat()},
		{OID: 311, Name: "float8", F1: identity},
		{OID: 312, Name: "float4", F1: floatNarrow},
		{OID: 1740, Name: "numeric", F1: intToNumeric},
		{OID: 1781, Name: "numeric", F1: intToNumeric},
		{OID: 1782, Name: "numeric", F1: intToNumeric},
		{OID: 1742, Name: "numeric", F1: floatToNumeric(6)},
		{OID: 1743, Name: "numeric", F1: floatToNumeric(15)},
		{OID: 1744, Name: "int4", F1: i4.fromNumeric()},
		{OID: 1779, Name: "int8", F1: i8.fromNumeric()},
		{OID: 1783, Name: "int2", F1: i2.fromNumeric()},
		{OID: 1745, Name: "float4", F1: numericToFloat(32, types.Float4T)},
		{OID: 1746, Name: "float8", F1: numericToFloat(64, types.Float8T)},
		{OID: 2557, Name: "bool", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Bool(a.Int() != 0), nil }},
		{OID: 2558, Name: "int4", F1: func(_ *expr.Env, a datum) (datum, error) {
			if a.Bool() {
				return types.Int(1), nil
			}
			return types.Int(0), nil
		}},
		{OID: 1287, Name: "oid", F1: func(_ *expr.Env, a datum) (datum, error) {
			if a.Int() < math.MinInt32 || a.Int() > math.MaxUint32 {
				return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "OID out of range")
			}
			return types.Int(int64(uint32(a.Int()))), nil
		}},
		{OID: 1288, Name: "int8", F1: identity},
		{OID: 5071, Name: "xid", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Int(int64(uint32(a.Int()))), nil }},
		limit(1703, "numeric", types.NumericT), limit(668, "bpchar", types.BpcharT), limit(669, "varchar", types.VarcharT),
		limit(1685, "bit", types.BitT), limit(1687, "varbit", types.VarbitT),
		limit(1968, "time", types.TimeT), limit(1969, "timetz", types.TimeTZT), limit(1961, "timestamp", types.TimestampT),
		limit(1967, "timestamptz", types.TimestampTZT), limit(1200, "interval", types.IntervalT),
	}
	return append(out, textCastImpls()...)
}

// textCastImpls are the cast functions among the text types.
func textCastImpls() []expr.Impl {
	rtrim := func(_ *expr.Env, a datum) (datum, error) { return types.Str(trimBlanks(a.Str())), nil }
	toName := func(env *expr.Env, a datum) (datum, error) {
		return types.Str(types.ClipUTF8(a.Str(), 63)), nil
	}
	return []expr.Impl{
		{OID: 401, Name: "text", F1: rtrim},
		{OID: 406, Name: "text", F1: identity},
		{OID: 407, Name: "name", F1: toName},
		{OID: 408, Name: "bpchar", F1: identity},
		{OID: 409, Name: "name", F1: func(env *expr.Env, a datum) (datum, error) {
			return types.Str(trimBlanks(types.ClipUTF8(a.Str(), 63))), nil
		}},
		{OID: 1400, Name: "name", F1: toName},
		{OID: 1401, Name: "varchar", F1: identity},
		{OID: 946, Name: "text", F1: identity},
		{OID: 860, Name: "bpchar", F1: identity},
		{OID: 944, Name: "char", F1: viaInput(types.CharT)},
		{OID: 77, Name: "int4", F1: func(_ *expr.Env, a datum) (datum, error) {
			if a.Str() == "" {
				return types.Int(0), nil
			}
			return types.Int(int64(int8(a.Str()[0]))), nil
		}},
		{OID: 78, Name: "char", F1: func(_ *expr.Env, a datum) (datum, error) {
			if a.Int() < math.MinInt8 || a.Int() > math.MaxInt8 {
				return types.Null, pgerr.New(pgerr.NumericValueOutOfRange, "\"char\" out of range")
			}
			if a.Int() == 0 {
				return types.Str(""), nil
			}
			return types.Str(string([]byte{byte(a.Int())})), nil
		}},
		{OID: 2971, Name: "text", F1: func(_ *expr.Env, a datum) (datum, error) {
			if a.Bool() {
				return types.Str("true"), nil
			}
			return types.Str("false"), nil
		}},
		{OID: 1079, Name: "regclass", F1: viaInput(types.RegclassT)},
	}
}
