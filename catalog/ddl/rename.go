package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// rename is ALTER ... RENAME.
func (r *run) rename(n *pg_query.RenameStmt) (string, error) {
	tag := "ALTER " + objectTypeName(n.RenameType)
	name := catalog.CutName(n.Newname)
	switch n.RenameType {
	case pg_query.ObjectType_OBJECT_TABLE, pg_query.ObjectType_OBJECT_VIEW, pg_query.ObjectType_OBJECT_SEQUENCE,
		pg_query.ObjectType_OBJECT_INDEX, pg_query.ObjectType_OBJECT_MATVIEW:
		return tag, r.renameRelation(n, name)
	case pg_query.ObjectType_OBJECT_COLUMN, pg_query.ObjectType_OBJECT_ATTRIBUTE:
		tag = "ALTER " + objectTypeName(n.RelationType)
		return tag, r.renameColumn(n, name)
	case pg_query.ObjectType_OBJECT_TABCONSTRAINT:
		return "ALTER TABLE", r.renameConstraint(n, name)
	case pg_query.ObjectType_OBJECT_SCHEMA:
		return tag, r.renameSchema(n.Subname, name)
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		return tag, r.renameType(names(n.Object.GetList().GetItems()), name)
	case pg_query.ObjectType_OBJECT_DOMCONSTRAINT:
		return "ALTER DOMAIN", r.renameDomainConstraint(n, name)
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE:
		return tag, r.renameFunction(n.Object.GetObjectWithArgs(), name)
	case pg_query.ObjectType_OBJECT_COLLATION:
		c, err := r.ownCollation(n.Object)
		if err != nil {
			return "", err
		}
		c.Name = name
		return tag, r.placeCollation(c)
	case pg_query.ObjectType_OBJECT_ROLE:
		return tag, r.renameRole(n.Subname, name)
	case pg_query.ObjectType_OBJECT_DATABASE:
		return tag, r.renameDatabase(n.Subname, name)
	case pg_query.ObjectType_OBJECT_TRIGGER:
		return tag, r.renameTrigger(n, name)
	}
	return "", pgerr.Unsupported(tag + " RENAME")
}

// renameRelation renames a table, view, sequence or index. The collection keeps its name: sessions that run statements
// planned before must find it.
func (r *run) renameRelation(n *pg_query.RenameStmt, name string) error {
	rel, err := r.find(n.Relation)
	if err != nil {
		return err
	}
	if rel == nil {
		if ref, ok := r.findIndex(n.Relation.Schemaname, n.Relation.Relname); ok {
			return r.renameIndex(ref, name)
		}
		if n.MissingOk {
			r.notice(pgerr.SuccessfulCompletion, "relation \"%s\" does not exist, skipping", n.Relation.Relname)
			return nil
		}
		return noRelation(n.Relation)
	}
	if isSystem(rel) {
		return systemError(rel)
	}
	if want := renameKind(n.RenameType); want != "table" && want != rel.Kind.Name() {
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not %s", rel.Name, article(want))
	}
	if rel.Name == name || r.snap().ClassNameTaken(rel.SchemaID, name) {
		return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", name)
	}
	if t := r.snap().TypeInSchema(rel.SchemaID, name); t != nil && rel.RowType != 0 && !t.IsArray() {
		return pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", name)
	}
	old := *rel
	c := rel.Clone()
	c.Name, c.Inferred = name, false
	r.ch.PutRelation(c)
	if rel.Kind == catalog.KindSequence {
		r.renamedSequence(&old, c)
	}
	return r.renamedInViews(&old, c)
}

func renameKind(t pg_query.ObjectType) string { return strings.ToLower(objectTypeName(t)) }

func article(kind string) string {
	if kind == "index" {
		return "an index"
	}
	return "a " + kind
}

func (r *run) renameIndex(ref catalog.IndexRef, name string) error {
	if isSystem(ref.Table) {
		return systemError(ref.Table)
	}
	if r.snap().ClassNameTaken(ref.Table.SchemaID, name) {
		return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", name)
	}
	rel := ref.Table.Clone()
	idx := *ref.Index
	idx.Name = name
	replaceIndex(rel, &idx)
	for _, c := range rel.Constraints {
		if c.Index == idx.OID && c.Type != catalog.ConForeign {
			n := *c
			n.Name = name
			replaceConstraint(rel, &n)
		}
	}
	r.ch.PutRelation(rel)
	return nil
}

// renameColumn renames a column; its field in the documents keeps its name.
func (r *run) renameColumn(n *pg_query.RenameStmt, name string) error {
	rel, err := r.findToAlter(n.Relation, n.MissingOk)
	if rel == nil {
		return err
	}
	if isSystem(rel) {
		return systemError(rel)
	}
	col := rel.Column(n.Subname)
	if col == nil {
		return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", n.Subname)
	}
	if slices.Contains(systemColumns, name) {
		return pgerr.New(pgerr.DuplicateColumn, "column name \"%s\" conflicts with a system column name", name)
	}
	if rel.Column(name) != nil {
		return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists", name, rel.Name)
	}
	if rel.Kind == catalog.KindTable && r.rowTypeUnused(rel) != nil {
		return pgerr.Unsupported("renaming a column of a table whose row type is the type of a column")
	}
	c := rel.Clone()
	c.Inferred = false
	setColumn(c, col.Attnum, func(x *catalog.Column) { x.Name = name })
	views := func() error { return r.renamedInDefinitions(rel, c, col) }
	if r.c.Exprs == nil {
		views = func() error { return nil }
	}
	if c.Kind == catalog.KindView {
		return views()
	}
	rewrite := func(text string) string { return renamedColumn(text, n.Subname, name) }
	for i, x := range c.Columns {
		if x.Generated != 0 {
			setColumn(c, int16(i+1), func(x *catalog.Column) { x.Default = rewrite(x.Default) })
		}
	}
	for _, con := range c.Constraints {
		if con.Check != "" {
			k := *con
			k.Check = rewrite(k.Check)
			replaceConstraint(c, &k)
		}
	}
	for _, idx := range c.Indexes {
		k := *idx
		k.Keys = slices.Clone(idx.Keys)
		if k.Where != "" {
			k.Where = rewrite(k.Where)
		}
		for i := range k.Keys {
			if k.Keys[i].Expr != "" {
				k.Keys[i].Expr = rewrite(k.Keys[i].Expr)
			}
		}
		replaceIndex(c, &k)
	}
	if err := views(); err != nil {
		return err
	}
	for _, oid := range c.Children {
		child := r.snap().RelationByOID(oid)
		m := &pg_query.RenameStmt{
			RenameType: n.RenameType, RelationType: n.RelationType, Subname: n.Subname, Newname: n.Newname,
			Relation: &pg_query.RangeVar{Schemaname: child.Schema, Relname: child.Name, Inh: true, Location: -1},
		}
		if err := r.renameColumn(m, name); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) renameConstraint(n *pg_query.RenameStmt, name string) error {
	rel, err := r.findToAlter(n.Relation, n.MissingOk)
	if rel == nil {
		return err
	}
	for _, con := range rel.Constraints {
		if con.Name != n.Subname {
			continue
		}
		if con.Type == catalog.ConPrimary || con.Type == catalog.ConUnique {
			ref, _ := r.snap().IndexByOID(con.Index)
			return r.renameIndex(ref, name)
		}
		if hasConstraint(rel, name) {
			return pgerr.New(pgerr.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", name, rel.Name)
		}
		c := rel.Clone()
		k := *con
		k.Name = name
		replaceConstraint(c, &k)
		r.ch.PutRelation(c)
		return nil
	}
	return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" for table \"%s\" does not exist", n.Subname, rel.Name)
}

func (r *run) renameSchema(from, to string) error {
	sc := r.snap().SchemaByName(from)
	if sc == nil {
		return pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", from)
	}
	if r.snap().SchemaByName(to) != nil {
		return pgerr.New(pgerr.DuplicateSchema, "schema \"%s\" already exists", to)
	}
	if strings.HasPrefix(to, "pg_") {
		return pgerr.New(pgerr.ReservedName, "unacceptable schema name \"%s\"", to).WithDetail("The prefix \"pg_\" is reserved for system schemas.")
	}
	n := *sc
	n.Name = to
	r.ch.PutSchema(&n)
	for rel := range r.before.EachRelation {
		if rel.SchemaID != sc.OID {
			continue
		}
		now := r.snap().RelationByOID(rel.OID)
		if rel.Kind == catalog.KindSequence {
			r.renamedSequence(rel, now)
		}
		if err := r.renamedInViews(rel, now); err != nil {
			return err
		}
	}
	for _, t := range r.before.Types() {
		if now := r.snap().TypeByOID(t.OID); !t.IsArray() && now != nil && r.before.TypeInfo(t.OID).SchemaID == sc.OID {
			r.renamedType(t, now)
		}
	}
	return nil
}

func (r *run) renameTrigger(n *pg_query.RenameStmt, name string) error {
	rel, err := r.relation(n.Relation)
	if err != nil {
		return err
	}
	c := rel.Clone()
	c.Triggers = slices.Clone(c.Triggers)
	for i, t := range c.Triggers {
		if t.Name == n.Subname {
			k := *t
			k.Name = name
			c.Triggers[i] = &k
			r.ch.PutRelation(c)
			return nil
		}
	}
	return pgerr.New(pgerr.UndefinedObject, "trigger \"%s\" for table \"%s\" does not exist", n.Subname, rel.Name)
}

// userType finds one of the database's own types by name.
func (r *run) userType(parts []string) (*types.T, error) {
	schema, name, err := qualified(parts)
	if err != nil {
		return nil, err
	}
	t := r.snap().Type(r.c.Path, r.tempSchema(schema), name)
	if t == nil {
		return nil, pgerr.New(pgerr.UndefinedObject, "type \"%s\" does not exist", strings.Join(parts, "."))
	}
	if types.ByOID(t.OID) != nil {
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "must be owner of type %s", t.Name)
	}
	return t, nil
}

func (r *run) renameType(parts []string, name string) error {
	t, err := r.userType(parts)
	if err != nil {
		return err
	}
	info := r.snap().TypeInfo(t.OID)
	if r.snap().TypeInSchema(info.SchemaID, name) != nil {
		return pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", name)
	}
	if rel := r.snap().RelationByOID(t.RelOID); t.RelOID != 0 && rel != nil {
		if rel.Kind != catalog.KindComposite {
			return pgerr.New(pgerr.WrongObjectType, "%s is a table's row type", r.typeText(t)).WithHint("Use ALTER TABLE instead.")
		}
		n := rel.Clone()
		n.Name = name
		r.ch.PutRelation(n)
		r.renamedType(t, r.snap().TypeByOID(t.OID))
		return nil
	}
	n := *t
	n.Name = name
	r.ch.PutType(&n, info)
	r.renamedType(t, &n)
	return nil
}
