package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgmongo/pgmongo/mongo/mongod"
)

var sharedPostgres = sync.OnceValues(startPostgres)

// Postgres returns the connection string of this test process's PostgreSQL (database postgres, user postgres, trust),
// with the locale C.UTF-8 that pgmongo declares.
func Postgres(t testing.TB) string {
	t.Helper()
	dsn, err := sharedPostgres()
	if err != nil {
		t.Fatalf("tests need PostgreSQL: %v", err)
	}
	return dsn
}

func startPostgres() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", errors.New("no initdb under /usr/lib/postgresql/*/bin: install Debian's postgresql package")
	}
	slices.Sort(found)
	bin := filepath.Dir(found[len(found)-1])
	dir, err := scratch("postgres")
	if err != nil {
		return "", err
	}
	cred, err := unprivileged(dir)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata", data, "--locale=C.UTF-8", "--encoding=UTF8",
		"--auth=trust", "--username=postgres", "--no-sync", "--no-instructions")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	port, err := mongod.FreePort()
	if err != nil {
		return "", err
	}
	log, err := os.Create(filepath.Join(dir, "postgres.log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-k", "",
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "timezone=UTC", "-c", "max_connections=200")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	mongod.KillWithParent(cmd, syscall.SIGQUIT)
	p, err := mongod.StartProcess(cmd)
	if err != nil {
		return "", err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if err := waitPostgres(ctx, p, address); err != nil {
		return "", fmt.Errorf("postgres: %w: see %s", err, log.Name())
	}
	return fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable", address), nil
}

// waitPostgres waits until the server answers a startup message with anything but "the database system is starting up".
func waitPostgres(ctx context.Context, p *mongod.Process, address string) error {
	const startup = "\x00\x00\x00\x17\x00\x03\x00\x00user\x00postgres\x00\x00"
	packet := []byte(startup)
	packet[3] = byte(len(packet))
	try := func() error {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return err
		}
		if _, err := c.Write(packet); err != nil {
			return err
		}
		var first [1]byte
		if _, err := c.Read(first[:]); err != nil {
			return err
		}
		if first[0] != 'R' {
			return fmt.Errorf("message %q instead of an authentication request", first)
		}
		return nil
	}
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
			return fmt.Errorf("the server ended: %w", errors.Join(p.Err(), err))
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// unprivileged gives the folder to a user that may run PostgreSQL, which refuses root; nil keeps the present user.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("no user to run PostgreSQL as: %w", err)
		}
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
