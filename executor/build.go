package executor

import (
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Build makes the operators of a plan for one execution. The root's rows have the columns of plan.Root.Cols() in order; a
// Modify node without RETURNING yields no rows, and Affected tells how many rows it touched.
func Build(rt *Runtime, plan *planner.Plan) (Operator, error) {
	return nil, pgerr.Unsupported("execution")
}

// Affected is implemented by the root operator of INSERT, UPDATE, DELETE and MERGE.
type Affected interface{ RowsAffected() int64 }
