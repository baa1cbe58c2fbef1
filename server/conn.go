package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/server/session"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Session is what a connection drives: session.Session, or a fake in tests. Every method but Wake runs on the
// connection's goroutine.
type Session interface {
	// Simple runs a query string of the simple protocol; an error has been positioned and the transaction marked.
	Simple(ctx context.Context, query string) error
	// FunctionCall runs one function and returns its value in the wanted format, nil for NULL.
	FunctionCall(ctx context.Context, oid uint32, formats []int16, args [][]byte, format int16) ([]byte, error)
	Parse(ctx context.Context, name, query string, paramTypes []uint32) error
	Bind(ctx context.Context, portal, statement string, paramFormats []int16, params [][]byte, resultFormats []int16) error
	DescribeStatement(ctx context.Context, name string) error
	DescribePortal(ctx context.Context, name string) error
	Execute(ctx context.Context, portal string, maxRows uint32) error
	CloseStatement(ctx context.Context, name string) error
	ClosePortal(ctx context.Context, name string) error
	// Sync ends the implicit transaction of the messages before it.
	Sync(ctx context.Context) error
	// Fail marks the transaction after an error that the session did not see itself.
	Fail(ctx context.Context)
	// Status is the transaction status of ReadyForQuery: I, T or E.
	Status() byte
	// IdleTimeout is how long the session may wait for its client now, 0 for ever, and what it is told then.
	IdleTimeout() (time.Duration, *pgerr.Error)
	// Encoding is the client's character set, nil for UTF8.
	Encoding() *types.Encoding
	// Reports are the changed parameters to announce.
	Reports() [][2]string
	// Notifications are those that arrived since the last call; none are given inside a transaction.
	Notifications() []session.Notification
	Close(ctx context.Context)
}

// conn is one client connection.
type conn struct {
	srv    *Server
	nc     net.Conn
	in     *input
	read   reader
	watch  watcher
	out    []byte
	sess   Session
	pid    int32
	secret []byte
	secure bool
	// ctx ends when the connection must; broken is why reading is no longer possible.
	ctx     context.Context
	cancel  context.CancelCauseFunc
	broken  error
	copying bool
	// due says that what is buffered must go out before the next wait: a query has ended, or an error is among it.
	due bool
	// skipping discards messages until Sync after an error of the extended protocol.
	skipping bool

	mu       sync.Mutex
	stmt     context.CancelCauseFunc // cancels what runs now; nil between messages
	missed   error                   // the cancel request that came between two messages of one query
	idle     bool                    // the goroutine waits for a message
	draining *pgerr.Error            // to be sent when idle
	open     bool                    // the session exists
	enc      *types.Encoding         // the client's encoding at the last ReadyForQuery
}

var errGone = errors.New("client disconnected")

// send appends a message; an encoding error can only come from a bug and breaks the connection.
func (c *conn) send(m pgproto3.BackendMessage) {
	buf, err := m.Encode(c.out)
	if err != nil {
		c.broken = err
		return
	}
	c.out = buf
}

// flush writes what is buffered. The buffer is kept unless one huge row made it grow.
func (c *conn) flush() error {
	if len(c.out) == 0 {
		return c.broken
	}
	_, err := c.nc.Write(c.out)
	if c.out = c.out[:0]; cap(c.out) > 16*flushAt {
		c.out = nil
	}
	if err != nil {
		c.broken = err
		c.cancel(errGone)
	}
	return err
}

// serve runs the connection from its first byte to its end.
func (c *conn) serve() {
	defer c.srv.forget(c)
	defer func() { _ = c.nc.Close() }() // nothing is left to say on it
	defer c.cancel(errGone)
	_ = c.nc.SetDeadline(time.Now().Add(c.srv.cfg.StartupTimeout)) // a failing deadline fails the read as well
	if !c.begin() {
		return
	}
	_ = c.nc.SetDeadline(time.Time{})
	defer c.endSession()
	for c.broken == nil {
		if !c.step() {
			return
		}
	}
}

func (c *conn) endSession() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), 10*time.Second)
	defer cancel()
	c.sess.Close(ctx)
}

// begin answers the startup packet; false ends the connection.
func (c *conn) begin() bool {
	req, err := c.greet()
	if err == nil && req.cancel {
		c.srv.cancelRequest(req.pid, req.secret)
		return false
	}
	if err == nil {
		err = c.login(req)
	}
	if err == nil {
		return c.flush() == nil
	}
	var e *pgerr.Error
	if errors.As(err, &e) {
		c.sendError(asFatal(e))
		_ = c.flush() // the connection ends either way
	}
	return false
}

func asFatal(e *pgerr.Error) *pgerr.Error {
	if e.Severity == "" {
		return e.WithSeverity("FATAL")
	}
	return e
}

func (c *conn) login(req *request) error {
	c.read = reader{r: bufio.NewReaderSize(c.in, 16<<10), maxBody: c.srv.cfg.MaxMessage}
	if err := c.srv.admit(c); err != nil {
		return err
	}
	user := req.parameters["user"]
	if err := c.authenticate(user); err != nil {
		return err
	}
	c.send(&pgproto3.AuthenticationOk{})
	if r := strings.ToLower(req.parameters["replication"]); r != "" && r != "false" && r != "off" && r != "no" && r != "0" {
		return pgerr.Unsupported("the replication protocol")
	}
	settings, err := startupSettings(req.parameters)
	if err != nil {
		return err
	}
	st := session.Startup{User: user, Database: req.parameters["database"], Parameters: settings, PID: c.pid}
	if st.Database == "" {
		st.Database = user
	}
	st.ClientAddr, st.ClientPort = address(c.nc.RemoteAddr())
	st.ServerAddr, st.ServerPort = address(c.nc.LocalAddr())
	sess, err := c.srv.open(c.ctx, st, c)
	if err != nil {
		return err
	}
	c.sess = sess
	c.mu.Lock()
	c.open = true
	c.mu.Unlock()
	c.watch = watcher{in: c.in, gone: func() { c.cancel(errGone) }}
	c.reports()
	c.send(&pgproto3.BackendKeyData{ProcessID: uint32(c.pid), SecretKey: c.secret})
	c.send(&pgproto3.ReadyForQuery{TxStatus: c.sess.Status()})
	return nil
}

func address(a net.Addr) (string, int) {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.IP.String(), t.Port
	}
	return "", -1
}

func (c *conn) reports() {
	for _, r := range c.sess.Reports() {
		c.send(&pgproto3.ParameterStatus{Name: r[0], Value: r[1]})
	}
}

// step waits for one message and answers it; false ends the connection.
func (c *conn) step() bool {
	if c.read.r.Buffered() == 0 && len(c.in.ahead) == 0 && !c.waitIdle() {
		return false
	}
	msg, err := c.read.next()
	if end := c.leaveIdle(); end != nil {
		c.sendError(end)
		_ = c.flush() // the connection ends either way
		return false
	}
	if err != nil {
		return c.readFailed(err)
	}
	return c.answer(msg)
}

// waitIdle prepares for a wait of unknown length: notifications may come in, timeouts run. Answers within a pipeline stay
// until it asks for them: a client that reads them before it has sent its Sync would see another order of events.
func (c *conn) waitIdle() bool {
	if c.due && c.flush() != nil {
		return false
	}
	c.due = false
	timeout, _ := c.sess.IdleTimeout()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle, c.missed = true, nil
	c.deliverLocked()
	switch {
	case c.draining != nil && c.sess.Status() == 'I', c.ctx.Err() != nil:
		_ = c.nc.SetReadDeadline(time.Unix(1, 0))
	case timeout > 0:
		_ = c.nc.SetReadDeadline(time.Now().Add(timeout))
	}
	return true
}

// leaveIdle ends the wait; it returns what the client is told when the wait ended the session.
func (c *conn) leaveIdle() *pgerr.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.idle {
		return nil
	}
	c.idle = false
	if d := c.draining; d != nil && c.sess.Status() == 'I' {
		return d
	}
	return c.ended()
}

// ended is what the client is told when the connection must end, nil while it need not.
func (c *conn) ended() *pgerr.Error {
	cause := context.Cause(c.ctx)
	if cause == nil {
		return nil
	}
	var e *pgerr.Error
	if errors.As(cause, &e) {
		return e
	}
	return fatal(pgerr.AdminShutdown, "terminating connection due to administrator command")
}

// readFailed answers a message that could not be read; true goes on.
func (c *conn) readFailed(err error) bool {
	var e *pgerr.Error
	var ne net.Error
	switch {
	case errors.As(err, &ne) && ne.Timeout(), errors.Is(err, os.ErrDeadlineExceeded):
		if timeout, why := c.sess.IdleTimeout(); timeout > 0 {
			c.sendError(why)
		}
	case errors.As(err, &e) && e.Severity == "":
		c.failed(e)
		if !c.skipping {
			c.skipping = c.read.header[0] != 'Q' && c.read.header[0] != 'F'
			if !c.skipping {
				c.ready()
			}
		}
		return true
	case errors.As(err, &e):
		c.sendError(e)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	default:
		c.srv.log.Debug("connection lost", "pid", c.pid, "error", err)
	}
	_ = c.flush() // the connection ends either way
	return false
}

// ready ends a query or a Sync: notifications, changed parameters, then ReadyForQuery.
func (c *conn) ready() {
	c.mu.Lock()
	c.enc, c.missed = c.encoding(), nil
	c.mu.Unlock()
	for _, n := range c.sess.Notifications() {
		c.send(notification(c.enc, n))
	}
	c.reports()
	c.send(&pgproto3.ReadyForQuery{TxStatus: c.sess.Status()})
	c.due = true
}

// answer runs one message; false ends the connection.
func (c *conn) answer(msg pgproto3.FrontendMessage) bool {
	switch msg.(type) {
	case *pgproto3.Terminate:
		return false
	case *pgproto3.CopyData, *pgproto3.CopyDone, *pgproto3.CopyFail:
		return true // left over from a COPY that failed
	case *pgproto3.Flush:
		return c.flush() == nil
	}
	_, sync := msg.(*pgproto3.Sync)
	if c.skipping && !sync {
		return true
	}
	ctx := c.startStatement()
	err := c.run(ctx, msg)
	c.endStatement()
	if why := c.ended(); err == nil && why != nil {
		err = why // pg_terminate_backend(pg_backend_pid()): no ReadyForQuery follows, so that no further query is sent
	}
	if err != nil {
		e := c.explain(ctx, err)
		c.sendError(e)
		if e.Severity == "FATAL" {
			_ = c.flush() // the connection ends either way
			return false
		}
	}
	switch msg.(type) {
	case *pgproto3.Sync, *pgproto3.Query, *pgproto3.FunctionCall:
		c.skipping = false
		c.ready()
	default:
		c.skipping = c.skipping || err != nil
	}
	return true
}

// startStatement makes the context under which a message runs; it can be cancelled from outside.
func (c *conn) startStatement() context.Context {
	ctx, cancel := context.WithCancelCause(c.ctx)
	c.mu.Lock()
	c.stmt = cancel
	if c.missed != nil {
		cancel(c.missed)
		c.missed = nil
	}
	c.mu.Unlock()
	c.copying = false
	c.watch.start()
	return ctx
}

func (c *conn) endStatement() {
	if !c.copying {
		c.watch.stop()
	}
	c.mu.Lock()
	cancel := c.stmt
	c.stmt = nil
	c.mu.Unlock()
	cancel(nil)
}

// run hands a message to the session. A panic is an internal error of the statement; the session lives on.
func (c *conn) run(ctx context.Context, msg pgproto3.FrontendMessage) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.srv.log.Error("panic in a statement", "pid", c.pid, "panic", p, "stack", string(debug.Stack()))
			c.srv.metrics.Panics.Inc()
			err = pgerr.Internal("unexpected failure: %v", p)
			c.sess.Fail(context.WithoutCancel(ctx))
		}
	}()
	if enc := c.encoding(); enc != nil {
		if err := recode(enc, msg); err != nil {
			c.sess.Fail(ctx)
			return err
		}
	}
	switch m := msg.(type) {
	case *pgproto3.Query:
		return c.sess.Simple(ctx, m.String)
	case *pgproto3.FunctionCall:
		formats := make([]int16, len(m.ArgFormatCodes))
		for i, f := range m.ArgFormatCodes {
			formats[i] = int16(f)
		}
		value, err := c.sess.FunctionCall(ctx, m.Function, formats, m.Arguments, int16(m.ResultFormatCode))
		if err != nil {
			return err
		}
		c.send(&pgproto3.FunctionCallResponse{Result: value})
	case *pgproto3.Parse:
		if err := c.sess.Parse(ctx, m.Name, m.Query, m.ParameterOIDs); err != nil {
			return err
		}
		c.send(&pgproto3.ParseComplete{})
	case *pgproto3.Bind:
		if err := c.sess.Bind(ctx, m.DestinationPortal, m.PreparedStatement, m.ParameterFormatCodes, m.Parameters, m.ResultFormatCodes); err != nil {
			return err
		}
		c.send(&pgproto3.BindComplete{})
	case *pgproto3.Describe:
		switch m.ObjectType {
		case 'S':
			return c.sess.DescribeStatement(ctx, m.Name)
		case 'P':
			return c.sess.DescribePortal(ctx, m.Name)
		}
		c.sess.Fail(ctx)
		return pgerr.New(pgerr.ProtocolViolation, "invalid DESCRIBE message subtype %d", m.ObjectType)
	case *pgproto3.Execute:
		return c.sess.Execute(ctx, m.Portal, m.MaxRows)
	case *pgproto3.Close:
		return c.closeObject(ctx, m)
	case *pgproto3.Sync:
		return c.sess.Sync(ctx)
	}
	return nil
}

func (c *conn) closeObject(ctx context.Context, m *pgproto3.Close) error {
	var err error
	switch m.ObjectType {
	case 'S':
		err = c.sess.CloseStatement(ctx, m.Name)
	case 'P':
		err = c.sess.ClosePortal(ctx, m.Name)
	default:
		c.sess.Fail(ctx)
		err = pgerr.New(pgerr.ProtocolViolation, "invalid CLOSE message subtype %d", m.ObjectType)
	}
	if err == nil {
		c.send(&pgproto3.CloseComplete{})
	}
	return err
}

// explain gives the error that the client is told: why its statement was cancelled rather than that it was.
func (c *conn) explain(ctx context.Context, err error) *pgerr.Error {
	e := pgerr.From(err)
	if ctx.Err() == nil || (e.Code != pgerr.QueryCanceled && !errors.Is(err, context.Canceled)) {
		return e
	}
	var cause *pgerr.Error
	if errors.As(context.Cause(ctx), &cause) {
		return cause
	}
	return e
}

// failed reports an error that did not come from the session.
func (c *conn) failed(e *pgerr.Error) {
	c.sess.Fail(c.ctx)
	c.sendError(e)
}

func (c *conn) sendError(e *pgerr.Error) {
	c.srv.metrics.Errors.WithLabelValues(string(e.Code)).Inc()
	severity := e.Severity
	if severity == "" {
		severity = "ERROR"
	}
	c.send(response(c.encoding(), e, severity))
	c.due = true
}

func response(enc *types.Encoding, e *pgerr.Error, severity string) *pgproto3.ErrorResponse {
	clean := func(s string) string { return enc.EncodeLossy(strings.ReplaceAll(s, "\x00", "")) }
	return &pgproto3.ErrorResponse{
		Severity: severity, SeverityUnlocalized: severity, Code: string(e.Code), Message: clean(e.Message), Detail: clean(e.Detail),
		Hint: clean(e.Hint), Position: int32(e.Position), Where: clean(e.Where), SchemaName: clean(e.Schema), TableName: clean(e.Table),
		InternalQuery: clean(e.Query), InternalPosition: int32(e.QueryPosition), ColumnName: clean(e.Column), DataTypeName: clean(e.DataType), ConstraintName: clean(e.Constraint), Routine: e.Routine,
	}
}

// Notice implements session.Client.
func (c *conn) Notice(e *pgerr.Error) {
	severity := e.Severity
	if severity == "" {
		severity = "NOTICE"
	}
	c.send((*pgproto3.NoticeResponse)(response(c.encoding(), e, severity)))
}

// ParameterDescription implements session.Client.
func (c *conn) ParameterDescription(oids []uint32) {
	c.send(&pgproto3.ParameterDescription{ParameterOIDs: oids})
}

// RowDescription implements session.Client.
func (c *conn) RowDescription(cols []planner.Col, formats []int16) {
	c.out = appendRowDescription(c.out, c.encoding(), cols, formats)
}

// NoData implements session.Client.
func (c *conn) NoData() { c.send(&pgproto3.NoData{}) }

// Complete implements session.Client.
func (c *conn) Complete(tag string) {
	n := len(tag) + 5
	c.out = append(c.out, 'C', byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	c.out = append(c.out, tag...)
	c.out = append(c.out, 0)
}

// Empty implements session.Client.
func (c *conn) Empty() { c.send(&pgproto3.EmptyQueryResponse{}) }

// Suspended implements session.Client.
func (c *conn) Suspended() { c.send(&pgproto3.PortalSuspended{}) }

// cancelStatement ends the statement that runs now, if one does. Between the messages of one query (its Parse, Bind and
// Execute) it ends what the next one does.
func (c *conn) cancelStatement(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stmt != nil:
		c.stmt(why)
	case !c.idle:
		c.missed = why
	}
}

// terminate ends the connection with a message, also in the middle of a statement.
func (c *conn) terminate(why *pgerr.Error) {
	c.cancel(why)
	c.wake()
}

// drain ends the connection as soon as no transaction is open.
func (c *conn) drain(why *pgerr.Error) {
	c.mu.Lock()
	c.draining = why
	c.mu.Unlock()
	c.wake()
}

// wake makes a waiting connection look at why it should not wait.
func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.open:
		_ = c.nc.Close() // it has not been let in yet
	case c.idle && (c.ctx.Err() != nil || c.sess.Status() == 'I'):
		_ = c.nc.SetReadDeadline(time.Unix(1, 0))
	}
}

// Deliver sends notifications at once when the connection waits for its client; otherwise they go out with the next
// ReadyForQuery. It may be called from any goroutine.
func (c *conn) Deliver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deliverLocked()
}

func (c *conn) deliverLocked() {
	if !c.idle {
		return
	}
	var buf []byte
	for _, n := range c.sess.Notifications() {
		// Encoding fails only for messages beyond the protocol's size, which a payload limit of 8000 bytes excludes.
		buf, _ = notification(c.enc, n).Encode(buf)
	}
	if len(buf) == 0 {
		return
	}
	if _, err := c.nc.Write(buf); err != nil {
		c.cancel(errGone)
	}
}

// AtSync implements session.Client.
func (c *conn) AtSync() bool {
	b, err := c.read.r.Peek(min(1, c.read.r.Buffered()))
	return err == nil && len(b) == 1 && b[0] == 'S'
}
