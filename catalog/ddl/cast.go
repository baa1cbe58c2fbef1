package ddl

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// createCast is CREATE CAST with a function or through the text form.
func (r *run) createCast(n *pg_query.CreateCastStmt) error {
	source, target, err := r.castTypes(n.Sourcetype, n.Targettype)
	if err != nil {
		return err
	}
	for _, t := range []struct {
		what string
		t    *types.T
	}{{"source", source}, {"target", target}} {
		if t.t.Kind == 'p' {
			return pgerr.New(pgerr.WrongObjectType, "%s data type %s is a pseudo-type", t.what, r.typeText(t.t))
		}
		if t.t.Kind == 'd' {
			r.warning(pgerr.WrongObjectType, "cast will be ignored because the %s data type is a domain", t.what)
		}
	}
	s, me := r.snap(), r.owner()
	if !s.HasRole(me, r.typeOwner(source)) && !s.HasRole(me, r.typeOwner(target)) {
		return pgerr.New(pgerr.InsufficientPrivilege, "must be owner of type %s or type %s", r.typeText(source), r.typeText(target))
	}
	c := &catalog.Cast{Source: source, Target: target, Method: 'i'}
	switch {
	case n.Func != nil:
		if c.Function, err = r.castFunction(n.Func, source, target); err != nil {
			return err
		}
		c.Method = 'f'
	case source == target:
		return pgerr.New(pgerr.InvalidObjectDefinition, "source data type and target data type are the same")
	case !n.Inout:
		return pgerr.Unsupported("CREATE CAST WITHOUT FUNCTION")
	}
	switch n.Context {
	case pg_query.CoercionContext_COERCION_IMPLICIT:
		c.Context = 'i'
	case pg_query.CoercionContext_COERCION_ASSIGNMENT:
		c.Context = 'a'
	default:
		c.Context = 'e'
	}
	if _, ok := r.resolver().Procs.CastBetween(source.OID, target.OID); ok || s.CastBetween(source.OID, target.OID) != nil {
		return pgerr.New(pgerr.DuplicateObject, "cast from type %s to type %s already exists", r.typeText(source), r.typeText(target))
	}
	c.OID = r.ch.NewOID()
	r.ch.PutCast(c)
	return nil
}

func (r *run) castTypes(source, target *pg_query.TypeName) (from, to *types.T, err error) {
	if from, _, err = r.resolver().TypeName(source); err != nil {
		return nil, nil, unplaced(err)
	}
	if to, _, err = r.resolver().TypeName(target); err != nil {
		return nil, nil, unplaced(err)
	}
	return from, to, nil
}

// castFunction finds the function of a cast and checks that it can be one.
func (r *run) castFunction(o *pg_query.ObjectWithArgs, source, target *types.T) (uint32, error) {
	f, err := r.userFunction(o, "function")
	if err != nil {
		return 0, err
	}
	bad := func(format string, args ...any) (uint32, error) {
		return 0, pgerr.New(pgerr.InvalidObjectDefinition, format, args...)
	}
	args := inputArgs(f)
	switch {
	case len(args) < 1 || len(args) > 3:
		return bad("cast function must take one to three arguments")
	case args[0] != source:
		return bad("argument of cast function must match or be binary-coercible from source data type")
	case len(args) > 1 && args[1] != types.Int4T:
		return bad("second argument of cast function must be type %s", "integer")
	case len(args) > 2 && args[2] != types.BoolT:
		return bad("third argument of cast function must be type %s", "boolean")
	case f.Ret != target:
		return bad("return data type of cast function must match or be binary-coercible to target data type")
	case f.Kind != 'f':
		return bad("cast function must be a normal function")
	case f.RetSet:
		return bad("cast function must not return a set")
	case source == target && len(args) < 2:
		return bad("source data type and target data type are the same")
	}
	if source == target {
		return 0, pgerr.Unsupported("a cast of a type to itself")
	}
	return f.OID, nil
}

// dropCast finds the cast that DROP CAST names.
func (r *run) dropCast(n *pg_query.DropStmt, pair []*pg_query.Node) ([]object, error) {
	source, target, err := r.castTypes(pair[0].GetTypeName(), pair[1].GetTypeName())
	if err != nil {
		if n.MissingOk && pgerr.Is(err, pgerr.UndefinedObject) {
			r.notice(pgerr.SuccessfulCompletion, "%s, skipping", strings.ReplaceAll(err.Error(), "\n", " "))
			return nil, nil
		}
		return nil, err
	}
	if c := r.snap().CastBetween(source.OID, target.OID); c != nil {
		return []object{{kind: objCast, oid: c.OID}}, nil
	}
	if _, ok := r.resolver().Procs.CastBetween(source.OID, target.OID); ok {
		return nil, pgerr.New(pgerr.DependentObjectsStillExist, "cannot drop cast from %s to %s because it is required by the database system", r.typeText(source), r.typeText(target))
	}
	if n.MissingOk { // which names the types as the statement does
		from, to := pair[0].GetTypeName(), pair[1].GetTypeName()
		r.notice(pgerr.SuccessfulCompletion, "cast from type %s to type %s does not exist, skipping", strings.Join(names(from.Names), "."), strings.Join(names(to.Names), "."))
		return nil, nil
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "cast from type %s to type %s does not exist", r.typeText(source), r.typeText(target))
}

// castsUsing lists the casts that depend on something.
func (r *run) castsUsing(uses func(*catalog.Cast) bool) []dependent {
	var out []dependent
	for _, c := range r.snap().Casts() {
		if c.OID < catalog.FirstExtensionOID && uses(c) {
			out = append(out, dependent{object: object{kind: objCast, oid: c.OID}})
		}
	}
	return out
}
