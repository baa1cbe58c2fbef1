package planner

import (
	"strings"
	"testing"
)

// PostgreSQL's JSON says which of its commands a ModifyTable is; the text format has the command alone.
func TestModifyTableInJSON(t *testing.T) {
	for _, command := range []string{"Insert", "Update", "Delete", "Merge"} {
		out, err := (&Explainer{}).FormatJSON(&ExplainNode{Type: command}, Summary{})
		if err != nil {
			t.Fatal(err)
		}
		want := `"Node Type": "ModifyTable",
      "Operation": "` + command + `",`
		if !strings.Contains(out, want) {
			t.Errorf("%s is not in %s", want, out)
		}
	}
}
