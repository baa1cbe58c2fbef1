// Package expr holds bound expressions: the tree, the table of functions and operators (signatures from PostgreSQL's own
// pg_proc, evaluation and MongoDB forms beside them), overload resolution and coercion by PostgreSQL's rules, folding,
// local evaluation as compiled closures, and compilation to MongoDB's two expression languages.
package expr

import (
	"github.com/pgmongo/pgmongo/types"
)

// ColID identifies a column in one statement's plan. Columns are IDs until the executor is built, when positions in
// rows are assigned once.
type ColID int32

// Expr is a bound expression: every name is resolved and every coercion is explicit. It is immutable; a rewrite makes a
// new tree with WithChildren.
type Expr interface {
	Type() *types.T
	Typmod() int32
	// Children returns the sub-expressions in a fixed order; nil entries do not occur.
	Children() []Expr
	// WithChildren returns a copy with other sub-expressions, as many as Children gave.
	WithChildren([]Expr) Expr
}

// Const is a value. Loc is its byte position in the statement, -1 when it has none.
type Const struct {
	D   types.Datum
	T   *types.T
	Mod int32
	Loc int32
}

// Param is $N, counted from 1.
type Param struct {
	N   int
	T   *types.T
	Mod int32
	// Fields are those of a routine's variable of type record, as its present value has them.
	Fields []types.Field
}

// ColRef is a column of a plan node below, or, inside a subquery or a lateral join, of an enclosing one.
type ColRef struct {
	ID      ColID
	T       *types.T
	Mod     int32
	Name    string // for EXPLAIN and error texts
	NotNull bool   // provably never NULL here
}

// Call applies a function, operator or cast function.
type Call struct {
	Fn   *Proc
	Args []Expr
	T    *types.T // resolved result type (polymorphism applied)
	Mod  int32
	// Op is the operator's name when it was written as one, for EXPLAIN and deparsing.
	Op string
	// Variadic says that the last argument was given as VARIADIC array.
	Variadic bool
	// Defaults is how many of the last arguments are the function's defaults, which deparsing leaves out.
	Defaults int
	// Cast is 'e' or 'i' when the call is an explicit or implicit cast, 0 otherwise (deparsing).
	Cast byte
	// Syntax is how the call was written when not as a function (deparsing): the text of an SQL value function such as
	// "CURRENT_DATE", or SQLSyntax for EXTRACT(... FROM ...) and its kin.
	Syntax string
	// Cols is the column definition list of a function in FROM that returns "record".
	Cols []types.Field
	Loc  int32
}

// SQLSyntax marks a Call that was written in SQL's own syntax.
const SQLSyntax = "sql"

// And is a conjunction, Or a disjunction, of two or more booleans (three-valued).
type And struct{ Args []Expr }

// Or is a disjunction of two or more booleans (three-valued).
type Or struct{ Args []Expr }

// Not negates a boolean (NULL stays NULL).
type Not struct{ X Expr }

// IsNull is X IS [NOT] NULL; on a row value it looks at every field, as SQL says.
type IsNull struct {
	X   Expr
	Not bool
}

// BoolTest is X IS [NOT] TRUE, FALSE or UNKNOWN.
type BoolTest struct {
	X    Expr
	Want byte // 't' 'f' 'u'
	Not  bool
}

// Distinct is A IS [NOT] DISTINCT FROM B; Eq is the equality of the operand types.
type Distinct struct {
	A, B Expr
	Eq   *Proc
	Not  bool
}

// Case is a searched CASE; the simple form binds Arg once and refers to it by CaseArg in the conditions.
type Case struct {
	Arg   Expr // nil for the searched form
	Whens []When
	Else  Expr // nil: NULL
	T     *types.T
	Mod   int32
}

// When is one branch of a Case.
type When struct{ Cond, Then Expr }

// CaseArg is the value of the enclosing simple CASE's argument.
type CaseArg struct{ T *types.T }

// Coalesce is COALESCE.
type Coalesce struct {
	Args []Expr
	T    *types.T
}

// NullIf is NULLIF(A, B) with the equality that was resolved.
type NullIf struct {
	A, B Expr
	Eq   *Proc
}

// MinMax is GREATEST or LEAST.
type MinMax struct {
	Args     []Expr
	T        *types.T
	Greatest bool
}

// ScalarArray is A op ANY (array) or A op ALL (array); IN over a list of values is one with an ArrayExpr.
type ScalarArray struct {
	Op    *Proc
	Name  string // operator name
	Left  Expr
	Array Expr
	All   bool
}

// RowCompare is (a, b) < (c, d) and its kin; = and <> over rows become And/Or of comparisons at binding.
type RowCompare struct {
	Op          string // < <= > >=
	Left, Right []Expr
	Less, Equal []*Proc
}

// Array is ARRAY[...]; elements that are arrays of the same type make it multi-dimensional.
type Array struct {
	Elems []Expr
	T     *types.T
	Multi bool
}

// Row is ROW(...).
type Row struct {
	Elems []Expr
	T     *types.T
	Names []string
}

// Field is (X).name of a composite value, counted from 0.
type Field struct {
	X     Expr
	Index int
	Name  string
	T     *types.T
	Mod   int32
}

// Subscript is x[i], x[i:j] on an array or jsonb value. A nil bound of a slice is the array's own.
type Subscript struct {
	X       Expr
	Indexes []Index
	T       *types.T
	Mod     int32
}

// Index is one subscript; Upper alone for x[i], both for a slice.
type Index struct {
	Slice        bool
	Lower, Upper Expr
}

// Relabel changes the type without changing the value (binary-coercible cast, varchar to text).
type Relabel struct {
	X        Expr
	T        *types.T
	Mod      int32
	Implicit bool
}

// IOCast converts through text: output of X's type, input of T.
type IOCast struct {
	X        Expr
	T        *types.T
	Mod      int32
	Implicit bool
	Loc      int32
}

// ArrayCast converts every element; Elem is the conversion of one, which it sees as CaseArg.
type ArrayCast struct {
	X        Expr
	Elem     Expr
	T        *types.T
	Mod      int32
	Implicit bool
}

// ToDomain checks a value against a domain's NOT NULL and CHECK constraints, bound over CaseArg.
type ToDomain struct {
	X        Expr
	T        *types.T
	Checks   []DomainCheck
	Implicit bool
}

// DomainCheck is a bound CHECK of a domain.
type DomainCheck struct {
	Name string
	Cond Expr
}

// Collate fixes the collation. C, POSIX and the default one order by bytes; the others are ICU's, whose equality is that
// of bytes and whose order is that of sort keys: where order counts, the binder compares sort keys instead of texts.
type Collate struct {
	X    Expr
	Name string
	// Schema is that of a collation that is not built in, else "".
	Schema string
	// Key makes it the sort key of X, of type bytea, under the ICU locale Locale; Loose leaves out of it what tells texts
	// apart that the locale finds equal.
	Key    bool
	Loose  bool
	Locale string
	// Text goes with keys that are texts and contain X: with Key it makes one, alone it takes X out of one.
	Text bool
}

// Subquery is a subselect used as an expression. Plan is a *planner.Subplan, opaque here: the executor's compile hook
// knows it.
type Subquery struct {
	Kind SubqueryKind
	Plan any
	// Tests compares, for Any and All, the left side with the subquery's columns (which it sees as ColRef).
	Test Expr
	T    *types.T
	Mod  int32
	Not  bool // NOT EXISTS, NOT IN as one node after normalisation
}

// SubqueryKind is how a subquery is used.
type SubqueryKind uint8

// The kinds of a subquery expression.
const (
	SubScalar SubqueryKind = iota
	SubExists
	SubAny // x op ANY (SELECT ...), x IN (SELECT ...)
	SubAll
	SubArray // ARRAY(SELECT ...)
)

// Agg is an aggregate call. Binding collects them into an Aggregate node and leaves ColRefs in their place.
type Agg struct {
	Fn       *Proc
	Args     []Expr // direct arguments come first for WITHIN GROUP
	Direct   int
	Distinct bool
	OrderBy  []SortKey
	Filter   Expr // nil: none
	Star     bool
	Variadic bool
	T        *types.T
	Mod      int32
}

// WindowCall is a window function or an aggregate with OVER; binding collects them into a Window node.
type WindowCall struct {
	Fn     *Proc
	Args   []Expr
	Filter Expr
	Star   bool
	T      *types.T
	Mod    int32
	// Window is the index of its window definition in the query.
	Window int
}

// SortKey is an ORDER BY item.
type SortKey struct {
	X          Expr
	Desc       bool
	NullsFirst bool
	// Less is the ordering operator's procedure when USING gave another than the type's default; nil otherwise.
	Less *Proc
}

func (e *Const) Type() *types.T       { return e.T }
func (e *Param) Type() *types.T       { return e.T }
func (e *ColRef) Type() *types.T      { return e.T }
func (e *Call) Type() *types.T        { return e.T }
func (e *And) Type() *types.T         { return types.BoolT }
func (e *Or) Type() *types.T          { return types.BoolT }
func (e *Not) Type() *types.T         { return types.BoolT }
func (e *IsNull) Type() *types.T      { return types.BoolT }
func (e *BoolTest) Type() *types.T    { return types.BoolT }
func (e *Distinct) Type() *types.T    { return types.BoolT }
func (e *Case) Type() *types.T        { return e.T }
func (e *CaseArg) Type() *types.T     { return e.T }
func (e *Coalesce) Type() *types.T    { return e.T }
func (e *NullIf) Type() *types.T      { return e.A.Type() }
func (e *MinMax) Type() *types.T      { return e.T }
func (e *ScalarArray) Type() *types.T { return types.BoolT }
func (e *RowCompare) Type() *types.T  { return types.BoolT }
func (e *Array) Type() *types.T       { return e.T }
func (e *Row) Type() *types.T         { return e.T }
func (e *Field) Type() *types.T       { return e.T }
func (e *Subscript) Type() *types.T   { return e.T }
func (e *Relabel) Type() *types.T     { return e.T }
func (e *IOCast) Type() *types.T      { return e.T }
func (e *ArrayCast) Type() *types.T   { return e.T }
func (e *ToDomain) Type() *types.T    { return e.T }

// Type of a collated text is its own, of its sort key bytea.
func (e *Collate) Type() *types.T {
	switch {
	case e.Key && e.Text:
		return types.TextT
	case e.Key:
		return types.ByteaT
	}
	return e.X.Type()
}
func (e *Subquery) Type() *types.T   { return e.T }
func (e *Agg) Type() *types.T        { return e.T }
func (e *WindowCall) Type() *types.T { return e.T }

func (e *Const) Typmod() int32       { return e.Mod }
func (e *Param) Typmod() int32       { return e.Mod }
func (e *ColRef) Typmod() int32      { return e.Mod }
func (e *Call) Typmod() int32        { return e.Mod }
func (e *And) Typmod() int32         { return -1 }
func (e *Or) Typmod() int32          { return -1 }
func (e *Not) Typmod() int32         { return -1 }
func (e *IsNull) Typmod() int32      { return -1 }
func (e *BoolTest) Typmod() int32    { return -1 }
func (e *Distinct) Typmod() int32    { return -1 }
func (e *Case) Typmod() int32        { return e.Mod }
func (e *CaseArg) Typmod() int32     { return -1 }
func (e *Coalesce) Typmod() int32    { return commonTypmod(e.Args) }
func (e *NullIf) Typmod() int32      { return e.A.Typmod() }
func (e *MinMax) Typmod() int32      { return commonTypmod(e.Args) }
func (e *ScalarArray) Typmod() int32 { return -1 }
func (e *RowCompare) Typmod() int32  { return -1 }
func (e *Array) Typmod() int32       { return -1 }
func (e *Row) Typmod() int32         { return -1 }
func (e *Field) Typmod() int32       { return e.Mod }
func (e *Subscript) Typmod() int32   { return e.Mod }
func (e *Relabel) Typmod() int32     { return e.Mod }
func (e *IOCast) Typmod() int32      { return e.Mod }
func (e *ArrayCast) Typmod() int32   { return e.Mod }
func (e *ToDomain) Typmod() int32    { return e.T.BaseTypmod }
func (e *Collate) Typmod() int32     { return e.X.Typmod() }
func (e *Subquery) Typmod() int32    { return e.Mod }
func (e *Agg) Typmod() int32         { return e.Mod }
func (e *WindowCall) Typmod() int32  { return e.Mod }

// commonTypmod is the typmod that all arguments share, else -1.
func commonTypmod(args []Expr) int32 {
	mod := args[0].Typmod()
	for _, a := range args[1:] {
		if a.Typmod() != mod {
			return -1
		}
	}
	return mod
}
