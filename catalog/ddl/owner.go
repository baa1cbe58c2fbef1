package ddl

import (
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/planner"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func denied(what, name string) error { return planner.Denied(what, name) }

// mustOwn checks that the role has the rights of an object's owner.
func (r *run) mustOwn(what, name string, owner uint32) error {
	if owner == 0 {
		owner = catalog.BootstrapRole
	}
	if r.snap().Owns(r.owner(), owner) {
		return nil
	}
	return pgerr.New(pgerr.InsufficientPrivilege, "must be owner of %s %s", what, name)
}

// mayCreateIn checks the right to make objects in a schema.
func (r *run) mayCreateIn(sc *catalog.Schema) error {
	if r.snap().SchemaRights(sc, r.owner(), catalog.Create, false) == 0 {
		return denied("schema", sc.Name)
	}
	return nil
}

// databaseRight checks a privilege on the session's database.
func (r *run) databaseRight(p catalog.Privileges) bool {
	s := r.snap()
	d := s.DatabaseByOID(s.DBOID)
	if d == nil {
		d = &catalog.Database{Owner: catalog.BootstrapRole}
	}
	return s.Rights(d.ACL, catalog.OnDatabase, d.Owner, r.owner(), p, false) != 0
}

// mayReference checks the right to have foreign keys on a table's columns.
func (r *run) mayReference(rel *catalog.Relation, columns []int16) error {
	s, me := r.snap(), r.owner()
	if s.RelationRights(rel, me, catalog.References, false) != 0 {
		return nil
	}
	for _, n := range columns {
		if s.ColumnRights(rel, rel.ByAttnum(n), me, catalog.References, false) == 0 {
			return denied(rel.Kind.Name(), rel.Name)
		}
	}
	return nil
}

// mayOwn checks that an object may be given to a role: the present one must be able to become it, and it must be allowed to
// make objects in the object's schema.
func (r *run) mayOwn(owner *catalog.Role, sc *catalog.Schema) error {
	s, me := r.snap(), r.owner()
	if s.Superuser(me) {
		return nil
	}
	if !s.Member(me, owner.OID) {
		return pgerr.New(pgerr.InsufficientPrivilege, "must be member of role \"%s\"", owner.Name)
	}
	if sc != nil && s.SchemaRights(sc, owner.OID, catalog.Create, false) == 0 {
		return denied("schema", sc.Name)
	}
	return nil
}

// newACL is the list that a new object gets by ALTER DEFAULT PRIVILEGES, nil for the default.
func (r *run) newACL(k catalog.Securable, owner uint32, sc *catalog.Schema) catalog.ACL {
	if sc == nil {
		return r.snap().NewACL(k, owner, 0)
	}
	if catalog.IsTemp(sc.Name) {
		return nil
	}
	return r.snap().NewACL(k, owner, sc.OID)
}

// alterDefaults is ALTER DEFAULT PRIVILEGES.
func (r *run) alterDefaults(n *pg_query.AlterDefaultPrivilegesStmt) error {
	me := r.snap().RoleByOID(r.owner())
	roles, schemas := []*catalog.Role{me}, []uint32{0}
	for _, o := range n.Options {
		d := o.GetDefElem()
		items := d.Arg.GetList().GetItems()
		if d.Defname == "roles" {
			roles = nil
			for _, node := range items {
				role, err := r.role(node.GetRoleSpec())
				if err != nil {
					return err
				}
				if !r.snap().HasRole(me.OID, role.OID) {
					return pgerr.New(pgerr.InsufficientPrivilege, "must be member of role \"%s\"", role.Name)
				}
				roles = append(roles, role)
			}
			continue
		}
		schemas = nil
		for _, name := range names(items) {
			sc := r.snap().SchemaByName(name)
			if sc == nil {
				return pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name)
			}
			schemas = append(schemas, sc.OID)
		}
	}
	g := &granting{r: r, n: n.Action}
	if err := g.roles(); err != nil {
		return err
	}
	kind := securable(n.Action.Objtype)
	if kind == catalog.OnSchema && schemas[0] != 0 {
		return pgerr.New(pgerr.InvalidGrantOperation, "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS")
	}
	p, err := g.privileges(n.Action.Privileges, kind, true)
	if err != nil {
		return err
	}
	for _, role := range roles {
		for _, sc := range schemas {
			if err := r.setDefaults(g, kind, role.OID, sc, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) setDefaults(g *granting, kind catalog.Securable, role, schema uint32, p catalog.Privileges) error {
	start := catalog.ACL{}
	if schema == 0 {
		start = catalog.DefaultACL(kind, role)
	}
	d := catalog.DefaultPrivileges{Role: role, Schema: schema, Kind: kind, ACL: start}
	have := r.snap().Defaults(kind, role, schema)
	if have != nil {
		d = *have
	}
	var err error
	if d.ACL, err = r.applyGrant(d.ACL, g.n, g.grantees, role, role, p); err != nil {
		return err
	}
	switch same := slices.Equal(d.ACL, start); {
	case same && have != nil:
		r.ch.RemoveDefaults(d.OID)
	case !same:
		if have == nil {
			d.OID = r.ch.NewOID()
		}
		r.ch.PutDefaults(&d)
	}
	return nil
}

// ownedRoles finds the roles of REASSIGN OWNED and DROP OWNED.
func (r *run) ownedRoles(list []*pg_query.Node) ([]*catalog.Role, error) {
	var out []*catalog.Role
	for _, node := range list {
		role, err := r.role(node.GetRoleSpec())
		if err != nil {
			return nil, err
		}
		if !r.snap().HasRole(r.owner(), role.OID) {
			return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied to %s objects", "reassign")
		}
		out = append(out, role)
	}
	return out, nil
}

// reassignOwned is REASSIGN OWNED.
func (r *run) reassignOwned(n *pg_query.ReassignOwnedStmt) error {
	from, err := r.ownedRoles(n.Roles)
	if err != nil {
		return err
	}
	to, err := r.role(n.Newrole)
	if err != nil {
		return err
	}
	if !r.snap().HasRole(r.owner(), to.OID) {
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to reassign objects")
	}
	for _, role := range from {
		if role.OID < catalog.FirstNormalOID {
			return pgerr.New(pgerr.DependentObjectsStillExist,
				"cannot reassign ownership of objects owned by role %s because they are required by the database system", role.Name)
		}
		r.reassign(role.OID, to.OID)
	}
	return nil
}

func (r *run) reassign(from, to uint32) {
	for _, rel := range r.before.Relations() {
		if rel = r.snap().RelationByOID(rel.OID); rel.Owner == from {
			r.reown(rel, to)
		}
	}
	for _, sc := range r.before.Schemas() {
		if sc.Owner == from {
			c := *sc
			c.Owner, c.ACL = to, sc.ACL.Reowned(from, to)
			r.ch.PutSchema(&c)
		}
	}
	for _, f := range r.before.Functions() {
		if f.Owner == from {
			c := *f
			c.Owner, c.ACL = to, f.ACL.Reowned(from, to)
			r.ch.PutFunction(&c)
		}
	}
	for _, t := range r.before.Types() {
		if info := r.snap().TypeInfo(t.OID); info.Owner == from && !t.IsArray() {
			info.Owner, info.ACL = to, info.ACL.Reowned(from, to)
			r.ch.PutType(r.snap().TypeByOID(t.OID), info)
		}
	}
	r.before.EachDatabase(func(d *catalog.Database) {
		if d.Owner == from && d.OID != catalog.AllDatabases {
			c := *d
			c.Owner, c.ACL = to, d.ACL.Reowned(from, to)
			r.ch.PutDatabase(&c)
		}
	})
}

// dropOwned is DROP OWNED: what the roles own here goes, and so do the privileges that they have.
func (r *run) dropOwned(n *pg_query.DropOwnedStmt) error {
	roles, err := r.ownedRoles(n.Roles)
	if err != nil {
		return err
	}
	var targets []object
	for _, role := range roles {
		if role.OID < catalog.FirstNormalOID {
			return pgerr.New(pgerr.DependentObjectsStillExist,
				"cannot drop objects owned by role %s because they are required by the database system", role.Name)
		}
		r.dropPrivileges(role.OID)
		for _, rel := range r.before.Relations() {
			if rel.Owner == role.OID && (rel.Kind != catalog.KindSequence || rel.Sequence.OwnedBy == 0) {
				targets = append(targets, object{kind: objRelation, oid: rel.OID})
			}
		}
		for _, f := range r.before.Functions() {
			if f.Owner == role.OID {
				targets = append(targets, object{kind: objFunction, oid: f.OID})
			}
		}
		for _, t := range r.before.Types() {
			if r.before.TypeInfo(t.OID).Owner == role.OID && t.RelOID == 0 && !t.IsArray() {
				targets = append(targets, object{kind: objType, oid: t.OID})
			}
		}
		for _, sc := range r.before.Schemas() {
			if sc.Owner == role.OID {
				targets = append(targets, object{kind: objSchema, oid: sc.OID})
			}
		}
	}
	if len(targets) == 0 {
		return nil
	}
	return r.dropObjects(targets, n.Behavior)
}

// dropPrivileges takes a role out of every list of privileges.
func (r *run) dropPrivileges(role uint32) {
	for _, rel := range r.before.Relations() {
		c := rel.Clone()
		var changed bool
		if rel.Owner != role {
			c.ACL, changed = without(rel.ACL, role)
		}
		for _, col := range rel.Live() {
			if acl, ok := without(col.ACL, role); ok && rel.Owner != role {
				changed = true
				if len(acl) == 0 {
					acl = nil
				}
				setColumn(c, col.Attnum, func(x *catalog.Column) { x.ACL = acl })
			}
		}
		if changed {
			r.ch.PutRelation(c)
		}
	}
	for _, sc := range r.before.Schemas() {
		if acl, ok := without(sc.ACL, role); ok && sc.Owner != role {
			c := *sc
			c.ACL = acl
			r.ch.PutSchema(&c)
		}
	}
	for _, f := range r.before.Functions() {
		if acl, ok := without(f.ACL, role); ok && f.Owner != role {
			c := *f
			c.ACL = acl
			r.ch.PutFunction(&c)
		}
	}
	for _, t := range r.before.Types() {
		info := r.before.TypeInfo(t.OID)
		if acl, ok := without(info.ACL, role); ok && info.Owner != role {
			info.ACL = acl
			r.ch.PutType(r.snap().TypeByOID(t.OID), info)
		}
	}
	if d := r.before.DatabaseByOID(r.before.DBOID); d != nil && d.Owner != role {
		if acl, ok := without(d.ACL, role); ok {
			c := *d
			c.ACL = acl
			r.ch.PutDatabase(&c)
		}
	}
	r.before.EachDefault(func(d *catalog.DefaultPrivileges) {
		acl, ok := without(d.ACL, role)
		switch {
		case d.Role == role:
			r.ch.RemoveDefaults(d.OID)
		case ok:
			c := *d
			c.ACL = acl
			r.ch.PutDefaults(&c)
		}
	})
}

func without(acl catalog.ACL, role uint32) (catalog.ACL, bool) {
	if acl == nil {
		return nil, false
	}
	return acl.Without(role)
}

// typeOwner is the owner of a type: that of the relation whose row type it is.
func (r *run) typeOwner(t *types.T) uint32 {
	if rel := r.snap().RelationByOID(t.RelOID); rel != nil {
		return rel.OwnerOID()
	}
	return r.snap().TypeInfo(t.OID).Owner
}
