package session

import (
	"context"
	"math/rand/v2"
	"sort"
	"strings"
	"time"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/server/settings"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// This file is what functions and system catalogues see of the session: expr.Session and catalog.Live.

// random is the session's generator of random().
type random struct{ r *rand.Rand }

func (r *random) seed(v uint64) { r.r = rand.New(rand.NewPCG(v, 0x9e3779b97f4a7c15)) }

// User is the present role.
func (s *Session) User() string {
	if s.asOwner != "" {
		return s.asOwner
	}
	if r, ok := s.set.Raw("role"); ok && r != "none" {
		return r
	}
	return s.SessionUser()
}

// SessionUser is who the session belongs to.
func (s *Session) SessionUser() string {
	u, _ := s.set.Raw("session_authorization")
	return u
}

// BackendPID is the session's process number.
func (s *Session) BackendPID() int32 { return s.start.PID }

// ServerAddr and ClientAddr are the ends of the connection.
func (s *Session) ServerAddr() (string, int) { return s.start.ServerAddr, s.start.ServerPort }

// ClientAddr is the client's end of the connection.
func (s *Session) ClientAddr() (string, int) { return s.start.ClientAddr, s.start.ClientPort }

// liveView is catalog.Live: its Setting has the name of expr.Session's, and means another thing.
type liveView struct{ *Session }

// Setting returns a parameter in base units, as pg_settings shows it.
func (v liveView) Setting(name string) (string, bool) { return v.set.Raw(name) }

// Setting is current_setting.
func (s *Session) Setting(name string, missingOK bool) (string, bool, error) {
	v, ok := s.set.Show(name)
	if !ok && !missingOK {
		return "", false, settings.Unrecognized(name)
	}
	return v, ok, nil
}

// SetSetting is set_config.
func (s *Session) SetSetting(name, value string, local bool) error {
	return s.set.Set(name, value, local)
}

// ResetSetting is set_config with NULL.
func (s *Session) ResetSetting(name string, local bool) error { return s.set.Reset(name, local) }

// sequence finds a sequence that the role has one of the privileges on; that of an identity column needs none.
func (s *Session) sequence(oid uint32, p catalog.Privileges) (txn.Sequence, error) {
	rel := s.last.RelationByOID(oid)
	if rel == nil {
		return txn.Sequence{}, pgerr.New(pgerr.UndefinedTable, "relation with OID %d does not exist", oid)
	}
	if rel.Sequence == nil {
		return txn.Sequence{}, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a sequence", rel.Name)
	}
	if !rel.Sequence.Identity && s.last.RelationRights(rel, s.last.RoleID(s.User()), p, false) == 0 {
		return txn.Sequence{}, planner.Denied("sequence", rel.Name)
	}
	return sequenceOf(rel), nil
}

func sequenceOf(rel *catalog.Relation) txn.Sequence {
	q := rel.Sequence
	return txn.Sequence{OID: rel.OID, Name: rel.Name, Start: q.Start, Increment: q.Increment, Min: q.Min, Max: q.Max, Cache: q.Cache, Cycle: q.Cycle}
}

// NextVal is nextval.
func (s *Session) NextVal(ctx context.Context, oid uint32) (int64, error) {
	q, err := s.sequence(oid, catalog.Usage|catalog.Update)
	if err != nil {
		return 0, err
	}
	if s.characteristics().ReadOnly {
		return 0, readOnly("nextval()")
	}
	return s.tx.NextVal(ctx, q)
}

// CurrVal is currval.
func (s *Session) CurrVal(oid uint32) (int64, error) {
	q, err := s.sequence(oid, catalog.Usage|catalog.Select)
	if err != nil {
		return 0, err
	}
	return s.tx.CurrVal(q)
}

// LastVal is lastval.
func (s *Session) LastVal() (int64, error) { return s.tx.LastVal() }

// SetVal is setval.
func (s *Session) SetVal(ctx context.Context, oid uint32, value int64, called bool) error {
	q, err := s.sequence(oid, catalog.Update)
	if err != nil {
		return err
	}
	if s.characteristics().ReadOnly {
		return readOnly("setval()")
	}
	return s.tx.SetVal(ctx, q, value, called)
}

// AdvisoryLock takes an advisory lock.
func (s *Session) AdvisoryLock(ctx context.Context, k expr.AdvisoryKey, try bool) (bool, error) {
	return s.tx.AdvisoryLock(ctx, txn.AdvisoryKey{Class: k.Class, Obj: k.Obj, Two: k.Two}, k.Shared, k.Xact, try)
}

// AdvisoryUnlock gives an advisory lock back; without one it warns and returns false.
func (s *Session) AdvisoryUnlock(k expr.AdvisoryKey) bool {
	if s.tx.AdvisoryUnlock(txn.AdvisoryKey{Class: k.Class, Obj: k.Obj, Two: k.Two}, k.Shared) {
		return true
	}
	mode := "ExclusiveLock"
	if k.Shared {
		mode = "ShareLock"
	}
	s.notice(pgerr.New(pgerr.Warning, "you don't own a lock of type %s", mode).WithSeverity("WARNING"))
	return false
}

// AdvisoryUnlockAll gives all session-level advisory locks back.
func (s *Session) AdvisoryUnlockAll() { s.tx.AdvisoryUnlockAll() }

// Cancel is pg_cancel_backend; it warns when there is no such session.
func (s *Session) Cancel(pid int32) bool {
	return s.found(pid, s.eng.Control.Cancel(pid))
}

// Terminate is pg_terminate_backend; it warns when there is no such session.
func (s *Session) Terminate(pid int32) bool {
	return s.found(pid, s.eng.Control.Terminate(pid))
}

func (s *Session) found(pid int32, ok bool) bool {
	if !ok {
		s.notice(pgerr.New(pgerr.Warning, "PID %d is not a PostgreSQL backend process", pid).WithSeverity("WARNING"))
	}
	return ok
}

// TransactionID returns the transaction's number, 0 while it has none and assign is not set.
func (s *Session) TransactionID(assign bool) int64 {
	if s.xid == 0 && assign {
		s.xid = s.eng.nextXID()
	}
	return s.xid
}

// Random returns a number in [0, 1).
func (s *Session) Random() float64 { return s.random.r.Float64() }

// SetSeed is setseed.
func (s *Session) SetSeed(v float64) { s.random.seed(uint64(int64(v * (1 << 62)))) }

// Databases lists the databases of the cluster.
func (s *Session) Databases(ctx context.Context) ([]catalog.Database, error) {
	return s.eng.Catalogs.Databases(ctx)
}

// Activity lists the sessions of the server.
func (s *Session) Activity() []catalog.Activity { return s.eng.Activity() }

// SequenceState returns a sequence's last value and whether it was called.
func (s *Session) SequenceState(ctx context.Context, rel *catalog.Relation) (int64, bool, error) {
	return s.tx.SequenceState(ctx, sequenceOf(rel))
}

// CollectionStats estimates a relation's size.
func (s *Session) CollectionStats(ctx context.Context, rel *catalog.Relation) (rows, bytes, indexBytes int64, err error) {
	return s.eng.Catalogs.Stats(ctx, s.start.Database, rel)
}

// Locks lists the locks of all sessions.
func (s *Session) Locks() []catalog.Lock {
	var out []catalog.Lock
	for _, l := range s.eng.Txns.Locks() {
		row := catalog.Lock{Type: l.Type, PID: l.PID, Mode: l.Mode, Granted: l.Granted, XID: l.XID, Relation: l.Relation}
		switch l.Type {
		case "relation":
			row.Database = l.Database
		case "advisory":
			row.Database, row.ClassID, row.ObjID, row.ObjSubID = l.Database, l.Advisory.Class, l.Advisory.Obj, 1
			if l.Advisory.Two {
				row.ObjSubID = 2
			}
		}
		out = append(out, row)
	}
	return out
}

// BlockingPIDs lists the sessions that keep one waiting for a lock.
func (s *Session) BlockingPIDs(pid int32) []int32 { return s.eng.Txns.Blocking(pid) }

// Prepared lists the session's prepared statements.
func (s *Session) Prepared() []catalog.Prepared {
	var out []catalog.Prepared
	for name, p := range s.prepared {
		if name == "" {
			continue
		}
		c := catalog.Prepared{Name: name, Statement: p.text, Time: pgTime(p.created), FromSQL: p.fromSQL}
		for _, t := range p.params {
			c.Params = append(c.Params, t.OID)
		}
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Cursors lists the session's cursors and named portals.
func (s *Session) Cursors() []catalog.CursorInfo {
	var out []catalog.CursorInfo
	for name, p := range s.portals {
		if name == "" && p.cursor == nil {
			continue
		}
		c := catalog.CursorInfo{Name: name, Statement: strings.TrimSuffix(p.prep.text, ";"), Time: pgTime(p.created)}
		if k := p.cursor; k != nil {
			c.Hold, c.Binary, c.Scrollable = k.hold, k.binary, !k.noScroll
		}
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// StartTime is when the server began, for pg_postmaster_start_time.
func (s *Session) StartTime() time.Time { return s.eng.started }

// TriggerDepth is pg_trigger_depth.
func (s *Session) TriggerDepth() int { return s.triggerDepth }
