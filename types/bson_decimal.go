package types

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// Decimal128's limits: digits of the coefficient, and the bias and range of the exponent.
const (
	decimalDigits  = 34
	decimalBias    = 6176
	decimalMaxExp  = 6111
	decimalNaN     = uint64(0x7c) << 56
	decimalInf     = uint64(0x78) << 56
	decimalNegInf  = uint64(0xf8) << 56
	decimalSignBit = uint64(1) << 63
)

// appendDecimal appends a Decimal128 that reads back as the same numeric text; ok is false when there is none.
func appendDecimal(dst []byte, d *apd.Decimal) (out []byte, ok bool) {
	le := binary.LittleEndian
	put := func(high, low uint64) ([]byte, bool) {
		return le.AppendUint64(le.AppendUint64(dst, low), high), true
	}
	switch {
	case IsNaN(d):
		return put(decimalNaN, 0)
	case d.Form == apd.Infinite && d.Negative:
		return put(decimalNegInf, 0)
	case d.Form == apd.Infinite:
		return put(decimalInf, 0)
	}
	coeff, exp := &d.Coeff, d.Exponent
	if d.Coeff.BitLen() > 112 {
		digits, zeros := significantDigits(&d.Coeff)
		if len(digits)+int(zeros) > decimalDigits {
			// An integer with trailing zeros may be shortened, since a positive exponent reads as scale 0.
			if exp < 0 || len(digits) > decimalDigits {
				return dst, false
			}
			coeff, exp = new(apd.BigInt), exp+zeros
			coeff.SetString(string(digits), 10)
		}
	}
	if exp < -decimalBias || exp > decimalMaxExp {
		return dst, false
	}
	var high, low uint64
	if coeff.IsUint64() {
		low = coeff.Uint64()
	} else {
		var buf [16]byte
		b := coeff.FillBytes(buf[:])
		high, low = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	}
	high |= uint64(exp+decimalBias) << 49
	if d.Negative && coeff.Sign() != 0 {
		high |= decimalSignBit
	}
	return put(high, low)
}

// decimalFromBSON reads the 16 bytes of a Decimal128 as a numeric.
func decimalFromBSON(b []byte) *apd.Decimal {
	d := new(apd.Decimal)
	if len(b) < 16 {
		d.Form = apd.NaN
		return d
	}
	low, high := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	d.Negative = high&decimalSignBit != 0
	switch high >> 58 & 0x1f {
	case 0x1f:
		d.Form, d.Negative = apd.NaN, false
		return d
	case 0x1e:
		d.Form = apd.Infinite
		return d
	}
	if high>>61&3 == 3 {
		// The second coefficient format cannot hold a valid coefficient: the value is zero.
		d.Exponent = int32(high>>47&0x3fff) - decimalBias
		low, high = 0, 0
	} else {
		d.Exponent = int32(high>>49&0x3fff) - decimalBias
		high &= 1<<49 - 1
	}
	d.Coeff.SetUint64(low)
	if high != 0 {
		var hi apd.BigInt
		hi.SetUint64(high)
		d.Coeff.Add(hi.Lsh(&hi, 64), &d.Coeff)
	}
	normalizeExponent(d)
	return d
}

// NumericFromFloat returns the shortest decimal that reads back as f, NaN and the infinities included.
func NumericFromFloat(f float64) *apd.Decimal {
	d := new(apd.Decimal)
	switch {
	case math.IsNaN(f):
		d.Form = apd.NaN
		return d
	case math.IsInf(f, 0):
		d.Form, d.Negative = apd.Infinite, f < 0
		return d
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return d.SetInt64(int64(f))
	}
	if n, err := ParseNumeric(strconv.FormatFloat(f, 'f', -1, 64)); err == nil {
		return n
	}
	return d
}

func numericFromBSON(t *T, v bson.RawValue) (Datum, error) {
	le := binary.LittleEndian
	switch v.Type {
	case bson.TypeDecimal128:
		return Num(decimalFromBSON(v.Value)), nil
	case bson.TypeInt32:
		return Num(apd.New(int64(int32(le.Uint32(v.Value))), 0)), nil
	case bson.TypeInt64:
		return Num(apd.New(int64(le.Uint64(v.Value)), 0)), nil
	case bson.TypeDouble:
		return Num(NumericFromFloat(math.Float64frombits(le.Uint64(v.Value)))), nil
	}
	return Null, badBSON(t, v)
}
