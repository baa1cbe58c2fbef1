// Package types holds PostgreSQL's data types: their identity (OID, category, typmod), the values of their domain
// (Datum), the text and binary formats of the wire, ordering and hashing, and their form in BSON.
package types

import (
	"math"
	"unsafe"

	"github.com/cockroachdb/apd/v3"
)

// Datum is one SQL value without its type, which the plan knows. The zero Datum is NULL. It is 24 bytes and holds
// scalars and strings without allocation; what it holds for each type says T.Rep.
type Datum struct {
	ref any    // nil: NULL; inline: the value is n; strPtr: a string of n bytes; else a pointer to a value struct
	n   uint64 // integer, float bits, boolean, or the string's length
}

type (
	inlineTag struct{}
	strPtr    *byte
)

var inline = new(inlineTag)

// Null is the SQL NULL.
var Null = Datum{}

// True and False are the boolean values.
var (
	True  = Bool(true)
	False = Bool(false)
)

// Bool returns a boolean datum.
func Bool(b bool) Datum {
	if b {
		return Datum{ref: inline, n: 1}
	}
	return Datum{ref: inline}
}

// Int returns a datum of any type whose Rep is RepInt.
func Int(i int64) Datum { return Datum{ref: inline, n: uint64(i)} }

// Float returns a float4 or float8 datum.
func Float(f float64) Datum { return Datum{ref: inline, n: math.Float64bits(f)} }

// Str returns a datum of any type whose Rep is RepString, without copying s.
func Str(s string) Datum {
	return Datum{ref: strPtr(unsafe.StringData(s)), n: uint64(len(s))}.fixEmpty()
}

// An empty string may have a nil data pointer, which must not read as NULL.
func (d Datum) fixEmpty() Datum {
	if d.n == 0 {
		d.ref = strPtr(&emptyByte)
	}
	return d
}

var emptyByte byte

// Bytes returns a RepString datum that shares b, which must not be changed afterwards.
func Bytes(b []byte) Datum { return Str(unsafe.String(unsafe.SliceData(b), len(b))) }

// Ref returns a datum of a type whose Rep is RepRef: a non-nil pointer to the value struct of that type
// (*apd.Decimal, *JSON, *Array, *Record, *Interval, *TimeTZ, *Range, *Multirange, *Inet, *TSVector, *TSQuery).
func Ref(p any) Datum { return Datum{ref: p} }

// Num returns a numeric datum; d is not copied and must not be changed afterwards.
func Num(d *apd.Decimal) Datum { return Datum{ref: d} }

// IsNull reports whether the datum is SQL NULL.
func (d Datum) IsNull() bool { return d.ref == nil }

// Bool returns a boolean's value; NULL gives false.
func (d Datum) Bool() bool { return d.n != 0 }

// Int returns the integer of a RepInt datum.
func (d Datum) Int() int64 { return int64(d.n) }

// Float returns the value of a RepFloat datum.
func (d Datum) Float() float64 { return math.Float64frombits(d.n) }

// Str returns the string of a RepString datum, without copying; NULL gives "".
func (d Datum) Str() string {
	p, ok := d.ref.(strPtr)
	if !ok {
		return ""
	}
	return unsafe.String((*byte)(p), d.n)
}

// Bytes returns the bytes of a RepString datum, which must not be changed.
func (d Datum) Bytes() []byte {
	p, ok := d.ref.(strPtr)
	if !ok {
		return nil
	}
	return unsafe.Slice((*byte)(p), d.n)
}

// Ref returns the pointer of a RepRef datum.
func (d Datum) Ref() any { return d.ref }

// Num returns the value of a numeric datum.
func (d Datum) Num() *apd.Decimal { return d.ref.(*apd.Decimal) }

// JSON returns the value of a jsonb datum.
func (d Datum) JSON() *JSON { return d.ref.(*JSON) }

// Array returns the value of an array datum.
func (d Datum) Array() *Array { return d.ref.(*Array) }

// Record returns the value of a composite datum.
func (d Datum) Record() *Record { return d.ref.(*Record) }

// Interval returns the value of an interval datum.
func (d Datum) Interval() *Interval { return d.ref.(*Interval) }

// Range returns the value of a range datum.
func (d Datum) Range() *Range { return d.ref.(*Range) }
