package ddl

import (
	"cmp"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// object is something that can be dropped.
type object struct {
	kind objectKind
	// oid is the object's own, or its relation's for columns, defaults, constraints and triggers.
	oid uint32
	// sub is the attnum of a column or default, or the OID of a constraint, index or trigger.
	sub uint32
}

type objectKind byte

const (
	objSchema objectKind = iota
	objRelation
	objColumn
	objDefault
	objConstraint
	objIndex
	objTrigger
	objType
	objFunction
	objExtension
	objCollation
	objCast
)

// dependent is an object that depends on another: silently gone with it (auto), or in its way.
type dependent struct {
	object
	auto bool
	// on describes what it depends on, when that is not the object itself (an array type, an index).
	on string
}

// dropObjects removes objects with what depends on them, or refuses with 2BP01.
func (r *run) dropObjects(targets []object, behavior pg_query.DropBehavior) error {
	seen := map[object]bool{}
	for _, t := range targets {
		seen[t] = true
	}
	type line struct{ name, on string }
	var order []object
	var lines []line
	var collect func(o object, onName string)
	collect = func(o object, onName string) {
		order = append(order, o)
		// All direct dependents are marked before any is followed: what depends on o in two ways is named as depending on o.
		var found []dependent
		for _, d := range r.dependents(o) {
			if !seen[d.object] && !r.covered(d.object, seen) {
				seen[d.object] = true
				found = append(found, d)
			}
		}
		for _, d := range found {
			if !d.auto {
				on := d.on
				if on == "" {
					on = onName
				}
				lines = append(lines, line{r.describe(d.object), on})
			}
			collect(d.object, r.describe(d.object))
		}
	}
	for _, t := range targets {
		collect(t, r.describe(t))
	}
	if len(lines) > 0 && behavior != pg_query.DropBehavior_DROP_CASCADE {
		detail := make([]string, 0, len(lines))
		for _, l := range lines {
			detail = append(detail, l.name+" depends on "+l.on)
		}
		what := "desired object(s)"
		them := "them"
		if len(targets) == 1 {
			what, them = r.describe(targets[0]), "it"
		}
		return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because other objects depend on %s", what, them).
			WithDetail("%s", capLines(detail)).WithHint("Use DROP ... CASCADE to drop the dependent objects too.")
	}
	switch len(lines) {
	case 0:
	case 1:
		r.notice(pgerr.SuccessfulCompletion, "drop cascades to %s", lines[0].name)
	default:
		detail := make([]string, 0, len(lines))
		for _, l := range lines {
			detail = append(detail, "drop cascades to "+l.name)
		}
		r.notices = append(r.notices, pgerr.New(pgerr.SuccessfulCompletion, "drop cascades to %d other objects", len(lines)).
			WithSeverity("NOTICE").WithDetail("%s", capLines(detail)))
	}
	for i := len(order) - 1; i >= 0; i-- {
		r.remove(order[i])
	}
	return nil
}

// capLines joins at most 100 lines, as PostgreSQL reports to clients.
func capLines(lines []string) string {
	const most = 100
	if len(lines) <= most {
		return strings.Join(lines, "\n")
	}
	rest := len(lines) - most
	noun := "objects"
	if rest == 1 {
		noun = "object"
	}
	return strings.Join(lines[:most], "\n") + "\nand " + itoa(rest) + " other " + noun + " (see server log for list)"
}

// covered reports whether an object goes anyway because what it is part of is dropped: a constraint or column of a table
// that is a target.
func (r *run) covered(o object, seen map[object]bool) bool {
	switch o.kind {
	case objColumn, objDefault, objConstraint, objIndex, objTrigger:
		return seen[object{kind: objRelation, oid: o.oid}] || seen[object{kind: objColumn, oid: o.oid, sub: o.sub}] && o.kind == objDefault
	}
	return false
}

// dependents lists what depends on an object directly, in the order of creation.
func (r *run) dependents(o object) []dependent {
	var out []dependent
	switch o.kind {
	case objSchema:
		out = r.schemaContents(o.oid)
	case objRelation:
		out = r.relationDependents(o.oid)
	case objColumn:
		out = r.columnDependents(o.oid, int16(o.sub))
	case objConstraint:
		out = r.constraintDependents(o)
	case objType:
		return r.typeDependents(o.oid)
	case objFunction:
		out = r.functionDependents(o.oid)
	case objExtension:
		out = r.extensionDependents(o.oid)
	case objCollation:
		out = r.collationDependents(o.oid)
	}
	slices.SortStableFunc(out, func(a, b dependent) int { return cmp.Compare(a.id(), b.id()) })
	return out
}

// id orders objects by their creation.
func (o object) id() uint32 {
	if o.kind == objConstraint || o.kind == objIndex || o.kind == objTrigger {
		return o.sub
	}
	return o.oid
}

// qualify writes a name of a schema, qualified unless the schema is on the search path.
func (r *run) qualify(schema, name string) string {
	if slices.Contains(r.c.Path, schema) {
		return quote(name)
	}
	return quote(schema) + "." + quote(name)
}

func (r *run) typeText(t *types.T) string {
	if t.IsArray() {
		return r.typeText(t.Elem) + "[]"
	}
	if t.Schema == "pg_catalog" {
		return types.FormatType(t, -1)
	}
	return r.qualify(t.Schema, t.Name)
}

// describe names an object as PostgreSQL's messages do.
func (r *run) describe(o object) string {
	s := r.snap()
	relName := func() string {
		rel := s.RelationByOID(o.oid)
		return rel.Kind.Name() + " " + r.qualify(rel.Schema, rel.Name)
	}
	switch o.kind {
	case objSchema:
		return "schema " + quote(s.SchemaByOID(o.oid).Name)
	case objRelation:
		return relName()
	case objColumn:
		return "column " + quote(s.RelationByOID(o.oid).ByAttnum(int16(o.sub)).Name) + " of " + relName()
	case objDefault:
		return "default value for column " + quote(s.RelationByOID(o.oid).ByAttnum(int16(o.sub)).Name) + " of " + relName()
	case objConstraint:
		if ref, ok := s.ConstraintByOID(o.sub); ok {
			return "constraint " + quote(ref.Constraint.Name) + " on " + relName()
		}
	case objIndex:
		if ref, ok := s.IndexByOID(o.sub); ok {
			return "index " + r.qualify(ref.Table.Schema, ref.Index.Name)
		}
	case objTrigger:
		for _, t := range s.RelationByOID(o.oid).Triggers {
			if t.OID == o.sub {
				return "trigger " + quote(t.Name) + " on " + relName()
			}
		}
	case objType:
		return "type " + r.typeText(s.TypeByOID(o.oid))
	case objFunction:
		return "function " + r.functionText(s.FunctionByOID(o.oid))
	case objCollation:
		if c := s.CollationByOID(o.oid); c != nil {
			return "collation " + r.qualify(s.SchemaByOID(c.SchemaID).Name, c.Name)
		}
	case objCast:
		if c := s.CastByOID(o.oid); c != nil {
			return "cast from " + r.typeText(s.TypeByOID(c.Source.OID)) + " to " + r.typeText(s.TypeByOID(c.Target.OID))
		}
	case objExtension:
		if e := r.extensionByOID(o.oid); e != nil {
			return "extension " + e.Name
		}
	}
	return "object"
}

// functionText is a function's name with its input argument types.
func (r *run) functionText(f *catalog.Function) string {
	return r.qualify(f.Schema, f.Name) + "(" + strings.Join(r.argTexts(inputArgs(f)), ",") + ")"
}

func (r *run) argTexts(ts []*types.T) []string {
	out := make([]string, 0, len(ts))
	for _, t := range ts {
		out = append(out, r.typeText(t))
	}
	return out
}

// inputArgs are the types of a function's input arguments: what it is identified by.
func inputArgs(f *catalog.Function) []*types.T {
	var out []*types.T
	for _, a := range f.Args {
		if a.Mode != 'o' && a.Mode != 't' {
			out = append(out, a.Type)
		}
	}
	return out
}

// remove takes one object out of the catalogue and leaves MongoDB's part as work.
func (r *run) remove(o object) {
	s := r.snap()
	rel := s.RelationByOID(o.oid)
	switch o.kind {
	case objSchema:
		r.ch.RemoveSchema(o.oid)
		return
	case objRelation:
		r.removeRelation(rel)
		return
	case objType:
		if t := s.TypeByOID(o.oid); t != nil && t.RelOID != 0 {
			r.ch.RemoveRelation(t.RelOID)
			return
		}
		r.ch.RemoveType(o.oid)
		return
	case objFunction:
		r.ch.RemoveFunction(o.oid)
		return
	case objCollation:
		r.ch.RemoveCollation(o.oid)
		return
	case objCast:
		if c := s.CastByOID(o.oid); c != nil {
			r.ch.RemoveCast(c)
		}
		return
	case objExtension:
		if e := r.extensionByOID(o.oid); e != nil {
			r.ch.RemoveExtension(e.Name)
		}
		return
	}
	if rel == nil {
		return
	}
	n := rel.Clone()
	switch o.kind {
	case objColumn:
		r.removeColumn(n, int16(o.sub))
	case objDefault:
		setColumn(n, int16(o.sub), func(c *catalog.Column) { c.Default = "" })
	case objConstraint:
		ref, ok := s.ConstraintByOID(o.sub)
		if !ok {
			return
		}
		n.Constraints = slices.DeleteFunc(n.Constraints, func(c *catalog.Constraint) bool { return c.OID == o.sub })
		if ref.Constraint.Type != catalog.ConForeign && ref.Constraint.Index != 0 {
			r.removeIndex(n, ref.Constraint.Index)
		}
	case objIndex:
		r.removeIndex(n, o.sub)
	case objTrigger:
		n.Triggers = slices.DeleteFunc(slices.Clone(n.Triggers), func(t *catalog.Trigger) bool { return t.OID == o.sub })
	}
	r.ch.PutRelation(n)
}

func (r *run) removeRelation(rel *catalog.Relation) {
	if rel == nil {
		return
	}
	switch rel.Kind {
	case catalog.KindTable, catalog.KindMatView:
		r.do(DropCollection{rel})
	case catalog.KindSequence:
		r.do(DropSequence{rel})
		if owner := r.snap().RelationByOID(rel.Sequence.OwnedBy); owner != nil {
			n := owner.Clone()
			for i, c := range n.Columns {
				if c.OwnedSequence == rel.OID {
					setColumn(n, int16(i+1), func(c *catalog.Column) { c.OwnedSequence = 0 })
				}
			}
			r.ch.PutRelation(n)
		}
	}
	r.disown(rel)
	r.ch.RemoveRelation(rel.OID)
}

func (r *run) removeColumn(n *catalog.Relation, attnum int16) {
	old := n.Columns[attnum-1]
	setColumn(n, attnum, func(c *catalog.Column) {
		*c = catalog.Column{Attnum: attnum, Name: "........pg.dropped." + itoa(int(attnum)) + "........", Type: types.Int4T, Typmod: -1, Dropped: true, Path: old.Path}
	})
	if n.Kind == catalog.KindTable && !n.Native && !(len(old.Path) == 1 && old.Path[0] == "_id") {
		r.do(ClearField{Table: n, Path: old.Path})
	}
}

func (r *run) removeIndex(n *catalog.Relation, oid uint32) {
	idx := n.Index(oid)
	if idx == nil {
		return
	}
	n.Indexes = slices.DeleteFunc(n.Indexes, func(i *catalog.Index) bool { return i.OID == oid })
	shared := slices.ContainsFunc(n.Indexes, func(i *catalog.Index) bool { return i.MongoName == idx.MongoName })
	r.dropIndex(n, idx, shared)
}
