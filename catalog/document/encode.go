package document

import (
	"bytes"
	"encoding/binary"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Encoder builds the documents of a relation's rows, and the updates between them. Rows have a datum for each live column,
// in attnum order. It keeps buffers, so one encoder serves one goroutine.
type Encoder struct {
	rel  *catalog.Relation
	cols []*catalog.Column
	root *encNode
	// id is the position of the column that is _id, -1 when _id is generated.
	id int
	// micros lists the positions of columns with a microsecond remainder.
	micros []int
}

// encNode is a field of the documents: a column's value, or a document of other fields, or both (a jsonb column over a
// nested document whose fields are columns too).
type encNode struct {
	key      string
	col      int // -1: no column
	children []*encNode
}

// NewEncoder returns an encoder for a relation. Child tables of arrays cannot be written (0A000).
func NewEncoder(rel *catalog.Relation) (*Encoder, error) {
	if len(rel.Unwind) > 0 {
		return nil, pgerr.Unsupported("changing the elements of an array through the table \"" + rel.Name + "\"")
	}
	e := &Encoder{rel: rel, cols: rel.Live(), root: &encNode{col: -1}, id: -1}
	for i, c := range e.cols {
		if len(c.Path) == 1 && c.Path[0] == "_id" {
			e.id = i
		}
		if c.Micros {
			e.micros = append(e.micros, i)
		}
		n := e.root
		for _, key := range c.Path {
			n = n.child(key)
		}
		n.col = i
	}
	return e, nil
}

func (n *encNode) child(key string) *encNode {
	for _, c := range n.children {
		if c.key == key {
			return c
		}
	}
	c := &encNode{key: key, col: -1}
	n.children = append(n.children, c)
	return c
}

// Columns returns the columns of the rows: the relation's live ones, in attnum order.
func (e *Encoder) Columns() []*catalog.Column { return e.cols }

// IDColumn returns the position of the column that is stored as _id, -1 when _id is generated.
func (e *Encoder) IDColumn() int { return e.id }

// Value returns the stored form of a value of one column, as used in filters: NULL as null.
func (e *Encoder) Value(col int, d types.Datum) (bson.RawValue, error) {
	return columnValue(e.cols[col], d)
}

func columnValue(c *catalog.Column, d types.Datum) (bson.RawValue, error) {
	if d.IsNull() {
		return bson.RawValue{Type: bson.TypeNull}, nil
	}
	if c.Form == catalog.FormObjectID {
		id, err := objectID(d)
		if err != nil {
			return bson.RawValue{}, err
		}
		return bson.RawValue{Type: bson.TypeObjectID, Value: id[:]}, nil
	}
	return types.ToBSON(c.Type, d)
}

// ColumnValue returns the stored form of a value of a column, as used in filters: NULL as null.
func ColumnValue(c *catalog.Column, d types.Datum) (bson.RawValue, error) { return columnValue(c, d) }

func objectID(d types.Datum) (bson.ObjectID, error) {
	id, err := bson.ObjectIDFromHex(d.Str())
	if err != nil {
		return id, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for an ObjectId: %q", d.Str()).
			WithHint("An ObjectId has 24 hexadecimal digits.")
	}
	return id, nil
}

// GenerateID fills in a new ObjectId where the row's _id column is one and NULL.
func (e *Encoder) GenerateID(row []types.Datum) {
	if e.id >= 0 && row[e.id].IsNull() && e.cols[e.id].Form == catalog.FormObjectID {
		row[e.id] = types.Str(bson.NewObjectID().Hex())
	}
}

// KeysField is the hidden subdocument that keeps the keys of indexes that MongoDB cannot compute, by catalog.Index.Hidden.
const KeysField = "_x"

// HiddenKey is a row's key in one index.
type HiddenKey struct {
	// Field is the key's name in KeysField.
	Field string
	// Value is the key, of type 0 for a row that the index leaves out.
	Value bson.RawValue
	// Late says that a changed key is not written, only the old one removed: a check writes it later.
	Late bool
}

// Insert returns the document of a new row and its _id, which is a new ObjectId unless a column is stored there.
func (e *Encoder) Insert(row []types.Datum, keys ...HiddenKey) (id bson.RawValue, doc bson.Raw, err error) {
	if e.id >= 0 {
		id, err = e.Value(e.id, row[e.id])
	} else {
		oid := bson.NewObjectID()
		id = bson.RawValue{Type: bson.TypeObjectID, Value: oid[:]}
	}
	if err != nil {
		return id, nil, err
	}
	doc, err = e.WithID(id, row, keys...)
	return id, doc, err
}

// WithID returns the document of a row under a given _id.
func (e *Encoder) WithID(id bson.RawValue, row []types.Datum, keys ...HiddenKey) (bson.Raw, error) {
	b := make([]byte, 4, 64+16*len(row))
	b = appendRaw(b, "_id", id)
	b, err := e.appendFields(b, e.root, row)
	if err != nil {
		return nil, err
	}
	return finishDoc(appendKeys(e.appendMicros(b, row), keys), 0), nil
}

func appendKeys(b []byte, keys []HiddenKey) []byte {
	start := -1
	for _, k := range keys {
		if k.Value.Type == 0 || k.Late {
			continue
		}
		if start < 0 {
			b = appendHeader(b, bson.TypeEmbeddedDocument, KeysField)
			start = len(b)
			b = append(b, 0, 0, 0, 0)
		}
		b = appendRaw(b, k.Field, k.Value)
	}
	if start >= 0 {
		b = finishDoc(b, start)
	}
	return b
}

// keyChanges adds the changes of hidden keys.
func keyChanges(changes []change, before bson.Raw, keys []HiddenKey) []change {
	for _, k := range keys {
		path := []string{KeysField, k.Field}
		was, err := before.LookupErr(path...)
		switch {
		case k.Value.Type == 0 || k.Late:
			if err == nil && !was.Equal(k.Value) {
				changes = append(changes, change{path: path, drop: true})
			}
		case err != nil || !was.Equal(k.Value):
			changes = append(changes, change{path: path, v: k.Value})
		}
	}
	return changes
}

// finishDoc ends the document that began at start.
func finishDoc(b []byte, start int) []byte {
	b = append(b, 0)
	binary.LittleEndian.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

func appendHeader(b []byte, t bson.Type, key string) []byte {
	b = append(b, byte(t))
	b = append(b, key...)
	return append(b, 0)
}

func appendRaw(b []byte, key string, v bson.RawValue) []byte {
	return append(appendHeader(b, v.Type, key), v.Value...)
}

// appendFields writes a node's children, except _id.
func (e *Encoder) appendFields(b []byte, n *encNode, row []types.Datum) ([]byte, error) {
	var err error
	for _, c := range n.children {
		if n == e.root && c.key == "_id" {
			continue
		}
		if b, err = e.appendNode(b, c, row); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// appendNode writes one field. NULL becomes null, or no field at all where the column says so and in collections of
// others, whose validators mostly know missing fields and no nulls.
func (e *Encoder) appendNode(b []byte, n *encNode, row []types.Datum) ([]byte, error) {
	inner := len(n.children) > 0 && e.anySet(n, row)
	if n.col >= 0 && !row[n.col].IsNull() {
		if inner {
			return nil, e.bothSet(n, row)
		}
		return e.appendColumn(b, n.key, n.col, row[n.col])
	}
	if inner {
		start := len(b) + 2 + len(n.key)
		b = append(appendHeader(b, bson.TypeEmbeddedDocument, n.key), 0, 0, 0, 0)
		b, err := e.appendFields(b, n, row)
		if err != nil {
			return nil, err
		}
		return finishDoc(b, start), nil
	}
	if n.col < 0 || e.nullIsMissing(n.col) {
		return b, nil
	}
	return appendHeader(b, bson.TypeNull, n.key), nil
}

// nullIsMissing reports whether NULL is written by leaving the field out. A column whose missing fields read as something
// else needs an explicit null.
func (e *Encoder) nullIsMissing(col int) bool {
	return (e.cols[col].NullMissing || e.rel.Native) && e.cols[col].Missing.IsNull()
}

func (e *Encoder) appendColumn(b []byte, key string, col int, d types.Datum) ([]byte, error) {
	c := e.cols[col]
	if c.Form == catalog.FormObjectID {
		id, err := objectID(d)
		if err != nil {
			return nil, err
		}
		return append(appendHeader(b, bson.TypeObjectID, key), id[:]...), nil
	}
	return types.AppendBSON(b, key, c.Type, d)
}

// anySet reports whether a column below n has a value.
func (e *Encoder) anySet(n *encNode, row []types.Datum) bool {
	for _, c := range n.children {
		if c.col >= 0 && !row[c.col].IsNull() || e.anySet(c, row) {
			return true
		}
	}
	return false
}

// bothSet refuses a value for a document as a whole together with one for a field in it: either could be meant.
func (e *Encoder) bothSet(n *encNode, row []types.Datum) error {
	var below func(*encNode) string
	below = func(n *encNode) string {
		for _, c := range n.children {
			if c.col >= 0 && !row[c.col].IsNull() {
				return e.cols[c.col].Name
			}
			if name := below(c); name != "" {
				return name
			}
		}
		return ""
	}
	return pgerr.New(pgerr.SyntaxError, "columns %q and %q must not both be set", e.cols[n.col].Name, below(n)).
		WithDetail("The first one is the document that holds the second one.")
}

// micro returns a timestamp's microseconds beyond the millisecond.
func micro(d types.Datum) int32 {
	if d.IsNull() || d.Int() == types.TimestampInfinity || d.Int() == types.TimestampNegInfinity {
		return 0
	}
	_, rest := types.SplitMicros(d.Int())
	return rest
}

func (e *Encoder) appendMicros(b []byte, row []types.Datum) []byte {
	start := -1
	for _, i := range e.micros {
		rest := micro(row[i])
		if rest == 0 {
			continue
		}
		if start < 0 {
			b = appendHeader(b, bson.TypeEmbeddedDocument, MicrosField)
			start = len(b)
			b = append(b, 0, 0, 0, 0)
		}
		b = appendHeader(b, bson.TypeInt32, MicrosKey(e.cols[i]))
		b = binary.LittleEndian.AppendUint32(b, uint32(rest))
	}
	if start >= 0 {
		b = finishDoc(b, start)
	}
	return b
}

// change is one field to set (v with a type) or to remove.
type change struct {
	path []string
	v    bson.RawValue
	drop bool
}

// Update returns the change of a document between two rows: an update document with the fields that differ among the
// columns in set (positions), or, with replace, a whole new document where a field's name cannot be part of a path. Fields
// that are no columns survive either way. A nil document means that nothing changes.
func (e *Encoder) Update(before bson.Raw, old, row []types.Datum, set []int, keys ...HiddenKey) (doc bson.Raw, replace bool, err error) {
	var changes []change
	for _, i := range set {
		if changes, err = e.columnChange(changes, before, i, old[i], row[i]); err != nil {
			return nil, false, err
		}
	}
	changes = keyChanges(changes, before, keys)
	if changes, err = mergeChanges(before, changes); err != nil || len(changes) == 0 {
		return nil, false, err
	}
	for _, c := range changes {
		for _, key := range c.path {
			if key == "" || key[0] == '$' || strings.IndexByte(key, '.') >= 0 {
				doc = applyChanges(before, changes)
				return doc, true, replaceable(doc)
			}
		}
	}
	return updateDocument(changes), false, nil
}

// replaceable refuses a document that MongoDB does not take as a whole.
func replaceable(doc bson.Raw) error {
	elems, err := doc.Elements()
	for _, e := range elems {
		if strings.HasPrefix(e.Key(), "$") {
			return pgerr.Unsupported("this change of a document with the field \"" + e.Key() + "\"")
		}
	}
	return err
}

// columnChange adds the change of one column, if it changes. Stored forms are compared, not values: 1.0 and 1.00 are equal
// and yet different.
func (e *Encoder) columnChange(changes []change, before bson.Raw, i int, old, d types.Datum) ([]change, error) {
	c := e.cols[i]
	if d.IsNull() {
		if old.IsNull() {
			return changes, nil
		}
		changes = append(changes, change{path: c.Path, drop: e.nullIsMissing(i), v: bson.RawValue{Type: bson.TypeNull}})
		return microChange(changes, before, c, d), nil
	}
	v, err := e.Value(i, d)
	if err != nil {
		return nil, err
	}
	if e.rel.Native && c.Type == types.JSONBT {
		if was, err := before.LookupErr(c.Path...); err == nil {
			if v = types.KeepBSON(was, d.Ref().(*types.JSON)); v.Equal(was) {
				return changes, nil
			}
		}
	}
	if !old.IsNull() && micro(old) == micro(d) {
		was, err := e.Value(i, old)
		if err != nil {
			return nil, err
		}
		if was.Type == v.Type && bytes.Equal(was.Value, v.Value) {
			return changes, nil
		}
	}
	return microChange(append(changes, change{path: c.Path, v: v}), before, c, d), nil
}

// microChange adds the change of a timestamp's remainder. What the document has counts, not the old value: that of a
// missing field comes from the column.
func microChange(changes []change, before bson.Raw, c *catalog.Column, d types.Datum) []change {
	if !c.Micros {
		return changes
	}
	is := micro(d)
	_, err := before.LookupErr(MicrosField, MicrosKey(c))
	if is == 0 && err != nil {
		return changes
	}
	return append(changes, change{path: []string{MicrosField, MicrosKey(c)}, drop: is == 0, v: rawInt32(is)})
}

func rawInt32(n int32) bson.RawValue {
	return bson.RawValue{Type: bson.TypeInt32, Value: binary.LittleEndian.AppendUint32(nil, uint32(n))}
}

// mergeChanges makes changes apply to the document as it is: a field below a null (or a missing document, for fields that
// are removed) is set by setting the document. The server refuses {$set: {"a.b": 1}} on {a: null}.
func mergeChanges(before bson.Raw, changes []change) ([]change, error) {
	out := changes[:0]
	built := map[string]*encTree{}
	for _, c := range changes {
		n := blockedPrefix(before, c.path)
		if n == 0 {
			out = append(out, c)
			continue
		}
		if c.drop {
			continue
		}
		key := strings.Join(c.path[:n], "\x00")
		t := built[key]
		if t == nil {
			t = &encTree{path: c.path[:n]}
			built[key] = t
			out = append(out, change{path: c.path[:n]})
		}
		t.fields = append(t.fields, change{path: c.path[n:], v: c.v})
	}
	for i := range out {
		if t := built[strings.Join(out[i].path, "\x00")]; t != nil && out[i].v.Type == 0 {
			out[i].v = bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: applyChanges(emptyDocument(), t.fields)}
		}
	}
	return out, checkOverlap(out)
}

type encTree struct {
	path   []string
	fields []change
}

func emptyDocument() bson.Raw { return bson.Raw{5, 0, 0, 0, 0} }

// blockedPrefix returns the length of the shortest proper prefix of path that holds something other than a document, 0 if
// none does. A value that is neither a document nor null is replaced too: the column said that there is a document.
func blockedPrefix(doc bson.Raw, path []string) int {
	for n := 1; n < len(path); n++ {
		v, err := doc.LookupErr(path[:n]...)
		if err != nil {
			return 0 // missing: $set makes the documents
		}
		if v.Type != bson.TypeEmbeddedDocument {
			return n
		}
	}
	return 0
}

// checkOverlap refuses a change of a document together with one of a field in it, which the server would refuse too.
func checkOverlap(changes []change) error {
	for i, a := range changes {
		for j, b := range changes {
			if i != j && len(a.path) < len(b.path) && strings.Join(a.path, "\x00") == strings.Join(b.path[:len(a.path)], "\x00") {
				return pgerr.New(pgerr.SyntaxError, "columns %q and %q must not both be set", strings.Join(a.path, "."), strings.Join(b.path, ".")).
					WithDetail("The first one is the document that holds the second one.")
			}
		}
	}
	return nil
}

func updateDocument(changes []change) bson.Raw {
	b := []byte{0, 0, 0, 0}
	b = appendOperator(b, "$set", changes, func(c change) bool { return !c.drop })
	b = appendOperator(b, "$unset", changes, func(c change) bool { return c.drop })
	return finishDoc(b, 0)
}

// appendOperator writes an update operator with those of the changes that are its own, if there are any.
func appendOperator(b []byte, op string, changes []change, own func(change) bool) []byte {
	start := -1
	for _, c := range changes {
		if !own(c) {
			continue
		}
		if start < 0 {
			b = appendHeader(b, bson.TypeEmbeddedDocument, op)
			start = len(b)
			b = append(b, 0, 0, 0, 0)
		}
		v := c.v
		if c.drop {
			v = bson.RawValue{Type: bson.TypeBoolean, Value: []byte{1}}
		}
		b = appendRaw(b, strings.Join(c.path, "."), v)
	}
	if start >= 0 {
		b = finishDoc(b, start)
	}
	return b
}

// applyChanges returns a copy of a document with the changes made in it; other fields keep their places.
func applyChanges(doc bson.Raw, changes []change) bson.Raw {
	b := []byte{0, 0, 0, 0}
	done := make([]bool, len(changes))
	rest := doc[4 : len(doc)-1]
	for len(rest) > 0 {
		el, next, ok := readElement(rest)
		if !ok {
			break
		}
		rest = next
		key := el.Key()
		var below []change
		hit := -1
		for i, c := range changes {
			if c.path[0] != key {
				continue
			}
			done[i] = true
			if len(c.path) == 1 {
				hit = i
			} else {
				below = append(below, change{path: c.path[1:], v: c.v, drop: c.drop})
			}
		}
		switch {
		case hit >= 0 && changes[hit].drop:
		case hit >= 0:
			b = appendRaw(b, key, changes[hit].v)
		case len(below) > 0:
			inner, ok := el.Value().DocumentOK()
			if !ok {
				inner = emptyDocument()
			}
			b = append(appendHeader(b, bson.TypeEmbeddedDocument, key), applyChanges(inner, below)...)
		default:
			b = append(b, el...)
		}
	}
	for i, c := range changes {
		if done[i] || c.drop {
			continue
		}
		if len(c.path) == 1 {
			b = appendRaw(b, c.path[0], c.v)
			continue
		}
		var below []change
		for j := i; j < len(changes); j++ {
			if !done[j] && !changes[j].drop && len(changes[j].path) > 1 && changes[j].path[0] == c.path[0] {
				done[j] = true
				below = append(below, change{path: changes[j].path[1:], v: changes[j].v})
			}
		}
		b = append(appendHeader(b, bson.TypeEmbeddedDocument, c.path[0]), applyChanges(emptyDocument(), below)...)
	}
	return finishDoc(b, 0)
}

// readElement splits the first element off.
func readElement(b []byte) (el bson.RawElement, rest []byte, ok bool) {
	end := bytes.IndexByte(b[1:], 0)
	if end < 0 {
		return nil, nil, false
	}
	head := end + 2
	n, ok := valueLength(bson.Type(b[0]), b[head:])
	if !ok || head+n > len(b) {
		return nil, nil, false
	}
	return bson.RawElement(b[:head+n]), b[head+n:], true
}

// valueLength returns the size of a value of a type at the start of b.
func valueLength(t bson.Type, b []byte) (int, bool) {
	prefixed := func(extra int) (int, bool) {
		if len(b) < 4 {
			return 0, false
		}
		return int(binary.LittleEndian.Uint32(b)) + extra, true
	}
	switch t {
	case bson.TypeDouble, bson.TypeDateTime, bson.TypeTimestamp, bson.TypeInt64:
		return 8, true
	case bson.TypeInt32:
		return 4, true
	case bson.TypeBoolean:
		return 1, true
	case bson.TypeObjectID:
		return 12, true
	case bson.TypeDecimal128:
		return 16, true
	case bson.TypeNull, bson.TypeUndefined, bson.TypeMinKey, bson.TypeMaxKey:
		return 0, true
	case bson.TypeString, bson.TypeJavaScript, bson.TypeSymbol:
		return prefixed(4)
	case bson.TypeEmbeddedDocument, bson.TypeArray, bson.TypeCodeWithScope:
		return prefixed(0)
	case bson.TypeBinary:
		return prefixed(5)
	case bson.TypeDBPointer:
		return prefixed(16)
	case bson.TypeRegex:
		first := bytes.IndexByte(b, 0)
		if first < 0 {
			return 0, false
		}
		second := bytes.IndexByte(b[first+1:], 0)
		return first + second + 2, second >= 0
	}
	return 0, false
}

// Move returns the document of a row that gets another _id, with the changes of Update made in it: MongoDB cannot change
// an _id, so the caller deletes the one and inserts the other.
func (e *Encoder) Move(before bson.Raw, id bson.RawValue, old, row []types.Datum, set []int, keys ...HiddenKey) (bson.Raw, error) {
	var changes []change
	var err error
	for _, i := range set {
		if i == e.id {
			continue
		}
		if changes, err = e.columnChange(changes, before, i, old[i], row[i]); err != nil {
			return nil, err
		}
	}
	if changes, err = mergeChanges(before, keyChanges(changes, before, keys)); err != nil {
		return nil, err
	}
	return applyChanges(before, append(changes, change{path: []string{"_id"}, v: id})), nil
}
