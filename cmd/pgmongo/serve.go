package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/pgmongo/pgmongo/server"
	"github.com/pgmongo/pgmongo/server/instance"
)

type serveCmd struct {
	MongodbURI     string            `name:"mongodb-uri" help:"MongoDB connection string, mongodb:// or mongodb+srv:// (default: ${default})." default:"mongodb://127.0.0.1:27017/" placeholder:"URI"`
	Listen         string            `help:"Address for PostgreSQL clients (default: ${default})." default:"127.0.0.1:6432" placeholder:"HOST:PORT"`
	MetricsListen  string            `help:"Address for /metrics, /healthz and /readyz; empty for none (default: ${default})." default:"127.0.0.1:9187" placeholder:"HOST:PORT"`
	Auth           string            `help:"How clients prove who they are: ${enum}." enum:"trust,scram-sha-256" default:"trust"`
	Users          map[string]string `help:"Users and their passwords or SCRAM-SHA-256 verifiers, besides the roles of the database." placeholder:"NAME=PASSWORD"`
	TLSCert        string            `name:"tls-cert" help:"Certificate (PEM) for TLS." type:"path" placeholder:"FILE"`
	TLSKey         string            `name:"tls-key" help:"Key (PEM) for TLS." type:"path" placeholder:"FILE"`
	TLSClientCA    string            `name:"tls-client-ca" help:"Authorities (PEM) that clients' certificates must come from." type:"path" placeholder:"FILE"`
	TLSMode        string            `name:"tls-mode" help:"prefer: TLS for clients that ask for it; require: refuse others." enum:"prefer,require" default:"prefer"`
	MaxConnections int               `help:"How many clients may be connected." default:"500"`
	MemoryLimit    int64             `help:"Bytes that one statement may hold before it spills or fails." default:"268435456"`
	Settings       map[string]string `help:"Defaults of configuration parameters." placeholder:"NAME=VALUE"`
	DrainTimeout   time.Duration     `help:"How long open transactions may go on when the server stops." default:"30s"`
	LogLevel       slog.Level        `help:"debug, info, warn or error." default:"info"`
	LogFormat      string            `help:"Form of the log on the standard error output: ${enum}." enum:"text,json" default:"text"`
}

// Run serves until the context ends, then drains.
func (s *serveCmd) Run(ctx context.Context) error {
	log := s.logger()
	if !loopback(s.Listen) && s.Auth == "trust" {
		log.Warn("anyone who can reach this address is let in as superuser", "listen", s.Listen, "auth", s.Auth)
	}
	tlsConfig, err := s.tls()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	ln, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return &exitError{exitListen, fmt.Errorf("cannot listen for clients on %s: %w", s.Listen, err)}
	}
	defer func() { _ = ln.Close() }() // closed by the shutdown already, unless the start failed
	in, err := instance.Start(ctx, instance.Options{
		MongoDB: s.MongodbURI, Version: version, Log: log, Defaults: s.Settings, MemoryLimit: s.MemoryLimit, Port: ln.Addr().(*net.TCPAddr).Port,
		Server: server.Config{TLS: tlsConfig, RequireTLS: s.TLSMode == "require", Auth: server.AuthMode(s.Auth), Users: s.Users, MaxConnections: s.MaxConnections},
	})
	if err != nil {
		if ctx.Err() != nil {
			return errors.New("stopped before MongoDB had answered")
		}
		return err
	}
	metricsCtx, stopMetrics := context.WithCancel(context.WithoutCancel(ctx))
	defer stopMetrics()
	failed := make(chan error, 2)
	if s.MetricsListen != "" {
		mln, err := net.Listen("tcp", s.MetricsListen)
		if err != nil {
			_ = in.Shutdown(ctx) // the error of listening is what counts
			return &exitError{exitListen, fmt.Errorf("cannot listen for metrics on %s: %w", s.MetricsListen, err)}
		}
		go func() {
			if err := in.Metrics.Serve(metricsCtx, mln, in.Ready); err != nil {
				failed <- fmt.Errorf("serving metrics: %w", err)
			}
		}()
	}
	go func() { failed <- in.Serve(ln) }()
	log.Info("ready for clients", "listen", ln.Addr().String(), "mongodb", in.Client.Info().Version, "auth", s.Auth, "tls", tlsConfig != nil)
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("stopping", "drain", s.DrainTimeout)
		err = server.ErrClosed
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.DrainTimeout)
	defer cancel()
	return errors.Join(ignoreClosed(err), in.Shutdown(drain))
}

func ignoreClosed(err error) error {
	if errors.Is(err, server.ErrClosed) {
		return nil
	}
	return err
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func (s *serveCmd) logger() *slog.Logger {
	o := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// tls loads the certificate; nil without one.
func (s *serveCmd) tls() (*tls.Config, error) {
	switch {
	case s.TLSCert == "" && s.TLSKey == "":
		if s.TLSMode == "require" {
			return nil, errors.New("--tls-mode=require needs --tls-cert and --tls-key")
		}
		return nil, nil
	case s.TLSCert == "" || s.TLSKey == "":
		return nil, errors.New("--tls-cert and --tls-key belong together")
	}
	cert, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("loading the TLS certificate: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if s.TLSClientCA != "" {
		pem, err := os.ReadFile(s.TLSClientCA)
		if err != nil {
			return nil, fmt.Errorf("loading the client authorities: %w", err)
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %s", s.TLSClientCA)
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}
