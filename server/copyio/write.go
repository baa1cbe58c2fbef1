package copyio

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
)

// Writer writes rows, each with one Write to the underlying writer.
type Writer struct {
	o      *Options
	w      io.Writer
	buf    []byte
	names  []string
	quote  []bool
	column int
	// held says that buf has the binary header, which goes out with the first row, as PostgreSQL sends it.
	held bool
}

// NewWriter writes rows of the named columns to w.
func NewWriter(w io.Writer, o *Options, names []string) *Writer {
	wr := &Writer{o: o, w: w, names: names, quote: flags(names, o.ForceQuote)}
	for i := range wr.quote {
		wr.quote[i] = wr.quote[i] || o.ForceAll
	}
	return wr
}

// Begin writes what comes before the first row.
func (w *Writer) Begin() error {
	w.buf = w.buf[:0]
	switch {
	case w.o.Format == Binary:
		w.buf = append(append(w.buf, signature...), 0, 0, 0, 0, 0, 0, 0, 0)
		w.held = true
		return nil
	case w.o.Header == WithHeader:
		for i, n := range w.names {
			w.separate(i)
			if w.o.Format == CSV {
				w.csv([]byte(n), false)
			} else {
				w.text([]byte(n))
			}
		}
		w.buf = append(w.buf, '\n')
	default:
		return nil
	}
	_, err := w.w.Write(w.buf)
	return err
}

// StartRow starts a row.
func (w *Writer) StartRow() {
	w.column = 0
	if !w.held {
		w.buf = w.buf[:0]
	}
	w.held = false
	if w.o.Format == Binary {
		w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(len(w.names)))
	}
}

func (w *Writer) separate(column int) {
	if column > 0 {
		w.buf = append(w.buf, w.o.Delimiter)
	}
}

// Value adds the row's next value, in text or, for the binary format, in its binary form.
func (w *Writer) Value(v []byte) {
	switch w.o.Format {
	case Binary:
		w.buf = append(binary.BigEndian.AppendUint32(w.buf, uint32(len(v))), v...)
	case CSV:
		w.separate(w.column)
		w.csv(v, w.quote[w.column])
	default:
		w.separate(w.column)
		w.text(v)
	}
	w.column++
}

// Null adds a NULL.
func (w *Writer) Null() {
	if w.o.Format == Binary {
		w.buf = append(w.buf, 0xff, 0xff, 0xff, 0xff)
	} else {
		w.separate(w.column)
		w.buf = append(w.buf, w.o.Null...)
	}
	w.column++
}

// EndRow sends the row.
func (w *Writer) EndRow() error {
	if w.o.Format != Binary {
		w.buf = append(w.buf, '\n')
	}
	_, err := w.w.Write(w.buf)
	return err
}

// End writes what comes after the last row.
func (w *Writer) End() error {
	if w.o.Format != Binary {
		return nil
	}
	if !w.held {
		w.buf = w.buf[:0]
	}
	w.held = false
	w.buf = append(w.buf, 0xff, 0xff)
	_, err := w.w.Write(w.buf)
	return err
}

func (w *Writer) text(v []byte) {
	for _, c := range v {
		switch {
		case c >= '\b' && c <= '\r':
			w.buf = append(w.buf, '\\', "btnvfr"[c-'\b'])
		case c == '\\' || c == w.o.Delimiter:
			w.buf = append(w.buf, '\\', c)
		default:
			w.buf = append(w.buf, c)
		}
	}
}

func (w *Writer) csv(v []byte, force bool) {
	o := w.o
	need := force || string(v) == o.Null || len(w.names) == 1 && string(v) == `\.`
	if !need {
		need = bytes.IndexByte(v, o.Delimiter) >= 0 || bytes.IndexByte(v, o.Quote) >= 0 || strings.ContainsAny(string(v), "\r\n")
	}
	if !need {
		w.buf = append(w.buf, v...)
		return
	}
	w.buf = append(w.buf, o.Quote)
	for _, c := range v {
		if c == o.Quote || c == o.Escape {
			w.buf = append(w.buf, o.Escape)
		}
		w.buf = append(w.buf, c)
	}
	w.buf = append(w.buf, o.Quote)
}
