package types

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestHotPathAllocates holds the scan and encode path to no allocation per value.
func TestHotPathAllocates(t *testing.T) {
	io := DefaultIO()
	stored := func(typ *T, text string) bson.RawValue {
		d, err := Input(io, typ, -1, text)
		if err != nil {
			t.Fatal(err)
		}
		v, err := ToBSON(typ, d)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	dst := make([]byte, 0, 256)
	for name, text := range map[string]string{
		"int2": "7", "int4": "42", "int8": "1234567890123", "oid": "9", "bool": "t", "float8": "1.5", "float4": "2.5", "text": "some text",
		"varchar": "x", "date": "2020-01-02", "timestamp": "2020-01-02 03:04:05", "timestamptz": "2020-01-02 03:04:05+00", "time": "10:00",
		"uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "bytea": `\x0102`,
	} {
		typ := ByName(name)
		v := stored(typ, text)
		n := testing.AllocsPerRun(100, func() {
			d, err := FromBSON(typ, v)
			if err != nil {
				t.Fatal(err)
			}
			dst = Output(io, typ, dst[:0], d)
			if dst, err = Send(io, typ, dst[:0], d); err != nil {
				t.Fatal(err)
			}
			_ = Hash(typ, d, 1)
			_ = Compare(typ, d, d)
		})
		if n != 0 {
			t.Errorf("%s allocates %v times a value", name, n)
		}
	}
}

func BenchmarkTimestampTZOutput(b *testing.B) {
	io := DefaultIO()
	io.Location, _, _ = LoadZone("America/New_York")
	dst := make([]byte, 0, 64)
	for i := range b.N {
		dst = Output(io, TimestampTZT, dst[:0], Int(int64(i)*1e9))
	}
}

func BenchmarkTextFromBSON(b *testing.B) {
	v, _ := ToBSON(TextT, Str("some ordinary text"))
	dst := make([]byte, 0, 64)
	for range b.N {
		d, _ := FromBSON(TextT, v)
		dst = Output(storageIO, TextT, dst[:0], d)
	}
}

func BenchmarkNumericFromBSON(b *testing.B) {
	d, _ := Input(storageIO, NumericT, -1, "12345.6789")
	v, _ := ToBSON(NumericT, d)
	dst := make([]byte, 0, 64)
	for range b.N {
		d, _ := FromBSON(NumericT, v)
		dst = Output(storageIO, NumericT, dst[:0], d)
	}
}
