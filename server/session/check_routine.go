package session

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/executor/plpgsql"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// checkRoutine checks the body of a function that is being created, unless check_function_bodies is off.
func (s *Session) checkRoutine(ctx context.Context, snap *catalog.Snapshot, fn *catalog.Function, p *prepared) error {
	if v, ok := s.set.Raw("check_function_bodies"); ok && v == "off" {
		return nil
	}
	call := &expr.Call{Fn: expr.UserProc(fn), T: checkedType(fn.Ret), Mod: -1, Loc: -1}
	for _, a := range fn.Args {
		if a.Mode != 'o' && a.Mode != 't' {
			call.Args = append(call.Args, &expr.CaseArg{T: checkedType(a.Type)})
		}
	}
	switch fn.Language {
	case "plpgsql":
		_, err := plpgsql.Parse(s.resolver(snap), plpgsql.Definition{
			Name: fn.Name, Signature: s.signature(snap, fn), Args: arguments(snap, call), Result: s.resultOf(snap, call), Body: s.conformBody(fn.Source),
		})
		return inDefinition(err, fn, p, "compilation of PL/pgSQL function \""+fn.Name+"\" near line ")
	case "sql":
		return inDefinition(s.checkSQL(ctx, snap, call), fn, p, "")
	}
	return nil
}

// checkedType stands in for a polymorphic type while a body is checked.
func checkedType(t *types.T) *types.T {
	switch t.Name {
	case "anyelement", "anynonarray", "anycompatible", "anycompatiblenonarray":
		return types.Int4T
	case "anyarray", "anycompatiblearray":
		return types.ArrayOf(nil, types.Int4T)
	}
	return t
}

// inDefinition places an error of a body in the statement that has the body as a literal.
func inDefinition(err error, fn *catalog.Function, p *prepared, near string) error {
	var e *pgerr.Error
	if !errors.As(err, &e) {
		return err
	}
	c := *e
	body := fn.Source
	at := -1
	if p != nil && body != "" && strings.Count(p.source, body) == 1 {
		at = strings.Index(p.source, body)
	}
	switch {
	case (e.Offset > 0 || e.Position > 0) && at >= 0:
		if e.Position > 0 {
			c.Position, c.Offset = 0, len(string([]rune(body)[:min(e.Position-1, len([]rune(body)))]))+1
		}
		c.Offset += at
	case e.Offset > 0:
		c.Query, c.QueryPosition, c.Offset = body, len([]rune(body[:min(e.Offset-1, len(body))]))+1, 0
	}
	if near != "" && e.Offset == 0 && e.Position == 0 {
		c.Where = near + strconv.Itoa(1)
	}
	return &c
}

// checkSQL plans the statements of a function in LANGUAGE sql and compares the last one's columns with the result.
func (s *Session) checkSQL(ctx context.Context, snap *catalog.Snapshot, call *expr.Call) error {
	fn := call.Fn.User
	for _, a := range fn.Args {
		if a.Type.IsPolymorphic() {
			return nil // its statements have no types before it is called
		}
	}
	stmts, err := s.parseSQL(fn)
	if err != nil {
		return err
	}
	ret, vars := s.resultOf(snap, call), sqlArguments(fn.Name, arguments(snap, call), snap)
	context := "SQL function \"" + fn.Name + "\""
	var last *planner.Plan
	for i := range stmts {
		last = nil
		if ok, _ := classify(stmts[i].Node); !ok {
			continue
		}
		c := s.planContext(ctx, snap, nil)
		c.Variables = vars
		if last, err = planner.PlanStatement(ctx, c, stmts[i].Node); err != nil {
			// A later statement may need what an earlier one makes.
			if i > 0 && (pgerr.Is(err, pgerr.UndefinedTable) || pgerr.Is(err, pgerr.UndefinedColumn)) {
				return nil
			}
			return withWhere(err, context)
		}
	}
	if ret.Type.Name == "void" || ret.Procedure && len(planner.OutFields(snap, call)) == 0 {
		return nil
	}
	if last == nil || last.Cols == nil {
		return returnMismatch(ret.Type).WithDetail("Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.").WithWhere("%s", context)
	}
	return withWhere(checkColumns(s.resolver(snap), &ret, last.Cols), context)
}

func withWhere(err error, line string) error {
	var e *pgerr.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Offset > 0 || e.Position > 0 {
		return err
	}
	return e.WithWhere("%s", line)
}

// checkColumns compares a query's columns with a function's result.
func checkColumns(r *expr.Resolver, ret *plpgsql.Result, cols []planner.Col) error {
	if !ret.Row {
		if ret.Type == types.RecordT || ret.Procedure {
			return nil
		}
		if len(cols) != 1 {
			return returnMismatch(ret.Type).WithDetail("Final statement must return exactly one column.")
		}
		if !r.CanCoerce(cols[0].Type, ret.Type, expr.Assignment) {
			return returnMismatch(ret.Type).WithDetail("Actual return type is %s.", types.FormatType(cols[0].Type, -1))
		}
		return nil
	}
	if len(cols) == 1 && (cols[0].Type == types.RecordT || cols[0].Type.BaseType().Kind == 'c') {
		return nil
	}
	switch {
	case len(cols) < len(ret.Fields):
		return returnMismatch(ret.Type).WithDetail("Final statement returns too few columns.")
	case len(cols) > len(ret.Fields):
		return returnMismatch(ret.Type).WithDetail("Final statement returns too many columns.")
	}
	for i, f := range ret.Fields {
		if !r.CanCoerce(cols[i].Type, f.Type, expr.Assignment) {
			return returnMismatch(ret.Type).WithDetail("Final statement returns %s instead of %s at column %d.",
				types.FormatType(cols[i].Type, -1), types.FormatType(f.Type, -1), i+1)
		}
	}
	return nil
}
