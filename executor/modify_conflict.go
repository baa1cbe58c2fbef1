package executor

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/expr"
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

	batch [][]types.Datum
	// touched are the _ids of rows that this command has changed.
	touched map[string]struct{}
}

// arbiter is a unique index that decides about conflicts.
type arbiter struct {
	*uniqueIndex
	// applies is the predicate of a partial index; nil for none.
	applies *scalar
	// mine has the keys that this command has written.
	mine *keyTable
	// found has the keys of the batch's rows that exist, and rows what is there.
	found *keyTable
	rows  []existingRow
}

type existingRow struct {
	doc bson.Raw
	row []types.Datum
}

func (b *builder) buildConflict(t *table, n *planner.Insert) (*conflictOp, error) {
	c := &conflictOp{t: t, doing: n.Conflict.Update != nil, touched: map[string]struct{}{}}
	for _, u := range t.unique {
		wanted := n.Conflict.Indexes == nil
		for _, oid := range n.Conflict.Indexes {
			wanted = wanted || oid == u.index.OID
		}
		if !wanted {
			continue
		}
		if u.cols == nil {
			return nil, pgerr.Unsupported("ON CONFLICT with a unique index on an expression")
		}
		a := &arbiter{uniqueIndex: u, mine: newKeyTable(keyTypes(u.columns), b.rt.Budget)}
		if u.index.Where != "" {
			s, err := b.bindRow(t, u.index.Where, types.BoolT)
			if err != nil {
				return nil, err
			}
			a.applies = &s
		}
		c.arbiters = append(c.arbiters, a)
	}
	if !c.doing {
		return c, nil
	}
	l := layoutOf(n.Conflict.OldCols)
	for i, col := range n.RowCols {
		l[col.ID] = len(t.cols) + i
	}
	c.width = placeRows(n.Conflict.Rows, l, 2*len(t.cols))
	var err error
	if c.rows, err = b.rowSources(n.Conflict.Rows, l); err != nil {
		return nil, err
	}
	if c.update, err = b.assigns(t, n.Conflict.Update, l); err != nil {
		return nil, err
	}
	if n.Conflict.Where != nil {
		s, err := b.compile(n.Conflict.Where, l)
		if err != nil {
			return nil, err
		}
		c.where = &s
	}
	if c.check, err = b.rowCheck(t, n.Conflict.Generated, n.Conflict.Checks, l); err != nil {
		return nil, err
	}
	c.changer = newRowChanger(t, c.update, c.check.generated)
	return c, nil
}

// bindRow binds an expression of the catalogue over a table's row.
func (b *builder) bindRow(t *table, text string, want *types.T) (scalar, error) {
	e, l, err := t.rt.bind(t, text, want, -1)
	if err != nil {
		return scalar{}, err
	}
	return b.compile(e, l)
}

// bind binds an expression of the catalogue over a table's row, with the layout of that row.
func (rt *Runtime) bind(t *table, text string, want *types.T, typmod int32) (expr.Expr, expr.Layout, error) {
	if rt.Bind == nil {
		return nil, nil, pgerr.Internal("the statement's runtime cannot bind expressions")
	}
	cols := make([]planner.Col, len(t.cols))
	for i, c := range t.cols {
		cols[i] = planner.Col{ID: expr.ColID(i + 1), Name: c.Name, Type: c.Type, Mod: c.Typmod, NotNull: c.NotNull, Table: t.rel.OID, Attnum: c.Attnum}
	}
	e, err := rt.Bind(t.rel, cols, text, want, typmod)
	return e, layoutOf(cols), err
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
	key, ok = a.uniqueIndex.key(row)
	return key, hashKeys(a.mine.typs, key), ok, nil
}

// resolve writes the batch's rows, one after the other as PostgreSQL does.
func (c *conflictOp) resolve(ctx context.Context, op *insertOp) error {
	if len(c.batch) == 0 {
		return nil
	}
	if err := op.flush(ctx); err != nil {
		return err
	}
	if err := c.lookUp(ctx); err != nil {
		return err
	}
	batch := c.batch
	c.batch = nil
	for _, row := range batch {
		ex, mine, err := c.find(row)
		switch {
		case err != nil:
			return err
		case mine && c.doing:
			// What the server refuses of the rows before comes first.
			return firstError(op.flush(ctx), affectedTwice())
		case mine || ex != nil && !c.doing:
			continue
		case ex != nil:
			err = c.change(ctx, op, ex, row)
		default:
			if err = op.write(ctx, row); err == nil {
				err = c.remember(row)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func affectedTwice() error {
	return pgerr.New(pgerr.CardinalityViolation, "ON CONFLICT DO UPDATE command cannot affect row a second time").
		WithHint("Ensure that no rows proposed for insertion within the same command have duplicate constrained values.")
}

// lookUp reads the rows that have a key of the batch.
func (c *conflictOp) lookUp(ctx context.Context) error {
	for _, a := range c.arbiters {
		if a.found != nil {
			a.found.release()
		}
		a.found, a.rows = newKeyTable(a.mine.typs, c.t.rt.Budget), nil
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
		dec := document.NewDecoder(c.t.rel, c.t.attnums())
		r := keyReader{s: c.t.rt.Txn, db: c.t.db, rel: c.t.rel, cols: a.columns, whole: true}
		err := r.read(ctx, keys, func(doc bson.Raw, _ []types.Datum) error {
			row := make([]types.Datum, len(c.t.cols))
			if err := dec.Decode(doc, row); err != nil {
				return err
			}
			key, h, ok, err := c.key(a, row)
			if err != nil || !ok || a.found.find(key, h) >= 0 {
				return err
			}
			if _, err := a.found.insert(key, h); err != nil {
				return err
			}
			a.rows = append(a.rows, existingRow{doc, row})
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
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
		return firstError(op.flush(ctx), affectedTwice())
	}
	env, n := c.t.rt.Env, len(c.t.cols)
	wide := make([]types.Datum, c.width)
	copy(wide, ex.row)
	copy(wide[n:], proposed)
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
	own := row[:n:n]
	if err := c.check.apply(row, own); err != nil {
		return err
	}
	if err := c.changer.change(ctx, ex.doc, ex.row, own); err != nil {
		return err
	}
	c.touched[name] = struct{}{}
	op.affected++
	return op.returning(op.out, own)
}
