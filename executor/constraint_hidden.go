package executor

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/catalog/indexkey"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// hiddenKeys prepares the indexes of a table whose keys are computed.
func hiddenKeys(rt *Runtime, rel *catalog.Relation) ([]*indexkey.Key, error) {
	var out []*indexkey.Key
	for _, ix := range rel.Indexes {
		if ix.Hidden == "" {
			continue
		}
		k, err := indexkey.New(rel, ix, func(rel *catalog.Relation, text string, want *types.T) (expr.Expr, expr.Layout, error) {
			return rt.bind(rel, text, want, -1)
		})
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// bind binds an expression of the catalogue over a relation's row, with the layout of that row.
func (rt *Runtime) bind(rel *catalog.Relation, text string, want *types.T, typmod int32) (expr.Expr, expr.Layout, error) {
	if rt.Bind == nil {
		return nil, nil, pgerr.Internal("the statement's runtime cannot bind expressions")
	}
	live := rel.Live()
	cols := make([]planner.Col, len(live))
	for i, c := range live {
		cols[i] = planner.Col{ID: expr.ColID(i + 1), Name: c.Name, Type: c.Type, Mod: c.Typmod, NotNull: c.NotNull, Table: rel.OID, Attnum: c.Attnum}
	}
	e, err := rt.Bind(rel, cols, text, want, typmod)
	return e, layoutOf(cols), err
}

// rowKeys are the computed keys of one row, by the table's hidden indexes; vals are nil for one that leaves the row out.
type rowKeys struct {
	hidden []document.HiddenKey
	vals   [][]types.Datum
}

// writtenKey is a key in a change that was not sent yet.
type writtenKey struct {
	key    *indexkey.Key
	stored bson.RawValue
	vals   []types.Datum
}

func (t *table) keysOf(row []types.Datum) (rowKeys, error) {
	var k rowKeys
	for _, h := range t.hidden {
		vals, ok, err := h.Of(t.rt.Env, row)
		if err != nil {
			return k, err
		}
		hidden := document.HiddenKey{Field: h.Index.Hidden, Late: h.Deferrable() && !h.Exclusion()}
		if ok {
			hidden.Value = h.Stored(vals)
		} else {
			vals = nil
		}
		k.hidden, k.vals = append(k.hidden, hidden), append(k.vals, vals)
	}
	return k, nil
}

// keysWritten notes the keys of a row that was written, for the checks that follow; was is empty for a new row.
func (t *table) keysWritten(id bson.RawValue, was, now rowKeys) {
	for i, h := range t.hidden {
		vals := now.vals[i]
		if vals == nil {
			continue
		}
		var old []types.Datum
		if was.vals != nil {
			old = was.vals[i]
		}
		switch {
		case h.Exclusion():
			if old == nil || !sameKey(keyTypesOf(h), old, vals) {
				t.exclusions(h).add(id, old, vals)
			}
		case h.Deferrable():
			if old == nil || !was.hidden[i].Value.Equal(now.hidden[i].Value) {
				t.lateKeys(h).add(id)
			}
		default:
			t.pendingKeys = append(t.pendingKeys, writtenKey{h, now.hidden[i].Value, vals})
		}
	}
}

func keyTypesOf(k *indexkey.Key) []keyType {
	out := make([]keyType, len(k.Types))
	for i, t := range k.Types {
		out[i] = keyTypeOf(t)
	}
	return out
}

// hiddenError words a duplicate of a computed key.
func (t *table) hiddenError(e *mongo.ServerError) error {
	for _, w := range t.pendingKeys {
		name := indexkey.MongoName(w.key.Index)
		if v, err := e.KeyValue.LookupErr(name); e.Index == name && err == nil && v.Equal(w.stored) {
			return w.key.Duplicate(t.rt.Env.IO, t.rel, w.vals)
		}
	}
	return nil
}

// lateKeys returns the check of a deferrable unique constraint.
func (t *table) lateKeys(k *indexkey.Key) *lateKeys {
	con := k.Constraint
	return t.rt.Txn.Pending(con.OID, t.rt.Txn.Deferred(con.OID, con.InitiallyDeferred), func() txn.Check {
		return &lateKeys{t: t, key: k, seen: map[string]bool{}}
	}).(*lateKeys)
}

// lateKeys writes the keys of a deferrable unique constraint into the rows whose keys have changed; see indexkey.
type lateKeys struct {
	t    *table
	key  *indexkey.Key
	ids  []bson.RawValue
	seen map[string]bool
}

func (c *lateKeys) add(id bson.RawValue) {
	name := string(id.Type) + string(id.Value)
	if !c.seen[name] {
		c.seen[name] = true
		c.ids = append(c.ids, id)
	}
}

// Merge implements txn.Check.
func (c *lateKeys) Merge(other txn.Check) {
	for _, id := range other.(*lateKeys).ids {
		c.add(id)
	}
}

// Run implements txn.Check. The rows are read as they are now: some may be gone or have changed again.
func (c *lateKeys) Run(ctx context.Context, s txn.Statement) error {
	t := c.t
	field := document.KeysField + "." + c.key.Index.Hidden
	var writes []mongo.Write
	var keys []writtenKey
	err := t.byID(ctx, s, c.ids, func(id bson.RawValue, doc bson.Raw, row []types.Datum) error {
		vals, ok, err := c.key.Of(t.rt.Env, row)
		if err != nil || !ok {
			return err
		}
		stored := c.key.Stored(vals)
		if was, err := doc.LookupErr(document.KeysField, c.key.Index.Hidden); err == nil && was.Equal(stored) {
			return nil
		}
		set, err := bson.Marshal(bson.D{{Key: "$set", Value: bson.D{{Key: field, Value: stored}}}})
		if err != nil {
			return pgerr.Internal("key update: %w", err)
		}
		writes = append(writes, mongo.Write{Kind: mongo.WriteUpdate, ID: id, Doc: set, Before: doc})
		keys = append(keys, writtenKey{c.key, stored, vals})
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.duplicate(ctx, s, keys); err != nil {
		return err
	}
	for len(writes) > 0 {
		n := min(len(writes), writeBatch)
		t.pendingKeys = keys
		if err := t.writeError(s.Write(ctx, t.db, t.rel.Collection, writes[:n])); err != nil {
			return err
		}
		writes = writes[n:]
	}
	t.pendingKeys = nil
	return nil
}

// duplicate finds two rows with one key among those that are about to be written, and, where an error of the server would
// cost a transaction with savepoints, among the others.
func (c *lateKeys) duplicate(ctx context.Context, s txn.Statement, keys []writtenKey) error {
	seen := make(map[string]bool, len(keys))
	for _, k := range keys {
		if seen[string(k.stored.Value)] {
			return c.key.Duplicate(c.t.rt.Env.IO, c.t.rel, k.vals)
		}
		seen[string(k.stored.Value)] = true
	}
	if !s.PreCheck() {
		return nil
	}
	return c.t.byKey(ctx, s, c.key, keys, func(stored bson.RawValue, _ bson.Raw, _ []types.Datum) error {
		for _, k := range keys {
			if k.stored.Equal(stored) {
				return c.key.Duplicate(c.t.rt.Env.IO, c.t.rel, k.vals)
			}
		}
		return nil
	})
}

// byID reads the rows that have one of the _ids.
func (t *table) byID(ctx context.Context, s txn.Statement, ids []bson.RawValue, f func(id bson.RawValue, doc bson.Raw, row []types.Datum) error) error {
	for len(ids) > 0 {
		n := min(len(ids), keysPerQuery)
		err := t.readRows(ctx, s, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids[:n]}}}}, func(doc bson.Raw, row []types.Datum) error {
			id, err := documentID(doc)
			if err != nil {
				return err
			}
			return f(id, doc, row)
		})
		if err != nil {
			return err
		}
		ids = ids[n:]
	}
	return nil
}

// byKey reads the rows that have one of the stored keys in an index.
func (t *table) byKey(ctx context.Context, s txn.Statement, k *indexkey.Key, keys []writtenKey, f func(stored bson.RawValue, doc bson.Raw, row []types.Datum) error) error {
	for len(keys) > 0 {
		n := min(len(keys), keysPerQuery)
		in := make(bson.A, n)
		for i, w := range keys[:n] {
			in[i] = w.stored
		}
		field := document.KeysField + "." + k.Index.Hidden
		err := t.readRows(ctx, s, bson.D{{Key: field, Value: bson.D{{Key: "$in", Value: in}}}}, func(doc bson.Raw, row []types.Datum) error {
			stored, err := doc.LookupErr(document.KeysField, k.Index.Hidden)
			if err != nil {
				return pgerr.Internal("a document without the key that it was found by")
			}
			return f(stored, doc, row)
		})
		if err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// readRows reads rows of the table as they are in the transaction, each in memory of its own.
func (t *table) readRows(ctx context.Context, s txn.Statement, filter bson.D, f func(doc bson.Raw, row []types.Datum) error) error {
	cur, err := s.Read(ctx, mongo.Query{Database: t.db, Collection: t.rel.Collection, Filter: filter})
	if err != nil {
		return err
	}
	dec := document.NewDecoder(t.rel, t.attnums())
	for {
		doc, err := nextDoc(ctx, cur)
		if err != nil || doc == nil {
			return firstError(err, cur.Close(ctx))
		}
		row := make([]types.Datum, len(t.cols))
		if err = dec.Decode(doc, row); err == nil {
			err = f(doc, row)
		}
		if err != nil {
			return firstError(err, cur.Close(ctx))
		}
	}
}
