package pgcatalog

import (
	"context"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
)

func typeTables() []table {
	return []table{
		{
			name: "pg_catalog.pg_type", dump: "pg_type", keys: []string{"oid", "typname", "typarray", "typelem", "typrelid", "typbasetype"},
			fix: fixType, dynamic: typeRows,
		},
		{name: "pg_catalog.pg_enum", keys: []string{"oid", "enumtypid"}, dynamic: enumRows},
	}
}

func fixType(r *rowMaker) {
	if d := r.src.str("typdefault"); d != facts.Null {
		r.set("typdefaultbin", text(d))
	}
}

func typeRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	s := v.Snapshot
	one := func(t *types.T) error {
		if t == nil || t.OID < catalog.FirstNormalOID {
			return nil
		}
		return yield(typeRow(s, t))
	}
	if key != nil {
		o := uint32(key.Value.Int())
		switch key.Column {
		case "oid":
			return one(s.TypeByOID(o))
		case "typname":
			for _, sc := range s.Schemas() {
				if err := one(s.TypeIn(sc.Name, key.Value.Str())); err != nil {
					return err
				}
			}
			return nil
		case "typrelid":
			if r := s.RelationByOID(o); r != nil {
				return one(s.TypeByOID(r.RowType))
			}
		case "typarray":
			if t := s.TypeByOID(o); t != nil && t.Elem != nil {
				return one(t.Elem)
			}
		case "typelem":
			if t := s.TypeByOID(o); t != nil && t.ArrayOID != 0 {
				return one(s.TypeByOID(t.ArrayOID))
			}
		}
		if o != 0 && key.Column != "typbasetype" {
			return nil
		}
	}
	for _, t := range s.Types() {
		if err := one(t); err != nil {
			return err
		}
	}
	return nil
}

// typeIO are the support functions of a type of each kind.
type typeIO struct{ in, out, receive, send, analyze, subscript string }

func ioOf(t *types.T) typeIO {
	switch {
	case t.IsArray():
		return typeIO{"array_in", "array_out", "array_recv", "array_send", "array_typanalyze", "array_subscript_handler"}
	case t.Kind == 'c':
		return typeIO{in: "record_in", out: "record_out", receive: "record_recv", send: "record_send"}
	case t.Kind == 'e':
		return typeIO{in: "enum_in", out: "enum_out", receive: "enum_recv", send: "enum_send"}
	case t.Kind == 'r':
		return typeIO{in: "range_in", out: "range_out", receive: "range_recv", send: "range_send", analyze: "range_typanalyze"}
	case t.Kind == 'm':
		return typeIO{in: "multirange_in", out: "multirange_out", receive: "multirange_recv", send: "multirange_send", analyze: "multirange_typanalyze"}
	}
	return typeIO{in: "textin", out: "textout", receive: "textrecv", send: "textsend"}
}

// baseIO are the functions of the type that a domain is over, from the dump when it is a built-in one.
func baseIO(t *types.T) (out, send, analyze uint32) {
	f := newCells("pg_type")
	for _, row := range f.Rows {
		c := f.row(row)
		if c.oid("oid") == t.OID {
			by := procByName()
			return by[c.str("typoutput")], by[c.str("typsend")], by[c.str("typanalyze")]
		}
	}
	io := ioOf(t)
	by := procByName()
	return by[io.out], by[io.send], by[io.analyze]
}

func typeRow(s *catalog.Snapshot, t *types.T) []types.Datum {
	info := s.TypeInfo(t.OID)
	by := procByName()
	io := ioOf(t)
	in, out, receive, send, analyze := by[io.in], by[io.out], by[io.receive], by[io.send], by[io.analyze]
	modIn, modOut := uint32(0), uint32(0)
	if ext, ok := extensionTypeIO()[t.OID]; ok {
		in, out, receive, send, modIn, modOut = ext[0], ext[1], ext[2], ext[3], ext[4], ext[5]
	}
	elem, base, ndims := uint32(0), uint32(0), 0
	if t.Elem != nil {
		elem = t.Elem.OID
	}
	mod := int32(-1)
	if t.Kind == 'd' {
		base, mod = t.Base.OID, t.BaseTypmod
		in, receive = by["domain_in"], by["domain_recv"]
		out, send, analyze = baseIO(t.BaseType())
		if t.BaseType().IsArray() {
			ndims = 1
		}
	}
	return []types.Datum{
		oid(t.OID), text(t.Name), oid(info.SchemaID), oid(owner(info.Owner)), num(int(t.Len)), types.Bool(t.ByVal), char(t.Kind), char(t.Category),
		types.Bool(t.Preferred), types.True, text(","), oid(t.RelOID), oid(by[io.subscript]), oid(elem), oid(t.ArrayOID),
		oid(in), oid(out), oid(receive), oid(send), oid(modIn), oid(modOut), oid(analyze), char(t.Align), char(t.Storage), types.Bool(t.NotNull),
		oid(base), num(int(mod)), num(ndims), oid(t.Collation), textOrNull(t.Default), textOrNull(defaultValue(t.Default)), aclItems(s, info.ACL),
	}
}

// defaultValue is typdefault: the default's external form, which for a plain expression is its text.
func defaultValue(expr string) string { return expr }

func enumRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	labels := func(t *types.T) error {
		for _, l := range t.Labels {
			if err := yield([]types.Datum{oid(l.OID), oid(t.OID), types.Float(float64(l.Sort)), text(l.Label)}); err != nil {
				return err
			}
		}
		return nil
	}
	if o, ok := keyOID(key, "enumtypid"); ok {
		if t := v.Snapshot.TypeByOID(o); t != nil {
			return labels(t)
		}
		return nil
	}
	for _, t := range v.Snapshot.Types() {
		if err := labels(t); err != nil {
			return err
		}
	}
	return nil
}

// rangeRows are the range types of the database.
func rangeRows(_ context.Context, v *catalog.View, _ *catalog.Key, yield func([]types.Datum) error) error {
	for _, m := range v.Snapshot.Types() {
		if m.RangeOf == nil {
			continue
		}
		var info catalog.RangeInfo
		if i := v.Snapshot.TypeInfo(m.RangeOf.OID).Range; i != nil {
			info = *i
		}
		if err := yield([]types.Datum{
			oid(m.RangeOf.OID), oid(m.Subtype.OID), oid(m.OID), oid(info.Collation), oid(info.OpClass), oid(0), oid(info.Difference),
		}); err != nil {
			return err
		}
	}
	return nil
}
