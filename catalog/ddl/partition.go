package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
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

// bound evaluates FOR VALUES.
func (r *run) bound(parent *catalog.Relation, name string, spec *pg_query.PartitionBoundSpec) (*catalog.PartitionBound, error) {
	out := &catalog.PartitionBound{}
	strategy := parent.Partition.Strategy
	if spec.IsDefault {
		if strategy == 'h' {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "a hash-partitioned table may not have a default partition")
		}
		out.Default, out.Text = true, "DEFAULT"
		return out, nil
	}
	if spec.Strategy == "" || spec.Strategy[0] != strategy {
		word := map[byte]string{'h': "hash", 'l': "list", 'r': "range"}[strategy]
		return nil, pgerr.New(pgerr.InvalidTableDefinition, "invalid bound specification for a %s partition", word).At(spec.Location)
	}
	ts, mods, err := r.partitionTypes(parent)
	if err != nil {
		return nil, err
	}
	value := func(n *pg_query.Node, i int) (catalog.BoundValue, error) {
		at := int32(-1)
		sql.Walk(n, func(ref *pg_query.ColumnRef) bool {
			at = max(at, ref.Location)
			return false
		})
		if at >= 0 {
			return catalog.BoundValue{}, pgerr.New(pgerr.FeatureNotSupported, "cannot use column reference in partition bound expression").At(at)
		}
		_, e, err := r.bind(nil, n, ts[i], mods[i])
		if err != nil {
			return catalog.BoundValue{}, err
		}
		d, err := r.constant(e)
		if err != nil || d.IsNull() {
			return catalog.BoundValue{Null: true}, err
		}
		return catalog.BoundValue{Text: string(types.Output(types.DefaultIO(), ts[i], nil, d))}, nil
	}
	switch strategy {
	case 'h':
		if out.Modulus, out.Remainder = spec.Modulus, spec.Remainder; out.Modulus <= 0 {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "modulus for hash partition must be an integer value greater than zero")
		}
		if out.Remainder < 0 {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "remainder for hash partition must be an integer value greater than or equal to zero")
		}
		if out.Remainder >= out.Modulus {
			return nil, pgerr.New(pgerr.InvalidTableDefinition, "remainder for hash partition must be less than modulus")
		}
		out.Text = "FOR VALUES WITH (modulus " + itoa(int(out.Modulus)) + ", remainder " + itoa(int(out.Remainder)) + ")"
		out.Check = "satisfies_hash_partition(0, " + itoa(int(out.Modulus)) + ", " + itoa(int(out.Remainder)) + ", " + strings.Join(keyTexts(parent), ", ") + ")"
	case 'l':
		var texts []string
		for _, n := range spec.Listdatums {
			v, err := value(n, 0)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(out.In, v) {
				out.In, texts = append(out.In, v), append(texts, boundText(v, ts[0]))
			}
		}
		out.Text = "FOR VALUES IN (" + strings.Join(texts, ", ") + ")"
		out.Check = listCheck(keyTexts(parent)[0], out.In, ts[0])
	default:
		sides := [][]*pg_query.Node{spec.Lowerdatums, spec.Upperdatums}
		for side, list := range sides {
			if len(list) != len(ts) {
				return nil, pgerr.New(pgerr.InvalidTableDefinition, "%s must specify exactly one value per partitioning column", []string{"FROM", "TO"}[side])
			}
		}
		for side, list := range sides {
			var vs []catalog.BoundValue
			for i, n := range list {
				v := catalog.BoundValue{}
				word := ""
				if f := n.GetColumnRef().GetFields(); len(f) == 1 {
					word = f[0].GetString_().GetSval()
				}
				switch word {
				case "minvalue":
					v.Infinite = -1
				case "maxvalue":
					v.Infinite = 1
				default:
					if v, err = value(n, i); err != nil {
						return nil, err
					}
					if v.Null {
						return nil, pgerr.New(pgerr.InvalidObjectDefinition, "cannot specify NULL in range bound")
					}
				}
				if n := len(vs); n > 0 && vs[n-1].Infinite != 0 && v.Infinite != vs[n-1].Infinite {
					word := boundText(vs[n-1], ts[i])
					return nil, pgerr.New(pgerr.DatatypeMismatch, "every bound following %s must also be %s", word, word).At(location(list[i]))
				}
				vs = append(vs, v)
			}
			if side == 0 {
				out.Lower = vs
			} else {
				out.Upper = vs
			}
		}
		lower, upper := boundList(out.Lower, ts), boundList(out.Upper, ts)
		if c, err := compareBounds(out.Lower, out.Upper, ts, mods); err != nil {
			return nil, err
		} else if c >= 0 {
			return nil, pgerr.New(pgerr.InvalidObjectDefinition, "empty range bound specified for partition \"%s\"", name).
				WithDetail("Specified lower bound %s is greater than or equal to upper bound %s.", lower, upper).At(spec.Location)
		}
		out.Text = "FOR VALUES FROM " + lower + " TO " + upper
		out.Check = rangeCheck(keyTexts(parent), out.Lower, out.Upper, ts)
	}
	return out, nil
}

// boundText prints a value of a bound as PostgreSQL does.
func boundText(v catalog.BoundValue, t *types.T) string {
	switch {
	case v.Infinite < 0:
		return "MINVALUE"
	case v.Infinite > 0:
		return "MAXVALUE"
	case v.Null:
		return "NULL"
	}
	switch t.BaseType() {
	case types.Int2T, types.Int4T, types.Int8T, types.NumericT, types.Float4T, types.Float8T, types.OidT:
		if v.Text != "" && v.Text[0] >= '0' && v.Text[0] <= '9' {
			return v.Text
		}
	case types.BoolT:
		return map[string]string{"t": "true", "f": "false"}[v.Text]
	}
	return literal(v.Text)
}

func boundList(list []catalog.BoundValue, ts []*types.T) string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = boundText(v, ts[i])
	}
	return "(" + strings.Join(out, ", ") + ")"
}

func typed(v catalog.BoundValue, t *types.T) string {
	name := types.FormatType(t, -1)
	if t.Schema != "pg_catalog" {
		name = quote(t.Schema) + "." + quote(t.Name)
	}
	return literal(v.Text) + "::" + name
}

func listCheck(key string, in []catalog.BoundValue, t *types.T) string {
	var values []string
	null := false
	for _, v := range in {
		if v.Null {
			null = true
			continue
		}
		values = append(values, typed(v, t))
	}
	any := key + " IN (" + strings.Join(values, ", ") + ")"
	switch {
	case null && len(values) == 0:
		return key + " IS NULL"
	case null:
		return "(" + key + " IS NULL OR " + any + ")"
	}
	return "(" + key + " IS NOT NULL AND " + any + ")"
}

// rangeCheck is the condition of a range: no key is NULL, and the keys in order are not below the lower and below the upper
// end.
func rangeCheck(keys []string, lower, upper []catalog.BoundValue, ts []*types.T) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, k+" IS NOT NULL")
	}
	if c := rangeEnd(keys, lower, ts, ">", ">=", -1); c != "" {
		parts = append(parts, c)
	}
	if c := rangeEnd(keys, upper, ts, "<", "<", 1); c != "" {
		parts = append(parts, c)
	}
	return "(" + strings.Join(parts, " AND ") + ")"
}

// rangeEnd compares keys with one end: strict for all keys but the last, where last is used. open is the infinity that ends
// nothing.
func rangeEnd(keys []string, end []catalog.BoundValue, ts []*types.T, strict, last string, open int8) string {
	if len(end) == 0 {
		return ""
	}
	v := end[0]
	switch {
	case v.Infinite == open:
		return "" // every value is within
	case v.Infinite != 0:
		return "false"
	}
	x := typed(v, ts[0])
	if len(end) == 1 {
		return keys[0] + " " + last + " " + x
	}
	switch rest := end[1]; {
	case rest.Infinite == open:
		return keys[0] + " " + strict + "= " + x
	case rest.Infinite != 0:
		return keys[0] + " " + strict + " " + x
	}
	return "(" + keys[0] + " " + strict + " " + x + " OR " + keys[0] + " = " + x + " AND " + rangeEnd(keys[1:], end[1:], ts[1:], strict, last, open) + ")"
}

// compareBounds orders two ends of ranges.
func compareBounds(a, b []catalog.BoundValue, ts []*types.T, mods []int32) (int, error) {
	for i := range a {
		if a[i].Infinite != 0 || b[i].Infinite != 0 {
			if c := int(a[i].Infinite) - int(b[i].Infinite); c != 0 {
				return c, nil
			}
			return 0, nil // what follows MINVALUE and MAXVALUE does not matter
		}
		x, err := types.Input(types.DefaultIO(), ts[i], mods[i], a[i].Text)
		if err != nil {
			return 0, err
		}
		y, err := types.Input(types.DefaultIO(), ts[i], mods[i], b[i].Text)
		if err != nil {
			return 0, err
		}
		if c := types.Compare(ts[i], x, y); c != 0 {
			return c, nil
		}
	}
	return 0, nil
}

// adopt makes a table a partition of parent with the bound, in the catalogue.
func (r *run) adopt(parent *catalog.Relation, child *catalog.Relation, bound *catalog.PartitionBound) error {
	ts, mods, err := r.partitionTypes(parent)
	if err != nil {
		return err
	}
	at := len(parent.Children)
	for i, oid := range parent.Children {
		other := r.snap().RelationByOID(oid)
		o := other.Bound
		switch {
		case bound.Default && o.Default:
			return pgerr.New(pgerr.InvalidObjectDefinition, "partition \"%s\" conflicts with existing default partition \"%s\"", child.Name, other.Name)
		case bound.Default:
			continue
		case o.Default:
			at = min(at, i)
			continue
		}
		overlap, before := false, false
		switch parent.Partition.Strategy {
		case 'h':
			small, large := bound, o
			if small.Modulus > large.Modulus {
				small, large = large, small
			}
			if large.Modulus%small.Modulus != 0 {
				return pgerr.New(pgerr.InvalidObjectDefinition, "every hash partition modulus must be a factor of the next larger modulus")
			}
			overlap = large.Remainder%small.Modulus == small.Remainder
			before = bound.Modulus < o.Modulus || bound.Modulus == o.Modulus && bound.Remainder < o.Remainder
		case 'l':
			overlap = slices.ContainsFunc(bound.In, func(v catalog.BoundValue) bool { return slices.Contains(o.In, v) })
			c, err := compareBounds(bound.In[:1], o.In[:1], ts, mods)
			if err != nil && !bound.In[0].Null && !o.In[0].Null {
				return err
			}
			before = c < 0
		default:
			c, err := compareBounds(bound.Lower, o.Upper, ts, mods)
			if err != nil {
				return err
			}
			d, err := compareBounds(o.Lower, bound.Upper, ts, mods)
			if err != nil {
				return err
			}
			overlap, before = c < 0 && d < 0, d >= 0
		}
		if overlap {
			return pgerr.New(pgerr.InvalidObjectDefinition, "partition \"%s\" would overlap partition \"%s\"", child.Name, other.Name)
		}
		if before {
			at = min(at, i)
		}
	}
	child.Bound = bound
	p := r.snap().RelationByOID(parent.OID).Clone()
	p.Children = slices.Insert(slices.Clone(p.Children), at, child.OID)
	r.ch.PutRelation(child)
	r.ch.PutRelation(p)
	def := r.refreshDefault(p)
	if def == nil || bound.Default {
		return nil
	}
	return r.checkBound(def, def.Bound.Check, "updated partition constraint for default partition \""+def.Name+"\" would be violated by some row")
}

// refreshDefault gives the default partition of a table, which it returns, the condition that its rows belong to no other
// one; nil when there is none.
func (r *run) refreshDefault(parent *catalog.Relation) *catalog.Relation {
	var others []string
	var def *catalog.Relation
	for _, oid := range parent.Children {
		c := r.snap().RelationByOID(oid)
		if c.Bound.Default {
			def = c
		} else {
			others = append(others, c.Bound.Check)
		}
	}
	if def == nil {
		return nil
	}
	bound := *def.Bound
	bound.Check = "true"
	if len(others) > 0 {
		bound.Check = "NOT (" + strings.Join(others, " OR ") + ")"
	}
	n := def.Clone()
	n.Bound = &bound
	r.ch.PutRelation(n)
	return n
}

// checkBound makes sure that all rows of a table meet a condition.
func (r *run) checkBound(rel *catalog.Relation, text, message string) error {
	for _, t := range r.snap().Storing(rel) {
		e, err := r.c.Exprs.Bind(r.snap(), t, text, types.BoolT, -1)
		if err != nil {
			return unplaced(err)
		}
		r.do(CheckRows{Table: t, Cond: e, Message: message})
	}
	return nil
}

// disown takes a table out of its parents' lists of children.
func (r *run) disown(rel *catalog.Relation) {
	for _, oid := range rel.Inherits {
		parent := r.snap().RelationByOID(oid)
		if parent == nil {
			continue
		}
		p := parent.Clone()
		p.Children = slices.DeleteFunc(slices.Clone(p.Children), func(o uint32) bool { return o == rel.OID })
		r.ch.PutRelation(p)
		if p.Kind == catalog.KindPartitioned {
			r.refreshDefault(p)
		}
	}
}

// attach is ALTER TABLE ... ATTACH PARTITION.
func (a *alter) attach(c *pg_query.AlterTableCmd) error {
	r, parent, cmd := a.r, a.rel(), c.Def.GetPartitionCmd()
	if parent.Kind != catalog.KindPartitioned {
		return pgerr.New(pgerr.WrongObjectType, "table \"%s\" is not partitioned", parent.Name)
	}
	child, err := r.table(cmd.Name)
	if err != nil {
		return err
	}
	switch {
	case child.Bound != nil:
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is already a partition", child.Name)
	case len(child.Inherits) > 0:
		return pgerr.New(pgerr.WrongObjectType, "cannot attach inheritance child as partition")
	case len(child.Children) > 0 && child.Kind == catalog.KindTable:
		return pgerr.New(pgerr.WrongObjectType, "cannot attach inheritance parent as partition")
	case slices.Contains(r.snap().Inheritors(child), parent) || child.OID == parent.OID:
		return pgerr.New(pgerr.DuplicateTable, "circular inheritance not allowed").WithDetail("\"%s\" is already a child of \"%s\".", parent.Name, child.Name)
	}
	child = child.Clone()
	attnums := map[int16]int16{}
	for _, col := range child.Live() {
		if parent.Column(col.Name) == nil {
			return pgerr.New(pgerr.DatatypeMismatch, "table \"%s\" contains column \"%s\" not found in parent \"%s\"", child.Name, col.Name, parent.Name).
				WithDetail("The new partition may contain only the columns present in parent.")
		}
	}
	for _, col := range parent.Live() {
		have := child.Column(col.Name)
		switch {
		case have == nil:
			return pgerr.New(pgerr.DatatypeMismatch, "child table is missing column \"%s\"", col.Name)
		case have.Type != col.Type || have.Typmod != col.Typmod:
			return pgerr.New(pgerr.DatatypeMismatch, "child table \"%s\" has different type for column \"%s\"", child.Name, col.Name)
		case col.NotNull && !have.NotNull:
			return pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" in child table must be marked NOT NULL", col.Name)
		}
		attnums[col.Attnum] = have.Attnum
		setColumn(child, have.Attnum, func(x *catalog.Column) { x.Inherited, x.Local = true, true })
	}
	for _, con := range parent.Constraints {
		if con.Type == catalog.ConCheck && !con.NoInherit && !hasConstraint(child, con.Name) {
			return pgerr.New(pgerr.DatatypeMismatch, "child table is missing constraint \"%s\"", con.Name)
		}
	}
	bound, err := r.bound(parent, child.Name, cmd.Bound)
	if err != nil {
		return err
	}
	child.Inherits = []uint32{parent.OID}
	if err := r.adopt(parent, child, bound); err != nil {
		return err
	}
	child = r.snap().RelationByOID(child.OID)
	if err := r.checkBound(child, child.Bound.Check, "partition constraint of relation \""+child.Name+"\" is violated by some row"); err != nil {
		return err
	}
	return r.shareIndexes(parent, child, attnums)
}

// shareIndexes gives a new partition the indexes of its parent that it has no match for, and its foreign keys.
func (r *run) shareIndexes(parent, child *catalog.Relation, attnums map[int16]int16) error {
	for _, l := range partitionIndexes(parent, attnums) {
		child = r.snap().RelationByOID(child.OID)
		same := func(i *catalog.Index) bool {
			return i.Parent == 0 && i.Unique == l.index.Unique && i.Primary == l.index.Primary && i.Method == l.index.Method && i.Where == l.index.Where &&
				slices.EqualFunc(i.Keys, l.index.Keys, func(x, y catalog.IndexKey) bool {
					return x.Attnum == attnums[y.Attnum] && x.Expr == y.Expr && x.Desc == y.Desc
				})
		}
		if k := slices.IndexFunc(child.Indexes, same); k >= 0 {
			n := child.Clone()
			idx := *n.Indexes[k]
			idx.Parent = l.index.OID
			replaceIndex(n, &idx)
			r.ch.PutRelation(n)
			continue
		}
		if err := (&tableBuild{r: r, rel: child}).likeIndex(l); err != nil {
			return err
		}
	}
	return r.shareForeignKeys(parent, child.OID, attnums)
}

// shareForeignKeys gives a new partition, and its own partitions, the foreign keys of its parent.
func (r *run) shareForeignKeys(parent *catalog.Relation, oid uint32, attnums map[int16]int16) error {
	child := r.snap().RelationByOID(oid).Clone()
	for _, con := range parent.Constraints {
		has := slices.ContainsFunc(child.Constraints, func(x *catalog.Constraint) bool { return x.Parent == con.OID })
		if con.Type != catalog.ConForeign || has {
			continue
		}
		var cols []int16
		for _, n := range con.Columns {
			cols = append(cols, attnums[n])
		}
		if adopt(child, con, cols) {
			continue
		}
		k := *con
		k.OID, k.Parent, k.Inherited, k.Columns = r.newOID(child.Schema), con.OID, true, cols
		child.Constraints = append(child.Constraints, &k)
		if child.Kind == catalog.KindTable {
			r.do(CheckForeignKey{Table: child, Referenced: r.snap().RelationByOID(k.RefRelation), Constraint: &k})
		}
	}
	r.ch.PutRelation(child)
	if child.Kind != catalog.KindPartitioned {
		return nil
	}
	for _, below := range child.Children {
		grandchild, m := r.snap().RelationByOID(below), map[int16]int16{}
		for _, col := range child.Live() {
			m[col.Attnum] = grandchild.Column(col.Name).Attnum
		}
		if err := r.shareForeignKeys(child, below, m); err != nil {
			return err
		}
	}
	return nil
}

// adopt makes a foreign key that a partition has by itself the one that its parent has, if they say the same.
func adopt(child *catalog.Relation, con *catalog.Constraint, cols []int16) bool {
	for _, x := range child.Constraints {
		if x.Type == catalog.ConForeign && x.Parent == 0 && !x.NotValid && x.RefRelation == con.RefRelation && slices.Equal(x.RefColumns, con.RefColumns) &&
			slices.Equal(x.Columns, cols) && x.OnUpdate == con.OnUpdate && x.OnDelete == con.OnDelete && x.Match == con.Match &&
			x.Deferrable == con.Deferrable && x.InitiallyDeferred == con.InitiallyDeferred && len(x.SetColumns) == 0 && len(con.SetColumns) == 0 {
			k := *x
			k.Parent, k.Inherited = con.OID, true
			replaceConstraint(child, &k)
			return true
		}
	}
	return false
}

// parentConstraint is the constraint of a table's parent that an ALTER TABLE has just added, nil if the parent had it already.
func (a *alter) parentConstraint(rel *catalog.Relation, name string) *catalog.Constraint {
	for _, oid := range rel.Inherits {
		for _, x := range a.r.snap().RelationByOID(oid).Constraints {
			if x.Name == name {
				return x
			}
		}
	}
	return nil
}

// detach is ALTER TABLE ... DETACH PARTITION.
func (a *alter) detach(c *pg_query.AlterTableCmd) error {
	r, parent := a.r, a.rel()
	child, err := r.relation(c.Def.GetPartitionCmd().Name)
	if err != nil {
		return err
	}
	if child.Bound == nil || !slices.Contains(child.Inherits, parent.OID) {
		return pgerr.New(pgerr.UndefinedTable, "relation \"%s\" is not a partition of relation \"%s\"", child.Name, parent.Name)
	}
	r.disown(child)
	n := child.Clone()
	n.Inherits, n.Bound = nil, nil
	for i := range n.Columns {
		setColumn(n, int16(i+1), func(x *catalog.Column) { x.Inherited, x.Local = false, false })
	}
	for _, idx := range child.Indexes {
		k := *idx
		k.Parent = 0
		replaceIndex(n, &k)
	}
	for _, con := range child.Constraints {
		k := *con
		k.Parent, k.Inherited = 0, false
		replaceConstraint(n, &k)
	}
	r.ch.PutRelation(n)
	return nil
}

// recurse does to the children of a table what a subcommand did to the table.
func (a *alter) recurse(c *pg_query.AlterTableCmd, inh bool) error {
	rel := a.r.snap().RelationByOID(a.oid)
	if rel == nil || len(rel.Children) == 0 {
		return nil
	}
	switch c.Subtype {
	case pg_query.AlterTableType_AT_AddColumn, pg_query.AlterTableType_AT_DropColumn, pg_query.AlterTableType_AT_AlterColumnType,
		pg_query.AlterTableType_AT_ColumnDefault, pg_query.AlterTableType_AT_SetNotNull, pg_query.AlterTableType_AT_DropNotNull,
		pg_query.AlterTableType_AT_DropConstraint, pg_query.AlterTableType_AT_DropExpression:
	case pg_query.AlterTableType_AT_AddConstraint:
		con := c.Def.GetConstraint()
		check := con.Contype == pg_query.ConstrType_CONSTR_CHECK && !con.IsNoInherit
		if !check && !(con.Contype == pg_query.ConstrType_CONSTR_FOREIGN && rel.Kind == catalog.KindPartitioned) {
			return nil
		}
		if con.Conname == "" {
			con = proto.Clone(con).(*pg_query.Constraint)
			con.Conname = rel.Constraints[len(rel.Constraints)-1].Name
			c = proto.Clone(c).(*pg_query.AlterTableCmd)
			c.Def = &pg_query.Node{Node: &pg_query.Node_Constraint{Constraint: con}}
		}
	default:
		return nil
	}
	if !inh {
		if c.Subtype == pg_query.AlterTableType_AT_AddColumn || c.Subtype == pg_query.AlterTableType_AT_AddConstraint {
			what := "column"
			if c.Subtype == pg_query.AlterTableType_AT_AddConstraint {
				what = "constraint"
			}
			return pgerr.New(pgerr.InvalidTableDefinition, "%s must be added to child tables too", what)
		}
		return nil
	}
	for _, oid := range rel.Children {
		child := &alter{r: a.r, oid: oid, stmt: a.stmt, fromParent: true}
		if err := child.inherited(c); err != nil {
			return err
		}
		if err := child.recurse(c, true); err != nil {
			return err
		}
	}
	return nil
}

// inherited runs a subcommand that came from a parent.
func (a *alter) inherited(c *pg_query.AlterTableCmd) error {
	rel := a.rel()
	switch c.Subtype {
	case pg_query.AlterTableType_AT_AddColumn:
		name := c.Def.GetColumnDef().Colname
		if have := rel.Column(name); have != nil {
			a.r.notice(pgerr.SuccessfulCompletion, "merging definition of column \"%s\" for child \"%s\"", name, rel.Name)
			setColumn(rel, have.Attnum, func(x *catalog.Column) { x.Inherited, x.Local = true, true })
			a.r.ch.PutRelation(rel)
			return nil
		}
		if err := a.command(c); err != nil {
			return err
		}
		rel = a.rel()
		setColumn(rel, rel.Column(name).Attnum, func(x *catalog.Column) { x.Inherited = true })
		a.r.ch.PutRelation(rel)
		return nil
	case pg_query.AlterTableType_AT_DropColumn:
		col := rel.Column(c.Name)
		switch {
		case col == nil || !col.Inherited:
			return nil
		case col.Local:
			setColumn(rel, col.Attnum, func(x *catalog.Column) { x.Inherited = false })
			a.r.ch.PutRelation(rel)
			return nil
		}
		setColumn(rel, col.Attnum, func(x *catalog.Column) { x.Inherited = false })
		a.r.ch.PutRelation(rel)
	case pg_query.AlterTableType_AT_DropConstraint:
		i := slices.IndexFunc(rel.Constraints, func(x *catalog.Constraint) bool { return x.Name == c.Name && x.Inherited })
		if i < 0 {
			return nil
		}
		k := *rel.Constraints[i]
		k.Inherited, k.Parent = false, 0
		replaceConstraint(rel, &k)
		a.r.ch.PutRelation(rel)
	case pg_query.AlterTableType_AT_AddConstraint:
		name := c.Def.GetConstraint().Conname
		var parent uint32
		if c.Def.GetConstraint().Contype == pg_query.ConstrType_CONSTR_FOREIGN {
			con := a.parentConstraint(rel, name)
			if con == nil {
				return nil // the parent's own foreign key was taken, which the partitions have
			}
			cols, err := keyColumns(rel, c.Def.GetConstraint().FkAttrs)
			if err != nil {
				return err
			}
			if adopt(rel, con, cols) {
				a.r.ch.PutRelation(rel)
				return nil
			}
			parent = con.OID
		}
		if i := slices.IndexFunc(rel.Constraints, func(x *catalog.Constraint) bool { return x.Name == name }); i < 0 {
			if err := a.command(c); err != nil {
				return err
			}
		} else {
			a.r.notice(pgerr.SuccessfulCompletion, "merging constraint \"%s\" with inherited definition", name)
		}
		rel = a.rel()
		for _, x := range rel.Constraints {
			if x.Name == name {
				k := *x
				k.Inherited, k.Parent = true, parent
				replaceConstraint(rel, &k)
			}
		}
		a.r.ch.PutRelation(rel)
		return nil
	}
	return a.command(c)
}

// inheritedColumn refuses to change a column by itself that a parent has.
func (r *run) inheritedColumn(rel *catalog.Relation, col *catalog.Column, doing string) error {
	if !col.Inherited {
		return nil
	}
	return pgerr.New(pgerr.InvalidTableDefinition, "cannot %s inherited column \"%s\"", doing, col.Name)
}
