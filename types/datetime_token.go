package types

import (
	"strings"
)

// fieldKind classifies a word of date, time or interval input by its spelling alone.
type fieldKind byte

const (
	fieldNumber  fieldKind = iota
	fieldString            // letters
	fieldDate              // digits or letters joined by - / . or more
	fieldTime              // digits with colons
	fieldZone              // a sign and digits
	fieldSpecial           // a sign and letters: -infinity
)

type dtField struct {
	kind fieldKind
	text string // in lower case
}

const maxDateFields = 25

// splitDateTime cuts date, time or interval input into its fields; ok is false for what can be none.
func splitDateTime(s string) (fields []dtField, ok bool) {
	s = strings.ToLower(s)
	n := len(s)
	at := func(i int) byte {
		if i < n {
			return s[i]
		}
		return 0
	}
	run := func(i int, in func(byte) bool) int {
		for i < n && in(s[i]) {
			i++
		}
		return i
	}
	for i := 0; i < n; {
		start := i
		var kind fieldKind
		switch c := s[i]; {
		case isSpace(c):
			i++
			continue
		case isDigit(c):
			kind, i = scanDigits(s, i)
		case c == '.':
			kind, i = fieldNumber, run(i+1, isDigit)
		case isAlpha(c):
			i = run(i, isAlpha)
			kind = fieldString
			next := at(i)
			isDate := next == '-' || next == '/' || next == '.'
			if next == '+' || isDigit(next) {
				// Only the core words end here (t040506); other letters go on, as in etc/gmt+3.
				_, core := dateWords[s[start:i]]
				isDate = !core
			}
			if isDate {
				kind = fieldDate
				i = run(i, func(c byte) bool {
					return c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':' || isAlpha(c) || isDigit(c)
				})
			}
		case c == '+' || c == '-':
			i = run(i+1, isSpace)
			body := i
			switch {
			case isDigit(at(i)):
				kind = fieldZone
				i = run(i, func(c byte) bool { return isDigit(c) || c == ':' || c == '.' || c == '-' })
			case isAlpha(at(i)):
				kind = fieldSpecial
				i = run(i, isAlpha)
			default:
				return nil, false
			}
			if body > start+1 {
				fields = append(fields, dtField{kind, string(c) + s[body:i]})
				continue
			}
		case c > ' ' && c < 0x7f:
			i++
			continue
		default:
			return nil, false
		}
		fields = append(fields, dtField{kind, s[start:i]})
		if len(fields) > maxDateFields {
			return nil, false
		}
	}
	return fields, true
}

// scanDigits reads a field that starts with a digit: a time, a date or a number.
func scanDigits(s string, i int) (fieldKind, int) {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	if i >= len(s) {
		return fieldNumber, i
	}
	delim := s[i]
	switch delim {
	case ':':
		for i < len(s) && (isDigit(s[i]) || s[i] == ':' || s[i] == '.') {
			i++
		}
		return fieldTime, i
	case '-', '/', '.':
	default:
		return fieldNumber, i
	}
	i++
	if i < len(s) && isDigit(s[i]) {
		kind := fieldDate
		if delim == '.' {
			kind = fieldNumber
		}
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i < len(s) && s[i] == delim {
			kind = fieldDate
			for i < len(s) && (isDigit(s[i]) || s[i] == delim) {
				i++
			}
		}
		return kind, i
	}
	for i < len(s) && (isDigit(s[i]) || isAlpha(s[i]) || s[i] == delim) {
		i++
	}
	return fieldDate, i
}

// dtPart is a component of a date or time, as a bit of a mask.
type dtPart uint32

const (
	partYear dtPart = 1 << iota
	partMonth
	partDay
	partHour
	partMinute
	partSecond
	partZone
	partDSTMod
	partDOY
	partWeek
	partMilli
	partMicro
	partDecade
	partCentury
	partMillennium
	partDOW
	partAMPM
	partEra

	partDate = partYear | partMonth | partDay
	partTime = partHour | partMinute | partSecond
)

// wordKind is what a word of date input means.
type wordKind byte

const (
	wordUnknown wordKind = iota
	wordIgnore
	wordMonth
	wordDOW
	wordEra
	wordAMPM
	wordDSTMod
	wordUnit
	wordISOTime
	wordReserved
)

// The units that label the next number (y2001m02d04, j2451187) and the reserved words.
const (
	unitNone = iota
	unitYear
	unitMonth
	unitDay
	unitHour
	unitMinute
	unitSecond
	unitJulian
	unitTime
	unitDOW
	unitDOY
	unitOther
	unitMicro
	unitMilli
	unitWeek
	unitQuarter
	unitDecade
	unitCentury
	unitMillennium
	unitZone

	reservedNow
	reservedYesterday
	reservedToday
	reservedTomorrow
	reservedZulu
	reservedEpoch
	reservedLate
	reservedEarly
)

type dtWord struct {
	kind  wordKind
	value int
}

var dateWords = map[string]dtWord{
	"-infinity": {wordReserved, reservedEarly}, "infinity": {wordReserved, reservedLate},
	"epoch": {wordReserved, reservedEpoch}, "now": {wordReserved, reservedNow}, "today": {wordReserved, reservedToday},
	"tomorrow": {wordReserved, reservedTomorrow}, "yesterday": {wordReserved, reservedYesterday}, "allballs": {wordReserved, reservedZulu},
	"ad": {wordEra, 1}, "bc": {wordEra, 0}, "am": {wordAMPM, 0}, "pm": {wordAMPM, 1},
	"at": {wordIgnore, 0}, "on": {wordIgnore, 0}, "dst": {wordDSTMod, 3600},
	"jan": {wordMonth, 1}, "january": {wordMonth, 1}, "feb": {wordMonth, 2}, "february": {wordMonth, 2},
	"mar": {wordMonth, 3}, "march": {wordMonth, 3}, "apr": {wordMonth, 4}, "april": {wordMonth, 4}, "may": {wordMonth, 5},
	"jun": {wordMonth, 6}, "june": {wordMonth, 6}, "jul": {wordMonth, 7}, "july": {wordMonth, 7},
	"aug": {wordMonth, 8}, "august": {wordMonth, 8}, "sep": {wordMonth, 9}, "sept": {wordMonth, 9}, "september": {wordMonth, 9},
	"oct": {wordMonth, 10}, "october": {wordMonth, 10}, "nov": {wordMonth, 11}, "november": {wordMonth, 11},
	"dec": {wordMonth, 12}, "december": {wordMonth, 12},
	"sun": {wordDOW, 0}, "sunday": {wordDOW, 0}, "mon": {wordDOW, 1}, "monday": {wordDOW, 1},
	"tue": {wordDOW, 2}, "tues": {wordDOW, 2}, "tuesday": {wordDOW, 2}, "wed": {wordDOW, 3}, "weds": {wordDOW, 3}, "wednesday": {wordDOW, 3},
	"thu": {wordDOW, 4}, "thur": {wordDOW, 4}, "thurs": {wordDOW, 4}, "thursday": {wordDOW, 4},
	"fri": {wordDOW, 5}, "friday": {wordDOW, 5}, "sat": {wordDOW, 6}, "saturday": {wordDOW, 6},
	"y": {wordUnit, unitYear}, "m": {wordUnit, unitMonth}, "d": {wordUnit, unitDay}, "h": {wordUnit, unitHour}, "mm": {wordUnit, unitMinute},
	"s": {wordUnit, unitSecond}, "j": {wordUnit, unitJulian}, "jd": {wordUnit, unitJulian}, "julian": {wordUnit, unitJulian},
	"dow": {wordUnit, unitDOW}, "doy": {wordUnit, unitDOY}, "isodow": {wordUnit, unitOther}, "isoyear": {wordUnit, unitOther},
	"t": {wordISOTime, unitTime},
}
