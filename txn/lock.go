package txn

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// lockTable holds the row, table and advisory locks of all sessions of this process. It also remembers, for as long as a
// transaction with an older snapshot lives, when rows were last changed: a lock that was free may still be on a row whose
// version in the locker's snapshot is stale.
type lockTable struct {
	mu      sync.Mutex
	entries map[string]*lockEntry
	// seq counts commits that wrote; snaps are the counts at which open snapshots began, oldest first.
	seq    uint64
	snaps  []*snapMark
	ghosts []ghost
	xids   uint32
	// horizon: stamps up to it were forgotten, so that older snapshots are taken for stale.
	horizon uint64
}

// maxGhosts bounds the stamps that are kept for old snapshots.
const maxGhosts = 1 << 20

type snapMark struct{ seq uint64 }

type ghost struct {
	seq uint64
	key string
}

type lockEntry struct {
	holders map[*lockOwner]modeSet
	queue   []*waiter
	// When a writer that held the row in such a mode last committed.
	keyChanged, changed, shared uint64
}

// lockOwner is a session as the lock table knows it.
type lockOwner struct {
	pid     int32
	waiting *waiter
	// deadlockTimeout is how long it waits before it looks for a deadlock.
	deadlockTimeout time.Duration
	// xid numbers the transaction in messages, once somebody had to wait for it; database is the OID of the session's.
	xid, database uint32
	// requests are those that ask other proxies for the owner's table locks.
	requests []string
	// held are the keys in the order they were taken; modes are in the entries.
	held []string
}

type waiter struct {
	owner   *lockOwner
	key     string
	mode    LockMode
	granted chan struct{}
	// unlisted locks are not given back with the transaction's: their owner keeps track of them (advisory locks).
	unlisted bool
}

func newLockTable() *lockTable { return &lockTable{entries: map[string]*lockEntry{}} }

// openSnapshot notes that a snapshot is about to be taken; commits counted up to the mark are visible in it.
func (t *lockTable) openSnapshot() *snapMark {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := &snapMark{seq: t.seq}
	t.snaps = append(t.snaps, m)
	return m
}

func (t *lockTable) closeSnapshot(m *snapMark) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, s := range t.snaps {
		if s == m {
			t.snaps = append(t.snaps[:i], t.snaps[i+1:]...)
			break
		}
	}
	t.sweep()
}

// sweep forgets stamps that no open snapshot is older than.
func (t *lockTable) sweep() {
	oldest := t.seq
	if len(t.snaps) > 0 {
		oldest = t.snaps[0].seq
	}
	n := 0
	for n < len(t.ghosts) && (t.ghosts[n].seq <= oldest || len(t.ghosts)-n > maxGhosts) {
		g := t.ghosts[n]
		if g.seq > oldest {
			t.horizon = g.seq
		}
		if e := t.entries[g.key]; e != nil && max(e.keyChanged, e.changed, e.shared) <= g.seq {
			e.keyChanged, e.changed, e.shared = 0, 0, 0
			t.drop(g.key, e)
		}
		n++
	}
	t.ghosts = t.ghosts[n:]
	if len(t.ghosts) == 0 {
		t.ghosts = nil
	}
}

func (t *lockTable) drop(key string, e *lockEntry) {
	if len(e.holders) == 0 && len(e.queue) == 0 && e.keyChanged == 0 && e.changed == 0 && e.shared == 0 {
		delete(t.entries, key)
	}
}

// committed returns the number of commits so far.
func (t *lockTable) committed() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seq
}

// acquire takes a row lock or waits for it. ok is false when wait forbids waiting for a lock that is held. snap is the
// locker's snapshot (nil: none); stale says that the row may have changed since.
func (t *lockTable) acquire(ctx context.Context, o *lockOwner, key string, mode LockMode, wait LockWait, timeout time.Duration, snap *snapMark) (ok, stale bool, err error) {
	return t.take(ctx, &waiter{owner: o, key: key, mode: mode}, wait, timeout, snap)
}

func (t *lockTable) take(ctx context.Context, w *waiter, wait LockWait, timeout time.Duration, snap *snapMark) (ok, stale bool, err error) {
	o, mode := w.owner, w.mode
	t.mu.Lock()
	e := t.entries[w.key]
	if e == nil {
		e = &lockEntry{}
		t.entries[w.key] = e
	}
	if e.holders[o].covers(mode) {
		stale = t.stale(e, mode, snap)
		t.mu.Unlock()
		return true, stale, nil
	}
	if len(t.blockers(e, w)) == 0 {
		t.grant(e, w)
		stale = t.stale(e, mode, snap)
		t.mu.Unlock()
		return true, stale, nil
	}
	if wait != WaitBlock {
		t.mu.Unlock()
		return false, false, nil
	}
	w.granted = make(chan struct{})
	o.waiting = w
	e.queue = append(e.queue, w)
	t.mu.Unlock()
	err = t.await(ctx, w, timeout)
	t.mu.Lock()
	defer t.mu.Unlock()
	o.waiting = nil
	if err != nil {
		if !t.unqueue(e, w) {
			// It was granted while the wait ended; the lock is released with the others of its owner.
			return true, true, err
		}
		return false, false, err
	}
	// Whoever was waited for may have changed the row.
	return true, snap != nil && t.stale(e, mode, snap), nil
}

// await waits until a lock is granted, the wait is cancelled or too long, or a deadlock is found: as in PostgreSQL it is
// looked for when the wait has lasted for a while, and ends the transaction that looks.
func (t *lockTable) await(ctx context.Context, w *waiter, timeout time.Duration) error {
	var expired <-chan time.Time
	if timeout > 0 {
		timer := time.NewTimer(timeout)
		defer timer.Stop()
		expired = timer.C
	}
	look := time.NewTimer(w.owner.deadlockTimeout)
	defer look.Stop()
	for {
		select {
		case <-w.granted:
			return nil
		case <-ctx.Done():
			return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
		case <-expired:
			return pgerr.New(pgerr.LockNotAvailable, "canceling statement due to lock timeout")
		case <-look.C:
			t.mu.Lock()
			var err error
			if w.owner.waiting == w {
				if cycle := t.cycle(w.owner); cycle != nil {
					err = t.deadlock(cycle)
				}
			}
			t.mu.Unlock()
			if err != nil {
				return err
			}
		}
	}
}

// stale reports whether a commit that matters to the mode happened after the snapshot. A key share lock (a foreign key's)
// does not mind changes of other columns; a full lock (delete, key change) also minds rows that came to refer to the row.
func (t *lockTable) stale(e *lockEntry, mode LockMode, snap *snapMark) bool {
	if snap == nil {
		return false
	}
	if snap.seq < t.horizon {
		return true
	}
	last := e.keyChanged
	if mode > LockKeyShare {
		last = max(last, e.changed)
	}
	if mode == LockUpdate {
		last = max(last, e.shared)
	}
	return last > snap.seq
}

// blockers returns the owners that w has to wait for: holders, and waiters before it unless it upgrades a lock it holds.
func (t *lockTable) blockers(e *lockEntry, w *waiter) []*lockOwner {
	var out []*lockOwner
	for h, m := range e.holders {
		if h != w.owner && m&conflicts[w.mode] != 0 {
			out = append(out, h)
		}
	}
	if _, upgrade := e.holders[w.owner]; upgrade {
		return out
	}
	for _, q := range e.queue {
		if q == w {
			break
		}
		if q.owner != w.owner && q.mode.set()&conflicts[w.mode] != 0 {
			out = append(out, q.owner)
		}
	}
	return out
}

func (t *lockTable) grant(e *lockEntry, w *waiter) {
	if e.holders == nil {
		e.holders = map[*lockOwner]modeSet{}
	}
	held, have := e.holders[w.owner]
	if !have && !w.unlisted {
		w.owner.held = append(w.owner.held, w.key)
	}
	e.holders[w.owner] = held | w.mode.set()
	if w.granted != nil {
		close(w.granted)
	}
}

// wake grants what has become free, in the order of the queue.
func (t *lockTable) wake(e *lockEntry) {
	for i := 0; i < len(e.queue); {
		w := e.queue[i]
		if len(t.blockers(e, w)) > 0 {
			i++
			continue
		}
		e.queue = append(e.queue[:i], e.queue[i+1:]...)
		w.owner.waiting = nil
		t.grant(e, w)
	}
}

func (t *lockTable) unqueue(e *lockEntry, w *waiter) bool {
	for i, q := range e.queue {
		if q == w {
			e.queue = append(e.queue[:i], e.queue[i+1:]...)
			t.wake(e)
			t.drop(w.key, e)
			return true
		}
	}
	return false
}

// cycle looks for a chain of waits that leads back to o; it returns the waiters on it.
func (t *lockTable) cycle(o *lockOwner) []*waiter {
	seen := map[*lockOwner]bool{}
	var path []*waiter
	var walk func(x *lockOwner) bool
	walk = func(x *lockOwner) bool {
		if x.waiting == nil {
			return false
		}
		path = append(path, x.waiting)
		for _, b := range t.blockers(t.entries[x.waiting.key], x.waiting) {
			if b == o {
				return true
			}
			if !seen[b] {
				seen[b] = true
				if walk(b) {
					return true
				}
			}
		}
		path = path[:len(path)-1]
		return false
	}
	if walk(o) {
		return path
	}
	return nil
}

func (t *lockTable) deadlock(cycle []*waiter) error {
	var detail strings.Builder
	for i, w := range cycle {
		next := cycle[(i+1)%len(cycle)]
		if i > 0 {
			detail.WriteByte('\n')
		}
		fmt.Fprintf(&detail, "Process %d waits for %s; blocked by process %d.", w.owner.pid, t.describe(w, next.owner), next.owner.pid)
	}
	return pgerr.New(pgerr.DeadlockDetected, "deadlock detected").WithDetail("%s", detail.String()).WithHint("See server log for query details.")
}

// releaseFrom gives back the owner's locks from position mark of its list on. wrote says that the owner has committed
// changes: the rows' stamps are set first, so that whoever gets a lock sees that the row changed.
func (t *lockTable) releaseFrom(o *lockOwner, mark int, wrote bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if wrote {
		t.seq++
	}
	for _, key := range o.held[mark:] {
		t.release(o, key, wrote)
	}
	o.held = o.held[:mark]
	if mark == 0 {
		o.xid = 0
	}
	t.sweep()
}

func (t *lockTable) release(o *lockOwner, key string, wrote bool) {
	e := t.entries[key]
	mode := e.holders[o]
	delete(e.holders, o)
	if wrote && len(t.snaps) > 0 && mode&rowModes != 0 {
		switch {
		case mode.covers(LockUpdate):
			e.keyChanged = t.seq
		case mode.covers(LockNoKeyUpdate) || mode.covers(LockChange):
			e.changed = t.seq
		default:
			e.shared = t.seq
		}
		t.ghosts = append(t.ghosts, ghost{t.seq, key})
	}
	t.wake(e)
	t.drop(key, e)
}

// releaseRows gives back the owner's row locks as releaseFrom does, and keeps the others.
func (t *lockTable) releaseRows(o *lockOwner, wrote bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if wrote {
		t.seq++
	}
	kept := o.held[:0]
	for _, key := range o.held {
		if t.entries[key].holders[o]&rowModes == 0 {
			kept = append(kept, key)
			continue
		}
		t.release(o, key, wrote)
	}
	o.held = kept
}

func (t *lockTable) holds(o *lockOwner, key string, mode LockMode) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[key]
	return e != nil && e.holders[o].covers(mode)
}

// waitedFor reports whether somebody waits for one of the first locks that an owner has.
func (t *lockTable) waitedFor(o *lockOwner) bool {
	const looked = 100
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range o.held[:min(len(o.held), looked)] {
		if len(t.entries[key].queue) > 0 {
			return true
		}
	}
	return false
}

// setMode changes what an owner holds of one key to a weaker mode, or gives it back when keep is false.
func (t *lockTable) setMode(o *lockOwner, key string, mode LockMode, keep bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.entries[key]
	if keep {
		e.holders[o] = mode.set()
	} else {
		delete(e.holders, o)
		for i, k := range o.held {
			if k == key {
				o.held = append(o.held[:i], o.held[i+1:]...)
				break
			}
		}
	}
	t.wake(e)
	t.drop(key, e)
}
