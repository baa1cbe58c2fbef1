package fn

import (
	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func zeroStep() error {
	return pgerr.New(pgerr.InvalidParameterValue, "step size cannot equal zero")
}

// cancelEvery is how many rows a generator yields between looks at the statement's context.
const cancelEvery = 4096

func cancelled(env *expr.Env, n int) error {
	if n%cancelEvery != cancelEvery-1 || env == nil || env.Ctx == nil {
		return nil
	}
	return env.Ctx.Err()
}

// intSeries yields from, from+step ... while not past to; an overflow ends it.
func intSeries(w width) expr.SetFunc {
	return func(env *expr.Env, args []datum, yield func(...datum) error) error {
		step := int64(1)
		if len(args) == 3 {
			step = args[2].Int()
		}
		if step == 0 {
			return zeroStep()
		}
		at, to := args[0].Int(), args[1].Int()
		row := make([]datum, 1)
		for n := 0; step > 0 && at <= to || step < 0 && at >= to; n++ {
			if err := cancelled(env, n); err != nil {
				return err
			}
			row[0] = types.Int(at)
			if err := yield(row...); err != nil {
				return err
			}
			next, ok := addInt(at, step)
			if !ok || next < w.min || next > w.max {
				return nil
			}
			at = next
		}
		return nil
	}
}

func numericSeries(env *expr.Env, args []datum, yield func(...datum) error) error {
	at, to, step := args[0].Num(), args[1].Num(), apd.New(1, 0)
	if len(args) == 3 {
		step = args[2].Num()
	}
	for i, what := range []string{"start value", "stop value", "step size"} {
		d := []*apd.Decimal{at, to, step}[i]
		if types.IsNaN(d) {
			return pgerr.New(pgerr.InvalidParameterValue, "%s cannot be NaN", what)
		}
		if d.Form == apd.Infinite {
			return pgerr.New(pgerr.InvalidParameterValue, "%s cannot be infinity", what)
		}
	}
	sign := numSign(step)
	if sign == 0 {
		return zeroStep()
	}
	for n := 0; at.Cmp(to)*sign <= 0; n++ {
		if err := cancelled(env, n); err != nil {
			return err
		}
		if err := yield(types.Num(at)); err != nil {
			return err
		}
		next, err := numAdd(at, step)
		if err != nil {
			return err
		}
		at = next
	}
	return nil
}

// seriesImpls are generate_series over numbers.
func seriesImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 1066, Name: "generate_series", Set: intSeries(int4w())},
		{OID: 1067, Name: "generate_series", Set: intSeries(int4w())},
		{OID: 1068, Name: "generate_series", Set: intSeries(int8w())},
		{OID: 1069, Name: "generate_series", Set: intSeries(int8w())},
		{OID: 3259, Name: "generate_series", Set: numericSeries},
		{OID: 3260, Name: "generate_series", Set: numericSeries},
	}
}
