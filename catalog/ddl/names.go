package ddl

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// objectName joins the parts of a generated name and shortens the longer of the first two until the whole fits.
func objectName(name1, name2, label string) string {
	avail := catalog.MaxName
	if name2 != "" {
		avail--
	}
	if label != "" {
		avail -= len(label) + 1
	}
	n1, n2 := len(name1), len(name2)
	for n1+n2 > avail {
		if n1 > n2 {
			n1--
		} else {
			n2--
		}
	}
	s := clip(name1, n1)
	if name2 != "" {
		s += "_" + clip(name2, n2)
	}
	if label != "" {
		s += "_" + label
	}
	return s
}

// clip cuts s to at most n bytes at a character boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

// relationName generates a name for an index or sequence that no relation of the schema has; isConstraint avoids the
// names of constraints too.
func (r *run) relationName(schema uint32, name1, name2, label string, isConstraint bool) string {
	for pass, l := 0, label; ; l = label + strconv.Itoa(pass) {
		name := objectName(name1, name2, l)
		if !r.snap().ClassNameTaken(schema, name) && !(isConstraint && r.constraintTaken(schema, name)) {
			return name
		}
		pass++
	}
}

// constraintName generates a name that no constraint of the schema, and none of the others, has.
func (r *run) constraintName(schema uint32, name1, name2, label string, others []string) string {
	for pass, l := 0, label; ; l = label + strconv.Itoa(pass) {
		name := objectName(name1, name2, l)
		if !slices.Contains(others, name) && !r.constraintTaken(schema, name) {
			return name
		}
		pass++
	}
}

func (r *run) constraintTaken(schema uint32, name string) bool {
	return r.snap().ConstraintNameTaken(schema, name)
}

// joinNames makes the middle part of a generated name from column names.
func joinNames(names []string) string {
	var b strings.Builder
	for _, n := range names {
		if b.Len() > 0 {
			b.WriteByte('_')
		}
		b.WriteString(n)
		if b.Len() >= catalog.MaxName+1 {
			break
		}
	}
	return b.String()
}

func quote(name string) string { return types.QuoteIdent(name) }

// literal writes a text as an SQL string constant.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// names unpacks a list of String nodes.
func names(list []*pg_query.Node) []string {
	out := make([]string, 0, len(list))
	for _, n := range list {
		out = append(out, n.GetString_().GetSval())
	}
	return out
}

// qualified splits a possibly qualified name.
func qualified(parts []string) (schema, name string, err error) {
	switch len(parts) {
	case 1:
		return "", parts[0], nil
	case 2:
		return parts[0], parts[1], nil
	case 3:
		return parts[1], parts[2], nil
	}
	return "", "", pgerr.New(pgerr.SyntaxError, "improper qualified name (too many dotted names): %s", strings.Join(parts, "."))
}

// tempSchema maps the alias pg_temp to the session's own temporary schema.
func (r *run) tempSchema(name string) string {
	if name == "pg_temp" && r.c.Temp != nil {
		return r.c.Temp.Schema
	}
	return name
}

// creationSchema finds the schema that a new object goes to.
func (r *run) creationSchema(name string, loc int32) (*catalog.Schema, error) {
	if name == "" {
		if r.c.Creation == "" {
			return nil, pgerr.New(pgerr.InvalidSchemaName, "no schema has been selected to create in").At(loc)
		}
		name = r.c.Creation
	}
	if name == "pg_temp" {
		return r.ensureTemp()
	}
	sc := r.snap().SchemaByName(name)
	if sc == nil {
		return nil, pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name).At(loc)
	}
	return sc, r.mayCreateIn(sc)
}

// ensureTemp returns the session's temporary schema and makes it when this is the first use.
func (r *run) ensureTemp() (*catalog.Schema, error) {
	t := r.c.Temp
	if t == nil {
		return nil, pgerr.Unsupported("a temporary table here")
	}
	if !r.databaseRight(catalog.Temporary) {
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create temporary tables in database \"%s\"", r.snap().Database)
	}
	if sc := r.snap().SchemaByName(t.Schema); sc != nil {
		return sc, nil
	}
	if t.OID == 0 {
		t.OID = t.NextOID
		t.NextOID++
	}
	sc := &catalog.Schema{OID: t.OID, Name: t.Schema, Owner: catalog.BootstrapRole}
	r.ch.PutSchema(sc)
	// CREATE TEMP TABLE t (p int REFERENCES t): from its first object on, the schema is searched.
	r.c.Path = append([]string{sc.Name}, r.c.Path...)
	return sc, nil
}

// newOID returns an OID for an object of a schema.
func (r *run) newOID(schema string) uint32 {
	if catalog.IsTemp(schema) && r.c.Temp != nil {
		n := r.c.Temp.NextOID
		r.c.Temp.NextOID++
		return n
	}
	return r.ch.NewOID()
}

// owner is the OID of the current role.
func (r *run) owner() uint32 {
	if role := r.snap().RoleByName(r.c.User); role != nil {
		return role.OID
	}
	return catalog.BootstrapRole
}

// findToAlter finds the relation of an ALTER statement. Without one it gives an error, or with IF EXISTS a notice and nil.
func (r *run) findToAlter(rv *pg_query.RangeVar, missingOK bool) (*catalog.Relation, error) {
	rel, err := r.find(rv)
	switch {
	case rel != nil || err != nil:
		return rel, err
	case missingOK:
		r.notice(pgerr.SuccessfulCompletion, "relation \"%s\" does not exist, skipping", rv.Relname)
		return nil, nil
	}
	return nil, noRelation(rv)
}

// find looks a relation up by name; nil when there is none (with an error when even the schema does not exist).
func (r *run) find(rv *pg_query.RangeVar) (*catalog.Relation, error) {
	if rv.Catalogname != "" && rv.Catalogname != r.snap().Database {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "cross-database references are not implemented: \"%s.%s.%s\"", rv.Catalogname, rv.Schemaname, rv.Relname).At(rv.Location)
	}
	return r.snap().Relation(r.c.Path, r.tempSchema(rv.Schemaname), rv.Relname), nil
}

// rangeName is a relation's name as the statement wrote it.
func rangeName(rv *pg_query.RangeVar) string {
	if rv.Schemaname != "" {
		return rv.Schemaname + "." + rv.Relname
	}
	return rv.Relname
}

func noRelation(rv *pg_query.RangeVar) *pgerr.Error {
	return pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", rangeName(rv))
}

// relation finds a relation or fails with 42P01.
func (r *run) relation(rv *pg_query.RangeVar) (*catalog.Relation, error) {
	rel, err := r.find(rv)
	if err != nil {
		return nil, err
	}
	if rel == nil {
		return nil, noRelation(rv)
	}
	return rel, nil
}

// findIndex looks an index up by name.
func (r *run) findIndex(schema, name string) (catalog.IndexRef, bool) {
	if schema != "" {
		return r.snap().IndexIn(r.tempSchema(schema), name)
	}
	for _, p := range r.c.Path {
		if ref, ok := r.snap().IndexIn(p, name); ok {
			return ref, true
		}
		if r.snap().RelationIn(p, name) != nil {
			return catalog.IndexRef{}, false
		}
	}
	return catalog.IndexRef{}, false
}

// isSystem reports whether a relation belongs to the system catalogues.
func isSystem(rel *catalog.Relation) bool {
	return rel.SchemaID == catalog.PgCatalogOID || rel.Virtual != nil
}

func systemError(rel *catalog.Relation) error {
	return pgerr.New(pgerr.InsufficientPrivilege, "permission denied: \"%s\" is a system catalog", rel.Name)
}

// table finds a table that may be altered.
func (r *run) table(rv *pg_query.RangeVar) (*catalog.Relation, error) {
	rel, err := r.relation(rv)
	if err != nil {
		if ref, ok := r.findIndex(rv.Schemaname, rv.Relname); ok {
			return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a table", ref.Index.Name)
		}
		return nil, err
	}
	if isSystem(rel) {
		return nil, systemError(rel)
	}
	if !rel.IsTable() {
		return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a table", rel.Name)
	}
	return rel, nil
}

// deparseExpr prints a raw expression of the parse tree.
func deparseExpr(n *pg_query.Node) (string, error) {
	stmt := &pg_query.Node{Node: &pg_query.Node_SelectStmt{SelectStmt: &pg_query.SelectStmt{
		LimitOption: pg_query.LimitOption_LIMIT_OPTION_DEFAULT, Op: pg_query.SetOperation_SETOP_NONE,
		TargetList: []*pg_query.Node{{Node: &pg_query.Node_ResTarget{ResTarget: &pg_query.ResTarget{Val: n}}}},
	}}}
	text, err := deparseStmt(stmt)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(text, "SELECT "), nil
}

// treeVersion is the version that the parser gives its trees and wants back.
var treeVersion = sync.OnceValue(func() int32 {
	tree, err := pg_query.Parse("SELECT 1")
	if err != nil {
		return 0
	}
	return tree.Version
})

// deparseStmt prints a statement of the parse tree.
func deparseStmt(stmt *pg_query.Node) (string, error) {
	text, err := pg_query.Deparse(&pg_query.ParseResult{Version: treeVersion(), Stmts: []*pg_query.RawStmt{{Stmt: stmt}}})
	if err != nil {
		return "", pgerr.New(pgerr.InternalError, "cannot print a statement: %w", err)
	}
	return text, nil
}

func statementName(stmt *pg_query.Node) string {
	if text, err := deparseStmt(stmt); err == nil {
		words := strings.Fields(text)
		n := 0
		for n < len(words) && n < 4 && words[n] == strings.ToUpper(words[n]) {
			n++
		}
		if n > 0 {
			return strings.Join(words[:n], " ")
		}
	}
	return "this statement"
}

// defText writes an option's value as text; def is what an option without a value means.
func defText(n *pg_query.Node, def string) string {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_String_:
		return x.String_.Sval
	case *pg_query.Node_Integer:
		return itoa(int(x.Integer.Ival))
	case *pg_query.Node_Float:
		return x.Float.Fval
	case *pg_query.Node_Boolean:
		return strconv.FormatBool(x.Boolean.Boolval)
	case *pg_query.Node_TypeName:
		return strings.Join(names(x.TypeName.Names), ".")
	case *pg_query.Node_List:
		return strings.Join(names(x.List.Items), ".")
	}
	return def
}
