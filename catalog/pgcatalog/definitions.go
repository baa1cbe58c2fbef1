package pgcatalog

import (
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// definitionFunctions print objects as the statements that make them.
func definitionFunctions() []expr.Impl {
	b := &builder{}
	// A stored expression is kept as text in this function's form.
	b.add("pg_get_expr", scoped(func(c scope, a []datum) (datum, error) {
		return text(c.showFor(a[0].Str(), len(a) == 3 && a[2].Bool(), oidOf(a[1]) == 0)), nil
	}))
	b.add("pg_get_indexdef", scoped(func(c scope, a []datum) (datum, error) {
		ix, ok := c.s.IndexByOID(oidOf(a[0]))
		if !ok {
			return types.Null, nil
		}
		pretty := len(a) == 3 && a[2].Bool()
		if len(a) == 3 && a[1].Int() > 0 {
			return text(c.indexColumn(ix, int(a[1].Int()), pretty)), nil
		}
		return text(c.indexDefinition(ix, pretty)), nil
	}))
	b.add("pg_get_constraintdef", scoped(func(c scope, a []datum) (datum, error) {
		s, ok := c.constraintDefinition(oidOf(a[0]), len(a) == 2 && a[1].Bool())
		if !ok {
			return types.Null, nil
		}
		return text(s), nil
	}))
	b.each("pg_get_viewdef", nil, viewDefinition)
	b.add("pg_get_ruledef", viewed(func(e env, v *catalog.View, a []datum) (datum, error) {
		c := scope{v.Snapshot, v.SearchPath}
		rel, sub, ok := madeOwner(c.s, oidOf(a[0]))
		r := c.s.RelationByOID(rel)
		if !ok || r == nil || sub != madeRule {
			return types.Null, nil
		}
		return text("CREATE RULE \"_RETURN\" AS\n    ON SELECT TO " + qualified(r.Schema, r.Name) + " DO INSTEAD " + c.viewText(e, r, viewLayout{})), nil
	}))
	b.add("pg_get_triggerdef", scoped(func(c scope, a []datum) (datum, error) {
		return c.triggerDefinition(oidOf(a[0]), len(a) == 2 && a[1].Bool())
	}))
	b.add("pg_get_serial_sequence", scoped(serialSequence))
	b.add("pg_get_partkeydef", scoped(func(c scope, a []datum) (datum, error) {
		if r := c.s.RelationByOID(oidOf(a[0])); r != nil && r.Partition != nil {
			return text(partitionKey(r)), nil
		}
		return types.Null, nil
	}))
	b.constant(types.Null, "pg_get_partition_constraintdef", "pg_get_statisticsobjdef", "pg_get_statisticsobjdef_columns",
		"pg_get_statisticsobjdef_expressions", "pg_get_replica_identity_index")
	return b.out
}

// indexKeyText prints a key's column or expression.
func (c scope) indexKeyText(r *catalog.Relation, k catalog.IndexKey, pretty bool) string {
	if col := r.ByAttnum(k.Attnum); col != nil {
		return quote(col.Name)
	}
	s := c.showExpr(k.Expr, pretty)
	if sql.IsFunctionCall(k.Expr) {
		return s
	}
	return "(" + s + ")"
}

// indexColumn is the definition of one column of an index, counted from 1; "" when there is none.
func (c scope) indexColumn(ix catalog.IndexRef, n int, pretty bool) string {
	if n <= len(ix.Index.Keys) {
		return c.indexKeyText(ix.Table, ix.Index.Keys[n-1], pretty)
	}
	if n -= len(ix.Index.Keys); n <= len(ix.Index.Include) {
		if col := ix.Table.ByAttnum(ix.Index.Include[n-1]); col != nil {
			return quote(col.Name)
		}
	}
	return ""
}

// indexKeys prints an index's keys with operator classes and order, in parentheses, and its INCLUDE columns.
func (c scope) indexKeys(ix catalog.IndexRef, pretty bool, operators []string) string {
	var keys []string
	am := amOID(ix.Index.Method)
	for i, k := range ix.Index.Keys {
		s := c.indexKeyText(ix.Table, k, pretty)
		t := types.TextT
		if col := ix.Table.ByAttnum(k.Attnum); col != nil {
			t = col.Type
			if k.Collation != 0 && k.Collation != col.Collation && k.Collation != t.Collation {
				name, _ := c.collationName(k.Collation)
				s += " COLLATE " + name
			}
		} else if in := opclassInput(k.OpClass); in != nil {
			t = in
		}
		if class := opclassFacts().byOID[k.OpClass]; class != nil {
			if d := defaultOpclass(am, t); d == nil || d.oid != class.oid {
				s += " " + quote(class.name)
			}
		}
		if am == btreeAM {
			switch {
			case k.Desc && !k.NullsFirst:
				s += " DESC NULLS LAST"
			case k.Desc:
				s += " DESC"
			case k.NullsFirst:
				s += " NULLS FIRST"
			}
		}
		if operators != nil && i < len(operators) {
			s += " WITH " + operators[i]
		}
		keys = append(keys, s)
	}
	s := "(" + strings.Join(keys, ", ") + ")"
	if len(ix.Index.Include) > 0 {
		s += " INCLUDE (" + columnList(ix.Table, ix.Index.Include) + ")"
	}
	return s
}

func columnList(r *catalog.Relation, atts []int16) string {
	var names []string
	for _, a := range atts {
		if c := r.ByAttnum(a); c != nil {
			names = append(names, quote(c.Name))
		}
	}
	return strings.Join(names, ", ")
}

func (c scope) indexDefinition(ix catalog.IndexRef, pretty bool) string {
	s := "CREATE "
	if ix.Index.Unique {
		s += "UNIQUE "
	}
	table := qualified(ix.Table.Schema, ix.Table.Name)
	if pretty {
		table, _ = c.relationName(ix.Table.OID)
	}
	s += "INDEX " + quote(ix.Index.Name) + " ON " + table + " USING " + amName(ix.Index.Method) + " " + c.indexKeys(ix, pretty, nil)
	if ix.Index.NullsNotDistinct {
		s += " NULLS NOT DISTINCT"
	}
	if len(ix.Index.Options) > 0 {
		s += " WITH (" + optionList(ix.Index.Options) + ")"
	}
	if w := ix.Index.Where; w != "" {
		s += " WHERE " + c.showExpr(w, pretty)
	}
	return s
}

// optionList prints storage options as name='value'.
func optionList(options []string) string {
	var out []string
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		if value != quote(value) {
			value = expr.QuoteLiteral(value)
		}
		out = append(out, quote(name)+"="+value)
	}
	return strings.Join(out, ", ")
}

func (c scope) constraintDefinition(o uint32, pretty bool) (string, bool) {
	if ref, ok := c.s.ConstraintByOID(o); ok {
		return c.tableConstraint(ref, pretty), true
	}
	if owner, sub, ok := madeOwner(c.s, o); ok {
		if t := c.s.TypeByOID(owner); t != nil && t.Kind == 'd' && sub >= madeDomainCheck && sub-madeDomainCheck < len(t.Checks) {
			k := t.Checks[sub-madeDomainCheck]
			def := c.checkText(k.Expr, pretty, true)
			if k.NotValid {
				def += " NOT VALID"
			}
			return def, true
		}
	}
	for _, r := range c.s.SystemRelations() {
		for _, k := range r.Constraints {
			if k.OID == o {
				return c.tableConstraint(catalog.ConstraintRef{Constraint: k, Table: r}, pretty), true
			}
		}
	}
	f := newCells("pg_constraint")
	for _, row := range f.Rows {
		if k := f.row(row); k.oid("oid") == o {
			if e, ok := builtinChecks[k.str("conname")]; ok {
				return c.checkText(e, pretty, true), true
			}
		}
	}
	return "", false
}

func (c scope) checkText(e string, pretty, domain bool) string {
	return "CHECK (" + c.showFor(e, pretty, domain) + ")"
}

func (c scope) tableConstraint(ref catalog.ConstraintRef, pretty bool) string {
	k, r := ref.Constraint, ref.Table
	s := ""
	switch k.Type {
	case catalog.ConCheck:
		s = c.checkText(k.Check, pretty, false)
		if k.NoInherit {
			s += " NO INHERIT"
		}
	case catalog.ConPrimary, catalog.ConUnique:
		s = "PRIMARY KEY ("
		ix := r.Index(k.Index)
		if k.Type == catalog.ConUnique {
			s = "UNIQUE ("
			if ix != nil && ix.NullsNotDistinct {
				s = "UNIQUE NULLS NOT DISTINCT ("
			}
		}
		s += columnList(r, k.Columns) + ")"
		if ix != nil && len(ix.Include) > 0 {
			s += " INCLUDE (" + columnList(r, ix.Include) + ")"
		}
		if ix != nil && len(ix.Options) > 0 {
			s += " WITH (" + optionList(ix.Options) + ")"
		}
	case catalog.ConForeign:
		s = c.foreignKey(r, k)
	case catalog.ConExclude:
		if ix := r.Index(k.Index); ix != nil {
			s = "EXCLUDE USING " + amName(ix.Method) + " " + c.indexKeys(catalog.IndexRef{Index: ix, Table: r}, pretty, k.Operators)
			if ix.Where != "" {
				s += " WHERE (" + c.showExpr(ix.Where, pretty) + ")"
			}
		}
	}
	if k.Deferrable {
		s += " DEFERRABLE"
	}
	if k.InitiallyDeferred {
		s += " INITIALLY DEFERRED"
	}
	if k.NotValid {
		s += " NOT VALID"
	}
	return s
}

func (c scope) foreignKey(r *catalog.Relation, k *catalog.Constraint) string {
	s := "FOREIGN KEY (" + columnList(r, k.Columns) + ") REFERENCES "
	target, _ := c.relationName(k.RefRelation)
	s += target
	if ref := c.s.RelationByOID(k.RefRelation); ref != nil {
		s += "(" + columnList(ref, k.RefColumns) + ")"
	}
	if k.Match == 'f' {
		s += " MATCH FULL"
	}
	actions := map[byte]string{'r': "RESTRICT", 'c': "CASCADE", 'n': "SET NULL", 'd': "SET DEFAULT"}
	if a := actions[k.OnUpdate]; a != "" {
		s += " ON UPDATE " + a
	}
	if a := actions[k.OnDelete]; a != "" {
		s += " ON DELETE " + a
		if len(k.SetColumns) > 0 {
			s += " (" + columnList(r, k.SetColumns) + ")"
		}
	}
	return s
}

func (c scope) triggerDefinition(o uint32, pretty bool) (datum, error) {
	for _, r := range c.s.Relations() {
		for _, t := range r.Triggers {
			if t.OID == o {
				return text(c.trigger(r, t, pretty)), nil
			}
		}
	}
	return types.Null, nil
}

func (c scope) trigger(r *catalog.Relation, t *catalog.Trigger, pretty bool) string {
	s := "CREATE TRIGGER " + quote(t.Name)
	if t.Constraint {
		s = "CREATE CONSTRAINT TRIGGER " + quote(t.Name)
	}
	switch {
	case t.Type&64 != 0:
		s += " INSTEAD OF"
	case t.Type&2 != 0:
		s += " BEFORE"
	default:
		s += " AFTER"
	}
	var events []string
	if t.Type&4 != 0 {
		events = append(events, "INSERT")
	}
	if t.Type&8 != 0 {
		events = append(events, "DELETE")
	}
	if t.Type&16 != 0 {
		e := "UPDATE"
		if len(t.Columns) > 0 {
			e += " OF " + columnList(r, t.Columns)
		}
		events = append(events, e)
	}
	if t.Type&32 != 0 {
		events = append(events, "TRUNCATE")
	}
	table := qualified(r.Schema, r.Name)
	if pretty {
		table, _ = c.relationName(r.OID)
	}
	s += " " + strings.Join(events, " OR ") + " ON " + table
	if t.Constraint {
		if ref := c.s.RelationByOID(t.Referenced); ref != nil {
			s += " FROM " + qualified(ref.Schema, ref.Name)
		}
		if !t.Deferrable {
			s += " NOT"
		}
		s += " DEFERRABLE INITIALLY "
		if t.InitiallyDeferred {
			s += "DEFERRED"
		} else {
			s += "IMMEDIATE"
		}
	}
	if t.OldTable != "" || t.NewTable != "" {
		s += " REFERENCING"
		if t.OldTable != "" {
			s += " OLD TABLE AS " + quote(t.OldTable)
		}
		if t.NewTable != "" {
			s += " NEW TABLE AS " + quote(t.NewTable)
		}
	}
	s += " FOR EACH "
	if t.Type&1 != 0 {
		s += "ROW"
	} else {
		s += "STATEMENT"
	}
	if t.When != "" {
		when := t.When
		if !pretty || !strings.HasPrefix(when, "(") {
			when = "(" + when + ")"
		}
		s += " WHEN " + when
	}
	name := "???"
	if p := c.proc(t.Function); p != nil {
		name = quote(p.name)
		if !c.procVisible(p) || !pretty {
			name = qualified(p.schema, p.name)
		}
		if c.procVisible(p) {
			name = quote(p.name)
		}
	}
	var args []string
	for _, a := range t.Args {
		args = append(args, literal(a))
	}
	return s + " EXECUTE FUNCTION " + name + "(" + strings.Join(args, ", ") + ")"
}

// serialSequence is pg_get_serial_sequence: the sequence that a column owns.
func serialSequence(c scope, a []datum) (datum, error) {
	o, err := (&Names{c.s, c.path}).RegIn(types.RegclassT, a[0].Str())
	if err != nil {
		return types.Null, err
	}
	r := c.s.RelationByOID(o)
	if r == nil {
		return types.Null, nil
	}
	col := r.Column(a[1].Str())
	if col == nil {
		return types.Null, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", a[1].Str(), r.Name)
	}
	if q := ownedSequence(c.s, r, col); q != nil {
		return text(qualified(q.Schema, q.Name)), nil
	}
	return types.Null, nil
}

// ownedSequence returns the sequence behind serial or identity, or one made OWNED BY the column.
func ownedSequence(s *catalog.Snapshot, r *catalog.Relation, col *catalog.Column) *catalog.Relation {
	if q := s.RelationByOID(col.OwnedSequence); q != nil && q.Kind == catalog.KindSequence {
		return q
	}
	if col.OwnedSequence != 0 || isSystem(r) {
		return nil
	}
	for _, q := range s.Relations() {
		if q.Sequence != nil && q.Sequence.OwnedBy == r.OID && q.Sequence.OwnedAttnum == col.Attnum {
			return q
		}
	}
	return nil
}
