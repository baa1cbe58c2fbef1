package fn

import (
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// A bit string's datum is its text of 0 and 1.

func bitwise(what string, f func(a, b byte) bool) f2 {
	return func(_ *expr.Env, a, b datum) (datum, error) {
		x, y := a.Str(), b.Str()
		if len(x) != len(y) {
			return types.Null, pgerr.New(pgerr.StringDataLengthMismatch, "cannot %s bit strings of different sizes", what)
		}
		out := make([]byte, len(x))
		for i := range out {
			if out[i] = '0'; f(x[i]-'0', y[i]-'0') {
				out[i] = '1'
			}
		}
		return types.Bytes(out), nil
	}
}

func bitShift(left bool) f2 {
	return func(_ *expr.Env, a, n datum) (datum, error) {
		s, k, l := a.Str(), n.Int(), left
		if k < 0 {
			k, l = -k, !l
		}
		k = min(k, int64(len(s)))
		zeros := strings.Repeat("0", int(k))
		if l {
			return types.Str(s[k:] + zeros), nil
		}
		return types.Str(zeros + s[:int64(len(s))-k]), nil
	}
}

func bitSubstr(_ *expr.Env, args []datum) (datum, error) {
	count := int64(1) << 40
	if len(args) == 3 {
		count = args[2].Int()
	}
	b, err := substrBytes(args[0].Bytes(), args[1].Int(), count)
	return types.Bytes(b), err
}

// intToBit writes the low n bits; longer strings repeat the sign.
func intToBit(width int) f2 {
	return func(_ *expr.Env, a, n datum) (datum, error) {
		k := n.Int()
		if k <= 0 {
			k = 1
		}
		out := make([]byte, k)
		for i := range out {
			pos := int(k) - 1 - i
			out[i] = '0' + byte(a.Int()>>min(pos, width-1)&1)
		}
		return types.Bytes(out), nil
	}
}

func bitToInt(w width) f1 {
	return func(_ *expr.Env, a datum) (datum, error) {
		if len(a.Str()) > int(w.bits) {
			return types.Null, w.overflow()
		}
		if a.Str() == "" {
			return types.Int(0), nil
		}
		n, err := strconv.ParseUint(a.Str(), 2, int(w.bits))
		if err != nil {
			return types.Null, w.overflow()
		}
		if w.bits == 32 {
			return types.Int(int64(int32(uint32(n)))), nil
		}
		return types.Int(int64(n)), nil
	}
}

func bitIndex(n int64, s string) error {
	if n < 0 || n >= int64(len(s)) {
		return pgerr.New(pgerr.ArraySubscriptError, "bit index %d out of valid range (0..%d)", n, len(s)-1)
	}
	return nil
}

// bitImpls are the functions and operators of bit strings.
func bitImpls() []expr.Impl {
	return []expr.Impl{
		{OID: 1673, Name: "bitand", F2: bitwise("AND", func(a, b byte) bool { return a&b == 1 })},
		{OID: 1674, Name: "bitor", F2: bitwise("OR", func(a, b byte) bool { return a|b == 1 })},
		{OID: 1675, Name: "bitxor", F2: bitwise("XOR", func(a, b byte) bool { return a != b })},
		{OID: 1676, Name: "bitnot", F1: textFn(func(s string) string { return strings.NewReplacer("0", "1", "1", "0").Replace(s) })},
		{OID: 1677, Name: "bitshiftleft", F2: bitShift(true)},
		{OID: 1678, Name: "bitshiftright", F2: bitShift(false)},
		{OID: 1679, Name: "bitcat", F2: textCat},
		{OID: 1680, Name: "substring", Eval: bitSubstr},
		{OID: 1699, Name: "substring", Eval: bitSubstr},
		{OID: 1681, Name: "length", F1: textInt(byteLength)},
		{OID: 1812, Name: "bit_length", F1: textInt(byteLength)},
		{OID: 1682, Name: "octet_length", F1: textInt(func(s string) int { return (len(s) + 7) / 8 })},
		{OID: 1683, Name: "bit", F2: intToBit(32)},
		{OID: 2075, Name: "bit", F2: intToBit(64)},
		{OID: 1684, Name: "int4", F1: bitToInt(int4w())},
		{OID: 2076, Name: "int8", F1: bitToInt(int8w())},
		{OID: 1698, Name: "position", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			if a.Str() == "" {
				return types.Int(0), nil // of the empty string in itself, too
			}
			return types.Int(int64(strings.Index(a.Str(), b.Str()) + 1)), nil
		}},
		{OID: 3032, Name: "get_bit", F2: func(_ *expr.Env, a, n datum) (datum, error) {
			if err := bitIndex(n.Int(), a.Str()); err != nil {
				return types.Null, err
			}
			return types.Int(int64(a.Str()[n.Int()] - '0')), nil
		}},
		{OID: 3033, Name: "set_bit", Eval: func(_ *expr.Env, args []datum) (datum, error) {
			if err := bitIndex(args[1].Int(), args[0].Str()); err != nil {
				return types.Null, err
			}
			if v := args[2].Int(); v != 0 && v != 1 {
				return types.Null, badBit()
			}
			b := []byte(args[0].Str())
			b[args[1].Int()] = '0' + byte(args[2].Int())
			return types.Bytes(b), nil
		}},
		{OID: 3030, Name: "overlay", Eval: bitOverlay},
		{OID: 3031, Name: "overlay", Eval: bitOverlay},
		{OID: 6162, Name: "bit_count", F1: textInt(func(s string) int { return strings.Count(s, "1") })},
	}
}

func bitOverlay(env *expr.Env, args []datum) (datum, error) { return byteaOverlay(env, args) }
