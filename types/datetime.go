package types

import (
	"math"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Units of time in microseconds.
const (
	MicrosPerSecond int64 = 1e6
	MicrosPerMinute       = 60 * MicrosPerSecond
	MicrosPerHour         = 60 * MicrosPerMinute
	MicrosPerDay          = 24 * MicrosPerHour
)

// The values of infinite dates and timestamps, and PostgreSQL's bounds of finite ones (the upper ones exclusive).
const (
	DateInfinity           int64 = math.MaxInt32
	DateNegInfinity        int64 = math.MinInt32
	TimestampInfinity      int64 = math.MaxInt64
	TimestampNegInfinity   int64 = math.MinInt64
	MinDate                int64 = -2451545
	EndDate                int64 = 2145031949
	MinTimestamp           int64 = -211813488000000000
	EndTimestamp           int64 = 9223371331200000000
	unixEpochDays          int64 = 10957 // from 1970-01-01 to 2000-01-01
	unixEpochSeconds       int64 = unixEpochDays * 86400
	unixEpochMicros        int64 = unixEpochSeconds * 1e6
	epochJulianDay         int64 = 2451545
	minYear, maxDecodeYear       = -4713, 5874898
)

// DateFromCivil returns the days from 2000-01-01 to a date of the proleptic Gregorian calendar; year 0 is 1 BC. Months
// and days may lie outside their usual ranges.
func DateFromCivil(year, month, day int) int64 {
	y, m := int64(year), int64(month)
	y += floorDiv(m-1, 12)
	m = floorMod(m-1, 12) + 1
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468 - unixEpochDays
}

// CivilFromDate is the inverse of DateFromCivil.
func CivilFromDate(days int64) (year, month, day int) {
	z := days + 719468 + unixEpochDays
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d := doy - (153*mp+2)/5 + 1
	m := mp + 3
	if m > 12 {
		m -= 12
	}
	y := yoe + era*400
	if m <= 2 {
		y++
	}
	return int(y), int(m), int(d)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// DaysInMonth returns the length of a month (1 to 12).
func DaysInMonth(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// SplitTimestamp returns the days since 2000-01-01 and the microseconds within the day of a finite timestamp.
func SplitTimestamp(ts int64) (days, micros int64) {
	days = ts / MicrosPerDay
	micros = ts % MicrosPerDay
	if micros < 0 {
		days--
		micros += MicrosPerDay
	}
	return days, micros
}

// JoinTimestamp is the inverse of SplitTimestamp; ok is false when the timestamp is out of range.
func JoinTimestamp(days, micros int64) (ts int64, ok bool) {
	if days < MinDate-2 || days > 106751991 {
		return 0, false
	}
	ts = days*MicrosPerDay + micros
	// Near the upper end the product and the sum may wrap.
	if days > 0 && ts < 0 {
		return 0, false
	}
	return ts, ValidTimestamp(ts)
}

// ValidTimestamp reports whether a finite timestamp is in PostgreSQL's range.
func ValidTimestamp(ts int64) bool { return ts >= MinTimestamp && ts < EndTimestamp }

// ValidDate reports whether a finite date is in PostgreSQL's range.
func ValidDate(days int64) bool { return days >= MinDate && days < EndDate }

// TimestampFromTime converts an instant, dropping what is below a microsecond.
func TimestampFromTime(t time.Time) int64 { return t.UnixMicro() - unixEpochMicros }

// TimeFromTimestamp converts a finite timestamptz to an instant in UTC.
func TimeFromTimestamp(ts int64) time.Time {
	sec := floorDiv(ts, 1e6)
	return time.Unix(sec+unixEpochSeconds, (ts-sec*1e6)*1000).UTC()
}

// ZoneAt returns the zone's offset in seconds east of UTC at an instant (a finite timestamptz) and its abbreviation.
func ZoneAt(loc *time.Location, ts int64) (offset int, abbrev string) {
	abbrev, offset = TimeFromTimestamp(ts).In(loc).Zone()
	return offset, abbrev
}

// LocalOffset returns the offset in seconds east of UTC that a local time (microseconds since 2000-01-01 00:00 on the
// wall clock) has in a zone. In the gap of a spring change the offset before it holds; an hour that occurs twice is
// taken as the second one.
func LocalOffset(loc *time.Location, local int64) int {
	if loc == time.UTC {
		return 0
	}
	sec := floorDiv(local, 1e6) + unixEpochSeconds
	prev := time.Unix(sec-86400, 0).In(loc)
	_, before := prev.Zone()
	_, end := prev.ZoneBounds()
	if end.IsZero() || end.Unix() > sec+2*86400 {
		return before
	}
	_, after := end.Zone()
	boundary := end.Unix()
	beforeTime, afterTime := sec-int64(before), sec-int64(after)
	switch {
	case beforeTime < boundary && afterTime < boundary:
		return before
	case beforeTime > boundary && afterTime >= boundary:
		return after
	case beforeTime > afterTime:
		return before
	}
	return after
}

// LocalToUTC converts a local timestamp to an instant; ok is false when it is out of range.
func LocalToUTC(loc *time.Location, local int64) (ts int64, ok bool) {
	ts = local - int64(LocalOffset(loc, local))*1e6
	return ts, ValidTimestamp(ts)
}

// UTCToLocal converts an instant to the local timestamp of a zone; ok is false when it is out of range.
func UTCToLocal(loc *time.Location, ts int64) (local int64, ok bool) {
	off, _ := ZoneAt(loc, ts)
	local = ts + int64(off)*1e6
	return local, ValidTimestamp(local)
}

func checkDate(days int64) (Datum, error) {
	if days != DateInfinity && days != DateNegInfinity && !ValidDate(days) {
		return Null, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range")
	}
	return Int(days), nil
}

func checkTimestamp(ts int64) (Datum, error) {
	if ts != TimestampInfinity && ts != TimestampNegInfinity && !ValidTimestamp(ts) {
		return Null, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range")
	}
	return Int(ts), nil
}

func checkTime(micros int64) (Datum, error) {
	if micros < 0 || micros > MicrosPerDay {
		return Null, pgerr.New(pgerr.DatetimeFieldOverflow, "time out of range")
	}
	return Int(micros), nil
}

// maxZone is the greatest zone displacement in seconds, exclusive (16 hours).
const maxZone = 16 * 3600

func checkTimeTZ(micros int64, zone int32) (Datum, error) {
	if _, err := checkTime(micros); err != nil {
		return Null, err
	}
	if zone <= -maxZone || zone >= maxZone {
		return Null, pgerr.New(pgerr.InvalidTimeZoneDisplacementValue, "time zone displacement out of range")
	}
	return Ref(&TimeTZ{Micros: micros, Zone: zone}), nil
}

var (
	dayNames   = [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
	monthNames = [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
)

func append2(dst []byte, n int) []byte { return append(dst, '0'+byte(n/10), '0'+byte(n%10)) }

func appendYear(dst []byte, year int) []byte {
	if year <= 0 {
		year = 1 - year
	}
	if year < 10000 {
		return append2(append2(dst, year/100), year%100)
	}
	return appendInt(dst, int64(year))
}

func appendBC(dst []byte, year int) []byte {
	if year <= 0 {
		return append(dst, " BC"...)
	}
	return dst
}

func appendDate(io *IO, dst []byte, days int64) []byte {
	switch days {
	case DateInfinity:
		return append(dst, "infinity"...)
	case DateNegInfinity:
		return append(dst, "-infinity"...)
	}
	y, m, d := CivilFromDate(days)
	return appendBC(appendYMD(io, dst, y, m, d), y)
}

// appendYMD appends a date in the DateStyle, without BC.
func appendYMD(io *IO, dst []byte, y, m, d int) []byte {
	switch io.DateStyle {
	case "SQL", "Postgres":
		sep := byte('/')
		if io.DateStyle == "Postgres" {
			sep = '-'
		}
		if io.DateOrder == "DMY" {
			m, d = d, m
		}
		return appendYear(append(append2(append(append2(dst, m), sep), d), sep), y)
	case "German":
		return appendYear(append(append2(append(append2(dst, d), '.'), m), '.'), y)
	}
	dst = append(appendYear(dst, y), '-')
	return append2(append(append2(dst, m), '-'), d)
}

// appendTime appends hh:mm:ss and the fraction without trailing zeros.
func appendTime(dst []byte, micros int64) []byte {
	sec := int(micros / 1e6)
	dst = append(append2(dst, sec/3600), ':')
	dst = append(append2(dst, sec/60%60), ':')
	return appendFraction(append2(dst, sec%60), micros%1e6)
}

func appendFraction(dst []byte, frac int64) []byte {
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.')
	for div := int64(100000); frac > 0; div /= 10 {
		dst = append(dst, '0'+byte(frac/div))
		frac %= div
	}
	return dst
}

// appendOffset appends a zone offset (seconds east of UTC) as +hh, +hh:mm or +hh:mm:ss.
func appendOffset(dst []byte, offset int) []byte {
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	dst = append2(append(dst, sign), offset/3600)
	if offset%3600 != 0 {
		dst = append2(append(dst, ':'), offset/60%60)
	}
	if offset%60 != 0 {
		dst = append2(append(dst, ':'), offset%60)
	}
	return dst
}

func appendTimeTZ(dst []byte, v *TimeTZ) []byte {
	return appendOffset(appendTime(dst, v.Micros), -int(v.Zone))
}

func appendInfinity(dst []byte, ts int64) ([]byte, bool) {
	switch ts {
	case TimestampInfinity:
		return append(dst, "infinity"...), true
	case TimestampNegInfinity:
		return append(dst, "-infinity"...), true
	}
	return dst, false
}

func appendTimestamp(io *IO, dst []byte, ts int64) []byte {
	if dst, ok := appendInfinity(dst, ts); ok {
		return dst
	}
	return appendLocal(io, dst, ts, false, 0, "")
}

func appendTimestampTZ(io *IO, dst []byte, ts int64) []byte {
	if dst, ok := appendInfinity(dst, ts); ok {
		return dst
	}
	offset, abbrev := 0, "UTC"
	if io.Location != nil && io.Location != time.UTC {
		offset, abbrev = ZoneAt(io.Location, ts)
	}
	return appendLocal(io, dst, ts+int64(offset)*1e6, true, offset, abbrev)
}

// appendLocal appends a local timestamp in the DateStyle; the other styles than ISO name the zone by its abbreviation.
func appendLocal(io *IO, dst []byte, local int64, zone bool, offset int, abbrev string) []byte {
	days, micros := SplitTimestamp(local)
	y, m, d := CivilFromDate(days)
	if io.DateStyle != "Postgres" {
		dst = append(appendYMD(io, dst, y, m, d), ' ')
		dst = appendTime(dst, micros)
		if zone && io.DateStyle == "ISO" {
			dst = appendOffset(dst, offset)
		} else if zone {
			dst = append(append(dst, ' '), abbrev...)
		}
		return appendBC(dst, y)
	}
	dst = append(append(dst, dayNames[floorMod(days+6, 7)]...), ' ')
	if io.DateOrder == "DMY" {
		dst = append(append2(dst, d), ' ')
		dst = append(dst, monthNames[m-1]...)
	} else {
		dst = append(append(dst, monthNames[m-1]...), ' ')
		dst = append2(dst, d)
	}
	dst = append(appendTime(append(dst, ' '), micros), ' ')
	dst = appendYear(dst, y)
	if zone {
		dst = append(append(dst, ' '), abbrev...)
	}
	return appendBC(dst, y)
}
