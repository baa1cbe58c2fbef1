// Package catalog holds what exists in one database: schemas, relations, constraints, indexes, sequences, types,
// functions and roles, as immutable snapshots, and the changes that DDL makes to them. It knows nothing of MongoDB's
// driver; catalog/store keeps snapshots in MongoDB, catalog/infer reads the schema of collections that others own, and
// catalog/pgcatalog and catalog/infoschema show all of it as PostgreSQL's system catalogues.
package catalog

import (
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/types"
)

// RelKind is pg_class.relkind.
type RelKind byte

// The kinds of a relation.
const (
	KindTable     RelKind = 'r'
	KindView      RelKind = 'v'
	KindMatView   RelKind = 'm'
	KindSequence  RelKind = 'S'
	KindIndex     RelKind = 'i'
	KindComposite RelKind = 'c'
	// KindPartitioned is a table whose rows are in its partitions.
	KindPartitioned RelKind = 'p'
)

// Schema is a namespace. Public tables live in collections of their own name, other schemas' in "schema.table".
type Schema struct {
	OID     uint32
	Name    string
	Owner   uint32
	Comment string
	ACL     ACL
}

// WithTypesOf returns the relation with the types of a snapshot: those of its own are made anew in every one, and a table may
// have a column of another's row type; a lasting type may have been altered since.
func (r *Relation) WithTypesOf(snap *Snapshot) *Relation {
	var n *Relation
	for i, col := range r.Columns {
		t := snap.TypeByOID(col.Type.OID)
		if t == nil || t == col.Type {
			continue
		}
		if n == nil {
			n = r.Clone()
		}
		c := *col
		c.Type = t
		n.Columns[i] = &c
	}
	if n == nil {
		return r
	}
	return n
}

// Relation is a table, view, materialised view, sequence or composite type. Indexes are kept at their table.
type Relation struct {
	OID      uint32
	SchemaID uint32
	Schema   string
	Name     string
	Kind     RelKind
	Owner    uint32
	// Persistence is 'p' permanent, 't' temporary, 'u' unlogged.
	Persistence byte
	// Columns in attnum order, dropped ones included: Columns[i].Attnum == i+1.
	Columns     []*Column
	Constraints []*Constraint
	Indexes     []*Index
	// Collection is the MongoDB collection that holds the rows.
	Collection string
	// Inferred is true for a collection that others own: its columns were read from data, not declared.
	Inferred bool
	// Native is true for a collection that others made, also after SQL has declared its columns: their documents hold what no
	// column says, and lack a field rather than having null there.
	Native bool
	// Collated says that the collection compares strings by a collation of its own unless a query says otherwise.
	Collated bool
	// Capped says that the collection is of a fixed size: MongoDB reads it without snapshots, and writes it without transactions.
	Capped bool
	// Parent names the inferred relation whose array Unwind (a field path) this virtual child table shows.
	Parent uint32
	Unwind []string
	// View is the SELECT text of a view or materialised view, as PostgreSQL would print it.
	View string
	// Uses are the OIDs of the relations that a view's definition reads, for DROP and for renaming.
	Uses []uint32
	// UsesColumns are the columns of them that it names.
	UsesColumns []ColumnUse
	// Base is what an automatically updatable view writes to; nil for other relations and views of no single table.
	Base *ViewBase
	// Inherits are the tables whose columns it has, by INHERITS or as a partition; Children are those that have its own, in the
	// order in which they are read: partitions by their bounds.
	Inherits, Children []uint32
	// Partition is how a partitioned table finds a row's partition.
	Partition *PartitionKey
	// Bound is a partition's part of its parent, nil for other tables.
	Bound *PartitionBound
	// NotPopulated says that a materialised view has no rows to show until it is refreshed.
	NotPopulated bool
	// Sequence holds a sequence's parameters.
	Sequence *Sequence
	// Virtual is set for the system catalogues' tables: their rows are computed.
	Virtual *Virtual
	RowType uint32 // OID of the composite type of its rows
	Array   uint32 // OID of that type's array
	Options []string
	Comment string
	ACL     ACL
	// Triggers are the table's triggers.
	Triggers []*Trigger
	// OnCommit is what ON COMMIT does to a temporary table: 'd' delete rows, 'D' drop, 0 preserve rows.
	OnCommit byte
	// ReadOnly is set for MongoDB's views and time series, which pgmongo reads as tables but does not write.
	ReadOnly bool
	// byName finds live columns; built by Snapshot.
	byName map[string]*Column
}

// MismatchOption is the storage parameter that comes before the setting pgmongo.on_type_mismatch for one table.
const MismatchOption = "on_type_mismatch"

// NullMisfits reports whether a stored value that does not fit its column reads as NULL; setting is the session's choice.
func (r *Relation) NullMisfits(setting bool) bool {
	for _, o := range r.Options {
		if v, ok := strings.CutPrefix(o, MismatchOption+"="); ok {
			return v == "null"
		}
	}
	return setting
}

// PartitionKey is PARTITION BY; Strategy is 'r' range, 'l' list or 'h' hash.
type PartitionKey struct {
	Strategy byte
	Keys     []IndexKey
}

// PartitionBound is FOR VALUES.
type PartitionBound struct {
	Default bool
	// Text is the clause as PostgreSQL prints it.
	Text string
	// Check is the condition that a row of the parent belongs here, over the columns' names.
	Check string
	// In are the values of a list, NULL among them when In has it; Lower and Upper a range's ends; Modulus and Remainder a
	// hash's.
	In                 []BoundValue
	Lower, Upper       []BoundValue
	Modulus, Remainder int32
}

// BoundValue is a value of a bound: the text of a constant, NULL, or with Infinite -1 MINVALUE and 1 MAXVALUE.
type BoundValue struct {
	Text     string
	Null     bool
	Infinite int8
}

// IsTable reports whether the relation is a table, partitioned or not.
func (r *Relation) IsTable() bool { return r.Kind == KindTable || r.Kind == KindPartitioned }

// Inheritors are a relation and all tables below it, in the order in which they are read.
func (s *Snapshot) Inheritors(r *Relation) []*Relation {
	out := []*Relation{r}
	seen := map[uint32]bool{r.OID: true}
	for i := 0; i < len(out); i++ {
		var below []*Relation
		for _, o := range out[i].Children {
			if c := s.RelationByOID(o); c != nil && !seen[o] {
				seen[o] = true
				below = append(below, c)
			}
		}
		if out[i].Kind == KindPartitioned {
			out = slices.Insert(out, i+1, below...) // depth first: the rows come in the order of the bounds
		} else {
			out = append(out, below...)
		}
	}
	return out
}

// Storing are those of the inheritors of a relation that have rows of their own.
func (s *Snapshot) Storing(r *Relation) []*Relation {
	return slices.DeleteFunc(s.Inheritors(r), func(c *Relation) bool { return c.Kind == KindPartitioned })
}

// Ancestors are the partitioned tables that a partition belongs to, the nearest first.
func (s *Snapshot) Ancestors(r *Relation) []*Relation {
	var out []*Relation
	for r != nil && r.Bound != nil && len(r.Inherits) > 0 {
		if r = s.RelationByOID(r.Inherits[0]); r != nil {
			out = append(out, r)
		}
	}
	return out
}

// ColumnUse names a column of another relation.
type ColumnUse struct {
	Relation uint32
	Attnum   int16
}

// ViewBase is what makes a view updatable, or why it is not.
type ViewBase struct {
	// Relation is the table or view that it selects from.
	Relation uint32
	// Reason says, in PostgreSQL's words, why nothing can be written through the view; "" when it can.
	Reason string
	// Columns are, for each column of the view, the base column that it shows: an attnum, 0 for the whole row, a negative one
	// for a system column, NotColumn for a computed value.
	Columns []int16
}

// NotColumn stands for a computed column in ViewBase.Columns.
const NotColumn int16 = -32768

// Writable reports whether some column of the view shows a column of its base.
func (b *ViewBase) Writable() bool {
	return slices.ContainsFunc(b.Columns, func(n int16) bool { return n > 0 })
}

// Updatable are the kinds of writes that a relation allows, by PostgreSQL's bits: 4 UPDATE, 8 INSERT, 16 DELETE. attnum
// restricts the answer to one column, 0 to none.
func (s *Snapshot) Updatable(r *Relation, attnum int16) int {
	const all = 28
	switch {
	case r.ReadOnly, len(r.Unwind) > 0:
		return 0
	case r.Capped:
		return 8
	case r.IsTable():
		return all
	case r.Kind != KindView || r.Base == nil || r.Base.Reason != "":
		return 0
	}
	base := s.RelationByOID(r.Base.Relation)
	if base == nil {
		return 0
	}
	at := int16(0)
	events := all
	if attnum > 0 {
		if int(attnum) > len(r.Base.Columns) || r.Base.Columns[attnum-1] <= 0 {
			return 16
		}
		at = r.Base.Columns[attnum-1]
	} else if !r.Base.Writable() {
		events = 16
	}
	return events & s.Updatable(base, at)
}

// Column is one attribute of a relation.
type Column struct {
	Attnum  int16
	Name    string
	Type    *types.T
	Typmod  int32
	NotNull bool
	// Default is SQL text as PostgreSQL would print it, "" for none. For a generated column it is the expression.
	Default   string
	Generated byte // 's' stored, 0
	Identity  byte // 'a' always, 'd' by default, 0
	Dropped   bool
	Collation uint32
	Comment   string
	ACL       ACL
	// Path is where the value is in a document: ["_id"], ["name"], ["address", "city"].
	Path []string
	// Missing is the value of documents that lack the field (ADD COLUMN ... DEFAULT), NULL otherwise.
	Missing types.Datum
	// NullMissing says that NULL is written as a missing field, because a unique index covers the column.
	NullMissing bool
	// Micros says that a timestamp keeps its microseconds in the hidden field _us.<name>.
	Micros bool
	// Form says how the value is kept where the type alone does not say it (ObjectId, mixed types, ...).
	Form Form
	// MayArray says that sampling saw arrays in this scalar column, so that a match needs a guard.
	MayArray bool
	// MayDouble says that sampling saw doubles in this column of numerics: MongoDB compares their exact values with decimals, so
	// that the double 0.1 is not 0.1.
	MayDouble bool
	// Inherited says that a parent has the column, too; Local that the table's own definition does as well.
	Inherited, Local bool
	// OwnedSequence is the OID of the sequence behind serial or identity, 0 for none.
	OwnedSequence uint32
}

// Named reports whether MongoDB's queries can name the column's field: not one with a dot in its name, or a leading dollar.
func (c *Column) Named() bool {
	return !slices.ContainsFunc(c.Path, func(key string) bool { return key == "" || key[0] == '$' || strings.Contains(key, ".") })
}

// Form is a storage form that differs from the one the type implies.
type Form uint8

// The storage forms.
const (
	FormNatural  Form = iota // what the type implies
	FormObjectID             // text of 24 hex digits over a BSON ObjectId
	FormAny                  // jsonb over values of any BSON type
	FormElement              // the array element itself, in a child table
	FormOrdinal              // the element's position, in a child table
)

// Constraint kinds, as in pg_constraint.contype.
const (
	ConPrimary = 'p'
	ConUnique  = 'u'
	ConForeign = 'f'
	ConCheck   = 'c'
	ConExclude = 'x'
)

// Constraint is a table constraint. NOT NULL is Column.NotNull.
type Constraint struct {
	OID  uint32
	Name string
	Type byte
	// Columns are attnums of the table.
	Columns []int16
	// Index is the OID of the index behind a primary key, unique or exclusion constraint, or the one a foreign key refers to.
	Index uint32
	// Check is the SQL text of a CHECK expression, as PostgreSQL would print it.
	Check string
	// RefRelation and RefColumns are what a foreign key refers to; actions are 'a' no action, 'r' restrict, 'c' cascade,
	// 'n' set null, 'd' set default; Match is 's' simple or 'f' full.
	RefRelation        uint32
	RefColumns         []int16
	OnUpdate, OnDelete byte
	Match              byte
	SetColumns         []int16 // ON DELETE SET NULL (columns)
	Deferrable         bool
	InitiallyDeferred  bool
	NotValid           bool
	NoInherit          bool
	Operators          []string // an exclusion constraint's
	Comment            string
	// Parent is the parent's constraint that it was made for, 0 for none; Inherited says that a parent has it, too.
	Parent    uint32
	Inherited bool
	// ChildOff and ParentOff say that DISABLE TRIGGER ALL holds for the table that a foreign key belongs to or refers to:
	// the first's rows are not checked, the second's changes have no consequences.
	ChildOff, ParentOff bool
}

// Index is an index of a table.
type Index struct {
	OID     uint32
	Name    string
	Method  string // btree, hash, gin, gist ... as declared
	Unique  bool
	Primary bool
	// NullsNotDistinct makes NULLs equal in a unique index.
	NullsNotDistinct bool
	Keys             []IndexKey
	Include          []int16
	// Where is the predicate's SQL text, "" for none.
	Where string
	// MongoName is the index's name in MongoDB; "" while it has none (the server has nothing that serves it).
	MongoName string
	// Hidden names the field of document.KeysField that keeps a key which pgmongo computes, "" for none; see catalog/indexkey.
	// It has an index of its own in MongoDB; one of name MongoName then only helps to find rows.
	Hidden  string
	Options []string
	Comment string
	Invalid bool
	// Parent is the index of the partitioned table that it is a part of, 0 for none.
	Parent uint32
}

// UniqueFields reports whether the index over the documents' fields enforces uniqueness.
func (i *Index) UniqueFields() bool { return i.Unique && i.Hidden == "" }

// IndexKey is a column (Attnum > 0) or an expression (SQL text) of an index.
type IndexKey struct {
	Attnum     int16
	Expr       string
	OpClass    uint32 // OID
	OpClassSet bool   // the class was named and is not the default
	Collation  uint32
	// Loose is the ICU locale of a nondeterministic collation, by whose equality texts are duplicates; "" for all others.
	Loose      string
	Desc       bool
	NullsFirst bool
}

// Sequence holds a sequence's parameters; its state is in MongoDB.
type Sequence struct {
	Type                              *types.T
	Start, Increment, Min, Max, Cache int64
	Cycle                             bool
	OwnedBy                           uint32 // relation OID, 0 for none
	OwnedAttnum                       int16
	Identity                          bool
}

// Trigger is a row of pg_trigger that calls a function of this database.
type Trigger struct {
	OID      uint32
	Name     string
	Function uint32
	Type     int16 // pg_trigger.tgtype bits
	Columns  []int16
	When     string
	Args     []string
	Enabled  byte
	// Constraint makes it a constraint trigger; OldTable and NewTable are the names of its transition tables.
	Constraint, Deferrable, InitiallyDeferred bool
	OldTable, NewTable                        string
	// Referenced is the table that a constraint trigger names with FROM.
	Referenced uint32
	Comment    string
}

// Bits of pg_trigger.tgtype.
const (
	TriggerRow      = 1
	TriggerBefore   = 2
	TriggerInsert   = 4
	TriggerDelete   = 8
	TriggerUpdate   = 16
	TriggerTruncate = 32
	TriggerInstead  = 64
)

// Row reports whether the trigger runs for each row.
func (t *Trigger) Row() bool { return t.Type&TriggerRow != 0 }

// Before reports whether it runs before the change.
func (t *Trigger) Before() bool { return t.Type&TriggerBefore != 0 }

// Instead reports whether it runs instead of the change.
func (t *Trigger) Instead() bool { return t.Type&TriggerInstead != 0 }

// InsteadOf reports whether the relation is a view with a trigger that runs instead of INSERT, UPDATE or DELETE.
func (r *Relation) InsteadOf(op string) bool {
	return r.Kind == KindView && slices.ContainsFunc(r.Triggers, func(t *Trigger) bool { return t.Instead() && t.On(op) })
}

// On reports whether it runs on INSERT, UPDATE, DELETE or TRUNCATE.
func (t *Trigger) On(op string) bool {
	switch op {
	case "INSERT":
		return t.Type&TriggerInsert != 0
	case "UPDATE":
		return t.Type&TriggerUpdate != 0
	case "DELETE":
		return t.Type&TriggerDelete != 0
	case "TRUNCATE":
		return t.Type&TriggerTruncate != 0
	}
	return false
}

// Function is a user-defined function or procedure.
type Function struct {
	OID                    uint32
	SchemaID               uint32
	Schema, Name           string
	Kind                   byte // prokind
	Args                   []FunctionArg
	Ret                    *types.T
	RetSet, Strict, SecDef bool
	Volatile, Parallel     byte
	Language, Source       string
	// Library is the shared library (probin) that has the symbol Source, for LANGUAGE c.
	Library string
	// Body is the text of an SQL-standard body (RETURN expression, BEGIN ATOMIC ... END), "" for one in Source.
	Body       string
	Cost, Rows float64
	Settings   []string
	Comment    string
	Owner      uint32
	ACL        ACL
}

// Internal is the language of functions whose code is the server's own: those that make the ranges of a range type.
const Internal = "internal"

// FunctionArg is an argument of a user-defined function; Mode is 'i' 'o' 'b' 'v' or 't'.
type FunctionArg struct {
	Name    string
	Type    *types.T
	Mode    byte
	Default string
}

// Role is a row of pg_authid.
type Role struct {
	OID                                                                 uint32
	Name                                                                string
	Super, Inherit, CreateRole, CreateDB, Login, Replication, BypassRLS bool
	ConnLimit                                                           int32
	Password                                                            string // SCRAM verifier
	ValidUntil                                                          string
	MemberOf                                                            []Membership
	Comment                                                             string
}
