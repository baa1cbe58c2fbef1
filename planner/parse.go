package planner

import (
	"sync"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/sql"
)

// ParseCache keeps the parse trees of the catalogue's texts (views, defaults, checks), which do not change while the text
// does not. It may be shared by all sessions. A nil cache keeps nothing.
type ParseCache struct{ trees sync.Map }

const maxCachedText = 1 << 20

func (c *ParseCache) get(text string) any {
	if c == nil {
		return nil
	}
	v, _ := c.trees.Load(text)
	return v
}

func (c *ParseCache) put(text string, tree any) {
	if c != nil && len(text) <= maxCachedText {
		c.trees.Store(text, tree)
	}
}

// parseExpr parses an expression's text.
func parseExpr(text string) (*pg_query.Node, error) { return sql.ParseExpr(text) }

// parseText parses an expression of the catalogue, through the cache.
func (b *binder) parseText(text string) (*pg_query.Node, error) {
	if n, ok := b.c.Views.get(text).(*pg_query.Node); ok {
		return n, nil
	}
	n, err := parseExpr(text)
	if err == nil {
		b.c.Views.put(text, n)
	}
	return n, err
}
