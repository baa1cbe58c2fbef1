package planner

import (
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// expr binds an expression in the scope's present clause.
func (s *scope) expr(n *pg_query.Node) (expr.Expr, error) {
	switch n := n.Node.(type) {
	case *pg_query.Node_ColumnRef:
		return s.columnRef(n.ColumnRef)
	case *pg_query.Node_AConst:
		return constant(n.AConst)
	case *pg_query.Node_ParamRef:
		return s.b.param(n.ParamRef)
	case *pg_query.Node_AExpr:
		return s.aExpr(n.AExpr)
	case *pg_query.Node_BoolExpr:
		return s.boolExpr(n.BoolExpr)
	case *pg_query.Node_FuncCall:
		return s.funcCall(n.FuncCall)
	case *pg_query.Node_TypeCast:
		return s.typeCast(n.TypeCast)
	case *pg_query.Node_SubLink:
		return s.subLink(n.SubLink)
	case *pg_query.Node_CaseExpr:
		return s.caseExpr(n.CaseExpr)
	case *pg_query.Node_NullTest:
		return s.nullTest(n.NullTest)
	case *pg_query.Node_BooleanTest:
		return s.booleanTest(n.BooleanTest)
	case *pg_query.Node_AIndirection:
		return s.indirection(n.AIndirection.Arg, n.AIndirection.Indirection)
	case *pg_query.Node_AArrayExpr:
		return s.arrayExpr(n.AArrayExpr, nil)
	case *pg_query.Node_RowExpr:
		return s.rowExpr(n.RowExpr)
	case *pg_query.Node_CoalesceExpr:
		return s.coalesce(n.CoalesceExpr)
	case *pg_query.Node_MinMaxExpr:
		return s.minMax(n.MinMaxExpr)
	case *pg_query.Node_CollateClause:
		return s.collate(n.CollateClause)
	case *pg_query.Node_SqlvalueFunction:
		return s.sqlValue(n.SqlvalueFunction)
	case *pg_query.Node_GroupingFunc:
		return s.groupingFunc(n.GroupingFunc)
	}
	return s.refusedExpr(n)
}

// refusedExpr words the refusal of what has no place here or no implementation.
func (s *scope) refusedExpr(n *pg_query.Node) (expr.Expr, error) {
	loc := nodeLocation(n)
	switch n := n.Node.(type) {
	case *pg_query.Node_SetToDefault:
		return nil, pgerr.New(pgerr.SyntaxError, "DEFAULT is not allowed in this context").At(loc)
	case *pg_query.Node_CurrentOfExpr:
		return nil, pgerr.Unsupported("WHERE CURRENT OF")
	case *pg_query.Node_XmlExpr:
		name, _ := xmlName(n.XmlExpr.Op)
		if n.XmlExpr.Op == pg_query.XmlExprOp_IS_DOCUMENT {
			name = "IS DOCUMENT"
		}
		return nil, pgerr.Unsupported(strings.ToUpper(name)).At(loc)
	case *pg_query.Node_XmlSerialize:
		return nil, pgerr.Unsupported("XMLSERIALIZE").At(loc)
	case *pg_query.Node_MultiAssignRef:
		return nil, pgerr.Unsupported("this multiple assignment").At(loc)
	case *pg_query.Node_NamedArgExpr:
		return nil, pgerr.New(pgerr.SyntaxError, "syntax error at or near \"=>\"").At(loc)
	}
	return nil, pgerr.Unsupported("this expression").At(loc)
}

// constant makes the constant that a literal is: integers get the first type that they fit, strings stay unknown.
func constant(c *pg_query.A_Const) (expr.Expr, error) {
	k := &expr.Const{Mod: -1, Loc: c.Location}
	if c.Isnull {
		k.T = types.UnknownT
		return k, nil
	}
	switch v := c.Val.(type) {
	case *pg_query.A_Const_Ival:
		k.T, k.D = types.Int4T, types.Int(int64(v.Ival.GetIval()))
	case *pg_query.A_Const_Boolval:
		k.T, k.D = types.BoolT, types.Bool(v.Boolval.GetBoolval())
	case *pg_query.A_Const_Sval:
		k.T, k.D = types.UnknownT, types.Str(v.Sval.GetSval())
	case *pg_query.A_Const_Bsval:
		bits, err := bitLiteral(v.Bsval.GetBsval())
		if err != nil {
			return nil, pgerr.At(err, c.Location)
		}
		k.T, k.D = types.BitT, types.Str(bits)
	case *pg_query.A_Const_Fval:
		text := v.Fval.GetFval()
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			k.T, k.D = types.Int8T, types.Int(i)
			if int64(int32(i)) == i {
				k.T = types.Int4T
			}
			break
		}
		d, err := types.Input(types.DefaultIO(), types.NumericT, -1, text)
		if err != nil {
			return nil, pgerr.At(err, c.Location)
		}
		k.T, k.D = types.NumericT, d
	default:
		return nil, pgerr.Unsupported("this literal").At(c.Location)
	}
	return k, nil
}

// bitLiteral turns the grammar's b101 or x1F into the digits of a bit string.
func bitLiteral(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	digits := text[1:]
	if text[0] == 'b' || text[0] == 'B' {
		for _, r := range digits {
			if r != '0' && r != '1' {
				return "", pgerr.New(pgerr.InvalidTextRepresentation, "\"%c\" is not a valid binary digit", r)
			}
		}
		return digits, nil
	}
	var out strings.Builder
	for _, r := range digits {
		v, err := strconv.ParseUint(string(r), 16, 8)
		if err != nil {
			return "", pgerr.New(pgerr.InvalidTextRepresentation, "\"%c\" is not a valid hexadecimal digit", r)
		}
		for bit := 3; bit >= 0; bit-- {
			out.WriteByte('0' + byte(v>>bit&1))
		}
	}
	return out.String(), nil
}

const maxParams = 65535

func (b *binder) param(p *pg_query.ParamRef) (expr.Expr, error) {
	n := int(p.Number)
	if v := b.c.Variables; v != nil && !b.noParams {
		x, err := v.Param(n)
		return x, pgerr.At(err, p.Location)
	}
	if b.noParams || n < 1 || n > maxParams {
		return nil, pgerr.New(pgerr.UndefinedParameter, "there is no parameter $%d", n).At(p.Location)
	}
	for len(b.params) < n {
		b.params = append(b.params, nil)
	}
	t := b.params[n-1]
	if t == nil {
		t = types.UnknownT
		if _, ok := b.paramLocs[n]; !ok {
			b.paramLocs[n] = p.Location
		}
	}
	return b.r.Param(n, t, p.Location)
}

// conjuncts splits a condition at its ANDs.
func conjuncts(e expr.Expr) []expr.Expr {
	a, ok := e.(*expr.And)
	if !ok {
		return []expr.Expr{e}
	}
	var out []expr.Expr
	for _, x := range a.Args {
		out = append(out, conjuncts(x)...)
	}
	return out
}

func and(list []expr.Expr) expr.Expr {
	if len(list) == 1 {
		return list[0]
	}
	return &expr.And{Args: list}
}

func or(list []expr.Expr) expr.Expr {
	if len(list) == 1 {
		return list[0]
	}
	return &expr.Or{Args: list}
}

// boolean binds a condition; what names the construct in the error.
func (s *scope) boolean(n *pg_query.Node, what string) (expr.Expr, error) {
	x, err := s.expr(n)
	if err != nil {
		return nil, err
	}
	return s.toBoolean(x, what, nodeLocation(n))
}

func (s *scope) toBoolean(x expr.Expr, what string, loc int32) (expr.Expr, error) {
	return s.toType(x, types.BoolT, what, loc)
}

// toType coerces an argument of a construct that wants one type.
func (s *scope) toType(x expr.Expr, t *types.T, what string, loc int32) (expr.Expr, error) {
	c := x
	if x.Type() != t {
		var err error
		c, err = s.b.r.Coerce(x, t, -1, expr.Assignment, loc)
		if err != nil {
			if pgerr.Is(err, pgerr.DatatypeMismatch) || pgerr.Is(err, pgerr.CannotCoerce) {
				return nil, pgerr.New(pgerr.DatatypeMismatch, "argument of %s must be type %s, not type %s",
					what, types.FormatType(t, -1), types.FormatType(x.Type(), -1)).At(loc)
			}
			return nil, err
		}
	}
	if returnsSet(x) {
		return nil, pgerr.New(pgerr.DatatypeMismatch, "argument of %s must not return a set", what).At(loc)
	}
	return c, nil
}

// exprAs binds an expression and converts it by assignment.
func (s *scope) exprAs(n *pg_query.Node, t *types.T) (expr.Expr, error) {
	x, err := s.expr(n)
	if err != nil {
		return nil, err
	}
	return s.b.r.Coerce(x, t, -1, expr.Assignment, nodeLocation(n))
}

func (s *scope) exprs(nodes []*pg_query.Node) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(nodes))
	for i, n := range nodes {
		x, err := s.expr(n)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

func (s *scope) boolExpr(e *pg_query.BoolExpr) (expr.Expr, error) {
	name := map[pg_query.BoolExprType]string{
		pg_query.BoolExprType_AND_EXPR: "AND", pg_query.BoolExprType_OR_EXPR: "OR", pg_query.BoolExprType_NOT_EXPR: "NOT",
	}[e.Boolop]
	args := make([]expr.Expr, len(e.Args))
	for i, a := range e.Args {
		x, err := s.boolean(a, name)
		if err != nil {
			return nil, err
		}
		args[i] = x
	}
	switch e.Boolop {
	case pg_query.BoolExprType_AND_EXPR:
		return &expr.And{Args: args}, nil
	case pg_query.BoolExprType_OR_EXPR:
		return &expr.Or{Args: args}, nil
	}
	return &expr.Not{X: args[0]}, nil
}

func (s *scope) nullTest(t *pg_query.NullTest) (expr.Expr, error) {
	x, err := s.expr(t.Arg)
	if err != nil {
		return nil, err
	}
	return &expr.IsNull{X: x, Not: t.Nulltesttype == pg_query.NullTestType_IS_NOT_NULL}, nil
}

func (s *scope) booleanTest(t *pg_query.BooleanTest) (expr.Expr, error) {
	b := &expr.BoolTest{}
	what := ""
	switch t.Booltesttype {
	case pg_query.BoolTestType_IS_TRUE:
		b.Want, what = 't', "IS TRUE"
	case pg_query.BoolTestType_IS_NOT_TRUE:
		b.Want, b.Not, what = 't', true, "IS NOT TRUE"
	case pg_query.BoolTestType_IS_FALSE:
		b.Want, what = 'f', "IS FALSE"
	case pg_query.BoolTestType_IS_NOT_FALSE:
		b.Want, b.Not, what = 'f', true, "IS NOT FALSE"
	case pg_query.BoolTestType_IS_UNKNOWN:
		b.Want, what = 'u', "IS UNKNOWN"
	default:
		b.Want, b.Not, what = 'u', true, "IS NOT UNKNOWN"
	}
	x, err := s.boolean(t.Arg, what)
	if err != nil {
		return nil, err
	}
	b.X = x
	return b, nil
}

// withoutSets binds inside a construct that evaluates its arguments at will, where a set-returning function has no place.
func (s *scope) withoutSets(what string, f func() error) error {
	old := s.noSet
	s.noSet = what
	err := f()
	s.noSet = old
	return err
}

func (s *scope) caseExpr(c *pg_query.CaseExpr) (out expr.Expr, err error) {
	err = s.withoutSets("CASE", func() error {
		out, err = s.bindCase(c)
		return err
	})
	return out, err
}

func (s *scope) bindCase(c *pg_query.CaseExpr) (expr.Expr, error) {
	out := &expr.Case{Mod: -1}
	if c.Arg != nil {
		arg, err := s.expr(c.Arg)
		if err != nil {
			return nil, err
		}
		if err := s.unknownToText(&arg, nodeLocation(c.Arg)); err != nil {
			return nil, err
		}
		out.Arg = arg
	}
	// ELSE takes part in the choice of the type before the branches do.
	results := []expr.Expr{&expr.Const{T: types.UnknownT, Mod: -1, Loc: -1}}
	for _, n := range c.Args {
		w := n.GetCaseWhen()
		cond, err := s.caseWhen(out.Arg, w)
		if err != nil {
			return nil, err
		}
		then, err := s.expr(w.Result)
		if err != nil {
			return nil, err
		}
		out.Whens = append(out.Whens, expr.When{Cond: cond})
		results = append(results, then)
	}
	if c.Defresult != nil {
		x, err := s.expr(c.Defresult)
		if err != nil {
			return nil, err
		}
		results[0] = x
	}
	t, err := s.b.r.CommonType(results, "CASE", c.Location)
	if err != nil {
		return nil, err
	}
	for i, x := range results {
		if results[i], err = s.b.r.Coerce(x, t, -1, expr.Implicit, expr.Loc(x)); err != nil {
			return nil, err
		}
	}
	out.T = t
	if c.Defresult != nil {
		out.Else = results[0]
	}
	mod := results[1].Typmod()
	for i := range out.Whens {
		out.Whens[i].Then = results[i+1]
		if results[i+1].Typmod() != mod {
			mod = -1
		}
	}
	if c.Defresult != nil && results[0].Typmod() != mod {
		mod = -1
	}
	out.Mod = mod
	return out, nil
}

func (s *scope) caseWhen(arg expr.Expr, w *pg_query.CaseWhen) (expr.Expr, error) {
	if arg == nil {
		return s.boolean(w.Expr, "CASE/WHEN")
	}
	x, err := s.expr(w.Expr)
	if err != nil {
		return nil, err
	}
	if err := s.equalByBytes("CASE", arg, x); err != nil {
		return nil, err
	}
	eq, err := s.b.r.Operator("", "=", &expr.CaseArg{T: arg.Type()}, x, w.Location)
	if err != nil {
		return nil, err
	}
	return s.toBoolean(eq, "CASE/WHEN", w.Location)
}

// common coerces expressions to their common type.
func (s *scope) common(list []expr.Expr, what string, loc int32) (*types.T, error) {
	t, err := s.b.r.CommonType(list, what, loc)
	if err != nil {
		return nil, err
	}
	for i, x := range list {
		if list[i], err = s.b.r.Coerce(x, t, -1, expr.Implicit, expr.Loc(x)); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (s *scope) coalesce(c *pg_query.CoalesceExpr) (out expr.Expr, err error) {
	err = s.withoutSets("COALESCE", func() error {
		args, err := s.exprs(c.Args)
		if err != nil {
			return err
		}
		t, err := s.common(args, "COALESCE", c.Location)
		out = &expr.Coalesce{Args: args, T: t}
		return err
	})
	return out, err
}

func (s *scope) minMax(m *pg_query.MinMaxExpr) (expr.Expr, error) {
	args, err := s.exprs(m.Args)
	if err != nil {
		return nil, err
	}
	greatest := m.Op == pg_query.MinMaxOp_IS_GREATEST
	what := "LEAST"
	if greatest {
		what = "GREATEST"
	}
	t, err := s.common(args, what, m.Location)
	if err != nil {
		return nil, err
	}
	if _, err := s.b.r.Less(t); err != nil {
		return nil, pgerr.New(pgerr.UndefinedFunction, "could not identify a comparison function for type %s", types.FormatType(t, -1)).At(m.Location)
	}
	return s.bestOf(what, args, func(args []expr.Expr) (expr.Expr, error) {
		return &expr.MinMax{Args: args, T: t, Greatest: greatest}, nil
	})
}

func (s *scope) collate(c *pg_query.CollateClause) (expr.Expr, error) {
	x, err := s.expr(c.Arg)
	if err != nil {
		return nil, err
	}
	if x.Type().Collation == 0 && x.Type() != types.UnknownT && x.Type().BaseType().Collation == 0 && (x.Type().Elem == nil || x.Type().Elem.Collation == 0) {
		return nil, pgerr.New(pgerr.DatatypeMismatch, "collations are not supported by type %s", types.FormatType(x.Type(), -1)).At(c.Location)
	}
	names := strs(c.Collname)
	name, schema := names[len(names)-1], ""
	if len(names) > 1 {
		schema = names[len(names)-2]
	}
	found := s.b.c.Snapshot.Collation(s.b.c.Path, schema, name)
	if found == nil {
		return nil, pgerr.New(pgerr.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", strings.Join(names, ".")).At(c.Location)
	}
	if x.Type() == types.UnknownT {
		if err := s.unknownToText(&x, c.Location); err != nil {
			return nil, err
		}
	}
	out := &expr.Collate{X: x, Name: name}
	if found.Provider == 'i' {
		out.Locale = found.Locale
	}
	if !found.BuiltIn() {
		out.Schema = s.b.c.Snapshot.SchemaByOID(found.SchemaID).Name
	}
	return out, nil
}

// sqlValue binds CURRENT_DATE and its kin to the functions that compute them, marked with how they were written.
func (s *scope) sqlValue(v *pg_query.SQLValueFunction) (expr.Expr, error) {
	x, err := s.sqlValueCall(v)
	if c, ok := x.(*expr.Call); ok && err == nil {
		c.Syntax = strings.ToUpper(sqlValueName(v.Op))
		switch v.Op {
		case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N, pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N,
			pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME_N, pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
			c.Syntax += "(" + strconv.Itoa(int(v.Typmod)) + ")"
		}
	}
	return x, err
}

// sqlValueCall binds CURRENT_DATE and its kin as the functions and casts that give their values.
func (s *scope) sqlValueCall(v *pg_query.SQLValueFunction) (expr.Expr, error) {
	call := func(name string) (expr.Expr, error) {
		return s.b.r.Func(expr.FuncCall{Schema: "pg_catalog", Name: name, Loc: v.Location})
	}
	timed := func(t *types.T) (expr.Expr, error) {
		now, err := call("now")
		if err != nil {
			return nil, err
		}
		mod := int32(-1)
		switch v.Op {
		case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N, pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N,
			pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME_N, pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
			mod = v.Typmod
		}
		return s.b.r.Coerce(now, t, mod, expr.Explicit, v.Location)
	}
	switch v.Op {
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_DATE:
		return timed(types.DateT)
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME, pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:
		return timed(types.TimeTZT)
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP, pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N:
		return timed(types.TimestampTZT)
	case pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME, pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME_N:
		return timed(types.TimeT)
	case pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP, pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
		return timed(types.TimestampT)
	case pg_query.SQLValueFunctionOp_SVFOP_SESSION_USER:
		return call("session_user")
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:
		return call("current_database")
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA:
		return call("current_schema")
	}
	return call("current_user")
}

func (s *scope) typeCast(c *pg_query.TypeCast) (expr.Expr, error) {
	t, mod, err := s.b.r.TypeName(c.TypeName)
	if err != nil {
		return nil, err
	}
	var x expr.Expr
	if a, in := c.Arg.GetAArrayExpr(), t.BaseType(); a != nil && in.Elem != nil && in.Category == 'A' { // oidvector, too
		x, err = s.arrayExpr(a, in)
	} else {
		x, err = s.expr(c.Arg)
	}
	if err != nil {
		return nil, err
	}
	loc := c.Location
	if loc < 0 {
		loc = nodeLocation(c.Arg)
	}
	return s.b.r.Coerce(x, t, mod, expr.Explicit, loc)
}
