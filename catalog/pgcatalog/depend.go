package pgcatalog

import (
	"context"
	"slices"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
)

// The OIDs of the catalogues that pg_depend and pg_description name.
const (
	classCatalog      uint32 = 1259
	typeCatalog       uint32 = 1247
	procCatalog       uint32 = 1255
	constraintCatalog uint32 = 2606
	attrdefCatalog    uint32 = 2604
	rewriteCatalog    uint32 = 2618
	namespaceCatalog  uint32 = 2615
	triggerCatalog    uint32 = 2620
	extensionCatalog  uint32 = 3079
	databaseCatalog   uint32 = 1262
	authidCatalog     uint32 = 1260
)

func dependTables() []table {
	return []table{
		{name: "pg_catalog.pg_depend", keys: []string{"objid", "refobjid"}, dynamic: dependRows},
		{name: "pg_catalog.pg_description", dump: "pg_description", keys: []string{"objoid"}, fix: fixDescription, dynamic: descriptionRows},
		{name: "pg_catalog.pg_init_privs", keys: []string{"objoid"}, dynamic: initPrivilegeRows},
		{name: "pg_catalog.pg_shdescription", keys: []string{"objoid"}, dynamic: sharedDescriptionRows},
	}
}

// dependency is a row of pg_depend.
type dependency struct {
	class, obj       uint32
	sub              int
	refClass, refObj uint32
	refSub           int
	kind             byte
}

func dependRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	s := v.Snapshot
	emit := func(list []dependency) error {
		for _, d := range list {
			row := []types.Datum{oid(d.class), oid(d.obj), num(d.sub), oid(d.refClass), oid(d.refObj), num(d.refSub), char(d.kind)}
			if err := yield(row); err != nil {
				return err
			}
		}
		return nil
	}
	if err := emit(builtinDependencies()); err != nil {
		return err
	}
	if err := emit(extensionDependencies(s)); err != nil {
		return err
	}
	if key != nil {
		if rels, ok := dependencyOwners(s, key); ok {
			for _, r := range rels {
				if err := emit(relationDependencies(s, r)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for _, r := range s.Relations() {
		if err := emit(relationDependencies(s, r)); err != nil {
			return err
		}
	}
	for _, t := range s.Types() {
		if err := emit(typeDependencies(s, t)); err != nil {
			return err
		}
	}
	return nil
}

// builtinDependencies are the members of the extension that every database has.
func builtinDependencies() []dependency {
	const plpgsql = 13559
	out := []dependency{{2612, languages()["plpgsql"], 0, extensionCatalog, plpgsql, 0, 'e'}}
	for _, name := range []string{"plpgsql_call_handler", "plpgsql_inline_handler", "plpgsql_validator"} {
		out = append(out, dependency{procCatalog, procByName()[name], 0, extensionCatalog, plpgsql, 0, 'e'})
	}
	return out
}

// dependencyOwners returns the relations among whose dependencies all rows for a key are; ok is false when the object is
// of another kind, and everything must be looked through.
func dependencyOwners(s *catalog.Snapshot, key *catalog.Key) ([]*catalog.Relation, bool) {
	o := uint32(key.Value.Int())
	r := s.RelationByOID(o)
	var rels []*catalog.Relation
	if owner, _, ok := madeOwner(s, o); ok { // a temporary table may have the OID of a default
		if x := s.RelationByOID(owner); x != nil {
			rels = append(rels, x)
		}
	}
	if r == nil {
		if ix, ok := s.IndexByOID(o); ok {
			r = ix.Table
		} else if c, ok := s.ConstraintByOID(o); ok {
			r = c.Table
		}
	}
	if r == nil {
		return rels, rels != nil
	}
	if len(rels) == 0 || rels[0] != r {
		rels = append(rels, r)
	}
	if key.Column == "objid" {
		return rels, true
	}
	for _, c := range s.ReferencedBy(r.OID) {
		if c.Table != r {
			rels = append(rels, c.Table)
		}
	}
	for _, view := range s.ViewsOf(r.OID) {
		if x := s.RelationByOID(view); x != nil {
			rels = append(rels, x)
		}
	}
	for _, c := range r.Columns {
		if q := s.RelationByOID(c.OwnedSequence); q != nil {
			rels = append(rels, q)
		}
	}
	if q := r.Sequence; q != nil && q.OwnedBy != 0 {
		if t := s.RelationByOID(q.OwnedBy); t != nil { // the column default that calls the sequence
			rels = append(rels, t)
		}
	}
	return rels, true
}

// relationDependencies are what a relation, its parts and what hangs on it depend on.
func relationDependencies(s *catalog.Snapshot, r *catalog.Relation) []dependency {
	var out []dependency
	add := func(class, obj uint32, refClass, refObj uint32, refSub int, kind byte) {
		out = append(out, dependency{class, obj, 0, refClass, refObj, refSub, kind})
	}
	add(classCatalog, r.OID, namespaceCatalog, r.SchemaID, 0, 'n')
	if r.Kind == catalog.KindComposite {
		add(classCatalog, r.OID, typeCatalog, r.RowType, 0, 'i')
	} else if r.RowType != 0 && r.Kind != catalog.KindSequence {
		add(typeCatalog, r.RowType, classCatalog, r.OID, 0, 'i')
	}
	for _, c := range r.Columns {
		if c.Dropped {
			continue
		}
		if c.Default != "" {
			kind := byte('a')
			if c.Generated != 0 {
				kind = 'i'
			}
			def := madeOID(r.OID, int(c.Attnum))
			add(attrdefCatalog, def, classCatalog, r.OID, int(c.Attnum), kind)
			if c.OwnedSequence != 0 {
				add(attrdefCatalog, def, classCatalog, c.OwnedSequence, 0, 'n')
			}
		}
		if c.Type.OID >= catalog.FirstNormalOID {
			out = append(out, dependency{classCatalog, r.OID, int(c.Attnum), typeCatalog, c.Type.OID, 0, 'n'})
		}
	}
	for _, c := range r.Constraints {
		for _, a := range c.Columns {
			add(constraintCatalog, c.OID, classCatalog, r.OID, int(a), 'a')
		}
		if c.Type == catalog.ConCheck {
			for _, a := range c.Columns { // once as a part of the table, once as what the expression reads
				add(constraintCatalog, c.OID, classCatalog, r.OID, int(a), 'n')
			}
		}
		if c.Type != catalog.ConForeign {
			continue
		}
		for _, a := range c.RefColumns {
			add(constraintCatalog, c.OID, classCatalog, c.RefRelation, int(a), 'n')
		}
		if c.Index != 0 {
			add(constraintCatalog, c.OID, classCatalog, c.Index, 0, 'n')
		}
	}
	out = append(out, indexDependencies(r)...)
	if q := r.Sequence; q != nil && q.OwnedBy != 0 {
		kind := byte('a')
		if q.Identity {
			kind = 'i'
		}
		add(classCatalog, r.OID, classCatalog, q.OwnedBy, int(q.OwnedAttnum), kind)
	}
	if isView(r) {
		rule := madeOID(r.OID, madeRule)
		add(rewriteCatalog, rule, classCatalog, r.OID, 0, 'i')
		add(rewriteCatalog, rule, classCatalog, r.OID, 0, 'n')
		for _, u := range r.Uses {
			if !slices.ContainsFunc(r.UsesColumns, func(c catalog.ColumnUse) bool { return c.Relation == u }) {
				add(rewriteCatalog, rule, classCatalog, u, 0, 'n')
			}
		}
		for _, u := range r.UsesColumns {
			add(rewriteCatalog, rule, classCatalog, u.Relation, int(u.Attnum), 'n')
		}
	}
	for _, t := range r.Triggers {
		add(triggerCatalog, t.OID, classCatalog, r.OID, 0, 'a')
		add(triggerCatalog, t.OID, procCatalog, t.Function, 0, 'n')
	}
	return out
}

// indexDependencies: an index belongs to its constraint, or else to the columns that it covers.
func indexDependencies(r *catalog.Relation) []dependency {
	var out []dependency
	for _, ix := range r.Indexes {
		owned := false
		for _, c := range r.Constraints {
			if c.Index == ix.OID && c.Type != catalog.ConForeign {
				out = append(out, dependency{classCatalog, ix.OID, 0, constraintCatalog, c.OID, 0, 'i'})
				owned = true
			}
		}
		if owned {
			continue
		}
		plain := false
		used := slices.Clone(ix.Include)
		for _, k := range ix.Keys {
			if k.Attnum > 0 {
				used = append(used, k.Attnum)
				plain = true
				continue
			}
			used = append(used, usedColumns(r, k.Expr)...)
		}
		if ix.Where != "" {
			used = append(used, usedColumns(r, ix.Where)...)
		}
		slices.Sort(used)
		for _, a := range slices.Compact(used) {
			out = append(out, dependency{classCatalog, ix.OID, 0, classCatalog, r.OID, int(a), 'a'})
		}
		if !plain {
			out = append(out, dependency{classCatalog, ix.OID, 0, classCatalog, r.OID, 0, 'a'})
		}
	}
	return out
}

func typeDependencies(s *catalog.Snapshot, t *types.T) []dependency {
	switch {
	case t.IsArray():
		return []dependency{{typeCatalog, t.OID, 0, typeCatalog, t.Elem.OID, 0, 'i'}}
	case t.Kind == 'c':
		if r := s.RelationByOID(t.RelOID); r != nil && r.Kind != catalog.KindComposite {
			return nil // the relation's own
		}
	}
	out := []dependency{{typeCatalog, t.OID, 0, namespaceCatalog, s.TypeInfo(t.OID).SchemaID, 0, 'n'}}
	if t.Kind == 'd' && t.Base.OID >= catalog.FirstNormalOID {
		out = append(out, dependency{typeCatalog, t.OID, 0, typeCatalog, t.Base.OID, 0, 'n'})
	}
	for i := range t.Checks {
		out = append(out, dependency{constraintCatalog, madeOID(t.OID, madeDomainCheck+i), 0, typeCatalog, t.OID, 0, 'a'})
	}
	return out
}

func fixDescription(r *rowMaker) { r.set("classoid", oid(classOIDs[r.src.str("class")])) }

// classOIDs are the catalogues by name that pg_description's dump names.
var classOIDs = map[string]uint32{
	"pg_am": 2601, "pg_collation": 3456, "pg_conversion": 2607, "pg_extension": extensionCatalog, "pg_language": 2612, "pg_namespace": namespaceCatalog,
	"pg_operator": 2617, "pg_proc": procCatalog, "pg_ts_config": 3602, "pg_ts_dict": 3600, "pg_ts_parser": 3601, "pg_ts_template": 3764, "pg_type": typeCatalog,
}

func descriptionRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	s := v.Snapshot
	say := func(class, obj uint32, sub int, comment string) error {
		if comment == "" {
			return nil
		}
		if o, ok := keyOID(key, "objoid"); ok && o != obj {
			return nil
		}
		return yield([]types.Datum{oid(obj), oid(class), num(sub), text(comment)})
	}
	rels, typs := s.Relations(), s.Types()
	if o, ok := keyOID(key, "objoid"); ok {
		typs = nil
		t := s.TypeByOID(o)
		if t != nil {
			typs = []*types.T{t}
		}
		if one, ok := dependencyOwners(s, &catalog.Key{Column: "objid", Value: oid(o)}); ok {
			rels = one
		} else if t != nil && t.Kind != 'c' {
			rels = nil
		}
	}
	for _, r := range rels {
		if isSystem(r) {
			continue
		}
		if err := describeRelation(r, say); err != nil {
			return err
		}
	}
	for _, t := range typs {
		if err := say(typeCatalog, t.OID, 0, s.TypeInfo(t.OID).Comment); err != nil {
			return err
		}
	}
	for _, f := range s.Functions() {
		if err := say(procCatalog, f.OID, 0, f.Comment); err != nil {
			return err
		}
	}
	for _, sc := range s.Schemas() {
		if sc.OID < catalog.FirstNormalOID && sc.OID != catalog.PublicOID {
			continue // in the dump
		}
		if sc.OID == catalog.PublicOID && sc.Comment == "standard public schema" {
			continue
		}
		if err := say(namespaceCatalog, sc.OID, 0, sc.Comment); err != nil {
			return err
		}
	}
	for _, c := range s.Collations() {
		if err := say(classOIDs["pg_collation"], c.OID, 0, c.Comment); err != nil {
			return err
		}
	}
	for _, e := range s.Extensions() {
		if e.Name == "plpgsql" {
			continue
		}
		if err := say(extensionCatalog, e.OID, 0, e.Comment); err != nil {
			return err
		}
	}
	return nil
}

func describeRelation(r *catalog.Relation, say func(class, obj uint32, sub int, comment string) error) error {
	class, obj := classCatalog, r.OID
	if r.Kind == catalog.KindComposite { // its comment is the type's
		class, obj = typeCatalog, r.RowType
	}
	if err := say(class, obj, 0, r.Comment); err != nil {
		return err
	}
	for _, c := range r.Columns {
		if err := say(classCatalog, r.OID, int(c.Attnum), c.Comment); err != nil {
			return err
		}
	}
	for _, ix := range r.Indexes {
		if err := say(classCatalog, ix.OID, 0, ix.Comment); err != nil {
			return err
		}
	}
	for _, c := range r.Constraints {
		if err := say(constraintCatalog, c.OID, 0, c.Comment); err != nil {
			return err
		}
	}
	for _, t := range r.Triggers {
		if err := say(triggerCatalog, t.OID, 0, t.Comment); err != nil {
			return err
		}
	}
	return nil
}

func sharedDescriptionRows(ctx context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	list, err := databases(ctx, v)
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.Comment == "" {
			continue
		}
		if err := yield([]types.Datum{oid(d.OID), oid(databaseCatalog), text(d.Comment)}); err != nil {
			return err
		}
	}
	for _, r := range v.Snapshot.Roles() {
		if r.Comment == "" {
			continue
		}
		if err := yield([]types.Datum{oid(r.OID), oid(authidCatalog), text(r.Comment)}); err != nil {
			return err
		}
	}
	return nil
}

// usedColumns are the columns of a relation that a stored expression reads.
func usedColumns(r *catalog.Relation, text string) []int16 {
	n, err := sql.ParseExpr(text)
	if err != nil {
		return nil
	}
	var out []int16
	sql.Walk(n, func(c *pg_query.ColumnRef) bool {
		if len(c.Fields) > 0 {
			if col := r.Column(c.Fields[0].GetString_().GetSval()); col != nil && !slices.Contains(out, col.Attnum) {
				out = append(out, col.Attnum)
			}
		}
		return false
	})
	return out
}
