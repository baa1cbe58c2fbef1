package catalog

import (
	"github.com/pgmongo/pgmongo/types"
)

// Well-known OIDs of PostgreSQL.
const (
	PgCatalogOID   uint32 = 11
	PublicOID      uint32 = 2200
	BootstrapRole  uint32 = 10    // the role "postgres"
	FirstNormalOID uint32 = 16384 // FirstNormalObjectId
)

// Snapshot is everything that exists in one database at one version. It is immutable: a statement keeps the one it was
// parsed with, and DDL makes another one (see Change). The maps are indexes, so that a lookup costs the same with ten
// tables and with ten thousand.
type Snapshot struct {
	Version  int64
	Database string
	DBOID    uint32

	// Stored is the version of the stored catalogue that the snapshot shows or is about to become; Version counts what this
	// process has seen, inferred tables too.
	Stored int64
	// NextOID is the next free OID for an object of this database.
	NextOID uint32

	sys         *System
	schemas     pmap[uint32, *Schema]
	schemaName  pmap[string, *Schema]
	relations   pmap[uint32, *Relation]
	relName     pmap[nameKey, *Relation]
	indexes     pmap[uint32, IndexRef]
	indexName   pmap[nameKey, IndexRef]
	constraint  pmap[uint32, ConstraintRef]
	types       pmap[uint32, *types.T]
	typeName    pmap[nameKey, *types.T]
	functions   pmap[uint32, *Function]
	funcName    pmap[nameKey, []*Function]
	roles       pmap[uint32, *Role]
	roleName    pmap[string, *Role]
	databases   pmap[uint32, *Database]
	defaults    pmap[uint32, *DefaultPrivileges]
	collations  pmap[uint32, *Collation]
	extensions  pmap[string, *Extension]
	operators   pmap[string, []*Operator]
	operatorOID pmap[uint32, *Operator]
	casts       pmap[castKey, *Cast]
	classes     pmap[string, []*OpClass] // by index method
	// members names the extension of each object that belongs to one.
	members pmap[uint32, string]
	// refs lists, for each relation, the foreign keys of other tables (and its own) that refer to it.
	refs pmap[uint32, []ConstraintRef]
	// viewsOf lists, for each relation, the views whose definitions read it.
	viewsOf pmap[uint32, []uint32]
	typeDoc pmap[uint32, TypeInfo]
	// conName counts the constraints of a name in a schema.
	conName pmap[nameKey, int]
	touched map[Object]struct{}

	sorted *sortedLists
}

type nameKey struct {
	schema uint32
	name   string
}

// IndexRef is an index with its table.
type IndexRef struct {
	Index *Index
	Table *Relation
}

// ConstraintRef is a constraint with its table.
type ConstraintRef struct {
	Constraint *Constraint
	Table      *Relation
}

// Column returns the live column of that name, or nil.
func (r *Relation) Column(name string) *Column {
	if r.byName != nil {
		return r.byName[name]
	}
	for _, c := range r.Columns {
		if !c.Dropped && c.Name == name {
			return c
		}
	}
	return nil
}

// ByAttnum returns the column with that attnum (dropped ones too), or nil for system columns and out of range.
func (r *Relation) ByAttnum(n int16) *Column {
	if n < 1 || int(n) > len(r.Columns) {
		return nil
	}
	return r.Columns[n-1]
}

// Live returns the columns that are not dropped, in attnum order.
func (r *Relation) Live() []*Column {
	live := make([]*Column, 0, len(r.Columns))
	for _, c := range r.Columns {
		if !c.Dropped {
			live = append(live, c)
		}
	}
	return live
}

// PrimaryKey returns the primary key constraint, or nil.
func (r *Relation) PrimaryKey() *Constraint {
	for _, c := range r.Constraints {
		if c.Type == ConPrimary {
			return c
		}
	}
	return nil
}

// Index returns the table's index with that OID, or nil.
func (r *Relation) Index(oid uint32) *Index {
	for _, i := range r.Indexes {
		if i.OID == oid {
			return i
		}
	}
	return nil
}

// ConstraintOf returns the constraint of the table that an index serves, or nil. A foreign key is served by an index of
// the table that it refers to.
func (r *Relation) ConstraintOf(ix *Index) *Constraint {
	for _, c := range r.Constraints {
		if c.Index == ix.OID && c.Type != ConForeign {
			return c
		}
	}
	return nil
}

// SchemaByName returns the schema, or nil.
func (s *Snapshot) SchemaByName(name string) *Schema { return s.schemaName.at(name) }

// SchemaByOID returns the schema, or nil.
func (s *Snapshot) SchemaByOID(oid uint32) *Schema { return s.schemas.at(oid) }

// RelationByOID returns the table, view, sequence or composite type, or nil. Indexes are found by IndexByOID.
func (s *Snapshot) RelationByOID(oid uint32) *Relation {
	if r, ok := s.relations.get(oid); ok {
		return r
	}
	return s.sys.relations[oid]
}

// RelationIn returns the relation of that name in one schema, or nil.
func (s *Snapshot) RelationIn(schema, name string) *Relation {
	sc := s.schemaName.at(schema)
	if sc == nil {
		return nil
	}
	if r, ok := s.relName.get(nameKey{sc.OID, name}); ok {
		return r
	}
	return s.sys.relName[nameKey{sc.OID, name}]
}

// Relation returns the relation that an optionally qualified name means under a search path (whose implicit parts,
// pg_catalog and pg_temp, the caller has put in; see SearchPath), or nil.
func (s *Snapshot) Relation(path []string, schema, name string) *Relation {
	if schema != "" {
		return s.RelationIn(schema, name)
	}
	for _, p := range path {
		if r := s.RelationIn(p, name); r != nil {
			return r
		}
	}
	return nil
}

// IndexByOID returns an index and its table.
func (s *Snapshot) IndexByOID(oid uint32) (IndexRef, bool) {
	r, ok := s.indexes.get(oid)
	if !ok {
		r, ok = s.sys.indexes[oid]
	}
	return r, ok
}

// IndexIn returns the index of that name in one schema.
func (s *Snapshot) IndexIn(schema, name string) (IndexRef, bool) {
	sc := s.schemaName.at(schema)
	if sc == nil {
		return IndexRef{}, false
	}
	r, ok := s.indexName.get(nameKey{sc.OID, name})
	if !ok {
		r, ok = s.sys.indexName[nameKey{sc.OID, name}]
	}
	return r, ok
}

// ConstraintByOID returns a constraint and its table.
func (s *Snapshot) ConstraintByOID(oid uint32) (ConstraintRef, bool) {
	r, ok := s.constraint.get(oid)
	return r, ok
}

// ReferencedBy returns the foreign keys that refer to a relation.
func (s *Snapshot) ReferencedBy(rel uint32) []ConstraintRef { return s.refs.at(rel) }

// TypeByOID returns a built-in type or one of the database's own, or nil.
func (s *Snapshot) TypeByOID(oid uint32) *types.T {
	if t := types.ByOID(oid); t != nil {
		return t
	}
	return s.types.at(oid)
}

// TypeIn returns the type of that name in one schema, or nil.
func (s *Snapshot) TypeIn(schema, name string) *types.T {
	if schema == "pg_catalog" {
		return types.ByName(name)
	}
	sc := s.schemaName.at(schema)
	if sc == nil {
		return nil
	}
	if t, ok := s.typeName.get(nameKey{sc.OID, name}); ok {
		return t
	}
	return s.sys.typeName[nameKey{sc.OID, name}]
}

// Type returns the type that an optionally qualified typname means under a search path, or nil.
func (s *Snapshot) Type(path []string, schema, name string) *types.T {
	if schema != "" {
		return s.TypeIn(schema, name)
	}
	for _, p := range path {
		if t := s.TypeIn(p, name); t != nil {
			return t
		}
	}
	return nil
}

// FunctionByOID returns a user-defined function, or nil.
func (s *Snapshot) FunctionByOID(oid uint32) *Function { return s.functions.at(oid) }

// FunctionsIn returns the user-defined functions of that name in one schema.
func (s *Snapshot) FunctionsIn(schema, name string) []*Function {
	sc := s.schemaName.at(schema)
	if sc == nil {
		return nil
	}
	return s.funcName.at(nameKey{sc.OID, name})
}

// RoleByName returns the role, or nil.
func (s *Snapshot) RoleByName(name string) *Role { return s.roleName.at(name) }

// RoleByOID returns the role, or nil.
func (s *Snapshot) RoleByOID(oid uint32) *Role { return s.roles.at(oid) }

// DatabaseByOID returns what DDL has said of a database, or nil: one that nothing was said of is the bootstrap superuser's.
func (s *Snapshot) DatabaseByOID(oid uint32) *Database { return s.databases.at(oid) }

// ExtensionByName returns the installed extension, or nil.
func (s *Snapshot) ExtensionByName(name string) *Extension { return s.extensions.at(name) }
