package session

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Large objects are kept in two collections of the database: largeMeta has a document for each, {_id: oid, owner: oid},
// largePages what is in them, {_id: {o: oid, p: page}, d: bytes}. A page that is missing is zeros.
const (
	largeMeta  = "pgmongo.largeobject"
	largePages = "pgmongo.largeobject.page"
	// largePage is how many bytes a page has.
	largePage int64 = 128 << 10
	// largeMax is how large an object may be, as in PostgreSQL.
	largeMax int64 = math.MaxInt32 * 2048
)

// The flags of lo_open.
const (
	invWrite = 0x00020000
	invRead  = 0x00040000
)

// descriptor is an open large object.
type descriptor struct {
	oid  uint32
	mode int32
	pos  int64
}

// large runs f in a statement inside of the present one.
func (r *routines) large(ctx context.Context, write bool, f func(st *txn.Stmt) error) error {
	s := r.s
	if write && s.characteristics().ReadOnly {
		return readOnly("lo_write()")
	}
	if write {
		if err := s.makeLarge(ctx); err != nil {
			return err
		}
	}
	st, err := s.tx.Nested(ctx, r.st, txn.StatementOptions{Write: write})
	if err != nil {
		return err
	}
	return st.Finish(ctx, f(st))
}

// makeLarge makes the collections of large objects, which a transaction cannot.
func (s *Session) makeLarge(ctx context.Context) error {
	if s.largeMade {
		return nil
	}
	for _, name := range []string{largeMeta, largePages} {
		err := s.tx.OutsideOf(ctx, s.start.Database, name, func(ctx context.Context) error {
			return s.eng.Client.CreateCollection(ctx, s.start.Database, name, nil)
		})
		if err != nil && !pgerr.Is(err, pgerr.DuplicateTable) {
			return err
		}
	}
	s.largeMade = true
	return nil
}

func rawValue(v any) (bson.RawValue, error) {
	t, b, err := bson.MarshalValue(v)
	return bson.RawValue{Type: t, Value: b}, err
}

func pageID(oid uint32, page int64) bson.D {
	return bson.D{{Key: "o", Value: int64(oid)}, {Key: "p", Value: page}}
}

// readLarge reads documents of a collection of large objects.
func (s *Session) readLarge(ctx context.Context, st *txn.Stmt, q mongo.Query, f func(bson.Raw) error) error {
	q.Database = s.start.Database
	cur, err := st.Read(ctx, q)
	if err != nil {
		return err
	}
	for {
		doc, err := cur.Next(ctx)
		if errors.Is(err, io.EOF) {
			return cur.Close(ctx)
		}
		if err == nil {
			err = f(doc)
		}
		if err != nil {
			return errors.Join(err, cur.Close(ctx))
		}
	}
}

// meta finds an object's document and checks a privilege on it; 0 asks for the owner's rights.
func (s *Session) meta(ctx context.Context, st *txn.Stmt, oid uint32, p catalog.Privileges) (bson.Raw, error) {
	var out bson.Raw
	err := s.readLarge(ctx, st, mongo.Query{Collection: largeMeta, Filter: bson.D{{Key: "_id", Value: int64(oid)}}, Limit: 1}, func(d bson.Raw) error {
		out = append(bson.Raw(nil), d...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, pgerr.New(pgerr.UndefinedObject, "large object %d does not exist", oid)
	}
	owner := uint32(out.Lookup("owner").AsInt64())
	role := s.last.RoleID(s.User())
	switch {
	case s.last.Owns(role, owner):
	case p == 0:
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "must be owner of large object %d", oid)
	default:
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied for large object %d", oid)
	}
	return out, nil
}

// Create implements expr.LargeObjects.
func (r *routines) Create(ctx context.Context, oid uint32) (uint32, error) {
	s := r.s
	chosen := oid != 0
	err := r.large(ctx, true, func(st *txn.Stmt) error {
		for {
			if !chosen {
				oid = catalog.FirstNormalOID + rand.Uint32N(1<<30)
			}
			_, err := s.meta(ctx, st, oid, 0)
			switch {
			case pgerr.Is(err, pgerr.UndefinedObject):
				doc, err := bson.Marshal(bson.D{{Key: "_id", Value: int64(oid)}, {Key: "owner", Value: int64(s.last.RoleID(s.User()))}})
				if err != nil {
					return err
				}
				return st.Write(ctx, s.start.Database, largeMeta, []mongo.Write{{Kind: mongo.WriteInsert, ID: bson.Raw(doc).Lookup("_id"), Doc: doc}})
			case err != nil && !pgerr.Is(err, pgerr.InsufficientPrivilege):
				return err
			case chosen:
				return pgerr.New(pgerr.UniqueViolation, "duplicate key value violates unique constraint \"pg_largeobject_metadata_oid_index\"").
					WithDetail("Key (oid)=(%d) already exists.", oid).
					WithConstraint("pg_catalog", "pg_largeobject_metadata", "pg_largeobject_metadata_oid_index")
			}
		}
	})
	return oid, err
}

// Unlink implements expr.LargeObjects.
func (r *routines) Unlink(ctx context.Context, oid uint32) error {
	s := r.s
	return r.large(ctx, true, func(st *txn.Stmt) error {
		doc, err := s.meta(ctx, st, oid, 0)
		if err != nil {
			return err
		}
		if err := s.cut(ctx, st, oid, 0); err != nil {
			return err
		}
		for fd, d := range s.descriptors {
			if d.oid == oid {
				delete(s.descriptors, fd)
			}
		}
		return st.Write(ctx, s.start.Database, largeMeta, []mongo.Write{{Kind: mongo.WriteDelete, ID: doc.Lookup("_id"), Before: doc}})
	})
}

// Open implements expr.LargeObjects.
func (r *routines) Open(ctx context.Context, oid uint32, mode int32) (int32, error) {
	s := r.s
	if mode&(invRead|invWrite) == 0 {
		return 0, pgerr.New(pgerr.InvalidParameterValue, "invalid flags for opening a large object: %d", mode)
	}
	p := catalog.Select
	if mode&invWrite != 0 {
		p = catalog.Update
	}
	if err := r.large(ctx, false, func(st *txn.Stmt) error {
		_, err := s.meta(ctx, st, oid, p)
		return err
	}); err != nil {
		return 0, err
	}
	if s.descriptors == nil {
		s.descriptors = map[int32]*descriptor{}
		forget := func(context.Context) { s.descriptors = nil }
		s.tx.OnTransactionEnd(forget, forget)
	}
	fd := int32(0)
	for s.descriptors[fd] != nil {
		fd++
	}
	s.descriptors[fd] = &descriptor{oid: oid, mode: mode}
	return fd, nil
}

func (s *Session) descriptor(fd int32) (*descriptor, error) {
	if d := s.descriptors[fd]; d != nil {
		return d, nil
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "invalid large-object descriptor: %d", fd)
}

// Close implements expr.LargeObjects.
func (r *routines) Close(fd int32) error {
	_, err := r.s.descriptor(fd)
	delete(r.s.descriptors, fd)
	return err
}

// Tell implements expr.LargeObjects.
func (r *routines) Tell(fd int32) (int64, error) {
	d, err := r.s.descriptor(fd)
	if err != nil {
		return 0, err
	}
	return d.pos, nil
}

// Read implements expr.LargeObjects.
func (r *routines) Read(ctx context.Context, fd int32, n int32) ([]byte, error) {
	d, err := r.s.descriptor(fd)
	if err != nil {
		return nil, err
	}
	var out []byte
	err = r.large(ctx, false, func(st *txn.Stmt) (err error) {
		out, err = r.s.bytesOf(ctx, st, d.oid, d.pos, max(int64(n), 0))
		return err
	})
	d.pos += int64(len(out))
	return out, err
}

// Write implements expr.LargeObjects.
func (r *routines) Write(ctx context.Context, fd int32, data []byte) error {
	d, err := r.s.descriptor(fd)
	if err != nil {
		return err
	}
	if d.mode&invWrite == 0 {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "large object descriptor %d was not opened for writing", fd)
	}
	err = r.large(ctx, true, func(st *txn.Stmt) error { return r.s.patch(ctx, st, d.oid, d.pos, data) })
	if err == nil {
		d.pos += int64(len(data))
	}
	return err
}

// Seek implements expr.LargeObjects.
func (r *routines) Seek(ctx context.Context, fd int32, offset int64, whence int32) (int64, error) {
	d, err := r.s.descriptor(fd)
	if err != nil {
		return 0, err
	}
	to := offset
	switch whence {
	case 0:
	case 1:
		to += d.pos
	case 2:
		err = r.large(ctx, false, func(st *txn.Stmt) error {
			n, err := r.s.sizeOf(ctx, st, d.oid)
			to += n
			return err
		})
		if err != nil {
			return 0, err
		}
	default:
		return 0, pgerr.New(pgerr.InvalidParameterValue, "invalid whence setting: %d", whence)
	}
	if to < 0 || to > largeMax {
		return 0, pgerr.New(pgerr.InvalidParameterValue, "invalid large object seek target: %d", to)
	}
	d.pos = to
	return to, nil
}

// Truncate implements expr.LargeObjects.
func (r *routines) Truncate(ctx context.Context, fd int32, size int64) error {
	d, err := r.s.descriptor(fd)
	if err != nil {
		return err
	}
	if d.mode&invWrite == 0 {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "large object descriptor %d was not opened for writing", fd)
	}
	if size < 0 || size > largeMax {
		return pgerr.New(pgerr.InvalidParameterValue, "invalid large object truncation target: %d", size)
	}
	return r.large(ctx, true, func(st *txn.Stmt) error {
		have, err := r.s.sizeOf(ctx, st, d.oid)
		if err != nil {
			return err
		}
		if have < size { // it grows
			return r.s.patch(ctx, st, d.oid, size-1, []byte{0})
		}
		return r.s.cut(ctx, st, d.oid, size)
	})
}

// Get implements expr.LargeObjects.
func (r *routines) Get(ctx context.Context, oid uint32, offset, n int64) (out []byte, err error) {
	err = r.large(ctx, false, func(st *txn.Stmt) error {
		if _, err := r.s.meta(ctx, st, oid, catalog.Select); err != nil {
			return err
		}
		if offset < 0 {
			return pgerr.New(pgerr.InvalidParameterValue, "invalid large object seek target: %d", offset)
		}
		if n < 0 {
			if n, err = r.s.sizeOf(ctx, st, oid); err != nil {
				return err
			}
			if n > 1<<30-5 {
				return pgerr.New(pgerr.ProgramLimitExceeded, "large object read request is too large")
			}
		}
		out, err = r.s.bytesOf(ctx, st, oid, offset, n)
		return err
	})
	return out, err
}

// Put implements expr.LargeObjects.
func (r *routines) Put(ctx context.Context, oid uint32, offset int64, data []byte) error {
	return r.large(ctx, true, func(st *txn.Stmt) error {
		if _, err := r.s.meta(ctx, st, oid, catalog.Update); err != nil {
			return err
		}
		if offset < 0 {
			return pgerr.New(pgerr.InvalidParameterValue, "invalid large object seek target: %d", offset)
		}
		return r.s.patch(ctx, st, oid, offset, data)
	})
}

// pages reads the pages of an object from one to another.
func (s *Session) pages(ctx context.Context, st *txn.Stmt, oid uint32, from, to int64, q mongo.Query, f func(page int64, data []byte, doc bson.Raw) error) error {
	q.Collection = largePages
	q.Filter = bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: pageID(oid, from)}, {Key: "$lte", Value: pageID(oid, to)}}}}
	return s.readLarge(ctx, st, q, func(doc bson.Raw) error {
		_, data := doc.Lookup("d").Binary()
		return f(doc.Lookup("_id", "p").AsInt64(), data, doc)
	})
}

func (s *Session) sizeOf(ctx context.Context, st *txn.Stmt, oid uint32) (size int64, err error) {
	err = s.pages(ctx, st, oid, 0, math.MaxInt64, mongo.Query{Sort: bson.D{{Key: "_id", Value: -1}}, Limit: 1}, func(page int64, data []byte, _ bson.Raw) error {
		size = page*largePage + int64(len(data))
		return nil
	})
	return size, err
}

// bytesOf reads up to n bytes of an object.
func (s *Session) bytesOf(ctx context.Context, st *txn.Stmt, oid uint32, offset, n int64) ([]byte, error) {
	size, err := s.sizeOf(ctx, st, oid)
	if err != nil || offset >= size || n <= 0 {
		return []byte{}, err
	}
	n = min(n, size-offset)
	out := make([]byte, n)
	err = s.pages(ctx, st, oid, offset/largePage, (offset+n-1)/largePage, mongo.Query{}, func(page int64, data []byte, _ bson.Raw) error {
		if at := page*largePage - offset; at >= 0 {
			copy(out[at:], data)
		} else if -at < int64(len(data)) {
			copy(out, data[-at:])
		}
		return nil
	})
	return out, err
}

// patch writes bytes into an object.
func (s *Session) patch(ctx context.Context, st *txn.Stmt, oid uint32, offset int64, data []byte) error {
	end := offset + int64(len(data))
	if end > largeMax {
		return pgerr.New(pgerr.InvalidParameterValue, "invalid large object write request size: %d", len(data))
	}
	if len(data) == 0 {
		return nil
	}
	old := map[int64]bson.Raw{}
	from, to := offset/largePage, (end-1)/largePage
	if err := s.pages(ctx, st, oid, from, to, mongo.Query{}, func(page int64, _ []byte, doc bson.Raw) error {
		old[page] = append(bson.Raw(nil), doc...)
		return nil
	}); err != nil {
		return err
	}
	var writes []mongo.Write
	for page := from; page <= to; page++ {
		start := page * largePage
		lo, hi := max(offset, start), min(end, start+largePage)
		var have []byte
		if doc := old[page]; doc != nil {
			_, have = doc.Lookup("d").Binary()
		}
		now := make([]byte, max(int64(len(have)), hi-start))
		copy(now, have)
		copy(now[lo-start:], data[lo-offset:hi-offset])
		w, err := pageWrite(oid, page, old[page], now)
		if err != nil {
			return err
		}
		writes = append(writes, w)
	}
	return st.Write(ctx, s.start.Database, largePages, writes)
}

func pageWrite(oid uint32, page int64, before bson.Raw, data []byte) (mongo.Write, error) {
	doc, err := bson.Marshal(bson.D{{Key: "_id", Value: pageID(oid, page)}, {Key: "d", Value: bson.Binary{Data: data}}})
	w := mongo.Write{Kind: mongo.WriteInsert, Doc: doc, Before: before}
	if before != nil {
		w.Kind = mongo.WriteReplace
	}
	if err == nil {
		w.ID, err = rawValue(pageID(oid, page))
	}
	return w, err
}

// cut removes what an object has from a size on.
func (s *Session) cut(ctx context.Context, st *txn.Stmt, oid uint32, size int64) error {
	var writes []mongo.Write
	err := s.pages(ctx, st, oid, size/largePage, math.MaxInt64, mongo.Query{}, func(page int64, data []byte, doc bson.Raw) error {
		doc = append(bson.Raw(nil), doc...)
		keep := size - page*largePage
		if keep >= int64(len(data)) {
			return nil
		}
		if keep > 0 {
			w, err := pageWrite(oid, page, doc, append([]byte(nil), data[:keep]...))
			writes = append(writes, w)
			return err
		}
		writes = append(writes, mongo.Write{Kind: mongo.WriteDelete, ID: doc.Lookup("_id"), Before: doc})
		return nil
	})
	if err != nil || len(writes) == 0 {
		return err
	}
	if err := st.Write(ctx, s.start.Database, largePages, writes); err != nil || size == 0 {
		return err
	}
	// The last page may be missing now, and the object must still end at size.
	if n, err := s.sizeOf(ctx, st, oid); err != nil || n == size {
		return err
	}
	return s.patch(ctx, st, oid, size-1, []byte{0})
}

// LargeObjects implements catalog.Live.
func (s *Session) LargeObjects(ctx context.Context) ([]catalog.LargeObject, error) {
	cur, err := s.eng.Client.Read(ctx, mongo.Query{Database: s.start.Database, Collection: largeMeta, Filter: bson.D{}, Sort: bson.D{{Key: "_id", Value: 1}}})
	if err != nil {
		return nil, err
	}
	var out []catalog.LargeObject
	for {
		doc, err := cur.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, cur.Close(ctx)
		}
		if err != nil {
			return nil, errors.Join(err, cur.Close(ctx))
		}
		out = append(out, catalog.LargeObject{OID: uint32(doc.Lookup("_id").AsInt64()), Owner: uint32(doc.Lookup("owner").AsInt64())})
	}
}
