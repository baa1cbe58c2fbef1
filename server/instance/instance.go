// Package instance puts a whole server together: MongoDB, catalogue, transactions, functions, sessions and the wire.
package instance

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"github.com/pgmongo/pgmongo/catalog/pgcatalog"
	"github.com/pgmongo/pgmongo/catalog/store"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/metrics"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/server"
	"github.com/pgmongo/pgmongo/server/session"
	"github.com/pgmongo/pgmongo/server/settings"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/txn/cluster"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// PostgreSQL is the version that clients see.
const PostgreSQL = "15.18"

// Options say what to serve and how.
type Options struct {
	// MongoDB is the connection string.
	MongoDB string
	// Version is pgmongo's own.
	Version string
	Log     *slog.Logger
	// Defaults are values of configuration parameters that replace the built-in ones.
	Defaults map[string]string
	// MemoryLimit bounds what a statement may hold, 0 for the default.
	MemoryLimit int64
	// Port is the one that clients connect to, for SHOW port.
	Port   int
	Server server.Config
}

// Instance is a server that is ready to serve.
type Instance struct {
	Client  *mongo.Client
	Metrics *metrics.Metrics
	Engine  *session.Engine
	// Catalogs are the catalogues of the databases.
	Catalogs *store.Store
	cluster  *cluster.Member
	server   *server.Server
}

// Start connects to MongoDB and readies a server. Errors say what to mend.
func Start(ctx context.Context, o Options) (*Instance, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Server.MaxConnections == 0 {
		o.Server.MaxConnections = 500
	}
	table, err := settings.NewTable(settings.Options{
		ServerVersion: PostgreSQL + " (pgmongo " + o.Version + ")", MaxConnections: o.Server.MaxConnections, Port: o.Port, SSL: o.Server.TLS != nil,
		Defaults: o.Defaults,
	})
	if err != nil {
		return nil, err
	}
	m := metrics.New(o.Version)
	client, err := mongo.Connect(ctx, o.MongoDB, mongo.Options{Monitor: m})
	if err != nil {
		return nil, err
	}
	if !client.Info().Transactions() {
		o.Log.Warn("MongoDB runs as a standalone server, which has no transactions: reading works, most writing is refused",
			"hint", "start mongod with --replSet rs0 and run rs.initiate() once; a replica set of one member is enough")
	}
	member := cluster.New(client, o.Log)
	catalogs := store.New(client, pgcatalog.System(), member)
	eng := &session.Engine{
		Client: client, Txns: txn.NewManager(client, txn.ManagerOptions{Cluster: member, Changed: catalogs.Committed}), Cluster: member, Catalogs: catalogs, Settings: table, Metrics: m, Log: o.Log,
		Procs: expr.NewProcs(append(fn.All(), pgcatalog.Functions()...)...), MemoryLimit: o.MemoryLimit,
	}
	eng.Start()
	catalogs.CountSessions(eng.CountSessions)
	o.Server.Verifier = eng.Verifier
	open := func(ctx context.Context, st session.Startup, c session.Client, wake func()) (server.Session, error) {
		return session.New(ctx, eng, st, c, wake)
	}
	srv, err := server.New(o.Server, open, o.Log, m)
	if err != nil {
		return nil, errors.Join(err, client.Close(ctx))
	}
	eng.Control = srv
	if err := member.Join(ctx, eng); err != nil {
		return nil, errors.Join(err, client.Close(ctx))
	}
	return &Instance{Client: client, Metrics: m, Engine: eng, Catalogs: catalogs, cluster: member, server: srv}, nil
}

// Serve accepts clients until Shutdown; it returns server.ErrClosed then.
func (i *Instance) Serve(ln net.Listener) error { return i.server.Serve(ln) }

// Ready reports whether new clients can be served: whether MongoDB answers and no shutdown has begun.
func (i *Instance) Ready(ctx context.Context) error {
	if i.server.Closing() {
		return pgerr.New(pgerr.CannotConnectNow, "the server is shutting down")
	}
	err := i.Client.Ping(ctx)
	if err != nil && ctx.Err() != nil {
		return pgerr.New(pgerr.ConnectionFailure, "MongoDB does not answer")
	}
	return err
}

// Shutdown ends the sessions, as server.Server.Shutdown does, and the connection to MongoDB.
func (i *Instance) Shutdown(ctx context.Context) error {
	err := i.server.Shutdown(ctx)
	i.cluster.Leave(ctx)
	return errors.Join(err, i.Client.Close(context.WithoutCancel(ctx)))
}
