package types

import (
	"math"
	"strconv"
	"strings"
)

// offset reads a displacement such as +05, -0330 or +05:30:15.
func (d *dtDecoder) offset(text string) dtFault {
	if text == "" || text[0] != '+' && text[0] != '-' {
		return faultFormat
	}
	var parts [3]int
	rest := text[1:]
	n := 0
	for ; n < 3; n++ {
		end := 0
		for end < len(rest) && isDigit(rest[end]) {
			end++
		}
		v, err := strconv.Atoi(rest[:end])
		if err != nil && end > 0 {
			return faultZone
		}
		parts[n], rest = v, rest[end:]
		if !strings.HasPrefix(rest, ":") {
			break
		}
		rest = rest[1:]
	}
	if n == 0 && rest == "" && len(text) > 3 {
		parts[0], parts[1] = parts[0]/100, parts[0]%100
	}
	if parts[0] > 15 || parts[1] > 59 || parts[2] > 59 {
		return faultZone
	}
	if rest != "" {
		return faultFormat
	}
	d.west = parts[0]*3600 + parts[1]*60 + parts[2]
	if text[0] == '+' {
		d.west = -d.west
	}
	return faultNone
}

// clock reads hh:mm, hh:mm:ss, hh:mm:ss.fff or mm:ss.fff.
func (d *dtDecoder) clock(text string) dtFault {
	d.got = partTime
	h, m, s, frac, f := parseClock(text, false)
	if f != faultNone {
		return f
	}
	d.hour, d.min, d.sec, d.frac = int(h), int(m), int(s), frac
	return faultNone
}

// parseClock reads a time of day; minSec says that two fields are minutes and seconds.
func parseClock(text string, minSec bool) (h, m, s, frac int64, f dtFault) {
	number := func() (int64, bool) {
		end := 0
		for end < len(text) && isDigit(text[end]) {
			end++
		}
		n, err := strconv.ParseInt(text[:end], 10, 64)
		if end == 0 {
			n, err = 0, nil
		}
		text = text[end:]
		return n, err == nil
	}
	var ok bool
	if h, ok = number(); !ok {
		return 0, 0, 0, 0, faultField
	}
	if !strings.HasPrefix(text, ":") {
		return 0, 0, 0, 0, faultFormat
	}
	text = text[1:]
	if m, ok = number(); !ok {
		return 0, 0, 0, 0, faultField
	}
	switch {
	case text == "":
		if minSec {
			h, m, s = 0, h, m
		}
	case text[0] == '.':
		if frac, ok = parseFraction(text); !ok {
			return 0, 0, 0, 0, faultFormat
		}
		h, m, s = 0, h, m
	case text[0] == ':':
		text = text[1:]
		if s, ok = number(); !ok {
			return 0, 0, 0, 0, faultField
		}
		if text != "" {
			if frac, ok = parseFraction(text); !ok {
				return 0, 0, 0, 0, faultFormat
			}
		}
	default:
		return 0, 0, 0, 0, faultFormat
	}
	if m > 59 || s > 60 || m > math.MaxInt32 || s > math.MaxInt32 {
		return 0, 0, 0, 0, faultField
	}
	return h, m, s, frac, faultNone
}

// parseFraction reads .ffffff as microseconds, rounded.
func parseFraction(s string) (int64, bool) {
	if s == "." {
		return 0, true
	}
	f, err := strconv.ParseFloat("0"+s, 64)
	if err != nil || s[0] != '.' {
		return 0, false
	}
	return int64(math.RoundToEven(f * 1e6)), true
}
