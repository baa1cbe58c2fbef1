// Package infer makes relations of collections that others own: from the validator, from a sample of documents, and from
// the indexes. Scalars at any depth become columns under dotted names ("address.city"), sub-documents and values of mixed
// types jsonb, arrays of scalars arrays, and arrays of documents both jsonb and a virtual child table ("orders.items").
package infer

import (
	"context"
	"errors"
	"io"
	"reflect"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Limits bound what inference reads and makes.
const (
	sampleDocuments = 1000 // drawn at random
	edgeDocuments   = 100  // of each end by _id: the oldest and the newest documents
	maxColumns      = 1000 // of one relation; what is deeper stays in its jsonb parent
	maxTopColumns   = 1600 // PostgreSQL's own limit
	maxDepth        = 8
)

// Collection is what was found out about one collection.
type Collection struct {
	// Relation shows the documents; Children the elements of its arrays of documents. None has OIDs or a schema yet.
	Relation *catalog.Relation
	Children []*catalog.Relation
	root     *shape
}

// Read infers the relations of a collection. What an earlier look found stays (before, nil for none): another sample may lack a rare field,
// whose column must not come and go. whole reads all documents instead of a sample.
func Read(ctx context.Context, client *mongo.Client, database string, info mongo.CollectionInfo, whole bool, before *Collection) (*Collection, error) {
	root := newShape()
	if before != nil {
		root = before.root
	}
	if v, err := info.Options.LookupErr("validator", "$jsonSchema"); err == nil && v.Type == bson.TypeEmbeddedDocument {
		root.addSchema(v.Document())
	}
	if err := sample(ctx, client, database, info, whole, func(doc bson.Raw) { root.addDocument(doc, 0) }); err != nil {
		return nil, err
	}
	var indexes []mongo.IndexInfo
	if info.Type == "collection" {
		var err error
		if indexes, err = client.Indexes(ctx, database, info.Name); err != nil {
			return nil, err
		}
		for _, ix := range indexes {
			for _, k := range ix.Keys {
				if n, ok := number(k.Value); ok && n != 0 {
					root.expect(k.Key)
				}
			}
		}
	}
	b := &builder{name: info.Name}
	c := &Collection{Relation: b.relation(root), root: root}
	for _, r := range append([]*catalog.Relation{c.Relation}, b.children...) {
		r.ReadOnly = info.Type != "collection"
		r.Capped, _ = info.Options.Lookup("capped").BooleanOK()
		locale, ok := info.Options.Lookup("collation", "locale").StringValueOK()
		r.Collated = ok && locale != "simple"
	}
	c.Relation.Options = options(info)
	b.addIndexes(c.Relation, indexes)
	c.Children = b.children
	if before != nil && reflect.DeepEqual(before.Relation, c.Relation) && reflect.DeepEqual(before.Children, c.Children) {
		return before, nil
	}
	return c, nil
}

func options(info mongo.CollectionInfo) []string {
	if info.Type == "collection" {
		return nil
	}
	return []string{"mongodb_type=" + info.Type}
}

// sample looks at documents drawn at random, and at the first and last by _id: new fields appear in new documents. whole looks at all.
func sample(ctx context.Context, client *mongo.Client, database string, info mongo.CollectionInfo, whole bool, look func(bson.Raw)) error {
	read := func(open func() (mongo.Cursor, error)) error {
		cursor, err := open()
		if err != nil {
			return err
		}
		for {
			doc, err := cursor.Next(ctx)
			if errors.Is(err, io.EOF) {
				return cursor.Close(ctx)
			}
			if err != nil {
				return errors.Join(err, cursor.Close(ctx))
			}
			look(doc)
		}
	}
	find := func(order int, limit int64) func() (mongo.Cursor, error) {
		return func() (mongo.Cursor, error) {
			q := mongo.Query{Database: database, Collection: info.Name, Filter: bson.D{}, Limit: limit}
			if info.Type == "collection" {
				q.Sort = bson.D{{Key: "_id", Value: order}}
			}
			return client.Read(ctx, q)
		}
	}
	if whole {
		return read(find(1, 0))
	}
	if info.Type != "collection" {
		return read(find(1, sampleDocuments))
	}
	stats, err := client.EstimatedCount(ctx, database, info.Name)
	if err != nil {
		return err
	}
	if stats <= sampleDocuments {
		return read(find(1, sampleDocuments))
	}
	for _, open := range []func() (mongo.Cursor, error){
		find(1, edgeDocuments),
		find(-1, edgeDocuments),
		func() (mongo.Cursor, error) { return client.Sample(ctx, database, info.Name, sampleDocuments) },
	} {
		if err := read(open); err != nil {
			if pgerr.Is(err, pgerr.UndefinedTable) {
				return nil // dropped meanwhile
			}
			return err
		}
	}
	return nil
}

func number(v any) (int64, bool) {
	switch v := v.(type) {
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		return int64(v), true
	}
	return 0, false
}
