package planner

import (
	"context"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Reference is a place where a query names a column of a relation.
type Reference struct {
	catalog.ColumnUse
	// Loc is the place of the column reference in the query's text, -1 for one that has none: USING's.
	Loc int32
}

// ViewDescription is what the catalogue keeps of a view's query.
type ViewDescription struct {
	Cols []Col
	Base *catalog.ViewBase
	// References are the columns that it names.
	References []Reference
}

// DescribeView binds the query of a view.
func DescribeView(ctx context.Context, c *Context, sel *pg_query.SelectStmt) (*ViewDescription, error) {
	b := newBinder(ctx, c)
	b.noParams, b.describing = true, true
	q, err := b.newScope(nil).query(sel, true)
	if err != nil {
		return nil, err
	}
	out := &ViewDescription{Cols: q.cols, References: b.uses}
	b.describing = false
	out.Base, err = b.viewBase(sel)
	return out, err
}

// noteUse records a reference to a column of a relation that is in FROM itself, not of a subquery that passes it on.
func (s *scope) noteUse(r *expr.ColRef, name string, loc int32) {
	col := s.b.cols[r.ID]
	if col.Table == 0 || col.Attnum <= 0 {
		return
	}
	for lv := s; lv != nil; lv = lv.parent {
		for _, it := range lv.rtable {
			if it.rel == nil || it.join || it.rel.OID != col.Table {
				continue
			}
			for _, x := range it.cols {
				if y, ok := x.x.(*expr.ColRef); ok && y.ID == r.ID && x.name == name {
					s.b.uses = append(s.b.uses, Reference{catalog.ColumnUse{Relation: col.Table, Attnum: col.Attnum}, loc})
					return
				}
			}
		}
	}
}

// viewBase decides whether a view's query can be written through, in the order in which PostgreSQL looks for reasons.
func (b *binder) viewBase(sel *pg_query.SelectStmt) (*catalog.ViewBase, error) {
	reason := ""
	switch {
	case sel.DistinctClause != nil:
		reason = "Views containing DISTINCT are not automatically updatable."
	case len(sel.GroupClause) > 0:
		reason = "Views containing GROUP BY are not automatically updatable."
	case sel.HavingClause != nil:
		reason = "Views containing HAVING are not automatically updatable."
	case sel.Op != pg_query.SetOperation_SETOP_NONE && sel.Op != pg_query.SetOperation_SET_OPERATION_UNDEFINED:
		reason = "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable."
	case sel.WithClause != nil:
		reason = "Views containing WITH are not automatically updatable."
	case sel.LimitCount != nil || sel.LimitOffset != nil:
		reason = "Views containing LIMIT or OFFSET are not automatically updatable."
	}
	if reason != "" {
		return &catalog.ViewBase{Reason: reason}, nil
	}
	const single = "Views that do not select from a single table or view are not automatically updatable."
	if len(sel.ValuesLists) > 0 {
		return &catalog.ViewBase{Reason: single}, nil
	}
	s := b.newScope(nil)
	if err := s.declareWindows(sel.WindowClause); err != nil {
		return nil, err
	}
	if _, err := s.from(sel.FromClause); err != nil {
		return nil, err
	}
	targets, err := s.targetList(sel.TargetList, inSelect)
	if err != nil {
		return nil, err
	}
	q := selectState{targets: targets}
	switch {
	case s.hasAgg:
		reason = "Views that return aggregate functions are not automatically updatable."
	case len(s.windows) > 0:
		reason = "Views that return window functions are not automatically updatable."
	case q.anySRF():
		reason = "Views that return set-returning functions are not automatically updatable."
	case len(sel.FromClause) == 1 && sel.FromClause[0].GetRangeTableSample() != nil:
		reason = "Views containing TABLESAMPLE are not automatically updatable."
	case len(sel.FromClause) != 1 || sel.FromClause[0].GetRangeVar() == nil || !writableKind(s.rtable[0].rel):
		reason = single
	}
	if reason != "" {
		return &catalog.ViewBase{Reason: reason}, nil
	}
	out := &catalog.ViewBase{Relation: s.rtable[0].rel.OID}
	for _, t := range targets {
		n := catalog.NotColumn
		if r, ok := t.x.(*expr.ColRef); ok {
			n = b.cols[r.ID].Attnum
		}
		out.Columns = append(out.Columns, n)
	}
	return out, nil
}

func writableKind(r *catalog.Relation) bool {
	return r != nil && r.Virtual == nil && (r.IsTable() || r.Kind == catalog.KindView)
}

// event is a kind of write.
type event uint8

const (
	insertEvent event = iota
	updateEvent
	deleteEvent
)

var events = [...]struct {
	verb, doing, name string
	privilege         catalog.Privileges
}{
	insertEvent: {"insert into", "inserting into", "INSERT", catalog.Insert},
	updateEvent: {"update", "updating", "UPDATE", catalog.Update},
	deleteEvent: {"delete from", "deleting from", "DELETE", catalog.Delete},
}

// writeTarget is what a statement writes to: a table, or a table through views.
type writeTarget struct {
	// rel is the relation as the statement names it. For a view it is one whose columns have the attnums and the defaults of
	// the base table's columns that they show, attnum 0 where they show none.
	rel  *catalog.Relation
	base *catalog.Relation
	// path is nil for a table.
	path *viewPath
	ev   event
	// levels are the relation and, for a view, those below it, the table last.
	levels []level
}

// viewPath is the way from a view to its base table. Its expressions are over cols, which stand for a row of the table.
type viewPath struct {
	view, base *catalog.Relation
	cols       []Col
	// exprs are the view's columns, conds what its rows meet, inner views' conditions first.
	exprs []expr.Expr
	conds []expr.Expr
	// checks are the check options of the views on the way, inner ones first.
	checks []Check
	// refusals say for each column of the view why it cannot be written, nil for one that can.
	refusals []func(event) error
}

// throughView finds the way from a view to its table. cascaded says that an outer view's check option covers this one.
func (b *binder) throughView(view *catalog.Relation, ev event, cascaded bool) (*viewPath, *catalog.Relation, error) {
	info := view.Base
	if info == nil {
		info = &catalog.ViewBase{Reason: "Views that do not select from a single table or view are not automatically updatable."}
	}
	reason := info.Reason
	if reason == "" && ev != deleteEvent && !info.Writable() {
		reason = "Views that have no updatable columns are not automatically updatable."
	}
	base := b.c.Snapshot.RelationByOID(info.Relation)
	if reason != "" || base == nil {
		e := events[ev]
		return nil, nil, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cannot %s view \"%s\"", e.verb, view.Name).WithDetail("%s", reason).
			WithHint("To enable %s the view, provide an INSTEAD OF %s trigger or an unconditional ON %s DO INSTEAD rule.", e.doing, e.name, e.name)
	}
	option := checkOption(view)
	cascaded = cascaded || option == "cascaded"
	p := &viewPath{view: view, base: base}
	var shadow *catalog.Relation
	var inner *viewPath
	if base.InsteadOf(events[ev].name) {
		return nil, nil, pgerr.Unsupported("writing through a view to a view with INSTEAD OF triggers")
	}
	if base.Kind == catalog.KindView {
		var err error
		if inner, shadow, err = b.throughView(base, ev, cascaded); err != nil {
			return nil, nil, err
		}
		p.base, p.cols, p.conds, p.checks = inner.base, inner.cols, inner.conds, inner.checks
	} else {
		shadow = base
		p.cols = b.newRow(base, nil)
		b.relations = append(b.relations, base)
	}
	own, err := b.viewRow(p, inner)
	if err != nil {
		return nil, nil, err
	}
	p.conds = append(p.conds[:len(p.conds):len(p.conds)], own...)
	if len(own) > 0 && (cascaded || option != "") {
		p.checks = append(p.checks[:len(p.checks):len(p.checks)], Check{Name: view.Name, Cond: and(own), Kind: CheckView})
	}
	return p, p.shadow(info, shadow, inner), nil
}

func checkOption(view *catalog.Relation) string {
	for _, o := range view.Options {
		switch o {
		case "check_option=local":
			return "local"
		case "check_option=cascaded":
			return "cascaded"
		}
	}
	return ""
}

// viewRow binds the view's columns over a row of its table and returns its own conditions.
func (b *binder) viewRow(p, inner *viewPath) ([]expr.Expr, error) {
	sel, err := b.viewStmt(p.view)
	if err != nil {
		return nil, err
	}
	noParams := b.noParams
	b.noParams = true
	defer func() { b.noParams = noParams }()
	v := sel.FromClause[0].GetRangeVar()
	alias := v.Relname
	if v.Alias != nil {
		alias = v.Alias.Aliasname
	}
	var it *nsItem
	if inner != nil {
		it = b.pathItem(inner, alias, inner.cols)
	} else {
		it = b.rowItem(p.base, alias, p.cols)
	}
	s := b.newScope(nil)
	if err := s.aliasColumns(it, v.Alias); err != nil {
		return nil, err
	}
	s.ns, s.rtable = []*nsItem{it}, []*nsItem{it}
	targets, err := s.targetList(sel.TargetList, inSelect)
	if err != nil {
		return nil, withoutPosition(err)
	}
	if err := s.resolveUnknown(targets); err != nil {
		return nil, withoutPosition(err)
	}
	for i := range p.view.Live() {
		p.exprs = append(p.exprs, targets[i].x)
	}
	if sel.WhereClause == nil {
		return nil, nil
	}
	conds, err := s.where(sel.WhereClause)
	return conds, withoutPosition(err)
}

// shadow makes the relation that statements see when they write to the view.
func (p *viewPath) shadow(info *catalog.ViewBase, base *catalog.Relation, inner *viewPath) *catalog.Relation {
	out := &catalog.Relation{
		OID: p.view.OID, Schema: p.view.Schema, Name: p.view.Name, Kind: p.base.Kind, RowType: p.view.RowType,
		Indexes: p.base.Indexes, Constraints: p.base.Constraints,
	}
	for i, vc := range p.view.Live() {
		c := *vc
		c.Attnum = 0
		refusal := p.refusal(c.Name, info.Columns[i])
		if n := info.Columns[i]; n > 0 {
			bc := base.Columns[n-1]
			c.Attnum = bc.Attnum
			if inner != nil {
				refusal = inner.refusals[n-1]
			}
			if c.Default == "" {
				c.Default, c.Identity, c.Generated, c.OwnedSequence = bc.Default, bc.Identity, bc.Generated, bc.OwnedSequence
			}
		}
		p.refusals = append(p.refusals, refusal)
		out.Columns = append(out.Columns, &c)
	}
	return out
}

// refusal is why a column of the view that shows this of its base cannot be written; nil for a column of the base.
func (p *viewPath) refusal(name string, shows int16) func(event) error {
	detail := ""
	switch {
	case shows > 0:
		return nil
	case shows == catalog.NotColumn:
		detail = "View columns that are not columns of their base relation are not updatable."
	case shows == 0:
		detail = "View columns that return whole-row references are not updatable."
	default:
		detail = "View columns that refer to system columns are not updatable."
	}
	view := p.view.Name
	return func(ev event) error {
		verb := "insert into"
		if ev == updateEvent {
			verb = "update"
		}
		return pgerr.New(pgerr.FeatureNotSupported, "cannot %s column \"%s\" of view \"%s\"", verb, name, view).WithDetail("%s", detail)
	}
}

// over are expressions of the path over another row of the table.
func (p *viewPath) over(list []expr.Expr, cols []Col) []expr.Expr {
	m := make(map[expr.ColID]expr.Expr, len(cols))
	for i, c := range p.cols {
		m[c.ID] = ref(cols[i])
	}
	out := make([]expr.Expr, len(list))
	for i, x := range list {
		out[i] = substitute(x, m)
	}
	return out
}

// pathItem shows the view over a row of its table.
func (b *binder) pathItem(p *viewPath, alias string, cols []Col) *nsItem {
	it := &nsItem{alias: alias, rel: p.view, relVisible: true, colsVisible: true}
	exprs := p.over(p.exprs, cols)
	for i, c := range p.view.Live() {
		it.cols = append(it.cols, nsCol{name: c.Name, x: exprs[i]})
	}
	it.extra = func(n int16) (expr.Expr, error) {
		if n != 0 {
			return nil, nil
		}
		row := rowOf(it)
		if t := b.c.Snapshot.TypeByOID(p.view.RowType); t != nil {
			row.T = t
		}
		return row, nil
	}
	return it
}

// item shows a row of the target's table as the target.
func (t *writeTarget) item(b *binder, alias string, cols []Col) *nsItem {
	for _, c := range cols {
		b.reading(t.levels[len(t.levels)-1].a, c, c.Attnum)
	}
	if t.path == nil {
		return b.rowItem(t.rel, alias, cols)
	}
	it := b.pathItem(t.path, alias, cols)
	it.access = t.levels[0].a
	return it
}

// checks are the table's constraints and the views' check options over a new row of the table.
func (t *writeTarget) checks(b *binder, cols []Col) ([]Check, error) {
	out, err := b.checks(t.base, cols)
	if err != nil || t.path == nil {
		return out, err
	}
	for _, c := range t.path.checks {
		out = append(out, Check{Name: c.Name, Cond: t.path.over([]expr.Expr{c.Cond}, nullableCols(cols))[0], Kind: CheckView})
	}
	return out, nil
}

// writable refuses a column of a view that shows no column of its table.
func (t *writeTarget) writable(c *catalog.Column) error {
	if t.path == nil {
		return nil
	}
	for i, x := range t.rel.Columns {
		if x.Name == c.Name && t.path.refusals[i] != nil {
			return t.path.refusals[i](t.ev)
		}
	}
	return nil
}

// hidden are the columns of the table that the target does not show.
func (t *writeTarget) hidden() []*catalog.Column {
	if t.path == nil {
		return nil
	}
	var out []*catalog.Column
	for _, c := range t.base.Live() {
		shown := false
		for _, v := range t.rel.Columns {
			shown = shown || v.Attnum == c.Attnum
		}
		if !shown {
			out = append(out, c)
		}
	}
	return out
}
