package executor

import (
	"context"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// keysPerQuery bounds the keys of one query.
const keysPerQuery = 1000

func pathOf(c *catalog.Column) string { return strings.Join(c.Path, ".") }

// matchable refuses columns whose field cannot be named in a query.
func matchable(c *catalog.Column) error {
	for _, k := range c.Path {
		if k == "" || k[0] == '$' || strings.Contains(k, ".") {
			return pgerr.Unsupported("a constraint on a column whose field name has a dot or begins with a dollar sign")
		}
	}
	return nil
}

// keyFilter matches the rows that have one of the keys. NULL in a key matches null and missing fields.
func keyFilter(cols []*catalog.Column, keys [][]types.Datum) (bson.D, error) {
	for _, c := range cols {
		if err := matchable(c); err != nil {
			return nil, err
		}
	}
	if len(cols) == 1 {
		in := make(bson.A, len(keys))
		for i, k := range keys {
			v, err := document.ColumnValue(cols[0], k[0])
			if err != nil {
				return nil, err
			}
			in[i] = v
		}
		return bson.D{{Key: pathOf(cols[0]), Value: bson.D{{Key: "$in", Value: in}}}}, nil
	}
	or := make(bson.A, len(keys))
	for i, k := range keys {
		and := make(bson.D, len(cols))
		for j, c := range cols {
			v, err := document.ColumnValue(c, k[j])
			if err != nil {
				return nil, err
			}
			and[j] = bson.E{Key: pathOf(c), Value: bson.D{{Key: "$eq", Value: v}}}
		}
		or[i] = and
	}
	return bson.D{{Key: "$or", Value: or}}, nil
}

// keyReader reads the rows of a relation that have certain keys.
type keyReader struct {
	s    txn.Statement
	db   string
	rel  *catalog.Relation
	cols []*catalog.Column
	// whole asks for whole documents instead of the key's fields.
	whole bool
	// limit stops after that many rows; 0 reads all.
	limit int64
}

// read calls f for every row found, with its key (valid during the call).
func (r *keyReader) read(ctx context.Context, keys [][]types.Datum, f func(doc bson.Raw, key []types.Datum) error) error {
	att := make([]int16, len(r.cols))
	fields := bson.D{}
	micros := false
	for i, c := range r.cols {
		att[i] = c.Attnum
		micros = micros || c.Micros
		if c.Path[0] != "_id" {
			fields = append(fields, bson.E{Key: pathOf(c), Value: 1})
		}
	}
	if micros {
		fields = append(fields, bson.E{Key: document.MicrosField, Value: 1})
	}
	if len(fields) == 0 {
		fields = bson.D{{Key: "_id", Value: 1}}
	}
	dec := document.NewDecoder(r.rel, att)
	key := make([]types.Datum, len(r.cols))
	left := r.limit
	for len(keys) > 0 {
		n := min(len(keys), keysPerQuery)
		filter, err := keyFilter(r.cols, keys[:n])
		if err != nil {
			return err
		}
		keys = keys[n:]
		q := mongo.Query{Database: r.db, Collection: r.rel.Collection, Filter: filter, Limit: left}
		if !r.whole {
			q.Projection = fields
		}
		cur, err := r.s.Read(ctx, q)
		if err != nil {
			return err
		}
		for {
			doc, err := nextDoc(ctx, cur)
			if err == nil && doc != nil {
				if err = dec.Decode(doc, key); err == nil {
					err = f(doc, key)
				}
			}
			if err != nil {
				return firstError(err, cur.Close(ctx))
			}
			if doc == nil {
				break
			}
			if r.limit > 0 {
				if left--; left == 0 {
					return cur.Close(ctx)
				}
			}
		}
		if err := cur.Close(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readKeys reads the rows of the table that have one of the keys of a key table.
func (t *table) readKeys(ctx context.Context, cols []*catalog.Column, keys *keyTable, limit int64, f func(doc bson.Raw, key []types.Datum) error) error {
	r := keyReader{s: t.rt.Txn, db: t.db, rel: t.rel, cols: cols, limit: limit}
	return r.read(ctx, tableKeys(keys), f)
}

// tableKeys lists the keys of a key table in the order they came.
func tableKeys(keys *keyTable) [][]types.Datum {
	out := make([][]types.Datum, keys.len())
	for i := range out {
		out[i] = keys.keys.row(i)
	}
	return out
}

// convertKey gives a value of one key column the type of the column that it refers to, or the other way round.
func convertKey(io *types.IO, from, to *types.T, d types.Datum) (types.Datum, error) {
	a, b := from.BaseType(), to.BaseType()
	if d.IsNull() || a == b || a.Rep == b.Rep && a.Rep != types.RepRef && a.Category == b.Category && a.Category != 'D' {
		return d, nil
	}
	return types.Input(io, to, -1, string(types.Output(io, from, nil, d)))
}
