package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
)

// pushElementFilter lets MongoDB choose the documents whose arrays may hold rows of a child table that qualify. Other elements come along,
// so that the conditions stay above: WHERE sku = 'x' reads the documents that have such an element.
func pushElementFilter(c *Context, n Node) Node {
	f, ok := n.(*Filter)
	if !ok || c.Settings.PushdownOff {
		return nil
	}
	s, ok := f.Input.(*Scan)
	if !ok || s.Rel.Unwind == nil || len(s.Within) > 0 || s.Sample != "" || s.NullMisfits || s.Rel.Collated || c.Settings.StrictErrors {
		return nil
	}
	out := *s
	for _, cond := range f.Conds {
		if match, _ := s.Filter(cond); match != nil {
			out.Within = append(out.Within, cond)
		}
	}
	if len(out.Within) == 0 {
		return nil
	}
	return &Filter{Input: &out, Conds: f.Conds}
}

// Filter compiles a condition on the rows of a scan for MongoDB, nil with the reason when it cannot. A condition on the rows of a child
// table becomes one of the documents: that an element fulfils it. An element that is null is a row of NULLs, but no document to
// MongoDB: WHERE sku IS NULL stays here.
func (n *Scan) Filter(cond expr.Expr) (*expr.Match, string) {
	match, why := n.Matcher().Filter(cond)
	if match == nil || n.Rel.Unwind == nil {
		return match, why
	}
	used := colsOf(cond)
	var own colSet
	elements, parent := false, false
	for i, att := range n.Attnums {
		if i >= len(n.Out) || !used.has(n.Out[i].ID) {
			continue
		}
		own.add(n.Out[i].ID)
		col := n.Rel.ByAttnum(att)
		switch {
		case col == nil || col.Form == catalog.FormOrdinal:
			return nil, "the position in an array"
		case len(relative(col, n.Rel.Unwind)) < len(col.Path):
			elements = true
		default:
			parent = true
		}
	}
	if !elements {
		return match, ""
	}
	if parent {
		return nil, "elements compared with their document"
	}
	if notNull := rejects(cond); !own.subsetOf(&notNull) {
		return nil, "elements that are null"
	}
	return match.Element(n.Rel.Unwind), ""
}

// relative is a column's path inside of the array's element, its path in the document if it is not in the array.
func relative(col *catalog.Column, unwind []string) []string {
	if len(col.Path) > len(unwind) && slices.Equal(col.Path[:len(unwind)], unwind) {
		return col.Path[len(unwind):]
	}
	return col.Path
}
