package fn

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// tsToken is a token of a text, which begins at a byte of it. A word of letters alone is stemmed, all else is kept as it is.
type tsToken struct {
	text string
	at   int
	word bool
	kind tsKind
}

// tsKind tells apart the tokens that headlines treat in ways of their own.
type tsKind uint8

const (
	tsPlain  tsKind = iota
	tsDigits        // a number of any form
	tsWhole         // words joined by hyphens, or a URL: its parts follow
	tsMarkup        // a tag, which no dictionary sees
)

// The shapes of tokens that are more than words; those that join words with other signs are ASCII.
var (
	tsEmail   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)
	tsDotted  = regexp.MustCompile(`^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)+`)
	tsSlashed = regexp.MustCompile(`^(/[A-Za-z0-9_]+|[A-Za-z0-9_]+/[A-Za-z0-9_]+)(/[A-Za-z0-9_]+)*`)
	tsHost    = regexp.MustCompile(`^[A-Za-z0-9_]*[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*\.[A-Za-z]{2,}$`)
	tsURLPath = regexp.MustCompile(`^/[A-Za-z0-9_./?=-]*[A-Za-z0-9_/=]`)
	tsScheme  = regexp.MustCompile(`^(https?|ftp)://`)
	tsNumber  = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`)
	tsVersion = regexp.MustCompile(`^[0-9]+(\.[0-9]+){2,}`)
	tsBroken  = regexp.MustCompile(`^[0-9]+[eE][0-9]+([\pL/-]|\.[A-Za-z0-9])`)
	tsTag     = regexp.MustCompile(`^</?[A-Za-z][A-Za-z0-9]*(\s+[A-Za-z-]+="[^"<>]*")*\s*/?>`)
	// tsLooseEntity may be an entity to PostgreSQL.
	tsLooseEntity = regexp.MustCompile(`^&[^\s;]+;`)
	tsEntity      = regexp.MustCompile(`^&([A-Za-z]+[0-9]*|#[0-9]+|#[xX][0-9a-fA-F]+);`)
)

// tsParser splits a text into tokens as PostgreSQL's default parser does. What it is not known to split alike it refuses.
type tsParser struct {
	in  string
	i   int
	out []tsToken
}

func parseText(s string) ([]tsToken, error) {
	p := &tsParser{in: s}
	for p.i < len(s) {
		if err := p.token(); err != nil {
			return nil, err
		}
	}
	return p.out, nil
}

func (p *tsParser) unclear(n int) error {
	return pgerr.Unsupported("text search over text such as \"" + strings.ToValidUTF8(p.in[p.i:min(len(p.in), p.i+n)], "") + "\"")
}

func (p *tsParser) rest() string { return p.in[p.i:] }

// keep adds a token of n bytes as it stands.
func (p *tsParser) keep(n int) {
	p.add(0, n, false, tsPlain)
	p.i += n
}

// add adds n bytes that begin at bytes further on.
func (p *tsParser) add(at, n int, word bool, kind tsKind) {
	p.out = append(p.out, tsToken{p.in[p.i+at : p.i+at+n], p.i + at, word, kind})
}

func isASCIIAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsMark(r) }

// wordAt measures the letters and digits at a position; plain is true for letters alone.
func wordAt(s string) (n int, plain bool) {
	plain = true
	for n < len(s) {
		r, size := utf8.DecodeRuneInString(s[n:])
		if r >= '0' && r <= '9' {
			plain = false
		} else if !isWordRune(r) {
			break
		}
		n += size
	}
	return n, plain
}

func (p *tsParser) token() error {
	s := p.rest()
	c := s[0]
	switch {
	case c == '.' && len(s) > 1 && s[1] == '_':
		return p.unclear(10)
	case c == '<':
		if m := tsTag.FindString(s); m != "" {
			p.add(0, len(m), false, tsMarkup)
			p.i += len(m)
			return nil
		}
		if len(s) > 1 && s[1] > ' ' && strings.ContainsAny(s, ">\"'") {
			return p.unclear(20)
		}
		p.i++
		return nil
	case c == '&':
		m := tsEntity.FindString(s)
		if m == "" && tsLooseEntity.MatchString(s) {
			return p.unclear(10)
		}
		p.i += max(1, len(m))
		return nil
	case c == '/' && len(s) > 1 && isASCIIAlnum(s[1]):
		return p.joined(tsSlashed.FindString(s))
	case strings.HasPrefix(s, "..") && (len(s) == 2 || s[2] <= ' ') && (p.i == 0 || p.in[p.i-1] != '.'):
		return p.unclear(2)
	case c == '~' && len(s) > 1 && s[1] > ' ', c == '/' && len(s) > 1 && s[1] > ' ', (c == '.' || c == '_') && len(s) > 1 && s[1] == '/':
		return p.unclear(10)
	case (c == '+' || c == '-') && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		return p.number()
	}
	n, plain := wordAt(s)
	if n == 0 {
		_, size := utf8.DecodeRuneInString(s)
		p.i += size
		return nil
	}
	if m := tsScheme.FindString(s); m != "" {
		p.i += len(m)
		if m := tsDotted.FindString(p.rest()); tsHost.MatchString(m) {
			return p.joined(m)
		}
		return p.unclear(20)
	}
	if strings.HasPrefix(s[n:], "://") {
		return p.unclear(n + 5)
	}
	if m := tsEmail.FindString(s); m != "" {
		if len(m) < len(s) && (isASCIIAlnum(s[len(m)]) || strings.IndexByte("-_/@:", s[len(m)]) >= 0) {
			return p.unclear(len(m) + 5)
		}
		p.keep(len(m))
		return nil
	}
	if m := tsSlashed.FindString(s); m != "" {
		return p.joined(m)
	}
	if m := tsDotted.FindString(s); m != "" && (m[0] < '0' || m[0] > '9' || tsHost.MatchString(m)) {
		return p.joined(m)
	}
	if tsBroken.MatchString(s) {
		return p.unclear(n)
	}
	if c >= '0' && c <= '9' && (n == len(s) || plainNumber(s[:n]) || tsNumber.FindString(s) != "" && len(tsNumber.FindString(s)) > n) {
		if n == len(s) && !plainNumber(s) && len(tsNumber.FindString(s)) != n {
			p.keep(n)
			return nil
		}
		return p.number()
	}
	if c >= '0' && c <= '9' && p.follows(n, ".") {
		return p.unclear(n + 5)
	}
	return p.words(n, plain)
}

func plainNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// follows reports whether the byte at n continues a token in a way that this parser does not know.
func (p *tsParser) follows(n int, signs string) bool {
	s := p.rest()
	return n >= 0 && n+1 < len(s) && strings.IndexByte(signs, s[n]) >= 0 && (isASCIIAlnum(s[n+1]) || s[n+1] >= utf8.RuneSelf)
}

// joined adds a host, a URL or a file name.
func (p *tsParser) joined(m string) error {
	n := len(m)
	if strings.HasPrefix(p.rest()[n:], "._") {
		return p.unclear(n + 5)
	}
	if n == 0 || p.i > 0 && strings.IndexByte("_-.~@", p.in[p.i-1]) >= 0 || n < len(p.rest()) && (p.rest()[n] >= utf8.RuneSelf) ||
		p.follows(n, "-@~") || strings.Contains(m, "_") && (!tsHost.MatchString(m) || strings.Contains(m, "_.")) || n < len(p.rest()) && strings.IndexByte("-_/~", p.rest()[n]) >= 0 && !tsHost.MatchString(m) {
		return p.unclear(n + 5)
	}
	slash := strings.IndexByte(m, '/')
	if slash < 0 && p.follows(n, "/") {
		if !tsHost.MatchString(m) {
			return p.unclear(n + 5)
		}
		path := tsURLPath.FindString(p.rest()[n:])
		end := n + len(path)
		if end < len(p.rest()) && strings.IndexByte(" \t\n\r,;)\"'", p.rest()[end]) < 0 {
			return p.unclear(end + 5)
		}
		p.add(0, end, false, tsWhole)
		p.add(0, n, false, tsPlain)
		p.add(n, len(path), false, tsPlain)
		p.i += end
		return nil
	}
	if p.follows(n, ".:") || slash >= 0 && p.follows(n, "/") {
		return p.unclear(n + 5)
	}
	p.keep(n)
	return nil
}

func (p *tsParser) number() error {
	s := p.rest()
	m := tsVersion.FindString(s)
	if m == "" {
		m = tsNumber.FindString(s)
	}
	n := len(m)
	if n < len(s) {
		r, _ := utf8.DecodeRuneInString(s[n:])
		switch {
		case isWordRune(r) && strings.ContainsAny(m, ".") && !strings.ContainsAny(m, "eE+-"):
			if k, _ := wordAt(s[n:]); p.follows(n+k, "./@_-") {
				return p.unclear(n + k)
			}
		case isWordRune(r), p.follows(n, "/_@"):
			return p.unclear(n + 5)
		case p.follows(n, ".") && (strings.Contains(m, ".") || s[n+1] >= '0' && s[n+1] <= '9' || n+2 < len(s) && (isASCIIAlnum(s[n+2]) || s[n+2] == '_')):
			return p.unclear(n + 5)
		}
	}
	p.add(0, n, false, tsDigits)
	p.i += n
	return nil
}

// words adds a word, or words joined by hyphens: the whole and each part.
func (p *tsParser) words(n int, plain bool) error {
	s := p.rest()
	type part struct {
		at, n int
		plain bool
	}
	parts := []part{{0, n, plain}}
	end := n
	for end+1 < len(s) && s[end] == '-' {
		k, kPlain := wordAt(s[end+1:])
		if k == 0 {
			break
		}
		if s[end+1] >= '0' && s[end+1] <= '9' {
			// A number with its sign ends the word.
			if !plainNumber(s[end+1:end+1+k]) || len(parts) > 1 {
				return p.unclear(end + k + 1)
			}
			break
		}
		parts = append(parts, part{end + 1, k, kPlain})
		plain = plain && kPlain
		end += 1 + k
	}
	if len(parts) > 1 && (p.follows(end, "./@_") || p.i > 0 && strings.IndexByte("_/@.", p.in[p.i-1]) >= 0) ||
		len(parts) == 1 && (p.follows(end, "/") || p.follows(end, ".") && (s[end+1] >= utf8.RuneSelf || !asciiOnly(s[:end]))) {
		return p.unclear(end + 5)
	}
	if len(parts) > 1 {
		p.add(0, end, plain, tsWhole)
	}
	for _, w := range parts {
		p.add(w.at, w.n, w.plain, tsPlain)
	}
	p.i += end
	return nil
}

func asciiOnly(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
