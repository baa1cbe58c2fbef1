package ddl

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// newType finds the schema of a new type and checks that the name is free.
func (r *run) newType(list []*pg_query.Node) (*catalog.Schema, string, error) {
	schema, name, err := qualified(names(list))
	if err != nil {
		return nil, "", err
	}
	sc, err := r.creationSchema(schema, -1)
	if err != nil {
		return nil, "", err
	}
	name = catalog.CutName(name)
	if t := r.snap().TypeInSchema(sc.OID, name); t != nil && !t.IsArray() {
		return nil, "", pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", name)
	}
	return sc, name, nil
}

// createEnum is CREATE TYPE ... AS ENUM.
func (r *run) createEnum(n *pg_query.CreateEnumStmt) error {
	sc, name, err := r.newType(n.TypeName)
	if err != nil {
		return err
	}
	t := &types.T{
		OID: r.newOID(sc.Name), ArrayOID: r.newOID(sc.Name), Name: name, Schema: sc.Name, Len: 4, ByVal: true, Kind: 'e', Category: 'E',
		Rep: types.RepString, Align: 'i', Storage: 'p', BaseTypmod: -1,
	}
	for i, v := range names(n.Vals) {
		if err := checkLabel(v); err != nil {
			return err
		}
		if hasLabel(t, v) {
			return pgerr.New(pgerr.UniqueViolation, "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"").
				WithDetail("Key (enumtypid, enumlabel)=(%d, %s) already exists.", t.OID, v)
		}
		t.Labels = append(t.Labels, types.EnumLabel{OID: r.newOID(sc.Name), Label: v, Sort: float32(i + 1)})
	}
	r.ch.PutType(t, catalog.TypeInfo{SchemaID: sc.OID, Owner: r.owner(), ACL: r.newACL(catalog.OnType, r.owner(), sc)})
	return nil
}

func checkLabel(v string) error {
	if len(v) > catalog.MaxName {
		return pgerr.New(pgerr.InvalidName, "invalid enum label \"%s\"", v).WithDetail("Labels must be %d bytes or less.", catalog.MaxName)
	}
	return nil
}

func hasLabel(t *types.T, v string) bool {
	return slices.ContainsFunc(t.Labels, func(l types.EnumLabel) bool { return l.Label == v })
}

// alterEnum is ALTER TYPE ... ADD VALUE and RENAME VALUE.
func (r *run) alterEnum(n *pg_query.AlterEnumStmt) error {
	t, err := r.userType(names(n.TypeName))
	if err != nil {
		return err
	}
	if t.Kind != 'e' {
		return pgerr.New(pgerr.WrongObjectType, "%s is not an enum", r.typeText(t))
	}
	c := *t
	c.Labels = slices.Clone(t.Labels)
	if n.OldVal != "" {
		i := slices.IndexFunc(c.Labels, func(l types.EnumLabel) bool { return l.Label == n.OldVal })
		if i < 0 {
			return pgerr.New(pgerr.InvalidParameterValue, "\"%s\" is not an existing enum label", n.OldVal)
		}
		if hasLabel(t, n.NewVal) {
			return pgerr.New(pgerr.DuplicateObject, "enum label \"%s\" already exists", n.NewVal)
		}
		if err := checkLabel(n.NewVal); err != nil {
			return err
		}
		c.Labels[i].Label = n.NewVal
		r.ch.PutType(&c, r.snap().TypeInfo(t.OID))
		return r.relabel(t, &c, n.OldVal, n.NewVal)
	}
	if err := checkLabel(n.NewVal); err != nil {
		return err
	}
	if hasLabel(t, n.NewVal) {
		if n.SkipIfNewValExists {
			r.notice(pgerr.DuplicateObject, "enum label \"%s\" already exists, skipping", n.NewVal)
			return nil
		}
		return pgerr.New(pgerr.DuplicateObject, "enum label \"%s\" already exists", n.NewVal)
	}
	at := len(c.Labels)
	if n.NewValNeighbor != "" {
		i := slices.IndexFunc(c.Labels, func(l types.EnumLabel) bool { return l.Label == n.NewValNeighbor })
		if i < 0 {
			return pgerr.New(pgerr.InvalidParameterValue, "\"%s\" is not an existing enum label", n.NewValNeighbor)
		}
		at = i
		if n.NewValIsAfter {
			at++
		}
	}
	c.Labels = slices.Insert(c.Labels, at, types.EnumLabel{OID: r.ch.NewOID(), Label: n.NewVal, Sort: labelSort(c.Labels, at), Added: true})
	r.ch.PutType(&c, r.snap().TypeInfo(t.OID))
	return nil
}

// labelSort chooses the sort position of a label that is inserted at index at.
func labelSort(labels []types.EnumLabel, at int) float32 {
	switch {
	case len(labels) == 0:
		return 1
	case at == 0:
		return labels[0].Sort - 1
	case at == len(labels):
		return labels[at-1].Sort + 1
	}
	return (labels[at-1].Sort + labels[at].Sort) / 2
}

// createComposite is CREATE TYPE ... AS (...).
func (r *run) createComposite(n *pg_query.CompositeTypeStmt) error {
	rv := n.Typevar
	sc, err := r.creationSchema(rv.Schemaname, rv.Location)
	if err != nil {
		return err
	}
	name := catalog.CutName(rv.Relname)
	if t := r.snap().TypeInSchema(sc.OID, name); t != nil && !t.IsArray() {
		return pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", name)
	}
	rel := &catalog.Relation{
		OID: r.newOID(sc.Name), SchemaID: sc.OID, Schema: sc.Name, Name: name, Kind: catalog.KindComposite, Owner: r.owner(), Persistence: 'p',
		RowType: r.newOID(sc.Name), Array: r.newOID(sc.Name),
	}
	for _, e := range n.Coldeflist {
		if err := r.addAttribute(rel, e.GetColumnDef()); err != nil {
			return err
		}
	}
	r.ch.PutRelation(rel)
	return nil
}

func (r *run) addAttribute(rel *catalog.Relation, def *pg_query.ColumnDef) error {
	t, mod, err := r.resolver().TypeName(def.TypeName)
	if err != nil {
		return err
	}
	if rel.Column(def.Colname) != nil {
		if r.snap().RelationByOID(rel.OID) != nil {
			return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" of relation \"%s\" already exists", def.Colname, rel.Name)
		}
		return pgerr.New(pgerr.DuplicateColumn, "column \"%s\" specified more than once", def.Colname)
	}
	col := &catalog.Column{Attnum: int16(len(rel.Columns) + 1), Name: def.Colname, Type: t, Typmod: mod, Collation: t.Collation, Path: []string{attributeKey(rel, def.Colname)}}
	if err := checkColumnType(col, r.snap().TypeByOID(rel.RowType)); err != nil {
		return err
	}
	if err := r.collate(col, def); err != nil {
		return err
	}
	rel.Columns = append(rel.Columns, col)
	return nil
}

// attributeKey chooses the name of a new attribute in documents: its own, unless stored values have another attribute there.
// The counter-example: after RENAME ATTRIBUTE a TO b or DROP ATTRIBUTE a, ADD ATTRIBUTE a is NULL in all rows.
func attributeKey(rel *catalog.Relation, name string) string {
	key := name
	for i := 1; slices.ContainsFunc(rel.Columns, func(c *catalog.Column) bool { return c.Path[0] == key }); i++ {
		key = name + "_" + itoa(i)
	}
	return key
}

// alterComposite is ALTER TYPE ... ADD, DROP and ALTER ATTRIBUTE.
func (r *run) alterComposite(n *pg_query.AlterTableStmt) error {
	rel, err := r.relation(n.Relation)
	if err != nil {
		return err
	}
	if rel.Kind != catalog.KindComposite {
		return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a composite type", rel.Name)
	}
	c := rel.Clone()
	for _, node := range n.Cmds {
		cmd := node.GetAlterTableCmd()
		switch cmd.Subtype {
		case pg_query.AlterTableType_AT_AddColumn:
			if err := r.addAttribute(c, cmd.Def.GetColumnDef()); err != nil {
				return err
			}
		case pg_query.AlterTableType_AT_DropColumn:
			col := c.Column(cmd.Name)
			if col == nil {
				if cmd.MissingOk {
					r.notice(pgerr.SuccessfulCompletion, "column \"%s\" of relation \"%s\" does not exist, skipping", cmd.Name, rel.Name)
					continue
				}
				return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", cmd.Name, rel.Name)
			}
			r.removeColumn(c, col.Attnum)
		case pg_query.AlterTableType_AT_AlterColumnType:
			col := c.Column(cmd.Name)
			if col == nil {
				return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", cmd.Name, rel.Name)
			}
			t, mod, err := r.resolver().TypeName(cmd.Def.GetColumnDef().TypeName)
			if err != nil {
				return err
			}
			if err := r.rowTypeUnused(rel); err != nil {
				return err
			}
			setColumn(c, col.Attnum, func(x *catalog.Column) { x.Type, x.Typmod, x.Collation = t, mod, t.Collation })
		case pg_query.AlterTableType_AT_ChangeOwner:
			if err := r.changeOwner(c, cmd.Newowner); err != nil {
				return err
			}
		default:
			return pgerr.Unsupported("this form of ALTER TYPE")
		}
	}
	r.ch.PutRelation(c)
	return nil
}
