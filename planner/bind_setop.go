package planner

import (
	"cmp"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

var setOpNames = map[pg_query.SetOperation]string{
	pg_query.SetOperation_SETOP_UNION:     "UNION",
	pg_query.SetOperation_SETOP_INTERSECT: "INTERSECT",
	pg_query.SetOperation_SETOP_EXCEPT:    "EXCEPT",
}

// setOperation binds UNION, INTERSECT and EXCEPT with the ORDER BY and LIMIT over the whole.
func (s *scope) setOperation(sel *pg_query.SelectStmt, resolve bool) (*query, error) {
	if len(sel.LockingClause) > 0 || len(s.locking) > 0 {
		name := "FOR UPDATE"
		if len(sel.LockingClause) > 0 {
			name = lockNames[sel.LockingClause[0].GetLockingClause().Strength]
		}
		return nil, pgerr.New(pgerr.FeatureNotSupported, "%s is not allowed with UNION/INTERSECT/EXCEPT", name)
	}
	q, err := s.setOpTree(sel)
	if err != nil {
		return nil, err
	}
	return s.ordered(sel, q.node)
}

// setOpTree binds the two sides and the operation, without ORDER BY and LIMIT.
func (s *scope) setOpTree(sel *pg_query.SelectStmt) (*query, error) {
	name := setOpNames[sel.Op]
	left, err := s.setOpArm(sel.Larg)
	if err != nil {
		return nil, err
	}
	right, err := s.setOpArm(sel.Rarg)
	if err != nil {
		return nil, err
	}
	if len(left.cols) != len(right.cols) {
		loc := int32(-1)
		if list := sel.Rarg.TargetList; len(list) > 0 {
			loc = nodeLocation(list[0].GetResTarget().Val)
		}
		return nil, pgerr.New(pgerr.SyntaxError, "each %s query must have the same number of columns", name).At(loc)
	}
	return s.combine(sel, left, right)
}

// setOpArm is one side: a nested set operation of the same level, or a query of its own.
func (s *scope) setOpArm(sel *pg_query.SelectStmt) (*query, error) {
	nested := sel.Op != pg_query.SetOperation_SETOP_NONE && sel.Op != pg_query.SetOperation_SET_OPERATION_UNDEFINED
	if nested && len(sel.SortClause) == 0 && sel.LimitCount == nil && sel.LimitOffset == nil && sel.WithClause == nil && len(sel.LockingClause) == 0 {
		return s.setOpTree(sel)
	}
	return s.b.newScope(s).query(sel, false)
}

// combine gives both sides the columns' common types.
func (s *scope) combine(sel *pg_query.SelectStmt, left, right *query) (*query, error) {
	op := &SetOp{All: sel.All}
	switch sel.Op {
	case pg_query.SetOperation_SETOP_INTERSECT:
		op.Kind = Intersect
	case pg_query.SetOperation_SETOP_EXCEPT:
		op.Kind = Except
	}
	n := len(left.cols)
	lx, rx := left.outputs(), right.outputs()
	lc, rc := make([]expr.Expr, n), make([]expr.Expr, n)
	for i := range n {
		t, err := s.b.r.CommonType([]expr.Expr{lx[i], rx[i]}, setOpNames[sel.Op], right.loc(i))
		if err != nil {
			return nil, pgerr.At(err, right.loc(i))
		}
		if t == types.UnknownT {
			t = types.TextT
		}
		if lc[i], err = s.b.r.Coerce(lx[i], t, -1, expr.Implicit, left.loc(i)); err != nil {
			return nil, err
		}
		if rc[i], err = s.b.r.Coerce(rx[i], t, -1, expr.Implicit, right.loc(i)); err != nil {
			return nil, err
		}
		if !op.All || op.Kind != Union {
			if _, err := s.b.r.Equality(t); err != nil {
				return nil, pgerr.At(err, left.loc(i))
			}
			if err := s.equalByBytes(setOpNames[sel.Op], lc[i], rc[i]); err != nil {
				return nil, err
			}
		}
		mod := int32(-1)
		if left.cols[i].Mod == right.cols[i].Mod && left.cols[i].Type == right.cols[i].Type {
			mod = left.cols[i].Mod
		}
		// EXCEPT gives rows of the left side alone; the others may give NULL from either.
		nn := left.cols[i].NotNull && (right.cols[i].NotNull || op.Kind == Except)
		op.Out = append(op.Out, s.b.newCol(Col{Name: left.cols[i].Name, Type: t, Mod: mod, NotNull: nn, Collation: cmp.Or(left.cols[i].Collation, right.cols[i].Collation)}, s))
	}
	op.Left, op.Right = s.retype(left, lx, lc), s.retype(right, rx, rc)
	return &query{node: op, cols: op.Out, locs: left.locs}, nil
}

// outputs are the expressions behind the columns where literals may still change their type, else the columns.
func (q *query) outputs() []expr.Expr {
	out := colRefs(q.cols)
	if q.proj == nil {
		return out
	}
	for i := range out {
		if q.cols[i].Type == types.UnknownT {
			out[i] = q.proj.Exprs[i]
		}
	}
	return out
}

// retype makes a query's columns those of the coerced expressions: literals change inside its own projection, other
// columns are converted above it.
func (s *scope) retype(q *query, from, to []expr.Expr) Node {
	var above bool
	exprs := make([]expr.Expr, len(to))
	cols := make([]Col, len(to))
	for i := range to {
		cols[i] = q.cols[i]
		exprs[i] = ref(cols[i])
		if from[i] == to[i] {
			continue
		}
		if q.cols[i].Type == types.UnknownT && q.proj != nil {
			q.proj.Exprs[i] = to[i]
			q.rec.retyped(i, to[i])
			q.proj.Out[i].Type, q.proj.Out[i].Mod = to[i].Type(), to[i].Typmod()
			s.b.cols[cols[i].ID].Type = to[i].Type()
			cols[i].Type = to[i].Type()
			exprs[i] = ref(cols[i])
			q.cols[i] = cols[i]
			continue
		}
		above = true
		exprs[i] = to[i]
		cols[i] = s.b.resultCol(cols[i].Name, to[i], s)
	}
	if p, ok := q.node.(*Project); ok && p != q.proj {
		// A projection that drops junk columns shows the columns under it with their new types.
		for i := range p.Out {
			for _, c := range q.cols {
				if p.Out[i].ID == c.ID {
					p.Out[i], p.Exprs[i] = c, ref(c)
				}
			}
		}
	}
	if !above {
		return q.node
	}
	return &Project{Input: q.node, Exprs: exprs, Out: cols}
}

// setOpError words what cannot be in a recursive query's term.
func recursionError(format string, args ...any) *pgerr.Error {
	return pgerr.New(pgerr.InvalidRecursion, format, args...)
}
