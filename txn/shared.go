package txn

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn/cluster"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Locks that hold against other proxies.
//
// An advisory lock, and the right to ask for a table lock, is a document {_id: key, h: [{p: proxy, x: exclusive}]} that names the proxies which hold it; within a
// proxy the lock table decides. A table lock that conflicts with reading or writing is asked for: the asking proxy writes a
// request {_id: request, key, mode, p: proxy, acks: []} and waits until every other proxy has taken the lock in its own
// lock table on its behalf, which waits for the statements there. So the locks of ordinary statements cost nothing.
// Holders that are not alive do not count.

// global is what this process holds in the documents of advisory locks.
type global struct {
	mu   sync.Mutex
	keys map[string]*globalKey
}

type globalKey struct {
	mu        sync.Mutex
	exclusive bool
	refs      int
}

func (g *global) key(name string) *globalKey {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.keys == nil {
		g.keys = map[string]*globalKey{}
	}
	k := g.keys[name]
	if k == nil {
		k = &globalKey{}
		g.keys[name] = k
	}
	return k
}

// names lists the keys that are held.
func (g *global) names() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []string
	for n := range g.keys {
		out = append(out, n)
	}
	return out
}

func advisoryID(name string) string { return "a:" + hex.EncodeToString([]byte(name)) }

// holdGlobally takes an advisory lock, which the lock table has granted, against other proxies.
func (m *Manager) holdGlobally(ctx context.Context, name string, exclusive bool, wait LockWait, timeout time.Duration) (bool, error) {
	k := m.global.key(name)
	k.mu.Lock()
	defer k.mu.Unlock()
	began := time.Now()
	for n := 0; m.cluster.Shared() && (k.refs == 0 || exclusive && !k.exclusive); n++ {
		got, err := m.claim(ctx, name, exclusive)
		switch {
		case err != nil:
			return false, err
		case got:
			k.exclusive = exclusive
			k.refs++
			return true, nil
		case wait != WaitBlock:
			return false, nil
		case timeout > 0 && time.Since(began) > timeout:
			return false, pgerr.New(pgerr.LockNotAvailable, "canceling statement due to lock timeout")
		}
		if err := sleep(ctx, min(n+2, 6)); err != nil {
			return false, err
		}
	}
	k.exclusive = k.exclusive || exclusive
	k.refs++
	return true, nil
}

// claim writes this proxy into a lock's document if no other live proxy is in the way.
func (m *Manager) claim(ctx context.Context, name string, exclusive bool) (bool, error) {
	others := bson.A{}
	for _, o := range m.cluster.Others() {
		others = append(others, o)
	}
	against := bson.D{{Key: "p", Value: bson.D{{Key: "$in", Value: others}}}}
	if !exclusive {
		against = append(against, bson.E{Key: "x", Value: true})
	}
	match := bson.D{{Key: "_id", Value: advisoryID(name)}, {Key: "h", Value: bson.D{{Key: "$not", Value: bson.D{{Key: "$elemMatch", Value: against}}}}}}
	keep := bson.D{{Key: "$filter", Value: bson.D{
		{Key: "input", Value: bson.D{{Key: "$ifNull", Value: bson.A{"$h", bson.A{}}}}},
		{Key: "cond", Value: bson.D{{Key: "$in", Value: bson.A{"$$this.p", others}}}},
	}}}
	mine := bson.A{bson.D{{Key: "p", Value: m.cluster.ID()}, {Key: "x", Value: exclusive}}}
	set := bson.A{bson.D{{Key: "$set", Value: bson.D{{Key: "h", Value: bson.D{{Key: "$concatArrays", Value: bson.A{keep, mine}}}}}}}}
	got, err := m.client.UpdateOne(ctx, cluster.Database, cluster.Locks, match, set, true)
	if pgerr.Is(err, pgerr.UniqueViolation) {
		return false, nil
	}
	return got, err
}

// dropGlobally gives a hold of an advisory lock back.
func (m *Manager) dropGlobally(name string) {
	k := m.global.key(name)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refs--; k.refs > 0 {
		return
	}
	k.exclusive = false
	if m.cluster.Shared() && m.unclaim(name) != nil {
		return // Tick tries again
	}
	m.global.mu.Lock()
	defer m.global.mu.Unlock()
	if m.global.keys[name] == k {
		delete(m.global.keys, name)
	}
}

func (m *Manager) unclaim(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := m.client.UpdateOne(ctx, cluster.Database, cluster.Locks, bson.D{{Key: "_id", Value: advisoryID(name)}},
		bson.D{{Key: "$pull", Value: bson.D{{Key: "h", Value: bson.D{{Key: "p", Value: m.cluster.ID()}}}}}}, false)
	if err != nil {
		return err
	}
	return m.client.DeleteMany(ctx, cluster.Database, cluster.Locks, bson.D{{Key: "_id", Value: advisoryID(name)}, {Key: "h", Value: bson.A{}}})
}

// The kinds of messages about table locks: Scope is the request.
const (
	lockMessage   = "lock"
	unlockMessage = "unlock"
)

// request is a table lock that a proxy asks the others for.
type request struct {
	ID       string          `bson:"_id"`
	Key      []byte          `bson:"key"`
	Mode     LockMode        `bson:"mode"`
	Proxy    bson.ObjectID   `bson:"p"`
	PID      int32           `bson:"pid"`
	Database string          `bson:"db"`
	Acks     []bson.ObjectID `bson:"acks"`
}

// proxied is a table lock that is held here for a session of another proxy.
type proxied struct {
	owner  *lockOwner
	from   bson.ObjectID
	db     string
	cancel context.CancelFunc
}

// ask takes a table lock, which the lock table has granted, against other proxies.
func (s *Session) ask(ctx context.Context, key string, mode LockMode, wait LockWait) (bool, error) {
	m := s.m
	r, err := m.publish(ctx, s.owner, s.db, key, mode)
	if err != nil {
		return false, err
	}
	if err := m.cluster.Send(ctx, cluster.Message{Kind: lockMessage, Scope: r.ID}); err != nil {
		return false, err
	}
	limit := s.timeout()
	if wait != WaitBlock {
		limit = time.Second
	}
	began := time.Now()
	for n := 0; m.cluster.Shared(); n++ {
		doc, err := m.request(ctx, r.ID)
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(m.cluster.Others(), func(o bson.ObjectID) bool { return !slices.Contains(doc.Acks, o) }) {
			return true, nil
		}
		if limit > 0 && time.Since(began) > limit {
			if wait != WaitBlock {
				return false, nil
			}
			return false, pgerr.New(pgerr.LockNotAvailable, "canceling statement due to lock timeout")
		}
		if err := sleep(ctx, min(n+1, 5)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// dropTables gives back what the session's table locks held against other proxies.
func (s *Session) dropTables() {
	s.m.takeBack(s.owner)
	for _, key := range s.tables {
		s.m.dropGlobally(key)
	}
	s.tables = nil
}

// publish writes a request down; the owner takes it back with its locks.
func (m *Manager) publish(ctx context.Context, o *lockOwner, database, key string, mode LockMode) (request, error) {
	r := request{ID: "r:" + bson.NewObjectID().Hex(), Key: []byte(key), Mode: mode, Proxy: m.cluster.ID(), PID: o.pid, Database: database, Acks: []bson.ObjectID{}}
	doc, err := bson.Marshal(r)
	if err != nil {
		return r, pgerr.Internal("a request for a lock: %w", err)
	}
	m.locks.mu.Lock()
	o.requests = append(o.requests, r.ID)
	m.locks.mu.Unlock()
	return r, m.client.Write(ctx, cluster.Database, cluster.Locks, []mongo.Write{{Kind: mongo.WriteInsert, ID: bson.Raw(doc).Lookup("_id"), Doc: doc}})
}

func (m *Manager) request(ctx context.Context, id string) (request, error) {
	list, err := m.requests(ctx, bson.D{{Key: "_id", Value: id}})
	if err == nil && len(list) == 0 {
		err = pgerr.New(pgerr.LockNotAvailable, "the request for a table lock was lost")
	}
	if err != nil {
		return request{}, err
	}
	return list[0], nil
}

func (m *Manager) requests(ctx context.Context, filter bson.D) ([]request, error) {
	cur, err := m.client.Read(ctx, mongo.Query{Database: cluster.Database, Collection: cluster.Locks, Filter: filter})
	if err != nil {
		return nil, err
	}
	var out []request
	for {
		doc, err := cur.Next(ctx)
		if err == io.EOF {
			return out, cur.Close(ctx)
		}
		var r request
		if err == nil {
			err = bson.Unmarshal(doc, &r)
		}
		if err != nil {
			return nil, errors.Join(err, cur.Close(ctx))
		}
		out = append(out, r)
	}
}

// takeBack removes an owner's requests, after its locks were given back here.
func (m *Manager) takeBack(o *lockOwner) {
	m.locks.mu.Lock()
	ids := o.requests
	o.requests = nil
	m.locks.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := m.client.DeleteMany(ctx, cluster.Database, cluster.Locks, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}); err != nil {
		m.locks.mu.Lock()
		m.orphans = append(m.orphans, ids...) // Tick removes them
		m.locks.mu.Unlock()
		return
	}
	for _, id := range ids {
		if m.cluster.Send(ctx, cluster.Message{Kind: unlockMessage, Scope: id}) != nil {
			return // the others' Tick finds that the request is gone
		}
	}
}

// Share readies the transactions of this process for other proxies: when it returns, no commit without guards is under way
// and the locks that are held are known to the others.
func (m *Manager) Share(ctx context.Context) error {
	m.committing.Lock()
	defer m.committing.Unlock()
	for _, name := range m.global.names() {
		k := m.global.key(name)
		k.mu.Lock()
		exclusive, held := k.exclusive, k.refs > 0
		k.mu.Unlock()
		if !held {
			continue
		}
		if _, err := m.claim(ctx, name, exclusive); err != nil {
			return err
		}
	}
	type strong struct {
		o    *lockOwner
		key  string
		mode LockMode
	}
	var list []strong
	m.locks.mu.Lock()
	for key, e := range m.locks.entries {
		for o, modes := range e.holders {
			for mode := TableShareUpdateExclusive; mode <= TableAccessExclusive; mode++ {
				if modes&mode.set() != 0 && len(o.requests) == 0 {
					list = append(list, strong{o, key, mode})
				}
			}
		}
	}
	m.locks.mu.Unlock()
	for _, l := range list {
		if _, err := m.publish(ctx, l.o, "", l.key, l.mode); err != nil {
			return err
		}
	}
	return nil
}

// Alone notes that the other proxies are gone, and with them their locks.
func (m *Manager) Alone() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := m.client.DeleteMany(ctx, cluster.Database, cluster.Locks, bson.D{}); err != nil {
		return // what is left names proxies that are not alive
	}
	m.settleProxied(ctx, nil)
}

// Tick takes and gives back table locks for other proxies whose messages were missed.
func (m *Manager) Tick(ctx context.Context) error {
	m.locks.mu.Lock()
	orphans := m.orphans
	m.orphans = nil
	m.locks.mu.Unlock()
	if len(orphans) > 0 {
		if err := m.client.DeleteMany(ctx, cluster.Database, cluster.Locks, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: orphans}}}}); err != nil {
			return err
		}
	}
	for _, name := range m.global.names() {
		k := m.global.key(name)
		k.mu.Lock()
		if k.refs <= 0 && m.unclaim(name) == nil {
			m.global.mu.Lock()
			delete(m.global.keys, name)
			m.global.mu.Unlock()
		}
		k.mu.Unlock()
	}
	others := m.cluster.Others()
	list, err := m.requests(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: "r:"}, {Key: "$lt", Value: "r;"}}}})
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(r request) bool { return !slices.Contains(others, r.Proxy) })
	m.settleProxied(ctx, list)
	return nil
}

// settleProxied brings the locks that are held for other proxies in line with their requests.
func (m *Manager) settleProxied(ctx context.Context, list []request) {
	m.proxiedMu.Lock()
	var gone []string
	for id := range m.proxied {
		if !slices.ContainsFunc(list, func(r request) bool { return r.ID == id }) {
			gone = append(gone, id)
		}
	}
	m.proxiedMu.Unlock()
	for _, id := range gone {
		m.letGo(id)
	}
	for _, r := range list {
		m.takeFor(ctx, r)
	}
}

// takeFor takes a table lock for another proxy and tells it so: at once if the lock is free, else when it becomes so.
func (m *Manager) takeFor(ctx context.Context, r request) {
	m.proxiedMu.Lock()
	if m.proxied[r.ID] != nil {
		m.proxiedMu.Unlock()
		return
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &proxied{owner: m.proxiedOwner(r), from: r.Proxy, db: r.Database, cancel: cancel}
	if m.proxied == nil {
		m.proxied = map[string]*proxied{}
	}
	m.proxied[r.ID] = p
	m.proxiedMu.Unlock()
	acknowledge := func() {
		there, err := m.client.UpdateOne(run, cluster.Database, cluster.Locks, bson.D{{Key: "_id", Value: r.ID}},
			bson.D{{Key: "$addToSet", Value: bson.D{{Key: "acks", Value: m.cluster.ID()}}}}, false)
		if err != nil || !there {
			m.letGo(r.ID) // the next Tick begins again if the request is still there
		}
	}
	w := &waiter{owner: p.owner, key: string(r.Key), mode: r.Mode}
	if ok, _, err := m.locks.take(run, w, WaitError, 0, nil); ok && err == nil {
		acknowledge()
		return
	}
	go func() {
		w := &waiter{owner: p.owner, key: string(r.Key), mode: r.Mode}
		if _, _, err := m.locks.take(run, w, WaitBlock, 0, nil); err != nil {
			m.letGo(r.ID)
			return
		}
		acknowledge()
	}()
}

// letGo gives back a lock that is held for another proxy. What it may have changed is looked at again first.
func (m *Manager) letGo(id string) {
	m.proxiedMu.Lock()
	p := m.proxied[id]
	delete(m.proxied, id)
	m.proxiedMu.Unlock()
	if p == nil {
		return
	}
	if m.opts.Changed != nil && p.db != "" {
		m.opts.Changed(p.db)
	}
	p.cancel()
	if !m.ownsProxied(p.owner) {
		m.locks.releaseFrom(p.owner, 0, false)
	}
}

// proxiedOwner is who holds the locks of a request's session here: a session's second lock of a table does not wait for its first, as in
// BEGIN; ALTER TABLE t ADD a int; ALTER TABLE t ADD b int. The caller holds proxiedMu.
func (m *Manager) proxiedOwner(r request) *lockOwner {
	for _, p := range m.proxied {
		if p.from == r.Proxy && p.owner.pid == r.PID {
			return p.owner
		}
	}
	return &lockOwner{pid: r.PID, deadlockTimeout: time.Second}
}

// ownsProxied reports whether an owner still holds locks for other requests of its session.
func (m *Manager) ownsProxied(o *lockOwner) bool {
	m.proxiedMu.Lock()
	defer m.proxiedMu.Unlock()
	for _, p := range m.proxied {
		if p.owner == o {
			return true
		}
	}
	return false
}

// Receive takes a message of another proxy about table locks.
func (m *Manager) Receive(msg cluster.Message) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	switch msg.Kind {
	case lockMessage:
		if r, err := m.request(ctx, msg.Scope); err == nil {
			m.takeFor(ctx, r)
		}
	case unlockMessage:
		m.letGo(msg.Scope)
	}
}

// Expelled returns the sessions that hold locks which other proxies may have taken from this one.
func (m *Manager) Expelled() []int32 {
	var out []int32
	for _, l := range m.Locks() {
		strong := l.Type == "advisory" || l.Type == "relation" && slices.Index(modeNames[:], l.Mode) >= int(TableShareUpdateExclusive)
		if l.Granted && strong && !slices.Contains(out, l.PID) {
			out = append(out, l.PID)
		}
	}
	return out
}
