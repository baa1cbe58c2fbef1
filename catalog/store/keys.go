package store

import (
	"context"
	"crypto/sha256"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/catalog/indexkey"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// buildKeys writes the keys of an index into the documents that the transaction sees and builds the index over them. Where
// the transaction has written nothing yet, both happen outside of it, without its limits of time and size, and a rollback
// undoes them. Else the index is built empty first: rows that the transaction has written or deleted and not committed count
// as they are to it (BEGIN; DELETE of the duplicates; CREATE UNIQUE INDEX).
func (w *worker) buildKeys(ctx context.Context, x ddl.BuildKeys) error {
	rel := x.Table
	if now := w.latest(rel).Index(x.Index.OID); now == nil || now.Hidden != x.Index.Hidden || w.fresh[rel.Collection] || x.Key == nil {
		return nil
	}
	f := &keyFiller{worker: w, x: x, reader: newReader(rel), field: document.KeysField + "." + x.Index.Hidden, seen: map[[16]byte]struct{}{}, rows: map[string][][]types.Datum{}}
	if err := w.each(ctx, mongo.Query{Database: w.database, Collection: rel.Collection, Filter: bson.D{}}, f.add); err != nil {
		return err
	}
	inside := w.session.Wrote()
	err := w.session.OutsideOf(ctx, w.database, rel.Collection, func(ctx context.Context) error {
		w.undo(func(ctx context.Context) error {
			err := w.store.client.DropIndex(ctx, w.database, rel.Collection, indexkey.MongoName(x.Index))
			if err == nil && !inside {
				err = w.store.clearKeys(ctx, w.database, rel.Collection, f.field)
			}
			return err
		})
		if !inside {
			for batch := range slices.Chunk(f.writes, writeBatch) {
				if err := w.store.client.Write(ctx, w.database, rel.Collection, batch); err != nil {
					return err
				}
			}
		}
		return w.store.buildKeyIndex(ctx, w.database, rel, x.Index)
	})
	if err != nil || !inside {
		return err
	}
	for batch := range slices.Chunk(f.writes, writeBatch) {
		if err := w.stmt.Write(ctx, w.database, rel.Collection, batch); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) clearKeys(ctx context.Context, database, collection, field string) error {
	_, err := s.client.Run(ctx, database, bson.D{
		{Key: "update", Value: collection},
		{Key: "updates", Value: bson.A{bson.D{
			{Key: "q", Value: bson.D{{Key: field, Value: bson.D{{Key: "$exists", Value: true}}}}},
			{Key: "u", Value: bson.D{{Key: "$unset", Value: bson.D{{Key: field, Value: ""}}}}},
			{Key: "multi", Value: true},
		}}},
	})
	return err
}

// buildKeyIndex builds the index over the stored keys of an index of a table.
func (s *Store) buildKeyIndex(ctx context.Context, database string, rel *catalog.Relation, idx *catalog.Index) error {
	field := document.KeysField + "." + idx.Hidden
	partial, err := bson.Marshal(bson.D{{Key: field, Value: bson.D{{Key: "$exists", Value: true}}}})
	if err != nil {
		return pgerr.Internal("index filter: %w", err)
	}
	con := rel.ConstraintOf(idx)
	exclusion := con != nil && con.Type == catalog.ConExclude
	err = s.client.CreateIndex(ctx, database, rel.Collection, mongo.IndexInfo{
		Name: indexkey.MongoName(idx), Unique: !exclusion, Keys: bson.D{{Key: field, Value: int32(1)}}, Partial: partial,
	})
	if pgerr.Is(err, pgerr.UniqueViolation) {
		return pgerr.New(pgerr.UniqueViolation, "could not create unique index \"%s\"", idx.Name).WithConstraint(rel.Schema, rel.Name, idx.Name)
	}
	return err
}

// exclude compares a key with those that share its stored part.
func (f *keyFiller) exclude(bucket string, key []types.Datum) error {
	k, rel := f.x.Key, f.x.Table
	for _, o := range f.rows[bucket] {
		hit, err := k.Conflict(f.env, key, o)
		if err != nil {
			return err
		}
		if hit {
			return pgerr.New(pgerr.ExclusionViolation, "could not create exclusion constraint \"%s\"", k.Index.Name).
				WithDetail("Key %s conflicts with key %s.", k.Describe(f.env.IO, o), k.Describe(f.env.IO, key)).WithConstraint(rel.Schema, rel.Name, k.Index.Name)
		}
	}
	f.rows[bucket] = append(f.rows[bucket], key)
	return nil
}

// dropKeys drops the index over stored keys after the commit.
func (w *worker) dropKeys(rel *catalog.Relation, idx *catalog.Index) {
	w.session.OnTransactionEnd(func(ctx context.Context) {
		ctx, cancel := detached(ctx)
		defer cancel()
		_ = w.store.client.DropIndex(ctx, w.database, rel.Collection, indexkey.MongoName(idx)) // over a field that is cleared
	}, nil)
}

// keyFiller computes the keys of the rows that are there, and finds those that violate the constraint.
type keyFiller struct {
	*worker
	x      ddl.BuildKeys
	reader *reader
	field  string
	writes []mongo.Write
	// seen has hashes of the keys of a unique index, rows the keys of an exclusion constraint by their stored part.
	seen map[[16]byte]struct{}
	rows map[string][][]types.Datum
}

func (f *keyFiller) add(doc bson.Raw) error {
	row, err := f.reader.read(doc)
	if err != nil {
		return err
	}
	key, ok, err := f.x.Key.Of(f.env, row)
	if err != nil || !ok {
		return err
	}
	stored := f.x.Key.Stored(key)
	if f.x.Key.Exclusion() {
		err = f.exclude(string(stored.Value), slices.Clone(key))
	} else {
		hash := sha256.Sum256(stored.Value)
		sum := [16]byte(hash[:16])
		if _, twice := f.seen[sum]; twice {
			rel, ix := f.x.Table, f.x.Index
			err = pgerr.New(pgerr.UniqueViolation, "could not create unique index \"%s\"", ix.Name).
				WithDetail("Key %s is duplicated.", f.x.Key.Describe(f.env.IO, key)).WithConstraint(rel.Schema, rel.Name, ix.Name)
		}
		f.seen[sum] = struct{}{}
	}
	if err != nil {
		return err
	}
	if was, lerr := doc.LookupErr(document.KeysField, f.x.Index.Hidden); lerr == nil && was.Equal(stored) {
		return nil
	}
	set, err := bson.Marshal(bson.D{{Key: "$set", Value: bson.D{{Key: f.field, Value: stored}}}})
	if err != nil {
		return pgerr.Internal("key update: %w", err)
	}
	doc = slices.Clone(doc)
	f.writes = append(f.writes, mongo.Write{Kind: mongo.WriteUpdate, ID: doc.Lookup("_id"), Doc: set, Before: doc})
	return nil
}
