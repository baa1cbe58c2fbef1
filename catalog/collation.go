package catalog

import (
	"slices"
	"strconv"
	"sync"

	"github.com/pgmongo/pgmongo/types/facts"
)

// Collation is a collation: PostgreSQL's own, or one that CREATE COLLATION made.
type Collation struct {
	OID           uint32
	SchemaID      uint32
	Name          string
	Owner         uint32
	Provider      byte // 'i' for ICU, 'c' for libc, 'd' for the database's default
	Deterministic bool
	// Encoded says that the locale is for UTF-8 only, as those of libc are that are not copied from others.
	Encoded bool
	// Collate and Ctype are libc's locales, Locale is ICU's.
	Collate, Ctype, Locale string
	Comment                string
}

// BuiltIn reports whether the collation is one of PostgreSQL's own.
func (c *Collation) BuiltIn() bool { return c.OID < FirstNormalOID }

// DefaultCollation is the OID of the database's collation.
const DefaultCollation = 100

// builtInCollations are PostgreSQL's collations, by OID and by name: immutable embedded data.
var builtInCollations = sync.OnceValue(func() (out struct {
	byOID  map[uint32]*Collation
	byName map[string]*Collation
},
) {
	out.byOID, out.byName = map[uint32]*Collation{}, map[string]*Collation{}
	f := facts.Load("pg_collation")
	col := func(name string) func([]string) string {
		i := f.Col(name)
		return func(row []string) string {
			if row[i] == `\N` {
				return ""
			}
			return row[i]
		}
	}
	oid, name, provider, det := col("oid"), col("collname"), col("collprovider"), col("collisdeterministic")
	collate, ctype, locale := col("collcollate"), col("collctype"), col("colliculocale")
	for _, r := range f.Rows {
		n, _ := strconv.ParseUint(oid(r), 10, 32)
		c := &Collation{
			OID: uint32(n), SchemaID: PgCatalogOID, Name: name(r), Owner: BootstrapRole, Provider: provider(r)[0], Deterministic: det(r) == "t",
			Collate: collate(r), Ctype: ctype(r), Locale: locale(r),
		}
		out.byOID[c.OID], out.byName[c.Name] = c, c
	}
	return out
})

// CollationByOID returns a collation, nil for none.
func (s *Snapshot) CollationByOID(oid uint32) *Collation {
	if c := builtInCollations().byOID[oid]; c != nil {
		return c
	}
	return s.collations.at(oid)
}

// Collation finds a collation by name: in one schema, or with schema "" in those of the path.
func (s *Snapshot) Collation(path []string, schema, name string) *Collation {
	if schema != "" {
		path = []string{schema}
	}
	for _, p := range path {
		if p == "pg_catalog" {
			if c := builtInCollations().byName[name]; c != nil {
				return c
			}
		}
		if sc := s.schemaName.at(p); sc != nil {
			if c := s.CollationIn(sc.OID, name); c != nil {
				return c
			}
		}
	}
	return nil
}

// CollationIn returns the database's own collation of a name in a schema, nil for none.
func (s *Snapshot) CollationIn(schema uint32, name string) *Collation {
	var out *Collation
	s.collations.each(func(_ uint32, c *Collation) {
		if c.SchemaID == schema && c.Name == name {
			out = c
		}
	})
	return out
}

// Collations returns the collations that CREATE COLLATION made, in OID order.
func (s *Snapshot) Collations() []*Collation {
	var out []*Collation
	s.collations.each(func(_ uint32, c *Collation) { out = append(out, c) })
	slices.SortFunc(out, func(a, b *Collation) int { return int(int64(a.OID) - int64(b.OID)) })
	return out
}

// PutCollation adds or replaces a collation.
func (c *Change) PutCollation(x *Collation) {
	c.touch(ObjCollation, x.OID)
	c.s.collations.set(x.OID, x)
}

// RemoveCollation removes a collation.
func (c *Change) RemoveCollation(oid uint32) {
	c.touch(ObjCollation, oid)
	c.s.collations.remove(oid)
}
