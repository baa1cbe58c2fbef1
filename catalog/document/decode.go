// Package document reads a relation's rows from MongoDB documents and builds documents from rows.
package document

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The attnums of system columns.
const (
	AttCtid     int16 = -1
	AttXmin     int16 = -2
	AttCmin     int16 = -3
	AttXmax     int16 = -4
	AttCmax     int16 = -5
	AttTableOID int16 = -6
)

// MicrosField is the hidden subdocument that keeps what a BSON date cannot: for each timestamp column whose value is not
// a whole number of milliseconds, an int32 of 1 to 999 microseconds under MicrosKey.
const MicrosField = "_us"

// MicrosKey returns the key of a column in MicrosField: the field's name, which stays when the column is renamed.
func MicrosKey(c *catalog.Column) string { return c.Path[len(c.Path)-1] }

// Decoder reads some columns of a relation's rows from documents. It keeps state between documents (the order of their
// fields), so one decoder serves one goroutine.
type Decoder struct {
	// NullMisfits makes values that do not fit their columns NULL instead of an error.
	NullMisfits bool
	rel         *catalog.Relation
	slots       []slot
	root        *fieldNode
	// elem is what is read from an array's element, for a child table; nil for other relations.
	elem *fieldNode
	// hints remembers what the n-th field of the last document was: documents of a collection mostly agree.
	hints []hint
	// missing is the row of an empty document.
	missing []types.Datum
	// system lists the slots computed from the document as a whole.
	system []int
	whole  *wholeRow
	us     []usTarget
	// dst and doc are those of the call in progress.
	dst []types.Datum
	doc bson.Raw
	// row counts rows.
	row uint64
	// frac collects the microseconds found for each of us.
	frac []int32
}

type slot struct {
	col    *catalog.Column
	attnum int16
	fast   fastKind
}

type usTarget struct {
	key  string
	slot int
}

// fieldNode is a field that is wanted: as a column, and as a document whose fields are.
type fieldNode struct {
	key      string
	slots    []int
	children []*fieldNode
	// seen is the row that the field was last found in.
	seen uint64
}

type hint struct {
	key  string
	node *fieldNode // nil: not wanted
}

type wholeRow struct {
	dec   *Decoder
	typs  []*types.T
	names []string
}

// fastKind says which BSON values of a column are read here, without the general conversion.
type fastKind uint8

const (
	fastNone fastKind = iota
	fastInt4
	fastInt8
	fastFloat
	fastText
	fastBool
)

// NewDecoder returns a decoder of the columns attnums, in that order. Attnum 0 is the whole row, negative ones are system
// columns.
func NewDecoder(rel *catalog.Relation, attnums []int16) *Decoder {
	d := &Decoder{rel: rel, root: &fieldNode{}, missing: make([]types.Datum, len(attnums)), slots: make([]slot, len(attnums))}
	if len(rel.Unwind) > 0 {
		d.elem = &fieldNode{}
	}
	for i, n := range attnums {
		d.slots[i].attnum = n
		switch {
		case n == 0:
			d.whole = newWholeRow(rel)
		case n < 0:
			d.system = append(d.system, i)
		default:
			d.addColumn(i, rel.ByAttnum(n))
		}
	}
	d.frac = make([]int32, len(d.us))
	return d
}

func newWholeRow(rel *catalog.Relation) *wholeRow {
	w := &wholeRow{}
	var atts []int16
	for _, c := range rel.Live() {
		atts = append(atts, c.Attnum)
		w.typs = append(w.typs, c.Type)
		w.names = append(w.names, c.Name)
	}
	w.dec = NewDecoder(rel, atts)
	return w
}

func (d *Decoder) addColumn(i int, c *catalog.Column) {
	d.slots[i].col = c
	if c.Dropped {
		return
	}
	d.missing[i] = c.Missing
	if c.Form == catalog.FormNatural {
		d.slots[i].fast = fastKindOf(c)
	}
	if c.Micros {
		d.us = append(d.us, usTarget{MicrosKey(c), i})
	}
	path, root := c.Path, d.root
	if d.elem != nil {
		switch {
		case c.Form == catalog.FormOrdinal:
			return
		case c.Form == catalog.FormElement:
			d.elem.slots = append(d.elem.slots, i)
			return
		case hasPrefix(path, d.rel.Unwind):
			path, root = path[len(d.rel.Unwind):], d.elem
		}
	}
	root.add(path, i)
}

func hasPrefix(path, prefix []string) bool {
	if len(path) < len(prefix) {
		return false
	}
	for i := range prefix {
		if path[i] != prefix[i] {
			return false
		}
	}
	return true
}

func (n *fieldNode) add(path []string, slot int) {
	if len(path) == 0 {
		n.slots = append(n.slots, slot)
		return
	}
	c := n.child(path[0])
	if c == nil {
		c = &fieldNode{key: path[0]}
		n.children = append(n.children, c)
	}
	c.add(path[1:], slot)
}

func (n *fieldNode) child(key string) *fieldNode {
	for _, c := range n.children {
		if c.key == key {
			return c
		}
	}
	return nil
}

func (n *fieldNode) childBytes(key []byte) *fieldNode {
	for _, c := range n.children {
		if len(c.key) == len(key) && c.key == string(key) {
			return c
		}
	}
	return nil
}

func fastKindOf(c *catalog.Column) fastKind {
	if c.Micros || c.Type.Kind == 'd' {
		return fastNone
	}
	switch c.Type.OID {
	case types.Int4T.OID:
		return fastInt4
	case types.Int8T.OID:
		return fastInt8
	case types.Float8T.OID:
		return fastFloat
	case types.TextT.OID, types.VarcharT.OID:
		return fastText
	case types.BoolT.OID:
		return fastBool
	}
	return fastNone
}

// Decode reads one document into dst, which has room for every column. The datums share the document's memory.
func (d *Decoder) Decode(doc bson.Raw, dst []types.Datum) error {
	copy(dst, d.missing)
	d.dst, d.doc = dst, doc
	d.row++
	for i := range d.frac {
		d.frac[i] = 0
	}
	if err := d.walkRoot(doc); err != nil {
		return err
	}
	return d.finish()
}

// finish fills in what depends on the whole document.
func (d *Decoder) finish() error {
	for i, us := range d.frac {
		if v := d.dst[d.us[i].slot]; us != 0 && !v.IsNull() && !infiniteTime(v.Int()) {
			d.dst[d.us[i].slot] = types.Int(v.Int() + int64(us))
		}
	}
	for _, i := range d.system {
		d.dst[i] = d.systemColumn(d.slots[i].attnum)
	}
	if d.whole != nil {
		return d.decodeWhole()
	}
	return nil
}

func infiniteTime(us int64) bool { return us == math.MaxInt64 || us == math.MinInt64 }

func (d *Decoder) decodeWhole() error {
	vals := make([]types.Datum, len(d.whole.typs))
	d.whole.dec.NullMisfits = d.NullMisfits
	if err := d.whole.dec.Decode(d.doc, vals); err != nil {
		return err
	}
	rec := types.Ref(&types.Record{Types: d.whole.typs, Names: d.whole.names, Vals: vals})
	for i := range d.slots {
		if d.slots[i].attnum == 0 {
			d.dst[i] = rec
		}
	}
	return nil
}

// walkRoot walks the fields of the document once.
func (d *Decoder) walkRoot(doc bson.Raw) error {
	if len(d.root.children) == 0 && len(d.us) == 0 {
		return nil
	}
	r := elemReader{data: doc}
	r.start()
	for n := 0; r.next(); n++ {
		node := d.wanted(n, r.key)
		if node == nil {
			if len(d.us) > 0 && string(r.key) == MicrosField && r.kind == bson.TypeEmbeddedDocument {
				d.readMicros(r.value)
			}
			continue
		}
		if err := d.visit(node, r.kind, r.value); err != nil {
			return err
		}
	}
	return r.err(d)
}

// wanted returns the node of a field, nil for one that no column is read from.
func (d *Decoder) wanted(n int, key []byte) *fieldNode {
	if n < len(d.hints) {
		if h := &d.hints[n]; len(h.key) == len(key) && h.key == string(key) {
			return h.node
		}
		node := d.root.childBytes(key)
		if node != nil {
			d.hints[n] = hint{node.key, node}
		}
		return node
	}
	node := d.root.childBytes(key)
	if n < maxHints {
		h := hint{node: node}
		if node != nil {
			h.key = node.key
		} else {
			h.key = string(key)
		}
		d.hints = append(d.hints, h)
	}
	return node
}

const maxHints = 256

func (d *Decoder) visit(node *fieldNode, kind bson.Type, value []byte) error {
	if node.seen == d.row {
		return nil // of two fields of a name the first counts, as in MongoDB
	}
	node.seen = d.row
	for _, s := range node.slots {
		if err := d.set(s, kind, value); err != nil {
			return err
		}
	}
	if len(node.children) == 0 {
		return nil
	}
	switch kind {
	case bson.TypeEmbeddedDocument:
	case bson.TypeArray:
		return d.arrayInTheWay(node)
	default:
		return nil
	}
	r := elemReader{data: value}
	r.start()
	for r.next() {
		if c := node.childBytes(r.key); c != nil {
			if err := d.visit(c, r.kind, r.value); err != nil {
				return err
			}
		}
	}
	return r.err(d)
}

// arrayInTheWay is the error of an array where a column's path goes on: MongoDB's conditions look into its elements.
func (d *Decoder) arrayInTheWay(node *fieldNode) error {
	for _, c := range node.children {
		for _, s := range c.slots {
			if err := d.misfit(s, d.slots[s].col, bson.TypeArray, pgerr.New(pgerr.InvalidTextRepresentation, "document expected at %q", node.key)); err != nil {
				return err
			}
		}
		if err := d.arrayInTheWay(c); err != nil {
			return err
		}
	}
	return nil
}

func (d *Decoder) readMicros(value []byte) {
	r := elemReader{data: value}
	r.start()
	for r.next() {
		for i := range d.us {
			if d.us[i].key == string(r.key) && r.kind == bson.TypeInt32 {
				d.frac[i] = int32(binary.LittleEndian.Uint32(r.value))
			}
		}
	}
}

// set converts one value into a column's slot.
func (d *Decoder) set(i int, kind bson.Type, value []byte) error {
	s := &d.slots[i]
	if kind == bson.TypeNull || kind == bson.TypeUndefined {
		d.dst[i] = types.Null
		return nil
	}
	switch s.fast {
	case fastInt4:
		if kind == bson.TypeInt32 {
			d.dst[i] = types.Int(int64(int32(binary.LittleEndian.Uint32(value))))
			return nil
		}
	case fastInt8:
		switch kind {
		case bson.TypeInt64:
			d.dst[i] = types.Int(int64(binary.LittleEndian.Uint64(value)))
			return nil
		case bson.TypeInt32:
			d.dst[i] = types.Int(int64(int32(binary.LittleEndian.Uint32(value))))
			return nil
		}
	case fastFloat:
		if kind == bson.TypeDouble {
			d.dst[i] = types.Float(math.Float64frombits(binary.LittleEndian.Uint64(value)))
			return nil
		}
	case fastText:
		if kind == bson.TypeString {
			d.dst[i] = types.Bytes(value[4 : len(value)-1])
			return nil
		}
	case fastBool:
		if kind == bson.TypeBoolean {
			d.dst[i] = types.Bool(value[0] != 0)
			return nil
		}
	}
	return d.convert(i, s.col, bson.RawValue{Type: kind, Value: value})
}

func (d *Decoder) convert(i int, c *catalog.Column, v bson.RawValue) error {
	if c.Form == catalog.FormObjectID {
		if v.Type != bson.TypeObjectID {
			return d.misfit(i, c, v.Type, pgerr.New(pgerr.InvalidTextRepresentation, "ObjectId expected"))
		}
		d.dst[i] = types.Str(v.ObjectID().Hex())
		return nil
	}
	t := c.Type
	if c.Form == catalog.FormAny {
		t = types.JSONBT
	}
	if v.Type == bson.TypeObjectID && d.rel.Native && t != types.JSONBT {
		// MongoDB's conditions would look for a string.
		return d.misfit(i, c, v.Type, pgerr.New(pgerr.InvalidTextRepresentation, "the column is not one of ObjectIds"))
	}
	datum, err := types.FromBSON(t, v)
	if err != nil {
		return d.misfit(i, c, v.Type, err)
	}
	d.dst[i] = datum
	return nil
}

// misfit deals with a value that does not fit its column.
func (d *Decoder) misfit(i int, c *catalog.Column, found bson.Type, cause error) error {
	if d.NullMisfits {
		d.dst[i] = types.Null
		return nil
	}
	return d.mismatch(c, found, cause)
}

// mismatch is the error of a value that does not fit its column: it never reads as something else in silence.
func (d *Decoder) mismatch(c *catalog.Column, found bson.Type, cause error) error {
	m := &catalog.Misfit{Drift: catalog.Drift{
		Table: d.rel.Name, Collection: d.rel.Collection, Field: strings.Join(c.Path, "."), BSONType: types.BSONTypeName(found), Column: c.Name,
		ColumnType: types.FormatType(c.Type, c.Typmod), Documents: 1, Sampled: 1, ID: idText(d.doc), LastSeen: time.Now(),
	}}
	m.Text = fmt.Sprintf("value of field %q in collection %q does not fit type %s of column %q", m.Drift.Field, m.Drift.Collection, m.Drift.ColumnType, c.Name)
	if v, err := d.doc.LookupErr(c.Path...); err == nil {
		m.Drift.Example = v.String()
	}
	return pgerr.New(pgerr.InvalidTextRepresentation, "%w", m).
		WithDetail("The document with _id %s holds a BSON %s there: %s.", idText(d.doc), found, message(cause)).
		WithHint("pgmongo.on_type_mismatch = null reads such values as NULL; pgmongo.schema_drift lists them.").
		WithColumn(d.rel.Schema, d.rel.Name, c.Name)
}

func message(err error) string {
	if e := pgerr.From(err); e != nil {
		return e.Message
	}
	return ""
}

// idText shows a document's _id in MongoDB's extended JSON.
func idText(doc bson.Raw) string {
	v, err := doc.LookupErr("_id")
	if err != nil {
		return "(missing)"
	}
	return v.String()
}

// elemReader walks the elements of a document without allocating.
type elemReader struct {
	data  []byte
	pos   int
	kind  bson.Type
	key   []byte
	value []byte
	bad   bool
}

func (r *elemReader) start() {
	r.pos = 4
	if len(r.data) < 5 {
		r.bad = true
	}
}

// next steps to the next element; false at the end or where the document is malformed.
func (r *elemReader) next() bool {
	if r.bad || r.pos >= len(r.data) || r.data[r.pos] == 0 {
		return false
	}
	r.kind = bson.Type(r.data[r.pos])
	i := r.pos + 1
	for i < len(r.data) && r.data[i] != 0 {
		i++
	}
	if i >= len(r.data) {
		r.bad = true
		return false
	}
	r.key = r.data[r.pos+1 : i]
	i++
	n := valueLen(r.kind, r.data[i:])
	if n < 0 || i+n > len(r.data) {
		r.bad = true
		return false
	}
	r.value = r.data[i : i+n : i+n]
	r.pos = i + n
	return true
}

func (r *elemReader) err(d *Decoder) error {
	if !r.bad {
		return nil
	}
	return pgerr.New(pgerr.DataCorrupted, "malformed document in collection %q", d.rel.Collection)
}

// valueLen returns the length of a BSON value at the start of b, -1 if it is malformed.
func valueLen(kind bson.Type, b []byte) int {
	switch kind {
	case bson.TypeDouble, bson.TypeDateTime, bson.TypeTimestamp, bson.TypeInt64:
		return 8
	case bson.TypeInt32:
		return 4
	case bson.TypeBoolean:
		return 1
	case bson.TypeObjectID:
		return 12
	case bson.TypeDecimal128:
		return 16
	case bson.TypeNull, bson.TypeUndefined, bson.TypeMinKey, bson.TypeMaxKey:
		return 0
	case bson.TypeRegex:
		return cstrings(b, 2)
	}
	if len(b) < 4 {
		return -1
	}
	n := int(int32(binary.LittleEndian.Uint32(b)))
	if n < 0 {
		return -1
	}
	switch kind {
	case bson.TypeString, bson.TypeJavaScript, bson.TypeSymbol:
		if n < 1 {
			return -1
		}
		return 4 + n
	case bson.TypeEmbeddedDocument, bson.TypeArray, bson.TypeCodeWithScope:
		if n < 5 {
			return -1
		}
		return n
	case bson.TypeBinary:
		return 5 + n
	case bson.TypeDBPointer:
		return 4 + n + 12
	}
	return -1
}

func cstrings(b []byte, n int) int {
	for i, c := range b {
		if c == 0 {
			if n--; n == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// systemColumn computes a system column of the document in progress.
func (d *Decoder) systemColumn(attnum int16) types.Datum {
	switch attnum {
	case AttTableOID:
		return types.Int(int64(d.rel.OID))
	case AttCtid:
		return types.Str(Ctid(d.doc))
	case AttXmin:
		return types.Int(frozenXid)
	}
	return types.Int(0)
}

// frozenXid is PostgreSQL's xid of rows that every transaction sees.
const frozenXid = 2

// Ctid returns a document's tuple identifier, derived from its _id, which is all that identifies a document: 48 bits of a
// hash as block and offset. It is the same at every reading, by any server.
func Ctid(doc bson.Raw) string {
	h := uint64(14695981039346656037)
	if v, err := doc.LookupErr("_id"); err == nil {
		h = fnv(fnv(h, []byte{byte(v.Type)}), v.Value)
	}
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 32
	return fmt.Sprintf("(%d,%d)", uint32(h>>16), uint16(h)|1)
}

func fnv(h uint64, b []byte) uint64 {
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}
