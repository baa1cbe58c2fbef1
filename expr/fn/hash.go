package fn

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// The hash functions that SQL can call give PostgreSQL's own numbers, since applications shard and lock by them. They are
// Bob Jenkins's lookup3 with PostgreSQL's seed.

const hashSeed = 0x9e3779b9 + 3923095

func mix(a, b, c uint32) (uint32, uint32, uint32) {
	for _, r := range [...]int{4, 6, 8, 16, 19, 4} {
		a -= c
		a ^= bits.RotateLeft32(c, r)
		c += b
		a, b, c = b, c, a
	}
	return a, b, c
}

func final(a, b, c uint32) (uint32, uint32) {
	for _, r := range [...]int{14, 11, 25, 16, 4, 14, 24} {
		c ^= b
		c -= bits.RotateLeft32(b, r)
		a, b, c = b, c, a
	}
	// Seven steps turn the three registers by one place: c is now in b.
	return b, a
}

// hashBytes returns the two result words; the first is the 32-bit hash.
func hashBytes(k []byte, seed uint64) (lo, hi uint32) {
	n := uint32(len(k))
	a := uint32(hashSeed) + n
	b, c := a, a
	if seed != 0 {
		a += uint32(seed >> 32)
		b += uint32(seed)
		a, b, c = mix(a, b, c)
	}
	le := binary.LittleEndian
	for len(k) >= 12 {
		a += le.Uint32(k)
		b += le.Uint32(k[4:])
		c += le.Uint32(k[8:])
		a, b, c = mix(a, b, c)
		k = k[12:]
	}
	// The last byte of c is reserved for the length, so the tail of c starts at its second byte.
	for i := len(k) - 1; i >= 0; i-- {
		v := uint32(k[i])
		switch {
		case i >= 8:
			c += v << (8 * (i - 7))
		case i >= 4:
			b += v << (8 * (i - 4))
		default:
			a += v << (8 * i)
		}
	}
	return final(a, b, c)
}

func hashWord(k uint32, seed uint64) (lo, hi uint32) {
	a := uint32(hashSeed) + 4
	b, c := a, a
	if seed != 0 {
		a += uint32(seed >> 32)
		b += uint32(seed)
		a, b, c = mix(a, b, c)
	}
	a += k
	return final(a, b, c)
}

// fold64 makes equal hashes of equal numbers of different widths.
func fold64(n int64) uint32 {
	lo, hi := uint32(n), uint32(uint64(n)>>32)
	if n < 0 {
		hi = ^hi
	}
	return lo ^ hi
}

func hashFloat(f float64, seed uint64) (lo, hi uint32) {
	if f == 0 {
		return uint32(seed), uint32(seed >> 32)
	}
	if math.IsNaN(f) {
		f = math.Float64frombits(0x7ff8000000000000)
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], math.Float64bits(f))
	return hashBytes(b[:], seed)
}

// hashPair makes the plain and the seeded hash function of a type.
func hashPair(plain, extended uint32, name, extendedName string, f func(d datum, seed uint64) (lo, hi uint32)) []expr.Impl {
	return []expr.Impl{
		{OID: plain, Name: name, F1: func(_ *expr.Env, a datum) (datum, error) {
			lo, _ := f(a, 0)
			return types.Int(int64(int32(lo))), nil
		}},
		{OID: extended, Name: extendedName, F2: func(_ *expr.Env, a, seed datum) (datum, error) {
			lo, hi := f(a, uint64(seed.Int()))
			return types.Int(int64(uint64(hi)<<32 | uint64(lo))), nil
		}},
	}
}

// hashImpls are the hash support functions of scalar types.
func hashImpls() []expr.Impl {
	word := func(d datum, seed uint64) (uint32, uint32) { return hashWord(uint32(d.Int()), seed) }
	wide := func(d datum, seed uint64) (uint32, uint32) { return hashWord(fold64(d.Int()), seed) }
	text := func(d datum, seed uint64) (uint32, uint32) { return hashBytes(d.Bytes(), seed) }
	float := func(d datum, seed uint64) (uint32, uint32) { return hashFloat(d.Float(), seed) }
	blank := func(d datum, seed uint64) (uint32, uint32) { return hashBytes([]byte(trimBlanks(d.Str())), seed) }
	char := func(d datum, seed uint64) (uint32, uint32) {
		if d.Str() == "" {
			return hashWord(0, seed)
		}
		return hashWord(uint32(int32(int8(d.Str()[0]))), seed)
	}
	var out []expr.Impl
	out = append(out, hashPair(449, 441, "hashint2", "hashint2extended", word)...)
	out = append(out, hashPair(450, 425, "hashint4", "hashint4extended", word)...)
	out = append(out, hashPair(949, 442, "hashint8", "hashint8extended", wide)...)
	out = append(out, hashPair(453, 445, "hashoid", "hashoidextended", word)...)
	out = append(out, hashPair(451, 443, "hashfloat4", "hashfloat4extended", float)...)
	out = append(out, hashPair(452, 444, "hashfloat8", "hashfloat8extended", float)...)
	out = append(out, hashPair(454, 446, "hashchar", "hashcharextended", char)...)
	out = append(out, hashPair(455, 447, "hashname", "hashnameextended", text)...)
	out = append(out, hashPair(400, 448, "hashtext", "hashtextextended", text)...)
	out = append(out, hashPair(1080, 972, "hashbpchar", "hashbpcharextended", blank)...)
	return append(out, hashPair(2963, 3412, "uuid_hash", "uuid_hash_extended", text)...)
}
