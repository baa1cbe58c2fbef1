package executor

import (
	"context"
	"io"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// The left rows are taken in parts, whose keys are asked for together. With a limit above, the first parts are small: the
// first has what the server's first batch of a cursor has.
const (
	firstPart = 100
	partGrows = 8
	// keyBytes bounds the keys of one query; a command has 48 MB at most.
	keyBytes = 8 << 20
)

// lookupJoin asks MongoDB for the right rows that have the keys of left rows, and joins them with these in a hash table.
// Once there were more left rows than pays, it reads the right side as a whole for the rest.
type lookupJoin struct {
	hash   *hashJoin
	spec   *planner.LookupJoin
	left   Operator
	part   *leftPart
	leaf   *pushedOp
	column *catalog.Column
	key    scalar // of the left row
	seen   *keyTable

	size    int // of the next part
	asked   int // left rows that were looked up
	joining bool
	ended   bool
}

// leftPart gives the hash join some of the left rows, and with rest all that follow.
type leftPart struct {
	in   reader
	rows *rowStore
	at   int
	rest bool
}

func (p *leftPart) Open(context.Context) error  { p.at = 0; return nil }
func (p *leftPart) Close(context.Context) error { return nil }

func (p *leftPart) Next(ctx context.Context, b *Batch) error {
	err := emitStore(b, p.rows, &p.at)
	if err != io.EOF || !p.rest {
		return err
	}
	if p.in.i < p.in.b.N {
		for ; p.in.i < p.in.b.N; p.in.i++ {
			b.Append(p.in.b.Row(p.in.i))
		}
		return nil
	}
	return p.in.op.Next(ctx, b)
}

// lookupJoin makes the operator of a join that asks by key, nil when this statement cannot: the leaf may have to be read
// before the statement writes.
func (b *builder) lookupJoin(n *planner.Join, hash *hashJoin) (Operator, error) {
	hash.ordered = n.Lookup.Ordered
	leaf := b.leaves[planner.LookupLeaf(n.Right)]
	if leaf == nil || b.keeping > 0 {
		return hash, nil
	}
	k := n.Equi[n.Lookup.Key]
	column := leaf.node.Scan.Matcher().Lookup(n.Lookup.Column, k.Left.Type())
	if column == nil {
		return hash, nil
	}
	key, err := b.compile(k.Left, layoutOf(n.Left.Cols()))
	if err != nil {
		return nil, err
	}
	t, _ := hashableKey(k.Left.Type(), k.Right.Type())
	part := &leftPart{rows: newRowStore(hash.lw, b.rt.Budget)}
	j := &lookupJoin{
		hash: hash, spec: n.Lookup, left: hash.left, part: part, leaf: leaf, column: column, key: key,
		seen: newKeyTable([]keyType{t}, b.rt.Budget),
	}
	hash.left = part
	return j, nil
}

func (j *lookupJoin) Open(ctx context.Context) error {
	j.part.in = reader{op: j.left, b: j.part.in.b}
	j.part.in.reset()
	j.part.rest, j.joining, j.ended, j.asked = false, false, false, 0
	if j.size = j.spec.Most; j.spec.Limited {
		j.size = min(firstPart, j.size)
	}
	return j.left.Open(ctx)
}

func (j *lookupJoin) Next(ctx context.Context, b *Batch) error {
	for {
		if !j.joining {
			if err := j.nextPart(ctx); err != nil {
				return err
			}
		}
		err := j.hash.Next(ctx, b)
		if err != io.EOF {
			return err
		}
		if err := j.hash.Close(ctx); err != nil {
			return err
		}
		j.joining = false
	}
}

// nextPart reads left rows, asks for their keys and starts to join them; io.EOF says that there are no more.
func (j *lookupJoin) nextPart(ctx context.Context) error {
	if j.ended {
		return io.EOF
	}
	j.part.rows.release()
	if err := j.fill(ctx); err != nil {
		return err
	}
	j.leaf.within = nil
	if !j.part.rest {
		if j.part.rows.n == 0 {
			return io.EOF
		}
		vals := make([]types.Datum, j.seen.len())
		for i := range vals {
			vals[i] = j.seen.keys.row(i)[0]
		}
		within, err := expr.In(j.column, j.key.typ, vals)
		if err != nil {
			return err
		}
		j.leaf.within, j.leaf.none = within, len(vals) == 0
	} else {
		j.leaf.none = false
	}
	j.seen.release()
	j.asked += j.part.rows.n
	j.joining = true
	return j.hash.Open(ctx)
}

// fill reads the left rows of a part and collects their keys.
func (j *lookupJoin) fill(ctx context.Context) error {
	var size int64
	for {
		row, err := j.part.in.next(ctx)
		if err == io.EOF {
			j.ended = true
			return nil
		}
		if err != nil {
			return err
		}
		if !j.spec.Ordered && j.asked+j.part.rows.n >= j.spec.Most {
			j.part.in.i-- // it belongs to the rest
			j.part.rest, j.ended = true, true
			return nil
		}
		v, err := j.key.value(j.hash.env, row)
		if err == nil {
			_, err = j.part.rows.add(row)
		}
		if err != nil {
			return err
		}
		if !v.IsNull() {
			key := []types.Datum{v}
			if h := hashKeys(j.seen.typs, key); j.seen.find(key, h) < 0 {
				if _, err := j.seen.insert(key, h); err != nil {
					return err
				}
				size += rowBytes(key)
			}
		}
		if j.part.rows.n >= j.size && (j.spec.Limited || j.spec.Ordered) || size > keyBytes {
			j.size = min(j.size*partGrows, lookupPart)
			return nil
		}
	}
}

// lookupPart bounds a part's rows.
const lookupPart = 5000

func (j *lookupJoin) Close(ctx context.Context) error {
	j.part.rows.release()
	j.seen.release()
	j.joining = false
	return firstError(j.hash.Close(ctx), j.left.Close(ctx))
}
