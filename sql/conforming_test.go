package sql

import (
	"testing"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

func TestConform(t *testing.T) {
	off := Lexing{Escapes: true, Warn: true}
	for _, tc := range []struct {
		name, in, want string
		warnings       int
	}{
		{"escapes", `select 'a\nb', 'x'`, "select 'a\nb' , 'x'", 1},
		{"quote", `select 'it\'s'`, `select 'it''s'`, 1},
		{"only the first of a constant warns", `select 'c:\\a\\b'`, `select 'c:\a\b'  `, 1},
		{"continued on another line", "select 'a'\n '\\t' ", "select 'a'\n '\t'  ", 1},
		{"characters beyond ASCII", `'\u00e9\xc3\xa9\303\251'`, `'ééé'                `, 1},
		{"a surrogate pair", `'\uD83D\uDE00'`, "'😀'        ", 1},
		{"E'' and what goes on after it", "E'a\\nb'\n'\\n' '\\n'", "E'a\\nb'\n'\\n' '\n' ", 1},
		{"N''", `n'a\n'`, "n'a\n' ", 1},
		{"an identifier before a quote", `select'\n'`, "select'\n' ", 1},
		{"no constants", `$$\n$$ $q$'\n$q$ "a\b" /* '\n /* ' */ */ $1 -- '\n`, `$$\n$$ $q$'\n$q$ "a\b" /* '\n /* ' */ */ $1 -- '\n`, 0},
		{"bit strings", `b'1' x'1f' '\n'`, "b'1' x'1f' '\n' ", 1},
		{"open at the end", `select 'a\'`, `select 'a\'`, 1},
		{"a name with a dollar sign", `a$b$ '\n' $b$`, "a$b$ '\n'  $b$", 1},
	} {
		got, warnings, err := off.Conform(tc.in)
		if err != nil || got != tc.want || len(warnings) != tc.warnings {
			t.Errorf("%s: %q, %d warnings, %v, want %q", tc.name, got, len(warnings), err, tc.want)
		}
		if len(got) != len(tc.in) {
			t.Errorf("%s: %d bytes became %d", tc.name, len(tc.in), len(got))
		}
	}
	for _, tc := range []struct {
		in   string
		l    Lexing
		code pgerr.Code
	}{
		{`U&'\0041'`, off, pgerr.FeatureNotSupported},
		{`'\u00zz'`, off, pgerr.InvalidEscapeSequence},
		{`'\xff'`, off, pgerr.CharacterNotInRepertoire},
		{`'\0'`, off, pgerr.CharacterNotInRepertoire},
		{`'\uD83D'`, off, pgerr.SyntaxError},
		{`'it\'s'`, Lexing{Escapes: true, NoQuote: true}, pgerr.NonstandardUseOfEscapeCharacter},
		{`E'it\'s'`, Lexing{NoQuote: true}, pgerr.NonstandardUseOfEscapeCharacter},
	} {
		if _, _, err := tc.l.Conform(tc.in); !pgerr.Is(err, tc.code) {
			t.Errorf("%s: %v, want %s", tc.in, err, tc.code)
		}
	}
	if got, _, err := (Lexing{NoQuote: true}).Conform(`'a\' E'\n'`); got != `'a\' E'\n'` || err != nil {
		t.Errorf("with standard strings: %q, %v", got, err)
	}
}
