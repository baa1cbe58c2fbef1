// Package txn gives SQL's transactions over MongoDB's: lazy start, statement atomicity, savepoints by an undo log of
// pre-images, replay after conflicts, row locks with deadlock detection, advisory locks and sequences.
//
// A server has one Manager, a SQL session one Session, and each run of a statement one Stmt:
//
//	st, err := session.Start(ctx, txn.StatementOptions{Write: true})
//	err = st.Finish(ctx, execute(ctx, st))
//	if session.Retryable(err) { wait with session.Backoff and do it again, if nothing was sent to the client }
//
// Session.Run is that loop.
package txn

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
)

// Statement is what the executor may do with documents while one statement runs. Reads see the transaction's own writes.
// It is used by one goroutine.
type Statement interface {
	// Read opens a cursor. Outside a transaction that has written, all reads of one statement share one snapshot.
	Read(ctx context.Context, q mongo.Query) (mongo.Cursor, error)
	// Write applies changes in order. The statement's writes are undone together if the statement fails. An error is a
	// *pgerr.Error: 40001 for a conflict that could not be retried. Documents that are changed or deleted are locked first.
	Write(ctx context.Context, database, collection string, writes []mongo.Write) error
	// WriteOnce is Write for the only change that the statement makes, an insert that depends on nothing the statement
	// read: outside a block it needs no MongoDB transaction.
	WriteOnce(ctx context.Context, database, collection string, w mongo.Write) error
	// Change makes a change of one document that was not read, in one operation: outside a block as the only change of the
	// statement, without a MongoDB transaction. The document is locked first in the given mode. done is false when the
	// statement has to read and write instead; matched reports whether the change's filter chose the document, when it
	// did not, the statement may go on to read and write.
	Change(ctx context.Context, database, collection string, c mongo.Change, mode LockMode) (matched, done bool, err error)
	// Lock takes row locks on documents by _id before they are changed, waiting as wait says; it returns which of them
	// were skipped. When a row was changed by another session since this statement's snapshot, the error is one for which
	// Session.Retryable holds: the statement runs again and reads the row's new version.
	Lock(ctx context.Context, database, collection string, ids []bson.RawValue, mode LockMode, wait LockWait) (skipped []bool, err error)
	// LockRows is Lock for rows that the statement does not change: SELECT ... FOR UPDATE and its kin. Where other proxies
	// serve the same deployment the lock holds against them too.
	LockRows(ctx context.Context, database, collection string, ids []bson.RawValue, mode LockMode, wait LockWait) (skipped []bool, err error)
	// Guard notes that the transaction relies on documents being there with their keys, as a row with a foreign key does
	// (breaks is false), or that it takes such documents or keys away. Transactions of different proxies that do both to
	// one document do not both commit.
	Guard(database, collection string, ids []bson.RawValue, breaks bool)
	// InTransaction reports whether reads run inside a MongoDB transaction, where some stages are not allowed.
	InTransaction() bool
	// PreCheck reports whether constraints are better checked by a read before writing: an error of the server would end
	// the MongoDB transaction, which an open savepoint would have to rebuild.
	PreCheck() bool
	// Pending returns the session's check for a constraint, made with create at its first use. It runs at the end of the
	// statement, or before commit if deferred; what it must look at is added to it by the caller.
	Pending(constraint uint32, deferred bool, create func() Check) Check
	// Deferred reports whether a deferrable constraint is deferred now, after SET CONSTRAINTS; initially is what it was
	// declared as.
	Deferred(constraint uint32, initially bool) bool
}

// Check is a constraint check that runs after the writes it is about. It looks at the state of the data then, so that
// running it for rows whose change was rolled back does no harm.
type Check interface {
	// Run checks; it is run once for all that was added to it.
	Run(ctx context.Context, s Statement) error
	// Merge takes over what another check of the same constraint looked at, so that one Run is about both.
	Merge(other Check)
}

// LockWait is what to do about a lock that another transaction holds.
type LockWait uint8

// The ways to wait.
const (
	WaitBlock LockWait = iota
	WaitError          // 55P03
	WaitSkip
)
