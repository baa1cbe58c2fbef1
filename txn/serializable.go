package txn

import (
	"hash/fnv"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// SERIALIZABLE is snapshot isolation in which no transaction that writes commits after it has read what a concurrent one
// wrote: without such an edge from writer to writer there is no cycle. Guards turn the edge into a conflict of writes that
// MongoDB finds. A read by _id relies on the bucket of the key, which a write of that key breaks. Another read breaks the
// table, on which every write relies, so that writers of different rows do not conflict. A transaction that writes nothing
// changes no guards: it cannot be the middle or the end of a cycle of edges between writers.

func tableGuard(database, collection string) string { return "t:" + database + "." + collection }

func keyGuard(database, collection string, id bson.RawValue) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(rowKey("", "", id))) // a hash takes everything
	return "k:" + database + "." + collection + ":" + strconv.Itoa(int(h.Sum32()%guardBuckets))
}

// hasRead notes a read of a SERIALIZABLE transaction.
func (s *Session) hasRead(q mongo.Query) {
	ids := keysOf(q)
	if ids == nil {
		s.guard(tableGuard(q.Database, q.Collection), true)
	}
	for _, id := range ids {
		s.guard(keyGuard(q.Database, q.Collection, id), false)
	}
	for _, c := range joined(q.Pipeline, nil) {
		s.guard(tableGuard(q.Database, c), true)
	}
}

// hasWritten notes writes of a SERIALIZABLE transaction.
func (s *Session) hasWritten(database, collection string, writes []mongo.Write) {
	s.guard(tableGuard(database, collection), false)
	for i := range writes {
		id := writes[i].ID
		if writes[i].Kind == mongo.WriteInsert {
			id = writes[i].Doc.Lookup("_id")
		}
		s.guard(keyGuard(database, collection, id), true)
	}
}

// keysOf returns the _ids that a query asks for, nil when it asks for something else.
func keysOf(q mongo.Query) []bson.RawValue {
	if q.Pipeline != nil {
		return nil
	}
	for _, e := range q.Filter {
		if e.Key != "_id" {
			continue
		}
		values := bson.A{e.Value}
		if d, ok := e.Value.(bson.D); ok {
			if len(d) != 1 {
				return nil
			}
			values = bson.A{d[0].Value}
			if list, ok := d[0].Value.(bson.A); ok && d[0].Key == "$in" {
				values = list
			} else if d[0].Key != "$eq" {
				return nil
			}
		}
		ids := make([]bson.RawValue, len(values))
		for i, v := range values {
			t, b, err := bson.MarshalValue(v)
			if err != nil {
				return nil
			}
			ids[i] = bson.RawValue{Type: t, Value: b}
		}
		return ids
	}
	return nil
}

// joined lists the other collections that a pipeline reads: what stands under from and coll at any depth.
func joined(v any, out []string) []string {
	switch v := v.(type) {
	case bson.A:
		for _, x := range v {
			out = joined(x, out)
		}
	case bson.D:
		for _, e := range v {
			if name, ok := e.Value.(string); ok && (e.Key == "from" || e.Key == "coll" || e.Key == "$unionWith") {
				out = append(out, name)
				continue
			}
			out = joined(e.Value, out)
		}
	}
	return out
}

// moved refuses to go on in another snapshot than the one that a SERIALIZABLE transaction has read.
func (s *Session) moved() error {
	if s.opts.Isolation == Serializable && (s.lost || s.queries > 1 && len(s.guards) > 0) {
		return dependencies(nil)
	}
	return nil
}

// dependencies is PostgreSQL's error of a SERIALIZABLE transaction that cannot commit.
func dependencies(cause error) error {
	e := pgerr.New(pgerr.SerializationFailure, "could not serialize access due to read/write dependencies among transactions").
		WithHint("The transaction might succeed if retried.")
	if cause == nil {
		return e
	}
	return e.WithDetail("Reason code: Canceled on commit attempt with conflict.")
}
