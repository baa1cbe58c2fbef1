package executor

import (
	"io"

	"github.com/pgmongo/pgmongo/types"
)

// keptRows is a growing list of rows with several readers: in memory, or in a file once it does not fit.
type keptRows struct {
	mem  *rowStore
	file *spillFile
}

func newKeptRows(width int, budget *Budget) *keptRows {
	return &keptRows{mem: newRowStore(width, budget)}
}

func (k *keptRows) add(row []types.Datum) error {
	if k.file != nil {
		return k.file.add(row)
	}
	_, err := k.mem.add(row)
	if !isFull(err) {
		return err
	}
	k.file = newSpillFile()
	for i := 0; i < k.mem.n; i++ {
		if err := k.file.add(k.mem.row(i)); err != nil {
			return err
		}
	}
	k.mem.release()
	return k.file.add(row)
}

// keptCursor is a reader's place.
type keptCursor struct {
	row  int   // next row
	off  int64 // where it is in the file, once known
	rows *spillCursor
	end  int // the row that rows ends at
}

// read fills a batch with the rows from the cursor on; io.EOF when all that there are have been read.
func (k *keptRows) read(c *keptCursor, b *Batch) error {
	if k.file == nil {
		return emitStore(b, k.mem, &c.row)
	}
	b.Reset(k.mem.width)
	if c.row >= k.file.rows {
		return io.EOF
	}
	if c.rows == nil || c.row >= c.end {
		if err := k.reopen(c); err != nil {
			return err
		}
	}
	for b.N < BatchRows && c.row < c.end {
		if err := c.rows.next(b.grow()); err != nil {
			return err
		}
		c.row++
	}
	return nil
}

// reopen starts a cursor over the part of the file from the cursor's row on. A reader that was still in memory when the
// file was made skips what it has read.
func (k *keptRows) reopen(c *keptCursor) error {
	from, skip := int64(0), c.row
	if c.rows != nil {
		from, skip = c.off, 0
	}
	var err error
	if c.rows, err = k.file.read(from, k.file.size); err != nil {
		return err
	}
	c.end, c.off = k.file.rows, k.file.size
	row := make([]types.Datum, k.mem.width)
	for ; skip > 0; skip-- {
		if err := c.rows.next(row); err != nil {
			return err
		}
	}
	return nil
}

func (k *keptRows) release() error {
	k.mem.release()
	err := k.file.close()
	k.file = nil
	return err
}
