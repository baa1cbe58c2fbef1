package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// parse parses arguments with a configuration file, without running the command.
func parse(t *testing.T, file string, args ...string) (*cli, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pgmongo.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	var c cli
	var parser *kong.Kong
	parser, err := kong.New(&c, kong.DefaultEnvars("PGMONGO"), kong.BindTo(context.Background(), (*context.Context)(nil)),
		kong.Configuration(func(r io.Reader) (kong.Resolver, error) { return loadConfig(parser.Model, r) }))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(append(args, "--config", path))
	return &c, err
}

func TestOptionsComeFromFlagThenEnvironmentThenFile(t *testing.T) {
	const file = "serve:\n  listen: file:1\n  auth: scram-sha-256\n  users: {ann: 'a=b;c', bob: pw}\n  max-connections: 7\n  drain-timeout: 5s\n" +
		"  log-level: error\nmetrics-listen: file:2\nmemory-limit: 1000\n"
	t.Setenv("PGMONGO_LISTEN", "env:1")
	t.Setenv("PGMONGO_MEMORY_LIMIT", "2000")
	t.Setenv("PGMONGO_LOG_LEVEL", "warn")
	c, err := parse(t, file, "serve", "--listen", "flag:1")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Serve
	for _, x := range []struct{ name, got, want string }{
		{"listen (flag)", s.Listen, "flag:1"},
		{"log-level (environment)", s.LogLevel.String(), "WARN"},
		{"auth (file)", s.Auth, "scram-sha-256"},
		{"users (file)", s.Users["ann"] + " " + s.Users["bob"], "a=b;c pw"},
		{"metrics-listen (file, top level)", s.MetricsListen, "file:2"},
		{"drain-timeout (file)", s.DrainTimeout.String(), "5s"},
		{"tls-mode (default)", s.TLSMode, "prefer"},
	} {
		if x.got != x.want {
			t.Errorf("%s: %q, want %q", x.name, x.got, x.want)
		}
	}
	if s.MemoryLimit != 2000 || s.MaxConnections != 7 {
		t.Errorf("memory-limit %d, max-connections %d", s.MemoryLimit, s.MaxConnections)
	}
	if c, err = parse(t, file, "serve"); err != nil || c.Serve.Listen != "env:1" {
		t.Errorf("listen %q (%v), want the environment's", c.Serve.Listen, err)
	}
	if c, err = parse(t, file, "healthcheck"); err != nil || c.Healthcheck.MetricsListen != "file:2" {
		t.Errorf("healthcheck asks %q (%v)", c.Healthcheck.MetricsListen, err)
	}
}

func TestMistakesInTheFileAreRefused(t *testing.T) {
	for _, c := range []struct{ file, says string }{
		{"serve: [", "not valid YAML"},
		{"auht: scram-sha-256\n", `unknown option "auht"`},
		{"serve:\n  auht: scram-sha-256\n", `unknown option "serve.auht"`},
		{"serve: yes\n", "must hold the options"},
		{"serve:\n  auth: md5\n", "--auth must be one of"},
		{"serve:\n  max-connections: many\n", "--max-connections"},
	} {
		if _, err := parse(t, c.file, "serve"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v, want %q", c.file, err, c.says)
		}
	}
	if c, err := parse(t, "", "serve"); err != nil || c.Serve.Auth != "trust" {
		t.Errorf("empty file: %v", err)
	}
}

// assigned finds what is set in YAML (NAME: value) and in a Dockerfile (NAME=value), not what compose puts in for ${NAME}.
var assigned = regexp.MustCompile(`(?m)^(?:ENV)?\s+(PGMONGO_[A-Z_]+)[:=]`)

// The compose files must name options that exist.
func TestDeploymentFilesNameOptions(t *testing.T) {
	var c cli
	parser, err := kong.New(&c, kong.DefaultEnvars("PGMONGO"), kong.BindTo(context.Background(), (*context.Context)(nil)),
		kong.Configuration(func(io.Reader) (kong.Resolver, error) { return configFile{}, nil }))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, f := range parser.Model.Flags {
		known[strings.Join(f.Envs, "")] = true
	}
	for _, n := range parser.Model.Children {
		for _, f := range n.Flags {
			known[strings.Join(f.Envs, "")] = true
		}
	}
	files, err := filepath.Glob("../../deploy/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range append(files, "../../Dockerfile") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range assigned.FindAllStringSubmatch(string(text), -1) {
			if !known[m[1]] {
				t.Errorf("%s sets %s, which is no option", file, m[1])
			}
		}
	}
}
