package ddl

import (
	"strconv"

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
	for _, o := range n.Options {
		d := o.GetDefElem()
		switch d.Defname {
		case "template":
			template = defText(d.Arg, "")
		case "owner":
			if owner := defText(d.Arg, ""); owner != "" && owner != r.c.User {
				if _, err := r.roleByName(owner); err != nil {
					return err
				}
			}
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
		case "lc_collate", "lc_ctype", "locale", "is_template", "allow_connections", "connection_limit", "icu_locale", "locale_provider",
			"collation_version", "strategy", "oid", "icu_rules", "builtin_locale":
		default:
			return pgerr.New(pgerr.SyntaxError, "option \"%s\" not recognized", d.Defname).At(d.Location)
		}
	}
	exists, err := r.c.Cluster.DatabaseExists(r.ctx, name)
	if err != nil {
		return err
	}
	if exists {
		return pgerr.New(pgerr.DuplicateDatabase, "database \"%s\" already exists", name)
	}
	switch template {
	case "", "template0", "template1", "DEFAULT":
		template = ""
	default:
		if exists, err = r.c.Cluster.DatabaseExists(r.ctx, template); err != nil {
			return err
		}
		if !exists {
			return pgerr.New(pgerr.InvalidCatalogName, "template database \"%s\" does not exist", template)
		}
	}
	return r.c.Cluster.CreateDatabase(r.ctx, name, template)
}

// dropDatabase is DROP DATABASE.
func (r *run) dropDatabase(n *pg_query.DropdbStmt) error {
	if r.c.Cluster == nil {
		return pgerr.Unsupported("DROP DATABASE here")
	}
	exists, err := r.c.Cluster.DatabaseExists(r.ctx, n.Dbname)
	if err != nil {
		return err
	}
	if !exists {
		if n.MissingOk {
			r.notice(pgerr.SuccessfulCompletion, "database \"%s\" does not exist, skipping", n.Dbname)
			return nil
		}
		return pgerr.New(pgerr.InvalidCatalogName, "database \"%s\" does not exist", n.Dbname)
	}
	if n.Dbname == "template0" || n.Dbname == "template1" {
		return pgerr.New(pgerr.WrongObjectType, "cannot drop a template database")
	}
	if n.Dbname == r.snap().Database {
		return pgerr.New(pgerr.ObjectInUse, "cannot drop the currently open database")
	}
	force := false
	for _, o := range n.Options {
		force = force || o.GetDefElem().GetDefname() == "force"
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
