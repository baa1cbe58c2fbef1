package executor

import (
	"context"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog/indexkey"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// exclusions returns the check of an exclusion constraint.
func (t *table) exclusions(k *indexkey.Key) *exclusionCheck {
	con := k.Constraint
	deferred := con.Deferrable && t.rt.Txn.Deferred(con.OID, con.InitiallyDeferred)
	return t.rt.Txn.Pending(con.OID, deferred, func() txn.Check {
		return &exclusionCheck{t: t, key: k, at: map[string]int{}}
	}).(*exclusionCheck)
}

// exclusionCheck compares the rows that were written with those that are there.
//
// Two transactions that write at one time do not see each other's rows: without more, both bookings of one room would be
// committed. So before it reads, the check locks the stored keys of the rows (the values under the operator =; one for the
// whole constraint if there are none) until the transaction ends, and has other proxies' transactions conflict over them:
// who comes second runs again and sees the rows of the first.
type exclusionCheck struct {
	t    *table
	key  *indexkey.Key
	rows []excludedRow
	at   map[string]int // by _id
	// merged says that the rows are those of several statements.
	merged bool
}

// excludedRow is a row that was written, in order; old is the key that it had before the statement, nil for none.
type excludedRow struct {
	id       bson.RawValue
	old, now []types.Datum
	stored   bson.RawValue
}

func (c *exclusionCheck) add(id bson.RawValue, old, now []types.Datum) {
	name := string(id.Type) + string(id.Value)
	r := excludedRow{id, old, now, c.key.Stored(now)}
	if i, ok := c.at[name]; ok {
		// Changed again, as far as the check is deferred.
		r.old = c.rows[i].old
		c.rows[i] = r
		return
	}
	c.at[name] = len(c.rows)
	c.rows = append(c.rows, r)
}

// Merge implements txn.Check.
func (c *exclusionCheck) Merge(other txn.Check) {
	for _, r := range other.(*exclusionCheck).rows {
		c.add(r.id, r.old, r.now)
	}
	c.merged = true
}

// Run implements txn.Check.
func (c *exclusionCheck) Run(ctx context.Context, s txn.Statement) error {
	var keys []writtenKey
	seen := map[string]bool{}
	for _, r := range c.rows {
		if name := string(r.stored.Value); !seen[name] {
			seen[name] = true
			keys = append(keys, writtenKey{c.key, r.stored, r.now})
		}
	}
	slices.SortFunc(keys, func(a, b writtenKey) int { return strings.Compare(string(a.stored.Value), string(b.stored.Value)) })
	if err := c.guard(ctx, s, keys); err != nil {
		return err
	}
	there := map[string][]excludedRow{}
	err := c.t.byKey(ctx, s, c.key, keys, func(stored bson.RawValue, doc bson.Raw, row []types.Datum) error {
		id, err := documentID(doc)
		if err != nil {
			return err
		}
		vals, ok, err := c.key.Of(c.t.rt.Env, row)
		if err == nil && ok {
			there[string(stored.Value)] = append(there[string(stored.Value)], excludedRow{id: id, now: vals, stored: stored})
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := range c.rows {
		if err := c.compare(i, there[string(c.rows[i].stored.Value)]); err != nil {
			return err
		}
	}
	return nil
}

// guard keeps transactions that write rows of one key apart.
func (c *exclusionCheck) guard(ctx context.Context, s txn.Statement, keys []writtenKey) error {
	ids := make([]bson.RawValue, len(keys))
	for i, k := range keys {
		ids[i] = k.stored
	}
	place := c.t.rel.Collection + "/" + c.key.Index.Hidden
	s.Guard(c.t.db, place, ids, true)
	_, err := s.Lock(ctx, c.t.db, place, ids, txn.LockUpdate, txn.WaitBlock)
	return err
}

// compare looks for what the i-th written row conflicts with. Rows that were written after it are compared when it is
// their turn, with one exception: a constraint that is not deferrable is checked row by row, and sees what later rows of the
// statement were before their turn came.
// The counter-example: UPDATE t SET span = span + 1 over [1,3) and [3,5), in that order, fails.
func (c *exclusionCheck) compare(i int, there []excludedRow) error {
	r := c.rows[i]
	present := slices.IndexFunc(there, func(o excludedRow) bool { return o.id.Equal(r.id) })
	if present < 0 {
		return nil // deleted since, or changed to another key
	}
	for _, o := range there {
		if o.id.Equal(r.id) {
			continue
		}
		j, written := c.at[string(o.id.Type)+string(o.id.Value)]
		if written && j > i {
			continue
		}
		if err := c.conflict(there[present].now, o.now); err != nil {
			return err
		}
	}
	if c.key.Deferrable() || c.merged {
		return nil
	}
	for _, o := range c.rows[i+1:] {
		if o.old != nil && c.key.Stored(o.old).Equal(r.stored) {
			if err := c.conflict(r.now, o.old); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *exclusionCheck) conflict(key, other []types.Datum) error {
	hit, err := c.key.Conflict(c.t.rt.Env, key, other)
	if err != nil || !hit {
		return err
	}
	io, rel := c.t.rt.Env.IO, c.t.rel
	return pgerr.New(pgerr.ExclusionViolation, "conflicting key value violates exclusion constraint %q", c.key.Index.Name).
		WithDetail("Key %s conflicts with existing key %s.", c.key.Describe(io, key), c.key.Describe(io, other)).
		WithConstraint(rel.Schema, rel.Name, c.key.Index.Name)
}
