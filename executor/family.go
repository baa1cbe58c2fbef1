package executor

import (
	"context"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// family is a table that is written together with its children, or a partitioned table with its partitions.
type family struct {
	root    *table
	rels    []*catalog.Relation
	members map[uint32]*member
	routes  map[uint32][]route
}

// member is a table of a family, whose rows have the parent's columns and may have others.
type member struct {
	*table
	family *family
	check  *rowCheck
	dec    *document.Decoder
	// place gives, for each column of the parent, its position in the member's rows.
	place []int
	// bounds are the conditions of the partition and of those around it.
	bounds  []scalar
	changer *rowChanger
}

// route is a partition with the condition that a row of its parent belongs to it.
type route struct {
	rel   *catalog.Relation
	check scalar
}

func newFamily(root *table, rels []*catalog.Relation) *family {
	return &family{root: root, rels: rels, members: map[uint32]*member{}, routes: map[uint32][]route{}}
}

// of returns the member with that OID.
func (f *family) of(oid uint32) (*member, error) {
	if m := f.members[oid]; m != nil {
		return m, nil
	}
	i := slices.IndexFunc(f.rels, func(r *catalog.Relation) bool { return r.OID == oid })
	if i < 0 {
		return nil, pgerr.Internal("a row of a table that the statement does not change")
	}
	t, err := newTable(f.root.rt, f.rels[i])
	if err != nil {
		return nil, err
	}
	m := &member{table: t, family: f, dec: document.NewDecoder(t.rel, t.attnums())}
	if m.check, err = t.boundCheck(); err != nil {
		return nil, err
	}
	for _, c := range f.root.cols {
		own := t.rel.Column(c.Name)
		if own == nil {
			return nil, pgerr.Internal("table %s has no column %s", t.rel.Name, c.Name)
		}
		m.place = append(m.place, t.pos[own.Attnum])
	}
	for _, r := range append([]*catalog.Relation{t.rel}, t.rt.Env.View.Snapshot.Ancestors(t.rel)...) {
		if r.Bound == nil {
			break
		}
		b, err := t.rt.boundScalar(t, r.Bound.Check, types.BoolT, -1)
		if err != nil {
			return nil, err
		}
		m.bounds = append(m.bounds, b)
	}
	if t.triggers != nil {
		t.triggers.fits = func(row []types.Datum) (bool, error) { return allTrueOrNull(t.rt.Env, m.bounds, row) }
	}
	f.members[oid] = m
	return m, nil
}

// own makes a row of the member of a row of the parent.
func (m *member) own(row []types.Datum) []types.Datum {
	out := make([]types.Datum, len(m.cols))
	for i, p := range m.place {
		out[p] = row[i]
	}
	return out
}

// shown puts a row of the member into dst as a row of the parent.
func (m *member) shown(row, dst []types.Datum) {
	for i, p := range m.place {
		dst[i] = row[p]
	}
}

func (f *family) flush(ctx context.Context) error {
	for _, r := range f.rels {
		if m := f.members[r.OID]; m != nil {
			if err := m.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// partitionOf finds the partition that a row of the root belongs to.
func (f *family) partitionOf(row []types.Datum) (*member, error) {
	snap := f.root.rt.Env.View.Snapshot
	rel := f.root.rel
	for rel.Kind == catalog.KindPartitioned {
		routes, err := f.routesOf(snap, rel)
		if err != nil {
			return nil, err
		}
		next := (*catalog.Relation)(nil)
		for i := range routes {
			v, err := routes[i].check.value(f.root.rt.Env, row)
			if err != nil {
				return nil, err
			}
			if v.IsNull() || v.Bool() {
				next = routes[i].rel
				break
			}
		}
		if next == nil {
			return nil, f.noPartition(rel, row)
		}
		rel = next
	}
	return f.of(rel.OID)
}

func (f *family) routesOf(snap *catalog.Snapshot, rel *catalog.Relation) ([]route, error) {
	if routes, ok := f.routes[rel.OID]; ok {
		return routes, nil
	}
	var routes []route
	for _, oid := range rel.Children {
		c := snap.RelationByOID(oid)
		s, err := f.root.rt.boundScalar(f.root, c.Bound.Check, types.BoolT, -1)
		if err != nil {
			return nil, err
		}
		routes = append(routes, route{c, s})
	}
	f.routes[rel.OID] = routes
	return routes, nil
}

func (f *family) noPartition(rel *catalog.Relation, row []types.Datum) error {
	t := f.root
	names, values := "", ""
	for i, k := range rel.Partition.Keys {
		name := k.Expr
		var value types.Datum
		var typ *types.T
		if k.Attnum > 0 {
			name = rel.ByAttnum(k.Attnum).Name
			p := slices.IndexFunc(t.cols, func(c *catalog.Column) bool { return c.Name == name })
			value, typ = row[p], t.cols[p].Type
		} else {
			s, err := t.rt.boundScalar(t, k.Expr, nil, -1)
			if err != nil {
				return err
			}
			if value, err = s.value(t.rt.Env, row); err != nil {
				return err
			}
			typ = s.typ
			if !strings.HasSuffix(name, ")") {
				name = "(" + name + ")" // not a plain function call
			}
		}
		if i > 0 {
			names, values = names+", ", values+", "
		}
		names += name
		if value.IsNull() {
			values += "null"
		} else {
			values += string(types.Output(t.rt.Env.IO, typ, nil, value))
		}
	}
	return pgerr.New(pgerr.CheckViolation, "no partition of relation %q found for row", rel.Name).
		WithDetail("Partition key of the failing row contains (%s) = (%s).", names, values).WithTable(rel.Schema, rel.Name)
}

// insert writes a new row of the partitioned root; row becomes what was written. done is false where a trigger of the
// partition does not want it.
func (f *family) insert(ctx context.Context, row []types.Datum) (done bool, err error) {
	m, own, err := f.complete(ctx, row)
	if own == nil || err != nil {
		return false, err
	}
	return true, f.put(ctx, m, own, row)
}

// complete finds the partition of a new row and completes and checks the row as one of it; nil where a trigger does not want
// it.
func (f *family) complete(ctx context.Context, row []types.Datum) (*member, []types.Datum, error) {
	m, err := f.partitionOf(row)
	if err != nil {
		return nil, nil, err
	}
	own, err := m.triggers.beforeRow(ctx, "INSERT", nil, m.own(row), nil)
	if own == nil || err != nil {
		return nil, nil, err
	}
	m.enc.GenerateID(own)
	if err := m.check.apply(own, own); err != nil {
		return nil, nil, err
	}
	return m, own, m.fits(own)
}

// put queues a complete row of a partition; row becomes the root's.
func (f *family) put(ctx context.Context, m *member, own, row []types.Datum) error {
	m.shown(own, row)
	if err := m.insertRow(ctx, own); err != nil {
		return err
	}
	m.triggers.afterRow("INSERT", nil, own, nil)
	f.root.triggers.keep("INSERT", nil, row)
	return nil
}

// fits refuses a row that does not belong to the partition.
func (m *member) fits(own []types.Datum) error {
	ok, err := allTrueOrNull(m.rt.Env, m.bounds, own)
	if err != nil || ok {
		return err
	}
	return pgerr.New(pgerr.CheckViolation, "new row for relation %q violates partition constraint", m.rel.Name).
		WithDetail("%s", m.failing(own)).WithTable(m.rel.Schema, m.rel.Name)
}

// update changes a row of a member: set are positions and values of the parent's row. It returns the new row as the
// parent's, nil where a trigger keeps the old one. A row that no longer belongs to its partition moves.
func (f *family) update(ctx context.Context, m *member, doc bson.Raw, set []assign, values []types.Datum) ([]types.Datum, error) {
	old := make([]types.Datum, len(m.cols))
	if err := m.dec.Decode(doc, old); err != nil {
		return nil, err
	}
	own := slices.Clone(old)
	for i, a := range set {
		own[m.place[a.pos]] = values[i]
	}
	attnums := make([]int16, len(set))
	for i, a := range set {
		attnums[i] = m.cols[m.place[a.pos]].Attnum
	}
	own, err := m.triggers.beforeRow(ctx, "UPDATE", old, own, attnums)
	if own == nil || err != nil {
		return nil, err
	}
	shown := make([]types.Datum, len(f.root.cols))
	stays, err := allTrueOrNull(m.rt.Env, m.bounds, own)
	if err != nil {
		return nil, err
	}
	if !stays && f.root.rel.Kind == catalog.KindPartitioned {
		m.shown(own, shown)
		if kept, err := m.triggers.beforeRow(ctx, "DELETE", old, nil, nil); kept == nil || err != nil {
			return nil, err
		}
		m.triggers.afterRow("DELETE", old, nil, nil)
		if err := m.leave(ctx, doc, old, own); err != nil {
			return nil, err
		}
		if done, err := f.insert(ctx, shown); err != nil || !done {
			return nil, err
		}
		return shown, nil
	}
	if err := m.check.apply(own, own); err != nil {
		return nil, err
	}
	if err := m.fits(own); err != nil {
		return nil, err
	}
	if m.changer == nil {
		moved := make([]assign, len(set))
		for i, a := range set {
			moved[i].pos = m.place[a.pos]
		}
		m.changer = newRowChanger(m.table, moved, m.check.generated)
	}
	m.shown(own, shown)
	if err := m.changer.change(ctx, doc, old, own); err != nil {
		return nil, err
	}
	m.triggers.afterRow("UPDATE", old, own, attnums)
	f.kept(m, "UPDATE", old, own)
	return shown, nil
}

// remove deletes a row of a member; done is false where a trigger keeps it.
func (f *family) remove(ctx context.Context, oid uint32, doc bson.Raw) (done bool, err error) {
	m, err := f.of(oid)
	if err != nil {
		return false, err
	}
	old := make([]types.Datum, len(m.cols))
	if err := m.dec.Decode(doc, old); err != nil {
		return false, err
	}
	if done, err = m.deleteRow(ctx, doc, old); done {
		f.kept(m, "DELETE", old, nil)
	}
	return done, err
}

// kept notes rows of a member, as rows of the parent, for the transition tables of the parent's triggers.
func (f *family) kept(m *member, op string, old, new []types.Datum) {
	if f.root.triggers == nil || !f.root.triggers.keeps {
		return
	}
	show := func(row []types.Datum) []types.Datum {
		if row == nil {
			return nil
		}
		out := make([]types.Datum, len(f.root.cols))
		m.shown(row, out)
		return out
	}
	f.root.triggers.keep(op, show(old), show(new))
}

// leave takes a row out of its partition; for foreign keys it is the change of a row, not its end.
func (m *member) leave(ctx context.Context, doc bson.Raw, old, row []types.Datum) error {
	id, err := documentID(doc)
	if err != nil {
		return err
	}
	if err := m.parentChanged(old, row); err != nil {
		return err
	}
	return m.add(ctx, mongo.Write{Kind: mongo.WriteDelete, ID: id, Before: doc})
}

func allTrueOrNull(env *expr.Env, conds []scalar, row []types.Datum) (bool, error) {
	for i := range conds {
		v, err := conds[i].value(env, row)
		if err != nil || !v.IsNull() && !v.Bool() {
			return false, err
		}
	}
	return true, nil
}
