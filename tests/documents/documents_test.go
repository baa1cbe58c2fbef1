// Package documents shows what SQL makes of collections that native programs own: testdata/*.txt hold MongoDB's commands and
// statements, with answers that were worked out by hand.
package documents

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgconn"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// TestDocuments runs each file on a database of its own. Its directives are
//
//	mongo                 a command in extended JSON, as another program sends it: "ok" or the error
//	find                  a find command: its documents in canonical extended JSON, where types show
//	make <fixture>        documents that are too large to write down, see fixtures
//	sql                   a statement: its rows, or its tag, or its error; a query runs with push-down on and off
//	session <name>        as sql, in a session that stays open
//	pgmongo <arguments>   a command of the program: what it prints, and its exit code unless that is 0
func TestDocuments(t *testing.T) {
	server := testenv.Server(t)
	client, err := mongo.Connect(options.Client().ApplyURI(server.MongoURI))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		f := &file{t: t, server: server, database: testenv.Database(t), sessions: map[string]*pgconn.PgConn{}}
		f.native = client.Database(f.database)
		server.CreateDatabase(t, f.database)
		datadriven.RunTest(t, path, f.directive)
	})
}

// file is what the directives of a file share.
type file struct {
	t        *testing.T
	server   *testenv.PgMongo
	database string
	native   *mongo.Database
	sessions map[string]*pgconn.PgConn
	// stale says that native programs changed something since the server last looked.
	stale bool
}

func (f *file) directive(t *testing.T, d *datadriven.TestData) string {
	f.t = t
	switch d.Cmd {
	case "mongo":
		f.stale = true
		return f.command(d.Input)
	case "find":
		return f.find(d.Input)
	case "make":
		f.stale = true
		return f.make(d.CmdArgs[0].Key)
	case "sql":
		return f.sql("", d.Input)
	case "session":
		return f.sql(d.CmdArgs[0].Key, d.Input)
	case "pgmongo":
		var args []string
		for _, a := range d.CmdArgs {
			args = append(args, a.String())
		}
		return f.program(args, d.Input)
	}
	t.Fatalf("%s: unknown directive %s", d.Pos, d.Cmd)
	return ""
}

func (f *file) run(command string) (bson.Raw, error) {
	var doc bson.D
	if err := bson.UnmarshalExtJSON([]byte(command), false, &doc); err != nil {
		f.t.Fatalf("%s: %v", command, err)
	}
	return f.native.RunCommand(context.Background(), doc).Raw()
}

func (f *file) command(text string) string {
	if _, err := f.run(text); err != nil {
		return "error: " + err.Error()
	}
	return "ok"
}

func (f *file) find(text string) string {
	raw, err := f.run(text)
	if err != nil {
		return "error: " + err.Error()
	}
	docs, err := raw.Lookup("cursor", "firstBatch").Array().Values()
	if err != nil {
		f.t.Fatal(err)
	}
	var b strings.Builder
	for _, v := range docs {
		text, err := bson.MarshalExtJSON(v.Document(), true, false)
		if err != nil {
			f.t.Fatal(err)
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return b.String()
}

// connect returns a session; that of no name, too, lives as long as the file.
func (f *file) connect(name string) *pgconn.PgConn {
	if c := f.sessions[name]; c != nil {
		return c
	}
	c, err := pgconn.Connect(context.Background(), f.server.URL(f.database))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close(context.Background()) })
	f.sessions[name] = c
	return c
}

// sql runs a statement; it looks at what native programs changed first.
func (f *file) sql(session, text string) string {
	c := f.connect(session)
	if f.stale {
		if out := query(c, "ANALYZE"); strings.HasPrefix(out, "ERROR") {
			f.t.Fatal(out)
		}
		f.stale = false
	}
	on := query(c, text)
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch strings.ToUpper(word) {
	case "SELECT", "WITH", "TABLE", "VALUES":
		query(c, "SET pgmongo.pushdown = off")
		off := query(c, text)
		query(c, "SET pgmongo.pushdown = on")
		if on != off {
			return on + "push-down off:\n" + off
		}
	}
	return on
}

// query gives what a statement answers: rows with "|" between their columns, a tag that is not of a SELECT, or the error.
func query(c *pgconn.PgConn, text string) string {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	results, err := c.Exec(ctx, text).ReadAll()
	var b strings.Builder
	for _, r := range results {
		for _, row := range r.Rows {
			cells := make([]string, len(row))
			for i, v := range row {
				cells[i] = "NULL"
				if v != nil {
					cells[i] = string(v)
				}
			}
			fmt.Fprintln(&b, strings.Join(cells, "|"))
		}
		if tag := r.CommandTag.String(); r.Err == nil && (!strings.HasPrefix(tag, "SELECT") && tag != "EXPLAIN" && tag != "SHOW" || tag == "SELECT 0") {
			fmt.Fprintln(&b, tag)
		}
	}
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg):
		fmt.Fprintf(&b, "ERROR %s: %s\n", pg.Code, pg.Message)
		if pg.Detail != "" {
			fmt.Fprintf(&b, "DETAIL: %s\n", pg.Detail)
		}
		if pg.Hint != "" {
			fmt.Fprintf(&b, "HINT: %s\n", pg.Hint)
		}
		if pg.ConstraintName != "" {
			fmt.Fprintf(&b, "CONSTRAINT: %s\n", pg.ConstraintName)
		}
	case err != nil:
		fmt.Fprintf(&b, "error: %v\n", err)
	}
	return b.String()
}

// program runs the binary with the file's database; %db in the arguments is its name.
func (f *file) program(args []string, input string) string {
	cmd := exec.Command(testenv.Binary(f.t), args...)
	cmd.Env = append(cmd.Environ(), "PGMONGO_MONGODB_URI="+f.server.MongoURI, "PGMONGO_DATABASE="+f.database)
	cmd.Stdin = strings.NewReader(input)
	var b strings.Builder
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		fmt.Fprintf(&b, "exit code %d\n", exit.ExitCode())
	case err != nil:
		f.t.Fatal(err)
	}
	return strings.ReplaceAll(b.String(), f.database, "DATABASE")
}
