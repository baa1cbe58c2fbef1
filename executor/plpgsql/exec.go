package plpgsql

import (
	"context"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// execSQL runs a static statement.
func (f *frame) execSQL(ctx context.Context, q *query, into *target, strict bool) error {
	if err := f.ready(ctx, q); err != nil {
		return err
	}
	if into == nil && q.stmt.Cols() != nil && isQuery(q.stmt.Tag()) {
		return pgerr.New(pgerr.SyntaxError, "query has no destination for result data").WithHint("If you want to discard the results of a SELECT, use PERFORM instead.")
	}
	if into != nil && q.stmt.Cols() == nil {
		return pgerr.New(pgerr.SyntaxError, "INTO used with a command that cannot return data")
	}
	return f.execInto(ctx, q.stmt, f.params(q), q.text, into, strict, true)
}

// isQuery reports whether a statement's rows are its purpose, not those of RETURNING, which need no destination either.
func isQuery(tag string) bool {
	return tag == "SELECT" || tag == "INSERT" || tag == "UPDATE" || tag == "DELETE"
}

// execInto runs a statement and gives its first row to a target.
func (f *frame) execInto(ctx context.Context, st Statement, params []types.Datum, text string, into *target, strict, static bool) error {
	modifies := st.Tag() == "INSERT" || st.Tag() == "UPDATE" || st.Tag() == "DELETE"
	var first []types.Datum
	n := int64(0)
	max := int64(0)
	if into != nil && !modifies {
		if max = 1; strict {
			max = 2
		}
	}
	count, err := f.runStatement(ctx, st, params, max, text, func(row []types.Datum) error {
		if n++; n == 1 {
			first = append([]types.Datum(nil), row...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if into == nil {
		f.rowCount = count
		if static && st.Tag() != "UTILITY" {
			f.vals[f.code.found].d = types.Bool(count > 0)
		}
		return nil
	}
	f.rowCount = min(n, 1)
	if modifies {
		f.rowCount = count
	}
	if n == 0 {
		if strict {
			return pgerr.New(pgerr.NoDataFound, "query returned no rows")
		}
		if static {
			f.vals[f.code.found].d = types.False
		}
		return f.storeRow(ctx, into, st.Cols(), nil)
	}
	if n > 1 && (strict || modifies && static) {
		e := pgerr.New(pgerr.TooManyRows, "query returned more than one row")
		if !static {
			return e
		}
		return e.WithHint("Make sure the query returns a single row, or use LIMIT 1.")
	}
	if static {
		f.vals[f.code.found].d = types.True
	}
	return f.storeRow(ctx, into, st.Cols(), first)
}

func (f *frame) perform(ctx context.Context, s *performStmt) error {
	if err := f.ready(ctx, s.query); err != nil {
		return err
	}
	n := int64(0)
	_, err := f.run(ctx, s.query, f.params(s.query), 0, func([]types.Datum) error {
		n++
		return nil
	})
	f.rowCount = n
	f.vals[f.code.found].d = types.Bool(n > 0)
	return err
}

// dynamic prepares the text of EXECUTE, with the values behind USING as its parameters.
func (f *frame) dynamic(ctx context.Context, d *dynamic) (Statement, []types.Datum, string, error) {
	v, t, err := f.eval(ctx, d.text)
	if err != nil {
		return nil, nil, "", err
	}
	if v.IsNull() {
		return nil, nil, "", pgerr.New(pgerr.NullValueNotAllowed, "query string argument of EXECUTE is null")
	}
	text := string(types.Output(f.host.IO(), t, nil, v))
	given := &usingParams{}
	var params []types.Datum
	for _, q := range d.params {
		v, t, err := f.eval(ctx, q)
		if err != nil {
			return nil, nil, "", err
		}
		params, given.types = append(params, v), append(given.types, t)
	}
	st, err := f.host.PrepareText(text)
	if err == nil {
		err = st.Plan(ctx, f.host, given.variables, false)
	}
	if e := f.host.Catchable(err); e != nil {
		return nil, nil, "", inText(e, text, sqlStatement, 0)
	}
	return st, params, text, err
}

func (f *frame) execDynamic(ctx context.Context, s *execStmt) error {
	st, params, text, err := f.dynamic(ctx, s.dyn)
	if err != nil {
		return err
	}
	if s.into != nil && st.Cols() == nil {
		return pgerr.New(pgerr.SyntaxError, "INTO used with a command that cannot return data")
	}
	return f.execInto(ctx, st, params, text, s.into, s.strict, false)
}

func (f *frame) returning(ctx context.Context, s *returnStmt) error {
	if s.value == nil {
		return nil
	}
	// A row variable is returned as it is.
	if v, ok := f.wholeVariable(s.value); ok && f.code.vars[v].row {
		f.ret = f.vals[v]
		f.retType = f.code.vars[v].t
		if f.ret.rec == nil && f.code.ret.Trigger {
			return nil
		}
		if f.ret.rec == nil {
			return f.unassigned(v)
		}
		return nil
	}
	d, t, err := f.eval(ctx, s.value)
	f.ret, f.retType = value{d: d}, t
	return err
}

// wholeVariable reports whether an expression is the name of a variable.
func (f *frame) wholeVariable(q *query) (int, bool) {
	toks, err := scan(q.text)
	if err != nil || len(toks) != 2 || toks[0].kind != tokWord {
		return 0, false
	}
	v, rest, ok := q.ns.find([]string{toks[0].text})
	return v, ok && len(rest) == 0
}

const wrongRecord = "wrong record type supplied in RETURN NEXT"

func (f *frame) returnNext(ctx context.Context, s *returnNextStmt) error {
	ret := &f.code.ret
	if s.value == nil {
		if len(f.code.outs) == 1 && !ret.Row {
			v := f.code.outs[0]
			d := f.vals[v].d
			if f.code.vars[v].row {
				d = f.vals[v].rec.datum()
			}
			return f.addRow([]types.Datum{d})
		}
		return f.addRow(f.outRecord().vals)
	}
	if v, ok := f.wholeVariable(s.value); ok && f.code.vars[v].row {
		rec := f.vals[v].rec
		if rec == nil {
			return f.unassigned(v)
		}
		return f.addRecord(ctx, rec)
	}
	d, t, err := f.eval(ctx, s.value)
	if err != nil {
		return err
	}
	if ret.Row || ret.Type == types.RecordT {
		rec := f.explode(d, t)
		if rec == nil {
			if !d.IsNull() {
				return pgerr.New(pgerr.DatatypeMismatch, "cannot return non-composite value from function returning composite type")
			}
			rec = &record{t: ret.Type, fields: ret.Fields}
		}
		return f.addRecord(ctx, rec)
	}
	if d, err = f.convert(ctx, d, t, ret.Type, -1); err != nil {
		return err
	}
	return f.addRow([]types.Datum{d})
}

func (f *frame) addRecord(ctx context.Context, rec *record) error {
	if rec.vals == nil {
		rec = &record{t: rec.t, fields: rec.fields, vals: make([]types.Datum, len(rec.fields))}
	}
	if f.code.ret.Fields == nil {
		return f.addRow([]types.Datum{rec.datum()})
	}
	vals, err := f.fit(ctx, rec, f.code.ret.Fields, wrongRecord)
	if err != nil {
		return err
	}
	return f.addRow(vals)
}

// maxResult bounds the bytes of a result that is kept until the function has ended.
const maxResult = 1 << 30

func (f *frame) addRow(row []types.Datum) error {
	for _, d := range row {
		f.size += 24 + int64(len(d.Bytes()))
	}
	if f.size > maxResult {
		return pgerr.New(pgerr.OutOfMemory, "out of memory").WithDetail("The result of the function exceeds %d bytes.", int64(maxResult))
	}
	f.rows = append(f.rows, row)
	return nil
}

func (f *frame) returnQuery(ctx context.Context, s *returnQueryStmt) error {
	ret := &f.code.ret
	st, params, text := Statement(nil), []types.Datum(nil), ""
	if s.dyn != nil {
		var err error
		if st, params, text, err = f.dynamic(ctx, s.dyn); err != nil {
			return err
		}
	} else {
		if err := f.ready(ctx, s.query); err != nil {
			return err
		}
		st, params, text = s.query.stmt, f.params(s.query), s.query.text
	}
	cols := st.Cols()
	if cols == nil {
		return pgerr.New(pgerr.SyntaxError, "query does not return data")
	}
	want := ret.Fields
	if !ret.Row && ret.Type != types.RecordT {
		want = []types.Field{{Type: ret.Type, Typmod: -1}}
	}
	rec := &record{t: types.RecordT}
	for _, c := range cols {
		rec.fields = append(rec.fields, types.Field{Name: c.Name, Type: c.Type, Typmod: c.Mod})
	}
	if want != nil {
		if _, err := f.fit(ctx, &record{fields: rec.fields, vals: make([]types.Datum, len(cols))}, want, "structure of query does not match function result type"); err != nil {
			return err
		}
	}
	n := int64(0)
	_, err := f.runStatement(ctx, st, params, 0, text, func(row []types.Datum) error {
		n++
		r := &record{t: types.RecordT, fields: rec.fields, vals: append([]types.Datum(nil), row...)}
		if want == nil {
			return f.addRow([]types.Datum{r.datum()})
		}
		vals, err := f.fit(ctx, r, want, "structure of query does not match function result type")
		if err != nil {
			return err
		}
		return f.addRow(vals)
	})
	f.rowCount = n
	f.vals[f.code.found].d = types.Bool(n > 0)
	return err
}

func (f *frame) assert(ctx context.Context, s *assertStmt) error {
	if !f.host.Asserts() {
		return nil
	}
	ok, err := f.condition(ctx, s.cond)
	if err != nil || ok {
		return err
	}
	if s.message != nil {
		d, t, err := f.eval(ctx, s.message)
		if err != nil {
			return err
		}
		if !d.IsNull() {
			return pgerr.New(pgerr.AssertFailure, "%s", types.Output(f.host.IO(), t, nil, d))
		}
	}
	return pgerr.New(pgerr.AssertFailure, "assertion failed")
}
