package store

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/ddl"
	"github.com/pgmongo/pgmongo/catalog/document"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/mongo"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// checkRows verifies a NOT NULL or CHECK constraint over all rows that the transaction sees.
func (w *worker) checkRows(ctx context.Context, x ddl.CheckRows) error {
	rel := x.Table
	if w.fresh[rel.Collection] {
		return nil
	}
	rd := newReader(rel)
	all := mongo.Query{Database: w.database, Collection: rel.Collection, Filter: bson.D{}}
	if x.NotNull != nil {
		pos := -1
		for i, c := range rd.live {
			if c.Attnum == x.NotNull.Attnum {
				pos = i
			}
		}
		if x.NotNull.Missing.IsNull() {
			all.Filter = bson.D{{Key: pathOf(x.NotNull), Value: nil}} // null or missing
		}
		return w.each(ctx, all, func(doc bson.Raw) error {
			row, err := rd.read(doc)
			if err != nil {
				return err
			}
			if row[pos].IsNull() && x.Value != nil {
				return pgerr.New(pgerr.NotNullViolation, "column \"%s\" of table \"%s\" contains null values", x.NotNull.Name, rel.Name).
					WithColumn(rel.Schema, rel.Name, x.NotNull.Name)
			}
			if row[pos].IsNull() {
				return pgerr.New(pgerr.NotNullViolation, "column \"%s\" of relation \"%s\" contains null values", x.NotNull.Name, rel.Name).
					WithColumn(rel.Schema, rel.Name, x.NotNull.Name)
			}
			return nil
		})
	}
	if x.Cond == nil {
		return nil
	}
	layout := rd.layout()
	if x.Value != nil {
		layout = expr.Layout{0: slices.IndexFunc(rd.live, func(c *catalog.Column) bool { return c.Attnum == x.Value.Attnum })}
	}
	cond, err := expr.Compile(x.Cond, layout)
	if err != nil {
		return err
	}
	return w.each(ctx, all, func(doc bson.Raw) error {
		row, err := rd.read(doc)
		if err != nil {
			return err
		}
		ok, err := cond(w.env, row)
		if err != nil {
			return err
		}
		if !ok.IsNull() && !ok.Bool() && x.Value != nil {
			return pgerr.New(pgerr.CheckViolation, "column \"%s\" of table \"%s\" contains values that violate the new constraint", x.Value.Name, rel.Name).
				WithColumn(rel.Schema, rel.Name, x.Value.Name)
		}
		if !ok.IsNull() && !ok.Bool() {
			if x.Message != "" {
				return pgerr.New(pgerr.CheckViolation, "%s", x.Message).WithTable(rel.Schema, rel.Name)
			}
			return pgerr.New(pgerr.CheckViolation, "check constraint \"%s\" of relation \"%s\" is violated by some row", x.Name, rel.Name).
				WithConstraint(rel.Schema, rel.Name, x.Name)
		}
		return nil
	})
}

// checkForeignKey verifies that every row's reference exists. It looks the referenced rows up in batches.
func (w *worker) checkForeignKey(ctx context.Context, x ddl.CheckForeignKey) error {
	if w.fresh[x.Table.Collection] {
		return nil
	}
	f := &foreignCheck{worker: w, x: x, reader: newReader(x.Table)}
	for _, n := range x.Constraint.Columns {
		for i, c := range f.reader.live {
			if c.Attnum == n {
				f.cols = append(f.cols, i)
			}
		}
	}
	err := w.each(ctx, mongo.Query{Database: w.database, Collection: x.Table.Collection, Filter: bson.D{}}, func(doc bson.Raw) error {
		row, err := f.reader.read(doc)
		if err != nil {
			return err
		}
		return f.add(ctx, row)
	})
	if err != nil {
		return err
	}
	return f.flush(ctx)
}

const foreignBatch = 500

type foreignCheck struct {
	*worker
	x      ddl.CheckForeignKey
	reader *reader
	cols   []int // positions of the referencing columns
	keys   []foreignKey
	seen   map[string]bool
}

type foreignKey struct {
	text   string
	filter bson.D
	id     string
}

func (f *foreignCheck) add(ctx context.Context, row []types.Datum) error {
	var k foreignKey
	var ids, texts []string
	nulls := 0
	for i, p := range f.cols {
		d := row[p]
		if d.IsNull() {
			nulls++
			texts = append(texts, "null")
			continue
		}
		ref := f.x.Referenced.ByAttnum(f.x.Constraint.RefColumns[i])
		v, err := referencedValue(f.reader.live[p], ref, d)
		if err != nil {
			return err
		}
		k.filter = append(k.filter, bson.E{Key: pathOf(ref), Value: v})
		if ref.Micros {
			us := any(nil)
			if _, rest := types.SplitMicros(d.Int()); rest != 0 {
				us = rest
			}
			k.filter = append(k.filter, bson.E{Key: document.MicrosField + "." + document.MicrosKey(ref), Value: us})
		}
		text := string(types.Output(types.DefaultIO(), f.reader.live[p].Type, nil, d))
		ids, texts = append(ids, text), append(texts, text)
	}
	if nulls > 0 && (f.x.Constraint.Match != 'f' || nulls == len(f.cols)) {
		return nil
	}
	if nulls > 0 {
		return pgerr.New(pgerr.ForeignKeyViolation, "insert or update on table \"%s\" violates foreign key constraint \"%s\"", f.x.Table.Name, f.x.Constraint.Name).
			WithDetail("MATCH FULL does not allow mixing of null and nonnull key values.").WithConstraint(f.x.Table.Schema, f.x.Table.Name, f.x.Constraint.Name)
	}
	k.id, k.text = strings.Join(ids, "\x00"), strings.Join(texts, ", ")
	if f.seen[k.id] {
		return nil
	}
	if f.seen == nil || len(f.seen) > 100_000 {
		f.seen = map[string]bool{}
	}
	f.seen[k.id] = true
	f.keys = append(f.keys, k)
	if len(f.keys) >= foreignBatch {
		return f.flush(ctx)
	}
	return nil
}

// referencedValue is a referencing value in the stored form of the referenced column.
func referencedValue(from, ref *catalog.Column, d types.Datum) (bson.RawValue, error) {
	if from.Type == ref.Type {
		return document.ColumnValue(ref, d)
	}
	return document.ColumnValue(from, d) // numbers and texts compare across types
}

func (f *foreignCheck) flush(ctx context.Context) error {
	for _, k := range f.keys {
		cursor, err := f.stmt.Read(ctx, mongo.Query{Database: f.database, Collection: f.x.Referenced.Collection, Filter: k.filter, Limit: 1})
		if err != nil {
			return err
		}
		_, err = cursor.Next(ctx)
		if cerr := cursor.Close(ctx); cerr != nil {
			return errors.Join(err, cerr)
		}
		if errors.Is(err, io.EOF) {
			return f.violated(k)
		}
		if err != nil {
			return err
		}
	}
	f.keys = f.keys[:0]
	return nil
}

func (f *foreignCheck) violated(k foreignKey) error {
	var cols []string
	for _, p := range f.cols {
		cols = append(cols, f.reader.live[p].Name)
	}
	rel, con := f.x.Table, f.x.Constraint
	return pgerr.New(pgerr.ForeignKeyViolation, "insert or update on table \"%s\" violates foreign key constraint \"%s\"", rel.Name, con.Name).
		WithDetail("Key (%s)=(%s) is not present in table \"%s\".", strings.Join(cols, ", "), k.text, f.x.Referenced.Name).
		WithConstraint(rel.Schema, rel.Name, con.Name)
}
