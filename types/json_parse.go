package types

import (
	"strconv"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// maxJSONDepth bounds nesting, where PostgreSQL runs into max_stack_depth.
const maxJSONDepth = 6000

// RawJSON is a node of a json text: unlike jsonb it keeps the order of members, duplicates and the text itself.
type RawJSON struct {
	Kind  JSONKind
	Raw   string // the text of the value, without surrounding white space
	Str   string // of a string: unescaped
	Keys  []string
	Elems []*RawJSON // of an array: its elements; of an object: the values of Keys
}

// CheckJSON returns the error of json input for text that is not JSON.
func CheckJSON(s string) error {
	p := jsonParser{jsonLexer: jsonLexer{in: s}}
	_, _, err := p.document()
	return err
}

// ParseJSON reads a jsonb value.
func ParseJSON(s string) (*JSON, error) {
	p := jsonParser{jsonLexer: jsonLexer{in: s, escapes: true}, build: true}
	j, _, err := p.document()
	return j, err
}

// ParseRawJSON reads a json text with its spelling. Errors are those of functions that look into json.
func ParseRawJSON(s string) (*RawJSON, error) {
	p := jsonParser{jsonLexer: jsonLexer{in: s, escapes: true}, raw: true}
	_, r, err := p.document()
	return r, err
}

type jsonToken byte

const (
	jsonEnd     jsonToken = 0
	jsonString  jsonToken = '"'
	jsonNumber  jsonToken = '0'
	jsonLiteral jsonToken = 'a' // true, false, null
)

// jsonLexer splits JSON text. After next, in[start:end] is the token and tok its kind (punctuation is its own kind).
type jsonLexer struct {
	in         string
	escapes    bool // unescape strings into str
	start, end int
	line       int // newlines passed
	lineStart  int
	tok        jsonToken
	str        string
}

func isJSONWord(c byte) bool { return isAlpha(c) || isDigit(c) || c == '_' || c >= 0x80 }

func (l *jsonLexer) next() error {
	i := l.end
	for ; i < len(l.in); i++ {
		c := l.in[i]
		if c == '\n' {
			l.line++
			l.lineStart = i + 1
		} else if c != ' ' && c != '\t' && c != '\r' {
			break
		}
	}
	l.start, l.end = i, i
	if i >= len(l.in) {
		l.tok = jsonEnd
		return nil
	}
	switch c := l.in[i]; {
	case c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':':
		l.tok, l.end = jsonToken(c), i+1
		return nil
	case c == '"':
		l.tok = jsonString
		return l.lexString()
	case c == '-' || isDigit(c):
		l.tok = jsonNumber
		return l.lexNumber()
	}
	for i < len(l.in) && isJSONWord(l.in[i]) {
		i++
	}
	if i == l.start {
		l.end = i + 1
		return l.invalidToken()
	}
	l.end = i
	switch l.in[l.start:l.end] {
	case "true", "false", "null":
		l.tok = jsonLiteral
		return nil
	}
	return l.invalidToken()
}

func (l *jsonLexer) lexNumber() error {
	i, bad := l.start, false
	digits := func() {
		n := i
		for i < len(l.in) && isDigit(l.in[i]) {
			i++
		}
		bad = bad || n == i
	}
	if l.in[i] == '-' {
		i++
	}
	if i < len(l.in) && l.in[i] == '0' {
		i++
	} else {
		digits()
	}
	if !bad && i < len(l.in) && l.in[i] == '.' {
		i++
		digits()
	}
	if !bad && i < len(l.in) && l.in[i]|0x20 == 'e' {
		i++
		if i < len(l.in) && (l.in[i] == '+' || l.in[i] == '-') {
			i++
		}
		digits()
	}
	for ; i < len(l.in) && isJSONWord(l.in[i]); i++ {
		bad = true
	}
	l.end = i
	if bad {
		return l.invalidToken()
	}
	return nil
}

func (l *jsonLexer) lexString() error {
	i := l.start + 1
	plain := true
	for ; i < len(l.in); i++ {
		c := l.in[i]
		if c == '"' {
			l.end = i + 1
			if l.escapes && plain {
				l.str = l.in[l.start+1 : i]
			} else if l.escapes {
				return l.unescape()
			}
			return nil
		}
		if c < 0x20 {
			// An error inside an escape before this point comes first.
			return l.stringError(i, i, "Character with value 0x%02x must be escaped.", c)
		}
		if c != '\\' {
			continue
		}
		plain = false
		i++
		if i >= len(l.in) {
			break
		}
		switch l.in[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			for k := 1; k <= 4; k++ {
				if i+k >= len(l.in) {
					l.end = len(l.in)
					return l.invalidToken()
				}
				if _, ok := hexDigit(l.in[i+k]); !ok {
					return l.stringError(i, i+k+l.runeLen(i+k), "\"\\u\" must be followed by four hexadecimal digits.")
				}
			}
			i += 4
		default:
			n := l.runeLen(i)
			return l.stringError(i, i+n, "Escape sequence \"\\%s\" is invalid.", l.in[i:i+n])
		}
	}
	l.end = len(l.in)
	return l.invalidToken()
}

func (l *jsonLexer) runeLen(i int) int {
	_, n := utf8.DecodeRuneInString(l.in[i:])
	return n
}

// stringError reports an error within a string, unless the part before it already has a bad surrogate pair.
func (l *jsonLexer) stringError(upTo, end int, detail string, args ...any) error {
	if l.escapes {
		if _, err := l.unescapeUpTo(upTo, false); err != nil {
			return err
		}
	}
	l.end = end
	return l.error(detail, args...)
}

func (l *jsonLexer) unescape() error {
	s, err := l.unescapeUpTo(l.end-1, true)
	l.str = s
	return err
}

// unescapeUpTo decodes the string from its opening quote to the byte at end; complete says that the string closes there.
func (l *jsonLexer) unescapeUpTo(end int, complete bool) (string, error) {
	const lowFirst = "Unicode low surrogate must follow a high surrogate."
	buf := make([]byte, 0, end-l.start)
	var high rune
	full := l.end
	fail := func(at int, detail string) (string, error) {
		l.end = at
		err := l.error("%s", detail)
		l.end = full
		return "", err
	}
	for i := l.start + 1; i < end; i++ {
		c := l.in[i]
		if c != '\\' {
			if high != 0 {
				return fail(i+l.runeLen(i), lowFirst)
			}
			buf = append(buf, c)
			continue
		}
		i++
		if i >= end {
			break
		}
		if c = l.in[i]; c != 'u' {
			if high != 0 {
				return fail(i+1, lowFirst)
			}
			buf = append(buf, unescapeJSON(c))
			continue
		}
		if i+4 >= len(l.in) {
			break
		}
		n, _ := strconv.ParseUint(l.in[i+1:i+5], 16, 32)
		r := rune(n)
		i += 4
		switch {
		case r == 0:
			full := l.end
			l.end = i + 1
			err := pgerr.New(pgerr.UntranslatableCharacter, "unsupported Unicode escape sequence").
				WithDetail("\\u0000 cannot be converted to text.").WithWhere("%s", l.where())
			l.end = full
			return "", err
		case r >= 0xd800 && r < 0xdc00:
			if high != 0 {
				return fail(i+1, "Unicode high surrogate must not follow a high surrogate.")
			}
			high = r
		case r >= 0xdc00 && r < 0xe000:
			if high == 0 {
				return fail(i+1, lowFirst)
			}
			buf = utf8.AppendRune(buf, 0x10000+(high-0xd800)<<10+(r-0xdc00))
			high = 0
		case high != 0:
			return fail(i+1, lowFirst)
		default:
			buf = utf8.AppendRune(buf, r)
		}
	}
	if high != 0 && complete {
		return fail(end+1, lowFirst)
	}
	return string(buf), nil
}

func unescapeJSON(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

func (l *jsonLexer) error(detail string, args ...any) error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type json").
		WithDetail(detail, args...).WithWhere("%s", l.where())
}

func (l *jsonLexer) invalidToken() error {
	return l.error("Token \"%s\" is invalid.", l.in[l.start:l.end])
}

// expected reports that the current token is not what the grammar wants.
func (l *jsonLexer) expected(what string) error {
	if l.tok == jsonEnd {
		return l.error("The input string ended unexpectedly.")
	}
	return l.error("Expected %s, but found \"%s\".", what, l.in[l.start:l.end])
}

// where returns the CONTEXT line: the current line up to the end of the token, at most about 50 bytes of it.
func (l *jsonLexer) where() string {
	from := l.lineStart
	for l.end-from >= 50 {
		from += l.runeLen(from)
	}
	prefix, suffix := "", ""
	if from-l.lineStart <= 3 {
		from = l.lineStart
	} else {
		prefix = "..."
	}
	if l.end < len(l.in) && l.in[l.end] != '\n' && l.in[l.end] != '\r' {
		suffix = "..."
	}
	return "JSON data, line " + strconv.Itoa(l.line+1) + ": " + prefix + l.in[from:l.end] + suffix
}

type jsonParser struct {
	jsonLexer
	build, raw bool
	depth      int
}

func (p *jsonParser) document() (*JSON, *RawJSON, error) {
	if err := p.next(); err != nil {
		return nil, nil, err
	}
	j, r, err := p.value()
	if err != nil {
		return nil, nil, err
	}
	if p.tok != jsonEnd {
		return nil, nil, p.expected("end of input")
	}
	return j, r, nil
}

// value parses the value at the current token and moves past it.
func (p *jsonParser) value() (j *JSON, r *RawJSON, err error) {
	start := p.start
	if p.build {
		j = &JSON{}
	}
	if p.raw {
		r = &RawJSON{}
	}
	end := 0
	switch p.tok {
	case '{', '[':
		p.depth++
		if p.depth > maxJSONDepth {
			return nil, nil, pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded")
		}
		if p.tok == '{' {
			err = p.object(j, r)
		} else {
			err = p.array(j, r)
		}
		p.depth--
		end = p.end
	case jsonString, jsonNumber, jsonLiteral:
		end = p.end
		err = p.scalar(j, r)
	default:
		err = p.expected("JSON value")
	}
	if err != nil {
		return nil, nil, err
	}
	if r != nil {
		r.Raw = p.in[start:end]
	}
	return j, r, p.next()
}

func (p *jsonParser) scalar(j *JSON, r *RawJSON) error {
	kind := JSONString
	text := p.in[p.start:p.end]
	switch {
	case p.tok == jsonNumber:
		kind = JSONNumber
	case text == "null":
		kind = JSONNull
	case p.tok == jsonLiteral:
		kind = JSONBool
	}
	if r != nil {
		r.Kind = kind
		if kind == JSONString {
			r.Str = p.str
		}
	}
	if j == nil {
		return nil
	}
	j.Kind = kind
	switch kind {
	case JSONString:
		j.Str = p.str
	case JSONBool:
		j.Bool = text == "true"
	case JSONNumber:
		n, err := ParseNumeric(text)
		if err != nil {
			return err
		}
		j.Num = n
	}
	return nil
}

// array parses from "[" up to, but not past, the closing "]".
func (p *jsonParser) array(j *JSON, r *RawJSON) error {
	if j != nil {
		j.Kind = JSONArray
	}
	if r != nil {
		r.Kind = JSONArray
	}
	if err := p.next(); err != nil || p.tok == ']' {
		return err
	}
	for {
		ej, er, err := p.value()
		if err != nil {
			return err
		}
		if j != nil {
			j.Elems = append(j.Elems, ej)
		}
		if r != nil {
			r.Elems = append(r.Elems, er)
		}
		if p.tok == ']' {
			return nil
		}
		if p.tok != ',' {
			return p.expected("\",\" or \"]\"")
		}
		if err := p.next(); err != nil {
			return err
		}
	}
}

// object parses from "{" up to, but not past, the closing "}".
func (p *jsonParser) object(j *JSON, r *RawJSON) error {
	if r != nil {
		r.Kind = JSONObject
	}
	var fields []JSONField
	want := "string or \"}\""
	if err := p.next(); err != nil {
		return err
	}
	for p.tok != '}' || want == "string" {
		if p.tok != jsonString {
			return p.expected(want)
		}
		want = "string"
		key := p.str
		if err := p.next(); err != nil {
			return err
		}
		if p.tok != ':' {
			return p.expected("\":\"")
		}
		if err := p.next(); err != nil {
			return err
		}
		vj, vr, err := p.value()
		if err != nil {
			return err
		}
		if j != nil {
			fields = append(fields, JSONField{key, vj})
		}
		if r != nil {
			r.Keys, r.Elems = append(r.Keys, key), append(r.Elems, vr)
		}
		if p.tok == '}' {
			break
		}
		if p.tok != ',' {
			return p.expected("\",\" or \"}\"")
		}
		if err := p.next(); err != nil {
			return err
		}
	}
	if j != nil {
		*j = *NewJSONObject(fields)
	}
	return nil
}
