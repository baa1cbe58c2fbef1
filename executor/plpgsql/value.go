package plpgsql

import (
	"context"
	"strings"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// value is what a variable holds: a datum, or a row that is taken apart.
type value struct {
	d   types.Datum
	rec *record
}

// record is a row. It is not changed once a variable holds it.
type record struct {
	t      *types.T // a composite type, or types.RecordT
	fields []types.Field
	vals   []types.Datum
}

func (r *record) find(name string) int {
	for i, f := range r.fields {
		if f.Name == name {
			return i
		}
	}
	return -1
}

func (r *record) datum() types.Datum {
	if r == nil || r.vals == nil {
		return types.Null
	}
	rec := &types.Record{Vals: r.vals}
	for _, f := range r.fields {
		rec.Types, rec.Names = append(rec.Types, f.Type), append(rec.Names, f.Name)
	}
	return types.Ref(rec)
}

// fieldsOf are the live fields of a composite type.
func fieldsOf(r *expr.Resolver, t *types.T) []types.Field {
	t = t.BaseType()
	fields := t.Fields
	if len(fields) == 0 && t.RelOID != 0 && r.Snapshot != nil {
		if rel := r.Snapshot.RelationByOID(t.RelOID); rel != nil {
			for _, c := range rel.Live() {
				fields = append(fields, types.Field{Name: c.Name, Type: c.Type, Typmod: c.Typmod})
			}
		}
	}
	return live(fields)
}

func live(fields []types.Field) []types.Field {
	out := make([]types.Field, 0, len(fields))
	for _, f := range fields {
		if !f.Dropped {
			out = append(out, f)
		}
	}
	return out
}

// ref is a variable, or a field of one, that a statement reads as a parameter.
type ref struct {
	v     int
	field string
}

// refType is what a reference was when the plan was made: a record may have another form later.
type refType struct {
	t      *types.T
	fields []types.Field
}

func (a refType) same(b refType) bool {
	if a.t != b.t || len(a.fields) != len(b.fields) {
		return false
	}
	for i := range a.fields {
		if a.fields[i].Name != b.fields[i].Name || a.fields[i].Type != b.fields[i].Type {
			return false
		}
	}
	return true
}

// binding is planner.Variables for one query in one frame.
type binding struct {
	f *frame
	q *query
}

func (b *binding) Prefer() planner.Preference {
	switch b.f.code.conflict {
	case conflictVariable:
		return planner.PreferVariable
	case conflictColumn:
		return planner.PreferColumn
	}
	return planner.PreferNeither
}

func (b *binding) Param(n int) (expr.Expr, error) {
	x, err := b.Name([]string{"$" + itoa(n)})
	if x == nil && err == nil {
		err = pgerr.New(pgerr.UndefinedParameter, "there is no parameter $%d", n)
	}
	return x, err
}

func (b *binding) Name(path []string) (expr.Expr, error) {
	v, rest, ok := b.q.ns.find(path)
	if !ok {
		return nil, nil
	}
	decl := b.f.code.vars[v]
	if len(rest) == 0 {
		return b.param(ref{v: v})
	}
	if !decl.row {
		return nil, nil
	}
	x, err := b.param(ref{v, rest[0]})
	if err != nil || x == nil {
		return x, err
	}
	for _, name := range rest[1:] {
		found := false
		for i, fd := range b.f.host.Fields(x.Type()) {
			if fd.Name == name {
				x, found = &expr.Field{X: x, Index: i, Name: name, T: fd.Type, Mod: fd.Typmod}, true
				break
			}
		}
		if !found {
			return nil, nil
		}
	}
	return x, nil
}

// param gives a reference its number.
func (b *binding) param(r ref) (expr.Expr, error) {
	t, mod, err := b.f.refType(r)
	if err != nil {
		return nil, err
	}
	for i, o := range b.q.refs {
		if o == r {
			return &expr.Param{N: i + 1, T: t.t, Mod: mod, Fields: t.fields}, nil
		}
	}
	b.q.refs, b.q.types = append(b.q.refs, r), append(b.q.types, t)
	return &expr.Param{N: len(b.q.refs), T: t.t, Mod: mod, Fields: t.fields}, nil
}

// refType is the present type of a reference.
func (f *frame) refType(r ref) (refType, int32, error) {
	decl := f.code.vars[r.v]
	if !decl.row {
		return refType{t: f.typeOf(r.v)}, decl.mod, nil
	}
	rec := f.vals[r.v].rec
	if rec == nil {
		return refType{}, 0, f.unassigned(r.v)
	}
	if r.field == "" {
		if rec.t == types.RecordT {
			return refType{t: rec.t, fields: rec.fields}, -1, nil
		}
		return refType{t: rec.t}, -1, nil
	}
	i := rec.find(r.field)
	if i < 0 {
		return refType{}, 0, pgerr.New(pgerr.UndefinedColumn, "record \"%s\" has no field \"%s\"", decl.name, r.field)
	}
	return refType{t: rec.fields[i].Type}, rec.fields[i].Typmod, nil
}

// typeOf is a scalar variable's type, which for the value of CASE is known when it runs.
func (f *frame) typeOf(v int) *types.T {
	if t := f.types[v]; t != nil {
		return t
	}
	return f.code.vars[v].t
}

func (f *frame) unassigned(v int) error {
	return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "record \"%s\" is not assigned yet", f.code.vars[v].name).
		WithDetail("The tuple structure of a not-yet-assigned record is indeterminate.")
}

// params are the values of a planned query's references.
func (f *frame) params(q *query) []types.Datum {
	if len(q.refs) == 0 {
		return nil
	}
	out := make([]types.Datum, len(q.refs))
	for i, r := range q.refs {
		val := &f.vals[r.v]
		switch {
		case !f.code.vars[r.v].row:
			out[i] = val.d
		case r.field == "":
			out[i] = val.rec.datum()
		case val.rec.vals != nil:
			out[i] = val.rec.vals[val.rec.find(r.field)]
		}
	}
	return out
}

// ready plans a query, or finds that its plan still fits what the variables are.
func (f *frame) ready(ctx context.Context, q *query) error {
	if q.stmt == nil {
		var err error
		if q.stmt, err = f.host.Prepare(q.text[q.lead:], q.kind != sqlStatement); err != nil {
			return f.inQuery(err, q)
		}
	}
	again := false
	for i, r := range q.refs {
		if !f.code.vars[r.v].row && f.types[r.v] == nil {
			continue
		}
		t, _, err := f.refType(r)
		if err != nil {
			return err
		}
		again = again || !t.same(q.types[i])
	}
	err := q.stmt.Plan(ctx, f.host, func() planner.Variables {
		q.refs, q.types = nil, nil
		return &binding{f, q}
	}, again)
	return f.inQuery(err, q)
}

// inQuery moves an error's position into the query's text, or says which text it arose in.
func (f *frame) inQuery(err error, q *query) error {
	e, ok := err.(*pgerr.Error)
	if !ok {
		return err
	}
	return inText(e, q.text, q.kind, q.lead)
}

// inText gives an error the SQL text that it arose in, as the client does not know it.
func inText(e *pgerr.Error, text string, kind queryKind, lead int) error {
	c := *e
	if (e.Offset > 0 || e.Position > 0) && e.Query == "" {
		pos := e.Position
		prefix := 0
		if kind != sqlStatement {
			prefix = len("SELECT ") - lead
		}
		if pos == 0 {
			at := min(max(e.Offset-1-prefix, 0), len(text))
			pos = len([]rune(text[:at])) + 1
		} else {
			pos -= prefix
		}
		c.Offset, c.Position = 0, 0
		c.Query, c.QueryPosition = text, pos
		return &c
	}
	return addContext(e, contextLine(text, kind))
}

func contextLine(text string, kind queryKind) string {
	switch kind {
	case sqlExpression:
		return "SQL expression \"" + text + "\""
	case sqlAssignment:
		return "PL/pgSQL assignment \"" + text + "\""
	}
	return "SQL statement \"" + strings.TrimSpace(text) + "\""
}

func addContext(e *pgerr.Error, line string) *pgerr.Error {
	c := *e
	if c.Where != "" {
		c.Where += "\n"
	}
	c.Where += line
	return &c
}

// moveTo moves the position of a syntax error in a part of a body to the body.
func moveTo(err error, start int, text, body string) error {
	e, ok := err.(*pgerr.Error)
	if !ok || e.Position == 0 && e.Offset == 0 {
		return err
	}
	c := *e
	at := e.Offset - 1
	if e.Position > 0 {
		at = len(string([]rune(text)[:min(e.Position-1, len([]rune(text)))]))
	}
	c.Position, c.Offset = 0, max(start+at, 0)+1
	return &c
}

func withoutOffset(err error) error {
	e, ok := err.(*pgerr.Error)
	if !ok {
		return err
	}
	c := *e
	c.Offset, c.Position = 0, 0
	return &c
}
