package expr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Hints and positions are PostgreSQL's (LINE 1 and the caret of psql, counted in bytes of the expression).
func TestErrorHintAndPosition(t *testing.T) {
	const castOperators = "No operator matches the given name and argument types. You might need to add explicit type casts."
	for _, c := range []struct {
		text, caret, hint string
	}{
		{"1 + true", "+ true", castOperators},
		{"- date '2020-01-01'", "- date", "No operator matches the given name and argument type. You might need to add an explicit type cast."},
		{"foo(1, 'x')", "foo", "No function matches the given name and argument types. You might need to add explicit type casts."},
		{"'1' + '2'", "+ '2'", "Could not choose a best candidate operator. You might need to add explicit type casts."},
		{"1 + 'x'", "'x'", ""},
		{"coalesce(1, 'x')", "'x'", ""},
		{"1::nosuch", "nosuch", ""},
		{"true::date", "::date", ""},
		{"nosuch.f(1)", "nosuch.f", ""},
	} {
		_, err := bindText(newResolver(), c.text)
		var e *pgerr.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: no error (%v)", c.text, err)
			continue
		}
		// ParseExpr puts "SELECT " before the text.
		if at := strings.Index(c.text, c.caret) + len("SELECT ") + 1; e.Offset != at {
			t.Errorf("%s: offset %d, want %d (%v)", c.text, e.Offset, at, e)
		}
		if e.Hint != c.hint {
			t.Errorf("%s: hint %q, want %q", c.text, e.Hint, c.hint)
		}
	}
}

// A parameter takes the type of what it stands beside: what PREPARE p AS SELECT ... says.
func TestParameterTypes(t *testing.T) {
	for _, c := range []struct {
		op   string
		left *types.T
		want *types.T
	}{
		{"+", types.Int4T, types.Int4T},
		{"=", types.TextT, types.TextT},
		{"=", types.VarcharT, types.TextT},
		{">", types.TimestampTZT, types.TimestampTZT},
		{"||", types.TextT, types.TextT},
		{"=", types.UUIDT, types.UUIDT},
	} {
		r := newResolver()
		got := map[int]*types.T{}
		r.SetParam = func(n int, typ *types.T) error { got[n] = typ; return nil }
		left := &expr.ColRef{ID: 1, T: c.left, Mod: -1}
		if _, err := r.Operator("", c.op, left, &expr.Param{N: 1, T: types.UnknownT, Mod: -1}, -1); err != nil {
			t.Errorf("%s %s $1: %v", c.left, c.op, err)
		} else if got[1] != c.want {
			t.Errorf("%s %s $1: parameter is %v, want %v", c.left, c.op, got[1], c.want)
		}
	}
}

// domain builds a domain over int with NOT NULL and CHECK (VALUE > 0).
func domain() *types.T {
	return &types.T{
		OID: 50000, Name: "posint", Schema: "public", Kind: 'd', Category: 'N', Rep: types.RepInt, Base: types.Int4T,
		BaseTypmod: -1, NotNull: true, Checks: []types.DomainCheck{{Name: "posint_check", Expr: "VALUE > 0"}},
	}
}

func TestDomain(t *testing.T) {
	r := newResolver()
	r.BindCheck = func(base *types.T, _ string) (expr.Expr, error) {
		return r.Operator("", ">", &expr.CaseArg{T: base}, &expr.Const{D: types.Int(0), T: types.Int4T, Mod: -1, Loc: -1}, -1)
	}
	for _, c := range []struct {
		value types.Datum
		want  string
	}{
		{types.Int(5), "5"},
		{types.Int(-5), `ERROR 23514: value for domain posint violates check constraint "posint_check"`},
		{types.Null, "ERROR 23502: domain posint does not allow null values"},
	} {
		e, err := r.Coerce(&expr.Const{D: c.value, T: types.Int4T, Mod: -1, Loc: -1}, domain(), -1, expr.Explicit, -1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := run(&expr.Env{IO: r.IO}, e)
		if err != nil {
			got = failure(err)
		}
		if got = strings.ReplaceAll(got, "public.", ""); got != c.want {
			t.Errorf("%v: got %s, want %s", c.value, got, c.want)
		}
	}
	// A domain is resolved as what it is over: posint + 1 is an integer.
	e, err := r.Operator("", "+", &expr.ColRef{ID: 1, T: domain(), Mod: -1}, &expr.Const{D: types.Int(1), T: types.Int4T, Mod: -1}, -1)
	if err != nil || e.Type() != types.Int4T {
		t.Errorf("domain + 1: %v %v", e, err)
	}
}

// Set-returning functions give the rows that PostgreSQL gives.
func TestSets(t *testing.T) {
	r := newResolver()
	for text, want := range map[string]string{
		"generate_series(1, 3)":                           "1 2 3",
		"generate_series(5, 1, -2)":                       "5 3 1",
		"generate_series(1, 0)":                           "",
		"generate_series(2147483646, 2147483647)":         "2147483646 2147483647",
		"generate_series(1.0, 2.0, 0.5)":                  "1.0 1.5 2.0",
		"unnest(array['a', null, 'b'])":                   "a NULL b",
		"unnest('{{1,2},{3,4}}'::int[])":                  "1 2 3 4",
		"generate_subscripts('[0:2]={5,6,7}'::int[], 1)":  "0 1 2",
		"generate_subscripts(array[5,6], 1, true)":        "2 1",
		"string_to_table('a,b,', ',')":                    "a b ",
		"regexp_matches('foobarbaz', 'b(.)', 'g')":        "{a} {a}",
		"regexp_split_to_table('a1b22c', '[0-9]+')":       "a b c",
		"information_schema._pg_expandarray(array[7, 8])": "7,1 8,2",
	} {
		e, err := bindText(r, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := rows(r, e.(*expr.Call)); err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", text, got, err, want)
		}
	}
	e, err := bindText(r, "generate_series(1, 2, 0)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rows(r, e.(*expr.Call)); !pgerr.Is(err, pgerr.InvalidParameterValue) {
		t.Errorf("a step of zero: %v", err)
	}
}

func rows(r *expr.Resolver, c *expr.Call) (string, error) {
	env := &expr.Env{IO: r.IO}
	args := make([]types.Datum, len(c.Args))
	for i, a := range c.Args {
		f, err := expr.Compile(a, nil)
		if err != nil {
			return "", err
		}
		if args[i], err = f(env, nil); err != nil {
			return "", err
		}
	}
	set, err := c.Fn.Impl.SetOf(c)
	if err != nil {
		return "", err
	}
	var out []string
	err = set(env, args, func(row ...types.Datum) error {
		var cells []string
		for i, d := range row {
			t := c.T
			if t == types.RecordT || i > 0 {
				t = types.Int4T
			}
			if d.IsNull() {
				cells = append(cells, "NULL")
			} else {
				cells = append(cells, string(types.Output(r.IO, t, nil, d)))
			}
		}
		out = append(out, strings.Join(cells, ","))
		return nil
	})
	return strings.Join(out, " "), err
}

func TestTypeName(t *testing.T) {
	for text, want := range map[string]string{
		"int":                               "integer -1",
		"varchar(10)":                       "character varying(10) 14",
		"numeric(10,2)[]":                   "numeric(10,2)[] 655366",
		"timestamp(3) with time zone":       "timestamp(3) with time zone 3",
		"information_schema.sql_identifier": "information_schema.sql_identifier -1",
		"int4(3)":                           `ERROR 42601: type modifier is not allowed for type "int4"`,
		"nosuch[]":                          `ERROR 42704: type "nosuch[]" does not exist`,
		"nosuch.t":                          `ERROR 3F000: schema "nosuch" does not exist`,
		"varchar(0)":                        "ERROR 22023: length for type varchar must be at least 1",
	} {
		n, err := sql.ParseTypeName(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		typ, mod, err := newResolver().TypeName(n)
		got := failure(err)
		if err == nil {
			got = fmt.Sprintf("%s %d", types.FormatType(typ, mod), mod)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func col(id expr.ColID, t *types.T) *expr.ColRef { return &expr.ColRef{ID: id, T: t, Mod: -1} }

func TestTrees(t *testing.T) {
	r := newResolver()
	sum, err := r.Operator("", "+", col(1, types.Int4T), col(2, types.Int4T), -1)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := r.Operator("", "+", col(1, types.Int4T), col(2, types.Int4T), 7)
	other, _ := r.Operator("", "+", col(2, types.Int4T), col(1, types.Int4T), -1)
	if !expr.Equal(sum, again) || expr.Equal(sum, other) {
		t.Error("Equal is about the tree and not about where it was written")
	}
	if c := expr.Columns(sum); !c.Has(1) || !c.Has(2) || len(c) != 2 {
		t.Errorf("columns %v", c)
	}
	five := &expr.Const{D: types.Int(5), T: types.Int4T, Mod: -1, Loc: -1}
	folded := expr.Fold(nil, expr.Substitute(sum, map[expr.ColID]expr.Expr{1: five, 2: five}), false)
	if k, ok := folded.(*expr.Const); !ok || k.D.Int() != 10 {
		t.Errorf("5 + 5 folds to %#v", folded)
	}
	for text, want := range map[string]byte{"1 + 1": 'i', "random()": 'v', "'2020-01-01'::text::timestamptz": 's', "1::text": 'i'} {
		if e, err := bindText(r, text); err != nil || expr.Volatility(e) != want {
			t.Errorf("volatility of %s: %c (%v), want %c", text, expr.Volatility(e), err, want)
		}
	}
}

// Folding leaves what fails, what is volatile and what a dead branch holds.
func TestFold(t *testing.T) {
	r := newResolver()
	for text, constant := range map[string]bool{
		"1/0": false, "random()": false, "case when true then 1 else 1/0 end": true, "false and 1/0 = 1": true, "true or 1/0 = 1": true,
		"coalesce(1, 1/0)": true, "1/0 = 1 and false": true, "abs(null::int)": true, "lower('A')": true,
	} {
		e, err := bindText(r, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, ok := expr.Fold(nil, e, false).(*expr.Const); ok != constant {
			t.Errorf("%s: folded to a constant: %v, want %v", text, ok, constant)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	r := newResolver()
	gt, err := r.Operator("", ">", col(0, types.Int4T), &expr.Const{D: types.Int(10), T: types.Int4T, Mod: -1}, -1)
	if err != nil {
		b.Fatal(err)
	}
	eq, err := r.Operator("", "=", col(1, types.TextT), &expr.Const{D: types.Str("abc"), T: types.TextT, Mod: -1}, -1)
	if err != nil {
		b.Fatal(err)
	}
	sum, err := r.Operator("", "+", col(0, types.Int4T), col(2, types.Int8T), -1)
	if err != nil {
		b.Fatal(err)
	}
	layout := expr.Layout{0: 0, 1: 1, 2: 2}
	row := []types.Datum{types.Int(11), types.Str("abc"), types.Int(5)}
	for name, e := range map[string]expr.Expr{"int": gt, "text": eq, "and": &expr.And{Args: []expr.Expr{gt, eq}}, "sum": sum} {
		f, err := expr.Compile(e, layout)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			env := &expr.Env{IO: r.IO}
			for b.Loop() {
				if d, err := f(env, row); err != nil || d.IsNull() {
					b.Fatal(d, err)
				}
			}
		})
	}
}
