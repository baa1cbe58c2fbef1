package session

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// portal is a statement bound to parameters: the source of its rows, at some place within them.
type portal struct {
	name    string
	prep    *prepared
	params  []types.Datum
	formats []int16
	cols    []planner.Col
	created time.Time

	// run is the operator and its transaction statement while the portal is suspended, nil before the first and after
	// the last row.
	run *running
	// rows holds a result that was computed as a whole (utility statements, RETURNING, held and scrollable cursors).
	rows    [][]types.Datum
	stored  bool
	pos     int // rows given from rows
	started bool
	done    bool
	tag     string // of a finished statement

	// instrument measures the operators, for EXPLAIN ANALYZE.
	instrument *executor.Instrument
	// cursor is set for DECLARE.
	cursor *cursor
	held   bool
	// up is the routine that the statement belongs to, nil for one of the client.
	up *routines
}

// running is a plan under execution.
type running struct {
	op    executor.Operator
	rt    *executor.Runtime
	stmt  *txn.Stmt
	batch executor.Batch
	next  int // first row of batch that was not given
	eof   bool
	// met notes a stored value that does not fit its column.
	met func(catalog.Drift)
}

func (p *portal) close(ctx context.Context) {
	if r := p.run; r != nil {
		p.run = nil
		_ = r.op.Close(ctx) // what it held is given back either way
		_ = r.stmt.Finish(ctx, nil)
	}
	p.done = true
}

// Bind makes a portal.
func (s *Session) Bind(ctx context.Context, name, statement string, paramFormats []int16, params [][]byte, resultFormats []int16) error {
	if err := s.bind(ctx, name, statement, paramFormats, params, resultFormats); err != nil {
		s.abort(ctx)
		return err
	}
	return nil
}

func protocolViolation(format string, args ...any) error {
	return pgerr.New(pgerr.ProtocolViolation, format, args...)
}

func (s *Session) bind(ctx context.Context, name, statement string, paramFormats []int16, params [][]byte, resultFormats []int16) error {
	if err := s.overdue(); err != nil {
		return err
	}
	prep, err := s.find(statement)
	if err != nil {
		return err
	}
	s.active(prep.text)
	switch {
	case len(paramFormats) > 1 && len(paramFormats) != len(params):
		return protocolViolation("bind message has %d parameter formats but %d parameters", len(paramFormats), len(params))
	case len(params) != len(prep.params):
		return protocolViolation("bind message supplies %d parameters, but prepared statement \"%s\" requires %d", len(params), statement, len(prep.params))
	}
	if prep.node != nil {
		if err := s.inFailed(prep.node); err != nil {
			return err
		}
	}
	if old := s.portals[name]; old != nil {
		if name != "" {
			return pgerr.New(pgerr.DuplicateCursor, "portal \"%s\" already exists", name)
		}
		old.close(ctx)
		delete(s.portals, name)
	}
	s.enter()
	p := &portal{name: name, prep: prep, created: time.Now(), cols: prep.cols}
	if p.params, err = s.bindParams(prep, paramFormats, params); err != nil {
		return err
	}
	if len(resultFormats) > 1 && len(resultFormats) != len(prep.cols) {
		return protocolViolation("bind message has %d result formats but query has %d columns", len(resultFormats), len(prep.cols))
	}
	if len(prep.cols) > 0 {
		for _, f := range resultFormats {
			if f != 0 && f != 1 {
				return badFormat(f)
			}
		}
		p.formats = append(p.formats, resultFormats...)
	}
	s.portals[name] = p
	return nil
}

func badFormat(f int16) error {
	return pgerr.New(pgerr.InvalidParameterValue, "unsupported format code: %d", f)
}

func (s *Session) bindParams(prep *prepared, formats []int16, params [][]byte) ([]types.Datum, error) {
	if len(params) == 0 {
		return nil, nil
	}
	snap := prep.snap
	if snap == nil {
		snap = s.last
	}
	conv := s.io(snap)
	out := make([]types.Datum, len(params))
	for i, b := range params {
		if b == nil {
			continue
		}
		f := int16(0)
		if len(formats) == 1 {
			f = formats[0]
		} else if len(formats) > 1 {
			f = formats[i]
		}
		var err error
		switch f {
		case 0:
			var text string
			if text, err = conv.Encoding.Decode(string(b)); err == nil {
				out[i], err = textParam(conv, prep.params[i], text)
			}
		case 1:
			// The message's memory is used again by the next one.
			out[i], err = types.Receive(conv, prep.params[i], -1, append([]byte(nil), b...))
		default:
			err = badFormat(f)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func textParam(conv *types.IO, t *types.T, v string) (types.Datum, error) {
	if err := validText(v); err != nil {
		return types.Null, err
	}
	return types.Input(conv, t, -1, v)
}

// validText refuses what a text of the database cannot hold.
func validText(v string) error {
	for i, c := range v {
		bad := c == 0
		if c == utf8.RuneError {
			_, n := utf8.DecodeRuneInString(v[i:])
			bad = n <= 1
		}
		if bad {
			return pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": 0x%02x", v[i])
		}
	}
	return nil
}

func (s *Session) findPortal(name string) (*portal, error) {
	if p := s.portals[name]; p != nil {
		return p, nil
	}
	return nil, pgerr.New(pgerr.InvalidCursorName, "portal \"%s\" does not exist", name)
}

// DescribePortal tells a portal's columns.
func (s *Session) DescribePortal(ctx context.Context, name string) error {
	p, err := s.findPortal(name)
	if err == nil {
		err = s.overdue()
	}
	if err == nil && s.tx.Failed() && len(p.cols) > 0 {
		err = s.inFailed(nil)
	}
	if err != nil {
		s.abort(ctx)
		return err
	}
	if p.cols == nil {
		s.client.NoData()
	} else {
		s.client.RowDescription(p.cols, p.formats)
	}
	return nil
}

// ClosePortal forgets a portal; one that does not exist is no error.
func (s *Session) ClosePortal(ctx context.Context, name string) error {
	if p := s.portals[name]; p != nil {
		p.close(ctx)
		delete(s.portals, name)
	}
	return nil
}

// Execute runs a portal, up to maxRows rows (0: all).
func (s *Session) Execute(ctx context.Context, name string, maxRows uint32) error {
	p, err := s.findPortal(name)
	if err != nil {
		s.abort(ctx)
		return err
	}
	source := p.prep.source
	if err := s.execute(ctx, p, maxRows); err != nil {
		s.abort(ctx)
		return locate(err, source)
	}
	return nil
}

func (s *Session) execute(ctx context.Context, p *portal, maxRows uint32) error {
	if err := s.overdue(); err != nil {
		return err
	}
	if p.prep.node == nil {
		s.client.Empty()
		return nil
	}
	s.active(p.prep.text)
	if err := s.inFailed(p.prep.node); err != nil {
		return err
	}
	if p.done && p.started && p.cols == nil {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "portal \"%s\" cannot be run", p.name)
	}
	// One statement between two Syncs is a transaction of its own; anything more is an implicit block.
	if s.single() && (!s.client.AtSync() || maxRows > 0 || s.needsEnd(p.prep)) && !isTransactionControl(p.prep.node) {
		if err := s.tx.BeginImplicit(s.defaults()); err != nil {
			return err
		}
	}
	s.enter()
	ctx, stop := s.limit(ctx)
	defer stop()
	began := time.Now()
	tag, suspended, err := s.drive(ctx, p, int64(maxRows), p.formats, false)
	if err == nil && s.single() {
		s.leave(ctx, true)
	}
	s.observe(p.prep.kind, began)
	switch {
	case err != nil:
		return cancelled(ctx, err)
	case suspended:
		s.client.Suspended()
	default:
		s.deadline = time.Time{}
		s.client.Complete(tag)
	}
	return nil
}

func (s *Session) observe(kind string, began time.Time) {
	s.eng.Metrics.Statements.WithLabelValues(kind).Inc()
	s.eng.Metrics.Duration.WithLabelValues(kind).Observe(time.Since(began).Seconds())
}

// drive runs a portal for up to max rows (0: all) and sends them to the client; describe announces the columns first.
func (s *Session) drive(ctx context.Context, p *portal, max int64, formats []int16, describe bool) (tag string, suspended bool, err error) {
	if e := p.prep.node.GetExecuteStmt(); e != nil && !p.started {
		if err := s.bindExecute(ctx, p, e); err != nil {
			return "", false, err
		}
	}
	sink := &clientSink{s: s, cols: p.cols, formats: formats, describe: describe}
	if !p.started && !p.prep.planable {
		p.started = true
		res, err := s.utility(ctx, p.prep, p.params)
		if err != nil {
			return "", false, err
		}
		p.tag, p.done = res.tag, true
		if res.cols == nil {
			return res.tag, false, nil
		}
		sink.cols = res.cols
		p.cols, p.rows, p.stored = res.cols, res.rows, true
	}
	if !p.stored && p.run == nil && !p.started {
		p.started = true
		if err := s.startPlan(ctx, p, sink, max); err != nil {
			return "", false, err
		}
		if p.run != nil {
			return "", true, nil // max was met
		}
	}
	n, more, err := s.pull(ctx, p, sink, max)
	if err != nil {
		return "", false, err
	}
	sink.finish()
	if more {
		return "", true, nil
	}
	if p.tag != "" {
		return p.tag, false, nil
	}
	return "SELECT " + strconv.FormatInt(n+sink.streamed, 10), false, nil
}

// sink takes rows.
type sink interface {
	// rows takes rows from (inclusive) to (exclusive) of a batch.
	rows(b *executor.Batch, from, to int) error
}

// clientSink sends rows to the client, the description before the first.
type clientSink struct {
	s        *Session
	cols     []planner.Col
	formats  []int16
	describe bool
	w        RowWriter
	streamed int64
}

func (k *clientSink) open() {
	if k.describe {
		k.s.client.RowDescription(k.cols, k.formats)
		k.describe = false
	}
	if k.w == nil {
		k.w = k.s.client.Rows(k.cols, k.formats, k.s.io(k.s.last))
	}
}

// finish announces the columns of a result without rows.
func (k *clientSink) finish() {
	if k.describe && k.cols != nil {
		k.open()
	}
}

func (k *clientSink) rows(b *executor.Batch, from, to int) error {
	k.open()
	k.s.eng.Metrics.RowsSent.Add(float64(to - from))
	return k.w.Write(b, from, to)
}

// memorySink keeps rows.
type memorySink struct{ list [][]types.Datum }

func (k *memorySink) rows(b *executor.Batch, from, to int) error {
	width := b.Width
	flat := make([]types.Datum, (to-from)*width)
	copy(flat, b.Data[from*width:to*width])
	for i := range to - from {
		k.list = append(k.list, flat[i*width:(i+1)*width:(i+1)*width])
	}
	return nil
}

// pull gives up to max rows (0: all) of a started portal to the sink. more says that there may be further rows.
func (s *Session) pull(ctx context.Context, p *portal, k sink, max int64) (n int64, more bool, err error) {
	if p.stored {
		return p.pullStored(k, max)
	}
	r := p.run
	if r == nil {
		return 0, false, nil
	}
	r.rt.Env.Ctx = ctx
	n, more, err = r.pull(ctx, k, max)
	if err != nil || more {
		return n, more, err
	}
	p.run, p.done = nil, true
	err = r.op.Close(ctx)
	return n, false, r.stmt.Finish(ctx, err)
}

func (r *running) pull(ctx context.Context, k sink, max int64) (n int64, more bool, err error) {
	for {
		if r.next < r.batch.N {
			to := r.batch.N
			if max > 0 && int64(to-r.next) > max-n {
				to = r.next + int(max-n)
			}
			if err := k.rows(&r.batch, r.next, to); err != nil {
				return n, false, err
			}
			n += int64(to - r.next)
			r.next = to
		}
		if max > 0 && n >= max {
			return n, true, nil
		}
		if r.eof {
			return n, false, nil
		}
		r.batch.N, r.next = 0, 0
		r.batch.Want = int(max - n)
		if max <= 0 {
			r.batch.Want = 0
		}
		err := r.op.Next(ctx, &r.batch)
		if errors.Is(err, io.EOF) {
			r.eof = true
			r.batch.N = 0
			return n, false, nil
		}
		if err != nil {
			var misfit *catalog.Misfit
			if errors.As(err, &misfit) {
				r.met(misfit.Drift)
			}
			return n, false, err
		}
	}
}

func (p *portal) pullStored(k sink, max int64) (n int64, more bool, err error) {
	left := p.rows[p.pos:]
	if max > 0 && int64(len(left)) > max {
		left = left[:max]
	}
	if err := giveRows(k, left); err != nil {
		return 0, false, err
	}
	p.pos += len(left)
	n = int64(len(left))
	return n, max > 0 && n >= max, nil
}

func giveRows(k sink, rows [][]types.Datum) error {
	var b executor.Batch
	for len(rows) > 0 {
		n := min(len(rows), executor.BatchRows)
		b.Reset(len(rows[0]))
		for _, r := range rows[:n] {
			b.Append(r)
		}
		if err := k.rows(&b, 0, n); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
