package session

import (
	"context"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/executor/plpgsql"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// sqlCode is a function in LANGUAGE sql, ready to run in this session.
type sqlCode struct {
	stmts []*codeStatement
	vars  *sqlArgs
	ret   plpgsql.Result
	text  string
	busy  bool
}

// sqlArgs are the arguments of a function in LANGUAGE sql, as planner.Variables.
type sqlArgs struct {
	function string
	names    []string
	types    []*types.T
	fields   func(t *types.T) []types.Field
}

// Prefer implements planner.Variables.
func (a *sqlArgs) Prefer() planner.Preference { return planner.PreferColumn }

// Param implements planner.Variables.
func (a *sqlArgs) Param(n int) (expr.Expr, error) {
	if n < 1 || n > len(a.types) {
		return nil, pgerr.New(pgerr.UndefinedParameter, "there is no parameter $%d", n)
	}
	return &expr.Param{N: n, T: a.types[n-1], Mod: -1}, nil
}

// Name implements planner.Variables.
func (a *sqlArgs) Name(path []string) (expr.Expr, error) {
	if len(path) > 1 && path[0] == a.function {
		if x, err := a.find(path[1:]); x != nil || err != nil {
			return x, err
		}
	}
	return a.find(path)
}

func (a *sqlArgs) find(path []string) (expr.Expr, error) {
	for i, n := range a.names {
		if n == "" || n != path[0] {
			continue
		}
		var x expr.Expr = &expr.Param{N: i + 1, T: a.types[i], Mod: -1}
		for _, f := range path[1:] {
			found := false
			for j, fd := range a.fields(x.Type()) {
				if fd.Name == f {
					x, found = &expr.Field{X: x, Index: j, Name: f, T: fd.Type, Mod: fd.Typmod}, true
					break
				}
			}
			if !found {
				return nil, nil
			}
		}
		return x, nil
	}
	return nil, nil
}

// sqlArguments are the arguments of a function as its SQL sees them.
func sqlArguments(fn string, args []plpgsql.Argument, snap *catalog.Snapshot) *sqlArgs {
	a := &sqlArgs{function: fn, fields: func(t *types.T) []types.Field { return fieldsOf(snap, t.BaseType()) }}
	for _, arg := range args {
		if arg.Mode != 'o' && arg.Mode != 't' {
			a.names, a.types = append(a.names, arg.Name), append(a.types, arg.Type)
		}
	}
	return a
}

func (s *Session) sqlCode(ctx context.Context, c *expr.Call) (*sqlCode, error) {
	fn := c.Fn.User
	compile := func(snap *catalog.Snapshot) (*compiled, error) {
		code := &sqlCode{vars: sqlArguments(fn.Name, arguments(snap, c), snap), ret: s.resultOf(snap, c), text: fn.Source}
		stmts, err := s.parseSQL(fn)
		if err != nil {
			return nil, err
		}
		for i := range stmts {
			code.stmts = append(code.stmts, &codeStatement{s: s, prep: newPrepared(&stmts[i])})
		}
		return &compiled{sql: code}, nil
	}
	k, err := s.code(ctx, keyOf(c), fn, compile)
	if err != nil {
		return nil, err
	}
	if k.sql.busy {
		// A function that calls itself needs statements of its own.
		if k, err = compile(k.snap); err != nil {
			return nil, err
		}
	}
	return k.sql, nil
}

// parseSQL gives the statements of a function in LANGUAGE sql.
func (s *Session) parseSQL(fn *catalog.Function) ([]sql.Statement, error) {
	if fn.Body != "" {
		return sql.ParseBody(fn.Body)
	}
	return sql.Parse(s.conformBody(fn.Source))
}

// callSQL runs a function in LANGUAGE sql: each statement in turn; the last one's rows are the result.
func (s *Session) callSQL(ctx context.Context, h *host, c *expr.Call, args []types.Datum) (plpgsql.Returned, error) {
	code, err := s.sqlCode(ctx, c)
	if err != nil {
		return plpgsql.Returned{}, err
	}
	if err := code.mayRun(h); err != nil {
		return plpgsql.Returned{}, inFunction(h, err, code.text, "SQL function \""+c.Fn.Name+"\" during startup")
	}
	code.busy = true
	defer func() { code.busy = false }()
	var out plpgsql.Returned
	at := 0
	line := func() string { return "SQL function \"" + c.Fn.Name + "\" statement " + strconv.Itoa(at+1) }
	h.Push(line)
	defer h.Pop()
	for i, st := range code.stmts {
		at = i
		last := i == len(code.stmts)-1
		if err := s.sqlStatement(ctx, h, c, code, st, args, last, &out); err != nil {
			return out, inFunction(h, err, code.text, line())
		}
	}
	return s.sqlResult(c, code, out)
}

func (s *Session) sqlResult(c *expr.Call, code *sqlCode, out plpgsql.Returned) (plpgsql.Returned, error) {
	ret := &code.ret
	switch {
	case ret.Procedure:
		n := 0
		for _, a := range c.Fn.User.Args {
			if a.Mode == 'o' || a.Mode == 'b' {
				n++
			}
		}
		if n > 0 {
			out.Outs = make([]types.Datum, n)
			if len(out.Rows) > 0 {
				out.Outs = out.Rows[0]
			}
		}
	case ret.Set:
	case len(out.Rows) == 0:
		out.Value = types.Null
	case ret.Row && len(out.Rows[0]) == 1 && (len(ret.Fields) != 1 || isRecord(out.Rows[0][0])):
		out.Value = out.Rows[0][0]
	case ret.Row:
		rec := &types.Record{Vals: out.Rows[0]}
		for _, f := range ret.Fields {
			rec.Types, rec.Names = append(rec.Types, f.Type), append(rec.Names, f.Name)
		}
		out.Value = types.Ref(rec)
	default:
		out.Value = out.Rows[0][0]
	}
	return out, nil
}

func (s *Session) sqlStatement(ctx context.Context, h *host, c *expr.Call, code *sqlCode, st *codeStatement, args []types.Datum, last bool, out *plpgsql.Returned) error {
	if err := st.Plan(ctx, h, func() planner.Variables { return code.vars }, false); err != nil {
		return err
	}
	ret := &code.ret
	keep := last && ret.Type.Name != "void" && (!ret.Procedure || len(planner.OutFields(s.last, c)) > 0)
	max := int64(0)
	if keep && !ret.Set && st.Tag() == "SELECT" {
		max = 1
	}
	var fit func(row []types.Datum) ([]types.Datum, error)
	if keep {
		var err error
		if fit, err = s.sqlFit(ctx, h, c, ret, st.Cols()); err != nil {
			return err
		}
	}
	_, err := st.Run(ctx, h, args, max, func(row []types.Datum) error {
		if !keep || !ret.Set && len(out.Rows) > 0 {
			return nil
		}
		row, err := fit(row)
		out.Rows = append(out.Rows, row)
		return err
	})
	return err
}

// sqlFit makes the conversion of the last statement's rows to the function's result.
func (s *Session) sqlFit(ctx context.Context, h *host, c *expr.Call, ret *plpgsql.Result, cols []planner.Col) (func([]types.Datum) ([]types.Datum, error), error) {
	want := ret.Fields
	if ret.Procedure && !ret.Row {
		want = planner.OutFields(s.last, c)
	} else if !ret.Row {
		want = []types.Field{{Type: ret.Type, Typmod: -1}}
	}
	if ret.Row && len(cols) == 1 && (cols[0].Type.BaseType().Kind == 'c' || cols[0].Type == types.RecordT) && !(len(want) == 1 && want[0].Type == cols[0].Type) {
		// One row value is the whole row. What reads it as columns compares their types.
		if ret.Procedure {
			return func(row []types.Datum) ([]types.Datum, error) {
				if row[0].IsNull() {
					return make([]types.Datum, len(want)), nil
				}
				return row[0].Record().Vals, nil
			}, nil
		}
		if ret.Type.Kind == 'd' {
			check, err := h.Convert(ctx, ret.Type.BaseType(), ret.Type, -1)
			return func(row []types.Datum) ([]types.Datum, error) {
				d, err := check(row[0])
				return []types.Datum{d}, err
			}, err
		}
		return copyRow, nil
	}
	if ret.Type == types.RecordT && !ret.Row && !ret.Procedure {
		if len(cols) == 1 && cols[0].Type == types.RecordT {
			return copyRow, nil
		}
		return func(row []types.Datum) ([]types.Datum, error) {
			rec := &types.Record{Vals: append([]types.Datum(nil), row...)}
			for _, c := range cols {
				rec.Types, rec.Names = append(rec.Types, c.Type), append(rec.Names, c.Name)
			}
			return []types.Datum{types.Ref(rec)}, nil
		}, nil
	}
	if len(c.Cols) > 0 { // a definition of a record's columns, which the function's definition did not know
		if err := checkColumns(s.resolver(s.last), ret, cols); err != nil {
			return nil, err
		}
	}
	if len(cols) != len(want) {
		return nil, returnMismatch(ret.Type)
	}
	conv := make([]func(types.Datum) (types.Datum, error), len(want))
	for i := range want {
		if cols[i].Type == want[i].Type && (want[i].Typmod < 0 || cols[i].Mod == want[i].Typmod) {
			continue
		}
		var err error
		if conv[i], err = h.Convert(ctx, cols[i].Type, want[i].Type, want[i].Typmod); err != nil {
			return nil, err
		}
	}
	return func(row []types.Datum) ([]types.Datum, error) {
		out, _ := copyRow(row)
		for i, f := range conv {
			if f == nil {
				continue
			}
			var err error
			if out[i], err = f(row[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	}, nil
}

func isRecord(d types.Datum) bool {
	_, ok := d.Ref().(*types.Record)
	return ok
}

func copyRow(row []types.Datum) ([]types.Datum, error) {
	return append([]types.Datum(nil), row...), nil
}

func returnMismatch(t *types.T) *pgerr.Error {
	return pgerr.New(pgerr.InvalidFunctionDefinition, "return type mismatch in function declared to return %s", types.FormatType(t, -1))
}

// inFunction says where in a function in LANGUAGE sql an error arose.
func inFunction(h *host, err error, text, line string) error {
	e := h.Catchable(err)
	if e == nil {
		return err
	}
	c := *e
	if e.Query == "" && text != "" && (e.Offset > 0 || e.Position > 0) {
		c.Query, c.QueryPosition = text, e.Position
		if e.Offset > 0 {
			c.QueryPosition = len([]rune(text[:min(e.Offset-1, len(text))])) + 1
		}
		c.Offset, c.Position = 0, 0
	}
	c.Where = strings.TrimPrefix(c.Where+"\n"+line, "\n")
	return &c
}

// mayRun refuses statements that change data in a function that is not volatile.
func (c *sqlCode) mayRun(h *host) error {
	if !h.readOnly {
		return nil
	}
	for _, st := range c.stmts {
		switch st.prep.kind {
		case "insert", "update", "delete", "merge":
			return pgerr.New(pgerr.FeatureNotSupported, "%s is not allowed in a non-volatile function", strings.ToUpper(st.prep.kind))
		}
	}
	return nil
}
