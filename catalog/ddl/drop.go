package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// drop is every DROP of objects inside a database.
func (r *run) drop(n *pg_query.DropStmt) (string, error) {
	tag := "DROP " + objectTypeName(n.RemoveType)
	var targets []object
	for _, o := range n.Objects {
		found, err := r.dropTarget(n, o)
		if err != nil {
			return "", err
		}
		for _, t := range found {
			if !slices.Contains(targets, t) {
				targets = append(targets, t)
			}
		}
	}
	if len(targets) == 0 {
		return tag, nil
	}
	if err := r.checkMembers(targets); err != nil {
		return "", err
	}
	return tag, r.dropObjects(targets, n.Behavior)
}

// objectTypeName names an object type as in DROP and its tag.
func objectTypeName(t pg_query.ObjectType) string {
	name := strings.TrimPrefix(t.String(), "OBJECT_")
	switch name {
	case "MATVIEW":
		return "MATERIALIZED VIEW"
	case "FOREIGN_TABLE":
		return "FOREIGN TABLE"
	case "TABCONSTRAINT", "DOMCONSTRAINT":
		return "CONSTRAINT"
	case "EVENT_TRIGGER":
		return "EVENT TRIGGER"
	case "ACCESS_METHOD":
		return "ACCESS METHOD"
	case "STATISTIC_EXT":
		return "STATISTICS"
	case "OPCLASS":
		return "OPERATOR CLASS"
	case "OPFAMILY":
		return "OPERATOR FAMILY"
	}
	return name
}

// dropTarget finds one object to drop; none when it is missing and that is allowed.
func (r *run) dropTarget(n *pg_query.DropStmt, o *pg_query.Node) ([]object, error) {
	switch n.RemoveType {
	case pg_query.ObjectType_OBJECT_TABLE, pg_query.ObjectType_OBJECT_VIEW, pg_query.ObjectType_OBJECT_SEQUENCE, pg_query.ObjectType_OBJECT_MATVIEW:
		return r.dropRelation(n, names(o.GetList().GetItems()))
	case pg_query.ObjectType_OBJECT_INDEX:
		return r.dropIndexTarget(n, names(o.GetList().GetItems()))
	case pg_query.ObjectType_OBJECT_SCHEMA:
		return r.dropSchema(n, o.GetString_().GetSval())
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		return r.dropType(n, o.GetTypeName())
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE, pg_query.ObjectType_OBJECT_AGGREGATE:
		return r.dropFunction(n, o.GetObjectWithArgs())
	case pg_query.ObjectType_OBJECT_CAST:
		return r.dropCast(n, o.GetList().GetItems())
	case pg_query.ObjectType_OBJECT_EXTENSION:
		return r.dropExtension(n, o.GetString_().GetSval())
	case pg_query.ObjectType_OBJECT_COLLATION:
		return r.dropCollation(n, names(o.GetList().GetItems()))
	case pg_query.ObjectType_OBJECT_TRIGGER:
		return r.dropTrigger(n, names(o.GetList().GetItems()))
	}
	if n.MissingOk {
		parts := names(o.GetList().GetItems())
		if s := o.GetString_(); s != nil {
			parts = []string{s.Sval}
		}
		if len(parts) > 0 {
			r.notice(pgerr.SuccessfulCompletion, "%s \"%s\" does not exist, skipping", strings.ToLower(objectTypeName(n.RemoveType)), parts[len(parts)-1])
			return nil, nil
		}
	}
	return nil, pgerr.Unsupported("DROP " + objectTypeName(n.RemoveType))
}

// missing reports an object that DROP did not find: a notice with IF EXISTS, else the error.
func (r *run) missing(n *pg_query.DropStmt, code pgerr.Code, format string, args ...any) ([]object, error) {
	if n.MissingOk {
		r.notice(pgerr.SuccessfulCompletion, format+", skipping", args...)
		return nil, nil
	}
	return nil, pgerr.New(code, format, args...)
}

// missingSchema handles a qualifying schema that does not exist.
func (r *run) missingSchema(n *pg_query.DropStmt, schema string) (bool, error) {
	if schema == "" || r.snap().SchemaByName(r.tempSchema(schema)) != nil {
		return false, nil
	}
	_, err := r.missing(n, pgerr.InvalidSchemaName, "schema \"%s\" does not exist", schema)
	return true, err
}

func (r *run) dropRelation(n *pg_query.DropStmt, parts []string) ([]object, error) {
	schema, name, err := qualified(parts)
	if err != nil {
		return nil, err
	}
	if gone, err := r.missingSchema(n, schema); gone {
		return nil, err
	}
	what := strings.ToLower(objectTypeName(n.RemoveType))
	rel := r.snap().Relation(r.c.Path, r.tempSchema(schema), name)
	if rel == nil || rel.Kind == catalog.KindComposite {
		if ref, ok := r.findIndex(schema, name); ok {
			return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a %s", ref.Index.Name, what).WithHint("Use DROP INDEX to remove an index.")
		}
		return r.missing(n, pgerr.UndefinedTable, "%s \"%s\" does not exist", what, strings.Join(parts, "."))
	}
	if isSystem(rel) {
		return nil, systemError(rel)
	}
	if rel.Kind.Name() != what {
		article := "a"
		return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a %s", rel.Name, what).
			WithHint("Use DROP %s to remove %s %s.", strings.ToUpper(rel.Kind.Name()), article, rel.Kind.Name())
	}
	if len(rel.Unwind) > 0 && rel.Inferred {
		return nil, pgerr.Unsupported("dropping the elements of an array")
	}
	if rel.Kind == catalog.KindSequence && rel.Sequence.Identity {
		if owner := r.snap().RelationByOID(rel.Sequence.OwnedBy); owner != nil {
			col := r.describe(object{objColumn, owner.OID, uint32(rel.Sequence.OwnedAttnum)})
			return nil, pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop sequence %s because %s requires it", r.qualify(rel.Schema, rel.Name), col).
				WithHint("You can drop %s instead.", col)
		}
	}
	return []object{{kind: objRelation, oid: rel.OID}}, nil
}

func (r *run) dropIndexTarget(n *pg_query.DropStmt, parts []string) ([]object, error) {
	schema, name, err := qualified(parts)
	if err != nil {
		return nil, err
	}
	if gone, err := r.missingSchema(n, schema); gone {
		return nil, err
	}
	ref, ok := r.findIndex(schema, name)
	if !ok {
		if rel := r.snap().Relation(r.c.Path, schema, name); rel != nil {
			return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not an index", rel.Name).
				WithHint("Use DROP %s to remove a %s.", strings.ToUpper(rel.Kind.Name()), rel.Kind.Name())
		}
		return r.missing(n, pgerr.UndefinedObject, "index \"%s\" does not exist", strings.Join(parts, "."))
	}
	if isSystem(ref.Table) {
		return nil, systemError(ref.Table)
	}
	for _, c := range ref.Table.Constraints {
		if c.Index == ref.Index.OID && c.Type != catalog.ConForeign {
			con := r.describe(object{objConstraint, ref.Table.OID, c.OID})
			return nil, pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop index %s because %s requires it", r.qualify(ref.Table.Schema, ref.Index.Name), con).
				WithHint("You can drop %s instead.", con)
		}
	}
	return []object{{objIndex, ref.Table.OID, ref.Index.OID}}, nil
}

func (r *run) dropSchema(n *pg_query.DropStmt, name string) ([]object, error) {
	sc := r.snap().SchemaByName(r.tempSchema(name))
	if sc == nil {
		return r.missing(n, pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name)
	}
	if sc.OID == catalog.PgCatalogOID || sc.OID == catalog.ToastOID || sc.OID == catalog.InfoSchemaOID {
		return nil, pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop schema %s because it is required by the database system", sc.Name)
	}
	return []object{{kind: objSchema, oid: sc.OID}}, nil
}

func (r *run) dropType(n *pg_query.DropStmt, tn *pg_query.TypeName) ([]object, error) {
	parts := names(tn.Names)
	schema, name, err := qualified(parts)
	if err != nil {
		return nil, err
	}
	if gone, err := r.missingSchema(n, schema); gone {
		return nil, err
	}
	t := r.snap().Type(r.c.Path, r.tempSchema(schema), name)
	if t == nil {
		return r.missing(n, pgerr.UndefinedObject, "type \"%s\" does not exist", strings.Join(parts, "."))
	}
	if n.RemoveType == pg_query.ObjectType_OBJECT_DOMAIN && t.Kind != 'd' {
		return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a domain", strings.Join(parts, "."))
	}
	if types.ByOID(t.OID) != nil {
		return nil, pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop type %s because it is required by the database system", types.FormatType(t, -1))
	}
	if rel := r.snap().RelationByOID(t.RelOID); t.RelOID != 0 && rel != nil && rel.Kind != catalog.KindComposite {
		kind := rel.Kind.Name()
		return nil, pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop type %s because %s %s requires it", r.typeText(t), kind, r.qualify(rel.Schema, rel.Name)).
			WithHint("You can drop %s %s instead.", kind, r.qualify(rel.Schema, rel.Name))
	}
	if t.IsArray() {
		return nil, pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop type %s because type %s requires it", r.typeText(t), r.typeText(t.Elem)).
			WithHint("You can drop type %s instead.", r.typeText(t.Elem))
	}
	o := object{kind: objType, oid: t.OID}
	return []object{o}, r.requiredByRange(o)
}

func (r *run) dropTrigger(n *pg_query.DropStmt, parts []string) ([]object, error) {
	trigger := parts[len(parts)-1]
	rv := &pg_query.RangeVar{Relname: parts[len(parts)-2], Location: -1}
	if len(parts) > 2 {
		rv.Schemaname = parts[len(parts)-3]
	}
	rel, err := r.find(rv)
	if err != nil {
		return nil, err
	}
	if rel == nil {
		return r.missing(n, pgerr.UndefinedTable, "relation \"%s\" does not exist", rangeName(rv))
	}
	for _, t := range rel.Triggers {
		if t.Name == trigger {
			return []object{{objTrigger, rel.OID, t.OID}}, nil
		}
	}
	if n.MissingOk {
		return r.missing(n, pgerr.UndefinedObject, "trigger \"%s\" for relation \"%s\" does not exist", trigger, rel.Name)
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "trigger \"%s\" for table \"%s\" does not exist", trigger, rel.Name)
}

// Truncated lists the tables that TRUNCATE empties, those that it cascades to last.
func Truncated(c *Context, n *pg_query.TruncateStmt) ([]*catalog.Relation, error) {
	r := &run{c: c, before: c.Snapshot, ch: c.Snapshot.Change()}
	if err := r.authorize(&pg_query.Node{Node: &pg_query.Node_TruncateStmt{TruncateStmt: n}}); err != nil {
		return nil, err
	}
	return r.truncated(n)
}

func (r *run) truncated(n *pg_query.TruncateStmt) ([]*catalog.Relation, error) {
	var rels []*catalog.Relation
	for _, o := range n.Relations {
		rel, err := r.table(o.GetRangeVar())
		if err != nil {
			return nil, err
		}
		list := []*catalog.Relation{rel}
		if o.GetRangeVar().Inh {
			list = r.snap().Inheritors(rel)
		} else if rel.Kind == catalog.KindPartitioned {
			return nil, pgerr.New(pgerr.WrongObjectType, "cannot truncate only a partitioned table").
				WithHint("Do not specify the ONLY keyword, or use TRUNCATE ONLY on the partitions directly.")
		}
		for _, rel := range list {
			if !slices.Contains(rels, rel) {
				rels = append(rels, rel)
			}
		}
	}
	for i := 0; i < len(rels); i++ {
		if len(rels[i].Unwind) > 0 {
			return nil, pgerr.Unsupported("truncating the elements of an array")
		}
		if rels[i].ReadOnly {
			return nil, pgerr.New(pgerr.WrongObjectType, "cannot truncate \"%s\": it is a view or time series of MongoDB", rels[i].Name)
		}
		for _, ref := range r.snap().ReferencedBy(rels[i].OID) {
			if slices.ContainsFunc(rels, func(x *catalog.Relation) bool { return x.OID == ref.Table.OID }) {
				continue
			}
			if n.Behavior != pg_query.DropBehavior_DROP_CASCADE {
				if i < len(n.Relations) && r.laterListed(n, ref.Table) {
					continue
				}
				return nil, pgerr.New(pgerr.FeatureNotSupported, "cannot truncate a table referenced in a foreign key constraint").
					WithDetail("Table \"%s\" references \"%s\".", ref.Table.Name, rels[i].Name).
					WithHint("Truncate table \"%s\" at the same time, or use TRUNCATE ... CASCADE.", ref.Table.Name)
			}
			r.notice(pgerr.SuccessfulCompletion, "truncate cascades to table \"%s\"", ref.Table.Name)
			rels = append(rels, ref.Table)
		}
	}
	return rels, nil
}

// truncate is TRUNCATE.
func (r *run) truncate(n *pg_query.TruncateStmt) error {
	rels, err := r.truncated(n)
	if err != nil {
		return err
	}
	for _, rel := range rels {
		if rel.Kind == catalog.KindTable {
			r.do(Truncate{rel})
		}
		if n.RestartSeqs {
			for _, s := range r.ownedSequences(rel.OID, 0) {
				seq := r.snap().RelationByOID(s)
				r.do(ResetSequence{seq, seq.Sequence.Start})
			}
		}
	}
	return nil
}

func (r *run) laterListed(n *pg_query.TruncateStmt, rel *catalog.Relation) bool {
	for _, o := range n.Relations {
		if x, err := r.find(o.GetRangeVar()); err == nil && x != nil && x.OID == rel.OID {
			return true
		}
	}
	return false
}
