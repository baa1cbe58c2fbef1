// Package planner turns a parsed statement into a plan: bind (names, types, coercions) -> normalize -> joins -> push ->
// finish. rules.go is the list of phases and rules, in order.
package planner

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// Col is an output column of a node.
type Col struct {
	ID   expr.ColID
	Name string
	Type *types.T
	Mod  int32
	// NotNull says that the column is provably never NULL at this node.
	NotNull bool
	// Table and Attnum are where the column comes from, for RowDescription; 0 for computed ones.
	Table  uint32
	Attnum int16
	// Collation is the name of the ICU collation that orders it, "" for the order of bytes.
	Collation string
}

// Node is a relational operator of a plan. It is immutable; rules make new ones.
type Node interface {
	// Cols are the output columns in order.
	Cols() []Col
	Inputs() []Node
	WithInputs([]Node) Node
}

// Scan reads a base table: Out[i] is column Attnums[i] of Rel. Attnum 0 is the whole row as a composite; negative ones are
// system columns (-1 ctid, -2 xmin, -3 cmin, -4 xmax, -5 cmax, -6 tableoid).
type Scan struct {
	Rel     *catalog.Relation
	Alias   string
	Attnums []int16
	Out     []Col
	// ForModify says that the row's document (with its _id) must come along for UPDATE, DELETE or row locking: its last
	// output column, of type DocT and with DocAttnum as its attnum, holds the raw document.
	ForModify bool
	// NullMisfits says that a stored value that does not fit its column reads as NULL.
	NullMisfits bool
	// Within are conditions that MongoDB may choose documents by, of a child table; they are evaluated again above.
	Within []expr.Expr
	// Inherit says that the rows of the table's children are wanted, too.
	Inherit bool
	// Sample is TABLESAMPLE's method and percentage; "" for none.
	Sample     string
	SampleArgs []expr.Expr
	Repeatable expr.Expr
}

// Pushed is a part of the plan that MongoDB runs: a base table's documents through a match filter, sort, limit and, when
// Group is set, a grouping. Out is read from the documents it returns. The executor builds the pipeline at execution,
// when parameters are known.
type Pushed struct {
	Scan *Scan
	// Filter are the conjuncts that MongoDB applies. Recheck are those of them whose MongoDB form lets too many rows
	// through: the executor applies them again.
	Filter  []expr.Expr
	Recheck []expr.Expr
	// NotPushed keeps the conditions that stayed local, with the reason, for EXPLAIN.
	NotPushed []NotPushed
	Sort      []expr.SortKey
	// Coarse says that the last sort key, a timestamp, orders by its milliseconds only.
	Coarse bool
	Limit  expr.Expr
	Offset expr.Expr
	Group  *PushedGroup
	Out    []Col
}

// NotPushed is a condition that stayed local and why.
type NotPushed struct {
	Cond expr.Expr
	Why  string
}

// PushedGroup is a GROUP BY that MongoDB computes.
type PushedGroup struct {
	Keys    []expr.Expr
	KeyCols []Col
	Aggs    []AggItem
	Having  []expr.Expr
}

// VirtualScan reads a system catalogue's table; with KeyValue it asks for one value of column Key.
type VirtualScan struct {
	Rel      *catalog.Relation
	Alias    string
	Attnums  []int16
	Out      []Col
	Key      string
	KeyValue expr.Expr
}

// Values is a list of rows.
type Values struct {
	Rows [][]expr.Expr
	Out  []Col
}

// FuncScan is functions in FROM: ROWS FROM (f, g) with the columns of each one after the other, missing rows NULL.
type FuncScan struct {
	Alias string
	Funcs []FuncItem
	// Ordinality adds a last column that counts rows from 1.
	Ordinality bool
	Out        []Col
}

// FuncItem is one function of a FuncScan; Cols is how many output columns it has. Call is any expression: one that does
// not return a set gives one row.
type FuncItem struct {
	Call      expr.Expr
	Cols      int
	Composite bool // the result is a record whose fields are the columns
}

// Filter keeps the rows for which every condition is true.
type Filter struct {
	Input Node
	Conds []expr.Expr
}

// Project computes the output columns; Exprs[i] gives Out[i].
type Project struct {
	Input Node
	Exprs []expr.Expr
	Out   []Col
}

// ProjectSet is a Project in which some expressions (or parts of them) return sets; the sets advance together, shorter
// ones padded with NULL.
type ProjectSet struct {
	Input Node
	Exprs []expr.Expr
	Out   []Col
}

// JoinKind is the kind of a join.
type JoinKind uint8

// The kinds of a join. Semi and Anti output the left side's columns only; AntiNull is NOT IN: it lets no row through once
// the right side has a NULL, nor a left row whose key is NULL unless the right side is empty.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	SemiJoin
	AntiJoin
	AntiNullJoin
)

// Join combines two inputs. With Lateral the right side refers to the left one's columns and runs again for each row.
type Join struct {
	Kind        JoinKind
	Left, Right Node
	On          []expr.Expr
	Lateral     bool
	// Equi are the hashable equalities split off from On by normalisation: Left[i] = Right[i].
	Equi []EquiKey
	// Lookup, when not nil, runs the join as batches of $in queries on the right side's Pushed scan.
	Lookup *LookupJoin
}

// EquiKey is one equality of a join.
type EquiKey struct {
	Left, Right expr.Expr
	Eq          *expr.Proc
}

// LookupJoin says how a join asks its right side by key: Equi[Key] compares with Column, of the right side's leaf, which
// leads the index named Index.
type LookupJoin struct {
	Key    int
	Column expr.Expr
	Index  string
	// Most is how many left rows are looked up before the whole right side is read instead.
	Most int
	// Limited says that few of the join's rows are read: the left rows are taken in small parts.
	Limited bool
	// Ordered says that the left rows' order must be kept: all are looked up, in parts, however many there are.
	Ordered bool
}

// Aggregate groups its input. Sets lists the grouping sets as indexes into Keys; nil means one set of all keys.
type Aggregate struct {
	Input Node
	Keys  []expr.Expr
	// KeyCols are the keys' output columns, then come the Aggs'; with Sets, keys that a set leaves out are NULL.
	KeyCols []Col
	Sets    [][]int
	// Grouping are GROUPING(...) calls: the output is a bit mask over Keys.
	Grouping []GroupingItem
	Aggs     []AggItem
}

// GroupingItem is one GROUPING(...) call; Keys are indexes into Aggregate.Keys.
type GroupingItem struct {
	Col  Col
	Keys []int
}

// AggItem is one aggregate of a grouping.
type AggItem struct {
	Col Col
	Agg *expr.Agg
}

// Window computes window functions over one partitioning and ordering.
type Window struct {
	Input     Node
	Partition []expr.Expr
	Order     []expr.SortKey
	Frame     Frame
	Funcs     []WindowItem
}

// WindowItem is one window function.
type WindowItem struct {
	Col  Col
	Call *expr.WindowCall
	Agg  *expr.Agg // when the function is an aggregate
}

// Frame is a window frame.
type Frame struct {
	Mode       byte // 'r' rows, 'v' range, 'g' groups
	Start, End Bound
	Exclude    byte // 0 no others, 'c' current row, 'g' group, 't' ties
	// InRange are in_range procedures' effective operators for RANGE with an offset: value + offset and value - offset.
	Plus, Minus *expr.Proc
}

// Bound is one end of a frame: 'p' unbounded preceding, '-' offset preceding, 'c' current row, '+' offset following,
// 'f' unbounded following.
type Bound struct {
	Kind   byte
	Offset expr.Expr
}

// Sort orders its input.
type Sort struct {
	Input Node
	Keys  []expr.SortKey
	// Presorted is by how many of the keys the input is ordered, by the last of them, a timestamp, to the millisecond.
	Presorted int
}

// Limit cuts its input; nil means no limit or no offset. WithTies keeps the peers of the last row under Keys.
type Limit struct {
	Input    Node
	Limit    expr.Expr
	Offset   expr.Expr
	WithTies bool
	Keys     []expr.SortKey
}

// Distinct removes duplicates: of whole rows, or of On (DISTINCT ON, over an input sorted to match, the first row wins).
type Distinct struct {
	Input Node
	On    []expr.Expr
}

// SetOpKind is the kind of a set operation.
type SetOpKind uint8

// The set operations.
const (
	Union SetOpKind = iota
	Intersect
	Except
)

// SetOp combines two inputs whose columns were coerced to the same types.
type SetOp struct {
	Kind        SetOpKind
	All         bool
	Left, Right Node
	Out         []Col
}

// CTE is a WITH query. Body reads it through CTEScan. A recursive one has the form Base UNION [ALL] Step, where Step reads
// the working table through a CTEScan with Working set. A CTE that modifies data runs to its end once, whether read or not.
type CTE struct {
	ID        int
	Name      string
	Recursive bool
	UnionAll  bool
	Base      Node // the query itself when not recursive
	Step      Node
	Modifies  bool
	// Materialized is 'a' for AS MATERIALIZED, 'n' for AS NOT MATERIALIZED, 0 for neither.
	Materialized byte
	Out          []Col
}

// With evaluates CTEs (each at most once, lazily unless it modifies data) for its body.
type With struct {
	CTEs []*CTE
	Body Node
}

// CTEScan reads a materialised CTE, or the working table of a recursive one.
type CTEScan struct {
	CTE     *CTE
	Working bool
	Out     []Col // Out[i] is column i of the CTE under this reference's own IDs
}

// LockRows is FOR UPDATE and its kin over scans with ForModify.
type LockRows struct {
	Input    Node
	Strength LockStrength
	Wait     LockWait
	// Docs are the columns of type DocT of the tables to lock, with their relations.
	Docs []LockTarget
	// Named has a column of each table and each subquery that the clause names.
	Named []expr.ColID
}

// LockTarget is a table whose rows LockRows locks.
type LockTarget struct {
	Rel *catalog.Relation
	Doc expr.ColID
	// Members are the tables that the rows may be of when that is not Rel alone; column TableOID tells them apart.
	Members  []*catalog.Relation
	TableOID expr.ColID
}

// LockStrength orders the row locks of PostgreSQL from weak to strong.
type LockStrength uint8

// The row locks.
const (
	ForKeyShare LockStrength = iota
	ForShare
	ForNoKeyUpdate
	ForUpdate
)

// LockWait is what to do with a row that is locked.
type LockWait uint8

// The ways to wait.
const (
	LockBlock LockWait = iota
	LockNoWait
	LockSkip
)

// Insert writes the rows of Source, whose columns are Targets in order (already coerced, defaults filled in).
type Insert struct {
	Rel *catalog.Relation
	// Members are the partitions that the rows go to when Rel is a partitioned table.
	Members []*catalog.Relation
	Source  Node
	Targets []int16
	// RowCols are the columns under which Returning, Checks, Generated and OnConflict see the new row, in attnum order of live columns.
	RowCols   []Col
	Generated []Assign // stored generated columns
	Checks    []Check
	Conflict  *Conflict
	Returning []expr.Expr
	Out       []Col
}

// Assign sets a column (or a path in a jsonb or array column, already folded into Value) to a value.
type Assign struct {
	Attnum int16
	Value  expr.Expr
}

// RowSource is the subquery of SET (a, b) = (SELECT ...), computed once a row as a record under Col, which the assignments
// then take apart.
type RowSource struct {
	Col Col
	X   expr.Expr
}

// Check is a bound CHECK constraint over RowCols.
type Check struct {
	Name string
	Cond expr.Expr
	Kind CheckKind
	// Holds says that all present rows fulfil it: it was not added as NOT VALID.
	Holds bool
}

// CheckKind is what a check is for; they are made in this order.
type CheckKind uint8

// The kinds of checks. A view's check option, unlike the others, fails for NULL.
const (
	CheckConstraint CheckKind = iota
	CheckPartition
	CheckView
)

// Conflict is ON CONFLICT. Indexes are the arbiters, nil for any unique index (DO NOTHING without a target).
type Conflict struct {
	Indexes []uint32
	// Update is nil for DO NOTHING. Its expressions see the existing row under OldCols and the proposed one under RowCols
	// (the table EXCLUDED).
	Update  []Assign
	OldCols []Col
	// Rows are computed before the assignments.
	Rows  []RowSource
	Where expr.Expr
	// Generated and Checks of the updated row, over OldCols after assignment.
	Generated []Assign
	Checks    []Check
}

// Update changes the rows of Source: a scan of Rel with ForModify, joined with FROM. Doc is the raw document's column,
// OldCols the present values (attnum order of live columns); NewCols are how Generated, Checks and Returning see the row
// after assignment. Source may yield a document twice: the first one wins.
type Update struct {
	Rel *catalog.Relation
	// Members are the tables that the rows may be of when that is not Rel alone; column TableOID tells them apart.
	Members   []*catalog.Relation
	TableOID  expr.ColID
	Source    Node
	Doc       expr.ColID
	OldCols   []Col
	Set       []Assign
	NewCols   []Col
	Generated []Assign
	Checks    []Check
	Returning []expr.Expr
	Out       []Col
	// Direct is how the change can be made without reading the row; nil if it cannot.
	Direct *DirectWrite
}

// Delete removes the rows of Source, which is as for Update. Returning sees OldCols and Source's other columns.
type Delete struct {
	Rel       *catalog.Relation
	Members   []*catalog.Relation // as Update's
	TableOID  expr.ColID
	Source    Node
	Doc       expr.ColID
	OldCols   []Col
	Returning []expr.Expr
	Out       []Col
	Direct    *DirectWrite
}

// Merge runs the first action that applies to each row of Source: a join of MERGE's source with a scan of Rel with ForModify.
// Doc and OldCols are as for Update, but NULL in a row that met no row of Rel. NewCols are how Generated and Checks see the
// new row of an INSERT or UPDATE.
type Merge struct {
	Rel       *catalog.Relation
	Source    Node
	Doc       expr.ColID
	OldCols   []Col
	NewCols   []Col
	Generated []Assign
	Checks    []Check
	Actions   []MergeAction
}

// MergeAction is a WHEN [NOT] MATCHED clause of MERGE; everything in it sees Source's columns. Set are the values of
// MergeInsert and the changes of MergeUpdate.
type MergeAction struct {
	Matched bool
	Kind    MergeKind
	When    []expr.Expr
	Rows    []RowSource
	Set     []Assign
}

// MergeKind is what a WHEN clause of MERGE does.
type MergeKind uint8

// The actions of MERGE.
const (
	MergeNothing MergeKind = iota
	MergeInsert
	MergeUpdate
	MergeDelete
)

// Result is one row without columns (SELECT without FROM), or none with Empty.
type Result struct{ Empty bool }

// DocAttnum stands for the raw document in Scan.Attnums.
const DocAttnum int16 = -32768

// DocT is the type of the raw document column that ForModify scans carry; it never reaches a client.
var DocT = &types.T{Name: "document", Schema: "pg_catalog", Kind: 'p', Rep: types.RepString}

// Subplan is the plan of an expr.Subquery.
type Subplan struct {
	Root Node
	// Outer are the columns of enclosing queries that it reads; none means that it runs once a statement.
	Outer []expr.ColID
	// Hashed says that an uncorrelated Any is answered from a hash table over its rows.
	Hashed bool
	// written is the subquery as it stands in the statement, and in the scope of level: a second one that is written alike
	// there is the same expression.
	written *pg_query.SubLink
	level   *scope
}

// Plan is a whole planned statement.
type Plan struct {
	Root Node
	// Tag is the command tag's verb: SELECT, INSERT, UPDATE, DELETE, MERGE.
	Tag    string
	Params []*types.T
	// Cols are the result's columns; nil for a statement that returns no rows.
	Cols []Col
	// NumCols is one more than the highest ColID in use.
	NumCols int
	// Relations are those read or written; Writes are those written.
	Relations, Writes []*catalog.Relation
	// Version is the catalog version the plan was made with.
	Version int64
	// Locks is set when the plan takes row locks.
	Locks bool
	// Routines are the user-defined functions that it calls.
	Routines []*catalog.Function
	// LargeObjects says that it calls functions of large objects.
	LargeObjects bool
	// Denied is the error of running the plan where the role lacks a privilege, nil where it has all. The plan itself is made:
	// a statement may be prepared before a privilege is granted.
	Denied error
}
