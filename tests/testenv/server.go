package testenv

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgmongo/pgmongo/mongo/mongod"
)

// PgMongo is a running server of ours, the built binary as users start it, on a private MongoDB.
type PgMongo struct {
	Host, Port string
	// Metrics is the address of /metrics.
	Metrics string
	// MongoURI is the MongoDB behind it.
	MongoURI string
	// Process is the running binary, for tests of signals.
	Process *mongod.Process
}

var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("pgmongo-test-%d", os.Getpid()), "pgmongo")
	build := exec.Command("go", "build", "-o", path, "github.com/pgmongo/pgmongo/cmd/pgmongo") // tests run inside the module
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// Binary returns the path of the built binary.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Server builds the binary and starts it in front of the test process's MongoDB; it ends with the test.
func Server(t testing.TB, args ...string) *PgMongo {
	t.Helper()
	return ServerFor(t, Mongo(t), args...)
}

// ServerFor is Server in front of a given MongoDB.
func ServerFor(t testing.TB, uri string, args ...string) *PgMongo {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	port, metrics := freePort(t), freePort(t)
	s := &PgMongo{Host: "127.0.0.1", Port: port, Metrics: "127.0.0.1:" + metrics, MongoURI: uri}
	cmd := exec.Command(path, append([]string{"serve", "--mongodb-uri", uri, "--listen", "127.0.0.1:" + port, "--metrics-listen", s.Metrics, "--auth", "trust", "--log-level", "error"}, args...)...)
	cmd.Stderr = os.Stderr
	mongod.KillWithParent(cmd, syscall.SIGKILL)
	p, err := mongod.StartProcess(cmd)
	if err != nil {
		t.Fatal(err)
	}
	s.Process = p
	t.Cleanup(func() {
		_ = p.Signal(os.Interrupt)
		select {
		case <-p.Done():
		case <-time.After(20 * time.Second):
			_ = p.Signal(os.Kill)
			t.Error("pgmongo did not stop within 20 seconds of an interrupt")
		}
	})
	deadline := time.Now().Add(30 * time.Second)
	for {
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(s.Host, s.Port), time.Second)
		if err == nil {
			conn.Close()
			return s
		}
		select {
		case <-p.Done():
			t.Fatalf("pgmongo ended: %v", p.Err())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("pgmongo did not listen within 30 seconds")
		}
	}
}

// URL is a connection string for a database.
func (s *PgMongo) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", net.JoinHostPort(s.Host, s.Port), database)
}

// CreateDatabase makes an empty database, dropping one of that name.
func (s *PgMongo) CreateDatabase(t testing.TB, name string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + pgx.Identifier{name}.Sanitize(), "CREATE DATABASE " + pgx.Identifier{name}.Sanitize()} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	port, err := mongod.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}
