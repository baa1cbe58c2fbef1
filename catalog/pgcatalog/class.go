package pgcatalog

import (
	"context"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

func classTables() []table {
	return []table{
		{name: "pg_catalog.pg_class", dump: "pg_class", keys: []string{"oid", "relname"}, fix: fixClass, dynamic: classRows},
		{name: "pg_catalog.pg_index", dump: "pg_index", keys: []string{"indexrelid", "indrelid"}, fix: fixIndex, dynamic: indexRows},
		{name: "pg_catalog.pg_sequence", keys: []string{"seqrelid"}, dynamic: sequenceRows},
		{name: "pg_catalog.pg_inherits", keys: []string{"inhrelid"}, dynamic: inheritsRows},
		{name: "pg_catalog.pg_partitioned_table", keys: []string{"partrelid"}, dynamic: partitionedRows},
		{name: "pg_catalog.pg_rewrite", keys: []string{"oid", "ev_class"}, dynamic: rewriteRows},
	}
}

func fixClass(r *rowMaker) {
	r.set("relispopulated", types.True)
	switch r.src.str("relkind") {
	case "r":
		r.set("relfilenode", oid(r.src.oid("oid")))
		r.set("relfrozenxid", num(716))
		r.set("relminmxid", num(1))
	case "i":
		r.set("relfilenode", oid(r.src.oid("oid")))
	default:
		r.set("reltuples", types.Float(-1))
	}
	if r.src.str("relisshared") == "t" {
		r.set("reltablespace", num(1664))
		r.set("relfilenode", num(0))
	}
	if acl, ok := extra("pg_class", r.src.str("oid"), "relacl"); ok {
		r.setText("relacl", acl)
	}
}

func fixIndex(r *rowMaker) {
	for _, c := range []string{"indimmediate", "indisvalid", "indisready", "indislive"} {
		r.set(c, types.True)
	}
}

func classRows(ctx context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	s := v.Snapshot
	if o, ok := keyOID(key, "oid"); ok {
		if r := s.RelationByOID(o); r != nil && !isSystem(r) {
			return yieldClass(ctx, v, r, yield)
		}
		if ix, ok := s.IndexByOID(o); ok && !isSystem(ix.Table) {
			return yield(indexClassRow(ix.Table, ix.Index))
		}
		return nil
	}
	if name, ok := keyName(key, "relname"); ok {
		for _, sc := range s.Schemas() {
			if r := s.RelationIn(sc.Name, name); r != nil && !isSystem(r) {
				if err := yieldClass(ctx, v, r, yield); err != nil {
					return err
				}
			}
			if ix, ok := s.IndexIn(sc.Name, name); ok && !isSystem(ix.Table) {
				if err := yield(indexClassRow(ix.Table, ix.Index)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return eachRelation(s, func(r *catalog.Relation) error {
		if err := yieldClass(ctx, v, r, yield); err != nil {
			return err
		}
		for _, ix := range r.Indexes {
			if err := yield(indexClassRow(r, ix)); err != nil {
				return err
			}
		}
		return nil
	})
}

func yieldClass(ctx context.Context, v *catalog.View, r *catalog.Relation, yield func([]types.Datum) error) error {
	row, err := classRow(ctx, v, r)
	if err != nil {
		return err
	}
	return yield(row)
}

// classRow is a relation's row. Its size is asked of the server only when the statement reads it: introspection of a
// thousand tables must not make a thousand round trips.
func classRow(ctx context.Context, v *catalog.View, r *catalog.Relation) ([]types.Datum, error) {
	am, filenode, frozen, minmxid := uint32(0), r.OID, 0, 0
	tuples, pages := -1.0, 0
	ident := byte('n')
	rowtype := r.RowType
	switch r.Kind {
	case catalog.KindTable, catalog.KindMatView:
		am, frozen, minmxid, ident = 2, 716, 1, 'd'
		if v.Live != nil && v.Wants(10, 11) {
			n, size, _, err := v.Live.CollectionStats(ctx, r)
			if err != nil {
				return nil, err
			}
			tuples, pages = float64(n), int((size+8191)/8192)
		}
	case catalog.KindPartitioned:
		ident, filenode = 'd', 0
	case catalog.KindSequence:
		tuples, pages, rowtype = 1, 1, 0
	default:
		filenode = 0
	}
	if r.Inferred && r.Kind != catalog.KindTable {
		filenode = 0
	}
	checks := 0
	for _, c := range r.Constraints {
		if c.Type == catalog.ConCheck {
			checks++
		}
	}
	return []types.Datum{
		oid(r.OID), text(r.Name), oid(r.SchemaID), oid(rowtype), num(0), oid(owner(r.Owner)), oid(am), oid(filenode), num(0),
		num(pages), types.Float(tuples), num(0), num(0), types.Bool(len(r.Indexes) > 0), types.False, char(persistence(r)), char(byte(r.Kind)),
		num(len(attributes(r))), num(checks), types.Bool(isView(r)), types.Bool(hasTriggers(v.Snapshot, r)), types.Bool(len(r.Children) > 0), types.False, types.False,
		types.Bool(!r.NotPopulated), char(ident), types.Bool(r.Bound != nil), num(0), num(frozen), num(minmxid), aclItems(v.Snapshot, r.ACL), textArray(r.Options), partBound(r),
	}, nil
}

func isView(r *catalog.Relation) bool {
	return r.Kind == catalog.KindView || r.Kind == catalog.KindMatView
}

// hasTriggers reports what relhastriggers does: PostgreSQL enforces foreign keys by triggers on both tables.
func hasTriggers(s *catalog.Snapshot, r *catalog.Relation) bool {
	if len(r.Triggers) > 0 || len(s.ReferencedBy(r.OID)) > 0 {
		return true
	}
	for _, c := range r.Constraints {
		if c.Type == catalog.ConForeign {
			return true
		}
	}
	return false
}

func persistence(r *catalog.Relation) byte {
	if r.Persistence == 0 {
		return 'p'
	}
	return r.Persistence
}

// owner replaces the owner that inferred objects do not have by the bootstrap role.
func owner(o uint32) uint32 {
	if o == 0 {
		return catalog.BootstrapRole
	}
	return o
}

func indexClassRow(r *catalog.Relation, ix *catalog.Index) []types.Datum {
	return []types.Datum{
		oid(ix.OID), text(ix.Name), oid(r.SchemaID), num(0), num(0), oid(owner(r.Owner)), oid(amOID(ix.Method)), oid(ix.OID), num(0),
		num(1), types.Float(0), num(0), num(0), types.False, types.False, char(persistence(r)), char(indexKind(r)),
		num(len(ix.Keys) + len(ix.Include)), num(0), types.False, types.False, types.Bool(r.Kind == catalog.KindPartitioned && len(r.Children) > 0), types.False, types.False,
		types.True, char('n'), types.Bool(ix.Parent != 0), num(0), num(0), num(0), types.Null, textArray(ix.Options), types.Null,
	}
}

func indexRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	if o, ok := keyOID(key, "indexrelid"); ok {
		if ix, ok := v.Snapshot.IndexByOID(o); ok && !isSystem(ix.Table) {
			return yield(indexRow(ix.Table, ix.Index))
		}
		return nil
	}
	return oneOrEach(v.Snapshot, key, "indrelid", func(r *catalog.Relation) error {
		for _, ix := range r.Indexes {
			if err := yield(indexRow(r, ix)); err != nil {
				return err
			}
		}
		return nil
	})
}

func indexRow(r *catalog.Relation, ix *catalog.Index) []types.Datum {
	var keys []int16
	var colls, classes []uint32
	var options []types.Datum
	exprs := ""
	for _, k := range ix.Keys {
		keys = append(keys, k.Attnum)
		colls = append(colls, keyCollation(r, k))
		classes = append(classes, keyOpclass(r, ix, k))
		opt := 0
		if k.Desc {
			opt |= 1
		}
		if k.NullsFirst {
			opt |= 2
		}
		options = append(options, num(opt))
		if k.Attnum == 0 {
			if exprs != "" {
				exprs += ", "
			}
			exprs += k.Expr
		}
	}
	keys = append(keys, ix.Include...)
	immediate := true
	exclusion := false
	for _, c := range r.Constraints {
		if c.Index == ix.OID && c.Type != catalog.ConForeign {
			immediate = !c.Deferrable
			exclusion = c.Type == catalog.ConExclude
		}
	}
	return []types.Datum{
		oid(ix.OID), oid(r.OID), num(len(keys)), num(len(ix.Keys)), types.Bool(ix.Unique), types.Bool(ix.NullsNotDistinct), types.Bool(ix.Primary),
		types.Bool(exclusion), types.Bool(immediate), types.False, types.Bool(!ix.Invalid), types.False, types.True, types.True, types.False,
		vector(types.Int2T, int2s(keys)), vector(types.OidT, oidList(colls)), vector(types.OidT, oidList(classes)), vector(types.Int2T, options),
		textOrNull(exprs), textOrNull(ix.Where),
	}
}

func sequenceRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	return oneOrEach(v.Snapshot, key, "seqrelid", func(r *catalog.Relation) error {
		q := r.Sequence
		if q == nil {
			return nil
		}
		return yield([]types.Datum{
			oid(r.OID), oid(sequenceType(q).OID), types.Int(q.Start), types.Int(q.Increment), types.Int(q.Max), types.Int(q.Min), types.Int(q.Cache), types.Bool(q.Cycle),
		})
	})
}

func sequenceType(q *catalog.Sequence) *types.T {
	if q.Type == nil {
		return types.Int8T
	}
	return q.Type
}

func rewriteRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	if o, ok := keyOID(key, "oid"); ok {
		rel, _, _ := madeOwner(v.Snapshot, o)
		key = &catalog.Key{Column: "ev_class", Value: oid(rel)}
	}
	return oneOrEach(v.Snapshot, key, "ev_class", func(r *catalog.Relation) error {
		if !isView(r) {
			return nil
		}
		return yield([]types.Datum{oid(madeOID(r.OID, madeRule)), text("_RETURN"), oid(r.OID), char('1'), char('O'), types.True, text("<>"), text(r.View)})
	})
}
