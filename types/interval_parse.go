package types

import (
	"math"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The bits of an interval typmod's field mask, as PostgreSQL numbers them.
const (
	IntervalMonth  int32 = 1 << 1
	IntervalYear   int32 = 1 << 2
	IntervalDay    int32 = 1 << 3
	IntervalHour   int32 = 1 << 10
	IntervalMinute int32 = 1 << 11
	IntervalSecond int32 = 1 << 12
	// IntervalFull is the mask of an interval without field restriction.
	IntervalFull int32 = 0x7fff
	// IntervalFullPrecision is the precision part of a typmod that has none.
	IntervalFullPrecision int32 = 0xffff
)

// intervalWord is how much of a word is looked at: millenniums is millennium.
const intervalWord = 10

// intervalUnits are the words of interval input.
var intervalUnits = map[string]int{
	"c": unitCentury, "cent": unitCentury, "centuries": unitCentury, "century": unitCentury,
	"d": unitDay, "day": unitDay, "days": unitDay,
	"dec": unitDecade, "decade": unitDecade, "decades": unitDecade, "decs": unitDecade,
	"h": unitHour, "hour": unitHour, "hours": unitHour, "hr": unitHour, "hrs": unitHour,
	"m": unitMinute, "min": unitMinute, "mins": unitMinute, "minute": unitMinute, "minutes": unitMinute,
	"microsecon": unitMicro, "us": unitMicro, "usec": unitMicro, "usecond": unitMicro,
	"useconds": unitMicro, "usecs": unitMicro,
	"mil": unitMillennium, "mils": unitMillennium, "millennia": unitMillennium, "millennium": unitMillennium,
	"millisecon": unitMilli, "ms": unitMilli, "msec": unitMilli, "msecond": unitMilli,
	"mseconds": unitMilli, "msecs": unitMilli,
	"mon": unitMonth, "mons": unitMonth, "month": unitMonth, "months": unitMonth,
	"qtr": unitQuarter, "quarter": unitQuarter,
	"s": unitSecond, "sec": unitSecond, "second": unitSecond, "seconds": unitSecond, "secs": unitSecond,
	"timezone": unitZone, "timezone_h": unitZone, "timezone_m": unitZone,
	"w": unitWeek, "week": unitWeek, "weeks": unitWeek,
	"y": unitYear, "year": unitYear, "years": unitYear, "yr": unitYear, "yrs": unitYear,
}

// intervalSum adds up an interval's components and notices overflow.
type intervalSum struct {
	years, months, days int64 // each within 32 bits
	micros              int64
	overflow            bool
}

func (v *intervalSum) addMicros(n int64) {
	s := v.micros + n
	if n > 0 && s < v.micros || n < 0 && s > v.micros {
		v.overflow = true
	}
	v.micros = s
}

func (v *intervalSum) addUnits(n, unit int64) {
	if n != 0 && (n*unit/unit != n) {
		v.overflow = true
		return
	}
	v.addMicros(n * unit)
}

// addFraction adds a part of a unit, rounded to microseconds.
func (v *intervalSum) addFraction(frac float64, unit int64) {
	if frac == 0 {
		return
	}
	frac *= float64(unit)
	if math.Abs(frac) > 9e18 {
		v.overflow = true
		return
	}
	us := int64(frac)
	frac -= float64(us)
	if frac > 0.5 {
		us++
	} else if frac < -0.5 {
		us--
	}
	v.addMicros(us)
}

func (v *intervalSum) addDays(n int64) {
	v.days += n
	v.overflow = v.overflow || v.days > math.MaxInt32 || v.days < math.MinInt32
}

func (v *intervalSum) addMonths(n int64) {
	v.months += n
	v.overflow = v.overflow || v.months > math.MaxInt32 || v.months < math.MinInt32
}

// addDayFraction adds a part of scale days: whole days, and the rest as time.
func (v *intervalSum) addDayFraction(frac, scale float64) {
	frac *= scale
	whole := int64(frac)
	v.addDays(whole)
	v.addFraction(frac-float64(whole), MicrosPerDay)
}

// add adds n and a fraction of one unit; ok is false for units that intervals do not have.
func (v *intervalSum) add(unit int, n int64, frac float64) (got dtPart, ok bool) {
	if n > 1<<40 && unit != unitMicro && unit != unitMilli && unit != unitSecond && unit != unitMinute && unit != unitHour ||
		n < -(1<<40) && unit != unitMicro && unit != unitMilli && unit != unitSecond && unit != unitMinute && unit != unitHour {
		v.overflow = true
		return 0, true
	}
	years := func(scale int64, part dtPart) (dtPart, bool) {
		v.years += n * scale
		v.overflow = v.overflow || v.years > math.MaxInt32 || v.years < math.MinInt32
		v.addMonths(int64(math.RoundToEven(frac * float64(scale) * 12)))
		return part, true
	}
	switch unit {
	case unitMicro:
		v.addMicros(n)
		v.addMicros(int64(math.RoundToEven(frac)))
		return partMicro, true
	case unitMilli:
		v.addUnits(n, 1000)
		v.addFraction(frac, 1000)
		return partMilli, true
	case unitSecond:
		v.addUnits(n, MicrosPerSecond)
		v.addFraction(frac, MicrosPerSecond)
		// Fractional seconds also stand for milliseconds and microseconds.
		if frac != 0 {
			return partSecond | partMilli | partMicro, true
		}
		return partSecond, true
	case unitMinute:
		v.addUnits(n, MicrosPerMinute)
		v.addFraction(frac, MicrosPerMinute)
		return partMinute, true
	case unitHour:
		v.addUnits(n, MicrosPerHour)
		v.addFraction(frac, MicrosPerHour)
		return partHour, true
	case unitDay:
		v.addDays(n)
		v.addFraction(frac, MicrosPerDay)
		return partDay, true
	case unitWeek:
		v.addDays(n * 7)
		v.addDayFraction(frac, 7)
		return partWeek, true
	case unitMonth:
		v.addMonths(n)
		v.addDayFraction(frac, 30)
		return partMonth, true
	case unitYear:
		return years(1, partYear)
	case unitDecade:
		return years(10, partDecade)
	case unitCentury:
		return years(100, partCentury)
	case unitMillennium:
		return years(1000, partMillennium)
	}
	return 0, false
}

func inputInterval(io *IO, s string, typmod int32) (Datum, error) {
	fields := IntervalFull
	if typmod >= 0 {
		fields = typmod >> 16 & IntervalFull
	}
	v, f := decodeInterval(io, s, fields)
	if f == faultFormat {
		v, f = decodeISOInterval(s)
	}
	if f == faultNone && v.overflow || f == faultField {
		f = faultIntervalOF
	}
	if f != faultNone {
		return Null, dtError(f, "interval", s, "")
	}
	months := v.years*12 + v.months
	if months != int64(int32(months)) {
		return Null, intervalOutOfRange()
	}
	return Ref(&Interval{Micros: v.micros, Days: int32(v.days), Months: int32(months)}), nil
}

// defaultUnit is the unit of a number without one, by the type's fields.
func defaultUnit(fields int32) int {
	switch fields {
	case IntervalYear:
		return unitYear
	case IntervalMonth, IntervalYear | IntervalMonth:
		return unitMonth
	case IntervalDay:
		return unitDay
	case IntervalHour, IntervalDay | IntervalHour:
		return unitHour
	case IntervalMinute, IntervalHour | IntervalMinute, IntervalDay | IntervalHour | IntervalMinute:
		return unitMinute
	}
	return unitSecond
}

// decodeInterval reads PostgreSQL's and the SQL standard's interval forms. It goes from right to left, because units
// stand behind their numbers.
func decodeInterval(io *IO, s string, rangeMask int32) (v intervalSum, f dtFault) {
	fields, ok := splitDateTime(s)
	if !ok {
		return v, faultFormat
	}
	// In the SQL standard's form one leading sign goes for all fields.
	allNegative := io.IntervalStyle == "sql_standard" && len(fields) > 0 && fields[0].text[0] == '-'
	for _, x := range fields[min(1, len(fields)):] {
		if x.text[0] == '-' || x.text[0] == '+' {
			allNegative = false
		}
	}
	var have dtPart
	unit, ago := unitNone, false
	for i := len(fields) - 1; i >= 0; i-- {
		text := fields[i].text
		var got dtPart
		switch kind := fields[i].kind; kind {
		case fieldString, fieldSpecial:
			if text == "ago" {
				ago, unit = true, unitOther // a number right before it has no unit
				continue
			}
			u, known := intervalUnits[text[:min(len(text), intervalWord)]]
			if !known {
				return v, faultFormat
			}
			unit = u
			continue
		case fieldTime, fieldZone:
			body := text
			negative := allNegative
			if kind == fieldZone {
				body = text[1:]
				negative = negative || text[0] == '-'
			}
			if kind == fieldTime || strings.IndexByte(body, ':') >= 0 {
				fault := v.clock(body, negative, rangeMask)
				if fault == faultNone {
					unit, got = unitDay, partTime|partMilli|partMicro
					break
				}
				if kind == fieldTime {
					return v, fault
				}
			}
			fallthrough
		default:
			if unit == unitNone {
				unit = defaultUnit(rangeMask)
			}
			var fault dtFault
			if got, unit, fault = v.number(text, unit, allNegative); fault != faultNone {
				return v, fault
			}
		}
		if got&have != 0 {
			return v, faultFormat
		}
		have |= got
	}
	if have == 0 {
		return v, faultFormat
	}
	if ago {
		v.overflow = v.overflow || v.micros == math.MinInt64 || v.days == math.MinInt32 || v.months == math.MinInt32 || v.years == math.MinInt32
		v.years, v.months, v.days, v.micros = -v.years, -v.months, -v.days, -v.micros
	}
	return v, faultNone
}

func (v *intervalSum) clock(text string, negative bool, rangeMask int32) dtFault {
	h, m, s, frac, f := parseClock(text, rangeMask == IntervalMinute|IntervalSecond)
	if f != faultNone {
		return f
	}
	var c intervalSum
	c.addUnits(h, MicrosPerHour)
	c.addMicros(m*MicrosPerMinute + s*MicrosPerSecond + frac)
	if c.overflow {
		return faultField
	}
	if negative {
		c.micros = -c.micros
	}
	v.addMicros(c.micros)
	return v.fault()
}

// number adds a number with its unit and returns the unit that a number to its left would have.
func (v *intervalSum) number(text string, unit int, allNegative bool) (got dtPart, next int, f dtFault) {
	end := 0
	if text[0] == '-' || text[0] == '+' {
		end = 1
	}
	digits := end
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil && end > digits {
		return 0, unit, faultField
	}
	frac := 0.0
	switch rest := text[end:]; {
	case rest == "":
		if end == digits {
			return 0, unit, faultFormat
		}
	case rest[0] == '-':
		// years-months
		months, err := strconv.ParseInt(rest[1:], 10, 32)
		if err != nil {
			return 0, unit, faultFormat
		}
		if months < 0 || months >= 12 {
			return 0, unit, faultField
		}
		if text[0] == '-' {
			months = -months
		}
		unit, n = unitMonth, n*12+months
	case rest[0] == '.':
		if rest != "." {
			if frac, err = strconv.ParseFloat("0"+rest, 64); err != nil {
				return 0, unit, faultFormat
			}
		}
		if text[0] == '-' {
			frac = -frac
		}
	default:
		return 0, unit, faultFormat
	}
	if allNegative {
		if n > 0 {
			n = -n
		}
		if frac > 0 {
			frac = -frac
		}
	}
	got, ok := v.add(unit, n, frac)
	if !ok {
		return 0, unit, faultFormat
	}
	if v.overflow {
		return 0, unit, faultField
	}
	if unit == unitHour {
		unit = unitDay
	}
	return got, unit, faultNone
}

// decodeISOInterval reads ISO 8601 durations: P1Y2M3DT4H5M6S, P0001-02-03T04:05:06 and mixtures.
func decodeISOInterval(s string) (v intervalSum, f dtFault) {
	if len(s) < 2 || s[0] != 'P' {
		return v, faultFormat
	}
	s = s[1:]
	datePart, hadField := true, false
	for s != "" {
		if s[0] == 'T' {
			datePart, hadField = false, false
			s = s[1:]
			continue
		}
		fieldStart := s
		n, frac, rest, ok := isoNumber(s)
		if !ok {
			return v, faultFormat
		}
		s = rest
		unit := byte(0)
		if s != "" {
			unit = s[0]
			s = s[1:]
		}
		if datePart {
			if f = v.isoDateField(unit, fieldStart, n, frac, &s, &datePart, hadField); f != faultNone {
				return v, f
			}
			if !datePart {
				hadField = false
				continue
			}
		} else if f = v.isoTimeField(unit, fieldStart, n, frac, &s, hadField); f != faultNone {
			return v, f
		}
		hadField = true
	}
	return v, faultNone
}

// isoNumber reads a signed number with an optional fraction.
func isoNumber(s string) (n int64, frac float64, rest string, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	start := i
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	whole := s[:i]
	digits := i - start
	j := i
	if j < len(s) && s[j] == '.' {
		j++
		for j < len(s) && isDigit(s[j]) {
			j++
		}
		if j > i+1 {
			frac, _ = strconv.ParseFloat("0"+s[i:j], 64)
		}
	}
	if digits == 0 && j <= i+1 {
		return 0, 0, s, false
	}
	if digits > 0 {
		var err error
		if n, err = strconv.ParseInt(whole, 10, 64); err != nil {
			return 0, 0, s, false
		}
	}
	if s[0] == '-' {
		frac = -frac
	}
	return n, frac, s[j:], true
}

func (v *intervalSum) isoDateField(unit byte, field string, n int64, frac float64, s *string, datePart *bool, hadField bool) dtFault {
	units := map[byte]int{'Y': unitYear, 'M': unitMonth, 'W': unitWeek, 'D': unitDay}
	if u, ok := units[unit]; ok {
		v.add(u, n, frac)
		return v.fault()
	}
	if unit != 0 && unit != 'T' && unit != '-' {
		return faultFormat
	}
	if unit != '-' {
		// The basic alternative form yyyymmdd, or a lone year.
		if digitsLen(field) == 8 && !hadField {
			v.add(unitYear, n/10000, 0)
			v.add(unitMonth, n/100%100, 0)
			v.add(unitDay, n%100, frac)
		} else {
			v.add(unitYear, n, frac)
		}
		*datePart = unit != 'T'
		return v.fault()
	}
	if hadField {
		return faultFormat
	}
	// yyyy-mm-dd
	v.add(unitYear, n, frac)
	for _, u := range []int{unitMonth, unitDay} {
		n, frac, rest, ok := isoNumber(*s)
		if !ok {
			return faultFormat
		}
		*s = rest
		v.add(u, n, frac)
		switch {
		case rest == "":
			return v.fault()
		case rest[0] == 'T':
			*s = rest[1:]
			*datePart = false
			return v.fault()
		case rest[0] != '-' || u == unitDay:
			return faultFormat
		}
		*s = rest[1:]
	}
	return v.fault()
}

func (v *intervalSum) isoTimeField(unit byte, field string, n int64, frac float64, s *string, hadField bool) dtFault {
	units := map[byte]int{'H': unitHour, 'M': unitMinute, 'S': unitSecond}
	if u, ok := units[unit]; ok {
		v.add(u, n, frac)
		return v.fault()
	}
	switch {
	case unit == 0:
		if digitsLen(field) == 6 && !hadField {
			v.add(unitHour, n/10000, 0)
			v.add(unitMinute, n/100%100, 0)
			v.add(unitSecond, n%100, frac)
			return v.fault()
		}
		v.add(unitHour, n, frac)
		return v.fault()
	case unit != ':' || hadField:
		return faultFormat
	}
	// hh:mm:ss
	v.add(unitHour, n, frac)
	for _, u := range []int{unitMinute, unitSecond} {
		n, frac, rest, ok := isoNumber(*s)
		if !ok {
			return faultFormat
		}
		*s = rest
		v.add(u, n, frac)
		if rest == "" {
			return v.fault()
		}
		if rest[0] != ':' || u == unitSecond {
			return faultFormat
		}
		*s = rest[1:]
	}
	return v.fault()
}

func (v *intervalSum) fault() dtFault {
	if v.overflow {
		return faultField
	}
	return faultNone
}

// digitsLen counts the digits at the start of s, after a sign.
func digitsLen(s string) int {
	s = strings.TrimLeft(s, "+-")
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func intervalOutOfRange() error {
	return pgerr.New(pgerr.DatetimeFieldOverflow, "interval out of range")
}
