package session

import (
	"context"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/txn/cluster"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// notifyKind is the kind of the messages between proxies that NOTIFY sends.
const notifyKind = "notify"

// Share implements cluster.Handler.
func (e *Engine) Share(ctx context.Context) error { return e.Txns.Share(ctx) }

// Alone implements cluster.Handler.
func (e *Engine) Alone() { e.Txns.Alone() }

// Tick implements cluster.Handler.
func (e *Engine) Tick(ctx context.Context) error { return e.Txns.Tick(ctx) }

// Receive implements cluster.Handler.
func (e *Engine) Receive(m cluster.Message) {
	if m.Kind == notifyKind {
		e.hub.send(m.Scope, Notification{m.PID, m.Name, m.Payload})
		return
	}
	e.Txns.Receive(m)
}

// Expelled implements cluster.Handler: the sessions that hold locks which others may have by now are ended.
func (e *Engine) Expelled() {
	for _, pid := range e.Txns.Expelled() {
		e.Control.Terminate(pid)
	}
}

func (s *Session) message(n Notification) cluster.Message {
	return cluster.Message{Kind: notifyKind, Scope: s.start.Database, Name: n.Channel, Payload: n.Payload, PID: n.PID}
}

// publish hands the transaction's notifications to other proxies, as a part of the transaction.
func (s *Session) publish(ctx context.Context) error {
	if len(s.outbox) == 0 || s.published || !s.eng.Cluster.Shared() {
		return nil
	}
	writes := make([]mongo.Write, len(s.outbox))
	for i, n := range s.outbox {
		id, doc, err := s.eng.Cluster.Compose(s.message(n))
		if err != nil {
			return pgerr.Internal("a notification: %w", err)
		}
		writes[i] = mongo.Write{Kind: mongo.WriteInsert, ID: id, Doc: doc}
	}
	s.published = true
	return s.tx.Run(ctx, txn.StatementOptions{Write: true}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		return false, st.Write(ctx, cluster.Database, cluster.Messages, writes)
	})
}

// sendNow sends the notifications of a transaction that had no end of its own to publish them at.
func (s *Session) sendNow(ctx context.Context) {
	if s.published || !s.eng.Cluster.Shared() {
		return
	}
	for _, n := range s.outbox {
		if err := s.eng.Cluster.Send(ctx, s.message(n)); err != nil {
			s.notice(pgerr.New(pgerr.ConnectionFailure, "the notification did not reach other servers: %w", err).WithSeverity("WARNING"))
			return
		}
	}
}
