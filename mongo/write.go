package mongo

import (
	"context"
	"errors"
	"time"

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

// InsertMany inserts the documents of inserts in any order, with majority write concern. After an error some may be there.
func (c *Client) InsertMany(ctx context.Context, database, collection string, inserts []Write) error {
	docs := make([]bson.Raw, len(inserts))
	for i := range inserts {
		docs[i] = inserts[i].Doc
	}
	return c.definite(ctx, database, collection, func(ctx context.Context, coll *driver.Collection) error {
		_, err := coll.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
		return err
	})
}

// Do makes a change by itself, with majority write concern; matched reports whether there was such a document.
func (c *Client) Do(ctx context.Context, w Single) (matched bool, err error) {
	err = c.definite(ctx, w.Database, w.Collection, func(ctx context.Context, coll *driver.Collection) error {
		switch {
		case w.Insert != nil:
			_, err := coll.InsertOne(ctx, w.Insert)
			matched = err == nil
			return err
		case w.Change.Update == nil:
			res, err := coll.DeleteOne(ctx, w.Change.Filter)
			matched = err == nil && res.DeletedCount > 0
			return err
		}
		res, err := coll.UpdateOne(ctx, w.Change.Filter, w.Change.Update)
		matched = err == nil && res.MatchedCount > 0
		return err
	})
	return matched, err
}

// DoAll makes changes of several statements in one transaction, in no certain order. Where one of them meets no document,
// a conflict or an error, nothing is done, and done is false. An error says that the outcome is unknown.
func (c *Client) DoAll(ctx context.Context, list []Single) (done bool, err error) {
	s, err := c.Session(Transaction)
	if err != nil {
		return false, nil
	}
	defer s.End(ctx)
	for len(list) > 0 {
		first := list[0]
		var inserts, updates, deletes []driver.WriteModel
		rest := list[:0:0]
		for _, w := range list {
			switch {
			case w.Collection != first.Collection || w.Database != first.Database:
				rest = append(rest, w)
			case w.Insert != nil:
				inserts = append(inserts, driver.NewInsertOneModel().SetDocument(w.Insert))
			case w.Change.Update == nil:
				deletes = append(deletes, driver.NewDeleteOneModel().SetFilter(w.Change.Filter))
			default:
				updates = append(updates, driver.NewUpdateOneModel().SetFilter(w.Change.Filter).SetUpdate(w.Change.Update))
			}
		}
		list = rest
		changed := int64(len(updates) + len(deletes))
		res, err := c.c.Database(first.Database).Collection(first.Collection).BulkWrite(s.ctx(ctx), append(append(inserts, updates...), deletes...))
		if err != nil || res.MatchedCount+res.DeletedCount != changed {
			return false, nil // the transaction is aborted, each statement finds out by itself
		}
	}
	err = s.Commit(ctx)
	if IsConflict(err) {
		return false, nil
	}
	return err == nil, err
}

// Change makes a change in a transaction and returns the document as it was, nil if the filter chose none.
func (s *Session) Change(ctx context.Context, database, collection string, w Change) (before bson.Raw, err error) {
	coll := s.c.c.Database(database).Collection(collection)
	var res *driver.SingleResult
	if w.Update == nil {
		res = coll.FindOneAndDelete(s.ctx(ctx), w.Filter)
	} else {
		res = coll.FindOneAndUpdate(s.ctx(ctx), w.Filter, w.Update, options.FindOneAndUpdate().SetReturnDocument(options.Before))
	}
	before, err = res.Raw()
	if errors.Is(err, driver.ErrNoDocuments) {
		return nil, nil
	}
	return before, s.failed(ctx, err)
}

// definite makes one change whose outcome must be known: when ctx ends, the server is told to stop it, and its answer counts,
// if it comes within AnswerTimeout.
// The driver alone would give up waiting for a change that is made all the same.
func (c *Client) definite(ctx context.Context, database, collection string, change func(context.Context, *driver.Collection) error) error {
	s, err := c.Session(Plain)
	if err != nil {
		return err
	}
	defer s.End(ctx)
	if err := ctx.Err(); err != nil {
		return Error(ctx, err)
	}
	wait, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(AnswerTimeout, giveUp)
		_ = s.kill(ctx) // a server that cannot be told may still answer
	})
	defer stop()
	err = change(s.ctx(wait), c.c.Database(database).Collection(collection, options.Collection().SetWriteConcern(majority())))
	if err != nil && wait.Err() != nil {
		return pgerr.New(pgerr.TransactionResolutionUnknown, "MongoDB did not answer: it is unknown whether the change was made: %w", describe(err))
	}
	return Error(wait, err)
}
