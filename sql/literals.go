package sql

import (
	"math"
	"strconv"
	"strings"
)

// Literal is a number or string constant in a query string.
type Literal struct {
	// Kind is 'i' for a number that PostgreSQL takes for an integer, 'l' for a bigint, 'n' for a numeric, 's' for a string.
	Kind byte
	// Text is the constant's value: without quotes for a string.
	Text string
	// At is its byte offset, End the one behind it.
	At, End int
}

// Limits of what is looked at: longer texts mostly come once.
const (
	literalText  = 8 << 10
	literalCount = 64
)

// Literals finds the constants of a single SELECT, INSERT, UPDATE or DELETE. Queries of one shape differ in nothing but
// them. ok is false where the text has anything that would need the whole lexer to be read: comments, dollar quotes,
// parameters, strings with prefixes.
func Literals(query string) (shape string, list []Literal, ok bool) {
	if len(query) > literalText || !startsStatement(query) {
		return "", nil, false
	}
	out := make([]byte, 0, len(query))
	done := 0
	for i := 0; i < len(query); {
		c := query[i]
		switch {
		case isIdentStart(c):
			for i++; i < len(query) && isIdent(query[i]); i++ {
			}
			if i < len(query) && (query[i] == '\'' || query[i] == '&') {
				return "", nil, false // E'', B'', U&''
			}
		case c == '"':
			end := strings.IndexByte(query[i+1:], '"')
			if end < 0 {
				return "", nil, false
			}
			i += end + 2 // a doubled quote goes on as another name
		case c == '\'' || isDigit(c) || c == '.' && i+1 < len(query) && isDigit(query[i+1]):
			l, ok := literal(query, i)
			if !ok || len(list) == literalCount || len(list) > 0 && l.Kind == 's' && onlySpace(query[list[len(list)-1].End:i]) {
				return "", nil, false // strings one after the other are one string
			}
			out = append(out, query[done:i]...)
			out = append(out, 0, l.Kind)
			list = append(list, l)
			i, done = l.End, l.End
		case c == '$', c == '-' && strings.HasPrefix(query[i:], "--"), c == '/' && strings.HasPrefix(query[i:], "/*"), c == '\\', c == 0:
			return "", nil, false
		case c == ';':
			if !onlySpace(query[i+1:]) {
				return "", nil, false
			}
			i++
		default:
			i++
		}
	}
	return string(append(out, query[done:]...)), list, len(list) > 0
}

func startsStatement(query string) bool {
	q := strings.TrimLeft(query, " \t\r\n")
	if len(q) < 7 {
		return false
	}
	switch strings.ToLower(q[:6]) {
	case "select", "insert", "update", "delete":
		return true
	}
	return false
}

func literal(query string, at int) (Literal, bool) {
	if query[at] == '\'' {
		return stringLiteral(query, at)
	}
	i, integer := at, true
	for ; i < len(query) && isDigit(query[i]); i++ {
	}
	if i < len(query) && query[i] == '.' {
		integer = false
		for i++; i < len(query) && isDigit(query[i]); i++ {
		}
	}
	if i < len(query) && (isIdent(query[i]) || query[i] == '.') {
		return Literal{}, false // exponents and junk
	}
	l := Literal{Kind: 'n', Text: query[at:i], At: at, End: i}
	if integer {
		if n, err := strconv.ParseInt(l.Text, 10, 64); err == nil {
			l.Kind = 'l'
			if n <= math.MaxInt32 {
				l.Kind = 'i'
			}
		}
	}
	return l, true
}

func stringLiteral(query string, at int) (Literal, bool) {
	doubled := false
	for i := at + 1; i < len(query); i++ {
		switch {
		case query[i] != '\'':
		case i+1 < len(query) && query[i+1] == '\'':
			doubled = true
			i++
		default:
			text := query[at+1 : i]
			if doubled {
				text = strings.ReplaceAll(text, "''", "'")
			}
			return Literal{Kind: 's', Text: text, At: at, End: i + 1}, true
		}
	}
	return Literal{}, false
}

func onlySpace(s string) bool { return strings.TrimLeft(s, " \t\r\n\f") == "" }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isIdentStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func isIdent(c byte) bool { return isIdentStart(c) || isDigit(c) || c == '$' }
