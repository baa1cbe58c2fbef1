package txn

import (
	"context"
	"encoding/binary"
)

// AdvisoryKey identifies an advisory lock: one int8 in two halves, or two int4.
type AdvisoryKey struct {
	Class, Obj uint32
	Two        bool
}

// advisoryHold is what a session holds of one advisory lock: how many times for the session, and for the transaction,
// each shared [0] and exclusive [1].
type advisoryHold struct {
	session [2]int
	xact    [2]int
	// global says that the lock is held exclusively against other proxies.
	global bool
}

func (h *advisoryHold) empty() bool { return h.session == [2]int{} && h.xact == [2]int{} }

func (h *advisoryHold) mode() LockMode {
	if h.session[1] > 0 || h.xact[1] > 0 {
		return LockUpdate
	}
	return LockShare
}

func (s *Session) advisoryName(k AdvisoryKey) string {
	b := make([]byte, 0, len(s.db)+12)
	b = append(b, s.db...)
	b = append(b, 0, 0)
	if k.Two {
		b = append(b, 2)
	} else {
		b = append(b, 1)
	}
	b = binary.BigEndian.AppendUint32(b, k.Class)
	return string(binary.BigEndian.AppendUint32(b, k.Obj))
}

// AdvisoryLock takes an advisory lock of the session's database, for the transaction (xact) or the session. With try it
// does not wait: ok is false when another session holds it.
func (s *Session) AdvisoryLock(ctx context.Context, k AdvisoryKey, shared, xact, try bool) (ok bool, err error) {
	name := s.advisoryName(k)
	mode, wait, i := LockUpdate, WaitBlock, 1
	if shared {
		mode, i = LockShare, 0
	}
	if try {
		wait = WaitSkip
	}
	ok, _, err = s.m.locks.take(ctx, &waiter{owner: s.owner, key: name, mode: mode, unlisted: true}, wait, s.lockTimeout, nil)
	if !ok {
		return false, err
	}
	h := s.advisory[name]
	if err == nil && (h == nil || !shared && !h.global) {
		ok, err = s.m.holdGlobally(ctx, name, !shared, wait, s.lockTimeout)
		if ok && h != nil {
			s.m.dropGlobally(name) // the stronger hold replaces it
			h.global = true
		}
	}
	if !ok || err != nil {
		// Granted here, and refused elsewhere or cancelled: back to what was held before.
		if h == nil {
			s.m.locks.setMode(s.owner, name, 0, false)
		} else {
			s.m.locks.setMode(s.owner, name, h.mode(), true)
		}
		return false, err
	}
	if h == nil {
		h = &advisoryHold{global: !shared}
		if s.advisory == nil {
			s.advisory = map[string]*advisoryHold{}
		}
		s.advisory[name] = h
	}
	if xact {
		h.xact[i]++
	} else {
		h.session[i]++
	}
	return true, nil
}

// AdvisoryUnlock gives back one hold of a session-level lock; it reports whether there was one (PostgreSQL warns if not).
func (s *Session) AdvisoryUnlock(k AdvisoryKey, shared bool) bool {
	name := s.advisoryName(k)
	h := s.advisory[name]
	i := 1
	if shared {
		i = 0
	}
	if h == nil || h.session[i] == 0 {
		return false
	}
	h.session[i]--
	s.settle(name, h)
	return true
}

// AdvisoryUnlockAll gives back all session-level locks.
func (s *Session) AdvisoryUnlockAll() {
	for name, h := range s.advisory {
		h.session = [2]int{}
		s.settle(name, h)
	}
}

// releaseXactAdvisory gives back the transaction's advisory locks, but for those that it held at a savepoint.
func (s *Session) releaseXactAdvisory(keep map[string][2]int) {
	for name, h := range s.advisory {
		if h.xact != keep[name] {
			h.xact = keep[name]
			s.settle(name, h)
		}
	}
}

// xactAdvisory is how often the transaction holds each advisory lock, for a savepoint.
func (s *Session) xactAdvisory() map[string][2]int {
	var held map[string][2]int
	for name, h := range s.advisory {
		if h.xact != [2]int{} {
			if held == nil {
				held = map[string][2]int{}
			}
			held[name] = h.xact
		}
	}
	return held
}

// settle brings the lock table in line with what is still held.
func (s *Session) settle(name string, h *advisoryHold) {
	s.m.locks.setMode(s.owner, name, h.mode(), !h.empty())
	if h.empty() {
		delete(s.advisory, name)
		s.m.dropGlobally(name)
	}
}
