package types

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Geometric values are kept as PostgreSQL's output text.

// geometry is what a geometric text consists of: its numbers, and whether a path is open.
type geometry struct {
	nums []float64
	open bool
}

// inputGeometric reads a value leniently (any of PostgreSQL's bracket styles) and writes its normal form.
func inputGeometric(t *T, s string) (Datum, error) {
	g, ok := parseGeometry(t, s)
	if !ok {
		return Null, invalidSyntax(t.Name, s)
	}
	if t.OID == oidLine {
		if len(g.nums) == 4 {
			if g.nums[0] == g.nums[2] && g.nums[1] == g.nums[3] {
				return Null, pgerr.New(pgerr.InvalidTextRepresentation, "invalid line specification: must be two distinct points")
			}
			g.nums = lineThrough(g.nums)
		}
		if g.nums[0] == 0 && g.nums[1] == 0 {
			return Null, pgerr.New(pgerr.InvalidTextRepresentation, "invalid line specification: A and B cannot both be zero")
		}
	}
	return Bytes(formatGeometry(t.OID, g)), nil
}

// Geometry returns the numbers that a geometric value consists of, x and y of its points in turn, and whether it is an
// open path.
func Geometry(t *T, d Datum) (nums []float64, open bool) {
	g, _ := parseGeometry(t.BaseType(), d.Str()) // a value is always in normal form
	return g.nums, g.open
}

// NewGeometry makes a value of a geometric type from its numbers; a line is given by two points. Error: 22023 for equal ones.
func NewGeometry(t *T, nums []float64, open bool) (Datum, error) {
	if t.OID == oidLine {
		if nums[0] == nums[2] && nums[1] == nums[3] {
			return Null, pgerr.New(pgerr.InvalidParameterValue, "invalid line specification: must be two distinct points")
		}
		nums = lineThrough(nums)
	}
	return Bytes(formatGeometry(t.OID, geometry{nums: nums, open: open})), nil
}

// lineThrough returns the coefficients of Ax + By + C = 0 through two points.
func lineThrough(p []float64) []float64 {
	switch {
	case p[0] == p[2]:
		return []float64{-1, 0, p[0]}
	case p[1] == p[3]:
		return []float64{0, -1, p[1]}
	}
	m := (p[3] - p[1]) / (p[2] - p[0])
	c := p[1] - m*p[0]
	if c == 0 {
		c = 0 // not -0
	}
	return []float64{m, -1, c}
}

func parseGeometry(t *T, s string) (g geometry, ok bool) {
	body := trimSpace(s)
	if body == "" {
		return g, false
	}
	brackets := 0
	wantNumber := true
	for i := 0; i < len(body); {
		c := body[i]
		switch {
		case isSpace(c):
			i++
		case c == '(' || c == '[' || c == '{' || c == '<':
			if !wantNumber {
				return g, false
			}
			brackets++
			g.open = g.open || c == '['
			i++
		case c == ')' || c == ']' || c == '}' || c == '>':
			if wantNumber || brackets == 0 {
				return g, false
			}
			brackets--
			i++
		case c == ',':
			if wantNumber {
				return g, false
			}
			wantNumber = true
			i++
		default:
			if !wantNumber {
				return g, false
			}
			end := i
			for end < len(body) && strings.IndexByte(",()[]{}<> \t\n\r\v\f", body[end]) < 0 {
				end++
			}
			f, err := ParseFloat(body[i:end], 64)
			if err != nil {
				return g, false
			}
			g.nums = append(g.nums, f)
			wantNumber = false
			i = end
		}
	}
	if brackets != 0 || wantNumber {
		return g, false
	}
	n := len(g.nums)
	switch t.OID {
	case oidPoint:
		ok = n == 2
	case oidLseg, oidBox:
		ok = n == 4
	case oidLine:
		ok = n == 3 && body[0] == '{' || n == 4 && body[0] != '{'
	case oidCircle:
		ok = n == 3 && (g.nums[2] >= 0 || math.IsNaN(g.nums[2]))
	default:
		ok = n > 0 && n%2 == 0
	}
	return g, ok
}

func appendPoint(dst []byte, x, y float64) []byte {
	dst = AppendFloat(append(dst, '('), x, 64, 1)
	return append(AppendFloat(append(dst, ','), y, 64, 1), ')')
}

func appendPoints(dst []byte, nums []float64) []byte {
	for i := 0; i < len(nums); i += 2 {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendPoint(dst, nums[i], nums[i+1])
	}
	return dst
}

func formatGeometry(oid uint32, g geometry) []byte {
	n := g.nums
	var dst []byte
	switch oid {
	case oidPoint:
		return appendPoint(dst, n[0], n[1])
	case oidLseg:
		return append(appendPoints(append(dst, '['), n), ']')
	case oidBox:
		// The upper right corner comes first.
		return appendPoints(dst, []float64{max(n[0], n[2]), max(n[1], n[3]), min(n[0], n[2]), min(n[1], n[3])})
	case oidLine:
		dst = append(dst, '{')
		for i, f := range n {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendFloat(dst, f, 64, 1)
		}
		return append(dst, '}')
	case oidCircle:
		dst = appendPoint(append(dst, '<'), n[0], n[1])
		return append(AppendFloat(append(dst, ','), n[2], 64, 1), '>')
	case oidPath:
		if g.open {
			return append(appendPoints(append(dst, '['), n), ']')
		}
	}
	return append(appendPoints(append(dst, '('), n), ')')
}

func sendGeometric(t *T, dst []byte, s string) ([]byte, error) {
	g, ok := parseGeometry(t, s)
	if !ok {
		return dst, invalidSyntax(t.Name, s)
	}
	be := binary.BigEndian
	switch t.OID {
	case oidPath:
		dst = append(dst, byte(b2u(!g.open)))
		dst = be.AppendUint32(dst, uint32(len(g.nums)/2))
	case oidPolygon:
		dst = be.AppendUint32(dst, uint32(len(g.nums)/2))
	}
	for _, f := range g.nums {
		dst = be.AppendUint64(dst, float64Bits(f))
	}
	return dst, nil
}

func receiveGeometric(t *T, b []byte) (Datum, error) {
	be := binary.BigEndian
	var g geometry
	want := map[uint32]int{oidPoint: 2, oidLseg: 4, oidBox: 4, oidLine: 3, oidCircle: 3}[t.OID]
	if t.OID == oidPath {
		if len(b) < 1 {
			return Null, shortBinary()
		}
		g.open = b[0] == 0
		b = b[1:]
	}
	if want == 0 {
		if len(b) < 4 {
			return Null, shortBinary()
		}
		n := int(int32(be.Uint32(b)))
		if n <= 0 || n > math.MaxInt32/16 {
			return Null, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid number of points in external \"%s\" value", t.Name)
		}
		want = 2 * n
		b = b[4:]
	}
	if len(b) < 8*want {
		return Null, shortBinary()
	}
	if len(b) > 8*want {
		return Null, badBinary(t)
	}
	for i := range want {
		g.nums = append(g.nums, math.Float64frombits(be.Uint64(b[8*i:])))
	}
	return Bytes(formatGeometry(t.OID, g)), nil
}
