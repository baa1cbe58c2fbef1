package fn

import (
	"math"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// A money datum counts hundredths of the currency unit.

func moneyInt(f func(a, b int64) int64) f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) { return types.Int(f(a.Int(), b.Int())), nil }
}

func moneyTimes(money, factor datum) (datum, error) {
	return types.Int(int64(math.RoundToEven(float64(money.Int()) * factor.Float()))), nil
}

func moneyOver(_ *expr.Env, a, b datum) (datum, error) {
	if b.Float() == 0 {
		return types.Null, divisionByZero()
	}
	return types.Int(int64(math.RoundToEven(float64(a.Int()) / b.Float()))), nil
}

func moneyOverInt(_ *expr.Env, a, b datum) (datum, error) {
	if b.Int() == 0 {
		return types.Null, divisionByZero()
	}
	return types.Int(a.Int() / b.Int()), nil
}

func intToMoney(_ *expr.Env, a datum) (datum, error) {
	n, ok := mulInt(a.Int(), 100)
	if !ok {
		return types.Null, int8w().overflow()
	}
	return types.Int(n), nil
}

func numericToMoney(_ *expr.Env, a datum) (datum, error) {
	if a.Num().Form != apd.Finite {
		return types.Null, pgerr.New(pgerr.FeatureNotSupported, "cannot convert NaN to bigint")
	}
	cents, err := numMul(a.Num(), apd.New(100, 0))
	if err != nil {
		return types.Null, err
	}
	n, err := types.RoundNumeric(cents, 0).Int64()
	if err != nil {
		return types.Null, int8w().overflow()
	}
	return types.Int(n), nil
}

// moneyImpls are the arithmetic and casts of money.
func moneyImpls() []expr.Impl {
	times := func(_ *expr.Env, a, b datum) (datum, error) { return moneyTimes(a, b) }
	timesLeft := func(_ *expr.Env, a, b datum) (datum, error) { return moneyTimes(b, a) }
	mul := moneyInt(func(a, b int64) int64 { return a * b })
	return []expr.Impl{
		{OID: 894, Name: "cash_pl", F2: moneyInt(func(a, b int64) int64 { return a + b })},
		{OID: 895, Name: "cash_mi", F2: moneyInt(func(a, b int64) int64 { return a - b })},
		{OID: 846, Name: "cash_mul_flt4", F2: times},
		{OID: 896, Name: "cash_mul_flt8", F2: times},
		{OID: 848, Name: "flt4_mul_cash", F2: timesLeft},
		{OID: 919, Name: "flt8_mul_cash", F2: timesLeft},
		{OID: 847, Name: "cash_div_flt4", F2: moneyOver},
		{OID: 897, Name: "cash_div_flt8", F2: moneyOver},
		{OID: 862, Name: "int4_mul_cash", F2: mul},
		{OID: 863, Name: "int2_mul_cash", F2: mul},
		{OID: 3399, Name: "int8_mul_cash", F2: mul},
		{OID: 864, Name: "cash_mul_int4", F2: mul},
		{OID: 866, Name: "cash_mul_int2", F2: mul},
		{OID: 3344, Name: "cash_mul_int8", F2: mul},
		{OID: 865, Name: "cash_div_int4", F2: moneyOverInt},
		{OID: 867, Name: "cash_div_int2", F2: moneyOverInt},
		{OID: 3345, Name: "cash_div_int8", F2: moneyOverInt},
		{OID: 3822, Name: "cash_div_cash", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			if b.Int() == 0 {
				return types.Null, divisionByZero()
			}
			return types.Float(float64(a.Int()) / float64(b.Int())), nil
		}},
		{OID: 3811, Name: "money", F1: intToMoney},
		{OID: 3812, Name: "money", F1: intToMoney},
		{OID: 3824, Name: "money", F1: numericToMoney},
		{OID: 3823, Name: "numeric", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Num(apd.New(a.Int(), -2)), nil }},
	}
}
