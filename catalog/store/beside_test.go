package store_test

import (
	"strings"
	"testing"
	"time"
)

// TestCreatingBesideOthers has open transactions create things of different names, which do not wait for each other.
func TestCreatingBesideOthers(t *testing.T) {
	dsn := serve(t)
	db := database(t, dsn, "beside_test")
	a, b, c := connect(t, db), connect(t, db), connect(t, db)
	for _, r := range []*runner{a, b, c} {
		must(t, r, "set statement_timeout = '10s'")
	}
	must(t, a, "create type mood as enum ('sad', 'ok')", "create table parent (id int primary key)", "insert into parent values (1)")
	must(t, a, "begin", "create table one (id serial primary key, m mood, p int references parent)", "insert into one (m, p) values ('ok', 1)")
	must(t, b, "begin", "create table two (id serial primary key, m mood)", "create view v2 as select id from two", "insert into two (m) values ('sad')")
	must(t, c, "create schema s3", "create table s3.three (id int unique)", "insert into s3.three values (3)")
	must(t, a, "create table one_more (id int references one)", "create index on one (m)", "alter table one add column late int default 5",
		"savepoint x", "create table undone (i int)", "rollback to x")
	if got := a.run("select id from s3.three"); got != "3\nSELECT 1" {
		t.Errorf("a transaction that creates tables sees what was committed meanwhile: %s", got)
	}
	if got := a.run("select * from two"); !strings.Contains(got, "42P01") {
		t.Errorf("it does not see what was not: %s", got)
	}
	must(t, a, "rollback to x", "insert into one_more values (1)")
	must(t, b, "commit")
	must(t, a, "create table one_last (m mood)", "commit")
	for _, r := range []*runner{a, b, c} {
		if got := r.run("select one.*, two.*, v2.id, three.id from one, two, v2, s3.three, one_more"); got != "1|ok|1|5|1|sad|1|3\nSELECT 1" {
			t.Errorf("after both commits: %s", got)
		}
	}
	if got := a.run("select count(*), count(distinct oid) from pg_class where oid >= 16384"); got != a.run("select count(distinct oid), count(*) from pg_class where oid >= 16384") {
		t.Errorf("OIDs: %s", got)
	}

	// The same name, and changes of what exists, wait.
	must(t, a, "begin", "create table same (a int)")
	must(t, b, "set lock_timeout = '300ms'")
	for _, s := range []string{"create table same (b int)", "drop type mood cascade", "alter table two add column x int"} {
		if got := b.run(s); !strings.Contains(got, "55P03") {
			t.Errorf("%s does not wait: %s", s, got)
		}
	}
	must(t, b, "set lock_timeout = 0")
	done := make(chan string)
	go func() { done <- b.run("create table same (b int)") }()
	time.Sleep(200 * time.Millisecond)
	must(t, a, "commit")
	if got := <-done; !strings.Contains(got, `42P07: relation "same" already exists`) {
		t.Errorf("the second of a name: %s", got)
	}
	must(t, a, "begin", "create table same2 (a int)")
	go func() { done <- b.run("create table same2 (b int)") }()
	time.Sleep(200 * time.Millisecond)
	must(t, a, "rollback")
	if got := <-done; got != "CREATE TABLE" {
		t.Errorf("the second of a name that was given up: %s", got)
	}
	must(t, b, "insert into same2 (b) values (1)")
}
