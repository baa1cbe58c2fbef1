package types

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// A tid is kept as its text, "(block,offset)".

func parseTid(s string) (block uint32, off uint16, ok bool) {
	inner, found := strings.CutPrefix(s, "(")
	inner, closed := strings.CutSuffix(inner, ")")
	a, b, comma := strings.Cut(inner, ",")
	if !found || !closed || !comma {
		return 0, 0, false
	}
	x, err1 := strconv.ParseInt(strings.TrimLeft(a, " \t\n\v\f\r"), 10, 64)
	y, err2 := strconv.ParseUint(strings.TrimLeft(b, " \t\n\v\f\r"), 10, 16)
	if err1 != nil || err2 != nil || x > math.MaxUint32 || x < math.MinInt32 {
		return 0, 0, false
	}
	return uint32(x), uint16(y), true
}

func tidText(block uint32, off uint16) string {
	return "(" + strconv.FormatUint(uint64(block), 10) + "," + strconv.FormatUint(uint64(off), 10) + ")"
}

func inputTid(s string) (Datum, error) {
	block, off, ok := parseTid(s)
	if !ok {
		return Null, invalidSyntax("tid", s)
	}
	return Str(tidText(block, off)), nil
}

func receiveTid(b []byte) Datum {
	return Str(tidText(binary.BigEndian.Uint32(b), binary.BigEndian.Uint16(b[4:])))
}

func sendTid(dst []byte, s string) []byte {
	block, off, _ := parseTid(s)
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(dst, block), off)
}

func compareTid(a, b string) int {
	ab, ao, _ := parseTid(a)
	bb, bo, _ := parseTid(b)
	switch {
	case ab < bb || ab == bb && ao < bo:
		return -1
	case ab == bb && ao == bo:
		return 0
	}
	return 1
}

func inputLSN(s string) (Datum, error) {
	a, b, ok := strings.Cut(s, "/")
	hi, err1 := strconv.ParseUint(a, 16, 32)
	lo, err2 := strconv.ParseUint(b, 16, 32)
	if !ok || err1 != nil || err2 != nil {
		return Null, invalidSyntax("pg_lsn", s)
	}
	return Int(int64(hi<<32 | lo)), nil
}

func appendLSN(dst []byte, n uint64) []byte {
	upper := func(v uint64) string { return strings.ToUpper(strconv.FormatUint(v, 16)) }
	return append(append(append(dst, upper(n>>32)...), '/'), upper(n&math.MaxUint32)...)
}

// inputMoney reads an amount in the C locale: $1,234.56, -12, (5).
func inputMoney(s string) (Datum, error) {
	t := trimSpace(s)
	neg := false
	for t != "" {
		switch c := t[0]; {
		case c == '-' || c == '(':
			neg = true
		case c == '+' || c == '$' || isSpace(c):
		default:
			goto digits
		}
		t = t[1:]
	}
digits:
	var n uint64
	i, over, seenPoint, decimals := 0, false, false, 0
	for ; i < len(t); i++ {
		c := t[i]
		switch {
		case isDigit(c) && decimals < 2:
			if n > (math.MaxUint64-9)/10 {
				over = true
			}
			n = n*10 + uint64(c-'0')
			if seenPoint {
				decimals++
			}
			continue
		case c == '.' && !seenPoint:
			seenPoint = true
			continue
		case c == ',' && !seenPoint:
			continue
		}
		break
	}
	if i < len(t) && isDigit(t[i]) && t[i] >= '5' {
		n++
	}
	for i < len(t) && isDigit(t[i]) {
		i++
	}
	for ; decimals < 2; decimals++ {
		if n > (math.MaxUint64-9)/10 {
			over = true
		}
		n *= 10
	}
	for ; i < len(t); i++ {
		switch c := t[i]; {
		case c == '-':
			neg = true
		case c == ')' || c == '$' || c == '+' || isSpace(c):
		default:
			return Null, invalidSyntax("money", s)
		}
	}
	if strings.IndexFunc(t, func(r rune) bool { return r >= '0' && r <= '9' }) < 0 && t != "" {
		return Null, invalidSyntax("money", s)
	}
	if over || n > math.MaxInt64+1 || n == math.MaxInt64+1 && !neg {
		return Null, outOfRange("money", s)
	}
	if neg {
		return Int(-int64(n)), nil
	}
	return Int(int64(n)), nil
}

func appendMoney(dst []byte, n int64) []byte {
	u := uint64(n)
	if n < 0 {
		dst = append(dst, '-')
		u = -u
	}
	whole := strconv.FormatUint(u/100, 10)
	dst = append(dst, '$')
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, whole[i])
	}
	return append2(append(dst, '.'), int(u%100))
}

// inputBits reads a bit string: binary digits, B'..' or X'..'.
func inputBits(s string) (Datum, error) {
	if s == "" {
		return Str(""), nil
	}
	body, hex := s, false
	switch s[0] {
	case 'b', 'B':
		body = s[1:]
	case 'x', 'X':
		body, hex = s[1:], true
	}
	for i := range len(body) {
		_, isHex := hexDigit(body[i])
		if hex && isHex || !hex && (body[i] == '0' || body[i] == '1') {
			continue
		}
		_, n := utf8.DecodeRuneInString(body[i:])
		kind := "binary"
		if hex {
			kind = "hexadecimal"
		}
		return Null, pgerr.New(pgerr.InvalidTextRepresentation, "\"%s\" is not a valid %s digit", body[i:i+n], kind)
	}
	if !hex {
		return Str(body), nil
	}
	b := make([]byte, 0, 4*len(body))
	for i := range len(body) {
		d, _ := hexDigit(body[i])
		for bit := byte(8); bit > 0; bit >>= 1 {
			if d&bit != 0 {
				b = append(b, '1')
			} else {
				b = append(b, '0')
			}
		}
	}
	return Bytes(b), nil
}

func receiveBits(b []byte) (Datum, error) {
	if len(b) < 4 {
		return Null, shortBinary()
	}
	n := int(int32(binary.BigEndian.Uint32(b)))
	b = b[4:]
	if n < 0 {
		return Null, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid length in external bit string")
	}
	if len(b) < (n+7)/8 {
		return Null, shortBinary()
	}
	if len(b) > (n+7)/8 {
		return Null, badBinary(VarbitT)
	}
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + b[i/8]>>(7-i%8)&1
	}
	return Bytes(out), nil
}

func sendBits(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(s)))
	for i := 0; i < len(s); i += 8 {
		var c byte
		for j := i; j < min(i+8, len(s)); j++ {
			c |= (s[j] - '0') << (7 - (j - i))
		}
		dst = append(dst, c)
	}
	return dst
}

func inputEnum(t *T, s string) (Datum, error) {
	for i := range t.Labels {
		if t.Labels[i].Label == s {
			if t.Labels[i].Added {
				return Null, pgerr.New(pgerr.UnsafeNewEnumValueUsage, "unsafe use of new value \"%s\" of enum type %s", s, FormatType(t, -1)).
					WithHint("New enum values must be committed before they can be used.")
			}
			return Str(s), nil
		}
	}
	return Null, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input value for enum %s: \"%s\"", FormatType(t, -1), s)
}

func isReg(t *T) bool {
	switch t.OID {
	case oidRegproc, oidRegprocedure, oidRegoper, oidRegoperator, oidRegclass, oidRegtype, oidRegconfig, oidRegdictionary,
		oidRegnamespace, oidRegrole, oidRegcollation:
		return true
	}
	return false
}

func inputReg(io *IO, t *T, s string) (Datum, error) {
	if s == "-" {
		return Int(0), nil
	}
	digits := s != ""
	for i := range len(s) {
		digits = digits && isDigit(s[i])
	}
	if digits {
		return inputOid(s)
	}
	if io.Names == nil {
		return Null, pgerr.New(pgerr.UndefinedObject, "%s \"%s\" does not exist", strings.TrimPrefix(t.Name, "reg"), s)
	}
	oid, err := io.Names.RegIn(t, s)
	if err != nil {
		return Null, err
	}
	return Int(int64(oid)), nil
}

func outputReg(io *IO, t *T, dst []byte, oid uint32) []byte {
	if oid == 0 {
		return append(dst, '-')
	}
	if io.Names != nil {
		if name, ok := io.Names.RegOut(t, oid); ok {
			return append(dst, name...)
		}
	}
	return appendUint(dst, uint64(oid))
}
