package ddl

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

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
