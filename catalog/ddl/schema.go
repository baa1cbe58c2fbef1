package ddl

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// createSchema is CREATE SCHEMA, with the objects that it may hold.
func (r *run) createSchema(n *pg_query.CreateSchemaStmt) error {
	owner := r.owner()
	name := n.Schemaname
	if n.Authrole != nil {
		role, err := r.role(n.Authrole)
		if err != nil {
			return err
		}
		owner = role.OID
		if name == "" {
			name = role.Name
		}
	}
	name = catalog.CutName(name)
	if strings.HasPrefix(name, "pg_") {
		return pgerr.New(pgerr.ReservedName, "unacceptable schema name \"%s\"", name).WithDetail("The prefix \"pg_\" is reserved for system schemas.")
	}
	if r.snap().SchemaByName(name) != nil {
		if n.IfNotExists {
			r.notice(pgerr.DuplicateSchema, "schema \"%s\" already exists, skipping", name)
			return nil
		}
		return pgerr.New(pgerr.DuplicateSchema, "schema \"%s\" already exists", name)
	}
	r.ch.PutSchema(&catalog.Schema{OID: r.ch.NewOID(), Name: name, Owner: owner, ACL: r.newACL(catalog.OnSchema, owner, nil)})
	inner := *r.c
	inner.Creation = name
	inner.Path = append([]string{name}, inner.Path...)
	outer := r.c
	r.c = &inner
	defer func() { r.c = outer }()
	for _, e := range n.SchemaElts {
		if _, err := r.statement(e); err != nil {
			return err
		}
	}
	return nil
}

// comment is COMMENT ON.
func (r *run) comment(n *pg_query.CommentStmt) error {
	switch n.Objtype {
	case pg_query.ObjectType_OBJECT_TABLE, pg_query.ObjectType_OBJECT_VIEW, pg_query.ObjectType_OBJECT_SEQUENCE, pg_query.ObjectType_OBJECT_MATVIEW, pg_query.ObjectType_OBJECT_INDEX:
		return r.commentRelation(n)
	case pg_query.ObjectType_OBJECT_COLUMN:
		parts := names(n.Object.GetList().GetItems())
		rel, err := r.commented(parts[:len(parts)-1])
		if err != nil {
			return err
		}
		col := rel.Column(parts[len(parts)-1])
		if col == nil {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", parts[len(parts)-1], rel.Name)
		}
		c := rel.Clone()
		setColumn(c, col.Attnum, func(x *catalog.Column) { x.Comment = n.Comment })
		r.ch.PutRelation(c)
		return nil
	case pg_query.ObjectType_OBJECT_TABCONSTRAINT, pg_query.ObjectType_OBJECT_TRIGGER:
		return r.commentPart(n)
	case pg_query.ObjectType_OBJECT_SCHEMA:
		name := n.Object.GetString_().GetSval()
		sc := r.snap().SchemaByName(name)
		if sc == nil {
			return pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name)
		}
		c := *sc
		c.Comment = n.Comment
		r.ch.PutSchema(&c)
		return nil
	}
	return r.commentOther(n)
}

func (r *run) commentOther(n *pg_query.CommentStmt) error {
	switch n.Objtype {
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		t, err := r.userType(names(n.Object.GetTypeName().GetNames()))
		if err != nil {
			return err
		}
		if rel := r.snap().RelationByOID(t.RelOID); rel != nil && rel.Kind == catalog.KindComposite {
			c := rel.Clone()
			c.Comment = n.Comment
			r.ch.PutRelation(c)
			return nil
		}
		info := r.snap().TypeInfo(t.OID)
		info.Comment = n.Comment
		r.ch.PutType(t, info)
		return nil
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE, pg_query.ObjectType_OBJECT_AGGREGATE:
		f, err := r.userFunction(n.Object.GetObjectWithArgs(), strings.ToLower(objectTypeName(n.Objtype)))
		if err != nil {
			return err
		}
		c := *f
		c.Comment = n.Comment
		r.ch.PutFunction(&c)
		return nil
	case pg_query.ObjectType_OBJECT_COLLATION:
		c, err := r.ownCollation(n.Object)
		if err != nil {
			return err
		}
		c.Comment = n.Comment
		r.ch.PutCollation(c)
		return nil
	case pg_query.ObjectType_OBJECT_EXTENSION:
		name := n.Object.GetString_().GetSval()
		e := r.snap().ExtensionByName(name)
		if e == nil {
			return pgerr.New(pgerr.UndefinedObject, "extension \"%s\" does not exist", name)
		}
		c := *e
		c.Comment = n.Comment
		r.ch.PutExtension(&c)
		return nil
	case pg_query.ObjectType_OBJECT_ROLE:
		role, err := r.roleByName(n.Object.GetString_().GetSval())
		if err != nil {
			return err
		}
		c := *role
		c.Comment = n.Comment
		r.ch.PutRole(&c)
		return nil
	case pg_query.ObjectType_OBJECT_DATABASE:
		d, err := r.database(n.Object.GetString_().GetSval())
		if err != nil {
			return err
		}
		if err := r.mustOwn("database", d.Name, d.Owner); err != nil {
			return err
		}
		d.Comment = n.Comment
		r.ch.PutDatabase(d)
		return nil
	}
	return pgerr.Unsupported("COMMENT ON " + objectTypeName(n.Objtype))
}

// commented finds a relation by its name's parts.
func (r *run) commented(parts []string) (*catalog.Relation, error) {
	schema, name, err := qualified(parts)
	if err != nil {
		return nil, err
	}
	rel, err := r.relation(&pg_query.RangeVar{Schemaname: schema, Relname: name, Location: -1})
	if err != nil {
		return nil, err
	}
	if isSystem(rel) {
		return nil, systemError(rel)
	}
	return rel, nil
}

func (r *run) commentRelation(n *pg_query.CommentStmt) error {
	parts := names(n.Object.GetList().GetItems())
	schema, name, err := qualified(parts)
	if err != nil {
		return err
	}
	if ref, ok := r.findIndex(schema, name); ok {
		if n.Objtype != pg_query.ObjectType_OBJECT_INDEX {
			return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a %s", name, renameKind(n.Objtype))
		}
		c := ref.Table.Clone()
		idx := *ref.Index
		idx.Comment = n.Comment
		replaceIndex(c, &idx)
		r.ch.PutRelation(c)
		return nil
	}
	rel, err := r.commented(parts)
	if err != nil {
		return err
	}
	if rel.Kind.Name() != renameKind(n.Objtype) {
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not %s", rel.Name, article(renameKind(n.Objtype)))
	}
	c := rel.Clone()
	c.Comment = n.Comment
	r.ch.PutRelation(c)
	return nil
}

// commentPart comments on a constraint or trigger of a table.
func (r *run) commentPart(n *pg_query.CommentStmt) error {
	parts := names(n.Object.GetList().GetItems())
	rel, err := r.commented(parts[:len(parts)-1])
	if err != nil {
		return err
	}
	name := parts[len(parts)-1]
	c := rel.Clone()
	for _, con := range c.Constraints {
		if n.Objtype == pg_query.ObjectType_OBJECT_TABCONSTRAINT && con.Name == name {
			k := *con
			k.Comment = n.Comment
			replaceConstraint(c, &k)
			r.ch.PutRelation(c)
			return nil
		}
	}
	for i, t := range c.Triggers {
		if n.Objtype == pg_query.ObjectType_OBJECT_TRIGGER && t.Name == name {
			k := *t
			k.Comment = n.Comment
			c.Triggers = append([]*catalog.Trigger(nil), c.Triggers...)
			c.Triggers[i] = &k
			r.ch.PutRelation(c)
			return nil
		}
	}
	what := "constraint"
	if n.Objtype == pg_query.ObjectType_OBJECT_TRIGGER {
		what = "trigger"
	}
	return pgerr.New(pgerr.UndefinedObject, "%s \"%s\" for table \"%s\" does not exist", what, name, rel.Name)
}
