package ddl

import (
	"strconv"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

func formatInt(v int64) string { return strconv.FormatInt(v, 10) }

func (r *run) alterTable(n *pg_query.AlterTableStmt) (string, error) {
	return "", pgerr.Unsupported("x")
}
func (r *run) drop(n *pg_query.DropStmt) (string, error)     { return "", pgerr.Unsupported("x") }
func (r *run) rename(n *pg_query.RenameStmt) (string, error) { return "", pgerr.Unsupported("x") }
func (r *run) setSchema(n *pg_query.AlterObjectSchemaStmt) (string, error) {
	return "", pgerr.Unsupported("x")
}
func (r *run) alterOwner(n *pg_query.AlterOwnerStmt) (string, error) {
	return "", pgerr.Unsupported("x")
}
func (r *run) createSchema(n *pg_query.CreateSchemaStmt) error     { return pgerr.Unsupported("x") }
func (r *run) createView(n *pg_query.ViewStmt) error               { return pgerr.Unsupported("x") }
func (r *run) truncate(n *pg_query.TruncateStmt) error             { return pgerr.Unsupported("x") }
func (r *run) comment(n *pg_query.CommentStmt) error               { return pgerr.Unsupported("x") }
func (r *run) createEnum(n *pg_query.CreateEnumStmt) error         { return pgerr.Unsupported("x") }
func (r *run) alterEnum(n *pg_query.AlterEnumStmt) error           { return pgerr.Unsupported("x") }
func (r *run) createComposite(n *pg_query.CompositeTypeStmt) error { return pgerr.Unsupported("x") }
func (r *run) createDomain(n *pg_query.CreateDomainStmt) error     { return pgerr.Unsupported("x") }
func (r *run) alterDomain(n *pg_query.AlterDomainStmt) error       { return pgerr.Unsupported("x") }
func (r *run) createFunction(n *pg_query.CreateFunctionStmt) (string, error) {
	return "", pgerr.Unsupported("x")
}
func (r *run) alterFunction(n *pg_query.AlterFunctionStmt) error     { return pgerr.Unsupported("x") }
func (r *run) createExtension(n *pg_query.CreateExtensionStmt) error { return pgerr.Unsupported("x") }
func (r *run) alterExtension(n *pg_query.AlterExtensionStmt) error   { return pgerr.Unsupported("x") }
func (r *run) createRole(n *pg_query.CreateRoleStmt) (string, error) {
	return "", pgerr.Unsupported("x")
}
func (r *run) alterRole(n *pg_query.AlterRoleStmt) (string, error) { return "", pgerr.Unsupported("x") }
func (r *run) alterRoleSet(n *pg_query.AlterRoleSetStmt) error     { return pgerr.Unsupported("x") }
func (r *run) dropRole(n *pg_query.DropRoleStmt) error             { return pgerr.Unsupported("x") }
func (r *run) grantRole(n *pg_query.GrantRoleStmt) (string, error) { return "", pgerr.Unsupported("x") }
func (r *run) grant(n *pg_query.GrantStmt) (string, error)         { return "", pgerr.Unsupported("x") }
func (r *run) reassignOwned(n *pg_query.ReassignOwnedStmt) error   { return pgerr.Unsupported("x") }
func (r *run) createDatabase(n *pg_query.CreatedbStmt) error       { return pgerr.Unsupported("x") }
func (r *run) dropDatabase(n *pg_query.DropdbStmt) error           { return pgerr.Unsupported("x") }
