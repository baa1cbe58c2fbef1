package types

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// nameLen is the greatest length of an identifier in bytes (NAMEDATALEN - 1).
const nameLen = 63

// CheckEncoding returns PostgreSQL's 22021 error for text that is not UTF-8 or has a zero byte.
func CheckEncoding(s string) error {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return nil
	}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if s[i] == 0 || r == utf8.RuneError && n <= 1 {
			return badEncoding(s[i:])
		}
		i += n
	}
	return nil
}

// badEncoding words the error about the bad sequence at the start of s: as many bytes as its first byte announces.
func badEncoding(s string) error {
	n := 1
	switch c := s[0]; {
	case c >= 0xf0 && c <= 0xf7:
		n = 4
	case c >= 0xe0 && c <= 0xef:
		n = 3
	case c >= 0xc0 && c <= 0xdf:
		n = 2
	}
	return pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": %s", hexBytes(s[:min(n, len(s))]))
}

func inputText(s string) (Datum, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return Null, badEncoding("\x00")
	}
	return Str(s), nil
}

func receiveText(io *IO, b []byte) (Datum, error) {
	s, err := io.Encoding.Decode(string(b))
	if err != nil {
		return Null, err
	}
	return receiveUTF8([]byte(s))
}

func receiveUTF8(b []byte) (Datum, error) {
	s := string(b)
	if err := CheckEncoding(s); err != nil {
		return Null, err
	}
	return Str(s), nil
}

// ClipUTF8 shortens s to at most n bytes without cutting a character.
func ClipUTF8(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func inputName(s string) (Datum, error) { return inputText(ClipUTF8(s, nameLen)) }

func receiveName(io *IO, b []byte) (Datum, error) {
	d, err := receiveText(io, b)
	if err == nil && len(d.Str()) > nameLen {
		return Null, pgerr.New(pgerr.NameTooLong, "identifier too long").WithDetail("Identifier must be less than 64 characters.")
	}
	return d, err
}

func inputChar(s string) (Datum, error) {
	// A backslash and three octal digits give one byte, so that every value can be read back.
	if len(s) == 4 && s[0] == '\\' && isOctal(s[1]) && isOctal(s[2]) && isOctal(s[3]) {
		c := (s[1]-'0')<<6 | (s[2]-'0')<<3 | (s[3] - '0')
		if c == 0 {
			return Str(""), nil
		}
		return Str(string([]byte{c})), nil
	}
	if s == "" {
		return Str(""), nil
	}
	return Str(s[:1]), nil
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }

func appendChar(dst []byte, s string) []byte {
	if s == "" {
		return dst
	}
	if c := s[0]; c >= 0x80 {
		return append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
	}
	return append(dst, s[0])
}

func inputBytea(s string) (Datum, error) {
	if strings.HasPrefix(s, `\x`) {
		b, err := DecodeHex(s[2:])
		if err != nil {
			return Null, err
		}
		return Bytes(b), nil
	}
	if strings.IndexByte(s, '\\') < 0 {
		return Str(s), nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			b = append(b, s[i])
		case i+1 < len(s) && s[i+1] == '\\':
			b = append(b, '\\')
			i++
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && isOctal(s[i+2]) && isOctal(s[i+3]):
			b = append(b, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|(s[i+3]-'0'))
			i += 3
		default:
			return Null, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type bytea")
		}
	}
	return Bytes(b), nil
}

// DecodeHex reads pairs of hexadecimal digits with white space between them, as bytea input and decode() do.
func DecodeHex(s string) ([]byte, error) {
	b := make([]byte, 0, len(s)/2)
	for i := 0; i < len(s); {
		if c := s[i]; c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			i++
			continue
		}
		hi, ok := hexDigit(s[i])
		if !ok {
			return nil, badHexDigit(s[i:])
		}
		if i+1 >= len(s) {
			return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
		}
		lo, ok := hexDigit(s[i+1])
		if !ok {
			return nil, badHexDigit(s[i+1:])
		}
		b = append(b, hi<<4|lo)
		i += 2
	}
	return b, nil
}

func badHexDigit(s string) error {
	_, n := utf8.DecodeRuneInString(s)
	return pgerr.New(pgerr.InvalidParameterValue, "invalid hexadecimal digit: \"%s\"", s[:n])
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

func appendBytea(dst []byte, s string, escape bool) []byte {
	if !escape {
		return hex.AppendEncode(append(dst, `\x`...), []byte(s))
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\\':
			dst = append(dst, `\\`...)
		case c < 0x20 || c > 0x7e:
			dst = append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func inputUUID(s string) (Datum, error) {
	var u [16]byte
	in := s
	braced := strings.HasPrefix(s, "{")
	if braced {
		s = s[1:]
	}
	for i := range u {
		if len(s) < 2 {
			return Null, invalidSyntax("uuid", in)
		}
		hi, ok1 := hexDigit(s[0])
		lo, ok2 := hexDigit(s[1])
		if !ok1 || !ok2 {
			return Null, invalidSyntax("uuid", in)
		}
		u[i] = hi<<4 | lo
		s = s[2:]
		// A hyphen may follow every second byte but the last.
		if i%2 == 1 && i < 15 && strings.HasPrefix(s, "-") {
			s = s[1:]
		}
	}
	if braced {
		if !strings.HasPrefix(s, "}") {
			return Null, invalidSyntax("uuid", in)
		}
		s = s[1:]
	}
	if s != "" {
		return Null, invalidSyntax("uuid", in)
	}
	return Str(string(u[:])), nil
}

func appendUUID(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	for i := range len(s) {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[s[i]>>4], digits[s[i]&15])
	}
	return dst
}
