package executor

import (
	"context"
	"io"
	"math"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// pushedOp lets MongoDB filter, sort and cut a collection, and decodes what it sends. The query is built at every opening,
// when parameters and the columns of enclosing queries are known.
type pushedOp struct {
	rt      *Runtime
	node    *planner.Pushed
	query   pushedQuery
	dec     *document.Decoder
	width   int
	recheck []scalar
	limit   limitOp // evaluates LIMIT and OFFSET; it has no input
	removed int64   // rows that the recheck took out
	// within restricts the rows to keys of a join; none says that there are no keys.
	within bson.D
	none   bool

	cursor mongo.Cursor
	done   bool
	// A sort by a nullable column reads its NULLs by a query of their own, after (or before) the others: phases are the
	// queries to come. skip and left are what OFFSET and LIMIT still count over all of them.
	phases     []mongo.Query
	skip, left int64
}

// pushedQuery renders the conditions of a leaf.
type pushedQuery struct {
	env     *expr.Env
	matches []*expr.Match
	values  map[expr.Expr]scalar
}

func (b *builder) buildPushed(n *planner.Pushed) (Operator, error) {
	query, err := b.pushedQuery(n.Scan, n.Filter)
	if err != nil {
		return nil, err
	}
	if n.Group != nil {
		return b.buildPushedGroup(n, query)
	}
	op := &pushedOp{rt: b.rt, node: n, query: query, width: len(n.Out), dec: document.NewDecoder(n.Scan.Rel, scanAttnums(n.Scan))}
	op.limit.env = b.rt.Env
	for _, l := range []struct {
		e  expr.Expr
		to **scalar
	}{{n.Limit, &op.limit.limit}, {n.Offset, &op.limit.offset}} {
		if l.e == nil {
			continue
		}
		s, err := b.compile(l.e, nil)
		if err != nil {
			return nil, err
		}
		*l.to = &s
	}
	op.recheck, err = b.compileAll(n.Recheck, layoutOf(n.Scan.Out))
	b.leaves[n] = op
	return op, err
}

// pushedQuery compiles a leaf's conditions and the values in them.
func (b *builder) pushedQuery(scan *planner.Scan, conds []expr.Expr) (pushedQuery, error) {
	q := pushedQuery{env: b.rt.Env, values: map[expr.Expr]scalar{}}
	m := scan.Matcher()
	for _, f := range conds {
		match, why := scan.Filter(f)
		if match == nil {
			return q, pgerr.Internal("a pushed condition has no match form: %s", why)
		}
		q.matches = append(q.matches, match)
	}
	// Rendering asks for values by expression: compile each one now. The first rendering finds out which there are.
	var failed error
	for _, f := range conds {
		expr.Walk(f, func(e expr.Expr) bool {
			if failed != nil {
				return false
			}
			if _, ok := q.values[e]; !ok && independentOf(m, e) {
				s, err := b.compile(e, nil)
				q.values[e], failed = s, err
			}
			return true
		})
	}
	return q, failed
}

func independentOf(m *expr.Matcher, e expr.Expr) bool {
	ok := true
	expr.Walk(e, func(x expr.Expr) bool {
		if c, isCol := x.(*expr.ColRef); isCol && m.Column(c.ID) != nil {
			ok = false
		}
		return ok
	})
	return ok
}

// filter renders the conditions; empty means all documents.
func (q *pushedQuery) filter() (bson.D, error) {
	value := func(e expr.Expr) (types.Datum, error) {
		s, ok := q.values[e]
		if !ok {
			return types.Null, pgerr.Internal("a pushed condition has a value that was not compiled")
		}
		return s.value(q.env, nil)
	}
	list := bson.A{}
	for _, m := range q.matches {
		d, err := m.Render(value)
		if err != nil {
			return nil, err
		}
		if len(d) > 0 {
			list = append(list, d)
		}
	}
	switch len(list) {
	case 0:
		return bson.D{}, nil
	case 1:
		return byID(list[0].(bson.D)), nil
	}
	return bson.D{{Key: "$and", Value: list}}, nil
}

// byID words {_id: {$eq: v}} as {_id: v}, for which MongoDB needs no plan.
func byID(filter bson.D) bson.D {
	if len(filter) != 1 || filter[0].Key != "_id" {
		return filter
	}
	cond, ok := filter[0].Value.(bson.D)
	if !ok || len(cond) != 1 || cond[0].Key != "$eq" {
		return filter
	}
	v, ok := cond[0].Value.(bson.RawValue)
	if !ok || v.Type == bson.TypeEmbeddedDocument || v.Type == bson.TypeArray || v.Type == bson.TypeRegex {
		return filter
	}
	return bson.D{{Key: "_id", Value: v}}
}

// Open builds the query and opens the cursor; LIMIT 0 asks for nothing.
func (p *pushedOp) Open(ctx context.Context) error {
	p.done, p.phases, p.skip, p.left = false, nil, 0, math.MaxInt64
	q, none, err := p.build()
	if err != nil || none {
		p.done = true
		return err
	}
	p.rt.note(p.node, q)
	if nulls := p.node.NullsApart(); nulls != nil {
		q = p.split(q, nulls)
	}
	p.cursor, err = p.rt.Txn.Read(ctx, q)
	return err
}

// split makes two queries of one, for the rows where the first sort key is NULL and for the others, and returns the one to
// begin with. Each alone is in index order; MongoDB's own order has NULL and missing first when it ascends.
func (p *pushedOp) split(q mongo.Query, nulls *expr.SortKey) mongo.Query {
	path := dotted(sortColumn(p.node.Scan.Matcher(), nulls.X).Path)
	p.skip = q.Skip
	if q.Limit > 0 {
		p.left, q.Limit = q.Limit, q.Limit+q.Skip
	}
	q.Skip = 0
	with := func(op string) mongo.Query {
		part := q
		part.Filter = bson.D{{Key: "$and", Value: bson.A{bson.D{{Key: path, Value: bson.D{{Key: op, Value: nil}}}}, q.Filter}}}
		return part
	}
	first, second := with("$ne"), with("$eq")
	if nulls.NullsFirst {
		first, second = second, first
	}
	p.phases = []mongo.Query{second}
	return first
}

func (p *pushedOp) build() (q mongo.Query, none bool, err error) {
	q = p.rt.query(p.node.Scan.Rel)
	if q.Skip, err = p.limit.count(p.limit.offset, 0, pgerr.InvalidRowCountInResultOffsetClause, "OFFSET must not be negative"); err != nil {
		return q, false, err
	}
	limit, err := p.limit.count(p.limit.limit, math.MaxInt64, pgerr.InvalidRowCountInLimitClause, "LIMIT must not be negative")
	if err != nil || limit == 0 || p.none {
		return q, limit == 0 || p.none, err
	}
	if limit < math.MaxInt64 {
		q.Limit = limit
	}
	if q.Filter, err = p.query.filter(); err != nil {
		return q, false, err
	}
	if p.within != nil {
		q.Filter = bothFilters(p.within, q.Filter)
	}
	q.Sort = sortSpec(p.node)
	q.Projection = projection(p.node)
	return q, false, nil
}

func bothFilters(a, b bson.D) bson.D {
	if len(b) == 0 {
		return a
	}
	return bson.D{{Key: "$and", Value: bson.A{a, b}}}
}

// sortSpec is MongoDB's sort; a timestamp's microseconds are its second key, where a missing one is 0 and comes first.
func sortSpec(n *planner.Pushed) bson.D {
	var spec bson.D
	m := n.Scan.Matcher()
	for i, k := range n.Sort {
		direction := 1
		if k.Desc {
			direction = -1
		}
		col := sortColumn(m, k.X)
		spec = append(spec, bson.E{Key: dotted(col.Path), Value: direction})
		if col.Micros && !(n.Coarse && i == len(n.Sort)-1) {
			spec = append(spec, bson.E{Key: document.MicrosField + "." + document.MicrosKey(col), Value: direction})
		}
	}
	return spec
}

func sortColumn(m *expr.Matcher, e expr.Expr) *catalog.Column {
	for {
		switch x := e.(type) {
		case *expr.Relabel:
			e = x.X
		case *expr.ColRef:
			return m.Column(x.ID)
		default:
			return nil
		}
	}
}

func dotted(path []string) string {
	s := path[0]
	for _, p := range path[1:] {
		s += "." + p
	}
	return s
}

// wideColumns is how many columns a table needs before leaving most of them out pays for the projection.
const wideColumns = 12

// projection asks for the needed top-level fields of a wide document; nil asks for whole documents. An exclusion would cost
// twice as much as an inclusion.
func projection(n *planner.Pushed) bson.D {
	live := len(n.Scan.Rel.Live())
	if n.Scan.ForModify || live < wideColumns || len(n.Scan.Attnums)*3 > live {
		return nil
	}
	fields, micros := bson.D{}, false
	seen := map[string]bool{}
	for _, att := range n.Scan.Attnums {
		col := n.Scan.Rel.ByAttnum(att)
		if col == nil {
			if att == 0 {
				return nil
			}
			continue
		}
		micros = micros || col.Micros
		if !col.Named() {
			return nil
		}
		if top := col.Path[0]; !seen[top] {
			seen[top] = true
			fields = append(fields, bson.E{Key: top, Value: 1})
		}
	}
	if micros {
		fields = append(fields, bson.E{Key: document.MicrosField, Value: 1})
	}
	if len(fields) == 0 {
		return bson.D{{Key: "_id", Value: 1}}
	}
	return fields
}

func (p *pushedOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(p.width)
	if err := cancelled(ctx); err != nil {
		return err
	}
	for !p.done && b.N < BatchRows {
		if p.left == 0 {
			p.done = true
			break
		}
		if b.N > 0 && p.cursor.Buffered() == 0 {
			break // a limit above may have enough
		}
		doc, err := p.cursor.Next(ctx)
		if err == io.EOF {
			if err := p.nextPhase(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if p.skip > 0 {
			p.skip--
			continue
		}
		p.left--
		row := b.grow()
		if err := p.dec.Decode(doc, row); err != nil {
			return err
		}
		if p.node.Scan.ForModify {
			row[p.width-1] = types.Bytes(doc)
		}
		ok, err := p.qualifies(row)
		if err != nil {
			return err
		}
		if !ok {
			p.removed++
			b.shrink()
		}
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

// nextPhase goes on to the next query, if there is one.
func (p *pushedOp) nextPhase(ctx context.Context) error {
	if len(p.phases) == 0 {
		p.done = true
		return nil
	}
	if err := p.cursor.Close(ctx); err != nil {
		return err
	}
	var err error
	p.cursor, err = p.rt.Txn.Read(ctx, p.phases[0])
	p.phases = p.phases[1:]
	return err
}

func (p *pushedOp) qualifies(row []types.Datum) (bool, error) {
	for i := range p.recheck {
		v, err := p.recheck[i].value(p.rt.Env, row)
		if err != nil || v.IsNull() || !v.Bool() {
			return false, err
		}
	}
	return true, nil
}

func (p *pushedOp) Close(ctx context.Context) error {
	if p.cursor == nil {
		return nil
	}
	c := p.cursor
	p.cursor = nil
	return c.Close(ctx)
}
