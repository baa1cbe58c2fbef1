package operations

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// certificate writes a self-signed one for the loopback and returns the files of certificate and key.
func certificate(t *testing.T) (string, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pgmongo test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("tls.crt", "CERTIFICATE", der), write("tls.key", "PRIVATE KEY", private)
}

func TestEncryptionAndPasswords(t *testing.T) {
	cert, key := certificate(t)
	users := []string{"--auth", "scram-sha-256", "--users", "ann=secret;bob=other"}
	plain := testenv.Server(t, users...)
	prefer := testenv.Server(t, append(users, "--tls-cert", cert, "--tls-key", key)...)
	require := testenv.Server(t, append(users, "--tls-cert", cert, "--tls-key", key, "--tls-mode", "require")...)
	const role = "ops_carol"
	out, code := psql(t, dsn(plain, "ann", "disable", ""), []string{"PGPASSWORD=secret"},
		"drop role if exists "+role+"; create role "+role+" login password 'märz'; drop role if exists ops_nologin; create role ops_nologin password 'x'")
	if code != 0 {
		t.Fatal(out)
	}
	for _, c := range []struct {
		name     string
		server   *testenv.PgMongo
		user     string
		password string
		sslmode  string
		fails    string // "" for success, else part of what psql says
	}{
		{"plain", plain, "ann", "secret", "disable", ""},
		{"plain, preferring", plain, "ann", "secret", "prefer", ""},
		{"plain, requiring", plain, "ann", "secret", "require", "server does not support SSL"},
		{"disable", prefer, "ann", "secret", "disable", ""},
		{"prefer", prefer, "ann", "secret", "prefer", ""},
		{"require", prefer, "bob", "other", "require", ""},
		{"verify-full", prefer, "ann", "secret", "verify-full", ""},
		{"required, disable", require, "ann", "secret", "disable", "TLS connections only"},
		{"required, prefer", require, "ann", "secret", "prefer", ""},
		{"wrong password", prefer, "ann", "wrong", "require", `password authentication failed for user "ann"`},
		{"another's password", prefer, "ann", "other", "require", `password authentication failed for user "ann"`},
		{"unknown user", prefer, "eve", "secret", "require", `password authentication failed for user "eve"`},
		{"role", prefer, role, "märz", "require", ""},
		{"role, wrong password", prefer, role, "marz", "require", "password authentication failed"},
		{"role without LOGIN", prefer, "ops_nologin", "x", "require", "password authentication failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, code := psql(t, dsn(c.server, c.user, c.sslmode, cert), []string{"PGPASSWORD=" + c.password}, "select current_user")
			switch {
			case c.fails == "" && (code != 0 || strings.TrimSpace(out) != c.user):
				t.Errorf("psql, exit code %d: %s", code, out)
			case c.fails != "" && (code == 0 || !strings.Contains(out, c.fails)):
				t.Errorf("psql, exit code %d, want %q: %s", code, c.fails, out)
			}
			cfg, err := pgx.ParseConfig(dsn(c.server, c.user, c.sslmode, cert))
			if err != nil {
				t.Fatal(err)
			}
			cfg.Password = c.password
			conn, err := pgx.ConnectConfig(within(t, 20*time.Second), cfg)
			if (err == nil) != (c.fails == "") {
				t.Errorf("pgx: %v", err)
			}
			if strings.HasPrefix(c.fails, "password") || strings.Contains(c.name, "wrong") {
				wantCode(t, "pgx", err, "28P01")
			}
			if conn != nil {
				_ = conn.Close(context.Background())
			}
		})
	}
}

func dsn(s *testenv.PgMongo, user, sslmode, root string) string {
	d := "host=" + s.Host + " port=" + s.Port + " user=" + user + " dbname=postgres sslmode=" + sslmode
	if sslmode == "verify-full" {
		d += " sslrootcert=" + root
	}
	return d
}

const slowFind = "select _id from numbers where _id > 5"

func TestCancelStopsTheWorkOfMongoDB(t *testing.T) {
	s := testenv.Server(t)
	s.CreateDatabase(t, "ops_cancel")
	db := driver(t, s.MongoURI)
	cursor, err := db.Database("ops_cancel").Aggregate(within(t, time.Minute), bson.A{
		bson.D{{Key: "$documents", Value: bson.A{bson.D{{Key: "n", Value: bson.D{{Key: "$range", Value: bson.A{0, 2000}}}}}}}},
		bson.D{{Key: "$unwind", Value: "$n"}},
		bson.D{{Key: "$project", Value: bson.D{{Key: "_id", Value: "$n"}, {Key: "text", Value: strings.Repeat("abcdefg", 300)}}}},
		bson.D{{Key: "$out", Value: "numbers"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = cursor.Close(context.Background())
	// MongoDB is told to wait before it reads the collection, as if it were huge; a kill ends the wait.
	hang := func(point, mode string) {
		t.Helper()
		err := db.Database("admin").RunCommand(within(t, 20*time.Second), bson.D{
			{Key: "configureFailPoint", Value: point},
			{Key: "mode", Value: mode},
			{Key: "data", Value: bson.D{{Key: "nss", Value: "ops_cancel.numbers"}, {Key: "shouldCheckForInterrupt", Value: true}}},
		}).Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	// The failpoint of aggregations is in the classic engine only.
	if err := db.Database("admin").RunCommand(within(t, 20*time.Second), bson.D{{Key: "setParameter", Value: 1}, {Key: "internalQueryForceClassicEngine", Value: true}}).Err(); err != nil {
		t.Fatal(err)
	}
	// An operation that was told to end counts as ended: some failpoints look at that late.
	running := func(ns string) int {
		t.Helper()
		cur, err := db.Database("admin").Aggregate(within(t, 20*time.Second), bson.A{
			bson.D{{Key: "$currentOp", Value: bson.D{{Key: "allUsers", Value: true}}}},
			bson.D{{Key: "$match", Value: bson.D{{Key: "ns", Value: ns}, {Key: "active", Value: true}, {Key: "killPending", Value: bson.D{{Key: "$ne", Value: true}}}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var ops []bson.M
		if err := cur.All(context.Background(), &ops); err != nil {
			t.Fatal(err)
		}
		// A look at the collection for the catalogue may hang as well.
		ours := slices.DeleteFunc(ops, func(op bson.M) bool {
			text := fmt.Sprint(op["command"])
			return strings.Contains(text, "aggregate") && !strings.Contains(text, "(?>")
		})
		return len(ours)
	}
	await := func(what string, limit time.Duration, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(limit); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not within %v", what, limit)
			}
		}
	}
	for _, c := range []struct {
		name, sql string
		ns, point string
	}{
		{"pg_sleep", "select pg_sleep(60)", "", ""},
		{"local", "select count(*) from generate_series(1, 10000000000)", "", ""},
		{"find", slowFind, "ops_cancel.numbers", "waitInFindBeforeMakingBatch"},
		{"aggregation", "select count(*) from numbers where text like '%b%'", "ops_cancel.numbers", "hangBeforeDocumentSourceCursorLoadBatch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := connect(t, s.URL("ops_cancel"))
			run(t, conn, "select 1 from numbers limit 1")
			if c.point != "" {
				hang(c.point, "alwaysOn")
				defer hang(c.point, "off")
			}
			ended := make(chan error, 1)
			go func() {
				_, err := conn.PgConn().Exec(context.Background(), c.sql).ReadAll()
				ended <- err
			}()
			if c.ns == "" {
				time.Sleep(300 * time.Millisecond)
			} else {
				await("the operation runs", 20*time.Second, func() bool { return running(c.ns) > 0 })
			}
			cancelAndWait(t, conn.PgConn(), ended)
			if c.ns != "" {
				await("the operation is gone", 2*time.Second, func() bool { return running(c.ns) == 0 })
			}
			run(t, conn, "select 1")
		})
	}
	t.Run("psql, Ctrl-C", func(t *testing.T) {
		hang("waitInFindBeforeMakingBatch", "alwaysOn")
		defer hang("waitInFindBeforeMakingBatch", "off")
		cmd := exec.Command("psql", "-X", "-d", s.URL("ops_cancel"), "-c", slowFind)
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		await("the operation runs", 20*time.Second, func() bool { return running("ops_cancel.numbers") > 0 })
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := cmd.Wait(); err == nil || !strings.Contains(out.String(), "canceling statement due to user request") || time.Since(began) > 3*time.Second {
			t.Errorf("after %v: %v %s", time.Since(began), err, out.String())
		}
		await("the operation is gone", 2*time.Second, func() bool { return running("ops_cancel.numbers") == 0 })
	})
}

func cancelAndWait(t *testing.T, conn *pgconn.PgConn, ended chan error) {
	t.Helper()
	began := time.Now()
	if err := conn.CancelRequest(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		wantCode(t, "cancelled statement", err, "57014")
		// Ours is to react at once; a second is left for a loaded machine.
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("the cancel took %v", d)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the cancel did not end the statement")
	}
}

// TestParametersFollowTheirColumn holds that a text sent again after its table was made anew infers its parameters again:
// drivers that give no types send the same text whatever the table is now.
func TestParametersFollowTheirColumn(t *testing.T) {
	ctx := context.Background()
	server, database := testenv.Server(t), testenv.Database(t)
	server.CreateDatabase(t, database)
	conn, err := pgconn.Connect(ctx, server.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, typ := range []string{"mood[]", "mood[]", "text", "date[]"} {
		if err := conn.Exec(ctx, "DROP TABLE IF EXISTS p; DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('2020-01-01'); CREATE TABLE p (x "+typ+")").Close(); err != nil {
			t.Fatal(err)
		}
		if r := conn.ExecParams(ctx, "INSERT INTO p VALUES ($1)", [][]byte{[]byte("{2020-01-01}")}, nil, nil, nil).Read(); r.Err != nil {
			t.Errorf("%s: %v", typ, r.Err)
		}
		r := conn.ExecParams(ctx, "SELECT x FROM p WHERE x = $1", [][]byte{[]byte("{2020-01-01}")}, nil, nil, nil).Read()
		if r.Err != nil || len(r.Rows) != 1 || string(r.Rows[0][0]) != "{2020-01-01}" {
			t.Errorf("%s: %q, %v", typ, r.Rows, r.Err)
		}
	}
}

// TestRoutine holds that the errors after which postgres.js and pgJDBC prepare a statement anew name PostgreSQL's routine.
func TestRoutine(t *testing.T) {
	ctx := context.Background()
	server, database := testenv.Server(t), testenv.Database(t)
	server.CreateDatabase(t, database)
	conn, err := pgconn.Connect(ctx, server.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if err := conn.Exec(ctx, "CREATE TABLE r (a int); PREPARE s AS SELECT * FROM r").Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sql, want string }{
		{"INSERT INTO r VALUES ('x'::text)", "transformAssignedExpr"},
		{"ALTER TABLE r ADD b int; EXECUTE s", "RevalidateCachedQuery"},
	} {
		var e *pgconn.PgError
		if err := conn.Exec(ctx, c.sql).Close(); !errors.As(err, &e) || e.Routine != c.want {
			t.Errorf("%s: %v, want routine %s", c.sql, err, c.want)
		}
	}
}
