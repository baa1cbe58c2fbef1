package session

import (
	"context"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// FunctionCall runs the function of a function call message and returns its value in the wanted format, nil for NULL.
func (s *Session) FunctionCall(ctx context.Context, oid uint32, formats []int16, args [][]byte, format int16) ([]byte, error) {
	s.active("<fastpath> function call")
	defer s.waiting()
	value, err := s.functionCall(ctx, oid, formats, args, format)
	if err == nil && s.single() {
		s.leave(ctx, true)
	} else if err == nil {
		err = s.endImplicit(ctx)
	}
	if err != nil {
		s.abort(ctx)
	}
	return value, err
}

func (s *Session) functionCall(ctx context.Context, oid uint32, formats []int16, args [][]byte, format int16) ([]byte, error) {
	if s.tx.Failed() {
		return nil, pgerr.New(pgerr.InFailedSQLTransaction, "current transaction is aborted, commands ignored until end of transaction block")
	}
	s.enter()
	ctx, stop := s.limit(ctx)
	defer stop()
	snap, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	name, want := "", []*types.T(nil)
	if f := snap.FunctionByOID(oid); f != nil && f.Kind == 'f' && !f.RetSet {
		name = types.QuoteIdent(f.Schema) + "." + types.QuoteIdent(f.Name)
		for _, a := range f.Args {
			if a.Mode != 'o' && a.Mode != 't' {
				want = append(want, a.Type)
			}
		}
	} else if p := s.eng.Procs.ByOID(oid); p != nil {
		name, want = types.QuoteIdent(p.Schema)+"."+types.QuoteIdent(p.Name), p.Args
	} else {
		return nil, pgerr.New(pgerr.UndefinedFunction, "function with OID %d does not exist", oid)
	}
	if len(args) != len(want) {
		return nil, protocolViolation("function call message contains %d arguments but function requires %d", len(args), len(want))
	}
	if len(formats) > 1 && len(formats) != len(args) {
		return nil, protocolViolation("function call message contains %d argument formats but %d arguments", len(formats), len(args))
	}
	marks := make([]string, len(args))
	for i := range marks {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	stmts, err := sql.Parse("SELECT " + name + "(" + strings.Join(marks, ", ") + ")")
	if err != nil {
		return nil, err
	}
	p := &portal{prep: newPrepared(&stmts[0]), started: true}
	p.prep.declared = want
	if err := s.runnable(ctx, p.prep); err != nil {
		return nil, err
	}
	if p.params, err = s.bindParams(p.prep, formats, args); err != nil {
		return nil, err
	}
	d, err := s.oneValue(ctx, p, p.prep.plan)
	if err != nil || d.IsNull() {
		return nil, cancelled(ctx, err)
	}
	out, t := []byte{}, p.prep.plan.Cols[0].Type
	switch format {
	case 0:
		out = types.Output(s.io(s.last), t, out, d)
	case 1:
		out, err = types.Send(s.io(s.last), t, out, d)
	default:
		err = badFormat(format)
	}
	return out, err
}

// oneValue runs a plan of one row and one column.
func (s *Session) oneValue(ctx context.Context, p *portal, plan *planner.Plan) (types.Datum, error) {
	if s.runsCode(plan) && s.single() {
		if err := s.tx.BeginImplicit(s.defaults()); err != nil {
			return types.Null, err
		}
	}
	r, err := s.build(ctx, p, plan, statementOptions(plan))
	if err != nil {
		return types.Null, err
	}
	var mem memorySink
	_, _, err = r.pull(ctx, &mem, 0)
	if err := s.finishPlan(ctx, p, r, plan, err); err != nil {
		return types.Null, err
	}
	if len(mem.list) != 1 || len(mem.list[0]) != 1 {
		return types.Null, pgerr.Internal("a function call gave %d rows", len(mem.list))
	}
	return mem.list[0][0], nil
}
