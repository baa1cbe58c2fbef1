package expr

import (
	"slices"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// Operator resolves an operator; left is nil for a prefix operator. Errors: 42883, 42725.
func (r *Resolver) Operator(schema, name string, left, right Expr, loc int32) (Expr, error) {
	var lt *types.T
	args := []Expr{right}
	if left != nil {
		lt = left.Type()
		args = []Expr{left, right}
	}
	c, err := r.operator(schema, name, lt, right.Type(), loc)
	if err != nil {
		return nil, err
	}
	args, ret, err := r.arguments(args, c.args, c.oper.Result, loc)
	if err != nil {
		return nil, err
	}
	return &Call{Fn: c.oper.Proc, Args: args, T: ret, Mod: -1, Op: name, Loc: loc}, nil
}

// arguments converts a call's arguments to the declared types, polymorphic ones resolved, and gives the result type.
func (r *Resolver) arguments(args []Expr, declared []*types.T, ret *types.T, loc int32) ([]Expr, *types.T, error) {
	actual := make([]*types.T, len(args))
	for i, a := range args {
		actual[i] = a.Type()
	}
	declared, ret, err := r.polymorphic(actual, declared, ret, false)
	if err != nil {
		return nil, nil, pgerr.At(err, loc)
	}
	out := make([]Expr, len(args))
	for i, a := range args {
		if actual[i] == declared[i] {
			out[i] = a
			continue
		}
		if out[i], err = r.coerceArg(a, declared[i]); err != nil {
			return nil, nil, err
		}
	}
	return out, ret, nil
}

// operator finds the operator for operand types; lt is nil for a prefix operator.
func (r *Resolver) operator(schema, name string, lt, rt *types.T, loc int32) (*candidate, error) {
	if schema != "" && !r.schemaExists(schema) {
		return nil, pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", schema).At(loc)
	}
	named := r.operatorsNamed(schema, name)
	if o := exactOperator(named, lt, rt); o != nil {
		return operCandidate(o), nil
	}
	var cands []*candidate
	for _, o := range named {
		if (o.Left == nil) == (lt == nil) {
			cands = append(cands, operCandidate(o))
		}
	}
	input := []*types.T{rt}
	if lt != nil {
		input = []*types.T{lt, rt}
	}
	cands = r.matching(input, cands)
	switch len(cands) {
	case 0:
		return nil, operatorError(schema, name, lt, rt, false).At(loc)
	case 1:
		return cands[0], nil
	}
	if c := r.choose(input, cands); c != nil {
		return c, nil
	}
	return nil, operatorError(schema, name, lt, rt, true).At(loc)
}

func operCandidate(o *Operator) *candidate {
	if o.Left == nil {
		return &candidate{oper: o, proc: o.Proc, args: []*types.T{o.Right}}
	}
	return &candidate{oper: o, proc: o.Proc, args: []*types.T{o.Left, o.Right}}
}

// exactOperator finds an operator with just these operand types. An unknown operand is first taken to be of the other
// one's type: date_column > '2020-01-01' compares dates.
func exactOperator(named []*Operator, lt, rt *types.T) *Operator {
	guessed := false
	switch {
	case lt == nil:
	case lt == types.UnknownT && rt != types.UnknownT:
		lt, guessed = rt, true
	case rt == types.UnknownT && lt != types.UnknownT:
		rt, guessed = lt, true
	}
	if o := lookupOperator(named, lt, rt); o != nil {
		return o
	}
	if guessed {
		if base := rt.BaseType(); base != rt {
			return lookupOperator(named, base, base)
		}
	}
	return nil
}

func lookupOperator(named []*Operator, lt, rt *types.T) *Operator {
	for _, o := range named {
		if o.Left == lt && o.Right == rt {
			return o
		}
	}
	return nil
}

// operatorsNamed lists the operators that a name may mean: the built-in ones, and those of the database in the schema that
// the name is qualified with, or in the search path.
func (r *Resolver) operatorsNamed(schema, name string) []*Operator {
	var list []*Operator
	if schema == "" || schema == "pg_catalog" {
		list = r.Procs.operators[name]
	}
	if r.Snapshot == nil {
		return list
	}
	for _, o := range r.Snapshot.Operators(name) {
		if schema == o.Schema || schema == "" && slices.Contains(r.Path, o.Schema) {
			list = append(slices.Clip(list), r.userOperator(o))
		}
	}
	return list
}

// userOperator gives one Operator for each of the database's own within one resolver.
func (r *Resolver) userOperator(o *catalog.Operator) *Operator {
	u := r.operators[o]
	if u == nil {
		u = &Operator{
			OID: o.OID, Schema: o.Schema, Name: o.Name, Left: o.Left, Right: o.Right, Result: o.Result, Proc: r.procByOID(o.Function),
			Commutator: o.Commutator, Negator: o.Negator, CanHash: o.CanHash,
		}
		if r.operators == nil {
			r.operators = map[*catalog.Operator]*Operator{}
		}
		r.operators[o] = u
	}
	return u
}

// procByOID returns a built-in function or one of the database's own, or nil.
func (r *Resolver) procByOID(oid uint32) *Proc {
	if p := r.Procs.ByOID(oid); p != nil || r.Snapshot == nil {
		return p
	}
	if f := r.Snapshot.FunctionByOID(oid); f != nil {
		return r.userProc(f)
	}
	return nil
}

func operatorError(schema, name string, lt, rt *types.T, ambiguous bool) *pgerr.Error {
	sig := name
	if schema != "" {
		sig = schema + "." + name
	}
	sig += " " + types.FormatType(rt, -1)
	hint := "No operator matches the given name and argument type. You might need to add an explicit type cast."
	if lt != nil {
		sig = types.FormatType(lt, -1) + " " + sig
		hint = "No operator matches the given name and argument types. You might need to add explicit type casts."
	}
	if ambiguous {
		return pgerr.New(pgerr.AmbiguousFunction, "operator is not unique: %s", sig).
			WithHint("Could not choose a best candidate operator. You might need to add explicit type casts.")
	}
	return pgerr.New(pgerr.UndefinedFunction, "operator does not exist: %s", sig).WithHint("%s", hint)
}

// OperatorProc resolves an operator by exact operand types (after implicit coercion of none), nil if there is none. Arrays,
// enums, records and ranges find their polymorphic operator.
func (r *Resolver) OperatorProc(name string, left, right *types.T) *Proc {
	named := r.operatorsNamed("", name)
	if o := lookupOperator(named, left, right); o != nil {
		return o.Proc
	}
	if left == nil || right == nil {
		return nil
	}
	for _, o := range named {
		if o.Left != nil && o.Left.IsPolymorphic() && o.Right.IsPolymorphic() &&
			r.canCoerceAll([]*types.T{left, right}, []*types.T{o.Left, o.Right}, Implicit) {
			return o.Proc
		}
	}
	return nil
}

// ScalarArray resolves left op ANY|ALL (array).
func (r *Resolver) ScalarArray(name string, left, array Expr, all bool, loc int32) (Expr, error) {
	at := array.Type()
	elem := types.UnknownT
	if at != types.UnknownT {
		base := at.BaseType()
		if elem = base.Elem; elem == nil || !base.IsArray() && base != types.Int2VectorT && base != types.OidVectorT {
			return nil, pgerr.New(pgerr.WrongObjectType, "op ANY/ALL (array) requires array on right side").At(loc)
		}
	}
	c, err := r.operator("", name, left.Type(), elem, loc)
	if err != nil {
		return nil, err
	}
	if c.oper.Result != types.BoolT {
		return nil, pgerr.New(pgerr.WrongObjectType, "op ANY/ALL (array) requires operator to yield boolean").At(loc)
	}
	declared, _, err := r.polymorphic([]*types.T{left.Type(), elem}, c.args, nil, false)
	if err != nil {
		return nil, pgerr.At(err, loc)
	}
	var arrayT *types.T
	if c.args[1].IsPolymorphic() && at != types.UnknownT {
		arrayT = at
	} else if arrayT = r.ArrayOf(declared[1]); arrayT == nil {
		return nil, pgerr.New(pgerr.UndefinedObject, "could not find array type for data type %s",
			types.FormatType(declared[1], -1)).At(loc)
	}
	if left, err = r.coerceArg(left, declared[0]); err != nil {
		return nil, err
	}
	if array, err = r.coerceArg(array, arrayT); err != nil {
		return nil, err
	}
	return &ScalarArray{Op: c.oper.Proc, Name: name, Left: left, Array: array, All: all}, nil
}

// coerceArg converts an argument to the declared type, without regard to its modifier.
func (r *Resolver) coerceArg(e Expr, t *types.T) (Expr, error) {
	if e.Type() == t {
		return e, nil
	}
	if !r.CanCoerce(e.Type(), t, Implicit) {
		return nil, cannotCast(e, t, -1)
	}
	return r.coerceType(e, t, -1, Implicit, -1)
}

// Equality and Less return the = and < procedures of t's default btree class (42883 when it has none).
func (r *Resolver) Equality(t *types.T) (*Proc, error) {
	if ops, ok := r.classOf(t); ok {
		return ops[3], nil
	}
	if fn := r.hashEquality(t); fn != nil {
		return fn, nil
	}
	return nil, pgerr.New(pgerr.UndefinedFunction, "could not identify an equality operator for type %s", types.FormatType(t, -1))
}

// Less returns the < procedure of t's default btree class.
func (r *Resolver) Less(t *types.T) (*Proc, error) {
	if ops, ok := r.classOf(t); ok {
		return ops[1], nil
	}
	return nil, pgerr.New(pgerr.UndefinedFunction, "could not identify an ordering operator for type %s", types.FormatType(t, -1)).
		WithHint("Use an explicit ordering operator or modify the query.")
}

// classOf finds the default btree class that serves a type: its own, or the one of what it is binary-coercible to.
func (r *Resolver) classOf(t *types.T) ([6]*Proc, bool) {
	t = t.BaseType()
	if ops, ok := r.Procs.btree[t.OID]; ok {
		return ops, true
	}
	if r.Snapshot != nil {
		if c := r.Snapshot.DefaultOpClass("btree", t.OID); c != nil {
			return r.userClass(c), true
		}
	}
	var generic string
	switch {
	case arrayLike(t):
		if _, err := r.Less(t.Elem); err != nil {
			return [6]*Proc{}, false
		}
		generic = anyArray
	case t.Kind == 'e':
		generic = anyEnum
	case t.Kind == 'r':
		generic = anyRange
	case t.Kind == 'm':
		generic = anyMultirange
	case t.Kind == 'c':
		for _, f := range t.Fields {
			if _, ok := r.classOf(f.Type); !ok && !f.Dropped {
				return [6]*Proc{}, false
			}
		}
		generic = "record"
	case t == types.RecordT:
		generic = "record"
	case t == types.VarcharT:
		generic = "text"
	case t == types.CidrT:
		generic = "inet"
	case t == types.UnknownT:
		generic = "text"
	case isOidAlias(t):
		generic = "oid"
	default:
		return [6]*Proc{}, false
	}
	ops, ok := r.Procs.btree[types.ByName(generic).OID]
	return ops, ok
}

// userClass finds the procedures of a btree class by strategy.
func (r *Resolver) userClass(c *catalog.OpClass) [6]*Proc {
	var ops [6]*Proc
	for strategy, oid := range c.Operators {
		if o := r.Snapshot.OperatorByOID(oid); o != nil && strategy < len(ops) {
			ops[strategy] = r.procByOID(o.Function)
		}
	}
	return ops
}

func (r *Resolver) hashEquality(t *types.T) *Proc {
	t = t.BaseType()
	if fn := r.Procs.hash[t.OID]; fn != nil {
		return fn
	}
	if r.Snapshot != nil {
		if c := r.Snapshot.DefaultOpClass("hash", t.OID); c != nil {
			return r.userClass(c)[1]
		}
	}
	if arrayLike(t) {
		if _, err := r.Equality(t.Elem); err == nil {
			if ops, ok := r.Procs.btree[types.ByName(anyArray).OID]; ok {
				return ops[3]
			}
		}
	}
	return nil
}

func isOidAlias(t *types.T) bool {
	switch t.Name {
	case "regproc", "regprocedure", "regoper", "regoperator", "regclass", "regcollation", "regtype", "regconfig",
		"regdictionary", "regnamespace", "regrole":
		return t.Schema == "pg_catalog"
	}
	return false
}
