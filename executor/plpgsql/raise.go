package plpgsql

import (
	"context"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// text is an expression's value as RAISE shows it.
func (f *frame) text(ctx context.Context, q *query) (string, bool, error) {
	d, t, err := f.eval(ctx, q)
	if err != nil || d.IsNull() {
		return "", false, err
	}
	return string(types.Output(f.host.IO(), t, nil, d)), true, nil
}

func (f *frame) raise(ctx context.Context, s *raiseStmt) error {
	if s.rethrow {
		if f.caught == nil {
			return pgerr.New(pgerr.StackedDiagnosticsAccessedWithoutActiveHandler, "RAISE without parameters cannot be used outside an exception handler")
		}
		return f.caught
	}
	e := &pgerr.Error{}
	condName := ""
	if s.cond != "" {
		e.Code, condName = codeOf(s.cond), s.cond
	}
	if s.hasText {
		msg, err := f.format(ctx, s)
		if err != nil {
			return err
		}
		e.Message = msg
	}
	hasMessage, given := s.hasText, map[string]bool{}
	for _, o := range s.options {
		v, ok, err := f.text(ctx, o.value)
		if err != nil {
			return err
		}
		if !ok {
			return pgerr.New(pgerr.NullValueNotAllowed, "RAISE statement option cannot be null")
		}
		if given[o.name] || o.name == "message" && s.hasText || o.name == "errcode" && s.cond != "" {
			return pgerr.New(pgerr.SyntaxError, "RAISE option already specified: %s", strings.ToUpper(o.name))
		}
		given[o.name] = true
		switch o.name {
		case "errcode":
			if !validState(v) && conditionCodes(v) == nil {
				return pgerr.New(pgerr.UndefinedObject, "unrecognized exception condition \"%s\"", v)
			}
			e.Code, condName = codeOf(v), v
		case "message":
			e.Message, hasMessage = v, true
		case "detail":
			e.Detail = v
		case "hint":
			e.Hint = v
		case "column":
			e.Column = v
		case "constraint":
			e.Constraint = v
		case "datatype":
			e.DataType = v
		case "table":
			e.Table = v
		case "schema":
			e.Schema = v
		}
	}
	if !hasMessage {
		if e.Message = condName; condName == "" {
			e.Message = "P0001"
		}
	}
	if s.level == "EXCEPTION" {
		if e.Code == "" {
			e.Code = pgerr.RaiseException
		}
		return e
	}
	if e.Code == "" {
		if e.Code = pgerr.SuccessfulCompletion; s.level == "WARNING" {
			e.Code = pgerr.Warning
		}
	}
	e.Severity, e.Where = s.level, f.host.Context()
	f.host.Notice(e)
	return nil
}

func codeOf(cond string) pgerr.Code {
	if codes := conditionCodes(cond); codes != nil {
		return pgerr.Code(codes[0])
	}
	return pgerr.Code(cond)
}

// format fills in the placeholders of RAISE's text.
func (f *frame) format(ctx context.Context, s *raiseStmt) (string, error) {
	var b strings.Builder
	next := 0
	for i := 0; i < len(s.format); i++ {
		c := s.format[i]
		if c != '%' {
			b.WriteByte(c)
			continue
		}
		if i+1 < len(s.format) && s.format[i+1] == '%' {
			b.WriteByte('%')
			i++
			continue
		}
		v, ok, err := f.text(ctx, s.params[next])
		if err != nil {
			return "", err
		}
		if !ok {
			v = "<NULL>"
		}
		b.WriteString(v)
		next++
	}
	return b.String(), nil
}

func (f *frame) diagnostics(ctx context.Context, s *diagStmt) error {
	e := f.caught
	if s.stacked && e == nil {
		return pgerr.New(pgerr.StackedDiagnosticsAccessedWithoutActiveHandler, "GET STACKED DIAGNOSTICS cannot be used outside an exception handler")
	}
	for _, it := range s.items {
		var d types.Datum
		t := types.TextT
		switch it.item {
		case "row_count":
			d, t = types.Int(f.rowCount), types.Int8T
		case "pg_context":
			d = types.Str(f.host.Context())
		default:
			d = types.Str(diagnosticOf(e, it.item))
		}
		if err := f.storeAt(ctx, it.target.places[0], d, t); err != nil {
			return err
		}
	}
	return nil
}

func diagnosticOf(e *pgerr.Error, item string) string {
	switch item {
	case "pg_exception_context":
		return e.Where
	case "pg_exception_detail":
		return e.Detail
	case "pg_exception_hint":
		return e.Hint
	case "returned_sqlstate":
		return string(e.Code)
	case "column_name":
		return e.Column
	case "constraint_name":
		return e.Constraint
	case "pg_datatype_name":
		return e.DataType
	case "message_text":
		return e.Message
	case "table_name":
		return e.Table
	}
	return e.Schema
}

// usingParams are the parameters that EXECUTE gives by USING; its text sees no variables.
type usingParams struct{ types []*types.T }

func (u *usingParams) variables() planner.Variables { return u }

func (u *usingParams) Name([]string) (expr.Expr, error) { return nil, nil }

func (u *usingParams) Prefer() planner.Preference { return planner.PreferColumn }

func (u *usingParams) Param(n int) (expr.Expr, error) {
	if n < 1 || n > len(u.types) {
		return nil, pgerr.New(pgerr.UndefinedParameter, "there is no parameter $%d", n)
	}
	return &expr.Param{N: n, T: u.types[n-1], Mod: -1}, nil
}
