package clients

import (
	"context"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// TestNativeProgramBesideSQL has a program of MongoDB's own driver and one of PostgreSQL's on the same collections.
func TestNativeProgramBesideSQL(t *testing.T) {
	ctx := context.Background()
	server := testenv.Server(t)
	native, err := mongo.Connect(options.Client().ApplyURI(server.MongoURI))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = native.Disconnect(ctx) })
	server.CreateDatabase(t, "clients_native")
	db := native.Database("clients_native")
	conn := connect(t, server, "clients_native")

	t.Run("documents appear as rows", func(t *testing.T) {
		_, err := db.Collection("people").InsertMany(ctx, []any{
			bson.D{{Key: "name", Value: "Ada"}, {Key: "address", Value: bson.D{{Key: "city", Value: "London"}, {Key: "zip", Value: "W1"}}}, {Key: "tags", Value: bson.A{"a", "b"}}, {Key: "age", Value: int32(36)}},
			bson.D{{Key: "name", Value: "Bob"}, {Key: "age", Value: nil}},
		})
		if err != nil {
			t.Fatal(err)
		}
		other := connect(t, server, "clients_native")
		var city, address string
		var n int
		if err := other.QueryRow(ctx, `SELECT "address.city", address::text, array_length(tags, 1) FROM people WHERE age > 30`).Scan(&city, &address, &n); err != nil {
			t.Fatal(err)
		}
		if city != "London" || address != `{"zip": "W1", "city": "London"}` || n != 2 {
			t.Fatal(city, address, n)
		}
		if err := other.QueryRow(ctx, "SELECT count(*) FROM people WHERE age IS NULL").Scan(&n); err != nil || n != 1 {
			t.Fatal(n, err)
		}
	})
	t.Run("an update leaves other fields alone", func(t *testing.T) {
		if _, err := db.Collection("people").UpdateOne(ctx, bson.D{{Key: "name", Value: "Ada"}}, bson.D{{Key: "$set", Value: bson.D{{Key: "seen.by", Value: "nobody but the driver"}}}}); err != nil {
			t.Fatal(err)
		}
		exec1(t, conn, `UPDATE people SET age = 37, "address.city" = 'Paris' WHERE name = 'Ada'`)
		var doc struct {
			Age     int32
			Address struct{ City, Zip string }
			Tags    []string
			Seen    struct{ By string }
		}
		if err := db.Collection("people").FindOne(ctx, bson.D{{Key: "name", Value: "Ada"}}).Decode(&doc); err != nil {
			t.Fatal(err)
		}
		if doc.Age != 37 || doc.Address.City != "Paris" || doc.Address.Zip != "W1" || len(doc.Tags) != 2 || doc.Seen.By == "" {
			t.Fatalf("%+v", doc)
		}
	})
	t.Run("rows are natural documents", func(t *testing.T) {
		exec1(t, conn, `CREATE TABLE goods (id int PRIMARY KEY, name text NOT NULL, price numeric(8,2), made timestamptz, doc jsonb, tags text[])`)
		exec1(t, conn, `INSERT INTO goods VALUES (7, 'lamp', 12.50, '2024-02-29 12:00:00.123+00', '{"a": {"b": [1, 2]}}', '{x,y}')`)
		var doc bson.D
		if err := db.Collection("goods").FindOne(ctx, bson.D{{Key: "_id", Value: 7}}).Decode(&doc); err != nil {
			t.Fatal(err)
		}
		want := `{"_id":7,"name":"lamp","price":{"$numberDecimal":"12.50"},"made":{"$date":"2024-02-29T12:00:00.123Z"},"doc":{"a":{"b":[1,2]}},"tags":["x","y"]}`
		got, err := bson.MarshalExtJSON(doc, false, false)
		if err != nil || string(got) != want {
			t.Fatalf("got  %s\nwant %s (%v)", got, want, err)
		}
	})
	t.Run("a native insert keeps to the table", func(t *testing.T) {
		if _, err := db.Collection("goods").InsertOne(ctx, bson.D{{Key: "_id", Value: int32(8)}, {Key: "name", Value: "desk"}, {Key: "extra", Value: true}}); err != nil {
			t.Fatal(err)
		}
		var name string
		var price *string
		if err := conn.QueryRow(ctx, "SELECT name, price::text FROM goods WHERE id = 8").Scan(&name, &price); err != nil || name != "desk" || price != nil {
			t.Fatal(name, price, err)
		}
	})
}
