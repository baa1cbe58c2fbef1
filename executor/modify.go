package executor

import (
	"context"
	"io"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/catalog/indexkey"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// writeBatch bounds how many changes are sent at once, writeBytes how large they may be.
const (
	writeBatch = 1000
	writeBytes = 8 << 20
)

// buildModify makes the operator of INSERT, UPDATE, DELETE or MERGE.
func (b *builder) buildModify(node planner.Node) (Operator, error) {
	switch n := node.(type) {
	case *planner.Insert:
		if n.Rel.Kind == catalog.KindView {
			return b.buildInstead(n)
		}
		return b.buildInsert(n)
	case *planner.Update:
		if n.Rel.Kind == catalog.KindView {
			return b.buildInstead(n)
		}
		return b.buildUpdate(n)
	case *planner.Delete:
		if n.Rel.Kind == catalog.KindView {
			return b.buildInstead(n)
		}
		return b.buildDelete(n)
	case *planner.Merge:
		return b.buildMerge(n)
	}
	return nil, pgerr.Internal("no operator for the plan node %T", node)
}

// modifyOp runs a modification to its end before it yields the first row of RETURNING, so that a statement that meets a
// conflict can be run again without having shown anything.
type modifyOp struct {
	*table
	run func(ctx context.Context) error
	// events are what its STATEMENT triggers run on, assigning set.
	events []string
	set16  []int16
	width  int
	// rows are those of RETURNING.
	rows     *rowStore
	at       int
	affected int64
	done     bool
}

func (m *modifyOp) Open(context.Context) error { m.at = 0; return nil }

// RowsAffected returns how many rows were written.
func (m *modifyOp) RowsAffected() int64 { return m.affected }

func (m *modifyOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(m.width)
	if !m.done {
		// A second opening gives the rows again and must not write again.
		m.done = true
		for _, e := range m.events {
			if err := m.triggers.beforeStatement(ctx, e, m.set16); err != nil {
				return err
			}
		}
		if err := m.run(ctx); err != nil {
			return err
		}
		if err := m.flush(ctx); err != nil {
			return err
		}
		for i := range m.events {
			m.triggers.afterStatement(m.events[len(m.events)-1-i], m.set16)
		}
	}
	for ; m.rows != nil && b.N < BatchRows && m.at < m.rows.n; m.at++ {
		b.Append(m.rows.row(m.at))
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

func (m *modifyOp) Close(context.Context) error { return nil }

// returning computes RETURNING over a row and keeps the result.
func (m *modifyOp) returning(exprs []scalar, row []types.Datum) error {
	if len(exprs) == 0 {
		return nil
	}
	if m.rows == nil {
		m.rows = newRowStore(len(exprs), m.rt.Budget)
	}
	dst := make([]types.Datum, len(exprs))
	if err := evalAll(m.rt.Env, exprs, row, dst); err != nil {
		return err
	}
	_, err := m.rows.add(dst)
	return err
}

// table is a table that is written: how its rows become documents, which constraints they must meet, and the changes that
// were not sent yet.
type table struct {
	rt   *Runtime
	rel  *catalog.Relation
	db   string
	enc  *document.Encoder
	cols []*catalog.Column
	// pos gives a column's position in a row by attnum.
	pos    map[int16]int
	unique []*uniqueIndex
	// hidden are the indexes whose keys are computed and written into the documents.
	hidden []*indexkey.Key
	child  []*foreignKey // this table's own foreign keys
	parent []*foreignKey // those of tables that refer to this one

	// triggers is nil for a table without any that could run.
	triggers *tableTriggers

	pending     []mongo.Write
	pendingSize int
	probes      []uniqueProbe
	// pendingKeys are the computed keys in the changes that were not sent, for the words of an error.
	pendingKeys []writtenKey
	// single says that the statement writes one row and nothing else.
	single bool
}

func newTable(rt *Runtime, rel *catalog.Relation) (*table, error) {
	enc, err := document.NewEncoder(rel)
	if err != nil {
		return nil, err
	}
	t := &table{rt: rt, rel: rel, db: rt.Env.View.Snapshot.Database, enc: enc, cols: enc.Columns(), pos: map[int16]int{}}
	for i, c := range t.cols {
		t.pos[c.Attnum] = i
	}
	t.unique = uniqueIndexes(rel)
	if t.hidden, err = hiddenKeys(rt, rel); err != nil {
		return nil, err
	}
	rt.tables = append(rt.tables, t)
	t.triggers = newTriggers(t)
	if err := t.needsFire(); err != nil {
		return nil, err
	}
	return t, t.foreignKeys()
}

// add queues a change and sends the queue when it is long enough.
func (t *table) add(ctx context.Context, w mongo.Write) error {
	t.pending = append(t.pending, w)
	t.pendingSize += len(w.Doc)
	if len(t.pending) < writeBatch && t.pendingSize < writeBytes {
		return nil
	}
	return t.flush(ctx)
}

// flush sends what is queued.
func (t *table) flush(ctx context.Context) error {
	if len(t.pending) == 0 {
		return nil
	}
	writes, probes := t.pending, t.probes
	t.pending, t.pendingSize, t.probes = nil, 0, nil
	// Where the batch changes or deletes rows too, what exists now says nothing about what will when a row is written.
	if len(probes) > 0 && (len(probes) == len(writes) || len(writes) == 1) {
		if err := t.preCheck(ctx, probes); err != nil {
			return err
		}
	}
	var err error
	if t.single && len(writes) == 1 && writes[0].Kind == mongo.WriteInsert {
		err = t.rt.Txn.WriteOnce(ctx, t.db, t.rel.Collection, writes[0])
	} else {
		err = t.rt.Txn.Write(ctx, t.db, t.rel.Collection, writes)
	}
	err = t.writeError(err)
	t.pendingKeys = t.pendingKeys[:0]
	return err
}

// attnums are those of the live columns.
func (t *table) attnums() []int16 {
	out := make([]int16, len(t.cols))
	for i, c := range t.cols {
		out[i] = c.Attnum
	}
	return out
}

// rowCheck computes the generated columns of a new row and checks NOT NULL and CHECK constraints. Its expressions see the
// new row at an offset of a wider one.
type rowCheck struct {
	t         *table
	generated []assign
	checks    []check
}

type assign struct {
	pos   int
	value scalar
}

type check struct {
	name string
	cond scalar
	kind planner.CheckKind
}

func (b *builder) assigns(t *table, list []planner.Assign, l expr.Layout) ([]assign, error) {
	out := make([]assign, len(list))
	for i, a := range list {
		s, err := b.compile(a.Value, l)
		if err != nil {
			return nil, err
		}
		pos, ok := t.pos[a.Attnum]
		if !ok {
			return nil, pgerr.Internal("assignment to column %d of %s", a.Attnum, t.rel.Name)
		}
		out[i] = assign{pos, s}
	}
	return out, nil
}

func (b *builder) rowCheck(t *table, generated []planner.Assign, checks []planner.Check, l expr.Layout) (*rowCheck, error) {
	rc := &rowCheck{t: t}
	var err error
	if rc.generated, err = b.assigns(t, generated, l); err != nil {
		return nil, err
	}
	// PostgreSQL checks in the order of the constraints' names, and what views demand after them.
	checks = slices.Clone(checks)
	slices.SortStableFunc(checks, func(a, b planner.Check) int {
		if a.Kind != b.Kind || a.Kind != planner.CheckConstraint {
			return int(a.Kind) - int(b.Kind)
		}
		return strings.Compare(a.Name, b.Name)
	})
	for _, c := range checks {
		s, err := b.compile(c.Cond, l)
		if err != nil {
			return nil, err
		}
		rc.checks = append(rc.checks, check{c.Name, s, c.Kind})
	}
	return rc, nil
}

// apply completes and checks a new row: row is what expressions see, of which own is the part that is stored.
func (rc *rowCheck) apply(row, own []types.Datum) error {
	env := rc.t.rt.Env
	for _, g := range rc.generated {
		v, err := g.value.value(env, row)
		if err != nil {
			return err
		}
		own[g.pos] = v
	}
	for i, c := range rc.t.cols {
		if c.NotNull && own[i].IsNull() {
			return rc.t.notNull(c, own)
		}
	}
	for _, c := range rc.checks {
		v, err := c.cond.value(env, row)
		if err != nil {
			return err
		}
		if c.kind == planner.CheckPartition && !v.IsNull() && !v.Bool() {
			return pgerr.New(pgerr.CheckViolation, "new row for relation %q violates partition constraint", rc.t.rel.Name).
				WithDetail("%s", rc.t.failing(own)).WithTable(rc.t.rel.Schema, rc.t.rel.Name)
		}
		if c.kind == planner.CheckView && !v.Bool() {
			return pgerr.New(pgerr.WithCheckOptionViolation, "new row violates check option for view %q", c.name).WithDetail("%s", rc.t.failing(own))
		}
		if !v.IsNull() && !v.Bool() {
			return pgerr.New(pgerr.CheckViolation, "new row for relation %q violates check constraint %q", rc.t.rel.Name, c.name).
				WithDetail("%s", rc.t.failing(own)).WithConstraint(rc.t.rel.Schema, rc.t.rel.Name, c.name)
		}
	}
	return nil
}

func (t *table) notNull(c *catalog.Column, row []types.Datum) error {
	return pgerr.New(pgerr.NotNullViolation, "null value in column %q of relation %q violates not-null constraint", c.Name, t.rel.Name).
		WithDetail("%s", t.failing(row)).WithColumn(t.rel.Schema, t.rel.Name, c.Name)
}

// failing is the DETAIL line that shows a row that was refused; long values are cut.
func (t *table) failing(row []types.Datum) string {
	const longest = 64
	out := []byte("Failing row contains (")
	for i, d := range row {
		if i > 0 {
			out = append(out, ", "...)
		}
		if d.IsNull() {
			out = append(out, "null"...)
			continue
		}
		v := types.Output(t.rt.Env.IO, t.cols[i].Type, nil, d)
		if len(v) > longest {
			cut := longest
			for cut > 0 && v[cut]&0xc0 == 0x80 {
				cut--
			}
			v = append(v[:cut:cut], "..."...)
		}
		out = append(out, v...)
	}
	return string(append(out, ")."...))
}

// id returns the _id of a document.
func documentID(doc bson.Raw) (bson.RawValue, error) {
	id, err := doc.LookupErr("_id")
	if err != nil {
		return id, pgerr.Internal("a document without _id")
	}
	return id, nil
}
