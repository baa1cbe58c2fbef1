package session

import (
	"context"
	"strings"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func explainOption(n *pg_query.ExplainStmt, name string) (value string, on bool) {
	for _, o := range n.Options {
		e := o.GetDefElem()
		if e.GetDefname() != name {
			continue
		}
		switch a := e.GetArg(); {
		case a == nil:
			return "", true
		case a.GetString_() != nil:
			value = strings.ToLower(a.GetString_().Sval)
		case a.GetInteger() != nil && a.GetInteger().Ival == 0:
			value = "off"
		}
		return value, value != "off" && value != "false"
	}
	return "", false
}

func explainCols(n *pg_query.ExplainStmt) []planner.Col {
	cols := textCols("QUERY PLAN")
	switch f, _ := explainOption(n, "format"); f {
	case "json":
		cols[0].Type = types.JSONT
	case "xml":
		cols[0].Type = types.XMLT
	}
	return cols
}

// explain is EXPLAIN.
func (s *Session) explain(ctx context.Context, p *prepared, params []types.Datum, n *pg_query.ExplainStmt) (result, error) {
	o, err := explainOptions(n)
	if err != nil {
		return result{}, err
	}
	query := n.Query
	var inner *portal
	if e := query.GetExecuteStmt(); e != nil {
		target, err := s.find(e.Name)
		if err != nil {
			return result{}, err
		}
		if params, err = s.executeParams(ctx, p, target, e); err != nil {
			return result{}, err
		}
		// A plan of its own, since this one's may be measured.
		inner = &portal{prep: target.within(target.node), params: params, started: true}
	} else {
		if c := query.GetCreateTableAsStmt(); c != nil {
			query = c.Query
		}
		inner = &portal{prep: p.within(query), params: params, started: true}
	}
	if !inner.prep.planable {
		return result{}, pgerr.Unsupported("EXPLAIN of this statement")
	}
	began := time.Now()
	if err := s.runnable(ctx, inner.prep); err != nil {
		return result{}, err
	}
	if err := inner.prep.plan.Denied; err != nil {
		return result{}, err
	}
	sum := planner.Summary{PlanningMS: milliseconds(began)}
	rt := s.runtime(ctx, inner, nil)
	if o.Analyze {
		if rt, err = s.analyzePlan(ctx, inner, &sum); err != nil {
			return result{}, err
		}
	}
	x := s.explainer(ctx, o, rt, inner.prep.snap)
	tree := x.Tree(inner.prep.plan)
	r := result{tag: "EXPLAIN", cols: explainCols(n)}
	if o.Format != "text" {
		text, err := x.FormatJSON(tree, sum)
		switch o.Format {
		case "xml":
			text = x.FormatXML(tree, sum)
		case "yaml":
			text = x.FormatYAML(tree, sum)
		}
		if err != nil {
			return result{}, pgerr.Internal("EXPLAIN: %w", err)
		}
		r.rows = [][]types.Datum{{types.Str(text)}}
		return r, nil
	}
	for _, l := range x.FormatText(tree, sum) {
		r.rows = append(r.rows, []types.Datum{types.Str(l)})
	}
	return r, nil
}

func milliseconds(since time.Time) float64 { return time.Since(since).Seconds() * 1e3 }

// explainOptions reads EXPLAIN's options with PostgreSQL's defaults: TIMING and SUMMARY go with ANALYZE.
func explainOptions(n *pg_query.ExplainStmt) (planner.ExplainOptions, error) {
	o := planner.ExplainOptions{Costs: true, Format: "text"}
	timing, summary := false, false
	for _, d := range n.Options {
		name := d.GetDefElem().GetDefname()
		value, on := explainOption(n, name)
		switch name {
		case "analyze":
			o.Analyze = on
		case "verbose":
			o.Verbose = on
		case "costs":
			o.Costs = on
		case "buffers", "wal", "generic_plan":
		case "settings":
			o.Settings = on
		case "timing":
			o.Timing, timing = on, true
		case "summary":
			o.Summary, summary = on, true
		case "format":
			o.Format = value
		default:
			return o, pgerr.New(pgerr.SyntaxError, "unrecognized EXPLAIN option \"%s\"", name).At(d.GetDefElem().GetLocation())
		}
	}
	switch o.Format {
	case "text", "json", "xml", "yaml":
	default:
		return o, pgerr.New(pgerr.InvalidParameterValue, "unrecognized value for EXPLAIN option \"format\": \"%s\"", o.Format)
	}
	if timing && o.Timing && !o.Analyze {
		return o, pgerr.New(pgerr.InvalidParameterValue, "EXPLAIN option TIMING requires ANALYZE")
	}
	o.Timing = o.Timing || !timing && o.Analyze
	o.Summary = o.Summary || !summary && o.Analyze
	return o, nil
}

// explainer prints plans with the session's names and asks MongoDB what it chooses for the pushed parts.
func (s *Session) explainer(ctx context.Context, o planner.ExplainOptions, rt *executor.Runtime, snap *catalog.Snapshot) *planner.Explainer {
	estimate := planner.Estimator{Ctx: ctx, Stats: (*stats)(s)}
	x := &planner.Explainer{
		Options: o, Estimate: estimate.Rows,
		Text: func(e expr.Expr) string { return expr.Deparse(e, expr.DeparseOptions{IO: rt.Env.IO}) },
		Query: func(p *planner.Pushed) string {
			if q, ok := executor.PushedQuery(rt, p); ok {
				return executor.QueryText(q)
			}
			return ""
		},
	}
	if rt.Instrument != nil {
		x.Stats = rt.Instrument.Stats
	}
	if o.Analyze || o.Verbose {
		x.Index = func(p *planner.Pushed) string { return s.chosenIndex(ctx, o, rt, snap, p) }
	}
	return x
}

// chosenIndex asks MongoDB which index it uses for a pushed part, by its name here; with ANALYZE also how many keys and
// documents it examines.
func (s *Session) chosenIndex(ctx context.Context, o planner.ExplainOptions, rt *executor.Runtime, snap *catalog.Snapshot, p *planner.Pushed) string {
	q, ok := executor.PushedQuery(rt, p)
	if !ok {
		return ""
	}
	verbosity := "queryPlanner"
	if o.Analyze {
		verbosity = "executionStats"
	}
	raw, err := s.eng.Client.Explain(ctx, q, verbosity)
	if err != nil {
		return "" // a server that refuses explain leaves the plan's other lines true
	}
	name, keys, docs := executor.WinningPlan(raw)
	if rt.Instrument != nil {
		if st := rt.Instrument.Stats(p); st != nil {
			st.Keys, st.Docs = keys, docs
		}
	}
	for _, i := range p.Scan.Rel.Indexes {
		if i.MongoName == name || i.Primary && name == "_id_" {
			return i.Name
		}
	}
	return name
}

// analyzePlan runs a plan with measurements.
func (s *Session) analyzePlan(ctx context.Context, p *portal, sum *planner.Summary) (*executor.Runtime, error) {
	plan := p.prep.plan
	if err := s.writable(plan); err != nil {
		return nil, err
	}
	began := time.Now()
	p.instrument = executor.NewInstrument()
	r, err := s.build(ctx, p, plan, statementOptions(plan))
	if err != nil {
		return nil, err
	}
	var mem memorySink
	_, _, err = r.pull(ctx, &mem, 0)
	if err := s.finishPlan(ctx, p, r, plan, err); err != nil {
		return nil, err
	}
	sum.ExecutionMS = milliseconds(began)
	return r.rt, nil
}
