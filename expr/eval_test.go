package expr_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// answer evaluates an expression and gives "text \t type" as the dumped table has it, or "ERROR code: message".
func answer(r *expr.Resolver, text string) string {
	e, err := bindText(r, text)
	if err != nil {
		return failure(err)
	}
	env := &expr.Env{IO: r.IO, XactStart: time.Unix(1700000000, 0), StmtStart: time.Unix(1700000000, 0)}
	plain, err := run(env, e)
	if folded, ferr := run(env, expr.Fold(env, e, false)); failure(err) != failure(ferr) || plain != folded {
		return "FOLDED " + folded + failure(ferr) + " UNFOLDED " + plain + failure(err)
	}
	if err != nil {
		return failure(err)
	}
	return plain + "\t" + types.FormatType(e.Type(), -1)
}

func bindText(r *expr.Resolver, text string) (expr.Expr, error) {
	node, err := sql.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	return (&binder{r}).bind(node)
}

func run(env *expr.Env, e expr.Expr) (string, error) {
	f, err := expr.Compile(e, nil)
	if err != nil {
		return "", err
	}
	d, err := f(env, nil)
	switch {
	case err != nil:
		return "", err
	case d.IsNull():
		return "NULL", nil
	}
	t := e.Type()
	if t == types.UnknownT {
		t = types.TextT
	}
	return strings.NewReplacer("\\", `\\`, "\n", `\n`, "\t", `\t`).Replace(string(types.Output(env.IO, t, nil, d))), nil
}

func failure(err error) string {
	if err == nil {
		return ""
	}
	var e *pgerr.Error
	if !errors.As(err, &e) {
		return "FAILED " + err.Error()
	}
	return "ERROR " + string(e.Code) + ": " + strings.NewReplacer("\\", `\\`, "\n", `\n`, "\t", `\t`).Replace(e.Message)
}

func newResolver() *expr.Resolver {
	io := types.DefaultIO()
	io.Names = typeNames{}
	return &expr.Resolver{Path: []string{"pg_catalog", "public"}, Procs: expr.NewProcs(fn.All()...), IO: io}
}

// typeNames knows the names of built-in types, for pg_typeof.
type typeNames struct{}

func (typeNames) RegIn(*types.T, string) (uint32, error) {
	return 0, pgerr.Unsupported("names in tests")
}

func (typeNames) RegOut(t *types.T, oid uint32) (string, bool) {
	if t != types.RegtypeT || types.ByOID(oid) == nil {
		return "", false
	}
	return types.FormatType(types.ByOID(oid), -1), true
}

// The expected column of testdata/expressions.tsv is what PostgreSQL 15 answers; testdata/dump.sh makes it.
func TestExpressions(t *testing.T) {
	data, err := os.ReadFile("testdata/expressions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	r := newResolver()
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		text, want, _ := strings.Cut(line, "\t")
		if got := answer(r, text); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
