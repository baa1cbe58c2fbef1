package types

import (
	"cmp"
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Cube is a value of extension cube's type: two corners of a box with as many dimensions each; Upper is nil for a point.
// It is immutable.
type Cube struct{ Lower, Upper []float64 }

// MaxCubeDim is how many dimensions a cube may have.
const MaxCubeDim = 100

// Far returns the upper corner, which is a point's own place.
func (c *Cube) Far() []float64 {
	if c.Upper == nil {
		return c.Lower
	}
	return c.Upper
}

// NewCube returns the cube with these corners, a point if they are the same.
func NewCube(lower, upper []float64) *Cube {
	for i := range lower {
		if lower[i] != upper[i] {
			return &Cube{lower, upper}
		}
	}
	return &Cube{Lower: lower}
}

func cubeSyntax() *pgerr.Error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for cube")
}

// inputCube reads '1,2', '(1,2)', '(1,2),(3,4)' and '[(1,2),(3,4)]'.
func inputCube(s string) (Datum, error) {
	text := strings.TrimFunc(s, func(r rune) bool { return strings.ContainsRune(hstoreSpaces, r) })
	bracketed := strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") && len(text) > 1
	if bracketed {
		text = strings.Trim(text[1:len(text)-1], hstoreSpaces)
	}
	if !strings.HasPrefix(text, "(") {
		if bracketed {
			return Null, cubeSyntax().WithDetail("syntax error at or near \"%s\"", firstToken(text))
		}
		p, err := cubePoint(text)
		if err != nil {
			return Null, err
		}
		return Ref(&Cube{Lower: p}), nil
	}
	end := strings.IndexByte(text, ')')
	if end < 0 {
		return Null, cubeSyntax().WithDetail("syntax error at end of input")
	}
	lower, err := cubePoint(text[1:end])
	rest := strings.TrimLeft(text[end+1:], hstoreSpaces)
	if err != nil || rest == "" && !bracketed {
		return Ref(&Cube{Lower: lower}), err
	}
	if rest == "" || rest[0] != ',' {
		return Null, cubeSyntax().WithDetail("syntax error at or near \"%s\"", firstToken(rest+"]"))
	}
	second := strings.TrimLeft(rest[1:], hstoreSpaces)
	if len(second) < 2 || second[0] != '(' || second[len(second)-1] != ')' {
		return Null, cubeSyntax().WithDetail("syntax error at end of input")
	}
	upper, err := cubePoint(second[1 : len(second)-1])
	if err != nil {
		return Null, err
	}
	if len(lower) != len(upper) {
		return Null, cubeSyntax().WithDetail("Different point dimensions in %s and %s.", text[:end+1], second)
	}
	return Ref(NewCube(lower, upper)), nil
}

func firstToken(s string) string {
	if s == "" {
		return s
	}
	return s[:1]
}

func cubePoint(s string) ([]float64, error) {
	if strings.Trim(s, hstoreSpaces) == "" {
		return []float64{}, nil
	}
	parts := strings.Split(s, ",")
	if len(parts) > MaxCubeDim {
		return nil, cubeSyntax().WithDetail("A cube cannot have more than %d dimensions.", MaxCubeDim)
	}
	p := make([]float64, len(parts))
	for i, part := range parts {
		part = strings.Trim(part, hstoreSpaces)
		f, err := strconv.ParseFloat(part, 64)
		if err != nil && !math.IsInf(f, 0) || part == "" {
			return nil, cubeSyntax().WithDetail("syntax error at or near \"%s\"", firstToken(part+","))
		}
		if err != nil {
			return nil, pgerr.New(pgerr.NumericValueOutOfRange, "\"%s\" is out of range for type double precision", part)
		}
		p[i] = f
	}
	return p, nil
}

func outputCube(dst []byte, d Datum) []byte {
	c := d.Ref().(*Cube)
	point := func(p []float64) {
		dst = append(dst, '(')
		for i, f := range p {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = AppendFloat(dst, f, 64, 1)
		}
		dst = append(dst, ')')
	}
	point(c.Lower)
	if c.Upper != nil {
		dst = append(dst, ',')
		point(c.Upper)
	}
	return dst
}

// cubePointBit marks a point in the header of the binary format.
const cubePointBit = 1 << 31

func sendCube(dst []byte, d Datum) []byte {
	be := binary.BigEndian
	c := d.Ref().(*Cube)
	header := uint32(len(c.Lower))
	if c.Upper == nil {
		header |= cubePointBit
	}
	dst = be.AppendUint32(dst, header)
	for _, f := range c.Lower {
		dst = be.AppendUint64(dst, math.Float64bits(f))
	}
	for _, f := range c.Upper {
		dst = be.AppendUint64(dst, math.Float64bits(f))
	}
	return dst
}

func receiveCube(b []byte) (Datum, error) {
	bad := pgerr.New(pgerr.ProtocolViolation, "insufficient data left in message")
	if len(b) < 4 {
		return Null, bad
	}
	header := binary.BigEndian.Uint32(b)
	dim := int(header &^ cubePointBit)
	if dim > MaxCubeDim {
		return Null, pgerr.New(pgerr.ProgramLimitExceeded, "cube dimension is too large").
			WithDetail("A cube cannot have more than %d dimensions.", MaxCubeDim)
	}
	n := dim
	if header&cubePointBit == 0 {
		n *= 2
	}
	if len(b) != 4+8*n {
		return Null, bad
	}
	vals := make([]float64, n)
	for i := range vals {
		vals[i] = math.Float64frombits(binary.BigEndian.Uint64(b[4+8*i:]))
	}
	c := &Cube{Lower: vals[:dim]}
	if n > dim {
		c.Upper = vals[dim:]
	}
	return Ref(c), nil
}

// compareCube orders by the lower corners of the boxes, then by the upper ones, missing dimensions counting as 0.
func compareCube(a, b Datum) int {
	x, y := a.Ref().(*Cube), b.Ref().(*Cube)
	for _, corner := range []func(*Cube, int) float64{(*Cube).Min, (*Cube).Max} {
		for i := range max(len(x.Lower), len(y.Lower)) {
			if c := CompareFloat(corner(x, i), corner(y, i)); c != 0 {
				return c
			}
		}
	}
	return cmp.Compare(len(x.Lower), len(y.Lower))
}

// Min returns the lower bound in a dimension counted from 0; 0 beyond the cube's dimensions.
func (c *Cube) Min(i int) float64 {
	if i >= len(c.Lower) {
		return 0
	}
	return min(c.Lower[i], c.Far()[i])
}

// Max returns the upper bound in a dimension counted from 0; 0 beyond the cube's dimensions.
func (c *Cube) Max(i int) float64 {
	if i >= len(c.Lower) {
		return 0
	}
	return max(c.Lower[i], c.Far()[i])
}

func cubeKey(d Datum) string {
	c := d.Ref().(*Cube)
	var b []byte
	for _, corner := range []func(*Cube, int) float64{(*Cube).Min, (*Cube).Max} {
		for i := range c.Lower {
			b = strconv.AppendFloat(append(b, ','), corner(c, i)+0, 'g', -1, 64)
		}
	}
	return string(b)
}
