package fn

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// scanned holds the fields that to_date and to_timestamp read; 0 is "not given", as in PostgreSQL.
type scanned struct {
	hh, mi, ss, ssss, ms, us   int64
	d, dd, ddd, mm, year       int64
	ww, w, cc, j               int64
	yearDigits                 int
	ff                         int // the digits of FF1 to FF6
	pm, bc                     int64
	clock12                    bool
	gregorian, iso             bool
	tzSign, tzHours, tzMinutes int64
}

// dateScanner walks input and template together.
type dateScanner struct {
	nodes []templateNode
	at    int // the current node
	s     string
	skip  int // characters skipped beyond what the template has
	fx    bool
	last  byte // the character before s
	out   scanned
}

func badValue(text, field string) *pgerr.Error {
	return pgerr.New(pgerr.InvalidDatetimeFormat, "invalid value \"%s\" for \"%s\"", text, field)
}

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func (p *dateScanner) advance(n int) {
	if n > 0 {
		p.last = p.s[n-1]
		p.s = p.s[n:]
	}
}

func (p *dateScanner) blanks() {
	for p.s != "" && isBlank(p.s[0]) {
		p.advance(1)
		p.skip++
	}
}

func (p *dateScanner) run() error {
	for p.at = 0; p.at < len(p.nodes) && p.s != ""; p.at++ {
		n := &p.nodes[p.at]
		if !p.fx && (n.kind != tmplField || n.upper != "FX") && (n.kind == tmplField || p.at == 0) {
			p.blanks()
		}
		switch {
		case n.kind == tmplSpace || n.kind == tmplSeparator:
			if p.fx {
				p.advance(runeLen(p.s))
				continue
			}
			p.skip--
			if p.s != "" && (isBlank(p.s[0]) || separator(p.s[0])) {
				p.advance(1)
				p.skip++
			}
			continue
		case n.kind == tmplText:
			if !p.fx && p.skip > 0 {
				p.skip--
			} else {
				p.advance(runeLen(p.s))
			}
			continue
		}
		if err := p.field(n); err != nil {
			return err
		}
		if !p.fx {
			p.skip = 0
			p.blanks()
		}
	}
	return nil
}

func runeLen(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// beforeNonDigit reports whether what follows the current field in the template cannot be digits, so that the field may
// take as many digits as there are.
func (p *dateScanner) beforeNonDigit() bool {
	n := p.nodes[p.at]
	if n.th != 0 || p.at+1 >= len(p.nodes) {
		return true
	}
	next := p.nodes[p.at+1]
	if next.kind == tmplField {
		switch next.upper {
		case "A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "DAY", "DY", "FX", "MONTH", "MON", "OF", "P.M.", "PM", "RM", "TZ":
			return true
		}
		return false
	}
	return len(next.text) != 1 || next.text[0] < '0' || next.text[0] > '9'
}

// integer reads a number of up to width digits into dest and returns how many characters it took.
func (p *dateScanner) integer(dest *int64, width int, n *templateNode) (int, error) {
	for p.s != "" && isBlank(p.s[0]) {
		p.advance(1)
	}
	copied := p.s[:min(width, len(p.s))]
	text := p.s
	const fmHint = "If your source string is not fixed-width, try using the \"FM\" modifier."
	greedy := n.fm || p.beforeNonDigit()
	if !greedy {
		if len(copied) < width {
			return 0, pgerr.New(pgerr.InvalidDatetimeFormat, "source string too short for \"%s\" formatting field", n.text).
				WithDetail("Field requires %d characters, but only %d remain.", width, len(copied)).WithHint(fmHint)
		}
		text = copied
	}
	end := 0
	for end < len(text) && isBlank(text[end]) {
		end++
	}
	start := end
	if end < len(text) && (text[end] == '-' || text[end] == '+') {
		end++
	}
	digits := end
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	if end == digits {
		return 0, badValue(copied, n.text).WithDetail("Value must be an integer.")
	}
	if !greedy && end < width {
		return 0, badValue(copied, n.text).WithDetail("Field requires %d characters, but only %d could be parsed.", width, end).WithHint(fmHint)
	}
	v, err := strconv.ParseInt(text[start:end], 10, 64)
	if err != nil && errors.Is(err, strconv.ErrRange) || v != int64(int32(v)) {
		return 0, pgerr.New(pgerr.DatetimeFieldOverflow, "value for \"%s\" in source string is out of range", n.text).
			WithDetail("Value must be in the range %d to %d.", math.MinInt32, math.MaxInt32)
	}
	p.advance(end)
	return end, p.set(dest, v, n)
}

func (p *dateScanner) set(dest *int64, v int64, n *templateNode) error {
	if dest == nil {
		return nil
	}
	if *dest != 0 && *dest != v {
		return pgerr.New(pgerr.InvalidDatetimeFormat, "conflicting values for \"%s\" field in formatting string", n.text).
			WithDetail("This value contradicts a previous setting for the same field type.")
	}
	*dest = v
	return nil
}

// oneOf reads one of the words, in any case, and returns its index.
func (p *dateScanner) oneOf(words []string, n *templateNode) (int64, error) {
	for i, w := range words {
		if len(p.s) >= len(w) && strings.EqualFold(p.s[:len(w)], w) {
			p.advance(len(w))
			return int64(i), nil
		}
	}
	text := p.s
	if i := strings.IndexAny(text, " \t\n\v\f\r"); i >= 0 {
		text = text[:i]
	}
	return 0, badValue(text, n.text).WithDetail("The given value did not match any of the allowed values for this field.")
}

// mode notes which calendar a field belongs to; a template may not mix them.
func (p *dateScanner) mode(n *templateNode) error {
	switch n.upper {
	case "IDDD", "ID", "IW", "IYYY", "IYY", "IY", "I":
		p.out.iso = true
	case "CC", "DAY", "DDD", "DD", "DY", "D", "MM", "MONTH", "MON", "RM", "WW", "W", "Y,YYY", "YYYY", "YYY", "YY", "Y":
		p.out.gregorian = true
	}
	if p.out.iso && p.out.gregorian {
		return pgerr.New(pgerr.InvalidDatetimeFormat, "invalid combination of date conventions").
			WithHint("Do not mix Gregorian and ISO week date conventions in a formatting template.")
	}
	return nil
}

// ordinalSuffix skips the two letters of st, nd, rd, th.
func (p *dateScanner) ordinalSuffix(n *templateNode) {
	if n.th != 0 {
		p.advance(min(2, len(p.s)))
	}
}

func prefixes(words []string, size int) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w[:size]
	}
	return out
}

func (p *dateScanner) field(n *templateNode) error {
	if err := p.mode(n); err != nil {
		return err
	}
	o := &p.out
	number := func(dest *int64, width int) error {
		_, err := p.integer(dest, width, n)
		p.ordinalSuffix(n)
		return err
	}
	word := func(dest *int64, words []string, value func(i int64) int64) error {
		i, err := p.oneOf(words, n)
		if err != nil {
			return err
		}
		return p.set(dest, value(i), n)
	}
	switch n.upper {
	case "FX":
		p.fx = true
	case "A.M.", "P.M.":
		o.clock12 = true
		return word(&o.pm, []string{"a.m.", "p.m."}, func(i int64) int64 { return i })
	case "AM", "PM":
		o.clock12 = true
		return word(&o.pm, []string{"am", "pm"}, func(i int64) int64 { return i })
	case "A.D.", "B.C.":
		return word(&o.bc, []string{"a.d.", "b.c."}, func(i int64) int64 { return i })
	case "AD", "BC":
		return word(&o.bc, []string{"ad", "bc"}, func(i int64) int64 { return i })
	case "HH", "HH12":
		o.clock12 = true
		return number(&o.hh, 2)
	case "HH24":
		return number(&o.hh, 2)
	case "MI":
		return number(&o.mi, 2)
	case "SS":
		return number(&o.ss, 2)
	case "MS":
		return p.fraction(&o.ms, 3, n)
	case "US":
		return p.fraction(&o.us, 6, n)
	case "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		width := int(n.upper[2] - '0')
		o.ff = width
		took, err := p.integer(&o.us, width, n)
		for range 6 - took {
			o.us *= 10
		}
		p.ordinalSuffix(n)
		return err
	case "SSSS", "SSSSS":
		return number(&o.ssss, len(n.text))
	case "TZ", "OF":
		return pgerr.New(pgerr.FeatureNotSupported, "formatting field \"%s\" is only supported in to_char", n.text)
	case "TZH":
		return p.zoneHours(n)
	case "TZM":
		if o.tzSign == 0 {
			o.tzSign = 1
		}
		_, err := p.integer(&o.tzMinutes, 2, n)
		return err
	case "MONTH":
		return word(&o.mm, monthFull[:], func(i int64) int64 { return i + 1 })
	case "MON":
		return word(&o.mm, prefixes(monthFull[:], 3), func(i int64) int64 { return i + 1 })
	case "MM":
		return number(&o.mm, 2)
	case "RM":
		return p.roman(n)
	case "DAY":
		return word(&o.d, dayFull[:], func(i int64) int64 { return i + 1 })
	case "DY":
		return word(&o.d, prefixes(dayFull[:], 3), func(i int64) int64 { return i + 1 })
	case "DDD", "IDDD":
		return number(&o.ddd, 3)
	case "DD":
		return number(&o.dd, 2)
	case "D":
		return number(&o.d, 1)
	case "ID":
		err := number(&o.d, 1)
		if o.d++; o.d > 7 {
			o.d = 1
		}
		return err
	case "WW", "IW":
		return number(&o.ww, 2)
	case "Q":
		return number(nil, 1)
	case "CC":
		return number(&o.cc, 2)
	case "W":
		return number(&o.w, 1)
	case "J":
		return number(&o.j, 1)
	case "Y,YYY":
		return p.groupedYear(n)
	default:
		return p.yearField(n)
	}
	return nil
}

// fraction reads digits behind a decimal point: 25 of MS is a quarter of a second.
func (p *dateScanner) fraction(dest *int64, width int, n *templateNode) error {
	took, err := p.integer(dest, width, n)
	for range width - took {
		*dest *= 10
	}
	p.ordinalSuffix(n)
	return err
}

func (p *dateScanner) zoneHours(n *templateNode) error {
	o := &p.out
	switch {
	case p.s != "" && (p.s[0] == '+' || p.s[0] == '-' || p.s[0] == ' '):
		o.tzSign = 1
		if p.s[0] == '-' {
			o.tzSign = -1
		}
		p.advance(1)
	case p.skip > 0 && p.last == '-':
		o.tzSign = -1
	default:
		o.tzSign = 1
	}
	_, err := p.integer(&o.tzHours, 2, n)
	return err
}

func (p *dateScanner) roman(n *templateNode) error {
	// The longest numeral first: VIII before VII, VI, V.
	best, month := 0, int64(0)
	for i, r := range romanMonth {
		if len(r) > best && len(p.s) >= len(r) && strings.EqualFold(p.s[:len(r)], r) {
			best, month = len(r), int64(i+1)
		}
	}
	if best == 0 {
		_, err := p.oneOf(romanMonth[:], n)
		return err
	}
	p.advance(best)
	return p.set(&p.out.mm, month, n)
}

func (p *dateScanner) groupedYear(n *templateNode) error {
	end := strings.IndexByte(p.s, ',')
	bad := pgerr.New(pgerr.InvalidDatetimeFormat, "invalid input string for \"Y,YYY\"")
	if end < 0 {
		return bad
	}
	stop := end + 1
	for stop < len(p.s) && stop < end+4 && p.s[stop] >= '0' && p.s[stop] <= '9' {
		stop++
	}
	thousands, err1 := strconv.ParseInt(p.s[:end], 10, 32)
	years, err2 := strconv.ParseInt(p.s[end+1:stop], 10, 32)
	if err1 != nil || err2 != nil {
		return bad
	}
	p.advance(stop)
	p.out.yearDigits = 4
	p.ordinalSuffix(n)
	return p.set(&p.out.year, thousands*1000+years, n)
}

func (p *dateScanner) yearField(n *templateNode) error {
	width := len(n.text)
	var y int64
	took, err := p.integer(&y, width, n)
	if err != nil {
		return err
	}
	if width < 4 && took < 4 {
		y = nearYear(y)
	}
	p.out.yearDigits = width
	p.ordinalSuffix(n)
	return p.set(&p.out.year, y, n)
}

// nearYear completes a year of fewer than four digits to the one nearest to 2020.
func nearYear(y int64) int64 {
	switch {
	case y < 70:
		return y + 2000
	case y < 100:
		return y + 1900
	case y < 520:
		return y + 2000
	case y < 1000:
		return y + 1000
	}
	return y
}

// resolved is the local time that scanned fields stand for.
type resolved struct {
	day, micros int64
	zone        *time.Location // nil: the session's
}

func (o *scanned) resolve(input string) (resolved, error) {
	overflow := func() (resolved, error) {
		return resolved{}, pgerr.New(pgerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", input)
	}
	hour, min, sec := o.hh, o.mi, o.ss
	if o.ssss != 0 {
		hour, min, sec = o.ssss/3600, o.ssss/60%60, o.ssss%60
		for _, f := range []struct{ given, dest *int64 }{{&o.hh, &hour}, {&o.mi, &min}, {&o.ss, &sec}} {
			if *f.given != 0 {
				*f.dest = *f.given
			}
		}
	}
	if o.clock12 {
		if hour < 1 || hour > 12 {
			return resolved{}, pgerr.New(pgerr.InvalidDatetimeFormat, "hour \"%d\" is invalid for the 12-hour clock", hour).
				WithHint("Use the 24-hour clock, or give an hour between 1 and 12.")
		}
		if o.pm != 0 && hour < 12 {
			hour += 12
		} else if o.pm == 0 && hour == 12 {
			hour = 0
		}
	}
	day, ok, err := o.date()
	if err != nil {
		return resolved{}, err
	}
	micro := o.ms*1000 + o.us
	if !ok || hour < 0 || hour >= 24 || min < 0 || min >= 60 || sec < 0 || sec >= 60 || micro < 0 || micro >= 1e6 {
		return overflow()
	}
	r := resolved{day: day, micros: hour*types.MicrosPerHour + min*types.MicrosPerMinute + sec*types.MicrosPerSecond + micro}
	if o.ff > 0 { // the result has so many digits
		unit := int64(math.Pow10(6 - o.ff))
		r.micros = (r.micros + unit/2) / unit * unit
	}
	if o.tzSign != 0 {
		if o.tzHours < 0 || o.tzHours > 15 || o.tzMinutes < 0 || o.tzMinutes > 59 {
			return resolved{}, pgerr.New(pgerr.InvalidTimeZoneDisplacementValue, "time zone displacement out of range: \"%s\"", input)
		}
		r.zone = time.FixedZone("", int(o.tzSign*(o.tzHours*3600+o.tzMinutes*60)))
	}
	return r, nil
}

// calendarYear returns the astronomical year of the year, century and era fields; 0 (1 BC) when none is given.
func (o *scanned) calendarYear() int64 {
	cc := o.cc
	if o.bc != 0 {
		cc = -cc
	}
	switch {
	case o.year != 0 && o.cc != 0 && o.yearDigits <= 2:
		y := o.year % 100
		switch {
		case y != 0 && cc >= 0:
			return y + (cc-1)*100
		case y != 0:
			return (cc+1)*100 - y + 1
		case cc >= 0:
			return cc * 100
		}
		return cc*100 + 1
	case o.year != 0:
		y := o.year
		if o.bc != 0 {
			y = -y
		}
		if y < 0 {
			y++
		}
		return y
	case cc > 0:
		return (cc-1)*100 + 1
	case cc < 0:
		return cc*100 + 1
	}
	return 0
}

// date returns the day that the fields stand for; ok is false when one is out of range.
func (o *scanned) date() (day int64, ok bool, err error) {
	y, m, d := o.calendarYear(), int64(1), int64(1)
	if o.j != 0 {
		yy, mm, dd := types.CivilFromDate(o.j - julianOf2000)
		y, m, d = int64(yy), int64(mm), int64(dd)
	}
	ddd, dd := o.ddd, o.dd
	if o.ww != 0 {
		if o.iso {
			monday := isoWeekMonday(types.DateFromCivil(int(y), 1, 4)) + (o.ww-1)*7
			if o.d > 1 {
				monday += o.d - 2
			} else if o.d == 1 {
				monday += 6
			}
			yy, mm, dd := types.CivilFromDate(monday)
			y, m, d = int64(yy), int64(mm), int64(dd)
		} else {
			ddd = (o.ww-1)*7 + 1
		}
	}
	if o.w != 0 {
		dd = (o.w-1)*7 + 1
	}
	if dd != 0 {
		d = dd
	}
	if o.mm != 0 {
		m = o.mm
	}
	if ddd != 0 && (m <= 1 || d <= 1) {
		if y == 0 && o.bc == 0 {
			return 0, false, pgerr.New(pgerr.InvalidDatetimeFormat, "cannot calculate day of year without year information")
		}
		first := types.DateFromCivil(int(y), 1, 1)
		if o.iso {
			first = isoWeekMonday(types.DateFromCivil(int(y), 1, 4))
		}
		yy, mm, dd := types.CivilFromDate(first + ddd - 1)
		if !o.iso && (ddd < 1 || int64(yy) != y) {
			return 0, false, nil
		}
		y, m, d = int64(yy), int64(mm), int64(dd)
	}
	if m < 1 || m > 12 || d < 1 || d > int64(types.DaysInMonth(int(y), int(m))) {
		return 0, false, nil
	}
	return types.DateFromCivil(int(y), int(m), int(d)), true, nil
}

func scanDate(text, template string) (resolved, error) {
	p := dateScanner{nodes: parseTemplate(template, true), s: text}
	if err := p.run(); err != nil {
		return resolved{}, err
	}
	return p.out.resolve(text)
}

func toDate(_ *expr.Env, a, f datum) (datum, error) {
	r, err := scanDate(a.Str(), f.Str())
	if err != nil {
		return types.Null, err
	}
	if !types.ValidDate(r.day) {
		return types.Null, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range: \"%s\"", a.Str())
	}
	return types.Int(r.day), nil
}

func toTimestampText(env *expr.Env, a, f datum) (datum, error) {
	r, err := scanDate(a.Str(), f.Str())
	if err != nil {
		return types.Null, err
	}
	if r.zone == nil {
		r.zone = zoneOf(env)
	}
	local, ok := types.JoinTimestamp(r.day, r.micros)
	if ok {
		local, ok = types.LocalToUTC(r.zone, local)
	}
	if !ok {
		return types.Null, timestampRange()
	}
	return types.Int(local), nil
}

func dateFormatImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 2049, Name: "to_char", F2: timestampToChar},
		{OID: 1770, Name: "to_char", F2: timestampTZToChar},
		{OID: 1768, Name: "to_char", F2: intervalToChar},
		{OID: 1780, Name: "to_date", F2: toDate},
		{OID: 1778, Name: "to_timestamp", F2: toTimestampText},
	}
}
