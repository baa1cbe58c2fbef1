// Package facts embeds what is constant in every PostgreSQL 15 database: the static system catalogues, dumped from a
// real server by dump.sh. They are the one definition of types, functions, operators, casts and settings.
package facts

import (
	"embed"
	"fmt"
	"strings"
	"sync"
)

//go:embed *.tsv
var files embed.FS

// Table is one dumped catalogue. A cell equal to Null is SQL NULL.
type Table struct {
	Columns []string
	Rows    [][]string
	index   map[string]int
}

// Null is how COPY text format writes NULL.
const Null = `\N`

var (
	mu     sync.Mutex
	tables = map[string]*Table{} // a cache of immutable embedded data
)

// Load returns the dumped catalogue of that name, for example "pg_proc". It panics on a name that is not embedded,
// which only a programming error can cause.
func Load(name string) *Table {
	mu.Lock()
	defer mu.Unlock()
	if t := tables[name]; t != nil {
		return t
	}
	data, err := files.ReadFile(name + ".tsv")
	if err != nil {
		panic(fmt.Sprintf("facts: %v", err))
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	t := &Table{Columns: strings.Split(lines[0], "\t"), index: map[string]int{}}
	for i, c := range t.Columns {
		t.index[c] = i
	}
	for _, l := range lines[1:] {
		cells := strings.Split(l, "\t")
		for i, c := range cells {
			if c != Null && strings.Contains(c, `\`) {
				cells[i] = unescape(c)
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	tables[name] = t
	return t
}

// Has reports whether a catalogue of that name is embedded.
func Has(name string) bool {
	f, err := files.Open(name + ".tsv")
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// Col returns the position of a column and panics if the dump has none of that name.
func (t *Table) Col(name string) int {
	i, ok := t.index[name]
	if !ok {
		panic("facts: no column " + name)
	}
	return i
}

func unescape(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\t`, "\t", `\n`, "\n", `\r`, "\r", `\b`, "\b", `\f`, "\f", `\v`, "\v").Replace(s)
}
