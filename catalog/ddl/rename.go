package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
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

// renamedSequence puts a sequence's new name into the defaults that draw from it.
func (r *run) renamedSequence(old, renamed *catalog.Relation) {
	for rel := range r.before.EachRelation {
		if rel = r.snap().RelationByOID(rel.OID); rel == nil {
			continue
		}
		var n *catalog.Relation
		for i, c := range rel.Columns {
			if c.Dropped || c.OwnedSequence != renamed.OID && !strings.Contains(c.Default, old.Name) || !strings.HasPrefix(c.Default, "nextval(") {
				continue
			}
			for _, was := range []string{quote(old.Name), quote(old.Schema) + "." + quote(old.Name)} {
				if c.Default == "nextval("+literal(was)+"::regclass)" {
					if n == nil {
						n = rel.Clone()
					}
					setColumn(n, int16(i+1), func(c *catalog.Column) { c.Default = r.nextvalText(renamed) })
				}
			}
		}
		if n != nil {
			r.ch.PutRelation(n)
		}
	}
}

// onlyName reports whether the relation's name qualifies nothing but its columns in a query, and the new name means nothing
// there: not so in SELECT foo.a FROM foo, (SELECT 1 AS a) AS bar when foo becomes bar.
func onlyName(query *pg_query.Node, rel *catalog.Relation, name string) bool {
	only := true
	sql.Walk(query, func(rv *pg_query.RangeVar) bool {
		if rv.Alias == nil && rv.Relname == name || rv.Alias == nil && rv.Relname == rel.Name && rv.Schemaname != rel.Schema {
			only = false
		}
		return true
	})
	sql.Walk(query, func(a *pg_query.Alias) bool {
		only = only && a.Aliasname != name && a.Aliasname != rel.Name
		return true
	})
	sql.Walk(query, func(c *pg_query.CommonTableExpr) bool {
		only = only && c.Ctename != name && c.Ctename != rel.Name
		return true
	})
	sql.Walk(query, func(ref *pg_query.ColumnRef) bool {
		first := ref.Fields[0].GetString_().GetSval()
		only = only && first != name && (first != rel.Name || len(ref.Fields) == 2)
		return true
	})
	sql.Walk(query, func(l *pg_query.LockingClause) bool {
		only = only && len(l.LockedRels) == 0
		return true
	})
	return only
}

func renameQualifier(query *pg_query.Node, from, to string) {
	sql.Walk(query, func(ref *pg_query.ColumnRef) bool {
		if s := ref.Fields[0].GetString_(); s.GetSval() == from {
			s.Sval = to
		}
		return true
	})
}

// renamedInViews puts a relation's new name into the definitions of the views over it.
func (r *run) renamedInViews(old, renamed *catalog.Relation) error {
	for _, oid := range slices.Clone(r.snap().ViewsOf(renamed.OID)) {
		view := r.snap().RelationByOID(oid)
		stmts, err := sql.Parse(view.View)
		if err != nil {
			return err
		}
		plain := onlyName(stmts[0].Node, old, renamed.Name)
		if plain {
			renameQualifier(stmts[0].Node, old.Name, renamed.Name)
		}
		sql.Walk(stmts[0].Node, func(rv *pg_query.RangeVar) bool {
			if rv.Schemaname != old.Schema || rv.Relname != old.Name {
				return false
			}
			if rv.Alias == nil && old.Name != renamed.Name && !plain {
				rv.Alias = &pg_query.Alias{Aliasname: old.Name}
			}
			rv.Schemaname, rv.Relname = renamed.Schema, renamed.Name
			return false
		})
		text, err := deparseStmt(stmts[0].Node)
		if err != nil {
			return err
		}
		n := view.Clone()
		n.View = text
		r.ch.PutRelation(n)
	}
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

// renamedColumn renames a column in an expression's text. The text stays as it is apart from the name: references are
// found by their positions.
func renamedColumn(text, from, to string) string {
	n, err := sql.ParseExpr(text)
	if err != nil {
		return text
	}
	const prefix = len("SELECT ")
	var at []int
	sql.Walk(n, func(m *pg_query.Node) bool {
		if ref := m.GetColumnRef(); ref != nil && len(ref.Fields) == 1 && ref.Fields[0].GetString_().GetSval() == from {
			at = append(at, int(ref.Location)-prefix)
		}
		return true
	})
	slices.Sort(at)
	for i := len(at) - 1; i >= 0; i-- {
		end := at[i]
		if end < 0 || end >= len(text) {
			continue
		}
		if text[end] == '"' {
			for end++; end < len(text) && (text[end] != '"' || end+1 < len(text) && text[end+1] == '"'); end++ {
				if text[end] == '"' {
					end++
				}
			}
			end++
		} else {
			for end < len(text) && (text[end] == '_' || text[end] == '$' || text[end] >= '0' && text[end] <= '9' || text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z' || text[end] >= 0x80) {
				end++
			}
		}
		text = text[:at[i]] + quote(to) + text[min(end, len(text)):]
	}
	return text
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

// setSchema is ALTER ... SET SCHEMA.
func (r *run) setSchema(n *pg_query.AlterObjectSchemaStmt) (string, error) {
	tag := "ALTER " + objectTypeName(n.ObjectType)
	sc := r.snap().SchemaByName(n.Newschema)
	noSchema := pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", n.Newschema)
	switch n.ObjectType {
	case pg_query.ObjectType_OBJECT_TABLE, pg_query.ObjectType_OBJECT_VIEW, pg_query.ObjectType_OBJECT_SEQUENCE, pg_query.ObjectType_OBJECT_MATVIEW:
		rel, err := r.findToAlter(n.Relation, n.MissingOk)
		if rel == nil {
			return tag, err
		}
		if sc == nil {
			return "", noSchema
		}
		if rel.Kind == catalog.KindSequence && rel.Sequence.OwnedBy != 0 {
			owner := r.snap().RelationByOID(rel.Sequence.OwnedBy)
			return "", pgerr.New(pgerr.FeatureNotSupported, "cannot move an owned sequence into another schema").
				WithDetail("Sequence \"%s\" is linked to table \"%s\".", rel.Name, owner.Name)
		}
		return tag, r.moveRelation(rel, sc)
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		t, err := r.userType(names(n.Object.GetList().GetItems()))
		if err != nil {
			return "", err
		}
		if sc == nil {
			return "", noSchema
		}
		if r.snap().TypeInSchema(sc.OID, t.Name) != nil {
			return "", pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists in schema \"%s\"", t.Name, sc.Name)
		}
		if rel := r.snap().RelationByOID(t.RelOID); t.RelOID != 0 && rel != nil {
			return tag, r.moveRelation(rel, sc)
		}
		c := *t
		c.Schema = sc.Name
		info := r.snap().TypeInfo(t.OID)
		info.SchemaID = sc.OID
		r.ch.PutType(&c, info)
		r.renamedType(t, &c)
		return tag, nil
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE:
		f, err := r.userFunction(n.Object.GetObjectWithArgs(), "function")
		if err != nil {
			return "", err
		}
		if sc == nil {
			return "", noSchema
		}
		c := *f
		c.Schema, c.SchemaID = sc.Name, sc.OID
		r.ch.PutFunction(&c)
		return tag, nil
	case pg_query.ObjectType_OBJECT_COLLATION:
		c, err := r.ownCollation(n.Object)
		if err != nil {
			return "", err
		}
		if sc == nil {
			return "", noSchema
		}
		c.SchemaID = sc.OID
		return tag, r.placeCollation(c)
	case pg_query.ObjectType_OBJECT_EXTENSION:
		return tag, r.setExtensionSchema(n.Object.GetString_().GetSval(), n.Newschema)
	}
	return "", pgerr.Unsupported(tag + " SET SCHEMA")
}

func (r *run) moveRelation(rel *catalog.Relation, sc *catalog.Schema) error {
	if rel.SchemaID == sc.OID {
		return nil
	}
	if isSystem(rel) {
		return systemError(rel)
	}
	if r.snap().ClassNameTaken(sc.OID, rel.Name) {
		return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists in schema \"%s\"", rel.Name, sc.Name)
	}
	old := *rel
	n := rel.Clone()
	n.Schema, n.SchemaID, n.Inferred = sc.Name, sc.OID, false
	r.ch.PutRelation(n)
	if rel.Kind == catalog.KindSequence {
		r.renamedSequence(&old, n)
	}
	for _, s := range r.ownedSequences(rel.OID, 0) {
		seq := r.snap().RelationByOID(s)
		was := *seq
		m := seq.Clone()
		m.Schema, m.SchemaID = sc.Name, sc.OID
		r.ch.PutRelation(m)
		r.renamedSequence(&was, m)
	}
	return r.renamedInViews(&old, n)
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

// alterOwner is ALTER ... OWNER TO.
func (r *run) alterOwner(n *pg_query.AlterOwnerStmt) (string, error) {
	tag := "ALTER " + objectTypeName(n.ObjectType)
	owner, err := r.role(n.Newowner)
	if err != nil {
		return "", err
	}
	switch n.ObjectType {
	case pg_query.ObjectType_OBJECT_SCHEMA:
		name := n.Object.GetString_().GetSval()
		sc := r.snap().SchemaByName(name)
		if sc == nil {
			return "", pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name)
		}
		if err := r.mayOwn(owner, nil); err != nil {
			return "", err
		}
		c := *sc
		c.Owner, c.ACL = owner.OID, sc.ACL.Reowned(sc.Owner, owner.OID)
		r.ch.PutSchema(&c)
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		t, err := r.userType(names(n.Object.GetList().GetItems()))
		if err != nil {
			return "", err
		}
		info := r.snap().TypeInfo(t.OID)
		if err := r.mayOwn(owner, r.snap().SchemaByOID(info.SchemaID)); err != nil {
			return "", err
		}
		info.Owner, info.ACL = owner.OID, info.ACL.Reowned(info.Owner, owner.OID)
		r.ch.PutType(t, info)
	case pg_query.ObjectType_OBJECT_COLLATION:
		c, err := r.ownCollation(n.Object)
		if err != nil {
			return "", err
		}
		if err := r.mayOwn(owner, r.snap().SchemaByOID(c.SchemaID)); err != nil {
			return "", err
		}
		c.Owner = owner.OID
		r.ch.PutCollation(c)
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE, pg_query.ObjectType_OBJECT_AGGREGATE:
		f, err := r.userFunction(n.Object.GetObjectWithArgs(), "function")
		if err != nil {
			return "", err
		}
		if err := r.mayOwn(owner, r.snap().SchemaByOID(f.SchemaID)); err != nil {
			return "", err
		}
		c := *f
		c.Owner, c.ACL = owner.OID, f.ACL.Reowned(f.Owner, owner.OID)
		r.ch.PutFunction(&c)
	case pg_query.ObjectType_OBJECT_DATABASE:
		d, err := r.database(n.Object.GetString_().GetSval())
		if err != nil {
			return "", err
		}
		if err := r.mustOwn("database", d.Name, d.Owner); err != nil {
			return "", err
		}
		if err := r.mayOwn(owner, nil); err != nil {
			return "", err
		}
		d.ACL = d.ACL.Reowned(d.Owner, owner.OID)
		d.Owner = owner.OID
		r.ch.PutDatabase(d)
	default:
		return "", pgerr.Unsupported(tag + " OWNER TO")
	}
	return tag, nil
}

// changeOwner is ALTER TABLE ... OWNER TO.
func (r *run) changeOwner(rel *catalog.Relation, spec *pg_query.RoleSpec) error {
	owner, err := r.role(spec)
	if err != nil {
		return err
	}
	if err := r.mayOwn(owner, r.snap().SchemaByOID(rel.SchemaID)); err != nil {
		return err
	}
	r.reown(rel, owner.OID)
	return nil
}

// reown gives a relation, with the sequences of its columns and its row type, another owner.
func (r *run) reown(rel *catalog.Relation, owner uint32) {
	from := rel.OwnerOID()
	c := rel.Clone()
	c.Owner, c.ACL = owner, rel.ACL.Reowned(from, owner)
	for _, col := range rel.Live() {
		if col.ACL != nil {
			setColumn(c, col.Attnum, func(x *catalog.Column) { x.ACL = col.ACL.Reowned(from, owner) })
		}
	}
	r.ch.PutRelation(c)
	if info := r.snap().TypeInfo(c.RowType); info.Owner != owner && c.RowType != 0 {
		info.Owner = owner
		r.ch.PutType(r.snap().TypeByOID(c.RowType), info)
	}
	for _, s := range r.ownedSequences(rel.OID, 0) {
		if seq := r.snap().RelationByOID(s); seq != nil && seq.OwnerOID() != owner {
			r.reown(seq, owner)
		}
	}
}

// renamedInDefinitions puts a relation with a renamed column into the catalogue, and the column's new name into the
// definitions of the views that use it. An output column of a query inside a view keeps its name.
func (r *run) renamedInDefinitions(old, renamed *catalog.Relation, col *catalog.Column) error {
	type definition struct {
		view *catalog.Relation
		tree *pg_query.Node
	}
	var changed []definition
	name := renamed.ByAttnum(col.Attnum).Name
	for _, oid := range slices.Clone(r.snap().ViewsOf(old.OID)) {
		view := r.snap().RelationByOID(oid)
		if !viewUses(view, old.OID, col.Attnum) {
			continue
		}
		stmts, err := sql.Parse(view.View)
		if err != nil {
			return err
		}
		v, err := r.c.Exprs.View(r.ctx, r.snap(), stmts[0].Node.GetSelectStmt())
		if err != nil {
			return unplaced(err)
		}
		at := map[int32]bool{}
		for _, u := range v.References {
			if u.Relation != old.OID || u.Attnum != col.Attnum {
				continue
			}
			if u.Loc < 0 {
				return pgerr.Unsupported("renaming a column that view " + quote(view.Name) + " joins by")
			}
			at[u.Loc] = true
		}
		sql.Walk(stmts[0].Node, func(n *pg_query.Node) bool {
			if t := n.GetResTarget(); t != nil && t.Name == "" && at[t.Val.GetColumnRef().GetLocation()] && t.Val.GetColumnRef() != nil {
				t.Name = col.Name
			}
			if ref := n.GetColumnRef(); ref != nil && at[ref.Location] {
				ref.Fields[len(ref.Fields)-1] = stringNode(name)
			}
			return true
		})
		changed = append(changed, definition{view, stmts[0].Node})
	}
	r.ch.PutRelation(renamed)
	for _, d := range changed {
		n := d.view.Clone()
		var err error
		if n.View, err = deparseStmt(d.tree); err != nil {
			return err
		}
		r.ch.PutRelation(n)
	}
	return nil
}
