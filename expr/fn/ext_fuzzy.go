package fn

import (
	"strconv"
	"strings"
	"sync"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// accents gives what unaccent writes for each character that it changes.
var accents = sync.OnceValue(func() map[rune]string {
	f := facts.Load("ext_unaccent")
	m := make(map[rune]string, len(f.Rows))
	for _, r := range f.Rows {
		n, _ := strconv.Atoi(r[0])
		m[rune(n)] = r[1]
	}
	return m
})

// unaccentImpls are the functions of extension unaccent.
func unaccentImpls() []expr.Impl {
	return []expr.Impl{{OID: 2000010002, Name: "unaccent", F1: func(_ *expr.Env, a datum) (datum, error) {
		plain := accents()
		var b strings.Builder
		for _, r := range a.Str() {
			if s, ok := plain[r]; ok {
				b.WriteString(s)
				continue
			}
			b.WriteRune(r)
		}
		return types.Str(b.String()), nil
	}}}
}

// soundexCodes are the classes of the letters A to Z.
const soundexCodes = "01230120022455012623010202"

func asciiLetter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }

func soundexCode(c byte) byte {
	if !asciiLetter(c) {
		return c
	}
	return soundexCodes[(c|0x20)-'a']
}

// soundex is the first letter and three digits; only the character right before counts as a repetition.
func soundex(s string) string {
	for s != "" && !asciiLetter(s[0]) {
		s = s[1:]
	}
	if s == "" {
		return ""
	}
	out := []byte{s[0] &^ 0x20}
	for i := 1; i < len(s) && len(out) < 4; i++ {
		if asciiLetter(s[i]) && soundexCode(s[i]) != soundexCode(s[i-1]) && soundexCode(s[i]) != '0' {
			out = append(out, soundexCode(s[i]))
		}
	}
	return (string(out) + "000")[:4]
}

// maxLevenshtein is the longest text that levenshtein takes, in characters.
const maxLevenshtein = 255

// levenshtein counts the cheapest insertions, deletions and substitutions that make a into b.
func levenshtein(a, b string, ins, del, sub int) (int, error) {
	s, t := []rune(a), []rune(b)
	if len(s) > maxLevenshtein || len(t) > maxLevenshtein {
		return 0, pgerr.New(pgerr.InvalidParameterValue, "levenshtein argument exceeds maximum length of %d characters", maxLevenshtein)
	}
	prev, cur := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range prev {
		prev[j] = j * ins
	}
	for i, r := range s {
		cur[0] = (i + 1) * del
		for j, q := range t {
			same := prev[j]
			if r != q {
				same += sub
			}
			cur[j+1] = min(prev[j+1]+del, cur[j]+ins, same)
		}
		prev, cur = cur, prev
	}
	return prev[len(t)], nil
}

// fuzzyImpls are the functions of extension fuzzystrmatch; metaphone and dmetaphone are not among them.
func fuzzyImpls() []expr.Impl {
	code := func(_ *expr.Env, a datum) (datum, error) { return types.Str(soundex(a.Str())), nil }
	distance := func(costs, limited bool) expr.EvalFunc {
		return func(_ *expr.Env, args []datum) (datum, error) {
			ins, del, sub := 1, 1, 1
			if costs {
				ins, del, sub = int(args[2].Int()), int(args[3].Int()), int(args[4].Int())
			}
			n, err := levenshtein(args[0].Str(), args[1].Str(), ins, del, sub)
			if limited {
				if most := int(args[len(args)-1].Int()); most >= 0 {
					n = min(n, most+1)
				}
			}
			return types.Int(int64(n)), err
		}
	}
	return []expr.Impl{
		{OID: 2000004001, Name: "difference", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			x, y := soundex(a.Str()), soundex(b.Str())
			n := 0
			for i := range min(len(x), len(y)) {
				if x[i] == y[i] {
					n++
				}
			}
			if x == "" && y == "" {
				n = 4 // two empty codes agree in every place
			}
			return types.Int(int64(n)), nil
		}},
		{OID: 2000004004, Name: "levenshtein", Eval: distance(false, false)},
		{OID: 2000004005, Name: "levenshtein", Eval: distance(true, false)},
		{OID: 2000004006, Name: "levenshtein_less_equal", Eval: distance(false, true)},
		{OID: 2000004007, Name: "levenshtein_less_equal", Eval: distance(true, true)},
		{OID: 2000004009, Name: "soundex", F1: code},
		{OID: 2000004010, Name: "text_soundex", F1: code},
	}
}
