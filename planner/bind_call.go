package planner

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// aggInfo is what pg_aggregate says of an aggregate with WITHIN GROUP.
type aggInfo struct {
	kind   byte // 'o' ordered-set, 'h' hypothetical-set
	direct int
}

// orderedSets are the aggregates that want WITHIN GROUP, by name, which they share with no other aggregate: immutable
// embedded data.
var orderedSets = sync.OnceValue(func() map[string]aggInfo {
	f := facts.Load("pg_aggregate")
	name, kind, direct := f.Col("aggfnoid"), f.Col("aggkind"), f.Col("aggnumdirectargs")
	out := map[string]aggInfo{}
	for _, r := range f.Rows {
		if r[kind] == "n" {
			continue
		}
		d, _ := strconv.Atoi(r[direct])
		out[strings.TrimPrefix(r[name], "pg_catalog.")] = aggInfo{r[kind][0], d}
	}
	return out
})

// boundCall is a function call whose parts are bound and whose function is not yet known.
type boundCall struct {
	f            *pg_query.FuncCall
	schema, name string
	args         []expr.Expr
	names        []string
	filter       expr.Expr
}

func (s *scope) funcCall(f *pg_query.FuncCall) (expr.Expr, error) {
	c, err := s.callParts(f)
	if err != nil {
		return nil, err
	}
	// A row of a table written as an argument may mean its column: name(t) is t.name.
	if x := s.projection(c, false); x != nil {
		return x, nil
	}
	x, err := s.call(c)
	if pgerr.Is(err, pgerr.UndefinedFunction) {
		if x := s.projection(c, true); x != nil {
			return x, nil
		}
	}
	return x, err
}

// call finds the function of a bound call and makes the call, as a function, an aggregate or a window function.
func (s *scope) call(c *boundCall) (expr.Expr, error) {
	f := c.f
	x, err := s.b.r.Func(expr.FuncCall{
		Schema: c.schema, Name: c.name, Args: c.args, ArgNames: c.names, Variadic: f.FuncVariadic, Star: f.AggStar, Loc: f.Location,
	})
	if err != nil {
		if len(f.AggOrder) > 1 && !f.AggWithinGroup && pgerr.Is(err, pgerr.UndefinedFunction) {
			err = pgerr.From(err).WithHint("No aggregate function matches the given name and argument types. Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments of the aggregate.")
		}
		return nil, err
	}
	call, ok := x.(*expr.Call)
	if !ok || call.Cast != 0 {
		return x, c.plain("a function", f.Location) // a cast written as a call
	}
	switch call.Fn.Kind {
	case 'a':
		return s.aggregate(c, call)
	case 'w':
		if f.Over == nil {
			return nil, pgerr.New(pgerr.WrongObjectType, "window function %s requires an OVER clause", c.name).At(f.Location)
		}
		if f.AggFilter != nil {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "FILTER is not implemented for non-aggregate window functions").At(f.Location)
		}
		return s.windowCall(f, call.Fn, call.Args, call.T, nil, call.Variadic)
	}
	if err := c.plain(c.name, f.Location); err != nil {
		return nil, err
	}
	if f.Funcformat == pg_query.CoercionForm_COERCE_SQL_SYNTAX {
		call.Syntax = expr.SQLSyntax
	}
	if call.Fn.RetSet {
		return call, s.checkSet(f.Location)
	}
	return call, nil
}

// callParts binds the arguments, ORDER BY and FILTER of a call.
func (s *scope) callParts(f *pg_query.FuncCall) (*boundCall, error) {
	c := &boundCall{f: f}
	names := strs(f.Funcname)
	c.name = names[len(names)-1]
	if len(names) > 1 {
		c.schema = names[len(names)-2]
	}
	if len(f.Args) > 100 {
		return nil, pgerr.New(pgerr.TooManyArguments, "cannot pass more than 100 arguments to a function").At(f.Location)
	}
	for _, n := range f.Args {
		name := ""
		if na := n.GetNamedArgExpr(); na != nil {
			n, name = na.Arg, na.Name
			if c.names == nil {
				c.names = make([]string, len(c.args), len(f.Args))
			}
		}
		x, err := s.expr(n)
		if err != nil {
			return nil, err
		}
		// pgjdbc sends OUT arguments as parameters of type void; they are no arguments of the function.
		if p, ok := x.(*expr.Param); ok && p.T == types.VoidT && name == "" {
			continue
		}
		c.args = append(c.args, x)
		if c.names != nil {
			c.names = append(c.names, name)
		}
	}
	if f.AggWithinGroup {
		for _, n := range f.AggOrder {
			x, err := s.expr(n.GetSortBy().Node)
			if err != nil {
				return nil, err
			}
			c.args = append(c.args, x)
		}
	}
	if f.AggFilter != nil {
		err := s.with(inFilter, func() error {
			x, err := s.boolean(f.AggFilter, "FILTER")
			c.filter = x
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

// projection finds the field that a call over one composite value names; without any only when no function has that name.
func (s *scope) projection(c *boundCall, any bool) expr.Expr {
	if len(c.args) != 1 || c.schema != "" || c.names != nil || c.f.AggStar || c.f.AggDistinct || c.f.FuncVariadic || c.f.Over != nil || c.filter != nil || len(c.f.AggOrder) > 0 {
		return nil
	}
	t := c.args[0].Type().BaseType()
	if t.Kind != 'c' && t != types.RecordT {
		return nil
	}
	for i, f := range s.b.shapeOf(c.args[0]) {
		if f.Name == c.name && (any || !s.functionExists(c.name)) {
			return &expr.Field{X: c.args[0], Index: i, Name: f.Name, T: f.Type, Mod: f.Typmod}
		}
	}
	return nil
}

// plain refuses the decorations of aggregates on an ordinary function.
func (c *boundCall) plain(name string, loc int32) error {
	f := c.f
	what := ""
	switch {
	case f.AggDistinct:
		what = "DISTINCT"
	case f.AggWithinGroup:
		what = "WITHIN GROUP"
	case len(f.AggOrder) > 0:
		what = "ORDER BY"
	case f.AggFilter != nil:
		what = "FILTER"
	case f.Over != nil:
		return pgerr.New(pgerr.WrongObjectType, "OVER specified, but %s is not a window function nor an aggregate function", name).At(loc)
	default:
		return nil
	}
	return pgerr.New(pgerr.WrongObjectType, "%s specified, but %s is not an aggregate function", what, name).At(loc)
}

func (s *scope) checkSet(loc int32) error {
	if s.info().noSRF {
		return s.info().srfError(loc)
	}
	if s.noSet != "" {
		return pgerr.New(pgerr.FeatureNotSupported, "set-returning functions are not allowed in %s", s.noSet).
			WithHint("You might be able to move the set-returning function into a LATERAL FROM item.").At(loc)
	}
	return nil
}

// aggregate binds an aggregate call, or one used as a window function.
func (s *scope) aggregate(c *boundCall, call *expr.Call) (expr.Expr, error) {
	f, loc := c.f, c.f.Location
	agg := &expr.Agg{
		Fn: call.Fn, Args: call.Args, Distinct: f.AggDistinct, Filter: c.filter, Star: f.AggStar, Variadic: call.Variadic, T: call.T, Mod: -1,
	}
	info, isOrdered := orderedSets()[call.Fn.Name]
	switch {
	case isOrdered && !f.AggWithinGroup && !(info.kind == 'h' && f.Over != nil):
		return nil, pgerr.New(pgerr.WrongObjectType, "WITHIN GROUP is required for ordered-set aggregate %s", c.name).At(loc)
	case isOrdered && f.Over != nil:
		return nil, pgerr.New(pgerr.FeatureNotSupported, "OVER is not supported for ordered-set aggregate %s", c.name).At(loc)
	case isOrdered && f.AggDistinct:
		return nil, pgerr.New(pgerr.FeatureNotSupported, "cannot use DISTINCT with WITHIN GROUP").At(loc)
	case !isOrdered && f.AggWithinGroup:
		return nil, pgerr.New(pgerr.WrongObjectType, "%s is not an ordered-set aggregate, so it cannot have WITHIN GROUP", c.name).At(loc)
	}
	if f.Over != nil {
		if f.AggDistinct {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "DISTINCT is not implemented for window functions").At(loc)
		}
		if len(f.AggOrder) > 0 {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "aggregate ORDER BY is not implemented for window functions").At(loc)
		}
		return s.windowCall(f, call.Fn, call.Args, call.T, c.filter, call.Variadic)
	}
	if info.kind == 'h' {
		if err := s.hypothetical(c, agg); err != nil {
			return nil, err
		}
	}
	if err := s.aggOrder(c, agg, isOrdered); err != nil {
		return nil, err
	}
	return s.placeAggregate(agg, c.name, loc)
}

// hypothetical gives each direct argument of a hypothetical-set aggregate and the column that it is compared with one type.
func (s *scope) hypothetical(c *boundCall, agg *expr.Agg) error {
	n := len(c.f.AggOrder)
	direct := len(agg.Args) - n
	if direct != n {
		return expr.NoFunction(expr.FuncCall{Schema: c.schema, Name: c.name, Args: c.args, Loc: c.f.Location}).
			WithHint("To use the hypothetical-set aggregate %s, the number of hypothetical direct arguments (here %d) must match the number of ordering columns (here %d).", c.name, direct, n)
	}
	agg.Args = slices.Clone(agg.Args)
	for i := range n {
		pair := []expr.Expr{agg.Args[direct+i], agg.Args[i]}
		t, err := s.b.r.CommonType(pair, "WITHIN GROUP", c.f.Location)
		if err != nil {
			return err
		}
		for j, at := range []int{direct + i, i} {
			if agg.Args[at], err = s.b.r.CoerceCommon(pair[j], t, "WITHIN GROUP"); err != nil {
				return err
			}
		}
	}
	return nil
}

// aggOrder binds ORDER BY inside an aggregate and WITHIN GROUP, and checks DISTINCT.
func (s *scope) aggOrder(c *boundCall, agg *expr.Agg, within bool) error {
	if within {
		agg.Direct = len(agg.Args) - len(c.f.AggOrder)
	}
	for i, n := range c.f.AggOrder {
		sb := n.GetSortBy()
		var x expr.Expr
		if within {
			x = agg.Args[agg.Direct+i]
		} else {
			var err error
			if x, err = s.windowExpr(sb.Node); err != nil {
				return err
			}
		}
		k, err := s.sortKey(sb, x, nodeLocation(sb.Node))
		if err != nil {
			return err
		}
		if within || agg.Distinct {
			if err := s.ordersByBytes("an ordered aggregate", x); err != nil {
				return err
			}
		}
		k.X = s.b.sortKeyOf(k.X, s.b.collationOf(k.X).name)
		agg.OrderBy = append(agg.OrderBy, k)
	}
	if !agg.Distinct {
		return nil
	}
	if len(agg.Args) == 0 {
		return pgerr.New(pgerr.InvalidColumnReference, "DISTINCT specified, but %s has no arguments", c.name).At(c.f.Location)
	}
	for i, a := range agg.Args {
		if _, err := s.b.r.Equality(a.Type()); err != nil {
			return pgerr.At(err, nodeLocation(c.f.Args[min(i, len(c.f.Args)-1)]))
		}
		if err := s.equalByBytes("DISTINCT", a); err != nil {
			return err
		}
	}
	for i, k := range agg.OrderBy {
		// The argument may have been coerced while the ordering was not, as that of string_agg(DISTINCT v, ',' ORDER BY v)
		// with a varchar.
		same := func(a expr.Expr) bool { return equalExpr(a, k.X) }
		if !slices.ContainsFunc(c.args, same) {
			return pgerr.New(pgerr.InvalidColumnReference, "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list").
				At(nodeLocation(c.f.AggOrder[i].GetSortBy().Node))
		}
		for j, a := range c.args {
			if j < len(agg.Args) && same(a) {
				agg.OrderBy[i].X = agg.Args[j]
			}
		}
	}
	return nil
}

// levelOf is the innermost query level whose columns the expressions use.
func (s *scope) levelOf(args []expr.Expr) *scope {
	var used colSet
	for _, x := range args {
		exprCols(x, &used)
	}
	var owner *scope
	for _, id := range used.ids() {
		if o := s.b.owner[id]; o != nil && s.inside(o) && (owner == nil || o.depth > owner.depth) {
			owner = o
		}
	}
	if owner == nil {
		return s
	}
	return owner
}

// placeAggregate finds the query level that an aggregate belongs to, the innermost one whose columns it uses, registers
// it there and stands a column in its place.
func (s *scope) placeAggregate(agg *expr.Agg, name string, loc int32) (expr.Expr, error) {
	if (name == "min" || name == "max") && agg.Fn.User == nil {
		return s.bestOf(name, agg.Args, func(args []expr.Expr) (expr.Expr, error) {
			agg.Args = args
			return s.aggregateColumn(agg, name, loc)
		})
	}
	return s.aggregateColumn(agg, name, loc)
}

func (s *scope) aggregateColumn(agg *expr.Agg, name string, loc int32) (expr.Expr, error) {
	for _, c := range agg.Children() {
		if call := setCall(c); call != nil {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "aggregate function calls cannot contain set-returning function calls").
				WithHint("You might be able to move the set-returning function into a LATERAL FROM item.").At(call.Loc)
		}
	}
	var used colSet
	for _, c := range agg.Children() {
		exprCols(c, &used)
	}
	owner := s.levelOf(agg.Children())
	if used.intersects(&owner.aggCols) {
		return nil, pgerr.New(pgerr.GroupingError, "aggregate function calls cannot be nested").At(s.locOf(agg.Children(), &owner.aggCols, loc))
	}
	if used.intersects(&owner.windowCols) {
		return nil, pgerr.New(pgerr.GroupingError, "aggregate function calls cannot contain window function calls").At(s.locOf(agg.Children(), &owner.windowCols, loc))
	}
	if owner.info().noAgg {
		return nil, owner.info().aggError(loc)
	}
	if owner.recurs {
		return nil, recursionError("aggregate functions are not allowed in a recursive query's recursive term").At(loc)
	}
	owner.hasAgg = true
	for _, a := range owner.aggs {
		if equalAgg(a.Agg, agg) {
			return s.b.refAt(a.Col, loc), nil
		}
	}
	col := s.b.newCol(Col{Name: name, Type: agg.T, Mod: -1, Collation: s.b.collationOf(agg).name, NotNull: name == "count" && agg.Fn.User == nil}, owner)
	owner.made.add(col.ID)
	owner.aggCols.add(col.ID)
	owner.aggs = append(owner.aggs, AggItem{Col: col, Agg: agg})
	return s.b.refAt(col, loc), nil
}

// refAt is a reference that remembers where it stands.
func (b *binder) refAt(c Col, loc int32) *expr.ColRef {
	r := ref(c)
	b.locs[r] = loc
	return r
}

// locOf finds where one of the columns is referred to.
func (s *scope) locOf(in []expr.Expr, cols *colSet, loc int32) int32 {
	for _, e := range in {
		expr.Walk(e, func(e expr.Expr) bool {
			if r, ok := e.(*expr.ColRef); ok && cols.has(r.ID) {
				if l, ok := s.b.locs[r]; ok {
					loc = l
				}
			}
			return true
		})
	}
	return loc
}

// inside reports whether s is o or inside of it.
func (s *scope) inside(o *scope) bool {
	for lv := s; lv != nil; lv = lv.parent {
		if lv == o {
			return true
		}
	}
	return false
}

// defaultArg binds the default of a user-defined function's argument.
func (b *binder) defaultArg(text string) (expr.Expr, error) {
	n, err := parseExpr(text)
	if err != nil {
		return nil, err
	}
	s := b.newScope(nil)
	s.kind = inDefault
	return s.expr(n)
}

// domainCheck binds a domain's CHECK over VALUE.
func (b *binder) domainCheck(base *types.T, text string) (expr.Expr, error) {
	n, err := parseExpr(text)
	if err != nil {
		return nil, err
	}
	s := b.newScope(nil)
	s.kind, s.domainValue = inCheck, base
	x, err := s.boolean(n, "CHECK")
	return x, withoutPosition(err)
}

// nodeLocation is where an expression starts in the statement's text, as far as it is known.
func nodeLocation(n *pg_query.Node) int32 {
	if n == nil {
		return -1
	}
	switch n := n.Node.(type) {
	case *pg_query.Node_ColumnRef:
		return n.ColumnRef.Location
	case *pg_query.Node_AConst:
		return n.AConst.Location
	case *pg_query.Node_ParamRef:
		return n.ParamRef.Location
	case *pg_query.Node_AExpr:
		return leftmost(nodeLocation(n.AExpr.Lexpr), n.AExpr.Location)
	case *pg_query.Node_BoolExpr:
		return leftmost(nodeLocation(n.BoolExpr.Args[0]), n.BoolExpr.Location)
	case *pg_query.Node_FuncCall:
		return n.FuncCall.Location
	case *pg_query.Node_TypeCast:
		loc := leftmost(nodeLocation(n.TypeCast.Arg), n.TypeCast.TypeName.GetLocation())
		return leftmost(loc, n.TypeCast.Location)
	case *pg_query.Node_SubLink:
		return leftmost(nodeLocation(n.SubLink.Testexpr), n.SubLink.Location)
	case *pg_query.Node_CaseExpr:
		return n.CaseExpr.Location
	case *pg_query.Node_NullTest:
		return leftmost(nodeLocation(n.NullTest.Arg), n.NullTest.Location)
	case *pg_query.Node_BooleanTest:
		return leftmost(nodeLocation(n.BooleanTest.Arg), n.BooleanTest.Location)
	case *pg_query.Node_AIndirection:
		return nodeLocation(n.AIndirection.Arg)
	case *pg_query.Node_AArrayExpr:
		return n.AArrayExpr.Location
	case *pg_query.Node_RowExpr:
		return n.RowExpr.Location
	case *pg_query.Node_CoalesceExpr:
		return n.CoalesceExpr.Location
	case *pg_query.Node_MinMaxExpr:
		return n.MinMaxExpr.Location
	case *pg_query.Node_CollateClause:
		return nodeLocation(n.CollateClause.Arg)
	case *pg_query.Node_SqlvalueFunction:
		return n.SqlvalueFunction.Location
	case *pg_query.Node_GroupingFunc:
		return n.GroupingFunc.Location
	case *pg_query.Node_NamedArgExpr:
		return n.NamedArgExpr.Location
	case *pg_query.Node_SetToDefault:
		return n.SetToDefault.Location
	case *pg_query.Node_ColumnDef:
		return n.ColumnDef.Location
	case *pg_query.Node_List:
		if len(n.List.Items) > 0 {
			return nodeLocation(n.List.Items[0])
		}
	}
	return -1
}

func leftmost(a, b int32) int32 {
	if a < 0 {
		return b
	}
	if b < 0 {
		return a
	}
	return min(a, b)
}
