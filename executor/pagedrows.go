package executor

import (
	"github.com/pgmongo/pgmongo/types"
)

// pagedRows is a list of rows that are read by number: in memory, or in a file once they do not fit, of which the pages
// used last are in memory.
type pagedRows struct {
	width int
	n     int
	mem   *rowStore
	file  *spillFile
	pages []int64 // where each page of storeChunk rows begins
	cache [cachedPages]page
	used  uint64
}

// cachedPages is enough for the row in progress and both ends of its frame.
const cachedPages = 4

type page struct {
	no   int
	rows []types.Datum
	used uint64
}

func newPagedRows(width int, budget *Budget) *pagedRows {
	return &pagedRows{width: width, mem: newRowStore(width, budget)}
}

// add copies a row in.
func (p *pagedRows) add(row []types.Datum) error {
	if p.file == nil {
		_, err := p.mem.add(row)
		if err == nil {
			p.n++
			return nil
		}
		if !isFull(err) {
			return err
		}
		if err := p.toFile(); err != nil {
			return err
		}
	}
	p.n++
	return p.write(row)
}

func (p *pagedRows) toFile() error {
	p.file = newSpillFile()
	for i := 0; i < p.mem.n; i++ {
		if err := p.write(p.mem.row(i)); err != nil {
			return err
		}
	}
	p.mem.release()
	return nil
}

func (p *pagedRows) write(row []types.Datum) error {
	if p.file.rows%storeChunk == 0 {
		p.pages = append(p.pages, p.file.size)
	}
	return p.file.add(row)
}

// row returns row i, which stays valid. Rows of one width of zero are nil.
func (p *pagedRows) row(i int) ([]types.Datum, error) {
	if p.file == nil {
		return p.mem.row(i), nil
	}
	rows, err := p.page(i / storeChunk)
	if err != nil {
		return nil, err
	}
	at := i % storeChunk * p.width
	return rows[at : at+p.width : at+p.width], nil
}

func (p *pagedRows) page(no int) ([]types.Datum, error) {
	p.used++
	oldest := &p.cache[0]
	for i := range p.cache {
		c := &p.cache[i]
		if c.rows != nil && c.no == no {
			c.used = p.used
			return c.rows, nil
		}
		if c.used < oldest.used {
			oldest = c
		}
	}
	n := min(storeChunk, p.n-no*storeChunk)
	rows := make([]types.Datum, n*p.width)
	cur, err := p.file.read(p.pages[no], p.file.size)
	if err != nil {
		return nil, err
	}
	for i := range n {
		if err := cur.next(rows[i*p.width : (i+1)*p.width]); err != nil {
			return nil, err
		}
	}
	*oldest = page{no: no, rows: rows, used: p.used}
	return rows, nil
}

func (p *pagedRows) release() error {
	p.mem.release()
	p.n, p.pages, p.cache = 0, nil, [cachedPages]page{}
	err := p.file.close()
	p.file = nil
	return err
}
