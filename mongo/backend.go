// Package mongo is the only importer of MongoDB's driver: connections, cursors, sessions, administration, and the mapping
// of server errors to SQLSTATE. mongo/mql builds queries; mongo/mongod finds and runs a private mongod.
package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Cursor is a stream of documents. Next returns io.EOF at the end; a document is valid until the next call, but its
// memory is never written again, so datums may share it.
type Cursor interface {
	Next(ctx context.Context) (bson.Raw, error)
	// Buffered is how many documents Next can give without asking the server.
	Buffered() int
	Close(ctx context.Context) error
}

// Query is a read of one collection. With a Pipeline it is an aggregation, else a find.
type Query struct {
	Database   string
	Collection string
	Filter     bson.D
	Projection bson.D
	Sort       bson.D
	Skip       int64
	Limit      int64 // 0: none
	Pipeline   bson.A
	Hint       any
	BatchSize  int32 // 0: the server's default
	// Now reads what is there at the moment, outside of the snapshot and the transaction of a statement.
	Now bool
	// Binary compares strings by their bytes, whatever the collection's own collation.
	Binary  bool
	Comment string
}

// LockField is the field of a document that a row lock changes when several proxies serve the deployment: an int that
// belongs to no column.
const LockField = "_lk"

// WriteKind is the kind of a Write.
type WriteKind uint8

// The kinds of a write.
const (
	WriteInsert  WriteKind = iota
	WriteUpdate            // $set and $unset of one document by _id
	WriteReplace           // whole document by _id
	WriteDelete            // one document by _id
)

// Change is a change of at most one document by a filter that names its _id.
type Change struct {
	ID     bson.RawValue
	Filter bson.D
	// Update is the update document; nil deletes.
	Update bson.Raw
}

// Single is a statement's only change: a new document, or a change of one that was not read.
type Single struct {
	Database, Collection string
	// Insert is the new document, nil for a Change.
	Insert bson.Raw
	Change Change
}

// Write is a change of one document.
type Write struct {
	Kind WriteKind
	ID   bson.RawValue
	// Doc is the document of an insert or replace, or the update document ({$set: ..., $unset: ...}).
	Doc bson.Raw
	// Before is the document as it was read (update, replace, delete): the undo log's pre-image.
	Before bson.Raw
}
