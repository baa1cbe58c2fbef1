package server

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// copyReader reads the CopyData messages of COPY FROM STDIN as one stream.
type copyReader struct {
	c    *conn
	rest []byte
	err  error
}

// CopyIn implements session.Client.
func (c *conn) CopyIn(binaryFormat bool, columns int) io.Reader {
	c.watch.stop() // the statement itself reads from the connection now
	c.copying = true
	c.out = appendCopyResponse(c.out, 'G', binaryFormat, columns)
	if err := c.flush(); err != nil {
		return &copyReader{c: c, err: err}
	}
	return &copyReader{c: c}
}

func appendCopyResponse(buf []byte, kind byte, binaryFormat bool, columns int) []byte {
	var f byte
	if binaryFormat {
		f = 1
	}
	buf = append(buf, kind)
	buf = binary.BigEndian.AppendUint32(buf, uint32(4+1+2+2*columns))
	buf = append(buf, f)
	buf = binary.BigEndian.AppendUint16(buf, uint16(columns))
	for range columns {
		buf = append(buf, 0, f)
	}
	return buf
}

func (r *copyReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		if r.err = r.c.ctx.Err(); r.err != nil {
			return 0, r.err
		}
		msg, err := r.c.read.next()
		if err != nil {
			if !errors.Is(err, errMalformed) {
				r.c.broken = err
			}
			r.err = err
			continue
		}
		switch m := msg.(type) {
		case *pgproto3.CopyData:
			r.rest = m.Data
		case *pgproto3.CopyDone:
			r.err = io.EOF
		case *pgproto3.CopyFail:
			r.err = pgerr.New(pgerr.QueryCanceled, "COPY from stdin failed: %s", m.Message)
		case *pgproto3.Flush, *pgproto3.Sync:
		default:
			r.err = fatal(pgerr.ProtocolViolation, "unexpected message type 0x%02X during COPY from stdin", r.c.read.header[0])
			r.c.broken = r.err
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// copyWriter sends one CopyData message a Write.
type copyWriter struct{ c *conn }

// CopyOut implements session.Client.
func (c *conn) CopyOut(binaryFormat bool, columns int) io.WriteCloser {
	c.out = appendCopyResponse(c.out, 'H', binaryFormat, columns)
	return copyWriter{c}
}

func (w copyWriter) Write(p []byte) (int, error) {
	w.c.out = append(w.c.out, 'd')
	w.c.out = binary.BigEndian.AppendUint32(w.c.out, uint32(len(p)+4))
	w.c.out = append(w.c.out, p...)
	if len(w.c.out) >= flushAt {
		return len(p), w.c.flush()
	}
	return len(p), nil
}

func (w copyWriter) Close() error {
	w.c.send(&pgproto3.CopyDone{})
	return nil
}
