package executor

import "github.com/pgmongo/pgmongo/types"

// RowList is a list of rows for what is not an operator: in memory up to a limit, in a file beyond it.
type RowList struct {
	limit int64
	rows  *pagedRows
}

// NewRowList returns an empty list that keeps up to limit bytes in memory.
func NewRowList(limit int64) *RowList { return &RowList{limit: limit} }

// Add copies a row in. All rows have the width of the first one.
func (l *RowList) Add(row []types.Datum) error {
	if l.rows == nil {
		l.rows = newPagedRows(len(row), &Budget{Limit: l.limit})
	}
	return l.rows.add(row)
}

// Len returns how many rows there are.
func (l *RowList) Len() int {
	if l.rows == nil {
		return 0
	}
	return l.rows.n
}

// Row returns row i, which stays valid.
func (l *RowList) Row(i int) ([]types.Datum, error) { return l.rows.row(i) }

// Release gives memory and file back.
func (l *RowList) Release() error {
	if l.rows == nil {
		return nil
	}
	return l.rows.release()
}
