package expr

import (
	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Resolver finds functions, operators, types and casts by PostgreSQL's rules (manual, chapter 10), under one snapshot and
// search path.
type Resolver struct {
	Snapshot *catalog.Snapshot
	// Path is the effective search path, pg_catalog included.
	Path  []string
	Procs *Procs
	// IO is used to convert unknown literals.
	IO *types.IO
	// SetParam is told the type of a parameter that was unknown until a coercion fixed it; it returns 42P08 when another
	// type was fixed before. nil means that parameters have fixed types.
	SetParam func(n int, t *types.T) error
	// BindDefault binds the SQL text of a user-defined function's default argument; nil allows only plain literals.
	BindDefault func(text string) (Expr, error)
	// BindCheck binds the SQL text of a domain's CHECK over VALUE, which it makes a CaseArg of the domain's base type; nil
	// refuses domains that have checks.
	BindCheck func(base *types.T, text string) (Expr, error)

	// MayUse checks that a schema which is named may be looked into; nil allows all.
	MayUse func(schema string) error

	// Routines are the user-defined functions that were resolved so far.
	Routines []*catalog.Function

	// LargeObjects says that a function of large objects was resolved.
	LargeObjects bool

	users     map[*catalog.Function]*Proc
	operators map[*catalog.Operator]*Operator
}

// Context is how freely a coercion may choose a cast.
type Context uint8

// The coercion contexts.
const (
	Implicit Context = iota
	Assignment
	Explicit
)

// Loc returns the byte position in the statement that an expression starts at, -1 when it is not known.
func Loc(e Expr) int32 {
	switch e := e.(type) {
	case *Const:
		return e.Loc
	case *Call:
		if e.Op != "" && len(e.Args) == 2 {
			if l := Loc(e.Args[0]); l >= 0 {
				return l
			}
		}
		return e.Loc
	case *IOCast:
		return e.Loc
	case *Relabel:
		return Loc(e.X)
	case *Collate:
		return Loc(e.X)
	}
	return -1
}

// typeIn finds a type in one schema, nil if there is none.
func (r *Resolver) typeIn(schema, name string) *types.T {
	if schema == "pg_catalog" {
		return types.ByName(name)
	}
	if r.Snapshot != nil {
		if t := r.Snapshot.TypeIn(schema, name); t != nil {
			return t
		}
	}
	if schema == "information_schema" {
		for _, t := range types.All() {
			if t.Schema == schema && t.Name == name {
				return t
			}
		}
	}
	return nil
}

// schemaExists reports whether a schema of that name exists.
func (r *Resolver) schemaExists(name string) bool {
	return name == "pg_catalog" || name == "information_schema" || r.Snapshot != nil && r.Snapshot.SchemaByName(name) != nil
}

// schemas returns where to look for a name: the one schema it was qualified with, or the search path.
func (r *Resolver) schemas(schema string) ([]string, error) {
	if schema == "" {
		for _, s := range r.Path {
			if s == "pg_catalog" {
				return r.Path, nil
			}
		}
		return append([]string{"pg_catalog"}, r.Path...), nil
	}
	if schema == "pg_temp" {
		schema = catalog.TempSchema(r.Path)
	}
	if r.MayUse != nil {
		if err := r.MayUse(schema); err != nil {
			return nil, err
		}
	}
	if !r.schemaExists(schema) {
		return nil, pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", schema)
	}
	return []string{schema}, nil
}

// TypeByOID finds a built-in type or one of the database's own; nil if there is none.
func (r *Resolver) TypeByOID(oid uint32) *types.T {
	if r.Snapshot != nil {
		return r.Snapshot.TypeByOID(oid)
	}
	return types.ByOID(oid)
}

// ArrayOf returns the array type of elem, nil if it has none.
func (r *Resolver) ArrayOf(elem *types.T) *types.T { return types.ArrayOf(r, elem) }
