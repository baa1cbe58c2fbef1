package mongo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// Monitor is told of every command that was answered; err is nil when it succeeded. It is called from many goroutines.
type Monitor interface {
	CommandDone(command string, took time.Duration, err error)
}

// Options are what a connection to MongoDB depends on besides its URI.
type Options struct {
	// AppName is shown in MongoDB's logs and currentOp; "" means "pgmongo".
	AppName string
	// Monitor may be nil.
	Monitor Monitor
	// ConnectTimeout bounds the wait for a usable server; 0 means 10 s.
	ConnectTimeout time.Duration
	// MaxConnections bounds the driver's pool; 0 means 500.
	MaxConnections uint64
}

// Kind is what a connection leads to.
type Kind uint8

// The kinds of a deployment. A standalone has no transactions and no snapshot reads.
const (
	Standalone Kind = iota
	ReplicaSet
	Sharded
)

// ServerInfo says what the server is.
type ServerInfo struct {
	Version string // "6.0.5"
	Major   int
	Minor   int
	Kind    Kind
	SetName string
}

// Transactions reports whether the deployment has transactions.
func (i ServerInfo) Transactions() bool { return i.Kind != Standalone }

// Client is a connection pool to one MongoDB deployment. It is safe for concurrent use.
type Client struct {
	c    *driver.Client
	info ServerInfo
}

// Connect connects and asks the server what it is. Its errors say what to mend: 08001 when no server could be reached,
// 28000 when it refused the credentials, 22023 when the URI is wrong.
func Connect(ctx context.Context, uri string, o Options) (*Client, error) {
	if o.AppName == "" {
		o.AppName = "pgmongo"
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = 10 * time.Second
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 500
	}
	// What the connection string says comes first.
	opts := options.Client().SetAppName(o.AppName).SetServerSelectionTimeout(o.ConnectTimeout).SetMaxPoolSize(o.MaxConnections).ApplyURI(uri)
	if o.Monitor != nil {
		opts.SetMonitor(&event.CommandMonitor{
			Succeeded: func(_ context.Context, e *event.CommandSucceededEvent) {
				o.Monitor.CommandDone(e.CommandName, e.Duration, nil)
			},
			Failed: func(_ context.Context, e *event.CommandFailedEvent) {
				o.Monitor.CommandDone(e.CommandName, e.Duration, e.Failure)
			},
		})
	}
	dc, err := driver.Connect(opts)
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return nil, pgerr.New(pgerr.SQLclientUnableToEstablishSQLconnection, "could not look up the MongoDB deployment %s: %w", dns.Name, err).
			WithHint("A connection string that begins with mongodb+srv:// names its servers by DNS records.")
	}
	if err != nil {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "invalid MongoDB connection string: %w", err)
	}
	c := &Client{c: dc}
	if err := c.identify(ctx); err != nil {
		closeCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if cerr := dc.Disconnect(closeCtx); cerr != nil {
			return nil, pgerr.New(pgerr.ConnectionFailure, "closing after a failed connection: %w", cerr)
		}
		return nil, connectError(ctx, opts.Hosts, err)
	}
	return c, nil
}

func connectError(ctx context.Context, hosts []string, err error) error {
	where := strings.Join(hosts, ",")
	e := describe(err)
	switch {
	case ctx.Err() != nil:
		return Error(ctx, err)
	case e.Code == 18 || e.Code == 8000 || strings.Contains(e.Message, "auth error") || strings.Contains(e.Message, "AuthenticationFailed"):
		return pgerr.New(pgerr.InvalidAuthorizationSpecification, "MongoDB at %s refused the credentials: %w", where, err).
			WithHint("Check the user name, the password and authSource in the MongoDB connection string.")
	case e.Code == 13:
		return pgerr.New(pgerr.InvalidAuthorizationSpecification, "MongoDB at %s asks for credentials: %w", where, err).
			WithHint("Give a user name and a password in the MongoDB connection string.")
	}
	return pgerr.New(pgerr.SQLclientUnableToEstablishSQLconnection, "could not reach MongoDB at %s: %w", where, err).
		WithHint("Is the server running, and does the MongoDB connection string name the right host, port and replica set?")
}

func (c *Client) identify(ctx context.Context) error {
	admin := c.c.Database("admin")
	var hello struct {
		SetName string `bson:"setName"`
		Msg     string `bson:"msg"`
	}
	if err := admin.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return err
	}
	var build struct {
		Version string `bson:"version"`
	}
	if err := admin.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&build); err != nil {
		return err
	}
	// buildInfo needs no login: a command that does shows wrong or missing credentials now, not at the first query.
	if err := admin.RunCommand(ctx, bson.D{{Key: "listDatabases", Value: 1}, {Key: "nameOnly", Value: true}, {Key: "authorizedDatabases", Value: true}}).Err(); err != nil {
		return err
	}
	c.info = ServerInfo{Version: build.Version, SetName: hello.SetName}
	switch {
	case hello.Msg == "isdbgrid":
		c.info.Kind = Sharded
	case hello.SetName != "":
		c.info.Kind = ReplicaSet
	}
	parts := strings.SplitN(build.Version, ".", 3)
	var err error
	if c.info.Major, err = strconv.Atoi(parts[0]); err != nil || len(parts) < 2 {
		return fmt.Errorf("unreadable server version %q", build.Version)
	}
	c.info.Minor, err = strconv.Atoi(parts[1])
	return err
}

// Info says what the server is.
func (c *Client) Info() ServerInfo { return c.info }

// Ping asks the primary for a sign of life.
func (c *Client) Ping(ctx context.Context) error { return Error(ctx, c.c.Ping(ctx, nil)) }

// Close closes all connections.
func (c *Client) Close(ctx context.Context) error {
	if err := c.c.Disconnect(ctx); err != nil {
		return pgerr.New(pgerr.ConnectionFailure, "closing the connections to MongoDB: %w", err)
	}
	return nil
}

// Driver returns the driver's client, for what this package has no method for (change streams).
func (c *Client) Driver() *driver.Client { return c.c }

func majority() *writeconcern.WriteConcern { return writeconcern.Majority() }

func unjournaled() *writeconcern.WriteConcern { return &writeconcern.WriteConcern{W: 1} }
