package txn

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// rowKey names a document in the lock table. Numbers that MongoDB takes for the same _id have the same key, whatever
// their BSON type.
func rowKey(database, collection string, id bson.RawValue) string {
	var b strings.Builder
	b.Grow(len(database) + len(collection) + len(id.Value) + 12)
	b.WriteString(database)
	b.WriteByte(0)
	b.WriteString(collection)
	b.WriteByte(0)
	writeID(&b, id)
	return b.String()
}

func writeID(b *strings.Builder, id bson.RawValue) {
	var n int64
	switch id.Type {
	case bson.TypeInt32:
		n = int64(id.Int32())
	case bson.TypeInt64:
		n = id.Int64()
	case bson.TypeDouble:
		f := id.Double()
		if f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
			b.WriteByte(byte(id.Type))
			b.Write(id.Value)
			return
		}
		n = int64(f)
	case bson.TypeDecimal128:
		big, exp, err := id.Decimal128().BigInt()
		if err != nil { // NaN or infinite
			b.WriteByte(byte(id.Type))
			b.Write(id.Value)
			return
		}
		digits := strings.TrimRight(big.String(), "0")
		exp += len(big.String()) - len(digits)
		whole, err := strconv.ParseInt(digits+strings.Repeat("0", min(max(exp, 0), 20)), 10, 64)
		switch {
		case digits == "" || digits == "-":
			n = 0
		case exp >= 0 && err == nil:
			n = whole
		default: // 5.0 and 5.00 are one _id
			b.WriteByte(byte(id.Type))
			b.WriteString(digits + "e" + strconv.Itoa(exp))
			return
		}
	default:
		b.WriteByte(byte(id.Type))
		b.Write(id.Value)
		return
	}
	b.WriteByte(byte(bson.TypeInt64))
	var buf [8]byte
	binary.BigEndian.PutUint64(buf[:], uint64(n))
	b.Write(buf[:])
}

// describeKey prints a lock's key for people.
func describeKey(key string) string {
	parts := strings.SplitN(key, "\x00", 3)
	if len(parts) == 3 && parts[1] != "" {
		return "a row of " + parts[1]
	}
	return "an advisory lock"
}
