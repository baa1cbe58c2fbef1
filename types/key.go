package types

import (
	"encoding/binary"
	"math"

	"github.com/cockroachdb/apd/v3"
)

// AppendKey appends a form of a value of t in which two values are the same bytes exactly when t's default equality
// operator holds for them, so that what compares bytes can keep them apart: '1 day' and '24 hours', 1.0 and 1.00, and the
// jsonb values of these are one key. NULLs are equal. A value ends where it says so: keys of several values are theirs in a row.
func AppendKey(b []byte, t *T, d Datum) []byte {
	if d.IsNull() {
		return append(b, 0)
	}
	b = append(b, 1)
	switch t.Rep {
	case RepInt, RepBool:
		return binary.BigEndian.AppendUint64(b, d.n)
	case RepString:
		return appendKeyText(b, equalityText(t, d))
	case RepFloat:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(floatKey(d.Float())))
	}
	if base := t.BaseType(); base.ext != nil {
		return appendKeyText(b, base.ext.key(d))
	}
	switch x := d.Ref().(type) {
	case *apd.Decimal:
		return appendNumericKey(b, x)
	case *JSON:
		return appendJSONKey(b, x)
	case *Array:
		b = binary.AppendUvarint(b, uint64(len(x.Dims)))
		for i, n := range x.Dims {
			b = binary.AppendVarint(binary.AppendVarint(b, int64(n)), int64(x.LowerBound(i)))
		}
		for _, v := range x.Vals {
			b = AppendKey(b, x.Elem, v)
		}
		return b
	case *Record:
		b = binary.AppendUvarint(b, uint64(len(x.Vals)))
		for i, v := range x.Vals {
			b = AppendKey(b, x.Types[i], v)
		}
		return b
	case *Interval:
		days, micros := intervalKey(x)
		return binary.AppendVarint(binary.AppendVarint(b, days), micros)
	case *TimeTZ:
		return binary.AppendVarint(binary.AppendVarint(b, x.Micros+int64(x.Zone)*1e6), int64(x.Zone))
	case *Range:
		return appendRangeKey(b, t.BaseType().Subtype, x)
	case *Multirange:
		b = binary.AppendUvarint(b, uint64(len(x.Ranges)))
		for _, r := range x.Ranges {
			b = appendRangeKey(b, t.BaseType().Subtype, r)
		}
		return b
	case *Inet:
		addr := x.Prefix.Addr().AsSlice()
		return append(append(b, byte(len(addr)), byte(x.Prefix.Bits())), addr...)
	case *TSVector:
		return appendKeyText(b, string(appendTSVector(nil, x)))
	case *TSQuery:
		return appendKeyText(b, string(appendTSQuery(nil, x)))
	}
	return binary.BigEndian.AppendUint64(b, d.n)
}

func appendKeyText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// floatKey gives equal floats one form: -0 equals 0, and every NaN equals every other.
func floatKey(f float64) float64 {
	switch {
	case f == 0:
		return 0
	case math.IsNaN(f):
		return math.NaN()
	}
	return f
}

func appendRangeKey(b []byte, sub *T, r *Range) []byte {
	if r.Empty {
		return append(b, 8)
	}
	b = append(b, byte(b2u(r.LowerInc)<<2|b2u(r.UpperInc)<<1))
	return AppendKey(AppendKey(b, sub, r.Lower), sub, r.Upper)
}

// appendNumericKey writes the digits without trailing zeros: the scale is no part of a numeric's value.
func appendNumericKey(b []byte, d *apd.Decimal) []byte {
	switch {
	case d.Form != apd.Finite:
		return append(b, 'x', byte(d.Form), byte(b2u(d.Negative && d.Form == apd.Infinite)))
	case d.IsZero():
		return append(b, '0')
	}
	digits, zeros := significantDigits(&d.Coeff)
	b = append(b, byte('n'+b2u(d.Negative)))
	b = binary.AppendVarint(b, int64(d.Exponent+zeros))
	return appendKeyText(b, string(digits))
}

func appendJSONKey(b []byte, j *JSON) []byte {
	b = append(b, byte(j.Kind))
	switch j.Kind {
	case JSONString:
		return appendKeyText(b, j.Str)
	case JSONNumber:
		return appendNumericKey(b, j.Num)
	case JSONBool:
		return append(b, byte(b2u(j.Bool)))
	case JSONArray:
		b = binary.AppendUvarint(b, uint64(len(j.Elems)))
		for _, e := range j.Elems {
			b = appendJSONKey(b, e)
		}
	case JSONObject:
		b = binary.AppendUvarint(b, uint64(len(j.Fields)))
		for _, f := range j.Fields {
			b = appendJSONKey(appendKeyText(b, f.Key), f.Value)
		}
	}
	return b
}
