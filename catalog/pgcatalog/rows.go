package pgcatalog

import (
	"context"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// dynamicFunc yields the rows of one table that belong to the database at hand.
type dynamicFunc = func(ctx context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error

func oid(n uint32) types.Datum  { return types.Int(int64(n)) }
func num(n int) types.Datum     { return types.Int(int64(n)) }
func text(s string) types.Datum { return types.Str(s) }
func char(b byte) types.Datum {
	if b == 0 {
		return types.Str("")
	}
	return types.Str(string(rune(b)))
}

// textOrNull gives NULL for the empty string, which stands for "not there" in the model.
func textOrNull(s string) types.Datum {
	if s == "" {
		return types.Null
	}
	return types.Str(s)
}

// timeOrNull gives NULL for a zero timestamp.
func timeOrNull(micros int64) types.Datum {
	if micros == 0 {
		return types.Null
	}
	return types.Int(micros)
}

// aclItems is a privilege list, NULL for the built-in default.
func aclItems(s *catalog.Snapshot, acl catalog.ACL) types.Datum {
	if acl == nil {
		return types.Null
	}
	return types.NewArray(types.ByName("aclitem"), texts(s.ACLText(acl)))
}

// textArray is a text[] of the strings, NULL when there are none.
func textArray(list []string) types.Datum {
	if len(list) == 0 {
		return types.Null
	}
	return types.NewArray(types.TextT, texts(list))
}

func texts(list []string) []types.Datum {
	vals := make([]types.Datum, len(list))
	for i, s := range list {
		vals[i] = types.Str(s)
	}
	return vals
}

// int2Array is a smallint[] of attnums, NULL when there are none.
func int2Array(atts []int16) types.Datum {
	if len(atts) == 0 {
		return types.Null
	}
	return types.NewArray(types.Int2T, int2s(atts))
}

func int2s(atts []int16) []types.Datum {
	vals := make([]types.Datum, len(atts))
	for i, a := range atts {
		vals[i] = types.Int(int64(a))
	}
	return vals
}

// oidArray is an oid[], NULL when there are none.
func oidArray(oids []uint32) types.Datum {
	if len(oids) == 0 {
		return types.Null
	}
	return types.NewArray(types.OidT, oidList(oids))
}

func oidList(oids []uint32) []types.Datum {
	vals := make([]types.Datum, len(oids))
	for i, o := range oids {
		vals[i] = oid(o)
	}
	return vals
}

// Objects that the model gives no OID of their own (defaults, view rules, domain checks) get one made from their owner's.
// It is unique for owners below 16384 + 2^19, which is every declared object of a real database; owners with high OIDs
// (temporary tables, collections of others) share the upper half, where a collision is as unlikely as one in 2^19.
const (
	madeBase uint32 = 0x80000000
	madeHigh uint32 = 0x40000000
)

const (
	madeRule        = 2047
	madeDomainCheck = 1700
)

func madeOID(owner uint32, sub int) uint32 {
	n := owner - catalog.FirstNormalOID
	if n >= 1<<19 {
		return madeBase | madeHigh | (n*2654435761>>13)<<11 | uint32(sub)&0x7ff
	}
	return madeBase | n<<11 | uint32(sub)&0x7ff
}

// madeOwner is the inverse of madeOID.
func madeOwner(s *catalog.Snapshot, o uint32) (owner uint32, sub int, ok bool) {
	if o < madeBase {
		return 0, 0, false
	}
	sub = int(o & 0x7ff)
	if o&madeHigh == 0 {
		return (o&^madeBase)>>11 + catalog.FirstNormalOID, sub, true
	}
	for _, r := range s.Relations() {
		if r.OID-catalog.FirstNormalOID >= 1<<19 && madeOID(r.OID, sub) == o {
			return r.OID, sub, true
		}
	}
	return 0, 0, false
}

// keyOID returns the key's value when it asks for that column.
func keyOID(key *catalog.Key, column string) (uint32, bool) {
	if key == nil || key.Column != column {
		return 0, false
	}
	return uint32(key.Value.Int()), true
}

// keyName returns the key's value when it asks for that column.
func keyName(key *catalog.Key, column string) (string, bool) {
	if key == nil || key.Column != column {
		return "", false
	}
	return key.Value.Str(), true
}

// isSystem reports whether a relation is one of the system catalogues, whose rows come from the dump.
func isSystem(r *catalog.Relation) bool { return r.OID < catalog.FirstNormalOID }

// eachRelation calls f for every relation that the database itself holds.
func eachRelation(s *catalog.Snapshot, f func(*catalog.Relation) error) error {
	for _, r := range s.Relations() {
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// oneOrEach calls f for the relation with that OID, if a key asks for it, and for all relations without a key.
func oneOrEach(s *catalog.Snapshot, key *catalog.Key, column string, f func(*catalog.Relation) error) error {
	if o, ok := keyOID(key, column); ok {
		if r := s.RelationByOID(o); r != nil && !isSystem(r) {
			return f(r)
		}
		return nil
	}
	return eachRelation(s, f)
}
