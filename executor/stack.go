package executor

import (
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/types"
)

// stackArrays makes one array, of a dimension more, of arrays of the same shape: ARRAY(SELECT array ...).
func stackArrays(t *types.T, vals []types.Datum) (types.Datum, error) { return fn.StackArrays(t, vals) }
