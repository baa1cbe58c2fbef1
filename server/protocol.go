// Package server speaks PostgreSQL's wire protocol: it listens, authenticates, reads messages and encodes answers. It is
// the only package that knows the protocol; what statements mean is session's.
package server

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Limits of a message body. Only messages that carry statements, parameters or COPY data may be long.
const (
	smallMessage = 10000
	bodyStep     = 1 << 20 // memory grows by what arrives, not by what a header promises
)

// errMalformed marks a message whose body does not follow the protocol; the connection can go on after it.
var errMalformed = errors.New("malformed message")

// input reads from the connection; while a statement runs, a watcher may read ahead to notice that the client is gone.
type input struct {
	nc    net.Conn
	ahead []byte
	err   error
}

func (in *input) Read(p []byte) (int, error) {
	if len(in.ahead) > 0 {
		n := copy(p, in.ahead)
		in.ahead = in.ahead[n:]
		return n, nil
	}
	if in.err != nil {
		return 0, in.err
	}
	return in.nc.Read(p)
}

// aheadLimit bounds what the watcher keeps; a client that pipelines more is plainly alive.
const aheadLimit = 256 << 10

// watcher notices a client that disconnects while its statement runs.
type watcher struct {
	in       *input
	gone     func()
	timer    *time.Timer
	mu       sync.Mutex
	stopping bool
	running  chan struct{} // closed when the reading goroutine has ended; nil while none runs
}

// watchDelay spares short statements the cost of a second goroutine.
const watchDelay = 20 * time.Millisecond

func (w *watcher) start() {
	w.mu.Lock()
	w.stopping = false
	w.mu.Unlock()
	if w.timer == nil {
		w.timer = time.AfterFunc(watchDelay, w.run)
		return
	}
	w.timer.Reset(watchDelay)
}

func (w *watcher) run() {
	w.mu.Lock()
	if w.stopping || w.running != nil || w.in.err != nil {
		w.mu.Unlock()
		return
	}
	done := make(chan struct{})
	w.running = done
	w.mu.Unlock()
	defer close(done)
	var buf [4096]byte
	for len(w.in.ahead) < aheadLimit {
		n, err := w.in.nc.Read(buf[:])
		w.in.ahead = append(w.in.ahead, buf[:n]...)
		if err == nil {
			continue
		}
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() {
			return
		}
		w.in.err = err
		w.gone()
		return
	}
}

// stop ends watching; after it the owner may read again.
func (w *watcher) stop() {
	w.timer.Stop()
	w.mu.Lock()
	w.stopping = true
	running := w.running
	w.running = nil
	w.mu.Unlock()
	if running == nil {
		return
	}
	_ = w.in.nc.SetReadDeadline(time.Unix(1, 0)) // a connection that cannot take a deadline fails the next read as well
	<-running
	_ = w.in.nc.SetReadDeadline(time.Time{})
}

// reader reads the messages of an established connection. A message is valid until the next one is read.
type reader struct {
	r       *bufio.Reader
	maxBody int
	header  [5]byte
	body    []byte

	bind     pgproto3.Bind
	closeMsg pgproto3.Close
	copyFail pgproto3.CopyFail
	copyData pgproto3.CopyData
	copyDone pgproto3.CopyDone
	describe pgproto3.Describe
	execute  pgproto3.Execute
	flush    pgproto3.Flush
	parse    pgproto3.Parse
	query    pgproto3.Query
	sync     pgproto3.Sync
	end      pgproto3.Terminate
}

// next returns the next message. A *pgerr.Error ends the connection unless it is errMalformed.
func (r *reader) next() (pgproto3.FrontendMessage, error) {
	if _, err := io.ReadFull(r.r, r.header[:]); err != nil {
		return nil, err
	}
	size := int(int32(binary.BigEndian.Uint32(r.header[1:]))) - 4
	msg, long := r.message(r.header[0])
	limit := smallMessage
	if long {
		limit = r.maxBody
	}
	switch {
	case msg == nil:
		return nil, fatal(pgerr.ProtocolViolation, "invalid frontend message type %d", r.header[0])
	case size < 0:
		return nil, fatal(pgerr.ProtocolViolation, "invalid message length")
	case size > limit:
		return nil, fatal(pgerr.ProgramLimitExceeded, "message of %d bytes exceeds the limit of %d bytes", size, limit)
	}
	body, err := r.read(size)
	if err != nil {
		return nil, err
	}
	if err := msg.Decode(body); err != nil {
		return nil, pgerr.New(pgerr.ProtocolViolation, "invalid message format%w", quiet{errMalformed})
	}
	return msg, nil
}

// quiet carries a cause without a text.
type quiet struct{ error }

func (quiet) Error() string   { return "" }
func (q quiet) Unwrap() error { return q.error }

func fatal(code pgerr.Code, format string, args ...any) *pgerr.Error {
	return pgerr.New(code, format, args...).WithSeverity("FATAL")
}

func (r *reader) message(kind byte) (msg pgproto3.FrontendMessage, long bool) {
	switch kind {
	case 'B':
		return &r.bind, true
	case 'C':
		return &r.closeMsg, false
	case 'D':
		return &r.describe, false
	case 'E':
		return &r.execute, false
	case 'F':
		return &pgproto3.FunctionCall{}, true
	case 'f':
		return &r.copyFail, false
	case 'd':
		return &r.copyData, true
	case 'c':
		return &r.copyDone, false
	case 'H':
		return &r.flush, false
	case 'P':
		return &r.parse, true
	case 'Q':
		return &r.query, true
	case 'S':
		return &r.sync, false
	case 'X':
		return &r.end, false
	}
	return nil, false
}

// read returns a body of n bytes in a buffer that is kept while it is of ordinary size.
func (r *reader) read(n int) ([]byte, error) {
	if cap(r.body) > bodyStep && n <= bodyStep {
		r.body = nil
	}
	r.body = r.body[:0]
	for len(r.body) < n {
		step := min(n-len(r.body), bodyStep)
		have := len(r.body)
		if cap(r.body)-have < step {
			grown := make([]byte, have, max(have+step, min(n, 2*cap(r.body))))
			copy(grown, r.body)
			r.body = grown
		}
		r.body = r.body[:have+step]
		if _, err := io.ReadFull(r.r, r.body[have:]); err != nil {
			return nil, err
		}
	}
	return r.body, nil
}

// readPassword reads the 'p' message of an authentication exchange.
func (r *reader) readPassword() ([]byte, error) {
	if _, err := io.ReadFull(r.r, r.header[:]); err != nil {
		return nil, err
	}
	size := int(int32(binary.BigEndian.Uint32(r.header[1:]))) - 4
	if r.header[0] != 'p' {
		return nil, fatal(pgerr.ProtocolViolation, "expected password response, got message type %d", r.header[0])
	}
	if size < 0 || size > smallMessage {
		return nil, fatal(pgerr.ProtocolViolation, "invalid password packet size")
	}
	return r.read(size)
}
