package pgcatalog

import (
	"context"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// initPrivileges are the privileges that the system's objects have from the start, which pg_dump leaves out: those of the
// dump, but for information_schema's relations, whose privileges PostgreSQL does not note.
var initPrivileges = sync.OnceValue(func() [][]types.Datum {
	aclT := types.ByOID(types.ByName("aclitem").ArrayOID)
	row := func(obj, class uint32, sub int, acl string) []types.Datum {
		return []types.Datum{oid(obj), oid(class), num(sub), char('i'), parseArray(aclT, acl)}
	}
	rows := [][]types.Datum{
		row(catalog.PgCatalogOID, namespaceCatalog, 0, "{postgres=UC/postgres,=U/postgres}"),
		row(catalog.PublicOID, namespaceCatalog, 0, "{pg_database_owner=UC/pg_database_owner,=U/pg_database_owner}"),
	}
	f := newCells("pg_class")
	for _, r := range f.Rows {
		c := f.row(r)
		if acl, ok := extra("pg_class", c.str("oid"), "relacl"); ok && c.oid("relnamespace") == catalog.PgCatalogOID {
			rows = append(rows, row(c.oid("oid"), classCatalog, 0, acl))
		}
	}
	f = newCells("pg_proc")
	for _, r := range f.Rows {
		c := f.row(r)
		if acl, ok := extra("pg_proc", c.str("oid"), "proacl"); ok {
			rows = append(rows, row(c.oid("oid"), procCatalog, 0, acl))
		}
	}
	f = newCells("pg_attribute")
	for _, r := range f.Rows {
		c := f.row(r)
		if acl, ok := extra("pg_attribute", c.str("attrelid")+"."+c.str("attnum"), "attacl"); ok {
			sub := parseCell(types.Int4T, c.str("attnum"))
			rows = append(rows, row(c.oid("attrelid"), classCatalog, int(sub.Int()), acl))
		}
	}
	return rows
})

func initPrivilegeRows(_ context.Context, _ *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	for _, r := range initPrivileges() {
		if o, ok := keyOID(key, "objoid"); ok && oidOf(r[0]) != o {
			continue
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}
