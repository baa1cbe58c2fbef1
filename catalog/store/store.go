package store

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/infer"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn/cluster"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// How long what was read is believed: the version document is looked at again after freshFor, which bounds how late
// another proxy's DDL shows, the list of collections after listedFor, and an inferred schema after inferredFor, or at once when a small collection's size changed.
const (
	freshFor      = 250 * time.Millisecond
	listedFor     = time.Second
	inferredFor   = time.Minute
	smallDocument = 1000
)

// Store gives the committed catalogue of each database of one MongoDB deployment. It is safe for concurrent use.
type Store struct {
	client *mongo.Client
	sys    *catalog.System
	member *cluster.Member
	// inUse counts the sessions in a database, for DROP DATABASE.
	inUse    func(database string) int
	versions atomic.Int64
	// oids is the first OID that DDL through this process has not used in any database.
	oids atomic.Uint32

	mu        sync.Mutex
	databases map[string]*state
	pending   []*pendingIndex
}

// state is what is known of one database.
type state struct {
	mu       sync.Mutex
	declared *catalog.Snapshot // what DDL made
	visible  *catalog.Snapshot // with the collections of others
	checked  time.Time
	listed   time.Time // when the collections were last listed
	inferred map[string]*inference
	jobs     []jobDoc
	shared   string // the bytes of the documents of roles and databases
	drift    map[metKey]catalog.Drift
}

// inference is the schema of a collection that others own.
type inference struct {
	uuid  string
	count int64
	at    time.Time
	found *infer.Collection
	// again says that the next look begins anew: ANALYZE.
	again bool
}

// New returns a store over a deployment; sys are the system catalogues that every snapshot has, member is this proxy's
// place among those of the deployment.
func New(client *mongo.Client, sys *catalog.System, member *cluster.Member) *Store {
	return &Store{client: client, sys: sys, member: member, databases: map[string]*state{}, inUse: func(string) int { return 0 }}
}

// CountSessions tells the store how to count the sessions that use a database.
func (s *Store) CountSessions(count func(database string) int) { s.inUse = count }

func (s *Store) state(database string) *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.databases[database]
	if st == nil {
		st = &state{inferred: map[string]*inference{}}
		s.databases[database] = st
	}
	return st
}

// Snapshot returns the newest committed snapshot of a database, at most freshFor old; 3D000 when there is no such database.
func (s *Store) Snapshot(ctx context.Context, database string) (*catalog.Snapshot, error) {
	st := s.state(database)
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.visible != nil && time.Since(st.checked) < freshFor {
		return st.visible, nil
	}
	if err := s.refresh(ctx, database, st); err != nil {
		return nil, err
	}
	st.checked = time.Now()
	return st.visible, nil
}

// Reread looks at MongoDB at once, at the list of collections too, and returns what is there now: a statement that names
// what the snapshot at hand lacks may mean what another program made a moment ago.
func (s *Store) Reread(ctx context.Context, database string) (*catalog.Snapshot, error) {
	st := s.state(database)
	st.mu.Lock()
	st.checked, st.listed = noTime, noTime
	st.mu.Unlock()
	return s.Snapshot(ctx, database)
}

// Resample makes the next Snapshot look at the documents of a collection that others own anew, of all of them for "": ANALYZE.
func (s *Store) Resample(database, collection string) {
	st := s.state(database)
	st.mu.Lock()
	defer st.mu.Unlock()
	for name, i := range st.inferred {
		i.again = i.again || collection == "" || name == collection
	}
	st.checked, st.listed = noTime, noTime
}

// Committed makes the next Snapshot look, since a session of this process has changed the catalogue.
func (s *Store) Committed(database string) {
	st := s.state(database)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.checked = noTime
}

func (s *Store) forget(database string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.databases, database)
}

func (s *Store) refresh(ctx context.Context, database string, st *state) error {
	version, err := s.version(ctx, database)
	if err != nil {
		return err
	}
	v := int64(0)
	if version != nil {
		v = version.V
	}
	shared, key, err := s.readShared(ctx)
	if err != nil {
		return err
	}
	changed := st.declared == nil || st.declared.Stored != v || st.shared != key
	if changed {
		if st.declared, st.jobs, err = s.load(ctx, database, shared); err != nil {
			return err
		}
		st.shared = key
	}
	found := false
	if time.Since(st.listed) >= listedFor {
		if found, err = s.list(ctx, database, st); err != nil {
			return err
		}
	}
	if changed || found || st.visible == nil {
		st.visible = s.withInferred(st)
	}
	return nil
}

// list looks for collections that others have made or removed.
func (s *Store) list(ctx context.Context, database string, st *state) (bool, error) {
	infos, err := s.client.Collections(ctx, database, nil)
	if err != nil {
		return false, err
	}
	if len(infos) == 0 && !alwaysExists(database) {
		st.declared, st.visible = nil, nil
		return false, pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", database)
	}
	st.listed = time.Now()
	return s.infer(ctx, database, st, infos)
}

// version reads the version document; nil when the database has no catalogue.
func (s *Store) version(ctx context.Context, database string) (*versionDoc, error) {
	cursor, err := s.client.Read(ctx, mongo.Query{Database: database, Collection: Collection, Filter: bson.D{{Key: "_id", Value: versionID}}, Limit: 1})
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
	v := &versionDoc{}
	if err := bson.Unmarshal(doc, v); err != nil {
		return nil, errors.Join(corrupt(versionID, err), cursor.Close(ctx))
	}
	return v, cursor.Close(ctx)
}

// hidden reports whether a collection is not a table: MongoDB's own, and pgmongo's.
func hidden(name string) bool {
	return strings.HasPrefix(name, "system.") || strings.HasPrefix(name, "pgmongo.")
}

// infer brings the schemas of the collections that DDL did not make up to date; it reports whether one changed.
func (s *Store) infer(ctx context.Context, database string, st *state, infos []mongo.CollectionInfo) (bool, error) {
	declared := map[string]bool{}
	for _, r := range st.declared.Relations() {
		if r.Collection != "" && !r.Native {
			declared[r.Collection] = true
		}
	}
	changed, present := false, map[string]bool{}
	// A collection that is new here may be one that a transaction is making or dropping. A job that was seen long ago has
	// been done since, as a rule: doing it again would drop what another program has put in the place.
	isNew := func(info mongo.CollectionInfo) bool {
		return !hidden(info.Name) && !declared[info.Name] && st.inferred[info.Name] == nil
	}
	if slices.ContainsFunc(infos, isNew) || slices.ContainsFunc(st.jobs, s.abandoned) {
		var err error
		if st.jobs, err = s.readJobs(ctx, database); err != nil {
			return false, err
		}
	}
	about, err := s.resume(ctx, database, st.declared, st.jobs)
	if err != nil {
		return false, err
	}
	for _, info := range infos {
		if hidden(info.Name) || declared[info.Name] || about[info.Name] {
			continue
		}
		present[info.Name] = true
		old := st.inferred[info.Name]
		count, err := s.stale(ctx, database, info, old)
		if err != nil {
			return false, err
		}
		if count < 0 {
			continue
		}
		var before *infer.Collection
		if old != nil && old.uuid == string(info.UUID) && !old.again {
			before = old.found
		}
		found, err := infer.Read(ctx, s.client, database, info, false, before)
		if err != nil {
			return false, err
		}
		st.inferred[info.Name] = &inference{uuid: string(info.UUID), count: count, at: time.Now(), found: found}
		changed = changed || found != before
	}
	for name := range st.inferred {
		if !present[name] {
			delete(st.inferred, name)
			changed = true
		}
	}
	return changed, nil
}

// Infer returns the relations that the documents of a database's collections have now, of those that SQL did not make, whatever it has
// declared of them. whole reads all documents instead of a sample.
func (s *Store) Infer(ctx context.Context, database string, whole bool) ([]*catalog.Relation, error) {
	snap, err := s.Snapshot(ctx, database)
	if err != nil {
		return nil, err
	}
	infos, err := s.client.Collections(ctx, database, nil)
	if err != nil {
		return nil, err
	}
	native := map[string]bool{}
	snap.EachRelation(func(r *catalog.Relation) bool {
		native[r.Collection] = native[r.Collection] || r.Native
		return true
	})
	var out []*catalog.Relation
	for _, info := range infos {
		if !native[info.Name] {
			continue
		}
		found, err := infer.Read(ctx, s.client, database, info, whole, nil)
		if err != nil {
			return nil, err
		}
		out = append(append(out, found.Relation), found.Children...)
	}
	return out, nil
}

// stale decides whether a collection is to be sampled again: it returns its present size, or -1 if not.
func (s *Store) stale(ctx context.Context, database string, info mongo.CollectionInfo, old *inference) (int64, error) {
	fresh := old != nil && !old.again && old.uuid == string(info.UUID) && time.Since(old.at) < inferredFor
	if fresh && old.count >= smallDocument || info.Type != "collection" && fresh {
		return -1, nil
	}
	if info.Type != "collection" {
		return 0, nil
	}
	count, err := s.client.EstimatedCount(ctx, database, info.Name)
	if err != nil {
		return 0, err
	}
	if fresh && old.count == count {
		return -1, nil
	}
	return count, nil
}

// withInferred adds the inferred relations to the declared ones, in the schema public.
func (s *Store) withInferred(st *state) *catalog.Snapshot {
	c := st.declared.Change()
	if len(st.inferred) > 0 {
		// A table that DDL made of a collection hides what was inferred, also under another name.
		st.declared.EachRelation(func(r *catalog.Relation) bool {
			if !r.Native {
				delete(st.inferred, r.Collection)
			}
			return true
		})
	}
	pinned := pinnedTables(st.declared)
	if len(st.inferred) > 0 {
		s.putOwn(c)
	}
	taken := map[uint32]bool{}
	oid := func(kind, name string) uint32 { return inferredOID(kind+":"+name, taken) }
	for _, name := range sortedKeys(st.inferred) {
		found := st.inferred[name].found
		parent := uint32(0)
		if pinned[name] != nil {
			parent = pinned[name].OID
		}
		for _, r := range append([]*catalog.Relation{found.Relation}, found.Children...) {
			if r == found.Relation && pinned[name] != nil {
				continue // as SQL has it
			}
			put := r.Clone()
			if put.Name = freeName(c.Snapshot(), r.Name); put.Name == "" {
				continue // a declared table, or a collection of that name, comes first
			}
			put.OID, put.SchemaID, put.Schema = oid("r", r.Name), catalog.PublicOID, "public"
			put.RowType, put.Array = oid("t", r.Name), oid("a", r.Name)
			if r == found.Relation {
				parent = put.OID
			} else {
				put.Parent = parent
			}
			put.Indexes = nil
			for _, i := range r.Indexes {
				ix := *i
				ix.OID = oid("i", i.Name)
				put.Indexes = append(put.Indexes, &ix)
				if ix.Primary {
					put.Constraints = append(put.Constraints, &catalog.Constraint{OID: oid("c", i.Name), Name: i.Name, Type: catalog.ConPrimary, Columns: []int16{1}, Index: ix.OID})
				}
			}
			c.PutRelation(put)
		}
	}
	c.SetVersion(s.NextVersion())
	return c.Done()
}

// pinnedTables are the tables that SQL has declared of the collections of others, by these.
func pinnedTables(s *catalog.Snapshot) map[string]*catalog.Relation {
	out := map[string]*catalog.Relation{}
	s.EachRelation(func(r *catalog.Relation) bool {
		if r.Native && len(r.Unwind) == 0 {
			out[r.Collection] = r
		}
		return true
	})
	return out
}

// freeName is the name of a relation for a collection's: cut to PostgreSQL's length, which must not make two names one. "" says that
// the name is taken.
func freeName(s *catalog.Snapshot, name string) string {
	free := func(name string) bool { return s.RelationIn("public", name) == nil }
	if len(name) <= catalog.MaxName {
		if !free(name) {
			return ""
		}
		return name
	}
	cut := catalog.CutName(name)
	for n := 1; !free(cut); n++ {
		suffix := "_" + strconv.Itoa(n)
		cut = strings.ToValidUTF8(name[:catalog.MaxName-len(suffix)], "") + suffix
	}
	return cut
}

// inferredOID gives an object that no catalogue document has an OID that is the same in every proxy: a hash of its name, above the OIDs
// that DDL reaches and below those of extensions' objects, which are not stored when SQL declares them.
func inferredOID(name string, taken map[uint32]bool) uint32 {
	const first = 0x40000000
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	n := h.Sum32() % (catalog.FirstExtensionOID - first)
	for taken[first+n] {
		n = (n + 1) % (catalog.FirstExtensionOID - first)
	}
	taken[first+n] = true
	return first + n
}

// Stats estimates a collection's size: documents, bytes, bytes of indexes.
func (s *Store) Stats(ctx context.Context, database string, rel *catalog.Relation) (rows, bytes, indexBytes int64, err error) {
	st, err := s.client.Stats(ctx, database, rel.Collection)
	return st.Count, st.Size, st.IndexSize, err
}
