package mongo

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/pgmongo/pgmongo/types/pgerr"
	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
)

// Mode is what a Session gives its operations.
type Mode uint8

// The modes. On a standalone server a Snapshot session reads without a snapshot, and a Transaction is refused.
const (
	Plain       Mode = iota // each operation by itself
	Snapshot                // all reads see one point in time; no writes
	Transaction             // one MongoDB transaction
)

// Session is a sequence of operations that belong together on the server. It is used by one goroutine and ended by End.
type Session struct {
	c    *Client
	s    *driver.Session
	mode Mode
	open bool // a transaction that was started and not ended
}

const cleanupTimeout = 5 * time.Second

// AnswerTimeout is how long the answer to a change is waited for after its statement was cancelled.
const AnswerTimeout = 5 * time.Second

// Session starts a session. Nothing is sent before its first operation.
func (c *Client) Session(mode Mode) (*Session, error) {
	o := options.Session()
	switch {
	case mode == Snapshot && c.info.Kind == Standalone:
		mode = Plain
	case mode == Snapshot:
		o.SetSnapshot(true)
	case mode == Transaction && c.info.Kind == Standalone:
		return nil, pgerr.New(pgerr.FeatureNotSupported, "transactions need MongoDB to run as a replica set").
			WithHint("Restart mongod with --replSet rs0 and run rs.initiate() once in mongosh: a replica set of one member will do.")
	}
	s, err := c.c.StartSession(o)
	if err != nil {
		return nil, pgerr.New(pgerr.ConnectionFailure, "starting a MongoDB session: %w", err)
	}
	ses := &Session{c: c, s: s, mode: mode}
	if mode == Transaction {
		err := s.StartTransaction(options.Transaction().SetReadConcern(readconcern.Snapshot()).SetWriteConcern(majority()).SetReadPreference(readpref.Primary()))
		if err != nil {
			return nil, pgerr.Internal("starting a MongoDB transaction: %w", err)
		}
		ses.open = true
	}
	return ses, nil
}

// Mode returns the session's mode.
func (s *Session) Mode() Mode { return s.mode }

func (s *Session) ctx(ctx context.Context) context.Context {
	if s.s == nil {
		return ctx
	}
	return driver.NewSessionContext(ctx, s.s)
}

// failed maps an error; when ctx was cancelled it makes the server stop what the session still runs: the driver only
// closes its connection, which the server notices late or, for some stages, never.
func (s *Session) failed(ctx context.Context, err error) error {
	if err != nil && s.s != nil && ended(ctx, err) {
		if kill := s.kill(ctx); kill != nil {
			err = errors.Join(err, kill)
		}
	}
	return Error(ctx, err)
}

// kill makes the server end what the session runs.
func (s *Session) kill(ctx context.Context) error {
	kctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	return s.c.c.Database("admin").RunCommand(kctx, bson.D{{Key: "killSessions", Value: bson.A{s.s.ID()}}}).Err()
}

// Read opens a cursor on a query.
func (s *Session) Read(ctx context.Context, q Query) (Cursor, error) {
	coll := s.c.c.Database(q.Database).Collection(q.Collection)
	var cur *driver.Cursor
	var err error
	if q.Pipeline != nil {
		cur, err = coll.Aggregate(s.ctx(ctx), q.Pipeline, aggregateOptions(q))
	} else {
		filter := q.Filter
		if filter == nil {
			filter = bson.D{}
		}
		cur, err = coll.Find(s.ctx(ctx), filter, findOptions(q))
	}
	if err != nil {
		return nil, s.failed(ctx, err)
	}
	return &cursor{s: s, cur: cur, database: q.Database, collection: q.Collection, fixed: q.BatchSize != 0}, nil
}

func findOptions(q Query) *options.FindOptionsBuilder {
	o := options.Find().SetAllowDiskUse(true)
	if q.Projection != nil {
		o.SetProjection(q.Projection)
	}
	if q.Sort != nil {
		o.SetSort(q.Sort)
	}
	if q.Skip != 0 {
		o.SetSkip(q.Skip)
	}
	if q.Limit != 0 {
		o.SetLimit(q.Limit)
	}
	if q.Hint != nil {
		o.SetHint(q.Hint)
	}
	if q.BatchSize != 0 {
		o.SetBatchSize(q.BatchSize)
	}
	if q.Comment != "" {
		o.SetComment(q.Comment)
	}
	if q.Binary {
		o.SetCollation(binary)
	}
	return o
}

// binary is the collation of bytes.
var binary = &options.Collation{Locale: "simple"}

func aggregateOptions(q Query) *options.AggregateOptionsBuilder {
	o := options.Aggregate().SetAllowDiskUse(true)
	if q.Hint != nil {
		o.SetHint(q.Hint)
	}
	if q.BatchSize != 0 {
		o.SetBatchSize(q.BatchSize)
	}
	if q.Comment != "" {
		o.SetComment(q.Comment)
	}
	if q.Binary {
		o.SetCollation(binary)
	}
	return o
}

// laterBatch is the batch size after the first one (101 documents by the server's default, so that LIMIT and point reads
// are cheap): larger than a client's fetch size, small enough that two batches fit any budget.
const laterBatch = 10000

type cursor struct {
	s                    *Session
	cur                  *driver.Cursor
	database, collection string
	fixed                bool // the caller chose the batch size
	grown                bool
	closed               bool
}

// Next returns the next document; its memory belongs to the batch's own wire message, which nobody writes again.
func (c *cursor) Next(ctx context.Context) (bson.Raw, error) {
	if c.closed {
		return nil, io.EOF
	}
	if !c.fixed && !c.grown && c.cur.RemainingBatchLength() == 0 {
		c.cur.SetBatchSize(laterBatch)
		c.grown = true
	}
	if c.cur.Next(ctx) {
		return c.cur.Current, nil
	}
	if err := c.cur.Err(); err != nil {
		return nil, c.s.failed(ctx, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, c.s.failed(ctx, err)
	}
	return nil, io.EOF
}

// Buffered implements Cursor.
func (c *cursor) Buffered() int { return c.cur.RemainingBatchLength() }

// Close closes the cursor on the server, also when ctx was cancelled.
func (c *cursor) Close(ctx context.Context) error {
	if c.closed {
		return nil
	}
	c.closed = true
	kctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if c.s.mode == Snapshot && c.cur.ID() != 0 {
		// The driver would send the session's snapshot along, which killCursors does not take.
		kill := bson.D{{Key: "killCursors", Value: c.collection}, {Key: "cursors", Value: bson.A{c.cur.ID()}}}
		return Error(kctx, c.s.c.c.Database(c.database).RunCommand(kctx, kill).Err())
	}
	return Error(kctx, c.cur.Close(kctx))
}

// CommitHere commits the transaction on the primary without waiting until the commit is lasting, which Commit is to do
// after it. Where it fails, Commit says why.
func (s *Session) CommitHere(ctx context.Context) error {
	if s.c.info.Kind != ReplicaSet {
		return nil
	}
	commit := bson.D{{Key: "commitTransaction", Value: 1}, {Key: "writeConcern", Value: bson.D{{Key: "w", Value: 1}}}}
	return Error(ctx, s.c.c.Database("admin").RunCommand(s.ctx(ctx), commit).Err())
}

// Commit commits the transaction and waits for a definite answer: it is sent again until one comes or ctx ends, which
// gives 08007. An error for which IsConflict holds means that nothing was committed.
func (s *Session) Commit(ctx context.Context) error {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := s.s.CommitTransaction(ctx)
		if err == nil {
			s.open = false
			return nil
		}
		e := describe(err)
		if !e.HasLabel("UnknownTransactionCommitResult") && !driver.IsNetworkError(err) && !driver.IsTimeout(err) && ctx.Err() == nil {
			s.open = false
			return Error(ctx, err)
		}
		select {
		case <-ctx.Done():
			s.open = false
			return pgerr.New(pgerr.TransactionResolutionUnknown, "the connection to MongoDB was lost during commit: it is unknown whether the transaction was committed: %w", describe(err))
		case <-time.After(wait):
		}
	}
}

// Abort aborts the transaction. The server ends it by itself if it cannot be told, so an error is of no consequence and
// none is returned.
func (s *Session) Abort(ctx context.Context) {
	if !s.open {
		return
	}
	s.open = false
	actx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	// AbortTransaction itself reports nothing but misuse: a transaction that is already gone is what was asked for.
	if err := s.s.AbortTransaction(actx); err != nil {
		return
	}
}

// End aborts a transaction that is still open and gives the session back.
func (s *Session) End(ctx context.Context) {
	s.Abort(ctx)
	if s.s != nil {
		s.s.EndSession(context.WithoutCancel(ctx))
	}
}
