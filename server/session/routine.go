package session

import (
	"context"
	"errors"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/executor"
	"github.com/pgmongo/pgmongo/executor/plpgsql"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/txn"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// maxCallDepth bounds how deep routines may call each other.
const maxCallDepth = 1000

// routines is expr.Routines for one statement: the functions that it calls run their statements inside of it.
type routines struct {
	s *Session
	// st and rt are the statement's; nil for the routine of DO and CALL, which runs in no statement.
	st *txn.Stmt
	rt *executor.Runtime
	up *routines
	// procedure says that COMMIT and ROLLBACK are allowed.
	procedure bool
}

func (r *routines) outer() *txn.Stmt {
	if r == nil {
		return nil
	}
	return r.st
}

// settle sends what the enclosing statements have not yet written, so that a routine's statement sees it.
func (r *routines) settle(ctx context.Context) error {
	for ; r != nil; r = r.up {
		if r.rt == nil {
			continue
		}
		if err := r.rt.Flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Call implements expr.Routines.
func (r *routines) Call(env *expr.Env, c *expr.Call, args []types.Datum) (types.Datum, error) {
	out, err := r.call(env.Ctx, c, args)
	return out.Value, err
}

// CallSet implements expr.Routines.
func (r *routines) CallSet(env *expr.Env, c *expr.Call, args []types.Datum, yield func(row ...types.Datum) error) error {
	out, err := r.call(env.Ctx, c, args)
	if err != nil {
		return err
	}
	for _, row := range out.Rows {
		if err := yield(row...); err != nil {
			return err
		}
	}
	return nil
}

func (r *routines) call(ctx context.Context, c *expr.Call, args []types.Datum) (plpgsql.Returned, error) {
	s := r.s
	fn := c.Fn.User
	if s.depth >= maxCallDepth {
		return plpgsql.Returned{}, depthExceeded()
	}
	if fn.Ret.Name == "trigger" {
		return plpgsql.Returned{}, pgerr.New(pgerr.FeatureNotSupported, "trigger functions can only be called as triggers")
	}
	s.depth++
	defer func() { s.depth-- }()
	restore, err := s.functionSettings(fn)
	if err != nil {
		return plpgsql.Returned{}, err
	}
	defer restore()
	back, err := s.definer(fn)
	if err != nil {
		return plpgsql.Returned{}, err
	}
	defer back()
	h := &host{s: s, r: r, readOnly: fn.Volatile != 'v', ctx: ctx}
	args = append([]types.Datum(nil), args...)
	if fn.Language == "sql" {
		return s.callSQL(ctx, h, c, args)
	}
	code, err := s.plpgsqlCode(ctx, c)
	if err != nil {
		return plpgsql.Returned{}, err
	}
	return code.Call(ctx, h, args, nil)
}

func depthExceeded() error {
	return pgerr.New(pgerr.StatementTooComplex, "stack depth limit exceeded").
		WithHint("Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.")
}

// functionSettings applies a function's SET clauses; the function it returns takes them back.
func (s *Session) functionSettings(fn *catalog.Function) (func(), error) {
	if len(fn.Settings) == 0 {
		return func() {}, nil
	}
	level := s.set.Push()
	for _, kv := range fn.Settings {
		name, v, _ := strings.Cut(kv, "=")
		if err := s.set.Set(name, v, true); err != nil {
			s.set.Pop(level, false)
			return nil, err
		}
	}
	return func() { s.set.Pop(level, false) }, nil
}

// codeKey identifies a compiled function: a polymorphic one has other types in each call.
type codeKey struct {
	oid   uint32
	types string
}

type compiled struct {
	fn   *catalog.Function
	snap *catalog.Snapshot
	pl   *plpgsql.Code
	sql  *sqlCode
}

func keyOf(c *expr.Call) codeKey {
	var b strings.Builder
	for _, a := range c.Args {
		b.WriteString(a.Type().Schema + "." + a.Type().Name + ",")
	}
	for _, f := range c.Cols {
		b.WriteString(f.Name + " " + f.Type.Name + ",")
	}
	return codeKey{c.Fn.OID, b.String()}
}

// code finds a compiled function, or compiles it.
func (s *Session) code(ctx context.Context, key codeKey, fn *catalog.Function, compile func(snap *catalog.Snapshot) (*compiled, error)) (*compiled, error) {
	snap, err := s.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if c := s.codes[key]; c != nil && c.fn == fn && c.snap == snap {
		return c, nil
	}
	c, err := compile(snap)
	if err != nil {
		return nil, err
	}
	c.fn, c.snap = fn, snap
	if s.codes == nil || len(s.codes) > cacheEntries {
		s.codes = map[codeKey]*compiled{}
	}
	s.codes[key] = c
	return c, nil
}

// arguments are a function's arguments with the types that they have in a call.
func arguments(snap *catalog.Snapshot, c *expr.Call) []plpgsql.Argument {
	fn := c.Fn.User
	outs := planner.OutFields(snap, c)
	var list []plpgsql.Argument
	in, out := 0, 0
	for _, a := range fn.Args {
		arg := plpgsql.Argument{Name: a.Name, Type: a.Type, Mode: a.Mode}
		if a.Mode == 'o' || a.Mode == 'b' || a.Mode == 't' {
			arg.Type = outs[out].Type
			out++
		}
		if a.Mode != 'o' && a.Mode != 't' {
			if a.Type.IsPolymorphic() && in < len(c.Args) {
				arg.Type = c.Args[in].Type()
			}
			in++
		}
		list = append(list, arg)
	}
	return list
}

// resultOf says what a call returns.
func (s *Session) resultOf(snap *catalog.Snapshot, c *expr.Call) plpgsql.Result {
	fn := c.Fn.User
	r := plpgsql.Result{Type: c.T, Set: fn.RetSet, Procedure: fn.Kind == 'p', Trigger: fn.Ret.Name == "trigger"}
	outs := planner.OutFields(snap, c)
	base := c.T.BaseType()
	switch {
	case len(c.Cols) > 0:
		r.Fields, r.Row = c.Cols, true
	case len(outs) > 1 || len(outs) == 1 && fn.Ret == types.RecordT:
		r.Fields, r.Row = outs, true
	case base.Kind == 'c':
		r.Fields, r.Row = fieldsOf(snap, base), true
	}
	return r
}

func fieldsOf(snap *catalog.Snapshot, t *types.T) []types.Field {
	out := t.LiveFields()
	if len(out) == 0 && t.RelOID != 0 {
		if rel := snap.RelationByOID(t.RelOID); rel != nil {
			for _, c := range rel.Live() {
				out = append(out, types.Field{Name: c.Name, Type: c.Type, Typmod: c.Typmod})
			}
		}
	}
	return out
}

func (s *Session) plpgsqlCode(ctx context.Context, c *expr.Call) (*plpgsql.Code, error) {
	fn := c.Fn.User
	code, err := s.code(ctx, keyOf(c), fn, func(snap *catalog.Snapshot) (*compiled, error) {
		pl, err := plpgsql.Parse(s.resolver(snap), plpgsql.Definition{
			Name: fn.Name, Signature: s.signature(snap, fn), Args: arguments(snap, c), Result: s.resultOf(snap, c), Body: s.conformBody(fn.Source),
		})
		return &compiled{pl: pl}, bodyError(err, fn)
	})
	if err != nil {
		return nil, err
	}
	return code.pl, nil
}

// bodyError gives an error in a function's text that text, which the client did not send.
func bodyError(err error, fn *catalog.Function) error {
	var e *pgerr.Error
	if !errors.As(err, &e) || e.Offset == 0 {
		return err
	}
	c := *e
	c.Query, c.QueryPosition, c.Offset = fn.Source, len([]rune(fn.Source[:min(e.Offset-1, len(fn.Source))]))+1, 0
	return &c
}

// signature is a function's name with its argument types, as CONTEXT lines have it.
func (s *Session) signature(snap *catalog.Snapshot, fn *catalog.Function) string {
	var args []string
	for _, a := range fn.Args {
		if a.Mode != 'o' && a.Mode != 't' || fn.Kind == 'p' && a.Mode == 'o' {
			args = append(args, types.FormatType(a.Type, -1))
		}
	}
	name := types.QuoteIdent(fn.Name)
	if !contains(s.path(snap), fn.Schema) {
		name = types.QuoteIdent(fn.Schema) + "." + name
	}
	return name + "(" + strings.Join(args, ",") + ")"
}
