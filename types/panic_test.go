package types

import (
	"math/rand/v2"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// mutate cuts, repeats and changes bytes of s.
func mutate(r *rand.Rand, s []byte) []byte {
	out := append([]byte{}, s...)
	for range 1 + r.IntN(3) {
		at := r.IntN(len(out) + 1)
		switch r.IntN(4) {
		case 0:
			out = out[:at]
		case 1:
			out = append(out[:at:at], append([]byte{byte(r.IntN(256))}, out[at:]...)...)
		case 2:
			if at < len(out) {
				out[at] = byte(r.IntN(256))
			}
		case 3:
			if at < len(out) {
				out = append(out[:at:at], out[at+1:]...)
			}
		}
	}
	return out
}

// TestDamagedInput reads damaged text, binary and BSON of every type: it may fail but not panic, and what it accepts must
// be printable, storable and equal to itself.
func TestDamagedInput(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	user := userTypes()
	for _, c := range readIOCases(t) {
		if len(c.input) > 300 || c.input == "1e131071" {
			continue
		}
		typ, typmod := parseTestType(t, user, c.typ)
		io := testIO(t, c.settings)
		check := func(d Datum, err error) {
			if err != nil || d.IsNull() {
				return
			}
			Output(io, typ, nil, d)
			if _, err := Send(io, typ, nil, d); err != nil {
				return
			}
			if Sortable(typ) && !Equal(typ, d, d) {
				t.Errorf("%s %q: a value differs from itself", c.typ, Output(io, typ, nil, d))
			}
			Hash(typ, d, 1)
			Size(d)
			if v, err := ToBSON(typ, d); err == nil {
				if _, err := FromBSON(typ, v); err != nil && typ.Kind != 'e' {
					t.Errorf("%s %q: stored as %s, reads %v", c.typ, Output(io, typ, nil, d), v, err)
				}
			}
		}
		for range 20 {
			check(Input(io, typ, typmod, string(mutate(r, []byte(c.input)))))
			d, err := Input(io, typ, typmod, c.input)
			if err != nil {
				continue
			}
			if b, err := Send(io, typ, nil, d); err == nil {
				check(Receive(io, typ, typmod, mutate(r, b)))
			}
			if v, err := ToBSON(typ, d); err == nil && v.Type == bson.TypeEmbeddedDocument || v.Type == bson.TypeArray {
				check(FromBSON(typ, bson.RawValue{Type: v.Type, Value: mutate(r, v.Value)}))
			}
		}
	}
}
