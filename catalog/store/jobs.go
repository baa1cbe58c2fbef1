package store

import (
	"context"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
)

// A job document is a catalogue document of physical work that a crash must not leave half done: a collection that was
// created for a transaction that has not committed (removed by the commit), or one to drop or a field to clear after the
// commit that wrote the job.
type jobDoc struct {
	ID         string `bson:"_id"`
	Collection string
	// Field is the path of a field to clear; none means to drop the collection.
	Field []string
	At    time.Time
	// Created says that the collection was made by a transaction that is still open, or never ended.
	Created bool
	// Owner is the proxy of that transaction.
	Owner bson.ObjectID
	// Guarded is the collection whose place this one was about to take: meanwhile it refuses documents.
	Guarded string
}

const jobPrefix = "job:"

// abandonedAfter is when a job that nobody has done is done by whoever finds it; orphanedAfter when the transaction of a
// proxy that is gone must have ended: MongoDB ends them after a minute.
const (
	abandonedAfter = 10 * time.Minute
	orphanedAfter  = 90 * time.Second
)

// abandoned reports whether nobody is at work on a job.
func (s *Store) abandoned(j jobDoc) bool {
	if j.Created && !j.Owner.IsZero() {
		return !s.member.Alive(j.Owner) && time.Since(j.At) >= orphanedAfter
	}
	return time.Since(j.At) >= abandonedAfter
}

var noTime time.Time

func jobID(kind, collection string) string { return jobPrefix + kind + ":" + collection }

// isJob reports whether a catalogue document is a job.
func isJob(id string) bool { return strings.HasPrefix(id, jobPrefix) }

// announce writes down that a collection is about to be made, so that nobody takes it for one of others, and that it goes
// if this process dies.
func (s *Store) announce(ctx context.Context, database, collection string) (string, error) {
	j := jobDoc{ID: jobID("create", collection), Collection: collection, At: time.Now(), Created: true}
	_, err := s.client.FindAndModify(ctx, database, Collection, j.ID,
		bson.D{{Key: "$set", Value: bson.D{{Key: "collection", Value: j.Collection}, {Key: "at", Value: j.At}, {Key: "created", Value: true}, {Key: "owner", Value: s.member.ID()}}}}, false)
	return j.ID, err
}

// removeJob deletes a job that is done, unless somebody else has.
func (s *Store) removeJob(ctx context.Context, database, id string) error {
	_, err := s.client.Run(ctx, database, bson.D{
		{Key: "delete", Value: Collection},
		{Key: "deletes", Value: bson.A{bson.D{{Key: "q", Value: bson.D{{Key: "_id", Value: id}}}, {Key: "limit", Value: 1}}}},
		{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}},
	})
	return err
}

// resume does the jobs that a process which is gone has left, and returns the collections that jobs are about: they are
// no tables. declared is the catalogue that the jobs were read with.
func (s *Store) resume(ctx context.Context, database string, declared *catalog.Snapshot, jobs []jobDoc) (map[string]bool, error) {
	about := map[string]bool{}
	for _, j := range jobs {
		if len(j.Field) == 0 {
			about[j.Collection] = true
		}
		if !s.abandoned(j) {
			continue
		}
		var err error
		if j.Guarded != "" {
			err = s.client.SetValidator(ctx, database, j.Guarded, nil, "strict")
		}
		switch {
		case err != nil:
		case len(j.Field) > 0:
			err = s.clearField(ctx, database, j.Collection, j.Field, declared)
		case !usesCollection(declared, j.Collection):
			err = s.client.DropCollection(ctx, database, j.Collection)
		}
		if err == nil {
			err = s.removeJob(ctx, database, j.ID)
		}
		if err != nil {
			return nil, err
		}
		delete(about, j.Collection)
	}
	return about, nil
}

func usesCollection(s *catalog.Snapshot, collection string) bool {
	used := false
	s.EachRelation(func(r *catalog.Relation) bool {
		used = used || r.Collection == collection
		return !used
	})
	return used
}

// clearField removes a dropped column's field from all documents, unless a live column has the field again.
func (s *Store) clearField(ctx context.Context, database, collection string, path []string, declared *catalog.Snapshot) error {
	live := false
	declared.EachRelation(func(r *catalog.Relation) bool {
		if r.Collection == collection {
			for _, c := range r.Live() {
				live = live || strings.Join(c.Path, "\x00") == strings.Join(path, "\x00")
			}
		}
		return !live
	})
	if live {
		return nil
	}
	return s.updateAll(ctx, database, collection, bson.D{{Key: "$unset", Value: bson.D{{Key: strings.Join(path, "."), Value: ""}, {Key: "_us." + path[len(path)-1], Value: ""}}}}, path, true)
}

// updateAll updates every document of a collection that has (or has not) a field, outside transactions. Field names that
// cannot be part of a path are left alone.
func (s *Store) updateAll(ctx context.Context, database, collection string, update any, path []string, present bool) error {
	for _, k := range path {
		if k == "" || k[0] == '$' || strings.Contains(k, ".") {
			return nil
		}
	}
	filter := bson.D{{Key: strings.Join(path, "."), Value: bson.D{{Key: "$exists", Value: present}}}}
	_, err := s.client.Run(ctx, database, bson.D{
		{Key: "update", Value: collection},
		{Key: "updates", Value: bson.A{bson.D{{Key: "q", Value: filter}, {Key: "u", Value: update}, {Key: "multi", Value: true}}}},
		{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}},
	})
	return err
}
