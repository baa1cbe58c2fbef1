package server

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"go.uber.org/goleak"

	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/metrics"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/server/session"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a session whose statements are words: it lets the wire be tested without an executor.
type fake struct {
	c       session.Client
	wake    func()
	mu      sync.Mutex
	status  byte
	note    []session.Notification
	idle    time.Duration
	seen    chan string
	stmts   map[string]string
	portals map[string]int
	reports [][2]string
}

func (f *fake) Simple(ctx context.Context, q string) error {
	f.seen <- "simple " + q
	switch q {
	case "":
		f.c.Empty()
		return nil
	case "error":
		return pgerr.New(pgerr.DivisionByZero, "division by zero")
	case "panic":
		panic("a defect")
	case "sleep":
		<-ctx.Done()
		return context.Cause(ctx)
	case "begin":
		f.setStatus('T')
		f.c.Complete("BEGIN")
		return nil
	case "commit":
		f.setStatus('I')
		f.c.Complete("COMMIT")
		return nil
	case "notice":
		f.c.Notice(pgerr.New(pgerr.Warning, "careful").WithSeverity("WARNING"))
		f.c.Complete("DO")
		return nil
	case "copyin":
		b, err := io.ReadAll(f.c.CopyIn(false, 2))
		if err != nil {
			return err
		}
		f.seen <- "copied " + string(b)
		f.c.Complete("COPY 1")
		return nil
	case "copyout":
		w := f.c.CopyOut(false, 1)
		for range 3 {
			if _, err := io.WriteString(w, "x\n"); err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		f.c.Complete("COPY 3")
		return nil
	}
	return f.rows(q, 0, nil, true)
}

var cols = []planner.Col{{Name: "n", Type: types.Int4T, Mod: -1}, {Name: "t", Type: types.TextT, Mod: -1}}

func (f *fake) rows(q string, from int, formats []int16, describe bool) error {
	if describe {
		f.c.RowDescription(cols, formats)
	}
	var b executor.Batch
	b.Reset(2)
	for i := range len(q) {
		b.Append([]types.Datum{types.Int(int64(i)), types.Str(q[i : i+1])})
	}
	b.Append([]types.Datum{types.Null, types.Null})
	if err := f.c.Rows(cols, formats, types.DefaultIO()).Write(&b, from, b.N); err != nil {
		return err
	}
	f.c.Complete("SELECT")
	return nil
}

func (f *fake) setStatus(b byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = b
}

func (f *fake) FunctionCall(_ context.Context, oid uint32, _ []int16, args [][]byte, _ int16) ([]byte, error) {
	if len(args) == 0 {
		return nil, pgerr.New(pgerr.UndefinedFunction, "function with OID %d does not exist", oid)
	}
	return args[0], nil
}

func (f *fake) Parse(_ context.Context, name, q string, _ []uint32) error {
	if q == "error" {
		return pgerr.New(pgerr.SyntaxError, "syntax error")
	}
	f.stmts[name] = q
	return nil
}

func (f *fake) Bind(_ context.Context, portal, _ string, _ []int16, _ [][]byte, _ []int16) error {
	f.portals[portal] = 0
	return nil
}

func (f *fake) DescribeStatement(context.Context, string) error {
	f.c.ParameterDescription([]uint32{23})
	f.c.RowDescription(cols, nil)
	return nil
}

func (f *fake) DescribePortal(context.Context, string) error {
	f.c.NoData()
	return nil
}

func (f *fake) Execute(ctx context.Context, _ string, maxRows uint32) error {
	q := f.stmts[""]
	if q == "runtime" {
		return pgerr.New(pgerr.DivisionByZero, "division by zero")
	}
	if q == "sleep" {
		return f.Simple(ctx, q)
	}
	if maxRows > 0 {
		f.c.Suspended()
		return nil
	}
	return f.rows(q, 0, []int16{1}, false)
}

func (f *fake) CloseStatement(context.Context, string) error { return nil }
func (f *fake) ClosePortal(context.Context, string) error    { return nil }
func (f *fake) Sync(context.Context) error                   { f.seen <- "sync"; return nil }
func (f *fake) Fail(context.Context)                         { f.seen <- "fail" }
func (f *fake) Close(context.Context)                        { f.seen <- "close" }
func (f *fake) Encoding() *types.Encoding                    { return nil }

func (f *fake) Reports() [][2]string {
	r := f.reports
	f.reports = nil
	return r
}

func (f *fake) Status() byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *fake) IdleTimeout() (time.Duration, *pgerr.Error) {
	return f.idle, pgerr.New(pgerr.IdleSessionTimeout, "terminating connection due to idle-session timeout").WithSeverity("FATAL")
}

func (f *fake) Notifications() []session.Notification {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.note
	f.note = nil
	return n
}

// rig is a server with fakes.
type rig struct {
	t    *testing.T
	srv  *Server
	addr string
	mu   sync.Mutex
	last *fake
}

func start(t *testing.T, cfg Config, prepare func(*fake)) *rig {
	t.Helper()
	r := &rig{t: t}
	open := func(_ context.Context, st session.Startup, c session.Client, wake func()) (Session, error) {
		if st.Database == "missing" {
			return nil, pgerr.New(pgerr.InvalidCatalogName, "database \"missing\" does not exist")
		}
		f := &fake{c: c, wake: wake, status: 'I', seen: make(chan string, 100), stmts: map[string]string{}, portals: map[string]int{}}
		f.reports = [][2]string{{"server_version", "15.18 (pgmongo test)"}, {"client_encoding", "UTF8"}}
		for k, v := range st.Parameters {
			f.reports = append(f.reports, [2]string{k, v})
		}
		if prepare != nil {
			prepare(f)
		}
		r.mu.Lock()
		r.last = f
		r.mu.Unlock()
		return f, nil
	}
	srv, err := New(cfg, open, slog.New(slog.NewTextHandler(io.Discard, nil)), metrics.New("test"))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.srv, r.addr = srv, ln.Addr().String()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return r
}

func (r *rig) fake() *fake {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// peer is a client that speaks messages.
type peer struct {
	t  *testing.T
	nc net.Conn
	f  *pgproto3.Frontend
	// key is the client's BackendKeyData.
	key pgproto3.BackendKeyData
}

func (r *rig) dial() *peer {
	r.t.Helper()
	nc, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = nc.Close() }) // may be closed already
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &peer{t: r.t, nc: nc, f: pgproto3.NewFrontend(nc, nc)}
}

func (r *rig) connect(params map[string]string) *peer {
	r.t.Helper()
	p := r.dial()
	all := map[string]string{"user": "u", "database": "d"}
	for k, v := range params {
		all[k] = v
	}
	p.send(&pgproto3.StartupMessage{ProtocolVersion: 196608, Parameters: all})
	p.until("Z")
	return p
}

func (p *peer) send(msgs ...pgproto3.FrontendMessage) {
	p.t.Helper()
	for _, m := range msgs {
		p.f.Send(m)
	}
	if err := p.f.Flush(); err != nil {
		p.t.Fatal(err)
	}
}

// letter writes a message as its type byte and what matters in it.
func (p *peer) letter(m pgproto3.BackendMessage) string {
	switch m := m.(type) {
	case *pgproto3.ReadyForQuery:
		return "Z" + string(m.TxStatus)
	case *pgproto3.CommandComplete:
		return "C" + string(m.CommandTag)
	case *pgproto3.ErrorResponse:
		return "E" + m.Severity + m.Code
	case *pgproto3.NoticeResponse:
		return "N" + m.Severity
	case *pgproto3.DataRow:
		vals := make([]string, len(m.Values))
		for i, v := range m.Values {
			vals[i] = string(v)
			if v == nil {
				vals[i] = "null"
			}
		}
		return "D" + strings.Join(vals, ",")
	case *pgproto3.RowDescription:
		return "T"
	case *pgproto3.ParseComplete:
		return "1"
	case *pgproto3.BindComplete:
		return "2"
	case *pgproto3.CloseComplete:
		return "3"
	case *pgproto3.NoData:
		return "n"
	case *pgproto3.ParameterDescription:
		return "t"
	case *pgproto3.PortalSuspended:
		return "s"
	case *pgproto3.EmptyQueryResponse:
		return "I"
	case *pgproto3.CopyInResponse:
		return "G"
	case *pgproto3.CopyOutResponse:
		return "H"
	case *pgproto3.CopyData:
		return "d" + string(m.Data)
	case *pgproto3.CopyDone:
		return "c"
	case *pgproto3.ParameterStatus:
		return "S" + m.Name
	case *pgproto3.BackendKeyData:
		p.key = *m
		return "K"
	case *pgproto3.AuthenticationOk:
		return "R"
	case *pgproto3.NotificationResponse:
		return "A" + m.Channel + "=" + m.Payload
	case *pgproto3.NegotiateProtocolVersion:
		return "v" + strings.Join(m.UnrecognizedOptions, ",")
	}
	return "?"
}

// until reads messages until one starts with end; "" reads to the end of the connection.
func (p *peer) until(end string) string {
	p.t.Helper()
	var got []string
	for {
		m, err := p.f.Receive()
		if err != nil {
			if end == "" && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)) {
				return strings.Join(got, " ")
			}
			p.t.Fatalf("after %v: %v", got, err)
		}
		l := p.letter(m)
		got = append(got, l)
		if end != "" && strings.HasPrefix(l, end) {
			return strings.Join(got, " ")
		}
	}
}

func (p *peer) expect(end, want string) {
	p.t.Helper()
	if got := p.until(end); got != want {
		p.t.Errorf("got  %q\nwant %q", got, want)
	}
}

func query(q string) *pgproto3.Query { return &pgproto3.Query{String: q} }

func TestSimpleQuery(t *testing.T) {
	p := start(t, Config{}, nil).connect(nil)
	p.send(query("ab"))
	p.expect("Z", "T D0,a D1,b Dnull,null CSELECT ZI")
	p.send(query(""))
	p.expect("Z", "I ZI")
	p.send(query("error"))
	p.expect("Z", "EERROR22012 ZI")
	p.send(query("notice"))
	p.expect("Z", "NWARNING CDO ZI")
	p.send(query("begin"))
	p.expect("Z", "CBEGIN ZT")
}

func TestPanicLeavesTheSessionAlive(t *testing.T) {
	p := start(t, Config{}, nil).connect(nil)
	p.send(query("panic"))
	p.expect("Z", "EERRORXX000 ZI")
	p.send(query("a"))
	p.expect("Z", "T D0,a Dnull,null CSELECT ZI")
}

func TestExtendedProtocol(t *testing.T) {
	p := start(t, Config{}, nil).connect(nil)
	p.send(&pgproto3.Parse{Query: "a"}, &pgproto3.Describe{ObjectType: 'S'}, &pgproto3.Bind{}, &pgproto3.Describe{ObjectType: 'P'},
		&pgproto3.Execute{}, &pgproto3.Close{ObjectType: 'S'}, &pgproto3.Sync{})
	p.expect("Z", "1 t T 2 n D\x00\x00\x00\x00,a Dnull,null CSELECT 3 ZI")
	p.send(&pgproto3.Parse{Query: "a"}, &pgproto3.Bind{}, &pgproto3.Execute{MaxRows: 1}, &pgproto3.Flush{})
	p.expect("s", "1 2 s")
	p.send(&pgproto3.Sync{})
	p.expect("Z", "ZI")
}

func TestErrorSkipsToSync(t *testing.T) {
	p := start(t, Config{}, nil).connect(nil)
	p.send(&pgproto3.Parse{Query: "error"}, &pgproto3.Bind{}, &pgproto3.Execute{}, query("ab"), &pgproto3.Sync{},
		&pgproto3.Parse{Query: "b"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{})
	p.expect("Z", "EERROR42601 ZI")
	p.expect("Z", "1 2 D\x00\x00\x00\x00,b Dnull,null CSELECT ZI")
	// An error at run time, twice in one pipeline.
	p.send(&pgproto3.Parse{Query: "runtime"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Execute{}, &pgproto3.Sync{}, &pgproto3.Sync{})
	p.expect("Z", "1 2 EERROR22012 ZI")
	p.expect("Z", "ZI")
}

func TestMalformedMessages(t *testing.T) {
	r := start(t, Config{MaxMessage: 1 << 20}, nil)
	for name, c := range map[string]struct {
		raw  []byte
		want string
		end  string
	}{
		"unknown type":         {[]byte{'~', 0, 0, 0, 4}, "EFATAL08P01", ""},
		"negative length":      {[]byte{'Q', 0, 0, 0, 1}, "EFATAL08P01", ""},
		"oversized query":      {[]byte{'Q', 0x7f, 0, 0, 0}, "EFATAL54000", ""},
		"oversized sync":       {[]byte{'S', 0, 1, 0, 0}, "EFATAL54000", ""},
		"query without NUL":    {[]byte{'Q', 0, 0, 0, 5, 'x'}, "EERROR08P01 ZI", "Z"},
		"bind cut short":       {append([]byte{'B', 0, 0, 0, 7, 0, 0, 5}, 'S', 0, 0, 0, 4), "EERROR08P01 ZI", "Z"},
		"describe of what":     {append([]byte{'D', 0, 0, 0, 6, 'x', 0}, 'S', 0, 0, 0, 4), "EERROR08P01 ZI", "Z"},
		"function call":        {[]byte{'F', 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, "EERROR42883 ZI", "Z"},
		"copy data from spite": {append([]byte{'d', 0, 0, 0, 5, 'x'}, 'S', 0, 0, 0, 4), "ZI", "Z"},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.connect(nil)
			p.t = t
			if _, err := p.nc.Write(c.raw); err != nil {
				t.Fatal(err)
			}
			p.expect(c.end, c.want)
		})
	}
}

func startupPacket(code uint32, body string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	b = binary.BigEndian.AppendUint32(b, code)
	return append(b, body...)
}

func TestStartup(t *testing.T) {
	r := start(t, Config{}, nil)
	for name, c := range map[string]struct {
		raw  []byte
		end  string
		want string
	}{
		"no user":              {startupPacket(196608, "database\x00d\x00\x00"), "", "EFATAL28000"},
		"no terminator":        {startupPacket(196608, "user\x00u"), "", "EFATAL08P01"},
		"bytes after the end":  {startupPacket(196608, "user\x00u\x00\x00zz"), "", "EFATAL08P01"},
		"protocol 2":           {startupPacket(2<<16, "user\x00u\x00\x00"), "", "EFATAL0A000"},
		"protocol 4":           {startupPacket(4<<16, "user\x00u\x00\x00"), "", "EFATAL0A000"},
		"missing database":     {startupPacket(196608, "user\x00u\x00database\x00missing\x00\x00"), "", "R EFATAL3D000"},
		"a newer minor":        {startupPacket(3<<16|9999, "user\x00u\x00\x00"), "Z", "v R Sserver_version Sclient_encoding K ZI"},
		"an unknown option":    {startupPacket(3<<16, "user\x00u\x00_pq_.x\x00y\x00\x00"), "Z", "v_pq_.x R Sserver_version Sclient_encoding K ZI"},
		"-c options":           {startupPacket(3<<16, "user\x00u\x00options\x00-c work_mem=1MB\x00\x00"), "Z", "R Sserver_version Sclient_encoding Swork_mem K ZI"},
		"a bad option":         {startupPacket(3<<16, "user\x00u\x00options\x00-q\x00\x00"), "", "R EFATAL42601"},
		"replication":          {startupPacket(3<<16, "user\x00u\x00replication\x00database\x00\x00"), "", "R EFATAL0A000"},
		"too long":             {binary.BigEndian.AppendUint32(nil, 1<<20), "", ""},
		"too short":            {[]byte{0, 0, 0, 5, 0}, "", ""},
		"an HTTP request":      {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "", ""},
		"cancel of nobody":     {startupPacket(codeCancel, "\x00\x00\x00\x01\x00\x00\x00\x00"), "", ""},
		"cancel without a key": {startupPacket(codeCancel, "\x00\x00\x00\x01"), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := r.dial()
			p.t = t
			if _, err := p.nc.Write(c.raw); err != nil {
				t.Fatal(err)
			}
			p.expect(c.end, c.want)
		})
	}
}

func TestEncryptionIsDeclined(t *testing.T) {
	p := start(t, Config{}, nil).dial()
	for _, code := range []uint32{codeGSS, codeSSL} {
		if _, err := p.nc.Write(startupPacket(code, "")); err != nil {
			t.Fatal(err)
		}
		var b [1]byte
		if _, err := io.ReadFull(p.nc, b[:]); err != nil || b[0] != 'N' {
			t.Fatalf("answer %q, %v", b, err)
		}
	}
	p.send(&pgproto3.StartupMessage{ProtocolVersion: 196608, Parameters: map[string]string{"user": "u"}})
	p.expect("Z", "R Sserver_version Sclient_encoding K ZI")
}

func TestCancel(t *testing.T) {
	r := start(t, Config{}, nil)
	p := r.connect(nil)
	p.send(query("sleep"))
	<-r.fake().seen
	wrong := r.dial()
	wrong.send(&pgproto3.CancelRequest{ProcessID: p.key.ProcessID, SecretKey: []byte{1, 2, 3, 4}})
	wrong.expect("", "")
	c := r.dial()
	c.send(&pgproto3.CancelRequest{ProcessID: p.key.ProcessID, SecretKey: p.key.SecretKey})
	p.expect("Z", "EERROR57014 ZI")
	// A cancel that comes when nothing runs is forgotten.
	c = r.dial()
	c.send(&pgproto3.CancelRequest{ProcessID: p.key.ProcessID, SecretKey: p.key.SecretKey})
	c.expect("", "")
	p.send(query("a"))
	p.expect("Z", "T D0,a Dnull,null CSELECT ZI")
}

func TestDisconnectCancelsTheStatement(t *testing.T) {
	r := start(t, Config{}, nil)
	p := r.connect(nil)
	p.send(query("sleep"))
	f := r.fake()
	<-f.seen
	if err := p.nc.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-f.seen:
		if got != "close" {
			t.Errorf("saw %q", got)
		}
	case <-time.After(5 * time.Second):
		t.Error("the statement still runs")
	}
}

func TestReadAheadIsNotLost(t *testing.T) {
	r := start(t, Config{}, nil)
	p := r.connect(nil)
	p.send(query("sleep"))
	<-r.fake().seen
	time.Sleep(3 * watchDelay) // the watcher reads now
	p.send(query("ab"), query("c"))
	time.Sleep(watchDelay)
	c := r.dial()
	c.send(&pgproto3.CancelRequest{ProcessID: p.key.ProcessID, SecretKey: p.key.SecretKey})
	p.expect("Z", "EERROR57014 ZI")
	p.expect("Z", "T D0,a D1,b Dnull,null CSELECT ZI")
	p.expect("Z", "T D0,c Dnull,null CSELECT ZI")
}

func TestCopy(t *testing.T) {
	r := start(t, Config{}, nil)
	p := r.connect(nil)
	p.send(query("copyin"))
	p.expect("G", "G")
	p.send(&pgproto3.CopyData{Data: []byte("1\t")}, &pgproto3.Sync{}, &pgproto3.CopyData{Data: []byte("x\n")}, &pgproto3.CopyDone{})
	p.expect("Z", "CCOPY 1 ZI")
	f := r.fake()
	<-f.seen
	if got := <-f.seen; got != "copied 1\tx\n" {
		t.Errorf("got %q", got)
	}
	p.send(query("copyin"))
	p.expect("G", "G")
	p.send(&pgproto3.CopyFail{Message: "no more"})
	p.expect("Z", "EERROR57014 ZI")
	p.send(query("copyout"))
	p.expect("Z", "H dx\n dx\n dx\n c CCOPY 3 ZI")
	p.send(query("copyin"))
	p.expect("G", "G")
	p.send(query("what"))
	p.expect("", "EFATAL08P01")
}

func TestNotifications(t *testing.T) {
	r := start(t, Config{}, nil)
	p := r.connect(nil)
	f := r.fake()
	note := func(v string) {
		f.mu.Lock()
		f.note = append(f.note, session.Notification{PID: 1, Channel: "c", Payload: v})
		f.mu.Unlock()
		f.wake()
	}
	time.Sleep(20 * time.Millisecond) // the connection waits
	note("idle")
	p.expect("A", "Ac=idle")
	p.send(query("sleep"))
	for s := range f.seen {
		if s == "simple sleep" {
			break
		}
	}
	note("busy")
	c := r.dial()
	c.send(&pgproto3.CancelRequest{ProcessID: p.key.ProcessID, SecretKey: p.key.SecretKey})
	p.expect("Z", "EERROR57014 Ac=busy ZI")
}

func TestIdleTimeout(t *testing.T) {
	p := start(t, Config{}, func(f *fake) { f.idle = 50 * time.Millisecond }).connect(nil)
	p.expect("", "EFATAL57P05")
}

func TestConnectionLimit(t *testing.T) {
	r := start(t, Config{MaxConnections: 1}, nil)
	r.connect(nil)
	p := r.dial()
	p.send(&pgproto3.StartupMessage{ProtocolVersion: 196608, Parameters: map[string]string{"user": "u"}})
	p.expect("", "EFATAL53300")
}

func TestTerminate(t *testing.T) {
	r := start(t, Config{}, nil)
	p := r.connect(nil)
	time.Sleep(20 * time.Millisecond)
	if !r.srv.Terminate(int32(p.key.ProcessID)) || r.srv.Terminate(1) {
		t.Error("Terminate found the wrong session")
	}
	p.expect("", "EFATAL57P01")
	busy := r.connect(nil)
	busy.send(query("sleep"))
	<-r.fake().seen
	r.srv.Terminate(int32(busy.key.ProcessID))
	busy.expect("", "EFATAL57P01")
}

func TestShutdownDrains(t *testing.T) {
	r := start(t, Config{}, nil)
	idle, busy := r.connect(nil), r.connect(nil)
	busy.send(query("begin"))
	busy.expect("Z", "CBEGIN ZT")
	done := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		done <- r.srv.Shutdown(ctx)
	}()
	idle.expect("", "EFATAL57P01")
	busy.send(query("a"))
	busy.expect("Z", "T D0,a Dnull,null CSELECT ZT")
	busy.send(query("commit"))
	busy.expect("", "CCOMMIT ZI EFATAL57P01")
	if err := <-done; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestSCRAM(t *testing.T) {
	verifier, err := Verifier("secret", []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, Config{Auth: AuthSCRAM, Users: map[string]string{"alice": "päss word", "bob": verifier}}, nil)
	for _, c := range []struct {
		user, password string
		ok             bool
	}{{"alice", "päss word", true}, {"alice", "wrong", false}, {"bob", "secret", true}, {"bob", "", false}, {"carol", "x", false}} {
		cfg, err := pgx.ParseConfig("postgres://" + r.addr + "/d?sslmode=disable")
		if err != nil {
			t.Fatal(err)
		}
		cfg.User, cfg.Password = c.user, c.password
		conn, err := pgconn.ConnectConfig(context.Background(), &cfg.Config)
		var pe *pgconn.PgError
		switch {
		case c.ok && err != nil:
			t.Errorf("%s: %v", c.user, err)
		case !c.ok && (!errors.As(err, &pe) || pe.Code != "28P01"):
			t.Errorf("%s with %q: %v", c.user, c.password, err)
		}
		if conn != nil {
			_ = conn.Close(context.Background())
		}
	}
}

func TestRowEncoding(t *testing.T) {
	c := &conn{}
	w := c.Rows([]planner.Col{{Type: types.Int8T}, {Type: types.BoolT}, {Type: types.TextT}}, []int16{0}, types.DefaultIO())
	var b executor.Batch
	b.Reset(3)
	b.Append([]types.Datum{types.Int(-5), types.True, types.Str("ö")})
	if err := w.Write(&b, 0, 1); err != nil {
		t.Fatal(err)
	}
	want := []byte{'D', 0, 0, 0, 23, 0, 3, 0, 0, 0, 2, '-', '5', 0, 0, 0, 1, 't', 0, 0, 0, 2, 0xc3, 0xb6}
	if !bytes.Equal(c.out, want) {
		t.Errorf("got  %x\nwant %x", c.out, want)
	}
}

func BenchmarkRowWriter(b *testing.B) {
	c := &conn{}
	w := c.Rows([]planner.Col{{Type: types.Int8T}, {Type: types.BoolT}, {Type: types.TextT}}, nil, types.DefaultIO())
	var batch executor.Batch
	batch.Reset(3)
	for i := range executor.BatchRows {
		batch.Append([]types.Datum{types.Int(int64(i)), types.True, types.Str("some text of a row")})
	}
	b.ReportAllocs()
	for b.Loop() {
		c.out = c.out[:0]
		if err := w.Write(&batch, 0, batch.N); err != nil {
			b.Fatal(err)
		}
	}
}
