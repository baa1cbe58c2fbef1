package session

import (
	"context"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// enter opens the session's side of a transaction, if none is open: its time and its level of the settings.
func (s *Session) enter() {
	if s.open {
		return
	}
	s.open = true
	s.xactStart = s.stmtStart
	s.set.Push()
}

// leave closes it after the transaction has ended.
func (s *Session) leave(ctx context.Context, committed bool) {
	if !s.open {
		return
	}
	s.open = false
	if s.inBlock {
		s.inBlock = false
		s.eng.Metrics.Transactions.Dec()
	}
	s.set.Pop(1, committed)
	s.levels = nil
	s.overlay, s.made = nil, nil
	s.xid = 0
	for name, p := range s.portals {
		if !p.held {
			p.close(ctx)
			delete(s.portals, name)
		}
	}
	if committed {
		s.commitNotify(ctx)
	} else {
		s.listens, s.outbox, s.published = nil, nil, false
	}
}

// beforeCommit does what ends a transaction: cursors WITH HOLD are computed, temporary tables treated ON COMMIT.
func (s *Session) beforeCommit(ctx context.Context) error {
	if err := s.holdCursors(ctx); err != nil {
		return err
	}
	if err := s.onCommit(ctx); err != nil {
		return err
	}
	return s.publish(ctx)
}

// single reports whether the statement that runs now is a transaction of its own.
func (s *Session) single() bool { return !s.tx.InBlock() && !s.tx.Implicit() }

// abort marks the transaction after a failed statement. Outside an explicit block everything ends here.
func (s *Session) abort(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	if s.tx.InBlock() {
		s.tx.Fail(ctx)
		return
	}
	for _, p := range s.portals {
		if !p.held {
			p.close(ctx)
		}
	}
	s.tx.Fail(ctx)
	if s.tx.Implicit() {
		if err := s.tx.EndImplicit(ctx); err != nil {
			s.eng.Log.Debug("rolling back", "pid", s.start.PID, "error", err)
		}
	}
	s.leave(ctx, false)
}

// Fail marks the transaction after an error that arose outside the session.
func (s *Session) Fail(ctx context.Context) { s.abort(ctx) }

// Sync ends the implicit transaction of the messages since the last one.
func (s *Session) Sync(ctx context.Context) error {
	defer s.waiting()
	s.deadline = time.Time{}
	return s.endImplicit(ctx)
}

func (s *Session) endImplicit(ctx context.Context) error {
	if s.tx.InBlock() {
		return nil
	}
	if s.tx.Implicit() {
		if err := s.beforeCommit(ctx); err != nil {
			s.abort(ctx)
			return err
		}
		if err := s.tx.EndImplicit(ctx); err != nil {
			s.leave(ctx, false)
			return err
		}
	}
	s.leave(ctx, true)
	return nil
}

// defaults are the characteristics that a transaction gets from the default_transaction_* settings.
func (s *Session) defaults() txn.Options {
	d := s.set.Derived()
	o := txn.Options{ReadOnly: d.DefaultReadOnly, Deferrable: d.DefaultDefer}
	o.Isolation = isolation(d.DefaultLevel)
	return o
}

func isolation(name string) txn.Isolation {
	switch name {
	case "repeatable read":
		return txn.RepeatableRead
	case "serializable":
		return txn.Serializable
	case "read uncommitted":
		return txn.ReadUncommitted
	}
	return txn.ReadCommitted
}

// characteristics returns the present transaction's, or what one that begins now would have.
func (s *Session) characteristics() txn.Options {
	if s.single() {
		return s.defaults()
	}
	return s.tx.Options()
}

// dynamic shows the transaction's characteristics as settings.
func (s *Session) dynamic(name string) (string, bool) {
	o := s.characteristics()
	flag := func(b bool) string {
		if b {
			return "on"
		}
		return "off"
	}
	switch name {
	case "transaction_isolation":
		return [...]string{"read committed", "repeatable read", "serializable", "read uncommitted"}[o.Isolation], true
	case "transaction_read_only":
		return flag(o.ReadOnly), true
	case "transaction_deferrable":
		return flag(o.Deferrable), true
	case "is_superuser":
		return flag(s.superuser()), true
	}
	return "", false
}

// modes applies the options of BEGIN and SET TRANSACTION.
func modes(o txn.Options, list []*pg_query.Node) txn.Options {
	for _, n := range list {
		e := n.GetDefElem()
		c := e.GetArg().GetAConst()
		switch e.GetDefname() {
		case "transaction_isolation":
			o.Isolation = isolation(c.GetSval().GetSval())
		case "transaction_read_only":
			o.ReadOnly = c.GetIval().GetIval() != 0
		case "transaction_deferrable":
			o.Deferrable = c.GetIval().GetIval() != 0
		}
	}
	return o
}

// transaction runs a transaction control statement and returns its tag.
func (s *Session) transaction(ctx context.Context, n *pg_query.TransactionStmt) (string, error) {
	switch n.Kind {
	case pg_query.TransactionStmtKind_TRANS_STMT_BEGIN, pg_query.TransactionStmtKind_TRANS_STMT_START:
		tag := "BEGIN"
		if n.Kind == pg_query.TransactionStmtKind_TRANS_STMT_START {
			tag = "START TRANSACTION"
		}
		o := s.defaults()
		if s.tx.Implicit() || s.tx.InBlock() {
			o = s.tx.Options()
		}
		return tag, s.begin(modes(o, n.Options))
	case pg_query.TransactionStmtKind_TRANS_STMT_COMMIT:
		return s.commit(ctx, n.Chain)
	case pg_query.TransactionStmtKind_TRANS_STMT_ROLLBACK:
		return "ROLLBACK", s.rollback(ctx, n.Chain)
	case pg_query.TransactionStmtKind_TRANS_STMT_SAVEPOINT:
		if err := s.tx.Savepoint(ctx, n.SavepointName); err != nil {
			return "", err
		}
		s.levels = append(s.levels, saveLevel{n.SavepointName, s.set.Push()})
		return "SAVEPOINT", nil
	case pg_query.TransactionStmtKind_TRANS_STMT_RELEASE:
		if err := s.tx.Release(ctx, n.SavepointName); err != nil {
			return "", err
		}
		s.popTo(n.SavepointName, true)
		return "RELEASE", nil
	case pg_query.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO:
		if err := s.tx.RollbackTo(ctx, n.SavepointName); err != nil {
			return "", err
		}
		s.popTo(n.SavepointName, false)
		s.levels = append(s.levels, saveLevel{n.SavepointName, s.set.Push()})
		return "ROLLBACK", nil
	case pg_query.TransactionStmtKind_TRANS_STMT_PREPARE:
		return s.prepareTransaction(ctx)
	}
	command := "COMMIT PREPARED"
	if n.Kind == pg_query.TransactionStmtKind_TRANS_STMT_ROLLBACK_PREPARED {
		command = "ROLLBACK PREPARED"
	}
	if err := s.noBlock(command); err != nil {
		return "", err
	}
	return "", pgerr.New(pgerr.UndefinedObject, "prepared transaction with identifier \"%s\" does not exist", n.Gid)
}

// prepareTransaction is PREPARE TRANSACTION with max_prepared_transactions = 0: the transaction ends in any case.
func (s *Session) prepareTransaction(ctx context.Context) (string, error) {
	sound := s.tx.InBlock() && !s.tx.Failed()
	if err := s.rollback(ctx, false); err != nil || !sound {
		return "ROLLBACK", err
	}
	return "", pgerr.New(pgerr.ObjectNotInPrerequisiteState, "prepared transactions are disabled").
		WithHint("Set max_prepared_transactions to a nonzero value.")
}

func (s *Session) popTo(name string, commit bool) {
	for i := len(s.levels) - 1; i >= 0; i-- {
		if s.levels[i].name == name {
			s.set.Pop(s.levels[i].level, commit)
			s.levels = s.levels[:i]
			return
		}
	}
}

func (s *Session) begin(o txn.Options) error {
	was := s.tx.InBlock()
	err := s.tx.Begin(o)
	if s.warn(err) {
		return nil
	}
	if err == nil && !was {
		s.inBlock = true
		s.eng.Metrics.Transactions.Inc()
	}
	return err
}

func (s *Session) commit(ctx context.Context, chain bool) (string, error) {
	o := s.tx.Options()
	if chain && !s.tx.InBlock() {
		return "", pgerr.New(pgerr.NoActiveSQLTransaction, "COMMIT AND CHAIN can only be used in transaction blocks")
	}
	if !s.tx.Failed() {
		if err := s.beforeCommit(ctx); err != nil {
			return "", err
		}
	}
	committed, err := s.tx.Commit(ctx)
	if err != nil && !s.warn(err) {
		s.leave(ctx, false)
		return "", err
	}
	s.leave(ctx, committed)
	tag := "COMMIT"
	if !committed {
		tag = "ROLLBACK"
	}
	return tag, s.chain(o, chain)
}

func (s *Session) rollback(ctx context.Context, chain bool) error {
	o := s.tx.Options()
	if chain && !s.tx.InBlock() {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "ROLLBACK AND CHAIN can only be used in transaction blocks")
	}
	if err := s.tx.Rollback(ctx); err != nil && !s.warn(err) {
		s.leave(ctx, false)
		return err
	}
	s.leave(ctx, false)
	return s.chain(o, chain)
}

func (s *Session) chain(o txn.Options, chain bool) error {
	if !chain {
		return nil
	}
	if err := s.begin(o); err != nil {
		return err
	}
	s.stmtStart = time.Now()
	s.enter()
	return nil
}

// setTransaction is SET TRANSACTION and the setting of transaction_* parameters.
func (s *Session) setTransaction(o txn.Options) error {
	if s.single() {
		s.notice(pgerr.New(pgerr.NoActiveSQLTransaction, "SET TRANSACTION can only be used in transaction blocks").WithSeverity("WARNING"))
		return nil
	}
	return s.tx.SetOptions(o)
}

// noBlock refuses statements that cannot be part of a transaction.
func (s *Session) noBlock(command string) error {
	if s.tx.InBlock() || s.tx.Implicit() {
		return pgerr.New(pgerr.ActiveSQLTransaction, "%s cannot run inside a transaction block", command)
	}
	return nil
}

// inFailed refuses what an aborted block does not take.
func (s *Session) inFailed(n *pg_query.Node) error {
	if !s.tx.Failed() {
		return nil
	}
	if t := n.GetTransactionStmt(); t != nil {
		switch t.Kind {
		case pg_query.TransactionStmtKind_TRANS_STMT_COMMIT, pg_query.TransactionStmtKind_TRANS_STMT_ROLLBACK,
			pg_query.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO, pg_query.TransactionStmtKind_TRANS_STMT_PREPARE:
			return nil
		}
	}
	return pgerr.New(pgerr.InFailedSQLTransaction, "current transaction is aborted, commands ignored until end of transaction block")
}
