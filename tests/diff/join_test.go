package diff

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// Keys with duplicates, NULLs, and of types of different width; indexed, unique and neither.
var joinTables = []string{
	"CREATE TABLE cust (id int PRIMARY KEY, code text UNIQUE, grp smallint, big bigint, at date)",
	"CREATE TABLE ord (id bigint PRIMARY KEY, cust_id bigint, code varchar(20), pos int NOT NULL, num numeric, o2 int)",
	"CREATE TABLE item (ord_id bigint NOT NULL, line int NOT NULL, qty int, PRIMARY KEY (ord_id, line))",
	"CREATE TABLE few (k int, code text, id int)",
	"INSERT INTO cust SELECT i, CASE WHEN i % 5 > 0 THEN 'c' || i END, i % 7, CASE WHEN i % 3 > 0 THEN i + 4294967296 * (i % 2) END, DATE '2020-01-01' + i % 50 FROM generate_series(1, 1500) i",
	"INSERT INTO ord SELECT i, CASE WHEN i % 6 > 0 THEN i % 400 + CASE WHEN i % 10 = 0 THEN 4294967296 ELSE 0 END END, CASE WHEN i % 4 > 0 THEN 'c' || i % 300 END, i * 7919 % 2000, i / 2.0, i % 9 FROM generate_series(1, 2000) i",
	"INSERT INTO item SELECT i % 1000, i, i % 5 FROM generate_series(1, 2500) i",
	"INSERT INTO few VALUES (1, 'c1', 1), (1, 'c1', 2), (NULL, NULL, 3), (399, 'zz', 4), (7, '', 5), (4000, 'c7', 6), (12, 'C12', 7)",
	"CREATE INDEX ON ord (cust_id)", "CREATE INDEX ON ord (pos)", "CREATE INDEX ON ord (code)", "CREATE INDEX ON cust (grp)", "CREATE INDEX ON cust (big)", "CREATE INDEX ON cust (at)",
}

var joins = []string{
	"SELECT * FROM few f JOIN cust c ON c.id = f.k",
	"SELECT * FROM few f LEFT JOIN cust c ON c.id = f.k",
	"SELECT * FROM few f RIGHT JOIN cust c ON c.id = f.k WHERE c.id < 10",
	"SELECT * FROM few f FULL JOIN cust c ON c.id = f.k AND c.id < 5",
	"SELECT * FROM cust c JOIN few f ON f.code = c.code",
	"SELECT * FROM few f LEFT JOIN cust c ON c.code = f.code AND c.grp > 2",
	"SELECT * FROM few f LEFT JOIN ord o ON o.cust_id = f.k AND o.pos > f.id * 100",
	"SELECT * FROM few f LEFT JOIN ord o ON o.code = f.code WHERE o.id IS NULL OR o.num > 20",
	"SELECT f.* FROM few f WHERE EXISTS (SELECT 1 FROM ord o WHERE o.cust_id = f.k)",
	"SELECT f.* FROM few f WHERE NOT EXISTS (SELECT 1 FROM ord o WHERE o.cust_id = f.k AND o.pos > 1500)",
	"SELECT f.* FROM few f WHERE f.k IN (SELECT cust_id FROM ord)",
	"SELECT f.* FROM few f WHERE f.k NOT IN (SELECT cust_id FROM ord)",
	"SELECT f.* FROM few f WHERE f.k NOT IN (SELECT cust_id FROM ord WHERE cust_id IS NOT NULL)",
	"SELECT f.id, c.id FROM few f JOIN cust c ON c.big = f.k",
	"SELECT o.id, c.id FROM ord o JOIN cust c ON c.big = o.cust_id WHERE o.id IN (9, 10, 11, 20, 21)",
	"SELECT c.id, o.id, i.line FROM cust c JOIN ord o ON o.cust_id = c.id JOIN item i ON i.ord_id = o.id WHERE c.id = 7",
	"SELECT c.id, o.id, i.line FROM cust c LEFT JOIN ord o ON o.cust_id = c.id LEFT JOIN item i ON i.ord_id = o.id AND i.qty = 2 WHERE c.id IN (5, 6, 7, 1400)",
	"SELECT c.code, count(*), sum(i.qty) FROM cust c JOIN ord o ON o.cust_id = c.id JOIN item i ON i.ord_id = o.id GROUP BY c.code",
	"SELECT count(*) FROM ord a JOIN ord b ON a.cust_id = b.cust_id",
	"SELECT a.id, b.id FROM cust a JOIN cust b ON a.grp = b.grp AND a.id = b.id + 7 WHERE b.id < 20",
	"SELECT f.id, s.n FROM few f LEFT JOIN (SELECT id, upper(code) AS n FROM cust WHERE grp < 5) s ON s.id = f.k",
	"SELECT f.id, (SELECT max(o.pos) FROM ord o JOIN cust c ON c.id = o.cust_id WHERE c.id = f.k) FROM few f",
	"SELECT f.id, x.id FROM few f, LATERAL (SELECT o.id FROM ord o JOIN cust c ON c.id = o.cust_id WHERE c.id = f.k ORDER BY o.pos LIMIT 2) x",
	"WITH x AS (SELECT id FROM cust WHERE code = 'c7') SELECT o.id FROM x JOIN ord o ON o.cust_id = x.id",
}

// orderedJoins fix their rows' order.
var orderedJoins = []string{
	"SELECT o.id, c.code FROM ord o LEFT JOIN cust c ON c.id = o.cust_id ORDER BY o.pos LIMIT 10",
	"SELECT o.id, c.code FROM ord o LEFT JOIN cust c ON c.id = o.cust_id ORDER BY o.pos DESC LIMIT 10 OFFSET 1990",
	"SELECT o.pos, c.code FROM ord o JOIN cust c ON c.id = o.cust_id ORDER BY o.pos LIMIT 10",
	"SELECT o.pos, c.code FROM cust c JOIN ord o ON c.id = o.cust_id ORDER BY o.pos DESC LIMIT 10 OFFSET 120",
	"SELECT o.pos, c.code FROM ord o JOIN cust c ON c.id = o.cust_id AND c.grp = 3 WHERE o.num > 100 ORDER BY o.pos LIMIT 7",
	"SELECT o.pos, c.code, d.id FROM ord o JOIN cust c ON c.id = o.cust_id LEFT JOIN cust d ON d.code = o.code ORDER BY o.pos LIMIT 300",
	"SELECT * FROM (SELECT o.pos AS p, c.code FROM ord o JOIN cust c ON c.id = o.cust_id) s ORDER BY p LIMIT 3",
	"SELECT c.id, f.id FROM cust c LEFT JOIN few f ON f.k = c.id ORDER BY c.id, f.id LIMIT 5",
	"SELECT o.id, c.id FROM ord o LEFT JOIN cust c ON c.id = o.cust_id ORDER BY o.id LIMIT 5",
	"SELECT o.id, i.line FROM ord o LEFT JOIN item i ON i.ord_id = o.id AND i.line = 1001 ORDER BY o.id LIMIT 5",
	"SELECT o.id FROM ord o JOIN cust c ON c.id = o.cust_id ORDER BY o.cust_id NULLS FIRST, o.id LIMIT 12",
	"SELECT o.code, o.id FROM ord o JOIN cust c ON c.code = o.code ORDER BY o.code DESC, o.id LIMIT 12",
	"SELECT count(*) FROM (SELECT 1 FROM ord o JOIN cust c ON c.id = o.cust_id LIMIT 250) s",
	"SELECT count(*) FROM (SELECT 1 FROM ord o JOIN item i ON i.ord_id = o.id LIMIT 2490) s",
}

// TestJoins runs joins as a hash join, by asking one side by key, and as PostgreSQL does.
func TestJoins(t *testing.T) {
	ctx := context.Background()
	server := testenv.Server(t)
	server.CreateDatabase(t, "diff_joins")
	ours, theirs := connect(t, server.URL("diff_joins")), connect(t, testenv.Postgres(t))
	if _, err := theirs.Exec(ctx, "CREATE SCHEMA diff_joins; SET search_path = diff_joins"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = theirs.Exec(ctx, "DROP SCHEMA diff_joins CASCADE") })
	for _, ddl := range joinTables {
		for _, conn := range []*pgx.Conn{ours, theirs} {
			if _, err := conn.Exec(ctx, ddl); err != nil {
				t.Fatalf("%s: %v", ddl, err)
			}
		}
	}
	modes := []string{"RESET ALL", "SET enable_hashjoin = off", "SET pgmongo.enable_indexjoin = off", "SET pgmongo.pushdown = off"}
	for i, sql := range slices.Concat(joins, orderedJoins) {
		want := answer(t, theirs, sql, i < len(joins))
		for _, mode := range modes {
			for _, set := range []string{"RESET ALL", mode} {
				if _, err := ours.Exec(ctx, set); err != nil {
					t.Fatal(err)
				}
			}
			if got := answer(t, ours, sql, i < len(joins)); !slices.Equal(got, want) {
				t.Errorf("%s (%s)\n  got:  %d rows %v\n  want: %d rows %v", sql, mode, len(got), head(got), len(want), head(want))
			}
		}
	}
	// What is chosen without being forced.
	if _, err := ours.Exec(ctx, "RESET ALL"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		sql string
		has string
	}{
		{joins[0], "Lookup Index: cust_pkey"},
		{joins[15], "Lookup Index: ord_cust_id_idx"},
		{joins[17], "Hash Join"},
		{orderedJoins[0], "Lookup Index: cust_pkey"},
		{orderedJoins[2], "Lookup Index: cust_pkey"},
	} {
		if plan := strings.Join(answer(t, ours, "EXPLAIN (COSTS OFF) "+c.sql, false), "\n"); !strings.Contains(plan, c.has) {
			t.Errorf("%s: no %q in\n%s", c.sql, c.has, plan)
		}
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// answer returns a query's rows as text, sorted unless their order counts, or its error.
func answer(t *testing.T, conn *pgx.Conn, sql string, sorted bool) []string {
	t.Helper()
	r, err := conn.Query(context.Background(), sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return []string{err.Error()}
	}
	defer r.Close()
	var out []string
	for r.Next() {
		cells := make([]string, len(r.RawValues()))
		for i, v := range r.RawValues() {
			cells[i] = "NULL"
			if v != nil {
				cells[i] = string(v)
			}
		}
		out = append(out, strings.Join(cells, "|"))
	}
	if err := r.Err(); err != nil {
		return []string{err.Error()}
	}
	if sorted {
		slices.Sort(out)
	}
	return out
}
