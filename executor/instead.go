package executor

import (
	"context"
	"io"
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// insteadOp hands the rows of a change to the INSTEAD OF triggers of a view. What they return is the row of RETURNING, and no
// row says that nothing was changed.
type insteadOp struct {
	modifyOp
	source Operator
	op     string
	// targets are the positions in the view's row of the source's columns, for INSERT; old those of the view's columns in the
	// source's rows for the others.
	targets []int
	old     []int
	set     []assign
	out     []scalar
}

// viewTable is a view as what its triggers see.
func viewTable(rt *Runtime, rel *catalog.Relation) (*table, error) {
	t := &table{rt: rt, rel: rel, db: rt.Env.View.Snapshot.Database, cols: rel.Live(), pos: map[int16]int{}}
	for i, c := range t.cols {
		t.pos[c.Attnum] = i
	}
	t.triggers = newTriggers(t)
	return t, t.needsFire()
}

// buildInstead makes the operator of a change of a view that has triggers for it.
func (b *builder) buildInstead(node planner.Node) (Operator, error) {
	var rel *catalog.Relation
	var source planner.Node
	var returning []expr.Expr
	op := &insteadOp{}
	l := expr.Layout{}
	width := 0
	oldCols := func(cols []planner.Col) {
		l, width = layoutOf(source.Cols()), len(source.Cols())
		for _, c := range cols {
			op.old = append(op.old, l[c.ID])
		}
	}
	var set []planner.Assign
	var newCols []planner.Col
	switch n := node.(type) {
	case *planner.Insert:
		rel, source, returning, op.op, newCols = n.Rel, n.Source, n.Returning, "INSERT", n.RowCols
		if n.Conflict != nil {
			return nil, pgerr.Unsupported("ON CONFLICT with a view that has INSTEAD OF triggers")
		}
	case *planner.Update:
		rel, source, returning, op.op, newCols, set = n.Rel, n.Source, n.Returning, "UPDATE", n.NewCols, n.Set
		oldCols(n.OldCols)
	case *planner.Delete:
		rel, source, returning, op.op = n.Rel, n.Source, n.Returning, "DELETE"
		oldCols(n.OldCols)
	}
	t, err := viewTable(b.rt, rel)
	if err != nil {
		return nil, err
	}
	op.modifyOp = modifyOp{table: t, width: len(returning), run: nil, events: []string{op.op}}
	op.run = op.each
	if n, ok := node.(*planner.Insert); ok {
		for _, a := range n.Targets {
			op.targets = append(op.targets, t.pos[a])
		}
	}
	if op.source, err = b.build(source); err != nil {
		return nil, err
	}
	if op.set, err = b.assigns(t, set, l); err != nil {
		return nil, err
	}
	op.set16 = t.attnumsAt(op.set)
	op.out, err = b.compileAll(returning, wideLayout(l, width, newCols))
	return op, err
}

func (op *insteadOp) each(ctx context.Context) error {
	// All rows are read before the first trigger runs, which may change what they are read from.
	var rows [][]types.Datum
	if err := drain(ctx, op.source, func(row []types.Datum) error {
		rows = append(rows, slices.Clone(row))
		return nil
	}); err != nil && err != io.EOF {
		return err
	}
	for _, row := range rows {
		if err := op.one(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

func (op *insteadOp) one(ctx context.Context, row []types.Datum) error {
	own := make([]types.Datum, len(op.cols))
	var old []types.Datum
	wide := row
	if op.op == "INSERT" {
		for i, pos := range op.targets {
			own[pos] = row[i]
		}
		wide = nil
	} else {
		for i, p := range op.old {
			own[i] = row[p]
		}
		old = slices.Clone(own)
	}
	for _, a := range op.set {
		v, err := a.value.value(op.rt.Env, row)
		if err != nil {
			return err
		}
		own[a.pos] = v
	}
	own, err := op.triggers.insteadRow(ctx, op.op, old, own)
	if own == nil || err != nil {
		return err
	}
	op.affected++
	if op.op == "DELETE" {
		return op.returning(op.out, wide)
	}
	return op.returning(op.out, append(slices.Clone(wide), own...))
}

// insteadRow runs the INSTEAD OF triggers for a row; a nil row says that the change is not to be counted.
func (tr *tableTriggers) insteadRow(ctx context.Context, op string, old, new []types.Datum) ([]types.Datum, error) {
	row := new
	if tr == nil {
		return row, nil
	}
	for _, g := range tr.list {
		if !g.On(op) || !g.Instead() {
			continue
		}
		c := &TriggerCall{Rel: tr.t.rel, Trigger: g, Op: op, Row: true, Old: old}
		if op != "DELETE" {
			c.New = row
		}
		out, _, err := tr.t.rt.Fire(ctx, c)
		if out == nil || err != nil {
			return nil, err
		}
		if op != "DELETE" {
			row = out
		}
	}
	return row, nil
}
