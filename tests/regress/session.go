package regress

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// Session is a connection of its own that shows every message of the server.
type Session struct {
	dsn      string
	conn     *pgconn.HijackedConn
	frontend *pgproto3.Frontend
	tx       byte
}

// Result is the answer to one statement of a query string.
type Result struct {
	Columns []string
	Rows    [][]string
	Tag     string
	Error   *pgproto3.ErrorResponse
}

// Outcome is the answer to a query string: its results in order, the notices, and the state of the transaction after it.
type Outcome struct {
	Results []Result
	Notices []pgproto3.NoticeResponse
	Status  byte
	Took    time.Duration
	// Lost says that the connection broke or had to be broken.
	Lost string
}

// limit is how long a statement may take before it is cancelled, and the same time again before the connection is cut.
const limit = 20 * time.Second

// Connect opens a session.
func Connect(ctx context.Context, dsn string) (*Session, error) {
	s := &Session{dsn: dsn}
	return s, s.connect(ctx, "")
}

func (s *Session) connect(ctx context.Context, user string) error {
	config, err := pgconn.ParseConfig(s.dsn)
	if err != nil {
		return err
	}
	if user != "" {
		config.User = user
	}
	c, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	s.conn, err = c.Hijack()
	if err != nil {
		return err
	}
	s.frontend, s.tx = s.conn.Frontend, 'I'
	// As pg_regress has them: horology and its kin show times of the American west coast.
	for _, sql := range []string{"SET datestyle = 'Postgres, MDY'", "SET timezone = 'PST8PDT'", "SET intervalstyle = 'postgres_verbose'"} {
		if o := s.Run(sql, nil); o.Lost != "" || o.Results[0].Error != nil {
			return fmt.Errorf("%s: %+v", sql, o)
		}
	}
	return nil
}

// Reconnect closes the session and opens another, of the user if it is not empty.
func (s *Session) Reconnect(ctx context.Context, user string) error {
	s.Close()
	return s.connect(ctx, user)
}

// Close ends the session.
func (s *Session) Close() {
	s.frontend.Send(&pgproto3.Terminate{})
	_ = s.frontend.Flush()
	_ = s.conn.Conn.Close()
}

// InTransaction says whether a transaction block is open, failed ones included.
func (s *Session) InTransaction() bool { return s.tx != 'I' }

// Run sends a query string and reads its answer. The data is asked for when the server wants COPY's input.
func (s *Session) Run(sql string, data func() []byte) *Outcome {
	out, start := &Outcome{Status: 'I'}, time.Now()
	defer func() { out.Took = time.Since(start) }()
	timer := time.AfterFunc(limit, func() {
		s.cancel()
		_ = s.conn.Conn.SetReadDeadline(time.Now().Add(limit))
	})
	defer timer.Stop()
	defer s.conn.Conn.SetReadDeadline(time.Time{})
	s.frontend.Send(&pgproto3.Query{String: sql})
	err := s.frontend.Flush()
	for err == nil {
		var m pgproto3.BackendMessage
		if m, err = s.frontend.Receive(); err != nil {
			break
		}
		if r, ok := m.(*pgproto3.ReadyForQuery); ok {
			out.Status, s.tx = r.TxStatus, r.TxStatus
			return out
		}
		err = s.take(out, m, data)
	}
	out.Lost = err.Error()
	_ = s.conn.Conn.Close()
	if err := s.connect(context.Background(), ""); err != nil {
		out.Lost += "; " + err.Error()
	}
	return out
}

// take adds a message to the outcome.
func (s *Session) take(out *Outcome, m pgproto3.BackendMessage, data func() []byte) error {
	current := func() *Result {
		if n := len(out.Results); n > 0 && out.Results[n-1].Tag == "" && out.Results[n-1].Error == nil {
			return &out.Results[n-1]
		}
		out.Results = append(out.Results, Result{})
		return &out.Results[len(out.Results)-1]
	}
	switch m := m.(type) {
	case *pgproto3.RowDescription:
		r := current()
		r.Columns = make([]string, len(m.Fields))
		for i, f := range m.Fields {
			oid := fmt.Sprint(f.DataTypeOID)
			if f.DataTypeOID >= 16384 { // of the database's own
				oid = "own"
			}
			r.Columns[i] = fmt.Sprintf("%s %s %d %d", f.Name, oid, f.DataTypeSize, f.TypeModifier)
		}
	case *pgproto3.DataRow:
		row := make([]string, len(m.Values))
		for i, v := range m.Values {
			row[i] = string(v)
			if v == nil {
				row[i] = "\x00"
			}
		}
		r := current()
		r.Rows = append(r.Rows, row)
	case *pgproto3.CopyData:
		r := current()
		r.Rows = append(r.Rows, []string{string(m.Data)})
	case *pgproto3.CommandComplete:
		current().Tag = string(m.CommandTag)
	case *pgproto3.EmptyQueryResponse:
		current().Tag = "empty"
	case *pgproto3.ErrorResponse:
		e := *m
		current().Error = &e
	case *pgproto3.NoticeResponse:
		out.Notices = append(out.Notices, *m)
	case *pgproto3.CopyInResponse:
		var b []byte
		if data != nil {
			b = data()
		}
		if len(b) > 0 {
			s.frontend.Send(&pgproto3.CopyData{Data: b})
		}
		s.frontend.Send(&pgproto3.CopyDone{})
		return s.frontend.Flush()
	case *pgproto3.NotificationResponse:
		out.Notices = append(out.Notices, pgproto3.NoticeResponse{Severity: "NOTIFY", Message: m.Channel + ": " + m.Payload})
	case *pgproto3.CopyBothResponse:
		return io.ErrUnexpectedEOF
	}
	return nil
}

// cancel asks for the end of the running statement as libpq does, by a connection of its own.
func (s *Session) cancel() {
	c, err := net.DialTimeout("tcp", s.conn.Conn.RemoteAddr().String(), time.Second)
	if err != nil {
		return
	}
	defer c.Close()
	request := pgproto3.CancelRequest{ProcessID: s.conn.PID, SecretKey: s.conn.SecretKey}
	if b, err := request.Encode(nil); err == nil {
		_, _ = c.Write(b)
	}
}

// String shows an outcome in lines.
func (o *Outcome) String() string {
	var b strings.Builder
	for _, n := range o.Notices {
		fmt.Fprintf(&b, "%s: %s\n", n.Severity, n.Message)
		fields(&b, n.Detail, n.Hint, n.Where, 0)
	}
	for _, r := range o.Results {
		if r.Columns != nil {
			fmt.Fprintf(&b, "[%s]\n", strings.Join(r.Columns, "|"))
		}
		for i, row := range r.Rows {
			if i == 40 {
				fmt.Fprintf(&b, "... %d rows\n", len(r.Rows))
				break
			}
			b.WriteString(strings.ReplaceAll(strings.Join(row, "|"), "\x00", "NULL") + "\n")
		}
		if e := r.Error; e != nil {
			fmt.Fprintf(&b, "ERROR %s: %s\n", e.Code, e.Message)
			fields(&b, e.Detail, e.Hint, e.Where, e.Position)
		} else {
			b.WriteString(r.Tag + "\n")
		}
	}
	if o.Lost != "" {
		b.WriteString("LOST: " + o.Lost + "\n")
	}
	return b.String()
}

func fields(b *strings.Builder, detail, hint, where string, position int32) {
	for _, f := range [][2]string{{"DETAIL", detail}, {"HINT", hint}, {"CONTEXT", where}} {
		if f[1] != "" {
			fmt.Fprintf(b, "  %s: %s\n", f[0], f[1])
		}
	}
	if position != 0 {
		fmt.Fprintf(b, "  POSITION: %d\n", position)
	}
}
