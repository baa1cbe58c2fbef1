package planner

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// changed is the table of an UPDATE or DELETE: its scan with the documents, under its name.
type changed struct {
	*writeTarget
	scan *Scan
	item *nsItem
	cols []Col
	// members are the tables of its rows when it has children, tableOID tells them apart.
	members  []*catalog.Relation
	tableOID expr.ColID
	// node gives its rows: the scan, or those of them that a view shows.
	node Node
}

// changedTable puts the target of UPDATE or DELETE into FROM. The other FROM items may not refer to it.
func (b *binder) changedTable(s *scope, v *pg_query.RangeVar, ev event) (*changed, error) {
	target, err := b.target(v, ev)
	if err != nil {
		return nil, err
	}
	rel := target.base
	it := &nsItem{alias: rel.Name, schema: rel.Schema, rel: rel, relVisible: true, colsVisible: true}
	if v.Alias != nil {
		it.alias, it.schema = v.Alias.Aliasname, ""
	}
	it.access = target.levels[len(target.levels)-1].a
	if rel.Kind == catalog.KindView {
		return b.changedView(s, target, it)
	}
	scan := s.baseScan(rel, it)
	t := &changed{writeTarget: target, scan: scan, item: it, cols: slices.Clone(scan.Out), node: scan}
	b.modify(it, s)
	if err := t.family(b, it, v.Inh); err != nil {
		return nil, err
	}
	if p := target.path; p != nil {
		t.node = filter(scan, p.over(p.conds, t.cols))
		t.item = b.pathItem(p, it.alias, t.cols)
		t.item.access = target.levels[0].a
		t.item.schema, t.item.doc, t.item.scan = p.view.Schema, it.doc, it.scan
		if v.Alias == nil {
			t.item.alias = p.view.Name
		} else {
			t.item.schema = ""
		}
		it = t.item
	}
	it.lateralOnly, it.lateralOK, it.target = true, false, true
	s.ns = []*nsItem{it}
	s.rtable = []*nsItem{it}
	return t, nil
}

// changedView puts a view whose INSTEAD OF triggers are to make the change into FROM.
func (b *binder) changedView(s *scope, target *writeTarget, it *nsItem) (*changed, error) {
	node, err := s.view(target.rel, it)
	if err != nil {
		return nil, err
	}
	cols := slices.Clone(node.Cols())
	it.doc, it.sub = &cols[0], false
	it.lateralOnly, it.lateralOK = true, false
	s.ns = []*nsItem{it}
	s.rtable = []*nsItem{it}
	return &changed{writeTarget: target, item: it, cols: cols, node: node}, nil
}

// family makes the rows of the table's children targets, too.
func (t *changed) family(b *binder, it *nsItem, inh bool) error {
	t.scan.Inherit = inh && inherits(t.base)
	if !t.scan.Inherit {
		return nil
	}
	x, err := it.extra(-6)
	if err != nil {
		return err
	}
	t.tableOID = x.(*expr.ColRef).ID
	t.members = append([]*catalog.Relation{}, b.c.Snapshot.Storing(t.base)...)
	b.writes = append(b.writes, t.members...)
	return nil
}

func (b *binder) update(s *scope, stmt *pg_query.UpdateStmt) (*query, error) {
	with, err := s.bindWith(stmt.WithClause)
	if err != nil {
		return nil, err
	}
	t, err := b.changedTable(s, stmt.Relation, updateEvent)
	if err != nil {
		return nil, err
	}
	node, err := s.fromAfter(t.node, stmt.FromClause)
	if err != nil {
		return nil, err
	}
	set, multi, err := s.setClause(t.writeTarget, stmt.TargetList, t.item)
	if err != nil {
		return nil, err
	}
	if stmt.WhereClause != nil {
		conds, err := s.where(stmt.WhereClause)
		if err != nil {
			return nil, err
		}
		node = filter(node, conds)
	}
	if multi != nil {
		node = beside(node, multi)
	}
	n := &Update{Rel: t.base, Members: t.members, TableOID: t.tableOID, Source: node, Doc: t.item.doc.ID, OldCols: t.cols, Set: set}
	n.NewCols = b.newRow(t.base, s)
	if n.Generated, err = b.generated(t.base, nullableCols(n.NewCols)); err != nil {
		return nil, err
	}
	if n.Checks, err = t.checks(b, n.NewCols); err != nil {
		return nil, err
	}
	after := t.writeTarget.item(b, t.item.alias, n.NewCols)
	after.schema = t.item.schema
	ns := append([]*nsItem{after}, s.ns[1:]...)
	for _, it := range ns[1:] {
		for _, c := range it.cols {
			if r, ok := c.x.(*expr.ColRef); ok {
				b.owner[r.ID] = s
			}
		}
	}
	if n.Returning, n.Out, err = b.newChild(s).returning(stmt.ReturningList, ns); err != nil {
		return nil, err
	}
	return modified(n, n.Out, with), nil
}

func (b *binder) delete(s *scope, stmt *pg_query.DeleteStmt) (*query, error) {
	with, err := s.bindWith(stmt.WithClause)
	if err != nil {
		return nil, err
	}
	t, err := b.changedTable(s, stmt.Relation, deleteEvent)
	if err != nil {
		return nil, err
	}
	node, err := s.fromAfter(t.node, stmt.UsingClause)
	if err != nil {
		return nil, err
	}
	if stmt.WhereClause != nil {
		conds, err := s.where(stmt.WhereClause)
		if err != nil {
			return nil, err
		}
		node = filter(node, conds)
	}
	n := &Delete{Rel: t.base, Members: t.members, TableOID: t.tableOID, Source: node, Doc: t.item.doc.ID, OldCols: t.cols}
	ns := s.ns
	if n.Returning, n.Out, err = b.newChild(s).returning(stmt.ReturningList, ns); err != nil {
		return nil, err
	}
	return modified(n, n.Out, with), nil
}

// beside computes the subqueries of SET (a, b) = (SELECT ...) once a row, beside the source's columns.
func beside(n Node, rows []RowSource) Node {
	p := &Project{Input: n}
	for _, c := range n.Cols() {
		p.Exprs, p.Out = append(p.Exprs, ref(c)), append(p.Out, c)
	}
	for _, r := range rows {
		p.Exprs, p.Out = append(p.Exprs, r.X), append(p.Out, r.Col)
	}
	return p
}

// setState is a SET list under construction.
type setState struct {
	s      *scope
	target *writeTarget
	set    []Assign
	multi  []RowSource
	// parts says which assignments set parts of their column, so that more parts may follow; item is where its present value
	// comes from.
	parts map[int16]bool
	item  *nsItem
	// subs are the subqueries already bound, by their place in the statement.
	subs map[*pg_query.Node][]expr.Expr
}

// setClause binds the assignments of UPDATE and DO UPDATE.
func (s *scope) setClause(target *writeTarget, list []*pg_query.Node, item *nsItem) ([]Assign, []RowSource, error) {
	st := &setState{s: s, target: target, item: item, parts: map[int16]bool{}, subs: map[*pg_query.Node][]expr.Expr{}}
	var rows []*pg_query.Node
	err := s.with(inUpdateSource, func() error {
		for _, n := range list {
			r := n.GetResTarget()
			c, err := targetColumn(target.rel, r)
			if err == nil {
				err = target.writable(c)
			}
			if err != nil {
				return err
			}
			target.sets(catalog.Update, c.Name)
			val := r.Val
			if m := val.GetMultiAssignRef(); m != nil {
				// All columns of one (a, b) = ... share their source; only the first carries it whole.
				if m.Colno == 1 {
					rows = append(rows, m.Source)
				}
				val = nil
				if err := st.multiAssign(c, r, m, rows[len(rows)-1]); err != nil {
					return err
				}
				continue
			}
			if err := st.assign(c, r, val); err != nil {
				return err
			}
		}
		return nil
	})
	return st.set, st.multi, err
}

// put adds an assignment to a column that has none yet.
func (st *setState) put(c *catalog.Column, x expr.Expr, loc int32) error {
	if slices.ContainsFunc(st.set, func(a Assign) bool { return a.Attnum == c.Attnum }) {
		return pgerr.New(pgerr.SyntaxError, "multiple assignments to same column \"%s\"", st.target.base.ByAttnum(c.Attnum).Name)
	}
	st.set = append(st.set, Assign{Attnum: c.Attnum, Value: x})
	return nil
}

// updatable refuses values for columns that are always generated.
func updatable(c *catalog.Column) error {
	err := pgerr.New(pgerr.GeneratedAlways, "column \"%s\" can only be updated to DEFAULT", c.Name)
	if c.Generated != 0 {
		return err.WithDetail("Column \"%s\" is a generated column.", c.Name)
	}
	if c.Identity == 'a' {
		return err.WithDetail("Column \"%s\" is an identity column defined as GENERATED ALWAYS.", c.Name)
	}
	return nil
}

func (st *setState) assign(c *catalog.Column, r *pg_query.ResTarget, val *pg_query.Node) error {
	if val.GetSetToDefault() != nil {
		if len(r.Indirection) > 0 {
			return partDefault(r)
		}
		if c.Generated != 0 {
			return nil // it is computed anyway
		}
		x, err := st.s.b.defaultOf(c)
		if err != nil {
			return err
		}
		return st.put(c, x, r.Location)
	}
	if err := updatable(c); err != nil {
		return err
	}
	x, err := st.s.expr(val)
	if err != nil {
		return err
	}
	return st.putValue(c, r, x, nodeLocation(val))
}

func (st *setState) putValue(c *catalog.Column, r *pg_query.ResTarget, x expr.Expr, loc int32) error {
	if len(r.Indirection) > 0 {
		return st.assignPart(c, r, x, loc)
	}
	x, err := st.s.b.assign(x, c, loc)
	if err != nil {
		return err
	}
	return st.put(c, x, r.Location)
}

// multiAssign binds one column of (a, b) = ROW(...) or (a, b) = (SELECT ...).
func (st *setState) multiAssign(c *catalog.Column, r *pg_query.ResTarget, m *pg_query.MultiAssignRef, source *pg_query.Node) error {
	n := int(m.Ncolumns)
	if row := source.GetRowExpr(); row != nil {
		if len(row.Args) != n {
			return pgerr.New(pgerr.SyntaxError, "number of columns does not match number of values").At(nodeLocation(source))
		}
		return st.assign(c, r, row.Args[m.Colno-1])
	}
	sub := source.GetSubLink()
	if sub == nil || sub.SubLinkType != pg_query.SubLinkType_EXPR_SUBLINK {
		return pgerr.New(pgerr.FeatureNotSupported, "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression").At(nodeLocation(source))
	}
	fields := st.subs[source]
	if fields == nil {
		q, err := st.s.subquery(sub)
		if err != nil {
			return err
		}
		if len(q.cols) != n {
			return pgerr.New(pgerr.SyntaxError, "number of columns does not match number of values").At(sub.Location)
		}
		fields = st.recordColumn(q)
		st.subs[source] = fields
	}
	if err := updatable(c); err != nil {
		return err
	}
	return st.putValue(c, r, fields[m.Colno-1], sub.Location)
}

// recordColumn computes a subquery once a row beside the source and gives its fields.
func (st *setState) recordColumn(q *query) []expr.Expr {
	var x expr.Expr = st.s.recordSubquery(q)
	col := st.s.b.newCol(Col{Name: "row", Type: types.RecordT, Mod: -1}, st.s)
	st.multi = append(st.multi, RowSource{col, x})
	out := make([]expr.Expr, len(q.cols))
	for i, c := range q.cols {
		out[i] = &expr.Field{X: ref(col), Index: i, Name: c.Name, T: c.Type, Mod: c.Mod}
	}
	return out
}
