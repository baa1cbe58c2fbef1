package types

import (
	"encoding/binary"
	"slices"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// NewRecord returns a composite datum.
func NewRecord(types []*T, vals []Datum) Datum { return Ref(&Record{Types: types, Vals: vals}) }

// LiveFields are the fields of a composite type that were not dropped: those that its values have.
func (t *T) LiveFields() []Field {
	if !slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Dropped }) {
		return t.Fields
	}
	return slices.DeleteFunc(slices.Clone(t.Fields), func(f Field) bool { return f.Dropped })
}

func inputComposite(io *IO, t *T, s string) (Datum, error) {
	malformed := func(detail string) (Datum, error) {
		return Null, pgerr.New(pgerr.InvalidTextRepresentation, "malformed record literal: \"%s\"", s).WithDetail("%s", detail)
	}
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	if i >= len(s) || s[i] != '(' {
		return malformed("Missing left parenthesis.")
	}
	i++
	r := &Record{}
	for k, f := range t.LiveFields() {
		if k > 0 {
			if i >= len(s) || s[i] != ',' {
				return malformed("Too few columns.")
			}
			i++
		}
		text, next, null, ok := quotedItem(s, i, ")")
		if !ok {
			return malformed("Unexpected end of input.")
		}
		i = next
		d := Null
		if !null {
			var err error
			if d, err = Input(io, f.Type, f.Typmod, text); err != nil {
				return Null, err
			}
		}
		r.Types, r.Vals = append(r.Types, f.Type), append(r.Vals, d)
	}
	if i >= len(s) || s[i] != ')' {
		return malformed("Too many columns.")
	}
	i++
	if trimSpace(s[i:]) != "" {
		return malformed("Junk after right parenthesis.")
	}
	return Ref(r), nil
}

// quotedItem reads a field of a row or a bound of a range from s[i:], up to an unquoted comma or one of the closing
// characters. Nothing at all is NULL. ok is false when the text ends first.
func quotedItem(s string, i int, closing string) (text string, next int, null, ok bool) {
	isEnd := func(c byte) bool {
		for k := range len(closing) {
			if c == closing[k] {
				return true
			}
		}
		return c == ','
	}
	if i < len(s) && isEnd(s[i]) {
		return "", i, true, true
	}
	var b []byte
	quoted := false
	for ; ; i++ {
		if i >= len(s) {
			return "", i, false, false
		}
		c := s[i]
		switch {
		case c == '\\':
			i++
			if i >= len(s) {
				return "", i, false, false
			}
			b = append(b, s[i])
		case c == '"' && quoted && i+1 < len(s) && s[i+1] == '"':
			i++
			b = append(b, '"')
		case c == '"':
			quoted = !quoted
		case !quoted && isEnd(c):
			return string(b), i, false, true
		default:
			b = append(b, c)
		}
	}
}

// appendQuotedItem appends text, in quotes if it is empty or has a character of special or white space.
func appendQuotedItem(dst []byte, start int, special string) []byte {
	need := len(dst) == start
	for _, c := range dst[start:] {
		if isSpace(c) || c == '"' || c == '\\' || c == ',' {
			need = true
		}
		for k := range len(special) {
			need = need || c == special[k]
		}
	}
	if !need {
		return dst
	}
	text := string(dst[start:])
	dst = append(dst[:start], '"')
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			dst = append(dst, text[i])
		}
		dst = append(dst, text[i])
	}
	return append(dst, '"')
}

func outputRecord(io *IO, dst []byte, r *Record) []byte {
	dst = append(dst, '(')
	for i, v := range r.Vals {
		if i > 0 {
			dst = append(dst, ',')
		}
		if v.IsNull() {
			continue
		}
		start := len(dst)
		dst = Output(io, r.Types[i], dst, v)
		dst = appendQuotedItem(dst, start, "()")
	}
	return append(dst, ')')
}

func sendRecord(io *IO, dst []byte, r *Record) ([]byte, error) {
	be := binary.BigEndian
	dst = be.AppendUint32(dst, uint32(len(r.Vals)))
	var err error
	for i, v := range r.Vals {
		dst = be.AppendUint32(dst, r.Types[i].OID)
		if dst, err = appendBinaryField(io, r.Types[i], dst, v); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func receiveRecord(io *IO, t *T, b []byte) (Datum, error) {
	if t.OID == oidRecord {
		return Null, pgerr.New(pgerr.FeatureNotSupported, "input of anonymous composite types is not implemented")
	}
	be := binary.BigEndian
	if len(b) < 4 {
		return Null, shortBinary()
	}
	fields := t.LiveFields()
	if n := int(int32(be.Uint32(b))); n != len(fields) {
		return Null, pgerr.New(pgerr.DatatypeMismatch, "wrong number of columns: %d, expected %d", n, len(fields))
	}
	b = b[4:]
	r := &Record{}
	for i, f := range fields {
		if len(b) < 4 {
			return Null, shortBinary()
		}
		if oid := be.Uint32(b); oid != f.Type.OID {
			return Null, pgerr.New(pgerr.DatatypeMismatch, "binary data has type %d (%s) instead of expected %d (%s) in record column %d",
				oid, typeNameByOID(io, oid), f.Type.OID, FormatType(f.Type, -1), i+1)
		}
		field, rest, null, err := binaryField(b[4:])
		if err != nil {
			return Null, err
		}
		b = rest
		d := Null
		if !null {
			if d, err = Receive(io, f.Type, f.Typmod, field); err != nil {
				return Null, err
			}
		}
		r.Types, r.Vals = append(r.Types, f.Type), append(r.Vals, d)
	}
	if len(b) > 0 {
		return Null, badBinary(t)
	}
	return Ref(r), nil
}
