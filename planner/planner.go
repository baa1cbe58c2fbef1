package planner

import (
	"context"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Context is what planning depends on.
type Context struct {
	Snapshot *catalog.Snapshot
	// Path is the effective search path: pg_temp and pg_catalog put in where PostgreSQL would.
	Path  []string
	Procs *expr.Procs
	// Env evaluates constants at plan time; its IO is the session's.
	Env *expr.Env
	// ParamTypes are the declared types of $1, $2 ...; types.UnknownT or a missing entry is to be inferred.
	ParamTypes []*types.T
	Settings   Settings
	Stats      Stats
	// View supplies the parsed definition of views through their text; see expandView.
}

// Settings steer rules; the zero value turns everything on.
type Settings struct {
	PushdownOff   bool // pgmongo.pushdown = off
	StrictErrors  bool // pgmongo.strict_errors = on: nothing ErrorLoose is pushed
	HashJoinOff   bool
	IndexJoinOff  bool
	LookupOff     bool
	InTransaction bool // some stages are not allowed there
	ServerVersion int  // of MongoDB: 6, 7, 8
}

// Stats are the estimates that costs come from; answers are cached by the caller.
type Stats interface {
	// Rows estimates the number of documents of a relation's collection.
	Rows(ctx context.Context, rel *catalog.Relation) int64
}

// PlanStatement binds and plans a SELECT, INSERT, UPDATE, DELETE, MERGE or VALUES statement.
func PlanStatement(ctx context.Context, c *Context, stmt *pg_query.Node) (*Plan, error) {
	return nil, pgerr.Unsupported("planning")
}

// BindExpr binds a stand-alone expression over a relation's columns (CHECK, DEFAULT, generated columns, index predicates,
// ALTER ... USING). cols gives the columns it may refer to, in the order of rel.Live(); rel may be nil for none. The
// result is coerced to want by assignment, if want is not nil.
func BindExpr(c *Context, rel *catalog.Relation, cols []Col, text string, want *types.T, typmod int32) (expr.Expr, error) {
	return nil, pgerr.Unsupported("expressions")
}
