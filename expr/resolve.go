package expr

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Resolver finds functions, operators, types and casts by PostgreSQL's rules (manual, chapter 10), under one snapshot and
// search path.
type Resolver struct {
	Snapshot *catalog.Snapshot
	// Path is the effective search path, pg_catalog included.
	Path  []string
	Procs *Procs
	// IO is used to convert unknown literals.
	IO *types.IO
	// SetParam is told the type of a parameter that was unknown until a coercion fixed it; it returns 42P08 when another
	// type was fixed before. nil means that parameters have fixed types.
	SetParam func(n int, t *types.T) error
}

// Context is how freely a coercion may choose a cast.
type Context uint8

// The coercion contexts.
const (
	Implicit Context = iota
	Assignment
	Explicit
)

// Procs is the table of built-in functions: pg_proc's signatures joined with what pgmongo implements. See NewProcs.
type Procs struct {
	byOID  map[uint32]*Proc
	byName map[string][]*Proc
}

// NewProcs joins PostgreSQL's pg_proc with the implementations; it panics on an Impl whose OID and name disagree with the
// dump, which a test catches.
func NewProcs(impls ...[]Impl) *Procs { return &Procs{} }

// ByOID returns the function, or nil.
func (p *Procs) ByOID(oid uint32) *Proc { return p.byOID[oid] }

// ByName returns the functions of pg_catalog with that name.
func (p *Procs) ByName(name string) []*Proc { return p.byName[name] }

// FuncCall is a function call to resolve.
type FuncCall struct {
	Schema, Name string
	Args         []Expr
	ArgNames     []string // parallel to Args, "" for positional ones; nil if all are
	Variadic     bool
	Star         bool // count(*)
	// Procedure says that CALL is resolving it.
	Procedure bool
	Loc       int32
}

// Func resolves a call and coerces its arguments, filling in defaults. The result may also be a cast when the name is that
// of a type (PostgreSQL's functional cast notation). The caller looks at Fn.Kind for aggregates and window functions.
// Errors: 42883 (with PostgreSQL's hint), 42725, 42809.
func (r *Resolver) Func(c FuncCall) (Expr, error) { return nil, pgerr.Unsupported("function calls") }

// Operator resolves an operator; left is nil for a prefix operator. Errors: 42883, 42725.
func (r *Resolver) Operator(schema, name string, left, right Expr, loc int32) (Expr, error) {
	return nil, pgerr.Unsupported("operators")
}

// OperatorProc resolves an operator by exact operand types (after implicit coercion of none), nil if there is none.
func (r *Resolver) OperatorProc(name string, left, right *types.T) *Proc { return nil }

// ScalarArray resolves left op ANY|ALL (array).
func (r *Resolver) ScalarArray(name string, left, array Expr, all bool, loc int32) (Expr, error) {
	return nil, pgerr.Unsupported("operators")
}

// Coerce converts e to a type, inserting the cast that PostgreSQL would. Errors: 42804 or 42846 ("cannot cast type ...").
// In an Assignment context the caller words the 42804 error about the column.
func (r *Resolver) Coerce(e Expr, t *types.T, typmod int32, ctx Context, loc int32) (Expr, error) {
	return nil, pgerr.Unsupported("casts")
}

// CanCoerce reports whether Coerce from one type to another would find a way.
func (r *Resolver) CanCoerce(from, to *types.T, ctx Context) bool { return false }

// CommonType chooses the type that UNION, CASE, VALUES and so on give (manual, section 10.5); what names the construct in
// the 42804 error, like "UNION" or "CASE".
func (r *Resolver) CommonType(exprs []Expr, what string, loc int32) (*types.T, error) {
	return nil, pgerr.Unsupported("type resolution")
}

// TypeName resolves a type name with its modifiers. Errors: 42704.
func (r *Resolver) TypeName(n *pg_query.TypeName) (*types.T, int32, error) {
	return nil, -1, pgerr.Unsupported("type names")
}

// Equality and Less return the = and < procedures of t's default btree class (42883 when it has none).
func (r *Resolver) Equality(t *types.T) (*Proc, error) { return nil, pgerr.Unsupported("equality") }

// Less returns the < procedure of t's default btree class.
func (r *Resolver) Less(t *types.T) (*Proc, error) { return nil, pgerr.Unsupported("ordering") }
