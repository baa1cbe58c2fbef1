package txn

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn/cluster"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// ManagerOptions bound what transactions may use.
type ManagerOptions struct {
	// LogLimit bounds the bytes of one transaction's write log; 0 means 256 MB.
	LogLimit int64
	// RefreshLimit is up to how many logged writes a READ COMMITTED block takes a new snapshot for a statement when other
	// sessions have committed since its snapshot; 0 means 1000, negative never.
	RefreshLimit int
	// RetryTimeout bounds how long a statement is repeated because of conflicts; 0 means 90 s, by when MongoDB has ended
	// whatever transaction is in the way.
	RetryTimeout time.Duration
	// CommitTimeout bounds how long a commit is re-sent until its answer is definite; 0 means 60 s.
	CommitTimeout time.Duration
	// Cluster tells whether other proxies are there; nil means that there are none.
	Cluster *cluster.Member
	// Changed is told of a database whose catalogue another proxy may have changed.
	Changed func(database string)
}

// Manager is what the transactions of all sessions of a server share. It is safe for concurrent use.
type Manager struct {
	client *mongo.Client
	opts   ManagerOptions
	locks  *lockTable
	// together makes the changes of statements that make one and are transactions of their own.
	together *together

	cluster *cluster.Member
	slots   slots
	global  global
	// orphans are requests that could not be removed.
	orphans   []string
	proxiedMu sync.Mutex
	proxied   map[string]*proxied
	// committing is held (shared) by commits, so that one that began before other proxies turned up ends before they do.
	committing sync.RWMutex
}

// NewManager returns the manager of a server's transactions over one MongoDB deployment.
func NewManager(client *mongo.Client, o ManagerOptions) *Manager {
	if o.LogLimit == 0 {
		o.LogLimit = 256 << 20
	}
	if o.RefreshLimit == 0 {
		o.RefreshLimit = 1000
	}
	if o.RetryTimeout == 0 {
		o.RetryTimeout = 90 * time.Second
	}
	if o.CommitTimeout == 0 {
		o.CommitTimeout = 60 * time.Second
	}
	return &Manager{client: client, opts: o, locks: newLockTable(), together: newTogether(client), cluster: o.Cluster}
}

// Client returns the deployment that the transactions run on.
func (m *Manager) Client() *mongo.Client { return m.client }

// Shared reports whether other proxies serve the same deployment.
func (m *Manager) Shared() bool { return m.cluster.Shared() }

// NewSession returns the transaction state of one SQL session. pid is its process number and oid that of its database in
// messages.
func (m *Manager) NewSession(database string, oid uint32, pid int32) *Session {
	return &Session{m: m, db: database, owner: &lockOwner{pid: pid, database: oid}}
}

// retryError marks a conflict after which the same statement may succeed when it is run again on a new snapshot.
type retryError struct{ cause error }

func (e *retryError) Error() string { return "could not serialize access due to concurrent update" }

func (e *retryError) Unwrap() error { return e.cause }

func retry(cause error) error { return pgerr.New(pgerr.SerializationFailure, "%w", &retryError{cause}) }

// Conflict returns an error for which Session.Retryable holds: what the caller worked with is out of date, and the
// statement may succeed when it is run again.
func Conflict(cause error) error { return retry(cause) }

func isRetry(err error) bool {
	var r *retryError
	return errors.As(err, &r)
}

func serializationFailure(cause error) error {
	if cause == nil {
		return pgerr.New(pgerr.SerializationFailure, "could not serialize access due to concurrent update")
	}
	return pgerr.New(pgerr.SerializationFailure, "%w", &finalError{cause})
}

// finalError is a conflict that running the statement again cannot mend.
type finalError struct{ cause error }

func (e *finalError) Error() string { return "could not serialize access due to concurrent update" }

func (e *finalError) Unwrap() error { return e.cause }

// sleep waits before attempt n of something that conflicts.
func sleep(ctx context.Context, n int) error {
	d := min(time.Millisecond<<min(n, 10), 100*time.Millisecond)
	// Spread out those who lost the same conflict.
	d = d/2 + time.Duration(time.Now().UnixNano()%int64(d/2+1))
	select {
	case <-ctx.Done():
		return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
	case <-time.After(d):
		return nil
	}
}
