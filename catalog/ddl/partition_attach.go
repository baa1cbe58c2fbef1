package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

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
