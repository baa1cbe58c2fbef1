package fn

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	hexenc "encoding/hex"
	"math/bits"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func bytesFn(f func([]byte) []byte) f1 {
	return func(_ *expr.Env, a datum) (datum, error) { return types.Bytes(f(a.Bytes())), nil }
}

func encode(_ *expr.Env, a, format datum) (datum, error) {
	b := a.Bytes()
	switch strings.ToLower(format.Str()) {
	case "hex":
		return types.Str(hexenc.EncodeToString(b)), nil
	case "base64":
		s := base64.StdEncoding.EncodeToString(b)
		var out strings.Builder
		for len(s) > 76 {
			out.WriteString(s[:76] + "\n")
			s = s[76:]
		}
		out.WriteString(s)
		return types.Str(out.String()), nil
	case "escape":
		return types.Str(escapeBytes(b)), nil
	}
	return types.Null, pgerr.New(pgerr.InvalidParameterValue, "unrecognized encoding: \"%s\"", format.Str())
}

func escapeBytes(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		switch {
		case c == 0 || c >= 0x80:
			out.Write([]byte{'\\', '0' + c>>6, '0' + c>>3&7, '0' + c&7})
		case c == '\\':
			out.WriteString(`\\`)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

func decode(_ *expr.Env, a, format datum) (datum, error) {
	s := a.Str()
	switch strings.ToLower(format.Str()) {
	case "hex":
		b, err := types.DecodeHex(s)
		return types.Bytes(b), err
	case "base64":
		return decodeBase64(s)
	case "escape":
		return unescapeBytes(s)
	}
	return types.Null, pgerr.New(pgerr.InvalidParameterValue, "unrecognized encoding: \"%s\"", format.Str())
}

func decodeBase64(s string) (datum, error) {
	clean := strings.NewReplacer(" ", "", "\n", "", "\t", "", "\r", "").Replace(s)
	for _, c := range clean {
		if !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", c) {
			return types.Null, pgerr.New(pgerr.InvalidParameterValue, "invalid symbol \"%c\" found while decoding base64 sequence", c)
		}
	}
	b, err := base64.StdEncoding.DecodeString(clean)
	if err != nil {
		return types.Null, pgerr.New(pgerr.InvalidParameterValue, "invalid base64 end sequence").
			WithHint("Input data is missing padding, is truncated, or is otherwise corrupted.")
	}
	return types.Bytes(b), nil
}

func unescapeBytes(s string) (datum, error) {
	bad := func() (datum, error) {
		return types.Null, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type %s", "bytea")
	}
	var out []byte
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			out = append(out, s[i])
		case i+1 < len(s) && s[i+1] == '\\':
			out = append(out, '\\')
			i++
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && octal(s[i+2]) && octal(s[i+3]):
			out = append(out, (s[i+1]-'0')<<6|(s[i+2]-'0')<<3|(s[i+3]-'0'))
			i += 3
		default:
			return bad()
		}
	}
	return types.Bytes(out), nil
}

func octal(c byte) bool { return c >= '0' && c <= '7' }

func byteIndex(n, length int64) error {
	if n < 0 || n >= length {
		return pgerr.New(pgerr.ArraySubscriptError, "index %d out of valid range, 0..%d", n, length-1)
	}
	return nil
}

func getByte(_ *expr.Env, a, n datum) (datum, error) {
	if err := byteIndex(n.Int(), int64(len(a.Bytes()))); err != nil {
		return types.Null, err
	}
	return types.Int(int64(a.Bytes()[n.Int()])), nil
}

func setByte(_ *expr.Env, args []datum) (datum, error) {
	if err := byteIndex(args[1].Int(), int64(len(args[0].Bytes()))); err != nil {
		return types.Null, err
	}
	b := bytes.Clone(args[0].Bytes())
	b[args[1].Int()] = byte(args[2].Int())
	return types.Bytes(b), nil
}

func getBit(_ *expr.Env, a, n datum) (datum, error) {
	if err := byteIndex(n.Int(), 8*int64(len(a.Bytes()))); err != nil {
		return types.Null, err
	}
	return types.Int(int64(a.Bytes()[n.Int()/8] >> (n.Int() % 8) & 1)), nil
}

func badBit() error { return pgerr.New(pgerr.InvalidParameterValue, "new bit must be 0 or 1") }

func setBit(_ *expr.Env, args []datum) (datum, error) {
	n := args[1].Int()
	if err := byteIndex(n, 8*int64(len(args[0].Bytes()))); err != nil {
		return types.Null, err
	}
	if v := args[2].Int(); v != 0 && v != 1 {
		return types.Null, badBit()
	}
	b := bytes.Clone(args[0].Bytes())
	b[n/8] = b[n/8]&^(1<<(n%8)) | byte(args[2].Int())<<(n%8)
	return types.Bytes(b), nil
}

func substrBytes(b []byte, from, count int64) ([]byte, error) {
	if count < 0 {
		return nil, pgerr.New(pgerr.SubstringError, "negative substring length not allowed")
	}
	lo := min(max(from-1, 0), int64(len(b)))
	hi := min(max(from-1+count, lo), int64(len(b)))
	return b[lo:hi], nil
}

func byteaSubstr(_ *expr.Env, args []datum) (datum, error) {
	count := int64(1) << 40
	if len(args) == 3 {
		count = args[2].Int()
	}
	b, err := substrBytes(args[0].Bytes(), args[1].Int(), count)
	return types.Bytes(b), err
}

func byteaOverlay(_ *expr.Env, args []datum) (datum, error) {
	b, with, from := args[0].Bytes(), args[1].Bytes(), args[2].Int()
	count := int64(len(with))
	if len(args) == 4 {
		count = args[3].Int()
	}
	if from <= 0 {
		return types.Null, pgerr.New(pgerr.SubstringError, "negative substring length not allowed")
	}
	head, _ := substrBytes(b, 1, from-1)
	tail, _ := substrBytes(b, from+count, 1<<40)
	return types.Bytes(bytes.Join([][]byte{head, with, tail}, nil)), nil
}

func trimBytes(left, right bool) f2 {
	return func(_ *expr.Env, a, set datum) (datum, error) {
		b := a.Bytes()
		for left && len(b) > 0 && bytes.IndexByte(set.Bytes(), b[0]) >= 0 {
			b = b[1:]
		}
		for right && len(b) > 0 && bytes.IndexByte(set.Bytes(), b[len(b)-1]) >= 0 {
			b = b[:len(b)-1]
		}
		return types.Bytes(b), nil
	}
}

func md5Hex(_ *expr.Env, a datum) (datum, error) {
	sum := md5.Sum(a.Bytes())
	return types.Str(hexenc.EncodeToString(sum[:])), nil
}

// encodingNamed finds the encoding of an argument; which says what the argument is.
func encodingNamed(name, which string) (*types.Encoding, error) {
	e := types.EncodingByName(name)
	switch {
	case e == nil:
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid %s encoding name \"%s\"", which, name)
	case !e.Known():
		return nil, pgerr.Unsupported("encoding \"" + name + "\"")
	}
	return e, nil
}

func convertFrom(_ *expr.Env, a, enc datum) (datum, error) {
	e, err := encodingNamed(enc.Str(), "source")
	if err != nil {
		return types.Null, err
	}
	text, err := e.Decode(a.Str())
	if err == nil {
		err = types.CheckEncoding(text)
	}
	return types.Str(text), err
}

// convert turns bytes of one encoding into those of another.
func convert(env *expr.Env, args []datum) (datum, error) {
	if _, err := encodingNamed(args[2].Str(), "destination"); err != nil {
		return types.Null, err
	}
	text, err := convertFrom(env, args[0], args[1])
	if err != nil {
		return types.Null, err
	}
	return convertTo(env, text, args[2])
}

func convertTo(_ *expr.Env, a, enc datum) (datum, error) {
	e, err := encodingNamed(enc.Str(), "destination")
	if err != nil {
		return types.Null, err
	}
	b, err := e.AppendEncoded(nil, a.Str())
	return types.Bytes(b), err
}

// byteaImpls are the functions of bytea and the digests.
func byteaImpls() []expr.Impl {
	length := textInt(byteLength)
	return []expr.Impl{
		{OID: 1946, Name: "encode", F2: encode},
		{OID: 1947, Name: "decode", F2: decode},
		{OID: 2010, Name: "length", F1: length},
		{OID: 720, Name: "octet_length", F1: length},
		{OID: 1810, Name: "bit_length", F1: textInt(bitLength)},
		{OID: 2011, Name: "byteacat", F2: textCat},
		{OID: 721, Name: "get_byte", F2: getByte},
		{OID: 722, Name: "set_byte", Eval: setByte},
		{OID: 723, Name: "get_bit", F2: getBit},
		{OID: 724, Name: "set_bit", Eval: setBit},
		{OID: 2012, Name: "substring", Eval: byteaSubstr},
		{OID: 2013, Name: "substring", Eval: byteaSubstr},
		{OID: 2085, Name: "substr", Eval: byteaSubstr},
		{OID: 2086, Name: "substr", Eval: byteaSubstr},
		{OID: 749, Name: "overlay", Eval: byteaOverlay},
		{OID: 752, Name: "overlay", Eval: byteaOverlay},
		{OID: 2014, Name: "position", F2: func(_ *expr.Env, a, b datum) (datum, error) {
			return types.Int(int64(strings.Index(a.Str(), b.Str()) + 1)), nil
		}},
		{OID: 2015, Name: "btrim", F2: trimBytes(true, true)},
		{OID: 6195, Name: "ltrim", F2: trimBytes(true, false)},
		{OID: 6196, Name: "rtrim", F2: trimBytes(false, true)},
		{OID: 2311, Name: "md5", F1: md5Hex},
		{OID: 2321, Name: "md5", F1: md5Hex},
		{OID: 3419, Name: "sha224", F1: bytesFn(func(b []byte) []byte { s := sha256.Sum224(b); return s[:] })},
		{OID: 3420, Name: "sha256", F1: bytesFn(func(b []byte) []byte { s := sha256.Sum256(b); return s[:] })},
		{OID: 3421, Name: "sha384", F1: bytesFn(func(b []byte) []byte { s := sha512.Sum384(b); return s[:] })},
		{OID: 3422, Name: "sha512", F1: bytesFn(func(b []byte) []byte { s := sha512.Sum512(b); return s[:] })},
		{OID: 6163, Name: "bit_count", F1: func(_ *expr.Env, a datum) (datum, error) {
			n := 0
			for _, c := range a.Bytes() {
				n += bits.OnesCount8(c)
			}
			return types.Int(int64(n)), nil
		}},
		{OID: 1813, Name: "convert", Eval: convert},
		{OID: 1714, Name: "convert_from", F2: convertFrom},
		{OID: 1717, Name: "convert_to", F2: convertTo},
	}
}
