package planner

import (
	"fmt"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
)

// ExplainOptions are EXPLAIN's options, as PostgreSQL names them.
type ExplainOptions struct {
	Analyze, Verbose, Costs, Timing, Summary, Buffers, Settings bool
	Format                                                      string // "text" or "json"
}

// NodeStats is what execution found out about one node.
type NodeStats struct {
	StartupMS, TotalMS float64
	Rows, Loops        int64
	Removed            int64 // rows that a filter or a recheck took out
	// Keys and Docs are the index keys and documents that MongoDB examined.
	Keys, Docs int64
}

// Explainer turns plans into EXPLAIN's tree.
type Explainer struct {
	Options ExplainOptions
	// Text prints an expression.
	Text func(expr.Expr) string
	// Estimate gives the expected number of rows of a node.
	Estimate func(Node) int64
	// Stats returns what execution measured, nil without ANALYZE or for a node that never ran.
	Stats func(Node) *NodeStats
	// Query renders what a Pushed node sends to MongoDB; "" when that is not known yet. Index names the index that MongoDB
	// chooses for it.
	Query func(*Pushed) string
	Index func(*Pushed) string
	// subplans are numbered in the order of their appearance.
	subplans int
}

// ExplainNode is one node of EXPLAIN's output.
type ExplainNode struct {
	Type  string // "Hash Join"
	On    string // " on t x", " using i on t"
	Rel   *catalog.Relation
	Alias string
	Index string
	Label string // "CTE c", "SubPlan 1", "InitPlan 1 (returns $0)"
	Props []ExplainProp
	Kids  []*ExplainNode
	Rows  int64
	Stats *NodeStats
	Ran   bool // ANALYZE: there are measurements, or "never executed"
}

// ExplainProp is one line below a node; Value is a string, a []string, an int64 or a float64.
type ExplainProp struct {
	Name  string
	Value any
}

func (n *ExplainNode) prop(name string, value any) {
	n.Props = append(n.Props, ExplainProp{name, value})
}

// Tree returns the explained plan.
func (x *Explainer) Tree(plan *Plan) *ExplainNode { return x.node(plan.Root, nil) }

// node explains n; filter are the conditions of Filter nodes above, which PostgreSQL prints at the node that applies them.
func (x *Explainer) node(n Node, filter []expr.Expr) *ExplainNode {
	switch n := n.(type) {
	case *Filter:
		return x.node(n.Input, append(append([]expr.Expr{}, filter...), n.Conds...))
	case *Project:
		out := x.node(n.Input, filter)
		x.subqueries(out, n.Exprs...)
		return out
	}
	out := &ExplainNode{Rows: x.Estimate(n), Ran: x.Options.Analyze}
	if x.Stats != nil {
		out.Stats = x.Stats(n)
	}
	x.describe(out, n)
	if x.Options.Verbose && len(n.Cols()) > 0 {
		out.prop("Output", columnNames(n.Cols()))
	}
	if len(filter) > 0 {
		out.prop("Filter", x.conditions(filter))
		if out.Stats != nil && out.Stats.Removed > 0 {
			out.prop("Rows Removed by Filter", out.Stats.Removed)
		}
		x.subqueries(out, filter...)
	}
	return out
}

func columnNames(cols []Col) []string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
	}
	return names
}

// conditions prints a conjunction as PostgreSQL does: (a > 1), or ((a > 1) AND (b = 2)).
func (x *Explainer) conditions(conds []expr.Expr) string {
	parts := make([]string, len(conds))
	for i, c := range conds {
		parts[i] = x.Text(c)
		if !strings.HasPrefix(parts[i], "(") {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return "(" + strings.Join(parts, " AND ") + ")"
}

func (x *Explainer) texts(exprs []expr.Expr) []string {
	out := make([]string, len(exprs))
	for i, e := range exprs {
		out[i] = x.Text(e)
	}
	return out
}

func (x *Explainer) sortKeys(keys []expr.SortKey) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = x.Text(k.X)
		if k.Desc {
			out[i] += " DESC"
		}
		if k.NullsFirst != k.Desc {
			if k.NullsFirst {
				out[i] += " NULLS FIRST"
			} else {
				out[i] += " NULLS LAST"
			}
		}
	}
	return out
}

// subqueries adds the plans of the subqueries in exprs below a node.
func (x *Explainer) subqueries(out *ExplainNode, exprs ...expr.Expr) {
	for _, e := range exprs {
		expr.Walk(e, func(s expr.Expr) bool {
			sub, ok := s.(*expr.Subquery)
			if !ok {
				return true
			}
			plan, ok := sub.Plan.(*Subplan)
			if !ok {
				return true
			}
			x.subplans++
			kid := x.node(plan.Root, nil)
			kid.Label = fmt.Sprintf("SubPlan %d", x.subplans)
			if len(plan.Outer) == 0 && sub.Kind != expr.SubAny && sub.Kind != expr.SubAll {
				kid.Label = fmt.Sprintf("InitPlan %d (returns $%d)", x.subplans, x.subplans-1)
			}
			out.Kids = append(out.Kids, kid)
			return true
		})
	}
}

func (x *Explainer) kids(out *ExplainNode, nodes ...Node) {
	for _, n := range nodes {
		out.Kids = append(out.Kids, x.node(n, nil))
	}
}

func (x *Explainer) relation(out *ExplainNode, rel *catalog.Relation, alias string) {
	out.Rel, out.Alias = rel, alias
	name := rel.Name
	if x.Options.Verbose {
		name = rel.Schema + "." + rel.Name
	}
	out.On += " on " + name
	if alias != "" && alias != rel.Name {
		out.On += " " + alias
	}
}
