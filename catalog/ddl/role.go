package ddl

import (
	"cmp"
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
				role.MemberOf = append(slices.Clone(role.MemberOf), catalog.Membership{Role: g.OID, Grantor: r.owner()})
			}
		case "rolemembers", "adminmembers":
			for _, m := range d.Arg.GetList().GetItems() {
				member, err := r.role(m.GetRoleSpec())
				if err != nil {
					return err
				}
				c := *member
				c.MemberOf = append(slices.Clone(c.MemberOf), catalog.Membership{Role: role.OID, Grantor: r.owner(), Admin: d.Defname == "adminmembers"})
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
				k.MemberOf = notIn(k.MemberOf, role.OID)
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

// alterRoleSet is ALTER ROLE ... SET, for one role or for ALL, in one database or in all.
func (r *run) alterRoleSet(n *pg_query.AlterRoleSetStmt) error {
	role := &catalog.Role{}
	if n.Role != nil {
		var err error
		if role, err = r.role(n.Role); err != nil {
			return err
		}
	}
	if n.Database != "" {
		d, err := r.database(n.Database)
		if err != nil {
			return err
		}
		return r.setIn(d, role.OID, n.Setstmt)
	}
	d := &catalog.Database{OID: catalog.AllDatabases}
	if known := r.snap().DatabaseByOID(catalog.AllDatabases); known != nil {
		c := *known
		d = &c
	}
	return r.setIn(d, role.OID, n.Setstmt)
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
			if m = r.snap().RoleByOID(m.OID); m != nil && m.In(role.OID) != nil {
				c := *m
				c.MemberOf = notIn(m.MemberOf, role.OID)
				r.ch.PutRole(&c)
			}
		}
	}
	return nil
}

// owned lists what a role owns or has privileges on, as DROP ROLE reports it.
func (r *run) owned(role *catalog.Role) []string {
	type line struct {
		oid  uint32
		text string
	}
	var lines []line
	note := func(oid, owner uint32, acl catalog.ACL, text string) {
		if owner == role.OID {
			lines = append(lines, line{oid, "owner of " + text})
		} else if acl.Names(role.OID) {
			lines = append(lines, line{oid, "privileges for " + text})
		}
	}
	for _, sc := range r.before.Schemas() {
		note(sc.OID, sc.Owner, sc.ACL, "schema "+sc.Name)
	}
	for _, rel := range r.before.Relations() {
		text := r.describe(object{kind: objRelation, oid: rel.OID})
		note(rel.OID, rel.Owner, rel.ACL, text)
		for _, col := range rel.Live() {
			if col.ACL.Names(role.OID) && rel.Owner != role.OID {
				lines = append(lines, line{rel.OID, "privileges for column " + col.Name + " of " + text})
			}
		}
	}
	for _, f := range r.before.Functions() {
		note(f.OID, f.Owner, f.ACL, "function "+r.functionText(f))
	}
	for _, t := range r.before.Types() {
		if t.RelOID == 0 && !t.IsArray() {
			info := r.before.TypeInfo(t.OID)
			note(t.OID, info.Owner, info.ACL, r.describe(object{kind: objType, oid: t.OID}))
		}
	}
	r.before.EachDatabase(func(d *catalog.Database) {
		if d.OID != catalog.AllDatabases {
			note(d.OID, d.Owner, d.ACL, "database "+d.Name)
		}
	})
	r.before.EachDefault(func(d *catalog.DefaultPrivileges) {
		text := "default privileges on new " + defaultKinds[d.Kind] + " belonging to role " + r.snap().RoleByOID(d.Role).Name
		if sc := r.before.SchemaByOID(d.Schema); sc != nil {
			text += " in schema " + sc.Name
		}
		note(d.OID, d.Role, d.ACL, text)
	})
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.oid, b.oid) })
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = l.text
	}
	return out
}

var defaultKinds = map[catalog.Securable]string{
	catalog.OnTable: "relations", catalog.OnSequence: "sequences", catalog.OnFunction: "functions", catalog.OnType: "types", catalog.OnSchema: "schemas",
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

// notIn are the memberships in other roles than one.
func notIn(list []catalog.Membership, role uint32) []catalog.Membership {
	return slices.DeleteFunc(slices.Clone(list), func(m catalog.Membership) bool { return m.Role == role })
}

// grantRole is GRANT and REVOKE of memberships.
func (r *run) grantRole(n *pg_query.GrantRoleStmt) (string, error) {
	tag := "GRANT ROLE"
	if !n.IsGrant {
		tag = "REVOKE ROLE"
	}
	admin := false
	for _, o := range n.Opt {
		admin = admin || o.GetDefElem().Defname == "admin" && defBool(o.GetDefElem())
	}
	for _, g := range n.GrantedRoles {
		group, err := r.roleByName(g.GetAccessPriv().GetPrivName())
		if err != nil {
			return "", err
		}
		if err := r.mayGrantRole(group); err != nil {
			return "", err
		}
		for _, m := range n.GranteeRoles {
			member, err := r.role(m.GetRoleSpec())
			if err != nil {
				return "", err
			}
			if err := r.grantMember(n.IsGrant, admin, group, member); err != nil {
				return "", err
			}
		}
	}
	return tag, nil
}

func (r *run) mayGrantRole(group *catalog.Role) error {
	s, me := r.snap(), r.snap().RoleByOID(r.owner())
	switch {
	case s.Superuser(me.OID):
	case group.Super:
		return pgerr.New(pgerr.InsufficientPrivilege, "must be superuser to alter superusers")
	case !me.CreateRole && !s.IsAdmin(me.OID, group.OID):
		return pgerr.New(pgerr.InsufficientPrivilege, "must have admin option on role \"%s\"", group.Name)
	}
	return nil
}

func (r *run) grantMember(grant, admin bool, group, member *catalog.Role) error {
	have := member.In(group.OID)
	c := *member
	switch {
	case !grant && have == nil:
		r.warning(pgerr.Warning, "role \"%s\" is not a member of role \"%s\"", member.Name, group.Name)
		return nil
	case !grant:
		c.MemberOf = notIn(c.MemberOf, group.OID)
		if admin {
			c.MemberOf = append(c.MemberOf, catalog.Membership{Role: group.OID, Grantor: have.Grantor})
		}
	case group.OID == catalog.DatabaseOwnerRole:
		return pgerr.New(pgerr.FeatureNotSupported, "role \"%s\" cannot have explicit members", group.Name)
	case member.OID == catalog.DatabaseOwnerRole:
		return pgerr.New(pgerr.FeatureNotSupported, "role \"%s\" cannot be a member of any role", member.Name)
	case r.snap().IsMember(group.OID, member.OID):
		return pgerr.New(pgerr.InvalidGrantOperation, "role \"%s\" is a member of role \"%s\"", group.Name, member.Name)
	case have != nil && (have.Admin || !admin):
		r.notice(pgerr.SuccessfulCompletion, "role \"%s\" is already a member of role \"%s\"", member.Name, group.Name)
		return nil
	default:
		c.MemberOf = append(notIn(c.MemberOf, group.OID), catalog.Membership{Role: group.OID, Grantor: r.owner(), Admin: admin})
	}
	r.ch.PutRole(&c)
	return nil
}
