package pgcatalog

import (
	"context"
	"testing"

	"github.com/cockroachdb/apd/v3"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/expr/fn"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
)

func emptyView() *catalog.View {
	s := catalog.New("db", 5, System())
	return &catalog.View{Snapshot: s, SearchPath: s.SearchPath([]string{"$user", "public"}, "postgres", ""), User: "postgres"}
}

// fits reports whether a datum has the representation that its column's type demands.
func fits(t *types.T, d types.Datum) bool {
	if d.IsNull() {
		return true
	}
	t = t.BaseType()
	switch t.Rep {
	case types.RepString:
		return len(d.Str()) > 0 || d == types.Str("")
	case types.RepRef:
		switch d.Ref().(type) {
		case *types.Array:
			return t.Elem != nil || t.Name == "anyarray"
		case *types.Inet, *types.Interval, *apd.Decimal:
			return true
		}
		return false
	}
	return d.Ref() == types.Int(0).Ref()
}

func TestEveryRelationHasRowsOfItsShape(t *testing.T) {
	v := emptyView()
	rels := v.Snapshot.SystemRelations()
	if len(rels) != 208 {
		t.Errorf("%d relations, PostgreSQL 15 has 208", len(rels))
	}
	for _, r := range rels {
		if r.Virtual == nil {
			if _, err := sql.Parse(r.View); err != nil {
				t.Errorf("%s.%s: %v", r.Schema, r.Name, err)
			}
			continue
		}
		n := 0
		err := r.Virtual.Rows(context.Background(), v, nil, func(row []types.Datum) error {
			n++
			if len(row) != len(r.Columns) {
				t.Fatalf("%s: row of %d columns, want %d", r.Name, len(row), len(r.Columns))
			}
			for i, c := range r.Columns {
				if row[i].IsNull() && c.NotNull {
					t.Fatalf("%s.%s is NULL", r.Name, c.Name)
				}
				if !fits(c.Type, row[i]) {
					t.Fatalf("%s.%s: %T does not represent %s", r.Name, c.Name, row[i].Ref(), c.Type.Name)
				}
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", r.Name, err)
		}
		for _, k := range r.Virtual.Keys {
			checkKey(t, v, r, k)
		}
	}
}

// checkKey compares what a key finds with what a filter over all rows would.
func checkKey(t *testing.T, v *catalog.View, r *catalog.Relation, key string) {
	t.Helper()
	col := r.Column(key)
	if col == nil {
		t.Errorf("%s has no key column %s", r.Name, key)
		return
	}
	pos := col.Attnum - 1
	all := map[any]int{}
	values := map[any]types.Datum{}
	collect := func(row []types.Datum) error {
		k := hashKey(col.Type, row[pos])
		all[k]++
		values[k] = row[pos]
		return nil
	}
	if err := r.Virtual.Rows(context.Background(), v, nil, collect); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for k, d := range values {
		if tried++; tried > 50 {
			break
		}
		n := 0
		err := r.Virtual.Rows(context.Background(), v, &catalog.Key{Column: key, Value: d}, func(row []types.Datum) error {
			if hashKey(col.Type, row[pos]) == k {
				n++
			}
			return nil
		})
		if err != nil || n != all[k] {
			t.Errorf("%s.%s = %v: %d rows by key, %d by filter (%v)", r.Name, key, k, n, all[k], err)
		}
	}
}

func TestFunctionsAgreeWithPgProc(t *testing.T) {
	expr.NewProcs(append(fn.All(), Functions()...)...) // panics when both implement one row
	p := expr.NewProcs(Functions()...)
	n := 0
	for _, f := range p.All() {
		if f.Impl != nil {
			n++
			if f.RetSet != (f.Impl.Set != nil) {
				t.Errorf("%s: returns a set: %v", f.Name, f.RetSet)
			}
		}
	}
	if n < 300 {
		t.Errorf("only %d functions", n)
	}
}
