package plpgsql

import (
	"context"
	"math"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func (f *frame) loop(ctx context.Context, s stmt) (flow, error) {
	switch s := s.(type) {
	case *loopStmt:
		for {
			if how, stop, err := f.turn(ctx, s.label, s.body); stop || err != nil {
				return how, err
			}
		}
	case *whileStmt:
		for {
			ok, err := f.condition(ctx, s.cond)
			if err != nil || !ok {
				return goOn, err
			}
			if how, stop, err := f.turn(ctx, s.label, s.body); stop || err != nil {
				return how, err
			}
		}
	case *forIntStmt:
		return f.forInt(ctx, s)
	case *forQueryStmt:
		return f.forQuery(ctx, s)
	case *forCursorStmt:
		return f.forCursor(ctx, s)
	}
	return f.foreach(ctx, s.(*foreachStmt))
}

// turn runs a loop's body once; stop says that the loop ends, with how.
func (f *frame) turn(ctx context.Context, label string, body []stmt) (how flow, stop bool, err error) {
	if err := ctx.Err(); err != nil {
		return goOn, true, err
	}
	save := f.cur
	how, err = f.list(ctx, body)
	if err != nil {
		return how, true, err
	}
	f.cur = save
	switch how {
	case done:
		return done, true, nil
	case leave:
		if f.label == "" || f.label == label {
			f.label = ""
			return goOn, true, nil
		}
		return leave, true, nil
	case again:
		if f.label == "" || f.label == label {
			f.label = ""
			return goOn, false, nil
		}
		return again, true, nil
	}
	return goOn, false, nil
}

func (f *frame) bound(ctx context.Context, q *query, what string) (int64, error) {
	d, t, err := f.eval(ctx, q)
	if err != nil {
		return 0, err
	}
	if d, err = f.convert(ctx, d, t, types.Int4T, -1); err != nil {
		return 0, err
	}
	if d.IsNull() {
		return 0, pgerr.New(pgerr.NullValueNotAllowed, "%s of FOR loop cannot be null", what)
	}
	return d.Int(), nil
}

func (f *frame) forInt(ctx context.Context, s *forIntStmt) (flow, error) {
	from, err := f.bound(ctx, s.from, "lower bound")
	if err != nil {
		return goOn, err
	}
	to, err := f.bound(ctx, s.to, "upper bound")
	if err != nil {
		return goOn, err
	}
	by := int64(1)
	if s.by != nil {
		if by, err = f.bound(ctx, s.by, "BY value"); err != nil {
			return goOn, err
		}
		if by <= 0 {
			return goOn, pgerr.New(pgerr.InvalidParameterValue, "BY value of FOR loop must be greater than zero")
		}
	}
	if s.reverse {
		by = -by
	}
	found := false
	defer func() { f.vals[f.code.found].d = types.Bool(found) }()
	for i := from; by > 0 && i <= to || by < 0 && i >= to; i += by {
		found = true
		f.vals[s.v].d = types.Int(i)
		if how, stop, err := f.turn(ctx, s.label, s.body); stop || err != nil {
			return how, err
		}
		if i+by > math.MaxInt32 || i+by < math.MinInt32 {
			break
		}
	}
	return goOn, nil
}

// rowsOf runs a query or EXECUTE and gives its rows with their columns.
func (f *frame) rowsOf(ctx context.Context, q *query, dyn *dynamic, each func(cols []planner.Col, row []types.Datum) error) error {
	if dyn != nil {
		st, params, text, err := f.dynamic(ctx, dyn)
		if err != nil {
			return err
		}
		_, err = f.runStatement(ctx, st, params, 0, text, func(row []types.Datum) error { return each(st.Cols(), row) })
		return err
	}
	if err := f.ready(ctx, q); err != nil {
		return err
	}
	st := q.stmt
	_, err := f.runStatement(ctx, st, f.params(q), 0, q.text, func(row []types.Datum) error { return each(st.Cols(), row) })
	return err
}

func (f *frame) forQuery(ctx context.Context, s *forQueryStmt) (how flow, err error) {
	// The rows are read before the first turn: what the body changes must not be seen by the query, and the body's
	// statements are not part of it.
	rows := f.host.Keep()
	defer func() {
		if cerr := rows.Release(); err == nil {
			err = cerr
		}
	}()
	var cols []planner.Col
	err = f.rowsOf(ctx, s.query, s.dyn, func(c []planner.Col, row []types.Datum) error {
		cols = c
		return rows.Add(row)
	})
	if err != nil {
		return goOn, err
	}
	if rows.Len() == 0 {
		if s.query != nil {
			cols = s.query.stmt.Cols()
		}
		f.vals[f.code.found].d = types.False
		if cols != nil {
			return goOn, f.storeRow(ctx, &s.target, cols, nil)
		}
		return goOn, nil
	}
	defer func() { f.vals[f.code.found].d = types.True }()
	for i := range rows.Len() {
		row, err := rows.Row(i)
		if err != nil {
			return goOn, err
		}
		if err := f.storeRow(ctx, &s.target, cols, row); err != nil {
			return goOn, err
		}
		if how, stop, err := f.turn(ctx, s.label, s.body); stop || err != nil {
			return how, err
		}
	}
	return goOn, nil
}

func (f *frame) forCursor(ctx context.Context, s *forCursorStmt) (flow, error) {
	if !f.vals[s.cursor].d.IsNull() {
		if _, _, err := f.host.FetchCursor(ctx, f.vals[s.cursor].d.Str(), Relative, 0); err == nil {
			return goOn, pgerr.New(pgerr.DuplicateCursor, "cursor \"%s\" already in use", f.vals[s.cursor].d.Str())
		}
	}
	unnamed := f.vals[s.cursor].d.IsNull()
	name, err := f.openBound(ctx, s.cursor, s.args)
	if err != nil {
		return goOn, err
	}
	t := target{places: []place{{v: s.v}}}
	found := false
	defer func() { f.vals[f.code.found].d = types.Bool(found) }()
	for {
		cols, rows, err := f.host.FetchCursor(ctx, name, Forward, 1)
		if err != nil {
			return goOn, err
		}
		if len(rows) == 0 {
			break
		}
		found = true
		if err := f.storeRow(ctx, &t, cols, rows[0]); err != nil {
			return goOn, err
		}
		if how, stop, err := f.turn(ctx, s.label, s.body); stop || err != nil {
			if err == nil {
				err = f.host.CloseCursor(ctx, name)
			}
			return how, err
		}
	}
	if unnamed {
		f.vals[s.cursor].d = types.Null
	}
	return goOn, f.host.CloseCursor(ctx, name)
}

func (f *frame) foreach(ctx context.Context, s *foreachStmt) (flow, error) {
	d, t, err := f.eval(ctx, s.array)
	if err != nil {
		return goOn, err
	}
	if d.IsNull() {
		return goOn, pgerr.New(pgerr.NullValueNotAllowed, "FOREACH expression must not be null")
	}
	at := t.BaseType()
	if !at.IsArray() {
		return goOn, pgerr.New(pgerr.DatatypeMismatch, "FOREACH expression must yield an array, not type %s", types.FormatType(t, -1))
	}
	arr := d.Array()
	dims := arr.Dims
	if s.slice < 0 || s.slice > len(dims) {
		return goOn, pgerr.New(pgerr.ArraySubscriptError, "slice dimension (%d) is out of the valid range 0..%d", s.slice, len(dims))
	}
	v := s.target.places[0].v
	decl := f.code.vars[v]
	if s.slice > 0 && !decl.row && !decl.t.BaseType().IsArray() {
		return goOn, pgerr.New(pgerr.DatatypeMismatch, "FOREACH ... SLICE loop variable must be of an array type")
	}
	if s.slice == 0 && !decl.row && decl.t.BaseType().IsArray() {
		return goOn, pgerr.New(pgerr.DatatypeMismatch, "FOREACH loop variable must not be of an array type")
	}
	elem, n := at.Elem, 1
	if s.slice > 0 {
		elem = at
		for _, dim := range dims[len(dims)-s.slice:] {
			n *= int(dim)
		}
	}
	found := false
	defer func() { f.vals[f.code.found].d = types.Bool(found) }()
	for i := 0; i+n <= len(arr.Vals); i += n {
		found = true
		item := arr.Vals[i]
		if s.slice > 0 {
			item = types.Ref(&types.Array{Elem: arr.Elem, Dims: dims[len(dims)-s.slice:], Lower: lowerOf(arr, s.slice), Vals: arr.Vals[i : i+n]})
		}
		if s.target.list {
			rec := f.explode(item, elem)
			if rec == nil {
				return goOn, pgerr.New(pgerr.DatatypeMismatch, "cannot assign non-composite value to a row variable")
			}
			err = f.storeFields(ctx, &s.target, rec)
		} else {
			err = f.storeAt(ctx, s.target.places[0], item, elem)
		}
		if err != nil {
			return goOn, err
		}
		if how, stop, err := f.turn(ctx, s.label, s.body); stop || err != nil {
			return how, err
		}
	}
	return goOn, nil
}

// lowerOf are the lower bounds of an array's last dimensions, nil where they are 1.
func lowerOf(a *types.Array, n int) []int32 {
	if a.Lower == nil {
		return nil
	}
	return a.Lower[len(a.Lower)-n:]
}
