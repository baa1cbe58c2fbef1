package planner

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// insertState is an INSERT under construction.
type insertState struct {
	b    *binder
	s    *scope
	stmt *pg_query.InsertStmt
	*writeTarget
	cols     []*catalog.Column // what the statement gives values for, in its order
	explicit bool              // they were listed
	// parts are the paths of INSERT INTO t (col[1], col.field), nil for whole columns, beside stmt.Cols.
	parts [][]*pg_query.Node
	node  *Insert
}

func (b *binder) insert(s *scope, stmt *pg_query.InsertStmt) (*query, error) {
	with, err := s.bindWith(stmt.WithClause)
	if err != nil {
		return nil, err
	}
	target, err := b.target(stmt.Relation, insertEvent)
	if err != nil {
		return nil, err
	}
	st := &insertState{b: b, s: s, stmt: stmt, writeTarget: target, node: &Insert{Rel: target.base}}
	if target.base.Kind == catalog.KindPartitioned {
		st.node.Members = append([]*catalog.Relation{}, b.c.Snapshot.Storing(target.base)...)
		b.writes = append(b.writes, st.node.Members...)
	}
	if err := st.columns(); err != nil {
		return nil, err
	}
	if err := st.source(); err != nil {
		return nil, err
	}
	n := st.node
	n.RowCols = b.newRow(target.base, s)
	if n.Generated, err = b.generated(target.base, nullableCols(n.RowCols)); err != nil {
		return nil, err
	}
	if n.Checks, err = target.checks(b, n.RowCols); err != nil {
		return nil, err
	}
	alias, schema := target.rel.Name, target.rel.Schema
	if stmt.Relation.Alias != nil {
		alias, schema = stmt.Relation.Alias.Aliasname, ""
	}
	if stmt.OnConflictClause != nil && stmt.OnConflictClause.Action != pg_query.OnConflictAction_ONCONFLICT_NONE {
		if n.Conflict, err = st.conflict(stmt.OnConflictClause, alias, schema); err != nil {
			return nil, err
		}
	}
	it := target.item(b, alias, n.RowCols)
	it.schema = schema
	if n.Returning, n.Out, err = b.newChild(s).returning(stmt.ReturningList, []*nsItem{it}); err != nil {
		return nil, err
	}
	return modified(n, n.Out, with), nil
}

// newChild is a level that sees the WITH queries of s and nothing of its FROM clause.
func (b *binder) newChild(s *scope) *scope {
	c := b.newScope(s)
	s.ns = nil
	return c
}

func modified(n Node, cols []Col, with []*CTE) *query {
	if len(with) > 0 {
		n = &With{CTEs: with, Body: n}
	}
	return &query{node: n, cols: cols}
}

// columns resolves the column list.
func (st *insertState) columns() error {
	if len(st.stmt.Cols) == 0 {
		st.cols = st.rel.Live()
		return nil
	}
	st.explicit = true
	for _, n := range st.stmt.Cols {
		r := n.GetResTarget()
		c, err := targetColumn(st.rel, r)
		if err != nil {
			return err
		}
		if i := slices.Index(st.cols, c); i >= 0 && (len(r.Indirection) == 0 || st.parts[i] == nil) {
			return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" specified more than once", c.Name).At(r.Location)
		}
		st.cols, st.parts = append(st.cols, c), append(st.parts, r.Indirection)
	}
	return nil
}

// part puts the value that was given for entry i of the column list, when that is a part of a column, into the column's
// value: a new one, which is then not there yet, or what the parts before it have made.
func (st *insertState) part(i int, x expr.Expr, made *expr.Expr, loc int32) (expr.Expr, error) {
	c, r := st.cols[i], st.stmt.Cols[i].GetResTarget()
	base := expr.Expr(&expr.Const{T: c.Type, Mod: c.Typmod, Loc: -1})
	if made != nil {
		base = *made
	}
	return st.s.replacePart(base, st.parts[i], x, c.Name, r.Location, loc)
}

// first is the first entry of the column list for entry i's column.
func (st *insertState) first(i int) int { return slices.Index(st.cols, st.cols[i]) }

// source binds where the rows come from; its columns are the targets, defaults after what was given.
func (st *insertState) source() error {
	sel := st.stmt.SelectStmt.GetSelectStmt()
	switch {
	case sel == nil:
		return st.values([][]*pg_query.Node{nil})
	case len(sel.ValuesLists) > 0 && len(sel.SortClause) == 0 && sel.LimitCount == nil && sel.LimitOffset == nil && sel.WithClause == nil:
		rows := make([][]*pg_query.Node, len(sel.ValuesLists))
		for i, l := range sel.ValuesLists {
			var err error
			if rows[i], err = st.s.withoutStars(l.GetList().GetItems()); err != nil {
				return err
			}
		}
		return st.values(rows)
	}
	return st.fromSelect(sel)
}

// given are the columns for which n values come; the rest get defaults.
func (st *insertState) given(n int, rowLoc func(int) int32) error {
	if n > len(st.cols) {
		return pgerr.New(pgerr.SyntaxError, "INSERT has more expressions than target columns").At(rowLoc(len(st.cols)))
	}
	if n < len(st.cols) && st.explicit {
		return pgerr.New(pgerr.SyntaxError, "INSERT has more target columns than expressions").At(st.stmt.Cols[n].GetResTarget().Location)
	}
	st.cols = st.cols[:n]
	for i, c := range st.cols {
		if err := st.writable(c); err != nil {
			return err
		}
		st.sets(catalog.Insert, c.Name)
		if slices.ContainsFunc(st.cols[:i], func(o *catalog.Column) bool { return o != c && o.Attnum == c.Attnum }) {
			return pgerr.New(pgerr.SyntaxError, "multiple assignments to same column \"%s\"", st.base.ByAttnum(c.Attnum).Name)
		}
	}
	return nil
}

// values binds INSERT ... VALUES and DEFAULT VALUES.
func (st *insertState) values(rows [][]*pg_query.Node) error {
	width := len(rows[0])
	for _, r := range rows {
		if len(r) != width {
			loc := int32(-1)
			if len(r) > 0 {
				loc = nodeLocation(r[0])
			}
			return pgerr.New(pgerr.SyntaxError, "VALUES lists must all be the same length").At(loc)
		}
	}
	if st.stmt.SelectStmt == nil {
		width = 0
		st.cols, st.explicit = nil, false
	}
	if err := st.given(width, func(i int) int32 { return nodeLocation(rows[0][i]) }); err != nil {
		return err
	}
	kind := inValues
	if len(rows) == 1 {
		kind = inInsertTarget
	}
	defaults := st.defaulted()
	out := make([][]expr.Expr, len(rows))
	err := st.s.with(kind, func() error {
		for i, r := range rows {
			row, err := st.row(r, defaults)
			if err != nil {
				return err
			}
			out[i] = row
		}
		return nil
	})
	if err != nil {
		return err
	}
	return st.finishValues(out, defaults)
}

// defaulted are the columns that the statement leaves to their defaults.
func (st *insertState) defaulted() []*catalog.Column {
	var out []*catalog.Column
	given := func(c *catalog.Column) bool {
		return slices.ContainsFunc(st.cols, func(o *catalog.Column) bool { return o.Attnum == c.Attnum })
	}
	for _, c := range append(st.rel.Live(), st.hidden()...) {
		if c.Attnum > 0 && c.Generated == 0 && hasDefault(c) && !given(c) {
			out = append(out, c)
		}
	}
	return out
}

// row binds one row of VALUES: an expression or DEFAULT for each column that was given, then the other columns' defaults.
// Generated columns are left out: they are computed from the row.
func (st *insertState) row(items []*pg_query.Node, defaults []*catalog.Column) ([]expr.Expr, error) {
	out := make([]expr.Expr, 0, len(items)+len(defaults))
	at := make([]int, len(items))
	for i, n := range items {
		c := st.cols[i]
		isDefault := n.GetSetToDefault() != nil
		if !isDefault {
			if err := st.overridable(c); err != nil {
				return nil, err
			}
		}
		if c.Generated != 0 {
			continue
		}
		var x expr.Expr
		var err error
		if st.explicit && st.parts[i] != nil {
			if isDefault {
				return nil, partDefault(st.stmt.Cols[i].GetResTarget())
			}
			if x, err = st.s.expr(n); err != nil {
				return nil, err
			}
			var made *expr.Expr
			if f := st.first(i); f < i {
				made = &out[at[f]]
			}
			if x, err = st.part(i, x, made, nodeLocation(n)); err != nil {
				return nil, err
			}
			if made != nil {
				*made = x
				continue
			}
		} else if isDefault || c.Identity != 0 && st.stmt.Override == pg_query.OverridingKind_OVERRIDING_USER_VALUE {
			x, err = st.b.defaultOf(c)
		} else if x, err = st.s.expr(n); err == nil {
			x, err = st.b.assign(x, c, nodeLocation(n))
		}
		if err != nil {
			return nil, err
		}
		at[i] = len(out)
		out = append(out, x)
	}
	for _, c := range defaults {
		x, err := st.b.defaultOf(c)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// overridable refuses values for generated columns and, unless overriding, for identity columns that are always generated.
func (st *insertState) overridable(c *catalog.Column) error {
	err := pgerr.New(pgerr.GeneratedAlways, "cannot insert a non-DEFAULT value into column \"%s\"", c.Name)
	if c.Generated != 0 {
		return err.WithDetail("Column \"%s\" is a generated column.", c.Name)
	}
	over := st.stmt.Override
	if c.Identity == 'a' && over != pg_query.OverridingKind_OVERRIDING_SYSTEM_VALUE && over != pg_query.OverridingKind_OVERRIDING_USER_VALUE {
		return err.WithDetail("Column \"%s\" is an identity column defined as GENERATED ALWAYS.", c.Name).
			WithHint("Use OVERRIDING SYSTEM VALUE to override.")
	}
	return nil
}

// targetCols are the columns of the source: those given, without generated ones, and the defaulted.
func (st *insertState) targetCols(defaults []*catalog.Column) []*catalog.Column {
	var out []*catalog.Column
	for i, c := range st.cols {
		if c.Generated == 0 && st.first(i) == i {
			out = append(out, c)
		}
	}
	return append(out, defaults...)
}

func (st *insertState) finishValues(rows [][]expr.Expr, defaults []*catalog.Column) error {
	v := &Values{Rows: rows}
	for i, c := range st.targetCols(defaults) {
		notNullable := true
		for _, r := range rows {
			notNullable = notNullable && notNull(r[i])
		}
		v.Out = append(v.Out, st.b.newCol(Col{Name: c.Name, Type: c.Type, Mod: c.Typmod, NotNull: notNullable}, nil))
		st.node.Targets = append(st.node.Targets, c.Attnum)
	}
	st.node.Source = v
	for _, x := range rows[0] {
		if len(rows) == 1 && returnsSet(x) {
			// INSERT ... VALUES of one row is a SELECT: a set-returning function in it gives many rows.
			st.node.Source = st.s.expandSets(&Project{Input: &Result{}, Exprs: rows[0], Out: v.Out})
			break
		}
	}
	return nil
}

// fromSelect binds INSERT ... SELECT.
func (st *insertState) fromSelect(sel *pg_query.SelectStmt) error {
	if slices.ContainsFunc(st.parts, func(p []*pg_query.Node) bool { return p != nil }) {
		return st.partsFromSelect(sel)
	}
	q, err := st.b.newScope(st.s).query(sel, false)
	if err != nil {
		return err
	}
	loc := func(i int) int32 {
		if i < len(sel.TargetList) {
			return nodeLocation(sel.TargetList[i].GetResTarget().Val)
		}
		return -1
	}
	if err := st.given(len(q.cols), loc); err != nil {
		return err
	}
	from := q.outputs()
	to := make([]expr.Expr, len(from))
	for i, c := range st.cols {
		if c.Identity != 0 && st.stmt.Override == pg_query.OverridingKind_OVERRIDING_USER_VALUE {
			if to[i], err = st.b.defaultOf(c); err != nil {
				return err
			}
			continue
		}
		if err := st.overridable(c); err != nil {
			return err
		}
		if to[i], err = st.b.assign(from[i], c, loc(i)); err != nil {
			return err
		}
	}
	p := &Project{Input: st.s.retype(q, from, to)}
	defaults := st.defaulted()
	for i, c := range p.Input.Cols()[:len(st.cols)] {
		p.Exprs = append(p.Exprs, ref(c))
		p.Out = append(p.Out, c)
		st.node.Targets = append(st.node.Targets, st.cols[i].Attnum)
	}
	for _, c := range defaults {
		x, err := st.b.defaultOf(c)
		if err != nil {
			return err
		}
		p.Exprs = append(p.Exprs, x)
		p.Out = append(p.Out, st.b.newCol(Col{Name: c.Name, Type: c.Type, Mod: c.Typmod}, nil))
		st.node.Targets = append(st.node.Targets, c.Attnum)
	}
	st.node.Source = p
	return nil
}

// partDefault refuses DEFAULT for a part of a column.
func partDefault(r *pg_query.ResTarget) error {
	what := "an array element"
	if r.Indirection[0].GetString_() != nil {
		what = "a subfield"
	}
	return pgerr.New(pgerr.FeatureNotSupported, "cannot set %s to DEFAULT", what).At(r.Location)
}

// partsFromSelect binds INSERT ... SELECT into parts of columns.
func (st *insertState) partsFromSelect(sel *pg_query.SelectStmt) error {
	q, err := st.b.newScope(st.s).query(sel, true)
	if err != nil {
		return err
	}
	if err := st.given(len(q.cols), func(int) int32 { return -1 }); err != nil {
		return err
	}
	p := &Project{Input: q.node}
	at := make([]int, len(st.cols))
	for i, c := range st.cols {
		if err := st.overridable(c); err != nil {
			return err
		}
		var x expr.Expr = ref(q.cols[i])
		f := st.first(i)
		switch {
		case st.parts[i] == nil:
			x, err = st.b.assign(x, c, -1)
		case f < i:
			p.Exprs[at[f]], err = st.part(i, x, &p.Exprs[at[f]], -1)
		default:
			x, err = st.part(i, x, nil, -1)
		}
		if err != nil {
			return err
		}
		if f == i {
			at[i] = len(p.Exprs)
			p.Exprs = append(p.Exprs, x)
		}
	}
	defaults := st.defaulted()
	for _, c := range defaults {
		x, err := st.b.defaultOf(c)
		if err != nil {
			return err
		}
		p.Exprs = append(p.Exprs, x)
	}
	for _, c := range st.targetCols(defaults) {
		p.Out = append(p.Out, st.b.newCol(Col{Name: c.Name, Type: c.Type, Mod: c.Typmod}, nil))
		st.node.Targets = append(st.node.Targets, c.Attnum)
	}
	st.node.Source = p
	return nil
}
