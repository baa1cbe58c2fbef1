package pgcatalog

import (
	"context"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

func procTables() []table {
	return []table{{name: "pg_catalog.pg_proc", dump: "pg_proc", keys: []string{"oid", "proname"}, fix: fixProc, dynamic: procRows}}
}

func fixProc(r *rowMaker) {
	r.set("proowner", oid(catalog.BootstrapRole))
	if acl, ok := extra("pg_proc", r.src.str("oid"), "proacl"); ok {
		r.setText("proacl", acl)
	}
}

var languages = sync.OnceValue(func() map[string]uint32 {
	m := map[string]uint32{}
	f := newCells("pg_language")
	for _, row := range f.Rows {
		c := f.row(row)
		m[c.str("lanname")] = c.oid("oid")
	}
	return m
})

func procRows(_ context.Context, v *catalog.View, key *catalog.Key, yield func([]types.Datum) error) error {
	s := v.Snapshot
	if o, ok := keyOID(key, "oid"); ok {
		if f := s.FunctionByOID(o); f != nil {
			return yield(functionRow(v.Snapshot, f))
		}
		return nil
	}
	for _, f := range s.Functions() {
		if name, ok := keyName(key, "proname"); ok && f.Name != name {
			continue
		}
		if err := yield(functionRow(v.Snapshot, f)); err != nil {
			return err
		}
	}
	return nil
}

// inputArgs are the arguments that a call gives: IN, INOUT and VARIADIC ones.
func inputArgs(f *catalog.Function) []catalog.FunctionArg {
	var in []catalog.FunctionArg
	for _, a := range f.Args {
		if a.Mode == 0 || a.Mode == 'i' || a.Mode == 'b' || a.Mode == 'v' {
			in = append(in, a)
		}
	}
	return in
}

func functionRow(s *catalog.Snapshot, f *catalog.Function) []types.Datum {
	var in, all []uint32
	var modes, names []types.Datum
	variadic, named, outs, defaults := uint32(0), false, false, 0
	defaultText := ""
	for _, a := range f.Args {
		mode := orByte(a.Mode, 'i')
		all = append(all, a.Type.OID)
		modes, names = append(modes, char(mode)), append(names, text(a.Name))
		named = named || a.Name != ""
		outs = outs || mode != 'i'
		if mode == 'v' && a.Type.Elem != nil {
			variadic = a.Type.Elem.OID
		}
		if a.Default != "" {
			defaults++
			if defaultText != "" {
				defaultText += ", "
			}
			defaultText += a.Default
		}
	}
	for _, a := range inputArgs(f) {
		in = append(in, a.Type.OID)
	}
	allTypes, argModes, argNames := types.Null, types.Null, types.Null
	if outs {
		allTypes, argModes = oidArray(all), types.NewArray(types.CharT, modes)
	}
	if named {
		argNames = types.NewArray(types.TextT, names)
	}
	ret := types.VoidT
	if f.Ret != nil {
		ret = f.Ret
	}
	return []types.Datum{
		oid(f.OID), text(f.Name), oid(f.SchemaID), oid(owner(f.Owner)), oid(languages()[f.Language]), types.Float(f.Cost), types.Float(f.Rows), oid(variadic), num(0),
		char(orByte(f.Kind, 'f')), types.Bool(f.SecDef), types.False, types.Bool(f.Strict), types.Bool(f.RetSet), char(orByte(f.Volatile, 'v')), char(orByte(f.Parallel, 'u')),
		num(len(in)), num(defaults), oid(ret.OID), vector(types.OidT, oidList(in)), allTypes, argModes, argNames, textOrNull(defaultText), types.Null,
		text(f.Source), textOrNull(f.Library), types.Null, textArray(f.Settings), aclItems(s, f.ACL),
	}
}

// operatorOID finds a built-in operator by name and operand types (0 for a missing left one); 0 if there is none.
func operatorOID(name string, left, right uint32) uint32 {
	return operatorFacts().byKey[operatorKey{name, left, right}]
}

type operatorKey struct {
	name        string
	left, right uint32
}

type operatorFact struct {
	oid, left, right, result, proc uint32
	name                           string
}

type operators struct {
	byKey  map[operatorKey]uint32
	byOID  map[uint32]operatorFact
	byName map[string][]uint32
}

var operatorFacts = sync.OnceValue(func() *operators {
	o := &operators{map[operatorKey]uint32{}, map[uint32]operatorFact{}, map[string][]uint32{}}
	each("operator", func(c cellRow) {
		x := operatorFact{c.oid("oid"), c.oid("oprleft"), c.oid("oprright"), c.oid("oprresult"), c.oid("oprcode"), c.str("oprname")}
		if x.proc == 0 { // the dump names it
			x.proc = atoid(regprocCell("pg_operator", "oprcode", c.row, c.t))
		}
		o.byKey[operatorKey{x.name, x.left, x.right}] = x.oid
		o.byOID[x.oid] = x
		o.byName[x.name] = append(o.byName[x.name], x.oid)
	})
	return o
})
