package types

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// PostgreSQL's limits of numeric: digits before and after the decimal point.
const (
	maxNumericInt   = 131072
	maxNumericScale = 16383
)

// A numeric datum is an apd.Decimal whose Exponent is at most 0 (its scale is -Exponent, as PostgreSQL displays it) and
// which has no negative zero. NaN and the infinities use Form.

func numericOverflow() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value overflows numeric format")
}

// NumericScale returns the number of digits after the decimal point that d displays.
func NumericScale(d *apd.Decimal) int32 { return max(0, -d.Exponent) }

// IsNaN reports whether a numeric is NaN.
func IsNaN(d *apd.Decimal) bool { return d.Form == apd.NaN || d.Form == apd.NaNSignaling }

// NumericFromInt64 returns an integer as numeric with scale 0.
func NumericFromInt64(n int64) *apd.Decimal { return apd.New(n, 0) }

// ParseNumeric reads the text form of a numeric, exactly.
func ParseNumeric(s string) (*apd.Decimal, error) {
	t := trimSpace(s)
	bad := func() (*apd.Decimal, error) { return nil, invalidSyntax("numeric", s) }
	if t == "" {
		return bad()
	}
	d := new(apd.Decimal)
	body := t
	if body[0] == '+' || body[0] == '-' {
		d.Negative = body[0] == '-'
		body = body[1:]
	}
	if body == "" {
		return bad()
	}
	if !isDigit(body[0]) && body[0] != '.' {
		switch strings.ToLower(body) {
		case "nan":
			if len(body) != len(t) {
				return bad()
			}
			d.Form = apd.NaN
			return d, nil
		case "inf", "infinity":
			d.Form = apd.Infinite
			return d, nil
		}
		return bad()
	}
	return parseDigits(d, body, s)
}

func parseDigits(d *apd.Decimal, body, in string) (*apd.Decimal, error) {
	point, end := -1, 0
	for ; end < len(body); end++ {
		if c := body[end]; c == '.' && point < 0 {
			point = end
		} else if !isDigit(c) {
			break
		}
	}
	digits, scale := body[:end], 0
	if point >= 0 {
		scale = end - point - 1
		digits = body[:point] + body[point+1:end]
	}
	if digits == "" {
		return nil, invalidSyntax("numeric", in)
	}
	exp := 0
	if end < len(body) {
		if body[end]|0x20 != 'e' {
			return nil, invalidSyntax("numeric", in)
		}
		var err error
		if exp, err = parseExponent(body[end+1:], in); err != nil {
			return nil, err
		}
	}
	trimmed := strings.TrimLeft(digits, "0")
	if trimmed == "" {
		// A zero keeps its scale, but has no weight: 0e200000 is 0.
		d.Negative = false
		if scale-exp > maxNumericScale {
			return nil, numericOverflow()
		}
		d.Exponent = -int32(max(0, scale-exp))
		return d, nil
	}
	scale -= exp
	if scale > maxNumericScale || len(trimmed)-scale > maxNumericInt {
		return nil, numericOverflow()
	}
	if scale < 0 {
		trimmed += strings.Repeat("0", -scale)
		scale = 0
	}
	d.Exponent = -int32(scale)
	setCoeff(d, trimmed)
	return d, nil
}

func parseExponent(s, in string) (int, error) {
	body := strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")
	if body == "" || len(s)-len(body) > 1 {
		return 0, invalidSyntax("numeric", in)
	}
	for i := range len(body) {
		if !isDigit(body[i]) {
			return 0, invalidSyntax("numeric", in)
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n >= 1<<30 || n <= -(1<<30) {
		return 0, numericOverflow()
	}
	return n, nil
}

func setCoeff(d *apd.Decimal, digits string) {
	if len(digits) <= 19 {
		n, err := strconv.ParseUint(digits, 10, 64)
		if err == nil {
			d.Coeff.SetUint64(n)
			return
		}
	}
	d.Coeff.SetString(digits, 10)
}

// AppendNumeric appends the text form of a numeric.
func AppendNumeric(dst []byte, d *apd.Decimal) []byte {
	switch {
	case IsNaN(d):
		return append(dst, "NaN"...)
	case d.Form == apd.Infinite && d.Negative:
		return append(dst, "-Infinity"...)
	case d.Form == apd.Infinite:
		return append(dst, "Infinity"...)
	}
	if d.Negative && !d.IsZero() {
		dst = append(dst, '-')
	}
	start := len(dst)
	if d.Coeff.IsUint64() {
		dst = strconv.AppendUint(dst, d.Coeff.Uint64(), 10)
	} else {
		dst = d.Coeff.Append(dst, 10)
	}
	for range max(0, d.Exponent) {
		if dst[start] == '0' {
			break
		}
		dst = append(dst, '0')
	}
	scale := int(NumericScale(d))
	if scale == 0 {
		return dst
	}
	n := len(dst) - start
	if pad := scale + 1 - n; pad > 0 {
		// Make room for the leading zeros: 5 with scale 3 is 0.005.
		for range pad {
			dst = append(dst, '0')
		}
		copy(dst[start+pad:], dst[start:start+n])
		for i := range pad {
			dst[start+i] = '0'
		}
	}
	dst = append(dst, 0)
	at := len(dst) - 1 - scale
	copy(dst[at+1:], dst[at:])
	dst[at] = '.'
	return dst
}

// CompareNumeric orders numerics; NaN equals itself and is greater than everything else.
func CompareNumeric(a, b *apd.Decimal) int {
	an, bn := IsNaN(a), IsNaN(b)
	switch {
	case an && bn:
		return 0
	case an:
		return 1
	case bn:
		return -1
	}
	return a.Cmp(b)
}

// sendNumeric appends the binary form: groups of four decimal digits, without leading and trailing zero groups.
func sendNumeric(dst []byte, d *apd.Decimal) []byte {
	be := binary.BigEndian
	header := func(digits int, weight int, sign uint16, scale int32) {
		dst = be.AppendUint16(dst, uint16(digits))
		dst = be.AppendUint16(dst, uint16(int16(weight)))
		dst = be.AppendUint16(dst, sign)
		dst = be.AppendUint16(dst, uint16(scale))
	}
	switch {
	case IsNaN(d):
		header(0, 0, 0xC000, 0)
		return dst
	case d.Form == apd.Infinite && d.Negative:
		header(0, 0, 0xF000, 0x20)
		return dst
	case d.Form == apd.Infinite:
		header(0, 0, 0xD000, 0x20)
		return dst
	case d.IsZero():
		header(0, 0, 0, NumericScale(d))
		return dst
	}
	var sign uint16
	if d.Negative {
		sign = 0x4000
	}
	var buf [64]byte
	digits := d.Coeff.Append(buf[:0], 10)
	scale := int(-d.Exponent)
	for ; scale < 0; scale++ {
		digits = append(digits, '0')
	}
	// Pad on both sides so that the decimal point falls between groups.
	for ; scale%4 != 0; scale++ {
		digits = append(digits, '0')
	}
	lead := (4 - len(digits)%4) % 4
	groups := make([]uint16, 0, len(digits)/4+1)
	for i := -lead; i < len(digits); i += 4 {
		var g uint16
		for j := max(0, i); j < i+4; j++ {
			g = g*10 + uint16(digits[j]-'0')
		}
		groups = append(groups, g)
	}
	weight := len(groups) - scale/4 - 1
	for len(groups) > 0 && groups[0] == 0 {
		groups = groups[1:]
		weight--
	}
	for len(groups) > 0 && groups[len(groups)-1] == 0 {
		groups = groups[:len(groups)-1]
	}
	header(len(groups), weight, sign, NumericScale(d))
	for _, g := range groups {
		dst = be.AppendUint16(dst, g)
	}
	return dst
}

func receiveNumeric(b []byte) (Datum, error) {
	be := binary.BigEndian
	if len(b) < 8 {
		return Null, shortBinary()
	}
	n, weight, sign, scale := int(be.Uint16(b)), int(int16(be.Uint16(b[2:]))), be.Uint16(b[4:]), int(be.Uint16(b[6:]))
	b = b[8:]
	bad := func(what string) (Datum, error) {
		return Null, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid %s in external \"numeric\" value", what)
	}
	d := new(apd.Decimal)
	switch sign {
	case 0, 0x4000:
	case 0xC000:
		d.Form = apd.NaN
		return Num(d), nil
	case 0xD000, 0xF000:
		d.Form, d.Negative = apd.Infinite, sign == 0xF000
		return Num(d), nil
	default:
		return bad("sign")
	}
	if scale > maxNumericScale {
		return bad("scale")
	}
	if len(b) < 2*n {
		return Null, shortBinary()
	}
	if len(b) > 2*n {
		return Null, badBinary(NumericT)
	}
	digits := make([]byte, 0, 4*n+scale+4)
	for i := range n {
		g := be.Uint16(b[2*i:])
		if g > 9999 {
			return bad("digit")
		}
		digits = append(digits, '0'+byte(g/1000), '0'+byte(g/100%10), '0'+byte(g/10%10), '0'+byte(g%10))
	}
	// The digits stand for weight+1 groups before the point; bring them to exactly scale digits after it.
	want := 4*(weight+1) + scale
	for len(digits) < want {
		digits = append(digits, '0')
	}
	text := strings.TrimLeft(string(digits[:max(0, want)]), "0")
	d.Exponent = -int32(scale)
	if text != "" {
		setCoeff(d, text)
		d.Negative = sign == 0x4000
	}
	return Num(d), nil
}

// RoundNumeric returns d rounded half away from zero to a scale, which may be negative; the result has that scale (or 0).
func RoundNumeric(d *apd.Decimal, scale int32) *apd.Decimal {
	if d.Form != apd.Finite {
		return d
	}
	r := new(apd.Decimal)
	r.Set(d)
	normalizeExponent(r)
	if -r.Exponent > scale {
		drop := -r.Exponent - scale
		pow := pow10(drop)
		var rem apd.BigInt
		r.Coeff.QuoRem(&r.Coeff, pow, &rem)
		rem.Add(&rem, &rem)
		if rem.Cmp(pow) >= 0 {
			r.Coeff.Add(&r.Coeff, apd.NewBigInt(1))
		}
		r.Exponent = -scale
		normalizeExponent(r)
	}
	if add := scale + r.Exponent; add > 0 {
		r.Coeff.Mul(&r.Coeff, pow10(add))
		r.Exponent = -scale
	}
	if r.Coeff.Sign() == 0 {
		r.Negative = false
	}
	return r
}

// normalizeExponent establishes the invariant of numeric datums in place: no positive exponent, no negative zero.
func normalizeExponent(d *apd.Decimal) {
	if d.Exponent > 0 {
		if d.Coeff.Sign() != 0 {
			d.Coeff.Mul(&d.Coeff, pow10(d.Exponent))
		}
		d.Exponent = 0
	}
	if d.Coeff.Sign() == 0 {
		d.Negative = false
	}
}

// significantDigits returns a coefficient's decimal digits without trailing zeros, and how many zeros these were.
func significantDigits(c *apd.BigInt) (digits []byte, zeros int32) {
	digits = c.Append(nil, 10)
	for len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		zeros++
	}
	return digits, zeros
}

func pow10(n int32) *apd.BigInt {
	return new(apd.BigInt).Exp(apd.NewBigInt(10), apd.NewBigInt(int64(n)), nil)
}
