package types

import (
	"encoding/binary"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// An array is stored as BSON arrays nested by dimension. What that cannot say (lower bounds other than 1, or elements
// that are BSON arrays themselves in more than one dimension) is a document {dims, lb, v} with the elements in one row.

func nestsNaturally(elem *T) bool { return elem.BaseType().OID != oidJSONB }

func appendArrayValue(dst []byte, t *T, a *Array) (bson.Type, []byte, error) {
	vector := t.OID == oidInt2Vector || t.OID == oidOidVector
	if vector || allOnes(a.Lower) && (len(a.Dims) <= 1 || nestsNaturally(a.Elem)) {
		next := 0
		dst, err := appendDim(dst, a, 0, &next)
		return bson.TypeArray, dst, err
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	lower := make([]int32, len(a.Dims))
	for i := range lower {
		lower[i] = a.LowerBound(i)
	}
	dst = appendInts(append(dst, byte(bson.TypeArray), 'd', 'i', 'm', 's', 0), a.Dims)
	dst = appendInts(append(dst, byte(bson.TypeArray), 'l', 'b', 0), lower)
	flat, next := Array{Elem: a.Elem, Dims: []int32{int32(len(a.Vals))}, Vals: a.Vals}, 0
	dst, err := appendDim(append(dst, byte(bson.TypeArray), 'v', 0), &flat, 0, &next)
	if err != nil {
		return 0, dst, err
	}
	return bson.TypeEmbeddedDocument, endDocument(dst, start), nil
}

func appendInts(dst []byte, ns []int32) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	for i, n := range ns {
		dst = append(strconv.AppendInt(append(dst, byte(bson.TypeInt32)), int64(i), 10), 0)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(n))
	}
	return endDocument(dst, start)
}

func appendDim(dst []byte, a *Array, dim int, next *int) ([]byte, error) {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	n := 0
	if len(a.Dims) > 0 {
		n = int(a.Dims[dim])
	}
	for i := range n {
		at := len(dst)
		dst = append(strconv.AppendInt(append(dst, byte(bson.TypeArray)), int64(i), 10), 0)
		var err error
		if dim+1 < len(a.Dims) {
			dst, err = appendDim(dst, a, dim+1, next)
		} else {
			var typ bson.Type
			typ, dst, err = appendValue(dst, a.Elem, a.Vals[*next], true)
			dst[at] = byte(typ)
			*next++
		}
		if err != nil {
			return dst, err
		}
	}
	return endDocument(dst, start), nil
}

func arrayFromBSON(t *T, v bson.RawValue) (Datum, error) {
	switch v.Type {
	case bson.TypeArray:
	case bson.TypeEmbeddedDocument:
		return boundedArrayFromBSON(t, v)
	default:
		return Null, badBSON(t, v)
	}
	a := &Array{Elem: t.Elem}
	r := arrayReader{t: t, a: a}
	if err := r.dim(v.Value, 0); err != nil {
		return Null, err
	}
	if t.OID == oidInt2Vector || t.OID == oidOidVector {
		return NewVector(t.Elem, a.Vals), nil
	}
	if len(a.Vals) == 0 {
		a.Dims = nil
	}
	return Ref(a), nil
}

type arrayReader struct {
	t     *T
	a     *Array
	depth int // of the elements, 0 while unknown
}

func (r *arrayReader) dim(b []byte, dim int) error {
	if dim >= maxArrayDims {
		return tooManyDims(dim + 1)
	}
	if dim == len(r.a.Dims) {
		r.a.Dims = append(r.a.Dims, -1)
	}
	n := int32(0)
	var err error
	ragged := func(v bson.RawValue) bool {
		err = bsonMisfit(r.t, v)
		return false
	}
	ok := eachElement(b, func(_ string, v bson.RawValue) bool {
		n++
		if v.Type == bson.TypeArray && nestsNaturally(r.t.Elem) {
			if r.depth > 0 && dim+1 >= r.depth {
				return ragged(v)
			}
			err = r.dim(v.Value, dim+1)
			return err == nil
		}
		if r.depth == 0 {
			r.depth = dim + 1
		}
		if r.depth != dim+1 {
			return ragged(v)
		}
		var d Datum
		d, err = FromBSON(r.t.Elem, v)
		r.a.Vals = append(r.a.Vals, d)
		return err == nil
	})
	whole := bson.RawValue{Type: bson.TypeArray, Value: b}
	switch {
	case err != nil:
		return err
	case !ok:
		return badBSON(r.t, whole)
	case dim > 0 && n == 0, r.a.Dims[dim] >= 0 && r.a.Dims[dim] != n:
		return bsonMisfit(r.t, whole)
	}
	r.a.Dims[dim] = n
	return nil
}

func boundedArrayFromBSON(t *T, v bson.RawValue) (Datum, error) {
	a := &Array{Elem: t.Elem}
	var err error
	ints := func(b []byte) (ns []int32) {
		eachElement(b, func(_ string, v bson.RawValue) bool {
			n, _, _ := bsonInt(v)
			ns = append(ns, int32(n))
			return true
		})
		return ns
	}
	ok := eachElement(v.Value, func(key string, v bson.RawValue) bool {
		switch key {
		case "dims":
			a.Dims = ints(v.Value)
		case "lb":
			a.Lower = ints(v.Value)
		case "v":
			return eachElement(v.Value, func(_ string, v bson.RawValue) bool {
				var d Datum
				d, err = FromBSON(t.Elem, v)
				a.Vals = append(a.Vals, d)
				return err == nil
			})
		default:
			return false
		}
		return v.Type == bson.TypeArray
	})
	if err != nil {
		return Null, err
	}
	n := int32(1)
	for _, d := range a.Dims {
		n *= d
	}
	if !ok || len(a.Dims) == 0 || len(a.Lower) != len(a.Dims) || int(n) != len(a.Vals) {
		return Null, badBSON(t, v)
	}
	return Ref(a), nil
}

// A composite value is a document by attribute names.
func appendRecordValue(dst []byte, t *T, r *Record) (bson.Type, []byte, error) {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	i := 0
	for _, f := range t.Fields {
		if f.Dropped {
			continue
		}
		var err error
		if i < len(r.Vals) {
			if dst, err = appendElement(dst, f.key(), f.Type, r.Vals[i], true); err != nil {
				return 0, dst, err
			}
		}
		i++
	}
	return bson.TypeEmbeddedDocument, endDocument(dst, start), nil
}

func recordFromBSON(t *T, v bson.RawValue) (Datum, error) {
	r := &Record{}
	doc := bson.Raw(v.Value)
	for _, f := range t.Fields {
		if f.Dropped {
			continue
		}
		var d Datum
		e, err := doc.LookupErr(f.key())
		if err == nil {
			if d, err = FromBSON(f.Type, e); err != nil {
				return Null, err
			}
		}
		r.Types, r.Vals = append(r.Types, f.Type), append(r.Vals, d)
	}
	return Ref(r), nil
}

// A range is {lower, upper, li, ui} without the bounds that are infinite, or {empty: true}.
func appendRangeValue(dst []byte, t *T, r *Range) (bson.Type, []byte, error) {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if r.Empty {
		dst = append(append(append(dst, byte(bson.TypeBoolean)), "empty"...), 0, 1)
		return bson.TypeEmbeddedDocument, endDocument(dst, start), nil
	}
	var err error
	for _, b := range []struct {
		key, incKey string
		d           Datum
		inc         bool
	}{{"lower", "li", r.Lower, r.LowerInc}, {"upper", "ui", r.Upper, r.UpperInc}} {
		if b.d.IsNull() {
			continue
		}
		if dst, err = appendElement(dst, b.key, t.Subtype, b.d, true); err != nil {
			return 0, dst, err
		}
		dst = append(append(append(dst, byte(bson.TypeBoolean)), b.incKey...), 0, byte(b2u(b.inc)))
	}
	return bson.TypeEmbeddedDocument, endDocument(dst, start), nil
}

func rangeFromBSON(t *T, v bson.RawValue) (Datum, error) {
	if v.Type != bson.TypeEmbeddedDocument {
		return Null, badBSON(t, v)
	}
	r := &Range{}
	var err error
	ok := eachElement(v.Value, func(key string, v bson.RawValue) bool {
		flag := v.Type == bson.TypeBoolean && len(v.Value) == 1 && v.Value[0] != 0
		switch key {
		case "empty":
			r.Empty = flag
		case "li":
			r.LowerInc = flag
		case "ui":
			r.UpperInc = flag
		case "lower":
			r.Lower, err = FromBSON(t.Subtype, v)
		case "upper":
			r.Upper, err = FromBSON(t.Subtype, v)
		default:
			return false
		}
		return err == nil
	})
	if err != nil {
		return Null, err
	}
	if !ok {
		return Null, bsonMisfit(t, v)
	}
	r, err = NewRange(t, r.Lower, r.Upper, r.LowerInc, r.UpperInc, r.Empty)
	if err != nil {
		return Null, err
	}
	return Ref(r), nil
}
