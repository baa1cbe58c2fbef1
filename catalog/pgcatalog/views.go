package pgcatalog

import "strings"

// views returns the SELECT text of the views of pg_catalog that are not computed, by name.
func views() map[string]string {
	v := map[string]string{
		"pg_roles": `SELECT a.rolname, a.rolsuper, a.rolinherit, a.rolcreaterole, a.rolcreatedb, a.rolcanlogin, a.rolreplication, a.rolconnlimit,
			'********'::text AS rolpassword, a.rolvaliduntil, a.rolbypassrls, s.setconfig AS rolconfig, a.oid
			FROM pg_catalog.pg_authid a LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setrole = a.oid AND s.setdatabase = 0`,
		"pg_shadow": `SELECT a.rolname AS usename, a.oid AS usesysid, a.rolcreatedb AS usecreatedb, a.rolsuper AS usesuper, a.rolreplication AS userepl,
			a.rolbypassrls AS usebypassrls, a.rolpassword AS passwd, a.rolvaliduntil AS valuntil, s.setconfig AS useconfig
			FROM pg_catalog.pg_authid a LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setrole = a.oid AND s.setdatabase = 0 WHERE a.rolcanlogin`,
		"pg_user": `SELECT usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, '********'::text AS passwd, valuntil, useconfig FROM pg_catalog.pg_shadow`,
		"pg_group": `SELECT a.rolname AS groname, a.oid AS grosysid, ARRAY(SELECT m.member FROM pg_catalog.pg_auth_members m WHERE m.roleid = a.oid) AS grolist
			FROM pg_catalog.pg_authid a WHERE NOT a.rolcanlogin`,
		"pg_tables": `SELECT n.nspname AS schemaname, c.relname AS tablename, pg_catalog.pg_get_userbyid(c.relowner) AS tableowner, t.spcname AS tablespace,
			c.relhasindex AS hasindexes, c.relhasrules AS hasrules, c.relhastriggers AS hastriggers, c.relrowsecurity AS rowsecurity
			FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace WHERE c.relkind IN ('r', 'p')`,
		"pg_views": `SELECT n.nspname AS schemaname, c.relname AS viewname, pg_catalog.pg_get_userbyid(c.relowner) AS viewowner, pg_catalog.pg_get_viewdef(c.oid) AS definition
			FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v'`,
		"pg_matviews": `SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_catalog.pg_get_userbyid(c.relowner) AS matviewowner, t.spcname AS tablespace,
			c.relhasindex AS hasindexes, c.relispopulated AS ispopulated, pg_catalog.pg_get_viewdef(c.oid) AS definition
			FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace WHERE c.relkind = 'm'`,
		"pg_indexes": `SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, t.spcname AS tablespace, pg_catalog.pg_get_indexdef(i.oid) AS indexdef
			FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index x ON x.indrelid = c.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
			LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = i.reltablespace
			WHERE c.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I')`,
		"pg_sequences": `SELECT n.nspname AS schemaname, c.relname AS sequencename, pg_catalog.pg_get_userbyid(c.relowner) AS sequenceowner, s.seqtypid::pg_catalog.regtype AS data_type,
			s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value, s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size,
			pg_catalog.pg_sequence_last_value(c.oid) AS last_value
			FROM pg_catalog.pg_class c JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S'`,
		"pg_rules": `SELECT n.nspname AS schemaname, c.relname AS tablename, r.rulename, pg_catalog.pg_get_ruledef(r.oid) AS definition
			FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE r.rulename <> '_RETURN'`,
		"pg_stat_bgwriter": `SELECT 0::bigint AS checkpoints_timed, 0::bigint AS checkpoints_req, 0::double precision AS checkpoint_write_time,
			0::double precision AS checkpoint_sync_time, 0::bigint AS buffers_checkpoint, 0::bigint AS buffers_clean, 0::bigint AS maxwritten_clean, 0::bigint AS buffers_backend,
			0::bigint AS buffers_backend_fsync, 0::bigint AS buffers_alloc, NULL::timestamptz AS stats_reset`,
		"pg_stat_archiver": `SELECT 0::bigint AS archived_count, NULL::text AS last_archived_wal, NULL::timestamptz AS last_archived_time, 0::bigint AS failed_count,
			NULL::text AS last_failed_wal, NULL::timestamptz AS last_failed_time, NULL::timestamptz AS stats_reset`,
		"pg_stat_wal": `SELECT 0::bigint AS wal_records, 0::bigint AS wal_fpi, 0::numeric AS wal_bytes, 0::bigint AS wal_buffers_full, 0::bigint AS wal_write, 0::bigint AS wal_sync,
			0::double precision AS wal_write_time, 0::double precision AS wal_sync_time, NULL::timestamptz AS stats_reset`,
		"pg_stat_database_conflicts": `SELECT d.oid AS datid, d.datname, 0::bigint AS confl_tablespace, 0::bigint AS confl_lock, 0::bigint AS confl_snapshot,
			0::bigint AS confl_bufferpin, 0::bigint AS confl_deadlock FROM pg_catalog.pg_database d`,
	}
	statViews(v)
	return v
}

// statViews adds the statistics of tables, indexes and sequences. What MongoDB counts (documents) is asked of it through
// functions, so that it costs only the columns that are read; what it does not count is zero.
func statViews(v map[string]string) {
	const (
		tables = ` FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 't', 'm', 'p')`
		index  = ` FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index x ON x.indrelid = c.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
			LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 't', 'm')`
		sequences = ` FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S'`
	)
	head := "SELECT c.oid AS relid, n.nspname AS schemaname, c.relname"
	indexHead := "SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname"
	scans := `, pg_catalog.pg_stat_get_numscans(c.oid) AS seq_scan, 0::bigint AS seq_tup_read, 0::bigint AS idx_scan, 0::bigint AS idx_tup_fetch` +
		zeros("n_tup_ins", "n_tup_upd", "n_tup_del", "n_tup_hot_upd")
	all := map[string]string{
		"pg_stat_%s_tables": head + scans + `, pg_catalog.pg_stat_get_live_tuples(c.oid) AS n_live_tup` + zeros("n_dead_tup", "n_mod_since_analyze", "n_ins_since_vacuum") +
			times("last_vacuum", "last_autovacuum", "last_analyze", "last_autoanalyze") + zeros("vacuum_count", "autovacuum_count", "analyze_count", "autoanalyze_count") + tables,
		"pg_stat_xact_%s_tables": head + scans + tables,
		"pg_statio_%s_tables": head + zeros("heap_blks_read", "heap_blks_hit", "idx_blks_read", "idx_blks_hit", "toast_blks_read", "toast_blks_hit", "tidx_blks_read", "tidx_blks_hit") +
			tables,
		"pg_stat_%s_indexes":     indexHead + zeros("idx_scan", "idx_tup_read", "idx_tup_fetch") + index,
		"pg_statio_%s_indexes":   indexHead + zeros("idx_blks_read", "idx_blks_hit") + index,
		"pg_statio_%s_sequences": head + zeros("blks_read", "blks_hit") + sequences,
	}
	for name, text := range all {
		v[strings.Replace(name, "%s", "all", 1)] = text
		v[strings.Replace(name, "%s", "sys", 1)] = text + " AND (n.nspname IN ('pg_catalog', 'information_schema') OR n.nspname ~ '^pg_toast')"
		v[strings.Replace(name, "%s", "user", 1)] = text + " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'"
	}
}

func zeros(columns ...string) string { return constants("0::bigint", columns) }
func times(columns ...string) string { return constants("NULL::timestamptz", columns) }

func constants(value string, columns []string) string {
	var b strings.Builder
	for _, c := range columns {
		b.WriteString(", " + value + " AS " + c)
	}
	return b.String()
}
