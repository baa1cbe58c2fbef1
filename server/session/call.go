package session

import (
	"context"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// boundCall is CALL with its procedure found. outs are the positions, among all arguments, of those that give values.
type boundCall struct {
	call *expr.Call
	snap *catalog.Snapshot
	cols []planner.Col
	outs []int
	// params are the types of the statement's parameters.
	params []*types.T
}

func (s *Session) bindCall(ctx context.Context, p *prepared, n *pg_query.CallStmt) (*boundCall, error) {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	given := p.params
	if given == nil {
		given = p.declared
	}
	c := s.planContext(ctx, snap, given)
	c.NoParams = p.noParams
	if p.vars != nil {
		c.Variables = p.vars()
	}
	call, params, err := planner.BindCall(c, n.Funccall)
	if err != nil {
		return nil, err
	}
	b := &boundCall{call: call, snap: snap, params: params}
	for i, f := range planner.OutFields(snap, call) {
		name := f.Name
		if name == "" {
			name = "column" + string(rune('1'+i))
		}
		b.cols = append(b.cols, planner.Col{Name: name, Type: f.Type, Mod: f.Typmod})
	}
	for i, a := range call.Fn.User.Args {
		if a.Mode != 'o' && a.Mode != 'b' {
			continue
		}
		for j, n := range n.Funccall.Args {
			if na := n.GetNamedArgExpr(); na != nil && na.Name == a.Name {
				i = j
			}
		}
		b.outs = append(b.outs, i)
	}
	return b, nil
}

// call is CALL; up is the routine that it stands in, nil for the client.
func (s *Session) call(ctx context.Context, p *prepared, n *pg_query.CallStmt, params []types.Datum, up *routines) (result, error) {
	b, err := s.bindCall(ctx, p, n)
	if err != nil {
		return result{}, err
	}
	r, err := s.enterRoutine(up)
	if err != nil {
		return result{}, err
	}
	fn := b.call.Fn.User
	if len(fn.Settings) > 0 || fn.SecDef {
		r.procedure = false
	}
	env := s.env(ctx, b.snap, params)
	env.Routines = r
	args := make([]types.Datum, len(b.call.Args))
	for i, a := range b.call.Args {
		run, err := expr.Compile(a, nil)
		if err != nil {
			return result{}, err
		}
		if args[i], err = run(env, nil); err != nil {
			return result{}, err
		}
	}
	out, err := r.call(ctx, b.call, args)
	if err != nil {
		return result{}, err
	}
	res := result{tag: "CALL"}
	if len(b.cols) > 0 {
		res.cols, res.rows = b.cols, [][]types.Datum{out.Outs}
		if len(out.Outs) != len(b.cols) {
			return result{}, pgerr.Internal("a procedure gave %d values for %d columns", len(out.Outs), len(b.cols))
		}
	}
	return res, nil
}
