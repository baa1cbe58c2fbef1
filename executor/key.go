package executor

import (
	"hash/maphash"

	"github.com/pgmongo/pgmongo/types"
)

// keyClass is how values of a key are hashed and compared: the common representations without a call by type.
type keyClass uint8

const (
	keyOther keyClass = iota
	keyInt            // equality is that of Datum.Int
	keyText           // equality is that of the bytes
)

type keyType struct {
	class keyClass
	typ   *types.T
}

func keyTypeOf(t *types.T) keyType {
	base := t.BaseType()
	k := keyType{typ: base}
	switch {
	case base.Rep == types.RepInt || base.Rep == types.RepBool:
		k.class = keyInt
	case base.Rep == types.RepString && (base.Kind == 'e' || base.OID == types.TextT.OID || base.OID == types.VarcharT.OID ||
		base.OID == types.NameT.OID || base.OID == types.ByteaT.OID || base.OID == types.UUIDT.OID):
		k.class = keyText
	}
	return k
}

var hashSeed = maphash.MakeSeed()

func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	x *= 0xd6e8feb86659fd93
	return x ^ x>>32
}

func (k keyType) hash(d types.Datum, seed uint64) uint64 {
	switch {
	case d.IsNull():
		return mix(seed ^ 0x9e3779b97f4a7c15)
	case k.class == keyInt:
		return mix(uint64(d.Int()) + seed*0x9e3779b97f4a7c15)
	case k.class == keyText:
		return mix(maphash.String(hashSeed, d.Str()) ^ seed)
	}
	return types.Hash(k.typ, d, seed)
}

// same reports equality with NULLs equal, as grouping sees it.
func (k keyType) same(a, b types.Datum) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull()
	}
	switch k.class {
	case keyInt:
		return a.Int() == b.Int()
	case keyText:
		return a.Str() == b.Str()
	}
	return types.Equal(k.typ, a, b)
}

func hashKeys(typs []keyType, vals []types.Datum) uint64 {
	h := uint64(0)
	for i, k := range typs {
		h = k.hash(vals[i], h)
	}
	return h
}

func hasNull(vals []types.Datum) bool {
	for _, v := range vals {
		if v.IsNull() {
			return true
		}
	}
	return false
}

// keyTable numbers distinct keys in the order they come. NULLs are equal.
type keyTable struct {
	typs   []keyType
	keys   *rowStore
	hashes []uint64
	slots  []int32 // entry + 1, 0 for none
}

func newKeyTable(typs []keyType, budget *Budget) *keyTable {
	return &keyTable{typs: typs, keys: newRowStore(len(typs), budget), slots: make([]int32, 16)}
}

// find returns the entry of a key, or -1.
func (t *keyTable) find(vals []types.Datum, h uint64) int {
	mask := uint64(len(t.slots) - 1)
	for p := h & mask; t.slots[p] != 0; p = (p + 1) & mask {
		e := int(t.slots[p] - 1)
		if t.hashes[e] == h && t.sameKey(e, vals) {
			return e
		}
	}
	return -1
}

func (t *keyTable) sameKey(e int, vals []types.Datum) bool {
	key := t.keys.row(e)
	for i, k := range t.typs {
		if !k.same(key[i], vals[i]) {
			return false
		}
	}
	return true
}

// insert adds a key that is not in the table, and returns its entry.
func (t *keyTable) insert(vals []types.Datum, h uint64) (int, error) {
	if _, err := t.keys.add(vals); err != nil {
		return 0, err
	}
	if 4*(len(t.hashes)+1) > 3*len(t.slots) {
		t.rehash(2 * len(t.slots))
	}
	e := len(t.hashes)
	t.hashes = append(t.hashes, h)
	t.place(e, h)
	return e, nil
}

func (t *keyTable) place(e int, h uint64) {
	mask := uint64(len(t.slots) - 1)
	p := h & mask
	for t.slots[p] != 0 {
		p = (p + 1) & mask
	}
	t.slots[p] = int32(e + 1)
}

func (t *keyTable) rehash(n int) {
	t.slots = make([]int32, n)
	for e, h := range t.hashes {
		t.place(e, h)
	}
}

func (t *keyTable) len() int { return len(t.hashes) }

func (t *keyTable) release() {
	t.keys.release()
	t.hashes, t.slots = nil, make([]int32, 16)
}
