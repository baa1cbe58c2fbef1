package ddl

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/catalog/indexkey"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// opclass is a row of pg_opclass.
type opclass struct {
	oid, method, in uint32
	name            string
	deflt           bool
}

type indexFacts struct {
	methods map[string]uint32
	classes []opclass
}

var loadIndexFacts = sync.OnceValue(func() *indexFacts {
	f := &indexFacts{methods: map[string]uint32{}}
	num := func(s string) uint32 {
		n, _ := strconv.ParseUint(s, 10, 32)
		return uint32(n)
	}
	am := facts.Load("pg_am")
	for _, row := range am.Rows {
		if row[am.Col("amtype")] == "i" {
			f.methods[row[am.Col("amname")]] = num(row[am.Col("oid")])
		}
	}
	oc := facts.Load("pg_opclass")
	for _, row := range oc.Rows {
		f.classes = append(f.classes, opclass{
			oid: num(row[oc.Col("oid")]), method: num(row[oc.Col("opcmethod")]), in: num(row[oc.Col("opcintype")]),
			name: row[oc.Col("opcname")], deflt: row[oc.Col("opcdefault")] == "t",
		})
	}
	return f
})

// Pseudo-types and types that an operator class may be declared for.
const (
	anyArrayOID      = 2277
	anyEnumOID       = 3500
	anyRangeOID      = 3831
	anyMultirangeOID = 4537
	recordOID        = 2249
	textOID          = 25
)

// accepts reports how well a class's input type suits t: 0 not, 2 exactly, 1 through binary coercion or polymorphism.
func (c opclass) accepts(t *types.T) int {
	b := t.BaseType()
	switch {
	case c.in == b.OID:
		return 2
	case c.in == textOID && b == types.VarcharT:
		return 1
	case c.in == anyArrayOID && b.IsArray(), c.in == anyEnumOID && b.Kind == 'e', c.in == anyRangeOID && b.Kind == 'r',
		c.in == anyMultirangeOID && b.Kind == 'm', c.in == recordOID && b.Kind == 'c':
		return 1
	}
	return 0
}

// opclasses lists the operator classes of an index method: the built-in ones and the database's own.
func (r *run) opclasses(method string) []opclass {
	f := loadIndexFacts()
	var list []opclass
	for _, c := range f.classes {
		if c.method == f.methods[method] {
			list = append(list, c)
		}
	}
	for _, c := range r.snap().OpClasses(method) {
		list = append(list, opclass{oid: c.OID, in: c.Input, name: c.Name, deflt: c.Default})
	}
	return list
}

// indexKey resolves the operator class of a key of type t; class is its name as written, nil for the default.
func (r *run) indexKey(t *types.T, method string, class []*pg_query.Node, coll uint32) (catalog.IndexKey, error) {
	classes := r.opclasses(method)
	best, score := opclass{}, 0
	if len(class) == 0 {
		for _, c := range classes {
			if c.deflt && c.accepts(t) > score {
				best, score = c, c.accepts(t)
			}
		}
		if score == 0 && method == "gist" && r.hasExtension("btree_gist") && types.Sortable(t) {
			return catalog.IndexKey{Collation: coll}, nil // a class of the extension's, which has no OID here
		}
		if score == 0 {
			return catalog.IndexKey{}, pgerr.New(pgerr.UndefinedObject, "data type %s has no default operator class for access method \"%s\"", types.FormatType(t, -1), method).
				WithHint("You must specify an operator class for the index or define a default operator class for the data type.")
		}
		return catalog.IndexKey{OpClass: best.oid, Collation: coll}, nil
	}
	parts := names(class)
	name, known := parts[len(parts)-1], false
	for _, c := range classes {
		if c.name != name {
			continue
		}
		known = true
		if s := c.accepts(t); s > score {
			best, score = c, s
		}
	}
	switch {
	case !known:
		return catalog.IndexKey{}, pgerr.New(pgerr.UndefinedObject, "operator class \"%s\" does not exist for access method \"%s\"", strings.Join(parts, "."), method)
	case score == 0:
		return catalog.IndexKey{}, pgerr.New(pgerr.DatatypeMismatch, "operator class \"%s\" does not accept data type %s", strings.Join(parts, "."), types.FormatType(t, -1))
	}
	return catalog.IndexKey{OpClass: best.oid, OpClassSet: !best.deflt, Collation: coll}, nil
}

// methodAbilities says what index methods cannot do.
type methodAbilities struct{ unique, multi, include, order bool }

func abilities(method string) methodAbilities {
	switch method {
	case "btree":
		return methodAbilities{unique: true, multi: true, include: true, order: true}
	case "gist":
		return methodAbilities{multi: true, include: true}
	case "gin", "brin":
		return methodAbilities{multi: true}
	case "spgist":
		return methodAbilities{include: true}
	}
	return methodAbilities{} // hash
}

// createIndex is CREATE INDEX.
func (r *run) createIndex(n *pg_query.IndexStmt) error {
	rel, err := r.relation(n.Relation)
	if err != nil {
		return err
	}
	switch {
	case isSystem(rel):
		return systemError(rel)
	case !rel.IsTable() && rel.Kind != catalog.KindMatView:
		return pgerr.New(pgerr.WrongObjectType, "cannot create index on relation \"%s\"", rel.Name).WithDetail("This operation is not supported for %ss.", rel.Kind.Name())
	case len(rel.Unwind) > 0:
		return pgerr.Unsupported("an index of the elements of an array")
	case rel.ReadOnly:
		return pgerr.New(pgerr.WrongObjectType, "cannot create index on relation \"%s\"", rel.Name).WithDetail("It is a view or time series of MongoDB.")
	}
	method := n.AccessMethod
	if method == "" {
		method = "btree"
	}
	if method == "rtree" {
		r.notice(pgerr.SuccessfulCompletion, "substituting access method \"gist\" for obsolete method \"rtree\"")
		method = "gist"
	}
	if len(r.opclasses(method)) == 0 {
		return pgerr.New(pgerr.UndefinedObject, "access method \"%s\" does not exist", method)
	}
	can := abilities(method)
	switch {
	case n.Unique && !can.unique:
		return pgerr.New(pgerr.FeatureNotSupported, "access method \"%s\" does not support unique indexes", method)
	case len(n.IndexIncludingParams) > 0 && !can.include:
		return pgerr.New(pgerr.FeatureNotSupported, "access method \"%s\" does not support included columns", method)
	case len(n.IndexParams) > 1 && !can.multi:
		return pgerr.New(pgerr.FeatureNotSupported, "access method \"%s\" does not support multicolumn indexes", method)
	case len(n.IndexParams)+len(n.IndexIncludingParams) > 32:
		return pgerr.New(pgerr.TooManyColumns, "cannot use more than %d columns in an index", 32)
	}
	idx := &catalog.Index{Method: method, Unique: n.Unique, NullsNotDistinct: n.NullsNotDistinct}
	colNames, err := r.indexColumns(rel, idx, n)
	if err != nil {
		return err
	}
	if err := r.indexPredicate(rel, idx, n.WhereClause); err != nil {
		return err
	}
	for _, o := range n.Options {
		idx.Options = append(idx.Options, optionText(o.GetDefElem()))
	}
	name := catalog.CutName(n.Idxname)
	if name == "" {
		name = r.relationName(rel.SchemaID, rel.Name, joinNames(colNames), "idx", false)
	} else if r.snap().ClassNameTaken(rel.SchemaID, name) {
		if n.IfNotExists {
			r.notice(pgerr.DuplicateTable, "relation \"%s\" already exists, skipping", name)
			return nil
		}
		return pgerr.New(pgerr.DuplicateTable, "relation \"%s\" already exists", name)
	}
	idx.OID, idx.Name = r.newOID(rel.Schema), name
	b := &tableBuild{r: r, rel: rel}
	return b.addIndex(idx, nil)
}

// indexPredicate gives an index its WHERE; n may be nil.
func (r *run) indexPredicate(rel *catalog.Relation, idx *catalog.Index, n *pg_query.Node) error {
	if n == nil {
		return nil
	}
	if err := refuse(n, "index predicate", "index predicates", false); err != nil {
		return err
	}
	text, e, err := r.bindCondition(rel, n, "WHERE")
	if err != nil {
		return err
	}
	if !immutable(e) {
		return pgerr.New(pgerr.InvalidObjectDefinition, "functions in index predicate must be marked IMMUTABLE")
	}
	idx.Where = text
	return nil
}

// indexColumns fills in an index's keys and returns the names that a generated index name is made of.
func (r *run) indexColumns(rel *catalog.Relation, idx *catalog.Index, n *pg_query.IndexStmt) ([]string, error) {
	var used []string
	can := abilities(idx.Method)
	for _, p := range n.IndexParams {
		e := p.GetIndexElem()
		key, name, err := r.indexElem(rel, idx.Method, e)
		if err != nil {
			return nil, err
		}
		if !can.order && (e.Ordering > pg_query.SortByDir_SORTBY_DEFAULT || e.NullsOrdering > pg_query.SortByNulls_SORTBY_NULLS_DEFAULT) {
			what := "ASC/DESC"
			if e.Ordering <= pg_query.SortByDir_SORTBY_DEFAULT {
				what = "NULLS FIRST/LAST"
			}
			return nil, pgerr.New(pgerr.FeatureNotSupported, "access method \"%s\" does not support %s options", idx.Method, what)
		}
		key.Desc = e.Ordering == pg_query.SortByDir_SORTBY_DESC
		key.NullsFirst = key.Desc
		switch e.NullsOrdering {
		case pg_query.SortByNulls_SORTBY_NULLS_FIRST:
			key.NullsFirst = true
		case pg_query.SortByNulls_SORTBY_NULLS_LAST:
			key.NullsFirst = false
		}
		idx.Keys = append(idx.Keys, key)
		used = append(used, distinctName(used, name))
	}
	for _, p := range n.IndexIncludingParams {
		e := p.GetIndexElem()
		if e.Expr != nil {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "expressions are not supported in included columns")
		}
		col := rel.Column(e.Name)
		if col == nil {
			return nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", e.Name)
		}
		idx.Include = append(idx.Include, col.Attnum)
		used = append(used, distinctName(used, e.Name))
	}
	return used, nil
}

// distinctName appends a number to a name while another column of the index has it.
func distinctName(used []string, name string) string {
	for i, n := 1, name; ; i++ {
		if !slices.Contains(used, n) {
			return n
		}
		num := itoa(i)
		n = clip(name, catalog.MaxName-len(num)) + num
	}
}

func (r *run) indexElem(rel *catalog.Relation, method string, e *pg_query.IndexElem) (catalog.IndexKey, string, error) {
	coll := uint32(0)
	if len(e.Collation) > 0 {
		var err error
		if coll, err = r.collation(e.Collation, -1); err != nil {
			return catalog.IndexKey{}, "", err
		}
	}
	if e.Expr == nil {
		col := rel.Column(e.Name)
		if col == nil {
			if slices.Contains(systemColumns, e.Name) {
				return catalog.IndexKey{}, "", pgerr.New(pgerr.FeatureNotSupported, "index creation on system columns is not supported")
			}
			return catalog.IndexKey{}, "", pgerr.New(pgerr.UndefinedColumn, "column \"%s\" does not exist", e.Name)
		}
		if coll == 0 {
			coll = col.Collation
		}
		key, err := r.indexKey(col.Type, method, e.Opclass, coll)
		key.Attnum = col.Attnum
		return key, col.Name, err
	}
	if err := refuse(e.Expr, "index expression", "index expressions", false); err != nil {
		return catalog.IndexKey{}, "", err
	}
	text, bound, err := r.bind(rel, e.Expr, nil, -1)
	if err != nil {
		return catalog.IndexKey{}, "", err
	}
	if !immutable(bound) {
		return catalog.IndexKey{}, "", pgerr.New(pgerr.InvalidObjectDefinition, "functions in index expression must be marked IMMUTABLE")
	}
	key := catalog.IndexKey{Expr: text, Collation: coll}
	if bound != nil {
		if key, err = r.indexKey(bound.Type(), method, e.Opclass, coll); err != nil {
			return catalog.IndexKey{}, "", err
		}
		key.Expr = text
		if coll == 0 {
			key.Collation = bound.Type().Collation
		}
	}
	name := e.Indexcolname
	if name == "" {
		name = figureName(e.Expr)
	}
	return key, name, nil
}

// figureName is the name that an index column gets from its expression.
func figureName(n *pg_query.Node) string {
	if name := figure(n); name != "" {
		return name
	}
	return "expr"
}

func figure(n *pg_query.Node) string {
	switch x := n.GetNode().(type) {
	case *pg_query.Node_ColumnRef:
		for i := len(x.ColumnRef.Fields) - 1; i >= 0; i-- {
			if s := x.ColumnRef.Fields[i].GetString_(); s != nil {
				return s.Sval
			}
		}
	case *pg_query.Node_FuncCall:
		f := names(x.FuncCall.Funcname)
		return f[len(f)-1]
	case *pg_query.Node_TypeCast:
		if name := figure(x.TypeCast.Arg); name != "" {
			return name
		}
		t := names(x.TypeCast.TypeName.Names)
		if len(t) > 0 {
			return t[len(t)-1]
		}
	case *pg_query.Node_CollateClause:
		return figure(x.CollateClause.Arg)
	case *pg_query.Node_AIndirection:
		for i := len(x.AIndirection.Indirection) - 1; i >= 0; i-- {
			if s := x.AIndirection.Indirection[i].GetString_(); s != nil {
				return s.Sval
			}
		}
		return figure(x.AIndirection.Arg)
	case *pg_query.Node_CoalesceExpr:
		return "coalesce"
	case *pg_query.Node_CaseExpr:
		if name := figure(x.CaseExpr.Defresult); name != "" {
			return name
		}
		return "case"
	case *pg_query.Node_MinMaxExpr:
		if x.MinMaxExpr.Op == pg_query.MinMaxOp_IS_LEAST {
			return "least"
		}
		return "greatest"
	case *pg_query.Node_AArrayExpr:
		return "array"
	case *pg_query.Node_RowExpr:
		return "row"
	case *pg_query.Node_AExpr:
		if x.AExpr.Kind == pg_query.A_Expr_Kind_AEXPR_NULLIF {
			return "nullif"
		}
	}
	return ""
}

// debugIndex tells clients that ask for it that a constraint makes an index.
func (r *run) debugIndex(command, index, table string, con *catalog.Constraint) {
	what := map[byte]string{catalog.ConPrimary: "PRIMARY KEY", catalog.ConUnique: "UNIQUE", catalog.ConExclude: "EXCLUDE"}[con.Type]
	if command == "ALTER TABLE" {
		what = "ADD " + what
	}
	r.debug("%s / %s will create implicit index \"%s\" for table \"%s\"", command, what, index, table)
}

// addIndex gives the relation an index, with the constraint that it serves if any, and decides how MongoDB holds it.
func (b *tableBuild) addIndex(idx *catalog.Index, con *catalog.Constraint) error {
	if b.rel.Kind == catalog.KindPartitioned {
		return b.addPartitioned(idx, con)
	}
	b.rel = b.rel.Clone()
	if err := b.mapIndex(idx, con); err != nil {
		return err
	}
	b.rel.Indexes = append(b.rel.Indexes, idx)
	if con != nil {
		b.rel.Constraints = append(b.rel.Constraints, con)
	}
	b.put()
	if b.fresh {
		return nil
	}
	return b.r.buildIndex(b.rel, idx)
}

// addPartitioned records an index of a partitioned table and makes its parts, the partitions' own indexes.
func (b *tableBuild) addPartitioned(idx *catalog.Index, con *catalog.Constraint) error {
	if idx.Unique {
		if err := b.coversPartitionKey(idx, con); err != nil {
			return err
		}
	}
	b.rel = b.rel.Clone()
	b.rel.Indexes = append(b.rel.Indexes, idx)
	if con != nil {
		b.rel.Constraints = append(b.rel.Constraints, con)
	}
	b.put()
	for _, oid := range b.rel.Children {
		child := b.r.snap().RelationByOID(oid).Clone()
		attnums := map[int16]int16{}
		for _, c := range b.rel.Live() {
			attnums[c.Attnum] = child.Column(c.Name).Attnum
		}
		if con != nil && con.Type == catalog.ConPrimary {
			for _, n := range con.Columns {
				if c := child.ByAttnum(attnums[n]); !c.NotNull {
					nn := setColumn(child, c.Attnum, func(c *catalog.Column) { c.NotNull = true })
					b.r.do(CheckRows{Table: child, NotNull: nn})
				}
			}
		}
		l := likeIndex{source: b.rel, index: idx, con: con, attnums: attnums, part: true}
		if err := (&tableBuild{r: b.r, rel: child}).likeIndex(l); err != nil {
			return err
		}
	}
	return nil
}

// coversPartitionKey refuses a unique index of a partitioned table without the columns of the partition key: two partitions
// could have the same key.
func (b *tableBuild) coversPartitionKey(idx *catalog.Index, con *catalog.Constraint) error {
	for _, k := range b.rel.Partition.Keys {
		if k.Attnum == 0 {
			what := "UNIQUE"
			if idx.Primary {
				what = "PRIMARY KEY"
			}
			return pgerr.New(pgerr.FeatureNotSupported, "unsupported %s constraint with partition key definition", what).
				WithDetail("%s constraints cannot be used when partition keys include expressions.", what)
		}
		if slices.ContainsFunc(idx.Keys, func(x catalog.IndexKey) bool { return x.Attnum == k.Attnum }) {
			continue
		}
		what := "UNIQUE"
		if idx.Primary {
			what = "PRIMARY KEY"
		}
		return pgerr.New(pgerr.FeatureNotSupported, "unique constraint on partitioned table must include all partitioning columns").
			WithDetail("%s constraint on table \"%s\" lacks column \"%s\" which is part of the partition key.", what, b.rel.Name, b.rel.ByAttnum(k.Attnum).Name)
	}
	return nil
}

// mapIndex chooses the index's form in MongoDB: a single-column primary key becomes _id where there are no rows yet;
// nullable columns of a unique index are written as missing fields; what MongoDB cannot index gets no MongoName, and a key
// in the documents where it must be enforced.
func (b *tableBuild) mapIndex(idx *catalog.Index, con *catalog.Constraint) error {
	rel := b.rel
	b.r.setLoose(rel, idx)
	if con != nil && con.Type == catalog.ConExclude && slices.ContainsFunc(idx.Keys, func(k catalog.IndexKey) bool { return k.Loose != "" }) {
		return pgerr.Unsupported("an exclusion constraint under a nondeterministic collation")
	}
	if needsHidden(rel, idx, con) {
		idx.Hidden = indexkey.NewField(b.r.newOID(rel.Schema))
		return b.mapFields(idx)
	}
	if idx.Primary && len(idx.Keys) == 1 && !hasIDColumn(rel) {
		empty := b.fresh
		if !empty && b.r.c.Physical != nil {
			var err error
			if empty, err = b.r.c.Physical.Empty(b.r.ctx, rel); err != nil {
				return err
			}
		}
		if empty && idAble(rel.ByAttnum(idx.Keys[0].Attnum)) {
			b.setColumn(idx.Keys[0].Attnum, func(c *catalog.Column) { c.Path = []string{"_id"} })
			idx.MongoName = "_id_"
			return nil
		}
	}
	if idx.Unique {
		b.uniqueColumns(idx)
	}
	if len(idx.Keys) == 1 && idx.Unique {
		if c := rel.ByAttnum(idx.Keys[0].Attnum); len(c.Path) == 1 && c.Path[0] == "_id" {
			return nil // MongoDB's own index of _id serves it, as the primary key that the column belongs to
		}
	}
	return b.mapFields(idx)
}

// mapFields names the index over the fields, if MongoDB has one that is of use.
func (b *tableBuild) mapFields(idx *catalog.Index) error {
	rel := b.rel
	for _, k := range idx.Keys {
		if k.Expr != "" || !mongoIndexable(rel.ByAttnum(k.Attnum).Type, idx.Method) {
			return nil // recorded, but the server has nothing that serves it
		}
	}
	if same := samePhysical(rel, idx); same != "" {
		idx.MongoName = same
		return nil
	}
	idx.MongoName = freeMongoName(rel, idx)
	return nil
}

// freeMongoName is the name that an index gets in MongoDB: its own, or one made from it while another index has that.
func freeMongoName(rel *catalog.Relation, idx *catalog.Index) string {
	name := idx.Name
	for slices.ContainsFunc(rel.Indexes, func(o *catalog.Index) bool { return o.MongoName == name }) {
		name += "~" + itoa(int(idx.OID))
	}
	return name
}

// uniqueColumns prepares the nullable columns of a unique index.
func (b *tableBuild) uniqueColumns(idx *catalog.Index) {
	for _, k := range idx.Keys {
		col := b.rel.ByAttnum(k.Attnum)
		if col.Missing.IsNull() && !col.NotNull && !idx.NullsNotDistinct && !col.NullMissing && len(col.Path) == 1 {
			c := b.setColumn(k.Attnum, func(c *catalog.Column) { c.NullMissing = true })
			if !b.fresh {
				b.r.do(UnsetNulls{Table: b.rel, Column: c})
			}
		}
		if !col.Missing.IsNull() {
			c := b.setColumn(k.Attnum, func(c *catalog.Column) { c.Missing, c.NullMissing = types.Null, !c.NotNull && !idx.NullsNotDistinct })
			b.r.do(FillMissing{Table: b.rel, Column: col})
			if c.NullMissing {
				b.r.do(UnsetNulls{Table: b.rel, Column: c})
			}
		}
	}
}

func hasIDColumn(rel *catalog.Relation) bool {
	return slices.ContainsFunc(rel.Columns, func(c *catalog.Column) bool { return len(c.Path) == 1 && c.Path[0] == "_id" })
}

// idAble reports whether a column's values can be _id: MongoDB forbids arrays there, and a microsecond remainder would be
// lost.
func idAble(c *catalog.Column) bool { return uniqueAble(c.Type) && !c.Micros }

// uniqueAble reports whether equality in MongoDB is PostgreSQL's for a type: arrays are indexed by element, and jsonb,
// interval, timetz and citext values may be equal in different forms.
func uniqueAble(t *types.T) bool {
	b := t.BaseType()
	switch b {
	case types.NumericT, types.InetT, types.CidrT:
		return true
	case types.BpcharT:
		return true
	}
	return b.Rep != types.RepRef && b.Rep != types.RepNone && !types.Folds(b)
}

// mongoIndexable reports whether an index of a method over a type is of use in MongoDB.
func mongoIndexable(t *types.T, method string) bool {
	b := t.BaseType()
	switch method {
	case "btree", "hash":
		return uniqueAble(b)
	case "gin":
		return b.IsArray()
	}
	return false
}

// samePhysical returns the name of an index in MongoDB that has the same keys already: the server refuses a second one.
func samePhysical(rel *catalog.Relation, idx *catalog.Index) string {
	if len(idx.Keys) == 1 {
		if c := rel.ByAttnum(idx.Keys[0].Attnum); len(c.Path) == 1 && c.Path[0] == "_id" {
			return "_id_"
		}
	}
	for _, o := range rel.Indexes {
		if o.MongoName == "" || o.UniqueFields() != idx.UniqueFields() || len(o.Keys) != len(idx.Keys) {
			continue
		}
		if o.UniqueFields() && (o.NullsNotDistinct != idx.NullsNotDistinct || o.Where != idx.Where) {
			continue
		}
		same := true
		for i, k := range o.Keys {
			same = same && k.Attnum == idx.Keys[i].Attnum && k.Desc == idx.Keys[i].Desc
		}
		if same {
			return o.MongoName
		}
	}
	return ""
}

// reindex is REINDEX, which has nothing to do but to check its object.
func (r *run) reindex(n *pg_query.ReindexStmt) error {
	switch n.Kind {
	case pg_query.ReindexObjectType_REINDEX_OBJECT_INDEX:
		if _, ok := r.findIndex(n.Relation.Schemaname, n.Relation.Relname); !ok {
			return noRelation(n.Relation)
		}
	case pg_query.ReindexObjectType_REINDEX_OBJECT_TABLE:
		_, err := r.relation(n.Relation)
		return err
	case pg_query.ReindexObjectType_REINDEX_OBJECT_SCHEMA:
		if r.snap().SchemaByName(n.Name) == nil {
			return pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", n.Name)
		}
	case pg_query.ReindexObjectType_REINDEX_OBJECT_DATABASE, pg_query.ReindexObjectType_REINDEX_OBJECT_SYSTEM:
		if n.Name != "" && n.Name != r.snap().Database {
			return pgerr.New(pgerr.FeatureNotSupported, "can only reindex the currently open database")
		}
	}
	return nil
}
