package types

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The limits of a label and of a path.
const (
	ltreeMaxLabel  = 255
	ltreeMaxLevels = 65535
)

// LabelRune reports whether a rune may stand in a label of an ltree.
func LabelRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func ltreeSyntax(what string, s string, pos int) error {
	if pos >= len(s) {
		return pgerr.New(pgerr.SyntaxError, "%s syntax error", what).WithDetail("Unexpected end of input.")
	}
	return pgerr.New(pgerr.SyntaxError, "%s syntax error at character %d", what, utf8.RuneCountInString(s[:pos])+1)
}

// ParseLTree checks a path of labels with points between them; the empty text is the empty path.
func ParseLTree(s string) (Datum, error) {
	if s == "" {
		return Str(s), nil
	}
	levels := strings.Count(s, ".") + 1
	if levels > ltreeMaxLevels {
		return Null, pgerr.New(pgerr.ProgramLimitExceeded, "number of ltree labels (%d) exceeds the maximum allowed (%d)", levels, ltreeMaxLevels)
	}
	start := 0
	for pos := 0; ; {
		r, n := utf8.DecodeRuneInString(s[pos:])
		switch {
		case pos < len(s) && LabelRune(r):
			pos += n
			continue
		case pos == start, pos < len(s) && r != '.':
			return Null, ltreeSyntax("ltree", s, pos)
		}
		if length := utf8.RuneCountInString(s[start:pos]); length > ltreeMaxLabel {
			return Null, labelTooLong(length, utf8.RuneCountInString(s[:pos])+1)
		}
		if pos == len(s) {
			return Str(s), nil
		}
		pos++
		start = pos
	}
}

func labelTooLong(length, at int) error {
	return pgerr.New(pgerr.NameTooLong, "label string is too long").
		WithDetail("Label length is %d, must be at most %d, at character %d.", length, ltreeMaxLabel, at)
}

// LTreeLabels splits a path into its labels; the empty path has none.
func LTreeLabels(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ".")
}

// compareLTree orders label by label, a prefix before what it begins.
func compareLTree(a, b Datum) int {
	x, y := LTreeLabels(a.Str()), LTreeLabels(b.Str())
	for i := range min(len(x), len(y)) {
		if c := strings.Compare(x[i], y[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(x), len(y))
}

// LQuery is a pattern for paths: its levels in order.
type LQuery []LQueryLevel

// LQueryLevel matches Low to High labels. Without variants it is a star, which any labels match.
type LQueryLevel struct {
	Not       bool
	Variants  []LQueryVariant
	Low, High int
	counted   bool
}

// LQueryVariant matches one label: a prefix of it with Prefix ('*'), in any case with Fold ('@'), by its words with Words ('%').
type LQueryVariant struct {
	Label               string
	Prefix, Fold, Words bool
}

func inputLQuery(s string) (Datum, error) {
	q, err := ParseLQuery(s)
	if err != nil {
		return Null, err
	}
	return Str(q.String()), nil
}

// lqueryScanner reads the text form of an lquery.
type lqueryScanner struct {
	s   string
	pos int
}

// ParseLQuery reads the text form of an lquery; errors are 42601 and 42622.
func ParseLQuery(s string) (LQuery, error) {
	sc := &lqueryScanner{s: s}
	var q LQuery
	for {
		l, err := sc.level()
		if err != nil {
			return nil, err
		}
		q = append(q, l)
		if sc.pos == len(s) {
			return q, nil
		}
		if s[sc.pos] != '.' {
			return nil, sc.unexpected()
		}
		sc.pos++
	}
}

func (sc *lqueryScanner) unexpected() error { return ltreeSyntax("lquery", sc.s, sc.pos) }

func (sc *lqueryScanner) accept(c byte) bool {
	if sc.pos < len(sc.s) && sc.s[sc.pos] == c {
		sc.pos++
		return true
	}
	return false
}

func (sc *lqueryScanner) level() (LQueryLevel, error) {
	l := LQueryLevel{Low: 1, High: 1}
	if sc.accept('*') {
		l.Low, l.High = 0, ltreeMaxLevels
		return l, sc.count(&l)
	}
	l.Not = sc.accept('!')
	for {
		v, err := sc.variant()
		if err != nil {
			return l, err
		}
		l.Variants = append(l.Variants, v)
		if !sc.accept('|') {
			return l, sc.count(&l)
		}
	}
}

func (sc *lqueryScanner) variant() (LQueryVariant, error) {
	start := sc.pos
	for sc.pos < len(sc.s) {
		r, n := utf8.DecodeRuneInString(sc.s[sc.pos:])
		if !LabelRune(r) {
			break
		}
		sc.pos += n
	}
	v := LQueryVariant{Label: sc.s[start:sc.pos]}
	if v.Label == "" {
		return v, sc.unexpected()
	}
	if n := utf8.RuneCountInString(v.Label); n > ltreeMaxLabel {
		return v, labelTooLong(n, utf8.RuneCountInString(sc.s[:sc.pos])+1)
	}
	for {
		switch {
		case sc.accept('*'):
			v.Prefix = true
		case sc.accept('@'):
			v.Fold = true
		case sc.accept('%'):
			v.Words = true
		default:
			return v, nil
		}
	}
}

// count reads {n}, {n,}, {,m} or {n,m} after a level.
func (sc *lqueryScanner) count(l *LQueryLevel) error {
	if !sc.accept('{') {
		return nil
	}
	l.counted = true
	low, hasLow := sc.number()
	if hasLow {
		l.Low, l.High = low, low
	} else {
		l.Low = 0
	}
	if sc.accept(',') {
		l.High = ltreeMaxLevels
		at := sc.pos
		if high, ok := sc.number(); ok {
			l.High = high
			if l.Low > high {
				return pgerr.New(pgerr.SyntaxError, "lquery syntax error").
					WithDetail("Low limit (%d) is greater than high limit (%d), at character %d.", l.Low, high, utf8.RuneCountInString(sc.s[:at])+1)
			}
		}
	} else if !hasLow {
		return sc.unexpected()
	}
	if !sc.accept('}') {
		return sc.unexpected()
	}
	return nil
}

func (sc *lqueryScanner) number() (int, bool) {
	start := sc.pos
	for sc.pos < len(sc.s) && sc.s[sc.pos] >= '0' && sc.s[sc.pos] <= '9' {
		sc.pos++
	}
	n, err := strconv.Atoi(sc.s[start:sc.pos])
	return n, err == nil
}

// String is the text form.
func (q LQuery) String() string {
	var b strings.Builder
	for i, l := range q {
		if i > 0 {
			b.WriteByte('.')
		}
		l.write(&b)
	}
	return b.String()
}

func (l LQueryLevel) write(b *strings.Builder) {
	star := len(l.Variants) == 0
	if star {
		b.WriteByte('*')
	}
	if l.Not {
		b.WriteByte('!')
	}
	for i, v := range l.Variants {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString(v.Label)
		writeFlags(b, v)
	}
	switch {
	case !star && !l.counted, star && l.Low == 0 && l.High == ltreeMaxLevels:
	case l.Low == l.High:
		b.WriteString("{" + strconv.Itoa(l.Low) + "}")
	case l.Low == 0 && l.High == ltreeMaxLevels:
		b.WriteString("{,}")
	case l.Low == 0:
		b.WriteString("{," + strconv.Itoa(l.High) + "}")
	case l.High == ltreeMaxLevels:
		b.WriteString("{" + strconv.Itoa(l.Low) + ",}")
	default:
		b.WriteString("{" + strconv.Itoa(l.Low) + "," + strconv.Itoa(l.High) + "}")
	}
}

func writeFlags(b *strings.Builder, v LQueryVariant) {
	if v.Words {
		b.WriteByte('%')
	}
	if v.Fold {
		b.WriteByte('@')
	}
	if v.Prefix {
		b.WriteByte('*')
	}
}

// LTXTQuery is a condition on the labels of a path: an operator '!', '&' or '|' over operands, or, with Op 0, a label's variant.
type LTXTQuery struct {
	Op          byte
	Left, Right *LTXTQuery // Left is the only operand of '!'
	Variant     LQueryVariant
}

func inputLTXTQuery(s string) (Datum, error) {
	q, err := ParseLTXTQuery(s)
	if err != nil {
		return Null, err
	}
	var b strings.Builder
	q.write(&b, false)
	return Str(b.String()), nil
}

// ParseLTXTQuery reads the text form of an ltxtquery; errors are 42601.
func ParseLTXTQuery(s string) (*LTXTQuery, error) {
	sc := &lqueryScanner{s: s}
	q, err := sc.either()
	if err != nil {
		return nil, err
	}
	if sc.blank(); sc.pos < len(s) {
		return nil, operandError()
	}
	return q, nil
}

func operandError() error { return pgerr.New(pgerr.SyntaxError, "operand syntax error") }

func (sc *lqueryScanner) blank() {
	for sc.pos < len(sc.s) && strings.IndexByte(hstoreSpaces, sc.s[sc.pos]) >= 0 {
		sc.pos++
	}
}

func (sc *lqueryScanner) either() (*LTXTQuery, error) {
	left, err := sc.both()
	for err == nil {
		if sc.blank(); !sc.accept('|') {
			return left, nil
		}
		var right *LTXTQuery
		right, err = sc.both()
		left = &LTXTQuery{Op: '|', Left: left, Right: right}
	}
	return nil, err
}

func (sc *lqueryScanner) both() (*LTXTQuery, error) {
	left, err := sc.operand()
	for err == nil {
		if sc.blank(); !sc.accept('&') {
			return left, nil
		}
		var right *LTXTQuery
		right, err = sc.operand()
		left = &LTXTQuery{Op: '&', Left: left, Right: right}
	}
	return nil, err
}

func (sc *lqueryScanner) operand() (*LTXTQuery, error) {
	sc.blank()
	switch {
	case sc.accept('!'):
		x, err := sc.operand()
		return &LTXTQuery{Op: '!', Left: x}, err
	case sc.accept('('):
		x, err := sc.either()
		if err == nil && !sc.accept(')') {
			err = pgerr.New(pgerr.SyntaxError, "syntax error")
		}
		return x, err
	}
	v, err := sc.variant()
	if err != nil {
		return nil, operandError()
	}
	return &LTXTQuery{Variant: v}, nil
}

// write appends the text form; inner says that the query is an operand.
func (q *LTXTQuery) write(b *strings.Builder, inner bool) {
	switch q.Op {
	case 0:
		b.WriteString(q.Variant.Label)
		writeFlags(b, q.Variant)
	case '!':
		b.WriteByte('!')
		q.Left.write(b, true)
	default:
		paren := inner && q.Op == '|'
		if paren {
			b.WriteString("( ")
		}
		q.Left.write(b, true)
		b.WriteString(" " + string(q.Op) + " ")
		q.Right.write(b, true)
		if paren {
			b.WriteString(" )")
		}
	}
}
