package planner

import (
	"encoding/json"
	"fmt"
	"strings"
)

// FormatXML prints the tree as PostgreSQL's XML format.
func (x *Explainer) FormatXML(root *ExplainNode, s Summary) string {
	var b strings.Builder
	b.WriteString("<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>\n")
	writeXML(&b, x.top(root, s), 4)
	b.WriteString("  </Query>\n</explain>")
	return b.String()
}

// writeXML writes the members of an object as elements, a line each.
func writeXML(b *strings.Builder, o object, indent int) {
	pad := strings.Repeat(" ", indent)
	for _, p := range o {
		tag := xmlTag(p.Name)
		switch v := p.Value.(type) {
		case object:
			fmt.Fprintf(b, "%s<%s>\n", pad, tag)
			writeXML(b, v, indent+2)
			fmt.Fprintf(b, "%s</%s>\n", pad, tag)
		case []object:
			fmt.Fprintf(b, "%s<%s>\n", pad, tag)
			for _, e := range v {
				writeXML(b, object{{strings.TrimSuffix(p.Name, "s"), e}}, indent+2)
			}
			fmt.Fprintf(b, "%s</%s>\n", pad, tag)
		case []string:
			fmt.Fprintf(b, "%s<%s>\n", pad, tag)
			for _, e := range v {
				fmt.Fprintf(b, "%s  <Item>%s</Item>\n", pad, xmlText(e))
			}
			fmt.Fprintf(b, "%s</%s>\n", pad, tag)
		default:
			fmt.Fprintf(b, "%s<%s>%s</%s>\n", pad, tag, xmlText(scalarText(v)), tag)
		}
	}
}

// xmlTag makes a name an element's: what is no letter, digit, hyphen, underscore or dot becomes a hyphen.
func xmlTag(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, name)
}

func xmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\"", "&quot;", "\r", "&#x0d;").Replace(s)
}

// scalarText is a number as the formats with types show it, or a word.
func scalarText(v any) string {
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("%.2f", f)
	}
	return fmt.Sprint(v)
}

// FormatYAML prints the tree as PostgreSQL's YAML format.
func (x *Explainer) FormatYAML(root *ExplainNode, s Summary) string {
	var b strings.Builder
	writeYAML(&b, x.top(root, s), 0, true)
	return strings.TrimSuffix(b.String(), "\n")
}

// writeYAML writes the members of an object, a line each; item says that the first one begins an element of a list.
func writeYAML(b *strings.Builder, o object, indent int, item bool) {
	pad := strings.Repeat(" ", indent)
	inner := pad
	if item {
		inner += "  "
	}
	for i, p := range o {
		lead := inner
		if item && i == 0 {
			lead = pad + "- "
		}
		switch v := p.Value.(type) {
		case object:
			fmt.Fprintf(b, "%s%s: \n", lead, p.Name)
			writeYAML(b, v, len(inner)+2, false)
		case []object:
			fmt.Fprintf(b, "%s%s: \n", lead, p.Name)
			for _, e := range v {
				writeYAML(b, e, len(inner)+2, true)
			}
		case []string:
			fmt.Fprintf(b, "%s%s: \n", lead, p.Name)
			for _, e := range v {
				fmt.Fprintf(b, "%s  - %s\n", inner, yamlText(e))
			}
		case string:
			fmt.Fprintf(b, "%s%s: %s\n", lead, p.Name, yamlText(v))
		default:
			fmt.Fprintf(b, "%s%s: %s\n", lead, p.Name, scalarText(v))
		}
	}
}

// yamlText quotes a text as JSON does, but for <, > and &.
func yamlText(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a builder does not fail
	return strings.TrimSuffix(b.String(), "\n")
}
