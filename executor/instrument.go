package executor

import (
	"context"
	"io"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/planner"
)

// Instrument collects what EXPLAIN ANALYZE prints, by plan node.
type Instrument struct {
	nodes map[planner.Node]*planner.NodeStats
	// Queries are what the Pushed nodes sent last.
	Queries map[*planner.Pushed]mongo.Query
}

// NewInstrument returns an empty collector.
func NewInstrument() *Instrument {
	return &Instrument{nodes: map[planner.Node]*planner.NodeStats{}, Queries: map[*planner.Pushed]mongo.Query{}}
}

// Stats returns what was measured at a node, nil if it never ran.
func (i *Instrument) Stats(n planner.Node) *planner.NodeStats { return i.nodes[n] }

// note keeps the query that a node sent, for EXPLAIN ANALYZE.
func (rt *Runtime) note(n *planner.Pushed, q mongo.Query) {
	if rt.Instrument != nil {
		rt.Instrument.Queries[n] = q
	}
}

// wrap measures an operator.
func (i *Instrument) wrap(n planner.Node, op Operator) Operator {
	s := i.nodes[n]
	if s == nil {
		s = &planner.NodeStats{}
		i.nodes[n] = s
	}
	return &measuredOp{op: op, stats: s}
}

type measuredOp struct {
	op    Operator
	stats *planner.NodeStats
	first bool
}

func (m *measuredOp) Open(ctx context.Context) error {
	start := time.Now()
	m.first = true
	m.stats.Loops++
	err := m.op.Open(ctx)
	m.stats.TotalMS += ms(start)
	return err
}

func (m *measuredOp) Next(ctx context.Context, b *Batch) error {
	start := time.Now()
	err := m.op.Next(ctx, b)
	m.stats.TotalMS += ms(start)
	if err == nil {
		m.stats.Rows += int64(b.N)
		if m.first {
			m.first = false
			m.stats.StartupMS = m.stats.TotalMS
		}
	}
	if err == io.EOF && m.first {
		m.stats.StartupMS = m.stats.TotalMS
	}
	if p, ok := m.op.(*pushedOp); ok {
		m.stats.Removed = p.removed
	}
	return err
}

func (m *measuredOp) Close(ctx context.Context) error { return m.op.Close(ctx) }

// RowsAffected passes on what a modifying operator says.
func (m *measuredOp) RowsAffected() int64 {
	if a, ok := m.op.(Affected); ok {
		return a.RowsAffected()
	}
	return 0
}

func ms(start time.Time) float64 { return float64(time.Since(start).Microseconds()) / 1000 }

// QueryText prints a query as the shell's language would, for EXPLAIN.
func QueryText(q mongo.Query) string {
	doc := bson.D{}
	if q.Pipeline != nil {
		doc = append(doc, bson.E{Key: "aggregate", Value: q.Collection}, bson.E{Key: "pipeline", Value: q.Pipeline})
	} else {
		doc = append(doc, bson.E{Key: "find", Value: q.Collection}, bson.E{Key: "filter", Value: q.Filter})
		if q.Projection != nil {
			doc = append(doc, bson.E{Key: "projection", Value: q.Projection})
		}
		if q.Sort != nil {
			doc = append(doc, bson.E{Key: "sort", Value: q.Sort})
		}
		if q.Skip > 0 {
			doc = append(doc, bson.E{Key: "skip", Value: q.Skip})
		}
		if q.Limit > 0 {
			doc = append(doc, bson.E{Key: "limit", Value: q.Limit})
		}
	}
	text, err := bson.MarshalExtJSON(doc, false, false)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
