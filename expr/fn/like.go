package fn

import (
	"strings"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func badLike() error {
	return pgerr.New(pgerr.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
}

// step is the length of the character at the start of s; bytea patterns count bytes.
func step(s string, bytes bool) int {
	if bytes || s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// Like matches a text against a LIKE pattern whose escape is the backslash. With bytes set, _ is one byte.
func Like(s, p string, bytes bool) (bool, error) {
	// After a %, a failure resumes one character further on in s; only the last % need be tried again.
	var starP, starS string
	star := false
	for {
		switch {
		case p != "" && p[0] == '%':
			for p != "" && p[0] == '%' {
				p = p[1:]
			}
			if p == "" {
				return true, nil
			}
			star, starP, starS = true, p, s
			continue
		case p == "" && s == "":
			return true, nil
		case p != "" && s != "":
			if p[0] == '_' {
				s, p = s[step(s, bytes):], p[1:]
				continue
			}
			q := p
			if q[0] == '\\' {
				if q = q[1:]; q == "" {
					return false, badLike()
				}
			}
			if q[0] == s[0] {
				s, p = s[1:], q[1:]
				continue
			}
		}
		if !star || starS == "" {
			return false, nil
		}
		starS = starS[step(starS, bytes):]
		s, p = starS, starP
	}
}

func likeFn(not, fold, bytes bool) f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		s, p := a.Str(), b.Str()
		if fold {
			s, p = lower(s), lower(p)
		}
		ok, err := Like(s, p, bytes)
		return types.Bool(ok != not), err
	}
}

// likeEscape rewrites a pattern with another escape character (or none) to one with the backslash.
func likeEscape(_ *expr.Env, a, e datum) (datum, error) {
	p, esc := a.Str(), e.Str()
	if esc == `\` {
		return a, nil
	}
	if esc != "" && len(esc) != step(esc, false) {
		return types.Null, pgerr.New(pgerr.InvalidEscapeSequence, "invalid escape string").
			WithHint("Escape string must be empty or one character.")
	}
	var b strings.Builder
	afterEscape := false
	for len(p) > 0 {
		n := step(p, false)
		c := p[:n]
		p = p[n:]
		switch {
		case esc != "" && c == esc && !afterEscape:
			b.WriteByte('\\')
			afterEscape = true
			continue
		case c == `\` && !afterEscape:
			b.WriteByte('\\')
		}
		b.WriteString(c)
		afterEscape = false
	}
	return types.Str(b.String()), nil
}

// likeImpls are LIKE and ILIKE over all text types and bytea.
func likeImpls() []expr.Impl {
	like, unlike := likeFn(false, false, false), likeFn(true, false, false)
	ilike, unilike := likeFn(false, true, false), likeFn(true, true, false)
	blike, bunlike := likeFn(false, false, true), likeFn(true, false, true)
	return []expr.Impl{
		{OID: 850, Name: "textlike", F2: like},
		{OID: 851, Name: "textnlike", F2: unlike},
		{OID: 858, Name: "namelike", F2: like},
		{OID: 859, Name: "namenlike", F2: unlike},
		{OID: 1631, Name: "bpcharlike", F2: like},
		{OID: 1632, Name: "bpcharnlike", F2: unlike},
		{OID: 1569, Name: "like", F2: like},
		{OID: 1570, Name: "notlike", F2: unlike},
		{OID: 1571, Name: "like", F2: like},
		{OID: 1572, Name: "notlike", F2: unlike},
		{OID: 1633, Name: "texticlike", F2: ilike},
		{OID: 1634, Name: "texticnlike", F2: unilike},
		{OID: 1635, Name: "nameiclike", F2: ilike},
		{OID: 1636, Name: "nameicnlike", F2: unilike},
		{OID: 1660, Name: "bpchariclike", F2: ilike},
		{OID: 1661, Name: "bpcharicnlike", F2: unilike},
		{OID: 2005, Name: "bytealike", F2: blike},
		{OID: 2006, Name: "byteanlike", F2: bunlike},
		{OID: 2007, Name: "like", F2: blike},
		{OID: 2008, Name: "notlike", F2: bunlike},
		{OID: 1637, Name: "like_escape", F2: likeEscape},
		{OID: 2009, Name: "like_escape", F2: likeEscape},
	}
}
