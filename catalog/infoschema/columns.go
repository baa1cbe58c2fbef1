package infoschema

// trueType and trueMod are a column's type below a domain, which t and a name.
const (
	trueType = "CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END"
	trueMod  = "CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END"
)

// columnType is what columns and attributes say alike about a column's type.
func columnType() string {
	return typeFacts("", trueType, trueMod) + `
			data_type: CASE WHEN t.typtype = 'd' THEN ` + dataType("bt", "nbt") + ` ELSE ` + dataType("t", "nt") + ` END
			collation_catalog: CASE WHEN nco.nspname IS NOT NULL THEN pg_catalog.current_database() END
			collation_schema: nco.nspname
			collation_name: co.collname
			dtd_identifier: a.attnum::text
			`
}

// columnJoins join a column's type and collation; the most selective relation stands first.
const columnJoins = `
			 JOIN pg_catalog.pg_namespace nc ON nc.oid = c.relnamespace
			 JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
			 JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
			 JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace
			 LEFT JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
			 LEFT JOIN pg_catalog.pg_type bt ON t.typtype = 'd' AND bt.oid = t.typbasetype
			 LEFT JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace
			 LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation AND co.oid <> 100
			 LEFT JOIN pg_catalog.pg_namespace nco ON nco.oid = co.collnamespace
`

func columnViews() []view {
	return []view{
		{
			"columns", columnType() + `
			table_catalog: pg_catalog.current_database()
			table_schema: nc.nspname
			table_name: c.relname
			column_name: a.attname
			ordinal_position: a.attnum
			column_default: CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) END
			is_nullable: ` + yesNo("NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull))") + `
			domain_catalog: CASE WHEN t.typtype = 'd' THEN pg_catalog.current_database() END
			domain_schema: CASE WHEN t.typtype = 'd' THEN nt.nspname END
			domain_name: CASE WHEN t.typtype = 'd' THEN t.typname END
			udt_catalog: pg_catalog.current_database()
			udt_schema: COALESCE(nbt.nspname, nt.nspname)
			udt_name: COALESCE(bt.typname, t.typname)
			is_self_referencing: 'NO'
			is_identity: ` + yesNo("a.attidentity IN ('a', 'd')") + `
			identity_generation: CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END
			identity_start: seq.seqstart::text
			identity_increment: seq.seqincrement::text
			identity_maximum: seq.seqmax::text
			identity_minimum: seq.seqmin::text
			identity_cycle: ` + yesNo("seq.seqcycle") + `
			is_generated: CASE WHEN a.attgenerated = '' THEN 'NEVER' ELSE 'ALWAYS' END
			generation_expression: CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) END
			is_updatable: ` + yesNo("c.relkind IN ('r', 'p') OR (c.relkind IN ('v', 'f') AND pg_catalog.pg_column_is_updatable(c.oid, a.attnum, false))"),
			`FROM pg_catalog.pg_class c` + columnJoins + `
			 LEFT JOIN pg_catalog.pg_sequence seq ON seq.seqrelid = CASE WHEN a.attidentity <> '' THEN
			   pg_catalog.pg_get_serial_sequence(pg_catalog.quote_ident(nc.nspname) || '.' || pg_catalog.quote_ident(c.relname), a.attname)::pg_catalog.regclass::pg_catalog.oid END
			 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p') AND NOT pg_catalog.pg_is_other_temp_schema(nc.oid)`,
		},
		{
			"attributes", columnType() + `
			udt_catalog: pg_catalog.current_database()
			udt_schema: nc.nspname
			udt_name: c.relname
			attribute_name: a.attname
			ordinal_position: a.attnum
			attribute_default: pg_catalog.pg_get_expr(ad.adbin, ad.adrelid)
			is_nullable: ` + yesNo("NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull))") + `
			attribute_udt_catalog: pg_catalog.current_database()
			attribute_udt_schema: COALESCE(nbt.nspname, nt.nspname)
			attribute_udt_name: COALESCE(bt.typname, t.typname)
			is_derived_reference_attribute: 'NO'`,
			"FROM pg_catalog.pg_class c" + columnJoins + "WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'c'",
		},
		{
			"column_domain_usage", `
			domain_catalog: pg_catalog.current_database()
			domain_schema: nt.nspname
			domain_name: t.typname
			table_catalog: pg_catalog.current_database()
			table_schema: nc.nspname
			table_name: c.relname
			column_name: a.attname`,
			`FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
			 JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace
			 WHERE t.typtype = 'd' AND c.relkind IN ('r', 'v', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped`,
		},
		{
			"column_udt_usage", `
			udt_catalog: pg_catalog.current_database()
			udt_schema: COALESCE(nbt.nspname, nt.nspname)
			udt_name: COALESCE(bt.typname, t.typname)
			table_catalog: pg_catalog.current_database()
			table_schema: nc.nspname
			table_name: c.relname
			column_name: a.attname`,
			"FROM pg_catalog.pg_class c" + columnJoins + "WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p')",
		},
		{
			"column_column_usage", `
			table_catalog: pg_catalog.current_database()
			table_schema: n.nspname
			table_name: c.relname
			column_name: ac.attname
			dependent_column: ad.attname`,
			`FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			 JOIN pg_catalog.pg_attribute ad ON ad.attrelid = c.oid JOIN pg_catalog.pg_attrdef atd ON atd.adrelid = c.oid AND atd.adnum = ad.attnum
			 JOIN pg_catalog.pg_depend d ON d.classid = 2604 AND d.objid = atd.oid AND d.refclassid = 1259 AND d.refobjid = c.oid
			 JOIN pg_catalog.pg_attribute ac ON ac.attrelid = c.oid AND ac.attnum = d.refobjsubid
			 WHERE ad.attgenerated <> '' AND ac.attnum <> ad.attnum`,
		},
		{"column_options", "column_name: c.attname", "FROM pg_catalog.pg_attribute c WHERE c.attfdwoptions IS NOT NULL"},
	}
}

func typeViews() []view {
	return []view{
		{
			"domains", typeFacts("", "t.typbasetype", "t.typtypmod") + `
			domain_catalog: pg_catalog.current_database()
			domain_schema: nt.nspname
			domain_name: t.typname
			data_type: ` + dataType("bt", "nbt") + `
			collation_catalog: CASE WHEN nco.nspname IS NOT NULL THEN pg_catalog.current_database() END
			collation_schema: nco.nspname
			collation_name: co.collname
			domain_default: t.typdefault
			udt_catalog: pg_catalog.current_database()
			udt_schema: nbt.nspname
			udt_name: bt.typname
			dtd_identifier: '1'`,
			`FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace
			 JOIN pg_catalog.pg_type bt ON bt.oid = t.typbasetype JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace
			 LEFT JOIN pg_catalog.pg_collation co ON co.oid = t.typcollation AND co.oid <> 100
			 LEFT JOIN pg_catalog.pg_namespace nco ON nco.oid = co.collnamespace
			 WHERE t.typtype = 'd'`,
		},
		{
			"domain_udt_usage", `
			udt_catalog: pg_catalog.current_database()
			udt_schema: nbt.nspname
			udt_name: bt.typname
			domain_catalog: pg_catalog.current_database()
			domain_schema: nt.nspname
			domain_name: t.typname`,
			`FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace
			 JOIN pg_catalog.pg_type bt ON bt.oid = t.typbasetype JOIN pg_catalog.pg_namespace nbt ON nbt.oid = bt.typnamespace WHERE t.typtype = 'd'`,
		},
		{
			"user_defined_types", `
			user_defined_type_catalog: pg_catalog.current_database()
			user_defined_type_schema: n.nspname
			user_defined_type_name: c.relname
			user_defined_type_category: 'STRUCTURED'
			is_instantiable: 'YES'`,
			"FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'c'",
		},
		{
			"element_types", `
			object_catalog: pg_catalog.current_database()
			object_schema: n.nspname
			object_name: x.objname
			object_type: x.objtype
			collection_type_identifier: x.objdtdid
			data_type: ` + dataType("et", "nbt") + `
			udt_catalog: pg_catalog.current_database()
			udt_schema: nbt.nspname
			udt_name: et.typname
			collation_catalog: CASE WHEN nco.nspname IS NOT NULL THEN pg_catalog.current_database() END
			collation_schema: nco.nspname
			collation_name: co.collname
			dtd_identifier: 'a' || x.objdtdid`,
			`FROM (
			  SELECT c.relnamespace AS objschema, c.relname::text AS objname, CASE WHEN c.relkind = 'c' THEN 'USER-DEFINED TYPE' ELSE 'TABLE' END AS objtype,
			         a.attnum::text AS objdtdid, a.atttypid AS objtype_oid, a.attcollation AS objcoll
			    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
			   WHERE c.relkind IN ('r', 'v', 'f', 'c', 'p') AND a.attnum > 0 AND NOT a.attisdropped
			  UNION ALL
			  SELECT t.typnamespace, t.typname::text, 'DOMAIN', '1', t.typbasetype, t.typcollation FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
			  UNION ALL
			  SELECT p.pronamespace, p.proname::text || '_' || p.oid::text, 'ROUTINE', pos.n::text, pos.typ, 0
			    FROM pg_catalog.pg_proc p CROSS JOIN LATERAL pg_catalog.unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS pos (typ, n)
			  UNION ALL
			  SELECT p.pronamespace, p.proname::text || '_' || p.oid::text, 'ROUTINE', '0', p.prorettype, 0 FROM pg_catalog.pg_proc p
			 ) x JOIN pg_catalog.pg_namespace n ON n.oid = x.objschema
			 JOIN pg_catalog.pg_type t ON t.oid = x.objtype_oid JOIN pg_catalog.pg_type et ON et.oid = t.typelem
			 JOIN pg_catalog.pg_namespace nbt ON nbt.oid = et.typnamespace
			 LEFT JOIN pg_catalog.pg_collation co ON co.oid = x.objcoll AND co.oid <> 100
			 LEFT JOIN pg_catalog.pg_namespace nco ON nco.oid = co.collnamespace
			 WHERE t.typlen = -1 AND t.typelem <> 0`,
		},
		{
			"data_type_privileges", `
			object_catalog: pg_catalog.current_database()
			object_schema: x.s
			object_name: x.n
			object_type: x.t
			dtd_identifier: x.d`,
			`FROM (SELECT udt_schema, udt_name, 'USER-DEFINED TYPE', dtd_identifier FROM information_schema.attributes
			  UNION ALL SELECT table_schema, table_name, 'TABLE', dtd_identifier FROM information_schema.columns
			  UNION ALL SELECT domain_schema, domain_name, 'DOMAIN', dtd_identifier FROM information_schema.domains
			  UNION ALL SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.parameters
			  UNION ALL SELECT specific_schema, specific_name, 'ROUTINE', dtd_identifier FROM information_schema.routines) AS x (s, n, t, d)`,
		},
		{"transforms", "udt_name: t.typname", "FROM pg_catalog.pg_transform r JOIN pg_catalog.pg_type t ON t.oid = r.trftype"},
	}
}
