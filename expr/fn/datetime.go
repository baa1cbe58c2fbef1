package fn

import (
	"math"
	"time"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func timestampRange() error { return pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range") }

func dateRange() error { return pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range") }

func intervalRange() error { return pgerr.New(pgerr.DatetimeFieldOverflow, "interval out of range") }

func infiniteTimestamp(ts int64) bool {
	return ts == types.TimestampInfinity || ts == types.TimestampNegInfinity
}

func infiniteDate(d int64) bool { return d == types.DateInfinity || d == types.DateNegInfinity }

// zoneOf returns the session's time zone.
func zoneOf(env *expr.Env) *time.Location {
	if env == nil || env.IO == nil || env.IO.Location == nil {
		return time.UTC
	}
	return env.IO.Location
}

func intervalDatum(v types.Interval) datum { return types.Ref(&v) }

// dateToTimestamp gives midnight of a day.
func dateToTimestamp(d int64) (int64, error) {
	switch d {
	case types.DateInfinity:
		return types.TimestampInfinity, nil
	case types.DateNegInfinity:
		return types.TimestampNegInfinity, nil
	}
	ts, ok := types.JoinTimestamp(d, 0)
	if !ok {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range for timestamp")
	}
	return ts, nil
}

func timestampToDate(ts int64) int64 {
	switch ts {
	case types.TimestampInfinity:
		return types.DateInfinity
	case types.TimestampNegInfinity:
		return types.DateNegInfinity
	}
	d, _ := types.SplitTimestamp(ts)
	return d
}

// toUTC reads a local timestamp as one of a zone.
func toUTC(loc *time.Location, local int64) (int64, error) {
	if infiniteTimestamp(local) {
		return local, nil
	}
	ts, ok := types.LocalToUTC(loc, local)
	if !ok {
		return 0, timestampRange()
	}
	return ts, nil
}

// toLocal shows an instant on the wall clock of a zone.
func toLocal(loc *time.Location, ts int64) (int64, error) {
	if infiniteTimestamp(ts) {
		return ts, nil
	}
	local, ok := types.UTCToLocal(loc, ts)
	if !ok {
		return 0, timestampRange()
	}
	return local, nil
}

// addMonthsDays moves a local timestamp by whole months, clipping to the month's last day, and days.
func addMonthsDays(local int64, months, days int32) (int64, error) {
	d, us := types.SplitTimestamp(local)
	if months != 0 {
		y, m, day := types.CivilFromDate(d)
		total := int64(y)*12 + int64(m-1) + int64(months)
		y, m = int(floorDiv(total, 12)), int(total-floorDiv(total, 12)*12)+1
		d = types.DateFromCivil(y, m, min(day, types.DaysInMonth(y, m)))
	}
	ts, ok := types.JoinTimestamp(d+int64(days), us)
	if !ok {
		return 0, timestampRange()
	}
	return ts, nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func addMicros(ts, us int64) (int64, error) {
	sum, ok := addInt(ts, us)
	if !ok || !types.ValidTimestamp(sum) {
		return 0, timestampRange()
	}
	return sum, nil
}

// addToTimestamp is timestamp + interval: months, then days, then time.
func addToTimestamp(ts int64, v *types.Interval) (int64, error) {
	if infiniteTimestamp(ts) {
		return ts, nil
	}
	var err error
	if v.Months != 0 || v.Days != 0 {
		if ts, err = addMonthsDays(ts, v.Months, v.Days); err != nil {
			return 0, err
		}
	}
	return addMicros(ts, v.Micros)
}

// addToTimestampTZ is timestamptz + interval: months and days go by the zone's wall clock, so that a day may have 23 or 25
// hours; time is added to the instant.
func addToTimestampTZ(loc *time.Location, ts int64, v *types.Interval) (int64, error) {
	if infiniteTimestamp(ts) {
		return ts, nil
	}
	for _, step := range [][2]int32{{v.Months, 0}, {0, v.Days}} {
		if step[0] == 0 && step[1] == 0 {
			continue
		}
		local, err := toLocal(loc, ts)
		if err != nil {
			return 0, err
		}
		if local, err = addMonthsDays(local, step[0], step[1]); err != nil {
			return 0, err
		}
		if ts, err = toUTC(loc, local); err != nil {
			return 0, err
		}
	}
	return addMicros(ts, v.Micros)
}

// negatedInterval returns -v, as interval subtraction uses it; the least values wrap and are caught as out of range later.
func negatedInterval(v *types.Interval) *types.Interval {
	return &types.Interval{Micros: -v.Micros, Days: -v.Days, Months: -v.Months}
}

func intervalNeg(_ *expr.Env, a datum) (datum, error) {
	v := a.Interval()
	if v.Micros == math.MinInt64 || v.Days == math.MinInt32 || v.Months == math.MinInt32 {
		return types.Null, intervalRange()
	}
	return types.Ref(negatedInterval(v)), nil
}

func intervalAdd(_ *expr.Env, a, b datum) (datum, error) {
	v, err := addIntervals(a.Interval(), b.Interval())
	return intervalDatum(v), err
}

func intervalSub(_ *expr.Env, a, b datum) (datum, error) {
	x, y := a.Interval(), b.Interval()
	months, days := int64(x.Months)-int64(y.Months), int64(x.Days)-int64(y.Days)
	us, ok := subInt(x.Micros, y.Micros)
	if !ok || months != int64(int32(months)) || days != int64(int32(days)) {
		return types.Null, intervalRange()
	}
	return intervalDatum(types.Interval{Micros: us, Days: int32(days), Months: int32(months)}), nil
}

// scaled multiplies or divides an interval and checks that the result fits.
func scaled(v *types.Interval, by float64, divide bool) (datum, error) {
	f := by
	if divide {
		if by == 0 {
			return types.Null, divisionByZero()
		}
		f = 1 / by
	}
	fits := func(x, limit float64) bool { return math.Abs(x*f) <= limit && !math.IsNaN(x*f) }
	if !fits(float64(v.Months), math.MaxInt32) || !fits(float64(v.Days), math.MaxInt32) || !fits(float64(v.Micros), math.MaxInt64) {
		return types.Null, intervalRange()
	}
	if divide {
		return intervalDatum(divideInterval(v, by)), nil
	}
	return intervalDatum(multiplyInterval(v, by)), nil
}

// differenceOf is timestamp - timestamp: days and time, never months.
func differenceOf(_ *expr.Env, a, b datum) (datum, error) {
	x, y := a.Int(), b.Int()
	if infiniteTimestamp(x) || infiniteTimestamp(y) {
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "cannot subtract infinite timestamps")
	}
	us, ok := subInt(x, y)
	if !ok {
		return types.Null, intervalRange()
	}
	return intervalDatum(types.Interval{Days: int32(us / types.MicrosPerDay), Micros: us % types.MicrosPerDay}), nil
}

func dateDiff(_ *expr.Env, a, b datum) (datum, error) {
	if infiniteDate(a.Int()) || infiniteDate(b.Int()) {
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "cannot subtract infinite dates")
	}
	return types.Int(a.Int() - b.Int()), nil
}

func addDays(d, n int64) (datum, error) {
	if infiniteDate(d) {
		return types.Int(d), nil
	}
	if !types.ValidDate(d + n) {
		return types.Null, dateRange()
	}
	return types.Int(d + n), nil
}

// dateInterval is date ± interval, a timestamp.
func dateInterval(d int64, v *types.Interval) (datum, error) {
	ts, err := dateToTimestamp(d)
	if err != nil {
		return types.Null, err
	}
	ts, err = addToTimestamp(ts, v)
	return types.Int(ts), err
}

// dateTime is date + time.
func dateTime(d, us int64) (datum, error) {
	ts, err := dateToTimestamp(d)
	if err != nil || infiniteTimestamp(ts) {
		return types.Int(ts), err
	}
	ts, err = addMicros(ts, us)
	return types.Int(ts), err
}

func dateTimeTZ(d int64, v *types.TimeTZ) (datum, error) {
	switch d {
	case types.DateInfinity:
		return types.Int(types.TimestampInfinity), nil
	case types.DateNegInfinity:
		return types.Int(types.TimestampNegInfinity), nil
	}
	if d > types.EndTimestamp/types.MicrosPerDay+1 || d < types.MinDate {
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range for timestamp")
	}
	ts := d*types.MicrosPerDay + v.Micros + int64(v.Zone)*types.MicrosPerSecond
	if !types.ValidTimestamp(ts) {
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range for timestamp")
	}
	return types.Int(ts), nil
}

// wrapDay brings a time of day plus something back into one day.
func wrapDay(us int64) int64 { return us - floorDiv(us, types.MicrosPerDay)*types.MicrosPerDay }

func timePlus(us int64, v *types.Interval, sign int64) datum {
	return types.Int(wrapDay(us + sign*(v.Micros%types.MicrosPerDay)))
}

func timeTZPlus(t *types.TimeTZ, v *types.Interval, sign int64) datum {
	return types.Ref(&types.TimeTZ{Micros: wrapDay(t.Micros + sign*(v.Micros%types.MicrosPerDay)), Zone: t.Zone})
}

func dateArithImpls() []expr.Impl {
	tsPlus := func(_ *expr.Env, a, b datum) (datum, error) {
		ts, err := addToTimestamp(a.Int(), b.Interval())
		return types.Int(ts), err
	}
	tzPlus := func(env *expr.Env, a, b datum) (datum, error) {
		ts, err := addToTimestampTZ(zoneOf(env), a.Int(), b.Interval())
		return types.Int(ts), err
	}
	datePlus := func(_ *expr.Env, a, b datum) (datum, error) { return dateInterval(a.Int(), b.Interval()) }
	dateTimePlus := func(_ *expr.Env, a, b datum) (datum, error) { return dateTime(a.Int(), b.Int()) }
	dateTZPlus := func(_ *expr.Env, a, b datum) (datum, error) { return dateTimeTZ(a.Int(), b.Ref().(*types.TimeTZ)) }
	timePlusInterval := func(_ *expr.Env, a, b datum) (datum, error) { return timePlus(a.Int(), b.Interval(), 1), nil }
	timeTZPlusInterval := func(_ *expr.Env, a, b datum) (datum, error) {
		return timeTZPlus(a.Ref().(*types.TimeTZ), b.Interval(), 1), nil
	}
	dateInt := func(_ *expr.Env, a, b datum) (datum, error) { return addDays(a.Int(), b.Int()) }
	mul := func(_ *expr.Env, a, b datum) (datum, error) { return scaled(a.Interval(), b.Float(), false) }
	swap := func(f f2) f2 {
		return func(env *expr.Env, a, b datum) (datum, error) { return f(env, b, a) }
	}
	minus := func(f f2) f2 {
		return func(env *expr.Env, a, b datum) (datum, error) {
			return f(env, a, types.Ref(negatedInterval(b.Interval())))
		}
	}
	return []expr.Impl{
		{OID: 1140, Name: "date_mi", F2: dateDiff},
		{OID: 1141, Name: "date_pli", F2: dateInt},
		{OID: 1142, Name: "date_mii", F2: func(_ *expr.Env, a, b datum) (datum, error) { return addDays(a.Int(), -b.Int()) }},
		{OID: 2550, Name: "integer_pl_date", F2: swap(dateInt)},
		{OID: 2071, Name: "date_pl_interval", F2: datePlus},
		{OID: 2072, Name: "date_mi_interval", F2: minus(datePlus)},
		{OID: 2546, Name: "interval_pl_date", F2: swap(datePlus)},
		{OID: 1272, Name: "datetime_pl", F2: dateTimePlus},
		{OID: 1296, Name: "timedate_pl", F2: swap(dateTimePlus)},
		{OID: 1297, Name: "datetimetz_pl", F2: dateTZPlus},
		{OID: 1298, Name: "timetzdate_pl", F2: swap(dateTZPlus)},
		{OID: 2032, Name: "timestamp_pl_interval", F2: tsPlus},
		{OID: 2033, Name: "timestamp_mi_interval", F2: minus(tsPlus)},
		{OID: 2548, Name: "interval_pl_timestamp", F2: swap(tsPlus)},
		{OID: 2031, Name: "timestamp_mi", F2: differenceOf},
		{OID: 1189, Name: "timestamptz_pl_interval", F2: tzPlus},
		{OID: 1190, Name: "timestamptz_mi_interval", F2: minus(tzPlus)},
		{OID: 2549, Name: "interval_pl_timestamptz", F2: swap(tzPlus)},
		{OID: 1188, Name: "timestamptz_mi", F2: differenceOf},
		{OID: 1747, Name: "time_pl_interval", F2: timePlusInterval},
		{OID: 1848, Name: "interval_pl_time", F2: swap(timePlusInterval)},
		{OID: 1748, Name: "time_mi_interval", F2: func(_ *expr.Env, a, b datum) (datum, error) { return timePlus(a.Int(), b.Interval(), -1), nil }},
		{OID: 1749, Name: "timetz_pl_interval", F2: timeTZPlusInterval},
		{OID: 2547, Name: "interval_pl_timetz", F2: swap(timeTZPlusInterval)},
		{OID: 1750, Name: "timetz_mi_interval", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			return timeTZPlus(a.Ref().(*types.TimeTZ), b.Interval(), -1), nil
		}},
		{OID: 1690, Name: "time_mi_time", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			return intervalDatum(types.Interval{Micros: a.Int() - b.Int()}), nil
		}},
		{OID: 1168, Name: "interval_um", F1: intervalNeg},
		{OID: 1169, Name: "interval_pl", F2: intervalAdd},
		{OID: 1170, Name: "interval_mi", F2: intervalSub},
		{OID: 1618, Name: "interval_mul", F2: mul},
		{OID: 1624, Name: "mul_d_interval", F2: swap(mul)},
		{OID: 1326, Name: "interval_div", F2: func(_ *expr.Env, a, b datum) (datum, error) { return scaled(a.Interval(), b.Float(), true) }},
	}
}
