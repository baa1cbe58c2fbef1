package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
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
