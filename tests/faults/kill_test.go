package faults

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/mongo/mongod"
	"github.com/pgmongo/pgmongo/tests/testenv"
)

// bank is a load of transfers whose sum never changes, each written down in a ledger in the same transaction.
type bank struct {
	t       *testing.T
	urls    []func() string
	acked   sync.Map // transfers that were acknowledged
	unknown sync.Map // transfers whose commit got no definite answer
	tried   atomic.Int64
	states  sync.Map
}

const accounts, balance = 20, 100

func newBank(t *testing.T, c *pgx.Conn) {
	t.Helper()
	exec(t, c, "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL CHECK (balance >= 0))")
	exec(t, c, "CREATE TABLE ledger (id bigint PRIMARY KEY, source int NOT NULL REFERENCES account, target int NOT NULL REFERENCES account)")
	exec(t, c, "INSERT INTO account SELECT i, $2 FROM generate_series(1, $1) i", accounts, balance)
}

// retryable are the SQLSTATEs after which a client tries again, and those of connections that are gone.
func retryable(code string) bool {
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P0") || slices.Contains([]string{"40001", "40P01", "25P02", "23514", "55P03", "57014"}, code)
}

func (b *bank) run(end time.Time, worker int, url func() string) {
	var c *pgx.Conn
	for i := int64(0); time.Now().Before(end); i++ {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		if c == nil || c.IsClosed() {
			var err error
			if c, err = pgx.Connect(ctx, url()); err != nil {
				cancel()
				c = nil
				time.Sleep(50 * time.Millisecond)
				continue
			}
		}
		id := int64(worker)<<32 | i
		b.tried.Add(1)
		err, committing := b.transfer(ctx, c, id, int(i)%accounts+1, int(i*7+int64(worker))%accounts+1)
		cancel()
		var pe *pgconn.PgError
		switch {
		case err == nil:
			b.acked.Store(id, true)
		case errors.As(err, &pe):
			b.states.Store(pe.Code, pe.Message)
			if !retryable(pe.Code) {
				b.t.Errorf("a transfer failed with %s: %s", pe.Code, pe.Message)
			}
			if pe.Code == "08007" || committing && strings.HasPrefix(pe.Code, "08") {
				b.unknown.Store(id, true)
			}
		case committing:
			b.unknown.Store(id, true)
		}
	}
	if c != nil {
		_ = c.Close(context.Background())
	}
}

func (b *bank) transfer(ctx context.Context, c *pgx.Conn, id int64, from, to int) (err error, committing bool) {
	tx, err := c.Begin(ctx)
	if err != nil {
		return err, false
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{"UPDATE account SET balance = balance - 1 WHERE id = $1", []any{from}},
		{"UPDATE account SET balance = balance + 1 WHERE id = $1", []any{to}},
		{"INSERT INTO ledger VALUES ($1, $2, $3)", []any{id, from, to}},
	} {
		if _, err := tx.Exec(ctx, s.sql, s.args...); err != nil {
			return err, false
		}
	}
	return tx.Commit(ctx), true
}

// load runs transfers and, meanwhile, readers that must see the sum unchanged.
func (b *bank) load(d time.Duration, fault func()) {
	end := time.Now().Add(d)
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() { b.run(end, w, b.urls[w%len(b.urls)]) })
	}
	wg.Go(func() {
		for time.Now().Before(end) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			c, err := pgx.Connect(ctx, b.urls[0]())
			for err == nil && time.Now().Before(end) {
				var sum int
				if err = c.QueryRow(ctx, "SELECT sum(balance) FROM account").Scan(&sum); err == nil && sum != accounts*balance {
					b.t.Errorf("a reader saw the sum %d", sum)
				}
				time.Sleep(20 * time.Millisecond)
			}
			cancel()
			time.Sleep(50 * time.Millisecond)
		}
	})
	fault()
	wg.Wait()
}

// check compares what is stored with what was acknowledged.
func (b *bank) check(c *pgx.Conn) {
	b.t.Helper()
	if sum := number(b.t, c, "SELECT sum(balance) FROM account"); sum != accounts*balance {
		b.t.Errorf("the sum of the balances is %d", sum)
	}
	if n := number(b.t, c, `SELECT count(*) FROM account a WHERE balance <> $1 - (SELECT count(*) FROM ledger WHERE source = a.id)
		+ (SELECT count(*) FROM ledger WHERE target = a.id)`, balance); n != 0 {
		b.t.Errorf("%d balances are not what the ledger says: transactions are half there", n)
	}
	rows, err := c.Query(context.Background(), "SELECT id FROM ledger")
	if err != nil {
		b.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		b.t.Fatal(err)
	}
	stored := map[int64]bool{}
	for _, id := range ids {
		stored[id] = true
		_, acked := b.acked.Load(id)
		_, unknown := b.unknown.Load(id)
		if !acked && !unknown {
			b.t.Errorf("transfer %d is stored, and its client was told that it failed", id)
		}
	}
	acked := 0
	b.acked.Range(func(id, _ any) bool {
		acked++
		if !stored[id.(int64)] {
			b.t.Errorf("transfer %d was acknowledged and is gone", id)
		}
		return true
	})
	var seen []string
	b.states.Range(func(code, _ any) bool { seen = append(seen, code.(string)); return true })
	slices.Sort(seen)
	b.t.Logf("%d transfers tried, %d acknowledged, %d stored; SQLSTATEs %v", b.tried.Load(), acked, len(ids), seen)
	if acked < 10 {
		b.t.Errorf("only %d transfers were acknowledged", acked)
	}
}

func TestMongoDBIsKilledUnderLoad(t *testing.T) {
	dir := t.TempDir()
	port, err := mongod.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	start := func() *mongod.Server {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		s, err := mongod.Start(ctx, mongod.Options{DataDir: dir, Port: port})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	db := start()
	s := testenv.ServerFor(t, db.URI())
	s.CreateDatabase(t, "bank")
	newBank(t, connect(t, s, "bank"))
	b := &bank{t: t, urls: []func() string{func() string { return s.URL("bank") }}}
	b.load(length(t)+8*time.Second, func() {
		time.Sleep(time.Second)
		if err := db.Kill(); err != nil {
			t.Error(err)
		}
		time.Sleep(300 * time.Millisecond)
		db = start()
	})
	b.check(connect(t, s, "bank"))
	t.Cleanup(func() { _ = db.Kill() })
}

func TestProxyIsKilledUnderLoad(t *testing.T) {
	uri := testenv.Mongo(t)
	s := testenv.ServerFor(t, uri)
	s.CreateDatabase(t, "killed")
	c := connect(t, s, "killed")
	newBank(t, c)
	exec(t, c, "CREATE TABLE kept (id int)")
	var current atomic.Pointer[testenv.PgMongo]
	current.Store(s)
	b := &bank{t: t, urls: []func() string{func() string { return current.Load().URL("killed") }}}
	b.load(length(t)+4*time.Second, func() {
		for i := range 2 {
			// DDL is under way, too, when the process dies.
			go func() {
				c, err := pgx.Connect(context.Background(), current.Load().URL("killed"))
				for n := 0; err == nil; n++ {
					_, err = c.Exec(context.Background(), "BEGIN; CREATE TABLE made (id int PRIMARY KEY, v text UNIQUE); INSERT INTO made VALUES (1); ALTER TABLE kept ADD COLUMN c int; ROLLBACK")
				}
			}()
			time.Sleep(1200*time.Millisecond + time.Duration(i)*137*time.Millisecond)
			old := current.Load()
			if err := old.Process.Signal(os.Kill); err != nil {
				t.Error(err)
			}
			<-old.Process.Done()
			current.Store(testenv.ServerFor(t, uri))
		}
	})
	c = connect(t, current.Load(), "killed")
	b.check(c)
	if n := number(t, c, "SELECT count(*) FROM pg_class WHERE relname = 'made'"); n != 0 {
		t.Error("a table of a transaction that did not commit is there")
	}
	if n := number(t, c, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'kept'::regclass AND attname = 'c'"); n != 0 {
		t.Error("a column of a transaction that did not commit is there")
	}
	exec(t, c, "CREATE TABLE made (id int PRIMARY KEY, v text UNIQUE)")
	exec(t, c, "ALTER TABLE kept ADD COLUMN c int")
}

func TestHungMongoDB(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := mongod.Start(ctx, mongod.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Kill() })
	s := testenv.ServerFor(t, db.URI())
	c := connect(t, s, "postgres")
	exec(t, c, "CREATE TABLE t (id int PRIMARY KEY)")
	exec(t, c, "SET statement_timeout = '500ms'")
	if err := db.Pause(); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"SELECT * FROM t", "INSERT INTO t VALUES (1)"} {
		began := time.Now()
		_, err := c.Exec(ctx, sql)
		if d := time.Since(began); state(err) != "57014" || d > 8*time.Second {
			t.Errorf("%s on a MongoDB that hangs: %v after %v", sql, err, d)
		}
	}
	if err := db.Resume(); err != nil {
		t.Fatal(err)
	}
	exec(t, c, "SET statement_timeout = 0")
	exec(t, c, "INSERT INTO t VALUES (2)")
}

func TestFloodAndGarbage(t *testing.T) {
	s := testenv.Server(t, "--max-connections", "20")
	var wg sync.WaitGroup
	var refused, served atomic.Int64
	for range 60 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			c, err := pgx.Connect(ctx, s.URL("postgres"))
			switch {
			case err == nil:
				served.Add(1)
				time.Sleep(300 * time.Millisecond)
				_ = c.Close(ctx)
			case state(err) == "53300":
				refused.Add(1)
			default:
				t.Errorf("one client of too many: %v", err)
			}
		})
	}
	wg.Wait()
	if served.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d served, %d refused", served.Load(), refused.Load())
	}
	for i := range 30 {
		nc, err := net.DialTimeout("tcp", net.JoinHostPort(s.Host, s.Port), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		junk := make([]byte, 1+i*37)
		_, _ = rand.Read(junk) // never fails
		if i%3 == 0 {
			copy(junk, []byte{0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0})
		}
		_, _ = nc.Write(junk) // the server may have hung up
		_ = nc.Close()
	}
	c := connect(t, s, "postgres")
	if n := number(t, c, "SELECT 1"); n != 1 {
		t.Error("no service after garbage")
	}
}

// TestElections lets the primary of three servers step down and die under load.
func TestElections(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	rs, err := mongod.StartReplicaSet(ctx, 3, mongod.Options{DataDir: t.TempDir(), Args: []string{"--setParameter", "enableTestCommands=1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rs.Kill() }) // one is dead already
	client, err := mongo.Connect(ctx, rs.URI(), mongo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(context.Background()) })
	s := testenv.ServerFor(t, rs.URI())
	s.CreateDatabase(t, "bank")
	newBank(t, connect(t, s, "bank"))
	b := &bank{t: t, urls: []func() string{func() string { return s.URL("bank") }}}
	b.load(length(t)+10*time.Second, func() {
		time.Sleep(time.Second)
		// The answer is lost with the connection.
		_, _ = client.Run(ctx, "admin", bson.D{{Key: "replSetStepDown", Value: 5}, {Key: "secondaryCatchUpPeriodSecs", Value: 4}, {Key: "force", Value: true}})
		time.Sleep(5 * time.Second)
		hello, err := client.Run(ctx, "admin", bson.D{{Key: "hello", Value: 1}})
		if err != nil {
			t.Error(err)
			return
		}
		for _, m := range rs.Members {
			if strings.HasSuffix(hello.Lookup("me").StringValue(), ":"+strconv.Itoa(m.Port())) {
				if err := m.Kill(); err != nil {
					t.Error(err)
				}
			}
		}
	})
	b.check(connect(t, s, "bank"))
}
