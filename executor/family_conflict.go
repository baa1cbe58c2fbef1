package executor

import (
	"context"
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// familyConflicts is ON CONFLICT of a partitioned table: each partition has its own, and the rows are written in the order in
// which they came.
type familyConflicts struct {
	b     *builder
	n     *planner.Insert
	of    map[*member]*conflictOp
	batch []familyRow
}

// familyRow is a complete row of a partition.
type familyRow struct {
	c   *conflictOp
	own []types.Datum
}

// partOf reports whether an index is one of those listed, or a partition's part of one.
func (b *builder) partOf(ix *catalog.Index, list []uint32) bool {
	for ix != nil {
		if slices.Contains(list, ix.OID) {
			return true
		}
		ref, ok := b.rt.Env.View.Snapshot.IndexByOID(ix.Parent)
		if !ok {
			return false
		}
		ix = ref.Index
	}
	return false
}

func assignedAttnums(list []planner.Assign) []int16 {
	out := make([]int16, len(list))
	for i, a := range list {
		out[i] = a.Attnum
	}
	return out
}

// add takes a row of the root.
func (f *familyConflicts) add(ctx context.Context, op *insertOp, row []types.Datum) error {
	m, own, err := op.family.complete(ctx, row)
	if own == nil || err != nil {
		return err
	}
	c := f.of[m]
	if c == nil {
		if c, err = f.b.buildConflict(m.table, f.n, m); err != nil {
			return err
		}
		f.of[m] = c
	}
	c.batch = append(c.batch, own)
	if f.batch = append(f.batch, familyRow{c, own}); len(f.batch) < keysPerQuery {
		return nil
	}
	return f.resolve(ctx, op)
}

// resolve writes the batch.
func (f *familyConflicts) resolve(ctx context.Context, op *insertOp) error {
	for _, c := range f.of {
		if len(c.batch) == 0 {
			continue
		}
		if err := c.lookUp(ctx); err != nil {
			return err
		}
		c.batch = nil
	}
	batch := f.batch
	f.batch = nil
	for _, r := range batch {
		if err := r.c.one(ctx, op, r.own); err != nil {
			return err
		}
	}
	return nil
}

// put writes a new row of a partition.
func (op *insertOp) put(ctx context.Context, m *member, own []types.Datum) error {
	row := make([]types.Datum, len(op.cols))
	if err := op.family.put(ctx, m, own, row); err != nil {
		return err
	}
	op.affected++
	return op.returning(op.out, row)
}

// changeMember is DO UPDATE of one existing row of a partition, which becomes row, of the root's columns.
func (c *conflictOp) changeMember(ctx context.Context, op *insertOp, ex *existingRow, row []types.Datum) error {
	m := c.member
	own := slices.Clone(ex.row)
	for i, p := range m.place {
		own[p] = row[i]
	}
	own, err := m.triggers.beforeRow(ctx, "UPDATE", ex.row, own, c.set)
	if own == nil || err != nil {
		return err
	}
	if ok, err := allTrueOrNull(m.rt.Env, m.bounds, own); err != nil || !ok {
		if err == nil {
			err = pgerr.New(pgerr.FeatureNotSupported, "invalid ON UPDATE specification").
				WithDetail("The result tuple would appear in a different partition than the original tuple.")
		}
		return err
	}
	if err := c.check.apply(own, own); err != nil {
		return err
	}
	if err := c.changer.change(ctx, ex.doc, ex.row, own); err != nil {
		return err
	}
	m.triggers.afterRow("UPDATE", ex.row, own, c.set)
	op.family.kept(m, "UPDATE", ex.row, own)
	m.shown(own, row)
	op.affected++
	return op.returning(op.out, row)
}
