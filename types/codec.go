package types

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// IO is what input and output depend on: the session's settings and, for the reg* types, its catalogue.
type IO struct {
	Location         *time.Location // TimeZone
	TimeZoneName     string
	DateStyle        string // "ISO", "SQL", "Postgres" or "German"
	DateOrder        string // "MDY", "DMY" or "YMD"
	IntervalStyle    string // "postgres", "postgres_verbose", "sql_standard" or "iso_8601"
	ExtraFloatDigits int
	ByteaEscape      bool
	Now              time.Time // transaction start: 'now', 'today'
	Registry         Registry
	Names            Names
	// Encoding is the client's, nil for UTF8. Only binary forms heed it; what text forms are, the caller converts.
	Encoding *Encoding
}

// Names turns object names into OIDs and back for the reg* types, obeying the search path.
type Names interface {
	// RegIn resolves a name as written for the reg* type t ("regclass" ...). Errors are PostgreSQL's (42P01, 42704, ...).
	RegIn(t *T, text string) (uint32, error)
	// RegOut returns the name of an object, quoted and qualified as needed; ok is false when no object has that OID.
	RegOut(t *T, oid uint32) (name string, ok bool)
}

// DefaultIO returns the settings of a fresh session: UTC, ISO dates, no catalogue.
func DefaultIO() *IO {
	return &IO{Location: time.UTC, TimeZoneName: "UTC", DateStyle: "ISO", DateOrder: "MDY", IntervalStyle: "postgres", ExtraFloatDigits: 1}
}

// Input converts the text form of a value; typmod limits length and precision as an assignment cast would for t's own
// input function (-1: none). Errors are 22P02, 22003, 22007, 22008 and so on, with PostgreSQL's message.
func Input(io *IO, t *T, typmod int32, s string) (Datum, error) {
	if t.Kind == 'd' {
		return Input(io, t.BaseType(), domainTypmod(t), s)
	}
	d, err := inputBase(io, t, typmod, s)
	if err != nil || typmod < 0 {
		return d, err
	}
	return ApplyTypmod(t, typmod, d, false)
}

// domainTypmod returns the modifier that a domain imposes: the outermost one that is set.
func domainTypmod(t *T) int32 {
	for t.Kind == 'd' {
		if t.BaseTypmod >= 0 {
			return t.BaseTypmod
		}
		t = t.Base
	}
	return -1
}

func inputBase(io *IO, t *T, typmod int32, s string) (Datum, error) {
	switch t.OID {
	case oidText, oidVarchar, oidBpchar, oidUnknown, oidCstring, oidRefcursor:
		return inputText(s)
	case oidInt4:
		return inputInt(s, 32, "integer")
	case oidInt8:
		return inputInt(s, 64, "bigint")
	case oidInt2:
		return inputInt(s, 16, "smallint")
	case oidBool:
		return inputBool(s)
	case oidFloat8:
		return inputFloat(s, 64)
	case oidFloat4:
		return inputFloat(s, 32)
	case oidNumeric:
		n, err := ParseNumeric(s)
		if err != nil {
			return Null, err
		}
		return Num(n), nil
	case oidTimestampTZ, oidTimestamp:
		return inputTimestamp(io, s, t.OID == oidTimestampTZ)
	case oidDate:
		return inputDate(io, s)
	case oidTime:
		return inputTime(io, s)
	case oidTimeTZ:
		return inputTimeTZ(io, s)
	case oidInterval:
		return inputInterval(io, s, typmod)
	case oidUUID:
		return inputUUID(s)
	case oidJSON:
		if err := CheckJSON(s); err != nil {
			return Null, err
		}
		return Str(s), nil
	case oidJSONB:
		j, err := ParseJSON(s)
		if err != nil {
			return Null, err
		}
		return Ref(j), nil
	case oidBytea:
		return inputBytea(s)
	case oidName:
		return inputName(s)
	case oidChar:
		return inputChar(s)
	case oidOid:
		return inputOid(s)
	case oidVoid:
		return Str(""), nil
	}
	return inputRare(io, t, s)
}

func inputRare(io *IO, t *T, s string) (Datum, error) {
	switch t.Kind {
	case 'e':
		return inputEnum(t, s)
	case 'c':
		return inputComposite(io, t, s)
	case 'r':
		return inputRange(io, t, s)
	case 'm':
		return inputMultirange(io, t, s)
	}
	if t.IsArray() {
		return inputArray(io, t, s)
	}
	if t.ext != nil {
		return t.ext.input(s)
	}
	if isReg(t) {
		return inputReg(io, t, s)
	}
	switch t.OID {
	case oidXid, oidCid:
		return inputXid(s, 32)
	case oidXid8:
		return inputXid(s, 64)
	case oidTid:
		return inputTid(s)
	case oidPgLSN:
		return inputLSN(s)
	case oidMoney:
		return inputMoney(s)
	case oidInt2Vector:
		return inputVector(s, Int2T)
	case oidOidVector:
		return inputVector(s, OidT)
	case oidBit, oidVarbit:
		return inputBits(s)
	case oidInet, oidCidr:
		return inputInet(s, t.OID == oidCidr)
	case oidMacaddr:
		return inputMac(s, 6)
	case oidMacaddr8:
		return inputMac(s, 8)
	case oidPoint, oidLseg, oidPath, oidBox, oidPolygon, oidLine, oidCircle:
		return inputGeometric(t, s)
	case oidTSVector:
		return inputTSVector(s)
	case oidTSQuery:
		return inputTSQuery(s)
	case oidJSONPath:
		return inputJSONPath(s)
	case oidXML:
		return inputXML(s)
	case oidAclitem, oidTxidSnapshot, oidPgSnapshot:
		return inputText(s)
	case oidRecord:
		return Null, pgerr.New(pgerr.FeatureNotSupported, "input of anonymous composite types is not implemented")
	}
	return Null, pgerr.New(pgerr.FeatureNotSupported, "cannot accept a value of type %s", FormatType(t, -1))
}

// Output appends the text form of a non-NULL value.
func Output(io *IO, t *T, dst []byte, d Datum) []byte {
	switch t.OID {
	case oidText, oidVarchar, oidBpchar, oidName, oidJSON, oidUnknown, oidCstring:
		return append(dst, d.Str()...)
	case oidInt4, oidInt8, oidInt2:
		return appendInt(dst, d.Int())
	case oidBool:
		if d.Bool() {
			return append(dst, 't')
		}
		return append(dst, 'f')
	case oidFloat8:
		return AppendFloat(dst, d.Float(), 64, io.ExtraFloatDigits)
	case oidFloat4:
		return AppendFloat(dst, d.Float(), 32, io.ExtraFloatDigits)
	case oidNumeric:
		return AppendNumeric(dst, d.Num())
	case oidTimestampTZ:
		return appendTimestampTZ(io, dst, d.Int())
	case oidTimestamp:
		return appendTimestamp(io, dst, d.Int())
	case oidDate:
		return appendDate(io, dst, d.Int())
	case oidTime:
		return appendTime(dst, d.Int())
	case oidTimeTZ:
		return appendTimeTZ(dst, d.Ref().(*TimeTZ))
	case oidInterval:
		return AppendInterval(dst, d.Interval(), io.IntervalStyle)
	case oidUUID:
		return appendUUID(dst, d.Str())
	case oidJSONB:
		return AppendJSON(dst, d.JSON())
	case oidBytea:
		return appendBytea(dst, d.Str(), io.ByteaEscape)
	case oidChar:
		return appendChar(dst, d.Str())
	case oidOid, oidXid, oidCid:
		return appendUint(dst, uint64(uint32(d.Int())))
	case oidVoid:
		return dst
	}
	return outputRare(io, t, dst, d)
}

func outputRare(io *IO, t *T, dst []byte, d Datum) []byte {
	switch t.Kind {
	case 'd':
		return Output(io, t.BaseType(), dst, d)
	case 'c':
		return outputRecord(io, dst, d.Record())
	case 'r':
		return outputRange(io, t, dst, d.Range())
	case 'm':
		return outputMultirange(io, t, dst, d.Ref().(*Multirange))
	}
	if t.ext != nil {
		return t.ext.output(dst, d)
	}
	if isReg(t) {
		return outputReg(io, t, dst, uint32(d.Int()))
	}
	switch t.OID {
	case oidXid8:
		return appendUint(dst, uint64(d.Int()))
	case oidPgLSN:
		return appendLSN(dst, uint64(d.Int()))
	case oidMoney:
		return appendMoney(dst, d.Int())
	case oidXML:
		return appendXML(dst, d.Str())
	case oidMacaddr, oidMacaddr8:
		return appendMac(dst, d.Str())
	}
	switch v := d.Ref().(type) {
	case *Array:
		if t.OID == oidInt2Vector || t.OID == oidOidVector {
			return outputVector(dst, v)
		}
		return outputArray(io, dst, v)
	case *Record:
		return outputRecord(io, dst, v)
	case *Inet:
		return appendInet(dst, v, t.OID == oidCidr)
	case *TSVector:
		return appendTSVector(dst, v)
	case *TSQuery:
		return appendTSQuery(dst, v)
	}
	return append(dst, d.Str()...)
}

func shortBinary() error {
	return pgerr.New(pgerr.ProtocolViolation, "insufficient data left in message")
}

func badBinary(t *T) error {
	return pgerr.New(pgerr.InvalidBinaryRepresentation, "incorrect binary data format in value of type %s", FormatType(t, -1))
}

// Receive converts the binary form of a value.
func Receive(io *IO, t *T, typmod int32, b []byte) (Datum, error) {
	if t.Kind == 'd' {
		return Receive(io, t.BaseType(), domainTypmod(t), b)
	}
	d, err := receiveBase(io, t, b)
	if err != nil || typmod < 0 {
		return d, err
	}
	return ApplyTypmod(t, typmod, d, false)
}

// fixedLen is the exact length of the binary form of types that have one, 0 for the others.
func fixedLen(oid uint32) int {
	switch oid {
	case oidBool, oidChar:
		return 1
	case oidInt2:
		return 2
	case oidInt4, oidOid, oidXid, oidCid, oidFloat4, oidDate, oidRegproc, oidRegprocedure, oidRegoper, oidRegoperator, oidRegclass,
		oidRegtype, oidRegconfig, oidRegdictionary, oidRegnamespace, oidRegrole, oidRegcollation:
		return 4
	case oidTid, oidMacaddr:
		return 6
	case oidInt8, oidFloat8, oidTime, oidTimestamp, oidTimestampTZ, oidMoney, oidPgLSN, oidXid8, oidMacaddr8:
		return 8
	case oidTimeTZ:
		return 12
	case oidInterval, oidUUID:
		return 16
	}
	return 0
}

func receiveBase(io *IO, t *T, b []byte) (Datum, error) {
	if n := fixedLen(t.OID); n > 0 {
		if len(b) < n {
			return Null, shortBinary()
		}
		if len(b) > n {
			return Null, badBinary(t)
		}
	}
	be := binary.BigEndian
	switch t.OID {
	case oidBool:
		return Bool(b[0] != 0), nil
	case oidInt2:
		return Int(int64(int16(be.Uint16(b)))), nil
	case oidInt4:
		return Int(int64(int32(be.Uint32(b)))), nil
	case oidInt8, oidMoney, oidPgLSN, oidXid8:
		return Int(int64(be.Uint64(b))), nil
	case oidFloat4:
		return Float(float64(math.Float32frombits(be.Uint32(b)))), nil
	case oidFloat8:
		return Float(math.Float64frombits(be.Uint64(b))), nil
	case oidText, oidVarchar, oidBpchar, oidUnknown, oidCstring, oidRefcursor:
		return receiveText(io, b)
	case oidName:
		return receiveName(io, b)
	case oidVoid:
		return Str(""), nil
	case oidNumeric:
		return receiveNumeric(b)
	case oidBytea:
		return Str(string(b)), nil
	case oidUUID:
		return Str(string(b)), nil
	case oidChar:
		if b[0] == 0 {
			return Str(""), nil
		}
		return Str(string(b)), nil
	case oidDate:
		return checkDate(int64(int32(be.Uint32(b))))
	case oidTimestamp, oidTimestampTZ:
		return checkTimestamp(int64(be.Uint64(b)))
	case oidTime:
		return checkTime(int64(be.Uint64(b)))
	case oidTimeTZ:
		return checkTimeTZ(int64(be.Uint64(b)), int32(be.Uint32(b[8:])))
	case oidInterval:
		return Ref(&Interval{Micros: int64(be.Uint64(b)), Days: int32(be.Uint32(b[8:])), Months: int32(be.Uint32(b[12:]))}), nil
	case oidJSON:
		d, err := receiveText(io, b)
		if err == nil {
			err = CheckJSON(d.Str())
		}
		return d, err
	case oidJSONB, oidJSONPath:
		return receiveVersioned(io, t, b)
	case oidXML:
		d, err := receiveText(io, b)
		if err != nil {
			return d, err
		}
		return inputXML(d.Str())
	}
	if fixedLen(t.OID) == 4 {
		return Int(int64(be.Uint32(b))), nil
	}
	return receiveRare(io, t, b)
}

// receiveVersioned reads jsonb and jsonpath: a version byte, then the text.
func receiveVersioned(io *IO, t *T, b []byte) (Datum, error) {
	if len(b) == 0 {
		return Null, shortBinary()
	}
	if b[0] != 1 {
		return Null, pgerr.New(pgerr.InternalError, "unsupported %s version number %d", t.Name, b[0])
	}
	d, err := receiveText(io, b[1:])
	if err != nil {
		return Null, err
	}
	return inputBase(io, t, -1, d.Str())
}

func receiveRare(io *IO, t *T, b []byte) (Datum, error) {
	switch t.Kind {
	case 'e':
		d, err := receiveText(io, b)
		if err != nil {
			return d, err
		}
		return inputEnum(t, d.Str())
	case 'c':
		return receiveRecord(io, t, b)
	case 'r':
		return receiveRange(io, t, b)
	case 'm':
		return receiveMultirange(io, t, b)
	}
	if t.IsArray() || t.OID == oidInt2Vector || t.OID == oidOidVector {
		return receiveArray(io, t, b)
	}
	if t.ext != nil {
		return t.ext.receive(b)
	}
	switch t.OID {
	case oidRecord:
		return receiveRecord(io, t, b)
	case oidTid:
		return receiveTid(b), nil
	case oidMacaddr, oidMacaddr8:
		return Str(string(b)), nil
	case oidBit, oidVarbit:
		return receiveBits(b)
	case oidInet, oidCidr:
		return receiveInet(b, t.OID == oidCidr)
	case oidTSVector:
		return receiveTSVector(b)
	case oidPoint, oidLseg, oidPath, oidBox, oidPolygon, oidLine, oidCircle:
		return receiveGeometric(t, b)
	}
	return Null, pgerr.New(pgerr.UndefinedFunction, "no binary input function available for type %s", FormatType(t, -1))
}

// Send appends the binary form of a non-NULL value.
func Send(io *IO, t *T, dst []byte, d Datum) ([]byte, error) {
	be := binary.BigEndian
	switch t.OID {
	case oidText, oidVarchar, oidBpchar, oidName, oidJSON, oidUnknown, oidCstring, oidRefcursor:
		return io.Encoding.AppendEncoded(dst, d.Str())
	case oidXML:
		return io.Encoding.AppendEncoded(dst, string(appendXML(nil, d.Str())))
	case oidBytea, oidUUID, oidMacaddr, oidMacaddr8, oidVoid:
		return append(dst, d.Str()...), nil
	case oidInt4, oidOid, oidXid, oidCid, oidDate:
		return be.AppendUint32(dst, uint32(d.Int())), nil
	case oidInt8, oidTimestamp, oidTimestampTZ, oidTime, oidMoney, oidPgLSN, oidXid8:
		return be.AppendUint64(dst, uint64(d.Int())), nil
	case oidInt2:
		return be.AppendUint16(dst, uint16(d.Int())), nil
	case oidBool:
		if d.Bool() {
			return append(dst, 1), nil
		}
		return append(dst, 0), nil
	case oidFloat8:
		return be.AppendUint64(dst, float64Bits(d.Float())), nil
	case oidFloat4:
		if f := d.Float(); math.IsNaN(f) {
			return be.AppendUint32(dst, 0x7fc00000), nil
		}
		return be.AppendUint32(dst, math.Float32bits(float32(d.Float()))), nil
	case oidNumeric:
		return sendNumeric(dst, d.Num()), nil
	case oidJSONB:
		return io.Encoding.EncodeTail(AppendJSON(append(dst, 1), d.JSON()), len(dst)+1)
	case oidJSONPath:
		return io.Encoding.AppendEncoded(append(dst, 1), d.Str())
	case oidChar:
		if s := d.Str(); s != "" {
			return append(dst, s[0]), nil
		}
		return append(dst, 0), nil
	case oidTimeTZ:
		v := d.Ref().(*TimeTZ)
		return be.AppendUint32(be.AppendUint64(dst, uint64(v.Micros)), uint32(v.Zone)), nil
	case oidInterval:
		v := d.Interval()
		dst = be.AppendUint64(dst, uint64(v.Micros))
		return be.AppendUint32(be.AppendUint32(dst, uint32(v.Days)), uint32(v.Months)), nil
	}
	return sendRare(io, t, dst, d)
}

func sendRare(io *IO, t *T, dst []byte, d Datum) ([]byte, error) {
	switch t.Kind {
	case 'd':
		return Send(io, t.BaseType(), dst, d)
	case 'e':
		return io.Encoding.AppendEncoded(dst, d.Str())
	case 'c':
		return sendRecord(io, dst, d.Record())
	case 'r':
		return sendRange(io, t, dst, d.Range())
	case 'm':
		return sendMultirange(io, t, dst, d.Ref().(*Multirange))
	}
	if t.ext != nil {
		return t.ext.send(dst, d), nil
	}
	if isReg(t) {
		return binary.BigEndian.AppendUint32(dst, uint32(d.Int())), nil
	}
	switch t.OID {
	case oidTid:
		return sendTid(dst, d.Str()), nil
	case oidBit, oidVarbit:
		return sendBits(dst, d.Str()), nil
	case oidPoint, oidLseg, oidPath, oidBox, oidPolygon, oidLine, oidCircle:
		return sendGeometric(t, dst, d.Str())
	}
	switch v := d.Ref().(type) {
	case *Array:
		return sendArray(io, dst, v)
	case *Record:
		return sendRecord(io, dst, v)
	case *Inet:
		return sendInet(dst, v, t.OID == oidCidr), nil
	case *TSVector:
		return sendTSVector(dst, v), nil
	case *TSQuery:
		return sendTSQuery(dst, v), nil
	}
	return dst, pgerr.New(pgerr.UndefinedFunction, "no binary output function available for type %s", FormatType(t, -1))
}
