package infoschema

func routineViews() []view {
	return []view{
		{
			"routines", `
			specific_catalog: pg_catalog.current_database()
			specific_schema: n.nspname
			specific_name: p.proname::text || '_' || p.oid::text
			routine_catalog: pg_catalog.current_database()
			routine_schema: n.nspname
			routine_name: p.proname
			routine_type: CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END
			data_type: CASE WHEN p.prokind <> 'p' THEN ` + dataType("t", "nt") + ` END
			type_udt_catalog: CASE WHEN nt.nspname IS NOT NULL THEN pg_catalog.current_database() END
			type_udt_schema: nt.nspname
			type_udt_name: t.typname
			dtd_identifier: CASE WHEN p.prokind <> 'p' THEN '0' END
			routine_body: CASE WHEN l.lanname = 'sql' THEN 'SQL' ELSE 'EXTERNAL' END
			routine_definition: p.prosrc
			external_name: CASE WHEN l.lanname = 'c' THEN p.prosrc END
			external_language: pg_catalog.upper(l.lanname::text)
			parameter_style: 'GENERAL'
			is_deterministic: ` + yesNo("p.provolatile = 'i'") + `
			sql_data_access: 'MODIFIES'
			is_null_call: CASE WHEN p.prokind <> 'p' THEN ` + yesNo("p.proisstrict") + ` END
			schema_level_routine: 'YES'
			max_dynamic_result_sets: 0
			security_type: CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END
			as_locator: 'NO'
			is_udt_dependent: 'NO'`,
			`FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid JOIN pg_catalog.pg_language l ON l.oid = p.prolang
			 LEFT JOIN pg_catalog.pg_type t ON t.oid = p.prorettype AND p.prokind <> 'p' LEFT JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace`,
		},
		{
			"parameters", `
			specific_catalog: pg_catalog.current_database()
			specific_schema: n.nspname
			specific_name: p.proname::text || '_' || p.oid::text
			ordinal_position: x.n
			parameter_mode: CASE COALESCE(p.proargmodes[x.n], 'i') WHEN 'i' THEN 'IN' WHEN 'o' THEN 'OUT' WHEN 'b' THEN 'INOUT' WHEN 'v' THEN 'IN' WHEN 't' THEN 'OUT' END
			is_result: 'NO'
			as_locator: 'NO'
			parameter_name: NULLIF(p.proargnames[x.n], '')
			data_type: ` + dataType("t", "nt") + `
			udt_catalog: pg_catalog.current_database()
			udt_schema: nt.nspname
			udt_name: t.typname
			dtd_identifier: x.n::text
			parameter_default: pg_catalog.pg_get_function_arg_default(p.oid, x.n::integer)`,
			`FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid
			 CROSS JOIN LATERAL pg_catalog.unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS x (typ, n)
			 JOIN pg_catalog.pg_type t ON t.oid = x.typ JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace`,
		},
		{"routine_column_usage", "routine_name: p.proname", "FROM pg_catalog.pg_proc p WHERE false"},
		{"routine_routine_usage", "routine_name: p.proname", "FROM pg_catalog.pg_proc p WHERE false"},
		{"routine_sequence_usage", "routine_name: p.proname", "FROM pg_catalog.pg_proc p WHERE false"},
		{"routine_table_usage", "routine_name: p.proname", "FROM pg_catalog.pg_proc p WHERE false"},
	}
}

// usageViews are what views use, and the foreign-data wrappers' views, which are empty here.
func usageViews() []view {
	const uses = `FROM (SELECT DISTINCT r.ev_class AS view, d.refobjid AS used FROM pg_catalog.pg_rewrite r
			   JOIN pg_catalog.pg_depend d ON d.objid = r.oid AND d.classid = 2618 AND d.refclassid = 1259 AND d.refobjid <> r.ev_class) x
			 JOIN pg_catalog.pg_class v ON v.oid = x.view JOIN pg_catalog.pg_namespace nv ON nv.oid = v.relnamespace
			 JOIN pg_catalog.pg_class t ON t.oid = x.used JOIN pg_catalog.pg_namespace nt ON nt.oid = t.relnamespace
			 WHERE v.relkind = 'v' AND t.relkind IN ('r', 'v', 'f', 'p')`
	views := []view{
		{"view_table_usage", `
			view_catalog: pg_catalog.current_database()
			view_schema: nv.nspname
			view_name: v.relname
			table_catalog: pg_catalog.current_database()
			table_schema: nt.nspname
			table_name: t.relname`, uses},
		{"view_column_usage", "view_name: c.relname", "FROM pg_catalog.pg_class c WHERE false"},
		{"view_routine_usage", "table_name: c.relname", "FROM pg_catalog.pg_class c WHERE false"},
		{"_pg_foreign_data_wrappers", "oid: w.oid", "FROM pg_catalog.pg_foreign_data_wrapper w"},
		{"_pg_foreign_servers", "oid: s.oid", "FROM pg_catalog.pg_foreign_server s"},
		{"_pg_foreign_table_columns", "attname: a.attname", "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_foreign_table t ON t.ftrelid = a.attrelid"},
		{"_pg_foreign_tables", "foreign_table_name: c.relname", "FROM pg_catalog.pg_foreign_table t JOIN pg_catalog.pg_class c ON c.oid = t.ftrelid"},
		{"_pg_user_mappings", "oid: m.oid", "FROM pg_catalog.pg_user_mapping m"},
	}
	for name, column := range map[string]string{
		"foreign_data_wrapper_options": "foreign_data_wrapper_name", "foreign_data_wrappers": "foreign_data_wrapper_name",
	} {
		views = append(views, view{name, column + ": w.fdwname", "FROM pg_catalog.pg_foreign_data_wrapper w"})
	}
	for name, column := range map[string]string{"foreign_server_options": "foreign_server_name", "foreign_servers": "foreign_server_name"} {
		views = append(views, view{name, column + ": s.srvname", "FROM pg_catalog.pg_foreign_server s"})
	}
	for name, column := range map[string]string{"foreign_table_options": "foreign_table_name", "foreign_tables": "foreign_table_name"} {
		views = append(views, view{name, column + ": c.relname", "FROM pg_catalog.pg_foreign_table t JOIN pg_catalog.pg_class c ON c.oid = t.ftrelid"})
	}
	for _, name := range []string{"user_mapping_options", "user_mappings"} {
		views = append(views, view{name, "foreign_server_name: s.srvname", "FROM pg_catalog.pg_user_mapping m JOIN pg_catalog.pg_foreign_server s ON s.oid = m.umserver"})
	}
	return views
}
