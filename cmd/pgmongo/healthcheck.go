package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

type healthcheckCmd struct {
	MetricsListen string        `help:"Address of the server's metrics endpoint (default: ${default})." default:"127.0.0.1:9187" env:"PGMONGO_METRICS_LISTEN" placeholder:"HOST:PORT"`
	Timeout       time.Duration `help:"How long to wait for the answer." default:"3s"`
}

// Run asks /readyz; it fails unless the answer is that the server is ready.
func (h *healthcheckCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	host, port, err := net.SplitHostPort(h.MetricsListen)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	// A server that listens everywhere is asked on the loopback.
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not healthy: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end below
	body, err := io.ReadAll(io.LimitReader(res.Body, 4096))
	if err != nil {
		return fmt.Errorf("not healthy: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s", strings.TrimSpace(string(body)))
	}
	return nil
}
