package catalog

import (
	"github.com/pgmongo/pgmongo/types"
)

// Well-known schemas besides public and pg_catalog.
const (
	ToastOID      uint32 = 99
	InfoSchemaOID uint32 = 13207
)

// System is the part of a database that never changes: the relations of pg_catalog and information_schema and their
// types. All snapshots share one.
type System struct {
	relations map[uint32]*Relation
	relName   map[nameKey]*Relation
	indexes   map[uint32]IndexRef
	indexName map[nameKey]IndexRef
	typeName  map[nameKey]*types.T
	all       []*Relation
}

// NewSystem builds the system part from the relations of pg_catalog and information_schema, whose SchemaID, Columns and
// Indexes are set. The relations must not be changed afterwards.
func NewSystem(relations []*Relation) *System {
	s := &System{
		relations: make(map[uint32]*Relation, len(relations)), relName: make(map[nameKey]*Relation, len(relations)),
		indexes: map[uint32]IndexRef{}, indexName: map[nameKey]IndexRef{}, typeName: map[nameKey]*types.T{}, all: relations,
	}
	for _, r := range relations {
		if r.SchemaID == 0 {
			r.SchemaID = systemSchemaOID(r.Schema)
		}
		r.index()
		s.relations[r.OID] = r
		s.relName[nameKey{r.SchemaID, r.Name}] = r
		for _, i := range r.Indexes {
			ref := IndexRef{i, r}
			s.indexes[i.OID] = ref
			s.indexName[nameKey{r.SchemaID, i.Name}] = ref
		}
	}
	for _, t := range types.All() {
		s.typeName[nameKey{systemSchemaOID(t.Schema), t.Name}] = t
	}
	return s
}

func systemSchemaOID(name string) uint32 {
	switch name {
	case "information_schema":
		return InfoSchemaOID
	case "pg_toast":
		return ToastOID
	}
	return PgCatalogOID
}

// Relations returns the system relations in the order that NewSystem was given; it must not be changed.
func (s *System) Relations() []*Relation { return s.all }

// New returns the snapshot of an empty database: the system schemas, public, the roles that every cluster has and the
// plpgsql extension. sys may be nil in tests that need no system catalogues.
func New(database string, dboid uint32, sys *System) *Snapshot {
	if sys == nil {
		sys = NewSystem(nil)
	}
	s := &Snapshot{Database: database, DBOID: dboid, NextOID: FirstNormalOID, sys: sys}
	c := s.Change()
	c.PutSchema(&Schema{
		OID: PgCatalogOID, Name: "pg_catalog", Owner: BootstrapRole, Comment: "system catalog schema",
		ACL: systemSchemaACL,
	})
	c.PutSchema(&Schema{OID: ToastOID, Name: "pg_toast", Owner: BootstrapRole, Comment: "reserved schema for TOAST tables"})
	c.PutSchema(&Schema{
		OID: PublicOID, Name: "public", Owner: DatabaseOwnerRole, Comment: "standard public schema",
		ACL: ACL{{DatabaseOwnerRole, DatabaseOwnerRole, Usage | Create, 0}, {Public, DatabaseOwnerRole, Usage, 0}},
	})
	c.PutSchema(&Schema{
		OID: InfoSchemaOID, Name: "information_schema", Owner: BootstrapRole,
		ACL: systemSchemaACL,
	})
	for _, r := range builtinRoles() {
		c.PutRole(r)
	}
	c.PutExtension(&Extension{
		OID: 13559, Name: "plpgsql", Version: "1.0", SchemaID: PgCatalogOID, Comment: "PL/pgSQL procedural language",
	})
	return c.Done()
}

var systemSchemaACL = ACL{{BootstrapRole, BootstrapRole, Usage | Create, 0}, {Public, BootstrapRole, Usage, 0}}

// builtinRoles are the roles that every cluster has from the start.
func builtinRoles() []*Role {
	roles := []*Role{{
		OID: BootstrapRole, Name: "postgres", Super: true, Inherit: true, CreateRole: true, CreateDB: true, Login: true,
		Replication: true, BypassRLS: true, ConnLimit: -1,
	}}
	for _, p := range []struct {
		oid  uint32
		name string
		in   []uint32
	}{
		{3373, "pg_monitor", []uint32{3374, 3375, 3377}},
		{3374, "pg_read_all_settings", nil},
		{3375, "pg_read_all_stats", nil},
		{3377, "pg_stat_scan_tables", nil},
		{4200, "pg_signal_backend", nil},
		{4544, "pg_checkpoint", nil},
		{4569, "pg_read_server_files", nil},
		{4570, "pg_write_server_files", nil},
		{4571, "pg_execute_server_program", nil},
		{DatabaseOwnerRole, "pg_database_owner", nil},
		{readAllData, "pg_read_all_data", nil},
		{writeAllData, "pg_write_all_data", nil},
	} {
		r := &Role{OID: p.oid, Name: p.name, Inherit: true, ConnLimit: -1}
		for _, in := range p.in {
			r.MemberOf = append(r.MemberOf, Membership{Role: in, Grantor: BootstrapRole})
		}
		roles = append(roles, r)
	}
	return roles
}
