package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// DirectWrite says that an UPDATE or DELETE chooses its row by _id and computes nothing from it, so that MongoDB can do it
// in one operation.
type DirectWrite struct {
	// ID is what _id equals.
	ID expr.Expr
	// Set are assignments of values that do not depend on the row, Add those of the form n = n + value or n = n - value.
	Set []Assign
	Add []Increment
	// Checks are the constraints to check, over the columns in Set.
	Checks []Check
}

// Increment adds Value to a column of integers, or subtracts it.
type Increment struct {
	Attnum int16
	Value  expr.Expr
	Minus  bool
}

// writeDirectly notes which UPDATE and DELETE can be one operation of MongoDB. RETURNING, generated columns and checks that
// look at other columns need the row; a volatile value must not be computed for a row that is not there:
// UPDATE t SET n = nextval('s') WHERE id = 0.
func writeDirectly(c *Context, n Node) Node {
	switch n := n.(type) {
	case *Update:
		if n.Rel.Kind == catalog.KindView || n.Direct != nil || n.Members != nil || len(n.Returning) > 0 || len(n.Generated) > 0 || n.Rel.Native {
			return nil
		}
		p, id := oneByID(n.Source)
		if id == nil {
			return nil
		}
		d := directSet(p.Scan, n.Set)
		if d == nil {
			return nil
		}
		var known bool
		if d.Checks, known = directChecks(n, d); !known {
			return nil
		}
		d.ID = id
		out := *n
		out.Direct = d
		return &out
	case *Delete:
		if n.Rel.Kind == catalog.KindView || n.Direct != nil || n.Members != nil || len(n.Returning) > 0 || n.Rel.Collated {
			return nil
		}
		_, id := oneByID(n.Source)
		if id == nil {
			return nil
		}
		out := *n
		out.Direct = &DirectWrite{ID: id}
		return &out
	}
	return nil
}

// oneByID returns the leaf below a change and the value that its filter compares _id with, nil if there is none or the
// filter is not all that chooses the row.
func oneByID(n Node) (*Pushed, expr.Expr) {
	p, ok := n.(*Pushed)
	if !ok || len(p.Recheck) > 0 || p.Limit != nil || p.Offset != nil || p.Group != nil || len(p.Sort) > 0 {
		return nil, nil
	}
	m := p.Scan.Matcher()
	for _, f := range p.Filter {
		col, value := m.Equality(f)
		if col != nil && len(col.Path) == 1 && col.Path[0] == "_id" && col.Form == catalog.FormNatural && !col.MayArray && !col.Micros {
			return p, value
		}
	}
	return nil, nil
}

// directSet sorts assignments into those that MongoDB can make without the row's values being known here, nil if some
// cannot.
func directSet(s *Scan, set []Assign) *DirectWrite {
	m := s.Matcher()
	d := &DirectWrite{}
	for _, a := range set {
		col := s.Rel.ByAttnum(a.Attnum)
		if col == nil || len(col.Path) != 1 || col.Path[0] == "_id" || col.Form != catalog.FormNatural || isVolatile(a.Value) {
			return nil
		}
		if inc, ok := increment(m, col, a); ok {
			d.Add = append(d.Add, inc)
			continue
		}
		if !independent(m, a.Value) {
			return nil
		}
		d.Set = append(d.Set, a)
	}
	return d
}

// increment takes n = n + value and n = n - value apart, for integers whose result has the column's own type.
func increment(m *expr.Matcher, col *catalog.Column, a Assign) (Increment, bool) {
	c, ok := a.Value.(*expr.Call)
	if !ok || len(c.Args) != 2 || c.Op != "+" && c.Op != "-" || c.T != col.Type || !col.Missing.IsNull() ||
		c.T != types.Int2T && c.T != types.Int4T && c.T != types.Int8T {
		return Increment{}, false
	}
	left, right := c.Args[0], c.Args[1]
	ref, ok := left.(*expr.ColRef)
	if !ok && c.Op == "+" {
		left, right = right, left
		ref, ok = left.(*expr.ColRef)
	}
	switch right.Type() {
	case types.Int2T, types.Int4T, types.Int8T:
	default:
		return Increment{}, false
	}
	if !ok || m.Column(ref.ID) != col || !independent(m, right) {
		return Increment{}, false
	}
	return Increment{Attnum: a.Attnum, Value: right, Minus: c.Op == "-"}, true
}

// directChecks picks the constraints of an UPDATE that a change may violate: the others hold as they did before. ok is false
// when one looks at a column whose new value is not known, or is a view's.
func directChecks(n *Update, d *DirectWrite) (checks []Check, ok bool) {
	assigned, known := map[expr.ColID]bool{}, map[expr.ColID]bool{}
	for _, c := range n.NewCols {
		known[c.ID] = slices.ContainsFunc(d.Set, func(a Assign) bool { return a.Attnum == c.Attnum })
		assigned[c.ID] = known[c.ID] || slices.ContainsFunc(d.Add, func(a Increment) bool { return a.Attnum == c.Attnum })
	}
	for _, c := range n.Checks {
		touched, all := !c.Holds || isVolatile(c.Cond), true
		expr.Walk(c.Cond, func(e expr.Expr) bool {
			switch e := e.(type) {
			case *expr.ColRef:
				touched, all = touched || assigned[e.ID], all && known[e.ID]
			case *expr.Subquery:
				all = false
			}
			return true
		})
		if !touched {
			continue
		}
		if !all || c.Kind != CheckConstraint {
			return nil, false
		}
		checks = append(checks, c)
	}
	return checks, true
}
