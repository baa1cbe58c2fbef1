package executor

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// spillFile is a temporary file of rows. Its name is removed as soon as it is open, so that nothing is left behind
// whatever happens to the process.
type spillFile struct {
	codec spillCodec
	f     *os.File
	w     *bufio.Writer
	size  int64
	rows  int
	buf   []byte
	head  [binary.MaxVarintLen64]byte
}

// newSpillFile returns an empty file; nothing is on disk before the first row.
func newSpillFile() *spillFile { return &spillFile{} }

func (s *spillFile) create() error {
	f, err := os.CreateTemp("", "pgmongo-spill-*")
	if err != nil {
		return spillError(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return firstError(spillError(err), f.Close())
	}
	s.f, s.w = f, bufio.NewWriterSize(f, 32<<10)
	return nil
}

func spillError(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return pgerr.New(pgerr.DiskFull, "could not write to a temporary file: %w", err).
			WithHint("The directory of temporary files, which the environment variable TMPDIR names, is full.")
	}
	return pgerr.New(pgerr.IoError, "could not use a temporary file: %w", err)
}

// isFull reports whether an error is that of the memory budget, which spilling answers.
func isFull(err error) bool { return pgerr.Is(err, pgerr.OutOfMemory) }

// add appends a row.
func (s *spillFile) add(row []types.Datum) error {
	if s.f == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	s.buf = s.codec.appendRow(s.buf[:0], row)
	n := binary.PutUvarint(s.head[:], uint64(len(s.buf)))
	if _, err := s.w.Write(s.head[:n]); err != nil {
		return spillError(err)
	}
	if _, err := s.w.Write(s.buf); err != nil {
		return spillError(err)
	}
	s.size += int64(n + len(s.buf))
	s.rows++
	return nil
}

func (s *spillFile) close() error {
	if s == nil || s.f == nil {
		return nil
	}
	err := s.f.Close()
	s.f = nil
	return spillError(err)
}

// spillCursor reads the rows of a part of a spill file.
type spillCursor struct {
	s *spillFile
	r *bufio.Reader
}

// read returns a cursor over the bytes from..to; what was added later is not seen.
func (s *spillFile) read(from, to int64) (*spillCursor, error) {
	if s.f == nil {
		return &spillCursor{s: s, r: bufio.NewReaderSize(strings.NewReader(""), 16)}, nil
	}
	if err := s.w.Flush(); err != nil {
		return nil, spillError(err)
	}
	return &spillCursor{s: s, r: bufio.NewReaderSize(io.NewSectionReader(s.f, from, to-from), 32<<10)}, nil
}

// all returns a cursor over everything that was added so far.
func (s *spillFile) all() (*spillCursor, error) { return s.read(0, s.size) }

// next reads a row into dst; io.EOF at the end. The datums own their memory.
func (c *spillCursor) next(dst []types.Datum) error {
	n, err := binary.ReadUvarint(c.r)
	if err == io.EOF {
		return io.EOF
	}
	if err != nil {
		return spillError(err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(c.r, b); err != nil {
		return spillError(err)
	}
	return c.s.codec.decodeRow(b, dst)
}
