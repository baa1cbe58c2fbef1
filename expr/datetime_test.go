package expr_test

import (
	"os"
	"strings"
	"testing"
)

// The expected column of testdata/datetime*.tsv is what PostgreSQL 15 answers; testdata/dump.sh makes it.
func TestDateTimeExpressions(t *testing.T) {
	r := newResolver()
	for _, name := range []string{"datetime", "datetime_format", "number_format"} {
		data, err := os.ReadFile("testdata/" + name + ".tsv")
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
			text, want, _ := strings.Cut(line, "\t")
			if got := answer(r, text); got != want {
				t.Errorf("%s\n got %s\nwant %s", text, got, want)
			}
		}
	}
}
