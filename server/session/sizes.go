package session

import (
	"context"
	"sync"
	"time"

	"github.com/pgmongo/pgmongo/catalog"
)

// sizes keeps the estimated sizes of collections for a while: the planner asks for them all the time.
type sizes struct {
	mu sync.Mutex
	m  map[sizeKey]size
}

type sizeKey struct{ database, collection string }

type size struct {
	rows int64
	at   time.Time
}

const sizeFor = 10 * time.Second

// rows estimates the number of documents of a relation; without an answer a guess is good enough to choose a plan.
func (z *sizes) rows(ctx context.Context, c Catalogs, database string, rel *catalog.Relation) int64 {
	k := sizeKey{database, rel.Collection}
	z.mu.Lock()
	have, ok := z.m[k]
	z.mu.Unlock()
	if ok && time.Since(have.at) < sizeFor {
		return have.rows
	}
	n, _, _, err := c.Stats(ctx, database, rel)
	if err != nil {
		n = 1000
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.m == nil || len(z.m) > 10000 {
		z.m = map[sizeKey]size{}
	}
	z.m[k] = size{n, time.Now()}
	return n
}
