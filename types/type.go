package types

import (
	"strconv"
	"sync"

	"github.com/pgmongo/pgmongo/types/facts"
)

// Rep says how a Datum holds the values of a type.
type Rep uint8

// The representations. A type's codecs, comparison and hashing all follow from its Rep and OID.
const (
	RepNone   Rep = iota // pseudo-types
	RepBool              // Datum.Bool
	RepInt               // Datum.Int: int2 int4 int8 oid reg* xid date (days since 2000-01-01) timestamp[tz] (µs since 2000-01-01) time (µs) money pg_lsn
	RepFloat             // Datum.Float: float4 float8
	RepString            // Datum.Str: text varchar bpchar name "char" json xml unknown bytea uuid (16 bytes) macaddr (bytes) bit strings ('0' and '1') enums (label) geometric types (their text)
	RepRef               // Datum.Ref: numeric jsonb arrays composites interval timetz ranges inet tsvector tsquery
)

// T is a data type: a row of pg_type. Types are compared by pointer within one database; the built-in ones are
// variables of this package, a user's ones belong to a catalog snapshot. It is immutable.
type T struct {
	OID       uint32
	Name      string
	Schema    string // "pg_catalog" for built-in types
	Len       int16  // typlen: -1 variable
	ByVal     bool
	Kind      byte // typtype: b base, c composite, d domain, e enum, p pseudo, r range, m multirange
	Category  byte // typcategory
	Preferred bool
	Rep       Rep
	Align     byte
	Storage   byte
	Collation uint32
	// Elem is the element type of an array (and of oidvector, int2vector), nil for others.
	Elem *T
	// ArrayOID is the OID of the type's array type, 0 if there is none.
	ArrayOID uint32
	// RelOID is the relation of a composite type.
	RelOID uint32
	// Base and BaseTypmod are what a domain is over.
	Base       *T
	BaseTypmod int32
	// NotNull, Checks and Default (SQL text) are a domain's.
	NotNull bool
	Checks  []DomainCheck
	Default string
	// Labels are an enum's, in sort order.
	Labels []EnumLabel
	// Fields are a composite's.
	Fields []Field
	// Subtype is what a range or multirange is over; RangeOf is a multirange's range.
	Subtype *T
	RangeOf *T
	// ext is how the values of an extension's base type are read, written and ordered; nil for all other types.
	ext *extensionCodec
}

// DomainCheck is a CHECK constraint of a domain; Expr is SQL over VALUE.
type DomainCheck struct {
	Name, Expr string
	// NotValid says that values that are stored already may violate it.
	NotValid bool
}

// EnumLabel is one label of an enum, ordered by Sort.
type EnumLabel struct {
	OID   uint32
	Label string
	Sort  float32
	// Added says that the transaction in progress added the label to the type: values of it cannot be used before the commit.
	Added bool `bson:"-"`
}

// Field is one attribute of a composite type.
type Field struct {
	Name    string
	Type    *T
	Typmod  int32
	Dropped bool
	// Key names the field in documents where that is not Name: a field that was renamed since, or that took the name of a
	// dropped one.
	Key string
}

// key is the name of the field in documents.
func (f *Field) key() string {
	if f.Key != "" {
		return f.Key
	}
	return f.Name
}

// IsArray reports whether t is a true array type (not oidvector or int2vector).
func (t *T) IsArray() bool {
	return t.Elem != nil && t.Len == -1 && (t.Category == 'A' || t.OID == oidRecordArray) && t.OID != oidInt2Vector && t.OID != oidOidVector
}

// BaseType returns what a domain is over in the end, and t itself for other types.
func (t *T) BaseType() *T {
	for t.Kind == 'd' {
		t = t.Base
	}
	return t
}

// IsPolymorphic reports whether t is one of the any* pseudo-types that are resolved from a call's arguments.
func (t *T) IsPolymorphic() bool {
	switch t.OID {
	case 2277, 2283, 2776, 3500, 3831, 4537, 5077, 5078, 5079, 5080, 4538:
		return true
	}
	return false
}

func (t *T) String() string { return FormatType(t, -1) }

// Registry finds types by OID; a catalog snapshot is one that also knows the database's own types.
type Registry interface {
	// TypeByOID returns nil when there is no such type.
	TypeByOID(oid uint32) *T
}

var builtin = sync.OnceValue(loadBuiltin)

type builtinTypes struct {
	byOID  map[uint32]*T
	byName map[string]*T
	all    []*T
}

// ByOID returns the built-in type with that OID, or nil.
func ByOID(oid uint32) *T { return builtin().byOID[oid] }

// ByName returns the built-in type of pg_catalog with that typname ("int4", "_text"), or nil.
func ByName(name string) *T { return builtin().byName[name] }

// All returns every built-in type of pg_catalog and information_schema in OID order; it must not be changed.
func All() []*T { return builtin().all }

func must(name string) *T {
	t := ByName(name)
	if t == nil {
		panic("types: no built-in type " + name)
	}
	return t
}

// The built-in types that code refers to by name.
var (
	BoolT        = must("bool")
	ByteaT       = must("bytea")
	CharT        = must("char")
	NameT        = must("name")
	Int2T        = must("int2")
	Int4T        = must("int4")
	Int8T        = must("int8")
	Float4T      = must("float4")
	Float8T      = must("float8")
	NumericT     = must("numeric")
	MoneyT       = must("money")
	TextT        = must("text")
	VarcharT     = must("varchar")
	BpcharT      = must("bpchar")
	OidT         = must("oid")
	XidT         = must("xid")
	TidT         = must("tid")
	CidT         = must("cid")
	JSONT        = must("json")
	JSONBT       = must("jsonb")
	JSONPathT    = must("jsonpath")
	XMLT         = must("xml")
	UUIDT        = must("uuid")
	DateT        = must("date")
	TimeT        = must("time")
	TimeTZT      = must("timetz")
	TimestampT   = must("timestamp")
	TimestampTZT = must("timestamptz")
	IntervalT    = must("interval")
	BitT         = must("bit")
	VarbitT      = must("varbit")
	InetT        = must("inet")
	CidrT        = must("cidr")
	UnknownT     = must("unknown")
	VoidT        = must("void")
	RecordT      = must("record")
	AnyT         = must("any")
	CstringT     = must("cstring")
	Int2VectorT  = must("int2vector")
	OidVectorT   = must("oidvector")
	RegprocT     = must("regproc")
	RegclassT    = must("regclass")
	RegtypeT     = must("regtype")
	TSVectorT    = must("tsvector")
	TSQueryT     = must("tsquery")
	TextArrayT   = must("_text")
	Int2ArrayT   = must("_int2")
	Int4ArrayT   = must("_int4")
	OidArrayT    = must("_oid")
	NameArrayT   = must("_name")
	CharArrayT   = must("_char")
)

// ArrayOf returns the array type of elem, looked up in reg; nil if it has none.
func ArrayOf(reg Registry, elem *T) *T {
	if elem == nil || elem.ArrayOID == 0 {
		return nil
	}
	if t := ByOID(elem.ArrayOID); t != nil {
		return t
	}
	return reg.TypeByOID(elem.ArrayOID)
}

func loadBuiltin() builtinTypes {
	f := facts.Load("pg_type")
	b := builtinTypes{byOID: map[uint32]*T{}, byName: map[string]*T{}}
	col := func(name string) func(r []string) string {
		i := f.Col(name)
		return func(r []string) string { return r[i] }
	}
	num := func(s string) int64 {
		n, _ := strconv.ParseInt(s, 10, 64)
		return n
	}
	oid, name, ns, length, byval, kind := col("oid"), col("typname"), col("typnamespace"), col("typlen"), col("typbyval"), col("typtype")
	category, preferred, array, relid, collation := col("typcategory"), col("typispreferred"), col("typarray"), col("typrelid"), col("typcollation")
	align, storage, base, basemod := col("typalign"), col("typstorage"), col("typbasetype"), col("typtypmod")
	elem := col("typelem")
	for _, r := range f.Rows {
		t := &T{
			OID: uint32(num(oid(r))), Name: name(r), Schema: "pg_catalog", Len: int16(num(length(r))), ByVal: byval(r) == "t",
			Kind: kind(r)[0], Category: category(r)[0], Preferred: preferred(r) == "t", ArrayOID: uint32(num(array(r))),
			RelOID: uint32(num(relid(r))), Collation: uint32(num(collation(r))), Align: align(r)[0], Storage: storage(r)[0], BaseTypmod: -1,
		}
		b.byOID[t.OID] = t
		if ns(r) == "11" {
			b.byName[t.Name] = t
		} else {
			t.Schema = "information_schema"
		}
		b.all = append(b.all, t)
	}
	for _, r := range f.Rows {
		t := b.byOID[uint32(num(oid(r)))]
		if e := num(elem(r)); e != 0 {
			t.Elem = b.byOID[uint32(e)]
		}
		if d := num(base(r)); t.Kind == 'd' && d != 0 {
			t.Base, t.BaseTypmod = b.byOID[uint32(d)], int32(num(basemod(r)))
		}
	}
	rf := facts.Load("pg_range")
	rng, sub, multi := rf.Col("rngtypid"), rf.Col("rngsubtype"), rf.Col("rngmultitypid")
	for _, r := range rf.Rows {
		rt, mt := b.byOID[uint32(num(r[rng]))], b.byOID[uint32(num(r[multi]))]
		rt.Subtype = b.byOID[uint32(num(r[sub]))]
		mt.Subtype, mt.RangeOf = rt.Subtype, rt
	}
	for _, t := range b.all {
		t.Rep = repOf(t)
	}
	return b
}

func repOf(t *T) Rep {
	switch t.Kind {
	case 'c', 'r', 'm':
		return RepRef
	case 'e':
		return RepString
	case 'd':
		return repOf(t.Base)
	}
	if t.IsArray() || t.Name == "int2vector" || t.Name == "oidvector" || t.Name == "anyarray" {
		return RepRef
	}
	switch t.Name {
	case "bool":
		return RepBool
	case "int2", "int4", "int8", "oid", "xid", "xid8", "cid", "date", "time", "timestamp", "timestamptz", "money", "pg_lsn",
		"regproc", "regprocedure", "regoper", "regoperator", "regclass", "regcollation", "regtype", "regconfig", "regdictionary",
		"regnamespace", "regrole":
		return RepInt
	case "float4", "float8":
		return RepFloat
	case "numeric", "jsonb", "interval", "timetz", "inet", "cidr", "tsvector", "tsquery", "record":
		return RepRef
	}
	if t.Kind == 'p' && t.Name != "unknown" && t.Name != "cstring" && t.Name != "void" {
		return RepNone
	}
	return RepString
}
