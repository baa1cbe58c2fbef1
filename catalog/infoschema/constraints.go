package infoschema

func constraintViews() []view {
	const rel = `FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
			 JOIN pg_catalog.pg_constraint c ON c.conrelid = r.oid JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace
			 `
	return []view{
		{
			"table_constraints", `
			constraint_catalog: pg_catalog.current_database()
			constraint_schema: x.conschema
			constraint_name: x.conname
			table_catalog: pg_catalog.current_database()
			table_schema: x.nspname
			table_name: x.relname
			constraint_type: x.contype
			is_deferrable: ` + yesNo("x.condeferrable") + `
			initially_deferred: ` + yesNo("x.condeferred") + `
			enforced: 'YES'
			nulls_distinct: x.nullsdistinct`,
			// every NOT NULL column counts as a check under a made-up name
			`FROM (SELECT nc.nspname AS conschema, c.conname::text AS conname, nr.nspname, r.relname,
			         CASE c.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END AS contype,
			         c.condeferrable, c.condeferred,
			         CASE WHEN c.contype = 'u' THEN (SELECT CASE WHEN i.indnullsnotdistinct THEN 'NO' ELSE 'YES' END FROM pg_catalog.pg_index i WHERE i.indexrelid = c.conindid) END AS nullsdistinct
			    ` + rel + `WHERE c.contype NOT IN ('t', 'x') AND r.relkind IN ('r', 'p') AND NOT pg_catalog.pg_is_other_temp_schema(nr.oid)
			  UNION ALL
			  SELECT nr.nspname, nr.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null', nr.nspname, r.relname, 'CHECK', false, false, NULL
			    FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
			   WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p') AND NOT pg_catalog.pg_is_other_temp_schema(nr.oid)) x`,
		},
		{
			"key_column_usage", `
			constraint_catalog: pg_catalog.current_database()
			constraint_schema: nc.nspname
			constraint_name: c.conname
			table_catalog: pg_catalog.current_database()
			table_schema: nr.nspname
			table_name: r.relname
			column_name: a.attname
			ordinal_position: k.n
			position_in_unique_constraint: CASE WHEN c.contype = 'f' THEN information_schema._pg_index_position(c.conindid, c.confkey[k.n]) END`,
			rel + `CROSS JOIN LATERAL pg_catalog.unnest(c.conkey) WITH ORDINALITY AS k (attnum, n)
			 JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.attnum
			 WHERE c.contype IN ('p', 'u', 'f') AND r.relkind IN ('r', 'p') AND NOT a.attisdropped AND NOT pg_catalog.pg_is_other_temp_schema(nr.oid)`,
		},
		{
			"referential_constraints", `
			constraint_catalog: pg_catalog.current_database()
			constraint_schema: ncon.nspname
			constraint_name: con.conname
			unique_constraint_catalog: CASE WHEN pkc.conname IS NOT NULL THEN pg_catalog.current_database() END
			unique_constraint_schema: npkc.nspname
			unique_constraint_name: pkc.conname
			match_option: CASE con.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' WHEN 's' THEN 'NONE' END
			update_rule: CASE con.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END
			delete_rule: CASE con.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END`,
			`FROM pg_catalog.pg_constraint con JOIN pg_catalog.pg_namespace ncon ON ncon.oid = con.connamespace
			 LEFT JOIN pg_catalog.pg_constraint pkc ON pkc.conindid = con.conindid AND pkc.conrelid = con.confrelid AND pkc.contype IN ('p', 'u')
			 LEFT JOIN pg_catalog.pg_namespace npkc ON npkc.oid = pkc.connamespace
			 WHERE con.contype = 'f'`,
		},
		{
			"check_constraints", `
			constraint_catalog: pg_catalog.current_database()
			constraint_schema: x.nspname
			constraint_name: x.conname
			check_clause: x.clause`,
			`FROM (SELECT rs.nspname, con.conname::text AS conname, pg_catalog.substr(pg_catalog.pg_get_constraintdef(con.oid), 7) AS clause
			    FROM pg_catalog.pg_constraint con JOIN pg_catalog.pg_namespace rs ON rs.oid = con.connamespace WHERE con.contype = 'c'
			  UNION ALL
			  SELECT n.nspname, n.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null', a.attname::text || ' IS NOT NULL'
			    FROM pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
			   WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attnotnull AND r.relkind IN ('r', 'p')) x`,
		},
		{
			"constraint_column_usage", `
			table_catalog: pg_catalog.current_database()
			table_schema: nr.nspname
			table_name: r.relname
			column_name: a.attname
			constraint_catalog: pg_catalog.current_database()
			constraint_schema: nc.nspname
			constraint_name: c.conname`,
			// a foreign key uses the columns that it refers to
			`FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace
			 JOIN pg_catalog.pg_class r ON r.oid = CASE WHEN c.contype = 'f' THEN c.confrelid ELSE c.conrelid END
			 JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
			 JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = ANY (CASE WHEN c.contype = 'f' THEN c.confkey ELSE c.conkey END)
			 WHERE c.contype IN ('p', 'u', 'f', 'c') AND r.relkind IN ('r', 'p') AND NOT a.attisdropped`,
		},
		{
			"constraint_table_usage", `
			table_catalog: pg_catalog.current_database()
			table_schema: nr.nspname
			table_name: r.relname
			constraint_catalog: pg_catalog.current_database()
			constraint_schema: nc.nspname
			constraint_name: c.conname`,
			`FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace
			 JOIN pg_catalog.pg_class r ON r.oid = CASE WHEN c.contype = 'f' THEN c.confrelid ELSE c.conrelid END
			 JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace WHERE c.contype IN ('p', 'u', 'f') AND r.relkind IN ('r', 'p')`,
		},
		{"check_constraint_routine_usage", "constraint_name: c.conname", "FROM pg_catalog.pg_constraint c WHERE false"},
		{
			"domain_constraints", `
			constraint_catalog: pg_catalog.current_database()
			constraint_schema: rs.nspname
			constraint_name: con.conname
			domain_catalog: pg_catalog.current_database()
			domain_schema: n.nspname
			domain_name: t.typname
			is_deferrable: ` + yesNo("con.condeferrable") + `
			initially_deferred: ` + yesNo("con.condeferred"),
			`FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace JOIN pg_catalog.pg_constraint con ON con.contypid = t.oid
			 JOIN pg_catalog.pg_namespace rs ON rs.oid = con.connamespace WHERE t.typtype = 'd'`,
		},
		{
			"triggers", `
			trigger_catalog: pg_catalog.current_database()
			trigger_schema: n.nspname
			trigger_name: t.tgname
			event_manipulation: em.text
			event_object_catalog: pg_catalog.current_database()
			event_object_schema: n.nspname
			event_object_table: c.relname
			action_order: pg_catalog.rank() OVER (PARTITION BY n.nspname, c.relname, em.num, t.tgtype & 1, t.tgtype & 66 ORDER BY t.tgname)
			action_condition: CASE WHEN t.tgqual IS NOT NULL THEN t.tgqual::text END
			action_statement: pg_catalog.substring(pg_catalog.pg_get_triggerdef(t.oid), 'EXECUTE FUNCTION .*$')
			action_orientation: CASE t.tgtype & 1 WHEN 1 THEN 'ROW' ELSE 'STATEMENT' END
			action_timing: CASE t.tgtype & 66 WHEN 2 THEN 'BEFORE' WHEN 64 THEN 'INSTEAD OF' ELSE 'AFTER' END
			action_reference_old_table: t.tgoldtable
			action_reference_new_table: t.tgnewtable`,
			`FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid
			 JOIN (VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) AS em (num, text) ON (t.tgtype & em.num) <> 0
			 WHERE NOT t.tgisinternal`,
		},
		{
			"triggered_update_columns", `
			trigger_catalog: pg_catalog.current_database()
			trigger_schema: n.nspname
			trigger_name: t.tgname
			event_object_catalog: pg_catalog.current_database()
			event_object_schema: n.nspname
			event_object_table: c.relname
			event_object_column: a.attname`,
			`FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid
			 JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (t.tgattr) WHERE NOT t.tgisinternal`,
		},
	}
}
