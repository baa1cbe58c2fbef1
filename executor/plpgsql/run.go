package plpgsql

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// inline is what CONTEXT lines call the body of DO.
const inline = "inline_code_block"

// Inline is the signature of the body of DO.
const Inline = inline

// frame is one call of a body.
type frame struct {
	code *Code
	host Host
	vals []value
	// types are those of variables whose declaration gives none.
	types []*types.T
	// cur is the statement that runs, doing what is done outside of one, for CONTEXT lines.
	cur   stmt
	doing string
	// declared is the line of the declaration that runs, 0 for none.
	declared int

	label    string // of EXIT and CONTINUE under way
	ret      value
	retType  *types.T
	rows     [][]types.Datum
	size     int64
	rowCount int64
	// caught is the error that the innermost handler works on.
	caught *pgerr.Error
	event  *Event
	casts  map[castKey]func(types.Datum) (types.Datum, error)
}

type castKey struct {
	from, to *types.T
	mod      int32
}

// flow is how a statement list ended.
type flow byte

const (
	goOn flow = iota
	leave
	again
	done
)

// Returned is what a call gave.
type Returned struct {
	// Value is the value of a function that returns one.
	Value types.Datum
	// Rows are those of a function that returns a set.
	Rows [][]types.Datum
	// Outs are the values of a procedure's OUT and INOUT arguments.
	Outs []types.Datum
	// Row is what a trigger's function returned; nil for NULL.
	Row *types.Record
}

// Call runs the body with the values of its input arguments; event is set for a trigger.
func (c *Code) Call(ctx context.Context, host Host, args []types.Datum, event *Event) (Returned, error) {
	f := &frame{code: c, host: host, vals: make([]value, len(c.vars)), types: make([]*types.T, len(c.vars)), event: event}
	host.Push(f.where)
	defer host.Pop()
	out, err := f.call(ctx, args)
	if err != nil {
		return out, f.inContext(err)
	}
	return out, nil
}

func (f *frame) call(ctx context.Context, args []types.Datum) (Returned, error) {
	f.doing = "during initialization of execution state"
	for i, v := range f.code.vars {
		f.clear(i, v)
	}
	f.doing = "while storing call arguments into local variables"
	for i, v := range f.code.args {
		if err := f.store(ctx, v, args[i], f.code.vars[v].t, nil); err != nil {
			return Returned{}, err
		}
	}
	if f.event != nil {
		f.bindEvent()
	}
	f.doing = "during function entry"
	f.vals[f.code.found].d = types.False
	f.doing = ""
	how, err := f.block(ctx, f.code.body)
	if err != nil {
		return Returned{}, err
	}
	f.cur = nil
	return f.finish(ctx, how)
}

// clear gives a variable the value that it has before its declaration is run.
func (f *frame) clear(i int, v *variable) {
	f.vals[i] = value{}
	if v.row && v.t != types.RecordT && v.t.Kind != 'p' {
		f.vals[i].rec = &record{t: v.t, fields: f.host.Fields(v.t)}
	}
}

// where is the CONTEXT line of what the frame does now.
func (f *frame) where() string {
	switch {
	case f.declared > 0:
		return fmt.Sprintf("PL/pgSQL function %s line %d %s", f.code.name, f.declared, f.doing)
	case f.doing != "" && f.cur != nil:
		return fmt.Sprintf("PL/pgSQL function %s line %d %s", f.code.name, f.cur.line(), f.doing)
	case f.doing != "":
		return fmt.Sprintf("PL/pgSQL function %s %s", f.code.name, f.doing)
	case f.cur != nil:
		return fmt.Sprintf("PL/pgSQL function %s line %d at %s", f.code.name, f.cur.line(), f.cur.what())
	}
	return "PL/pgSQL function " + f.code.name
}

// inContext adds where the frame is to an error that leaves it.
func (f *frame) inContext(err error) error {
	var e *pgerr.Error
	if !errors.As(err, &e) || f.host.Catchable(err) == nil {
		return err
	}
	return addContext(e, f.where())
}

func (f *frame) block(ctx context.Context, b *block) (flow, error) {
	save := f.cur
	f.cur = b
	for _, v := range b.vars {
		if err := f.initialize(ctx, v); err != nil {
			return goOn, err
		}
	}
	f.doing, f.declared = "", 0
	var how flow
	var err error
	if b.guarded {
		how, err = f.guarded(ctx, b)
	} else {
		how, err = f.list(ctx, b.body)
	}
	if err != nil {
		return how, err
	}
	f.cur = save
	if how == leave && f.label != "" && f.label == b.label {
		f.label = ""
		return goOn, nil
	}
	return how, nil
}

// initialize runs a declaration.
func (f *frame) initialize(ctx context.Context, v int) error {
	f.doing = "during statement block local variable initialization"
	decl := f.code.vars[v]
	f.declared = decl.line
	f.clear(v, decl)
	switch {
	case decl.cursor != nil:
		f.vals[v].d = types.Str(decl.name)
	case decl.def != nil:
		return f.assignQuery(ctx, v, decl.def)
	case decl.t.Kind == 'd':
		return f.store(ctx, v, types.Null, types.UnknownT, nil)
	}
	return nil
}

// guarded runs a block with handlers in a subtransaction.
func (f *frame) guarded(ctx context.Context, b *block) (flow, error) {
	if err := f.host.Settle(ctx); err != nil {
		return goOn, err
	}
	sub := f.host.BeginSub()
	how, err := f.list(ctx, b.body)
	if err == nil && how == done {
		// PostgreSQL takes the value out of the subtransaction: what is there cannot fail any more.
		err = nil
	}
	if err == nil {
		f.host.EndSub(ctx, sub, true)
		return how, nil
	}
	e := f.host.Catchable(err)
	if e == nil || ctx.Err() != nil {
		f.host.EndSub(ctx, sub, false)
		return goOn, err
	}
	e = addContext(e, f.where())
	f.host.EndSub(ctx, sub, false)
	for i := range b.handlers {
		h := &b.handlers[i]
		for _, c := range h.conds {
			if !c.matches(string(e.Code)) {
				continue
			}
			f.cur, f.doing, f.declared = b, "", 0
			f.vals[b.state].d, f.vals[b.errm].d = types.Str(string(e.Code)), types.Str(e.Message)
			outer := f.caught
			f.caught = e
			how, err := f.list(ctx, h.body)
			f.caught = outer
			return how, err
		}
	}
	return goOn, err
}

func (f *frame) list(ctx context.Context, stmts []stmt) (flow, error) {
	save := f.cur
	for _, s := range stmts {
		f.cur = s
		if err := ctx.Err(); err != nil {
			return goOn, err
		}
		how, err := f.statement(ctx, s)
		if err != nil || how != goOn {
			return how, err
		}
	}
	f.cur = save
	return goOn, nil
}

func (f *frame) statement(ctx context.Context, s stmt) (flow, error) {
	switch s := s.(type) {
	case *block:
		return f.block(ctx, s)
	case *assignStmt:
		return goOn, f.assign(ctx, s)
	case *ifStmt:
		for i := range s.arms {
			ok, err := f.condition(ctx, s.arms[i].cond)
			if err != nil {
				return goOn, err
			}
			if ok {
				return f.list(ctx, s.arms[i].body)
			}
		}
		return f.list(ctx, s.els)
	case *caseStmt:
		return f.caseStatement(ctx, s)
	case *loopStmt, *whileStmt, *forIntStmt, *forQueryStmt, *forCursorStmt, *foreachStmt:
		return f.loop(ctx, s)
	case *exitStmt:
		if s.when != nil {
			ok, err := f.condition(ctx, s.when)
			if err != nil || !ok {
				return goOn, err
			}
		}
		f.label = s.label
		if s.cont {
			return again, nil
		}
		return leave, nil
	case *returnStmt:
		return done, f.returning(ctx, s)
	case *returnNextStmt:
		return goOn, f.returnNext(ctx, s)
	case *returnQueryStmt:
		return goOn, f.returnQuery(ctx, s)
	case *raiseStmt:
		return goOn, f.raise(ctx, s)
	case *assertStmt:
		return goOn, f.assert(ctx, s)
	}
	return goOn, f.sqlStatement(ctx, s)
}

func (f *frame) sqlStatement(ctx context.Context, s stmt) error {
	switch s := s.(type) {
	case *sqlStmt:
		return f.execSQL(ctx, s.query, s.into, s.strict)
	case *performStmt:
		return f.perform(ctx, s)
	case *callStmt:
		return f.callProcedure(ctx, s)
	case *execStmt:
		return f.execDynamic(ctx, s)
	case *diagStmt:
		return f.diagnostics(ctx, s)
	case *openStmt:
		return f.open(ctx, s)
	case *fetchStmt:
		return f.fetch(ctx, s)
	case *closeStmt:
		name, err := f.cursorName(s.cursor)
		if err != nil {
			return err
		}
		return f.host.CloseCursor(ctx, name)
	case *endStmt:
		return f.host.EndTransaction(ctx, s.rollback, s.chain)
	}
	return nil
}

// condition computes a boolean; unknown is false.
func (f *frame) condition(ctx context.Context, q *query) (bool, error) {
	d, t, err := f.eval(ctx, q)
	if err != nil || d.IsNull() {
		return false, err
	}
	if t != types.BoolT {
		if d, err = f.convert(ctx, d, t, types.BoolT, -1); err != nil {
			return false, err
		}
	}
	return d.Bool(), nil
}

func (f *frame) caseStatement(ctx context.Context, s *caseStmt) (flow, error) {
	if s.value != nil {
		d, t, err := f.eval(ctx, s.value)
		if err != nil {
			return goOn, err
		}
		f.vals[s.tmp].d, f.types[s.tmp] = d, t
	}
	for i := range s.arms {
		ok, err := f.condition(ctx, s.arms[i].cond)
		if err != nil {
			return goOn, err
		}
		if ok {
			return f.list(ctx, s.arms[i].body)
		}
	}
	if !s.hasElse {
		return goOn, pgerr.New(pgerr.CaseNotFound, "case not found").WithHint("CASE statement is missing ELSE part.")
	}
	return f.list(ctx, s.els)
}

// finish makes the result of a body that has come to its end.
func (f *frame) finish(ctx context.Context, how flow) (Returned, error) {
	ret := &f.code.ret
	switch {
	case ret.Set:
		return Returned{Rows: f.rows}, nil
	case ret.Procedure:
		var out Returned
		for _, v := range f.code.outs {
			d := f.vals[v].d
			if f.code.vars[v].row {
				d = f.vals[v].rec.datum()
			}
			out.Outs = append(out.Outs, d)
		}
		return out, nil
	case len(f.code.outs) > 0:
		return f.outs(ctx)
	case how != done && (ret.Type == nil || ret.Type.Name != "void"):
		return Returned{}, pgerr.New(pgerr.FunctionExecutedNoReturnStatement, "control reached end of function without RETURN")
	}
	f.doing = "while casting return value to function's return type"
	if ret.Trigger {
		return f.triggerResult(ctx)
	}
	if ret.Type.Name == "void" {
		// The value of void is the empty string.
		return Returned{Value: types.Str("")}, nil
	}
	d, err := f.result(ctx, f.ret, f.retType)
	return Returned{Value: d}, err
}

// result converts a value to the function's type.
func (f *frame) result(ctx context.Context, v value, t *types.T) (types.Datum, error) {
	ret := &f.code.ret
	switch {
	case ret.Type.BaseType().Kind == 'c' || ret.Type == types.RecordT:
		return f.rowResult(ctx, v, t)
	case v.rec != nil:
		return types.Null, pgerr.New(pgerr.DatatypeMismatch, "cannot return composite value from function returning %s", types.FormatType(ret.Type, -1))
	}
	return f.convert(ctx, v.d, t, ret.Type, -1)
}

// rowResult converts a row to the composite type, or the columns that the caller expects.
func (f *frame) rowResult(ctx context.Context, v value, t *types.T) (types.Datum, error) {
	rec := v.rec
	if rec == nil {
		if v.d.IsNull() {
			return types.Null, nil
		}
		if rec = f.explode(v.d, t); rec == nil {
			return types.Null, pgerr.New(pgerr.DatatypeMismatch, "cannot return non-composite value from function returning composite type")
		}
	}
	if rec.vals == nil {
		return types.Null, nil
	}
	fields := f.code.ret.Fields
	if fields == nil || rec.t == f.code.ret.Type && rec.t != types.RecordT {
		return rec.datum(), nil
	}
	vals, err := f.fit(ctx, rec, fields, "returned record type does not match expected record type")
	if err != nil {
		return types.Null, err
	}
	return (&record{t: f.code.ret.Type, fields: fields, vals: vals}).datum(), nil
}

// fit converts a row to other columns, of which there must be as many.
func (f *frame) fit(ctx context.Context, rec *record, want []types.Field, text string) ([]types.Datum, error) {
	if len(rec.fields) != len(want) {
		return nil, pgerr.New(pgerr.DatatypeMismatch, "%s", text).
			WithDetail("Number of returned columns (%d) does not match expected column count (%d).", len(rec.fields), len(want))
	}
	out := make([]types.Datum, len(want))
	for i, w := range want {
		have := rec.fields[i]
		if have.Type != w.Type && !(have.Type.BaseType() == w.Type.BaseType()) && have.Type != types.UnknownT {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "%s", text).
				WithDetail("Returned type %s does not match expected type %s in column %d.", types.FormatType(have.Type, have.Typmod), types.FormatType(w.Type, w.Typmod), i+1)
		}
		var err error
		if out[i], err = f.convert(ctx, rec.vals[i], have.Type, w.Type, w.Typmod); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// explode takes a composite datum apart; nil if it is none.
func (f *frame) explode(d types.Datum, t *types.T) *record {
	if d.IsNull() {
		if t.BaseType().Kind == 'c' {
			return &record{t: t, fields: f.host.Fields(t)}
		}
		return nil
	}
	v, ok := d.Ref().(*types.Record)
	if !ok {
		return nil
	}
	rec := &record{t: t, vals: v.Vals}
	if t.BaseType().Kind == 'c' {
		rec.fields = f.host.Fields(t)
		if len(rec.fields) == len(rec.vals) {
			return rec
		}
	}
	rec.t, rec.fields = types.RecordT, make([]types.Field, len(v.Vals))
	for i := range v.Vals {
		rec.fields[i] = types.Field{Name: "f" + strconv.Itoa(i+1), Type: types.TextT, Typmod: -1}
		if i < len(v.Types) {
			rec.fields[i].Type = v.Types[i]
		}
		if i < len(v.Names) && v.Names[i] != "" {
			rec.fields[i].Name = v.Names[i]
		}
	}
	return rec
}

// outs makes the result of the OUT arguments.
func (f *frame) outs(ctx context.Context) (Returned, error) {
	if len(f.code.outs) == 1 && f.code.ret.Type != types.RecordT {
		v := f.code.outs[0]
		d := f.vals[v].d
		if f.code.vars[v].row {
			d = f.vals[v].rec.datum()
		}
		return Returned{Value: d}, nil
	}
	return Returned{Value: f.outRecord().datum()}, nil
}

// outRecord is the row of the OUT arguments.
func (f *frame) outRecord() *record {
	rec := &record{t: types.RecordT, vals: make([]types.Datum, 0, len(f.code.outs))}
	for _, v := range f.code.outs {
		decl := f.code.vars[v]
		d := f.vals[v].d
		if decl.row {
			d = f.vals[v].rec.datum()
		}
		rec.fields = append(rec.fields, types.Field{Name: decl.name, Type: decl.t, Typmod: -1})
		rec.vals = append(rec.vals, d)
	}
	return rec
}
