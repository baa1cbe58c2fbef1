// Package indexkey computes the keys of indexes that MongoDB cannot compute itself: over expressions, over types whose
// equality is not MongoDB's, under predicates that its partial indexes do not know, and of constraints that are checked
// later than at the write. pgmongo writes such a key into the document that it is the key of (document.KeysField), where
// an index of MongoDB holds it.
//
// What the index of MongoDB does for a constraint:
//
//   - UNIQUE that is checked at once: the index is unique, and the key is written together with the row.
//   - UNIQUE DEFERRABLE: the index is unique, too. A change of the key takes it out of the document, and the check, at
//     the end of the statement or of the transaction, puts the new one in: that is when MongoDB finds duplicates, also
//     those of transactions that are open at the same time, whichever proxy they come through.
//   - EXCLUDE: the key is what the elements with the operator = say, and finds the rows to compare with. That no two
//     transactions add conflicting rows at a time is seen to by locks and guards (see the executor).
//
// Writers that do not come through pgmongo leave no keys: their rows are not in these indexes.
package indexkey

import (
	"crypto/sha256"
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Binder binds an expression of the catalogue over the row of a relation, with the layout of that row.
type Binder func(rel *catalog.Relation, text string, want *types.T) (expr.Expr, expr.Layout, error)

// Key computes the keys of one index from rows: datums of the table's live columns in attnum order.
type Key struct {
	Index *catalog.Index
	// Constraint is the one that the index serves, nil for none.
	Constraint *catalog.Constraint
	// Types are those of the elements, Names what describes them in errors: lower(name).
	Types []*types.T
	Names []string

	elems []expr.Eval
	where expr.Eval // nil for none
	// stored tells which elements are part of the stored key.
	stored []bool
	// loose are the collators of elements whose equality is a nondeterministic collation's, nil for others.
	loose []*types.Collator
	// ops are an exclusion constraint's operators, over a row of two values.
	ops []expr.Eval
}

// New prepares an index of a relation.
func New(rel *catalog.Relation, ix *catalog.Index, bind Binder) (*Key, error) {
	k := &Key{Index: ix, Constraint: rel.ConstraintOf(ix)}
	for _, e := range ix.Keys {
		if err := k.element(rel, e, bind); err != nil {
			return nil, err
		}
	}
	if ix.Where != "" {
		e, l, err := bind(rel, ix.Where, types.BoolT)
		if err != nil {
			return nil, err
		}
		if k.where, err = expr.Compile(e, l); err != nil {
			return nil, err
		}
	}
	if !k.Exclusion() {
		return k, nil
	}
	for i, name := range k.Constraint.Operators {
		if err := k.operator(i, name, bind); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func (k *Key) element(rel *catalog.Relation, e catalog.IndexKey, bind Binder) error {
	k.stored, k.loose = append(k.stored, true), append(k.loose, nil)
	if e.Loose != "" {
		coll := types.NewCollator(e.Loose)
		if coll == nil {
			return pgerr.Unsupported("a unique index under ICU locale " + e.Loose)
		}
		k.loose[len(k.loose)-1] = coll
	}
	if c := rel.ByAttnum(e.Attnum); c != nil {
		pos := 0
		for _, o := range rel.Live() {
			if o.Attnum == e.Attnum {
				break
			}
			pos++
		}
		k.Types, k.Names = append(k.Types, c.Type), append(k.Names, types.QuoteIdent(c.Name))
		k.elems = append(k.elems, func(_ *expr.Env, row []types.Datum) (types.Datum, error) { return row[pos], nil })
		return nil
	}
	x, l, err := bind(rel, e.Expr, nil)
	if err != nil {
		return err
	}
	eval, err := expr.Compile(x, l)
	if err != nil {
		return err
	}
	name := expr.Deparse(x, expr.DeparseOptions{Pretty: true})
	if !sql.IsFunctionCall(e.Expr) {
		name = "(" + name + ")"
	}
	k.Types, k.Names, k.elems = append(k.Types, x.Type()), append(k.Names, name), append(k.elems, eval)
	return nil
}

func (k *Key) operator(i int, name string, bind Binder) error {
	t := k.Types[i]
	two := &catalog.Relation{Name: "pair", Kind: catalog.KindTable, Columns: []*catalog.Column{
		{Attnum: 1, Name: "a", Type: t, Typmod: -1, Path: []string{"a"}}, {Attnum: 2, Name: "b", Type: t, Typmod: -1, Path: []string{"b"}},
	}}
	x, l, err := bind(two, "a "+name+" b", types.BoolT)
	if err != nil {
		return err
	}
	op, err := expr.Compile(x, l)
	if err != nil {
		return err
	}
	k.ops = append(k.ops, op)
	k.stored[i] = name == "=" && types.Sortable(t)
	return nil
}

// Exclusion reports whether the key is an exclusion constraint's.
func (k *Key) Exclusion() bool { return k.Constraint != nil && k.Constraint.Type == catalog.ConExclude }

// Deferrable reports whether the constraint is checked after the write.
func (k *Key) Deferrable() bool { return k.Constraint != nil && k.Constraint.Deferrable }

// Of returns the key of a row; ok is false when the row is in nobody's way, because the index leaves it out or a NULL in
// its key makes it unlike every other.
func (k *Key) Of(env *expr.Env, row []types.Datum) (key []types.Datum, ok bool, err error) {
	if k.where != nil {
		v, err := k.where(env, row)
		if err != nil || v.IsNull() || !v.Bool() {
			return nil, false, err
		}
	}
	key = make([]types.Datum, len(k.elems))
	for i, e := range k.elems {
		if key[i], err = e(env, row); err != nil {
			return nil, false, err
		}
		if key[i].IsNull() && !k.Index.NullsNotDistinct {
			return nil, false, nil
		}
	}
	return key, true, nil
}

// Stored key forms: the encoded key, or its hash when it is long. That two keys have one SHA-256 is not to be expected.
const (
	shortKey = 0
	hashKey  = 1
	longest  = 200
)

// Fold returns a key in the form in which equal keys are the same bytes: texts under a nondeterministic collation become
// their sort keys.
func (k *Key) Fold(key []types.Datum) []types.Datum {
	var out []types.Datum
	for i, d := range key {
		if k.loose[i] == nil || d.IsNull() {
			continue
		}
		if out == nil {
			out = slices.Clone(key)
		}
		out[i] = types.Str(string(k.loose[i].LooseKey(d.Str())))
	}
	if out == nil {
		return key
	}
	return out
}

// Stored returns what documents hold for a key. Rows whose stored keys are the same are duplicates in a unique index.
func (k *Key) Stored(key []types.Datum) bson.RawValue { return k.StoredFolded(k.Fold(key)) }

// StoredFolded is Stored of a key that Fold gave.
func (k *Key) StoredFolded(key []types.Datum) bson.RawValue {
	b := make([]byte, 5, 32)
	b = append(b, shortKey)
	for i, d := range key {
		switch {
		case k.stored[i] && k.loose[i] != nil:
			b = types.AppendKey(b, types.TextT, d) // whatever the column's type: bpchar would lose spaces
		case k.stored[i]:
			b = types.AppendKey(b, k.Types[i], d)
		}
	}
	if len(b) > longest {
		sum := sha256.Sum256(b[6:])
		b = append(append(b[:5], hashKey), sum[:]...)
	}
	n := len(b) - 5
	b[0], b[1], b[2], b[3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
	return bson.RawValue{Type: bson.TypeBinary, Value: b}
}

// Conflict reports whether two keys of an exclusion constraint exclude each other.
func (k *Key) Conflict(env *expr.Env, a, b []types.Datum) (bool, error) {
	pair := make([]types.Datum, 2)
	for i, op := range k.ops {
		pair[0], pair[1] = a[i], b[i]
		v, err := op(env, pair)
		if err != nil || v.IsNull() || !v.Bool() {
			return false, err
		}
	}
	return true, nil
}

// Describe prints a key as errors show it: (lower(name))=(x).
func (k *Key) Describe(io *types.IO, key []types.Datum) string {
	out := []byte{'('}
	for i, n := range k.Names {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = append(out, n...)
	}
	out = append(out, ")=("...)
	for i, d := range key {
		if i > 0 {
			out = append(out, ", "...)
		}
		if d.IsNull() {
			out = append(out, "null"...)
		} else {
			out = types.Output(io, k.Types[i], out, d)
		}
	}
	return string(append(out, ')'))
}

// Duplicate is the 23505 error of a row whose key another one has.
func (k *Key) Duplicate(io *types.IO, rel *catalog.Relation, key []types.Datum) *pgerr.Error {
	return pgerr.New(pgerr.UniqueViolation, "duplicate key value violates unique constraint %q", k.Index.Name).
		WithDetail("Key %s already exists.", k.Describe(io, key)).WithConstraint(rel.Schema, rel.Name, k.Index.Name)
}

// NewField names the field of an index's stored keys, by a number that no other index ever has.
func NewField(oid uint32) string { return strconv.FormatUint(uint64(oid), 10) }

// MongoName is the name in MongoDB of the index over an index's stored keys.
func MongoName(ix *catalog.Index) string { return "_x." + ix.Hidden }
