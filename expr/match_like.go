package expr

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// compileLike is LIKE, ILIKE and their negations as an anchored regular expression; a literal prefix of LIKE becomes an
// index range there.
func (m *Matcher) compileLike(e *Call, negated bool) (*Match, string) {
	col := m.column(e.Args[0])
	if col == nil {
		return m.constantOr(e, negated, "LIKE over an expression")
	}
	if col.Form != catalog.FormNatural || col.Type != types.TextT && col.Type != types.VarcharT {
		return nil, "LIKE over " + types.FormatType(col.Type, -1)
	}
	if m.reads(e.Args[1]) {
		return nil, "LIKE with a pattern from a column"
	}
	fold := strings.HasSuffix(e.Op, "*")
	not := strings.HasPrefix(e.Op, "!") != negated
	f := field{col}
	if !col.Missing.IsNull() {
		return nil, "LIKE over a column with a default for missing fields"
	}
	return &Match{render: func(eval Valuer) (bson.D, error) {
		p, err := eval(e.Args[1])
		if err != nil || p.IsNull() {
			return nothing(), err
		}
		source, ok := likePattern(p.Str(), fold)
		if !ok {
			return nil, pgerr.New(pgerr.InvalidEscapeSequence, "LIKE pattern must not end with escape character")
		}
		re := bson.Regex{Pattern: source, Options: "s"}
		if not {
			// $not lets NULL and missing through: NOT LIKE of NULL is unknown.
			return and(f.guard("$not", re, false), f.null(false)), nil
		}
		return f.guard("$regex", re, false), nil
	}}, ""
}

// likePattern translates a LIKE pattern; ok is false for one that PostgreSQL refuses: it ends in its
// escape character. What stands between two % is matched where it first occurs and never tried elsewhere, which misses
// nothing, as what comes between matters to nobody. Without that, 'abcd' || repeat('abc', 999) LIKE '%a%b%c%d%' makes the
// engine try so many ways that it gives up, and MongoDB takes that for no match.
func likePattern(pattern string, fold bool) (source string, ok bool) {
	var b strings.Builder
	b.WriteByte('^')
	start := -1 // where what the last % began was written
	for i := 0; i < len(pattern); {
		r, n := utf8.DecodeRuneInString(pattern[i:])
		i += n
		switch r {
		case '%':
			if start >= 0 {
				segment := b.String()[start:]
				if segment == ".*" {
					continue
				}
				before := b.String()[:start]
				b.Reset()
				b.WriteString(before + "(?>.*?" + segment[len(".*"):] + ")")
			}
			start = b.Len()
			b.WriteString(".*")
		case '_':
			b.WriteByte('.')
		case '\\':
			if i == len(pattern) {
				return "", false
			}
			r, n = utf8.DecodeRuneInString(pattern[i:])
			i += n
			writeRune(&b, r, fold)
		default:
			writeRune(&b, r, fold)
		}
	}
	b.WriteString(`\z`) // $ would also match before a final newline
	return b.String(), true
}

// writeRune writes a literal, or with fold the class of all characters whose lower case is the same: the engine's own
// case folding is not PostgreSQL's lower().
func writeRune(b *strings.Builder, r rune, fold bool) {
	if fold {
		lower := unicode.ToLower(r)
		class := []rune{lower}
		for f := unicode.SimpleFold(lower); f != lower; f = unicode.SimpleFold(f) {
			if unicode.ToLower(f) == lower {
				class = append(class, f)
			}
		}
		if lower == 'i' {
			class = append(class, 'İ') // its lower case is i, though it does not fold to it
		}
		if len(class) > 1 {
			b.WriteByte('[')
			for _, c := range class {
				b.WriteRune(c)
			}
			b.WriteByte(']')
			return
		}
	}
	if r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != ' ' {
		b.WriteByte('\\')
	}
	b.WriteRune(r)
}
