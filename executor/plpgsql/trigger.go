package plpgsql

import (
	"context"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Event is what a trigger's function is told.
type Event struct {
	Name, When, Level, Op string
	Schema, Table         string
	RelOID                uint32
	Args                  []string
	// Fields are the table's columns; New and Old are rows of them, nil where there is none.
	Fields   []types.Field
	RowType  *types.T
	New, Old []types.Datum
}

// triggerVars are the variables of a trigger's function besides NEW and OLD.
var triggerVars = []struct {
	name, typ string
	value     func(e *Event) types.Datum
}{
	{"tg_name", "name", func(e *Event) types.Datum { return types.Str(e.Name) }},
	{"tg_when", "text", func(e *Event) types.Datum { return types.Str(e.When) }},
	{"tg_level", "text", func(e *Event) types.Datum { return types.Str(e.Level) }},
	{"tg_op", "text", func(e *Event) types.Datum { return types.Str(e.Op) }},
	{"tg_relid", "oid", func(e *Event) types.Datum { return types.Int(int64(e.RelOID)) }},
	{"tg_relname", "name", func(e *Event) types.Datum { return types.Str(e.Table) }},
	{"tg_table_name", "name", func(e *Event) types.Datum { return types.Str(e.Table) }},
	{"tg_table_schema", "name", func(e *Event) types.Datum { return types.Str(e.Schema) }},
	{"tg_nargs", "int4", func(e *Event) types.Datum { return types.Int(int64(len(e.Args))) }},
	{"tg_argv", "_text", func(e *Event) types.Datum {
		if len(e.Args) == 0 {
			return types.Null
		}
		vals := make([]types.Datum, len(e.Args))
		for i, a := range e.Args {
			vals[i] = types.Str(a)
		}
		// TG_ARGV counts from 0.
		return types.Ref(&types.Array{Elem: types.TextT, Dims: []int32{int32(len(vals))}, Lower: []int32{0}, Vals: vals})
	}},
}

// bindEvent gives the trigger's variables their values.
func (f *frame) bindEvent() {
	e := f.event
	row := func(vals []types.Datum) *record { return &record{t: e.RowType, fields: e.Fields, vals: vals} }
	f.vals[f.code.newVar].rec, f.vals[f.code.oldVar].rec = row(e.New), row(e.Old)
	top := f.code.newVar + 2
	for i, v := range triggerVars {
		f.vals[top+i].d = v.value(e)
	}
}

// triggerResult is the row that a trigger's function returns.
func (f *frame) triggerResult(ctx context.Context) (Returned, error) {
	if f.event.Level == "STATEMENT" {
		return Returned{}, nil
	}
	rec := f.ret.rec
	if rec == nil {
		if f.ret.d.IsNull() {
			return Returned{}, nil
		}
		if rec = f.explode(f.ret.d, f.retType); rec == nil {
			return Returned{}, pgerr.New(pgerr.DatatypeMismatch, "cannot return non-composite value from function returning composite type")
		}
	}
	if rec.vals == nil {
		return Returned{}, nil
	}
	vals := rec.vals
	if rec.t != f.event.RowType {
		var err error
		if vals, err = f.fit(ctx, rec, f.event.Fields, "returned row structure does not match the structure of the triggering table"); err != nil {
			return Returned{}, err
		}
	}
	return Returned{Row: &types.Record{Vals: vals}}, nil
}
