package instance_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/server"
	"github.com/pgmongo/pgmongo/server/instance"
	"github.com/pgmongo/pgmongo/tests/testenv"
)

// serve starts a server over the tests' MongoDB and returns the address and a fresh database's name.
func serve(t *testing.T) (addr, database string) {
	t.Helper()
	ctx := context.Background()
	in, err := instance.Start(ctx, instance.Options{MongoDB: testenv.Mongo(t), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- in.Serve(ln) }()
	t.Cleanup(func() {
		stop, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err := in.Shutdown(stop); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; !errors.Is(err, server.ErrClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	database = fmt.Sprintf("it_%d", time.Now().UnixNano())
	admin := connect(t, ln.Addr().String(), "postgres")
	exec(t, admin, "create database "+database)
	t.Cleanup(func() {
		// The sessions of the test are gone by now: cleanups run last in, first out.
		if err := admin.Exec(ctx, "drop database "+database+" with (force)").Close(); err != nil {
			t.Errorf("drop database: %v", err)
		}
		_ = admin.Close(ctx)
	})
	return ln.Addr().String(), database
}

func connect(t *testing.T, addr, database string) *pgconn.PgConn {
	t.Helper()
	c, err := pgconn.Connect(context.Background(), "postgres://postgres@"+addr+"/"+database+"?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func session(t *testing.T, addr, database string) *pgconn.PgConn {
	t.Helper()
	c := connect(t, addr, database)
	t.Cleanup(func() { _ = c.Close(context.Background()) }) // closed twice at worst
	return c
}

// run returns the results of a query string as text: rows as "a,b", tags in brackets.
func run(c *pgconn.PgConn, query string) (string, error) {
	var out []string
	res, err := c.Exec(context.Background(), query).ReadAll()
	for _, r := range res {
		for _, row := range r.Rows {
			vals := make([]string, len(row))
			for i, v := range row {
				vals[i] = string(v)
				if v == nil {
					vals[i] = "null"
				}
			}
			out = append(out, strings.Join(vals, ","))
		}
		if tag := r.CommandTag.String(); tag != "" {
			out = append(out, "["+tag+"]")
		}
	}
	return strings.Join(out, " "), err
}

func exec(t *testing.T, c *pgconn.PgConn, query string) string {
	t.Helper()
	out, err := run(c, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

func expect(t *testing.T, c *pgconn.PgConn, query, want string) {
	t.Helper()
	if got := exec(t, c, query); got != want {
		t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
	}
}

func refuse(t *testing.T, c *pgconn.PgConn, query, code string) {
	t.Helper()
	_, err := run(c, query)
	wantCode(t, query, err, code)
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || pe.Code != code {
		t.Errorf("%s: %v, want SQLSTATE %s", what, err, code)
	}
}

func TestTransactions(t *testing.T) {
	addr, db := serve(t)
	c := session(t, addr, db)
	expect(t, c, "create table t(id int primary key, v int)", "[CREATE TABLE]")
	expect(t, c, "insert into t values (1,1),(2,2)", "[INSERT 0 2]")
	// Several statements of one query string are one transaction.
	refuse(t, c, "insert into t values (3,3); select 1/0; insert into t values (4,4)", "22012")
	expect(t, c, "select count(*) from t", "2 [SELECT 1]")
	// BEGIN within it makes it an explicit one.
	refuse(t, c, "insert into t values (3,3); begin; insert into t values (4,4); commit; insert into t values (5,5); select 1/0", "22012")
	expect(t, c, "select id from t order by id", "1 2 3 4 [SELECT 4]")
	expect(t, c, "begin", "[BEGIN]")
	refuse(t, c, "select 1/0", "22012")
	if c.TxStatus() != 'E' {
		t.Errorf("status %c", c.TxStatus())
	}
	refuse(t, c, "select 1", "25P02")
	expect(t, c, "commit", "[ROLLBACK]")
	expect(t, c, "begin; savepoint a; insert into t values (9,9); rollback to a; release a; commit; select count(*) from t",
		"[BEGIN] [SAVEPOINT] [INSERT 0 1] [ROLLBACK] [RELEASE] [COMMIT] 4 [SELECT 1]")
	refuse(t, c, "savepoint a", "25P01")
	expect(t, c, "begin; set local work_mem='1MB'; set timezone='Europe/Paris'; rollback; show work_mem; show timezone",
		"[BEGIN] [SET] [SET] [ROLLBACK] 4MB [SHOW] UTC [SHOW]")
	expect(t, c, "set timezone='Europe/Paris'", "[SET]")
	if z := c.ParameterStatus("TimeZone"); z != "Europe/Paris" {
		t.Errorf("the client was told %q", z)
	}
}

// extended sends messages up to and including a Sync.
func extended(c *pgconn.PgConn, queries ...string) error {
	p := c.StartPipeline(context.Background())
	for _, q := range queries {
		p.SendQueryParams(q, nil, nil, nil, nil)
	}
	err := p.Sync()
	for err == nil {
		var res any
		if res, err = p.GetResults(); err != nil || res == nil {
			break
		}
		if r, ok := res.(*pgconn.ResultReader); ok {
			_, err = r.Close()
		}
		if _, ok := res.(*pgconn.PipelineSync); ok {
			break
		}
	}
	return errors.Join(err, p.Close())
}

func TestPipelineIsOneTransaction(t *testing.T) {
	addr, db := serve(t)
	c := session(t, addr, db)
	exec(t, c, "create table t(id int primary key)")
	wantCode(t, "pipeline", extended(c, "insert into t values (1)", "select 1/0", "insert into t values (2)"), "22012")
	expect(t, c, "select count(*) from t", "0 [SELECT 1]")
	if err := extended(c, "insert into t values (1)", "insert into t values (2)"); err != nil {
		t.Error(err)
	}
	expect(t, c, "select count(*) from t", "2 [SELECT 1]")
}

func TestPortalKeepsItsSnapshot(t *testing.T) {
	addr, db := serve(t)
	c := session(t, addr, db)
	exec(t, c, "create table t(id int primary key, v int)")
	exec(t, c, "insert into t select g, 0 from generate_series(1, 2000) g")
	exec(t, c, "begin; declare c cursor for select sum(v) over () as s, id, v from t order by id")
	expect(t, c, "fetch 1 from c", "0,1,0 [FETCH 1]")
	exec(t, c, "declare d cursor for select v from t order by id")
	expect(t, c, "fetch 1 from d", "0 [FETCH 1]")
	expect(t, c, "update t set v = 1", "[UPDATE 2000]")
	if got := exec(t, c, "fetch all from d"); strings.Contains(got, "1 ") || !strings.HasSuffix(got, "[FETCH 1999]") {
		t.Errorf("the cursor sees the update: %.60s", got)
	}
	expect(t, c, "rollback; select sum(v) from t", "[ROLLBACK] 0 [SELECT 1]")
}

func TestPreparedStatements(t *testing.T) {
	addr, db := serve(t)
	c, other := session(t, addr, db), session(t, addr, db)
	ctx := context.Background()
	exec(t, c, "create table t(id int primary key, v int); insert into t values (1, 10)")
	sd, err := c.Prepare(ctx, "p", "select * from t where id = $1", nil)
	if err != nil || len(sd.ParamOIDs) != 1 || sd.ParamOIDs[0] != 23 || len(sd.Fields) != 2 || sd.Fields[1].TableAttributeNumber != 2 {
		t.Fatalf("%+v, %v", sd, err)
	}
	read := func() (string, error) {
		r := c.ExecPrepared(ctx, "p", [][]byte{[]byte("1")}, nil, nil).Read()
		if r.Err != nil {
			return "", r.Err
		}
		return string(r.Rows[0][1]), nil
	}
	if v, err := read(); err != nil || v != "10" {
		t.Errorf("%q, %v", v, err)
	}
	exec(t, other, "create index on t(v)")
	time.Sleep(300 * time.Millisecond) // the other session's DDL shows
	if v, err := read(); err != nil || v != "10" {
		t.Errorf("after an index was made: %q, %v", v, err)
	}
	exec(t, c, "alter table t add column w int")
	_, err = read()
	wantCode(t, "changed result", err, "0A000")
	// The parameters of a utility statement's query are its own; the simple protocol has none.
	if _, err := c.Prepare(ctx, "d", "declare k cursor with hold for select $1::int + v from t", nil); err != nil {
		t.Error(err)
	}
	if r := c.ExecPrepared(ctx, "d", [][]byte{[]byte("5")}, nil, nil).Read(); r.Err != nil {
		t.Error(r.Err)
	}
	expect(t, c, "fetch all from k", "15 [FETCH 1]")
	refuse(t, c, "select $1", "42P02")
	_, err = c.Prepare(ctx, "p", "select 1", nil)
	wantCode(t, "same name", err, "42P05")
	refuse(t, c, "execute nosuch", "26000")
}

func TestConflictsAreRetried(t *testing.T) {
	addr, db := serve(t)
	setup := session(t, addr, db)
	exec(t, setup, "create table t(id int primary key, v int); insert into t values (1, 0)")
	const workers, rounds = 4, 15
	var wg sync.WaitGroup
	for range workers {
		c := session(t, addr, db)
		wg.Go(func() {
			for range rounds {
				if _, err := run(c, "update t set v = v + 1 where id = 1"); err != nil {
					t.Errorf("update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	expect(t, setup, "select v from t", fmt.Sprintf("%d [SELECT 1]", workers*rounds))
}

func TestCopyIsAtomic(t *testing.T) {
	addr, db := serve(t)
	c := session(t, addr, db)
	ctx := context.Background()
	exec(t, c, "create table t(id serial primary key, a text, n int default 7)")
	tag, err := c.CopyFrom(ctx, strings.NewReader("x\ny\n"), "copy t(a) from stdin")
	if err != nil || tag.String() != "COPY 2" {
		t.Errorf("%v, %v", tag, err)
	}
	expect(t, c, "select id, a, n from t order by id", "1,x,7 2,y,7 [SELECT 2]")
	_, err = c.CopyFrom(ctx, strings.NewReader("8\tz\t1\n9\tz\tbad\n"), "copy t from stdin")
	wantCode(t, "bad row", err, "22P02")
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Where != `COPY t, line 2, column n: "bad"` {
		t.Errorf("context %q", pe.Where)
	}
	expect(t, c, "select count(*) from t", "2 [SELECT 1]")
	var b strings.Builder
	if _, err := c.CopyTo(ctx, &b, "copy (select a, id from t order by id desc) to stdout with (format csv, header)"); err != nil || b.String() != "a,id\ny,2\nx,1\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestTemporaryTablesAreTheSessionsOwn(t *testing.T) {
	addr, db := serve(t)
	a, b := session(t, addr, db), session(t, addr, db)
	exec(t, a, "create temp table t(x int); insert into t values (1)")
	refuse(t, b, "select * from t", "42P01")
	exec(t, b, "create temp table t(x int)")
	expect(t, b, "select count(*) from t", "0 [SELECT 1]")
	expect(t, a, "select x from t", "1 [SELECT 1]")
	exec(t, a, "create temp table gone(x int) on commit drop")
	refuse(t, a, "select * from gone", "42P01")
	exec(t, a, "create temp table empty(x int) on commit delete rows")
	expect(t, a, "begin; insert into empty values (1); select count(*) from empty; commit; select count(*) from empty",
		"[BEGIN] [INSERT 0 1] 1 [SELECT 1] [COMMIT] 0 [SELECT 1]")
	expect(t, a, "discard temp", "[DISCARD TEMP]")
	refuse(t, a, "select * from t", "42P01")
}

func TestNotify(t *testing.T) {
	addr, db := serve(t)
	cfg, err := pgx.ParseConfig("postgres://postgres@" + addr + "/" + db + "?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	l, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close(ctx) }()
	if _, err := l.Exec(ctx, "listen ch"); err != nil {
		t.Fatal(err)
	}
	c := session(t, addr, db)
	exec(t, c, "begin; notify ch, 'lost'; rollback; begin; notify ch, 'one'; notify ch, 'one'; select pg_notify('ch', 'two'); commit")
	for _, want := range []string{"one", "two"} {
		n, err := l.WaitForNotification(ctx)
		if err != nil || n.Payload != want || n.PID != c.PID() {
			t.Fatalf("%+v, %v; want %s", n, err, want)
		}
	}
}

func TestTimeoutsAndCancel(t *testing.T) {
	addr, db := serve(t)
	a, b := session(t, addr, db), session(t, addr, db)
	exec(t, a, "create table t(id int primary key, v int); insert into t values (1, 1)")
	exec(t, a, "set statement_timeout = '100ms'")
	refuse(t, a, "select pg_sleep(10)", "57014")
	refuse(t, a, "select count(*) from generate_series(1, 1000000000)", "57014")
	exec(t, a, "reset statement_timeout; set lock_timeout = '100ms'")
	exec(t, b, "begin; update t set v = 2")
	refuse(t, a, "update t set v = 3", "55P03")
	exec(t, a, "reset lock_timeout")
	time.AfterFunc(100*time.Millisecond, func() {
		if err := a.CancelRequest(context.Background()); err != nil {
			t.Errorf("cancel: %v", err)
		}
	})
	refuse(t, a, "update t set v = 3", "57014")
	exec(t, b, "set idle_in_transaction_session_timeout = '50ms'")
	time.Sleep(300 * time.Millisecond)
	// The session's end gave its lock back.
	expect(t, a, "update t set v = v + 10 returning v", "11 [UPDATE 1]")
}

func TestConnecting(t *testing.T) {
	addr, _ := serve(t)
	_, err := pgconn.Connect(context.Background(), "postgres://postgres@"+addr+"/no_such_database?sslmode=disable")
	wantCode(t, "database", err, "3D000")
	_, err = pgconn.Connect(context.Background(), "postgres://postgres@"+addr+"/postgres?sslmode=disable&options=-c%20nosuch%3D1")
	wantCode(t, "option", err, "42704")
	c := session(t, addr, "postgres")
	expect(t, c, "select current_user, current_setting('server_version_num')", "postgres,150018 [SELECT 1]")
}
