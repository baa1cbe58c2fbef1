package txn

import (
	"context"
	"time"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Isolation is a transaction's isolation level.
type Isolation uint8

// The isolation levels. READ UNCOMMITTED is READ COMMITTED under another name, as in PostgreSQL; SERIALIZABLE is refused,
// since MongoDB's snapshot isolation lets write skew through.
const (
	ReadCommitted Isolation = iota
	RepeatableRead
	Serializable
	ReadUncommitted
)

// committed says that each statement sees what was committed before it.
func (i Isolation) committed() bool { return i == ReadCommitted || i == ReadUncommitted }

// Options are a transaction's characteristics.
type Options struct {
	Isolation  Isolation
	ReadOnly   bool
	Deferrable bool
}

type blockState uint8

const (
	noBlock       blockState = iota
	implicitBlock            // several statements of one simple query, or a pipeline up to its Sync
	explicitBlock            // BEGIN ... COMMIT
)

// Session is the transaction state of one SQL session. It is used by one goroutine.
type Session struct {
	m     *Manager
	db    string
	owner *lockOwner

	block  blockState
	failed bool
	opts   Options
	// queries counts the statements begun in the block.
	queries int

	// ms is the open MongoDB transaction, nil while there is none; snap is its place among the commits.
	ms   *mongo.Session
	snap *snapMark
	// lost says that the log's writes are in no MongoDB transaction and must be replayed before the next operation.
	lost bool
	log  writeLog
	defs definitions
	// frozen is the snapshot of a READ ONLY REPEATABLE READ transaction.
	frozen  *mongo.Session
	cursors map[*txnCursor]struct{}

	// late are changes that are made right before the commit, so that others need not wait for it.
	late    []logEntry
	saves   []savepoint
	hooks   []hook
	pending []*pendingCheck
	// ran are the checks that were made in the open block, one a constraint.
	ran     []*pendingCheck
	modes   map[uint32]bool // SET CONSTRAINTS by constraint
	allMode *bool           // SET CONSTRAINTS ALL

	// What the transaction relies on and what it must not share with other proxies' transactions; see guard.go, touch.go.
	guards    guards
	slot      int
	slotTaken bool
	slotName  string
	untouched []rows
	// tables are those that are locked against other proxies' statements.
	tables []string
	// elsewhere are the rows that the present statement found locked by other proxies; noWait says that it is run again
	// without them.
	elsewhere map[string]bool
	noWait    bool

	lockTimeout time.Duration
	advisory    map[string]*advisoryHold
	seqs        sequences
	// running counts the statements that have begun and not finished: suspended portals and the one that runs.
	running int
}

type savepoint struct {
	name  string
	log   int
	hooks int
	locks int
	// advisory is how often the transaction held each advisory lock.
	advisory map[string][2]int
	// modes and allMode are what SET CONSTRAINTS had said.
	modes   map[uint32]bool
	allMode *bool
}

// hook is a function to run after the transaction has ended one way.
type hook struct {
	commit   func(context.Context)
	rollback func(context.Context)
}

type pendingCheck struct {
	constraint uint32
	check      Check
}

// Database returns the name of the MongoDB database that the session works in.
func (s *Session) Database() string { return s.db }

// Manager returns the session's manager.
func (s *Session) Manager() *Manager { return s.m }

// SetLockTimeouts sets lock_timeout, where 0 waits forever, and deadlock_timeout.
func (s *Session) SetLockTimeouts(lock, deadlock time.Duration) {
	s.lockTimeout, s.owner.deadlockTimeout = lock, deadlock
}

// InBlock reports whether a transaction block was begun with BEGIN.
func (s *Session) InBlock() bool { return s.block == explicitBlock }

// Implicit reports whether an implicit block is open.
func (s *Session) Implicit() bool { return s.block == implicitBlock }

// Failed reports whether the block is aborted, so that only its end or ROLLBACK TO is accepted.
func (s *Session) Failed() bool { return s.failed }

// Options returns the characteristics of the present transaction.
func (s *Session) Options() Options { return s.opts }

// Wrote reports whether the present transaction has written something.
func (s *Session) Wrote() bool { return s.log.total() > 0 }

// Status returns the byte of ReadyForQuery: 'I' idle, 'T' in a block, 'E' in an aborted block.
func (s *Session) Status() byte {
	switch {
	case s.block != explicitBlock:
		return 'I'
	case s.failed:
		return 'E'
	}
	return 'T'
}

func inFailed() error {
	return pgerr.New(pgerr.InFailedSQLTransaction, "current transaction is aborted, commands ignored until end of transaction block")
}

// Begin opens a block. Inside one it returns PostgreSQL's 25001 as an error of severity WARNING, and the block goes on.
// An implicit block becomes this block. Nothing is sent to MongoDB.
func (s *Session) Begin(o Options) error {
	if s.block == explicitBlock {
		if s.failed {
			return inFailed()
		}
		return pgerr.New(pgerr.ActiveSQLTransaction, "there is already a transaction in progress").WithSeverity("WARNING")
	}
	if s.block == noBlock {
		s.queries = 0
	}
	s.block, s.opts = explicitBlock, o
	return nil
}

// SetOptions is SET TRANSACTION. The isolation level cannot change after the first query (25001), nor can a read-only
// transaction become read-write then.
func (s *Session) SetOptions(o Options) error {
	if s.failed {
		return inFailed()
	}
	if s.queries > 0 {
		if o.Isolation != s.opts.Isolation {
			return pgerr.New(pgerr.ActiveSQLTransaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query")
		}
		if s.opts.ReadOnly && !o.ReadOnly {
			return pgerr.New(pgerr.ActiveSQLTransaction, "transaction read-write mode must be set before any query")
		}
	}
	s.opts = o
	return nil
}

// BeginImplicit opens an implicit block: its statements commit or fail together. Inside any block it does nothing.
func (s *Session) BeginImplicit(o Options) error {
	if s.block != noBlock {
		return nil
	}
	s.block, s.opts, s.queries = implicitBlock, o, 0
	return nil
}

// EndImplicit ends an implicit block: it commits, or rolls back when a statement failed. In no block, or one that BEGIN
// made explicit, it does nothing.
func (s *Session) EndImplicit(ctx context.Context) error {
	if s.block != implicitBlock {
		return nil
	}
	if s.failed {
		s.abandon(ctx)
		return nil
	}
	return s.commit(ctx)
}

func noTransaction() error {
	return pgerr.New(pgerr.NoActiveSQLTransaction, "there is no transaction in progress").WithSeverity("WARNING")
}

// Commit ends the block; committed is false when it had failed and was rolled back instead (the tag is ROLLBACK then).
// Outside a block it returns PostgreSQL's 25P01 as an error of severity WARNING (after committing an implicit block).
func (s *Session) Commit(ctx context.Context) (committed bool, err error) {
	switch {
	case s.block == implicitBlock && !s.failed:
		if err := s.commit(ctx); err != nil {
			return false, err
		}
		return true, noTransaction()
	case s.block == noBlock:
		return true, noTransaction()
	case s.failed:
		s.abandon(ctx)
		return false, nil
	}
	if err := s.commit(ctx); err != nil {
		return false, err
	}
	return true, nil
}

// Rollback ends the block and undoes it. Outside a block it returns 25P01 as an error of severity WARNING (after rolling
// back an implicit block).
func (s *Session) Rollback(ctx context.Context) error {
	was := s.block
	s.abandon(ctx)
	if was != explicitBlock {
		return noTransaction()
	}
	return nil
}

// Close ends the session: what is open is rolled back and every lock is released.
func (s *Session) Close(ctx context.Context) {
	s.giveBack(ctx)
	s.abandon(ctx)
	s.AdvisoryUnlockAll()
}

// Fail marks the block as aborted after an error outside a statement's run (or one that the caller will not repeat). In an
// implicit block all is undone when the block ends; outside a block it releases what a statement that was to be repeated
// still holds.
func (s *Session) Fail(ctx context.Context) {
	s.seqs.used()
	if s.block == noBlock {
		s.abandon(ctx)
		return
	}
	s.failed = true
	if len(s.saves) > 0 {
		return
	}
	// Nothing but the end of the block can follow: let others have the rows now, as PostgreSQL does.
	s.dropMongo(ctx)
	s.log.reset()
	s.lost = false
	s.m.locks.releaseFrom(s.owner, 0, false)
	s.dropTables()
	s.releaseXactAdvisory(nil)
}

// OnTransactionEnd registers functions to run after the commit or the rollback of the present transaction (either may be
// nil). ROLLBACK TO and a failed statement run the rollback functions registered since, newest first, and forget both.
func (s *Session) OnTransactionEnd(commit, rollback func(context.Context)) {
	s.hooks = append(s.hooks, hook{commit, rollback})
}

func (s *Session) undoHooks(ctx context.Context, mark int) {
	for len(s.hooks) > mark {
		h := s.hooks[len(s.hooks)-1]
		s.hooks = s.hooks[:len(s.hooks)-1]
		if h.rollback != nil {
			h.rollback(context.WithoutCancel(ctx))
		}
	}
}

// dropMongo aborts the MongoDB transaction and snapshot, if any; the log stays.
func (s *Session) dropMongo(ctx context.Context) {
	for c := range s.cursors {
		c.kill()
	}
	s.cursors = nil
	if s.ms != nil {
		s.ms.End(ctx)
		s.ms = nil
		s.defs.touched, s.defs.newer = nil, nil
		s.m.locks.closeSnapshot(s.snap)
		s.snap = nil
	}
	if s.frozen != nil {
		s.frozen.End(ctx)
		s.frozen = nil
	}
}

// abandon rolls back whatever is open and leaves the session idle.
func (s *Session) abandon(ctx context.Context) {
	s.dropMongo(ctx)
	s.undoHooks(ctx, 0)
	s.reset(false)
}

// reset forgets the transaction and releases its locks.
func (s *Session) reset(wrote bool) {
	s.forget()
	s.release(wrote)
}

func (s *Session) forget() {
	s.log.reset()
	s.defs.made, s.late = nil, nil
	s.lost, s.failed, s.block, s.queries = false, false, noBlock, 0
	s.saves, s.hooks, s.pending, s.modes, s.allMode = nil, nil, nil, nil, nil
	s.opts = Options{}
	s.dropGuards()
}

func (s *Session) release(wrote bool) {
	s.m.locks.releaseFrom(s.owner, 0, wrote)
	s.dropTables()
	s.releaseXactAdvisory(nil)
}

// commit runs the deferred checks and commits. On an error everything is rolled back.
func (s *Session) commit(ctx context.Context) error {
	deadline := time.Now().Add(s.m.opts.RetryTimeout)
	for attempt := 0; ; attempt++ {
		err := s.tryCommit(ctx)
		if err == nil {
			break
		}
		again := s.opts.Isolation.committed() && (isRetry(err) || mongo.IsConflict(err)) && time.Now().Before(deadline)
		if again {
			s.dropMongo(ctx)
			s.lost = s.log.total() > 0
			err = sleep(ctx, attempt)
		}
		if err != nil {
			if s.opts.Isolation == Serializable && mongo.IsConflict(err) {
				err = dependencies(err)
			}
			s.abandon(ctx)
			return err
		}
	}
	s.ended(ctx, s.log.changes())
	return nil
}

// ended tidies up after a commit. What is to be done then is done before the locks are given back: whoever waited for
// a table must find its new definition.
func (s *Session) ended(ctx context.Context, wrote bool) {
	hooks := s.hooks
	s.dropMongo(ctx)
	s.forget()
	for _, h := range hooks {
		if h.commit != nil {
			h.commit(context.WithoutCancel(ctx))
		}
	}
	s.release(wrote)
}

func (s *Session) tryCommit(ctx context.Context) error {
	if err := s.runPending(ctx, nil); err != nil {
		return err
	}
	if !s.log.changes() {
		return nil
	}
	if err := s.ensure(ctx); err != nil {
		return err
	}
	// A cancel that comes now comes too late: the answer must be definite.
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.m.opts.CommitTimeout)
	defer cancel()
	return s.commitMongo(cctx)
}

// runPending runs and forgets the deferred checks of the given constraints (nil: of all), as a statement of its own. They
// stay pending if they fail in a way that may be repeated.
func (s *Session) runPending(ctx context.Context, only func(constraint uint32) bool) error {
	if len(s.pending) == 0 {
		return nil
	}
	st := &Stmt{s: s, write: true, nested: true}
	for i := 0; i < len(s.pending); i++ {
		p := s.pending[i]
		if only != nil && !only(p.constraint) {
			continue
		}
		if err := p.check.Run(ctx, st); err != nil {
			return err
		}
		s.checked(p)
	}
	kept := s.pending[:0]
	for _, p := range s.pending {
		if only != nil && !only(p.constraint) {
			kept = append(kept, p)
		}
	}
	s.pending = kept
	return nil
}

// checked notes a check that was made in a block.
func (s *Session) checked(p *pendingCheck) {
	if s.block == noBlock {
		return
	}
	for _, r := range s.ran {
		if r.constraint == p.constraint {
			if r.check != p.check {
				r.check.Merge(p.check)
			}
			return
		}
	}
	s.ran = append(s.ran, p)
}

// SetConstraints is SET CONSTRAINTS for the given constraints (nil: ALL). IMMEDIATE runs the checks that are pending.
func (s *Session) SetConstraints(ctx context.Context, constraints []uint32, deferred bool) error {
	if s.failed {
		return inFailed()
	}
	if s.block == noBlock {
		return nil
	}
	wanted := func(uint32) bool { return true }
	if constraints == nil {
		s.allMode, s.modes = &deferred, nil
	} else {
		if s.modes == nil {
			s.modes = map[uint32]bool{}
		}
		set := map[uint32]bool{}
		for _, c := range constraints {
			s.modes[c], set[c] = deferred, true
		}
		wanted = func(c uint32) bool { return set[c] }
	}
	if deferred {
		return nil
	}
	return s.Run(ctx, StatementOptions{Write: true}, func(ctx context.Context, _ *Stmt) (bool, error) {
		return false, s.runPending(ctx, wanted)
	})
}

func (s *Session) deferredNow(constraint uint32, initially bool) bool {
	if d, ok := s.modes[constraint]; ok {
		return d
	}
	if s.allMode != nil {
		return *s.allMode
	}
	return initially
}
