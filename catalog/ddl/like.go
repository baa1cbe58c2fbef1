package ddl

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The options of LIKE, as the grammar numbers them.
const (
	likeComments    = 1 << 0
	likeConstraints = 1 << 2
	likeDefaults    = 1 << 3
	likeGenerated   = 1 << 4
	likeIdentity    = 1 << 5
	likeIndexes     = 1 << 6
)

// likeIndex is an index that LIKE ... INCLUDING INDEXES copies; attnums maps the source's columns to the new ones.
type likeIndex struct {
	source  *catalog.Relation
	index   *catalog.Index
	con     *catalog.Constraint
	attnums map[int16]int16
	comment bool
	// part says that the index is a part of the source's, a partitioned table.
	part bool
}

// like copies columns from another relation.
func (b *tableBuild) like(n *pg_query.TableLikeClause) error {
	src, err := b.r.relation(n.Relation)
	if err != nil {
		return err
	}
	if src.Kind == catalog.KindSequence {
		return pgerr.New(pgerr.WrongObjectType, "relation \"%s\" is invalid in LIKE clause", src.Name).WithDetail("This operation is not supported for %ss.", src.Kind.Name())
	}
	has := func(bit uint32) bool { return n.Options&bit != 0 }
	moved := map[int16]int16{}
	for _, c := range src.Live() {
		col := &catalog.Column{Name: c.Name, Type: c.Type, Typmod: c.Typmod, NotNull: c.NotNull, Collation: c.Collation, Path: []string{fieldOf(c.Name)}, Micros: keepsMicros(c.Type)}
		if c.Generated == 0 && has(likeDefaults) || c.Generated != 0 && has(likeGenerated) {
			col.Default, col.Generated = c.Default, c.Generated
		}
		s := &columnSpec{col: col}
		if c.Identity != 0 && has(likeIdentity) {
			col.Identity = c.Identity
			if seq := b.r.snap().RelationByOID(c.OwnedSequence); seq != nil {
				s.options = sequenceOptionList(seq.Sequence)
			}
		}
		if has(likeComments) {
			col.Comment = c.Comment
		}
		if err := b.addColumn(s); err != nil {
			return err
		}
		moved[c.Attnum] = col.Attnum
	}
	if has(likeConstraints) {
		for _, c := range src.Constraints {
			if c.Type != catalog.ConCheck || c.NoInherit {
				continue
			}
			n := &catalog.Constraint{OID: b.r.newOID(b.rel.Schema), Name: c.Name, Type: catalog.ConCheck, Check: c.Check}
			for _, a := range c.Columns {
				n.Columns = append(n.Columns, moved[a])
			}
			if has(likeComments) {
				n.Comment = c.Comment
			}
			b.rel.Constraints = append(b.rel.Constraints, n)
		}
	}
	if has(likeIndexes) {
		for _, i := range src.Indexes {
			l := likeIndex{source: src, index: i, attnums: moved, comment: has(likeComments)}
			if k := slices.IndexFunc(src.Constraints, func(c *catalog.Constraint) bool { return c.Index == i.OID && c.Type != catalog.ConForeign }); k >= 0 {
				l.con = src.Constraints[k]
			}
			b.likes = append(b.likes, l)
		}
	}
	return nil
}

// sequenceOptionList writes a sequence's parameters as options, to copy them.
func sequenceOptionList(s *catalog.Sequence) []*pg_query.Node {
	num := func(name string, v int64) *pg_query.Node {
		return &pg_query.Node{Node: &pg_query.Node_DefElem{DefElem: &pg_query.DefElem{Defname: name, Arg: &pg_query.Node{
			Node: &pg_query.Node_Float{Float: &pg_query.Float{Fval: formatInt(v)}},
		}}}}
	}
	out := []*pg_query.Node{num("increment", s.Increment), num("minvalue", s.Min), num("maxvalue", s.Max), num("start", s.Start), num("cache", s.Cache)}
	if s.Cycle {
		out = append(out, &pg_query.Node{Node: &pg_query.Node_DefElem{DefElem: &pg_query.DefElem{Defname: "cycle"}}})
	}
	return out
}

// likeIndex copies one index under a generated name.
func (b *tableBuild) likeIndex(l likeIndex) error {
	idx := *l.index
	idx.OID, idx.MongoName, idx.Hidden, idx.Comment = b.r.newOID(b.rel.Schema), "", "", ""
	if l.part {
		idx.Parent = l.index.OID
	}
	if l.comment {
		idx.Comment = l.index.Comment
	}
	idx.Keys = slices.Clone(idx.Keys)
	var colNames []string
	for i, k := range idx.Keys {
		if k.Attnum == 0 {
			n, err := sql.ParseExpr(k.Expr)
			if err != nil {
				return err
			}
			colNames = append(colNames, distinctName(colNames, figureName(n)))
			continue
		}
		idx.Keys[i].Attnum = l.attnums[k.Attnum]
		colNames = append(colNames, l.source.ByAttnum(k.Attnum).Name)
	}
	idx.Include = slices.Clone(idx.Include)
	for i, a := range idx.Include {
		idx.Include[i] = l.attnums[a]
		colNames = append(colNames, l.source.ByAttnum(a).Name)
	}
	if l.con == nil {
		idx.Name = b.r.relationName(b.rel.SchemaID, b.rel.Name, joinNames(colNames), "idx", false)
		return b.addIndex(&idx, nil)
	}
	con := *l.con
	con.OID, con.Index, con.Columns = b.r.newOID(b.rel.Schema), idx.OID, nil
	if l.part {
		con.Parent, con.Inherited = l.con.OID, true
	}
	for _, k := range idx.Keys {
		con.Columns = append(con.Columns, k.Attnum)
	}
	switch con.Type {
	case catalog.ConPrimary:
		if b.rel.PrimaryKey() != nil {
			return pgerr.New(pgerr.InvalidTableDefinition, "multiple primary keys for table \"%s\" are not allowed", b.rel.Name)
		}
		idx.Name = b.r.relationName(b.rel.SchemaID, b.rel.Name, "", "pkey", true)
	case catalog.ConExclude:
		idx.Name = b.r.relationName(b.rel.SchemaID, b.rel.Name, joinNames(colNames), "excl", true)
	default:
		idx.Name = b.r.relationName(b.rel.SchemaID, b.rel.Name, joinNames(colNames), "key", true)
	}
	con.Name = idx.Name
	if !l.part {
		b.r.debugIndex("ALTER TABLE", idx.Name, b.rel.Name, &con)
	}
	return b.addIndex(&idx, &con)
}

// createTableAs is CREATE TABLE AS and SELECT INTO: the table is made here, the session fills it.
func (r *run) createTableAs(n *pg_query.CreateTableAsStmt) (string, error) {
	tag, kind := "CREATE TABLE AS", catalog.KindTable
	if n.Objtype == pg_query.ObjectType_OBJECT_MATVIEW {
		tag, kind = "CREATE MATERIALIZED VIEW", catalog.KindMatView
	}
	if r.c.Exprs == nil {
		return "", pgerr.Unsupported(tag + " without a planner")
	}
	cols, err := r.c.Exprs.Query(r.ctx, r.snap(), n.Query)
	if err != nil {
		return "", err
	}
	into := n.Into
	rel, err := r.newRelation(into.Rel, kind, n.IfNotExists)
	if err != nil || rel == nil {
		return tag, err
	}
	if kind == catalog.KindMatView {
		if err := r.keepDefinition(rel, n.Query, cols); err != nil {
			return "", err
		}
		rel.NotPopulated = into.SkipData
	}
	if err := onCommit(rel, into.OnCommit); err != nil {
		return "", err
	}
	if len(into.ColNames) > len(cols) {
		return "", pgerr.New(pgerr.SyntaxError, "too many column names were specified")
	}
	b := &tableBuild{r: r, rel: rel}
	for i, q := range cols {
		name := q.Name
		if i < len(into.ColNames) {
			name = into.ColNames[i].GetString_().GetSval()
		}
		if q.Type == types.UnknownT {
			q.Type = types.TextT
		}
		col := &catalog.Column{Name: name, Type: q.Type, Typmod: q.Typmod, Collation: q.Type.Collation, Path: []string{fieldOf(name)}, Micros: keepsMicros(q.Type)}
		if slices.Contains(systemColumns, name) {
			return "", pgerr.New(pgerr.DuplicateColumn, "column name \"%s\" conflicts with a system column name", name)
		}
		if err := checkColumnType(col, nil); err != nil {
			return "", err
		}
		if err := b.addColumn(&columnSpec{col: col}); err != nil {
			return "", err
		}
	}
	if err := r.chooseCollection(b.rel); err != nil {
		return "", err
	}
	r.ch.PutRelation(b.rel)
	r.do(CreateCollection{b.rel})
	if !into.SkipData {
		r.fill = &Fill{Table: b.rel, Query: n.Query}
	}
	return tag, nil
}
