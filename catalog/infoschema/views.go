// Package infoschema holds the views of information_schema, written over pg_catalog.
package infoschema

import (
	"strings"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
)

// Views returns the SELECT text of every view of information_schema by name, with exactly PostgreSQL's columns and types.
func Views() map[string]string {
	columns := viewColumns()
	out := map[string]string{}
	for _, list := range [][]view{schemaViews(), columnViews(), constraintViews(), routineViews(), privilegeViews(), typeViews(), usageViews()} {
		for _, v := range list {
			out[v.name] = v.text(columns[v.name])
		}
	}
	return out
}

// view is one view: what its columns are, one "column: expression" a line, and where they come from. Columns that are not
// named are NULL, as most of the standard's are in PostgreSQL.
type view struct {
	name string
	cols string
	from string
}

// column is a view's column with the type that the standard gives it.
type column struct{ name, typ string }

// viewColumns reads the columns of information_schema's relations from the dump.
func viewColumns() map[string][]column {
	class, attr := facts.Load("pg_class"), facts.Load("pg_attribute")
	names := map[string]string{}
	oid, name, ns, kind := class.Col("oid"), class.Col("relname"), class.Col("relnamespace"), class.Col("relkind")
	for _, r := range class.Rows {
		if r[ns] == "13207" && r[kind] == "v" {
			names[r[oid]] = r[name]
		}
	}
	typeNames := map[string]string{}
	for _, t := range types.All() {
		schema := t.Schema
		typeNames[itoa(t.OID)] = schema + "." + quote(t.Name)
	}
	rel, att, typ := attr.Col("attrelid"), attr.Col("attname"), attr.Col("atttypid")
	out := map[string][]column{}
	for _, r := range attr.Rows {
		if v, ok := names[r[rel]]; ok {
			out[v] = append(out[v], column{r[att], typeNames[r[typ]]})
		}
	}
	return out
}

// quote quotes the names of types that are also keywords, like "char".
func quote(name string) string { return `"` + name + `"` }

func itoa(n uint32) string {
	var b [10]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}

func (v view) text(columns []column) string {
	exprs := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(v.cols), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, expr, ok := strings.Cut(line, ": ")
		if !ok {
			panic("infoschema: " + v.name + ": malformed line " + line)
		}
		exprs[name] = expr
	}
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		e, ok := exprs[c.name]
		if !ok {
			e = "NULL"
		}
		delete(exprs, c.name)
		b.WriteString("(" + e + ")::" + c.typ + " AS " + c.name)
	}
	for name := range exprs {
		panic("infoschema: " + v.name + " has no column " + name)
	}
	b.WriteString(" " + strings.TrimSpace(v.from))
	return b.String()
}

// yesNo is the standard's boolean.
func yesNo(cond string) string { return "CASE WHEN " + cond + " THEN 'YES' ELSE 'NO' END" }

// typeFacts are the columns that describe a type by its OID and modifier, after a prefix for their names.
func typeFacts(prefix, oid, mod string) string {
	return strings.NewReplacer("@", prefix, "$o", oid, "$m", mod).Replace(`
		@character_maximum_length: information_schema._pg_char_max_length($o, $m)
		@character_octet_length: information_schema._pg_char_octet_length($o, $m)
		@numeric_precision: information_schema._pg_numeric_precision($o, $m)
		@numeric_precision_radix: information_schema._pg_numeric_precision_radix($o, $m)
		@numeric_scale: information_schema._pg_numeric_scale($o, $m)
		@datetime_precision: information_schema._pg_datetime_precision($o, $m)
		@interval_type: information_schema._pg_interval_type($o, $m)`)
}

// dataType names a type as the standard does; t is its pg_type row, nt its schema's row.
func dataType(t, nt string) string {
	return strings.NewReplacer("$t", t, "$n", nt).Replace(
		"CASE WHEN $t.typelem <> 0 AND $t.typlen = -1 THEN 'ARRAY' WHEN $n.nspname = 'pg_catalog' THEN pg_catalog.format_type($t.oid, NULL) ELSE 'USER-DEFINED' END")
}

func schemaViews() []view {
	return []view{
		{"information_schema_catalog_name", "catalog_name: pg_catalog.current_database()", ""},
		{
			"schemata", `
			catalog_name: pg_catalog.current_database()
			schema_name: n.nspname
			schema_owner: u.rolname`,
			"FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_authid u ON u.oid = n.nspowner",
		},
		{
			"tables", `
			table_catalog: pg_catalog.current_database()
			table_schema: nc.nspname
			table_name: c.relname
			table_type: CASE WHEN pg_catalog.pg_is_other_temp_schema(nc.oid) OR nc.oid = pg_catalog.pg_my_temp_schema() THEN 'LOCAL TEMPORARY' WHEN c.relkind IN ('r', 'p') THEN 'BASE TABLE' WHEN c.relkind = 'v' THEN 'VIEW' WHEN c.relkind = 'f' THEN 'FOREIGN' END
			is_insertable_into: ` + yesNo("(pg_catalog.pg_relation_is_updatable(c.oid, false) & 8) = 8") + `
			is_typed: 'NO'
			commit_action: NULL`,
			`FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.relnamespace
			 WHERE c.relkind IN ('r', 'v', 'f', 'p') AND NOT pg_catalog.pg_is_other_temp_schema(nc.oid)`,
		},
		{
			"views", `
			table_catalog: pg_catalog.current_database()
			table_schema: nc.nspname
			table_name: c.relname
			view_definition: pg_catalog.pg_get_viewdef(c.oid)
			check_option: CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED' WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL' ELSE 'NONE' END
			is_updatable: ` + yesNo("(pg_catalog.pg_relation_is_updatable(c.oid, false) & 20) = 20") + `
			is_insertable_into: ` + yesNo("(pg_catalog.pg_relation_is_updatable(c.oid, false) & 8) = 8") + `
			is_trigger_updatable: ` + yesNo("EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND (g.tgtype & 81) = 81)") + `
			is_trigger_deletable: ` + yesNo("EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND (g.tgtype & 73) = 73)") + `
			is_trigger_insertable_into: ` + yesNo("EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid AND (g.tgtype & 69) = 69)"),
			`FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.relnamespace WHERE c.relkind = 'v'`,
		},
		{
			"sequences", `
			sequence_catalog: pg_catalog.current_database()
			sequence_schema: nc.nspname
			sequence_name: c.relname
			data_type: pg_catalog.format_type(s.seqtypid, NULL)
			numeric_precision: information_schema._pg_numeric_precision(s.seqtypid, -1)
			numeric_precision_radix: 2
			numeric_scale: 0
			start_value: s.seqstart::text
			minimum_value: s.seqmin::text
			maximum_value: s.seqmax::text
			increment: s.seqincrement::text
			cycle_option: ` + yesNo("s.seqcycle"),
			// an identity column's sequence is part of the column
			`FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.relnamespace JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
			 WHERE c.relkind = 'S' AND NOT pg_catalog.pg_is_other_temp_schema(nc.oid)
			   AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.classid = 1259 AND d.deptype = 'i')`,
		},
		{"enabled_roles", "role_name: r.rolname", "FROM pg_catalog.pg_authid r WHERE pg_catalog.pg_has_role(r.oid, 'USAGE')"},
		{
			"applicable_roles", `
			grantee: x.grantee
			role_name: x.role
			is_grantable: ` + yesNo("x.admin"),
			// the owner of the database is a member of pg_database_owner
			`FROM (SELECT a.oid, a.rolname AS grantee, b.rolname AS role, m.admin_option AS admin
			    FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_authid a ON m.member = a.oid JOIN pg_catalog.pg_authid b ON m.roleid = b.oid
			  UNION SELECT u.oid, u.rolname, g.rolname, false FROM pg_catalog.pg_database d JOIN pg_catalog.pg_authid u ON u.oid = d.datdba
			    JOIN pg_catalog.pg_authid g ON g.rolname = 'pg_database_owner' WHERE d.datname = pg_catalog.current_database()) x
			 WHERE pg_catalog.pg_has_role(x.oid, 'USAGE')`,
		},
		{
			"administrable_role_authorizations", `
			grantee: r.grantee
			role_name: r.role_name
			is_grantable: r.is_grantable`,
			"FROM information_schema.applicable_roles r WHERE r.is_grantable = 'YES'",
		},
		{"character_sets", `
			character_set_name: 'UTF8'
			character_repertoire: 'UCS'
			form_of_use: 'UTF8'
			default_collate_catalog: pg_catalog.current_database()
			default_collate_schema: NULL
			default_collate_name: NULL`, ""},
		{
			"collations", `
			collation_catalog: pg_catalog.current_database()
			collation_schema: nc.nspname
			collation_name: c.collname
			pad_attribute: 'NO PAD'`,
			"FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace nc ON c.collnamespace = nc.oid WHERE c.collencoding IN (-1, 6)",
		},
		{
			"collation_character_set_applicability", `
			collation_catalog: pg_catalog.current_database()
			collation_schema: nc.nspname
			collation_name: c.collname
			character_set_name: 'UTF8'`,
			"FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace nc ON c.collnamespace = nc.oid WHERE c.collencoding IN (-1, 6)",
		},
	}
}
