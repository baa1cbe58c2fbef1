package ddl

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// keepDefinition gives a materialised view its query's text and what that depends on.
func (r *run) keepDefinition(rel *catalog.Relation, stmt *pg_query.Node, cols []QueryCol) error {
	query := proto.Clone(stmt).(*pg_query.Node)
	for _, c := range query.GetSelectStmt().GetWithClause().GetCtes() {
		if c.GetCommonTableExpr().Ctequery.GetSelectStmt() == nil {
			return pgerr.New(pgerr.FeatureNotSupported, "materialized views must not use data-modifying statements in WITH")
		}
	}
	uses, temp := r.qualifyNames(query)
	if temp {
		return pgerr.New(pgerr.FeatureNotSupported, "materialized views must not use temporary tables or views")
	}
	text, err := r.viewText(query, cols)
	if err != nil {
		return err
	}
	stored, err := r.describeView(text)
	if err != nil {
		return err
	}
	rel.View, rel.Uses, rel.UsesColumns = text, uses, distinctUses(stored.References)
	return nil
}

// refresh is REFRESH MATERIALIZED VIEW: the rows go, and the session runs the query again.
func (r *run) refresh(n *pg_query.RefreshMatViewStmt) error {
	if n.Concurrent && n.SkipData {
		return pgerr.New(pgerr.SyntaxError, "%s and %s options cannot be used together", "CONCURRENTLY", "WITH NO DATA")
	}
	rel, err := r.relation(n.Relation)
	if err != nil {
		return err
	}
	if rel.Kind != catalog.KindMatView {
		return pgerr.New(pgerr.FeatureNotSupported, "\"%s\" is not a materialized view", rel.Name)
	}
	if n.Concurrent {
		if rel.NotPopulated {
			return pgerr.New(pgerr.FeatureNotSupported, "%s cannot be used when the materialized view is not populated", "CONCURRENTLY")
		}
		if !slices.ContainsFunc(rel.Indexes, identifiesRows) {
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cannot refresh materialized view \"%s\" concurrently", quote(rel.Schema)+"."+quote(rel.Name)).
				WithHint("Create a unique index with no WHERE clause on one or more columns of the materialized view.")
		}
	}
	stmts, err := sql.Parse(rel.View)
	if err != nil {
		return pgerr.Internal("definition of materialized view \"%s\" does not parse: %w", rel.Name, err)
	}
	c := rel.Clone()
	c.NotPopulated = n.SkipData
	r.ch.PutRelation(c)
	r.do(Truncate{c})
	if !n.SkipData {
		r.fill = &Fill{Table: c, Query: stmts[0].Node}
	}
	return nil
}

// identifiesRows reports whether every row is in a unique index of columns.
func identifiesRows(i *catalog.Index) bool {
	return i.Unique && !i.Invalid && i.Where == "" && !slices.ContainsFunc(i.Keys, func(k catalog.IndexKey) bool { return k.Attnum == 0 })
}
