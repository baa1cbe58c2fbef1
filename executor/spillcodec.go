package executor

import (
	"encoding/binary"
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// spillCodec writes and reads datums without knowing their types. What a datum points to outside itself (element types,
// values of rare kinds) stays in memory, in a table by number: a codec reads only what it wrote.
type spillCodec struct {
	typeNum map[*types.T]uint64
	typs    []*types.T
	refs    []any
}

// The tags of encoded datums.
const (
	tagNull byte = iota
	tagInline
	tagBytes
	tagDecimal
	tagJSON
	tagArray
	tagRecord
	tagInterval
	tagTimeTZ
	tagRange
	tagMultirange
	tagRef
)

func (c *spillCodec) appendRow(dst []byte, row []types.Datum) []byte {
	for _, d := range row {
		dst = c.append(dst, d)
	}
	return dst
}

func (c *spillCodec) append(dst []byte, d types.Datum) []byte {
	if d.IsNull() {
		return append(dst, tagNull)
	}
	if b := d.Bytes(); b != nil {
		return appendBlob(append(dst, tagBytes), b)
	}
	switch v := d.Ref().(type) {
	case *apd.Decimal:
		return appendDecimal(append(dst, tagDecimal), v)
	case *types.JSON:
		return c.appendJSON(append(dst, tagJSON), v)
	case *types.Array:
		return c.appendArray(append(dst, tagArray), v)
	case *types.Record:
		dst = binary.AppendUvarint(append(dst, tagRecord), uint64(len(v.Vals)))
		dst = binary.AppendUvarint(dst, uint64(len(v.Names)))
		for _, n := range v.Names {
			dst = appendBlob(dst, []byte(n))
		}
		for i, t := range v.Types {
			dst = binary.AppendUvarint(dst, c.number(t))
			dst = c.append(dst, v.Vals[i])
		}
		return dst
	case *types.Interval:
		dst = binary.AppendVarint(append(dst, tagInterval), v.Micros)
		return binary.AppendVarint(binary.AppendVarint(dst, int64(v.Days)), int64(v.Months))
	case *types.TimeTZ:
		return binary.AppendVarint(binary.AppendVarint(append(dst, tagTimeTZ), v.Micros), int64(v.Zone))
	case *types.Range:
		return c.appendRange(append(dst, tagRange), v)
	case *types.Multirange:
		dst = binary.AppendUvarint(append(dst, tagMultirange), uint64(len(v.Ranges)))
		for _, r := range v.Ranges {
			dst = c.appendRange(dst, r)
		}
		return dst
	case *types.Inet, *types.TSVector, *types.TSQuery:
		c.refs = append(c.refs, v)
		return binary.AppendUvarint(append(dst, tagRef), uint64(len(c.refs)-1))
	}
	return binary.AppendUvarint(append(dst, tagInline), uint64(d.Int()))
}

// number gives a type its place in the table; 0 is no type.
func (c *spillCodec) number(t *types.T) uint64 {
	if t == nil {
		return 0
	}
	if n, ok := c.typeNum[t]; ok {
		return n
	}
	if c.typeNum == nil {
		c.typeNum = map[*types.T]uint64{}
	}
	c.typs = append(c.typs, t)
	n := uint64(len(c.typs))
	c.typeNum[t] = n
	return n
}

func (c *spillCodec) typeAt(n uint64) *types.T {
	if n == 0 {
		return nil
	}
	return c.typs[n-1]
}

func appendBlob(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendDecimal(dst []byte, d *apd.Decimal) []byte {
	sign := byte(d.Form) << 1
	if d.Negative {
		sign |= 1
	}
	dst = binary.AppendVarint(append(dst, sign), int64(d.Exponent))
	return appendBlob(dst, d.Coeff.MathBigInt().Bytes())
}

func (c *spillCodec) appendJSON(dst []byte, j *types.JSON) []byte {
	dst = append(dst, byte(j.Kind))
	switch j.Kind {
	case types.JSONBool:
		if j.Bool {
			return append(dst, 1)
		}
		return append(dst, 0)
	case types.JSONString:
		return appendBlob(dst, []byte(j.Str))
	case types.JSONNumber:
		return appendDecimal(dst, j.Num)
	case types.JSONArray:
		dst = binary.AppendUvarint(dst, uint64(len(j.Elems)))
		for _, e := range j.Elems {
			dst = c.appendJSON(dst, e)
		}
	case types.JSONObject:
		dst = binary.AppendUvarint(dst, uint64(len(j.Fields)))
		for _, f := range j.Fields {
			dst = c.appendJSON(appendBlob(dst, []byte(f.Key)), f.Value)
		}
	}
	return dst
}

func (c *spillCodec) appendArray(dst []byte, a *types.Array) []byte {
	dst = binary.AppendUvarint(dst, c.number(a.Elem))
	dst = appendInts(dst, a.Dims)
	dst = appendInts(dst, a.Lower)
	dst = binary.AppendUvarint(dst, uint64(len(a.Vals)))
	return c.appendRow(dst, a.Vals)
}

func appendInts(dst []byte, ints []int32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ints)))
	for _, i := range ints {
		dst = binary.AppendVarint(dst, int64(i))
	}
	return dst
}

func (c *spillCodec) appendRange(dst []byte, r *types.Range) []byte {
	var flags byte
	for i, f := range []bool{r.Empty, r.LowerInc, r.UpperInc} {
		if f {
			flags |= 1 << i
		}
	}
	return c.append(c.append(append(dst, flags), r.Lower), r.Upper)
}

// spillReader decodes one row's bytes, which the datums share.
type spillReader struct {
	c   *spillCodec
	b   []byte
	err error
}

func (c *spillCodec) decodeRow(b []byte, dst []types.Datum) error {
	r := spillReader{c: c, b: b}
	for i := range dst {
		dst[i] = r.datum()
	}
	return r.err
}

func (r *spillReader) fail() {
	if r.err == nil {
		r.err = pgerr.New(pgerr.DataCorrupted, "temporary file is damaged")
	}
	r.b = nil
}

func (r *spillReader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *spillReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *spillReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number of things that are at least a byte each.
func (r *spillReader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *spillReader) blob() []byte {
	n := r.count()
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *spillReader) datum() types.Datum {
	switch tag := r.byte(); tag {
	case tagNull:
		return types.Null
	case tagInline:
		return types.Int(int64(r.uvarint()))
	case tagBytes:
		return types.Bytes(r.blob())
	case tagDecimal:
		return types.Num(r.decimal())
	case tagJSON:
		return types.Ref(r.json())
	case tagArray:
		return types.Ref(r.array())
	case tagRecord:
		rec := &types.Record{}
		fields := r.count()
		for n := r.count(); n > 0; n-- {
			rec.Names = append(rec.Names, string(r.blob()))
		}
		for ; fields > 0; fields-- {
			rec.Types = append(rec.Types, r.c.typeAt(r.uvarint()))
			rec.Vals = append(rec.Vals, r.datum())
		}
		return types.Ref(rec)
	case tagInterval:
		return types.Ref(&types.Interval{Micros: r.varint(), Days: int32(r.varint()), Months: int32(r.varint())})
	case tagTimeTZ:
		return types.Ref(&types.TimeTZ{Micros: r.varint(), Zone: int32(r.varint())})
	case tagRange:
		return types.Ref(r.rng())
	case tagMultirange:
		m := &types.Multirange{}
		for n := r.count(); n > 0; n-- {
			m.Ranges = append(m.Ranges, r.rng())
		}
		return types.Ref(m)
	case tagRef:
		if n := r.uvarint(); n < uint64(len(r.c.refs)) {
			return types.Ref(r.c.refs[n])
		}
	}
	r.fail()
	return types.Null
}

func (r *spillReader) decimal() *apd.Decimal {
	sign := r.byte()
	d := &apd.Decimal{Form: apd.Form(sign >> 1), Negative: sign&1 != 0, Exponent: int32(r.varint())}
	d.Coeff.SetMathBigInt(new(big.Int).SetBytes(r.blob()))
	return d
}

func (r *spillReader) json() *types.JSON {
	j := &types.JSON{Kind: types.JSONKind(r.byte())}
	switch j.Kind {
	case types.JSONBool:
		j.Bool = r.byte() != 0
	case types.JSONString:
		j.Str = string(r.blob())
	case types.JSONNumber:
		j.Num = r.decimal()
	case types.JSONArray:
		for n := r.count(); n > 0; n-- {
			j.Elems = append(j.Elems, r.json())
		}
	case types.JSONObject:
		for n := r.count(); n > 0; n-- {
			key := string(r.blob())
			j.Fields = append(j.Fields, types.JSONField{Key: key, Value: r.json()})
		}
	}
	return j
}

func (r *spillReader) array() *types.Array {
	a := &types.Array{Elem: r.c.typeAt(r.uvarint()), Dims: r.ints(), Lower: r.ints()}
	n := r.count()
	if n > 0 {
		a.Vals = make([]types.Datum, n)
	}
	for i := range a.Vals {
		a.Vals[i] = r.datum()
	}
	return a
}

func (r *spillReader) ints() []int32 {
	n := r.count()
	if n == 0 {
		return nil
	}
	ints := make([]int32, n)
	for i := range ints {
		ints[i] = int32(r.varint())
	}
	return ints
}

func (r *spillReader) rng() *types.Range {
	flags := r.byte()
	g := &types.Range{Empty: flags&1 != 0, LowerInc: flags&2 != 0, UpperInc: flags&4 != 0}
	g.Lower, g.Upper = r.datum(), r.datum()
	return g
}
