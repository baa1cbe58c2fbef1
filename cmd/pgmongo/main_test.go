package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestExitCodes(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	taken := ln.Addr().String()
	unreachable := "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200&connectTimeoutMS=200"
	config := filepath.Join(t.TempDir(), "pgmongo.yaml")
	if err := os.WriteFile(config, []byte("serve:\n  listen: \""+taken+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want int
	}{
		{"version", []string{"version"}, 0},
		{"unknown flag", []string{"serve", "--nosuch"}, exitUsage},
		{"unknown auth", []string{"serve", "--auth", "md5"}, exitUsage},
		{"key without certificate", []string{"serve", "--listen", "127.0.0.1:0", "--tls-key", "/nosuch"}, exitUsage},
		{"TLS without certificate", []string{"serve", "--listen", "127.0.0.1:0", "--tls-mode", "require"}, exitUsage},
		{"bad connection string", []string{"serve", "--listen", "127.0.0.1:0", "--mongodb-uri", "http://x"}, exitUsage},
		{"bad default", []string{"serve", "--listen", "127.0.0.1:0", "--settings", "work_mem=much"}, exitUsage},
		{"port in use", []string{"serve", "--listen", taken}, exitListen},
		{"port in use, by file", []string{"serve", "--config", config}, exitListen},
		{"unreachable", []string{"serve", "--listen", "127.0.0.1:0", "--mongodb-uri", unreachable}, exitUnreachable},
		{"nobody to ask", []string{"healthcheck", "--metrics-listen", "127.0.0.1:1"}, exitFailure},
	} {
		if got := run(context.Background(), c.args); got != c.want {
			t.Errorf("%s: exit code %d, want %d", c.name, got, c.want)
		}
	}
}

func TestOptionsFromTheEnvironment(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	t.Setenv("PGMONGO_LISTEN", ln.Addr().String())
	if got := run(context.Background(), []string{"serve"}); got != exitListen {
		t.Errorf("exit code %d: PGMONGO_LISTEN was not used", got)
	}
}
