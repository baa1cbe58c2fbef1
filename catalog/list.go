package catalog

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types"
)

// MaxName is how many bytes a name may have (NAMEDATALEN - 1).
const MaxName = 63

// CutName cuts a name to MaxName bytes at a character boundary, as PostgreSQL truncates identifiers.
func CutName(name string) string {
	if len(name) <= MaxName {
		return name
	}
	n := MaxName
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n]
}

func (s *Snapshot) lists() *sortedLists {
	if s.sorted == nil {
		return &sortedLists{} // a snapshot under construction: nothing is kept
	}
	return s.sorted
}

// Relations returns the database's own relations (not the system's, see SystemRelations) in OID order; the list must not
// be changed.
func (s *Snapshot) Relations() []*Relation {
	l := s.lists()
	l.once.Do(func() {
		s.relations.each(func(_ uint32, r *Relation) { l.rels = append(l.rels, r) })
		slices.SortFunc(l.rels, func(a, b *Relation) int { return cmp.Compare(a.OID, b.OID) })
	})
	return l.rels
}

// EachRelation calls f for the database's own relations in no order, until f returns false.
func (s *Snapshot) EachRelation(f func(*Relation) bool) {
	on := true
	s.relations.each(func(_ uint32, r *Relation) {
		if on {
			on = f(r)
		}
	})
}

// SystemRelations returns the relations of pg_catalog and information_schema; the list must not be changed.
func (s *Snapshot) SystemRelations() []*Relation { return s.sys.all }

// Types returns the database's own types, row types and array types among them, in OID order; the list must not be
// changed.
func (s *Snapshot) Types() []*types.T {
	l := s.lists()
	l.typesOnce.Do(func() {
		s.types.each(func(_ uint32, t *types.T) { l.ts = append(l.ts, t) })
		slices.SortFunc(l.ts, func(a, b *types.T) int { return cmp.Compare(a.OID, b.OID) })
	})
	return l.ts
}

// TypeInfo returns schema, owner and comment of one of the database's own types.
func (s *Snapshot) TypeInfo(oid uint32) TypeInfo { return s.typeDoc.at(oid) }

// Schemas returns all schemas in OID order; the list must not be changed.
func (s *Snapshot) Schemas() []*Schema { return s.others().schemas }

// Functions returns the user-defined functions in OID order; the list must not be changed.
func (s *Snapshot) Functions() []*Function { return s.others().functions }

// Roles returns all roles in OID order; the list must not be changed.
func (s *Snapshot) Roles() []*Role { return s.others().roles }

// EachDatabase calls f for what DDL has said of databases, in no order.
func (s *Snapshot) EachDatabase(f func(*Database)) {
	s.databases.each(func(_ uint32, d *Database) { f(d) })
}

// Extensions returns the installed extensions by name; the list must not be changed.
func (s *Snapshot) Extensions() []*Extension { return s.others().extensions }

func (s *Snapshot) others() *sortedLists {
	l := s.lists()
	l.otherOnce.Do(func() {
		s.schemas.each(func(_ uint32, x *Schema) { l.schemas = append(l.schemas, x) })
		s.functions.each(func(_ uint32, x *Function) { l.functions = append(l.functions, x) })
		s.roles.each(func(_ uint32, x *Role) { l.roles = append(l.roles, x) })
		s.extensions.each(func(_ string, x *Extension) { l.extensions = append(l.extensions, x) })
		slices.SortFunc(l.schemas, func(a, b *Schema) int { return cmp.Compare(a.OID, b.OID) })
		slices.SortFunc(l.functions, func(a, b *Function) int { return cmp.Compare(a.OID, b.OID) })
		slices.SortFunc(l.roles, func(a, b *Role) int { return cmp.Compare(a.OID, b.OID) })
		slices.SortFunc(l.extensions, func(a, b *Extension) int { return cmp.Compare(a.Name, b.Name) })
	})
	return l
}

// ViewsOf returns the OIDs of the views whose definitions read a relation.
func (s *Snapshot) ViewsOf(rel uint32) []uint32 { return s.viewsOf.at(rel) }

// ClassNameTaken reports whether a relation or an index of that name exists in a schema: they share one name space.
func (s *Snapshot) ClassNameTaken(schema uint32, name string) bool {
	k := nameKey{schema, name}
	if _, ok := s.relName.get(k); ok {
		return true
	}
	if _, ok := s.indexName.get(k); ok {
		return true
	}
	if _, ok := s.sys.relName[k]; ok {
		return true
	}
	_, ok := s.sys.indexName[k]
	return ok
}

// ConstraintNameTaken reports whether a constraint of that name exists in a schema.
func (s *Snapshot) ConstraintNameTaken(schema uint32, name string) bool {
	return s.conName.at(nameKey{schema, name}) > 0
}

// TypeInSchema returns the type of that name in the schema with that OID, or nil.
func (s *Snapshot) TypeInSchema(schema uint32, name string) *types.T {
	k := nameKey{schema, name}
	if t, ok := s.typeName.get(k); ok {
		return t
	}
	return s.sys.typeName[k]
}

// SearchPath makes the effective search path from the setting's names: "$user" becomes the user's name, schemas that do
// not exist are left out, and pg_catalog and the session's temporary schema ("" for none) come first unless they are
// named.
func (s *Snapshot) SearchPath(names []string, user, temp string) []string {
	role := s.RoleID(user)
	path := make([]string, 0, len(names)+2)
	hasCatalog, hasTemp := false, temp == ""
	for _, n := range names {
		switch n {
		case "$user":
			n = user
		case "pg_temp":
			n = temp
		}
		if n == "" || slices.Contains(path, n) || !s.searchable(n, role) {
			continue
		}
		hasCatalog = hasCatalog || n == "pg_catalog"
		hasTemp = hasTemp || n == temp
		path = append(path, n)
	}
	if !hasCatalog {
		path = slices.Insert(path, 0, "pg_catalog")
	}
	if !hasTemp && s.schemaName.at(temp) != nil {
		path = slices.Insert(path, 0, temp)
	}
	return path
}

// searchable reports whether a schema exists and the role may use it: others are passed over in a search path.
func (s *Snapshot) searchable(name string, role uint32) bool {
	sc := s.schemaName.at(name)
	return sc != nil && (s.Superuser(role) || s.SchemaRights(sc, role, Usage, false) != 0)
}

// CreationSchema returns the name of the schema that unqualified new objects go to, "" when the setting's names hold none
// that exists.
func (s *Snapshot) CreationSchema(names []string, user, temp string) string {
	role := s.RoleID(user)
	for _, n := range names {
		switch n {
		case "$user":
			n = user
		case "pg_temp":
			n = temp
		}
		if n != "" && s.searchable(n, role) {
			return n
		}
	}
	return ""
}

// TempSchema returns the name of the session's temporary schema, which the search path names if it exists; otherwise
// pg_temp, which is no schema's name.
func TempSchema(path []string) string {
	for _, p := range path {
		if IsTemp(p) {
			return p
		}
	}
	return "pg_temp"
}

// IsTemp reports whether a schema is some session's temporary schema.
func IsTemp(schema string) bool {
	return strings.HasPrefix(schema, "pg_temp_") || strings.HasPrefix(schema, "pg_toast_temp_")
}
