package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
)

// renamedType puts a type's new name into every stored definition that casts to it: 'a'::public.mood must not go on
// asking for a type that has another name now.
func (r *run) renamedType(old, renamed *types.T) {
	fix := func(text string) string { return r.retype(text, old, renamed) }
	for rel := range r.before.EachRelation {
		now := r.snap().RelationByOID(rel.OID)
		if now == nil {
			continue
		}
		if n, changed := rewrittenTexts(now, fix); changed {
			r.ch.PutRelation(n)
		}
	}
	for _, t := range slices.Clone(r.snap().Types()) {
		if t.Kind != 'd' || t.OID == renamed.OID {
			continue
		}
		n, changed := *t, false
		n.Checks = slices.Clone(t.Checks)
		for i, c := range n.Checks {
			n.Checks[i].Expr = fix(c.Expr)
			changed = changed || n.Checks[i].Expr != c.Expr
		}
		n.Default = fix(t.Default)
		if changed || n.Default != t.Default {
			r.ch.PutType(&n, r.snap().TypeInfo(t.OID))
		}
	}
}

// rewrittenTexts applies f to every expression and query text of a relation; changed tells whether one became another.
func rewrittenTexts(rel *catalog.Relation, f func(string) string) (n *catalog.Relation, changed bool) {
	n = rel.Clone()
	set := func(to *string) bool {
		was := *to
		if was != "" {
			*to = f(was)
		}
		return *to != was
	}
	changed = set(&n.View)
	for i, c := range n.Columns {
		k := *c
		if set(&k.Default) {
			changed = true
			setColumn(n, int16(i+1), func(x *catalog.Column) { x.Default = k.Default })
		}
	}
	for _, c := range rel.Constraints {
		k := *c
		if set(&k.Check) {
			changed = true
			replaceConstraint(n, &k)
		}
	}
	for _, ix := range rel.Indexes {
		k := *ix
		k.Keys = slices.Clone(ix.Keys)
		touched := set(&k.Where)
		for i := range k.Keys {
			touched = set(&k.Keys[i].Expr) || touched
		}
		if touched {
			changed = true
			replaceIndex(n, &k)
		}
	}
	return n, changed
}

// retype replaces a type's name where a text casts to it, and leaves the rest of the text as it is.
func (r *run) retype(text string, old, renamed *types.T) string {
	if !strings.Contains(text, old.Name) {
		return text
	}
	prefix := ""
	tree, err := pg_query.Parse(text)
	if err != nil {
		prefix = "SELECT "
		if tree, err = pg_query.Parse(prefix + text); err != nil {
			return text
		}
	}
	var at []int
	sql.Walk(tree, func(n *pg_query.TypeName) bool {
		if r.meansType(names(n.Names), old) {
			at = append(at, int(n.Location)-len(prefix))
		}
		return false
	})
	slices.Sort(at)
	for _, start := range slices.Backward(slices.Compact(at)) {
		if start < 0 || start >= len(text) {
			continue
		}
		for _, was := range []string{quote(old.Schema) + "." + quote(old.Name), quote(old.Name)} {
			if rest, ok := strings.CutPrefix(text[start:], was); ok {
				text = text[:start] + quote(renamed.Schema) + "." + quote(renamed.Name) + rest
				break
			}
		}
	}
	return text
}

// meansType reports whether a type's name, as written in a definition, meant the type before it was renamed.
func (r *run) meansType(parts []string, t *types.T) bool {
	switch len(parts) {
	case 1:
		found := r.before.Type(r.c.Path, "", parts[0])
		return found != nil && found.OID == t.OID
	case 2:
		return parts[0] == t.Schema && parts[1] == t.Name
	}
	return false
}
