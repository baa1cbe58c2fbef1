package ddl

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func itoa(i int) string { return strconv.Itoa(i) }

// volatility is the worst volatility of the functions that an expression calls: 'i', 's' or 'v'.
func volatility(e expr.Expr) byte {
	worst := byte('i')
	var visit func(expr.Expr)
	visit = func(e expr.Expr) {
		var p *expr.Proc
		switch x := e.(type) {
		case *expr.Call:
			p = x.Fn
		case *expr.ScalarArray:
			p = x.Op
		case *expr.IOCast:
			// A cast through text does what its types' functions do: an enum's or a date's text is not immutable.
			io := loadTypeIO()
			worst = max(worst, io.out(x.X.Type()), io.in(x.T))
		}
		if p != nil && p.Volatility > worst {
			worst = p.Volatility
		}
		for _, c := range e.Children() {
			visit(c)
		}
	}
	visit(e)
	return worst
}

// typeIO has the volatility of types' input and output functions, by OID of the type.
type typeIO struct{ input, output map[uint32]byte }

var loadTypeIO = sync.OnceValue(func() *typeIO {
	procs, volatile := facts.Load("pg_proc"), map[string]byte{}
	for _, row := range procs.Rows {
		volatile[row[procs.Col("proname")]] = row[procs.Col("provolatile")][0]
	}
	t := facts.Load("pg_type")
	f := &typeIO{map[uint32]byte{}, map[uint32]byte{}}
	for _, row := range t.Rows {
		oid, _ := strconv.ParseUint(row[t.Col("oid")], 10, 32)
		f.input[uint32(oid)], f.output[uint32(oid)] = volatile[row[t.Col("typinput")]], volatile[row[t.Col("typoutput")]]
	}
	return f
})

func (f *typeIO) in(t *types.T) byte  { return volatilityOf(f.input, t) }
func (f *typeIO) out(t *types.T) byte { return volatilityOf(f.output, t) }

// volatilityOf looks a type up; those of the database's own (enums, arrays, rows, ranges) have stable functions.
func volatilityOf(known map[uint32]byte, t *types.T) byte {
	t = t.BaseType()
	if v := known[t.OID]; v != 0 {
		return v
	}
	if t.OID >= catalog.FirstNormalOID && (t.Kind != 'b' || t.IsArray()) {
		return 's'
	}
	return 'i'
}

// immutable reports whether an expression calls immutable functions only; a nil one (unbound) passes.
func immutable(e expr.Expr) bool { return e == nil || volatility(e) == 'i' }

// check adds a CHECK constraint.
func (b *tableBuild) check(c *pg_query.Constraint) error {
	r := b.r
	if c.Conname != "" && hasConstraint(b.rel, c.Conname) {
		if slices.ContainsFunc(b.rel.Constraints, func(o *catalog.Constraint) bool { return o.Name == c.Conname && o.Type == catalog.ConCheck }) && b.fresh {
			return pgerr.New(pgerr.DuplicateObject, "check constraint \"%s\" already exists", c.Conname)
		}
		return pgerr.New(pgerr.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", c.Conname, b.rel.Name)
	}
	if err := refuse(c.RawExpr, "check constraint", "check constraints", false); err != nil {
		return err
	}
	text, e, err := r.bindCondition(b.rel, c.RawExpr, "CHECK")
	if err != nil {
		return err
	}
	used, _ := columnRefs(c.RawExpr)
	cols := attnums(b.rel, used)
	name := catalog.CutName(c.Conname)
	if name == "" {
		col := ""
		system := slices.ContainsFunc(used, func(name string) bool { return slices.Contains(systemColumns, name) })
		if len(cols) == 1 && !system {
			col = b.rel.ByAttnum(cols[0]).Name
		}
		name = r.constraintName(b.rel.SchemaID, b.rel.Name, col, "check", nil)
	}
	b.rel = b.rel.Clone()
	b.rel.Constraints = append(b.rel.Constraints, &catalog.Constraint{
		OID: r.newOID(b.rel.Schema), Name: name, Type: catalog.ConCheck, Columns: cols, Check: text, NotValid: b.notValid(c), NoInherit: c.IsNoInherit,
	})
	b.put()
	if !b.fresh && !c.SkipValidation {
		r.do(CheckRows{Table: b.rel, Name: name, Cond: e})
	}
	return nil
}

// bindCondition binds a boolean expression; what names its place in the error for other types.
func (r *run) bindCondition(rel *catalog.Relation, n *pg_query.Node, what string) (string, expr.Expr, error) {
	text, e, err := r.bind(rel, n, types.BoolT, -1)
	if pgerr.Is(err, pgerr.DatatypeMismatch) || pgerr.Is(err, pgerr.CannotCoerce) {
		if _, plain, perr := r.bind(rel, n, nil, -1); perr == nil {
			return "", nil, pgerr.New(pgerr.DatatypeMismatch, "argument of %s must be type boolean, not type %s", what, types.FormatType(plain.Type(), -1)).At(location(n))
		}
	}
	if what == "CHECK" {
		err = reword(err, "check constraints")
	} else {
		err = reword(err, "index predicates")
	}
	return text, e, err
}

// reword puts the place into an error about what no definition may hold; the binder words it for defaults.
func reword(err error, place string) error {
	const binders = " in DEFAULT expressions"
	var e *pgerr.Error
	if !errors.As(err, &e) || !strings.HasSuffix(e.Message, binders) {
		return err
	}
	n := *e
	n.Message = strings.TrimSuffix(e.Message, binders) + " in " + place
	return &n
}

// location is the byte position of an expression in the statement, -1 when its node has none.
func location(n *pg_query.Node) int32 {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_ColumnRef:
		return x.ColumnRef.Location
	case *pg_query.Node_AConst:
		return x.AConst.Location
	case *pg_query.Node_FuncCall:
		return x.FuncCall.Location
	case *pg_query.Node_AExpr:
		return x.AExpr.Location
	case *pg_query.Node_TypeCast:
		return x.TypeCast.Location
	}
	return -1
}

func hasConstraint(rel *catalog.Relation, name string) bool {
	return slices.ContainsFunc(rel.Constraints, func(c *catalog.Constraint) bool { return c.Name == name })
}

// keys adds primary keys and unique constraints with their indexes: the primary key first, then the rest in order; of two
// the same, one is made.
func (b *tableBuild) keys() error {
	var list []*pg_query.Constraint
	for _, c := range b.cons {
		switch c.Contype {
		case pg_query.ConstrType_CONSTR_PRIMARY:
			if b.rel.PrimaryKey() != nil || len(list) > 0 && list[0].Contype == pg_query.ConstrType_CONSTR_PRIMARY {
				return pgerr.New(pgerr.InvalidTableDefinition, "multiple primary keys for table \"%s\" are not allowed", b.rel.Name).At(c.Location)
			}
			list = slices.Insert(list, 0, c)
		case pg_query.ConstrType_CONSTR_UNIQUE:
			list = append(list, c)
		}
	}
	var made []*pg_query.Constraint
	for _, c := range list {
		if c.Indexname != "" {
			if err := b.usingIndex(c); err != nil {
				return err
			}
			continue
		}
		// An unnamed key over the same columns as one before it is the same key.
		same := slices.ContainsFunc(made, func(m *pg_query.Constraint) bool {
			return (c.Conname == "" || c.Conname == m.Conname) && slices.Equal(names(m.Keys), names(c.Keys)) && m.NullsNotDistinct == c.NullsNotDistinct &&
				m.Deferrable == c.Deferrable && m.Initdeferred == c.Initdeferred
		})
		if same {
			continue
		}
		if err := b.key(c); err != nil {
			return err
		}
		made = append(made, c)
	}
	for _, c := range b.cons {
		if c.Contype == pg_query.ConstrType_CONSTR_EXCLUSION {
			if err := b.exclusion(c); err != nil {
				return err
			}
		}
	}
	for _, l := range b.likes {
		if err := b.likeIndex(l); err != nil {
			return err
		}
	}
	return nil
}

// key adds one primary key or unique constraint and its index.
func (b *tableBuild) key(c *pg_query.Constraint) error {
	r := b.r
	primary := c.Contype == pg_query.ConstrType_CONSTR_PRIMARY
	idx := &catalog.Index{Method: "btree", Unique: true, Primary: primary, NullsNotDistinct: c.NullsNotDistinct}
	var cols []int16
	for _, k := range names(c.Keys) {
		col := b.rel.Column(k)
		if col == nil {
			if slices.Contains(systemColumns, k) {
				return pgerr.New(pgerr.FeatureNotSupported, "index creation on system columns is not supported")
			}
			switch {
			case b.fresh:
				return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" named in key does not exist", k).At(c.Location)
			case primary:
				return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", k, b.rel.Name)
			}
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" named in key does not exist", k)
		}
		if slices.Contains(cols, col.Attnum) {
			what := "unique"
			if primary {
				what = "primary key"
			}
			return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" appears twice in %s constraint", k, what).At(c.Location)
		}
		key, err := r.indexKey(col.Type, "btree", nil, 0)
		if err != nil {
			return err
		}
		key.Attnum, key.Collation = col.Attnum, col.Collation
		idx.Keys = append(idx.Keys, key)
		cols = append(cols, col.Attnum)
	}
	for _, k := range names(c.Including) {
		col := b.rel.Column(k)
		if col == nil {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" named in key does not exist", k).At(c.Location)
		}
		idx.Include = append(idx.Include, col.Attnum)
	}
	if primary {
		b.rel = b.rel.Clone()
		for _, n := range cols {
			if col := b.rel.ByAttnum(n); !col.NotNull {
				nn := b.setColumn(n, func(c *catalog.Column) { c.NotNull = true })
				if !b.fresh {
					r.do(CheckRows{Table: b.rel, NotNull: nn})
				}
			}
		}
		b.put()
	}
	name := catalog.CutName(c.Conname)
	switch {
	case name != "":
		if r.snap().ClassNameTaken(b.rel.SchemaID, name) {
			return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", name)
		}
		if hasConstraint(b.rel, name) {
			return pgerr.New(pgerr.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", name, b.rel.Name)
		}
	case primary:
		name = r.relationName(b.rel.SchemaID, b.rel.Name, "", "pkey", true)
	default:
		name = r.relationName(b.rel.SchemaID, b.rel.Name, joinNames(append(names(c.Keys), names(c.Including)...)), "key", true)
	}
	idx.OID, idx.Name = r.newOID(b.rel.Schema), name
	con := &catalog.Constraint{
		OID: r.newOID(b.rel.Schema), Name: name, Type: catalog.ConUnique, Columns: cols, Index: idx.OID, Deferrable: c.Deferrable, InitiallyDeferred: c.Initdeferred,
	}
	if primary {
		con.Type = catalog.ConPrimary
	}
	r.debugIndex(b.command(), name, b.rel.Name, con)
	return b.addIndex(idx, con)
}

// usingIndex is ADD CONSTRAINT ... USING INDEX.
func (b *tableBuild) usingIndex(c *pg_query.Constraint) error {
	r := b.r
	ref, ok := r.snap().IndexIn(b.rel.Schema, c.Indexname)
	if !ok {
		return pgerr.New(pgerr.UndefinedObject, "index \"%s\" does not exist", c.Indexname).At(c.Location)
	}
	if ref.Table.OID != b.rel.OID {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "index \"%s\" does not belong to table \"%s\"", c.Indexname, b.rel.Name).At(c.Location)
	}
	if slices.ContainsFunc(b.rel.Constraints, func(o *catalog.Constraint) bool { return o.Index == ref.Index.OID && o.Type != catalog.ConForeign }) {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "index \"%s\" is already associated with a constraint", c.Indexname).At(c.Location)
	}
	if !ref.Index.Unique {
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a unique index", c.Indexname).WithDetail("Cannot create a primary key or unique constraint using such an index.").At(c.Location)
	}
	var cols []int16
	for _, k := range ref.Index.Keys {
		if k.Attnum == 0 {
			return pgerr.New(pgerr.WrongObjectType, "index \"%s\" contains expressions", c.Indexname).WithDetail("Cannot create a primary key or unique constraint using such an index.").At(c.Location)
		}
		cols = append(cols, k.Attnum)
	}
	if ref.Index.Where != "" {
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is a partial index", c.Indexname).WithDetail("Cannot create a primary key or unique constraint using such an index.").At(c.Location)
	}
	idx := *ref.Index
	con := &catalog.Constraint{OID: r.newOID(b.rel.Schema), Name: catalog.CutName(c.Conname), Type: catalog.ConUnique, Columns: cols, Index: idx.OID, Deferrable: c.Deferrable, InitiallyDeferred: c.Initdeferred}
	b.rel = b.rel.Clone()
	if c.Contype == pg_query.ConstrType_CONSTR_PRIMARY {
		con.Type, idx.Primary = catalog.ConPrimary, true
		for _, n := range cols {
			if !b.rel.ByAttnum(n).NotNull {
				nn := b.setColumn(n, func(c *catalog.Column) { c.NotNull = true })
				r.do(CheckRows{Table: b.rel, NotNull: nn})
			}
		}
	}
	switch {
	case con.Name == "":
		con.Name = idx.Name
	case con.Name != idx.Name:
		if r.snap().ClassNameTaken(b.rel.SchemaID, con.Name) {
			return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", con.Name)
		}
		r.notice(pgerr.SuccessfulCompletion, "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"%s\" to \"%s\"", idx.Name, con.Name)
		idx.Name = con.Name
	}
	replaceIndex(b.rel, &idx)
	b.rel.Constraints = append(b.rel.Constraints, con)
	if !con.Deferrable {
		b.put()
		return nil
	}
	deferred := idx
	var err error
	b.rel, err = r.remapIndex(b.rel, ref.Index, &deferred, con)
	return err
}

func replaceIndex(rel *catalog.Relation, idx *catalog.Index) {
	for i, o := range rel.Indexes {
		if o.OID == idx.OID {
			rel.Indexes[i] = idx
		}
	}
}

// foreignKey adds a foreign key.
func (b *tableBuild) foreignKey(c *pg_query.Constraint) error {
	r := b.r
	parent, err := r.relation(c.Pktable)
	if err != nil {
		return err
	}
	if !parent.IsTable() || isSystem(parent) {
		return pgerr.New(pgerr.WrongObjectType, "referenced relation \"%s\" is not a table", parent.Name)
	}
	if parent.Kind == catalog.KindPartitioned {
		return pgerr.Unsupported("a foreign key to a partitioned table")
	}
	if (parent.Persistence == 't') != (b.rel.Persistence == 't') {
		kind := map[byte]string{'t': "temporary", 'p': "permanent", 'u': "unlogged"}[b.rel.Persistence]
		return pgerr.New(pgerr.InvalidTableDefinition, "constraints on %s tables may reference only %s tables", kind, kind)
	}
	cols, err := keyColumns(b.rel, c.FkAttrs)
	if err != nil {
		return err
	}
	refCols, index, err := referencedKey(parent, c.PkAttrs)
	if err != nil {
		return err
	}
	if err := r.mayReference(parent, refCols); err != nil {
		return err
	}
	if len(cols) != len(refCols) {
		return pgerr.New(pgerr.InvalidForeignKey, "number of referencing and referenced columns for foreign key disagree")
	}
	name := catalog.CutName(c.Conname)
	if name == "" {
		name = r.constraintName(b.rel.SchemaID, b.rel.Name, joinNames(names(c.FkAttrs)), "fkey", nil)
	} else if hasConstraint(b.rel, name) {
		return pgerr.New(pgerr.DuplicateObject, "constraint \"%s\" for relation \"%s\" already exists", name, b.rel.Name)
	}
	for i := range cols {
		x, y := b.rel.ByAttnum(cols[i]), parent.ByAttnum(refCols[i])
		if !r.comparable(x.Type, y.Type) {
			return pgerr.New(pgerr.DatatypeMismatch, "foreign key constraint \"%s\" cannot be implemented", name).
				WithDetail("Key columns \"%s\" and \"%s\" are of incompatible types: %s and %s.", x.Name, y.Name, types.FormatType(x.Type, -1), types.FormatType(y.Type, -1))
		}
		for _, c := range []*catalog.Column{x, y} {
			if coll := r.snap().CollationByOID(c.Collation); coll != nil && !coll.Deterministic {
				return pgerr.Unsupported("a foreign key under a nondeterministic collation")
			}
		}
		if !uniqueAble(y.Type) {
			// Rows that refer to a key are found by MongoDB's equality: 1 day is not 24 hours to it.
			return pgerr.Unsupported("a foreign key on type " + types.FormatType(y.Type, -1))
		}
		if err := generatedActions(x, c); err != nil {
			return err
		}
	}
	con := &catalog.Constraint{
		OID: r.newOID(b.rel.Schema), Name: name, Type: catalog.ConForeign, Columns: cols, Index: index, RefRelation: parent.OID, RefColumns: refCols,
		OnUpdate: action(c.FkUpdAction), OnDelete: action(c.FkDelAction), Match: action1(c.FkMatchtype, 's'), Deferrable: c.Deferrable,
		InitiallyDeferred: c.Initdeferred, NotValid: b.notValid(c),
	}
	if con.Match == 'p' {
		return pgerr.New(pgerr.FeatureNotSupported, "MATCH PARTIAL not yet implemented").At(c.Location)
	}
	if len(c.FkDelSetCols) > 0 {
		if con.SetColumns, err = keyColumns(b.rel, c.FkDelSetCols); err != nil {
			return err
		}
		for _, col := range con.SetColumns {
			if !slices.Contains(cols, col) {
				return pgerr.New(pgerr.InvalidColumnReference, "column \"%s\" referenced in ON DELETE SET action must be part of foreign key", b.rel.ByAttnum(col).Name)
			}
		}
	}
	b.rel = b.rel.Clone()
	b.rel.Constraints = append(b.rel.Constraints, con)
	b.put()
	if !b.fresh && !c.SkipValidation {
		r.do(CheckForeignKey{Table: b.rel, Referenced: parent, Constraint: con})
	}
	return nil
}

// notValid reports whether a constraint leaves the rows there are unchecked. A new table has none: CREATE TABLE ... NOT VALID
// makes a valid constraint.
func (b *tableBuild) notValid(c *pg_query.Constraint) bool { return c.SkipValidation && !b.fresh }

func generatedActions(col *catalog.Column, c *pg_query.Constraint) error {
	if col.Generated == 0 {
		return nil
	}
	if u := action(c.FkUpdAction); u != 'a' && u != 'r' {
		return pgerr.New(pgerr.SyntaxError, "invalid %s action for foreign key constraint containing generated column", "ON UPDATE")
	}
	if d := action(c.FkDelAction); d == 'n' || d == 'd' {
		return pgerr.New(pgerr.SyntaxError, "invalid %s action for foreign key constraint containing generated column", "ON DELETE")
	}
	return nil
}

func action(s string) byte { return action1(s, 'a') }

func action1(s string, def byte) byte {
	if s == "" {
		return def
	}
	return s[0]
}

// keyColumns finds the columns that a foreign key names.
func keyColumns(rel *catalog.Relation, list []*pg_query.Node) ([]int16, error) {
	var out []int16
	for _, n := range names(list) {
		c := rel.Column(n)
		if c == nil {
			if slices.Contains(systemColumns, n) {
				return nil, pgerr.New(pgerr.FeatureNotSupported, "system columns cannot be used in foreign keys")
			}
			return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" referenced in foreign key constraint does not exist", n)
		}
		out = append(out, c.Attnum)
	}
	return out, nil
}

// referencedKey finds the unique index that the referenced columns have, or the primary key when none are named.
func referencedKey(parent *catalog.Relation, list []*pg_query.Node) ([]int16, uint32, error) {
	if len(list) == 0 {
		pk := parent.PrimaryKey()
		if pk == nil {
			return nil, 0, pgerr.New(pgerr.UndefinedObject, "there is no primary key for referenced table \"%s\"", parent.Name)
		}
		if pk.Deferrable {
			return nil, 0, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cannot use a deferrable primary key for referenced table \"%s\"", parent.Name)
		}
		return pk.Columns, pk.Index, nil
	}
	cols, err := keyColumns(parent, list)
	if err != nil {
		return nil, 0, err
	}
	want := slices.Sorted(slices.Values(cols))
	for i := 1; i < len(want); i++ {
		if want[i] == want[i-1] {
			return nil, 0, pgerr.New(pgerr.InvalidForeignKey, "foreign key referenced-columns list must not contain duplicates")
		}
	}
	deferrable := false
	for _, idx := range parent.Indexes {
		if !idx.Unique || idx.Where != "" || idx.Invalid {
			continue
		}
		var have []int16
		for _, k := range idx.Keys {
			have = append(have, k.Attnum)
		}
		slices.Sort(have)
		if !slices.Equal(have, want) {
			continue
		}
		if con := parent.ConstraintOf(idx); con == nil || !con.Deferrable {
			return cols, idx.OID, nil
		}
		deferrable = true
	}
	if deferrable {
		return nil, 0, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "cannot use a deferrable unique constraint for referenced table \"%s\"", parent.Name)
	}
	return nil, 0, pgerr.New(pgerr.InvalidForeignKey, "there is no unique constraint matching given keys for referenced table \"%s\"", parent.Name)
}

// comparable reports whether a foreign key can compare two types.
func (r *run) comparable(a, b *types.T) bool {
	a, b = a.BaseType(), b.BaseType()
	if a == b {
		return true
	}
	family := func(t *types.T) int {
		switch t {
		case types.Int2T, types.Int4T, types.Int8T:
			return 1
		case types.NumericT:
			return 2
		case types.Float4T, types.Float8T:
			return 3
		case types.TextT, types.VarcharT, types.NameT:
			return 4
		case types.BpcharT:
			return 5
		case types.DateT, types.TimestampT, types.TimestampTZT:
			return 6
		}
		return 0
	}
	fa, fb := family(a), family(b)
	switch {
	case fa == 0 || fb == 0:
		return false
	case fa == fb:
		return true
	}
	// The referencing value is implicitly cast to the referenced type.
	return fa == 1 && (fb == 2 || fb == 3) || fa == 2 && fb == 3 || fa == 4 && fb == 5 || fa == 5 && fb == 4
}
