package types

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// What jsonb can say and plain BSON cannot is wrapped in a document with one of these keys as its only one: a number with
// more than 34 digits (its text), a JSON null as a whole column value (BSON's null is SQL's NULL), and an object that by
// itself looks like a wrapper.
const (
	wrapPrefix  = "$pgmongo."
	wrapNumeric = "$pgmongo.numeric"
	wrapNull    = "$pgmongo.null"
	wrapObject  = "$pgmongo.object"
)

// appendJSONBValue appends a JSON value as natural BSON; top says that it is a whole column value.
func appendJSONBValue(dst []byte, j *JSON, top bool) (bson.Type, []byte) {
	switch j.Kind {
	case JSONNull:
		if !top {
			return bson.TypeNull, dst
		}
		start := len(dst)
		dst = append(dst, 0, 0, 0, 0, byte(bson.TypeBoolean))
		dst = append(append(dst, wrapNull...), 0, 1)
		return bson.TypeEmbeddedDocument, endDocument(dst, start)
	case JSONString:
		return bson.TypeString, appendBSONString(dst, j.Str)
	case JSONBool:
		return bson.TypeBoolean, append(dst, byte(b2u(j.Bool)))
	case JSONNumber:
		return appendJSONNumber(dst, j.Num)
	case JSONArray:
		start := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		for i, e := range j.Elems {
			at := len(dst)
			dst = append(strconv.AppendInt(append(dst, 0), int64(i), 10), 0)
			var typ bson.Type
			typ, dst = appendJSONBValue(dst, e, false)
			dst[at] = byte(typ)
		}
		return bson.TypeArray, endDocument(dst, start)
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if len(j.Fields) == 1 && strings.HasPrefix(j.Fields[0].Key, wrapPrefix) {
		dst = append(append(append(dst, byte(bson.TypeEmbeddedDocument)), wrapObject...), 0)
		inner := len(dst)
		dst = endDocument(appendFields(append(dst, 0, 0, 0, 0), j.Fields), inner)
	} else {
		dst = appendFields(dst, j.Fields)
	}
	return bson.TypeEmbeddedDocument, endDocument(dst, start)
}

func appendFields(dst []byte, fields []JSONField) []byte {
	for _, f := range fields {
		at := len(dst)
		dst = append(append(append(dst, 0), f.Key...), 0)
		var typ bson.Type
		typ, dst = appendJSONBValue(dst, f.Value, false)
		dst[at] = byte(typ)
	}
	return dst
}

// appendJSONNumber chooses the narrowest BSON number that reads back with the same text.
func appendJSONNumber(dst []byte, n *apd.Decimal) (bson.Type, []byte) {
	le := binary.LittleEndian
	if n.Exponent == 0 {
		if i, err := n.Int64(); err == nil {
			if i == int64(int32(i)) {
				return bson.TypeInt32, le.AppendUint32(dst, uint32(i))
			}
			return bson.TypeInt64, le.AppendUint64(dst, uint64(i))
		}
	}
	if out, ok := appendDecimal(dst, n); ok {
		return bson.TypeDecimal128, out
	}
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, byte(bson.TypeString))
	dst = append(append(dst, wrapNumeric...), 0)
	return bson.TypeEmbeddedDocument, endDocument(appendBSONString(dst, string(AppendNumeric(nil, n))), start)
}

// jsonFromBSON reads any BSON value as JSON: an ObjectId as its hex digits, a Date as to_json(timestamptz) writes it in
// UTC, a UUID as its text, other binary data in base64, and what JSON has no word for in MongoDB's extended JSON. It
// returns nil for broken BSON.
func jsonFromBSON(v bson.RawValue) *JSON {
	le := binary.LittleEndian
	switch v.Type {
	case bson.TypeNull, bson.TypeUndefined:
		return NewJSONNull()
	case bson.TypeString, bson.TypeSymbol:
		if s, ok := bsonString(v.Value); ok {
			return NewJSONString(s)
		}
	case bson.TypeInt32:
		return NewJSONInt(int64(int32(le.Uint32(v.Value))))
	case bson.TypeInt64:
		return NewJSONInt(int64(le.Uint64(v.Value)))
	case bson.TypeDouble:
		return NewJSONNumber(NumericFromFloat(math.Float64frombits(le.Uint64(v.Value))))
	case bson.TypeDecimal128:
		return NewJSONNumber(decimalFromBSON(v.Value))
	case bson.TypeBoolean:
		return NewJSONBool(v.Value[0] != 0)
	case bson.TypeArray:
		return jsonArrayFromBSON(v.Value)
	case bson.TypeEmbeddedDocument:
		return jsonObjectFromBSON(v.Value, true)
	case bson.TypeObjectID:
		return NewJSONString(hex.EncodeToString(v.Value))
	case bson.TypeDateTime:
		return NewJSONString(string(appendJSONDate(nil, int64(le.Uint64(v.Value)))))
	case bson.TypeBinary:
		subtype, data, ok := binaryBytes(v.Value)
		switch {
		case !ok:
		case subtype == 4 && len(data) == 16:
			return NewJSONString(string(appendUUID(nil, string(data))))
		default:
			return NewJSONString(base64.StdEncoding.EncodeToString(data))
		}
	default:
		return extendedJSON(v)
	}
	return nil
}

func appendJSONDate(dst []byte, millis int64) []byte {
	ts, ok := JoinMicros(millis, 0)
	if !ok {
		return strconv.AppendInt(dst, millis, 10)
	}
	if dst, ok := appendInfinity(dst, ts); ok {
		return dst
	}
	days, micros := SplitTimestamp(ts)
	y, _, _ := CivilFromDate(days)
	dst = appendDate(storageIO, dst, days)
	if y <= 0 {
		dst = dst[:len(dst)-3]
	}
	dst = append(appendTime(append(dst, 'T'), micros), "+00:00"...)
	return appendBC(dst, y)
}

func jsonArrayFromBSON(b []byte) *JSON {
	elems := []*JSON{}
	ok := eachElement(b, func(_ string, v bson.RawValue) bool {
		e := jsonFromBSON(v)
		elems = append(elems, e)
		return e != nil
	})
	if !ok {
		return nil
	}
	return NewJSONArray(elems)
}

func jsonObjectFromBSON(b []byte, unwrap bool) *JSON {
	var fields []JSONField
	var only bson.RawValue
	ok := eachElement(b, func(key string, v bson.RawValue) bool {
		e := jsonFromBSON(v)
		fields = append(fields, JSONField{key, e})
		only = v
		return e != nil
	})
	if !ok {
		return nil
	}
	if unwrap && len(fields) == 1 && strings.HasPrefix(fields[0].Key, wrapPrefix) {
		switch f := fields[0]; {
		case f.Key == wrapNull && f.Value.Kind == JSONBool:
			return NewJSONNull()
		case f.Key == wrapObject && only.Type == bson.TypeEmbeddedDocument:
			return jsonObjectFromBSON(only.Value, false)
		case f.Key == wrapNumeric && f.Value.Kind == JSONString:
			if n, err := ParseNumeric(f.Value.Str); err == nil && n.Form == apd.Finite {
				return NewJSONNumber(n)
			}
		}
	}
	return NewJSONObject(fields)
}

// eachElement walks a document or array; it returns false for broken BSON or when yield does.
func eachElement(b []byte, yield func(key string, v bson.RawValue) bool) bool {
	length, rem, ok := bsoncore.ReadLength(b)
	if !ok || int(length) > len(b) || length < 5 {
		return false
	}
	rem = rem[:length-4]
	for len(rem) > 1 {
		elem, next, ok := bsoncore.ReadElement(rem)
		if !ok {
			return false
		}
		v, err := elem.ValueErr()
		if err != nil || !yield(elem.Key(), bson.RawValue{Type: bson.Type(v.Type), Value: v.Data}) {
			return false
		}
		rem = next
	}
	return true
}

// extendedJSON reads the BSON types that have no natural JSON form through MongoDB's canonical extended JSON.
func extendedJSON(v bson.RawValue) *JSON {
	doc := []byte{0, 0, 0, 0, byte(v.Type), 'v', 0}
	doc = endDocument(append(doc, v.Value...), 0)
	text, err := bson.MarshalExtJSON(bson.Raw(doc), true, false)
	if err != nil {
		return nil
	}
	j, err := ParseJSON(string(text))
	if err != nil {
		return nil
	}
	return j.Get("v")
}
