package planner

import (
	"strconv"
	"sync"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// collationRow is a collation of PostgreSQL's; locale is "" for those that order by bytes.
type collationRow struct{ name, oid, locale string }

type collationTable struct {
	byName map[string]collationRow
	byOID  map[string]collationRow
}

// collations are PostgreSQL's collations: immutable embedded data.
var collations = sync.OnceValue(func() *collationTable {
	f := facts.Load("pg_collation")
	oid, name, provider, locale := f.Col("oid"), f.Col("collname"), f.Col("collprovider"), f.Col("colliculocale")
	out := &collationTable{map[string]collationRow{}, map[string]collationRow{}}
	for _, r := range f.Rows {
		c := collationRow{name: r[name], oid: r[oid]}
		if r[provider] == "i" {
			c.locale = r[locale]
		}
		out.byName[c.name], out.byOID[c.oid] = c, c
	}
	return out
})

// collationByOID is the name of a column's collation where it orders otherwise than by bytes, else "".
func collationByOID(oid uint32) string {
	if oid == 0 || oid == defaultCollation {
		return ""
	}
	if c := collations().byOID[strconv.FormatUint(uint64(oid), 10)]; c.locale != "" {
		return c.name
	}
	return ""
}

const defaultCollation = 100

// derived is the collation that an expression has by PostgreSQL's rules of derivation: an explicit one wins over those of
// columns, and those over the default.
type derived struct {
	name     string // "" orders by bytes
	explicit bool
	// label is the written name of an explicit collation, other that of another one that met it.
	label, other string
	// conflict says that columns of different collations met, so that none is known.
	conflict bool
}

func (b *binder) collationOf(e expr.Expr) derived {
	switch e := e.(type) {
	case *expr.Collate:
		return explicitCollation(e)
	case *expr.ColRef:
		return derived{name: b.cols[e.ID].Collation}
	case *expr.Const, *expr.Param:
		return derived{}
	case *expr.Subquery:
		if sp, ok := e.Plan.(*Subplan); ok {
			if cols := sp.Root.Cols(); len(cols) > 0 {
				return derived{name: cols[0].Collation}
			}
		}
		return derived{}
	}
	if t := e.Type(); t.Collation == 0 && t.BaseType().Collation == 0 {
		return derived{}
	}
	return b.commonCollation(e.Children()...)
}

func explicitCollation(e *expr.Collate) derived {
	if e.Locale == "" {
		return derived{explicit: true, label: e.Name}
	}
	return derived{name: e.Name, explicit: true, label: e.Name}
}

// commonCollation is the collation of a function of several arguments.
func (b *binder) commonCollation(args ...expr.Expr) derived {
	var out derived
	for _, a := range args {
		d := b.collationOf(a)
		switch {
		case out.explicit:
			if d.explicit && d.label != out.label && out.other == "" {
				out.other = d.label
			}
		case d.explicit:
			out = d
		case d.conflict || d.name != "" && out.name != "" && d.name != out.name:
			out = derived{conflict: true}
		case out.name == "" && !out.conflict:
			out = d
		}
	}
	return out
}

// operator is the resolver's Operator; texts under an ICU collation are compared by their sort keys.
func (s *scope) operator(schema, name string, l, r expr.Expr, loc int32) (expr.Expr, error) {
	x, err := s.b.r.Operator(schema, name, l, r, loc)
	if err == nil && l != nil && (collatable(l) || collatable(r)) {
		if d := s.b.commonCollation(l, r); d.other != "" {
			return nil, pgerr.New(pgerr.CollationMismatch, "collation mismatch between explicit collations \"%s\" and \"%s\"", d.label, d.other)
		}
	}
	if err != nil || name != "<" && name != "<=" && name != ">" && name != ">=" {
		return x, err
	}
	call, ok := x.(*expr.Call)
	if !ok || len(call.Args) != 2 || !collatable(call.Args[0]) || !collatable(call.Args[1]) {
		return x, nil
	}
	d := s.b.commonCollation(call.Args...)
	if d.conflict {
		return nil, pgerr.New(pgerr.IndeterminateCollation, "could not determine which collation to use for string comparison").
			WithHint("Use the COLLATE clause to set the collation explicitly.")
	}
	if d.name == "" {
		return x, nil
	}
	return s.b.r.Operator("", name, sortKeyOf(call.Args[0], d.name), sortKeyOf(call.Args[1], d.name), loc)
}

func collatable(e expr.Expr) bool {
	switch e.Type().BaseType() {
	case types.TextT, types.VarcharT, types.BpcharT:
		return true
	}
	return false
}

// sortKeyOf is what orders as x does under a collation: x itself where that is the order of bytes.
func sortKeyOf(x expr.Expr, collation string) expr.Expr {
	if collation == "" || !collatable(x) {
		return x
	}
	return &expr.Collate{X: x, Name: collation, Locale: collations().byName[collation].locale, Key: true}
}

// ordersByBytes refuses what compares texts by bytes only where an ICU collation says otherwise.
func (s *scope) ordersByBytes(what string, args ...expr.Expr) error {
	for _, a := range args {
		if d := s.b.collationOf(a); collatable(a) && d.name != "" {
			return pgerr.Unsupported(what + " under collation " + d.name)
		}
	}
	return nil
}
