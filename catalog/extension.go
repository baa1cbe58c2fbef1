package catalog

// Extension is an installed extension.
type Extension struct {
	OID           uint32
	Name, Version string
	SchemaID      uint32
	Comment       string
}

// AvailableExtensions returns the extensions that CREATE EXTENSION knows, with their versions in PostgreSQL 15, by name.
func AvailableExtensions() []Extension {
	return []Extension{
		{Name: "btree_gin", Version: "1.3", Comment: "support for indexing common datatypes in GIN"},
		{Name: "btree_gist", Version: "1.7", Comment: "support for indexing common datatypes in GiST"},
		{Name: "citext", Version: "1.6", Comment: "data type for case-insensitive character strings"},
		{Name: "hstore", Version: "1.8", Comment: "data type for storing sets of (key, value) pairs"},
		{Name: "pg_trgm", Version: "1.6", Comment: "text similarity measurement and index searching based on trigrams"},
		{Name: "pgcrypto", Version: "1.3", Comment: "cryptographic functions"},
		{Name: "plpgsql", Version: "1.0", Comment: "PL/pgSQL procedural language"},
		{Name: "unaccent", Version: "1.1", Comment: "text search dictionary that removes accents"},
		{Name: "uuid-ossp", Version: "1.1", Comment: "generate universally unique identifiers (UUIDs)"},
	}
}
