package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/cmd/pgmongo/sample"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/mongo/mongod"
	"github.com/pgmongo/pgmongo/server"
	"github.com/pgmongo/pgmongo/server/instance"
)

// demoDatabase is the database that the sample documents are in.
const demoDatabase = "demo"

type demoCmd struct {
	Listen  string `help:"Address for PostgreSQL clients." default:"127.0.0.1:6432" placeholder:"HOST:PORT"`
	DataDir string `help:"Folder for the private MongoDB's data (default: in the user's cache folder)." type:"path" placeholder:"FOLDER"`
	Orders  int    `help:"How many orders the e-commerce sample has; customers and products follow from it." default:"100000"`
	Seed    uint64 `help:"What the sample's random numbers start from." default:"1"`
}

// Run starts a private MongoDB, loads the sample unless it is there, and serves until the context ends.
func (d *demoCmd) Run(ctx context.Context) (err error) {
	ln, err := net.Listen("tcp", d.Listen)
	if err != nil {
		return &exitError{exitListen, fmt.Errorf("cannot listen for clients on %s: %w", d.Listen, err)}
	}
	defer func() { _ = ln.Close() }() // closed by the shutdown already, unless the start failed
	if d.DataDir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		d.DataDir = filepath.Join(cache, "pgmongo", "demo")
	}
	fmt.Println("Starting a private MongoDB with its data in", d.DataDir, "...")
	m, err := mongod.Start(ctx, mongod.Options{DataDir: d.DataDir})
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, m.Stop(stop))
	}()
	if err := d.load(ctx, m.URI()); err != nil {
		return err
	}
	in, err := instance.Start(ctx, instance.Options{
		MongoDB: m.URI(), Version: version, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Port: ln.Addr().(*net.TCPAddr).Port, Server: server.Config{Auth: "trust"},
	})
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- in.Serve(ln) }()
	d.greet(ln.Addr().(*net.TCPAddr))
	select {
	case err = <-failed:
	case <-ctx.Done():
		fmt.Println("\nStopping.")
		err = server.ErrClosed
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(ignoreClosed(err), in.Shutdown(drain))
}

// load fills the database, unless an earlier start did.
func (d *demoCmd) load(ctx context.Context, uri string) error {
	client, err := mongo.Connect(ctx, uri, mongo.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close(context.WithoutCancel(ctx)) }()
	if n, err := client.EstimatedCount(ctx, demoDatabase, "orders"); err != nil || n >= int64(d.Orders) {
		return err
	}
	if err := client.DropDatabase(ctx, demoDatabase); err != nil {
		return err
	}
	start, total := time.Now(), 0
	err = sample.Load(func(collection string, docs []any) error {
		writes := make([]mongo.Write, len(docs))
		for i, doc := range docs {
			raw, err := bson.Marshal(doc)
			if err != nil {
				return err
			}
			if _, err := bson.Raw(raw).LookupErr("_id"); err != nil {
				if raw, err = bson.Marshal(append(bson.D{{Key: "_id", Value: bson.NewObjectID()}}, doc.(bson.D)...)); err != nil {
					return err
				}
			}
			writes[i] = mongo.Write{Kind: mongo.WriteInsert, ID: bson.Raw(raw).Lookup("_id"), Doc: raw}
		}
		total += len(docs)
		fmt.Printf("\rLoading sample documents: %d", total)
		return client.Write(ctx, demoDatabase, collection, writes)
	}, d.Seed, d.Orders)
	if err != nil {
		return err
	}
	fmt.Printf("\rLoaded %d sample documents in %.1f s.\n", total, time.Since(start).Seconds())
	for _, ix := range []struct{ collection, field string }{{"orders", "customer_id"}, {"orders", "placed"}, {"customers", "email"}} {
		err := client.CreateIndex(ctx, demoDatabase, ix.collection, mongo.IndexInfo{Name: ix.field + "_1", Keys: bson.D{{Key: ix.field, Value: 1}}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *demoCmd) greet(addr *net.TCPAddr) {
	fmt.Printf(`
pgmongo is ready. In another terminal:

  psql "host=%s port=%d user=postgres dbname=%s"

Some queries to try:

  \d customers
  SELECT "name.common", region, area FROM countries WHERE landlocked ORDER BY area DESC LIMIT 3;
  SELECT status, count(*), min(placed), max(placed) FROM orders GROUP BY status ORDER BY 2 DESC;
  SELECT c.name, count(*) FROM customers c JOIN orders o ON o.customer_id = c._id
   WHERE c."address.city" = 'Lyon' GROUP BY c.name ORDER BY 2 DESC LIMIT 5;
  SELECT p.name, sum(i.quantity) FROM "orders.items" i JOIN products p ON p._id = i.product_id GROUP BY 1 ORDER BY 2 DESC LIMIT 5;
  EXPLAIN (ANALYZE) SELECT * FROM orders WHERE placed >= '2024-06-01' ORDER BY placed LIMIT 10;
  CREATE TABLE notes (id serial PRIMARY KEY, body text NOT NULL); INSERT INTO notes (body) VALUES ('hello') RETURNING *;

Ctrl-C stops the server and its MongoDB; the data stays for the next time.
`, addr.IP, addr.Port, demoDatabase)
}
