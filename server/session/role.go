package session

import (
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// mayConnect checks that a role may have sessions in the database.
func mayConnect(snap *catalog.Snapshot, st Startup) error {
	role := snap.RoleID(st.User)
	fatal := func(code pgerr.Code, format string, args ...any) *pgerr.Error {
		return pgerr.New(code, format, args...).WithSeverity("FATAL")
	}
	if r := snap.RoleByName(st.User); r != nil && !r.Login {
		return fatal(pgerr.InvalidAuthorizationSpecification, "role \"%s\" is not permitted to log in", st.User)
	}
	d := snap.DatabaseByOID(snap.DBOID)
	if d == nil {
		return nil
	}
	if !d.AllowConn {
		return fatal(pgerr.ObjectNotInPrerequisiteState, "database \"%s\" is not currently accepting connections", d.Name)
	}
	if snap.Rights(d.ACL, catalog.OnDatabase, d.Owner, role, catalog.Connect, false) == 0 {
		return fatal(pgerr.InsufficientPrivilege, "permission denied for database \"%s\"", d.Name).WithDetail("User does not have CONNECT privilege.")
	}
	return nil
}

// storedSettings are the settings of ALTER ROLE and ALTER DATABASE that a session begins with, the more special ones last.
func storedSettings(snap *catalog.Snapshot, user string) [][2]string {
	var out [][2]string
	role := snap.RoleID(user)
	for _, at := range []struct{ database, role uint32 }{
		{catalog.AllDatabases, 0}, {snap.DBOID, 0}, {catalog.AllDatabases, role}, {snap.DBOID, role},
	} {
		d := snap.DatabaseByOID(at.database)
		if d == nil {
			continue
		}
		for _, set := range d.Settings {
			if set.Role != at.role {
				continue
			}
			for _, kv := range set.Settings {
				name, value, _ := strings.Cut(kv, "=")
				out = append(out, [2]string{name, value})
			}
		}
	}
	return out
}

// superuser reports whether the present role may do everything.
func (s *Session) superuser() bool { return s.last.Superuser(s.last.RoleID(s.User())) }

// mayBecome checks SET ROLE and SET SESSION AUTHORIZATION.
func (s *Session) mayBecome(name, value string) error {
	snap := s.last
	if s.asOwner != "" {
		return pgerr.New(pgerr.InsufficientPrivilege, "cannot set parameter \"%s\" within security-definer function", name)
	}
	if !s.role(value) {
		return noRole(value)
	}
	from := snap.RoleID(s.SessionUser())
	if name == "session_authorization" {
		if value != s.start.User && !snap.Superuser(snap.RoleID(s.start.User)) {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to set session authorization \"%s\"", value)
		}
		return nil
	}
	if !snap.Member(from, snap.RoleID(value)) {
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to set role \"%s\"", value)
	}
	return nil
}

// definer makes the owner of a SECURITY DEFINER function the present role; the function it returns goes back.
func (s *Session) definer(fn *catalog.Function) (func(), error) {
	if !fn.SecDef {
		return func() {}, nil
	}
	owner := s.last.RoleByOID(fn.Owner)
	if owner == nil {
		return nil, pgerr.Internal("function %s has no owner", fn.Name)
	}
	outer := s.asOwner
	s.asOwner = owner.Name
	return func() { s.asOwner = outer }, nil
}

// planKey is what plans depend on beside the catalogue.
func (s *Session) planKey() string {
	if s.asOwner == "" {
		return s.set.Derived().PlanKey
	}
	return s.set.Derived().PlanKey + "\x00" + s.asOwner
}
