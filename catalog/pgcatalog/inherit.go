package pgcatalog

import (
	"context"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// indexKind is relkind of a table's indexes.
func indexKind(r *catalog.Relation) byte {
	if r.Kind == catalog.KindPartitioned {
		return 'I'
	}
	return 'i'
}

// partBound is pg_class.relpartbound, whose text pg_get_expr gives back.
func partBound(r *catalog.Relation) datum {
	if r.Bound == nil {
		return types.Null
	}
	return text(r.Bound.Text)
}

func inheritsRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	link := func(child, parent uint32, n int) error {
		return yield([]types.Datum{oid(child), oid(parent), num(n), types.False})
	}
	if o, ok := keyOID(key, "inhrelid"); ok {
		if ix, ok := v.Snapshot.IndexByOID(o); ok && !isSystem(ix.Table) {
			if ix.Index.Parent != 0 {
				return link(o, ix.Index.Parent, 1)
			}
			return nil
		}
	}
	return oneOrEach(v.Snapshot, key, "inhrelid", func(r *catalog.Relation) error {
		for i, p := range r.Inherits {
			if err := link(r.OID, p, i+1); err != nil {
				return err
			}
		}
		if key != nil {
			return nil
		}
		for _, ix := range r.Indexes {
			if ix.Parent != 0 {
				if err := link(ix.OID, ix.Parent, 1); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func partitionedRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	return oneOrEach(v.Snapshot, key, "partrelid", func(r *catalog.Relation) error {
		if r.Partition == nil {
			return nil
		}
		var attnums, classes, collations []types.Datum
		var exprs []string
		for _, k := range r.Partition.Keys {
			attnums, classes, collations = append(attnums, num(int(k.Attnum))), append(classes, oid(k.OpClass)), append(collations, oid(k.Collation))
			if k.Attnum == 0 {
				exprs = append(exprs, k.Expr)
			}
		}
		def := uint32(0)
		for _, o := range r.Children {
			if c := v.Snapshot.RelationByOID(o); c != nil && c.Bound != nil && c.Bound.Default {
				def = o
			}
		}
		text := types.Null
		if exprs != nil {
			text = types.Str(strings.Join(exprs, ", "))
		}
		return yield([]types.Datum{
			oid(r.OID), char(r.Partition.Strategy), num(len(r.Partition.Keys)), oid(def), vector(types.Int2T, attnums), vector(types.OidT, classes),
			vector(types.OidT, collations), text,
		})
	})
}

// partitionKey is pg_get_partkeydef.
func partitionKey(r *catalog.Relation) string {
	word := map[byte]string{'r': "RANGE", 'l': "LIST", 'h': "HASH"}[r.Partition.Strategy]
	keys := make([]string, len(r.Partition.Keys))
	for i, k := range r.Partition.Keys {
		switch {
		case k.Attnum > 0:
			keys[i] = quote(r.ByAttnum(k.Attnum).Name)
		case strings.HasSuffix(k.Expr, ")") && !strings.HasPrefix(k.Expr, "("):
			keys[i] = k.Expr // a function call
		default:
			keys[i] = "(" + k.Expr + ")"
		}
	}
	return word + " (" + strings.Join(keys, ", ") + ")"
}
