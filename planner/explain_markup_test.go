package planner

import "testing"

// TestMarkup lays plans out as PostgreSQL's EXPLAIN (FORMAT XML, COSTS OFF) and (FORMAT YAML, COSTS OFF) do.
func TestMarkup(t *testing.T) {
	x := &Explainer{}
	tree := &ExplainNode{
		Type: "Sort", Props: []ExplainProp{{"Sort Key", []string{`"*VALUES*".column1`, "a < b"}}},
		Kids: []*ExplainNode{{Type: "Values Scan", Alias: "v"}},
	}
	const wantXML = `<explain xmlns="http://www.postgresql.org/2009/explain">
  <Query>
    <Plan>
      <Node-Type>Sort</Node-Type>
      <Parallel-Aware>false</Parallel-Aware>
      <Async-Capable>false</Async-Capable>
      <Sort-Key>
        <Item>&quot;*VALUES*&quot;.column1</Item>
        <Item>a &lt; b</Item>
      </Sort-Key>
      <Plans>
        <Plan>
          <Node-Type>Values Scan</Node-Type>
          <Parent-Relationship>Outer</Parent-Relationship>
          <Parallel-Aware>false</Parallel-Aware>
          <Async-Capable>false</Async-Capable>
        </Plan>
      </Plans>
    </Plan>
  </Query>
</explain>`
	if got := x.FormatXML(tree, Summary{}); got != wantXML {
		t.Errorf("XML:\n%s", got)
	}
	const wantYAML = "- Plan: \n" +
		"    Node Type: \"Sort\"\n" +
		"    Parallel Aware: false\n" +
		"    Async Capable: false\n" +
		"    Sort Key: \n" +
		"      - \"\\\"*VALUES*\\\".column1\"\n" +
		"      - \"a < b\"\n" +
		"    Plans: \n" +
		"      - Node Type: \"Values Scan\"\n" +
		"        Parent Relationship: \"Outer\"\n" +
		"        Parallel Aware: false\n" +
		"        Async Capable: false"
	if got := x.FormatYAML(tree, Summary{}); got != wantYAML {
		t.Errorf("YAML:\n%s", got)
	}
}
