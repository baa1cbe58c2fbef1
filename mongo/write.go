package mongo

import (
	"context"

	"github.com/pgmongo/pgmongo/types/pgerr"
	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// Write applies changes in order, as few commands. In a Plain session more than one change is not atomic, and one change
// is retried by the driver when the connection fails. A change of a document that is not there is 40001: it was read, so
// somebody deleted it since.
func (s *Session) Write(ctx context.Context, database, collection string, writes []Write) error {
	if len(writes) == 0 {
		return nil
	}
	coll := s.c.c.Database(database).Collection(collection, options.Collection().SetWriteConcern(s.writeConcern()))
	sctx := s.ctx(ctx)
	if len(writes) == 1 && writes[0].Kind == WriteInsert {
		_, err := coll.InsertOne(sctx, writes[0].Doc)
		return s.failed(ctx, err)
	}
	models := make([]driver.WriteModel, len(writes))
	var changed int64
	for i, w := range writes {
		filter := bson.D{{Key: "_id", Value: w.ID}}
		switch w.Kind {
		case WriteInsert:
			models[i] = driver.NewInsertOneModel().SetDocument(w.Doc)
			continue
		case WriteUpdate:
			models[i] = driver.NewUpdateOneModel().SetFilter(filter).SetUpdate(w.Doc)
		case WriteReplace:
			models[i] = driver.NewReplaceOneModel().SetFilter(filter).SetReplacement(w.Doc)
		case WriteDelete:
			models[i] = driver.NewDeleteOneModel().SetFilter(filter)
		}
		changed++
	}
	res, err := coll.BulkWrite(sctx, models)
	if err != nil {
		return s.failed(ctx, err)
	}
	if res.MatchedCount+res.DeletedCount != changed {
		return pgerr.New(pgerr.SerializationFailure, "%w", &ServerError{Code: 112, Name: "WriteConflict", text: serializeText})
	}
	return nil
}

// writeConcern is nil inside transactions, where only the commit has one.
func (s *Session) writeConcern() *writeconcern.WriteConcern {
	if s.mode == Transaction {
		return nil
	}
	return majority()
}
