package catalog

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/facts"
)

// Extension is an installed extension.
type Extension struct {
	OID           uint32
	Name, Version string
	SchemaID      uint32
	Comment       string
}

// AvailableExtensions returns what CREATE EXTENSION accepts (pg_available_extensions), by name, without OID and schema.
func AvailableExtensions() []Extension {
	list := []Extension{{Name: "plpgsql", Version: "1.0", Comment: "PL/pgSQL procedural language"}}
	f := facts.Load("ext_extension")
	for _, r := range f.Rows {
		list = append(list, Extension{Name: r[f.Col("name")], Version: r[f.Col("version")], Comment: r[f.Col("comment")]})
	}
	slices.SortFunc(list, func(a, b Extension) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// ExtensionTypeNames lists the names of the types that an extension brings, arrays left out.
func ExtensionTypeNames(extension string) []string {
	var names []string
	extensionFacts("type", extension, func(cell func(string) string) { names = append(names, cell("typname")) })
	return names
}

// ExtensionOf returns the name of the extension that an object belongs to, "" for none. It is known by the OID alone: see
// types/facts/extensions.sh.
func (s *Snapshot) ExtensionOf(oid uint32) string { return s.members.at(oid) }

// extensionFacts reads the rows of one dumped file that belong to an extension.
func extensionFacts(file, extension string, each func(cell func(column string) string)) {
	f := facts.Load("ext_" + file)
	for _, r := range f.Rows {
		if r[0] == extension {
			each(func(column string) string { return r[f.Col(column)] })
		}
	}
}

func factOID(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

// factList splits a one-dimensional array; NULL gives none.
func factList(s string) []string {
	if s == facts.Null || s == "{}" {
		return nil
	}
	return strings.Split(strings.Trim(s, "{}"), ",")
}

// PutExtension adds or replaces an extension with the objects that belong to it: they are not stored, since the
// extension's name says what they are.
func (c *Change) PutExtension(e *Extension) {
	c.touch(ObjExtension, e.OID)
	c.s.extensions.set(e.Name, e)
	sc := c.s.schemas.at(e.SchemaID)
	if sc == nil {
		return
	}
	for _, t := range types.ExtensionTypes(e.Name, sc.Name) {
		if old := c.s.types.at(t.OID); old != nil && old.Schema == t.Schema {
			continue // tables may have columns of it
		}
		c.member(e, t.OID)
		c.member(e, t.ArrayOID)
		c.PutType(t, TypeInfo{SchemaID: e.SchemaID, Owner: BootstrapRole})
	}
	c.putExtensionFunctions(e, sc.Name)
	c.putExtensionOperators(e, sc.Name)
}

// PutMember makes an object one of an extension's.
func (c *Change) PutMember(e *Extension, oid uint32) { c.member(e, oid) }

func (c *Change) member(e *Extension, oid uint32) {
	if oid != 0 {
		c.s.members.set(oid, e.Name)
	}
}

// library is the name of an extension's shared library in PostgreSQL.
func library(extension string) string {
	if extension == "intarray" {
		return "$libdir/_int"
	}
	return "$libdir/" + extension
}

func (c *Change) putExtensionFunctions(e *Extension, schema string) {
	extensionFacts("proc", e.Name, func(cell func(string) string) {
		f := &Function{
			OID: factOID(cell("oid")), SchemaID: e.SchemaID, Schema: schema, Name: cell("proname"), Kind: cell("prokind")[0],
			Ret: c.s.TypeByOID(factOID(cell("prorettype"))), RetSet: cell("proretset") == "t", Strict: cell("proisstrict") == "t",
			Volatile: cell("provolatile")[0], Parallel: cell("proparallel")[0], Language: "c", Source: cell("proname"), Library: library(e.Name), Owner: BootstrapRole,
		}
		f.Cost, _ = strconv.ParseFloat(cell("procost"), 64)
		f.Rows, _ = strconv.ParseFloat(cell("prorows"), 64)
		modes, names := factList(cell("proargmodes")), factList(cell("proargnames"))
		args := factList(cell("proallargtypes"))
		if args == nil {
			args = factList(cell("proargtypes"))
		}
		for i, a := range args {
			arg := FunctionArg{Type: c.s.TypeByOID(factOID(a)), Mode: 'i'}
			if modes != nil {
				arg.Mode = modes[i][0]
			}
			if names != nil {
				arg.Name = strings.Trim(names[i], `"`)
			}
			f.Args = append(f.Args, arg)
		}
		c.member(e, f.OID)
		c.PutFunction(f)
	})
}

func (c *Change) putExtensionOperators(e *Extension, schema string) {
	operators := map[string][]*Operator{}
	extensionFacts("operator", e.Name, func(cell func(string) string) {
		o := &Operator{
			OID: factOID(cell("oid")), SchemaID: e.SchemaID, Schema: schema, Name: cell("oprname"), Left: c.s.TypeByOID(factOID(cell("oprleft"))),
			Right: c.s.TypeByOID(factOID(cell("oprright"))), Result: c.s.TypeByOID(factOID(cell("oprresult"))), Function: factOID(cell("oprcode")),
			Commutator: factOID(cell("oprcom")), Negator: factOID(cell("oprnegate")), CanMerge: cell("oprcanmerge") == "t", CanHash: cell("oprcanhash") == "t",
		}
		c.member(e, o.OID)
		c.s.operatorOID.set(o.OID, o)
		operators[o.Name] = append(operators[o.Name], o)
	})
	for name, list := range operators {
		others := slices.DeleteFunc(slices.Clone(c.s.operators.at(name)), func(o *Operator) bool { return c.s.members.at(o.OID) == e.Name })
		c.s.operators.set(name, append(others, list...))
	}
	extensionFacts("cast", e.Name, func(cell func(string) string) {
		x := &Cast{
			OID: factOID(cell("oid")), Source: c.s.TypeByOID(factOID(cell("castsource"))), Target: c.s.TypeByOID(factOID(cell("casttarget"))),
			Function: factOID(cell("castfunc")), Context: cell("castcontext")[0], Method: cell("castmethod")[0],
		}
		c.member(e, x.OID)
		c.s.casts.set(castKey{x.Source.OID, x.Target.OID}, x)
	})
	c.putExtensionClasses(e)
}

func (c *Change) putExtensionClasses(e *Extension) {
	members := map[castKey]map[int]uint32{} // by family and type
	extensionFacts("amop", e.Name, func(cell func(string) string) {
		if cell("amoplefttype") != cell("amoprighttype") || cell("amoppurpose") != "s" {
			return
		}
		k := castKey{factOID(cell("amopfamily")), factOID(cell("amoplefttype"))}
		if members[k] == nil {
			members[k] = map[int]uint32{}
		}
		strategy, _ := strconv.Atoi(cell("amopstrategy"))
		members[k][strategy] = factOID(cell("amopopr"))
	})
	classes := map[string][]*OpClass{}
	extensionFacts("opclass", e.Name, func(cell func(string) string) {
		x := &OpClass{
			OID: factOID(cell("oid")), SchemaID: e.SchemaID, Family: factOID(cell("opcfamily")), Method: cell("method"), Name: cell("opcname"),
			Input: factOID(cell("opcintype")), Default: cell("opcdefault") == "t", Key: factOID(cell("opckeytype")),
		}
		x.Operators = members[castKey{x.Family, x.Input}]
		c.member(e, x.OID)
		classes[x.Method] = append(classes[x.Method], x)
	})
	for method, list := range classes {
		others := slices.DeleteFunc(slices.Clone(c.s.classes.at(method)), func(o *OpClass) bool { return c.s.members.at(o.OID) == e.Name })
		c.s.classes.set(method, append(others, list...))
	}
}

// RemoveExtension removes an extension and the objects that belong to it.
func (c *Change) RemoveExtension(name string) {
	e := c.s.extensions.at(name)
	if e == nil {
		return
	}
	c.touch(ObjExtension, e.OID)
	c.s.extensions.remove(name)
	member := func(oid uint32) bool { return c.s.members.at(oid) == name }
	extensionFacts("type", name, func(cell func(string) string) { c.RemoveType(factOID(cell("oid"))) })
	extensionFacts("proc", name, func(cell func(string) string) { c.RemoveFunction(factOID(cell("oid"))) })
	extensionFacts("operator", name, func(cell func(string) string) {
		n := cell("oprname")
		c.s.operatorOID.remove(factOID(cell("oid")))
		c.s.operators.set(n, slices.DeleteFunc(slices.Clone(c.s.operators.at(n)), func(o *Operator) bool { return member(o.OID) }))
	})
	extensionFacts("cast", name, func(cell func(string) string) {
		c.s.casts.remove(castKey{factOID(cell("castsource")), factOID(cell("casttarget"))})
	})
	extensionFacts("opclass", name, func(cell func(string) string) {
		m := cell("method")
		c.s.classes.set(m, slices.DeleteFunc(slices.Clone(c.s.classes.at(m)), func(o *OpClass) bool { return member(o.OID) }))
	})
	var gone []uint32
	c.s.members.each(func(oid uint32, ext string) {
		if ext == name {
			gone = append(gone, oid)
		}
	})
	for _, oid := range gone {
		c.s.members.remove(oid)
	}
}
