package executor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/catalogtest"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/tests/testenv"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// modifyEnv is a schema in a MongoDB database of its own.
type modifyEnv struct {
	t     *testing.T
	ctx   context.Context
	c     *mongo.Client
	m     *txn.Manager
	snap  *catalog.Snapshot
	procs *expr.Procs
	sent  *commands
	// local turns push-down off.
	local bool
}

func newModifyEnv(t *testing.T, ddl string) *modifyEnv {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	sent := &commands{}
	c, err := mongo.Connect(ctx, testenv.Mongo(t), mongo.Options{Monitor: sent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	e := &modifyEnv{t: t, ctx: ctx, c: c, m: txn.NewManager(c, txn.ManagerOptions{}), snap: catalogtest.Parse(ddl), procs: expr.NewProcs(fn.All()...), sent: sent}
	e.snap.Database = testenv.Database(t)
	for _, rel := range e.snap.Relations() {
		if rel.Kind != catalog.KindTable || rel.Virtual != nil || rel.Collection == "" {
			continue
		}
		if err := c.CreateCollection(ctx, e.snap.Database, rel.Collection, nil); err != nil {
			t.Fatal(err)
		}
		for _, ix := range rel.Indexes {
			if ix.MongoName == "" || ix.MongoName == "_id_" {
				continue
			}
			info := mongo.IndexInfo{Name: ix.MongoName, Unique: ix.Unique}
			partial := bson.D{}
			for _, k := range ix.Keys {
				col := rel.ByAttnum(k.Attnum)
				path := strings.Join(col.Path, ".")
				info.Keys = append(info.Keys, bson.E{Key: path, Value: 1})
				if col.NullMissing {
					partial = append(partial, bson.E{Key: path, Value: bson.D{{Key: "$exists", Value: true}}})
				}
			}
			if len(partial) > 0 {
				if info.Partial, err = bson.Marshal(partial); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.CreateIndex(ctx, e.snap.Database, rel.Collection, info); err != nil {
				t.Fatal(err)
			}
		}
	}
	return e
}

// modifySession runs SQL statements.
type modifySession struct {
	e *modifyEnv
	s *txn.Session
}

func (e *modifyEnv) session(pid int32) *modifySession {
	s := &modifySession{e, e.m.NewSession(e.snap.Database, 5, pid)}
	e.t.Cleanup(func() { s.s.Close(context.Background()) })
	return s
}

// exec runs one statement and shows its result: the tag and the rows, or the error.
func (s *modifySession) exec(query string) string {
	out, err := s.run(query)
	if err != nil {
		var pe *pgerr.Error
		if !errors.As(err, &pe) {
			return "not a pgerr.Error: " + err.Error()
		}
		return showError(string(pe.Code), pe.Message, pe.Detail, pe.Hint, pe.Constraint)
	}
	return out
}

func showError(code, message, detail, hint, constraint string) string {
	return fmt.Sprintf("%s %s | %s | %s | %s", code, message, detail, hint, constraint)
}

func (s *modifySession) run(query string) (string, error) {
	ctx := s.e.ctx
	word := strings.Fields(strings.ToUpper(query))
	switch {
	case word[0] == "BEGIN":
		return "BEGIN", s.s.Begin(txn.Options{})
	case word[0] == "COMMIT":
		ok, err := s.s.Commit(ctx)
		if !ok {
			return "ROLLBACK", err
		}
		return "COMMIT", err
	case word[0] == "ROLLBACK" && len(word) > 1:
		return "ROLLBACK", s.s.RollbackTo(ctx, word[len(word)-1])
	case word[0] == "ROLLBACK":
		return "ROLLBACK", s.s.Rollback(ctx)
	case word[0] == "SAVEPOINT":
		return "SAVEPOINT", s.s.Savepoint(ctx, word[1])
	case word[0] == "SET":
		return "SET CONSTRAINTS", s.s.SetConstraints(ctx, nil, word[3] == "DEFERRED")
	}
	if s.s.Failed() {
		_, err := s.s.Start(ctx, txn.StatementOptions{})
		return "", err
	}
	stmts, err := sql.Parse(query)
	if err != nil {
		return "", err
	}
	io := types.DefaultIO()
	io.Registry = s.e.snap
	path := s.e.snap.SearchPath([]string{"$user", "public"}, "postgres", "")
	env := &expr.Env{Ctx: ctx, IO: io, View: &catalog.View{Snapshot: s.e.snap, SearchPath: path, User: "postgres"}}
	pc := &planner.Context{Snapshot: s.e.snap, Path: path, Procs: s.e.procs, Env: env, Settings: planner.Settings{PushdownOff: s.e.local}}
	plan, err := planner.PlanStatement(ctx, pc, stmts[0].Node)
	if err != nil {
		return "", err
	}
	var out string
	err = s.s.Run(ctx, txn.StatementOptions{Write: len(plan.Writes) > 0 || plan.Locks}, func(ctx context.Context, st *txn.Stmt) (bool, error) {
		rt := &executor.Runtime{
			Env: env, Txn: st, Budget: &executor.Budget{Limit: 64 << 20}, Procs: s.e.procs,
			Bind: func(rel *catalog.Relation, cols []planner.Col, text string, want *types.T, typmod int32) (expr.Expr, error) {
				return planner.BindExpr(pc, rel, cols, text, want, typmod)
			},
		}
		out, err = execute(ctx, rt, plan)
		return false, err
	})
	return out, err
}

func execute(ctx context.Context, rt *executor.Runtime, plan *planner.Plan) (string, error) {
	op, err := executor.Build(rt, plan)
	if err != nil {
		return "", err
	}
	if err := op.Open(ctx); err != nil {
		return "", errors.Join(err, op.Close(ctx))
	}
	var rows []string
	for {
		var b executor.Batch
		err := op.Next(ctx, &b)
		if err == io.EOF {
			break
		}
		if err != nil {
			op.Close(ctx)
			return "", err
		}
		for i := range b.N {
			var cells []string
			for j, d := range b.Row(i) {
				if d.IsNull() {
					cells = append(cells, "null")
				} else {
					cells = append(cells, string(types.Output(rt.Env.IO, plan.Cols[j].Type, nil, d)))
				}
			}
			rows = append(rows, strings.Join(cells, ","))
		}
	}
	tag := ""
	if a, ok := op.(executor.Affected); ok && plan.Tag != "SELECT" {
		tag = fmt.Sprintf("%s %d", plan.Tag, a.RowsAffected())
	}
	return strings.TrimSpace(tag + " " + strings.Join(rows, " ")), op.Close(ctx)
}

// oracle runs the same statements on PostgreSQL.
func oracle(t *testing.T, ctx context.Context, ddl string) func(string) string {
	t.Helper()
	dsn := testenv.Postgres(t)
	admin, err := pgconn.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(ctx)
	db := "m" + testenv.Database(t)
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+db).ReadAll(); err != nil {
		t.Fatal(err)
	}
	c, err := pgconn.Connect(ctx, strings.Replace(dsn, "/postgres?", "/"+db+"?", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	if _, err := c.Exec(ctx, ddl).ReadAll(); err != nil {
		t.Fatal(err)
	}
	return func(query string) string {
		res, err := c.Exec(ctx, query).ReadAll()
		var pe *pgconn.PgError
		if errors.As(err, &pe) {
			return showError(pe.Code, pe.Message, pe.Detail, pe.Hint, pe.ConstraintName)
		}
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for _, r := range res[0].Rows {
			var cells []string
			for _, v := range r {
				if v == nil {
					cells = append(cells, "null")
				} else {
					cells = append(cells, string(v))
				}
			}
			rows = append(rows, strings.Join(cells, ","))
		}
		tag := res[0].CommandTag.String()
		switch {
		case strings.HasPrefix(tag, "SELECT"):
			tag = ""
		case strings.HasPrefix(tag, "INSERT"):
			tag = strings.Replace(tag, "INSERT 0 ", "INSERT ", 1)
		}
		return strings.TrimSpace(tag + " " + strings.Join(rows, " "))
	}
}

// compare runs a script of statements, one a line, on both and wants the same answers.
func compare(t *testing.T, ddl, script string) {
	t.Helper()
	e, local := newModifyEnv(t, ddl), newModifyEnv(t, ddl)
	local.local = true
	s, l, pg := e.session(1), local.session(1), oracle(t, e.ctx, ddl)
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "--") {
			continue
		}
		want, got, without := pg(line), s.exec(line), l.exec(line)
		// Constraints that PostgreSQL names in words of its own are compared whole; rows come in any order.
		if sortWords(got) != sortWords(want) || sortWords(without) != sortWords(want) {
			t.Errorf("%s\n pushed: %s\n  local: %s\n   want: %s", line, got, without, want)
		}
	}
}

func sortWords(s string) string {
	if len(s) > 6 && s[5] == ' ' && strings.Contains(s, " | ") {
		return s
	}
	w := strings.Fields(s)
	slices.Sort(w)
	return strings.Join(w, " ")
}

func TestInsertUpdateDelete(t *testing.T) {
	compare(t, `
		CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b int CHECK (b > 0), c numeric(10,2) DEFAULT 1.50, u int UNIQUE,
			d timestamp, g int GENERATED ALWAYS AS (b * 2) STORED);
		CREATE TABLE w (a int, b text, PRIMARY KEY (a, b));
		CREATE TABLE n (a int, b int)`, `
		INSERT INTO t (id, a, b) VALUES (1, 'x', 5) RETURNING id, a, b, c, u, g
		INSERT INTO t (id, a, b, u, d) VALUES (2, 'y', 6, 10, '2020-01-01 10:00:00.123456'), (3, 'z', NULL, NULL, NULL) RETURNING *
		INSERT INTO t (id, a) VALUES (1, 'again')
		INSERT INTO t (id, a) VALUES (4, 'q'), (4, 'q')
		INSERT INTO t (id, a, u) VALUES (5, 'q', 10)
		INSERT INTO t (id, a) VALUES (6, NULL)
		INSERT INTO t (a) VALUES ('no id')
		INSERT INTO t (id, a, b) VALUES (7, 'bad', -1)
		SELECT * FROM t
		UPDATE t SET b = b + 1, a = a || '!' WHERE id < 3 RETURNING id, a, b, g
		UPDATE t SET a = NULL WHERE id = 3
		UPDATE t SET b = 0 WHERE id = 1
		UPDATE t SET u = 10 WHERE id = 1
		UPDATE t SET u = NULL WHERE id = 2
		UPDATE t SET u = 10 WHERE id = 1
		UPDATE t SET id = 20 WHERE id = 2 RETURNING *
		UPDATE t SET id = 1 WHERE id = 20
		UPDATE t SET d = '2021-05-05 01:02:03.000007' WHERE id = 20 RETURNING d
		UPDATE t SET d = '2021-05-05 01:02:03' WHERE id = 20 RETURNING d
		UPDATE t SET c = 1.5 WHERE id = 1 RETURNING c
		UPDATE t SET b = n.b FROM (VALUES (1, 100), (1, 100), (20, 200)) n(id, b) WHERE t.id = n.id
		SELECT * FROM t
		DELETE FROM t WHERE id = 3 RETURNING id, a
		DELETE FROM t USING n WHERE t.id = n.a
		DELETE FROM t
		SELECT count(*) FROM t
		INSERT INTO w VALUES (1, 'x'), (1, 'y'), (2, 'x')
		INSERT INTO w VALUES (1, 'y')
		UPDATE w SET a = 2 WHERE b = 'y'
		UPDATE w SET a = 2 WHERE b = 'x'
		SELECT * FROM w
		INSERT INTO n VALUES (1, 1), (1, 1), (2, NULL)
		INSERT INTO n SELECT a + 10, b FROM n
		UPDATE n SET a = a + 1
		SELECT * FROM n
		WITH gone AS (DELETE FROM n WHERE a > 10 RETURNING a) SELECT sum(a) FROM gone
		SELECT count(*) FROM n
	`)
}

func TestUniqueShift(t *testing.T) {
	compare(t, "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE)", `
		INSERT INTO t VALUES (3, 3), (2, 2), (1, 1)
		UPDATE t SET u = u + 1
		UPDATE t SET id = id + 1
		SELECT * FROM t
		BEGIN
		SAVEPOINT a
		UPDATE t SET u = u - 1
		ROLLBACK TO a
		UPDATE t SET u = u + 1 WHERE id = 4
		COMMIT
		SELECT * FROM t
	`)
}

func TestOnConflict(t *testing.T) {
	compare(t, `
		CREATE TABLE t (id int PRIMARY KEY, u text UNIQUE, n int DEFAULT 0 CHECK (n < 100));
		CREATE TABLE w (a int, b int, v text, PRIMARY KEY (a, b))`, `
		INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2)
		INSERT INTO t VALUES (1, 'zz', 5) ON CONFLICT DO NOTHING RETURNING *
		INSERT INTO t VALUES (5, 'a', 5), (6, 'c', 6), (6, 'd', 7) ON CONFLICT DO NOTHING RETURNING *
		INSERT INTO t VALUES (7, 'a', 5) ON CONFLICT (id) DO NOTHING
		INSERT INTO t VALUES (1, 'x', 5) ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n, u = excluded.u RETURNING *
		INSERT INTO t VALUES (1, 'x', 5), (1, 'y', 6) ON CONFLICT (id) DO UPDATE SET n = excluded.n
		INSERT INTO t VALUES (30, 'x', 5), (30, 'y', 6) ON CONFLICT (id) DO UPDATE SET n = excluded.n
		INSERT INTO t VALUES (9, 'x', 50), (10, 'new', 8) ON CONFLICT (u) DO UPDATE SET n = excluded.n WHERE t.n < 10 RETURNING *
		INSERT INTO t VALUES (9, 'x', 60) ON CONFLICT (u) DO UPDATE SET n = excluded.n WHERE t.n < 10 RETURNING *
		INSERT INTO t VALUES (1, 'x', 60) ON CONFLICT (u) DO UPDATE SET n = 1000
		INSERT INTO t VALUES (1, 'q', 60) ON CONFLICT (id) DO UPDATE SET u = 'b'
		INSERT INTO t VALUES (40, NULL, 1), (41, NULL, 1) ON CONFLICT (u) DO UPDATE SET n = 99 RETURNING *
		SELECT * FROM t
		INSERT INTO w VALUES (1, 1, 'a'), (1, 2, 'b')
		INSERT INTO w VALUES (1, 1, 'c'), (2, 1, 'd') ON CONFLICT (a, b) DO UPDATE SET v = w.v || excluded.v RETURNING *
		INSERT INTO w VALUES (1, 1, 'c') ON CONFLICT ON CONSTRAINT w_pkey DO UPDATE SET a = 5 RETURNING *
		SELECT * FROM w
	`)
}

func TestForeignKeys(t *testing.T) {
	compare(t, `
		CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE);
		CREATE TABLE na (id int PRIMARY KEY, p bigint REFERENCES p);
		CREATE TABLE ca (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE, CHECK (p < 100));
		CREATE TABLE gc (id int PRIMARY KEY, ca int NOT NULL REFERENCES ca ON DELETE CASCADE);
		CREATE TABLE sn (id int PRIMARY KEY, code text REFERENCES p (code) ON DELETE SET NULL ON UPDATE CASCADE);
		CREATE TABLE sd (id int PRIMARY KEY, p int DEFAULT 1 REFERENCES p ON DELETE SET DEFAULT);
		CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree ON DELETE CASCADE);
		CREATE TABLE comp (a int, b int, PRIMARY KEY (a, b));
		CREATE TABLE ms (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES comp);
		CREATE TABLE mf (id int PRIMARY KEY, a int, b int, FOREIGN KEY (a, b) REFERENCES comp MATCH FULL)`, `
		INSERT INTO p VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, 'four'), (5, 'five')
		INSERT INTO na VALUES (1, 1), (2, NULL), (3, 2)
		INSERT INTO na VALUES (4, 77)
		UPDATE na SET p = 78 WHERE id = 1
		UPDATE na SET p = 3 WHERE id = 1
		DELETE FROM p WHERE id = 3
		UPDATE p SET id = 30 WHERE id = 3
		UPDATE p SET code = 'THREE' WHERE id = 3
		DELETE FROM na WHERE id = 1
		DELETE FROM p WHERE id = 3
		INSERT INTO ca VALUES (1, 4), (2, 4), (3, 5)
		INSERT INTO gc VALUES (1, 1), (2, 3)
		UPDATE p SET id = 40 WHERE id = 4
		SELECT * FROM ca
		UPDATE p SET id = 400 WHERE id = 40
		DELETE FROM p WHERE id = 40
		SELECT * FROM ca
		SELECT * FROM gc
		INSERT INTO sn VALUES (1, 'one'), (2, 'two')
		UPDATE p SET code = 'eins' WHERE id = 1
		SELECT * FROM sn
		INSERT INTO sd VALUES (1, 5)
		DELETE FROM p WHERE id = 5
		SELECT * FROM sd
		DELETE FROM p WHERE id = 1
		DELETE FROM sd
		DELETE FROM p WHERE id = 1
		SELECT * FROM sn
		SELECT * FROM p
		INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, 5)
		INSERT INTO tree VALUES (7, 6), (6, NULL)
		INSERT INTO tree VALUES (9, 8)
		DELETE FROM tree WHERE id = 2
		SELECT * FROM tree
		DELETE FROM tree
		INSERT INTO comp VALUES (1, 1), (1, 2)
		INSERT INTO ms VALUES (1, 1, 1), (2, 1, NULL), (3, 9, NULL)
		INSERT INTO ms VALUES (4, 2, 1)
		INSERT INTO mf VALUES (1, 1, 1), (2, NULL, NULL)
		INSERT INTO mf VALUES (3, 1, NULL)
		DELETE FROM comp WHERE b = 1
		UPDATE comp SET b = 3 WHERE b = 2
		DELETE FROM comp WHERE b = 3
		SELECT * FROM comp
	`)
}

func TestDeferredForeignKeys(t *testing.T) {
	compare(t, `
		CREATE TABLE p (id int PRIMARY KEY);
		CREATE TABLE c (id int PRIMARY KEY, p int NOT NULL REFERENCES p DEFERRABLE INITIALLY DEFERRED)`, `
		INSERT INTO c VALUES (1, 1)
		BEGIN
		INSERT INTO c VALUES (1, 1)
		INSERT INTO p VALUES (1)
		COMMIT
		SELECT * FROM c
		BEGIN
		DELETE FROM p
		SELECT count(*) FROM p
		COMMIT
		SELECT * FROM p
		BEGIN
		DELETE FROM p
		DELETE FROM c
		COMMIT
		BEGIN
		INSERT INTO c VALUES (2, 2)
		SET CONSTRAINTS ALL IMMEDIATE
		ROLLBACK
		BEGIN
		SAVEPOINT s
		INSERT INTO c VALUES (2, 2)
		ROLLBACK TO s
		COMMIT
		BEGIN
		INSERT INTO p VALUES (5)
		SET CONSTRAINTS ALL IMMEDIATE
		INSERT INTO c VALUES (6, 6)
		ROLLBACK
		BEGIN
		INSERT INTO p VALUES (7)
		INSERT INTO c VALUES (7, 7)
		DELETE FROM p WHERE id = 7
		INSERT INTO p VALUES (7)
		COMMIT
		SELECT * FROM c
	`)
}

func TestErrorsUnderSavepoints(t *testing.T) {
	compare(t, "CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, u int UNIQUE)", `
		INSERT INTO t VALUES (1, 'x', 1)
		BEGIN
		INSERT INTO t VALUES (2, 'y', 2)
		SAVEPOINT s
		INSERT INTO t VALUES (3, 'z', 1)
		SELECT 1
		ROLLBACK TO s
		INSERT INTO t VALUES (3, 'z', 3), (3, 'z', 4)
		ROLLBACK TO s
		UPDATE t SET u = 1 WHERE id = 2
		ROLLBACK TO s
		INSERT INTO t VALUES (4, NULL, 4)
		ROLLBACK TO s
		INSERT INTO t VALUES (5, 'ok', 5)
		COMMIT
		SELECT * FROM t
		BEGIN
		INSERT INTO t VALUES (1, 'dup', 9)
		COMMIT
		SELECT count(*) FROM t
	`)
}

// Two sessions: a child row and the deletion of its parent never both commit.
func TestForeignKeyRace(t *testing.T) {
	e := newModifyEnv(t, "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p)")
	a, b := e.session(1), e.session(2)
	want := func(got, want string) {
		t.Helper()
		if !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	want(a.exec("INSERT INTO p VALUES (1), (2)"), "INSERT 2")
	want(a.exec("BEGIN"), "BEGIN")
	want(a.exec("INSERT INTO c VALUES (1, 1)"), "INSERT 1")
	deleted := make(chan string)
	go func() { deleted <- b.exec("DELETE FROM p WHERE id = 1") }()
	time.Sleep(100 * time.Millisecond)
	want(a.exec("COMMIT"), "COMMIT")
	want(<-deleted, "23503")

	want(a.exec("BEGIN"), "BEGIN")
	want(a.exec("DELETE FROM p WHERE id = 2"), "DELETE 1")
	inserted := make(chan string)
	go func() { inserted <- b.exec("INSERT INTO c VALUES (2, 2)") }()
	time.Sleep(100 * time.Millisecond)
	want(a.exec("COMMIT"), "COMMIT")
	want(<-inserted, "23503")
	want(b.exec("INSERT INTO c VALUES (2, 2)"), "23503")
}
