package types

import (
	"strings"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// PostgreSQL's limits of type modifiers.
const (
	maxCharLength       = 10485760
	maxBitLength        = 83886080
	maxNumericPrecision = 1000
	maxTimePrecision    = 6
)

// TypmodIn encodes the modifiers of a type name: varchar(10), numeric(10,2), timestamp(3). An interval's first modifier is
// its field mask. A time precision above 6 becomes 6, where PostgreSQL also warns.
func TypmodIn(t *T, mods []int32) (int32, error) {
	invalid := func(format string, args ...any) (int32, error) {
		return -1, pgerr.New(pgerr.InvalidParameterValue, format, args...)
	}
	if t.IsArray() {
		return TypmodIn(t.Elem, mods)
	}
	one := func() error {
		if len(mods) != 1 {
			return pgerr.New(pgerr.InvalidParameterValue, "invalid type modifier")
		}
		return nil
	}
	switch t.OID {
	case oidVarchar, oidBpchar:
		name := "varchar"
		if t.OID == oidBpchar {
			name = "char"
		}
		return lengthTypmod(name, mods, maxCharLength, 4)
	case oidBit:
		return lengthTypmod("bit", mods, maxBitLength, 0)
	case oidVarbit:
		return lengthTypmod("bit varying", mods, maxBitLength, 0)
	case oidNumeric:
		return numericTypmodIn(mods)
	case oidTime, oidTimeTZ, oidTimestamp, oidTimestampTZ:
		if err := one(); err != nil {
			return -1, err
		}
		if mods[0] < 0 {
			name := "TIMESTAMP"
			if t.OID == oidTime || t.OID == oidTimeTZ {
				name = "TIME"
			}
			zone := ""
			if t.OID == oidTimeTZ || t.OID == oidTimestampTZ {
				zone = " WITH TIME ZONE"
			}
			return invalid("%s(%d)%s precision must not be negative", name, mods[0], zone)
		}
		return min(mods[0], maxTimePrecision), nil
	case oidInterval:
		return intervalTypmodIn(mods)
	}
	return -1, pgerr.New(pgerr.SyntaxError, "type modifier is not allowed for type \"%s\"", t.Name)
}

func lengthTypmod(name string, mods []int32, limit, header int32) (int32, error) {
	if len(mods) != 1 {
		return -1, pgerr.New(pgerr.InvalidParameterValue, "invalid type modifier")
	}
	if mods[0] < 1 {
		return -1, pgerr.New(pgerr.InvalidParameterValue, "length for type %s must be at least 1", name)
	}
	if mods[0] > limit {
		return -1, pgerr.New(pgerr.InvalidParameterValue, "length for type %s cannot exceed %d", name, limit)
	}
	return mods[0] + header, nil
}

func numericTypmodIn(mods []int32) (int32, error) {
	if len(mods) != 1 && len(mods) != 2 {
		return -1, pgerr.New(pgerr.InvalidParameterValue, "invalid NUMERIC type modifier")
	}
	p, s := mods[0], int32(0)
	if p < 1 || p > maxNumericPrecision {
		return -1, pgerr.New(pgerr.InvalidParameterValue, "NUMERIC precision %d must be between 1 and %d", p, maxNumericPrecision)
	}
	if len(mods) == 2 {
		if s = mods[1]; s < -maxNumericPrecision || s > maxNumericPrecision {
			return -1, pgerr.New(pgerr.InvalidParameterValue, "NUMERIC scale %d must be between %d and %d", s, -maxNumericPrecision, maxNumericPrecision)
		}
	}
	return p<<16 | s&0x7ff + 4, nil
}

func intervalTypmodIn(mods []int32) (int32, error) {
	if len(mods) == 0 || len(mods) > 2 {
		return -1, pgerr.New(pgerr.InvalidParameterValue, "invalid INTERVAL type modifier")
	}
	known := mods[0] == IntervalFull
	for _, f := range intervalFieldNames {
		known = known || f.mask == mods[0]
	}
	if !known {
		return -1, pgerr.New(pgerr.InvalidParameterValue, "invalid INTERVAL type modifier")
	}
	precision := IntervalFullPrecision
	if len(mods) == 2 {
		if mods[1] < 0 {
			return -1, pgerr.New(pgerr.InvalidParameterValue, "INTERVAL(%d) precision must not be negative", mods[1])
		}
		precision = min(mods[1], maxTimePrecision)
	} else if mods[0] == IntervalFull {
		return -1, nil
	}
	return mods[0]<<16 | precision, nil
}

// ApplyTypmod coerces a non-NULL value to a length or precision: varchar(n), char(n), numeric(p,s), timestamp(p), bit(n).
// An explicit cast truncates where an assignment fails with 22001.
func ApplyTypmod(t *T, typmod int32, d Datum, explicit bool) (Datum, error) {
	if typmod < 0 || d.IsNull() {
		return d, nil
	}
	switch t.OID {
	case oidVarchar:
		return varcharTypmod(typmod, d, explicit)
	case oidBpchar:
		return bpcharTypmod(typmod, d, explicit)
	case oidNumeric:
		return numericTypmodApply(typmod, d)
	case oidTimestamp, oidTimestampTZ:
		if ts := d.Int(); ts != TimestampInfinity && ts != TimestampNegInfinity {
			return Int(RoundMicros(ts, typmod)), nil
		}
		return d, nil
	case oidTime:
		return Int(RoundMicros(d.Int(), typmod)), nil
	case oidTimeTZ:
		v := d.Ref().(*TimeTZ)
		return Ref(&TimeTZ{Micros: RoundMicros(v.Micros, typmod), Zone: v.Zone}), nil
	case oidInterval:
		return Ref(intervalTypmodApply(typmod, d.Interval())), nil
	case oidBit, oidVarbit:
		return bitTypmod(t.OID == oidVarbit, typmod, d, explicit)
	}
	switch {
	case t.Kind == 'd':
		return ApplyTypmod(t.BaseType(), typmod, d, explicit)
	case t.IsArray():
		a := d.Array()
		out := *a
		out.Vals = make([]Datum, len(a.Vals))
		for i, v := range a.Vals {
			var err error
			if out.Vals[i], err = ApplyTypmod(t.Elem, typmod, v, explicit); err != nil {
				return Null, err
			}
		}
		return Ref(&out), nil
	}
	return d, nil
}

// clipChars returns the first n characters of s and what follows them.
func clipChars(s string, n int) (head, tail string) {
	if len(s) <= n {
		return s, ""
	}
	i := 0
	for ; n > 0 && i < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return s[:i], s[i:]
}

func varcharTypmod(typmod int32, d Datum, explicit bool) (Datum, error) {
	head, tail := clipChars(d.Str(), int(typmod-4))
	if tail == "" {
		return d, nil
	}
	if !explicit && strings.Trim(tail, " ") != "" {
		return Null, pgerr.New(pgerr.StringDataRightTruncationData, "value too long for type character varying(%d)", typmod-4)
	}
	return Str(head), nil
}

func bpcharTypmod(typmod int32, d Datum, explicit bool) (Datum, error) {
	n := int(typmod - 4)
	s := d.Str()
	head, tail := clipChars(s, n)
	if tail != "" {
		if !explicit && strings.Trim(tail, " ") != "" {
			return Null, pgerr.New(pgerr.StringDataRightTruncationData, "value too long for type character(%d)", n)
		}
		return Str(head), nil
	}
	if pad := n - utf8.RuneCountInString(s); pad > 0 {
		return Str(s + strings.Repeat(" ", pad)), nil
	}
	return d, nil
}

func numericTypmodApply(typmod int32, d Datum) (Datum, error) {
	n := d.Num()
	p, s := NumericTypmod(typmod)
	overflow := pgerr.New(pgerr.NumericValueOutOfRange, "numeric field overflow")
	switch {
	case IsNaN(n):
		return d, nil
	case n.Form == apd.Infinite:
		return Null, overflow.WithDetail("A field with precision %d, scale %d cannot hold an infinite value.", p, s)
	}
	r := n
	if -n.Exponent != max(s, 0) || s < 0 {
		r = RoundNumeric(n, s)
	}
	if !r.IsZero() && int32(r.NumDigits())+r.Exponent > p-s {
		if p == s {
			return Null, overflow.WithDetail("A field with precision %d, scale %d must round to an absolute value less than 1.", p, s)
		}
		return Null, overflow.WithDetail("A field with precision %d, scale %d must round to an absolute value less than 10^%d.", p, s, p-s)
	}
	return Num(r), nil
}

// RoundMicros rounds microseconds to a precision of 0 to 6 decimals of a second, half away from zero.
func RoundMicros(us int64, precision int32) int64 {
	if precision < 0 || precision >= maxTimePrecision {
		return us
	}
	scale := int64(1)
	for range maxTimePrecision - precision {
		scale *= 10
	}
	if us >= 0 {
		return (us + scale/2) / scale * scale
	}
	return -((-us + scale/2) / scale * scale)
}

func intervalTypmodApply(typmod int32, v *Interval) *Interval {
	r := *v
	truncate := func(unit int64) { r.Micros -= r.Micros % unit }
	switch typmod >> 16 & IntervalFull {
	case IntervalYear:
		r.Months -= r.Months % 12
		r.Days, r.Micros = 0, 0
	case IntervalMonth, IntervalYear | IntervalMonth:
		r.Days, r.Micros = 0, 0
	case IntervalDay:
		r.Micros = 0
	case IntervalHour, IntervalDay | IntervalHour:
		truncate(MicrosPerHour)
	case IntervalMinute, IntervalHour | IntervalMinute, IntervalDay | IntervalHour | IntervalMinute:
		truncate(MicrosPerMinute)
	}
	if p := typmod & IntervalFullPrecision; p != IntervalFullPrecision {
		r.Micros = RoundMicros(r.Micros, p)
	}
	return &r
}

func bitTypmod(varying bool, typmod int32, d Datum, explicit bool) (Datum, error) {
	s, n := d.Str(), int(typmod)
	switch {
	case len(s) == n || varying && len(s) < n:
		return d, nil
	case varying && !explicit:
		return Null, pgerr.New(pgerr.StringDataRightTruncationData, "bit string too long for type bit varying(%d)", n)
	case !explicit:
		return Null, pgerr.New(pgerr.StringDataLengthMismatch, "bit string length %d does not match type bit(%d)", len(s), n)
	case len(s) > n:
		return Str(s[:n]), nil
	}
	return Str(s + strings.Repeat("0", n-len(s))), nil
}
