package planner

import (
	"context"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// External is a source of rows from outside the plan: the rows of COPY FROM, or of a batch of VALUES. Next returns the
// next row, of as many datums as Out has columns, which is valid until the next call, and io.EOF at the end.
type External struct {
	Out  []Col
	Next func(ctx context.Context) ([]types.Datum, error)
}

// Cols returns the columns that the rows have.
func (n *External) Cols() []Col { return n.Out }

// Inputs of an external source are none.
func (n *External) Inputs() []Node { return nil }

// WithInputs returns the node itself, which has no inputs.
func (n *External) WithInputs([]Node) Node { return n }

// CopyWhere puts COPY FROM's WHERE over the rows that an INSERT is to write, and returns the number of columns then in use.
// The condition sees the table's columns with their defaults; those that get no value are NULL.
func CopyWhere(ctx context.Context, c *Context, ins *Insert, numCols int, where *pg_query.Node) (*Insert, int, error) {
	b := newBinder(ctx, c)
	b.cols, b.owner = make([]Col, numCols), make([]*scope, numCols)
	s := b.newScope(nil)
	row := b.newRow(ins.Rel, s)
	s.ns = []*nsItem{b.rowItem(ins.Rel, ins.Rel.Name, row)}
	s.rtable = s.ns
	var conds []expr.Expr
	err := s.with(inCopyWhere, func() error {
		x, err := s.boolean(where, "WHERE")
		conds = conjuncts(x)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	source := ins.Source.Cols()
	p := &Project{Input: ins.Source, Out: append([]Col{}, source...)}
	for _, col := range source {
		p.Exprs = append(p.Exprs, ref(col))
	}
	for _, col := range row {
		x := expr.Expr(&expr.Const{T: col.Type, Mod: col.Mod, Loc: -1})
		for i, n := range ins.Targets {
			if n == col.Attnum {
				x = ref(source[i])
			}
		}
		p.Exprs, p.Out = append(p.Exprs, x), append(p.Out, col)
	}
	return ins.WithInputs([]Node{narrow(filter(p, conds), source)}).(*Insert), len(b.cols), nil
}
