package plpgsql

import (
	"errors"
	"testing"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func parse(body string, r Result) (*Code, error) {
	return Parse(&expr.Resolver{Path: []string{"pg_catalog"}, IO: types.DefaultIO()}, Definition{Name: "f", Signature: "f()", Result: r, Body: body})
}

// TestParseErrors has PostgreSQL's words and places for bodies that it refuses; at is the text that the place starts with.
func TestParseErrors(t *testing.T) {
	scalar := Result{Type: types.Int4T}
	for _, c := range []struct {
		body string
		ret  Result
		code pgerr.Code
		text string
		at   string
	}{
		{"BEGIN x := 1; END", scalar, pgerr.SyntaxError, `"x" is not a known variable`, "x := 1"},
		{"BEGIN RETURN; END", scalar, pgerr.SyntaxError, `missing expression at or near ";"`, "; END"},
		{"BEGIN RETURN 1 END", scalar, pgerr.SyntaxError, "syntax error at end of input", ""},
		{"BEGIN RETURN (1; END", scalar, pgerr.SyntaxError, `mismatched parentheses at or near ";"`, "; END"},
		{"BEGIN RETURN 1 +; END", scalar, pgerr.SyntaxError, "syntax error at end of input", "; END"},
		{"BEGIN EXIT; END", scalar, pgerr.SyntaxError, "EXIT cannot be used outside a loop, unless it has a label", "EXIT"},
		{"BEGIN LOOP CONTINUE nolabel; END LOOP; END", scalar, pgerr.SyntaxError, `there is no label "nolabel" attached to any block or loop enclosing this statement`, "nolabel"},
		{"<<a>> BEGIN NULL; END b", scalar, pgerr.SyntaxError, `end label "b" differs from block's label "a"`, "b"},
		{"DECLARE x int; x text; BEGIN END", scalar, pgerr.SyntaxError, `duplicate declaration at or near "x"`, "x text"},
		{"DECLARE x CONSTANT int := 1; BEGIN x := 2; END", scalar, pgerr.ErrorInAssignment, `variable "x" is declared CONSTANT`, "x := 2"},
		{"DECLARE x int NOT NULL; BEGIN END", scalar, pgerr.NullValueNotAllowed, `variable "x" must have a default value, since it's declared NOT NULL`, "x int"},
		{"BEGIN RETURN NEXT 1; END", scalar, pgerr.DatatypeMismatch, "cannot use RETURN NEXT in a non-SETOF function", "NEXT"},
		{"BEGIN RETURN 1; END", Result{Type: types.Int4T, Set: true}, pgerr.DatatypeMismatch, "RETURN cannot have a parameter in function returning set", "1"},
		{"BEGIN RAISE NOTICE '%'; END", scalar, pgerr.SyntaxError, "too few parameters specified for RAISE", ""},
		{"BEGIN RAISE NOTICE '', 1; END", scalar, pgerr.SyntaxError, "too many parameters specified for RAISE", ""},
		{"BEGIN NULL; EXCEPTION WHEN nosuch THEN NULL; END", scalar, pgerr.UndefinedObject, `unrecognized exception condition "nosuch"`, ""},
		{"BEGIN GET DIAGNOSTICS x = RETURNED_SQLSTATE; END", scalar, pgerr.SyntaxError, `"x" is not a known variable`, "x ="},
		{"BEGIN SELEC 1; END", scalar, pgerr.SyntaxError, `syntax error at or near "SELEC"`, "SELEC"},
		{"BEGIN IF true THEN NULL; END; END", scalar, pgerr.SyntaxError, `syntax error at or near ";"`, "; END"},
	} {
		_, err := parse(c.body, c.ret)
		var e *pgerr.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		at := ""
		if e.Offset > 0 && e.Offset <= len(c.body) {
			at = c.body[e.Offset-1:]
		}
		if e.Code != c.code || e.Message != c.text || len(at) < len(c.at) || at[:len(c.at)] != c.at {
			t.Errorf("%s\n  got:  %s %s at %q\n  want: %s %s at %q", c.body, e.Code, e.Message, at, c.code, c.text, c.at)
		}
	}
}

// TestStatements checks how bodies are taken apart: the kind and line of each statement.
func TestStatements(t *testing.T) {
	body := "DECLARE\n x int := 1; r record;\nBEGIN\n x := 2;\n IF x > 1 THEN\n  PERFORM f(x);\n END IF;\n FOR i IN 1..10 LOOP NULL; END LOOP;\n" +
		" FOR r IN SELECT 1 LOOP NULL; END LOOP;\n FOR r IN EXECUTE 'SELECT 1' LOOP NULL; END LOOP;\n INSERT INTO t VALUES (1) RETURNING a INTO x;\n RETURN x;\nEND"
	code, err := parse(body, Result{Type: types.Int4T})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		what string
		line int
	}{
		{"assignment", 4},
		{"IF", 5},
		{"FOR with integer loop variable", 8},
		{"FOR over SELECT rows", 9},
		{"FOR over EXECUTE statement", 10},
		{"SQL statement", 11},
		{"RETURN", 12},
	}
	if len(code.body.body) != len(want) {
		t.Fatalf("%d statements", len(code.body.body))
	}
	for i, s := range code.body.body {
		if s.what() != want[i].what || s.line() != want[i].line {
			t.Errorf("statement %d: %s in line %d, want %s in line %d", i, s.what(), s.line(), want[i].what, want[i].line)
		}
	}
	ins := code.body.body[5].(*sqlStmt)
	if ins.into == nil || ins.query.text != "INSERT INTO t VALUES (1) RETURNING a" {
		t.Errorf("INTO was not taken out: %q", ins.query.text)
	}
}

func TestConditions(t *testing.T) {
	for _, c := range []struct {
		cond condition
		code string
		want bool
	}{
		{condition{others: true}, "22012", true},
		{condition{others: true}, "57014", false},
		{condition{others: true}, "P0004", false},
		{condition{code: "22000"}, "22012", true},
		{condition{code: "22012"}, "22012", true},
		{condition{code: "22012"}, "22003", false},
	} {
		if got := c.cond.matches(c.code); got != c.want {
			t.Errorf("%+v matches %s: %v", c.cond, c.code, got)
		}
	}
	if codes := conditionCodes("string_data_right_truncation"); len(codes) != 2 {
		t.Errorf("string_data_right_truncation is %v", codes)
	}
}
