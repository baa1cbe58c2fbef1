package types

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

func invalidSyntax(typeName, s string) error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", typeName, s)
}

func outOfRange(typeName, s string) error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "value \"%s\" is out of range for type %s", s, typeName)
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func trimSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	for s != "" && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func appendInt(dst []byte, n int64) []byte   { return strconv.AppendInt(dst, n, 10) }
func appendUint(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

// ParseBool reads what boolean input accepts: unique prefixes of true, false, yes, no, on, off, and 1, 0, in any case.
func ParseBool(s string) (value, ok bool) {
	s = trimSpace(s)
	if s == "" || len(s) > 5 {
		return false, false
	}
	var buf [5]byte
	for i := range len(s) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	l := string(buf[:len(s)])
	switch {
	case strings.HasPrefix("true", l), strings.HasPrefix("yes", l), l == "on", l == "1":
		return true, true
	case strings.HasPrefix("false", l), strings.HasPrefix("no", l), l == "of", l == "off", l == "0":
		return false, true
	}
	return false, false
}

func inputBool(s string) (Datum, error) {
	v, ok := ParseBool(s)
	if !ok {
		return Null, invalidSyntax("boolean", s)
	}
	return Bool(v), nil
}

func inputInt(s string, bits int, name string) (Datum, error) {
	in := s
	s = trimSpace(s)
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if s == "" {
		return Null, invalidSyntax(name, in)
	}
	var n uint64
	over := false
	for i := range len(s) {
		if !isDigit(s[i]) {
			return Null, invalidSyntax(name, in)
		}
		if n > (math.MaxUint64-9)/10 {
			over = true
		}
		n = n*10 + uint64(s[i]-'0')
	}
	limit := uint64(1) << (bits - 1)
	if over || n > limit || n == limit && !neg {
		return Null, outOfRange(name, in)
	}
	if neg {
		return Int(-int64(n)), nil
	}
	return Int(int64(n)), nil
}

func inputOid(s string) (Datum, error) {
	t := trimSpace(s)
	body := strings.TrimLeft(t, "+-")
	if body == "" || len(t)-len(body) > 1 {
		return Null, invalidSyntax("oid", s)
	}
	n, err := strconv.ParseUint(body, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return Null, outOfRange("oid", s)
	case err != nil:
		return Null, invalidSyntax("oid", s)
	case t[0] == '-' && n > math.MaxInt32+1, n > math.MaxUint32:
		return Null, outOfRange("oid", s)
	case t[0] == '-':
		return Int(int64(uint32(-int64(n)))), nil
	}
	return Int(int64(n)), nil
}

// inputXid reads xid, cid and xid8 as PostgreSQL 15 does, with C's strtoul: what is not a number is 0.
func inputXid(s string, bits int) (Datum, error) {
	s = trimSpace(s)
	base := 10
	switch {
	case strings.HasPrefix(s, "0x"), strings.HasPrefix(s, "0X"):
		base, s = 16, s[2:]
	case strings.HasPrefix(s, "0"):
		base = 8
	}
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	end := 0
	for end < len(s) {
		if _, err := strconv.ParseUint(s[end:end+1], base, 8); err != nil {
			break
		}
		end++
	}
	n, err := strconv.ParseUint(s[:end], base, 64)
	if err != nil && end > 0 {
		n = math.MaxUint64
	}
	if neg {
		n = -n
	}
	if bits == 32 {
		n &= math.MaxUint32
	}
	return Int(int64(n)), nil
}

// ParseFloat reads a float as float4in and float8in do; bits is 32 or 64.
func ParseFloat(s string, bits int) (float64, error) {
	d, err := inputFloat(s, bits)
	return d.Float(), err
}

func inputFloat(s string, bits int) (Datum, error) {
	name := "double precision"
	if bits == 32 {
		name = "real"
	}
	t := trimSpace(s)
	if t == "" || strings.IndexByte(t, '_') >= 0 {
		return Null, invalidSyntax(name, s)
	}
	f, err := strconv.ParseFloat(t, bits)
	if errors.Is(err, strconv.ErrRange) || err == nil && f == 0 && hasNonZeroDigit(t) {
		return Null, pgerr.New(pgerr.NumericValueOutOfRange, "\"%s\" is out of range for type %s", t, name)
	}
	if err != nil {
		if l := strings.ToLower(t); l == "+nan" || l == "-nan" {
			return Float(math.NaN()), nil
		}
		return Null, invalidSyntax(name, s)
	}
	return Float(f), nil
}

func hasNonZeroDigit(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '1' && c <= '9':
			return true
		case c == 'e' || c == 'E':
			return false
		}
	}
	return false
}

// float64Bits gives NaN the one bit pattern that C's NAN has.
func float64Bits(f float64) uint64 {
	if math.IsNaN(f) {
		return 0x7ff8000000000000
	}
	return math.Float64bits(f)
}

// AppendFloat appends a float4 (bits 32) or float8 (64) as PostgreSQL prints it: the shortest form that reads back to the
// same value when extraDigits is positive, else C's %g with 15 (or 6) plus extraDigits digits.
func AppendFloat(dst []byte, f float64, bits, extraDigits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	digits, maxExp := 15, 1e15
	if bits == 32 {
		digits, maxExp = 6, 1e6
	}
	if extraDigits <= 0 {
		return strconv.AppendFloat(dst, f, 'g', max(1, digits+extraDigits), 64)
	}
	a := math.Abs(f)
	small := a < 1e-4
	if bits == 32 {
		small = float32(a) < 1e-4
	}
	if a != 0 && (small || a >= maxExp) {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'e', -1, bits)
		if a >= 1<<24 && a < 1e41 {
			return avoidMidpoint(dst, start, f, bits)
		}
		return dst
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bits)
}

// avoidMidpoint replaces a shortest form that lies exactly half way to the neighbouring float (such as 1e+23): it reads
// back only thanks to round-half-even, which PostgreSQL does not rely on, so it prints the next longer form.
func avoidMidpoint(dst []byte, start int, f float64, bits int) []byte {
	frac, exp := math.Frexp(math.Abs(f))
	mantBits := 53
	if bits == 32 {
		mantBits = 24
	}
	if exp <= mantBits {
		return dst
	}
	mant := uint64(math.Ldexp(frac, mantBits))
	shortest, ok := new(big.Rat).SetString(string(dst[start:]))
	if !ok || !shortest.IsInt() {
		return dst
	}
	half := new(big.Int).Lsh(big.NewInt(1), uint(exp-mantBits-1))
	for _, odd := range []uint64{2*mant - 1, 2*mant + 1} {
		mid := new(big.Int).Mul(new(big.Int).SetUint64(odd), half)
		if mid.CmpAbs(shortest.Num()) != 0 {
			continue
		}
		for prec := 1; prec <= 17; prec++ {
			out := strconv.AppendFloat(dst[:start:start], f, 'e', prec, bits)
			back, err := strconv.ParseFloat(string(out[start:]), bits)
			r, _ := new(big.Rat).SetString(string(out[start:]))
			if err == nil && back == f && r.Cmp(shortest) != 0 {
				return out
			}
		}
	}
	return dst
}
