package cluster

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// keepMessages is how long messages are kept: a stream that was interrupted goes on where it was.
const keepMessages = 600

// listen begins to take the messages of the others. It returns when all that are sent from now on will be seen.
func (m *Member) listen(ctx context.Context) error {
	if m.stream != nil {
		return nil
	}
	for _, c := range []string{Messages, Guards, Locks} {
		if err := m.client.CreateCollection(ctx, Database, c, nil); err != nil && !pgerr.Is(err, pgerr.DuplicateTable) {
			return err
		}
	}
	expire := int64(keepMessages)
	if err := m.client.CreateIndex(ctx, Database, Messages, mongo.IndexInfo{Name: "at", Keys: bson.D{{Key: "at", Value: 1}}, ExpireAfter: &expire}); err != nil {
		return err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	cur, err := m.watch(run)
	if err != nil {
		stop()
		return err
	}
	m.stream = stop
	m.done.Go(func() { m.receive(run, cur) })
	return nil
}

func (m *Member) watch(ctx context.Context) (mongo.Cursor, error) {
	return m.client.Watch(ctx, Database, Messages, bson.D{{Key: "from", Value: bson.D{{Key: "$ne", Value: m.id}}}})
}

// receive hands messages on until the stream is stopped. The driver resumes over failovers; when even that fails a new
// stream begins, and the handler's Tick finds what was missed and matters.
func (m *Member) receive(ctx context.Context, cur mongo.Cursor) {
	for ctx.Err() == nil {
		doc, err := cur.Next(ctx)
		if err == nil {
			var msg Message
			if err = bson.Unmarshal(doc, &msg); err == nil {
				m.handler.Receive(msg)
				continue
			}
		}
		if ctx.Err() != nil {
			break
		}
		m.log.Warn("the stream of messages of other proxies was interrupted", "error", err)
		for next := mongo.Cursor(nil); next == nil && ctx.Err() == nil; {
			if next, err = m.watch(ctx); err == nil {
				_ = cur.Close(ctx) // it failed already
				cur = next
				break
			}
			next = nil
			select {
			case <-ctx.Done():
			case <-time.After(beatEvery):
			}
		}
	}
	_ = cur.Close(ctx) // nobody reads it any more
}

// Compose completes a message of this proxy, as the document that is to be inserted into Messages.
func (m *Member) Compose(msg Message) (bson.RawValue, bson.Raw, error) {
	msg.ID, msg.From, msg.At = bson.NewObjectID(), m.id, time.Now()
	doc, err := bson.Marshal(msg)
	return bson.Raw(doc).Lookup("_id"), doc, err
}

// Send sends a message at once.
func (m *Member) Send(ctx context.Context, msg Message) error {
	id, doc, err := m.Compose(msg)
	if err != nil {
		return err
	}
	return m.client.Write(ctx, Database, Messages, []mongo.Write{{Kind: mongo.WriteInsert, ID: id, Doc: doc}})
}
