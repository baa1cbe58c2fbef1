package ddl

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// byteOrders are the locales of libc that order by bytes, which is all that there is here of libc.
var byteOrders = []string{"C", "POSIX", "C.UTF-8", "C.utf8"}

// createCollation is CREATE COLLATION.
func (r *run) createCollation(n *pg_query.DefineStmt) error {
	schema, name, err := qualified(names(n.Defnames))
	if err != nil {
		return err
	}
	sc, err := r.creationSchema(schema, -1)
	if err != nil {
		return err
	}
	c, err := r.collationOptions(n.Definition)
	if err != nil {
		return err
	}
	c.Name, c.SchemaID, c.Owner = catalog.CutName(name), sc.OID, r.owner()
	if r.snap().Collation(nil, sc.Name, c.Name) != nil {
		if n.IfNotExists {
			r.notice(pgerr.DuplicateObject, "collation \"%s\" already exists, skipping", c.Name)
			return nil
		}
		return pgerr.New(pgerr.DuplicateObject, "collation \"%s\" already exists", c.Name)
	}
	c.OID = r.newOID(sc.Name)
	r.ch.PutCollation(c)
	return nil
}

func (r *run) collationOptions(list []*pg_query.Node) (*catalog.Collation, error) {
	seen := map[string]*pg_query.DefElem{}
	for _, o := range list {
		d := o.GetDefElem()
		name := strings.ToLower(d.Defname)
		switch name {
		case "from", "locale", "lc_collate", "lc_ctype", "provider", "deterministic", "version":
		default:
			return nil, pgerr.New(pgerr.SyntaxError, "collation attribute \"%s\" not recognized", d.Defname).At(d.Location)
		}
		if seen[name] != nil {
			return nil, pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").At(d.Location)
		}
		seen[name] = d
	}
	if seen["locale"] != nil && (seen["lc_collate"] != nil || seen["lc_ctype"] != nil) {
		return nil, pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").WithDetail("LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE.")
	}
	if from := seen["from"]; from != nil {
		if len(seen) > 1 {
			return nil, pgerr.New(pgerr.SyntaxError, "conflicting or redundant options").WithDetail("FROM cannot be specified together with any other options.")
		}
		return r.copiedCollation(from)
	}
	text := func(name string) string {
		if d := seen[name]; d != nil {
			return defText(d.Arg, "")
		}
		return ""
	}
	c := &catalog.Collation{Provider: 'c', Deterministic: true}
	switch p := text("provider"); strings.ToLower(p) {
	case "icu":
		c.Provider = 'i'
	case "libc", "":
	default:
		return nil, pgerr.New(pgerr.InvalidObjectDefinition, "unrecognized collation provider: %s", p)
	}
	if d := seen["deterministic"]; d != nil {
		c.Deterministic = defBool(d)
	}
	if c.Provider == 'i' {
		if c.Locale = text("locale"); seen["locale"] == nil {
			return nil, pgerr.New(pgerr.InvalidObjectDefinition, "parameter \"locale\" must be specified")
		}
		return c, nil
	}
	c.Collate, c.Ctype = text("lc_collate"), text("lc_ctype")
	if seen["locale"] != nil {
		c.Collate, c.Ctype = text("locale"), text("locale")
	}
	c.Encoded = true
	return c, checkLibc(c)
}

func checkLibc(c *catalog.Collation) error {
	switch {
	case c.Collate == "":
		return pgerr.New(pgerr.InvalidObjectDefinition, "parameter \"lc_collate\" must be specified")
	case c.Ctype == "":
		return pgerr.New(pgerr.InvalidObjectDefinition, "parameter \"lc_ctype\" must be specified")
	case !c.Deterministic:
		return pgerr.New(pgerr.FeatureNotSupported, "nondeterministic collations not supported with this provider")
	}
	for _, l := range []string{c.Collate, c.Ctype} {
		found := false
		for _, known := range byteOrders {
			found = found || l == known
		}
		if !found {
			return pgerr.New(pgerr.InvalidParameterValue, "could not create locale \"%s\": No such file or directory", l).
				WithDetail("The operating system could not find any locale data for the locale name \"%s\".", l)
		}
	}
	return nil
}

func (r *run) copiedCollation(from *pg_query.DefElem) (*catalog.Collation, error) {
	parts := names(from.Arg.GetList().GetItems())
	if len(parts) == 0 {
		parts = names(from.Arg.GetTypeName().GetNames())
	}
	old, err := r.collationNamed(parts, -1)
	if err != nil {
		return nil, err
	}
	if old.OID == catalog.DefaultCollation {
		return nil, pgerr.New(pgerr.InvalidObjectDefinition, "collation \"default\" cannot be copied")
	}
	c := *old
	c.Comment = ""
	return &c, nil
}

// collationNamed finds a collation by its name as written.
func (r *run) collationNamed(parts []string, loc int32) (*catalog.Collation, error) {
	schema, name, err := qualified(parts)
	if err != nil {
		return nil, err
	}
	if c := r.snap().Collation(r.c.Path, r.tempSchema(schema), name); c != nil {
		return c, nil
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", strings.Join(parts, ".")).At(loc)
}

func (r *run) collation(list []*pg_query.Node, loc int32) (uint32, error) {
	c, err := r.collationNamed(names(list), loc)
	if err != nil {
		return 0, err
	}
	return c.OID, nil
}

// ownCollation finds a collation that a statement changes.
func (r *run) ownCollation(n *pg_query.Node) (*catalog.Collation, error) {
	c, err := r.collationNamed(names(n.GetList().GetItems()), -1)
	if err != nil {
		return nil, err
	}
	if c.BuiltIn() {
		return nil, pgerr.Unsupported("changing the built-in collation " + c.Name)
	}
	copied := *c
	return &copied, nil
}

// placeCollation gives a changed collation its name and schema, unless another one has them.
func (r *run) placeCollation(c *catalog.Collation) error {
	if r.snap().CollationIn(c.SchemaID, c.Name) != nil {
		sc := r.snap().SchemaByOID(c.SchemaID)
		return pgerr.New(pgerr.DuplicateObject, "collation \"%s\" already exists in schema \"%s\"", c.Name, sc.Name)
	}
	if len(r.collationTexts(c.OID)) > 0 {
		return pgerr.Unsupported("renaming a collation that an expression or a view names")
	}
	r.ch.PutCollation(c)
	return nil
}

func (r *run) dropCollation(n *pg_query.DropStmt, parts []string) ([]object, error) {
	schema, name, err := qualified(parts)
	if err != nil {
		return nil, err
	}
	if gone, err := r.missingSchema(n, schema); gone {
		return nil, err
	}
	c := r.snap().Collation(r.c.Path, r.tempSchema(schema), name)
	switch {
	case c == nil && n.MissingOk:
		return r.missing(n, pgerr.UndefinedObject, "collation \"%s\" does not exist", strings.Join(parts, "."))
	case c == nil:
		return nil, pgerr.New(pgerr.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", strings.Join(parts, "."))
	case c.BuiltIn():
		return nil, pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop collation %s because it is required by the database system", types.QuoteIdent(c.Name))
	}
	return []object{{kind: objCollation, oid: c.OID}}, nil
}

// collationDependents are the columns, indexes and domains under a collation.
func (r *run) collationDependents(oid uint32) []dependent {
	var out []dependent
	for rel := range r.snap().EachRelation {
		for _, c := range rel.Live() {
			if c.Collation != oid {
				continue
			}
			if rel.Kind == catalog.KindComposite {
				out = append(out, dependent{object: object{kind: objType, oid: rel.RowType}})
			} else {
				out = append(out, dependent{object: object{objColumn, rel.OID, uint32(c.Attnum)}})
			}
		}
		for _, ix := range rel.Indexes {
			for _, k := range ix.Keys {
				if col := rel.ByAttnum(k.Attnum); k.Collation == oid && (col == nil || col.Collation != oid) {
					out = append(out, dependent{object: object{objIndex, rel.OID, ix.OID}})
				}
			}
		}
	}
	out = append(out, r.collationTexts(oid)...)
	for _, t := range r.before.Types() {
		if t.Kind == 'd' && t.Collation == oid {
			out = append(out, dependent{object: object{kind: objType, oid: t.OID}})
		}
	}
	return out
}

// collationTexts are the views, indexes, constraints and defaults whose text names a collation.
func (r *run) collationTexts(oid uint32) []dependent {
	var out []dependent
	c := r.snap().CollationByOID(oid)
	for rel := range r.snap().EachRelation {
		if r.namesCollation(rel.View, c) {
			out = append(out, dependent{object: object{kind: objRelation, oid: rel.OID}})
		}
		for _, ix := range rel.Indexes {
			texts := []string{ix.Where}
			for _, k := range ix.Keys {
				texts = append(texts, k.Expr)
			}
			if r.namesCollation(strings.Join(texts, " "), c) {
				out = append(out, dependent{object: object{objIndex, rel.OID, ix.OID}})
			}
		}
		for _, con := range rel.Constraints {
			if r.namesCollation(con.Check, c) {
				out = append(out, dependent{object: object{objConstraint, rel.OID, con.OID}})
			}
		}
		for _, col := range rel.Live() {
			if r.namesCollation(col.Default, c) {
				out = append(out, dependent{object: object{objDefault, rel.OID, uint32(col.Attnum)}})
			}
		}
	}
	return out
}

// namesCollation reports whether stored text has a collation's name behind COLLATE, where it is always qualified.
func (r *run) namesCollation(text string, c *catalog.Collation) bool {
	return strings.Contains(text, "COLLATE "+r.qualifiedCollation(c))
}

func (r *run) qualifiedCollation(c *catalog.Collation) string {
	return types.QuoteIdent(r.snap().SchemaByOID(c.SchemaID).Name) + "." + types.QuoteIdent(c.Name)
}
