package txn

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// StatementOptions say what a statement is going to do.
type StatementOptions struct {
	// Write is set for statements that change documents or lock rows: their reads run inside the MongoDB transaction, so
	// that a row that changes between its read and its write is a conflict.
	Write bool
	// Log is set for statements that use Session.Outside (DDL): their writes are logged also outside blocks.
	Log bool
	// BufferWrites holds the changes back until Finish, for statements with data-modifying CTEs, whose parts must not see
	// each other's changes.
	BufferWrites bool
}

// Stmt is one run of a statement; it implements Statement.
type Stmt struct {
	s *Session
	// outer is the statement that a routine's statement runs inside of.
	outer *Stmt
	// auto says that the statement is its own transaction.
	auto   bool
	write  bool
	log    bool
	buffer bool
	// nested is set for the session's own work inside another statement or commit.
	nested   bool
	finished bool
	began    time.Time
	mark     int
	hooks    int
	locks    int
	// view is the statement's own snapshot outside a MongoDB transaction.
	view *mongo.Session
	// once says that the statement's only change was made without a MongoDB transaction.
	once bool
	// loaded says that rows were written that a further run of the statement would write again.
	loaded bool
	// loading is the load of the table that the statement inserts into, nil for none.
	loading  *loading
	reads    int
	buffered []logEntry
	checks   []*pendingCheck
}

// Start begins a run of a statement. In a failed block it is 25P02.
func (s *Session) Start(ctx context.Context, o StatementOptions) (*Stmt, error) {
	if s.failed {
		return nil, inFailed()
	}
	if s.m.cluster.Shared() {
		if err := s.touchLate(ctx); err != nil {
			return nil, err
		}
	}
	if s.block != noBlock {
		if len(s.defs.newer) > 0 && !o.Log && s.log.dropped == 0 && len(s.cursors) == 0 {
			// All of the statement reads one snapshot: DDL reads no rows but those that it checks.
			s.dropMongo(ctx)
			s.lost = s.log.total() > 0
		}
		s.refresh(ctx)
		s.queries++
	}
	s.running++
	return &Stmt{
		s: s, auto: s.block == noBlock, write: o.Write || o.Log, log: o.Log, buffer: o.BufferWrites,
		began: time.Now(), mark: s.log.total(), hooks: len(s.hooks), locks: len(s.owner.held),
	}, nil
}

// refresh gives a READ COMMITTED block a new snapshot if other sessions have committed since the present one: MongoDB's
// transaction is aborted, and the log replayed in a new one.
// The counter-example: BEGIN; UPDATE a; (another session commits an INSERT into b); SELECT count(*) FROM b counts it.
func (s *Session) refresh(ctx context.Context) {
	if s.ms == nil || !s.opts.Isolation.committed() || len(s.cursors) > 0 || s.log.dropped > 0 ||
		len(s.log.entries) > s.m.opts.RefreshLimit || s.m.locks.committed() == s.snap.seq {
		return
	}
	s.dropMongo(ctx)
	s.lost = s.log.total() > 0
}

// Finish ends the run. With err nil it makes the statement's checks and, outside a block, commits; then nil says that the
// statement is done. With an error the statement's changes are undone; the block is aborted, unless Retryable holds for
// the error that Finish returns, when the caller runs the statement again or calls Session.Fail.
func (t *Stmt) Finish(ctx context.Context, err error) error {
	if t.finished {
		return err
	}
	t.finished = true
	t.s.running--
	if err = t.finish(ctx, err); isRetry(err) {
		t.s.seqs.rewind()
	} else {
		t.s.elsewhere = nil
		t.s.giveBack(ctx)
	}
	return err
}

func (t *Stmt) finish(ctx context.Context, err error) error {
	if err == nil {
		err = t.complete(ctx)
	}
	if t.view != nil {
		t.view.End(ctx)
		t.view = nil
	}
	s := t.s
	switch {
	case err == nil && !t.auto:
		return nil
	case err == nil && t.loading != nil && t.loading.into != "":
		if err = t.finishLoad(ctx); err == nil {
			return nil
		}
	case err == nil && t.once:
		s.reset(true)
		return nil
	case err == nil:
		// An autocommit statement cannot be repeated by commit itself, since its changes are not logged.
		err = s.tryAutoCommit(ctx)
		if err == nil {
			return nil
		}
	}
	err = t.classify(err)
	switch {
	case isRetry(err) && t.auto:
		// The locks stay, so that the next run gets through.
		s.dropMongo(ctx)
		s.undoHooks(ctx, 0)
		s.log.reset()
		s.lost, s.pending = false, nil
	case t.auto:
		s.abandon(ctx)
	case isRetry(err):
		s.dropMongo(ctx)
		s.log.cut(t.mark)
		s.lost = s.log.total() > 0
		s.undoHooks(ctx, t.hooks)
		// The next run is the same query.
		s.queries = max(s.queries-1, 0)
	default:
		s.Fail(ctx)
	}
	return err
}

// complete sends what was buffered and runs the statement's own checks.
func (t *Stmt) complete(ctx context.Context) error {
	t.buffer = false
	for i := 0; i < len(t.buffered); {
		e := t.buffered[i]
		writes := []mongo.Write{e.write}
		for i++; i < len(t.buffered) && t.buffered[i].database == e.database && t.buffered[i].collection == e.collection; i++ {
			writes = append(writes, t.buffered[i].write)
		}
		if err := t.Write(ctx, e.database, e.collection, writes); err != nil {
			return err
		}
	}
	t.buffered = nil
	// A check may cause further ones (a cascade's), also of constraints that were checked before.
	for len(t.checks) > 0 {
		now := t.checks[0]
		t.checks = t.checks[1:]
		if err := now.check.Run(ctx, t); err != nil {
			return err
		}
		t.s.checked(now)
	}
	if t.auto {
		return t.s.runPending(ctx, nil)
	}
	return nil
}

// tryAutoCommit commits the transaction of an autocommit statement.
func (s *Session) tryAutoCommit(ctx context.Context) error {
	wrote := s.ms != nil && s.log.changes()
	if wrote {
		cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.m.opts.CommitTimeout)
		defer cancel()
		if err := s.ensure(cctx); err != nil {
			return err
		}
		if err := s.commitMongo(cctx); err != nil {
			return err
		}
	} else if s.lost {
		return s.commit(ctx)
	}
	s.ended(ctx, wrote)
	return nil
}

// classify makes a conflict one that the caller may repeat, where PostgreSQL would have waited and gone on: under READ
// COMMITTED, or when the transaction had seen nothing before.
func (t *Stmt) classify(err error) error {
	if err == nil || isRetry(err) || isFinal(err) || !mongo.IsConflict(err) {
		return err
	}
	if e := mongo.AsServerError(err); e.Code == noSuchTransaction && !t.began.IsZero() && time.Since(t.began) > lifetime {
		return pgerr.New(pgerr.ProgramLimitExceeded, "the statement took longer than a transaction of MongoDB may live").
			WithHint("Do it in smaller parts, or raise MongoDB's parameter transactionLifetimeLimitSeconds.")
	}
	if t.mayRetry() {
		return retry(err)
	}
	return serializationFailure(err)
}

// MongoDB's code for a transaction that it has ended, and how long it lets one live by default, less the precision of its
// clock. A statement that ran into the limit would do so again.
const (
	noSuchTransaction = 251
	lifetime          = 58 * time.Second
)

func (t *Stmt) mayRetry() bool {
	return !t.nested && (t.auto || !t.loaded && (t.s.opts.Isolation.committed() || t.s.queries <= 1))
}

func isFinal(err error) bool {
	var f *finalError
	return errors.As(err, &f)
}

// Retryable reports whether err, as Finish returned it, is a conflict after which the same statement may be run again,
// provided that nothing of its result was sent.
func (s *Session) Retryable(err error) bool { return isRetry(err) }

// Backoff waits before the statement is run again for the n-th time (from 0). It returns an error when it is time to give
// up: since is when the statement first ran.
func (s *Session) Backoff(ctx context.Context, n int, since time.Time, cause error) error {
	if err := s.overdue(since, cause); err != nil {
		return err
	}
	if s.noWait {
		s.noWait = false
		return nil
	}
	if s.m.cluster.Shared() && time.Since(since) > s.owner.deadlockTimeout {
		// Who waits here for these rows may be waited for by the other proxy's transaction that holds what this one wants.
		// What was written is verified when it is replayed.
		s.m.locks.releaseRows(s.owner, false)
	}
	return sleep(ctx, n)
}

// Run runs a statement, again and again while it meets conflicts. f reports whether it has sent something to the client,
// after which it is not repeated.
func (s *Session) Run(ctx context.Context, o StatementOptions, f func(context.Context, *Stmt) (sent bool, err error)) error {
	began := time.Now()
	for n := 0; ; n++ {
		st, err := s.Start(ctx, o)
		if err != nil {
			return err
		}
		sent, err := f(ctx, st)
		err = st.Finish(ctx, err)
		if err == nil || !s.Retryable(err) {
			return err
		}
		if !sent {
			if err = s.Backoff(ctx, n, began, err); err == nil {
				continue
			}
		}
		s.Fail(ctx)
		return err
	}
}

// InTransaction implements Statement.
func (t *Stmt) InTransaction() bool { return t.transactional() }

// transactional reports whether reads run inside the MongoDB transaction: when this statement writes, when the transaction
// has written before, and in REPEATABLE READ transactions that may write later.
func (t *Stmt) transactional() bool {
	s := t.s
	if !s.m.client.Info().Transactions() {
		return false
	}
	return t.write || s.ms != nil || s.log.total() > 0 || !t.auto && !s.opts.Isolation.committed() && !s.opts.ReadOnly
}

// PreCheck implements Statement.
func (t *Stmt) PreCheck() bool { return len(t.s.saves) > 0 }

// Deferred implements Statement.
func (t *Stmt) Deferred(constraint uint32, initially bool) bool {
	return t.s.deferredNow(constraint, initially)
}

// Pending implements Statement.
func (t *Stmt) Pending(constraint uint32, deferred bool, create func() Check) Check {
	list := &t.checks
	if deferred {
		list = &t.s.pending
	}
	for _, p := range *list {
		if p.constraint == constraint {
			return p.check
		}
	}
	p := &pendingCheck{constraint, create()}
	*list = append(*list, p)
	return p.check
}

// Read implements Statement.
func (t *Stmt) Read(ctx context.Context, q mongo.Query) (mongo.Cursor, error) {
	if q.Database == "" {
		q.Database = t.s.db
	}
	if q.Now {
		return t.s.m.client.Read(ctx, q)
	}
	if t.transactional() {
		if q.Pipeline == nil && t.s.defs.made[place(q.Database, q.Collection)] == madeEmpty {
			return nothing{}, nil
		}
		return t.readInTransaction(ctx, q)
	}
	for attempt := 0; ; attempt++ {
		ms, err := t.snapshot()
		if err != nil {
			return nil, err
		}
		cur, err := ms.Read(ctx, q)
		if err == nil {
			t.reads++
			return cur, nil
		}
		// Right after DDL the server may have no snapshot yet that the collection can be read at.
		if t.reads > 0 || !mongo.IsConflict(err) || attempt > 12 {
			return nil, err
		}
		t.dropSnapshot(ctx)
		if err := sleep(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

func (t *Stmt) snapshot() (*mongo.Session, error) {
	if t.outer != nil {
		return t.outer.snapshot()
	}
	frozen := !t.auto && !t.s.opts.Isolation.committed()
	if frozen && t.s.frozen != nil {
		return t.s.frozen, nil
	}
	if t.view != nil {
		return t.view, nil
	}
	ms, err := t.s.m.client.Session(mongo.Snapshot)
	if err != nil {
		return nil, err
	}
	if frozen {
		t.s.frozen = ms
	} else {
		t.view = ms
	}
	return ms, nil
}

func (t *Stmt) dropSnapshot(ctx context.Context) {
	if t.view != nil {
		t.view.End(ctx)
		t.view = nil
	}
	if t.s.frozen != nil && t.s.queries <= 1 {
		t.s.frozen.End(ctx)
		t.s.frozen = nil
	}
}

func (t *Stmt) readInTransaction(ctx context.Context, q mongo.Query) (mongo.Cursor, error) {
	s := t.s
	if err := s.ensureFor(ctx, q.Database, q.Collection); err != nil {
		return nil, t.classify(err)
	}
	if s.opts.Isolation == Serializable {
		s.hasRead(q)
	}
	cur, err := s.ms.Read(ctx, q)
	if err != nil {
		return nil, t.lose(ctx, err)
	}
	t.reads++
	ms := s.ms
	c := &txnCursor{s: s, inner: cur, from: place(q.Database, q.Collection)}
	c.onErr = func(err error) error {
		if s.ms != ms {
			return t.classify(err)
		}
		return t.lose(ctx, err)
	}
	if s.cursors == nil {
		s.cursors = map[*txnCursor]struct{}{}
	}
	s.cursors[c] = struct{}{}
	return c, nil
}

// lose notes that the server has ended the MongoDB transaction, as it does on nearly every error.
func (t *Stmt) lose(ctx context.Context, err error) error {
	t.s.dropMongo(ctx)
	t.s.lost = t.s.log.total() > 0
	return t.classify(err)
}

// Lock implements Statement.
func (t *Stmt) Lock(ctx context.Context, database, collection string, ids []bson.RawValue, mode LockMode, wait LockWait) ([]bool, error) {
	s := t.s
	var skipped []bool
	anyStale := false
	for i, id := range ids {
		ok, stale, err := s.m.locks.acquire(ctx, s.owner, rowKey(database, collection, id), mode, wait, s.lockTimeout, s.snap)
		if err != nil {
			return nil, err
		}
		if !ok && wait == WaitError {
			return nil, pgerr.New(pgerr.LockNotAvailable, "could not obtain lock on row in relation %q", collection)
		}
		if !ok {
			if skipped == nil {
				skipped = make([]bool, len(ids))
			}
			skipped[i] = true
		}
		anyStale = anyStale || ok && stale
	}
	if anyStale {
		if t.mayRetry() {
			return nil, retry(nil)
		}
		if t.nested {
			// Commit takes a new snapshot and checks again.
			return nil, retry(nil)
		}
		return nil, serializationFailure(nil)
	}
	if skipped == nil {
		skipped = make([]bool, len(ids))
	}
	return skipped, nil
}

// WriteOnce implements Statement.
func (t *Stmt) WriteOnce(ctx context.Context, database, collection string, w mongo.Write) error {
	if !t.alone() {
		return t.Write(ctx, database, collection, []mongo.Write{w})
	}
	if err := t.writable(); err != nil {
		return err
	}
	if database == "" {
		database = t.s.db
	}
	if _, err := t.s.m.together.do(ctx, &single{Single: mongo.Single{Database: database, Collection: collection, Insert: w.Doc}}); err != nil {
		return t.classify(err)
	}
	t.once = true
	return nil
}

// alone reports whether the statement is a transaction of its own that has written nothing yet, so that its only change
// needs no MongoDB transaction.
func (t *Stmt) alone() bool {
	return t.auto && !t.log && !t.buffer && !t.nested && !t.once && t.s.ms == nil && len(t.checks) == 0 && len(t.s.pending) == 0
}

// Change implements Statement. A lock comes before the snapshot that the change is made in, so that whoever waited for it
// sees what the last holder left.
func (t *Stmt) Change(ctx context.Context, database, collection string, c mongo.Change, mode LockMode) (matched, done bool, err error) {
	s := t.s
	// Where other proxies are, a row that stays as it is must be locked against them too.
	if !t.alone() && (t.auto || t.nested || t.buffer || t.log || s.m.cluster.Shared()) {
		return false, false, nil
	}
	if err := t.writable(); err != nil {
		return false, false, err
	}
	if database == "" {
		database = s.db
	}
	if t.auto && mode == LockNoKeyUpdate {
		mode = LockChange
	}
	if _, err := t.Lock(ctx, database, collection, []bson.RawValue{c.ID}, mode, WaitBlock); err != nil {
		return false, true, err
	}
	key := rowKey(database, collection, c.ID)
	if t.auto {
		if matched, err = s.m.together.do(ctx, &single{Single: mongo.Single{Database: database, Collection: collection, Change: c}, row: key}); err != nil {
			return false, true, t.classify(err)
		}
		t.once = matched
	} else if matched, err = t.changeLogged(ctx, database, collection, c); err != nil {
		return false, true, err
	}
	if !matched {
		t.unlock(key)
	}
	return matched, true, nil
}

// changeLogged makes a change in the MongoDB transaction and logs it with what the document was.
func (t *Stmt) changeLogged(ctx context.Context, database, collection string, c mongo.Change) (matched bool, err error) {
	s := t.s
	if err := s.ensureFor(ctx, database, collection); err != nil {
		return false, t.classify(err)
	}
	s.defs.changes(place(database, collection))
	if err := s.drainCursors(ctx, database, collection); err != nil {
		return false, err
	}
	before, err := s.ms.Change(ctx, database, collection, c)
	if err != nil {
		return false, t.lose(ctx, err)
	}
	if before == nil {
		return false, nil
	}
	w := mongo.Write{Kind: mongo.WriteDelete, ID: before.Lookup("_id"), Doc: c.Update, Before: before}
	if c.Update != nil {
		w.Kind = mongo.WriteUpdate
	}
	return true, s.log.add(database, collection, []mongo.Write{w}, s.m.opts.LogLimit, len(s.saves) > 0)
}

// unlock gives back a lock that this statement took.
func (t *Stmt) unlock(key string) {
	o := t.s.owner
	if t.locks <= len(o.held) && slices.Contains(o.held[t.locks:], key) {
		t.s.m.locks.setMode(o, key, LockKeyShare, false)
	}
}

func (t *Stmt) writable() error {
	if t.s.opts.ReadOnly {
		return pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute this statement in a read-only transaction")
	}
	return nil
}

// Write implements Statement.
func (t *Stmt) Write(ctx context.Context, database, collection string, writes []mongo.Write) error {
	if len(writes) == 0 {
		return nil
	}
	s := t.s
	if database == "" {
		database = s.db
	}
	if err := t.writable(); err != nil {
		return err
	}
	if t.buffer {
		for _, w := range writes {
			t.buffered = append(t.buffered, logEntry{database, collection, w})
		}
		return nil
	}
	if into, err := t.loadsInto(ctx, database, collection, writes); err != nil {
		return err
	} else if into != "" {
		return t.load(ctx, database, into, writes)
	}
	// The transaction opens before the locks are taken, so that a stale row is seen as one.
	if err := s.ensureFor(ctx, database, collection); err != nil {
		return t.classify(err)
	}
	s.defs.changes(place(database, collection))
	if err := t.lockChanged(ctx, database, collection, writes); err != nil {
		return err
	}
	if err := s.drainCursors(ctx, database, collection); err != nil {
		return err
	}
	if s.opts.Isolation == Serializable {
		s.hasWritten(database, collection, writes)
	}
	if err := s.ms.Write(ctx, database, collection, writes); err != nil {
		return t.lose(ctx, err)
	}
	if t.auto && !t.log {
		s.log.dropped += len(writes)
		return nil
	}
	return s.log.add(database, collection, writes, s.m.opts.LogLimit, len(s.saves) > 0)
}

// lockChanged takes the row locks of documents that exist.
func (t *Stmt) lockChanged(ctx context.Context, database, collection string, writes []mongo.Write) error {
	for i := range writes {
		mode := LockNoKeyUpdate
		switch writes[i].Kind {
		case mongo.WriteInsert:
			continue
		case mongo.WriteDelete:
			mode = LockUpdate
		}
		if _, err := t.Lock(ctx, database, collection, []bson.RawValue{writes[i].ID}, mode, WaitBlock); err != nil {
			return err
		}
	}
	return nil
}
