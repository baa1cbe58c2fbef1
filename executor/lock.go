package executor

import (
	"context"
	"io"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// lockOp locks the documents of the rows that pass. Under a limit it locks no more rows than will be given: a queue's
// SELECT ... FOR UPDATE SKIP LOCKED LIMIT 1 must leave the others to other workers.
type lockOp struct {
	Operator
	rt      *Runtime
	targets []lockTarget
	mode    txn.LockMode
	wait    txn.LockWait
	bound   int64

	in   Batch
	at   int
	left int64
	ids  []bson.RawValue
	rows []int
	skip []bool
}

type lockTarget struct {
	collection string
	pos        int
	// oid is the position of tableoid when the rows are of several tables, of which this is table; -1 otherwise.
	oid   int
	table int64
}

func (b *builder) buildLockRows(n *planner.LockRows) (Operator, error) {
	in, err := b.build(n.Input)
	if err != nil {
		return nil, err
	}
	op := &lockOp{Operator: in, rt: b.rt, bound: math.MaxInt64}
	op.mode = map[planner.LockStrength]txn.LockMode{
		planner.ForKeyShare: txn.LockKeyShare, planner.ForShare: txn.LockShare,
		planner.ForNoKeyUpdate: txn.LockNoKeyUpdate, planner.ForUpdate: txn.LockUpdate,
	}[n.Strength]
	op.wait = map[planner.LockWait]txn.LockWait{
		planner.LockBlock: txn.WaitBlock, planner.LockNoWait: txn.WaitError, planner.LockSkip: txn.WaitSkip,
	}[n.Wait]
	l := layoutOf(n.Input.Cols())
	for _, d := range n.Docs {
		pos, ok := l[d.Doc]
		if !ok {
			return nil, pgerr.Internal("the rows to lock of %q come without their documents", d.Rel.Name)
		}
		if d.Members == nil {
			op.targets = append(op.targets, lockTarget{collection: d.Rel.Collection, pos: pos, oid: -1})
		}
		for _, m := range d.Members {
			op.targets = append(op.targets, lockTarget{m.Collection, pos, l[d.TableOID], int64(m.OID)})
		}
	}
	return op, nil
}

func (l *lockOp) setBound(n int64) {
	l.bound = n
	if in, ok := l.Operator.(bounded); ok && l.wait != txn.WaitSkip {
		in.setBound(n)
	}
}

func (l *lockOp) Open(ctx context.Context) error {
	l.in.N, l.at, l.left = 0, 0, l.bound
	return l.Operator.Open(ctx)
}

func (l *lockOp) Next(ctx context.Context, b *Batch) error {
	if l.left == 0 {
		return io.EOF
	}
	for {
		if l.at >= l.in.N {
			l.at = 0
			if err := l.Operator.Next(ctx, &l.in); err != nil {
				l.in.N = 0
				return err
			}
		}
		n := int(min(int64(l.in.N-l.at), l.left))
		skip, err := l.lock(ctx, l.at, n)
		if err != nil {
			return err
		}
		b.Reset(l.in.Width)
		for i := range n {
			if !skip[i] {
				b.Append(l.in.Row(l.at + i))
			}
		}
		l.at += n
		l.left -= int64(b.N)
		if b.N > 0 {
			return nil
		}
	}
}

// lock takes the locks of n rows from row from on; it returns which rows are to be left out.
func (l *lockOp) lock(ctx context.Context, from, n int) ([]bool, error) {
	l.skip = append(l.skip[:0], make([]bool, n)...)
	for _, t := range l.targets {
		l.ids, l.rows = l.ids[:0], l.rows[:0]
		for i := range n {
			// A row that an outer join filled with NULLs has no document.
			row := l.in.Row(from + i)
			if doc := row[t.pos]; !doc.IsNull() && !l.skip[i] && (t.oid < 0 || row[t.oid].Int() == t.table) {
				id, err := idOf(doc)
				if err != nil {
					return nil, err
				}
				l.ids, l.rows = append(l.ids, id), append(l.rows, i)
			}
		}
		if len(l.ids) == 0 {
			continue
		}
		skipped, err := l.rt.Txn.LockRows(ctx, l.rt.Env.View.Snapshot.Database, t.collection, l.ids, l.mode, l.wait)
		if err != nil {
			return nil, err
		}
		for i, s := range skipped {
			if s {
				l.skip[l.rows[i]] = true
			}
		}
	}
	return l.skip, nil
}

func idOf(doc types.Datum) (bson.RawValue, error) {
	id, err := bson.Raw(doc.Bytes()).LookupErr("_id")
	if err != nil {
		return id, pgerr.New(pgerr.DataCorrupted, "document without _id: %w", err)
	}
	return id, nil
}
