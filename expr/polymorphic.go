package expr

import (
	"github.com/pgmongo/pgmongo/catalog"
	"github.com/pgmongo/pgmongo/types"
	"github.com/pgmongo/pgmongo/types/pgerr"
)

// The pseudo-types of the two polymorphic families.
const (
	anyArray         = "anyarray"
	anyElement       = "anyelement"
	anyNonArray      = "anynonarray"
	anyEnum          = "anyenum"
	anyRange         = "anyrange"
	anyMultirange    = "anymultirange"
	anyCompatible    = "anycompatible"
	anyCompatArray   = "anycompatiblearray"
	anyCompatNon     = "anycompatiblenonarray"
	anyCompatRange   = "anycompatiblerange"
	anyCompatMultirg = "anycompatiblemultirange"
)

// family is what one polymorphic family has been bound to while the arguments are read.
type family struct {
	elem, array, rng, multi *types.T
}

// poly resolves the polymorphic types of one call.
type poly struct {
	r                    *Resolver
	check                bool // only whether it can match: unknown arguments match anything
	any                  family
	compat               family
	compatElems          []*types.T
	nonArray, enum       bool
	compatNon            bool
	haveAny, haveCompat  bool
	unknowns, compatUnks int
}

func mismatch(format string, args ...any) *pgerr.Error {
	return pgerr.New(pgerr.DatatypeMismatch, format, args...)
}

// polymorphic finds the real types behind anyelement and its kin from the arguments of a call: the declared types with
// polymorphism replaced, and the result type (ret may be nil). With check set it only says whether they are consistent.
func (r *Resolver) polymorphic(actual, declared []*types.T, ret *types.T, check bool) ([]*types.T, *types.T, error) {
	p := &poly{r: r, check: check}
	for i, d := range declared {
		if err := p.bind(d, actual[i]); err != nil {
			return nil, nil, err
		}
	}
	if !p.haveAny && !p.haveCompat {
		return declared, ret, nil
	}
	if err := p.finish(); err != nil || check {
		return declared, ret, err
	}
	out := make([]*types.T, len(declared))
	for i, d := range declared {
		t, err := p.resolve(d)
		if err != nil {
			return nil, nil, err
		}
		out[i] = t
	}
	if ret != nil && ret.IsPolymorphic() {
		t, err := p.resolve(ret)
		if err != nil {
			return nil, nil, err
		}
		ret = t
	}
	return out, ret, nil
}

// ResolveOut gives a polymorphic OUT argument of a function the type that a call's arguments determine.
func ResolveOut(snap *catalog.Snapshot, c *Call, t *types.T) *types.T {
	if !t.IsPolymorphic() {
		return t
	}
	n := min(len(c.Fn.Args), len(c.Args))
	actual := make([]*types.T, n)
	for i, a := range c.Args[:n] {
		actual[i] = a.Type()
	}
	_, out, err := (&Resolver{Snapshot: snap}).polymorphic(actual, c.Fn.Args[:n], t, false)
	if err != nil {
		return t // a call that is only described: its arguments have no types yet
	}
	return out
}

// same binds one slot of a family, refusing a second different type.
func same(slot **types.T, t *types.T, what string) error {
	if *slot != nil && *slot != t {
		return mismatch("arguments declared \"%s\" are not all alike", what).
			WithDetail("%s versus %s", types.FormatType(*slot, -1), types.FormatType(t, -1))
	}
	*slot = t
	return nil
}

func (p *poly) bind(declared, actual *types.T) error {
	unknown := actual == types.UnknownT
	base := actual.BaseType()
	switch declared.Name {
	case anyElement, anyNonArray, anyEnum:
		p.haveAny = true
		p.nonArray = p.nonArray || declared.Name == anyNonArray
		p.enum = p.enum || declared.Name == anyEnum
		if unknown {
			p.unknowns++
			return nil
		}
		return same(&p.any.elem, actual, anyElement)
	case anyCompatible, anyCompatNon:
		p.haveCompat = true
		p.compatNon = p.compatNon || declared.Name == anyCompatNon
		if unknown {
			p.compatUnks++
			return nil
		}
		p.compatElems = append(p.compatElems, actual)
		return nil
	case anyArray:
		p.haveAny = true
		if unknown {
			p.unknowns++
			return nil
		}
		return same(&p.any.array, base, anyArray)
	case anyCompatArray:
		p.haveCompat = true
		if unknown {
			p.compatUnks++
			return nil
		}
		if !arrayLike(base) {
			return notA("array", anyCompatArray, base)
		}
		p.compatElems = append(p.compatElems, base.Elem)
		p.compat.array = base
		return nil
	case anyRange, anyMultirange:
		p.haveAny = true
		if unknown {
			p.unknowns++
			return nil
		}
		return p.bindRange(&p.any, declared.Name == anyRange, base, declared.Name)
	case anyCompatRange, anyCompatMultirg:
		p.haveCompat = true
		if unknown {
			p.compatUnks++
			return nil
		}
		return p.bindRange(&p.compat, declared.Name == anyCompatRange, base, declared.Name)
	}
	return nil
}

func (p *poly) bindRange(f *family, single bool, t *types.T, what string) error {
	if single {
		if t.Kind != 'r' {
			return notA("range", what, t)
		}
		return same(&f.rng, t, what)
	}
	if t.Kind != 'm' {
		return notA("multirange", what, t)
	}
	return same(&f.multi, t, what)
}

func notA(kind, what string, t *types.T) *pgerr.Error {
	article := "a"
	if kind == "array" {
		article = "an"
	}
	return mismatch("argument declared %s is not %s %s but type %s", what, article, kind, types.FormatType(t, -1))
}

// finish derives the slots from each other and checks them.
func (p *poly) finish() error {
	if p.haveAny {
		if err := p.finishAny(); err != nil {
			return err
		}
	}
	if p.haveCompat {
		return p.finishCompat()
	}
	return nil
}

func (p *poly) finishAny() error {
	f := &p.any
	if f.array != nil {
		elem := f.array.Elem
		if f.array.Name == anyArray { // a column of pg_stats: its element type is not known
			elem = f.elem
		} else if !arrayLike(f.array) {
			return notA("array", anyArray, f.array)
		}
		if f.elem == nil {
			f.elem = elem
		} else if f.elem != elem {
			return mismatch("argument declared %s is not consistent with argument declared %s", anyArray, anyElement).
				WithDetail("%s versus %s", types.FormatType(f.array, -1), types.FormatType(f.elem, -1))
		}
	}
	if err := p.linkRange(f, anyRange, anyMultirange, anyElement); err != nil {
		return err
	}
	if f.elem == nil {
		if p.check {
			return nil
		}
		return mismatch("could not determine polymorphic type because input has type %s", "unknown")
	}
	if p.nonArray && arrayLike(f.elem.BaseType()) {
		return mismatch("type matched to anynonarray is an array type: %s", types.FormatType(f.elem, -1))
	}
	if p.enum && f.elem.BaseType().Kind != 'e' {
		return mismatch("type matched to anyenum is not an enum type: %s", types.FormatType(f.elem, -1))
	}
	return nil
}

// linkRange ties range, multirange and element types of a family together.
func (p *poly) linkRange(f *family, rangeName, multiName, elemName string) error {
	if f.multi != nil {
		if f.rng == nil {
			f.rng = f.multi.RangeOf
		} else if f.rng != f.multi.RangeOf {
			return mismatch("argument declared %s is not consistent with argument declared %s", multiName, rangeName).
				WithDetail("%s versus %s", types.FormatType(f.multi, -1), types.FormatType(f.rng, -1))
		}
	}
	if f.rng == nil {
		return nil
	}
	if f.elem == nil {
		f.elem = f.rng.Subtype
	} else if f.elem != f.rng.Subtype {
		return mismatch("argument declared %s is not consistent with argument declared %s", rangeName, elemName).
			WithDetail("%s versus %s", types.FormatType(f.rng, -1), types.FormatType(f.elem, -1))
	}
	return nil
}

func (p *poly) finishCompat() error {
	f := &p.compat
	if f.multi != nil && f.rng == nil {
		f.rng = f.multi.RangeOf
	}
	if f.rng != nil {
		p.compatElems = append(p.compatElems, f.rng.Subtype)
	}
	switch {
	case len(p.compatElems) > 0:
		f.elem = p.r.commonOf(p.compatElems)
		if f.elem == nil {
			if p.check {
				return mismatch("no common type")
			}
			t, clash := p.r.commonType(caseArgs(p.compatElems))
			if clash == nil {
				return mismatch("arguments of anycompatible family cannot be cast to a common type")
			}
			return mismatch("argument types %s and %s cannot be matched", types.FormatType(t, -1), types.FormatType(clash.Type(), -1))
		}
	case p.check:
		return nil
	default:
		// All unknown: text, as for UNION.
		f.elem = types.TextT
	}
	if f.rng != nil && f.rng.Subtype != f.elem {
		return mismatch("anycompatiblerange type %s does not match anycompatible type %s", types.FormatType(f.rng, -1), types.FormatType(f.elem, -1))
	}
	if p.compatNon && arrayLike(f.elem.BaseType()) {
		return mismatch("type matched to anycompatiblenonarray is an array type: %s", types.FormatType(f.elem, -1))
	}
	return nil
}

func caseArgs(ts []*types.T) []Expr {
	exprs := make([]Expr, len(ts))
	for i, t := range ts {
		exprs[i] = &CaseArg{T: t}
	}
	return exprs
}

// resolve gives the real type behind a declared one.
func (p *poly) resolve(t *types.T) (*types.T, error) {
	switch t.Name {
	case anyElement, anyNonArray, anyEnum:
		return need(p.any.elem, t)
	case anyArray:
		return p.arrayType(&p.any)
	case anyRange:
		return need(p.any.rng, t)
	case anyMultirange:
		return p.multirange(&p.any, t)
	case anyCompatible, anyCompatNon:
		return need(p.compat.elem, t)
	case anyCompatArray:
		p.compat.array = nil
		return p.arrayType(&p.compat)
	case anyCompatRange:
		return need(p.compat.rng, t)
	case anyCompatMultirg:
		return p.multirange(&p.compat, t)
	}
	return t, nil
}

func need(t, declared *types.T) (*types.T, error) {
	if t == nil {
		return nil, mismatch("could not determine polymorphic type %s because input has type %s", declared.Name, "unknown")
	}
	return t, nil
}

func (p *poly) arrayType(f *family) (*types.T, error) {
	if f.array != nil {
		return f.array, nil
	}
	a := p.r.ArrayOf(f.elem)
	if a == nil {
		return nil, pgerr.New(pgerr.UndefinedObject, "could not find array type for data type %s", types.FormatType(f.elem, -1))
	}
	return a, nil
}

// multirange finds the multirange of a family's range type.
func (p *poly) multirange(f *family, declared *types.T) (*types.T, error) {
	if f.multi != nil || f.rng == nil {
		return need(f.multi, declared)
	}
	all := types.All()
	if p.r.Snapshot != nil && types.ByOID(f.rng.OID) == nil {
		all = p.r.Snapshot.Types()
	}
	for _, t := range all {
		if t.Kind == 'm' && t.RangeOf == f.rng {
			return t, nil
		}
	}
	return nil, pgerr.New(pgerr.UndefinedObject, "could not find multirange type for data type %s", types.FormatType(f.rng, -1))
}
