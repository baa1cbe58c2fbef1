package executor

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// foreignKey is a foreign key seen from either of its tables.
type foreignKey struct {
	con           *catalog.Constraint
	child, parent *catalog.Relation
	childCols     []*catalog.Column
	parentCols    []*catalog.Column
	// childPos and parentPos are the columns' positions in the tables' rows.
	childPos, parentPos []int
}

func newForeignKey(con *catalog.Constraint, child, parent *catalog.Relation) *foreignKey {
	fk := &foreignKey{con: con, child: child, parent: parent}
	fk.childCols, fk.childPos = keyColumns(child, con.Columns)
	fk.parentCols, fk.parentPos = keyColumns(parent, con.RefColumns)
	return fk
}

func keyColumns(rel *catalog.Relation, attnums []int16) (cols []*catalog.Column, pos []int) {
	live := rel.Live()
	for _, a := range attnums {
		cols = append(cols, rel.ByAttnum(a))
		pos = append(pos, slices.IndexFunc(live, func(c *catalog.Column) bool { return c.Attnum == a }))
	}
	return cols, pos
}

// foreignKeys finds the foreign keys that the table has a part in, in the order of their creation, in which PostgreSQL
// fires their triggers. As triggers they may be disabled, and do not fire under session_replication_role = replica.
func (t *table) foreignKeys() error {
	if t.rt.Replica {
		return nil
	}
	snap := t.rt.Env.View.Snapshot
	for _, con := range t.rel.Constraints {
		if con.Type != catalog.ConForeign || con.ChildOff {
			continue
		}
		parent := snap.RelationByOID(con.RefRelation)
		if parent == nil {
			return pgerr.Internal("foreign key %s refers to a relation that does not exist", con.Name)
		}
		t.child = append(t.child, newForeignKey(con, t.rel, parent))
	}
	for _, ref := range snap.ReferencedBy(t.rel.OID) {
		if ref.Constraint.ParentOff || ref.Table.Kind == catalog.KindPartitioned {
			continue // a partitioned table's partitions have keys of their own
		}
		t.parent = append(t.parent, newForeignKey(ref.Constraint, ref.Table, t.rel))
	}
	order := func(a, b *foreignKey) int { return int(int64(a.con.OID) - int64(b.con.OID)) }
	slices.SortFunc(t.child, order)
	slices.SortFunc(t.parent, order)
	return nil
}

func pickKey(row []types.Datum, pos []int) []types.Datum {
	key := make([]types.Datum, len(pos))
	for i, p := range pos {
		key[i] = row[p]
	}
	return key
}

func sameKey(typs []keyType, a, b []types.Datum) bool {
	for i, t := range typs {
		if !t.same(a[i], b[i]) {
			return false
		}
	}
	return true
}

// keyChanged reports whether an update changes a key of the row: one that is unique or that a foreign key refers to.
func (t *table) keyChanged(old, row []types.Datum) bool {
	for _, u := range t.unique {
		if u.cols != nil && !sameKey(keyTypes(u.columns), pickKey(old, u.cols), pickKey(row, u.cols)) {
			return true
		}
	}
	for _, fk := range t.parent {
		if !sameKey(keyTypes(fk.parentCols), pickKey(old, fk.parentPos), pickKey(row, fk.parentPos)) {
			return true
		}
	}
	return false
}

// childWritten notes a new row's references.
func (t *table) childWritten(_ context.Context, row []types.Datum) error {
	for _, fk := range t.child {
		if err := fk.reference(t.rt, row); err != nil {
			return err
		}
	}
	return nil
}

// childChanged notes references that an update changes.
func (t *table) childChanged(_ context.Context, old, row []types.Datum) error {
	for _, fk := range t.child {
		if sameKey(keyTypes(fk.childCols), pickKey(old, fk.childPos), pickKey(row, fk.childPos)) {
			continue
		}
		if err := fk.reference(t.rt, row); err != nil {
			return err
		}
	}
	return nil
}

// reference notes that a row refers to a key, which must exist when the constraint is checked.
func (fk *foreignKey) reference(rt *Runtime, row []types.Datum) error {
	key := pickKey(row, fk.childPos)
	nulls := 0
	for i, d := range key {
		if d.IsNull() {
			nulls++
			continue
		}
		v, err := convertKey(rt.Env.IO, fk.childCols[i].Type, fk.parentCols[i].Type, d)
		if err != nil {
			return err
		}
		key[i] = v
	}
	switch {
	case nulls == len(key) || nulls > 0 && fk.con.Match != 'f':
		return nil
	case nulls > 0:
		return fk.missing("MATCH FULL does not allow mixing of null and nonnull key values.")
	}
	return fk.pending(rt, true).referenced.add(key)
}

func (fk *foreignKey) missing(detail string) error {
	return pgerr.New(pgerr.ForeignKeyViolation, "insert or update on table %q violates foreign key constraint %q", fk.child.Name, fk.con.Name).
		WithDetail("%s", detail).WithConstraint(fk.child.Schema, fk.child.Name, fk.con.Name)
}

// stillReferenced is the error for a key that is gone and referred to. The foreign key of a partition is that of the
// table which it was declared for.
func (fk *foreignKey) stillReferenced(env *expr.Env, key []types.Datum) error {
	child, con := fk.child, fk.con
	for con.Parent != 0 {
		up, upCon := declaredBy(env.View.Snapshot, child, con.Parent)
		if up == nil {
			break
		}
		child, con = up, upCon
	}
	return pgerr.New(pgerr.ForeignKeyViolation, "update or delete on table %q violates foreign key constraint %q on table %q",
		fk.parent.Name, con.Name, child.Name).
		WithDetail("Key %s is still referenced from table %q.", describeKey(env.IO, fk.parentCols, key), child.Name).
		WithConstraint(child.Schema, child.Name, con.Name)
}

// declaredBy finds the table among a relation's parents that has the constraint.
func declaredBy(snap *catalog.Snapshot, rel *catalog.Relation, constraint uint32) (*catalog.Relation, *catalog.Constraint) {
	for _, oid := range rel.Inherits {
		up := snap.RelationByOID(oid)
		for _, con := range up.Constraints {
			if con.OID == constraint {
				return up, con
			}
		}
	}
	return nil, nil
}

// parentDeleted notes what becomes of the rows that refer to a deleted one.
func (t *table) parentDeleted(old []types.Datum) error {
	for _, fk := range t.parent {
		if err := fk.removed(t.rt, pickKey(old, fk.parentPos), nil, fk.con.OnDelete); err != nil {
			return err
		}
	}
	return nil
}

// parentChanged notes what becomes of the rows that refer to a key that an update changes.
func (t *table) parentChanged(old, row []types.Datum) error {
	for _, fk := range t.parent {
		was, is := pickKey(old, fk.parentPos), pickKey(row, fk.parentPos)
		if sameKey(keyTypes(fk.parentCols), was, is) {
			continue
		}
		if err := fk.removed(t.rt, was, is, fk.con.OnUpdate); err != nil {
			return err
		}
	}
	return nil
}

// removed notes that a key is gone; now is what became of it, nil when its row was deleted.
func (fk *foreignKey) removed(rt *Runtime, key, now []types.Datum, action byte) error {
	if hasNull(key) {
		return nil
	}
	switch action {
	case 'a':
		return fk.pending(rt, true).removed.add(key)
	case 'r':
		return fk.pending(rt, false).restricted.add(key)
	}
	c := fk.pending(rt, false)
	c.actions = append(c.actions, keyAction{action: action, key: key, now: now})
	return nil
}

// pending returns the constraint's check: the one that may be deferred, or the one at the end of the statement.
func (fk *foreignKey) pending(rt *Runtime, deferrable bool) *foreignCheck {
	deferred := deferrable && fk.con.Deferrable && rt.Txn.Deferred(fk.con.OID, fk.con.InitiallyDeferred)
	return rt.Txn.Pending(fk.con.OID, deferred, func() txn.Check {
		typs := keyTypes(fk.parentCols)
		return &foreignCheck{
			fk: fk, rt: rt, db: rt.Env.View.Snapshot.Database,
			referenced: newKeyList(typs), removed: newKeyList(typs), restricted: newKeyList(typs), acted: newKeyList(typs),
		}
	}).(*foreignCheck)
}

// keyList is a set of keys in the order they came.
type keyList struct{ table *keyTable }

func newKeyList(typs []keyType) *keyList {
	return &keyList{newKeyTable(typs, &Budget{Limit: 1 << 30})}
}

func (l *keyList) add(key []types.Datum) error {
	h := hashKeys(l.table.typs, key)
	if l.table.find(key, h) >= 0 {
		return nil
	}
	_, err := l.table.insert(key, h)
	return err
}

func (l *keyList) has(key []types.Datum) int { return l.table.find(key, hashKeys(l.table.typs, key)) }

// foreignCheck is what a foreign key has to check or do after a statement or before commit. Keys are values of the
// referenced columns.
type foreignCheck struct {
	fk *foreignKey
	rt *Runtime
	db string
	// referenced keys must exist if rows refer to them; removed ones must not be referenced unless they exist again;
	// restricted ones must not be referenced at all.
	referenced, removed, restricted *keyList
	actions                         []keyAction
	// acted are the keys of actions that were carried out: nothing refers to them, also when the check is run again.
	acted *keyList
}

// Merge implements txn.Check.
func (c *foreignCheck) Merge(other txn.Check) {
	o := other.(*foreignCheck)
	for _, l := range [][2]*keyList{{c.referenced, o.referenced}, {c.removed, o.removed}, {c.restricted, o.restricted}, {c.acted, o.acted}} {
		for _, key := range tableKeys(l[1].table) {
			_ = l[0].add(key) // its budget is the other one's, which sufficed
		}
	}
	c.actions = append(c.actions, o.actions...)
}

// Run implements txn.Check.
func (c *foreignCheck) Run(ctx context.Context, s txn.Statement) error {
	if err := c.checkGone(ctx, s, c.acted); err != nil {
		return err
	}
	if len(c.actions) > 0 {
		if err := c.act(ctx); err != nil {
			return err
		}
	}
	if err := c.checkUnreferenced(ctx, s, tableKeys(c.restricted.table)); err != nil {
		return err
	}
	if err := c.checkGone(ctx, s, c.removed); err != nil {
		return err
	}
	return c.checkReferenced(ctx, s)
}

// checkGone fails if a row refers to a key that no row of the parent has.
func (c *foreignCheck) checkGone(ctx context.Context, s txn.Statement, keys *keyList) error {
	gone, err := c.absent(ctx, s, keys)
	if err != nil {
		return err
	}
	return c.checkUnreferenced(ctx, s, gone)
}

// absent returns the keys that no row of the parent has.
func (c *foreignCheck) absent(ctx context.Context, s txn.Statement, keys *keyList) ([][]types.Datum, error) {
	all := tableKeys(keys.table)
	if len(all) == 0 {
		return nil, nil
	}
	there := make([]bool, len(all))
	r := keyReader{s: s, db: c.db, rel: c.fk.parent, cols: c.fk.parentCols}
	if err := r.read(ctx, all, func(_ bson.Raw, key []types.Datum) error {
		if i := keys.has(key); i >= 0 {
			there[i] = true
		}
		return nil
	}); err != nil {
		return nil, err
	}
	var out [][]types.Datum
	for i, k := range all {
		if !there[i] {
			out = append(out, k)
		}
	}
	return out, nil
}

// checkUnreferenced fails if a row refers to one of the keys.
func (c *foreignCheck) checkUnreferenced(ctx context.Context, s txn.Statement, keys [][]types.Datum) error {
	found, err := c.firstChild(ctx, s, keys)
	if err != nil || found == nil {
		return err
	}
	return c.fk.stillReferenced(c.rt.Env, found)
}

// firstChild returns a key (of the parent's types) among keys that a row refers to, nil if none does.
func (c *foreignCheck) firstChild(ctx context.Context, s txn.Statement, keys [][]types.Datum) ([]types.Datum, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	childKeys, err := c.childKeys(keys)
	if err != nil {
		return nil, err
	}
	var found []types.Datum
	r := keyReader{s: s, db: c.db, rel: c.fk.child, cols: c.fk.childCols, limit: 1}
	err = r.read(ctx, childKeys, func(_ bson.Raw, key []types.Datum) error {
		found, err = c.parentKey(key)
		return err
	})
	return found, err
}

// childKeys converts keys of the parent to the types of the child's columns.
func (c *foreignCheck) childKeys(keys [][]types.Datum) ([][]types.Datum, error) {
	out := make([][]types.Datum, len(keys))
	for i, k := range keys {
		out[i] = make([]types.Datum, len(k))
		for j, d := range k {
			v, err := convertKey(c.rt.Env.IO, c.fk.parentCols[j].Type, c.fk.childCols[j].Type, d)
			if err != nil {
				return nil, err
			}
			out[i][j] = v
		}
	}
	return out, nil
}

// parentKey converts a key of the child to the types of the parent's columns, in memory of its own.
func (c *foreignCheck) parentKey(key []types.Datum) ([]types.Datum, error) {
	out := make([]types.Datum, len(key))
	for j, d := range key {
		v, err := convertKey(c.rt.Env.IO, c.fk.childCols[j].Type, c.fk.parentCols[j].Type, d)
		if err != nil {
			return nil, err
		}
		out[j] = v
	}
	return out, nil
}

// checkReferenced fails if a row refers to a key that does not exist. The parents' rows are locked against deletion until
// the transaction ends: without it a concurrent DELETE of the parent, which sees no child yet, would leave an orphan.
func (c *foreignCheck) checkReferenced(ctx context.Context, s txn.Statement) error {
	keys := tableKeys(c.referenced.table)
	if len(keys) == 0 {
		return nil
	}
	there := make([]bool, len(keys))
	var ids []bson.RawValue
	r := keyReader{s: s, db: c.db, rel: c.fk.parent, cols: c.fk.parentCols}
	if err := r.read(ctx, keys, func(doc bson.Raw, key []types.Datum) error {
		i := c.referenced.has(key)
		if i < 0 {
			return nil
		}
		there[i] = true
		id, err := documentID(doc)
		ids = append(ids, id)
		return err
	}); err != nil {
		return err
	}
	if _, err := s.Lock(ctx, c.db, c.fk.parent.Collection, ids, txn.LockKeyShare, txn.WaitBlock); err != nil {
		return err
	}
	s.Guard(c.db, c.fk.parent.Collection, ids, false)
	for i, k := range keys {
		if there[i] {
			continue
		}
		// The row that referred to the key may be gone by now, when the check was deferred.
		found, err := c.firstChild(ctx, s, [][]types.Datum{k})
		if err != nil {
			return err
		}
		if found != nil {
			child, err := c.childKeys([][]types.Datum{k})
			if err != nil {
				return err
			}
			return c.fk.missing("Key " + describeKey(c.rt.Env.IO, c.fk.childCols, child[0]) + " is not present in table \"" + c.fk.parent.Name + "\".")
		}
	}
	return nil
}
