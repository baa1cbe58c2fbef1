package types

import (
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Encoding is one of PostgreSQL's character sets.
type Encoding struct {
	// Name is its canonical name, such as LATIN1.
	Name string
	// single or double is set, by how many bytes a character beyond ASCII mostly has; neither for UTF8 and SQL_ASCII, which
	// need no conversion, and for those that there are no tables for.
	single  *singleByte
	double  encoding.Encoding
	aliases []string
}

// encodings are PostgreSQL's, with the other names that it takes, reduced to letters and digits.
var encodings = []*Encoding{
	{Name: "SQL_ASCII"},
	{Name: "UTF8", aliases: []string{"unicode"}},
	{Name: "LATIN1", single: newSingle(charmap.ISO8859_1), aliases: []string{"iso88591"}},
	{Name: "LATIN2", single: newSingle(charmap.ISO8859_2), aliases: []string{"iso88592"}},
	{Name: "LATIN3", single: newSingle(charmap.ISO8859_3), aliases: []string{"iso88593"}},
	{Name: "LATIN4", single: newSingle(charmap.ISO8859_4), aliases: []string{"iso88594"}},
	{Name: "LATIN5", single: newSingle(charmap.ISO8859_9), aliases: []string{"iso88599"}},
	{Name: "LATIN6", single: newSingle(charmap.ISO8859_10), aliases: []string{"iso885910"}},
	{Name: "LATIN7", single: newSingle(charmap.ISO8859_13), aliases: []string{"iso885913"}},
	{Name: "LATIN8", single: newSingle(charmap.ISO8859_14), aliases: []string{"iso885914"}},
	{Name: "LATIN9", single: newSingle(charmap.ISO8859_15), aliases: []string{"iso885915"}},
	{Name: "LATIN10", single: newSingle(charmap.ISO8859_16), aliases: []string{"iso885916"}},
	{Name: "ISO_8859_5", single: newSingle(charmap.ISO8859_5)},
	{Name: "ISO_8859_6", single: newSingle(charmap.ISO8859_6)},
	{Name: "ISO_8859_7", single: newSingle(charmap.ISO8859_7)},
	{Name: "ISO_8859_8", single: newSingle(charmap.ISO8859_8)},
	{Name: "WIN866", single: newSingle(charmap.CodePage866), aliases: []string{"alt", "windows866"}},
	{Name: "WIN874", single: newSingle(charmap.Windows874), aliases: []string{"windows874"}},
	{Name: "WIN1250", single: newSingle(charmap.Windows1250), aliases: []string{"windows1250"}},
	{Name: "WIN1251", single: newSingle(charmap.Windows1251), aliases: []string{"windows1251", "win"}},
	{Name: "WIN1252", single: newSingle(charmap.Windows1252), aliases: []string{"windows1252"}},
	{Name: "WIN1253", single: newSingle(charmap.Windows1253), aliases: []string{"windows1253"}},
	{Name: "WIN1254", single: newSingle(charmap.Windows1254), aliases: []string{"windows1254"}},
	{Name: "WIN1255", single: newSingle(charmap.Windows1255, 0xca, utf8.RuneError), aliases: []string{"windows1255"}},
	{Name: "WIN1256", single: newSingle(charmap.Windows1256), aliases: []string{"windows1256"}},
	{Name: "WIN1257", single: newSingle(charmap.Windows1257), aliases: []string{"windows1257"}},
	{Name: "WIN1258", single: newSingle(charmap.Windows1258), aliases: []string{"windows1258", "abc", "tcvn", "tcvn5712", "vscii"}},
	{Name: "KOI8R", single: newSingle(charmap.KOI8R), aliases: []string{"koi8"}},
	{Name: "KOI8U", single: newSingle(charmap.KOI8U, 0xae, '\u255d', 0xbe, '\u256c')},
	{Name: "EUC_JP", double: japanese.EUCJP},
	{Name: "SJIS", double: japanese.ShiftJIS, aliases: []string{"mskanji", "shiftjis", "win932", "windows932"}},
	{Name: "UHC", double: korean.EUCKR, aliases: []string{"win949", "windows949"}},
	{Name: "GBK", double: simplifiedchinese.GBK, aliases: []string{"win936", "windows936"}},
	{Name: "GB18030"},
	{Name: "BIG5", aliases: []string{"win950", "windows950"}},
	{Name: "EUC_KR"},
	{Name: "EUC_CN"},
	{Name: "EUC_TW"},
	{Name: "EUC_JIS_2004"},
	{Name: "SHIFT_JIS_2004"},
	{Name: "JOHAB"},
	{Name: "MULE_INTERNAL"},
}

// EncodingByName returns an encoding by any of its names, whatever their case and punctuation; nil when there is none.
func EncodingByName(name string) *Encoding {
	key := encodingKey(name)
	for _, e := range encodings {
		if encodingKey(e.Name) == key || slices.Contains(e.aliases, key) {
			return e
		}
	}
	return nil
}

func encodingKey(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// Native reports whether text in the encoding is as it is kept.
func (e *Encoding) Native() bool { return e.Name == "UTF8" || e.Name == "SQL_ASCII" }

// Known reports whether text can be converted between the encoding and UTF8.
func (e *Encoding) Known() bool { return e.Native() || e.converts() }

func (e *Encoding) converts() bool { return e.single != nil || e.double != nil }

func ascii[S string | []byte](s S) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// singleByte are the characters of the bytes from 128 on, utf8.RuneError for none.
type singleByte struct {
	runes [128]rune
	bytes map[rune]byte
}

// newSingle takes the tables of the web, which differ from PostgreSQL's: the ISO sets have control characters below 160, the
// others have none there. patches are pairs of a byte and its character.
func newSingle(m *charmap.Charmap, patches ...rune) *singleByte {
	t := &singleByte{bytes: map[rune]byte{}}
	iso := strings.HasPrefix(m.String(), "ISO")
	for i := range t.runes {
		r := m.DecodeByte(byte(128 + i))
		switch control := i < 32 && (r == utf8.RuneError || r == rune(128+i)); {
		case control && iso:
			r = rune(128 + i)
		case control:
			r = utf8.RuneError
		}
		t.runes[i] = r
	}
	for i := 0; i < len(patches); i += 2 {
		t.runes[patches[i]-128] = patches[i+1]
	}
	for i, r := range t.runes {
		if r != utf8.RuneError {
			t.bytes[r] = byte(128 + i)
		}
	}
	return t
}

// Decode converts text of the encoding; a nil encoding is UTF8. Errors are 22021 and 22P05.
func (e *Encoding) Decode(s string) (string, error) {
	if e == nil || !e.converts() || ascii(s) {
		return s, nil
	}
	if e.single != nil {
		out := make([]byte, 0, 2*len(s))
		for i := range len(s) {
			r := rune(s[i])
			if r >= utf8.RuneSelf {
				if r = e.single.runes[r-128]; r == utf8.RuneError {
					return "", untranslatable(s[i:i+1], e.Name, "UTF8")
				}
			}
			out = utf8.AppendRune(out, r)
		}
		return string(out), nil
	}
	out, err := e.double.NewDecoder().String(s)
	if err != nil {
		return "", pgerr.Internal("%w", err)
	}
	if strings.ContainsRune(out, utf8.RuneError) {
		return "", e.explainBad(s)
	}
	return out, nil
}

// explainBad finds the first sequence that cannot be decoded.
func (e *Encoding) explainBad(s string) error {
	for i := 0; i < len(s); {
		n := 0
		for k := 1; k <= 3 && i+k <= len(s) && n == 0; k++ {
			if out, _ := e.double.NewDecoder().String(s[i : i+k]); !strings.ContainsRune(out, utf8.RuneError) {
				n = k
			}
		}
		if n == 0 {
			bad := s[i:min(i+2, len(s))]
			if len(bad) == 2 && bad[1] >= utf8.RuneSelf {
				return untranslatable(bad, e.Name, "UTF8")
			}
			return pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"%s\": %s", e.Name, hexBytes(bad))
		}
		i += n
	}
	return pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"%s\"", e.Name)
}

// AppendEncoded appends UTF-8 text in the encoding; a nil encoding is UTF8. A character that it lacks is error 22P05.
func (e *Encoding) AppendEncoded(dst []byte, s string) ([]byte, error) {
	if e == nil || !e.converts() || ascii(s) {
		return append(dst, s...), nil
	}
	if e.double != nil {
		if out, err := e.double.NewEncoder().String(s); err == nil {
			return append(dst, out...), nil
		}
	}
	for _, r := range s {
		c, ok := byte(r), r < utf8.RuneSelf
		if !ok && e.single != nil {
			c, ok = e.single.bytes[r]
		} else if !ok {
			_, err := e.double.NewEncoder().String(string(r))
			ok = err == nil
		}
		if !ok {
			return dst, untranslatable(string(r), "UTF8", e.Name)
		}
		dst = append(dst, c)
	}
	return dst, nil
}

// EncodeTail converts what was appended to buf from an offset on.
func (e *Encoding) EncodeTail(buf []byte, from int) ([]byte, error) {
	if e == nil || ascii(buf[from:]) {
		return buf, nil
	}
	return e.AppendEncoded(buf[:from], string(buf[from:]))
}

// EncodeLossy converts text for an error message, in which a question mark stands for what the encoding lacks.
func (e *Encoding) EncodeLossy(s string) string {
	if e == nil || !e.converts() || ascii(s) {
		return s
	}
	var out []byte
	for _, r := range s {
		var err error
		if out, err = e.AppendEncoded(out, string(r)); err != nil {
			out = append(out, '?')
		}
	}
	return string(out)
}

func untranslatable(bytes, from, to string) error {
	return pgerr.New(pgerr.UntranslatableCharacter, "character with byte sequence %s in encoding \"%s\" has no equivalent in encoding \"%s\"",
		hexBytes(bytes), from, to)
}

func hexBytes(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("0x" + hex.EncodeToString([]byte{s[i]}))
	}
	return b.String()
}
