// Package session runs the statements of one SQL session: prepared statements and portals, planned statements, utility
// statements, transactions, cursors and COPY. It knows nothing of the wire's messages: it answers through a Client.
package session

import (
	"io"

	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Client is the peer of a session: what the session tells it, in order. Its methods are called by the session's goroutine
// only. They buffer; a broken connection shows as an error of RowWriter or of the copy streams and as a cancelled context.
type Client interface {
	// ParameterDescription tells the types of a prepared statement's parameters.
	ParameterDescription(oids []uint32)
	// RowDescription tells the columns of a result; formats is as for Rows.
	RowDescription(cols []planner.Col, formats []int16)
	// NoData says that a statement returns no rows.
	NoData()
	// Rows makes a writer of rows of these columns. formats holds a format code (0 text, 1 binary) for each column, one
	// for all, or none for text.
	Rows(cols []planner.Col, formats []int16, conv *types.IO) RowWriter
	// Complete ends a statement with its command tag, Empty an empty query, Suspended an Execute that met its row limit.
	Complete(tag string)
	Empty()
	Suspended()
	// Notice sends a notice or warning.
	Notice(e *pgerr.Error)
	// CopyIn starts COPY FROM STDIN. The reader gives the client's data; it fails with 57014 when the client gives up.
	CopyIn(binary bool, columns int) io.Reader
	// AtSync reports whether a Sync is known to be the next message.
	AtSync() bool
	// CopyOut starts COPY TO STDOUT; each Write is one CopyData message. Close ends it.
	CopyOut(binary bool, columns int) io.WriteCloser
}

// RowWriter sends rows.
type RowWriter interface {
	// Write sends rows from (inclusive) to (exclusive) of the batch, whose first columns are those that were announced.
	Write(b *executor.Batch, from, to int) error
}

// Startup is what a client said when it connected, after it was authenticated.
type Startup struct {
	User, Database string
	Parameters     map[string]string
	ClientAddr     string
	ClientPort     int
	ServerAddr     string
	ServerPort     int
	PID            int32
}
