package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/xdg-go/scram"

	"github.com/pgmongo/pgmongo/metrics"
	"github.com/pgmongo/pgmongo/server/session"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Config is how a server listens and whom it lets in.
type Config struct {
	// TLS is nil to answer that TLS is not offered. RequireTLS refuses clients without it.
	TLS        *tls.Config
	RequireTLS bool
	Auth       AuthMode
	// Users maps names to passwords in clear or to SCRAM-SHA-256 verifiers, before the roles of the catalogue are asked.
	Users map[string]string
	// Verifier looks a role's verifier up; nil for none.
	Verifier       func(ctx context.Context, user string) (string, error)
	MaxConnections int
	// MaxMessage bounds one message of a client in bytes.
	MaxMessage     int
	StartupTimeout time.Duration
}

// Opener makes the session of an authenticated client. wake may be called from any goroutine to have notifications sent.
type Opener func(ctx context.Context, st session.Startup, client session.Client, wake func()) (Session, error)

// Server accepts connections.
type Server struct {
	cfg     Config
	opener  Opener
	log     *slog.Logger
	metrics *metrics.Metrics
	mock    []byte

	mu      sync.Mutex
	conns   map[int32]*conn
	nextPID int32
	closing bool
	ln      net.Listener
	wg      sync.WaitGroup
	ctx     context.Context
	stop    context.CancelCauseFunc
}

// New returns a server that has not begun to listen. Zero limits of the configuration take their defaults.
func New(cfg Config, opener Opener, log *slog.Logger, m *metrics.Metrics) (*Server, error) {
	if cfg.MaxConnections == 0 {
		cfg.MaxConnections = 500
	}
	if cfg.MaxMessage == 0 {
		cfg.MaxMessage = 1 << 28
	}
	if cfg.StartupTimeout == 0 {
		cfg.StartupTimeout = time.Minute
	}
	if cfg.Auth == "" {
		cfg.Auth = AuthTrust
	}
	mock := make([]byte, 32)
	if _, err := rand.Read(mock); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancelCause(context.Background())
	return &Server{cfg: cfg, opener: opener, log: log, metrics: m, mock: mock, conns: map[int32]*conn{}, nextPID: 1000, ctx: ctx, stop: stop}, nil
}

// ErrClosed is what Serve returns after Shutdown.
var ErrClosed = errors.New("server closed")

// Serve accepts connections until Shutdown, and returns ErrClosed then.
func (s *Server) Serve(ln net.Listener) error {
	s.mu.Lock()
	s.ln = ln
	closing := s.closing
	s.mu.Unlock()
	if closing {
		return ErrClosed
	}
	for {
		nc, err := ln.Accept()
		if err != nil {
			s.mu.Lock()
			closing := s.closing
			s.mu.Unlock()
			if closing {
				return ErrClosed
			}
			var ne net.Error
			if errors.As(err, &ne) && ne.Timeout() {
				continue
			}
			return err
		}
		s.start(nc)
	}
}

func (s *Server) start(nc net.Conn) {
	if t, ok := nc.(*net.TCPConn); ok {
		_ = t.SetNoDelay(true) // a socket that refuses is only slower
	}
	ctx, cancel := context.WithCancelCause(s.ctx)
	c := &conn{srv: s, nc: nc, in: &input{nc: nc}, ctx: ctx, cancel: cancel, secret: make([]byte, 4)}
	if _, err := rand.Read(c.secret); err != nil {
		s.log.Error("no random numbers", "error", err)
		_ = nc.Close() // refused
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextPID++
	c.pid = s.nextPID
	s.conns[c.pid] = c
	s.metrics.Connections.Inc()
	s.wg.Go(c.serve)
}

// admit counts a client that asks for a session.
func (s *Server) admit(c *conn) error {
	if s.cfg.RequireTLS && !c.secure {
		return fatal(pgerr.InvalidAuthorizationSpecification, "no encryption: this server accepts TLS connections only")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return fatal(pgerr.CannotConnectNow, "the database system is shutting down")
	case len(s.conns) > s.cfg.MaxConnections:
		return fatal(pgerr.TooManyConnections, "sorry, too many clients already")
	}
	return nil
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c.pid)
	s.metrics.Connections.Dec()
}

func (s *Server) open(ctx context.Context, st session.Startup, c *conn) (Session, error) {
	return s.opener(ctx, st, c, c.Deliver)
}

// credentials finds what a user's password is checked against; an unknown user gets credentials that never match.
func (s *Server) credentials(ctx context.Context, user string) (scram.StoredCredentials, bool, error) {
	v, ok := s.cfg.Users[user]
	if !ok && s.cfg.Verifier != nil {
		var err error
		if v, err = s.cfg.Verifier(ctx, user); err != nil {
			return scram.StoredCredentials{}, false, err
		}
	}
	if v == "" {
		return mockCredentials(s.mock, user), false, nil
	}
	if k, ok := parseVerifier(v); ok {
		return k, true, nil
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return scram.StoredCredentials{}, false, err
	}
	made, err := Verifier(v, salt)
	if err != nil {
		return mockCredentials(s.mock, user), false, nil // a password that SCRAM cannot prepare never matches
	}
	k, ok := parseVerifier(made)
	return k, ok, nil
}

func (s *Server) find(pid int32) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[pid]
}

var errUserCancel = pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")

func (s *Server) cancelRequest(pid uint32, secret []byte) {
	if c := s.find(int32(pid)); c != nil && subtle.ConstantTimeCompare(c.secret, secret) == 1 {
		c.cancelStatement(errUserCancel)
	}
}

// Cancel ends the statement of a session, as pg_cancel_backend does; false when there is no such session.
func (s *Server) Cancel(pid int32) bool {
	c := s.find(pid)
	if c == nil {
		return false
	}
	c.cancelStatement(errUserCancel)
	return true
}

// Terminate ends a session, as pg_terminate_backend does; false when there is no such session.
func (s *Server) Terminate(pid int32) bool {
	c := s.find(pid)
	if c == nil {
		return false
	}
	c.terminate(fatal(pgerr.AdminShutdown, "terminating connection due to administrator command"))
	return true
}

// Closing reports whether Shutdown has begun.
func (s *Server) Closing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// Shutdown stops accepting, ends idle sessions, lets open transactions finish until ctx ends, and then ends those too.
func (s *Server) Shutdown(ctx context.Context) error {
	why := fatal(pgerr.AdminShutdown, "terminating connection due to administrator command")
	s.mu.Lock()
	s.closing = true
	if s.ln != nil {
		_ = s.ln.Close() // Accept fails, which is the aim
	}
	conns := make([]*conn, 0, len(s.conns))
	for _, c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.drain(why)
	}
	done := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, c := range conns {
		c.terminate(why)
	}
	select {
	case <-done:
		return nil
	case <-time.After(10 * time.Second):
		s.stop(why)
		for _, c := range conns {
			_ = c.nc.Close() // the last resort
		}
		<-done
		return ctx.Err()
	}
}
