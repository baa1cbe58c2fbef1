package executor

import (
	"context"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
)

// directWrite is an UPDATE or DELETE of one row that MongoDB makes without the row being read before. It does only what
// certainly is what PostgreSQL would do: where it cannot tell, and when something fails that depends on there being a row,
// the statement goes its ordinary way.
type directWrite struct {
	t     *table
	query pushedQuery
	id    scalar
	set   []assign
	add   []increment
	// check sees the new row from position width on.
	check []scalar
	width int
}

type increment struct {
	pos   int
	value scalar
	minus bool
}

// buildDirect prepares what the planner found; nil when the table's constraints want the row to be known. newCols are the
// columns of the new row in checks.
func (b *builder) buildDirect(t *table, d *planner.DirectWrite, source planner.Node, newCols []planner.Col) (*directWrite, error) {
	if d == nil || b.rt.Instrument != nil || b.keeping > 0 || t.triggers != nil {
		return nil, nil
	}
	w := &directWrite{t: t, width: len(source.Cols())}
	var err error
	leaf := source.(*planner.Pushed)
	if w.query, err = b.pushedQuery(leaf.Scan, leaf.Filter); err != nil {
		return nil, err
	}
	if w.id, err = b.compile(d.ID, nil); err != nil {
		return nil, err
	}
	if w.set, err = b.assigns(t, d.Set, nil); err != nil {
		return nil, err
	}
	for _, a := range d.Add {
		v, err := b.compile(a.Value, nil)
		if err != nil {
			return nil, err
		}
		w.add = append(w.add, increment{t.pos[a.Attnum], v, a.Minus})
	}
	var wide expr.Layout
	if len(d.Checks) > 0 {
		wide = wideLayout(layoutOf(source.Cols()), w.width, newCols)
	}
	for _, c := range d.Checks {
		cond, err := b.compile(c.Cond, wide)
		if err != nil {
			return nil, err
		}
		w.check = append(w.check, cond)
	}
	return w, nil
}

// keyColumns tells which columns' values others rely on: those of unique indexes and foreign keys. ok is false when that
// depends on more than columns.
func (t *table) keyColumns() (keys []bool, ok bool) {
	if len(t.hidden) > 0 {
		return nil, false
	}
	keys = make([]bool, len(t.cols))
	for _, u := range t.unique {
		if u.cols == nil {
			return nil, false
		}
		for _, p := range u.cols {
			keys[p] = true
		}
	}
	for _, fk := range t.child {
		for _, p := range fk.childPos {
			keys[p] = true
		}
	}
	for _, fk := range t.parent {
		for _, p := range fk.parentPos {
			keys[p] = true
		}
	}
	return keys, true
}

// update makes the change. done is false when nothing was changed and the statement has to go its ordinary way.
func (w *directWrite) update(ctx context.Context) (affected int64, done bool, err error) {
	t := w.t
	keys, ok := t.keyColumns()
	if !ok {
		return 0, false, nil
	}
	row := make([]types.Datum, w.width+len(t.cols))
	own := row[w.width:]
	change := t.enc.Change()
	var guards bson.D
	for _, a := range w.set {
		v, err := a.value.value(t.rt.Env, nil)
		c := t.cols[a.pos]
		if err != nil || v.IsNull() && c.NotNull || !change.Set(a.pos, v) {
			return 0, false, nil
		}
		own[a.pos] = v
		if keys[a.pos] {
			// A key that stays as it is needs no check and no stronger lock: whether it does, MongoDB finds out.
			g, ok := sameValue(c, v)
			if !ok {
				return 0, false, nil
			}
			guards = append(guards, g)
		}
	}
	for _, a := range w.add {
		c := t.cols[a.pos]
		v, err := a.value.value(t.rt.Env, nil)
		if err != nil || v.IsNull() || keys[a.pos] {
			return 0, false, nil
		}
		g, delta, ok := stayInRange(c, v.Int(), a.minus)
		if !ok || !change.Add(a.pos, delta) {
			return 0, false, nil
		}
		guards = append(guards, g)
	}
	for i := range w.check {
		v, err := w.check[i].value(t.rt.Env, row)
		if err != nil || !v.IsNull() && !v.Bool() {
			return 0, false, nil
		}
	}
	matched, done, err := w.change(ctx, mongo.Change{Update: change.Document()}, guards, txn.LockNoKeyUpdate)
	// Without a guard no match is no row.
	return matched, done && (matched > 0 || len(guards) == 0), err
}

// remove deletes the row.
func (w *directWrite) remove(ctx context.Context) (affected int64, done bool, err error) {
	if len(w.t.parent) > 0 {
		return 0, false, nil
	}
	return w.change(ctx, mongo.Change{}, nil, txn.LockUpdate)
}

func (w *directWrite) change(ctx context.Context, c mongo.Change, guards bson.D, mode txn.LockMode) (affected int64, done bool, err error) {
	t := w.t
	id, err := w.id.value(t.rt.Env, nil)
	if err != nil || id.IsNull() {
		return 0, false, nil
	}
	if c.ID, err = types.ToBSON(w.id.typ, id); err != nil {
		return 0, false, nil
	}
	if c.Filter, err = w.query.filter(); err != nil {
		return 0, false, nil
	}
	if len(guards) > 0 {
		c.Filter = bson.D{{Key: "$and", Value: bson.A{c.Filter, guards}}}
	}
	matched, done, err := t.rt.Txn.Change(ctx, t.db, t.rel.Collection, c, mode)
	if matched {
		affected = 1
	}
	return affected, done, t.writeError(err)
}

// sameValue is the condition that a column has a value already, where MongoDB's equality is PostgreSQL's.
func sameValue(c *catalog.Column, v types.Datum) (bson.E, bool) {
	if c.Micros || c.MayArray || !c.Missing.IsNull() {
		return bson.E{}, false
	}
	switch c.Type {
	case types.Int2T, types.Int4T, types.Int8T, types.TextT, types.VarcharT, types.UUIDT, types.BoolT, types.DateT:
	default:
		return bson.E{}, false
	}
	raw, err := document.ColumnValue(c, v)
	return bson.E{Key: c.Path[0], Value: bson.D{{Key: "$eq", Value: raw}}}, err == nil
}

// stayInRange is the condition that adding to (or subtracting from) a column gives a value of its type; NULL does not fulfil
// it. Where the amount is at the end of int8 nothing is tried.
func stayInRange(c *catalog.Column, v int64, minus bool) (guard bson.E, delta int64, ok bool) {
	lowest, highest := int64(math.MinInt64), int64(math.MaxInt64)
	switch c.Type {
	case types.Int2T:
		lowest, highest = math.MinInt16, math.MaxInt16
	case types.Int4T:
		lowest, highest = math.MinInt32, math.MaxInt32
	}
	if v == math.MinInt64 {
		return guard, 0, false
	}
	if minus {
		v = -v
	}
	if v > highest || v < lowest {
		return guard, 0, false
	}
	bound := bson.E{Key: "$lte", Value: highest - max(v, 0)}
	if v < 0 {
		bound = bson.E{Key: "$gte", Value: lowest - v}
	}
	return bson.E{Key: c.Path[0], Value: bson.D{bound}}, v, true
}
