package planner

import (
	"context"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// Selectivities that PostgreSQL assumes without statistics.
const (
	equalitySelectivity = 0.005
	rangeSelectivity    = 0.3333
	guessedRows         = 1000
)

// Estimator guesses how many rows a node gives, for EXPLAIN and for choices between plans.
type Estimator struct {
	Ctx   context.Context
	Stats Stats
}

// Rows estimates a node's output; it is at least 1 but for a node that is known to be empty.
func (e Estimator) Rows(n Node) int64 {
	r := e.rows(n)
	if r < 1 {
		r = 1
	}
	return int64(r)
}

func (e Estimator) rows(n Node) float64 {
	switch n := n.(type) {
	case *Scan:
		return e.table(n)
	case *Pushed:
		r := e.table(n.Scan) * selectivity(n.Filter)
		if n.Group != nil {
			r = groups(r, len(n.Group.Keys))
		}
		return limited(r, n.Limit)
	case *VirtualScan:
		if n.Key != "" {
			return 1
		}
		return guessedRows
	case *Append:
		sum := 0.0
		for _, in := range n.List {
			sum += e.rows(in)
		}
		return sum
	case *Values:
		return float64(len(n.Rows))
	case *Result:
		return 1
	case *FuncScan, *External:
		return 100
	case *Filter:
		return e.rows(n.Input) * selectivity(n.Conds)
	case *Join:
		return e.join(n)
	case *Aggregate:
		return groups(e.rows(n.Input), len(n.Keys))
	case *Limit:
		return limited(e.rows(n.Input), n.Limit)
	case *Distinct:
		return groups(e.rows(n.Input), 1)
	case *SetOp:
		if n.Kind == Union {
			return e.rows(n.Left) + e.rows(n.Right)
		}
		return e.rows(n.Left)
	case *CTEScan:
		if n.CTE.Base == nil || n.Working {
			return guessedRows
		}
		return e.rows(n.CTE.Base)
	case *With:
		return e.rows(n.Body)
	}
	if in := n.Inputs(); len(in) == 1 {
		return e.rows(in[0])
	}
	return guessedRows
}

func (e Estimator) table(n *Scan) float64 {
	if e.Stats == nil || n.Rel.Collection == "" {
		return guessedRows
	}
	return float64(e.Stats.Rows(e.Ctx, n.Rel))
}

func (e Estimator) join(n *Join) float64 {
	left := e.rows(n.Left)
	switch n.Kind {
	case SemiJoin, AntiJoin, AntiNullJoin:
		return left / 2
	}
	right := e.rows(n.Right)
	if len(n.Equi) == 0 {
		return left * right * selectivity(n.On)
	}
	// An equality that joins a key gives each row of the larger side one partner.
	return max(left, right) * selectivity(n.On)
}

func groups(rows float64, keys int) float64 {
	if keys == 0 {
		return 1
	}
	return min(rows, max(rows/10, 200))
}

func limited(rows float64, limit expr.Expr) float64 {
	c, ok := limit.(*expr.Const)
	if !ok || c.D.IsNull() || c.T != types.Int8T {
		return rows
	}
	return min(rows, float64(c.D.Int()))
}

func selectivity(conds []expr.Expr) float64 {
	s := 1.0
	for _, c := range conds {
		switch c := c.(type) {
		case *expr.Call:
			if c.Op == "=" {
				s *= equalitySelectivity
				continue
			}
		case *expr.ScalarArray:
			s *= 10 * equalitySelectivity
			continue
		}
		s *= rangeSelectivity
	}
	return s
}
