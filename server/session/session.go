package session

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/catalog/pgcatalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/server/settings"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Session is one SQL session. Its methods are called by one goroutine, but for those that say otherwise.
type Session struct {
	eng    *Engine
	client Client
	start  Startup
	wake   func()
	tx     *txn.Session
	set    *settings.Set

	// overlay is the catalogue with the open transaction's own changes, nil without any; last is the one of the last
	// statement.
	overlay *catalog.Snapshot
	// made are the objects that the open transaction has changed.
	made []catalog.Object
	// defining is the schema change that runs: expressions that it computes may call functions with statements.
	defining *txn.Stmt
	last     *catalog.Snapshot
	temp     *ddl.Temp
	temps    temporary

	// open says that a transaction of any kind has begun: a single statement's, an implicit or an explicit block.
	open      bool
	inBlock   bool // counted in the metrics
	levels    []saveLevel
	xactStart time.Time
	stmtStart time.Time
	// deadline is when statement_timeout ends a statement of the extended protocol, zero before its first message.
	deadline time.Time
	xid      int64

	prepared map[string]*prepared
	portals  map[string]*portal
	cache    planCache
	conv     convCache

	channels map[string]bool
	listens  []listening
	outbox   []Notification
	// published says that the outbox was written for other proxies.
	published bool
	inbox     inbox
	random    random

	act struct {
		sync.Mutex
		a catalog.Activity
	}

	// codes are the compiled functions, calls what says where the running ones are, subs their subtransactions.
	codes map[codeKey]*compiled
	calls []func() string
	subs  []subLevel
	depth int
	// asOwner is the owner of the innermost running SECURITY DEFINER function, "" outside of one.
	asOwner string
	// descriptors are the transaction's open large objects; largeMade says that their collections exist.
	descriptors map[int32]*descriptor
	largeMade   bool
	// triggerDepth counts the triggers among the running functions; whens are their compiled conditions.
	triggerDepth int
	transition   *transition
	whens        map[whenKey]expr.Eval
	// told are the notices that the statement which runs now has sent, nil where it is not repeated.
	told *told
	// unnamed counts the cursors that functions opened without a name.
	unnamed int
}

// saveLevel ties a savepoint's name to its level of the settings.
type saveLevel struct {
	name  string
	level int
}

// convCache keeps the types.IO made for the present settings and catalogue.
type convCache struct {
	io      *types.IO
	derived *settings.Derived
	snap    *catalog.Snapshot
	xact    time.Time
}

// New opens a session for an authenticated client. wake may be called from any goroutine to have arrived notifications
// sent. Errors: 3D000, and those of the startup packet's settings.
func New(ctx context.Context, eng *Engine, st Startup, client Client, wake func()) (*Session, error) {
	snap, err := eng.Catalogs.Snapshot(ctx, st.Database)
	if err != nil {
		return nil, err
	}
	if err := mayConnect(snap, st); err != nil {
		return nil, err
	}
	set, err := settings.NewSet(eng.Settings, st.Parameters)
	if err != nil {
		return nil, err
	}
	set.Defaults(storedSettings(snap, st.User))
	s := &Session{
		eng: eng, client: client, start: st, wake: wake, set: set, last: snap,
		tx: eng.Txns.NewSession(st.Database, snap.DBOID, st.PID), prepared: map[string]*prepared{}, portals: map[string]*portal{},
		channels: map[string]bool{},
	}
	s.random.seed(uint64(time.Now().UnixNano()) ^ uint64(st.PID)<<32)
	set.Force("session_authorization", st.User)
	set.Assign, set.Dynamic = s.assign, s.dynamic
	now := pgTime(time.Now())
	s.act.a = catalog.Activity{
		PID: st.PID, Database: st.Database, User: st.User, ClientAddr: st.ClientAddr, ClientPort: int32(st.ClientPort),
		BackendStart: now, StateChange: now, State: "idle", WaitEventType: "Client", WaitEvent: "ClientRead",
	}
	s.act.a.Application, _ = set.Show("application_name")
	eng.add(s)
	return s, nil
}

// Close ends the session: what is open is rolled back, temporary objects are dropped.
func (s *Session) Close(ctx context.Context) {
	for _, p := range s.portals {
		p.close(ctx)
	}
	s.eng.remove(s)
	s.unlistenAll()
	if s.open {
		s.leave(ctx, false)
	}
	s.tx.Close(ctx)
	if err := s.dropTemp(ctx); err != nil {
		s.eng.Log.Warn("temporary tables were not dropped", "pid", s.start.PID, "error", err)
	}
}

// Status is the transaction status of ReadyForQuery.
func (s *Session) Status() byte { return s.tx.Status() }

// Reports are the parameters that changed since the last call.
func (s *Session) Reports() [][2]string { return s.set.Reports() }

// IdleTimeout is how long the session may wait for its client now, and what it is told when it waited longer.
func (s *Session) IdleTimeout() (time.Duration, *pgerr.Error) {
	d := s.set.Derived()
	if s.tx.Status() != 'I' {
		return d.IdleTransaction, pgerr.New(pgerr.IdleInTransactionSessionTimeout,
			"terminating connection due to idle-in-transaction timeout").WithSeverity("FATAL")
	}
	return d.IdleSession, pgerr.New(pgerr.IdleSessionTimeout, "terminating connection due to idle-session timeout").WithSeverity("FATAL")
}

// epoch is PostgreSQL's zero of time.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func pgTime(t time.Time) int64 { return t.Sub(epoch).Microseconds() }

// activity returns the session's row of pg_stat_activity; any goroutine may call it.
func (s *Session) activity() catalog.Activity {
	s.act.Lock()
	defer s.act.Unlock()
	return s.act.a
}

func (s *Session) active(query string) {
	s.stmtStart = time.Now()
	s.act.Lock()
	defer s.act.Unlock()
	a := &s.act.a
	a.State, a.WaitEventType, a.WaitEvent = "active", "", ""
	a.QueryStart = pgTime(s.stmtStart)
	a.StateChange = a.QueryStart
	if query != "" {
		if len(query) > 1024 {
			query = strings.ToValidUTF8(query[:1024], "")
		}
		a.Query = query
	}
	a.User = s.SessionUser()
}

// waiting marks the session as waiting for its client.
func (s *Session) waiting() {
	state := "idle"
	switch s.tx.Status() {
	case 'T':
		state = "idle in transaction"
	case 'E':
		state = "idle in transaction (aborted)"
	}
	app, _ := s.set.Raw("application_name")
	s.act.Lock()
	defer s.act.Unlock()
	a := &s.act.a
	a.State, a.WaitEventType, a.WaitEvent, a.StateChange, a.Application = state, "Client", "ClientRead", pgTime(time.Now()), app
	a.XactStart = 0
	if state != "idle" {
		a.XactStart = pgTime(s.xactStart)
	}
}

// snapshot returns the catalogue that a statement starting now sees.
func (s *Session) snapshot(ctx context.Context) (*catalog.Snapshot, error) {
	if s.overlay != nil {
		err := s.rebase(ctx)
		s.last = s.overlay
		return s.overlay, err
	}
	snap, err := s.eng.Catalogs.Snapshot(ctx, s.start.Database)
	if err != nil {
		return nil, err
	}
	s.last = s.withTemp(snap)
	return s.last, nil
}

// rebase shows an open transaction that creates tables what others have created beside it.
func (s *Session) rebase(ctx context.Context) error {
	late := s.tx.Late()
	if late == 0 || s.tx.Failed() {
		return nil
	}
	newer, err := s.eng.Catalogs.Snapshot(ctx, s.start.Database)
	if err != nil || newer.Stored <= s.overlay.Stored-late {
		return err
	}
	if snap := s.eng.Catalogs.Rebase(s.withTemp(newer), s.overlay, s.made, late); snap != nil {
		s.overlay = snap
	}
	return nil
}

func (s *Session) tempName() string {
	if s.temp == nil {
		return ""
	}
	return s.temp.Schema
}

// path returns the effective search path under a snapshot.
func (s *Session) path(snap *catalog.Snapshot) []string {
	return snap.SearchPath(s.set.Derived().SearchPath, s.User(), s.tempName())
}

// Encoding is the client's character set, nil for UTF8.
func (s *Session) Encoding() *types.Encoding { return s.set.Derived().Encoding }

// types.IO of a statement: remade when settings, catalogue or transaction have changed.
func (s *Session) io(snap *catalog.Snapshot) *types.IO {
	d := s.set.Derived()
	c := &s.conv
	if c.io != nil && c.derived == d && c.snap == snap && c.xact.Equal(s.xactStart) {
		return c.io
	}
	c.derived, c.snap, c.xact = d, snap, s.xactStart
	c.io = &types.IO{
		Location: d.Location, TimeZoneName: d.TimeZoneName, DateStyle: d.DateStyle, DateOrder: d.DateOrder, IntervalStyle: d.IntervalStyle,
		ExtraFloatDigits: d.ExtraFloatDigits, ByteaEscape: d.ByteaEscape, Now: s.xactStart, Registry: snap, Encoding: d.Encoding,
		Names: &pgcatalog.Names{Snapshot: snap, Path: s.path(snap)},
	}
	return c.io
}

// env makes what the evaluation of one statement depends on.
func (s *Session) env(ctx context.Context, snap *catalog.Snapshot, params []types.Datum) *expr.Env {
	return &expr.Env{
		Routines: &routines{s: s, st: s.defining}, Queries: (*queries)(s),
		Ctx: ctx, IO: s.io(snap), Params: params, XactStart: s.xactStart, StmtStart: s.stmtStart, Session: s,
		View: &catalog.View{Snapshot: snap, SearchPath: s.path(snap), User: s.User(), Live: liveView{s}},
	}
}

// locate turns an error's byte offset into a character position of the query string.
func locate(err error, source string) error {
	var e *pgerr.Error
	if !errors.As(err, &e) || e.Position > 0 || e.Offset <= 0 || e.Offset > len(source)+1 {
		return err
	}
	c := *e
	c.Position = utf8.RuneCountInString(source[:e.Offset-1]) + 1
	return &c
}

// notice sends a notice unless client_min_messages filters it out.
func (s *Session) notice(e *pgerr.Error) {
	severity := e.Severity
	if severity == "" {
		severity = "NOTICE"
	}
	if severity == "DEBUG" {
		severity = "debug1" // the setting's word debug means debug2
	}
	if settings.Rank(severity) >= s.set.Derived().MinMessages && s.told.first(severity, e) {
		s.client.Notice(e)
	}
}

// told remembers the notices of a statement that may be run again after a conflict, so that the client gets them once.
type told struct {
	list []string
	at   int
}

// longestTold bounds what is remembered; of longer lists the rest comes again.
const longestTold = 1000

// retell begins to remember what a statement tells, unless one that it is a part of does; the function that it returns
// ends it.
func (s *Session) retell() func() {
	if s.told != nil {
		return func() {}
	}
	s.told = &told{}
	return func() { s.told = nil }
}

// again is called before the statement runs again.
func (t *told) again() {
	if t != nil {
		t.at = 0
	}
}

// first reports whether a notice was not sent by a run before, which told the same up to it.
func (t *told) first(severity string, e *pgerr.Error) bool {
	if t == nil || t.at == longestTold {
		return true
	}
	key := severity + string(e.Code) + e.Message + "\x00" + e.Detail + "\x00" + e.Hint
	if t.at < len(t.list) && t.list[t.at] == key {
		t.at++
		return false
	}
	t.list = append(t.list[:t.at], key)
	t.at++
	return true
}

// Notice sends a notice; err is a *pgerr.Error or a plain text.
func (s *Session) Notice(err error) {
	var e *pgerr.Error
	if !errors.As(err, &e) {
		e = pgerr.New(pgerr.SuccessfulCompletion, "%s", err.Error())
	}
	s.notice(e)
}

// warn sends a WARNING with its SQLSTATE.
func (s *Session) warn(err error) bool {
	var e *pgerr.Error
	if errors.As(err, &e) && e.Severity == "WARNING" {
		s.notice(e)
		return true
	}
	return false
}

// limit puts statement_timeout over a statement's context.
func (s *Session) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	d := s.set.Derived()
	s.tx.SetLockTimeouts(d.LockTimeout, d.DeadlockTimeout)
	if d.StatementTimeout <= 0 {
		return ctx, func() {}
	}
	until := s.deadline
	if until.IsZero() {
		until = time.Now().Add(d.StatementTimeout)
	}
	return context.WithDeadlineCause(ctx, until, timedOut())
}

func timedOut() error {
	return pgerr.New(pgerr.QueryCanceled, "canceling statement due to statement timeout")
}

// overdue starts the clock of statement_timeout with the first message of a statement, and fails when the time is over at
// one of the next: the waits for the client between Parse and the end of Execute count.
func (s *Session) overdue() error {
	switch d := s.set.Derived().StatementTimeout; {
	case d <= 0:
	case s.deadline.IsZero():
		s.deadline = time.Now().Add(d)
	case time.Now().After(s.deadline):
		return timedOut()
	}
	return nil
}

// cancelled replaces what a cancelled statement failed with by why it was cancelled.
func cancelled(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	var why *pgerr.Error
	if !errors.As(context.Cause(ctx), &why) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || pgerr.Is(err, pgerr.QueryCanceled) {
		return why
	}
	return err
}
