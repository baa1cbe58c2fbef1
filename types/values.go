package types

import (
	"net/netip"

	"github.com/cockroachdb/apd/v3"
)

// Interval is an interval's three independent parts, as PostgreSQL keeps them.
type Interval struct {
	Micros int64
	Days   int32
	Months int32
}

// TimeTZ is a time of day in microseconds and its zone in seconds west of UTC, as PostgreSQL keeps it.
type TimeTZ struct {
	Micros int64
	Zone   int32
}

// JSONKind is the kind of a JSON value, in jsonb's sort order of scalars and containers.
type JSONKind uint8

// The kinds of a JSON value.
const (
	JSONNull JSONKind = iota
	JSONString
	JSONNumber
	JSONBool
	JSONArray
	JSONObject
)

// JSON is one jsonb value. Objects keep their members in jsonb's order (shorter keys first, then bytewise) without
// duplicates; it is immutable after it was built.
type JSON struct {
	Kind   JSONKind
	Bool   bool
	Str    string
	Num    *apd.Decimal
	Elems  []*JSON
	Fields []JSONField
}

// JSONField is one member of a JSON object.
type JSONField struct {
	Key   string
	Value *JSON
}

// Array is a PostgreSQL array: its dimensions (none for an empty array), their lower bounds, and the elements in
// row-major order. A nil Lower means that every lower bound is 1.
type Array struct {
	Elem  *T
	Dims  []int32
	Lower []int32
	Vals  []Datum
}

// NewArray returns a one-dimensional array datum with lower bound 1.
func NewArray(elem *T, vals []Datum) Datum {
	a := &Array{Elem: elem, Vals: vals}
	if len(vals) > 0 {
		a.Dims = []int32{int32(len(vals))}
	}
	return Ref(a)
}

// LowerBound returns the lower bound of a dimension, counted from 0.
func (a *Array) LowerBound(dim int) int32 {
	if a.Lower == nil {
		return 1
	}
	return a.Lower[dim]
}

// Record is a composite value. Types holds the type of each field, Names its name; nil Names are f1, f2 and so on.
type Record struct {
	Types []*T
	Names []string
	Vals  []Datum
}

// Range is a range value; a NULL bound is infinite.
type Range struct {
	Empty              bool
	Lower, Upper       Datum
	LowerInc, UpperInc bool
}

// Multirange is an ordered list of non-empty, non-adjacent ranges.
type Multirange struct{ Ranges []*Range }

// Inet is an inet or cidr value.
type Inet struct{ Prefix netip.Prefix }

// TSVector is a sorted list of distinct lexemes.
type TSVector struct{ Lexemes []Lexeme }

// Lexeme is a word of a tsvector with its positions (1 to 16383) and their weights ('A' to 'D').
type Lexeme struct {
	Word      string
	Positions []uint16
	Weights   []byte
}

// TSQuery is a text search query: an operator over operands, or a word.
type TSQuery struct {
	Op       byte // 0: a word; '&' '|' '!' or '<' (phrase)
	Word     string
	Weights  string
	Prefix   bool
	Distance int
	Left     *TSQuery // the only operand of '!'
	Right    *TSQuery
}
