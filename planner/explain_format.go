package planner

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Summary is what EXPLAIN prints below the tree.
type Summary struct {
	PlanningMS, ExecutionMS float64
	Settings                []ExplainProp
}

// FormatText prints the tree as PostgreSQL's text format, one line an element.
func (x *Explainer) FormatText(root *ExplainNode, s Summary) []string {
	lines := x.textNode(nil, root, 0, "")
	if x.Options.Settings && len(s.Settings) > 0 {
		parts := make([]string, len(s.Settings))
		for i, p := range s.Settings {
			parts[i] = fmt.Sprintf("%s = '%v'", p.Name, p.Value)
		}
		lines = append(lines, "Settings: "+strings.Join(parts, ", "))
	}
	if x.Options.Summary {
		lines = append(lines, fmt.Sprintf("Planning Time: %.3f ms", s.PlanningMS))
		if x.Options.Analyze {
			lines = append(lines, fmt.Sprintf("Execution Time: %.3f ms", s.ExecutionMS))
		}
	}
	return lines
}

func (x *Explainer) textNode(lines []string, n *ExplainNode, indent int, arrow string) []string {
	pad := strings.Repeat(" ", indent)
	if n.Label != "" {
		lines = append(lines, pad+n.Label)
		indent += 2
		pad = strings.Repeat(" ", indent)
		arrow = "->  "
	}
	line := pad + arrow + n.Type + n.On
	if x.Options.Costs {
		line += fmt.Sprintf("  (cost=0.00..%.2f rows=%d width=0)", float64(n.Rows), n.Rows)
	}
	if n.Ran {
		line += x.actual(n.Stats)
	}
	lines = append(lines, line)
	inner := indent + len(arrow) + 2
	pad = strings.Repeat(" ", inner)
	for _, p := range n.Props {
		lines = append(lines, pad+p.Name+": "+propText(p.Value))
	}
	for _, k := range n.Kids {
		lines = x.textNode(lines, k, inner, "->  ")
	}
	return lines
}

func (x *Explainer) actual(s *NodeStats) string {
	switch {
	case s == nil || s.Loops == 0:
		return " (never executed)"
	case x.Options.Timing:
		loops := float64(s.Loops)
		return fmt.Sprintf(" (actual time=%.3f..%.3f rows=%d loops=%d)", s.StartupMS/loops, s.TotalMS/loops, s.Rows/s.Loops, s.Loops)
	}
	return fmt.Sprintf(" (actual rows=%d loops=%d)", s.Rows/s.Loops, s.Loops)
}

func propText(v any) string {
	switch v := v.(type) {
	case []string:
		return strings.Join(v, ", ")
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// object is a JSON object that keeps the order of its members.
type object []ExplainProp

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, p := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := json.Marshal(p.Name)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(p.Value)
		if err != nil {
			return nil, err
		}
		b.Write(k)
		b.WriteByte(':')
		b.Write(v)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// top is what the formats with structure show: the plan and what stands beside it.
func (x *Explainer) top(root *ExplainNode, s Summary) object {
	top := object{{"Plan", x.jsonNode(root, "")}}
	if x.Options.Settings && len(s.Settings) > 0 {
		top = append(top, ExplainProp{"Settings", object(s.Settings)})
	}
	if x.Options.Summary {
		top = append(top, ExplainProp{"Planning Time", round3(s.PlanningMS)})
		if x.Options.Analyze {
			top = append(top, ExplainProp{"Execution Time", round3(s.ExecutionMS)})
		}
	}
	return top
}

// FormatJSON prints the tree as PostgreSQL's JSON format.
func (x *Explainer) FormatJSON(root *ExplainNode, s Summary) (string, error) {
	out, err := json.MarshalIndent([]any{x.top(root, s)}, "", "  ")
	return string(out), err
}

func round3(f float64) json.Number { return json.Number(fmt.Sprintf("%.3f", f)) }

func (x *Explainer) jsonNode(n *ExplainNode, relationship string) object {
	o := object{{"Node Type", n.Type}}
	add := func(name string, value any) { o = append(o, ExplainProp{name, value}) }
	switch n.Type {
	case "Insert", "Update", "Delete", "Merge":
		o = object{{"Node Type", "ModifyTable"}, {"Operation", n.Type}}
	}
	if relationship != "" {
		add("Parent Relationship", relationship)
	}
	if n.Label != "" {
		add("Subplan Name", n.Label)
	}
	add("Parallel Aware", false)
	add("Async Capable", false)
	if n.Index != "" {
		add("Index Name", n.Index)
	}
	if n.Rel != nil {
		add("Relation Name", n.Rel.Name)
		if x.Options.Verbose {
			add("Schema", n.Rel.Schema)
		}
		alias := n.Alias
		if alias == "" {
			alias = n.Rel.Name
		}
		add("Alias", alias)
	}
	if x.Options.Costs {
		add("Startup Cost", 0.0)
		add("Total Cost", float64(n.Rows))
		add("Plan Rows", n.Rows)
		add("Plan Width", 0)
	}
	if n.Ran {
		s := n.Stats
		if s == nil {
			s = &NodeStats{}
		}
		loops := max(s.Loops, 1)
		if x.Options.Timing {
			add("Actual Startup Time", round3(s.StartupMS/float64(loops)))
			add("Actual Total Time", round3(s.TotalMS/float64(loops)))
		}
		add("Actual Rows", s.Rows/loops)
		add("Actual Loops", s.Loops)
	}
	o = append(o, n.Props...)
	if len(n.Kids) > 0 {
		kids := make([]object, len(n.Kids))
		names := []string{"Outer", "Inner"}
		plain := 0
		for i, k := range n.Kids {
			rel := "Member"
			switch {
			case strings.HasPrefix(k.Label, "InitPlan") || strings.HasPrefix(k.Label, "CTE"):
				rel = "InitPlan"
			case k.Label != "":
				rel = "SubPlan"
			case plain < 2:
				rel = names[plain]
				plain++
			}
			kids[i] = x.jsonNode(k, rel)
		}
		add("Plans", kids)
	}
	return o
}
