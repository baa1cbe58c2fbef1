package types

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"unsafe"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// SplitMicros divides a timestamp into what a BSON Date holds, milliseconds since 1970, and the 0 to 999 microseconds
// below it, which the caller keeps in a hidden field. The infinities become the extreme Dates.
func SplitMicros(ts int64) (millis int64, rest int32) {
	if ts == TimestampInfinity || ts == TimestampNegInfinity {
		return ts, 0
	}
	us := floorMod(ts, 1000)
	return (ts-us)/1000 + unixEpochMicros/1000, int32(us)
}

// JoinMicros is the inverse of SplitMicros; ok is false when the result is out of PostgreSQL's range.
func JoinMicros(millis int64, rest int32) (ts int64, ok bool) {
	if millis == math.MaxInt64 || millis == math.MinInt64 {
		return millis, true
	}
	if millis > EndTimestamp/1000+unixEpochMicros/1000 || millis < MinTimestamp/1000+unixEpochMicros/1000 {
		return 0, false
	}
	ts = (millis-unixEpochMicros/1000)*1000 + int64(rest)
	return ts, ValidTimestamp(ts)
}

// BSONTypeName returns MongoDB's alias of a BSON type, as $type takes it: "int", "objectId".
func BSONTypeName(t bson.Type) string {
	switch t {
	case bson.TypeDouble:
		return "double"
	case bson.TypeString:
		return "string"
	case bson.TypeEmbeddedDocument:
		return "object"
	case bson.TypeArray:
		return "array"
	case bson.TypeBinary:
		return "binData"
	case bson.TypeUndefined:
		return "undefined"
	case bson.TypeObjectID:
		return "objectId"
	case bson.TypeBoolean:
		return "bool"
	case bson.TypeDateTime:
		return "date"
	case bson.TypeNull:
		return "null"
	case bson.TypeRegex:
		return "regex"
	case bson.TypeDBPointer:
		return "dbPointer"
	case bson.TypeJavaScript:
		return "javascript"
	case bson.TypeSymbol:
		return "symbol"
	case bson.TypeCodeWithScope:
		return "javascriptWithScope"
	case bson.TypeInt32:
		return "int"
	case bson.TypeTimestamp:
		return "timestamp"
	case bson.TypeInt64:
		return "long"
	case bson.TypeDecimal128:
		return "decimal"
	case bson.TypeMinKey:
		return "minKey"
	case bson.TypeMaxKey:
		return "maxKey"
	}
	return "unknown"
}

func badBSON(t *T, v bson.RawValue) error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "stored value of BSON type %s cannot be read as type %s", BSONTypeName(v.Type), FormatType(t, -1))
}

// bsonMisfit reports a value of a fitting BSON type that type t cannot hold.
func bsonMisfit(t *T, v bson.RawValue) error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "stored value %s of BSON type %s cannot be read as type %s", v.String(), BSONTypeName(v.Type), FormatType(t, -1))
}

// storageIO is how text forms are stored: the settings of a fresh session, whatever the client's are.
var storageIO = DefaultIO()

// FromBSON reads a stored value as a value of t; null reads as NULL. A value that does not fit t is a 22P02 error that
// names the BSON type found; the caller adds collection, field and _id. Strings share v's memory.
func FromBSON(t *T, v bson.RawValue) (Datum, error) {
	switch v.Type {
	case bson.TypeNull, bson.TypeUndefined, 0:
		return Null, nil
	}
	switch t.OID {
	case oidInt4, oidInt8, oidInt2, oidOid, oidTime, oidMoney, oidXid, oidCid, oidXid8, oidPgLSN:
		return intFromBSON(t, v)
	case oidText, oidVarchar, oidBpchar, oidName, oidUnknown, oidCstring:
		return textFromBSON(t, v)
	case oidFloat8, oidFloat4:
		return floatFromBSON(t, v)
	case oidNumeric:
		return numericFromBSON(t, v)
	case oidBool:
		if v.Type == bson.TypeBoolean && len(v.Value) == 1 {
			return Bool(v.Value[0] != 0), nil
		}
		return Null, badBSON(t, v)
	case oidTimestamp, oidTimestampTZ, oidDate:
		return dateFromBSON(t, v)
	case oidUUID, oidBytea:
		return binaryFromBSON(t, v)
	case oidJSONB:
		if j := jsonFromBSON(v); j != nil {
			return Ref(j), nil
		}
		return Null, badBSON(t, v)
	case oidInterval:
		return intervalFromBSON(t, v)
	}
	return rareFromBSON(t, v)
}

func rareFromBSON(t *T, v bson.RawValue) (Datum, error) {
	switch {
	case t.Kind == 'd':
		return FromBSON(t.BaseType(), v)
	case t.Kind == 'r':
		return rangeFromBSON(t, v)
	case t.Kind == 'c' && v.Type == bson.TypeEmbeddedDocument:
		return recordFromBSON(t, v)
	case t.IsArray() || t.OID == oidInt2Vector || t.OID == oidOidVector:
		return arrayFromBSON(t, v)
	case t.Rep == RepInt:
		return intFromBSON(t, v)
	case t.ext != nil && t.ext.fromBSON != nil:
		d, ok := t.ext.fromBSON(v)
		if !ok {
			return Null, badBSON(t, v)
		}
		return d, nil
	}
	if v.Type != bson.TypeString && v.Type != bson.TypeSymbol {
		return Null, badBSON(t, v)
	}
	s, ok := bsonString(v.Value)
	if !ok {
		return Null, badBSON(t, v)
	}
	return inputBase(storageIO, t, -1, s)
}

// bsonString returns the string of an encoded BSON string without copying.
func bsonString(b []byte) (string, bool) {
	if len(b) < 5 {
		return "", false
	}
	n := int(int32(binary.LittleEndian.Uint32(b)))
	if n < 1 || n+4 > len(b) {
		return "", false
	}
	return unsafe.String(unsafe.SliceData(b[4:]), n-1), true
}

// bsonInt returns the value of a numeric BSON value if it is an integer of 64 bits.
func bsonInt(v bson.RawValue) (n int64, numeric, exact bool) {
	le := binary.LittleEndian
	switch v.Type {
	case bson.TypeInt32:
		return int64(int32(le.Uint32(v.Value))), true, true
	case bson.TypeInt64:
		return int64(le.Uint64(v.Value)), true, true
	case bson.TypeDouble:
		f := math.Float64frombits(le.Uint64(v.Value))
		if f != math.Trunc(f) || f < -(1<<63) || f >= 1<<63 {
			return 0, true, false
		}
		return int64(f), true, true
	case bson.TypeDecimal128:
		d := decimalFromBSON(v.Value)
		n, err := d.Int64()
		return n, true, err == nil
	}
	return 0, false, false
}

func intFromBSON(t *T, v bson.RawValue) (Datum, error) {
	n, numeric, exact := bsonInt(v)
	if !numeric {
		return Null, badBSON(t, v)
	}
	ok := exact
	switch t.OID {
	case oidInt8, oidMoney, oidXid8, oidPgLSN:
	case oidInt4:
		ok = ok && n == int64(int32(n))
	case oidInt2:
		ok = ok && n == int64(int16(n))
	case oidTime:
		ok = ok && n >= 0 && n <= MicrosPerDay
	default:
		ok = ok && n == int64(uint32(n))
	}
	if !ok {
		return Null, bsonMisfit(t, v)
	}
	return Int(n), nil
}

func textFromBSON(t *T, v bson.RawValue) (Datum, error) {
	switch v.Type {
	case bson.TypeString, bson.TypeSymbol:
		if s, ok := bsonString(v.Value); ok {
			return Str(s), nil
		}
	case bson.TypeObjectID:
		return Str(hex.EncodeToString(v.Value)), nil
	}
	return Null, badBSON(t, v)
}

func floatFromBSON(t *T, v bson.RawValue) (Datum, error) {
	le := binary.LittleEndian
	var f float64
	switch v.Type {
	case bson.TypeDouble:
		f = math.Float64frombits(le.Uint64(v.Value))
	case bson.TypeInt32:
		f = float64(int32(le.Uint32(v.Value)))
	case bson.TypeInt64:
		n := int64(le.Uint64(v.Value))
		f = float64(n)
		if f >= 1<<63 || int64(f) != n {
			return Null, bsonMisfit(t, v)
		}
	case bson.TypeDecimal128:
		d := decimalFromBSON(v.Value)
		switch {
		case IsNaN(d):
			f = math.NaN()
		default:
			var err error
			if f, err = ParseFloat(string(AppendNumeric(nil, d)), 64); err != nil {
				return Null, bsonMisfit(t, v)
			}
		}
	default:
		return Null, badBSON(t, v)
	}
	if t.OID == oidFloat4 {
		// A float4 is stored as the double of equal value; doubles of others are rounded as the cast does.
		g := float64(float32(f))
		if math.IsInf(g, 0) && !math.IsInf(f, 0) || g == 0 && f != 0 {
			return Null, bsonMisfit(t, v)
		}
		f = g
	}
	return Float(f), nil
}

func dateFromBSON(t *T, v bson.RawValue) (Datum, error) {
	le := binary.LittleEndian
	var millis int64
	switch v.Type {
	case bson.TypeDateTime:
		millis = int64(le.Uint64(v.Value))
	case bson.TypeTimestamp:
		millis = int64(le.Uint64(v.Value)>>32) * 1000
	case bson.TypeString:
		// Timestamps with microseconds inside arrays and other containers are kept as text.
		if s, ok := bsonString(v.Value); ok && t.OID != oidDate {
			d, err := inputTimestamp(storageIO, s, t.OID == oidTimestampTZ)
			if err == nil && string(Output(storageIO, t, nil, d)) == s {
				return d, nil
			}
		}
		return Null, bsonMisfit(t, v)
	default:
		return Null, badBSON(t, v)
	}
	if t.OID == oidDate {
		return dayFromMillis(t, v, millis)
	}
	ts, ok := JoinMicros(millis, 0)
	if !ok {
		return Null, bsonMisfit(t, v)
	}
	return Int(ts), nil
}

// dayFromMillis accepts only midnight: a time of day would be lost in silence.
func dayFromMillis(t *T, v bson.RawValue, millis int64) (Datum, error) {
	switch millis {
	case math.MaxInt64:
		return Int(DateInfinity), nil
	case math.MinInt64:
		return Int(DateNegInfinity), nil
	}
	const perDay = 86400000
	days := floorDiv(millis, perDay)
	if days*perDay != millis || !ValidDate(days-unixEpochDays) {
		return Null, bsonMisfit(t, v)
	}
	return Int(days - unixEpochDays), nil
}

// binaryBytes returns the subtype and content of a BSON binary; the old subtype 2 has a second length inside.
func binaryBytes(b []byte) (subtype byte, data []byte, ok bool) {
	if len(b) < 5 {
		return 0, nil, false
	}
	n := int(int32(binary.LittleEndian.Uint32(b)))
	if n < 0 || n+5 > len(b) {
		return 0, nil, false
	}
	subtype, data = b[4], b[5:5+n]
	if subtype == 2 && n >= 4 {
		data = data[4:]
	}
	return subtype, data, true
}

func binaryFromBSON(t *T, v bson.RawValue) (Datum, error) {
	if v.Type != bson.TypeBinary {
		return Null, badBSON(t, v)
	}
	subtype, data, ok := binaryBytes(v.Value)
	if !ok {
		return Null, badBSON(t, v)
	}
	if t.OID == oidUUID && (len(data) != 16 || subtype != 4) {
		return Null, bsonMisfit(t, v)
	}
	return Bytes(data), nil
}

func intervalFromBSON(t *T, v bson.RawValue) (Datum, error) {
	if v.Type != bson.TypeEmbeddedDocument {
		return Null, badBSON(t, v)
	}
	elems, err := bson.Raw(v.Value).Elements()
	if err != nil {
		return Null, badBSON(t, v)
	}
	var i Interval
	for _, e := range elems {
		n, _, exact := bsonInt(e.Value())
		key := e.Key()
		if !exact || (key == "m" || key == "d") && n != int64(int32(n)) {
			return Null, bsonMisfit(t, v)
		}
		switch key {
		case "m":
			i.Months = int32(n)
		case "d":
			i.Days = int32(n)
		case "us":
			i.Micros = n
		default:
			return Null, bsonMisfit(t, v)
		}
	}
	return Ref(&i), nil
}

// AppendBSON appends an element with the value's stored form: key and value for an element of a document under
// construction. NULL is written as null. The microseconds that a Date cannot hold are the caller's (SplitMicros).
func AppendBSON(dst []byte, key string, t *T, d Datum) ([]byte, error) {
	return appendElement(dst, key, t, d, false)
}

func appendElement(dst []byte, key string, t *T, d Datum, nested bool) ([]byte, error) {
	at := len(dst)
	dst = append(append(append(dst, 0), key...), 0)
	typ, dst, err := appendValue(dst, t, d, nested)
	if err != nil {
		return dst[:at], err
	}
	dst[at] = byte(typ)
	return dst, nil
}

// ToBSON returns the stored form of a value, as used in filters and as _id.
func ToBSON(t *T, d Datum) (bson.RawValue, error) {
	typ, b, err := appendValue(nil, t, d, false)
	return bson.RawValue{Type: typ, Value: b}, err
}

func appendBSONString(dst []byte, s string) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)+1))
	return append(append(dst, s...), 0)
}

func appendText(dst []byte, s string) (bson.Type, []byte, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return 0, dst, badEncoding("\x00")
	}
	return bson.TypeString, appendBSONString(dst, s), nil
}

func appendBinary(dst []byte, subtype byte, s string) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
	return append(append(dst, subtype), s...)
}

// appendValue appends a value without key. nested says that it stands inside a container, where there is no place for a
// timestamp's microseconds beside it.
func appendValue(dst []byte, t *T, d Datum, nested bool) (bson.Type, []byte, error) {
	le := binary.LittleEndian
	if d.IsNull() {
		return bson.TypeNull, dst, nil
	}
	switch t.OID {
	case oidInt4, oidInt2:
		return bson.TypeInt32, le.AppendUint32(dst, uint32(d.Int())), nil
	case oidText, oidVarchar, oidBpchar, oidName, oidUnknown, oidCstring, oidJSON, oidXML:
		return appendText(dst, d.Str())
	case oidBool:
		return bson.TypeBoolean, append(dst, byte(b2u(d.Bool()))), nil
	case oidFloat8, oidFloat4:
		return bson.TypeDouble, le.AppendUint64(dst, math.Float64bits(d.Float())), nil
	case oidNumeric:
		dst, ok := appendDecimal(dst, d.Num())
		if !ok {
			return 0, dst, pgerr.New(pgerr.NumericValueOutOfRange, "numeric value has more digits than can be stored").
				WithDetail("MongoDB's decimal type holds at most 34 significant digits.")
		}
		return bson.TypeDecimal128, dst, nil
	case oidTimestamp, oidTimestampTZ:
		millis, rest := SplitMicros(d.Int())
		if nested && rest != 0 {
			return bson.TypeString, appendBSONString(dst, string(Output(storageIO, t, nil, d))), nil
		}
		return bson.TypeDateTime, le.AppendUint64(dst, uint64(millis)), nil
	case oidDate:
		return bson.TypeDateTime, le.AppendUint64(dst, uint64(dateMillis(d.Int()))), nil
	case oidUUID:
		return bson.TypeBinary, appendBinary(dst, 4, d.Str()), nil
	case oidBytea:
		return bson.TypeBinary, appendBinary(dst, 0, d.Str()), nil
	case oidJSONB:
		typ, dst := appendJSONBValue(dst, d.JSON(), true)
		return typ, dst, nil
	case oidInterval:
		v := d.Interval()
		start := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		dst = le.AppendUint32(append(dst, byte(bson.TypeInt32), 'm', 0), uint32(v.Months))
		dst = le.AppendUint32(append(dst, byte(bson.TypeInt32), 'd', 0), uint32(v.Days))
		dst = le.AppendUint64(append(dst, byte(bson.TypeInt64), 'u', 's', 0), uint64(v.Micros))
		return bson.TypeEmbeddedDocument, endDocument(dst, start), nil
	}
	return appendRareValue(dst, t, d)
}

func appendRareValue(dst []byte, t *T, d Datum) (bson.Type, []byte, error) {
	switch {
	case t.Kind == 'd':
		return appendValue(dst, t.BaseType(), d, false)
	case t.Rep == RepInt:
		return bson.TypeInt64, binary.LittleEndian.AppendUint64(dst, uint64(d.Int())), nil
	case t.Kind == 'e':
		return appendText(dst, d.Str())
	case t.Kind == 'r':
		return appendRangeValue(dst, t, d.Range())
	case t.Kind == 'c' && len(t.Fields) > 0:
		return appendRecordValue(dst, t, d.Record())
	case t.ext != nil && t.ext.appendBSON != nil:
		typ, dst := t.ext.appendBSON(dst, d)
		return typ, dst, nil
	}
	if a, ok := d.Ref().(*Array); ok {
		return appendArrayValue(dst, t, a)
	}
	return appendText(dst, string(Output(storageIO, t, nil, d)))
}

func dateMillis(days int64) int64 {
	switch days {
	case DateInfinity:
		return math.MaxInt64
	case DateNegInfinity:
		return math.MinInt64
	}
	return (days + unixEpochDays) * 86400000
}

// endDocument closes a document that was begun at start with four bytes for its length.
func endDocument(dst []byte, start int) []byte {
	dst = append(dst, 0)
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}
