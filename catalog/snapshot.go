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

	schemas    map[uint32]*Schema
	schemaName map[string]*Schema
	relations  map[uint32]*Relation
	relName    map[nameKey]*Relation
	indexes    map[uint32]IndexRef
	indexName  map[nameKey]IndexRef
	constraint map[uint32]ConstraintRef
	types      map[uint32]*types.T
	typeName   map[nameKey]*types.T
	functions  map[uint32]*Function
	funcName   map[nameKey][]*Function
	roles      map[uint32]*Role
	roleName   map[string]*Role
	extensions map[string]*Extension
	// refs lists, for each relation, the foreign keys of other tables that refer to it.
	refs map[uint32][]ConstraintRef
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

// SchemaByName returns the schema, or nil.
func (s *Snapshot) SchemaByName(name string) *Schema { return s.schemaName[name] }

// SchemaByOID returns the schema, or nil.
func (s *Snapshot) SchemaByOID(oid uint32) *Schema { return s.schemas[oid] }

// RelationByOID returns the table, view, sequence or composite type, or nil. Indexes are found by IndexByOID.
func (s *Snapshot) RelationByOID(oid uint32) *Relation { return s.relations[oid] }

// RelationIn returns the relation of that name in one schema, or nil.
func (s *Snapshot) RelationIn(schema, name string) *Relation {
	sc := s.schemaName[schema]
	if sc == nil {
		return nil
	}
	return s.relName[nameKey{sc.OID, name}]
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
	r, ok := s.indexes[oid]
	return r, ok
}

// IndexIn returns the index of that name in one schema.
func (s *Snapshot) IndexIn(schema, name string) (IndexRef, bool) {
	sc := s.schemaName[schema]
	if sc == nil {
		return IndexRef{}, false
	}
	r, ok := s.indexName[nameKey{sc.OID, name}]
	return r, ok
}

// ConstraintByOID returns a constraint and its table.
func (s *Snapshot) ConstraintByOID(oid uint32) (ConstraintRef, bool) {
	r, ok := s.constraint[oid]
	return r, ok
}

// ReferencedBy returns the foreign keys that refer to a relation.
func (s *Snapshot) ReferencedBy(rel uint32) []ConstraintRef { return s.refs[rel] }

// TypeByOID returns a built-in type or one of the database's own, or nil.
func (s *Snapshot) TypeByOID(oid uint32) *types.T {
	if t := types.ByOID(oid); t != nil {
		return t
	}
	return s.types[oid]
}

// TypeIn returns the type of that name in one schema, or nil.
func (s *Snapshot) TypeIn(schema, name string) *types.T {
	if schema == "pg_catalog" {
		return types.ByName(name)
	}
	sc := s.schemaName[schema]
	if sc == nil {
		return nil
	}
	return s.typeName[nameKey{sc.OID, name}]
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
func (s *Snapshot) FunctionByOID(oid uint32) *Function { return s.functions[oid] }

// FunctionsIn returns the user-defined functions of that name in one schema.
func (s *Snapshot) FunctionsIn(schema, name string) []*Function {
	sc := s.schemaName[schema]
	if sc == nil {
		return nil
	}
	return s.funcName[nameKey{sc.OID, name}]
}

// RoleByName returns the role, or nil.
func (s *Snapshot) RoleByName(name string) *Role { return s.roleName[name] }

// RoleByOID returns the role, or nil.
func (s *Snapshot) RoleByOID(oid uint32) *Role { return s.roles[oid] }

// ExtensionByName returns the installed extension, or nil.
func (s *Snapshot) ExtensionByName(name string) *Extension { return s.extensions[name] }
