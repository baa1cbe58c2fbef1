package txn

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// together makes the single changes of statements that are transactions of their own. A few go to MongoDB one by one; what
// comes while those are under way waits for them and then goes in one MongoDB transaction, which costs the server a
// fraction of as many writes. When anything about such a group is not as expected (a duplicate key, a conflict, a document
// that is not there) nothing of it was done, and each statement makes its change by itself.
type together struct {
	client *mongo.Client
	limit  int

	mu      sync.Mutex
	running int
	// rows are the keys of the rows that are being changed now. Changes of one row are not sent beside each other: the
	// server would make all but one try again.
	rows    map[string]struct{}
	waiting []*single
}

// maxTogether and bytesTogether bound a group.
const (
	maxTogether   = 64
	bytesTogether = 4 << 20
)

// single is one statement's change.
type single struct {
	mongo.Single
	// row is the key of the row that is changed, "" for a new one.
	row string
	// turn is closed when the change was made, or is to be made by its own statement (alone).
	turn    chan struct{}
	alone   bool
	gone    bool // nobody waits for it any more
	matched bool
	err     error
}

// newTogether lets some changes a core go by themselves: as long as MongoDB keeps up, each by itself is faster than a group,
// which is a transaction.
func newTogether(client *mongo.Client) *together {
	return &together{client: client, limit: 8 * runtime.GOMAXPROCS(0), rows: map[string]struct{}{}}
}

// do makes a change; matched reports whether there was such a document.
func (g *together) do(ctx context.Context, w *single) (matched bool, err error) {
	if !g.client.Info().Transactions() {
		return g.client.Do(ctx, w.Single)
	}
	if !g.enter(w) {
		select {
		case <-w.turn:
		case <-ctx.Done():
			if err := g.leave(w); err != nil {
				return false, err
			}
		}
		if !w.alone {
			return w.matched, w.err
		}
	}
	defer g.end(w)
	return g.client.Do(ctx, w.Single)
}

// enter lets a change begin, or lets it wait.
func (g *together) enter(w *single) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, busy := g.rows[w.row]; !busy && g.running < g.limit {
		g.begin(w)
		return true
	}
	w.turn = make(chan struct{})
	g.waiting = append(g.waiting, w)
	return false
}

// leave ends the wait of a statement that was cancelled. What is under way is waited for, since its outcome must be known.
func (g *together) leave(w *single) error {
	g.mu.Lock()
	i := slices.Index(g.waiting, w)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	g.mu.Unlock()
	if i >= 0 {
		return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
	}
	select {
	case <-w.turn:
		return nil
	case <-time.After(mongo.AnswerTimeout):
		g.mu.Lock()
		w.gone = true
		g.mu.Unlock()
		return pgerr.New(pgerr.TransactionResolutionUnknown, "MongoDB did not answer: it is unknown whether the change was made")
	}
}

func (g *together) begin(list ...*single) {
	g.running++
	for _, w := range list {
		if w.row != "" {
			g.rows[w.row] = struct{}{}
		}
	}
}

// end lets those go that waited for what is done.
func (g *together) end(list ...*single) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	for _, w := range list {
		delete(g.rows, w.row)
	}
	for g.running < g.limit {
		next := g.next()
		if len(next) == 0 {
			return
		}
		g.begin(next...)
		if len(next) > 1 {
			go g.all(next)
			continue
		}
		next[0].alone = true
		close(next[0].turn)
	}
}

// next takes what waits for no row that is being changed.
func (g *together) next() []*single {
	var next []*single
	size := 0
	kept := g.waiting[:0]
	for _, w := range g.waiting {
		if _, busy := g.rows[w.row]; busy || len(next) == maxTogether || size > bytesTogether {
			kept = append(kept, w)
			continue
		}
		next = append(next, w)
		size += len(w.Insert) + len(w.Change.Update)
	}
	clear(g.waiting[len(kept):])
	g.waiting = kept
	return next
}

// all makes the changes of a group.
func (g *together) all(list []*single) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	changes := make([]mongo.Single, len(list))
	for i, w := range list {
		changes[i] = w.Single
	}
	done, err := g.client.DoAll(ctx, changes)
	g.mu.Lock()
	for _, w := range list {
		w.matched, w.err = done, err
		w.alone = !done && err == nil && !w.gone
		if w.alone {
			g.running++
		}
		close(w.turn)
	}
	g.mu.Unlock()
	g.end(list...)
}
