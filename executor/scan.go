package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// scanOp reads a collection in full and decodes its documents.
type scanOp struct {
	rt     *Runtime
	node   *planner.Scan
	dec    *document.Decoder
	width  int
	sample *sampler
	// within chooses the documents of a child table.
	within pushedQuery

	cursor mongo.Cursor
	done   bool
}

func (b *builder) buildScan(n *planner.Scan) (Operator, error) {
	if n.Rel.Virtual != nil {
		return b.buildVirtual(&planner.VirtualScan{Rel: n.Rel, Alias: n.Alias, Attnums: n.Attnums, Out: n.Out})
	}
	op := &scanOp{rt: b.rt, node: n, width: len(n.Out), dec: document.NewDecoder(n.Rel, scanAttnums(n))}
	op.dec.NullMisfits = n.NullMisfits
	if len(n.Within) > 0 {
		var err error
		if op.within, err = b.pushedQuery(n, n.Within); err != nil {
			return nil, err
		}
	}
	if n.Sample != "" {
		var err error
		if op.sample, err = b.newSampler(n); err != nil {
			return nil, err
		}
	}
	return op, nil
}

// scanAttnums are the attnums of a scan's columns without the raw document.
func scanAttnums(n *planner.Scan) []int16 {
	att := n.Attnums
	if n.ForModify && len(att) == len(n.Out) {
		att = att[:len(att)-1]
	}
	return att
}

// populated refuses to read a materialised view without rows.
func populated(rel *catalog.Relation) error {
	if !rel.NotPopulated {
		return nil
	}
	return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "materialized view %q has not been populated", rel.Name).
		WithHint("Use the REFRESH MATERIALIZED VIEW command.")
}

// query is the read of everything in a relation's collection.
func (rt *Runtime) query(rel *catalog.Relation) mongo.Query {
	return mongo.Query{Database: rt.Env.View.Snapshot.Database, Collection: rel.Collection, Binary: rel.Collated && !rel.ReadOnly, Now: rel.Capped}
}

func (s *scanOp) Open(ctx context.Context) error {
	s.done = false
	if s.sample != nil {
		if err := s.sample.open(s.rt.Env); err != nil {
			return err
		}
	}
	q := s.rt.query(s.node.Rel)
	var err error
	if q.Filter, err = s.within.filter(); err != nil {
		return err
	}
	s.cursor, err = s.rt.Txn.Read(ctx, q)
	return err
}

func (s *scanOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(s.width)
	if err := s.fill(ctx, b); err != nil {
		return err
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

func (s *scanOp) fill(ctx context.Context, b *Batch) error {
	if err := cancelled(ctx); err != nil {
		return err
	}
	for !s.done && b.N < BatchRows {
		if b.N > 0 && s.cursor.Buffered() == 0 {
			return nil // a limit above may have enough
		}
		doc, err := s.cursor.Next(ctx)
		if err == io.EOF {
			s.done = true
			return nil
		}
		if err != nil {
			return err
		}
		if s.sample != nil && !s.sample.take(doc) {
			continue
		}
		if s.dec.Unwinds() {
			if err := s.dec.Rows(doc, b.grow); err != nil {
				return err
			}
			continue
		}
		row := b.grow()
		if err := s.dec.Decode(doc, row); err != nil {
			return err
		}
		if s.node.ForModify {
			row[s.width-1] = types.Bytes(doc)
		}
	}
	return nil
}

func (s *scanOp) Close(ctx context.Context) error {
	if s.cursor == nil {
		return nil
	}
	c := s.cursor
	s.cursor = nil
	return c.Close(ctx)
}

// virtualOp reads a system catalogue's table.
type virtualOp struct {
	rt   *Runtime
	node *planner.VirtualScan
	key  *scalar
	rows *rowStore
	at   int
}

func (b *builder) buildVirtual(n *planner.VirtualScan) (Operator, error) {
	if n.Rel.Virtual == nil {
		return nil, pgerr.Internal("relation %q has no rows function", n.Rel.Name)
	}
	op := &virtualOp{rt: b.rt, node: n, rows: newRowStore(len(n.Out), b.rt.Budget)}
	if n.KeyValue != nil {
		key, err := b.compile(n.KeyValue, nil)
		if err != nil {
			return nil, err
		}
		op.key = &key
	}
	return op, nil
}

func (v *virtualOp) Open(ctx context.Context) error {
	v.rows.release()
	v.at = 0
	var key *catalog.Key
	if v.key != nil {
		value, err := v.key.value(v.rt.Env, nil)
		if err != nil || value.IsNull() {
			return err
		}
		key = &catalog.Key{Column: v.node.Key, Value: value}
	}
	view := *v.rt.Env.View
	view.Wanted = v.node.Attnums
	return v.node.Rel.Virtual.Rows(ctx, &view, key, v.addRow)
}

func (v *virtualOp) addRow(row []types.Datum) error {
	out, err := v.rows.alloc(rowBytes(row))
	if err != nil {
		return err
	}
	for i, n := range v.node.Attnums {
		out[i] = v.column(n, row)
	}
	return nil
}

func (v *virtualOp) column(attnum int16, row []types.Datum) types.Datum {
	switch {
	case attnum > 0:
		return row[attnum-1]
	case attnum == 0:
		rec := &types.Record{}
		for _, c := range v.node.Rel.Live() {
			rec.Types = append(rec.Types, c.Type)
			rec.Names = append(rec.Names, c.Name)
			rec.Vals = append(rec.Vals, row[c.Attnum-1])
		}
		return types.Ref(rec)
	case attnum == document.AttTableOID:
		return types.Int(int64(v.node.Rel.OID))
	case attnum == document.AttCtid:
		return types.Str("(0,1)")
	}
	return types.Int(1)
}

func (v *virtualOp) Next(_ context.Context, b *Batch) error { return emitStore(b, v.rows, &v.at) }

func (v *virtualOp) Close(context.Context) error {
	v.rows.release()
	return nil
}

// emitStore fills a batch from a store, from row *at on.
func emitStore(b *Batch, rows *rowStore, at *int) error {
	b.Reset(rows.width)
	for ; b.N < BatchRows && *at < rows.n; *at++ {
		b.Append(rows.row(*at))
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

// externalOp reads rows that come from outside the plan. It can be read once.
type externalOp struct{ node *planner.External }

func (e *externalOp) Open(context.Context) error { return nil }

func (e *externalOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(len(e.node.Out))
	for b.N < BatchRows {
		row, err := e.node.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		b.Append(row)
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

func (e *externalOp) Close(context.Context) error { return nil }
