package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// mergeState is a MERGE under construction.
type mergeState struct {
	b      *binder
	s      *scope
	target *changed
	source []*nsItem
	node   *Merge
}

// merge binds MERGE. Its rows are the source's, each with the target rows that meet the condition; a source row that meets
// none comes with a NULL document when some clause says what to do with it.
func (b *binder) merge(s *scope, stmt *pg_query.MergeStmt) (*query, error) {
	if stmt.WithClause != nil && stmt.WithClause.Recursive {
		return nil, pgerr.New(pgerr.SyntaxError, "WITH RECURSIVE is not supported for MERGE statement")
	}
	with, err := s.bindWith(stmt.WithClause)
	if err != nil {
		return nil, err
	}
	inserts, err := mergeClauses(stmt)
	if err != nil {
		return nil, err
	}
	if err := b.mergeTarget(stmt.Relation); err != nil {
		return nil, err
	}
	st := &mergeState{b: b, s: s}
	if st.target, err = b.changedTable(s, stmt.Relation, updateEvent); err != nil {
		return nil, err
	}
	if a := st.target.levels[0].a; a != nil {
		a.want = 0 // the clauses say what is needed
	}
	if inherits(st.target.base) {
		return nil, pgerr.Unsupported("MERGE into a table with children or partitions")
	}
	st.node = &Merge{Rel: st.target.base, Doc: st.target.item.doc.ID, OldCols: st.target.cols}
	if err := st.join(stmt, inserts); err != nil {
		return nil, err
	}
	for _, w := range stmt.MergeWhenClauses {
		a, err := st.action(w.GetMergeWhenClause())
		if err != nil {
			return nil, err
		}
		st.node.Actions = append(st.node.Actions, a)
	}
	n := st.node
	n.NewCols = b.newRow(n.Rel, s)
	if n.Generated, err = b.generated(n.Rel, nullableCols(n.NewCols)); err != nil {
		return nil, err
	}
	if n.Checks, err = b.checks(n.Rel, n.NewCols); err != nil {
		return nil, err
	}
	return modified(n, nil, with), nil
}

// mergeClauses checks the WHEN clauses as a whole and reports whether one inserts rows.
func mergeClauses(stmt *pg_query.MergeStmt) (inserts bool, err error) {
	if len(stmt.ReturningList) > 0 {
		return false, pgerr.New(pgerr.SyntaxError, "syntax error at or near \"RETURNING\"")
	}
	var always [2]bool
	for _, n := range stmt.MergeWhenClauses {
		w := n.GetMergeWhenClause()
		if w.MatchKind == pg_query.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_SOURCE {
			return false, pgerr.New(pgerr.SyntaxError, "syntax error at or near \"BY\"")
		}
		i := 0
		if w.MatchKind == pg_query.MergeMatchKind_MERGE_WHEN_MATCHED {
			i = 1
		}
		if always[i] {
			return false, pgerr.New(pgerr.SyntaxError, "unreachable WHEN clause specified after unconditional WHEN clause")
		}
		always[i] = w.Condition == nil
		inserts = inserts || i == 0
	}
	return inserts, nil
}

// mergeTarget refuses what MERGE cannot change.
func (b *binder) mergeTarget(v *pg_query.RangeVar) error {
	rel, err := b.relation(v)
	if err != nil {
		return err
	}
	what := ""
	switch rel.Kind {
	case catalog.KindView:
		what = "views"
	case catalog.KindMatView:
		what = "materialized views"
	case catalog.KindSequence:
		what = "sequences"
	default:
		return nil
	}
	return pgerr.New(pgerr.FeatureNotSupported, "cannot execute MERGE on relation \"%s\"", rel.Name).
		WithDetail("This operation is not supported for %s.", what)
}

// join binds the source and the join condition.
func (st *mergeState) join(stmt *pg_query.MergeStmt, inserts bool) error {
	s, target := st.s, st.target.item
	s.ns = nil
	source, err := s.from([]*pg_query.Node{stmt.SourceRelation})
	if err != nil {
		return err
	}
	st.source = s.ns
	for _, it := range st.source {
		if it.relVisible && it.alias == target.alias && (it.schema == "" || target.schema == "" || it.rel == target.rel) {
			return pgerr.New(pgerr.DuplicateAlias, "name \"%s\" specified more than once", it.alias).
				WithDetail("The name is used both as MERGE target table and data source.")
		}
	}
	target.lateralOnly = false
	s.ns = append([]*nsItem{target}, st.source...)
	j := &Join{Kind: InnerJoin, Left: source, Right: st.target.scan}
	if inserts {
		j.Kind = LeftJoin
	}
	err = s.with(inJoinOn, func() error {
		x, err := s.boolean(stmt.JoinCondition, "JOIN/ON")
		if err == nil {
			j.On = conjuncts(x)
		}
		return err
	})
	st.node.Source = j
	return err
}

// action binds one WHEN clause. Where nothing matched, the target's columns cannot be seen.
func (st *mergeState) action(w *pg_query.MergeWhenClause) (MergeAction, error) {
	a := MergeAction{Matched: w.MatchKind == pg_query.MergeMatchKind_MERGE_WHEN_MATCHED}
	s := st.s
	s.ns = st.source
	if a.Matched {
		s.ns = append([]*nsItem{st.target.item}, st.source...)
	}
	if w.Condition != nil {
		err := s.with(inMergeWhen, func() error {
			x, err := s.boolean(w.Condition, "WHEN")
			if err == nil {
				a.When = conjuncts(x)
				err = s.b.noSystemColumn(x)
			}
			return err
		})
		if err != nil {
			return a, err
		}
	}
	var err error
	if t := st.target.levels[0].a; t != nil {
		t.want |= mergePrivileges[w.CommandType]
	}
	switch w.CommandType {
	case pg_query.CmdType_CMD_INSERT:
		a.Kind = MergeInsert
		a.Set, err = st.insert(w)
	case pg_query.CmdType_CMD_UPDATE:
		a.Kind = MergeUpdate
		a.Set, a.Rows, err = s.setClause(st.target.writeTarget, w.TargetList, st.target.item)
	case pg_query.CmdType_CMD_DELETE:
		a.Kind = MergeDelete
	}
	return a, err
}

var mergePrivileges = map[pg_query.CmdType]catalog.Privileges{
	pg_query.CmdType_CMD_INSERT: catalog.Insert, pg_query.CmdType_CMD_UPDATE: catalog.Update, pg_query.CmdType_CMD_DELETE: catalog.Delete,
}

// noSystemColumn refuses a reference to a system column other than tableoid in a WHEN condition.
func (b *binder) noSystemColumn(x expr.Expr) (err error) {
	expr.Walk(x, func(e expr.Expr) bool {
		if r, ok := e.(*expr.ColRef); ok && err == nil && b.cols[r.ID].Attnum < 0 && r.Name != "tableoid" {
			err = pgerr.New(pgerr.InvalidColumnReference, "cannot use system column \"%s\" in MERGE WHEN condition", r.Name).At(b.locs[r])
		}
		return true
	})
	return err
}

// insert binds WHEN NOT MATCHED THEN INSERT as assignments to an empty row.
func (st *mergeState) insert(w *pg_query.MergeWhenClause) ([]Assign, error) {
	ins := &insertState{b: st.b, s: st.s, writeTarget: st.target.writeTarget, stmt: &pg_query.InsertStmt{Cols: w.TargetList, Override: w.Override}}
	if err := ins.columns(); err != nil {
		return nil, err
	}
	if len(w.Values) == 0 {
		ins.cols = nil // DEFAULT VALUES
	} else if err := ins.given(len(w.Values), func(i int) int32 { return nodeLocation(w.Values[i]) }); err != nil {
		return nil, err
	}
	defaults := ins.defaulted()
	var row []expr.Expr
	err := st.s.with(inValues, func() (err error) {
		row, err = ins.row(w.Values, defaults)
		return err
	})
	if err != nil {
		return nil, err
	}
	set := make([]Assign, len(row))
	for i, c := range ins.targetCols(defaults) {
		set[i] = Assign{Attnum: c.Attnum, Value: row[i]}
	}
	return set, nil
}
