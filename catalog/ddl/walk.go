package ddl

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
)

// columnRefs returns the names of the columns that an expression over one relation refers to, each once, in the order of
// their first use; whole says that it refers to the whole row.
func columnRefs(n *pg_query.Node) (cols []string, whole bool) {
	sql.Walk(n, func(m *pg_query.Node) bool {
		ref := m.GetColumnRef()
		if ref == nil {
			return true
		}
		last := ref.Fields[len(ref.Fields)-1]
		if last.GetAStar() != nil {
			whole = true
			return false
		}
		if name := last.GetString_().GetSval(); !slices.Contains(cols, name) {
			cols = append(cols, name)
		}
		return false
	})
	return cols, whole
}

// attnums maps column names to attnums; names that are no column are left out.
func attnums(rel *catalog.Relation, names []string) []int16 {
	var out []int16
	for _, n := range names {
		if c := rel.Column(n); c != nil {
			out = append(out, c.Attnum)
		}
	}
	slices.Sort(out)
	return out
}
