package session

import (
	"bytes"
	"io"

	"github.com/pgmongo/pgmongo/types"
)

// decodeReader turns COPY data into UTF-8. It goes by lines, since a message may end within a character; in no encoding is a
// line feed a part of one.
type decodeReader struct {
	r     io.Reader
	enc   *types.Encoding
	chunk []byte
	held  []byte // the line that has not ended
	ready []byte
	err   error
}

func (d *decodeReader) Read(p []byte) (int, error) {
	for len(d.ready) == 0 {
		if d.err != nil {
			return 0, d.err
		}
		if d.chunk == nil {
			d.chunk = make([]byte, 32<<10)
		}
		var n int
		n, d.err = d.r.Read(d.chunk)
		d.held = append(d.held, d.chunk[:n]...)
		end := bytes.LastIndexByte(d.held, '\n') + 1
		if d.err != nil {
			end = len(d.held)
		}
		text, err := d.enc.Decode(string(d.held[:end]))
		if err != nil {
			return 0, err
		}
		d.ready = append(d.ready[:0], text...)
		d.held = append(d.held[:0], d.held[end:]...)
	}
	n := copy(p, d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

// encodeWriter turns COPY data, which comes by whole rows, from UTF-8.
type encodeWriter struct {
	io.WriteCloser
	enc *types.Encoding
}

func (e encodeWriter) Write(p []byte) (int, error) {
	b, err := e.enc.AppendEncoded(nil, string(p))
	if err != nil {
		return 0, err
	}
	_, err = e.WriteCloser.Write(b)
	return len(p), err
}
