package planner

import (
	"slices"
	"strings"

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
		if !ok || len(call.Args) != 2 {
			continue
		}
		if name, ok := namedBy(call); ok {
			if key := n.keyOf(call.Args[0]); key != "" && call.Args[0].Type().Rep == types.RepString {
				out := *n
				out.Key, out.KeyValue = key, &expr.Const{D: types.Str(name), T: types.TextT, Mod: -1}
				return &out
			}
		}
		if call.Op != "=" {
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

// namedBy returns the one text that a pattern matches: psql asks for relname ~ '^(users)$', pgjdbc for relname LIKE 'users'.
func namedBy(c *expr.Call) (string, bool) {
	pattern := c.Args[1]
	if x, ok := pattern.(*expr.Collate); ok && !x.Key {
		pattern = x.X
	}
	k, ok := pattern.(*expr.Const)
	if !ok || k.D.IsNull() || k.T != types.TextT {
		return "", false
	}
	s, special := k.D.Str(), `%_\`
	switch c.Op {
	case "~~":
	case "~":
		var begins, ends bool
		s, begins = strings.CutPrefix(s, "^(")
		s, ends = strings.CutSuffix(s, ")$")
		special = `\^$.[]|()*+?{}`
		if !begins || !ends {
			return "", false
		}
	default:
		return "", false
	}
	return s, !strings.ContainsAny(s, special)
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

// virtualLeaf is the catalogue scan that gives a join's side its rows, perhaps under a filter and to the left of outer joins
// that are by key themselves.
func virtualLeaf(n Node) *VirtualScan {
	switch n := n.(type) {
	case *Filter:
		return virtualLeaf(n.Input)
	case *Join:
		if n.outerByKey() {
			return virtualLeaf(n.Left)
		}
	case *VirtualScan:
		return n
	}
	return nil
}

// outerByKey reports whether a left join asks a catalogue by key, or will.
func (j *Join) outerByKey() bool {
	if j.Kind != LeftJoin {
		return false
	}
	v := virtualLeaf(j.Right)
	if v == nil || j.Lateral {
		return v != nil && v.KeyValue != nil
	}
	return slices.ContainsFunc(j.Equi, func(k EquiKey) bool { return v.keyOf(k.Right) != "" && sameKeyRep(k.Right, k.Left) })
}

// withVirtualLeaf replaces the scan that virtualLeaf returns.
func withVirtualLeaf(n Node, v *VirtualScan) Node {
	switch n := n.(type) {
	case *Filter:
		return &Filter{Input: withVirtualLeaf(n.Input, v), Conds: n.Conds}
	case *Join:
		return n.WithInputs([]Node{withVirtualLeaf(n.Left, v), n.Right})
	}
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
		c.Right, c.Lateral = withVirtualLeaf(c.Right, &scan), true
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
