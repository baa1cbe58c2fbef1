package ddl

import (
	"slices"
	"sync"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types/facts"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// createExtension is CREATE EXTENSION.
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
		switch d := o.GetDefElem(); d.Defname {
		case "schema":
			schema = defText(d.Arg, "")
		case "new_version":
			if v := defText(d.Arg, ""); v != e.Version {
				return noExtensionVersion(e.Name, v)
			}
		}
	}
	sc, err := r.creationSchema(schema, -1)
	if err != nil {
		return err
	}
	e.OID, e.SchemaID = r.ch.NewOID(), sc.OID
	if err := r.checkMemberNames(&e, sc); err != nil {
		return err
	}
	r.ch.PutExtension(&e)
	return nil
}

func noExtensionVersion(name, version string) error {
	return pgerr.New(pgerr.InvalidParameterValue, "extension \"%s\" has no installation script nor update path for version \"%s\"", name, version)
}

// checkMemberNames finds a type of the schema that has the name of one which the extension brings.
func (r *run) checkMemberNames(e *catalog.Extension, sc *catalog.Schema) error {
	for _, t := range catalog.ExtensionTypeNames(e.Name) {
		if r.snap().TypeInSchema(sc.OID, t) != nil {
			return pgerr.New(pgerr.DuplicateObject, "type \"%s\" already exists", t)
		}
	}
	return nil
}

// alterExtension is ALTER EXTENSION ... UPDATE: there is one version of each.
func (r *run) alterExtension(n *pg_query.AlterExtensionStmt) error {
	e := r.snap().ExtensionByName(n.Extname)
	if e == nil {
		return pgerr.New(pgerr.UndefinedObject, "extension \"%s\" does not exist", n.Extname)
	}
	for _, o := range n.Options {
		if d := o.GetDefElem(); d.Defname == "new_version" {
			if v := defText(d.Arg, ""); v != e.Version {
				return pgerr.New(pgerr.InvalidParameterValue, "extension \"%s\" has no update path from version \"%s\" to version \"%s\"", e.Name, e.Version, v)
			}
		}
	}
	r.notice(pgerr.SuccessfulCompletion, "version \"%s\" of extension \"%s\" is already installed", e.Version, e.Name)
	return nil
}

// setExtensionSchema is ALTER EXTENSION ... SET SCHEMA.
func (r *run) setExtensionSchema(name, schema string) error {
	e := r.snap().ExtensionByName(name)
	if e == nil {
		return pgerr.New(pgerr.UndefinedObject, "extension \"%s\" does not exist", name)
	}
	sc, err := r.creationSchema(schema, -1)
	if err != nil {
		return err
	}
	if sc.OID == e.SchemaID {
		return nil
	}
	if err := r.checkMemberNames(e, sc); err != nil {
		return err
	}
	moved := *e
	moved.SchemaID = sc.OID
	r.ch.PutExtension(&moved)
	return nil
}

// dropExtension finds the target of DROP EXTENSION.
func (r *run) dropExtension(n *pg_query.DropStmt, name string) ([]object, error) {
	e := r.snap().ExtensionByName(name)
	if e == nil {
		return r.missing(n, pgerr.UndefinedObject, "extension \"%s\" does not exist", name)
	}
	return []object{{kind: objExtension, oid: e.OID}}, nil
}

func (r *run) extensionByOID(oid uint32) *catalog.Extension {
	for _, e := range r.snap().Extensions() {
		if e.OID == oid {
			return e
		}
	}
	return nil
}

// extensionDependents are an extension's types and functions, which go with it, and the indexes that use its operator
// classes; those over columns of its types go with the columns.
func (r *run) extensionDependents(oid uint32) []dependent {
	e := r.extensionByOID(oid)
	if e == nil {
		return nil
	}
	var out []dependent
	for _, t := range r.before.Types() {
		if r.before.ExtensionOf(t.OID) == e.Name && !t.IsArray() {
			out = append(out, dependent{object: object{kind: objType, oid: t.OID}, auto: true})
		}
	}
	for _, f := range r.before.Functions() {
		if r.before.ExtensionOf(f.OID) == e.Name {
			out = append(out, dependent{object: object{kind: objFunction, oid: f.OID}, auto: true})
		}
	}
	for rel := range r.snap().EachRelation {
		for _, ix := range rel.Indexes {
			for _, k := range ix.Keys {
				if c := rel.ByAttnum(k.Attnum); r.before.ExtensionOf(k.OpClass) == e.Name && (c == nil || r.before.ExtensionOf(c.Type.OID) != e.Name) {
					out = append(out, dependent{object: object{objIndex, rel.OID, ix.OID}})
					break
				}
			}
		}
	}
	return out
}

// builtinFunctions are the names of the functions of pg_catalog.
var builtinFunctions = sync.OnceValue(func() map[string]bool {
	f := facts.Load("pg_proc")
	names := make(map[string]bool, len(f.Rows))
	for _, row := range f.Rows {
		names[row[f.Col("proname")]] = true
	}
	return names
})

// checkMembers refuses to drop what belongs to an extension.
func (r *run) checkMembers(targets []object) error {
	for _, t := range targets {
		if t.kind != objType && t.kind != objFunction {
			continue
		}
		if name := r.snap().ExtensionOf(t.oid); name != "" {
			what := "extension " + name
			return pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop %s because %s requires it", r.describe(t), what).
				WithHint("You can drop %s instead.", what)
		}
	}
	return nil
}
