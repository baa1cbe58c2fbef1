package server

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Codes that stand in the place of a protocol version.
const (
	codeCancel  = 80877102
	codeSSL     = 80877103
	codeGSS     = 80877104
	maxStartup  = 10000
	tlsRecord   = 0x16 // first byte of a TLS handshake: a client that does not ask first
	alpnProto   = "postgresql"
	majorServer = 3
)

// request is what a new connection asks for.
type request struct {
	cancel     bool
	pid        uint32
	secret     []byte
	minor      uint32
	options    []string // _pq_. options, none of which is known
	parameters map[string]string
}

// errQuiet ends a connection without a word, as PostgreSQL does before it knows that the peer speaks its protocol.
var errQuiet = io.EOF

// greet reads the first packets of a connection and upgrades it to TLS when the client asks for it.
func (c *conn) greet() (*request, error) {
	first := true
	for {
		var head [4]byte
		if first && c.srv.cfg.TLS != nil {
			if done, err := c.directTLS(head[:1]); err != nil || done {
				if err != nil {
					return nil, err
				}
				first = false
				continue
			}
			first = false
			if _, err := io.ReadFull(c.in, head[1:]); err != nil {
				return nil, errQuiet
			}
		} else if _, err := io.ReadFull(c.in, head[:]); err != nil {
			return nil, errQuiet
		}
		size := int(binary.BigEndian.Uint32(head[:])) - 4
		if size < 4 || size > maxStartup {
			return nil, errQuiet
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(c.in, body); err != nil {
			return nil, errQuiet
		}
		switch code := binary.BigEndian.Uint32(body); code {
		case codeSSL:
			if err := c.answerSSL(); err != nil {
				return nil, err
			}
		case codeGSS:
			if _, err := c.nc.Write([]byte{'N'}); err != nil {
				return nil, errQuiet
			}
		case codeCancel:
			if size < 9 {
				return nil, errQuiet
			}
			return &request{cancel: true, pid: binary.BigEndian.Uint32(body[4:]), secret: body[8:]}, nil
		default:
			return c.parseStartup(code, body[4:])
		}
	}
}

// directTLS starts TLS at once when the first byte is that of a handshake.
func (c *conn) directTLS(first []byte) (bool, error) {
	if _, err := io.ReadFull(c.in, first); err != nil {
		return false, errQuiet
	}
	if first[0] != tlsRecord {
		return false, nil
	}
	return true, c.startTLS(&replayConn{Conn: c.nc, head: []byte{first[0]}})
}

func (c *conn) answerSSL() error {
	if c.srv.cfg.TLS == nil || c.secure {
		if _, err := c.nc.Write([]byte{'N'}); err != nil {
			return errQuiet
		}
		return nil
	}
	if _, err := c.nc.Write([]byte{'S'}); err != nil {
		return errQuiet
	}
	return c.startTLS(c.nc)
}

func (c *conn) startTLS(nc net.Conn) error {
	cfg := c.srv.cfg.TLS.Clone()
	cfg.NextProtos = []string{alpnProto}
	t := tls.Server(nc, cfg)
	if err := t.HandshakeContext(c.ctx); err != nil {
		c.srv.log.Debug("TLS handshake failed", "client", c.nc.RemoteAddr().String(), "error", err)
		return errQuiet
	}
	c.nc, c.in.nc, c.secure = t, t, true
	return nil
}

// replayConn gives back the bytes that were read to recognise TLS.
type replayConn struct {
	net.Conn
	head []byte
}

func (r *replayConn) Read(p []byte) (int, error) {
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	return r.Conn.Read(p)
}

func (c *conn) parseStartup(version uint32, body []byte) (*request, error) {
	if version>>16 != majorServer {
		return nil, fatal(pgerr.FeatureNotSupported, "unsupported frontend protocol %d.%d: server supports %d.0 to %d.0",
			version>>16, version&0xffff, majorServer, majorServer)
	}
	req := &request{minor: version & 0xffff, parameters: map[string]string{}}
	for {
		name, rest, ok := bytes.Cut(body, []byte{0})
		if !ok {
			return nil, badLayout()
		}
		if len(name) == 0 {
			if len(rest) != 0 {
				return nil, badLayout()
			}
			break
		}
		value, rest, ok := bytes.Cut(rest, []byte{0})
		if !ok {
			return nil, badLayout()
		}
		body = rest
		if strings.HasPrefix(string(name), "_pq_.") {
			req.options = append(req.options, string(name))
			continue
		}
		req.parameters[string(name)] = string(value)
	}
	if req.minor > 0 || len(req.options) > 0 {
		c.send(&pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: majorServer << 16, UnrecognizedOptions: req.options})
	}
	if req.parameters["user"] == "" {
		return nil, fatal(pgerr.InvalidAuthorizationSpecification, "no PostgreSQL user name specified in startup packet")
	}
	return req, nil
}

func badLayout() error {
	return fatal(pgerr.ProtocolViolation, "invalid startup packet layout: expected terminator as last byte")
}

// startupSettings turns the startup packet's parameters into settings, the -c options of "options" among them.
func startupSettings(params map[string]string) (map[string]string, error) {
	out := map[string]string{}
	words := splitOptions(params["options"])
	for i := 0; i < len(words); i++ {
		w := words[i]
		var assign string
		switch {
		case w == "-c" && i+1 < len(words):
			i++
			assign = words[i]
		case strings.HasPrefix(w, "-c"):
			assign = w[2:]
		case strings.HasPrefix(w, "--"):
			assign = strings.ReplaceAll(w[2:], "-", "_")
			if n, v, ok := strings.Cut(w[2:], "="); ok {
				assign = strings.ReplaceAll(n, "-", "_") + "=" + v
			}
		default:
			return nil, fatal(pgerr.SyntaxError, "invalid command-line argument for server process: %s", w).
				WithHint("Try \"postgres --help\" for more information.")
		}
		name, value, ok := strings.Cut(assign, "=")
		if !ok {
			return nil, fatal(pgerr.SyntaxError, "-c %s requires a value", assign)
		}
		out[name] = value
	}
	for n, v := range params {
		switch n {
		case "user", "database", "options", "replication":
			continue
		}
		out[n] = v
	}
	return out, nil
}

// splitOptions splits at blanks; a backslash keeps the next character.
func splitOptions(s string) []string {
	var words []string
	var b strings.Builder
	in := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
			in = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			if in {
				words = append(words, b.String())
				b.Reset()
				in = false
			}
		default:
			b.WriteByte(c)
			in = true
		}
	}
	if in {
		words = append(words, b.String())
	}
	return words
}
