package ddl

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

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
