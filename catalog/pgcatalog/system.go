// Package pgcatalog shows a database as PostgreSQL's system catalogues: the relations of pg_catalog and
// information_schema with their true OIDs and columns, the rows of their tables, the functions that read them, and the
// names behind the reg* types.
package pgcatalog

import (
	"context"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/infoschema"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
)

// System returns the system schemas' relations, ready for snapshots to fall back on.
func System() *catalog.System { return catalog.NewSystem(Relations()) }

// Relations builds every relation of pg_catalog and information_schema that PostgreSQL has: tables (and those views whose
// rows are state of the server) as virtual tables, the other views as SQL text.
func Relations() []*catalog.Relation {
	rels, byName := skeleton()
	for _, t := range tables() {
		r := byName[t.name]
		if r == nil {
			panic("pgcatalog: no relation " + t.name)
		}
		r.Virtual = t.virtual(r)
	}
	for name, text := range views() {
		byName["pg_catalog."+name].View = text
	}
	for name, text := range infoschema.Views() {
		byName["information_schema."+name].View = text
	}
	for _, r := range rels {
		if r.Virtual == nil && r.View == "" {
			r.Virtual = &catalog.Virtual{Rows: noRows}
		}
	}
	return rels
}

// noRows is the content of what cannot exist here: foreign servers, publications, replication slots ...
func noRows(context.Context, *catalog.View, *catalog.Key, func([]types.Datum) error) error {
	return nil
}

// skeleton makes the relations with their columns, indexes and constraints from the dump, by schema-qualified name too.
func skeleton() ([]*catalog.Relation, map[string]*catalog.Relation) {
	var rels []*catalog.Relation
	byName, byOID := map[string]*catalog.Relation{}, map[uint32]*catalog.Relation{}
	f := newCells("pg_class")
	indexNames := map[uint32]string{}
	for _, row := range f.Rows {
		c := f.row(row)
		if c.str("relkind") == "i" {
			indexNames[c.oid("oid")] = c.str("relname")
			continue
		}
		r := &catalog.Relation{
			OID: c.oid("oid"), SchemaID: c.oid("relnamespace"), Schema: schemaName(c.oid("relnamespace")), Name: c.str("relname"),
			Kind: catalog.RelKind(c.str("relkind")[0]), Owner: catalog.BootstrapRole, Persistence: 'p', RowType: c.oid("reltype"),
		}
		if t := types.ByOID(r.RowType); t != nil {
			r.Array = t.ArrayOID
		}
		if acl, ok := extra("pg_class", c.str("oid"), "relacl"); ok {
			r.ACL = catalog.BuiltinACL(splitArray(acl))
		}
		rels = append(rels, r)
		byName[r.Schema+"."+r.Name], byOID[r.OID] = r, r
	}
	addColumns(byOID)
	addIndexes(byOID, indexNames)
	return rels, byName
}

func schemaName(oid uint32) string {
	if oid == catalog.InfoSchemaOID {
		return "information_schema"
	}
	return "pg_catalog"
}

func addColumns(byOID map[uint32]*catalog.Relation) {
	f := newCells("pg_attribute")
	for _, row := range f.Rows {
		c := f.row(row)
		r := byOID[c.oid("attrelid")]
		if r == nil {
			continue // an index's
		}
		mod, _ := strconv.Atoi(c.str("atttypmod"))
		col := &catalog.Column{
			Attnum: int16(len(r.Columns) + 1), Name: c.str("attname"), Type: types.ByOID(c.oid("atttypid")), Typmod: int32(mod),
			NotNull: c.str("attnotnull") == "t", Collation: c.oid("attcollation"),
		}
		r.Columns = append(r.Columns, col)
	}
}

func addIndexes(byOID map[uint32]*catalog.Relation, names map[uint32]string) {
	f := newCells("pg_index")
	for _, row := range f.Rows {
		c := f.row(row)
		r := byOID[c.oid("indrelid")]
		if r == nil {
			continue
		}
		ix := &catalog.Index{OID: c.oid("indexrelid"), Name: names[c.oid("indexrelid")], Method: "btree", Unique: c.str("indisunique") == "t", Primary: c.str("indisprimary") == "t"}
		keys, classes := strings.Fields(c.str("indkey")), strings.Fields(c.str("indclass"))
		colls, options := strings.Fields(c.str("indcollation")), strings.Fields(c.str("indoption"))
		for i, k := range keys {
			att, _ := strconv.Atoi(k)
			opt, _ := strconv.Atoi(options[i])
			ix.Keys = append(ix.Keys, catalog.IndexKey{Attnum: int16(att), OpClass: atoid(classes[i]), Collation: atoid(colls[i]), Desc: opt&1 != 0, NullsFirst: opt&2 != 0})
		}
		r.Indexes = append(r.Indexes, ix)
	}
	con := newCells("pg_constraint")
	for _, row := range con.Rows {
		c := con.row(row)
		r := byOID[c.oid("conrelid")]
		if r == nil {
			continue
		}
		k := &catalog.Constraint{OID: c.oid("oid"), Name: c.str("conname"), Type: c.str("contype")[0], Index: c.oid("conindid")}
		for _, a := range splitArray(c.str("conkey")) {
			att, _ := strconv.Atoi(a)
			k.Columns = append(k.Columns, int16(att))
		}
		r.Constraints = append(r.Constraints, k)
	}
}

// cells reads a dumped catalogue by column name.
type cells struct {
	*facts.Table
	pos map[string]int
}

type cellRow struct {
	t   *cells
	row []string
}

func newCells(name string) *cells {
	t := &cells{Table: facts.Load(name), pos: map[string]int{}}
	for i, c := range t.Columns {
		t.pos[c] = i
	}
	return t
}

func (t *cells) row(r []string) cellRow      { return cellRow{t, r} }
func (t *cells) has(name string) (int, bool) { i, ok := t.pos[name]; return i, ok }
func (c cellRow) str(name string) string     { return c.row[c.t.Col(name)] }
func (c cellRow) oid(name string) uint32     { return atoid(c.row[c.t.Col(name)]) }

func atoid(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

// splitArray splits the text form of a one-dimensional array without quoted commas.
func splitArray(s string) []string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}")
	if s == "" {
		return nil
	}
	var out []string
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteByte(s[i])
		}
	}
	return append(out, b.String())
}
