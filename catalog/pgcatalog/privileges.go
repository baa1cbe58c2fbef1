package pgcatalog

import (
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// privilegeKind is what one family of has_..._privilege asks about.
type privilegeKind struct {
	name       string
	privileges []string
	// find resolves the object by name; its error is the function's. byOID reports whether an OID exists.
	find  func(c scope, name string) (uint32, error)
	byOID func(c scope, o uint32) bool
}

// regFinder resolves names as a reg* type does.
func regFinder(reg string) func(c scope, name string) (uint32, error) {
	t := types.ByName(reg)
	return func(c scope, name string) (uint32, error) { return (&Names{c.s, c.path}).RegIn(t, name) }
}

func privilegeKinds() []privilegeKind {
	relation := func(c scope, o uint32) bool { return c.s.RelationByOID(o) != nil }
	anything := func(scope, uint32) bool { return true }
	byName := func(what string) func(c scope, name string) (uint32, error) {
		return func(_ scope, name string) (uint32, error) {
			return 0, pgerr.New(pgerr.UndefinedObject, "%s \"%s\" does not exist", what, name)
		}
	}
	return []privilegeKind{
		{"has_table_privilege", []string{"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "RULE"}, regFinder("regclass"), relation},
		{"has_sequence_privilege", []string{"USAGE", "SELECT", "UPDATE"}, regFinder("regclass"), relation},
		{"has_any_column_privilege", []string{"SELECT", "INSERT", "UPDATE", "REFERENCES"}, regFinder("regclass"), relation},
		{"has_schema_privilege", []string{"CREATE", "USAGE"}, func(c scope, name string) (uint32, error) {
			if s := c.s.SchemaByName(name); s != nil {
				return s.OID, nil
			}
			return 0, pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name)
		}, func(c scope, o uint32) bool { return c.s.SchemaByOID(o) != nil }},
		{"has_database_privilege", []string{"CREATE", "TEMPORARY", "TEMP", "CONNECT"}, func(scope, string) (uint32, error) { return 0, nil }, anything},
		{"has_function_privilege", []string{"EXECUTE"}, regFinder("regprocedure"), func(c scope, o uint32) bool { return c.proc(o) != nil }},
		{"has_language_privilege", []string{"USAGE"}, func(_ scope, name string) (uint32, error) {
			if o := languages()[name]; o != 0 {
				return o, nil
			}
			return 0, pgerr.New(pgerr.UndefinedObject, "language \"%s\" does not exist", name)
		}, anything},
		{"has_type_privilege", []string{"USAGE"}, regFinder("regtype"), func(c scope, o uint32) bool { return c.s.TypeByOID(o) != nil }},
		{"has_tablespace_privilege", []string{"CREATE"}, func(_ scope, name string) (uint32, error) {
			if name == "pg_default" || name == "pg_global" {
				return 0, nil
			}
			return 0, pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", name)
		}, anything},
		{"has_foreign_data_wrapper_privilege", []string{"USAGE"}, byName("foreign-data wrapper"), func(scope, uint32) bool { return false }},
		{"has_server_privilege", []string{"USAGE"}, byName("server"), func(scope, uint32) bool { return false }},
		{"has_parameter_privilege", []string{"SET", "ALTER SYSTEM"}, func(scope, string) (uint32, error) { return 0, nil }, anything},
	}
}

// privilegeFunctions answer whether a role may do something. Privileges are recorded and shown but not enforced, so that
// the true answer is yes for whatever exists; names and privileges are checked as PostgreSQL does.
func privilegeFunctions() []expr.Impl {
	b := &builder{}
	for _, k := range privilegeKinds() {
		b.each(k.name, nil, func(p *procFact) expr.Impl {
			return expr.Impl{OID: p.oid, Name: p.name, Eval: viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
				args := p.args
				if len(args) == 3 {
					if err := checkRole(v, args[0], a[0]); err != nil {
						return types.Null, err
					}
					args, a = args[1:], a[1:]
				}
				c := scopeOf(v)
				if args[0] == types.TextT {
					if _, err := k.find(c, a[0].Str()); err != nil {
						return types.Null, err
					}
				} else if !k.byOID(c, oidOf(a[0])) {
					return types.Null, checkPrivileges(k.privileges, a[1].Str())
				}
				return types.True, checkPrivileges(k.privileges, a[1].Str())
			})}
		})
	}
	b.each("has_column_privilege", nil, columnPrivilege)
	b.each("pg_has_role", nil, hasRole)
	b.constant(types.False, "row_security_active")
	return b.out
}

func checkRole(v *catalog.View, t *types.T, d datum) error {
	if t != types.NameT || d.Str() == "public" {
		return nil
	}
	for _, r := range roles(v) {
		if r.Name == d.Str() {
			return nil
		}
	}
	return pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", d.Str())
}

// checkPrivileges checks a comma-separated list of privileges, each perhaps WITH GRANT OPTION.
func checkPrivileges(allowed []string, list string) error {
	for _, p := range strings.Split(list, ",") {
		name := strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(p)), " WITH GRANT OPTION")
		if !slices.Contains(allowed, name) {
			return pgerr.New(pgerr.InvalidParameterValue, "unrecognized privilege type: \"%s\"", strings.TrimSpace(p))
		}
	}
	return nil
}

func columnPrivilege(p *procFact) expr.Impl {
	return expr.Impl{OID: p.oid, Name: p.name, Eval: viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
		args := p.args
		if len(args) == 4 {
			if err := checkRole(v, args[0], a[0]); err != nil {
				return types.Null, err
			}
			args, a = args[1:], a[1:]
		}
		c := scopeOf(v)
		o := oidOf(a[0])
		if args[0] == types.TextT {
			var err error
			if o, err = regFinder("regclass")(c, a[0].Str()); err != nil {
				return types.Null, err
			}
		}
		r := c.s.RelationByOID(o)
		if r == nil {
			return types.Null, nil
		}
		if args[1] == types.TextT {
			if r.Column(a[1].Str()) == nil {
				return types.Null, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", a[1].Str(), r.Name)
			}
		} else if col := r.ByAttnum(int16(a[1].Int())); col == nil || col.Dropped {
			return types.Null, nil
		}
		return types.True, checkPrivileges([]string{"SELECT", "INSERT", "UPDATE", "REFERENCES"}, a[2].Str())
	})}
}

// hasRole is pg_has_role: a superuser is a member of every role, and everybody of their own.
func hasRole(p *procFact) expr.Impl {
	return expr.Impl{OID: p.oid, Name: p.name, Eval: viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
		find := func(t *types.T, d datum) (*catalog.Role, error) {
			for _, r := range roles(v) {
				if t == types.NameT && r.Name == d.Str() || t != types.NameT && r.OID == oidOf(d) {
					return r, nil
				}
			}
			return nil, checkRole(v, t, d)
		}
		args := p.args
		member := &catalog.Role{Name: v.User, Super: true}
		var err error
		if len(args) == 3 {
			if member, err = find(args[0], a[0]); err != nil {
				return types.Null, err
			}
			args, a = args[1:], a[1:]
		} else {
			for _, r := range roles(v) {
				if r.Name == v.User {
					member = r
				}
			}
		}
		role, err := find(args[0], a[0])
		if err != nil {
			return types.Null, err
		}
		if err := checkPrivileges([]string{"MEMBER", "USAGE"}, strings.TrimSuffix(strings.ToUpper(a[1].Str()), " WITH ADMIN OPTION")); err != nil {
			return types.Null, err
		}
		if member == nil || role == nil {
			return types.Bool(member != nil && member.Super), nil
		}
		return types.Bool(isMember(v.Snapshot, member, role.OID, map[uint32]bool{})), nil
	})}
}

func isMember(s *catalog.Snapshot, m *catalog.Role, role uint32, seen map[uint32]bool) bool {
	if m.Super || m.OID == role {
		return true
	}
	seen[m.OID] = true
	for _, g := range m.MemberOf {
		if r := s.RoleByOID(g); r != nil && !seen[g] && isMember(s, r, role, seen) {
			return true
		}
	}
	return false
}

// aclLetters are the privileges in the order of their bits.
var aclLetters = []struct {
	letter byte
	name   string
}{
	{'a', "INSERT"},
	{'r', "SELECT"},
	{'w', "UPDATE"},
	{'d', "DELETE"},
	{'D', "TRUNCATE"},
	{'x', "REFERENCES"},
	{'t', "TRIGGER"},
	{'X', "EXECUTE"},
	{'U', "USAGE"},
	{'C', "CREATE"},
	{'T', "TEMPORARY"},
	{'c', "CONNECT"},
	{'s', "SET"},
	{'A', "ALTER SYSTEM"},
}

// aclFunctions read privilege lists.
func aclFunctions() []expr.Impl {
	b := &builder{}
	b.set("aclexplode", func(e env, a []datum, yield func(...datum) error) error {
		v, err := viewOf(e)
		if err != nil {
			return err
		}
		for _, item := range a[0].Array().Vals {
			if item.IsNull() {
				return pgerr.New(pgerr.NullValueNotAllowed, "ACL arrays must not contain null values")
			}
			if err := explodeItem(v, item.Str(), yield); err != nil {
				return err
			}
		}
		return nil
	})
	b.add("acldefault", viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
		name := ""
		for _, r := range roles(v) {
			if r.OID == oidOf(a[1]) {
				name = aclName(r.Name)
			}
		}
		own := map[string]string{
			"c": "", "r": "arwdDxt", "s": "rwU", "d": "CTc", "f": "X", "l": "U", "L": "rw", "n": "UC", "p": "sA", "t": "C", "F": "U", "S": "U", "T": "U",
		}
		public := map[string]string{"d": "Tc", "f": "X", "l": "U", "T": "U"}
		kind := a[0].Str()
		privs, ok := own[kind]
		if !ok {
			return types.Null, pgerr.Internal("unrecognized object type abbreviation: %s", kind)
		}
		acl := []string{}
		if p := public[kind]; p != "" {
			acl = append(acl, "="+p+"/"+name)
		}
		if privs != "" {
			acl = append(acl, name+"="+privs+"/"+name)
		}
		return aclItems(acl), nil
	}))
	return b.out
}

// aclName quotes a role's name in a privilege list when it is not made of letters, digits and underscores.
func aclName(name string) string {
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c < 0x80 {
			return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		}
	}
	return name
}

// explodeItem yields grantor, grantee, privilege and grant option for each privilege of grantee=privileges/grantor.
func explodeItem(v *catalog.View, item string, yield func(...datum) error) error {
	eq, slash := strings.IndexByte(item, '='), strings.LastIndexByte(item, '/')
	if eq < 0 || slash < eq {
		return nil
	}
	role := func(name string) uint32 {
		name = strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`)
		for _, r := range roles(v) {
			if r.Name == name {
				return r.OID
			}
		}
		return 0
	}
	grantee, grantor, privs := role(item[:eq]), role(item[slash+1:]), item[eq+1:slash]
	for _, l := range aclLetters {
		i := strings.IndexByte(privs, l.letter)
		if i < 0 {
			continue
		}
		option := i+1 < len(privs) && privs[i+1] == '*'
		if err := yield(oid(grantor), oid(grantee), text(l.name), types.Bool(option)); err != nil {
			return err
		}
	}
	return nil
}
