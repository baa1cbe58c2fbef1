package types

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// PostgreSQL's limits of arrays.
const (
	maxArrayDims = 6
	maxArraySize = 0x7ffffff
)

// delimiter is what separates the elements in an array's text: a semicolon for box, a comma for all others.
func delimiter(elem *T) byte {
	if elem.OID == oidBox {
		return ';'
	}
	return ','
}

type arrayParser struct {
	io    *IO
	elem  *T
	in    string
	i     int
	delim byte
	dims  []int32 // length of each dimension, -1 while unknown
	vals  []Datum
}

func (p *arrayParser) malformed(detail string) error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "malformed array literal: \"%s\"", p.in).WithDetail("%s", detail)
}

func inputArray(io *IO, t *T, s string) (Datum, error) {
	p := arrayParser{io: io, elem: t.Elem, in: s, delim: delimiter(t.Elem)}
	lower, want, err := p.bounds()
	if err != nil {
		return Null, err
	}
	p.space()
	if p.peek() != '{' {
		if want != nil {
			return Null, p.malformed("Array contents must start with \"{\".")
		}
		return Null, p.malformed("Array value must start with \"{\" or dimension information.")
	}
	if err := p.braces(); err != nil {
		return Null, err
	}
	p.space()
	if p.i < len(p.in) {
		return Null, p.malformed("Junk after closing right brace.")
	}
	a := &Array{Elem: t.Elem, Vals: p.vals}
	if len(p.vals) > 0 {
		a.Dims = p.dims
	}
	if want != nil {
		if len(want) != len(a.Dims) {
			return Null, p.malformed("Specified array dimensions do not match array contents.")
		}
		for i := range want {
			if want[i] != a.Dims[i] {
				return Null, p.malformed("Specified array dimensions do not match array contents.")
			}
			if lower[i] != 1 {
				a.Lower = lower
			}
		}
	}
	return Ref(a), nil
}

func (p *arrayParser) peek() byte {
	if p.i < len(p.in) {
		return p.in[p.i]
	}
	return 0
}

func (p *arrayParser) space() {
	for p.i < len(p.in) && isSpace(p.in[p.i]) {
		p.i++
	}
}

// bounds reads explicit dimensions such as [2:3][0:0]= in front of the braces.
func (p *arrayParser) bounds() (lower, lens []int32, err error) {
	for p.space(); p.peek() == '['; p.space() {
		p.i++
		if len(lens) >= maxArrayDims {
			return nil, nil, tooManyDims(len(lens) + 1)
		}
		lo, hi := int64(1), int64(0)
		first, ok := p.integer()
		if !ok {
			return nil, nil, p.malformed("\"[\" must introduce explicitly-specified array dimensions.")
		}
		hi = first
		if p.peek() == ':' {
			p.i++
			lo = first
			if hi, ok = p.integer(); !ok {
				return nil, nil, p.malformed("Missing array dimension value.")
			}
		}
		if p.peek() != ']' {
			return nil, nil, p.malformed("Missing \"]\" after array dimensions.")
		}
		p.i++
		if hi < lo {
			return nil, nil, pgerr.New(pgerr.ArraySubscriptError, "upper bound cannot be less than lower bound")
		}
		lower, lens = append(lower, int32(lo)), append(lens, int32(hi-lo+1))
	}
	if lens == nil {
		return nil, nil, nil
	}
	if p.peek() != '=' {
		return nil, nil, p.malformed("Missing \"=\" after array dimensions.")
	}
	p.i++
	return lower, lens, nil
}

func (p *arrayParser) integer() (int64, bool) {
	start := p.i
	for p.i < len(p.in) && (isDigit(p.in[p.i]) || p.in[p.i] == '-' || p.in[p.i] == '+') {
		p.i++
	}
	if start == p.i {
		return 0, false
	}
	n, _ := strconv.ParseInt(p.in[start:p.i], 10, 32) // C's atoi, clipped
	return n, true
}

func tooManyDims(n int) error {
	return pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", n, maxArrayDims)
}

// braces reads the whole nested structure. Elements may stand at one depth only, and all sub-arrays of a depth have the
// same length.
func (p *arrayParser) braces() error {
	var counts [maxArrayDims]int32
	leaf := 0 // the depth where elements stand, 0 while unknown
	depth := 0
	expectItem := true // an element or sub-array may start here
	afterDelim := false
	for {
		p.space()
		if p.i >= len(p.in) {
			return p.malformed("Unexpected end of input.")
		}
		switch c := p.in[p.i]; {
		case c == '{':
			if !expectItem || leaf > 0 && depth >= leaf {
				return p.malformed("Unexpected \"{\" character.")
			}
			p.i++
			depth++
			if depth > maxArrayDims {
				return tooManyDims(depth)
			}
			if depth > len(p.dims) {
				p.dims = append(p.dims, -1)
			}
			counts[depth-1] = 0
			expectItem, afterDelim = true, false
		case c == '}':
			// {} is the empty array, but only by itself.
			if afterDelim || expectItem && (depth > 1 || leaf > 0) {
				return p.malformed("Unexpected \"}\" character.")
			}
			p.i++
			if !expectItem {
				switch n := p.dims[depth-1]; {
				case n < 0:
					p.dims[depth-1] = counts[depth-1]
				case n != counts[depth-1]:
					return p.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
				}
			}
			depth--
			if depth == 0 {
				return nil
			}
			counts[depth-1]++
			expectItem, afterDelim = false, false
		case c == p.delim:
			if expectItem {
				return p.malformed("Unexpected \"" + string(c) + "\" character.")
			}
			p.i++
			expectItem, afterDelim = true, true
		default:
			if !expectItem || leaf > 0 && leaf != depth || leaf == 0 && depth != len(p.dims) {
				return p.malformed("Unexpected array element.")
			}
			leaf = depth
			if err := p.element(); err != nil {
				return err
			}
			counts[depth-1]++
			expectItem, afterDelim = false, false
		}
	}
}

// element reads one quoted or bare element.
func (p *arrayParser) element() error {
	text, quoted, err := p.elementText()
	if err != nil {
		return err
	}
	if len(p.vals) >= maxArraySize {
		return pgerr.New(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArraySize)
	}
	if !quoted && len(text) == 4 && strings.EqualFold(text, "null") {
		p.vals = append(p.vals, Null)
		return nil
	}
	d, err := Input(p.io, p.elem, -1, text)
	if err != nil {
		return err
	}
	p.vals = append(p.vals, d)
	return nil
}

func (p *arrayParser) elementText() (text string, quoted bool, err error) {
	if p.in[p.i] == '"' {
		p.i++
		var b strings.Builder
		for p.i < len(p.in) && p.in[p.i] != '"' {
			if p.in[p.i] == '\\' {
				p.i++
				if p.i >= len(p.in) {
					break
				}
			}
			b.WriteByte(p.in[p.i])
			p.i++
		}
		if p.i >= len(p.in) {
			return "", true, p.malformed("Unexpected end of input.")
		}
		p.i++
		return b.String(), true, nil
	}
	start := p.i
	var esc []byte // set once there is a backslash
	keep := 0      // bytes of esc that trimming must not touch
	for ; p.i < len(p.in); p.i++ {
		c := p.in[p.i]
		if c == '\\' {
			if esc == nil {
				esc = append([]byte{}, p.in[start:p.i]...)
			}
			p.i++
			if p.i >= len(p.in) {
				break
			}
			esc = append(esc, p.in[p.i])
			keep = len(esc)
			continue
		}
		if c == p.delim || c == '{' || c == '}' || c == '"' {
			break
		}
		if esc != nil {
			esc = append(esc, c)
		}
	}
	if p.i >= len(p.in) {
		return "", false, p.malformed("Unexpected end of input.")
	}
	if p.in[p.i] == '"' {
		return "", false, p.malformed("Unexpected array element.")
	}
	if p.in[p.i] == '{' {
		return "", false, p.malformed("Unexpected \"{\" character.")
	}
	if esc == nil {
		return strings.TrimRight(p.in[start:p.i], " \t\n\v\f\r"), false, nil
	}
	for len(esc) > keep && isSpace(esc[len(esc)-1]) {
		esc = esc[:len(esc)-1]
	}
	// A backslash anywhere means that NULL is the text, not the null value.
	return string(esc), true, nil
}

func outputArray(io *IO, dst []byte, a *Array) []byte {
	if len(a.Vals) == 0 {
		return append(dst, "{}"...)
	}
	if a.Lower != nil {
		if !allOnes(a.Lower) {
			dst = appendBounds(dst, a)
		}
	}
	next := 0
	return outputDim(io, dst, a, 0, &next)
}

func appendBounds(dst []byte, a *Array) []byte {
	for i, n := range a.Dims {
		dst = appendInt(append(dst, '['), int64(a.Lower[i]))
		dst = appendInt(append(dst, ':'), int64(a.Lower[i])+int64(n)-1)
		dst = append(dst, ']')
	}
	return append(dst, '=')
}

func outputDim(io *IO, dst []byte, a *Array, dim int, next *int) []byte {
	dst = append(dst, '{')
	for i := range int(a.Dims[dim]) {
		if i > 0 {
			dst = append(dst, delimiter(a.Elem))
		}
		if dim+1 < len(a.Dims) {
			dst = outputDim(io, dst, a, dim+1, next)
			continue
		}
		dst = outputElem(io, dst, a.Elem, a.Vals[*next])
		*next++
	}
	return append(dst, '}')
}

func outputElem(io *IO, dst []byte, elem *T, d Datum) []byte {
	if d.IsNull() {
		return append(dst, "NULL"...)
	}
	start := len(dst)
	dst = Output(io, elem, dst, d)
	switch elem.OID {
	case oidInt2, oidInt4, oidInt8, oidOid, oidBool, oidFloat4, oidFloat8, oidNumeric, oidUUID:
		return dst
	}
	text := dst[start:]
	if !arrayNeedsQuotes(text, delimiter(elem)) {
		return dst
	}
	raw := string(text)
	dst = append(dst[:start], '"')
	for i := range len(raw) {
		if raw[i] == '"' || raw[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, raw[i])
	}
	return append(dst, '"')
}

func arrayNeedsQuotes(text []byte, delim byte) bool {
	if len(text) == 0 || len(text) == 4 && strings.EqualFold(string(text), "null") {
		return true
	}
	for _, c := range text {
		if c == '"' || c == '\\' || c == '{' || c == '}' || c == delim || isSpace(c) {
			return true
		}
	}
	return false
}

func receiveArray(io *IO, t *T, b []byte) (Datum, error) {
	be := binary.BigEndian
	if len(b) < 12 {
		return Null, shortBinary()
	}
	ndim, flags, oid := int32(be.Uint32(b)), be.Uint32(b[4:]), be.Uint32(b[8:])
	b = b[12:]
	if ndim < 0 {
		return Null, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid number of dimensions: %d", ndim)
	}
	if ndim > maxArrayDims {
		return Null, tooManyDims(int(ndim))
	}
	if flags > 1 {
		return Null, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid array flags")
	}
	if oid != t.Elem.OID {
		return Null, pgerr.New(pgerr.DatatypeMismatch, "binary data has array element type %d (%s) instead of expected %d (%s)",
			oid, typeNameByOID(io, oid), t.Elem.OID, FormatType(t.Elem, -1))
	}
	a := &Array{Elem: t.Elem}
	n := int64(1)
	for range ndim {
		if len(b) < 8 {
			return Null, shortBinary()
		}
		dim, lo := int32(be.Uint32(b)), int32(be.Uint32(b[4:]))
		b = b[8:]
		if dim < 0 {
			return Null, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid array dimension: %d", dim)
		}
		n *= int64(dim)
		if n > maxArraySize {
			return Null, pgerr.New(pgerr.ProgramLimitExceeded, "array size exceeds the maximum allowed (%d)", maxArraySize)
		}
		a.Dims, a.Lower = append(a.Dims, dim), append(a.Lower, lo)
	}
	if n == 0 && (t.OID == oidInt2Vector || t.OID == oidOidVector) {
		return NewVector(t.Elem, nil), nil
	}
	if ndim == 0 || n == 0 {
		return Ref(&Array{Elem: t.Elem}), nil
	}
	if n > int64(len(b)/4) {
		return Null, shortBinary()
	}
	a.Vals = make([]Datum, n)
	for i := range a.Vals {
		field, rest, null, err := binaryField(b)
		if err != nil {
			return Null, err
		}
		b = rest
		if null {
			continue
		}
		if a.Vals[i], err = Receive(io, t.Elem, -1, field); err != nil {
			return Null, err
		}
	}
	if len(b) > 0 {
		return Null, badBinary(t)
	}
	if t.OID != oidInt2Vector && t.OID != oidOidVector && allOnes(a.Lower) {
		a.Lower = nil
	}
	return Ref(a), nil
}

func allOnes(lower []int32) bool {
	for _, l := range lower {
		if l != 1 {
			return false
		}
	}
	return true
}

func typeNameByOID(io *IO, oid uint32) string {
	t := ByOID(oid)
	if t == nil && io.Registry != nil {
		t = io.Registry.TypeByOID(oid)
	}
	if t == nil {
		return "???"
	}
	return FormatType(t, -1)
}

// binaryField splits off a length-prefixed value; length -1 is NULL.
func binaryField(b []byte) (field, rest []byte, null bool, err error) {
	if len(b) < 4 {
		return nil, nil, false, shortBinary()
	}
	n := int32(binary.BigEndian.Uint32(b))
	b = b[4:]
	if n == -1 {
		return nil, b, true, nil
	}
	if n < 0 || int(n) > len(b) {
		return nil, nil, false, shortBinary()
	}
	return b[:n], b[n:], false, nil
}

// appendBinaryField appends a value with its length in front, NULL as -1.
func appendBinaryField(io *IO, t *T, dst []byte, d Datum) ([]byte, error) {
	be := binary.BigEndian
	if d.IsNull() {
		return be.AppendUint32(dst, 0xffffffff), nil
	}
	at := len(dst)
	dst, err := Send(io, t, append(dst, 0, 0, 0, 0), d)
	if err != nil {
		return dst, err
	}
	be.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, nil
}

func sendArray(io *IO, dst []byte, a *Array) ([]byte, error) {
	be := binary.BigEndian
	dst = be.AppendUint32(dst, uint32(len(a.Dims)))
	flags := uint32(0)
	for _, v := range a.Vals {
		if v.IsNull() {
			flags = 1
		}
	}
	dst = be.AppendUint32(be.AppendUint32(dst, flags), a.Elem.OID)
	for i, n := range a.Dims {
		dst = be.AppendUint32(be.AppendUint32(dst, uint32(n)), uint32(a.LowerBound(i)))
	}
	var err error
	for _, v := range a.Vals {
		if dst, err = appendBinaryField(io, a.Elem, dst, v); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// NewVector returns an int2vector or oidvector datum, whose lower bound is 0.
func NewVector(elem *T, vals []Datum) Datum {
	return Ref(&Array{Elem: elem, Dims: []int32{int32(len(vals))}, Lower: []int32{0}, Vals: vals})
}

func inputVector(s string, elem *T) (Datum, error) {
	var vals []Datum
	for _, f := range strings.Fields(s) {
		var d Datum
		var err error
		if elem.OID == oidInt2 {
			d, err = inputInt(f, 16, "smallint")
		} else {
			d, err = inputOid(f)
		}
		if err != nil {
			return Null, err
		}
		vals = append(vals, d)
	}
	return NewVector(elem, vals), nil
}

func outputVector(dst []byte, a *Array) []byte {
	for i, v := range a.Vals {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = appendInt(dst, v.Int())
	}
	return dst
}
