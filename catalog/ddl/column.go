package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// columnSpec is what one column definition asks for.
type columnSpec struct {
	col *catalog.Column
	def *pg_query.ColumnDef
	// serial is the type of a serial pseudo-type's sequence, nil for others.
	serial *types.T
	// options are an identity column's sequence options.
	options []*pg_query.Node
	deflt   *pg_query.Node
	gen     *pg_query.Node
	// constraints are the table constraints that the column's own constraints stand for.
	constraints []*pg_query.Constraint
}

// systemColumns are the names that no user column may have.
var systemColumns = []string{"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"}

// serialType returns the integer type behind a serial pseudo-type, nil for other names.
func serialType(n *pg_query.TypeName) *types.T {
	if len(n.Names) != 1 {
		return nil
	}
	switch n.Names[0].GetString_().GetSval() {
	case "smallserial", "serial2":
		return types.Int2T
	case "serial", "serial4":
		return types.Int4T
	case "bigserial", "serial8":
		return types.Int8T
	}
	return nil
}

var fieldEscapes = strings.NewReplacer("%", "%25", ".", "%2E", "$", "%24")

// fieldOf is the field that keeps a column: its name, unless MongoDB would read that as a path or an operator. Without the
// escapes WHERE "a.b" = 1 looks for b in the sub-document a, and finds nothing.
func fieldOf(column string) string {
	if strings.Contains(column, ".") || strings.HasPrefix(column, "$") || strings.Contains(column, "%2") {
		return fieldEscapes.Replace(column)
	}
	return column
}

// column reads a column definition of the table that is called table.
func (r *run) column(def *pg_query.ColumnDef, table string, row *types.T) (*columnSpec, error) {
	if slices.Contains(systemColumns, def.Colname) {
		return nil, pgerr.New(pgerr.DuplicateColumn, "column name \"%s\" conflicts with a system column name", def.Colname)
	}
	s := &columnSpec{def: def, col: &catalog.Column{Name: def.Colname, Typmod: -1, Path: []string{fieldOf(def.Colname)}}}
	if s.serial = serialType(def.TypeName); s.serial != nil {
		if len(def.TypeName.ArrayBounds) > 0 {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "array of serial is not implemented").At(def.TypeName.Location)
		}
		s.col.Type, s.col.NotNull = s.serial, true
	} else {
		t, mod, err := r.resolver().TypeName(def.TypeName)
		if err != nil {
			return nil, err
		}
		s.col.Type, s.col.Typmod = t, mod
	}
	if err := checkColumnType(s.col, row); err != nil {
		return nil, err
	}
	if err := r.collate(s.col, def); err != nil {
		return nil, err
	}
	s.col.Micros = keepsMicros(s.col.Type)
	s.col.NotNull = s.col.NotNull || def.IsNotNull
	return s, r.columnConstraints(s, table)
}

// collate gives a column its type's collation, or the one that its definition names.
func (r *run) collate(col *catalog.Column, def *pg_query.ColumnDef) error {
	col.Collation = col.Type.Collation
	if def.CollClause == nil {
		return nil
	}
	oid, err := r.collation(def.CollClause.Collname, def.CollClause.Location)
	if err != nil {
		return err
	}
	if col.Type.BaseType().Collation == 0 {
		return pgerr.New(pgerr.DatatypeMismatch, "collations are not supported by type %s", types.FormatType(col.Type, -1)).At(def.CollClause.Location)
	}
	col.Collation = oid
	return nil
}

// keepsMicros reports whether values of a type have microseconds that a BSON date cannot hold.
func keepsMicros(t *types.T) bool {
	b := t.BaseType()
	return b == types.TimestampT || b == types.TimestampTZT
}

// checkColumnType refuses types that no column can have. With row, the type of the row that the column goes into, it refuses
// what is made of that row: ALTER TABLE t ADD COLUMN c t[].
func checkColumnType(c *catalog.Column, row *types.T) error {
	t := c.Type
	if t.Kind == 'p' || t == types.UnknownT {
		return pgerr.New(pgerr.InvalidTableDefinition, "column \"%s\" has pseudo-type %s", c.Name, types.FormatType(t, -1))
	}
	if row != nil && madeOf(t, row.OID) {
		return pgerr.New(pgerr.InvalidTableDefinition, "composite type %s cannot be made a member of itself", types.FormatType(row, -1))
	}
	return nil
}

// madeOf says whether values of a type hold values of the type with that OID.
func madeOf(t *types.T, oid uint32) bool {
	if t == nil {
		return false
	}
	return t.OID == oid || madeOf(t.Elem, oid) || madeOf(t.Base, oid) || madeOf(t.Subtype, oid) || madeOf(t.RangeOf, oid) ||
		slices.ContainsFunc(t.Fields, func(f types.Field) bool { return !f.Dropped && madeOf(f.Type, oid) })
}

// rowTypeUnused refuses to rewrite the rows of a table, or the values of a composite type, when such values are stored in
// columns of others.
func (r *run) rowTypeUnused(rel *catalog.Relation) error {
	row := r.snap().TypeByOID(rel.RowType)
	if row == nil {
		return nil
	}
	for user := range r.snap().EachRelation {
		if user.Kind != catalog.KindTable {
			continue
		}
		for _, c := range user.Live() {
			if madeOf(c.Type, row.OID) {
				if rel.Kind == catalog.KindComposite {
					return pgerr.New(pgerr.FeatureNotSupported, "cannot alter type \"%s\" because column \"%s.%s\" uses it", rel.Name, user.Name, c.Name)
				}
				return pgerr.New(pgerr.FeatureNotSupported, "cannot alter table \"%s\" because column \"%s.%s\" uses its row type", rel.Name, user.Name, c.Name)
			}
		}
	}
	return nil
}

func (r *run) resolver() *expr.Resolver { return r.c.Resolver(r.snap()) }

// columnConstraints sorts a column's constraints: the column's own properties go to the spec, the rest becomes table
// constraints over the one column.
func (r *run) columnConstraints(s *columnSpec, table string) error {
	def, col := s.def, s.col
	sawNull, sawDefault, sawIdentity, sawGenerated := def.IsNotNull || s.serial != nil, s.serial != nil, false, false
	saidNull := false
	var last *pg_query.Constraint
	for _, node := range def.Constraints {
		c := node.GetConstraint()
		name := func(format string) error {
			return pgerr.New(pgerr.SyntaxError, format, col.Name, table).At(c.Location)
		}
		switch c.Contype {
		case pg_query.ConstrType_CONSTR_NULL:
			if sawNull && col.NotNull {
				return name("conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"")
			}
			saidNull = true
		case pg_query.ConstrType_CONSTR_NOTNULL:
			if saidNull {
				return name("conflicting NULL/NOT NULL declarations for column \"%s\" of table \"%s\"")
			}
			col.NotNull, sawNull = true, true
		case pg_query.ConstrType_CONSTR_DEFAULT:
			if sawDefault {
				return name("multiple default values specified for column \"%s\" of table \"%s\"")
			}
			s.deflt, sawDefault = c.RawExpr, true
		case pg_query.ConstrType_CONSTR_IDENTITY:
			if sawIdentity {
				return name("multiple identity specifications for column \"%s\" of table \"%s\"")
			}
			sawIdentity, col.NotNull = true, true
			col.Identity, s.options = c.GeneratedWhen[0], c.Options
		case pg_query.ConstrType_CONSTR_GENERATED:
			if sawGenerated {
				return name("multiple generation clauses specified for column \"%s\" of table \"%s\"")
			}
			s.gen, col.Generated, sawGenerated = c.RawExpr, 's', true
			if c.GeneratedWhen == "d" {
				return pgerr.New(pgerr.SyntaxError, "for a generated column, GENERATED ALWAYS must be specified").At(c.Location)
			}
		case pg_query.ConstrType_CONSTR_ATTR_DEFERRABLE, pg_query.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE,
			pg_query.ConstrType_CONSTR_ATTR_DEFERRED, pg_query.ConstrType_CONSTR_ATTR_IMMEDIATE:
			if last == nil || last.Contype != pg_query.ConstrType_CONSTR_FOREIGN && last.Contype != pg_query.ConstrType_CONSTR_PRIMARY && last.Contype != pg_query.ConstrType_CONSTR_UNIQUE {
				return pgerr.New(pgerr.SyntaxError, "misplaced %s clause", attributeName(c.Contype)).At(c.Location)
			}
			applyAttribute(last, c.Contype)
			continue
		case pg_query.ConstrType_CONSTR_FOREIGN:
			c.FkAttrs = []*pg_query.Node{stringNode(col.Name)}
			s.constraints = append(s.constraints, c)
		case pg_query.ConstrType_CONSTR_PRIMARY, pg_query.ConstrType_CONSTR_UNIQUE:
			if len(c.Keys) == 0 {
				c.Keys = []*pg_query.Node{stringNode(col.Name)}
			}
			s.constraints = append(s.constraints, c)
		default:
			s.constraints = append(s.constraints, c)
		}
		last = c
		if err := exclusive(s, sawDefault, sawIdentity, sawGenerated, table, c.Location); err != nil {
			return err
		}
	}
	return nil
}

func exclusive(s *columnSpec, deflt, identity, generated bool, table string, loc int32) error {
	what := ""
	switch {
	case deflt && identity:
		what = "both default and identity"
	case deflt && generated:
		what = "both default and generation expression"
	case identity && generated:
		what = "both identity and generation expression"
	default:
		return nil
	}
	return pgerr.New(pgerr.SyntaxError, "%s specified for column \"%s\" of table \"%s\"", what, s.col.Name, table).At(loc)
}

func attributeName(t pg_query.ConstrType) string {
	switch t {
	case pg_query.ConstrType_CONSTR_ATTR_DEFERRABLE:
		return "DEFERRABLE"
	case pg_query.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE:
		return "NOT DEFERRABLE"
	case pg_query.ConstrType_CONSTR_ATTR_DEFERRED:
		return "INITIALLY DEFERRED"
	}
	return "INITIALLY IMMEDIATE"
}

// applyAttribute puts a constraint attribute, which the grammar gives as a list item of its own, into its constraint.
func applyAttribute(c *pg_query.Constraint, t pg_query.ConstrType) {
	switch t {
	case pg_query.ConstrType_CONSTR_ATTR_DEFERRABLE:
		c.Deferrable = true
	case pg_query.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE:
		c.Deferrable = false
	case pg_query.ConstrType_CONSTR_ATTR_DEFERRED:
		c.Deferrable, c.Initdeferred = true, true
	case pg_query.ConstrType_CONSTR_ATTR_IMMEDIATE:
		c.Initdeferred = false
	}
}

func stringNode(s string) *pg_query.Node {
	return &pg_query.Node{Node: &pg_query.Node_String_{String_: &pg_query.String{Sval: s}}}
}

// bind checks an expression of a definition and returns its canonical text; want may be nil. Without a binder the text
// is kept as written.
func (r *run) bind(rel *catalog.Relation, n *pg_query.Node, want *types.T, typmod int32) (string, expr.Expr, error) {
	text, err := deparseExpr(n)
	if err != nil || r.c.Exprs == nil {
		return text, nil, err
	}
	e, err := r.c.Exprs.Bind(r.snap(), rel, text, want, typmod)
	if err != nil {
		return "", nil, r.replaced(err, n, text)
	}
	return r.c.Exprs.Deparse(r.snap(), e), e, nil
}

func (r *run) bindText(rel *catalog.Relation, text string, want *types.T, typmod int32) (string, expr.Expr, error) {
	if r.c.Exprs == nil {
		return text, nil, nil
	}
	e, err := r.c.Exprs.Bind(r.snap(), rel, text, want, typmod)
	if err != nil {
		return "", nil, unplaced(err)
	}
	return r.c.Exprs.Deparse(r.snap(), e), e, nil
}

// unplaced takes the position out of an error that was found in a text of our own: it would point anywhere in the
// statement.
func unplaced(err error) error {
	e := *pgerr.From(err)
	e.Offset, e.Position = 0, 0
	return &e
}

// bindDefault binds a DEFAULT expression.
func (r *run) bindDefault(n *pg_query.Node, t *types.T, typmod int32, column string) (string, expr.Expr, error) {
	if err := refuse(n, "DEFAULT expression", "DEFAULT expressions", true); err != nil {
		return "", nil, err
	}
	text, e, err := r.bind(nil, n, nil, -1)
	if err != nil || e == nil {
		return text, e, err
	}
	plain, err := deparseExpr(n)
	if err != nil {
		return "", nil, err
	}
	coerced, err := r.c.Exprs.Bind(r.snap(), nil, plain, t, typmod)
	if pgerr.Is(err, pgerr.DatatypeMismatch) || pgerr.Is(err, pgerr.CannotCoerce) {
		return "", nil, pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" is of type %s but default expression is of type %s", column,
			types.FormatType(t, typmod), types.FormatType(e.Type(), e.Typmod())).WithHint("You will need to rewrite or cast the expression.")
	}
	if err != nil {
		return "", nil, r.replaced(err, n, plain)
	}
	return r.c.Exprs.Deparse(r.snap(), coerced), coerced, nil
}

// refuse finds what no definition's expression may hold: subqueries, aggregates come from the binder, and columns where
// columns is set.
func refuse(n *pg_query.Node, one, many string, columns bool) error {
	var found error
	sql.Walk(n, func(m *pg_query.Node) bool {
		if found != nil {
			return false
		}
		switch x := m.GetNode().(type) {
		case *pg_query.Node_SubLink:
			found = pgerr.New(pgerr.FeatureNotSupported, "cannot use subquery in %s", one).At(x.SubLink.Location)
		case *pg_query.Node_ColumnRef:
			if columns {
				found = pgerr.New(pgerr.FeatureNotSupported, "cannot use column reference in %s", one).At(x.ColumnRef.Location)
			}
		case *pg_query.Node_FuncCall:
			if x.FuncCall.Over != nil {
				found = pgerr.New(pgerr.WindowingError, "window functions are not allowed in %s", many).At(x.FuncCall.Location)
			}
		}
		return found == nil
	})
	return found
}
