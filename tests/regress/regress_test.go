package regress

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

var (
	rewrite = flag.Bool("rewrite", false, "write counts.txt anew for the files that run")
	only    = flag.String("files", "", "run these scripts, separated by commas, and not the short ones of counts.txt")
	report  = flag.String("report", "", "write each file's differences into this folder")
	scripts = flag.String("scripts", "", "take the scripts from this folder and not from the registry")
	theirs  = flag.String("postgres", "", "the connection string of a PostgreSQL to compare with, in place of one of the test's own")
	ours    = flag.String("pgmongo", "", "the connection string of a pgmongo to test, in place of one of the test's own")
)

const (
	database  = "regression"
	countsTxt = "counts.txt"
	setup     = "test_setup"
)

// long are the scripts that take as much time as all others together; they run when -files names them.
var long = []string{"subselect", "join", "aggregates", "privileges", "alter_table", "join_hash", "numeric_big", "create_index", "plpgsql", "rowsecurity"}

// TestRegress runs PostgreSQL's own regression scripts here and there, and holds the number of statements that come out
// the same as a floor, file by file.
func TestRegress(t *testing.T) {
	floor := readCounts(t)
	names := slices.DeleteFunc(slices.Clone(floor.names), func(name string) bool { return slices.Contains(long, name) })
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	dir := *scripts
	if dir == "" {
		dir = download(t)
	}
	oracle, server := *theirs, *ours
	if oracle == "" {
		oracle = testenv.Postgres(t)
	}
	if server == "" {
		server = testenv.Server(t).URL("postgres")
	}
	prepare := read(t, dir, setup)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
			defer cancel()
			text := read(t, dir, name)
			recreate(t, ctx, oracle)
			recreate(t, ctx, server)
			want, got := session(t, ctx, within(t, oracle)), session(t, ctx, within(t, server))
			if name != setup && usesSetup(text) {
				if _, _, err := RunScript(ctx, prepare, want, got); err != nil {
					t.Fatal(err)
				}
				want, got = session(t, ctx, within(t, oracle)), session(t, ctx, within(t, server))
			}
			start := time.Now()
			counts, differences, err := RunScript(ctx, text, want, got)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d same, %d differ, %d refused in %v %s", counts.Same, counts.Differs, counts.Refused, time.Since(start).Round(time.Millisecond), kinds(differences))
			publish(t, name, differences)
			if was, known := floor.counts[name]; !*rewrite && (!known || counts.Same < was.Same-slack(was.Same)) {
				t.Errorf("%d statements have PostgreSQL's outcome, %d in %s: %s", counts.Same, was.Same, countsTxt, kinds(differences))
			}
			floor.set(name, counts)
		})
	}
	if *rewrite {
		floor.write(t)
	}
}

// slack is how many statements of a script may come out otherwise from run to run: times, row orders that a query leaves
// open, and what follows from one such statement.
func slack(same int) int { return 5 + same/10 }

// setupTables are the relations that test_setup makes for the other scripts.
var setupTables = []string{"char_tbl", "float8_tbl", "int2_tbl", "int4_tbl", "int8_tbl", "point_tbl", "text_tbl", "varchar_tbl", "onek", "tenk", "person", "emp", "student", "road", "highway", "stoplight", "float8range", "textrange", "part_hash", "part_test"}

func usesSetup(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(setupTables, func(name string) bool { return strings.Contains(text, name) })
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name+".sql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func session(t *testing.T, ctx context.Context, dsn string) *Session {
	t.Helper()
	s, err := Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// within is a server's connection string for the database of the scripts.
func within(t *testing.T, dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database
	return u.String()
}

func recreate(t *testing.T, ctx context.Context, dsn string) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for _, sql := range []string{"DROP DATABASE IF EXISTS " + database + " WITH (FORCE)", "CREATE DATABASE " + database} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
}

func kinds(differences []Difference) string {
	n := map[string]int{}
	for _, d := range differences {
		n[d.Kind]++
	}
	return fmt.Sprint(n)
}

func publish(t *testing.T, name string, differences []Difference) {
	if *report == "" {
		return
	}
	var b bytes.Buffer
	for _, d := range differences {
		fmt.Fprintf(&b, "=== %s:%d %s\n%s\n--- PostgreSQL\n%s--- pgmongo (%v)\n%s\n", name, d.Line, d.Kind, d.SQL, d.Want, d.Got.Took.Round(time.Millisecond), d.Got)
	}
	if err := os.WriteFile(filepath.Join(*report, name+".diff"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

type table struct {
	names  []string
	counts map[string]Counts
}

func (f *table) set(name string, c Counts) {
	if _, known := f.counts[name]; !known && !slices.Contains(f.names, name) {
		f.names = append(f.names, name)
	}
	f.counts[name] = c
}

// readCounts reads the lines of counts.txt: a file, and its statements that are the same, differ, and are refused.
func readCounts(t *testing.T) *table {
	f := &table{counts: map[string]Counts{}}
	text, err := os.ReadFile(countsTxt)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var name string
		var c Counts
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		if _, err := fmt.Sscanf(lines.Text(), "%s %d same %d differ %d refused", &name, &c.Same, &c.Differs, &c.Refused); err != nil {
			t.Fatalf("%s: %q: %v", countsTxt, lines.Text(), err)
		}
		f.set(name, c)
	}
	return f
}

func (f *table) write(t *testing.T) {
	var b bytes.Buffer
	var sum Counts
	slices.Sort(f.names)
	for _, name := range f.names {
		c := f.counts[name]
		sum.Same, sum.Differs, sum.Refused = sum.Same+c.Same, sum.Differs+c.Differs, sum.Refused+c.Refused
		fmt.Fprintf(&b, "%-22s %5d same %5d differ %5d refused\n", name, c.Same, c.Differs, c.Refused)
	}
	head := fmt.Sprintf("# Statements of PostgreSQL's regression scripts by their outcome here and there; go test ./tests/regress -rewrite renews it.\n# Sum: %d same, %d differ, %d refused.\n", sum.Same, sum.Differs, sum.Refused)
	if err := os.WriteFile(countsTxt, append([]byte(head), b.Bytes()...), 0o644); err != nil {
		t.Fatal(err)
	}
}
