package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
)

// insert puts documents into a collection as another program would.
func insert(t *testing.T, c *mongo.Client, db, collection string, docs ...bson.D) {
	t.Helper()
	var list bson.A
	for _, d := range docs {
		list = append(list, d)
	}
	if _, err := c.Run(context.Background(), db, bson.D{{Key: "insert", Value: collection}, {Key: "documents", Value: list}}); err != nil {
		t.Fatal(err)
	}
}

func id(n byte) bson.ObjectID { return bson.ObjectID{11: n} }

func TestInferredCollections(t *testing.T) {
	dsn, c := serve(t), client(t)
	const db = "infer_test"
	day := time.Date(2024, 2, 29, 12, 0, 0, 5e6, time.UTC)
	dec, _ := bson.ParseDecimal128("12.50")
	insert(t, c, db, "Users",
		bson.D{
			{Key: "_id", Value: id(1)},
			{Key: "name", Value: "Ann"},
			{Key: "age", Value: int32(5)},
			{Key: "at", Value: day},
			{Key: "tags", Value: bson.A{"a", "b"}},
			{Key: "address", Value: bson.D{{Key: "city", Value: "Rome"}, {Key: "zip", Value: int32(1)}}},
			{Key: "price", Value: dec},
			{Key: "mixed", Value: "x"},
			{Key: "orders", Value: bson.A{bson.D{{Key: "sku", Value: "s1"}, {Key: "qty", Value: int32(2)}}, bson.D{{Key: "sku", Value: "s2"}, {Key: "qty", Value: int64(3)}}}},
		},
		bson.D{{Key: "_id", Value: id(2)}, {Key: "name", Value: nil}, {Key: "age", Value: 2.5}, {Key: "mixed", Value: int32(7)}, {Key: "address", Value: bson.D{{Key: "city", Value: "Oslo"}}}},
		bson.D{{Key: "_id", Value: id(3)}, {Key: "ünïcode", Value: true}, {Key: "orders", Value: bson.A{}}},
	)
	insert(t, c, db, "by_number", bson.D{{Key: "_id", Value: int64(1)}, {Key: "user", Value: id(1)}})
	if err := c.CreateIndex(context.Background(), db, "Users", mongo.IndexInfo{Name: "by_name", Keys: bson.D{{Key: "name", Value: int32(-1)}}}); err != nil {
		t.Fatal(err)
	}
	r := connect(t, dsn+" dbname="+db)
	for _, x := range []struct{ q, want string }{
		{
			`select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute where attrelid = '"Users"'::regclass and attnum > 0 order by attnum`,
			"_id|text|t\nname|text|f\nage|double precision|f\nat|timestamp(3) with time zone|f\ntags|text[]|f\naddress|jsonb|f\naddress.city|text|f\naddress.zip|integer|f\n" +
				"price|numeric|f\nmixed|jsonb|f\norders|jsonb|f\nünïcode|boolean|f\nSELECT 12",
		},
		{
			`select _id, name, age, at, tags, "address.city", price, mixed, "ünïcode" from "Users" order by _id`,
			"000000000000000000000001|Ann|5|2024-02-29 12:00:00.005+00|{a,b}|Rome|12.50|\"x\"|NULL\n" +
				"000000000000000000000002|NULL|2.5|NULL|NULL|Oslo|NULL|7|NULL\n000000000000000000000003|NULL|NULL|NULL|NULL|NULL|NULL|NULL|t\nSELECT 3",
		},
		{`select "Users_id", ordinal, sku, qty from "Users.orders" order by 1, 2`, "000000000000000000000001|1|s1|2\n000000000000000000000001|2|s2|3\nSELECT 2"},
		{`select b._id, u.name from by_number b join "Users" u on u._id = b."user"`, "1|Ann\nSELECT 1"},
		{`select name from "Users" where _id = '000000000000000000000001'`, "Ann\nSELECT 1"},
		{`insert into by_number(_id, "user") values (2, '000000000000000000000002')`, "INSERT 0 1"},
		{`insert into by_number(_id) values (2)`, "ERROR 23505: duplicate key value violates unique constraint \"by_number_pkey\"\n  DETAIL: Key (_id)=(2) already exists."},
		{
			`select pg_get_indexdef(indexrelid) from pg_index where indrelid = '"Users"'::regclass order by 1`,
			`CREATE INDEX "Users_by_name" ON public."Users" USING btree (name DESC NULLS LAST)` + "\n" + `CREATE UNIQUE INDEX "Users_pkey" ON public."Users" USING btree (_id)` + "\nSELECT 2",
		},
	} {
		if got := r.run(x.q); got != x.want {
			t.Errorf("%s\n got: %s\nwant: %s", x.q, got, x.want)
		}
	}
}

func TestNewCollectionAppears(t *testing.T) {
	dsn, c := serve(t), client(t)
	const db = "appear_test"
	insert(t, c, db, "first", bson.D{{Key: "_id", Value: int32(1)}})
	r := connect(t, dsn+" dbname="+db)
	must(t, r, "select * from first")
	insert(t, c, db, "second", bson.D{{Key: "_id", Value: int32(1)}, {Key: "a", Value: "x"}})
	insert(t, c, db, "first", bson.D{{Key: "_id", Value: int32(2)}, {Key: "fresh", Value: true}})
	deadline := time.Now().Add(1500 * time.Millisecond)
	for {
		a, b := r.run("select a from second"), r.run("select fresh from first where _id = 2")
		if a == "x\nSELECT 1" && b == "t\nSELECT 1" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after a second: %s; %s", a, b)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := c.DropCollection(context.Background(), db, "second"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1200 * time.Millisecond)
	if got := r.run("select * from second"); !strings.Contains(got, "42P01") {
		t.Errorf("dropped by others: %s", got)
	}
}

func TestAlterInferred(t *testing.T) {
	dsn, c := serve(t), client(t)
	const db = "pin_test"
	insert(t, c, db, "t", bson.D{{Key: "_id", Value: id(1)}, {Key: "a", Value: int32(1)}}, bson.D{{Key: "_id", Value: id(2)}, {Key: "a", Value: int32(2)}, {Key: "extra", Value: "kept"}})
	r := connect(t, dsn+" dbname="+db)
	must(t, r, "create index t_a on t(a)", "alter table t add column b int default 9", "alter table t add constraint a_pos check (a > 0)",
		"create table child(t_id text references t(_id))", "insert into child values ('000000000000000000000001')", "comment on table t is 'pinned'")
	for _, x := range []struct{ q, want string }{
		{"select a, b, extra from t order by a", "1|9|NULL\n2|9|kept\nSELECT 2"},
		{"insert into t(_id, a) values ('000000000000000000000003', -1)", "ERROR 23514"},
		{"insert into child values ('000000000000000000000009')", "ERROR 23503"},
		{"delete from t where a = 1", "ERROR 23503"},
		{"create unique index t_u on t(a)", "CREATE INDEX"},
		{"insert into t(a) values (2)", "ERROR 23505"},
		{"alter table t rename to tt", "ALTER TABLE"},
		{"select count(*) from tt", "2\nSELECT 1"},
		{"drop table child, tt", "DROP TABLE"},
	} {
		if got := r.run(x.q); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s\n got: %s\nwant: %s", x.q, got, x.want)
		}
	}
	if got := physicalState(t, c, db); got != "" {
		t.Errorf("left: %s", got)
	}
}

// TestJobDoneByOthers has a job that was seen and then done by another proxy: it is neither missed nor done again.
func TestJobDoneByOthers(t *testing.T) {
	dsn, c := serve(t), client(t)
	const db = "job_test"
	insert(t, c, db, "other", bson.D{{Key: "_id", Value: int32(1)}})
	must(t, connect(t, dsn+" dbname="+db), "create table a(x int)")
	old := time.Now().Add(3*time.Second - 10*time.Minute)
	insert(t, c, db, "pgmongo.catalog", bson.D{{Key: "_id", Value: "job:drop:gone:1"}, {Key: "collection", Value: "gone"}, {Key: "at", Value: old}})
	insert(t, c, db, "fresh", bson.D{{Key: "_id", Value: int32(1)}}) // what is new makes the server look for jobs
	time.Sleep(1500 * time.Millisecond)
	must(t, connect(t, dsn+" dbname="+db), "select * from fresh")
	if _, err := c.Run(context.Background(), db, bson.D{
		{Key: "delete", Value: "pgmongo.catalog"},
		{Key: "deletes", Value: bson.A{bson.D{{Key: "q", Value: bson.D{{Key: "_id", Value: "job:drop:gone:1"}}}, {Key: "limit", Value: 1}}}},
	}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(old.Add(10*time.Minute + 200*time.Millisecond)))
	must(t, connect(t, dsn+" dbname="+db), "select * from a")
}
