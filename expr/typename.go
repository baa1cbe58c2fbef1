package expr

import (
	"strconv"
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// TypeName resolves a type name with its modifiers. Errors: 42704, 3F000, 42601 and those of the modifiers.
func (r *Resolver) TypeName(n *pg_query.TypeName) (*types.T, int32, error) {
	if n.PctType {
		return nil, -1, pgerr.Unsupported("%TYPE").At(n.Location)
	}
	t, err := r.namedType(n)
	if err != nil {
		return nil, -1, pgerr.At(err, n.Location)
	}
	mod, err := r.typeMod(t, n)
	if err != nil {
		return nil, -1, pgerr.At(err, n.Location)
	}
	if len(n.ArrayBounds) > 0 {
		a := r.ArrayOf(t)
		if t.IsArray() {
			a = t
		}
		if a == nil {
			return nil, -1, noType(typeNameText(n)).At(n.Location)
		}
		t = a
	}
	return t, mod, nil
}

func (r *Resolver) namedType(n *pg_query.TypeName) (*types.T, error) {
	if len(n.Names) == 0 {
		if t := r.TypeByOID(n.TypeOid); t != nil {
			return t, nil
		}
		return nil, pgerr.New(pgerr.UndefinedObject, "type with OID %d does not exist", n.TypeOid)
	}
	parts := make([]string, len(n.Names))
	for i, p := range n.Names {
		parts[i] = p.GetString_().GetSval()
	}
	if len(parts) == 3 {
		if r.Snapshot != nil && parts[0] != r.Snapshot.Database {
			return nil, pgerr.New(pgerr.FeatureNotSupported, "cross-database references are not implemented: %s", strings.Join(parts, "."))
		}
		parts = parts[1:]
	}
	if len(parts) > 3 {
		return nil, pgerr.New(pgerr.SyntaxError, "improper qualified name (too many dotted names): %s", strings.Join(parts, "."))
	}
	schema := ""
	if len(parts) == 2 {
		schema = parts[0]
	}
	schemas, err := r.schemas(schema)
	if err != nil {
		return nil, err
	}
	name := parts[len(parts)-1]
	for _, s := range schemas {
		if t := r.typeIn(s, name); t != nil {
			return t, nil
		}
	}
	return nil, noType(typeNameText(n))
}

func noType(name string) *pgerr.Error {
	return pgerr.New(pgerr.UndefinedObject, "type \"%s\" does not exist", name)
}

// typeNameText writes a type name as it was given, for messages.
func typeNameText(n *pg_query.TypeName) string {
	parts := make([]string, len(n.Names))
	for i, p := range n.Names {
		parts[i] = p.GetString_().GetSval()
	}
	s := strings.Join(parts, ".")
	if len(n.ArrayBounds) > 0 {
		s += "[]"
	}
	return s
}

func (r *Resolver) typeMod(t *types.T, n *pg_query.TypeName) (int32, error) {
	if len(n.Typmods) == 0 {
		if n.Typemod != 0 {
			return n.Typemod, nil
		}
		return -1, nil
	}
	if io, ok := typeIOs()[t.OID]; !ok || !io.hasTypmod {
		return -1, pgerr.New(pgerr.SyntaxError, "type modifier is not allowed for type \"%s\"", typeNameText(n))
	}
	mods := make([]int32, len(n.Typmods))
	for i, m := range n.Typmods {
		c := m.GetAConst()
		switch {
		case c.GetIval() != nil:
			mods[i] = c.GetIval().Ival
		case c.GetSval() != nil, c.GetFval() != nil:
			text := c.GetSval().GetSval() + c.GetFval().GetFval()
			v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
			if err != nil {
				return -1, pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", "integer", text)
			}
			mods[i] = int32(v)
		case c != nil: // a bare 0 in the tree
			mods[i] = 0
		default:
			return -1, pgerr.New(pgerr.SyntaxError, "type modifiers must be simple constants or identifiers")
		}
	}
	return types.TypmodIn(t, mods)
}
