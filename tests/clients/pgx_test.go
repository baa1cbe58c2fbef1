package clients

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

func connect(t *testing.T, s *testenv.PgMongo, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), s.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func exec1(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func sqlstate(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}

func TestPgx(t *testing.T) {
	ctx := context.Background()
	server := testenv.Server(t)
	server.CreateDatabase(t, "clients_pgx")
	conn := connect(t, server, "clients_pgx")
	exec1(t, conn, "CREATE TABLE p (id int8 PRIMARY KEY, name text, at timestamptz, tags int4[])")

	t.Run("batches and binary values", func(t *testing.T) {
		at := time.Date(2024, 2, 29, 1, 2, 3, 456789000, time.UTC)
		b := &pgx.Batch{}
		for i := range 50 {
			b.Queue("INSERT INTO p VALUES ($1, $2, $3, $4)", i, "n", at, []int32{int32(i), 7})
		}
		if err := conn.SendBatch(ctx, b).Close(); err != nil {
			t.Fatal(err)
		}
		var name string
		var got time.Time
		var tags []int32
		if err := conn.QueryRow(ctx, "SELECT name, at, tags FROM p WHERE id = $1", 49).Scan(&name, &got, &tags); err != nil {
			t.Fatal(err)
		}
		if name != "n" || !got.Equal(at) || len(tags) != 2 || tags[0] != 49 {
			t.Fatal(name, got, tags)
		}
	})
	t.Run("copy", func(t *testing.T) {
		rows := [][]any{}
		for i := range 500 {
			rows = append(rows, []any{int64(1000 + i), "c", nil})
		}
		n, err := conn.CopyFrom(ctx, pgx.Identifier{"p"}, []string{"id", "name", "at"}, pgx.CopyFromRows(rows))
		if err != nil || n != 500 {
			t.Fatal(n, err)
		}
	})
	t.Run("transactions and errors", func(t *testing.T) {
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO p (id) VALUES (1)"); sqlstate(err) != "23505" {
			t.Fatal(err)
		}
		if _, err := tx.Exec(ctx, "SELECT 1"); sqlstate(err) != "25P02" {
			t.Fatal(err)
		}
		if err := tx.Commit(ctx); !errors.Is(err, pgx.ErrTxCommitRollback) {
			t.Fatal(err)
		}
	})
	t.Run("a cancelled context stops the statement", func(t *testing.T) {
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		other := connect(t, server, "clients_pgx")
		if _, err := other.Exec(short, "SELECT pg_sleep(60)"); err == nil {
			t.Fatal("slept")
		}
		exec1(t, conn, "SELECT 1")
	})
	t.Run("an unknown database", func(t *testing.T) {
		if _, err := pgx.Connect(ctx, server.URL("no_such_database")); sqlstate(err) != "3D000" {
			t.Fatal(err)
		}
	})
}
