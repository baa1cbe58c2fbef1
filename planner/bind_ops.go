package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// operatorName splits an operator name into schema and name.
func operatorName(nodes []*pg_query.Node) (schema, name string) {
	names := strs(nodes)
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	return schema, names[len(names)-1]
}

func (s *scope) aExpr(e *pg_query.A_Expr) (expr.Expr, error) {
	switch e.Kind {
	case pg_query.A_Expr_Kind_AEXPR_OP, pg_query.A_Expr_Kind_AEXPR_LIKE, pg_query.A_Expr_Kind_AEXPR_ILIKE, pg_query.A_Expr_Kind_AEXPR_SIMILAR:
		return s.opExpr(e)
	case pg_query.A_Expr_Kind_AEXPR_OP_ANY, pg_query.A_Expr_Kind_AEXPR_OP_ALL:
		return s.opArray(e)
	case pg_query.A_Expr_Kind_AEXPR_DISTINCT, pg_query.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return s.distinctFrom(e)
	case pg_query.A_Expr_Kind_AEXPR_NULLIF:
		return s.nullIf(e)
	case pg_query.A_Expr_Kind_AEXPR_IN:
		return s.in(e)
	case pg_query.A_Expr_Kind_AEXPR_BETWEEN, pg_query.A_Expr_Kind_AEXPR_NOT_BETWEEN,
		pg_query.A_Expr_Kind_AEXPR_BETWEEN_SYM, pg_query.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		return s.between(e)
	}
	return nil, pgerr.Unsupported("this operator expression").At(e.Location)
}

func (s *scope) opExpr(e *pg_query.A_Expr) (expr.Expr, error) {
	schema, name := operatorName(e.Name)
	lrow, rrow := e.Lexpr.GetRowExpr(), e.Rexpr.GetRowExpr()
	if lrow != nil && rrow != nil {
		l, err := s.rowElems(lrow.Args)
		if err != nil {
			return nil, err
		}
		r, err := s.rowElems(rrow.Args)
		if err != nil {
			return nil, err
		}
		return s.rowOp(schema, name, l, r, e.Location)
	}
	if sub := e.Rexpr.GetSubLink(); lrow != nil && sub != nil && sub.SubLinkType == pg_query.SubLinkType_EXPR_SUBLINK {
		return s.rowSubquery(schema, name, lrow, sub, e.Location)
	}
	var left expr.Expr
	if e.Lexpr != nil {
		x, err := s.expr(e.Lexpr)
		if err != nil {
			return nil, err
		}
		left = x
	}
	right, err := s.expr(e.Rexpr)
	if err != nil {
		return nil, err
	}
	return s.operator(schema, name, left, right, e.Location)
}

// rowOp compares two row constructors field by field.
func (s *scope) rowOp(schema, name string, l, r []expr.Expr, loc int32) (expr.Expr, error) {
	if len(l) != len(r) {
		return nil, pgerr.New(pgerr.SyntaxError, "unequal number of entries in row expressions").At(loc)
	}
	if len(l) == 0 {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "cannot compare rows of zero length").At(loc)
	}
	ops := make([]expr.Expr, len(l))
	for i := range l {
		x, err := s.operator(schema, name, l[i], r[i], loc)
		if err != nil {
			return nil, err
		}
		if x.Type() != types.BoolT {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "row comparison operator must yield type boolean, not type %s", types.FormatType(x.Type(), -1)).At(loc)
		}
		ops[i] = x
	}
	if len(ops) == 1 {
		return ops[0], nil
	}
	switch name {
	case "=":
		return and(ops), nil
	case "<>", "!=":
		return or(ops), nil
	case "<", "<=", ">", ">=":
		return s.rowCompare(name, ops, loc)
	}
	return nil, pgerr.New(pgerr.FeatureNotSupported, "could not determine interpretation of row comparison operator %s", name).
		WithHint("Row comparison operators must be associated with btree operator families.").At(loc)
}

func (s *scope) rowCompare(name string, ops []expr.Expr, loc int32) (expr.Expr, error) {
	out := &expr.RowCompare{Op: name}
	for _, op := range ops {
		call, ok := op.(*expr.Call)
		if !ok || len(call.Args) != 2 {
			return nil, pgerr.Unsupported("this row comparison").At(loc)
		}
		a, b := call.Args[0], call.Args[1]
		less, err := s.b.r.Operator("", "<", a, b, loc)
		if err != nil {
			return nil, err
		}
		eq, err := s.b.r.Operator("", "=", a, b, loc)
		if err != nil {
			return nil, err
		}
		lc, ok1 := less.(*expr.Call)
		ec, ok2 := eq.(*expr.Call)
		if !ok1 || !ok2 {
			return nil, pgerr.Unsupported("this row comparison").At(loc)
		}
		out.Left, out.Right = append(out.Left, lc.Args[0]), append(out.Right, lc.Args[1])
		out.Less, out.Equal = append(out.Less, lc.Fn), append(out.Equal, ec.Fn)
	}
	return out, nil
}

func (s *scope) opArray(e *pg_query.A_Expr) (expr.Expr, error) {
	_, name := operatorName(e.Name)
	left, err := s.expr(e.Lexpr)
	if err != nil {
		return nil, err
	}
	right, err := s.expr(e.Rexpr)
	if err != nil {
		return nil, err
	}
	if err := s.equalByBytes("ANY and ALL", left, right); err != nil {
		return nil, err
	}
	return s.b.r.ScalarArray(name, left, right, e.Kind == pg_query.A_Expr_Kind_AEXPR_OP_ALL, e.Location)
}

// equality resolves a = b and gives the coerced operands and the procedure.
func (s *scope) equality(a, b expr.Expr, loc int32) (expr.Expr, expr.Expr, *expr.Proc, error) {
	x, err := s.b.r.Operator("", "=", a, b, loc)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := s.equalByBytes("this comparison", a, b); err != nil {
		return nil, nil, nil, err
	}
	call, ok := x.(*expr.Call)
	if !ok || len(call.Args) != 2 {
		return nil, nil, nil, pgerr.Internal("equality of %s is not a call", types.FormatType(a.Type(), -1))
	}
	return call.Args[0], call.Args[1], call.Fn, nil
}

func isNullConst(n *pg_query.Node) bool { return n.GetAConst() != nil && n.GetAConst().Isnull }

func (s *scope) distinctFrom(e *pg_query.A_Expr) (expr.Expr, error) {
	not := e.Kind == pg_query.A_Expr_Kind_AEXPR_NOT_DISTINCT
	if isNullConst(e.Rexpr) || isNullConst(e.Lexpr) {
		arg := e.Lexpr
		if isNullConst(e.Lexpr) {
			arg = e.Rexpr
		}
		x, err := s.expr(arg)
		if err != nil {
			return nil, err
		}
		return &expr.IsNull{X: x, Not: !not}, nil
	}
	if l, r := e.Lexpr.GetRowExpr(), e.Rexpr.GetRowExpr(); l != nil && r != nil {
		return s.rowDistinct(l, r, not, e.Location)
	}
	a, err := s.expr(e.Lexpr)
	if err != nil {
		return nil, err
	}
	b, err := s.expr(e.Rexpr)
	if err != nil {
		return nil, err
	}
	a, b, eq, err := s.equality(a, b, e.Location)
	if err != nil {
		return nil, err
	}
	return &expr.Distinct{A: a, B: b, Eq: eq, Not: not}, nil
}

func (s *scope) rowDistinct(l, r *pg_query.RowExpr, not bool, loc int32) (expr.Expr, error) {
	left, err := s.rowElems(l.Args)
	if err != nil {
		return nil, err
	}
	right, err := s.rowElems(r.Args)
	if err != nil {
		return nil, err
	}
	if len(left) != len(right) {
		return nil, pgerr.New(pgerr.SyntaxError, "unequal number of entries in row expressions").At(loc)
	}
	var parts []expr.Expr
	for i := range left {
		a, b, eq, err := s.equality(left[i], right[i], loc)
		if err != nil {
			return nil, err
		}
		parts = append(parts, &expr.Distinct{A: a, B: b, Eq: eq, Not: not})
	}
	switch {
	case len(parts) == 0:
		return &expr.Const{D: types.Bool(not), T: types.BoolT, Mod: -1, Loc: -1}, nil
	case not:
		return and(parts), nil
	}
	return or(parts), nil
}

func (s *scope) nullIf(e *pg_query.A_Expr) (expr.Expr, error) {
	a, err := s.expr(e.Lexpr)
	if err != nil {
		return nil, err
	}
	b, err := s.expr(e.Rexpr)
	if err != nil {
		return nil, err
	}
	a, b, eq, err := s.equality(a, b, e.Location)
	if err != nil {
		return nil, err
	}
	return &expr.NullIf{A: a, B: b, Eq: eq}, nil
}

// in binds x IN (list). Items without columns become one array, as in PostgreSQL, which also fixes their common type.
func (s *scope) in(e *pg_query.A_Expr) (expr.Expr, error) {
	_, name := operatorName(e.Name)
	all := name == "<>"
	items := e.Rexpr.GetList().GetItems()
	if row := e.Lexpr.GetRowExpr(); row != nil {
		return s.rowIn(row, items, name, e.Location)
	}
	left, err := s.expr(e.Lexpr)
	if err != nil {
		return nil, err
	}
	list, err := s.exprs(items)
	if err != nil {
		return nil, err
	}
	var plain, rest []expr.Expr
	for _, x := range list {
		if used := colsOf(x); used.empty() {
			plain = append(plain, x)
		} else {
			rest = append(rest, x)
		}
	}
	var parts []expr.Expr
	if len(plain) > 1 {
		x, err := s.inArray(left, plain, name, all, e.Location)
		if err != nil {
			return nil, err
		}
		if x != nil {
			parts = append(parts, x)
		} else {
			rest = list
		}
	} else {
		rest = list
	}
	for _, x := range rest {
		op, err := s.inItem(left, x, name, e.Location)
		if err != nil {
			return nil, err
		}
		parts = append(parts, op)
	}
	if all {
		return and(parts), nil
	}
	return or(parts), nil
}

func (s *scope) inItem(left, x expr.Expr, name string, loc int32) (expr.Expr, error) {
	op, err := s.operator("", name, left, x, loc)
	if err != nil {
		return nil, err
	}
	return s.toBoolean(op, "IN", loc)
}

// inArray makes x = ANY (ARRAY[...]); nil when the items have no common type that has arrays.
func (s *scope) inArray(left expr.Expr, list []expr.Expr, name string, all bool, loc int32) (expr.Expr, error) {
	t := s.b.r.HasCommonType(append([]expr.Expr{left}, list...))
	if t == nil || t == types.RecordT || s.b.anyLoose(append([]expr.Expr{left}, list...)...) {
		return nil, nil
	}
	at := s.b.r.ArrayOf(t)
	if at == nil {
		return nil, nil
	}
	elems := make([]expr.Expr, len(list))
	for i, x := range list {
		c, err := s.b.r.Coerce(x, t, -1, expr.Implicit, expr.Loc(x))
		if err != nil {
			return nil, err
		}
		elems[i] = c
	}
	return s.b.r.ScalarArray(name, left, &expr.Array{Elems: elems, T: at}, all, loc)
}

func (s *scope) rowIn(row *pg_query.RowExpr, items []*pg_query.Node, name string, loc int32) (expr.Expr, error) {
	left, err := s.rowElems(row.Args)
	if err != nil {
		return nil, err
	}
	var parts []expr.Expr
	for _, it := range items {
		var op expr.Expr
		if r := it.GetRowExpr(); r != nil {
			right, err := s.rowElems(r.Args)
			if err != nil {
				return nil, err
			}
			if op, err = s.rowOp("", name, left, right, loc); err != nil {
				return nil, err
			}
		} else {
			x, err := s.expr(it)
			if err != nil {
				return nil, err
			}
			if op, err = s.b.r.Operator("", name, &expr.Row{Elems: left, T: types.RecordT}, x, loc); err != nil {
				return nil, err
			}
		}
		parts = append(parts, op)
	}
	if name == "<>" {
		return and(parts), nil
	}
	return or(parts), nil
}

// between binds BETWEEN as the comparisons that define it.
func (s *scope) between(e *pg_query.A_Expr) (expr.Expr, error) {
	bounds := e.Rexpr.GetList().GetItems()
	cmp := func(op string, bound *pg_query.Node) (expr.Expr, error) {
		// The operand is bound anew each time: the first comparison may have given a parameter in it its type.
		x, err := s.expr(e.Lexpr)
		if err != nil {
			return nil, err
		}
		b, err := s.expr(bound)
		if err != nil {
			return nil, err
		}
		return s.operator("", op, x, b, e.Location)
	}
	pair := func(op1 string, b1 *pg_query.Node, op2 string, b2 *pg_query.Node) ([]expr.Expr, error) {
		l, err := cmp(op1, b1)
		if err != nil {
			return nil, err
		}
		r, err := cmp(op2, b2)
		return []expr.Expr{l, r}, err
	}
	lo, hi := bounds[0], bounds[1]
	switch e.Kind {
	case pg_query.A_Expr_Kind_AEXPR_BETWEEN:
		p, err := pair(">=", lo, "<=", hi)
		return &expr.And{Args: p}, err
	case pg_query.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		p, err := pair("<", lo, ">", hi)
		return &expr.Or{Args: p}, err
	case pg_query.A_Expr_Kind_AEXPR_BETWEEN_SYM:
		p, err := pair(">=", lo, "<=", hi)
		if err != nil {
			return nil, err
		}
		q, err := pair(">=", hi, "<=", lo)
		return &expr.Or{Args: []expr.Expr{&expr.And{Args: p}, &expr.And{Args: q}}}, err
	}
	p, err := pair("<", lo, ">", hi)
	if err != nil {
		return nil, err
	}
	q, err := pair("<", hi, ">", lo)
	return &expr.And{Args: []expr.Expr{&expr.Or{Args: p}, &expr.Or{Args: q}}}, err
}
