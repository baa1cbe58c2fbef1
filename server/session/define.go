package session

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/catalog/pgcatalog"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// readOptions are those of statements that only read.
var readOptions = txn.StatementOptions{}

// define runs a data definition statement.
func (s *Session) define(ctx context.Context, p *prepared) (result, error) {
	if s.characteristics().ReadOnly {
		return result{}, readOnly(commandName(p.node))
	}
	if c := alone(p.node); c != "" {
		if err := s.noBlock(c); err != nil {
			return result{}, err
		}
	}
	c := p.node.GetCreateStmt()
	atEnd := c != nil && c.Oncommit > pg_query.OnCommitAction_ONCOMMIT_PRESERVE_ROWS // the end of the transaction has something to do
	if s.single() && (atEnd || s.computes(ctx, p.node)) {
		if err := s.tx.BeginImplicit(s.defaults()); err != nil {
			return result{}, err
		}
	}
	var res ddl.Result
	run := func() (err error) {
		res, err = s.runDDL(ctx, p.node, p)
		return err
	}
	var err error
	if n := p.node.GetTruncateStmt(); n != nil {
		err = s.truncate(ctx, n, run)
	} else {
		err = run()
	}
	return result{tag: res.Tag}, err
}

// truncate runs TRUNCATE with the triggers of the tables that it empties.
func (s *Session) truncate(ctx context.Context, n *pg_query.TruncateStmt, run func() error) error {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	rels, err := ddl.Truncated(s.ddlContext(ctx, snap, nil, nil), n)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(rels, func(r *catalog.Relation) bool { return truncateTriggers(r) != nil }) {
		return run()
	}
	in, err := s.enterRoutine(nil)
	if err != nil {
		return err
	}
	fire := func(before bool) error {
		for _, rel := range rels {
			for _, t := range truncateTriggers(rel) {
				if t.Before() != before {
					continue
				}
				if _, _, err := in.fire(ctx, &executor.TriggerCall{Rel: rel, Trigger: t, Op: "TRUNCATE", Before: before}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := fire(true); err != nil {
		return err
	}
	if err := run(); err != nil {
		return err
	}
	return fire(false)
}

// truncateTriggers are a table's triggers on TRUNCATE, in the order in which they run.
func truncateTriggers(rel *catalog.Relation) []*catalog.Trigger {
	var out []*catalog.Trigger
	for _, t := range rel.Triggers {
		if t.On("TRUNCATE") && t.Enabled != 'D' && t.Enabled != 'R' {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *catalog.Trigger) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// alone names the statements that PostgreSQL keeps out of transaction blocks.
func alone(n *pg_query.Node) string {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_CreatedbStmt:
		return "CREATE DATABASE"
	case *pg_query.Node_DropdbStmt:
		return "DROP DATABASE"
	case *pg_query.Node_IndexStmt:
		if x.IndexStmt.Concurrent {
			return "CREATE INDEX CONCURRENTLY"
		}
	case *pg_query.Node_DropStmt:
		if x.DropStmt.Concurrent {
			return "DROP INDEX CONCURRENTLY"
		}
	}
	return ""
}

// computes reports whether a schema change may call user-defined functions with the rows of a table. Their statements are
// part of its transaction, and may have subtransactions.
func (s *Session) computes(ctx context.Context, n *pg_query.Node) bool {
	if n.GetIndexStmt() == nil && n.GetAlterTableStmt() == nil {
		return false
	}
	snap, err := s.snapshot(ctx)
	return err == nil && len(snap.Functions()) > 0
}

// commandName is a statement's name in error texts, from the type of its node: CreateStmt is special, the others read
// like their names.
func commandName(n *pg_query.Node) string {
	switch n.GetNode().(type) {
	case *pg_query.Node_CreateStmt:
		return "CREATE TABLE"
	case *pg_query.Node_IndexStmt:
		return "CREATE INDEX"
	case *pg_query.Node_ViewStmt:
		return "CREATE VIEW"
	case *pg_query.Node_CreateSeqStmt:
		return "CREATE SEQUENCE"
	case *pg_query.Node_CreateSchemaStmt:
		return "CREATE SCHEMA"
	case *pg_query.Node_AlterTableStmt, *pg_query.Node_RenameStmt:
		return "ALTER TABLE"
	case *pg_query.Node_DropStmt:
		return "DROP TABLE"
	case *pg_query.Node_TruncateStmt:
		return "TRUNCATE TABLE"
	case *pg_query.Node_CommentStmt:
		return "COMMENT"
	case *pg_query.Node_CreateTableAsStmt:
		if n.GetCreateTableAsStmt().Objtype == pg_query.ObjectType_OBJECT_MATVIEW {
			return "CREATE MATERIALIZED VIEW"
		}
		return "CREATE TABLE AS"
	case *pg_query.Node_RefreshMatViewStmt:
		return "REFRESH MATERIALIZED VIEW"
	}
	return "this statement"
}

// runDDL runs one DDL statement as a transaction statement and makes its catalogue the session's. It runs again when another
// session has changed the catalogue since.
func (s *Session) runDDL(ctx context.Context, node *pg_query.Node, p *prepared) (ddl.Result, error) {
	began := time.Now()
	for n := 0; ; n++ {
		res, err := s.tryDDL(ctx, node, p)
		if err == nil || !s.tx.Retryable(err) {
			return res, err
		}
		s.eng.Metrics.Retries.Inc()
		if err := s.tx.Backoff(ctx, n, began, err); err != nil {
			return res, err
		}
	}
}

func (s *Session) tryDDL(ctx context.Context, node *pg_query.Node, p *prepared) (ddl.Result, error) {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return ddl.Result{}, err
	}
	if waited, err := s.lockDefined(ctx, snap, node); err != nil {
		return ddl.Result{}, err
	} else if waited {
		return s.tryDDL(ctx, node, p)
	}
	st, err := s.tx.Start(ctx, txn.StatementOptions{Write: true, Log: true})
	if err != nil {
		return ddl.Result{}, err
	}
	outer := s.defining
	s.defining = st
	defer func() { s.defining = outer }()
	c := s.ddlContext(ctx, snap, st, p)
	res, err := ddl.Execute(ctx, c, node)
	if err == nil && c.Snapshot != snap {
		s.changed(c.Snapshot)
	}
	if err == nil && res.Routine != nil {
		err = s.checkRoutine(ctx, c.Snapshot, res.Routine, p)
	}
	if err = st.Finish(ctx, cancelled(ctx, err)); err != nil {
		return ddl.Result{}, err
	}
	for _, n := range res.Notices {
		s.notice(n)
	}
	return res, nil
}

// changed makes a catalogue with uncommitted changes the session's, until the transaction ends or is rolled back to
// before the change.
func (s *Session) changed(snap *catalog.Snapshot) {
	before, made := s.overlay, s.made
	s.overlay, s.last = snap, snap
	s.made = append(slices.Clip(made), snap.Touched()...)
	s.tx.OnTransactionEnd(
		func(context.Context) {
			s.keepTemp(snap)
			s.overlay, s.made = nil, nil
			s.eng.Catalogs.Committed(s.start.Database)
		},
		func(context.Context) { s.overlay, s.made = before, made },
	)
}

func (s *Session) ddlContext(ctx context.Context, snap *catalog.Snapshot, st *txn.Stmt, p *prepared) *ddl.Context {
	if s.temp == nil {
		s.temp = &ddl.Temp{
			Schema: "pg_temp_" + strconv.Itoa(int(s.start.PID)), OID: tempBase + uint32(s.start.PID)<<tempBits,
			Prefix: "pgmongo.temp." + bson.NewObjectID().Hex() + ".", NextOID: tempBase + uint32(s.start.PID)<<tempBits + 1,
		}
	}
	return &ddl.Context{
		Snapshot: snap, Path: s.path(snap), Creation: snap.CreationSchema(s.set.Derived().SearchPath, s.User(), s.tempName()), User: s.User(),
		CheckSetting: s.set.Check, Temp: s.temp, Resolver: s.resolver, Exprs: &definitions{s, ctx, p}, Physical: s.eng.Catalogs.Physical(s.tx, st), Cluster: s.eng.Catalogs.Cluster(),
	}
}

// The OIDs of temporary objects lie above all others; each session has a part of them.
const (
	tempBase uint32 = 0x80000000
	tempBits int    = 12
)

// definitions implements ddl.Expressions.
type definitions struct {
	s   *Session
	ctx context.Context // of the DDL statement, which this value does not outlive
	// p is the statement, whose parameters its query may have; nil for none.
	p *prepared
}

// Bind implements ddl.Expressions.
func (d *definitions) Bind(snap *catalog.Snapshot, rel *catalog.Relation, text string, want *types.T, typmod int32) (expr.Expr, error) {
	var cols []planner.Col
	if rel != nil {
		for i, c := range rel.Live() {
			cols = append(cols, planner.Col{ID: expr.ColID(i), Name: c.Name, Type: c.Type, Mod: c.Typmod, NotNull: c.NotNull})
		}
	}
	return planner.BindExpr(d.s.planContext(d.ctx, snap, nil), rel, cols, text, want, typmod)
}

// Deparse implements ddl.Expressions.
func (d *definitions) Deparse(snap *catalog.Snapshot, e expr.Expr) string {
	return expr.Deparse(e, pgcatalog.StoredOptions(snap)) // independent of the session's formats and search path
}

// Query implements ddl.Expressions.
func (d *definitions) Query(ctx context.Context, snap *catalog.Snapshot, stmt *pg_query.Node) ([]ddl.QueryCol, error) {
	c := d.s.planContext(ctx, snap, nil)
	c.NoParams = d.p == nil || d.p.noParams
	if d.p != nil {
		c.ParamTypes = d.p.params
	}
	plan, err := planner.PlanStatement(ctx, c, stmt)
	if err != nil {
		return nil, err
	}
	cols := make([]ddl.QueryCol, len(plan.Cols))
	for i, c := range plan.Cols {
		cols[i] = ddl.QueryCol{Name: c.Name, Type: c.Type, Typmod: c.Mod}
	}
	return cols, nil
}

// ShowQuery implements ddl.Expressions.
func (d *definitions) ShowQuery(ctx context.Context, snap *catalog.Snapshot, sel *pg_query.SelectStmt) (string, error) {
	return planner.ShowQuery(ctx, d.s.planContext(ctx, snap, nil), sel, pgcatalog.StoredQueryOptions(snap))
}

// View implements ddl.Expressions.
func (d *definitions) View(ctx context.Context, snap *catalog.Snapshot, sel *pg_query.SelectStmt) (*planner.ViewDescription, error) {
	return planner.DescribeView(ctx, d.s.planContext(ctx, snap, nil), sel)
}

// queries implements expr.QueryPrinter.
type queries Session

// ShowQuery implements expr.QueryPrinter.
func (q *queries) ShowQuery(env *expr.Env, stored string, o expr.QueryOptions) (string, error) {
	stmts, err := sql.Parse(stored)
	if err != nil || len(stmts) != 1 || stmts[0].Node.GetSelectStmt() == nil {
		return "", pgerr.Internal("the query of a view is not one SELECT: %w", err)
	}
	return planner.ShowQuery(env.Ctx, (*Session)(q).planContext(env.Ctx, env.View.Snapshot, nil), stmts[0].Node.GetSelectStmt(), o)
}

// Env implements ddl.Expressions.
func (d *definitions) Env() *expr.Env { return d.s.env(d.ctx, d.s.last, nil) }

// createTableAs is CREATE TABLE AS: the table is made, then filled, as one transaction.
func (s *Session) createTableAs(ctx context.Context, p *prepared, params []types.Datum, n *pg_query.CreateTableAsStmt) (result, error) {
	if e := n.Query.GetExecuteStmt(); e != nil {
		return s.createTableAsExecute(ctx, p, n, e)
	}
	node := p.node
	if node.GetCreateTableAsStmt() == nil {
		node = &pg_query.Node{Node: &pg_query.Node_CreateTableAsStmt{CreateTableAsStmt: n}}
	}
	tag, rows, err := s.fill(ctx, p, params, node)
	if rows != "" {
		tag = "SELECT " + rows
	}
	return result{tag: tag}, err
}

// refresh is REFRESH MATERIALIZED VIEW.
func (s *Session) refresh(ctx context.Context, p *prepared) (result, error) {
	tag, _, err := s.fill(ctx, p, nil, p.node)
	return result{tag: tag}, err
}

// fill runs a DDL statement and fills the table that it leaves to be filled, as one transaction; rows is how many rows that
// were, "" when nothing was to be filled.
func (s *Session) fill(ctx context.Context, p *prepared, params []types.Datum, node *pg_query.Node) (tag, rows string, err error) {
	if s.characteristics().ReadOnly {
		return "", "", readOnly(commandName(node))
	}
	if s.single() {
		if err := s.tx.BeginImplicit(s.defaults()); err != nil {
			return "", "", err
		}
	}
	res, err := s.runDDL(ctx, node, p)
	if err != nil || res.Fill == nil {
		return res.Tag, "", err
	}
	insert := &pg_query.InsertStmt{
		Relation:   &pg_query.RangeVar{Schemaname: res.Fill.Table.Schema, Relname: res.Fill.Table.Name, Inh: true, Relpersistence: "p", Location: -1},
		SelectStmt: res.Fill.Query, Override: pg_query.OverridingKind_OVERRIDING_NOT_SET,
	}
	fill := &portal{prep: p.within(&pg_query.Node{Node: &pg_query.Node_InsertStmt{InsertStmt: insert}}), params: params, started: true}
	fill.prep.fills = res.Fill.Table.OID
	if err := s.startPlan(ctx, fill, &clientSink{s: s}, 0); err != nil {
		return "", "", err
	}
	return res.Tag, strings.TrimPrefix(fill.tag, "INSERT 0 "), nil
}

// createTableAsExecute is CREATE TABLE AS EXECUTE: the prepared statement's query with the values that EXECUTE gives.
func (s *Session) createTableAsExecute(ctx context.Context, p *prepared, n *pg_query.CreateTableAsStmt, e *pg_query.ExecuteStmt) (result, error) {
	target, err := s.find(e.Name)
	if err != nil {
		return result{}, err
	}
	if target.node.GetSelectStmt() == nil {
		return result{}, pgerr.New(pgerr.WrongObjectType, "prepared statement is not a SELECT")
	}
	values, err := s.executeParams(ctx, p, target, e)
	if err != nil {
		return result{}, err
	}
	as := &pg_query.CreateTableAsStmt{Query: target.node, Into: n.Into, Objtype: n.Objtype, IfNotExists: n.IfNotExists}
	prep := target.within(&pg_query.Node{Node: &pg_query.Node_CreateTableAsStmt{CreateTableAsStmt: as}})
	res, err := s.createTableAs(ctx, prep, values, as)
	if n.Into.SkipData && err == nil {
		res.tag = "SELECT 0" // PostgreSQL runs the statement, for no rows
	}
	return res, err
}

// selectInto is SELECT INTO, which is CREATE TABLE AS in another form.
func (s *Session) selectInto(ctx context.Context, p *prepared, params []types.Datum, n *pg_query.SelectStmt) (result, error) {
	into := n.IntoClause
	if into == nil {
		return result{}, pgerr.Internal("a planned statement came as a utility statement")
	}
	c := &pg_query.CreateTableAsStmt{Into: into, Objtype: pg_query.ObjectType_OBJECT_TABLE, IsSelectInto: true}
	q := withoutInto(n)
	c.Query = &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: q}}
	return s.createTableAs(ctx, p, params, c)
}

// withoutInto copies a SELECT without its INTO. The fields are listed, since the generated struct must not be copied.
func withoutInto(n *pg_query.SelectStmt) *pg_query.SelectStmt {
	return &pg_query.SelectStmt{
		DistinctClause: n.DistinctClause, TargetList: n.TargetList, FromClause: n.FromClause, WhereClause: n.WhereClause,
		GroupClause: n.GroupClause, GroupDistinct: n.GroupDistinct, HavingClause: n.HavingClause, WindowClause: n.WindowClause,
		ValuesLists: n.ValuesLists, SortClause: n.SortClause, LimitOffset: n.LimitOffset, LimitCount: n.LimitCount,
		LimitOption: n.LimitOption, LockingClause: n.LockingClause, WithClause: n.WithClause, Op: n.Op, All: n.All, Larg: n.Larg, Rarg: n.Rarg,
	}
}

// temporary holds the session's committed temporary objects and the catalogue that shows them over a committed one.
type temporary struct {
	rels   []*catalog.Relation
	types  []temporaryType
	funcs  []*catalog.Function
	schema *catalog.Schema
	base   *catalog.Snapshot
	merged *catalog.Snapshot
}

// temporaryType is a type that is no table's: an enum, a domain, a range.
type temporaryType struct {
	t    *types.T
	info catalog.TypeInfo
}

// withTemp adds the session's temporary objects to a committed snapshot.
func (s *Session) withTemp(snap *catalog.Snapshot) *catalog.Snapshot {
	t := &s.temps
	if t.schema == nil {
		return snap
	}
	if t.base == snap {
		return t.merged
	}
	c := snap.Change()
	c.PutSchema(t.schema)
	for _, own := range t.types {
		c.PutType(own.t, own.info)
	}
	for _, r := range t.rels {
		c.PutRelation(r)
	}
	for _, r := range t.rels {
		if n := r.WithTypesOf(c.Snapshot()); n != r {
			c.PutRelation(n)
		}
	}
	for _, fn := range t.funcs {
		c.PutFunction(fn)
	}
	c.SetVersion(snap.Version)
	t.base, t.merged = snap, c.Done()
	return t.merged
}

// keepTemp takes the temporary objects over from a catalogue that was committed.
func (s *Session) keepTemp(snap *catalog.Snapshot) {
	sc := snap.SchemaByName(s.tempName())
	if sc == nil {
		s.temps = temporary{}
		return
	}
	s.temps = temporary{schema: sc}
	for _, r := range snap.Relations() {
		if r.Schema == sc.Name {
			s.temps.rels = append(s.temps.rels, r)
		}
	}
	for _, t := range snap.Types() {
		if info := snap.TypeInfo(t.OID); info.SchemaID == sc.OID && t.RelOID == 0 && !t.IsArray() {
			s.temps.types = append(s.temps.types, temporaryType{t, info})
		}
	}
	for _, fn := range snap.Functions() {
		if fn.SchemaID == sc.OID {
			s.temps.funcs = append(s.temps.funcs, fn)
		}
	}
}

// onCommit drops or empties the temporary tables that were declared so.
func (s *Session) onCommit(ctx context.Context) error {
	snap := s.overlay
	if snap == nil {
		snap = s.temps.merged
	}
	if s.temp == nil || snap == nil || snap.SchemaByName(s.temp.Schema) == nil {
		return nil
	}
	for _, r := range snap.Relations() {
		if r.Schema != s.temp.Schema || r.OnCommit == 0 {
			continue
		}
		name := []*pg_query.Node{text(r.Schema), text(r.Name)}
		node := &pg_query.Node{Node: &pg_query.Node_DropStmt{DropStmt: &pg_query.DropStmt{
			Objects: []*pg_query.Node{{Node: &pg_query.Node_List{List: &pg_query.List{Items: name}}}}, RemoveType: pg_query.ObjectType_OBJECT_TABLE,
			Behavior: pg_query.DropBehavior_DROP_CASCADE,
		}}}
		if r.OnCommit == 'd' {
			rv := &pg_query.RangeVar{Schemaname: r.Schema, Relname: r.Name, Inh: true, Relpersistence: "t", Location: -1}
			node = &pg_query.Node{Node: &pg_query.Node_TruncateStmt{TruncateStmt: &pg_query.TruncateStmt{
				Relations: []*pg_query.Node{{Node: &pg_query.Node_RangeVar{RangeVar: rv}}}, Behavior: pg_query.DropBehavior_DROP_CASCADE,
			}}}
		}
		if err := s.runAsOwner(ctx, snap, r, node); err != nil {
			return err
		}
	}
	return nil
}

// runAsOwner runs DDL on a temporary table that nobody asked for now: whoever the session is at the moment, it may.
func (s *Session) runAsOwner(ctx context.Context, snap *catalog.Snapshot, rel *catalog.Relation, node *pg_query.Node) error {
	outer := s.asOwner
	defer func() { s.asOwner = outer }()
	if owner := snap.RoleByOID(rel.Owner); owner != nil {
		s.asOwner = owner.Name
	}
	_, err := s.runDDL(ctx, node, nil)
	return err
}

func text(v string) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_String_{String_: &pg_query.String{Sval: v}}}
}

// needsEnd reports whether a single statement needs an end of its transaction besides its own: to treat temporary tables,
// or to be serializable with transactions of several statements.
func (s *Session) needsEnd(p *prepared) bool {
	if s.treatsOnCommit() {
		return !outsideBlocks(p.node)
	}
	return s.defaults().Isolation == txn.Serializable && (p.planable || p.node.GetCopyStmt() != nil)
}

// outsideBlocks reports whether a statement refuses to run in any transaction block, also in one that is made for it.
func outsideBlocks(n *pg_query.Node) bool {
	all := n.GetDiscardStmt().GetTarget() == pg_query.DiscardMode_DISCARD_ALL
	return all || n.GetVacuumStmt().GetIsVacuumcmd() || alone(n) != ""
}

// treatsOnCommit reports whether a temporary table asks for something to be done at the end of every transaction.
func (s *Session) treatsOnCommit() bool {
	for _, r := range s.temps.rels {
		if r.OnCommit != 0 {
			return true
		}
	}
	return false
}

// dropTemp drops the session's temporary tables.
func (s *Session) dropTemp(ctx context.Context) error {
	rels := s.temps.rels
	s.temps = temporary{}
	for _, r := range rels {
		switch {
		case r.Sequence != nil:
			if err := s.tx.DropSequence(ctx, r.OID); err != nil {
				return err
			}
		case r.Collection != "":
			if err := s.eng.Client.DropCollection(ctx, s.start.Database, r.Collection); err != nil {
				return err
			}
		}
	}
	return nil
}
