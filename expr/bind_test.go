package expr_test

import (
	"fmt"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// binder binds scalar expressions without columns, just enough for the tests of resolution and evaluation.
type binder struct{ r *expr.Resolver }

func (b *binder) bindAll(nodes []*pg_query.Node) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(nodes))
	for i, n := range nodes {
		e, err := b.bind(n)
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

func (b *binder) bind(n *pg_query.Node) (expr.Expr, error) {
	switch n := n.Node.(type) {
	case *pg_query.Node_AConst:
		return b.constant(n.AConst)
	case *pg_query.Node_TypeCast:
		x, err := b.bind(n.TypeCast.Arg)
		if err != nil {
			return nil, err
		}
		t, mod, err := b.r.TypeName(n.TypeCast.TypeName)
		if err != nil {
			return nil, err
		}
		if a, ok := x.(*expr.Array); ok && t.IsArray() && len(a.Elems) == 0 {
			return &expr.Array{T: t}, nil
		}
		return b.r.Coerce(x, t, mod, expr.Explicit, n.TypeCast.Location)
	case *pg_query.Node_FuncCall:
		return b.function(n.FuncCall)
	case *pg_query.Node_AExpr:
		return b.operator(n.AExpr)
	case *pg_query.Node_BoolExpr:
		return b.boolean(n.BoolExpr)
	case *pg_query.Node_NullTest:
		x, err := b.bind(n.NullTest.Arg)
		return &expr.IsNull{X: x, Not: n.NullTest.Nulltesttype == pg_query.NullTestType_IS_NOT_NULL}, err
	case *pg_query.Node_CaseExpr:
		return b.caseExpr(n.CaseExpr)
	case *pg_query.Node_CoalesceExpr:
		args, t, err := b.common(n.CoalesceExpr.Args, "COALESCE")
		return &expr.Coalesce{Args: args, T: t}, err
	case *pg_query.Node_MinMaxExpr:
		args, t, err := b.common(n.MinMaxExpr.Args, "GREATEST")
		return &expr.MinMax{Args: args, T: t, Greatest: n.MinMaxExpr.Op == pg_query.MinMaxOp_IS_GREATEST}, err
	case *pg_query.Node_AArrayExpr:
		return b.array(n.AArrayExpr.Elements)
	case *pg_query.Node_RowExpr:
		args, err := b.bindAll(n.RowExpr.Args)
		return &expr.Row{Elems: args, T: types.RecordT}, err
	case *pg_query.Node_AIndirection:
		return b.subscript(n.AIndirection)
	case *pg_query.Node_CollateClause:
		return b.bind(n.CollateClause.Arg)
	case *pg_query.Node_SqlvalueFunction:
		return b.r.SQLValue(n.SqlvalueFunction.Op, n.SqlvalueFunction.Typmod)
	}
	return nil, fmt.Errorf("the test binder does not know %T", n.Node)
}

func (b *binder) constant(c *pg_query.A_Const) (expr.Expr, error) {
	k := &expr.Const{T: types.UnknownT, Mod: -1, Loc: c.Location}
	switch v := c.Val.(type) {
	case *pg_query.A_Const_Ival:
		k.T, k.D = types.Int4T, types.Int(int64(v.Ival.Ival))
	case *pg_query.A_Const_Fval:
		for _, t := range []*types.T{types.Int4T, types.Int8T, types.NumericT} {
			if d, err := types.Input(b.r.IO, t, -1, v.Fval.Fval); err == nil {
				k.T, k.D = t, d
				return k, nil
			}
		}
	case *pg_query.A_Const_Sval:
		k.D = types.Str(v.Sval.Sval)
	case *pg_query.A_Const_Boolval:
		k.T, k.D = types.BoolT, types.Bool(v.Boolval.Boolval)
	case *pg_query.A_Const_Bsval:
		d, err := types.Input(b.r.IO, types.BitT, -1, v.Bsval.Bsval)
		k.T, k.D = types.BitT, d
		return k, err
	default:
		if !c.Isnull {
			k.T, k.D = types.Int4T, types.Int(0)
		}
	}
	return k, nil
}

func names(list []*pg_query.Node) (schema, name string) {
	name = list[len(list)-1].GetString_().GetSval()
	if len(list) > 1 {
		schema = list[0].GetString_().GetSval()
	}
	return schema, name
}

func (b *binder) function(f *pg_query.FuncCall) (expr.Expr, error) {
	c := expr.FuncCall{Variadic: f.FuncVariadic, Star: f.AggStar, Loc: f.Location}
	c.Schema, c.Name = names(f.Funcname)
	for _, a := range f.Args {
		name := ""
		if n := a.GetNamedArgExpr(); n != nil {
			name, a = n.Name, n.Arg
		}
		x, err := b.bind(a)
		if err != nil {
			return nil, err
		}
		c.Args, c.ArgNames = append(c.Args, x), append(c.ArgNames, name)
	}
	return b.r.Func(c)
}

func (b *binder) operator(a *pg_query.A_Expr) (expr.Expr, error) {
	schema, name := names(a.Name)
	var left, right expr.Expr
	var err error
	if a.Lexpr != nil {
		if left, err = b.bind(a.Lexpr); err != nil {
			return nil, err
		}
	}
	if a.Kind == pg_query.A_Expr_Kind_AEXPR_IN {
		return b.in(name, left, a)
	}
	if right, err = b.bind(a.Rexpr); err != nil {
		return nil, err
	}
	switch a.Kind {
	case pg_query.A_Expr_Kind_AEXPR_OP_ANY, pg_query.A_Expr_Kind_AEXPR_OP_ALL:
		return b.r.ScalarArray(name, left, right, a.Kind == pg_query.A_Expr_Kind_AEXPR_OP_ALL, a.Location)
	case pg_query.A_Expr_Kind_AEXPR_NULLIF, pg_query.A_Expr_Kind_AEXPR_DISTINCT, pg_query.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		x, err := b.r.Operator("", "=", left, right, a.Location)
		if err != nil {
			return nil, err
		}
		c := x.(*expr.Call)
		if a.Kind == pg_query.A_Expr_Kind_AEXPR_NULLIF {
			return &expr.NullIf{A: c.Args[0], B: c.Args[1], Eq: c.Fn}, nil
		}
		return &expr.Distinct{A: c.Args[0], B: c.Args[1], Eq: c.Fn, Not: a.Kind == pg_query.A_Expr_Kind_AEXPR_NOT_DISTINCT}, nil
	}
	return b.r.Operator(schema, name, left, right, a.Location)
}

func (b *binder) in(name string, left expr.Expr, a *pg_query.A_Expr) (expr.Expr, error) {
	list, err := b.bindAll(a.Rexpr.GetList().Items)
	if err != nil {
		return nil, err
	}
	t := b.r.HasCommonType(append([]expr.Expr{left}, list...))
	if t == nil {
		return nil, pgerr.New(pgerr.DatatypeMismatch, "no common type")
	}
	for i, e := range list {
		if list[i], err = b.r.CoerceCommon(e, t, "IN"); err != nil {
			return nil, err
		}
	}
	return b.r.ScalarArray(name, left, &expr.Array{Elems: list, T: b.r.ArrayOf(t)}, name == "<>", a.Location)
}

func (b *binder) boolean(e *pg_query.BoolExpr) (expr.Expr, error) {
	args, err := b.bindAll(e.Args)
	if err != nil {
		return nil, err
	}
	for i, a := range args {
		if args[i], err = b.r.Coerce(a, types.BoolT, -1, expr.Assignment, -1); err != nil {
			return nil, err
		}
	}
	switch e.Boolop {
	case pg_query.BoolExprType_AND_EXPR:
		return &expr.And{Args: args}, nil
	case pg_query.BoolExprType_OR_EXPR:
		return &expr.Or{Args: args}, nil
	}
	return &expr.Not{X: args[0]}, nil
}

func (b *binder) common(nodes []*pg_query.Node, what string) ([]expr.Expr, *types.T, error) {
	args, err := b.bindAll(nodes)
	if err != nil {
		return nil, nil, err
	}
	t, err := b.r.CommonType(args, what, -1)
	if err != nil {
		return nil, nil, err
	}
	for i, a := range args {
		if args[i], err = b.r.CoerceCommon(a, t, what); err != nil {
			return nil, nil, err
		}
	}
	return args, t, nil
}

func (b *binder) caseExpr(c *pg_query.CaseExpr) (expr.Expr, error) {
	out := &expr.Case{Mod: -1}
	var results []*pg_query.Node
	if c.Defresult != nil {
		results = append(results, c.Defresult)
	}
	if c.Arg != nil {
		x, err := b.bind(c.Arg)
		if err != nil {
			return nil, err
		}
		if x.Type() == types.UnknownT {
			if x, err = b.r.Coerce(x, types.TextT, -1, expr.Implicit, -1); err != nil {
				return nil, err
			}
		}
		out.Arg = x
	}
	for _, w := range c.Args {
		when := w.GetCaseWhen()
		cond, err := b.bind(when.Expr)
		if err != nil {
			return nil, err
		}
		if out.Arg != nil {
			if cond, err = b.r.Operator("", "=", &expr.CaseArg{T: out.Arg.Type()}, cond, -1); err != nil {
				return nil, err
			}
		}
		out.Whens = append(out.Whens, expr.When{Cond: cond})
		results = append(results, when.Result)
	}
	args, t, err := b.common(results, "CASE")
	if err != nil {
		return nil, err
	}
	out.T = t
	if c.Defresult != nil {
		out.Else, args = args[0], args[1:]
	}
	for i := range out.Whens {
		out.Whens[i].Then = args[i]
	}
	return out, nil
}

func (b *binder) array(nodes []*pg_query.Node) (expr.Expr, error) {
	if len(nodes) == 0 {
		return &expr.Array{T: types.TextArrayT}, nil
	}
	args, t, err := b.common(nodes, "ARRAY")
	if err != nil {
		return nil, err
	}
	if t.IsArray() {
		return &expr.Array{Elems: args, T: t, Multi: true}, nil
	}
	return &expr.Array{Elems: args, T: b.r.ArrayOf(t)}, nil
}

func (b *binder) subscript(n *pg_query.A_Indirection) (expr.Expr, error) {
	x, err := b.bind(n.Arg)
	if err != nil {
		return nil, err
	}
	s := &expr.Subscript{X: x, T: x.Type(), Mod: -1}
	slice := false
	for _, i := range n.Indirection {
		ix := i.GetAIndices()
		e := expr.Index{Slice: ix.IsSlice}
		slice = slice || ix.IsSlice
		if ix.Lidx != nil {
			if e.Lower, err = b.bind(ix.Lidx); err != nil {
				return nil, err
			}
		}
		if ix.Uidx != nil {
			if e.Upper, err = b.bind(ix.Uidx); err != nil {
				return nil, err
			}
		}
		s.Indexes = append(s.Indexes, e)
	}
	if !slice && x.Type() != types.JSONBT {
		s.T = x.Type().Elem
	}
	return s, nil
}
