package types

import (
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func inputTimestamp(io *IO, s string, zoned bool) (Datum, error) {
	if ts, ok := fastTimestamp(io, s, zoned); ok {
		return Int(ts), nil
	}
	name := "timestamp"
	if zoned {
		name = "timestamp with time zone"
	}
	d := dtDecoder{io: io}
	if f := d.decode(s); f != faultNone {
		return Null, dtError(f, name, s, d.badZone)
	}
	switch d.special {
	case reservedLate:
		return Int(TimestampInfinity), nil
	case reservedEarly:
		return Int(TimestampNegInfinity), nil
	case reservedEpoch:
		return Int(-unixEpochMicros), nil
	}
	ts, ok := JoinTimestamp(d.date(), d.micros())
	if ok && zoned {
		ts += int64(d.west) * 1e6
		ok = ValidTimestamp(ts)
	} else if zoned {
		// The local time may lie just outside of the range that the instant is in.
		if days := d.date(); days >= MinDate-1 && days <= EndTimestamp/MicrosPerDay {
			ts = days*MicrosPerDay + d.micros() + int64(d.west)*1e6
			ok = ValidTimestamp(ts)
		}
	}
	if !ok {
		return Null, pgerr.New(pgerr.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", s)
	}
	return Int(ts), nil
}

// fastTimestamp reads the form that clients send, yyyy-mm-dd[ T]hh:mm:ss[.ffffff][zone], without allocation.
func fastTimestamp(io *IO, s string, zoned bool) (int64, bool) {
	days, ok := fastDate(s)
	if !ok || len(s) < 19 || s[10] != ' ' && s[10] != 'T' {
		return 0, false
	}
	micros, rest, ok := fastClock(s[11:])
	if !ok {
		return 0, false
	}
	local := days*MicrosPerDay + micros
	switch {
	case rest == "" && !zoned:
		return local, true
	case rest == "":
		return LocalToUTC(io.Location, local)
	}
	offset := 0
	switch {
	case rest == "Z":
	case (rest[0] == '+' || rest[0] == '-') && (len(rest) == 3 || len(rest) == 6 && rest[3] == ':'):
		h, ok := twoDigits(rest[1:])
		if !ok || h > 15 {
			return 0, false
		}
		m := 0
		if len(rest) == 6 {
			if m, ok = twoDigits(rest[4:]); !ok || m > 59 {
				return 0, false
			}
		}
		offset = h*3600 + m*60
		if rest[0] == '-' {
			offset = -offset
		}
	default:
		return 0, false
	}
	if zoned {
		local -= int64(offset) * 1e6
	}
	return local, true
}

func twoDigits(s string) (int, bool) {
	if len(s) < 2 || !isDigit(s[0]) || !isDigit(s[1]) {
		return 0, false
	}
	return int(s[0]-'0')*10 + int(s[1]-'0'), true
}

// fastDate reads yyyy-mm-dd at the start of s.
func fastDate(s string) (int64, bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	c, ok1 := twoDigits(s)
	y, ok2 := twoDigits(s[2:])
	m, ok3 := twoDigits(s[5:])
	d, ok4 := twoDigits(s[8:])
	y += c * 100
	if !ok1 || !ok2 || !ok3 || !ok4 || y == 0 || m < 1 || m > 12 || d < 1 || d > DaysInMonth(y, m) {
		return 0, false
	}
	return DateFromCivil(y, m, d), true
}

// fastClock reads hh:mm:ss[.ffffff] at the start of s.
func fastClock(s string) (micros int64, rest string, ok bool) {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return 0, "", false
	}
	h, ok1 := twoDigits(s)
	m, ok2 := twoDigits(s[3:])
	sec, ok3 := twoDigits(s[6:])
	if !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || sec > 59 {
		return 0, "", false
	}
	micros = int64(h*3600+m*60+sec) * 1e6
	s = s[8:]
	if s == "" || s[0] != '.' {
		return micros, s, true
	}
	i, scale := 1, int64(100000)
	for ; i < len(s) && isDigit(s[i]); i++ {
		if scale == 0 {
			return 0, "", false
		}
		micros += int64(s[i]-'0') * scale
		scale /= 10
	}
	return micros, s[i:], i > 1
}

func inputDate(io *IO, s string) (Datum, error) {
	if len(s) == 10 {
		if days, ok := fastDate(s); ok {
			return Int(days), nil
		}
	}
	d := dtDecoder{io: io}
	if f := d.decode(s); f != faultNone {
		return Null, dtError(f, "date", s, d.badZone)
	}
	switch d.special {
	case reservedLate:
		return Int(DateInfinity), nil
	case reservedEarly:
		return Int(DateNegInfinity), nil
	case reservedEpoch:
		return Int(-unixEpochDays), nil
	}
	days := d.date()
	if !ValidDate(days) {
		return Null, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range: \"%s\"", s)
	}
	return Int(days), nil
}

func inputTime(io *IO, s string) (Datum, error) {
	if us, rest, ok := fastClock(s); ok && rest == "" {
		return Int(us), nil
	}
	d := dtDecoder{io: io, timeOnly: true}
	if f := d.decode(s); f != faultNone {
		return Null, dtError(f, "time", s, d.badZone)
	}
	return Int(d.micros()), nil
}

func inputTimeTZ(io *IO, s string) (Datum, error) {
	d := dtDecoder{io: io, timeOnly: true}
	if f := d.decode(s); f != faultNone {
		return Null, dtError(f, "time with time zone", s, d.badZone)
	}
	if d.west <= -maxZone || d.west >= maxZone {
		// PostgreSQL takes 'UTC+30' for 30 hours, writes them as -30, and cannot read that.
		return Null, dtError(faultZone, "time with time zone", s, "")
	}
	return Ref(&TimeTZ{Micros: d.micros(), Zone: int32(d.west)}), nil
}
