package executor

import (
	"context"
	"io"
	"strconv"

	"github.com/cockroachdb/apd/v3"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/mongo/mql"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// pushedGroupOp lets MongoDB group a collection.
type pushedGroupOp struct {
	rt    *Runtime
	node  *planner.Pushed
	query pushedQuery
	keys  []*catalog.Column
	aggs  []pushedAgg

	cursor mongo.Cursor
	done   bool
	rows   int
	null   bool // the group of NULL has come
}

// pushedAgg is one aggregate: field a<i> holds its value and n<i> the number of values (avg), or one of them (sum).
type pushedAgg struct {
	form planner.PushedAgg
	col  *catalog.Column
	typ  *types.T
	div  expr.EvalFunc // numeric division, for avg
}

// numericDiv is pg_proc's numeric_div, which gives avg its scale.
const numericDiv = 1727

func (b *builder) buildPushedGroup(n *planner.Pushed, query pushedQuery) (Operator, error) {
	op := &pushedGroupOp{rt: b.rt, node: n, query: query}
	m := n.Scan.Matcher()
	for _, k := range n.Group.Keys {
		op.keys = append(op.keys, sortColumn(m, k))
	}
	for _, a := range n.Group.Aggs {
		agg := pushedAgg{form: planner.AggForm(m, a.Agg), typ: a.Col.Type}
		if len(a.Agg.Args) == 1 {
			agg.col = sortColumn(m, a.Agg.Args[0])
		}
		if agg.form == planner.PushedAvg {
			p := b.rt.Procs.ByOID(numericDiv)
			if p == nil || p.Impl == nil {
				return nil, pgerr.Internal("numeric division is missing")
			}
			div, err := p.Impl.Func(nil)
			if err != nil {
				return nil, err
			}
			agg.div = div
		}
		op.aggs = append(op.aggs, agg)
	}
	return op, nil
}

// Open sends the pipeline.
func (p *pushedGroupOp) Open(ctx context.Context) error {
	p.done, p.rows, p.null = false, 0, false
	q, err := p.build()
	if err != nil {
		return err
	}
	p.cursor, err = p.rt.Txn.Read(ctx, q)
	p.rt.note(p.node, q)
	return err
}

func (p *pushedGroupOp) build() (mongo.Query, error) {
	q := p.rt.query(p.node.Scan.Rel)
	filter, err := p.query.filter()
	if err != nil {
		return q, err
	}
	q.Pipeline = bson.A{}
	if len(filter) > 0 {
		q.Pipeline = append(q.Pipeline, bson.D{{Key: "$match", Value: filter}})
	}
	q.Pipeline = append(q.Pipeline, bson.D{{Key: "$group", Value: p.group()}})
	return q, nil
}

func (p *pushedGroupOp) group() bson.D {
	// NULL and missing are one group for a single key, but two as soon as there are several: each key is made null.
	value := func(c *catalog.Column) mql.Expr { return mql.Op("$ifNull", mql.Field(c.Path...), mql.Literal(nil)) }
	var id any
	switch len(p.keys) {
	case 0:
	case 1:
		id = value(p.keys[0])
		if len(p.aggs) == 0 {
			id = mql.Field(p.keys[0].Path...) // an index can give the values; Next makes one group of NULL and missing
		}
	default:
		d := bson.D{}
		for i, k := range p.keys {
			d = append(d, bson.E{Key: "k" + strconv.Itoa(i), Value: value(k)})
		}
		id = d
	}
	g := bson.D{{Key: "_id", Value: id}}
	for i, a := range p.aggs {
		name := strconv.Itoa(i)
		// Not $gt null: that would leave out MinKey, and a comparison with missing is not one with null.
		counted := func() mql.Expr {
			return mql.Op("$cond", mql.Op("$ne", value(a.col), mql.Literal(nil)), mql.Literal(1), mql.Literal(0))
		}
		switch a.form {
		case planner.PushedCountStar:
			g = append(g, bson.E{Key: "a" + name, Value: bson.D{{Key: "$sum", Value: 1}}})
		case planner.PushedCount:
			g = append(g, bson.E{Key: "a" + name, Value: bson.D{{Key: "$sum", Value: counted()}}})
		case planner.PushedSum, planner.PushedAvg:
			// The sum of no values is 0 there and NULL here: for avg count them, for sum the greatest one tells, at a third of
			// the cost.
			seen := bson.D{{Key: "$max", Value: mql.Field(a.col.Path...)}}
			if a.form == planner.PushedAvg {
				seen = bson.D{{Key: "$sum", Value: counted()}}
			}
			var v mql.Expr = mql.Field(a.col.Path...)
			if a.col.Type == types.Int8T {
				v = bson.D{{Key: "$toDecimal", Value: v}} // an int64 sum becomes a double in silence when it overflows
			}
			g = append(g, bson.E{Key: "a" + name, Value: bson.D{{Key: "$sum", Value: v}}},
				bson.E{Key: "n" + name, Value: seen})
		case planner.PushedMin:
			g = append(g, bson.E{Key: "a" + name, Value: bson.D{{Key: "$min", Value: mql.Field(a.col.Path...)}}})
		case planner.PushedMax:
			g = append(g, bson.E{Key: "a" + name, Value: bson.D{{Key: "$max", Value: mql.Field(a.col.Path...)}}})
		}
	}
	return g
}

func (p *pushedGroupOp) Next(ctx context.Context, b *Batch) error {
	b.Reset(len(p.node.Out))
	if err := cancelled(ctx); err != nil {
		return err
	}
	for !p.done && b.N < BatchRows {
		doc, err := p.cursor.Next(ctx)
		if err == io.EOF {
			p.done = true
			if p.rows == 0 && len(p.keys) == 0 {
				p.empty(b.grow()) // MongoDB gives no document for no input, SQL one row
			}
			break
		}
		if err != nil {
			return err
		}
		p.rows++
		row := b.grow()
		if err := p.decode(doc, row); err != nil {
			return err
		}
		if len(p.keys) == 1 && row[0].IsNull() {
			if p.null {
				b.shrink()
			}
			p.null = true
		}
	}
	if b.N == 0 {
		return io.EOF
	}
	return nil
}

func (p *pushedGroupOp) empty(row []types.Datum) {
	for i, a := range p.aggs {
		row[i] = types.Null
		if a.form == planner.PushedCountStar || a.form == planner.PushedCount {
			row[i] = types.Int(0)
		}
	}
}

func (p *pushedGroupOp) decode(doc bson.Raw, row []types.Datum) error {
	id := doc.Lookup("_id")
	for i, k := range p.keys {
		v := id
		if len(p.keys) > 1 {
			v = id.Document().Lookup("k" + strconv.Itoa(i))
		}
		d, err := types.FromBSON(k.Type, v)
		if err != nil {
			return err
		}
		row[i] = d
	}
	for i, a := range p.aggs {
		d, err := a.decode(p.rt.Env, doc, strconv.Itoa(i))
		if err != nil {
			return err
		}
		row[len(p.keys)+i] = d
	}
	return nil
}

func (a *pushedAgg) decode(env *expr.Env, doc bson.Raw, name string) (types.Datum, error) {
	v := doc.Lookup("a" + name)
	switch a.form {
	case planner.PushedCountStar, planner.PushedCount:
		return types.FromBSON(types.Int8T, v)
	case planner.PushedMin, planner.PushedMax:
		return types.FromBSON(a.typ, v)
	}
	n, err := types.FromBSON(types.Int8T, doc.Lookup("n"+name))
	if err != nil || n.IsNull() {
		return types.Null, err
	}
	if a.form == planner.PushedSum {
		return types.FromBSON(a.typ, v)
	}
	if n.Int() == 0 {
		return types.Null, nil
	}
	sum, err := types.FromBSON(types.NumericT, v)
	if err != nil {
		return types.Null, err
	}
	return a.div(env, []types.Datum{sum, types.Num(apd.New(n.Int(), 0))})
}

func (p *pushedGroupOp) Close(ctx context.Context) error {
	if p.cursor == nil {
		return nil
	}
	c := p.cursor
	p.cursor = nil
	return c.Close(ctx)
}
