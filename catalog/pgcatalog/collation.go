package pgcatalog

import (
	"context"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// collationRows are the rows of pg_collation of the collations that CREATE COLLATION made.
func collationRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	for _, c := range v.Snapshot.Collations() {
		encoding := -1
		if c.Encoded {
			encoding = 6 // UTF8
		}
		collate, ctype, locale := types.Null, types.Null, types.Null
		if c.Provider == 'i' {
			locale = text(c.Locale)
		} else {
			collate, ctype = text(c.Collate), text(c.Ctype)
		}
		row := []types.Datum{
			oid(c.OID), text(c.Name), oid(c.SchemaID), oid(owner(c.Owner)), char(c.Provider), types.Bool(c.Deterministic), num(encoding),
			collate, ctype, locale, types.Null,
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// collationName prints a collation's name, qualified where the search path demands it; false when there is none.
func (c scope) collationName(o uint32) (string, bool) {
	x := c.s.CollationByOID(o)
	switch {
	case x == nil:
		return "", false
	case c.s.Collation(c.path, "", x.Name) == x:
		return quote(x.Name), true
	}
	return qualified(c.s.SchemaByOID(x.SchemaID).Name, x.Name), true
}
