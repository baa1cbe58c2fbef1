package ddl

import (
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
)

// Condition is one condition of a partial index that MongoDB can hold: a comparison of a field with a constant.
type Condition struct {
	Column *catalog.Column
	// Op is "=", "<", "<=", ">", ">=", "null" (IS NULL) or "notnull".
	Op string
	// Value is compared with, of the column's type.
	Value types.Datum
}

// PartialFilter translates the predicate of a unique partial index into conditions that all must hold. ok is false for what
// MongoDB's partial indexes cannot express (NOT, OR, <>, functions): an index over more rows than the predicate says
// would refuse rows that PostgreSQL accepts.
func PartialFilter(rel *catalog.Relation, idx *catalog.Index) (out []Condition, ok bool) {
	n, err := sql.ParseExpr(idx.Where)
	if err != nil {
		return nil, false
	}
	return out, conjuncts(rel, n, &out)
}

func conjuncts(rel *catalog.Relation, n *pg_query.Node, out *[]Condition) bool {
	add := func(c Condition) bool {
		*out = append(*out, c)
		return true
	}
	switch x := n.GetNode().(type) {
	case *pg_query.Node_BoolExpr:
		switch x.BoolExpr.Boolop {
		case pg_query.BoolExprType_AND_EXPR:
			for _, a := range x.BoolExpr.Args {
				if !conjuncts(rel, a, out) {
					return false
				}
			}
			return true
		case pg_query.BoolExprType_NOT_EXPR:
			if c := refColumn(rel, x.BoolExpr.Args[0]); c != nil && c.Type == types.BoolT {
				return add(Condition{c, "=", types.False})
			}
		}
	case *pg_query.Node_NullTest:
		c := refColumn(rel, x.NullTest.Arg)
		if c == nil {
			return false
		}
		if x.NullTest.Nulltesttype == pg_query.NullTestType_IS_NULL {
			return add(Condition{c, "null", types.Null})
		}
		return add(Condition{c, "notnull", types.Null})
	case *pg_query.Node_ColumnRef:
		if c := refColumn(rel, n); c != nil && c.Type == types.BoolT {
			return add(Condition{c, "=", types.True})
		}
	case *pg_query.Node_BooleanTest:
		c := refColumn(rel, x.BooleanTest.Arg)
		switch {
		case c != nil && x.BooleanTest.Booltesttype == pg_query.BoolTestType_IS_TRUE:
			return add(Condition{c, "=", types.True})
		case c != nil && x.BooleanTest.Booltesttype == pg_query.BoolTestType_IS_FALSE:
			return add(Condition{c, "=", types.False})
		}
	case *pg_query.Node_AExpr:
		return comparison(rel, x.AExpr, out)
	}
	return false
}

func comparison(rel *catalog.Relation, e *pg_query.A_Expr, out *[]Condition) bool {
	if e.Kind != pg_query.A_Expr_Kind_AEXPR_OP || len(e.Name) != 1 {
		return false
	}
	op := e.Name[0].GetString_().GetSval()
	if !strings.Contains(" = < <= > >= ", " "+op+" ") {
		return false
	}
	col := refColumn(rel, e.Lexpr)
	text, ok := constantText(e.Rexpr)
	if col == nil || !ok || col.Micros || !uniqueAble(col.Type) {
		return false
	}
	d, err := types.Input(types.DefaultIO(), col.Type, col.Typmod, text)
	if err != nil {
		return false
	}
	*out = append(*out, Condition{col, op, d})
	return true
}

// refColumn finds the column that an expression is, through casts that change nothing (varchar to text).
func refColumn(rel *catalog.Relation, n *pg_query.Node) *catalog.Column {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_ColumnRef:
		return rel.Column(x.ColumnRef.Fields[len(x.ColumnRef.Fields)-1].GetString_().GetSval())
	case *pg_query.Node_TypeCast:
		c := refColumn(rel, x.TypeCast.Arg)
		t := names(x.TypeCast.TypeName.Names)
		if c != nil && t[len(t)-1] == "text" && (c.Type == types.VarcharT || c.Type == types.TextT) {
			return c
		}
	}
	return nil
}

func constantText(n *pg_query.Node) (string, bool) {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_TypeCast:
		return constantText(x.TypeCast.Arg)
	case *pg_query.Node_AConst:
		c := x.AConst
		switch {
		case c.Isnull:
			return "", false
		case c.GetSval() != nil:
			return c.GetSval().Sval, true
		case c.GetFval() != nil:
			return c.GetFval().Fval, true
		case c.GetBoolval() != nil:
			return strconv.FormatBool(c.GetBoolval().Boolval), true
		case c.GetBsval() != nil:
			return "", false
		}
		return strconv.Itoa(int(c.GetIval().GetIval())), true
	}
	return "", false
}
