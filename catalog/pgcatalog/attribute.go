package pgcatalog

import (
	"context"
	"fmt"
	"strconv"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
)

func attributeTables() []table {
	return []table{
		{name: "pg_catalog.pg_attribute", dump: "pg_attribute", keys: []string{"attrelid"}, fix: fixAttribute, dynamic: attributeRows},
		{name: "pg_catalog.pg_attrdef", keys: []string{"oid", "adrelid"}, dynamic: attrdefRows},
	}
}

func fixAttribute(r *rowMaker) {
	r.set("attstattarget", num(-1))
	r.set("attcacheoff", num(-1))
	r.set("attislocal", types.True)
	if acl, ok := extra("pg_attribute", r.src.str("attrelid")+"."+r.src.str("attnum"), "attacl"); ok {
		r.setText("attacl", acl)
	}
}

// systemColumns are the columns that every table has besides its own.
var systemColumns = []struct {
	attnum int
	name   string
	t      *types.T
}{
	{-1, "ctid", types.TidT}, {-2, "xmin", types.XidT}, {-3, "cmin", types.CidT}, {-4, "xmax", types.XidT}, {-5, "cmax", types.CidT}, {-6, "tableoid", types.OidT},
}

// attributes returns a relation's columns; a sequence's are the same for all.
func attributes(r *catalog.Relation) []*catalog.Column {
	if r.Kind == catalog.KindSequence {
		return []*catalog.Column{
			{Attnum: 1, Name: "last_value", Type: types.Int8T, Typmod: -1, NotNull: true},
			{Attnum: 2, Name: "log_cnt", Type: types.Int8T, Typmod: -1, NotNull: true},
			{Attnum: 3, Name: "is_called", Type: types.BoolT, Typmod: -1, NotNull: true},
		}
	}
	return r.Columns
}

func attributeRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	s := v.Snapshot
	if o, ok := keyOID(key, "attrelid"); ok {
		if r := s.RelationByOID(o); r != nil {
			return relationAttributes(v.Snapshot, r, yield)
		}
		if ix, ok := s.IndexByOID(o); ok && !isSystem(ix.Table) {
			return indexAttributes(ix.Table, ix.Index, yield)
		}
		return nil
	}
	for _, r := range s.SystemRelations() {
		if err := relationAttributes(v.Snapshot, r, yield); err != nil {
			return err
		}
	}
	for _, r := range s.Relations() {
		if err := relationAttributes(v.Snapshot, r, yield); err != nil {
			return err
		}
		for _, ix := range r.Indexes {
			if err := indexAttributes(r, ix, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

// relationAttributes yields a relation's columns; those of the system's relations are in the dump, but for the system
// columns.
func relationAttributes(s *catalog.Snapshot, r *catalog.Relation, yield func([]types.Datum) error) error {
	if !isSystem(r) {
		for _, c := range attributes(r) {
			if err := yield(columnRow(s, r.OID, c)); err != nil {
				return err
			}
		}
	}
	switch r.Kind {
	case catalog.KindView, catalog.KindComposite:
		return nil
	}
	for _, c := range systemColumns {
		row := attributeRow(r.OID, c.name, c.t, c.attnum, -1, 0)
		row[3], row[13] = num(0), types.True
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

func columnRow(s *catalog.Snapshot, rel uint32, c *catalog.Column) []types.Datum {
	name, hasDef := c.Name, c.Default != ""
	if c.Dropped {
		name, hasDef = fmt.Sprintf("........pg.dropped.%d........", c.Attnum), false
	}
	row := attributeRow(rel, name, c.Type, int(c.Attnum), c.Typmod, c.Collation)
	if c.Dropped {
		row[2] = num(0)
	}
	row[13], row[14] = types.Bool(c.NotNull && !c.Dropped), types.Bool(hasDef)
	if !c.Missing.IsNull() && !c.Dropped {
		row[15], row[25] = types.True, types.NewArray(c.Type, []types.Datum{c.Missing})
	}
	row[16], row[17], row[18] = char(c.Identity), char(c.Generated), types.Bool(c.Dropped)
	if c.Inherited {
		row[19], row[20] = types.Bool(c.Local), num(1)
	}
	row[22] = aclItems(s, c.ACL)
	return row
}

// attributeRow is a row of pg_attribute for a plain nullable column.
func attributeRow(rel uint32, name string, t *types.T, attnum int, typmod int32, collation uint32) []types.Datum {
	if t == nil {
		t = types.TextT
	}
	if collation == 0 {
		collation = t.Collation
	}
	ndims := 0
	if t.IsArray() {
		ndims = 1
	}
	return []types.Datum{
		oid(rel), text(name), oid(t.OID), num(-1), num(int(t.Len)), num(attnum), num(ndims), num(-1), num(int(typmod)), types.Bool(t.ByVal),
		char(t.Align), char(t.Storage), text(""), types.False, types.False, types.False, text(""), text(""), types.False, types.True, num(0),
		oid(collation), types.Null, types.Null, types.Null, types.Null,
	}
}

func indexAttributes(r *catalog.Relation, ix *catalog.Index, yield func([]types.Datum) error) error {
	for i, c := range indexColumns(r, ix) {
		if err := yield(attributeRow(ix.OID, c.name, c.t, i+1, c.typmod, c.collation)); err != nil {
			return err
		}
	}
	return nil
}

type indexColumn struct {
	name      string
	t         *types.T
	typmod    int32
	collation uint32
}

// indexColumns gives an index's columns the names and types that PostgreSQL would: a column's own, or for an expression its
// function's name or "expr", and the type that its operator class is for.
func indexColumns(r *catalog.Relation, ix *catalog.Index) []indexColumn {
	var out []indexColumn
	used := map[string]bool{}
	add := func(c indexColumn) {
		base := c.name
		for n := 1; used[c.name]; n++ {
			c.name = base + strconv.Itoa(n)
		}
		used[c.name] = true
		out = append(out, c)
	}
	for _, k := range ix.Keys {
		if c := r.ByAttnum(k.Attnum); c != nil {
			add(indexColumn{c.Name, c.Type, c.Typmod, keyCollation(r, k)})
			continue
		}
		t := opclassInput(k.OpClass)
		if t == nil || t.Kind == 'p' {
			t = types.TextT
		}
		add(indexColumn{expressionName(k.Expr), t, -1, keyCollation(r, k)})
	}
	for _, a := range ix.Include {
		if c := r.ByAttnum(a); c != nil {
			add(indexColumn{c.Name, c.Type, c.Typmod, c.Collation})
		}
	}
	return out
}

func expressionName(text string) string {
	n, err := sql.ParseExpr(text)
	if err != nil {
		return "expr"
	}
	return figureName(n)
}

func figureName(n *pg_query.Node) string {
	switch {
	case n.GetFuncCall() != nil:
		names := n.GetFuncCall().Funcname
		return names[len(names)-1].GetString_().GetSval()
	case n.GetColumnRef() != nil:
		f := n.GetColumnRef().Fields
		return f[len(f)-1].GetString_().GetSval()
	case n.GetTypeCast() != nil:
		if name := figureName(n.GetTypeCast().Arg); name != "expr" {
			return name
		}
		names := n.GetTypeCast().TypeName.Names
		return names[len(names)-1].GetString_().GetSval()
	case n.GetCollateClause() != nil:
		return figureName(n.GetCollateClause().Arg)
	case n.GetCoalesceExpr() != nil:
		return "coalesce"
	case n.GetCaseExpr() != nil:
		return "case"
	}
	return "expr"
}

func attrdefRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	if o, ok := keyOID(key, "oid"); ok {
		rel, _, _ := madeOwner(v.Snapshot, o)
		key = &catalog.Key{Column: "adrelid", Value: oid(rel)}
	}
	return oneOrEach(v.Snapshot, key, "adrelid", func(r *catalog.Relation) error {
		for _, c := range r.Columns {
			if c.Default == "" || c.Dropped {
				continue
			}
			if err := yield([]types.Datum{oid(madeOID(r.OID, int(c.Attnum))), oid(r.OID), num(int(c.Attnum)), text(c.Default)}); err != nil {
				return err
			}
		}
		return nil
	})
}
