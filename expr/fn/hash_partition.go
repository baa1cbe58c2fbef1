package fn

import (
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// partitionSeed is what PostgreSQL hashes partition keys with.
const partitionSeed = 0x7A5B22367996DCFD

// hashPartitionImpl is satisfies_hash_partition(parent, modulus, remainder, keys ...).
func hashPartitionImpl() expr.Impl {
	return expr.Impl{OID: 5028, Name: "satisfies_hash_partition", Make: func(c *expr.Call) (expr.EvalFunc, error) {
		hashes := make([]func(*expr.Env, datum, datum) (datum, error), 0, len(c.Args))
		for _, a := range c.Args[3:] {
			f := seededHash(a.Type().BaseType())
			if f == nil {
				return nil, pgerr.Unsupported("hash partitioning by " + types.FormatType(a.Type(), -1))
			}
			hashes = append(hashes, f)
		}
		return func(env *expr.Env, a []datum) (datum, error) {
			row := uint64(0)
			for i, f := range hashes {
				if a[i+3].IsNull() {
					continue
				}
				h, err := f(env, a[i+3], types.Int(int64(uint64(partitionSeed))))
				if err != nil {
					return types.Null, err
				}
				row ^= uint64(h.Int()) + 0x49a0f4dd15e5a8e3 + row<<54 + row>>7
			}
			return types.Bool(row%uint64(a[1].Int()) == uint64(a[2].Int())), nil
		}, nil
	}}
}

// seededHash is the hash function with a seed of a type, nil when there is none here.
func seededHash(t *types.T) func(*expr.Env, datum, datum) (datum, error) {
	name := map[*types.T]string{
		types.Int2T: "hashint2extended", types.Int4T: "hashint4extended", types.Int8T: "hashint8extended", types.OidT: "hashoidextended",
		types.Float4T: "hashfloat4extended", types.Float8T: "hashfloat8extended", types.TextT: "hashtextextended", types.VarcharT: "hashtextextended",
		types.BpcharT: "hashbpcharextended", types.UUIDT: "uuid_hash_extended", types.NameT: "hashnameextended",
		types.DateT: "hashint4extended", types.TimestampT: "hashint8extended", types.TimestampTZT: "hashint8extended",
	}[t]
	for _, i := range hashImpls() {
		if name != "" && i.Name == name {
			return i.F2
		}
	}
	return nil
}
