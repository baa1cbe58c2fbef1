package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// targetList binds a target or RETURNING list, stars expanded.
func (s *scope) targetList(list []*pg_query.Node, kind clause) ([]target, error) {
	out := make([]target, 0, len(list))
	err := s.with(kind, func() error {
		for _, n := range list {
			r := n.GetResTarget()
			expanded, ok, err := s.star(r.Val)
			if err != nil {
				return err
			}
			if ok {
				out = append(out, expanded...)
				continue
			}
			x, err := s.expr(r.Val)
			if err != nil {
				return err
			}
			name := r.Name
			if name == "" {
				name = figureName(r.Val)
			}
			out = append(out, target{name: name, x: x, loc: nodeLocation(r.Val)})
		}
		return nil
	})
	return out, err
}

// star expands *, t.* and (composite).*; ok is false for anything else.
func (s *scope) star(n *pg_query.Node) ([]target, bool, error) {
	if c := n.GetColumnRef(); c != nil && c.Fields[len(c.Fields)-1].GetAStar() != nil {
		if len(c.Fields) == 1 {
			t, err := s.allColumns(c.Location)
			return t, true, err
		}
		names := strs(c.Fields[:len(c.Fields)-1])
		it, err := s.qualified(names, c.Location)
		if err != nil {
			t, verr := s.variableStar(names, c.Location, err)
			return t, true, verr
		}
		return s.itemTargets(it, c.Location), true, nil
	}
	ind := n.GetAIndirection()
	if ind == nil || ind.Indirection[len(ind.Indirection)-1].GetAStar() == nil {
		return nil, false, nil
	}
	t, err := s.compositeStar(ind)
	return t, true, err
}

func (s *scope) itemTargets(it *nsItem, loc int32) []target {
	out := make([]target, 0, len(it.cols))
	for _, c := range it.cols {
		if !c.unexpanded {
			it.reads(c.name)
			s.b.markRead(c.x)
			out = append(out, target{name: c.name, x: c.x, loc: loc})
		}
	}
	return out
}

func (s *scope) allColumns(loc int32) ([]target, error) {
	var out []target
	any := false
	for _, it := range s.ns {
		if it.colsVisible && !it.lateralOnly {
			any = true
			out = append(out, s.itemTargets(it, loc)...)
		}
	}
	if !any {
		return nil, pgerr.New(pgerr.SyntaxError, "SELECT * with no tables specified is not valid").At(loc)
	}
	return out, nil
}

// compositeStar expands (x).*: a table's name in the parentheses gives its columns themselves.
func (s *scope) compositeStar(ind *pg_query.A_Indirection) ([]target, error) {
	loc := nodeLocation(ind.Arg)
	if c := ind.Arg.GetColumnRef(); c != nil && len(ind.Indirection) == 1 && len(c.Fields) == 1 {
		name := c.Fields[0].GetString_().GetSval()
		if x, err := s.column(name, c.Location); err == nil && x == nil {
			if it, err := s.table("", name, c.Location); err == nil && it != nil {
				return s.itemTargets(it, loc), nil
			}
		}
	}
	x, err := s.indirection(ind.Arg, ind.Indirection[:len(ind.Indirection)-1])
	if err != nil {
		return nil, err
	}
	fields := s.b.shapeOf(x)
	if fields == nil {
		t := x.Type().BaseType()
		if t == types.RecordT {
			return nil, pgerr.New(pgerr.SyntaxError, "record type has not been registered")
		}
		return nil, pgerr.New(pgerr.WrongObjectType, "type %s is not composite", types.FormatType(t, -1)).At(loc)
	}
	var out []target
	for i, f := range fields {
		out = append(out, target{name: f.Name, x: &expr.Field{X: x, Index: i, Name: f.Name, T: f.Type, Mod: f.Typmod}, loc: loc})
	}
	return out, nil
}

// figureName is the name that PostgreSQL gives an output column without AS.
func figureName(n *pg_query.Node) string {
	if name, _ := figure(n); name != "" {
		return name
	}
	return "?column?"
}

// figure returns a name and how good it is: 2 is a real name, 1 one made from the kind of expression.
func figure(n *pg_query.Node) (string, int) {
	if n == nil {
		return "", 0
	}
	switch n := n.Node.(type) {
	case *pg_query.Node_ColumnRef:
		return lastName(n.ColumnRef.Fields)
	case *pg_query.Node_AIndirection:
		if name, good := lastName(n.AIndirection.Indirection); good > 0 {
			return name, good
		}
		return figure(n.AIndirection.Arg)
	case *pg_query.Node_FuncCall:
		return lastName(n.FuncCall.Funcname)
	case *pg_query.Node_AExpr:
		if n.AExpr.Kind == pg_query.A_Expr_Kind_AEXPR_NULLIF {
			return "nullif", 2
		}
	case *pg_query.Node_TypeCast:
		if name, good := figure(n.TypeCast.Arg); good == 2 {
			return name, good
		}
		if names := n.TypeCast.TypeName.GetNames(); len(names) > 0 {
			return names[len(names)-1].GetString_().GetSval(), 1
		}
	case *pg_query.Node_CollateClause:
		return figure(n.CollateClause.Arg)
	case *pg_query.Node_GroupingFunc:
		return "grouping", 2
	case *pg_query.Node_SubLink:
		return figureSubLink(n.SubLink)
	case *pg_query.Node_CaseExpr:
		if name, good := figure(n.CaseExpr.Defresult); good == 2 {
			return name, good
		}
		return "case", 1
	case *pg_query.Node_AArrayExpr:
		return "array", 2
	case *pg_query.Node_RowExpr:
		return "row", 2
	case *pg_query.Node_CoalesceExpr:
		return "coalesce", 2
	case *pg_query.Node_MinMaxExpr:
		if n.MinMaxExpr.Op == pg_query.MinMaxOp_IS_LEAST {
			return "least", 2
		}
		return "greatest", 2
	case *pg_query.Node_SqlvalueFunction:
		return sqlValueName(n.SqlvalueFunction.Op), 2
	case *pg_query.Node_XmlExpr:
		return xmlName(n.XmlExpr.Op)
	case *pg_query.Node_XmlSerialize:
		return "xmlserialize", 2
	}
	return "", 0
}

// lastName is the last proper name of a list of names, subscripts and stars.
func lastName(nodes []*pg_query.Node) (string, int) {
	for i := len(nodes) - 1; i >= 0; i-- {
		if str := nodes[i].GetString_(); str != nil {
			return str.Sval, 2
		}
	}
	return "", 0
}

func figureSubLink(l *pg_query.SubLink) (string, int) {
	switch l.SubLinkType {
	case pg_query.SubLinkType_EXISTS_SUBLINK:
		return "exists", 2
	case pg_query.SubLinkType_ARRAY_SUBLINK:
		return "array", 2
	case pg_query.SubLinkType_EXPR_SUBLINK:
		sel := l.Subselect.GetSelectStmt()
		for sel != nil && sel.Larg != nil {
			sel = sel.Larg
		}
		if sel == nil {
			return "", 0
		}
		if len(sel.ValuesLists) > 0 {
			return "column1", 2
		}
		if len(sel.TargetList) > 0 {
			t := sel.TargetList[0].GetResTarget()
			if t.Name != "" {
				return t.Name, 2
			}
			return figure(t.Val)
		}
	}
	return "", 0
}

func sqlValueName(op pg_query.SQLValueFunctionOp) string {
	switch op {
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_DATE:
		return "current_date"
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME, pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:
		return "current_time"
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP, pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N:
		return "current_timestamp"
	case pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME, pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME_N:
		return "localtime"
	case pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP, pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
		return "localtimestamp"
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_ROLE:
		return "current_role"
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_USER:
		return "current_user"
	case pg_query.SQLValueFunctionOp_SVFOP_USER:
		return "user"
	case pg_query.SQLValueFunctionOp_SVFOP_SESSION_USER:
		return "session_user"
	case pg_query.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:
		return "current_catalog"
	}
	return "current_schema"
}

func xmlName(op pg_query.XmlExprOp) (string, int) {
	switch op {
	case pg_query.XmlExprOp_IS_XMLCONCAT:
		return "xmlconcat", 2
	case pg_query.XmlExprOp_IS_XMLELEMENT:
		return "xmlelement", 2
	case pg_query.XmlExprOp_IS_XMLFOREST:
		return "xmlforest", 2
	case pg_query.XmlExprOp_IS_XMLPARSE:
		return "xmlparse", 2
	case pg_query.XmlExprOp_IS_XMLPI:
		return "xmlpi", 2
	case pg_query.XmlExprOp_IS_XMLROOT:
		return "xmlroot", 2
	}
	return "", 0
}
