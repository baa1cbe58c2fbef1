package sql

import (
	"slices"
	"testing"

	pg_query "github.com/pganalyze/pg_query_go/v6"
)

func TestWalk(t *testing.T) {
	tree, err := pg_query.Parse("INSERT INTO a SELECT x.p + 1 FROM b x WHERE EXISTS (SELECT FROM c WHERE c.q = x.q)")
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	Walk(tree, func(r *pg_query.RangeVar) bool {
		tables = append(tables, r.Relname)
		return true
	})
	slices.Sort(tables)
	if want := []string{"a", "b", "c"}; !slices.Equal(tables, want) {
		t.Errorf("tables %v, want %v", tables, want)
	}
	outside := 0
	Walk(tree, func(n *pg_query.Node) bool {
		if n.GetColumnRef() != nil {
			outside++
		}
		return n.GetSubLink() == nil
	})
	if outside != 1 {
		t.Errorf("%d columns outside of the subquery, want 1", outside)
	}
	Walk((*pg_query.Node)(nil), func(*pg_query.Node) bool {
		t.Error("a nil tree was visited")
		return true
	})
}
