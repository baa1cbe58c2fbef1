package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// modifying binds INSERT, UPDATE, DELETE or MERGE; the query's columns are RETURNING's, none without it.
func (b *binder) modifying(s *scope, n *pg_query.Node) (*query, error) {
	switch n := n.Node.(type) {
	case *pg_query.Node_InsertStmt:
		return b.insert(s, n.InsertStmt)
	case *pg_query.Node_UpdateStmt:
		return b.update(s, n.UpdateStmt)
	case *pg_query.Node_DeleteStmt:
		return b.delete(s, n.DeleteStmt)
	case *pg_query.Node_MergeStmt:
		return b.merge(s, n.MergeStmt)
	}
	return nil, pgerr.Unsupported("this statement")
}

// target finds the table that a statement changes, through views if it names one.
func (b *binder) target(v *pg_query.RangeVar, ev event) (*writeTarget, error) {
	rel, err := b.relation(v)
	if err != nil {
		return nil, err
	}
	levels := b.writing(rel, events[ev].privilege)
	switch {
	case rel.Virtual != nil, rel.Schema == "pg_catalog", rel.Schema == "information_schema" && rel.Kind == catalog.KindTable:
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", rel.Name)
	case rel.InsteadOf(events[ev].name):
		b.writes = append(b.writes, rel)
		return &writeTarget{rel: rel, base: rel, levels: levels[:1]}, nil
	case rel.Kind == catalog.KindView:
		t := &writeTarget{ev: ev, levels: levels}
		if t.path, t.rel, err = b.throughView(rel, ev, false); err != nil {
			return nil, err
		}
		t.base = t.path.base
		b.writes = append(b.writes, t.base)
		return t, nil
	case rel.Kind == catalog.KindMatView && rel.OID != b.c.Fills:
		return nil, pgerr.New(pgerr.WrongObjectType, "cannot change materialized view \"%s\"", rel.Name)
	case rel.Kind == catalog.KindSequence:
		return nil, pgerr.New(pgerr.WrongObjectType, "cannot change sequence \"%s\"", rel.Name)
	case rel.ReadOnly:
		return nil, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cannot %s view \"%s\"", events[ev].verb, rel.Name).
			WithDetail("It is a view or time series of MongoDB, which SQL only reads.")
	case rel.Capped && ev != insertEvent:
		return nil, pgerr.Unsupported("changing rows of a capped collection")
	}
	b.writes = append(b.writes, rel)
	return &writeTarget{rel: rel, base: rel, levels: levels}, nil
}

// newRow hands out columns for a row of the relation that the statement makes.
func (b *binder) newRow(rel *catalog.Relation, s *scope) []Col {
	live := rel.Live()
	out := make([]Col, len(live))
	for i, c := range live {
		out[i] = b.newCol(Col{Name: c.Name, Type: c.Type, Mod: c.Typmod, NotNull: c.NotNull, Table: rel.OID, Attnum: c.Attnum, Collation: b.collationByOID(c.Collation)}, s)
	}
	return out
}

// rowItem shows a row of the relation under a name.
func (b *binder) rowItem(rel *catalog.Relation, alias string, cols []Col) *nsItem {
	it := &nsItem{alias: alias, rel: rel, relVisible: true, colsVisible: true, cols: make([]nsCol, len(cols))}
	for i, c := range cols {
		it.cols[i] = nsCol{name: c.Name, x: ref(c)}
	}
	it.extra = func(n int16) (expr.Expr, error) {
		switch n {
		case 0:
			row := rowOf(it)
			if t := b.c.Snapshot.TypeByOID(rel.RowType); t != nil {
				row.T = t
			}
			return row, nil
		case -6:
			if inherits(rel) {
				return nil, pgerr.Unsupported("tableoid of a new row of a table with children")
			}
			return &expr.Const{D: types.Int(int64(rel.OID)), T: types.OidT, Mod: -1, Loc: -1}, nil
		}
		return nil, pgerr.Unsupported("this system column here")
	}
	return it
}

// overRow binds texts of the catalogue (defaults, checks, generation expressions) over a row's columns.
func (b *binder) overRow(rel *catalog.Relation, cols []Col, kind clause) *scope {
	s := b.newScope(nil)
	s.kind = kind
	if rel != nil {
		it := b.rowItem(rel, rel.Name, cols)
		s.ns = []*nsItem{it}
		s.rtable = s.ns
	}
	return s
}

// text binds one such text, as a value of type t if it is not nil.
func (s *scope) text(text string, t *types.T, typmod int32) (expr.Expr, error) {
	n, err := s.b.parseText(text)
	if err != nil {
		return nil, err
	}
	defer s.b.unchecked()()
	noParams := s.b.noParams
	s.b.noParams = true
	defer func() { s.b.noParams = noParams }()
	x, err := s.expr(n)
	if err == nil && t != nil {
		x, err = s.b.r.Coerce(x, t, typmod, expr.Assignment, -1)
	}
	return x, withoutPosition(err)
}

// generated binds the stored generated columns over a row.
func (b *binder) generated(rel *catalog.Relation, cols []Col) ([]Assign, error) {
	var out []Assign
	for _, c := range rel.Live() {
		if c.Generated == 0 {
			continue
		}
		x, err := b.overRow(rel, cols, inGenerated).text(c.Default, c.Type, c.Typmod)
		if err != nil {
			return nil, err
		}
		out = append(out, Assign{Attnum: c.Attnum, Value: x})
	}
	return out, nil
}

// checks binds the CHECK constraints over a row.
func (b *binder) checks(rel *catalog.Relation, cols []Col) ([]Check, error) {
	var out []Check
	for _, con := range rel.Constraints {
		if con.Type != catalog.ConCheck {
			continue
		}
		x, err := b.overRow(rel, nullableCols(cols), inCheck).text(con.Check, types.BoolT, -1)
		if err != nil {
			return nil, err
		}
		out = append(out, Check{Name: con.Name, Cond: x, Holds: !con.NotValid})
	}
	if rel.Bound == nil {
		return out, nil
	}
	for _, r := range append([]*catalog.Relation{rel}, b.c.Snapshot.Ancestors(rel)...) {
		if r.Bound == nil {
			break
		}
		x, err := b.overRow(rel, nullableCols(cols), inCheck).text(r.Bound.Check, types.BoolT, -1)
		if err != nil {
			return nil, err
		}
		out = append(out, Check{Name: rel.Name, Cond: x, Holds: true, Kind: CheckPartition})
	}
	return out, nil
}

// nullableCols drops the promises about NULL: a new row is checked before NOT NULL is known to hold.
func nullableCols(cols []Col) []Col {
	out := make([]Col, len(cols))
	for i, c := range cols {
		c.NotNull = false
		out[i] = c
	}
	return out
}

// defaultOf binds a column's default: its own, its sequence's next value, its domain's, or NULL.
func (b *binder) defaultOf(c *catalog.Column) (expr.Expr, error) {
	s := b.overRow(nil, nil, inDefault)
	switch {
	case c.Default != "" && c.Generated == 0:
		return s.text(c.Default, c.Type, c.Typmod)
	case c.Identity != 0 && c.OwnedSequence != 0:
		seq := &expr.Const{D: types.Int(int64(c.OwnedSequence)), T: types.RegclassT, Mod: -1, Loc: -1}
		x, err := b.r.Func(expr.FuncCall{Schema: "pg_catalog", Name: "nextval", Args: []expr.Expr{seq}, Loc: -1})
		if err != nil {
			return nil, err
		}
		return b.r.Coerce(x, c.Type, c.Typmod, expr.Assignment, -1)
	}
	for t := c.Type; t.Kind == 'd'; t = t.Base {
		if t.Default != "" {
			return s.text(t.Default, c.Type, c.Typmod)
		}
	}
	null := &expr.Const{T: types.UnknownT, Mod: -1, Loc: -1}
	return b.r.Coerce(null, c.Type, c.Typmod, expr.Implicit, -1)
}

// hasDefault reports whether leaving the column out gives something else than NULL.
func hasDefault(c *catalog.Column) bool {
	if c.Default != "" || c.Identity != 0 {
		return true
	}
	for t := c.Type; t.Kind == 'd'; t = t.Base {
		if t.Default != "" || t.NotNull {
			return true
		}
	}
	return false
}

// assign converts a value to a column's type, with PostgreSQL's wording when it cannot be.
func (b *binder) assign(x expr.Expr, c *catalog.Column, loc int32) (expr.Expr, error) {
	out, err := b.r.Coerce(x, c.Type, c.Typmod, expr.Assignment, loc)
	if err == nil || !pgerr.Is(err, pgerr.DatatypeMismatch) && !pgerr.Is(err, pgerr.CannotCoerce) {
		return out, err
	}
	return nil, pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" is of type %s but expression is of type %s",
		c.Name, types.FormatType(c.Type, -1), types.FormatType(x.Type(), -1)).
		WithHint("You will need to rewrite or cast the expression.").WithRoutine("transformAssignedExpr").At(loc)
}

// targetColumn finds the column that a SET or column list names.
func targetColumn(rel *catalog.Relation, r *pg_query.ResTarget) (*catalog.Column, error) {
	if c := rel.Column(r.Name); c != nil {
		return c, nil
	}
	return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", r.Name, rel.Name).At(r.Location)
}

// returning binds RETURNING over the items that it may see.
func (s *scope) returning(list []*pg_query.Node, ns []*nsItem) ([]expr.Expr, []Col, error) {
	if len(list) == 0 {
		return nil, nil, nil
	}
	s.ns, s.rtable = ns, ns
	targets, err := s.targetList(list, inReturning)
	if err != nil {
		return nil, nil, err
	}
	if err := s.resolveUnknown(targets); err != nil {
		return nil, nil, err
	}
	exprs, out := make([]expr.Expr, len(targets)), make([]Col, len(targets))
	for i, t := range targets {
		exprs[i] = t.x
		out[i] = s.b.resultCol(t.name, t.x, nil)
	}
	return exprs, out, nil
}
