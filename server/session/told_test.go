package session

import (
	"testing"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

func TestNoticesOfARepeatedStatement(t *testing.T) {
	n := func(text string) *pgerr.Error { return pgerr.New(pgerr.SuccessfulCompletion, "%s", text) }
	told := &told{}
	for i, step := range []struct {
		notice string // "" runs again
		first  bool
	}{
		{"a", true},
		{"b", true},
		{"b", true},
		{"", false},
		{"a", false},
		{"b", false},
		{"c", true},
		{"d", true},
		{"", false},
		{"a", false},
		{"b", false},
		{"c", false},
		{"d", false},
		{"e", true},
	} {
		if step.notice == "" {
			told.again()
		} else if got := told.first("NOTICE", n(step.notice)); got != step.first {
			t.Errorf("step %d, %s: %v", i, step.notice, got)
		}
	}
}
