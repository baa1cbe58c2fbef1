package store

import (
	"context"
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/txn"
)

// pendingIndex is an index that a transaction drops when it commits.
type pendingIndex struct {
	session *txn.Session
	rel     *catalog.Relation
	index   *catalog.Index
	gone    bool
}

// pend remembers an index that a transaction is going to drop, until the function it returns is called.
func (s *Store) pend(p *pendingIndex) (forget func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, p)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pending = slices.DeleteFunc(s.pending, func(o *pendingIndex) bool { return o == p })
	}
}

// inTheWay returns the indexes that a session's transaction is going to drop and that MongoDB does not let be beside a new
// one: those of its name, which the commit would take for the old one, and those over its fields.
func (s *Store) inTheWay(session *txn.Session, rel *catalog.Relation, idx *catalog.Index) []*pendingIndex {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*pendingIndex
	for _, p := range s.pending {
		if p.session != session || p.gone || p.rel.Collection != rel.Collection {
			continue
		}
		if p.index.MongoName == idx.MongoName || sameFields(p.index, idx) {
			out = append(out, p)
		}
	}
	return out
}

func sameFields(a, b *catalog.Index) bool {
	return slices.EqualFunc(a.Keys, b.Keys, func(x, y catalog.IndexKey) bool { return x.Attnum == y.Attnum && x.Desc == y.Desc })
}

func (w *worker) createIndex(ctx context.Context, rel *catalog.Relation, idx *catalog.Index) error {
	rel = w.latest(rel)
	if rel.Index(idx.OID) == nil || idx.MongoName == "" || idx.MongoName == "_id_" || w.fresh[rel.Collection] || sharedBefore(rel, idx) {
		return nil
	}
	return w.session.OutsideOf(ctx, w.database, rel.Collection, func(ctx context.Context) error {
		for _, p := range w.store.inTheWay(w.session, rel, idx) {
			if err := w.dropEarly(ctx, p); err != nil {
				return err
			}
		}
		if err := w.store.buildIndex(ctx, w.database, rel, idx, w.rewritten[rel.Collection]); err != nil {
			return err
		}
		w.undo(func(ctx context.Context) error {
			return w.store.client.DropIndex(ctx, w.database, rel.Collection, idx.MongoName)
		})
		return nil
	})
}

// dropEarly drops an index before the commit that orders it; a rollback builds it again, after it has dropped what took
// its place.
func (w *worker) dropEarly(ctx context.Context, p *pendingIndex) error {
	if err := w.store.client.DropIndex(ctx, w.database, p.rel.Collection, p.index.MongoName); err != nil {
		return err
	}
	p.gone = true
	w.undo(func(ctx context.Context) error {
		p.gone = false
		return w.store.buildIndex(ctx, w.database, p.rel, p.index, false)
	})
	return nil
}

// dropIndex drops an index after the commit, unless an index made since has had to take its place.
func (w *worker) dropIndex(rel *catalog.Relation, idx *catalog.Index) error {
	if idx.MongoName == "" || idx.MongoName == "_id_" {
		return nil
	}
	p := &pendingIndex{session: w.session, rel: rel, index: idx}
	forget := w.store.pend(p)
	w.session.OnTransactionEnd(func(ctx context.Context) {
		forget()
		if p.gone {
			return
		}
		ctx, cancel := detached(ctx)
		defer cancel()
		_ = w.store.client.DropIndex(ctx, w.database, rel.Collection, idx.MongoName) // an index that stays costs space only
	}, func(context.Context) { forget() })
	return nil
}
