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

// alterTable is ALTER TABLE, and ALTER INDEX, VIEW and SEQUENCE where they share its grammar.
func (r *run) alterTable(n *pg_query.AlterTableStmt) (string, error) {
	tag := "ALTER " + objectTypeName(n.Objtype)
	if n.Objtype == pg_query.ObjectType_OBJECT_TYPE {
		return tag, r.alterComposite(n)
	}
	if n.Objtype == pg_query.ObjectType_OBJECT_INDEX {
		ref, ok := r.findIndex(n.Relation.Schemaname, n.Relation.Relname)
		switch {
		case ok:
			return tag, r.alterIndexOptions(ref, n)
		case n.MissingOk:
			r.notice(pgerr.SuccessfulCompletion, "relation \"%s\" does not exist, skipping", n.Relation.Relname)
			return tag, nil
		}
		return tag, noRelation(n.Relation)
	}
	rel, err := r.findToAlter(n.Relation, n.MissingOk)
	if rel == nil {
		return tag, err
	}
	if isSystem(rel) {
		return "", systemError(rel)
	}
	a := &alter{r: r, oid: rel.OID, stmt: n}
	cmds := make([]*pg_query.AlterTableCmd, 0, len(n.Cmds))
	for _, c := range n.Cmds {
		cmds = append(cmds, c.GetAlterTableCmd())
	}
	// PostgreSQL runs the subcommands in passes, so that ADD CONSTRAINT may name a column that is added after it.
	slices.SortStableFunc(cmds, func(x, y *pg_query.AlterTableCmd) int { return pass(x) - pass(y) })
	for _, c := range cmds {
		if err := a.command(c); err != nil {
			return "", err
		}
		if err := a.recurse(c, n.Relation.Inh); err != nil {
			return "", err
		}
	}
	return tag, nil
}

// pass orders the subcommands of ALTER TABLE.
func pass(c *pg_query.AlterTableCmd) int {
	switch c.Subtype {
	case pg_query.AlterTableType_AT_DropColumn, pg_query.AlterTableType_AT_DropConstraint, pg_query.AlterTableType_AT_DropNotNull,
		pg_query.AlterTableType_AT_DropExpression, pg_query.AlterTableType_AT_DropIdentity:
		return 0
	case pg_query.AlterTableType_AT_AlterColumnType:
		return 1
	case pg_query.AlterTableType_AT_AddColumn:
		return 4
	case pg_query.AlterTableType_AT_ColumnDefault:
		if c.Def == nil {
			return 0
		}
		return 6
	case pg_query.AlterTableType_AT_SetNotNull, pg_query.AlterTableType_AT_AddIdentity, pg_query.AlterTableType_AT_SetIdentity:
		return 6
	case pg_query.AlterTableType_AT_AddConstraint:
		switch c.Def.GetConstraint().GetContype() {
		case pg_query.ConstrType_CONSTR_PRIMARY, pg_query.ConstrType_CONSTR_UNIQUE, pg_query.ConstrType_CONSTR_EXCLUSION:
			return 7
		}
		return 9
	}
	return 10
}

// alter is one ALTER TABLE in progress.
type alter struct {
	r    *run
	oid  uint32
	stmt *pg_query.AlterTableStmt
	// fromParent says that the subcommands were given for a table that this one inherits from.
	fromParent bool
}

// rel is the relation as the subcommands so far have left it, in a copy that may be changed.
func (a *alter) rel() *catalog.Relation {
	n := a.r.snap().RelationByOID(a.oid).Clone()
	n.Inferred = false // what SQL has altered is declared from then on
	return n
}

// column finds a live column or fails with 42703.
func (a *alter) column(name string) (*catalog.Relation, *catalog.Column, error) {
	rel := a.rel()
	c := rel.Column(name)
	if c == nil {
		if slices.Contains(systemColumns, name) {
			return nil, nil, pgerr.New(pgerr.FeatureNotSupported, "cannot alter system column \"%s\"", name)
		}
		return nil, nil, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, rel.Name)
	}
	return rel, c, nil
}

// command runs one subcommand.
func (a *alter) command(c *pg_query.AlterTableCmd) error {
	if err := a.kindAllows(c); err != nil {
		return err
	}
	switch c.Subtype {
	case pg_query.AlterTableType_AT_AddColumn:
		if a.rel().Bound != nil && !a.fromParent {
			return pgerr.New(pgerr.WrongObjectType, "cannot add column to a partition")
		}
		return a.addColumn(c)
	case pg_query.AlterTableType_AT_AttachPartition:
		return a.attach(c)
	case pg_query.AlterTableType_AT_DetachPartition:
		return a.detach(c)
	case pg_query.AlterTableType_AT_DropColumn:
		return a.dropColumn(c)
	case pg_query.AlterTableType_AT_AlterColumnType:
		return a.alterType(c)
	case pg_query.AlterTableType_AT_ColumnDefault:
		return a.setDefault(c)
	case pg_query.AlterTableType_AT_SetNotNull:
		return a.setNotNull(c)
	case pg_query.AlterTableType_AT_DropNotNull:
		return a.dropNotNull(c)
	case pg_query.AlterTableType_AT_DropExpression:
		return a.dropExpression(c)
	case pg_query.AlterTableType_AT_AddIdentity, pg_query.AlterTableType_AT_SetIdentity, pg_query.AlterTableType_AT_DropIdentity:
		return a.identity(c)
	case pg_query.AlterTableType_AT_AddConstraint:
		return a.addConstraint(c)
	case pg_query.AlterTableType_AT_DropConstraint:
		return a.dropConstraint(c)
	case pg_query.AlterTableType_AT_ValidateConstraint:
		return a.validate(c)
	case pg_query.AlterTableType_AT_AlterConstraint:
		return a.alterConstraint(c)
	case pg_query.AlterTableType_AT_ChangeOwner:
		return a.r.changeOwner(a.rel(), c.Newowner)
	case pg_query.AlterTableType_AT_SetRelOptions, pg_query.AlterTableType_AT_ResetRelOptions, pg_query.AlterTableType_AT_ReplaceRelOptions:
		return a.options(c)
	}
	return a.accepted(c)
}

// accepted takes what has no meaning for MongoDB's storage, checks what PostgreSQL checks, and does nothing.
func (a *alter) accepted(c *pg_query.AlterTableCmd) error {
	switch c.Subtype {
	case pg_query.AlterTableType_AT_SetStatistics, pg_query.AlterTableType_AT_SetStorage, pg_query.AlterTableType_AT_SetCompression,
		pg_query.AlterTableType_AT_SetOptions, pg_query.AlterTableType_AT_ResetOptions:
		if c.Name == "" {
			return nil
		}
		_, _, err := a.column(c.Name)
		return err
	case pg_query.AlterTableType_AT_ClusterOn:
		if a.rel().Index(a.indexOID(c.Name)) == nil {
			return pgerr.New(pgerr.UndefinedObject, "index \"%s\" for table \"%s\" does not exist", c.Name, a.rel().Name)
		}
		return nil
	case pg_query.AlterTableType_AT_EnableTrig, pg_query.AlterTableType_AT_EnableAlwaysTrig, pg_query.AlterTableType_AT_EnableReplicaTrig, pg_query.AlterTableType_AT_DisableTrig,
		pg_query.AlterTableType_AT_EnableTrigAll, pg_query.AlterTableType_AT_EnableTrigUser, pg_query.AlterTableType_AT_DisableTrigAll, pg_query.AlterTableType_AT_DisableTrigUser:
		return a.triggerState(c)
	case pg_query.AlterTableType_AT_DropCluster, pg_query.AlterTableType_AT_DisableRowSecurity,
		pg_query.AlterTableType_AT_NoForceRowSecurity, pg_query.AlterTableType_AT_ReplicaIdentity, pg_query.AlterTableType_AT_DropOids,
		pg_query.AlterTableType_AT_SetLogged, pg_query.AlterTableType_AT_SetUnLogged:
		return a.persistence(c)
	case pg_query.AlterTableType_AT_SetAccessMethod:
		if c.Name == "heap" || c.Name == "" {
			return nil
		}
		return pgerr.New(pgerr.UndefinedObject, "access method \"%s\" does not exist", c.Name)
	case pg_query.AlterTableType_AT_SetTableSpace:
		if c.Name == "pg_default" {
			return nil
		}
		return pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", c.Name)
	case pg_query.AlterTableType_AT_EnableRowSecurity, pg_query.AlterTableType_AT_ForceRowSecurity:
		return pgerr.Unsupported("row security")
	}
	return pgerr.Unsupported("this form of ALTER TABLE")
}

func (a *alter) indexOID(name string) uint32 {
	for _, i := range a.rel().Indexes {
		if i.Name == name {
			return i.OID
		}
	}
	return 0
}

func (a *alter) persistence(c *pg_query.AlterTableCmd) error {
	rel := a.rel()
	switch c.Subtype {
	case pg_query.AlterTableType_AT_SetLogged:
		rel.Persistence = 'p'
	case pg_query.AlterTableType_AT_SetUnLogged:
		rel.Persistence = 'u'
	default:
		return nil
	}
	a.r.ch.PutRelation(rel)
	return nil
}

func (a *alter) triggerState(c *pg_query.AlterTableCmd) error {
	switch c.Subtype {
	case pg_query.AlterTableType_AT_DisableTrigAll:
		a.foreignKeysOff(true)
	case pg_query.AlterTableType_AT_EnableTrigAll:
		a.foreignKeysOff(false)
	}
	rel := a.rel()
	rel.Triggers = slices.Clone(rel.Triggers)
	all, found := c.Name == "", false
	for i, t := range rel.Triggers {
		if !all && t.Name != c.Name {
			continue
		}
		found = true
		n := *t
		switch c.Subtype {
		case pg_query.AlterTableType_AT_DisableTrig, pg_query.AlterTableType_AT_DisableTrigAll, pg_query.AlterTableType_AT_DisableTrigUser:
			n.Enabled = 'D'
		case pg_query.AlterTableType_AT_EnableAlwaysTrig:
			n.Enabled = 'A'
		case pg_query.AlterTableType_AT_EnableReplicaTrig:
			n.Enabled = 'R'
		default:
			n.Enabled = 'O'
		}
		rel.Triggers[i] = &n
	}
	if found || all {
		a.r.ch.PutRelation(rel)
		return nil
	}
	return pgerr.New(pgerr.UndefinedObject, "trigger \"%s\" for table \"%s\" does not exist", c.Name, rel.Name)
}

// foreignKeysOff turns the table's part in foreign keys off or on: what PostgreSQL's internal triggers on it do.
func (a *alter) foreignKeysOff(off bool) {
	for _, con := range a.rel().Constraints {
		if con.Type == catalog.ConForeign && con.ChildOff != off {
			rel, n := a.rel(), *con
			n.ChildOff = off
			replaceConstraint(rel, &n)
			a.r.ch.PutRelation(rel)
		}
	}
	for _, ref := range slices.Clone(a.r.snap().ReferencedBy(a.oid)) {
		if ref.Constraint.ParentOff != off {
			rel, n := a.r.snap().RelationByOID(ref.Table.OID).Clone(), *ref.Constraint
			n.ParentOff = off
			replaceConstraint(rel, &n)
			a.r.ch.PutRelation(rel)
		}
	}
}

// kindAllows refuses what a kind of relation cannot have.
func (a *alter) kindAllows(c *pg_query.AlterTableCmd) error {
	rel := a.r.snap().RelationByOID(a.oid)
	switch {
	case len(rel.Unwind) > 0:
		switch c.Subtype {
		case pg_query.AlterTableType_AT_AddColumn, pg_query.AlterTableType_AT_DropColumn, pg_query.AlterTableType_AT_AlterColumnType,
			pg_query.AlterTableType_AT_SetRelOptions, pg_query.AlterTableType_AT_ResetRelOptions:
			return nil
		}
		return pgerr.Unsupported("ALTER TABLE of the elements of an array, except for its columns")
	case rel.IsTable() && !rel.ReadOnly:
		return nil
	case c.Subtype == pg_query.AlterTableType_AT_ChangeOwner, c.Subtype == pg_query.AlterTableType_AT_SetRelOptions, c.Subtype == pg_query.AlterTableType_AT_ResetRelOptions:
		return nil
	case rel.Kind == catalog.KindView && c.Subtype == pg_query.AlterTableType_AT_ColumnDefault:
		return nil
	case rel.ReadOnly:
		return pgerr.New(pgerr.WrongObjectType, "cannot alter \"%s\": it is a view or time series of MongoDB", rel.Name)
	}
	return pgerr.New(pgerr.WrongObjectType, "ALTER action %s cannot be performed on relation \"%s\"", actionText(c), rel.Name).
		WithDetail("This operation is not supported for %ss.", rel.Kind.Name())
}

func actionText(c *pg_query.AlterTableCmd) string {
	switch c.Subtype {
	case pg_query.AlterTableType_AT_AddColumn:
		return "ADD COLUMN"
	case pg_query.AlterTableType_AT_DropColumn:
		return "DROP COLUMN"
	case pg_query.AlterTableType_AT_AlterColumnType:
		return "ALTER COLUMN ... SET DATA TYPE"
	case pg_query.AlterTableType_AT_ColumnDefault:
		return "ALTER COLUMN ... SET DEFAULT"
	case pg_query.AlterTableType_AT_SetNotNull:
		return "ALTER COLUMN ... SET NOT NULL"
	case pg_query.AlterTableType_AT_DropNotNull:
		return "ALTER COLUMN ... DROP NOT NULL"
	case pg_query.AlterTableType_AT_AddConstraint:
		return "ADD CONSTRAINT"
	case pg_query.AlterTableType_AT_DropConstraint:
		return "DROP CONSTRAINT"
	case pg_query.AlterTableType_AT_AttachPartition:
		return "ATTACH PARTITION"
	case pg_query.AlterTableType_AT_DetachPartition:
		return "DETACH PARTITION"
	}
	return "ALTER"
}

func (a *alter) options(c *pg_query.AlterTableCmd) error {
	rel := a.rel()
	rel.Options = mergeOptions(rel.Options, c.Def.GetList().GetItems(), c.Subtype == pg_query.AlterTableType_AT_ResetRelOptions)
	if rel.Kind == catalog.KindView {
		if err := checkViewOptions(rel.Options, rel.Base); err != nil {
			return err
		}
	}
	for _, o := range rel.Options {
		if v, ok := strings.CutPrefix(o, catalog.MismatchOption+"="); ok && v != "null" && v != "error" {
			return pgerr.New(pgerr.InvalidParameterValue, "invalid value for enum option \"%s\": %s", catalog.MismatchOption, v).
				WithDetail("Valid values are \"error\" and \"null\".")
		}
	}
	a.r.ch.PutRelation(rel)
	return nil
}

// mergeOptions sets or resets storage parameters in a reloptions list.
func mergeOptions(have []string, list []*pg_query.Node, reset bool) []string {
	out := slices.Clone(have)
	for _, o := range list {
		d := o.GetDefElem()
		prefix := d.Defname + "="
		out = slices.DeleteFunc(out, func(s string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix })
		if !reset {
			out = append(out, optionText(d))
		}
	}
	return out
}

func (r *run) alterIndexOptions(ref catalog.IndexRef, n *pg_query.AlterTableStmt) error {
	for _, c := range n.Cmds {
		cmd := c.GetAlterTableCmd()
		switch cmd.Subtype {
		case pg_query.AlterTableType_AT_SetRelOptions, pg_query.AlterTableType_AT_ResetRelOptions:
			rel := r.snap().RelationByOID(ref.Table.OID).Clone()
			idx := *rel.Index(ref.Index.OID)
			idx.Options = mergeOptions(idx.Options, cmd.Def.GetList().GetItems(), cmd.Subtype == pg_query.AlterTableType_AT_ResetRelOptions)
			replaceIndex(rel, &idx)
			r.ch.PutRelation(rel)
		case pg_query.AlterTableType_AT_SetStatistics:
		case pg_query.AlterTableType_AT_SetTableSpace:
			if cmd.Name != "pg_default" {
				return pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", cmd.Name)
			}
		default:
			return pgerr.Unsupported("this form of ALTER INDEX")
		}
	}
	return nil
}

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
