// Package txn gives SQL's transactions over MongoDB's: lazy start, statement atomicity, savepoints by an undo log of
// pre-images, replay after conflicts, row locks with deadlock detection, advisory locks and sequences.
package txn

import (
	"context"

	"github.com/pgmongo/pgmongo/mongo"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Statement is what the executor may do with documents while one statement runs. Reads see the transaction's own writes.
// It is used by one goroutine.
type Statement interface {
	// Read opens a cursor. Outside a transaction that has written, all reads of one statement share one snapshot.
	Read(ctx context.Context, q mongo.Query) (mongo.Cursor, error)
	// Write applies changes in order. The statement's writes are undone together if the statement fails. An error is a
	// *pgerr.Error: 40001 for a conflict that could not be retried.
	Write(ctx context.Context, database, collection string, writes []mongo.Write) error
	// Lock takes row locks on documents by _id before they are changed, waiting as wait says; it returns which of them
	// were skipped. A row changed since it was read is reported in stale, so that the caller reads it again.
	Lock(ctx context.Context, database, collection string, ids []bson.RawValue, mode LockMode, wait LockWait) (skipped []bool, err error)
	// InTransaction reports whether reads run inside a MongoDB transaction, where some stages are not allowed.
	InTransaction() bool
	// Defer registers a check to run before commit (deferred constraints); key makes it unique.
	Defer(key string, check func(ctx context.Context, s Statement) error)
}

// LockMode is a row lock's strength, as in PostgreSQL.
type LockMode uint8

// The row lock modes, from weak to strong.
const (
	LockKeyShare LockMode = iota
	LockShare
	LockNoKeyUpdate
	LockUpdate
)

// LockWait is what to do with a row that another transaction holds.
type LockWait uint8

// The ways to wait.
const (
	WaitBlock LockWait = iota
	WaitError          // 55P03
	WaitSkip
)
