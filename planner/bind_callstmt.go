package planner

import (
	"context"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// BindCall binds the procedure of CALL with its arguments. OUT arguments take part in finding the procedure, and are
// not among the call's arguments.
func BindCall(c *Context, f *pg_query.FuncCall) (*expr.Call, error) {
	b := newBinder(context.Background(), c)
	s := b.newScope(nil)
	s.kind = inCall
	parts, err := s.callParts(f)
	if err != nil {
		return nil, err
	}
	x, err := b.r.Func(expr.FuncCall{Schema: parts.schema, Name: parts.name, Args: parts.args, ArgNames: parts.names, Variadic: f.FuncVariadic, Procedure: true, Loc: f.Location})
	if err != nil {
		return nil, err
	}
	call, ok := x.(*expr.Call)
	if !ok {
		return nil, pgerr.Internal("CALL did not find a procedure")
	}
	if call.Fn.User == nil {
		return nil, pgerr.Unsupported("procedure " + call.Fn.Name)
	}
	in := call.Args[:0:0]
	for i, a := range call.Fn.User.Args {
		if a.Mode != 'o' {
			in = append(in, call.Args[i])
		}
	}
	call.Args = in
	return call, nil
}
