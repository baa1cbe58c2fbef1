package pgcatalog

import (
	"slices"
	"sync"
)

// tables lists every relation whose rows are computed. What is neither here nor among the views is empty.
func tables() []table {
	return slices.Concat(staticTables(), classTables(), attributeTables(), constraintTables(), typeTables(), procTables(), clusterTables(),
		dependTables(), liveTables())
}

// staticTables are the catalogues that are the same in every database, except for what dynamic tables add.
func staticTables() []table {
	return []table{
		{name: "pg_catalog.pg_aggregate", dump: "pg_aggregate", keys: []string{"aggfnoid"}, fix: aggregateOIDs()},
		{name: "pg_catalog.pg_am", dump: "pg_am", keys: []string{"oid", "amname"}, dynamic: extensionTable("am", "", "")},
		{name: "pg_catalog.pg_amop", dump: "pg_amop", keys: []string{"oid", "amopfamily", "amopopr"}, dynamic: extensionTable("amop", "", "")},
		{name: "pg_catalog.pg_amproc", dump: "pg_amproc", keys: []string{"oid", "amprocfamily"}},
		{name: "pg_catalog.pg_cast", dump: "pg_cast", keys: []string{"oid", "castsource", "casttarget"}, dynamic: castTable},
		{name: "pg_catalog.pg_collation", dump: "pg_collation", keys: []string{"oid", "collname"}, dynamic: collationRows},
		{name: "pg_catalog.pg_conversion", dump: "pg_conversion", keys: []string{"oid", "conname"}},
		{name: "pg_catalog.pg_language", dump: "pg_language", keys: []string{"oid", "lanname"}},
		{name: "pg_catalog.pg_opclass", dump: "pg_opclass", keys: []string{"oid", "opcname", "opcfamily", "opcmethod"}, dynamic: extensionTable("opclass", "opcnamespace", "opcowner")},
		{name: "pg_catalog.pg_operator", dump: "pg_operator", keys: []string{"oid", "oprname", "oprcode"}, dynamic: extensionTable("operator", "oprnamespace", "oprowner")},
		{name: "pg_catalog.pg_opfamily", dump: "pg_opfamily", keys: []string{"oid", "opfname", "opfmethod"}, dynamic: extensionTable("opfamily", "opfnamespace", "opfowner")},
		{name: "pg_catalog.pg_range", dump: "pg_range", keys: []string{"rngtypid", "rngmultitypid"}, dynamic: rangeRows},
		{name: "pg_catalog.pg_tablespace", dump: "pg_tablespace", keys: []string{"oid", "spcname"}},
		{name: "pg_catalog.pg_timezone_abbrevs", dump: "pg_timezone_abbrevs"},
		{name: "pg_catalog.pg_ts_config", dump: "pg_ts_config", keys: []string{"oid", "cfgname"}},
		{name: "pg_catalog.pg_ts_config_map", dump: "pg_ts_config_map", keys: []string{"mapcfg"}},
		{name: "pg_catalog.pg_ts_dict", dump: "pg_ts_dict", keys: []string{"oid", "dictname"}},
		{name: "pg_catalog.pg_ts_parser", dump: "pg_ts_parser", keys: []string{"oid", "prsname"}},
		{name: "pg_catalog.pg_ts_template", dump: "pg_ts_template", keys: []string{"oid", "tmplname"}},
		{name: "information_schema.sql_features", dump: "sql_features"},
		{name: "information_schema.sql_implementation_info", dump: "sql_implementation_info"},
		{name: "information_schema.sql_parts", dump: "sql_parts"},
		{name: "information_schema.sql_sizing", dump: "sql_sizing"},
	}
}

// aggregateOIDs fills in pg_aggregate.aggfnoid, which the dump has as a name only: its rows are in the order of the
// aggregates' OIDs.
func aggregateOIDs() func(*rowMaker) {
	next := 0
	return func(r *rowMaker) {
		r.set("aggfnoid", oid(aggregateList()[next]))
		next++
	}
}

// aggregateList are the OIDs of the aggregates in order.
var aggregateList = sync.OnceValue(func() []uint32 {
	var oids []uint32
	f := newCells("pg_proc")
	for _, row := range f.Rows {
		if c := f.row(row); c.str("prokind") == "a" {
			oids = append(oids, c.oid("oid"))
		}
	}
	return oids
})
