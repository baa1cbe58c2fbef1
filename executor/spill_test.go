package executor

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// TestFullDisk writes to a device that is always full.
func TestFullDisk(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := newSpillFile()
	s.f, s.w = f, bufio.NewWriter(f)
	row := []types.Datum{types.Str(strings.Repeat("x", 1000))}
	for range 100 {
		if err = s.add(row); err != nil {
			break
		}
	}
	if !pgerr.Is(err, pgerr.DiskFull) {
		t.Errorf("a full disk is %v", err)
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
}

func TestRowListSpills(t *testing.T) {
	l := NewRowList(10000)
	const n = 5000
	for i := range n {
		if err := l.Add([]types.Datum{types.Int(int64(i)), types.Str("row")}); err != nil {
			t.Fatal(err)
		}
	}
	if l.Len() != n || l.rows.file == nil {
		t.Fatalf("%d rows, in memory: %v", l.Len(), l.rows.file == nil)
	}
	for i := range n {
		row, err := l.Row(i)
		if err != nil || row[0].Int() != int64(i) || row[1].Str() != "row" {
			t.Fatal(i, row, err)
		}
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}
