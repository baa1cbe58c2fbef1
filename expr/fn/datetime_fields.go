package fn

import (
	"math"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// dateUnit is a field that extract, date_part and date_trunc know.
type dateUnit int

const (
	uUnknown dateUnit = iota
	uMicrosecond
	uMillisecond
	uSecond
	uMinute
	uHour
	uDay
	uWeek
	uMonth
	uQuarter
	uYear
	uDecade
	uCentury
	uMillennium
	uJulian
	uISOYear
	uDow
	uISODow
	uDoy
	uTimezone
	uTimezoneHour
	uTimezoneMinute
	uEpoch
	uOther // a word of date input that is no field here
)

var dateUnits = map[string]dateUnit{
	"us": uMicrosecond, "usec": uMicrosecond, "usecs": uMicrosecond, "usecond": uMicrosecond, "useconds": uMicrosecond,
	"microsecond": uMicrosecond, "microseconds": uMicrosecond,
	"ms": uMillisecond, "msec": uMillisecond, "msecs": uMillisecond, "msecond": uMillisecond, "mseconds": uMillisecond,
	"millisecond": uMillisecond, "milliseconds": uMillisecond,
	"s": uSecond, "sec": uSecond, "secs": uSecond, "second": uSecond, "seconds": uSecond,
	"m": uMinute, "min": uMinute, "mins": uMinute, "minute": uMinute, "minutes": uMinute,
	"h": uHour, "hr": uHour, "hrs": uHour, "hour": uHour, "hours": uHour,
	"d": uDay, "day": uDay, "days": uDay, "w": uWeek, "week": uWeek, "weeks": uWeek,
	"mon": uMonth, "mons": uMonth, "month": uMonth, "months": uMonth, "qtr": uQuarter, "quarter": uQuarter,
	"y": uYear, "yr": uYear, "yrs": uYear, "year": uYear, "years": uYear,
	"dec": uDecade, "decs": uDecade, "decade": uDecade, "decades": uDecade,
	"c": uCentury, "cent": uCentury, "century": uCentury, "centuries": uCentury,
	"mil": uMillennium, "mils": uMillennium, "millennium": uMillennium, "millennia": uMillennium,
	"j": uJulian, "jd": uJulian, "julian": uJulian, "isoyear": uISOYear, "dow": uDow, "isodow": uISODow, "doy": uDoy,
	"timezone": uTimezone, "timezone_h": uTimezoneHour, "timezone_hour": uTimezoneHour, "timezone_m": uTimezoneMinute, "timezone_minute": uTimezoneMinute,
	"epoch": uEpoch, "now": uOther, "today": uOther, "tomorrow": uOther, "yesterday": uOther, "infinity": uOther, "-infinity": uOther, "allballs": uOther,
}

func unitOf(text string) (name string, u dateUnit) {
	name = types.ClipUTF8(strings.ToLower(text), 63)
	return name, dateUnits[name]
}

func badUnit(name string, u dateUnit, t *types.T) error {
	if u == uUnknown {
		return pgerr.New(pgerr.InvalidParameterValue, "unit \"%s\" not recognized for type %s", name, types.FormatType(t, -1))
	}
	return pgerr.New(pgerr.FeatureNotSupported, "unit \"%s\" not supported for type %s", name, types.FormatType(t, -1))
}

// fieldValue is an extracted field: an integer, or an integer of 10^-scale parts; or an infinity.
type fieldValue struct {
	n     int64
	scale int32
	exact *apd.Decimal // instead of n, for what exceeds 64 bits or has an endless fraction
	float float64      // the float8 form of exact, or of n if split
	split bool         // whole seconds and the fraction are converted to float8 each for itself
	inf   int
	null  bool
}

func (v fieldValue) datum(float bool) datum {
	switch {
	case v.null:
		return types.Null
	case v.inf != 0 && float:
		return types.Float(math.Inf(v.inf))
	case v.inf != 0:
		return types.Num(infinity(v.inf < 0))
	case float && (v.exact != nil || v.split):
		return types.Float(v.float)
	case v.exact != nil:
		return types.Num(v.exact)
	case float:
		return types.Float(float64(v.n) / math.Pow10(int(v.scale)))
	}
	return types.Num(apd.New(v.n, -v.scale))
}

// isoWeekMonday returns the Monday of the week that a day lies in; 2000-01-01 was a Saturday.
func isoWeekMonday(d int64) int64 { return d - (d + 5 - floorDiv(d+5, 7)*7) }

// isoYear returns the year that the ISO week of a day belongs to: the one of its Thursday.
func isoYear(d int64) int {
	y, _, _ := types.CivilFromDate(isoWeekMonday(d) + 3)
	return y
}

func isoWeek(d int64) int64 {
	first := isoWeekMonday(types.DateFromCivil(isoYear(d), 1, 4))
	return (isoWeekMonday(d)-first)/7 + 1
}

// weekday returns 0 for Sunday to 6.
func weekday(d int64) int64 { return d + 6 - floorDiv(d+6, 7)*7 }

const julianOf2000 = 2451545

// dateField extracts a field that depends on the day only; ok is false for others.
func dateField(u dateUnit, d int64) (v fieldValue, ok bool) {
	y, m, day := types.CivilFromDate(d)
	year := int64(y)
	n := int64(0)
	switch u {
	case uDay:
		n = int64(day)
	case uMonth:
		n = int64(m)
	case uQuarter:
		n = int64(m-1)/3 + 1
	case uWeek:
		n = isoWeek(d)
	case uYear:
		// There is no year 0, and BC years count down.
		if n = year; year <= 0 {
			n = year - 1
		}
	case uDecade:
		if n = year / 10; year < 0 {
			n = -((8 - (year - 1)) / 10)
		}
	case uCentury:
		if n = (year + 99) / 100; year <= 0 {
			n = -((99 - (year - 1)) / 100)
		}
	case uMillennium:
		if n = (year + 999) / 1000; year <= 0 {
			n = -((999 - (year - 1)) / 1000)
		}
	case uJulian:
		n = d + julianOf2000
	case uISOYear:
		if n = int64(isoYear(d)); n <= 0 {
			n--
		}
	case uDow:
		n = weekday(d)
	case uISODow:
		if n = weekday(d); n == 0 {
			n = 7
		}
	case uDoy:
		n = d - types.DateFromCivil(y, 1, 1) + 1
	default:
		return fieldValue{}, false
	}
	return fieldValue{n: n}, true
}

// timeField extracts a field of a time of day.
func timeField(u dateUnit, us int64) (v fieldValue, ok bool) {
	sec := us % types.MicrosPerMinute
	switch u {
	case uMicrosecond:
		return fieldValue{n: sec}, true
	case uMillisecond:
		return fieldValue{n: sec, scale: 3, split: true, float: float64(sec/1e6)*1000 + float64(sec%1e6)/1000}, true
	case uSecond:
		return fieldValue{n: sec, scale: 6, split: true, float: float64(sec/1e6) + float64(sec%1e6)/1e6}, true
	case uMinute:
		return fieldValue{n: us / types.MicrosPerMinute % 60}, true
	case uHour:
		return fieldValue{n: us / types.MicrosPerHour}, true
	}
	return fieldValue{}, false
}

func zoneField(u dateUnit, east int64) (v fieldValue, ok bool) {
	switch u {
	case uTimezone:
		return fieldValue{n: east}, true
	case uTimezoneHour:
		return fieldValue{n: east / 3600}, true
	case uTimezoneMinute:
		return fieldValue{n: east / 60 % 60}, true
	}
	return fieldValue{}, false
}

// infiniteField gives the fields that grow without end; the cyclic ones are NULL.
func infiniteField(u dateUnit, negative bool) fieldValue {
	switch u {
	case uYear, uDecade, uCentury, uMillennium, uJulian, uISOYear, uEpoch:
		if negative {
			return fieldValue{inf: -1}
		}
		return fieldValue{inf: 1}
	}
	return fieldValue{null: true}
}

const unixToPostgres = 946684800

func timestampField(u dateUnit, ts int64, east int64, zoned bool) (v fieldValue, ok bool) {
	if infiniteTimestamp(ts) {
		_, known := zoneField(u, 0)
		return infiniteField(u, ts < 0), u != uUnknown && u != uOther && (zoned || !known)
	}
	if u == uEpoch {
		// Far from now the microseconds since 1970 exceed 64 bits.
		n, ok := addInt(ts, unixToPostgres*types.MicrosPerSecond)
		if !ok {
			sum, err := numAdd(apd.New(ts, -6), apd.New(unixToPostgres, 0))
			return fieldValue{exact: sum, float: float64(ts)/1e6 + unixToPostgres}, err == nil
		}
		return fieldValue{n: n, scale: 6}, true
	}
	if zoned {
		if v, ok := zoneField(u, east); ok {
			return v, true
		}
	}
	d, us := types.SplitTimestamp(ts + east*types.MicrosPerSecond)
	if u == uJulian {
		part, err := NumericDiv(apd.New(us, 0), apd.New(types.MicrosPerDay, 0))
		if err != nil {
			return fieldValue{}, false
		}
		sum, err := numAdd(apd.New(d+julianOf2000, 0), part)
		return fieldValue{exact: sum, float: float64(d+julianOf2000) + float64(us)/float64(types.MicrosPerDay)}, err == nil
	}
	if v, ok := timeField(u, us); ok {
		return v, true
	}
	return dateField(u, d)
}

func intervalField(u dateUnit, v *types.Interval) (fieldValue, bool) {
	year, month := int64(v.Months/12), int64(v.Months%12)
	switch u {
	case uDay:
		return fieldValue{n: int64(v.Days)}, true
	case uMonth:
		return fieldValue{n: month}, true
	case uQuarter:
		return fieldValue{n: month/3 + 1}, true
	case uYear:
		return fieldValue{n: year}, true
	case uDecade:
		return fieldValue{n: year / 10}, true
	case uCentury:
		return fieldValue{n: year / 100}, true
	case uMillennium:
		return fieldValue{n: year / 1000}, true
	case uHour, uMinute, uSecond, uMillisecond, uMicrosecond:
		return timeField(u, v.Micros)
	case uEpoch:
		// A year counts as 365.25 days, a month of the rest as 30.
		secs := (4*36525/100*year + 4*30*month + 4*int64(v.Days)) * (86400 / 4)
		us, ok := mulInt(secs, types.MicrosPerSecond)
		if ok {
			us, ok = addInt(us, v.Micros)
		}
		if !ok {
			sum, err := numAdd(apd.New(secs, 0), apd.New(v.Micros, -6))
			return fieldValue{exact: sum, float: float64(secs) + float64(v.Micros)/1e6}, err == nil
		}
		return fieldValue{n: us, scale: 6}, true
	}
	return fieldValue{}, false
}

// extractor makes extract (numeric) or date_part (float8) for one type.
func extractor(t *types.T, float bool) f2 {
	return func(env *expr.Env, unit, a datum) (datum, error) {
		name, u := unitOf(unit.Str())
		var v fieldValue
		var ok bool
		switch t {
		case types.DateT:
			d := a.Int()
			switch {
			case u == uEpoch && !infiniteDate(d):
				v, ok = fieldValue{n: d*86400 + unixToPostgres}, true
			case infiniteDate(d):
				if _, ok = dateField(u, 0); ok || u == uEpoch {
					v, ok = infiniteField(u, d < 0), true
				}
			default:
				v, ok = dateField(u, d)
			}
		case types.TimeT:
			if v, ok = timeField(u, a.Int()); u == uEpoch {
				v, ok = fieldValue{n: a.Int(), scale: 6}, true
			}
		case types.TimeTZT:
			x := a.Ref().(*types.TimeTZ)
			if v, ok = timeField(u, x.Micros); !ok {
				v, ok = zoneField(u, -int64(x.Zone))
			}
			if u == uEpoch {
				v, ok = fieldValue{n: x.Micros + int64(x.Zone)*types.MicrosPerSecond, scale: 6}, true
			}
		case types.TimestampT:
			v, ok = timestampField(u, a.Int(), 0, false)
		case types.TimestampTZT:
			east := 0
			if !infiniteTimestamp(a.Int()) {
				east, _ = types.ZoneAt(zoneOf(env), a.Int())
			}
			v, ok = timestampField(u, a.Int(), int64(east), true)
		default:
			v, ok = intervalField(u, a.Interval())
		}
		if !ok {
			return types.Null, badUnit(name, u, t)
		}
		return v.datum(float), nil
	}
}

// datePartOfDate is date_part(text, date): that of the timestamp at midnight.
func datePartOfDate(env *expr.Env, unit, a datum) (datum, error) {
	ts, err := dateToTimestamp(a.Int())
	if err != nil {
		return types.Null, err
	}
	return extractor(types.TimestampT, true)(env, unit, types.Int(ts))
}

// truncLocal cuts a local timestamp down to a unit.
func truncLocal(u dateUnit, local int64) (int64, bool) {
	cut := func(unit int64) (int64, bool) { return local - (local - floorDiv(local, unit)*unit), true }
	d, _ := types.SplitTimestamp(local)
	y, m, _ := types.CivilFromDate(d)
	start := func(year, month int) (int64, bool) {
		return types.DateFromCivil(year, month, 1) * types.MicrosPerDay, true
	}
	switch u {
	case uMicrosecond:
		return local, true
	case uMillisecond:
		return cut(1000)
	case uSecond:
		return cut(types.MicrosPerSecond)
	case uMinute:
		return cut(types.MicrosPerMinute)
	case uHour:
		return cut(types.MicrosPerHour)
	case uDay:
		return d * types.MicrosPerDay, true
	case uWeek:
		return isoWeekMonday(d) * types.MicrosPerDay, true
	case uMonth:
		return start(y, m)
	case uQuarter:
		return start(y, (m-1)/3*3+1)
	case uYear:
		return start(y, 1)
	case uDecade:
		if y > 0 {
			return start(y/10*10, 1)
		}
		return start(-((8-(y-1))/10)*10, 1)
	case uCentury:
		if y > 0 {
			return start((y+99)/100*100-99, 1)
		}
		return start(-((99-(y-1))/100)*100+1, 1)
	case uMillennium:
		if y > 0 {
			return start((y+999)/1000*1000-999, 1)
		}
		return start(-((999-(y-1))/1000)*1000+1, 1)
	}
	return 0, false
}

func truncTimestamp(_ *expr.Env, unit, a datum) (datum, error) {
	if infiniteTimestamp(a.Int()) {
		return a, nil
	}
	name, u := unitOf(unit.Str())
	ts, ok := truncLocal(u, a.Int())
	if !ok {
		return types.Null, badUnit(name, u, types.TimestampT)
	}
	if !types.ValidTimestamp(ts) {
		return types.Null, timestampRange()
	}
	return types.Int(ts), nil
}

// truncTimestampTZ cuts by the wall clock of a zone. Below a day the offset stays, so that the repeated hour in autumn is
// not moved; from a day on the offset of the new local time holds.
func truncTimestampTZ(env *expr.Env, args []datum) (datum, error) {
	ts := args[1].Int()
	if infiniteTimestamp(ts) {
		return args[1], nil
	}
	loc := zoneOf(env)
	if len(args) == 3 {
		var err error
		if loc, err = namedZone(args[2].Str(), ts); err != nil {
			return types.Null, err
		}
	}
	name, u := unitOf(args[0].Str())
	off, _ := types.ZoneAt(loc, ts)
	local, ok := truncLocal(u, ts+int64(off)*types.MicrosPerSecond)
	if !ok {
		return types.Null, badUnit(name, u, types.TimestampTZT)
	}
	if u >= uDay {
		off = types.LocalOffset(loc, local)
	}
	ts = local - int64(off)*types.MicrosPerSecond
	if !types.ValidTimestamp(ts) {
		return types.Null, timestampRange()
	}
	return types.Int(ts), nil
}

func truncInterval(_ *expr.Env, unit, a datum) (datum, error) {
	name, u := unitOf(unit.Str())
	v := *a.Interval()
	cut := func(n int64) { v.Micros -= v.Micros % n }
	months := func(n int32) {
		v.Months -= v.Months % n
		v.Days, v.Micros = 0, 0
	}
	switch u {
	case uMicrosecond:
	case uMillisecond:
		cut(1000)
	case uSecond:
		cut(types.MicrosPerSecond)
	case uMinute:
		cut(types.MicrosPerMinute)
	case uHour:
		cut(types.MicrosPerHour)
	case uDay:
		v.Micros = 0
	case uMonth:
		months(1)
	case uQuarter:
		months(3)
	case uYear:
		months(12)
	case uDecade:
		months(120)
	case uCentury:
		months(1200)
	case uMillennium:
		months(12000)
	default:
		err := badUnit(name, u, types.IntervalT)
		if u == uWeek {
			return types.Null, pgerr.From(err).WithDetail("Months usually have fractional weeks.")
		}
		return types.Null, err
	}
	return intervalDatum(v), nil
}

// dateBin puts a timestamp into buckets of a stride's width that are aligned to an origin.
func dateBin(_ *expr.Env, args []datum) (datum, error) {
	v, ts, origin := args[0].Interval(), args[1].Int(), args[2].Int()
	if infiniteTimestamp(ts) {
		return args[1], nil
	}
	if infiniteTimestamp(origin) {
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "origin out of range")
	}
	if v.Months != 0 {
		return types.Null, pgerr.New(pgerr.FeatureNotSupported, "timestamps cannot be binned into intervals containing months or years")
	}
	stride, ok := mulInt(int64(v.Days), types.MicrosPerDay)
	if ok {
		stride, ok = addInt(stride, v.Micros)
	}
	diff, ok2 := subInt(ts, origin)
	if !ok || !ok2 {
		return types.Null, intervalRange()
	}
	if stride <= 0 {
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "stride must be greater than zero")
	}
	out := origin + floorDiv(diff, stride)*stride
	if !types.ValidTimestamp(out) {
		return types.Null, timestampRange()
	}
	return types.Int(out), nil
}

func dateFieldImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 1171, Name: "date_part", F2: extractor(types.TimestampTZT, true)},
		{OID: 1172, Name: "date_part", F2: extractor(types.IntervalT, true)},
		{OID: 1273, Name: "date_part", F2: extractor(types.TimeTZT, true)},
		{OID: 1384, Name: "date_part", F2: datePartOfDate},
		{OID: 1385, Name: "date_part", F2: extractor(types.TimeT, true)},
		{OID: 2021, Name: "date_part", F2: extractor(types.TimestampT, true)},
		{OID: 6199, Name: "extract", F2: extractor(types.DateT, false)},
		{OID: 6200, Name: "extract", F2: extractor(types.TimeT, false)},
		{OID: 6201, Name: "extract", F2: extractor(types.TimeTZT, false)},
		{OID: 6202, Name: "extract", F2: extractor(types.TimestampT, false)},
		{OID: 6203, Name: "extract", F2: extractor(types.TimestampTZT, false)},
		{OID: 6204, Name: "extract", F2: extractor(types.IntervalT, false)},
		{OID: 1217, Name: "date_trunc", Eval: truncTimestampTZ},
		{OID: 1284, Name: "date_trunc", Eval: truncTimestampTZ},
		{OID: 1218, Name: "date_trunc", F2: truncInterval},
		{OID: 2020, Name: "date_trunc", F2: truncTimestamp},
		{OID: 6177, Name: "date_bin", Eval: dateBin},
		{OID: 6178, Name: "date_bin", Eval: dateBin},
	}
}
