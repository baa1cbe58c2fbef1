package catalog

import (
	"slices"
	"sync"

	"github.com/pgmongo/pgmongo/types"
)

// Change builds the snapshot that follows another one. What it is given (relations, types ...) belongs to the new
// snapshot and must not be changed any more: to alter an object, put a changed copy (see Relation.Clone). The snapshot it
// started from stays as it is.
type Change struct {
	s *Snapshot
}

// Change starts a change of the snapshot.
func (s *Snapshot) Change() *Change {
	c := *s
	c.sorted = nil
	c.touched = map[Object]struct{}{}
	return &Change{s: &c}
}

// Object names something that a snapshot holds: what catalogue documents are kept of.
type Object struct {
	Kind ObjectKind
	OID  uint32
}

// ObjectKind is the kind of an Object.
type ObjectKind byte

// The kinds of objects.
const (
	ObjSchema    ObjectKind = 'n'
	ObjRelation  ObjectKind = 'r'
	ObjType      ObjectKind = 't' // enums and domains; row types and array types follow from others
	ObjFunction  ObjectKind = 'f'
	ObjRole      ObjectKind = 'u'
	ObjDatabase  ObjectKind = 'v' // next to roles: both belong to the cluster and are read together
	ObjExtension ObjectKind = 'e'
	ObjDefaults  ObjectKind = 'a' // default privileges
	ObjCollation ObjectKind = 'c'
	ObjCast      ObjectKind = 'k'
)

func (c *Change) touch(k ObjectKind, oid uint32) {
	if oid >= FirstExtensionOID && oid < FirstTempOID {
		return // made anew with its extension, not stored
	}
	c.s.touched[Object{k, oid}] = struct{}{}
}

// Touched returns what the change that made this snapshot put or removed, in no order.
func (s *Snapshot) Touched() []Object {
	out := make([]Object, 0, len(s.touched))
	for o := range s.touched {
		out = append(out, o)
	}
	return out
}

// Snapshot shows the state of the change so far. It must not be kept beyond the next call of a method of c.
func (c *Change) Snapshot() *Snapshot { return c.s }

// NewOID returns a free OID.
func (c *Change) NewOID() uint32 {
	n := c.s.NextOID
	c.s.NextOID++
	return n
}

// SkipOIDs leaves out the free OIDs below next.
func (c *Change) SkipOIDs(next uint32) { c.s.NextOID = max(c.s.NextOID, next) }

// Done returns the new snapshot; c must not be used afterwards.
func (c *Change) Done() *Snapshot {
	s := c.s
	c.s = nil
	s.schemas.seal()
	s.schemaName.seal()
	s.relations.seal()
	s.relName.seal()
	s.indexes.seal()
	s.indexName.seal()
	s.constraint.seal()
	s.types.seal()
	s.typeName.seal()
	s.functions.seal()
	s.funcName.seal()
	s.roles.seal()
	s.roleName.seal()
	s.databases.seal()
	s.defaults.seal()
	s.collations.seal()
	s.extensions.seal()
	s.operators.seal()
	s.operatorOID.seal()
	s.casts.seal()
	s.classes.seal()
	s.members.seal()
	s.refs.seal()
	s.viewsOf.seal()
	s.typeDoc.seal()
	s.conName.seal()
	s.sorted = &sortedLists{}
	return s
}

// PutSchema adds or replaces a schema. Renaming one renames it in the relations, types and functions that it holds.
func (c *Change) PutSchema(sc *Schema) {
	c.touch(ObjSchema, sc.OID)
	old := c.s.schemas.at(sc.OID)
	if old != nil && old.Name != sc.Name {
		c.s.schemaName.remove(old.Name)
		defer c.renameSchema(sc)
	}
	c.s.schemas.set(sc.OID, sc)
	c.s.schemaName.set(sc.Name, sc)
}

func (c *Change) renameSchema(sc *Schema) {
	var rels []*Relation
	c.s.relations.each(func(_ uint32, r *Relation) {
		if r.SchemaID == sc.OID {
			rels = append(rels, r)
		}
	})
	for _, r := range rels {
		n := r.Clone()
		n.Schema = sc.Name
		c.PutRelation(n)
	}
	var ts []*types.T
	c.s.types.each(func(_ uint32, t *types.T) {
		if c.s.typeDoc.at(t.OID).SchemaID == sc.OID && t.Kind != 'c' && !t.IsArray() {
			ts = append(ts, t)
		}
	})
	for _, t := range ts {
		n := *t
		n.Schema = sc.Name
		c.PutType(&n, c.s.typeDoc.at(t.OID))
	}
	var fs []*Function
	c.s.functions.each(func(_ uint32, f *Function) {
		if f.SchemaID == sc.OID {
			fs = append(fs, f)
		}
	})
	for _, f := range fs {
		n := *f
		n.Schema = sc.Name
		c.PutFunction(&n)
	}
}

// RemoveSchema removes a schema, which must be empty.
func (c *Change) RemoveSchema(oid uint32) {
	c.touch(ObjSchema, oid)
	if old := c.s.schemas.at(oid); old != nil {
		c.s.schemaName.remove(old.Name)
		c.s.schemas.remove(oid)
	}
}

// PutRelation adds or replaces a relation with its indexes and constraints, and keeps its row type in step. Tables, views
// and composite types that have no row type yet get OIDs for it and its array.
func (c *Change) PutRelation(r *Relation) {
	c.touch(ObjRelation, r.OID)
	old := c.s.relations.at(r.OID)
	if old != nil {
		c.unlinkRelation(old)
	}
	r.index()
	c.s.relations.set(r.OID, r)
	c.s.relName.set(nameKey{r.SchemaID, r.Name}, r)
	for _, i := range r.Indexes {
		ref := IndexRef{i, r}
		c.s.indexes.set(i.OID, ref)
		c.s.indexName.set(nameKey{r.SchemaID, i.Name}, ref)
	}
	for _, con := range r.Constraints {
		ref := ConstraintRef{con, r}
		c.s.constraint.set(con.OID, ref)
		k := nameKey{r.SchemaID, con.Name}
		c.s.conName.set(k, c.s.conName.at(k)+1)
		if con.Type == ConForeign {
			c.s.refs.set(con.RefRelation, append(slices.Clone(c.s.refs.at(con.RefRelation)), ref))
		}
	}
	for _, u := range r.Uses {
		c.s.viewsOf.set(u, append(slices.Clone(c.s.viewsOf.at(u)), r.OID))
	}
	c.putRowType(r, old)
}

// RemoveRelation removes a relation with its indexes, constraints and row type.
func (c *Change) RemoveRelation(oid uint32) {
	old := c.s.relations.at(oid)
	if old == nil {
		return
	}
	c.touch(ObjRelation, oid)
	c.unlinkRelation(old)
	c.s.relations.remove(oid)
	for _, t := range []uint32{old.RowType, old.Array} {
		if t != 0 {
			c.RemoveType(t)
		}
	}
}

func (c *Change) unlinkRelation(old *Relation) {
	c.s.relName.remove(nameKey{old.SchemaID, old.Name})
	for _, i := range old.Indexes {
		c.s.indexes.remove(i.OID)
		c.s.indexName.remove(nameKey{old.SchemaID, i.Name})
	}
	for _, con := range old.Constraints {
		c.s.constraint.remove(con.OID)
		k := nameKey{old.SchemaID, con.Name}
		if n := c.s.conName.at(k); n > 1 {
			c.s.conName.set(k, n-1)
		} else {
			c.s.conName.remove(k)
		}
		if con.Type == ConForeign {
			c.s.refs.set(con.RefRelation, slices.DeleteFunc(slices.Clone(c.s.refs.at(con.RefRelation)), func(r ConstraintRef) bool {
				return r.Constraint.OID == con.OID
			}))
		}
	}
	for _, u := range old.Uses {
		c.s.viewsOf.set(u, slices.DeleteFunc(slices.Clone(c.s.viewsOf.at(u)), func(o uint32) bool { return o == old.OID }))
	}
}

// putRowType makes the composite type of a relation's rows and its array type. An unchanged one is kept: types are
// compared by pointer, and columns of other tables may have it.
func (c *Change) putRowType(r, old *Relation) {
	if r.Kind == KindSequence || r.Kind == KindIndex {
		return
	}
	if r.RowType == 0 {
		r.RowType, r.Array = c.NewOID(), c.NewOID()
	}
	have := c.s.types.at(r.RowType)
	if have != nil && old != nil && have.Name == r.Name && have.Schema == r.Schema && sameFields(have.Fields, r) {
		return
	}
	t := &types.T{
		OID: r.RowType, Name: r.Name, Schema: r.Schema, Len: -1, Kind: 'c', Category: 'C', Rep: types.RepRef, Align: 'd', Storage: 'x',
		BaseTypmod: -1, RelOID: r.OID, ArrayOID: r.Array, Fields: make([]types.Field, 0, len(r.Columns)),
	}
	for _, col := range r.Columns {
		t.Fields = append(t.Fields, types.Field{Name: col.Name, Type: col.Type, Typmod: col.Typmod, Dropped: col.Dropped, Key: rowKey(r, col)})
	}
	c.PutType(t, TypeInfo{SchemaID: r.SchemaID, Owner: r.Owner})
}

// rowKey names a column in the stored values of a row type, "" where that is the column's name.
func rowKey(r *Relation, col *Column) string {
	if r.Kind == KindComposite && col.Path[0] != col.Name {
		return col.Path[0]
	}
	return ""
}

func sameFields(fields []types.Field, r *Relation) bool {
	if len(fields) != len(r.Columns) {
		return false
	}
	for i, f := range fields {
		if c := r.Columns[i]; f.Name != c.Name || f.Type != c.Type || f.Typmod != c.Typmod || f.Dropped != c.Dropped || f.Key != rowKey(r, c) {
			return false
		}
	}
	return true
}

// TypeInfo is what the catalogue keeps of a type beside types.T.
type TypeInfo struct {
	SchemaID uint32
	Owner    uint32
	Comment  string
	ACL      ACL
	// Range is what pg_range says of a range.
	Range *RangeInfo
}

// RangeInfo is what a range type of this database was declared with: the operator class and collation that order its
// bounds, and the function for their difference (0 for none).
type RangeInfo struct{ OpClass, Collation, Difference uint32 }

// PutType adds or replaces a type and, when t.ArrayOID is set, its array type. A replaced type is replaced everywhere:
// in columns, domains, composites and functions.
func (c *Change) PutType(t *types.T, info TypeInfo) {
	if t.RelOID == 0 {
		c.touch(ObjType, t.OID)
	}
	old := c.s.types.at(t.OID)
	moved := map[*types.T]*types.T{}
	c.putOneType(t, info, old)
	if old != nil {
		moved[old] = t
	}
	if t.ArrayOID != 0 && !t.IsArray() {
		oldArray := c.s.types.at(t.ArrayOID)
		name := c.arrayName(t, info.SchemaID, oldArray)
		a := &types.T{
			OID: t.ArrayOID, Name: name, Schema: t.Schema, Len: -1, Kind: 'b', Category: 'A', Rep: types.RepRef, Align: arrayAlign(t),
			Storage: 'x', Collation: t.Collation, BaseTypmod: -1, Elem: t,
		}
		c.putOneType(a, TypeInfo{SchemaID: info.SchemaID, Owner: info.Owner}, oldArray)
		if oldArray != nil {
			moved[oldArray] = a
		}
	}
	if len(moved) > 0 {
		c.replaceTypes(moved)
	}
}

func arrayAlign(t *types.T) byte {
	if t.Align == 'd' {
		return 'd'
	}
	return 'i'
}

func (c *Change) putOneType(t *types.T, info TypeInfo, old *types.T) {
	if old != nil {
		c.s.typeName.remove(nameKey{c.s.typeDoc.at(old.OID).SchemaID, old.Name})
	}
	c.s.types.set(t.OID, t)
	c.s.typeName.set(nameKey{info.SchemaID, t.Name}, t)
	c.s.typeDoc.set(t.OID, info)
}

// arrayName chooses the name of an array type: "_" and the element's name, cut to a name's length, with more underscores
// while it is taken.
func (c *Change) arrayName(t *types.T, schema uint32, old *types.T) string {
	for name := CutName("_" + t.Name); ; name = CutName("_" + name) {
		taken, ok := c.s.typeName.get(nameKey{schema, name})
		if !ok || old != nil && taken == old {
			return name
		}
	}
}

// RemoveType removes a type and, when it has one, its array type.
func (c *Change) RemoveType(oid uint32) {
	t := c.s.types.at(oid)
	if t == nil {
		return
	}
	if t.RelOID == 0 && !t.IsArray() {
		c.touch(ObjType, oid)
	}
	c.s.typeName.remove(nameKey{c.s.typeDoc.at(oid).SchemaID, t.Name})
	c.s.types.remove(oid)
	c.s.typeDoc.remove(oid)
	if t.ArrayOID != 0 {
		c.RemoveType(t.ArrayOID)
	}
}

// replaceTypes puts new types in place of old ones wherever they occur. It visits the whole catalogue, which only ALTER
// TYPE, ALTER DOMAIN and a change of columns of a table whose row type is in use need.
func (c *Change) replaceTypes(moved map[*types.T]*types.T) {
	var rels []*Relation
	c.s.relations.each(func(_ uint32, r *Relation) {
		if slices.ContainsFunc(r.Columns, func(col *Column) bool { return moved[col.Type] != nil }) {
			rels = append(rels, r)
		}
	})
	var ts []*types.T
	c.s.types.each(func(_ uint32, t *types.T) {
		if t.Base != nil && moved[t.Base] != nil || t.Subtype != nil && moved[t.Subtype] != nil || t.RangeOf != nil && moved[t.RangeOf] != nil {
			ts = append(ts, t)
		}
	})
	var fs []*Function
	c.s.functions.each(func(_ uint32, f *Function) {
		if moved[f.Ret] != nil || slices.ContainsFunc(f.Args, func(a FunctionArg) bool { return moved[a.Type] != nil }) {
			fs = append(fs, f)
		}
	})
	for _, t := range ts {
		n := *t
		if m := moved[t.Base]; m != nil {
			n.Base = m
		}
		if m := moved[t.Subtype]; m != nil {
			n.Subtype = m
		}
		if m := moved[t.RangeOf]; m != nil {
			n.RangeOf = m
		}
		c.PutType(&n, c.s.typeDoc.at(t.OID))
	}
	for _, r := range rels {
		r = c.s.relations.at(r.OID)
		n := r.Clone()
		for i, col := range n.Columns {
			if m := moved[col.Type]; m != nil {
				cc := *col
				cc.Type = m
				n.Columns[i] = &cc
			}
		}
		c.PutRelation(n)
	}
	for _, f := range fs {
		n := *f
		if m := moved[f.Ret]; m != nil {
			n.Ret = m
		}
		n.Args = slices.Clone(f.Args)
		for i := range n.Args {
			if m := moved[n.Args[i].Type]; m != nil {
				n.Args[i].Type = m
			}
		}
		c.PutFunction(&n)
	}
}

// PutFunction adds or replaces a user-defined function.
func (c *Change) PutFunction(f *Function) {
	c.RemoveFunction(f.OID)
	c.touch(ObjFunction, f.OID)
	c.s.functions.set(f.OID, f)
	k := nameKey{f.SchemaID, f.Name}
	c.s.funcName.set(k, append(slices.Clone(c.s.funcName.at(k)), f))
}

// RemoveFunction removes a user-defined function.
func (c *Change) RemoveFunction(oid uint32) {
	old := c.s.functions.at(oid)
	if old == nil {
		return
	}
	c.touch(ObjFunction, oid)
	c.s.functions.remove(oid)
	k := nameKey{old.SchemaID, old.Name}
	left := slices.DeleteFunc(slices.Clone(c.s.funcName.at(k)), func(f *Function) bool { return f.OID == oid })
	if len(left) == 0 {
		c.s.funcName.remove(k)
		return
	}
	c.s.funcName.set(k, left)
}

// PutRole adds or replaces a role.
func (c *Change) PutRole(r *Role) {
	if old := c.s.roles.at(r.OID); old != nil {
		c.s.roleName.remove(old.Name)
	}
	c.touch(ObjRole, r.OID)
	c.s.roles.set(r.OID, r)
	c.s.roleName.set(r.Name, r)
}

// RemoveRole removes a role.
func (c *Change) RemoveRole(oid uint32) {
	c.touch(ObjRole, oid)
	if old := c.s.roles.at(oid); old != nil {
		c.s.roleName.remove(old.Name)
		c.s.roles.remove(oid)
	}
}

// PutDatabase adds or replaces what is known of a database.
func (c *Change) PutDatabase(d *Database) {
	c.touch(ObjDatabase, d.OID)
	c.s.databases.set(d.OID, d)
}

// RemoveDatabase forgets a database.
func (c *Change) RemoveDatabase(oid uint32) {
	c.touch(ObjDatabase, oid)
	c.s.databases.remove(oid)
}

// SetVersion sets the version that the new snapshot has.
func (c *Change) SetVersion(v int64) { c.s.Version = v }

// SetStored sets the version of the stored catalogue and the next free OID.
func (c *Change) SetStored(v int64, nextOID uint32) { c.s.Stored, c.s.NextOID = v, nextOID }

// FirstExtensionOID is where the OIDs of the objects of extensions begin, which are the same in every database.
const FirstExtensionOID uint32 = 2_000_000_000

// FirstTempOID is where the OIDs of temporary objects begin: they are in one session's catalogue only and are not stored.
const FirstTempOID uint32 = 0x80000000

// index builds the lookup tables of a relation.
func (r *Relation) index() {
	r.byName = make(map[string]*Column, len(r.Columns))
	for _, col := range r.Columns {
		if !col.Dropped {
			r.byName[col.Name] = col
		}
	}
}

// Clone returns a copy whose lists of columns, constraints and indexes can be changed; their elements are shared and must
// be replaced, not written.
func (r *Relation) Clone() *Relation {
	n := *r
	n.Columns, n.Constraints, n.Indexes = slices.Clone(r.Columns), slices.Clone(r.Constraints), slices.Clone(r.Indexes)
	n.byName = nil
	return &n
}

// sortedLists are the lists that catalogue queries walk, made when first asked for.
type sortedLists struct {
	once       sync.Once
	rels       []*Relation
	typesOnce  sync.Once
	ts         []*types.T
	otherOnce  sync.Once
	schemas    []*Schema
	functions  []*Function
	roles      []*Role
	extensions []*Extension
}
