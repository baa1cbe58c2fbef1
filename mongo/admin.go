package mongo

import (
	"context"
	"errors"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Run runs any command outside transactions and returns the server's answer.
func (c *Client) Run(ctx context.Context, database string, command bson.D) (bson.Raw, error) {
	raw, err := c.c.Database(database).RunCommand(ctx, command).Raw()
	if err != nil {
		return nil, Error(ctx, err)
	}
	return raw, nil
}

// Databases lists the names of the databases that the user may see, MongoDB's own ones too.
func (c *Client) Databases(ctx context.Context) ([]string, error) {
	names, err := c.c.ListDatabaseNames(ctx, bson.D{})
	return names, Error(ctx, err)
}

// DropDatabase removes a database with all its collections; one that does not exist is no error.
func (c *Client) DropDatabase(ctx context.Context, database string) error {
	return Error(ctx, c.c.Database(database).Drop(ctx))
}

// CollectionInfo is a collection, view or time series as listCollections shows it.
type CollectionInfo struct {
	Name string
	Type string // "collection", "view" or "timeseries"
	// Options holds validator, viewOn, pipeline, collation, capped ...
	Options bson.Raw
	// UUID identifies the collection for as long as it exists, whatever its name; nil for views.
	UUID []byte
	// ReadOnly is set for views.
	ReadOnly bool
}

// Collections lists a database's collections. filter narrows the list (nil: all), as {name: "x"} does.
func (c *Client) Collections(ctx context.Context, database string, filter bson.D) ([]CollectionInfo, error) {
	if filter == nil {
		filter = bson.D{}
	}
	cur, err := c.c.Database(database).ListCollections(ctx, filter)
	if err != nil {
		return nil, Error(ctx, err)
	}
	var docs []struct {
		Name    string   `bson:"name"`
		Type    string   `bson:"type"`
		Options bson.Raw `bson:"options"`
		Info    struct {
			ReadOnly bool        `bson:"readOnly"`
			UUID     bson.Binary `bson:"uuid"`
		} `bson:"info"`
	}
	if err := cur.All(ctx, &docs); err != nil {
		return nil, Error(ctx, err)
	}
	out := make([]CollectionInfo, len(docs))
	for i, d := range docs {
		out[i] = CollectionInfo{Name: d.Name, Type: d.Type, Options: d.Options, UUID: d.Info.UUID.Data, ReadOnly: d.Info.ReadOnly}
	}
	return out, nil
}

// CreateCollection makes a collection; extra options (validator, collation, viewOn, pipeline ...) are added to the
// command. It is 42P07 when it exists.
func (c *Client) CreateCollection(ctx context.Context, database, name string, extra bson.D) error {
	_, err := c.Run(ctx, database, append(bson.D{{Key: "create", Value: name}}, extra...))
	return err
}

// DropCollection removes a collection with its indexes; one that does not exist is no error.
func (c *Client) DropCollection(ctx context.Context, database, name string) error {
	return Error(ctx, c.c.Database(database).Collection(name).Drop(ctx))
}

// RenameCollection renames a collection within its database or across databases of one server; replace drops one that has the
// new name.
func (c *Client) RenameCollection(ctx context.Context, fromDatabase, from, toDatabase, to string, replace bool) error {
	_, err := c.Run(ctx, "admin", bson.D{
		{Key: "renameCollection", Value: fromDatabase + "." + from},
		{Key: "to", Value: toDatabase + "." + to},
		{Key: "dropTarget", Value: replace},
		{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}},
	})
	return err
}

// CopyIndexes gives a collection the indexes of another one of the same database.
func (c *Client) CopyIndexes(ctx context.Context, database, from, to string) error {
	cur, err := c.c.Database(database).Collection(from).Indexes().List(ctx)
	if err != nil {
		return Error(ctx, err)
	}
	var all, wanted []bson.D
	if err := cur.All(ctx, &all); err != nil {
		return Error(ctx, err)
	}
	for _, x := range all {
		if !slices.ContainsFunc(x, func(e bson.E) bool { return e.Key == "name" && e.Value == "_id_" }) {
			wanted = append(wanted, slices.DeleteFunc(x, func(e bson.E) bool { return e.Key == "ns" }))
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	_, err = c.Run(ctx, database, bson.D{{Key: "createIndexes", Value: to}, {Key: "indexes", Value: wanted}})
	return err
}

// SetValidator replaces a collection's validator; an empty one removes it. level is "off", "strict" or "moderate".
func (c *Client) SetValidator(ctx context.Context, database, collection string, validator bson.D, level string) error {
	if validator == nil {
		validator = bson.D{}
	}
	_, err := c.Run(ctx, database, bson.D{{Key: "collMod", Value: collection}, {Key: "validator", Value: validator}, {Key: "validationLevel", Value: level}})
	return err
}

// IndexInfo is an index of a collection.
type IndexInfo struct {
	Name    string
	Keys    bson.D // values are 1, -1, "text", "2dsphere", "hashed" ...
	Unique  bool
	Sparse  bool
	Hidden  bool
	Partial bson.Raw // partialFilterExpression
	// Collation and ExpireAfter are nil when the index has none.
	Collation   bson.Raw
	ExpireAfter *int64
}

// Indexes lists a collection's indexes; one that does not exist has none.
func (c *Client) Indexes(ctx context.Context, database, collection string) ([]IndexInfo, error) {
	cur, err := c.c.Database(database).Collection(collection).Indexes().List(ctx)
	if err != nil {
		var ce driver.CommandError
		if errors.As(err, &ce) && ce.Code == 26 {
			return nil, nil
		}
		return nil, Error(ctx, err)
	}
	var docs []struct {
		Name        string        `bson:"name"`
		Key         bson.D        `bson:"key"`
		Unique      bson.RawValue `bson:"unique"`
		Sparse      bson.RawValue `bson:"sparse"`
		Hidden      bool          `bson:"hidden"`
		Partial     bson.Raw      `bson:"partialFilterExpression"`
		Collation   bson.Raw      `bson:"collation"`
		ExpireAfter *float64      `bson:"expireAfterSeconds"`
	}
	if err := cur.All(ctx, &docs); err != nil {
		return nil, Error(ctx, err)
	}
	out := make([]IndexInfo, len(docs))
	for i, d := range docs {
		out[i] = IndexInfo{Name: d.Name, Keys: d.Key, Unique: truthy(d.Unique), Sparse: truthy(d.Sparse), Hidden: d.Hidden, Partial: d.Partial, Collation: d.Collation}
		if d.ExpireAfter != nil {
			n := int64(*d.ExpireAfter)
			out[i].ExpireAfter = &n
		}
	}
	return out, nil
}

// truthy reads a flag as the server does: old tools stored 1 instead of true.
func truthy(v bson.RawValue) bool {
	if b, ok := v.BooleanOK(); ok {
		return b
	}
	n, ok := v.AsInt64OK()
	return ok && n != 0
}

// CreateIndex builds an index. Rows that violate a unique one give 23505 with the *ServerError's key inside.
func (c *Client) CreateIndex(ctx context.Context, database, collection string, ix IndexInfo) error {
	spec := bson.D{{Key: "name", Value: ix.Name}, {Key: "key", Value: ix.Keys}}
	if ix.Unique {
		spec = append(spec, bson.E{Key: "unique", Value: true})
	}
	if ix.Sparse {
		spec = append(spec, bson.E{Key: "sparse", Value: true})
	}
	if ix.Hidden {
		spec = append(spec, bson.E{Key: "hidden", Value: true})
	}
	if ix.Partial != nil {
		spec = append(spec, bson.E{Key: "partialFilterExpression", Value: ix.Partial})
	}
	if ix.Collation != nil {
		spec = append(spec, bson.E{Key: "collation", Value: ix.Collation})
	}
	if ix.ExpireAfter != nil {
		spec = append(spec, bson.E{Key: "expireAfterSeconds", Value: *ix.ExpireAfter})
	}
	_, err := c.Run(ctx, database, bson.D{{Key: "createIndexes", Value: collection}, {Key: "indexes", Value: bson.A{spec}}})
	return err
}

// DropIndex removes an index by name; one that does not exist is no error.
func (c *Client) DropIndex(ctx context.Context, database, collection, name string) error {
	_, err := c.Run(ctx, database, bson.D{{Key: "dropIndexes", Value: collection}, {Key: "index", Value: name}})
	if e := AsServerError(err); e != nil && (e.Code == 27 || e.Code == 26) {
		return nil
	}
	return err
}

// CollectionStats are a collection's sizes.
type CollectionStats struct {
	Count, Size, StorageSize, IndexSize int64
	IndexSizes                          map[string]int64
}

// Stats returns a collection's sizes from the server's counters; all are 0 for one that does not exist.
func (c *Client) Stats(ctx context.Context, database, collection string) (CollectionStats, error) {
	cur, err := c.c.Database(database).Collection(collection).Aggregate(ctx, bson.A{
		bson.D{{Key: "$collStats", Value: bson.D{{Key: "storageStats", Value: bson.D{}}}}},
		bson.D{{Key: "$group", Value: bson.D{
			{Key: "_id", Value: nil},
			{Key: "count", Value: bson.D{{Key: "$sum", Value: "$storageStats.count"}}},
			{Key: "size", Value: bson.D{{Key: "$sum", Value: "$storageStats.size"}}},
			{Key: "storage", Value: bson.D{{Key: "$sum", Value: "$storageStats.storageSize"}}},
			{Key: "indexes", Value: bson.D{{Key: "$sum", Value: "$storageStats.totalIndexSize"}}},
			{Key: "each", Value: bson.D{{Key: "$push", Value: "$storageStats.indexSizes"}}},
		}}},
	})
	if err != nil {
		err = Error(ctx, err)
		// The server refuses the stage on views and on collections that do not exist: neither stores anything.
		if e := AsServerError(err); e != nil && (e.Code == 26 || e.Code == 166 || strings.Contains(e.Message, "$collStats")) {
			return CollectionStats{}, nil
		}
		return CollectionStats{}, err
	}
	var docs []struct {
		Count   int64              `bson:"count"`
		Size    int64              `bson:"size"`
		Storage int64              `bson:"storage"`
		Indexes int64              `bson:"indexes"`
		Each    []map[string]int64 `bson:"each"`
	}
	if err := cur.All(ctx, &docs); err != nil {
		return CollectionStats{}, Error(ctx, err)
	}
	if len(docs) == 0 {
		return CollectionStats{}, nil
	}
	d := docs[0]
	st := CollectionStats{Count: d.Count, Size: d.Size, StorageSize: d.Storage, IndexSize: d.Indexes, IndexSizes: map[string]int64{}}
	for _, shard := range d.Each {
		for name, n := range shard {
			st.IndexSizes[name] += n
		}
	}
	return st, nil
}

// EstimatedCount returns a collection's number of documents from the server's counter.
func (c *Client) EstimatedCount(ctx context.Context, database, collection string) (int64, error) {
	n, err := c.c.Database(database).Collection(collection).EstimatedDocumentCount(ctx)
	return n, Error(ctx, err)
}

// Sample opens a cursor on n documents chosen at random.
func (c *Client) Sample(ctx context.Context, database, collection string, n int) (Cursor, error) {
	return c.Read(ctx, Query{Database: database, Collection: collection, Pipeline: bson.A{bson.D{{Key: "$sample", Value: bson.D{{Key: "size", Value: n}}}}}})
}

// Read opens a cursor outside any session. It can be cancelled through ctx.
func (c *Client) Read(ctx context.Context, q Query) (Cursor, error) {
	s, err := c.Session(Plain)
	if err != nil {
		return nil, err
	}
	cur, err := s.Read(ctx, q)
	if err != nil {
		s.End(ctx)
		return nil, err
	}
	return &ownedCursor{Cursor: cur, s: s}, nil
}

// ownedCursor ends its session when it is closed.
type ownedCursor struct {
	Cursor
	s *Session
}

func (c *ownedCursor) Close(ctx context.Context) error {
	err := c.Cursor.Close(ctx)
	c.s.End(ctx)
	return err
}

// Write applies changes outside any transaction, in order.
func (c *Client) Write(ctx context.Context, database, collection string, writes []Write) error {
	s, err := c.Session(Plain)
	if err != nil {
		return err
	}
	defer s.End(ctx)
	return s.Write(ctx, database, collection, writes)
}

// FindAndModify changes one document by _id, whether or not it exists, and returns it as it was before (nil if it was
// not). update is an update document or a pipeline (bson.A). With weak durability the answer does not wait for the
// journal; later majority writes to the same replica set still imply it.
func (c *Client) FindAndModify(ctx context.Context, database, collection string, id any, update any, weak bool) (bson.Raw, error) {
	o := options.Collection().SetWriteConcern(majority())
	if weak && c.info.Kind != Sharded {
		o = options.Collection().SetWriteConcern(unjournaled())
	}
	res := c.c.Database(database).Collection(collection, o).FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: id}}, update,
		options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.Before))
	raw, err := res.Raw()
	if errors.Is(err, driver.ErrNoDocuments) {
		return nil, nil
	}
	return raw, Error(ctx, err)
}

// CompareAndSet changes one document to a new one if its fields still are as in match; it reports whether they were. weak
// is as for FindAndModify.
func (c *Client) CompareAndSet(ctx context.Context, database, collection string, match, set bson.D, weak bool) (bool, error) {
	o := options.Collection().SetWriteConcern(majority())
	if weak && c.info.Kind != Sharded {
		o = options.Collection().SetWriteConcern(unjournaled())
	}
	res, err := c.c.Database(database).Collection(collection, o).UpdateOne(ctx, match, bson.D{{Key: "$set", Value: set}})
	if err != nil {
		return false, Error(ctx, err)
	}
	return res.MatchedCount == 1, nil
}

// Explain returns the server's plan for a query, with verbosity "queryPlanner" or "executionStats".
func (c *Client) Explain(ctx context.Context, q Query, verbosity string) (bson.Raw, error) {
	var command bson.D
	if q.Pipeline != nil {
		command = bson.D{{Key: "aggregate", Value: q.Collection}, {Key: "pipeline", Value: q.Pipeline}, {Key: "cursor", Value: bson.D{}}}
	} else {
		filter := q.Filter
		if filter == nil {
			filter = bson.D{}
		}
		command = bson.D{{Key: "find", Value: q.Collection}, {Key: "filter", Value: filter}}
		if q.Projection != nil {
			command = append(command, bson.E{Key: "projection", Value: q.Projection})
		}
		if q.Sort != nil {
			command = append(command, bson.E{Key: "sort", Value: q.Sort})
		}
		if q.Skip != 0 {
			command = append(command, bson.E{Key: "skip", Value: q.Skip})
		}
		if q.Limit != 0 {
			command = append(command, bson.E{Key: "limit", Value: q.Limit})
		}
	}
	if q.Hint != nil {
		command = append(command, bson.E{Key: "hint", Value: q.Hint})
	}
	if q.Binary {
		command = append(command, bson.E{Key: "collation", Value: bson.D{{Key: "locale", Value: "simple"}}})
	}
	return c.Run(ctx, q.Database, bson.D{{Key: "explain", Value: command}, {Key: "verbosity", Value: verbosity}})
}
