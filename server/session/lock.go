package session

import (
	"context"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// runnable plans a statement and locks the tables of the plan. Where a lock was waited for the table may have changed, and
// the statement is planned again.
func (s *Session) runnable(ctx context.Context, p *prepared) error {
	for {
		if err := s.planned(ctx, p); err != nil {
			return err
		}
		waited, err := s.lockPlan(ctx, p.plan)
		if err != nil {
			return err
		}
		// The table may have changed between planning and locking, too.
		planned := p.snap
		snap, err := s.snapshot(ctx)
		if err != nil || !waited && snap == planned {
			return err
		}
	}
}

// planned is ready for a statement that may be about tables which another session is changing: what is wrong with it now
// may be right when the change is committed.
func (s *Session) planned(ctx context.Context, p *prepared) error {
	for {
		err := s.ready(ctx, p)
		if err == nil || p.node == nil || s.tx.Failed() {
			return err
		}
		waited := false
		var failed error
		path := s.path(s.last)
		sql.Walk(p.node, func(rv *pg_query.RangeVar) bool {
			rel := s.last.Relation(path, rv.Schemaname, rv.Relname)
			if rel == nil || !lockable(rel) || failed != nil {
				return false
			}
			w, err := s.tx.LockTable(ctx, txn.TableLock{OID: rel.OID, Name: rel.Name, Mode: txn.TableAccessShare}, txn.WaitBlock)
			waited, failed = waited || w, err
			return false
		})
		if failed != nil {
			return failed
		}
		if !waited {
			return err
		}
	}
}

// lockPlan locks the tables of a plan as PostgreSQL does.
func (s *Session) lockPlan(ctx context.Context, plan *planner.Plan) (waited bool, err error) {
	for _, rel := range plan.Relations {
		if !lockable(rel) {
			continue
		}
		l := txn.TableLock{OID: rel.OID, Name: rel.Name, Mode: txn.TableAccessShare}
		if plan.Locks {
			l.Mode = txn.TableRowShare
		}
		for _, w := range plan.Writes {
			if w.OID == rel.OID {
				l.Mode = txn.TableRowExclusive
			}
		}
		w, err := s.tx.LockTable(ctx, l, txn.WaitBlock)
		if err != nil {
			return false, err
		}
		waited = waited || w
	}
	return waited, nil
}

// lockable reports whether other sessions can see a relation that locks matter for.
func lockable(rel *catalog.Relation) bool {
	return rel.Collection != "" && rel.Persistence != 't' && rel.Sequence == nil
}

// lockDefined locks the tables that a DDL statement is about.
func (s *Session) lockDefined(ctx context.Context, snap *catalog.Snapshot, node *pg_query.Node) (waited bool, err error) {
	for _, l := range s.definedLocks(snap, node) {
		w, err := s.tx.LockTable(ctx, l, txn.WaitBlock)
		if err != nil {
			return false, err
		}
		waited = waited || w
	}
	return waited, nil
}

// definedLocks lists the locks that a DDL statement takes. Names that mean nothing are left to the statement itself.
func (s *Session) definedLocks(snap *catalog.Snapshot, node *pg_query.Node) []txn.TableLock {
	var out []txn.TableLock
	path := s.path(snap)
	add := func(rel *catalog.Relation, mode txn.LockMode) {
		if rel != nil && lockable(rel) {
			out = append(out, txn.TableLock{OID: rel.OID, Name: rel.Name, Mode: mode})
		}
	}
	named := func(rv *pg_query.RangeVar, mode txn.LockMode) *catalog.Relation {
		if rv == nil {
			return nil
		}
		rel := snap.Relation(path, rv.Schemaname, rv.Relname)
		add(rel, mode)
		return rel
	}
	referrers := func(rel *catalog.Relation) {
		if rel != nil {
			for _, ref := range snap.ReferencedBy(rel.OID) {
				add(ref.Table, txn.TableAccessExclusive)
			}
		}
	}
	switch n := node.GetNode().(type) {
	case *pg_query.Node_AlterTableStmt:
		mode := txn.TableShareRowExclusive
		for _, c := range n.AlterTableStmt.Cmds {
			con := c.GetAlterTableCmd().GetDef().GetConstraint()
			if con.GetContype() != pg_query.ConstrType_CONSTR_FOREIGN {
				mode = txn.TableAccessExclusive
			}
			named(con.GetPktable(), txn.TableShareRowExclusive)
		}
		named(n.AlterTableStmt.Relation, mode)
	case *pg_query.Node_CreateStmt:
		for _, e := range n.CreateStmt.TableElts {
			named(e.GetConstraint().GetPktable(), txn.TableShareRowExclusive)
			for _, c := range e.GetColumnDef().GetConstraints() {
				named(c.GetConstraint().GetPktable(), txn.TableShareRowExclusive)
			}
		}
	case *pg_query.Node_RenameStmt:
		named(n.RenameStmt.Relation, txn.TableAccessExclusive)
	case *pg_query.Node_AlterObjectSchemaStmt:
		named(n.AlterObjectSchemaStmt.Relation, txn.TableAccessExclusive)
	case *pg_query.Node_IndexStmt:
		mode := txn.TableShare
		if n.IndexStmt.Concurrent {
			mode = txn.TableShareUpdateExclusive
		}
		named(n.IndexStmt.Relation, mode)
	case *pg_query.Node_TruncateStmt:
		for _, r := range n.TruncateStmt.Relations {
			rel := named(r.GetRangeVar(), txn.TableAccessExclusive)
			if n.TruncateStmt.Behavior == pg_query.DropBehavior_DROP_CASCADE {
				referrers(rel)
			}
		}
	case *pg_query.Node_DropStmt:
		for _, o := range n.DropStmt.Objects {
			schema, name := qualified(o)
			switch n.DropStmt.RemoveType {
			case pg_query.ObjectType_OBJECT_TABLE:
				rel := snap.Relation(path, schema, name)
				add(rel, txn.TableAccessExclusive)
				referrers(rel)
			case pg_query.ObjectType_OBJECT_INDEX:
				in := path
				if schema != "" {
					in = []string{schema}
				}
				for _, p := range in {
					if ref, ok := snap.IndexIn(p, name); ok {
						add(ref.Table, txn.TableAccessExclusive)
						break
					}
				}
			}
		}
	}
	return out
}

// qualified takes a list of names apart, of which the last two count.
func qualified(n *pg_query.Node) (schema, name string) {
	items := n.GetList().GetItems()
	if len(items) > 0 {
		name = items[len(items)-1].GetString_().GetSval()
	}
	if len(items) > 1 {
		schema = items[len(items)-2].GetString_().GetSval()
	}
	return schema, name
}

// lockTable is LOCK TABLE.
func (s *Session) lockTable(ctx context.Context, n *pg_query.LockStmt) error {
	if !s.tx.InBlock() {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "LOCK TABLE can only be used in transaction blocks")
	}
	mode := txn.TableAccessShare + txn.LockMode(n.Mode-1)
	wait := txn.WaitBlock
	if n.Nowait {
		wait = txn.WaitError
	}
	for _, r := range n.Relations {
		rv := r.GetRangeVar()
		snap, err := s.snapshot(ctx)
		if err != nil {
			return err
		}
		rel := snap.Relation(s.path(snap), rv.Schemaname, rv.Relname)
		switch {
		case rel == nil:
			return noRelation(rv)
		case rel.Kind != catalog.KindTable && rel.Kind != catalog.KindView:
			return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a table or view", rv.Relname)
		case !s.mayLock(snap, rel, mode):
			return planner.Denied(rel.Kind.Name(), rel.Name)
		case !lockable(rel) && rel.Kind != catalog.KindView:
			continue
		}
		if _, err := s.tx.LockTable(ctx, txn.TableLock{OID: rel.OID, Name: rel.Name, Mode: mode}, wait); err != nil {
			return err
		}
	}
	return nil
}

// mayLock checks the privileges that LOCK TABLE needs: any that changes rows, or for the weakest modes a weaker one.
func (s *Session) mayLock(snap *catalog.Snapshot, rel *catalog.Relation, mode txn.LockMode) bool {
	p := catalog.Update | catalog.Delete | catalog.Truncate
	if mode == txn.TableAccessShare {
		p |= catalog.Select
	}
	if mode <= txn.TableRowExclusive {
		p |= catalog.Insert
	}
	return snap.RelationRights(rel, snap.RoleID(s.User()), p, false) != 0
}
