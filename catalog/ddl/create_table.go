package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// maxColumns is how many columns a table may have.
const maxColumns = 1600

// createTable is CREATE TABLE.
func (r *run) createTable(n *pg_query.CreateStmt) error {
	if err := refuseTableOptions(n); err != nil {
		return err
	}
	rv := n.Relation
	rel, err := r.newRelation(rv, catalog.KindTable, n.IfNotExists)
	if err != nil || rel == nil {
		return err
	}
	if err := onCommit(rel, n.Oncommit); err != nil {
		return err
	}
	for _, o := range n.Options {
		d := o.GetDefElem()
		if d.Defname == "oids" {
			return pgerr.New(pgerr.FeatureNotSupported, "tables declared WITH OIDS are not supported").At(d.Location)
		}
		rel.Options = append(rel.Options, optionText(d))
	}
	b := &tableBuild{r: r, rel: rel}
	parents, err := b.inherit(n)
	if err != nil {
		return err
	}
	if err := b.elements(append(slices.Clone(n.TableElts), n.Constraints...)); err != nil {
		return err
	}
	if n.Partspec != nil {
		if r.c.Exprs == nil {
			return pgerr.Unsupported("PARTITION BY without a planner")
		}
		rel.Kind = catalog.KindPartitioned
		if err := b.partitionKey(n.Partspec); err != nil {
			return err
		}
	}
	if err := b.addAll(true); err != nil {
		return err
	}
	if rel.Kind == catalog.KindPartitioned {
		r.ch.PutRelation(b.rel)
	} else {
		if err := r.chooseCollection(b.rel); err != nil {
			return err
		}
		r.ch.PutRelation(b.rel)
		r.do(CreateCollection{b.rel})
	}
	if n.Partbound != nil {
		bound, err := r.bound(parents[0], b.rel.Name, n.Partbound)
		if err != nil {
			return err
		}
		return r.adopt(parents[0], b.rel.Clone(), bound)
	}
	for _, p := range parents {
		c := r.snap().RelationByOID(p.OID).Clone()
		c.Children = append(slices.Clone(c.Children), b.rel.OID)
		r.ch.PutRelation(c)
	}
	return nil
}

func refuseTableOptions(n *pg_query.CreateStmt) error {
	switch {
	case n.OfTypename != nil:
		return pgerr.Unsupported("CREATE TABLE OF")
	case n.Tablespacename != "" && n.Tablespacename != "pg_default":
		return pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", n.Tablespacename)
	case n.AccessMethod != "" && n.AccessMethod != "heap":
		return pgerr.New(pgerr.UndefinedObject, "access method \"%s\" does not exist", n.AccessMethod)
	}
	return nil
}

func onCommit(rel *catalog.Relation, a pg_query.OnCommitAction) error {
	switch a {
	case pg_query.OnCommitAction_ONCOMMIT_DELETE_ROWS:
		rel.OnCommit = 'd'
	case pg_query.OnCommitAction_ONCOMMIT_DROP:
		rel.OnCommit = 'D'
	case pg_query.OnCommitAction_ONCOMMIT_PRESERVE_ROWS:
	default:
		return nil
	}
	if rel.Persistence != 't' {
		return pgerr.New(pgerr.InvalidTableDefinition, "ON COMMIT can only be used on temporary tables")
	}
	return nil
}

// optionText is a storage parameter as pg_class.reloptions shows it.
func optionText(d *pg_query.DefElem) string {
	name := d.Defname
	if d.Defnamespace != "" {
		name = d.Defnamespace + "." + name
	}
	return name + "=" + defText(d.Arg, "true")
}

// newRelation makes an empty relation for a CREATE statement, or gives nil when it exists already and that is allowed.
func (r *run) newRelation(rv *pg_query.RangeVar, kind catalog.RelKind, ifNotExists bool) (*catalog.Relation, error) {
	if rv.Catalogname != "" && rv.Catalogname != r.snap().Database {
		return nil, pgerr.New(pgerr.FeatureNotSupported, "cross-database references are not implemented: \"%s.%s.%s\"", rv.Catalogname, rv.Schemaname, rv.Relname)
	}
	persistence := byte('p')
	if rv.Relpersistence != "" {
		persistence = rv.Relpersistence[0]
	}
	var sc *catalog.Schema
	var err error
	switch {
	case persistence == 't' && rv.Schemaname != "" && rv.Schemaname != "pg_temp" && !catalog.IsTemp(rv.Schemaname):
		return nil, pgerr.New(pgerr.InvalidTableDefinition, "cannot create temporary relation in non-temporary schema").At(rv.Location)
	case persistence == 't':
		sc, err = r.ensureTemp()
	default:
		sc, err = r.creationSchema(rv.Schemaname, rv.Location)
		if kind == catalog.KindTable {
			err = pgerr.At(err, rv.Location)
		}
	}
	if err != nil {
		return nil, err
	}
	if catalog.IsTemp(sc.Name) {
		persistence = 't'
	}
	if sc.OID == catalog.PgCatalogOID || sc.OID == catalog.ToastOID {
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create \"%s.%s\"", sc.Name, rv.Relname).
			WithDetail("System catalog modifications are currently disallowed.")
	}
	name := catalog.CutName(rv.Relname)
	if r.snap().ClassNameTaken(sc.OID, name) {
		if ifNotExists {
			r.notice(pgerr.DuplicateTable, "relation \"%s\" already exists, skipping", name)
			return nil, nil
		}
		return nil, pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", name)
	}
	if t := r.snap().TypeInSchema(sc.OID, name); t != nil && kind != catalog.KindSequence && !t.IsArray() {
		return nil, pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", name).
			WithHint("A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.")
	}
	rel := &catalog.Relation{
		OID: r.newOID(sc.Name), SchemaID: sc.OID, Schema: sc.Name, Name: name, Kind: kind, Owner: r.owner(), Persistence: persistence,
	}
	rel.ACL = r.newACL(rel.Securable(), rel.Owner, sc)
	if kind != catalog.KindSequence {
		rel.RowType, rel.Array = r.newOID(sc.Name), r.newOID(sc.Name)
	}
	return rel, nil
}

// tableBuild gathers the columns and constraints of a new table, or those that ALTER TABLE adds to one.
type tableBuild struct {
	r    *run
	rel  *catalog.Relation
	cols []*columnSpec
	// cons are the constraints in the order they were written.
	cons []*pg_query.Constraint
	// likes are the indexes that LIKE ... INCLUDING INDEXES copies.
	likes []likeIndex
	// fresh says that the table is new: it has no rows, and its indexes come with the collection.
	fresh bool
}

// elements reads the list between the parentheses.
func (b *tableBuild) elements(list []*pg_query.Node) error {
	var last *pg_query.Constraint
	for _, e := range list {
		switch n := e.GetNode().(type) {
		case *pg_query.Node_ColumnDef:
			if n.ColumnDef.TypeName == nil {
				return pgerr.Unsupported("column options of PARTITION OF")
			}
			s, err := b.r.column(n.ColumnDef, b.rel.Name, nil)
			if err != nil {
				return err
			}
			if merged, err := b.mergeColumn(s); err != nil {
				return err
			} else if merged {
				continue
			}
			if err := b.addColumn(s); err != nil {
				return err
			}
		case *pg_query.Node_Constraint:
			c := n.Constraint
			if isAttribute(c.Contype) {
				if last != nil {
					applyAttribute(last, c.Contype)
				}
				continue
			}
			b.cons = append(b.cons, c)
			last = c
		case *pg_query.Node_TableLikeClause:
			if err := b.like(n.TableLikeClause); err != nil {
				return err
			}
		default:
			return pgerr.Unsupported("this table element")
		}
	}
	return nil
}

func isAttribute(t pg_query.ConstrType) bool {
	return t >= pg_query.ConstrType_CONSTR_ATTR_DEFERRABLE && t <= pg_query.ConstrType_CONSTR_ATTR_IMMEDIATE
}

// addColumn appends a column to the relation under construction.
func (b *tableBuild) addColumn(s *columnSpec) error {
	if b.rel.Column(s.col.Name) != nil {
		return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" specified more than once", s.col.Name)
	}
	if len(b.rel.Columns) >= maxColumns {
		return pgerr.New(pgerr.TooManyColumns, "tables can have at most %d columns", maxColumns)
	}
	s.col.Attnum = int16(len(b.rel.Columns) + 1)
	b.rel.Columns = append(b.rel.Columns, s.col)
	b.cols = append(b.cols, s)
	b.cons = append(b.cons, s.constraints...)
	return nil
}

// addAll gives the relation everything that its column definitions and constraints ask for, in PostgreSQL's order:
// sequences, defaults, generation expressions, checks, keys, foreign keys.
func (b *tableBuild) addAll(fresh bool) error {
	b.fresh = fresh
	b.r.ch.PutRelation(b.rel)
	for _, s := range b.cols {
		if err := b.sequenceFor(s); err != nil {
			return err
		}
	}
	for _, s := range b.cols {
		if err := b.defaultFor(s); err != nil {
			return err
		}
	}
	for _, s := range b.cols {
		if err := b.generated(s); err != nil {
			return err
		}
	}
	for _, c := range b.cons {
		if c.Contype == pg_query.ConstrType_CONSTR_CHECK {
			if err := b.check(c); err != nil {
				return err
			}
		}
	}
	if err := b.keys(); err != nil {
		return err
	}
	for _, c := range b.cons {
		if c.Contype == pg_query.ConstrType_CONSTR_FOREIGN {
			if err := b.foreignKey(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// put makes the relation's present state visible to name lookups: constraints need the columns before them.
func (b *tableBuild) put() {
	b.rel = b.rel.Clone()
	b.r.ch.PutRelation(b.rel)
}

// setColumn replaces a column by a changed copy.
func (b *tableBuild) setColumn(attnum int16, f func(*catalog.Column)) *catalog.Column {
	return setColumn(b.rel, attnum, f)
}

func setColumn(rel *catalog.Relation, attnum int16, f func(*catalog.Column)) *catalog.Column {
	c := *rel.Columns[attnum-1]
	f(&c)
	rel.Columns[attnum-1] = &c
	return &c
}

// command names the statement in messages.
func (b *tableBuild) command() string {
	if b.fresh {
		return "CREATE TABLE"
	}
	return "ALTER TABLE"
}

// sequenceFor makes the sequence of a serial or identity column.
func (b *tableBuild) sequenceFor(s *columnSpec) error {
	if s.serial == nil && s.col.Identity == 0 {
		return nil
	}
	if s.col.Identity != 0 && s.col.Type != types.Int2T && s.col.Type != types.Int4T && s.col.Type != types.Int8T {
		return pgerr.New(pgerr.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
	}
	seq, err := b.r.ownedSequence(b.rel, s.col, s.options, s.col.Identity != 0)
	if err != nil {
		return err
	}
	b.r.debug("%s will create implicit sequence \"%s\" for serial column \"%s.%s\"", b.command(), seq.Name, b.rel.Name, s.col.Name)
	b.rel = b.rel.Clone()
	b.setColumn(s.col.Attnum, func(c *catalog.Column) {
		c.OwnedSequence = seq.OID
		if s.serial != nil {
			c.Default = b.r.nextvalText(seq)
		}
	})
	b.put()
	return nil
}

// nextvalText is the default expression of a serial column; stored text is qualified, to mean the same under every search
// path.
func (r *run) nextvalText(seq *catalog.Relation) string {
	return "nextval(" + literal(quote(seq.Schema)+"."+quote(seq.Name)) + "::regclass)"
}

func (b *tableBuild) defaultFor(s *columnSpec) error {
	if s.deflt == nil {
		return nil
	}
	text, _, err := b.r.bindDefault(s.deflt, s.col.Type, s.col.Typmod, s.col.Name)
	if err != nil {
		return err
	}
	if strings.EqualFold(text, "NULL") || strings.HasPrefix(text, "NULL::") {
		text = "" // DEFAULT NULL is no default
	}
	b.rel = b.rel.Clone()
	b.setColumn(s.col.Attnum, func(c *catalog.Column) { c.Default = text })
	b.put()
	return nil
}

// generatedFrom refuses generated columns, and the whole row with them, in a generation expression.
func (b *tableBuild) generatedFrom(n *pg_query.Node) error {
	var err error
	sql.Walk(n, func(ref *pg_query.ColumnRef) bool {
		last := ref.Fields[len(ref.Fields)-1]
		name := last.GetString_().GetSval()
		c := b.rel.Column(name)
		switch {
		case err != nil:
		case last.GetAStar() != nil || c == nil && len(ref.Fields) == 1 && name == b.rel.Name:
			err = pgerr.New(pgerr.InvalidObjectDefinition, "cannot use whole-row variable in column generation expression").
				WithDetail("This would cause the generated column to depend on its own value.").At(ref.Location)
		case c != nil && c.Generated != 0:
			err = pgerr.New(pgerr.InvalidObjectDefinition, "cannot use generated column \"%s\" in column generation expression", name).
				WithDetail("A generated column cannot reference another generated column.").At(ref.Location)
		}
		return false
	})
	return err
}

func (b *tableBuild) generated(s *columnSpec) error {
	if s.gen == nil {
		return nil
	}
	if err := refuse(s.gen, "column generation expression", "column generation expressions", false); err != nil {
		return err
	}
	if err := b.generatedFrom(s.gen); err != nil {
		return err
	}
	text, e, err := b.r.bind(b.rel, s.gen, s.col.Type, s.col.Typmod)
	if err != nil {
		return err
	}
	if !immutable(e) {
		return pgerr.New(pgerr.InvalidObjectDefinition, "generation expression is not immutable")
	}
	b.rel = b.rel.Clone()
	b.setColumn(s.col.Attnum, func(c *catalog.Column) { c.Default = text })
	b.put()
	return nil
}

// chooseCollection names the MongoDB collection of a new table.
func (r *run) chooseCollection(rel *catalog.Relation) error {
	name := rel.Name
	switch {
	case rel.Persistence == 't':
		name = r.c.Temp.Prefix + rel.Name
	case rel.SchemaID != catalog.PublicOID:
		name = rel.Schema + "." + rel.Name
	}
	if strings.HasPrefix(name, "system.") || strings.HasPrefix(name, "pgmongo.") && rel.Persistence != 't' {
		name = "_" + name
	}
	name = strings.NewReplacer("$", "_", "\x00", "_").Replace(name)
	if r.c.Physical == nil {
		rel.Collection = name
		return nil
	}
	for candidate, i := name, 1; ; i++ {
		taken, err := r.c.Physical.CollectionTaken(r.ctx, candidate)
		if err != nil {
			return err
		}
		if !taken {
			rel.Collection = candidate
			return nil
		}
		candidate = name + "~" + itoa(i)
	}
}
