package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
)

// pushOrder lets an index give the rows below a limited sort in order where the limit itself must stay here: the leaf's
// conditions are checked again, or a sort key is a timestamp, whose index knows only its milliseconds. It returns nil
// where that does not apply, or where MongoDB can take the limit as well.
func pushOrder(c *Context, l *Limit, s *Sort, below Node, keys []expr.SortKey) Node {
	p := asPushed(c, below)
	if p == nil || p.Limit != nil || p.Offset != nil || p.Group != nil || len(p.Sort) > 0 {
		return nil
	}
	leaf := orderedLeaf(p, keys)
	if leaf == nil || !leaf.Coarse && len(p.Recheck) == 0 {
		return nil
	}
	out := *l
	out.Input = presorted(s, replaceLeaf(s.Input, leaf), leaf)
	return &out
}

// presorted is a sort of rows that come in the order of a leaf below.
func presorted(s *Sort, in Node, leaf *Pushed) Node {
	if !leaf.Coarse {
		return in
	}
	return &Sort{Input: in, Keys: s.Keys, Presorted: len(leaf.Sort)}
}

// orderedLeaf returns a leaf whose documents come in the order of the keys by an index, nil if none has it. At a key that is
// a timestamp with microseconds the order ends, with its milliseconds: the leaf is then Coarse.
func orderedLeaf(p *Pushed, keys []expr.SortKey) *Pushed {
	m := p.Scan.Matcher()
	leaf := *p
	leaf.Sort = keys
	for i, k := range keys {
		if col := sortedColumn(m, k); col != nil && col.Micros {
			leaf.Sort, leaf.Coarse = keys[:i+1:i+1], true
			break
		}
	}
	if !sortable(p, leaf.Sort) || !indexOrders(p, leaf.Sort) {
		return nil
	}
	return &leaf
}

// indexOrders reports whether an index of MongoDB's has the keys' order, forwards or backwards, where columns that a pushed
// condition holds to one value do not count.
func indexOrders(n *Pushed, keys []expr.SortKey) bool {
	m := n.Scan.Matcher()
	fixed := map[int16]bool{}
	for _, f := range n.Filter {
		if col, _ := m.Equality(f); col != nil && !col.Micros {
			fixed[col.Attnum] = true
		}
	}
	return slices.ContainsFunc(n.Scan.Rel.Indexes, func(ix *catalog.Index) bool {
		if ix.Invalid || ix.MongoName == "" || ix.Where != "" || ix.Hidden != "" {
			return false
		}
		i, first := 0, 0
		for at, k := range ix.Keys {
			if i == len(keys) {
				break
			}
			col := sortedColumn(m, keys[i])
			switch {
			case col == nil || col.NullMissing && ix.Unique:
				return false
			case k.Attnum == col.Attnum:
				if i == 0 {
					first = at
				}
				if (keys[i].Desc != k.Desc) != (keys[0].Desc != ix.Keys[first].Desc) {
					return false
				}
				i++
			case k.Attnum <= 0 || !fixed[k.Attnum]:
				return false
			}
		}
		return i == len(keys)
	})
}

func sortedColumn(m *expr.Matcher, k expr.SortKey) *catalog.Column {
	if r, ok := stripRelabel(k.X).(*expr.ColRef); ok {
		return m.Column(r.ID)
	}
	return nil
}
