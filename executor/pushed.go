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

	cursor mongo.Cursor
	done   bool
}

// pushedQuery renders the conditions of a leaf.
type pushedQuery struct {
	env     *expr.Env
	matches []*expr.Match
	values  map[expr.Expr]scalar
}

func (b *builder) buildPushed(n *planner.Pushed) (Operator, error) {
	query, err := b.pushedQuery(n)
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
	return op, err
}

// pushedQuery compiles a leaf's conditions and the values in them.
func (b *builder) pushedQuery(n *planner.Pushed) (pushedQuery, error) {
	q := pushedQuery{env: b.rt.Env, values: map[expr.Expr]scalar{}}
	m := n.Scan.Matcher()
	for _, f := range n.Filter {
		match, why := m.Filter(f)
		if match == nil {
			return q, pgerr.Internal("a pushed condition has no match form: %s", why)
		}
		q.matches = append(q.matches, match)
	}
	// Rendering asks for values by expression: compile each one now. The first rendering finds out which there are.
	var failed error
	for _, f := range n.Filter {
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
		return list[0].(bson.D), nil
	}
	return bson.D{{Key: "$and", Value: list}}, nil
}

// Open builds the query and opens the cursor; LIMIT 0 asks for nothing.
func (p *pushedOp) Open(ctx context.Context) error {
	p.done = false
	q, none, err := p.build()
	if err != nil || none {
		p.done = true
		return err
	}
	p.cursor, err = p.rt.Txn.Read(ctx, q)
	p.rt.note(p.node, q)
	return err
}

func (p *pushedOp) build() (q mongo.Query, none bool, err error) {
	q = p.rt.query(p.node.Scan.Rel)
	if q.Skip, err = p.limit.count(p.limit.offset, 0, pgerr.InvalidRowCountInResultOffsetClause, "OFFSET must not be negative"); err != nil {
		return q, false, err
	}
	limit, err := p.limit.count(p.limit.limit, math.MaxInt64, pgerr.InvalidRowCountInLimitClause, "LIMIT must not be negative")
	if err != nil || limit == 0 {
		return q, limit == 0, err
	}
	if limit < math.MaxInt64 {
		q.Limit = limit
	}
	if q.Filter, err = p.query.filter(); err != nil {
		return q, false, err
	}
	q.Sort = sortSpec(p.node)
	q.Projection = projection(p.node)
	return q, false, nil
}

// sortSpec is MongoDB's sort; a timestamp's microseconds are its second key, where a missing one is 0 and comes first.
func sortSpec(n *planner.Pushed) bson.D {
	var spec bson.D
	m := n.Scan.Matcher()
	for _, k := range n.Sort {
		direction := 1
		if k.Desc {
			direction = -1
		}
		col := sortColumn(m, k.X)
		spec = append(spec, bson.E{Key: dotted(col.Path), Value: direction})
		if col.Micros {
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
		doc, err := p.cursor.Next(ctx)
		if err == io.EOF {
			p.done = true
			break
		}
		if err != nil {
			return err
		}
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
