package ddl

import (
	"slices"
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

func formatInt(v int64) string { return strconv.FormatInt(v, 10) }

// createDatabase is CREATE DATABASE. The caller has made sure that no transaction block is open (25001).
func (r *run) createDatabase(n *pg_query.CreatedbStmt) error {
	if r.c.Cluster == nil {
		return pgerr.Unsupported("CREATE DATABASE here")
	}
	name, template := catalog.CutName(n.Dbname), ""
	info := &catalog.Database{Name: name, Owner: r.owner(), AllowConn: true, ConnLimit: -1}
	for _, o := range n.Options {
		d := o.GetDefElem()
		switch d.Defname {
		case "template":
			template = defText(d.Arg, "")
		case "owner":
			if owner := defText(d.Arg, ""); owner != "" && owner != r.c.User {
				role, err := r.roleByName(owner)
				if err != nil {
					return err
				}
				info.Owner = role.OID
			}
		case "is_template":
			info.Template = defBool(d)
		case "allow_connections":
			info.AllowConn = defBool(d)
		case "connection_limit":
			v, err := connLimit(d)
			if err != nil {
				return err
			}
			info.ConnLimit = v
		case "encoding":
			switch v := defText(d.Arg, ""); v {
			case "utf8", "UTF8", "UTF-8", "utf-8", "unicode", "UNICODE", "DEFAULT", "default", "6", "":
			default:
				return pgerr.Unsupported("encoding " + v)
			}
		case "tablespace":
			if v := defText(d.Arg, "pg_default"); v != "pg_default" {
				return pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", v)
			}
		case "lc_collate", "lc_ctype", "locale", "icu_locale", "locale_provider",
			"collation_version", "strategy", "oid", "icu_rules", "builtin_locale":
		default:
			return pgerr.New(pgerr.SyntaxError, "option \"%s\" not recognized", d.Defname).At(d.Location)
		}
	}
	if me := r.snap().RoleByOID(r.owner()); !me.Super && !me.CreateDB {
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to create database")
	}
	if me := r.owner(); !r.snap().Member(me, info.Owner) {
		return pgerr.New(pgerr.InsufficientPrivilege, "must be member of role \"%s\"", r.snap().RoleByOID(info.Owner).Name)
	}
	have, err := r.c.Cluster.Database(r.ctx, name)
	if err != nil {
		return err
	}
	if have != nil {
		return pgerr.New(pgerr.DuplicateDatabase, "database \"%s\" already exists", name)
	}
	switch template {
	case "", "template0", "template1", "DEFAULT":
		template = ""
	default:
		if have, err = r.c.Cluster.Database(r.ctx, template); err != nil {
			return err
		}
		if have == nil {
			return pgerr.New(pgerr.InvalidCatalogName, "template database \"%s\" does not exist", template)
		}
	}
	if err := r.c.Cluster.CreateDatabase(r.ctx, name, template); err != nil {
		return err
	}
	if made, err := r.c.Cluster.Database(r.ctx, name); err != nil || made == nil {
		return err
	} else if info.OID = made.OID; info.Owner != catalog.BootstrapRole || info.Template || !info.AllowConn || info.ConnLimit != -1 {
		r.ch.PutDatabase(info)
	}
	return nil
}

// dropDatabase is DROP DATABASE.
func (r *run) dropDatabase(n *pg_query.DropdbStmt) error {
	if r.c.Cluster == nil {
		return pgerr.Unsupported("DROP DATABASE here")
	}
	d, err := r.c.Cluster.Database(r.ctx, n.Dbname)
	if err != nil {
		return err
	}
	if d == nil {
		if n.MissingOk {
			r.notice(pgerr.SuccessfulCompletion, "database \"%s\" does not exist, skipping", n.Dbname)
			return nil
		}
		return pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", n.Dbname)
	}
	if err := r.mustOwn("database", d.Name, d.Owner); err != nil {
		return err
	}
	if d.Template {
		return pgerr.New(pgerr.WrongObjectType, "cannot drop a template database")
	}
	if n.Dbname == r.snap().Database {
		return pgerr.New(pgerr.ObjectInUse, "cannot drop the currently open database")
	}
	force := false
	for _, o := range n.Options {
		force = force || o.GetDefElem().GetDefname() == "force"
	}
	if r.snap().DatabaseByOID(d.OID) != nil {
		r.ch.RemoveDatabase(d.OID)
	}
	return r.c.Cluster.DropDatabase(r.ctx, n.Dbname, force)
}

func (r *run) renameDatabase(from, to string) error {
	if r.c.Cluster == nil {
		return pgerr.Unsupported("ALTER DATABASE here")
	}
	if from == r.snap().Database {
		return pgerr.New(pgerr.FeatureNotSupported, "current database cannot be renamed")
	}
	return r.c.Cluster.RenameDatabase(r.ctx, from, to)
}

// connLimit reads CONNECTION LIMIT.
func connLimit(d *pg_query.DefElem) (int32, error) {
	v, err := defInt(d)
	if err == nil && v < -1 {
		err = pgerr.New(pgerr.InvalidParameterValue, "invalid connection limit: %d", v)
	}
	return int32(v), err
}

// database is what the catalogue says of a database, in a copy that may be changed and put.
func (r *run) database(name string) (*catalog.Database, error) {
	var d *catalog.Database
	if r.c.Cluster != nil {
		var err error
		if d, err = r.c.Cluster.Database(r.ctx, name); err != nil {
			return nil, err
		}
	}
	if d == nil {
		return nil, pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", name)
	}
	if known := r.snap().DatabaseByOID(d.OID); known != nil {
		c := *known
		return &c, nil
	}
	return d, nil
}

// alterDatabase is ALTER DATABASE ... WITH options.
func (r *run) alterDatabase(n *pg_query.AlterDatabaseStmt) error {
	d, err := r.database(n.Dbname)
	if err != nil {
		return err
	}
	if err := r.mustOwn("database", d.Name, d.Owner); err != nil {
		return err
	}
	for _, o := range n.Options {
		e := o.GetDefElem()
		switch e.Defname {
		case "is_template":
			d.Template = defBool(e)
		case "allow_connections":
			d.AllowConn = defBool(e)
			if !d.AllowConn && d.Name == r.snap().Database {
				return pgerr.New(pgerr.InvalidParameterValue, "cannot disallow connections for current database")
			}
		case "connection_limit":
			if d.ConnLimit, err = connLimit(e); err != nil {
				return err
			}
		case "tablespace":
			if v := defText(e.Arg, "pg_default"); v != "pg_default" {
				return pgerr.New(pgerr.UndefinedObject, "tablespace \"%s\" does not exist", v)
			}
		default:
			return pgerr.New(pgerr.SyntaxError, "option \"%s\" not recognized", e.Defname).At(e.Location)
		}
	}
	r.ch.PutDatabase(d)
	return nil
}

// alterDatabaseSet is ALTER DATABASE ... SET.
func (r *run) alterDatabaseSet(n *pg_query.AlterDatabaseSetStmt) error {
	d, err := r.database(n.Dbname)
	if err != nil {
		return err
	}
	if err := r.mustOwn("database", d.Name, d.Owner); err != nil {
		return err
	}
	return r.setIn(d, 0, n.Setstmt)
}

// setIn changes the settings that sessions of a role, 0 for all, have in a database.
func (r *run) setIn(d *catalog.Database, role uint32, set *pg_query.VariableSetStmt) error {
	if err := r.checkSetting(set); err != nil {
		return err
	}
	i := slices.IndexFunc(d.Settings, func(s catalog.RoleSettings) bool { return s.Role == role })
	var have []string
	if i >= 0 {
		have = d.Settings[i].Settings
	}
	settings := slices.Clone(d.Settings)
	now := catalog.RoleSettings{Role: role, Settings: setSetting(have, set)}
	switch {
	case i >= 0 && len(now.Settings) == 0:
		settings = slices.Delete(settings, i, i+1)
	case i >= 0:
		settings[i] = now
	case len(now.Settings) > 0:
		settings = append(settings, now)
	}
	d.Settings = settings
	r.ch.PutDatabase(d)
	return nil
}

// checkSetting refuses settings that do not exist, or not with that value.
func (r *run) checkSetting(set *pg_query.VariableSetStmt) error {
	if r.c.CheckSetting == nil || set.Kind != pg_query.VariableSetKind_VAR_SET_VALUE {
		return nil
	}
	var parts []string
	for _, a := range set.Args {
		parts = append(parts, constText(a))
	}
	return r.c.CheckSetting(set.Name, strings.Join(parts, ", "))
}
