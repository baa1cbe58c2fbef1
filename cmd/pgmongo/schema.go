package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/schemafile"
	"github.com/pgmongo/pgmongo/catalog/store"
	"github.com/pgmongo/pgmongo/server"
	"github.com/pgmongo/pgmongo/server/instance"
)

// schemaCmd is "pgmongo schema ...".
type schemaCmd struct {
	MongodbURI string `name:"mongodb-uri" help:"MongoDB connection string (default: ${default})." default:"mongodb://127.0.0.1:27017/" placeholder:"URI"`
	Database   string `help:"The database." required:"" placeholder:"NAME"`

	Infer  schemaInferCmd  `cmd:"" help:"Print the schema that the documents have, whatever SQL has declared."`
	Export schemaExportCmd `cmd:"" help:"Print the schema that SQL sees, with what it has declared."`
	Diff   schemaDiffCmd   `cmd:"" help:"Compare a schema with the documents; exit code 6 when they differ."`
	Import schemaImportCmd `cmd:"" help:"Declare the columns of the tables that a schema names."`
}

type schemaInferCmd struct {
	Whole bool `help:"Read all documents instead of a sample."`
}

type schemaExportCmd struct{}

type schemaDiffCmd struct {
	Whole bool   `help:"Read all documents instead of a sample."`
	File  string `arg:"" optional:"" help:"The schema (default: the one that SQL sees)." placeholder:"FILE"`
}

type schemaImportCmd struct {
	File   string `arg:"" help:"The schema; - for the standard input." placeholder:"FILE"`
	DryRun bool   `help:"Print the statements and run none."`
}

// with calls f with a catalogue over the MongoDB.
func (s *schemaCmd) with(ctx context.Context, f func(*store.Store) error) error {
	in, err := s.start(ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(in.Catalogs), in.Shutdown(context.WithoutCancel(ctx)))
}

// start readies a server that no client reaches.
func (s *schemaCmd) start(ctx context.Context) (*instance.Instance, error) {
	return instance.Start(ctx, instance.Options{MongoDB: s.MongodbURI, Version: version, Server: server.Config{Auth: "trust"}})
}

// declared is the schema that SQL sees.
func (s *schemaCmd) declared(ctx context.Context, st *store.Store) (*schemafile.Schema, error) {
	snap, err := st.Snapshot(ctx, s.Database)
	if err != nil {
		return nil, err
	}
	var relations []*catalog.Relation
	snap.EachRelation(func(r *catalog.Relation) bool {
		relations = append(relations, r)
		return true
	})
	return schemafile.Of(relations), nil
}

// inferred is the schema that the documents have.
func (s *schemaCmd) inferred(ctx context.Context, st *store.Store, whole bool) (*schemafile.Schema, error) {
	relations, err := st.Infer(ctx, s.Database, whole)
	if err != nil {
		return nil, err
	}
	return schemafile.Of(relations), nil
}

// Run prints the schema of the documents.
func (c *schemaInferCmd) Run(ctx context.Context, all *cli) error {
	return all.Schema.with(ctx, func(st *store.Store) error {
		s, err := all.Schema.inferred(ctx, st, c.Whole)
		if err != nil {
			return err
		}
		return schemafile.Write(os.Stdout, s)
	})
}

// Run prints the schema that SQL sees.
func (c *schemaExportCmd) Run(ctx context.Context, all *cli) error {
	return all.Schema.with(ctx, func(st *store.Store) error {
		s, err := all.Schema.declared(ctx, st)
		if err != nil {
			return err
		}
		return schemafile.Write(os.Stdout, s)
	})
}

// Run prints the differences.
func (c *schemaDiffCmd) Run(ctx context.Context, all *cli) error {
	return all.Schema.with(ctx, func(st *store.Store) error {
		schema, err := c.schema(ctx, all, st)
		if err != nil {
			return err
		}
		documents, err := all.Schema.inferred(ctx, st, c.Whole)
		if err != nil {
			return err
		}
		differences := schemafile.Diff(schema, documents)
		for _, d := range differences {
			fmt.Println(d)
		}
		if len(differences) > 0 {
			return &exitError{exitDiffers, fmt.Errorf("the documents differ from the schema in %d places", len(differences))}
		}
		return nil
	})
}

func (c *schemaDiffCmd) schema(ctx context.Context, all *cli, st *store.Store) (*schemafile.Schema, error) {
	if c.File == "" {
		return all.Schema.declared(ctx, st)
	}
	return readSchema(c.File)
}

// readSchema reads a schema file; "-" is the standard input.
func readSchema(file string) (s *schemafile.Schema, err error) {
	in := io.ReadCloser(os.Stdin)
	if file != "-" {
		if in, err = os.Open(file); err != nil {
			return nil, &exitError{exitUsage, err}
		}
		defer func() { _ = in.Close() }() // it was only read
	}
	if s, err = schemafile.Parse(in); err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("%s: %w", file, err)}
	}
	return s, nil
}

// Run declares the tables of the file, all or none.
func (c *schemaImportCmd) Run(ctx context.Context, all *cli) error {
	file, err := readSchema(c.File)
	if err != nil {
		return err
	}
	var statements []schemafile.Statement
	err = all.Schema.with(ctx, func(st *store.Store) error {
		database, err := all.Schema.declared(ctx, st)
		if err != nil {
			return err
		}
		if statements, err = schemafile.Statements(database, file); err != nil {
			return &exitError{exitUsage, fmt.Errorf("%s: %w", c.File, err)}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.DryRun {
		for _, s := range statements {
			fmt.Println(s.SQL + ";")
		}
		return nil
	}
	return all.Schema.session(ctx, func(conn *pgconn.PgConn) error {
		if _, err := conn.Exec(ctx, "BEGIN").ReadAll(); err != nil {
			return err
		}
		for _, s := range statements {
			if _, err := conn.Exec(ctx, s.SQL).ReadAll(); err != nil {
				return fmt.Errorf("%s: line %d: %w", c.File, s.Line, err)
			}
		}
		_, err := conn.Exec(ctx, "COMMIT").ReadAll()
		return err
	})
}

// session runs f on a connection to a server of its own, which nobody else reaches.
func (s *schemaCmd) session(ctx context.Context, f func(*pgconn.PgConn) error) error {
	in, err := s.start(ctx)
	if err != nil {
		return err
	}
	ln := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- in.Serve(ln) }()
	config, err := pgconn.ParseConfig("host=pipe user=postgres sslmode=disable")
	if err == nil {
		config.Database = s.Database
		config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
		config.DialFunc = ln.dial
		var conn *pgconn.PgConn
		if conn, err = pgconn.ConnectConfig(ctx, config); err == nil {
			err = errors.Join(f(conn), conn.Close(context.WithoutCancel(ctx)))
		}
	}
	err = errors.Join(err, in.Shutdown(context.WithoutCancel(ctx)))
	return errors.Join(err, ignoreClosed(<-served))
}

// pipeListener is a listener within the process.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }
