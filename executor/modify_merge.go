package executor

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// mergeOp runs the first action that applies to each row of its source.
type mergeOp struct {
	modifyOp
	targets targetRows
	check   *rowCheck
	actions []mergeAction
	// wide is the width of the row that expressions see: the source's, the new row, what is computed before assignments.
	wide int
	// touched are the _ids of rows that this command has changed or deleted.
	touched map[string]struct{}
}

type mergeAction struct {
	matched bool
	kind    planner.MergeKind
	when    []scalar
	rows    []rowSource
	set     []assign
	changer *rowChanger
}

// rowSource is a value that is computed before assignments, into a position of the row that they see.
type rowSource struct {
	pos   int
	value scalar
}

func (b *builder) rowSources(list []planner.RowSource, l expr.Layout) ([]rowSource, error) {
	out := make([]rowSource, len(list))
	for i, r := range list {
		v, err := b.compile(r.X, l)
		if err != nil {
			return nil, err
		}
		out[i] = rowSource{l[r.Col.ID], v}
	}
	return out, nil
}

// placeRows gives the columns of row sources places at the end of a row of the given width, and returns the new width.
func placeRows(list []planner.RowSource, l expr.Layout, width int) int {
	for i, r := range list {
		l[r.Col.ID] = width + i
	}
	return width + len(list)
}

func computeRows(env *expr.Env, rows []rowSource, row []types.Datum) error {
	for _, r := range rows {
		v, err := r.value.value(env, row)
		if err != nil {
			return err
		}
		row[r.pos] = v
	}
	return nil
}

func (b *builder) buildMerge(n *planner.Merge) (Operator, error) {
	t, err := newTable(b.rt, n.Rel)
	if err != nil {
		return nil, err
	}
	op := &mergeOp{modifyOp: modifyOp{table: t}, touched: map[string]struct{}{}}
	op.run = op.merge
	var l expr.Layout
	if op.targets, l, err = b.targetRows(t, n.Source, n.Doc, n.OldCols); err != nil {
		return nil, err
	}
	for i, c := range n.NewCols {
		l[c.ID] = op.targets.width + i
	}
	width := op.targets.width + len(n.NewCols)
	for _, a := range n.Actions {
		width = placeRows(a.Rows, l, width)
	}
	op.wide = width
	if op.check, err = b.rowCheck(t, n.Generated, n.Checks, l); err != nil {
		return nil, err
	}
	for _, a := range n.Actions {
		m := mergeAction{matched: a.Matched, kind: a.Kind}
		if m.when, err = b.compileAll(a.When, l); err != nil {
			return nil, err
		}
		if m.rows, err = b.rowSources(a.Rows, l); err != nil {
			return nil, err
		}
		if m.set, err = b.assigns(t, a.Set, l); err != nil {
			return nil, err
		}
		m.changer = newRowChanger(t, m.set, op.check.generated)
		op.actions = append(op.actions, m)
		if e := mergeEvents[m.kind]; e != "" && !slices.Contains(op.events, e) {
			op.events = append(op.events, e)
		}
	}
	order := []string{"INSERT", "UPDATE", "DELETE"}
	slices.SortFunc(op.events, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	return op, nil
}

var mergeEvents = map[planner.MergeKind]string{planner.MergeInsert: "INSERT", planner.MergeUpdate: "UPDATE", planner.MergeDelete: "DELETE"}

// merge reads all rows before it writes the first: what is written must not be read again.
func (op *mergeOp) merge(ctx context.Context) error {
	rows := newRowStore(op.targets.width, op.rt.Budget)
	defer rows.release()
	if err := drain(ctx, op.targets.source, func(row []types.Datum) error {
		_, err := rows.add(row)
		return err
	}); err != nil {
		return err
	}
	for i := range rows.n {
		wide := make([]types.Datum, op.wide)
		copy(wide, rows.row(i))
		matched := !wide[op.targets.doc].IsNull()
		for j := range op.actions {
			a := &op.actions[j]
			if a.matched != matched {
				continue
			}
			applies, err := allTrue(op.rt.Env, a.when, wide)
			if err != nil {
				return err
			}
			if applies {
				if err := op.act(ctx, a, wide); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

func (op *mergeOp) act(ctx context.Context, a *mergeAction, wide []types.Datum) error {
	if a.kind == planner.MergeNothing {
		return nil
	}
	own := wide[op.targets.width : op.targets.width+len(op.cols)]
	if a.kind == planner.MergeInsert {
		if err := op.assign(a, wide, own); err != nil {
			return err
		}
		kept, err := op.triggers.beforeRow(ctx, "INSERT", nil, own, nil)
		if kept == nil || err != nil {
			return err
		}
		copy(own, kept)
		op.enc.GenerateID(own)
		if err := op.check.apply(wide, own); err != nil {
			return err
		}
		op.affected++
		op.triggers.afterRow("INSERT", nil, own, nil)
		return op.insertRow(ctx, own)
	}
	doc := bson.Raw(wide[op.targets.doc].Bytes())
	old := op.targets.present(wide, make([]types.Datum, len(op.cols)))
	if a.kind == planner.MergeUpdate {
		copy(own, old)
		if err := op.assign(a, wide, own); err != nil {
			return err
		}
		kept, err := op.triggers.beforeRow(ctx, "UPDATE", old, own, op.attnumsAt(a.set))
		if kept == nil || err != nil {
			return err
		}
		copy(own, kept)
		if err := op.check.apply(wide, own); err != nil {
			return err
		}
	}
	id, err := documentID(doc)
	if err != nil {
		return err
	}
	key := string(id.Type) + string(id.Value)
	if _, twice := op.touched[key]; twice {
		return firstError(op.flush(ctx), pgerr.New(pgerr.CardinalityViolation, "MERGE command cannot affect row a second time").
			WithHint("Ensure that not more than one source row matches any one target row."))
	}
	op.touched[key] = struct{}{}
	if a.kind == planner.MergeDelete {
		done, err := op.deleteRow(ctx, doc, old)
		if done {
			op.affected++
		}
		return err
	}
	op.affected++
	op.triggers.afterRow("UPDATE", old, own, op.attnumsAt(a.set))
	return a.changer.change(ctx, doc, old, own)
}

// assign puts the values of an action into the new row; they see the row before.
func (op *mergeOp) assign(a *mergeAction, wide, own []types.Datum) error {
	if err := computeRows(op.rt.Env, a.rows, wide); err != nil {
		return err
	}
	for _, s := range a.set {
		v, err := s.value.value(op.rt.Env, wide)
		if err != nil {
			return err
		}
		own[s.pos] = v
	}
	return nil
}
