package session

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/metrics"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/server/settings"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/txn/cluster"
)

// Catalogs gives the committed catalogue of each database and does the physical part of DDL.
type Catalogs interface {
	// Snapshot returns the newest committed snapshot of a database; 3D000 when there is no such database.
	Snapshot(ctx context.Context, database string) (*catalog.Snapshot, error)
	// Reread is Snapshot after a look at MongoDB at once: another program may have made a collection a moment ago.
	Reread(ctx context.Context, database string) (*catalog.Snapshot, error)
	// Resample makes the next Snapshot look at the documents of a collection that others own anew, of all of them for "".
	Resample(database, collection string)
	// Met notes a stored value that a query met and that does not fit its column.
	Met(database string, d catalog.Drift)
	// Databases lists the databases of the cluster.
	Databases(ctx context.Context) ([]catalog.Database, error)
	// Physical makes what a DDL statement changes MongoDB with. commit is called with the snapshot that became visible to
	// others when the transaction committed.
	Physical(s *txn.Session, st *txn.Stmt) ddl.Physical
	// Rebase puts what a transaction has made so far, as overlay shows it, over a newer catalogue; late counts the versions
	// that its commit will add. nil when the overlay has to stay as it is.
	Rebase(newer, overlay *catalog.Snapshot, made []catalog.Object, late int64) *catalog.Snapshot
	// Loader returns what loads many rows into an empty table, nil where a table cannot be loaded.
	Loader(s *txn.Session, snap *catalog.Snapshot, rel *catalog.Relation) txn.Loader
	// Cluster changes databases.
	Cluster() ddl.Cluster
	// Committed tells that a session's transaction has changed the catalogue, so that the next Snapshot looks.
	Committed(database string)
	// Stats estimates a collection's size; see catalog.Live.CollectionStats.
	Stats(ctx context.Context, database string, rel *catalog.Relation) (rows, bytes, indexBytes int64, err error)
}

// Control reaches other sessions: pg_cancel_backend and pg_terminate_backend.
type Control interface {
	Cancel(pid int32) bool
	Terminate(pid int32) bool
}

// Engine is what the sessions of a server share.
type Engine struct {
	Client   *mongo.Client
	Txns     *txn.Manager
	Cluster  *cluster.Member
	Procs    *expr.Procs
	Catalogs Catalogs
	Settings *settings.Table
	Metrics  *metrics.Metrics
	Log      *slog.Logger
	Control  Control
	// MemoryLimit bounds what one statement's operators hold, in bytes, where work_mem does not bound it more tightly.
	MemoryLimit int64

	mu       sync.Mutex
	sessions map[int32]*Session
	hub      hub
	started  time.Time
	views    planner.ParseCache
	sizes    sizes
	xid      int64
}

// nextXID numbers transactions that ask for a number.
func (e *Engine) nextXID() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.xid == 0 {
		e.xid = time.Now().Unix() - 1_500_000_000 // grows over restarts
	}
	e.xid++
	return e.xid
}

// Start readies an engine whose fields were set.
func (e *Engine) Start() {
	e.sessions = map[int32]*Session{}
	e.hub.channels = map[channelKey]map[*Session]bool{}
	e.started = time.Now()
}

func (e *Engine) add(s *Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sessions[s.start.PID] = s
}

func (e *Engine) remove(s *Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, s.start.PID)
}

// Activity lists the sessions as pg_stat_activity shows them.
func (e *Engine) Activity() []catalog.Activity {
	e.mu.Lock()
	all := make([]*Session, 0, len(e.sessions))
	for _, s := range e.sessions {
		all = append(all, s)
	}
	e.mu.Unlock()
	out := make([]catalog.Activity, 0, len(all))
	waiting := e.Txns.Waiting()
	for _, s := range all {
		a := s.activity()
		if event := waiting[a.PID]; event != "" {
			a.WaitEventType, a.WaitEvent = "Lock", event
		}
		out = append(out, a)
	}
	return out
}

// CountSessions returns how many sessions use a database.
func (e *Engine) CountSessions(database string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for _, s := range e.sessions {
		if s.start.Database == database {
			n++
		}
	}
	return n
}

// Verifier returns the SCRAM verifier of a role, "" when it has none or may not log in.
func (e *Engine) Verifier(ctx context.Context, user string) (string, error) {
	snap, err := e.Catalogs.Snapshot(ctx, "postgres")
	if err != nil {
		return "", err
	}
	r := snap.RoleByName(user)
	if r == nil || !r.Login {
		return "", nil
	}
	return r.Password, nil
}
