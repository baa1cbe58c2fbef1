package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// insertOp writes the rows of its source.
type insertOp struct {
	modifyOp
	source  Operator
	targets []int // positions in the row of the source's columns
	check   *rowCheck
	out     []scalar
	// conflict is ON CONFLICT, nil for none.
	conflict *conflictOp
	// family is the table with its partitions, nil for a table that has its rows itself; conflicts are its ON CONFLICT.
	family    *family
	conflicts *familyConflicts
	// stepwise says that a row is written before the next one is computed: CREATE TABLE t (n int DEFAULT f()), where f()
	// counts the rows of t.
	stepwise bool
}

func (b *builder) buildInsert(n *planner.Insert) (Operator, error) {
	t, err := newTable(b.rt, n.Rel)
	if err != nil {
		return nil, err
	}
	op := &insertOp{modifyOp: modifyOp{table: t, width: len(n.Returning)}}
	op.run, op.events, op.stepwise = op.insert, []string{"INSERT"}, planner.CallsRoutine(n.Source)
	if op.source, err = b.build(n.Source); err != nil {
		return nil, err
	}
	for _, a := range n.Targets {
		pos, ok := t.pos[a]
		if !ok {
			return nil, pgerr.Internal("insert into column %d of %s", a, n.Rel.Name)
		}
		op.targets = append(op.targets, pos)
	}
	l := layoutOf(n.RowCols)
	if op.check, err = b.rowCheck(t, n.Generated, n.Checks, l); err != nil {
		return nil, err
	}
	if op.out, err = b.compileAll(n.Returning, l); err != nil {
		return nil, err
	}
	if n.Members != nil {
		op.family = newFamily(t, n.Members)
		if n.Conflict != nil {
			op.conflicts = &familyConflicts{b: b, n: n, of: map[*member]*conflictOp{}}
			if n.Conflict.Update != nil {
				op.events, op.set16 = []string{"INSERT", "UPDATE"}, assignedAttnums(n.Conflict.Update)
			}
		}
	} else if n.Conflict != nil {
		if op.conflict, err = b.buildConflict(t, n, nil); err != nil {
			return nil, err
		}
		if op.conflict.doing {
			op.events, op.set16 = []string{"INSERT", "UPDATE"}, op.conflict.set
		}
	}
	return op, nil
}

func (op *insertOp) insert(ctx context.Context) (err error) {
	if err := op.source.Open(ctx); err != nil {
		return closeAfter(ctx, op.source, err)
	}
	defer func() {
		if cerr := op.source.Close(ctx); err == nil {
			err = cerr
		}
	}()
	if err := op.each(ctx, &reader{op: op.source}); err != nil {
		return err
	}
	if op.conflicts != nil {
		if err := op.conflicts.resolve(ctx, op); err != nil {
			return err
		}
	}
	if op.family != nil {
		return op.family.flush(ctx)
	}
	if op.conflict != nil {
		return op.conflict.resolve(ctx, op)
	}
	return nil
}

// each writes the rows of the source. One row of lookahead tells the statement that writes a single row, which needs no
// MongoDB transaction.
func (op *insertOp) each(ctx context.Context, r *reader) error {
	if op.stepwise {
		r.b.Want = 1
	}
	next, err := op.nextRow(ctx, r)
	for n := 0; err == nil; n++ {
		row := next
		if !op.stepwise {
			next, err = op.nextRow(ctx, r)
			op.single = n == 0 && err == io.EOF && op.conflict == nil && op.conflicts == nil
		}
		if err != nil && err != io.EOF {
			return err
		}
		if err := op.one(ctx, row); err != nil {
			return err
		}
		if op.stepwise {
			next, err = op.nextRow(ctx, r)
		}
	}
	if err != io.EOF {
		return err
	}
	return nil
}

// one completes, checks and queues a row.
func (op *insertOp) one(ctx context.Context, row []types.Datum) error {
	row, err := op.prepare(ctx, row)
	switch {
	case err != nil || row == nil:
		return err
	case op.conflicts != nil:
		return op.conflicts.add(ctx, op, row)
	case op.conflict != nil:
		return op.conflict.add(ctx, op, row)
	}
	return op.write(ctx, row)
}

// nextRow reads a row of the source into a new row of the table.
func (op *insertOp) nextRow(ctx context.Context, r *reader) ([]types.Datum, error) {
	in, err := r.next(ctx)
	if err != nil {
		return nil, err
	}
	row := make([]types.Datum, len(op.cols))
	for i, pos := range op.targets {
		row[pos] = in[i]
	}
	return row, nil
}

// prepare completes and checks a new row; nil says that a trigger does not want it.
func (op *insertOp) prepare(ctx context.Context, row []types.Datum) ([]types.Datum, error) {
	if op.family != nil {
		return row, nil
	}
	row, err := op.triggers.beforeRow(ctx, "INSERT", nil, row, nil)
	if row == nil || err != nil {
		return nil, err
	}
	op.enc.GenerateID(row)
	return row, op.check.apply(row, row)
}

// write queues a checked row.
func (op *insertOp) write(ctx context.Context, row []types.Datum) error {
	if op.family != nil {
		if done, err := op.family.insert(ctx, row); err != nil || !done {
			return err
		}
	} else {
		if err := op.insertRow(ctx, row); err != nil {
			return err
		}
		op.triggers.afterRow("INSERT", nil, row, nil)
	}
	op.affected++
	return op.returning(op.out, row)
}

// insertRow queues a new row that is complete and checked.
func (t *table) insertRow(ctx context.Context, row []types.Datum) error {
	keys, err := t.keysOf(row)
	if err != nil {
		return err
	}
	id, doc, err := t.enc.Insert(row, keys.hidden...)
	if err != nil {
		return err
	}
	if t.rt.Txn.PreCheck() {
		t.probes = append(t.probes, uniqueProbe{row})
	}
	if err := t.childWritten(ctx, row); err != nil {
		return err
	}
	t.keysWritten(id, rowKeys{}, keys)
	return t.add(ctx, mongo.Write{Kind: mongo.WriteInsert, ID: id, Doc: doc})
}
