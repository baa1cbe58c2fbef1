package pgcatalog

import (
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/expr"
	"github.com/pgmongo/pgmongo/sql"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Names gives the reg* types their names: it implements types.Names over one snapshot and search path (pg_catalog and the
// temporary schema put in, see catalog.Snapshot.SearchPath).
type Names struct {
	Snapshot *catalog.Snapshot
	Path     []string
}

// RegIn resolves a name as written for the reg* type t. Errors are PostgreSQL's: 42P01, 42883, 42725, 42704, 3F000, 42602.
func (n *Names) RegIn(t *types.T, text string) (uint32, error) {
	c := scope{n.Snapshot, n.Path}
	switch t.Name {
	case "regtype":
		typ, err := c.parseType(text)
		if err != nil {
			return 0, err
		}
		return typ.OID, nil
	case "regoper", "regoperator":
		return c.operatorIn(t.Name, text)
	case "regprocedure":
		return c.procedureIn(text)
	}
	parts, err := splitName(text)
	if err != nil {
		return 0, err
	}
	switch t.Name {
	case "regnamespace":
		if s := n.Snapshot.SchemaByName(parts[0]); len(parts) == 1 && s != nil {
			return s.OID, nil
		}
		return 0, pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", parts[0])
	case "regrole":
		if r := n.Snapshot.RoleByName(parts[0]); len(parts) == 1 && r != nil {
			return r.OID, nil
		}
		return 0, pgerr.New(pgerr.UndefinedObject, "role \"%s\" does not exist", parts[0])
	}
	schema, name, err := c.split(parts)
	if err != nil {
		return 0, err
	}
	return c.namedIn(t, schema, name, strings.Join(parts, "."))
}

func (c scope) namedIn(t *types.T, schema, name, shown string) (uint32, error) {
	switch t.Name {
	case "regclass":
		if o, ok := c.findRelation(schema, name); ok {
			return o, nil
		}
		return 0, pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", shown)
	case "regproc":
		list := c.procsNamed(schema, name)
		switch len(list) {
		case 0:
			return 0, pgerr.New(pgerr.UndefinedFunction, "function \"%s\" does not exist", shown)
		case 1:
			return list[0].oid, nil
		}
		return 0, pgerr.New(pgerr.AmbiguousFunction, "more than one function named \"%s\"", shown)
	case "regconfig":
		if o := tsConfigs().byName[name]; o != 0 {
			return o, nil
		}
		return 0, pgerr.New(pgerr.UndefinedObject, "text search configuration \"%s\" does not exist", shown)
	case "regdictionary":
		if o := tsDicts().byName[name]; o != 0 {
			return o, nil
		}
		return 0, pgerr.New(pgerr.UndefinedObject, "text search dictionary \"%s\" does not exist", shown)
	case "regcollation":
		if x := c.s.Collation(c.path, schema, name); x != nil {
			return x.OID, nil
		}
		return 0, pgerr.New(pgerr.UndefinedObject, "collation \"%s\" for encoding \"UTF8\" does not exist", shown)
	}
	return 0, pgerr.Unsupported("type " + t.Name)
}

// RegOut returns the name of an object, quoted, and qualified where the search path demands it.
func (n *Names) RegOut(t *types.T, o uint32) (string, bool) {
	c := scope{n.Snapshot, n.Path}
	switch t.Name {
	case "regclass":
		return c.relationName(o)
	case "regtype":
		if typ := n.Snapshot.TypeByOID(o); typ != nil {
			return c.typeName(typ, -1), true
		}
	case "regproc":
		p := c.proc(o)
		if p == nil {
			return "", false
		}
		if list := c.procsNamed("", p.name); len(list) == 1 && list[0].oid == o {
			return quote(p.name), true
		}
		return qualified(p.schema, p.name), true
	case "regprocedure":
		if p := c.proc(o); p != nil {
			return c.procSignature(p), true
		}
	case "regoper":
		if x, ok := operatorFacts().byOID[o]; ok {
			if len(operatorFacts().byName[x.name]) == 1 {
				return x.name, true
			}
			return "pg_catalog." + x.name, true
		}
	case "regoperator":
		if x, ok := operatorFacts().byOID[o]; ok {
			return x.name + "(" + c.operand(x.left) + "," + c.operand(x.right) + ")", true
		}
	case "regnamespace":
		if s := n.Snapshot.SchemaByOID(o); s != nil {
			return quote(s.Name), true
		}
	case "regrole":
		if r := n.Snapshot.RoleByOID(o); r != nil {
			return quote(r.Name), true
		}
	case "regconfig":
		return named(tsConfigs(), o)
	case "regdictionary":
		return named(tsDicts(), o)
	case "regcollation":
		return c.collationName(o)
	}
	return "", false
}

func named(n *namedObjects, o uint32) (string, bool) {
	s, ok := n.byOID[o]
	return quote(s), ok
}

func (c scope) operand(o uint32) string {
	if o == 0 {
		return "NONE"
	}
	if t := c.s.TypeByOID(o); t != nil {
		return c.typeName(t, -1)
	}
	return "???"
}

// splitName splits a qualified name at its dots; unquoted parts are folded to lower case.
func splitName(text string) ([]string, error) {
	invalid := func() error { return pgerr.New(pgerr.InvalidName, "invalid name syntax") }
	s := strings.TrimSpace(text)
	var parts []string
	for {
		var part string
		if strings.HasPrefix(s, `"`) {
			i := 1
			var b strings.Builder
			for ; ; i++ {
				if i >= len(s) {
					return nil, invalid()
				}
				if s[i] == '"' {
					if i+1 < len(s) && s[i+1] == '"' {
						i++
					} else {
						break
					}
				}
				b.WriteByte(s[i])
			}
			part, s = b.String(), s[i+1:]
		} else {
			i := strings.IndexAny(s, ". \t\n\"")
			if i < 0 {
				i = len(s)
			}
			part, s = asciiLower(s[:i]), s[i:]
		}
		if part == "" {
			return nil, invalid()
		}
		parts = append(parts, catalog.CutName(part))
		s = strings.TrimLeft(s, " \t\n")
		if s == "" {
			return parts, nil
		}
		if s[0] != '.' {
			return nil, invalid()
		}
		s = strings.TrimLeft(s[1:], " \t\n")
	}
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// split takes a name's parts apart into schema and name; the schema must exist.
func (c scope) split(parts []string) (schema, name string, err error) {
	switch len(parts) {
	case 1:
		return "", parts[0], nil
	case 3:
		if parts[0] != c.s.Database {
			return "", "", pgerr.New(pgerr.FeatureNotSupported, "cross-database references are not implemented: \"%s\"", strings.Join(parts, "."))
		}
		parts = parts[1:]
	case 2:
	default:
		return "", "", pgerr.New(pgerr.SyntaxError, "improper relation name (too many dotted names): %s", strings.Join(parts, "."))
	}
	if c.s.SchemaByName(parts[0]) == nil {
		return "", "", pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", parts[0])
	}
	return parts[0], parts[1], nil
}

// parseType resolves the text of a type name.
func (c scope) parseType(text string) (*types.T, error) {
	n, err := sql.ParseTypeName(text)
	if err != nil {
		return nil, err
	}
	r := &expr.Resolver{Snapshot: c.s, Path: c.path, IO: types.DefaultIO()}
	t, _, err := r.TypeName(n)
	return t, err
}

// procedureIn resolves name(type, type).
func (c scope) procedureIn(text string) (uint32, error) {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 {
		return 0, pgerr.New(pgerr.InvalidTextRepresentation, "expected a left parenthesis")
	}
	if end < open {
		return 0, pgerr.New(pgerr.InvalidTextRepresentation, "expected a right parenthesis")
	}
	parts, err := splitName(text[:open])
	if err != nil {
		return 0, err
	}
	schema, name, err := c.split(parts)
	if err != nil {
		return 0, err
	}
	var args []uint32
	if list := strings.TrimSpace(text[open+1 : end]); list != "" {
		for _, a := range splitDefaults(list) {
			t, err := c.parseType(a)
			if err != nil {
				return 0, err
			}
			args = append(args, t.OID)
		}
	}
next:
	for _, p := range c.procsNamed(schema, name) {
		if len(p.args) != len(args) {
			continue
		}
		for i, a := range p.args {
			if a.OID != args[i] {
				continue next
			}
		}
		return p.oid, nil
	}
	return 0, pgerr.New(pgerr.UndefinedFunction, "function \"%s\" does not exist", text)
}

// operatorIn resolves +, pg_catalog.+ or, for regoperator, +(integer,integer).
func (c scope) operatorIn(kind, text string) (uint32, error) {
	name := strings.TrimSpace(text)
	missing := func() error { return pgerr.New(pgerr.UndefinedFunction, "operator does not exist: %s", text) }
	operands := ""
	if kind == "regoperator" {
		open, end := strings.IndexByte(name, '('), strings.LastIndexByte(name, ')')
		if open < 0 {
			return 0, pgerr.New(pgerr.InvalidTextRepresentation, "expected a left parenthesis")
		}
		if end < open {
			return 0, pgerr.New(pgerr.InvalidTextRepresentation, "expected a right parenthesis")
		}
		name, operands = strings.TrimSpace(name[:open]), name[open+1:end]
	}
	name = strings.TrimPrefix(name, "pg_catalog.")
	list := operatorFacts().byName[name]
	if kind == "regoper" {
		switch len(list) {
		case 0:
			return 0, missing()
		case 1:
			return list[0], nil
		}
		return 0, pgerr.New(pgerr.AmbiguousFunction, "more than one operator named %s", text)
	}
	var args []uint32
	for _, a := range splitDefaults(operands) {
		if strings.EqualFold(a, "none") {
			args = append(args, 0)
			continue
		}
		t, err := c.parseType(a)
		if err != nil {
			return 0, err
		}
		args = append(args, t.OID)
	}
	if len(args) != 2 {
		return 0, pgerr.New(pgerr.UndefinedParameter, "missing argument").WithHint("Use NONE to denote the missing argument of a unary operator.")
	}
	if o := operatorOID(name, args[0], args[1]); o != 0 {
		return o, nil
	}
	return 0, missing()
}
