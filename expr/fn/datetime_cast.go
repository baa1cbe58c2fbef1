package fn

import (
	"cmp"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// localTimeTZ splits an instant into the zone's time of day and offset.
func localTimeTZ(env *expr.Env, ts int64) (us int64, west int32) {
	off, _ := types.ZoneAt(zoneOf(env), ts)
	_, us = types.SplitTimestamp(ts + int64(off)*types.MicrosPerSecond)
	return us, int32(-off)
}

func dateCastImpls() []expr.Impl {
	toTZ := func(env *expr.Env, local int64, err error) (datum, error) {
		if err != nil {
			return types.Null, err
		}
		ts, err := toUTC(zoneOf(env), local)
		return types.Int(ts), err
	}
	return []expr.Impl{
		{OID: 2029, Name: "date", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Int(timestampToDate(a.Int())), nil }},
		{OID: 1178, Name: "date", F1: func(env *expr.Env, a datum) (datum, error) {
			local, err := toLocal(zoneOf(env), a.Int())
			return types.Int(timestampToDate(local)), err
		}},
		{OID: 2024, Name: "timestamp", F1: func(_ *expr.Env, a datum) (datum, error) {
			ts, err := dateToTimestamp(a.Int())
			return types.Int(ts), err
		}},
		{OID: 2025, Name: "timestamp", F2: func(_ *expr.Env, a, b datum) (datum, error) { return dateTime(a.Int(), b.Int()) }},
		{OID: 2027, Name: "timestamp", F1: func(env *expr.Env, a datum) (datum, error) {
			local, err := toLocal(zoneOf(env), a.Int())
			return types.Int(local), err
		}},
		{OID: 1174, Name: "timestamptz", F1: func(env *expr.Env, a datum) (datum, error) {
			local, err := dateToTimestamp(a.Int())
			return toTZ(env, local, err)
		}},
		{OID: 1176, Name: "timestamptz", F2: func(env *expr.Env, a, b datum) (datum, error) {
			local, err := dateTime(a.Int(), b.Int())
			return toTZ(env, local.Int(), err)
		}},
		{OID: 1359, Name: "timestamptz", F2: func(_ *expr.Env, a, b datum) (datum, error) { return dateTimeTZ(a.Int(), b.Ref().(*types.TimeTZ)) }},
		{OID: 2028, Name: "timestamptz", F1: func(env *expr.Env, a datum) (datum, error) { return toTZ(env, a.Int(), nil) }},
		{OID: 1316, Name: "time", F1: func(_ *expr.Env, a datum) (datum, error) {
			if infiniteTimestamp(a.Int()) {
				return types.Null, nil
			}
			_, us := types.SplitTimestamp(a.Int())
			return types.Int(us), nil
		}},
		{OID: 2019, Name: "time", F1: func(env *expr.Env, a datum) (datum, error) {
			if infiniteTimestamp(a.Int()) {
				return types.Null, nil
			}
			us, _ := localTimeTZ(env, a.Int())
			return types.Int(us), nil
		}},
		{OID: 1419, Name: "time", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Int(wrapDay(a.Interval().Micros)), nil }},
		{OID: 2046, Name: "time", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Int(a.Ref().(*types.TimeTZ).Micros), nil }},
		{OID: 1388, Name: "timetz", F1: func(env *expr.Env, a datum) (datum, error) {
			if infiniteTimestamp(a.Int()) {
				return types.Null, nil
			}
			us, west := localTimeTZ(env, a.Int())
			return types.Ref(&types.TimeTZ{Micros: us, Zone: west}), nil
		}},
		{OID: 2047, Name: "timetz", F1: func(env *expr.Env, a datum) (datum, error) {
			// A time alone is one of today.
			off := types.LocalOffset(zoneOf(env), today(env)+a.Int())
			return types.Ref(&types.TimeTZ{Micros: a.Int(), Zone: int32(-off)}), nil
		}},
		{OID: 1370, Name: "interval", F1: func(_ *expr.Env, a datum) (datum, error) { return intervalDatum(types.Interval{Micros: a.Int()}), nil }},
		{OID: 1373, Name: "isfinite", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Bool(!infiniteDate(a.Int())), nil }},
		{OID: 1389, Name: "isfinite", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Bool(!infiniteTimestamp(a.Int())), nil }},
		{OID: 2048, Name: "isfinite", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Bool(!infiniteTimestamp(a.Int())), nil }},
		{OID: 1390, Name: "isfinite", F1: func(*expr.Env, datum) (datum, error) { return types.True, nil }},
	}
}

// instant brings a date, timestamp or timestamptz to one scale for comparison with a value of another of these types: a
// local time if neither side has a zone. A date beyond the range of timestamps is beyond all finite ones.
func instant(env *expr.Env, t *types.T, d datum, zoned bool) int64 {
	v := d.Int()
	if t == types.DateT {
		ts, err := dateToTimestamp(v)
		if err != nil {
			return types.TimestampInfinity - 1
		}
		v = ts
	}
	if zoned && t != types.TimestampTZT && !infiniteTimestamp(v) {
		ts, _ := types.LocalToUTC(zoneOf(env), v)
		return ts
	}
	return v
}

// crossComparisons are the operators between date, timestamp and timestamptz.
func crossComparisons() []expr.Impl {
	var out []expr.Impl
	for _, g := range []struct {
		a, b                       *types.T
		lt, le, eq, gt, ge, ne, cm uint32
	}{
		{types.DateT, types.TimestampT, 2338, 2339, 2340, 2341, 2342, 2343, 2344},
		{types.DateT, types.TimestampTZT, 2351, 2352, 2353, 2354, 2355, 2356, 2357},
		{types.TimestampT, types.DateT, 2364, 2365, 2366, 2367, 2368, 2369, 2370},
		{types.TimestampTZT, types.DateT, 2377, 2378, 2379, 2380, 2381, 2382, 2383},
		{types.TimestampT, types.TimestampTZT, 2520, 2521, 2522, 2523, 2524, 2525, 2526},
		{types.TimestampTZT, types.TimestampT, 2527, 2528, 2529, 2530, 2531, 2532, 2533},
	} {
		zoned := g.a == types.TimestampTZT || g.b == types.TimestampTZT
		compare := func(env *expr.Env, a, b datum) int {
			return cmp.Compare(instant(env, g.a, a, zoned), instant(env, g.b, b, zoned))
		}
		add := func(oid uint32, name string, test func(c int) bool) {
			out = append(out, expr.Impl{OID: oid, Name: g.a.Name + "_" + name + "_" + g.b.Name, F2: func(env *expr.Env, a, b datum) (datum, error) {
				return types.Bool(test(compare(env, a, b))), nil
			}})
		}
		add(g.lt, "lt", func(c int) bool { return c < 0 })
		add(g.le, "le", func(c int) bool { return c <= 0 })
		add(g.eq, "eq", func(c int) bool { return c == 0 })
		add(g.gt, "gt", func(c int) bool { return c > 0 })
		add(g.ge, "ge", func(c int) bool { return c >= 0 })
		add(g.ne, "ne", func(c int) bool { return c != 0 })
		out = append(out, expr.Impl{OID: g.cm, Name: g.a.Name + "_cmp_" + g.b.Name, F2: func(env *expr.Env, a, b datum) (datum, error) {
			return types.Int(int64(compare(env, a, b))), nil
		}})
	}
	return out
}

// overlapping is OVERLAPS by the SQL standard: each period's ends come in either order, and one of them may be NULL.
func overlapping(less func(a, b datum) bool, s1, e1, s2, e2 datum) datum {
	order := func(s, e datum) (datum, datum, bool) {
		if s.IsNull() {
			return e, types.Null, !e.IsNull()
		}
		if !e.IsNull() && less(e, s) {
			return e, s, true
		}
		return s, e, true
	}
	s1, e1, ok1 := order(s1, e1)
	s2, e2, ok2 := order(s2, e2)
	if !ok1 || !ok2 {
		return types.Null
	}
	if less(s2, s1) {
		s1, e1, s2, e2 = s2, e2, s1, e1
	} else if !less(s1, s2) {
		if e1.IsNull() || e2.IsNull() {
			return types.Null
		}
		return types.True
	}
	// Now the first period starts earlier.
	switch {
	case e1.IsNull():
		return types.Null
	case less(s2, e1):
		return types.True
	case e2.IsNull():
		return types.Null
	}
	return types.False
}

func overlaps(t *types.T, end1, end2 f2) expr.EvalFunc {
	less := func(a, b datum) bool { return types.Compare(t, a, b) < 0 }
	return func(env *expr.Env, a []datum) (datum, error) {
		e1, e2 := a[1], a[3]
		var err error
		if end1 != nil && !e1.IsNull() {
			if e1 = types.Null; !a[0].IsNull() {
				e1, err = end1(env, a[0], a[1])
			}
		}
		if end2 != nil && !e2.IsNull() && err == nil {
			if e2 = types.Null; !a[2].IsNull() {
				e2, err = end2(env, a[2], a[3])
			}
		}
		if err != nil {
			return types.Null, err
		}
		return overlapping(less, a[0], e1, a[2], e2), nil
	}
}

func overlapsImpls() []expr.Impl {
	tsPlus := func(_ *expr.Env, a, b datum) (datum, error) {
		ts, err := addToTimestamp(a.Int(), b.Interval())
		return types.Int(ts), err
	}
	tzPlus := func(env *expr.Env, a, b datum) (datum, error) {
		ts, err := addToTimestampTZ(zoneOf(env), a.Int(), b.Interval())
		return types.Int(ts), err
	}
	tPlus := func(_ *expr.Env, a, b datum) (datum, error) { return timePlus(a.Int(), b.Interval(), 1), nil }
	const name = "overlaps"
	return []expr.Impl{
		{OID: 1271, Name: name, Eval: overlaps(types.TimeTZT, nil, nil)},
		{OID: 1304, Name: name, Eval: overlaps(types.TimestampTZT, nil, nil)},
		{OID: 1305, Name: name, Eval: overlaps(types.TimestampTZT, tzPlus, tzPlus)},
		{OID: 1306, Name: name, Eval: overlaps(types.TimestampTZT, nil, tzPlus)},
		{OID: 1307, Name: name, Eval: overlaps(types.TimestampTZT, tzPlus, nil)},
		{OID: 1308, Name: name, Eval: overlaps(types.TimeT, nil, nil)},
		{OID: 1309, Name: name, Eval: overlaps(types.TimeT, tPlus, tPlus)},
		{OID: 1310, Name: name, Eval: overlaps(types.TimeT, nil, tPlus)},
		{OID: 1311, Name: name, Eval: overlaps(types.TimeT, tPlus, nil)},
		{OID: 2041, Name: name, Eval: overlaps(types.TimestampT, nil, nil)},
		{OID: 2042, Name: name, Eval: overlaps(types.TimestampT, tsPlus, tsPlus)},
		{OID: 2043, Name: name, Eval: overlaps(types.TimestampT, nil, tsPlus)},
		{OID: 2044, Name: name, Eval: overlaps(types.TimestampT, tsPlus, nil)},
	}
}

// timestampSeries yields from, from+step ... by the calendar.
func timestampSeries(add func(env *expr.Env, ts int64, v *types.Interval) (int64, error)) expr.SetFunc {
	return func(env *expr.Env, a []datum, yield func(...datum) error) error {
		at, to, step := a[0].Int(), a[1].Int(), a[2].Interval()
		sign := types.CompareInterval(step, &types.Interval{})
		if sign == 0 {
			return zeroStep()
		}
		row := make([]datum, 1)
		for n := 0; sign > 0 && at <= to || sign < 0 && at >= to; n++ {
			if err := cancelled(env, n); err != nil {
				return err
			}
			row[0] = types.Int(at)
			if err := yield(row...); err != nil {
				return err
			}
			var err error
			if at, err = add(env, at, step); err != nil {
				return err
			}
		}
		return nil
	}
}

func dateSeriesImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 938, Name: "generate_series", Set: timestampSeries(func(_ *expr.Env, ts int64, v *types.Interval) (int64, error) { return addToTimestamp(ts, v) })},
		{OID: 939, Name: "generate_series", Set: timestampSeries(func(env *expr.Env, ts int64, v *types.Interval) (int64, error) {
			return addToTimestampTZ(zoneOf(env), ts, v)
		})},
	}
}

// datetimeImpls are the functions and operators of dates, times and intervals.
func datetimeImpls() []expr.Impl {
	var out []expr.Impl
	for _, family := range [][]expr.Impl{
		dateArithImpls(), dateFieldImpls(), dateMakeImpls(), dateCastImpls(), crossComparisons(), overlapsImpls(), dateSeriesImpls(), dateFormatImpls(), numberFormatImpls(),
	} {
		out = append(out, family...)
	}
	return out
}
