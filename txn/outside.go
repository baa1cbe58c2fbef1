package txn

import (
	"context"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// definitions is what a transaction knows of the DDL that it has done outside its MongoDB transaction.
type definitions struct {
	// touched are the collections that the open MongoDB transaction has read or written.
	touched map[string]bool
	// newer are those changed since it opened: it cannot use them.
	newer map[string]bool
	// made are those that the SQL transaction has created.
	made map[string]content
}

// content is what a transaction has written into a collection that it created, and that nobody else therefore sees.
type content uint8

const (
	notMade content = iota
	// madeEmpty has no documents.
	madeEmpty
	// loaded has documents that were written outside the MongoDB transaction, all of them; see Stmt.load.
	loaded
	// changed has been written inside the MongoDB transaction, too.
	changed
)

func mark(set *map[string]bool, ns string) {
	if *set == nil {
		*set = map[string]bool{}
	}
	(*set)[ns] = true
}

// Outside runs f outside the MongoDB transaction: DDL cannot run inside one, and an open transaction that has touched a
// collection blocks building its indexes. The transaction is aborted before, and its log replayed when it is next used.
func (s *Session) Outside(ctx context.Context, f func(context.Context) error) error {
	if s.log.dropped > 0 {
		return tooMuchWritten()
	}
	if !s.opts.Isolation.committed() && s.queries > 1 && s.ms != nil {
		return pgerr.Unsupported("schema change in a REPEATABLE READ transaction that has read before")
	}
	if err := s.drainCursors(ctx, "", ""); err != nil {
		return err
	}
	s.dropMongo(ctx)
	s.lost = s.log.total() > 0
	return f(ctx)
}

// OutsideOf is Outside for an f that changes one collection alone. A MongoDB transaction that has not touched it stays open
// and is aborted only if it comes to use it: a hundred CREATE TABLE in one transaction would else replay its log a hundred
// times.
func (s *Session) OutsideOf(ctx context.Context, database, collection string, f func(context.Context) error) error {
	ns := place(database, collection)
	if s.ms == nil || !s.opts.Isolation.committed() || s.log.dropped > 0 || s.defs.touched[ns] {
		return s.Outside(ctx, f)
	}
	mark(&s.defs.newer, ns)
	return f(ctx)
}

// Made notes that the transaction has created a collection.
func (s *Session) Made(database, collection string) {
	if s.defs.made == nil {
		s.defs.made = map[string]content{}
	}
	s.defs.made[place(database, collection)] = madeEmpty
}

// changes notes a write inside the MongoDB transaction.
func (d *definitions) changes(ns string) {
	if d.made[ns] != notMade {
		d.made[ns] = changed
	}
}

func tooMuchWritten() error {
	return pgerr.New(pgerr.OutOfMemory, "the transaction has written too much to be interrupted by this command")
}

// ensureFor is ensure before a collection is used: a MongoDB transaction that is older than the collection's definition
// gives way to a new one.
func (s *Session) ensureFor(ctx context.Context, database, collection string) error {
	ns := place(database, collection)
	if s.ms != nil && s.defs.newer[ns] {
		if err := s.restart(ctx); err != nil {
			return err
		}
	}
	if err := s.ensure(ctx); err != nil {
		return err
	}
	mark(&s.defs.touched, ns)
	return nil
}

func (s *Session) restart(ctx context.Context) error {
	if s.log.dropped > 0 {
		return tooMuchWritten()
	}
	if err := s.drainCursors(ctx, "", ""); err != nil {
		return err
	}
	s.dropMongo(ctx)
	s.lost = s.log.total() > 0
	return nil
}

// AtCommit has a change made right before the transaction commits, where nothing verifies what the document was before. It is
// refused (40001) when other proxies are there by then.
func (s *Session) AtCommit(database, collection string, w mongo.Write) {
	before := len(s.late)
	s.late = append(s.late, logEntry{database, collection, w})
	s.OnTransactionEnd(nil, func(context.Context) { s.late = s.late[:before] })
}

// Late counts the changes that the transaction will make right before its commit.
func (s *Session) Late() int64 { return int64(len(s.late)) }

func (s *Session) writeLate(ctx context.Context) error {
	if len(s.late) > 0 && s.m.cluster.Shared() {
		return serializationFailure(nil)
	}
	for _, e := range s.late {
		if err := s.ms.Write(ctx, e.database, e.collection, []mongo.Write{e.write}); err != nil {
			return err
		}
	}
	return nil
}

// Holds reports whether the session has a row lock that covers a mode.
func (s *Session) Holds(database, collection string, id bson.RawValue, mode LockMode) bool {
	return s.m.locks.holds(s.owner, rowKey(database, collection, id), mode)
}

// nothing is the cursor of a collection that is known to be empty.
type nothing struct{}

func (nothing) Next(context.Context) (bson.Raw, error) { return nil, io.EOF }
func (nothing) Buffered() int                          { return 0 }
func (nothing) Close(context.Context) error            { return nil }
