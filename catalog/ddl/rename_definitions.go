package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// renamedSequence puts a sequence's new name into the defaults that draw from it.
func (r *run) renamedSequence(old, renamed *catalog.Relation) {
	for rel := range r.before.EachRelation {
		if rel = r.snap().RelationByOID(rel.OID); rel == nil {
			continue
		}
		var n *catalog.Relation
		for i, c := range rel.Columns {
			if c.Dropped || c.OwnedSequence != renamed.OID && !strings.Contains(c.Default, old.Name) || !strings.HasPrefix(c.Default, "nextval(") {
				continue
			}
			for _, was := range []string{quote(old.Name), quote(old.Schema) + "." + quote(old.Name)} {
				if c.Default == "nextval("+literal(was)+"::regclass)" {
					if n == nil {
						n = rel.Clone()
					}
					setColumn(n, int16(i+1), func(c *catalog.Column) { c.Default = r.nextvalText(renamed) })
				}
			}
		}
		if n != nil {
			r.ch.PutRelation(n)
		}
	}
}

// onlyName reports whether the relation's name qualifies nothing but its columns in a query, and the new name means nothing
// there: not so in SELECT foo.a FROM foo, (SELECT 1 AS a) AS bar when foo becomes bar.
func onlyName(query *pg_query.Node, rel *catalog.Relation, name string) bool {
	only := true
	sql.Walk(query, func(rv *pg_query.RangeVar) bool {
		if rv.Alias == nil && rv.Relname == name || rv.Alias == nil && rv.Relname == rel.Name && rv.Schemaname != rel.Schema {
			only = false
		}
		return true
	})
	sql.Walk(query, func(a *pg_query.Alias) bool {
		only = only && a.Aliasname != name && a.Aliasname != rel.Name
		return true
	})
	sql.Walk(query, func(c *pg_query.CommonTableExpr) bool {
		only = only && c.Ctename != name && c.Ctename != rel.Name
		return true
	})
	sql.Walk(query, func(ref *pg_query.ColumnRef) bool {
		first := ref.Fields[0].GetString_().GetSval()
		only = only && first != name && (first != rel.Name || len(ref.Fields) == 2)
		return true
	})
	sql.Walk(query, func(l *pg_query.LockingClause) bool {
		only = only && len(l.LockedRels) == 0
		return true
	})
	return only
}

func renameQualifier(query *pg_query.Node, from, to string) {
	sql.Walk(query, func(ref *pg_query.ColumnRef) bool {
		if s := ref.Fields[0].GetString_(); s.GetSval() == from {
			s.Sval = to
		}
		return true
	})
}

// renamedInViews puts a relation's new name into the definitions of the views over it.
func (r *run) renamedInViews(old, renamed *catalog.Relation) error {
	for _, oid := range slices.Clone(r.snap().ViewsOf(renamed.OID)) {
		view := r.snap().RelationByOID(oid)
		stmts, err := sql.Parse(view.View)
		if err != nil {
			return err
		}
		plain := onlyName(stmts[0].Node, old, renamed.Name)
		if plain {
			renameQualifier(stmts[0].Node, old.Name, renamed.Name)
		}
		sql.Walk(stmts[0].Node, func(rv *pg_query.RangeVar) bool {
			if rv.Schemaname != old.Schema || rv.Relname != old.Name {
				return false
			}
			if rv.Alias == nil && old.Name != renamed.Name && !plain {
				rv.Alias = &pg_query.Alias{Aliasname: old.Name}
			}
			rv.Schemaname, rv.Relname = renamed.Schema, renamed.Name
			return false
		})
		text, err := deparseStmt(stmts[0].Node)
		if err != nil {
			return err
		}
		n := view.Clone()
		n.View = text
		r.ch.PutRelation(n)
	}
	return nil
}

// renamedColumn renames a column in an expression's text. The text stays as it is apart from the name: references are
// found by their positions.
func renamedColumn(text, from, to string) string {
	n, err := sql.ParseExpr(text)
	if err != nil {
		return text
	}
	const prefix = len("SELECT ")
	var at []int
	sql.Walk(n, func(m *pg_query.Node) bool {
		if ref := m.GetColumnRef(); ref != nil && len(ref.Fields) == 1 && ref.Fields[0].GetString_().GetSval() == from {
			at = append(at, int(ref.Location)-prefix)
		}
		return true
	})
	slices.Sort(at)
	for i := len(at) - 1; i >= 0; i-- {
		end := at[i]
		if end < 0 || end >= len(text) {
			continue
		}
		if text[end] == '"' {
			for end++; end < len(text) && (text[end] != '"' || end+1 < len(text) && text[end+1] == '"'); end++ {
				if text[end] == '"' {
					end++
				}
			}
			end++
		} else {
			for end < len(text) && (text[end] == '_' || text[end] == '$' || text[end] >= '0' && text[end] <= '9' || text[end]|0x20 >= 'a' && text[end]|0x20 <= 'z' || text[end] >= 0x80) {
				end++
			}
		}
		text = text[:at[i]] + quote(to) + text[min(end, len(text)):]
	}
	return text
}

// renamedInDefinitions puts a relation with a renamed column into the catalogue, and the column's new name into the
// definitions of the views that use it. An output column of a query inside a view keeps its name.
func (r *run) renamedInDefinitions(old, renamed *catalog.Relation, col *catalog.Column) error {
	type definition struct {
		view *catalog.Relation
		tree *pg_query.Node
	}
	var changed []definition
	name := renamed.ByAttnum(col.Attnum).Name
	for _, oid := range slices.Clone(r.snap().ViewsOf(old.OID)) {
		view := r.snap().RelationByOID(oid)
		if !viewUses(view, old.OID, col.Attnum) {
			continue
		}
		stmts, err := sql.Parse(view.View)
		if err != nil {
			return err
		}
		v, err := r.c.Exprs.View(r.ctx, r.snap(), stmts[0].Node.GetSelectStmt())
		if err != nil {
			return unplaced(err)
		}
		at := map[int32]bool{}
		for _, u := range v.References {
			if u.Relation != old.OID || u.Attnum != col.Attnum {
				continue
			}
			if u.Loc < 0 {
				return pgerr.Unsupported("renaming a column that view " + quote(view.Name) + " joins by")
			}
			at[u.Loc] = true
		}
		sql.Walk(stmts[0].Node, func(n *pg_query.Node) bool {
			if t := n.GetResTarget(); t != nil && t.Name == "" && at[t.Val.GetColumnRef().GetLocation()] && t.Val.GetColumnRef() != nil {
				t.Name = col.Name
			}
			if ref := n.GetColumnRef(); ref != nil && at[ref.Location] {
				ref.Fields[len(ref.Fields)-1] = stringNode(name)
			}
			return true
		})
		changed = append(changed, definition{view, stmts[0].Node})
	}
	r.ch.PutRelation(renamed)
	for _, d := range changed {
		n := d.view.Clone()
		var err error
		if n.View, err = deparseStmt(d.tree); err != nil {
			return err
		}
		r.ch.PutRelation(n)
	}
	return nil
}
