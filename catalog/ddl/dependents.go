package ddl

import (
	"cmp"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
)

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
