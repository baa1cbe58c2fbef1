// Package testenv gives tests their real servers: a private mongod and a private PostgreSQL, each started once in a test
// process and ended with it. A server that cannot be found fails the test: nothing is skipped.
package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgmongo/pgmongo/mongo/mongod"
)

const startTimeout = 2 * time.Minute

var sharedMongo = sync.OnceValues(func() (string, error) {
	dir, err := scratch("mongod")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	s, err := mongod.Start(ctx, mongod.Options{DataDir: dir, Args: []string{"--setParameter", "enableTestCommands=1"}})
	if err != nil {
		return "", err
	}
	return s.URI(), nil
})

// Mongo returns the connection string of this test process's mongod, a replica set of one member. Tests keep apart by
// database names of their own (see Database).
func Mongo(t testing.TB) string {
	t.Helper()
	uri, err := sharedMongo()
	if err != nil {
		t.Fatalf("tests need a mongod: %v", err)
	}
	return uri
}

var databases struct {
	sync.Mutex
	next int
}

// Database returns a database name that no other test of this process uses.
func Database(t testing.TB) string {
	databases.Lock()
	defer databases.Unlock()
	databases.next++
	return fmt.Sprintf("test%d", databases.next)
}

// scratch makes a folder that the next test process removes once this one is dead: a test process has no hook at its end,
// and its servers die with it.
func scratch(kind string) (string, error) {
	root := filepath.Join(os.TempDir(), "pgmongo-tests")
	// Servers that run as another user must be able to enter.
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	old, err := os.ReadDir(root)
	if err != nil {
		return "", err
	}
	for _, e := range old {
		_, number, _ := strings.Cut(e.Name(), "-")
		pid, err := strconv.Atoi(strings.SplitN(number, "-", 2)[0])
		if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
				return "", err
			}
		}
	}
	dir := filepath.Join(root, fmt.Sprintf("%s-%d", kind, os.Getpid()))
	return dir, os.MkdirAll(dir, 0o755)
}
