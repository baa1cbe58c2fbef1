package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// sortItem is an ORDER BY item over an entry of the target list.
type sortItem struct {
	target     int
	desc       bool
	nullsFirst bool
	less       *expr.Proc
	collation  string
}

func (o sortItem) key(b *binder, x expr.Expr) expr.SortKey {
	return expr.SortKey{X: b.sortKeyOf(x, o.collation), Desc: o.desc, NullsFirst: o.nullsFirst, Less: o.less}
}

// orderBy binds ORDER BY: an output column's name or number, else an expression, which becomes a junk target.
func (s *scope) orderBy(list []*pg_query.Node, targets *[]target, kind clause) ([]sortItem, error) {
	var out []sortItem
	err := s.with(kind, func() error {
		for _, n := range list {
			sb := n.GetSortBy()
			i, err := s.findTarget92(sb.Node, targets, kind)
			if err != nil {
				return err
			}
			item, err := s.sortItem(sb, i, targets)
			if err != nil {
				return err
			}
			dup := false
			for _, o := range out {
				dup = dup || o.target == i
			}
			if !dup {
				out = append(out, item)
			}
		}
		return nil
	})
	return out, err
}

// sortItem works out direction and NULL placement and checks that the type can be ordered.
func (s *scope) sortItem(sb *pg_query.SortBy, i int, targets *[]target) (sortItem, error) {
	t := &(*targets)[i]
	if err := s.unknownToText(&t.x, t.loc); err != nil {
		return sortItem{}, err
	}
	k, err := s.sortKey(sb, t.x, nodeLocation(sb.Node))
	if err != nil {
		return sortItem{}, err
	}
	return sortItem{target: i, desc: k.Desc, nullsFirst: k.NullsFirst, less: k.Less, collation: s.b.collationOf(t.x).name}, nil
}

// sortKey makes an ordering of an expression from a SortBy.
func (s *scope) sortKey(sb *pg_query.SortBy, x expr.Expr, loc int32) (expr.SortKey, error) {
	k := expr.SortKey{X: x}
	if sb.SortbyDir == pg_query.SortByDir_SORTBY_USING {
		if err := s.usingOperator(sb, &k); err != nil {
			return k, err
		}
	} else {
		if _, err := s.b.r.Less(x.Type()); err != nil {
			return k, pgerr.At(err, loc)
		}
		k.Desc = sb.SortbyDir == pg_query.SortByDir_SORTBY_DESC
	}
	switch sb.SortbyNulls {
	case pg_query.SortByNulls_SORTBY_NULLS_FIRST:
		k.NullsFirst = true
	case pg_query.SortByNulls_SORTBY_NULLS_LAST:
	default:
		k.NullsFirst = k.Desc
	}
	return k, nil
}

// usingOperator resolves ORDER BY x USING op: op must be the < or > of a btree operator class.
func (s *scope) usingOperator(sb *pg_query.SortBy, k *expr.SortKey) error {
	schema, name := operatorName(sb.UseOp)
	x, err := s.b.r.Operator(schema, name, k.X, k.X, nodeLocation(sb.Node))
	if err != nil {
		return err
	}
	_, ok := x.(*expr.Call)
	switch {
	case ok && name == "<":
	case ok && name == ">":
		k.Desc = true
	case ok && (name == "~<~" || name == "~>~"):
		k.Desc = name == "~>~" // the pattern operators order as < and > do in the C collation
	default:
		return pgerr.New(pgerr.WrongObjectType, "operator %s is not a valid ordering operator", name).
			WithHint("Ordering operators must be \"<\" or \">\" members of btree operator families.").At(sb.Location)
	}
	return nil
}

func (s *scope) unknownToText(x *expr.Expr, loc int32) error {
	if (*x).Type() != types.UnknownT {
		return nil
	}
	c, err := s.b.r.Coerce(*x, types.TextT, -1, expr.Implicit, loc)
	if err == nil {
		*x = c
	}
	return err
}

// findTarget92 finds a target by SQL-92's rules (output name, position), then by SQL-99's (an expression).
func (s *scope) findTarget92(n *pg_query.Node, targets *[]target, kind clause) (int, error) {
	if c := n.GetColumnRef(); c != nil && len(c.Fields) == 1 && c.Fields[0].GetString_() != nil {
		name := c.Fields[0].GetString_().Sval
		// GROUP BY prefers an input column: SELECT lower(a) AS a ... GROUP BY a groups by the column a.
		if kind == inGroupBy {
			if x, err := s.column(name, c.Location); err != nil {
				return 0, err
			} else if x != nil {
				name = ""
			}
		}
		if name != "" {
			if i, err := s.targetByName(name, *targets, kind, c.Location); err != nil || i >= 0 {
				return i, err
			}
		}
	}
	if c := n.GetAConst(); c != nil {
		iv, ok := c.Val.(*pg_query.A_Const_Ival)
		if !ok {
			return 0, pgerr.New(pgerr.SyntaxError, "non-integer constant in %s", s.info().name).At(c.Location)
		}
		pos := 0
		for i, t := range *targets {
			if !t.junk {
				if pos++; pos == int(iv.Ival.GetIval()) {
					return i, nil
				}
			}
		}
		return 0, pgerr.New(pgerr.InvalidColumnReference, "%s position %d is not in select list", s.info().name, iv.Ival.GetIval()).At(c.Location)
	}
	x, err := s.expr(n)
	if err != nil {
		return 0, err
	}
	return addTarget(targets, x, nodeLocation(n)), nil
}

// addTarget finds an equal entry of the target list or appends a junk one.
func addTarget(targets *[]target, x expr.Expr, loc int32) int {
	for i, t := range *targets {
		if equalExpr(t.x, x) {
			return i
		}
	}
	*targets = append(*targets, target{name: "?column?", x: x, loc: loc, junk: true})
	return len(*targets) - 1
}

func (s *scope) targetByName(name string, targets []target, kind clause, loc int32) (int, error) {
	found := -1
	for i, t := range targets {
		if t.junk || t.name != name {
			continue
		}
		if found < 0 {
			found = i
		} else if !equalExpr(targets[found].x, t.x) {
			return 0, pgerr.New(pgerr.AmbiguousColumn, "%s \"%s\" is ambiguous", clauses[kind].name, name).At(loc)
		}
	}
	return found, nil
}

// distinctClause checks DISTINCT and DISTINCT ON against ORDER BY.
func (s *scope) distinctClause(q *selectState) error {
	d := q.sel.DistinctClause
	if d == nil {
		return nil
	}
	if len(d) == 0 || d[0] == nil || d[0].Node == nil {
		return s.plainDistinct(q)
	}
	var on []int
	err := s.with(inDistinctOn, func() error {
		for _, n := range d {
			i, err := s.findTarget92(n, &q.targets, inDistinctOn)
			if err != nil {
				return err
			}
			on = append(on, i)
		}
		return nil
	})
	if err != nil {
		return err
	}
	skipped := false
	for _, o := range q.order {
		isOn := false
		for _, i := range on {
			isOn = isOn || i == o.target
		}
		if isOn && skipped {
			return pgerr.New(pgerr.InvalidColumnReference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions").At(q.targets[o.target].loc)
		}
		skipped = skipped || !isOn
	}
	sorted := func(i int) bool {
		for _, o := range q.order {
			if o.target == i {
				return true
			}
		}
		return false
	}
	for _, i := range on {
		if skipped && !sorted(i) {
			return pgerr.New(pgerr.InvalidColumnReference, "SELECT DISTINCT ON expressions must match initial ORDER BY expressions").At(q.targets[i].loc)
		}
		if err := s.unknownToText(&q.targets[i].x, q.targets[i].loc); err != nil {
			return err
		}
		if _, err := s.b.r.Equality(q.targets[i].x.Type()); err != nil {
			return pgerr.At(err, q.targets[i].loc)
		}
		if err := s.equalByBytes("DISTINCT ON", q.targets[i].x); err != nil {
			return err
		}
		if !sorted(i) {
			q.order = append(q.order, sortItem{target: i})
		}
	}
	q.distinctOn = on
	return nil
}

func (s *scope) plainDistinct(q *selectState) error {
	for _, o := range q.order {
		if q.targets[o.target].junk {
			return pgerr.New(pgerr.InvalidColumnReference, "for SELECT DISTINCT, ORDER BY expressions must appear in select list").At(q.targets[o.target].loc)
		}
	}
	for i := range q.targets {
		t := &q.targets[i]
		if t.junk {
			continue
		}
		if err := s.unknownToText(&t.x, t.loc); err != nil {
			return err
		}
		if _, err := s.b.r.Equality(t.x.Type()); err != nil {
			return pgerr.At(err, t.loc)
		}
		if err := s.equalByBytes("DISTINCT", t.x); err != nil {
			return err
		}
	}
	return nil
}

// dropGroupingJunk removes, under DISTINCT, the entries that only GROUP BY added: they must not take part in the
// comparison of rows. ORDER BY has none of its own there.
func (q *selectState) dropGroupingJunk() {
	if q.sel.DistinctClause == nil || q.distinctOn != nil {
		return
	}
	keep, remap := make([]target, 0, len(q.targets)), make([]int, len(q.targets))
	for i, t := range q.targets {
		remap[i] = len(keep)
		if !t.junk {
			keep = append(keep, t)
		}
	}
	for i := range q.order {
		q.order[i].target = remap[q.order[i].target]
	}
	q.targets = keep
}

// limitClause is LIMIT, OFFSET and FETCH.
type limitClause struct {
	limit, offset expr.Expr
	ties          bool
	// null says that the count is the constant NULL.
	null bool
}

func (s *scope) limitOf(sel *pg_query.SelectStmt) (limitClause, error) {
	l := limitClause{ties: sel.LimitOption == pg_query.LimitOption_LIMIT_OPTION_WITH_TIES, null: sel.LimitCount.GetAConst().GetIsnull()}
	var err error
	if l.offset, err = s.rowCount(sel.LimitOffset, inOffset); err != nil {
		return l, err
	}
	if l.limit, err = s.rowCount(sel.LimitCount, inLimit); err != nil {
		return l, err
	}
	if l.ties {
		if len(sel.SortClause) == 0 {
			return l, pgerr.New(pgerr.SyntaxError, "WITH TIES cannot be specified without ORDER BY clause")
		}
		if l.null {
			return l, pgerr.New(pgerr.InvalidRowCountInLimitClause, "row count cannot be null in FETCH FIRST ... WITH TIES clause")
		}
	}
	return l, nil
}

// rowCount binds LIMIT's or OFFSET's number: a bigint without columns of this level.
func (s *scope) rowCount(n *pg_query.Node, kind clause) (expr.Expr, error) {
	if n == nil {
		return nil, nil
	}
	if c := n.GetAConst(); c != nil && c.Isnull {
		return nil, nil // LIMIT ALL and LIMIT NULL
	}
	var out expr.Expr
	err := s.with(kind, func() error {
		x, err := s.expr(n)
		if err != nil {
			return err
		}
		loc := nodeLocation(n)
		c, err := s.b.r.Coerce(x, types.Int8T, -1, expr.Assignment, loc)
		if err != nil {
			if pgerr.Is(err, pgerr.DatatypeMismatch) || pgerr.Is(err, pgerr.CannotCoerce) {
				return pgerr.New(pgerr.DatatypeMismatch, "argument of %s must be type bigint, not type %s", s.info().name, types.FormatType(x.Type(), -1)).At(loc)
			}
			return err
		}
		used := colsOf(c)
		for _, id := range used.ids() {
			if s.b.owner[id] == s {
				return pgerr.New(pgerr.InvalidColumnReference, "argument of %s must not contain variables", s.info().name).At(loc)
			}
		}
		out = c
		return nil
	})
	return out, err
}

func (l limitClause) node(n Node, keys []expr.SortKey) Node {
	if l.limit == nil && l.offset == nil {
		return n
	}
	out := &Limit{Input: n, Limit: l.limit, Offset: l.offset}
	if l.ties && l.limit != nil {
		out.WithTies, out.Keys = true, keys
	}
	return out
}

// lockingFor are the row locks of this level that reach into a subquery or view of its FROM clause.
func (s *scope) lockingFor(alias string) []*pg_query.LockingClause {
	var out []*pg_query.LockingClause
	for _, l := range s.locking {
		hit := len(l.LockedRels) == 0
		for _, n := range l.LockedRels {
			hit = hit || n.GetRangeVar().GetRelname() == alias
		}
		if hit {
			out = append(out, &pg_query.LockingClause{Strength: l.Strength, WaitPolicy: l.WaitPolicy})
		}
	}
	return out
}

var lockNames = map[pg_query.LockClauseStrength]string{
	pg_query.LockClauseStrength_LCS_FORKEYSHARE:    "FOR KEY SHARE",
	pg_query.LockClauseStrength_LCS_FORSHARE:       "FOR SHARE",
	pg_query.LockClauseStrength_LCS_FORNOKEYUPDATE: "FOR NO KEY UPDATE",
	pg_query.LockClauseStrength_LCS_FORUPDATE:      "FOR UPDATE",
}

func lockStrength(l *pg_query.LockingClause) LockStrength {
	switch l.Strength {
	case pg_query.LockClauseStrength_LCS_FORKEYSHARE:
		return ForKeyShare
	case pg_query.LockClauseStrength_LCS_FORSHARE:
		return ForShare
	case pg_query.LockClauseStrength_LCS_FORNOKEYUPDATE:
		return ForNoKeyUpdate
	}
	return ForUpdate
}

func lockWait(l *pg_query.LockingClause) LockWait {
	switch l.WaitPolicy {
	case pg_query.LockWaitPolicy_LockWaitSkip:
		return LockSkip
	case pg_query.LockWaitPolicy_LockWaitError:
		return LockNoWait
	}
	return LockBlock
}

// lockRows prepares FOR UPDATE and its kin. Several clauses are merged into one with the strongest lock and the most
// impatient wait, as PostgreSQL merges them for a table.
func (s *scope) lockRows(q *selectState) error {
	if len(s.locking) == 0 {
		return nil
	}
	name := lockNames[s.locking[0].Strength]
	if err := lockable(q, s, name); err != nil {
		return err
	}
	node := &LockRows{}
	for _, l := range s.locking {
		node.Strength = max(node.Strength, lockStrength(l))
		node.Wait = max(node.Wait, lockWait(l))
		if len(l.LockedRels) == 0 {
			for _, it := range s.rtable {
				if err := s.lockItem(node, it); err != nil {
					return err
				}
			}
			continue
		}
		for _, n := range l.LockedRels {
			if err := s.lockNamed(node, n.GetRangeVar(), name); err != nil {
				return err
			}
		}
	}
	if len(node.Named) > 0 {
		q.locks = node
		s.b.locks = s.b.locks || len(node.Docs) > 0
	}
	return nil
}

func lockable(q *selectState, s *scope, name string) error {
	what := ""
	switch {
	case q.sel.DistinctClause != nil:
		what = "DISTINCT clause"
	case len(q.sel.GroupClause) > 0:
		what = "GROUP BY clause"
	case q.having != nil:
		what = "HAVING clause"
	case s.hasAgg:
		what = "aggregate functions"
	case len(s.windows) > 0:
		what = "window functions"
	case q.anySRF():
		what = "set-returning functions in the target list"
	default:
		return nil
	}
	return pgerr.New(pgerr.FeatureNotSupported, "%s is not allowed with %s", name, what)
}

func (s *scope) lockNamed(node *LockRows, v *pg_query.RangeVar, name string) error {
	if v.Schemaname != "" || v.Catalogname != "" {
		return pgerr.New(pgerr.SyntaxError, "%s must specify unqualified relation names", name).At(v.Location)
	}
	for _, it := range s.rtable {
		if it.alias != v.Relname {
			continue
		}
		if it.join {
			return pgerr.New(pgerr.FeatureNotSupported, "%s cannot be applied to a join", name).At(v.Location)
		}
		return s.lockItem(node, it)
	}
	return pgerr.New(pgerr.UndefinedTable, "relation \"%s\" in %s clause not found in FROM clause", v.Relname, name).At(v.Location)
}

// lockItem locks the rows of a base table; subqueries lock their own, system catalogues have nothing to lock.
func (s *scope) lockItem(node *LockRows, it *nsItem) error {
	if it.access != nil {
		it.access.want |= catalog.Update
	}
	if it.rel != nil && it.rel.Kind == catalog.KindMatView {
		return pgerr.New(pgerr.WrongObjectType, "cannot lock rows in materialized view \"%s\"", it.rel.Name)
	}
	if it.rel != nil && it.rel.ReadOnly {
		return pgerr.New(pgerr.WrongObjectType, "cannot lock rows in view \"%s\"", it.rel.Name)
	}
	if it.rel != nil && it.rel.Capped {
		return pgerr.Unsupported("locking rows of a capped collection")
	}
	if it.sub && len(it.cols) > 0 {
		if c, ok := it.cols[0].x.(*expr.ColRef); ok {
			node.Named = append(node.Named, c.ID)
		}
	}
	if it.scan == nil || it.rel == nil || !it.rel.IsTable() {
		return nil
	}
	s.b.modify(it, s)
	for _, d := range node.Docs {
		if d.Doc == it.doc.ID {
			return nil
		}
	}
	target := LockTarget{Rel: it.rel, Doc: it.doc.ID}
	if it.scan.Inherit {
		x, err := it.extra(-6)
		if err != nil {
			return err
		}
		target.Members, target.TableOID = s.b.c.Snapshot.Storing(it.rel), x.(*expr.ColRef).ID
	}
	node.Docs = append(node.Docs, target)
	node.Named = append(node.Named, it.doc.ID)
	return nil
}

// modify makes the item's scan give the raw document too, as its last column.
func (b *binder) modify(it *nsItem, s *scope) {
	if it.doc != nil {
		return
	}
	c := b.newCol(Col{Name: "document", Type: DocT, Mod: -1}, s)
	it.scan.ForModify = true
	it.scan.Attnums = append(it.scan.Attnums, DocAttnum)
	it.scan.Out = append(it.scan.Out, c)
	it.doc = &c
}
