package ddl

import (
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// securable is what GRANT's object types mean.
func securable(t pg_query.ObjectType) catalog.Securable {
	switch t {
	case pg_query.ObjectType_OBJECT_TABLE:
		return catalog.OnTable
	case pg_query.ObjectType_OBJECT_SEQUENCE:
		return catalog.OnSequence
	case pg_query.ObjectType_OBJECT_SCHEMA:
		return catalog.OnSchema
	case pg_query.ObjectType_OBJECT_DATABASE:
		return catalog.OnDatabase
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE:
		return catalog.OnFunction
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		return catalog.OnType
	case pg_query.ObjectType_OBJECT_LANGUAGE:
		return catalog.OnLanguage
	case pg_query.ObjectType_OBJECT_LARGEOBJECT:
		return catalog.OnLargeObj
	case pg_query.ObjectType_OBJECT_COLUMN:
		return catalog.OnColumn
	case pg_query.ObjectType_OBJECT_TABLESPACE:
		return catalog.OnTablespace
	case pg_query.ObjectType_OBJECT_PARAMETER_ACL:
		return catalog.OnParameter
	}
	return 0
}

// granting is a GRANT or REVOKE under execution.
type granting struct {
	r        *run
	n        *pg_query.GrantStmt
	grantees []uint32
}

// secured is an object whose list is changed.
type secured struct {
	kind  catalog.Securable
	owner uint32
	acl   catalog.ACL
	// what names its kind and name itself in messages; column is set for a column of table.
	what, name, column string
	table              *catalog.Relation
}

// grant is GRANT and REVOKE on objects.
func (r *run) grant(n *pg_query.GrantStmt) (string, error) {
	tag := "GRANT"
	if !n.IsGrant {
		tag = "REVOKE"
	}
	g := &granting{r: r, n: n}
	if err := g.roles(); err != nil {
		return "", err
	}
	if n.Targtype == pg_query.GrantTargetType_ACL_TARGET_ALL_IN_SCHEMA {
		return tag, g.inSchemas()
	}
	kind, strict := securable(n.Objtype), true
	if n.Objtype == pg_query.ObjectType_OBJECT_TABLE {
		kind, strict = catalog.OnSequence, false // GRANT ... ON takes sequences, too
	}
	if _, err := g.privileges(n.Privileges, kind, strict); err != nil {
		return "", err
	}
	for _, o := range n.Objects {
		if err := g.on(o); err != nil {
			return "", err
		}
	}
	return tag, nil
}

// roles finds the grantees.
func (g *granting) roles() error {
	r := g.r
	if g.n.Grantor != nil {
		by, err := r.role(g.n.Grantor)
		if err != nil {
			return err
		}
		if by.OID != r.owner() {
			return pgerr.New(pgerr.FeatureNotSupported, "grantor must be current user")
		}
	}
	for _, node := range g.n.Grantees {
		spec := node.GetRoleSpec()
		if spec.Roletype == pg_query.RoleSpecType_ROLESPEC_PUBLIC {
			if g.n.IsGrant && g.n.GrantOption {
				return pgerr.New(pgerr.InvalidGrantOperation, "grant options can only be granted to roles")
			}
			g.grantees = append(g.grantees, catalog.Public)
			continue
		}
		role, err := r.role(spec)
		if err != nil {
			return err
		}
		g.grantees = append(g.grantees, role.OID)
	}
	return nil
}

func (g *granting) inSchemas() error {
	r, n := g.r, g.n
	for _, s := range names(n.Objects) {
		sc := r.snap().SchemaByName(s)
		if sc == nil {
			return pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", s)
		}
		if securable(n.Objtype) == catalog.OnFunction {
			for _, f := range r.before.Functions() {
				if f.SchemaID == sc.OID && (n.Objtype == pg_query.ObjectType_OBJECT_ROUTINE || (f.Kind == 'p') == (n.Objtype == pg_query.ObjectType_OBJECT_PROCEDURE)) {
					if err := g.function(f); err != nil {
						return err
					}
				}
			}
			continue
		}
		for _, rel := range r.before.Relations() {
			isSeq := rel.Kind == catalog.KindSequence
			if rel.SchemaID != sc.OID || rel.Kind == catalog.KindComposite || (n.Objtype == pg_query.ObjectType_OBJECT_SEQUENCE) != isSeq {
				continue
			}
			if err := g.relation(rel); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *granting) on(o *pg_query.Node) error {
	r := g.r
	switch g.n.Objtype {
	case pg_query.ObjectType_OBJECT_TABLE, pg_query.ObjectType_OBJECT_SEQUENCE:
		rel, err := r.relation(o.GetRangeVar())
		if err != nil {
			return err
		}
		if g.n.Objtype == pg_query.ObjectType_OBJECT_SEQUENCE && rel.Kind != catalog.KindSequence {
			return pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a sequence", rel.Name)
		}
		return g.relation(rel)
	case pg_query.ObjectType_OBJECT_SCHEMA:
		name := o.GetString_().GetSval()
		sc := r.snap().SchemaByName(name)
		if sc == nil {
			return pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name)
		}
		c := *sc
		var err error
		c.ACL, err = g.change(secured{catalog.OnSchema, sc.Owner, sc.ACL, "schema", sc.Name, "", nil}, g.n.Privileges)
		if err != nil || isSystemSchema(sc) {
			return err
		}
		r.ch.PutSchema(&c)
		return nil
	case pg_query.ObjectType_OBJECT_FUNCTION, pg_query.ObjectType_OBJECT_PROCEDURE, pg_query.ObjectType_OBJECT_ROUTINE:
		f, err := r.userFunction(o.GetObjectWithArgs(), "function")
		if err != nil {
			return err
		}
		return g.function(f)
	case pg_query.ObjectType_OBJECT_TYPE, pg_query.ObjectType_OBJECT_DOMAIN:
		t, err := r.userType(grantedNames(o))
		if err != nil {
			return err
		}
		info := r.snap().TypeInfo(t.OID)
		if info.ACL, err = g.change(secured{catalog.OnType, info.Owner, info.ACL, "type", t.Name, "", nil}, g.n.Privileges); err == nil {
			r.ch.PutType(t, info)
		}
		return err
	case pg_query.ObjectType_OBJECT_DATABASE:
		d, err := r.database(o.GetString_().GetSval())
		if err != nil {
			return err
		}
		if d.ACL, err = g.change(secured{catalog.OnDatabase, d.Owner, d.ACL, "database", d.Name, "", nil}, g.n.Privileges); err == nil {
			r.ch.PutDatabase(d)
		}
		return err
	case pg_query.ObjectType_OBJECT_LANGUAGE:
		name := o.GetString_().GetSval()
		if !slices.Contains([]string{"plpgsql", "sql", "c", "internal"}, name) {
			return pgerr.New(pgerr.UndefinedObject, "language \"%s\" does not exist", name)
		}
		return nil
	}
	return pgerr.Unsupported("GRANT ON " + objectTypeName(g.n.Objtype))
}

func isSystemSchema(sc *catalog.Schema) bool {
	return sc.OID < catalog.FirstNormalOID && sc.OID != catalog.PublicOID
}

func (g *granting) function(f *catalog.Function) error {
	c := *f
	var err error
	if c.ACL, err = g.change(secured{catalog.OnFunction, f.Owner, f.ACL, "function", f.Name, "", nil}, g.n.Privileges); err == nil {
		g.r.ch.PutFunction(&c)
	}
	return err
}

func (g *granting) relation(rel *catalog.Relation) error {
	rel = g.r.snap().RelationByOID(rel.OID)
	if isSystem(rel) {
		return nil
	}
	c := rel.Clone()
	var whole []*pg_query.Node
	for _, p := range g.n.Privileges {
		if len(p.GetAccessPriv().Cols) == 0 {
			whole = append(whole, p)
			continue
		}
		if err := g.columns(c, names(p.GetAccessPriv().Cols), []*pg_query.Node{p}); err != nil {
			return err
		}
	}
	if len(whole) > 0 || len(g.n.Privileges) == 0 {
		var err error
		if c.ACL, err = g.change(secured{rel.Securable(), rel.OwnerOID(), rel.ACL, rel.Kind.Name(), rel.Name, "", nil}, whole); err != nil {
			return err
		}
		if !g.n.IsGrant && rel.Kind != catalog.KindSequence {
			// What is revoked from the table is revoked from its columns.
			for _, col := range rel.Live() {
				if col.ACL == nil {
					continue
				}
				if err := g.columns(c, []string{col.Name}, whole); err != nil {
					return err
				}
			}
		}
	}
	g.r.ch.PutRelation(c)
	return nil
}

// columns changes the lists of columns.
func (g *granting) columns(rel *catalog.Relation, list []string, privileges []*pg_query.Node) error {
	for _, name := range list {
		col := rel.Column(name)
		if col == nil {
			return pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", name, rel.Name)
		}
		acl, err := g.change(secured{catalog.OnColumn, rel.OwnerOID(), col.ACL, rel.Kind.Name(), rel.Name, col.Name, rel}, privileges)
		if err != nil {
			return err
		}
		if len(acl) == 0 {
			acl = nil
		}
		setColumn(rel, col.Attnum, func(x *catalog.Column) { x.ACL = acl })
	}
	return nil
}

// change grants or revokes what the role may on one object and returns the new list.
func (g *granting) change(o secured, list []*pg_query.Node) (catalog.ACL, error) {
	want, err := g.privileges(list, o.kind, g.n.Objtype != pg_query.ObjectType_OBJECT_TABLE)
	if err != nil {
		return nil, err
	}
	if want&^o.kind.All() != 0 && o.kind == catalog.OnSequence {
		g.r.warning(pgerr.InvalidGrantOperation, "sequence \"%s\" only supports USAGE, SELECT, and UPDATE privileges", o.name)
		want &= o.kind.All()
	}
	if o.kind == catalog.OnColumn {
		want &= o.kind.All()
	}
	s, me := g.r.snap(), g.r.owner()
	grantor, options := s.Grantor(o.acl, o.kind, o.owner, me, want)
	if options == 0 && s.Rights(o.acl, o.kind, o.owner, me, o.kind.All(), false) == 0 &&
		(o.table == nil || s.RelationRights(o.table, me, catalog.OnTable.All(), false) == 0) {
		return nil, denied(o.what, o.name)
	}
	g.warn(o, want, options, len(list) == 0)
	return g.r.applyGrant(o.acl.Or(o.kind, o.owner), g.n, g.grantees, grantor, o.owner, want&options)
}

// warn says that the role may grant or revoke less than it was asked to.
func (g *granting) warn(o secured, want, options catalog.Privileges, all bool) {
	object := "\"" + o.name + "\""
	if o.column != "" {
		object = "column \"" + o.column + "\" of relation " + object
	}
	code, verb := pgerr.PrivilegeNotGranted, "were granted"
	if !g.n.IsGrant {
		code, verb = pgerr.PrivilegeNotRevoked, "could be revoked"
	}
	switch {
	case want != 0 && want&options == 0:
		g.r.warning(code, "no privileges %s for %s", verb, object)
	case !all && want&^options != 0:
		g.r.warning(code, "not all privileges %s for %s", verb, object)
	}
}

// applyGrant changes a list; revoking a grant option revokes what was granted with it, or fails without CASCADE.
func (r *run) applyGrant(acl catalog.ACL, n *pg_query.GrantStmt, grantees []uint32, grantor, owner uint32, p catalog.Privileges) (catalog.ACL, error) {
	if p == 0 {
		return acl, nil
	}
	for _, to := range grantees {
		if n.IsGrant {
			if n.GrantOption && to != owner && grantedBy(acl, grantor, to, owner, p) {
				return nil, pgerr.New(pgerr.InvalidGrantOperation, "grant options cannot be granted back to your own grantor")
			}
			acl = acl.Grants(grantor, to, p, n.GrantOption)
			continue
		}
		var err error
		if acl, err = revoke(acl, grantor, to, owner, p, n.GrantOption, n.Behavior); err != nil {
			return nil, err
		}
	}
	return acl, nil
}

// grantedBy reports whether the grantor's grant options come, through others, from the grantee alone.
func grantedBy(acl catalog.ACL, grantor, to, owner uint32, p catalog.Privileges) bool {
	if grantor == owner {
		return false
	}
	rest := acl
	var err error
	for _, g := range acl {
		if g.Grantee == to && err == nil {
			rest, err = revoke(rest, g.Grantor, to, owner, p, true, pg_query.DropBehavior_DROP_CASCADE)
		}
	}
	return err == nil && rest.OptionsOf(grantor)&p != p
}

func revoke(acl catalog.ACL, grantor, from, owner uint32, p catalog.Privileges, optionsOnly bool, behavior pg_query.DropBehavior) (catalog.ACL, error) {
	had := acl.OptionsOf(from)
	acl = acl.Revokes(grantor, from, p, optionsOnly)
	lost := had & p &^ acl.OptionsOf(from)
	if lost == 0 || from == owner {
		return acl, nil
	}
	for _, g := range slices.Clone(acl) {
		if g.Grantor != from || g.Held&lost == 0 {
			continue
		}
		if behavior != pg_query.DropBehavior_DROP_CASCADE {
			return nil, pgerr.New(pgerr.DependentObjectsStillExist, "dependent privileges exist").WithHint("Use CASCADE to revoke them too.")
		}
		var err error
		if acl, err = revoke(acl, from, g.Grantee, owner, lost, false, behavior); err != nil {
			return nil, err
		}
	}
	return acl, nil
}

// privileges reads a list of privileges; none means ALL. strict refuses those that the kind does not have.
func (g *granting) privileges(list []*pg_query.Node, kind catalog.Securable, strict bool) (catalog.Privileges, error) {
	if kind == 0 {
		return 0, nil // refused where the object is looked for
	}
	if len(list) == 0 {
		return kind.All(), nil
	}
	out := catalog.Privileges(0)
	for _, node := range list {
		p := node.GetAccessPriv()
		name := strings.ToUpper(p.GetPrivName())
		all := kind.All()
		kindText := strings.ToLower(objectTypeName(g.n.Objtype))
		if len(p.Cols) > 0 {
			all, kindText = catalog.OnColumn.All(), "column"
		} else if !strict {
			all |= catalog.OnTable.All()
			if kind == catalog.OnSequence {
				all |= catalog.OnSequence.All()
			}
		}
		if name == "" {
			out |= kind.All()
			continue
		}
		one := catalog.PrivilegeNamed(name)
		if one == 0 {
			return 0, pgerr.New(pgerr.SyntaxError, "unrecognized privilege type \"%s\"", p.GetPrivName())
		}
		if one&^all != 0 {
			return 0, pgerr.New(pgerr.InvalidGrantOperation, "invalid privilege type %s for %s", name, kindText)
		}
		out |= one
	}
	return out, nil
}

// grantedNames is the name of a type in GRANT, which the parser gives as a list, or as a type name.
func grantedNames(o *pg_query.Node) []string {
	if l := o.GetList(); l != nil {
		return names(l.GetItems())
	}
	return names(o.GetTypeName().GetNames())
}
