package session

import (
	"context"
	"math"
	"strconv"
	"time"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// cursor is what DECLARE adds to a portal.
type cursor struct {
	hold, binary, scroll, noScroll bool
	// at is the position: 0 before the first row, i on row i, len+1 after the last.
	at int64
	// ended says that the last row is known.
	ended bool
}

// Options of DECLARE in the parse tree.
const (
	cursorBinary   = 1
	cursorScroll   = 2
	cursorNoScroll = 4
	cursorHold     = 32
)

// declare is DECLARE CURSOR.
func (s *Session) declare(ctx context.Context, prep *prepared, params []types.Datum, n *pg_query.DeclareCursorStmt) error {
	c := &cursor{
		binary: n.Options&cursorBinary != 0, scroll: n.Options&cursorScroll != 0,
		noScroll: n.Options&cursorNoScroll != 0, hold: n.Options&cursorHold != 0,
	}
	inner := prep.within(n.Query)
	if !inner.planable {
		return pgerr.New(pgerr.InvalidCursorDefinition, "DECLARE CURSOR can only be used for SELECT")
	}
	if err := s.ready(ctx, inner); err != nil {
		return err
	}
	if len(inner.plan.Writes) > 0 {
		return pgerr.New(pgerr.FeatureNotSupported, "DECLARE CURSOR must not contain data-modifying statements in WITH")
	}
	// After the query's own errors: DECLARE c CURSOR FOR SELECT * FROM no_such_table says 42P01 outside a transaction too.
	if !c.hold && !s.tx.InBlock() {
		return pgerr.New(pgerr.NoActiveSQLTransaction, "DECLARE CURSOR can only be used in transaction blocks")
	}
	if old := s.portals[n.Portalname]; old != nil {
		return pgerr.New(pgerr.DuplicateCursor, "cursor \"%s\" already exists", n.Portalname)
	}
	p := &portal{name: n.Portalname, prep: inner, params: params, cols: inner.cols, cursor: c, created: time.Now()}
	if c.binary {
		p.formats = []int16{1}
	}
	s.portals[n.Portalname] = p
	if c.hold && s.single() {
		return s.hold(ctx, p)
	}
	return nil
}

// holdCursors computes the cursors WITH HOLD before their transaction commits.
func (s *Session) holdCursors(ctx context.Context) error {
	for _, p := range s.portals {
		if p.cursor == nil || !p.cursor.hold || p.held {
			continue
		}
		if err := s.hold(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) hold(ctx context.Context, p *portal) error {
	if err := s.readAhead(ctx, p, math.MaxInt64); err != nil {
		return err
	}
	p.held = true
	return nil
}

// readAhead computes rows of a cursor until it has n of them or all. Rows that were read stay, so that a cursor can go
// back.
func (s *Session) readAhead(ctx context.Context, p *portal, n int64) error {
	c := p.cursor
	if c.ended || int64(len(p.rows)) >= n {
		return nil
	}
	if !p.started {
		p.started = true
		if err := s.startCursor(ctx, p); err != nil {
			return err
		}
	}
	if p.stored {
		c.ended = true
		return nil
	}
	mem := memorySink{list: p.rows}
	want := n - int64(len(p.rows))
	if n == math.MaxInt64 {
		want = 0
	}
	_, more, err := s.pull(ctx, p, &mem, want)
	p.rows = mem.list
	c.ended = err == nil && !more
	return err
}

// startCursor opens a cursor's plan without taking rows.
func (s *Session) startCursor(ctx context.Context, p *portal) error {
	k := &clientSink{s: s}
	if p.prep.plan == nil || p.prep.plan.Locks {
		return s.startPlan(ctx, p, k, 0)
	}
	if err := s.runnable(ctx, p.prep); err != nil {
		return err
	}
	r, err := s.build(ctx, p, p.prep.plan, readOptions)
	if err != nil {
		return err
	}
	p.run = r
	return nil
}

func (s *Session) findCursor(name string) (*portal, error) {
	p := s.portals[name]
	if p == nil || (p.cursor == nil && p.prep.node == nil) {
		return nil, pgerr.New(pgerr.InvalidCursorName, "cursor \"%s\" does not exist", name)
	}
	if p.cursor == nil {
		p.cursor = &cursor{noScroll: true} // a portal of the extended protocol
	}
	return p, nil
}

// fetch is FETCH and MOVE.
func (s *Session) fetch(ctx context.Context, n *pg_query.FetchStmt) (result, error) {
	p, err := s.findCursor(n.Portalname)
	if err != nil {
		return result{}, err
	}
	rows, err := s.move(ctx, p, n.Direction, n.HowMany)
	if err != nil {
		return result{}, err
	}
	count := strconv.Itoa(len(rows))
	if n.Ismove {
		return result{tag: "MOVE " + count}, nil
	}
	return result{tag: "FETCH " + count, cols: p.cols, rows: rows}, nil
}

// fetchAll is how the parse tree writes ALL.
const fetchAll = math.MaxInt64

// move moves a cursor and returns the rows that it passes, in the order in which it does.
func (s *Session) move(ctx context.Context, p *portal, dir pg_query.FetchDirection, n int64) ([][]types.Datum, error) {
	switch dir {
	case pg_query.FetchDirection_FETCH_BACKWARD:
		if n < 0 {
			return s.forward(ctx, p, -n)
		}
		return s.backward(ctx, p, n)
	case pg_query.FetchDirection_FETCH_ABSOLUTE:
		return s.absolute(ctx, p, n)
	case pg_query.FetchDirection_FETCH_RELATIVE:
		to := p.cursor.at + n
		if n < 0 && to < 1 {
			to = 0
		}
		return s.jump(ctx, p, to)
	}
	if n < 0 {
		return s.backward(ctx, p, -n)
	}
	return s.forward(ctx, p, n)
}

func (s *Session) forward(ctx context.Context, p *portal, n int64) ([][]types.Datum, error) {
	c := p.cursor
	if n == 0 {
		return s.jump(ctx, p, c.at)
	}
	to := int64(fetchAll)
	if n < fetchAll-c.at {
		to = c.at + n
	}
	if err := s.readAhead(ctx, p, to); err != nil {
		return nil, err
	}
	have := int64(len(p.rows))
	from := min(c.at, have)
	if to > have {
		c.at = have + 1
		return p.rows[from:], nil
	}
	c.at = to
	return p.rows[from:to], nil
}

// scan refuses to go back in a cursor that was declared not to.
func (c *cursor) mayScroll() error {
	if c.noScroll {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cursor can only scan forward").
			WithHint("Declare it with SCROLL option to enable backward scan.")
	}
	return nil
}

func (s *Session) backward(ctx context.Context, p *portal, n int64) ([][]types.Datum, error) {
	c := p.cursor
	if n == 0 {
		return s.jump(ctx, p, c.at)
	}
	if err := c.mayScroll(); err != nil {
		return nil, err
	}
	var rows [][]types.Datum
	for ; n > 0 && c.at > 0; n-- {
		c.at--
		if c.at < 1 {
			break
		}
		rows = append(rows, p.rows[c.at-1])
	}
	return rows, nil
}

func (s *Session) absolute(ctx context.Context, p *portal, n int64) ([][]types.Datum, error) {
	if n < 0 {
		if err := s.readAhead(ctx, p, fetchAll); err != nil {
			return nil, err
		}
		n = max(int64(len(p.rows))+1+n, 0)
	}
	return s.jump(ctx, p, n)
}

// jump goes to one row and returns it, if there is one.
func (s *Session) jump(ctx context.Context, p *portal, to int64) ([][]types.Datum, error) {
	c := p.cursor
	if to < c.at {
		if err := c.mayScroll(); err != nil {
			return nil, err
		}
	}
	if err := s.readAhead(ctx, p, to); err != nil {
		return nil, err
	}
	c.at = min(to, int64(len(p.rows))+1)
	if c.at < 1 || c.at > int64(len(p.rows)) {
		return nil, nil
	}
	return p.rows[c.at-1 : c.at], nil
}

// closeCursor is CLOSE; an empty name is ALL.
func (s *Session) closeCursor(ctx context.Context, name string) (string, error) {
	if name == "" {
		for n, p := range s.portals {
			if p.cursor == nil {
				continue
			}
			p.close(ctx)
			delete(s.portals, n)
		}
		return "CLOSE CURSOR ALL", nil
	}
	p, err := s.findCursor(name)
	if err != nil {
		return "", err
	}
	p.close(ctx)
	delete(s.portals, name)
	return "CLOSE CURSOR", nil
}

// bindExecute makes a portal of EXECUTE one of the statement that it names.
func (s *Session) bindExecute(ctx context.Context, p *portal, n *pg_query.ExecuteStmt) error {
	target, err := s.find(n.Name)
	if err != nil {
		return err
	}
	if p.params, err = s.executeParams(ctx, p.prep, target, n); err != nil {
		return err
	}
	p.prep = target
	p.cols = target.cols
	return nil
}

// executeParams are the values that EXECUTE, a part of p, gives to a prepared statement.
func (s *Session) executeParams(ctx context.Context, p, target *prepared, n *pg_query.ExecuteStmt) ([]types.Datum, error) {
	if len(n.Params) != len(target.params) {
		return nil, pgerr.New(pgerr.SyntaxError, "wrong number of parameters for prepared statement \"%s\"", n.Name).
			WithDetail("Expected %d parameters but got %d.", len(target.params), len(n.Params))
	}
	values, err := s.evaluate(ctx, n.Params, target.params)
	if err != nil {
		return nil, locate(err, p.source)
	}
	return values, nil
}

// evaluate computes expressions that stand alone, coerced to the given types.
func (s *Session) evaluate(ctx context.Context, exprs []*pg_query.Node, want []*types.T) ([]types.Datum, error) {
	if len(exprs) == 0 {
		return nil, nil
	}
	targets := make([]*pg_query.Node, len(exprs))
	for i, e := range exprs {
		tn, err := sql.ParseTypeName(types.FormatType(want[i], -1))
		if err != nil {
			return nil, err
		}
		cast := &pg_query.Node{Node: &pg_query.Node_TypeCast{TypeCast: &pg_query.TypeCast{Arg: e, TypeName: tn, Location: -1}}}
		targets[i] = &pg_query.Node{Node: &pg_query.Node_ResTarget{ResTarget: &pg_query.ResTarget{Val: cast, Location: -1}}}
	}
	sel := &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: &pg_query.SelectStmt{TargetList: targets}}}
	rows, _, err := s.query(ctx, sel, nil)
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// query runs a planned statement within the running one and keeps its rows.
func (s *Session) query(ctx context.Context, node *pg_query.Node, params []types.Datum) ([][]types.Datum, []planner.Col, error) {
	p := &portal{prep: newPrepared(&sql.Statement{Node: node}), params: params, started: true}
	if err := s.runnable(ctx, p.prep); err != nil {
		return nil, nil, err
	}
	plan := p.prep.plan
	r, err := s.build(ctx, p, plan, readOptions)
	if err != nil {
		return nil, nil, err
	}
	var mem memorySink
	_, _, err = r.pull(ctx, &mem, 0)
	if err = s.finishPlan(ctx, p, r, plan, err); err != nil {
		return nil, nil, err
	}
	return mem.list, plan.Cols, nil
}
