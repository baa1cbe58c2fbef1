package ddl

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// createDomain is CREATE DOMAIN.
func (r *run) createDomain(n *pg_query.CreateDomainStmt) error {
	sc, name, err := r.newType(n.Domainname)
	if err != nil {
		return err
	}
	base, mod, err := r.resolver().TypeName(n.TypeName)
	if err != nil {
		return err
	}
	if base.Kind == 'p' {
		return pgerr.New(pgerr.DatatypeMismatch, "\"%s\" is not a valid base type for a domain", types.FormatType(base, -1))
	}
	d := *base
	d.OID, d.ArrayOID, d.Name, d.Schema, d.Kind = r.newOID(sc.Name), r.newOID(sc.Name), name, sc.Name, 'd'
	d.Preferred, d.Base, d.BaseTypmod, d.Elem, d.Labels, d.Fields, d.RelOID, d.Checks, d.Default, d.NotNull = false, base, mod, nil, nil, nil, 0, nil, "", false
	if n.CollClause != nil {
		if d.Collation, err = r.collation(n.CollClause.Collname, n.CollClause.Location); err != nil {
			return err
		}
	}
	sawNull, sawNotNull := false, false
	for _, node := range n.Constraints {
		c := node.GetConstraint()
		switch c.Contype {
		case pg_query.ConstrType_CONSTR_DEFAULT:
			if d.Default != "" {
				return pgerr.New(pgerr.SyntaxError, "multiple default expressions").At(c.Location)
			}
			if d.Default, _, err = r.bindDefault(c.RawExpr, base, mod, name); err != nil {
				return err
			}
		case pg_query.ConstrType_CONSTR_NOTNULL:
			d.NotNull, sawNotNull = true, true
		case pg_query.ConstrType_CONSTR_NULL:
			sawNull = true
		case pg_query.ConstrType_CONSTR_CHECK:
			if err := r.domainCheck(&d, c); err != nil {
				return err
			}
		case pg_query.ConstrType_CONSTR_UNIQUE:
			return pgerr.New(pgerr.SyntaxError, "unique constraints not possible for domains").At(c.Location)
		case pg_query.ConstrType_CONSTR_PRIMARY:
			return pgerr.New(pgerr.SyntaxError, "primary key constraints not possible for domains").At(c.Location)
		case pg_query.ConstrType_CONSTR_FOREIGN:
			return pgerr.New(pgerr.SyntaxError, "foreign key constraints not possible for domains").At(c.Location)
		default:
			return pgerr.New(pgerr.FeatureNotSupported, "specifying constraint deferrability not supported for domains").At(c.Location)
		}
		if sawNull && sawNotNull {
			return pgerr.New(pgerr.SyntaxError, "conflicting NULL/NOT NULL constraints").At(c.Location)
		}
	}
	r.ch.PutType(&d, catalog.TypeInfo{SchemaID: sc.OID, Owner: r.owner(), ACL: r.newACL(catalog.OnType, r.owner(), sc)})
	return nil
}

// domainCheck adds a CHECK to a domain under construction.
func (r *run) domainCheck(d *types.T, c *pg_query.Constraint) error {
	if err := refuse(c.RawExpr, "check constraint", "check constraints", false); err != nil {
		return err
	}
	// VALUE is bound as a column of the base type.
	text, _, err := r.bindCondition(valueRelation(d), c.RawExpr, "CHECK")
	if err != nil {
		return err
	}
	name := catalog.CutName(c.Conname)
	if name == "" {
		for i := 0; ; i++ {
			label := "check"
			if i > 0 {
				label += itoa(i)
			}
			name = objectName(d.Name, "", label)
			if !hasDomainCheck(d, name) {
				break
			}
		}
	} else if hasDomainCheck(d, name) {
		return pgerr.New(pgerr.DuplicateObject, "constraint \"%s\" for domain \"%s\" already exists", name, d.Name)
	}
	d.Checks = append(slices.Clone(d.Checks), types.DomainCheck{Name: name, Expr: text})
	return nil
}

func hasDomainCheck(d *types.T, name string) bool {
	return slices.ContainsFunc(d.Checks, func(c types.DomainCheck) bool { return c.Name == name })
}

// alterDomain is ALTER DOMAIN.
func (r *run) alterDomain(n *pg_query.AlterDomainStmt) error {
	t, err := r.userType(names(n.TypeName))
	if err != nil {
		return err
	}
	if t.Kind != 'd' {
		return pgerr.New(pgerr.WrongObjectType, "%s is not a domain", r.typeText(t))
	}
	d := *t
	switch n.Subtype {
	case "T":
		d.Default = ""
		if n.Def != nil {
			if d.Default, _, err = r.bindDefault(n.Def, d.Base, d.BaseTypmod, d.Name); err != nil {
				return err
			}
		}
	case "N":
		d.NotNull = false
	case "O":
		if err := r.checkDomain(t, "", true); err != nil {
			return err
		}
		d.NotNull = true
	case "C":
		c := n.Def.GetConstraint()
		if c.Contype != pg_query.ConstrType_CONSTR_CHECK {
			return pgerr.Unsupported("this constraint of a domain")
		}
		if err := r.domainCheck(&d, c); err != nil {
			return err
		}
		added := &d.Checks[len(d.Checks)-1]
		if added.NotValid = c.SkipValidation; !added.NotValid {
			if err := r.checkDomain(t, added.Expr, false); err != nil {
				return err
			}
		}
	case "X":
		if !hasDomainCheck(t, n.Name) {
			if n.MissingOk {
				r.notice(pgerr.SuccessfulCompletion, "constraint \"%s\" of domain \"%s\" does not exist, skipping", n.Name, d.Name)
				return nil
			}
			return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of domain \"%s\" does not exist", n.Name, d.Name)
		}
		d.Checks = slices.DeleteFunc(slices.Clone(d.Checks), func(c types.DomainCheck) bool { return c.Name == n.Name })
	case "V":
		if !hasDomainCheck(t, n.Name) {
			return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" of domain \"%s\" does not exist", n.Name, d.Name)
		}
		d.Checks = slices.Clone(t.Checks)
		for i, c := range d.Checks {
			if c.Name == n.Name {
				d.Checks[i].NotValid = false
				if err := r.checkDomain(t, c.Expr, false); err != nil {
					return err
				}
			}
		}
	default:
		return pgerr.Unsupported("this form of ALTER DOMAIN")
	}
	r.ch.PutType(&d, r.snap().TypeInfo(t.OID))
	return nil
}

// checkDomain orders the check of the rows that have values of a domain: of a condition over VALUE, or of NOT NULL.
func (r *run) checkDomain(t *types.T, cond string, notNull bool) error {
	var e expr.Expr
	if r.c.Exprs != nil && cond != "" {
		var err error
		if e, err = r.c.Exprs.Bind(r.snap(), valueRelation(t), cond, types.BoolT, -1); err != nil {
			return unplaced(err)
		}
	}
	for _, rel := range r.snap().Relations() {
		if rel.Kind != catalog.KindTable && rel.Kind != catalog.KindMatView {
			continue
		}
		for _, c := range rel.Live() {
			switch {
			case isOver(c.Type, t) && notNull:
				r.do(CheckRows{Table: rel, NotNull: c, Value: c})
			case isOver(c.Type, t):
				r.do(CheckRows{Table: rel, Cond: e, Value: c})
			case r.holds(c.Type, t):
				return pgerr.New(pgerr.FeatureNotSupported, "cannot alter type \"%s\" because column \"%s.%s\" uses it", t.Name, rel.Name, c.Name)
			}
		}
	}
	return nil
}

// valueRelation is the row of one column that VALUE is bound as.
func valueRelation(d *types.T) *catalog.Relation {
	return &catalog.Relation{Kind: catalog.KindTable, Columns: []*catalog.Column{{Attnum: 1, Name: "value", Type: d.Base, Typmod: d.BaseTypmod, Path: []string{"value"}}}}
}

// isOver reports whether a type is another one, or a domain over it.
func isOver(t, base *types.T) bool {
	for ; t != nil; t = t.Base {
		if t == base {
			return true
		}
	}
	return false
}

// holds reports whether values of a container type have values of another type in them.
func (r *run) holds(t, in *types.T) bool {
	t = t.BaseType()
	switch {
	case t.Elem != nil:
		return isOver(t.Elem, in) || r.holds(t.Elem, in)
	case t.Subtype != nil:
		return isOver(t.Subtype, in)
	}
	return slices.ContainsFunc(t.Fields, func(f types.Field) bool { return !f.Dropped && (isOver(f.Type, in) || r.holds(f.Type, in)) })
}

func (r *run) renameDomainConstraint(n *pg_query.RenameStmt, name string) error {
	t, err := r.userType(names(n.Object.GetList().GetItems()))
	if err != nil {
		return err
	}
	d := *t
	d.Checks = slices.Clone(t.Checks)
	for i := range d.Checks {
		if d.Checks[i].Name == n.Subname {
			d.Checks[i].Name = name
			r.ch.PutType(&d, r.snap().TypeInfo(t.OID))
			return nil
		}
	}
	return pgerr.New(pgerr.UndefinedObject, "constraint \"%s\" for domain %s does not exist", n.Subname, r.typeText(t))
}
