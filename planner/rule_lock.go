package planner

import (
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// lockSides refuses row locks on the nullable side of an outer join, where a row may be missing that could be locked:
// SELECT * FROM a LEFT JOIN b ON b.a = a.id FOR UPDATE. It comes once joins that a condition makes inner ones are: with
// WHERE b.id > 0 the query is fine.
func lockSides(p *pass, root Node) Node {
	root = mapInputs(root, func(n Node) Node { return lockSides(p, n) })
	l, ok := root.(*LockRows)
	if !ok {
		return root
	}
	var named colSet
	for _, c := range l.Named {
		named.add(c)
	}
	if onNullableSide(l.Input, &named) {
		name := map[LockStrength]string{
			ForKeyShare: "FOR KEY SHARE", ForShare: "FOR SHARE", ForNoKeyUpdate: "FOR NO KEY UPDATE", ForUpdate: "FOR UPDATE",
		}[l.Strength]
		p.err = pgerr.New(pgerr.FeatureNotSupported, "%s cannot be applied to the nullable side of an outer join", name)
	}
	if len(l.Docs) == 0 {
		return l.Input
	}
	return l
}

// onNullableSide reports whether one of the columns comes from a side of an outer join in n that may be missing.
func onNullableSide(n Node, cols *colSet) bool {
	has := func(side Node) bool {
		var out colSet
		out.addCols(side.Cols())
		return out.intersects(cols)
	}
	if j, ok := n.(*Join); ok {
		if (j.Kind == RightJoin || j.Kind == FullJoin) && has(j.Left) || (j.Kind == LeftJoin || j.Kind == FullJoin) && has(j.Right) {
			return true
		}
	}
	for _, in := range n.Inputs() {
		if onNullableSide(in, cols) {
			return true
		}
	}
	return false
}
