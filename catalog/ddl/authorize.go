package ddl

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// authorize checks that the role may run a statement on the objects that it names. What does not exist is left to the
// statement, which says so in its own words. The right to create in a schema is checked where the schema is chosen.
func (r *run) authorize(stmt *pg_query.Node) error {
	if r.snap().Superuser(r.owner()) {
		return nil
	}
	switch n := stmt.GetNode().(type) {
	case *pg_query.Node_AlterTableStmt:
		if n.AlterTableStmt.Objtype == pg_query.ObjectType_OBJECT_TYPE {
			rv := n.AlterTableStmt.Relation
			return r.ownsType(nameParts(rv))
		}
		return r.authorizeAlter(n.AlterTableStmt)
	case *pg_query.Node_CreateStmt:
		for _, p := range n.CreateStmt.InhRelations {
			if err := r.ownsRelation(p.GetRangeVar()); err != nil {
				return err
			}
		}
	case *pg_query.Node_IndexStmt:
		return r.ownsRelation(n.IndexStmt.Relation)
	case *pg_query.Node_DropStmt:
		for _, o := range n.DropStmt.Objects {
			if err := r.ownsDropped(n.DropStmt.RemoveType, o); err != nil {
				return err
			}
		}
	case *pg_query.Node_RenameStmt:
		return r.authorizeRename(n.RenameStmt)
	case *pg_query.Node_AlterObjectSchemaStmt:
		return r.ownsObject(n.AlterObjectSchemaStmt.ObjectType, n.AlterObjectSchemaStmt.Relation, n.AlterObjectSchemaStmt.Object)
	case *pg_query.Node_AlterOwnerStmt:
		return r.ownsObject(n.AlterOwnerStmt.ObjectType, n.AlterOwnerStmt.Relation, n.AlterOwnerStmt.Object)
	case *pg_query.Node_AlterSeqStmt:
		return r.ownsRelation(n.AlterSeqStmt.Sequence)
	case *pg_query.Node_RefreshMatViewStmt:
		return r.ownsRelation(n.RefreshMatViewStmt.Relation)
	case *pg_query.Node_ReindexStmt:
		if rv := n.ReindexStmt.Relation; rv != nil {
			return r.ownsRelation(rv)
		}
	case *pg_query.Node_TruncateStmt:
		for _, o := range n.TruncateStmt.Relations {
			if rel, err := r.find(o.GetRangeVar()); err == nil && rel != nil && r.snap().RelationRights(rel, r.owner(), catalog.Truncate, false) == 0 {
				return denied(rel.Kind.Name(), rel.Name)
			}
		}
	case *pg_query.Node_CommentStmt:
		return r.authorizeComment(n.CommentStmt)
	case *pg_query.Node_CreateSchemaStmt:
		if !r.databaseRight(catalog.Create) {
			return denied("database", r.snap().Database)
		}
	}
	return r.authorizeCode(stmt)
}

// authorizeCode goes on with the statements about types, routines and roles.
func (r *run) authorizeCode(stmt *pg_query.Node) error {
	switch n := stmt.GetNode().(type) {
	case *pg_query.Node_AlterEnumStmt:
		return r.ownsType(names(n.AlterEnumStmt.TypeName))
	case *pg_query.Node_AlterDomainStmt:
		return r.ownsType(names(n.AlterDomainStmt.TypeName))
	case *pg_query.Node_AlterFunctionStmt:
		return r.ownsFunction(n.AlterFunctionStmt.Func)
	case *pg_query.Node_CreateTrigStmt:
		rel, err := r.find(n.CreateTrigStmt.Relation)
		if err == nil && rel != nil && r.snap().RelationRights(rel, r.owner(), catalog.CreateTrigger, false) == 0 {
			return denied(rel.Kind.Name(), rel.Name)
		}
	case *pg_query.Node_CreateExtensionStmt:
		name := n.CreateExtensionStmt.Extname
		if r.snap().ExtensionByName(name) == nil && !r.databaseRight(catalog.Create) {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create extension \"%s\"", name).
				WithHint("Must have CREATE privilege on current database to create this extension.")
		}
	case *pg_query.Node_AlterExtensionStmt:
		if r.snap().ExtensionByName(n.AlterExtensionStmt.Extname) != nil {
			return r.mustOwn("extension", n.AlterExtensionStmt.Extname, catalog.BootstrapRole)
		}
	case *pg_query.Node_CreateRoleStmt, *pg_query.Node_DropRoleStmt, *pg_query.Node_AlterRoleStmt, *pg_query.Node_AlterRoleSetStmt:
		return r.authorizeRole(stmt)
	}
	return nil
}

// authorizeRole checks statements about roles: CREATEROLE is what it takes, and SUPERUSER for superusers.
func (r *run) authorizeRole(stmt *pg_query.Node) error {
	me := r.snap().RoleByOID(r.owner())
	deny := func(what string) error {
		return pgerr.New(pgerr.InsufficientPrivilege, "%s", what)
	}
	option := func(list []*pg_query.Node, name string) bool {
		for _, o := range list {
			if d := o.GetDefElem(); d.Defname == name && (name == "replication" || defBool(d)) {
				return true
			}
		}
		return false
	}
	switch n := stmt.GetNode().(type) {
	case *pg_query.Node_CreateRoleStmt:
		switch {
		case option(n.CreateRoleStmt.Options, "superuser"):
			return deny("must be superuser to create superusers")
		case option(n.CreateRoleStmt.Options, "isreplication"):
			return deny("must be superuser to create replication users")
		case option(n.CreateRoleStmt.Options, "bypassrls"):
			return deny("must be superuser to create bypassrls users")
		case !me.CreateRole:
			return deny("permission denied to create role")
		}
	case *pg_query.Node_DropRoleStmt:
		if !me.CreateRole {
			return deny("permission denied to drop role")
		}
		for _, node := range n.DropRoleStmt.Roles {
			if role := r.snap().RoleByName(node.GetRoleSpec().GetRolename()); role != nil && role.Super {
				return deny("must be superuser to drop superusers")
			}
		}
	case *pg_query.Node_AlterRoleStmt:
		role, err := r.role(n.AlterRoleStmt.Role)
		if err != nil {
			return err
		}
		options := n.AlterRoleStmt.Options
		onlyPassword := len(options) == 1 && options[0].GetDefElem().Defname == "password"
		switch {
		case role.Super || option(options, "superuser"):
			return deny("must be superuser to alter superuser roles or change superuser attribute")
		case role.Replication || option(options, "isreplication"):
			return deny("must be superuser to alter replication roles or change replication attribute")
		case option(options, "bypassrls"):
			return deny("must be superuser to change bypassrls attribute")
		case !me.CreateRole && !(role.OID == me.OID && onlyPassword):
			return deny("permission denied")
		}
	case *pg_query.Node_AlterRoleSetStmt:
		if n.AlterRoleSetStmt.Role == nil {
			return deny("must be superuser to alter settings globally")
		}
		role, err := r.role(n.AlterRoleSetStmt.Role)
		if err != nil {
			return err
		}
		switch {
		case role.Super:
			return deny("must be superuser to alter superusers")
		case !me.CreateRole && role.OID != me.OID:
			return deny("permission denied")
		}
	}
	return nil
}

func (r *run) authorizeAlter(n *pg_query.AlterTableStmt) error {
	if n.Objtype == pg_query.ObjectType_OBJECT_INDEX {
		if ref, ok := r.findIndex(n.Relation.Schemaname, n.Relation.Relname); ok {
			return r.mustOwn("index", ref.Index.Name, ref.Table.Owner)
		}
		return nil
	}
	if err := r.ownsRelation(n.Relation); err != nil {
		return err
	}
	for _, c := range n.Cmds {
		cmd := c.GetAlterTableCmd()
		switch cmd.Subtype {
		case pg_query.AlterTableType_AT_AttachPartition:
			if err := r.ownsRelation(cmd.Def.GetPartitionCmd().GetName()); err != nil {
				return err
			}
		case pg_query.AlterTableType_AT_AddInherit, pg_query.AlterTableType_AT_DropInherit:
			if err := r.ownsRelation(cmd.Def.GetRangeVar()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) authorizeRename(n *pg_query.RenameStmt) error {
	switch n.RenameType {
	case pg_query.ObjectType_OBJECT_ROLE:
		if me := r.snap().RoleByOID(r.owner()); !me.CreateRole {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to rename role")
		}
		return nil
	case pg_query.ObjectType_OBJECT_SCHEMA:
		if sc := r.snap().SchemaByName(n.Subname); sc != nil {
			return r.mustOwn("schema", sc.Name, sc.Owner)
		}
		return nil
	case pg_query.ObjectType_OBJECT_DATABASE:
		d, err := r.database(n.Subname)
		if err != nil {
			return err
		}
		return r.mustOwn("database", d.Name, d.Owner)
	case pg_query.ObjectType_OBJECT_DOMCONSTRAINT:
		return r.ownsType(names(n.Object.GetList().GetItems()))
	}
	if n.Relation != nil {
		if n.RelationType == pg_query.ObjectType_OBJECT_TYPE {
			return r.ownsType(nameParts(n.Relation))
		}
		return r.ownsRelation(n.Relation)
	}
	return r.ownsObject(n.RenameType, nil, n.Object)
}

func (r *run) authorizeComment(n *pg_query.CommentStmt) error {
	parts := names(n.Object.GetList().GetItems())
	switch n.Objtype {
	case pg_query.ObjectType_OBJECT_COLUMN, pg_query.ObjectType_OBJECT_TABCONSTRAINT, pg_query.ObjectType_OBJECT_TRIGGER:
		rel, err := r.findParts(parts[:len(parts)-1])
		if err != nil || rel == nil {
			return err
		}
		return r.mustOwn("relation", rel.Name, rel.Owner)
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		return r.ownsType(names(n.Object.GetTypeName().GetNames()))
	case pg_query.ObjectType_OBJECT_ROLE:
		if me := r.snap().RoleByOID(r.owner()); !me.CreateRole {
			return pgerr.New(pgerr.InsufficientPrivilege, "must have CREATEROLE privilege")
		}
		return nil
	case pg_query.ObjectType_OBJECT_DATABASE:
		return nil
	}
	return r.ownsObject(n.Objtype, nil, n.Object)
}

// ownsObject checks an object of any kind that the grammar names by a RangeVar or by another node.
func (r *run) ownsObject(kind pg_query.ObjectType, rv *pg_query.RangeVar, o *pg_query.Node) error {
	switch kind {
	case pg_query.ObjectType_OBJECT_SCHEMA:
		if sc := r.snap().SchemaByName(o.GetString_().GetSval()); sc != nil {
			return r.mustOwn("schema", sc.Name, sc.Owner)
		}
		return nil
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		parts := names(o.GetList().GetItems())
		if t := o.GetTypeName(); t != nil {
			parts = names(t.Names)
		}
		return r.ownsType(parts)
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE, pg_query.ObjectType_OBJECT_AGGREGATE:
		return r.ownsFunction(o.GetObjectWithArgs())
	case pg_query.ObjectType_OBJECT_COLLATION:
		if c, err := r.collationNamed(names(o.GetList().GetItems()), -1); err == nil {
			return r.mustOwn("collation", c.Name, c.Owner)
		}
		return nil
	case pg_query.ObjectType_OBJECT_EXTENSION:
		if name := o.GetString_().GetSval(); r.snap().ExtensionByName(name) != nil {
			return r.mustOwn("extension", name, catalog.BootstrapRole)
		}
		return nil
	}
	if rv != nil {
		return r.ownsRelation(rv)
	}
	if parts := names(o.GetList().GetItems()); len(parts) > 0 {
		rel, err := r.findParts(parts)
		if err != nil || rel == nil {
			return err
		}
		return r.mustOwn(rel.Kind.Name(), rel.Name, rel.Owner)
	}
	return nil
}

// ownsDropped checks an object of DROP; the owner of its schema may drop it, too.
func (r *run) ownsDropped(kind pg_query.ObjectType, o *pg_query.Node) error {
	parts := names(o.GetList().GetItems())
	switch kind {
	case pg_query.ObjectType_OBJECT_TABLE, pg_query.ObjectType_OBJECT_VIEW, pg_query.ObjectType_OBJECT_SEQUENCE, pg_query.ObjectType_OBJECT_MATVIEW:
		rel, err := r.findParts(parts)
		if err != nil || rel == nil || r.ownsSchema(rel.SchemaID) {
			return err
		}
		return r.mustOwn(rel.Kind.Name(), rel.Name, rel.Owner)
	case pg_query.ObjectType_OBJECT_INDEX:
		if schema, name, err := qualified(parts); err == nil {
			if ref, ok := r.findIndex(schema, name); ok && !r.ownsSchema(ref.Table.SchemaID) {
				return r.mustOwn("index", ref.Index.Name, ref.Table.Owner)
			}
		}
		return nil
	case pg_query.ObjectType_OBJECT_TRIGGER, pg_query.ObjectType_OBJECT_POLICY, pg_query.ObjectType_OBJECT_RULE:
		rel, err := r.findParts(parts[:len(parts)-1])
		if err != nil || rel == nil {
			return err
		}
		return r.mustOwn("relation", rel.Name, rel.Owner)
	}
	return r.ownsObject(kind, nil, o)
}

func (r *run) ownsSchema(oid uint32) bool {
	sc := r.snap().SchemaByOID(oid)
	return sc != nil && r.snap().Owns(r.owner(), sc.Owner)
}

func (r *run) findParts(parts []string) (*catalog.Relation, error) {
	schema, name, err := qualified(parts)
	if err != nil {
		return nil, err
	}
	return r.find(&pg_query.RangeVar{Schemaname: schema, Relname: name, Location: -1})
}

func nameParts(rv *pg_query.RangeVar) []string {
	if rv.Schemaname != "" {
		return []string{rv.Schemaname, rv.Relname}
	}
	return []string{rv.Relname}
}

func (r *run) ownsRelation(rv *pg_query.RangeVar) error {
	rel, err := r.find(rv)
	if err != nil {
		return err
	}
	if rel == nil {
		if ref, ok := r.findIndex(rv.Schemaname, rv.Relname); ok {
			return r.mustOwn("index", ref.Index.Name, ref.Table.Owner)
		}
		return nil
	}
	return r.mustOwn(rel.Kind.Name(), rel.Name, rel.Owner)
}

func (r *run) ownsType(parts []string) error {
	t, err := r.userType(parts)
	if err != nil {
		return nil
	}
	return r.mustOwn("type", t.Name, r.typeOwner(t))
}

func (r *run) ownsFunction(o *pg_query.ObjectWithArgs) error {
	found, _, err := r.findFunctions(o)
	if err != nil || len(found) != 1 {
		return nil
	}
	what := "function"
	if found[0].Kind == 'p' {
		what = "procedure"
	}
	return r.mustOwn(what, strings.Join(names(o.Objname), "."), found[0].Owner)
}
