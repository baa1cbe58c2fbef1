package expr

import "github.com/pgmongo/pgmongo/types"

// Fold evaluates what is constant in e, as PostgreSQL does at plan time: calls of immutable functions over constants (and
// with stable set, also stable ones and parameters, as when a filter is about to be sent). An error while folding leaves
// the expression as it is, to be raised when it is reached: CASE WHEN false THEN 1/0 END is NULL.
func Fold(env *Env, e Expr, stable bool) Expr {
	f := &folder{env: env, stable: stable}
	return f.fold(e)
}

type folder struct {
	env    *Env
	stable bool
}

func (f *folder) fold(e Expr) Expr {
	if c, ok := e.(*Case); ok {
		return f.foldCase(c)
	}
	children := e.Children()
	var changed []Expr
	for i, c := range children {
		if n := f.fold(c); n != c {
			if changed == nil {
				changed = append([]Expr{}, children...)
			}
			changed[i] = n
		}
	}
	if changed != nil {
		e = e.WithChildren(changed)
	}
	return f.node(e)
}

func isConst(e Expr) bool { _, ok := e.(*Const); return ok }

func nullConst(e Expr) bool { c, ok := e.(*Const); return ok && c.D.IsNull() }

func boolConst(e Expr) (value, ok bool) {
	c, ok := e.(*Const)
	if !ok || c.D.IsNull() {
		return false, false
	}
	return c.D.Bool(), true
}

// node folds one expression whose children are folded.
func (f *folder) node(e Expr) Expr {
	switch e := e.(type) {
	case *Const, *ColRef, *CaseArg, *Subquery, *Agg, *WindowCall:
		return e
	case *Param:
		if f.stable && f.env != nil && e.N <= len(f.env.Params) {
			return f.eval(e)
		}
		return e
	case *And:
		return junction(e.Args, false, func(args []Expr) Expr { return &And{args} })
	case *Or:
		return junction(e.Args, true, func(args []Expr) Expr { return &Or{args} })
	case *Coalesce:
		return foldCoalesce(e)
	case *Call:
		return f.call(e)
	case *ScalarArray:
		if !f.may(e.Op.Volatility) {
			return e
		}
	case *IOCast:
		if !f.may(ioVolatility(e.X.Type(), e.T)) {
			return e
		}
	case *ToDomain:
		if !f.stable {
			return e
		}
	case *ArrayCast:
		if !f.may(Volatility(e.Elem)) {
			return e
		}
	}
	for _, c := range e.Children() {
		if !isConst(c) {
			return e
		}
	}
	return f.eval(e)
}

func (f *folder) may(volatility byte) bool { return volatility == 'i' || f.stable && volatility == 's' }

func (f *folder) call(e *Call) Expr {
	if e.Fn.RetSet || e.Fn.Kind != 'f' {
		return e
	}
	all := true
	for _, a := range e.Args {
		if e.Fn.Strict && nullConst(a) {
			return &Const{T: e.T, Mod: e.Mod, Loc: -1}
		}
		all = all && isConst(a)
	}
	if !all || !f.may(e.Fn.Volatility) || e.Fn.Impl == nil {
		return e
	}
	return f.eval(e)
}

// eval replaces an expression by its value; one that fails stays.
func (f *folder) eval(e Expr) Expr {
	run, err := Compile(e, nil)
	if err != nil {
		return e
	}
	env := f.env
	if env == nil {
		env = &Env{IO: types.DefaultIO()}
	}
	d, err := run(env, nil)
	if err != nil {
		return e
	}
	return &Const{D: d, T: e.Type(), Mod: e.Typmod(), Loc: Loc(e)}
}

// junction simplifies AND (dominant false) and OR (dominant true): the dominant value decides, the other is left out, and
// nested ones are flattened. NULL stays, for it makes neither.
func junction(args []Expr, dominant bool, build func([]Expr) Expr) Expr {
	var out []Expr
	null := false
	for _, a := range args {
		if v, ok := boolConst(a); ok {
			if v == dominant {
				return &Const{D: types.Bool(dominant), T: types.BoolT, Mod: -1, Loc: -1}
			}
			continue
		}
		if nullConst(a) {
			if null {
				continue
			}
			null = true
		}
		switch n := a.(type) {
		case *And:
			if !dominant {
				out = append(out, n.Args...)
				continue
			}
		case *Or:
			if dominant {
				out = append(out, n.Args...)
				continue
			}
		}
		out = append(out, a)
	}
	switch len(out) {
	case 0:
		return &Const{D: types.Bool(!dominant), T: types.BoolT, Mod: -1, Loc: -1}
	case 1:
		return out[0]
	}
	return build(out)
}

// foldCoalesce leaves out NULLs and what comes after the first constant.
func foldCoalesce(e *Coalesce) Expr {
	var out []Expr
	for _, a := range e.Args {
		if nullConst(a) {
			continue
		}
		out = append(out, a)
		if isConst(a) {
			break
		}
	}
	switch {
	case len(out) == 0:
		return &Const{T: e.T, Mod: -1, Loc: -1}
	case len(out) == 1 && isConst(out[0]):
		return out[0]
	case len(out) == len(e.Args):
		return e
	}
	return &Coalesce{Args: out, T: e.T}
}

// foldCase drops branches that cannot be reached before it folds what is in them, so that an error in a dead branch is
// never met.
func (f *folder) foldCase(e *Case) Expr {
	n := &Case{T: e.T, Mod: e.Mod}
	if e.Arg != nil {
		n.Arg = f.fold(e.Arg)
	}
	arg, constArg := n.Arg.(*Const)
	for _, w := range e.Whens {
		cond := w.Cond
		if constArg {
			cond = bindCaseArg(cond, arg)
		}
		cond = f.fold(cond)
		if v, ok := boolConst(cond); ok || nullConst(cond) {
			if !v {
				continue
			}
			n.Else = f.fold(w.Then)
			return n.done()
		}
		n.Whens = append(n.Whens, When{cond, f.fold(w.Then)})
	}
	if e.Else != nil {
		n.Else = f.fold(e.Else)
	}
	return n.done()
}

// done gives a CASE without branches as its ELSE.
func (e *Case) done() Expr {
	switch {
	case len(e.Whens) > 0:
		return e
	case e.Else != nil:
		return e.Else
	}
	return &Const{T: e.T, Mod: e.Mod, Loc: -1}
}

// bindCaseArg puts a constant in the place of a simple CASE's argument; nested CASEs and array casts have their own.
func bindCaseArg(e Expr, arg *Const) Expr {
	switch e := e.(type) {
	case *CaseArg:
		return &Const{D: arg.D, T: e.T, Mod: arg.Mod, Loc: -1}
	case *Case:
		if e.Arg != nil {
			return e
		}
	}
	children := e.Children()
	changed := make([]Expr, len(children))
	for i, c := range children {
		changed[i] = bindCaseArg(c, arg)
	}
	if len(changed) == 0 {
		return e
	}
	return e.WithChildren(changed)
}
