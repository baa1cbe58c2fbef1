package store

import (
	"context"
	"errors"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// rolesDatabase holds in its catalogue the roles of the whole cluster, and what is said of databases.
const rolesDatabase = "postgres"

// readShared reads the documents of roles and databases; the key changes when one of them does.
func (s *Store) readShared(ctx context.Context) (docs []bson.Raw, key string, err error) {
	cursor, err := s.client.Read(ctx, mongo.Query{
		Database: rolesDatabase, Collection: Collection, Sort: bson.D{{Key: "_id", Value: 1}},
		Filter: bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: string(rune(catalog.ObjRole))}, {Key: "$lt", Value: string(rune(catalog.ObjDatabase + 1))}}}},
	})
	if err != nil {
		return nil, "", err
	}
	var all []byte
	for {
		doc, err := cursor.Next(ctx)
		if errors.Is(err, io.EOF) {
			return docs, string(all), cursor.Close(ctx)
		}
		if err != nil {
			return nil, "", errors.Join(err, cursor.Close(ctx))
		}
		docs, all = append(docs, doc), append(all, doc...)
	}
}

// load reads a database's whole catalogue onto a fresh snapshot. One cursor reads it, so that it sees one state.
func (s *Store) load(ctx context.Context, database string, shared []bson.Raw) (*catalog.Snapshot, []jobDoc, error) {
	cursor, err := s.client.Read(ctx, mongo.Query{Database: database, Collection: Collection, Filter: bson.D{}})
	if err != nil {
		return nil, nil, err
	}
	var jobs []jobDoc
	byKind := map[byte][]bson.Raw{}
	version := versionDoc{NextOID: int64(catalog.FirstNormalOID)}
	for {
		doc, err := cursor.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, errors.Join(err, cursor.Close(ctx))
		}
		id, _ := doc.Lookup("_id").StringValueOK()
		if id == versionID {
			if err := bson.Unmarshal(doc, &version); err != nil {
				return nil, nil, corrupt(id, err)
			}
			continue
		}
		if isJob(id) {
			var j jobDoc
			if err := bson.Unmarshal(doc, &j); err != nil {
				return nil, nil, corrupt(id, err)
			}
			jobs = append(jobs, j)
			continue
		}
		if id != "" {
			byKind[id[0]] = append(byKind[id[0]], doc)
		}
	}
	if err := cursor.Close(ctx); err != nil {
		return nil, nil, err
	}
	delete(byKind, byte(catalog.ObjRole))
	delete(byKind, byte(catalog.ObjDatabase))
	for _, doc := range shared {
		kind := doc.Lookup("_id").StringValue()[0]
		byKind[kind] = append(byKind[kind], doc)
	}
	base := catalog.New(database, databaseOID(database), s.sys)
	l := loader{change: base.Change(), types: map[uint32]*typeDoc{}}
	if err := l.load(byKind); err != nil {
		return nil, nil, err
	}
	l.change.SetStored(version.V, max(catalog.FirstNormalOID, uint32(version.NextOID)))
	l.change.SetVersion(s.NextVersion())
	return l.change.Done(), jobs, nil
}

// readJobs reads the job documents of a database.
func (s *Store) readJobs(ctx context.Context, database string) ([]jobDoc, error) {
	cursor, err := s.client.Read(ctx, mongo.Query{
		Database: database, Collection: Collection,
		Filter: bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: jobPrefix}, {Key: "$lt", Value: "job;"}}}},
	})
	if err != nil {
		return nil, err
	}
	var jobs []jobDoc
	for {
		doc, err := cursor.Next(ctx)
		if errors.Is(err, io.EOF) {
			return jobs, cursor.Close(ctx)
		}
		if err != nil {
			return nil, errors.Join(err, cursor.Close(ctx))
		}
		var j jobDoc
		if err := bson.Unmarshal(doc, &j); err != nil {
			return nil, errors.Join(corrupt("job", err), cursor.Close(ctx))
		}
		jobs = append(jobs, j)
	}
}

func corrupt(id string, err error) error {
	return pgerr.New(pgerr.DataCorrupted, "catalogue document %q cannot be read: %w", id, err)
}

// loader puts documents into a snapshot in the order of their dependencies.
type loader struct {
	change *catalog.Change
	types  map[uint32]*typeDoc
}

func (l *loader) load(byKind map[byte][]bson.Raw) error {
	steps := []struct {
		kind catalog.ObjectKind
		put  func(bson.Raw) error
	}{
		{catalog.ObjSchema, plain(func(x *catalog.Schema) { l.change.PutSchema(x) })},
		{catalog.ObjRole, plain(func(x *catalog.Role) { l.change.PutRole(x) })},
		{catalog.ObjDatabase, plain(func(x *catalog.Database) { l.change.PutDatabase(x) })},
		{catalog.ObjCollation, plain(func(x *catalog.Collation) { l.change.PutCollation(x) })},
		{catalog.ObjDefaults, plain(func(x *catalog.DefaultPrivileges) { l.change.PutDefaults(x) })},
		{catalog.ObjExtension, plain(func(x *catalog.Extension) { l.change.PutExtension(x) })},
		{catalog.ObjType, l.noteType},
	}
	for _, st := range steps {
		for _, doc := range byKind[byte(st.kind)] {
			if err := st.put(doc); err != nil {
				return corrupt(doc.Lookup("_id").StringValue(), err)
			}
		}
	}
	for oid := range l.types {
		l.putType(oid)
	}
	return l.loadRelations(byKind)
}

// loadRelations puts relations, those first that others' columns are typed by: a column may be of a table's row type.
func (l *loader) loadRelations(byKind map[byte][]bson.Raw) error {
	pending := byKind[byte(catalog.ObjRelation)]
	for len(pending) > 0 {
		var later []bson.Raw
		for _, doc := range pending {
			ok, err := l.putRelation(doc)
			if err != nil {
				return corrupt(doc.Lookup("_id").StringValue(), err)
			}
			if !ok {
				later = append(later, doc)
			}
		}
		if len(later) == len(pending) {
			return corrupt(later[0].Lookup("_id").StringValue(), errors.New("a column's type does not exist"))
		}
		pending = later
	}
	for oid := range l.types {
		l.putType(oid)
	}
	for _, d := range l.types {
		return corrupt(d.ID, errors.New("a type that it is made of does not exist"))
	}
	for _, doc := range byKind[byte(catalog.ObjFunction)] {
		if err := l.putFunction(doc); err != nil {
			return corrupt(doc.Lookup("_id").StringValue(), err)
		}
	}
	for _, doc := range byKind[byte(catalog.ObjCast)] {
		if err := l.putCast(doc); err != nil {
			return corrupt(doc.Lookup("_id").StringValue(), err)
		}
	}
	return nil
}

func (l *loader) putCast(doc bson.Raw) error {
	var d castDoc
	if err := bson.Unmarshal(doc, &d); err != nil {
		return err
	}
	x := d.Cast
	if x.Source, x.Target = l.typ(d.Source), l.typ(d.Target); x.Source == nil || x.Target == nil {
		return errors.New("a type of the cast does not exist")
	}
	l.change.PutCast(&x)
	return nil
}

func plain[T any](put func(*T)) func(bson.Raw) error {
	return func(doc bson.Raw) error {
		var d plainDoc[T]
		if err := bson.Unmarshal(doc, &d); err != nil {
			return err
		}
		put(&d.Object)
		return nil
	}
}

func (l *loader) noteType(doc bson.Raw) error {
	var d typeDoc
	if err := bson.Unmarshal(doc, &d); err != nil {
		return err
	}
	l.types[d.Type.OID] = &d
	return nil
}

// typ returns a type, putting it first when it is one of this database's; nil for OID 0 and for what does not exist yet.
func (l *loader) typ(oid uint32) *types.T {
	if oid == 0 {
		return nil
	}
	l.putType(oid)
	return l.change.Snapshot().TypeByOID(oid)
}

// putType puts a type of this database, unless it is put already or made of one that does not exist yet: a domain may be
// over the row type of a table, which comes with the table.
func (l *loader) putType(oid uint32) {
	d := l.types[oid]
	if d == nil {
		return
	}
	t := d.Type
	for _, part := range []struct {
		oid uint32
		to  **types.T
	}{{d.Elem, &t.Elem}, {d.Base, &t.Base}, {d.Subtype, &t.Subtype}, {d.RangeOf, &t.RangeOf}} {
		if *part.to = l.typ(part.oid); *part.to == nil && part.oid != 0 {
			return
		}
	}
	for _, f := range d.Fields {
		field := types.Field{Name: f.Name, Type: l.typ(f.Type), Typmod: f.Typmod, Dropped: f.Dropped}
		if field.Type == nil && f.Type != 0 {
			return
		}
		t.Fields = append(t.Fields, field)
	}
	delete(l.types, oid)
	l.change.PutType(&t, d.Info)
}

func (l *loader) putRelation(doc bson.Raw) (bool, error) {
	var d relationDoc
	if err := bson.Unmarshal(doc, &d); err != nil {
		return false, err
	}
	r := d.Relation
	for i := range d.Columns {
		cd := &d.Columns[i]
		c := cd.Column
		if c.Type = l.typ(cd.Type); c.Type == nil {
			return false, nil
		}
		if cd.Missing.Type != 0 {
			v, err := types.FromBSON(c.Type, cd.Missing)
			if err != nil {
				return false, err
			}
			if cd.Micros != 0 {
				v = types.Int(v.Int() + int64(cd.Micros))
			}
			c.Missing = v
		}
		r.Columns = append(r.Columns, &c)
	}
	if d.Sequence != nil {
		q := d.Sequence.Sequence
		q.Type = l.typ(d.Sequence.Type)
		r.Sequence = &q
	}
	l.change.PutRelation(&r)
	return true, nil
}

func (l *loader) putFunction(doc bson.Raw) error {
	var d functionDoc
	if err := bson.Unmarshal(doc, &d); err != nil {
		return err
	}
	f := d.Function
	f.Ret = l.typ(d.Ret)
	for _, a := range d.Args {
		arg := a.Arg
		arg.Type = l.typ(a.Type)
		f.Args = append(f.Args, arg)
	}
	l.change.PutFunction(&f)
	return nil
}
