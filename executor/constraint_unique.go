package executor

import (
	"context"
	"errors"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// uniqueIndex is a unique index over columns.
type uniqueIndex struct {
	index *catalog.Index
	// cols are positions in the table's rows; nil when a key is an expression.
	cols []int
	// columns are the keys' columns.
	columns []*catalog.Column
}

// uniqueIndexes lists the indexes over fields that enforce uniqueness.
func uniqueIndexes(rel *catalog.Relation) []*uniqueIndex {
	var out []*uniqueIndex
	pos := map[int16]int{}
	for i, c := range rel.Live() {
		pos[c.Attnum] = i
	}
	for _, ix := range rel.Indexes {
		if !ix.UniqueFields() || ix.Invalid {
			continue
		}
		u := &uniqueIndex{index: ix}
		for _, k := range ix.Keys {
			if k.Attnum <= 0 {
				u.cols, u.columns = nil, nil // a collection of others
				break
			}
			u.cols = append(u.cols, pos[k.Attnum])
			u.columns = append(u.columns, rel.ByAttnum(k.Attnum))
		}
		out = append(out, u)
	}
	return out
}

// key returns the key of a row; ok is false when the row cannot collide, because the key has a NULL.
func (u *uniqueIndex) key(row []types.Datum) (key []types.Datum, ok bool) {
	key = make([]types.Datum, len(u.cols))
	for i, p := range u.cols {
		key[i] = row[p]
	}
	return key, u.index.NullsNotDistinct || !hasNull(key)
}

func keyTypes(cols []*catalog.Column) []keyType {
	out := make([]keyType, len(cols))
	for i, c := range cols {
		out[i] = keyTypeOf(c.Type)
	}
	return out
}

// uniqueProbe is a queued insert whose keys are looked for before it is sent.
type uniqueProbe struct{ row []types.Datum }

// preCheck looks for the keys of queued inserts among the rows that exist: the server's own answer would end the MongoDB
// transaction. It is only a shortcut, so what it cannot tell is left to the server: keys in the same batch, changes whose
// own earlier parts make room (UPDATE t SET k = k - 1), predicates and expressions.
func (t *table) preCheck(ctx context.Context, probes []uniqueProbe) error {
	for _, u := range t.unique {
		if u.cols == nil || u.index.Where != "" {
			continue
		}
		keys := newKeyTable(keyTypes(u.columns), t.rt.Budget)
		for _, p := range probes {
			if key, ok := u.key(p.row); ok {
				h := hashKeys(keys.typs, key)
				if keys.find(key, h) < 0 {
					if _, err := keys.insert(key, h); err != nil {
						return err
					}
				}
			}
		}
		var hit []types.Datum
		err := t.readKeys(ctx, u.columns, keys, 1, func(_ bson.Raw, key []types.Datum) error {
			hit = append(hit[:0], key...)
			return nil
		})
		keys.release()
		if err != nil {
			return err
		}
		if hit != nil {
			return t.duplicate(u, hit)
		}
	}
	return nil
}

// duplicate is the 23505 error of a key.
func (t *table) duplicate(u *uniqueIndex, key []types.Datum) error {
	return pgerr.New(pgerr.UniqueViolation, "duplicate key value violates unique constraint %q", u.index.Name).
		WithDetail("Key %s already exists.", describeUnique(t.rt.Env.IO, u.columns, key)).
		WithConstraint(t.rel.Schema, t.rel.Name, u.index.Name)
}

// describeKey prints "(a, b)=(1, x)", with the columns' names as foreign keys show them.
func describeKey(io *types.IO, cols []*catalog.Column, key []types.Datum) string {
	return describe(io, cols, key, func(name string) string { return name })
}

// describeUnique prints a key with its names quoted where they have to be, as an index shows them.
func describeUnique(io *types.IO, cols []*catalog.Column, key []types.Datum) string {
	return describe(io, cols, key, types.QuoteIdent)
}

func describe(io *types.IO, cols []*catalog.Column, key []types.Datum, name func(string) string) string {
	out := []byte{'('}
	for i, c := range cols {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(out, name(c.Name)...)
	}
	out = append(out, ")=("...)
	for i, c := range cols {
		if i > 0 {
			out = append(out, ", "...)
		}
		if key[i].IsNull() {
			out = append(out, "null"...)
		} else {
			out = types.Output(io, c.Type, out, key[i])
		}
	}
	return string(append(out, ')'))
}

// writeError words the server's refusal of a change as PostgreSQL would.
func (t *table) writeError(err error) error {
	e := mongo.AsServerError(err)
	if e == nil || !pgerr.Is(err, pgerr.UniqueViolation) {
		return err
	}
	if err := t.hiddenError(e); err != nil {
		return err
	}
	for _, u := range t.unique {
		if u.index.MongoName != e.Index {
			continue
		}
		key := make([]types.Datum, len(u.columns))
		for i, c := range u.columns {
			v, lerr := e.KeyValue.LookupErr(pathOf(c))
			if lerr != nil {
				continue
			}
			if c.Form == catalog.FormObjectID && v.Type == bson.TypeObjectID {
				key[i] = types.Str(v.ObjectID().Hex())
			} else if d, derr := types.FromBSON(c.Type, v); derr == nil {
				key[i] = d
				if rest, uerr := e.KeyValue.LookupErr(document.MicrosField + "." + document.MicrosKey(c)); c.Micros && uerr == nil && rest.Type == bson.TypeInt32 {
					key[i] = types.Int(d.Int() + int64(rest.Int32()))
				}
			}
		}
		pe := pgerr.New(pgerr.UniqueViolation, "duplicate key value violates unique constraint %q: %w", u.index.Name, e)
		pe.Message = "duplicate key value violates unique constraint \"" + u.index.Name + "\""
		pe = pe.WithConstraint(t.rel.Schema, t.rel.Name, u.index.Name)
		if len(u.columns) == 0 {
			return pe
		}
		return pe.WithDetail("Key %s already exists.", describeUnique(t.rt.Env.IO, u.columns, key))
	}
	var pe *pgerr.Error
	if errors.As(err, &pe) {
		return pe.WithConstraint(t.rel.Schema, t.rel.Name, e.Index)
	}
	return err
}

// nextDoc is Cursor.Next with nil at the end.
func nextDoc(ctx context.Context, cur mongo.Cursor) (bson.Raw, error) {
	d, err := cur.Next(ctx)
	if err == io.EOF {
		return nil, nil
	}
	return d, err
}
