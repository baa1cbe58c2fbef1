package session

import (
	"context"
	"fmt"
	"strings"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
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
	if f, _ := explainOption(n, "format"); f == "json" {
		cols[0].Type = types.JSONT
	}
	return cols
}

// explain is EXPLAIN.
func (s *Session) explain(ctx context.Context, p *prepared, n *pg_query.ExplainStmt) (result, error) {
	format, _ := explainOption(n, "format")
	if format != "" && format != "text" {
		return result{}, pgerr.Unsupported("EXPLAIN (FORMAT " + strings.ToUpper(format) + ")")
	}
	query, params := n.Query, []types.Datum(nil)
	if e := query.GetExecuteStmt(); e != nil {
		target, err := s.find(e.Name)
		if err != nil {
			return result{}, err
		}
		if params, err = s.evaluate(ctx, e.Params, target.params); err != nil {
			return result{}, err
		}
		query = target.node
	}
	if c := query.GetCreateTableAsStmt(); c != nil {
		query = c.Query
	}
	inner := &portal{prep: newPrepared(&sql.Statement{Node: query, Text: p.text, Source: p.source}), params: params, started: true}
	if !inner.prep.planable {
		return result{}, pgerr.Unsupported("EXPLAIN of this statement")
	}
	planned := time.Now()
	if err := s.ready(ctx, inner.prep); err != nil {
		return result{}, err
	}
	took := time.Since(planned)
	lines := strings.Split(strings.TrimRight(planner.Format(inner.prep.plan), "\n"), "\n")
	if _, on := explainOption(n, "analyze"); on {
		ran, err := s.analyzePlan(ctx, inner)
		if err != nil {
			return result{}, err
		}
		lines = append(lines, fmt.Sprintf("Planning Time: %.3f ms", took.Seconds()*1e3), ran)
	}
	r := result{tag: "EXPLAIN", cols: explainCols(n)}
	for _, l := range lines {
		r.rows = append(r.rows, []types.Datum{types.Str(l)})
	}
	return r, nil
}

// analyzePlan runs a plan and tells how long it took.
func (s *Session) analyzePlan(ctx context.Context, p *portal) (string, error) {
	plan := p.prep.plan
	if err := s.writable(plan); err != nil {
		return "", err
	}
	began := time.Now()
	r, err := s.build(ctx, p, plan, statementOptions(plan))
	if err != nil {
		return "", err
	}
	var mem memorySink
	_, _, err = r.pull(ctx, &mem, 0)
	if err := s.finishPlan(ctx, p, r, plan, err); err != nil {
		return "", err
	}
	return fmt.Sprintf("Execution Time: %.3f ms", time.Since(began).Seconds()*1e3), nil
}
