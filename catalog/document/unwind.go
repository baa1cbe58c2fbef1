package document

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Unwinds reports whether the relation is a child table: then a document has many rows, which Rows reads.
func (d *Decoder) Unwinds() bool { return d.elem != nil }

// Rows reads the rows of a child table from a document of its parent: one for each element of the array at rel.Unwind.
// A missing, null or empty array has none; another value is a misfit.
// row returns where the next row is to go.
func (d *Decoder) Rows(doc bson.Raw, row func() []types.Datum) error {
	v, ok := lookup(doc, d.rel.Unwind)
	if !ok || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
		return nil
	}
	if v.Type != bson.TypeArray {
		if d.NullMisfits {
			return nil
		}
		d.doc = doc
		return d.mismatch(d.rel.Columns[1], v.Type, pgerr.New(pgerr.InvalidTextRepresentation, "array expected"))
	}
	r := elemReader{data: v.Value}
	r.start()
	for n := int64(1); r.next(); n++ {
		if err := d.decodeElement(doc, r.kind, r.value, types.Int(n), row()); err != nil {
			return err
		}
	}
	return r.err(d)
}

func (d *Decoder) decodeElement(doc bson.Raw, kind bson.Type, value []byte, ordinal types.Datum, dst []types.Datum) error {
	copy(dst, d.missing)
	d.dst, d.doc = dst, doc
	d.row++
	if err := d.walkRoot(doc); err != nil {
		return err
	}
	if err := d.visit(d.elem, kind, value); err != nil {
		return err
	}
	for i := range d.slots {
		if c := d.slots[i].col; c != nil && c.Form == catalog.FormOrdinal {
			dst[i] = ordinal
		}
	}
	if d.whole == nil {
		return d.finish()
	}
	vals := make([]types.Datum, len(d.whole.typs))
	d.whole.dec.NullMisfits = d.NullMisfits
	if err := d.whole.dec.decodeElement(doc, kind, value, ordinal, vals); err != nil {
		return err
	}
	whole := d.whole
	d.whole = nil
	err := d.finish()
	d.whole = whole
	for i := range d.slots {
		if d.slots[i].attnum == 0 {
			dst[i] = types.Ref(&types.Record{Types: whole.typs, Names: whole.names, Vals: vals})
		}
	}
	return err
}

// lookup finds the value at a path through documents.
func lookup(doc bson.Raw, path []string) (bson.RawValue, bool) {
	r := elemReader{data: doc}
	r.start()
	for r.next() {
		if string(r.key) != path[0] {
			continue
		}
		if len(path) == 1 {
			return bson.RawValue{Type: r.kind, Value: r.value}, true
		}
		if r.kind != bson.TypeEmbeddedDocument {
			return bson.RawValue{}, false
		}
		return lookup(r.value, path[1:])
	}
	return bson.RawValue{}, false
}
