// Package clients runs real programs in their own languages against the built server on a real MongoDB: drivers, and a
// Django project. Their packages come from their registries into a cache folder.
package clients

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// pythonPackages are installed into one virtual environment for all Python clients.
var pythonPackages = []string{"psycopg[binary]==3.3.9", "psycopg2-binary==2.9.13", "asyncpg==0.32.0", "Django==5.2.19", "tzdata", "SQLAlchemy==2.1.9", "alembic==1.20.1"}

var closing = regexp.MustCompile(`(?m)^(\d+) passed, (\d+) failed$`)

func TestClients(t *testing.T) {
	server := testenv.Server(t)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	python := filepath.Join(virtualenv(t), "bin", "python")
	for _, c := range []struct {
		name string
		run  func(t *testing.T) *exec.Cmd
	}{
		{"psycopg3", func(t *testing.T) *exec.Cmd { return exec.Command(python, "psycopg3/main.py") }},
		{"psycopg2", func(t *testing.T) *exec.Cmd { return exec.Command(python, "psycopg2/main.py") }},
		{"asyncpg", func(t *testing.T) *exec.Cmd { return exec.Command(python, "asyncpg/main.py") }},
		{"sqlalchemy", func(t *testing.T) *exec.Cmd { return exec.Command(python, "sqlalchemy/main.py") }},
		{"node-postgres", func(t *testing.T) *exec.Cmd {
			dir := copyTo(t, filepath.Join(here, "node-postgres"))
			install(t, dir, "npm", "install", "--silent", "--no-audit", "--no-fund")
			return in(dir, exec.Command("node", "main.js"))
		}},
		{"pgjdbc", func(t *testing.T) *exec.Cmd {
			return in(copyTo(t, filepath.Join(here, "pgjdbc")), exec.Command("mvn", "-q", "-B", "compile", "exec:java"))
		}},
		{"django", func(t *testing.T) *exec.Cmd { return exec.Command(python, "django/exercise.py") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			database := "clients_" + strings.ReplaceAll(c.name, "-", "_")
			server.CreateDatabase(t, database)
			cmd := c.run(t)
			cmd.Env = append(os.Environ(), "PGHOST="+server.Host, "PGPORT="+server.Port, "PGUSER=postgres", "PGDATABASE="+database, "PYTHONDONTWRITEBYTECODE=1")
			out, err := output(cmd, 10*time.Minute)
			m := closing.FindStringSubmatch(out)
			if err != nil || m == nil || m[2] != "0" || m[1] == "0" {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Log(m[0])
		})
	}
}

// virtualenv makes (once for each list of packages) a Python environment in the cache folder.
func virtualenv(t *testing.T) string {
	dir := filepath.Join(cache(t), "clients-python")
	stamp, want := filepath.Join(dir, "packages"), strings.Join(pythonPackages, "\n")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == want {
		return dir
	}
	install(t, ".", "python3", "-m", "venv", "--clear", dir)
	install(t, ".", filepath.Join(dir, "bin", "pip"), append([]string{"install", "-q"}, pythonPackages...)...)
	if err := os.WriteFile(stamp, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func cache(t *testing.T) string {
	dir, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "pgmongo")
}

// copyTo copies a client's sources to a scratch folder, where it may build and install.
func copyTo(t *testing.T, from string) string {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func in(dir string, cmd *exec.Cmd) *exec.Cmd {
	cmd.Dir = dir
	return cmd
}

func install(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	if out, err := output(in(dir, exec.Command(name, args...)), 10*time.Minute); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func output(cmd *exec.Cmd, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	bounded := exec.CommandContext(ctx, cmd.Path, cmd.Args[1:]...)
	bounded.Dir, bounded.Env = cmd.Dir, cmd.Env
	if cmd.Err != nil {
		return "", cmd.Err
	}
	out, err := bounded.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("took more than %v", limit)
	}
	return string(out), err
}
