package pgcatalog

import (
	"context"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

func constraintTables() []table {
	return []table{
		{
			name: "pg_catalog.pg_constraint", dump: "pg_constraint", keys: []string{"oid", "conrelid", "contypid", "confrelid", "conindid"},
			fix: fixConstraint, dynamic: constraintRows,
		},
		{name: "pg_catalog.pg_trigger", keys: []string{"oid", "tgrelid"}, dynamic: triggerRows},
	}
}

// The two domains of information_schema are the only built-in checks.
var builtinChecks = map[string]string{
	"cardinal_number_domain_check": "(VALUE >= 0)",
	"yes_or_no_check":              "((VALUE)::text = ANY ((ARRAY['YES'::character varying, 'NO'::character varying])::text[]))",
}

func fixConstraint(r *rowMaker) {
	r.set("convalidated", types.True)
	r.set("conislocal", types.True)
	r.set("connoinherit", types.Bool(r.src.str("contype") != "c"))
	for _, c := range []string{"confupdtype", "confdeltype", "confmatchtype"} {
		r.set(c, text(" "))
	}
	if e, ok := builtinChecks[r.src.str("conname")]; ok {
		r.set("conbin", text(e))
	}
}

func constraintRows(ctx context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	s := v.Snapshot
	if key != nil {
		return keyedConstraints(ctx, s, key, yield)
	}
	if err := eachRelation(s, func(r *catalog.Relation) error { return relationConstraints(s, r, yield) }); err != nil {
		return err
	}
	for _, t := range s.Types() {
		if err := domainConstraints(s, t, yield); err != nil {
			return err
		}
	}
	return nil
}

func keyedConstraints(ctx context.Context, s *catalog.Snapshot, key *catalog.Key, yield func([]types.Datum) error) error {
	o := uint32(key.Value.Int())
	switch key.Column {
	case "oid":
		if c, ok := s.ConstraintByOID(o); ok && !isSystem(c.Table) {
			return yield(constraintRow(s, c.Table, c.Constraint))
		}
		if owner, _, ok := madeOwner(s, o); ok {
			return domainConstraints(s, s.TypeByOID(owner), yield)
		}
	case "conrelid":
		if r := s.RelationByOID(o); r != nil && !isSystem(r) {
			return relationConstraints(s, r, yield)
		}
		if o == 0 {
			for _, t := range s.Types() {
				if err := domainConstraints(s, t, yield); err != nil {
					return err
				}
			}
		}
	case "contypid":
		if o == 0 {
			return eachRelation(s, func(r *catalog.Relation) error { return relationConstraints(s, r, yield) })
		}
		return domainConstraints(s, s.TypeByOID(o), yield)
	case "confrelid":
		if o == 0 {
			return constraintRows(ctx, &catalog.View{Snapshot: s}, nil, yield)
		}
		for _, c := range s.ReferencedBy(o) {
			if err := yield(constraintRow(s, c.Table, c.Constraint)); err != nil {
				return err
			}
		}
	case "conindid":
		if o == 0 {
			return constraintRows(ctx, &catalog.View{Snapshot: s}, nil, yield)
		}
		ix, ok := s.IndexByOID(o)
		if !ok || isSystem(ix.Table) {
			return nil
		}
		if err := relationConstraints(s, ix.Table, yield); err != nil {
			return err
		}
		for _, c := range s.ReferencedBy(ix.Table.OID) {
			if c.Table == ix.Table {
				continue
			}
			if err := yield(constraintRow(s, c.Table, c.Constraint)); err != nil {
				return err
			}
		}
	}
	return nil
}

func relationConstraints(s *catalog.Snapshot, r *catalog.Relation, yield func([]types.Datum) error) error {
	for _, c := range r.Constraints {
		if err := yield(constraintRow(s, r, c)); err != nil {
			return err
		}
	}
	return nil
}

func constraintRow(s *catalog.Snapshot, r *catalog.Relation, c *catalog.Constraint) []types.Datum {
	noInherit := c.Type != catalog.ConCheck || c.NoInherit
	upd, del, match := byte(' '), byte(' '), byte(' ')
	confkey, pf, pp, ff, setcols, excl := types.Null, types.Null, types.Null, types.Null, types.Null, types.Null
	if c.Type == catalog.ConForeign {
		upd, del, match = orByte(c.OnUpdate, 'a'), orByte(c.OnDelete, 'a'), orByte(c.Match, 's')
		confkey, setcols = int2Array(c.RefColumns), int2Array(c.SetColumns)
		pf, pp, ff = foreignOperators(s, r, c)
	}
	if c.Type == catalog.ConExclude {
		excl = oidArray(exclusionOperators(r, c))
	}
	inherited := 0
	if c.Inherited {
		inherited = 1
	}
	return []types.Datum{
		oid(c.OID), text(c.Name), oid(r.SchemaID), char(c.Type), types.Bool(c.Deferrable), types.Bool(c.InitiallyDeferred), types.Bool(!c.NotValid),
		oid(r.OID), num(0), oid(c.Index), oid(c.Parent), oid(c.RefRelation), char(upd), char(del), char(match), types.Bool(!c.Inherited), num(inherited),
		types.Bool(noInherit),
		int2Array(c.Columns), confkey, pf, pp, ff, setcols, excl, textOrNull(c.Check),
	}
}

func orByte(b, or byte) byte {
	if b == 0 {
		return or
	}
	return b
}

// foreignOperators are the equality operators of a foreign key: referenced = referencing, then within each side.
func foreignOperators(s *catalog.Snapshot, r *catalog.Relation, c *catalog.Constraint) (pf, pp, ff types.Datum) {
	ref := s.RelationByOID(c.RefRelation)
	if ref == nil {
		return types.Null, types.Null, types.Null
	}
	var a, b, d []uint32
	for i, att := range c.Columns {
		fk, pk := r.ByAttnum(att), ref.ByAttnum(c.RefColumns[i])
		if fk == nil || pk == nil {
			continue
		}
		b, d = append(b, equality(pk.Type)), append(d, equality(fk.Type))
		a = append(a, crossEquality(pk.Type, fk.Type))
	}
	return oidArray(a), oidArray(b), oidArray(d)
}

// crossEquality is the = operator between two types of one operator family, or of the left one when there is none.
func crossEquality(left, right *types.T) uint32 {
	if left == right {
		return equality(left)
	}
	if o := operatorOID("=", left.BaseType().OID, right.BaseType().OID); o != 0 {
		return o
	}
	return equality(left)
}

func exclusionOperators(r *catalog.Relation, c *catalog.Constraint) []uint32 {
	ix := r.Index(c.Index)
	if ix == nil {
		return nil
	}
	var out []uint32
	for i, name := range c.Operators {
		k := ix.Keys[i]
		var o uint32
		if col := r.ByAttnum(k.Attnum); col != nil {
			o = operatorOID(name, col.Type.BaseType().OID, col.Type.BaseType().OID)
		}
		if in := opclassFacts().byOID[keyOpclass(r, ix, k)]; o == 0 && in != nil {
			o = operatorOID(name, in.input, in.input)
		}
		out = append(out, o)
	}
	return out
}

func domainConstraints(s *catalog.Snapshot, t *types.T, yield func([]types.Datum) error) error {
	if t == nil || t.Kind != 'd' || t.OID < catalog.FirstNormalOID {
		return nil
	}
	info := s.TypeInfo(t.OID)
	for i, c := range t.Checks {
		row := []types.Datum{
			oid(madeOID(t.OID, madeDomainCheck+i)), text(c.Name), oid(info.SchemaID), char('c'), types.False, types.False, types.Bool(!c.NotValid), num(0), oid(t.OID),
			num(0), num(0), num(0), char(' '), char(' '), char(' '), types.True, num(0), types.False,
			types.Null, types.Null, types.Null, types.Null, types.Null, types.Null, types.Null, text(c.Expr),
		}
		if err := yield(row); err != nil {
			return err
		}
	}
	return nil
}

func triggerRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	if o, ok := keyOID(key, "oid"); ok && o == 0 {
		return nil
	}
	if key != nil && key.Column == "oid" {
		key = nil
	}
	return oneOrEach(v.Snapshot, key, "tgrelid", func(r *catalog.Relation) error {
		for _, t := range r.Triggers {
			args := ""
			for _, a := range t.Args {
				args += a + "\x00"
			}
			row := []types.Datum{
				oid(t.OID), oid(r.OID), num(0), text(t.Name), oid(t.Function), num(int(t.Type)), char(orByte(t.Enabled, 'O')), types.False, oid(t.Referenced), num(0), num(0),
				types.Bool(t.Deferrable), types.Bool(t.InitiallyDeferred), num(len(t.Args)), vector(types.Int2T, int2s(t.Columns)), text(args), textOrNull(t.When),
				textOrNull(t.OldTable), textOrNull(t.NewTable),
			}
			if err := yield(row); err != nil {
				return err
			}
		}
		return nil
	})
}
