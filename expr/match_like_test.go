package expr

import (
	"strings"
	"testing"

	"github.com/dlclark/regexp2"
)

// like is LIKE by its definition, for patterns without escapes.
func like(s, p string) bool {
	switch {
	case p == "":
		return s == ""
	case p[0] == '%':
		return like(s, p[1:]) || s != "" && like(s[1:], p)
	}
	return s != "" && (p[0] == '_' || p[0] == s[0]) && like(s[1:], p[1:])
}

func words(alphabet string, length int) []string {
	all, last := []string{""}, []string{""}
	for range length {
		var next []string
		for _, w := range last {
			for _, c := range alphabet {
				next = append(next, w+string(c))
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

func TestLikePatternMatchesWhatLikeDoes(t *testing.T) {
	subjects := words("ab", 5)
	for _, p := range words("ab_%", 5) {
		source, ok := likePattern(p, false)
		if !ok {
			t.Fatalf("%q was refused", p)
		}
		re, err := regexp2.Compile(source, regexp2.Singleline)
		if err != nil {
			t.Fatalf("%q: %v", source, err)
		}
		for _, s := range subjects {
			if got, err := re.MatchString(s); err != nil || got != like(s, p) {
				t.Fatalf("%q LIKE %q: %v %v by %s", s, p, got, err, source)
			}
		}
	}
}

// The engine gives up after some ten million steps, and MongoDB takes that for no match.
func TestLikePatternDoesNotTryAllWays(t *testing.T) {
	source, _ := likePattern("%a%b%c%d%e%f%g%h%", false)
	if strings.Count(source, "(?>") != 8 {
		t.Errorf("%s can match what is between two %% in several ways", source)
	}
	for _, c := range [][2]string{{"", `^\z`}, {"a%", `^a.*\z`}, {"%%a", `^.*a\z`}, {"%a%b", `^(?>.*?a).*b\z`}, {"a_%%%_", `^a..*.\z`}} {
		if got, _ := likePattern(c[0], false); got != c[1] {
			t.Errorf("%q: %s, want %s", c[0], got, c[1])
		}
	}
}
