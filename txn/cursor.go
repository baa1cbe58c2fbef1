package txn

import (
	"context"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// txnCursor is a cursor inside a MongoDB transaction. Such a cursor sees writes that the transaction makes after it was
// opened, and dies with the transaction: before either happens it is read to its end into memory.
// The counter-example: FETCH 1; UPDATE of the next row; FETCH 1 must show that row as it was.
type txnCursor struct {
	s     *Session
	inner mongo.Cursor // nil once it was drained or killed
	from  string       // database and collection
	rest  []bson.Raw
	dead  bool
	onErr func(error) error
}

func place(database, collection string) string { return database + "\x00" + collection }

func (c *txnCursor) Next(ctx context.Context) (bson.Raw, error) {
	if len(c.rest) > 0 {
		d := c.rest[0]
		c.rest = c.rest[1:]
		return d, nil
	}
	if c.dead {
		return nil, pgerr.New(pgerr.InvalidCursorState, "the transaction that the cursor reads in has ended")
	}
	if c.inner == nil {
		return nil, io.EOF
	}
	d, err := c.inner.Next(ctx)
	if err != nil && err != io.EOF {
		return nil, c.onErr(err)
	}
	return d, err
}

func (c *txnCursor) Buffered() int {
	n := len(c.rest)
	if c.inner != nil {
		n += c.inner.Buffered()
	}
	return n
}

func (c *txnCursor) Close(ctx context.Context) error {
	delete(c.s.cursors, c)
	c.rest = nil
	if c.inner == nil {
		return nil
	}
	inner := c.inner
	c.inner = nil
	return inner.Close(ctx)
}

// drain reads the rest into memory.
func (c *txnCursor) drain(ctx context.Context, limit int64) error {
	if c.inner == nil {
		return nil
	}
	var held int64
	for {
		d, err := c.inner.Next(ctx)
		if err == io.EOF {
			inner := c.inner
			c.inner = nil
			return inner.Close(ctx)
		}
		if err != nil {
			return c.onErr(err)
		}
		if held += int64(len(d)) + 24; held > limit {
			return pgerr.New(pgerr.OutOfMemory, "out of memory").
				WithDetail("The rows that an open cursor has not yet returned exceed the limit of the transaction log (%d bytes).", limit)
		}
		c.rest = append(c.rest, d)
	}
}

// kill is called when the transaction has ended: what was drained stays readable.
func (c *txnCursor) kill() {
	if c.inner != nil {
		c.dead, c.inner = true, nil
	}
}

// drainCursors drains the open cursors on a collection, or all of them when database is "".
func (s *Session) drainCursors(ctx context.Context, database, collection string) error {
	for c := range s.cursors {
		if database == "" || c.from == place(database, collection) {
			if err := c.drain(ctx, s.m.opts.LogLimit); err != nil {
				return err
			}
			delete(s.cursors, c)
		}
	}
	return nil
}

// first returns a cursor's first document, nil if it has none.
func first(ctx context.Context, cur mongo.Cursor) (bson.Raw, error) {
	d, err := cur.Next(ctx)
	if err == io.EOF {
		return nil, nil
	}
	return d, err
}
