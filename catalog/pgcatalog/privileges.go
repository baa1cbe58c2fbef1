package pgcatalog

import (
	"slices"
	"strconv"
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
	// find resolves the object by name; its error is the function's.
	find func(c scope, name string) (uint32, error)
	// rights returns those of the wanted privileges that a role has; ok is false for an OID that does not exist.
	rights func(c scope, o, role uint32, want catalog.Privileges, options bool) (have catalog.Privileges, ok bool)
}

// regFinder resolves names as a reg* type does.
func regFinder(reg string) func(c scope, name string) (uint32, error) {
	t := types.ByName(reg)
	return func(c scope, name string) (uint32, error) { return (&Names{c.s, c.path}).RegIn(t, name) }
}

// publicRights are those on the objects of a kind that nobody grants or revokes.
func publicRights(k catalog.Securable, exists func(o uint32) bool) func(c scope, o, role uint32, want catalog.Privileges, options bool) (catalog.Privileges, bool) {
	return func(c scope, o, role uint32, want catalog.Privileges, options bool) (catalog.Privileges, bool) {
		return c.s.Rights(nil, k, catalog.BootstrapRole, role, want, options), exists(o)
	}
}

func anyOID(uint32) bool { return true }

func relationRights(c scope, o, role uint32, want catalog.Privileges, options bool) (catalog.Privileges, bool) {
	r := c.s.RelationByOID(o)
	if r == nil {
		return 0, false
	}
	return c.s.RelationRights(r, role, want, options), true
}

func anyColumnRights(c scope, o, role uint32, want catalog.Privileges, options bool) (catalog.Privileges, bool) {
	r := c.s.RelationByOID(o)
	if r == nil {
		return 0, false
	}
	have := c.s.RelationRights(r, role, want, options)
	for _, col := range r.Live() {
		have |= c.s.ColumnRights(r, col, role, want, options)
	}
	return have, true
}

func privilegeKinds() []privilegeKind {
	byName := func(what string) func(c scope, name string) (uint32, error) {
		return func(_ scope, name string) (uint32, error) {
			return 0, pgerr.New(pgerr.UndefinedObject, "%s \"%s\" does not exist", what, name)
		}
	}
	nothing := func(scope, string) (uint32, error) { return 0, nil }
	none := func(uint32) bool { return false }
	return []privilegeKind{
		{"has_table_privilege", []string{"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "RULE"}, regFinder("regclass"), relationRights},
		{"has_sequence_privilege", []string{"USAGE", "SELECT", "UPDATE"}, findSequence, relationRights},
		{"has_any_column_privilege", []string{"SELECT", "INSERT", "UPDATE", "REFERENCES"}, regFinder("regclass"), anyColumnRights},
		{"has_schema_privilege", []string{"CREATE", "USAGE"}, func(c scope, name string) (uint32, error) {
			if s := c.s.SchemaByName(name); s != nil {
				return s.OID, nil
			}
			return 0, pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", name)
		}, schemaRights},
		{"has_database_privilege", []string{"CREATE", "TEMPORARY", "TEMP", "CONNECT"}, nothing, databaseRights},
		{"has_function_privilege", []string{"EXECUTE"}, regFinder("regprocedure"), functionRights},
		{"has_language_privilege", []string{"USAGE"}, func(_ scope, name string) (uint32, error) {
			if o := languages()[name]; o != 0 {
				return o, nil
			}
			return 0, pgerr.New(pgerr.UndefinedObject, "language \"%s\" does not exist", name)
		}, publicRights(catalog.OnLanguage, anyOID)},
		{"has_type_privilege", []string{"USAGE"}, regFinder("regtype"), typeRights},
		{"has_tablespace_privilege", []string{"CREATE"}, func(_ scope, name string) (uint32, error) {
			if name == "pg_default" || name == "pg_global" {
				return 0, nil
			}
			return 0, pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", name)
		}, publicRights(catalog.OnTablespace, anyOID)},
		{"has_foreign_data_wrapper_privilege", []string{"USAGE"}, byName("foreign-data wrapper"), publicRights(catalog.OnLanguage, none)},
		{"has_server_privilege", []string{"USAGE"}, byName("server"), publicRights(catalog.OnLanguage, none)},
		{"has_parameter_privilege", []string{"SET", "ALTER SYSTEM"}, nothing, publicRights(catalog.OnParameter, anyOID)},
	}
}

func findSequence(c scope, name string) (uint32, error) {
	o, err := regFinder("regclass")(c, name)
	if r := c.s.RelationByOID(o); err == nil && r != nil && r.Kind != catalog.KindSequence {
		err = pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a sequence", name)
	}
	return o, err
}

func schemaRights(c scope, o, role uint32, want catalog.Privileges, options bool) (catalog.Privileges, bool) {
	sc := c.s.SchemaByOID(o)
	if sc == nil {
		return 0, false
	}
	return c.s.SchemaRights(sc, role, want, options), true
}

// databaseRights takes OID 0, what every name finds, for the present database.
func databaseRights(c scope, o, role uint32, want catalog.Privileges, options bool) (catalog.Privileges, bool) {
	if o == 0 {
		o = c.s.DBOID
	}
	d := c.s.DatabaseByOID(o)
	if d == nil {
		d = &catalog.Database{Owner: catalog.BootstrapRole}
	}
	return c.s.Rights(d.ACL, catalog.OnDatabase, d.Owner, role, want, options), true
}

func functionRights(c scope, o, role uint32, want catalog.Privileges, options bool) (catalog.Privileges, bool) {
	if f := c.s.FunctionByOID(o); f != nil {
		return c.s.Rights(f.ACL, catalog.OnFunction, f.Owner, role, want, options), true
	}
	return c.s.Rights(builtinFunctionACL(o), catalog.OnFunction, catalog.BootstrapRole, role, want, options), c.proc(o) != nil
}

// builtinFunctionACL is the list of a function of every cluster, nil for most.
func builtinFunctionACL(o uint32) catalog.ACL {
	acl, ok := extra("pg_proc", strconv.FormatUint(uint64(o), 10), "proacl")
	if !ok {
		return nil
	}
	return catalog.BuiltinACL(splitArray(acl))
}

func typeRights(c scope, o, role uint32, want catalog.Privileges, options bool) (catalog.Privileges, bool) {
	t := c.s.TypeByOID(o)
	if t == nil {
		return 0, false
	}
	if t.Elem != nil {
		t = t.Elem
	}
	info := c.s.TypeInfo(t.OID)
	return c.s.Rights(info.ACL, catalog.OnType, owner(info.Owner), role, want, options), true
}

// privilegeFunctions answer whether a role may do something.
func privilegeFunctions() []expr.Impl {
	b := &builder{}
	for _, k := range privilegeKinds() {
		b.each(k.name, nil, func(p *procFact) expr.Impl {
			return expr.Impl{OID: p.oid, Name: p.name, Eval: viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
				role, args, a, err := asker(v, p.args, a, 3)
				if err != nil {
					return types.Null, err
				}
				c := scopeOf(v)
				o := uint32(0)
				if args[0] == types.TextT {
					if o, err = k.find(c, a[0].Str()); err != nil {
						return types.Null, err
					}
				} else {
					o = oidOf(a[0])
				}
				ok := true
				out, err := anyPrivilege(k.privileges, a[1].Str(), func(want catalog.Privileges, options bool) bool {
					var have catalog.Privileges
					have, ok = k.rights(c, o, role, want, options)
					return have != 0
				})
				if !ok {
					return types.Null, err
				}
				return types.Bool(out), err
			})}
		})
	}
	b.each("has_column_privilege", nil, columnPrivilege)
	b.each("pg_has_role", nil, hasRole)
	b.constant(types.False, "row_security_active")
	return b.out
}

// asker is the role that a privilege function with full arguments is asked about, or else the present one; it returns the
// other arguments.
func asker(v *catalog.View, args []*types.T, a []datum, full int) (uint32, []*types.T, []datum, error) {
	if len(args) < full {
		return v.Snapshot.RoleID(v.User), args, a, nil
	}
	role := catalog.Public
	switch t := args[0]; {
	case t != types.NameT:
		if role = oidOf(a[0]); role == sessionRole {
			role = catalog.BootstrapRole
		}
	case a[0].Str() == "public":
	default:
		r := findRole(v, a[0].Str())
		if r == nil {
			return 0, nil, nil, pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", a[0].Str())
		}
		role = v.Snapshot.RoleID(r.Name)
	}
	return role, args[1:], a[1:], nil
}

func findRole(v *catalog.View, name string) *catalog.Role {
	for _, r := range roles(v) {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// anyPrivilege reports whether has answers yes to one of a comma-separated list of privileges, each perhaps WITH GRANT OPTION.
func anyPrivilege(allowed []string, list string, has func(want catalog.Privileges, options bool) bool) (bool, error) {
	out := false
	for _, p := range strings.Split(list, ",") {
		name, options := strings.CutSuffix(strings.ToUpper(strings.TrimSpace(p)), " WITH GRANT OPTION")
		if !slices.Contains(allowed, name) {
			return false, pgerr.New(pgerr.InvalidParameterValue, "unrecognized privilege type: \"%s\"", strings.TrimSpace(p))
		}
		out = has(catalog.PrivilegeNamed(name), options) || out
	}
	return out, nil
}

func columnPrivilege(p *procFact) expr.Impl {
	return expr.Impl{OID: p.oid, Name: p.name, Eval: viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
		role, args, a, err := asker(v, p.args, a, 4)
		if err != nil {
			return types.Null, err
		}
		c := scopeOf(v)
		o := oidOf(a[0])
		if args[0] == types.TextT {
			if o, err = regFinder("regclass")(c, a[0].Str()); err != nil {
				return types.Null, err
			}
		}
		r := c.s.RelationByOID(o)
		if r == nil {
			return types.Null, nil
		}
		var col *catalog.Column
		if args[1] == types.TextT {
			if col = r.Column(a[1].Str()); col == nil {
				return types.Null, pgerr.New(pgerr.UndefinedColumn, "column \"%s\" of relation \"%s\" does not exist", a[1].Str(), r.Name)
			}
		} else if col = r.ByAttnum(int16(a[1].Int())); col == nil || col.Dropped {
			return types.Null, nil
		}
		out, err := anyPrivilege([]string{"SELECT", "INSERT", "UPDATE", "REFERENCES"}, a[2].Str(), func(want catalog.Privileges, options bool) bool {
			return (c.s.RelationRights(r, role, want, options) | c.s.ColumnRights(r, col, role, want, options)) != 0
		})
		return types.Bool(out), err
	})}
}

// hasRole is pg_has_role: MEMBER asks whether SET ROLE is allowed, USAGE whether the privileges are there without it.
func hasRole(p *procFact) expr.Impl {
	return expr.Impl{OID: p.oid, Name: p.name, Eval: viewed(func(_ env, v *catalog.View, a []datum) (datum, error) {
		args := p.args
		find := func() (uint32, error) {
			o := oidOf(a[0])
			if args[0] == types.NameT {
				r := findRole(v, a[0].Str())
				if r == nil {
					return 0, pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", a[0].Str())
				}
				o = r.OID
			}
			args, a = args[1:], a[1:]
			if o == sessionRole {
				o = catalog.BootstrapRole
			}
			return o, nil
		}
		member := v.Snapshot.RoleID(v.User)
		var err error
		if len(args) == 3 {
			if member, err = find(); err != nil {
				return types.Null, err
			}
		}
		role, err := find()
		if err != nil {
			return types.Null, err
		}
		out := false
		for _, m := range strings.Split(a[0].Str(), ",") {
			switch name := strings.ToUpper(strings.TrimSpace(m)); name {
			case "MEMBER":
				out = out || v.Snapshot.Member(member, role)
			case "USAGE":
				out = out || v.Snapshot.HasRole(member, role)
			case "MEMBER WITH ADMIN OPTION", "MEMBER WITH GRANT OPTION", "USAGE WITH ADMIN OPTION", "USAGE WITH GRANT OPTION":
				out = out || v.Snapshot.IsAdmin(member, role)
			default:
				return types.Null, pgerr.New(pgerr.InvalidParameterValue, "unrecognized privilege type: \"%s\"", strings.TrimSpace(m))
			}
		}
		return types.Bool(out), nil
	})}
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
		switch kind := catalog.Securable(a[0].Str()[0]); kind {
		case 'F', 'S':
			return aclItems(v.Snapshot, catalog.DefaultACL(catalog.OnLanguage, oidOf(a[1]))[1:]), nil
		default:
			if kind.All() == 0 {
				return types.Null, pgerr.Internal("unrecognized object type abbreviation: %s", a[0].Str())
			}
			return aclItems(v.Snapshot, catalog.DefaultACL(kind, oidOf(a[1]))), nil
		}
	}))
	return b.out
}

// explodeItem yields grantor, grantee, privilege and grant option for each privilege of grantee=privileges/grantor.
func explodeItem(v *catalog.View, item string, yield func(...datum) error) error {
	g, ok := catalog.ParseGrant(item, func(name string) uint32 {
		if r := findRole(v, name); r != nil {
			return r.OID
		}
		return 0
	})
	if !ok {
		return nil
	}
	for _, n := range catalog.PrivilegeNames {
		if g.Held&n.Privilege == 0 {
			continue
		}
		if err := yield(oid(g.Grantor), oid(g.Grantee), text(n.Name), types.Bool(g.Options&n.Privilege != 0)); err != nil {
			return err
		}
	}
	return nil
}
