package catalog

import (
	"slices"
	"strconv"
	"strings"
)

// Privileges is a set of privileges.
type Privileges uint16

// The privileges, in the order of aclitem's letters.
const (
	Insert Privileges = 1 << iota
	Select
	Update
	Delete
	Truncate
	References
	CreateTrigger
	Execute
	Usage
	Create
	Temporary
	Connect
	Set
	AlterSystem
)

// PrivilegeNames are the privileges with their letter in an aclitem, in its order.
var PrivilegeNames = []struct {
	Privilege Privileges
	Letter    byte
	Name      string
}{
	{Insert, 'a', "INSERT"},
	{Select, 'r', "SELECT"},
	{Update, 'w', "UPDATE"},
	{Delete, 'd', "DELETE"},
	{Truncate, 'D', "TRUNCATE"},
	{References, 'x', "REFERENCES"},
	{CreateTrigger, 't', "TRIGGER"},
	{Execute, 'X', "EXECUTE"},
	{Usage, 'U', "USAGE"},
	{Create, 'C', "CREATE"},
	{Temporary, 'T', "TEMPORARY"},
	{Connect, 'c', "CONNECT"},
	{Set, 's', "SET"},
	{AlterSystem, 'A', "ALTER SYSTEM"},
}

// Grant is an item of an access control list: what one role, or Public, was given by another.
type Grant struct {
	Grantee, Grantor uint32
	// Held are the privileges, Options those of them that the grantee may grant on.
	Held, Options Privileges
}

// Public is the grantee that stands for every role.
const Public uint32 = 0

// ACL is an access control list; nil stands for the default of the object's kind, see DefaultACL.
type ACL []Grant

// Securable is a kind of object that privileges are granted on, by the letters of acldefault.
type Securable byte

// The kinds of objects with privileges.
const (
	OnTable      Securable = 'r'
	OnSequence   Securable = 's'
	OnColumn     Securable = 'c'
	OnDatabase   Securable = 'd'
	OnFunction   Securable = 'f'
	OnLanguage   Securable = 'l'
	OnLargeObj   Securable = 'L'
	OnSchema     Securable = 'n'
	OnType       Securable = 'T'
	OnTablespace Securable = 't'
	OnParameter  Securable = 'p'
)

// All are the privileges that exist for a kind of object, which its owner has.
func (k Securable) All() Privileges {
	switch k {
	case OnTable:
		return Insert | Select | Update | Delete | Truncate | References | CreateTrigger
	case OnSequence:
		return Select | Update | Usage
	case OnColumn:
		return Insert | Select | Update | References
	case OnDatabase:
		return Create | Temporary | Connect
	case OnFunction:
		return Execute
	case OnLanguage, OnType:
		return Usage
	case OnLargeObj:
		return Select | Update
	case OnSchema:
		return Usage | Create
	case OnTablespace:
		return Create
	case OnParameter:
		return Set | AlterSystem
	}
	return 0
}

// Public are the privileges on a new object that everybody has.
func (k Securable) Public() Privileges {
	switch k {
	case OnDatabase:
		return Temporary | Connect
	case OnFunction:
		return Execute
	case OnLanguage, OnType:
		return Usage
	}
	return 0
}

// DefaultACL is what an absent list means for an object of that kind and owner.
func DefaultACL(k Securable, owner uint32) ACL {
	out := ACL{}
	if p := k.Public(); p != 0 {
		out = append(out, Grant{Grantee: Public, Grantor: owner, Held: p})
	}
	if k == OnColumn {
		return out
	}
	return append(out, Grant{Grantee: owner, Grantor: owner, Held: k.All()})
}

// Or returns the list, or the default for the kind and owner where there is none.
func (a ACL) Or(k Securable, owner uint32) ACL {
	if a == nil {
		return DefaultACL(k, owner)
	}
	return a
}

// Grants returns the list after role grantor has given privileges, with their grant options or without, to a grantee.
func (a ACL) Grants(grantor, grantee uint32, p Privileges, options bool) ACL {
	out := slices.Clone(a)
	if out == nil {
		out = ACL{}
	}
	var opts Privileges
	if options {
		opts = p
	}
	for i, g := range out {
		if g.Grantee == grantee && g.Grantor == grantor {
			out[i].Held |= p
			out[i].Options |= opts
			return out
		}
	}
	return append(out, Grant{Grantee: grantee, Grantor: grantor, Held: p, Options: opts})
}

// Revokes returns the list after role grantor has taken privileges, or only their grant options, from a grantee. What the
// grantee has granted on with options that it no longer has is left; dependents tells the caller.
func (a ACL) Revokes(grantor, grantee uint32, p Privileges, optionsOnly bool) ACL {
	out := slices.Clone(a)
	if out == nil {
		out = ACL{}
	}
	for i, g := range out {
		if g.Grantee != grantee || g.Grantor != grantor {
			continue
		}
		out[i].Options &^= p
		if !optionsOnly {
			out[i].Held &^= p
		}
		if out[i].Held == 0 {
			out = slices.Delete(out, i, i+1)
		}
		break
	}
	return out
}

// OptionsOf are the grant options that a grantee has from anyone.
func (a ACL) OptionsOf(grantee uint32) Privileges {
	var out Privileges
	for _, g := range a {
		if g.Grantee == grantee {
			out |= g.Options
		}
	}
	return out
}

// Without returns the list with nothing that a role gave or was given, and whether that changed it.
func (a ACL) Without(role uint32) (ACL, bool) {
	out := slices.DeleteFunc(slices.Clone(a), func(g Grant) bool { return g.Grantee == role || g.Grantor == role })
	return out, len(out) != len(a)
}

// Names reports whether a role stands in the list.
func (a ACL) Names(role uint32) bool {
	return slices.ContainsFunc(a, func(g Grant) bool { return g.Grantee == role || g.Grantor == role })
}

// Reowned returns the list after the object has got another owner: what the old one had and gave, the new one has and gives.
func (a ACL) Reowned(from, to uint32) ACL {
	if a == nil {
		return nil
	}
	out := ACL{}
	for _, g := range a {
		if g.Grantee == from {
			g.Grantee = to
		}
		if g.Grantor == from {
			g.Grantor = to
		}
		i := slices.IndexFunc(out, func(o Grant) bool { return o.Grantee == g.Grantee && o.Grantor == g.Grantor })
		if i < 0 {
			out = append(out, g)
			continue
		}
		out[i].Held |= g.Held
		out[i].Options |= g.Options
	}
	return out
}

// PrivilegeNamed returns the privilege of a name in capitals, TEMP for TEMPORARY too; 0 for none.
func PrivilegeNamed(name string) Privileges {
	if name == "TEMP" {
		name = "TEMPORARY"
	}
	for _, n := range PrivilegeNames {
		if n.Name == name {
			return n.Privilege
		}
	}
	return 0
}

// Letters writes privileges as aclitem does; those with grant options have a star.
func (p Privileges) Letters(options Privileges) string {
	var b strings.Builder
	for _, n := range PrivilegeNames {
		if p&n.Privilege != 0 {
			b.WriteByte(n.Letter)
			if options&n.Privilege != 0 {
				b.WriteByte('*')
			}
		}
	}
	return b.String()
}

// ACLText writes a list's items as grantee=privileges/grantor; nil for nil.
func (s *Snapshot) ACLText(a ACL) []string {
	if a == nil {
		return nil
	}
	out := make([]string, len(a))
	for i, g := range a {
		out[i] = s.aclName(g.Grantee) + "=" + g.Held.Letters(g.Options) + "/" + s.aclName(g.Grantor)
	}
	return out
}

// aclName is a role's name in a privilege list: quoted when it is not made of letters, digits and underscores.
func (s *Snapshot) aclName(oid uint32) string {
	if oid == Public {
		return ""
	}
	r := s.RoleByOID(oid)
	if r == nil {
		return strconv.FormatUint(uint64(oid), 10)
	}
	for i := 0; i < len(r.Name); i++ {
		c := r.Name[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c < 0x80 {
			return `"` + strings.ReplaceAll(r.Name, `"`, `""`) + `"`
		}
	}
	return r.Name
}

// ParseGrant reads an item as ACLText writes it; role finds roles by name. ok is false for what is no item.
func ParseGrant(item string, role func(name string) uint32) (g Grant, ok bool) {
	eq, slash := strings.IndexByte(item, '='), strings.LastIndexByte(item, '/')
	if eq < 0 || slash < eq {
		return g, false
	}
	find := func(name string) uint32 {
		if name == "" {
			return Public
		}
		return role(strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`))
	}
	g.Grantee, g.Grantor = find(item[:eq]), find(item[slash+1:])
	letters := item[eq+1 : slash]
	for _, n := range PrivilegeNames {
		i := strings.IndexByte(letters, n.Letter)
		if i < 0 {
			continue
		}
		g.Held |= n.Privilege
		if i+1 < len(letters) && letters[i+1] == '*' {
			g.Options |= n.Privilege
		}
	}
	return g, true
}

// BuiltinACL reads the items of a list that names only roles that every cluster has.
func BuiltinACL(items []string) ACL {
	out := ACL{}
	for _, item := range items {
		g, ok := ParseGrant(item, func(name string) uint32 {
			for _, r := range builtinRoles() {
				if r.Name == name {
					return r.OID
				}
			}
			return BootstrapRole
		})
		if ok {
			out = append(out, g)
		}
	}
	return out
}

// DefaultPrivileges is a row of pg_default_acl: what new objects of one kind, made by a role, in one schema or with 0 in any,
// get beside, or without a schema instead of, the defaults.
type DefaultPrivileges struct {
	OID, Role, Schema uint32
	Kind              Securable
	ACL               ACL
}

// NewACL is the list of a new object of a kind, made by owner in a schema: nil where no default privileges say otherwise.
func (s *Snapshot) NewACL(k Securable, owner, schema uint32) ACL {
	all, in := s.Defaults(k, owner, 0), s.Defaults(k, owner, schema)
	if schema == 0 {
		in = nil
	}
	if all == nil && in == nil {
		return nil
	}
	out := DefaultACL(k, owner)
	if all != nil {
		out = all.ACL
	}
	if in != nil {
		for _, g := range in.ACL {
			out = out.Grants(g.Grantor, g.Grantee, g.Held&^g.Options, false).Grants(g.Grantor, g.Grantee, g.Options, true)
		}
	}
	if slices.Equal(out, DefaultACL(k, owner)) {
		return nil
	}
	return out
}

// Defaults returns the default privileges for a kind, role and schema, nil for none.
func (s *Snapshot) Defaults(k Securable, role, schema uint32) *DefaultPrivileges {
	var out *DefaultPrivileges
	s.defaults.each(func(_ uint32, d *DefaultPrivileges) {
		if d.Kind == k && d.Role == role && d.Schema == schema {
			out = d
		}
	})
	return out
}

// EachDefault calls f for all default privileges, in no order.
func (s *Snapshot) EachDefault(f func(*DefaultPrivileges)) {
	s.defaults.each(func(_ uint32, d *DefaultPrivileges) { f(d) })
}

// DefaultsByOID returns the default privileges of that OID, nil for none.
func (s *Snapshot) DefaultsByOID(oid uint32) *DefaultPrivileges { return s.defaults.at(oid) }

// PutDefaults adds or replaces default privileges.
func (c *Change) PutDefaults(d *DefaultPrivileges) {
	c.touch(ObjDefaults, d.OID)
	c.s.defaults.set(d.OID, d)
}

// RemoveDefaults removes default privileges.
func (c *Change) RemoveDefaults(oid uint32) {
	c.touch(ObjDefaults, oid)
	c.s.defaults.remove(oid)
}
