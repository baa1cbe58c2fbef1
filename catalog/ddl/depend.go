package ddl

import (
	"cmp"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
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

func (r *run) schemaContents(schema uint32) []dependent {
	var out []dependent
	for rel := range r.snap().EachRelation {
		if rel.SchemaID != schema {
			continue
		}
		// A sequence that a table of this schema owns goes with it, as does a partition.
		auto := rel.Kind == catalog.KindSequence && rel.Sequence.OwnedBy != 0 || r.partitionWithin(rel, schema)
		if rel.Kind == catalog.KindComposite {
			out = append(out, dependent{object: object{kind: objType, oid: rel.RowType}})
			continue
		}
		out = append(out, dependent{object: object{kind: objRelation, oid: rel.OID}, auto: auto})
	}
	for _, e := range r.before.Extensions() {
		if e.SchemaID == schema {
			out = append(out, dependent{object: object{kind: objExtension, oid: e.OID}})
		}
	}
	for _, t := range r.before.Types() {
		if r.snap().ExtensionOf(t.OID) != "" {
			continue
		}
		if t.RelOID == 0 && !t.IsArray() && r.snap().TypeInfo(t.OID).SchemaID == schema {
			out = append(out, r.partOfRange(object{kind: objType, oid: t.OID}))
		}
	}
	for _, c := range r.before.Collations() {
		if c.SchemaID == schema {
			out = append(out, dependent{object: object{kind: objCollation, oid: c.OID}})
		}
	}
	for _, f := range r.before.Functions() {
		if f.SchemaID == schema && r.snap().ExtensionOf(f.OID) == "" {
			out = append(out, r.partOfRange(object{kind: objFunction, oid: f.OID}))
		}
	}
	return out
}

// partitionWithin reports whether a table is a partition of one in the schema.
func (r *run) partitionWithin(rel *catalog.Relation, schema uint32) bool {
	if rel.Bound == nil || len(rel.Inherits) == 0 {
		return false
	}
	parent := r.snap().RelationByOID(rel.Inherits[0])
	return parent != nil && parent.SchemaID == schema
}

// partOfRange is the dependence of a schema's type or function, which goes silently with the range that it belongs to.
func (r *run) partOfRange(o object) dependent {
	return dependent{object: o, auto: r.rangeOwner(o) != nil}
}

func (r *run) relationDependents(oid uint32) []dependent {
	var out []dependent
	rel := r.snap().RelationByOID(oid)
	if rel.Kind == catalog.KindSequence {
		return r.sequenceDependents(rel)
	}
	for _, ref := range r.snap().ReferencedBy(oid) {
		if ref.Table.OID != oid && ref.Constraint.Parent == 0 {
			out = append(out, dependent{object: object{objConstraint, ref.Table.OID, ref.Constraint.OID}})
		}
	}
	for _, v := range r.snap().ViewsOf(oid) {
		out = append(out, dependent{object: object{kind: objRelation, oid: v}})
	}
	for _, c := range rel.Children {
		out = append(out, dependent{object: object{kind: objRelation, oid: c}, auto: rel.Kind == catalog.KindPartitioned})
	}
	for _, c := range rel.Columns {
		if seq := r.snap().RelationByOID(c.OwnedSequence); c.OwnedSequence != 0 && seq != nil && seq.Sequence.OwnedBy == oid {
			out = append(out, dependent{object: object{kind: objRelation, oid: c.OwnedSequence}, auto: true})
		}
	}
	for _, s := range r.ownedSequences(oid, 0) {
		d := dependent{object: object{kind: objRelation, oid: s}, auto: true}
		if !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	if rel.RowType != 0 {
		for _, d := range r.typeDependents(rel.RowType) {
			if d.oid != oid {
				out = append(out, d)
			}
		}
	}
	return out
}

// ownedSequences lists the sequences that OWNED BY ties to a table, or to one of its columns.
func (r *run) ownedSequences(rel uint32, attnum int16) []uint32 {
	var out []uint32
	for s := range r.snap().EachRelation {
		if s.Kind == catalog.KindSequence && s.Sequence.OwnedBy == rel && (attnum == 0 || s.Sequence.OwnedAttnum == attnum) {
			out = append(out, s.OID)
		}
	}
	return out
}

// sequenceDependents are the column defaults that draw from a sequence.
func (r *run) sequenceDependents(seq *catalog.Relation) []dependent {
	var out []dependent
	for rel := range r.snap().EachRelation {
		for _, c := range rel.Columns {
			if !c.Dropped && c.Default != "" && strings.Contains(c.Default, "nextval(") && r.defaultUses(c, seq) {
				out = append(out, dependent{object: object{objDefault, rel.OID, uint32(c.Attnum)}})
			}
		}
	}
	return out
}

// defaultUses reports whether a column's default is nextval of a sequence.
func (r *run) defaultUses(c *catalog.Column, seq *catalog.Relation) bool {
	n, err := sql.ParseExpr(c.Default)
	if err != nil {
		return false
	}
	uses := false
	sql.Walk(n, func(m *pg_query.Node) bool {
		k := m.GetAConst()
		if k.GetSval() == nil {
			return true
		}
		parts := splitName(k.GetSval().Sval)
		schema, name, err := qualified(parts)
		if err == nil {
			found := r.snap().Relation(r.c.Path, schema, name)
			uses = uses || found != nil && found.OID == seq.OID || found == nil && c.OwnedSequence == seq.OID
		}
		return true
	})
	return uses
}

// splitName takes a quoted, qualified name apart.
func splitName(s string) []string {
	var out []string
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"' && quoted && i+1 < len(s) && s[i+1] == '"':
			b.WriteByte('"')
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '.' && !quoted:
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteByte(s[i])
		}
	}
	return append(out, b.String())
}

func (r *run) columnDependents(oid uint32, attnum int16) []dependent {
	var out []dependent
	rel := r.snap().RelationByOID(oid)
	col := rel.ByAttnum(attnum)
	for _, con := range rel.Constraints {
		if slices.Contains(con.Columns, attnum) || con.RefRelation == oid && slices.Contains(con.RefColumns, attnum) {
			out = append(out, dependent{object: object{objConstraint, oid, con.OID}, auto: true})
		}
	}
	for _, idx := range rel.Indexes {
		if indexUses(rel, idx, col) && !ownedIndex(rel, idx) {
			out = append(out, dependent{object: object{objIndex, oid, idx.OID}, auto: true})
		}
	}
	for _, ref := range r.snap().ReferencedBy(oid) {
		if ref.Table.OID != oid && slices.Contains(ref.Constraint.RefColumns, attnum) {
			out = append(out, dependent{object: object{objConstraint, ref.Table.OID, ref.Constraint.OID}, on: r.describe(object{objColumn, oid, uint32(attnum)})})
		}
	}
	for _, v := range r.snap().ViewsOf(oid) {
		if viewUses(r.snap().RelationByOID(v), oid, attnum) {
			out = append(out, dependent{object: object{kind: objRelation, oid: v}})
		}
	}
	for _, g := range rel.Live() {
		if g.Generated != 0 && g.Attnum != attnum && textUses(g.Default, col.Name) {
			out = append(out, dependent{object: object{objColumn, oid, uint32(g.Attnum)}})
		}
	}
	for _, s := range r.ownedSequences(oid, attnum) {
		out = append(out, dependent{object: object{kind: objRelation, oid: s}, auto: true})
	}
	return out
}

// ownedIndex reports whether an index belongs to a constraint.
func ownedIndex(rel *catalog.Relation, idx *catalog.Index) bool {
	return slices.ContainsFunc(rel.Constraints, func(c *catalog.Constraint) bool { return c.Index == idx.OID && c.Type != catalog.ConForeign })
}

func indexUses(rel *catalog.Relation, idx *catalog.Index, col *catalog.Column) bool {
	for _, k := range idx.Keys {
		if k.Attnum == col.Attnum || k.Expr != "" && textUses(k.Expr, col.Name) {
			return true
		}
	}
	return slices.Contains(idx.Include, col.Attnum) || idx.Where != "" && textUses(idx.Where, col.Name)
}

// textUses reports whether an expression's text refers to a column.
func textUses(text, column string) bool {
	n, err := sql.ParseExpr(text)
	if err != nil {
		return false
	}
	cols, whole := columnRefs(n)
	return whole || slices.Contains(cols, column)
}

// viewUses reports whether a view's definition names a column.
func viewUses(v *catalog.Relation, rel uint32, attnum int16) bool {
	return v != nil && slices.Contains(v.UsesColumns, catalog.ColumnUse{Relation: rel, Attnum: attnum})
}

func (r *run) constraintDependents(o object) []dependent {
	var out []dependent
	ref, ok := r.snap().ConstraintByOID(o.sub)
	if ok && ref.Constraint.Type == catalog.ConForeign {
		for _, c := range ref.Table.Children { // partitions have it for their parent
			for _, x := range r.snap().RelationByOID(c).Constraints {
				if x.Parent == o.sub {
					out = append(out, dependent{object: object{objConstraint, c, x.OID}, auto: true})
				}
			}
		}
		return out
	}
	if !ok || ref.Constraint.Type != catalog.ConPrimary && ref.Constraint.Type != catalog.ConUnique {
		return nil
	}
	for _, fk := range r.snap().ReferencedBy(o.oid) {
		if fk.Constraint.Index == ref.Constraint.Index {
			out = append(out, dependent{object: object{objConstraint, fk.Table.OID, fk.Constraint.OID}, on: "index " + r.indexText(ref.Table, ref.Constraint.Index)})
		}
	}
	return out
}

func (r *run) indexText(rel *catalog.Relation, oid uint32) string {
	idx := rel.Index(oid)
	if idx == nil {
		return ""
	}
	return r.qualify(rel.Schema, idx.Name)
}

func (r *run) typeDependents(oid uint32) []dependent {
	var out []dependent
	t := r.snap().TypeByOID(oid)
	if t == nil {
		return nil
	}
	array := r.snap().TypeByOID(t.ArrayOID)
	for _, want := range []*types.T{array, t} {
		if want == nil {
			continue
		}
		var group []dependent
		for rel := range r.snap().EachRelation {
			for _, c := range rel.Live() {
				if c.Type == want {
					group = append(group, dependent{object: object{objColumn, rel.OID, uint32(c.Attnum)}, on: "type " + r.typeText(want)})
				}
			}
		}
		for _, d := range r.before.Types() {
			if d.Base == want || d.Kind == 'r' && d.Subtype == want || d.RangeOf == want {
				group = append(group, dependent{object: object{kind: objType, oid: d.OID}, on: "type " + r.typeText(want), auto: d.RangeOf == want})
			}
		}
		for _, f := range r.before.Functions() {
			if f.Ret == want || slices.ContainsFunc(f.Args, func(a catalog.FunctionArg) bool { return a.Type == want }) {
				o := object{kind: objFunction, oid: f.OID}
				owner := r.rangeOwner(o)
				group = append(group, dependent{object: o, on: "type " + r.typeText(want), auto: owner != nil})
			}
		}
		for _, d := range r.castsUsing(func(c *catalog.Cast) bool { return c.Source.OID == want.OID || c.Target.OID == want.OID }) {
			d.on = "type " + r.typeText(want)
			group = append(group, d)
		}
		slices.SortStableFunc(group, func(a, b dependent) int { return cmp.Or(cmp.Compare(a.oid, b.oid), cmp.Compare(a.sub, b.sub)) })
		out = append(out, group...)
	}
	return out
}

func (r *run) functionDependents(oid uint32) []dependent {
	var out []dependent
	f := r.snap().FunctionByOID(oid)
	if r.snap().ExtensionOf(oid) != "" && builtinFunctions()[f.Name] {
		return nil // a call of gen_random_uuid is not one of pgcrypto's: the built-in one comes first
	}
	out = append(out, r.castsUsing(func(c *catalog.Cast) bool { return c.Function == oid })...)
	calls := func(text string) bool {
		if !strings.Contains(text, f.Name) {
			return false
		}
		n, err := sql.ParseExpr(text)
		if err != nil {
			return false
		}
		found := false
		sql.Walk(n, func(m *pg_query.Node) bool {
			if c := m.GetFuncCall(); c != nil {
				parts := names(c.Funcname)
				found = found || parts[len(parts)-1] == f.Name && len(c.Args) == len(f.Args)
			}
			return !found
		})
		return found
	}
	for rel := range r.snap().EachRelation {
		for _, t := range rel.Triggers {
			if t.Function == oid {
				out = append(out, dependent{object: object{objTrigger, rel.OID, t.OID}})
			}
		}
		for _, c := range rel.Live() {
			if c.Default != "" && calls(c.Default) {
				kind := objDefault
				if c.Generated != 0 {
					kind = objColumn
				}
				out = append(out, dependent{object: object{kind, rel.OID, uint32(c.Attnum)}})
			}
		}
		for _, c := range rel.Constraints {
			if c.Check != "" && calls(c.Check) {
				out = append(out, dependent{object: object{objConstraint, rel.OID, c.OID}})
			}
		}
		for _, i := range rel.Indexes {
			if i.Where != "" && calls(i.Where) || slices.ContainsFunc(i.Keys, func(k catalog.IndexKey) bool { return k.Expr != "" && calls(k.Expr) }) {
				out = append(out, dependent{object: object{objIndex, rel.OID, i.OID}})
			}
		}
	}
	return out
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
