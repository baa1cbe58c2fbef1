package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Watch opens a change stream of the documents that are inserted into a collection from now on and match a filter on
// their fields. It needs a replica set. The driver resumes it over a failover.
func (c *Client) Watch(ctx context.Context, database, collection string, filter bson.D) (Cursor, error) {
	match := bson.D{{Key: "operationType", Value: "insert"}}
	for _, e := range filter {
		match = append(match, bson.E{Key: "fullDocument." + e.Key, Value: e.Value})
	}
	s, err := c.c.Database(database).Collection(collection).Watch(ctx, bson.A{bson.D{{Key: "$match", Value: match}}})
	if err != nil {
		return nil, Error(ctx, err)
	}
	return &watch{s}, nil
}

// watch is the cursor of a change stream; Next waits for the next document.
type watch struct{ s *driver.ChangeStream }

func (w *watch) Next(ctx context.Context) (bson.Raw, error) {
	if !w.s.Next(ctx) {
		err := w.s.Err()
		if err == nil {
			err = ctx.Err()
		}
		return nil, Error(ctx, err)
	}
	doc, _ := w.s.Current.Lookup("fullDocument").DocumentOK()
	return doc, nil
}

func (w *watch) Buffered() int { return w.s.RemainingBatchLength() }

func (w *watch) Close(ctx context.Context) error {
	return Error(ctx, w.s.Close(context.WithoutCancel(ctx)))
}

// UpdateOne changes the first document that matches, outside any transaction and durably; it reports whether there was
// one. With upsert one is made if there is none, and 23505 says that another made it first. update is an update document
// or a pipeline (bson.A).
func (c *Client) UpdateOne(ctx context.Context, database, collection string, match bson.D, update any, upsert bool) (bool, error) {
	res, err := c.durable(database, collection).UpdateOne(ctx, match, update, options.UpdateOne().SetUpsert(upsert))
	if err != nil {
		return false, Error(ctx, err)
	}
	return res.MatchedCount+res.UpsertedCount == 1, nil
}

// DeleteMany removes the documents that match, outside any transaction and durably.
func (c *Client) DeleteMany(ctx context.Context, database, collection string, match bson.D) error {
	_, err := c.durable(database, collection).DeleteMany(ctx, match)
	return Error(ctx, err)
}

func (c *Client) durable(database, collection string) *driver.Collection {
	return c.c.Database(database).Collection(collection, options.Collection().SetWriteConcern(majority()))
}
