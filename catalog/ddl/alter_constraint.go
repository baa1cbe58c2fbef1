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

func isNullText(text string) bool {
	return strings.EqualFold(text, "NULL") || strings.HasPrefix(text, "NULL::")
}

func (a *alter) addConstraint(c *pg_query.AlterTableCmd) error {
	con := c.Def.GetConstraint()
	if len(con.FkAttrs) == 0 && con.Contype == pg_query.ConstrType_CONSTR_FOREIGN {
		return pgerr.New(pgerr.SyntaxError, "syntax error in foreign key")
	}
	if rel := a.rel(); con.Contype == pg_query.ConstrType_CONSTR_FOREIGN && rel.Kind == catalog.KindPartitioned {
		const on = "foreign key on partitioned table \"%s\" referencing relation \"%s\""
		switch {
		case !a.stmt.Relation.Inh:
			return pgerr.New(pgerr.WrongObjectType, "cannot use ONLY for "+on, rel.Name, con.Pktable.Relname)
		case con.SkipValidation:
			return pgerr.New(pgerr.WrongObjectType, "cannot add NOT VALID "+on, rel.Name, con.Pktable.Relname).
				WithDetail("This feature is not yet supported on partitioned tables.")
		}
	}
	b := &tableBuild{r: a.r, rel: a.rel(), cons: []*pg_query.Constraint{con}}
	return b.addAll(false)
}

func (a *alter) findConstraint(name string) (*catalog.Relation, *catalog.Constraint) {
	rel := a.rel()
	for _, c := range rel.Constraints {
		if c.Name == name {
			return rel, c
		}
	}
	return rel, nil
}

func (a *alter) dropConstraint(c *pg_query.AlterTableCmd) error {
	rel, con := a.findConstraint(c.Name)
	if con == nil {
		if c.MissingOk {
			a.r.notice(pgerr.SuccessfulCompletion, "constraint \"%s\" of relation \"%s\" does not exist, skipping", c.Name, rel.Name)
			return nil
		}
		return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of relation \"%s\" does not exist", c.Name, rel.Name)
	}
	if con.Inherited && !a.fromParent {
		return pgerr.New(pgerr.InvalidTableDefinition, "cannot drop inherited constraint \"%s\" of relation \"%s\"", con.Name, rel.Name)
	}
	if con.Type == catalog.ConPrimary || con.Type == catalog.ConUnique {
		if idx := rel.Index(con.Index); idx != nil && idx.MongoName == "_id_" {
			if err := a.moveID(rel, idx); err != nil {
				return err
			}
		}
	}
	return a.r.dropObjects([]object{{objConstraint, a.oid, con.OID}}, c.Behavior)
}

// moveID gives the column that is _id a field of its own, before its primary key goes: _id stays unique in MongoDB.
func (a *alter) moveID(rel *catalog.Relation, idx *catalog.Index) error {
	col := rel.ByAttnum(idx.Keys[0].Attnum)
	old := a.r.snap().RelationByOID(a.oid)
	n := rel.Clone()
	path := *col
	path.Path = []string{fieldOf(col.Name)}
	a.choosePath(n, &path)
	setColumn(n, col.Attnum, func(c *catalog.Column) { c.Path = path.Path })
	plain := *idx
	plain.MongoName = ""
	replaceIndex(n, &plain)
	for _, o := range slices.Clone(n.Indexes) {
		if o.Unique && o.OID != idx.OID && o.MongoName == "" && o.Hidden == "" && len(o.Keys) == 1 && o.Keys[0].Attnum == col.Attnum {
			own := *o // a unique constraint that _id served
			own.MongoName = freeMongoName(n, o)
			replaceIndex(n, &own)
		}
	}
	a.r.ch.PutRelation(n)
	a.r.do(Rewrite{Old: old, New: n})
	return nil
}

// validate is VALIDATE CONSTRAINT.
func (a *alter) validate(c *pg_query.AlterTableCmd) error {
	rel, con := a.findConstraint(c.Name)
	if con == nil {
		return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of relation \"%s\" does not exist", c.Name, rel.Name)
	}
	if con.Type != catalog.ConForeign && con.Type != catalog.ConCheck {
		return pgerr.New(pgerr.WrongObjectType, "constraint \"%s\" of relation \"%s\" is not a foreign key or check constraint", c.Name, rel.Name)
	}
	if !con.NotValid {
		return nil
	}
	n := *con
	n.NotValid = false
	replaceConstraint(rel, &n)
	a.r.ch.PutRelation(rel)
	if con.Type == catalog.ConForeign {
		a.r.do(CheckForeignKey{Table: rel, Referenced: a.r.snap().RelationByOID(con.RefRelation), Constraint: &n})
		return nil
	}
	_, e, err := a.r.bindText(rel, con.Check, types.BoolT, -1)
	if err != nil {
		return err
	}
	a.r.do(CheckRows{Table: rel, Name: con.Name, Cond: e})
	return nil
}

func replaceConstraint(rel *catalog.Relation, c *catalog.Constraint) {
	for i, o := range rel.Constraints {
		if o.OID == c.OID {
			rel.Constraints[i] = c
		}
	}
}

// alterConstraint is ALTER CONSTRAINT: a foreign key's deferrability.
func (a *alter) alterConstraint(c *pg_query.AlterTableCmd) error {
	def := c.Def.GetConstraint()
	rel, con := a.findConstraint(def.Conname)
	if con == nil {
		return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of relation \"%s\" does not exist", def.Conname, rel.Name)
	}
	if con.Type != catalog.ConForeign {
		return pgerr.New(pgerr.WrongObjectType, "constraint \"%s\" of relation \"%s\" is not a foreign key constraint", def.Conname, rel.Name)
	}
	n := *con
	n.Deferrable, n.InitiallyDeferred = def.Deferrable, def.Initdeferred
	replaceConstraint(rel, &n)
	a.r.ch.PutRelation(rel)
	return nil
}

// alterType is ALTER COLUMN ... TYPE.
func (a *alter) alterType(c *pg_query.AlterTableCmd) error {
	r := a.r
	rel, col, err := a.column(c.Name)
	if err != nil {
		return err
	}
	def := c.Def.GetColumnDef()
	t, mod, err := r.resolver().TypeName(def.TypeName)
	if err != nil {
		return err
	}
	if col.Generated != 0 && def.RawDefault != nil {
		return pgerr.New(pgerr.InvalidColumnDefinition, "cannot specify USING when altering type of generated column").
			WithDetail("Column \"%s\" is a generated column.", col.Name)
	}
	if err := a.typeInUse(rel, col); err != nil {
		return err
	}
	if err := checkColumnType(&catalog.Column{Name: col.Name, Type: t}, r.snap().TypeByOID(rel.RowType)); err != nil {
		return err
	}
	collated := &catalog.Column{Type: t}
	if err := a.r.collate(collated, def); err != nil {
		return err
	}
	if err := a.ownColumn(c); err != nil {
		return err
	}
	old := r.snap().RelationByOID(a.oid)
	var value expr.Expr
	if !rel.Native || def.RawDefault != nil {
		// How the documents of others are read changes without USING, and not the documents.
		if value, err = a.conversion(old, col, def, t, mod); err != nil {
			return err
		}
	}
	if value != nil {
		if err := r.rowTypeUnused(rel); err != nil {
			return err
		}
	}
	text, err := a.convertDefault(col, t, mod)
	if err != nil {
		return err
	}
	if col.Identity != 0 && t != types.Int2T && t != types.Int4T && t != types.Int8T {
		return pgerr.New(pgerr.InvalidParameterValue, "identity column type must be smallint, integer, or bigint")
	}
	setColumn(rel, col.Attnum, func(c *catalog.Column) {
		c.Type, c.Typmod, c.Default, c.Form, c.MayArray = t, mod, text, catalog.FormNatural, false
		c.Micros = keepsMicros(t)
		c.Collation = collated.Collation
		if old.Column(c.Name).Form == catalog.FormObjectID && t.BaseType().Rep == types.RepString {
			c.Form = catalog.FormObjectID
		}
		if rel.Native {
			c.MayArray = old.Column(c.Name).MayArray
			asNative(c, col.Type)
		}
	})
	remap, err := a.convertIndexes(rel, col, t)
	if err != nil {
		return err
	}
	r.ch.PutRelation(rel)
	if value != nil && (def.RawDefault != nil || !storedAlike(col.Type, col.Typmod, t, mod)) {
		if !col.Missing.IsNull() {
			r.do(FillMissing{Table: old, Column: old.Column(col.Name)})
			rel = a.rel()
			setColumn(rel, col.Attnum, func(c *catalog.Column) { c.Missing = types.Null })
			r.ch.PutRelation(rel)
		}
		r.do(Rewrite{Old: old, New: rel, Sets: []RewriteSet{{Attnum: col.Attnum, Value: value}}})
	} else if !col.Missing.IsNull() && value != nil {
		v, err := a.convertMissing(old, col, value)
		if err != nil {
			return err
		}
		rel = a.rel()
		setColumn(rel, col.Attnum, func(c *catalog.Column) { c.Missing = v })
		r.ch.PutRelation(rel)
	}
	for _, idx := range remap {
		rel = a.rel()
		if _, err := r.remapIndex(rel, rel.Index(idx.OID), idx, rel.ConstraintOf(idx)); err != nil {
			return err
		}
	}
	if seq := r.snap().RelationByOID(col.OwnedSequence); col.Identity != 0 && seq != nil && t != col.Type {
		as := &pg_query.DefElem{Defname: "as", Arg: &pg_query.Node{Node: &pg_query.Node_TypeName{TypeName: def.TypeName}}}
		if err := r.changeSequence(seq, []*pg_query.Node{{Node: &pg_query.Node_DefElem{DefElem: as}}}); err != nil {
			return err
		}
	}
	return a.recheck(col.Attnum)
}

// ownColumn refuses ALTER a TYPE int USING b, ALTER b TYPE int USING a: every USING expression means the values from before
// the statement, and columns are rewritten one after the other.
func (a *alter) ownColumn(c *pg_query.AlterTableCmd) error {
	using := c.Def.GetColumnDef().RawDefault
	if using == nil {
		return nil
	}
	used, whole := columnRefs(using)
	for _, n := range a.stmt.Cmds {
		o := n.GetAlterTableCmd()
		changed := o.Subtype == pg_query.AlterTableType_AT_AlterColumnType || o.Subtype == pg_query.AlterTableType_AT_DropColumn
		if changed && o.Name != c.Name && (whole || slices.Contains(used, o.Name)) {
			return pgerr.Unsupported("USING with a column that the same statement changes")
		}
	}
	return nil
}

// convertMissing converts the value that documents without the field have.
func (a *alter) convertMissing(rel *catalog.Relation, col *catalog.Column, value expr.Expr) (types.Datum, error) {
	layout, live := expr.Layout{}, rel.Live()
	row := make([]types.Datum, len(live))
	for i, c := range live {
		layout[expr.ColID(i)] = i
		if c.Attnum == col.Attnum {
			row[i] = col.Missing
		}
	}
	eval, err := expr.Compile(value, layout)
	if err != nil {
		return types.Null, err
	}
	return eval(a.r.c.Exprs.Env(), row)
}

// typeInUse refuses to change the type under views and generated columns.
func (a *alter) typeInUse(rel *catalog.Relation, col *catalog.Column) error {
	for _, v := range a.r.snap().ViewsOf(rel.OID) {
		if view := a.r.snap().RelationByOID(v); viewUses(view, rel.OID, col.Attnum) {
			return pgerr.New(pgerr.FeatureNotSupported, "cannot alter type of a column used by a view or rule").
				WithDetail("rule _RETURN on view %s depends on column \"%s\"", a.r.qualify(view.Schema, view.Name), col.Name)
		}
	}
	for _, g := range rel.Live() {
		if g.Generated != 0 && g.Attnum != col.Attnum && textUses(g.Default, col.Name) {
			return pgerr.New(pgerr.FeatureNotSupported, "cannot alter type of a column used by a generated column").
				WithDetail("Column \"%s\" is used by generated column \"%s\".", col.Name, g.Name)
		}
	}
	return nil
}

// conversion binds what turns an old value into a new one; nil without a binder.
func (a *alter) conversion(old *catalog.Relation, col *catalog.Column, def *pg_query.ColumnDef, t *types.T, mod int32) (expr.Expr, error) {
	r := a.r
	if r.c.Exprs == nil {
		return nil, nil
	}
	text := quote(col.Name)
	if def.RawDefault != nil {
		if err := refuse(def.RawDefault, "transform expression", "transform expressions", false); err != nil {
			return nil, err
		}
		var err error
		if text, err = deparseExpr(def.RawDefault); err != nil {
			return nil, err
		}
	}
	e, err := r.c.Exprs.Bind(r.snap(), old, text, t, mod)
	if pgerr.Is(err, pgerr.DatatypeMismatch) || pgerr.Is(err, pgerr.CannotCoerce) {
		if def.RawDefault != nil {
			if _, perr := r.c.Exprs.Bind(r.snap(), old, text, nil, -1); perr != nil {
				return nil, unplaced(perr)
			}
			return nil, pgerr.New(pgerr.DatatypeMismatch, "result of USING clause for column \"%s\" cannot be cast automatically to type %s", col.Name, types.FormatType(t, -1)).
				WithHint("You might need to add an explicit cast.")
		}
		return nil, pgerr.New(pgerr.DatatypeMismatch, "column \"%s\" cannot be cast automatically to type %s", col.Name, types.FormatType(t, -1)).
			WithHint("You might need to specify \"USING %s::%s\".", quote(col.Name), types.FormatType(t, mod))
	}
	if err != nil {
		return nil, unplaced(err)
	}
	return e, nil
}

func (a *alter) convertDefault(col *catalog.Column, t *types.T, mod int32) (string, error) {
	if col.Default == "" || col.Generated != 0 || a.r.c.Exprs == nil {
		return col.Default, nil
	}
	e, err := a.r.c.Exprs.Bind(a.r.snap(), nil, col.Default, t, mod)
	if err != nil {
		return "", pgerr.New(pgerr.DatatypeMismatch, "default for column \"%s\" cannot be cast automatically to type %s", col.Name, types.FormatType(t, -1))
	}
	return a.r.c.Exprs.Deparse(a.r.snap(), e), nil
}

// convertIndexes gives the indexes of a column the operator class of its new type. It returns those whose form in MongoDB
// changes with the type, or whose keys must be computed again.
func (a *alter) convertIndexes(rel *catalog.Relation, col *catalog.Column, t *types.T) (remap []*catalog.Index, err error) {
	for _, idx := range rel.Indexes {
		n := *idx
		n.Keys = slices.Clone(idx.Keys)
		isKey, used := false, textUses(idx.Where, col.Name)
		for i, k := range n.Keys {
			if k.Attnum != col.Attnum {
				used = used || textUses(k.Expr, col.Name)
				continue
			}
			key, err := a.r.indexKey(t, idx.Method, nil, rel.ByAttnum(col.Attnum).Collation)
			if err != nil {
				return nil, err
			}
			n.Keys[i].OpClass, n.Keys[i].OpClassSet, n.Keys[i].Collation = key.OpClass, false, key.Collation
			isKey = true
		}
		if !isKey && !used {
			continue
		}
		a.r.setLoose(rel, &n)
		if idx.Hidden != "" || needsHidden(rel, &n, rel.ConstraintOf(idx)) {
			remap = append(remap, &n)
			continue
		}
		if isKey && idx.Unique && keepsMicros(t) != keepsMicros(a.r.snap().RelationByOID(a.oid).ByAttnum(col.Attnum).Type) {
			if idx.MongoName == "_id_" {
				return nil, pgerr.Unsupported("a timestamp as the column that is _id")
			}
			n.MongoName = idx.Name + "~" + itoa(int(a.r.newOID(rel.Schema)))
			a.r.do(DropIndex{Table: rel, Index: idx}, CreateIndex{Table: rel, Index: &n})
		}
		replaceIndex(rel, &n)
	}
	return remap, nil
}

// recheck binds the constraints over an altered column again: its type must still fit them.
func (a *alter) recheck(attnum int16) error {
	r := a.r
	rel := a.rel()
	for _, con := range rel.Constraints {
		if !slices.Contains(con.Columns, attnum) {
			continue
		}
		switch con.Type {
		case catalog.ConCheck:
			text, e, err := r.bindText(rel, con.Check, types.BoolT, -1)
			if err != nil {
				return err
			}
			n := *con
			n.Check = text
			replaceConstraint(rel, &n)
			r.ch.PutRelation(rel)
			if !con.NotValid {
				r.do(CheckRows{Table: rel, Name: con.Name, Cond: e})
			}
		case catalog.ConForeign:
			if err := r.recheckForeign(rel, con); err != nil {
				return err
			}
		}
	}
	for _, ref := range r.snap().ReferencedBy(a.oid) {
		if slices.Contains(ref.Constraint.RefColumns, attnum) {
			if err := r.recheckForeign(ref.Table, ref.Constraint); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) recheckForeign(rel *catalog.Relation, con *catalog.Constraint) error {
	parent := r.snap().RelationByOID(con.RefRelation)
	for i := range con.Columns {
		x, y := rel.ByAttnum(con.Columns[i]), parent.ByAttnum(con.RefColumns[i])
		if !r.comparable(x.Type, y.Type) {
			return pgerr.New(pgerr.DatatypeMismatch, "foreign key constraint \"%s\" cannot be implemented", con.Name).
				WithDetail("Key columns \"%s\" and \"%s\" are of incompatible types: %s and %s.", x.Name, y.Name, types.FormatType(x.Type, x.Typmod), types.FormatType(y.Type, y.Typmod))
		}
	}
	return nil
}

// storedAlike reports whether every stored value of one type is a valid stored value of another, so that no document
// needs to change.
func storedAlike(from *types.T, fromMod int32, to *types.T, toMod int32) bool {
	f, t := from.BaseType(), to.BaseType()
	if to.Kind == 'd' && to != from {
		return false // a domain's checks must be run
	}
	width := func(x *types.T) int { return map[*types.T]int{types.Int2T: 1, types.Int4T: 2, types.Int8T: 3}[x] }
	text := func(x *types.T) bool { return x == types.TextT || x == types.VarcharT }
	switch {
	case f == t && fromMod == toMod:
		return true
	case width(f) > 0 && width(t) > 0:
		return width(t) >= width(f)
	case text(f) && text(t):
		return toMod < 0 || f == types.VarcharT && fromMod >= 0 && fromMod <= toMod
	case f == t && f == types.NumericT:
		return toMod < 0
	case f == t && (f == types.TimestampT || f == types.TimestampTZT):
		return toMod < 0
	}
	return false
}
