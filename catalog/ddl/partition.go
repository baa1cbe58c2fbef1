package ddl

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// inherit copies the columns and constraints of the parents that a new table names: by INHERITS, or all of them as a
// partition.
func (b *tableBuild) inherit(n *pg_query.CreateStmt) ([]*catalog.Relation, error) {
	var parents []*catalog.Relation
	for _, p := range n.InhRelations {
		parent, err := b.r.table(p.GetRangeVar())
		switch {
		case err != nil:
			return nil, err
		case n.Partbound != nil && parent.Kind != catalog.KindPartitioned:
			return nil, pgerr.New(pgerr.InvalidObjectDefinition, "\"%s\" is not partitioned", parent.Name)
		case n.Partbound == nil && parent.Kind == catalog.KindPartitioned:
			return nil, pgerr.New(pgerr.WrongObjectType, "cannot inherit from partitioned table \"%s\"", parent.Name)
		case n.Partbound == nil && parent.Bound != nil:
			return nil, pgerr.New(pgerr.WrongObjectType, "cannot inherit from partition \"%s\"", parent.Name)
		case slices.Contains(parents, parent):
			return nil, pgerr.New(pgerr.DuplicateTable, "relation \"%s\" would be inherited from more than once", parent.Name)
		case parent.Inferred || parent.ReadOnly:
			return nil, pgerr.Unsupported("inheriting from a collection that others own")
		}
		parents = append(parents, parent)
		if err := b.inheritFrom(parent, n.Partbound != nil); err != nil {
			return nil, err
		}
		b.rel.Inherits = append(b.rel.Inherits, parent.OID)
	}
	return parents, nil
}

func (b *tableBuild) inheritFrom(parent *catalog.Relation, partition bool) error {
	attnums := map[int16]int16{}
	for _, c := range parent.Live() {
		if have := b.rel.Column(c.Name); have != nil {
			b.r.notice(pgerr.SuccessfulCompletion, "merging multiple inherited definitions of column \"%s\"", c.Name)
			if have.Type != c.Type || have.Typmod != c.Typmod {
				return pgerr.New(pgerr.DatatypeMismatch, "inherited column \"%s\" has a type conflict", c.Name).
					WithDetail("%s versus %s", types.FormatType(have.Type, have.Typmod), types.FormatType(c.Type, c.Typmod))
			}
			attnums[c.Attnum] = have.Attnum
			if c.NotNull {
				b.setColumn(have.Attnum, func(x *catalog.Column) { x.NotNull = true })
			}
			continue
		}
		col := &catalog.Column{
			Name: c.Name, Type: c.Type, Typmod: c.Typmod, NotNull: c.NotNull, Collation: c.Collation, Path: []string{c.Name}, Micros: keepsMicros(c.Type),
			Default: c.Default, Generated: c.Generated, Inherited: true,
		}
		if err := b.addColumn(&columnSpec{col: col}); err != nil {
			return err
		}
		attnums[c.Attnum] = col.Attnum
	}
	mapped := func(list []int16) []int16 {
		out := make([]int16, len(list))
		for i, a := range list {
			out[i] = attnums[a]
		}
		return out
	}
	for _, c := range parent.Constraints {
		k := *c
		switch {
		case c.Type == catalog.ConCheck && !c.NoInherit && !hasConstraint(b.rel, c.Name):
			k.Inherited = true
		case c.Type == catalog.ConForeign && partition:
			k.Parent, k.Inherited, k.SetColumns = c.OID, true, mapped(c.SetColumns)
		default:
			continue
		}
		k.OID, k.Columns, k.Comment = b.r.newOID(b.rel.Schema), mapped(c.Columns), ""
		b.rel.Constraints = append(b.rel.Constraints, &k)
	}
	if partition {
		b.likes = append(b.likes, partitionIndexes(parent, attnums)...)
	}
	return nil
}

// partitionIndexes are the indexes that a partition has because its parent has them.
func partitionIndexes(parent *catalog.Relation, attnums map[int16]int16) []likeIndex {
	var out []likeIndex
	for _, i := range parent.Indexes {
		out = append(out, likeIndex{source: parent, index: i, con: parent.ConstraintOf(i), attnums: attnums, part: true})
	}
	return out
}

// mergeColumn gives a column that a parent has the table's own definition of it.
func (b *tableBuild) mergeColumn(s *columnSpec) (bool, error) {
	have := b.rel.Column(s.col.Name)
	if have == nil || !have.Inherited {
		return false, nil
	}
	b.r.notice(pgerr.SuccessfulCompletion, "merging column \"%s\" with inherited definition", s.col.Name)
	if have.Type != s.col.Type || have.Typmod != s.col.Typmod {
		return true, pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" has a type conflict", s.col.Name).
			WithDetail("%s versus %s", types.FormatType(have.Type, have.Typmod), types.FormatType(s.col.Type, s.col.Typmod))
	}
	s.col = b.setColumn(have.Attnum, func(c *catalog.Column) {
		c.NotNull, c.Local = c.NotNull || s.col.NotNull, true
		c.Identity = s.col.Identity
	})
	b.cols, b.cons = append(b.cols, s), append(b.cons, s.constraints...)
	return true, nil
}

// partitionKey binds PARTITION BY.
func (b *tableBuild) partitionKey(spec *pg_query.PartitionSpec) error {
	key := &catalog.PartitionKey{}
	switch spec.Strategy {
	case pg_query.PartitionStrategy_PARTITION_STRATEGY_LIST:
		key.Strategy = 'l'
	case pg_query.PartitionStrategy_PARTITION_STRATEGY_HASH:
		key.Strategy = 'h'
	default:
		key.Strategy = 'r'
	}
	if key.Strategy == 'l' && len(spec.PartParams) != 1 {
		return pgerr.New(pgerr.InvalidObjectDefinition, "cannot use \"list\" partition strategy with more than one column")
	}
	for i, p := range spec.PartParams {
		e := p.GetPartitionElem()
		if e.Name != "" {
			c := b.rel.Column(e.Name)
			switch {
			case c == nil && slices.Contains(systemColumns, e.Name):
				return pgerr.New(pgerr.InvalidObjectDefinition, "cannot use system column \"%s\" in partition key", e.Name).At(e.Location)
			case c == nil:
				return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" named in partition key does not exist", e.Name).At(e.Location)
			case c.Generated != 0:
				return pgerr.New(pgerr.InvalidObjectDefinition, "cannot use generated column in partition key").
					WithDetail("Column \"%s\" is a generated column.", c.Name).At(e.Location)
			}
			key.Keys = append(key.Keys, catalog.IndexKey{Attnum: c.Attnum, Collation: c.Collation})
			continue
		}
		if err := refuse(e.Expr, "partition key expression", "partition key expressions", false); err != nil {
			return err
		}
		text, bound, err := b.r.bind(b.rel, e.Expr, nil, -1)
		if err != nil {
			return err
		}
		used, whole := columnRefs(e.Expr)
		for _, name := range used {
			if c := b.rel.Column(name); c != nil && c.Generated != 0 {
				return pgerr.New(pgerr.InvalidObjectDefinition, "cannot use generated column in partition key").
					WithDetail("Column \"%s\" is a generated column.", c.Name).At(e.Location)
			}
		}
		switch t := bound.Type(); {
		case t.Kind == 'p':
			return pgerr.New(pgerr.InvalidTableDefinition, "partition key column %d has pseudo-type %s", i+1, types.FormatType(t, -1))
		case len(used) == 0 && !whole && immutable(bound):
			return pgerr.New(pgerr.InvalidObjectDefinition, "cannot use constant expression as partition key")
		}
		if !immutable(bound) {
			return pgerr.New(pgerr.InvalidObjectDefinition, "functions in partition key expression must be marked IMMUTABLE")
		}
		key.Keys = append(key.Keys, catalog.IndexKey{Expr: text})
	}
	b.rel.Partition = key
	return nil
}

// keyTypes are the types of a partition key's parts.
func (r *run) partitionTypes(parent *catalog.Relation) ([]*types.T, []int32, error) {
	var ts []*types.T
	var mods []int32
	for _, k := range parent.Partition.Keys {
		if k.Attnum > 0 {
			c := parent.ByAttnum(k.Attnum)
			ts, mods = append(ts, c.Type), append(mods, c.Typmod)
			continue
		}
		e, err := r.c.Exprs.Bind(r.snap(), parent, k.Expr, nil, -1)
		if err != nil {
			return nil, nil, unplaced(err)
		}
		ts, mods = append(ts, e.Type()), append(mods, e.Typmod())
	}
	return ts, mods, nil
}

// keyTexts are a partition key's parts as they stand in conditions.
func keyTexts(parent *catalog.Relation) []string {
	var out []string
	for _, k := range parent.Partition.Keys {
		if k.Attnum > 0 {
			out = append(out, quote(parent.ByAttnum(k.Attnum).Name))
		} else {
			out = append(out, "("+k.Expr+")")
		}
	}
	return out
}
