package fn

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// templateKind is what a piece of a formatting template is.
type templateKind byte

const (
	tmplField templateKind = iota
	tmplText               // a character to copy
	tmplSeparator
	tmplSpace
)

// templateNode is one piece of a template of to_char, to_date and to_timestamp.
type templateNode struct {
	kind  templateKind
	text  string // of a field: its name as PostgreSQL writes it; else one character
	upper string // of a field: the name in upper case
	fm    bool   // FM or TM: no padding
	th    byte   // 't' or 'T': an ordinal suffix
}

// dateFields are the fields of date templates, longest first where one begins another. Fields with letters in them exist
// in the spellings given here only.
var dateFields = func() []string {
	list := []string{
		"A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "CC", "DAY", "DDD", "DD", "DY", "Day", "Dy", "D",
		"FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "FX", "HH24", "HH12", "HH", "IDDD", "ID", "IW", "IYYY", "IYY", "IY", "I", "J",
		"MI", "MM", "MONTH", "MON", "MS", "Month", "Mon", "OF", "P.M.", "PM", "Q", "RM", "SSSSS", "SSSS", "SS",
		"TZH", "TZM", "TZ", "US", "WW", "W", "Y,YYY", "YYYY", "YYY", "YY", "Y",
	}
	for _, f := range list {
		if l := strings.ToLower(f); f == strings.ToUpper(f) {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list
}()

// numberFields are the fields of number templates.
var numberFields = []string{
	"EEEE", "FM", "MI", "PL", "PR", "RN", "SG", "SP", "TH", ",", ".", "0", "9", "B", "C", "D", "E", "G", "L", "S", "V",
	"eeee", "fm", "mi", "pl", "pr", "rn", "sg", "sp", "th", "b", "c", "d", "e", "g", "l", "s", "v",
}

func cutField(s string, fields []string) (string, bool) {
	for _, f := range fields {
		if strings.HasPrefix(s, f) {
			return f, true
		}
	}
	return "", false
}

// parseTemplate cuts a template into its pieces; date says that it is one for dates, where FM, TM and TH go with a field.
func parseTemplate(s string, date bool) []templateNode {
	fields := numberFields
	if date {
		fields = dateFields
	}
	var nodes []templateNode
	for s != "" {
		n := templateNode{}
		if date {
			for len(s) >= 2 {
				p := s[:2]
				if p != "FM" && p != "fm" && p != "TM" && p != "tm" {
					break
				}
				n.fm = true
				s = s[2:]
			}
		}
		if s == "" {
			break
		}
		if f, ok := cutField(s, fields); ok {
			n.text, n.upper = f, strings.ToUpper(f)
			s = s[len(f):]
			if date {
				switch {
				case strings.HasPrefix(s, "TH"), strings.HasPrefix(s, "th"):
					n.th = s[0]
					s = s[2:]
				case strings.HasPrefix(s, "SP"):
					s = s[2:]
				}
			}
			nodes = append(nodes, n)
			continue
		}
		if s[0] == '"' {
			for s = s[1:]; s != ""; {
				if s[0] == '"' {
					s = s[1:]
					break
				}
				if s[0] == '\\' && len(s) > 1 {
					s = s[1:]
				}
				_, size := utf8.DecodeRuneInString(s)
				nodes = append(nodes, templateNode{kind: tmplText, text: s[:size]})
				s = s[size:]
			}
			continue
		}
		if strings.HasPrefix(s, `\"`) {
			s = s[1:]
		}
		_, size := utf8.DecodeRuneInString(s)
		n.kind, n.text = tmplText, s[:size]
		switch c := s[0]; {
		case date && separator(c):
			n.kind = tmplSeparator
		case c == ' ' || c >= '\t' && c <= '\r':
			n.kind = tmplSpace
		}
		nodes = append(nodes, n)
		s = s[size:]
	}
	return nodes
}

func separator(c byte) bool {
	letter := c|0x20 >= 'a' && c|0x20 <= 'z'
	return c > ' ' && c < 0x7f && !letter && (c < '0' || c > '9')
}
