package ddl

import (
	"slices"
	"strconv"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// exclusion adds an EXCLUDE constraint and its index.
func (b *tableBuild) exclusion(c *pg_query.Constraint) error {
	r := b.r
	method := c.AccessMethod
	if method == "" {
		method = "btree"
	}
	if loadIndexFacts().methods[method] == 0 {
		return pgerr.New(pgerr.UndefinedObject, "access method \"%s\" does not exist", method)
	}
	can := abilities(method)
	switch {
	case method == "gin" || method == "brin":
		return pgerr.New(pgerr.FeatureNotSupported, "access method \"%s\" does not support exclusion constraints", method)
	case len(c.Including) > 0 && !can.include:
		return pgerr.New(pgerr.FeatureNotSupported, "access method \"%s\" does not support included columns", method)
	case len(c.Exclusions) > 1 && !can.multi:
		return pgerr.New(pgerr.FeatureNotSupported, "access method \"%s\" does not support multicolumn indexes", method)
	}
	idx := &catalog.Index{Method: method}
	stmt := &pg_query.IndexStmt{}
	con := &catalog.Constraint{Type: catalog.ConExclude, Deferrable: c.Deferrable, InitiallyDeferred: c.Initdeferred}
	for _, e := range c.Exclusions {
		pair := e.GetList().Items
		stmt.IndexParams = append(stmt.IndexParams, pair[0])
		if col := pair[0].GetIndexElem().Name; col != "" && b.rel.Column(col) == nil && !slices.Contains(systemColumns, col) {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" named in key does not exist", col)
		}
		ops := names(pair[1].GetList().Items)
		con.Operators = append(con.Operators, ops[len(ops)-1])
	}
	for _, n := range names(c.Including) {
		stmt.IndexIncludingParams = append(stmt.IndexIncludingParams, &pg_query.Node{Node: &pg_query.Node_IndexElem{IndexElem: &pg_query.IndexElem{Name: n}}})
	}
	colNames, err := r.indexColumns(b.rel, idx, stmt)
	if err != nil {
		return err
	}
	for i, op := range con.Operators {
		if err := r.exclusionOperator(b.rel, idx.Method, idx.Keys[i], op); err != nil {
			return err
		}
		con.Columns = append(con.Columns, idx.Keys[i].Attnum)
	}
	if err := r.indexPredicate(b.rel, idx, c.WhereClause); err != nil {
		return err
	}
	for _, o := range c.Options {
		idx.Options = append(idx.Options, optionText(o.GetDefElem()))
	}
	name := catalog.CutName(c.Conname)
	switch {
	case name == "":
		name = r.relationName(b.rel.SchemaID, b.rel.Name, joinNames(colNames), "excl", true)
	case r.snap().ClassNameTaken(b.rel.SchemaID, name):
		return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", name)
	case hasConstraint(b.rel, name):
		return pgerr.New(pgerr.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", name, b.rel.Name)
	}
	idx.OID, idx.Name = r.newOID(b.rel.Schema), name
	con.OID, con.Name, con.Index = r.newOID(b.rel.Schema), name, idx.OID
	r.debugIndex(b.command(), name, b.rel.Name, con)
	return b.addIndex(idx, con)
}

// exclusionOperator checks that an operator can exclude rows by a key: that the order of the rows does not matter to it, and
// that the index can search for it.
func (r *run) exclusionOperator(rel *catalog.Relation, method string, key catalog.IndexKey, op string) error {
	var t *types.T
	if c := rel.ByAttnum(key.Attnum); c != nil {
		t = c.Type
	} else if _, e, err := r.bindText(rel, key.Expr, nil, -1); err != nil {
		return err
	} else if e != nil {
		t = e.Type()
	}
	if t == nil || r.c.Exprs == nil {
		return nil
	}
	two := &catalog.Relation{Name: "pair", Kind: catalog.KindTable, Columns: []*catalog.Column{
		{Attnum: 1, Name: "a", Type: t, Typmod: -1, Path: []string{"a"}}, {Attnum: 2, Name: "b", Type: t, Typmod: -1, Path: []string{"b"}},
	}}
	e, err := r.c.Exprs.Bind(r.snap(), two, "a "+op+" b", nil, -1)
	if err != nil {
		return unplaced(err)
	}
	call, ok := e.(*expr.Call)
	if !ok || call.Op == "" {
		return pgerr.Unsupported("the operator " + op + " in an EXCLUDE constraint")
	}
	o := operatorFact(op, call)
	if o.oid == "" {
		return nil // an extension's
	}
	text := op + "(" + o.left + "," + o.right + ")"
	if o.commutator != o.oid {
		return pgerr.New(pgerr.WrongObjectType, "operator %s is not commutative", text).
			WithDetail("Only commutative operators can be used in exclusion constraints.")
	}
	family, known := opclassFamily(key.OpClass)
	if known && !inFamily(o.oid, family) {
		return pgerr.New(pgerr.WrongObjectType, "operator %s is not a member of operator family \"%s\"", text, familyName(family)).
			WithDetail("The exclusion operator must be related to the index operator class for the constraint.")
	}
	return nil
}

type operFact struct{ oid, commutator, left, right string }

// operatorFact finds the row of pg_operator that a call came from.
func operatorFact(name string, call *expr.Call) operFact {
	f := facts.Load("pg_operator")
	col := func(row []string, name string) string { return row[f.Col(name)] }
	typeName := func(s string) (uint32, string) {
		n, _ := strconv.ParseUint(s, 10, 32)
		if t := types.ByOID(uint32(n)); t != nil {
			return uint32(n), types.FormatType(t, -1)
		}
		return uint32(n), s
	}
	args := call.Fn.Args
	for _, row := range f.Rows {
		if col(row, "oprname") != name {
			continue
		}
		l, left := typeName(col(row, "oprleft"))
		rt, right := typeName(col(row, "oprright"))
		if len(args) == 2 && args[0].OID == l && args[1].OID == rt {
			return operFact{col(row, "oid"), col(row, "oprcom"), left, right}
		}
	}
	return operFact{}
}

func opclassFamily(class uint32) (string, bool) {
	f := facts.Load("pg_opclass")
	for _, row := range f.Rows {
		if row[f.Col("oid")] == strconv.FormatUint(uint64(class), 10) {
			return row[f.Col("opcfamily")], true
		}
	}
	return "", false
}

func inFamily(operator, family string) bool {
	f := facts.Load("pg_amop")
	return slices.ContainsFunc(f.Rows, func(row []string) bool {
		return row[f.Col("amopfamily")] == family && row[f.Col("amopopr")] == operator && row[f.Col("amoppurpose")] == "s"
	})
}

func familyName(family string) string {
	f := facts.Load("pg_opfamily")
	for _, row := range f.Rows {
		if row[f.Col("oid")] == family {
			return row[f.Col("opfname")]
		}
	}
	return family
}

func (r *run) hasExtension(name string) bool {
	return slices.ContainsFunc(r.snap().Extensions(), func(e *catalog.Extension) bool { return e.Name == name })
}
