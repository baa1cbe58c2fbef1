package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/pgmongo/pgmongo/types/pgerr"
)

// recursionPlace is where in a recursive query a reference to it stands.
type recursionPlace uint8

const (
	inRecursiveTerm recursionPlace = iota
	inNonRecursiveTerm
	inRecursionSubquery
	inRecursionOuterJoin
	inRecursionIntersect
	inRecursionExcept
)

// misplacedRecursion is the message for each place but the first, with the query's name.
var misplacedRecursion = [...]string{
	inNonRecursiveTerm:   "recursive reference to query \"%s\" must not appear within its non-recursive term",
	inRecursionSubquery:  "recursive reference to query \"%s\" must not appear within a subquery",
	inRecursionOuterJoin: "recursive reference to query \"%s\" must not appear within an outer join",
	inRecursionIntersect: "recursive reference to query \"%s\" must not appear within INTERSECT",
	inRecursionExcept:    "recursive reference to query \"%s\" must not appear within EXCEPT",
}

// checkRecursion checks the shape of the queries of WITH RECURSIVE before they are bound. A row of the working table must
// give its successors by itself: SELECT y.a FROM y LEFT JOIN x would give the rows of y for ever.
func checkRecursion(w *pg_query.WithClause) error {
	ctes := make([]*pg_query.CommonTableExpr, len(w.Ctes))
	for i, n := range w.Ctes {
		ctes[i] = n.GetCommonTableExpr()
	}
	if err := checkMutual(ctes); err != nil {
		return err
	}
	for _, c := range ctes {
		if !refersTo(c.Ctequery.ProtoReflect(), c.Ctename) {
			continue
		}
		sel := c.Ctequery.GetSelectStmt()
		if sel == nil {
			return recursionError("recursive query \"%s\" must not contain data-modifying statements", c.Ctename).At(c.Location)
		}
		if !isUnion(sel) {
			return recursionError("recursive query \"%s\" does not have the form non-recursive-term UNION [ALL] recursive-term", c.Ctename).At(c.Location)
		}
		r := &recursion{name: c.Ctename, place: inRecursionSubquery}
		if sel.WithClause != nil {
			if err := r.visit(sel.WithClause.ProtoReflect()); err != nil {
				return err
			}
		}
		r.place = inNonRecursiveTerm
		if err := r.visit(sel.Larg.ProtoReflect()); err != nil {
			return err
		}
		r.place = inRecursiveTerm
		if err := r.visit(sel.Rarg.ProtoReflect()); err != nil {
			return err
		}
	}
	return nil
}

// checkMutual refuses queries that need each other.
func checkMutual(ctes []*pg_query.CommonTableExpr) error {
	done := make([]bool, len(ctes))
	for range ctes {
		free := -1
		for i, c := range ctes {
			if done[i] || free >= 0 {
				continue
			}
			free = i
			for j, other := range ctes {
				if j != i && !done[j] && refersTo(c.Ctequery.ProtoReflect(), other.Ctename) {
					free = -1
					break
				}
			}
		}
		if free < 0 {
			for i, c := range ctes {
				if !done[i] {
					return pgerr.New(pgerr.FeatureNotSupported, "mutual recursion between WITH items is not implemented").At(c.Location)
				}
			}
		}
		done[free] = true
	}
	return nil
}

// recursion walks a recursive query for the references to itself.
type recursion struct {
	name  string
	place recursionPlace
	refs  int
}

func (r *recursion) visit(m protoreflect.Message) error {
	if !m.IsValid() {
		return nil
	}
	switch n := m.Interface().(type) {
	case *pg_query.RangeVar:
		return r.reference(n)
	case *pg_query.JoinExpr:
		return r.join(n)
	case *pg_query.SubLink:
		if err := r.visit(n.Testexpr.ProtoReflect()); err != nil {
			return err
		}
		return r.in(inRecursionSubquery, n.Subselect.ProtoReflect())
	case *pg_query.SelectStmt:
		if hidesName(n.WithClause, r.name) {
			return nil
		}
		if r.place == inRecursiveTerm && n.All && (n.Op == pg_query.SetOperation_SETOP_INTERSECT || n.Op == pg_query.SetOperation_SETOP_EXCEPT) ||
			r.place == inRecursiveTerm && n.Op == pg_query.SetOperation_SETOP_EXCEPT {
			return r.setOp(n)
		}
	}
	return r.children(m)
}

// setOp walks INTERSECT ALL and EXCEPT.
func (r *recursion) setOp(n *pg_query.SelectStmt) error {
	left, right := inRecursionIntersect, inRecursionIntersect
	if n.Op == pg_query.SetOperation_SETOP_EXCEPT {
		left, right = inRecursiveTerm, inRecursionExcept
		if n.All {
			left = inRecursionExcept
		}
	}
	if err := r.in(left, n.Larg.ProtoReflect()); err != nil {
		return err
	}
	return r.in(right, n.Rarg.ProtoReflect())
}

func (r *recursion) join(n *pg_query.JoinExpr) error {
	left, right := r.place, r.place
	switch n.Jointype {
	case pg_query.JoinType_JOIN_LEFT:
		right = inRecursionOuterJoin
	case pg_query.JoinType_JOIN_RIGHT:
		left = inRecursionOuterJoin
	case pg_query.JoinType_JOIN_FULL:
		left, right = inRecursionOuterJoin, inRecursionOuterJoin
	}
	if r.place != inRecursiveTerm {
		left, right = r.place, r.place
	}
	if err := r.in(left, n.Larg.ProtoReflect()); err != nil {
		return err
	}
	if err := r.in(right, n.Rarg.ProtoReflect()); err != nil {
		return err
	}
	return r.visit(n.Quals.ProtoReflect())
}

func (r *recursion) reference(v *pg_query.RangeVar) error {
	if v.Schemaname != "" || v.Relname != r.name {
		return nil
	}
	if r.place != inRecursiveTerm {
		return recursionError(misplacedRecursion[r.place], r.name).At(v.Location)
	}
	if r.refs++; r.refs > 1 {
		return recursionError("recursive reference to query \"%s\" must not appear more than once", r.name).At(v.Location)
	}
	return nil
}

// in walks a part with another place, unless the whole stands in a wrong one already.
func (r *recursion) in(place recursionPlace, m protoreflect.Message) error {
	was := r.place
	if was == inRecursiveTerm || was == inNonRecursiveTerm && place == inRecursionSubquery {
		r.place = place
	}
	err := r.visit(m)
	r.place = was
	return err
}

func (r *recursion) children(m protoreflect.Message) (err error) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil:
		case f.IsList():
			for l, i := v.List(), 0; i < l.Len() && err == nil; i++ {
				err = r.visit(l.Get(i).Message())
			}
		default:
			err = r.visit(v.Message())
		}
		return err == nil
	})
	return err
}

// hidesName says whether a WITH clause has a query of that name, which its level's references then mean.
func hidesName(w *pg_query.WithClause, name string) bool {
	for _, n := range w.GetCtes() {
		if n.GetCommonTableExpr().GetCtename() == name {
			return true
		}
	}
	return false
}

// refersTo reports whether a statement names a table, or rather a query of WITH, anywhere inside it.
func refersTo(m protoreflect.Message, name string) bool {
	r := &recursion{name: name, place: inNonRecursiveTerm}
	return r.visit(m) != nil
}
