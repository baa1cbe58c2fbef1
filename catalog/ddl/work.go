package ddl

import (
	"context"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/indexkey"
	"github.com/pgmongo/pgmongo/expr"
)

// Physical does what a DDL statement needs from MongoDB and keeps the catalogue's documents, in the session's
// transaction: what fails or is rolled back leaves nothing behind.
type Physical interface {
	// Apply writes the difference between two snapshots to the catalogue and does the work, in order. It fails with the
	// error of the first work that fails: 23505 for a unique index over duplicates, 23514, 23502, 23503 for a row that
	// violates a constraint. env evaluates the expressions of the work.
	Apply(ctx context.Context, env *expr.Env, before, after *catalog.Snapshot, work []Work) error
	// NextVersion numbers the catalogues that this process sees: plans are cached by it.
	NextVersion() int64
	// FreeOID returns an OID, next or above, from which on none was given to an object: not in transactions that were undone
	// since either, whose OIDs clients and checks of constraints may still know. UsedOIDs notes that those below next are given.
	FreeOID(next uint32) uint32
	UsedOIDs(next uint32)
	// Empty reports whether a table has no rows that the transaction sees.
	Empty(ctx context.Context, rel *catalog.Relation) (bool, error)
	// HoldsObjectIDs reports whether the first document with a field at a path has an ObjectId there.
	HoldsObjectIDs(ctx context.Context, rel *catalog.Relation, path []string) (bool, error)
	// CollectionTaken reports whether a collection of that name exists or is about to be dropped.
	CollectionTaken(ctx context.Context, name string) (bool, error)
}

// Work is one thing that MongoDB has to do for a DDL statement.
type Work interface{ work() }

// CreateCollection makes the collection of a new table, with the indexes that the table has.
type CreateCollection struct{ Table *catalog.Relation }

// DropCollection removes a table's collection after commit.
type DropCollection struct{ Table *catalog.Relation }

// CreateIndex builds an index over the table's present rows.
type CreateIndex struct {
	Table *catalog.Relation
	Index *catalog.Index
}

// BuildKeys writes the keys of an index with Index.Hidden into the documents of a table and builds the index over them. It
// fails with 23505 or 23P01 when the rows there violate the constraint.
type BuildKeys struct {
	Table *catalog.Relation
	Index *catalog.Index
	Key   *indexkey.Key
}

// DropKeys removes the index over such keys after commit; ClearField removes the keys.
type DropKeys struct {
	Table *catalog.Relation
	Index *catalog.Index
}

// DropIndex removes an index after commit; Now removes it at once, before an index that replaces it is built.
type DropIndex struct {
	Table *catalog.Relation
	Index *catalog.Index
}

// Truncate removes all rows of a table, in the transaction.
type Truncate struct{ Table *catalog.Relation }

// CreateSequence makes a sequence's state; DropSequence removes it after commit; ResetSequence sets it.
type CreateSequence struct{ Sequence *catalog.Relation }

// DropSequence removes a sequence's state after commit.
type DropSequence struct{ Sequence *catalog.Relation }

// ResetSequence makes a sequence give Value next. It is undone by a rollback.
type ResetSequence struct {
	Sequence *catalog.Relation
	Value    int64
}

// ClearField removes a dropped column's field from all documents: after commit, or at once in the transaction, since a
// new column is about to have that field.
type ClearField struct {
	Table *catalog.Relation
	Path  []string
	Now   bool
}

// UnsetNulls removes fields that hold null from the documents of a table, since a unique index is about to cover them
// (NULLs are distinct: a missing field is not in the index). FillMissing writes a column's Missing value where the field
// is missing, for the opposite reason.
type UnsetNulls struct {
	Table  *catalog.Relation
	Column *catalog.Column
}

// FillMissing writes the value of documents that lack a column's field.
type FillMissing struct {
	Table  *catalog.Relation
	Column *catalog.Column
}

// Rewrite computes columns anew in all rows: Old reads the documents; Sets are written under New's columns.
type Rewrite struct {
	Old, New *catalog.Relation
	Sets     []RewriteSet
}

// RewriteSet computes one column of New from a row of Old: by an expression (ColIDs count Old's live columns), or from a
// new sequence.
type RewriteSet struct {
	Attnum   int16
	Value    expr.Expr
	Sequence *catalog.Relation
}

// CheckRows verifies that every row of a table meets a condition: a CHECK constraint (Cond, over the table's live
// columns), or NOT NULL of a column.
type CheckRows struct {
	Table *catalog.Relation
	// Name is the constraint's name; Cond its condition.
	Name string
	Cond expr.Expr
	// NotNull names the column that must have no NULL, nil for a CHECK.
	NotNull *catalog.Column
	// Value is set for a domain's constraint, of which Cond knows the value alone: the column that it is checked in.
	Value *catalog.Column
	// Message is the whole error text of a partition's bound, "" for the others.
	Message string
}

// CheckForeignKey verifies that every row of the table has its referenced row.
type CheckForeignKey struct {
	Table, Referenced *catalog.Relation
	Constraint        *catalog.Constraint
}

func (CreateCollection) work() {}
func (DropCollection) work()   {}
func (CreateIndex) work()      {}
func (DropIndex) work()        {}
func (BuildKeys) work()        {}
func (DropKeys) work()         {}
func (Truncate) work()         {}
func (CreateSequence) work()   {}
func (DropSequence) work()     {}
func (ResetSequence) work()    {}
func (ClearField) work()       {}
func (UnsetNulls) work()       {}
func (FillMissing) work()      {}
func (Rewrite) work()          {}
func (CheckRows) work()        {}
func (CheckForeignKey) work()  {}
