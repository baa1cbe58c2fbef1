package infer

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types"
)

// builder turns shapes into relations.
type builder struct {
	name     string // of the collection
	id       *catalog.Column
	ahead    int // top-level fields that are still to become columns: nested ones leave them room
	children []*catalog.Relation
}

func (b *builder) relation(root *shape) *catalog.Relation {
	r := &catalog.Relation{Name: b.name, Kind: catalog.KindTable, Persistence: 'p', Owner: catalog.BootstrapRole, Collection: b.name, Inferred: true, Native: true}
	id := root.fields["_id"]
	if id == nil {
		id = newShape()
	}
	if id.kinds == 0 && !id.null {
		id.kinds = kindObjectID // what MongoDB and its drivers make
	}
	b.addColumns(r, "_id", []string{"_id"}, id, 0)
	b.id = r.Columns[0]
	b.id.NotNull = !id.null
	b.ahead = len(root.order)
	for _, name := range root.order {
		b.ahead--
		if name != "_id" && name != mongo.LockField && len(r.Columns) < maxTopColumns {
			b.addColumns(r, name, []string{name}, root.fields[name], 0)
		}
	}
	return r
}

// addColumns adds the column of one path, and those of the fields below it.
func (b *builder) addColumns(r *catalog.Relation, name string, path []string, s *shape, depth int) {
	if depth > 0 && (!addressable(path[len(path)-1]) || len(r.Columns)+b.ahead >= maxColumns) {
		return
	}
	t, form := s.columnType()
	typmod := int32(-1)
	if t == types.TimestampTZT {
		typmod = 3 // a BSON date has milliseconds
	}
	c := &catalog.Column{
		Attnum: int16(len(r.Columns) + 1), Name: unique(r, name), Type: t, Typmod: typmod, Collation: t.Collation, Path: path, Form: form,
	}
	c.MayDouble = t == types.NumericT && s.kinds&kindDouble != 0
	c.MayArray = s.kinds&kindArray != 0 && !t.IsArray()
	r.Columns = append(r.Columns, c)
	if s.kinds&kindDocument != 0 && s.kinds&kindArray == 0 && depth < maxDepth && name != "_id" && !s.isMap() {
		for _, f := range s.order {
			b.addColumns(r, name+"."+f, append(slices.Clone(path), f), s.fields[f], depth+1)
		}
	}
	if s.kinds == kindArray && s.elem.kinds == kindDocument && !s.nested && r.Unwind == nil {
		b.addChild(path, s.elem)
	}
}

// addChild adds the table of the elements of an array of documents.
func (b *builder) addChild(path []string, elem *shape) {
	r := &catalog.Relation{
		Name: b.name + "." + strings.Join(path, "."), Kind: catalog.KindTable, Persistence: 'p', Owner: catalog.BootstrapRole,
		Collection: b.name, Inferred: true, Native: true, Unwind: path,
	}
	key := *b.id
	key.Name = b.name + "_id"
	ordinal := &catalog.Column{Attnum: 2, Name: "ordinal", Type: types.Int8T, Typmod: -1, Path: path, Form: catalog.FormOrdinal}
	r.Columns = []*catalog.Column{&key, ordinal}
	for _, f := range elem.order {
		b.addColumns(r, f, append(slices.Clone(path), f), elem.fields[f], 0)
	}
	b.children = append(b.children, r)
}

// addressable reports whether a dotted path reaches a field of that name.
func addressable(name string) bool {
	return name != "" && !strings.Contains(name, ".") && !strings.HasPrefix(name, "$")
}

// unique cuts a name to PostgreSQL's length and keeps it apart from the names before it.
func unique(r *catalog.Relation, name string) string {
	cut := catalog.CutName(strings.ReplaceAll(name, "\x00", ""))
	if cut == "" {
		cut = "?"
	}
	for n := 1; r.Column(cut) != nil; n++ {
		suffix := "_" + strconv.Itoa(n)
		cut = catalog.CutName(name)
		if len(cut)+len(suffix) > catalog.MaxName {
			cut = cut[:catalog.MaxName-len(suffix)]
		}
		cut = strings.ToValidUTF8(cut, "") + suffix
	}
	return cut
}

// scalars are the kinds that alone have a type of their own.
var scalars = map[kind]*types.T{
	kindInt32: types.Int4T, kindInt64: types.Int8T, kindDouble: types.Float8T, kindDecimal: types.NumericT, kindBool: types.BoolT,
	kindString: types.TextT, kindDate: types.TimestampTZT, kindUUID: types.UUIDT, kindBinary: types.ByteaT,
}

// columnType chooses the type that every value seen fits: numbers widen, all other mixtures are jsonb.
func (s *shape) columnType() (*types.T, catalog.Form) {
	switch {
	case s.kinds == kindObjectID:
		return types.TextT, catalog.FormObjectID
	case scalars[s.kinds] != nil:
		return scalars[s.kinds], catalog.FormNatural
	case s.kinds != 0 && s.kinds&^kindNumeric == 0:
		return widest(s.kinds), catalog.FormNatural
	case s.kinds == kindArray && !s.nested && s.elem != nil:
		if e := s.elem.elementType(); e != nil {
			return e, catalog.FormNatural
		}
	}
	return types.JSONBT, catalog.FormAny
}

// widest is the number type that holds all of several: a double holds no int64, a decimal holds all of them.
func widest(k kind) *types.T {
	switch {
	case k&kindDecimal != 0, k&kindDouble != 0 && k&kindInt64 != 0:
		return types.NumericT
	case k&kindDouble != 0:
		return types.Float8T
	}
	return types.Int8T
}

// elementType is the array type of scalars, nil when the elements are not of one type.
func (s *shape) elementType() *types.T {
	t := scalars[s.kinds]
	if t == nil && s.kinds != 0 && s.kinds&^kindNumeric == 0 {
		t = widest(s.kinds)
	}
	if s.kinds == kindObjectID {
		t = types.TextT
	}
	if t == nil {
		return nil
	}
	return types.ByOID(t.ArrayOID)
}

// addIndexes shows MongoDB's indexes whose keys are columns. Their names are prefixed by the collection's: an index name is
// unique in a schema here, in a collection there.
func (b *builder) addIndexes(r *catalog.Relation, indexes []mongo.IndexInfo) {
	byPath := map[string]*catalog.Column{}
	for _, c := range r.Columns {
		byPath[strings.Join(c.Path, ".")] = c
	}
	r.Indexes = []*catalog.Index{{
		Name: catalog.CutName(b.name + "_pkey"), Method: "btree", Unique: true, Primary: b.id.NotNull, NullsNotDistinct: !b.id.NotNull, MongoName: "_id_", Keys: []catalog.IndexKey{{Attnum: 1}},
	}}
	for _, ix := range indexes {
		if ix.Name == "_id_" || ix.Hidden {
			continue
		}
		keys, ok := indexKeys(ix, byPath)
		if !ok {
			continue
		}
		// A sparse or partial index serves only queries that say so, and a unique one over arrays is one of elements.
		unique := ix.Unique && !ix.Sparse && ix.Partial == nil
		r.Indexes = append(r.Indexes, &catalog.Index{
			Name: catalog.CutName(b.name + "_" + ix.Name), Method: "btree", Unique: unique, NullsNotDistinct: unique, Keys: keys, MongoName: ix.Name,
		})
	}
}

func indexKeys(ix mongo.IndexInfo, byPath map[string]*catalog.Column) ([]catalog.IndexKey, bool) {
	var keys []catalog.IndexKey
	for _, k := range ix.Keys {
		n, ok := number(k.Value)
		col := byPath[k.Key]
		if !ok || n == 0 || col == nil {
			return nil, false
		}
		keys = append(keys, catalog.IndexKey{Attnum: col.Attnum, Desc: n < 0, NullsFirst: n > 0})
	}
	return keys, len(keys) > 0
}
