package pgcatalog

import (
	"errors"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// commentFunctions read pg_description and pg_shdescription.
func commentFunctions() []expr.Impl {
	b := &builder{}
	b.add("obj_description", viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
		if len(a) == 1 {
			return comment(e, v, oidOf(a[0]), 0, 0)
		}
		class, ok := catalogByName(v.Snapshot, a[1].Str())
		if !ok {
			return types.Null, nil
		}
		return comment(e, v, oidOf(a[0]), class, 0)
	}))
	b.add("col_description", viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
		return comment(e, v, oidOf(a[0]), classCatalog, int(a[1].Int()))
	}))
	b.add("shobj_description", viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
		class, ok := catalogByName(v.Snapshot, a[1].Str())
		if !ok {
			return types.Null, nil
		}
		return firstText(func(yield func([]datum) error) error {
			return sharedDescriptionRows(e.Ctx, v, nil, func(row []datum) error {
				if oidOf(row[0]) == oidOf(a[0]) && oidOf(row[1]) == class {
					return yield(row[2:])
				}
				return nil
			})
		})
	}))
	return b.out
}

func catalogByName(s *catalog.Snapshot, name string) (uint32, bool) {
	r := s.RelationIn("pg_catalog", name)
	if r == nil {
		return 0, false
	}
	return r.OID, true
}

type describedObject struct {
	obj, class uint32
	sub        int
}

// dumpedComments are the built-in objects' comments.
var dumpedComments = sync.OnceValue(func() map[describedObject]string {
	m := map[describedObject]string{}
	f := newCells("pg_description")
	for _, row := range f.Rows {
		c := f.row(row)
		m[describedObject{c.oid("objoid"), classOIDs[c.str("class")], int(c.oid("objsubid"))}] = c.str("description")
	}
	return m
})

// comment looks a comment up; class 0 means any catalogue.
func comment(e env, v *catalog.View, obj, class uint32, sub int) (datum, error) {
	if class != 0 {
		if s, ok := dumpedComments()[describedObject{obj, class, sub}]; ok {
			return text(s), nil
		}
	} else {
		for _, k := range classOIDs {
			if s, ok := dumpedComments()[describedObject{obj, k, sub}]; ok {
				return text(s), nil
			}
		}
	}
	return firstText(func(yield func([]datum) error) error {
		return descriptionRows(e.Ctx, v, &catalog.Key{Column: "objoid", Value: oid(obj)}, func(row []datum) error {
			if (class == 0 || oidOf(row[1]) == class) && int(row[2].Int()) == sub {
				return yield(row[3:])
			}
			return nil
		})
	})
}

var errFound = errors.New("found")

// firstText returns the first cell of the first row, NULL if there is none.
func firstText(rows func(yield func([]datum) error) error) (datum, error) {
	out := types.Null
	err := rows(func(row []datum) error {
		out = row[0]
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) {
		return types.Null, err
	}
	return out, nil
}
