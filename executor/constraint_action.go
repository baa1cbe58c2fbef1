package executor

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// keyAction is what a foreign key does to the rows that refer to a key that was deleted (now is nil) or changed: 'c'
// cascade, 'n' set null, 'd' set default.
type keyAction struct {
	action   byte
	key, now []types.Datum
}

// act carries out the actions, in the order of the changes that caused them. Rows that are changed may cause further
// checks and actions, which the statement runs afterwards.
func (c *foreignCheck) act(ctx context.Context) error {
	actions := c.actions
	c.actions = nil
	for len(actions) > 0 {
		// Neighbours of one kind are done together. A key that comes twice ends the group: the first change must be made
		// before the second one is looked at.
		n, keys := 0, newKeyList(keyTypes(c.fk.parentCols))
		for n < len(actions) && actions[n].action == actions[0].action && (actions[n].now == nil) == (actions[0].now == nil) && keys.has(actions[n].key) < 0 {
			if err := errors.Join(keys.add(actions[n].key), c.acted.add(actions[n].key)); err != nil {
				return err
			}
			n++
		}
		if err := c.actOn(ctx, actions[:n], keys); err != nil {
			return err
		}
		actions = actions[n:]
	}
	return nil
}

func (c *foreignCheck) actOn(ctx context.Context, actions []keyAction, keys *keyList) error {
	t, err := newTable(c.rt, c.fk.child)
	if err != nil {
		return err
	}
	childKeys, err := c.childKeys(tableKeys(keys.table))
	if err != nil {
		return err
	}
	remove := actions[0].action == 'c' && actions[0].now == nil
	var setter *actionSetter
	if !remove {
		if setter, err = c.newSetter(t, actions[0]); err != nil {
			return err
		}
	}
	dec := document.NewDecoder(t.rel, t.attnums())
	r := keyReader{s: c.rt.Txn, db: c.db, rel: t.rel, cols: c.fk.childCols, whole: true}
	type found struct {
		doc bson.Raw
		row []types.Datum
		at  int
	}
	// All are read before any is written: the actions of a table that refers to itself change what is read.
	var rows []found
	err = r.read(ctx, childKeys, func(doc bson.Raw, key []types.Datum) error {
		parent, err := c.parentKey(key)
		if err != nil {
			return err
		}
		at := keys.has(parent)
		if at < 0 {
			return nil
		}
		row := make([]types.Datum, len(t.cols))
		rows = append(rows, found{doc, row, at})
		return dec.Decode(doc, row)
	})
	if err != nil {
		return err
	}
	event := "UPDATE"
	if remove {
		event = "DELETE"
	}
	if err := t.triggers.beforeStatement(ctx, event, nil); err != nil {
		return err
	}
	for _, f := range rows {
		if actions[f.at].action == 'd' {
			// A default that is the key that went leaves the row as it was, and referring to nothing.
			if err := c.removed.add(actions[f.at].key); err != nil {
				return err
			}
		}
		if remove {
			_, err = t.deleteRow(ctx, f.doc, f.row)
		} else {
			err = setter.set(ctx, f.doc, f.row, actions[f.at])
		}
		if err != nil {
			return err
		}
	}
	t.triggers.afterStatement(event, nil)
	return t.flush(ctx)
}

// actionSetter changes the referring columns of rows.
type actionSetter struct {
	c        *foreignCheck
	t        *table
	pos      []int // positions of the columns that are set
	defaults []types.Datum
	check    *rowCheck
	changer  *rowChanger
	set16    []int16
}

func (c *foreignCheck) newSetter(t *table, a keyAction) (*actionSetter, error) {
	s := &actionSetter{c: c, t: t, pos: c.fk.childPos}
	if a.now == nil && len(c.fk.con.SetColumns) > 0 {
		_, s.pos = keyColumns(t.rel, c.fk.con.SetColumns)
	}
	if a.action == 'd' {
		for _, p := range s.pos {
			d, err := s.defaultOf(t.cols[p])
			if err != nil {
				return nil, err
			}
			s.defaults = append(s.defaults, d)
		}
	}
	var err error
	if s.check, err = t.boundCheck(); err != nil {
		return nil, err
	}
	set := make([]assign, len(s.pos))
	for i, p := range s.pos {
		set[i].pos = p
	}
	s.set16 = t.attnumsAt(set)
	s.changer = newRowChanger(t, set, s.check.generated)
	return s, nil
}

// defaultOf evaluates a column's default.
func (s *actionSetter) defaultOf(col *catalog.Column) (types.Datum, error) {
	if col.Default == "" {
		return types.Null, nil
	}
	v, err := s.t.rt.boundScalar(s.t, col.Default, col.Type, col.Typmod)
	if err != nil {
		return types.Null, err
	}
	return v.value(s.t.rt.Env, make([]types.Datum, len(s.t.cols)))
}

// boundScalar binds and compiles an expression of the catalogue over a table's row.
func (rt *Runtime) boundScalar(t *table, text string, want *types.T, typmod int32) (scalar, error) {
	e, l, err := rt.bind(t.rel, text, want, typmod)
	if err != nil {
		return scalar{}, err
	}
	eval, err := expr.Compile(e, l)
	return scalar{eval: eval, typ: e.Type()}, err
}

// boundCheck is the rowCheck of a table that the statement itself does not name, from the catalogue's texts.
func (t *table) boundCheck() (*rowCheck, error) {
	rc := &rowCheck{t: t}
	for i, col := range t.cols {
		if col.Generated != 's' {
			continue
		}
		v, err := t.rt.boundScalar(t, col.Default, col.Type, col.Typmod)
		if err != nil {
			return nil, err
		}
		rc.generated = append(rc.generated, assign{i, v})
	}
	cons := slices.Clone(t.rel.Constraints)
	slices.SortStableFunc(cons, func(a, b *catalog.Constraint) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	for _, con := range cons {
		if con.Type != catalog.ConCheck {
			continue
		}
		v, err := t.rt.boundScalar(t, con.Check, types.BoolT, -1)
		if err != nil {
			return nil, err
		}
		rc.checks = append(rc.checks, check{name: con.Name, cond: v})
	}
	return rc, nil
}

func (s *actionSetter) set(ctx context.Context, doc bson.Raw, old []types.Datum, a keyAction) error {
	row := slices.Clone(old)
	for i, p := range s.pos {
		switch a.action {
		case 'n':
			row[p] = types.Null
		case 'd':
			row[p] = s.defaults[i]
		case 'c':
			v, err := convertKey(s.t.rt.Env.IO, s.c.fk.parentCols[i].Type, s.c.fk.childCols[i].Type, a.now[i])
			if err != nil {
				return err
			}
			row[p] = v
		default:
			return pgerr.Internal("foreign key action %q", a.action)
		}
	}
	row, err := s.t.triggers.beforeRow(ctx, "UPDATE", old, row, s.set16)
	if row == nil || err != nil {
		return err
	}
	if err := s.check.apply(row, row); err != nil {
		return err
	}
	s.t.triggers.afterRow("UPDATE", old, row, s.set16)
	return s.changer.change(ctx, doc, old, row)
}
