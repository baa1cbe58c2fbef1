package fn

import (
	"regexp"
	"unicode/utf8"

	"github.com/dlclark/regexp2"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// regex is a compiled PostgreSQL regular expression. The linear-time engine runs what it can; the backtracking one runs
// back references, look-around and word boundaries, and searches from the middle of a text where anchors must still see
// what is before.
type regex struct {
	fast     *regexp.Regexp
	slow     *regexp2.Regexp
	slowText string
	anchored bool
	groups   int
}

// compileRegex translates and compiles a pattern.
func compileRegex(pattern string, o regexOptions) (*regex, error) {
	t, err := translate(pattern, o)
	if err != nil {
		return nil, err
	}
	re := &regex{slowText: t.flags + t.slow, anchored: t.anchored, groups: t.groups}
	if !t.needSlow {
		fast, err := regexp.Compile(t.flags + t.fast)
		if err != nil {
			return nil, badRegex("invalid regular expression: %v", err)
		}
		if !t.lazy {
			fast.Longest()
		}
		re.fast = fast
		return re, nil
	}
	return re, re.compileSlow()
}

func badRegex(format string, args ...any) error {
	return pgerr.New(pgerr.InvalidRegularExpression, format, args...)
}

func (re *regex) compileSlow() error {
	if re.slow != nil {
		return nil
	}
	slow, err := regexp2.Compile(re.slowText, regexp2.None)
	if err != nil {
		return badRegex("invalid regular expression: %v", err)
	}
	re.slow = slow
	return nil
}

// matches reports whether the text matches anywhere.
func (re *regex) matches(s string) (bool, error) {
	if re.fast != nil {
		return re.fast.MatchString(s), nil
	}
	ok, err := re.slow.MatchString(s)
	if err != nil {
		return false, badRegex("regular expression failed: %v", err)
	}
	return ok, nil
}

// find returns the byte positions of the first match that starts at or after a byte offset, and of its groups, as pairs
// (-1 for a group that took no part); nil if there is none.
func (re *regex) find(s string, from int) ([]int, error) {
	if re.fast != nil && (from == 0 || !re.anchored) {
		m := re.fast.FindStringSubmatchIndex(s[from:])
		for i := range m {
			if m[i] >= 0 {
				m[i] += from
			}
		}
		return m, nil
	}
	if err := re.compileSlow(); err != nil {
		return nil, err
	}
	m, err := re.slow.FindStringMatchStartingAt(s, utf8.RuneCountInString(s[:from]))
	if err != nil {
		return nil, badRegex("regular expression failed: %v", err)
	}
	if m == nil {
		return nil, nil
	}
	offsets := make([]int, 0, len(s)+1)
	for i := range s {
		offsets = append(offsets, i)
	}
	offsets = append(offsets, len(s))
	out := make([]int, 0, 2*(re.groups+1))
	for _, g := range m.Groups() {
		if len(g.Captures) == 0 {
			out = append(out, -1, -1)
			continue
		}
		out = append(out, offsets[g.Index], offsets[g.Index+g.Length])
	}
	return out, nil
}

// all calls f for each match from a byte offset on. After an empty match the search goes on one character further, so
// that an empty match may follow a longer one: a* replaced by - in baaac gives -b--c-.
func (re *regex) all(s string, from int, f func(m []int) (more bool)) error {
	for from <= len(s) {
		m, err := re.find(s, from)
		if err != nil || m == nil {
			return err
		}
		if !f(m) {
			return nil
		}
		from = m[1]
		if m[0] == m[1] {
			if from >= len(s) {
				return nil
			}
			from += step(s[from:], false)
		}
	}
	return nil
}

// regexOptions are the letters of a flags argument or of a leading (?...).
type regexOptions struct {
	fold       bool // i
	literal    bool // q
	extended   bool // x
	dotNewline bool // . and [^a] match newlines (not with n, p)
	multiline  bool // ^ and $ match at newlines (n, w)
	global     bool // g
	basic      bool // b
}

func defaultOptions() regexOptions { return regexOptions{dotNewline: true} }

// parseOptions reads a flags argument.
func parseOptions(flags string) (regexOptions, error) {
	o := defaultOptions()
	for _, c := range flags {
		if c == 'g' {
			o.global = true
			continue
		}
		if !o.set(c) {
			return o, pgerr.New(pgerr.InvalidParameterValue, "invalid regular expression option: \"%c\"", c)
		}
	}
	return o, nil
}

func (o *regexOptions) set(c rune) bool {
	switch c {
	case 'b':
		o.basic = true
	case 'c':
		o.fold = false
	case 'e', 't':
	case 'i':
		o.fold = true
	case 'm', 'n':
		o.dotNewline, o.multiline = false, true
	case 'p':
		o.dotNewline, o.multiline = false, false
	case 'q':
		o.literal = true
	case 's':
		o.dotNewline, o.multiline = true, false
	case 'w':
		o.dotNewline, o.multiline = true, true
	case 'x':
		o.extended = true
	default:
		return false
	}
	return true
}

// patterns keeps the last compiled pattern of one call, since it is nearly always the same.
type patterns struct {
	pattern string
	options regexOptions
	re      *regex
}

func (p *patterns) get(pattern string, o regexOptions) (*regex, error) {
	if p.re != nil && p.pattern == pattern && p.options == o {
		return p.re, nil
	}
	re, err := compileRegex(pattern, o)
	if err != nil {
		return nil, err
	}
	p.pattern, p.options, p.re = pattern, o, re
	return re, nil
}
