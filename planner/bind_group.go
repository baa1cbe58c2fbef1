package planner

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// groupState is a GROUP BY: its keys as entries of the target list, and the grouping sets over them.
type groupState struct {
	targets []int
	sets    [][]int // nil without GROUPING SETS, ROLLUP or CUBE

	keys    []expr.Expr
	keyCols []Col
	// plain are the keys that are columns of this level: they keep their IDs above the grouping.
	plain    map[expr.ColID]int
	grouping []GroupingItem
	scope    *scope
	// items says which FROM item shows a column, whole which of them are grouped by their whole primary key; both are made
	// when they are first needed.
	items map[expr.ColID]*nsItem
	whole map[*nsItem]bool
}

// groupingCall is a GROUPING(...) call, matched with the keys at the end.
type groupingCall struct {
	col  Col
	args []expr.Expr
	locs []int32
}

const maxGroupingSets = 4096

// groupBy binds GROUP BY; its expressions become entries of the target list.
func (s *scope) groupBy(q *selectState) error {
	if len(q.sel.GroupClause) == 0 {
		return nil
	}
	g := &groupState{}
	q.groups = g
	sets := [][]int{{}}
	hasSets := false
	err := s.with(inGroupBy, func() error {
		for _, n := range q.sel.GroupClause {
			hasSets = hasSets || n.GetGroupingSet() != nil
			item, err := s.groupItem(q, n)
			if err != nil {
				return err
			}
			if len(sets)*len(item) > maxGroupingSets {
				return pgerr.New(pgerr.StatementTooComplex, "too many grouping sets present (maximum %d)", maxGroupingSets)
			}
			var product [][]int
			for _, a := range sets {
				for _, b := range item {
					product = append(product, union(a, b))
				}
			}
			sets = product
		}
		return nil
	})
	if err != nil || !hasSets {
		return err
	}
	if q.sel.GroupDistinct {
		sets = distinctSets(sets)
	}
	g.sets = sets
	return nil
}

func union(a, b []int) []int {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	if out == nil {
		out = []int{}
	}
	return out
}

func distinctSets(sets [][]int) [][]int {
	var out [][]int
	for _, s := range sets {
		sorted := slices.Sorted(slices.Values(s))
		dup := slices.ContainsFunc(out, func(o []int) bool { return slices.Equal(slices.Sorted(slices.Values(o)), sorted) })
		if !dup {
			out = append(out, s)
		}
	}
	return out
}

// groupItem gives the alternatives of one GROUP BY item as lists of key positions.
func (s *scope) groupItem(q *selectState, n *pg_query.Node) ([][]int, error) {
	if r := n.GetRowExpr(); r != nil && r.RowFormat == pg_query.CoercionForm_COERCE_IMPLICIT_CAST {
		var set []int
		for _, a := range r.Args {
			sub, err := s.groupItem(q, a)
			if err != nil {
				return nil, err
			}
			set = union(set, sub[0])
		}
		return [][]int{set}, nil
	}
	gs := n.GetGroupingSet()
	if gs == nil {
		k, err := s.groupKey(q, n)
		return [][]int{{k}}, err
	}
	var parts [][][]int
	for _, c := range gs.Content {
		p, err := s.groupItem(q, c)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	switch gs.Kind {
	case pg_query.GroupingSetKind_GROUPING_SET_EMPTY:
		return [][]int{{}}, nil
	case pg_query.GroupingSetKind_GROUPING_SET_SETS:
		return slices.Concat(parts...), nil
	case pg_query.GroupingSetKind_GROUPING_SET_ROLLUP:
		return rollup(parts), nil
	case pg_query.GroupingSetKind_GROUPING_SET_CUBE:
		if len(parts) > 12 {
			return nil, pgerr.New(pgerr.TooManyColumns, "CUBE is limited to 12 elements").At(gs.Location)
		}
		return cube(parts), nil
	}
	return slices.Concat(parts...), nil
}

func rollup(parts [][][]int) [][]int {
	var out [][]int
	for n := len(parts); n >= 0; n-- {
		set := []int{}
		for _, p := range parts[:n] {
			set = union(set, p[0])
		}
		out = append(out, set)
	}
	return out
}

func cube(parts [][][]int) [][]int {
	var out [][]int
	for mask := 1<<len(parts) - 1; mask >= 0; mask-- {
		set := []int{}
		for i, p := range parts {
			if mask&(1<<(len(parts)-1-i)) != 0 {
				set = union(set, p[0])
			}
		}
		out = append(out, set)
	}
	return out
}

// groupKey binds one grouping expression and returns its position among the keys.
func (s *scope) groupKey(q *selectState, n *pg_query.Node) (int, error) {
	i, err := s.findTarget92(n, &q.targets, inGroupBy)
	if err != nil {
		return 0, err
	}
	s.b.rec.group(q.sel, n, i)
	t := &q.targets[i]
	if err := s.unknownToText(&t.x, t.loc); err != nil {
		return 0, err
	}
	if _, err := s.b.r.Equality(t.x.Type()); err != nil {
		return 0, pgerr.At(err, nodeLocation(n))
	}
	if err := s.equalByBytes("GROUP BY", t.x); err != nil {
		return 0, err
	}
	if k := slices.Index(q.groups.targets, i); k >= 0 {
		return k, nil
	}
	q.groups.targets = append(q.groups.targets, i)
	return len(q.groups.targets) - 1, nil
}

// rewriteGrouped rewrites what is computed after grouping in terms of keys and aggregates, and refuses other columns.
func (s *scope) rewriteGrouped(q *selectState) error {
	if q.groups == nil && !s.hasAgg && q.having == nil && len(s.grouping) == 0 {
		return nil
	}
	if q.groups == nil {
		q.groups = &groupState{}
	}
	g := q.groups
	g.scope, g.plain = s, map[expr.ColID]int{}
	for _, i := range g.targets {
		g.addKey(s, q.targets[i].x)
	}
	if err := g.matchGrouping(s); err != nil {
		return err
	}
	for _, a := range s.aggs {
		for _, x := range a.Agg.Args[:a.Agg.Direct] {
			if _, err := g.rewrite(x, -1); pgerr.Is(err, pgerr.GroupingError) {
				return pgerr.From(err).WithDetail("Direct arguments of an ordered-set aggregate must use only grouped columns.")
			} else if err != nil {
				return err
			}
		}
	}
	for i := range q.targets {
		x, err := g.rewrite(q.targets[i].x, q.targets[i].loc)
		if err != nil {
			return err
		}
		q.targets[i].x = x
	}
	if q.having != nil {
		x, err := g.rewrite(q.having, -1)
		if err != nil {
			return err
		}
		q.having = x
	}
	return s.rewriteWindows(g)
}

func (g *groupState) addKey(s *scope, x expr.Expr) {
	g.keys = append(g.keys, x)
	if r, ok := x.(*expr.ColRef); ok && s.b.owner[r.ID] == s {
		c := s.b.cols[r.ID]
		c.NotNull = r.NotNull && g.sets == nil
		g.plain[r.ID] = len(g.keyCols)
		g.keyCols = append(g.keyCols, c)
		return
	}
	c := s.b.resultCol("?column?", x, s)
	c.NotNull = c.NotNull && g.sets == nil
	s.made.add(c.ID)
	g.keyCols = append(g.keyCols, c)
}

// addDetermined makes a column that a table's primary key determines a key of every grouping set.
func (g *groupState) addDetermined(s *scope, x expr.Expr) {
	for i := range g.sets {
		g.sets[i] = append(slices.Clone(g.sets[i]), len(g.keys))
	}
	g.addKey(s, x)
}

func (g *groupState) matchGrouping(s *scope) error {
	for _, c := range s.grouping {
		item := GroupingItem{Col: c.col}
		for j, a := range c.args {
			i := slices.IndexFunc(g.keys, func(k expr.Expr) bool { return equalExpr(k, a) })
			if i < 0 {
				return pgerr.New(pgerr.GroupingError, "arguments to GROUPING must be grouping expressions of the associated query level").At(c.locs[j])
			}
			item.Keys = append(item.Keys, i)
		}
		g.grouping = append(g.grouping, item)
	}
	return nil
}

// rewrite replaces grouping expressions by the grouping's output columns.
func (g *groupState) rewrite(e expr.Expr, loc int32) (expr.Expr, error) {
	if r, ok := e.(*expr.ColRef); ok {
		return g.rewriteColumn(r, loc)
	}
	for i, k := range g.keys {
		if _, plain := k.(*expr.ColRef); !plain && equalExpr(k, e) {
			return ref(g.keyCols[i]), nil
		}
	}
	if sub, ok := e.(*expr.Subquery); ok {
		if err := g.checkSubquery(sub, loc); err != nil {
			return nil, err
		}
	}
	children := e.Children()
	var out []expr.Expr
	for i, c := range children {
		n, err := g.rewrite(c, loc)
		if err != nil {
			return nil, err
		}
		if n != c && out == nil {
			out = slices.Clone(children)
		}
		if out != nil {
			out[i] = n
		}
	}
	if out == nil {
		return e, nil
	}
	return e.WithChildren(out), nil
}

func (g *groupState) rewriteColumn(r *expr.ColRef, loc int32) (expr.Expr, error) {
	s := g.scope
	if s.b.owner[r.ID] != s || s.made.has(r.ID) {
		return r, nil
	}
	if i, ok := g.plain[r.ID]; ok {
		if r.NotNull == g.keyCols[i].NotNull {
			return r, nil
		}
		return ref(g.keyCols[i]), nil
	}
	if g.determined(r.ID) {
		g.addDetermined(s, r)
		return r, nil
	}
	if l, ok := s.b.locs[r]; ok {
		loc = l
	}
	return nil, pgerr.New(pgerr.GroupingError, "column \"%s\" must appear in the GROUP BY clause or be used in an aggregate function", s.qualifiedName(r)).At(loc)
}

// checkSubquery refuses a subquery over ungrouped columns of this level.
func (g *groupState) checkSubquery(sub *expr.Subquery, loc int32) error {
	s := g.scope
	sp, ok := sub.Plan.(*Subplan)
	if !ok {
		return nil
	}
	free := freeCols(sp.Root)
	for _, id := range free.ids() {
		if s.b.owner[id] != s || s.made.has(id) {
			continue
		}
		if _, ok := g.plain[id]; ok {
			continue
		}
		r := ref(s.b.cols[id])
		if g.determined(id) {
			g.addDetermined(s, r)
			continue
		}
		var want colSet
		want.add(id)
		if l := s.deepLoc(sp.Root, &want); l >= 0 {
			loc = l
		}
		return pgerr.New(pgerr.GroupingError, "subquery uses ungrouped column \"%s\" from outer query", s.qualifiedName(r)).At(loc)
	}
	return nil
}

// deepLoc finds where a plan refers to one of the columns, -1 when that is not known.
func (s *scope) deepLoc(n Node, cols *colSet) int32 {
	loc := int32(-1)
	mapPlanExprs(n, func(e expr.Expr) expr.Expr {
		return rewriteDeep(e, func(e expr.Expr) expr.Expr {
			if r, ok := e.(*expr.ColRef); ok && cols.has(r.ID) && loc < 0 {
				if l, ok := s.b.locs[r]; ok {
					loc = l
				}
			}
			return e
		})
	})
	return loc
}

// qualifiedName is table.column for error texts.
func (s *scope) qualifiedName(r *expr.ColRef) string {
	for _, it := range s.rtable {
		for _, c := range it.cols {
			if x, ok := c.x.(*expr.ColRef); ok && x.ID == r.ID {
				return it.alias + "." + c.name
			}
		}
	}
	return r.Name
}

// determined reports whether a column's table is grouped by its whole primary key, so that a group has one value of it.
func (g *groupState) determined(id expr.ColID) bool {
	if g.items == nil {
		g.findWhole()
	}
	it := g.items[id]
	return it != nil && g.whole[it]
}

// findWhole finds the tables that are grouped by their primary keys.
func (g *groupState) findWhole() {
	g.items, g.whole = map[expr.ColID]*nsItem{}, map[*nsItem]bool{}
	grouped := map[*nsItem]map[int16]bool{}
	for _, it := range g.scope.rtable {
		if it.rel == nil || !it.rel.IsTable() || it.join {
			continue
		}
		for _, id := range it.shown() {
			g.items[id] = it
		}
		grouped[it] = map[int16]bool{}
	}
	for id, key := range g.plain {
		if slices.ContainsFunc(g.sets, func(set []int) bool { return !slices.Contains(set, key) }) {
			continue
		}
		if it := g.items[id]; it != nil {
			grouped[it][g.scope.b.cols[id].Attnum] = true
		}
	}
	for it, attnums := range grouped {
		pk := it.rel.PrimaryKey()
		g.whole[it] = pk != nil && !pk.Deferrable && !slices.ContainsFunc(pk.Columns, func(a int16) bool { return !attnums[a] })
	}
}

// shown are the item's columns, system columns and the whole row included.
func (it *nsItem) shown() []expr.ColID {
	var out []expr.ColID
	for _, c := range it.cols {
		if r, ok := c.x.(*expr.ColRef); ok {
			out = append(out, r.ID)
		}
	}
	if it.scan != nil {
		for _, c := range it.scan.Out {
			out = append(out, c.ID)
		}
	}
	return out
}

func (g *groupState) node(input Node, s *scope) Node {
	if slices.ContainsFunc(g.keys, returnsSet) {
		// GROUP BY generate_series(1, 2): the rows are multiplied first.
		p := &Project{Input: input}
		for _, c := range input.Cols() {
			p.Exprs, p.Out = append(p.Exprs, ref(c)), append(p.Out, c)
		}
		for i, k := range g.keys {
			if returnsSet(k) {
				c := s.b.resultCol(g.keyCols[i].Name, k, s)
				p.Exprs, p.Out = append(p.Exprs, k), append(p.Out, c)
				g.keys[i] = ref(c)
			}
		}
		input = s.expandSets(p)
	}
	return &Aggregate{Input: input, Keys: g.keys, KeyCols: g.keyCols, Sets: g.sets, Grouping: g.grouping, Aggs: s.aggs}
}

// groupingFunc binds GROUPING(...).
func (s *scope) groupingFunc(f *pg_query.GroupingFunc) (expr.Expr, error) {
	if s.info().noAgg {
		return nil, pgerr.New(pgerr.GroupingError, "grouping operations are not allowed in %s", s.info().name).At(f.Location)
	}
	if len(f.Args) > 31 {
		return nil, pgerr.New(pgerr.TooManyArguments, "GROUPING must have fewer than 32 arguments").At(f.Location)
	}
	call := groupingCall{}
	for _, a := range f.Args {
		x, err := s.expr(a)
		if err != nil {
			return nil, err
		}
		call.args, call.locs = append(call.args, x), append(call.locs, nodeLocation(a))
	}
	owner := s.levelOf(call.args)
	call.col = s.b.newCol(Col{Name: "grouping", Type: types.Int4T, Mod: -1, NotNull: true}, owner)
	owner.made.add(call.col.ID)
	owner.grouping = append(owner.grouping, call)
	return ref(call.col), nil
}
