package fn

import (
	"crypto/md5"
	"crypto/sha1"

	"github.com/google/uuid"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// uuidImpls are gen_random_uuid, which extension pgcrypto brings too, and the functions of extension uuid-ossp.
func uuidImpls() []expr.Impl {
	value := func(u uuid.UUID) datum { return types.Str(string(u[:])) }
	constant := func(oid uint32, name string, u uuid.UUID) expr.Impl {
		return expr.Impl{OID: oid, Name: name, Eval: func(*expr.Env, []datum) (datum, error) { return value(u), nil }}
	}
	fresh := func(oid uint32, name string, make func() (uuid.UUID, error)) expr.Impl {
		return expr.Impl{OID: oid, Name: name, Eval: func(*expr.Env, []datum) (datum, error) {
			u, err := make()
			return value(u), err
		}}
	}
	named := func(oid uint32, name string, make func(space uuid.UUID, data []byte) uuid.UUID) expr.Impl {
		return expr.Impl{OID: oid, Name: name, F2: func(_ *expr.Env, space, data datum) (datum, error) {
			return value(make(uuid.UUID([]byte(space.Str())), []byte(data.Str()))), nil
		}}
	}
	return []expr.Impl{
		fresh(3432, "gen_random_uuid", uuid.NewRandom), fresh(2000009036, "gen_random_uuid", uuid.NewRandom),
		fresh(2000011001, "uuid_generate_v1", uuid.NewUUID),
		fresh(2000011002, "uuid_generate_v1mc", func() (uuid.UUID, error) {
			// A random multicast address stands in for the machine's own.
			u, err := uuid.NewUUID()
			node := uuid.New()
			copy(u[10:], node[10:])
			u[10] |= 1
			return u, err
		}),
		named(2000011003, "uuid_generate_v3", func(space uuid.UUID, data []byte) uuid.UUID { return uuid.NewHash(md5.New(), space, data, 3) }),
		fresh(2000011004, "uuid_generate_v4", uuid.NewRandom),
		named(2000011005, "uuid_generate_v5", func(space uuid.UUID, data []byte) uuid.UUID { return uuid.NewHash(sha1.New(), space, data, 5) }),
		constant(2000011006, "uuid_nil", uuid.Nil), constant(2000011007, "uuid_ns_dns", uuid.NameSpaceDNS),
		constant(2000011008, "uuid_ns_oid", uuid.NameSpaceOID), constant(2000011009, "uuid_ns_url", uuid.NameSpaceURL),
		constant(2000011010, "uuid_ns_x500", uuid.NameSpaceX500),
	}
}
