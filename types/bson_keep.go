package types

import (
	"bytes"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// KeepBSON returns a JSON value as BSON, with what is the same as before in the stored form that it had: a date, an ObjectId or an int64
// below a document stays one, and fields keep their order, though SQL changed the document as jsonb.
func KeepBSON(before bson.RawValue, j *JSON) bson.RawValue {
	typ, b := appendKept(nil, before, j, true)
	return bson.RawValue{Type: typ, Value: b}
}

func appendKept(dst []byte, before bson.RawValue, j *JSON, top bool) (bson.Type, []byte) {
	if was := jsonFromBSON(before); was != nil && before.Type != bson.TypeUndefined && bytes.Equal(AppendJSON(nil, was), AppendJSON(nil, j)) {
		if !top || before.Type != bson.TypeNull {
			return before.Type, append(dst, before.Value...)
		}
	}
	switch {
	case j.Kind == JSONObject && before.Type == bson.TypeEmbeddedDocument && !wrapped(before.Value, j):
		start := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		had := map[string]bool{}
		eachElement(before.Value, func(key string, v bson.RawValue) bool {
			if now := j.Get(key); now != nil && !had[key] {
				had[key] = true
				dst = appendKeptElement(dst, key, v, now)
			}
			return true
		})
		for _, f := range j.Fields {
			if !had[f.Key] {
				dst = appendKeptElement(dst, f.Key, bson.RawValue{}, f.Value)
			}
		}
		return bson.TypeEmbeddedDocument, endDocument(dst, start)
	case j.Kind == JSONArray && before.Type == bson.TypeArray:
		var old []bson.RawValue
		eachElement(before.Value, func(_ string, v bson.RawValue) bool {
			old = append(old, v)
			return true
		})
		start := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		for i, e := range j.Elems {
			was := bson.RawValue{}
			if i < len(old) {
				was = old[i]
			}
			dst = appendKeptElement(dst, strconv.Itoa(i), was, e)
		}
		return bson.TypeArray, endDocument(dst, start)
	}
	return appendJSONBValue(dst, j, top)
}

func appendKeptElement(dst []byte, key string, before bson.RawValue, j *JSON) []byte {
	at := len(dst)
	dst = append(append(append(dst, 0), key...), 0)
	var typ bson.Type
	if before.Type == 0 {
		typ, dst = appendJSONBValue(dst, j, false)
	} else {
		typ, dst = appendKept(dst, before, j, false)
	}
	dst[at] = byte(typ)
	return dst
}

// wrapped reports whether one of two documents is a wrapper of what plain BSON cannot say.
func wrapped(before []byte, j *JSON) bool {
	found := len(j.Fields) == 1 && len(j.Fields[0].Key) >= len(wrapPrefix) && j.Fields[0].Key[:len(wrapPrefix)] == wrapPrefix
	eachElement(before, func(key string, _ bson.RawValue) bool {
		found = found || len(key) >= len(wrapPrefix) && key[:len(wrapPrefix)] == wrapPrefix
		return !found
	})
	return found
}
