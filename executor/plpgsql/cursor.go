package plpgsql

import (
	"context"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func (f *frame) cursorName(v int) (string, error) {
	d := f.vals[v].d
	if d.IsNull() {
		return "", pgerr.New(pgerr.NullValueNotAllowed, "cursor variable \"%s\" is null", f.code.vars[v].name)
	}
	return d.Str(), nil
}

func (f *frame) open(ctx context.Context, s *openStmt) error {
	name := f.vals[s.cursor].d.Str()
	switch {
	case s.dyn != nil:
		st, params, _, err := f.dynamic(ctx, s.dyn)
		if err == nil {
			name, err = f.host.OpenCursor(ctx, name, st, params, s.noScroll)
		}
		if err != nil {
			return err
		}
	case s.query != nil:
		err := f.ready(ctx, s.query)
		if err == nil {
			name, err = f.host.OpenCursor(ctx, name, s.query.stmt, f.params(s.query), s.noScroll)
		}
		if err != nil {
			return err
		}
	default:
		_, err := f.openBound(ctx, s.cursor, s.args)
		return err
	}
	f.vals[s.cursor].d = types.Str(name)
	return nil
}

// openBound opens a bound cursor with the values of its arguments.
func (f *frame) openBound(ctx context.Context, v int, args *query) (string, error) {
	decl := f.code.vars[v].cursor
	if args != nil {
		if err := f.ready(ctx, args); err != nil {
			return "", err
		}
		cols := args.stmt.Cols()
		t := target{list: true}
		for _, a := range decl.args {
			t.places = append(t.places, place{v: a})
		}
		_, err := f.run(ctx, args, f.params(args), 0, func(row []types.Datum) error { return f.storeRow(ctx, &t, cols, row) })
		if err != nil {
			return "", err
		}
	}
	if err := f.ready(ctx, decl.query); err != nil {
		return "", err
	}
	name, err := f.host.OpenCursor(ctx, f.vals[v].d.Str(), decl.query.stmt, f.params(decl.query), decl.noScroll)
	if err == nil {
		f.vals[v].d = types.Str(name)
	}
	return name, err
}

func (f *frame) fetch(ctx context.Context, s *fetchStmt) error {
	name, err := f.cursorName(s.cursor)
	if err != nil {
		return err
	}
	count := s.count
	if s.countExpr != nil {
		if count, err = f.fetchCount(ctx, s.countExpr); err != nil {
			return err
		}
	}
	cols, rows, err := f.host.FetchCursor(ctx, name, s.direction, count)
	if err != nil {
		return err
	}
	f.rowCount = int64(len(rows))
	f.vals[f.code.found].d = types.Bool(len(rows) > 0)
	if s.move {
		return nil
	}
	var row []types.Datum
	if len(rows) > 0 {
		row = rows[0]
	}
	return f.storeRow(ctx, s.target, cols, row)
}

func (f *frame) fetchCount(ctx context.Context, q *query) (int64, error) {
	d, t, err := f.eval(ctx, q)
	if err == nil {
		d, err = f.convert(ctx, d, t, types.Int4T, -1)
	}
	if err == nil && d.IsNull() {
		err = pgerr.New(pgerr.NullValueNotAllowed, "relative or absolute cursor position is null")
	}
	return d.Int(), err
}

// callProcedure is CALL and DO inside a body.
func (f *frame) callProcedure(ctx context.Context, s *callStmt) error {
	if err := f.ready(ctx, s.query); err != nil {
		return err
	}
	var row []types.Datum
	_, err := f.run(ctx, s.query, f.params(s.query), 0, func(r []types.Datum) error {
		row = append([]types.Datum(nil), r...)
		return nil
	})
	if err != nil || row == nil || !s.isCall {
		return err
	}
	t, err := f.callTargets(s)
	if err != nil {
		return err
	}
	return f.storeRow(ctx, t, s.query.stmt.Cols(), row)
}

// callTargets are the variables that a procedure's OUT and INOUT arguments go to.
func (f *frame) callTargets(s *callStmt) (*target, error) {
	t := &target{list: true}
	outs := s.query.stmt.CallOutputs()
	for i, path := range outs {
		v, rest, ok := s.query.ns.find(append(path, "")[:max(len(path), 1)])
		if len(path) == 0 || !ok {
			return nil, pgerr.New(pgerr.SyntaxError, "procedure parameter \"%s\" is an output parameter but corresponding argument is not writable", s.query.stmt.Cols()[i].Name)
		}
		t.places = append(t.places, place{v: v, fields: rest})
	}
	return t, nil
}
