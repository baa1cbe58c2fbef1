// Package cluster lets the proxies of one MongoDB deployment know of each other. What can be kept in one process's memory
// while it is alone (locks, notifications) must go through MongoDB as soon as there is a second one.
//
// Each proxy has a document that it renews every second. One that starts looks for others, and serves nobody before each
// of them has written down that it knows the new one: from then on all of them are in the shared mode. A proxy whose
// document was not renewed for the length of a lease is taken for dead, and its document removed.
package cluster

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Database holds the collections of this package.
const Database = "postgres"

const (
	membersCollection = "pgmongo.proxies"
	// Guards is the collection of documents that transactions change so that MongoDB makes them conflict.
	Guards = "pgmongo.guards"
	// Locks is the collection of the locks that proxies hold.
	Locks = "pgmongo.locks"
	// Messages is the collection that messages between proxies are inserted into; documents have the fields of Message.
	Messages = "pgmongo.messages"
)

const (
	beatEvery = time.Second
	// lease is how long a proxy may be silent before others take it for dead. It gives its own rights up a little earlier.
	lease      = 10 * time.Second
	leaseValid = 7 * time.Second
)

// Handler is what a proxy does about the others. Its methods are called by one goroutine.
type Handler interface {
	// Share is called before the first other proxy is acknowledged: from its return on everything goes through MongoDB.
	Share(ctx context.Context) error
	// Alone is called when no other proxy is left.
	Alone()
	// Tick is called at every beat in the shared mode, and before a proxy that starts serves its first client.
	Tick(ctx context.Context) error
	// Receive takes a message of another proxy.
	Receive(m Message)
	// Expelled is called when the others have taken this proxy for dead: what it held is lost.
	Expelled()
}

// Message is what a proxy tells the others.
type Message struct {
	ID      bson.ObjectID `bson:"_id"`
	From    bson.ObjectID `bson:"from"`
	At      time.Time     `bson:"at"`
	Kind    string        `bson:"kind"`
	Name    string        `bson:"name"`
	Payload string        `bson:"payload"`
	Scope   string        `bson:"scope"`
	PID     int32         `bson:"pid"`
}

// Member is this proxy's membership.
type Member struct {
	client  *mongo.Client
	handler Handler
	log     *slog.Logger
	id      bson.ObjectID
	stop    context.CancelFunc
	done    sync.WaitGroup

	// beatMu makes beats go one at a time; renewed is when the document was last renewed.
	beatMu  sync.Mutex
	renewed atomic.Pointer[time.Time]
	shared  atomic.Bool
	others  atomic.Pointer[[]bson.ObjectID]
	stream  context.CancelFunc // ends the reading of messages; nil while alone
}

// member is a proxy's document.
type member struct {
	ID    bson.ObjectID   `bson:"_id"`
	Host  string          `bson:"host"`
	PID   int             `bson:"pid"`
	Boot  time.Time       `bson:"boot"`
	Beat  time.Time       `bson:"beat"`
	Now   time.Time       `bson:"now"`
	Knows []bson.ObjectID `bson:"knows"`
}

// started is when this process began, to tell a predecessor of the same process number.
var started = time.Now()

// New returns a proxy that is no member yet and takes itself to be alone.
func New(client *mongo.Client, log *slog.Logger) *Member {
	m := &Member{client: client, log: log, id: bson.NewObjectID()}
	m.others.Store(&[]bson.ObjectID{})
	return m
}

// Join makes this proxy a member and waits until all others know it. On a standalone server, which has no transactions to
// protect, nothing happens.
func (m *Member) Join(ctx context.Context, h Handler) error {
	if !m.client.Info().Transactions() {
		return nil
	}
	m.handler = h
	if err := m.enter(ctx); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		known, err := m.beat(run)
		if err == nil && known {
			break
		}
		if err == nil {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err != nil {
			m.Leave(ctx)
			return err
		}
	}
	m.done.Go(func() { m.run(run) })
	return nil
}

// enter writes the member's document.
func (m *Member) enter(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		return pgerr.Internal("the name of this host: %w", err)
	}
	now := time.Now()
	_, err = m.client.FindAndModify(ctx, Database, membersCollection, m.id, bson.A{bson.D{{Key: "$set", Value: bson.D{
		{Key: "host", Value: host}, {Key: "pid", Value: os.Getpid()}, {Key: "boot", Value: started}, {Key: "beat", Value: "$$NOW"}, {Key: "knows", Value: bson.A{}},
	}}}}, false)
	if err == nil {
		m.renewed.Store(&now)
	}
	return err
}

// Leave ends the membership.
func (m *Member) Leave(ctx context.Context) {
	if m.stop == nil {
		return
	}
	m.stop()
	m.beatMu.Lock()
	if m.stream != nil {
		m.stream()
	}
	m.beatMu.Unlock()
	m.done.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := m.client.DeleteMany(ctx, Database, membersCollection, bson.D{{Key: "_id", Value: m.id}}); err != nil {
		m.log.Debug("leaving the cluster", "error", err) // the lease ends it
	}
}

// ID names this proxy among the others.
func (m *Member) ID() bson.ObjectID { return m.id }

// Shared reports whether other proxies serve the same deployment. A nil Member is alone.
func (m *Member) Shared() bool { return m != nil && m.shared.Load() }

// Others lists the other proxies that are alive.
func (m *Member) Others() []bson.ObjectID { return *m.others.Load() }

// Alive reports whether a proxy, this one or another, is at work.
func (m *Member) Alive(id bson.ObjectID) bool { return id == m.id || slices.Contains(m.Others(), id) }

// Valid makes sure that the others take this proxy for alive; it renews the lease when it is about to end.
func (m *Member) Valid(ctx context.Context) error {
	if m == nil || m.stop == nil || time.Since(*m.renewed.Load()) < leaseValid {
		return nil
	}
	_, err := m.beat(ctx)
	if err != nil {
		return pgerr.New(pgerr.ConnectionFailure, "the lease of this proxy could not be renewed: %w", err)
	}
	if time.Since(*m.renewed.Load()) >= leaseValid {
		return pgerr.New(pgerr.SerializationFailure, "the lease of this proxy has ended")
	}
	return nil
}

func (m *Member) run(ctx context.Context) {
	ticker := time.NewTicker(beatEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		bctx, cancel := context.WithTimeout(ctx, lease/2)
		if _, err := m.beat(bctx); err != nil && ctx.Err() == nil {
			m.log.Debug("renewing the lease", "error", err) // tried again by the next beat and by Valid
		}
		cancel()
	}
}

// beat renews the lease, finds out who else is there, and changes the mode. known says that all others know this proxy.
func (m *Member) beat(ctx context.Context) (known bool, err error) {
	m.beatMu.Lock()
	defer m.beatMu.Unlock()
	now := time.Now()
	there, err := m.client.UpdateOne(ctx, Database, membersCollection, bson.D{{Key: "_id", Value: m.id}},
		bson.A{bson.D{{Key: "$set", Value: bson.D{{Key: "beat", Value: "$$NOW"}}}}}, false)
	if err != nil {
		return false, err
	}
	if !there {
		m.handler.Expelled()
		return false, m.enter(ctx)
	}
	m.renewed.Store(&now)
	live, err := m.look(ctx)
	if err != nil {
		return false, err
	}
	known = true
	ids := make([]bson.ObjectID, len(live))
	for i, o := range live {
		ids[i] = o.ID
		known = known && slices.Contains(o.Knows, m.id)
	}
	if err := m.settle(ctx, ids); err != nil {
		return false, err
	}
	if m.shared.Load() {
		return known, m.handler.Tick(ctx)
	}
	return known, nil
}

// settle brings the mode in line with who is there, and tells the others that they are known.
func (m *Member) settle(ctx context.Context, ids []bson.ObjectID) error {
	if slices.Equal(ids, *m.others.Load()) {
		return nil
	}
	if len(ids) > 0 && !m.shared.Load() {
		if err := m.listen(ctx); err != nil {
			return err
		}
		m.others.Store(&ids)
		m.shared.Store(true)
		if err := m.handler.Share(ctx); err != nil {
			m.others.Store(&[]bson.ObjectID{}) // the next beat tries again
			return err
		}
	}
	m.others.Store(&ids)
	if _, err := m.client.UpdateOne(ctx, Database, membersCollection, bson.D{{Key: "_id", Value: m.id}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "knows", Value: ids}}}}, false); err != nil {
		m.others.Store(&[]bson.ObjectID{})
		return err
	}
	if len(ids) == 0 && m.shared.Load() {
		m.shared.Store(false)
		m.stream()
		m.stream = nil
		m.handler.Alone()
	}
	return nil
}

// look reads the other members and removes those that are dead.
func (m *Member) look(ctx context.Context) ([]member, error) {
	cur, err := m.client.Read(ctx, mongo.Query{Database: Database, Collection: membersCollection, Pipeline: bson.A{
		bson.D{{Key: "$match", Value: bson.D{{Key: "_id", Value: bson.D{{Key: "$ne", Value: m.id}}}}}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "now", Value: "$$NOW"}}}},
		bson.D{{Key: "$sort", Value: bson.D{{Key: "_id", Value: 1}}}},
	}})
	if err != nil {
		return nil, err
	}
	var live []member
	var dead bson.A
	for {
		doc, err := cur.Next(ctx)
		if err == io.EOF {
			break
		}
		var o member
		if err == nil {
			err = bson.Unmarshal(doc, &o)
		}
		if err != nil {
			_ = cur.Close(ctx) // the error that was met counts
			return nil, err
		}
		if o.dead() {
			dead = append(dead, o.ID)
		} else {
			live = append(live, o)
		}
	}
	if err := cur.Close(ctx); err != nil || dead == nil {
		return live, err
	}
	return live, m.client.DeleteMany(ctx, Database, membersCollection, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: dead}}}})
}

// dead reports whether a member's lease has ended, or its process on this host is known to be gone.
func (o *member) dead() bool {
	if o.Now.Sub(o.Beat) > lease {
		return true
	}
	host, err := os.Hostname()
	if err != nil || host != o.Host {
		return false
	}
	if o.PID == os.Getpid() {
		return o.Boot.Before(started.Add(-time.Second)) // in a container every process has the same number
	}
	p, err := os.FindProcess(o.PID)
	if err == nil {
		err = p.Signal(syscall.Signal(0))
	}
	return errors.Is(err, os.ErrProcessDone)
}
