package store

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn"
)

// physical does MongoDB's part of one DDL statement; it implements ddl.Physical.
type physical struct {
	store    *Store
	session  *txn.Session
	stmt     *txn.Stmt
	database string
	// reserved ends the OIDs that the statement may give.
	reserved uint32
}

// Physical returns what does MongoDB's part of one DDL statement of a session: the catalogue's documents are written in
// the session's transaction; what cannot be done in one is done at once and undone by a rollback, or done after commit.
func (s *Store) Physical(session *txn.Session, stmt *txn.Stmt) ddl.Physical {
	return &physical{store: s, session: session, stmt: stmt, database: session.Database()}
}

// NextVersion implements ddl.Physical.
func (p *physical) NextVersion() int64 { return p.store.NextVersion() }

// NextVersion numbers the catalogues that this process sees, committed ones and those of open transactions.
func (s *Store) NextVersion() int64 { return s.versions.Add(1) }

// reserve is how many OIDs a statement may give, so that statements which run at the same time give different ones.
const reserve = 512

// FreeOID implements ddl.Physical.
func (p *physical) FreeOID(next uint32) uint32 {
	for {
		old := p.store.oids.Load()
		first := max(next, old)
		if p.reserved = first + reserve; p.store.oids.CompareAndSwap(old, p.reserved) {
			return first
		}
	}
}

// UsedOIDs implements ddl.Physical.
func (p *physical) UsedOIDs(next uint32) {
	if next < p.reserved && p.store.oids.CompareAndSwap(p.reserved, next) {
		return
	}
	for old := p.store.oids.Load(); old < next; old = p.store.oids.Load() {
		p.store.oids.CompareAndSwap(old, next)
	}
}

// Empty implements ddl.Physical.
func (p *physical) Empty(ctx context.Context, rel *catalog.Relation) (bool, error) {
	doc, err := p.first(ctx, mongo.Query{Database: p.database, Collection: rel.Collection, Filter: bson.D{}, Projection: bson.D{{Key: "_id", Value: 1}}, Limit: 1})
	return doc == nil, err
}

// HoldsObjectIDs implements ddl.Physical.
func (p *physical) HoldsObjectIDs(ctx context.Context, rel *catalog.Relation, path []string) (bool, error) {
	key := strings.Join(path, ".")
	doc, err := p.first(ctx, mongo.Query{Database: p.database, Collection: rel.Collection, Filter: bson.D{{Key: key, Value: bson.D{{Key: "$ne", Value: nil}}}}, Limit: 1})
	if doc == nil || err != nil {
		return false, err
	}
	v, err := doc.LookupErr(path...)
	return err == nil && v.Type == bson.TypeObjectID, nil
}

// first returns the first document of a read in the transaction, nil for none.
func (p *physical) first(ctx context.Context, q mongo.Query) (bson.Raw, error) {
	cursor, err := p.stmt.Read(ctx, q)
	if err != nil {
		return nil, err
	}
	doc, err := cursor.Next(ctx)
	if errors.Is(err, io.EOF) {
		return nil, cursor.Close(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, cursor.Close(ctx))
	}
	return slices.Clone(doc), cursor.Close(ctx)
}

// CollectionTaken implements ddl.Physical.
func (p *physical) CollectionTaken(ctx context.Context, name string) (bool, error) {
	infos, err := p.store.client.Collections(ctx, p.database, bson.D{{Key: "name", Value: name}})
	return len(infos) > 0, err
}

// Apply implements ddl.Physical.
func (p *physical) Apply(ctx context.Context, env *expr.Env, before, after *catalog.Snapshot, work []ddl.Work) error {
	var touched []catalog.Object
	for _, o := range after.Touched() {
		if o.OID < catalog.FirstTempOID {
			touched = append(touched, o)
		}
	}
	creates := p.creates(touched)
	if len(touched) > 0 {
		err := p.store.exists(ctx, p.session, p.database)
		if err == nil && creates {
			err = p.lockNames(ctx, before, after, touched)
		} else if err == nil {
			err = p.lock(ctx, before)
		}
		if err != nil {
			return err
		}
	}
	w := &worker{physical: p, env: env, after: after, fresh: map[string]bool{}, rewritten: map[string]bool{}}
	for _, item := range work {
		if err := w.do(ctx, item); err != nil {
			return err
		}
	}
	if len(touched) == 0 {
		return nil
	}
	if err := p.write(ctx, before, after, touched, w, creates); err != nil {
		return err
	}
	p.session.OnTransactionEnd(func(context.Context) { p.store.adopt(p.database, after, touched) }, nil)
	return nil
}

// lock makes DDL of one database go one at a time: the version document is locked until the transaction ends, and must be
// at the version that the statement's catalogue was read at.
func (p *physical) lock(ctx context.Context, before *catalog.Snapshot) error {
	if err := p.lockID(ctx, versionID, txn.LockUpdate); err != nil {
		return err
	}
	doc, err := p.first(ctx, mongo.Query{Database: p.database, Collection: Collection, Filter: bson.D{{Key: "_id", Value: versionID}}, Limit: 1})
	if err != nil {
		return err
	}
	var have versionDoc
	if doc != nil {
		if err := bson.Unmarshal(doc, &have); err != nil {
			return corrupt(versionID, err)
		}
	}
	if have.V != before.Stored-p.session.Late() {
		p.store.Committed(p.database)
		return txn.Conflict(nil)
	}
	return nil
}

// lockID locks a document of the catalogue, or the name of one that need not be there.
func (p *physical) lockID(ctx context.Context, id string, mode txn.LockMode) error {
	ids := []bson.RawValue{{Type: bson.TypeString, Value: stringValue(id)}}
	_, err := p.stmt.Lock(ctx, p.database, Collection, ids, mode, txn.WaitBlock)
	if err != nil {
		p.store.Committed(p.database)
	}
	return err
}

// creates reports whether a statement changes nothing but tables, views, sequences and schemas that its own transaction has
// made. Others may do the same meanwhile: BEGIN; CREATE TABLE a does not keep another session's CREATE TABLE b waiting.
// Other proxies do not know the names that are locked here.
func (p *physical) creates(touched []catalog.Object) bool {
	version := bson.RawValue{Type: bson.TypeString, Value: stringValue(versionID)}
	if p.session.Manager().Shared() || p.session.Holds(p.database, Collection, version, txn.LockUpdate) {
		return false
	}
	st := p.store.state(p.database)
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.declared != nil && !slices.ContainsFunc(touched, func(o catalog.Object) bool {
		switch o.Kind {
		case catalog.ObjRelation:
			return st.declared.RelationByOID(o.OID) != nil
		case catalog.ObjSchema:
			return st.declared.SchemaByOID(o.OID) != nil
		}
		return true
	})
}

// lockNames keeps the names of what a statement creates from others until the transaction ends, and keeps changes of what
// exists waiting. The catalogue that the statement saw must be the newest one then.
func (p *physical) lockNames(ctx context.Context, before, after *catalog.Snapshot, touched []catalog.Object) error {
	if err := p.lockID(ctx, versionID, txn.LockShare); err != nil {
		return err
	}
	names := map[string]bool{}
	for _, s := range []*catalog.Snapshot{before, after} {
		for _, o := range touched {
			if sc := s.SchemaByOID(o.OID); o.Kind == catalog.ObjSchema && sc != nil {
				names["name:"+sc.Name] = true
			}
			r := s.RelationByOID(o.OID)
			if o.Kind != catalog.ObjRelation || r == nil {
				continue
			}
			names["name:"+r.Schema+"."+r.Name] = true
			for _, ix := range r.Indexes {
				names["name:"+r.Schema+"."+ix.Name] = true
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(names)) {
		if err := p.lockID(ctx, n, txn.LockUpdate); err != nil {
			return err
		}
	}
	have, err := p.store.version(ctx, p.database)
	if err != nil {
		return err
	}
	if have == nil || have.V != before.Stored-p.session.Late() {
		p.store.Committed(p.database)
		return txn.Conflict(nil)
	}
	return nil
}

func stringValue(s string) []byte {
	n := len(s) + 1
	return append(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}, s...), 0)
}

// write puts the changed objects and the new version into the catalogue. The version of what is created beside others changes
// with the commit.
func (p *physical) write(ctx context.Context, before, after *catalog.Snapshot, touched []catalog.Object, w *worker, creates bool) error {
	if err := p.writeShared(ctx, after, touched); err != nil {
		return err
	}
	touched = slices.DeleteFunc(slices.Clone(touched), isShared)
	ids := bson.A{versionID}
	for _, o := range touched {
		ids = append(ids, objectID(o))
	}
	old, err := p.documents(ctx, p.database, ids)
	if err != nil {
		return err
	}
	writes, err := objectWrites(after, touched, old)
	if err != nil {
		return err
	}
	// The jobs that the commit orders begin with it.
	for id, doc := range w.orders {
		writes = append(writes, *replaceWrite(id, nil, doc))
	}
	if creates {
		up, err := bson.Marshal(bson.D{{Key: "$inc", Value: bson.D{{Key: "v", Value: int64(1)}}}, {Key: "$max", Value: bson.D{{Key: "nextOID", Value: int64(after.NextOID)}}}})
		if err != nil {
			return err
		}
		p.session.AtCommit(p.database, Collection, mongo.Write{Kind: mongo.WriteUpdate, ID: bson.RawValue{Type: bson.TypeString, Value: stringValue(versionID)}, Doc: up})
		return p.stmt.Write(ctx, p.database, Collection, writes)
	}
	version, err := bson.Marshal(versionDoc{ID: versionID, V: after.Stored - p.session.Late(), NextOID: int64(after.NextOID)})
	if err != nil {
		return err
	}
	writes = append(writes, *replaceWrite(versionID, old[versionID], version))
	return p.stmt.Write(ctx, p.database, Collection, writes)
}

// objectWrites are the changes of the documents of objects, from what they were to what a snapshot has.
func objectWrites(after *catalog.Snapshot, touched []catalog.Object, old map[string]bson.Raw) ([]mongo.Write, error) {
	var writes []mongo.Write
	for _, o := range touched {
		id := objectID(o)
		doc, err := encode(after, o)
		if err != nil {
			return nil, err
		}
		if w := replaceWrite(id, old[id], doc); w != nil {
			writes = append(writes, *w)
		}
	}
	return writes, nil
}

// isShared reports whether an object belongs to the whole cluster.
func isShared(o catalog.Object) bool {
	return o.Kind == catalog.ObjRole || o.Kind == catalog.ObjDatabase
}

// writeShared writes changed roles and databases to the database that holds those of the whole cluster.
func (p *physical) writeShared(ctx context.Context, after *catalog.Snapshot, touched []catalog.Object) error {
	var ids bson.A
	var shared []catalog.Object
	for _, o := range touched {
		if isShared(o) {
			ids, shared = append(ids, objectID(o)), append(shared, o)
		}
	}
	if len(shared) == 0 {
		return nil
	}
	old, err := p.documents(ctx, rolesDatabase, ids)
	if err != nil {
		return err
	}
	writes, err := objectWrites(after, shared, old)
	if err != nil {
		return err
	}
	return p.stmt.Write(ctx, rolesDatabase, Collection, writes)
}

// replaceWrite changes a document from one state to another; nil when there is nothing to do.
func replaceWrite(id string, old, doc bson.Raw) *mongo.Write {
	w := &mongo.Write{ID: bson.RawValue{Type: bson.TypeString, Value: stringValue(id)}, Before: old, Doc: doc}
	switch {
	case old == nil && doc == nil:
		return nil
	case old == nil:
		w.Kind = mongo.WriteInsert
	case doc == nil:
		w.Kind = mongo.WriteDelete
	default:
		w.Kind = mongo.WriteReplace
	}
	return w
}

// documents reads catalogue documents of a database by _id in the transaction.
func (p *physical) documents(ctx context.Context, database string, ids bson.A) (map[string]bson.Raw, error) {
	cursor, err := p.stmt.Read(ctx, mongo.Query{Database: database, Collection: Collection, Filter: bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}})
	if err != nil {
		return nil, err
	}
	out := map[string]bson.Raw{}
	for {
		doc, err := cursor.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, cursor.Close(ctx)
		}
		if err != nil {
			return nil, errors.Join(err, cursor.Close(ctx))
		}
		out[doc.Lookup("_id").StringValue()] = slices.Clone(doc)
	}
}

// exists makes the catalogue of a database that has none. It happens outside the transaction, since a transaction does not
// see collections that are newer than itself.
func (s *Store) exists(ctx context.Context, session *txn.Session, database string) error {
	if v, err := s.version(ctx, database); v != nil || err != nil {
		return err
	}
	return session.Outside(ctx, func(ctx context.Context) error {
		_, err := s.client.FindAndModify(ctx, database, Collection, versionID,
			bson.D{{Key: "$setOnInsert", Value: bson.D{{Key: "v", Value: int64(0)}, {Key: "nextOID", Value: int64(catalog.FirstNormalOID)}}}}, false)
		return err
	})
}

// Rebase puts what a transaction has made so far (touched, as overlay shows it) over a newer catalogue; nil when what was
// touched is of a kind that others cannot have changed the catalogue beside.
func (s *Store) Rebase(newer, overlay *catalog.Snapshot, touched []catalog.Object, late int64) *catalog.Snapshot {
	c := newer.Change()
	for _, o := range touched {
		if !adoptObject(c, overlay, o) {
			return nil
		}
	}
	for _, o := range touched {
		if r := c.Snapshot().RelationByOID(o.OID); o.Kind == catalog.ObjRelation && r != nil {
			if n := r.WithTypesOf(c.Snapshot()); n != r {
				c.PutRelation(n)
			}
		}
	}
	c.SetStored(newer.Stored+late, max(newer.NextOID, overlay.NextOID))
	c.SetVersion(s.NextVersion())
	return c.Done()
}

// adopt takes committed changes over from the session that made them, which saves reading the catalogue again. Where a
// column's type would be another object than the one that the catalogue has, the catalogue is read again instead.
func (s *Store) adopt(database string, after *catalog.Snapshot, touched []catalog.Object) {
	if slices.ContainsFunc(touched, isShared) {
		s.lookAgain()
	}
	st := s.state(database)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.checked = noTime
	if st.declared == nil || st.declared.Stored+1 != after.Stored {
		return
	}
	c := st.declared.Change()
	for _, o := range touched {
		if !adoptObject(c, after, o) {
			return
		}
	}
	c.SetStored(after.Stored, after.NextOID)
	declared := c.Done()
	for _, o := range touched {
		if r := declared.RelationByOID(o.OID); o.Kind == catalog.ObjRelation && r != nil && !sameTypes(declared, r) {
			return
		}
		if f := declared.FunctionByOID(o.OID); o.Kind == catalog.ObjFunction && f != nil && !sameSignature(declared, f) {
			return
		}
	}
	st.declared, st.visible = declared, nil
}

// lookAgain makes the next Snapshot of every database look.
func (s *Store) lookAgain() {
	s.mu.Lock()
	names := sortedKeys(s.databases)
	s.mu.Unlock()
	for _, n := range names {
		s.Committed(n)
	}
}

func sameTypes(s *catalog.Snapshot, r *catalog.Relation) bool {
	return !slices.ContainsFunc(r.Columns, func(c *catalog.Column) bool { return s.TypeByOID(c.Type.OID) != c.Type })
}

// sameSignature says that a function's types are those of the snapshot: a table whose columns changed has a new row type.
func sameSignature(s *catalog.Snapshot, f *catalog.Function) bool {
	return s.TypeByOID(f.Ret.OID) == f.Ret &&
		!slices.ContainsFunc(f.Args, func(a catalog.FunctionArg) bool { return s.TypeByOID(a.Type.OID) != a.Type })
}

func adoptObject(c *catalog.Change, after *catalog.Snapshot, o catalog.Object) bool {
	switch o.Kind {
	case catalog.ObjRelation:
		r := after.RelationByOID(o.OID)
		if r == nil {
			c.RemoveRelation(o.OID)
			return true
		}
		c.PutRelation(r)
	case catalog.ObjSchema:
		x := after.SchemaByOID(o.OID)
		if x == nil {
			c.RemoveSchema(o.OID)
			return true
		}
		c.PutSchema(x)
	case catalog.ObjFunction:
		x := after.FunctionByOID(o.OID)
		if x == nil {
			c.RemoveFunction(o.OID)
			return true
		}
		c.PutFunction(x)
	default:
		return false // read again: rare
	}
	return true
}
