package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// virtualKeys makes lookups of equalities on the keys of system catalogues: from WHERE oid = 'users'::regclass, and of a
// join's right side for each row of the left. Reading a catalogue about one table then costs the same with ten thousand
// tables. The condition itself stays: a catalogue may yield more rows than were asked for.
func virtualKeys(p *pass, root Node) Node {
	switch n := root.(type) {
	case *Filter:
		if v, ok := n.Input.(*VirtualScan); ok {
			return &Filter{Input: v.withKey(n.Conds), Conds: n.Conds}
		}
	case *Join:
		return p.virtualJoin(n)
	}
	return mapInputs(root, func(n Node) Node { return virtualKeys(p, n) })
}

// withKey gives the scan the first of the conditions that is an equality on a key.
func (n *VirtualScan) withKey(conds []expr.Expr) *VirtualScan {
	if n.KeyValue != nil {
		return n
	}
	var own colSet
	own.addCols(n.Out)
	for _, c := range conds {
		call, ok := c.(*expr.Call)
		if !ok || call.Op != "=" || len(call.Args) != 2 {
			continue
		}
		for i, a := range call.Args {
			other := call.Args[1-i]
			used := colsOf(other)
			if key := n.keyOf(a); key != "" && !used.intersects(&own) && !isVolatile(other) && sameKeyRep(a, other) {
				out := *n
				out.Key, out.KeyValue = key, other
				return &out
			}
		}
	}
	return n
}

func sameKeyRep(a, b expr.Expr) bool { return a.Type().Rep == b.Type().Rep }

// keyOf names the key column that an expression is, seen through casts that keep the value (name to text, domains); "" for
// none.
func (n *VirtualScan) keyOf(e expr.Expr) string {
	for {
		switch x := e.(type) {
		case *expr.Relabel:
			e = x.X
			continue
		case *expr.Collate:
			if x.Key {
				return ""
			}
			e = x.X
			continue
		case *expr.ToDomain:
			if len(x.Checks) > 0 {
				return ""
			}
			e = x.X
			continue
		case *expr.Call:
			if x.Cast == 0 || len(x.Args) != 1 || x.Args[0].Type() != types.NameT || x.T != types.TextT {
				return ""
			}
			e = x.Args[0]
			continue
		case *expr.ColRef:
			for i, c := range n.Out {
				if c.ID != x.ID {
					continue
				}
				col := n.Rel.ByAttnum(n.Attnums[i])
				if col != nil && slices.Contains(n.Rel.Virtual.Keys, col.Name) {
					return col.Name
				}
			}
		}
		return ""
	}
}

// virtualLeaf is the catalogue scan that a join's side consists of, perhaps under a filter.
func virtualLeaf(n Node) *VirtualScan {
	if f, ok := n.(*Filter); ok {
		n = f.Input
	}
	v, _ := n.(*VirtualScan)
	return v
}

// virtualJoin runs the right side by key for each row of the left.
func (p *pass) virtualJoin(j *Join) Node {
	c := *j
	c.Left, c.Right = virtualKeys(p, j.Left), virtualKeys(p, j.Right)
	v := virtualLeaf(c.Right)
	if v == nil || v.KeyValue != nil || c.Kind != InnerJoin && c.Kind != LeftJoin {
		return &c
	}
	for _, k := range c.Equi {
		key := v.keyOf(k.Right)
		if key == "" || !sameKeyRep(k.Right, k.Left) {
			continue
		}
		scan := *v
		scan.Key, scan.KeyValue = key, k.Left
		var right Node = &scan
		if f, ok := c.Right.(*Filter); ok {
			right = &Filter{Input: right, Conds: f.Conds}
		}
		c.Right, c.Lateral = right, true
		c.On = append(slices.Clone(c.On), p.equiConds(c.Equi)...)
		c.Equi = nil
		return &c
	}
	return &c
}

// equiConds makes conditions of split-off equalities again.
func (p *pass) equiConds(keys []EquiKey) []expr.Expr {
	out := make([]expr.Expr, len(keys))
	for i, k := range keys {
		out[i] = &expr.Call{Fn: k.Eq, Args: []expr.Expr{k.Left, k.Right}, T: types.BoolT, Mod: -1, Op: "=", Loc: -1}
	}
	return out
}
