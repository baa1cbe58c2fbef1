package types

import (
	"strconv"
	"strings"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// dtFault is why date or time input is refused.
type dtFault byte

const (
	faultNone dtFault = iota
	faultFormat
	faultField      // a field is out of range
	faultMonthDay   // a month or day is out of range, perhaps by a wrong DateStyle
	faultZone       // a zone displacement is out of range
	faultZoneName   // an unknown zone name; dtDecoder.badZone has it
	faultIntervalOF // an interval's field is out of range
)

func dtError(f dtFault, typeName, s, zone string) error {
	switch f {
	case faultField:
		return pgerr.New(pgerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", s)
	case faultMonthDay:
		return pgerr.New(pgerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", s).
			WithHint("Perhaps you need a different \"datestyle\" setting.")
	case faultIntervalOF:
		return pgerr.New(pgerr.IntervalFieldOverflow, "interval field value out of range: \"%s\"", s)
	case faultZone:
		return pgerr.New(pgerr.InvalidTimeZoneDisplacementValue, "time zone displacement out of range: \"%s\"", s)
	case faultZoneName:
		return pgerr.New(pgerr.InvalidParameterValue, "time zone \"%s\" not recognized", zone)
	}
	return pgerr.New(pgerr.InvalidDatetimeFormat, "invalid input syntax for type %s: \"%s\"", typeName, s)
}

// dtDecoder collects the components of a date or time from its fields.
type dtDecoder struct {
	io       *IO
	timeOnly bool
	fields   []dtField

	have, got        dtPart // components seen so far; those of the current field
	prefix           int    // unit that labels the next number
	textMonth        bool
	twoDigits        bool // the year has one or two digits
	julian           bool
	bc               bool
	ampm             int // -1: 24 hours
	special          int // reservedEpoch, reservedLate, reservedEarly
	year, month, day int
	yday             int
	hour, min, sec   int
	frac             int64 // microseconds
	west             int   // zone in seconds west of UTC
	named            *time.Location
	badZone          string
}

// date returns the days since 2000-01-01 of the decoded date.
func (d *dtDecoder) date() int64 { return DateFromCivil(d.year, d.month, d.day) }

// micros returns the decoded time of day.
func (d *dtDecoder) micros() int64 {
	return int64(d.hour)*MicrosPerHour + int64(d.min)*MicrosPerMinute + int64(d.sec)*MicrosPerSecond + d.frac
}

func (d *dtDecoder) decode(s string) dtFault {
	fields, ok := splitDateTime(s)
	if !ok {
		return faultFormat
	}
	d.fields, d.ampm = fields, -1
	for i := range fields {
		d.got = 0
		f := d.field(i)
		if f != faultNone {
			return f
		}
		if d.got&d.have != 0 {
			return faultFormat
		}
		d.have |= d.got
	}
	if d.prefix != unitNone {
		return faultFormat
	}
	if d.special != 0 {
		return faultNone
	}
	if f := d.validate(); f != faultNone {
		return f
	}
	return d.zone()
}

// field decodes field i; components that it gives are in d.got.
func (d *dtDecoder) field(i int) dtFault {
	f := d.fields[i]
	switch f.kind {
	case fieldDate:
		return d.dateField(i, f.text)
	case fieldTime:
		if d.prefix != unitNone {
			if d.prefix != unitTime {
				return faultFormat
			}
			d.prefix = unitNone
		}
		if fault := d.clock(f.text); fault != faultNone {
			return fault
		}
		if !d.timeOnly && d.clockOverflows() {
			return faultField
		}
		return faultNone
	case fieldZone:
		d.got = partZone
		return d.offset(f.text)
	case fieldNumber:
		return d.numberField(i, f.text)
	}
	return d.word(i, f.text)
}

func (d *dtDecoder) clockOverflows() bool {
	return d.hour < 0 || d.hour > 24 || d.min < 0 || d.min > 59 || d.sec < 0 || d.sec > 60 || d.frac < 0 || d.frac > 1e6 ||
		d.micros() > MicrosPerDay
}

func (d *dtDecoder) dateField(i int, text string) dtFault {
	if d.timeOnly {
		n := len(d.fields)
		if i == 0 && n >= 2 && (d.fields[n-1].kind == fieldDate || d.fields[1].kind == fieldTime) {
			return d.parseDate(text)
		}
		if isDigit(text[0]) {
			return d.runTogether(text, d.have|partDate)
		}
		return d.zoneName(text)
	}
	if d.prefix == unitJulian {
		return d.julianDate(text)
	}
	if d.have&partDate == partDate || d.prefix != unitNone {
		if !isDigit(text[0]) && d.prefix == unitNone {
			return d.zoneName(text)
		}
		// Starts with a digit although there is a date: a time run together with its zone, hhmmss-zz.
		if d.prefix != unitNone {
			if d.prefix != unitTime {
				return faultFormat
			}
			d.prefix = unitNone
		}
		if d.have&partTime == partTime {
			return faultFormat
		}
		return d.runTogether(text, d.have)
	}
	return d.parseDate(text)
}

// julianDate reads a Julian day with a zone behind it.
func (d *dtDecoder) julianDate(text string) dtFault {
	end := 0
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	n, err := strconv.ParseInt(text[:end], 10, 32)
	if err != nil {
		return faultField
	}
	d.year, d.month, d.day = CivilFromDate(n - epochJulianDay)
	d.julian, d.prefix = true, unitNone
	d.got = partDate | partTime | partZone
	return d.offset(text[end:])
}

// runTogether reads hhmmss-zz.
func (d *dtDecoder) runTogether(text string, have dtPart) dtFault {
	at := strings.IndexByte(text, '-')
	if at < 0 {
		return faultFormat
	}
	if f := d.offset(text[at:]); f != faultNone {
		return f
	}
	if _, f := d.digitsRun(text[:at], have); f != faultNone {
		return f
	}
	d.got |= partZone
	return faultNone
}

func (d *dtDecoder) zoneName(text string) dtFault {
	loc, _, ok := LoadZone(text)
	if !ok {
		d.badZone = text
		return faultZoneName
	}
	d.named, d.got = loc, partZone
	return faultNone
}

func (d *dtDecoder) numberField(i int, text string) dtFault {
	if d.prefix != unitNone {
		return d.labelled(text)
	}
	point := strings.IndexByte(text, '.')
	have := d.have
	if d.timeOnly {
		have |= partDate
	}
	switch {
	case d.timeOnly && point >= 0:
		n := len(d.fields)
		if i == 0 && n >= 2 && d.fields[n-1].kind == fieldDate {
			return d.parseDate(text)
		}
		if point > 2 {
			_, f := d.digitsRun(text, have)
			return f
		}
		return faultFormat
	case d.timeOnly && len(text) > 4:
		_, f := d.digitsRun(text, have)
		return f
	case d.timeOnly:
		return d.number(text, false, have)
	case point >= 0 && d.have&partDate == 0:
		return d.parseDate(text)
	case point > 2:
		_, f := d.digitsRun(text, have)
		return f
	case len(text) >= 6 && (d.have&partDate == 0 || d.have&partTime == 0):
		_, f := d.digitsRun(text, have)
		return f
	}
	return d.number(text, d.textMonth, have)
}

// labelled reads a number that a unit stands in front of: j2451187, t040506.
func (d *dtDecoder) labelled(text string) dtFault {
	unit := d.prefix
	d.prefix = unitNone
	whole, frac, fractional := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 32)
	if err != nil && whole != "" {
		return faultField
	}
	if fractional && unit != unitJulian && unit != unitTime && unit != unitSecond {
		return faultFormat
	}
	set := func(p *int, part dtPart) dtFault {
		*p, d.got = int(n), part
		return faultNone
	}
	switch unit {
	case unitYear:
		return set(&d.year, partYear)
	case unitMonth:
		// With a month and an hour already there, m means minutes.
		if d.have&partMonth != 0 && d.have&partHour != 0 {
			return set(&d.min, partMinute)
		}
		return set(&d.month, partMonth)
	case unitDay:
		return set(&d.day, partDay)
	case unitHour:
		return set(&d.hour, partHour)
	case unitMinute:
		return set(&d.min, partMinute)
	case unitSecond:
		if fractional {
			d.frac, _ = parseFraction("." + frac)
		}
		return set(&d.sec, partSecond)
	case unitJulian:
		d.year, d.month, d.day = CivilFromDate(n - epochJulianDay)
		d.julian, d.got = true, partDate
		if frac != "" {
			f, _ := strconv.ParseFloat("0."+frac, 64)
			us := int64(f * float64(MicrosPerDay))
			d.hour, d.min = int(us/MicrosPerHour), int(us/MicrosPerMinute%60)
			d.sec, d.frac = int(us/MicrosPerSecond%60), us%MicrosPerSecond
			d.got |= partTime
		}
		return faultNone
	case unitTime:
		isTime, f := d.digitsRun(text, d.have|partDate)
		if f == faultNone && !isTime {
			return faultFormat
		}
		return f
	}
	return faultFormat
}

// digitsRun reads yyyymmdd, yymmdd, hhmmss[.fff] or hhmm; isTime tells which.
func (d *dtDecoder) digitsRun(text string, have dtPart) (isTime bool, f dtFault) {
	num := func(s string) int {
		n, _ := strconv.Atoi(s)
		return n
	}
	whole, _, hasFrac := strings.Cut(text, ".")
	n := len(whole)
	if hasFrac {
		d.frac, _ = parseFraction(text[n:])
	} else if have&partDate != partDate && n >= 6 {
		d.got |= partDate
		d.day, d.month, d.year = num(text[n-2:]), num(text[n-4:n-2]), num(text[:n-4])
		if n == 6 {
			d.twoDigits = true
		}
		return false, faultNone
	}
	if have&partTime != partTime && (n == 6 || n == 4) {
		d.got |= partTime
		d.hour, d.min, d.sec = num(whole[:2]), num(whole[2:4]), 0
		if n == 6 {
			d.sec = num(whole[4:])
		}
		return true, faultNone
	}
	return false, faultFormat
}

// number decides what a lone number is from the components that are already there and the DateStyle's order.
func (d *dtDecoder) number(text string, textMonth bool, have dtPart) dtFault {
	end := 0
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	if end == 0 {
		return faultFormat
	}
	v, err := strconv.ParseInt(text[:end], 10, 32)
	if err != nil {
		return faultField
	}
	if end < len(text) {
		if text[end] != '.' {
			return faultFormat
		}
		if end > 2 {
			_, f := d.digitsRun(text, have|partDate)
			return f
		}
		var ok bool
		if d.frac, ok = parseFraction(text[end:]); !ok {
			return faultFormat
		}
	}
	n, size := int(v), len(text)
	if size == 3 && have&partDate == partYear && n >= 1 && n <= 366 {
		d.got = partDOY | partMonth | partDay
		d.yday = n
		return faultNone
	}
	set := func(p dtPart) {
		d.got = p
		switch p {
		case partYear:
			d.year = n
			d.twoDigits = size <= 2
		case partMonth:
			d.month = n
		case partDay:
			d.day = n
		}
	}
	yearFirst := size >= 3 || d.io.DateOrder == "YMD"
	switch have & partDate {
	case 0:
		switch {
		case yearFirst:
			set(partYear)
		case d.io.DateOrder == "DMY":
			set(partDay)
		default:
			set(partMonth)
		}
	case partYear, partDay:
		set(partMonth)
	case partMonth:
		if textMonth && yearFirst {
			set(partYear)
		} else {
			set(partDay)
		}
	case partYear | partMonth:
		if textMonth && size >= 3 && d.twoDigits {
			// DD-MON-YYYY although the order is YMD: the first number was the day.
			d.day = d.year
			d.year, d.got, d.twoDigits = n, partDay, false
		} else {
			set(partDay)
		}
	case partMonth | partDay:
		set(partYear)
	case partDate:
		_, f := d.digitsRun(text, have)
		return f
	default:
		return faultFormat
	}
	return faultNone
}

// parseDate reads a date with separators; a month in letters is taken first because it is unambiguous.
func (d *dtDecoder) parseDate(text string) dtFault {
	var parts []string
	for i := 0; i < len(text) && len(parts) < maxDateFields; {
		for i < len(text) && !isDigit(text[i]) && !isAlpha(text[i]) {
			i++
		}
		if i >= len(text) {
			return faultFormat
		}
		start, in := i, isDigit
		if isAlpha(text[i]) {
			in = isAlpha
		}
		for i < len(text) && in(text[i]) {
			i++
		}
		parts = append(parts, text[start:i])
		if i < len(text) {
			// A letter right behind digits is a new part; a separator is dropped, as PostgreSQL does with one character.
			i++
		}
	}
	have, all := d.have, dtPart(0)
	for k, p := range parts {
		if !isAlpha(p[0]) {
			continue
		}
		w := dateWords[p]
		if w.kind == wordIgnore {
			continue
		}
		if w.kind != wordMonth || have&partMonth != 0 {
			return faultFormat
		}
		d.month, d.textMonth = w.value, true
		have, all = have|partMonth, all|partMonth
		parts[k] = ""
	}
	text2 := all&partMonth != 0
	for _, p := range parts {
		if p == "" {
			continue
		}
		d.got = 0
		if f := d.number(p, text2, have); f != faultNone {
			return f
		}
		if d.got&have != 0 {
			return faultFormat
		}
		have, all = have|d.got, all|d.got
	}
	d.got = all
	if have&^(partDOY|partZone) != partDate {
		return faultFormat
	}
	return faultNone
}

// word decodes letters: zone abbreviations come before months and other words.
func (d *dtDecoder) word(i int, text string) dtFault {
	if a, ok := zones().abbrevs[text]; ok {
		d.got = partZone
		d.west = -a.Offset
		return faultNone
	}
	w := dateWords[text]
	switch w.kind {
	case wordReserved:
		return d.reserved(w.value)
	case wordMonth:
		// A number taken for the month was the day after all.
		if d.have&partMonth != 0 && !d.textMonth && d.have&partDay == 0 && d.month >= 1 && d.month <= 31 {
			d.day, d.got = d.month, partDay
		} else {
			d.got = partMonth
		}
		d.textMonth, d.month = true, w.value
	case wordDSTMod:
		d.got = partDSTMod
		d.west -= w.value
	case wordAMPM:
		d.got = partAMPM
		d.ampm = w.value
	case wordEra:
		d.got = partEra
		d.bc = w.value == 0
	case wordDOW:
		d.got = partDOW
	case wordUnit:
		if d.prefix != unitNone {
			return faultFormat
		}
		d.prefix = w.value
	case wordISOTime:
		if !d.timeOnly && d.have&partDate != partDate {
			return faultFormat
		}
		if i+1 >= len(d.fields) {
			return faultFormat
		}
		if k := d.fields[i+1].kind; k != fieldNumber && k != fieldTime && k != fieldDate {
			return faultFormat
		}
		if d.prefix != unitNone {
			return faultFormat
		}
		d.prefix = unitTime
	case wordIgnore:
	default:
		loc, _, ok := LoadZone(text)
		if !ok {
			return faultFormat
		}
		d.named, d.got = loc, partZone
	}
	return faultNone
}

func (d *dtDecoder) now() int64 {
	t := d.io.Now
	if t.IsZero() {
		t = time.Now()
	}
	return TimestampFromTime(t)
}

func (d *dtDecoder) setClock(micros int64) {
	d.hour, d.min = int(micros/MicrosPerHour), int(micros/MicrosPerMinute%60)
	d.sec, d.frac = int(micros/MicrosPerSecond%60), micros%MicrosPerSecond
}

func (d *dtDecoder) reserved(word int) dtFault {
	if word == reservedZulu {
		d.got = partTime | partZone
		d.setClock(0)
		d.west = 0
		return faultNone
	}
	if d.timeOnly && word != reservedNow {
		return faultFormat
	}
	now := d.now()
	off, _ := ZoneAt(d.io.Location, now)
	days, micros := SplitTimestamp(now + int64(off)*1e6)
	switch word {
	case reservedNow:
		d.west = -off
		d.got = partDate | partTime | partZone
		if d.timeOnly {
			d.got = partTime
		}
		d.setClock(micros)
	case reservedYesterday:
		days--
		d.got = partDate
	case reservedTomorrow:
		days++
		d.got = partDate
	case reservedToday:
		d.got = partDate
	default:
		d.got = partDate | partTime | partZone
		d.special = word
		return faultNone
	}
	if !d.timeOnly {
		d.year, d.month, d.day = CivilFromDate(days)
	}
	return faultNone
}

func (d *dtDecoder) validate() dtFault {
	if d.have&partYear != 0 && !d.julian {
		switch {
		case d.bc && d.year <= 0:
			return faultField
		case d.bc:
			d.year = -(d.year - 1)
		case d.twoDigits && d.year < 70:
			d.year += 2000
		case d.twoDigits && d.year < 100:
			d.year += 1900
		case !d.twoDigits && d.year <= 0:
			return faultField
		}
	}
	if d.have&partDOY != 0 {
		d.year, d.month, d.day = CivilFromDate(DateFromCivil(d.year, 1, d.yday))
	}
	if d.have&partMonth != 0 && (d.month < 1 || d.month > 12) || d.have&partDay != 0 && (d.day < 1 || d.day > 31) {
		return faultMonthDay
	}
	if d.have&partDate == partDate && d.day > DaysInMonth(d.year, d.month) {
		return faultField
	}
	if d.ampm >= 0 && d.hour > 12 {
		return faultField
	}
	switch {
	case d.ampm == 0 && d.hour == 12:
		d.hour = 0
	case d.ampm == 1 && d.hour != 12:
		d.hour += 12
	}
	if d.timeOnly {
		if d.clockOverflows() {
			return faultField
		}
		if d.have&partTime != partTime {
			return faultFormat
		}
	} else if d.have&partDate != partDate {
		return faultFormat
	}
	return faultNone
}

// zone settles d.west from a named zone or the session's.
func (d *dtDecoder) zone() dtFault {
	loc := d.named
	if loc != nil {
		if d.have&partDSTMod != 0 {
			return faultFormat
		}
		if d.timeOnly && d.have&partDate != partDate {
			// Without a date only a zone with one offset for all time is clear.
			off, fixed := fixedOffset(loc)
			if !fixed {
				return faultFormat
			}
			d.west = -off
			return faultNone
		}
	} else {
		if d.have&partZone != 0 {
			return faultNone
		}
		if d.have&partDSTMod != 0 {
			return faultFormat
		}
		loc = d.io.Location
	}
	days := d.date()
	if d.timeOnly && d.have&partDate != partDate {
		now := d.now()
		off, _ := ZoneAt(loc, now)
		days, _ = SplitTimestamp(now + int64(off)*1e6)
	}
	if days > EndTimestamp/MicrosPerDay+2 || days < MinDate-2 {
		return faultNone // out of range anyway, found by the caller
	}
	d.west = -LocalOffset(loc, days*MicrosPerDay+d.micros())
	return faultNone
}

func fixedOffset(loc *time.Location) (int, bool) {
	t := time.Unix(0, 0).In(loc)
	start, end := t.ZoneBounds()
	_, off := t.Zone()
	return off, start.IsZero() && end.IsZero()
}
