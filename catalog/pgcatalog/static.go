package pgcatalog

import (
	"context"
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
)

//go:embed data/cells.tsv
var extraText string

// extra returns a cell that the shared dump leaves out: a privilege list, or the OID of a function whose printed name is
// ambiguous.
func extra(table, key, column string) (string, bool) {
	s, ok := extraCells()[table+"\t"+key+"\t"+column]
	return s, ok
}

var extraCells = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, l := range strings.Split(strings.TrimSuffix(extraText, "\n"), "\n") {
		i := strings.LastIndexByte(l, '\t')
		m[l[:i]] = l[i+1:]
	}
	return m
})

// table describes how one relation's rows are made: those every database has, then those of the database at hand.
type table struct {
	name string // schema.relation
	keys []string
	// dump says that types/facts (or the file of that name) holds the rows that every database has.
	dump string
	// fix completes a dumped row: it sets the cells that the dump leaves out.
	fix func(r *rowMaker)
	// dynamic yields the database's own rows. A key may be ignored only where the rows are few.
	dynamic func(ctx context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error
}

func (t table) virtual(r *catalog.Relation) *catalog.Virtual {
	var st *static
	if t.dump != "" {
		st = &static{load: sync.OnceValue(func() [][]types.Datum { return loadRows(r, t.dump, t.fix) }), rel: r, index: map[string]map[any][][]types.Datum{}}
	}
	return &catalog.Virtual{Keys: t.keys, Rows: func(ctx context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
		if key != nil && key.Value.IsNull() {
			return nil // = NULL is never true
		}
		if st != nil {
			for _, row := range st.find(key) {
				if err := yield(row); err != nil {
					return err
				}
			}
		}
		if t.dynamic == nil {
			return nil
		}
		return t.dynamic(ctx, v, key, yield)
	}}
}

// static holds the rows that every database has, read once, with an index for each key that was asked for.
type static struct {
	load  func() [][]types.Datum
	rel   *catalog.Relation
	mu    sync.Mutex
	index map[string]map[any][][]types.Datum
}

func (s *static) find(key *catalog.Key) [][]types.Datum {
	rows := s.load()
	if key == nil {
		return rows
	}
	col := s.rel.Column(key.Column)
	if col == nil {
		return rows
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ix := s.index[key.Column]
	if ix == nil {
		ix = make(map[any][][]types.Datum, len(rows))
		for _, r := range rows {
			k := hashKey(col.Type, r[col.Attnum-1])
			ix[k] = append(ix[k], r)
		}
		s.index[key.Column] = ix
	}
	return ix[hashKey(col.Type, key.Value)]
}

// hashKey makes a map key of a scalar.
func hashKey(t *types.T, d types.Datum) any {
	if t.Rep == types.RepString {
		return d.Str()
	}
	return d.Int()
}

// rowMaker is a dumped row while it is completed.
type rowMaker struct {
	rel  *catalog.Relation
	src  cellRow
	vals []types.Datum
}

func (r *rowMaker) set(column string, d types.Datum) { r.vals[r.rel.Column(column).Attnum-1] = d }

// setText sets a cell from its text form.
func (r *rowMaker) setText(column, s string) {
	c := r.rel.Column(column)
	r.vals[c.Attnum-1] = parseCell(c.Type, s)
}

// loadRows reads a dump in the order of the relation's columns. A column that the dump lacks is NULL, or the zero of its
// type when it may not be NULL.
func loadRows(rel *catalog.Relation, dump string, fix func(*rowMaker)) [][]types.Datum {
	f := newCells(dump)
	rows := make([][]types.Datum, 0, len(f.Rows))
	arena := make([]types.Datum, len(f.Rows)*len(rel.Columns))
	for _, cells := range f.Rows {
		vals := arena[:len(rel.Columns):len(rel.Columns)]
		arena = arena[len(rel.Columns):]
		for i, c := range rel.Columns {
			if p, ok := f.has(c.Name); ok {
				s := cells[p]
				if c.Type.Name == "regproc" {
					s = regprocCell(rel.Name, c.Name, cells, f)
				}
				vals[i] = parseCell(c.Type, s)
			} else if c.NotNull {
				vals[i] = zero(c.Type)
			}
		}
		if fix != nil {
			fix(&rowMaker{rel, f.row(cells), vals})
		}
		rows = append(rows, vals)
	}
	return rows
}

// regprocCell turns the printed name of a function in a dump into its OID.
func regprocCell(table, column string, row []string, f *cells) string {
	s := row[f.Col(column)]
	if s == "-" || s == facts.Null || column == "aggfnoid" {
		return s
	}
	if p, ok := f.has("oid"); ok {
		if oid, ok := extra(table, row[p], column); ok {
			return oid
		}
	}
	if oid := procByName()[strings.TrimPrefix(s, "pg_catalog.")]; oid != 0 {
		return strconv.FormatUint(uint64(oid), 10)
	}
	return "0"
}

// procByName finds built-in functions by name; overloaded ones give any of them, and are named by OID in the extra cells.
var procByName = sync.OnceValue(func() map[string]uint32 {
	f := newCells("pg_proc")
	m := make(map[string]uint32, len(f.Rows))
	oid, name := f.Col("oid"), f.Col("proname")
	for _, r := range f.Rows {
		m[r[name]] = atoid(r[oid])
	}
	return m
})

// parseCell reads the text form of a value of the types that dumped catalogues have.
func parseCell(t *types.T, s string) types.Datum {
	if s == facts.Null {
		return types.Null
	}
	base := t.BaseType()
	switch base.Rep {
	case types.RepBool:
		return types.Bool(s == "t")
	case types.RepInt:
		if s == "-" {
			return types.Int(0)
		}
		n, _ := strconv.ParseInt(s, 10, 64)
		return types.Int(n)
	case types.RepFloat:
		n, _ := strconv.ParseFloat(s, 64)
		return types.Float(n)
	case types.RepRef:
		if base.Name == "interval" {
			return parseOffset(s)
		}
		return parseArray(base, s)
	default:
		return types.Str(s)
	}
}

// parseArray reads a one-dimensional array, oidvector or int2vector.
func parseArray(t *types.T, s string) types.Datum {
	if t.Name == "oidvector" || t.Name == "int2vector" {
		var vals []types.Datum
		for _, f := range strings.Fields(s) {
			vals = append(vals, parseCell(t.Elem, f))
		}
		return vector(t.Elem, vals)
	}
	var vals []types.Datum
	for _, f := range splitArray(s) {
		vals = append(vals, parseCell(t.Elem, f))
	}
	return types.NewArray(t.Elem, vals)
}

// parseOffset reads an interval of the form [-]HH:MM:SS.
func parseOffset(s string) types.Datum {
	sign := int64(1)
	if strings.HasPrefix(s, "-") {
		sign, s = -1, s[1:]
	}
	var micros int64
	for _, p := range strings.Split(s, ":") {
		n, _ := strconv.ParseInt(p, 10, 64)
		micros = micros*60 + n
	}
	return types.Ref(&types.Interval{Micros: sign * micros * 1e6})
}

// vector makes an oidvector or int2vector, whose subscripts count from 0.
func vector(elem *types.T, vals []types.Datum) types.Datum {
	return types.Ref(&types.Array{Elem: elem, Dims: []int32{int32(len(vals))}, Lower: []int32{0}, Vals: vals})
}

func zero(t *types.T) types.Datum {
	switch t.BaseType().Rep {
	case types.RepBool:
		return types.False
	case types.RepInt:
		return types.Int(0)
	case types.RepFloat:
		return types.Float(0)
	case types.RepString:
		return types.Str("")
	}
	return types.Null
}
