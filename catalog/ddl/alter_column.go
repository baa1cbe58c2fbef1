package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// addColumn is ADD COLUMN. Documents are left as they are where the default does not vary: they read as the default.
func (a *alter) addColumn(c *pg_query.AlterTableCmd) error {
	r := a.r
	def := c.Def.GetColumnDef()
	rel := a.rel()
	if rel.Column(def.Colname) != nil {
		if c.MissingOk {
			r.notice(pgerr.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists, skipping", def.Colname, rel.Name)
			return nil
		}
		return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists", def.Colname, rel.Name)
	}
	s, err := r.column(def, rel.Name, r.snap().TypeByOID(rel.RowType))
	if err != nil {
		return err
	}
	if rel.Native {
		err = a.nativeField(rel, s.col)
	} else {
		a.choosePath(rel, s.col)
	}
	if err != nil {
		return err
	}
	before := r.snap().RelationByOID(a.oid)
	b := &tableBuild{r: r, rel: rel}
	if err := b.addColumn(s); err != nil {
		return err
	}
	// Constraints come after the values: a check of the present rows needs them.
	cons := b.cons
	b.cons = nil
	if err := b.addAll(false); err != nil {
		return err
	}
	if err := a.fillColumn(before, s); err != nil {
		return err
	}
	b = &tableBuild{r: r, rel: a.rel(), cons: cons}
	return b.addAll(false)
}

// nativeField makes a new column of a collection of others show the field of its name, below the document whose column its name
// begins with ("address.street"). What the documents have there stays.
func (a *alter) nativeField(rel *catalog.Relation, col *catalog.Column) error {
	col.Path = []string{col.Name}
	if keys := strings.Split(col.Name, "."); len(keys) > 1 && rel.Column(keys[0]) != nil && !slices.Contains(keys, "") {
		col.Path = keys
	}
	col.Path = append(slices.Clone(rel.Unwind), col.Path...)
	if slices.ContainsFunc(rel.Live(), func(c *catalog.Column) bool { return slices.Equal(c.Path, col.Path) }) {
		return pgerr.New(pgerr.DuplicateColumn, "field \"%s\" of collection \"%s\" is a column already", col.Name, rel.Collection)
	}
	asNative(col, col.Type)
	if col.Type.BaseType().Rep != types.RepString || a.r.c.Physical == nil {
		return nil
	}
	ids, err := a.r.c.Physical.HoldsObjectIDs(a.r.ctx, rel, col.Path)
	if ids {
		col.Form = catalog.FormObjectID
	}
	return err
}

// asNative makes a column one of a collection of others, whose values were of type before: they may be of several BSON types, and its
// dates have milliseconds.
func asNative(col *catalog.Column, before *types.T) {
	t := col.Type
	col.Micros = false
	if (t == types.TimestampTZT || t == types.TimestampT) && col.Typmod < 0 {
		col.Typmod = 3
	}
	if t == types.JSONBT {
		col.Form = catalog.FormAny
	}
	col.MayArray = !t.IsArray() && (col.MayArray || before == types.JSONBT)
	col.MayDouble = t == types.NumericT
}

// choosePath keeps a new column off the fields that other columns have. A dropped column's field is emptied for it.
func (a *alter) choosePath(rel *catalog.Relation, col *catalog.Column) {
	name := col.Path[0]
	for i := 1; ; i++ {
		live := name == "_id" || slices.ContainsFunc(rel.Columns, func(c *catalog.Column) bool { return !c.Dropped && len(c.Path) > 0 && c.Path[0] == name })
		if !live {
			break
		}
		name = col.Path[0] + "~" + itoa(i)
	}
	dropped := slices.IndexFunc(rel.Columns, func(c *catalog.Column) bool { return c.Dropped && len(c.Path) > 0 && c.Path[0] == name })
	if dropped >= 0 {
		a.r.do(ClearField{Table: a.r.snap().RelationByOID(a.oid), Path: []string{name}, Now: true})
	}
	col.Path = []string{name}
}

// fillColumn gives the present rows their values of a new column.
func (a *alter) fillColumn(before *catalog.Relation, s *columnSpec) error {
	r, rel := a.r, a.rel()
	col := rel.Column(s.col.Name)
	set := RewriteSet{Attnum: col.Attnum}
	switch {
	case r.c.Exprs == nil:
		return nil
	case s.serial != nil || col.Identity != 0:
		if err := r.rowTypeUnused(rel); err != nil {
			return err
		}
		set.Sequence = r.snap().RelationByOID(col.OwnedSequence)
		r.do(Rewrite{Old: before, New: rel, Sets: []RewriteSet{set}})
	case col.Generated != 0:
		if err := r.rowTypeUnused(rel); err != nil {
			return err
		}
		e, err := r.c.Exprs.Bind(r.snap(), before, col.Default, col.Type, col.Typmod)
		if err != nil {
			return unplaced(err)
		}
		set.Value = e
		r.do(Rewrite{Old: before, New: rel, Sets: []RewriteSet{set}})
	case col.Default != "":
		e, err := r.c.Exprs.Bind(r.snap(), nil, col.Default, col.Type, col.Typmod)
		if err != nil {
			return unplaced(err)
		}
		if k, ok := e.(*expr.Const); !ok || !k.D.IsNull() {
			if err := r.rowTypeUnused(rel); err != nil {
				return err
			}
		}
		if volatility(e) == 'v' {
			set.Value = e
			r.do(Rewrite{Old: before, New: rel, Sets: []RewriteSet{set}})
			break
		}
		v, err := r.constant(e)
		if err != nil {
			return err
		}
		setColumn(rel, col.Attnum, func(c *catalog.Column) { c.Missing = v })
		r.ch.PutRelation(rel)
		if !v.IsNull() {
			return nil
		}
	default:
		if d := col.Type; d.Kind == 'd' {
			if err := a.nullDomain(col); err != nil {
				return err
			}
		}
	}
	if rel = a.rel(); rel.Column(col.Name).NotNull {
		r.do(CheckRows{Table: rel, NotNull: rel.Column(col.Name)})
	}
	return nil
}

// nullDomain checks the rows of a new column whose domain has constraints: all of them are NULL.
func (a *alter) nullDomain(col *catalog.Column) error {
	for t := col.Type; t.Kind == 'd'; t = t.Base {
		if t.NotNull {
			rel := a.rel()
			a.r.do(CheckRows{Table: rel, NotNull: rel.Column(col.Name)})
			return nil
		}
	}
	return nil
}

// constant evaluates an expression without columns.
func (r *run) constant(e expr.Expr) (types.Datum, error) {
	eval, err := expr.Compile(e, expr.Layout{})
	if err != nil {
		return types.Null, err
	}
	return eval(r.c.Exprs.Env(), nil)
}

func (a *alter) dropColumn(c *pg_query.AlterTableCmd) error {
	rel := a.rel()
	col := rel.Column(c.Name)
	if col == nil {
		if c.MissingOk {
			a.r.notice(pgerr.SuccessfulCompletion, "column \"%s\" of relation \"%s\" does not exist, skipping", c.Name, rel.Name)
			return nil
		}
		if slices.Contains(systemColumns, c.Name) {
			return pgerr.New(pgerr.FeatureNotSupported, "cannot drop system column \"%s\"", c.Name)
		}
		_, _, err := a.column(c.Name)
		return err
	}
	if err := a.r.inheritedColumn(rel, col, "drop"); err != nil {
		return err
	}
	if p := rel.Partition; p != nil && slices.ContainsFunc(p.Keys, func(k catalog.IndexKey) bool {
		return k.Attnum == col.Attnum || k.Expr != "" && textUses(k.Expr, col.Name)
	}) {
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot drop column \"%s\" because it is part of the partition key of relation \"%s\"", col.Name, rel.Name)
	}
	return a.r.dropObjects([]object{{objColumn, a.oid, uint32(col.Attnum)}}, c.Behavior)
}

func (a *alter) setDefault(c *pg_query.AlterTableCmd) error {
	rel, col, err := a.column(c.Name)
	if err != nil {
		return err
	}
	if col.Identity != 0 {
		e := pgerr.New(pgerr.SyntaxError, "column \"%s\" of relation \"%s\" is an identity column", col.Name, rel.Name)
		if c.Def == nil {
			e = e.WithHint("Use %s instead.", "ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY")
		}
		return e
	}
	if col.Generated != 0 {
		e := pgerr.New(pgerr.SyntaxError, "column \"%s\" of relation \"%s\" is a generated column", col.Name, rel.Name)
		if c.Def == nil {
			e = e.WithHint("Use %s instead.", "ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION")
		}
		return e
	}
	text := ""
	if c.Def != nil {
		if text, _, err = a.r.bindDefault(c.Def, col.Type, col.Typmod, col.Name); err != nil {
			return err
		}
		if isNullText(text) {
			text = ""
		}
	}
	setColumn(rel, col.Attnum, func(c *catalog.Column) { c.Default = text })
	a.r.ch.PutRelation(rel)
	return nil
}

func (a *alter) setNotNull(c *pg_query.AlterTableCmd) error {
	rel, col, err := a.column(c.Name)
	if err != nil || col.NotNull {
		return err
	}
	nn := setColumn(rel, col.Attnum, func(c *catalog.Column) { c.NotNull = true })
	a.r.ch.PutRelation(rel)
	a.r.do(CheckRows{Table: rel, NotNull: nn})
	return nil
}

func (a *alter) dropNotNull(c *pg_query.AlterTableCmd) error {
	rel, col, err := a.column(c.Name)
	if err != nil || !col.NotNull {
		return err
	}
	if pk := rel.PrimaryKey(); pk != nil && slices.Contains(pk.Columns, col.Attnum) {
		return pgerr.New(pgerr.InvalidTableDefinition, "column \"%s\" is in a primary key", col.Name)
	}
	if col.Identity != 0 {
		return pgerr.New(pgerr.SyntaxError, "column \"%s\" of relation \"%s\" is an identity column", col.Name, rel.Name)
	}
	if len(col.Path) == 1 && col.Path[0] == "_id" {
		return pgerr.Unsupported("dropping NOT NULL of the column that is _id")
	}
	setColumn(rel, col.Attnum, func(c *catalog.Column) { c.NotNull = false })
	// A unique index over the column was a plain one: from now on NULLs must be distinct in it.
	for _, idx := range rel.Indexes {
		if !idx.UniqueFields() || idx.NullsNotDistinct || !slices.ContainsFunc(idx.Keys, func(k catalog.IndexKey) bool { return k.Attnum == col.Attnum }) {
			continue
		}
		setColumn(rel, col.Attnum, func(c *catalog.Column) { c.NullMissing = true })
		n := *idx
		n.MongoName = idx.Name + "~" + itoa(int(a.r.newOID(rel.Schema)))
		replaceIndex(rel, &n)
		a.r.do(CreateIndex{Table: rel, Index: &n}, DropIndex{Table: rel, Index: idx})
	}
	a.r.ch.PutRelation(rel)
	return nil
}

func (a *alter) dropExpression(c *pg_query.AlterTableCmd) error {
	rel, col, err := a.column(c.Name)
	if err != nil {
		return err
	}
	if col.Generated == 0 {
		if c.MissingOk {
			a.r.notice(pgerr.SuccessfulCompletion, "column \"%s\" of relation \"%s\" is not a stored generated column, skipping", col.Name, rel.Name)
			return nil
		}
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" is not a stored generated column", col.Name, rel.Name)
	}
	if len(rel.Children) > 0 && !a.stmt.Relation.Inh {
		return pgerr.New(pgerr.FeatureNotSupported, "ALTER TABLE / DROP EXPRESSION must be applied to child tables too")
	}
	if col.Inherited && !a.fromParent {
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot drop generation expression from inherited column")
	}
	setColumn(rel, col.Attnum, func(c *catalog.Column) { c.Generated, c.Default = 0, "" })
	a.r.ch.PutRelation(rel)
	return nil
}

// identity is ADD, SET and DROP of GENERATED AS IDENTITY.
func (a *alter) identity(c *pg_query.AlterTableCmd) error {
	rel, col, err := a.column(c.Name)
	if err != nil {
		return err
	}
	r := a.r
	if c.Subtype == pg_query.AlterTableType_AT_AddIdentity {
		con := c.Def.GetConstraint()
		switch {
		case col.Type != types.Int2T && col.Type != types.Int4T && col.Type != types.Int8T:
			return pgerr.New(pgerr.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
		case !col.NotNull:
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" must be declared NOT NULL before identity can be added", col.Name, rel.Name)
		case col.Identity != 0:
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" is already an identity column", col.Name, rel.Name)
		case col.Default != "":
			return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" already has a default value", col.Name, rel.Name)
		}
		seq, err := r.ownedSequence(rel, col, con.Options, true)
		if err != nil {
			return err
		}
		r.debug("ALTER TABLE will create implicit sequence \"%s\" for serial column \"%s.%s\"", seq.Name, rel.Name, col.Name)
		setColumn(rel, col.Attnum, func(c *catalog.Column) { c.Identity, c.OwnedSequence = con.GeneratedWhen[0], seq.OID })
		r.ch.PutRelation(rel)
		return nil
	}
	if col.Identity == 0 {
		if c.MissingOk {
			r.notice(pgerr.SuccessfulCompletion, "column \"%s\" of relation \"%s\" is not an identity column, skipping", col.Name, rel.Name)
			return nil
		}
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "column \"%s\" of relation \"%s\" is not an identity column", col.Name, rel.Name)
	}
	seq := r.snap().RelationByOID(col.OwnedSequence)
	if c.Subtype == pg_query.AlterTableType_AT_DropIdentity {
		setColumn(rel, col.Attnum, func(c *catalog.Column) { c.Identity, c.OwnedSequence = 0, 0 })
		r.ch.PutRelation(rel)
		if seq != nil {
			r.removeRelation(seq)
		}
		return nil
	}
	var options []*pg_query.Node
	for _, o := range c.Def.GetList().GetItems() {
		if d := o.GetDefElem(); d.Defname == "generated" {
			setColumn(rel, col.Attnum, func(c *catalog.Column) { c.Identity = byte(d.Arg.GetInteger().GetIval()) })
			continue
		}
		options = append(options, o)
	}
	r.ch.PutRelation(rel)
	if len(options) == 0 || seq == nil {
		return nil
	}
	return r.changeSequence(seq, options)
}
