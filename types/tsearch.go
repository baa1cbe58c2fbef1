package types

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The limits of positions in a tsvector.
const (
	maxLexemePos   = 16383
	maxLexemeCount = 255
)

// tsWord reads a lexeme of a tsvector or tsquery, in quotes or bare up to one of the stop characters or white space.
func tsWord(s string, i int, stop string) (word string, next int, ok bool) {
	var b []byte
	if i < len(s) && s[i] == '\'' {
		for i++; i < len(s); i++ {
			switch {
			case s[i] == '\\' && i+1 < len(s):
				i++
				b = append(b, s[i])
			case s[i] == '\'' && i+1 < len(s) && s[i+1] == '\'':
				i++
				b = append(b, '\'')
			case s[i] == '\'':
				return string(b), i + 1, true
			default:
				b = append(b, s[i])
			}
		}
		return "", i, false
	}
	start := i
	for i < len(s) && !isSpace(s[i]) && strings.IndexByte(stop, s[i]) < 0 {
		if s[i] == '\\' {
			i++
			if i >= len(s) {
				return "", i, false
			}
		}
		b = append(b, s[i])
		i++
	}
	return string(b), i, i > start
}

func inputTSVector(s string) (Datum, error) {
	bad := func() (Datum, error) {
		return Null, pgerr.New(pgerr.SyntaxError, "syntax error in tsvector: \"%s\"", s)
	}
	var lexemes []Lexeme
	for i := 0; ; {
		for i < len(s) && isSpace(s[i]) {
			i++
		}
		if i >= len(s) {
			break
		}
		word, next, ok := tsWord(s, i, ":")
		if !ok || word == "" {
			return bad()
		}
		i = next
		l := Lexeme{Word: word}
		if i < len(s) && s[i] == ':' {
			for more := true; more; {
				i++
				start := i
				for i < len(s) && isDigit(s[i]) {
					i++
				}
				if start == i {
					return bad()
				}
				n, err := strconv.Atoi(s[start:i])
				if err != nil || n > maxLexemePos {
					n = maxLexemePos
				}
				if n == 0 {
					return Null, pgerr.New(pgerr.SyntaxError, "wrong position info in tsvector: \"%s\"", s)
				}
				weight := byte('D')
				for i < len(s) && (isAlpha(s[i]) || s[i] == '*') {
					switch c := s[i] &^ 0x20; {
					case c >= 'A' && c <= 'D':
						weight = c
					case s[i] == '*':
						weight = 'A'
					default:
						return bad()
					}
					i++
				}
				l.Positions, l.Weights = append(l.Positions, uint16(n)), append(l.Weights, weight)
				more = i < len(s) && s[i] == ','
			}
			if i < len(s) && !isSpace(s[i]) {
				return bad()
			}
		}
		lexemes = append(lexemes, l)
	}
	return Ref(NewTSVector(lexemes)), nil
}

// NewTSVector sorts lexemes, joins equal ones, and sorts their positions.
func NewTSVector(lexemes []Lexeme) *TSVector {
	slices.SortStableFunc(lexemes, func(a, b Lexeme) int { return compareKeys(a.Word, b.Word) })
	v := &TSVector{}
	for _, l := range lexemes {
		if n := len(v.Lexemes); n > 0 && v.Lexemes[n-1].Word == l.Word {
			last := &v.Lexemes[n-1]
			last.Positions = append(last.Positions, l.Positions...)
			last.Weights = append(last.Weights, l.Weights...)
			continue
		}
		v.Lexemes = append(v.Lexemes, l)
	}
	for i := range v.Lexemes {
		v.Lexemes[i].normalize()
	}
	// Lexemes are kept in bytewise order of their text, shorter first only when one begins the other.
	slices.SortFunc(v.Lexemes, func(a, b Lexeme) int { return strings.Compare(a.Word, b.Word) })
	return v
}

// normalize sorts positions and keeps the highest weight of equal ones.
func (l *Lexeme) normalize() {
	type pos struct {
		n uint16
		w byte
	}
	ps := make([]pos, len(l.Positions))
	for i := range ps {
		ps[i] = pos{l.Positions[i], l.Weights[i]}
	}
	slices.SortFunc(ps, func(a, b pos) int {
		if c := cmp.Compare(a.n, b.n); c != 0 {
			return c
		}
		return cmp.Compare(a.w, b.w)
	})
	l.Positions, l.Weights = nil, nil
	for i, p := range ps {
		if i > 0 && ps[i-1].n == p.n || len(l.Positions) > maxLexemeCount {
			continue
		}
		l.Positions, l.Weights = append(l.Positions, p.n), append(l.Weights, p.w)
	}
}

func appendTSWord(dst []byte, word string) []byte {
	dst = append(dst, '\'')
	for i := range len(word) {
		if word[i] == '\'' || word[i] == '\\' {
			dst = append(dst, word[i])
		}
		dst = append(dst, word[i])
	}
	return append(dst, '\'')
}

func appendTSVector(dst []byte, v *TSVector) []byte {
	for i, l := range v.Lexemes {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = appendTSWord(dst, l.Word)
		for k, p := range l.Positions {
			if k == 0 {
				dst = append(dst, ':')
			} else {
				dst = append(dst, ',')
			}
			dst = appendInt(dst, int64(p))
			if l.Weights[k] != 'D' {
				dst = append(dst, l.Weights[k])
			}
		}
	}
	return dst
}

func sendTSVector(dst []byte, v *TSVector) []byte {
	be := binary.BigEndian
	dst = be.AppendUint32(dst, uint32(len(v.Lexemes)))
	for _, l := range v.Lexemes {
		dst = append(append(dst, l.Word...), 0)
		dst = be.AppendUint16(dst, uint16(len(l.Positions)))
		for i, p := range l.Positions {
			dst = be.AppendUint16(dst, uint16('D'-l.Weights[i])<<14|p)
		}
	}
	return dst
}

func receiveTSVector(b []byte) (Datum, error) {
	be := binary.BigEndian
	if len(b) < 4 {
		return Null, shortBinary()
	}
	n := be.Uint32(b)
	b = b[4:]
	var lexemes []Lexeme
	for range n {
		end := slices.Index(b, 0)
		if end < 0 || len(b) < end+3 {
			return Null, shortBinary()
		}
		l := Lexeme{Word: string(b[:end])}
		if l.Word == "" {
			return Null, badBinary(TSVectorT)
		}
		if err := CheckEncoding(l.Word); err != nil {
			return Null, err
		}
		count := int(be.Uint16(b[end+1:]))
		b = b[end+3:]
		if len(b) < 2*count {
			return Null, shortBinary()
		}
		for i := range count {
			p := be.Uint16(b[2*i:])
			if p&maxLexemePos == 0 {
				return Null, badBinary(TSVectorT)
			}
			l.Positions, l.Weights = append(l.Positions, p&maxLexemePos), append(l.Weights, 'D'-byte(p>>14))
		}
		b = b[2*count:]
		lexemes = append(lexemes, l)
	}
	if len(b) > 0 {
		return Null, badBinary(TSVectorT)
	}
	return Ref(NewTSVector(lexemes)), nil
}

// storedSize is the length that PostgreSQL's form of the vector has, which its ordering looks at.
func (v *TSVector) storedSize() int {
	n := 4 * len(v.Lexemes)
	for _, l := range v.Lexemes {
		n += len(l.Word)
		if len(l.Positions) > 0 {
			n += n%2 + 2 + 2*len(l.Positions)
		}
	}
	return n
}

// compareTSVector orders by the stored size and the number of lexemes, then by words, positions and weights.
func compareTSVector(a, b *TSVector) int {
	if c := cmp.Compare(a.storedSize(), b.storedSize()); c != 0 {
		return c
	}
	if c := cmp.Compare(len(a.Lexemes), len(b.Lexemes)); c != 0 {
		return c
	}
	for i := range a.Lexemes {
		x, y := &a.Lexemes[i], &b.Lexemes[i]
		if c := cmp.Compare(b2u(len(y.Positions) > 0), b2u(len(x.Positions) > 0)); c != 0 {
			return c
		}
		if c := strings.Compare(x.Word, y.Word); c != 0 {
			return c
		}
		if c := cmp.Compare(len(x.Positions), len(y.Positions)); c != 0 {
			return -c
		}
		for k := range x.Positions {
			if c := cmp.Compare(x.Positions[k], y.Positions[k]); c != 0 {
				return -c
			}
			if c := cmp.Compare(x.Weights[k], y.Weights[k]); c != 0 {
				return c
			}
		}
	}
	return 0
}

type tsqueryParser struct {
	in string
	i  int
}

func (p *tsqueryParser) syntax() error {
	return pgerr.New(pgerr.SyntaxError, "syntax error in tsquery: \"%s\"", p.in)
}

func (p *tsqueryParser) peek() byte {
	for p.i < len(p.in) && isSpace(p.in[p.i]) {
		p.i++
	}
	if p.i < len(p.in) {
		return p.in[p.i]
	}
	return 0
}

func inputTSQuery(s string) (Datum, error) {
	p := tsqueryParser{in: s}
	if p.peek() == 0 {
		return Ref(&TSQuery{}), nil
	}
	q, err := p.binary(0)
	if err == nil && p.peek() != 0 {
		err = p.syntax()
	}
	if err != nil {
		return Null, err
	}
	return Ref(q), nil
}

// tsPriority is how tightly an operator binds: OR, AND, phrase, NOT.
func tsPriority(op byte) int {
	switch op {
	case '|':
		return 1
	case '&':
		return 2
	case '<':
		return 3
	case '!':
		return 4
	}
	return 5
}

func (p *tsqueryParser) binary(level int) (*TSQuery, error) {
	left, err := p.unary()
	if err != nil {
		return nil, err
	}
	for {
		op := p.peek()
		if op != '|' && op != '&' && op != '<' || tsPriority(op) <= level {
			return left, nil
		}
		q := &TSQuery{Op: op, Left: left, Distance: 1}
		if op == '<' {
			end := strings.IndexByte(p.in[p.i:], '>')
			if end < 0 {
				return nil, p.syntax()
			}
			if d := p.in[p.i+1 : p.i+end]; d != "-" {
				n, err := strconv.Atoi(d)
				if err != nil {
					return nil, p.syntax()
				}
				if n < 0 || n > maxLexemePos+1 {
					return nil, pgerr.New(pgerr.InvalidParameterValue, "distance in phrase operator must be an integer value between zero and %d inclusive", maxLexemePos+1)
				}
				q.Distance = n
			}
			p.i += end
		}
		p.i++
		if q.Right, err = p.binary(tsPriority(op)); err != nil {
			return nil, err
		}
		left = q
	}
}

func (p *tsqueryParser) unary() (*TSQuery, error) {
	switch p.peek() {
	case 0:
		return nil, pgerr.New(pgerr.SyntaxError, "no operand in tsquery: \"%s\"", p.in)
	case '!':
		p.i++
		x, err := p.unary()
		if err != nil {
			return nil, err
		}
		return &TSQuery{Op: '!', Left: x}, nil
	case '(':
		p.i++
		x, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		if p.peek() != ')' {
			return nil, p.syntax()
		}
		p.i++
		return x, nil
	}
	word, next, ok := tsWord(p.in, p.i, ":!()&|<")
	if !ok || word == "" {
		return nil, p.syntax()
	}
	p.i = next
	q := &TSQuery{Word: word}
	if p.i < len(p.in) && p.in[p.i] == ':' {
		var has [4]bool
		for p.i++; p.i < len(p.in); p.i++ {
			c := p.in[p.i]
			if c == '*' {
				q.Prefix = true
			} else if u := c &^ 0x20; u >= 'A' && u <= 'D' {
				has[u-'A'] = true
			} else {
				break
			}
		}
		for i, h := range has {
			if h {
				q.Weights += string(rune('A' + i))
			}
		}
	}
	return q, nil
}

func appendTSQuery(dst []byte, q *TSQuery) []byte {
	if q.Op == 0 {
		if q.Word == "" {
			return dst
		}
		dst = appendTSWord(dst, q.Word)
		if q.Prefix || q.Weights != "" {
			dst = append(dst, ':')
			if q.Prefix {
				dst = append(dst, '*')
			}
			dst = append(dst, q.Weights...)
		}
		return dst
	}
	operand := func(x *TSQuery, right bool) {
		pri := tsPriority(x.Op)
		// The phrase operator does not associate to the right.
		if pri < tsPriority(q.Op) || q.Op == '<' && right && x.Op == '<' {
			dst = append(append(appendTSQuery(append(dst, "( "...), x), ' '), ')')
			return
		}
		dst = appendTSQuery(dst, x)
	}
	if q.Op == '!' {
		dst = append(dst, '!')
		operand(q.Left, false)
		return dst
	}
	operand(q.Left, false)
	switch {
	case q.Op != '<':
		dst = append(dst, ' ', q.Op, ' ')
	case q.Distance == 1:
		dst = append(dst, " <-> "...)
	default:
		dst = append(appendInt(append(dst, " <"...), int64(q.Distance)), "> "...)
	}
	operand(q.Right, true)
	return dst
}

// count returns the number of operators and operands.
func (q *TSQuery) count() int {
	switch {
	case q == nil || q.Op == 0 && q.Word == "":
		return 0
	}
	return 1 + q.Left.count() + q.Right.count()
}

func (q *TSQuery) size() int {
	if q == nil {
		return 0
	}
	return 72 + len(q.Word) + len(q.Weights) + q.Left.size() + q.Right.size()
}

// sendTSQuery appends the items in prefix order, the right operand first.
func sendTSQuery(dst []byte, q *TSQuery) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(q.count()))
	if q.count() == 0 {
		return dst
	}
	return sendTSItem(dst, q)
}

func sendTSItem(dst []byte, q *TSQuery) []byte {
	if q.Op == 0 {
		var weights byte
		for i := range len(q.Weights) {
			weights |= 1 << ('D' - q.Weights[i])
		}
		dst = append(dst, 1, weights, byte(b2u(q.Prefix)))
		return append(append(dst, q.Word...), 0)
	}
	dst = append(dst, 2, map[byte]byte{'!': 1, '&': 2, '|': 3, '<': 4}[q.Op])
	if q.Op == '<' {
		dst = binary.BigEndian.AppendUint16(dst, uint16(q.Distance))
	}
	if q.Right != nil {
		dst = sendTSItem(dst, q.Right)
	}
	return sendTSItem(dst, q.Left)
}

// compareTSQuery orders by the number of items, then by the text. PostgreSQL's order among queries of one size follows
// checksums of their words; only equality has a meaning there.
func compareTSQuery(a, b *TSQuery) int {
	if c := cmp.Compare(a.count(), b.count()); c != 0 {
		return c
	}
	return strings.Compare(string(appendTSQuery(nil, a)), string(appendTSQuery(nil, b)))
}
