package infer

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types"
)

// maxExample bounds the examples of values, in bytes.
const maxExample = 200

// Drift samples a collection, or reads all of it, and returns what its tables have no column for, ordered by table and field. tables are
// the table of the documents and those of arrays in them.
func Drift(ctx context.Context, client *mongo.Client, database string, info mongo.CollectionInfo, tables []*catalog.Relation, whole bool) ([]catalog.Drift, error) {
	d := drift{now: time.Now(), found: map[driftKey]*catalog.Drift{}, columns: map[string]*place{}}
	for _, t := range tables {
		for _, c := range t.Live() {
			path := strings.Join(c.Path, "\x00")
			if c.Form == catalog.FormOrdinal {
				continue
			}
			if len(t.Unwind) > 0 && (len(c.Path) <= len(t.Unwind)) {
				continue // the parent's key
			}
			d.place(path).column, d.place(path).table = c, t
			for n := 1; n < len(c.Path); n++ {
				d.place(strings.Join(c.Path[:n], "\x00")).inner = true
			}
		}
		if len(t.Unwind) > 0 {
			d.place(strings.Join(t.Unwind, "\x00")).elements = t
		} else {
			d.root = t
		}
	}
	if d.root == nil {
		return nil, nil
	}
	err := sample(ctx, client, database, info, whole, func(doc bson.Raw) {
		d.sampled++
		d.doc = doc
		d.walk(d.root, nil, doc, 0)
	})
	var out []catalog.Drift
	for _, x := range d.found {
		x.Sampled = d.sampled
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b catalog.Drift) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Field, b.Field), cmp.Compare(a.BSONType, b.BSONType))
	})
	return out, err
}

type driftKey struct{ table, field, kind string }

// place is what is known of a path.
type place struct {
	column   *catalog.Column
	table    *catalog.Relation
	inner    bool              // columns are below it
	elements *catalog.Relation // the table of the array's elements
}

type drift struct {
	now     time.Time
	root    *catalog.Relation
	columns map[string]*place
	found   map[driftKey]*catalog.Drift
	sampled int64
	doc     bson.Raw
}

func (d *drift) place(path string) *place {
	p := d.columns[path]
	if p == nil {
		p = &place{}
		d.columns[path] = p
	}
	return p
}

func (d *drift) walk(t *catalog.Relation, path []string, doc bson.Raw, depth int) {
	elems, err := doc.Elements()
	if err != nil {
		return
	}
	for _, e := range elems {
		d.value(t, append(path[:len(path):len(path)], e.Key()), e.Value(), depth)
	}
}

// value looks at one field. What is in a jsonb column is reached through it, unless columns of its own show its neighbours.
func (d *drift) value(t *catalog.Relation, path []string, v bson.RawValue, depth int) {
	if v.Type == bson.TypeNull || v.Type == bson.TypeUndefined || len(path) == 1 && path[0] == mongo.LockField {
		return
	}
	p := d.columns[strings.Join(path, "\x00")]
	switch {
	case p == nil || p.column == nil && !p.inner:
		if depth == 0 || addressable(path[len(path)-1]) && depth <= maxDepth {
			d.note(t, path, v, nil)
		}
		return
	case p.column != nil && !fits(p.column, v):
		d.note(t, path, v, p.column)
	}
	if v.Type == bson.TypeEmbeddedDocument && p.inner && p.elements == nil {
		d.walk(t, path, v.Document(), depth+1)
	}
	if v.Type == bson.TypeArray && p.elements != nil {
		vals, err := v.Array().Values()
		if err != nil {
			return
		}
		for _, e := range vals {
			if doc, ok := e.DocumentOK(); ok {
				d.walk(p.elements, path, doc, 0)
			}
		}
	}
}

// fits reports whether a column reads a value.
func fits(c *catalog.Column, v bson.RawValue) bool {
	switch {
	case c.Form == catalog.FormAny:
		return true
	case c.Form == catalog.FormObjectID || v.Type == bson.TypeObjectID:
		return c.Form == catalog.FormObjectID && v.Type == bson.TypeObjectID || c.Type == types.JSONBT
	}
	_, err := types.FromBSON(c.Type, v)
	return err == nil
}

func (d *drift) note(t *catalog.Relation, path []string, v bson.RawValue, c *catalog.Column) {
	x := catalog.Drift{Table: t.Name, Collection: t.Collection, Field: strings.Join(path, "."), BSONType: types.BSONTypeName(v.Type)}
	key := driftKey{x.Table, x.Field, x.BSONType}
	if have := d.found[key]; have != nil {
		have.Documents++
		return
	}
	x.Documents, x.LastSeen = 1, d.now
	x.Example = Example(v)
	if id, err := d.doc.LookupErr("_id"); err == nil {
		x.ID = Example(id)
	}
	if c != nil {
		x.Column, x.ColumnType = c.Name, types.FormatType(c.Type, c.Typmod)
	}
	d.found[key] = &x
}

// Example shows a value in extended JSON, shortened.
func Example(v bson.RawValue) string {
	s := v.String()
	if len(s) > maxExample {
		s = strings.ToValidUTF8(s[:maxExample], "") + "..."
	}
	return s
}
