package types

// Parts are an interval's or a time's fields, each with its own sign.
type intervalParts struct {
	year, month, day, hour, min, sec, frac int64
}

func splitInterval(v *Interval) intervalParts {
	return intervalParts{
		year: int64(v.Months / 12), month: int64(v.Months % 12), day: int64(v.Days),
		hour: v.Micros / MicrosPerHour, min: v.Micros / MicrosPerMinute % 60, sec: v.Micros / MicrosPerSecond % 60, frac: v.Micros % MicrosPerSecond,
	}
}

func abs64(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

// AppendInterval appends an interval's text in an IntervalStyle.
func AppendInterval(dst []byte, v *Interval, style string) []byte {
	p := splitInterval(v)
	switch style {
	case "postgres_verbose":
		return p.verbose(dst)
	case "sql_standard":
		return p.sqlStandard(dst)
	case "iso_8601":
		return p.iso8601(dst)
	}
	return p.postgres(dst)
}

func (p *intervalParts) hasTime() bool { return p.hour != 0 || p.min != 0 || p.sec != 0 || p.frac != 0 }

func (p *intervalParts) negativeTime() bool {
	return p.hour < 0 || p.min < 0 || p.sec < 0 || p.frac < 0
}

// pad2 appends at least two digits of the absolute value.
func pad2(dst []byte, n int64) []byte {
	n = abs64(n)
	if n < 10 {
		dst = append(dst, '0')
	}
	return appendInt(dst, n)
}

func (p *intervalParts) clock(dst []byte) []byte {
	dst = append(pad2(dst, p.hour), ':')
	dst = append(pad2(dst, p.min), ':')
	return appendFraction(pad2(dst, p.sec), abs64(p.frac))
}

func (p *intervalParts) postgres(dst []byte) []byte {
	start, afterNegative := len(dst), false
	part := func(n int64, unit string) {
		if n == 0 {
			return
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		if afterNegative && n > 0 {
			dst = append(dst, '+')
		}
		dst = append(append(appendInt(dst, n), ' '), unit...)
		if n != 1 {
			dst = append(dst, 's')
		}
		afterNegative = n < 0
	}
	part(p.year, "year")
	part(p.month, "mon")
	part(p.day, "day")
	if len(dst) > start && !p.hasTime() {
		return dst
	}
	if len(dst) > start {
		dst = append(dst, ' ')
	}
	switch {
	case p.negativeTime():
		dst = append(dst, '-')
	case afterNegative:
		dst = append(dst, '+')
	}
	return p.clock(dst)
}

func (p *intervalParts) verbose(dst []byte) []byte {
	dst = append(dst, '@')
	zero, ago := true, false
	part := func(n int64, unit string) {
		if n == 0 {
			return
		}
		if zero {
			ago, n = n < 0, abs64(n)
		} else if ago {
			n = -n
		}
		zero = false
		dst = append(append(appendInt(append(dst, ' '), n), ' '), unit...)
		if n != 1 {
			dst = append(dst, 's')
		}
	}
	part(p.year, "year")
	part(p.month, "mon")
	part(p.day, "day")
	part(p.hour, "hour")
	part(p.min, "min")
	if p.sec != 0 || p.frac != 0 {
		dst = append(dst, ' ')
		negative := p.sec < 0 || p.sec == 0 && p.frac < 0
		switch {
		case negative && zero:
			ago = true
		case negative != ago:
			dst = append(dst, '-')
		}
		dst = appendFraction(appendInt(dst, abs64(p.sec)), abs64(p.frac))
		dst = append(dst, " sec"...)
		if abs64(p.sec) != 1 || p.frac != 0 {
			dst = append(dst, 's')
		}
		zero = false
	}
	if zero {
		dst = append(dst, " 0"...)
	}
	if ago {
		dst = append(dst, " ago"...)
	}
	return dst
}

func (p *intervalParts) iso8601(dst []byte) []byte {
	if *p == (intervalParts{}) {
		return append(dst, "PT0S"...)
	}
	dst = append(dst, 'P')
	part := func(n int64, unit byte) {
		if n != 0 {
			dst = append(appendInt(dst, n), unit)
		}
	}
	part(p.year, 'Y')
	part(p.month, 'M')
	part(p.day, 'D')
	if !p.hasTime() {
		return dst
	}
	dst = append(dst, 'T')
	part(p.hour, 'H')
	part(p.min, 'M')
	if p.sec != 0 || p.frac != 0 {
		if p.sec < 0 || p.frac < 0 {
			dst = append(dst, '-')
		}
		dst = append(appendFraction(appendInt(dst, abs64(p.sec)), abs64(p.frac)), 'S')
	}
	return dst
}

func signOf(negative bool) byte {
	if negative {
		return '-'
	}
	return '+'
}

func (p *intervalParts) sqlStandard(dst []byte) []byte {
	negative := p.year < 0 || p.month < 0 || p.day < 0 || p.negativeTime()
	positive := p.year > 0 || p.month > 0 || p.day > 0 || p.hour > 0 || p.min > 0 || p.sec > 0 || p.frac > 0
	yearMonth := p.year != 0 || p.month != 0
	dayTime := p.day != 0 || p.hasTime()
	seconds := func(dst []byte) []byte {
		dst = append(pad2(append(dst, ':'), p.min), ':')
		return appendFraction(pad2(dst, p.sec), abs64(p.frac))
	}
	switch {
	case !negative && !positive:
		return append(dst, '0')
	case negative && positive || yearMonth && dayTime:
		// Mixed values show every sign, because the standard has no form for them.
		dst = appendInt(append(dst, signOf(p.year < 0 || p.month < 0)), abs64(p.year))
		dst = appendInt(append(dst, '-'), abs64(p.month))
		dst = appendInt(append(dst, ' ', signOf(p.day < 0)), abs64(p.day))
		dst = appendInt(append(dst, ' ', signOf(p.negativeTime())), abs64(p.hour))
		return seconds(dst)
	}
	if negative {
		dst = append(dst, '-')
	}
	switch {
	case yearMonth:
		dst = append(appendInt(dst, abs64(p.year)), '-')
		return appendInt(dst, abs64(p.month))
	case p.day != 0:
		dst = append(appendInt(dst, abs64(p.day)), ' ')
	}
	return seconds(appendInt(dst, abs64(p.hour)))
}
