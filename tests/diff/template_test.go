package diff

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// templated are statements with @ in the place of a constant, and the constants that come there one after the other. The
// plan of the first serves the others where it can; each must answer, or fail, as it would alone.
var templated = []struct {
	sql    string
	values []string
}{
	{"SELECT id, s FROM k WHERE id = @ LIMIT 21", []string{"1", "2", "'3'", "4294967297", "-1", "1.0", "1.5", "NULL", "'x'", "'99999999999'", "2"}},
	{"SELECT id FROM k WHERE s = @ ORDER BY 1", []string{"'one'", "'it''s'", "''", "5", "'$x'", "NULL", "'one '"}},
	{"SELECT id FROM k WHERE v = @ ORDER BY id", []string{"'abc'", "'abcdef'", "'a%c'"}},
	{"SELECT id FROM k WHERE c = @ ORDER BY id", []string{"'ab'", "'ab '", "'b'"}},
	{"SELECT id FROM k WHERE n = @ ORDER BY id", []string{"1", "1.10", "'1.1'", "99999999999999999999", ".5", "'NaN'"}},
	{"SELECT id FROM k WHERE f > @ ORDER BY id", []string{"1", "0.1", "'1e300'", "'Infinity'", "'bad'"}},
	{"SELECT id FROM k WHERE d < @ ORDER BY id", []string{"'2021-01-01'", "'infinity'", "'2021-13-01'", "5"}},
	{"SELECT id FROM k WHERE at >= @ ORDER BY id", []string{"'2020-01-01 00:00:00.000001'", "'2020-01-01'", "'epoch'"}},
	{"SELECT id FROM k WHERE b = @ ORDER BY id", []string{"'t'", "'false'", "true", "1"}},
	{"SELECT id FROM k WHERE j = @ ORDER BY id", []string{`'{"a": 1}'`, "'[]'", "'{'"}},
	{"SELECT id FROM k WHERE u = @", []string{"'00000000-0000-0000-0000-000000000001'", "'x'"}},
	{"SELECT id FROM k WHERE e = @ ORDER BY id", []string{"'red'", "'blue'", "'pink'"}},
	{"SELECT id FROM k WHERE sm = @ ORDER BY id", []string{"1", "70000", "'70000'"}},
	{"SELECT id FROM k WHERE id IN (@, 2) ORDER BY id", []string{"1", "'1'", "3000000000", "1.5", "NULL", "'x'"}},
	{"SELECT id FROM k WHERE s IN ('one', @) OR id > @ ORDER BY id", []string{"'two'", "2", "'3'"}},
	{"SELECT @ AS a, id FROM k WHERE id = 1 GROUP BY id ORDER BY @", []string{"1", "2", "3", "'x'"}},
	{"SELECT s || @ FROM k WHERE id = 1 AND s = 'one' LIMIT 1 OFFSET 0", []string{"'x'", "5", "'y'"}},
	{"UPDATE k SET sm = @ WHERE id = 1 RETURNING sm", []string{"5", "'6'", "70000", "'x'", "NULL", "1.6", "7"}},
	{"UPDATE k SET id2 = id2 + @ WHERE id = 1", []string{"1", "2147483647", "3000000000", "0.6", "'4'", "'x'"}},
	{"UPDATE k SET v = @ WHERE s = 'two'", []string{"'abc'", "'toolong'", "5", "'de    '"}},
	{"INSERT INTO w (a, b, c) VALUES (@, 'x', 1.005)", []string{"1", "2", "'3'", "1", "'x'", "NULL", "4.5", "99999999999"}},
	{"INSERT INTO w VALUES (100, @)", []string{"'abc'", "7", "'toolong'", "true"}},
	{"DELETE FROM w WHERE c = @", []string{"1.01", "'1'", "'x'", "1.0"}},
	{"SELECT * FROM w WHERE b <> @ ORDER BY a", []string{"'zz'", "'x'"}},
	{"SELECT id FROM nowhere WHERE id = @", []string{"1", "2"}},
	{"SELECT nothing FROM k WHERE id = @", []string{"1", "2"}},
	{"SELECT id FROM k WHERE id = @ AND 1 / (id - 1) > 0", []string{"1", "2"}},
}

func TestTemplates(t *testing.T) {
	ctx := context.Background()
	server := testenv.Server(t)
	server.CreateDatabase(t, "diff_templates")
	ours, theirs := connect(t, server.URL("diff_templates")), connect(t, testenv.Postgres(t))
	both := func(sql string) {
		t.Helper()
		for _, conn := range []*pgx.Conn{ours, theirs} {
			if _, err := conn.Exec(ctx, sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
	if _, err := theirs.Exec(ctx, "CREATE SCHEMA diff_templates; SET search_path = diff_templates"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = theirs.Exec(ctx, "DROP SCHEMA diff_templates CASCADE") })
	both("CREATE TYPE colour AS ENUM ('red', 'blue')")
	both(`CREATE TABLE k (id int PRIMARY KEY, id2 int, s text, v varchar(5), c char(3), n numeric, f float8, d date, at timestamp, b boolean,
		j jsonb, u uuid, e colour, sm smallint)`)
	both(`INSERT INTO k SELECT i, i, (ARRAY['one', 'two', 'it''s', ''])[i], (ARRAY['abc', 'a%c', '', NULL])[i], 'ab', i * 1.1, i / 3.0, DATE '2020-01-01' + i,
		TIMESTAMP '2020-01-01' + i * interval '1 microsecond', i % 2 = 0, '{"a": 1}', ('00000000-0000-0000-0000-00000000000' || i)::uuid, 'red', i FROM generate_series(1, 4) i`)
	both("CREATE TABLE w (a int PRIMARY KEY, b varchar(5), c numeric(5,2))")
	check := func(sql string) {
		t.Helper()
		want, got := told(theirs, sql), told(ours, sql)
		if got != want {
			t.Errorf("%s\n  got:  %s\n  want: %s", sql, got, want)
		}
	}
	for range 2 {
		for _, c := range templated {
			for _, v := range c.values {
				check(strings.ReplaceAll(c.sql, "@", v))
			}
		}
		// A column's type decides what its constants are.
		both("ALTER TABLE k ALTER id2 TYPE text")
		check("UPDATE k SET id2 = '7' WHERE id = 1 RETURNING id2")
		check("SELECT id FROM k WHERE id2 = '7'")
		both("ALTER TABLE k ALTER id2 TYPE int USING id2::int")
		check("SELECT id FROM k WHERE id2 = '7'")
		check("SELECT id FROM k WHERE id2 = '7 x'")
	}
}

// told is all that a client learns of a statement, with the place of its error.
func told(conn *pgx.Conn, sql string) string {
	results, err := conn.PgConn().Exec(context.Background(), sql).ReadAll()
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return fmt.Sprint(pe.Code, " ", pe.Message, " ", pe.Detail, " ", pe.Hint, " at ", pe.Position)
	}
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, r := range results {
		for _, f := range r.FieldDescriptions {
			fmt.Fprintf(&b, "%s:%d ", f.Name, f.DataTypeOID)
		}
		for _, row := range r.Rows {
			fmt.Fprintf(&b, "%q ", row)
		}
		b.WriteString(r.CommandTag.String())
	}
	return b.String()
}
