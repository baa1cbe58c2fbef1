package session

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/executor/plpgsql"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// host is plpgsql.Host for one call.
type host struct {
	s *Session
	r *routines
	// readOnly is set for functions that are not volatile, which may not change data.
	readOnly bool
	ctx      context.Context // of the call, which this value does not outlive
	env      *expr.Env
}

// evalEnv is what the expressions of a call are evaluated in.
func (h *host) evalEnv(ctx context.Context) *expr.Env {
	s := h.s
	if h.env == nil || h.env.View.Snapshot != s.last || h.env.IO != s.io(s.last) {
		h.env = s.env(ctx, s.last, nil)
		h.env.Routines = h.r
	}
	h.env.Ctx = ctx
	return h.env
}

// Prepare implements plpgsql.Host.
func (h *host) Prepare(text string, expression bool) (plpgsql.Statement, error) {
	if expression {
		text = "SELECT " + text
	}
	stmts, err := sql.Parse(text)
	if err != nil {
		return nil, err
	}
	if len(stmts) != 1 {
		if len(stmts) == 0 {
			return &codeStatement{s: h.s}, nil
		}
		return h.several(stmts), nil
	}
	return h.statement(&stmts[0]), nil
}

// PrepareText implements plpgsql.Host.
func (h *host) PrepareText(text string) (plpgsql.Statement, error) {
	text, err := h.s.conform(text)
	if err != nil {
		return nil, err
	}
	return h.Prepare(text, false)
}

func (h *host) statement(st *sql.Statement) *codeStatement {
	return &codeStatement{s: h.s, prep: newPrepared(st)}
}

// Convert implements plpgsql.Host.
func (h *host) Convert(ctx context.Context, from, to *types.T, typmod int32) (func(types.Datum) (types.Datum, error), error) {
	if from == types.RecordT && to.BaseType().Kind == 'c' {
		return h.rowConversion(ctx, to)
	}
	x, err := planner.BindConversion(h.s.planContext(ctx, h.s.last, nil), from, to, typmod)
	if err != nil {
		return nil, err
	}
	run, err := expr.Compile(x, nil)
	if err != nil {
		return nil, err
	}
	return func(d types.Datum) (types.Datum, error) {
		env := *h.evalEnv(ctx)
		env.CaseArg = d
		return run(&env, nil)
	}, nil
}

// Keep implements plpgsql.Host.
func (h *host) Keep() plpgsql.RowList { return executor.NewRowList(h.s.set.Derived().WorkMem) }

// IO implements plpgsql.Host.
func (h *host) IO() *types.IO { return h.s.io(h.s.last) }

// Fields implements plpgsql.Host.
func (h *host) Fields(t *types.T) []types.Field { return fieldsOf(h.s.last, t.BaseType()) }

// Notice implements plpgsql.Host.
func (h *host) Notice(e *pgerr.Error) { h.s.notice(e) }

// Push implements plpgsql.Host.
func (h *host) Push(line func() string) { h.s.calls = append(h.s.calls, line) }

// Pop implements plpgsql.Host.
func (h *host) Pop() { h.s.calls = h.s.calls[:len(h.s.calls)-1] }

// Context implements plpgsql.Host.
func (h *host) Context() string {
	var lines []string
	for i := len(h.s.calls) - 1; i >= 0; i-- {
		lines = append(lines, h.s.calls[i]())
	}
	return strings.Join(lines, "\n")
}

// Asserts implements plpgsql.Host.
func (h *host) Asserts() bool {
	v, ok := h.s.set.Raw("plpgsql.check_asserts")
	return !ok || v != "off" && v != "false"
}

// Settle implements plpgsql.Host.
func (h *host) Settle(ctx context.Context) error { return h.r.settle(ctx) }

// BeginSub implements plpgsql.Host.
func (h *host) BeginSub() int {
	s := h.s
	s.subs = append(s.subs, subLevel{tx: s.tx.BeginSub(), settings: s.set.Push(), calls: len(s.calls), portals: s.portalNames()})
	return len(s.subs) - 1
}

// subLevel is a subtransaction of a routine.
type subLevel struct {
	tx, settings, calls int
	portals             map[string]bool
}

func (s *Session) portalNames() map[string]bool {
	out := make(map[string]bool, len(s.portals))
	for n := range s.portals {
		out[n] = true
	}
	return out
}

// EndSub implements plpgsql.Host.
func (h *host) EndSub(ctx context.Context, depth int, keep bool) {
	s := h.s
	l := s.subs[depth]
	s.subs = s.subs[:depth]
	if !keep {
		// Cursors that the subtransaction opened end with it.
		for n, p := range s.portals {
			if !l.portals[n] {
				p.close(ctx)
				delete(s.portals, n)
			}
		}
	}
	s.tx.EndSub(ctx, l.tx, keep)
	s.set.Pop(l.settings, keep)
	if len(s.calls) > l.calls {
		s.calls = s.calls[:l.calls]
	}
}

// Catchable implements plpgsql.Host.
func (h *host) Catchable(err error) *pgerr.Error {
	var e *pgerr.Error
	if err == nil || !errors.As(err, &e) || h.s.tx.Retryable(err) {
		return nil
	}
	return e
}

// EndTransaction implements plpgsql.Host.
func (h *host) EndTransaction(ctx context.Context, rollback, chain bool) error {
	s := h.s
	if !h.r.procedure || h.r.st != nil || s.tx.InBlock() {
		return pgerr.New(pgerr.InvalidTransactionTermination, "invalid transaction termination")
	}
	if len(s.subs) > 0 {
		what := "commit"
		if rollback {
			what = "roll back"
		}
		return pgerr.New(pgerr.InvalidTransactionTermination, "cannot %s while a subtransaction is active", what)
	}
	o := s.defaults()
	if chain {
		o = s.tx.Options()
	}
	for _, p := range s.portals {
		if p.cursor != nil && !p.held {
			// A loop over a cursor goes on in the next transaction.
			if err := s.hold(ctx, p); err != nil {
				return err
			}
		}
	}
	if rollback {
		s.tx.Fail(ctx)
	}
	kept := s.portals
	s.portals = map[string]*portal{}
	for n, p := range kept {
		if p.cursor == nil {
			delete(kept, n) // what CALL itself came by
			defer func() { s.portals[n] = p }()
		} else {
			s.portals[n] = p
		}
	}
	err := s.endImplicit(ctx)
	if rollback {
		s.leave(ctx, false)
	}
	if err != nil {
		return err
	}
	s.stmtStart = time.Now()
	s.enter()
	return s.tx.BeginImplicit(o)
}

// OpenCursor implements plpgsql.Host.
func (h *host) OpenCursor(ctx context.Context, name string, st plpgsql.Statement, params []types.Datum, noScroll bool) (string, error) {
	s := h.s
	c, ok := st.(*codeStatement)
	if !ok || c.prep == nil || !c.prep.planable || len(c.prep.cols) == 0 {
		return "", pgerr.New(pgerr.InvalidCursorDefinition, "cannot open %s query as cursor", st.Tag())
	}
	if name == "" {
		for name == "" || s.portals[name] != nil {
			s.unnamed++
			name = "<unnamed portal " + strconv.Itoa(s.unnamed) + ">"
		}
	} else if s.portals[name] != nil {
		return "", pgerr.New(pgerr.DuplicateCursor, "cursor \"%s\" already in use", name)
	}
	// The statement goes on to be planned with other variables: the cursor has its own.
	prep := *c.prep
	p := &portal{name: name, prep: &prep, params: params, cols: prep.cols, cursor: &cursor{noScroll: noScroll}, created: time.Now(), up: h.r.top()}
	s.portals[name] = p
	if err := h.Settle(ctx); err != nil {
		return "", err
	}
	// Like a query, it shows the data as they are now.
	return name, s.readAhead(ctx, p, 1)
}

// top is for statements that outlive the call.
func (r *routines) top() *routines { return &routines{s: r.s} }

// FetchCursor implements plpgsql.Host.
func (h *host) FetchCursor(ctx context.Context, name string, d plpgsql.Direction, count int64) ([]planner.Col, [][]types.Datum, error) {
	p, err := h.s.findCursor(name)
	if err != nil {
		return nil, nil, err
	}
	dir := map[plpgsql.Direction]pg_query.FetchDirection{
		plpgsql.Forward: pg_query.FetchDirection_FETCH_FORWARD, plpgsql.Backward: pg_query.FetchDirection_FETCH_BACKWARD,
		plpgsql.Absolute: pg_query.FetchDirection_FETCH_ABSOLUTE, plpgsql.Relative: pg_query.FetchDirection_FETCH_RELATIVE,
	}[d]
	rows, err := h.s.move(ctx, p, dir, count)
	return p.cols, rows, err
}

// CloseCursor implements plpgsql.Host.
func (h *host) CloseCursor(ctx context.Context, name string) error {
	_, err := h.s.closeCursor(ctx, name)
	return err
}

// codeStatement is plpgsql.Statement.
type codeStatement struct {
	s *Session
	// prep is nil for an empty text and for several statements, which are more.
	prep *prepared
	more []*codeStatement
	// plain is the plan's only expression, when it is no more than that; busy says that it is being evaluated, and of is
	// the plan that it belongs to.
	plain expr.Eval
	busy  bool
	of    *planner.Plan
	utils []planner.Col
}

func (h *host) several(stmts []sql.Statement) *codeStatement {
	c := &codeStatement{s: h.s}
	for i := range stmts {
		c.more = append(c.more, h.statement(&stmts[i]))
	}
	return c
}

// Plan implements plpgsql.Statement.
func (c *codeStatement) Plan(ctx context.Context, _ plpgsql.Host, vars func() planner.Variables, again bool) error {
	if c.prep == nil {
		return nil
	}
	p := c.prep
	p.vars = vars
	if !p.planable {
		return c.planUtility(ctx)
	}
	if again {
		p.plan = nil
	}
	p.described = false
	if err := c.s.ready(ctx, p); err != nil {
		return err
	}
	if p.cols == nil && p.plan.Tag == "SELECT" {
		p.cols = []planner.Col{}
	}
	if c.of != p.plan {
		c.of, c.plain = p.plan, nil
		if x := plainExpr(p.plan); x != nil {
			c.plain, _ = expr.Compile(x, nil) // what does not compile says so when it is run
		}
	}
	return nil
}

// plainExpr is the one expression of a plan that does nothing else; nil for other plans.
func plainExpr(plan *planner.Plan) expr.Expr {
	p, ok := plan.Root.(*planner.Project)
	if !ok || len(p.Exprs) != 1 {
		return nil
	}
	r, ok := p.Input.(*planner.Result)
	if !ok || r.Empty {
		return nil
	}
	plain := true
	expr.Walk(p.Exprs[0], func(e expr.Expr) bool {
		switch e := e.(type) {
		case *expr.Subquery:
			plain = false
		case *expr.Call:
			plain = plain && !e.Fn.RetSet
		}
		return plain
	})
	if !plain {
		return nil
	}
	return p.Exprs[0]
}

// Cols implements plpgsql.Statement.
func (c *codeStatement) Cols() []planner.Col {
	if c.prep == nil {
		return nil
	}
	if !c.prep.planable {
		return c.utils
	}
	return c.prep.cols
}

// Tag implements plpgsql.Statement.
func (c *codeStatement) Tag() string {
	if c.prep == nil || c.prep.plan == nil {
		return "UTILITY"
	}
	return c.prep.plan.Tag
}

// Scalar implements plpgsql.Statement.
func (c *codeStatement) Scalar(ctx context.Context, h plpgsql.Host, params []types.Datum) (types.Datum, bool, error) {
	// A function that calls itself in the midst of this very expression finds its scratch memory in use.
	if c.plain == nil || c.busy {
		return types.Null, false, nil
	}
	run := c.plain
	c.busy = true
	defer func() { c.busy = false }()
	env := *h.(*host).evalEnv(ctx)
	env.Params = params
	d, err := run(&env, nil)
	return d, true, err
}

// yieldSink gives rows to a function.
type yieldSink struct {
	yield func(row []types.Datum) error
	n     int64
}

func (k *yieldSink) rows(b *executor.Batch, from, to int) error {
	for i := from; i < to; i++ {
		k.n++
		if err := k.yield(b.Row(i)); err != nil {
			return err
		}
	}
	return nil
}
