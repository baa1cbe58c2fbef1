package types

import (
	"strings"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

type pathToken byte

const (
	pathEnd   pathToken = 0
	pathIdent pathToken = 'i'
	pathStr   pathToken = 's'
	pathVar   pathToken = 'v'
	pathNum   pathToken = 'n'
	pathInt   pathToken = 'd'
	pathSign  pathToken = 'o' // an operator or punctuation, whose text is str
)

// pathLexer splits a jsonpath. After next, tok is the token's kind and str its text, unescaped.
type pathLexer struct {
	in         string
	start, end int
	tok        pathToken
	str        string
}

func (l *pathLexer) failAt(what string) error {
	if l.start >= len(l.in) || l.end >= len(l.in) && l.tok != pathSign {
		return pgerr.New(pgerr.SyntaxError, "%s at end of jsonpath input", what)
	}
	return pgerr.New(pgerr.SyntaxError, "%s at or near \"%s\" of jsonpath input", what, l.in[l.start:l.end])
}

func (l *pathLexer) syntax() error { return l.failAt("syntax error") }

const pathSpecials = `?%$.[]{}()|&!=<>@#,*:-+/\"`

func isPathIdent(c byte) bool { return !isSpace(c) && strings.IndexByte(pathSpecials, c) < 0 }

func (l *pathLexer) next() error {
	i := l.end
	for i < len(l.in) {
		if isSpace(l.in[i]) {
			i++
			continue
		}
		if !strings.HasPrefix(l.in[i:], "/*") {
			break
		}
		end := strings.Index(l.in[i+2:], "*/")
		if end < 0 {
			return pgerr.New(pgerr.SyntaxError, "unexpected end of comment at end of jsonpath input")
		}
		i += end + 4
	}
	l.start, l.end, l.str = i, i, ""
	if i >= len(l.in) {
		l.tok = pathEnd
		return nil
	}
	c := l.in[i]
	switch {
	case c == '"':
		l.tok = pathStr
		return l.quoted(i)
	case c == '$' && i+1 < len(l.in) && l.in[i+1] == '"':
		l.tok = pathVar
		return l.quoted(i + 1)
	case c == '$' && i+1 < len(l.in) && isPathIdent(l.in[i+1]):
		l.tok = pathVar
		l.end = i + 1
		return l.ident()
	case isDigit(c) || c == '.' && i+1 < len(l.in) && isDigit(l.in[i+1]):
		return l.number()
	case isPathIdent(c) || c == '\\':
		l.tok = pathIdent
		return l.ident()
	}
	l.tok = pathSign
	for _, op := range []string{"==", "!=", "<>", "<=", ">=", "&&", "||", "**"} {
		if strings.HasPrefix(l.in[i:], op) {
			l.str, l.end = op, i+2
			if op == "<>" {
				l.str = "!="
			}
			return nil
		}
	}
	l.str, l.end = l.in[i:i+1], i+1
	return nil
}

func (l *pathLexer) ident() error {
	var b []byte
	for l.end < len(l.in) && (isPathIdent(l.in[l.end]) || l.in[l.end] == '\\') {
		if l.in[l.end] == '\\' {
			var err error
			if b, err = l.escape(b); err != nil {
				return err
			}
			continue
		}
		b = append(b, l.in[l.end])
		l.end++
	}
	l.str = string(b)
	return nil
}

func (l *pathLexer) quoted(at int) error {
	var b []byte
	for l.end = at + 1; l.end < len(l.in); {
		switch c := l.in[l.end]; c {
		case '"':
			l.end++
			l.str = string(b)
			return nil
		case '\\':
			var err error
			if b, err = l.escape(b); err != nil {
				return err
			}
		default:
			b = append(b, c)
			l.end++
		}
	}
	return pgerr.New(pgerr.SyntaxError, "unexpected end of quoted string at end of jsonpath input")
}

// escape reads the escape sequence at end.
func (l *pathLexer) escape(b []byte) ([]byte, error) {
	if l.end+1 >= len(l.in) {
		return b, pgerr.New(pgerr.SyntaxError, "unexpected end after backslash at end of jsonpath input")
	}
	c := l.in[l.end+1]
	l.end += 2
	switch c {
	case 'b':
		return append(b, '\b'), nil
	case 'f':
		return append(b, '\f'), nil
	case 'n':
		return append(b, '\n'), nil
	case 'r':
		return append(b, '\r'), nil
	case 't':
		return append(b, '\t'), nil
	case 'v':
		return append(b, '\v'), nil
	case 'x':
		r, ok := l.hex(2)
		if !ok {
			return b, pgerr.New(pgerr.SyntaxError, "invalid hexadecimal character sequence at or near \"%s\" of jsonpath input", l.in[l.start:l.end])
		}
		return utf8.AppendRune(b, r), nil
	case 'u':
		r, ok := l.unicode()
		if ok && r >= 0xd800 && r < 0xdc00 && strings.HasPrefix(l.in[l.end:], `\u`) {
			l.end += 2
			low, lowOK := l.unicode()
			ok = lowOK && low >= 0xdc00 && low < 0xe000
			r = (r-0xd800)<<10 + (low - 0xdc00) + 0x10000
		}
		switch {
		case !ok || !utf8.ValidRune(r):
			return b, pgerr.New(pgerr.SyntaxError, "invalid Unicode escape sequence at or near \"%s\" of jsonpath input", l.in[l.start:l.end])
		case r == 0:
			return b, pgerr.New(pgerr.UntranslatableCharacter, "unsupported Unicode escape sequence").WithDetail("\\u0000 cannot be converted to text.")
		}
		return utf8.AppendRune(b, r), nil
	}
	return append(b, c), nil
}

func (l *pathLexer) hex(n int) (r rune, ok bool) {
	for range n {
		if l.end >= len(l.in) {
			return 0, false
		}
		d, good := hexDigit(l.in[l.end])
		if !good {
			return 0, false
		}
		r, l.end = r<<4|rune(d), l.end+1
	}
	return r, true
}

func (l *pathLexer) unicode() (rune, bool) {
	if l.end >= len(l.in) || l.in[l.end] != '{' {
		return l.hex(4)
	}
	end := strings.IndexByte(l.in[l.end:], '}')
	if end < 2 || end > 7 {
		return 0, false
	}
	l.end++
	r, ok := l.hex(end - 1)
	l.end++
	return r, ok
}

func (l *pathLexer) number() error {
	i := l.start
	digits := func() int {
		n := i
		for i < len(l.in) && isDigit(l.in[i]) {
			i++
		}
		return i - n
	}
	l.tok = pathInt
	whole := digits()
	bad := whole > 1 && l.in[l.start] == '0'
	if i < len(l.in) && l.in[i] == '.' {
		l.tok = pathNum
		i++
		digits()
	}
	if i < len(l.in) && l.in[i]|0x20 == 'e' {
		l.tok = pathNum
		at := i
		if i++; i < len(l.in) && (l.in[i] == '+' || l.in[i] == '-') {
			i++
		}
		if digits() == 0 {
			bad, i = true, at
		}
	}
	if bad || i < len(l.in) && isPathIdent(l.in[i]) {
		if i < len(l.in) && !bad || i < len(l.in) && isPathIdent(l.in[i]) {
			i++
		}
		return pgerr.New(pgerr.SyntaxError, "trailing junk after numeric literal at or near \"%s\" of jsonpath input", l.in[l.start:i])
	}
	l.end = i
	l.str = l.in[l.start:i]
	return nil
}
