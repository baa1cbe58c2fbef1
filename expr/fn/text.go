package fn

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// maxText is the size that a text value may have (1 GB less its header).
const maxText = 0x3fffffff - 4

func tooLong() error {
	return pgerr.New(pgerr.ProgramLimitExceeded, "requested length too large")
}

// textFn is a function from text to text that cannot fail.
func textFn(f func(string) string) f1 {
	return func(_ *expr.Env, a datum) (datum, error) { return types.Str(f(a.Str())), nil }
}

func textInt(f func(string) int) f1 {
	return func(_ *expr.Env, a datum) (datum, error) { return types.Int(int64(f(a.Str()))), nil }
}

func textCat(_ *expr.Env, a, b datum) (datum, error) { return types.Str(a.Str() + b.Str()), nil }

// lower and upper map character by character; the lengths in bytes may change.
func lower(s string) string { return strings.Map(unicode.ToLower, s) }
func upper(s string) string { return strings.Map(unicode.ToUpper, s) }

func initcap(s string) string {
	word := false
	return strings.Map(func(r rune) rune {
		in := unicode.IsLetter(r) || unicode.IsDigit(r)
		defer func() { word = in }()
		if word {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// runeOffset returns the byte offset of character n of s (counted from 0), at most len(s).
func runeOffset(s string, n int64) int {
	if n <= 0 {
		return 0
	}
	if n >= int64(len(s)) {
		return runeOffsetSlow(s, n)
	}
	ascii := true
	for i := range n {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return int(n)
	}
	return runeOffsetSlow(s, n)
}

func runeOffsetSlow(s string, n int64) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// substr is SQL's substring: positions from 1, which may lie outside of the text.
func substr(s string, from, count int64) (string, error) {
	if count < 0 {
		return "", pgerr.New(pgerr.SubstringError, "negative substring length not allowed")
	}
	end := from + count
	if end <= 1 {
		return "", nil
	}
	from = max(from, 1)
	lo := runeOffset(s, from-1)
	rest := s[lo:]
	return rest[:runeOffset(rest, end-from)], nil
}

func substr3(_ *expr.Env, args []datum) (datum, error) {
	s, err := substr(args[0].Str(), args[1].Int(), args[2].Int())
	return types.Str(s), err
}

func substr2(_ *expr.Env, a, from datum) (datum, error) {
	return types.Str(a.Str()[runeOffset(a.Str(), from.Int()-1):]), nil
}

func overlay(s, with string, from, count int64) (string, error) {
	if from <= 0 {
		return "", pgerr.New(pgerr.SubstringError, "negative substring length not allowed")
	}
	if from+count > 1<<31-1 {
		return "", pgerr.New(pgerr.NumericValueOutOfRange, "integer out of range")
	}
	head, err := substr(s, 1, from-1)
	if err != nil {
		return "", err
	}
	return head + with + s[runeOffset(s, from+count-1):], nil
}

func overlayText(_ *expr.Env, args []datum) (datum, error) {
	count := int64(utf8.RuneCountInString(args[1].Str()))
	if len(args) == 4 {
		count = args[3].Int()
	}
	s, err := overlay(args[0].Str(), args[1].Str(), args[2].Int(), count)
	return types.Str(s), err
}

// position counts characters from 1; 0 when it is not there.
func position(s, sub string) int {
	i := strings.Index(s, sub)
	if i < 0 {
		return 0
	}
	return utf8.RuneCountInString(s[:i]) + 1
}

func positionText(_ *expr.Env, a, b datum) (datum, error) {
	return types.Int(int64(position(a.Str(), b.Str()))), nil
}

// trim cuts characters of a set from the ends.
func trim(left, right bool) f2 {
	return func(_ *expr.Env, a, set datum) (datum, error) {
		s := a.Str()
		if left {
			s = strings.TrimLeft(s, set.Str())
		}
		if right {
			s = strings.TrimRight(s, set.Str())
		}
		return types.Str(s), nil
	}
}

func trimSpace(left, right bool) f1 {
	f := trim(left, right)
	return func(env *expr.Env, a datum) (datum, error) { return f(env, a, types.Str(" ")) }
}

// pad fills a text to a number of characters, or cuts it there.
func pad(left bool) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		s, n, fill := args[0].Str(), max(args[1].Int(), 0), " "
		if len(args) == 3 {
			fill = args[2].Str()
		}
		have := int64(utf8.RuneCountInString(s))
		if have >= n || fill == "" {
			return types.Str(s[:runeOffset(s, n)]), nil
		}
		need, unit := n-have, int64(utf8.RuneCountInString(fill))
		if need > maxText/4 {
			return types.Null, tooLong()
		}
		padding := strings.Repeat(fill, int(need/unit)) + fill[:runeOffset(fill, need%unit)]
		if left {
			return types.Str(padding + s), nil
		}
		return types.Str(s + padding), nil
	}
}

func repeat(_ *expr.Env, a, n datum) (datum, error) {
	if n.Int() <= 0 {
		return types.Str(""), nil
	}
	if int64(len(a.Str()))*n.Int() > maxText {
		return types.Null, tooLong()
	}
	return types.Str(strings.Repeat(a.Str(), int(n.Int()))), nil
}

func reverse(s string) string {
	out := make([]byte, 0, len(s))
	for len(s) > 0 {
		_, n := utf8.DecodeLastRuneInString(s)
		out = append(out, s[len(s)-n:]...)
		s = s[:len(s)-n]
	}
	return string(out)
}

// left and right count from the other end when negative.
func leftText(_ *expr.Env, a, n datum) (datum, error) {
	s, k := a.Str(), n.Int()
	if k < 0 {
		k = max(int64(utf8.RuneCountInString(s))+k, 0)
	}
	return types.Str(s[:runeOffset(s, k)]), nil
}

func rightText(_ *expr.Env, a, n datum) (datum, error) {
	s, k := a.Str(), n.Int()
	if k < 0 {
		return types.Str(s[runeOffset(s, -k):]), nil
	}
	return types.Str(s[runeOffset(s, int64(utf8.RuneCountInString(s))-k):]), nil
}

func replaceText(_ *expr.Env, args []datum) (datum, error) {
	if args[1].Str() == "" {
		return args[0], nil
	}
	return types.Str(strings.ReplaceAll(args[0].Str(), args[1].Str(), args[2].Str())), nil
}

// translateText replaces characters one for one; those without a counterpart are removed.
func translateText(_ *expr.Env, args []datum) (datum, error) {
	from, to := []rune(args[1].Str()), []rune(args[2].Str())
	return types.Str(strings.Map(func(r rune) rune {
		for i, f := range from {
			if f == r {
				if i < len(to) {
					return to[i]
				}
				return -1
			}
		}
		return r
	}, args[0].Str())), nil
}

func splitPart(_ *expr.Env, args []datum) (datum, error) {
	s, sep, n := args[0].Str(), args[1].Str(), args[2].Int()
	if n == 0 {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "field position must not be zero")
	}
	parts := []string{s}
	if sep != "" && s != "" {
		parts = strings.Split(s, sep)
	}
	if n < 0 {
		n += int64(len(parts)) + 1
	}
	if n < 1 || n > int64(len(parts)) {
		return types.Str(""), nil
	}
	return types.Str(parts[n-1]), nil
}

func ascii(s string) int {
	if s == "" {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(s)
	return int(r)
}

func chr(_ *expr.Env, a datum) (datum, error) {
	n := a.Int()
	switch {
	case n < 0:
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "character number must be positive")
	case n == 0:
		return types.Null, pgerr.New(pgerr.ProgramLimitExceeded, "null character not permitted")
	case n > unicode.MaxRune:
		return types.Null, pgerr.New(pgerr.ProgramLimitExceeded, "requested character too large for encoding: %d", n)
	case n >= 0xd800 && n <= 0xdfff:
		return types.Null, pgerr.New(pgerr.ProgramLimitExceeded, "requested character not valid for encoding: %d", n)
	}
	return types.Str(string(rune(n))), nil
}

func startsWith(_ *expr.Env, a, b datum) (datum, error) {
	return types.Bool(strings.HasPrefix(a.Str(), b.Str())), nil
}

func charLength(s string) int   { return utf8.RuneCountInString(s) }
func bpcharLength(s string) int { return utf8.RuneCountInString(trimBlanks(s)) }
func byteLength(s string) int   { return len(s) }
func bitLength(s string) int    { return 8 * len(s) }

// textImpls are the plain functions of text.
func textImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 1258, Name: "textcat", F2: textCat},
		{OID: 870, Name: "lower", F1: textFn(lower)},
		{OID: 871, Name: "upper", F1: textFn(upper)},
		{OID: 872, Name: "initcap", F1: textFn(initcap)},
		{OID: 1257, Name: "textlen", F1: textInt(charLength)},
		{OID: 1317, Name: "length", F1: textInt(charLength)},
		{OID: 1381, Name: "char_length", F1: textInt(charLength)},
		{OID: 1369, Name: "character_length", F1: textInt(charLength)},
		{OID: 1318, Name: "length", F1: textInt(bpcharLength)},
		{OID: 1372, Name: "char_length", F1: textInt(bpcharLength)},
		{OID: 1367, Name: "character_length", F1: textInt(bpcharLength)},
		{OID: 1374, Name: "octet_length", F1: textInt(byteLength)},
		{OID: 1375, Name: "octet_length", F1: textInt(byteLength)},
		{OID: 1811, Name: "bit_length", F1: textInt(bitLength)},
		{OID: 877, Name: "substr", Eval: substr3},
		{OID: 883, Name: "substr", F2: substr2},
		{OID: 936, Name: "substring", Eval: substr3},
		{OID: 937, Name: "substring", F2: substr2},
		{OID: 1404, Name: "overlay", Eval: overlayText},
		{OID: 1405, Name: "overlay", Eval: overlayText},
		{OID: 849, Name: "position", F2: positionText},
		{OID: 868, Name: "strpos", F2: positionText},
		{OID: 884, Name: "btrim", F2: trim(true, true)},
		{OID: 875, Name: "ltrim", F2: trim(true, false)},
		{OID: 876, Name: "rtrim", F2: trim(false, true)},
		{OID: 885, Name: "btrim", F1: trimSpace(true, true)},
		{OID: 881, Name: "ltrim", F1: trimSpace(true, false)},
		{OID: 882, Name: "rtrim", F1: trimSpace(false, true)},
		{OID: 873, Name: "lpad", Eval: pad(true)},
		{OID: 879, Name: "lpad", Eval: pad(true)},
		{OID: 874, Name: "rpad", Eval: pad(false)},
		{OID: 880, Name: "rpad", Eval: pad(false)},
		{OID: 1622, Name: "repeat", F2: repeat},
		{OID: 3062, Name: "reverse", F1: textFn(reverse)},
		{OID: 3060, Name: "left", F2: leftText},
		{OID: 3061, Name: "right", F2: rightText},
		{OID: 2087, Name: "replace", Eval: replaceText},
		{OID: 878, Name: "translate", Eval: translateText},
		{OID: 2088, Name: "split_part", Eval: splitPart},
		{OID: 1620, Name: "ascii", F1: textInt(ascii)},
		{OID: 1621, Name: "chr", F1: chr},
		{OID: 3696, Name: "starts_with", F2: startsWith},
		{OID: 2089, Name: "to_hex", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Str(hex(uint64(uint32(a.Int())))), nil }},
		{OID: 2090, Name: "to_hex", F1: func(_ *expr.Env, a datum) (datum, error) { return types.Str(hex(uint64(a.Int()))), nil }},
	}
}
