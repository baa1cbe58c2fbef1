package sql

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Lexing is how a session reads string constants. The zero value is PostgreSQL's default, which the parser knows.
type Lexing struct {
	// Escapes says that backslashes are escapes in '...' too: standard_conforming_strings = off.
	Escapes bool
	// NoQuote refuses \': backslash_quote = off.
	NoQuote bool
	// Warn is escape_string_warning.
	Warn bool
}

// Conform writes the constants of a text that mean something else by the session's rules as the parser reads them. What it
// returns has the length of the text, so that byte offsets are those of the text; the warnings have their places.
func (l Lexing) Conform(text string) (string, []*pgerr.Error, error) {
	if !l.Escapes && !l.NoQuote || strings.IndexByte(text, '\\') < 0 && !(l.Escapes && strings.IndexByte(text, '&') >= 0) {
		return text, nil, nil
	}
	c := &conformer{Lexing: l, in: text, out: []byte(text), warned: -1}
	err := c.run()
	return string(c.out), c.warnings, err
}

type conformer struct {
	Lexing
	in       string
	out      []byte
	i        int
	warnings []*pgerr.Error
	// warned is the offset of the last constant that has had its warning.
	warned int
}

func (c *conformer) run() error {
	for c.i < len(c.in) {
		rest := c.in[c.i:]
		switch b := c.in[c.i]; {
		case b == '\'':
			if err := c.constant(c.i, c.Escapes, c.Escapes); err != nil {
				return err
			}
		case b == '"':
			c.i = endAfter(c.in, c.i+1, `"`)
		case strings.HasPrefix(rest, "--"):
			c.i = endAfter(c.in, c.i, "\n")
		case strings.HasPrefix(rest, "/*"):
			c.comment()
		case b == '$':
			c.dollar()
		case isDigit(b):
			for c.i < len(c.in) && isIdent(c.in[c.i]) {
				c.i++
			}
		case isIdentStart(b):
			if err := c.word(); err != nil {
				return err
			}
		default:
			c.i++
		}
	}
	return nil
}

// endAfter is the offset behind the next end, or that of the text's end.
func endAfter(s string, from int, end string) int {
	if n := strings.Index(s[min(from, len(s)):], end); n >= 0 {
		return from + n + len(end)
	}
	return len(s)
}

func (c *conformer) comment() {
	depth := 0
	for c.i < len(c.in) {
		switch rest := c.in[c.i:]; {
		case strings.HasPrefix(rest, "/*"):
			depth++
			c.i += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			c.i += 2
			if depth == 0 {
				return
			}
		default:
			c.i++
		}
	}
}

// dollar passes $1, or $tag$...$tag$.
func (c *conformer) dollar() {
	end := c.i + 1
	for end < len(c.in) && isIdent(c.in[end]) && c.in[end] != '$' {
		end++
	}
	if end >= len(c.in) || c.in[end] != '$' || end > c.i+1 && isDigit(c.in[c.i+1]) {
		c.i = end
		return
	}
	tag := c.in[c.i : end+1]
	c.i = endAfter(c.in, end+1, tag)
}

// word passes an identifier, or a constant whose prefix it is.
func (c *conformer) word() error {
	start := c.i
	for c.i < len(c.in) && isIdent(c.in[c.i]) {
		c.i++
	}
	prefix, next := strings.ToLower(c.in[start:c.i]), c.in[c.i:]
	switch {
	case strings.HasPrefix(next, "'") && prefix == "e":
		return c.constant(start, true, false)
	case strings.HasPrefix(next, "'") && (prefix == "b" || prefix == "x"):
		return c.constant(start, false, false)
	case strings.HasPrefix(next, "&'") && prefix == "u":
		if c.Escapes {
			return pgerr.New(pgerr.FeatureNotSupported, "unsafe use of string constant with Unicode escapes").
				WithDetail("String constants with Unicode escapes cannot be used when standard_conforming_strings is off.").At(int32(start))
		}
		c.i++
		return c.constant(start, false, false)
	}
	return nil
}

// constant passes the constant whose quote is next, with the parts that follow on other lines. Escapes that the parser does
// not read as such are rewritten.
func (c *conformer) constant(start int, escapes, rewrite bool) error {
	for {
		open := c.i
		end, value, err := c.part(start, open, escapes, rewrite)
		if err != nil {
			return err
		}
		if value != "" {
			text := "'" + strings.ReplaceAll(value, "'", "''") + "'"
			copy(c.out[open:end], text+strings.Repeat(" ", end-open-len(text)))
		}
		c.i = end
		// A constant goes on after white space with a line break.
		space := len(c.in[end:]) - len(strings.TrimLeft(c.in[end:], " \t\r\n\f"))
		if end+space >= len(c.in) || c.in[end+space] != '\'' || !strings.ContainsAny(c.in[end:end+space], "\r\n") {
			return nil
		}
		c.i = end + space
	}
}

// part reads one '...' from its quote on. It returns the offset behind it, and its value if it has to be rewritten: one with
// escapes, which has at least one character.
func (c *conformer) part(start, open int, escapes, rewrite bool) (int, string, error) {
	var value []byte
	changed := false
	i := open + 1
	for i < len(c.in) {
		b := c.in[i]
		switch {
		case b == '\'' && strings.HasPrefix(c.in[i:], "''"):
			value = append(value, '\'')
			i += 2
		case b == '\'':
			if !changed {
				return i + 1, "", nil
			}
			return i + 1, string(value), validConstant(value)
		case b == '\\' && escapes && i+1 < len(c.in):
			if c.in[i+1] == '\'' && c.NoQuote {
				return 0, "", pgerr.New(pgerr.NonstandardUseOfEscapeCharacter, "unsafe use of \\' in a string literal").
					WithHint("Use '' to write quotes in strings. \\' is insecure in client-only encodings.").At(int32(start))
			}
			if !rewrite {
				i += 2
				continue
			}
			n, out, err := escape(c.in[i:])
			if err != nil {
				return 0, "", err.At(int32(i))
			}
			if c.warned != start && c.Warn {
				c.warn(c.in[i+1], start)
				c.warned = start
			}
			value, changed = append(value, out...), true
			i += n
		default:
			value = append(value, b)
			i++
		}
	}
	return len(c.in), "", nil // unterminated, as the parser finds
}

func (c *conformer) warn(escaped byte, at int) {
	w := pgerr.New(pgerr.NonstandardUseOfEscapeCharacter, "nonstandard use of escape in a string literal").
		WithHint("Use the escape string syntax for escapes, e.g., E'\\r\\n'.")
	switch escaped {
	case '\'':
		w = pgerr.New(pgerr.NonstandardUseOfEscapeCharacter, "nonstandard use of \\' in a string literal").
			WithHint("Use '' to write quotes in strings, or use the escape string syntax (E'...').")
	case '\\':
		w = pgerr.New(pgerr.NonstandardUseOfEscapeCharacter, "nonstandard use of \\\\ in a string literal").
			WithHint("Use the escape string syntax for backslashes, e.g., E'\\\\'.")
	}
	w.Severity = "WARNING"
	c.warnings = append(c.warnings, w.At(int32(at)))
}

var simpleEscapes = map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// escape reads an escape and returns its length and what it means.
func escape(s string) (int, []byte, *pgerr.Error) {
	switch b := s[1]; {
	case b >= '0' && b <= '7':
		n := digits(s[1:], 3, 8)
		v, _ := strconv.ParseUint(s[1:1+n], 8, 16)
		return 1 + n, []byte{byte(v)}, nil
	case b == 'x' && digits(s[2:], 2, 16) > 0:
		n := digits(s[2:], 2, 16)
		v, _ := strconv.ParseUint(s[2:2+n], 16, 8)
		return 2 + n, []byte{byte(v)}, nil
	case b == 'u' || b == 'U':
		return unicodeEscape(s)
	default:
		if v, ok := simpleEscapes[b]; ok {
			return 2, []byte{v}, nil
		}
		return 2, []byte{b}, nil
	}
}

func digits(s string, most, base int) int {
	n := 0
	for n < most && n < len(s) {
		if _, err := strconv.ParseUint(s[n:n+1], base, 8); err != nil {
			break
		}
		n++
	}
	return n
}

func unicodeEscape(s string) (int, []byte, *pgerr.Error) {
	read := func(s string) (int, rune) {
		want := 4
		if s[1] == 'U' {
			want = 8
		}
		if digits(s[2:], want, 16) < want {
			return 0, 0
		}
		v, _ := strconv.ParseUint(s[2:2+want], 16, 32)
		return 2 + want, rune(v)
	}
	n, r := read(s)
	if n == 0 {
		return 0, nil, pgerr.New(pgerr.InvalidEscapeSequence, "invalid Unicode escape").WithHint("Unicode escapes must be \\uXXXX or \\UXXXXXXXX.")
	}
	if utf16.IsSurrogate(r) {
		m, low := 0, rune(0)
		if rest := s[n:]; strings.HasPrefix(rest, "\\u") || strings.HasPrefix(rest, "\\U") {
			m, low = read(rest)
		}
		pair := utf16.DecodeRune(r, low)
		if m == 0 || pair == utf8.RuneError {
			return 0, nil, pgerr.New(pgerr.SyntaxError, "invalid Unicode surrogate pair")
		}
		return n + m, utf8.AppendRune(nil, pair), nil
	}
	if r == 0 || r < 0 || r > utf8.MaxRune {
		return 0, nil, pgerr.New(pgerr.SyntaxError, "invalid Unicode escape value")
	}
	return n, utf8.AppendRune(nil, r), nil
}

func validConstant(value []byte) error {
	for i := 0; i < len(value); {
		r, n := utf8.DecodeRune(value[i:])
		if value[i] == 0 || r == utf8.RuneError && n <= 1 {
			return pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": 0x%02x", value[i])
		}
		i += n
	}
	return nil
}
