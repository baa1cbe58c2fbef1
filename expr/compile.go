package expr

import (
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Eval computes a compiled expression over one row.
type Eval func(env *Env, row []types.Datum) (types.Datum, error)

// Layout gives the position of each column in a row; a column that is not in it is read from Env.Outer.
type Layout map[ColID]int

// Compile turns an expression into a closure over rows of the layout. Set-returning calls, aggregates and window calls
// must have been replaced before.
func Compile(e Expr, l Layout) (Eval, error) { return nil, pgerr.Unsupported("evaluation") }

// Fold evaluates what is constant in e, as PostgreSQL does at plan time: calls of immutable functions over constants (and
// with stable set, also stable ones, as when a filter is about to be sent). An error while folding leaves the expression
// as it is, to be raised when it is reached.
func Fold(env *Env, e Expr, stable bool) Expr { return e }
