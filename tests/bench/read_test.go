// Package bench measures pgmongo against the same work done by hand with MongoDB's driver, in one run: each benchmark
// prints its ratio (1 is as fast as the driver, 2 half as fast). Nothing here passes or fails by the clock.
//
//	go test ./tests/bench -bench . -benchtime 20x
package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

const readRows = 100_000

func readSetup(b *testing.B) (*pgx.Conn, *mongo.Collection) {
	ctx := context.Background()
	server := testenv.Server(b)
	native, err := mongo.Connect(options.Client().ApplyURI(server.MongoURI))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = native.Disconnect(ctx) })
	server.CreateDatabase(b, "bench_read")
	coll := native.Database("bench_read").Collection("t")
	for start := 0; start < readRows; start += 5000 {
		docs := make([]any, 5000)
		for i := range docs {
			n := start + i
			docs[i] = bson.D{{Key: "_id", Value: int32(n)}, {Key: "g", Value: int32(n % 100)}, {Key: "v", Value: int32(n * 7919 % readRows)}, {Key: "s", Value: fmt.Sprintf("name %d", n)}, {Key: "f", Value: float64(n) / 3}}
		}
		if _, err := coll.InsertMany(ctx, docs); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := coll.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "v", Value: 1}}}); err != nil {
		b.Fatal(err)
	}
	time.Sleep(time.Second)
	conn, err := pgx.Connect(ctx, server.URL("bench_read"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close(ctx) })
	return conn, coll
}

// drainSQL reads all rows of a query without decoding them.
func drainSQL(conn *pgx.Conn, sql string, args ...any) (int, error) {
	rows, err := conn.Query(context.Background(), sql, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

func drainCursor(cursor *mongo.Cursor, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	ctx := context.Background()
	defer cursor.Close(ctx)
	n := 0
	for cursor.Next(ctx) {
		n++
	}
	return n, cursor.Err()
}

func BenchmarkRead(b *testing.B) {
	conn, coll := readSetup(b)
	ctx := context.Background()
	cases := []struct {
		name   string
		sql    func(i int) (int, error)
		driver func(i int) (int, error)
	}{
		{
			"point lookup", func(i int) (int, error) { return drainSQL(conn, "SELECT * FROM t WHERE _id = $1", i*37%readRows) },
			func(i int) (int, error) {
				return drainCursor(coll.Find(ctx, bson.D{{Key: "_id", Value: int32(i * 37 % readRows)}}))
			},
		},
		{
			"indexed range", func(int) (int, error) { return drainSQL(conn, "SELECT * FROM t WHERE v >= 1000 AND v < 3000") },
			func(int) (int, error) {
				return drainCursor(coll.Find(ctx, bson.D{{Key: "v", Value: bson.D{{Key: "$gte", Value: 1000}, {Key: "$lt", Value: 3000}}}}))
			},
		},
		{
			"full scan", func(int) (int, error) { return drainSQL(conn, "SELECT * FROM t") },
			func(int) (int, error) { return drainCursor(coll.Find(ctx, bson.D{})) },
		},
		{
			"filter without index", func(int) (int, error) { return drainSQL(conn, "SELECT * FROM t WHERE g = 7") },
			func(int) (int, error) { return drainCursor(coll.Find(ctx, bson.D{{Key: "g", Value: 7}})) },
		},
		{
			"group by", func(int) (int, error) { return drainSQL(conn, "SELECT g, count(*), sum(v) FROM t GROUP BY g") },
			func(int) (int, error) {
				return drainCursor(coll.Aggregate(ctx, bson.A{bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$g"}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}, {Key: "s", Value: bson.D{{Key: "$sum", Value: "$v"}}}}}}}))
			},
		},
		{
			"top 10 by index", func(int) (int, error) { return drainSQL(conn, "SELECT * FROM t ORDER BY v DESC LIMIT 10") },
			func(int) (int, error) {
				return drainCursor(coll.Find(ctx, bson.D{}, options.Find().SetSort(bson.D{{Key: "v", Value: -1}}).SetLimit(10)))
			},
		},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			var ours, theirs time.Duration
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				n, err := c.sql(i)
				mid := time.Now()
				m, err2 := c.driver(i)
				ours, theirs = ours+mid.Sub(start), theirs+time.Since(mid)
				if err != nil || err2 != nil || n != m {
					b.Fatalf("%d rows %v, the driver %d %v", n, err, m, err2)
				}
			}
			b.ReportMetric(float64(ours)/float64(theirs), "x-driver")
			b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "µs-sql")
			b.ReportMetric(0, "ns/op")
		})
	}
}
