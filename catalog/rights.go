package catalog

// This file answers what a role may do. A role that the snapshot does not know is who was let in by trust, or by the
// configuration, and counts as the bootstrap superuser.

// RoleID returns the OID of a role, BootstrapRole for a name that is no role's.
func (s *Snapshot) RoleID(name string) uint32 {
	if r := s.RoleByName(name); r != nil {
		return r.OID
	}
	return BootstrapRole
}

// Superuser reports whether a role may do everything.
func (s *Snapshot) Superuser(role uint32) bool {
	r := s.RoleByOID(role)
	return role == BootstrapRole || r != nil && r.Super
}

// Membership is that of a role in another one.
type Membership struct {
	Role, Grantor uint32
	// Admin says WITH ADMIN OPTION.
	Admin bool
}

// In returns the membership in a role, nil for none.
func (r *Role) In(role uint32) *Membership {
	for i := range r.MemberOf {
		if r.MemberOf[i].Role == role {
			return &r.MemberOf[i]
		}
	}
	return nil
}

// memberships visits a role and all that it is a member of, each once, until f returns false. With inherited, only those whose
// privileges it has without SET ROLE.
func (s *Snapshot) memberships(role uint32, inherited bool, f func(uint32) bool) {
	list := []uint32{role}
	for i := 0; i < len(list); i++ {
		if !f(list[i]) {
			return
		}
		r := s.RoleByOID(list[i])
		if r == nil {
			continue
		}
		add := func(o uint32) {
			for _, have := range list {
				if have == o {
					return
				}
			}
			list = append(list, o)
		}
		if s.DatabaseOwner() == r.OID {
			add(DatabaseOwnerRole)
		}
		if inherited && !r.Inherit {
			continue
		}
		for _, m := range r.MemberOf {
			add(m.Role)
		}
	}
}

// HasRole reports whether a role has the privileges of another one without SET ROLE.
func (s *Snapshot) HasRole(role, other uint32) bool {
	return s.member(role, other, true) || s.Superuser(role)
}

// Member reports whether a role may become another one by SET ROLE.
func (s *Snapshot) Member(role, other uint32) bool {
	return s.member(role, other, false) || s.Superuser(role)
}

// IsMember is Member without regard to superusers.
func (s *Snapshot) IsMember(role, other uint32) bool { return s.member(role, other, false) }

func (s *Snapshot) member(role, other uint32, inherited bool) bool {
	found := false
	s.memberships(role, inherited, func(o uint32) bool {
		found = o == other
		return !found
	})
	return found
}

// IsAdmin reports whether a role may grant membership in another one.
func (s *Snapshot) IsAdmin(role, other uint32) bool {
	if s.Superuser(role) {
		return true
	}
	found := role == other
	s.memberships(role, false, func(o uint32) bool {
		if r := s.RoleByOID(o); r != nil {
			m := r.In(other)
			found = found || m != nil && m.Admin
		}
		return !found
	})
	return found
}

// Owns reports whether a role has the rights of an object's owner.
func (s *Snapshot) Owns(role, owner uint32) bool { return s.HasRole(role, owner) }

// Rights returns which of the wanted privileges a role has on an object with this list, kind and owner; options asks for their
// grant options.
func (s *Snapshot) Rights(a ACL, k Securable, owner, role uint32, want Privileges, options bool) Privileges {
	if s.Superuser(role) {
		return want
	}
	a = a.Or(k, owner)
	var have Privileges
	s.memberships(role, true, func(o uint32) bool {
		if o == owner && options {
			have |= k.All()
		}
		for _, g := range a {
			switch {
			case g.Grantee != o && (g.Grantee != Public || options):
			case options:
				have |= g.Options
			default:
				have |= g.Held
			}
		}
		return have&want != want
	})
	return have & want
}

// Well-known roles whose members may read and write everything.
const (
	DatabaseOwnerRole uint32 = 6171
	readAllData       uint32 = 6181
	writeAllData      uint32 = 6182
)

// Securable is the kind of the privileges on a relation.
func (r *Relation) Securable() Securable {
	if r.Kind == KindSequence {
		return OnSequence
	}
	return OnTable
}

// RelationRights returns which of the wanted privileges a role has on a whole relation.
func (s *Snapshot) RelationRights(r *Relation, role uint32, want Privileges, options bool) Privileges {
	if r.Virtual != nil && r.ACL == nil {
		want &= Select // what everybody may read
		return want
	}
	have := s.Rights(r.ACL, r.Securable(), r.OwnerOID(), role, want, options)
	if left := want &^ have; left != 0 && !options {
		if left&Select != 0 && s.HasRole(role, readAllData) {
			have |= Select
		}
		if left&(Insert|Update|Delete) != 0 && s.HasRole(role, writeAllData) {
			have |= want & (Insert | Update | Delete)
		}
	}
	return have
}

// OwnerOID is the relation's owner; the system's relations and inferred ones belong to the bootstrap superuser.
func (r *Relation) OwnerOID() uint32 {
	if r.Owner == 0 {
		return BootstrapRole
	}
	return r.Owner
}

// ColumnRights returns which of the wanted privileges a role has on one column by grants on that column.
func (s *Snapshot) ColumnRights(r *Relation, c *Column, role uint32, want Privileges, options bool) Privileges {
	if c.ACL == nil && !s.Superuser(role) {
		return 0
	}
	return s.Rights(c.ACL, OnColumn, r.OwnerOID(), role, want, options)
}

// SchemaRights returns which of the wanted privileges a role has on a schema.
func (s *Snapshot) SchemaRights(sc *Schema, role uint32, want Privileges, options bool) Privileges {
	if IsTemp(sc.Name) {
		return want
	}
	have := s.Rights(sc.ACL, OnSchema, sc.Owner, role, want, options)
	if want&^have&Usage != 0 && !options && (s.HasRole(role, readAllData) || s.HasRole(role, writeAllData)) {
		have |= Usage
	}
	return have
}

// DatabaseOwner is the owner of the snapshot's database.
func (s *Snapshot) DatabaseOwner() uint32 {
	if d := s.DatabaseByOID(s.DBOID); d != nil && d.Owner != 0 {
		return d.Owner
	}
	return BootstrapRole
}

// Name names a relation's kind as PostgreSQL's messages do.
func (k RelKind) Name() string {
	switch k {
	case KindView:
		return "view"
	case KindMatView:
		return "materialized view"
	case KindSequence:
		return "sequence"
	case KindIndex:
		return "index"
	case KindComposite:
		return "composite type"
	}
	return "table"
}

// Grantor is the role in whose name a role grants or revokes privileges on an object, and which of them it may: the owner, if
// the role has the owner's rights, or the one of its roles that has the most grant options.
func (s *Snapshot) Grantor(a ACL, k Securable, owner, role uint32, want Privileges) (grantor uint32, options Privileges) {
	if s.HasRole(role, owner) {
		return owner, want
	}
	a = a.Or(k, owner)
	grantor = role
	count := func(p Privileges) (n int) {
		for ; p != 0; p &= p - 1 {
			n++
		}
		return n
	}
	s.memberships(role, true, func(o uint32) bool {
		if have := a.OptionsOf(o) & want; count(have) > count(options) {
			grantor, options = o, have
		}
		return options != want
	})
	return grantor, options
}
