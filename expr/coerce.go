package expr

import (
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// path is how one type is converted to another.
type path uint8

const (
	pathNone path = iota
	pathFunc
	pathRelabel
	pathArray
	pathIO
)

// baseTypmod returns what a domain is over and the length limit that it sets; mod is what a plain type keeps.
func baseTypmod(t *types.T, mod int32) (*types.T, int32) {
	if t.Kind != 'd' {
		return t, mod
	}
	mod = -1
	for t.Kind == 'd' {
		if t.BaseTypmod >= 0 {
			mod = t.BaseTypmod
		}
		t = t.Base
	}
	return t, mod
}

func isComposite(t *types.T) bool { return t.BaseType().Kind == 'c' }

// arrayLike reports whether subscripts and array functions take a type: arrays, and the two vector types.
func arrayLike(t *types.T) bool {
	return t.IsArray() || t == types.Int2VectorT || t == types.OidVectorT
}

func isCompositeArray(t *types.T) bool { return t.IsArray() && t.Elem.Kind == 'c' }

// pathway finds how a conversion goes, and the cast function if it needs one. Domains are seen as what they are over: a
// value of a domain over int converts wherever an int does.
func (r *Resolver) pathway(from, to *types.T, ctx Context) (path, *Proc) {
	from, to = from.BaseType(), to.BaseType()
	if from == to {
		return pathRelabel, nil
	}
	if c, ok := r.castBetween(from, to); ok {
		if c.Context == 'e' && ctx < Explicit || c.Context == 'a' && ctx < Assignment {
			return pathNone, nil
		}
		switch c.Method {
		case 'b':
			return pathRelabel, nil
		case 'i':
			return pathIO, nil
		}
		return pathFunc, r.procByOID(c.Func)
	}
	if to.IsArray() && arrayLike(from) {
		switch p, _ := r.pathway(from.Elem, to.Elem, ctx); p {
		case pathNone:
		case pathIO:
			return pathIO, nil
		default:
			return pathArray, nil
		}
	}
	// Any type converts to a text type by assignment and from one by an explicit cast, through its text form.
	if ctx >= Assignment && to.Category == 'S' || ctx >= Explicit && from.Category == 'S' {
		return pathIO, nil
	}
	return pathNone, nil
}

// castBetween finds a built-in cast or one of the database's own.
func (r *Resolver) castBetween(from, to *types.T) (Cast, bool) {
	if c, ok := r.Procs.casts[castKey{from.OID, to.OID}]; ok {
		return c, true
	}
	if r.Snapshot != nil {
		if c := r.Snapshot.CastBetween(from.OID, to.OID); c != nil {
			return Cast{Func: c.Function, Context: c.Context, Method: c.Method}, true
		}
	}
	return Cast{}, false
}

// CanCoerce reports whether Coerce from one type to another would find a way.
func (r *Resolver) CanCoerce(from, to *types.T, ctx Context) bool {
	return r.canCoerceAll([]*types.T{from}, []*types.T{to}, ctx)
}

func (r *Resolver) canCoerceAll(from, to []*types.T, ctx Context) bool {
	generic := false
	for i := range to {
		f, t := from[i], to[i]
		switch {
		case f == t, t == types.AnyT:
		case t.IsPolymorphic():
			generic = true
		case f == types.UnknownT:
		case r.canCoerceOne(f, t, ctx):
		default:
			return false
		}
	}
	if generic {
		_, _, err := r.polymorphic(from, to, nil, true)
		return err == nil
	}
	return true
}

func (r *Resolver) canCoerceOne(f, t *types.T, ctx Context) bool {
	if p, _ := r.pathway(f, t, ctx); p != pathNone {
		return true
	}
	switch {
	case f == types.RecordT && isComposite(t), t == types.RecordT && isComposite(f):
		return true
	case t.Name == "_record" && isCompositeArray(f):
		return true
	}
	return false
}

// Coerce converts e to a type, inserting the cast that PostgreSQL would. When there is none the error is 42846 ("cannot
// cast type ..."); callers that word it otherwise (assignment to a column) ask CanCoerce first.
func (r *Resolver) Coerce(e Expr, t *types.T, typmod int32, ctx Context, loc int32) (Expr, error) {
	if !r.CanCoerce(e.Type(), t, ctx) {
		return nil, cannotCast(e, t, loc)
	}
	x, err := r.coerceType(e, t, typmod, ctx, loc)
	if err != nil {
		return nil, err
	}
	if x == e {
		return r.coerceTypmod(x, t, typmod, ctx, loc)
	}
	// A cast to numeric(5,2) is shown as one cast, though it is one to numeric and one to its length.
	hidden := hideCast(x)
	y, err := r.coerceTypmod(hidden, t, typmod, ctx, loc)
	if y == hidden {
		return x, err
	}
	return y, err
}

// hideCast makes an explicit cast an implicit one, which Deparse does not show; other expressions stay.
func hideCast(e Expr) Expr {
	switch x := e.(type) {
	case *Call:
		if x.Cast == 'e' {
			c := *x
			c.Cast = 'i'
			return &c
		}
	case *Relabel:
		c := *x
		c.Implicit = true
		return &c
	case *IOCast:
		c := *x
		c.Implicit = true
		return &c
	case *ArrayCast:
		c := *x
		c.Implicit = true
		return &c
	case *ToDomain:
		c := *x
		c.Implicit = true
		return &c
	}
	return e
}

func cannotCast(e Expr, t *types.T, loc int32) error {
	if loc < 0 {
		loc = Loc(e)
	}
	return pgerr.New(pgerr.CannotCoerce, "cannot cast type %s to %s", types.FormatType(e.Type(), -1), types.FormatType(t, -1)).At(loc)
}

// coerceType converts the type without regard to the length limit, except where the conversion itself applies it.
func (r *Resolver) coerceType(e Expr, t *types.T, typmod int32, ctx Context, loc int32) (Expr, error) {
	from := e.Type()
	if from == t {
		return e, nil
	}
	if c, ok := e.(*Collate); ok && !c.Key && !c.Text {
		x, err := r.coerceType(c.X, t, typmod, ctx, loc)
		if err != nil {
			return nil, err
		}
		return &Collate{X: x, Name: c.Name, Schema: c.Schema, Locale: c.Locale}, nil
	}
	switch t.Name {
	case "any", "anyelement", "anynonarray", "anycompatible", "anycompatiblenonarray":
		return e, nil
	}
	if t.IsPolymorphic() && from != types.UnknownT {
		// An array function sees a domain over an array as the array.
		if base := from.BaseType(); base != from {
			return &Relabel{X: e, T: base, Mod: e.Typmod(), Implicit: true}, nil
		}
		return e, nil
	}
	if from == types.UnknownT {
		return r.coerceUnknown(e, t, typmod, ctx, loc)
	}
	how, fn := r.pathway(from, t, ctx)
	switch how {
	case pathNone:
		return r.coerceRow(e, t, ctx, loc)
	case pathRelabel:
		if t.Kind == 'd' {
			return r.toDomain(e, t, ctx, loc)
		}
		return &Relabel{X: e, T: t, Mod: -1, Implicit: ctx != Explicit}, nil
	}
	base, mod := baseTypmod(t, typmod)
	x, err := r.convert(e, how, fn, base, mod, ctx, loc)
	if err != nil || base == t {
		return x, err
	}
	return r.toDomain(x, t, ctx, loc)
}

// coerceUnknown gives a literal, a parameter or another expression of type unknown its type.
func (r *Resolver) coerceUnknown(e Expr, t *types.T, typmod int32, ctx Context, loc int32) (Expr, error) {
	switch x := e.(type) {
	case *Const:
		base, mod := baseTypmod(t, typmod)
		if base.IsArray() && base.Elem.Kind == 'd' && !x.D.IsNull() {
			// The domain's constraints hold for each element, as reading the array in knows nothing of them.
			array, err := r.coerceUnknown(e, r.ArrayOf(base.Elem.BaseType()), typmod, ctx, loc)
			if err != nil {
				return nil, err
			}
			return r.coerceType(array, t, typmod, ctx, loc)
		}
		c := &Const{D: x.D, T: base, Mod: -1, Loc: x.Loc}
		if base.OID == types.IntervalT.OID {
			// interval's input needs its fields to read '1' as the unit that was declared.
			c.Mod = mod
		}
		if !x.D.IsNull() {
			d, err := types.Input(r.IO, base, c.Mod, x.D.Str())
			if err != nil {
				if x.Loc < 0 {
					return nil, err
				}
				return nil, pgerr.At(err, x.Loc)
			}
			c.D = d
		}
		if base == t {
			return c, nil
		}
		return r.toDomain(c, t, ctx, loc)
	case *Param:
		if r.SetParam != nil {
			if err := r.SetParam(x.N, t); err != nil {
				return nil, pgerr.At(err, loc)
			}
			return r.Param(x.N, t, loc)
		}
	}
	base, mod := baseTypmod(t, typmod)
	x := Expr(&IOCast{X: e, T: base, Mod: -1, Implicit: ctx != Explicit, Loc: loc})
	if mod >= 0 && base.OID == types.IntervalT.OID {
		x.(*IOCast).Mod = mod
	}
	if base == t {
		return x, nil
	}
	return r.toDomain(x, t, ctx, loc)
}

// convert builds the cast along a path that was found.
func (r *Resolver) convert(e Expr, how path, fn *Proc, t *types.T, mod int32, ctx Context, loc int32) (Expr, error) {
	switch how {
	case pathFunc:
		return castCall(e, fn, t, mod, ctx, loc), nil
	case pathArray:
		from := e.Type().BaseType()
		elem, err := r.Coerce(&CaseArg{T: from.Elem}, t.Elem, mod, ctx, loc)
		if err != nil {
			return nil, err
		}
		return &ArrayCast{X: e, Elem: elem, T: t, Mod: mod, Implicit: ctx != Explicit}, nil
	case pathIO:
		return &IOCast{X: e, T: t, Mod: -1, Implicit: ctx != Explicit, Loc: loc}, nil
	}
	return nil, pgerr.Internal("no conversion from %s to %s", e.Type().Name, t.Name)
}

// castCall builds a call of a cast or length coercion function, which may also take the modifier and whether the cast is
// explicit.
func castCall(e Expr, fn *Proc, t *types.T, mod int32, ctx Context, loc int32) *Call {
	c := &Call{Fn: fn, Args: []Expr{e}, T: t, Mod: -1, Cast: 'i', Loc: loc}
	if ctx == Explicit {
		c.Cast = 'e'
	}
	if len(fn.Args) >= 2 {
		c.Args = append(c.Args, &Const{D: types.Int(int64(mod)), T: types.Int4T, Mod: -1, Loc: -1})
		c.Mod = mod
	}
	if len(fn.Args) == 3 {
		c.Args = append(c.Args, &Const{D: types.Bool(ctx == Explicit), T: types.BoolT, Mod: -1, Loc: -1})
	}
	return c
}

// coerceTypmod adds the length coercion of varchar(n), numeric(p,s), timestamp(p) and so on.
func (r *Resolver) coerceTypmod(e Expr, t *types.T, typmod int32, ctx Context, loc int32) (Expr, error) {
	if typmod == e.Typmod() || t.Kind == 'd' {
		return e, nil
	}
	elem := t
	if t.IsArray() {
		elem = t.Elem
	}
	c, ok := r.Procs.casts[castKey{elem.OID, elem.OID}]
	if typmod < 0 || !ok || c.Func == 0 {
		return &Relabel{X: e, T: t, Mod: typmod, Implicit: ctx != Explicit}, nil
	}
	fn := r.Procs.ByOID(c.Func)
	if elem == t {
		return castCall(e, fn, t, typmod, ctx, loc), nil
	}
	return &ArrayCast{X: e, Elem: castCall(&CaseArg{T: elem}, fn, elem, typmod, ctx, loc), T: t, Mod: typmod, Implicit: ctx != Explicit}, nil
}

// Param makes the reference to a parameter of the type. One of a domain is checked where it is used, as reading it in knows
// nothing of constraints: INSERT INTO t VALUES ($1) must not take what the domain of the column forbids.
func (r *Resolver) Param(n int, t *types.T, loc int32) (Expr, error) {
	p := &Param{N: n, T: t, Mod: -1}
	if base := t.BaseType(); base.IsArray() && base.Elem.Kind == 'd' {
		return r.coerceType(&Relabel{X: p, T: r.ArrayOf(base.Elem.BaseType()), Mod: -1, Implicit: true}, t, -1, Implicit, loc)
	}
	if t.Kind != 'd' {
		return p, nil
	}
	return r.toDomain(p, t, Implicit, loc)
}

// toDomain checks a value of a domain's base type against the domain.
func (r *Resolver) toDomain(e Expr, t *types.T, ctx Context, loc int32) (Expr, error) {
	base, mod := baseTypmod(t, -1)
	var err error
	if e.Type() != base {
		e = &Relabel{X: e, T: base, Mod: e.Typmod(), Implicit: true}
	}
	if mod >= 0 {
		if e, err = r.coerceTypmod(e, base, mod, ctx, loc); err != nil {
			return nil, err
		}
	}
	out := &ToDomain{X: e, T: t, Implicit: ctx != Explicit}
	// The checks of the domains below apply first, as their constraints are older.
	for d := t; d.Kind == 'd'; d = d.Base {
		var checks []DomainCheck
		for _, c := range d.Checks {
			if r.BindCheck == nil {
				return nil, pgerr.Unsupported("CHECK constraints of domains here")
			}
			cond, err := r.BindCheck(base, c.Expr)
			if err != nil {
				return nil, err
			}
			checks = append(checks, DomainCheck{Name: c.Name, Cond: cond})
		}
		out.Checks = append(checks, out.Checks...)
	}
	return out, nil
}

// coerceRow converts between record and composite types: a ROW(...) field by field, a value of a named composite to record
// as it is.
func (r *Resolver) coerceRow(e Expr, t *types.T, ctx Context, loc int32) (Expr, error) {
	if t == types.RecordT || t.Name == "_record" {
		return e, nil
	}
	base := t.BaseType()
	row, ok := e.(*Row)
	if !ok || base.Kind != 'c' {
		return nil, cannotCast(e, t, loc)
	}
	out := &Row{T: base, Names: make([]string, 0, len(base.Fields))}
	next := 0
	for i, f := range base.Fields {
		if f.Dropped {
			continue
		}
		if next >= len(row.Elems) {
			return nil, withDetail(cannotCast(e, t, loc), "Input has too few columns.")
		}
		x := row.Elems[next]
		if !r.CanCoerce(x.Type(), f.Type, ctx) {
			return nil, withDetail(cannotCast(e, t, loc), "Cannot cast type %s to %s in column %d.",
				types.FormatType(x.Type(), -1), types.FormatType(f.Type, -1), i+1)
		}
		c, err := r.Coerce(x, f.Type, f.Typmod, ctx, loc)
		if err != nil {
			return nil, err
		}
		out.Elems, out.Names = append(out.Elems, c), append(out.Names, f.Name)
		next++
	}
	if next != len(row.Elems) {
		return nil, withDetail(cannotCast(e, t, loc), "Input has too many columns.")
	}
	if base == t {
		return out, nil
	}
	return r.toDomain(out, t, ctx, loc)
}

func withDetail(err error, format string, args ...any) error {
	return pgerr.From(err).WithDetail(format, args...)
}

// CommonType chooses the type that UNION, CASE, VALUES and so on give (manual, section 10.5); what names the construct in
// the 42804 error, like "UNION" or "CASE".
func (r *Resolver) CommonType(exprs []Expr, what string, loc int32) (*types.T, error) {
	t, clash := r.commonType(exprs)
	if clash == nil {
		return t, nil
	}
	at := Loc(clash)
	if at < 0 {
		at = loc
	}
	return nil, pgerr.New(pgerr.DatatypeMismatch, "%s types %s and %s cannot be matched", what,
		types.FormatType(t, -1), types.FormatType(clash.Type().BaseType(), -1)).At(at)
}

// HasCommonType is CommonType without an error: nil when the types do not go together, as for a list after IN.
func (r *Resolver) HasCommonType(exprs []Expr) *types.T {
	t, clash := r.commonType(exprs)
	if clash != nil {
		return nil
	}
	for _, e := range exprs {
		if !r.CanCoerce(e.Type(), t, Implicit) {
			return nil
		}
	}
	return t
}

// CoerceCommon converts an expression to the common type that was chosen with others.
func (r *Resolver) CoerceCommon(e Expr, t *types.T, what string) (Expr, error) {
	if e.Type() == t {
		return e, nil
	}
	if !r.CanCoerce(e.Type(), t, Implicit) {
		return nil, pgerr.New(pgerr.CannotCoerce, "%s could not convert type %s to %s", what,
			types.FormatType(e.Type(), -1), types.FormatType(t, -1)).At(Loc(e))
	}
	return r.coerceType(e, t, -1, Implicit, -1)
}

// commonType returns the type so far and the first expression that does not go with it.
func (r *Resolver) commonType(exprs []Expr) (*types.T, Expr) {
	first := exprs[0].Type()
	same := first != types.UnknownT
	for _, e := range exprs[1:] {
		same = same && e.Type() == first
	}
	if same {
		return first, nil
	}
	t := first.BaseType()
	for _, e := range exprs[1:] {
		n := e.Type().BaseType()
		switch {
		case n == types.UnknownT || n == t:
		case t == types.UnknownT:
			t = n
		case n.Category != t.Category:
			return t, e
		case !t.Preferred && r.CanCoerce(t, n, Implicit) && !r.CanCoerce(n, t, Implicit):
			t = n
		}
	}
	if t == types.UnknownT {
		t = types.TextT
	}
	return t, nil
}

// commonOf is CommonType over bare types, for the anycompatible family; nil when they do not go together.
func (r *Resolver) commonOf(ts []*types.T) *types.T {
	exprs := make([]Expr, len(ts))
	for i, t := range ts {
		exprs[i] = &CaseArg{T: t}
	}
	return r.HasCommonType(exprs)
}
