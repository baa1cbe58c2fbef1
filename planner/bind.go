package planner

import (
	"cmp"
	"context"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// binder turns one statement's parse tree into plan nodes: names into column IDs, overloads into procedures, implicit
// coercions into explicit ones.
type binder struct {
	ctx context.Context
	c   *Context
	r   *expr.Resolver
	// cols describes every column ID handed out; owner is the query level whose FROM clause shows it.
	cols  []Col
	owner []*scope
	// shapes are the fields of columns of type record whose fields are known (whole rows of subqueries).
	shapes map[expr.ColID][]types.Field
	// locs are the places where columns were referred to, for errors found later (grouping).
	locs map[*expr.ColRef]int32
	// paramLocs is where each parameter of unknown type first stands.
	paramLocs map[int]int32
	// params are the types of $1 ...; nil is not known yet. fixed says that they were all declared.
	params []*types.T
	// noParams refuses parameters: views, defaults and constraints have none.
	noParams bool

	// uses are the columns of relations that the statement names, kept when describing says so.
	describing bool
	uses       []Reference

	// rec keeps what is bound, for printing a query; nil otherwise.
	rec *record

	// role is whose rights what is bound now needs, that of the statement or of a view's owner. accesses are what it needs,
	// sources the columns that reading needs rights for; noAccess says that none are needed now.
	role     uint32
	user     uint32 // the statement's
	accesses []*access
	sources  map[expr.ColID]source
	noAccess bool

	relations, writes []*catalog.Relation
	nextCTE           int
	locks             bool
	viewDepth         int
}

// stopped returns the error of a statement that was cancelled.
func (b *binder) stopped() error {
	if b.ctx.Err() != nil {
		return pgerr.New(pgerr.QueryCanceled, "canceling statement due to user request")
	}
	return nil
}

func newBinder(ctx context.Context, c *Context) *binder {
	b := &binder{ctx: ctx, c: c, user: cmp.Or(c.Role, catalog.BootstrapRole), noParams: c.NoParams, shapes: map[expr.ColID][]types.Field{}, locs: map[*expr.ColRef]int32{}, paramLocs: map[int]int32{}}
	b.role = b.user
	b.r = &expr.Resolver{Snapshot: c.Snapshot, Path: c.Path, Procs: c.Procs, IO: types.DefaultIO()}
	if c.Env != nil && c.Env.IO != nil {
		b.r.IO = c.Env.IO
	}
	b.params = append(b.params, c.ParamTypes...)
	for i, t := range b.params {
		if t == types.UnknownT {
			b.params[i] = nil
		}
	}
	b.r.SetParam = b.setParam
	b.r.BindDefault = b.defaultArg
	b.r.MayUse = b.mayUse
	b.r.BindCheck = b.domainCheck
	return b
}

// setParam fixes the type of a parameter that a coercion has found.
func (b *binder) setParam(n int, t *types.T) error {
	for len(b.params) < n {
		b.params = append(b.params, nil)
	}
	if old := b.params[n-1]; old != nil && old != t {
		return pgerr.New(pgerr.AmbiguousParameter, "inconsistent types deduced for parameter $%d", n).
			WithDetail("%s versus %s", types.FormatType(old, -1), types.FormatType(t, -1))
	}
	b.params[n-1] = t
	return nil
}

// newCol hands out a column ID for a column that the given query level shows.
func (b *binder) newCol(c Col, owner *scope) Col {
	c.ID = expr.ColID(len(b.cols))
	b.cols = append(b.cols, c)
	b.owner = append(b.owner, owner)
	return c
}

// ref makes a reference to a column.
func ref(c Col) *expr.ColRef {
	return &expr.ColRef{ID: c.ID, T: c.Type, Mod: c.Mod, Name: c.Name, NotNull: c.NotNull}
}

// resultCol is the output column of an expression: it keeps the origin of a plain column for RowDescription.
func (b *binder) resultCol(name string, e expr.Expr, owner *scope) Col {
	c := Col{Name: name, Type: e.Type(), Mod: e.Typmod(), NotNull: notNull(e), Collation: b.collationOf(e).name}
	if r, ok := e.(*expr.ColRef); ok {
		c.Table, c.Attnum = b.cols[r.ID].Table, b.cols[r.ID].Attnum
	}
	c = b.newCol(c, owner)
	if sh := b.shapeOf(e); sh != nil && e.Type() == types.RecordT {
		b.shapes[c.ID] = sh
	}
	return c
}

// notNull reports whether e provably never gives NULL.
func notNull(e expr.Expr) bool {
	switch e := e.(type) {
	case *expr.ColRef:
		return e.NotNull
	case *expr.Const:
		return !e.D.IsNull()
	case *expr.Relabel:
		return notNull(e.X)
	case *expr.IOCast:
		return notNull(e.X)
	case *expr.Collate:
		return notNull(e.X)
	case *expr.Coalesce:
		for _, a := range e.Args {
			if notNull(a) {
				return true
			}
		}
	case *expr.IsNull, *expr.BoolTest, *expr.Distinct, *expr.Row, *expr.Array:
		return true
	case *expr.Subquery:
		return e.Kind == expr.SubExists || e.Kind == expr.SubArray
	}
	return false
}

// scope is one query level: what its names may refer to, and what its expressions collect.
type scope struct {
	b      *binder
	parent *scope
	// ns is what is visible now; rtable is everything the level's FROM clause ever held, for hints.
	ns     []*nsItem
	rtable []*nsItem
	// lateral says that a LATERAL item of FROM is being bound, which sees the items to its left.
	lateral bool
	kind    clause
	ctes    []*cteDef

	// hits are the lateral references made so far, to tell which joins are lateral.
	hits []*nsItem

	aggs     []AggItem
	grouping []groupingCall
	hasAgg   bool
	// recurs says that FROM reads the working table of a recursive query.
	recurs  bool
	windows []*windowDef
	// made are the outputs of aggregates, GROUPING calls and window functions of this level.
	made colSet
	// aggCols and windowCols are those of them that aggregates and window functions give.
	aggCols, windowCols colSet
	depth               int
	// noSet names the construct around that admits no set-returning functions: CASE, COALESCE.
	noSet string
	// locking are the FOR UPDATE clauses that reach this level from enclosing ones.
	locking []*pg_query.LockingClause
	// domainValue is the type of VALUE in a domain's CHECK.
	domainValue *types.T
}

func (b *binder) newScope(parent *scope) *scope {
	s := &scope{b: b, parent: parent}
	if parent != nil {
		s.depth = parent.depth + 1
	}
	return s
}

// with binds in another clause: what is allowed there differs, and error texts name it.
func (s *scope) with(k clause, f func() error) error {
	old := s.kind
	s.kind = k
	err := f()
	s.kind = old
	return err
}

// clause is the part of a statement that an expression stands in.
type clause uint8

const (
	inNone clause = iota
	inSelect
	inWhere
	inHaving
	inJoinOn
	inJoinUsing
	inFromSubselect
	inFromFunction
	inFilter
	inPartition
	inWindowOrder
	inFrameRows
	inFrameRange
	inFrameGroups
	inGroupBy
	inOrderBy
	inDistinctOn
	inLimit
	inOffset
	inReturning
	inValues
	inInsertTarget
	inUpdateSource
	inCheck
	inDefault
	inIndexExpr
	inIndexPredicate
	inGenerated
	inCall
	inMergeWhen
	inCopyWhere
)

// clauseInfo says what a clause is called in errors and what it admits.
type clauseInfo struct {
	name         string
	noAgg        bool // aggregate functions are not allowed
	noWindow     bool
	noSRF        bool
	aggText      string // the whole text where it is not "aggregate functions are not allowed in NAME"
	selectCannot string // "cannot use subquery in NAME"
}

var clauses = [...]clauseInfo{
	inNone:           {name: "this context"},
	inSelect:         {name: "SELECT"},
	inWhere:          {name: "WHERE", noAgg: true, noWindow: true, noSRF: true},
	inHaving:         {name: "HAVING", noWindow: true, noSRF: true},
	inJoinOn:         {name: "JOIN conditions", noAgg: true, noWindow: true, noSRF: true},
	inJoinUsing:      {name: "JOIN conditions", noAgg: true, noWindow: true, noSRF: true},
	inFromSubselect:  {name: "FROM", noAgg: true, noWindow: true, aggText: "aggregate functions are not allowed in FROM clause of their own query level"},
	inFromFunction:   {name: "functions in FROM", noAgg: true, noWindow: true},
	inFilter:         {name: "FILTER", noAgg: true, noWindow: true, noSRF: true},
	inPartition:      {name: "window definitions", noWindow: true},
	inWindowOrder:    {name: "window definitions", noWindow: true},
	inFrameRows:      {name: "window ROWS", noAgg: true, noWindow: true, noSRF: true},
	inFrameRange:     {name: "window RANGE", noAgg: true, noWindow: true, noSRF: true},
	inFrameGroups:    {name: "window GROUPS", noAgg: true, noWindow: true, noSRF: true},
	inGroupBy:        {name: "GROUP BY", noAgg: true, noWindow: true},
	inOrderBy:        {name: "ORDER BY"},
	inDistinctOn:     {name: "DISTINCT ON"},
	inLimit:          {name: "LIMIT", noAgg: true, noWindow: true, noSRF: true},
	inOffset:         {name: "OFFSET", noAgg: true, noWindow: true, noSRF: true},
	inReturning:      {name: "RETURNING", noAgg: true, noWindow: true, noSRF: true},
	inValues:         {name: "VALUES", noAgg: true, noWindow: true, noSRF: true},
	inInsertTarget:   {name: "VALUES", noAgg: true, noWindow: true},
	inUpdateSource:   {name: "UPDATE", noAgg: true, noWindow: true, noSRF: true},
	inCheck:          {name: "check constraints", noAgg: true, noWindow: true, noSRF: true, selectCannot: "cannot use subquery in check constraint"},
	inDefault:        {name: "DEFAULT expressions", noAgg: true, noWindow: true, noSRF: true, selectCannot: "cannot use subquery in DEFAULT expression"},
	inIndexExpr:      {name: "index expressions", noAgg: true, noWindow: true, noSRF: true, selectCannot: "cannot use subquery in index expression"},
	inIndexPredicate: {name: "index predicates", noAgg: true, noWindow: true, noSRF: true, selectCannot: "cannot use subquery in index predicate"},
	inGenerated:      {name: "column generation expressions", noAgg: true, noWindow: true, noSRF: true, selectCannot: "cannot use subquery in column generation expression"},
	inCall:           {name: "CALL arguments", noAgg: true, noWindow: true, noSRF: true},
	inCopyWhere:      {name: "COPY FROM WHERE conditions", noAgg: true, noWindow: true, noSRF: true, selectCannot: "cannot use subquery in COPY FROM WHERE condition"},
	inMergeWhen:      {name: "MERGE WHEN conditions", noAgg: true, noWindow: true, noSRF: true},
}

func (s *scope) info() *clauseInfo { return &clauses[s.kind] }

func (i *clauseInfo) aggError(loc int32) error {
	if i.aggText != "" {
		return pgerr.New(pgerr.GroupingError, "%s", i.aggText).At(loc)
	}
	return pgerr.New(pgerr.GroupingError, "aggregate functions are not allowed in %s", i.name).At(loc)
}

func (i *clauseInfo) windowError(loc int32) error {
	return pgerr.New(pgerr.WindowingError, "window functions are not allowed in %s", i.name).At(loc)
}

func (i *clauseInfo) srfError(loc int32) error {
	return pgerr.New(pgerr.FeatureNotSupported, "set-returning functions are not allowed in %s", i.name).At(loc)
}

// strs returns the strings of a list of String nodes, as names are given.
func strs(nodes []*pg_query.Node) []string {
	out := make([]string, len(nodes))
	for i, n := range nodes {
		out[i] = n.GetString_().GetSval()
	}
	return out
}
