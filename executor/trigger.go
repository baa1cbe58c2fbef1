package executor

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// TriggerCall is one run of a trigger's function.
type TriggerCall struct {
	Rel     *catalog.Relation
	Trigger *catalog.Trigger
	// Op is INSERT, UPDATE or DELETE.
	Op string
	// Before says that the trigger runs before the change, Row that it runs for a row: New and Old are its live columns.
	Before, Row bool
	New, Old    []types.Datum
	// NewTable and OldTable are the rows that the statement made and those that it changed or removed, for triggers with
	// transition tables.
	NewTable, OldTable [][]types.Datum
}

// tableTriggers are the triggers of a table that is written, and what happened to its rows.
type tableTriggers struct {
	t    *table
	list []*catalog.Trigger
	// events are the changes whose AFTER triggers have not run.
	events []rowEvent
	// news and olds are kept for transition tables, if some trigger has them.
	news, olds map[string][][]types.Datum
	keeps      bool
	queued     bool
	// inherited are the row triggers of the partitioned tables that the table belongs to; fits tells whether a row is one of
	// the partition's.
	inherited  []*catalog.Trigger
	fits       func(row []types.Datum) (bool, error)
	statements []stmtEvent
}

type rowEvent struct {
	op       string
	old, new []types.Datum
	set      []int16
}

type stmtEvent struct {
	op  string
	set []int16
}

func newTriggers(t *table) *tableTriggers {
	tr := &tableTriggers{t: t, news: map[string][][]types.Datum{}, olds: map[string][][]types.Datum{}}
	list := slices.Clone(t.rel.Triggers)
	for _, r := range t.rt.Env.View.Snapshot.Ancestors(t.rel) {
		for _, g := range r.Triggers {
			if g.Row() {
				g = onPartition(g, r, t.rel)
				list, tr.inherited = append(list, g), append(tr.inherited, g)
			}
		}
	}
	for _, g := range list {
		if g.Enabled == 'D' || g.Enabled == 'R' && !t.rt.Replica || t.rt.Replica && g.Enabled != 'R' && g.Enabled != 'A' {
			continue
		}
		tr.list = append(tr.list, g)
		tr.keeps = tr.keeps || g.OldTable != "" || g.NewTable != ""
	}
	if tr.list == nil {
		return nil
	}
	slices.SortFunc(tr.list, func(a, b *catalog.Trigger) int { return strings.Compare(a.Name, b.Name) })
	return tr
}

// has reports whether a trigger of the kind exists.
func (tr *tableTriggers) has(op string, before, row bool) bool {
	if tr == nil {
		return false
	}
	return slices.ContainsFunc(tr.list, func(g *catalog.Trigger) bool { return g.On(op) && g.Before() == before && g.Row() == row })
}

// wanted reports whether a trigger runs for an event that assigns the given columns (nil: all).
func wanted(g *catalog.Trigger, op string, before, row bool, set []int16) bool {
	if !g.On(op) || g.Before() != before || g.Row() != row {
		return false
	}
	if op != "UPDATE" || len(g.Columns) == 0 || set == nil {
		return true
	}
	return slices.ContainsFunc(g.Columns, func(a int16) bool { return slices.Contains(set, a) })
}

// beforeRow runs the BEFORE ROW triggers. They may give another row; a nil row says that the change is not to be made.
func (tr *tableTriggers) beforeRow(ctx context.Context, op string, old, new []types.Datum, set []int16) ([]types.Datum, error) {
	row := new
	if op == "DELETE" {
		row = old
	}
	if tr == nil {
		return row, nil
	}
	if op == "UPDATE" && tr.has(op, true, true) {
		// Generated columns are computed after these triggers, which must not see the old values for new ones.
		row = slices.Clone(row)
		for i, c := range tr.t.cols {
			if c.Generated != 0 {
				row[i] = types.Null
			}
		}
	}
	for _, g := range tr.list {
		if !wanted(g, op, true, true, set) {
			continue
		}
		c := &TriggerCall{Rel: tr.t.rel, Trigger: g, Op: op, Before: true, Row: true, Old: old}
		if op != "DELETE" {
			c.New = row
		}
		out, ran, err := tr.t.rt.Fire(ctx, c)
		if err != nil {
			return nil, err
		}
		if !ran {
			continue
		}
		if out == nil {
			return nil, nil
		}
		if op != "DELETE" {
			row = out
		}
		if op == "INSERT" && tr.fits != nil && slices.Contains(tr.inherited, g) {
			if ok, err := tr.fits(row); err != nil || !ok {
				return nil, cmp.Or(err, tr.moved(g))
			}
		}
	}
	return row, nil
}

// moved is the error of a trigger that gives a row of another partition.
func (tr *tableTriggers) moved(g *catalog.Trigger) error {
	return pgerr.New(pgerr.FeatureNotSupported, "moving row to another partition during a BEFORE FOR EACH ROW trigger is not supported").
		WithDetail("Before executing trigger \"%s\", the row was to be in partition \"%s.%s\".", g.Name, tr.t.rel.Schema, tr.t.rel.Name)
}

// onPartition is a partitioned table's trigger as that of a partition, whose columns may have other numbers.
func onPartition(g *catalog.Trigger, root, rel *catalog.Relation) *catalog.Trigger {
	columns := slices.Clone(g.Columns)
	for i, n := range columns {
		if c := rel.Column(root.ByAttnum(n).Name); c != nil {
			columns[i] = c.Attnum
		}
	}
	if slices.Equal(columns, g.Columns) {
		return g
	}
	c := *g
	c.Columns = columns
	return &c
}

// keep notes a changed row for the transition tables.
func (tr *tableTriggers) keep(op string, old, new []types.Datum) {
	if tr == nil || !tr.keeps {
		return
	}
	if new != nil {
		tr.news[op] = append(tr.news[op], slices.Clone(new))
	}
	if old != nil {
		tr.olds[op] = append(tr.olds[op], slices.Clone(old))
	}
}

// afterRow notes a change for the AFTER triggers.
func (tr *tableTriggers) afterRow(op string, old, new []types.Datum, set []int16) {
	if tr == nil {
		return
	}
	tr.keep(op, old, new)
	if tr.has(op, false, true) {
		tr.events = append(tr.events, rowEvent{op, slices.Clone(old), slices.Clone(new), set})
		tr.queue()
	}
}

// beforeStatement runs the BEFORE STATEMENT triggers.
func (tr *tableTriggers) beforeStatement(ctx context.Context, op string, set []int16) error {
	if tr == nil {
		return nil
	}
	for _, g := range tr.list {
		if wanted(g, op, true, false, set) {
			if _, _, err := tr.t.rt.Fire(ctx, &TriggerCall{Rel: tr.t.rel, Trigger: g, Op: op, Before: true}); err != nil {
				return err
			}
		}
	}
	return nil
}

// afterStatement notes the end of a statement's changes for the AFTER STATEMENT triggers.
func (tr *tableTriggers) afterStatement(op string, set []int16) {
	if tr.has(op, false, false) {
		tr.statements = append(tr.statements, stmtEvent{op, set})
		tr.queue()
	}
}

// queue has the AFTER triggers run at the end of the statement.
func (tr *tableTriggers) queue() {
	if tr.queued {
		return
	}
	tr.queued = true
	list := tr.t.rt.Txn.Pending(tr.t.rel.OID, false, func() txn.Check { return &afterTriggers{} }).(*afterTriggers)
	list.of = append(list.of, tr)
}

// afterTriggers is the pending check that runs AFTER triggers.
type afterTriggers struct{ of []*tableTriggers }

// Run implements txn.Check.
func (a *afterTriggers) Run(ctx context.Context, _ txn.Statement) error {
	for _, tr := range a.of {
		events, statements := tr.events, tr.statements
		tr.events, tr.statements, tr.queued = nil, nil, false
		for i := range events {
			if err := tr.runAfter(ctx, &events[i]); err != nil {
				return err
			}
		}
		for _, e := range statements {
			for _, g := range tr.list {
				if !wanted(g, e.op, false, false, e.set) {
					continue
				}
				c := &TriggerCall{Rel: tr.t.rel, Trigger: g, Op: e.op, NewTable: tr.news[e.op], OldTable: tr.olds[e.op]}
				if _, _, err := tr.t.rt.Fire(ctx, c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (tr *tableTriggers) runAfter(ctx context.Context, e *rowEvent) error {
	for _, g := range tr.list {
		if !wanted(g, e.op, false, true, e.set) {
			continue
		}
		c := &TriggerCall{Rel: tr.t.rel, Trigger: g, Op: e.op, Row: true, New: e.new, Old: e.old, NewTable: tr.news[e.op], OldTable: tr.olds[e.op]}
		st := tr.t.rt.Txn
		if g.Deferrable && st.Deferred(g.OID, g.InitiallyDeferred) {
			later := st.Pending(g.OID, true, func() txn.Check { return &deferredTriggers{fire: tr.t.rt.Fire} }).(*deferredTriggers)
			later.calls = append(later.calls, c)
			continue
		}
		if _, _, err := tr.t.rt.Fire(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// deferredTriggers are the calls of a constraint trigger that wait for the commit.
type deferredTriggers struct {
	fire  func(context.Context, *TriggerCall) ([]types.Datum, bool, error)
	calls []*TriggerCall
}

// Run implements txn.Check.
func (d *deferredTriggers) Run(ctx context.Context, _ txn.Statement) error {
	calls := d.calls
	d.calls = nil
	for _, c := range calls {
		if _, _, err := d.fire(ctx, c); err != nil {
			d.calls = calls // should the commit be tried again
			return err
		}
	}
	return nil
}

// Merge implements txn.Check: what has run does not run again.
func (a *afterTriggers) Merge(other txn.Check) { a.of = append(a.of, other.(*afterTriggers).of...) }

// Merge implements txn.Check.
func (d *deferredTriggers) Merge(other txn.Check) {
	d.calls = append(d.calls, other.(*deferredTriggers).calls...)
}

// needsFire is the error of a statement that cannot run triggers.
func (t *table) needsFire() error {
	if t.triggers != nil && t.rt.Fire == nil {
		return pgerr.Unsupported("changing a table with triggers here")
	}
	return nil
}

// attnumsAt are the attnums of columns at positions of a row.
func (t *table) attnumsAt(set []assign) []int16 {
	out := make([]int16, len(set))
	for i, a := range set {
		out[i] = t.cols[a.pos].Attnum
	}
	return out
}

// everyColumn are assignments to all columns: a trigger may change any.
func (t *table) everyColumn() []assign {
	out := make([]assign, len(t.cols))
	for i := range out {
		out[i].pos = i
	}
	return out
}
