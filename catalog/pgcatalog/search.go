package pgcatalog

import (
	"github.com/pgmongo/pgmongo/expr"
)

// tokenTypes are the kinds of token that the default text search parser knows, by number from 1.
var tokenTypes = []struct{ alias, description string }{
	{"asciiword", "Word, all ASCII"},
	{"word", "Word, all letters"},
	{"numword", "Word, letters and digits"},
	{"email", "Email address"},
	{"url", "URL"},
	{"host", "Host"},
	{"sfloat", "Scientific notation"},
	{"version", "Version number"},
	{"hword_numpart", "Hyphenated word part, letters and digits"},
	{"hword_part", "Hyphenated word part, all letters"},
	{"hword_asciipart", "Hyphenated word part, all ASCII"},
	{"blank", "Space symbols"},
	{"tag", "XML tag"},
	{"protocol", "Protocol head"},
	{"numhword", "Hyphenated word, letters and digits"},
	{"asciihword", "Hyphenated word, all ASCII"},
	{"hword", "Hyphenated word, all letters"},
	{"url_path", "URL path"},
	{"file", "File or path name"},
	{"float", "Decimal notation"},
	{"int", "Signed integer"},
	{"uint", "Unsigned integer"},
	{"entity", "XML entity"},
}

// searchFunctions describe the text search parser.
func searchFunctions() []expr.Impl {
	b := &builder{}
	b.set("ts_token_type", func(_ env, _ []datum, yield func(...datum) error) error {
		for i, t := range tokenTypes {
			if err := yield(num(i+1), text(t.alias), text(t.description)); err != nil {
				return err
			}
		}
		return nil
	})
	return b.out
}
