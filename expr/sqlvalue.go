package expr

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// SQLValue maps CURRENT_DATE, CURRENT_TIMESTAMP(p), CURRENT_USER and their kin to calls of functions and casts. typmod is
// the precision that was written, -1 for none.
func (r *Resolver) SQLValue(op pg_query.SQLValueFunctionOp, typmod int32) (Expr, error) {
	switch op {
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_DATE:
		return r.castNow(types.DateT, -1)
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME:
		return r.castNow(types.TimeTZT, -1)
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:
		return r.castNow(types.TimeTZT, typmod)
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP:
		return r.castNow(types.TimestampTZT, -1)
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N:
		return r.castNow(types.TimestampTZT, typmod)
	case pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME:
		return r.castNow(types.TimeT, -1)
	case pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME_N:
		return r.castNow(types.TimeT, typmod)
	case pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP:
		return r.castNow(types.TimestampT, -1)
	case pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
		return r.castNow(types.TimestampT, typmod)
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_USER, pg_query.SQLValueFunctionOp_SVFOP_USER,
		pg_query.SQLValueFunctionOp_SVFOP_CURRENT_ROLE:
		return r.nullary("current_user")
	case pg_query.SQLValueFunctionOp_SVFOP_SESSION_USER:
		return r.nullary("session_user")
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:
		return r.nullary("current_database")
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA:
		return r.nullary("current_schema")
	}
	return nil, pgerr.Internal("SQL value function %v", op)
}

func (r *Resolver) nullary(name string) (Expr, error) {
	return r.Func(FuncCall{Schema: "pg_catalog", Name: name, Loc: -1})
}

// castNow casts the start of the transaction.
func (r *Resolver) castNow(t *types.T, typmod int32) (Expr, error) {
	now, err := r.nullary("now")
	if err != nil {
		return nil, err
	}
	x, err := r.coerceType(now, t, typmod, Explicit, -1)
	if err != nil || typmod < 0 {
		return x, err
	}
	return r.coerceTypmod(x, t, typmod, Explicit, -1)
}
