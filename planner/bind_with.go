package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// cteDef is one WITH query of a level: bound when it is first needed, since RECURSIVE lets earlier ones use later ones.
type cteDef struct {
	node  *pg_query.CommonTableExpr
	scope *scope
	state cteState
	cte   *CTE
	cols  []Col
	// inner are the WITH queries inside its own recursive query, which are computed before it.
	inner []*CTE
	// refs counts references to itself from its recursive term.
	refs int
}

type cteState uint8

const (
	cteUnbound cteState = iota
	cteBinding          // its query, or the non-recursive term, is being bound
	cteStep             // its recursive term is being bound: a reference reads the working table
	cteBound
)

// bindWith binds the WITH clause of a level and gives the CTEs that its body may read.
func (s *scope) bindWith(w *pg_query.WithClause) ([]*CTE, error) {
	if w == nil {
		return nil, nil
	}
	defs := make([]*cteDef, 0, len(w.Ctes))
	for _, n := range w.Ctes {
		c := n.GetCommonTableExpr()
		for _, d := range defs {
			if d.node.Ctename == c.Ctename {
				return nil, pgerr.New(pgerr.DuplicateAlias, "WITH query name \"%s\" specified more than once", c.Ctename).At(c.Location)
			}
		}
		if c.Ctequery.GetSelectStmt() == nil && s.parent != nil {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "WITH clause containing a data-modifying statement must be at the top level").At(c.Location)
		}
		if c.Ctequery.GetMergeStmt() != nil {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "MERGE not supported in WITH query").At(c.Location)
		}
		if hasSearch(c) && (!w.Recursive || !isUnion(c.Ctequery.GetSelectStmt())) {
			return nil, notRecursive(c)
		}
		defs = append(defs, &cteDef{node: c, scope: s})
	}
	if w.Recursive {
		if err := checkRecursion(w); err != nil {
			return nil, err
		}
		s.ctes = append(s.ctes, defs...)
	}
	var out []*CTE
	for _, d := range defs {
		if err := d.bind(&out, w.Recursive); err != nil {
			return nil, err
		}
		if !w.Recursive {
			s.ctes = append(s.ctes, d)
		}
	}
	return out, nil
}

// findCTE finds the WITH query that a plain table name means, nil for none.
func (s *scope) findCTE(name string) *cteDef {
	for lv := s; lv != nil; lv = lv.parent {
		for i := len(lv.ctes) - 1; i >= 0; i-- {
			if lv.ctes[i].node.Ctename == name {
				return lv.ctes[i]
			}
		}
	}
	return nil
}

// bind binds the query unless it already is bound; out collects the CTEs in the order in which they can be computed.
func (d *cteDef) bind(out *[]*CTE, recursive bool) error {
	if d.state == cteBound {
		if d.cte != nil && out != nil {
			d.emit(out)
		}
		return nil
	}
	b := d.scope.b
	d.state = cteBinding
	d.cte = &CTE{ID: b.nextCTE, Name: d.node.Ctename}
	switch d.node.Ctematerialized {
	case pg_query.CTEMaterialize_CTEMaterializeAlways:
		d.cte.Materialized = 'a'
	case pg_query.CTEMaterialize_CTEMaterializeNever:
		d.cte.Materialized = 'n'
	}
	b.nextCTE++
	sel := d.node.Ctequery.GetSelectStmt()
	var err error
	switch {
	case sel == nil:
		err = d.bindModifying()
	case recursive && isUnion(sel):
		err = d.bindRecursive(sel)
	default:
		err = d.bindPlain(sel)
	}
	if err != nil {
		return err
	}
	d.state = cteBound
	if out != nil {
		d.emit(out)
	}
	return nil
}

func (d *cteDef) emit(out *[]*CTE) {
	for _, c := range *out {
		if c == d.cte {
			return
		}
	}
	for _, e := range d.scope.ctes {
		// What it needed first, through RECURSIVE's free order, goes first.
		if e != d && e.state == cteBound && e.cte.ID > d.cte.ID {
			e.emit(out)
		}
	}
	*out = append(append(*out, d.inner...), d.cte)
}

func isUnion(sel *pg_query.SelectStmt) bool { return sel.Op == pg_query.SetOperation_SETOP_UNION }

func (d *cteDef) bindPlain(sel *pg_query.SelectStmt) error {
	q, err := d.scope.b.newScope(d.scope).query(sel, true)
	if err != nil {
		return err
	}
	d.cte.Base = q.node
	return d.setCols(q.cols)
}

// setCols names the CTE's columns and gives them IDs of their own.
func (d *cteDef) setCols(cols []Col) error {
	names := strs(d.node.Aliascolnames)
	if len(names) > len(cols) {
		return pgerr.New(pgerr.InvalidColumnReference, "WITH query \"%s\" has %d columns available but %d columns specified", d.node.Ctename, len(cols), len(names)).At(d.node.Location)
	}
	b := d.scope.b
	d.cols = make([]Col, len(cols))
	for i, c := range cols {
		if i < len(names) {
			c.Name = names[i]
		}
		d.cols[i] = b.newCol(c, nil)
		if sh := b.shapes[c.ID]; sh != nil {
			b.shapes[d.cols[i].ID] = sh
		}
	}
	d.cte.Out = d.cols
	return nil
}

// bindRecursive binds non-recursive-term UNION [ALL] recursive-term; when the second does not refer back, the query is an
// ordinary union.
func (d *cteDef) bindRecursive(sel *pg_query.SelectStmt) error {
	b := d.scope.b
	s := b.newScope(d.scope)
	with, err := s.bindWith(sel.WithClause)
	if err != nil {
		return err
	}
	if !refersTo(sel.ProtoReflect(), d.node.Ctename) {
		if hasSearch(d.node) {
			return notRecursive(d.node)
		}
		return d.bindPlain(sel)
	}
	if hasSearch(d.node) {
		if sel, err = d.withSearch(sel); err != nil {
			return err
		}
	}
	left, err := s.setOpArm(sel.Larg)
	if err != nil {
		return err
	}
	resolved := make([]expr.Expr, len(left.cols))
	from := left.outputs()
	for i, x := range from {
		resolved[i] = x
		if err := s.unknownToText(&resolved[i], -1); err != nil {
			return err
		}
	}
	node := s.retype(left, from, resolved)
	for i := range left.cols {
		left.cols[i].NotNull = false // the recursive term may give NULL
	}
	if err := d.setCols(left.cols); err != nil {
		return err
	}
	for i := range d.cols {
		// A row may come from either term: it has no table to name.
		d.cols[i].NotNull, d.cols[i].Table, d.cols[i].Attnum = false, 0, 0
	}
	d.state = cteStep
	right, err := s.setOpArm(sel.Rarg)
	if err != nil {
		return err
	}
	if err := recursiveClauses(sel); err != nil {
		return err
	}
	if len(right.cols) != len(left.cols) {
		return pgerr.New(pgerr.SyntaxError, "each UNION query must have the same number of columns")
	}
	step, err := d.stepColumns(s, left, right)
	if err != nil {
		return err
	}
	d.cte.Base, d.cte.Step, d.cte.Recursive, d.cte.UnionAll = node, step, true, sel.All
	d.inner = with
	return nil
}

func recursiveClauses(sel *pg_query.SelectStmt) error {
	what, loc := "", int32(-1)
	switch {
	case len(sel.SortClause) > 0:
		what, loc = "ORDER BY", nodeLocation(sel.SortClause[0].GetSortBy().Node)
	case sel.LimitOffset != nil:
		what, loc = "OFFSET", nodeLocation(sel.LimitOffset)
	case sel.LimitCount != nil:
		what, loc = "LIMIT", nodeLocation(sel.LimitCount)
	case len(sel.LockingClause) > 0:
		what = "FOR UPDATE/SHARE"
	default:
		return nil
	}
	return pgerr.New(pgerr.FeatureNotSupported, "%s in a recursive query is not implemented", what).At(loc)
}

// stepColumns converts the recursive term's columns to the types that the non-recursive term fixed.
func (d *cteDef) stepColumns(s *scope, left, right *query) (Node, error) {
	rx := right.outputs()
	to := make([]expr.Expr, len(rx))
	for i, x := range rx {
		t := d.cols[i].Type
		common, err := s.b.r.CommonType([]expr.Expr{ref(d.cols[i]), x}, "UNION", -1)
		if err != nil {
			return nil, err
		}
		mod := d.cols[i].Mod
		if x.Type() != t || x.Typmod() != mod {
			mod = -1
		}
		if common != t || mod != d.cols[i].Mod {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "recursive query \"%s\" column %d has type %s in non-recursive term but type %s overall",
				d.node.Ctename, i+1, types.FormatType(t, d.cols[i].Mod), types.FormatType(common, mod)).
				WithHint("Cast the output of the non-recursive term to the correct type.").At(left.loc(i))
		}
		if to[i], err = s.b.r.Coerce(x, t, -1, expr.Implicit, -1); err != nil {
			return nil, err
		}
	}
	return s.retype(right, rx, to), nil
}

func (d *cteDef) bindModifying() error {
	b := d.scope.b
	q, err := b.modifying(b.newScope(d.scope), d.node.Ctequery)
	if err != nil {
		return err
	}
	d.cte.Base, d.cte.Modifies = q.node, true
	return d.setCols(q.cols)
}

// cteScan makes a FROM item of a WITH query.
func (s *scope) cteScan(d *cteDef, v *pg_query.RangeVar) (Node, *nsItem, error) {
	switch d.state {
	case cteUnbound:
		if err := d.bind(nil, true); err != nil {
			return nil, nil, err
		}
	case cteBinding:
		if isUnion(d.node.Ctequery.GetSelectStmt()) {
			return nil, nil, recursionError("recursive reference to query \"%s\" must not appear within its non-recursive term", d.node.Ctename).At(v.Location)
		}
		return nil, nil, recursionError("recursive query \"%s\" does not have the form non-recursive-term UNION [ALL] recursive-term", d.node.Ctename).At(d.node.Location)
	case cteStep:
		s.recurs = true
		if d.refs++; d.refs > 1 {
			return nil, nil, recursionError("recursive reference to query \"%s\" must not appear more than once", d.node.Ctename).At(v.Location)
		}
	}
	if d.cte.Modifies && len(d.cols) == 0 {
		return nil, nil, pgerr.New(pgerr.FeatureNotSupported, "WITH query \"%s\" does not have a RETURNING clause", d.node.Ctename).At(v.Location)
	}
	if len(s.lockingFor(v.Relname)) > 0 {
		for _, l := range s.locking {
			for _, n := range l.LockedRels {
				if n.GetRangeVar().GetRelname() == v.Relname {
					return nil, nil, pgerr.New(pgerr.FeatureNotSupported, "%s cannot be applied to a WITH query", lockNames[l.Strength]).At(v.Location)
				}
			}
		}
	}
	it := &nsItem{alias: d.node.Ctename, relVisible: true, colsVisible: true}
	if v.Alias != nil {
		it.alias = v.Alias.Aliasname
	}
	scan := &CTEScan{CTE: d.cte, Working: d.state == cteStep}
	p := &Project{Input: scan}
	own := len(d.cols)
	if s != d.scope {
		own -= addedColumns(d.node)
	}
	for i, c := range d.cols {
		shape := s.b.shapes[c.ID]
		c = s.b.newCol(c, s)
		if shape != nil {
			s.b.shapes[c.ID] = shape
		}
		scan.Out = append(scan.Out, c)
		p.Exprs, p.Out = append(p.Exprs, ref(c)), append(p.Out, c)
		it.cols = append(it.cols, nsCol{name: c.Name, x: ref(c), unexpanded: i >= own})
	}
	it.extra = s.projectedRow(p, it, nil)
	return p, it, s.aliasColumns(it, v.Alias)
}
