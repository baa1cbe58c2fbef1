package fn

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

var (
	monthFull  = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayFull    = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	romanMonth = [...]string{"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"}
)

// moment is what to_char formats: a local time with its zone, or an interval.
type moment struct {
	interval              bool
	year, month, day      int64
	hour, min, sec, micro int64
	date                  int64 // days since 2000-01-01
	yday                  int64
	zoned                 bool
	east                  int64
	zone                  string
}

func momentOf(local int64) moment {
	d, us := types.SplitTimestamp(local)
	y, m, day := types.CivilFromDate(d)
	return moment{
		year: int64(y), month: int64(m), day: int64(day), hour: us / types.MicrosPerHour, min: us / types.MicrosPerMinute % 60,
		sec: us / types.MicrosPerSecond % 60, micro: us % types.MicrosPerSecond, date: d, yday: d - types.DateFromCivil(y, 1, 1) + 1,
	}
}

func momentOfInterval(v *types.Interval) moment {
	m := moment{
		interval: true, year: int64(v.Months / 12), month: int64(v.Months % 12), day: int64(v.Days), hour: v.Micros / types.MicrosPerHour,
		min: v.Micros / types.MicrosPerMinute % 60, sec: v.Micros / types.MicrosPerSecond % 60, micro: v.Micros % types.MicrosPerSecond,
	}
	m.yday = (m.year*12+m.month)*30 + m.day
	return m
}

// displayYear is the year without a sign for BC.
func (m *moment) displayYear() int64 {
	if m.interval || m.year > 0 {
		return m.year
	}
	return 1 - m.year
}

// ordinal returns the suffix of a number: st, nd, rd or th.
func ordinal(num string, kind byte) (string, error) {
	last := num[len(num)-1]
	if last < '0' || last > '9' {
		return "", pgerr.New(pgerr.InvalidTextRepresentation, "\"%s\" is not a number", num)
	}
	s := "th"
	if len(num) < 2 || num[len(num)-2] != '1' {
		switch last {
		case '1':
			s = "st"
		case '2':
			s = "nd"
		case '3':
			s = "rd"
		}
	}
	if kind == 'T' {
		return strings.ToUpper(s), nil
	}
	return s, nil
}

// caseLike spells a word as the field is written: MONTH, Month or month.
func caseLike(field, word string) string {
	switch {
	case field == strings.ToUpper(field):
		return strings.ToUpper(word)
	case field == strings.ToLower(field):
		return strings.ToLower(word)
	}
	return word
}

// pad writes a number with leading zeros; the sign of a negative one takes a further place.
func (n *templateNode) pad(v int64, width int) string {
	if n.fm {
		return strconv.FormatInt(v, 10)
	}
	if v < 0 {
		width++
	}
	return fmt.Sprintf("%0*d", width, v)
}

// word writes a name, padded with blanks to the longest of its kind.
func (n *templateNode) word(s string, width int) string {
	s = caseLike(n.text, s)
	if n.fm {
		return s
	}
	return fmt.Sprintf("%-*s", width, s)
}

func dotted(s string) string { return s[:1] + "." + s[1:] + "." }

// format writes one field; number says that an ordinal suffix may follow.
func (m *moment) format(n *templateNode) (s string, number bool, err error) {
	switch n.upper {
	case "A.D.", "AD", "B.C.", "BC", "MONTH", "MON", "DAY", "DY", "D", "ID", "TZ", "TZH", "TZM", "OF", "IDDD", "IW", "WW", "Q":
		unbound := n.upper == "IDDD" || n.upper == "IW" || n.upper == "WW" || n.upper == "Q"
		if m.interval && !unbound {
			return "", false, pgerr.New(pgerr.InvalidDatetimeFormat, "invalid format specification for an interval value").
				WithHint("Intervals are not tied to specific calendar dates.")
		}
	}
	if s, ok := m.formatClock(n); ok {
		return s, strings.IndexByte("HMSUF", n.upper[0]) >= 0 && n.upper != "FX", nil
	}
	if s, ok := m.formatYear(n); ok {
		return s, true, nil
	}
	switch n.upper {
	case "A.D.", "AD", "B.C.", "BC":
		s = "AD"
		if m.year <= 0 {
			s = "BC"
		}
		if len(n.text) == 4 {
			s = dotted(s)
		}
		return caseLike(n.text, s), false, nil
	case "MONTH", "MON", "RM":
		return m.formatMonth(n), false, nil
	case "DAY":
		return n.word(dayFull[weekday(m.date)], 9), false, nil
	case "DY":
		return caseLike(n.text, dayFull[weekday(m.date)][:3]), false, nil
	case "MM":
		return n.pad(m.month, 2), true, nil
	case "DDD":
		return n.pad(m.yday, 3), true, nil
	case "IDDD":
		first := isoWeekMonday(types.DateFromCivil(isoYear(m.date), 1, 4))
		return n.pad(m.date-first+1, 3), true, nil
	case "DD":
		return n.pad(m.day, 2), true, nil
	case "D":
		return strconv.FormatInt(weekday(m.date)+1, 10), true, nil
	case "ID":
		return strconv.FormatInt((weekday(m.date)+6)%7+1, 10), true, nil
	case "WW":
		return n.pad((m.yday-1)/7+1, 2), true, nil
	case "IW":
		return n.pad(isoWeek(m.date), 2), true, nil
	case "Q":
		if m.month == 0 {
			return "", false, nil
		}
		return strconv.FormatInt((m.month-1)/3+1, 10), true, nil
	case "W":
		return strconv.FormatInt((m.day-1)/7+1, 10), true, nil
	case "J":
		if m.interval {
			return strconv.FormatInt(types.DateFromCivil(int(m.year), int(m.month), int(m.day))+julianOf2000, 10), true, nil
		}
		return strconv.FormatInt(m.date+julianOf2000, 10), true, nil
	}
	return "", false, nil // FX
}

func (m *moment) formatMonth(n *templateNode) string {
	if n.upper == "RM" {
		if m.month == 0 && m.year == 0 {
			return ""
		}
		i := (m.month + 11) % 12
		if m.month <= 0 {
			i = (m.month + 23) % 12
		}
		return n.word(romanMonth[i], 4)
	}
	name := monthFull[m.month-1]
	if n.upper == "MON" {
		return caseLike(n.text, name[:3])
	}
	return n.word(name, 9)
}

func (m *moment) formatClock(n *templateNode) (string, bool) {
	switch n.upper {
	case "A.M.", "P.M.", "AM", "PM":
		s := "AM"
		if ((m.hour%24)+24)%24 >= 12 {
			s = "PM"
		}
		if len(n.text) == 4 {
			s = dotted(s)
		}
		return caseLike(n.text, s), true
	case "HH", "HH12":
		h := m.hour % 12
		if h == 0 {
			h = 12
		}
		return n.pad(h, 2), true
	case "HH24":
		return n.pad(m.hour, 2), true
	case "MI":
		return n.pad(m.min, 2), true
	case "SS":
		return n.pad(m.sec, 2), true
	case "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		width := int(n.upper[2] - '0')
		v := m.micro
		for range 6 - width {
			v /= 10
		}
		return fmt.Sprintf("%0*d", width, v), true
	case "MS":
		return fmt.Sprintf("%03d", m.micro/1000), true
	case "US":
		return fmt.Sprintf("%06d", m.micro), true
	case "SSSS", "SSSSS":
		return strconv.FormatInt(m.hour*3600+m.min*60+m.sec, 10), true
	case "TZ":
		if !m.zoned {
			return "", true
		}
		return caseLike(n.text, m.zone), true
	case "TZH":
		return fmt.Sprintf("%c%02d", signByte(m.east < 0), absInt(m.east)/3600), true
	case "TZM":
		return fmt.Sprintf("%02d", absInt(m.east)/60%60), true
	case "OF":
		s := fmt.Sprintf("%c%02d", signByte(m.east < 0), absInt(m.east)/3600)
		if min := absInt(m.east) / 60 % 60; min != 0 {
			s += fmt.Sprintf(":%02d", min)
		}
		return s, true
	}
	return "", false
}

func signByte(negative bool) byte {
	if negative {
		return '-'
	}
	return '+'
}

func absInt(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

func (m *moment) formatYear(n *templateNode) (string, bool) {
	y := m.displayYear()
	name := n.upper
	if name[0] == 'I' && name != "IDDD" && name != "ID" && name != "IW" {
		name = strings.Repeat("Y", len(name))
		if !m.interval {
			if y = int64(isoYear(m.date)); y <= 0 {
				y = 1 - y
			}
		}
	}
	switch name {
	case "CC":
		c := m.year / 100
		if !m.interval {
			if m.year > 0 {
				c = (m.year-1)/100 + 1
			} else {
				c = m.year/100 - 1
			}
		}
		if c <= 99 && c >= -99 {
			return n.pad(c, 2), true
		}
		return strconv.FormatInt(c, 10), true
	case "Y,YYY":
		return fmt.Sprintf("%d,%03d", y/1000, y%1000), true
	case "YYYY":
		return n.pad(y, 4), true
	case "YYY":
		return n.pad(y%1000, 3), true
	case "YY":
		return n.pad(y%100, 2), true
	case "Y":
		return n.pad(y%10, 1), true
	}
	return "", false
}

func (m *moment) toChar(template string) (datum, error) {
	if template == "" {
		return types.Null, nil
	}
	var b strings.Builder
	for _, n := range parseTemplate(template, true) {
		if n.kind != tmplField {
			b.WriteString(n.text)
			continue
		}
		s, number, err := m.format(&n)
		if err != nil {
			return types.Null, err
		}
		b.WriteString(s)
		if n.th != 0 && number && s != "" {
			suffix, err := ordinal(s, n.th)
			if err != nil {
				return types.Null, err
			}
			b.WriteString(suffix)
		}
	}
	return types.Str(b.String()), nil
}

func timestampToChar(_ *expr.Env, a, f datum) (datum, error) {
	if infiniteTimestamp(a.Int()) {
		return types.Null, nil
	}
	m := momentOf(a.Int())
	return m.toChar(f.Str())
}

func timestampTZToChar(env *expr.Env, a, f datum) (datum, error) {
	if infiniteTimestamp(a.Int()) {
		return types.Null, nil
	}
	off, zone := types.ZoneAt(zoneOf(env), a.Int())
	m := momentOf(a.Int() + int64(off)*types.MicrosPerSecond)
	m.zoned, m.east, m.zone = true, int64(off), zone
	return m.toChar(f.Str())
}

func intervalToChar(_ *expr.Env, a, f datum) (datum, error) {
	m := momentOfInterval(a.Interval())
	return m.toChar(f.Str())
}
