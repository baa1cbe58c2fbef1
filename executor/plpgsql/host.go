package plpgsql

import (
	"context"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Host is the session that a body runs in.
type Host interface {
	// Prepare parses one statement; an expression is the SELECT of it.
	Prepare(text string, expression bool) (Statement, error)
	// PrepareText parses a statement that EXECUTE has computed, as the session reads its client's queries.
	PrepareText(text string) (Statement, error)
	// Convert makes the conversion of a value from one type to another by assignment, through text where no cast leads.
	Convert(ctx context.Context, from, to *types.T, typmod int32) (func(types.Datum) (types.Datum, error), error)
	// Element makes the function that gives a value of type t in which what the path names is replaced: subs are the
	// values of the subscripts.
	Element(ctx context.Context, t *types.T, path []Step, from *types.T) (func(whole types.Datum, subs []types.Datum, value types.Datum) (types.Datum, error), error)
	// Keep returns an empty list for the rows of a loop.
	Keep() RowList
	// IO gives the session's text formats, Fields the columns of a composite type.
	IO() *types.IO
	Fields(t *types.T) []types.Field
	// Notice sends a notice or warning.
	Notice(e *pgerr.Error)
	// Push adds a line of CONTEXT for what runs inside, until Pop; Context is all of them, innermost first.
	Push(line func() string)
	Pop()
	Context() string
	// Settle sends the enclosing statements' pending writes. BeginSub opens a subtransaction, which EndSub keeps or undoes.
	Settle(ctx context.Context) error
	BeginSub() int
	EndSub(ctx context.Context, depth int, keep bool)
	// Catchable reports whether a handler may see an error: not one that makes the statement run again.
	Catchable(err error) *pgerr.Error
	// EndTransaction is COMMIT and ROLLBACK inside a procedure.
	EndTransaction(ctx context.Context, rollback, chain bool) error
	// OpenCursor opens a cursor over a statement that was planned; with an empty name it makes one up.
	OpenCursor(ctx context.Context, name string, s Statement, params []types.Datum, noScroll bool) (string, error)
	// FetchCursor moves a cursor and returns the rows, with their columns.
	FetchCursor(ctx context.Context, name string, d Direction, count int64) ([]planner.Col, [][]types.Datum, error)
	CloseCursor(ctx context.Context, name string) error
	// Asserts reports whether ASSERT checks (plpgsql.check_asserts).
	Asserts() bool
}

// Step is a part of the way to an element: a subscript, a slice or a field.
type Step struct {
	Field        string
	Slice        bool
	Lower, Upper *types.T // types of the subscripts, nil for one that is left out
}

// Direction is that of FETCH.
type Direction byte

// The directions.
const (
	Forward Direction = iota
	Backward
	Absolute
	Relative
)

// RowList keeps rows of one width in the order they come, in a file when they are many.
type RowList interface {
	Add(row []types.Datum) error
	Len() int
	Row(i int) ([]types.Datum, error)
	Release() error
}

// Statement is one SQL statement of a body. It outlives the call that it was prepared in; its methods get the present one.
type Statement interface {
	// Plan makes the plan under the present catalogue, unless one is there and again is not set. It asks for the variables
	// when it makes one.
	Plan(ctx context.Context, h Host, vars func() planner.Variables, again bool) error
	// Cols are the result's columns, nil for a statement without one.
	Cols() []planner.Col
	// Tag is what the statement is: SELECT, INSERT, ... or UTILITY. Writes says that RETURNING or not, it changes data.
	Tag() string
	// CallOutputs are the names that a CALL's arguments for OUT and INOUT arguments are, in the order of Cols; nil entries
	// are no names.
	CallOutputs() [][]string
	// Scalar computes a plain expression; ok is false where the statement is more than that.
	Scalar(ctx context.Context, h Host, params []types.Datum) (d types.Datum, ok bool, err error)
	// Run runs the statement and gives its rows, up to max (0: all); yield may stop it with an error. It returns how many
	// rows were affected or given.
	Run(ctx context.Context, h Host, params []types.Datum, max int64, yield func(row []types.Datum) error) (int64, error)
}
