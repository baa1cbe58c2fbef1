package ddl

import (
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/catalog/indexkey"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// needsHidden reports whether the keys of an index must be computed and written into the documents, since no index over the
// fields enforces it: MongoDB's are checked at every write, know no expressions, and their partial filters only a few
// comparisons.
func needsHidden(rel *catalog.Relation, idx *catalog.Index, con *catalog.Constraint) bool {
	switch {
	case con != nil && (con.Type == catalog.ConExclude || con.Deferrable):
		return true
	case !idx.Unique:
		return false
	}
	for _, k := range idx.Keys {
		if k.Expr != "" || k.Loose != "" || !uniqueAble(rel.ByAttnum(k.Attnum).Type) {
			return true
		}
	}
	if idx.Where == "" {
		return false
	}
	conds, ok := PartialFilter(rel, idx)
	return !ok || slices.ContainsFunc(conds, func(c Condition) bool { return c.Op == "notnull" && !c.Column.NotNull && !keyColumn(idx, c.Column) })
}

// setLoose finds the keys of an index whose equality is a collation's.
func (r *run) setLoose(rel *catalog.Relation, idx *catalog.Index) {
	for i := range idx.Keys {
		k := &idx.Keys[i]
		coll := k.Collation
		if c := rel.ByAttnum(k.Attnum); c != nil && coll == 0 {
			coll = c.Collation
		}
		k.Loose = ""
		if c := r.snap().CollationByOID(coll); c != nil && !c.Deterministic {
			k.Loose = c.Locale
		}
	}
}

// keyColumn reports whether a column is a key of an index, whose NULLs are missing fields.
func keyColumn(idx *catalog.Index, c *catalog.Column) bool {
	return !idx.NullsNotDistinct && slices.ContainsFunc(idx.Keys, func(k catalog.IndexKey) bool { return k.Attnum == c.Attnum })
}

// keyOf prepares the computation of an index's keys; nil without a binder.
func (r *run) keyOf(rel *catalog.Relation, idx *catalog.Index) (*indexkey.Key, error) {
	if r.c.Exprs == nil {
		return nil, nil
	}
	return indexkey.New(rel, idx, func(rel *catalog.Relation, text string, want *types.T) (expr.Expr, expr.Layout, error) {
		e, err := r.c.Exprs.Bind(r.snap(), rel, text, want, -1)
		l := expr.Layout{}
		for i := range rel.Live() {
			l[expr.ColID(i)] = i
		}
		return e, l, err
	})
}

// buildIndex orders what makes an index of a table that may have rows.
func (r *run) buildIndex(rel *catalog.Relation, idx *catalog.Index) error {
	if idx.Hidden != "" {
		key, err := r.keyOf(rel, idx)
		if err != nil {
			return err
		}
		r.do(BuildKeys{Table: rel, Index: idx, Key: key})
	}
	r.do(CreateIndex{Table: rel, Index: idx})
	return nil
}

// dropIndex orders what removes an index; with shared, the one over the fields serves another index, too.
func (r *run) dropIndex(rel *catalog.Relation, idx *catalog.Index, shared bool) {
	if idx.MongoName != "" && idx.MongoName != "_id_" && !shared {
		r.do(DropIndex{Table: rel, Index: idx})
	}
	if idx.Hidden != "" {
		r.do(DropKeys{Table: rel, Index: idx}, ClearField{Table: rel, Path: []string{document.KeysField, idx.Hidden}})
	}
}

// remapIndex gives an index whose columns, predicate or constraint have changed a new form in MongoDB, and orders the
// building of it and the removal of the old one. The relation is changed.
func (r *run) remapIndex(rel *catalog.Relation, old, idx *catalog.Index, con *catalog.Constraint) (*catalog.Relation, error) {
	b := &tableBuild{r: r, rel: rel}
	was := *old
	rel.Indexes = slices.DeleteFunc(slices.Clone(rel.Indexes), func(i *catalog.Index) bool { return i.OID == old.OID })
	idx.MongoName, idx.Hidden = "", ""
	if err := b.mapIndex(idx, con); err != nil {
		return nil, err
	}
	if idx.MongoName != "" && idx.MongoName == was.MongoName {
		idx.MongoName += "~" + itoa(int(r.newOID(rel.Schema)))
	}
	b.rel.Indexes = append(b.rel.Indexes, idx)
	slices.SortFunc(b.rel.Indexes, func(x, y *catalog.Index) int { return int(int64(x.OID) - int64(y.OID)) })
	b.put()
	shared := slices.ContainsFunc(b.rel.Indexes, func(i *catalog.Index) bool { return i.MongoName == was.MongoName })
	before := r.before.RelationByOID(rel.OID) // what a rollback builds the index of again
	if before == nil {
		before = rel
	}
	r.dropIndex(before, &was, shared)
	return b.rel, r.buildIndex(b.rel, idx)
}
