package plpgsql

import (
	"context"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// convert makes a value of another type, as an assignment does.
func (f *frame) convert(ctx context.Context, d types.Datum, from, to *types.T, mod int32) (types.Datum, error) {
	if d.IsNull() && to.Kind != 'd' || from == to && mod < 0 && to.Kind != 'd' {
		return d, nil
	}
	key := castKey{from, to, mod}
	c := f.casts[key]
	if c == nil {
		var err error
		if c, err = f.host.Convert(ctx, from, to, mod); err != nil {
			return types.Null, err
		}
		if f.casts == nil {
			f.casts = map[castKey]func(types.Datum) (types.Datum, error){}
		}
		f.casts[key] = c
	}
	return c(d)
}

// eval computes an expression.
func (f *frame) eval(ctx context.Context, q *query) (types.Datum, *types.T, error) {
	if err := f.ready(ctx, q); err != nil {
		return types.Null, nil, err
	}
	cols := q.stmt.Cols()
	if len(cols) != 1 {
		if len(cols) == 0 {
			return types.Null, nil, pgerr.New(pgerr.SyntaxError, "query did not return data").WithWhere("query: %s", q.text)
		}
		if q.kind == sqlAssignment {
			return types.Null, nil, pgerr.New(pgerr.SyntaxError, "assignment source returned %d columns", len(cols)).WithWhere("%s", contextLine(q.text, q.kind))
		}
		return types.Null, nil, pgerr.New(pgerr.SyntaxError, "query returned %d columns", len(cols)).WithWhere("query: %s", q.text)
	}
	params := f.params(q)
	if !q.slow {
		d, ok, err := q.stmt.Scalar(ctx, f.host, params)
		if err != nil {
			return types.Null, nil, err
		}
		if ok {
			return d, cols[0].Type, nil
		}
	}
	out, n := types.Null, 0
	_, err := f.run(ctx, q, params, 2, func(row []types.Datum) error {
		if n++; n > 1 {
			return pgerr.New(pgerr.CardinalityViolation, "query returned more than one row").WithWhere("query: %s", q.text)
		}
		out = row[0]
		return nil
	})
	return out, cols[0].Type, err
}

// run runs a planned query; its text is a line of CONTEXT meanwhile.
func (f *frame) run(ctx context.Context, q *query, params []types.Datum, max int64, yield func([]types.Datum) error) (int64, error) {
	return f.runText(ctx, q.stmt, params, max, q, yield)
}

func (f *frame) runStatement(ctx context.Context, st Statement, params []types.Datum, max int64, text string, yield func([]types.Datum) error) (int64, error) {
	return f.runText(ctx, st, params, max, &query{text: text}, yield)
}

func (f *frame) runText(ctx context.Context, st Statement, params []types.Datum, max int64, q *query, yield func([]types.Datum) error) (int64, error) {
	f.host.Push(func() string { return contextLine(q.text, q.kind) })
	n, err := st.Run(ctx, f.host, params, max, yield)
	f.host.Pop()
	if e := f.host.Catchable(err); e != nil {
		return n, inText(e, q.text, q.kind, q.lead)
	}
	return n, err
}

func (f *frame) assign(ctx context.Context, s *assignStmt) error {
	pl := s.target.places[0]
	if len(pl.fields) == 0 && len(pl.subs) == 0 {
		return f.assignQuery(ctx, pl.v, s.value)
	}
	d, t, err := f.eval(ctx, s.value)
	if err != nil {
		return err
	}
	return f.storeAt(ctx, pl, d, t)
}

// assignQuery stores the value of an expression in a variable.
func (f *frame) assignQuery(ctx context.Context, v int, q *query) error {
	d, t, err := f.eval(ctx, q)
	if err != nil {
		return err
	}
	return f.store(ctx, v, d, t, q.stmt.Cols())
}

// store assigns a value of type t to a variable. cols tell the fields of a record that the value does not.
func (f *frame) store(ctx context.Context, v int, d types.Datum, t *types.T, _ []planner.Col) error {
	decl := f.code.vars[v]
	if !decl.row {
		if d.IsNull() && decl.notNull {
			return pgerr.New(pgerr.NullValueNotAllowed, "null value cannot be assigned to variable \"%s\" declared NOT NULL", decl.name)
		}
		to := f.typeOf(v)
		if to.Kind == 'p' {
			f.vals[v].d, f.types[v] = d, t
			return nil
		}
		out, err := f.convert(ctx, d, t, to, decl.mod)
		f.vals[v].d = out
		return err
	}
	if d.IsNull() {
		if decl.notNull {
			return pgerr.New(pgerr.NullValueNotAllowed, "null value cannot be assigned to variable \"%s\" declared NOT NULL", decl.name)
		}
		f.setNull(v, t)
		return nil
	}
	rec := f.explode(d, t)
	if rec == nil {
		return pgerr.New(pgerr.DatatypeMismatch, "cannot assign non-composite value to a record variable")
	}
	return f.storeRecord(ctx, v, rec)
}

// setNull makes a row variable NULL; its fields stay known where they are declared.
func (f *frame) setNull(v int, t *types.T) {
	decl := f.code.vars[v]
	switch {
	case decl.t != types.RecordT:
		f.vals[v].rec = &record{t: decl.t, fields: f.host.Fields(decl.t)}
	case t != nil && t.BaseType().Kind == 'c':
		f.vals[v].rec = &record{t: t, fields: f.host.Fields(t)}
	case f.vals[v].rec != nil:
		f.vals[v].rec = &record{t: f.vals[v].rec.t, fields: f.vals[v].rec.fields}
	}
}

// storeRecord assigns a row to a row variable: a record takes its form, a named type its values by position.
func (f *frame) storeRecord(ctx context.Context, v int, rec *record) error {
	decl := f.code.vars[v]
	if decl.t == types.RecordT || rec.t == decl.t && decl.t.Kind == 'c' {
		f.vals[v].rec = rec
		return nil
	}
	fields := f.host.Fields(decl.t)
	vals := make([]types.Datum, len(fields))
	for i := range fields {
		if i >= len(rec.vals) {
			break
		}
		var err error
		if vals[i], err = f.convert(ctx, rec.vals[i], rec.fields[i].Type, fields[i].Type, fields[i].Typmod); err != nil {
			return err
		}
	}
	if decl.t.Kind == 'd' {
		d, err := f.convert(ctx, (&record{t: decl.t.BaseType(), fields: fields, vals: vals}).datum(), decl.t.BaseType(), decl.t, -1)
		if err != nil {
			return err
		}
		vals = d.Record().Vals
	}
	f.vals[v].rec = &record{t: decl.t, fields: fields, vals: vals}
	return nil
}

// storeRow assigns the columns of a query's row to a target; row is nil where there is none.
func (f *frame) storeRow(ctx context.Context, t *target, cols []planner.Col, row []types.Datum) error {
	rec := &record{t: types.RecordT, vals: row}
	for _, c := range cols {
		rec.fields = append(rec.fields, types.Field{Name: c.Name, Type: c.Type, Typmod: c.Mod})
	}
	if t.list {
		return f.storeFields(ctx, t, rec)
	}
	pl := t.places[0]
	if row == nil {
		// No row is a row of NULLs.
		if f.code.vars[pl.v].t != types.RecordT {
			rec = &record{t: f.code.vars[pl.v].t, fields: f.host.Fields(f.code.vars[pl.v].t)}
		}
		rec.vals = make([]types.Datum, len(rec.fields))
		f.vals[pl.v].rec = rec
		return nil
	}
	// One column that is a row goes to the row as a whole.
	decl := f.code.vars[pl.v]
	if len(cols) == 1 && (cols[0].Type.BaseType().Kind == 'c' || cols[0].Type == types.RecordT) && f.takesWhole(decl, cols[0].Type) {
		return f.store(ctx, pl.v, row[0], cols[0].Type, nil)
	}
	return f.storeRecord(ctx, pl.v, rec)
}

// takesWhole reports whether a single composite column is the variable's value, not that of its first field.
func (f *frame) takesWhole(decl *variable, t *types.T) bool {
	if decl.t == types.RecordT {
		return false
	}
	fields := f.host.Fields(decl.t)
	return len(fields) != 1 || fields[0].Type != t
}

// storeFields assigns a row's columns to a list of variables; those that are missing are NULL.
func (f *frame) storeFields(ctx context.Context, t *target, rec *record) error {
	for i, pl := range t.places {
		d, from := types.Null, types.UnknownT
		if i < len(rec.fields) {
			from = rec.fields[i].Type
			if rec.vals != nil {
				d = rec.vals[i]
			}
		}
		if err := f.storeAt(ctx, pl, d, from); err != nil {
			return err
		}
	}
	return nil
}

// storeAt assigns a value to a variable, a field of it, or an element inside.
func (f *frame) storeAt(ctx context.Context, pl place, d types.Datum, t *types.T) error {
	decl := f.code.vars[pl.v]
	if len(pl.fields) == 0 && len(pl.subs) == 0 {
		return f.store(ctx, pl.v, d, t, nil)
	}
	if len(pl.fields) == 0 {
		if decl.row {
			return pgerr.New(pgerr.DatatypeMismatch, "cannot subscript type %s because it does not support subscripting", types.FormatType(decl.t, -1))
		}
		whole, err := f.element(ctx, pl, f.typeOf(pl.v), pl.subs, f.vals[pl.v].d, d, t)
		if err == nil {
			whole, err = f.convert(ctx, whole, f.typeOf(pl.v).BaseType(), f.typeOf(pl.v), decl.mod)
		}
		if err == nil {
			f.vals[pl.v].d = whole
		}
		return err
	}
	if !decl.row {
		return pgerr.New(pgerr.SyntaxError, "\"%s\" is not a known variable", pl.name)
	}
	rec := f.vals[pl.v].rec
	if rec == nil {
		return f.unassigned(pl.v)
	}
	i := rec.find(pl.fields[0])
	if i < 0 {
		return pgerr.New(pgerr.UndefinedColumn, "record \"%s\" has no field \"%s\"", decl.name, pl.fields[0])
	}
	vals := make([]types.Datum, len(rec.fields))
	copy(vals, rec.vals)
	fd := rec.fields[i]
	var err error
	if subs := append(fieldSteps(pl.fields[1:]), pl.subs...); len(subs) > 0 {
		vals[i], err = f.element(ctx, pl, fd.Type, subs, vals[i], d, t)
	} else {
		vals[i], err = f.convert(ctx, d, t, fd.Type, fd.Typmod)
	}
	if err != nil {
		return err
	}
	f.vals[pl.v].rec = &record{t: rec.t, fields: rec.fields, vals: vals}
	return nil
}

func fieldSteps(names []string) []subscript {
	out := make([]subscript, len(names))
	for i, n := range names {
		out[i].field = n
	}
	return out
}

// element makes a value of type t in which one element or slice is replaced.
func (f *frame) element(ctx context.Context, _ place, t *types.T, subs []subscript, whole, d types.Datum, from *types.T) (types.Datum, error) {
	var steps []Step
	var vals []types.Datum
	for _, s := range subs {
		step := Step{Field: s.field, Slice: s.slice}
		if s.field == "" {
			for _, b := range []struct {
				q  *query
				to **types.T
			}{{s.lower, &step.Lower}, {s.upper, &step.Upper}} {
				if b.q == nil {
					continue
				}
				v, vt, err := f.eval(ctx, b.q)
				if err != nil {
					return types.Null, err
				}
				vals, *b.to = append(vals, v), vt
			}
		}
		steps = append(steps, step)
	}
	replace, err := f.host.Element(ctx, t, steps, from)
	if err != nil {
		return types.Null, err
	}
	return replace(whole, vals, d)
}
