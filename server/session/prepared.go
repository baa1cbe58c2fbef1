package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// prepared is a statement that was parsed, with its plan once it has one.
type prepared struct {
	name string
	// node is nil for an empty query. source is the whole query string that positions refer to.
	node   *pg_query.Node
	text   string
	source string
	// declared are the parameter types that the client gave, params what they came out as.
	declared []*types.T
	params   []*types.T
	// described says that cols (nil for none) are fixed: a later plan must give the same types.
	described bool
	cols      []planner.Col
	fromSQL   bool
	// noParams says that $1 means nothing: the statement came by the simple protocol.
	noParams bool
	// fills is the materialised view that the statement fills, 0 for none.
	fills uint32
	// vars makes what the names of a routine's body mean, for each plan; nil for a statement of the client.
	vars    func() planner.Variables
	created time.Time

	plan     *planner.Plan
	snap     *catalog.Snapshot
	planKey  string
	inBlock  bool
	kind     string
	where    string // where the plan runs: mongodb, mixed or local
	planable bool
}

// newPrepared wraps a parsed statement.
func newPrepared(st *sql.Statement) *prepared {
	p := &prepared{created: time.Now()}
	if st == nil {
		return p
	}
	p.node, p.text, p.source = st.Node, strings.TrimSpace(st.Text), st.Source
	p.planable, p.kind = classify(st.Node)
	return p
}

// classify says whether the planner takes a statement, and its kind for the metrics.
func classify(n *pg_query.Node) (planable bool, kind string) {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_SelectStmt:
		return x.SelectStmt.IntoClause == nil, "select"
	case *pg_query.Node_InsertStmt:
		return true, "insert"
	case *pg_query.Node_UpdateStmt:
		return true, "update"
	case *pg_query.Node_DeleteStmt:
		return true, "delete"
	case *pg_query.Node_MergeStmt:
		return true, "merge"
	case *pg_query.Node_CopyStmt:
		return false, "copy"
	case *pg_query.Node_TransactionStmt:
		return false, "transaction"
	}
	return false, "utility"
}

// planContext makes what planning depends on.
func (s *Session) planContext(ctx context.Context, snap *catalog.Snapshot, params []*types.T) *planner.Context {
	d := s.set.Derived()
	return &planner.Context{
		Role: snap.RoleID(s.User()), Snapshot: snap, Path: s.path(snap), Procs: s.eng.Procs, Env: s.env(ctx, snap, nil), ParamTypes: params, Stats: (*stats)(s), Views: &s.eng.views,
		Settings: planner.Settings{
			PushdownOff: d.PushdownOff, StrictErrors: d.StrictErrors, HashJoinOff: d.HashJoinOff, IndexJoinOff: d.IndexJoinOff,
			LookupOff: d.LookupOff, NullMisfits: d.OnTypeMismatch == "null", InTransaction: s.tx.InBlock() || s.tx.Implicit(), ServerVersion: s.eng.Client.Info().Major,
		},
	}
}

func (s *Session) planOne(ctx context.Context, snap *catalog.Snapshot, params []*types.T, p *prepared) (*planner.Plan, error) {
	c := s.planContext(ctx, snap, params)
	c.NoParams, c.Fills = p.noParams, p.fills
	if rel := snap.RelationByOID(p.fills); rel != nil {
		c.Role = rel.OwnerOID()
	}
	if p.vars != nil {
		c.Variables = p.vars()
		c.Relation = s.transitionTable
	}
	return planner.PlanStatement(ctx, c, p.node)
}

// ready makes sure that a planned statement has a plan for the present catalogue and settings.
func (s *Session) ready(ctx context.Context, p *prepared) error {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	key, block := s.planKey(), s.tx.InBlock() || s.tx.Implicit()
	if p.plan != nil && p.snap == snap && p.planKey == key && p.inBlock == block {
		s.eng.Metrics.PlanCache.WithLabelValues("hit").Inc()
		return nil
	}
	s.eng.Metrics.PlanCache.WithLabelValues("miss").Inc()
	params := p.params
	if params == nil {
		params = p.declared
	}
	if p.snap != nil && p.snap != snap {
		if params, err = typesNow(snap, params); err != nil {
			return err
		}
	}
	plan, err := s.planOne(ctx, snap, params, p)
	if err != nil && s.overlay == nil && pgerr.Is(err, pgerr.UndefinedTable) {
		// A collection that a program of MongoDB's own made since the last look is a table.
		if _, failed := s.eng.Catalogs.Reread(ctx, s.start.Database); failed != nil {
			return failed
		}
		old, failed := snap, error(nil)
		if snap, failed = s.snapshot(ctx); failed != nil {
			return failed
		}
		if snap != old {
			plan, err = s.planOne(ctx, snap, params, p)
		}
	}
	if err != nil {
		return err
	}
	if p.described && !sameTypes(p.cols, plan.Cols) {
		return pgerr.New(pgerr.FeatureNotSupported, "cached plan must not change result type").WithRoutine("RevalidateCachedQuery")
	}
	p.where = where(plan.Root)
	p.plan, p.snap, p.planKey, p.inBlock = plan, snap, key, block
	p.params, p.cols, p.described = plan.Params, plan.Cols, true
	return nil
}

// typesNow returns the types as a later catalogue has them: an enum may have got a label since.
func typesNow(snap *catalog.Snapshot, old []*types.T) ([]*types.T, error) {
	now := slices.Clone(old)
	for i, t := range now {
		if types.ByOID(t.OID) != nil {
			continue
		}
		if now[i] = snap.TypeByOID(t.OID); now[i] == nil {
			return nil, pgerr.Internal("cache lookup failed for type %d", t.OID)
		}
	}
	return now, nil
}

func sameTypes(a, b []planner.Col) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Type.OID != b[i].Type.OID || a[i].Mod != b[i].Mod || a[i].Name != b[i].Name {
			return false
		}
	}
	return true
}

// describe finds out the parameters and columns of a statement.
func (s *Session) describe(ctx context.Context, p *prepared) error {
	switch {
	case p.node == nil || p.described:
		return nil
	case p.planable:
		return s.ready(ctx, p)
	}
	if call := p.node.GetCallStmt(); call != nil {
		b, err := s.bindCall(ctx, p, call)
		if err == nil {
			p.cols, p.described, p.params = b.cols, true, b.params
		}
		return err
	}
	cols, err := s.utilityCols(ctx, p.node)
	if err != nil {
		return err
	}
	params := p.declared
	if q := innerQuery(p.node); q != nil {
		// The parameters of DECLARE, EXPLAIN and CREATE TABLE AS are those of their query.
		inner := p.within(q)
		if inner.planable {
			if err := s.ready(ctx, inner); err != nil {
				return err
			}
			params = inner.params
		}
	}
	p.cols, p.described, p.params = cols, true, params
	return nil
}

// innerQuery is the query of a utility statement that may have parameters, nil for others.
func innerQuery(n *pg_query.Node) *pg_query.Node {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_DeclareCursorStmt:
		return x.DeclareCursorStmt.Query
	case *pg_query.Node_ExplainStmt:
		return x.ExplainStmt.Query
	case *pg_query.Node_CreateTableAsStmt:
		return x.CreateTableAsStmt.Query
	}
	return nil
}

// within makes the statement of a query that is part of p, with p's text and parameters.
func (p *prepared) within(q *pg_query.Node) *prepared {
	inner := newPrepared(&sql.Statement{Node: q, Text: p.text, Source: p.source})
	inner.noParams, inner.vars = p.noParams, p.vars
	if inner.declared = p.params; inner.declared == nil {
		inner.declared = p.declared
	}
	return inner
}

// planCache keeps parsed and planned statements by their text, so that drivers that send the same text again and again do
// not pay for it.
type planCache struct {
	entries map[string]*cached
	shapes  map[string]*shape
}

type cached struct {
	stmts []sql.Statement
	preps []*prepared
}

const (
	cacheEntries = 512
	cacheText    = 16 << 10 // longer texts are mostly generated and come once
)

// parse parses a query string, or finds what it was parsed to before. typeKey tells apart the same text with other
// parameter types.
func (s *Session) parse(query, typeKey string) (*cached, error) {
	key := query
	if typeKey != "" {
		key = typeKey + "\x00" + query
	}
	if c := s.cache.entries[key]; c != nil {
		return c, nil
	}
	stmts, err := sql.Parse(query)
	if err != nil {
		return nil, err
	}
	c := &cached{stmts: stmts, preps: make([]*prepared, len(stmts))}
	for i := range stmts {
		c.preps[i] = newPrepared(&stmts[i])
		c.preps[i].noParams = typeKey == simpleKey
	}
	if len(query) <= cacheText {
		if s.cache.entries == nil || len(s.cache.entries) >= cacheEntries {
			s.cache.entries = map[string]*cached{}
		}
		s.cache.entries[key] = c
	}
	return c, nil
}

func (s *Session) lexing() sql.Lexing {
	d := s.set.Derived()
	return sql.Lexing{Escapes: d.StringEscapes, Warn: d.EscapeWarning, NoQuote: d.NoQuoteEscape}
}

// conform writes a query's string constants as the parser reads them.
func (s *Session) conform(query string) (string, error) {
	out, warnings, err := s.lexing().Conform(query)
	for _, w := range warnings {
		if p, ok := locate(w, query).(*pgerr.Error); ok {
			s.notice(p)
		}
	}
	return out, locate(err, query)
}

// relocate gives an error of the parser in a text that conform made its place in the client's.
func relocate(err error, made, text string) error {
	var e *pgerr.Error
	if made == text || !errors.As(err, &e) || e.Position == 0 {
		return err
	}
	c := *e
	before := []rune(made)[:min(e.Position-1, utf8.RuneCountInString(made))]
	c.Position = utf8.RuneCountInString(text[:len(string(before))]) + 1
	return &c
}

// conformBody is conform for the body of a routine, whose constants its session reads by its own settings too.
func (s *Session) conformBody(body string) string {
	out, _, err := s.lexing().Conform(body)
	if err != nil {
		return body // the parser finds it, or there is nothing to be found by other settings
	}
	return out
}

// fresh returns a statement for a new name: a copy that shares the plan, but whose result type is fixed on its own.
func (p *prepared) fresh() *prepared {
	c := *p
	c.created = time.Now()
	return &c
}

func typeKey(oids []uint32) string {
	if len(oids) == 0 {
		return ""
	}
	return string(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(oids))), 4*len(oids)))
}

// simpleKey keeps the statements of the simple protocol apart from those of Parse: they have no parameters.
const simpleKey = "simple"

// Parse makes a prepared statement.
func (s *Session) Parse(ctx context.Context, name, query string, oids []uint32) error {
	s.active(query)
	if err := s.prepareText(ctx, name, query, oids); err != nil {
		s.abort(ctx)
		return locate(err, query)
	}
	return nil
}

func (s *Session) prepareText(ctx context.Context, name, query string, oids []uint32) error {
	if err := s.overdue(); err != nil {
		return err
	}
	if name != "" && s.prepared[name] != nil {
		return duplicatePrepared(name)
	}
	text := query
	query, err := s.conform(text)
	if err != nil {
		return err
	}
	c, err := s.parse(query, typeKey(oids))
	if err != nil {
		return relocate(err, query, text)
	}
	var p *prepared
	switch len(c.preps) {
	case 0:
		p = newPrepared(nil)
		p.text, p.source = query, query
	case 1:
		cachedStmt := c.preps[0]
		if err := s.inFailed(cachedStmt.node); err != nil {
			return err
		}
		if cachedStmt.declared == nil && len(oids) > 0 {
			if cachedStmt.declared, err = s.paramTypes(ctx, oids); err != nil {
				return err
			}
		}
		s.enter()
		if cachedStmt.planable {
			// The cached statement's own types are not fixed: it may be planned anew at any time, when what a parameter
			// is compared with or assigned to has another type.
			cachedStmt.described, cachedStmt.params = false, nil
			if err := s.planned(ctx, cachedStmt); err != nil {
				return err
			}
			cachedStmt.params = cachedStmt.plan.Params
		}
		p = cachedStmt.fresh()
		if err := s.describe(ctx, p); err != nil {
			return err
		}
	default:
		return pgerr.New(pgerr.SyntaxError, "cannot insert multiple commands into a prepared statement")
	}
	p.name = name
	s.prepared[name] = p
	return nil
}

func duplicatePrepared(name string) error {
	return pgerr.New(pgerr.DuplicatePreparedStatement, "prepared statement \"%s\" already exists", name)
}

func (s *Session) paramTypes(ctx context.Context, oids []uint32) ([]*types.T, error) {
	out := make([]*types.T, len(oids))
	var snap *catalog.Snapshot
	for i, o := range oids {
		if o == 0 || o == types.UnknownT.OID {
			out[i] = types.UnknownT
			continue
		}
		if out[i] = types.ByOID(o); out[i] != nil {
			continue
		}
		if snap == nil {
			var err error
			if snap, err = s.snapshot(ctx); err != nil {
				return nil, err
			}
		}
		if out[i] = snap.TypeByOID(o); out[i] == nil {
			return nil, pgerr.New(pgerr.UndefinedObject, "type with OID %d does not exist", o)
		}
	}
	return out, nil
}

func (s *Session) find(name string) (*prepared, error) {
	if p := s.prepared[name]; p != nil {
		return p, nil
	}
	if name == "" {
		return nil, pgerr.New(pgerr.InvalidSQLStatementName, "unnamed prepared statement does not exist")
	}
	return nil, pgerr.New(pgerr.InvalidSQLStatementName, "prepared statement \"%s\" does not exist", name)
}

// DescribeStatement tells a statement's parameters and columns.
func (s *Session) DescribeStatement(ctx context.Context, name string) error {
	err := s.describeStatement(ctx, name)
	if err != nil {
		s.abort(ctx)
	}
	return err
}

func (s *Session) describeStatement(ctx context.Context, name string) error {
	if err := s.overdue(); err != nil {
		return err
	}
	p, err := s.find(name)
	if err != nil {
		return err
	}
	if s.tx.Failed() && len(p.cols) > 0 {
		return s.inFailed(nil)
	}
	oids := make([]uint32, len(p.params))
	for i, t := range p.params {
		oids[i] = t.OID
	}
	s.client.ParameterDescription(oids)
	if p.cols == nil {
		s.client.NoData()
	} else {
		s.client.RowDescription(p.cols, nil)
	}
	return nil
}

// CloseStatement forgets a prepared statement; one that does not exist is no error.
func (s *Session) CloseStatement(_ context.Context, name string) error {
	delete(s.prepared, name)
	return nil
}

// prepareSQL is PREPARE.
func (s *Session) prepareSQL(ctx context.Context, source string, n *pg_query.PrepareStmt, text string) error {
	if s.prepared[n.Name] != nil {
		return duplicatePrepared(n.Name)
	}
	snap, err := s.snapshot(ctx)
	if err != nil {
		return err
	}
	r := s.resolver(snap)
	p := newPrepared(&sql.Statement{Node: n.Query, Text: text, Source: source})
	for _, a := range n.Argtypes {
		t, _, err := r.TypeName(a.GetTypeName())
		if err != nil {
			return err
		}
		p.declared = append(p.declared, t)
	}
	if !p.planable {
		return pgerr.New(pgerr.InvalidPreparedStatementDefinition, "utility statements cannot be prepared")
	}
	p.name, p.fromSQL = n.Name, true
	if err := s.describe(ctx, p); err != nil {
		return err
	}
	s.prepared[n.Name] = p
	return nil
}

func (s *Session) resolver(snap *catalog.Snapshot) *expr.Resolver {
	return &expr.Resolver{Snapshot: snap, Path: s.path(snap), Procs: s.eng.Procs, IO: s.io(snap)}
}

// deallocate is DEALLOCATE; an empty name is ALL.
func (s *Session) deallocate(name string) (string, error) {
	if name == "" {
		clear(s.prepared)
		return "DEALLOCATE ALL", nil
	}
	if _, err := s.find(name); err != nil {
		return "", err
	}
	delete(s.prepared, name)
	return "DEALLOCATE", nil
}
