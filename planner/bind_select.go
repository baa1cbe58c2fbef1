package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// query is a bound SELECT. proj, when not nil, is the projection that computes its columns, in which literals of type
// unknown may still be given a type.
type query struct {
	node Node
	cols []Col
	proj *Project
	// locs are where the columns stand in the text; nil when that is not known.
	locs []int32
	rec  *selectRecord
}

// loc is where a column stands, -1 when that is not known.
func (q *query) loc(i int) int32 {
	if i < len(q.locs) {
		return q.locs[i]
	}
	return -1
}

// target is an entry of the target list; a junk one is computed for ORDER BY, GROUP BY or DISTINCT ON alone.
type target struct {
	name string
	x    expr.Expr
	loc  int32
	junk bool
}

// query binds a SELECT, VALUES or set operation on its own level. With resolve, output columns of type unknown become
// text; without it the caller gives them a type.
func (s *scope) query(sel *pg_query.SelectStmt, resolve bool) (*query, error) {
	if sel.IntoClause != nil {
		return nil, pgerr.New(pgerr.SyntaxError, "SELECT ... INTO is not allowed here")
	}
	if err := s.b.stopped(); err != nil {
		return nil, err
	}
	with, err := s.bindWith(sel.WithClause)
	if err != nil {
		return nil, err
	}
	var q *query
	switch {
	case len(sel.ValuesLists) > 0:
		q, err = s.valuesQuery(sel, resolve)
	case sel.Op != pg_query.SetOperation_SETOP_NONE && sel.Op != pg_query.SetOperation_SET_OPERATION_UNDEFINED:
		q, err = s.setOperation(sel, resolve)
	default:
		q, err = s.simpleSelect(sel, resolve)
	}
	if err != nil {
		return nil, err
	}
	if len(with) > 0 {
		q.node = &With{CTEs: with, Body: q.node}
	}
	return q, nil
}

// selectState is a SELECT under construction.
type selectState struct {
	sel     *pg_query.SelectStmt
	node    Node
	targets []target
	where   []expr.Expr
	having  expr.Expr
	order   []sortItem
	groups  *groupState
	// distinctOn are targets' positions.
	distinctOn []int
	limit      limitClause
	locks      *LockRows
}

// simpleSelect binds in PostgreSQL's order, so that of several errors the same one is reported.
func (s *scope) simpleSelect(sel *pg_query.SelectStmt, resolve bool) (*query, error) {
	q := &selectState{sel: sel}
	locking := sel.LockingClause
	for _, n := range locking {
		s.locking = append(s.locking, n.GetLockingClause())
	}
	if err := s.declareWindows(sel.WindowClause); err != nil {
		return nil, err
	}
	var err error
	if q.node, err = s.from(sel.FromClause); err != nil {
		return nil, err
	}
	if q.targets, err = s.targetList(sel.TargetList, inSelect); err != nil {
		return nil, err
	}
	if sel.WhereClause != nil {
		if q.where, err = s.where(sel.WhereClause); err != nil {
			return nil, err
		}
	}
	if sel.HavingClause != nil {
		err := s.with(inHaving, func() error {
			q.having, err = s.boolean(sel.HavingClause, "HAVING")
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if q.order, err = s.orderBy(sel.SortClause, &q.targets, inOrderBy); err != nil {
		return nil, err
	}
	if err := s.groupBy(q); err != nil {
		return nil, err
	}
	if err := s.distinctClause(q); err != nil {
		return nil, err
	}
	if q.limit, err = s.limitOf(sel); err != nil {
		return nil, err
	}
	if err := s.finishWindows(); err != nil {
		return nil, err
	}
	if resolve {
		if err := s.resolveUnknown(q.targets); err != nil {
			return nil, err
		}
	}
	kept := s.b.rec.keep(s, q)
	if err := s.rewriteGrouped(q); err != nil {
		return nil, err
	}
	q.dropGroupingJunk()
	if err := s.lockRows(q); err != nil {
		return nil, err
	}
	out, err := s.assemble(q)
	if err == nil {
		out.rec = kept
	}
	return out, err
}

func (s *scope) where(n *pg_query.Node) ([]expr.Expr, error) {
	var conds []expr.Expr
	err := s.with(inWhere, func() error {
		x, err := s.boolean(n, "WHERE")
		if err == nil {
			conds = conjuncts(x)
		}
		return err
	})
	return conds, err
}

// resolveUnknown makes text of the outputs whose type nothing determined.
func (s *scope) resolveUnknown(targets []target) error {
	for i := range targets {
		if targets[i].x.Type() != types.UnknownT {
			continue
		}
		x, err := s.b.r.Coerce(targets[i].x, types.TextT, -1, expr.Implicit, targets[i].loc)
		if err != nil {
			return err
		}
		targets[i].x = x
	}
	return nil
}

// assemble stacks the nodes: filter, grouping, windows, then projection, ordering, locking and limit.
func (s *scope) assemble(q *selectState) (*query, error) {
	node := filter(q.node, q.where)
	if q.groups != nil {
		node = q.groups.node(node, s)
		if q.having != nil {
			node = filter(node, conjuncts(q.having))
		}
	}
	node = s.windowNodes(node)
	if q.sel.DistinctClause == nil && !q.anySRF() && !q.sortsOutput() {
		return s.assembleSortFirst(q, node), nil
	}
	return s.assembleProjectFirst(q, node), nil
}

func filter(n Node, conds []expr.Expr) Node {
	if len(conds) == 0 {
		return n
	}
	return &Filter{Input: n, Conds: conds}
}

func (q *selectState) anySRF() bool {
	for _, t := range q.targets {
		if returnsSet(t.x) {
			return true
		}
	}
	return false
}

func (q *selectState) locs() []int32 {
	var out []int32
	for _, t := range q.targets {
		if !t.junk {
			out = append(out, t.loc)
		}
	}
	return out
}

// sortsOutput reports whether the ordering uses a computed output column, which must be computed once, before sorting:
// SELECT random() AS r ... ORDER BY r.
func (q *selectState) sortsOutput() bool {
	for _, o := range q.order {
		t := q.targets[o.target]
		if _, plain := t.x.(*expr.ColRef); !plain && !t.junk {
			return true
		}
		if isVolatile(t.x) {
			return true
		}
	}
	return false
}

// assembleSortFirst orders and cuts the input and computes the outputs of the rows that are left.
func (s *scope) assembleSortFirst(q *selectState, node Node) *query {
	keys := make([]expr.SortKey, len(q.order))
	for i, o := range q.order {
		keys[i] = o.key(s.b, q.targets[o.target].x)
	}
	node = s.sortAndCut(q, node, keys)
	p := s.project(node, q.targets, false)
	return &query{node: p, cols: p.Out, proj: p, locs: q.locs()}
}

// assembleProjectFirst computes the outputs, then removes duplicates and orders; junk columns are dropped at the end.
func (s *scope) assembleProjectFirst(q *selectState, node Node) *query {
	out := &query{locs: q.locs()}
	if q.locks != nil {
		for _, d := range q.locks.Docs {
			q.targets = append(q.targets, target{name: "document", x: ref(s.b.cols[d.Doc]), junk: true})
		}
	}
	p := s.project(node, q.targets, true)
	out.proj = p
	node = p
	if q.anySRF() {
		node = s.expandSets(p)
		out.proj = nil
	}
	all := node.Cols()
	keys := make([]expr.SortKey, len(q.order))
	for i, o := range q.order {
		keys[i] = o.key(s.b, ref(all[o.target]))
	}
	if q.sel.DistinctClause != nil && q.distinctOn == nil {
		node = &Distinct{Input: node}
	}
	if q.distinctOn != nil {
		if len(keys) > 0 {
			node = &Sort{Input: node, Keys: keys}
			keys = nil
		}
		d := &Distinct{Input: node}
		for _, i := range q.distinctOn {
			d.On = append(d.On, ref(all[i]))
		}
		node = d
	}
	node = s.sortAndCut(q, node, keys)
	for i, t := range q.targets {
		if !t.junk {
			out.cols = append(out.cols, all[i])
		}
	}
	if len(out.cols) < len(all) {
		node = narrow(node, out.cols)
	}
	out.node = node
	return out
}

// narrow is the projection to some of the input's columns.
func narrow(n Node, cols []Col) *Project {
	p := &Project{Input: n, Out: cols}
	for _, c := range cols {
		p.Exprs = append(p.Exprs, ref(c))
	}
	return p
}

func (s *scope) sortAndCut(q *selectState, node Node, keys []expr.SortKey) Node {
	if len(keys) > 0 {
		node = &Sort{Input: node, Keys: keys}
	}
	if q.locks != nil {
		q.locks.Input = node
		node = q.locks
	}
	return q.limit.node(node, keys)
}

// project computes the target list, with its junk entries if asked. A plain column of this level keeps its ID.
func (s *scope) project(node Node, targets []target, junk bool) *Project {
	p := &Project{Input: node}
	for _, t := range targets {
		if t.junk && !junk {
			continue
		}
		p.Exprs = append(p.Exprs, t.x)
		p.Out = append(p.Out, s.outCol(t))
	}
	return p
}

func (s *scope) outCol(t target) Col {
	if r, ok := t.x.(*expr.ColRef); ok && s.b.owner[r.ID] == s {
		c := s.b.cols[r.ID]
		c.Name, c.NotNull = t.name, r.NotNull
		return c
	}
	return s.b.resultCol(t.name, t.x, s)
}

// expandSets turns a projection with set-returning calls into a ProjectSet whose entries are such calls or free of them:
// what is computed around a call goes above, and a call inside another's arguments below.
func (s *scope) expandSets(p *Project) Node {
	set := &ProjectSet{Input: p.Input}
	top := &Project{Out: p.Out}
	var inner []target
	for i, e := range p.Exprs {
		if c, ok := e.(*expr.Call); ok && c.Fn.RetSet {
			set.Exprs, set.Out = append(set.Exprs, s.hoistArgs(c, &inner)), append(set.Out, p.Out[i])
			top.Exprs = append(top.Exprs, ref(p.Out[i]))
			continue
		}
		if !returnsSet(e) {
			c := p.Out[i]
			set.Exprs, set.Out = append(set.Exprs, e), append(set.Out, c)
			top.Exprs = append(top.Exprs, ref(c))
			continue
		}
		top.Exprs = append(top.Exprs, s.hoistCalls(e, set, &inner))
	}
	if len(inner) > 0 {
		set.Input = s.innerSets(set.Input, inner)
	}
	top.Input = set
	return top
}

// hoistCalls takes the set-returning calls out of e into the ProjectSet; columns that e reads besides pass through it.
func (s *scope) hoistCalls(e expr.Expr, set *ProjectSet, inner *[]target) expr.Expr {
	var walk func(expr.Expr) expr.Expr
	walk = func(e expr.Expr) expr.Expr {
		if c, ok := e.(*expr.Call); ok && c.Fn.RetSet {
			col := s.b.resultCol(c.Fn.Name, e, s)
			set.Exprs, set.Out = append(set.Exprs, s.hoistArgs(c, inner)), append(set.Out, col)
			return ref(col)
		}
		if r, ok := e.(*expr.ColRef); ok && s.b.owner[r.ID] == s {
			passThrough(set, r, s.b.cols[r.ID])
			return e
		}
		if sub, ok := e.(*expr.Subquery); ok {
			cols := colsOf(sub)
			for _, id := range cols.ids() {
				if s.b.owner[id] == s {
					passThrough(set, ref(s.b.cols[id]), s.b.cols[id])
				}
			}
			return e
		}
		children := e.Children()
		if len(children) == 0 {
			return e
		}
		out := make([]expr.Expr, len(children))
		for i, c := range children {
			out[i] = walk(c)
		}
		return e.WithChildren(out)
	}
	return walk(e)
}

// passThrough lets a column through a ProjectSet once.
func passThrough(set *ProjectSet, r *expr.ColRef, c Col) {
	for _, o := range set.Out {
		if o.ID == c.ID {
			return
		}
	}
	set.Exprs, set.Out = append(set.Exprs, r), append(set.Out, c)
}

// hoistArgs moves set-returning calls inside a set-returning call's arguments to the level below.
func (s *scope) hoistArgs(c *expr.Call, inner *[]target) expr.Expr {
	args := make([]expr.Expr, len(c.Args))
	changed := false
	for i, a := range c.Args {
		args[i] = a
		if returnsSet(a) {
			changed = true
			col := s.b.resultCol("arg", a, s)
			*inner = append(*inner, target{name: "arg", x: a, loc: int32(col.ID)})
			args[i] = ref(col)
		}
	}
	if !changed {
		return c
	}
	n := *c
	n.Args = args
	return &n
}

// innerSets computes nested set-returning calls below, with all of the input's columns beside them.
func (s *scope) innerSets(input Node, inner []target) Node {
	p := &Project{Input: input}
	for _, c := range input.Cols() {
		p.Exprs, p.Out = append(p.Exprs, ref(c)), append(p.Out, c)
	}
	for _, t := range inner {
		p.Exprs, p.Out = append(p.Exprs, t.x), append(p.Out, s.b.cols[t.loc])
	}
	return s.expandSets(p)
}
