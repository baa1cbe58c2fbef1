package bench_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/pgmongo/pgmongo/mongo/mongod"
	"github.com/pgmongo/pgmongo/tests/testenv"
)

// BenchmarkTextQuery is what an ORM sends that writes values into the text.
func BenchmarkTextQuery(b *testing.B) {
	t := start(b)
	const rows = 1000
	t.fill(b, rows)
	t.compare(b, 1, func(first int) error {
		sql := fmt.Sprintf(`SELECT "t"."id", "t"."name", "t"."n" FROM "t" WHERE "t"."id" = %d LIMIT 21`, 1+first%rows)
		_, err := t.pg.Exec(t.ctx, sql, pgx.QueryExecModeSimpleProtocol)
		return err
	}, func(first int) error {
		return t.own.FindOne(t.ctx, bson.D{{Key: "_id", Value: int64(1 + first%rows)}}).Err()
	})
}

// BenchmarkDeleteByKey deletes rows that exist.
func BenchmarkDeleteByKey(b *testing.B) {
	t := start(b)
	t.fill(b, b.N+10)
	t.next = 1
	t.compare(b, 1, func(first int) error { return t.exec("DELETE FROM t WHERE id = $1", first) }, func(first int) error {
		_, err := t.own.DeleteOne(t.ctx, bson.D{{Key: "_id", Value: int64(first)}})
		return err
	})
}

// BenchmarkJoinByKey is select_related: a page of rows with what each refers to, against the two queries that a program
// makes of it.
func BenchmarkJoinByKey(b *testing.B) {
	t := start(b)
	const rows = 20000
	t.fill(b, rows)
	if err := t.exec("CREATE TABLE page (id int PRIMARY KEY, t bigint); INSERT INTO page SELECT i, i * 7 % 20000 + 1 FROM generate_series(1, 20000) i"); err != nil {
		b.Fatal(err)
	}
	pages := t.c.Database("bench_driver").Collection("page")
	if err := pages.Drop(t.ctx); err != nil {
		b.Fatal(err)
	}
	docs := make([]bson.D, rows)
	for i := range docs {
		docs[i] = bson.D{{Key: "_id", Value: int32(i + 1)}, {Key: "t", Value: int64((i+1)*7%rows + 1)}}
	}
	if _, err := pages.InsertMany(t.ctx, docs); err != nil {
		b.Fatal(err)
	}
	t.compare(b, 1, func(first int) error {
		r, err := t.pg.Query(t.ctx, "SELECT p.id, t.* FROM page p JOIN t ON t.id = p.t WHERE p.id BETWEEN $1 AND $1 + 19", first%rows)
		if err != nil {
			return err
		}
		r.Close()
		return r.Err()
	}, func(first int) error {
		var page []struct{ T int64 }
		from := int32(first % rows)
		cur, err := pages.Find(t.ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: from}, {Key: "$lte", Value: from + 19}}}})
		if err == nil {
			err = cur.All(t.ctx, &page)
		}
		if err != nil {
			return err
		}
		keys := make(bson.A, len(page))
		for i, p := range page {
			keys[i] = p.T
		}
		_, err = drainOwn(t.ctx, t.own, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: keys}}}})
		return err
	})
}

func drainOwn(ctx context.Context, c *driver.Collection, filter bson.D) (n int, err error) {
	cur, err := c.Find(ctx, filter)
	if err != nil {
		return 0, err
	}
	defer cur.Close(ctx)
	for cur.Next(ctx) {
		n++
	}
	return n, cur.Err()
}

// BenchmarkCreateTable makes a table with an index, as the driver makes a collection with one.
func BenchmarkCreateTable(b *testing.B) {
	t := start(b)
	db := t.c.Database("bench_driver_tables")
	if err := db.Drop(t.ctx); err != nil {
		b.Fatal(err)
	}
	t.compare(b, 1, func(first int) error {
		return t.exec("CREATE TABLE made" + strconv.Itoa(first) + " (id int PRIMARY KEY, name text NOT NULL UNIQUE, n int)")
	}, func(first int) error {
		name := "made" + strconv.Itoa(first)
		if err := db.CreateCollection(t.ctx, name); err != nil {
			return err
		}
		_, err := db.Collection(name).Indexes().CreateOne(t.ctx, driver.IndexModel{Keys: bson.D{{Key: "name", Value: 1}}})
		return err
	})
}

// BenchmarkHotRow has 16 clients increment one row in transactions, against the driver's retry loop.
func BenchmarkHotRow(b *testing.B) {
	t := start(b)
	t.fill(b, 1)
	const clients = 16
	t.race(b, clients, func(conn *pgx.Conn, _ int) error {
		return pgx.BeginFunc(t.ctx, conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.ctx, "UPDATE t SET n = n + 1 WHERE id = 1")
			return err
		})
	}, func(int) error {
		s, err := t.c.StartSession()
		if err != nil {
			return err
		}
		defer s.EndSession(t.ctx)
		_, err = s.WithTransaction(t.ctx, func(ctx context.Context) (any, error) {
			return t.own.UpdateOne(ctx, bson.D{{Key: "_id", Value: int64(1)}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}})
		})
		return err
	})
	var n int
	if err := t.pg.QueryRow(t.ctx, "SELECT n FROM t").Scan(&n); err != nil || n != 1+clients*b.N {
		b.Errorf("%d %v", n, err)
	}
}

// BenchmarkEightClients has eight clients write at a time.
func BenchmarkEightClients(b *testing.B) {
	b.Run("insert", func(b *testing.B) {
		t := start(b)
		t.race(b, 8, func(conn *pgx.Conn, key int) error {
			_, err := conn.Exec(t.ctx, "INSERT INTO t VALUES ($1, $2, $3)", key, name(key), key)
			return err
		}, func(key int) error {
			_, err := t.own.InsertOne(t.ctx, document(key))
			return err
		})
	})
	b.Run("update", func(b *testing.B) {
		t := start(b)
		const rows = 1000
		t.fill(b, rows)
		t.race(b, 8, func(conn *pgx.Conn, key int) error {
			_, err := conn.Exec(t.ctx, "UPDATE t SET n = n + 1 WHERE id = $1", 1+key%rows)
			return err
		}, func(key int) error {
			_, err := t.own.UpdateOne(t.ctx, bson.D{{Key: "_id", Value: int64(1 + key%rows)}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}})
			return err
		})
	})
}

// race runs b.N operations for each of many clients at a time, first ours and then the driver's, and reports the
// throughputs. Each operation has a key of its own.
func (t *bench) race(b *testing.B, clients int, ours func(conn *pgx.Conn, key int) error, drivers func(key int) error) {
	b.Helper()
	conns := make([]*pgx.Conn, clients)
	for i := range conns {
		conn, err := pgx.ConnectConfig(t.ctx, t.pg.Config())
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close(t.ctx)
		conns[i] = conn
	}
	run := func(one func(client, key int) error) float64 {
		began := time.Now()
		var all sync.WaitGroup
		for k := range clients {
			all.Go(func() {
				for i := range b.N {
					if err := one(k, 1_000_000+k*b.N+i); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		return float64(clients*b.N) / time.Since(began).Seconds()
	}
	b.ResetTimer()
	sql := run(func(client, key int) error { return ours(conns[client], key) })
	own := run(func(_, key int) error { return drivers(key) })
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(sql, "sql-tps")
	b.ReportMetric(own, "driver-tps")
	b.ReportMetric(sql/own, "x-throughput")
}

// BenchmarkDescribe asks what clients ask about one table, among few tables and among many, here and on PostgreSQL.
func BenchmarkDescribe(b *testing.B) {
	queries := []struct{ name, sql string }{
		{"columns", `SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d
			WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum) FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'd1'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`},
		{"information_schema", "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = 'd1' ORDER BY ordinal_position"},
		{"constraints", `SELECT c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_class t ON c.conrelid = t.oid JOIN pg_namespace n ON n.oid = t.relnamespace
			WHERE n.nspname = 'public' AND t.relname = 'd1'`},
		{"psql", `SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relname OPERATOR(pg_catalog.~) '^(d1)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3`},
		{"comments", `SELECT a.attname, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum), obj_description(c.oid, 'pg_class') FROM pg_attribute a
			LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON c.relnamespace = n.oid
			WHERE c.relname = 'd1' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_table_is_visible(c.oid)`},
		{"indexes", `SELECT c2.relname, i.indisprimary FROM pg_class c, pg_class c2, pg_index i LEFT JOIN pg_constraint con ON conrelid = i.indrelid AND conindid = i.indexrelid
			WHERE c.oid = 'd1'::regclass AND c.oid = i.indrelid AND i.indexrelid = c2.oid ORDER BY 1`},
	}
	server := testenv.Server(b)
	ctx := context.Background()
	for _, tables := range []int{10, 1000} {
		db := fmt.Sprintf("bench_describe_%d", tables)
		server.CreateDatabase(b, db)
		ours, err := pgx.Connect(ctx, server.URL(db))
		if err != nil {
			b.Fatal(err)
		}
		defer ours.Close(ctx)
		theirs, err := pgx.Connect(ctx, testenv.Postgres(b))
		if err != nil {
			b.Fatal(err)
		}
		defer theirs.Close(ctx)
		if _, err := theirs.Exec(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
			b.Fatal(err)
		}
		for i := range tables {
			for _, conn := range []*pgx.Conn{ours, theirs} {
				if _, err := conn.Exec(ctx, fmt.Sprintf("CREATE TABLE d%d (id int PRIMARY KEY, a text NOT NULL DEFAULT 'x', b int)", i)); err != nil {
					b.Fatal(err)
				}
			}
		}
		for _, q := range queries {
			b.Run(fmt.Sprintf("%s/%d", q.name, tables), func(b *testing.B) { beside(b, ours, theirs, q.sql) })
		}
	}
}

// BenchmarkExecutor runs queries in the local executor and in PostgreSQL without parallel workers, over the same rows.
func BenchmarkExecutor(b *testing.B) {
	ctx := context.Background()
	m, err := mongod.Start(ctx, mongod.Options{DataDir: b.TempDir(), CacheMB: 1024})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Kill() })
	server := testenv.ServerFor(b, m.URI())
	server.CreateDatabase(b, "bench_executor")
	ours, err := pgx.Connect(ctx, server.URL("bench_executor"))
	if err != nil {
		b.Fatal(err)
	}
	defer ours.Close(ctx)
	theirs, err := pgx.Connect(ctx, testenv.Postgres(b))
	if err != nil {
		b.Fatal(err)
	}
	defer theirs.Close(ctx)
	for _, s := range []string{
		"CREATE TEMP TABLE f (id int, g int, v int, s text)", "INSERT INTO f SELECT i, i % 100, i * 7919 % 100000, 'name ' || i FROM generate_series(1, 100000) i",
	} {
		for _, conn := range []*pgx.Conn{ours, theirs} {
			if _, err := conn.Exec(ctx, s); err != nil {
				b.Fatal(err)
			}
		}
	}
	if _, err := theirs.Exec(ctx, "SET max_parallel_workers_per_gather = 0; SET jit = off; ANALYZE f"); err != nil {
		b.Fatal(err)
	}
	if _, err := ours.Exec(ctx, "SET pgmongo.pushdown = off"); err != nil {
		b.Fatal(err)
	}
	const rows = "generate_series(1, 500000) i"
	for _, q := range []struct{ name, sql string }{
		{"scan", "SELECT count(*) FROM f"},
		{"scan filter", "SELECT count(*) FROM f WHERE v % 7 = 3 AND s LIKE '%9%'"},
		{"filter", "SELECT count(*) FROM " + rows + " WHERE i % 7 = 3 AND i > 1000"},
		{"aggregate", "SELECT count(*) FROM (SELECT i % 1000, count(*), sum(i), max(i) FROM " + rows + " GROUP BY 1) x"},
		{"hash join", "SELECT count(*) FROM generate_series(1, 300000) a JOIN generate_series(1, 300000) b ON a = b"},
		{"sort", "SELECT i FROM generate_series(1, 300000) i ORDER BY i::bigint * 7919 % 300007 OFFSET 299999"},
		{"window", "SELECT max(r) FROM (SELECT sum(i) OVER (PARTITION BY i % 100 ORDER BY i) r FROM generate_series(1, 200000) i) x"},
		{"distinct", "SELECT count(DISTINCT i % 50000) FROM " + rows},
	} {
		b.Run(q.name, func(b *testing.B) { beside(b, ours, theirs, q.sql) })
	}
}

// beside reports a query's time here and on PostgreSQL.
func beside(b *testing.B, ours, theirs *pgx.Conn, sql string) {
	b.Helper()
	var took [2]time.Duration
	for i := range b.N + 1 { // the first run plans
		for k, conn := range []*pgx.Conn{ours, theirs} {
			began := time.Now()
			if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeCacheStatement); err != nil {
				b.Fatal(err)
			}
			if i > 0 {
				took[k] += time.Since(began)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[0].Microseconds())/float64(b.N), "sql-µs")
	b.ReportMetric(float64(took[1].Microseconds())/float64(b.N), "postgres-µs")
	b.ReportMetric(float64(took[0])/float64(took[1]), "ratio")
}
