package pgcatalog

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
)

// scope is a snapshot under a search path: what decides how an object's name is printed and found.
type scope struct {
	s    *catalog.Snapshot
	path []string
}

func quote(name string) string { return types.QuoteIdent(name) }

// qualified is schema.name, quoted.
func qualified(schema, name string) string { return quote(schema) + "." + quote(name) }

// relationVisible reports whether the name alone finds the relation or index with that OID.
func (c scope) relationVisible(o uint32, name string) bool {
	for _, p := range c.path {
		if r := c.s.RelationIn(p, name); r != nil {
			return r.OID == o
		}
		if ix, ok := c.s.IndexIn(p, name); ok {
			return ix.Index.OID == o
		}
	}
	return false
}

// relation returns a relation's or index's schema and name.
func (c scope) relation(o uint32) (schema, name string, ok bool) {
	if r := c.s.RelationByOID(o); r != nil {
		return r.Schema, r.Name, true
	}
	if ix, ok := c.s.IndexByOID(o); ok {
		return ix.Table.Schema, ix.Index.Name, true
	}
	return "", "", false
}

// relationName prints a relation, qualified where the search path demands it.
func (c scope) relationName(o uint32) (string, bool) {
	schema, name, ok := c.relation(o)
	if !ok {
		return "", false
	}
	if c.relationVisible(o, name) {
		return quote(name), true
	}
	return qualified(schema, name), true
}

// findRelation looks a relation or index up by name.
func (c scope) findRelation(schema, name string) (uint32, bool) {
	path := c.path
	if schema != "" {
		path = []string{schema}
	}
	for _, p := range path {
		if r := c.s.RelationIn(p, name); r != nil {
			return r.OID, true
		}
		if ix, ok := c.s.IndexIn(p, name); ok {
			return ix.Index.OID, true
		}
	}
	return 0, false
}

func (c scope) typeVisible(t *types.T) bool {
	found := c.s.Type(c.path, "", t.Name)
	return found != nil && found.OID == t.OID
}

// typeName prints a type as format_type does: a name of the database's own is qualified where the search path demands it.
func (c scope) typeName(t *types.T, typmod int32) string {
	return types.FormatTypeIn(t, typmod, func(t *types.T) bool { return t.Schema == "pg_catalog" || c.typeVisible(t) })
}

// typeNameWith is typeName where a modifier could stand: char without one is bpchar there, since character means char(1).
func (c scope) typeNameWith(t *types.T, typmod int32) string {
	elem := t
	if t.IsArray() {
		elem = t.Elem
	}
	if typmod < 0 && (elem == types.BpcharT || elem == types.BitT) {
		name := "bpchar"
		if elem == types.BitT {
			name = `"bit"`
		}
		if elem != t {
			name += "[]"
		}
		return name
	}
	return c.typeName(t, typmod)
}

// procFact is a function of pg_proc in the form that printing needs.
type procFact struct {
	oid          uint32
	schema, name string
	kind         byte
	args, all    []*types.T
	modes        []byte
	names        []string
	defaults     []string // of the last input arguments
	ret          *types.T
	retSet       bool
	user         *catalog.Function
}

type procs struct {
	byOID  map[uint32]*procFact
	byName map[string][]*procFact
}

var procFacts = sync.OnceValue(func() *procs {
	p := &procs{map[uint32]*procFact{}, map[string][]*procFact{}}
	f := newCells("pg_proc")
	for _, row := range f.Rows {
		c := f.row(row)
		x := &procFact{
			oid: c.oid("oid"), schema: schemaName(c.oid("pronamespace")), name: c.str("proname"), kind: c.str("prokind")[0],
			ret: types.ByOID(c.oid("prorettype")), retSet: c.str("proretset") == "t",
		}
		for _, a := range strings.Fields(c.str("proargtypes")) {
			x.args = append(x.args, types.ByOID(atoid(a)))
		}
		if all := c.str("proallargtypes"); all != `\N` {
			for _, a := range splitArray(all) {
				x.all = append(x.all, types.ByOID(atoid(a)))
			}
			for _, m := range splitArray(c.str("proargmodes")) {
				x.modes = append(x.modes, m[0])
			}
		}
		if x.modes == nil && c.oid("provariadic") != 0 {
			x.all, x.modes = x.args, []byte(strings.Repeat("i", len(x.args)-1)+"v")
		}
		if names := c.str("proargnames"); names != `\N` {
			x.names = splitArray(names)
		}
		if d := c.str("proargdefaults"); d != `\N` {
			x.defaults = splitDefaults(d)
		}
		p.byOID[x.oid] = x
		p.byName[x.name] = append(p.byName[x.name], x)
	}
	return p
})

// splitDefaults splits a list of expressions at the commas outside of brackets and strings.
func splitDefaults(s string) []string {
	var out []string
	depth, start, inString := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'':
			inString = !inString
		case inString:
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			out = append(out, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(out, strings.TrimSpace(s[start:]))
}

// userProc makes a procFact of a user-defined function.
func userProc(f *catalog.Function) *procFact {
	x := &procFact{oid: f.OID, schema: f.Schema, name: f.Name, kind: orByte(f.Kind, 'f'), ret: f.Ret, retSet: f.RetSet, user: f}
	outs := false
	for _, a := range f.Args {
		mode := orByte(a.Mode, 'i')
		outs = outs || mode != 'i'
		x.all, x.modes, x.names = append(x.all, a.Type), append(x.modes, mode), append(x.names, a.Name)
		if mode == 'i' || mode == 'b' || mode == 'v' {
			x.args = append(x.args, a.Type)
			if a.Default != "" {
				x.defaults = append(x.defaults, a.Default)
			}
		}
	}
	if !outs {
		x.all, x.modes = nil, nil
	}
	return x
}

// proc returns the function with that OID, or nil.
func (c scope) proc(o uint32) *procFact {
	if p := procFacts().byOID[o]; p != nil {
		return p
	}
	if f := c.s.FunctionByOID(o); f != nil {
		return userProc(f)
	}
	return nil
}

// procsNamed returns the functions that a name finds; without a schema, a function hides those with the same arguments in
// later schemas of the path.
func (c scope) procsNamed(schema, name string) []*procFact {
	path := c.path
	if schema != "" {
		path = []string{schema}
	}
	var out []*procFact
	for _, p := range path {
		var found []*procFact
		for _, x := range procFacts().byName[name] {
			if x.schema == p {
				found = append(found, x)
			}
		}
		for _, f := range c.s.FunctionsIn(p, name) {
			found = append(found, userProc(f))
		}
		for _, x := range found {
			if !slices.ContainsFunc(out, func(y *procFact) bool { return slices.Equal(x.args, y.args) }) {
				out = append(out, x)
			}
		}
	}
	return out
}

func (c scope) procVisible(p *procFact) bool {
	for _, x := range c.procsNamed("", p.name) {
		if slices.Equal(x.args, p.args) {
			return x.oid == p.oid
		}
	}
	return false
}

// procArgs prints a function with its argument types, as regprocedure does.
func (c scope) procSignature(p *procFact) string {
	var args []string
	for _, a := range p.args {
		args = append(args, c.typeName(a, -1))
	}
	name := quote(p.name)
	if !c.procVisible(p) {
		name = qualified(p.schema, p.name)
	}
	return name + "(" + strings.Join(args, ",") + ")"
}

// named catalogues hold objects that are found by name alone: text search objects, collations.
type namedObjects struct {
	byOID  map[uint32]string
	byName map[string]uint32
}

func loadNamed(table, column string) func() *namedObjects {
	return sync.OnceValue(func() *namedObjects {
		n := &namedObjects{map[uint32]string{}, map[string]uint32{}}
		f := newCells(table)
		for _, row := range f.Rows {
			c := f.row(row)
			n.byOID[c.oid("oid")] = c.str(column)
			n.byName[c.str(column)] = c.oid("oid")
		}
		return n
	})
}

var (
	tsConfigs = loadNamed("pg_ts_config", "cfgname")
	tsDicts   = loadNamed("pg_ts_dict", "dictname")
)

func number(o uint32) string { return strconv.FormatUint(uint64(o), 10) }
