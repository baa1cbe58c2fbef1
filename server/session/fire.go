package session

import (
	"context"
	"strconv"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/executor/plpgsql"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// firesTriggers reports whether writing a table may run triggers: its own, or those of tables that its foreign keys act on.
func firesTriggers(snap *catalog.Snapshot, rel *catalog.Relation, seen map[uint32]bool) bool {
	if len(rel.Triggers) > 0 {
		return true
	}
	for _, r := range snap.Ancestors(rel) {
		if len(r.Triggers) > 0 {
			return true
		}
	}
	for _, ref := range snap.ReferencedBy(rel.OID) {
		child := ref.Table
		if seen[child.OID] {
			continue
		}
		if seen == nil {
			seen = map[uint32]bool{}
		}
		seen[child.OID] = true
		if firesTriggers(snap, child, seen) {
			return true
		}
	}
	return false
}

// fire runs a trigger's function.
func (r *routines) fire(ctx context.Context, c *executor.TriggerCall) ([]types.Datum, bool, error) {
	s, t := r.s, c.Trigger
	snap := s.last
	ev := &plpgsql.Event{
		Name: t.Name, When: "AFTER", Level: "STATEMENT", Op: c.Op, Schema: c.Rel.Schema, Table: c.Rel.Name, RelOID: c.Rel.OID, Args: t.Args,
		New: c.New, Old: c.Old, RowType: snap.TypeByOID(c.Rel.RowType),
	}
	if ev.RowType == nil {
		ev.RowType = types.RecordT
	}
	if c.Before {
		ev.When = "BEFORE"
	}
	if t.Instead() {
		ev.When = "INSTEAD OF"
	}
	if c.Row {
		ev.Level = "ROW"
	}
	for _, col := range c.Rel.Live() {
		ev.Fields = append(ev.Fields, types.Field{Name: col.Name, Type: col.Type, Typmod: col.Typmod})
	}
	if t.When != "" {
		ok, err := s.triggerWhen(ctx, whenKey{t, c.Rel.OID}, ev)
		if err != nil || !ok {
			return nil, false, err
		}
	}
	fn := snap.FunctionByOID(t.Function)
	if fn == nil {
		row, err := s.builtinTrigger(ctx, ev, t.Function)
		return row, true, err
	}
	if s.depth >= maxCallDepth {
		return nil, false, depthExceeded()
	}
	s.depth++
	s.triggerDepth++
	defer func() { s.depth--; s.triggerDepth-- }()
	restore, err := s.functionSettings(fn)
	if err != nil {
		return nil, false, err
	}
	defer restore()
	key := codeKey{fn.OID, "trigger " + strconv.Itoa(int(c.Rel.OID))}
	code, err := s.code(ctx, key, fn, func(snap *catalog.Snapshot) (*compiled, error) {
		pl, err := plpgsql.Parse(s.resolver(snap), plpgsql.Definition{
			Name: fn.Name, Signature: s.signature(snap, fn), Result: plpgsql.Result{Type: fn.Ret, Trigger: true}, Body: s.conformBody(fn.Source),
		})
		return &compiled{pl: pl}, bodyError(err, fn)
	})
	if err != nil {
		return nil, false, err
	}
	defer s.pushTransition(c)()
	in := &routines{s: s, st: r.st, rt: r.rt, up: r.up}
	out, err := code.pl.Call(ctx, &host{s: s, r: in, ctx: ctx}, nil, ev)
	if err != nil || out.Row == nil {
		return nil, true, err
	}
	return out.Row.Vals, true, nil
}

// triggerRow are NEW and OLD as planner.Variables.
type triggerRow struct{ ev *plpgsql.Event }

// Prefer implements planner.Variables.
func (triggerRow) Prefer() planner.Preference { return planner.PreferVariable }

// Param implements planner.Variables.
func (triggerRow) Param(n int) (expr.Expr, error) {
	return nil, pgerr.New(pgerr.UndefinedParameter, "there is no parameter $%d", n)
}

// Name implements planner.Variables.
func (r triggerRow) Name(path []string) (expr.Expr, error) {
	n := 0
	switch path[0] {
	case "new":
		n = 1
	case "old":
		n = 2
	default:
		return nil, nil
	}
	whole := &expr.Param{N: n, T: r.ev.RowType, Mod: -1, Fields: r.ev.Fields}
	if len(path) == 1 {
		return whole, nil
	}
	for i, f := range r.ev.Fields {
		if f.Name == path[1] {
			return &expr.Field{X: whole, Index: i, Name: f.Name, T: f.Type, Mod: f.Typmod}, nil
		}
	}
	return nil, nil
}

// whenKey is a trigger's condition for one table: a partitioned table's trigger runs for partitions of other layouts.
type whenKey struct {
	t   *catalog.Trigger
	rel uint32
}

// triggerWhen computes a trigger's condition.
func (s *Session) triggerWhen(ctx context.Context, k whenKey, ev *plpgsql.Event) (bool, error) {
	cond := s.whens[k]
	if cond == nil {
		c := s.planContext(ctx, s.last, nil)
		c.Variables = triggerRow{ev}
		x, err := planner.BindVariables(c, k.t.When, types.BoolT)
		if err != nil {
			return false, err
		}
		if cond, err = expr.Compile(x, nil); err != nil {
			return false, err
		}
		if s.whens == nil || len(s.whens) > cacheEntries {
			s.whens = map[whenKey]expr.Eval{}
		}
		s.whens[k] = cond
	}
	env := s.env(ctx, s.last, []types.Datum{eventRow(ev, ev.New), eventRow(ev, ev.Old)})
	d, err := cond(env, nil)
	return d.Bool() && !d.IsNull(), err
}

// eventRow is NEW or OLD as a record, NULL where the event has none.
func eventRow(ev *plpgsql.Event, vals []types.Datum) types.Datum {
	if vals == nil {
		return types.Null
	}
	rec := &types.Record{Vals: vals}
	for _, f := range ev.Fields {
		rec.Types, rec.Names = append(rec.Types, f.Type), append(rec.Names, f.Name)
	}
	return types.Ref(rec)
}

// transition are a statement's transition tables: the rows that it made and those that it changed or removed.
type transition struct {
	rel    *catalog.Relation
	tables map[string][][]types.Datum
}

// pushTransition shows a trigger's function its transition tables, until the function that it returns is called.
func (s *Session) pushTransition(c *executor.TriggerCall) func() {
	outer := s.transition
	s.transition = nil
	if t := c.Trigger; t.NewTable != "" || t.OldTable != "" {
		s.transition = &transition{rel: c.Rel, tables: map[string][][]types.Datum{}}
		if t.NewTable != "" {
			s.transition.tables[t.NewTable] = c.NewTable
		}
		if t.OldTable != "" {
			s.transition.tables[t.OldTable] = c.OldTable
		}
	}
	return func() { s.transition = outer }
}

// transitionTable is a transition table of the trigger that runs, nil for other names. A plan may be kept for later runs of
// the trigger: the rows are those of the present one.
func (s *Session) transitionTable(name string) *catalog.Relation {
	tr := s.transition
	if tr == nil {
		return nil
	}
	if _, ok := tr.tables[name]; !ok {
		return nil
	}
	rel := &catalog.Relation{Name: name, Kind: catalog.KindTable, Persistence: 't'}
	for i, c := range tr.rel.Live() {
		rel.Columns = append(rel.Columns, &catalog.Column{Attnum: int16(i + 1), Name: c.Name, Type: c.Type, Typmod: c.Typmod, Collation: c.Collation})
	}
	rel.Virtual = &catalog.Virtual{Rows: func(_ context.Context, _ *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
		if s.transition == nil {
			return nil
		}
		for _, row := range s.transition.tables[name] {
			if err := yield(row); err != nil {
				return err
			}
		}
		return nil
	}}
	return rel
}
