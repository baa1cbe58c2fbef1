package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// bulkLoader fills a collection that takes the place of an empty table's; it implements txn.Loader.
type bulkLoader struct {
	store    *Store
	session  *txn.Session
	database string
	rel      *catalog.Relation

	staging string
	uuid    []byte
	job     string
}

// Loader returns what loads many rows into a table, nil where its rows must be written one transaction's way: other
// programs own the collection, or rows depend on those of other tables.
func (s *Store) Loader(session *txn.Session, snap *catalog.Snapshot, rel *catalog.Relation) txn.Loader {
	own := rel.Kind == catalog.KindTable && rel.Persistence == 'p' && !rel.Inferred && rel.Collection != "" && rel.Virtual == nil
	if !own || len(rel.Triggers) > 0 || len(snap.ReferencedBy(rel.OID)) > 0 || s.client.Info().Kind != mongo.ReplicaSet {
		return nil
	}
	for _, c := range rel.Constraints {
		if c.Type == catalog.ConForeign {
			return nil
		}
	}
	return &bulkLoader{store: s, session: session, database: session.Database(), rel: rel}
}

// Begin implements txn.Loader. It waits for nobody: who uses the table now may be in a transaction that waits for this one.
func (l *bulkLoader) Begin(ctx context.Context) (string, error) {
	_, err := l.session.LockTable(ctx, txn.TableLock{OID: l.rel.OID, Name: l.rel.Name, Mode: txn.TableShareRowExclusive}, txn.WaitError)
	if pgerr.Is(err, pgerr.LockNotAvailable) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	info, err := l.collection(ctx, l.rel.Collection)
	if err != nil || info == nil || info.Type != "collection" || !withoutOptions(info.Options) {
		return "", err
	}
	if empty, err := l.empty(ctx); err != nil || !empty {
		return "", err
	}
	return l.stage(ctx)
}

// withoutOptions reports whether a collection was made without options that another one would have to be given.
func withoutOptions(options bson.Raw) bool {
	elements, err := options.Elements()
	return err == nil && len(elements) == 0
}

func (l *bulkLoader) collection(ctx context.Context, name string) (*mongo.CollectionInfo, error) {
	infos, err := l.store.client.Collections(ctx, l.database, bson.D{{Key: "name", Value: name}})
	if err != nil || len(infos) == 0 {
		return nil, err
	}
	return &infos[0], nil
}

func (l *bulkLoader) empty(ctx context.Context) (bool, error) {
	cur, err := l.store.client.Read(ctx, mongo.Query{Database: l.database, Collection: l.rel.Collection, Limit: 1})
	if err != nil {
		return false, err
	}
	_, err = cur.Next(ctx)
	empty := errors.Is(err, io.EOF)
	if empty {
		err = nil
	}
	return empty, errors.Join(err, cur.Close(ctx))
}

// stage makes the collection that takes the rows; a rollback removes it.
func (l *bulkLoader) stage(ctx context.Context) (string, error) {
	name := "pgmongo.load." + bson.NewObjectID().Hex()
	var err error
	if l.job, err = l.store.announce(ctx, l.database, name); err != nil {
		return "", err
	}
	l.session.OnTransactionEnd(nil, func(ctx context.Context) {
		ctx, cancel := detached(ctx)
		defer cancel()
		if l.store.client.DropCollection(ctx, l.database, name) == nil {
			_ = l.store.removeJob(ctx, l.database, l.job) // the job is done at a later start
		}
	})
	if err := l.store.client.CreateCollection(ctx, l.database, name, nil); err != nil {
		return "", err
	}
	info, err := l.collection(ctx, name)
	if err != nil || info == nil {
		return "", errors.Join(err, l.gone())
	}
	l.staging, l.uuid = name, info.UUID
	return name, l.store.client.CopyIndexes(ctx, l.database, l.rel.Collection, name)
}

func (l *bulkLoader) gone() error {
	return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "the collection of table \"%s\" was removed or changed during the load", l.rel.Name)
}

// Finish implements txn.Loader. Statements of pgmongo are kept away by the table's lock; a program that writes to MongoDB
// itself is refused from the moment that the table was found empty until it has its rows.
func (l *bulkLoader) Finish(ctx context.Context) error {
	if err := l.guard(ctx); err != nil {
		return err
	}
	empty, err := l.empty(ctx)
	if err == nil && empty {
		if err = l.swap(ctx); err == nil {
			_ = l.store.removeJob(ctx, l.database, l.job) // done again, it finds no collection
			return nil
		}
	}
	if pgerr.Is(err, pgerr.TransactionResolutionUnknown) {
		return err // the job lifts the guard, if there still is one
	}
	if err == nil {
		err = pgerr.New(pgerr.SerializationFailure, "could not serialize access due to concurrent update").
			WithDetail("Another program wrote to the collection of table \"%s\" while it was loaded.", l.rel.Name)
	}
	return errors.Join(err, l.store.client.SetValidator(ctx, l.database, l.rel.Collection, nil, "strict"))
}

// guard makes the table's collection refuse documents, and writes down that it does.
func (l *bulkLoader) guard(ctx context.Context) error {
	if _, err := l.store.client.FindAndModify(ctx, l.database, Collection, l.job,
		bson.D{{Key: "$set", Value: bson.D{{Key: "guarded", Value: l.rel.Collection}}}}, false); err != nil {
		return err
	}
	return l.store.client.SetValidator(ctx, l.database, l.rel.Collection, bson.D{{Key: "$expr", Value: false}}, "strict")
}

// swap puts the loaded collection in the place of the table's. Where the answer got lost, the collection's identity tells
// what happened.
func (l *bulkLoader) swap(ctx context.Context) error {
	failed := l.store.client.RenameCollection(ctx, l.database, l.staging, l.database, l.rel.Collection, true)
	if failed == nil || !pgerr.Is(failed, pgerr.ConnectionFailure) {
		return failed
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		info, err := l.collection(ctx, l.rel.Collection)
		if err == nil && info != nil && bytes.Equal(info.UUID, l.uuid) {
			return nil
		}
		if staged, err := l.collection(ctx, l.staging); err == nil && staged != nil {
			return failed
		}
		select {
		case <-ctx.Done():
			return pgerr.New(pgerr.TransactionResolutionUnknown, "MongoDB did not answer: it is unknown whether the rows were loaded: %w", failed)
		case <-time.After(wait):
		}
	}
}
