package ddl

import (
	"embed"
	"errors"
	"io/fs"
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// scripts make the members of extensions, a file for each that has any. What their functions do is in package expr/fn.
//
//go:embed extensions/*.sql
var scripts embed.FS

func (r *run) createExtension(n *pg_query.CreateExtensionStmt) error {
	if r.snap().ExtensionByName(n.Extname) != nil {
		if n.IfNotExists {
			r.notice(pgerr.DuplicateObject, "extension \"%s\" already exists, skipping", n.Extname)
			return nil
		}
		return pgerr.New(pgerr.DuplicateObject, "extension \"%s\" already exists", n.Extname)
	}
	available := catalog.AvailableExtensions()
	i := slices.IndexFunc(available, func(e catalog.Extension) bool { return e.Name == n.Extname })
	if i < 0 {
		return pgerr.New(pgerr.FeatureNotSupported, "extension \"%s\" is not available", n.Extname).
			WithDetail("pgmongo has no such extension.").WithHint("The available extensions are listed in pg_available_extensions.")
	}
	e := available[i]
	schema := ""
	for _, o := range n.Options {
		d := o.GetDefElem()
		switch d.Defname {
		case "schema":
			schema = defText(d.Arg, "")
		case "new_version":
			e.Version = defText(d.Arg, "")
		}
	}
	sc, err := r.creationSchema(schema, -1)
	if err != nil {
		return err
	}
	e.OID, e.SchemaID = r.ch.NewOID(), sc.OID
	r.ch.PutExtension(&e)
	return r.runScript(&e, sc)
}

// runScript makes an extension's members in its schema.
func (r *run) runScript(e *catalog.Extension, sc *catalog.Schema) error {
	text, err := scripts.ReadFile("extensions/" + e.Name + ".sql")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return pgerr.Internal("the script of extension %s: %v", e.Name, err)
	}
	stmts, err := sql.Parse(string(text))
	if err != nil {
		return err
	}
	c := *r.c
	c.Creation = sc.Name
	script := *r
	script.c, script.extension = &c, e
	for _, s := range stmts {
		if _, err := script.createFunction(s.Node.GetCreateFunctionStmt()); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) alterExtension(n *pg_query.AlterExtensionStmt) error {
	if r.snap().ExtensionByName(n.Extname) == nil {
		return pgerr.New(pgerr.UndefinedObject, "extension \"%s\" does not exist", n.Extname)
	}
	return nil
}

func (r *run) dropExtension(n *pg_query.DropStmt, name string) ([]object, error) {
	e := r.snap().ExtensionByName(name)
	if e == nil {
		return r.missing(n, pgerr.UndefinedObject, "extension \"%s\" does not exist", name)
	}
	return []object{{kind: objExtension, oid: e.OID}}, nil
}

// extensionMembers are the objects that an extension made.
func (r *run) extensionMembers(oid uint32) []dependent {
	var out []dependent
	for _, f := range r.before.Functions() {
		if f.Extension == oid {
			out = append(out, dependent{object: object{kind: objFunction, oid: f.OID}, auto: true})
		}
	}
	return out
}

func (r *run) extensionByOID(oid uint32) *catalog.Extension {
	for _, e := range r.before.Extensions() {
		if e.OID == oid {
			return e
		}
	}
	return nil
}
