package txn

import (
	"context"
	"slices"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// TableLock asks for a table to be locked.
type TableLock struct {
	OID  uint32
	Name string
	Mode LockMode
}

// LockTable locks a table until the transaction ends. waited says that another session held it: what was read of the
// catalogue before may be out of date. databaseOID is the number of the session's database in messages.
func (s *Session) LockTable(ctx context.Context, l TableLock, wait LockWait) (waited bool, err error) {
	w := &waiter{owner: s.owner, key: tableKey(s.db, l.OID), mode: l.Mode}
	refused := func(err error) error {
		if err == nil {
			err = pgerr.New(pgerr.LockNotAvailable, "could not obtain lock on relation \"%s\"", l.Name)
		}
		return err
	}
	strong := l.Mode >= TableShareUpdateExclusive
	if strong {
		// One proxy at a time, so that no two wait for each other here.
		ok, err := s.m.holdGlobally(ctx, w.key, true, wait, s.timeout())
		if !ok || err != nil {
			return false, refused(err)
		}
		s.tables = append(s.tables, w.key)
	}
	mark := len(s.owner.held)
	ok, _, err := s.m.locks.take(ctx, w, wait, s.lockTimeout, nil)
	if err != nil || !ok {
		return false, refused(err)
	}
	if strong && s.m.cluster.Shared() {
		if ok, err := s.ask(ctx, w.key, l.Mode, wait); err != nil || !ok {
			s.m.locks.releaseFrom(s.owner, mark, false)
			return false, refused(err)
		}
	}
	return w.granted != nil, nil
}

// timeout is lock_timeout where other proxies are waited for, whose waits for this one no deadlock detection sees.
func (s *Session) timeout() time.Duration {
	if s.lockTimeout == 0 && s.m.cluster.Shared() {
		return s.m.opts.RetryTimeout
	}
	return s.lockTimeout
}

// LockInfo is a lock of pg_locks.
type LockInfo struct {
	PID int32
	// Type is "relation", "transactionid" or "advisory".
	Type     string
	Database uint32
	Relation uint32
	Advisory AdvisoryKey
	XID      uint32
	Mode     string
	Granted  bool
}

// Locks lists the locks of all sessions. Of row locks it shows, as PostgreSQL does, the transactions that are waited for.
func (m *Manager) Locks() []LockInfo {
	t := m.locks
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []LockInfo
	for key, e := range t.entries {
		k := parseKey(key)
		for o, modes := range e.holders {
			for mode := range lockModes {
				if modes&mode.set() != 0 && k.kind != lockRow {
					out = append(out, k.info(o, mode, true))
				}
			}
		}
		for _, w := range e.queue {
			i := k.info(w.owner, w.mode, false)
			for _, b := range t.blockers(e, w) {
				if k.kind == lockRow {
					i.XID = t.number(b)
					out = append(out, LockInfo{PID: b.pid, Type: "transactionid", XID: i.XID, Mode: "ExclusiveLock", Granted: true})
					break
				}
			}
			out = append(out, i)
		}
	}
	return out
}

func (k lockKey) info(o *lockOwner, mode LockMode, granted bool) LockInfo {
	i := LockInfo{PID: o.pid, Database: o.database, Relation: k.relation, Advisory: k.advisory, Mode: modeNames[mode], Granted: granted, Type: k.event()}
	switch k.kind {
	case lockAdvisory:
		i.Mode = advisoryMode(mode)
	case lockRow:
		i.Mode = modeNames[TableShare]
	}
	return i
}

// event is the name of waiting for such a lock.
func (k lockKey) event() string {
	switch k.kind {
	case lockTableKind:
		return "relation"
	case lockAdvisory:
		return "advisory"
	}
	return "transactionid"
}

// Waiting tells what the session of a process waits for, "" for nothing: the wait_event of pg_stat_activity.
func (m *Manager) Waiting() map[int32]string {
	t := m.locks
	t.mu.Lock()
	defer t.mu.Unlock()
	var out map[int32]string
	for key, e := range t.entries {
		for _, w := range e.queue {
			if out == nil {
				out = map[int32]string{}
			}
			out[w.owner.pid] = parseKey(key).event()
		}
	}
	return out
}

// Blocking lists the processes that keep a process waiting.
func (m *Manager) Blocking(pid int32) []int32 {
	t := m.locks
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.entries {
		for _, w := range e.queue {
			if w.owner.pid != pid {
				continue
			}
			var out []int32
			for _, b := range t.blockers(e, w) {
				out = append(out, b.pid)
			}
			slices.Sort(out)
			return slices.Compact(out)
		}
	}
	return nil
}
