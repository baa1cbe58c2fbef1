package executor

import (
	"context"
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// targetRows is the source of UPDATE and DELETE: rows of which some columns are the target's present row.
type targetRows struct {
	source Operator
	width  int
	doc    int   // position of the raw document
	oid    int   // position of tableoid when the rows are of several tables, -1 when they are not
	old    []int // positions of the table's columns
}

func (b *builder) targetRows(t *table, source planner.Node, doc expr.ColID, oldCols []planner.Col) (targetRows, expr.Layout, error) {
	op, err := b.build(source)
	if err != nil {
		return targetRows{}, nil, err
	}
	l := layoutOf(source.Cols())
	r := targetRows{source: op, width: len(source.Cols()), oid: -1}
	var ok bool
	if r.doc, ok = l[doc]; !ok {
		return r, nil, pgerr.Internal("the rows to change carry no document")
	}
	if len(oldCols) != len(t.cols) {
		return r, nil, pgerr.Internal("%d columns for the row of %s", len(oldCols), t.rel.Name)
	}
	for _, c := range oldCols {
		p, ok := l[c.ID]
		if !ok {
			return r, nil, pgerr.Internal("the rows to change lack a column of %s", t.rel.Name)
		}
		r.old = append(r.old, p)
	}
	return r, l, nil
}

// each calls f for every target row once, after all were read: what is written must not be read again by the source
// (the Halloween problem). A document that comes twice, through a join, counts once.
func (r *targetRows) each(ctx context.Context, t *table, f func(row []types.Datum, doc bson.Raw) error) error {
	rows := newRowStore(r.width, t.rt.Budget)
	defer rows.release()
	if err := drain(ctx, r.source, func(row []types.Datum) error {
		if row[r.doc].IsNull() {
			return nil
		}
		_, err := rows.add(row)
		return err
	}); err != nil {
		return err
	}
	seen := make(map[string]struct{}, rows.n)
	for i := range rows.n {
		row := rows.row(i)
		doc := bson.Raw(row[r.doc].Bytes())
		id, err := documentID(doc)
		if err != nil {
			return err
		}
		key := string(id.Type) + string(id.Value)
		if r.oid >= 0 {
			key += strconv.FormatInt(row[r.oid].Int(), 16)
		}
		if _, twice := seen[key]; twice {
			continue
		}
		seen[key] = struct{}{}
		if err := f(row, doc); err != nil {
			return err
		}
	}
	return nil
}

func (r *targetRows) present(row, dst []types.Datum) []types.Datum {
	for i, p := range r.old {
		dst[i] = row[p]
	}
	return dst
}

// updateOp changes the rows of its source.
type updateOp struct {
	modifyOp
	targets targetRows
	set     []assign
	check   *rowCheck
	changer *rowChanger
	out     []scalar
	// direct is nil for a change that needs its rows; with one, prepare builds the rest when it turns out to be needed.
	direct  *directWrite
	prepare func() error
	// family is the table with its children, nil for one without.
	family *family
}

func (b *builder) buildUpdate(n *planner.Update) (Operator, error) {
	t, err := newTable(b.rt, n.Rel)
	if err != nil {
		return nil, err
	}
	op := &updateOp{modifyOp: modifyOp{table: t, width: len(n.Returning)}}
	op.run, op.events = op.update, []string{"UPDATE"}
	op.prepare = func() error { return b.finishUpdate(op, n) }
	if op.direct, err = b.buildDirect(t, n.Direct, n.Source, n.NewCols); op.direct != nil || err != nil {
		return op, err
	}
	return op, op.prepare()
}

// finishUpdate builds what changes rows that are read before.
func (b *builder) finishUpdate(op *updateOp, n *planner.Update) (err error) {
	t := op.table
	var l expr.Layout
	if op.targets, l, err = b.targetRows(t, n.Source, n.Doc, n.OldCols); err != nil {
		return err
	}
	if n.Members != nil {
		op.family, op.targets.oid = newFamily(t, n.Members), l[n.TableOID]
	}
	if op.set, err = b.assigns(t, n.Set, l); err != nil {
		return err
	}
	wide := wideLayout(l, op.targets.width, n.NewCols)
	if op.check, err = b.rowCheck(t, n.Generated, n.Checks, wide); err != nil {
		return err
	}
	if op.out, err = b.compileAll(n.Returning, wide); err != nil {
		return err
	}
	op.changer, op.set16 = newRowChanger(t, op.set, op.check.generated), t.attnumsAt(op.set)
	return nil
}

// wideLayout is that of a source's rows with the new row behind them.
func wideLayout(source expr.Layout, width int, newCols []planner.Col) expr.Layout {
	wide := make(expr.Layout, len(source)+len(newCols))
	for id, p := range source {
		wide[id] = p
	}
	for i, c := range newCols {
		wide[c.ID] = width + i
	}
	return wide
}

func (op *updateOp) update(ctx context.Context) error {
	if op.direct != nil {
		n, done, err := op.direct.update(ctx)
		if op.affected = n; done || err != nil {
			return err
		}
		if err := op.prepare(); err != nil {
			return err
		}
	}
	if op.family != nil {
		if err := op.targets.each(ctx, op.table, func(row []types.Datum, doc bson.Raw) error { return op.changeMember(ctx, row, doc) }); err != nil {
			return err
		}
		return op.family.flush(ctx)
	}
	return op.targets.each(ctx, op.table, func(row []types.Datum, doc bson.Raw) error { return op.changeRow(ctx, row, doc) })
}

// changeMember changes a row of one of several tables.
func (op *updateOp) changeMember(ctx context.Context, row []types.Datum, doc bson.Raw) error {
	m, err := op.family.of(uint32(row[op.targets.oid].Int()))
	if err != nil {
		return err
	}
	values := make([]types.Datum, len(op.set))
	for i, a := range op.set {
		if values[i], err = a.value.value(op.rt.Env, row); err != nil {
			return err
		}
	}
	shown, err := op.family.update(ctx, m, doc, op.set, values)
	if err != nil || shown == nil {
		return err
	}
	op.affected++
	return op.returning(op.out, append(slices.Clone(row), shown...))
}

func (op *updateOp) changeRow(ctx context.Context, row []types.Datum, doc bson.Raw) error {
	wide := make([]types.Datum, op.targets.width+len(op.cols))
	copy(wide, row)
	own := wide[op.targets.width:]
	old := op.targets.present(row, make([]types.Datum, len(op.cols)))
	copy(own, old)
	for _, a := range op.set {
		v, err := a.value.value(op.rt.Env, row)
		if err != nil {
			return err
		}
		own[a.pos] = v
	}
	kept, err := op.triggers.beforeRow(ctx, "UPDATE", old, own, op.set16)
	if kept == nil || err != nil {
		return err
	}
	copy(own, kept)
	if err := op.check.apply(wide, own); err != nil {
		return err
	}
	if err := op.changer.change(ctx, doc, old, own); err != nil {
		return err
	}
	op.triggers.afterRow("UPDATE", old, own, op.set16)
	op.affected++
	return op.returning(op.out, wide)
}

// rowChanger writes changes of rows of one table in which the same columns are assigned.
type rowChanger struct {
	t       *table
	columns []int // positions that are assigned
	keys    bool  // some of them are in a unique index or a foreign key refers to them
	id      bool  // the one that is _id is among them
}

func newRowChanger(t *table, sets ...[]assign) *rowChanger {
	c := &rowChanger{t: t}
	if t.triggers.has("UPDATE", true, true) {
		sets = append(sets, t.everyColumn())
	}
	seen := make([]bool, len(t.cols))
	for _, set := range sets {
		for _, a := range set {
			if !seen[a.pos] {
				seen[a.pos] = true
				c.columns = append(c.columns, a.pos)
			}
		}
	}
	return c.settle(seen)
}

func (c *rowChanger) settle(assigned []bool) *rowChanger {
	c.id = c.t.enc.IDColumn() >= 0 && assigned[c.t.enc.IDColumn()]
	for _, u := range c.t.unique {
		for _, p := range u.cols {
			c.keys = c.keys || assigned[p]
		}
	}
	for _, fk := range c.t.parent {
		for _, p := range fk.parentPos {
			c.keys = c.keys || assigned[p]
		}
	}
	return c
}

// change writes the change of one row, and notes what foreign keys have to check or to do about it.
func (c *rowChanger) change(ctx context.Context, doc bson.Raw, old, row []types.Datum) error {
	t := c.t
	id, err := documentID(doc)
	if err != nil {
		return err
	}
	mode := txn.LockNoKeyUpdate
	if c.keys && t.keyChanged(old, row) {
		mode = txn.LockUpdate
	}
	if _, err := t.rt.Txn.Lock(ctx, t.db, t.rel.Collection, []bson.RawValue{id}, mode, txn.WaitBlock); err != nil {
		return err
	}
	if err := t.childChanged(ctx, old, row); err != nil {
		return err
	}
	if err := t.parentChanged(old, row); err != nil {
		return err
	}
	if mode == txn.LockUpdate && len(t.parent) > 0 {
		t.rt.Txn.Guard(t.db, t.rel.Collection, []bson.RawValue{id}, true)
	}
	was, err := t.keysOf(old)
	if err != nil {
		return err
	}
	keys, err := t.keysOf(row)
	if err != nil {
		return err
	}
	if c.id {
		moved, err := c.move(ctx, id, doc, old, row, was, keys)
		if moved || err != nil {
			return err
		}
	}
	up, replace, err := t.enc.Update(doc, old, row, c.columns, keys.hidden...)
	if err != nil {
		return err
	}
	if up == nil { // nothing changes, but the row is locked
		_, err := t.rt.Txn.LockRows(ctx, t.db, t.rel.Collection, []bson.RawValue{id}, mode, txn.WaitBlock)
		return err
	}
	t.keysWritten(id, was, keys)
	kind := mongo.WriteUpdate
	if replace {
		kind = mongo.WriteReplace
	}
	return t.add(ctx, mongo.Write{Kind: kind, ID: id, Doc: up, Before: doc})
}

// move writes a row whose _id changes: MongoDB cannot change it, so the document is deleted and inserted again.
func (c *rowChanger) move(ctx context.Context, id bson.RawValue, doc bson.Raw, old, row []types.Datum, was, keys rowKeys) (bool, error) {
	t, i := c.t, c.t.enc.IDColumn()
	if keyTypeOf(t.cols[i].Type).same(old[i], row[i]) {
		return false, nil
	}
	to, err := t.enc.Value(i, row[i])
	if err != nil {
		return false, err
	}
	moved, err := t.enc.Move(doc, to, old, row, c.columns, keys.hidden...)
	if err != nil {
		return false, err
	}
	t.keysWritten(to, was, keys)
	if err := t.add(ctx, mongo.Write{Kind: mongo.WriteDelete, ID: id, Before: doc}); err != nil {
		return false, err
	}
	return true, t.add(ctx, mongo.Write{Kind: mongo.WriteInsert, ID: to, Doc: moved})
}

// deleteOp removes the rows of its source.
type deleteOp struct {
	modifyOp
	targets targetRows
	out     []scalar
	direct  *directWrite
	prepare func() error
	family  *family // as updateOp's
}

func (b *builder) buildDelete(n *planner.Delete) (Operator, error) {
	t, err := newTable(b.rt, n.Rel)
	if err != nil {
		return nil, err
	}
	op := &deleteOp{modifyOp: modifyOp{table: t, width: len(n.Returning)}}
	op.run, op.events = op.remove, []string{"DELETE"}
	op.prepare = func() error { return b.finishDelete(op, n) }
	if op.direct, err = b.buildDirect(t, n.Direct, n.Source, nil); op.direct != nil || err != nil {
		return op, err
	}
	return op, op.prepare()
}

// finishDelete builds what removes rows that are read before.
func (b *builder) finishDelete(op *deleteOp, n *planner.Delete) (err error) {
	var l expr.Layout
	if op.targets, l, err = b.targetRows(op.table, n.Source, n.Doc, n.OldCols); err != nil {
		return err
	}
	if op.out, err = b.compileAll(n.Returning, l); err != nil {
		return err
	}
	if n.Members != nil {
		op.family, op.targets.oid = newFamily(op.table, n.Members), l[n.TableOID]
	}
	return nil
}

func (op *deleteOp) remove(ctx context.Context) error {
	if op.direct != nil {
		n, done, err := op.direct.remove(ctx)
		if op.affected = n; done || err != nil {
			return err
		}
		if err := op.prepare(); err != nil {
			return err
		}
	}
	err := op.targets.each(ctx, op.table, func(row []types.Datum, doc bson.Raw) error {
		var done bool
		var err error
		if op.family != nil {
			done, err = op.family.remove(ctx, uint32(row[op.targets.oid].Int()), doc)
		} else {
			done, err = op.deleteRow(ctx, doc, op.targets.present(row, make([]types.Datum, len(op.cols))))
		}
		if err != nil || !done {
			return err
		}
		op.affected++
		return op.returning(op.out, row)
	})
	if err == nil && op.family != nil {
		err = op.family.flush(ctx)
	}
	return err
}

// deleteRow queues the removal of one row, and notes what foreign keys have to check or to do about it; done is false where
// a trigger keeps the row.
func (t *table) deleteRow(ctx context.Context, doc bson.Raw, old []types.Datum) (done bool, err error) {
	id, err := documentID(doc)
	if err != nil {
		return false, err
	}
	if row, err := t.triggers.beforeRow(ctx, "DELETE", old, nil, nil); row == nil || err != nil {
		return false, err
	}
	if err := t.parentDeleted(old); err != nil {
		return false, err
	}
	t.triggers.afterRow("DELETE", old, nil, nil)
	if len(t.parent) > 0 {
		t.rt.Txn.Guard(t.db, t.rel.Collection, []bson.RawValue{id}, true)
	}
	return true, t.add(ctx, mongo.Write{Kind: mongo.WriteDelete, ID: id, Before: doc})
}
