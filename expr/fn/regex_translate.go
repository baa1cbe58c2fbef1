package fn

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// translation is a PostgreSQL advanced regular expression in the syntaxes of the two engines.
type translation struct {
	fast, slow string
	flags      string
	needSlow   bool
	lazy       bool
	anchored   bool
	groups     int
}

// The character classes of PostgreSQL in this server's character set.
const (
	wordSet  = `\p{L}\p{Nd}_`
	spaceSet = ` \t\n\v\f\r\x{85}\x{2028}\x{2029}\x{2000}-\x{2006}\x{2008}-\x{200a}\x{205f}\x{3000}\x{1680}`
	spaceTwo = ` \t\n\v\f\r\u0085\u2028\u2029\u2000-\u2006\u2008-\u200a\u205f\u3000\u1680`
)

// translator reads an ARE; fast and slow are written side by side.
type translator struct {
	in   string
	i    int
	o    regexOptions
	out  translation
	f, s strings.Builder
	open []byte // kinds of the open groups
	// quantifiable says that a quantifier may follow.
	quantifiable bool
}

func translate(pattern string, o regexOptions) (*translation, error) {
	t := &translator{in: pattern, o: o}
	t.prefix()
	if t.o.basic {
		return nil, pgerr.Unsupported("basic regular expressions")
	}
	t.out.flags = "(?"
	if t.o.fold {
		t.out.flags += "i"
	}
	if t.o.dotNewline {
		t.out.flags += "s"
	}
	if t.o.multiline {
		t.out.flags += "m"
	}
	t.out.flags = strings.TrimSuffix(t.out.flags+")", "(?)")
	if t.o.literal {
		q := regexp.QuoteMeta(t.in[t.i:])
		t.out.fast, t.out.slow = q, q
		return &t.out, nil
	}
	for t.i < len(t.in) {
		if err := t.atom(); err != nil {
			return nil, err
		}
	}
	if len(t.open) > 0 {
		return nil, badRegex("invalid regular expression: parentheses () not balanced")
	}
	t.out.fast, t.out.slow = t.f.String(), t.s.String()
	return &t.out, nil
}

// prefix reads ***= or ***: and the options in a leading (?xyz).
func (t *translator) prefix() {
	rest := t.in
	switch {
	case strings.HasPrefix(rest, "***="):
		t.o.literal, t.i = true, 4
		return
	case strings.HasPrefix(rest, "***:"):
		t.i = 4
	}
	rest = t.in[t.i:]
	if !strings.HasPrefix(rest, "(?") {
		return
	}
	end := strings.IndexByte(rest, ')')
	if end < 0 {
		return
	}
	o := t.o
	for _, c := range rest[2:end] {
		if !o.set(c) {
			return
		}
	}
	if end > 2 {
		t.o = o
		t.i += end + 1
	}
}

func (t *translator) write(fast, slow string) {
	t.f.WriteString(fast)
	t.s.WriteString(slow)
}

func (t *translator) both(s string) { t.write(s, s) }

func (t *translator) literal(r rune) {
	q := regexp.QuoteMeta(string(r))
	if r == ' ' || r == '#' {
		q = string(r)
	}
	t.both(q)
	t.quantifiable = true
}

// slowOnly writes what only the backtracking engine has.
func (t *translator) slowOnly(s string) {
	t.out.needSlow = true
	t.write("", s)
}

func (t *translator) peek(s string) bool { return strings.HasPrefix(t.in[t.i:], s) }

func (t *translator) atom() error {
	c := t.in[t.i]
	switch c {
	case '\\':
		return t.escape()
	case '[':
		return t.bracket()
	case '(':
		return t.group()
	case ')':
		if len(t.open) == 0 {
			return badRegex("invalid regular expression: parentheses () not balanced")
		}
		t.quantifiable = t.open[len(t.open)-1] != 'l'
		t.open = t.open[:len(t.open)-1]
		t.both(")")
	case '|':
		t.both("|")
		t.quantifiable = false
	case '*', '+', '?':
		t.i++
		return t.quantifier(string(c))
	case '{':
		if t.i+1 < len(t.in) && t.in[t.i+1] >= '0' && t.in[t.i+1] <= '9' {
			return t.bound()
		}
		t.literal('{')
	case '^', '$':
		t.anchor(c)
	case '.':
		t.both(".")
		t.quantifiable = true
	default:
		return t.plain()
	}
	t.i++
	return nil
}

// anchor writes ^ or $; $ of the fast engine is the very end, of the slow one it must be spelled so.
func (t *translator) anchor(c byte) {
	t.out.anchored = true
	t.quantifiable = false
	switch {
	case c == '^':
		t.both("^")
	case t.o.multiline:
		t.both("$")
	default:
		t.write("$", `\z`)
	}
}

func (t *translator) plain() error {
	r, n := utf8.DecodeRuneInString(t.in[t.i:])
	t.i += n
	if t.o.extended {
		if r == ' ' || r == '\t' || r == '\n' {
			return nil
		}
		if r == '#' {
			for t.i < len(t.in) && t.in[t.i] != '\n' {
				t.i++
			}
			return nil
		}
	}
	t.literal(r)
	return nil
}

func (t *translator) group() error {
	kinds := []struct {
		open string
		kind byte
	}{{"(?:", ':'}, {"(?=", 'l'}, {"(?!", 'l'}, {"(?<=", 'l'}, {"(?<!", 'l'}}
	for _, k := range kinds {
		if !t.peek(k.open) {
			continue
		}
		t.i += len(k.open)
		t.open = append(t.open, k.kind)
		t.quantifiable = false
		if k.kind == 'l' {
			t.slowOnly(k.open)
		} else {
			t.both(k.open)
		}
		return nil
	}
	if t.peek("(?#") {
		end := strings.IndexByte(t.in[t.i:], ')')
		if end < 0 {
			return badRegex("invalid regular expression: parentheses () not balanced")
		}
		t.i += end + 1
		return nil
	}
	if t.peek("(?") {
		return badRegex("invalid regular expression: quantifier operand invalid")
	}
	t.i++
	t.out.groups++
	t.open = append(t.open, '(')
	t.both("(")
	t.quantifiable = false
	return nil
}

// quantifier writes *, +, ? or {m,n}, with ? after it for the non-greedy form.
func (t *translator) quantifier(q string) error {
	if !t.quantifiable {
		return badRegex("invalid regular expression: quantifier operand invalid")
	}
	if t.i < len(t.in) && t.in[t.i] == '?' {
		q += "?"
		t.out.lazy = true
		t.i++
	}
	t.both(q)
	t.quantifiable = false
	return nil
}

func (t *translator) bound() error {
	end := strings.IndexByte(t.in[t.i:], '}')
	if end < 0 {
		return badRegex("invalid regular expression: braces {} not balanced")
	}
	body := t.in[t.i+1 : t.i+end]
	t.i += end + 1
	lo, hi, two := strings.Cut(body, ",")
	m, err1 := strconv.Atoi(lo)
	n, err2 := m, error(nil)
	if two && hi != "" {
		n, err2 = strconv.Atoi(hi)
	}
	if err1 != nil || err2 != nil || m > 255 || n > 255 || n < m {
		return badRegex("invalid regular expression: invalid repetition count(s)")
	}
	return t.quantifier("{" + body + "}")
}

// class writes a shorthand class inside or outside of brackets.
func class(c byte, inside bool) (fast, slow string, ok bool) {
	switch c {
	case 'd':
		fast, slow = "0-9", "0-9"
	case 'w':
		fast, slow = wordSet, wordSet
	case 's':
		fast, slow = spaceSet, spaceTwo
	case 'D', 'W', 'S':
		if inside {
			return "", "", false
		}
		f, s, _ := class(c+'a'-'A', true)
		return "[^" + f + "]", "[^" + s + "]", true
	default:
		return "", "", false
	}
	if !inside {
		return "[" + fast + "]", "[" + slow + "]", true
	}
	return fast, slow, true
}

func badEscape() error {
	return badRegex("invalid regular expression: invalid escape \\ sequence")
}

func (t *translator) escape() error {
	if t.i+1 >= len(t.in) {
		return badEscape()
	}
	c := t.in[t.i+1]
	if f, s, ok := class(c, false); ok {
		t.i += 2
		t.write(f, s)
		t.quantifiable = true
		return nil
	}
	word := "[" + wordSet + "]"
	switch c {
	case 'A':
		t.out.anchored = true
		t.both(`\A`)
	case 'Z':
		t.out.anchored = true
		t.both(`\z`)
	case 'm':
		t.slowOnly("(?<!" + word + ")(?=" + word + ")")
	case 'M':
		t.slowOnly("(?<=" + word + ")(?!" + word + ")")
	case 'y':
		t.slowOnly("(?:(?<!" + word + ")(?=" + word + ")|(?<=" + word + ")(?!" + word + "))")
	case 'Y':
		t.slowOnly("(?:(?<=" + word + ")(?=" + word + ")|(?<!" + word + ")(?!" + word + "))")
	default:
		if c >= '1' && c <= '9' {
			return t.backReference()
		}
		r, err := t.character()
		if err != nil {
			return err
		}
		t.literal(r)
		return nil
	}
	t.i += 2
	t.quantifiable = false
	return nil
}

// backReference reads \N; a multi-digit number that is no group yet is an octal escape.
func (t *translator) backReference() error {
	end := t.i + 1
	for end < len(t.in) && t.in[end] >= '0' && t.in[end] <= '9' {
		end++
	}
	digits := t.in[t.i+1 : end]
	n, err := strconv.Atoi(digits)
	if len(digits) > 1 && (err != nil || n > t.out.groups) {
		r, err := t.octal()
		if err != nil {
			return err
		}
		t.literal(r)
		return nil
	}
	if n > t.out.groups {
		return badRegex("invalid regular expression: invalid backreference number")
	}
	t.i = end
	t.slowOnly(fmt.Sprintf(`(?:\%d)`, n))
	t.quantifiable = true
	return nil
}

func (t *translator) octal() (rune, error) {
	end := t.i + 1
	for end < len(t.in) && end < t.i+4 && t.in[end] >= '0' && t.in[end] <= '7' {
		end++
	}
	n, err := strconv.ParseUint(t.in[t.i+1:end], 8, 32)
	if err != nil {
		return 0, badEscape()
	}
	t.i = end
	return rune(n), nil
}

// character reads a character-entry escape.
func (t *translator) character() (rune, error) {
	if t.i+1 >= len(t.in) {
		return 0, badEscape()
	}
	c := t.in[t.i+1]
	const letters, values = "abefnrtvB", "\a\b\x1b\f\n\r\t\v\\"
	if k := strings.IndexByte(letters, c); k >= 0 {
		t.i += 2
		return rune(values[k]), nil
	}
	switch c {
	case 'u':
		return t.hexDigits(4, 4)
	case 'U':
		return t.hexDigits(8, 8)
	case 'x':
		return t.hexDigits(1, 8)
	case '0':
		return t.octal()
	case 'c':
		if t.i+2 >= len(t.in) {
			return 0, badEscape()
		}
		r := rune(t.in[t.i+2] & 0x1f)
		t.i += 3
		return r, nil
	}
	r, n := utf8.DecodeRuneInString(t.in[t.i+1:])
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
		return 0, badEscape()
	}
	t.i += 1 + n
	return r, nil
}

func (t *translator) hexDigits(least, most int) (rune, error) {
	start := t.i + 2
	end := start
	for end < len(t.in) && end < start+most && strings.IndexByte("0123456789abcdefABCDEF", t.in[end]) >= 0 {
		end++
	}
	n, err := strconv.ParseUint(t.in[start:end], 16, 32)
	if end-start < least || err != nil || n > utf8.MaxRune {
		return 0, badEscape()
	}
	t.i = end
	return rune(n), nil
}

// bracket translates [...].
func (t *translator) bracket() error {
	if t.peek("[[:<:]]") || t.peek("[[:>:]]") {
		word := "[" + wordSet + "]"
		if t.in[t.i+3] == '<' {
			t.slowOnly("(?<!" + word + ")(?=" + word + ")")
		} else {
			t.slowOnly("(?<=" + word + ")(?!" + word + ")")
		}
		t.i += 7
		t.quantifiable = false
		return nil
	}
	unbalanced := func() error { return badRegex("invalid regular expression: brackets [] not balanced") }
	t.i++
	t.both("[")
	if t.i < len(t.in) && t.in[t.i] == '^' {
		t.i++
		t.both("^")
		if !t.o.dotNewline {
			t.both(`\n`)
		}
	}
	for first := true; ; first = false {
		if t.i >= len(t.in) {
			return unbalanced()
		}
		if t.in[t.i] == ']' && !first {
			t.i++
			break
		}
		if err := t.bracketItem(); err != nil {
			return err
		}
	}
	t.both("]")
	t.quantifiable = true
	return nil
}

// bracketItem reads a class, a character or a range.
func (t *translator) bracketItem() error {
	if t.peek("[:") {
		end := strings.Index(t.in[t.i:], ":]")
		if end < 0 {
			return badRegex("invalid regular expression: brackets [] not balanced")
		}
		name := t.in[t.i+2 : t.i+end]
		f, s, ok := namedClass(name)
		if !ok {
			return badRegex("invalid regular expression: invalid character class")
		}
		t.i += end + 2
		t.write(f, s)
		return nil
	}
	if t.peek(`\`) && t.i+1 < len(t.in) {
		if f, s, ok := class(t.in[t.i+1], true); ok {
			t.i += 2
			t.write(f, s)
			return nil
		}
	}
	lo, err := t.bracketChar()
	if err != nil {
		return err
	}
	if !t.peek("-") || t.i+1 < len(t.in) && t.in[t.i+1] == ']' {
		t.both(setChar(lo))
		return nil
	}
	t.i++
	if t.i >= len(t.in) {
		return badRegex("invalid regular expression: brackets [] not balanced")
	}
	hi, err := t.bracketChar()
	if err != nil {
		return err
	}
	if hi < lo {
		return badRegex("invalid regular expression: invalid character range")
	}
	t.both(setChar(lo) + "-" + setChar(hi))
	return nil
}

func (t *translator) bracketChar() (rune, error) {
	for _, mark := range []string{".", "="} {
		if t.peek("[" + mark) {
			end := strings.Index(t.in[t.i:], mark+"]")
			if end < 0 {
				return 0, badRegex("invalid regular expression: brackets [] not balanced")
			}
			body := t.in[t.i+2 : t.i+end]
			if utf8.RuneCountInString(body) != 1 {
				return 0, badRegex("invalid regular expression: invalid collating element")
			}
			t.i += end + 2
			r, _ := utf8.DecodeRuneInString(body)
			return r, nil
		}
	}
	if t.in[t.i] == '\\' {
		return t.character()
	}
	r, n := utf8.DecodeRuneInString(t.in[t.i:])
	t.i += n
	return r, nil
}

// setChar writes a character inside brackets.
func setChar(r rune) string {
	if strings.ContainsRune(`\]^-[&~`, r) {
		return `\` + string(r)
	}
	switch r {
	case '\n':
		return `\n`
	case '\t':
		return `\t`
	}
	return string(r)
}

func namedClass(name string) (fast, slow string, ok bool) {
	switch name {
	case "alpha":
		return `\p{L}`, `\p{L}`, true
	case "digit":
		return "0-9", "0-9", true
	case "alnum":
		return `\p{L}\p{Nd}`, `\p{L}\p{Nd}`, true
	case "word":
		return wordSet, wordSet, true
	case "upper":
		return `\p{Lu}`, `\p{Lu}`, true
	case "lower":
		return `\p{Ll}`, `\p{Ll}`, true
	case "space":
		return spaceSet, spaceTwo, true
	case "blank":
		return ` \t`, ` \t`, true
	case "punct":
		return `\p{P}\p{S}`, `\p{P}\p{S}`, true
	case "cntrl":
		return `\p{Cc}`, `\p{Cc}`, true
	case "xdigit":
		return "0-9A-Fa-f", "0-9A-Fa-f", true
	case "graph":
		return `\p{L}\p{M}\p{N}\p{P}\p{S}`, `\p{L}\p{M}\p{N}\p{P}\p{S}`, true
	case "print":
		return `\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}`, `\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}`, true
	case "ascii":
		return `\x00-\x7f`, `\x00-\x7f`, true
	}
	return "", "", false
}
