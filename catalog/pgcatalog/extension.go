package pgcatalog

import (
	"context"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// extensionTable returns the rows that installed extensions bring to a catalogue, from the dump of its name. What the dump
// lacks is the schema, in the column namespace, the owner, and zeros.
func extensionTable(name, namespace, owner string) func(context.Context, *catalog.View, *catalog.Key, func([]types.Datum) error) error {
	return func(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
		rel := v.Snapshot.Relation([]string{"pg_catalog"}, "pg_catalog", "pg_"+name)
		f := newCells("ext_" + name)
		for _, e := range v.Snapshot.Extensions() {
			for _, cells := range f.Rows {
				if cells[0] != e.Name {
					continue
				}
				row := make([]types.Datum, len(rel.Columns))
				for i, c := range rel.Columns {
					switch p, ok := f.has(c.Name); {
					case ok:
						row[i] = parseCell(c.Type, cells[p])
					case c.Name == namespace:
						row[i] = oid(e.SchemaID)
					case c.Name == owner:
						row[i] = oid(catalog.BootstrapRole)
					case c.NotNull:
						row[i] = zero(c.Type)
					}
				}
				if err := yield(row); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// castTable fills pg_cast with the casts that are not built in.
func castTable(ctx context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	for _, c := range v.Snapshot.Casts() {
		if c.OID >= catalog.FirstExtensionOID {
			continue // with its extension, below
		}
		row := []types.Datum{oid(c.OID), oid(c.Source.OID), oid(c.Target.OID), oid(c.Function), types.Str(string(c.Context)), types.Str(string(c.Method))}
		if err := yield(row); err != nil {
			return err
		}
	}
	return extensionTable("cast", "", "")(ctx, v, key, yield)
}

// extensionTypeIO are the support functions of the extensions' types, by the types' OIDs.
var extensionTypeIO = sync.OnceValue(func() map[uint32][6]uint32 {
	m := map[uint32][6]uint32{}
	f := newCells("ext_type")
	for _, row := range f.Rows {
		c := f.row(row)
		m[c.oid("oid")] = [6]uint32{c.oid("typinput"), c.oid("typoutput"), c.oid("typreceive"), c.oid("typsend"), c.oid("typmodin"), c.oid("typmodout")}
	}
	return m
})

// extensionDependencies says of each object of an extension that it is a member.
func extensionDependencies(s *catalog.Snapshot) []dependency {
	classes := []struct {
		name string
		oid  uint32
	}{{"type", typeCatalog}, {"proc", procCatalog}, {"operator", 2617}, {"cast", 2605}, {"opclass", 2616}, {"opfamily", 2753}, {"am", 2601}}
	var out []dependency
	for _, e := range s.Extensions() {
		if e.Name != "plpgsql" {
			out = append(out, dependency{extensionCatalog, e.OID, 0, namespaceCatalog, e.SchemaID, 0, 'n'})
		}
		for _, class := range classes {
			f := newCells("ext_" + class.name)
			for _, row := range f.Rows {
				if row[0] == e.Name {
					out = append(out, dependency{class.oid, f.row(row).oid("oid"), 0, extensionCatalog, e.OID, 0, 'e'})
				}
			}
		}
	}
	return out
}
