package planner

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// conflict binds ON CONFLICT: the arbiter indexes, and for DO UPDATE the assignments, which see the existing row under the
// table's name and the proposed one as EXCLUDED.
func (st *insertState) conflict(oc *pg_query.OnConflictClause, alias, schema string) (*Conflict, error) {
	b, n := st.b, st.node
	update := oc.Action == pg_query.OnConflictAction_ONCONFLICT_UPDATE
	if oc.Infer == nil && update {
		return nil, pgerr.New(pgerr.SyntaxError, "ON CONFLICT DO UPDATE requires inference specification or constraint name").
			WithHint("For example, ON CONFLICT (column_name).").At(oc.Location)
	}
	out := &Conflict{}
	if oc.Infer != nil {
		var err error
		if out.Indexes, err = st.arbiters(oc.Infer, alias, update); err != nil {
			return nil, err
		}
	}
	if !update {
		return out, nil
	}
	out.OldCols = b.newRow(st.base, st.s)
	s := b.newChild(st.s)
	existing := st.item(b, alias, out.OldCols)
	existing.schema = schema
	excluded := st.item(b, "excluded", n.RowCols)
	s.ns = []*nsItem{existing, excluded}
	s.rtable = s.ns
	// Column names alone mean the existing row only where they are assigned; in values both rows have them.
	var err error
	if out.Update, out.Rows, err = s.setClause(st.writeTarget, oc.TargetList, existing); err != nil {
		return nil, err
	}
	if oc.WhereClause != nil {
		conds, err := s.where(oc.WhereClause)
		if err != nil {
			return nil, err
		}
		out.Where = and(conds)
	}
	if out.Generated, err = b.generated(st.base, nullableCols(out.OldCols)); err != nil {
		return nil, err
	}
	out.Checks, err = st.checks(b, out.OldCols)
	return out, err
}

// arbiters finds the unique indexes that an inference clause or constraint name means.
func (st *insertState) arbiters(inf *pg_query.InferClause, alias string, update bool) ([]uint32, error) {
	if inf.Conname != "" {
		return st.namedArbiter(inf, update)
	}
	table := st.b.overRow(st.base, st.node.RowCols, inIndexExpr)
	s := st.b.overRow(nil, nil, inIndexExpr)
	s.ns = []*nsItem{st.item(st.b, alias, st.node.RowCols)}
	s.rtable = s.ns
	var attnums []int16
	var exprs []expr.Expr
	for _, n := range inf.IndexElems {
		e := n.GetIndexElem()
		if e.Name != "" {
			c, err := targetColumn(st.rel, &pg_query.ResTarget{Name: e.Name, Location: inf.Location})
			if err != nil {
				return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", e.Name).At(inf.Location)
			}
			st.levels[0].a.reads(c.Attnum)
			if c.Attnum > 0 {
				attnums = append(attnums, c.Attnum)
			} else {
				exprs = append(exprs, s.ns[0].cols[s.ns[0].find(e.Name)].x)
			}
			continue
		}
		x, err := s.expr(e.Expr)
		if err != nil {
			return nil, err
		}
		if r, ok := x.(*expr.ColRef); ok {
			attnums = append(attnums, st.b.cols[r.ID].Attnum)
			continue
		}
		exprs = append(exprs, x)
	}
	var where []expr.Expr
	if inf.WhereClause != nil {
		s.kind = inIndexPredicate
		x, err := s.boolean(inf.WhereClause, "WHERE")
		if err != nil {
			return nil, err
		}
		where = conjuncts(x)
	}
	var out []uint32
	for _, ix := range st.base.Indexes {
		ok, err := st.infers(table, ix, attnums, exprs, where)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, ix.OID)
		}
	}
	if out == nil {
		return nil, pgerr.New(pgerr.InvalidColumnReference, "there is no unique or exclusion constraint matching the ON CONFLICT specification")
	}
	return out, nil
}

// infers reports whether an index has exactly the inferred columns and expressions, and its predicate is among the
// inference's conditions.
func (st *insertState) infers(s *scope, ix *catalog.Index, attnums []int16, exprs, where []expr.Expr) (bool, error) {
	if !ix.Unique || ix.Invalid {
		return false, nil
	}
	var keys []int16
	var indexed []expr.Expr
	for _, k := range ix.Keys {
		if k.Attnum > 0 {
			keys = append(keys, k.Attnum)
			continue
		}
		x, err := s.text(k.Expr, nil, -1)
		if err != nil {
			return false, err
		}
		indexed = append(indexed, x)
	}
	if !sameSet(keys, attnums) || !sameExprs(indexed, exprs) {
		return false, nil
	}
	if ix.Where == "" {
		return true, nil
	}
	pred, err := s.text(ix.Where, types.BoolT, -1)
	if err != nil {
		return false, err
	}
	for _, p := range conjuncts(pred) {
		if !slices.ContainsFunc(where, func(w expr.Expr) bool { return equalExpr(w, p) }) {
			return false, nil
		}
	}
	return true, nil
}

func sameSet(a, b []int16) bool {
	in := func(list []int16) func(int16) bool {
		return func(x int16) bool { return !slices.Contains(list, x) }
	}
	return !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}

func sameExprs(a, b []expr.Expr) bool {
	in := func(list []expr.Expr) func(expr.Expr) bool {
		return func(x expr.Expr) bool {
			return !slices.ContainsFunc(list, func(y expr.Expr) bool { return equalExpr(x, y) })
		}
	}
	return !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}

func (st *insertState) namedArbiter(inf *pg_query.InferClause, update bool) ([]uint32, error) {
	for _, c := range st.base.Constraints {
		if c.Name != inf.Conname {
			continue
		}
		if c.Index == 0 || c.Type == catalog.ConForeign {
			return nil, pgerr.New(pgerr.WrongObjectType, "constraint in ON CONFLICT clause has no associated index")
		}
		if c.Type == catalog.ConExclude && update {
			return nil, pgerr.New(pgerr.WrongObjectType, "ON CONFLICT DO UPDATE not supported with exclusion constraints")
		}
		return []uint32{c.Index}, nil
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" for table \"%s\" does not exist", inf.Conname, st.rel.Name)
}
