package executor

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/catalog/indexkey"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// conflictOp is ON CONFLICT: rows are collected into batches, whose keys are looked up together.
type conflictOp struct {
	t        *table
	arbiters []*arbiter
	// update is nil for DO NOTHING. Its expressions see the existing row followed by the proposed one.
	update  []assign
	doing   bool // DO UPDATE
	rows    []rowSource
	width   int
	where   *scalar
	check   *rowCheck
	changer *rowChanger
	set     []int16 // the columns that update assigns

	// member is set for a partition: t's rows are its, what the expressions see are rows of the root.
	member *member

	batch [][]types.Datum
	// touched are the _ids of rows that this command has changed.
	touched map[string]struct{}
}

// arbiter is an index that decides about conflicts: a unique one over columns, or one of computed keys.
type arbiter struct {
	*uniqueIndex
	hidden *indexkey.Key
	typs   []keyType
	// applies is the predicate of a partial index over columns; nil for none.
	applies *scalar
	// mine has the keys that this command has written.
	mine *keyTable
	// found has the keys of the batch's rows that exist, and rows what is there.
	found *keyTable
	rows  []existingRow
	// others are the keys of rows that an exclusion constraint may see a conflict with, by their stored part: those that
	// exist and those that this command has written.
	others map[string][][]types.Datum
}

type existingRow struct {
	doc bson.Raw
	row []types.Datum
}

// buildConflict makes ON CONFLICT for a table, or for a member of a partitioned one.
func (b *builder) buildConflict(t *table, n *planner.Insert, m *member) (*conflictOp, error) {
	c := &conflictOp{t: t, doing: n.Conflict.Update != nil, touched: map[string]struct{}{}, member: m}
	wanted := func(ix *catalog.Index) bool { return n.Conflict.Indexes == nil || b.partOf(ix, n.Conflict.Indexes) }
	for _, u := range t.unique {
		if !wanted(u.index) {
			continue
		}
		if u.cols == nil {
			return nil, pgerr.Unsupported("ON CONFLICT with an index of MongoDB over something else than columns")
		}
		a := &arbiter{uniqueIndex: u, typs: keyTypes(u.columns)}
		if u.index.Where != "" {
			s, err := b.bindRow(t, u.index.Where, types.BoolT)
			if err != nil {
				return nil, err
			}
			a.applies = &s
		}
		c.arbiters = append(c.arbiters, a)
	}
	for _, k := range t.hidden {
		if !wanted(k.Index) || !k.Index.Unique && !k.Exclusion() {
			continue
		}
		if k.Deferrable() {
			return nil, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters").
				WithConstraint(t.rel.Schema, t.rel.Name, k.Index.Name)
		}
		c.arbiters = append(c.arbiters, &arbiter{hidden: k, typs: keyTypesOf(k)})
	}
	for _, a := range c.arbiters {
		a.mine = newKeyTable(a.typs, b.rt.Budget)
	}
	if !c.doing {
		return c, nil
	}
	l := layoutOf(n.Conflict.OldCols)
	for i, col := range n.RowCols {
		l[col.ID] = len(n.RowCols) + i
	}
	c.width = placeRows(n.Conflict.Rows, l, 2*len(n.RowCols))
	var err error
	if c.rows, err = b.rowSources(n.Conflict.Rows, l); err != nil {
		return nil, err
	}
	root := t
	if m != nil {
		root = m.family.root
	}
	if c.update, err = b.assigns(root, n.Conflict.Update, l); err != nil {
		return nil, err
	}
	if n.Conflict.Where != nil {
		s, err := b.compile(n.Conflict.Where, l)
		if err != nil {
			return nil, err
		}
		c.where = &s
	}
	if m != nil {
		moved := make([]assign, len(c.update))
		for i, a := range c.update {
			moved[i].pos = m.place[a.pos]
		}
		c.check, c.changer, c.set = m.check, newRowChanger(t, moved, m.check.generated), t.attnumsAt(moved)
		return c, nil
	}
	if c.check, err = b.rowCheck(t, n.Conflict.Generated, n.Conflict.Checks, l); err != nil {
		return nil, err
	}
	c.changer, c.set = newRowChanger(t, c.update, c.check.generated), t.attnumsAt(c.update)
	return c, nil
}

// bindRow binds an expression of the catalogue over a table's row.
func (b *builder) bindRow(t *table, text string, want *types.T) (scalar, error) {
	e, l, err := t.rt.bind(t.rel, text, want, -1)
	if err != nil {
		return scalar{}, err
	}
	return b.compile(e, l)
}

func (c *conflictOp) add(ctx context.Context, op *insertOp, row []types.Datum) error {
	c.batch = append(c.batch, row)
	if len(c.batch) < keysPerQuery {
		return nil
	}
	return c.resolve(ctx, op)
}

// key returns the key of a row in the index; ok is false when the row cannot conflict there.
func (c *conflictOp) key(a *arbiter, row []types.Datum) (key []types.Datum, hash uint64, ok bool, err error) {
	if a.applies != nil {
		v, err := a.applies.value(c.t.rt.Env, row)
		if err != nil || !v.Bool() {
			return nil, 0, false, err
		}
	}
	if a.hidden == nil {
		key, ok = a.uniqueIndex.key(row)
	} else if key, ok, err = a.hidden.Of(c.t.rt.Env, row); err != nil || !ok {
		return nil, 0, false, err
	} else {
		key = a.hidden.Fold(key)
	}
	return key, hashKeys(a.typs, key), ok, nil
}

// resolve writes the batch's rows, one after the other as PostgreSQL does.
func (c *conflictOp) resolve(ctx context.Context, op *insertOp) error {
	if len(c.batch) == 0 {
		return nil
	}
	if err := c.lookUp(ctx); err != nil {
		return err
	}
	batch := c.batch
	c.batch = nil
	for _, row := range batch {
		if err := c.one(ctx, op, row); err != nil {
			return err
		}
	}
	return nil
}

// one writes one row of a batch that was looked up.
func (c *conflictOp) one(ctx context.Context, op *insertOp, row []types.Datum) error {
	ex, mine, err := c.find(row)
	switch {
	case err != nil:
		return err
	case mine && c.doing:
		// What the server refuses of the rows before comes first.
		return firstError(c.t.flush(ctx), affectedTwice())
	case mine || ex != nil && !c.doing:
		return nil
	case ex != nil:
		return c.change(ctx, op, ex, row)
	}
	if c.member == nil {
		err = op.write(ctx, row)
	} else {
		err = op.put(ctx, c.member, row)
	}
	if err != nil {
		return err
	}
	return c.remember(row)
}

func affectedTwice() error {
	return pgerr.New(pgerr.CardinalityViolation, "ON CONFLICT DO UPDATE command cannot affect row a second time").
		WithHint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
}

// lookUp reads the rows that have a key of the batch.
func (c *conflictOp) lookUp(ctx context.Context) error {
	if err := c.t.flush(ctx); err != nil {
		return err
	}
	for _, a := range c.arbiters {
		if a.found != nil {
			a.found.release()
		}
		a.found, a.rows = newKeyTable(a.typs, c.t.rt.Budget), nil
		var keys [][]types.Datum
		for _, row := range c.batch {
			key, _, ok, err := c.key(a, row)
			if err != nil {
				return err
			}
			if ok {
				keys = append(keys, key)
			}
		}
		if err := c.read(ctx, a, keys); err != nil {
			return err
		}
	}
	return nil
}

// read reads the rows that have one of the keys.
func (c *conflictOp) read(ctx context.Context, a *arbiter, keys [][]types.Datum) error {
	add := func(doc bson.Raw, row []types.Datum) error {
		key, h, ok, err := c.key(a, row)
		if err != nil || !ok || a.found.find(key, h) >= 0 {
			return err
		}
		if _, err := a.found.insert(key, h); err != nil {
			return err
		}
		a.rows = append(a.rows, existingRow{doc, row})
		return nil
	}
	if a.hidden == nil {
		dec := document.NewDecoder(c.t.rel, c.t.attnums())
		r := keyReader{s: c.t.rt.Txn, db: c.t.db, rel: c.t.rel, cols: a.columns, whole: true}
		return r.read(ctx, keys, func(doc bson.Raw, _ []types.Datum) error {
			row := make([]types.Datum, len(c.t.cols))
			if err := dec.Decode(doc, row); err != nil {
				return err
			}
			return add(doc, row)
		})
	}
	a.others = map[string][][]types.Datum{}
	stored := make([]writtenKey, len(keys))
	for i, k := range keys {
		stored[i] = writtenKey{a.hidden, a.hidden.StoredFolded(k), k}
	}
	return c.t.byKey(ctx, c.t.rt.Txn, a.hidden, stored, func(stored bson.RawValue, doc bson.Raw, row []types.Datum) error {
		if a.hidden.Exclusion() {
			return c.exclude(a, row)
		}
		return add(doc, row)
	})
}

// exclude notes a row that an exclusion constraint compares others with.
func (c *conflictOp) exclude(a *arbiter, row []types.Datum) error {
	key, ok, err := a.hidden.Of(c.t.rt.Env, row)
	if err != nil || !ok {
		return err
	}
	stored := string(a.hidden.Stored(key).Value)
	a.others[stored] = append(a.others[stored], key)
	return nil
}

// excluded reports whether a key conflicts with a row that an exclusion constraint has noted.
func (c *conflictOp) excluded(a *arbiter, key []types.Datum) (bool, error) {
	for _, o := range a.others[string(a.hidden.StoredFolded(key).Value)] {
		if hit, err := a.hidden.Conflict(c.t.rt.Env, key, o); hit || err != nil {
			return hit, err
		}
	}
	return false, nil
}

// find returns the row that a proposed one conflicts with; mine says that this command wrote it.
func (c *conflictOp) find(row []types.Datum) (ex *existingRow, mine bool, err error) {
	for _, a := range c.arbiters {
		key, h, ok, err := c.key(a, row)
		if err != nil {
			return nil, false, err
		}
		if !ok {
			continue
		}
		if a.hidden != nil && a.hidden.Exclusion() {
			if hit, err := c.excluded(a, key); hit || err != nil {
				return nil, true, err
			}
			continue
		}
		if a.mine.find(key, h) >= 0 {
			return nil, true, nil
		}
		if i := a.found.find(key, h); i >= 0 && a.rows[i].doc != nil {
			return &a.rows[i], false, nil
		}
	}
	return nil, false, nil
}

// remember notes the keys of a row that was written.
func (c *conflictOp) remember(row []types.Datum) error {
	for _, a := range c.arbiters {
		if a.hidden != nil && a.hidden.Exclusion() {
			if err := c.exclude(a, row); err != nil {
				return err
			}
			continue
		}
		key, h, ok, err := c.key(a, row)
		if err != nil {
			return err
		}
		if ok && a.mine.find(key, h) < 0 {
			if _, err := a.mine.insert(key, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// change is DO UPDATE of one existing row.
func (c *conflictOp) change(ctx context.Context, op *insertOp, ex *existingRow, proposed []types.Datum) error {
	id, err := documentID(ex.doc)
	if err != nil {
		return err
	}
	name := string(id.Type) + string(id.Value)
	if _, twice := c.touched[name]; twice {
		return firstError(c.t.flush(ctx), affectedTwice())
	}
	env, n := c.t.rt.Env, len(op.cols)
	wide := make([]types.Datum, c.width)
	if c.member == nil {
		copy(wide, ex.row)
		copy(wide[n:], proposed)
	} else {
		c.member.shown(ex.row, wide)
		c.member.shown(proposed, wide[n:])
	}
	if c.where != nil {
		v, err := c.where.value(env, wide)
		if err != nil || !v.Bool() {
			return err
		}
	}
	if err := computeRows(env, c.rows, wide); err != nil {
		return err
	}
	row := make([]types.Datum, c.width)
	copy(row, wide)
	for _, a := range c.update {
		v, err := a.value.value(env, wide)
		if err != nil {
			return err
		}
		row[a.pos] = v
	}
	c.touched[name] = struct{}{}
	own := row[:n:n]
	if c.member != nil {
		return c.changeMember(ctx, op, ex, own)
	}
	kept, err := c.t.triggers.beforeRow(ctx, "UPDATE", ex.row, own, c.set)
	if kept == nil || err != nil {
		return err
	}
	copy(own, kept)
	if err := c.check.apply(row, own); err != nil {
		return err
	}
	if err := c.changer.change(ctx, ex.doc, ex.row, own); err != nil {
		return err
	}
	c.t.triggers.afterRow("UPDATE", ex.row, own, c.set)
	op.affected++
	return op.returning(op.out, own)
}
