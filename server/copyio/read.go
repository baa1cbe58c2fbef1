package copyio

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Field is one value of a row as it came: its bytes without quoting, or NULL. Bytes are valid until the next row.
type Field struct {
	Data []byte
	Null bool
	// Quoted says that a csv field was quoted.
	Quoted bool
}

// Reader reads rows. Errors are *pgerr.Error without context; Line and Raw say where the reader is.
type Reader struct {
	o      *Options
	br     *bufio.Reader
	names  []string
	line   int64
	raw    []byte // the line as it came, without its end
	data   []byte // unescaped bytes of the row's fields
	fields []Field
	spans  []span
	eol    lineEnd
	begun  bool
	done   bool
	// forceNotNull and forceNull are by column.
	forceNotNull, forceNull []bool
}

// lineEnd is how lines end; the first one decides.
type lineEnd uint8

const (
	eolUnknown lineEnd = iota
	eolLF
	eolCRLF
	eolCR
)

type span struct {
	from, to     int
	null, quoted bool
}

// NewReader reads rows of the named columns from r.
func NewReader(r io.Reader, o *Options, names []string) *Reader {
	rd := &Reader{o: o, br: bufio.NewReaderSize(r, 64<<10), names: names}
	rd.forceNotNull, rd.forceNull = flags(names, o.ForceNotNul), flags(names, o.ForceNull)
	return rd
}

func flags(names, list []string) []bool {
	f := make([]bool, len(names))
	for _, l := range list {
		for i, n := range names {
			f[i] = f[i] || n == l
		}
	}
	return f
}

// Line returns the number of the line last read, from 1.
func (r *Reader) Line() int64 { return r.line }

// Raw returns the line last read.
func (r *Reader) Raw() string { return string(r.raw) }

// Next returns the next row; io.EOF at the end.
func (r *Reader) Next() ([]Field, error) {
	if r.done {
		return nil, io.EOF
	}
	if r.o.Format == Binary {
		return r.nextBinary()
	}
	if !r.begun {
		r.begun = true
		if r.o.Header != NoHeader {
			if err := r.header(); err != nil {
				return nil, err
			}
		}
	}
	if err := r.readLine(); err != nil {
		return nil, err
	}
	if !utf8.Valid(r.raw) {
		return nil, invalidUTF8(r.raw)
	}
	if err := r.split(); err != nil {
		return nil, err
	}
	switch {
	case len(r.fields) < len(r.names):
		return nil, pgerr.New(pgerr.BadCopyFileFormat, "missing data for column \"%s\"", r.names[len(r.fields)])
	case len(r.fields) > len(r.names):
		// A table without columns takes empty lines.
		if len(r.names) > 0 || len(r.raw) > 0 {
			return nil, pgerr.New(pgerr.BadCopyFileFormat, "extra data after last expected column")
		}
		return r.fields[:0], nil
	}
	return r.fields, nil
}

func invalidUTF8(b []byte) error {
	for i := 0; i < len(b); {
		if c, n := utf8.DecodeRune(b[i:]); c != utf8.RuneError || n > 1 {
			i += n
			continue
		}
		return pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": 0x%02x", b[i])
	}
	return nil
}

func (r *Reader) header() error {
	if err := r.readLine(); err != nil {
		return err
	}
	if r.o.Header != MatchHeader {
		return nil
	}
	if err := r.split(); err != nil {
		return err
	}
	if len(r.fields) != len(r.names) {
		return pgerr.New(pgerr.BadCopyFileFormat, "wrong number of fields in header line: got %d, expected %d", len(r.fields), len(r.names))
	}
	for i, f := range r.fields {
		switch {
		case f.Null:
			return pgerr.New(pgerr.BadCopyFileFormat, "column name mismatch in header line field %d: got null value (\"%s\"), expected \"%s\"", i+1, r.o.Null, r.names[i])
		case string(f.Data) != r.names[i]:
			return pgerr.New(pgerr.BadCopyFileFormat, "column name mismatch in header line field %d: got \"%s\", expected \"%s\"", i+1, f.Data, r.names[i])
		}
	}
	return nil
}

// readLine reads one line into raw: in text format a backslash takes the next byte with it, in csv a quoted field may go on
// over line ends.
func (r *Reader) readLine() error {
	r.raw = r.raw[:0]
	r.line++
	end := byte('\n')
	if r.eol == eolCR {
		end = '\r'
	}
	inQuote, escaped := false, false
	for {
		part, err := r.br.ReadSlice(end)
		start := len(r.raw)
		r.raw = append(r.raw, part...)
		wasQuote, wasEscaped := inQuote, escaped
		inQuote, escaped = r.scan(r.raw[start:], end, inQuote, escaped)
		if r.eol == eolUnknown {
			if i := r.bareCR(start, wasQuote, wasEscaped); i >= 0 {
				// Lines end with CR: what follows the first one is read again.
				rest := append([]byte(nil), r.raw[i+1:]...)
				r.br = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(rest), r.br), 64<<10)
				r.raw, r.eol = r.raw[:i], eolCR
				return r.endLine()
			}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			if inQuote {
				return pgerr.New(pgerr.BadCopyFileFormat, "unterminated CSV quoted field")
			}
			if len(r.raw) == 0 {
				r.done = true
				return io.EOF
			}
			return r.endLine()
		case err != nil:
			return err
		case inQuote || escaped:
			escaped = false
			if inQuote {
				r.line++
			}
			continue
		}
		r.raw = r.raw[:len(r.raw)-1]
		n := len(r.raw)
		cr := n > 0 && r.raw[n-1] == '\r'
		if r.eol == eolUnknown {
			r.eol = eolLF
			if cr {
				r.eol = eolCRLF
			}
		}
		if cr && r.eol == eolCRLF {
			r.raw = r.raw[:n-1]
		}
		return r.endLine()
	}
}

// bareCR returns the position in raw, from start on, of a CR that ends a line by itself, -1 for none.
func (r *Reader) bareCR(start int, inQuote, escaped bool) int {
	for i := start; i < len(r.raw); i++ {
		c := r.raw[i]
		switch {
		case escaped:
			escaped = false
		case r.o.Format == Text && c == '\\', inQuote && c == r.o.Escape && c != r.o.Quote:
			escaped = true
		case r.o.Format == CSV && c == r.o.Quote:
			inQuote = !inQuote
		case c == '\r' && !inQuote && i+1 < len(r.raw) && r.raw[i+1] != '\n':
			return i
		}
	}
	return -1
}

// scan follows quoting through a piece that may end with a line feed; escaped says that the line feed itself (or, at the
// end of a full buffer, the next byte) was taken by a backslash.
func (r *Reader) scan(p []byte, end byte, inQuote, escaped bool) (bool, bool) {
	if r.o.Format == Text {
		for i, c := range p {
			if escaped {
				escaped = c == end && i == len(p)-1
				continue
			}
			escaped = c == '\\'
		}
		return false, escaped
	}
	for _, c := range p {
		switch {
		case escaped:
			escaped = false
		case inQuote && c == r.o.Escape && c != r.o.Quote:
			escaped = true
		case c == r.o.Quote:
			inQuote = !inQuote // a doubled quote toggles twice
		}
	}
	return inQuote, false
}

func (r *Reader) endLine() error {
	if bytes.Equal(r.raw, []byte(`\.`)) {
		r.done = true
		// What follows the marker is read and ignored.
		if _, err := io.Copy(io.Discard, r.br); err != nil {
			return err
		}
		return io.EOF
	}
	return r.strayEnd()
}

// strayEnd refuses a CR or LF within a line, where it is not escaped or quoted.
func (r *Reader) strayEnd() error {
	stray, name, escape := byte('\r'), "carriage return", `\r`
	if r.eol == eolCR {
		stray, name, escape = '\n', "newline", `\n`
	}
	if bytes.IndexByte(r.raw, stray) < 0 {
		return nil
	}
	inQuote, escaped := false, false
	for _, c := range r.raw {
		switch {
		case escaped:
			escaped = false
		case r.o.Format == Text && c == '\\', inQuote && c == r.o.Escape && c != r.o.Quote:
			escaped = true
		case r.o.Format == CSV && c == r.o.Quote:
			inQuote = !inQuote
		case c == stray && r.o.Format == Text:
			return pgerr.New(pgerr.BadCopyFileFormat, "literal %s found in data", name).
				WithHint("Use \"%s\" to represent %s.", escape, name)
		case c == stray && !inQuote:
			return pgerr.New(pgerr.BadCopyFileFormat, "unquoted %s found in data", name).
				WithHint("Use quoted CSV field to represent %s.", name)
		}
	}
	return nil
}

func (r *Reader) split() error {
	r.data, r.spans, r.fields = r.data[:0], r.spans[:0], r.fields[:0]
	var err error
	if r.o.Format == CSV {
		err = r.splitCSV()
	} else {
		err = r.splitText()
	}
	for _, s := range r.spans {
		r.fields = append(r.fields, Field{Data: r.data[s.from:s.to:s.to], Null: s.null, Quoted: s.quoted})
	}
	return err
}

func (r *Reader) splitText() error {
	line := r.raw
	for {
		end := 0
		from := len(r.data)
		for end < len(line) && line[end] != r.o.Delimiter {
			if line[end] != '\\' {
				r.data = append(r.data, line[end])
				end++
				continue
			}
			n := r.unescape(line[end:])
			end += n
		}
		field := line[:end]
		if string(field) == r.o.Null {
			r.data = r.data[:from]
			r.spans = append(r.spans, span{from, from, true, false})
		} else {
			if bytes.IndexByte(r.data[from:], 0) >= 0 {
				return pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": 0x00")
			}
			r.spans = append(r.spans, span{from, len(r.data), false, false})
		}
		if end == len(line) {
			return nil
		}
		line = line[end+1:]
	}
}

// unescape appends what a backslash sequence at the start of s means and returns its length.
func (r *Reader) unescape(s []byte) int {
	if len(s) == 1 {
		r.data = append(r.data, '\\')
		return 1
	}
	hex := func(c byte) (byte, bool) {
		switch {
		case c >= '0' && c <= '9':
			return c - '0', true
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			return c | 0x20 - 'a' + 10, true
		}
		return 0, false
	}
	c := s[1]
	switch {
	case c >= '0' && c <= '7':
		v, n := c-'0', 2
		for n < 4 && n < len(s) && s[n] >= '0' && s[n] <= '7' {
			v = v<<3 | s[n] - '0'
			n++
		}
		r.data = append(r.data, v)
		return n
	case c == 'x' && len(s) > 2:
		if v, ok := hex(s[2]); ok {
			n := 3
			if len(s) > 3 {
				if w, ok := hex(s[3]); ok {
					v, n = v<<4|w, 4
				}
			}
			r.data = append(r.data, v)
			return n
		}
	}
	if i := bytes.IndexByte([]byte("bfnrtv"), c); i >= 0 {
		c = "\b\f\n\r\t\v"[i]
	}
	r.data = append(r.data, c)
	return 2
}

func (r *Reader) splitCSV() error {
	line, o := r.raw, r.o
	for col := 0; ; col++ {
		from, quoted, i := len(r.data), false, 0
		for i < len(line) && line[i] != o.Delimiter {
			if line[i] != o.Quote {
				r.data = append(r.data, line[i])
				i++
				continue
			}
			quoted = true
			i++
			for {
				if i >= len(line) {
					return pgerr.New(pgerr.BadCopyFileFormat, "unterminated CSV quoted field")
				}
				c := line[i]
				if c == o.Escape && i+1 < len(line) && (line[i+1] == o.Escape || line[i+1] == o.Quote) {
					r.data = append(r.data, line[i+1])
					i += 2
					continue
				}
				i++
				if c == o.Quote {
					break
				}
				r.data = append(r.data, c)
			}
		}
		value := string(r.data[from:])
		null := !quoted && value == o.Null
		if col < len(r.names) {
			if null && r.forceNotNull[col] {
				null = false
			}
			if quoted && value == o.Null && r.forceNull[col] {
				null = true
			}
		}
		r.spans = append(r.spans, span{from, len(r.data), null, quoted})
		if i == len(line) {
			return nil
		}
		line = line[i+1:]
	}
}

// signature starts a file of the binary format.
var signature = []byte("PGCOPY\n\xff\r\n\x00")

func (r *Reader) fill(n int) ([]byte, error) {
	if cap(r.raw) < n {
		r.raw = make([]byte, n)
	}
	r.raw = r.raw[:n]
	if _, err := io.ReadFull(r.br, r.raw); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, pgerr.New(pgerr.BadCopyFileFormat, "unexpected EOF in COPY data")
		}
		return nil, err
	}
	return r.raw, nil
}

func (r *Reader) binaryHeader() error {
	b, err := r.fill(len(signature))
	if err != nil || !bytes.Equal(b, signature) {
		if err != nil && !pgerr.Is(err, pgerr.BadCopyFileFormat) {
			return err
		}
		return pgerr.New(pgerr.BadCopyFileFormat, "COPY file signature not recognized")
	}
	if b, err = r.fill(8); err != nil {
		return pgerr.New(pgerr.BadCopyFileFormat, "invalid COPY file header (missing flags)")
	}
	fl, ext := binary.BigEndian.Uint32(b), int32(binary.BigEndian.Uint32(b[4:]))
	switch {
	case fl&(1<<16) != 0:
		return pgerr.New(pgerr.BadCopyFileFormat, "invalid COPY file header (WITH OIDS)")
	case fl>>16 != 0:
		return pgerr.New(pgerr.BadCopyFileFormat, "unrecognized critical flags in COPY file header")
	case ext < 0:
		return pgerr.New(pgerr.BadCopyFileFormat, "invalid COPY file header (missing length)")
	}
	if _, err := r.br.Discard(int(ext)); err != nil {
		return pgerr.New(pgerr.BadCopyFileFormat, "invalid COPY file header (wrong length)")
	}
	return nil
}

func (r *Reader) nextBinary() ([]Field, error) {
	if !r.begun {
		r.begun = true
		if err := r.binaryHeader(); err != nil {
			return nil, err
		}
	}
	r.line++
	if _, err := r.br.Peek(1); errors.Is(err, io.EOF) {
		r.done = true // a file without its trailer ends where it ends
		return nil, io.EOF
	}
	b, err := r.fill(2)
	if err != nil {
		return nil, err
	}
	n := int(int16(binary.BigEndian.Uint16(b)))
	if n == -1 {
		r.done = true
		if left, err := io.Copy(io.Discard, r.br); err != nil {
			return nil, err
		} else if left > 0 {
			return nil, pgerr.New(pgerr.BadCopyFileFormat, "received copy data after EOF marker")
		}
		return nil, io.EOF
	}
	if n != len(r.names) {
		return nil, pgerr.New(pgerr.BadCopyFileFormat, "row field count is %d, expected %d", n, len(r.names))
	}
	r.data, r.spans, r.fields = r.data[:0], r.spans[:0], r.fields[:0]
	for range n {
		if b, err = r.fill(4); err != nil {
			return nil, err
		}
		size := int(int32(binary.BigEndian.Uint32(b)))
		from := len(r.data)
		if size == -1 {
			r.spans = append(r.spans, span{from, from, true, false})
			continue
		}
		if size < 0 {
			return nil, pgerr.New(pgerr.BadCopyFileFormat, "invalid field size")
		}
		if b, err = r.fill(size); err != nil {
			return nil, err
		}
		r.data = append(r.data, b...)
		r.spans = append(r.spans, span{from, len(r.data), false, false})
	}
	for _, s := range r.spans {
		r.fields = append(r.fields, Field{Data: r.data[s.from:s.to:s.to], Null: s.null})
	}
	return r.fields, nil
}
