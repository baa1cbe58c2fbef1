package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// certificate makes a self-signed one for the loopback.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pgmongo test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLS(t *testing.T) {
	cfg := &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12}
	for _, c := range []struct {
		name    string
		server  Config
		options string
		ok      bool
	}{
		{"asked for", Config{TLS: cfg}, "sslmode=require", true},
		{"with SCRAM", Config{TLS: cfg, Auth: AuthSCRAM, Users: map[string]string{"u": "pw"}}, "sslmode=require&password=pw", true},
		{"direct", Config{TLS: cfg}, "sslmode=require&sslnegotiation=direct", true},
		{"not wanted", Config{TLS: cfg}, "sslmode=disable", true},
		{"required", Config{TLS: cfg, RequireTLS: true}, "sslmode=disable", false},
		{"not offered", Config{}, "sslmode=require", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, c.server, nil)
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			conn, err := pgconn.Connect(ctx, "postgres://u@"+r.addr+"/d?"+c.options)
			if (err == nil) != c.ok {
				t.Fatalf("connect: %v", err)
			}
			if conn == nil {
				return
			}
			defer func() { _ = conn.Close(ctx) }()
			if _, err := conn.Exec(ctx, "abc").ReadAll(); err != nil {
				t.Error(err)
			}
			// The watcher's deadline must not hurt the TLS session.
			go func() {
				time.Sleep(3 * watchDelay)
				_ = conn.CancelRequest(ctx)
			}()
			var pe *pgconn.PgError
			if _, err := conn.Exec(ctx, "sleep").ReadAll(); !errors.As(err, &pe) || pe.Code != "57014" {
				t.Errorf("cancel: %v", err)
			}
			if _, err := conn.Exec(ctx, "abc").ReadAll(); err != nil {
				t.Error(err)
			}
		})
	}
}
