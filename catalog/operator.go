package catalog

import (
	"slices"

	"github.com/pgmongo/pgmongo/types"
)

// Operator is an operator that is not built in; Left is nil for a prefix operator.
type Operator struct {
	OID, SchemaID       uint32
	Schema, Name        string
	Left, Right, Result *types.T
	Function            uint32
	Commutator, Negator uint32
	CanMerge, CanHash   bool
}

// Cast is a cast that is not built in. Context is 'i', 'a' or 'e'; Method is 'f' function, 'b' binary-coercible or 'i' in/out.
type Cast struct {
	OID             uint32
	Source, Target  *types.T
	Function        uint32
	Context, Method byte
}

// OpClass is an operator class that is not built in.
type OpClass struct {
	OID, SchemaID, Family uint32
	Method, Name          string
	Input                 uint32
	Default               bool
	Key                   uint32 // opckeytype
	// Operators are those over the input type, by strategy.
	Operators map[int]uint32
}

// castKey is what a cast is found by: the OIDs of its types.
type castKey struct{ source, target uint32 }

// Operators lists the database's own operators of a name.
func (s *Snapshot) Operators(name string) []*Operator { return s.operators.at(name) }

// OperatorByOID returns one of the database's own operators, or nil.
func (s *Snapshot) OperatorByOID(oid uint32) *Operator { return s.operatorOID.at(oid) }

// AllOperators lists the database's own operators in OID order.
func (s *Snapshot) AllOperators() []*Operator {
	var all []*Operator
	s.operatorOID.each(func(_ uint32, o *Operator) { all = append(all, o) })
	slices.SortFunc(all, func(a, b *Operator) int { return int(int64(a.OID) - int64(b.OID)) })
	return all
}

// CastBetween returns the database's own cast between two types, or nil.
func (s *Snapshot) CastBetween(source, target uint32) *Cast {
	return s.casts.at(castKey{source, target})
}

// Casts lists the database's own casts in OID order.
func (s *Snapshot) Casts() []*Cast {
	var all []*Cast
	s.casts.each(func(_ castKey, c *Cast) { all = append(all, c) })
	slices.SortFunc(all, func(a, b *Cast) int { return int(int64(a.OID) - int64(b.OID)) })
	return all
}

// CastByOID returns one of the database's own casts, or nil.
func (s *Snapshot) CastByOID(oid uint32) *Cast {
	for _, c := range s.Casts() {
		if c.OID == oid {
			return c
		}
	}
	return nil
}

// PutCast adds a cast.
func (c *Change) PutCast(x *Cast) {
	c.touch(ObjCast, x.OID)
	c.s.casts.set(castKey{x.Source.OID, x.Target.OID}, x)
}

// RemoveCast removes a cast.
func (c *Change) RemoveCast(x *Cast) {
	c.touch(ObjCast, x.OID)
	c.s.casts.remove(castKey{x.Source.OID, x.Target.OID})
}

// OpClasses lists the database's own operator classes for an index method, which may be "" for all, in OID order.
func (s *Snapshot) OpClasses(method string) []*OpClass {
	var all []*OpClass
	s.classes.each(func(m string, list []*OpClass) {
		if method == "" || m == method {
			all = append(all, list...)
		}
	})
	slices.SortFunc(all, func(a, b *OpClass) int { return int(int64(a.OID) - int64(b.OID)) })
	return all
}

// DefaultOpClass returns the database's own default operator class of a method for a type, or nil.
func (s *Snapshot) DefaultOpClass(method string, input uint32) *OpClass {
	for _, c := range s.classes.at(method) {
		if c.Default && c.Input == input {
			return c
		}
	}
	return nil
}
