package store

import (
	"context"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// indexInfo is MongoDB's form of an index. partial forces a unique index to leave out documents without its fields.
func indexInfo(rel *catalog.Relation, idx *catalog.Index, partial bool) (mongo.IndexInfo, error) {
	ix := mongo.IndexInfo{Name: idx.MongoName, Unique: idx.UniqueFields()}
	var filter bson.D
	for _, k := range idx.Keys {
		col := rel.ByAttnum(k.Attnum)
		path := strings.Join(col.Path, ".")
		for _, key := range col.Path {
			if key == "" || key[0] == '$' || strings.Contains(key, ".") {
				return ix, pgerr.Unsupported("an index on a column whose field name has dots or begins with $")
			}
		}
		dir := int32(1)
		if k.Desc {
			dir = -1
		}
		if slices.ContainsFunc(ix.Keys, func(e bson.E) bool { return e.Key == path }) {
			continue // (a, b, a) orders as (a, b) does, and MongoDB takes a field once
		}
		ix.Keys = append(ix.Keys, bson.E{Key: path, Value: dir})
		if ix.Unique && col.Micros {
			// Two instants within a millisecond differ in the remainder only.
			ix.Keys = append(ix.Keys, bson.E{Key: document.MicrosField + "." + document.MicrosKey(col), Value: dir})
		}
		if ix.Unique && !idx.NullsNotDistinct && (!col.NotNull || partial) {
			filter = append(filter, bson.E{Key: path, Value: bson.D{{Key: "$exists", Value: true}}})
		}
	}
	if ix.Unique && idx.Where != "" {
		conds, ok := ddl.PartialFilter(rel, idx)
		if !ok {
			return ix, pgerr.Internal("the predicate of the index %s", idx.Name)
		}
		var err error
		if filter, err = partialFilter(filter, conds); err != nil {
			return ix, err
		}
	}
	if len(filter) > 0 {
		raw, err := bson.Marshal(filter)
		if err != nil {
			return ix, pgerr.Internal("index filter: %w", err)
		}
		ix.Partial = raw
	}
	return ix, nil
}

// partialFilter adds the conditions of a predicate to the filter of a partial index.
func partialFilter(filter bson.D, conds []ddl.Condition) (bson.D, error) {
	var and bson.A
	for _, e := range filter {
		and = append(and, bson.D{e})
	}
	for _, c := range conds {
		path := strings.Join(c.Column.Path, ".")
		var v any
		switch c.Op {
		case "null":
			v = nil
		case "notnull":
			if !c.Column.NullMissing && !c.Column.NotNull {
				return nil, pgerr.Unsupported("a unique index WHERE " + c.Column.Name + " IS NOT NULL")
			}
			v = bson.D{{Key: "$exists", Value: true}}
		default:
			raw, err := document.ColumnValue(c.Column, c.Value)
			if err != nil {
				return nil, err
			}
			v = bson.D{{Key: map[string]string{"=": "$eq", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}[c.Op], Value: raw}}
		}
		and = append(and, bson.D{{Key: path, Value: v}})
	}
	if len(and) == 1 {
		return and[0].(bson.D), nil
	}
	return bson.D{{Key: "$and", Value: and}}, nil
}

// buildIndex creates an index, outside transactions.
func (s *Store) buildIndex(ctx context.Context, database string, rel *catalog.Relation, idx *catalog.Index, partial bool) error {
	ix, err := indexInfo(rel, idx, partial)
	if err != nil {
		return err
	}
	err = s.client.CreateIndex(ctx, database, rel.Collection, ix)
	if err == nil || !pgerr.Is(err, pgerr.UniqueViolation) {
		return err
	}
	e := pgerr.New(pgerr.UniqueViolation, "could not create unique index \"%s\"", idx.Name).WithConstraint(rel.Schema, rel.Name, idx.Name)
	if detail := duplicateKey(rel, idx, err); detail != "" {
		e = e.WithDetail("%s", detail)
	}
	return e
}

// duplicateKey words the key that a server error names as PostgreSQL does.
func duplicateKey(rel *catalog.Relation, idx *catalog.Index, err error) string {
	se := mongo.AsServerError(err)
	if se == nil || se.KeyValue == nil {
		return ""
	}
	var cols, vals []string
	for _, k := range idx.Keys {
		col := rel.ByAttnum(k.Attnum)
		v, lerr := se.KeyValue.LookupErr(strings.Join(col.Path, "."))
		if lerr != nil {
			return ""
		}
		d, cerr := types.FromBSON(col.Type, v)
		if cerr != nil {
			return ""
		}
		text := "null"
		if !d.IsNull() {
			text = string(types.Output(types.DefaultIO(), col.Type, nil, d))
		}
		cols, vals = append(cols, col.Name), append(vals, text)
	}
	return "Key (" + strings.Join(cols, ", ") + ")=(" + strings.Join(vals, ", ") + ") is duplicated."
}
