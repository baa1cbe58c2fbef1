package fn

import (
	"hash/crc32"
	"slices"
	"strconv"
	"unicode"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// trigram is three characters of a word in lower case; one with characters beyond ASCII is their hash, as PostgreSQL keeps it.
type trigram [3]byte

// trigramAt is a trigram with its place in its word: first and last are its word's first and last ones.
type trigramAt struct {
	trigram
	first, last bool
}

// trigrams lists the trigrams of a text in order: of each word, a run of letters and digits, with two blanks before it and
// one after.
func trigrams(s string) []trigramAt {
	var out []trigramAt
	var word []rune
	flush := func() {
		if len(word) == 0 {
			return
		}
		padded := append(append([]rune{' ', ' '}, word...), ' ')
		n := len(padded) - 2
		for i := range n {
			out = append(out, trigramAt{packTrigram(padded[i : i+3]), i == 0, i == n-1})
		}
		word = word[:0]
	}
	for _, r := range lower(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			word = append(word, r)
			continue
		}
		flush()
	}
	flush()
	return out
}

func packTrigram(rs []rune) trigram {
	text := string(rs)
	if len(text) == 3 {
		return trigram{text[0], text[1], text[2]}
	}
	// The hash is a CRC whose table is that of the reflected polynomial but whose register shifts the other way.
	crc := ^uint32(0)
	for i := range len(text) {
		crc = crc32.IEEETable[byte(crc>>24)^text[i]] ^ crc<<8
	}
	crc = ^crc
	return trigram{byte(crc), byte(crc >> 8), byte(crc >> 16)}
}

// compareTrigram orders bytes as signed ones.
func compareTrigram(a, b trigram) int {
	for i := range a {
		if a[i] != b[i] {
			return int(int8(a[i])) - int(int8(b[i]))
		}
	}
	return 0
}

// trigramSet lists the distinct trigrams of a text in order.
func trigramSet(s string) []trigram {
	list := trigrams(s)
	set := make([]trigram, len(list))
	for i, t := range list {
		set[i] = t.trigram
	}
	slices.SortFunc(set, compareTrigram)
	return slices.Compact(set)
}

// jaccard is the share of common trigrams among all.
func jaccard(common, a, b int) float32 {
	if a+b == common {
		return 0
	}
	return float32(common) / float32(a+b-common)
}

func similarity(a, b string) float32 {
	x, y := trigramSet(a), trigramSet(b)
	common := 0
	for _, t := range x {
		if _, ok := slices.BinarySearchFunc(y, t, compareTrigram); ok {
			common++
		}
	}
	return jaccard(common, len(x), len(y))
}

// wordSimilarity is the greatest similarity of a's trigrams to a run of b's; strict takes runs of whole words only. The
// runs that are tried are PostgreSQL's: at each possible end, the start of the best run so far moves on where that makes the
// run more similar.
func wordSimilarity(a, b string, strict bool) float32 {
	wanted := map[trigram]bool{}
	for _, t := range trigramSet(a) {
		wanted[t] = true
	}
	list := trigrams(b)
	last := map[trigram]int{} // where each trigram of the run stands last
	start := -1
	if strict {
		start = 0
	}
	var best float32
	common, distinct := 0, 0
	for i, t := range list {
		if start >= 0 || wanted[t.trigram] {
			if _, ok := last[t.trigram]; !ok {
				distinct++
				if wanted[t.trigram] {
					common++
				}
			}
			last[t.trigram] = i
		}
		if strict && !t.last || !strict && !wanted[t.trigram] {
			continue
		}
		if start < 0 {
			start, distinct = i, 1
		}
		current := jaccard(common, len(wanted), distinct)
		from, c, d := start, common, distinct
		for j := from; j <= i; j++ {
			if !strict || list[j].first {
				if s := jaccard(c, len(wanted), d); s > current {
					current, start, common, distinct = s, j, c, d
				}
			}
			if last[list[j].trigram] == j {
				d--
				if wanted[list[j].trigram] {
					c--
				}
			}
		}
		best = max(best, current)
		for j := from; j < start; j++ {
			if at, ok := last[list[j].trigram]; ok && at == j {
				delete(last, list[j].trigram)
			}
		}
	}
	return best
}

// trigramLimit reads one of the extension's thresholds.
func trigramLimit(env *expr.Env, name string, standard float32) (float32, error) {
	if env.Session == nil {
		return standard, nil
	}
	s, ok, err := env.Session.Setting("pg_trgm."+name, true)
	if err != nil || !ok || s == "" {
		return standard, err
	}
	f, err := strconv.ParseFloat(s, 32)
	if err != nil || f < 0 || f > 1 {
		return standard, nil
	}
	return float32(f), nil
}

// trigramImpls are the functions of extension pg_trgm.
func trigramImpls() []expr.Impl {
	number := func(f float32) datum { return types.Float(float64(f)) }
	plain := func(a, b string) float32 { return similarity(a, b) }
	word := func(a, b string) float32 { return wordSimilarity(a, b, false) }
	strictWord := func(a, b string) float32 { return wordSimilarity(a, b, true) }
	value := func(oid uint32, name string, f func(a, b string) float32) expr.Impl {
		return expr.Impl{OID: oid, Name: name, F2: func(_ *expr.Env, a, b datum) (datum, error) { return number(f(a.Str(), b.Str())), nil }}
	}
	distance := func(oid uint32, name string, f func(a, b string) float32, swap bool) expr.Impl {
		return value(oid, name, func(a, b string) float32 {
			if swap {
				a, b = b, a
			}
			return 1 - f(a, b)
		})
	}
	above := func(oid uint32, name string, f func(a, b string) float32, setting string, standard float32, swap bool) expr.Impl {
		return expr.Impl{OID: oid, Name: name, F2: func(env *expr.Env, a, b datum) (datum, error) {
			limit, err := trigramLimit(env, setting, standard)
			if swap {
				a, b = b, a
			}
			return types.Bool(f(a.Str(), b.Str()) >= limit), err
		}}
	}
	const simple, words, strict = "similarity_threshold", "word_similarity_threshold", "strict_word_similarity_threshold"
	return []expr.Impl{
		{OID: 2000008017, Name: "set_limit", F1: func(env *expr.Env, a datum) (datum, error) {
			s, err := session(env)
			if err != nil {
				return types.Null, err
			}
			text := string(types.AppendFloat(nil, a.Float(), 32, 1))
			if a.Float() < 0 || a.Float() > 1 {
				return types.Null, pgerr.New(pgerr.InvalidParameterValue, "%s is outside the valid range for parameter \"pg_trgm.%s\" (0 .. 1)", text, simple)
			}
			return a, s.SetSetting("pg_trgm."+simple, text, false)
		}},
		{OID: 2000008018, Name: "show_limit", Eval: func(env *expr.Env, _ []datum) (datum, error) {
			limit, err := trigramLimit(env, simple, 0.3)
			return number(limit), err
		}},
		{OID: 2000008019, Name: "show_trgm", F1: func(_ *expr.Env, a datum) (datum, error) {
			var list []string
			for _, t := range trigramSet(a.Str()) {
				if t[0] < 0x80 && t[1] < 0x80 && t[2] < 0x80 && printable(t) {
					list = append(list, string(t[:]))
					continue
				}
				hex := strconv.FormatUint(uint64(t[0])<<16|uint64(t[1])<<8|uint64(t[2])|1<<24, 16)
				list = append(list, "0x"+hex[1:])
			}
			return strs(list), nil
		}},
		value(2000008020, "similarity", plain), distance(2000008021, "similarity_dist", plain, false),
		above(2000008022, "similarity_op", plain, simple, 0.3, false),
		value(2000008023, "strict_word_similarity", strictWord),
		above(2000008024, "strict_word_similarity_commutator_op", strictWord, strict, 0.5, true),
		distance(2000008025, "strict_word_similarity_dist_commutator_op", strictWord, true),
		distance(2000008026, "strict_word_similarity_dist_op", strictWord, false),
		above(2000008027, "strict_word_similarity_op", strictWord, strict, 0.5, false),
		value(2000008028, "word_similarity", word),
		above(2000008029, "word_similarity_commutator_op", word, words, 0.6, true),
		distance(2000008030, "word_similarity_dist_commutator_op", word, true),
		distance(2000008031, "word_similarity_dist_op", word, false),
		above(2000008032, "word_similarity_op", word, words, 0.6, false),
	}
}

// printable reports whether a trigram is of letters, digits and blanks: others are hashes.
func printable(t trigram) bool {
	for _, c := range t {
		if c != ' ' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}
