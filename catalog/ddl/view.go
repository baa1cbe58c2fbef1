package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// createView is CREATE [OR REPLACE] VIEW.
func (r *run) createView(n *pg_query.ViewStmt) error {
	if r.c.Exprs == nil {
		return pgerr.Unsupported("CREATE VIEW without a planner")
	}
	query := proto.Clone(n.Query).(*pg_query.Node)
	uses, temp := r.qualifyNames(query)
	cols, err := r.c.Exprs.Query(r.ctx, r.snap(), proto.Clone(query).(*pg_query.Node))
	if err != nil {
		return err
	}
	rv := proto.Clone(n.View).(*pg_query.RangeVar)
	if temp && rv.Relpersistence != "t" {
		r.notice(pgerr.SuccessfulCompletion, "view \"%s\" will be a temporary view", rv.Relname)
		rv.Relpersistence = "t"
	}
	columns, err := viewColumns(n, cols)
	if err != nil {
		return err
	}
	text, err := r.viewText(query, cols)
	if err != nil {
		return err
	}
	stored, err := r.describeView(text)
	if err != nil {
		return err
	}
	// The text of a query may be another query around it, which says less about why it cannot be written.
	if base, err := r.c.Exprs.View(r.ctx, r.snap(), query.GetSelectStmt()); err != nil {
		return err
	} else if base.Base.Reason != "" {
		stored.Base = base.Base
	}
	options, err := viewOptions(n, stored.Base)
	if err != nil {
		return err
	}
	var old *catalog.Relation
	if n.Replace {
		if old, err = r.replacedView(rv, columns); err != nil {
			return err
		}
	}
	var rel *catalog.Relation
	if old != nil {
		rel = old.Clone()
		for i, c := range columns {
			if i < len(old.Columns) {
				c.Default, c.Comment = old.Columns[i].Default, old.Columns[i].Comment
			}
		}
	} else if rel, err = r.newRelation(rv, catalog.KindView, false); err != nil {
		return err
	}
	rel.Columns, rel.View, rel.Uses, rel.UsesColumns, rel.Base, rel.Options = columns, text, uses, distinctUses(stored.References), stored.Base, options
	r.ch.PutRelation(rel)
	return nil
}

// describeView binds the text of a view.
func (r *run) describeView(text string) (*planner.ViewDescription, error) {
	stmts, err := sql.Parse(text)
	if err != nil {
		return nil, pgerr.Internal("definition of a view does not parse: %w", err)
	}
	v, err := r.c.Exprs.View(r.ctx, r.snap(), stmts[0].Node.GetSelectStmt())
	if err != nil {
		return nil, unplaced(err)
	}
	return v, nil
}

// distinctUses are the columns that a query names, each once.
func distinctUses(refs []planner.Reference) []catalog.ColumnUse {
	var out []catalog.ColumnUse
	for _, u := range refs {
		if !slices.Contains(out, u.ColumnUse) {
			out = append(out, u.ColumnUse)
		}
	}
	return out
}

// viewOptions are a view's options, the check option among them, which needs a view that can be written through.
func viewOptions(n *pg_query.ViewStmt, base *catalog.ViewBase) ([]string, error) {
	var out []string
	for _, o := range n.Options {
		out = append(out, optionText(o.GetDefElem()))
	}
	switch n.WithCheckOption {
	case pg_query.ViewCheckOption_LOCAL_CHECK_OPTION:
		out = append(out, "check_option=local")
	case pg_query.ViewCheckOption_CASCADED_CHECK_OPTION:
		out = append(out, "check_option=cascaded")
	}
	return out, checkViewOptions(out, base)
}

func checkViewOptions(options []string, base *catalog.ViewBase) error {
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		switch {
		case name == "security_barrier" || name == "security_invoker":
			if _, ok := types.ParseBool(value); !ok {
				return pgerr.New(pgerr.InvalidParameterValue, "invalid value for boolean option \"%s\": %s", name, value)
			}
		case name != "check_option":
			return pgerr.New(pgerr.InvalidParameterValue, "unrecognized parameter \"%s\"", name)
		case value != "local" && value != "cascaded":
			return pgerr.New(pgerr.InvalidParameterValue, "invalid value for enum option \"check_option\": %s", value).
				WithDetail("Valid values are \"local\" and \"cascaded\".")
		default:
			reason := ""
			if base != nil {
				reason = base.Reason
				if reason == "" && !base.Writable() {
					reason = "Views that have no updatable columns are not automatically updatable."
				}
			}
			if base == nil || reason != "" {
				return pgerr.New(pgerr.FeatureNotSupported, "WITH CHECK OPTION is supported only on automatically updatable views").WithHint("%s", reason)
			}
		}
	}
	return nil
}

func viewColumns(n *pg_query.ViewStmt, cols []QueryCol) ([]*catalog.Column, error) {
	aliases := names(n.Aliases)
	if len(aliases) > len(cols) {
		return nil, pgerr.New(pgerr.SyntaxError, "CREATE VIEW specifies more column names than columns")
	}
	var out []*catalog.Column
	for i, q := range cols {
		name := q.Name
		if i < len(aliases) {
			name = aliases[i]
		}
		if slices.ContainsFunc(out, func(c *catalog.Column) bool { return c.Name == name }) {
			return nil, pgerr.New(pgerr.DuplicateColumn, "column \"%s\" specified more than once", name)
		}
		if q.Type == types.UnknownT {
			q.Type = types.TextT
		}
		c := &catalog.Column{Attnum: int16(i + 1), Name: name, Type: q.Type, Typmod: q.Typmod, Collation: q.Type.Collation}
		if err := checkColumnType(c, nil); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// replacedView finds the view that CREATE OR REPLACE replaces and checks that its columns stay; nil when there is none.
func (r *run) replacedView(rv *pg_query.RangeVar, columns []*catalog.Column) (*catalog.Relation, error) {
	schema := rv.Schemaname
	if schema == "" {
		schema = r.c.Creation
	}
	if rv.Relpersistence == "t" && r.c.Temp != nil {
		schema = r.c.Temp.Schema
	}
	old := r.snap().RelationIn(r.tempSchema(schema), rv.Relname)
	if old == nil {
		return nil, nil
	}
	if old.Kind != catalog.KindView {
		return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a view", old.Name)
	}
	if err := r.mayCreateIn(r.snap().SchemaByOID(old.SchemaID)); err != nil {
		return nil, err
	}
	if err := r.mustOwn("view", old.Name, old.Owner); err != nil {
		return nil, err
	}
	if len(columns) < len(old.Columns) {
		return nil, pgerr.New(pgerr.InvalidTableDefinition, "cannot drop columns from view")
	}
	for i, c := range old.Columns {
		n := columns[i]
		switch {
		case c.Name != n.Name:
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "cannot change name of view column \"%s\" to \"%s\"", c.Name, n.Name).
				WithHint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.")
		case c.Type != n.Type || c.Typmod != n.Typmod:
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "cannot change data type of view column \"%s\" from %s to %s", c.Name,
				types.FormatType(c.Type, c.Typmod), types.FormatType(n.Type, n.Typmod))
		}
	}
	return old, nil
}

// qualifyNames writes schemas into the table references of a view's query, so that it means the same under every search
// path, and returns the relations that it reads.
func (r *run) qualifyNames(query *pg_query.Node) (uses []uint32, temp bool) {
	var ctes []string
	sql.Walk(query, func(m *pg_query.Node) bool {
		if c := m.GetCommonTableExpr(); c != nil {
			ctes = append(ctes, c.Ctename)
		}
		if n := m.GetCollateClause(); n != nil && len(n.Collname) == 1 {
			if c := r.snap().Collation(r.c.Path, "", n.Collname[0].GetString_().GetSval()); c != nil && !c.BuiltIn() {
				n.Collname = []*pg_query.Node{stringNode(r.snap().SchemaByOID(c.SchemaID).Name), n.Collname[0]}
			}
		}
		if f := m.GetFuncCall(); f != nil && len(f.Funcname) == 1 {
			if schema := r.schemaOfFunctions(f.Funcname[0].GetString_().GetSval()); schema != "" {
				f.Funcname = []*pg_query.Node{stringNode(schema), f.Funcname[0]}
			}
		}
		return true
	})
	sql.Walk(query, func(rv *pg_query.RangeVar) bool {
		if rv.Schemaname == "" && slices.Contains(ctes, rv.Relname) {
			return false
		}
		rel, err := r.find(rv)
		if err != nil || rel == nil {
			return false
		}
		rv.Schemaname = rel.Schema
		if rel.Persistence == 't' {
			temp = true
		}
		if !isSystem(rel) && !slices.Contains(uses, rel.OID) {
			uses = append(uses, rel.OID)
		}
		return false
	})
	return uses, temp
}

// schemaOfFunctions is the one schema of the search path that has functions of a name; "" when it is pg_catalog or when
// several have, so that the call's arguments decide.
func (r *run) schemaOfFunctions(name string) string {
	found := ""
	for _, schema := range r.c.Path {
		if len(r.snap().FunctionsIn(schema, name)) == 0 {
			continue
		}
		if found != "" || len(r.resolver().Procs.ByName("pg_catalog", name)) > 0 {
			return ""
		}
		found = schema
	}
	return found
}

// viewText prints a view's query with every * written out: columns that are added to a table later are not in the view.
func (r *run) viewText(query *pg_query.Node, cols []QueryCol) (string, error) {
	expanded := proto.Clone(query).(*pg_query.Node)
	if r.expandStars(expanded.GetSelectStmt()) {
		if text, err := deparseStmt(expanded); err == nil {
			if _, err := sql.Parse(text); err == nil {
				return text, nil
			}
		}
	}
	// A * over a join with merged columns or over a function, or what the parser's printer gets wrong, such as
	// FROM CAST(1 + 2 AS int).
	if text, err := r.c.Exprs.ShowQuery(r.ctx, r.snap(), proto.Clone(query).(*pg_query.Node).GetSelectStmt()); err == nil {
		return text, nil
	}
	// The outer query picks the columns by name.
	seen := map[string]bool{}
	outer := &pg_query.SelectStmt{LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE}
	for _, c := range cols {
		if seen[c.Name] {
			return "", pgerr.Unsupported("a view with * over this FROM clause and columns of the same name")
		}
		seen[c.Name] = true
		outer.TargetList = append(outer.TargetList, columnTarget("v", c.Name))
	}
	outer.FromClause = []*pg_query.Node{{Node: &pg_query.Node_RangeSubselect{RangeSubselect: &pg_query.RangeSubselect{
		Subquery: query, Alias: &pg_query.Alias{Aliasname: "v"},
	}}}}
	return deparseStmt(&pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: outer}})
}

func columnTarget(table, name string) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_ResTarget{ResTarget: &pg_query.ResTarget{Val: &pg_query.Node{
		Node: &pg_query.Node_ColumnRef{ColumnRef: &pg_query.ColumnRef{Fields: []*pg_query.Node{stringNode(table), stringNode(name)}}},
	}}}}
}

// fromItem is a table of a FROM clause with its columns.
type fromItem struct {
	alias string
	cols  []string
}

// expandStars replaces the stars of a SELECT and of those below it; false when it cannot tell the columns.
func (r *run) expandStars(s *pg_query.SelectStmt) bool {
	if s == nil {
		return true
	}
	if s.Op != pg_query.SetOperation_SETOP_NONE {
		return r.expandStars(s.Larg) && r.expandStars(s.Rarg)
	}
	if s.WithClause != nil && hasStar(s) {
		return false
	}
	items, ok := r.fromItems(s.FromClause)
	var out []*pg_query.Node
	for _, t := range s.TargetList {
		ref := t.GetResTarget().GetVal().GetColumnRef()
		if ref == nil || ref.Fields[len(ref.Fields)-1].GetAStar() == nil {
			out = append(out, t)
			continue
		}
		if !ok {
			return false
		}
		want := ""
		if len(ref.Fields) > 1 {
			want = ref.Fields[len(ref.Fields)-2].GetString_().GetSval()
		}
		found := false
		for _, it := range items {
			if want != "" && it.alias != want {
				continue
			}
			found = true
			for _, c := range it.cols {
				out = append(out, columnTarget(it.alias, c))
			}
		}
		if !found {
			return false
		}
	}
	s.TargetList = out
	return true
}

func hasStar(s *pg_query.SelectStmt) bool {
	return slices.ContainsFunc(s.TargetList, func(t *pg_query.Node) bool {
		ref := t.GetResTarget().GetVal().GetColumnRef()
		return ref != nil && ref.Fields[len(ref.Fields)-1].GetAStar() != nil
	})
}

func (r *run) fromItems(list []*pg_query.Node) ([]fromItem, bool) {
	var out []fromItem
	for _, n := range list {
		items, ok := r.fromItem(n)
		if !ok {
			return nil, false
		}
		out = append(out, items...)
	}
	return out, true
}

func (r *run) fromItem(n *pg_query.Node) ([]fromItem, bool) {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_RangeVar:
		rel, err := r.find(x.RangeVar)
		if err != nil || rel == nil {
			return nil, false
		}
		it := fromItem{alias: x.RangeVar.Relname}
		for _, c := range rel.Live() {
			it.cols = append(it.cols, c.Name)
		}
		return []fromItem{it.under(x.RangeVar.Alias)}, true
	case *pg_query.Node_RangeSubselect:
		sel := x.RangeSubselect.Subquery.GetSelectStmt()
		if sel == nil || x.RangeSubselect.Alias == nil || !r.expandStars(sel) {
			return nil, false
		}
		for sel.Op != pg_query.SetOperation_SETOP_NONE {
			sel = sel.Larg
		}
		it := fromItem{}
		for _, t := range sel.TargetList {
			name := t.GetResTarget().GetName()
			if name == "" {
				name = figure(t.GetResTarget().GetVal())
			}
			if name == "" {
				name = "?column?"
			}
			it.cols = append(it.cols, name)
		}
		if len(it.cols) == 0 {
			return nil, false // VALUES
		}
		return []fromItem{it.under(x.RangeSubselect.Alias)}, true
	case *pg_query.Node_JoinExpr:
		j := x.JoinExpr
		if j.IsNatural || len(j.UsingClause) > 0 || j.Alias != nil {
			return nil, false
		}
		return r.fromItems([]*pg_query.Node{j.Larg, j.Rarg})
	}
	return nil, false
}

// under applies an alias with its column names.
func (it fromItem) under(a *pg_query.Alias) fromItem {
	if a == nil {
		return it
	}
	it.alias = a.Aliasname
	cols := names(a.Colnames)
	it.cols = slices.Clone(it.cols)
	copy(it.cols, cols)
	return it
}
