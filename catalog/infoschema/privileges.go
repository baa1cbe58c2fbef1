package infoschema

// grantedTo joins who granted a privilege x to whom.
const grantedTo = `
			 JOIN pg_catalog.pg_authid g ON g.oid = x.grantor LEFT JOIN pg_catalog.pg_authid r ON r.oid = x.grantee`

const granted = `
			grantor: g.rolname
			grantee: COALESCE(r.rolname, 'PUBLIC')
			is_grantable: CASE WHEN x.is_grantable OR pg_catalog.pg_has_role(x.grantee, o.owner, 'USAGE') THEN 'YES' ELSE 'NO' END
			`

func privilegeViews() []view {
	const enabled = ` WHERE p.grantor IN (SELECT role_name FROM information_schema.enabled_roles) OR p.grantee IN (SELECT role_name FROM information_schema.enabled_roles)`
	copyOf := func(cols ...string) string {
		s := ""
		for _, c := range cols {
			s += c + ": p." + c + "\n"
		}
		return s
	}
	table := []string{"grantor", "grantee", "table_catalog", "table_schema", "table_name"}
	routine := []string{"grantor", "grantee", "specific_catalog", "specific_schema", "specific_name", "routine_catalog", "routine_schema", "routine_name", "privilege_type", "is_grantable"}
	udt := []string{"grantor", "grantee", "udt_catalog", "udt_schema", "udt_name", "privilege_type", "is_grantable"}
	usage := []string{"grantor", "grantee", "object_catalog", "object_schema", "object_name", "object_type", "privilege_type", "is_grantable"}
	views := []view{
		{"role_table_grants", copyOf(append(table, "privilege_type", "is_grantable", "with_hierarchy")...), "FROM information_schema.table_privileges p" + enabled},
		{"role_column_grants", copyOf(append(table, "column_name", "privilege_type", "is_grantable")...), "FROM information_schema.column_privileges p" + enabled},
		{"role_routine_grants", copyOf(routine...), "FROM information_schema.routine_privileges p" + enabled},
		{"role_udt_grants", copyOf(udt...), "FROM information_schema.udt_privileges p" + enabled},
		{"role_usage_grants", copyOf(usage...), "FROM information_schema.usage_privileges p" + enabled},
	}
	return append(views, objectPrivileges()...)
}

func objectPrivileges() []view {
	return []view{
		{
			"table_privileges", granted + `
			table_catalog: pg_catalog.current_database()
			table_schema: n.nspname
			table_name: o.relname
			privilege_type: x.privilege_type
			with_hierarchy: CASE WHEN x.privilege_type = 'SELECT' THEN 'YES' ELSE 'NO' END`,
			`FROM (SELECT c.relname, c.relnamespace, c.relowner AS owner, COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner)) AS acl
			    FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'v', 'f', 'p')) o
			 JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) x` + grantedTo + `
			 WHERE x.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER')`,
		},
		{
			"column_privileges", granted + `
			table_catalog: pg_catalog.current_database()
			table_schema: n.nspname
			table_name: o.relname
			column_name: o.attname
			privilege_type: x.privilege_type`,
			`FROM (SELECT c.relname, c.relnamespace, c.relowner AS owner, a.attname, pg_catalog.array_cat(COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner)), a.attacl) AS acl
			    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
			   WHERE c.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped) o
			 JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) x` + grantedTo + `
			 WHERE x.privilege_type IN ('INSERT', 'SELECT', 'UPDATE', 'REFERENCES')`,
		},
		{
			"routine_privileges", granted + `
			specific_catalog: pg_catalog.current_database()
			specific_schema: n.nspname
			specific_name: o.proname::text || '_' || o.oid::text
			routine_catalog: pg_catalog.current_database()
			routine_schema: n.nspname
			routine_name: o.proname
			privilege_type: 'EXECUTE'`,
			`FROM (SELECT p.oid, p.proname, p.pronamespace, p.proowner AS owner, COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner)) AS acl FROM pg_catalog.pg_proc p) o
			 JOIN pg_catalog.pg_namespace n ON n.oid = o.pronamespace CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) x` + grantedTo + `
			 WHERE x.privilege_type = 'EXECUTE'`,
		},
		{
			"udt_privileges", granted + `
			udt_catalog: pg_catalog.current_database()
			udt_schema: n.nspname
			udt_name: o.typname
			privilege_type: 'TYPE USAGE'`,
			`FROM (SELECT t.typname, t.typnamespace, t.typowner AS owner, COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner)) AS acl
			    FROM pg_catalog.pg_type t WHERE t.typtype = 'c') o
			 JOIN pg_catalog.pg_namespace n ON n.oid = o.typnamespace CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) x` + grantedTo + `
			 WHERE x.privilege_type = 'USAGE'`,
		},
		{
			"usage_privileges", `
			grantor: o.grantor
			grantee: o.grantee
			object_catalog: pg_catalog.current_database()
			object_schema: o.nspname
			object_name: o.name
			object_type: o.kind
			privilege_type: 'USAGE'
			is_grantable: o.grantable`,
			`FROM (SELECT u.rolname AS grantor, 'PUBLIC'::pg_catalog.name AS grantee, n.nspname, c.collname AS name, 'COLLATION' AS kind, 'NO' AS grantable
			    FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_authid u ON u.oid = c.collowner JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
			   WHERE c.collencoding IN (-1, 6)
			  UNION ALL
			  SELECT g.rolname, COALESCE(r.rolname, 'PUBLIC'), n.nspname, t.typname, 'DOMAIN', CASE WHEN x.is_grantable OR pg_catalog.pg_has_role(x.grantee, t.typowner, 'USAGE') THEN 'YES' ELSE 'NO' END
			    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
			    CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner))) x` + grantedTo + `
			   WHERE t.typtype = 'd' AND x.privilege_type = 'USAGE'
			  UNION ALL
			  SELECT g.rolname, COALESCE(r.rolname, 'PUBLIC'), n.nspname, c.relname, 'SEQUENCE', CASE WHEN x.is_grantable OR pg_catalog.pg_has_role(x.grantee, c.relowner, 'USAGE') THEN 'YES' ELSE 'NO' END
			    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			    CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner))) x` + grantedTo + `
			   WHERE c.relkind = 'S' AND x.privilege_type = 'USAGE') o`,
		},
	}
}
