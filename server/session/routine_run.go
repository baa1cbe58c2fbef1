package session

import (
	"context"
	"errors"
	"strings"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/executor/plpgsql"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// planUtility finds out what a statement that the planner does not take will return.
func (c *codeStatement) planUtility(ctx context.Context) error {
	switch n := c.prep.node.GetNode().(type) {
	case *pg_query.Node_TransactionStmt:
		return pgerr.New(pgerr.FeatureNotSupported, "unsupported transaction command in PL/pgSQL")
	case *pg_query.Node_CopyStmt:
		return pgerr.New(pgerr.FeatureNotSupported, "cannot COPY to/from client in PL/pgSQL")
	case *pg_query.Node_CallStmt:
		b, err := c.s.bindCall(ctx, c.prep, n.CallStmt)
		if err != nil {
			return err
		}
		c.utils = b.cols
		return nil
	}
	var err error
	c.utils, err = c.s.utilityCols(ctx, c.prep.node)
	return err
}

// CallOutputs implements plpgsql.Statement.
func (c *codeStatement) CallOutputs() [][]string {
	call := c.prep.node.GetCallStmt()
	if call == nil {
		return nil
	}
	b, err := c.s.bindCall(context.Background(), c.prep, call)
	if err != nil {
		return nil
	}
	var out [][]string
	for _, i := range b.outs {
		var path []string
		if i < len(call.Funccall.Args) {
			n := call.Funccall.Args[i]
			if na := n.GetNamedArgExpr(); na != nil {
				n = na.Arg
			}
			for _, f := range n.GetColumnRef().GetFields() {
				path = append(path, f.GetString_().GetSval())
			}
		}
		out = append(out, path)
	}
	return out
}

// Run implements plpgsql.Statement.
func (c *codeStatement) Run(ctx context.Context, hst plpgsql.Host, params []types.Datum, max int64, yield func(row []types.Datum) error) (int64, error) {
	h := hst.(*host)
	for _, st := range c.more {
		if err := st.Plan(ctx, h, nil, false); err != nil {
			return 0, err
		}
		if _, err := st.Run(ctx, h, params, 0, func([]types.Datum) error { return nil }); err != nil {
			return 0, err
		}
	}
	if c.prep == nil {
		return 0, nil
	}
	if err := h.r.settle(ctx); err != nil {
		return 0, err
	}
	if !c.prep.planable {
		return c.runUtility(ctx, h, params, yield)
	}
	plan := c.prep.plan
	writes := len(plan.Writes) > 0
	if h.readOnly && (writes || plan.Locks) {
		what := plan.Tag
		if plan.Locks && !writes {
			what = "SELECT FOR UPDATE"
		}
		return 0, pgerr.New(pgerr.FeatureNotSupported, "%s is not allowed in a non-volatile function", what)
	}
	if err := c.s.writable(plan); err != nil {
		return 0, err
	}
	defer c.s.retell()()
	began := time.Now()
	for n := 0; ; n++ {
		count, err := c.once(ctx, h, plan, params, max, yield)
		if err == nil || !c.s.tx.Retryable(err) || h.r.outer() != nil {
			return count, err
		}
		c.s.eng.Metrics.Retries.Inc()
		c.s.told.again()
		if err := c.s.tx.Backoff(ctx, n, began, err); err != nil {
			return 0, err
		}
	}
}

// once runs a planned statement; what changes data gives its rows when it is done.
func (c *codeStatement) once(ctx context.Context, h *host, plan *planner.Plan, params []types.Datum, max int64, yield func(row []types.Datum) error) (int64, error) {
	s := c.s
	p := &portal{prep: c.prep, params: params, started: true, up: h.r}
	r, err := s.build(ctx, p, plan, statementOptions(plan))
	if err != nil {
		return 0, err
	}
	var n, affected int64
	if len(plan.Writes) > 0 || plan.Locks || s.runsCode(plan) {
		var mem memorySink
		n, _, err = r.pull(ctx, &mem, max)
		if a, ok := r.op.(executor.Affected); ok && err == nil {
			affected = a.RowsAffected()
		}
		if err = s.finishPlan(ctx, p, r, plan, err); err != nil {
			return 0, err
		}
		for _, row := range mem.list {
			if err := yield(row); err != nil {
				return n, err
			}
		}
	} else {
		k := &yieldSink{yield: yield}
		_, _, err = r.pull(ctx, k, max)
		n = k.n
		if err = s.finishPlan(ctx, p, r, plan, err); err != nil {
			return n, err
		}
	}
	if plan.Tag != "SELECT" {
		n = affected
	}
	return n, nil
}

// runUtility runs a statement that the planner does not take.
func (c *codeStatement) runUtility(ctx context.Context, h *host, params []types.Datum, yield func(row []types.Datum) error) (int64, error) {
	s := c.s
	if h.readOnly {
		if tag := utilityTag(c.prep.node); tag != "" {
			return 0, pgerr.New(pgerr.FeatureNotSupported, "%s is not allowed in a non-volatile function", tag)
		}
	}
	var res result
	var err error
	switch n := c.prep.node.GetNode().(type) {
	case *pg_query.Node_CallStmt:
		res, err = s.call(ctx, c.prep, n.CallStmt, params, h.r)
	case *pg_query.Node_DoStmt:
		res, err = s.do(ctx, n.DoStmt, h.r)
	default:
		res, err = s.utility(ctx, c.prep, params)
	}
	if err != nil {
		return 0, err
	}
	for _, row := range res.rows {
		if err := yield(row); err != nil {
			return 0, err
		}
	}
	count := int64(0)
	if _, n, ok := strings.Cut(res.tag, " "); ok && strings.HasPrefix(res.tag, "SELECT ") {
		for _, d := range n {
			count = count*10 + int64(d-'0')
		}
	}
	return count, nil
}

func utilityTag(n *pg_query.Node) string {
	switch n.GetNode().(type) {
	case *pg_query.Node_VariableSetStmt, *pg_query.Node_VariableShowStmt, *pg_query.Node_ExplainStmt, *pg_query.Node_CallStmt, *pg_query.Node_DoStmt:
		return ""
	}
	return commandName(n)
}

// do is DO: up is the routine that it stands in, nil for the client.
func (s *Session) do(ctx context.Context, n *pg_query.DoStmt, up *routines) (result, error) {
	language, body, loc := "plpgsql", "", int32(-1)
	for _, a := range n.Args {
		d := a.GetDefElem()
		switch d.Defname {
		case "language":
			language = strings.ToLower(d.Arg.GetString_().GetSval())
		case "as":
			body, loc = d.Arg.GetString_().GetSval(), d.Location
		}
	}
	snap, err := s.snapshot(ctx)
	if err != nil {
		return result{}, err
	}
	switch language {
	case "plpgsql":
	case "sql", "internal", "c":
		return result{}, pgerr.New(pgerr.FeatureNotSupported, "language \"%s\" does not support inline code execution", language)
	default:
		return result{}, pgerr.New(pgerr.UndefinedObject, "language \"%s\" does not exist", language)
	}
	_ = loc
	code, err := plpgsql.Parse(s.resolver(snap), plpgsql.Definition{
		Name: plpgsql.Inline, Signature: plpgsql.Inline, Result: plpgsql.Result{Type: types.VoidT, Procedure: true}, Body: s.conformBody(body),
	})
	if err != nil {
		var e *pgerr.Error
		if errors.As(err, &e) && e.Offset > 0 {
			c := *e
			c.Query, c.QueryPosition, c.Offset = body, len([]rune(body[:min(e.Offset-1, len(body))]))+1, 0
			c.Where = "PL/pgSQL function inline_code_block"
			err = &c
		}
		return result{}, err
	}
	r, err := s.enterRoutine(up)
	if err != nil {
		return result{}, err
	}
	_, err = code.Call(ctx, &host{s: s, r: r, ctx: ctx}, nil, nil)
	return result{tag: "DO"}, err
}

// enterRoutine begins what DO and CALL run in: a transaction that the routine may end itself, if nothing else is in it.
func (s *Session) enterRoutine(up *routines) (*routines, error) {
	if up != nil {
		return &routines{s: s, st: up.st, rt: up.rt, up: up.up, procedure: up.procedure}, nil
	}
	r := &routines{s: s, procedure: s.single()}
	if s.single() {
		return r, s.tx.BeginImplicit(s.defaults())
	}
	return r, nil
}
