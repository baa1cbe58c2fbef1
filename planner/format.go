package planner

import (
	"fmt"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
)

// Format prints a plan as an indented tree, one node a line, columns as name#id. It is for tests and debugging; EXPLAIN
// has PostgreSQL's form.
func Format(p *Plan) string {
	f := &formatter{}
	f.node(p.Root, 0)
	return f.b.String()
}

type formatter struct{ b strings.Builder }

func (f *formatter) line(depth int, format string, args ...any) {
	f.b.WriteString(strings.Repeat("  ", depth))
	fmt.Fprintf(&f.b, format, args...)
	f.b.WriteByte('\n')
}

func formatCols(cols []Col) string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = fmt.Sprintf("%s#%d", c.Name, c.ID)
	}
	return strings.Join(out, ", ")
}

// node prints a node, the plans of its subqueries, and its inputs.
func (f *formatter) node(n Node, depth int) {
	var subs []*expr.Subquery
	x := func(e expr.Expr) string { return formatExpr(e, &subs) }
	xs := func(list []expr.Expr) string {
		out := make([]string, len(list))
		for i, e := range list {
			out[i] = x(e)
		}
		return strings.Join(out, ", ")
	}
	f.line(depth, "%s", describeNode(n, x, xs))
	for i, s := range subs {
		sp := s.Plan.(*Subplan)
		outer := ""
		if len(sp.Outer) > 0 {
			outer = fmt.Sprint(" outer ", sp.Outer)
		}
		if sp.Hashed {
			outer += " hashed"
		}
		f.line(depth+1, "subplan %d%s:", i+1, outer)
		f.node(sp.Root, depth+2)
	}
	if w, ok := n.(*With); ok {
		for _, c := range w.CTEs {
			f.line(depth+1, "cte %s [%s]:", c.Name, formatCols(c.Out))
			f.node(c.Base, depth+2)
			if c.Step != nil {
				f.line(depth+1, "step:")
				f.node(c.Step, depth+2)
			}
		}
		f.node(w.Body, depth+1)
		return
	}
	for _, in := range n.Inputs() {
		f.node(in, depth+1)
	}
}

func formatExpr(e expr.Expr, subs *[]*expr.Subquery) string {
	return expr.Deparse(e, expr.DeparseOptions{
		ShowImplicit: true,
		Column:       func(c *expr.ColRef) string { return fmt.Sprintf("%s#%d", c.Name, c.ID) },
		Query: func(e expr.Expr, _ int) (string, bool) {
			s, ok := e.(*expr.Subquery)
			if !ok {
				return "", false
			}
			*subs = append(*subs, s)
			kind := [...]string{"scalar", "exists", "any", "all", "array"}[s.Kind]
			if s.Test != nil {
				return fmt.Sprintf("%s(subplan %d: %s)", kind, len(*subs), formatExpr(s.Test, subs)), true
			}
			return fmt.Sprintf("%s(subplan %d)", kind, len(*subs)), true
		},
	})
}

func describeNode(n Node, x func(expr.Expr) string, xs func([]expr.Expr) string) string {
	switch n := n.(type) {
	case *Scan:
		mode := ""
		if n.ForModify {
			mode = " for modify"
		}
		return fmt.Sprintf("Scan %s%s [%s]", n.Alias, mode, formatCols(n.Out))
	case *Pushed:
		return describePushedNode(n, x, xs)
	case *VirtualScan:
		key := ""
		if n.KeyValue != nil {
			key = fmt.Sprintf(" by %s = %s", n.Key, x(n.KeyValue))
		}
		return fmt.Sprintf("VirtualScan %s%s [%s]", n.Alias, key, formatCols(n.Out))
	case *Values:
		rows := make([]string, len(n.Rows))
		for i, r := range n.Rows {
			rows[i] = "(" + xs(r) + ")"
		}
		return fmt.Sprintf("Values %s [%s]", strings.Join(rows, ", "), formatCols(n.Out))
	case *FuncScan:
		calls := make([]string, len(n.Funcs))
		for i, c := range n.Funcs {
			calls[i] = x(c.Call)
		}
		return fmt.Sprintf("FuncScan %s %s [%s]", n.Alias, strings.Join(calls, ", "), formatCols(n.Out))
	case *Filter:
		return "Filter " + xs(n.Conds)
	case *Project:
		return "Project " + assignList(n.Out, n.Exprs, x)
	case *ProjectSet:
		return "ProjectSet " + assignList(n.Out, n.Exprs, x)
	case *Join:
		return describeJoinNode(n, x, xs)
	case *Aggregate:
		return describeAggregate(n, x, xs)
	case *Window:
		return describeWindow(n, x, xs)
	case *Sort:
		return "Sort " + formatSort(n.Keys, x)
	case *Limit:
		return describeLimit(n, x)
	case *Distinct:
		if n.On != nil {
			return "Distinct on " + xs(n.On)
		}
		return "Distinct"
	case *SetOp:
		all := ""
		if n.All {
			all = " all"
		}
		return fmt.Sprintf("%s%s [%s]", [...]string{"Union", "Intersect", "Except"}[n.Kind], all, formatCols(n.Out))
	case *CTEScan:
		working := ""
		if n.Working {
			working = " working"
		}
		return fmt.Sprintf("CTEScan %s%s [%s]", n.CTE.Name, working, formatCols(n.Out))
	case *LockRows:
		return fmt.Sprintf("LockRows strength %d wait %d", n.Strength, n.Wait)
	}
	return describeModify(n, x, xs)
}

func describeModify(n Node, x func(expr.Expr) string, xs func([]expr.Expr) string) string {
	switch n := n.(type) {
	case *Insert:
		s := fmt.Sprintf("Insert %s targets %v", n.Rel.Name, n.Targets)
		if c := n.Conflict; c != nil {
			s += fmt.Sprintf(" conflict %d indexes", len(c.Indexes))
			if c.Update != nil {
				s += " set " + formatAssigns(c.Update, x)
			}
			if c.Where != nil {
				s += " where " + x(c.Where)
			}
		}
		return s + modifyTail(n.Generated, n.Checks, n.Returning, x, xs)
	case *Update:
		return fmt.Sprintf("Update %s doc #%d set %s", n.Rel.Name, n.Doc, formatAssigns(n.Set, x)) + modifyTail(n.Generated, n.Checks, n.Returning, x, xs)
	case *Merge:
		return fmt.Sprintf("Merge %s doc #%d, %d actions", n.Rel.Name, n.Doc, len(n.Actions)) + modifyTail(n.Generated, n.Checks, nil, x, xs)
	case *Delete:
		return fmt.Sprintf("Delete %s doc #%d", n.Rel.Name, n.Doc) + modifyTail(nil, nil, n.Returning, x, xs)
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", n), "*planner.")
}

func modifyTail(gen []Assign, checks []Check, returning []expr.Expr, x func(expr.Expr) string, xs func([]expr.Expr) string) string {
	s := ""
	if len(gen) > 0 {
		s += " generated " + formatAssigns(gen, x)
	}
	for _, c := range checks {
		s += " check " + c.Name + " " + x(c.Cond)
	}
	if len(returning) > 0 {
		s += " returning " + xs(returning)
	}
	return s
}

func formatAssigns(list []Assign, x func(expr.Expr) string) string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = fmt.Sprintf("%d = %s", a.Attnum, x(a.Value))
	}
	return strings.Join(out, ", ")
}

func assignList(cols []Col, exprs []expr.Expr, x func(expr.Expr) string) string {
	out := make([]string, len(cols))
	for i, c := range cols {
		if r, ok := exprs[i].(*expr.ColRef); ok && r.ID == c.ID {
			out[i] = fmt.Sprintf("%s#%d", c.Name, c.ID)
			continue
		}
		out[i] = fmt.Sprintf("%s#%d := %s", c.Name, c.ID, x(exprs[i]))
	}
	return strings.Join(out, ", ")
}

func formatSort(keys []expr.SortKey, x func(expr.Expr) string) string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = x(k.X)
		if k.Desc {
			out[i] += " desc"
		}
		if k.NullsFirst != k.Desc {
			out[i] += map[bool]string{true: " nulls first", false: " nulls last"}[k.NullsFirst]
		}
	}
	return strings.Join(out, ", ")
}

func describePushedNode(n *Pushed, x func(expr.Expr) string, xs func([]expr.Expr) string) string {
	s := "Pushed " + n.Scan.Alias
	if len(n.Filter) > 0 {
		s += " filter " + xs(n.Filter)
	}
	if len(n.Recheck) > 0 {
		s += " recheck " + xs(n.Recheck)
	}
	if n.Group != nil {
		s += " group " + xs(n.Group.Keys) + formatAggs(n.Group.Aggs, x)
	}
	if len(n.Sort) > 0 {
		s += " sort " + formatSort(n.Sort, x)
	}
	if n.Limit != nil {
		s += " limit " + x(n.Limit)
	}
	if n.Offset != nil {
		s += " offset " + x(n.Offset)
	}
	return fmt.Sprintf("%s [%s]", s, formatCols(n.Out))
}

func describeJoinNode(n *Join, x func(expr.Expr) string, xs func([]expr.Expr) string) string {
	s := [...]string{"Inner", "Left", "Right", "Full", "Semi", "Anti", "AntiNull"}[n.Kind] + "Join"
	if n.Lateral {
		s += " lateral"
	}
	if n.Lookup != nil {
		s += " lookup " + n.Lookup.Index
		if n.Lookup.Limited {
			s += " limited"
		}
		if n.Lookup.Ordered {
			s += " ordered"
		}
	}
	for i, k := range n.Equi {
		s += map[bool]string{true: " equi ", false: ", "}[i == 0] + x(k.Left) + " = " + x(k.Right)
	}
	if len(n.On) > 0 {
		s += " on " + xs(n.On)
	}
	return s
}

func formatAggs(aggs []AggItem, x func(expr.Expr) string) string {
	s := ""
	for _, a := range aggs {
		s += fmt.Sprintf(" %s#%d := %s", a.Col.Name, a.Col.ID, x(a.Agg))
	}
	return s
}

func describeAggregate(n *Aggregate, x func(expr.Expr) string, xs func([]expr.Expr) string) string {
	s := "Aggregate"
	if len(n.Keys) > 0 {
		s += " keys " + assignList(n.KeyCols, n.Keys, x)
	}
	if n.Sets != nil {
		s += fmt.Sprint(" sets ", n.Sets)
	}
	for _, g := range n.Grouping {
		s += fmt.Sprintf(" grouping#%d %v", g.Col.ID, g.Keys)
	}
	return s + formatAggs(n.Aggs, x)
}

func describeWindow(n *Window, x func(expr.Expr) string, xs func([]expr.Expr) string) string {
	s := "Window"
	for _, f := range n.Funcs {
		s += fmt.Sprintf(" %s#%d", f.Col.Name, f.Col.ID)
		if f.Agg != nil {
			s += " := " + x(f.Agg)
		} else {
			s += " := " + x(f.Call)
		}
	}
	if len(n.Partition) > 0 {
		s += " partition " + xs(n.Partition)
	}
	if len(n.Order) > 0 {
		s += " order " + formatSort(n.Order, x)
	}
	return fmt.Sprintf("%s frame %c %c%c", s, n.Frame.Mode, n.Frame.Start.Kind, n.Frame.End.Kind)
}

func describeLimit(n *Limit, x func(expr.Expr) string) string {
	s := "Limit"
	if n.Limit != nil {
		s += " " + x(n.Limit)
	}
	if n.Offset != nil {
		s += " offset " + x(n.Offset)
	}
	if n.WithTies {
		s += " with ties " + formatSort(n.Keys, x)
	}
	return s
}
