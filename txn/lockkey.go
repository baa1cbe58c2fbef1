package txn

import (
	"encoding/binary"
	"fmt"
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

// lockKey is what a key of the lock table stands for.
type lockKey struct {
	kind     lockKind
	relation uint32
	advisory AdvisoryKey
}

type lockKind uint8

const (
	lockRow lockKind = iota
	lockTableKind
	lockAdvisory
)

// tableKey names a table in the lock table.
func tableKey(database string, relation uint32) string {
	b := append([]byte(database), 0, 0, 3)
	return string(binary.BigEndian.AppendUint32(b, relation))
}

func parseKey(key string) lockKey {
	_, rest, _ := strings.Cut(key, "\x00")
	if rest[0] != 0 {
		return lockKey{kind: lockRow}
	}
	b := []byte(rest[2:])
	if rest[1] == 3 {
		return lockKey{kind: lockTableKind, relation: binary.BigEndian.Uint32(b)}
	}
	return lockKey{kind: lockAdvisory, advisory: AdvisoryKey{Two: rest[1] == 2, Class: binary.BigEndian.Uint32(b), Obj: binary.BigEndian.Uint32(b[4:])}}
}

// advisoryMode is the name of an advisory lock's mode.
func advisoryMode(m LockMode) string {
	if m == LockShare {
		return modeNames[TableShare]
	}
	return modeNames[TableExclusive]
}

// describe says what a waiter waits for, in PostgreSQL's words. Rows are waited for by waiting for the transaction of
// whoever holds them.
func (t *lockTable) describe(w *waiter, holder *lockOwner) string {
	switch k := parseKey(w.key); k.kind {
	case lockTableKind:
		return fmt.Sprintf("%s on relation %d of database %d", modeNames[w.mode], k.relation, w.owner.database)
	case lockAdvisory:
		sub := 1
		if k.advisory.Two {
			sub = 2
		}
		return fmt.Sprintf("%s on advisory lock [%d,%d,%d,%d]", advisoryMode(w.mode), w.owner.database, k.advisory.Class, k.advisory.Obj, sub)
	}
	return fmt.Sprintf("ShareLock on transaction %d", t.number(holder))
}

// number gives a transaction its number.
func (t *lockTable) number(o *lockOwner) uint32 {
	if o.xid == 0 {
		t.xids++
		o.xid = t.xids
	}
	return o.xid
}
