// Package settings holds a session's configuration parameters: PostgreSQL's own table of them with its validation, units
// and error texts, the transactional rules of SET, SET LOCAL and RESET, and what the rest of the server derives from them
// (time zone, date style, search path, timeouts).
package settings

import (
	"sort"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Kind is a parameter's value type, as in pg_settings.vartype.
type Kind uint8

// The kinds of a parameter.
const (
	KindString Kind = iota
	KindBool
	KindInt
	KindReal
	KindEnum
)

// Def describes one parameter. It is immutable.
type Def struct {
	Name        string
	Description string
	Kind        Kind
	Context     string // pg_settings.context
	Unit        string // base unit: "kB", "8kB", "ms" ...; "" for none
	Min, Max    float64
	MinText     string
	MaxText     string
	Enum        []string
	// Boot is the value in base units when nothing else was said.
	Boot string
	// List says that SET takes several values, Quote that each of them is quoted as an identifier.
	List, Quote bool
	// Hidden keeps the parameter out of SHOW ALL and pg_settings.
	Hidden bool
	// Reported parameters are announced to the client when they change.
	Reported bool
	// Fixed keeps Boot as it is written (octal modes).
	Fixed bool
	check func(v string) (string, error)
}

// Table is the set of all parameters that a server knows, shared by its sessions.
type Table struct {
	defs   map[string]*Def // by lower-case name
	sorted []*Def
}

// Options are what a server says about itself.
type Options struct {
	ServerVersion  string // "15.18 (pgmongo 0.1.0)"
	MaxConnections int
	Port           int
	SSL            bool
	// Defaults are values of the configuration that replace the boot values.
	Defaults map[string]string
}

var reported = []string{
	"application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby", "integer_datetimes",
	"IntervalStyle", "is_superuser", "server_encoding", "server_version", "session_authorization", "standard_conforming_strings", "TimeZone",
}

// What a fresh database says here differs from the boot values of the dump where the dump's are compiled-in fallbacks.
var bootOverrides = map[string]string{
	"client_encoding": "UTF8", "server_encoding": "UTF8", "TimeZone": "UTC", "log_timezone": "UTC", "lc_collate": "C.UTF-8", "lc_ctype": "C.UTF-8",
	"lc_messages": "C.UTF-8", "lc_monetary": "C.UTF-8", "lc_numeric": "C.UTF-8", "lc_time": "C.UTF-8", "application_name": "",
	"default_text_search_config": "pg_catalog.english", "timezone_abbreviations": "Default", "data_directory": "", "config_file": "", "hba_file": "",
	"ident_file": "", "external_pid_file": "", "unix_socket_directories": "", "data_directory_mode": "0700", "log_file_mode": "0600",
	"unix_socket_permissions": "0777", "wal_buffers": "512", "cluster_name": "", "krb_server_keyfile": "", "ssl_library": "Go",
	"archive_command": "(disabled)", "jit_provider": "", "jit": "off",
}

var listSettings = map[string]bool{ // true: each item is quoted
	"datestyle": false, "search_path": true, "temp_tablespaces": true, "local_preload_libraries": true, "session_preload_libraries": true,
	"shared_preload_libraries": true, "log_destination": false, "wal_consistency_checking": false, "listen_addresses": false,
	"unix_socket_directories": false, "synchronous_standby_names": false, "restrict_nonsystem_relation_kind": false,
}

// own are pgmongo's parameters and those that pg_settings does not show.
var own = []Def{
	{Name: "pgmongo.pushdown", Kind: KindBool, Boot: "on", Context: "user", Description: "Lets MongoDB run the parts of a query that mean the same there."},
	{Name: "pgmongo.strict_errors", Kind: KindBool, Boot: "off", Context: "user", Description: "Keeps local what MongoDB would answer where PostgreSQL raises an error."},
	{Name: "pgmongo.on_type_mismatch", Kind: KindEnum, Enum: []string{"error", "null"}, Boot: "error", Context: "user", Description: "Says whether a stored value that does not fit its column is an error or reads as NULL."},
	{Name: "pgmongo.read_preference", Kind: KindEnum, Enum: []string{"primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"}, Boot: "primary", Context: "user", Description: "Sets the replica set member that read-only transactions read from."},
	{Name: "pgmongo.enable_indexjoin", Kind: KindBool, Boot: "on", Context: "user", Description: "Enables joins by batches of keys looked up in an index."},
	{Name: "pgmongo.enable_lookup", Kind: KindBool, Boot: "on", Context: "user", Description: "Enables joins that MongoDB runs with $lookup."},
	{Name: "is_superuser", Kind: KindBool, Boot: "on", Context: "internal", Hidden: true, Description: "Shows whether the current user is a superuser."},
	{Name: "session_authorization", Kind: KindString, Context: "user", Hidden: true, Description: "Sets the session user name."},
	{Name: "role", Kind: KindString, Boot: "none", Context: "user", Hidden: true, Description: "Sets the current role."},
	{Name: "seed", Kind: KindReal, Min: -1, Max: 1, MinText: "-1", MaxText: "1", Boot: "0", Context: "user", Hidden: true, Description: "Sets the seed for random-number generation."},
	{Name: "default_with_oids", Kind: KindBool, Boot: "off", Context: "user", Hidden: true, Description: "WITH OIDS is no longer supported; this can only be false."},
	{Name: "ssl_renegotiation_limit", Kind: KindInt, Min: 0, Max: 0, MinText: "0", MaxText: "0", Unit: "kB", Boot: "0", Context: "user", Hidden: true, Description: "SSL renegotiation is no longer supported; this can only be 0."},
}

// NewTable makes the table of parameters of a server. It fails when a default of the configuration is not valid.
func NewTable(o Options) (*Table, error) {
	t := &Table{defs: map[string]*Def{}}
	f := facts.Load("pg_settings")
	for _, r := range f.Rows {
		t.add(fromFact(f, r))
	}
	for _, d := range own {
		t.add(&d)
	}
	for _, n := range reported {
		t.defs[strings.ToLower(n)].Reported = true
	}
	t.setBoot("server_version", o.ServerVersion)
	t.setBoot("max_connections", strconv.Itoa(o.MaxConnections))
	t.setBoot("port", strconv.Itoa(o.Port))
	if o.SSL {
		t.setBoot("ssl", "on")
	}
	for n, c := range checks {
		t.defs[strings.ToLower(n)].check = c
	}
	for n, v := range o.Defaults {
		d := t.Lookup(n)
		if d == nil {
			return nil, unrecognized(n)
		}
		val, err := d.parse(v)
		if err != nil {
			return nil, err
		}
		d.Boot = val
	}
	sort.Slice(t.sorted, func(i, j int) bool {
		return strings.ToLower(t.sorted[i].Name) < strings.ToLower(t.sorted[j].Name)
	})
	return t, nil
}

func (t *Table) setBoot(name, v string) {
	if v != "" && v != "0" {
		t.defs[name].Boot = v
	}
}

func (t *Table) add(d *Def) {
	if q, ok := listSettings[strings.ToLower(d.Name)]; ok {
		d.List, d.Quote = true, q
	}
	t.defs[strings.ToLower(d.Name)] = d
	t.sorted = append(t.sorted, d)
}

func fromFact(f *facts.Table, r []string) *Def {
	cell := func(name string) string {
		if v := r[f.Col(name)]; v != facts.Null {
			return v
		}
		return ""
	}
	d := &Def{
		Name: cell("name"), Description: cell("short_desc"), Context: cell("context"), Unit: cell("unit"), Boot: cell("boot_val"),
		MinText: cell("min_val"), MaxText: cell("max_val"),
	}
	switch cell("vartype") {
	case "bool":
		d.Kind = KindBool
	case "integer":
		d.Kind = KindInt
	case "real":
		d.Kind = KindReal
	case "enum":
		d.Kind = KindEnum
	}
	d.Min, _ = strconv.ParseFloat(d.MinText, 64)
	d.Max, _ = strconv.ParseFloat(d.MaxText, 64)
	if e := strings.Trim(cell("enumvals"), "{}"); e != "" {
		for _, v := range strings.Split(e, ",") {
			d.Enum = append(d.Enum, strings.Trim(v, `"`))
		}
	}
	if b, ok := bootOverrides[d.Name]; ok {
		d.Boot = b
		d.Fixed = d.Kind == KindInt && strings.HasPrefix(b, "0")
	}
	return d
}

// Lookup returns the parameter of that name in any case, or nil.
func (t *Table) Lookup(name string) *Def {
	if strings.EqualFold(name, "transaction isolation level") {
		name = "transaction_isolation"
	}
	return t.defs[strings.ToLower(name)]
}

// Defs returns every parameter by name; it must not be changed.
func (t *Table) Defs() []*Def { return t.sorted }

func unrecognized(name string) error {
	return pgerr.New(pgerr.UndefinedObject, "unrecognized configuration parameter \"%s\"", name)
}
