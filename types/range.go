package types

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The OIDs of the built-in ranges over discrete types, which have a canonical form: [lower,upper).
const (
	oidInt4Range = 3904
	oidDateRange = 3912
	oidInt8Range = 3926
)

// Bound is one end of a range; a NULL Val is infinite.
type Bound struct {
	Val   Datum
	Inc   bool
	Lower bool
}

// Bounds returns the ends of a non-empty range.
func (r *Range) Bounds() (lower, upper Bound) {
	return Bound{r.Lower, r.LowerInc, true}, Bound{r.Upper, r.UpperInc, false}
}

// CompareBounds orders two bounds, lower or upper, over a subtype: an exclusive lower bound is above the inclusive one of
// the same value, an exclusive upper bound below it.
func CompareBounds(sub *T, a, b Bound) int {
	switch {
	case a.Val.IsNull() && b.Val.IsNull():
		if a.Lower == b.Lower {
			return 0
		}
		return boundSide(a.Lower)
	case a.Val.IsNull():
		return boundSide(a.Lower)
	case b.Val.IsNull():
		return -boundSide(b.Lower)
	}
	if c := Compare(sub, a.Val, b.Val); c != 0 {
		return c
	}
	return cmp.Compare(boundShift(a), boundShift(b))
}

func boundSide(lower bool) int {
	if lower {
		return -1
	}
	return 1
}

// boundShift says where a bound lies beside its value: -1 just below, 0 at it, 1 just above.
func boundShift(b Bound) int {
	if b.Inc {
		return 0
	}
	return -boundSide(b.Lower)
}

// NewRange returns the canonical form of a range of type t (which may be a domain); NULL bounds are infinite. Errors:
// 22000 when the lower bound is above the upper, 22003 when a discrete bound has no successor.
func NewRange(t *T, lower, upper Datum, lowerInc, upperInc, empty bool) (*Range, error) {
	t = t.BaseType()
	if empty {
		return &Range{Empty: true}, nil
	}
	r := &Range{Lower: lower, Upper: upper, LowerInc: lowerInc && !lower.IsNull(), UpperInc: upperInc && !upper.IsNull()}
	if !lower.IsNull() && !upper.IsNull() {
		switch c := Compare(t.Subtype, lower, upper); {
		case c > 0:
			return nil, pgerr.New(pgerr.DataException, "range lower bound must be less than or equal to range upper bound")
		case c == 0 && !(r.LowerInc && r.UpperInc):
			return &Range{Empty: true}, nil
		}
	}
	if t.OID == oidInt4Range || t.OID == oidInt8Range || t.OID == oidDateRange {
		var err error
		infinite := func(d Datum) bool {
			return t.OID == oidDateRange && (d.Int() == DateInfinity || d.Int() == DateNegInfinity)
		}
		if !lower.IsNull() && !r.LowerInc && !infinite(lower) {
			if r.Lower, err = successor(t.OID, lower); err != nil {
				return nil, err
			}
			r.LowerInc = true
		}
		if !upper.IsNull() && r.UpperInc && !infinite(upper) {
			if r.Upper, err = successor(t.OID, upper); err != nil {
				return nil, err
			}
			r.UpperInc = false
		}
		if !lower.IsNull() && !upper.IsNull() && r.Lower.Int() >= r.Upper.Int() && !(r.LowerInc && r.UpperInc) {
			return &Range{Empty: true}, nil
		}
	}
	return r, nil
}

func successor(rangeOID uint32, d Datum) (Datum, error) {
	n := d.Int()
	switch rangeOID {
	case oidInt4Range:
		if n == math.MaxInt32 {
			return Null, pgerr.New(pgerr.NumericValueOutOfRange, "integer out of range")
		}
	case oidInt8Range:
		if n == math.MaxInt64 {
			return Null, pgerr.New(pgerr.NumericValueOutOfRange, "bigint out of range")
		}
	default:
		if !ValidDate(n + 1) {
			return Null, pgerr.New(pgerr.DatetimeFieldOverflow, "date out of range")
		}
	}
	return Int(n + 1), nil
}

// CompareRange orders ranges over a subtype: empty first, then by lower and by upper bound.
func CompareRange(sub *T, a, b *Range) int {
	if a.Empty || b.Empty {
		return cmp.Compare(b2u(b.Empty), b2u(a.Empty))
	}
	al, au := a.Bounds()
	bl, bu := b.Bounds()
	if c := CompareBounds(sub, al, bl); c != 0 {
		return c
	}
	return CompareBounds(sub, au, bu)
}

func compareMultirange(sub *T, a, b *Multirange) int {
	for i := range min(len(a.Ranges), len(b.Ranges)) {
		if c := CompareRange(sub, a.Ranges[i], b.Ranges[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.Ranges), len(b.Ranges))
}

func hashRange(sub *T, r *Range, seed uint64) uint64 {
	if r.Empty {
		return mix(seed, 1)
	}
	h := mix(seed, b2u(r.LowerInc)<<2|b2u(r.UpperInc)<<1)
	return hashNullable(sub, r.Upper, hashNullable(sub, r.Lower, h))
}

// NewMultirange returns the multirange of any ranges over a subtype: sorted, without empty ones, overlapping and adjacent
// ones joined.
func NewMultirange(sub *T, ranges []*Range) *Multirange {
	live := slices.DeleteFunc(slices.Clone(ranges), func(r *Range) bool { return r.Empty })
	slices.SortFunc(live, func(a, b *Range) int { return CompareRange(sub, a, b) })
	m := &Multirange{}
	for _, r := range live {
		if n := len(m.Ranges); n > 0 && touches(sub, m.Ranges[n-1], r) {
			_, lastUpper := m.Ranges[n-1].Bounds()
			_, upper := r.Bounds()
			if CompareBounds(sub, upper, lastUpper) > 0 {
				joined := *m.Ranges[n-1]
				joined.Upper, joined.UpperInc = r.Upper, r.UpperInc
				m.Ranges[n-1] = &joined
			}
			continue
		}
		m.Ranges = append(m.Ranges, r)
	}
	return m
}

// touches reports whether b, which does not start before a, overlaps a or begins where it ends.
func touches(sub *T, a, b *Range) bool {
	if a.Upper.IsNull() || b.Lower.IsNull() {
		return true
	}
	c := Compare(sub, a.Upper, b.Lower)
	return c > 0 || c == 0 && (a.UpperInc || b.LowerInc)
}

func inputRange(io *IO, t *T, s string) (Datum, error) {
	malformed := func(detail string) (Datum, error) {
		return Null, pgerr.New(pgerr.InvalidTextRepresentation, "malformed range literal: \"%s\"", s).WithDetail("%s", detail)
	}
	body := strings.TrimLeft(s, " \t\n\v\f\r")
	if len(body) >= 5 && strings.EqualFold(body[:5], "empty") {
		if trimSpace(body[5:]) != "" {
			return malformed("Junk after \"empty\" key word.")
		}
		return Ref(&Range{Empty: true}), nil
	}
	if body == "" || body[0] != '[' && body[0] != '(' {
		return malformed("Missing left parenthesis or bracket.")
	}
	lowerText, i, lowerInf, ok := quotedItem(body, 1, "])")
	if !ok {
		return malformed("Unexpected end of input.")
	}
	if body[i] != ',' {
		return malformed("Missing comma after lower bound.")
	}
	upperText, i, upperInf, ok := quotedItem(body, i+1, "])")
	if !ok {
		return malformed("Unexpected end of input.")
	}
	if body[i] == ',' {
		return malformed("Too many commas.")
	}
	if trimSpace(body[i+1:]) != "" {
		return malformed("Junk after right parenthesis or bracket.")
	}
	var lower, upper Datum
	var err error
	if !lowerInf {
		if lower, err = Input(io, t.Subtype, -1, lowerText); err != nil {
			return Null, err
		}
	}
	if !upperInf {
		if upper, err = Input(io, t.Subtype, -1, upperText); err != nil {
			return Null, err
		}
	}
	r, err := NewRange(t, lower, upper, body[0] == '[', body[i] == ']', false)
	if err != nil {
		return Null, err
	}
	return Ref(r), nil
}

func outputRange(io *IO, t *T, dst []byte, r *Range) []byte {
	if r.Empty {
		return append(dst, "empty"...)
	}
	bound := func(d Datum) {
		if !d.IsNull() {
			start := len(dst)
			dst = appendQuotedItem(Output(io, t.Subtype, dst, d), start, "()[]")
		}
	}
	if r.LowerInc {
		dst = append(dst, '[')
	} else {
		dst = append(dst, '(')
	}
	bound(r.Lower)
	dst = append(dst, ',')
	bound(r.Upper)
	if r.UpperInc {
		return append(dst, ']')
	}
	return append(dst, ')')
}

// The flag bits of a range's binary form.
const (
	rangeEmpty    = 0x01
	rangeLowerInc = 0x02
	rangeUpperInc = 0x04
	rangeLowerInf = 0x08
	rangeUpperInf = 0x10
)

func sendRange(io *IO, t *T, dst []byte, r *Range) ([]byte, error) {
	if r.Empty {
		return append(dst, rangeEmpty), nil
	}
	var flags byte
	for _, f := range []struct {
		set bool
		bit byte
	}{{r.LowerInc, rangeLowerInc}, {r.UpperInc, rangeUpperInc}, {r.Lower.IsNull(), rangeLowerInf}, {r.Upper.IsNull(), rangeUpperInf}} {
		if f.set {
			flags |= f.bit
		}
	}
	dst = append(dst, flags)
	var err error
	for _, d := range []Datum{r.Lower, r.Upper} {
		if d.IsNull() {
			continue
		}
		if dst, err = appendBinaryField(io, t.Subtype, dst, d); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func receiveRange(io *IO, t *T, b []byte) (Datum, error) {
	if len(b) < 1 {
		return Null, shortBinary()
	}
	flags := b[0] & (rangeEmpty | rangeLowerInc | rangeUpperInc | rangeLowerInf | rangeUpperInf)
	b = b[1:]
	var vals [2]Datum
	for i, inf := range []byte{rangeLowerInf, rangeUpperInf} {
		if flags&(rangeEmpty|inf) != 0 {
			continue
		}
		field, rest, null, err := binaryField(b)
		if err != nil {
			return Null, err
		}
		if null {
			return Null, shortBinary()
		}
		b = rest
		if vals[i], err = Receive(io, t.Subtype, -1, field); err != nil {
			return Null, err
		}
	}
	if len(b) > 0 {
		return Null, badBinary(t)
	}
	r, err := NewRange(t, vals[0], vals[1], flags&rangeLowerInc != 0, flags&rangeUpperInc != 0, flags&rangeEmpty != 0)
	if err != nil {
		return Null, err
	}
	return Ref(r), nil
}

func inputMultirange(io *IO, t *T, s string) (Datum, error) {
	malformed := func(detail string) (Datum, error) {
		return Null, pgerr.New(pgerr.InvalidTextRepresentation, "malformed multirange literal: \"%s\"", s).WithDetail("%s", detail)
	}
	i := 0
	space := func() {
		for i < len(s) && isSpace(s[i]) {
			i++
		}
	}
	space()
	if i >= len(s) || s[i] != '{' {
		return malformed("Missing left brace.")
	}
	i++
	var ranges []*Range
	for first := true; ; first = false {
		space()
		if i >= len(s) {
			return malformed("Unexpected end of input.")
		}
		if first && s[i] == '}' {
			break
		}
		start := i
		switch {
		case s[i] == '[' || s[i] == '(':
			var ok bool
			if i, ok = rangeEnd(s, i); !ok {
				return malformed("Unexpected end of input.")
			}
		case len(s)-i >= 5 && strings.EqualFold(s[i:i+5], "empty"):
			i += 5
		default:
			return malformed("Expected range start.")
		}
		d, err := inputRange(io, t.RangeOf, s[start:i])
		if err != nil {
			return Null, err
		}
		ranges = append(ranges, d.Range())
		space()
		if i >= len(s) {
			return malformed("Unexpected end of input.")
		}
		if s[i] == '}' {
			break
		}
		if s[i] != ',' {
			return malformed("Expected comma or end of multirange.")
		}
		i++
	}
	if trimSpace(s[i+1:]) != "" {
		return malformed("Junk after closing right brace.")
	}
	return Ref(NewMultirange(t.Subtype, ranges)), nil
}

// rangeEnd returns the position behind the range that begins at s[i].
func rangeEnd(s string, i int) (int, bool) {
	quoted := false
	for i++; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ']' || c == ')'):
			return i + 1, true
		}
	}
	return i, false
}

func outputMultirange(io *IO, t *T, dst []byte, m *Multirange) []byte {
	dst = append(dst, '{')
	for i, r := range m.Ranges {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = outputRange(io, t.RangeOf, dst, r)
	}
	return append(dst, '}')
}

func sendMultirange(io *IO, t *T, dst []byte, m *Multirange) ([]byte, error) {
	be := binary.BigEndian
	dst = be.AppendUint32(dst, uint32(len(m.Ranges)))
	var err error
	for _, r := range m.Ranges {
		if dst, err = appendBinaryField(io, t.RangeOf, dst, Ref(r)); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func receiveMultirange(io *IO, t *T, b []byte) (Datum, error) {
	if len(b) < 4 {
		return Null, shortBinary()
	}
	n := binary.BigEndian.Uint32(b)
	b = b[4:]
	var ranges []*Range
	for range n {
		field, rest, null, err := binaryField(b)
		if err != nil {
			return Null, err
		}
		if null {
			return Null, shortBinary()
		}
		b = rest
		d, err := receiveRange(io, t.RangeOf, field)
		if err != nil {
			return Null, err
		}
		ranges = append(ranges, d.Range())
	}
	if len(b) > 0 {
		return Null, badBinary(t)
	}
	return Ref(NewMultirange(t.Subtype, ranges)), nil
}
