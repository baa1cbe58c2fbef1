// Package ddl executes SQL's data definition statements: it turns a parse tree into a change of the catalogue's snapshot
// and into the work that MongoDB has to do for it.
package ddl

import (
	"context"
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Context is what a DDL statement depends on and what it changes.
type Context struct {
	// Snapshot is the session's catalogue; Execute replaces it by the one after the statement.
	Snapshot *catalog.Snapshot
	// Path is the effective search path (see catalog.Snapshot.SearchPath), Creation the schema of unqualified new objects,
	// "" when the search path names none that exists.
	Path     []string
	Creation string
	// User is the current role's name.
	User string
	// Temp holds the session's temporary objects; nil refuses them.
	Temp *Temp
	// Resolver resolves type names under a snapshot and the session's search path.
	Resolver func(s *catalog.Snapshot) *expr.Resolver
	// Exprs binds expressions and queries. With nil, expressions are kept as they are written and not checked, which is
	// enough for fixtures.
	Exprs Expressions
	// Physical does MongoDB's part; nil does none of it (fixtures).
	Physical Physical
	// CheckSetting checks a parameter's name and value; nil checks nothing.
	CheckSetting func(name, value string) error
	// Cluster changes what belongs to no single database: databases, and roles of the other databases; nil refuses CREATE
	// and DROP DATABASE.
	Cluster Cluster
}

// Expressions binds and evaluates the expressions of definitions.
type Expressions interface {
	// Bind parses and binds an expression over the live columns of rel, under the ColIDs 0, 1, 2 ... in their order; rel is
	// nil for none. The result is coerced to want by assignment unless want is nil.
	Bind(s *catalog.Snapshot, rel *catalog.Relation, text string, want *types.T, typmod int32) (expr.Expr, error)
	// Deparse prints a bound expression as PostgreSQL would.
	Deparse(s *catalog.Snapshot, e expr.Expr) string
	// Query plans a SELECT and returns its output columns.
	Query(ctx context.Context, s *catalog.Snapshot, stmt *pg_query.Node) ([]QueryCol, error)
	// ShowQuery prints a SELECT with every * written out and all names outside of pg_catalog qualified.
	ShowQuery(ctx context.Context, s *catalog.Snapshot, sel *pg_query.SelectStmt) (string, error)
	// View binds the query of a view.
	View(ctx context.Context, s *catalog.Snapshot, sel *pg_query.SelectStmt) (*planner.ViewDescription, error)
	// Env is what evaluation depends on.
	Env() *expr.Env
}

// QueryCol is an output column of a query.
type QueryCol struct {
	Name   string
	Type   *types.T
	Typmod int32
}

// Cluster creates and drops databases.
type Cluster interface {
	// CreateDatabase makes a database, as a copy of template unless that is empty; DropDatabase removes one, with force
	// also while sessions use it.
	CreateDatabase(ctx context.Context, name, template string) error
	DropDatabase(ctx context.Context, name string, force bool) error
	RenameDatabase(ctx context.Context, from, to string) error
	// Database returns a database as MongoDB has it, nil for none.
	Database(ctx context.Context, name string) (*catalog.Database, error)
}

// Temp names a session's temporary schema and gives OIDs to what is in it: such objects are in no other session's
// catalogue, so that their OIDs come from a range of their own.
type Temp struct {
	Schema string
	OID    uint32
	// Prefix starts the names of the collections that hold temporary tables.
	Prefix  string
	NextOID uint32
}

// Result is what a DDL statement answers.
type Result struct {
	// Tag is the command tag.
	Tag string
	// Notices are to be sent before the tag.
	Notices []*pgerr.Error
	// Fill is set for CREATE TABLE AS and materialised views: the table exists, and the session fills it.
	Fill *Fill
	// Routine is the function or procedure that was created: the session checks its body.
	Routine *catalog.Function
}

// Fill asks the session to insert a query's rows into an empty table.
type Fill struct {
	Table *catalog.Relation
	Query *pg_query.Node
}

// run is one statement under execution.
type run struct {
	ctx     context.Context
	c       *Context
	ch      *catalog.Change
	before  *catalog.Snapshot
	notices []*pgerr.Error
	// work is what MongoDB has to do once the statement is known to be valid, in order.
	work []Work
	fill *Fill
	// routine is the function that the statement creates.
	routine *catalog.Function
	// placed says that errors in expressions point into the statement. ALTER TABLE t ADD CHECK (nosuch > 0) does not: only
	// CREATE TABLE and CREATE INDEX know their text.
	placed bool
}

// Execute runs one DDL statement: the catalogue changes in c.Snapshot, MongoDB follows through c.Physical. After an
// error c.Snapshot is what it was, and what MongoDB already did is undone by the hooks that Physical left in the
// transaction.
func Execute(ctx context.Context, c *Context, stmt *pg_query.Node) (Result, error) {
	r := &run{ctx: ctx, c: c, before: c.Snapshot, ch: c.Snapshot.Change()}
	if c.Physical != nil {
		r.ch.SkipOIDs(c.Physical.FreeOID(c.Snapshot.NextOID))
	}
	r.placed = stmt.GetCreateStmt() != nil || stmt.GetIndexStmt() != nil
	if err := r.authorize(stmt); err != nil {
		return Result{}, err
	}
	tag, err := r.statement(stmt)
	if err != nil {
		return Result{}, err
	}
	touched := r.snap().Touched()
	if len(touched) > 0 || len(r.work) > 0 {
		if err := r.finish(touched); err != nil {
			return Result{}, err
		}
	}
	return Result{Tag: tag, Notices: r.notices, Fill: r.fill, Routine: r.routine}, nil
}

// finish makes the change the session's catalogue, and MongoDB follow.
func (r *run) finish(touched []catalog.Object) error {
	c := r.c
	if slices.ContainsFunc(touched, func(o catalog.Object) bool { return o.OID < catalog.FirstTempOID }) {
		r.ch.SetStored(r.before.Stored+1, r.snap().NextOID)
	}
	if c.Physical == nil {
		c.Snapshot = r.ch.Done()
		return nil
	}
	r.ch.SetVersion(c.Physical.NextVersion())
	after := r.ch.Done()
	c.Physical.UsedOIDs(after.NextOID)
	var env *expr.Env
	if c.Exprs != nil {
		env = c.Exprs.Env()
	}
	if err := c.Physical.Apply(r.ctx, env, r.before, after, r.work); err != nil {
		return err
	}
	if len(touched) > 0 {
		c.Snapshot = after
	}
	return nil
}

// statement runs one statement, or one of those that CREATE SCHEMA and CREATE TABLE imply, and returns its tag.
func (r *run) statement(stmt *pg_query.Node) (string, error) {
	switch n := stmt.GetNode().(type) {
	case *pg_query.Node_CreateStmt:
		return "CREATE TABLE", r.createTable(n.CreateStmt)
	case *pg_query.Node_CreateTableAsStmt:
		return r.createTableAs(n.CreateTableAsStmt)
	case *pg_query.Node_AlterTableStmt:
		return r.alterTable(n.AlterTableStmt)
	case *pg_query.Node_IndexStmt:
		return "CREATE INDEX", r.createIndex(n.IndexStmt)
	case *pg_query.Node_DropStmt:
		return r.drop(n.DropStmt)
	case *pg_query.Node_RenameStmt:
		return r.rename(n.RenameStmt)
	case *pg_query.Node_AlterObjectSchemaStmt:
		return r.setSchema(n.AlterObjectSchemaStmt)
	case *pg_query.Node_AlterOwnerStmt:
		return r.alterOwner(n.AlterOwnerStmt)
	case *pg_query.Node_CreateSchemaStmt:
		return "CREATE SCHEMA", r.createSchema(n.CreateSchemaStmt)
	case *pg_query.Node_CreateSeqStmt:
		return "CREATE SEQUENCE", r.createSequence(n.CreateSeqStmt)
	case *pg_query.Node_AlterSeqStmt:
		return "ALTER SEQUENCE", r.alterSequence(n.AlterSeqStmt)
	case *pg_query.Node_ViewStmt:
		return "CREATE VIEW", r.createView(n.ViewStmt)
	case *pg_query.Node_RefreshMatViewStmt:
		return "REFRESH MATERIALIZED VIEW", r.refresh(n.RefreshMatViewStmt)
	case *pg_query.Node_TruncateStmt:
		return "TRUNCATE TABLE", r.truncate(n.TruncateStmt)
	case *pg_query.Node_CommentStmt:
		return "COMMENT", r.comment(n.CommentStmt)
	}
	return r.typeStatement(stmt)
}

// typeStatement goes on with the statements about types, functions and what belongs to the cluster.
func (r *run) typeStatement(stmt *pg_query.Node) (string, error) {
	switch n := stmt.GetNode().(type) {
	case *pg_query.Node_CreateEnumStmt:
		return "CREATE TYPE", r.createEnum(n.CreateEnumStmt)
	case *pg_query.Node_AlterEnumStmt:
		return "ALTER TYPE", r.alterEnum(n.AlterEnumStmt)
	case *pg_query.Node_CreateRangeStmt:
		return "CREATE TYPE", r.createRange(n.CreateRangeStmt)
	case *pg_query.Node_CompositeTypeStmt:
		return "CREATE TYPE", r.createComposite(n.CompositeTypeStmt)
	case *pg_query.Node_CreateDomainStmt:
		return "CREATE DOMAIN", r.createDomain(n.CreateDomainStmt)
	case *pg_query.Node_AlterDomainStmt:
		return "ALTER DOMAIN", r.alterDomain(n.AlterDomainStmt)
	case *pg_query.Node_CreateFunctionStmt:
		return r.createFunction(n.CreateFunctionStmt)
	case *pg_query.Node_CreateCastStmt:
		return "CREATE CAST", r.createCast(n.CreateCastStmt)
	case *pg_query.Node_CreateTrigStmt:
		return "CREATE TRIGGER", r.createTrigger(n.CreateTrigStmt)
	case *pg_query.Node_AlterFunctionStmt:
		return "ALTER FUNCTION", r.alterFunction(n.AlterFunctionStmt)
	case *pg_query.Node_DefineStmt:
		if n.DefineStmt.Kind == pg_query.ObjectType_OBJECT_COLLATION {
			return "CREATE COLLATION", r.createCollation(n.DefineStmt)
		}
	case *pg_query.Node_AlterCollationStmt:
		c, err := r.collationNamed(names(n.AlterCollationStmt.Collname), -1)
		if err == nil && c.OID == catalog.DefaultCollation {
			err = pgerr.New(pgerr.InvalidObjectDefinition, "cannot refresh version of default collation")
		}
		if err == nil {
			r.notice(pgerr.SuccessfulCompletion, "version has not changed")
		}
		return "ALTER COLLATION", err
	case *pg_query.Node_CreateExtensionStmt:
		return "CREATE EXTENSION", r.createExtension(n.CreateExtensionStmt)
	case *pg_query.Node_AlterExtensionStmt:
		return "ALTER EXTENSION", r.alterExtension(n.AlterExtensionStmt)
	case *pg_query.Node_CreateRoleStmt:
		return r.createRole(n.CreateRoleStmt)
	case *pg_query.Node_AlterRoleStmt:
		return r.alterRole(n.AlterRoleStmt)
	case *pg_query.Node_AlterRoleSetStmt:
		return "ALTER ROLE", r.alterRoleSet(n.AlterRoleSetStmt)
	case *pg_query.Node_DropRoleStmt:
		return "DROP ROLE", r.dropRole(n.DropRoleStmt)
	case *pg_query.Node_GrantRoleStmt:
		return r.grantRole(n.GrantRoleStmt)
	case *pg_query.Node_GrantStmt:
		return r.grant(n.GrantStmt)
	case *pg_query.Node_AlterDefaultPrivilegesStmt:
		return "ALTER DEFAULT PRIVILEGES", r.alterDefaults(n.AlterDefaultPrivilegesStmt)
	case *pg_query.Node_ReassignOwnedStmt:
		return "REASSIGN OWNED", r.reassignOwned(n.ReassignOwnedStmt)
	case *pg_query.Node_DropOwnedStmt:
		return "DROP OWNED", r.dropOwned(n.DropOwnedStmt)
	case *pg_query.Node_CreatedbStmt:
		return "CREATE DATABASE", r.createDatabase(n.CreatedbStmt)
	case *pg_query.Node_DropdbStmt:
		return "DROP DATABASE", r.dropDatabase(n.DropdbStmt)
	case *pg_query.Node_AlterDatabaseSetStmt:
		return "ALTER DATABASE", r.alterDatabaseSet(n.AlterDatabaseSetStmt)
	case *pg_query.Node_AlterDatabaseStmt:
		return "ALTER DATABASE", r.alterDatabase(n.AlterDatabaseStmt)
	case *pg_query.Node_ReindexStmt:
		return "REINDEX", r.reindex(n.ReindexStmt)
	}
	return "", pgerr.Unsupported(statementName(stmt))
}

func (r *run) notice(code pgerr.Code, format string, args ...any) {
	r.notices = append(r.notices, pgerr.New(code, format, args...).WithSeverity("NOTICE"))
}

// debug is a message for clients that set client_min_messages to debug1.
func (r *run) debug(format string, args ...any) {
	r.notices = append(r.notices, pgerr.New(pgerr.SuccessfulCompletion, format, args...).WithSeverity("DEBUG"))
}

func (r *run) warning(code pgerr.Code, format string, args ...any) {
	r.notices = append(r.notices, pgerr.New(code, format, args...).WithSeverity("WARNING"))
}

// snap is the catalogue with the statement's changes so far.
func (r *run) snap() *catalog.Snapshot { return r.ch.Snapshot() }

// do adds work for MongoDB.
func (r *run) do(w ...Work) {
	for _, x := range w {
		if !withoutRows(x) {
			r.work = append(r.work, x)
		}
	}
}

// withoutRows reports whether work is about the rows of a partitioned table, which has none itself.
func withoutRows(w Work) bool {
	var rel *catalog.Relation
	switch w := w.(type) {
	case CheckRows:
		rel = w.Table
	case CheckForeignKey:
		rel = w.Table
	case Rewrite:
		rel = w.New
	case ClearField:
		rel = w.Table
	case FillMissing:
		rel = w.Table
	case UnsetNulls:
		rel = w.Table
	}
	return rel != nil && rel.Kind == catalog.KindPartitioned
}
