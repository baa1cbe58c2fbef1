package fn

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// namedZone finds a time zone by abbreviation, name or POSIX form.
func namedZone(name string, _ int64) (*time.Location, error) {
	if a, ok := types.ZoneAbbrevByName(name); ok {
		return time.FixedZone(strings.ToUpper(name), a.Offset), nil
	}
	loc, _, ok := types.LoadZone(name)
	if !ok {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "time zone \"%s\" not recognized", name)
	}
	return loc, nil
}

// intervalZone takes an interval as an offset east of UTC.
func intervalZone(v *types.Interval) (*time.Location, error) {
	if v.Months != 0 || v.Days != 0 {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "interval time zone \"%s\" must not include months or days",
			types.AppendInterval(nil, v, "postgres"))
	}
	return time.FixedZone("", int(v.Micros/types.MicrosPerSecond)), nil
}

// zoneArg reads the first argument of timezone(): text or an interval.
func zoneArg(interval bool, d datum) (*time.Location, error) {
	if interval {
		return intervalZone(d.Interval())
	}
	return namedZone(d.Str(), 0)
}

func atTimeZone(interval bool, convert func(*time.Location, int64) (int64, error)) f2 {
	return func(_ *expr.Env, zone, a datum) (datum, error) {
		if infiniteTimestamp(a.Int()) {
			return a, nil
		}
		loc, err := zoneArg(interval, zone)
		if err != nil {
			return types.Null, err
		}
		ts, err := convert(loc, a.Int())
		return types.Int(ts), err
	}
}

// timeTZAt shows a time in another zone, with the offset that the zone has now.
func timeTZAt(interval bool) f2 {
	return func(env *expr.Env, zone, a datum) (datum, error) {
		loc, err := zoneArg(interval, zone)
		if err != nil {
			return types.Null, err
		}
		off, _ := types.ZoneAt(loc, types.TimestampFromTime(env.XactStart))
		t := a.Ref().(*types.TimeTZ)
		us := wrapDay(t.Micros + (int64(t.Zone)+int64(off))*types.MicrosPerSecond)
		return types.Ref(&types.TimeTZ{Micros: us, Zone: int32(-off)}), nil
	}
}

func badDate(y, m, d int64) error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", y, m, d)
}

// civil returns the day of a year (negative: BC), month and day.
func civil(y, m, d int64) (int64, error) {
	year := y
	if y < 0 {
		year = y + 1
	}
	if y == 0 || m < 1 || m > 12 || d < 1 || d > int64(types.DaysInMonth(int(year), int(m))) {
		return 0, badDate(y, m, d)
	}
	return types.DateFromCivil(int(year), int(m), int(d)), nil
}

// clockOf returns the time of day; 24:00:00 and a 60th second are allowed.
func clockOf(h, m int64, sec float64) (int64, error) {
	us := math.RoundToEven(sec * 1e6)
	total := float64((h*60+m)*60)*1e6 + us
	if h < 0 || h > 24 || m < 0 || m > 59 || !(sec >= 0) || us > 60e6 || total > float64(types.MicrosPerDay) {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%s", h, m, shortSeconds(sec))
	}
	return int64(total), nil
}

// shortSeconds is C's %02g.
func shortSeconds(f float64) string {
	s := strconv.FormatFloat(f, 'g', 6, 64)
	if len(s) < 2 {
		s = "0" + s
	}
	return s
}

func makeDate(_ *expr.Env, a []datum) (datum, error) {
	y, m, day := a[0].Int(), a[1].Int(), a[2].Int()
	d, err := civil(y, m, day)
	if err != nil {
		return types.Null, err
	}
	if !types.ValidDate(d) {
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range: %d-%02d-%02d", y, m, day)
	}
	return types.Int(d), nil
}

func makeLocal(a []datum) (int64, error) {
	d, err := civil(a[0].Int(), a[1].Int(), a[2].Int())
	if err != nil {
		return 0, err
	}
	us, err := clockOf(a[3].Int(), a[4].Int(), a[5].Float())
	if err != nil {
		return 0, err
	}
	ts, ok := types.JoinTimestamp(d, us)
	if !ok {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range: %d-%02d-%02d %d:%02d:%s",
			a[0].Int(), a[1].Int(), a[2].Int(), a[3].Int(), a[4].Int(), shortSeconds(a[5].Float()))
	}
	return ts, nil
}

func makeTimestamp(_ *expr.Env, a []datum) (datum, error) {
	ts, err := makeLocal(a)
	return types.Int(ts), err
}

func makeTimestampTZ(env *expr.Env, a []datum) (datum, error) {
	local, err := makeLocal(a)
	if err != nil {
		return types.Null, err
	}
	loc := zoneOf(env)
	if len(a) == 7 {
		if loc, err = makeZone(a[6].Str()); err != nil {
			return types.Null, err
		}
	}
	ts, err := toUTC(loc, local)
	return types.Int(ts), err
}

// makeZone reads the zone of make_timestamptz: unlike elsewhere a bare offset counts east as positive.
func makeZone(s string) (*time.Location, error) {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		d, err := types.Input(types.DefaultIO(), types.TimeTZT, -1, "00:00"+s)
		if err != nil {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid input syntax for type %s: \"%s\"", "numeric time zone", s).
				WithHint("Numeric time zones must have \"-\" or \"+\" as first character.")
		}
		return time.FixedZone("", -int(d.Ref().(*types.TimeTZ).Zone)), nil
	}
	if s != "" && s[0] >= '0' && s[0] <= '9' {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid input syntax for type %s: \"%s\"", "numeric time zone", s).
			WithHint("Numeric time zones must have \"-\" or \"+\" as first character.")
	}
	return namedZone(s, 0)
}

func makeTime(_ *expr.Env, a []datum) (datum, error) {
	us, err := clockOf(a[0].Int(), a[1].Int(), a[2].Float())
	return types.Int(us), err
}

func makeInterval(_ *expr.Env, a []datum) (datum, error) {
	months := a[0].Int()*12 + a[1].Int()
	days := a[2].Int()*7 + a[3].Int()
	secs := math.RoundToEven(a[6].Float() * 1e6)
	us := a[4].Int()*types.MicrosPerHour + a[5].Int()*types.MicrosPerMinute
	if math.IsNaN(secs) || math.Abs(secs) >= 1<<63 || months != int64(int32(months)) || days != int64(int32(days)) {
		return types.Null, intervalRange()
	}
	total, ok := addInt(us, int64(secs))
	if !ok {
		return types.Null, intervalRange()
	}
	return intervalDatum(types.Interval{Micros: total, Days: int32(days), Months: int32(months)}), nil
}

// toTimestamp converts seconds since 1970.
func toTimestamp(_ *expr.Env, a datum) (datum, error) {
	f := a.Float()
	switch {
	case math.IsNaN(f):
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp cannot be NaN")
	case math.IsInf(f, 1):
		return types.Int(types.TimestampInfinity), nil
	case math.IsInf(f, -1):
		return types.Int(types.TimestampNegInfinity), nil
	}
	us := math.RoundToEven((f - unixToPostgres) * 1e6)
	if math.Abs(us) >= 1<<63 || !types.ValidTimestamp(int64(us)) {
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", strconv.FormatFloat(f, 'g', 6, 64))
	}
	return types.Int(int64(us)), nil
}

// justify moves whole days out of the time and whole months out of the days, so that all parts have one sign.
func justify(v types.Interval, hours, days bool) (types.Interval, error) {
	d, m := int64(v.Days), int64(v.Months)
	if hours {
		d += v.Micros / types.MicrosPerDay
		v.Micros %= types.MicrosPerDay
	}
	if days {
		m += d / 30
		d %= 30
		if m > 0 && (d < 0 || hours && d == 0 && v.Micros < 0) {
			d += 30
			m--
		} else if m < 0 && (d > 0 || hours && d == 0 && v.Micros > 0) {
			d -= 30
			m++
		}
	}
	if hours {
		if d > 0 && v.Micros < 0 {
			v.Micros += types.MicrosPerDay
			d--
		} else if d < 0 && v.Micros > 0 {
			v.Micros -= types.MicrosPerDay
			d++
		}
	}
	if d != int64(int32(d)) || m != int64(int32(m)) {
		return v, intervalRange()
	}
	v.Days, v.Months = int32(d), int32(m)
	return v, nil
}

func justifier(hours, days bool) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		v, err := justify(*a.Interval(), hours, days)
		return intervalDatum(v), err
	}
}

// ageBetween is the symbolic difference of two local timestamps in years, months, days and time.
func ageBetween(a, b int64) (datum, error) {
	if infiniteTimestamp(a) || infiniteTimestamp(b) {
		return types.Null, timestampRange()
	}
	negative := a < b
	if negative {
		a, b = b, a
	}
	da, ua := types.SplitTimestamp(a)
	db, ub := types.SplitTimestamp(b)
	ya, ma, dda := types.CivilFromDate(da)
	yb, mb, ddb := types.CivilFromDate(db)
	us, days, months := ua-ub, dda-ddb, (ya-yb)*12+ma-mb
	if us < 0 {
		us += types.MicrosPerDay
		days--
	}
	for days < 0 {
		// The borrowed month is the earlier date's.
		days += types.DaysInMonth(yb, mb)
		months--
	}
	v := types.Interval{Micros: us, Days: int32(days), Months: int32(months)}
	if negative {
		v = *negatedInterval(&v)
	}
	return intervalDatum(v), nil
}

func ageTimestamps(_ *expr.Env, a, b datum) (datum, error) { return ageBetween(a.Int(), b.Int()) }

func ageTimestampTZs(env *expr.Env, a, b datum) (datum, error) {
	x, err := toLocal(zoneOf(env), a.Int())
	if err != nil {
		return types.Null, err
	}
	y, err := toLocal(zoneOf(env), b.Int())
	if err != nil {
		return types.Null, err
	}
	return ageBetween(x, y)
}

// today returns midnight of the current date in the session's zone, as a local timestamp.
func today(env *expr.Env) int64 {
	now := types.TimestampFromTime(env.XactStart)
	off, _ := types.ZoneAt(zoneOf(env), now)
	local, _ := truncLocal(uDay, now+int64(off)*types.MicrosPerSecond)
	return local
}

func ageToday(env *expr.Env, a datum) (datum, error) { return ageBetween(today(env), a.Int()) }

func ageTodayTZ(env *expr.Env, a datum) (datum, error) {
	x, err := toLocal(zoneOf(env), a.Int())
	if err != nil {
		return types.Null, err
	}
	return ageBetween(today(env), x)
}

// clock makes a function without arguments from an instant of the statement.
func clock(at func(*expr.Env) time.Time) expr.EvalFunc {
	return func(env *expr.Env, _ []datum) (datum, error) { return types.Int(types.TimestampFromTime(at(env))), nil }
}

func dateMakeImpls() []expr.Impl {
	xact := clock(func(e *expr.Env) time.Time { return e.XactStart })
	return []expr.Impl{
		{OID: 1299, Name: "now", Eval: xact},
		{OID: 2647, Name: "transaction_timestamp", Eval: xact},
		{OID: 2648, Name: "statement_timestamp", Eval: clock(func(e *expr.Env) time.Time { return e.StmtStart })},
		{OID: 2649, Name: "clock_timestamp", Eval: clock(func(*expr.Env) time.Time { return time.Now() })},
		{OID: 1159, Name: "timezone", F2: atTimeZone(false, toLocal)},
		{OID: 1026, Name: "timezone", F2: atTimeZone(true, toLocal)},
		{OID: 2069, Name: "timezone", F2: atTimeZone(false, toUTC)},
		{OID: 2070, Name: "timezone", F2: atTimeZone(true, toUTC)},
		{OID: 2037, Name: "timezone", F2: timeTZAt(false)},
		{OID: 2038, Name: "timezone", F2: timeTZAt(true)},
		{OID: 3846, Name: "make_date", Eval: makeDate},
		{OID: 3847, Name: "make_time", Eval: makeTime},
		{OID: 3461, Name: "make_timestamp", Eval: makeTimestamp},
		{OID: 3462, Name: "make_timestamptz", Eval: makeTimestampTZ},
		{OID: 3463, Name: "make_timestamptz", Eval: makeTimestampTZ},
		{OID: 3464, Name: "make_interval", Eval: makeInterval},
		{OID: 1158, Name: "to_timestamp", F1: toTimestamp},
		{OID: 1175, Name: "justify_hours", F1: justifier(true, false)},
		{OID: 1295, Name: "justify_days", F1: justifier(false, true)},
		{OID: 2711, Name: "justify_interval", F1: justifier(true, true)},
		{OID: 2058, Name: "age", F2: ageTimestamps},
		{OID: 1199, Name: "age", F2: ageTimestampTZs},
		{OID: 2059, Name: "age", F1: ageToday},
		{OID: 1386, Name: "age", F1: ageTodayTZ},
	}
}
