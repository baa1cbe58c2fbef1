package infer

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// kind is a set of BSON types as far as columns tell them apart.
type kind uint32

const (
	kindInt32 kind = 1 << iota
	kindInt64
	kindDouble
	kindDecimal
	kindBool
	kindString
	kindObjectID
	kindDate
	kindUUID
	kindBinary
	kindDocument
	kindArray
	kindOther // regular expressions, code, timestamps, MinKey ...
)

const kindNumeric = kindInt32 | kindInt64 | kindDouble | kindDecimal

// shape is what was seen at one path: which types, and below documents and array elements.
type shape struct {
	kinds  kind
	seen   int // how many values were seen, and how many of them were documents
	docs   int
	fields map[string]*shape
	order  []string // the fields in the order in which they were first seen
	elem   *shape
	nested bool // an array held arrays
	null   bool // null was seen
}

// maxFields bounds what is remembered of one document: keys may be data.
const maxFields = 10000

func newShape() *shape { return &shape{fields: map[string]*shape{}} }

func (s *shape) field(name string) *shape {
	f := s.fields[name]
	if f == nil {
		f = newShape()
		if len(s.order) >= maxFields {
			return f
		}
		s.fields[name] = f
		s.order = append(s.order, name)
	}
	return f
}

// A document is a map when its keys are data (a language, a user's id) rather than names: there are many of them, and most
// documents lack most of them. Its values stay in jsonb: they would be a column for each key.
const (
	mapKeys  = 20
	mapShare = 4 // a key is in less than one in mapShare documents, on average
)

func (s *shape) isMap() bool {
	if len(s.fields) < mapKeys {
		return false
	}
	present := 0
	for _, f := range s.fields {
		present += f.seen
	}
	return present*mapShare < s.docs*len(s.fields)
}

// expect makes sure that the path of an index key is a column, though no sampled document has it.
func (s *shape) expect(path string) {
	if !strings.Contains(path, ".") && !strings.HasPrefix(path, "$") {
		s.field(path)
	}
}

// Widen makes a column of numbers hold those of another BSON type, too, as a query met it; false says that this changes nothing.
func (c *Collection) Widen(field, bsonType string) bool {
	s := c.root
	for _, key := range strings.Split(field, ".") {
		if s = s.fields[key]; s == nil {
			return false
		}
	}
	k := schemaKinds[bsonType]
	if s.kinds == 0 || s.kinds&^kindNumeric != 0 || k&^kindNumeric != 0 || s.kinds&k == k {
		return false
	}
	s.kinds |= k
	return true
}

func (s *shape) addDocument(doc bson.Raw, depth int) {
	s.docs++
	elems, err := doc.Elements()
	if err != nil || depth > maxDepth {
		return
	}
	for _, e := range elems {
		s.field(e.Key()).addValue(e.Value(), depth)
	}
}

func (s *shape) addValue(v bson.RawValue, depth int) {
	s.seen++
	switch v.Type {
	case bson.TypeNull, bson.TypeUndefined:
		s.null = true
	case bson.TypeEmbeddedDocument:
		s.kinds |= kindDocument
		s.addDocument(v.Document(), depth+1)
	case bson.TypeArray:
		s.kinds |= kindArray
		if s.elem == nil {
			s.elem = newShape()
		}
		vals, err := v.Array().Values()
		if err != nil {
			return
		}
		for _, e := range vals {
			if e.Type == bson.TypeArray {
				s.nested = true
				continue
			}
			s.elem.addValue(e, depth+1)
		}
	default:
		s.kinds |= kindOf(v)
	}
}

func kindOf(v bson.RawValue) kind {
	switch v.Type {
	case bson.TypeInt32:
		return kindInt32
	case bson.TypeInt64:
		return kindInt64
	case bson.TypeDouble:
		return kindDouble
	case bson.TypeDecimal128:
		return kindDecimal
	case bson.TypeBoolean:
		return kindBool
	case bson.TypeString, bson.TypeSymbol:
		return kindString
	case bson.TypeObjectID:
		return kindObjectID
	case bson.TypeDateTime:
		return kindDate
	case bson.TypeBinary:
		// The old subtype of UUIDs says nothing about the order of the bytes, which differs between drivers.
		if subtype, _ := v.Binary(); subtype == bson.TypeBinaryUUID {
			return kindUUID
		}
		return kindBinary
	}
	return kindOther
}

// schemaKinds are the names of BSON types in $jsonSchema (bsonType and type).
var schemaKinds = map[string]kind{
	"int": kindInt32, "long": kindInt64, "double": kindDouble, "decimal": kindDecimal, "number": kindNumeric, "bool": kindBool,
	"boolean": kindBool, "string": kindString, "objectId": kindObjectID, "date": kindDate, "object": kindDocument, "array": kindArray,
	"binData": kindBinary, "regex": kindOther, "timestamp": kindOther, "javascript": kindOther, "minKey": kindOther, "maxKey": kindOther,
}

// addSchema adds what a $jsonSchema says of a document.
func (s *shape) addSchema(schema bson.Raw) {
	properties, ok := schema.Lookup("properties").DocumentOK()
	if !ok {
		return
	}
	elems, err := properties.Elements()
	if err != nil {
		return
	}
	for _, e := range elems {
		p, ok := e.Value().DocumentOK()
		if !ok {
			continue
		}
		f := s.field(e.Key())
		for _, name := range []string{"bsonType", "type"} {
			f.addTypeNames(p.Lookup(name))
		}
		if list, ok := p.Lookup("enum").ArrayOK(); ok {
			f.addEnum(list)
		}
		f.addSchema(p)
		if items, ok := p.Lookup("items").DocumentOK(); ok {
			f.kinds |= kindArray
			if f.elem == nil {
				f.elem = newShape()
			}
			for _, name := range []string{"bsonType", "type"} {
				f.elem.addTypeNames(items.Lookup(name))
			}
			f.elem.addSchema(items)
		}
	}
}

// addEnum adds the types of the only values that are allowed.
func (s *shape) addEnum(list bson.RawArray) {
	vals, err := list.Values()
	if err != nil {
		return
	}
	for _, v := range vals {
		s.addValue(v, maxDepth)
	}
}

func (s *shape) addTypeNames(v bson.RawValue) {
	if name, ok := v.StringValueOK(); ok {
		s.kinds |= schemaKinds[name]
		return
	}
	list, ok := v.ArrayOK()
	if !ok {
		return
	}
	vals, err := list.Values()
	if err != nil {
		return
	}
	for _, v := range vals {
		if name, ok := v.StringValueOK(); ok {
			s.kinds |= schemaKinds[name]
		}
	}
}
