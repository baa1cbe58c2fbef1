package fn

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"hash"
	"net"
	"time"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// uuidImpls are gen_random_uuid and the functions of the extension uuid-ossp.
func uuidImpls() []expr.Impl {
	impls := []expr.Impl{{OID: 3432, Name: "gen_random_uuid", Eval: randomUUID}}
	for name, eval := range map[string]expr.EvalFunc{
		"uuid_nil":           constantUUID([16]byte{}),
		"uuid_ns_dns":        constantUUID(namespaceUUID(0x10)),
		"uuid_ns_url":        constantUUID(namespaceUUID(0x11)),
		"uuid_ns_oid":        constantUUID(namespaceUUID(0x12)),
		"uuid_ns_x500":       constantUUID(namespaceUUID(0x14)),
		"uuid_generate_v1":   func(*expr.Env, []datum) (datum, error) { return timeUUID(hardwareAddress()) },
		"uuid_generate_v1mc": func(*expr.Env, []datum) (datum, error) { return timeUUID(nil) },
		"uuid_generate_v3":   nameUUID(md5.New, 3),
		"uuid_generate_v4":   randomUUID,
		"uuid_generate_v5":   nameUUID(sha1.New, 5),
	} {
		impls = append(impls, expr.Impl{Library: "$libdir/uuid-ossp", Name: name, Eval: eval})
	}
	return impls
}

func randomUUID(*expr.Env, []datum) (datum, error) {
	b := make([]byte, 16)
	if err := randomBytes(b); err != nil {
		return types.Null, err
	}
	return uuidOf(b, 4), nil
}

// uuidOf sets the version and the variant of RFC 4122.
func uuidOf(b []byte, version byte) datum {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	return types.Bytes(b)
}

func randomBytes(b []byte) error {
	if _, err := rand.Read(b); err != nil {
		return pgerr.Internal("could not generate random values: %v", err)
	}
	return nil
}

func constantUUID(b [16]byte) expr.EvalFunc {
	return func(*expr.Env, []datum) (datum, error) { return types.Bytes(b[:]), nil }
}

// namespaceUUID is one of RFC 4122's name spaces, which differ in one byte.
func namespaceUUID(last byte) [16]byte {
	return [16]byte{0x6b, 0xa7, 0xb8, last, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
}

// nameUUID is the UUID of a name in a name space: a hash of both.
func nameUUID(newHash func() hash.Hash, version byte) expr.EvalFunc {
	return func(_ *expr.Env, args []datum) (datum, error) {
		h := newHash()
		h.Write(args[0].Bytes())
		h.Write([]byte(args[1].Str()))
		return uuidOf(h.Sum(nil)[:16], version), nil
	}
}

// timeUUID is the UUID of this moment at a node, a random multicast address where none is given. The clock sequence is
// random, so that two of one clock tick differ.
func timeUUID(node []byte) (datum, error) {
	b := make([]byte, 16)
	if err := randomBytes(b[8:]); err != nil {
		return types.Null, err
	}
	const toUnix = 0x01B21DD213814000 // ticks of 100 ns from 15 October 1582 to 1970
	t := uint64(time.Now().UnixNano()/100) + toUnix
	binary.BigEndian.PutUint32(b, uint32(t))
	binary.BigEndian.PutUint16(b[4:], uint16(t>>32))
	binary.BigEndian.PutUint16(b[6:], uint16(t>>48))
	b[10] |= 1
	copy(b[10:], node)
	return uuidOf(b, 1), nil
}

// hardwareAddress is the address of the first network interface that has one, nil without.
func hardwareAddress() []byte {
	list, err := net.Interfaces()
	if err != nil {
		return nil // a machine that does not tell has none
	}
	for _, i := range list {
		if len(i.HardwareAddr) == 6 {
			return i.HardwareAddr
		}
	}
	return nil
}
