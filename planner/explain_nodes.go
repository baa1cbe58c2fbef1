package planner

import (
	"fmt"

	"github.com/pgmongo/pgmongo/expr"
)

var joinNames = map[JoinKind]string{
	InnerJoin: "", LeftJoin: " Left", RightJoin: " Right", FullJoin: " Full", SemiJoin: " Semi", AntiJoin: " Anti", AntiNullJoin: " Anti",
}

// describe fills in a node's name, properties and children.
func (x *Explainer) describe(out *ExplainNode, n Node) {
	switch n := n.(type) {
	case *Scan:
		out.Type = "Seq Scan"
		if n.Sample != "" {
			out.Type = "Sample Scan"
			out.prop("Sampling", n.Sample)
		}
		if len(n.Within) > 0 {
			out.prop("MongoDB Filter", x.conditions(n.Within))
		}
		x.relation(out, n.Rel, n.Alias)
	case *Pushed:
		x.describePushed(out, n)
	case *VirtualScan:
		out.Type = "Seq Scan"
		if n.Key != "" {
			out.Type = "Index Scan"
		}
		x.relation(out, n.Rel, n.Alias)
		if n.Key != "" {
			out.prop("Index Cond", fmt.Sprintf("(%s = %s)", n.Key, x.Text(n.KeyValue)))
		}
	case *Values:
		out.Type, out.On = "Values Scan", ` on "*VALUES*"`
	case *External:
		out.Type = "Result"
	case *FuncScan:
		out.Type, out.On = "Function Scan", " on "+n.Alias
		if x.Options.Verbose {
			calls := make([]expr.Expr, len(n.Funcs))
			for i, f := range n.Funcs {
				calls[i] = f.Call
			}
			out.prop("Function Call", x.texts(calls))
		}
	case *Result:
		out.Type = "Result"
		if n.Empty {
			out.prop("One-Time Filter", "false")
		}
	case *ProjectSet:
		out.Type = "ProjectSet"
		x.kids(out, n.Input)
	case *Join:
		x.describeJoin(out, n)
	case *Aggregate:
		out.Type = "Aggregate"
		if len(n.Keys) > 0 {
			out.Type = "HashAggregate"
			if n.Sets == nil {
				out.prop("Group Key", x.texts(n.Keys))
			}
		}
		for _, set := range n.Sets {
			keys := make([]expr.Expr, len(set))
			for i, k := range set {
				keys[i] = n.Keys[k]
			}
			out.prop("Hash Key", x.texts(keys))
		}
		x.kids(out, n.Input)
	case *Window:
		out.Type = "WindowAgg"
		x.kids(out, n.Input)
	case *Sort:
		out.Type = "Sort"
		out.prop("Sort Key", x.sortKeys(n.Keys))
		if n.Presorted > 0 {
			out.Type = "Incremental Sort"
			out.prop("Presorted Key", x.sortKeys(n.Keys[:n.Presorted]))
		}
		x.kids(out, n.Input)
	case *Limit:
		out.Type = "Limit"
		x.kids(out, n.Input)
	case *Distinct:
		if n.On != nil {
			out.Type = "Unique"
		} else {
			out.Type = "HashAggregate"
			out.prop("Group Key", columnNames(n.Cols()))
		}
		x.kids(out, n.Input)
	case *SetOp:
		x.describeSetOp(out, n)
	case *Append:
		out.Type = "Append"
		x.kids(out, n.List...)
	case *With:
		x.describeWith(out, n)
	case *CTEScan:
		out.Type = "CTE Scan"
		if n.Working {
			out.Type = "WorkTable Scan"
		}
		out.On = " on " + n.CTE.Name
	case *LockRows:
		out.Type = "LockRows"
		x.kids(out, n.Input)
	case *Insert:
		out.Type = "Insert"
		x.relation(out, n.Rel, "")
		if n.Conflict != nil {
			resolution := "NOTHING"
			if n.Conflict.Update != nil {
				resolution = "UPDATE"
			}
			out.prop("Conflict Resolution", resolution)
		}
		x.kids(out, n.Source)
	case *Update:
		out.Type = "Update"
		x.relation(out, n.Rel, "")
		x.kids(out, n.Source)
	case *Delete:
		out.Type = "Delete"
		x.relation(out, n.Rel, "")
		x.kids(out, n.Source)
	case *Merge:
		out.Type = "Merge"
		x.relation(out, n.Rel, "")
		x.kids(out, n.Source)
	default:
		out.Type = fmt.Sprintf("%T", n)
		x.kids(out, n.Inputs()...)
	}
}

func (x *Explainer) describePushed(out *ExplainNode, n *Pushed) {
	out.Type = "Seq Scan"
	index := indexFor(n)
	if x.Index != nil {
		index = x.Index(n)
	}
	if index != "" {
		out.Type, out.Index = "Index Scan", index
		out.On = " using " + index
	}
	if n.Group != nil {
		out.Type, out.Index, out.On = "Foreign Scan", "", ""
	}
	x.relation(out, n.Scan.Rel, n.Scan.Alias)
	if n.Group != nil {
		if len(n.Group.Keys) > 0 {
			out.prop("Group Key", x.texts(n.Group.Keys))
		}
	}
	if len(n.Sort) > 0 {
		out.prop("Sort Key", x.sortKeys(n.Sort))
	}
	if len(n.Filter) > 0 {
		out.prop("MongoDB Filter", x.conditions(n.Filter))
	}
	if len(n.Recheck) > 0 {
		out.prop("Recheck Cond", x.conditions(n.Recheck))
		if out.Stats != nil && out.Stats.Removed > 0 {
			out.prop("Rows Removed by Index Recheck", out.Stats.Removed)
		}
	}
	if x.Query != nil {
		if q := x.Query(n); q != "" {
			out.prop("MongoDB Pipeline", q)
		}
	}
	if out.Stats != nil && out.Stats.Docs+out.Stats.Keys > 0 {
		out.prop("MongoDB Keys Examined", out.Stats.Keys)
		out.prop("MongoDB Documents Examined", out.Stats.Docs)
	}
	for _, p := range n.NotPushed {
		out.prop("Not Pushed", x.Text(p.Cond)+": "+p.Why)
	}
}

// indexFor names the index that MongoDB is expected to use: the first one whose leading column is in a pushed condition or
// leads the sort.
func indexFor(n *Pushed) string {
	used := map[int16]bool{}
	note := func(e expr.Expr) {
		expr.Walk(e, func(x expr.Expr) bool {
			if c, ok := x.(*expr.ColRef); ok {
				for i, out := range n.Scan.Out {
					if out.ID == c.ID && i < len(n.Scan.Attnums) {
						used[n.Scan.Attnums[i]] = true
					}
				}
			}
			_, isOr := x.(*expr.Or)
			return !isOr
		})
	}
	for _, f := range n.Filter {
		note(f)
	}
	if len(n.Sort) > 0 {
		note(n.Sort[0].X)
	}
	for _, i := range n.Scan.Rel.Indexes {
		if i.MongoName != "" && len(i.Keys) > 0 && used[i.Keys[0].Attnum] {
			return i.Name
		}
	}
	return ""
}

func (x *Explainer) describeJoin(out *ExplainNode, n *Join) {
	out.Type = "Nested Loop" + joinNames[n.Kind]
	if n.Kind != InnerJoin {
		out.Type += " Join"
	}
	if len(n.Equi) > 0 {
		conds := make([]string, len(n.Equi))
		for i, k := range n.Equi {
			conds[i] = "(" + x.Text(k.Left) + " = " + x.Text(k.Right) + ")"
		}
		cond := conds[0]
		for _, c := range conds[1:] {
			cond += " AND " + c
		}
		if len(conds) > 1 {
			cond = "(" + cond + ")"
		}
		if n.Lookup != nil {
			out.prop("Lookup Index", n.Lookup.Index)
			out.prop("Lookup Cond", cond)
		} else {
			out.Type = "Hash" + joinNames[n.Kind] + " Join"
			out.prop("Hash Cond", cond)
		}
	}
	if len(n.On) > 0 {
		out.prop("Join Filter", x.conditions(n.On))
		x.subqueries(out, n.On...)
	}
	x.kids(out, n.Left, n.Right)
}

func (x *Explainer) describeSetOp(out *ExplainNode, n *SetOp) {
	name := map[SetOpKind]string{Intersect: "Intersect", Except: "Except"}[n.Kind]
	switch {
	case n.Kind == Union && n.All:
		out.Type = "Append"
	case n.Kind == Union:
		out.Type = "HashAggregate"
		out.prop("Group Key", columnNames(n.Cols()))
		kid := &ExplainNode{Type: "Append", Rows: out.Rows, Ran: out.Ran}
		x.kids(kid, n.Left, n.Right)
		out.Kids = append(out.Kids, kid)
		return
	case n.All:
		out.Type = "HashSetOp " + name + " All"
	default:
		out.Type = "HashSetOp " + name
	}
	x.kids(out, n.Left, n.Right)
}

// describeWith prints the body's node with the CTEs below it, as PostgreSQL does.
func (x *Explainer) describeWith(out *ExplainNode, n *With) {
	body := x.node(n.Body, nil)
	ran, stats := out.Ran, body.Stats
	*out = *body
	out.Ran, out.Stats = ran, stats
	for _, c := range n.CTEs {
		var kid *ExplainNode
		if c.Recursive {
			kid = &ExplainNode{Type: "Recursive Union", Rows: x.Estimate(c.Base), Ran: ran}
			x.kids(kid, c.Base, c.Step)
		} else {
			kid = x.node(c.Base, nil)
		}
		kid.Label = "CTE " + c.Name
		out.Kids = append([]*ExplainNode{kid}, out.Kids...)
	}
}
