package session

import (
	"context"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// result is what a utility statement gives; cols is nil when it returns no rows.
type result struct {
	tag  string
	cols []planner.Col
	rows [][]types.Datum
}

func tagged(tag string, err error) (result, error) { return result{tag: tag}, err }

// textCols are result columns of type text.
func textCols(names ...string) []planner.Col {
	cols := make([]planner.Col, len(names))
	for i, n := range names {
		cols[i] = planner.Col{Name: n, Type: types.TextT, Mod: -1}
	}
	return cols
}

// utility runs a statement that the planner does not take.
func (s *Session) utility(ctx context.Context, p *prepared, params []types.Datum) (result, error) {
	switch n := p.node.GetNode().(type) {
	case *pg_query.Node_TransactionStmt:
		return tagged(s.transaction(ctx, n.TransactionStmt))
	case *pg_query.Node_VariableSetStmt:
		return tagged(s.setVariable(ctx, n.VariableSetStmt))
	case *pg_query.Node_VariableShowStmt:
		return s.show(n.VariableShowStmt.Name)
	case *pg_query.Node_PrepareStmt:
		return tagged("PREPARE", s.prepareSQL(ctx, p.source, n.PrepareStmt, p.text))
	case *pg_query.Node_DeallocateStmt:
		return tagged(s.deallocate(n.DeallocateStmt.Name))
	case *pg_query.Node_DiscardStmt:
		return tagged(s.discard(ctx, n.DiscardStmt.Target))
	case *pg_query.Node_DeclareCursorStmt:
		return tagged("DECLARE CURSOR", s.declare(ctx, p, params, n.DeclareCursorStmt))
	case *pg_query.Node_FetchStmt:
		return s.fetch(ctx, n.FetchStmt)
	case *pg_query.Node_ClosePortalStmt:
		return tagged(s.closeCursor(ctx, n.ClosePortalStmt.Portalname))
	case *pg_query.Node_ConstraintsSetStmt:
		return tagged("SET CONSTRAINTS", s.setConstraints(ctx, n.ConstraintsSetStmt))
	case *pg_query.Node_ListenStmt:
		s.listens = append(s.listens, listening{channel: n.ListenStmt.Conditionname})
		return tagged("LISTEN", nil)
	case *pg_query.Node_UnlistenStmt:
		s.listens = append(s.listens, listening{channel: n.UnlistenStmt.Conditionname, off: true})
		return tagged("UNLISTEN", nil)
	case *pg_query.Node_NotifyStmt:
		return tagged("NOTIFY", s.Notify(n.NotifyStmt.Conditionname, n.NotifyStmt.Payload))
	case *pg_query.Node_CopyStmt:
		return s.copyStmt(ctx, p, n.CopyStmt)
	case *pg_query.Node_ExplainStmt:
		return s.explain(ctx, p, params, n.ExplainStmt)
	case *pg_query.Node_CreateTableAsStmt:
		return s.createTableAs(ctx, p, params, n.CreateTableAsStmt)
	case *pg_query.Node_RefreshMatViewStmt:
		return s.refresh(ctx, p)
	case *pg_query.Node_SelectStmt:
		return s.selectInto(ctx, p, params, n.SelectStmt)
	}
	return s.maintenance(ctx, p, params)
}

// maintenance runs the statements about storage and code.
func (s *Session) maintenance(ctx context.Context, p *prepared, params []types.Datum) (result, error) {
	switch n := p.node.GetNode().(type) {
	case *pg_query.Node_LockStmt:
		return tagged("LOCK TABLE", s.lockTable(ctx, n.LockStmt))
	case *pg_query.Node_VacuumStmt:
		return tagged(s.vacuum(ctx, n.VacuumStmt))
	case *pg_query.Node_ClusterStmt:
		if n.ClusterStmt.Relation == nil {
			return tagged("CLUSTER", s.noBlock("CLUSTER"))
		}
		return tagged("CLUSTER", s.exists(ctx, n.ClusterStmt.Relation))
	case *pg_query.Node_CheckPointStmt:
		return tagged("CHECKPOINT", nil)
	case *pg_query.Node_LoadStmt:
		return result{}, pgerr.Unsupported("LOAD")
	case *pg_query.Node_DoStmt:
		return s.do(ctx, n.DoStmt, nil)
	case *pg_query.Node_CallStmt:
		return s.call(ctx, p, n.CallStmt, params, nil)
	case *pg_query.Node_AlterSystemStmt:
		return result{}, pgerr.Unsupported("ALTER SYSTEM")
	case *pg_query.Node_ExecuteStmt:
		return result{}, pgerr.Unsupported("EXECUTE here")
	}
	return s.define(ctx, p)
}

// utilityCols are the columns that a utility statement will return, nil for none.
func (s *Session) utilityCols(ctx context.Context, node *pg_query.Node) ([]planner.Col, error) {
	switch n := node.GetNode().(type) {
	case *pg_query.Node_VariableShowStmt:
		r, err := s.show(n.VariableShowStmt.Name)
		return r.cols, err
	case *pg_query.Node_ExplainStmt:
		return explainCols(n.ExplainStmt), nil
	case *pg_query.Node_ExecuteStmt:
		p, err := s.find(n.ExecuteStmt.Name)
		if err != nil {
			return nil, err
		}
		return p.cols, nil
	case *pg_query.Node_FetchStmt:
		if n.FetchStmt.Ismove {
			return nil, nil
		}
		if p := s.portals[n.FetchStmt.Portalname]; p != nil {
			return p.cols, nil
		}
	}
	return nil, nil
}

// exists checks that a relation exists.
func (s *Session) exists(ctx context.Context, rv *pg_query.RangeVar) error {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	if snap.Relation(s.path(snap), rv.Schemaname, rv.Relname) != nil {
		return nil
	}
	return noRelation(rv)
}

func noRelation(rv *pg_query.RangeVar) error {
	name := rv.Relname
	if rv.Schemaname != "" {
		name = rv.Schemaname + "." + name
	}
	return pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", name)
}

// vacuum is VACUUM and ANALYZE, which looks at the documents of others anew.
func (s *Session) vacuum(ctx context.Context, n *pg_query.VacuumStmt) (string, error) {
	tag, verb := "ANALYZE", "analyze"
	if n.IsVacuumcmd {
		tag, verb = "VACUUM", "vacuum"
		if err := s.noBlock(tag); err != nil {
			return "", err
		}
	}
	analyze := !n.IsVacuumcmd
	for _, o := range n.Options {
		analyze = analyze || o.GetDefElem().GetDefname() == "analyze"
	}
	if analyze && len(n.Rels) == 0 {
		s.eng.Catalogs.Resample(s.start.Database, "")
	}
	for _, r := range n.Rels {
		if rv := r.GetVacuumRelation().GetRelation(); rv != nil {
			if err := s.exists(ctx, rv); err != nil {
				return "", err
			}
			role := s.last.RoleID(s.User())
			rel := s.last.Relation(s.path(s.last), rv.Schemaname, rv.Relname)
			if !s.last.Owns(role, rel.OwnerOID()) && !s.last.Owns(role, s.last.DatabaseOwner()) {
				s.notice(pgerr.New(pgerr.Warning, "skipping \"%s\" --- only table or database owner can %s it", rel.Name, verb).WithSeverity("WARNING"))
				continue
			}
			if analyze {
				s.eng.Catalogs.Resample(s.start.Database, rel.Collection)
			}
		}
	}
	return tag, nil
}

// discard is DISCARD.
func (s *Session) discard(ctx context.Context, target pg_query.DiscardMode) (string, error) {
	switch target {
	case pg_query.DiscardMode_DISCARD_PLANS:
		s.cache = planCache{}
		return "DISCARD PLANS", nil
	case pg_query.DiscardMode_DISCARD_SEQUENCES:
		s.tx.DiscardSequences()
		return "DISCARD SEQUENCES", nil
	case pg_query.DiscardMode_DISCARD_TEMP:
		return "DISCARD TEMP", s.dropTemp(ctx)
	}
	if err := s.noBlock("DISCARD ALL"); err != nil {
		return "", err
	}
	for name, p := range s.portals {
		p.close(ctx)
		delete(s.portals, name)
	}
	for _, name := range []string{"session_authorization", "role"} {
		if err := s.set.Reset(name, false); err != nil {
			return "", err
		}
	}
	s.set.ResetAll()
	clear(s.prepared)
	s.listens = append(s.listens, listening{off: true})
	s.tx.AdvisoryUnlockAll()
	s.cache = planCache{}
	s.tx.DiscardSequences()
	return "DISCARD ALL", s.dropTemp(ctx)
}

// setConstraints is SET CONSTRAINTS.
func (s *Session) setConstraints(ctx context.Context, n *pg_query.ConstraintsSetStmt) error {
	if s.single() {
		s.notice(pgerr.New(pgerr.NoActiveSQLTransaction, "SET CONSTRAINTS can only be used in transaction blocks").WithSeverity("WARNING"))
		return nil
	}
	if len(n.Constraints) == 0 {
		return s.tx.SetConstraints(ctx, nil, n.Deferred)
	}
	snap, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	oids := []uint32{}
	for _, c := range n.Constraints {
		rv := c.GetRangeVar()
		schemas := s.path(snap)
		if rv.Schemaname != "" {
			schemas = []string{rv.Schemaname}
		}
		found := false
		for _, rel := range snap.Relations() {
			if !contains(schemas, rel.Schema) {
				continue
			}
			for _, con := range rel.Constraints {
				if con.Name != rv.Relname {
					continue
				}
				if !con.Deferrable {
					return pgerr.New(pgerr.WrongObjectType, "constraint \"%s\" is not deferrable", rv.Relname)
				}
				found = true
				oids = append(oids, con.OID)
			}
		}
		if !found {
			return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" does not exist", rv.Relname)
		}
	}
	return s.tx.SetConstraints(ctx, oids, n.Deferred)
}

func contains(list []string, v string) bool {
	for _, l := range list {
		if l == v {
			return true
		}
	}
	return false
}
