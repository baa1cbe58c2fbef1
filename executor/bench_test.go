package executor_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/planner"
)

const benchRows = 20000

// benchDatabase has a table of twenty thousand rows.
func benchDatabase(b *testing.B) *database {
	db := newDatabase()
	db.text = "create table t (id int primary key, g int, name text, price float8); create table u (id int primary key, label text);"
	if err := db.rebuild(); err != nil {
		b.Fatal(err)
	}
	for i := range benchRows {
		db.add(b, "t", bson.D{{Key: "_id", Value: int32(i)}, {Key: "g", Value: int32(i * 7919 % 1000)}, {Key: "name", Value: fmt.Sprintf("name %d", i%5000)}, {Key: "price", Value: float64(i) / 3}})
	}
	for i := range 1000 {
		db.add(b, "u", bson.D{{Key: "_id", Value: int32(i)}, {Key: "label", Value: fmt.Sprintf("label %d", i)}})
	}
	return db
}

func (db *database) add(b *testing.B, collection string, d bson.D) {
	doc, err := bson.Marshal(d)
	if err != nil {
		b.Fatal(err)
	}
	db.docs[collection] = append(db.docs[collection], doc)
}

// BenchmarkStatements prints the time and allocations of a row of the larger input.
func BenchmarkStatements(b *testing.B) {
	db := benchDatabase(b)
	for _, c := range []struct{ name, stmt string }{
		{"scan", "select id, g, name, price from t"},
		{"scan-filter", "select id, name from t where g < 500 and price > 10"},
		{"project", "select id + 1, price * 2, upper(name) from t"},
		{"hash-join", "select t.id, u.label from t join u on u.id = t.g"},
		{"group-int", "select g, count(*), sum(id), avg(price) from t group by g"},
		{"group-text", "select name, count(*), max(price) from t group by name"},
		{"sort-int", "select id from t order by g, id"},
		{"sort-text", "select id from t order by name"},
		{"top-n", "select id from t order by g desc, id limit 10"},
		{"distinct", "select distinct name from t"},
		{"window", "select id, row_number() over (partition by g order by id), sum(price) over (partition by g order by id) from t"},
		{"in-subquery", "select id from t where g in (select id from u where label > 'label 5') or id < 10"},
	} {
		b.Run(c.name, func(b *testing.B) {
			plan, env, err := db.plan(c.stmt)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				rt := &executor.Runtime{Env: env, Txn: &statement{db: db}, Budget: &executor.Budget{Limit: 1 << 30}, Procs: db.procs}
				if err := drainPlan(rt, plan); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}

func drainPlan(rt *executor.Runtime, plan *planner.Plan) error {
	ctx := context.Background()
	op, err := executor.Build(rt, plan)
	if err != nil {
		return err
	}
	if err := op.Open(ctx); err != nil {
		return err
	}
	var batch executor.Batch
	for {
		if err := op.Next(ctx, &batch); err == io.EOF {
			return op.Close(ctx)
		} else if err != nil {
			return err
		}
	}
}
