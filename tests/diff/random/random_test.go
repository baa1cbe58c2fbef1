package random

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

var (
	seedFlag  = flag.Uint64("seed", 1, "the first world's seed; 0 draws one")
	worlds    = flag.Int("worlds", 2, "how many worlds, each of its own seed, are made one after the other")
	perWorld  = flag.Int("statements", 600, "how many statements run in each world")
	theirs    = flag.String("postgres", "", "the connection string of a PostgreSQL to compare with, in place of one of the test's own")
	ours      = flag.String("pgmongo", "", "the connection string of a pgmongo to test, in place of one of the test's own")
	maxFailed = flag.Int("failures", 10, "after how many failures to stop")
)

// side is one of the servers with one way to run.
type side struct {
	name string
	conn *pgconn.PgConn
}

// answer is what a statement gave: sorted rows, or the SQLSTATE and message of its error.
type answer struct {
	rows          []string
	code, message string
}

func (a answer) String() string {
	if a.code != "" {
		return a.code + " " + a.message
	}
	if len(a.rows) > 12 {
		return fmt.Sprintf("%d rows\n    %s\n    ...", len(a.rows), strings.Join(a.rows[:12], "\n    "))
	}
	return fmt.Sprintf("%d rows\n    %s", len(a.rows), strings.Join(a.rows, "\n    "))
}

// TestRandom compares random statements on PostgreSQL, and on pgmongo with push-down on and off.
func TestRandom(t *testing.T) {
	oracle, server := *theirs, *ours
	if oracle == "" {
		oracle = testenv.Postgres(t)
	}
	if server == "" {
		server = testenv.Server(t).URL("postgres")
	}
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	for i := range *worlds {
		worldSeed := seed + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", worldSeed), func(t *testing.T) { runWorld(t, oracle, server, worldSeed) })
	}
}

func runWorld(t *testing.T, oracle, server string, seed uint64) {
	w := newWorld(seed)
	sides := connect(t, oracle, server)
	for _, sql := range w.setup {
		for _, s := range sides[:2] {
			if a := s.run(t, sql); a.code != "" {
				t.Fatalf("%s: %s: %v", s.name, sql, a)
			}
		}
	}
	statements := fresh(seed ^ 0x9e3779b97f4a7c15)
	failed, errors := 0, map[string]int{}
	for n := 0; n < *perWorld && failed < *maxFailed; n++ {
		made, modify := fresh(statements.rand.Uint64()), n%4 == 3
		d := compare(t, w, sides, made, modify)
		if code := d.answers[0].code; code != "" {
			errors[code]++
		}
		if d.same() {
			continue
		}
		smallest := shrink(made.made, 400, func(candidate []int) bool {
			again := compare(t, w, sides, replayed(candidate), modify)
			return again.kind() == d.kind()
		})
		d = compare(t, w, sides, replayed(smallest), modify)
		failed++
		t.Errorf("%s\n%v", d.sql, d)
	}
	t.Logf("%d statements; PostgreSQL's errors: %v", *perWorld, errors)
}

// connect makes a database on both servers and connects: to PostgreSQL, to pgmongo, and to pgmongo without push-down.
func connect(t *testing.T, oracle, server string) []side {
	const database = "diff_random"
	var sides []side
	for _, x := range []struct{ name, dsn, setup string }{
		{"PostgreSQL", oracle, ""}, {"pgmongo", server, ""}, {"pgmongo without push-down", server, "SET pgmongo.pushdown = off"},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		config, err := pgx.ParseConfig(x.dsn)
		if err != nil {
			t.Fatal(err)
		}
		if x.setup == "" {
			admin, err := pgx.ConnectConfig(ctx, config)
			if err != nil {
				t.Fatal(err)
			}
			for _, sql := range []string{"DROP DATABASE IF EXISTS " + database + " WITH (FORCE)", "CREATE DATABASE " + database} {
				if _, err := admin.Exec(ctx, sql); err != nil {
					t.Fatal(err)
				}
			}
			admin.Close(ctx)
		}
		config.Database = database
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.Background()) })
		s := side{x.name, conn.PgConn()}
		for _, sql := range []string{"SET timezone = 'UTC'", "SET statement_timeout = '10s'", x.setup} {
			if a := s.run(t, sql); a.code != "" {
				t.Fatalf("%s: %v", sql, a)
			}
		}
		sides = append(sides, s)
	}
	return sides
}

// run sends one statement and returns its rows in their order.
func (s side) run(t *testing.T, sql string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	results, err := s.conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		var pg *pgconn.PgError
		if !errors.As(err, &pg) {
			t.Fatalf("%s: %s: %v", s.name, sql, err)
		}
		return answer{code: pg.Code, message: pg.Message}
	}
	a := answer{}
	for _, r := range results {
		if len(r.FieldDescriptions) == 0 {
			a.rows = append(a.rows, r.CommandTag.String())
		}
		for _, row := range r.Rows {
			cells := make([]string, len(row))
			for i, v := range row {
				cells[i] = string(v)
				if v == nil {
					cells[i] = "NULL"
				}
			}
			a.rows = append(a.rows, strings.Join(cells, "|"))
		}
	}
	return a
}

// difference is a statement with the answers of the three sides.
type difference struct {
	sql     string
	sides   []side
	answers []answer
}

// compare makes a statement of the decisions and runs it on all sides; one that changes rows is rolled back.
func compare(t *testing.T, w *world, sides []side, made *choices, modify bool) difference {
	t.Helper()
	g := &generator{choices: made, world: w}
	d := difference{sides: sides}
	var target string
	if modify {
		d.sql, target = g.Modify()
	} else {
		d.sql = g.Query()
	}
	for _, s := range sides {
		if modify {
			s.run(t, "BEGIN")
		}
		a := s.run(t, d.sql)
		if modify && a.code == "" {
			after := s.run(t, "SELECT * FROM "+target)
			a.rows = append(a.rows, after.rows...)
			a.code, a.message = after.code, after.message
		}
		if modify {
			s.run(t, "ROLLBACK")
		}
		if modify || !strings.Contains(d.sql, "ORDER BY 1") {
			slices.Sort(a.rows)
		}
		d.answers = append(d.answers, a)
	}
	return d
}

// Classes of SQLSTATEs. Data errors depend on which expressions meet which rows: a filter, a limit or an EXISTS may spare
// them one, and the planner decides, so that an error on one side alone is no difference. Of two constraints that a
// statement violates in different rows either may be named.
const (
	dataErrors = "22"
	violations = "23"
	timeout    = "57014"
)

func (d difference) same() bool { return d.kind() == "" }

// known are errors of PostgreSQL that pgmongo is known not to give, by their text, with the reason.
var known = map[string]string{
	"cannot convert infinity to":                       "PostgreSQL folds constants when it plans, pgmongo raises the error when a row asks for the value",
	"aggregate functions are not allowed in RETURNING": "in a subquery of RETURNING, an aggregate over the target's columns counts as the subquery's own",
}

func (a answer) known() bool {
	for text := range known {
		if strings.Contains(a.message, text) {
			return true
		}
	}
	return false
}

// kind is empty for three like answers, and else says what is wrong with which side.
func (d difference) kind() string {
	class := func(a answer) string { return a.code[:min(2, len(a.code))] }
	want := d.answers[0]
	for i, got := range d.answers[1:] {
		switch {
		case want.known():
		case class(want) == dataErrors || class(got) == dataErrors:
		case want.code == timeout || got.code == timeout: // subqueries in subqueries can be a matter of hours
		case class(want) == violations && class(got) == violations:
		case want.code != got.code:
			return fmt.Sprintf("%d %s %s", i, want.code, got.code)
		case !slices.Equal(want.rows, got.rows) && !slices.Equal(plain(want.rows), plain(got.rows)):
			return fmt.Sprintf("%d rows", i)
		}
	}
	return ""
}

var trailing = regexp.MustCompile(`(\.\d*?)0+\b`)

// plain takes from rows what equal values may differ in: the zeros at the end of a numeric, and the sign of zero.
func plain(rows []string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		r = strings.ReplaceAll(trailing.ReplaceAllString(r, "$1")+"|", ".|", "|")
		out[i] = strings.ReplaceAll("|"+r, "|-0|", "|0|")
	}
	slices.Sort(out)
	return out
}

func (d difference) String() string {
	var b strings.Builder
	for i, a := range d.answers {
		fmt.Fprintf(&b, "  %s: %v\n", d.sides[i].name, a)
	}
	return b.String()
}
