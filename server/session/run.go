package session

import (
	"context"
	"strconv"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// stats gives the planner the sizes of collections.
type stats Session

func (s *stats) Rows(ctx context.Context, rel *catalog.Relation) int64 {
	return s.eng.sizes.rows(ctx, s.eng.Catalogs, s.start.Database, rel)
}

// startPlan begins to run a planned statement. Statements that write or lock run to their end at once, so that they can be
// repeated after a conflict and nothing is sent before they have succeeded; the portal then holds their rows. Others
// stay running, with the first rows (up to max) given to the sink.
func (s *Session) startPlan(ctx context.Context, p *portal, k *clientSink, max int64) error {
	defer s.retell()()
	began := time.Now()
	for n := 0; ; n++ {
		if err := s.runnable(ctx, p.prep); err != nil {
			return err
		}
		p.cols = p.prep.cols
		k.cols = p.cols
		plan := p.prep.plan
		if err := s.writable(plan); err != nil {
			return err
		}
		err := s.tryPlan(ctx, p, plan, k, max)
		switch {
		case err == nil:
			return nil
		case !s.tx.Retryable(err) || k.w != nil:
			return err
		}
		s.eng.Metrics.Retries.Inc()
		s.told.again()
		if err := s.tx.Backoff(ctx, n, began, err); err != nil {
			return err
		}
	}
}

// writable refuses writing statements in a read-only transaction.
func (s *Session) writable(plan *planner.Plan) error {
	if len(plan.Writes) == 0 || !s.characteristics().ReadOnly {
		return nil
	}
	tag := plan.Tag
	if tag == "SELECT" {
		tag = "INSERT"
	}
	return readOnly(tag)
}

func readOnly(command string) error {
	return pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute %s in a read-only transaction", command)
}

func statementOptions(plan *planner.Plan) txn.StatementOptions {
	writes := len(plan.Writes) > 0
	return txn.StatementOptions{Write: writes || plan.Locks, BufferWrites: writes && hasModifyingCTE(plan.Root)}
}

func (s *Session) tryPlan(ctx context.Context, p *portal, plan *planner.Plan, k *clientSink, max int64) error {
	writes := len(plan.Writes) > 0
	code := s.runsCode(plan)
	if code && s.single() {
		// A function's statements are part of this one's transaction, and may have subtransactions.
		if err := s.tx.BeginImplicit(s.defaults()); err != nil {
			return err
		}
	}
	r, err := s.build(ctx, p, plan, statementOptions(plan))
	if err != nil {
		return err
	}
	if !writes && !plan.Locks && !code {
		k.streamed, _, err = r.pull(ctx, k, max)
		if err == nil && !r.eof {
			p.run = r
			return nil
		}
		return s.finishPlan(ctx, p, r, plan, err)
	}
	var mem memorySink
	_, _, err = r.pull(ctx, &mem, 0)
	p.rows, p.pos = mem.list, 0
	if err := s.finishPlan(ctx, p, r, plan, err); err != nil {
		return err
	}
	p.stored = len(p.cols) > 0
	if !writes {
		p.tag = ""
	}
	return nil
}

// runsCode reports whether a plan may run a routine that changes data, so that it is repeated as a whole or not at all.
func (s *Session) runsCode(plan *planner.Plan) bool {
	for _, rel := range plan.Writes {
		if firesTriggers(s.last, rel, nil) {
			return true
		}
	}
	if plan.LargeObjects {
		return true
	}
	for _, f := range plan.Routines {
		if f.Volatile == 'v' || f.Language == "plpgsql" {
			return true
		}
	}
	return false
}

// finishPlan ends a plan's run and sets the portal's tag.
func (s *Session) finishPlan(ctx context.Context, p *portal, r *running, plan *planner.Plan, err error) error {
	var affected int64
	if a, ok := r.op.(executor.Affected); ok && err == nil {
		affected = a.RowsAffected()
	}
	if cerr := r.op.Close(ctx); err == nil {
		err = cerr
	}
	if err = r.stmt.Finish(ctx, cancelled(ctx, err)); err != nil {
		return err
	}
	p.done = true
	s.eng.Metrics.RowsWritten.Add(float64(affected))
	switch plan.Tag {
	case "INSERT":
		p.tag = "INSERT 0 " + strconv.FormatInt(affected, 10)
	case "SELECT":
		p.tag = ""
	default:
		p.tag = plan.Tag + " " + strconv.FormatInt(affected, 10)
	}
	return nil
}

// build starts a transaction statement and opens the plan's operators in it.
func (s *Session) build(ctx context.Context, p *portal, plan *planner.Plan, o txn.StatementOptions) (*running, error) {
	if plan.Denied != nil {
		return nil, plan.Denied
	}
	s.eng.Metrics.Plans.WithLabelValues(p.prep.where).Inc()
	st, err := s.tx.Nested(ctx, p.up.outer(), o)
	if err != nil {
		return nil, err
	}
	r := &running{stmt: st, met: func(d catalog.Drift) { s.eng.Catalogs.Met(s.start.Database, d) }}
	r.rt = s.runtime(ctx, p, st)
	in := &routines{s: s, st: st, rt: r.rt, up: p.up}
	r.rt.Env.Routines, r.rt.Fire = in, in.fire
	role, _ := s.set.Raw("session_replication_role")
	r.rt.Replica = role == "replica"
	s.offerLoad(st, p.prep.snap, plan)
	if r.op, err = executor.Build(r.rt, plan); err == nil {
		if err = r.op.Open(ctx); err == nil {
			return r, nil
		}
		_ = r.op.Close(ctx) // the error of Open is what counts
	}
	return nil, st.Finish(ctx, cancelled(ctx, err))
}

// offerLoad lets a statement load an empty table that does nothing but insert into it.
func (s *Session) offerLoad(st *txn.Stmt, snap *catalog.Snapshot, plan *planner.Plan) {
	n, ok := plan.Root.(*planner.Insert)
	if !ok || n.Conflict != nil || n.Members != nil || len(plan.Writes) != 1 {
		return
	}
	if l := s.eng.Catalogs.Loader(s.tx, snap, n.Rel); l != nil {
		st.Load(n.Rel.Collection, l)
	}
}

func (s *Session) runtime(ctx context.Context, p *portal, st *txn.Stmt) *executor.Runtime {
	d := s.set.Derived()
	limit := s.eng.MemoryLimit
	if limit == 0 {
		limit = 256 << 20
	}
	snap := p.prep.snap
	return &executor.Runtime{
		Env: s.env(ctx, snap, p.params), Txn: st, Instrument: p.instrument, Budget: &executor.Budget{Limit: max(limit, d.WorkMem)}, Procs: s.eng.Procs,
		Bind: func(rel *catalog.Relation, cols []planner.Col, text string, want *types.T, typmod int32) (expr.Expr, error) {
			return planner.BindExpr(s.planContext(ctx, snap, nil), rel, cols, text, want, typmod)
		},
	}
}

// where says where a plan runs: in MongoDB up to a final projection, in part, or here.
func where(root planner.Node) string {
	if p, ok := root.(*planner.Project); ok {
		root = p.Input
	}
	if _, ok := root.(*planner.Pushed); ok {
		return "mongodb"
	}
	if hasPushed(root) {
		return "mixed"
	}
	return "local"
}

func hasPushed(n planner.Node) bool {
	if _, ok := n.(*planner.Pushed); ok {
		return true
	}
	for _, i := range n.Inputs() {
		if hasPushed(i) {
			return true
		}
	}
	return false
}

// hasModifyingCTE reports whether a plan has an INSERT, UPDATE or DELETE below its root: its parts must not see each
// other's changes.
func hasModifyingCTE(root planner.Node) bool {
	var count func(n planner.Node) int
	count = func(n planner.Node) int {
		c := 0
		switch n.(type) {
		case *planner.Insert, *planner.Update, *planner.Delete, *planner.Merge:
			c = 1
		}
		for _, i := range n.Inputs() {
			c += count(i)
		}
		return c
	}
	n := count(root)
	switch root.(type) {
	case *planner.Insert, *planner.Update, *planner.Delete, *planner.Merge:
		return n > 1
	}
	return n > 0
}

func isTransactionControl(n *pg_query.Node) bool { return n.GetTransactionStmt() != nil }

// Simple runs a query string of the simple protocol.
func (s *Session) Simple(ctx context.Context, query string) error {
	s.active(query)
	defer s.waiting()
	s.deadline = time.Time{}
	err := s.simple(ctx, query)
	if err != nil {
		s.abort(ctx)
		return locate(err, query)
	}
	return nil
}

func (s *Session) simple(ctx context.Context, query string) error {
	if err := validText(query); err != nil {
		return err
	}
	text := query
	query, err := s.conform(text)
	if err != nil {
		return err
	}
	if t := s.template(query); t != nil {
		if err := s.endUnnamed(ctx); err != nil {
			return err
		}
		return s.simpleOne(ctx, t.prep, t, false, true)
	}
	c, err := s.parse(query, simpleKey)
	if err != nil {
		return relocate(err, query, text)
	}
	if err := s.endUnnamed(ctx); err != nil {
		return err
	}
	if len(c.preps) == 0 {
		s.client.Empty()
		return s.endImplicit(ctx)
	}
	for i, prep := range c.preps {
		last := i == len(c.preps)-1
		if err := s.simpleOne(ctx, prep, nil, len(c.preps) > 1, last); err != nil {
			return err
		}
	}
	return nil
}

// endUnnamed forgets the unnamed statement and portal, which the simple protocol uses.
func (s *Session) endUnnamed(ctx context.Context) error {
	delete(s.prepared, "")
	return s.ClosePortal(ctx, "")
}

// simpleOne runs one statement of a query string. Several statements are one implicit block, which the last one ends
// before its tag is sent. With a template the statement is that of the query's shape.
func (s *Session) simpleOne(ctx context.Context, prep *prepared, t *template, several, last bool) error {
	if err := s.inFailed(prep.node); err != nil {
		return err
	}
	s.stmtStart = time.Now()
	if (several || s.needsEnd(prep)) && s.single() && !isTransactionControl(prep.node) {
		if err := s.tx.BeginImplicit(s.defaults()); err != nil {
			return err
		}
	}
	s.enter()
	ctx, stop := s.limit(ctx)
	defer stop()
	began := time.Now()
	var params []types.Datum
	if t != nil {
		var ok bool
		var err error
		if params, ok, err = s.bindTemplate(ctx, t); err != nil {
			return cancelled(ctx, err)
		}
		if !ok {
			c, err := s.parse(t.query, simpleKey)
			if err != nil {
				return err
			}
			prep = c.preps[0]
		}
	}
	if prep.planable {
		prep.described = false // nothing was promised to the client
	}
	p := &portal{prep: prep, params: params, created: began, cols: prep.cols}
	tag, _, err := s.drive(ctx, p, 0, nil, true)
	if err == nil {
		switch {
		case s.single():
			s.leave(ctx, true)
		case last:
			err = s.endImplicit(ctx)
		}
	}
	s.observe(prep.kind, began)
	if err != nil {
		return cancelled(ctx, err)
	}
	s.client.Complete(tag)
	return nil
}
