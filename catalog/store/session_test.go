package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/tests/testenv"
)

// database makes a fresh database and returns a connection string to it.
func database(t *testing.T, dsn, name string) string {
	t.Helper()
	if got := connect(t, dsn+" dbname=postgres").run("CREATE DATABASE " + name); got != "CREATE DATABASE" {
		t.Fatal(got)
	}
	return dsn + " dbname=" + name
}

func client(t *testing.T) *mongo.Client {
	c, err := mongo.Connect(context.Background(), testenv.Mongo(t), mongo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// physicalState lists what MongoDB holds of a database: collections, indexes, and jobs that are not done.
func physicalState(t *testing.T, c *mongo.Client, db string) string {
	ctx := context.Background()
	infos, err := c.Collections(ctx, db, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, i := range infos {
		if strings.HasPrefix(i.Name, "pgmongo.") {
			continue
		}
		ixs, err := c.Indexes(ctx, db, i.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, ix := range ixs {
			out = append(out, i.Name+"."+ix.Name)
		}
	}
	cur, err := c.Read(ctx, mongo.Query{Database: db, Collection: "pgmongo.catalog", Filter: bson.D{{Key: "_id", Value: bson.D{{Key: "$regex", Value: "^job:"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	for {
		doc, err := cur.Next(ctx)
		if err != nil {
			break
		}
		out = append(out, doc.String())
	}
	_ = cur.Close(ctx)
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func must(t *testing.T, r *runner, stmts ...string) {
	t.Helper()
	for _, s := range stmts {
		got := r.run(s)
		if strings.Contains(got, "ERROR") {
			t.Fatalf("%s: %s", s, got)
		}
	}
}

func TestRollbackLeavesNothingBehind(t *testing.T) {
	db := database(t, serve(t), "rollback_test")
	r, c := connect(t, db), client(t)
	must(t, r, "create table a(id serial primary key, x int, y text unique)", "insert into a(x, y) values (1, 'a'), (2, null)", "create index a_x on a(x)")
	before := physicalState(t, c, "rollback_test")
	rows := r.run("select * from a order by id")
	must(t, r, "begin", "create table b(i int primary key, j int unique)", "create unique index a_xu on a(x)", "alter table a add column z int default 5",
		"alter table a alter x type text", "drop index a_x", "alter table a drop constraint a_y_key", "insert into b values (1, 1)", "drop table b", "truncate a", "rollback")
	if got := physicalState(t, c, "rollback_test"); got != before {
		t.Errorf("rolled back, MongoDB holds\n%s\nbefore:\n%s", got, before)
	}
	if got := r.run("select * from a order by id"); got != rows {
		t.Errorf("rolled back, the table has\n%s\nbefore:\n%s", got, rows)
	}
	must(t, r, "begin", "savepoint s", "create table b(i int primary key)", "rollback to s", "create table b(k text)", "insert into b values ('x')", "commit")
	if got := r.run("select * from b"); got != "x\nSELECT 1" {
		t.Errorf("b: %s", got)
	}
	must(t, r, "drop table b, a")
	if got := physicalState(t, c, "rollback_test"); got != "" {
		t.Errorf("all tables dropped, MongoDB holds\n%s", got)
	}
}

func TestUncommittedTableIsHidden(t *testing.T) {
	db := database(t, serve(t), "hidden_test")
	a, b := connect(t, db), connect(t, db)
	must(t, a, "create table z(i int)", "begin", "create table t(i int)", "insert into t values (1)", "drop table z")
	time.Sleep(1500 * time.Millisecond) // longer than the list of collections is believed
	if got := b.run("select * from t"); !strings.Contains(got, `42P01: relation "t" does not exist`) {
		t.Errorf("another session sees the uncommitted table: %s", got)
	}
	must(t, b, "set lock_timeout = '200ms'")
	if got := b.run("select * from z"); !strings.Contains(got, "55P03") {
		t.Errorf("another session does not wait for the drop of a table: %s", got)
	}
	must(t, a, "commit")
	if got := b.run("select * from t"); got != "1\nSELECT 1" {
		t.Errorf("after commit: %s", got)
	}
	if got := b.run("select * from z"); !strings.Contains(got, "42P01") {
		t.Errorf("after commit: %s", got)
	}
}

func TestOtherProxySeesChanges(t *testing.T) {
	one, two := serve(t), serve(t)
	a := connect(t, database(t, one, "proxies_test"))
	b := connect(t, two+" dbname=proxies_test")
	must(t, a, "create type mood as enum ('sad', 'ok')", "create domain pos as int check (value > 0)", "create table p(id int primary key)",
		"create table t(id serial primary key, m mood[], d pos default 3, p int references p, ts timestamptz default '2020-01-01 00:00:00.123456+00')",
		"create view v as select id, m from t", "create index t_d on t(d desc) where id > 5", "comment on table t is 'hello'", "create schema s",
		"insert into t(m) values ('{ok,sad}')", "alter table t add column late timestamptz default '2021-01-01 00:00:00.000007+00'")
	const describe = `select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), obj_description(c.oid, 'pg_class')
		from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
		where c.relnamespace = 'public'::regnamespace and a.attnum > 0 order by 1, a.attnum`
	time.Sleep(time.Second)
	for _, q := range []string{describe, "select * from t", "select * from v", "select pg_get_indexdef('t_d'::regclass)", "select conname, pg_get_constraintdef(oid) from pg_constraint order by 1"} {
		if x, y := a.run(q), b.run(q); x != y {
			t.Errorf("%s\none proxy: %s\nother: %s", q, x, y)
		} else if strings.Contains(x, "ERROR") {
			t.Errorf("%s: %s", q, x)
		}
	}
	must(t, b, "insert into t(m, p) values (null, null)", "create table made_by_two(i int)")
	time.Sleep(time.Second)
	must(t, a, "insert into made_by_two values (1)", "alter table t drop column late", "drop view v")
	time.Sleep(time.Second)
	if got := b.run("select * from v"); !strings.Contains(got, "42P01") {
		t.Errorf("dropped view: %s", got)
	}
	must(t, b, "alter table t add column late int")
	if got := b.run("select late from t"); got != "NULL\nNULL\nSELECT 2" {
		t.Errorf("a column of a dropped one's name: %s", got)
	}
}

func TestConcurrentDefinition(t *testing.T) {
	dsn := serve(t)
	db := database(t, dsn, "concurrent_test")
	var wg sync.WaitGroup
	for n := range 4 {
		r := connect(t, db)
		wg.Go(func() {
			for i := range 8 {
				for _, s := range []string{"create table t%d_%d(id serial primary key, a int unique)", "insert into t%d_%d(a) values (1)", "alter table t%d_%d add column b text"} {
					if got := r.run(fmt.Sprintf(s, n, i)); strings.Contains(got, "ERROR") {
						t.Errorf(s+": %s", n, i, got)
					}
				}
			}
		})
	}
	wg.Wait()
	if got := connect(t, db).run("select count(*), count(distinct oid) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"); got != "32|32\nSELECT 1" {
		t.Errorf("tables: %s", got)
	}
}

func TestDatabases(t *testing.T) {
	dsn := serve(t)
	r := connect(t, dsn+" dbname=postgres")
	must(t, r, "create database dbtest")
	for stmt, want := range map[string]string{
		"create database dbtest": `ERROR 42P04: database "dbtest" already exists`, "drop database nope": `ERROR 3D000: database "nope" does not exist`,
		"drop database if exists nope": "NOTICE 00000: database \"nope\" does not exist, skipping\nDROP DATABASE",
		"drop database postgres":       "ERROR 55006: cannot drop the currently open database", "drop database template1": "ERROR 42809: cannot drop a template database",
		"create database x template nope":                          `ERROR 3D000: template database "nope" does not exist`,
		"select datname from pg_database where datname = 'dbtest'": "dbtest\nSELECT 1",
	} {
		if got := r.run(stmt); got != want {
			t.Errorf("%s: %s, want %s", stmt, got, want)
		}
	}
	other := connect(t, dsn+" dbname=dbtest")
	if got := r.run("drop database dbtest"); !strings.Contains(got, "ERROR 55006: database \"dbtest\" is being accessed by other users\n  DETAIL: There is 1 other session using the database.") {
		t.Errorf("in use: %s", got)
	}
	_ = other.conn.Close(context.Background())
	time.Sleep(200 * time.Millisecond)
	must(t, r, "drop database dbtest")
}

func TestRolesBelongToTheCluster(t *testing.T) {
	dsn := serve(t)
	a, b := connect(t, dsn+" dbname=postgres"), connect(t, database(t, dsn, "roles_test"))
	must(t, a, "drop role if exists app_role", "create role app_role login password 'secret' createdb")
	if got := b.run("select rolname, rolcreatedb, rolcanlogin from pg_roles where rolname = 'app_role'"); got != "app_role|t|t\nSELECT 1" {
		t.Errorf("from another database: %s", got)
	}
	must(t, b, "alter role app_role nocreatedb", "create table owned(i int)", "grant select on owned to app_role")
	if got := a.run("select rolcreatedb from pg_roles where rolname = 'app_role'"); got != "f\nSELECT 1" {
		t.Errorf("altered in another database: %s", got)
	}
	if got := b.run("drop role app_role"); !strings.Contains(got, "2BP01") {
		t.Errorf("dropped with privileges: %s", got)
	}
	must(t, b, "drop table owned", "drop role app_role")
	if got := a.run("select count(*) from pg_roles where rolname = 'app_role'"); got != "0\nSELECT 1" {
		t.Errorf("dropped: %s", got)
	}
}
