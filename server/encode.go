package server

import (
	"encoding/binary"
	"strconv"

	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/server/session"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// encoding says how a column's datums are appended; chosen once a result.
type encoding uint8

const (
	encText encoding = iota // types.Output
	encSend                 // types.Send
	encStr                  // the string itself, in both formats
	encInt                  // decimal digits
	encBool
	encInt2
	encInt4
	encInt8
)

type column struct {
	enc encoding
	t   *types.T
	// recode says that the datum's text is to be converted to the client's encoding.
	recode bool
}

// rowWriter appends DataRow messages to the connection's buffer.
type rowWriter struct {
	c    *conn
	cols []column
	conv *types.IO
}

// formatOf returns the format code of column i under Bind's rule: none is text, one is for all.
func formatOf(formats []int16, i int) int16 {
	switch {
	case len(formats) == 0:
		return 0
	case len(formats) == 1:
		return formats[0]
	}
	return formats[i]
}

func (c *conn) Rows(cols []planner.Col, formats []int16, conv *types.IO) session.RowWriter {
	w := &rowWriter{c: c, conv: conv, cols: make([]column, len(cols))}
	for i, col := range cols {
		enc := choose(col.Type, formatOf(formats, i))
		w.cols[i] = column{enc, col.Type, conv.Encoding != nil && (enc == encStr || enc == encText)}
	}
	return w
}

func choose(t *types.T, format int16) encoding {
	b := t.BaseType()
	switch b.OID {
	case types.TextT.OID, types.VarcharT.OID, types.BpcharT.OID, types.NameT.OID, types.JSONT.OID, types.UnknownT.OID:
		return encStr
	}
	if format == 1 {
		switch b.OID {
		case types.Int2T.OID:
			return encInt2
		case types.Int4T.OID, types.OidT.OID:
			return encInt4
		case types.Int8T.OID:
			return encInt8
		}
		return encSend
	}
	switch b.OID {
	case types.Int2T.OID, types.Int4T.OID, types.Int8T.OID, types.OidT.OID:
		return encInt
	case types.BoolT.OID:
		return encBool
	}
	return encText
}

// flushAt is the size at which buffered answers are sent on.
const flushAt = 64 << 10

// Write implements session.RowWriter.
func (w *rowWriter) Write(b *executor.Batch, from, to int) error {
	c := w.c
	var err error
	for r := from; r < to; r++ {
		row := b.Data[r*b.Width : r*b.Width+len(w.cols)]
		start := len(c.out)
		buf := append(c.out, 'D', 0, 0, 0, 0, byte(len(w.cols)>>8), byte(len(w.cols)))
		for i, d := range row {
			if d.IsNull() {
				buf = append(buf, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			at := len(buf)
			buf = append(buf, 0, 0, 0, 0)
			if buf, err = w.append(buf, &w.cols[i], d); err != nil {
				return err
			}
			if w.cols[i].recode {
				if buf, err = w.conv.Encoding.EncodeTail(buf, at+4); err != nil {
					return err
				}
			}
			binary.BigEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
		}
		size := len(buf) - start - 1
		if size > maxRow {
			return pgerr.New(pgerr.ProgramLimitExceeded, "row of %d bytes exceeds the limit of the protocol", size)
		}
		binary.BigEndian.PutUint32(buf[start+1:], uint32(size))
		c.out = buf
		if len(c.out) >= flushAt {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

const maxRow = 1<<30 - 1

func (w *rowWriter) append(buf []byte, col *column, d types.Datum) ([]byte, error) {
	switch col.enc {
	case encStr:
		return append(buf, d.Str()...), nil
	case encInt:
		return strconv.AppendInt(buf, d.Int(), 10), nil
	case encBool:
		if d.Bool() {
			return append(buf, 't'), nil
		}
		return append(buf, 'f'), nil
	case encInt2:
		return binary.BigEndian.AppendUint16(buf, uint16(d.Int())), nil
	case encInt4:
		return binary.BigEndian.AppendUint32(buf, uint32(d.Int())), nil
	case encInt8:
		return binary.BigEndian.AppendUint64(buf, uint64(d.Int())), nil
	case encSend:
		return types.Send(w.conv, col.t, buf, d)
	}
	return types.Output(w.conv, col.t, buf, d), nil
}

// appendRowDescription appends a RowDescription message. A domain is described by what it is over.
func appendRowDescription(buf []byte, enc *types.Encoding, cols []planner.Col, formats []int16) []byte {
	start := len(buf)
	buf = append(buf, 'T', 0, 0, 0, 0)
	buf = binary.BigEndian.AppendUint16(buf, uint16(len(cols)))
	for i, c := range cols {
		buf = append(buf, enc.EncodeLossy(c.Name)...)
		buf = append(buf, 0)
		buf = binary.BigEndian.AppendUint32(buf, c.Table)
		buf = binary.BigEndian.AppendUint16(buf, uint16(c.Attnum))
		t, mod := c.Type, c.Mod
		for t.Kind == 'd' {
			mod = t.BaseTypmod
			t = t.Base
		}
		buf = binary.BigEndian.AppendUint32(buf, t.OID)
		buf = binary.BigEndian.AppendUint16(buf, uint16(t.Len))
		buf = binary.BigEndian.AppendUint32(buf, uint32(mod))
		buf = binary.BigEndian.AppendUint16(buf, uint16(formatOf(formats, i)))
	}
	binary.BigEndian.PutUint32(buf[start+1:], uint32(len(buf)-start-1))
	return buf
}
