// Package diff compares what must be equal: the same statement with and without push-down.
package diff

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

const database = "diff_pushdown"

// zoo has every kind of awkward value: missing fields, nulls, NaN, infinities, numbers of all types, empty and nested
// values, ObjectIds, dates at the edges of a millisecond.
func zoo() []any {
	dec := func(s string) bson.Decimal128 {
		d, err := bson.ParseDecimal128(s)
		if err != nil {
			panic(err)
		}
		return d
	}
	at := func(ms int64) bson.DateTime { return bson.DateTime(1709208000000 + ms) }
	var docs []any
	for i := range 300 {
		d := bson.D{{Key: "_id", Value: int32(i)}}
		add := func(k string, vals ...any) {
			if n := (i*7 + len(k)*13) % (len(vals) + 2); n < len(vals) {
				d = append(d, bson.E{Key: k, Value: vals[n]})
			} else if n == len(vals) {
				d = append(d, bson.E{Key: k, Value: nil})
			}
		}
		add("i", int32(-5), int32(0), int32(1), int32(5), int32(5), int32(2147483647))
		add("l", int64(0), int64(1)<<53+1, int64(-1), int64(9223372036854775807), int64(5))
		add("f", 0.5, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 5.0, 1e300)
		add("n", dec("1.10"), dec("1.1"), dec("-3"), dec("NaN"), dec("12345678901234567890.123456789"), dec("5"))
		add("s", "", "a", "A", "abc", "ABC", "a%c", "é", "naïve\nline", "$x", "zz")
		add("b", true, false)
		add("d", at(0), at(1), at(999), at(-1), at(86400000))
		add("o", bson.ObjectID{1, byte(i % 3)}, bson.ObjectID{2})
		add("m", int32(1), "one", bson.A{int32(1), "x"}, bson.D{{Key: "k", Value: 1}}, 1.5)
		add("t", bson.A{"x", "y"}, bson.A{}, bson.A{"y", nil})
		add("e", bson.D{{Key: "c", Value: "in"}, {Key: "v", Value: int32(i % 4)}}, bson.D{{Key: "c", Value: nil}}, bson.D{})
		docs = append(docs, d)
	}
	return docs
}

func open(t *testing.T) (*pgx.Conn, *mongo.Database) {
	ctx := context.Background()
	server := testenv.Server(t)
	native, err := mongo.Connect(options.Client().ApplyURI(server.MongoURI))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = native.Disconnect(ctx) })
	server.CreateDatabase(t, database)
	db := native.Database(database)
	if _, err := db.Collection("zoo").InsertMany(ctx, zoo()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Collection("zoo").Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "i", Value: 1}}}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // a collection that others made shows within a second
	conn, err := pgx.Connect(ctx, server.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(ctx) })
	return conn, db
}

// conditions are single predicates; they are tried alone, negated, and in pairs.
var conditions = []string{
	"i = 5", "i <> 5", "i < 1", "i <= 1", "i > 1", "i >= 5", "i IN (1, 5)", "i NOT IN (1, 5)", "i NOT IN (1, NULL)", "i IS NULL", "i IS NOT NULL", "i BETWEEN 0 AND 5",
	"5 = i", "i = 5.0", "i < 1.5", "i > -1e10", "i = 5::int8", "i = 5000000000", "i - 1 = 4", "i = l", "i % 2 = 1", "i IS DISTINCT FROM 5",
	"l = 9007199254740993", "l > 0", "l <> -1", "l = 9007199254740993.5", "l < 99999999999999999999",
	"f = 5", "f > 1", "f >= 1", "f < 1", "f <= 1", "f <> 5", "f = 'NaN'", "f < 'NaN'", "f > 'NaN'", "f >= 'NaN'", "f = 0", "f IN (0, 'NaN', 5)", "f NOT IN (0, 5)", "f = 'Infinity'",
	"n = 1.1", "n > 1.1", "n < 5", "n <> 1.10", "n >= 'NaN'", "n = 1.100000000000000000000000000000000000000000000001", "n < 12345678901234567890.123456789000000000000000000001", "n IN (1.1, 5)", "n > i",
	"s = 'a'", "s <> 'a'", "s < 'b'", "s >= 'a'", "s = ''", "s LIKE 'a%'", "s LIKE '%c'", "s NOT LIKE 'a%'", "s LIKE 'a_c'", `s LIKE 'a\%c'`, "s ILIKE 'ABC'", "s ILIKE 'É'", "s LIKE '%line'", "s LIKE 'naïve%'",
	"s = '$x'", "s IN ('a', '$x', '')", "s NOT IN ('a', 'zz')", "lower(s) = 'abc'", "s ~ '^a'", "s > 'Z'", "s = ANY(ARRAY['a', NULL])", "length(s) > 1",
	"b", "NOT b", "b = true", "b IS TRUE", "b IS NOT TRUE", "b IS FALSE", "b IS NOT FALSE", "b IS UNKNOWN", "b IS NOT UNKNOWN", "b <> false", "b IS NULL",
	"d = '2024-02-29 12:00:00.001+00'", "d > '2024-02-29 12:00:00+00'", "d <= '2024-02-29 12:00:00.9995+00'", "d < '2024-02-29 12:00:00.001+00'::timestamptz", "d = '2024-02-29 12:00:00.0005+00'", "d <> 'infinity'", "d::date = '2024-02-29'",
	"o = '010100000000000000000000'", "o = '010100000000000000000000 '", "o = 'no'", "o <> '020000000000000000000000'", "o IN ('020000000000000000000000', 'x')", "o NOT IN ('x')", "o > '0101'", "o LIKE '01%'", "o IS NULL",
	"m = '1'", "m IS NULL", "m::text = '1.5'", "jsonb_typeof(m) = 'array'", "m = '[1, \"x\"]'",
	"t = '{x,y}'", "'x' = ANY(t)", "t @> '{y}'", "t IS NULL", "t = '{}'", "array_length(t, 1) = 2",
	`"e.c" = 'in'`, `"e.c" IS NULL`, `"e.v" > 1`, `"e.v" IN (0, 3)`, "e IS NULL", "e = '{}'",
	"i = 4294967301", "i <> 4294967301", "i < 4294967301", "i > -4294967301", "i IN (4294967301, 1)", "i NOT IN (4294967301, 1)", "_id = 4294967303",
	"_id = 7", "_id < 10", "_id > 290", "_id IN (1, 2, 400)", "_id = 7 OR i = 1", "(i = 5 OR s = 'a') AND b", "true", "false", "NULL::boolean", "i = (SELECT 5)", "EXISTS (SELECT 1)", "i = 1 / 1",
}

// tails are what follows a filter.
var tails = []string{
	"ORDER BY _id LIMIT 7", "ORDER BY _id DESC OFFSET 3 LIMIT 4", "ORDER BY i NULLS FIRST, _id LIMIT 9", "ORDER BY i, _id LIMIT 9", "ORDER BY i DESC, _id LIMIT 9", "ORDER BY i DESC NULLS LAST, _id LIMIT 12",
	"ORDER BY s, _id LIMIT 20", "ORDER BY s DESC NULLS LAST, _id LIMIT 20", "ORDER BY d NULLS FIRST, _id LIMIT 20", "ORDER BY f, _id LIMIT 20", "ORDER BY n DESC, _id LIMIT 20", "ORDER BY b NULLS FIRST, _id LIMIT 20",
	"ORDER BY o NULLS FIRST, _id LIMIT 20", `ORDER BY "e.v" NULLS FIRST, _id LIMIT 20`, "ORDER BY length(s), _id LIMIT 5", "ORDER BY _id LIMIT 0", "ORDER BY _id LIMIT NULL OFFSET 298", "ORDER BY t, _id LIMIT 9",
}

var groupings = []string{
	"count(*)", "count(i), sum(i), avg(i), min(i), max(i)", "sum(l), avg(l), max(l), count(l)", "min(s), max(s), count(s)", "min(d), max(d)", "min(f), max(f)", "min(n), max(n), count(n)", "count(m), count(t)", "count(DISTINCT i)", "bool_and(b)",
	`min("e.c"), count("e.c"), sum("e.v")`, "min(o), max(o)", "count(*) FILTER (WHERE b), sum(i)",
}

var keys = []string{"i", "s", "b", "i, b", "d", "o", "f", "n", `"e.v"`, "i, s, b", "lower(s)"}

func rows(t *testing.T, conn *pgx.Conn, sql string, pushdown bool) ([]string, error) {
	t.Helper()
	ctx := context.Background()
	setting := "off"
	if pushdown {
		setting = "on"
	}
	if _, err := conn.Exec(ctx, "SET pgmongo.pushdown = "+setting); err != nil {
		t.Fatal(err)
	}
	r, err := conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []string
	for r.Next() {
		cells := make([]string, len(r.RawValues()))
		for i, v := range r.RawValues() {
			cells[i] = "NULL"
			if v != nil {
				cells[i] = string(v)
			}
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return out, r.Err()
}

func compare(t *testing.T, conn *pgx.Conn, sql string, ordered bool) {
	t.Helper()
	on, errOn := rows(t, conn, sql, true)
	off, errOff := rows(t, conn, sql, false)
	if !ordered {
		slices.Sort(on)
		slices.Sort(off)
	}
	if fmt.Sprint(errOn) != fmt.Sprint(errOff) || !slices.Equal(on, off) {
		t.Errorf("%s\n  on:  %d rows %v %v\n  off: %d rows %v %v", sql, len(on), errOn, head(on), len(off), errOff, head(off))
	}
}

func head(rows []string) []string { return rows[:min(len(rows), 6)] }

func TestPushdownChangesNothing(t *testing.T) {
	conn, _ := open(t)
	for i, c := range conditions {
		compare(t, conn, "SELECT * FROM zoo WHERE "+c, false)
		compare(t, conn, "SELECT * FROM zoo WHERE NOT ("+c+")", false)
		other := conditions[(i*31+7)%len(conditions)]
		compare(t, conn, "SELECT _id FROM zoo WHERE ("+c+") AND NOT ("+other+")", false)
		compare(t, conn, "SELECT _id FROM zoo WHERE ("+c+") OR ("+other+")", false)
		compare(t, conn, "SELECT _id FROM zoo WHERE NOT (("+c+") OR NOT ("+other+"))", false)
		compare(t, conn, "SELECT _id FROM zoo WHERE "+c+" "+tails[i%len(tails)], true)
		compare(t, conn, "SELECT "+groupings[i%len(groupings)]+" FROM zoo WHERE "+c, false)
		compare(t, conn, "SELECT z._id, (SELECT count(*) FROM zoo y WHERE y.i = z.i AND ("+strings.ReplaceAll(c, "_id", "y._id")+")) FROM zoo z WHERE z._id < 12", false)
	}
	for _, tail := range tails {
		compare(t, conn, "SELECT _id, s, i FROM zoo "+tail, true)
	}
	for _, g := range groupings {
		compare(t, conn, "SELECT "+g+" FROM zoo", false)
		for _, k := range keys {
			compare(t, conn, "SELECT "+k+", "+g+" FROM zoo GROUP BY "+k, false)
			compare(t, conn, "SELECT "+k+" FROM zoo WHERE _id > 20 GROUP BY "+k+" HAVING count(*) > 3", false)
		}
	}
}

func explain(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	out, err := rows(t, conn, "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "+sql, true)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(out, "\n")
}

// TestIndexes asks MongoDB what it did: a filter on an indexed field examines the rows asked for and no others, and LIMIT
// stops the scan.
func TestIndexes(t *testing.T) {
	conn, _ := open(t)
	for _, c := range []struct {
		sql, index string
		examined   bool // exactly as many keys as rows
	}{
		{"SELECT * FROM zoo WHERE i = 5", "zoo_i_1", true},
		{"SELECT * FROM zoo WHERE i IN (1, 5)", "zoo_i_1", true},
		{"SELECT * FROM zoo WHERE i > 1 AND s <> 'q'", "zoo_i_1", false},
		{"SELECT * FROM zoo WHERE _id = 7", "zoo_pkey", true},
		{"SELECT * FROM zoo WHERE _id >= 290", "zoo_pkey", true},
		{"SELECT * FROM zoo ORDER BY _id LIMIT 3", "zoo_pkey", true},
		{"SELECT * FROM zoo WHERE s = 'a'", "", false},
		{"SELECT * FROM zoo WHERE i::int8 + 1 = 6", "", false},
	} {
		plan := explain(t, conn, c.sql)
		if got := find(plan, `Index Scan using (\S+) on`); got != c.index {
			t.Errorf("%s: index %q, want %q\n%s", c.sql, got, c.index, plan)
		}
		if keys, n := find(plan, `MongoDB Keys Examined: (\d+)`), find(plan, `Scan .*actual rows=(\d+)`); c.examined && keys != n && !(keys == "" && n == "1") {
			// IN over an index looks once past each range.
			if !strings.Contains(c.sql, " IN ") {
				t.Errorf("%s: %s keys examined for %s rows\n%s", c.sql, keys, n, plan)
			}
		}
	}
	if plan := explain(t, conn, "SELECT count(*) FROM zoo WHERE i::int8 + 1 = 6"); !strings.Contains(plan, "Not Pushed: (((i)::bigint + 1) = 6): ") {
		t.Errorf("no reason in\n%s", plan)
	}
	if plan := explain(t, conn, "SELECT i, count(*) FROM zoo GROUP BY i"); !strings.Contains(plan, `{"$group":`) {
		t.Errorf("grouping was not pushed:\n%s", plan)
	}
}

func find(text, pattern string) string {
	if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}
