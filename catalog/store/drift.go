package store

import (
	"context"
	"slices"
	"time"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/infer"
	"github.com/pgmongo/pgmongo/types"
)

// The schema pgmongo has its OIDs below those of databases' own objects: pg_dump leaves it out, as part of an extension that the
// server came with.
const (
	ownSchema    uint32 = 9900
	ownExtension uint32 = 9901
	driftView    uint32 = 9902
	driftRow     uint32 = 9903
	driftArray   uint32 = 9904
)

// maxMet bounds how many misfits that queries met are remembered for a database.
const maxMet = 1000

// putOwn adds the schema pgmongo to a database with collections of others.
func (s *Store) putOwn(c *catalog.Change) {
	if c.Snapshot().SchemaByName("pgmongo") != nil {
		return // a program has made one of its own
	}
	c.PutSchema(&catalog.Schema{
		OID: ownSchema, Name: "pgmongo", Owner: catalog.BootstrapRole, Comment: "what pgmongo knows of collections that native programs own",
		ACL: catalog.ACL{{Grantee: catalog.Public, Grantor: catalog.BootstrapRole, Held: catalog.Usage}},
	})
	e := &catalog.Extension{OID: ownExtension, Name: "pgmongo", Version: "1.0", SchemaID: ownSchema, Comment: "views of the server itself"}
	c.PutExtension(e)
	r := &catalog.Relation{
		OID: driftView, SchemaID: ownSchema, Schema: "pgmongo", Name: "schema_drift", Kind: catalog.KindView, Owner: catalog.BootstrapRole, Persistence: 'p',
		RowType: driftRow, Array: driftArray, Comment: "fields and types that documents have and no column takes", Virtual: &catalog.Virtual{Rows: s.driftRows},
		ReadOnly: true, ACL: catalog.ACL{{Grantee: catalog.Public, Grantor: catalog.BootstrapRole, Held: catalog.Select}},
	}
	for i, x := range []struct {
		name string
		t    *types.T
	}{
		{"table_name", types.TextT},
		{"field", types.TextT},
		{"bson_type", types.TextT},
		{"column_name", types.TextT},
		{"column_type", types.TextT},
		{"documents", types.Int8T},
		{"sampled", types.Int8T},
		{"example", types.TextT},
		{"document_id", types.TextT},
		{"last_seen", types.TimestampTZT},
	} {
		r.Columns = append(r.Columns, &catalog.Column{Attnum: int16(i + 1), Name: x.name, Type: x.t, Typmod: -1, Collation: x.t.Collation})
	}
	c.PutRelation(r)
	for _, oid := range []uint32{ownSchema, driftView, driftRow, driftArray} {
		c.PutMember(e, oid)
	}
}

// driftRows are the rows of pgmongo.schema_drift.
func (s *Store) driftRows(ctx context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	list, err := s.Drift(ctx, v.Snapshot, false)
	if err != nil {
		return err
	}
	text := func(s string) types.Datum {
		if s == "" {
			return types.Null
		}
		return types.Str(s)
	}
	for _, d := range list {
		seen, _ := types.JoinMicros(d.LastSeen.UnixMilli(), 0)
		row := []types.Datum{
			text(d.Table), types.Str(d.Field), text(d.BSONType), text(d.Column), text(d.ColumnType), types.Int(d.Documents), types.Int(d.Sampled),
			text(d.Example), text(d.ID), types.Int(seen),
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

// Drift compares the tables of the collections of others with a sample of their documents, or all of them, and with what queries met.
func (s *Store) Drift(ctx context.Context, snap *catalog.Snapshot, whole bool) ([]catalog.Drift, error) {
	infos, err := s.client.Collections(ctx, snap.Database, nil)
	if err != nil {
		return nil, err
	}
	tables := map[string][]*catalog.Relation{}
	snap.EachRelation(func(r *catalog.Relation) bool {
		if r.Native {
			tables[r.Collection] = append(tables[r.Collection], r)
		}
		return true
	})
	var out []catalog.Drift
	for _, info := range infos {
		if len(tables[info.Name]) == 0 {
			continue
		}
		found, err := infer.Drift(ctx, s.client, snap.Database, info, tables[info.Name], whole)
		if err != nil {
			return nil, err
		}
		for _, d := range s.met(snap.Database, info.Name) {
			same := func(o catalog.Drift) bool {
				return o.Table == d.Table && o.Field == d.Field && o.BSONType == d.BSONType
			}
			if !slices.ContainsFunc(found, same) && current(tables[info.Name], d) {
				found = append(found, d)
			}
		}
		out = append(out, found...)
	}
	return out, nil
}

// current reports whether the column that a value did not fit still is of that type.
func current(tables []*catalog.Relation, d catalog.Drift) bool {
	return slices.ContainsFunc(tables, func(r *catalog.Relation) bool {
		c := r.Column(d.Column)
		return r.Name == d.Table && c != nil && types.FormatType(c.Type, c.Typmod) == d.ColumnType
	})
}

// Met notes a stored value that a query met and that does not fit its column. A number widens an inferred column of numbers.
func (s *Store) Met(database string, d catalog.Drift) {
	st := s.state(database)
	st.mu.Lock()
	defer st.mu.Unlock()
	key := metKey{d.Table, d.Field, d.BSONType}
	if old, ok := st.drift[key]; ok {
		d.Documents += old.Documents
		d.Sampled = d.Documents
	} else if len(st.drift) >= maxMet {
		return
	}
	if len(d.Example) > 200 {
		d.Example = d.Example[:200]
	}
	d.LastSeen = time.Now()
	if st.drift == nil {
		st.drift = map[metKey]catalog.Drift{}
	}
	st.drift[key] = d
	if i := st.inferred[d.Collection]; i != nil && i.found.Widen(d.Field, d.BSONType) {
		i.at = noTime
		st.checked, st.listed = noTime, noTime
	}
}

// metKey tells the misfits that queries met apart.
type metKey struct{ table, field, kind string }

func (s *Store) met(database, collection string) []catalog.Drift {
	st := s.state(database)
	st.mu.Lock()
	defer st.mu.Unlock()
	var out []catalog.Drift
	for _, k := range sortedMet(st.drift) {
		if d := st.drift[k]; d.Collection == collection {
			out = append(out, d)
		}
	}
	return out
}

func sortedMet(m map[metKey]catalog.Drift) []metKey {
	keys := make([]metKey, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b metKey) int {
		return slices.Compare([]string{a.table, a.field, a.kind}, []string{b.table, b.field, b.kind})
	})
	return keys
}
