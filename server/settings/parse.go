package settings

import (
	"math"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// parse checks a value as written and returns it canonically, in base units.
func (d *Def) parse(v string) (string, error) {
	var out string
	var err error
	switch d.Kind {
	case KindBool:
		b, ok := parseBool(v)
		if !ok {
			return "", pgerr.New(pgerr.InvalidParameterValue, "parameter \"%s\" requires a Boolean value", d.Name)
		}
		out = "off"
		if b {
			out = "on"
		}
	case KindInt, KindReal:
		out, err = d.parseNumber(v)
	case KindEnum:
		out, err = d.parseEnum(v)
	default:
		out = v
	}
	if err == nil && d.check != nil {
		out, err = d.check(out)
	}
	return out, err
}

// parseBool accepts unique prefixes of true, false, yes and no, on and off from two letters, 1 and 0.
func parseBool(v string) (val, ok bool) {
	s := strings.ToLower(v)
	if s == "" {
		return false, false
	}
	switch {
	case strings.HasPrefix("true", s), strings.HasPrefix("yes", s), s == "on", s == "1":
		return true, true
	case strings.HasPrefix("false", s), strings.HasPrefix("no", s), len(s) >= 2 && strings.HasPrefix("off", s), s == "0":
		return false, true
	}
	return false, false
}

func (d *Def) parseEnum(v string) (string, error) {
	for _, e := range d.Enum {
		if strings.EqualFold(e, v) {
			return e, nil
		}
	}
	// Words that PostgreSQL accepts and does not list.
	if d.Name == "client_min_messages" || d.Name == "log_min_messages" {
		switch strings.ToLower(v) {
		case "debug":
			return "debug2", nil
		case "info", "fatal", "panic":
			return strings.ToLower(v), nil
		}
	}
	if b, ok := parseBool(v); ok && d.has("on") && d.has("off") {
		if b {
			return "on", nil
		}
		return "off", nil
	}
	shown := make([]string, 0, len(d.Enum))
	for _, e := range d.Enum {
		if e == "" {
			e = `""`
		}
		shown = append(shown, e)
	}
	return "", d.invalid(v).WithHint("Available values: %s.", strings.Join(shown, ", "))
}

func (d *Def) has(label string) bool {
	for _, e := range d.Enum {
		if e == label {
			return true
		}
	}
	return false
}

func (d *Def) invalid(v string) *pgerr.Error {
	return pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"%s\": \"%s\"", d.Name, v)
}

// unit is one unit of a family, as a multiple of the family's smallest.
type unit struct {
	name string
	size float64
}

var (
	memoryUnits = []unit{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}, {"B", 1}}
	timeUnits   = []unit{{"d", 86400e6}, {"h", 3600e6}, {"min", 60e6}, {"s", 1e6}, {"ms", 1e3}, {"us", 1}}
)

const (
	memoryHint = `Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".`
	timeHint   = `Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".`
)

// base returns the units of the parameter's family and the size of its base unit.
func (d *Def) base() (units []unit, size float64, hint string) {
	if d.Unit == "8kB" {
		return memoryUnits, 8 << 10, memoryHint
	}
	for _, u := range memoryUnits {
		if u.name == d.Unit {
			return memoryUnits, u.size, memoryHint
		}
	}
	for _, u := range timeUnits {
		if u.name == d.Unit {
			return timeUnits, u.size, timeHint
		}
	}
	return nil, 1, ""
}

func (d *Def) parseNumber(v string) (string, error) {
	text := strings.TrimSpace(v)
	n, rest, ok := leadingNumber(text, d.Kind == KindInt)
	if !ok {
		return "", d.invalid(v)
	}
	if rest = strings.TrimLeft(rest, " \t\n\r\f\v"); rest != "" {
		units, base, hint := d.base()
		if units == nil {
			return "", d.invalid(v)
		}
		found := false
		for i, u := range units {
			if u.name != rest {
				continue
			}
			found = true
			n = n * u.size / base
			// A fraction such as 30.1GB is rounded to the next smaller unit.
			if i+1 < len(units) && units[i+1].size >= base {
				step := units[i+1].size / base
				n = math.RoundToEven(n/step) * step
			}
		}
		if !found {
			return "", d.invalid(v).WithHint("%s", hint)
		}
	}
	if d.Kind == KindInt {
		n = math.RoundToEven(n)
		if n > math.MaxInt32 || n < math.MinInt32 {
			return "", d.invalid(v).WithHint("Value exceeds integer range.")
		}
	}
	if n < d.Min || n > d.Max {
		suffix := ""
		if d.Unit != "" {
			suffix = " " + d.Unit
		}
		return "", pgerr.New(pgerr.InvalidParameterValue, "%s%s is outside the valid range for parameter \"%s\" (%s .. %s)",
			d.format(n), suffix, d.Name, d.MinText, d.MaxText)
	}
	return d.format(n), nil
}

// format prints a value in base units: integers plainly, reals like C's %g.
func (d *Def) format(n float64) string {
	if d.Kind == KindInt {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatFloat(n, 'g', 6, 64)
}

// leadingNumber reads a number as C's strtol with base 0 does, or as a decimal fraction.
func leadingNumber(s string, whole bool) (n float64, rest string, ok bool) {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if whole && i+2 < len(s) && s[i] == '0' && (s[i+1] == 'x' || s[i+1] == 'X') {
		j := i + 2
		for j < len(s) && strings.IndexByte("0123456789abcdefABCDEF", s[j]) >= 0 {
			j++
		}
		x, err := strconv.ParseInt(s[:i]+s[i+2:j], 16, 64)
		return float64(x), s[j:], err == nil
	}
	start := i
	digits := func() {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
	}
	digits()
	intEnd := i
	if i < len(s) && s[i] == '.' {
		i++
		digits()
	}
	if i == start || (i == start+1 && s[start] == '.') {
		return 0, "", false
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		mark := i
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		exp := i
		if digits(); i == exp {
			i = mark
		}
	}
	if whole && i == intEnd && i-start > 1 && s[start] == '0' {
		if x, err := strconv.ParseInt(s[:i], 8, 64); err == nil {
			return float64(x), s[i:], true
		}
	}
	n, err := strconv.ParseFloat(s[:i], 64)
	return n, s[i:], err == nil
}

// display prints a value in base units as SHOW does: in the largest unit that keeps it whole.
func (d *Def) display(v string) string {
	if d.Unit == "" || strings.HasPrefix(d.Name, "tcp_") || (d.Kind != KindInt && d.Kind != KindReal) {
		return v
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n <= 0 {
		return v
	}
	units, base, _ := d.base()
	for _, u := range units {
		x := n * base / u.size
		if r := math.RoundToEven(x); r >= 1 && math.Abs(r/x-1) <= 1e-8 {
			return strconv.FormatFloat(r, 'f', -1, 64) + u.name
		}
	}
	return v + d.Unit
}

// validCustomName reports whether a dotted name is made of simple identifiers.
func validCustomName(name string) bool {
	parts := strings.Split(name, ".")
	if len(parts) < 2 {
		return false
	}
	for _, p := range parts {
		if p == "" {
			return false
		}
		for i := 0; i < len(p); i++ {
			c := p[i]
			letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
			if !letter && (i == 0 || c != '$' && (c < '0' || c > '9')) {
				return false
			}
		}
	}
	return true
}

// SplitIdentifiers splits a comma-separated list of identifiers such as the search path's, folding and unquoting them.
// ok is false when the syntax is wrong.
func SplitIdentifiers(s string) (items []string, ok bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, true
	}
	for {
		s = strings.TrimLeft(s, " \t\n\r\f\v")
		var item string
		if strings.HasPrefix(s, `"`) {
			var b strings.Builder
			s = s[1:]
			for {
				i := strings.IndexByte(s, '"')
				if i < 0 {
					return nil, false
				}
				b.WriteString(s[:i])
				if s = s[i+1:]; !strings.HasPrefix(s, `"`) {
					break
				}
				b.WriteByte('"')
				s = s[1:]
			}
			item = b.String()
		} else {
			i := strings.IndexAny(s, ", \t\n\r\f\v")
			if i < 0 {
				i = len(s)
			}
			if i == 0 {
				return nil, false
			}
			item, s = strings.ToLower(s[:i]), s[i:]
		}
		items = append(items, item)
		s = strings.TrimLeft(s, " \t\n\r\f\v")
		if s == "" {
			return items, true
		}
		if s[0] != ',' {
			return nil, false
		}
		s = s[1:]
	}
}

// QuoteIdentifier quotes a name where SQL needs it; every key word is quoted, which is always right.
func QuoteIdentifier(s string, keyword func(string) bool) string {
	plain := s != "" && !keyword(s)
	for i := 0; plain && i < len(s); i++ {
		c := s[i]
		plain = c == '_' || c >= 'a' && c <= 'z' || i > 0 && c >= '0' && c <= '9'
	}
	if plain {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
