package planner

import (
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// access is what a statement does with one relation that its role may not be allowed to do: reading these columns, giving
// values to those. Attnum 0 is the whole row.
type access struct {
	rel  *catalog.Relation
	role uint32
	want catalog.Privileges
	read []int16
	set  [2]struct {
		privilege catalog.Privileges
		columns   []int16
	}
}

// accessing notes that the statement does something with a relation. It returns nil, and nothing is noted, for superusers
// and for the table that is filled: CREATE TABLE AS needs no INSERT, which default privileges may have taken away.
func (b *binder) accessing(rel *catalog.Relation, want catalog.Privileges) *access {
	if b.c.Snapshot.Superuser(b.role) || b.noAccess || rel.OID == b.c.Fills && want == catalog.Insert {
		return nil
	}
	a := &access{rel: rel, role: b.role, want: want}
	b.accesses = append(b.accesses, a)
	return a
}

// reading makes references to a column count as reading a relation's column.
func (b *binder) reading(a *access, c Col, attnum int16) {
	if a == nil {
		return
	}
	if b.sources == nil {
		b.sources = map[expr.ColID]source{}
	}
	b.sources[c.ID] = source{a, attnum}
}

// source is a relation's column that a ColID stands for.
type source struct {
	a      *access
	attnum int16
}

// markRead notes the columns that an expression reads.
func (b *binder) markRead(x expr.Expr) {
	if len(b.sources) == 0 || x == nil || b.noAccess {
		return
	}
	expr.Walk(x, func(e expr.Expr) bool {
		if r, ok := e.(*expr.ColRef); ok {
			if src, ok := b.sources[r.ID]; ok && !slices.Contains(src.a.read, src.attnum) {
				src.a.read = append(src.a.read, src.attnum)
			}
		}
		return true
	})
}

// sets notes that a privilege is needed for giving a column a value.
func (a *access) sets(p catalog.Privileges, attnum int16) {
	if a == nil {
		return
	}
	a.want |= p
	s := &a.set[0]
	if p == catalog.Update {
		s = &a.set[1]
	}
	s.privilege, s.columns = p, append(s.columns, attnum)
}

// denied checks what the statement does, in its order; the error is that of the first thing that its role may not do.
func (b *binder) denied() error {
	s := b.c.Snapshot
	for _, a := range b.accesses {
		if !a.allowed(s) {
			return Denied(a.rel.Kind.Name(), a.rel.Name)
		}
	}
	if s.Superuser(b.user) {
		return nil
	}
	for _, f := range b.r.Routines {
		if s.Rights(f.ACL, catalog.OnFunction, f.Owner, b.user, catalog.Execute, false) == 0 {
			what := "function"
			if f.Kind == 'p' {
				what = "procedure"
			}
			return Denied(what, f.Name)
		}
	}
	return nil
}

// Denied is the error of a role that lacks a privilege on an object.
func Denied(kind, name string) error {
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for %s %s", kind, name)
}

// allowed reports whether a role has the privileges on the whole relation, or on every column that they are needed for. Where
// no column is named, as by count(*), a privilege on any one will do.
func (a *access) allowed(s *catalog.Snapshot) bool {
	want := a.want
	if len(a.read) > 0 {
		want |= catalog.Select
	}
	missing := want &^ s.RelationRights(a.rel, a.role, want, false)
	if missing&^(catalog.Select|catalog.Insert|catalog.Update) != 0 {
		return false
	}
	if missing&catalog.Select != 0 && !a.onColumns(s, catalog.Select, a.read) {
		return false
	}
	for _, p := range []catalog.Privileges{catalog.Insert, catalog.Update} {
		if missing&p == 0 {
			continue
		}
		var columns []int16
		for _, set := range a.set {
			if set.privilege == p {
				columns = set.columns
			}
		}
		if !a.onColumns(s, p, columns) {
			return false
		}
	}
	return true
}

func (a *access) onColumns(s *catalog.Snapshot, p catalog.Privileges, columns []int16) bool {
	has := func(c *catalog.Column) bool { return s.ColumnRights(a.rel, c, a.role, p, false) != 0 }
	if len(columns) == 0 {
		return slices.ContainsFunc(a.rel.Live(), has)
	}
	for _, n := range columns {
		if n == 0 {
			if slices.ContainsFunc(a.rel.Live(), func(c *catalog.Column) bool { return !has(c) }) {
				return false
			}
			continue
		}
		if c := a.rel.ByAttnum(n); c == nil || !has(c) {
			return false
		}
	}
	return true
}

// inView binds what a view's text does with its owner's rights, unless the view was made with security_invoker.
func (b *binder) inView(view *catalog.Relation) (leave func()) {
	role := b.role
	if !slices.Contains(view.Options, "security_invoker=true") && !slices.Contains(view.Options, "security_invoker=on") &&
		!slices.Contains(view.Options, "security_invoker=1") {
		b.role = view.OwnerOID()
	}
	return func() { b.role = role }
}

// unchecked binds what the catalogue demands (defaults, constraints), for which no privilege on the columns is needed.
func (b *binder) unchecked() (leave func()) {
	was := b.noAccess
	b.noAccess = true
	return func() { b.noAccess = was }
}

// reads notes that a column of a view that is written through is read, by its name, "" for the whole row: its expression
// tells only of the table's columns.
func (it *nsItem) reads(name string) {
	if it.access == nil || it.rel == nil || it.rel.Kind != catalog.KindView || it.sub {
		return
	}
	n := int16(0)
	if c := it.rel.Column(name); c != nil {
		n = c.Attnum
	}
	it.access.read = append(it.access.read, n)
}

// level is a relation that a statement writes to, or a view that it writes through.
type level struct {
	rel *catalog.Relation
	a   *access
}

// writing notes that the statement writes to a relation and, through a view with the rights of its owner, to what is below.
func (b *binder) writing(rel *catalog.Relation, p catalog.Privileges) []level {
	role := b.role
	defer func() { b.role = role }()
	var out []level
	for rel != nil {
		out = append(out, level{rel, b.accessing(rel, p)})
		if rel.Kind != catalog.KindView || rel.Base == nil || len(out) > maxViewDepth {
			break
		}
		b.inView(rel)
		rel = b.c.Snapshot.RelationByOID(rel.Base.Relation)
	}
	return out
}

// sets notes that a column of the target is given a value.
func (t *writeTarget) sets(p catalog.Privileges, column string) {
	c := t.levels[0].rel.Column(column)
	if c == nil {
		return
	}
	n := c.Attnum
	for _, l := range t.levels {
		l.a.sets(p, n)
		if l.rel.Kind != catalog.KindView || int(n) > len(l.rel.Base.Columns) {
			return
		}
		if n = l.rel.Base.Columns[n-1]; n <= 0 {
			return
		}
	}
}

// reads notes that a column is read, by its attnum.
func (a *access) reads(attnum int16) {
	if a != nil && !slices.Contains(a.read, attnum) {
		a.read = append(a.read, attnum)
	}
}

// mayUse checks that the role may look into a schema that the statement names. Views name schemas, too, and need no right to.
func (b *binder) mayUse(schema string) error {
	s := b.c.Snapshot
	if s.Superuser(b.user) || b.viewDepth > 0 || b.noAccess {
		return nil
	}
	if sc := s.SchemaByName(schema); sc != nil && s.SchemaRights(sc, b.user, catalog.Usage, false) == 0 {
		return Denied("schema", schema)
	}
	return nil
}
