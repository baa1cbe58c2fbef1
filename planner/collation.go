package planner

import (
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// collationKey names a collation that orders otherwise than by bytes in Col.Collation: by its own name, or qualified if it
// is not built in; "" for the others.
func collationKey(s *catalog.Snapshot, c *catalog.Collation) string {
	switch {
	case c == nil || c.Provider != 'i':
		return ""
	case c.BuiltIn():
		return c.Name
	}
	sc := s.SchemaByOID(c.SchemaID)
	return sc.Name + "." + c.Name
}

// collationByOID is the key of a column's collation.
func (b *binder) collationByOID(oid uint32) string {
	if oid == 0 || oid == catalog.DefaultCollation {
		return ""
	}
	return collationKey(b.c.Snapshot, b.c.Snapshot.CollationByOID(oid))
}

// collation finds the collation of a key that is not "".
func (b *binder) collation(key string) *catalog.Collation {
	if c := b.c.Snapshot.Collation(nil, "pg_catalog", key); c != nil {
		return c
	}
	for _, c := range b.c.Snapshot.Collations() {
		if collationKey(b.c.Snapshot, c) == key {
			return c
		}
	}
	return nil
}

// loose reports whether a collation finds texts equal that differ in their bytes.
func (b *binder) loose(key string) bool { return key != "" && !b.collation(key).Deterministic }

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
		switch {
		case e.Key:
			return derived{}
		case e.Text:
			return derived{name: e.Name}
		}
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
	name := e.Name
	if e.Schema != "" {
		name = e.Schema + "." + e.Name
	}
	return derived{name: name, explicit: true, label: e.Name}
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
	if err != nil || !comparesText[name] {
		return x, err
	}
	call, ok := x.(*expr.Call)
	if !ok || len(call.Args) != 2 || !collatable(call.Args[0]) || !collatable(call.Args[1]) {
		return x, nil
	}
	d := s.b.commonCollation(call.Args...)
	equality := name == "=" || name == "<>"
	switch {
	case d.conflict && equality && !s.b.anyLoose(call.Args...):
		return x, nil // whatever it is, equal are the same bytes
	case d.conflict:
		return nil, pgerr.New(pgerr.IndeterminateCollation, "could not determine which collation to use for string comparison").
			WithHint("Use the COLLATE clause to set the collation explicitly.")
	case d.name == "" || equality && !s.b.loose(d.name):
		return x, nil
	case strings.Contains(name, "~"):
		if !s.b.loose(d.name) {
			return x, nil
		}
		what := "regular expressions"
		if strings.Contains(name, "~~") {
			what = "LIKE"
			if strings.Contains(name, "*") {
				what = "ILIKE"
			}
		}
		return nil, pgerr.New(pgerr.FeatureNotSupported, "nondeterministic collations are not supported for %s", what)
	}
	return s.b.r.Operator("", name, s.b.sortKeyOf(call.Args[0], d.name), s.b.sortKeyOf(call.Args[1], d.name), loc)
}

// comparesText are the operators for which texts have a collation.
var comparesText = map[string]bool{
	"<": true, "<=": true, ">": true, ">=": true, "=": true, "<>": true,
	"~": true, "!~": true, "~*": true, "!~*": true, "~~": true, "!~~": true, "~~*": true, "!~~*": true,
}

// anyLoose reports whether one of the texts that are compared has a collation with an equality of its own.
func (b *binder) anyLoose(args ...expr.Expr) bool {
	return slices.ContainsFunc(args, func(a expr.Expr) bool {
		d := b.collationOf(a)
		return collatable(a) && (b.loose(d.name) || d.conflict && b.anyLoose(a.Children()...))
	})
}

// equalByBytes refuses what finds equal texts by their bytes only where a collation says otherwise.
func (s *scope) equalByBytes(what string, args ...expr.Expr) error {
	for _, a := range args {
		if s.b.anyLoose(a) {
			return pgerr.Unsupported(what + " under the nondeterministic collation " + s.b.collationOf(a).name)
		}
	}
	return nil
}

func collatable(e expr.Expr) bool {
	switch e.Type().BaseType() {
	case types.TextT, types.VarcharT, types.BpcharT:
		return true
	}
	return false
}

// sortKeyOf is what orders as x does under a collation: x itself where that is the order of bytes.
func (b *binder) sortKeyOf(x expr.Expr, collation string) expr.Expr {
	if collation == "" || !collatable(x) {
		return x
	}
	c := b.collation(collation)
	return &expr.Collate{X: x, Name: collation, Locale: c.Locale, Key: true, Loose: !c.Deterministic}
}

// bestOf computes the least or greatest of texts by their sort keys, which contain them.
func (s *scope) bestOf(what string, args []expr.Expr, compute func([]expr.Expr) (expr.Expr, error)) (expr.Expr, error) {
	d := s.b.commonCollation(args...)
	if !slices.ContainsFunc(args, collatable) || d.name == "" && !d.conflict {
		return compute(args)
	}
	if d.conflict {
		return nil, pgerr.New(pgerr.IndeterminateCollation, "could not determine which collation to use for string comparison").
			WithHint("Use the COLLATE clause to set the collation explicitly.")
	}
	if err := s.equalByBytes(what, args...); err != nil {
		return nil, err
	}
	keys := make([]expr.Expr, len(args))
	for i, a := range args {
		keys[i] = &expr.Collate{X: a, Name: d.name, Locale: s.b.collation(d.name).Locale, Key: true, Text: true}
	}
	x, err := compute(keys)
	if err != nil {
		return nil, err
	}
	return &expr.Collate{X: x, Name: d.name, Text: true}, nil
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
