package ddl

import (
	"hash/fnv"
	"slices"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func (r *run) roleByName(name string) (*catalog.Role, error) {
	role := r.snap().RoleByName(name)
	if role == nil {
		return nil, pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", name)
	}
	return role, nil
}

// role finds the role that a role specification means. The session's own user counts as the bootstrap role where it was
// never created: authentication may trust any name.
func (r *run) role(spec *pg_query.RoleSpec) (*catalog.Role, error) {
	switch spec.Roletype {
	case pg_query.RoleSpecType_ROLESPEC_CURRENT_USER, pg_query.RoleSpecType_ROLESPEC_SESSION_USER, pg_query.RoleSpecType_ROLESPEC_CURRENT_ROLE:
		return r.snap().RoleByOID(r.owner()), nil
	case pg_query.RoleSpecType_ROLESPEC_PUBLIC:
		return nil, pgerr.New(pgerr.UndefinedObject, "role \"public\" does not exist")
	}
	if role := r.snap().RoleByName(spec.Rolename); role != nil {
		return role, nil
	}
	if spec.Rolename == r.c.User {
		return r.snap().RoleByOID(catalog.BootstrapRole), nil
	}
	return r.roleByName(spec.Rolename)
}

// createRole is CREATE ROLE, USER and GROUP.
func (r *run) createRole(n *pg_query.CreateRoleStmt) (string, error) {
	tag := "CREATE ROLE"
	name := catalog.CutName(n.Role)
	if strings.HasPrefix(name, "pg_") {
		return "", pgerr.New(pgerr.ReservedName, "role name \"%s\" is reserved", name).WithDetail("Role names starting with \"pg_\" are reserved.")
	}
	if r.snap().RoleByName(name) != nil {
		return "", pgerr.New(pgerr.DuplicateObject, "role \"%s\" already exists", name)
	}
	role := &catalog.Role{OID: r.roleOID(name), Name: name, Inherit: true, ConnLimit: -1, Login: n.StmtType == pg_query.RoleStmtType_ROLESTMT_USER}
	if err := r.roleOptions(role, n.Options); err != nil {
		return "", err
	}
	r.ch.PutRole(role)
	return tag, nil
}

// roleOID chooses a role's OID. Roles belong to the cluster while the OIDs that DDL counts belong to a database, so that it
// comes from a hash of the name, in a range that neither counting nor inference reaches.
func (r *run) roleOID(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	for oid := h.Sum32()&0x1fffffff | 0x20000000; ; oid = (oid+1)&0x1fffffff | 0x20000000 {
		if r.snap().RoleByOID(oid) == nil {
			return oid
		}
	}
}

func (r *run) roleOptions(role *catalog.Role, options []*pg_query.Node) error {
	for _, o := range options {
		d := o.GetDefElem()
		switch d.Defname {
		case "superuser":
			role.Super = defBool(d)
		case "inherit":
			role.Inherit = defBool(d)
		case "createrole":
			role.CreateRole = defBool(d)
		case "createdb":
			role.CreateDB = defBool(d)
		case "canlogin":
			role.Login = defBool(d)
		case "isreplication":
			role.Replication = defBool(d)
		case "bypassrls":
			role.BypassRLS = defBool(d)
		case "connectionlimit":
			v, err := defInt(d)
			if err != nil {
				return err
			}
			if v < -1 {
				return pgerr.New(pgerr.InvalidParameterValue, "invalid connection limit: %d", v)
			}
			role.ConnLimit = int32(v)
		case "password":
			role.Password = ""
			if d.Arg != nil {
				v, err := passwordVerifier(defText(d.Arg, ""))
				if err != nil {
					return err
				}
				role.Password = v
			}
		case "validUntil":
			role.ValidUntil = defText(d.Arg, "")
		case "addroleto":
			for _, m := range d.Arg.GetList().GetItems() {
				g, err := r.role(m.GetRoleSpec())
				if err != nil {
					return err
				}
				role.MemberOf = append(slices.Clone(role.MemberOf), g.OID)
			}
		case "rolemembers", "adminmembers":
			for _, m := range d.Arg.GetList().GetItems() {
				member, err := r.role(m.GetRoleSpec())
				if err != nil {
					return err
				}
				c := *member
				c.MemberOf = append(slices.Clone(c.MemberOf), role.OID)
				r.ch.PutRole(&c)
			}
		}
	}
	return nil
}

func (r *run) alterRole(n *pg_query.AlterRoleStmt) (string, error) {
	role, err := r.role(n.Role)
	if err != nil {
		return "", err
	}
	c := *role
	if n.Action < 0 { // ALTER GROUP ... DROP USER
		for _, o := range n.Options {
			for _, m := range o.GetDefElem().Arg.GetList().GetItems() {
				member, err := r.role(m.GetRoleSpec())
				if err != nil {
					return "", err
				}
				k := *member
				k.MemberOf = slices.DeleteFunc(slices.Clone(k.MemberOf), func(o uint32) bool { return o == role.OID })
				r.ch.PutRole(&k)
			}
		}
		return "ALTER ROLE", nil
	}
	if err := r.roleOptions(&c, n.Options); err != nil {
		return "", err
	}
	r.ch.PutRole(&c)
	return "ALTER ROLE", nil
}

func (r *run) alterRoleSet(n *pg_query.AlterRoleSetStmt) error {
	if n.Role == nil {
		return pgerr.Unsupported("ALTER ROLE ALL SET")
	}
	role, err := r.role(n.Role)
	if err != nil {
		return err
	}
	c := *role
	c.Settings = setSetting(c.Settings, n.Setstmt)
	r.ch.PutRole(&c)
	return nil
}

// setSetting applies SET or RESET to a list of name=value settings.
func setSetting(have []string, s *pg_query.VariableSetStmt) []string {
	if s.Kind == pg_query.VariableSetKind_VAR_RESET_ALL {
		return nil
	}
	out := slices.DeleteFunc(slices.Clone(have), func(h string) bool { return strings.HasPrefix(h, s.Name+"=") })
	if s.Kind != pg_query.VariableSetKind_VAR_SET_VALUE {
		return out
	}
	var parts []string
	for _, a := range s.Args {
		parts = append(parts, constText(a))
	}
	return append(out, s.Name+"="+strings.Join(parts, ", "))
}

func (r *run) dropRole(n *pg_query.DropRoleStmt) error {
	for _, node := range n.Roles {
		spec := node.GetRoleSpec()
		role := r.snap().RoleByName(spec.Rolename)
		if role == nil {
			if n.MissingOk {
				r.notice(pgerr.SuccessfulCompletion, "role \"%s\" does not exist, skipping", spec.Rolename)
				continue
			}
			return pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", spec.Rolename)
		}
		if role.Name == r.c.User {
			return pgerr.New(pgerr.ObjectInUse, "current user cannot be dropped")
		}
		if role.OID < catalog.FirstNormalOID {
			return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop role %s because it is required by the database system", role.Name)
		}
		if detail := r.owned(role); len(detail) > 0 {
			return pgerr.New(pgerr.DependentObjectsStillExist, "role \"%s\" cannot be dropped because some objects depend on it", role.Name).WithDetail("%s", capLines(detail))
		}
		r.ch.RemoveRole(role.OID)
		for _, m := range r.before.Roles() {
			if slices.Contains(m.MemberOf, role.OID) && m.OID != role.OID {
				c := *m
				c.MemberOf = slices.DeleteFunc(slices.Clone(m.MemberOf), func(o uint32) bool { return o == role.OID })
				r.ch.PutRole(&c)
			}
		}
	}
	return nil
}

// owned lists what a role owns or has privileges on, as DROP ROLE reports it.
func (r *run) owned(role *catalog.Role) []string {
	var out []string
	grants := func(acl []string) bool {
		return slices.ContainsFunc(acl, func(a string) bool { return strings.HasPrefix(a, role.Name+"=") })
	}
	for _, sc := range r.before.Schemas() {
		if sc.Owner == role.OID {
			out = append(out, "owner of schema "+quote(sc.Name))
		} else if grants(sc.ACL) {
			out = append(out, "privileges for schema "+quote(sc.Name))
		}
	}
	for _, rel := range r.before.Relations() {
		if rel.Owner == role.OID {
			out = append(out, "owner of "+r.describe(object{kind: objRelation, oid: rel.OID}))
		} else if grants(rel.ACL) {
			out = append(out, "privileges for "+r.describe(object{kind: objRelation, oid: rel.OID}))
		}
	}
	for _, f := range r.before.Functions() {
		if f.Owner == role.OID {
			out = append(out, "owner of function "+r.functionText(f))
		}
	}
	return out
}

func (r *run) renameRole(from, to string) error {
	role, err := r.roleByName(from)
	if err != nil {
		return err
	}
	if r.snap().RoleByName(to) != nil {
		return pgerr.New(pgerr.DuplicateObject, "role \"%s\" already exists", to)
	}
	if from == r.c.User {
		return pgerr.New(pgerr.FeatureNotSupported, "current user cannot be renamed")
	}
	c := *role
	c.Name = to
	r.ch.PutRole(&c)
	return nil
}

func (r *run) grantRole(n *pg_query.GrantRoleStmt) (string, error) {
	tag := "GRANT ROLE"
	if !n.IsGrant {
		tag = "REVOKE ROLE"
	}
	for _, g := range n.GrantedRoles {
		group, err := r.roleByName(g.GetAccessPriv().GetPrivName())
		if err != nil {
			return "", err
		}
		for _, m := range n.GranteeRoles {
			member, err := r.role(m.GetRoleSpec())
			if err != nil {
				return "", err
			}
			c := *member
			c.MemberOf = slices.DeleteFunc(slices.Clone(c.MemberOf), func(o uint32) bool { return o == group.OID })
			switch {
			case !n.IsGrant && len(c.MemberOf) == len(member.MemberOf):
				r.warning(pgerr.Warning, "role \"%s\" is not a member of role \"%s\"", member.Name, group.Name)
				continue
			case n.IsGrant && len(c.MemberOf) != len(member.MemberOf):
				r.notice(pgerr.SuccessfulCompletion, "role \"%s\" is already a member of role \"%s\"", member.Name, group.Name)
				continue
			case n.IsGrant && group.OID == member.OID:
				return "", pgerr.New(pgerr.InvalidGrantOperation, "role \"%s\" is a member of role \"%s\"", group.Name, member.Name)
			case n.IsGrant:
				c.MemberOf = append(c.MemberOf, group.OID)
			}
			r.ch.PutRole(&c)
		}
	}
	return tag, nil
}

// reassignOwned is REASSIGN OWNED.
func (r *run) reassignOwned(n *pg_query.ReassignOwnedStmt) error {
	to, err := r.role(n.Newrole)
	if err != nil {
		return err
	}
	for _, node := range n.Roles {
		from, err := r.role(node.GetRoleSpec())
		if err != nil {
			return err
		}
		for _, rel := range r.before.Relations() {
			if rel.Owner == from.OID {
				c := rel.Clone()
				c.Owner = to.OID
				r.ch.PutRelation(c)
			}
		}
		for _, sc := range r.before.Schemas() {
			if sc.Owner == from.OID {
				c := *sc
				c.Owner = to.OID
				r.ch.PutSchema(&c)
			}
		}
		for _, f := range r.before.Functions() {
			if f.Owner == from.OID {
				c := *f
				c.Owner = to.OID
				r.ch.PutFunction(&c)
			}
		}
	}
	return nil
}
