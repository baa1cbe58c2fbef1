package executor

import (
	"context"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
)

// pushedLocal runs a Pushed node here: a plain scan, with the filter, grouping, sort and limit over it. It gives the rows
// that MongoDB would.
func (b *builder) pushedLocal(n *planner.Pushed) (Operator, error) {
	op, err := b.build(n.Scan)
	if err != nil {
		return nil, err
	}
	cols := n.Scan.Out
	if op, err = b.filter(op, n.Filter, cols); err != nil {
		return nil, err
	}
	if g := n.Group; g != nil {
		agg := &planner.Aggregate{Input: n.Scan, Keys: g.Keys, KeyCols: g.KeyCols, Aggs: g.Aggs}
		if op, err = b.aggregate(op, agg); err != nil {
			return nil, err
		}
		cols = agg.Cols()
		if op, err = b.filter(op, g.Having, cols); err != nil {
			return nil, err
		}
	}
	if len(n.Sort) > 0 {
		if op, err = b.sort(op, n.Sort, cols); err != nil {
			return nil, err
		}
	}
	if n.Limit != nil || n.Offset != nil {
		if op, err = b.limit(op, &planner.Limit{Limit: n.Limit, Offset: n.Offset}); err != nil {
			return nil, err
		}
	}
	return pick(op, cols, n.Out), nil
}

// readsOuter reports whether a Pushed node depends on columns of enclosing queries.
func readsOuter(n *planner.Pushed) bool {
	own := layoutOf(n.Scan.Out)
	for _, f := range n.Filter {
		outer := false
		expr.Walk(f, func(e expr.Expr) bool {
			if c, ok := e.(*expr.ColRef); ok {
				if _, ok := own[c.ID]; !ok {
					outer = true
				}
			}
			return !outer
		})
		if outer {
			return true
		}
	}
	return false
}

// keepOp is a table's reader inside a WITH that modifies data: it can read its rows before the statement writes.
type keepOp struct {
	Operator
	rel  *catalog.Relation
	rows *rowStore
	kept bool
	at   int
}

// keeper puts a keepOp over a reader where one is needed.
func (b *builder) keeper(op Operator, rel *catalog.Relation, width int) Operator {
	if b.keeping == 0 {
		return op
	}
	k := &keepOp{Operator: op, rel: rel, rows: newRowStore(width, b.rt.Budget)}
	b.readers = append(b.readers, k)
	return k
}

// keep reads all rows now, to be given at every later opening.
func (k *keepOp) keep(ctx context.Context) error {
	if k.kept {
		return nil
	}
	k.rows.release()
	err := drain(ctx, k.Operator, func(row []types.Datum) error {
		_, err := k.rows.add(row)
		return err
	})
	k.kept = err == nil
	return err
}

func (k *keepOp) Open(ctx context.Context) error {
	k.at = 0
	if k.kept {
		return nil
	}
	return k.Operator.Open(ctx)
}

func (k *keepOp) Next(ctx context.Context, b *Batch) error {
	if k.kept {
		return emitStore(b, k.rows, &k.at)
	}
	return k.Operator.Next(ctx, b)
}
