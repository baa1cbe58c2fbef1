package pgcatalog

import (
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
)

// amProperties are what each index access method can do.
var amProperties = map[string]struct{ order, unique, multicol, exclude, include, backward, clusterable, array, nulls, distance bool }{
	"btree":  {order: true, unique: true, multicol: true, exclude: true, include: true, backward: true, clusterable: true, array: true, nulls: true},
	"hash":   {exclude: true, backward: true},
	"gist":   {multicol: true, exclude: true, include: true, clusterable: true, nulls: true, distance: true},
	"gin":    {multicol: true},
	"spgist": {exclude: true, include: true, nulls: true, distance: true},
	"brin":   {multicol: true, nulls: true},
	"bloom":  {multicol: true},
}

func indexFunctions() []expr.Impl {
	b := &builder{}
	b.add("pg_indexam_has_property", func(_ env, a []datum) (datum, error) {
		name := opclassFacts().amName[oidOf(a[0])]
		p, ok := amProperties[name]
		if !ok {
			return types.Null, nil
		}
		switch strings.ToLower(a[1].Str()) {
		case "can_order":
			return types.Bool(p.order), nil
		case "can_unique":
			return types.Bool(p.unique), nil
		case "can_multi_col":
			return types.Bool(p.multicol), nil
		case "can_exclude":
			return types.Bool(p.exclude), nil
		case "can_include":
			return types.Bool(p.include), nil
		}
		return types.Null, nil
	})
	b.add("pg_index_has_property", scoped(func(c scope, a []datum) (datum, error) {
		ix, ok := c.s.IndexByOID(oidOf(a[0]))
		if !ok {
			return types.Null, nil
		}
		name := amName(ix.Index.Method)
		p := amProperties[name]
		switch strings.ToLower(a[1].Str()) {
		case "clusterable":
			return types.Bool(p.clusterable), nil
		case "index_scan":
			return types.Bool(name != "gin" && name != "brin"), nil
		case "bitmap_scan":
			return types.True, nil
		case "backward_scan":
			return types.Bool(p.backward), nil
		}
		return types.Null, nil
	}))
	b.add("pg_index_column_has_property", scoped(indexColumnProperty))
	return b.out
}

func indexColumnProperty(c scope, a []datum) (datum, error) {
	ix, ok := c.s.IndexByOID(oidOf(a[0]))
	n := int(a[1].Int())
	if !ok || n < 1 || n > len(ix.Index.Keys)+len(ix.Index.Include) {
		return types.Null, nil
	}
	name := amName(ix.Index.Method)
	p := amProperties[name]
	prop := strings.ToLower(a[2].Str())
	if n > len(ix.Index.Keys) { // an INCLUDE column has no order and cannot be searched for
		switch prop {
		case "returnable":
			return types.Bool(name == "btree"), nil
		case "orderable", "distance_orderable", "search_array", "search_nulls":
			return types.False, nil
		}
		return types.Null, nil
	}
	k := ix.Index.Keys[n-1]
	ordered := func(yes bool) (datum, error) {
		if !p.order {
			return types.Null, nil
		}
		return types.Bool(yes), nil
	}
	switch prop {
	case "asc":
		return ordered(!k.Desc)
	case "desc":
		return ordered(k.Desc)
	case "nulls_first":
		return ordered(k.NullsFirst)
	case "nulls_last":
		return ordered(!k.NullsFirst)
	case "orderable":
		return types.Bool(p.order), nil
	case "distance_orderable":
		return types.Bool(false), nil
	case "returnable":
		return types.Bool(name == "btree"), nil
	case "search_array":
		return types.Bool(p.array), nil
	case "search_nulls":
		return types.Bool(p.nulls), nil
	}
	return types.Null, nil
}

// objectFunctions describe any object of the database.
func objectFunctions() []expr.Impl {
	b := &builder{}
	b.add("pg_describe_object", scoped(func(c scope, a []datum) (datum, error) {
		o := c.identify(oidOf(a[0]), oidOf(a[1]), int(a[2].Int()))
		if o.kind == "" {
			return types.Null, nil
		}
		return text(o.describe()), nil
	}))
	b.add("pg_identify_object", scoped(func(c scope, a []datum) (datum, error) {
		o := c.identify(oidOf(a[0]), oidOf(a[1]), int(a[2].Int()))
		ts := []*types.T{types.TextT, types.TextT, types.TextT, types.TextT}
		if o.kind == "" {
			return record(ts, []datum{types.Null, types.Null, types.Null, types.Null}), nil
		}
		return record(ts, []datum{text(o.kind), textOrNull(quoteOrEmpty(o.schema)), textOrNull(quoteOrEmpty(o.name)), text(o.identity)}), nil
	}))
	return b.out
}

func quoteOrEmpty(s string) string {
	if s == "" {
		return ""
	}
	return quote(s)
}

// object is how an object is identified: name is empty where the schema and name alone do not identify it.
type object struct {
	kind, schema, name, identity string
	column, table, shown         string
}

func (o object) describe() string {
	switch o.kind {
	case "table column", "view column":
		return "column " + o.column + " of " + strings.TrimSuffix(o.kind, " column") + " " + o.table
	case "table constraint":
		return "constraint " + o.column + " on table " + o.table
	case "default value":
		return "default value for column " + o.column + " of table " + o.table
	case "trigger":
		return "trigger " + o.column + " on table " + o.table
	case "rule":
		return "rule " + o.column + " on view " + o.table
	}
	return o.kind + " " + o.shown
}

var relationKinds = map[catalog.RelKind]string{
	catalog.KindTable: "table", catalog.KindView: "view", catalog.KindMatView: "materialized view", catalog.KindSequence: "sequence", catalog.KindComposite: "composite type",
}

func (c scope) identify(class, o uint32, sub int) object {
	switch class {
	case classCatalog:
		return c.identifyRelation(o, sub)
	case typeCatalog:
		if t := c.s.TypeByOID(o); t != nil {
			return object{kind: "type", schema: t.Schema, name: t.Name, identity: c.typeName(t, -1), shown: c.typeName(t, -1)}
		}
	case procCatalog:
		if p := c.proc(o); p != nil {
			return object{
				kind: map[byte]string{'a': "aggregate", 'p': "procedure"}[p.kind] + pickString(p.kind != 'a' && p.kind != 'p', "function"), schema: p.schema,
				identity: qualified(p.schema, p.name) + strings.TrimPrefix(c.procSignature(p), strings.SplitN(c.procSignature(p), "(", 2)[0]), shown: c.procSignature(p),
			}
		}
	case constraintCatalog:
		if k, ok := c.s.ConstraintByOID(o); ok {
			table, _ := c.relationName(k.Table.OID)
			return object{
				kind: "table constraint", schema: k.Table.Schema, identity: quote(k.Constraint.Name) + " on " + qualified(k.Table.Schema, k.Table.Name),
				column: k.Constraint.Name, table: table,
			}
		}
	case attrdefCatalog:
		if rel, att, ok := madeOwner(c.s, o); ok {
			if r := c.s.RelationByOID(rel); r != nil && r.ByAttnum(int16(att)) != nil {
				col := r.ByAttnum(int16(att)).Name
				table, _ := c.relationName(rel)
				return object{kind: "default value", identity: "for " + qualified(r.Schema, r.Name) + "." + quote(col), column: quote(col), table: table}
			}
		}
	case rewriteCatalog:
		if rel, _, ok := madeOwner(c.s, o); ok {
			if r := c.s.RelationByOID(rel); r != nil {
				table, _ := c.relationName(rel)
				return object{kind: "rule", identity: "\"_RETURN\" on " + qualified(r.Schema, r.Name), column: "_RETURN", table: table}
			}
		}
	case 2612:
		for name, l := range languages() {
			if l == o {
				return object{kind: "language", name: name, identity: quote(name), shown: name}
			}
		}
	case extensionCatalog:
		for _, e := range c.s.Extensions() {
			if e.OID == o {
				return object{kind: "extension", name: e.Name, identity: quote(e.Name), shown: e.Name}
			}
		}
	case namespaceCatalog:
		if s := c.s.SchemaByOID(o); s != nil {
			return object{kind: "schema", name: s.Name, identity: quote(s.Name), shown: s.Name}
		}
	case authidCatalog:
		if r := c.s.RoleByOID(o); r != nil {
			return object{kind: "role", name: r.Name, identity: quote(r.Name), shown: r.Name}
		}
	}
	return object{}
}

func pickString(cond bool, s string) string {
	if cond {
		return s
	}
	return ""
}

func (c scope) identifyRelation(o uint32, sub int) object {
	shown, ok := c.relationName(o)
	if !ok {
		return object{}
	}
	schema, name, _ := c.relation(o)
	kind := "index"
	r := c.s.RelationByOID(o)
	if r != nil {
		kind = relationKinds[r.Kind]
	}
	if sub != 0 && r != nil {
		if col := r.ByAttnum(int16(sub)); col != nil {
			return object{kind: kind + " column", schema: schema, name: name, identity: qualified(schema, name) + "." + quote(col.Name), column: col.Name, table: shown}
		}
	}
	return object{kind: kind, schema: schema, name: name, identity: qualified(schema, name), shown: shown}
}
