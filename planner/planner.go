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
	// Variables are the names and parameters of the routine whose body is planned; nil outside of one.
	Variables Variables
	// Relation finds the relations that only a routine sees, the transition tables of a trigger; nil outside of one.
	Relation func(name string) *catalog.Relation
	// NoParams refuses parameters (42P02): a statement of the simple protocol has none.
	NoParams bool
	// Fills is the OID of the new table or materialised view that the statement is to fill, 0 for none.
	Fills    uint32
	Settings Settings
	Stats    Stats
	// Views keeps the parse trees of views, defaults and checks between statements; nil keeps nothing.
	Views *ParseCache
	// Role is whose privileges the statement needs; 0 is the bootstrap superuser.
	Role uint32
}

// Settings steer rules; the zero value turns everything on.
type Settings struct {
	PushdownOff   bool // pgmongo.pushdown = off
	NullMisfits   bool // pgmongo.on_type_mismatch = null
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

// PlanStatement binds and plans a SELECT, INSERT, UPDATE, DELETE, MERGE or VALUES statement. Errors are PostgreSQL's, with
// byte offsets into the text that the statement was parsed from.
func PlanStatement(ctx context.Context, c *Context, stmt *pg_query.Node) (*Plan, error) {
	b := newBinder(ctx, c)
	q, tag, err := b.statement(stmt)
	if err != nil {
		return nil, err
	}
	params, err := b.paramTypes(q.node)
	if err != nil {
		return nil, err
	}
	root, err := b.optimize(q.node)
	if err != nil {
		return nil, err
	}
	return &Plan{
		Denied: b.denied(), Root: root, Tag: tag, Params: params, Cols: q.cols, NumCols: len(b.cols), Relations: b.relations, Writes: b.writes,
		Version: c.Snapshot.Version, Locks: b.locks, Routines: b.r.Routines, LargeObjects: b.r.LargeObjects,
	}, nil
}

func (b *binder) statement(stmt *pg_query.Node) (*query, string, error) {
	s := b.newScope(nil)
	switch n := stmt.Node.(type) {
	case *pg_query.Node_SelectStmt:
		q, err := s.query(n.SelectStmt, true)
		if err == nil && q.cols == nil {
			q.cols = []Col{} // "SELECT" alone returns a row, of no columns
		}
		return q, "SELECT", err
	case *pg_query.Node_InsertStmt:
		q, err := b.modifying(s, stmt)
		return q, "INSERT", err
	case *pg_query.Node_UpdateStmt:
		q, err := b.modifying(s, stmt)
		return q, "UPDATE", err
	case *pg_query.Node_DeleteStmt:
		q, err := b.modifying(s, stmt)
		return q, "DELETE", err
	case *pg_query.Node_MergeStmt:
		q, err := b.modifying(s, stmt)
		return q, "MERGE", err
	}
	return nil, "", pgerr.Internal("a statement that is not planned came to the planner")
}

// paramTypes gives the parameters' types. Each must have been fixed, and before its last use: $1 IS NULL OR a = $1 uses it
// while it is unknown.
func (b *binder) paramTypes(root Node) ([]*types.T, error) {
	for i, t := range b.params {
		if t == nil {
			return nil, pgerr.New(pgerr.IndeterminateDatatype, "could not determine data type of parameter $%d", i+1)
		}
	}
	if len(b.paramLocs) == 0 {
		return b.params, nil
	}
	var err error
	mapPlanExprs(root, func(e expr.Expr) expr.Expr {
		return rewriteDeep(e, func(e expr.Expr) expr.Expr {
			if p, ok := e.(*expr.Param); ok && p.T == types.UnknownT && err == nil {
				err = pgerr.New(pgerr.AmbiguousParameter, "could not determine data type of parameter $%d", p.N).At(b.paramLocs[p.N])
			}
			return e
		})
	})
	return b.params, err
}

// BindExpr binds a stand-alone expression over a relation's columns (CHECK, DEFAULT, generated columns, index predicates,
// ALTER ... USING). cols gives the columns it may refer to, in the order of rel.Live(); rel may be nil for none. The
// result is coerced to want by assignment, if want is not nil.
func BindExpr(c *Context, rel *catalog.Relation, cols []Col, text string, want *types.T, typmod int32) (expr.Expr, error) {
	b := newBinder(context.Background(), c)
	for _, col := range cols {
		for int(col.ID) >= len(b.cols) {
			b.cols, b.owner = append(b.cols, Col{}), append(b.owner, nil)
		}
		if rel != nil && col.Collation == "" {
			if c := rel.Column(col.Name); c != nil {
				col.Collation = b.collationByOID(c.Collation)
			}
		}
		b.cols[col.ID] = col
	}
	s := b.overRow(rel, cols, inNone)
	for _, col := range cols {
		b.owner[col.ID] = s
	}
	s.kind = inDefault
	n, err := b.parseText(text)
	if err != nil {
		return nil, err
	}
	b.noParams = true
	x, err := s.expr(n)
	if err != nil {
		return nil, err
	}
	if want != nil {
		if x, err = b.r.Coerce(x, want, typmod, expr.Assignment, nodeLocation(n)); err != nil {
			return nil, err
		}
	}
	return x, nil
}
