package ddl

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	"google.golang.org/protobuf/proto"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

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
