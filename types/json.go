package types

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// NewJSONString, NewJSONNumber, NewJSONBool, NewJSONArray and NewJSONObject build jsonb values. What they are given is
// shared, not copied, and must not be changed afterwards.
func NewJSONString(s string) *JSON { return &JSON{Kind: JSONString, Str: s} }

// NewJSONNumber returns a JSON number; NaN and the infinities, which JSON has not, become strings.
func NewJSONNumber(n *apd.Decimal) *JSON {
	if n.Form != apd.Finite {
		return NewJSONString(string(AppendNumeric(nil, n)))
	}
	return &JSON{Kind: JSONNumber, Num: n}
}

// NewJSONInt returns a JSON number.
func NewJSONInt(n int64) *JSON { return &JSON{Kind: JSONNumber, Num: apd.New(n, 0)} }

// NewJSONBool returns true or false.
func NewJSONBool(b bool) *JSON { return &JSON{Kind: JSONBool, Bool: b} }

// NewJSONNull returns JSON's null.
func NewJSONNull() *JSON { return &JSON{Kind: JSONNull} }

// NewJSONArray returns an array of the elements.
func NewJSONArray(elems []*JSON) *JSON { return &JSON{Kind: JSONArray, Elems: elems} }

// NewJSONObject returns an object of the members in any order; of members with equal keys the last one stays.
func NewJSONObject(fields []JSONField) *JSON {
	j := &JSON{Kind: JSONObject, Fields: fields}
	ordered := slices.IsSortedFunc(fields, func(a, b JSONField) int {
		if c := compareKeys(a.Key, b.Key); c != 0 {
			return c
		}
		return 1 // a duplicate needs the slow way
	})
	if ordered && (len(fields) < 2 || compareKeys(fields[0].Key, fields[1].Key) != 0) {
		return j
	}
	slices.SortStableFunc(fields, func(a, b JSONField) int { return compareKeys(a.Key, b.Key) })
	out := fields[:0]
	for i, f := range fields {
		if i+1 < len(fields) && fields[i+1].Key == f.Key {
			continue
		}
		out = append(out, f)
	}
	j.Fields = out
	return j
}

// compareKeys is jsonb's storage order of keys: by length, then bytewise.
func compareKeys(a, b string) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// Get returns the member of an object with that key, nil if there is none.
func (j *JSON) Get(key string) *JSON {
	if j.Kind != JSONObject {
		return nil
	}
	i, ok := slices.BinarySearchFunc(j.Fields, key, func(f JSONField, k string) int { return compareKeys(f.Key, k) })
	if !ok {
		return nil
	}
	return j.Fields[i].Value
}

// Index returns the element of an array, counted from 0 or, when negative, from the end; nil if there is none.
func (j *JSON) Index(i int) *JSON {
	if j.Kind != JSONArray {
		return nil
	}
	if i < 0 {
		i += len(j.Elems)
	}
	if i < 0 || i >= len(j.Elems) {
		return nil
	}
	return j.Elems[i]
}

// Path follows keys and array indexes as #> does; nil if it leads nowhere.
func (j *JSON) Path(path []string) *JSON {
	for _, p := range path {
		if j == nil {
			return nil
		}
		switch j.Kind {
		case JSONObject:
			j = j.Get(p)
		case JSONArray:
			d, err := inputInt(p, 32, "integer")
			if err != nil {
				return nil
			}
			j = j.Index(int(d.Int()))
		default:
			return nil
		}
	}
	return j
}

// Text returns what ->> gives: the string itself for strings, ok = false for null, the JSON text for the rest.
func (j *JSON) Text() (s string, ok bool) {
	switch j.Kind {
	case JSONNull:
		return "", false
	case JSONString:
		return j.Str, true
	}
	return string(AppendJSON(nil, j)), true
}

// AppendJSON appends jsonb's canonical text.
func AppendJSON(dst []byte, j *JSON) []byte {
	switch j.Kind {
	case JSONNull:
		return append(dst, "null"...)
	case JSONBool:
		if j.Bool {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case JSONNumber:
		return AppendNumeric(dst, j.Num)
	case JSONString:
		return AppendJSONString(dst, j.Str)
	case JSONArray:
		dst = append(dst, '[')
		for i, e := range j.Elems {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = AppendJSON(dst, e)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i, f := range j.Fields {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(AppendJSONString(dst, f.Key), ": "...)
		dst = AppendJSON(dst, f.Value)
	}
	return append(dst, '}')
}

// AppendJSONString appends s as a quoted JSON string.
func AppendJSONString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// CompareJSON orders jsonb values: null < string < number < boolean < array < object, arrays and objects by their number
// of elements first. An empty array at the top sorts before everything.
func CompareJSON(a, b *JSON) int {
	ea := a.Kind == JSONArray && len(a.Elems) == 0
	eb := b.Kind == JSONArray && len(b.Elems) == 0
	if ea != eb && (a.Kind < JSONArray || b.Kind < JSONArray) {
		// PostgreSQL holds a scalar at the top as an array of one element, so it is longer than an empty array.
		if ea {
			return -1
		}
		return 1
	}
	return compareJSON(a, b)
}

func compareJSON(a, b *JSON) int {
	if c := cmp.Compare(a.Kind, b.Kind); c != 0 {
		return c
	}
	switch a.Kind {
	case JSONString:
		return strings.Compare(a.Str, b.Str)
	case JSONNumber:
		return CompareNumeric(a.Num, b.Num)
	case JSONBool:
		return cmp.Compare(b2u(a.Bool), b2u(b.Bool))
	case JSONArray:
		if c := cmp.Compare(len(a.Elems), len(b.Elems)); c != 0 {
			return c
		}
		for i := range a.Elems {
			if c := compareJSON(a.Elems[i], b.Elems[i]); c != 0 {
				return c
			}
		}
	case JSONObject:
		if c := cmp.Compare(len(a.Fields), len(b.Fields)); c != 0 {
			return c
		}
		for i := range a.Fields {
			if c := strings.Compare(a.Fields[i].Key, b.Fields[i].Key); c != 0 {
				return c
			}
			if c := compareJSON(a.Fields[i].Value, b.Fields[i].Value); c != 0 {
				return c
			}
		}
	}
	return 0
}

func hashJSON(j *JSON, seed uint64) uint64 {
	h := mix(seed, uint64(j.Kind))
	switch j.Kind {
	case JSONString:
		return hashString(j.Str, h)
	case JSONNumber:
		return hashNumeric(j.Num, h)
	case JSONBool:
		return mix(h, b2u(j.Bool))
	case JSONArray:
		for _, e := range j.Elems {
			h = hashJSON(e, h)
		}
	case JSONObject:
		for _, f := range j.Fields {
			h = hashJSON(f.Value, hashString(f.Key, h))
		}
	}
	return h
}

func (j *JSON) size() int {
	n := 96 + len(j.Str)
	if j.Num != nil {
		n += int(j.Num.Size())
	}
	for _, e := range j.Elems {
		n += 8 + e.size()
	}
	for _, f := range j.Fields {
		n += 24 + len(f.Key) + f.Value.size()
	}
	return n
}
