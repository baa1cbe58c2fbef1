package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// Append gives the rows of its inputs one after the other: a table with its children, or a partitioned one. Column i of
// each input is Out[i].
type Append struct {
	List []Node
	Out  []Col
}

// Cols returns the columns of the parent.
func (n *Append) Cols() []Col { return n.Out }

// Inputs are the children's scans.
func (n *Append) Inputs() []Node { return n.List }

// WithInputs returns the node over other inputs.
func (n *Append) WithInputs(in []Node) Node { return &Append{List: in, Out: n.Out} }

// inherits reports whether a scan of the relation also reads other tables.
func inherits(r *catalog.Relation) bool {
	return r.Kind == catalog.KindPartitioned || len(r.Children) > 0
}

// expandInheritance replaces the scans of tables that have children by the scans of all of them.
func expandInheritance(p *pass, root Node) Node {
	root = mapInputs(root, func(in Node) Node { return expandInheritance(p, in) })
	if s, ok := root.(*Scan); ok && (s.Inherit || s.Rel.Kind == catalog.KindPartitioned) {
		return p.b.appendOf(s)
	}
	return root
}

func (b *binder) appendOf(s *Scan) Node {
	n := &Append{Out: s.Out}
	if !s.Inherit {
		return &Values{Out: s.Out} // ONLY a partitioned table
	}
	for _, rel := range b.c.Snapshot.Storing(s.Rel) {
		n.List = append(n.List, b.childScan(s, rel))
	}
	if len(n.List) == 0 {
		return &Values{Out: s.Out}
	}
	return n
}

// childScan reads a child's rows as rows of the parent: its columns by their names, in the parent's order.
func (b *binder) childScan(s *Scan, rel *catalog.Relation) Node {
	c := &Scan{Rel: rel, Alias: s.Alias, ForModify: s.ForModify, NullMisfits: s.NullMisfits, Sample: s.Sample, SampleArgs: s.SampleArgs, Repeatable: s.Repeatable}
	add := func(attnum int16, like Col) Col {
		if i := slices.Index(c.Attnums, attnum); i >= 0 {
			return c.Out[i]
		}
		like.Table, like.Attnum = rel.OID, attnum
		like = b.newCol(like, nil)
		at := len(c.Out)
		if at > 0 && c.Attnums[at-1] == DocAttnum {
			at--
		}
		c.Attnums, c.Out = slices.Insert(c.Attnums, at, attnum), slices.Insert(c.Out, at, like)
		return like
	}
	column := func(name string, like Col) Col { return add(rel.Column(name).Attnum, like) }
	p := &Project{Input: c}
	for i, col := range s.Out {
		var x expr.Expr
		switch n := s.Attnums[i]; {
		case n > 0:
			x = ref(column(s.Rel.ByAttnum(n).Name, col))
		case n == 0 && rel.OID != s.Rel.OID:
			row := &expr.Row{T: col.Type}
			for _, pc := range s.Rel.Columns {
				if pc.Dropped {
					row.Elems, row.Names = append(row.Elems, &expr.Const{T: pc.Type, Mod: -1, Loc: -1}), append(row.Names, pc.Name)
					continue
				}
				like := Col{Name: pc.Name, Type: pc.Type, Mod: pc.Typmod, Collation: b.collationByOID(pc.Collation)}
				row.Elems, row.Names = append(row.Elems, ref(column(pc.Name, like))), append(row.Names, pc.Name)
			}
			x = row
		default:
			x = ref(add(n, col))
		}
		out := b.newCol(Col{Name: col.Name, Type: col.Type, Mod: col.Mod, NotNull: col.NotNull, Collation: col.Collation}, nil)
		p.Exprs, p.Out = append(p.Exprs, x), append(p.Out, out)
	}
	return p
}

// pushAppend filters every input, and drops the partitions that no row can come from.
func (n *Append) push(conds []expr.Expr) (out *Append, stay []expr.Expr) {
	var down []expr.Expr
	for _, c := range conds {
		if isVolatile(c) {
			stay = append(stay, c)
		} else {
			down = append(down, c)
		}
	}
	out = &Append{Out: n.Out}
	for _, in := range n.List {
		m := make(map[expr.ColID]expr.Expr, len(n.Out))
		for i, c := range in.Cols() {
			m[n.Out[i].ID] = ref(c)
		}
		list := make([]expr.Expr, len(down))
		for i, c := range down {
			list[i] = substitute(c, m)
		}
		out.List = append(out.List, positional(pushDown(in, list), in.Cols()))
	}
	return out, stay
}

// pruneAppend keeps the used columns of all inputs.
func (n *Append) prune(used *colSet) Node {
	c := &Append{}
	var keep []int
	for i, col := range n.Out {
		if used.has(col.ID) {
			keep, c.Out = append(keep, i), append(c.Out, col)
		}
	}
	for _, in := range n.List {
		cols := in.Cols()
		kept := make([]Col, len(keep))
		for i, k := range keep {
			kept[i] = cols[k]
		}
		c.List = append(c.List, pruneWhole(narrow(in, kept)))
	}
	return c
}

// prunePartitions drops the scans of partitions whose bounds contradict the conditions over them.
func prunePartitions(p *pass, root Node) Node {
	root = mapInputs(root, func(in Node) Node { return prunePartitions(p, in) })
	a, ok := root.(*Append)
	if !ok || p.c.Env == nil {
		return root
	}
	var kept []Node
	for _, in := range a.List {
		if !p.excluded(in) {
			kept = append(kept, in)
		}
	}
	switch {
	case len(kept) == len(a.List):
		return root
	case len(kept) == 0:
		return &Values{Out: a.Out}
	}
	if len(kept) == 1 {
		only := &Project{Input: kept[0], Out: a.Out}
		for _, c := range kept[0].Cols() {
			only.Exprs = append(only.Exprs, ref(c))
		}
		return only
	}
	return &Append{List: kept, Out: a.Out}
}

// excluded reports whether a child's scan gives no row, because its conditions fix or bound columns of the partition key.
func (p *pass) excluded(in Node) bool {
	var conds []expr.Expr
	for {
		switch n := in.(type) {
		case *Project:
			in = n.Input
			continue
		case *Filter:
			conds = append(conds, n.Conds...)
			in = n.Input
			continue
		}
		break
	}
	if v, ok := in.(*Values); ok {
		return len(v.Rows) == 0
	}
	scan, ok := in.(*Scan)
	if !ok || scan.Rel.Bound == nil || len(conds) == 0 {
		return false
	}
	for rel := scan.Rel; rel.Bound != nil; {
		if p.contradicts(scan, rel, conds) {
			return true
		}
		parent := p.c.Snapshot.RelationByOID(rel.Inherits[0])
		if parent == nil {
			return false
		}
		rel = parent
	}
	return false
}

// contradicts reports whether a partition's bound is false for every row that meets the conditions: with the constants that
// equalities give for its columns, or with each value of a list for one column.
func (p *pass) contradicts(scan *Scan, rel *catalog.Relation, conds []expr.Expr) bool {
	b := p.b
	cols := make([]Col, 0, len(rel.Columns))
	ids := map[string]expr.ColID{}
	for _, c := range rel.Live() {
		col := b.newCol(Col{Name: c.Name, Type: c.Type, Mod: c.Typmod, Collation: b.collationByOID(c.Collation)}, nil)
		cols, ids[c.Name] = append(cols, col), col.ID
	}
	check, err := b.overRow(rel, cols, inCheck).text(rel.Bound.Check, types.BoolT, -1)
	if err != nil {
		return false
	}
	name := func(id expr.ColID) (expr.ColID, bool) {
		for i, c := range scan.Out {
			if c.ID == id && scan.Attnums[i] > 0 {
				x, ok := ids[scan.Rel.ByAttnum(scan.Attnums[i]).Name]
				return x, ok
			}
		}
		return 0, false
	}
	fixed := map[expr.ColID]expr.Expr{}
	for _, c := range conds {
		if id, value, op := comparedTo(c); op == "=" {
			if to, ok := name(id); ok {
				fixed[to] = value
			}
		}
	}
	never := func(m map[expr.ColID]expr.Expr) bool {
		return slices.ContainsFunc(conjuncts(expr.Fold(p.c.Env, substitute(check, m), false)), isFalse)
	}
	if len(fixed) > 0 && never(fixed) {
		return true
	}
	for _, c := range conds {
		if id, list, ok := listOf(c); ok {
			to, ok := name(id)
			if ok && !slices.ContainsFunc(list, func(v expr.Expr) bool { return !never(map[expr.ColID]expr.Expr{to: v}) }) {
				return true
			}
		}
	}
	return p.outside(rel, conds, name, ids)
}

// comparedTo takes a condition column op constant apart; op is "" for others.
func comparedTo(c expr.Expr) (expr.ColID, expr.Expr, string) {
	switch c := c.(type) {
	case *expr.IsNull:
		if r, ok := c.X.(*expr.ColRef); ok && !c.Not {
			return r.ID, &expr.Const{T: r.T, Mod: r.Mod, Loc: -1}, "="
		}
	case *expr.Call:
		if len(c.Args) != 2 {
			return 0, nil, ""
		}
		r, ok := c.Args[0].(*expr.ColRef)
		k, isConst := c.Args[1].(*expr.Const)
		if ok && isConst && !k.D.IsNull() && k.T == r.T {
			return r.ID, k, c.Op
		}
		r, ok = c.Args[1].(*expr.ColRef)
		k, isConst = c.Args[0].(*expr.Const)
		if ok && isConst && !k.D.IsNull() && k.T == r.T {
			return r.ID, k, map[string]string{"=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}[c.Op]
		}
	}
	return 0, nil, ""
}

// listOf takes column = ANY (constants) apart.
func listOf(c expr.Expr) (expr.ColID, []expr.Expr, bool) {
	s, ok := c.(*expr.ScalarArray)
	if !ok || s.All || s.Op == nil {
		return 0, nil, false
	}
	r, isCol := s.Left.(*expr.ColRef)
	k, isConst := s.Array.(*expr.Const)
	if !isCol || !isConst || k.D.IsNull() || k.T.Elem != r.T || s.Name != "=" {
		return 0, nil, false
	}
	var out []expr.Expr
	for _, d := range k.D.Array().Vals {
		if !d.IsNull() {
			out = append(out, &expr.Const{D: d, T: r.T, Mod: -1, Loc: -1})
		}
	}
	return r.ID, out, true
}

// outside reports whether a range or an ordering condition over the first key column lies wholly outside the partition's.
func (p *pass) outside(rel *catalog.Relation, conds []expr.Expr, name func(expr.ColID) (expr.ColID, bool), ids map[string]expr.ColID) bool {
	parent := p.c.Snapshot.RelationByOID(rel.Inherits[0])
	if parent == nil || parent.Partition == nil || parent.Partition.Strategy != 'r' || rel.Bound.Default || parent.Partition.Keys[0].Attnum == 0 {
		return false
	}
	key := parent.ByAttnum(parent.Partition.Keys[0].Attnum)
	bound := func(list []catalog.BoundValue) (types.Datum, bool) {
		if len(list) == 0 || list[0].Infinite != 0 {
			return types.Null, false
		}
		d, err := types.Input(types.DefaultIO(), key.Type, key.Typmod, list[0].Text)
		return d, err == nil
	}
	lower, hasLower := bound(rel.Bound.Lower)
	upper, hasUpper := bound(rel.Bound.Upper)
	for _, c := range conds {
		id, value, op := comparedTo(c)
		if to, ok := name(id); op == "" || !ok || to != ids[key.Name] {
			continue
		}
		v := value.(*expr.Const).D
		switch op {
		case "<", "<=":
			if hasLower {
				if cmp := types.Compare(key.Type, v, lower); cmp < 0 || cmp == 0 && op == "<" {
					return true
				}
			}
		case ">", ">=":
			// The upper end is not in the range; with further columns its first value may be.
			if hasUpper {
				if cmp := types.Compare(key.Type, v, upper); cmp > 0 || cmp == 0 && len(rel.Bound.Upper) == 1 {
					return true
				}
			}
		}
	}
	return false
}

func isFalse(e expr.Expr) bool {
	k, ok := e.(*expr.Const)
	return ok && k.T == types.BoolT && (k.D.IsNull() || !k.D.Bool())
}
