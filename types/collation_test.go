package types_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/pgmongo/pgmongo/types"
)

// TestCollator orders words as PostgreSQL 15 with ICU does: SELECT w FROM words ORDER BY w COLLATE "sv-x-icu".
func TestCollator(t *testing.T) {
	for _, c := range []struct{ locale, want string }{
		{"sv", "a A å Å ä Ä ö Ö"},
		{"de", "a A å Å ä Ä ö Ö"},
		{"en-US", "a A å Å ä Ä ö Ö"},
		{"sv", "_ - , ' 1 a aB Ab b þ z å"},
		{"de", "_ - , ' 1 a å aB Ab b z þ"},
	} {
		coll := types.NewCollator(c.locale)
		if coll == nil {
			t.Errorf("%s: no order", c.locale)
			continue
		}
		words := strings.Fields(c.want)
		slices.Reverse(words)
		slices.SortFunc(words, func(a, b string) int { return bytes.Compare(coll.Key(a), coll.Key(b)) })
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.locale, got, c.want)
		}
	}
	for _, l := range []string{"da", "ru", "zh-Hant", "en-US-u-va-posix", "not a locale"} {
		if types.NewCollator(l) != nil {
			t.Errorf("%s has an order that differs from ICU's", l)
		}
	}
	if c := types.NewCollator("de"); bytes.Equal(c.Key("é"), c.Key("e\u0301")) {
		t.Error("canonically equivalent texts have one key: they would be equal")
	}
}

// TestLooseKey finds equal what PostgreSQL does under nondeterministic collations.
func TestLooseKey(t *testing.T) {
	for _, c := range []struct {
		locale, a, b string
		equal        bool
	}{
		{"und-u-ks-level1", "é", "E", true},
		{"und-u-ks-level2", "é", "E", false},
		{"und-u-ks-level2", "é", "É", true},
		{"und-u-ks-level3", "a", "A", false},
		{"und", "é", "e\u0301", true},
		{"en-u-ks-level2", "ﬁ", "FI", true},
	} {
		coll := types.NewCollator(c.locale)
		if got := bytes.Equal(coll.LooseKey(c.a), coll.LooseKey(c.b)); got != c.equal {
			t.Errorf("%s: %q = %q is %v", c.locale, c.a, c.b, got)
		}
		if got := types.CollatedText(coll.TextKey(c.a)); got != c.a {
			t.Errorf("%q comes back as %q", c.a, got)
		}
	}
	if types.NewCollator("en-u-kn-true") != nil || types.NewCollator("de-u-co-phonebk") != nil {
		t.Error("an order that differs from ICU's")
	}
}
