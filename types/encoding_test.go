package types

import "testing"

// What convert_from and convert_to answer in PostgreSQL 15.
func TestEncodings(t *testing.T) {
	for _, c := range []struct{ name, bytes, text, err string }{
		{"latin1", "caf\xe9", "café", ""},
		{"ISO-8859-15", "\xa4", "€", ""},
		{"latin9", "\x80", "\u0080", ""},
		{"koi8u", "\xae", "╝", ""},
		{"win1252", "\x80\x9f", "€Ÿ", ""},
		{"win1252", "\x81", "", `character with byte sequence 0x81 in encoding "WIN1252" has no equivalent in encoding "UTF8" (SQLSTATE 22P05)`},
		{"win1255", "\xca", "", `character with byte sequence 0xca in encoding "WIN1255" has no equivalent in encoding "UTF8" (SQLSTATE 22P05)`},
		{"EUC_JP", "\xa4\xa2a", "あa", ""},
		{"EUC_JP", "a\x81\x30", "", `invalid byte sequence for encoding "EUC_JP": 0x81 0x30 (SQLSTATE 22021)`},
		{"GBK", "\xd6\xd0", "中", ""},
		{"sql_ascii", "é", "é", ""},
	} {
		e := EncodingByName(c.name)
		text, err := e.Decode(c.bytes)
		if err != nil {
			if err.Error() != c.err {
				t.Errorf("%s %q: %v, want %s", c.name, c.bytes, err, c.err)
			}
			continue
		}
		if text != c.text || c.err != "" {
			t.Errorf("%s %q: %q, want %q %s", c.name, c.bytes, text, c.text, c.err)
		}
		if back, err := e.AppendEncoded(nil, text); err != nil || string(back) != c.bytes {
			t.Errorf("%s %q: back %q, %v", c.name, text, back, err)
		}
	}
	_, err := EncodingByName("latin1").AppendEncoded(nil, "x€")
	if want := `character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1" (SQLSTATE 22P05)`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if EncodingByName("klingon") != nil {
		t.Error("an encoding that does not exist")
	}
}
