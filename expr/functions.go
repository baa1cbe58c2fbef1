package expr

import (
	"slices"
	"strings"

	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// FuncCall is a function call to resolve.
type FuncCall struct {
	Schema, Name string
	Args         []Expr
	ArgNames     []string // parallel to Args, "" for positional ones; nil if all are
	Variadic     bool
	Star         bool // count(*)
	// Procedure says that CALL is resolving it.
	Procedure bool
	Loc       int32
}

// Func resolves a call and coerces its arguments, filling in defaults. The result may also be a cast when the name is that
// of a type (PostgreSQL's functional cast notation). The caller looks at Fn.Kind for aggregates and window functions.
// Errors: 42883 (with PostgreSQL's hint), 42725, 42809.
func (r *Resolver) Func(c FuncCall) (Expr, error) {
	if err := checkArgNames(c); err != nil {
		return nil, err
	}
	input := make([]*types.T, len(c.Args))
	for i, a := range c.Args {
		input[i] = a.Type()
	}
	cands, err := r.functions(c, len(input))
	if err != nil {
		return nil, err
	}
	best, cast, err := r.pickFunction(c, input, cands)
	if err != nil {
		return nil, err
	}
	if cast != nil {
		return r.Coerce(c.Args[0], cast, -1, Explicit, c.Loc)
	}
	if err := checkKind(c, best.proc); err != nil {
		return nil, err
	}
	return r.call(c, best)
}

func checkArgNames(c FuncCall) error {
	seen := map[string]bool{}
	named := false
	for i, n := range c.ArgNames {
		if n == "" {
			if named {
				return pgerr.New(pgerr.SyntaxError, "positional argument cannot follow named argument").At(Loc(c.Args[i]))
			}
			continue
		}
		if named = true; seen[n] {
			return pgerr.New(pgerr.SyntaxError, "argument name \"%s\" used more than once", n).At(Loc(c.Args[i]))
		}
		seen[n] = true
	}
	return nil
}

func checkKind(c FuncCall, fn *Proc) error {
	name := qualified(c.Schema, c.Name)
	switch {
	case c.Procedure && fn.Kind != 'p':
		return pgerr.New(pgerr.WrongObjectType, "%s is not a procedure", signature(c)).WithHint("To call a function, use SELECT.").At(c.Loc)
	case !c.Procedure && fn.Kind == 'p':
		return pgerr.New(pgerr.WrongObjectType, "%s is a procedure", signature(c)).WithHint("To call a procedure, use CALL.").At(c.Loc)
	case c.Star && fn.Kind == 'f':
		return pgerr.New(pgerr.WrongObjectType, "%s(*) specified, but %s is not an aggregate function", name, name).At(c.Loc)
	case !c.Star && fn.Kind == 'a' && len(fn.Args) == 0:
		return pgerr.New(pgerr.WrongObjectType, "%s(*) must be used to call a parameterless aggregate function", name).At(c.Loc)
	}
	return nil
}

func qualified(schema, name string) string {
	if schema == "" {
		return name
	}
	return schema + "." + name
}

// signature writes a call as PostgreSQL's messages do: f(integer, x => text).
func signature(c FuncCall) string {
	var b strings.Builder
	b.WriteString(qualified(c.Schema, c.Name))
	b.WriteByte('(')
	for i, a := range c.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		if c.ArgNames != nil && c.ArgNames[i] != "" {
			b.WriteString(c.ArgNames[i] + " => ")
		}
		b.WriteString(types.FormatType(a.Type(), -1))
	}
	b.WriteByte(')')
	return b.String()
}

// functions lists what a call of n arguments may mean, functions of earlier schemas hiding later ones of the same arguments.
func (r *Resolver) functions(c FuncCall, n int) ([]*candidate, error) {
	schemas, err := r.schemas(c.Schema)
	if err != nil {
		return nil, pgerr.At(err, c.Loc)
	}
	var out []*candidate
	for pos, schema := range schemas {
		if c.Schema == "" && catalog.IsTemp(schema) {
			continue // a temporary function is not to be called in place of another one
		}
		for _, fn := range r.procsIn(schema, c.Name) {
			if c.Procedure {
				fn = withOutArgs(fn)
			}
			cand := match(c, fn, n)
			if cand == nil {
				continue
			}
			cand.pathpos = pos
			out = addCandidate(out, cand)
		}
	}
	return out, nil
}

// withOutArgs is a function as CALL finds it: by its OUT arguments, too, to be told that it is no procedure.
func withOutArgs(fn *Proc) *Proc {
	if fn.Kind == 'p' || !slices.Contains(fn.ArgModes, 'o') {
		return fn
	}
	out := *fn
	out.Args = nil
	for i, m := range fn.ArgModes {
		if m != 't' {
			out.Args = append(out.Args, fn.AllArgs[i])
		}
	}
	return &out
}

func (r *Resolver) procsIn(schema, name string) []*Proc {
	procs := r.Procs.ByName(schema, name)
	if r.Snapshot == nil {
		return procs
	}
	users := r.Snapshot.FunctionsIn(schema, name)
	if len(users) == 0 {
		return procs
	}
	procs = append([]*Proc{}, procs...)
	for _, f := range users {
		procs = append(procs, r.userProc(f))
	}
	return procs
}

// userProc gives one Proc for a function within one resolver, so that calls of it compare by pointer.
func (r *Resolver) userProc(f *catalog.Function) *Proc {
	p := r.users[f]
	if p == nil {
		if r.users == nil {
			r.users = map[*catalog.Function]*Proc{}
		}
		p = UserProc(f)
		if p.Impl = r.Procs.code[f.OID]; p.Impl != nil {
			p.User = nil // an extension's
		}
		if f.Language == catalog.Internal {
			p.Impl, p.User = r.Procs.internal[f.Source].Impl, nil
		}
		r.users[f] = p
	}
	return p
}

// UserProc makes the Proc of a user-defined function.
func UserProc(f *catalog.Function) *Proc {
	p := &Proc{
		OID: f.OID, Schema: f.Schema, Name: f.Name, Kind: f.Kind, Ret: f.Ret, RetSet: f.RetSet, Strict: f.Strict,
		Volatility: f.Volatile, User: f,
	}
	plain := true
	for _, a := range f.Args {
		plain = plain && a.Mode == 'i' && a.Name == ""
		// CALL names OUT arguments, too.
		if a.Mode != 't' && (a.Mode != 'o' || f.Kind == 'p') {
			p.Args = append(p.Args, a.Type)
			if a.Default != "" {
				p.Defaults = append(p.Defaults, a.Default)
			}
		}
		if a.Mode == 'v' {
			p.Variadic = a.Type
			if a.Type.IsArray() {
				p.Variadic = a.Type.Elem
			} else if a.Type.Name == anyArray {
				p.Variadic = types.ByName(anyElement)
			}
		}
	}
	if !plain {
		for _, a := range f.Args {
			p.AllArgs, p.ArgModes, p.ArgNames = append(p.AllArgs, a.Type), append(p.ArgModes, a.Mode), append(p.ArgNames, a.Name)
		}
	}
	return p
}

// addCandidate adds one unless an equal signature comes before it; where nothing tells two apart, calling them is
// ambiguous.
func addCandidate(list []*candidate, c *candidate) []*candidate {
	for i, o := range list {
		if !sameTypes(o.args, c.args) || o.order != nil || c.order != nil {
			continue
		}
		switch {
		case o.pathpos != c.pathpos:
			return list
		case c.expanded && !o.expanded:
			return list
		case o.expanded && !c.expanded:
			list[i] = c
			return list
		case o.defaults == 0 && c.defaults > 0:
			return list
		case o.defaults > 0 && c.defaults == 0:
			list[i] = c
			return list
		}
		o.ambiguous = true
		return list
	}
	return append(list, c)
}

// match sees whether a function can take n arguments given that way; nil if it cannot.
func match(c FuncCall, fn *Proc, n int) *candidate {
	if hasNames(c.ArgNames) {
		return matchNamed(c, fn, n)
	}
	nargs := len(fn.Args)
	cand := &candidate{proc: fn}
	if fn.Variadic != nil && !c.Variadic && nargs <= n {
		cand.expanded = true
		cand.args = append(cand.args, fn.Args[:nargs-1]...)
		for len(cand.args) < n {
			cand.args = append(cand.args, fn.Variadic)
		}
		return cand
	}
	if c.Variadic && (fn.Variadic == nil || nargs != n) {
		return nil
	}
	if n > nargs || n+len(fn.Defaults) < nargs {
		return nil
	}
	cand.args, cand.defaults = fn.Args[:n:n], nargs-n
	return cand
}

func hasNames(names []string) bool {
	for _, n := range names {
		if n != "" {
			return true
		}
	}
	return false
}

func matchNamed(c FuncCall, fn *Proc, n int) *candidate {
	nargs := len(fn.Args)
	if n > nargs || fn.ArgNames == nil || fn.Variadic != nil && !c.Variadic || n+len(fn.Defaults) < nargs {
		return nil
	}
	// The names of the input arguments, in order.
	var names []string
	for i, name := range fn.ArgNames {
		if fn.ArgModes == nil || fn.ArgModes[i] == 'i' || fn.ArgModes[i] == 'b' || fn.ArgModes[i] == 'v' || fn.Kind == 'p' && fn.ArgModes[i] == 'o' {
			names = append(names, name)
		}
	}
	cand := &candidate{proc: fn, defaults: nargs - n}
	used := make([]bool, nargs)
	for i, name := range c.ArgNames {
		at := i
		if name != "" {
			at = -1
			for j := range names {
				if names[j] == name && j < nargs {
					at = j
				}
			}
		}
		if at < 0 || used[at] {
			return nil
		}
		used[at] = true
		cand.order = append(cand.order, at)
		cand.args = append(cand.args, fn.Args[at])
	}
	for i, u := range used {
		if !u && i < nargs-len(fn.Defaults) {
			return nil
		}
	}
	return cand
}

// pickFunction chooses among the candidates, or says that the call is a cast to a type.
func (r *Resolver) pickFunction(c FuncCall, input []*types.T, cands []*candidate) (*candidate, *types.T, error) {
	var best *candidate
	for _, cand := range cands {
		if sameTypes(cand.args, input) {
			best = cand
			break
		}
	}
	if best == nil {
		if len(input) == 1 && !hasNames(c.ArgNames) && !c.Variadic && !c.Star {
			if t := r.castFunction(c, input[0]); t != nil {
				return nil, t, nil
			}
		}
		match := r.matching(input, cands)
		switch len(match) {
		case 0:
			return nil, nil, NoFunction(c)
		case 1:
			best = match[0]
		default:
			best = r.choose(input, match)
		}
	}
	if best == nil || best.ambiguous {
		what := "function"
		if c.Procedure {
			what = "procedure"
		}
		return nil, nil, pgerr.New(pgerr.AmbiguousFunction, "%s %s is not unique", what, signature(c)).
			WithHint("Could not choose a best candidate %s. You might need to add explicit type casts.", what).At(c.Loc)
	}
	return best, nil, nil
}

// NoFunction is the error for a call that no function matches.
func NoFunction(c FuncCall) *pgerr.Error {
	what := "function"
	if c.Procedure {
		what = "procedure"
	}
	return pgerr.New(pgerr.UndefinedFunction, "%s %s does not exist", what, signature(c)).
		WithHint("No %s matches the given name and argument types. You might need to add explicit type casts.", what).At(c.Loc)
}

// castFunction returns the type that a call like float8(x) or date('2020-01-01') casts to: only where the cast does
// nothing, goes through text, or the argument is a literal; other casts are functions of that name anyway.
func (r *Resolver) castFunction(c FuncCall, from *types.T) *types.T {
	schemas, err := r.schemas(c.Schema)
	if err != nil {
		return nil
	}
	var t *types.T
	for _, s := range schemas {
		if t = r.typeIn(s, c.Name); t != nil {
			break
		}
	}
	if t == nil || t.Kind == 'c' {
		return nil
	}
	if from == types.UnknownT {
		return t
	}
	switch how, _ := r.pathway(from, t, Explicit); how {
	case pathRelabel:
		return t
	case pathIO:
		// A row has no implicit text cast by function syntax: it would shadow a column of that name.
		if (from == types.RecordT || isComposite(from)) && t.Category == 'S' {
			return nil
		}
		return t
	}
	return nil
}

// call builds the call of a chosen function: arguments in the function's order, defaults filled in, coerced.
func (r *Resolver) call(c FuncCall, best *candidate) (Expr, error) {
	fn := best.proc
	if fn.User != nil {
		r.Routines = append(r.Routines, fn.User)
	}
	r.LargeObjects = r.LargeObjects || fn.User == nil && UsesLargeObjects(fn.OID)
	args, declared := c.Args, best.args
	if best.order != nil {
		args, declared = make([]Expr, len(fn.Args)), fn.Args
		for i, at := range best.order {
			args[at] = c.Args[i]
		}
	} else if best.defaults > 0 {
		args, declared = append(append([]Expr{}, args...), make([]Expr, best.defaults)...), fn.Args
	}
	for i, a := range args {
		if a != nil {
			continue
		}
		d, err := r.defaultArg(fn, i)
		if err != nil {
			return nil, err
		}
		if args[i], err = r.Coerce(d, fn.Args[i], -1, Assignment, -1); err != nil {
			return nil, err
		}
	}
	args, ret, err := r.arguments(args, declared, fn.Ret, c.Loc)
	if err != nil {
		return nil, err
	}
	if best.expanded && fn.Variadic != types.AnyT {
		// The function itself takes one array.
		at := len(fn.Args) - 1
		rest := args[at:]
		arrayT := r.ArrayOf(rest[0].Type())
		if arrayT == nil {
			return nil, pgerr.New(pgerr.UndefinedObject, "could not find array type for data type %s",
				types.FormatType(rest[0].Type(), -1)).At(Loc(rest[0]))
		}
		args = append(append([]Expr{}, args[:at]...), &Array{Elems: rest, T: arrayT})
		return &Call{Fn: fn, Args: args, T: ret, Mod: -1, Variadic: true, Loc: c.Loc}, nil
	}
	if c.Variadic {
		last := args[len(args)-1].Type()
		if !last.BaseType().IsArray() && fn.Variadic == types.AnyT {
			return nil, mismatchAt(Loc(args[len(args)-1]), "VARIADIC argument must be an array")
		}
	}
	out := &Call{Fn: fn, Args: args, T: ret, Mod: -1, Variadic: c.Variadic, Loc: c.Loc}
	if best.order == nil {
		out.Defaults = best.defaults
	}
	return out, nil
}

func mismatchAt(loc int32, msg string) error {
	return pgerr.New(pgerr.DatatypeMismatch, "%s", msg).At(loc)
}

// defaultArg returns the default of argument i.
func (r *Resolver) defaultArg(fn *Proc, i int) (Expr, error) {
	text := fn.Defaults[i-(len(fn.Args)-len(fn.Defaults))]
	if fn.User == nil {
		return literal(text), nil
	}
	if r.BindDefault == nil {
		return nil, pgerr.Unsupported("default arguments here")
	}
	return r.BindDefault(text)
}

// literal reads the plain defaults of built-in functions: a quoted text or a bare number or boolean.
func literal(text string) *Const {
	return &Const{D: types.Str(strings.Trim(text, "'")), T: types.UnknownT, Mod: -1, Loc: -1}
}
