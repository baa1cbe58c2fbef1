// Package bench_test measures the server against the MongoDB driver's own program: each benchmark runs both in turn and
// reports how many times longer the SQL takes ("ratio"), which says more than times of one machine.
package bench_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/pgmongo/pgmongo/mongo/mongod"
	"github.com/pgmongo/pgmongo/tests/testenv"
)

const bulkRows = 1000

// bench is one connection to the server and one of the driver to the MongoDB behind it.
type bench struct {
	ctx context.Context
	pg  *pgx.Conn
	c   *driver.Client
	own *driver.Collection
	// next is the first key that was not used.
	next int
}

func start(b *testing.B) *bench {
	b.Helper()
	return startOn(b, testenv.Server(b))
}

func startOn(b *testing.B, s *testenv.PgMongo) *bench {
	b.Helper()
	ctx := context.Background()
	s.CreateDatabase(b, "bench")
	pg, err := pgx.Connect(ctx, s.URL("bench"))
	if err != nil {
		b.Fatal(err)
	}
	c, err := driver.Connect(options.Client().ApplyURI(s.MongoURI).SetWriteConcern(writeconcern.Majority()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := pg.Close(ctx); err != nil {
			b.Error(err)
		}
		if err := c.Disconnect(ctx); err != nil {
			b.Error(err)
		}
	})
	t := &bench{ctx: ctx, pg: pg, c: c, own: c.Database("bench_driver").Collection("t")}
	if err := t.own.Drop(ctx); err != nil {
		b.Fatal(err)
	}
	if err := t.exec("CREATE TABLE t (id bigint PRIMARY KEY, name text, n int)"); err != nil {
		b.Fatal(err)
	}
	if err := t.c.Database("bench_driver").CreateCollection(ctx, "t"); err != nil {
		b.Fatal(err)
	}
	return t
}

func (t *bench) exec(sql string, args ...any) error {
	_, err := t.pg.Exec(t.ctx, sql, args...)
	return err
}

func document(id int) bson.D {
	return bson.D{{Key: "_id", Value: int64(id)}, {Key: "name", Value: name(id)}, {Key: "n", Value: int32(id)}}
}

func name(id int) string { return fmt.Sprintf("name %d", id) }

// fill gives both sides the rows 1 to n.
func (t *bench) fill(b *testing.B, n int) {
	b.Helper()
	if err := t.exec("INSERT INTO t SELECT i, 'name ' || i, i FROM generate_series(1, $1::int) i", n); err != nil {
		b.Fatal(err)
	}
	docs := make([]bson.D, n)
	for i := range docs {
		docs[i] = document(i + 1)
	}
	if _, err := t.own.InsertMany(t.ctx, docs); err != nil {
		b.Fatal(err)
	}
	t.next = n + 1
}

// compare runs both sides in turn and reports their times and ratio. A side is given the first key of as many as it uses.
func (t *bench) compare(b *testing.B, keys int, ours, drivers func(first int) error) {
	b.Helper()
	run := func(f func(int) error) time.Duration {
		began := time.Now()
		if err := f(t.next); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	var sql, own time.Duration
	// The first run of each side plans, connects and allocates.
	run(ours)
	run(drivers)
	t.next += keys
	b.ResetTimer()
	for range b.N {
		sql += run(ours)
		own += run(drivers)
		t.next += keys
	}
	b.StopTimer()
	n := float64(b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(sql.Microseconds())/n, "sql-µs")
	b.ReportMetric(float64(own.Microseconds())/n, "driver-µs")
	b.ReportMetric(float64(sql)/float64(own), "ratio")
}

func BenchmarkInsertOne(b *testing.B) {
	t := start(b)
	t.compare(b, 1, func(first int) error {
		return t.exec("INSERT INTO t VALUES ($1, $2, $3)", first, name(first), first)
	}, func(first int) error {
		_, err := t.own.InsertOne(t.ctx, document(first))
		return err
	})
}

func BenchmarkUpdateByKey(b *testing.B) {
	t := start(b)
	const rows = 1000
	t.fill(b, rows)
	t.compare(b, 1, func(first int) error {
		return t.exec("UPDATE t SET n = n + 1 WHERE id = $1", 1+first%rows)
	}, func(first int) error {
		_, err := t.own.UpdateOne(t.ctx, bson.D{{Key: "_id", Value: int64(1 + first%rows)}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}})
		return err
	})
}

func BenchmarkTransaction(b *testing.B) {
	t := start(b)
	const rows = 1000
	t.fill(b, rows)
	t.compare(b, 1, func(first int) error {
		return pgx.BeginFunc(t.ctx, t.pg, func(pgx.Tx) error {
			var n int
			if err := t.pg.QueryRow(t.ctx, "SELECT n FROM t WHERE id = $1", 1+first%rows).Scan(&n); err != nil {
				return err
			}
			if err := t.exec("UPDATE t SET n = $2 WHERE id = $1", 1+first%rows, n+1); err != nil {
				return err
			}
			return t.exec("INSERT INTO t VALUES ($1, $2, $3)", first, name(first), first)
		})
	}, func(first int) error {
		s, err := t.c.StartSession()
		if err != nil {
			return err
		}
		defer s.EndSession(t.ctx)
		_, err = s.WithTransaction(t.ctx, func(ctx context.Context) (any, error) {
			id := bson.D{{Key: "_id", Value: int64(1 + first%rows)}}
			var was struct{ N int32 }
			if err := t.own.FindOne(ctx, id).Decode(&was); err != nil {
				return nil, err
			}
			if _, err := t.own.UpdateOne(ctx, id, bson.D{{Key: "$set", Value: bson.D{{Key: "n", Value: was.N + 1}}}}); err != nil {
				return nil, err
			}
			return t.own.InsertOne(ctx, document(first))
		})
		return err
	})
}

func (t *bench) insertMany(ordered bool) func(int) error {
	return func(first int) error {
		docs := make([]bson.D, bulkRows)
		for i := range docs {
			docs[i] = document(first + i)
		}
		_, err := t.own.InsertMany(t.ctx, docs, options.InsertMany().SetOrdered(ordered))
		return err
	}
}

func BenchmarkInsertThousand(b *testing.B) {
	t := start(b)
	t.compare(b, bulkRows, func(first int) error {
		var sql strings.Builder
		sql.WriteString("INSERT INTO t VALUES ")
		for i := range bulkRows {
			if i > 0 {
				sql.WriteByte(',')
			}
			fmt.Fprintf(&sql, "(%d, '%s', %d)", first+i, name(first+i), first+i)
		}
		_, err := t.pg.Exec(t.ctx, sql.String(), pgx.QueryExecModeSimpleProtocol)
		return err
	}, t.insertMany(true))
}

func BenchmarkCopyThousand(b *testing.B) {
	t := start(b)
	t.compare(b, bulkRows, func(first int) error {
		_, err := t.pg.CopyFrom(t.ctx, pgx.Identifier{"t"}, []string{"id", "name", "n"}, pgx.CopyFromSlice(bulkRows, func(i int) ([]any, error) {
			return []any{first + i, name(first + i), first + i}, nil
		}))
		return err
	}, t.insertMany(false))
}

// BenchmarkBulk times statements over many rows; there is no driver's program that does the same.
func BenchmarkBulk(b *testing.B) {
	// MongoDB keeps a transaction's changes in its cache, where 100,000 rows do not fit the tests' 256 MB.
	m, err := mongod.Start(context.Background(), mongod.Options{DataDir: b.TempDir(), CacheMB: 1024})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := m.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	t := startOn(b, testenv.ServerFor(b, m.URI()))
	if err := t.exec("CREATE TABLE s (id serial PRIMARY KEY, name text UNIQUE, n int)"); err != nil {
		b.Fatal(err)
	}
	const rows = 100000
	for _, step := range []struct{ name, sql string }{
		{"InsertSelect100000Serial", "INSERT INTO s (name, n) SELECT 'name ' || i, i FROM generate_series(1, 100000) i"},
		{"Update50000", "UPDATE s SET n = n + 1 WHERE id <= 50000"},
		{"Delete50000", "DELETE FROM s WHERE id > 50000"},
		{"Truncate50000", "TRUNCATE s"},
	} {
		began := time.Now()
		if err := t.exec(step.sql); err != nil {
			b.Fatalf("%s: %v", step.name, err)
		}
		b.Logf("%s: %v", step.name, time.Since(began))
		b.ReportMetric(time.Since(began).Seconds(), step.name+"-s")
	}
	began := time.Now()
	n, err := t.pg.CopyFrom(t.ctx, pgx.Identifier{"s"}, []string{"name", "n"}, pgx.CopyFromSlice(rows, func(i int) ([]any, error) {
		return []any{name(i), i}, nil
	}))
	if err != nil || n != rows {
		b.Fatal(n, err)
	}
	b.ReportMetric(time.Since(began).Seconds(), "Copy100000Serial-s")
	b.ReportMetric(0, "ns/op")
}
