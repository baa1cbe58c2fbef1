package planner

import (
	"context"

	"github.com/pgmongo/pgmongo/types"
)

// External is a source of rows from outside the plan: the rows of COPY FROM, or of a batch of VALUES. Next returns the
// next row, of as many datums as Out has columns, which is valid until the next call, and io.EOF at the end.
type External struct {
	Out  []Col
	Next func(ctx context.Context) ([]types.Datum, error)
}

// Cols returns the columns that the rows have.
func (n *External) Cols() []Col { return n.Out }

// Inputs of an external source are none.
func (n *External) Inputs() []Node { return nil }

// WithInputs returns the node itself, which has no inputs.
func (n *External) WithInputs([]Node) Node { return n }
