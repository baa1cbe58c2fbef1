package planner

import (
	"context"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// BindCall binds the procedure of CALL with its arguments. OUT arguments take part in finding the procedure, and are
// not among the call's arguments. params are the types of $1, $2 ...
func BindCall(c *Context, f *pg_query.FuncCall) (call *expr.Call, params []*types.T, err error) {
	b := newBinder(context.Background(), c)
	s := b.newScope(nil)
	s.kind = inCall
	for i, t := range b.params {
		if t == types.VoidT {
			b.params[i] = nil // an OUT argument of pgjdbc, which knows no procedure's from a function's
		}
	}
	parts, err := s.callParts(f)
	if err != nil {
		return nil, nil, err
	}
	x, err := b.r.Func(expr.FuncCall{Schema: parts.schema, Name: parts.name, Args: parts.args, ArgNames: parts.names, Variadic: f.FuncVariadic, Procedure: true, Loc: f.Location})
	if err != nil {
		return nil, nil, err
	}
	var ok bool
	call, ok = x.(*expr.Call)
	if !ok {
		return nil, nil, pgerr.Internal("CALL did not find a procedure")
	}
	if call.Fn.User == nil {
		return nil, nil, pgerr.Unsupported("procedure " + call.Fn.Name)
	}
	in := call.Args[:0:0]
	for i, a := range call.Fn.User.Args {
		if a.Mode != 'o' {
			in = append(in, call.Args[i])
		}
	}
	call.Args = in
	for i, t := range b.params {
		if t == nil {
			return nil, nil, pgerr.New(pgerr.IndeterminateDatatype, "could not determine data type of parameter $%d", i+1)
		}
	}
	return call, b.params, nil
}
