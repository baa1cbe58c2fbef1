package testenv_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

func TestMongoAcceptsTransactions(t *testing.T) {
	ctx := context.Background()
	c, err := mongo.Connect(options.Client().ApplyURI(testenv.Mongo(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Disconnect(ctx)
	err = c.UseSession(ctx, func(ctx context.Context) error {
		_, err := mongo.SessionFromContext(ctx).WithTransaction(ctx, func(ctx context.Context) (any, error) {
			return c.Database(testenv.Database(t)).Collection("c").InsertOne(ctx, bson.D{{Key: "a", Value: 1}})
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPostgresHasTheDeclaredLocale(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.Connect(ctx, testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	var collate, encoding string
	if err := c.QueryRow(ctx, "select datcollate, pg_encoding_to_char(encoding) from pg_database where datname = current_database()").Scan(&collate, &encoding); err != nil {
		t.Fatal(err)
	}
	if collate != "C.UTF-8" || encoding != "UTF8" {
		t.Errorf("collation %s, encoding %s", collate, encoding)
	}
}
