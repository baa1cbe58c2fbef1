// Package executor runs plans: one operator a node, pulled by one goroutine, rows in batches.
package executor

import (
	"context"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
)

// BatchRows is how many rows a full batch has.
const BatchRows = 256

// Batch is a block of rows, row-major: row i is Data[i*Width : (i+1)*Width]. It is valid until the next call of Next on
// the operator that filled it.
type Batch struct {
	Width int
	N     int
	Data  []types.Datum
	// Want is how many rows the reader takes before it may stop, 0 for all. Who computes rows with effects gives no more:
	// FETCH 2 from a cursor over SELECT nextval('s') FROM t takes two numbers.
	Want int
}

// Row returns row i, which shares the batch's memory.
func (b *Batch) Row(i int) []types.Datum { return b.Data[i*b.Width : (i+1)*b.Width : (i+1)*b.Width] }

// Reset empties the batch for rows of the given width.
func (b *Batch) Reset(width int) { b.Width, b.N, b.Data = width, 0, b.Data[:0] }

// Append adds a row by copying its datums.
func (b *Batch) Append(row []types.Datum) {
	b.Data = append(b.Data, row...)
	b.N++
}

// Operator computes rows. Open may be called again after Close, which rewinds it (subqueries, lateral joins).
// Next fills b with at least one row, or returns io.EOF at the end. After an error or io.EOF only Close may follow.
// Close may be called many times.
type Operator interface {
	Open(ctx context.Context) error
	Next(ctx context.Context, b *Batch) error
	Close(ctx context.Context) error
}

// Runtime is what one statement's execution has.
type Runtime struct {
	Env *expr.Env
	// Txn reads and writes documents within the session's transaction.
	Txn txn.Statement
	// Budget bounds the memory of the statement; operators that exceed it spill or fail with 53200.
	Budget *Budget
	// Procs finds the functions that operators themselves need.
	Procs *expr.Procs
	// Bind binds an expression of the catalogue (a default, CHECK, generated column or index predicate) over a relation's
	// row, as planner.BindExpr does. Foreign key actions need it for tables that the statement itself does not name.
	Bind func(rel *catalog.Relation, cols []planner.Col, text string, want *types.T, typmod int32) (expr.Expr, error)
	// Fire runs a trigger's function, if its WHEN says so (ran), and returns the row that it gave; nil for none.
	Fire func(ctx context.Context, c *TriggerCall) (row []types.Datum, ran bool, err error)
	// Replica is session_replication_role = replica, under which only some triggers run.
	Replica bool
	// tables are those that the statement writes.
	tables []*table
	// Instrument, when set, measures every operator (EXPLAIN ANALYZE).
	Instrument *Instrument
}

// Flush sends the changes that the statement's operators have made and not yet sent.
func (rt *Runtime) Flush(ctx context.Context) error {
	for _, t := range rt.tables {
		if err := t.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Budget counts the bytes that a statement's operators hold.
type Budget struct {
	Limit int64
	Used  int64
}
