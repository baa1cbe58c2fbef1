package planner

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// from binds a FROM list: the items side by side, each LATERAL one seeing those to its left.
func (s *scope) from(items []*pg_query.Node) (Node, error) {
	return s.fromAfter(nil, items)
}

// fromAfter binds a FROM list whose first item is already bound: the target of UPDATE ... FROM and DELETE ... USING.
func (s *scope) fromAfter(root Node, items []*pg_query.Node) (Node, error) {
	for _, n := range items {
		hits := len(s.hits)
		node, ns, err := s.fromItem(n)
		if err != nil {
			return nil, err
		}
		if err := s.checkNames(s.ns, ns); err != nil {
			return nil, err
		}
		if root == nil {
			root = node
		} else {
			root = &Join{Kind: InnerJoin, Left: root, Right: node, Lateral: hitAny(s.hits[hits:], s.ns)}
		}
		for _, it := range ns {
			it.lateralOnly, it.lateralOK = true, true
		}
		s.ns = append(s.ns, ns...)
	}
	for _, it := range s.ns {
		it.lateralOnly = false
	}
	if root == nil {
		root = &Result{}
	}
	return root, nil
}

// hitAny reports whether a lateral reference was made to one of the items.
func hitAny(hits, items []*nsItem) bool {
	for _, h := range hits {
		for _, it := range items {
			if h == it {
				return true
			}
		}
	}
	return false
}

// checkNames refuses two FROM items under one name. Two tables without aliases may share a name in two schemas.
func (s *scope) checkNames(a, b []*nsItem) error {
	for _, x := range a {
		if !x.relVisible {
			continue
		}
		for _, y := range b {
			if !y.relVisible || x.alias != y.alias || x.schema != "" && y.schema != "" && x.rel != y.rel {
				continue
			}
			return pgerr.New(pgerr.DuplicateAlias, "table name \"%s\" specified more than once", y.alias)
		}
	}
	return nil
}

func (s *scope) fromItem(n *pg_query.Node) (Node, []*nsItem, error) {
	switch n := n.Node.(type) {
	case *pg_query.Node_RangeVar:
		return s.single(n.RangeVar)(s.rangeVar(n.RangeVar))
	case *pg_query.Node_RangeSubselect:
		return s.single(n.RangeSubselect)(s.rangeSubselect(n.RangeSubselect))
	case *pg_query.Node_RangeFunction:
		return s.single(n.RangeFunction)(s.rangeFunction(n.RangeFunction))
	case *pg_query.Node_RangeTableSample:
		return s.single(n.RangeTableSample.Relation.GetRangeVar())(s.tableSample(n.RangeTableSample))
	case *pg_query.Node_JoinExpr:
		return s.joinExpr(n.JoinExpr)
	case *pg_query.Node_RangeTableFunc:
		return nil, nil, pgerr.Unsupported("XMLTABLE").At(n.RangeTableFunc.Location)
	}
	return nil, nil, pgerr.Unsupported("this FROM item")
}

// single adds one bound FROM item, written as src, to the level.
func (s *scope) single(src any) func(Node, *nsItem, error) (Node, []*nsItem, error) {
	return func(n Node, it *nsItem, err error) (Node, []*nsItem, error) {
		if err != nil {
			return nil, nil, err
		}
		s.rtable = append(s.rtable, it)
		s.b.rec.item(src, it)
		return n, []*nsItem{it}, nil
	}
}

// relation finds the relation that a RangeVar names.
func (b *binder) relation(v *pg_query.RangeVar) (*catalog.Relation, error) {
	if v.Catalogname != "" && v.Catalogname != b.c.Snapshot.Database {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "cross-database references are not implemented: \"%s.%s.%s\"",
			v.Catalogname, v.Schemaname, v.Relname).At(v.Location)
	}
	if b.c.Relation != nil && !b.noParams && v.Schemaname == "" {
		if rel := b.c.Relation(v.Relname); rel != nil {
			return rel, nil
		}
	}
	schema := v.Schemaname
	if schema == "pg_temp" {
		schema = catalog.TempSchema(b.c.Path)
	}
	if schema != "" {
		if err := b.mayUse(schema); err != nil {
			return nil, pgerr.At(err, v.Location)
		}
	}
	rel := b.c.Snapshot.Relation(b.c.Path, schema, v.Relname)
	if rel == nil {
		return nil, b.noRelation(v)
	}
	if rel.Kind == catalog.KindComposite {
		return nil, pgerr.New(pgerr.WrongObjectType, "cannot open relation \"%s\"", rel.Name).
			WithDetail("This operation is not supported for composite types.").At(v.Location)
	}
	b.relations = append(b.relations, rel)
	return rel, nil
}

func (b *binder) noRelation(v *pg_query.RangeVar) error {
	for _, p := range b.c.Path {
		if v.Schemaname != "" {
			p = v.Schemaname
		}
		if _, ok := b.c.Snapshot.IndexIn(p, v.Relname); ok {
			return pgerr.New(pgerr.WrongObjectType, "cannot open relation \"%s\"", v.Relname).
				WithDetail("This operation is not supported for indexes.").At(v.Location)
		}
	}
	name := v.Relname
	if v.Schemaname != "" {
		name = v.Schemaname + "." + name
	}
	return pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", name).At(v.Location)
}

func (s *scope) rangeVar(v *pg_query.RangeVar) (Node, *nsItem, error) {
	if v.Schemaname == "" && v.Catalogname == "" {
		if def := s.findCTE(v.Relname); def != nil {
			return s.cteScan(def, v)
		}
	}
	rel, err := s.b.relation(v)
	if err != nil {
		return nil, nil, err
	}
	it := &nsItem{alias: rel.Name, schema: rel.Schema, rel: rel, relVisible: true, colsVisible: true}
	if v.Alias != nil {
		it.alias, it.schema = v.Alias.Aliasname, ""
	}
	it.access = s.b.accessing(rel, catalog.Select)
	var n Node
	switch {
	case rel.Virtual != nil:
		n, err = s.virtualScan(rel, it)
	case rel.Kind == catalog.KindView:
		n, err = s.view(rel, it)
	case rel.Kind == catalog.KindSequence:
		n, err = s.virtualScan(sequenceTable(rel), it)
	default:
		n = s.baseScan(rel, it)
		it.scan.Inherit = v.Inh && inherits(rel)
	}
	if err != nil {
		return nil, nil, err
	}
	return n, it, s.aliasColumns(it, v.Alias)
}

// baseScan reads all live columns; what is not used is pruned later.
func (s *scope) baseScan(rel *catalog.Relation, it *nsItem) *Scan {
	scan := &Scan{Rel: rel, Alias: it.alias, NullMisfits: rel.NullMisfits(s.b.c.Settings.NullMisfits)}
	scan.Attnums, scan.Out = s.scanCols(rel, it)
	it.scan = scan
	it.extra = s.extraColumns(rel, it.access, &scan.Attnums, &scan.Out)
	return scan
}

func (s *scope) virtualScan(rel *catalog.Relation, it *nsItem) (Node, error) {
	scan := &VirtualScan{Rel: rel, Alias: it.alias}
	scan.Attnums, scan.Out = s.scanCols(rel, it)
	it.extra = s.extraColumns(rel, it.access, &scan.Attnums, &scan.Out)
	return scan, nil
}

func (s *scope) scanCols(rel *catalog.Relation, it *nsItem) ([]int16, []Col) {
	live := rel.Live()
	attnums, out := make([]int16, len(live)), make([]Col, len(live))
	it.cols = make([]nsCol, len(live))
	for i, c := range live {
		attnums[i] = c.Attnum
		out[i] = s.b.newCol(Col{Name: c.Name, Type: c.Type, Mod: c.Typmod, NotNull: c.NotNull, Table: rel.OID, Attnum: c.Attnum, Collation: s.b.collationByOID(c.Collation)}, s)
		it.cols[i] = nsCol{name: c.Name, x: ref(out[i])}
		s.b.reading(it.access, out[i], c.Attnum)
	}
	return attnums, out
}

// extraColumns adds system columns and the whole row to a scan when they are asked for.
func (s *scope) extraColumns(rel *catalog.Relation, a *access, attnums *[]int16, out *[]Col) func(int16) (expr.Expr, error) {
	return func(n int16) (expr.Expr, error) {
		for i, a := range *attnums {
			if a == n {
				return ref((*out)[i]), nil
			}
		}
		c := Col{Name: rel.Name, Type: types.RecordT, Mod: -1, Table: rel.OID, Attnum: n}
		if n == 0 {
			if t := s.b.c.Snapshot.TypeByOID(rel.RowType); t != nil {
				c.Type = t
			}
		} else {
			c.Type = systemColumnType(n)
			for name, a := range systemColumns {
				if a == n {
					c.Name = name
				}
			}
		}
		c = s.b.newCol(c, s)
		s.b.reading(a, c, n)
		if n == 0 && c.Type == types.RecordT {
			s.b.shapes[c.ID] = relationFields(rel)
		}
		at := len(*attnums)
		if at > 0 && (*attnums)[at-1] == DocAttnum {
			at-- // the raw document stays last
		}
		*attnums, *out = slices.Insert(*attnums, at, n), slices.Insert(*out, at, c)
		return ref(c), nil
	}
}

// relationFields are a relation's columns as the fields of its row type.
func relationFields(rel *catalog.Relation) []types.Field {
	live := rel.Live()
	fields := make([]types.Field, len(live))
	for i, c := range live {
		fields[i] = types.Field{Name: c.Name, Type: c.Type, Typmod: c.Typmod}
	}
	return fields
}

// aliasColumns renames an item's columns by AS x (a, b, ...).
func (s *scope) aliasColumns(it *nsItem, a *pg_query.Alias) error {
	if a == nil {
		return nil
	}
	if len(a.Colnames) > len(it.cols) {
		what := "table"
		if it.join {
			what = "join expression"
		}
		return pgerr.New(pgerr.InvalidColumnReference, "%s \"%s\" has %d columns available but %d columns specified",
			what, it.alias, len(it.cols), len(a.Colnames))
	}
	for i, name := range strs(a.Colnames) {
		it.cols[i].name = name
	}
	it.byName = nil
	return nil
}

const maxViewDepth = 200

// view binds a view's definition in its place, under the view's column names.
func (s *scope) view(rel *catalog.Relation, it *nsItem) (Node, error) {
	b := s.b
	if b.viewDepth >= maxViewDepth {
		return nil, pgerr.New(pgerr.InvalidObjectDefinition, "infinite recursion detected in rules for relation \"%s\"", rel.Name)
	}
	sel, err := b.viewStmt(rel)
	if err != nil {
		return nil, err
	}
	b.viewDepth++
	defer b.inView(rel)()
	noParams, path, describing, rec := b.noParams, b.c.Path, b.describing, b.rec
	b.noParams, b.describing, b.rec = true, false, nil
	vs := b.newScope(nil)
	vs.locking = s.lockingFor(it.alias)
	it.sub = true
	q, err := vs.query(sel, true)
	b.noParams, b.describing, b.rec = noParams, describing, rec
	b.c.Path = path
	b.viewDepth--
	if err != nil {
		return nil, withoutPosition(err)
	}
	live := rel.Live()
	if len(q.cols) < len(live) {
		return nil, pgerr.Internal("view \"%s\" has %d columns but its query gives %d", rel.Name, len(live), len(q.cols))
	}
	p := &Project{Input: q.node}
	for i, c := range live {
		var x expr.Expr = ref(q.cols[i])
		if q.cols[i].Type != c.Type {
			if x, err = b.r.Coerce(x, c.Type, c.Typmod, expr.Explicit, -1); err != nil {
				return nil, err
			}
		}
		out := b.newCol(Col{Name: c.Name, Type: c.Type, Mod: c.Typmod, NotNull: notNull(x), Table: rel.OID, Attnum: c.Attnum, Collation: b.collationByOID(c.Collation)}, s)
		p.Exprs, p.Out = append(p.Exprs, x), append(p.Out, out)
		it.cols = append(it.cols, nsCol{name: c.Name, x: ref(out)})
		b.reading(it.access, out, c.Attnum)
	}
	it.extra = s.projectedRow(p, it, b.c.Snapshot.TypeByOID(rel.RowType))
	return p, nil
}

// viewStmt parses a view's text, through the session's cache when there is one.
func (b *binder) viewStmt(rel *catalog.Relation) (*pg_query.SelectStmt, error) {
	if sel, ok := b.c.Views.get(rel.View).(*pg_query.SelectStmt); ok {
		return sel, nil
	}
	stmts, err := sql.Parse(rel.View)
	if err != nil {
		return nil, pgerr.Internal("definition of view \"%s\" does not parse: %w", rel.Name, err)
	}
	if len(stmts) != 1 || stmts[0].Node.GetSelectStmt() == nil {
		return nil, pgerr.Internal("definition of view \"%s\" is not one SELECT", rel.Name)
	}
	sel := stmts[0].Node.GetSelectStmt()
	b.c.Views.put(rel.View, sel)
	return sel, nil
}

// withoutPosition drops the place of an error inside a view's text: the client has another text.
func withoutPosition(err error) error {
	e, ok := err.(*pgerr.Error)
	if !ok {
		return err
	}
	c := *e
	c.Offset, c.Position = 0, 0
	return &c
}

// projectedRow makes the whole row of an item that is a projection, as one more column of it.
func (s *scope) projectedRow(p *Project, it *nsItem, rowType *types.T) func(int16) (expr.Expr, error) {
	var made *expr.ColRef
	return func(n int16) (expr.Expr, error) {
		if n != 0 {
			return nil, nil
		}
		if made != nil {
			return made, nil
		}
		row := &expr.Row{T: types.RecordT}
		if rowType != nil {
			row.T = rowType
		}
		var fields []types.Field
		for i, c := range it.cols {
			r := c.x.(*expr.ColRef)
			row.Elems = append(row.Elems, p.Exprs[i])
			row.Names = append(row.Names, c.name)
			fields = append(fields, types.Field{Name: c.name, Type: r.T, Typmod: r.Mod})
		}
		c := s.b.newCol(Col{Name: it.alias, Type: row.T, Mod: -1, NotNull: true}, s)
		s.b.shapes[c.ID] = fields
		s.b.reading(it.access, c, 0)
		p.Exprs, p.Out = append(p.Exprs, row), append(p.Out, c)
		made = ref(c)
		return made, nil
	}
}

func (s *scope) rangeSubselect(r *pg_query.RangeSubselect) (Node, *nsItem, error) {
	sel := r.Subquery.GetSelectStmt()
	if sel == nil {
		return nil, nil, pgerr.Unsupported("this subquery in FROM")
	}
	if r.Alias == nil {
		what, example := "subquery", "(SELECT ...)"
		if len(sel.ValuesLists) > 0 {
			what, example = "VALUES", "(VALUES ...)"
		}
		return nil, nil, pgerr.New(pgerr.SyntaxError, "%s in FROM must have an alias", what).
			WithHint("For example, FROM %s [AS] foo.", example).At(selectLocation(sel))
	}
	it := &nsItem{alias: r.Alias.Aliasname, relVisible: true, colsVisible: true, sub: true}
	old, kind := s.lateral, s.kind
	s.lateral, s.kind = r.Lateral, inFromSubselect
	sub := s.b.newScope(s)
	sub.locking = s.lockingFor(it.alias)
	q, err := sub.query(sel, true)
	s.lateral, s.kind = old, kind
	if err != nil {
		return nil, nil, err
	}
	return s.projected(q, it), it, s.aliasColumns(it, r.Alias)
}

// projected puts a query into FROM: its columns belong to this level from here on, and keep their IDs unless one is there
// twice.
func (s *scope) projected(q *query, it *nsItem) Node {
	p := &Project{Input: q.node}
	var seen colSet
	for _, c := range q.cols {
		x, out := ref(c), c
		if seen.has(c.ID) {
			out = s.b.newCol(c, s)
			if sh := s.b.shapes[c.ID]; sh != nil {
				s.b.shapes[out.ID] = sh
			}
		}
		seen.add(c.ID)
		s.b.cols[out.ID], s.b.owner[out.ID] = out, s
		p.Exprs, p.Out = append(p.Exprs, x), append(p.Out, out)
		it.cols = append(it.cols, nsCol{name: c.Name, x: ref(out)})
	}
	it.extra = s.projectedRow(p, it, nil)
	return p
}

// selectLocation is a place inside a SELECT to point at: the parser gives the statement itself none.
func selectLocation(sel *pg_query.SelectStmt) int32 {
	return -1
}

func (s *scope) tableSample(t *pg_query.RangeTableSample) (Node, *nsItem, error) {
	v := t.Relation.GetRangeVar()
	if v == nil {
		return nil, nil, pgerr.Unsupported("TABLESAMPLE here").At(t.Location)
	}
	_, it, err := s.rangeVar(v)
	if err != nil {
		return nil, nil, err
	}
	if it.scan == nil {
		return nil, nil, pgerr.New(pgerr.WrongObjectType, "TABLESAMPLE clause can only be applied to tables and materialized views").At(v.Location)
	}
	name := strs(t.Method)
	method := name[len(name)-1]
	if method != "bernoulli" && method != "system" {
		return nil, nil, pgerr.New(pgerr.UndefinedObject, "tablesample method %s does not exist", method).At(t.Location)
	}
	if len(t.Args) != 1 {
		return nil, nil, pgerr.New(pgerr.InvalidTablesampleArgument, "tablesample method %s requires 1 argument, not %d", method, len(t.Args)).At(t.Location)
	}
	it.scan.Sample = method
	err = s.with(inFromFunction, func() error {
		arg, err := s.exprAs(t.Args[0], types.Float4T)
		if err != nil {
			return err
		}
		it.scan.SampleArgs = []expr.Expr{arg}
		if t.Repeatable != nil {
			it.scan.Repeatable, err = s.exprAs(t.Repeatable, types.Float8T)
		}
		return err
	})
	return it.scan, it, err
}
