package expr

import (
	"context"
	"time"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/mongo/mql"
	"github.com/pgmongo/pgmongo/types"
)

// Proc is one row of pg_proc: its signature, from PostgreSQL's own dump or a CREATE FUNCTION, and what pgmongo knows to
// do with it.
type Proc struct {
	OID        uint32
	Schema     string
	Name       string
	Kind       byte // prokind: f function, a aggregate, w window, p procedure
	Args       []*types.T
	ArgNames   []string
	AllArgs    []*types.T // with OUT arguments; nil if all are IN
	ArgModes   []byte
	Variadic   *types.T // element type of a VARIADIC argument, nil for none
	Defaults   []string // SQL text of the last arguments' defaults
	Ret        *types.T
	RetSet     bool
	Strict     bool
	Volatility byte // i s v
	// User is the user-defined function whose body runs, nil for those that have an Impl.
	User *catalog.Function
	// Impl is what pgmongo can do; a nil Impl is refused with 0A000 naming the function.
	Impl *Impl
}

// Impl is what pgmongo knows of one row of pg_proc, found by OID. Exactly one of Eval, F1, F2, Make, Set, MakeSet, Agg,
// MakeAgg and Window is set. NULL handling of strict functions is the framework's: they never see a NULL argument.
type Impl struct {
	// OID and Name are the pg_proc row; a test checks that they agree with the dump.
	OID  uint32
	Name string
	Eval EvalFunc
	// F1 and F2 are the forms without an argument slice for one and two arguments.
	F1 func(env *Env, a types.Datum) (types.Datum, error)
	F2 func(env *Env, a, b types.Datum) (types.Datum, error)
	// Make builds the evaluation for one call, for functions that need the static types of their arguments or result
	// (polymorphic ones, "any") or that keep scratch memory. It is called once for each compilation.
	Make func(c *Call) (EvalFunc, error)
	Set  SetFunc
	// MakeSet is Make for a set-returning function. Callers use SetOf, which serves both forms.
	MakeSet func(c *Call) (SetFunc, error)
	Agg     func() Aggregator
	// MakeAgg builds the constructor of an aggregate's state for one call, when the types of its arguments matter.
	MakeAgg func(a *Agg) (func() Aggregator, error)
	// AggStrict says that the transition function is strict: rows with a NULL argument are left out.
	AggStrict bool
	// Window makes the state of a pure window function (row_number, rank, lag ...).
	Window func() WindowFunc

	// Fidelity, Why, Mongo and Match are the MongoDB side. LocalOnly needs Why, which EXPLAIN prints.
	Fidelity Fidelity
	Why      string
	// Mongo builds the $expr form over non-NULL arguments; the compiler adds the NULL guard of strict functions.
	Mongo func(args []mql.Expr) mql.Expr
	// MinVersion is the first MongoDB version that has the Mongo form, 0 for 6.0.
	MinVersion int
}

// Func returns the evaluation of a call of a plain function; nil if the implementation is of another kind.
func (i *Impl) Func(c *Call) (EvalFunc, error) {
	switch {
	case i.Eval != nil:
		return i.Eval, nil
	case i.F1 != nil:
		return func(env *Env, args []types.Datum) (types.Datum, error) { return i.F1(env, args[0]) }, nil
	case i.F2 != nil:
		return func(env *Env, args []types.Datum) (types.Datum, error) { return i.F2(env, args[0], args[1]) }, nil
	case i.Make != nil:
		return i.Make(c)
	}
	return nil, nil
}

// SetOf returns the row source of a call of a set-returning function; nil if the implementation is of another kind.
func (i *Impl) SetOf(c *Call) (SetFunc, error) {
	if i.MakeSet != nil {
		return i.MakeSet(c)
	}
	return i.Set, nil
}

// AggOf returns the constructor of an aggregate's state for one call; nil if the implementation is of another kind.
func (i *Impl) AggOf(a *Agg) (func() Aggregator, error) {
	if i.MakeAgg != nil {
		return i.MakeAgg(a)
	}
	return i.Agg, nil
}

// EvalFunc computes one value. args is valid during the call only.
type EvalFunc func(env *Env, args []types.Datum) (types.Datum, error)

// SetFunc yields the rows of a set-returning function; a row is one datum for a scalar result, or its columns for a
// composite one. It stops with the error that yield returned.
type SetFunc func(env *Env, args []types.Datum, yield func(row ...types.Datum) error) error

// Aggregator is the state of one aggregate over one group. For strict transition functions the framework leaves out rows
// with NULL arguments.
type Aggregator interface {
	Add(env *Env, args []types.Datum) error
	Result(env *Env) (types.Datum, error)
}

// InverseAggregator can also take a row out again, for moving window frames.
type InverseAggregator interface {
	Aggregator
	Remove(env *Env, args []types.Datum) error
}

// OrderedSetAggregator is an aggregate with WITHIN GROUP: its Add gets the values of the ORDER BY keys, in their order,
// and SetDirect the direct arguments once, before Result.
type OrderedSetAggregator interface {
	Aggregator
	SetDirect(env *Env, direct []types.Datum) error
}

// CollectingAggregator is an aggregate whose state grows with every row, which counts against the statement's memory.
type CollectingAggregator interface {
	Aggregator
	// Collects does nothing: it marks the aggregate.
	Collects()
}

// WindowFunc computes a window function for the rows of one partition, in order.
type WindowFunc interface {
	// Next returns the value for the partition's row at p.Current.
	Next(env *Env, p *Partition) (types.Datum, error)
}

// Partition is what a window function sees.
type Partition struct {
	Rows    int
	Current int
	// Frame bounds of the current row: [FrameStart, FrameEnd).
	FrameStart, FrameEnd int
	// PeerStart and PeerEnd bound the current row's peers: [PeerStart, PeerEnd).
	PeerStart, PeerEnd int
	// Arg evaluates argument i of the call at a row of the partition.
	Arg func(row, i int) (types.Datum, error)
	// InFrame reports whether EXCLUDE leaves the row in the frame.
	InFrame func(row int) bool
}

// Fidelity says how true the MongoDB form of a function is.
type Fidelity uint8

// The fidelities. Nothing weaker than ErrorLoose is ever pushed.
const (
	LocalOnly  Fidelity = iota // no MongoDB form; Impl.Why says why
	Exact                      // the same value or error as PostgreSQL
	ErrorLoose                 // the same value wherever PostgreSQL gives one; an error may be missed
)

// Env is what evaluation depends on besides the row: one per statement execution, used by one goroutine.
type Env struct {
	Ctx    context.Context
	IO     *types.IO
	Params []types.Datum
	// XactStart and StmtStart are now() and statement_timestamp().
	XactStart, StmtStart time.Time
	View                 *catalog.View
	Session              Session
	// Outer holds the values of columns of enclosing queries, by ColID, while a subquery or lateral side runs.
	Outer []types.Datum
	// CaseArg is the value that CaseArg nodes read.
	CaseArg types.Datum
	// Routines runs the bodies of user-defined functions; nil where none can run.
	Routines Routines
	// Queries prints the queries of views; nil where they are shown as they are stored.
	Queries QueryPrinter
	// Subplan runs a Subquery's plan; set by the executor.
	Subplan func(env *Env, s *Subquery, row []types.Datum) (types.Datum, error)
}

// Routines runs the bodies of user-defined functions. args are valid during the call only; for strict functions none of
// them is NULL.
type Routines interface {
	// Call returns the function's value.
	Call(env *Env, c *Call, args []types.Datum) (types.Datum, error)
	// CallSet yields the rows of a function that returns a set, as SetFunc does.
	CallSet(env *Env, c *Call, args []types.Datum, yield func(row ...types.Datum) error) error
}

// Session is what functions may ask and change of the session that runs them.
type Session interface {
	User() string
	SessionUser() string
	BackendPID() int32
	ServerAddr() (addr string, port int)
	ClientAddr() (addr string, port int)
	// Setting and SetSetting are current_setting and set_config; errors are PostgreSQL's.
	Setting(name string, missingOK bool) (string, bool, error)
	SetSetting(name, value string, local bool) error
	// ResetSetting is set_config with NULL.
	ResetSetting(name string, local bool) error
	NextVal(ctx context.Context, seq uint32) (int64, error)
	CurrVal(seq uint32) (int64, error)
	LastVal() (int64, error)
	SetVal(ctx context.Context, seq uint32, value int64, called bool) error
	// AdvisoryLock takes (or with try, tries to take) a lock; class and obj are its two keys or the halves of one.
	AdvisoryLock(ctx context.Context, key AdvisoryKey, try bool) (bool, error)
	AdvisoryUnlock(key AdvisoryKey) bool
	AdvisoryUnlockAll()
	// Notify queues a notification for commit; Notice sends a NoticeResponse.
	Notify(channel, payload string) error
	Notice(err error)
	Cancel(pid int32) bool
	Terminate(pid int32) bool
	// TransactionID returns the current transaction's number, assigning one if assign is set.
	TransactionID(assign bool) int64
	// Seed and Random are the session's random numbers.
	Random() float64
	SetSeed(float64)
	// TriggerDepth is how many triggers run inside each other.
	TriggerDepth() int
}

// AdvisoryKey identifies an advisory lock.
type AdvisoryKey struct {
	Class, Obj uint32
	Two        bool // two int4 keys rather than one int8
	Shared     bool
	Xact       bool // released at the end of the transaction
}
