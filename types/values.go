package types

import (
	"net/netip"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/types/pgerr"
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

// Match refuses a record that is not a row of n fields of the types that a query expects, as far as either's are known.
func (r *Record) Match(n int, want []*T) error {
	err := pgerr.New(pgerr.DatatypeMismatch, "function return row and query-specified return row do not match")
	if len(r.Vals) != n {
		noun := "attributes"
		if len(r.Vals) == 1 {
			noun = "attribute"
		}
		return err.WithDetail("Returned row contains %d %s, but query expects %d.", len(r.Vals), noun, n)
	}
	for i := range min(len(r.Types), len(want)) {
		if r.Types[i] == nil {
			continue
		}
		from, to := r.Types[i].BaseType(), want[i].BaseType()
		text := (from.Category == 'S' || from == UnknownT) && to.Category == 'S'
		if from != to && !text && !to.IsPolymorphic() {
			return err.WithDetail("Returned type %s at ordinal position %d, but query expects %s.", FormatType(r.Types[i], -1), i+1, FormatType(want[i], -1))
		}
	}
	return nil
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
