package diff

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgmongo/pgmongo/tests/testenv"
)

// ordered are queries that an index may answer in order, from one end, or by jumping over equal keys.
var ordered = []string{
	"SELECT id FROM ev ORDER BY at, id LIMIT 17", "SELECT id FROM ev ORDER BY at DESC, id LIMIT 17", "SELECT id FROM ev ORDER BY at DESC NULLS LAST, id DESC LIMIT 17",
	"SELECT id FROM ev ORDER BY at NULLS FIRST, id LIMIT 40 OFFSET 5", "SELECT id FROM ev ORDER BY at, n DESC, id LIMIT 3 OFFSET 390", "SELECT id, at FROM ev ORDER BY at, id LIMIT 0",
	"SELECT id FROM ev WHERE at > '2024-01-01 00:00:00.0015' ORDER BY at, id LIMIT 9", "SELECT id FROM ev WHERE n = 3 ORDER BY at DESC, id LIMIT 9", "SELECT id FROM ev WHERE n = 3 ORDER BY g, id LIMIT 9",
	"SELECT id FROM ev WHERE n IS NULL ORDER BY at, id LIMIT 9", "SELECT id FROM ev WHERE length(name) > 6 ORDER BY at, id LIMIT 9", "SELECT id FROM ev WHERE at < '2024-01-01 00:00:00.0305' ORDER BY id DESC LIMIT 9",
	"SELECT id FROM ev WHERE at <> '2024-01-01 00:00:00.001' ORDER BY g, n, id LIMIT 9",
	"SELECT id FROM ev WHERE (at, id) > ('2024-01-01 00:00:00.001', 11) ORDER BY at, id LIMIT 9", "SELECT id FROM ev WHERE (at, id) <= ('2024-01-01 00:00:00.003002', 200) ORDER BY at DESC, id DESC LIMIT 9",
	"SELECT id FROM ev WHERE (g, n, id) > (2, 3, 50) ORDER BY g, n, id", "SELECT id FROM ev WHERE (g, n, id) >= (2, 3, 103) ORDER BY g, n, id LIMIT 4", "SELECT id FROM ev WHERE (2, 3) > (g, n) ORDER BY id",
	"SELECT id FROM ev WHERE NOT ((g, n) > (2, 3)) ORDER BY id", "SELECT id FROM ev WHERE (g, n) < (2, NULL) ORDER BY id", "SELECT id FROM ev WHERE (g, name) < (2, 'name 2') ORDER BY id", "SELECT id FROM ev WHERE (g, upper(name)) > (2, 'NAME 2') ORDER BY id",
	"SELECT id FROM ev WHERE (g, 1) < (2, 3) ORDER BY id", "SELECT id FROM ev WHERE (1, g) < (1, 3) ORDER BY id", "SELECT id FROM ev WHERE (g, n) < (n, g) ORDER BY id",
	"SELECT id FROM ev WHERE at > '2024-01-01 00:00:00.002' OR (at = '2024-01-01 00:00:00.002' AND id > 100) ORDER BY at, id LIMIT 9",
	"SELECT min(id), max(id) FROM ev", "SELECT min(at), max(at) FROM ev", "SELECT min(n), max(g), min(name) FROM ev", "SELECT max(id), max(at) FROM ev WHERE n = 3", "SELECT min(at) FROM ev WHERE at > '2024-01-01 00:00:00.002001'",
	"SELECT min(id) FROM ev WHERE id > 10000", "SELECT max(n) + min(n) FROM ev HAVING max(n) > 3", "SELECT max(at) FROM ev WHERE n IS NULL", "SELECT g, (SELECT max(id) FROM ev e WHERE e.g = o.g) FROM ev o WHERE id < 20 ORDER BY id",
	"SELECT max(at), count(*) FROM ev", "SELECT max(id) FILTER (WHERE n = 3) FROM ev", "SELECT max(DISTINCT n) FROM ev",
	"SELECT DISTINCT n FROM ev ORDER BY 1", "SELECT DISTINCT n FROM ev WHERE n > 4 ORDER BY 1", "SELECT DISTINCT id FROM ev ORDER BY 1", "SELECT n FROM ev GROUP BY n ORDER BY 1", "SELECT count(*) FROM (SELECT DISTINCT n FROM ev) x", "SELECT DISTINCT at FROM ev ORDER BY 1",
	"SELECT DISTINCT n + 1 FROM ev ORDER BY 1", "SELECT DISTINCT g FROM ev WHERE length(name) > 6 ORDER BY 1",
	"SELECT p.id, count(e.id), max(e.at) FROM pa p LEFT JOIN ev e ON e.pa = p.id GROUP BY p.id ORDER BY p.id LIMIT 7", "SELECT p.id, p.name, count(e.id) FROM pa p LEFT JOIN ev e ON e.pa = p.id GROUP BY p.id ORDER BY p.name DESC, p.id LIMIT 7 OFFSET 3",
	"SELECT p.id, count(e.id) c FROM pa p LEFT JOIN ev e ON e.pa = p.id GROUP BY p.id ORDER BY c, p.id LIMIT 7", "SELECT p.id, e.n, count(*) FROM pa p LEFT JOIN ev e ON e.pa = p.id GROUP BY p.id, e.n ORDER BY p.id, e.n LIMIT 7 OFFSET 1",
	"SELECT p.id, count(e.id) FROM pa p JOIN ev e ON e.pa = p.id GROUP BY p.id ORDER BY p.id LIMIT 7", "SELECT p.id, count(e.id) FROM pa p LEFT JOIN ev e ON e.pa = p.id GROUP BY p.id HAVING count(e.id) = 0 ORDER BY p.id LIMIT 7",
	"SELECT p.name, count(e.id) FROM pa p LEFT JOIN ev e ON e.pa = p.id GROUP BY p.name ORDER BY p.name LIMIT 7", "SELECT p.id, count(e.id) FROM pa p LEFT JOIN ev e ON e.pa = p.id WHERE e.n > 2 GROUP BY p.id ORDER BY p.id LIMIT 7",
	"SELECT p.id, count(e.id), count(q.id) FROM pa p LEFT JOIN ev e ON e.pa = p.id LEFT JOIN pa q ON q.id = e.g GROUP BY p.id ORDER BY p.at DESC, p.id LIMIT 7",
	"SELECT e.id, p.name FROM ev e JOIN pa p ON p.id = e.pa ORDER BY e.at DESC NULLS LAST, e.id LIMIT 15", "SELECT e.id, p.name FROM ev e LEFT JOIN pa p ON p.id = e.pa ORDER BY e.at, e.id LIMIT 15 OFFSET 4",
	"SELECT e.id FROM ev e JOIN pa p ON p.id = e.pa WHERE p.name > 'p 5' ORDER BY e.at, e.id LIMIT 15", "SELECT id FROM pa p WHERE NOT EXISTS (SELECT 1 FROM ev e WHERE e.pa = p.id) ORDER BY id", "SELECT id FROM pa p WHERE id IN (SELECT pa FROM ev) ORDER BY id",
	"SELECT id FROM pa p WHERE id NOT IN (SELECT pa FROM ev WHERE pa IS NOT NULL) ORDER BY id", "SELECT id FROM pa p WHERE id NOT IN (SELECT pa FROM ev) ORDER BY id", "SELECT id FROM pa p WHERE EXISTS (SELECT 1 FROM ev e WHERE e.pa = p.id AND e.n > 3) ORDER BY id",
	"SELECT id FROM pa p WHERE NOT EXISTS (SELECT 1 FROM ev e WHERE e.pa = p.id AND e.pa > 30) ORDER BY id", "SELECT id FROM pa p WHERE NOT EXISTS (SELECT 1 FROM ev e WHERE e.pa = p.id AND e.n = length(p.name)) ORDER BY id",
	"SELECT e.id FROM ev e JOIN pa p ON p.id = e.pa WHERE p.id = 3 ORDER BY 1", "SELECT e.id FROM ev e, pa p, pa q WHERE p.id = e.pa AND e.pa = q.id AND q.id = 3 ORDER BY 1", "SELECT p.id, e.id FROM pa p LEFT JOIN ev e ON e.pa = p.id AND p.id = 3 WHERE p.id < 5 ORDER BY 1, 2",
	"SELECT e.id FROM ev e JOIN pa p ON p.id = e.pa WHERE p.id = NULL::int", "SELECT e.id FROM ev e JOIN pa p ON p.name = e.name OR p.id = e.pa WHERE p.id = 3 ORDER BY 1", "SELECT e.id, p.id FROM ev e, pa p WHERE e.id < 4 ORDER BY 1, 2 LIMIT 1000", "SELECT e.id, p.id FROM (SELECT id, n FROM ev WHERE id < 40) e LEFT JOIN (SELECT id FROM pa WHERE id < 9) p ON e.n < p.id AND e.n > p.id - 3 ORDER BY 1, 2",
	"SELECT e.id, p.id FROM (SELECT id, n FROM ev WHERE id < 40) e RIGHT JOIN (SELECT id FROM pa WHERE id < 9) p ON e.n < p.id AND e.n > p.id + 3 ORDER BY 1, 2", "SELECT count(*) FROM (SELECT e.id, p.id FROM ev e, pa p LIMIT 500) x",
}

// TestOrderByIndex compares what indexes answer with the answers without them, and with PostgreSQL's, over timestamps that
// are equal to the millisecond and not to the microsecond, NULLs, and keys that repeat.
func TestOrderByIndex(t *testing.T) {
	ctx := context.Background()
	server := testenv.Server(t)
	server.CreateDatabase(t, "diff_order")
	ours, err := pgx.Connect(ctx, server.URL("diff_order"))
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close(ctx)
	theirs, err := pgx.Connect(ctx, testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close(ctx)
	setup := []string{
		"DROP SCHEMA IF EXISTS diff_order CASCADE", "CREATE SCHEMA diff_order", "SET search_path = diff_order", "SET timezone = 'UTC'",
		"CREATE TABLE pa (id int PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL)",
		"CREATE TABLE ev (id int PRIMARY KEY, at timestamp, n int, g int NOT NULL, name text, pa int)",
		"CREATE INDEX ON ev (at, id)", "CREATE INDEX ON ev (n)", "CREATE INDEX ON ev (g, n, id)", "CREATE INDEX ON ev (n, g)", "CREATE INDEX ON ev (name)", "CREATE INDEX ON ev (pa)", "CREATE INDEX ON pa (at)",
		"INSERT INTO pa SELECT i, 'p ' || i % 40, timestamptz '2024-01-01' + i % 7 * interval '500 microseconds' FROM generate_series(1, 400) i",
		`INSERT INTO ev SELECT i, CASE WHEN i % 11 <> 0 THEN timestamp '2024-01-01' + i * 7919 % 97 * interval '333 microseconds' END, nullif(i % 8, 7), i % 5, 'name ' || i % 13, nullif(i * 3 % 350, 0)
			FROM generate_series(1, 900) i`,
		"INSERT INTO ev VALUES (1001, 'infinity', 1, 1, NULL, 1), (1002, '-infinity', 1, 1, '', 2)",
	}
	for _, s := range setup {
		for _, conn := range []*pgx.Conn{ours, theirs} {
			if _, err := conn.Exec(ctx, s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
		}
	}
	for _, sql := range ordered {
		compare(t, ours, sql, true)
		on, err := rows(t, ours, sql, true)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		r, err := theirs.Query(ctx, "SELECT x::text FROM ("+sql+") x", pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		want, err := pgx.CollectRows(r, pgx.RowTo[string])
		if err != nil || len(want) != len(on) {
			t.Errorf("%s: %d rows, PostgreSQL gives %d %v", sql, len(on), len(want), err)
			continue
		}
		for i, row := range on {
			if got := strings.ReplaceAll(row, "NULL", ""); got != plain(want[i]) {
				t.Errorf("%s: row %d is %q, PostgreSQL's %q", sql, i, got, plain(want[i]))
				break
			}
		}
	}
	for sql, want := range map[string]string{
		"SELECT * FROM ev ORDER BY at, id LIMIT 5": "Incremental Sort", "SELECT max(at) FROM ev": "Incremental Sort", "SELECT min(n) FROM ev": "ev_n_idx", "SELECT DISTINCT n FROM ev": `{"$group":{"_id":"$n"}}`,
		"SELECT * FROM ev WHERE (g, n) > (1, 2)": `{"g":{"$gte":1}}`, "SELECT * FROM ev WHERE n = 3 ORDER BY g LIMIT 4": `"sort":{"g":1},"limit":4`,
		"SELECT id FROM pa p WHERE NOT EXISTS (SELECT 1 FROM ev e WHERE e.pa = p.id)":                          `{"$group":{"_id":"$pa"}}`,
		"SELECT e.id FROM ev e JOIN pa p ON p.id = e.pa WHERE p.id = 3":                                        `"filter":{"pa":{"$eq":3}}}`,
		"SELECT p.id, count(e.id) FROM pa p LEFT JOIN ev e ON e.pa = p.id GROUP BY p.id ORDER BY p.id LIMIT 7": `"sort":{"_id":1},"limit":7`,
	} {
		if plan := explain(t, ours, sql); !strings.Contains(plan, want) {
			t.Errorf("%s: no %s in\n%s", sql, want, plan)
		}
	}
}

// plain takes the dress of a row's text off.
func plain(row string) string {
	row = strings.TrimSuffix(strings.TrimPrefix(row, "("), ")")
	return strings.NewReplacer(`"`, "", ",", "|").Replace(row)
}
