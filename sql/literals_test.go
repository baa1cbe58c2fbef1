package sql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pgmongo/pgmongo/sql"
)

func TestLiterals(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"SELECT * FROM t WHERE a = 5 AND b = 'x''y' LIMIT 21", "i:5 s:x'y i:21"},
		{`select "it's 5", t1.c2 from t1 where "a""b" = 2147483648 or c=99999999999999999999 or d=1.50 or e = .5`, "l:2147483648 n:99999999999999999999 n:1.50 n:.5"},
		{"INSERT INTO t VALUES (-1, '', 'é'); ", "i:1 s: s:é"},
		{"SELECT 1", "i:1"},
		{"SELECT a FROM t", "no"},
		{"SELECT E'a'", "no"},
		{"SELECT U&'a'", "no"},
		{"SELECT x'1f'", "no"},
		{"SELECT $1, 5", "no"},
		{"SELECT $$a$$, 1", "no"},
		{"SELECT 1 -- c", "no"},
		{"SELECT 1 /* c */", "no"},
		{"SELECT 'a'\n'b'", "no"},
		{"SELECT 1; SELECT 2", "no"},
		{"SELECT 1e5", "no"},
		{"SELECT 1..2", "no"},
		{"SELECT 5a", "no"},
		{"SELECT 'open", "no"},
		{`SELECT "open`, "no"},
		{"CREATE TABLE t (a varchar(5))", "no"},
	} {
		_, list, ok := sql.Literals(c.query)
		var got []string
		for _, l := range list {
			got = append(got, fmt.Sprintf("%c:%s", l.Kind, l.Text))
		}
		s := strings.Join(got, " ")
		if !ok {
			s = "no"
		}
		if s != c.want {
			t.Errorf("%s: %q, want %q", c.query, s, c.want)
		}
	}
	a, _, _ := sql.Literals("SELECT 1 FROM t WHERE a = 5")
	b, _, _ := sql.Literals("SELECT 2 FROM t WHERE a = 66")
	c, _, _ := sql.Literals("SELECT 2 FROM t WHERE a = '66'")
	if a != b || a == c {
		t.Errorf("%q %q %q", a, b, c)
	}
}

func TestParameterize(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{"SELECT 1, a + 2 FROM t WHERE a = 3 AND (4 < b OR NOT c IN (5, 'x', -6)) AND d LIKE 'y' ORDER BY 1 LIMIT 7", "3 4 5 x"},
		{"SELECT a FROM t WHERE a = date '2020-01-01' AND b = '5'::int AND f(6) = 7 AND a BETWEEN 8 AND 9", ""},
		{"SELECT a FROM (SELECT a FROM u WHERE b = 1) s WHERE a > 2", "2"},
		{"UPDATE t SET a = 1, b = b + 2, c = c * 3, d[4] = 5 WHERE id = 6 RETURNING 7", "1 2 6"},
		{"DELETE FROM t WHERE a <> 'x'", "x"},
		{"INSERT INTO t VALUES (1, 'a', 2 + 3, DEFAULT) ON CONFLICT (a) DO UPDATE SET b = 4", "1 a"},
		{"INSERT INTO t VALUES (1), (2)", ""},
	} {
		stmts, err := sql.Parse(c.query)
		if err != nil {
			t.Fatal(err)
		}
		_, list, ok := sql.Literals(c.query)
		if !ok {
			t.Fatal(c.query)
		}
		var got []string
		for _, i := range sql.Parameterize(stmts[0].Node, list) {
			got = append(got, list[i].Text)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q, want %q", c.query, s, c.want)
		}
	}
}
